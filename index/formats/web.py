"""Web pages: the main text, without navigation, cookie notices and teasers.

trafilatura finds the main text. Where it finds next to nothing, and where a page has no such surroundings, all
that a reader would see is taken.
"""

from __future__ import annotations

import contextlib
import re
from typing import TYPE_CHECKING, Any

from index.formats import Extract, UnreadableError
from index.formats.blocks import Blocks, tidy
from index.formats.fields import read_date

if TYPE_CHECKING:
    from lxml.etree import _Element

_DEEPEST = 200  # elements within elements; more is no page that a person wrote
_SHORTEST_MAIN = 200  # characters of main text that are enough, or else a fifth of all the visible text
_LARGEST_FOR_MAIN = 8_000_000  # bytes: beyond, finding the main text takes minutes

# A date that the page gives, and none that is guessed from numbers in the text.
_DATE_OPTIONS = {"extensive_search": False, "original_date": True}

_SURROUNDINGS = re.compile(
    r"nav|menu|cookie|consent|footer|sidebar|banner|related|comment|share|teaser|breadcrumb", re.I
)

# Names of HTML, and those that trafilatura gives instead.
_UNSEEN = frozenset("head script style noscript template iframe object svg canvas select button nav graphic".split())
_HEADINGS = {"h1": 1, "h2": 2, "h3": 3, "h4": 4, "h5": 5, "h6": 6}
_ITEMS = frozenset("li dt dd item".split())
_LISTS = frozenset("ul ol dl list".split())
_ROWS = frozenset("tr row".split())
_CELLS = frozenset("td th cell".split())
_BREAKS = frozenset("br lb hr".split())
_INLINE = frozenset(
    "a abbr acronym b bdi bdo big cite code data del dfn em font hi i img ins kbd label mark q ref ruby s samp small "
    "span strike strong sub sup time tt u var wbr o:p".split()
)


def read_page(content: bytes) -> Extract:
    """The main text of a web page, its title, author (as a first line) and date."""
    import lxml.etree
    import trafilatura

    tree = parse_page(content)
    visible = Blocks()
    render(tree, visible)
    found: Any = None
    if len(content) <= _LARGEST_FOR_MAIN:
        # Its heuristics stumble over some pages; then the visible text serves.
        with contextlib.suppress(lxml.etree.LxmlError, ValueError, TypeError, AttributeError, RecursionError):
            found = trafilatura.bare_extraction(
                tree, with_metadata=True, include_comments=False, date_extraction_params=_DATE_OPTIONS
            )
    title = _find_title(tree, (found and found.title) or "")
    author = " ".join(tidy((found and found.author) or "").split())
    main = Blocks()
    if title:
        main.heading(title)
    if author:
        main.paragraph(f"By {author.replace('; ', ', ')}")
    before = len(main.text)
    if found is not None and found.body is not None and _has_surroundings(tree):
        render(found.body, main, skipped_heading=title)
    size = len(main.text) - before
    text = main.text if size >= min(_SHORTEST_MAIN, len(visible.text) // 5) and size else visible.text
    return Extract(text, title or None, read_date((found and found.date) or ""))


def _find_title(tree: _Element, title: str) -> str:
    """The page's one heading of level 1, where there is one of several words; it names no site, as the title may."""
    headings = {" ".join(tidy("".join(map(str, heading.itertext()))).split()) for heading in tree.iter("h1")} - {""}
    only = headings.pop() if len(headings) == 1 else ""
    if len(only.split()) > 2 and len(only) <= 300:
        return only
    return " ".join(tidy(title or tree.findtext(".//title") or "").split())


def _has_surroundings(tree: _Element) -> bool:
    """Whether there is anything about the main text to leave out; a report saved as a page is all main text."""
    if next(tree.iter("nav", "header", "footer", "aside", "form", "script", "iframe"), None) is not None:
        return True
    names = (f"{element.get('id', '')} {element.get('class', '')}" for element in tree.iter("div", "section", "ul"))
    return any(_SURROUNDINGS.search(name) for name in names)


def parse_page(content: bytes, encoding: str | None = None) -> _Element:
    """The tree of a page, however ill-formed. Raises UnreadableError where nothing is in it.

    encoding: where it is known from elsewhere, else what the page itself says is tried.
    """
    import lxml.etree
    import lxml.html

    from index.formats.text import decode, find_encoding

    declared = re.search(rb"<meta[^>]{0,200}charset=[\"']?\s*([\w-]+)", content[:4096], re.IGNORECASE)
    encoding = encoding or (declared[1].decode("ascii") if declared and not find_encoding(content) else None)
    text = None
    if encoding:
        with contextlib.suppress(LookupError, UnicodeDecodeError):
            text = content.decode(encoding)
    if text is None:
        text = decode(content)
    # A declaration of another encoding must not be believed once the text is decoded.
    text = re.sub(r"^\s*\ufeff?\s*<\?xml[^>]*\?>", "", text).replace("\x00", "").lstrip("\ufeff")
    try:
        parser = lxml.html.HTMLParser(encoding="utf-8", no_network=True)
        tree = lxml.html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (lxml.etree.LxmlError, ValueError) as error:
        raise UnreadableError("no text") from error
    return tree


def render(tree: _Element, blocks: Blocks, skipped_heading: str = "") -> None:
    """Write the visible text of a tree, but for a heading that says what was already said."""
    _Renderer(blocks, skipped_heading).render(tree)


class _Renderer:
    def __init__(self, blocks: Blocks, skipped_heading: str) -> None:
        self._blocks = blocks
        self._skipped = skipped_heading
        self._line: list[str] = []

    def render(self, tree: _Element) -> None:
        self._walk(tree, _name_of(tree), 0, 0)
        self._flush("p", 0)

    def _walk(self, element: _Element, name: str, lists: int, depth: int) -> None:
        if name in _UNSEEN or not name or _is_hidden(element):
            return
        if depth > _DEEPEST:
            self._line.append(_collapse(" ".join(str(text) for text in element.itertext())))
            return
        self._line.append("\n" if name in _BREAKS else element.text or "" if name == "pre" else _collapse(element.text))
        for child in element:
            inner = _name_of(child)
            if inner == "table" and _is_table(child):
                self._flush(name, lists)
                self._blocks.table(_find_rows(child))
            elif not inner or inner in _INLINE or inner in _BREAKS:
                self._walk(child, inner, lists, depth + 1)
            else:
                self._flush(name, lists)
                # A paragraph within a list's item is the item.
                inner = name if name in _ITEMS and inner in {"p", "div"} else inner
                within = lists + (inner in _LISTS)
                self._walk(child, inner, within, depth + 1)
                self._flush(inner, within)
            self._line.append(_collapse(child.tail))

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


def _collapse(text: str | None) -> str:
    return re.sub(r"\s+", " ", text or "")


def _name_of(element: _Element) -> str:
    """The element's name as in HTML; empty for comments and the like."""
    name = element.tag.lower() if isinstance(element.tag, str) else ""
    return str(element.get("rend", "h2")) if name == "head" and element.get("rend") else name


def _is_hidden(element: _Element) -> bool:
    style = (element.get("style") or "").replace(" ", "").lower()
    return element.get("hidden") is not None or "display:none" in style or "visibility:hidden" in style


def _is_table(table: _Element) -> bool:
    """Whether a table holds data; many only lay a page out."""
    if next(table.iterdescendants("table"), None) is not None:
        return False
    rows = _find_rows(table)
    return len(rows) > 1 and max(map(len, rows)) > 1 and max(len(cell) for row in rows for cell in row) <= 500


def _find_rows(table: _Element) -> list[list[str]]:
    return [
        [tidy(" ".join(cell.itertext())) for cell in row if cell.tag in _CELLS]
        for row in table.iterdescendants(*_ROWS)
        if any(cell.tag in _CELLS for cell in row)
    ]
