// The source viewer: the document that a citation leads to, whole, with all that the answer cites of it.
//
// Its value, from showing.py: {turn, number, library, document, citations, others, nearest}; without a document it lists
// what there is to open. `footnote:open {turn, number}` opens a source, number 0 the list,
// `footnote:preview {library, id, title, path, date}` a document at its beginning; `select {turn, number}` asks
// the server for one that is not in the document shown. On a narrow screen the viewer is a drawer over the page.
const NARROW = matchMedia('(max-width: 899px)'), ZOOMS = [1, 1.25, 1.5, 2, 3];
const say = (name, fields) => footnote.say(`viewer.${name}`, fields);
const make = (tag, className, ...content) => {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...content);
  return made;
};
const makeButton = (name, sign, act) => {
  const button = make('button', `tool ${name}`, sign);
  button.type = 'button';
  button.title = say(name);
  button.setAttribute('aria-label', say(name));
  button.addEventListener('click', act);
  return button;
};

// -- what it is made of --
const drawer = make('dialog', 'drawer');
const root = make('section', 'viewer'), title = make('h2'), facts = make('p', 'facts'), note = make('p', 'note');
const scroller = make('div', 'body'), place = make('span', 'place'), tools = make('div', 'tools'), spoken = make('p', 'spoken');
const previous = makeButton('previous', '‹', () => step(-1)), next = makeButton('next', '›', () => step(1));
const list = makeButton('list', '☰', () => open(shown.turn, 0));
const search = makeButton('find', '⌕', () => toggleFind(true));
const asPages = makeButton('pages', say('pages'), () => switchTo('pages')), asText = makeButton('text', say('text'), () => switchTo('text'));
const smaller = makeButton('smaller', '−', () => zoom(-1)), larger = makeButton('larger', '+', () => zoom(1));
const close = makeButton('close', '×', () => leave());
const switching = make('span', 'group switching', asPages, asText), zooming = make('span', 'group', smaller, larger);
const words = make('input'), count = make('span', 'place');
const before = makeButton('find_previous', '‹', () => stepFound(-1)), after = makeButton('find_next', '›', () => stepFound(1));
const finding = make('form', 'finding', words, count, before, after, makeButton('find_close', '×', () => toggleFind(false)));
root.tabIndex = -1;
root.setAttribute('aria-label', say('label'));
title.dir = facts.dir = 'auto';
scroller.tabIndex = 0;
scroller.setAttribute('role', 'region');
spoken.setAttribute('role', 'status');
words.type = 'search';
words.maxLength = 200;
words.setAttribute('aria-label', say('find'));
finding.setAttribute('role', 'search');
drawer.setAttribute('aria-label', say('label'));
tools.append(make('span', 'group', previous, place, next), list, search, switching, zooming);
root.append(make('header', '', make('div', 'top', title, close), facts, tools, finding, note), scroller, spoken);

// -- where it stands --
const settle = () => {
  if (NARROW.matches) drawer.append(root);
  else { if (drawer.open) drawer.close(); element.append(root); }
  root.classList.toggle('in-drawer', NARROW.matches);
};
element.replaceChildren(drawer);
settle();
NARROW.addEventListener('change', () => { settle(); show(); });

// -- the state --
let shown = null; // the value
let chosen = null; // of its citations
let view = null, form = '', preferred = '', zoomed = 0, page = null;
let details = null; // what the server says of the document
let opened = 0; // counts what has been opened, so that what comes late is dropped
let byKeyboard = false, cameFrom = null;
let found = [], foundAt = -1, looked = '', isAll = true;

const address = (name, fields = {}) => {
  const query = Object.entries({...fields, library: shown.library}).filter(([, value]) => value !== undefined && value !== null && value !== '');
  const told = query.map(([key, value]) => `${key}=${encodeURIComponent(value).replaceAll('%2C', ',')}`).join('&');
  return `api/documents/${encodeURIComponent(shown.document.id)}${name && `/${name}`}${told && `?${told}`}`;
};
const ask = async (name, fields, tries = 4) => {
  const reply = await fetch(address(name, fields)).catch(() => null);
  if (reply && reply.status === 503 && tries > 1) {  // others are being drawn for, or what reads the file just begins
    await new Promise(done => setTimeout(done, 1500));
    return ask(name, fields, tries - 1);
  }
  if (!reply) throw new Error(say('offline'));
  const told = await reply.json().catch(() => ({}));
  if (!reply.ok) throw new Error(told.detail || say('failed'));
  return told;
};
const tell = text => { note.textContent = text || ''; note.hidden = !text; };

// What is cited of the document, each place once, with the numbers of all citations that it bears.
const findPlaces = () => {
  const places = new Map();
  for (const citation of shown.citations.filter(({kind}) => kind === 'words')) {
    const key = `${citation.start}-${citation.end}`;
    if (!places.has(key)) places.set(key, {...citation, numbers: []});
    places.get(key).numbers.push(citation.number);
  }
  return [...places.values()].slice(0, 80);
};
const findPlace = citation => findPlaces().find(({numbers}) => numbers.includes(citation.number)) || {start: 0, end: 0, page: 1};
const findNumbers = () => [...shown.citations, ...shown.others].map(({number}) => number).sort((a, b) => a - b);

// -- showing --
const showHead = () => {
  const {document: source, citations, others} = shown, numbers = findNumbers();
  title.textContent = source ? source.title : shown.nearest ? say('nearest') : say('sources');
  const told = source ? [source.date, details && details.author, source.path] : [shown.nearest ? say('nearest_told') : ''];
  const at = page || (chosen && chosen.page);
  if (at && source.pages) told.push(say('page_of', {page: at, count: Math.max(source.pages, details ? details.pages : 0)}));
  if (chosen && chosen.where) told.push(chosen.where);
  facts.textContent = told.filter(Boolean).join(' · ');
  tools.hidden = !source;
  place.textContent = chosen ? say('place', {place: numbers.indexOf(chosen.number) + 1, count: numbers.length}) : '';
  place.parentElement.hidden = !numbers.length;
  previous.disabled = next.disabled = numbers.length < 2;
  list.hidden = numbers.length < 2;
  switching.hidden = !canDraw();
  zooming.hidden = form !== 'pages';
  asPages.setAttribute('aria-pressed', form === 'pages');
  asText.setAttribute('aria-pressed', form === 'text');
  smaller.disabled = zoomed === 0;
  larger.disabled = zoomed === ZOOMS.length - 1;
  scroller.setAttribute('aria-label', source ? source.title : title.textContent);
};
const canDraw = () => Boolean(details && ['pages', 'picture'].includes(details.kind) && !details.undrawable);

const showList = () => {
  closeView();
  const items = [...shown.others].map(other => {
    const quote = make('span', 'quote', other.quote), where = make('span', 'where', [other.title, other.where].filter(Boolean).join(' · '));
    const button = make('button', 'source', make('span', 'number', String(other.number)), quote, where);
    quote.dir = where.dir = 'auto';
    button.type = 'button';
    button.addEventListener('click', event => open(shown.turn, other.number, event.detail === 0));
    return make('li', '', button);
  });
  scroller.replaceChildren(make('ol', 'list', ...items));
  scroller.scrollTop = 0;
  if (byKeyboard) scroller.querySelector('button')?.focus();
};
const closeView = () => {
  if (view) view.close();
  view = null;
  form = '';
  page = null;
};
// How the document is shown: as pages where it has any and they can be drawn.
const showAs = wanted => {
  closeView();
  form = wanted === 'pages' && canDraw() ? 'pages' : 'text';
  if (form === 'text') view = footnote.openText(scroller, ask, findPlaces());
  else {
    view = footnote.openPages(scroller, ask, address, {count: details.pages || details.ratios?.length || 1, ratios: details.ratios}, {
      places: findPlaces(),
      choose: light,
      onPage: number => { page = number; showHead(); },
      fail: async sentence => { details.undrawable = sentence || say('failed'); showAs('text'); await reveal(); },
    });
    view.zoom(ZOOMS[zoomed]);
  }
  if (looked) view.find(found, found[foundAt]);
  tell(form === 'text' ? details.undrawable : '');
  showHead();
};
const reveal = async () => {
  const turn = opened, at = findPlace(chosen);
  showHead();
  scroller.setAttribute('aria-busy', 'true');
  try {
    const target = await view.reveal(at);
    if (turn !== opened) return;
    for (const old of scroller.querySelectorAll('.chosen')) old.classList.remove('chosen');
    const key = `${at.start}-${at.end}`;
    for (const mark of scroller.querySelectorAll(`[data-cited~="${key}"]`)) mark.classList.add('chosen');
    spoken.textContent = [place.textContent, chosen ? chosen.quote : title.textContent].filter(Boolean).join(': ');
    if (byKeyboard) (target || scroller).focus({preventScroll: true});
    byKeyboard = false;
  } catch (error) {
    if (turn === opened) { tell(error.message); if (byKeyboard) scroller.focus(); }
  } finally { if (turn === opened) scroller.removeAttribute('aria-busy'); }
};
const show = async (value = props.value) => {
  const same = shown && value && shown.document && value.document
    && shown.turn === value.turn && shown.document.id === value.document.id && shown.key === value.key;
  if (same) return;
  if (value && NARROW.matches && !drawer.open) { // what nobody sees is asked for once the drawer opens
    ++opened;
    closeView();
    shown = chosen = details = null;
    return;
  }
  const turn = ++opened;
  const isOther = !shown || !value || shown.document?.id !== value.document?.id || shown.library !== value.library;
  shown = value;
  chosen = null;
  tell('');
  root.classList.toggle('bare', !shown);
  if (isOther) { details = null; closeFound(); }
  if (!shown) {
    closeView();
    title.textContent = say('label');
    facts.textContent = say('empty');
    tools.hidden = true;
    scroller.replaceChildren();
    return;
  }
  if (!shown.document) { showHead(); showList(); showHead(); return; }
  chosen = shown.citations.find(({number}) => number === shown.number) || shown.citations[0] || null;
  page = null;
  showHead();
  scroller.setAttribute('aria-busy', 'true');
  try {
    const told = isOther ? await ask('') : details;
    if (turn !== opened) return;
    details = told;
  } catch (error) {
    if (turn !== opened) return;
    closeView();
    scroller.replaceChildren(...(chosen ? [make('blockquote', 'quoted', chosen.quote)] : []));
    scroller.removeAttribute('aria-busy');
    tell(error.message);
    return;
  }
  showAs(preferred || 'pages');
  await reveal();
};
const switchTo = async wanted => {
  preferred = wanted;
  showAs(wanted);
  await reveal();
};
const zoom = by => {
  zoomed = Math.min(Math.max(zoomed + by, 0), ZOOMS.length - 1);
  if (form === 'pages') view.zoom(ZOOMS[zoomed]);
  showHead();
};

// -- choosing --
// The sentences that rest on what is shown light up beside it.
const light = numbers => document.dispatchEvent(new CustomEvent('footnote:lit', {detail: {turn: shown.turn, numbers}}));
const choose = async number => {
  chosen = shown.citations.find(citation => citation.number === number);
  light([number]);
  await reveal();
};
const step = by => {
  const numbers = findNumbers(), at = numbers.indexOf(chosen?.number);
  open(shown.turn, numbers[(at + by + numbers.length) % numbers.length], false);
};
const open = (turn, number, withKeys = byKeyboard) => {
  byKeyboard = withKeys;
  if (shown && shown.turn === turn && view && shown.citations.some(citation => citation.number === number)) choose(number);
  else {
    trigger('select', {turn, number});
    if (number) document.dispatchEvent(new CustomEvent('footnote:lit', {detail: {turn, numbers: [number]}}));
  }
};
const leave = () => {
  if (drawer.open) drawer.close();
  const name = cameFrom && `-${cameFrom.turn}-${cameFrom.number}`;
  const chip = name && document.querySelector(`#conversation :is(a[href="#cite${name}"], a[href="#near${name}"])`);
  if (chip) chip.focus();
};
document.addEventListener('footnote:open', event => {
  const {turn, number, byKeyboard: withKeys} = event.detail;
  cameFrom = {turn, number};
  if (NARROW.matches && !drawer.open) drawer.showModal();
  open(turn, number, Boolean(withKeys));
});
// A document from the list of all: nothing is cited of it, and it opens at its beginning.
document.addEventListener('footnote:preview', event => {
  const {library, id, title, path, date, pages} = event.detail;
  cameFrom = null;
  byKeyboard = true;
  if (NARROW.matches && !drawer.open) drawer.showModal();
  show({turn: -1, number: 0, library, document: {id, title, path, date, pages}, citations: [], others: []});
});
drawer.addEventListener('cancel', event => { event.preventDefault(); leave(); });
drawer.addEventListener('click', event => { if (event.target === drawer) leave(); });
const findMark = event => event.target.closest && event.target.closest('mark.cited[data-cited]');
const takeMark = event => {
  const mark = findMark(event);
  if (!mark || (event.type === 'click' && !getSelection().isCollapsed)) return;
  event.preventDefault();
  const keys = mark.dataset.cited.split(' ');
  light(findPlaces().filter(({start, end}) => keys.includes(`${start}-${end}`)).flatMap(({numbers}) => numbers));
};
scroller.addEventListener('click', takeMark);

// -- finding --
const closeFound = () => {
  found = [];
  foundAt = -1;
  looked = '';
  count.textContent = '';
  finding.hidden = true;
  words.value = '';
};
const toggleFind = isOpen => {
  if (isOpen) { finding.hidden = false; words.focus(); words.select(); return; }
  closeFound();
  if (view) view.find([], null);
  search.focus();
};
const look = async () => {
  const turn = opened, wanted = words.value.trim();
  if (wanted === looked) return;
  looked = wanted;
  found = [];
  foundAt = -1;
  try {
    const reply = wanted ? await ask('find', {words: wanted}) : {places: [], is_all: true};
    if (turn !== opened || looked !== wanted) return;
    found = reply.places;
    isAll = reply.is_all;
  } catch (error) {
    if (turn !== opened || looked !== wanted) return;
    tell(error.message);
  }
  foundAt = found.length ? 0 : -1;
  showFound();
};
const showFound = async () => {
  const told = isAll ? String(found.length) : `${found.length}+`;
  count.textContent = found.length ? say('place', {place: foundAt + 1, count: told}) : looked ? say('find_none') : '';
  spoken.textContent = count.textContent;
  before.disabled = after.disabled = found.length < 2;
  if (!view) return;
  view.find(found, found[foundAt]);
  if (found.length) await view.reveal(found[foundAt]).catch(error => tell(error.message));
};
const stepFound = by => {
  if (!found.length) return;
  foundAt = (foundAt + by + found.length) % found.length;
  showFound();
};
finding.addEventListener('submit', event => event.preventDefault());
let typing = 0;
words.addEventListener('input', () => { clearTimeout(typing); typing = setTimeout(look, 250); });

// -- keys --
root.addEventListener('keydown', event => {
  const isTyping = event.target === words, plain = !event.ctrlKey && !event.metaKey && !event.altKey;
  const act = () => {
    if ((event.ctrlKey || event.metaKey) && event.key === 'f' && !tools.hidden) return () => toggleFind(true);
    if (event.key === 'Escape') return () => (finding.hidden ? leave() : toggleFind(false));
    if (isTyping && event.key === 'Enter') return () => (words.value.trim() === looked ? stepFound(event.shiftKey ? -1 : 1) : look());
    if (isTyping || !plain || !shown) return null;
    if (event.key === 'Enter' && findMark(event)) return () => takeMark(event);
    if (!shown.document) return null;
    if (event.key === 'n' || event.key === 'p') return () => step(event.key === 'n' ? 1 : -1);
    if (form !== 'pages') return null;
    if (event.key === '+' || event.key === '-') return () => zoom(event.key === '+' ? 1 : -1);
    if (event.target === scroller && ['ArrowRight', 'ArrowLeft'].includes(event.key) && !zoomed) return () => view.turn(event.key === 'ArrowRight' ? 1 : -1);
    return null;
  };
  const done = act();
  if (!done) return;
  event.preventDefault();
  event.stopPropagation();
  done();
});
finding.hidden = true;
note.hidden = true;
watch('value', () => show());
show();
