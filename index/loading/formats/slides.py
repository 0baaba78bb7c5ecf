"""PowerPoint presentations (.pptx): a page for each slide, in the order of the show, with its notes and comments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from index.loading.formats import Extract, UnreadableError
from index.loading.formats.archive import Archive, find_children, local_name, whole_number
from index.loading.formats.asides import describe_picture, read_drawings, tell_comment
from index.loading.formats.blocks import Blocks, raise_text
from index.loading.formats.fields import is_nameless
from index.loading.formats.grid import Cell
from index.loading.formats.numbering import HIGHEST, LEVELS, Counter, Level

if TYPE_CHECKING:
    from lxml.etree import _Element

_FURNITURE = frozenset("dt ftr sldNum hdr sldImg".split())  # placeholders that every slide repeats
_TITLES = frozenset("title ctrTitle".split())
_NUMBERED = re.compile(r"(?P<form>arabic|(?:alpha|roman)[LU]c)(?P<around>Period|ParenR|ParenBoth|Plain)")
_AROUND_NUMBERS = {"Period": ("", "."), "ParenR": ("", ")"), "ParenBoth": ("(", ")"), "Plain": ("", "")}
_FORMS = {
    "arabic": "decimal",
    "alphaLc": "lowerLetter",
    "alphaUc": "upperLetter",
    "romanLc": "lowerRoman",
    "romanUc": "upperRoman",
}
_WRAPPERS = frozenset("grpSp AlternateContent Choice".split())


def read_pptx(content: bytes) -> Extract:
    """The text of each slide, of its notes, and of what stands beside it. Raises UnreadableError."""
    archive = Archive(content)
    name = archive.find_related("", "officeDocument") or "ppt/presentation.xml"
    root = archive.read_xml(name)
    if root is None:
        raise UnreadableError("damaged")
    relations = archive.read_relations(name)
    groups = archive.try_all_related(name, "commentAuthors", "authors")  # up to 2019, and since
    authors = {author.get("id"): author.get("name") for _, group in groups for author in group}
    title, author, date = archive.read_properties()
    blocks = Blocks()
    blocks.author(author)
    first_title: list[str] = []
    entries = list(root.iterfind("{*}sldIdLst/{*}sldId"))
    missing = 0
    seen: set[str] = set()  # a show that names a slide over and over is read once
    for entry in entries:
        target = next((relations[value][1] for value in map(str, entry.attrib.values()) if value in relations), "")
        blocks.page()
        if target in seen:
            continue
        slide = archive.try_xml(target)
        if slide is None:
            missing += 1
            continue
        seen.add(target)
        for tree in slide.iterfind("{*}cSld/{*}spTree"):
            _read_shapes(tree, blocks, first_title)
        notes = archive.try_related(target, "notesSlide")
        if notes is not None:
            _read_notes(notes, blocks)
        read_drawings(archive, target, blocks)
        for _, comments in archive.try_all_related(target, "comments"):
            for comment in comments.iter("{*}cm", "{*}reply"):
                text = comment.findtext("{*}text") or " ".join(map(_read_text, comment.iterfind("{*}txBody")))
                blocks.paragraph(tell_comment(authors.get(comment.get("authorId")), "", text))
    blocks.miss_some(missing, len(entries), "slide", "missing or damaged")
    archive.tell_unread(blocks)
    title = title or next((named for named in first_title if not is_nameless(named)), None)
    return Extract(blocks.text, title, date, tuple(blocks.pages), blocks.unread)


def _read_notes(notes: _Element, blocks: Blocks) -> None:
    """Write what the speaker noted, told from what the slide shows."""
    told = Blocks()
    trees = list(notes.iterfind("{*}cSld/{*}spTree"))
    for tree in trees:
        _read_shapes(tree, told, [])
    if "\n" not in told.text:
        blocks.paragraph(f"Notes: {told.text}" if told.text else "")
        return
    blocks.paragraph("Notes:")
    for tree in trees:
        _read_shapes(tree, blocks, [])


def _read_shapes(parent: _Element, blocks: Blocks, titles: list[str]) -> None:
    for shape in find_children(parent, _WRAPPERS):
        name = local_name(shape)
        for label in (*shape.iterfind("{*}cNvPr"), *shape.iterfind("*/{*}cNvPr")):  # of the group, of the shape
            blocks.paragraph(describe_picture(label.get("descr")))
        if name == "sp":
            place = shape.find("{*}nvSpPr/{*}nvPr/{*}ph")
            kind = str(place.get("type", "body")) if place is not None else ""
            if kind not in _FURNITURE:
                _read_shape(shape, kind, blocks, titles)
        elif name == "graphicFrame":
            for table in shape.iterfind("{*}graphic/{*}graphicData/{*}tbl"):
                blocks.table([_read_cell(cell) for cell in row.iterfind("{*}tc")] for row in table.iterfind("{*}tr"))


def _read_cell(cell: _Element) -> Cell:
    return Cell(_read_text(cell), whole_number(cell, "rowSpan", 1), whole_number(cell, "gridSpan", 1))


def _read_shape(shape: _Element, kind: str, blocks: Blocks, titles: list[str]) -> None:
    paragraphs = [(paragraph, _read_text(paragraph)) for paragraph in shape.iterfind("{*}txBody/{*}p")]
    if kind in _TITLES:
        title = " ".join(" ".join(text.split()) for _, text in paragraphs if text.strip())
        if title:
            titles.append(title)
            blocks.heading(title, 2)
        return
    several = sum(bool(text.strip()) for _, text in paragraphs) > 1
    counter = Counter()
    for paragraph, text in paragraphs:
        depth = min(max(whole_number(paragraph.find("{*}pPr"), "lvl", 0), 0), LEVELS - 1)
        text = f"{_find_number(paragraph, depth, counter)} {text}" if text.strip() else ""
        # The lines of a slide's body are a list, if of more than one.
        if kind and several:
            blocks.item(text, depth)
        else:
            blocks.paragraph(text)


def _find_number(paragraph: _Element, depth: int, counter: Counter) -> str:
    """The number of the next paragraph of a shape, where it is one of a numbered list's; empty where not."""
    mark = paragraph.find("{*}pPr/{*}buAutoNum")
    kind = _NUMBERED.fullmatch(mark.get("type") or "") if mark is not None else None
    if kind is None:
        counter.restart(depth)
        return ""
    start = min(max(whole_number(mark, "startAt", 1), 1), HIGHEST)
    before, after = _AROUND_NUMBERS[kind["around"]]
    return counter.count(depth, {depth: Level(start, _FORMS[kind["form"]], f"{before}%{depth + 1}{after}")})


def _read_text(element: _Element) -> str:
    parts: list[str] = []
    for part in element.iterdescendants():
        name = local_name(part)
        if name == "t":
            properties = part.getparent().find("{*}rPr")
            raised = whole_number(properties, "baseline", 0) if properties is not None else 0
            text = part.text or ""
            parts += raise_text("".join(parts[-3:]), text, is_raised=raised > 0) if raised and text.strip() else [text]
        elif name == "br":
            parts.append("\n")
        elif name == "p" and parts:
            parts.append(" ")
    return "".join(parts)
