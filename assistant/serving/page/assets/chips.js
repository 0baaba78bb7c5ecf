// What a chip or a mark of doubt says, in one card; a click on a chip opens its source; sentences light up.
//
// footnote:open {turn, number, byKeyboard} is told on a click or Enter; on footnote:lit {turn, numbers} the sentences
// that end in those chips are lit. Messages are labelled by what they say, which Gradio takes from their Markdown.
{
  const CITED = 'a[href^="#cite-"]', CHIP = `${CITED}, a[href^="#near-"]`; // the latter of passages that come near
  const TOLD = `${CHIP}, #conversation .doubt`, ENDS = `${CITED}, .doubt`;
  const SHOW_MILLISECONDS = 120, HIDE_MILLISECONDS = 180, GAP_PIXELS = 6, EDGE_PIXELS = 8;
  const BLOCKS = 'p, li, td, th, blockquote, h1, h2, h3, h4, h5, h6, div';
  const said = new WeakMap(); // what stood in `title`, which a browser would show beside the card
  let card, timer, told = null;

  const readChip = chip => {
    const named = chip.getAttribute('href').match(/^#(?:cite|near)-(\d+)-(\d+)$/);
    return named && {turn: Number(named[1]), number: Number(named[2])};
  };
  const findTold = event => event.target.closest && event.target.closest(TOLD);

  // -- the card --
  const fill = text => {
    const cited = text.match(/^“([^]*)” — ([^]*)$/);
    card.replaceChildren(...(cited ? [[cited[1], 'quote'], [cited[2], 'where']] : [[text, 'reason']]).map(([words, name]) => {
      const part = document.createElement('p');
      part.className = name;
      part.dir = 'auto';
      part.textContent = words;
      return part;
    }));
  };
  const place = () => {
    const at = told.getClientRects()[0] || told.getBoundingClientRect();
    card.style.left = card.style.top = '0';
    const {width, height} = card.getBoundingClientRect();
    const left = Math.min(at.left + at.width / 2 - width / 2, innerWidth - EDGE_PIXELS - width);
    const below = at.bottom + GAP_PIXELS, above = at.top - GAP_PIXELS - height;
    card.style.left = `${Math.max(EDGE_PIXELS, left)}px`;
    card.style.top = `${below + height + EDGE_PIXELS > innerHeight && above > 0 ? above : below}px`;
  };
  const hide = () => {
    clearTimeout(timer);
    if (told) told.removeAttribute('aria-describedby');
    told = null;
    if (card) card.hidden = true;
  };
  const show = target => {
    clearTimeout(timer);
    if (told === target) return;
    hide();
    if (target.title) said.set(target, target.title);
    const text = said.get(target);
    if (!text) return;
    target.removeAttribute('title');
    if (!card) {
      card = document.createElement('div');
      card.id = 'footnote-card';
      card.setAttribute('role', 'tooltip');
      document.querySelector('.gradio-container').append(card);
      card.addEventListener('pointerenter', () => clearTimeout(timer));
      card.addEventListener('pointerleave', () => later(hide, HIDE_MILLISECONDS));
    }
    told = target;
    fill(text);
    card.hidden = false;
    target.setAttribute('aria-describedby', card.id);
    place();
  };
  const later = (act, milliseconds) => { clearTimeout(timer); timer = setTimeout(act, milliseconds); };

  document.addEventListener('pointerover', event => {
    const target = event.pointerType !== 'touch' && findTold(event);
    if (!target) return;
    if (target.title) { said.set(target, target.title); target.removeAttribute('title'); }
    later(() => target.isConnected && show(target), SHOW_MILLISECONDS);
  });
  document.addEventListener('pointerout', event => {
    const target = findTold(event);
    if (target && !target.contains(event.relatedTarget) && target !== document.activeElement) later(hide, HIDE_MILLISECONDS);
  });
  document.addEventListener('focusin', event => {
    const target = findTold(event);
    if (target && target.matches(':focus-visible')) show(target);
  });
  document.addEventListener('focusout', event => { if (findTold(event)) later(hide, 0); });
  document.addEventListener('scroll', event => { if (told && event.target.contains(told)) hide(); }, true);
  addEventListener('resize', hide);
  document.addEventListener('keydown', event => {
    if (event.key === 'Escape' && told) { hide(); event.preventDefault(); event.stopPropagation(); }
  }, true);

  // -- opening --
  document.addEventListener('click', event => {
    const target = findTold(event);
    if (!target) return;
    if (!target.matches(CHIP)) { show(target); return; }
    hide();
    event.preventDefault();
    event.stopPropagation();
    const chip = readChip(target);
    if (chip) document.dispatchEvent(new CustomEvent('footnote:open', {detail: {...chip, byKeyboard: event.detail === 0}}));
  }, true);

  // -- the sentences that rest on a source --
  // What ends a sentence: chips that follow each other, and marks of doubt.
  const findEnds = block => [...block.querySelectorAll(ENDS)].filter(end => end.closest(BLOCKS) === block);
  const isBlank = range => !range.toString().trim();
  const findSentence = chip => {
    const block = chip.closest(BLOCKS), ends = findEnds(block), range = document.createRange();
    let first = ends.indexOf(chip);
    const between = (one, other) => { range.setStartAfter(one); range.setEndBefore(other); return range; };
    while (first > 0 && isBlank(between(ends[first - 1], ends[first]))) first -= 1;
    range.setStart(block, 0);
    if (first > 0) {
      const last = ends[first - 1], group = last.closest('.chips') || last, next = group.nextSibling;
      // A sentence's full stop stands behind its chips.
      const stop = next && next.nodeType === Node.TEXT_NODE ? next.data.match(/^[\s.,;:!?…)\]”"’»]*/)[0].length : 0;
      if (stop) range.setStart(next, stop); else range.setStartAfter(group);
    }
    range.setEndBefore(ends[first]);
    if (isBlank(range) && block.previousElementSibling) range.selectNodeContents(block.previousElementSibling);
    return range;
  };
  document.addEventListener('footnote:lit', event => {
    const {turn, numbers, isQuiet} = event.detail;
    for (const chip of document.querySelectorAll(`${CITED}.lit`)) chip.classList.remove('lit');
    const chips = numbers.flatMap(number => [...document.querySelectorAll(`#conversation a[href="#cite-${turn}-${number}"]`)]);
    for (const chip of chips) chip.classList.add('lit');
    if (window.CSS && CSS.highlights) CSS.highlights.set('footnote-lit', new Highlight(...chips.map(findSentence)));
    if (chips.length && !isQuiet) chips[0].scrollIntoView({block: 'nearest'});
  });

  // -- labels --
  let labelling = 0;
  const label = () => {
    labelling = 0;
    for (const message of document.querySelectorAll('#conversation [data-testid][aria-label]')) {
      const text = message.textContent.replace(/\s+/g, ' ').trim();
      if (message.getAttribute('aria-label') !== text) message.setAttribute('aria-label', text);
    }
  };
  new MutationObserver(() => { labelling ||= setTimeout(label, 150); }).observe(document.documentElement, {
    subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ['aria-label'],
  });
}
