// Conversations, kept in this browser alone: a database for each user, in it each turn as the server has written it.
// The server tells: {begin: {owner, library}}, then {saved: {count, turn}} after each turn: the conversation now has
// `count` turns, of which `turn` is the last; {restored: {mark, told}} of what it was given back, with `saved` of what
// was left; and {told}, a sentence.
// Tabs write the same database. A write is one transaction, in which a tab takes back only turns that it shows itself.
const {make, say} = footnote;
const LARGEST_BYTES = 1000000, MOST_TURNS = 100, TITLE_CHARACTERS = 60;
const NARROW = matchMedia('(max-width: 768px)'); // where the sidebar covers the page

let database = null, channel = null, library = '', place = '';
let current = null, view = []; // the conversation that is shown, and the keys of its turns
let awaited = null, mark = 0; // the conversation that the server was asked to take up
let searched = 0, isNaming = false;

// -- the page's parts -------------------------------------------------------------------------

const makeButton = (text, label, act, className = '') => {
  const button = make('button', {type: 'button', className, textContent: text, title: label});
  button.setAttribute('aria-label', label);
  button.addEventListener('click', act);
  return button;
};
const SVG = 'http://www.w3.org/2000/svg';
const PENCIL = 'M3 13l.7-2.8L11 2.9l2.1 2.1-7.3 7.3zM9.6 4.3l2.1 2.1';
const BIN = 'M3 4.5h10M6.5 4.5V3h3v1.5M4.3 4.5l.6 8.5h6.2l.6-8.5M6.8 7v3.7M9.2 7v3.7';
const makeIcon = drawn => {
  const icon = document.createElementNS(SVG, 'svg'), path = document.createElementNS(SVG, 'path');
  icon.setAttribute('viewBox', '0 0 16 16');
  icon.setAttribute('aria-hidden', 'true');
  path.setAttribute('d', drawn);
  icon.append(path);
  return icon;
};
const title = make('h2', {textContent: say('conversations.label'), id: 'conversations-label'});
const fresh = makeButton(say('conversations.new'), say('conversations.new'), () => choose(null), 'new');
const search = make('input', {type: 'search', placeholder: say('conversations.search'), maxLength: 200});
search.setAttribute('aria-label', say('conversations.search'));
const told = make('p', {className: 'told'});
told.setAttribute('role', 'status');
const list = make('ul');
list.setAttribute('aria-labelledby', 'conversations-label');
element.replaceChildren(title, fresh, search, told, list);
search.addEventListener('input', () => draw());

// One sentence, where it is seen also when the sidebar is closed, and what can be done about it.
const notice = make('p', {id: 'conversations-notice', hidden: true});
notice.setAttribute('role', 'status');
document.body.append(notice);
const tell = sentence => {
  notice.hidden = !sentence;
  notice.textContent = sentence;
  if (sentence) notice.append(' ', makeButton('×', say('conversations.dismiss'), () => tell('')));
};
const tellFailure = error => tell(
  error && error.name === 'QuotaExceededError'
    ? say('conversations.full') : say('conversations.failed', {why: (error && error.message) || String(error)}));

const sayDay = time => {
  const day = new Date(time), today = new Date(), yesterday = new Date();
  yesterday.setDate(today.getDate() - 1);
  if (day.toDateString() === today.toDateString()) return say('conversations.today');
  if (day.toDateString() === yesterday.toDateString()) return say('conversations.yesterday');
  return day.toLocaleDateString(undefined, {year: 'numeric', month: 'short', day: 'numeric'});
};
const shorten = text => {
  const words = text.replace(/\s+/g, ' ').trim(), characters = [...words];
  return characters.length <= TITLE_CHARACTERS ? words : characters.slice(0, TITLE_CHARACTERS - 1).join('').trim() + '…';
};
const makeKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map(b => b.toString(16).padStart(2, '0')).join('');

// -- the database -----------------------------------------------------------------------------

const ask = request => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});
const openDatabase = name => new Promise((resolve, reject) => {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore('conversations', {keyPath: 'id'}).createIndex('library', 'library');
    request.result.createObjectStore('turns', {keyPath: 'key'}).createIndex('order', ['conversation', 'place']);
  };
  request.onsuccess = () => resolve(request.result);
  request.onerror = request.onblocked = () => reject(request.error || new Error('blocked'));
});
// Everything that `work` does with the two stores happens, or nothing.
const transact = (mode, work) => new Promise((resolve, reject) => {
  const transaction = database.transaction(['conversations', 'turns'], mode);
  let result;
  transaction.oncomplete = () => resolve(result);
  transaction.onabort = () => reject(transaction.error || new Error('aborted'));
  const [conversations, turns] = ['conversations', 'turns'].map(name => transaction.objectStore(name));
  work(conversations, turns).then(value => { result = value; }, error => {
    reject(error);
    try { transaction.abort(); } catch { /* it has ended */ }
  });
});
const allOf = id => IDBKeyRange.bound([id, -Infinity], [id, Infinity]);
const readTurns = id => transact('readonly', (_, turns) => ask(turns.index('order').getAll(allOf(id))));

const write = async (id, dropped, key, text) => {
  const {question, answer} = JSON.parse(text);
  await transact('readwrite', async (conversations, turns) => {
    const known = await ask(conversations.get(id));
    const last = await ask(turns.index('order').openKeyCursor(allOf(id), 'prev'));
    for (const old of dropped) turns.delete(old);
    const words = `${question}\n${(answer && answer.text) || ''}`;
    turns.put({key, conversation: id, place: last ? last.key[1] + 1 : 0, text, words});
    conversations.put({...(known || {id, library, title: shorten(question)}), changed: Date.now()});
  });
  announce();
};
const announce = () => { if (channel) channel.postMessage('changed'); draw(); };

// -- what the server tells --------------------------------------------------------------------

const begin = async ({owner, library: of}) => {
  library = of;
  const name = `footnote ${owner}`;
  place = `${name} ${library}`;
  try {
    database = await openDatabase(name);
    database.onversionchange = () => database.close();
  } catch {
    told.textContent = say('conversations.blocked');
    search.hidden = true;
    return;
  }
  if ('BroadcastChannel' in window) {
    channel = new BroadcastChannel(name);
    channel.onmessage = () => draw();
  }
  await draw();
  const last = remembered();
  if (last && !view.length) await open(last);
};
// Which conversation a tab shows is known after a reload; a new tab begins a new one.
const remembered = () => { try { return sessionStorage.getItem(place); } catch { return null; } };
const remember = id => {
  current = id;
  try { id ? sessionStorage.setItem(place, id) : sessionStorage.removeItem(place); } catch { /* then it is not */ }
};

const save = async ({count, turn}) => {
  if (!count) { remember(null); view = []; draw(); return; }
  const key = makeKey(), dropped = view.slice(count - 1);
  view = [...view.slice(0, count - 1), key];
  if (!current) remember(makeKey());
  if (!database) return;
  try { await write(current, dropped, key, turn); } catch (error) { tellFailure(error); }
};

const takeUp = ({mark: of, told: sentence}) => {
  if (!awaited || awaited.mark !== of) return;
  if (sentence) {
    tell(sentence);
  } else {
    view = awaited.keys;
    remember(awaited.id);
    tell(awaited.told);
  }
  awaited = null;
  draw();
};

// -- what a person does -----------------------------------------------------------------------

const open = async id => {
  let turns = [];
  try { turns = id ? await readTurns(id) : []; } catch (error) { tellFailure(error); return; }
  const whole = turns.length, size = new TextEncoder();
  turns = turns.slice(-MOST_TURNS);
  let bytes = turns.reduce((sum, turn) => sum + size.encode(turn.text).length + 1, 2);
  while (bytes > LARGEST_BYTES) bytes -= size.encode(turns.shift().text).length + 1;
  awaited = {mark: ++mark, id: turns.length ? id : null, keys: turns.map(turn => turn.key),
    told: turns.length < whole ? say('conversations.cut', {count: turns.length}) : ''};
  trigger('select', {turns: `[${turns.map(turn => turn.text).join(',')}]`, mark});
};
const choose = async id => {
  await open(id);
  if (NARROW.matches) toggle(false);
  if (!id || NARROW.matches) document.querySelector('#question textarea')?.focus();
};
const rename = (kept, item) => {
  const input = make('input', {value: kept.title, maxLength: 200, className: 'name'});
  input.setAttribute('aria-label', say('conversations.new_name', {title: kept.title}));
  let isOver = false;
  const end = async isMeant => {
    if (isOver) return;
    isOver = true;
    isNaming = false;
    const name = input.value.replace(/\s+/g, ' ').trim();
    if (isMeant && name && name !== kept.title) {
      try {
        await transact('readwrite', async conversations => {
          const known = await ask(conversations.get(kept.id));
          if (known) conversations.put({...known, title: name});
        });
        told.textContent = say('conversations.renamed', {title: name});
        if (channel) channel.postMessage('changed');
      } catch (error) { tellFailure(error); }
    }
    await draw();
    focusOn(kept.id, '.rename');
  };
  input.addEventListener('keydown', event => {
    if (event.key !== 'Enter' && event.key !== 'Escape') return;
    event.preventDefault(); event.stopPropagation();
    end(event.key === 'Enter');
  });
  input.addEventListener('blur', () => end(true));
  isNaming = true;
  item.replaceChildren(input);
  input.focus(); input.select();
};
const remove = async kept => {
  let turns;
  try {
    turns = await transact('readwrite', async (conversations, stored) => {
      const theirs = await ask(stored.index('order').getAll(allOf(kept.id)));
      for (const turn of theirs) stored.delete(turn.key);
      conversations.delete(kept.id);
      return theirs;
    });
  } catch (error) { tellFailure(error); return; }
  if (current === kept.id) await open(null);
  const undo = makeButton(say('conversations.undo'), say('conversations.undo'), async () => {
    try {
      await transact('readwrite', async (conversations, stored) => {
        conversations.put(kept);
        for (const turn of turns) stored.put(turn);
      });
    } catch (error) { tellFailure(error); return; }
    told.textContent = '';
    if (channel) channel.postMessage('changed');
    await draw();
    focusOn(kept.id, '.open');
  }, 'undo');
  told.replaceChildren(say('conversations.deleted', {title: kept.title}), ' ', undo);
  if (channel) channel.postMessage('changed');
  await draw();
  undo.focus();
};
const focusOn = (id, part) => {
  const item = [...list.children].find(item => item.dataset.id === id);
  ((item && item.querySelector(part)) || fresh).focus();
};

// -- the list ---------------------------------------------------------------------------------

const find = async words => {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const holds = text => wanted.every(word => text.toLowerCase().includes(word));
  return transact('readonly', async (conversations, turns) => {
    const kept = await ask(conversations.index('library').getAll(library));
    if (!wanted.length) return kept;
    const found = new Set(kept.filter(one => holds(one.title)).map(one => one.id));
    await new Promise((resolve, reject) => {
      const request = turns.openCursor();
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        const cursor = request.result;
        if (!cursor) { resolve(); return; }
        if (!found.has(cursor.value.conversation) && holds(cursor.value.words)) found.add(cursor.value.conversation);
        cursor.continue();
      };
    });
    return kept.filter(one => found.has(one.id));
  });
};
const draw = async () => {
  if (!database) return;
  const words = search.value.trim(), asked = ++searched;
  let kept;
  try { kept = await find(words); } catch (error) { tellFailure(error); return; }
  // What was asked for later is drawn; who is typing a name is left alone.
  if (asked !== searched || isNaming) return;
  const focused = list.contains(document.activeElement) && document.activeElement.closest('button');
  const from = focused && [focused.closest('li').dataset.id, `.${focused.className.split(' ')[0]}`];
  kept.sort((one, other) => other.changed - one.changed);
  list.replaceChildren(...kept.map(drawItem));
  if (from) focusOn(...from);
  empty.hidden = kept.length > 0;
  empty.textContent = say(words ? 'conversations.nothing_found' : 'conversations.none');
  if (words && kept.length) told.textContent =
    kept.length === 1 ? say('conversations.found_one') : say('conversations.found_many', {count: kept.length});
};
const drawItem = kept => {
  const item = make('li');
  item.dataset.id = kept.id;
  const button = makeButton('', kept.title, () => choose(kept.id), 'open');
  button.removeAttribute('aria-label');
  button.append(make('span', {className: 'title', textContent: kept.title, dir: 'auto'}),
    make('time', {dateTime: new Date(kept.changed).toISOString(), textContent: sayDay(kept.changed)}));
  if (kept.id === current) button.setAttribute('aria-current', 'true');
  const renames = makeButton('', say('conversations.rename_this', {title: kept.title}), () => rename(kept, item), 'rename');
  const deletes = makeButton('', say('conversations.delete_this', {title: kept.title}), () => remove(kept), 'delete');
  renames.append(makeIcon(PENCIL));
  deletes.append(makeIcon(BIN));
  item.append(button, renames, deletes);
  return item;
};
const empty = make('p', {className: 'empty', textContent: say('conversations.none')});
element.append(empty);

// -- the sidebar ------------------------------------------------------------------------------

const sidebar = element.closest('.sidebar');
const handle = sidebar.querySelector('.toggle-button');
const toggle = isOpen => { if (sidebar.classList.contains('open') !== isOpen) handle.click(); };
const describe = () => {
  const isOpen = sidebar.classList.contains('open');
  handle.setAttribute('aria-label', say('conversations.toggle'));
  handle.title = say('conversations.toggle');
  handle.setAttribute('aria-expanded', String(isOpen));
  const content = sidebar.querySelector('.sidebar-content');
  if (content.inert === isOpen) content.inert = !isOpen;
  // Gradio measures by how much the page makes room when it is resized, and its first measure is of an empty page.
  if (isOpen) window.dispatchEvent(new Event('resize'));
};
new MutationObserver(describe).observe(sidebar, {attributes: true, attributeFilter: ['class']});
describe();
document.addEventListener('keydown', event => {
  if (event.key !== 'Escape' || !sidebar.classList.contains('open') || !sidebar.contains(document.activeElement)) return;
  toggle(false);
  handle.focus();
});

// Each is done to its end before the next, in the order in which the server has told them.
let doing = Promise.resolve();
watch('value', () => {
  const {begin: begun, saved, restored, told: sentence} = props.value || {};
  doing = doing.then(async () => {
    if (begun) await begin(begun);
    // A turn that was left before its answer came is not saved yet.
    if (saved && (!restored || saved.count > view.length)) await save(saved);
    if (restored) takeUp(restored);
    if (sentence) tell(sentence);
  }).catch(tellFailure);
});
