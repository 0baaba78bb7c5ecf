"""Word documents (.docx): headings, paragraphs, lists, tables and notes in reading order.

Headers and footers are left out, and so is what a tracked change has deleted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from index.formats import Extract, UnreadableError
from index.formats.archive import Archive, attribute, local_name
from index.formats.blocks import Blocks

if TYPE_CHECKING:
    from lxml.etree import _Element

_HEADING = re.compile(r"(?:heading|überschrift|titre|título|titolo|kop|rubrik)\s*(\d)", re.IGNORECASE)
# What a reader of the finished document does not see, or would see twice.
_UNSEEN = frozenset("del moveFrom delText instrText Fallback rPr pPr sectPr tblPr trPr tcPr".split())


def read_docx(content: bytes) -> Extract:
    """The text of the document's body, its notes after it. Raises UnreadableError."""
    archive = Archive(content)
    name = archive.find_related("", "officeDocument") or "word/document.xml"
    root = archive.read_xml(name)
    if root is None:
        raise UnreadableError("damaged")
    blocks = Blocks()
    reader = _Reader(blocks, _read_headings(archive, name))
    reader.read(root)
    for kind in ("footnotes", "endnotes"):
        notes = archive.read_xml(archive.find_related(name, kind) or "")
        for note in notes if notes is not None else ():
            # Those with a type are the lines that part notes from text.
            if attribute(note, "type") in (None, "normal"):
                reader.read(note)
    title, date = archive.read_properties()
    return Extract(blocks.text, title or reader.title, date)


class _Reader:
    def __init__(self, blocks: Blocks, headings: dict[str, int]) -> None:
        self._blocks = blocks
        self._headings = headings
        self.title: str | None = None

    def read(self, parent: _Element) -> None:
        for element in parent:
            name = local_name(element)
            if name == "p":
                self._read_paragraph(element)
            elif name == "tbl":
                self._read_table(element)
            elif name not in _UNSEEN:
                self.read(element)  # content controls, custom XML, a body

    def _read_paragraph(self, paragraph: _Element) -> None:
        text = "".join(_find_text(paragraph))
        style, level, depth = "", None, None
        for properties in paragraph.iterchildren("{*}pPr"):
            for field in properties:
                name = local_name(field)
                if name == "pStyle":
                    style = attribute(field, "val") or ""
                elif name == "outlineLvl":
                    level = int(attribute(field, "val") or 9) + 1
                elif name == "numPr":
                    found = field.find("{*}ilvl")
                    depth = int((attribute(found, "val") if found is not None else None) or 0)
        level = self._headings.get(style) or (level if level and level < 10 else None)
        if level and text.strip():
            self.title = self.title or " ".join(text.split())
            self._blocks.heading(text, level)
        elif depth is not None or style.startswith("List"):
            self._blocks.item(text, depth or 0)
        else:
            self._blocks.paragraph(text)
        # The text of a box stands in the paragraph that anchors it.
        for box in paragraph.iterdescendants("{*}txbxContent"):
            if not any(local_name(parent) == "Fallback" for parent in box.iterancestors()):
                self.read(box)

    def _read_table(self, table: _Element) -> None:
        rows = [list(_find_cells(row)) for row in _children(table, "tr")]
        if len(rows) == 1 or all(len(row) == 1 for row in rows):
            for cell in (cell for row in rows for cell in row):  # a frame, or columns of a layout
                self.read(cell)
        else:
            self._blocks.table([[_join(cell) for cell in row] for row in rows])


def _join(cell: _Element) -> str:
    return " ".join("".join(_find_text(paragraph)) for paragraph in cell.iterdescendants("{*}p"))


def _find_cells(row: _Element) -> Iterator[_Element]:
    yield from _children(row, "tc")


def _children(parent: _Element, name: str) -> Iterator[_Element]:
    """The children of a name, content controls looked through."""
    for child in parent:
        if local_name(child) == name:
            yield child
        elif local_name(child) in {"sdt", "sdtContent", "customXml", "ins"}:
            yield from _children(child, name)


def _find_text(element: _Element) -> Iterator[str]:
    """The pieces of a paragraph's text, without that of boxes within it."""
    for child in element:
        name = local_name(child)
        if name == "t":
            yield child.text or ""
        elif name in {"tab", "ptab"}:
            yield "\t"
        elif name in {"br", "cr"}:
            yield "\n"
        elif name == "noBreakHyphen":
            yield "-"
        elif name == "sym":
            yield " "
        elif name not in _UNSEEN and name != "txbxContent":
            yield from _find_text(child)


def _read_headings(archive: Archive, name: str) -> dict[str, int]:
    """The styles that are headings, with their levels, whatever language they are named in."""
    root = archive.read_xml(archive.find_related(name, "styles") or "")
    levels: dict[str, int] = {}
    for style in root.iterchildren("{*}style") if root is not None else ():
        identifier = attribute(style, "styleId") or ""
        label, outline = style.find("{*}name"), style.find("{*}pPr/{*}outlineLvl")
        named = (attribute(label, "val") if label is not None else None) or identifier
        match = _HEADING.match(named)
        if match or named.lower() == "title":
            levels[identifier] = int(match[1]) if match else 1
        elif outline is not None and (attribute(outline, "val") or "9") < "9":
            levels[identifier] = int(attribute(outline, "val") or 0) + 1
    return levels
