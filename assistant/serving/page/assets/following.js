// How far the folders are read, in the head of the page: while some of it can be asked about already, and where something
// keeps it from being read. What the server says it is told of itself is shown as text.
(() => {
  const BUSY_MILLISECONDS = 1500, IDLE_MILLISECONDS = 10000;
  const say = told => {
    if (told.activity === 'failed') return told.message;
    if (told.activity === 'stopped') return footnote.say('header.stopped');
    if (!['reading', 'recognising'].includes(told.activity)) return '';
    return footnote.say('header.reading', {left: told.to_read.toLocaleString(), files: told.files.toLocaleString()});
  };
  let counted = '';
  const look = async () => {
    let text = '', isBusy = false, documents = 0, isKnown = true;
    for (const name of document.hidden ? [] : footnote.served.libraries) {
      const told = await fetch(`api/sync?library=${encodeURIComponent(name)}`).then(reply => reply.ok ? reply.json() : null).catch(() => null);
      if (!told) { isKnown = false; continue; }
      // A folder for uploads is empty at first.
      const isExpected = told.activity === 'failed' && footnote.served.libraries.length > 1 && name === footnote.served.uploads?.library;
      text = text || (isExpected ? '' : say(told));
      isBusy = isBusy || ['scanning', 'reading', 'recognising'].includes(told.activity);
      if (told.report) documents += told.report.documents; else isKnown = false;
    }
    const state = document.querySelector('.head .following'), count = document.querySelector('.head .count');
    if (state && state.textContent !== text) state.textContent = text;
    if (count && isKnown && !document.hidden && !isBusy) {
      counted = documents === 1 ? footnote.say('header.documents_one') : footnote.say('header.documents_many', {count: documents.toLocaleString()});
      if (count.textContent !== counted) count.textContent = counted;
    }
    setTimeout(look, isBusy && !document.hidden ? BUSY_MILLISECONDS : IDLE_MILLISECONDS);
  };
  setTimeout(look, BUSY_MILLISECONDS);
})();
