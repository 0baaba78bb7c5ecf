// What scrolls sideways within an answer or a document, code and tables, can be reached by keyboard in every browser.
{
  const REST_MILLISECONDS = 250;
  let waiting = 0;
  const look = () => {
    waiting = 0;
    for (const part of document.querySelectorAll('#conversation .message :is(pre, table), .viewer-text :is(pre, .wide)')) {
      if (part.scrollWidth > part.clientWidth || part.scrollHeight > part.clientHeight) part.tabIndex = 0;
      else part.removeAttribute('tabindex');
    }
  };
  const wait = () => { waiting ||= setTimeout(look, REST_MILLISECONDS); };
  new MutationObserver(wait).observe(document, {childList: true, subtree: true});
  window.addEventListener('resize', wait);
}
