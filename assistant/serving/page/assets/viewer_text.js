// The text of a document, in windows that are fetched as it is scrolled; what is cited of it is marked in them.
//
// footnote.openText(scroller, ask, places) -> {reveal(place), find(places, chosen), close()}
//   ask(name, fields): what the server says of the document. places: what is cited, each {start, end, numbers}.
// Offsets count characters, of which JavaScript takes some for two.
{
  const MOST_WINDOWS = 5, REACH_PIXELS = 1500, BEFORE_CHARACTERS = 6000, MOST_MARKED = 500;

  footnote.nameCited = places => places.map(({start, end}) => `${start}-${end}`).join(',');

  // Scroll so that a box on the screen stands in the middle, or begins in the upper part where it is too high.
  footnote.bringIntoView = (scroller, box) => {
    const frame = scroller.getBoundingClientRect();
    const room = Math.max(frame.height - box.height, frame.height * .4) / 2;
    scroller.scrollTop += box.top - frame.top - room;
    if (box.left < frame.left || box.right > frame.right) scroller.scrollLeft += box.left - frame.left - 24;
  };

  const countCharacters = text => /[\ud800-\udfff]/.test(text) ? [...text].length : text.length;
  const findUnit = (text, characters) => /[\ud800-\udfff]/.test(text)
    ? [...text].slice(0, characters).join('').length : characters;

  // Where an offset lies: a text node and a place in it.
  const findPoint = (root, offset, isEnd) => {
    let holder = null; // the innermost, which comes last
    for (const element of root.querySelectorAll('[data-start]')) {
      const start = Number(element.dataset.start), end = Number(element.dataset.end);
      if (isEnd ? start < offset && offset <= end : start <= offset && offset < end) holder = element;
    }
    if (!holder) return null;
    let left = offset - Number(holder.dataset.start);
    const walker = document.createTreeWalker(holder, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const length = countCharacters(node.data);
      if (left < length || (isEnd && left === length)) return [node, findUnit(node.data, left)];
      left -= length;
    }
    return null;
  };

  footnote.openText = (scroller, ask, places) => {
    const article = document.createElement('article');
    article.className = 'viewer-text';
    scroller.replaceChildren(article);
    const cited = footnote.nameCited(places);
    let windows = []; // in order, each beginning where the one before ends
    let busy = false, closed = false;
    const marked = new Map(); // by the name of a highlight: places

    const make = part => {
      const element = document.createElement('div');
      element.className = 'window';
      element.innerHTML = part.html; // made by the server, which escapes all that a document says
      for (const table of element.querySelectorAll('table')) {
        const wide = document.createElement('div');
        wide.className = 'wide';
        table.replaceWith(wide);
        wide.append(table);
      }
      for (const mark of element.querySelectorAll('mark.cited[tabindex]')) mark.setAttribute('role', 'button');
      for (const place of places) {
        const mark = element.querySelector(`mark.cited[data-cited~="${place.start}-${place.end}"]`);
        if (mark && Number(mark.dataset.start) <= place.start) mark.dataset.numbers = place.numbers.join(' ');
      }
      return {...part, element};
    };
    const load = async fields => make(await ask('text', {...fields, cited}));
    const keepStill = (anchor, change) => {
      const before = anchor.getBoundingClientRect().top;
      change();
      scroller.scrollTop += anchor.getBoundingClientRect().top - before;
    };
    const isFar = element => {
      const frame = scroller.getBoundingClientRect(), box = element.getBoundingClientRect();
      return box.bottom < frame.top - 2 * REACH_PIXELS || box.top > frame.bottom + 2 * REACH_PIXELS;
    };
    const drop = window => { window.element.remove(); windows = windows.filter(other => other !== window); };
    const paint = () => {
      if (!window.CSS || !CSS.highlights) return;
      for (const [name, found] of marked) {
        const ranges = found.filter(({start, end}) => windows.some(w => start < w.end && end > w.start)).slice(0, MOST_MARKED);
        CSS.highlights.set(name, new Highlight(...ranges.map(locate).filter(Boolean)));
      }
    };
    const extend = async () => {
      if (busy || closed) return;
      busy = true;
      try {
        while (!closed && windows.length) {
          const first = windows[0], last = windows.at(-1);
          const isBelow = last.has_after && scroller.scrollTop + scroller.clientHeight > scroller.scrollHeight - REACH_PIXELS;
          const isAbove = !isBelow && first.has_before && scroller.scrollTop < REACH_PIXELS;
          if (!isBelow && !isAbove) return;
          const next = await load(isBelow ? {start: last.end} : {end: first.start});
          if (closed || windows[0] !== first || windows.at(-1) !== last || next.start === next.end) return;
          if (isBelow) {
            windows.push(next);
            article.append(next.element);
            if (windows.length > MOST_WINDOWS && isFar(first.element)) keepStill(last.element, () => drop(first));
          } else {
            keepStill(first.element, () => { windows.unshift(next); article.prepend(next.element); });
            if (windows.length > MOST_WINDOWS && isFar(last.element)) drop(last);
          }
          paint();
        }
      } catch { /* what was loaded stays; the next scroll tries again */ } finally { busy = false; }
    };
    const jump = async offset => {
      const window = await load({start: Math.max(0, offset - BEFORE_CHARACTERS)});
      if (closed) return;
      windows = [window];
      article.replaceChildren(window.element);
      scroller.scrollTop = 0;
      paint();
    };
    const locate = ({start, end}) => {
      const from = findPoint(article, start, false), to = findPoint(article, end, true);
      if (!from || !to) return null;
      const range = document.createRange();
      range.setStart(...from);
      range.setEnd(...to);
      return range;
    };
    // Scroll to a place; gives the mark that stands there, where it is a cited one.
    const reveal = async place => {
      const holds = windows.some(w => w.start <= place.start && (place.start < w.end || !w.has_after));
      if (!holds) await jump(place.start);
      if (closed) return null;
      const mark = article.querySelector(`mark.cited[data-cited~="${place.start}-${place.end}"]`);
      const shown = mark || (place.end > place.start ? locate(place) : null);
      if (shown) {
        footnote.bringIntoView(scroller, shown.getBoundingClientRect());
        const wide = (mark || shown.startContainer.parentElement).closest('.wide');
        if (wide) {
          const box = shown.getBoundingClientRect(), frame = wide.getBoundingClientRect();
          if (box.left < frame.left || box.right > frame.right) wide.scrollLeft += box.left - frame.left - 40;
        }
      } else scroller.scrollTop = 0;
      await extend();
      return mark;
    };
    scroller.addEventListener('scroll', extend, {passive: true});
    return {
      reveal,
      find(found, chosen) {
        marked.set('footnote-found', found);
        marked.set('footnote-found-chosen', chosen ? [chosen] : []);
        paint();
      },
      close() {
        closed = true;
        scroller.removeEventListener('scroll', extend);
        for (const name of marked.keys()) CSS.highlights?.delete(name);
      },
    };
  };
}
