// What can be done with a question or an answer: links "#retry-TURN" in the conversation, and files of all of it.
// Its value, from the server, is a text to give: {key, turn, name, type, text}; without a name it is copied.
const say = (name, fields) => footnote.say(`acts.${name}`, fields);
const wanted = new Map();  // what waits for its text, by its key
let isEditing = false, count = 0;

const told = Object.assign(document.createElement('p'), {className: 'told'});
told.setAttribute('role', 'status');
const tell = text => {
  told.textContent = text;
  setTimeout(() => { if (told.textContent === text) told.textContent = ''; }, 4000);
};
const want = (kind, turn = -1) => new Promise(resolve => {
  wanted.set(`${++count}`, resolve);
  trigger('select', {key: `${count}`, kind, turn});
});
watch('value', () => {
  const given = props.value;
  if (!given || !wanted.has(given.key)) return;
  wanted.get(given.key)(given);
  wanted.delete(given.key);
});

const save = async (kind, turn) => {
  const {name, type, text} = await want(kind, turn);
  const address = URL.createObjectURL(new Blob([text], {type}));
  const link = Object.assign(document.createElement('a'), {href: address, download: name});
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
  tell(say('saved', {name}));
};
const copyOld = text => {  // where the page is not on a safe address
  const area = Object.assign(document.createElement('textarea'), {value: text});
  element.append(area);
  area.select();
  const isDone = document.execCommand('copy');
  area.remove();
  if (!isDone) throw new Error('not copied');
};
const copy = async turn => {
  const text = want('markdown', turn).then(given => given.text);
  try {
    if (!navigator.clipboard || !window.ClipboardItem) copyOld(await text);
    // The text comes later than the click: some browsers copy only what was promised at once.
    else await navigator.clipboard.write([
      new ClipboardItem({'text/plain': text.then(words => new Blob([words], {type: 'text/plain'}))})]);
    tell(say('copied'));
  } catch { tell(say('copy_failed')); }
};

const acts = {
  copy, share: turn => save('html', turn),
  retry: turn => trigger('retry', {turn}), undo: turn => trigger('undo', {turn}),
  edit: turn => {
    isEditing = true;
    trigger('edit', {turn});
    document.querySelector('#question textarea').focus();
  },
};
const act = event => {
  const link = event.target.closest && event.target.closest('#conversation a.act');
  if (!link || (event.type === 'keydown' && event.key !== ' ')) return;
  event.preventDefault(); event.stopPropagation();
  const [name, turn] = link.getAttribute('href').slice(1).split('-');
  if (Object.hasOwn(acts, name)) acts[name](Number(turn));
};
document.addEventListener('click', act, true);
document.addEventListener('keydown', act, true);
document.addEventListener('keydown', event => {
  if (event.key !== 'Escape' || !isEditing || !event.target.closest('#question')) return;
  isEditing = false;
  trigger('edit', {turn: -1});
});

const menu = document.createElement('details'), forms = Object.assign(document.createElement('div'), {className: 'menu'});
menu.append(Object.assign(document.createElement('summary'), {textContent: say('conversation')}), forms);
for (const kind of ['markdown', 'html', 'json']) {
  const button = Object.assign(document.createElement('button'), {type: 'button', textContent: say(kind)});
  button.addEventListener('click', () => { menu.open = false; save(kind); });
  forms.append(button);
}
document.addEventListener('click', event => { if (!menu.contains(event.target)) menu.open = false; });
menu.addEventListener('keydown', event => {
  if (event.key !== 'Escape' || !menu.open) return;
  menu.open = false;
  menu.querySelector('summary').focus();
});
element.replaceChildren(told, menu);
