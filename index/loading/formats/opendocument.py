"""OpenDocument: texts (.odt), presentations (.odp, a page for each slide) and spreadsheets (.ods)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from index.loading.formats import Extract, UnreadableError
from index.loading.formats.archive import Archive, attribute, join_text, local_name, whole_number
from index.loading.formats.asides import describe_picture, tell_comment, write_margins
from index.loading.formats.blocks import Blocks, raise_text
from index.loading.formats.fields import read_author, read_date, read_title
from index.loading.formats.grid import Cell
from index.loading.formats.numbering import HIGHEST, LEVELS, Counter, Level

if TYPE_CHECKING:
    from lxml.etree import _Element

_MOST_REPEATS = 100  # a row or cell that says it is repeated more often only fills the sheet
_MOST_COLUMNS = 16_384
_MOST_CELLS = 20_000_000
_BOXES = frozenset({"text-box", "note"})
_REMARKS = frozenset({"annotation", "desc"})  # a comment, what is said of a picture
_FORMS = {"1": "decimal", "a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman", "I": "upperRoman", "": "none"}
_PICTURE_TITLE = "svg-compatible:1.0}title"  # the name that it has in its program
_SIGNS = {"h": " ", "p": " ", "tab": "\t", "line-break": "\n"}
_SPACES = re.compile(r"\s+")
_UNSEEN = frozenset("tracked-changes annotation-end sequence-decls forms settings note-citation".split())


def read_opendocument(content: bytes) -> Extract:
    """The text of the document's body, notes and comments where they stand, then headers. Raises UnreadableError."""
    archive = Archive(content)
    if b"manifest:encryption-data" in archive.read("META-INF/manifest.xml"):
        raise UnreadableError("encrypted")
    root = archive.read_xml("content.xml")
    body = root.find("{*}body") if root is not None else None
    if body is None:
        raise UnreadableError("damaged")
    meta = archive.try_xml("meta.xml")
    fields = {local_name(field): field.text or "" for field in meta.iterfind("{*}meta/*")} if meta is not None else {}
    blocks = Blocks()
    blocks.author(read_author(fields.get("initial-creator")) or read_author(fields.get("creator")))
    styles = archive.try_xml("styles.xml")
    _set_apart(body, [part for part in (styles, root) if part is not None])
    _write_numbers(body, [part for part in (styles, root) if part is not None])
    _read(body, blocks)
    objects = [name for name in archive.names if name.endswith("/content.xml")]
    unread = len(objects)
    for name in objects:
        part = archive.try_xml(name)
        inner = part.find("{*}body") if part is not None else None
        if inner is not None:  # a chart, a sheet; a formula has none
            _read(inner, blocks)
            unread -= 1
    write_margins(blocks, _read_margins(styles) if styles is not None else ())
    found = read_date(fields.get("date")) or read_date(fields.get("creation-date"))
    archive.tell_unread(blocks)
    blocks.miss(f"{unread:,} embedded object{'s' * (unread > 1)}" if unread else "")
    return Extract(blocks.text, read_title(fields.get("title")), found, tuple(blocks.pages), blocks.unread)


def _set_apart(body: _Element, parts: list[_Element]) -> None:
    """Write raised and lowered characters so that they do not become part of what stands before them."""
    raised = {
        attribute(style, "name"): not position.startswith(("sub", "-"))
        for part in parts
        for style in part.iter("{*}style")
        for field in style.iterfind("{*}text-properties")
        if (position := attribute(field, "text-position") or "") and not position.startswith("0%")
    }
    for span in body.iter("{*}span") if raised else ():
        name = attribute(span, "style-name")
        if name in raised and (span.text or "").strip():
            previous, around = span.getprevious(), span.getparent()
            before = previous.tail if previous is not None else around.text
            mark, text = raise_text((before or "")[-20:], span.text or "", is_raised=raised[name])
            span.text = mark + text


def _write_numbers(body: _Element, parts: list[_Element]) -> None:
    """Write the numbers of lists into their items, since the file only says how they are counted."""
    import lxml.etree

    styles = {attribute(style, "name"): _read_levels(style) for part in parts for style in part.iter("{*}list-style")}
    outline = next((_read_levels(style) for part in parts for style in part.iter("{*}outline-style")), {})
    headings = Counter()
    counters: defaultdict[str | None, Counter] = defaultdict(Counter)
    names: list[str | None] = []  # the styles of the lists around
    for event, part in lxml.etree.iterwalk(body, events=("start", "end"), tag=("{*}list", "{*}list-item", "{*}h")):
        kind, number = local_name(part), ""
        if event == "end":
            if kind == "list":
                names.pop()
        elif kind == "list":
            names.append(attribute(part, "style-name") or (names[-1] if names else None))
            if attribute(part, "continue-numbering") != "true" and attribute(part, "continue-list") is None:
                counters[names[-1]].restart(len(names) - 1)
        elif kind == "h" and not names and (depth := whole_number(part, "outline-level", 1) - 1) in outline:
            number = headings.count(depth, outline)
        elif kind == "list-item" and names and (depth := len(names) - 1) in (levels := styles.get(names[-1], {})):
            said = whole_number(part, "start-value", -1)
            number = counters[names[-1]].count(depth, levels, min(said, HIGHEST) if said >= 0 else None)
            part = part[0] if len(part) and local_name(part[0]) in {"p", "h"} else part
        if number and local_name(part) != "list-item" and any(map(str.strip, part.itertext())):
            part.text = f"{number} {part.text or ''}"


def _read_levels(style: _Element) -> dict[int, Level]:
    """How the levels of a list's style are counted."""
    levels: dict[int, Level] = {}
    for part in style.iterchildren("{*}list-level-style-number", "{*}outline-level-style"):
        level = whole_number(part, "level", 1) - 1
        if level in range(LEVELS):
            shown = min(max(whole_number(part, "display-levels", 1), 1), level + 1)
            places = ".".join(f"%{place}" for place in range(level + 2 - shown, level + 2))
            form = attribute(part, "num-format") or ""
            before, after = (attribute(part, f"num-{place}") or "" for place in ("prefix", "suffix"))
            text = f"{before[:9]}{places}{after[:9]}" if form else ""
            start = min(max(whole_number(part, "start-value", 1), 0), HIGHEST)
            levels[level] = Level(start, _FORMS.get(form, "decimal"), text)
    return levels


def _read_margins(styles: _Element) -> Iterator[tuple[str, str, bool]]:
    """The lines of the headers and footers."""
    for kind in ("header", "footer"):
        for suffix in ("", "-first", "-left"):
            for margin in styles.iterfind(f"{{*}}master-styles/{{*}}master-page/{{*}}{kind}{suffix}"):
                for line in margin.iter("{*}p", "{*}h"):
                    is_numbered = next(line.iter("{*}page-number", "{*}page-count"), None) is not None
                    yield kind.capitalize(), _find_text(line)[0], is_numbered


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
        elif name in _REMARKS:
            blocks.paragraph(_find_text(element)[0])
        elif name == "table":
            is_sheet = local_name(element.getparent()) == "spreadsheet"
            blocks.table(_find_rows(element, blocks), is_sheet=is_sheet)
        elif name not in _UNSEEN:
            if name == "page":
                blocks.page()
            waiting.append((iter(element), lists + (name == "list")))


def _find_rows(table: _Element, blocks: Blocks) -> Iterator[list[str | Cell]]:
    count = 0
    for row in table.iterdescendants("{*}table-row"):
        is_header = local_name(row.getparent()) == "table-header-rows" or None
        cells: list[str | Cell] = []
        end = 0  # of the cells that are filled
        for cell in row.iterchildren("{*}table-cell", "{*}covered-table-cell"):
            # What a covered cell may hold is not shown.
            text = join_text(cell, _find_text).strip() if local_name(cell) == "table-cell" else ""
            height, width = (whole_number(cell, f"number-{name}-spanned", 1) for name in ("rows", "columns"))
            repeats = whole_number(cell, "number-columns-repeated", 1)
            made = Cell(text, height, width, is_header) if is_header or height > 1 or width > 1 else text
            cells += [made] * min(repeats, _MOST_REPEATS if text else _MOST_COLUMNS - len(cells))
            if (count := count + 1 + repeats // _MOST_REPEATS) > _MOST_CELLS:
                blocks.miss(f"the cells of a table after the first {_MOST_CELLS:,}")
                return
            end = len(cells) if text else end
        del cells[end:]
        yield from [cells] * min(whole_number(row, "number-rows-repeated", 1), _MOST_REPEATS)


def _find_text(element: _Element) -> tuple[str, list[_Element]]:
    """The text of the paragraphs in an element, itself included, or of a remark, without that of the boxes, notes and
    remarks in it; and these."""
    import lxml.etree

    pieces: list[str] = []
    boxes: list[_Element] = []
    inside = 0  # how many paragraphs
    walker = lxml.etree.iterwalk(element, events=("start", "end"))
    for event, part in walker:
        name = local_name(part)
        if event == "start":
            inside += name in {"h", "p"}
            if name in _REMARKS and part is not element:
                walker.skip_subtree()
                boxes.append(part)
            elif inside and (name in _UNSEEN or name in _BOXES or str(part.tag).endswith(_PICTURE_TITLE)):
                walker.skip_subtree()
                boxes += [part] if name in _BOXES else []
            elif inside:
                sign = " " * min(whole_number(part, "c", 1), 100) if name == "s" else _SIGNS.get(name, "")
                pieces += (sign, _SPACES.sub(" ", part.text or ""))
            continue
        inside -= name in {"h", "p"}
        if inside:
            pieces.append(_SPACES.sub(" ", part.tail or ""))
    text = "".join(pieces)
    if (name := local_name(element)) in _REMARKS:
        text = (
            describe_picture(element.text) if name == "desc" else tell_comment(element.findtext("{*}creator"), "", text)
        )
    return text, boxes
