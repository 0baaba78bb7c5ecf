// Which documents are answered from: a library, and in it all, or those that paths and patterns name.
// Its value, from the server, is what holds now: {library, only}. `footnote:scope` chooses from elsewhere on the page.
const say = (name, fields) => footnote.say(`scope.${name}`, fields);
const served = footnote.served;
const MOST = 50, OFFERED = 12;
let chosen = {library: served.libraries[0], only: []};

const {make} = footnote;
const makeButton = (text, act, label = text) => {
  const button = make('button', {type: 'button', textContent: text});
  button.setAttribute('aria-label', label);
  button.addEventListener('click', act);
  return button;
};
const choose = next => {
  chosen = {library: next.library, only: next.only.slice(0, MOST)};
  trigger('select', {library: chosen.library, only: JSON.stringify(chosen.only)});
  show();
};

const opener = make('button', {type: 'button', className: 'opener'});
const names = make('ul');
const show = () => {
  const {library, only} = chosen, suffix = served.libraries.length > 1 ? '_of' : '';
  opener.textContent = only.length ? say(`some${suffix}`, {count: only.length, library}) : say(`all${suffix}`, {library});
  opener.setAttribute('aria-label', `${say('label')}: ${opener.textContent}`);
  names.replaceChildren(...chosen.only.map(path => make('li', {}, make('span', {textContent: path, dir: 'auto'}),
    makeButton('×', () => choose({...chosen, only: chosen.only.filter(other => other !== path)}), say('remove', {path})))));
};

// -- the dialog -------------------------------------------------------------------------------

const pick = () => {
  let wanted = {library: chosen.library, only: [...chosen.only]};
  const library = make('select', {}, ...served.libraries.map(name => make('option', {value: name, textContent: name, selected: name === wanted.library})));
  const typed = make('input', {type: 'search', maxLength: 300, placeholder: say('filter')});
  const offered = make('ul', {className: 'offered'}), taken = make('ul', {className: 'taken'});
  typed.setAttribute('aria-label', say('filter'));
  const add = path => {
    if (path && !wanted.only.includes(path) && wanted.only.length < MOST) wanted.only.push(path);
    typed.value = '';
    draw();
    offer();
  };
  const draw = () => taken.replaceChildren(...wanted.only.map(path => make('li', {}, make('span', {textContent: path, dir: 'auto'}),
    makeButton('×', () => { wanted.only = wanted.only.filter(other => other !== path); draw(); offer(); }, say('remove', {path})))));
  let asked = 0;
  const offer = async () => {
    const mine = ++asked, query = new URLSearchParams({start: 0, count: 100, sort: 'path', filter: typed.value, library: wanted.library});
    const reply = await fetch(`api/documents?${query}`).then(reply => reply.json()).catch(() => null);
    if (mine !== asked || !reply || !reply.documents) return;
    const paths = reply.documents.filter(row => row.id).map(row => row.path);
    const folders = [...new Set(paths.flatMap(path => path.split('/').slice(0, -1).map((_, place, parts) => parts.slice(0, place + 1).join('/'))))];
    const fitting = [...folders, ...paths].filter(path => !wanted.only.includes(path)).slice(0, OFFERED);
    offered.replaceChildren(...fitting.map(path => make('li', {}, makeButton(folders.includes(path) ? `${path}/` : path, () => add(path)))));
  };
  const form = make('form', {method: 'dialog'}, make('h2', {textContent: say('choose')}));
  if (served.libraries.length > 1) form.append(make('label', {}, say('library'), library));
  form.append(taken, make('div', {className: 'typing'}, typed, makeButton(say('add'), () => add(typed.value.trim()))), offered,
    make('div', {className: 'buttons'}, makeButton(say('clear'), () => { wanted.only = []; dialog.close('done'); }),
      make('button', {type: 'submit', value: 'done', className: 'primary', textContent: say('done')})));
  const dialog = make('dialog', {className: 'asking scope-dialog'}, form);
  library.addEventListener('change', () => { wanted = {library: library.value, only: []}; draw(); offer(); });
  typed.addEventListener('input', offer);
  typed.addEventListener('keydown', event => {
    if (event.key === 'Enter' && typed.value.trim()) { event.preventDefault(); add(typed.value.trim()); }
  });
  dialog.addEventListener('close', () => {
    dialog.remove();
    opener.focus();
    if (dialog.returnValue === 'done') choose(wanted);
  });
  document.body.append(dialog);
  dialog.showModal();
  typed.focus();
  draw();
  offer();
};

opener.addEventListener('click', pick);
element.replaceChildren(opener, names);
document.addEventListener('footnote:scope', event => choose(event.detail));
watch('value', () => { if (props.value && props.value.library) { chosen = props.value; show(); } });
show();
