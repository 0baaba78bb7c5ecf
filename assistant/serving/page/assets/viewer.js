// A click on a marker asks the server for its source; whenever the panel changes, the chosen source comes into view.
document.addEventListener('click', event => {
  const link = event.target.closest && event.target.closest('a[href^="#cite-"]');
  if (!link) return;
  event.preventDefault(); event.stopPropagation();
  const [turn, number] = link.getAttribute('href').slice(6).split('-').map(Number);
  trigger('select', {turn, number});
}, true);
new MutationObserver(() => {
  const chosen = element.querySelector('.source.selected');
  if (chosen) chosen.scrollIntoView({block: 'nearest', behavior: 'smooth'});
}).observe(element, {childList: true, subtree: true});
