"""Word documents (.docx): headings, paragraphs, numbered lists, tables and notes in reading order.

After them come charts, comments, headers and footers. What a tracked change has deleted is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from index.loading.formats import Extract, UnreadableError
from index.loading.formats.archive import Archive, attribute, find_children, join_text, local_name, whole_number
from index.loading.formats.asides import describe_picture, read_drawings, tell_comment, write_margins
from index.loading.formats.blocks import Blocks, raise_text
from index.loading.formats.fields import is_nameless
from index.loading.formats.grid import MOST_COLUMNS, Cell
from index.loading.formats.numbering import WordNumbering

if TYPE_CHECKING:
    from lxml.etree import _Element

_HEADING = re.compile(r"(?:heading|überschrift|titre|título|titolo|kop|rubrik)\s*(\d)", re.IGNORECASE)
# What a reader of the finished document does not see, or would see twice.
_UNSEEN = frozenset("del moveFrom delText instrText Fallback rPr pPr sectPr tblPr trPr tcPr".split())
_CONTENTS = re.compile(r"toc ?(?:\d|heading)", re.IGNORECASE)  # styles of tables of contents, in every language
_WRAPPERS = frozenset("sdt sdtContent customXml ins".split())  # content controls and the like: looked through
_MOST_BOLD_ROWS = 200  # of a table that are looked at for bold letters
_MOST_WORDS = 1_000  # characters of what a comment is on that are looked at
_FIELDS = ("{*}instrText", "{*}fldSimple")
_SIGNS = {"p": " ", "tab": "\t", "ptab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "sym": " "}


def read_docx(content: bytes) -> Extract:
    """The text of the document's body, and what stands beside it. Raises UnreadableError."""
    import lxml.etree

    archive = Archive(content)
    name = archive.find_related("", "officeDocument") or "word/document.xml"
    root = archive.read_xml(name)
    if root is None:
        raise UnreadableError("damaged")
    title, author, date = archive.read_properties()
    blocks = Blocks()
    blocks.author(author)
    styles = archive.try_related(name, "styles")
    reader = _Reader(blocks, _read_headings(styles))
    lxml.etree.strip_elements(root, "{*}Fallback", "{*}del", "{*}moveFrom", with_tail=False)
    _remove_unshown(root, styles)
    _write_numbers(root, WordNumbering(archive.try_related(name, "numbering"), styles))
    strays = _place_notes(root, archive, name)
    reader.read(root)
    for note in strays:
        reader.read(note)
    read_drawings(archive, name, blocks)
    _read_comments(root, archive, name, blocks)
    write_margins(blocks, _read_margins(archive, name))
    archive.tell_unread(blocks)
    return Extract(blocks.text, title or reader.title, date, unread=blocks.unread)


def _remove_unshown(root: _Element, styles: _Element | None) -> None:
    """Remove hidden words, the prompts of forms that nobody filled in, and tables of contents: they repeat headings."""
    unshown = [part.getparent().getparent() for part in root.iter("{*}vanish") if _is_on(part)]
    for part in root.iter("{*}showingPlcHdr"):
        if _is_on(part):
            unshown += part.getparent().getparent().iterchildren("{*}sdtContent")
    for part in root.iter("{*}docPartGallery"):
        if attribute(part, "val") == "Table of Contents":
            unshown += islice(part.iterancestors("{*}sdt"), 1)
    contents = {
        attribute(style, "styleId")
        for style in (styles.iterchildren("{*}style") if styles is not None else ())
        if (label := style.find("{*}name")) is not None and _CONTENTS.fullmatch(attribute(label, "val") or "")
    }
    for part in root.iter("{*}pStyle"):
        if attribute(part, "val") in contents or _CONTENTS.fullmatch(attribute(part, "val") or ""):
            unshown.append(part.getparent().getparent())
    for part in unshown:
        # The end of a paragraph may be hidden alone, and the body is never.
        if local_name(part) in {"r", "p", "sdt", "sdtContent"} and part.getparent() is not None:
            part.getparent().remove(part)


def _is_on(switch: _Element) -> bool:
    return (attribute(switch, "val") or "true").lower() not in {"0", "false", "off"}


def _write_numbers(root: _Element, numbering: WordNumbering) -> None:
    """Write the numbers of lists and headings into the paragraphs that carry them."""
    import lxml.etree

    for paragraph in root.iter("{*}p"):
        number = numbering.count(paragraph)
        if number and _find_text(paragraph)[0].strip():
            mark = lxml.etree.Element("t")  # of no name space: none of the file's own
            mark.text = f"{number} "
            paragraph.insert(1, mark)


def _place_notes(root: _Element, archive: Archive, name: str) -> list[_Element]:
    """Put notes where they are referred to, as boxes, so that they follow what they are on; the others are given."""
    import lxml.etree

    strays: list[_Element] = []
    for kind in ("footnote", "endnote"):
        notes = archive.try_related(name, f"{kind}s")
        waiting: dict[str, _Element] = {}
        for note in notes if notes is not None else ():
            # Those with a type are the lines that part notes from text.
            if attribute(note, "type") in (None, "normal"):
                named = attribute(note, "id") or ""
                waiting[named if named not in waiting else f"another {len(waiting)}"] = note
        for reference in root.iter(f"{{*}}{kind}Reference"):
            note = waiting.pop(attribute(reference, "id") or "", None)
            if note is not None:
                lxml.etree.SubElement(reference, "txbxContent").append(note)
        strays += waiting.values()
    return strays


def _read_comments(root: _Element, archive: Archive, name: str, blocks: Blocks) -> None:
    """Write the comments, each with the words that it is on."""
    comments = archive.try_related(name, "comments")
    if comments is None:
        return
    pieces: list[str] = []
    length = 0
    spans: dict[str, list[int]] = {}
    for part in root.iter("{*}t", "{*}p", "{*}commentRangeStart", "{*}commentRangeEnd"):
        if (kind := local_name(part)).startswith("comment"):
            spans.setdefault(attribute(part, "id") or "", []).append(length)
        else:
            pieces.append((part.text or "") if kind == "t" else " ")
            length += len(pieces[-1])
    text = "".join(pieces)
    for comment in comments:
        start, *end = spans.get(attribute(comment, "id") or "", [0])
        words = text[start : min(end[0], start + _MOST_WORDS)] if end else ""
        blocks.paragraph(tell_comment(attribute(comment, "author"), words, join_text(comment, _find_text)))


def _read_margins(archive: Archive, name: str) -> Iterator[tuple[str, str, bool]]:
    """The lines of the headers and footers."""
    for kind, root in archive.try_all_related(name, "header", "footer"):
        for paragraph in root.iter("{*}p"):
            fields = (attribute(field, "instr") or field.text or "" for field in paragraph.iter(*_FIELDS))
            yield kind.capitalize(), _find_text(paragraph)[0], any("PAGE" in field for field in fields)


class _Reader:
    def __init__(self, blocks: Blocks, headings: dict[str, int]) -> None:
        self._blocks = blocks
        self._headings = headings
        self.title: str | None = None

    def read(self, parent: _Element) -> None:
        """Write what an element holds, however deep: a list of what is still to be read stands for Python's calls."""
        waiting: list[Iterator[_Element]] = [iter(parent)]
        while waiting:
            element = next(waiting[-1], None)
            name = local_name(element) if element is not None else ""
            if element is None:
                waiting.pop()
            elif name in {"p", "docPr"}:
                waiting.append(iter(self._read_paragraph(element)))
            elif name == "tbl":
                waiting.append(iter(self._read_table(element)))
            elif name not in _UNSEEN:
                waiting.append(iter(element))  # content controls, custom XML, a body

    def _read_paragraph(self, paragraph: _Element) -> list[_Element]:
        """Write a paragraph, and give the boxes that it anchors: their text comes after it."""
        text, boxes = _find_text(paragraph)
        style, level, depth = "", None, None
        for properties in paragraph.iterchildren("{*}pPr"):
            for field in properties:
                name = local_name(field)
                if name == "pStyle":
                    style = attribute(field, "val") or ""
                elif name == "outlineLvl":
                    level = whole_number(field, "val", 9) + 1
                elif name == "numPr":
                    depth = whole_number(field.find("{*}ilvl"), "val", 0)
        level = self._headings.get(style) or (level if level and level < 10 else None)
        if level and text.strip():
            number = paragraph.findtext("t") or ""
            named = " ".join(text.lstrip().removeprefix(number).split())
            self.title = self.title or (None if is_nameless(named) else named)
            self._blocks.heading(text, level)
        elif depth is not None or style.startswith("List"):
            self._blocks.item(text, depth or 0)
        else:
            self._blocks.paragraph(text)
        return boxes

    def _read_table(self, table: _Element) -> Iterable[_Element]:
        """Write a table; where it is a frame, or columns of a layout, give its cells instead."""
        rows = [list(_find_named(row, "tc")) for row in _find_named(table, "tr")]
        if len(rows) == 1 or all(len(row) == 1 for row in rows):
            return [cell for row in rows for cell in row]
        self._blocks.table(_find_cells(_find_named(table, "tr"), rows))
        return []


def _find_named(parent: _Element, name: str) -> Iterator[_Element]:
    return (child for child in find_children(parent, _WRAPPERS) if local_name(child) == name)


def _find_cells(rows: Iterable[_Element], cells: list[list[_Element]]) -> Iterator[list[str | Cell]]:
    """The cells of a table, each in its column; the places that merged ones cover are empty."""
    placed: list[list[tuple[int, Cell]]] = []
    bold = _find_bold(cells)
    above: dict[int, tuple[int, int]] = {}  # where the cell is that may reach down at a place
    for row, parts, marked in zip(rows, cells, bold, strict=True):
        # A row that is repeated on each page is a header.
        is_repeated = row.find("{*}trPr/{*}tblHeader") is not None or None
        place = min(max(whole_number(row.find("{*}trPr/{*}gridBefore"), "val", 0), 0), MOST_COLUMNS)
        here = {}
        placed.append([])
        for part, is_bold in zip(parts, marked, strict=True):
            is_header = is_repeated if is_bold is None else is_bold
            width = min(max(whole_number(part.find("{*}tcPr/{*}gridSpan"), "val", 1), 1), MOST_COLUMNS)
            merge = part.find("{*}tcPr/{*}vMerge")
            if merge is not None and attribute(merge, "val") != "restart" and place in above:
                line, number = here[place] = above[place]
                _, cell = placed[line][number]
                placed[line][number] = place, cell._replace(rows=cell.rows + 1)
            else:
                if merge is not None:
                    here[place] = len(placed) - 1, len(placed[-1])
                placed[-1].append((place, Cell(join_text(part, _find_text), 1, width, is_header)))
            place += width
        above = here
    for places in placed:
        filled: list[str | Cell] = []
        for place, cell in places:
            filled += [*[""] * (place - len(filled)), cell]
        yield filled


def _find_bold(cells: list[list[_Element]]) -> list[list[bool | None]]:
    """Which cells of a table their bold letters make headers: those of its first row, or of two columns the first;
    None where they tell nothing, as of totals.
    """
    told: list[list[bool | None]] = [[None] * len(row) for row in cells]
    seen = [[_is_bold(cell) for cell in row] for row in islice(cells, _MOST_BOLD_ROWS)]
    filled = [[mark for mark in row if mark is not None] for row in seen]
    if len(filled) > 1 and len(filled[0]) > 1 and all(filled[0]) and not all(filled[1]):
        told[0] = [True] * len(cells[0])
    elif all(len(row) == 2 for row in cells) and len(seen) == len(cells) and all(row == [True, False] for row in seen):
        told = [[True, False] for _ in cells]
    return told


def _is_bold(cell: _Element) -> bool | None:
    """Whether all that a cell says is in bold letters; None where it says nothing."""
    runs = [run for run in cell.iter("{*}r") if "".join(text.text or "" for text in run.iterfind("{*}t")).strip()]
    marks = (next(run.iterfind("{*}rPr/{*}b"), None) for run in runs)
    return all(mark is not None and _is_on(mark) for mark in marks) if runs else None


def _find_text(element: _Element) -> tuple[str, list[_Element]]:
    """The text of a paragraph, cell or picture, without that of the boxes and pictures in it; and these."""
    import lxml.etree

    pieces: list[str] = []
    boxes: list[_Element] = []
    walker = lxml.etree.iterwalk(element, events=("start",))
    for _, part in walker:
        name = local_name(part)
        if name == "t":
            text = part.text or ""
            raised = _find_raised(part)
            if raised and text.strip():
                before = "".join(pieces[-3:])
                pieces += raise_text(before, text, is_raised=raised == "superscript")
            else:
                pieces.append(text)
        elif name == "p" and part is not element and _is_item(part) and _has_text(pieces):
            pieces.append(" " if pieces[-1].rstrip().endswith((":", ",", ".")) else ", ")  # of a list in a cell
        elif name == "tr" and part.getprevious() is not None and local_name(part.getprevious()) == "tr":
            pieces.append(",")  # of a table in a cell
        elif name in _SIGNS:
            pieces.append(_SIGNS[name])
        elif name == "docPr" and part is element:
            pieces.append(describe_picture(part.get("descr")))
        elif name == "docPr":
            boxes.append(part)
        elif part is not element and (name in _UNSEEN or name == "txbxContent"):
            walker.skip_subtree()
            boxes += [part] if name == "txbxContent" else []
    return "".join(pieces), boxes


def _find_raised(text: _Element) -> str:
    """Whether a text is "superscript" or "subscript"; "" where it is neither."""
    run = text.getparent()
    mark = run.find("{*}rPr/{*}vertAlign") if run is not None else None
    value = (attribute(mark, "val") or "") if mark is not None else ""
    return value if value in {"superscript", "subscript"} else ""


def _is_item(paragraph: _Element) -> bool:
    style = paragraph.find("{*}pPr/{*}pStyle")
    is_list = style is not None and (attribute(style, "val") or "").startswith("List")
    return is_list or paragraph.find("{*}pPr/{*}numPr") is not None


def _has_text(pieces: list[str]) -> bool:
    return bool(pieces and pieces[-1].strip())


def _read_headings(root: _Element | None) -> dict[str, int]:
    """The styles that are headings, with their levels, whatever language they are named in."""
    levels: dict[str, int] = {}
    for style in root.iterchildren("{*}style") if root is not None else ():
        identifier = attribute(style, "styleId") or ""
        label, outline = style.find("{*}name"), style.find("{*}pPr/{*}outlineLvl")
        named = (attribute(label, "val") if label is not None else None) or identifier
        match = _HEADING.match(named)
        if match or named.lower() == "title":
            levels[identifier] = int(match[1]) if match else 1
        elif outline is not None and (attribute(outline, "val") or "9") < "9":
            levels[identifier] = whole_number(outline, "val", 0) + 1
    return levels
