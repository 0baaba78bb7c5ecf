"""Tables that ruling lines make: grids, whose cells may span others, and forms, label by label.

But: where lines make no grid, pdf_tables.py looks at how cells stand under each other.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from itertools import pairwise

from index.loading.formats.pdf_letters import Lines, Piece
from index.loading.formats.pdf_rows import HEADER_ROWS, NEAR, YEAR, Part, Row, find_cells, find_rows, is_number

_MOST_CELLS = 20_000  # of a grid
_MOST_RULES = 800  # of a page whose grids are looked for
_MOST_SPANNED = 400  # places of a grid that one cell stands in
_SPREAD_CHARACTERS = 80  # of a cell that is written in each place that it spans


def take_grids(pieces: list[Piece], lines: Lines, grids: list[list[Part]]) -> list[Piece]:
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
            if box[0] <= frame[2] + NEAR
            and box[2] >= frame[0] - NEAR
            and box[1] <= frame[3] + NEAR
            and box[3] >= frame[1] - NEAR
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
        if len(inner) > 2 and sum(len(find_cells(line)) > 1 for line in inner) * 2 > len(inner):
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
    numbers = sum(is_number(" ".join(piece.text.strip() for piece in line)) for line in lines)
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
    for number, row in enumerate(rows[:HEADER_ROWS], 1):
        held = [place for place in cells if place[0] == row]
        if any(_is_value(cells[place]) for place in held):
            return min(depth, number)
        depth = max([depth, number, *(sum(other <= spans[place][0] for other in rows) for place in held)])
        if depth == number and not any(spans[place][1] > place[1] for place in held):
            return depth if depth < len(rows) else 1
    return 1


def _is_value(pieces: list[Piece]) -> bool:
    text = " ".join(piece.text.strip() for piece in pieces)
    return is_number(text) and not YEAR.fullmatch(text)


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
    return any(abs(at - place) <= NEAR and start - 1 <= along <= end + 1 for at, start, end in lines)


def _merge_edges(edges: list[float]) -> list[float]:
    merged: list[float] = []
    for edge in sorted(edges):
        if not merged or edge - merged[-1] > NEAR:
            merged.append(edge)
    return merged
