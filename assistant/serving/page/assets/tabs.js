// footnote.openTab("tabs.settings") opens the tab of that name, where there is one; so does anything with data-tab.
window.footnote.openTab = name => {
  const text = footnote.say(name);
  [...document.querySelectorAll('#tabs [role=tab]')].find(tab => tab.textContent.trim() === text)?.click();
};
document.addEventListener('click', event => {
  const opener = event.target.closest && event.target.closest('[data-tab]');
  if (opener) footnote.openTab(opener.dataset.tab);
});
