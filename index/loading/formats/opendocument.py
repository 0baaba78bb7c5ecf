"""OpenDocument: texts (.odt), presentations (.odp, a page for each slide) and spreadsheets (.ods)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from index.loading.formats import Extract, UnreadableError
from index.loading.formats.archive import Archive, join_text, local_name, whole_number
from index.loading.formats.blocks import Blocks
from index.loading.formats.fields import read_date, read_title

if TYPE_CHECKING:
    from lxml.etree import _Element

_MOST_REPEATS = 100  # a row or cell that says it is repeated more often only fills the sheet
_MOST_COLUMNS = 16_384
_MOST_CELLS = 20_000_000
_BOXES = frozenset({"text-box", "note"})
_SIGNS = {"h": " ", "p": " ", "tab": "\t", "line-break": "\n"}
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
    _read(body, blocks)
    meta = archive.try_xml("meta.xml")
    fields = {local_name(field): field.text or "" for field in meta.iterfind("{*}meta/*")} if meta is not None else {}
    found = read_date(fields.get("date")) or read_date(fields.get("creation-date"))
    archive.tell_unread(blocks)
    objects = sum(name.endswith("/content.xml") for name in archive.names)
    blocks.miss(f"{objects:,} embedded object{'s' * (objects > 1)}" if objects else "")
    return Extract(blocks.text, read_title(fields.get("title")), found, tuple(blocks.pages), blocks.unread)


def _read(parent: _Element, blocks: Blocks) -> None:
    """Write what an element holds, however deep: a list of what is still to be read stands for Python's calls."""
    waiting: list[tuple[Iterator[_Element], int]] = [(iter(parent), 0)]
    while waiting:
        elements, lists = waiting[-1]
        element = next(elements, None)
        if element is None:
            waiting.pop()
            continue
        name = local_name(element)
        if name in {"h", "p"}:
            text, boxes = _find_text(element)
            if name == "h":
                blocks.heading(text, whole_number(element, "outline-level", 1))
            elif lists:
                blocks.item(text, lists - 1)
            else:
                blocks.paragraph(text)
            waiting.append((iter(boxes), lists))
        elif name == "table":
            blocks.table(_find_rows(element, blocks))
        elif name not in _UNSEEN:
            if name == "page":
                blocks.page()
            waiting.append((iter(element), lists + (name == "list")))


def _find_rows(table: _Element, blocks: Blocks) -> Iterator[list[str]]:
    count = 0
    for row in table.iterdescendants("{*}table-row"):
        cells: list[str] = []
        for cell in row.iterchildren("{*}table-cell", "{*}covered-table-cell"):
            text = join_text(cell, _find_text)
            repeats = whole_number(cell, "number-columns-repeated", 1)
            cells += [text] * min(repeats, _MOST_REPEATS if text.strip() else _MOST_COLUMNS - len(cells))
            if (count := count + 1 + repeats // _MOST_REPEATS) > _MOST_CELLS:
                blocks.miss(f"the cells of a table after the first {_MOST_CELLS:,}")
                return
        while cells and not cells[-1].strip():
            cells.pop()
        yield from [cells] * (min(whole_number(row, "number-rows-repeated", 1), _MOST_REPEATS) if cells else 1)


def _find_text(element: _Element) -> tuple[str, list[_Element]]:
    """The text of the paragraphs in an element, itself included, without that of the boxes and notes; and these."""
    import lxml.etree

    pieces: list[str] = []
    boxes: list[_Element] = []
    inside = 0  # how many paragraphs
    walker = lxml.etree.iterwalk(element, events=("start", "end"))
    for event, part in walker:
        name = local_name(part)
        if event == "start":
            inside += name in {"h", "p"}
            if inside and (name in _UNSEEN or name in _BOXES):
                walker.skip_subtree()
                boxes += [part] if name in _BOXES else []
            elif inside:
                sign = " " * min(whole_number(part, "c", 1), 100) if name == "s" else _SIGNS.get(name, "")
                pieces += (sign, _SPACES.sub(" ", part.text or ""))
            continue
        inside -= name in {"h", "p"}
        if inside:
            pieces.append(_SPACES.sub(" ", part.tail or ""))
    return "".join(pieces), boxes
