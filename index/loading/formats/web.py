"""Web pages: the main text, without navigation, cookie notices and teasers.

trafilatura finds the main text. Where it finds next to nothing, and where a page has no such surroundings, all
that a reader would see is taken.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from index.loading.formats import Extract
from index.loading.formats.archive import whole_number
from index.loading.formats.blocks import Blocks, tidy
from index.loading.formats.fields import read_date
from index.loading.formats.grid import Cell
from index.loading.formats.text import count_broken, decode, find_encoding, say_broken

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
_TITLE_CHARACTERS = 2_000  # of a heading that are looked at, its white space included

# A date that the page gives, and none that is guessed from numbers in the text.
_DATE_OPTIONS = {"extensive_search": False, "original_date": True}

_SURROUNDINGS = re.compile(
    r"nav|menu|cookie|consent|footer|sidebar|banner|related|comment|share|teaser|breadcrumb", re.I
)

_SPACES = re.compile(r"\s+")

# A table's number, in characters that are not seen and that tidy() removes.
_NUMBER = re.compile("[\u200b\u2060]{32}")
_UNSEEN_DIGITS = str.maketrans("01", "\u200b\u2060")
_DIGITS = str.maketrans("\u200b\u2060", "01")

# Names of HTML, and those that trafilatura gives instead.
_UNSEEN = frozenset("head script style noscript template iframe object svg canvas select button nav graphic".split())
_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}
_ITEMS = frozenset("li dt dd item".split())
_LISTS = frozenset("ul ol dl list".split())
_ROWS = frozenset("tr row".split())
_CELLS = frozenset("td th cell".split())
_BREAKS = frozenset("br lb hr".split())
_CODE = frozenset("script style template".split())
_INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite code data del dfn em font hi i img ins kbd label mark q ref ruby s samp small "
    "span strike strong sub sup time tt u var wbr o:p".split()
)


def read_page(content: bytes) -> Extract:
    """The main text of a web page, its title, author (as a first line) and date."""
    import lxml.etree
    import trafilatura

    text = decode_page(content)
    visible = Blocks()
    tree, survey = write_page(text, visible)
    visible.miss(say_broken(count_broken(content, text)))
    if tree is None:
        return Extract(visible.text, unread=visible.unread)
    # The tables' rows are known by now, and the library would fill what is merged in time that grows with the square.
    for cell in tree.iter("td", "th"):
        for span in ("rowspan", "colspan"):
            cell.attrib.pop(span, None)
    found: Any = None
    if len(content) <= _LARGEST_FOR_MAIN and survey.is_fit_for_main:
        # Its heuristics stumble over some pages; then the visible text serves.
        with contextlib.suppress(lxml.etree.LxmlError, ValueError, TypeError, AttributeError, RecursionError):
            found = trafilatura.bare_extraction(
                tree,
                fast=not survey.is_small,
                with_metadata=True,
                include_comments=False,
                date_extraction_params=_DATE_OPTIONS,
            )
    title = _find_title(tree, (found and found.title) or "")
    author = " ".join(tidy((found and found.author) or "").split())
    main = Blocks()
    if title:
        main.heading(title)
    if author:
        main.paragraph(f"By {author.replace('; ', ', ')}")
    before = main.length
    if found is not None and found.body is not None and _has_surroundings(tree):
        _Renderer(main, title, survey.tables).render(found.body)
    size = main.length - before
    whole = main.text if size >= min(_SHORTEST_MAIN, visible.length // 5) and size else visible.text
    return Extract(whole, title or None, read_date((found and found.date) or ""), unread=visible.unread)


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
        _Renderer(blocks, "", survey.tables).render(tree)
    return tree, survey


def _find_title(tree: _Element, title: str) -> str:
    """The page's one heading of level 1, where there is one of several words; it names no site, as the title may."""
    headings = {_find_words(heading) for heading in islice(tree.iter("h1"), 20)} - {""}
    only = headings.pop() if len(headings) == 1 else ""
    if len(only.split()) > 2 and len(only) <= 300:
        return only
    return " ".join(tidy(title or tree.findtext(".//title") or "").split())


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
    return any(_SURROUNDINGS.search(name) for name in names)


def decode_page(content: bytes) -> str:
    """The text of a page's file, in the encoding that the page itself declares where that works."""
    declared = re.search(rb"<meta[^>]{0,200}charset=[\"']?\s*([\w-]+)", content[:4096], re.IGNORECASE)
    if declared and not find_encoding(content):
        with contextlib.suppress(LookupError, UnicodeDecodeError):
            return content.decode(declared[1].decode("ascii"))
    return decode(content)


class _TooMuchError(Exception):
    """A page of which the library would drop what is deep, or take time that grows with the square."""


class _Survey:
    """What a page is made of: a parser's target that only counts. Raises _TooMuchError."""

    def __init__(self) -> None:
        self._elements = self._attributes = self._depth = 0
        self.tables: list[list[list[Cell]]] = []  # those that hold data, by the number that their first cell is given

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
    """Writes the visible text of a tree, but for a heading that says what was already said."""

    def __init__(self, blocks: Blocks, skipped_heading: str = "", tables: list[list[list[Cell]]] | None = None) -> None:
        self._blocks = blocks
        self._skipped = skipped_heading
        self._tables = [] if tables is None else tables
        self._line: list[str] = []
        # The elements around: the name or "" where it is not shown, the lists around, and whether it is inline.
        self._opened: list[tuple[str, int, bool]] = [("#document", 0, True)]

    def render(self, tree: _Element) -> None:
        import lxml.etree

        walker = lxml.etree.iterwalk(tree, events=("start", "end", "comment", "pi"))
        for event, element in walker:
            if event == "start":
                name = _name_of(element)
                rows = self._find_rows(element) if name == "table" else []
                if self._open(name, rows or name in _UNSEEN or _is_hidden(element.attrib)):
                    self._write(element.text)
                else:
                    walker.skip_subtree()
                self._blocks.table(rows, skips=True)
                continue
            if event == "end":
                self._close()
            if element is not tree:
                self._write(element.tail)
        self._flush("p", 0)

    def _find_rows(self, table: _Element) -> list[list[Cell]]:
        """The rows of a table; of one that trafilatura has made anew, without what is merged, the page's own."""
        cells = list(islice(table.iter(*_CELLS), 9))
        for cell in cells if table.find(".//cell") is not None else ():
            number = _NUMBER.match(cell.text or "")
            place = int(number[0].translate(_DIGITS), 2) if number else len(self._tables)
            if place < len(self._tables):
                rows, self._tables[place] = self._tables[place], []
                return rows
        rows = _find_rows(table)
        if rows:
            cells[0].text = f"{len(self._tables):032b}".translate(_UNSEEN_DIGITS) + (cells[0].text or "")
            self._tables.append(rows)
        return rows

    def _open(self, name: str, is_skipped: object) -> bool:
        """Begin an element. Returns whether its text is to be written."""
        around, lists, _ = self._opened[-1]
        is_inline = around == "#document" or name in _INLINE or name in _BREAKS
        if not is_inline:
            if self._line:
                self._flush(around, lists)
            # A paragraph within a list's item is the item.
            name = around if around in _ITEMS and name in {"p", "div"} else name
            lists += name in _LISTS
        if name in _BREAKS:
            self._line.append("\n")
        self._opened.append(("" if is_skipped else name, lists, is_inline))
        return not is_skipped

    def _close(self) -> None:
        name, lists, is_inline = self._opened.pop()
        if self._line and not is_inline:
            self._flush(name, lists)

    def _write(self, text: str | None) -> None:
        if text:
            self._line.append(text if self._opened[-1][0] == "pre" else _SPACES.sub(" ", text))

    def _flush(self, name: str, lists: int) -> None:
        text = tidy("".join(self._line))
        self._line = []
        if not any(character.isalnum() for character in text):
            return
        if name in _HEADINGS:
            if text.replace("\n", " ").casefold() != self._skipped.casefold():
                self._blocks.heading(text, _HEADINGS[name])
        elif name in _ITEMS:
            self._blocks.item(text, max(0, lists - 1))
        else:
            self._blocks.paragraph(text)


class _Writer(_Renderer):
    """Writes the visible text of a page while it is parsed, whatever its depth; the cells of tables are paragraphs."""

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        self._open(tag, not self._opened[-1][0] or tag in _UNSEEN or _is_hidden(attributes))

    def end(self, tag: str) -> None:
        self._close()

    def data(self, text: str) -> None:
        if self._opened[-1][0]:
            self._write(text)

    def close(self) -> None:
        """Called at the page's end."""
        self._flush("p", 0)


def _name_of(element: _Element) -> str:
    """The element's name as in HTML; empty for comments and the like."""
    name = element.tag.lower() if isinstance(element.tag, str) else ""
    return str(element.get("rend", "h2")) if name == "head" and element.get("rend") else name


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
            if (name == "table" and element is not table) or (name in _ROWS and cell is not None):
                return []
            if name in _ROWS:
                rows.append([])
                groups.append(element.getparent())
            elif name in _CELLS and rows and cell is None:
                cell, pieces = element, []
            if name in _CODE:
                walker.skip_subtree()
            else:
                pieces.append(element.text or "")
            continue
        if cell is not None and element is cell:
            is_header = name == "th" or cell.get("role") == "head"
            spans = whole_number(cell, "rowspan", 1), whole_number(cell, "colspan", 1)
            rows[-1].append(Cell(tidy(" ".join(pieces)), *spans, is_header))
            cell, pieces = None, outside
        if element is not table:
            pieces.append(element.tail or "")
    filled = [row for row in rows if row]
    lengths = [len(cell.text) for row in filled for cell in row]
    if len(filled) < 2 or max(map(len, filled)) < 2 or max(lengths) > 500:
        return []
    _end_at_groups(rows, groups)
    return [[Cell(tidy(" ".join(outside)))], *rows] if any(map(str.strip, outside)) else rows


def _end_at_groups(rows: list[list[Cell]], groups: list[_Element | None]) -> None:
    """Cut off what of merged cells reaches out of their group of rows; 0 rows are all that are left of it."""
    left = 0
    for number in reversed(range(len(rows))):
        left = left + 1 if number + 1 < len(rows) and groups[number + 1] is groups[number] else 1
        rows[number] = [cell._replace(rows=min(cell.rows, left) if cell.rows > 0 else left) for cell in rows[number]]
