// footnote.say("viewer.next", {count: 3}): a string of the page, with its fields filled in. It is text, never HTML.
window.footnote.say = (name, fields = {}) => {
  const [section, key] = name.split('.');
  return window.footnote.strings[section][key].replace(/\{(\w+)\}/g, (whole, field) => String(fields[field] ?? whole));
};

// footnote.make("li", {className: "name"}, child, …): an element, with its properties and what stands in it.
window.footnote.make = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

// footnote.owner: who is logged in, by whose name conversations are kept; "" where nobody logs in.
window.footnote.owner = window.gradio_config?.username ?? '';
