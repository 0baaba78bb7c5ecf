"""Running headers, footers and page numbers of a PDF: lines that recur at the edges of its pages.

A line recurs where pages nearby have it at the same height, word for word, or with numbers that count the pages.
But: in a document of one or two pages nothing recurs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from index.loading.formats.pdf_letters import Bounds, Piece
from index.loading.formats.pdf_rows import Row, find_rows

PAGES_AROUND = 4  # that are compared with a page, before it and after it
_EDGE = 0.13  # of a page's height, in which furniture stands
_MOST_ROWS = 4  # of furniture at one edge
_MOST_CHARACTERS = 300
_NEAR = 4.0  # points between lines of the same height
_NUMBERS = re.compile(r"\d++")
_ROMAN = re.compile(r"(?=[ivxl])x{0,4}(?:ix|iv|v?i{0,3})|x?l(?:ix|iv|v?i{0,3})", re.IGNORECASE)
_WORTHLESS = re.compile(r"(?:page|seite|p\.)?[^\w#]*+#[^\w#]*+(?:(?:of|von)?[^\w#]*+#[^\w#]*+)?", re.IGNORECASE)


@dataclass(slots=True)
class Edge:
    """A row at the edge of a page: where it stands, and what it says, numbers set apart."""

    is_top: bool
    middle: float
    words: str
    numbers: tuple[int, ...]
    row: Row


def find_edges(pieces: Sequence[Piece], bounds: Bounds) -> list[Edge]:
    """The rows at the edges of a page, from the outermost inwards, first those at the top."""
    _, bottom, _, top = bounds
    reach = _EDGE * (top - bottom)
    edges = []
    for is_top in (True, False):
        # Where a page is not full, what stands last on it is its footer, however high.
        limit = max((p.bottom for p in pieces), default=0) if is_top else min((p.top for p in pieces), default=0)
        limit = min(limit, top - reach) if is_top else max(limit, bottom + reach)
        rows = find_rows(piece for piece in pieces if (piece.middle >= limit if is_top else piece.middle <= limit))
        for row in (rows if is_top else rows[::-1])[:_MOST_ROWS]:
            text = " ".join(piece.text.strip() for piece in row)
            if len(text) > _MOST_CHARACTERS or any(piece.is_filled_in for piece in row):
                break
            words = _NUMBERS.sub("#", text)
            # What is longer than a page's number is not read as one.
            numbers = tuple(int(number[:9]) for number in _NUMBERS.findall(text))
            if _ROMAN.fullmatch(text):
                words, numbers = "#", (_count_roman(text),)
            edges.append(Edge(is_top, row[0].middle, words, numbers, row))
    return edges


def find_furniture(number: int, pages: dict[int, list[Edge]]) -> list[Edge]:
    """The rows of a page's edges that are furniture. pages: by number, the edges of it and of those around it."""
    found = []
    for is_top in (True, False):
        for edge in (edge for edge in pages[number] if edge.is_top == is_top):
            others = [
                other for other, edges in pages.items() if any(_recurs(edge, far, other - number) for far in edges)
            ]
            if sum(other != number for other in others) < 2:
                break
            found.append(edge)
    return found


def is_worthless(edge: Edge) -> bool:
    """Whether furniture says no more than a page's number."""
    return bool(_WORTHLESS.fullmatch(edge.words)) or not any(map(str.isalpha, edge.words))


def _recurs(edge: Edge, other: Edge, distance: int) -> bool:
    if edge.is_top != other.is_top or edge.words != other.words:
        return False
    steps = {after - before for before, after in zip(edge.numbers, other.numbers, strict=False)} - {0}
    return steps == {distance} or (not steps and abs(edge.middle - other.middle) < _NEAR)


def _count_roman(text: str) -> int:
    values = [{"i": 1, "v": 5, "x": 10, "l": 50}[letter] for letter in text.lower()]
    return sum(-value if value < max(values[place:]) else value for place, value in enumerate(values))
