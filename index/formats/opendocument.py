"""OpenDocument: texts (.odt), presentations (.odp, a page for each slide) and spreadsheets (.ods)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from index.formats import Extract, UnreadableError
from index.formats.archive import Archive, attribute, local_name
from index.formats.blocks import Blocks
from index.formats.fields import read_date, read_title

if TYPE_CHECKING:
    from lxml.etree import _Element

_MOST_REPEATS = 100  # a row or cell that says it is repeated more often only fills the sheet
_SPACES = re.compile(r"\s+")
_UNSEEN = frozenset("tracked-changes annotation annotation-end sequence-decls forms settings note-citation".split())


def read_opendocument(content: bytes) -> Extract:
    """The text of the document's body, notes where they are referred to. Raises UnreadableError."""
    archive = Archive(content)
    if b"manifest:encryption-data" in archive.read("META-INF/manifest.xml"):
        raise UnreadableError("encrypted")
    root = archive.read_xml("content.xml")
    body = root.find("{*}body") if root is not None else None
    if body is None:
        raise UnreadableError("damaged")
    blocks = Blocks()
    _read(body, blocks, 0)
    meta = archive.read_xml("meta.xml")
    fields = {local_name(field): field.text or "" for field in meta.iterfind("{*}meta/*")} if meta is not None else {}
    found = read_date(fields.get("date")) or read_date(fields.get("creation-date"))
    return Extract(blocks.text, read_title(fields.get("title")), found, tuple(blocks.pages))


def _read(parent: _Element, blocks: Blocks, lists: int) -> None:
    for element in parent:
        name = local_name(element)
        if name == "h":
            blocks.heading("".join(_find_text(element)), int(attribute(element, "outline-level") or 1))
        elif name == "p":
            text = "".join(_find_text(element))
            if lists:
                blocks.item(text, lists - 1)
            else:
                blocks.paragraph(text)
            for box in element.iterdescendants("{*}text-box", "{*}note-body"):
                _read(box, blocks, lists)
        elif name == "table":
            blocks.table(_find_rows(element))
        elif name not in _UNSEEN:
            if name == "page":
                blocks.page()
            _read(element, blocks, lists + (name == "list"))


def _find_rows(table: _Element) -> Iterator[list[str]]:
    for row in table.iterdescendants("{*}table-row"):
        cells: list[str] = []
        for cell in row.iterchildren("{*}table-cell", "{*}covered-table-cell"):
            text = " ".join("".join(_find_text(paragraph)) for paragraph in cell.iterdescendants("{*}p", "{*}h"))
            cells += [text] * min(int(attribute(cell, "number-columns-repeated") or 1), _MOST_REPEATS)
        while cells and not cells[-1].strip():
            cells.pop()
        yield from [cells] * (min(int(attribute(row, "number-rows-repeated") or 1), _MOST_REPEATS) if cells else 1)


def _find_text(element: _Element) -> Iterator[str]:
    yield _SPACES.sub(" ", element.text or "")
    for child in element:
        name = local_name(child)
        if name == "s":
            yield " " * min(int(attribute(child, "c") or 1), 100)
        elif name in {"tab", "line-break"}:
            yield "\t" if name == "tab" else "\n"
        elif name not in _UNSEEN and name not in {"text-box", "note"}:
            yield from _find_text(child)
        yield _SPACES.sub(" ", child.tail or "")
