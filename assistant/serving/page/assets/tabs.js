// Anything with data-tab="tabs.settings" opens the tab of that name, where there is one.
document.addEventListener('click', event => {
  const opener = event.target.closest && event.target.closest('[data-tab]');
  if (!opener) return;
  const name = footnote.say(opener.dataset.tab);
  [...document.querySelectorAll('#tabs [role=tab]')].find(tab => tab.textContent.trim() === name)?.click();
});
