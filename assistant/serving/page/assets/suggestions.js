// Questions to ask, each a button. `footnote:ask` asks one too, from wherever on the page.
// At first they are being made, as the documents are being read: it is looked for them again.
const LOOK_MILLISECONDS = 4000;
let looks = 30;
const show = () => {
  const questions = (props.value && props.value.questions) || [];
  element.replaceChildren();
  if (!questions.length) {
    if (!props.value || !props.value.is_first || --looks < 0) return;
    element.append(Object.assign(document.createElement('p'), {className: 'looking', textContent: footnote.say('asking.looking')}));
    setTimeout(() => trigger('input', {}), LOOK_MILLISECONDS);
    return;
  }
  const list = document.createElement('ul');
  list.setAttribute('aria-label', footnote.say('asking.examples'));
  for (const question of questions) {
    const button = document.createElement('button');
    button.type = 'button';
    button.textContent = question;
    button.addEventListener('click', () => trigger('select', {question}));
    const item = document.createElement('li');
    item.append(button);
    list.append(item);
  }
  element.append(list);
};
watch('value', show);
show();
document.addEventListener('footnote:ask', event => trigger('select', {question: event.detail.question}));
