"""What stands beside the text of Office files: comments, headers, descriptions of pictures, charts and diagrams."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from index.loading.formats.archive import Archive, attribute
from index.loading.formats.blocks import Blocks, tidy

if TYPE_CHECKING:
    from lxml.etree import _Element

_LONGEST_QUOTE = 200  # characters of the words that a comment is on
_NOBODY = frozenset({"", "author", "unknown author"})  # what programs write where they know no name
_PAGE_NUMBER = re.compile(r"\W*+(?:[^\W\d]{1,10}+\W++)?+\d++(?:\W++(?:[^\W\d]{1,10}+\W++)?+\d++)?+\W*+")
_FILE_NAME = re.compile(r"[^\n]*\.(?:png|jpe?g|gif|bmp|tiff?|svg|[ew]mf|webp)", re.IGNORECASE)


def tell_comment(author: str | None, words: str, text: str) -> str:
    """A comment in a paragraph: who made it, on which words, where these are known; empty where it says nothing."""
    words, text = " ".join(tidy(words[: _LONGEST_QUOTE + 1]).split()), " ".join(tidy(text).split())
    if len(words) > _LONGEST_QUOTE:
        words = f"{words[:_LONGEST_QUOTE].rpartition(' ')[0]} …"
    author = (author or "").strip()
    by = "" if author.lower() in _NOBODY else f" by {author}"
    return f"Comment{by}{f' on “{words}”' if words else ''}: {text}" if text else ""


def write_margins(blocks: Blocks, margins: Iterable[tuple[str, str, bool]]) -> None:
    """Write each line of headers and footers once, but no page numbers, and nothing that the text says itself.

    margins: "Header" or "Footer", the line, and whether a page's number is in it.
    """
    said = {line.lstrip("# -") for line in blocks.text.split("\n")}
    for kind, text, is_numbered in margins:
        line = " ".join(tidy(text).split())
        if line not in said and any(map(str.isalpha, line)) and not (is_numbered and _PAGE_NUMBER.fullmatch(line)):
            said.add(line)
            blocks.paragraph(f"{kind}: {line}")


def describe_picture(text: str | None) -> str:
    """The description that a picture carries for those who do not see it; empty where it only names a file."""
    line = " ".join((text or "").split())
    return f"Picture: {line}" if line and not _FILE_NAME.fullmatch(line) else ""


def read_drawings(archive: Archive, name: str, blocks: Blocks) -> None:
    """Write the charts and diagrams that a part of an Office file refers to, and note what else is not read of it."""
    read: set[str] = set()
    for kind, place in archive.read_relations(name).values():
        if kind in {"chart", "diagramData"} and place not in read:
            root = archive.try_xml(place)
            if root is not None:
                read.add(place)
                (_read_chart if kind == "chart" else _read_diagram)(root, blocks)
    archive.note_unread(name, read)


def _read_chart(root: _Element, blocks: Blocks) -> None:
    """Write a chart's titles, and a line for each of its categories."""
    titles = "; ".join(filter(None, map(_join_words, root.iter("{*}title"))))  # the chart's, then those of its axes
    blocks.paragraph(f"Chart: {titles}" if titles else "")
    lines: dict[tuple[str, str], list[str]] = {}
    for series in root.iter("{*}ser"):
        label = series.findtext("{*}tx//{*}v")
        # Each series names its categories anew, or has its own.
        categories = dict(chain(_read_points(series, "cat"), _read_points(series, "xVal")))
        for index, value in chain(_read_points(series, "val"), _read_points(series, "yVal")):
            category = categories.get(index, "")
            line = lines.setdefault((index, category), [category] if category else [])
            line.append(f"{label}: {value}" if label else value)
    for line in lines.values():
        blocks.item("; ".join(line))


def _read_points(series: _Element, axis: str) -> Iterator[tuple[str, str]]:
    for point in series.iterfind(f"{{*}}{axis}//{{*}}pt"):
        yield attribute(point, "idx") or "", point.findtext("{*}v") or ""


def _read_diagram(root: _Element, blocks: Blocks) -> None:
    for point in root.iterfind("{*}ptLst/{*}pt/{*}t"):
        blocks.item(_join_words(point))


def _join_words(element: _Element) -> str:
    """The words of a drawing's element, paragraph by paragraph, or those that a chart took from its sheet."""
    paragraphs = ("".join(text.text or "" for text in part.iter("{*}t")) for part in element.iter("{*}p"))
    return " ".join(paragraphs) or " ".join(value.text or "" for value in element.iter("{*}v"))
