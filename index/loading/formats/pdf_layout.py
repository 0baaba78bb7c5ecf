"""How a page of a PDF is read: columns one after the other, tables row by row, the rest as pdfium gives it.

Columns are told by a gutter that no line crosses, with prose on both sides, or with lines on both that are drawn one
side after the other, at heights of their own. Tables are told by ruling lines that make a
grid, and by cells that stand under each other.

But: where these signs are weak, pdfium's order stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from index.loading.formats.pdf_grids import take_grids
from index.loading.formats.pdf_letters import Lines, Piece
from index.loading.formats.pdf_rows import LEVEL, NEAR, Part, Row, find_cells, find_rows
from index.loading.formats.pdf_tables import is_header, join_wrapped, read_table, tell_rows, write_table

_DEEPEST = 3  # columns within columns
_FEWEST_LINES = 4  # of a column of prose
_FEWEST_DRAWN = 3  # the same, where one column is drawn after the other
_MOST_LEVEL = 0.6  # of the lines of two columns that are drawn one after the other, that stand side by side
_PROSE_CHARACTERS = 18  # of half of a column's lines, at least
_PARTING_GAP = 2.5  # of a line's height, between what is above columns and the columns
_MOST_CANDIDATES = 30  # of gutters


def lay_out(pieces: list[Piece], lines: Lines) -> list[Part]:
    """The parts of a page, in the order in which they are read."""
    grids: list[list[Part]] = []
    pieces = take_grids(pieces, lines, grids)
    return _read_region(pieces, lines, grids, _DEEPEST)


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
    if sum(left < x - NEAR and right > x + NEAR and bottom < y < top for y, left, right in lines.across) > 1:
        return False
    # A table that is drawn column by column has its cells side by side.
    bases = [p[0].bottom for p in sides[1]]
    level = sum(any(abs(row[0].bottom - base) < LEVEL for base in bases) for row in sides[0])
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
    if sum(left < x - NEAR and right > x + NEAR and bottom < y < top for y, left, right in lines.across) > 1:
        return False
    # The rows of a table of words have their gaps at the same height on both sides.
    left, right = map(_find_gaps, sides)
    shared = sum(any(abs(y - other) < NEAR for other in right) for y in left)
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


def _read_column(rows: list[Row], grids: list[list[Part]]) -> list[Part]:
    """The tables and lines of one column."""
    parts: list[Part] = []
    rest: list[Piece] = []
    cells = [[] if any(piece.start < 0 for piece in row) else find_cells(row) for row in rows]
    rows, cells = join_wrapped(rows, cells)
    kinds = tell_rows(cells)
    place = 0
    before = (0, 0)  # the rows of the table before
    while place < len(rows):
        table = read_table(rows, cells, kinds, place) if kinds[place] else None
        if table:
            start, end, part = table
            if start < before[1] and parts and is_header(cells[before[0] : before[1]]) and start <= before[0]:
                parts.pop()
            elif start < before[1]:
                start = before[1]
                part = write_table(rows, cells, kinds, start, end)
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
