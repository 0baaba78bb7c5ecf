"""What the layout of a PDF's page is made of: rows of pieces, cells, and the parts that come of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from index.loading.formats.pdf_letters import Piece

_WORD_GAP = 0.4  # of a line's height, between two words
LEVEL = 1.0  # points between lines that stand side by side
NEAR = 3.0  # points between edges that are one edge
_MOST_COLUMNS = 60
HEADER_ROWS = 6
_CURRENCIES = ("$", "€", "£", "¥")
_CLOSERS = frozenset((")", "%", ")%", "%)", "]"))
_AROUND_NUMBER = " \u00a0$€£¥()[]%+-–—−*†‡"
_NUMBER = re.compile(r"\d[\d.,'\s]*+(?:[A-Za-z]{1,2})?+(?:\s?\(\d\))?+")
_NO_NUMBER = frozenset(("n/a", "na", "nm", "n.m.", "n.a."))
_MARK = re.compile(r"(?:\([0-9a-z*]{1,2}\)|[0-9*\u2020\u2021]{1,2})(?:\s?,?\s?\([0-9a-z*]{1,2}\)){0,3}")
YEAR = re.compile(r"(?:19|20)\d\d")

Row = list[Piece]  # from left to right


@dataclass(slots=True)
class Part:
    """Lines that belong together, or a table.

    rows: of cells, each of pieces; a line has one cell.
    """

    rows: list[list[list[Piece]]]
    is_table: bool = False

    @property
    def order(self) -> float:
        """Where it begins in pdfium's order."""
        return min((piece.order for row in self.rows for cell in row for piece in cell), default=0)


@dataclass(slots=True)
class Cell:
    """Pieces of a row that stand close together, and what they say."""

    pieces: list[Piece]
    text: str = field(init=False)
    left: float = field(init=False)
    right: float = field(init=False)
    is_number: bool = field(init=False)

    def __post_init__(self) -> None:
        self.text = " ".join(piece.text.strip() for piece in self.pieces)
        self.left = min(piece.left for piece in self.pieces)
        self.right = max(piece.right for piece in self.pieces)
        self.is_number = is_number(self.text)


def find_rows(pieces: Iterable[Piece]) -> list[Row]:
    """The pieces that stand beside each other, from the top to the bottom of the page."""
    rows: list[Row] = []
    for piece in sorted(pieces, key=lambda piece: -piece.middle):
        first = rows[-1][0] if rows else None
        if first:
            shared = min(first.top, piece.top) - max(first.bottom, piece.bottom)
            if 2 * shared > min(first.top - first.bottom, piece.top - piece.bottom):
                rows[-1].append(piece)
                continue
        rows.append([piece])
    for row in rows:
        row.sort(key=lambda piece: piece.left)
    return rows


def is_number(text: str) -> bool:
    """Whether a cell holds an amount, a share or a year, or says that there is none."""
    if len(text) > 25:
        return False
    bare = text.strip(_AROUND_NUMBER)
    if not bare:
        return any(mark in text for mark in "-–—−%")
    return bool(_NUMBER.fullmatch(bare)) or bare.lower() in _NO_NUMBER


def find_cells(row: Row) -> list[Cell]:
    """A row's cells: a currency's sign stands with its number, and so does what closes it."""
    groups: list[list[Piece]] = []
    joins = False
    if len(row) > _MOST_COLUMNS:
        return []
    for piece in row:
        text = piece.text.strip()
        last = groups[-1][-1] if groups else None
        if last and (joins or piece.is_filled_in or _closes(piece, text, last) or _goes_with(piece, last)):
            groups[-1].append(piece)
        else:
            groups.append([piece])
        joins = text.lstrip("(") in _CURRENCIES
    return [Cell(group) for group in groups]


def _goes_with(piece: Piece, last: Piece) -> bool:
    """Whether a piece is the next word of the one before it, from which pdfium has parted it."""
    gap = piece.left - last.right
    return piece.line == last.line and gap < _WORD_GAP * last.size


def _closes(piece: Piece, text: str, last: Piece) -> bool:
    """Whether a piece closes the cell of the one before it: a bracket, a percent sign, the mark of a note."""
    if text in _CLOSERS:
        return any(map(str.isdigit, last.text))
    if not _MARK.fullmatch(text):
        return False
    gap = piece.left - last.right
    is_raised = piece.size < 0.85 * last.size
    return gap < (3 if is_raised else 1.2) * last.size and (is_raised or not is_number(last.text.strip()))
