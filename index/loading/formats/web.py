"""Web pages: the main text, without navigation, cookie notices and teasers, in the structure that the page gives it.

trafilatura finds the main text, and flattens it; so its words only tell which of the page's own elements are written.
Of a page that is no article (a price list, opening hours, a form), it finds a part or takes the menus along: then all
is written but what the page itself marks as a menu, a footer, a notice.
"""

from __future__ import annotations

import codecs
import contextlib
import re
from collections.abc import Mapping, Sequence
from itertools import chain, islice, pairwise
from typing import TYPE_CHECKING, Any

from index.loading.formats import Extract
from index.loading.formats.archive import whole_number
from index.loading.formats.asides import describe_picture
from index.loading.formats.blocks import Blocks, raise_text, tidy
from index.loading.formats.fields import read_author, read_date, read_title
from index.loading.formats.grid import Cell
from index.loading.formats.text import count_broken, decode, decode_as, find_encoding, say_broken

if TYPE_CHECKING:
    from lxml.etree import _Element

# What the library's own tree can take, before it drops what is deeper, or takes time that grows with the square.
_DEEPEST = 250  # elements within elements
_MOST_ATTRIBUTES = 1_000  # of one element
_SHORTEST_MAIN = 200  # characters of main text that are enough, or else a fifth of all the visible text
# Beyond these, finding the main text takes minutes; beyond the first, so does comparing it with other ways to find it.
_MOST_COMPARED = 5_000  # elements
_MOST_FOR_MAIN = 12_000  # elements
_MOST_ATTRIBUTES_FOR_MAIN = 100_000  # of all elements
_LARGEST_FOR_MAIN = 8_000_000  # bytes
_MOST_COMPARED_CHARACTERS = 2_000_000  # of main text that the page's elements are compared with
_TITLE_CHARACTERS = 2_000  # of a heading that are looked at, its white space included

# A date that the page gives, and none that is guessed from numbers in the text.
_DATE_OPTIONS = {"extensive_search": False, "original_date": True}

_SURROUNDINGS = re.compile(
    r"nav|menu|cookie|consent|footer|sidebar|banner|related|comment|share|teaser|breadcrumb", re.I
)
# Names of elements about the main text: of some whatever they hold, of others where most of it is links, since a
# menu may be one of dishes.
_NOTICES = re.compile(
    r"cookie|consent|gdpr|newsletter|breadcrumb|skip-?(?:link|nav|to)|site-?footer|share-?buttons", re.I
)
_MENUS = re.compile(
    r"nav|menu|sidebar|banner|related|share|social|teaser|pagination|pager|footer|header|toc\b|tags?\b", re.I
)
_ROLES = frozenset("navigation banner contentinfo search dialog alertdialog menu menubar".split())
_MAIN = frozenset("main article section blockquote".split())
_ARTICLE_CHARACTERS = 1_000  # of main text, of which half of the page or more is one; of any page:
_LONG_ARTICLE_CHARACTERS = 3_000
_COLUMNS = frozenset("td div section".split())  # of a page beside an article, of so many links and hardly more:
_COLUMN_LINKS = 5
_MANY_LINKS = 10  # that lead elsewhere; where they make up a tenth of the page, some are menus
_LINK_CHARACTERS = 25  # of a link in a menu, at most on the average
_STRUCTURES = frozenset("table dl pre ul ol figure figcaption blockquote details address".split())

_SPACES = re.compile(r"\s+")
_BYLINE = re.compile(r"(?:by|von|par|de|av|door|written by|author|autor|auteur)\b[ :]*+", re.IGNORECASE)
_BYLINE_CHARACTERS = 500  # of the main text, in which a byline stands

# Names of elements that stand by twos.
_LABELS = re.compile(r"label|term|key|caption|question|\b(?:name|title|dt|th)\b", re.IGNORECASE)
_VALUES_NAMED = re.compile(r"value|val\b|data|desc|detail|answer|definition|\b(?:content|text|dd|td)\b", re.IGNORECASE)
_WORDS = re.compile(r"\w+")
_FENCE = re.compile(r"\s*(?:```|~~~)")
_LAYOUT_CHARACTERS = 300  # of a cell in a row of a table that lays a page out
_PROSE_WORDS = 7  # on a line of a text that is set in its lines, and is no code

_MOST_RAISED = 100_000  # elements of raised or lowered characters that are set apart,
_MOST_RAISED_CHARACTERS = 50_000_000  # and what stands before them, which is looked at for each
_NOTE_MARK = re.compile(r"[\[(]?(?:\d{1,4}|[a-z]|[*†‡§]{1,3}|(?:note|nb) ?\d{1,3})[\])]?", re.IGNORECASE)
_MARKS = re.compile(r"\b(?:logo|icon|avatar|banner|spacer)\W*\Z", re.IGNORECASE)  # of pictures that show nothing
_COPYRIGHT = re.compile(r"©|\(c\) |&copy;|copyright|all rights reserved|alle rechte vorbehalten|tous droits", re.I)
_FACT = re.compile(r"\d{3}")
_SMALL_CHARACTERS = 4_000  # of a page, of which the header and the footer may hold facts:
_MARGIN_CHARACTERS = 600  # at most so much of them

_UNSEEN = frozenset("title script style noscript template iframe object svg canvas button datalist nav".split())
_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}
_ANOTHERS = frozenset({"a", "pre", "label", "dt", *_HEADINGS})  # elements of which a picture is only a part
_ITEMS = frozenset("li dt dd".split())
_LISTS = frozenset("ul ol dl".split())
_CELLS = frozenset("td th".split())
_BREAKS = frozenset("br hr".split())
_VALUES = frozenset("text number date datetime-local month week time email tel url color range".split())  # of <input>
_RAISED = ("sup", "sub")
_CODE = frozenset("script style template".split())
_INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite code data del dfn em font i img input ins kbd label mark option optgroup output "
    "q ruby s samp select small span strike strong sub sup textarea time tt u var wbr o:p".split()
)


def read_page(content: bytes) -> Extract:
    """The main text of a web page, its title, author (as a first item) and date."""
    import lxml.etree
    import trafilatura

    text = decode_page(content)
    visible = Blocks()
    tree, survey = write_page(text, visible)
    visible.miss(say_broken(count_broken(content, text)))
    if tree is None:
        return Extract(visible.text, unread=visible.unread)
    found: Any = None
    if len(content) <= _LARGEST_FOR_MAIN and survey.is_fit_for_main:
        given = _parse(text)
        # What is merged would be filled in time that grows with the square.
        for cell in given.iter("td", "th"):
            for span in ("rowspan", "colspan"):
                cell.attrib.pop(span, None)
        # Its heuristics stumble over some pages; then the visible text serves.
        with contextlib.suppress(lxml.etree.LxmlError, ValueError, TypeError, AttributeError, RecursionError):
            found = trafilatura.bare_extraction(
                given,
                fast=not survey.is_small,
                with_metadata=True,
                include_comments=False,
                date_extraction_params=_DATE_OPTIONS,
            )
    title = _find_title(tree, (found and found.title) or "")
    author = read_author((found and found.author) or "")
    if _has_surroundings(tree):
        _hide_surroundings(tree)
        words = " ".join(map(str, found.body.itertext())) if found is not None and found.body is not None else ""
        if words and len(words) <= _MOST_COMPARED_CHARACTERS:
            _hide_around(tree, words)
    main = Blocks()
    _Renderer(main, title, author).render(tree)
    if main.length < min(_SHORTEST_MAIN, visible.length // 5) or not main.length:
        return Extract(visible.text, title or None, read_date((found and found.date) or ""), unread=visible.unread)
    whole = Blocks()
    if author not in main.text[:_BYLINE_CHARACTERS]:
        whole.author(author)
    whole.heading(title)
    _Renderer(whole, title, author).render(tree)
    return Extract(whole.text, title or None, read_date((found and found.date) or ""), unread=visible.unread)


def write_page(text: str, blocks: Blocks) -> tuple[_Element | None, _Survey]:
    """Write all the visible text of a page; give its tree, where one can be made of it, and what it is made of."""
    survey = _Survey()
    try:
        _parse(text, survey)
    except _TooMuchError:
        _parse(text, _Writer(blocks))
        return None, survey
    tree = _parse(text)
    if tree is not None:
        _set_apart(tree)
        _Renderer(blocks).render(tree)
    return tree, survey


def _set_apart(tree: _Element) -> None:
    """Write raised and lowered characters so that they do not become part of the number or word before them: "10^3",
    "85 m²", "H2O"; the marks of notes are left out.
    """
    left = _MOST_RAISED_CHARACTERS
    for element in [*islice(tree.iter(*_RAISED), _MOST_RAISED)]:
        before, text = _find_before(element), "".join(map(str, element.itertext())).strip()
        left -= len(before) + len(text)  # which grow as what is raised is joined with them
        if left < 0:
            return
        if text and _NOTE_MARK.fullmatch(text) and any(_is_note(link) for link in (element, *element.iter("a"))):
            for part in element.iter():
                part.text = None
                part.tail = part.tail if part is element else None
            continue
        element.text, raised = element.text or "", _name_of(element) == "sup"
        mark, said = raise_text(before[-20:], text, is_raised=raised)
        if len(element) == 0:
            element.text = mark + said
        else:
            element.text = mark + element.text


def _is_note(element: _Element) -> bool:
    around = element.getparent()
    links = (element, around) if around is not None else (element,)
    return any(_name_of(link) == "a" and (link.get("href") or "").startswith("#") for link in links)


def _find_before(element: _Element) -> str:
    """What stands just before an element on its line."""
    while _name_of(element) in _INLINE:
        previous, around = element.getprevious(), element.getparent()
        if previous is not None:
            if previous.tail or _name_of(previous) not in _INLINE:
                return previous.tail or ""
            return "".join(map(str, previous.itertext()))
        if around is None or around.text:
            return (around.text if around is not None else "") or ""
        element = around
    return ""


def _find_title(tree: _Element, title: str) -> str:
    """The page's one heading of level 1, where there is one of several words; it names no site, as the title may."""
    headings = {_find_words(heading) for heading in islice(tree.iter("h1"), 20)} - {""}
    only = min(headings) if len(headings) == 1 else ""
    is_long = len(only.split()) > 2 and len(only) <= 300
    named = tree.findtext(".//title") or ""
    if not headings and read_title(named) and title in map(_find_words, islice(tree.iter("h2", "h3", "h4"), 20)):
        title = ""  # of a part of the page
    candidates = (only if is_long else "", title, named, only)
    return next(filter(None, map(read_title, candidates)), "")


def _find_words(heading: _Element) -> str:
    pieces: list[str] = []
    length = 0
    for piece in heading.itertext():
        pieces.append(str(piece))
        length += len(piece)
        if length > _TITLE_CHARACTERS:
            break
    return " ".join(tidy("".join(pieces)).split())


def _has_surroundings(tree: _Element) -> bool:
    """Whether there is anything about the main text to leave out; a report saved as a page is all main text."""
    if next(tree.iter("nav", "header", "footer", "aside", "form", "script", "iframe"), None) is not None:
        return True
    names = (f"{element.get('id', '')} {element.get('class', '')}" for element in tree.iter("div", "section", "ul"))
    if any(_SURROUNDINGS.search(name) for name in names):
        return True
    size = _measure(tree)[tree]
    return size.outward >= _MANY_LINKS and size.linked * 10 >= size.whole


class _Size:
    """How many characters of text an element holds: of all, in links, and of those that the main text has too."""

    __slots__ = ("kept", "linked", "links", "outward", "whole")

    def __init__(self) -> None:
        self.whole = self.linked = self.kept = 0
        self.links = self.outward = 0  # how many links, and how many of them lead out of the page

    @property
    def is_links(self) -> bool:
        """Whether most of it is links."""
        return self.linked * 2 > self.whole


def _measure(tree: _Element, main: str | None = None) -> dict[_Element, _Size]:
    """The sizes of all elements that are seen."""
    import lxml.etree

    known = None if main is None else _find_runs(main)
    sizes: dict[_Element, _Size] = {}
    opened: list[tuple[_Element, _Size]] = []
    links = 0

    def count(text: str | None) -> None:
        words = _WORDS.findall(text.casefold()) if text else ()
        if words and opened:
            length = sum(map(len, words))
            size = opened[-1][1]
            size.whole += length
            size.linked += length if links else 0
            size.kept += length if known is not None and _is_known(words, known) else 0

    walker = lxml.etree.iterwalk(tree, events=("start", "end", "comment", "pi"))
    for event, element in walker:
        if event == "start":
            name = _name_of(element)
            sizes[element] = size = _Size()
            opened.append((element, size))
            if name in _UNSEEN or _is_hidden(element.attrib):
                walker.skip_subtree()
            else:
                links += name == "a"
                size.links += name == "a"
                size.outward += name == "a" and not (element.get("href") or "").startswith("#")
                count(element.text)
            continue
        if event == "end":
            _, size = opened.pop()
            if _name_of(element) == "a" and not _is_hidden(element.attrib):
                links -= 1
            if opened:
                around = opened[-1][1]
                around.whole += size.whole
                around.linked += size.linked
                around.links += size.links
                around.outward += size.outward
                around.kept += size.kept
        if element is not tree:
            count(element.tail)
    return sizes


def _find_runs(text: str) -> set[int]:
    """The runs of one, two and three words of a text."""
    words = _WORDS.findall(text.casefold())
    runs = set(map(hash, words))
    runs.update(map(hash, pairwise(words)))
    runs.update(map(hash, zip(words, words[1:], words[2:], strict=False)))
    return runs


def _is_known(words: Sequence[str], runs: set[int]) -> bool:
    """Whether most of the runs of some words are among those of the main text."""
    if len(words) == 1:
        return hash(words[0]) in runs
    made = [*zip(words, words[1:], *([words[2:]] if len(words) > 2 else []), strict=False)]
    return sum(hash(run) in runs for run in made) * 10 > len(made) * 6


def _hide_surroundings(tree: _Element) -> None:
    """Hide what the page itself marks as menus, headers, footers and notices, and a row of links above its heading."""
    sizes = _measure(tree)
    whole = sizes[tree].whole
    headings = sum(1 for _ in tree.iter("h1", "h2"))
    seen_headings = 0
    for element, size in sizes.items():
        name = _name_of(element)
        seen_headings += name in {"h1", "h2"}
        if not size.whole or name in _INLINE or name in {"html", "body"}:
            continue
        # Nothing but links: short ones above the first heading, or a table of contents.
        is_menu = size.linked * 10 >= size.whole * 9 and (
            (
                headings > seen_headings == 0
                and name in {"ul", "ol", "div", "p"}
                and size.links > (0 if name in _LISTS else 2)
                and size.whole <= size.links * _LINK_CHARACTERS
            )
            or (size.links > 0 == size.outward and name not in _HEADINGS and name not in _CELLS)
        )
        if is_menu or _is_surrounding(tree, element, name, size, whole):
            element.set("hidden", "")


def _is_surrounding(tree: _Element, element: _Element, name: str, size: _Size, whole: int) -> bool:
    is_in_main = next(element.iterancestors(*_MAIN), None) is not None
    if name in {"header", "footer"} or element.get("role") in {"banner", "contentinfo"}:
        tells = whole <= _SMALL_CHARACTERS and size.whole <= _MARGIN_CHARACTERS and not size.is_links
        if tells and next(element.iter("h1", "h2", "h3"), None) is None:
            _hide_copyright(element)
            is_footer = name == "footer" or element.get("role") == "contentinfo"
            if is_footer and next(tree.iter("h2", "h3"), None) is not None and _measure(element)[element].whole:
                _head(element, "Footer")
            return False
    if name == "footer":
        return not is_in_main or size.is_links
    if element.get("role") in _ROLES:
        return True
    if size.whole * 2 > whole:
        return False  # whatever it is called
    if name == "header":
        return next(element.iter("h1", "h2", "h3"), None) is None and (not is_in_main or size.is_links)
    if name == "aside":
        return not is_in_main or size.is_links
    named = f"{element.get('id', '')} {element.get('class', '')}"
    return bool(_NOTICES.search(named)) or (size.is_links and bool(_MENUS.search(named)))


def _head(element: _Element, words: str) -> None:
    """Put a heading above what an element holds, which is not of the part before it."""
    heading = element.makeelement("h2", {})
    heading.text, heading.tail, element.text = words, element.text, None
    element.insert(0, heading)


def _hide_copyright(margin: _Element) -> None:
    """Hide the lines of a header or footer that only say whose the page is."""
    for element in [*margin.iter()]:
        if not isinstance(element.tag, str) or any(_name_of(child) not in {*_INLINE, *_BREAKS} for child in element):
            continue
        text = "".join(map(str, element.itertext()))
        if _COPYRIGHT.search(text) and not _FACT.search(re.sub(r"\b(?:19|20)\d\d\b", "", text)):
            element.set("hidden", "")


def _hide_around(tree: _Element, main: str) -> None:
    """Hide what stands about the main text: of an article whatever is not in it, but for tables, lists and the like
    in its midst; of any other page only what is mostly links and not in it."""
    sizes = _measure(tree, main)
    all_of_it = sizes[tree]
    rest = all_of_it.whole - all_of_it.kept
    is_article = all_of_it.kept >= _ARTICLE_CHARACTERS and (
        all_of_it.kept >= min(all_of_it.whole // 2, _LONG_ARTICLE_CHARACTERS) or (all_of_it.linked * 2 > rest)
    )
    scope = tree
    while True:
        inner = [child for child in scope if child in sizes and sizes[child].kept * 10 >= all_of_it.kept * 9]
        if not inner or not all_of_it.kept:
            break
        scope = inner[0]
    inside = set(scope.iter())
    waiting = [tree]
    headings: list[_Element] = []
    while waiting:
        element = waiting.pop()
        for child in element:
            size = sizes.get(child)
            name = _name_of(child)
            if size is None or not size.whole or name in _INLINE:
                continue
            if is_article and name in {"div", "p"} and size.linked == size.whole <= size.links * _LINK_CHARACTERS:
                child.set("hidden", "")  # its few words may stand in the main text by chance
                continue
            if is_article and name in _COLUMNS and size.links >= _COLUMN_LINKS and size.linked * 10 >= size.whole * 8:
                child.set("hidden", "")  # which the main text may hold too, since tables lay pages out
                continue
            # A table that holds most of the page lays it out.
            is_frame = name not in _STRUCTURES or size.whole * 2 > all_of_it.whole
            if size.kept * 10 >= size.whole * 9 and not (is_article and is_frame and len(child)):
                continue
            if size.kept * 10 > size.whole and len(child) and name not in _CELLS:
                waiting.append(child)
            elif size.kept * 2 >= size.whole:
                continue
            elif not is_article:
                if size.links > 2 and size.is_links:
                    child.set("hidden", "")
            elif name in _HEADINGS and child in inside:
                headings.append(child)
            elif size.is_links or child not in inside or not _has_structure(child):
                child.set("hidden", "")
    for heading in reversed(headings):
        following = next(heading.itersiblings(), None)
        if following is None or _is_hidden(following.attrib):
            heading.set("hidden", "")


def _has_structure(element: _Element) -> bool:
    return next(element.iter(*_STRUCTURES), None) is not None


def decode_page(content: bytes) -> str:
    """The text of a page's file: by its byte order mark, else in the encoding that it declares where that works."""
    declared = re.search(rb"<meta[^>]{0,200}charset=[\"']?\s*([\w-]+)", content[:4096], re.IGNORECASE)
    if declared and not content.startswith(codecs.BOM_UTF8) and not find_encoding(content):
        with contextlib.suppress(LookupError, ValueError):
            return decode_as(content, declared[1].decode("ascii"))
    return decode(content)


class _TooMuchError(Exception):
    """A page of which the library would drop what is deep, or take time that grows with the square."""


class _Survey:
    """What a page is made of: a parser's target that only counts. Raises _TooMuchError."""

    def __init__(self) -> None:
        self._elements = self._attributes = self._depth = 0

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._elements += 1
        self._attributes += len(attributes)
        self._depth += 1
        if self._depth > _DEEPEST or len(attributes) > _MOST_ATTRIBUTES:
            raise _TooMuchError

    def end(self, tag: str) -> None:
        self._depth -= 1

    def close(self) -> None:
        """Called at the page's end."""

    @property
    def is_small(self) -> bool:
        """Whether several ways to find the main text can be compared."""
        return self._elements <= _MOST_COMPARED

    @property
    def is_fit_for_main(self) -> bool:
        """Whether the main text can be found in good time."""
        return self._elements <= _MOST_FOR_MAIN and self._attributes <= _MOST_ATTRIBUTES_FOR_MAIN


def _parse(text: str, target: object = None) -> Any:
    """The tree of a page, however ill-formed, or None where nothing is in it or a target is told instead."""
    import lxml.etree
    import lxml.html

    # A declaration of another encoding must not be believed once the text is decoded.
    text = re.sub(r"\A\s*+(?:\ufeff\s*+)?<\?xml[^>]*\?>", "", text).replace("\x00", "").lstrip("\ufeff")
    parser = lxml.html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=True, target=target)
    try:
        content = text.encode("utf-8", "replace")
        return lxml.etree.fromstring(content, parser) if target else lxml.html.document_fromstring(content, parser)
    except (lxml.etree.LxmlError, ValueError):
        return None


class _Renderer:
    """Writes the visible text of a tree, but for a heading and a byline that say what was already said."""

    def __init__(self, blocks: Blocks, skipped_heading: str = "", skipped_author: str = "") -> None:
        self._blocks = blocks
        self._skipped = skipped_heading
        self._author = skipped_author
        self._line: list[str] = []
        # The elements around: the name or "" where it is not shown, the lists around, and whether it is inline.
        self._opened: list[tuple[str, int, bool]] = [("#document", 0, True)]
        self._numbers: list[tuple[int, int] | None] = []  # of the lists around: the next number, and the step
        self._number = ""  # of the item that begins
        self._terms: list[str] = []  # of a list of definitions, with the definitions that were read of them
        self._definitions: list[str] = []
        self._quotes = 0
        self._filled = False  # whether the line ends with what a form's field holds
        self._pictures: set[str] = set()
        self._level = 1  # of the last heading

    def render(self, tree: _Element) -> None:
        import lxml.etree

        walker = lxml.etree.iterwalk(tree, events=("start", "end", "comment", "pi"))
        for event, element in walker:
            if event == "start":
                name = _name_of(element)
                rows: list[list[Cell]] = []
                if name in {"table", "tr"} and not _is_hidden(element.attrib):
                    rows = _find_rows(element) if name == "table" else _find_row(element)
                pair = "" if rows or name in _INLINE or name in _LISTS else _find_pair(element)
                if pair and not _is_hidden(element.attrib):
                    for child in element:
                        child.set("hidden", "")
                    element.text = pair
                if self._open(name, element.attrib, rows or name in _UNSEEN or _is_hidden(element.attrib)):
                    self._begin(name, element.attrib)
                    self._write(element.text)
                else:
                    walker.skip_subtree()
                if rows:
                    self._define()
                    self._blocks.table(rows, skips=True, goes_on=name == "tr")
                continue
            if event == "end":
                self._close()
            if element is not tree:
                self._write(element.tail)
        self._end()

    def _open(self, name: str, attributes: Mapping[str, str], is_skipped: object) -> bool:
        """Begin an element. Returns whether its text is to be written."""
        around, lists, _ = self._opened[-1]
        is_inline = around in {"#document", "pre"} or name in _INLINE or name in _BREAKS
        if name == "option" and "selected" not in attributes:
            is_skipped = True
        if not is_inline:
            if self._line:
                self._flush(around, lists)
            # A paragraph within a list's item is the item.
            name = around if around in _ITEMS and name in {"p", "div"} else name
            lists += name in _LISTS
        elif around == "pre":
            name = "pre" if name not in _BREAKS else name
        if name in _BREAKS:
            self._line.append("\n")
        self._opened.append(("" if is_skipped else name, lists, is_inline))
        return not is_skipped

    def _begin(self, name: str, attributes: Mapping[str, str]) -> None:
        """Note what an element's own attributes and place say of it."""
        if name in _LISTS:
            step = -1 if "reversed" in attributes else 1
            start = _whole(attributes.get("start"), 1)
            self._numbers.append((start, step) if name == "ol" and (step > 0 or "start" in attributes) else None)
        elif name == "li" and self._numbers and (numbered := self._numbers[-1]):
            number, step = _whole(attributes.get("value"), numbered[0]), numbered[1]
            self._numbers[-1] = number + step, step
            self._number = f"{number}. "
        elif name == "li":
            self._number = ""
        elif name == "dt" and self._definitions:
            self._define()
        elif name == "dd":
            self._definitions.append("")
        elif name == "blockquote":
            self._quotes += 1
        elif name == "img":
            self._tell_picture(attributes)
        elif name == "label" and self._filled:
            self._line.append("\n")
            self._filled = False
        elif name == "input":
            kind = (attributes.get("type") or "text").lower()
            if kind in {"checkbox", "radio"}:
                self._line.append("\n☑ " if "checked" in attributes else "\n☐ ")
            elif kind in _VALUES:
                self._fill_in(attributes.get("value") or "")

    def _fill_in(self, value: str) -> None:
        """Write what a form's field holds after its label."""
        before = "".join(self._line).rstrip()
        if value.strip():
            mark = "\n" if self._filled else " " if not before or before.endswith(":") else ": "
            self._line = [before, mark, value]
            self._filled = True

    def _tell_picture(self, attributes: Mapping[str, str]) -> None:
        """Write what a picture is said to show, where it is said in words, once; that of a link says where it leads."""
        words = " ".join((attributes.get("alt") or "").split())
        is_told = len(words.split()) > 1 and len(words) <= _LAYOUT_CHARACTERS and not _MARKS.search(words)
        is_told = is_told and words.casefold() not in self._pictures and words.casefold() != self._skipped.casefold()
        if is_told and _ANOTHERS.isdisjoint(name for name, _, _ in self._opened) and not attributes.get("role"):
            self._pictures.add(words.casefold())
            told = describe_picture(words)
            self._line.append(f"\n{told}\n" if told else "")

    def _close(self) -> None:
        name, lists, is_inline = self._opened.pop()
        if self._line and not is_inline:
            self._flush(name, lists)
        if name == "blockquote":
            self._quotes -= 1
        elif name in _LISTS:
            if name == "dl":
                self._define()
            if self._numbers:
                self._numbers.pop()

    def _write(self, text: str | None) -> None:
        name = self._opened[-1][0]
        if text and name in {"textarea", "option"}:
            self._fill_in(_SPACES.sub(" ", text))
        elif text:
            self._filled = self._filled and not text.strip()
            self._line.append(text if name == "pre" else _SPACES.sub(" ", text))

    def _define(self) -> None:
        """Write the terms that were read, with their definitions."""
        terms, definitions = ", ".join(self._terms), "; ".join(filter(None, self._definitions))
        self._terms, self._definitions = [], []
        if terms or definitions:
            parting = ": " if terms and definitions and not terms.endswith(":") else " "
            self._blocks.item(f"{terms}{parting}{definitions}")

    def _flush(self, name: str, lists: int) -> None:
        line, self._line = "".join(self._line), []
        self._filled = False
        text = tidy(line)
        if not any(character.isalnum() for character in text):
            return
        if name == "dt" and lists:
            self._terms.append(text)
            return
        if name == "dd" and self._definitions:
            self._definitions[-1] = f"{self._definitions[-1]} {text}".strip()
            return
        self._define()
        if name in _HEADINGS or name == "summary":
            # A summary is the heading of what it hides, below the last one.
            level = _HEADINGS.get(name, min(self._level + 1, 6))
            self._level = _HEADINGS.get(name, self._level)
            if text.replace("\n", " ").casefold() != self._skipped.casefold():
                self._blocks.heading(text, level)
        elif name == "pre":
            self._blocks.verbatim(_fence(line))
        elif name in _ITEMS:
            self._blocks.item(f"{self._number}{text}", max(0, lists - 1))
            self._number = ""
        elif self._quotes:
            self._blocks.quote(text)
        elif not self._author or _BYLINE.sub("", text, count=1).casefold() != self._author.casefold():
            self._blocks.paragraph(text)

    def _end(self) -> None:
        self._flush("p", 0)
        self._define()


class _Writer(_Renderer):
    """Writes the visible text of a page while it is parsed, whatever its depth; the cells of tables are paragraphs."""

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if self._open(tag, attributes, not self._opened[-1][0] or tag in _UNSEEN or _is_hidden(attributes)):
            self._begin(tag, attributes)

    def end(self, tag: str) -> None:
        self._close()

    def data(self, text: str) -> None:
        if self._opened[-1][0]:
            self._write(text)

    def close(self) -> None:
        """Called at the page's end."""
        self._end()


def _fence(text: str) -> str:
    """A text that is set in its lines, as a block of code unless it is prose."""
    lines = [line.rstrip() for line in text.expandtabs(4).strip("\r\n").splitlines()]
    filled = [line for line in lines if line]
    words = sum(word.isalpha() for line in filled for word in line.replace(",", "").replace(".", "").split())
    if any(map(_FENCE.match, lines)) or words >= _PROSE_WORDS * len(filled):
        return "\n".join(lines)
    return "\n".join(["```", *lines, "```"])


def _whole(value: str | None, otherwise: int) -> int:
    return int(value) if value and re.fullmatch(r"-?[0-9]{1,9}", value.strip()) else otherwise


def _name_of(element: _Element) -> str:
    """The element's name; empty for comments and the like."""
    return element.tag.lower() if isinstance(element.tag, str) else ""


def _is_hidden(attributes: Mapping[str, str]) -> bool:
    style = (attributes.get("style") or "").replace(" ", "").lower()
    return "hidden" in attributes or "display:none" in style or "visibility:hidden" in style


def _find_rows(table: _Element) -> list[list[Cell]]:
    """The cells of a table that holds data, row by row; empty where it only lays a page out, as many do.

    What stands outside its cells, as a caption does, is a first row of its own.
    """
    import lxml.etree

    rows: list[list[Cell]] = []
    groups: list[_Element | None] = []  # the <tbody> or the like around each row
    cell: _Element | None = None
    outside: list[str] = []
    pieces = outside
    walker = lxml.etree.iterwalk(table, events=("start", "end", "comment", "pi"))
    for event, element in walker:
        name = _name_of(element)
        if event == "start":
            if (name == "table" and element is not table) or (name == "tr" and cell is not None):
                return []
            if name == "tr":
                rows.append([])
                groups.append(element.getparent())
            elif name in _CELLS and rows and cell is None:
                cell, pieces = element, []
            if name in _CODE:
                walker.skip_subtree()
            elif element.text:
                pieces += ("" if name in _RAISED else " ", element.text)
            continue
        if cell is not None and element is cell:
            is_header = name == "th"
            spans = whole_number(cell, "rowspan", 1), whole_number(cell, "colspan", 1)
            rows[-1].append(Cell(tidy("".join(pieces)), *spans, is_header))
            cell, pieces = None, outside
        if element is not table and element.tail:
            pieces += ("" if name in _RAISED else " ", element.tail)
    filled = [row for row in rows if row]
    lengths = [len(cell.text) for row in filled for cell in row]
    if len(filled) < 2 or max(map(len, filled)) < 2 or max(lengths) > 500:
        return []
    _end_at_groups(rows, groups)
    return [[Cell(tidy("".join(outside)))], *rows] if any(map(str.strip, outside)) else rows


def _find_row(row: _Element) -> list[list[Cell]]:
    """A row of a table that lays a page out, where it holds several short texts; empty where it holds more."""
    cells = [child for child in row if _name_of(child) in _CELLS]
    if len(cells) < 2 or any(_name_of(child) not in _INLINE for cell in cells for child in cell.iterdescendants()):
        return []
    has_raised = next(row.iter(*_RAISED), None) is not None
    texts = [tidy(("" if has_raised else " ").join(map(str, cell.itertext()))) for cell in cells]
    if sum(map(bool, texts)) < 2 or max(map(len, texts)) > _LAYOUT_CHARACTERS:
        return []
    return [[Cell(text, is_header=_name_of(cell) == "th") for cell, text in zip(cells, texts, strict=True)]]


def _find_pair(element: _Element) -> str:
    """The label and the value that an element says it holds, "Phone: 555-0102"; empty where it holds anything else."""
    if len(element) != 2 or (element.text or "").strip() or any((part.tail or "").strip() for part in element):
        return ""
    label, value = element
    named = (str(part.get("class") or "") if isinstance(part.tag, str) else "" for part in (label, value))
    if not all(map(re.search, (_LABELS, _VALUES_NAMED), named)) or any(map(_is_hidden, (label.attrib, value.attrib))):
        return ""
    if any(_name_of(part) not in _INLINE for part in chain(label.iterdescendants(), value.iterdescendants())):
        return ""
    words, text = (" ".join("".join(map(str, part.itertext())).split()) for part in (label, value))
    if not words or not text or max(len(words), len(text)) > _LAYOUT_CHARACTERS:
        return ""
    return f"{words} {text}" if words[-1] in ":?" else f"{words}: {text}"


def _end_at_groups(rows: list[list[Cell]], groups: list[_Element | None]) -> None:
    """Cut off what of merged cells reaches out of their group of rows; 0 rows are all that are left of it."""
    left = 0
    for number in reversed(range(len(rows))):
        left = left + 1 if number + 1 < len(rows) and groups[number + 1] is groups[number] else 1
        rows[number] = [cell._replace(rows=min(cell.rows, left) if cell.rows > 0 else left) for cell in rows[number]]
