// The pages of a document as they look, drawn by the server as they are scrolled to, with boxes over what is cited.
//
// footnote.openPages(scroller, ask, address, pages, hooks) -> {reveal(place), find(places, chosen), zoom(factor), turn(by), close()}
//   pages: {count, ratios}: of each page its width in its height, as far as they are known.
//   hooks: places, choose(numbers), onPage(number), fail(sentence).
{
  const A4 = .7071, SHORT_POINTS = 595, AHEAD = '900px 0px', LARGEST_SCALE = 4, STEP = .5, OVERSAMPLED = 1.5, AGAIN_MILLISECONDS = 2000;

  footnote.openPages = (scroller, ask, address, pages, hooks) => {
    const list = document.createElement('div');
    list.className = 'viewer-pages';
    const ratios = pages.ratios || [];
    const findRatio = number => ratios[number - 1] || ratios.at(-1) || A4;
    const sheets = Array.from({length: pages.count}, (_, index) => {
      const sheet = document.createElement('div');
      sheet.className = 'page';
      sheet.style.aspectRatio = findRatio(index + 1);
      sheet.dataset.page = index + 1;
      return sheet;
    });
    list.append(...sheets);
    scroller.replaceChildren(list);
    let closed = false, current = 0;
    const boxes = new Map(); // by what marks them: a promise of the boxes

    const draw = sheet => {
      const number = Number(sheet.dataset.page);
      // As if its shorter edge were that of a sheet of paper.
      const wanted = Math.min(sheet.clientWidth, sheet.clientHeight) * Math.max(devicePixelRatio, OVERSAMPLED) / SHORT_POINTS;
      const scale = Math.min(LARGEST_SCALE, Math.max(STEP, Math.ceil(wanted / STEP) * STEP));
      const source = address(`page/${number}`, {scale});
      let image = sheet.querySelector('img');
      if (image && image.getAttribute('src') === source) return;
      if (!image) {
        image = document.createElement('img');
        image.alt = footnote.say('viewer.page', {page: number});
        image.decoding = 'async';
        image.addEventListener('error', () => explain(image));
        sheet.prepend(image);
      }
      image.src = source;
    };
    // An image does not say why it failed.
    const explain = async image => {
      const source = image.getAttribute('src');
      const reply = await fetch(source).catch(() => null);
      if (closed || !image.isConnected || image.getAttribute('src') !== source) return;
      if (reply && [200, 503].includes(reply.status)) {
        const again = reply.ok ? 0 : AGAIN_MILLISECONDS; // others are being drawn
        setTimeout(() => { if (image.isConnected) { image.removeAttribute('src'); draw(image.parentElement); } }, again);
      } else hooks.fail(reply ? (await reply.json().catch(() => ({}))).detail : footnote.say('viewer.offline'));
    };
    const near = new IntersectionObserver(entries => {
      const frame = scroller.getBoundingClientRect();
      const far = ({boundingClientRect: box}) => Math.abs(box.top + box.height / 2 - frame.top - frame.height / 2);
      for (const {target, isIntersecting} of entries.sort((one, other) => far(one) - far(other))) {
        target.classList.toggle('near', isIntersecting);
        if (isIntersecting) draw(target);
        else target.querySelector('img')?.remove();
      }
    }, {root: scroller, rootMargin: AHEAD});
    sheets.forEach(sheet => near.observe(sheet));

    const tell = () => {
      const frame = scroller.getBoundingClientRect(), middle = frame.top + frame.height / 2;
      let low = 0, high = sheets.length - 1;
      while (low < high) {
        const between = (low + high) >> 1;
        if (sheets[between].getBoundingClientRect().bottom < middle) low = between + 1; else high = between;
      }
      if (low + 1 !== current) { current = low + 1; hooks.onPage(current); }
    };
    scroller.addEventListener('scroll', tell, {passive: true});

    const put = (box, name, place, isFirst) => {
      const sheet = sheets[box.page - 1];
      if (!sheet) return null;
      const over = document.createElement(place.numbers ? 'button' : 'div');
      over.className = `box ${name}`;
      for (const edge of ['left', 'top', 'width', 'height']) over.style[edge] = `${box[edge] * 100}%`;
      if (place.numbers) {
        over.type = 'button';
        over.dataset.cited = `${place.start}-${place.end}`;
        over.setAttribute('aria-label', footnote.say('viewer.cited', {numbers: place.numbers.join(', '), quote: place.quote}));
        if (isFirst) over.dataset.numbers = place.numbers.join(' ');
        else { over.tabIndex = -1; over.setAttribute('aria-hidden', 'true'); }
        over.addEventListener('click', () => hooks.choose(place.numbers));
      }
      sheet.append(over);
      return over;
    };
    const putBoxes = (name, places) => {
      list.querySelectorAll(`.box.${name}`).forEach(box => box.remove());
      const found = !places.length ? Promise.resolve([]) : ask('boxes', {cited: footnote.nameCited(places)}).then(reply => {
        if (closed || boxes.get(name) !== found) return [];
        const met = new Set();
        return reply.map(box => {
          const key = `${box.start}-${box.end}`;
          const place = places.find(({start, end}) => `${start}-${end}` === key);
          const element = place && put(box, name, place, !met.has(key));
          met.add(key);
          return {key, element};
        }).filter(({element}) => element);
      });
      boxes.set(name, found);
      return found;
    };
    putBoxes('cited', hooks.places).catch(() => {});

    const goTo = page => {
      const sheet = sheets[Math.min(Math.max(page, 1), sheets.length) - 1];
      if (sheet) scroller.scrollTop += sheet.getBoundingClientRect().top - scroller.getBoundingClientRect().top - 8;
      tell();
    };
    return {
      // Show the page at once, and the words on it when it is known where they are.
      async reveal(place) {
        const key = `${place.start}-${place.end}`;
        const name = place.numbers ? 'cited' : 'found';
        if (place.page) goTo(place.page);
        else if (place.numbers) goTo(1);
        const found = (await boxes.get(name).catch(() => [])).filter(box => box.key === key);
        if (closed || !found.length) return null;
        footnote.bringIntoView(scroller, found[0].element.getBoundingClientRect());
        tell();
        return found[0].element;
      },
      find(found, chosen) { putBoxes('found', chosen ? [chosen] : []).catch(() => {}); },
      zoom(factor) {
        const middle = (scroller.scrollTop + scroller.clientHeight / 2) / scroller.scrollHeight;
        const across = (scroller.scrollLeft + scroller.clientWidth / 2) / scroller.scrollWidth;
        list.style.width = `${factor * 100}%`;
        scroller.scrollTop = middle * scroller.scrollHeight - scroller.clientHeight / 2;
        scroller.scrollLeft = across * scroller.scrollWidth - scroller.clientWidth / 2;
        list.querySelectorAll('.near').forEach(draw);
      },
      turn(by) { goTo(current + by); },
      close() {
        closed = true;
        near.disconnect();
        scroller.removeEventListener('scroll', tell);
      },
    };
  };
}
