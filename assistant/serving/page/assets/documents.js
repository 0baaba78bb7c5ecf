// The documents: a list to look through, how far the store follows the folder, and what people put into it.
// `select {library, only}` asks the server to answer from a few of them alone.
const say = (name, fields) => footnote.say(`documents.${name}`, fields);
const WINDOW = 100, POLL_MILLISECONDS = 700, IDLE_MILLISECONDS = 5000, FILTER_MILLISECONDS = 200, GONE_MILLISECONDS = 15000;
const gone = new Set();  // documents that were deleted just now
const ORDERS = {path: 'path', title: 'title', newest: '-date', oldest: 'date', largest: '-size', longest: '-passages'};
const served = footnote.served;
let library = served.libraries[0], sort = 'path', filter = '', shown = [], asked = 0, known = '';

const {make} = footnote;
const makeButton = (name, act, className = '') => {
  const button = make('button', {type: 'button', className, textContent: say(name)});
  button.addEventListener('click', act);
  return button;
};
const withLabel = (name, input) => make('label', {}, make('span', {textContent: say(name)}), input);

// -- what the server is asked -----------------------------------------------------------------

// A reply's own sentence where it is refused: {status, sentence}.
const ask = async (method, path, body, headers) => {
  const address = `api/${path}${path.includes('?') ? '&' : '?'}library=${encodeURIComponent(library)}`;
  let reply;
  try { reply = await fetch(address, {method, body, headers}); }
  catch { throw Object.assign(new Error(say('offline')), {status: 0}); }
  const told = await reply.json().catch(() => ({}));
  if (!reply.ok) throw Object.assign(new Error(typeof told.detail === 'string' ? told.detail : say('failed')), {status: reply.status});
  return told;
};
const askWith = (path, fields) => ask('POST', path, JSON.stringify(fields), {'Content-Type': 'application/json'});

// -- how far the store follows ----------------------------------------------------------------

const state = make('p', {className: 'state'}), bar = make('progress', {hidden: true});
const again = makeButton('again', () => act(() => ask('POST', 'sync'))), stop = makeButton('stop', () => act(() => ask('DELETE', 'sync')));
state.setAttribute('role', 'status');
bar.setAttribute('aria-label', say('progress'));

const sayState = told => {
  const {activity, message, to_read, files} = told;
  if (activity === 'reading' || activity === 'recognising') {
    return say(activity, {path: message, left: to_read.toLocaleString(), files: files.toLocaleString()});
  }
  if (activity === 'failed') return message;
  if (activity === 'scanning' || activity === 'stopped') return say(activity);
  return told.unwatched ? say('unwatched', {why: told.unwatched}) : say('follows');
};
const showState = told => {
  const busy = ['reading', 'recognising', 'scanning'].includes(told.activity);
  state.textContent = sayState(told);
  bar.hidden = !busy;
  if (told.total_bytes) { bar.max = told.total_bytes; bar.value = told.done_bytes; } else bar.removeAttribute('value');
  stop.hidden = !busy;
  again.hidden = busy;
  // What has changed in the store is shown as soon as it has.
  const now = JSON.stringify([told.report, busy ? told.to_read : 0]);
  if (now !== known) load(Math.max(WINDOW, shown.length));
  known = now;
  return busy;
};
const poll = async () => {
  let busy = false;
  try { busy = showState(await ask('GET', 'sync')); } catch (error) { state.textContent = error.message; }
  const isSeen = element.offsetParent !== null && !document.hidden;
  setTimeout(poll, isSeen && busy ? POLL_MILLISECONDS : IDLE_MILLISECONDS);
};

// -- the list ---------------------------------------------------------------------------------

const search = make('input', {type: 'search', maxLength: 200, placeholder: say('filter')});
const order = make('select', {}, ...Object.entries(ORDERS).map(([name, value]) => make('option', {value, textContent: say(`by_${name}`)})));
const libraries = make('select', {}, ...served.libraries.map(name => make('option', {value: name, textContent: name})));
const body = make('tbody'), count = make('p', {className: 'count'});
const more = makeButton('more', () => load(shown.length + WINDOW));
const columns = ['document', 'date', 'size', 'passages', 'state', 'actions'];
const table = make('table', {},
  make('caption', {textContent: say('caption')}),
  make('thead', {}, make('tr', {}, ...columns.map(name => make('th', {scope: 'col', className: ['size', 'passages'].includes(name) ? 'number' : name, textContent: say(`column_${name}`)})))), body);
count.setAttribute('role', 'status');
search.setAttribute('aria-label', say('filter'));

const sayBytes = bytes => {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'];
  let size = bytes, unit = 0;
  while (size >= 1000 && unit < units.length - 1) { size /= 1000; unit += 1; }
  const digits = unit && size < 10 ? 1 : 0;
  return new Intl.NumberFormat(undefined, {style: 'unit', unit: units[unit], unitDisplay: 'short', maximumFractionDigits: digits}).format(size);
};
const isUploaded = row => served.uploads && served.uploads.library === library && row.path.startsWith(served.uploads.prefix);
const makeRow = row => {
  const name = make('td', {className: 'name'});
  if (row.id) {
    const open = make('button', {type: 'button', className: 'open', textContent: row.title || row.path, dir: 'auto'});
    open.addEventListener('click', () => preview(row));
    name.append(open);
  } else name.append(make('span', {textContent: row.title || row.path, dir: 'auto'}));
  name.append(make('span', {className: 'path', textContent: row.path, dir: 'auto'}));
  const actions = make('td', {className: 'actions'});
  if (row.id) actions.append(labelled(makeButton('only', () => askOnly(row.path)), row));
  if (row.id && isUploaded(row)) actions.append(labelled(makeButton('delete', () => remove(row)), row));
  const told = row.reason ? say('skipped', {why: row.reason}) : row.unread ? say('partial', {why: row.unread}) : say('whole');
  return make('tr', {className: row.state || ''}, name,
    make('td', {className: 'date', textContent: row.date || ''}), make('td', {className: 'number size', textContent: row.size_bytes === null || row.size_bytes === undefined ? '' : sayBytes(row.size_bytes)}),
    make('td', {className: 'number', textContent: row.passages ? row.passages.toLocaleString() : ''}),
    make('td', {className: 'state', textContent: told, dir: 'auto'}), actions);
};
const labelled = (button, row) => {
  button.setAttribute('aria-label', `${button.textContent}: ${row.title || row.path}`);
  return button;
};
const sayCount = (count, {total, skipped_total}) => {
  if (!total && !skipped_total) return say(filter ? 'none_fits' : 'empty');
  const read = say('count', {shown: count.toLocaleString(), total: total.toLocaleString()});
  return skipped_total ? `${read} ${say('count_skipped', {count: skipped_total.toLocaleString()})}` : read;
};
const load = async (wanted = WINDOW) => {
  const mine = ++asked;
  try {
    // What could not be read comes first, since somebody may be looking for it.
    const rows = [], skipped = [];
    let told;
    do {
      const start = Math.max(rows.length, skipped.length);
      const query = new URLSearchParams({start, count: Math.min(WINDOW, wanted - start), sort, filter});
      told = await ask('GET', `documents?${query}`);
      rows.push(...told.documents);
      skipped.push(...told.skipped);
      if (!told.documents.length && !told.skipped.length) break;
    } while (Math.max(rows.length, skipped.length) < Math.min(wanted, Math.max(told.total, told.skipped_total)));
    if (mine !== asked) return;
    shown = rows;
    const left = rows.filter(row => !gone.has(row.id));
    body.replaceChildren(...[...skipped, ...left].map(makeRow));
    count.textContent = sayCount(left.length, {...told, total: told.total - rows.length + left.length});
    more.hidden = rows.length >= told.total && skipped.length >= told.skipped_total;
    table.hidden = !left.length && !skipped.length;
  } catch (error) { if (mine === asked) count.textContent = error.message; }
};
let waiting = 0;
search.addEventListener('input', () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => { filter = search.value; load(); }, FILTER_MILLISECONDS);
});
order.addEventListener('change', () => { sort = order.value; load(); });
libraries.addEventListener('change', () => { library = libraries.value; known = ''; load(); });

const preview = row => {
  footnote.openTab('tabs.conversation');
  // The viewer is drawn first: it has no size where it stands in a tab that is not shown.
  requestAnimationFrame(() => setTimeout(() => document.dispatchEvent(new CustomEvent('footnote:preview', {detail: {...row, library}}))));
};
const askOnly = path => {
  footnote.openTab('tabs.conversation');
  document.dispatchEvent(new CustomEvent('footnote:scope', {detail: {library, only: [path]}}));
};

// -- what people put into it ------------------------------------------------------------------

const told = make('p', {className: 'told'});
told.setAttribute('role', 'status');
const tell = (text, isWrong = false) => { told.textContent = text; told.classList.toggle('wrong', isWrong); };
const act = async work => {
  try { const result = await work(); if (result && result.activity) showState(result); return result; }
  catch (error) { tell(error.message, true); return null; }
};
const files = make('input', {type: 'file', multiple: true, hidden: true});
const sending = make('ul', {className: 'sending'});
const send = file => new Promise(done => {
  // Of all ways to send, this one tells how far it is.
  const request = new XMLHttpRequest(), progress = make('progress', {max: file.size || 1, value: 0});
  const cancel = makeButton('cancel', () => request.abort());
  const line = make('li', {}, make('span', {textContent: file.name, dir: 'auto'}), progress, cancel);
  progress.setAttribute('aria-label', file.name);
  sending.append(line);
  const end = text => {
    progress.remove();
    cancel.remove();
    if (text) line.append(make('span', {className: 'wrong', textContent: text})); else line.remove();
    done(!text);
  };
  request.upload.addEventListener('progress', event => { progress.value = event.loaded; });
  request.addEventListener('load', () => {
    let sentence = '';
    if (request.status !== 200) try { sentence = JSON.parse(request.responseText).detail; } catch { sentence = say('failed'); }
    end(request.status === 200 ? '' : String(sentence));
  });
  request.addEventListener('error', () => end(say('offline')));
  request.addEventListener('abort', () => end(say('cancelled')));
  request.open('POST', `api/uploads/${encodeURIComponent(file.name)}?library=${encodeURIComponent(library)}`);
  request.setRequestHeader('Content-Type', 'application/octet-stream');
  request.send(file);
});
// What was added lies in the library for uploads: that is shown, and asked, from now on.
const tellSent = count => {
  const sentence = count === 1 ? say('sent_one') : say('sent_many', {count});
  const goesElsewhere = served.libraries.length > 1;
  tell(goesElsewhere ? `${sentence} ${say('sent_to', {library: served.uploads.library})}` : sentence);
  if (!goesElsewhere) return;
  library = libraries.value = served.uploads.library;
  known = '';
  document.dispatchEvent(new CustomEvent('footnote:scope', {detail: {library, only: []}}));
};
const sendAll = async list => {
  sending.replaceChildren();
  tell('');
  let sent = 0;
  for (const file of list) sent += await send(file);
  if (sent) tellSent(sent);
  load(Math.max(WINDOW, shown.length));
};
files.addEventListener('change', () => { sendAll([...files.files]); files.value = ''; });
const drop = event => {
  if (!served.uploads || ![...event.dataTransfer.types].includes('Files')) return;
  event.preventDefault();
  element.classList.toggle('over', event.type === 'dragover');
  if (event.type === 'drop') sendAll([...event.dataTransfer.files]);
};
for (const name of ['dragover', 'dragleave', 'drop']) element.addEventListener(name, drop);

// A question in a dialog: `fields` by name, each an input; gives what was typed, or null.
const askFor = (title, fields, accept, isGrave = false) => new Promise(done => {
  const submit = make('button', {type: 'submit', className: isGrave ? 'grave' : 'primary', textContent: accept});
  const form = make('form', {method: 'dialog'}, make('h2', {textContent: title}), ...Object.values(fields).map(field => field.label),
    make('div', {className: 'buttons'}, makeButton('cancel', () => dialog.close()), submit));
  const dialog = make('dialog', {className: 'asking'}, form);
  const before = document.activeElement;
  let typed = null;
  form.addEventListener('submit', () => {
    typed = Object.fromEntries(Object.entries(fields).map(([name, {input}]) => [name, input.value]));
  });
  dialog.addEventListener('close', () => { dialog.remove(); before?.focus(); done(typed); });
  document.body.append(dialog);
  dialog.showModal();
});
const makeField = (name, properties, tag = 'input') => {
  const input = make(tag, {required: true, ...properties});
  return {input, label: withLabel(name, input)};
};
const paste = async () => {
  const typed = await askFor(say('paste'), {
    title: makeField('paste_title', {maxLength: 120}), text: makeField('paste_text', {rows: 12, maxLength: 2000000}, 'textarea'),
  }, say('save'));
  if (typed && await act(() => askWith('pasted', typed))) { tellSent(1); load(Math.max(WINDOW, shown.length)); }
};
const addPage = async () => {
  const typed = await askFor(say('web'), {address: makeField('web_address', {type: 'url', maxLength: 2000, placeholder: 'https://'})}, say('fetch'));
  if (!typed) return;
  tell(say('fetching', typed));
  if (await act(() => askWith('web', typed))) { tellSent(1); load(Math.max(WINDOW, shown.length)); }
};
const remove = async row => {
  if (!await askFor(say('delete_sure', {path: row.path}), {}, say('delete'), true)) return;
  if (await act(() => ask('DELETE', `documents/${row.id}`))) {
    tell(say('deleted', {path: row.path}));
    gone.add(row.id);  // until the store has followed
    setTimeout(() => gone.delete(row.id), GONE_MILLISECONDS);
    load(Math.max(WINDOW, shown.length));
  }
};

// -- the whole --------------------------------------------------------------------------------

const adding = make('div', {className: 'adding'});
if (served.uploads) {
  adding.append(makeButton('upload', () => files.click(), 'primary'), makeButton('paste', paste));
  if (served.is_local) adding.append(makeButton('web', addPage));
  adding.append(files, make('span', {className: 'hint', textContent: say('drop')}));
} else adding.append(make('span', {className: 'hint', textContent: say('no_uploads')}));
const tools = make('div', {className: 'tools'}, search, withLabel('sort', order));
if (served.libraries.length > 1) tools.prepend(withLabel('library', libraries));
element.replaceChildren(make('div', {className: 'following'}, state, bar, stop, again), adding, told, sending, tools, count, make('div', {className: 'scrolled'}, table), more);
more.hidden = table.hidden = stop.hidden = true;
// A tab that is not looked at asks nothing of the server.
new IntersectionObserver(entries => { if (entries.some(entry => entry.isIntersecting)) load(Math.max(WINDOW, shown.length)); }).observe(element);
poll();
