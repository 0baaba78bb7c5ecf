"""How a page of a PDF is read: columns one after the other, tables row by row, the rest as pdfium gives it.

Columns are told by a gutter that no line crosses, with prose on both sides, or with lines on both that are drawn one
side after the other, at heights of their own. Tables are told by ruling lines that make a
grid, and by cells that stand under each other.

But: where these signs are weak, pdfium's order stays.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from index.loading.formats.pdf_letters import Lines, Piece

_DEEPEST = 3  # columns within columns
_FEWEST_LINES = 4  # of a column of prose
_FEWEST_DRAWN = 3  # the same, where one column is drawn after the other
_MOST_LEVEL = 0.6  # of the lines of two columns that are drawn one after the other, that stand side by side
_PROSE_CHARACTERS = 18  # of half of a column's lines, at least
_PARTING_GAP = 2.5  # of a line's height, between what is above columns and the columns
_SHORT_CELL = 40  # characters of a cell in a table of two columns of words
_WORD_GAP = 0.4  # of a line's height, between two words
_LEVEL = 1.0  # points between lines that stand side by side
_NEAR = 3.0  # points between edges that are one edge
_MOST_CANDIDATES = 30  # of gutters
_MOST_CELLS = 20_000  # of a grid
_MOST_COLUMNS = 60
_MOST_RULES = 800  # of a page whose grids are looked for
_MOST_SPANNED = 400  # places of a grid that one cell stands in
_SPREAD_CHARACTERS = 80  # of a cell that is written in each place that it spans
_MOST_WRAPPED = 6  # further lines of one cell
_LARGER = 1.15  # than a table's letters, from which a line is a heading that ends it
_HEADER_ROWS = 6
_HEADER_CHARACTERS = 60  # of a header's line in one column
_MOST_LABELS = 8  # rows without values, one after the other, within a table
_CURRENCIES = ("$", "€", "£", "¥")
_CLOSERS = frozenset((")", "%", ")%", "%)", "]"))
_AROUND_NUMBER = " \u00a0$€£¥()[]%+-–—−*†‡"
_NUMBER = re.compile(r"\d[\d.,'\s]*+(?:[A-Za-z]{1,2})?+(?:\s?\(\d\))?+")
_NO_NUMBER = frozenset(("n/a", "na", "nm", "n.m.", "n.a."))
_MARK = re.compile(r"(?:\([0-9a-z*]{1,2}\)|[0-9*\u2020\u2021]{1,2})(?:\s?,?\s?\([0-9a-z*]{1,2}\)){0,3}")
_YEAR = re.compile(r"(?:19|20)\d\d")

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
class _Cell:
    pieces: list[Piece]
    text: str = field(init=False)
    left: float = field(init=False)
    right: float = field(init=False)
    is_number: bool = field(init=False)

    def __post_init__(self) -> None:
        self.text = " ".join(piece.text.strip() for piece in self.pieces)
        self.left = min(piece.left for piece in self.pieces)
        self.right = max(piece.right for piece in self.pieces)
        self.is_number = _is_number(self.text)


def lay_out(pieces: list[Piece], lines: Lines) -> list[Part]:
    """The parts of a page, in the order in which they are read."""
    grids: list[list[Part]] = []
    pieces = _take_grids(pieces, lines, grids)
    return _read_region(pieces, lines, grids, _DEEPEST)


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


def _read_region(pieces: Sequence[Piece], lines: Lines, grids: list[list[Part]], depth: int) -> list[Part]:
    rows = find_rows(pieces)
    gutter = _find_gutter(rows, lines) if depth and len(rows) >= _FEWEST_DRAWN else None
    if not gutter:
        return _read_column(rows, grids)
    first, last, x = gutter
    middle = [piece for row in rows[first:last] for piece in row]
    areas = (
        [piece for row in rows[:first] for piece in row],
        [piece for piece in middle if piece.left < x],
        [piece for piece in middle if piece.left >= x],
        [piece for row in rows[last:] for piece in row],
    )
    return [part for area in areas if area for part in _read_region(area, lines, grids, depth - 1)]


# -- columns ----------------------------------------------------------------------------------


def _find_gutter(rows: list[Row], lines: Lines) -> tuple[int, int, float] | None:
    """The first row, the row after the last, and the place, of the longest gutter between two columns."""
    edges = Counter(round(piece.left / 2) for row in rows for piece in row[1:] or row)
    found: tuple[int, int, float] | None = None
    for edge, count in edges.most_common(_MOST_CANDIDATES):
        if count < _FEWEST_DRAWN:
            break
        x = 2 * edge - 2.5
        first = 0
        for place in range(len(rows) + 1):
            if place < len(rows) and not any(piece.left < x < piece.right - 1 for piece in rows[place]):
                continue
            for start, end in {_trim(rows, first, place, x), _trim_drawn(rows, first, place, x)}:
                if end - start > (found[1] - found[0] if found else _FEWEST_DRAWN - 1) and (
                    _is_gutter(rows[start:end], x, lines) or _is_drawn_apart(rows[start:end], x, lines)
                ):
                    found = (start, end, x)
            first = place + 1
    return found


def _trim(rows: list[Row], first: int, last: int, x: float) -> tuple[int, int]:
    """The rows beside a gutter without those before and after a wide gap that are on one side only."""
    is_shared = [row[0].left < x <= row[-1].left for row in rows[first:last]]
    if not any(is_shared):
        return first, last
    top, bottom = first + is_shared.index(True), last - 1 - is_shared[::-1].index(True)
    for place in range(top, first, -1):
        if rows[place - 1][0].middle - rows[place][0].middle > _PARTING_GAP * rows[place][0].size:
            first = place
            break
    for place in range(bottom + 1, last):
        if rows[place - 1][0].middle - rows[place][0].middle > _PARTING_GAP * rows[place][0].size:
            return first, place
    return first, last


def _trim_drawn(rows: list[Row], first: int, last: int, x: float) -> tuple[int, int]:
    """The rows beside a gutter without those before and after that are on one side, and drawn out of its order."""
    orders = [
        (
            min((piece.order for piece in row if piece.left >= x), default=-1.0),
            max((piece.order for piece in row if piece.left < x), default=-1.0),
        )
        for row in rows[first:last]
    ]
    begin = min((right for right, _ in orders if right >= 0), default=0)
    while last > first and orders[last - 1 - first][0] < 0 and orders[last - 1 - first][1] > begin:
        last -= 1
        orders.pop()
    end = max((left for _, left in orders), default=0)
    start = 0
    while first + start < last and orders[start][1] < 0 and orders[start][0] < end:
        start += 1
    return first + start, last


def _is_drawn_apart(rows: list[Row], x: float, lines: Lines) -> bool:
    """Whether what is left of a gutter is all drawn before what is right of it, and is not its labels."""
    pieces = [[p for row in rows for p in row if (p.left < x) == is_left] for is_left in (True, False)]
    if not all(pieces) or max(p.order for p in pieces[0]) > min(p.order for p in pieces[1]):
        return False
    if any(p.is_filled_in for side in pieces for p in side):
        return False
    sides = [find_rows(side) for side in pieces]
    if min(map(len, sides)) < _FEWEST_DRAWN:
        return False
    # Numbers stand beside their labels.
    if any(2 * sum(any(map(_is_wordy, row)) for row in side) <= len(side) for side in sides):
        return False
    top, bottom = max(side[0][0].top for side in sides), min(side[-1][0].bottom for side in sides)
    shared = min(side[0][0].top for side in sides) - max(side[-1][0].bottom for side in sides)
    if shared < 0.25 * (top - bottom):
        return False
    if sum(left < x - _NEAR and right > x + _NEAR and bottom < y < top for y, left, right in lines.across) > 1:
        return False
    # A table that is drawn column by column has its cells side by side.
    bases = [p[0].bottom for p in sides[1]]
    level = sum(any(abs(row[0].bottom - base) < _LEVEL for base in bases) for row in sides[0])
    return level <= _MOST_LEVEL * min(map(len, sides))


def _is_wordy(piece: Piece) -> bool:
    return sum(map(str.isalpha, piece.text)) > 2


def _is_gutter(rows: list[Row], x: float, lines: Lines) -> bool:
    sides = [
        [row for row in ([p for p in row if (p.left < x) == is_left] for row in rows) if row]
        for is_left in (True, False)
    ]
    if min(map(len, sides)) < _FEWEST_LINES:
        return False
    tops = [side[0][0].top for side in sides]
    bottoms = [side[-1][0].bottom for side in sides]
    top, bottom = min(tops), max(bottoms)
    if top - bottom < 0.25 * (max(tops) - min(bottoms)):
        return False
    if not all(map(_is_prose, sides)):
        return False
    if sum(left < x - _NEAR and right > x + _NEAR and bottom < y < top for y, left, right in lines.across) > 1:
        return False
    # The rows of a table of words have their gaps at the same height on both sides.
    left, right = map(_find_gaps, sides)
    shared = sum(any(abs(y - other) < _NEAR for other in right) for y in left)
    return shared < 2 or 10 * shared < 7 * max(len(left), len(right))


def _is_prose(side: list[Row]) -> bool:
    """Whether most lines are of words, and reach from edge to edge."""
    texts = ["".join(piece.text for piece in row) for row in side]
    if median(map(len, texts)) < _PROSE_CHARACTERS:
        return False
    whole = "".join(texts)
    if sum(map(str.isalpha, whole)) < 0.6 * len(whole):
        return False
    if median(len(piece.text) for row in side for piece in row) < _PROSE_CHARACTERS:
        return False
    lefts, rights = [row[0].left for row in side], [row[-1].right for row in side]
    width = max(rights) - min(lefts)
    return sum(right - left > 0.6 * width for left, right in zip(lefts, rights, strict=True)) * 2 > len(side)


def _find_gaps(side: list[Row]) -> list[float]:
    """The heights at which lines stand further apart than most."""
    steps = [(above[0].middle - below[0].middle, below[0].middle) for above, below in pairwise(side)]
    usual = median(step for step, _ in steps)
    return [y for step, y in steps if step > 1.3 * usual]


# -- grids ------------------------------------------------------------------------------------


def _take_grids(pieces: list[Piece], lines: Lines, grids: list[list[Part]]) -> list[Piece]:
    """The pieces, with one that stands for each ruled table in place of the table's own."""
    for left, bottom, right, top in _find_frames(lines):
        inside = [p for p in pieces if left - 1 < (p.left + p.right) / 2 < right + 1 and bottom < p.middle < top]
        parts = _read_grid(inside, lines, (left, bottom, right, top))
        if parts:
            taken = {id(piece) for piece in inside}
            pieces = [piece for piece in pieces if id(piece) not in taken]
            size = inside[0].size
            grids.append(parts)
            pieces.append(
                Piece("", -len(grids), 0, left, top - size, right, top, size, -1, min(part.order for part in parts))
            )
    return pieces


def _find_frames(lines: Lines) -> list[tuple[float, float, float, float]]:
    """The bounds of ruling lines that touch each other, where they lie and stand."""
    boxes = [(left, y, right, y) for y, left, right in lines.across]
    boxes += [(x, bottom, x, top) for x, bottom, top in lines.upright]
    if not lines.upright or not lines.across or len(boxes) > _MOST_RULES:
        return []
    frames: list[list[float]] = []
    for box in sorted(boxes):
        touching = [
            frame
            for frame in frames
            if box[0] <= frame[2] + _NEAR
            and box[2] >= frame[0] - _NEAR
            and box[1] <= frame[3] + _NEAR
            and box[3] >= frame[1] - _NEAR
        ]
        kept = list(box)
        for frame in touching:
            kept = [
                min(kept[0], frame[0]), min(kept[1], frame[1]), max(kept[2], frame[2]), max(kept[3], frame[3])
            ]  # fmt: skip
            frames.remove(frame)
        frames.append(kept)
    return [
        (left, bottom, right, top) for left, bottom, right, top in frames if right - left > 20 and top - bottom > 12
    ]


def _read_grid(inside: list[Piece], lines: Lines, bounds: tuple[float, float, float, float]) -> list[Part]:
    """What is ruled within these bounds: a table, with what stands above it, or a form's labels and values."""
    left, bottom, right, top = bounds
    across = [line for line in lines.across if bottom - 1 <= line[0] <= top + 1 and line[1] < right and line[2] > left]
    upright = [
        line for line in lines.upright if left - 1 <= line[0] <= right + 1 and line[1] < top and line[2] > bottom
    ]
    xs = _merge_edges([left, right, *(x for x, _, _ in upright)])
    ys = _merge_edges([bottom, top, *(y for y, _, _ in across)])[::-1]
    if len(xs) < 3 or len(ys) < 3 or (len(xs) - 1) * (len(ys) - 1) > _MOST_CELLS:
        return []
    cells: dict[tuple[int, int], list[Piece]] = {}
    for piece in inside:
        column = sum(x <= (piece.left + piece.right) / 2 for x in xs[1:-1])
        row = sum(y >= piece.middle for y in ys[1:-1])
        # A cell begins where a line stands to its left, and lies above it.
        while column and not _has_line(upright, xs[column], piece.middle):
            column -= 1
        while row and not _has_line(across, ys[row], (piece.left + piece.right) / 2):
            row -= 1
        cells.setdefault((row, column), []).append(piece)
    columns = sorted({column for _, column in cells})
    numbers = sorted({row for row, _ in cells})
    letters = sum(len(piece.text) for piece in inside)
    most = max((sum(len(piece.text) for piece in cell) for cell in cells.values()), default=0)
    # What only frames a page, a box or another table is no table.
    for cell in cells.values():
        inner = find_rows(cell)
        if len(inner) > 2 and sum(len(_find_cells(line)) > 1 for line in inner) * 2 > len(inner):
            return []
    if len(columns) < 2 or len(numbers) < 2 or 2 * len(cells) < len(columns) * len(numbers):
        return []
    if most > 600 and 2 * most > letters:
        return []
    if any(map(_is_stacked, cells.values())):
        return _read_stacked(cells)
    form = _read_form(cells)
    if form:
        return form
    grid = _Grid(xs, ys, upright, across)
    return _write_grid(cells, grid, numbers, columns)


def _is_stacked(cell: list[Piece]) -> bool:
    """Whether a cell holds numbers one above the other, so that it is of several rows that no lines part."""
    lines = [line for line in find_rows(cell) if line[0].size > 0.85 * cell[0].size]
    numbers = sum(_is_number(" ".join(piece.text.strip() for piece in line)) for line in lines)
    return numbers > 1 and 2 * numbers > len(lines)


def _read_stacked(cells: dict[tuple[int, int], list[Piece]]) -> list[Part]:
    """A table that is ruled, but not between all of its rows: those begin where numbers stand."""
    columns = sorted({column for _, column in cells})
    table = []
    for row in sorted({row for row, _ in cells}):
        held = {column: cell for (other, column), cell in cells.items() if other == row}
        starts = [line[0].top for line in find_rows(p for cell in held.values() if _is_stacked(cell) for p in cell)]
        written: list[dict[int, list[Piece]]] = [{} for _ in starts or [0]]
        for column, cell in held.items():
            for piece in cell:
                number = max(sum(piece.middle < top for top in starts) - 1, 0)
                written[number].setdefault(column, []).append(piece)
        table += [[_in_lines(line.get(column, [])) for column in columns] for line in written]
    return [Part(table, is_table=True)] if len(columns) > 1 and len(table) > 1 else []


def _write_grid(
    cells: dict[tuple[int, int], list[Piece]], grid: _Grid, numbers: list[int], columns: list[int]
) -> list[Part]:
    """A ruled table, in which a cell's words stand in each row and column that it spans; above it, what spans all.

    A label that spans columns is written once.
    """
    spans = {place: grid.find_span(place, cells) for place in cells}
    rows = {row: [place for place in cells if place[0] == row] for row in numbers}
    alone = {
        row: row_places[0]
        for row, row_places in rows.items()
        if len(row_places) == 1 and row_places[0][1] == columns[0] and spans[row_places[0]][1] >= columns[-1]
    }
    first = next((number for number, row in enumerate(numbers) if row not in alone), len(numbers))
    above = [Part([[line] for line in find_rows(cells[alone[row]])]) for row in numbers[:first]]
    numbers = numbers[first:]
    depth = _count_header(cells, spans, numbers)
    header = set(numbers[:depth])
    spread: dict[tuple[int, int], list[Piece]] = {}
    for (row, column), pieces in cells.items():
        last_row, last_column = spans[row, column]
        if sum(len(piece.text) for piece in pieces) > _SPREAD_CHARACTERS:
            last_row, last_column = row, column
        if row not in header and column == columns[0]:
            last_column = column
        for over in range(row, last_row + 1):
            for beside in range(column, last_column + 1):
                spread[over, beside] = _in_lines(pieces)
    table = [
        [_in_lines(cells[alone[row]])] if row in alone else [spread.get((row, column), []) for column in columns]
        for row in numbers
    ]
    if depth > 1 and not header & set(alone):
        table[:depth] = [_join_rows(table[:depth])]
    if len(table) < 2:
        return [*above, *(Part([[cell]]) for row in table for cell in row if cell)]
    return [*above, Part(table, is_table=True)]


def _count_header(
    cells: dict[tuple[int, int], list[Piece]], spans: dict[tuple[int, int], tuple[int, int]], rows: list[int]
) -> int:
    """How many rows the header of a ruled table has, whose upper cells span columns of its last row."""
    depth = 1
    for number, row in enumerate(rows[:_HEADER_ROWS], 1):
        held = [place for place in cells if place[0] == row]
        if any(_is_value(cells[place]) for place in held):
            return min(depth, number)
        depth = max([depth, number, *(sum(other <= spans[place][0] for other in rows) for place in held)])
        if depth == number and not any(spans[place][1] > place[1] for place in held):
            return depth if depth < len(rows) else 1
    return 1


def _is_value(pieces: list[Piece]) -> bool:
    text = " ".join(piece.text.strip() for piece in pieces)
    return _is_number(text) and not _YEAR.fullmatch(text)


def _join_rows(rows: list[list[list[Piece]]]) -> list[list[Piece]]:
    """The rows of a header as one; what spans rows stands in it once."""
    joined = []
    for cells in zip(*rows, strict=True):
        parts: list[list[Piece]] = []
        for cell in cells:
            if cell and not any(cell[0] is part[0] for part in parts):
                parts.append(cell)
        joined.append([piece for part in parts for piece in part])
    return joined


def _in_lines(cell: list[Piece]) -> list[Piece]:
    return [piece for line in find_rows(cell) for piece in line]


def _read_form(cells: dict[tuple[int, int], list[Piece]]) -> list[Part]:
    """The labels and values of a ruled form, cell by cell or pair by pair, from its first row on; none for a table."""
    lines = {place: find_rows(cell) for place, cell in sorted(cells.items())}
    first_row = min(row for row, _ in cells)
    labelled = {place for place, cell in lines.items() if _begins_with_label(cell)}
    if 2 * len(labelled) > len(lines) and 2 * sum(row == first_row for row, _ in labelled) > sum(
        row == first_row for row, _ in lines
    ):
        return [Part([[_in_lines(cells[place])]]) for place in lines]
    columns = sorted({column for _, column in cells})
    names = {
        column for column in columns if all(_is_label(cell) for place, cell in cells.items() if place[1] == column)
    }
    if (
        not names
        or columns[0] not in names
        or any(first in names and second in names for first, second in pairwise(columns))
        or any(first not in names and second not in names for first, second in pairwise(columns))
        or any(_is_label(cell) for (_, column), cell in cells.items() if column not in names)
    ):
        return []
    rows: list[list[Piece]] = []
    for (_, column), cell in sorted(cells.items()):
        if column in names or not rows:
            rows.append([])
        rows[-1] += _in_lines(cell)
    return [Part([[row]]) for row in rows]


def _begins_with_label(lines: list[Row]) -> bool:
    """Whether a cell's first line is a label: smaller than the next, or bold where that is not, or ended by a colon."""
    if len(lines) < 2:
        return False
    first, second = lines[0][0], lines[1][0]
    return (
        first.size < 0.87 * second.size
        or (first.is_bold and not second.is_bold)
        or lines[0][-1].text.rstrip().endswith(":")
    )


def _is_label(cell: list[Piece]) -> bool:
    return all(piece.is_bold for piece in cell) or cell[-1].text.rstrip().endswith(":")


@dataclass(slots=True)
class _Grid:
    """Ruling lines. xs, ys: where they stand, from left to right, and lie, from top to bottom."""

    xs: list[float]
    ys: list[float]
    upright: list[tuple[float, float, float]]
    across: list[tuple[float, float, float]]

    def find_span(self, place: tuple[int, int], cells: Container[tuple[int, int]]) -> tuple[int, int]:
        """The last row and the last column of the cell that begins at a row and column; the lines must close it."""
        row, column = place
        middle, height = self._middle(self.xs, column), self._middle(self.ys, row)
        last_row, last_column = row, column
        while last_column < len(self.xs) - 2 and not _has_line(self.upright, self.xs[last_column + 1], height):
            last_column += 1
        while last_row < len(self.ys) - 2 and not _has_line(self.across, self.ys[last_row + 1], middle):
            last_row += 1
        is_closed = (
            _has_line(self.upright, self.xs[last_column + 1], height)
            and _has_line(self.across, self.ys[last_row + 1], middle)
            and _has_line(self.across, self.ys[row], middle)
            and (not column or _has_line(self.upright, self.xs[column], height))
        )
        covered = [(r, c) for r in range(row, last_row + 1) for c in range(column, last_column + 1)]
        if not is_closed or len(covered) > _MOST_SPANNED or any(other in cells for other in covered[1:]):
            return place
        return last_row, last_column

    @staticmethod
    def _middle(edges: list[float], number: int) -> float:
        return (edges[number] + edges[number + 1]) / 2


def _has_line(lines: list[tuple[float, float, float]], place: float, along: float) -> bool:
    return any(abs(at - place) <= _NEAR and start - 1 <= along <= end + 1 for at, start, end in lines)


def _merge_edges(edges: list[float]) -> list[float]:
    merged: list[float] = []
    for edge in sorted(edges):
        if not merged or edge - merged[-1] > _NEAR:
            merged.append(edge)
    return merged


# -- tables without a grid ----------------------------------------------------------------------


def _read_column(rows: list[Row], grids: list[list[Part]]) -> list[Part]:
    """The tables and lines of one column."""
    parts: list[Part] = []
    rest: list[Piece] = []
    cells = [[] if any(piece.start < 0 for piece in row) else _find_cells(row) for row in rows]
    rows, cells = _join_wrapped(rows, cells)
    kinds = _tell_rows(cells)
    place = 0
    before = (0, 0)  # the rows of the table before
    while place < len(rows):
        table = _read_table(rows, cells, kinds, place) if kinds[place] else None
        if table:
            start, end, part = table
            if start < before[1] and parts and _is_header(cells[before[0] : before[1]]) and start <= before[0]:
                parts.pop()
            elif start < before[1]:
                start = before[1]
                part = _write_table(rows, cells, kinds, start, end)
            # Header rows were passed as lines before the table was met.
            heads = {id(piece) for row in rows[start:place] for piece in row}
            rest = [piece for piece in rest if id(piece) not in heads]
            parts.append(part)
            before = (start, end)
            place = end
            continue
        for piece in rows[place]:
            if piece.start < 0:
                parts += grids[-1 - piece.start]
            else:
                rest.append(piece)
        place += 1
    return _weave(parts, rest)


def _weave(tables: list[Part], rest: list[Piece]) -> list[Part]:
    """Tables and lines in pdfium's order."""
    tables.sort(key=lambda part: part.order)
    woven: list[Part] = []
    rest.sort(key=lambda piece: piece.order)
    place = 0
    for table in tables:
        until = place
        while until < len(rest) and rest[until].order < table.order:
            until += 1
        woven += _join_lines(rest[place:until])
        woven.append(table)
        place = until
    return woven + _join_lines(rest[place:])


def _join_lines(pieces: list[Piece]) -> list[Part]:
    """pdfium's lines."""
    lines: list[list[Piece]] = []
    for piece in pieces:
        if lines and lines[-1][-1].line == piece.line:
            lines[-1].append(piece)
        else:
            lines.append([piece])
    return [Part([[line] for line in lines])] if lines else []


def _is_number(text: str) -> bool:
    if len(text) > 25:
        return False
    bare = text.strip(_AROUND_NUMBER)
    if not bare:
        return any(mark in text for mark in "-–—−%")
    return bool(_NUMBER.fullmatch(bare)) or bare.lower() in _NO_NUMBER


def _find_cells(row: Row) -> list[_Cell]:
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
    return [_Cell(group) for group in groups]


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
    return gap < (3 if is_raised else 1.2) * last.size and (is_raised or not _is_number(last.text.strip()))


def _join_wrapped(rows: list[Row], cells: list[list[_Cell]]) -> tuple[list[Row], list[list[_Cell]]]:
    """The rows of a column and their cells, the further lines of wrapped cells joined to the row that they belong to.

    A label that stands in the middle beside two rows is written in both.
    """
    joined_rows: list[Row] = []
    joined: list[list[_Cell]] = []
    place = 0
    while place < len(rows):
        row, row_cells = rows[place], cells[place]
        if _is_between(rows, cells, place + 1):
            upper, label, lower = cells[place : place + 3]
            if len(upper) > 1 and len(label) == 1 and _count_aligned(lower, upper) > 1:
                joined_rows += ([*row, *rows[place + 1]], [*rows[place + 2], *rows[place + 1]])
                joined += ([*label, *upper], [*label, *lower])
                place += 3
                continue
            if len(upper) <= len(label) and all(_find_above(cell, upper) for cell in lower):
                row = [*rows[place + 1], *row, *rows[place + 2]]
                row_cells = sorted([*label, *_add_lines(upper, lower)], key=lambda cell: cell.left)
                place += 2
            elif len(label) == 1 and label[0].right < lower[0].left:
                joined_rows += (row, [*rows[place + 1], *rows[place + 2]])
                joined += (row_cells, [*label, *lower])
                place += 3
                continue
        count = _count_wrapped(rows, cells, place, joined[-1] if joined else [])
        for number in range(place + 1, place + 1 + count):
            row = [*row, *rows[number]]
            row_cells = _add_lines(row_cells, cells[number])
        joined_rows.append(row)
        joined.append(row_cells)
        place += 1 + count
    return joined_rows, joined


def _is_between(rows: list[Row], cells: list[list[_Cell]], place: int) -> bool:
    """Whether a row stands beside the middle of the one above and the one below, which have nothing in its columns."""
    if not 0 < place < len(rows) - 1 or not all(cells[place - 1 : place + 2]):
        return False
    size = rows[place][0].size
    steps = [rows[number][0].middle - rows[number + 1][0].middle for number in (place - 1, place)]
    return (
        max(steps) < 0.75 * size
        and abs(steps[0] - steps[1]) < 0.15 * size
        and not any(
            cell.left < other.right and other.left < cell.right
            for cell in cells[place]
            for other in (*cells[place - 1], *cells[place + 1])
        )
    )


def _count_wrapped(rows: list[Row], cells: list[list[_Cell]], place: int, above: list[_Cell]) -> int:
    """How many rows after one are the further lines of its cells: nearer to it than the rows of its table are."""
    anchor = cells[place]
    if len(anchor) < 2:
        return 0
    size = rows[place][0].size
    steps = [
        rows[number][0].middle - rows[number + 1][0].middle
        for number in range(place, min(place + _MOST_WRAPPED + 1, len(rows) - 1))
    ]
    count = 0
    label = anchor[0].right
    while (
        count < min(_MOST_WRAPPED, len(steps))
        and 0.5 * size < steps[count] < min(1.35 * size, 1.2 * steps[0])
        and 0 < len(cells[place + count + 1]) < len(anchor)
        and all(any(map(str.isalpha, cell.text)) and _find_above(cell, anchor) for cell in cells[place + count + 1])
    ):
        count += 1
    if not count:
        return 0
    after = cells[place + count + 1] if count < len(steps) else []
    if cells[place + 1][0].left < label and after and after[0].text[:1].islower():
        return 0  # the first line of the next row's label
    around = []  # from this row to those of its table
    if count < len(steps) and _count_aligned(after, anchor) > 1:
        around.append(steps[count])
    if place and len(cells[place - 1]) > 1 and _count_aligned(anchor, above) > 1:
        around.append(rows[place - 1][0].middle - rows[place][0].middle)
    return count if around and min(around) > 1.2 * steps[0] else 0


def _find_above(cell: _Cell, row: list[_Cell]) -> _Cell | None:
    """The cell of a row with whose line another line is level at the left, at the right or in the middle."""
    return next(
        (
            other
            for other in row
            if other.pieces[0].is_bold == cell.pieces[0].is_bold
            and (
                abs(cell.left - other.left) < _NEAR
                or abs(cell.right - other.right) < _NEAR
                or abs(cell.left + cell.right - other.left - other.right) < _NEAR
            )
        ),
        None,
    )


def _add_lines(row: list[_Cell], more: list[_Cell]) -> list[_Cell]:
    """The cells of a row with the further lines of some."""
    added = {id(_find_above(cell, row)): cell for cell in more}
    return [_Cell([*cell.pieces, *added[id(cell)].pieces]) if id(cell) in added else cell for cell in row]


def _tell_rows(cells: list[list[_Cell]]) -> list[str]:
    """For each row "numbers" or "words" where it looks like a table's, or ""."""
    kinds = []
    for place, row in enumerate(cells):
        numbers = sum(cell.is_number for cell in row[1:])
        kind = ""
        if numbers and 2 * numbers >= len(row) - 1:
            kind = "numbers"
        elif len(row) > 2:
            beside = cells[max(place - 2, 0) : place] + cells[place + 1 : place + 3]
            kind = "words" if any(_count_aligned(row, other) > 2 for other in beside) else ""
        kinds.append(kind)
    for place, row in enumerate(cells):
        # Two columns of words need three rows, and short cells.
        around = cells[max(place - 2, 0) : place + 3]
        if not kinds[place] and _is_pair(row):
            kinds[place] = "words" if sum(_is_pair(o) and _count_aligned(row, o) == 2 for o in around) > 2 else ""
    return kinds


def _is_pair(row: list[_Cell]) -> bool:
    return (
        len(row) == 2
        and all(1 < len(cell.text) <= _SHORT_CELL for cell in row)
        and row[1].left - row[0].right > 1.5 * row[0].pieces[0].size
    )


def _count_aligned(row: list[_Cell], other: list[_Cell]) -> int:
    """How many cells of a row begin or end where one of the other begins or ends."""
    return sum(
        any(abs(cell.left - beside.left) < _NEAR or abs(cell.right - beside.right) < _NEAR for beside in other)
        for cell in row
    )


def _read_table(
    rows: list[Row], cells: list[list[_Cell]], kinds: list[str], start: int
) -> tuple[int, int, Part] | None:
    """The table whose first row of values is at `start`: its first row, the row after its last, and what it is."""
    value_left = min(cell.left for cell in cells[start][1:])
    right = max(cell.right for cell in cells[start])
    left = min(cell.left for cell in cells[start])
    end, place = start + 1, start + 1
    size = rows[start][0].size
    has_labels = not cells[start][0].is_number
    largest = max(piece.size for piece in rows[start])
    usual = 0.0  # between rows of values
    while place < len(rows) and place - end < _MOST_LABELS:
        row = cells[place]
        step = min(p.middle for p in rows[place - 1]) - max(p.middle for p in rows[place])
        if not row or step > 4.5 * size:
            break
        # What is larger than a header alone names rows.
        is_larger = len(row) == 1 and rows[place][0].size > _LARGER * largest
        if is_larger and not all(above[-1].is_bold for above in rows[start:end]):
            break
        if _begins_table(rows, cells, start, place) or _is_remark(row, cells[start:end], step, usual, size):
            break
        if kinds[place]:
            largest = max(largest, *(piece.size for piece in rows[place]))
            if place == end and any(map(_is_amount, cells[place - 1])):
                usual = min(usual, step) if usual else step
            # A row whose values all lie elsewhere begins another table.
            if row[-1].right < value_left or row[0].left > right + 2 * size:
                break
            value_left = min([value_left, *(cell.left for cell in row[1:] if cell.is_number or len(row) > 2)])
            left, right = min(left, row[0].left), max(right, row[-1].right)
            has_labels |= not row[0].is_number
            end = place + 1
        elif not has_labels and len(row) == 1 and row[0].right <= left:
            pass
        elif not _fits(row, left, value_left, right, size):
            break
        elif len(row) == 1 and row[0].is_number and row[0].left >= value_left - size:
            end = place + 1
        place += 1
    # A label may end in lines below the last row of values.
    flagged = [row for row, kind in zip(cells[start:end], kinds[start:end], strict=True) if kind]
    if len(flagged) < 2 and (kinds[start] != "numbers" or len(cells[start]) < 3):
        return None
    columns = _find_columns(flagged)
    first = place = start
    while place and start - place < _HEADER_ROWS:
        place -= 1
        if len(cells[place]) == 1 and rows[place][0].size > _LARGER * largest:
            break
        if _heads(cells[place], columns, rows[place], rows[place + 1]):
            first = place
        elif len(cells[place]) != 1 or cells[place][0].right > columns[0][0] or kinds[place + 1] == "words":
            break  # only labels may stand between a header and the first row of values
    if len(flagged) < 2 and not any(
        _lines_up(row, columns) and not any(map(_is_amount, row)) for row in cells[first:start]
    ):
        return None
    return first, end, _write_table(rows, cells, kinds, first, end)


def _begins_table(rows: list[Row], cells: list[list[_Cell]], start: int, place: int) -> bool:
    """Whether a row is the header of another table: bold where the rows above are not, or in columns of its own."""
    row, before = cells[place], cells[start:place]
    last = next((number for number in range(place - 1, start, -1) if len(cells[number]) > 1), start)
    if (
        len(row) > 1
        and not any(cell.is_number for cell in row)
        and all(piece.is_bold for piece in rows[place])
        and not any(piece.is_bold for piece in rows[last])
    ):
        return True
    if len(row) < 3 or sum(len(above) > 1 for above in before) < 3:
        return False  # a header may stand aside of its columns
    return not any(
        cell.left < other.right + _NEAR and other.left < cell.right + _NEAR
        for cell in row[1:]
        for above in before
        for other in above[1:]
    )


def _is_remark(row: list[_Cell], table: list[list[_Cell]], step: float, usual: float, size: float) -> bool:
    """Whether a row is a line of prose below a table: it spans columns, and stands apart or begins to their left."""
    text = row[0].text
    if not any(_is_amount(cell) for cells in table for cell in cells[1:]):
        return False  # what is below a header names rows
    if len(row) > 1 or text.endswith(":") or " " not in text or text.isupper():
        return False
    left, value_left = (
        min(cells[0].left for cells in table if cells),
        min(cells[1].left for cells in table if len(cells) > 1),
    )
    is_apart = step > 1.25 * (usual or 1.5 * size) and (text[-1] in ".!?" or len(text) > _SHORT_CELL)
    return (
        (is_apart or row[0].left < left - 0.5 * size) and row[0].left < value_left and row[0].right > value_left + _NEAR
    )


def _write_table(rows: list[Row], cells: list[list[_Cell]], kinds: list[str], first: int, end: int) -> Part:
    columns = _find_columns([row for row, kind in zip(cells[first:end], kinds[first:end], strict=True) if kind])
    header = _read_spans(cells[first:end], columns, rows[first][0].size)
    if header:
        upper, depth, names = header
        table = _write_rows(cells[first : first + upper], rows[first : first + upper], columns) if upper else []
        table.append(names)
        table += _write_rows(cells[first + depth : end], rows[first + depth : end], columns)
    else:
        table = _write_rows(cells[first:end], rows[first:end], columns)
    filled = {number for row in table if len(row) > 1 for number, cell in enumerate(row) if cell} | {0}
    return Part(
        [[cell for number, cell in enumerate(row) if number in filled] if len(row) > 1 else row for row in table],
        is_table=True,
    )


def _is_header(cells: list[list[_Cell]]) -> bool:
    """Whether rows that were taken for a table are the header of the one below."""
    return len(cells) <= _HEADER_ROWS and not any(
        row[0].text and not row[0].is_number and any(cell.is_number for cell in row[1:]) for row in cells
    )


def _fits(row: list[_Cell], left: float, value_left: float, right: float, size: float) -> bool:
    """Whether a row that is not of values may stand among those that are."""
    if len(row) > 1:
        return all(len(cell.text) <= 60 for cell in row) and row[0].left > left - _NEAR and row[-1].right < right + size
    cell = row[0]
    if cell.right <= value_left or (cell.left >= value_left - size and cell.right <= right + size):
        return cell.left > left - 3 * size
    return cell.text.endswith(":") or cell.right < left + 0.8 * (right - left)


def _find_columns(rows: list[list[_Cell]]) -> list[tuple[float, float]]:
    """The columns of values, from left to right; the cells to the left of them are labels."""
    values = [(cell.right - cell.left, cell, number) for number, row in enumerate(rows) for cell in row[1:]]
    columns: list[tuple[float, float, set[int]]] = []
    for _, cell, number in sorted(values, key=lambda value: value[0]):
        touched = [column for column in columns if cell.left <= column[1] and cell.right >= column[0]]
        held = [row for column in touched for row in column[2]]
        if len(touched) > 1 and (len(held) > len(set(held)) or number in held):
            continue  # it spans columns
        columns = [column for column in columns if column not in touched]
        columns.append(
            (
                min([cell.left, *(column[0] for column in touched)]),
                max([cell.right, *(column[1] for column in touched)]),
                {number, *held},
            )
        )
    return [(left, right) for left, right, _ in sorted(columns, key=lambda column: column[0])]


def _find_places(cell: _Cell, columns: list[tuple[float, float]]) -> list[int]:
    """The numbers of the columns that a cell stands in, from 1; 0 is the labels'."""
    shared = [
        (min(cell.right, right) - max(cell.left, left), number) for number, (left, right) in enumerate(columns, 1)
    ]
    touched = [
        number
        for share, number in shared
        if share > 0.4 * (columns[number - 1][1] - columns[number - 1][0]) or share > 0.9 * (cell.right - cell.left)
    ]
    if touched and cell.left < columns[0][0] and cell.right - cell.left > 2 * (columns[0][1] - columns[0][0]):
        return [0]
    if touched:
        return touched
    if cell.left < columns[0][0] and (cell.left + cell.right) / 2 < columns[0][0]:
        return [0]
    middle = (cell.left + cell.right) / 2
    return [min(range(1, len(columns) + 1), key=lambda number: abs(sum(columns[number - 1]) / 2 - middle))]


def _heads(row: list[_Cell], columns: list[tuple[float, float]], above: Row, below: Row) -> bool:
    """Whether a row stands over the columns as a header does."""
    size = below[0].size
    if not row or above[0].middle - below[0].middle > 2.6 * size:
        return False
    edge, end = columns[0][0] - 1.5 * size, columns[-1][1] + 2 * size
    over = [cell for cell in row if (cell.left >= edge and cell.right <= end) or _is_over_one(cell, columns)]
    if any(len(cell.text) > 80 for cell in row):
        return False
    return (
        _lines_up(row, columns)
        or len(over) == len(row)
        or (len(over) == len(row) - 1 > 0 and row[0].right < columns[0][0])
    )


def _lines_up(row: list[_Cell], columns: list[tuple[float, float]]) -> bool:
    """Whether a row has one short cell for each column, near it, and a label at most."""
    if len(columns) < 2 or not 0 <= len(row) - len(columns) <= 1:
        return False
    middles = [(left + right) / 2 for left, right in columns]
    reach = min(after - before for before, after in pairwise(middles)) / 2
    values = row[-len(columns) :]
    return all(len(cell.text) <= _SHORT_CELL for cell in values) and all(
        abs((cell.left + cell.right) / 2 - middle) < reach for cell, middle in zip(values, middles, strict=True)
    )


def _is_over_one(cell: _Cell, columns: list[tuple[float, float]]) -> bool:
    """Whether a cell stands in the middle over a column that is narrower than it."""
    return any(abs((cell.left + cell.right) - (left + right)) < 4 * _NEAR for left, right in columns)


def _write_rows(
    cells: list[list[_Cell]], rows: list[Row], columns: list[tuple[float, float]]
) -> list[list[list[Piece]]]:
    table: list[list[list[Piece]]] = []
    in_header = True
    above: list[list[Piece]] | None = None  # a row of the header that the next may go on with
    label: list[list[Piece]] | None = None  # a row that has only a label
    for number, row in enumerate(cells):
        places = [_find_places(cell, columns) for cell in row]
        if _lines_up(row, columns) and (in_header or row[0].is_number):
            # One cell for each column, though a little aside.
            places = [[number] for number in range(len(columns) + 1 - len(row), len(columns) + 1)]
        written: list[list[Piece]] = [[] for _ in range(len(columns) + 1)]
        for cell, place in zip(row, places, strict=True):
            written[place[0]] += cell.pieces
        has_values = any(written[1:])
        spans = any(len(place) > 1 for place in places) or (
            in_header and len(row) == 1 and not row[0].is_number and _is_wide(row[0], places[0], columns)
        )
        if written[0] and any(cell.is_number and not _YEAR.fullmatch(cell.text) for cell in row[1:]):
            in_header = False
        step = rows[number - 1][0].middle - rows[number][0].middle if number else 0.0
        is_near = step < 1.7 * rows[number][0].size
        if not has_values or (len(row) == 1 and spans):
            pieces = [piece for cell in row for piece in cell.pieces]
            if not spans and is_near and table and _goes_on(table[-1][0], pieces):
                table[-1][0].extend(pieces)
            else:
                table.append([pieces])
                label = table[-1] if not spans else None
            above = None
            continue
        if in_header and above and is_near and not spans and _joins_header(above, written):
            for upper, lower in zip(above, written, strict=True):
                upper += lower
            continue
        if label is not None and label is table[-1] and is_near and written[0] and _goes_on(label[0], written[0]):
            written[0] = label[0] + written[0]
            table.pop()
        table.append(written)
        label = None
        above = written if in_header and not spans else None
    return table


def _read_spans(
    cells: list[list[_Cell]], columns: list[tuple[float, float]], size: float
) -> tuple[int, int, list[list[Piece]]] | None:
    """The header of a table in which upper cells span columns, as one row with their words over each of those.

    Before it, the first of its rows, and the row after its last.
    """
    if len(columns) < 3:
        return None
    for last in range(1, min(_HEADER_ROWS, len(cells) - 1)):
        if not all(map(_is_name, (*cells[last - 1], *cells[last]))):
            return None
        lowest = cells[last][-len(columns) :]
        if not 0 <= len(cells[last]) - len(columns) <= 1 or [_find_places(cell, columns)[0] for cell in lowest] != [
            *range(1, len(columns) + 1)
        ]:
            continue
        edges = [
            (min(cell.left, left), max(cell.right, right)) for cell, (left, right) in zip(lowest, columns, strict=True)
        ]
        labels = cells[last][: -len(columns)]
        names = [[piece for cell in labels for piece in cell.pieces], *(list(cell.pieces) for cell in lowest)]
        first = last
        while first:
            upper = cells[first - 1]
            label = [cell for cell in upper[:1] if cell.right < edges[0][0]]
            spans = _find_spans(upper[len(label) :], lowest, edges, size)
            if not spans:
                break
            for cell, (begin, end) in zip(upper[len(label) :], spans, strict=True):
                for number in range(begin, end):
                    names[number + 1] = [*cell.pieces, *names[number + 1]]
            names[0] = [piece for cell in label for piece in cell.pieces] + names[0]
            first -= 1
        return (first, last + 1, names) if first < last else None
    return None


def _is_amount(cell: _Cell) -> bool:
    return cell.is_number and not _YEAR.fullmatch(cell.text)


def _is_name(cell: _Cell) -> bool:
    return len(cell.text) <= _HEADER_CHARACTERS and (not cell.text[:1].isdigit() or bool(_YEAR.fullmatch(cell.text)))


def _find_spans(
    row: list[_Cell], below: list[_Cell], edges: list[tuple[float, float]], size: float
) -> list[tuple[int, int]]:
    """For each cell of a header's row the first of the columns that it spans, and the one after the last.

    Each stands over the middle of its columns, or all begin with their first, or are the first lines of cells below.
    None where they do not.
    """
    if not 1 < len(row) < len(edges):
        return []
    single = [
        next((n for n, edge in enumerate(edges) if abs(sum(edge) - cell.left - cell.right) < 2 * _LEVEL), -1)
        for cell in row
    ]
    if min(single) >= 0 and all(below[n].text[:1].islower() or below[n].text[:1] == "(" for n in single):
        return [(n, n + 1) for n in single]
    lefts = [next((n for n, edge in enumerate(edges) if abs(edge[0] - cell.left) < _NEAR), -1) for cell in row]
    spans = [*pairwise([*lefts, len(edges)])]
    if lefts[0] != 0 or not all(
        begin < end and cell.right <= edges[end - 1][1] + _NEAR for cell, (begin, end) in zip(row, spans, strict=True)
    ):
        spans = _find_middles(row, edges, size)
    counts = [end - begin for begin, end in spans]
    # What is in the middle over one column may be that one's alone.
    doubtful = [
        (begin + end - 1 != 2 * n or min(counts) == 1)
        for n, (begin, end) in zip(single, spans, strict=False)
        if n >= 0 and end - begin > 1
    ]
    return spans if max(counts, default=0) > 1 and not any(doubtful) else []


def _find_middles(row: list[_Cell], edges: list[tuple[float, float]], size: float) -> list[tuple[int, int]]:
    """The columns over whose middle each cell of a row stands, one after the other; none where they are not all."""
    spans, begin = [], 0
    for place, cell in enumerate(row):
        rest = len(row) - place - 1
        off = {
            end: abs(edges[begin][0] + edges[end - 1][1] - cell.left - cell.right) / 2
            for end in range(begin + 1, len(edges) - rest + 1)
            if cell.left > edges[begin][0] - 2 * size and cell.right < edges[end - 1][1] + 2 * size
        }
        best = min(off, key=lambda end: off[end], default=0)
        if not best or off[best] > 0.5 * size:
            return []
        spans.append((begin, best))
        begin = best
    return spans if begin == len(edges) else []


def _is_wide(cell: _Cell, places: list[int], columns: list[tuple[float, float]]) -> bool:
    """Whether a cell reaches beyond its column, or stands in the middle over all."""
    if len(columns) < 2 or not places[0]:
        return False
    left, right = columns[places[0] - 1]
    middle = abs(cell.left + cell.right - columns[0][0] - columns[-1][1]) < 4 * _NEAR
    return middle or cell.right - cell.left > 1.6 * (right - left)


def _goes_on(label: list[Piece], more: list[Piece]) -> bool:
    """Whether a label's next line is still the label."""
    before, after = label[-1].text.rstrip() if label else "", more[0].text.lstrip()
    return bool(before) and not before.endswith((":", ".")) and (after[:1].islower() or before.endswith((",", "\x02")))


def _joins_header(above: list[list[Piece]], below: list[list[Piece]]) -> bool:
    """Whether two rows of a header are the lines of one."""
    uppers = [" ".join(piece.text for piece in cell).strip() for cell in above]
    lowers = [" ".join(piece.text for piece in cell).strip() for cell in below]
    if (uppers[0] and lowers[0]) or any(len(text) > _HEADER_CHARACTERS for text in (*uppers, *lowers)):
        return False
    pairs = [(upper, lower) for upper, lower in zip(uppers[1:], lowers[1:], strict=True) if upper]
    if 2 * len(pairs) < sum(map(bool, lowers[1:])) and any(
        _is_number(upper) or not lower[:1].isalpha() for upper, lower in pairs
    ):
        return False  # what spans columns, or stands over one of many
    if any(_is_number(upper) and not _YEAR.fullmatch(upper) for upper, _ in pairs):
        return False
    return not all(_is_number(lower) and not _YEAR.fullmatch(lower) for lower in lowers[1:] if lower)
