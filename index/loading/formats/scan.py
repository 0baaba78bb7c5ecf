"""Recognised lines become text: in reading order, by columns and rows, the cells of a table parted by tabs.

A row of a table has as many tabs before a cell as the table has columns there, so that a cell that is empty moves no
other. Where it cannot be told in which columns its cells are, a row is a line without tabs.

Every line's text stands in it once and in the order in which `arrange` gives them, but for a hyphen at its end.
"""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from index.loading.formats.blocks import Blocks
from index.loading.formats.recognition import Line

_COLUMN_CHARACTERS = 20  # in most lines of a column of prose; cells of a table are shorter
_COLUMN_LINES = 3
_DEEPEST = 5  # columns within columns
_TABLE_ROWS = 2  # with several boxes each
_SPLIT = 3  # faults in the columns that are worth a further table
_SPLIT_ROWS = 60  # of what is looked at for several tables
_SPLITS = 3  # of tables, of their parts and so on
_MOST_COLUMNS = 40
_ALIGNED_ROWS = 3  # of a table whose columns have but narrow gaps
_WIDE = 1.2  # gap between two words of a row, in heights of a line, that parts cells
_PITCH = 1.45  # from row to row, in that of most rows, that parts paragraphs
_TABLE_PITCH = 2.2  # from row to row of a table, in heights of a row, that parts two tables
_TALLER = 1.4  # height of a row, in that of its neighbour, that parts a heading from its text


@dataclass(frozen=True, slots=True)
class _Box:
    """A line as it stands on a page that is not skew."""

    line: Line
    left: float
    top: float
    right: float
    bottom: float

    @property
    def height(self) -> float:
        return max(self.bottom - self.top, 0.1)

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2


def write_lines(blocks: Blocks, lines: Sequence[Line]) -> list[tuple[int, int, Line]]:
    """Add the text of a page's lines; from where to where each of them stands in all that was added."""
    places = []
    for text, parts in find_paragraphs(lines):
        # With its tabs, which a paragraph would lose.
        (blocks.verbatim if "\t" in text else blocks.paragraph)(text)
        begun, place = blocks.length - len(text), 0
        for line in parts:
            words = line.text.removesuffix("-")
            if (found := text.find(words, place)) >= 0:
                place = found + len(words)
                places.append((begun + found, begun + place, line))
    return places


def find_paragraphs(lines: Sequence[Line]) -> Iterator[tuple[str, list[Line]]]:
    """The text of a page's lines by paragraph, or table, and the lines of which each is made."""
    for column in arrange(lines):
        pitch = median([b[0].middle - a[0].middle for a, b in pairwise(column)] or [0])
        paragraph = column[:1]
        for above, row in pairwise(column):
            if _parts(above, row, pitch):
                yield _join(paragraph), _list_lines(paragraph)
                paragraph = []
            paragraph.append(row)
        yield _join(paragraph), _list_lines(paragraph)


def arrange(lines: Sequence[Line]) -> list[list[list[_Box]]]:
    """A page's lines as columns of rows, in the order in which they are read."""
    return [_to_rows(column) for column in _to_columns(_straighten(lines), _DEEPEST)]


def _join(rows: list[list[_Box]]) -> str:
    text = ""
    for row in _to_texts(rows):
        if text[-1:] == "-" and text[-2:-1].isalpha() and row[:1].islower() and "\t" not in row:
            text = text[:-1] + row  # a word that the line's end has broken
        else:
            text = f"{text}\n{row}" if text else row
    return text


def _list_lines(rows: list[list[_Box]]) -> list[Line]:
    return [box.line for row in rows for box in row]


def _straighten(lines: Sequence[Line]) -> list[_Box]:
    """The lines as boxes, turned by as much as most of them are skew or lie on a side, the longer the more they
    count."""
    angles = []
    for line in lines:
        x, y, right, lower = line.corners[:4]
        angles.append((math.hypot(right - x, lower - y), math.atan2(lower - y, right - x)))
    longest = max((length for length, _ in angles), default=0)
    main = max(angles, default=(0.0, 0.0))[1]
    # From that of the longest, since half a turn to the left is one to the right.
    skew = main + median(
        [math.remainder(angle - main, math.tau) for length, angle in angles if length >= longest / 2] or [0]
    )
    cosine, sine = math.cos(skew), math.sin(skew)
    boxes = []
    for line in lines:
        places = list(zip(line.corners[::2], line.corners[1::2], strict=True))
        across = sorted(x * cosine + y * sine for x, y in places)
        down = sorted(y * cosine - x * sine for x, y in places)
        middles = ((a[0] + a[1]) / 2 for a in (across[:2], down[:2], across[2:], down[2:]))
        boxes.append(_Box(line, *middles))
    return boxes


def _to_columns(boxes: list[_Box], depth: int) -> list[list[_Box]]:
    """The boxes by column. A page is cut where that leaves columns of prose above, below or beside each other."""
    if depth and (cut := _find_gutter(boxes)) is not None:
        left = [box for box in boxes if box.right <= cut]
        right = [box for box in boxes if box.right > cut]
        return _to_columns(left, depth - 1) + _to_columns(right, depth - 1)
    if depth and len(boxes) > 2 * _COLUMN_LINES:
        for cut in _find_gaps([(box.top, box.bottom) for box in boxes]):
            upper = [box for box in boxes if box.middle <= cut]
            lower = [box for box in boxes if box.middle > cut]
            if _find_gutter(upper) is not None or _find_gutter(lower) is not None:
                return _to_columns(upper, depth - 1) + _to_columns(lower, depth - 1)
    return [boxes] if boxes else []


def _find_gutter(boxes: list[_Box]) -> float | None:
    """Where an empty strip parts two columns of prose."""
    for cut in _find_gaps([(box.left, box.right) for box in boxes]):
        sides = [box for box in boxes if box.right <= cut], [box for box in boxes if box.right > cut]
        if all(
            len(side) >= _COLUMN_LINES and median(len(box.line.text) for box in side) >= _COLUMN_CHARACTERS
            for side in sides
        ):
            return cut
    return None


def _find_gaps(spans: list[tuple[float, float]]) -> list[float]:
    """The middles of what no span covers between the first and the last."""
    gaps, end = [], math.inf
    for start, stop in sorted(spans):
        if start > end:
            gaps.append((start + end) / 2)
        end = stop if math.isinf(end) else max(end, stop)
    return gaps


def _to_rows(boxes: list[_Box]) -> list[list[_Box]]:
    """The boxes by row, from top to bottom and from left to right."""
    rows: list[list[_Box]] = []
    for box in sorted(boxes, key=lambda box: box.middle):
        if rows and abs(box.middle - median(other.middle for other in rows[-1])) < 0.5 * min(
            box.height, rows[-1][0].height
        ):
            rows[-1].append(box)
        else:
            rows.append([box])
    return [sorted(row, key=lambda box: box.left) for row in rows]


def _to_texts(rows: list[list[_Box]]) -> list[str]:
    """The text of each row; of those that are a table, by its columns."""
    table = [row for row in rows if len(row) > 1]
    if len(table) < _TABLE_ROWS:
        return list(map(_to_text, rows))
    cuts = iter(_list_cuts(table, _SPLITS))
    texts = []
    for row in rows:
        cells = _to_cells(row, next(cuts)) if len(row) > 1 else None
        texts.append("\t".join(cells).rstrip("\t") if cells else " ".join(box.line.text for box in row))
    return texts


def _list_cuts(table: list[list[_Box]], depth: int) -> list[list[float]]:
    """Where the columns of each row part; of two tables one below the other they part elsewhere."""
    faults, cuts = _fit(table)
    if depth and faults > _SPLIT and len(table) <= _SPLIT_ROWS:
        places = range(_TABLE_ROWS, len(table) - _TABLE_ROWS + 1)
        found = [(_fit(table[:place])[0] + _fit(table[place:])[0], place) for place in places]
        if found and min(found)[0] + _SPLIT < faults:
            place = min(found)[1]
            return _list_cuts(table[:place], depth - 1) + _list_cuts(table[place:], depth - 1)
    return [cuts] * len(table)


def _fit(table: list[list[_Box]]) -> tuple[int, list[float]]:
    """How ill the rows fit into common columns, and where those part."""
    # What spans columns, as a heading over some, hides where they part, unless some rows may be left out of account.
    fits = []
    for spanning in sorted({0, len(table) // 4}):
        cuts = _find_cuts(table, spanning)
        rows = [_to_cells(row, cuts) for row in table]
        faults = 2 * rows.count(None)
        for number in range(len(cuts)):
            # Two columns of which no row has both are one column of two tables.
            faults += 2 * (not any(cells[number] and cells[number + 1] for cells in rows if cells))
        fits.append((faults, cuts))
    return min(fits, key=lambda fit: fit[0])


def _to_text(row: list[_Box]) -> str:
    text = row[0].line.text
    for before, box in pairwise(row):
        text += ("\t" if _are_apart(before, box) else " ") + box.line.text
    return text


def _are_apart(before: _Box, box: _Box) -> bool:
    return box.left - before.right > _WIDE * min(before.height, box.height)


def _to_cells(row: list[_Box], cuts: list[float]) -> list[str] | None:
    """The text of a row by column; None where a box lies in several columns, or boxes far apart in one."""
    cells: list[list[_Box]] = [[] for _ in range(len(cuts) + 1)]
    for box in row:
        margin = 0.2 * min(box.height, box.right - box.left)
        place = bisect(cuts, box.left + margin)
        if place != bisect(cuts, box.right - margin) or (cells[place] and _are_apart(cells[place][-1], box)):
            return None
        cells[place].append(box)
    return [" ".join(box.line.text for box in cell) for cell in cells]


def _find_cuts(rows: list[list[_Box]], spanning: int) -> list[float]:
    """Where the columns of a table part, though so many boxes may lie across; nowhere where they are too many."""
    found = _find_clear([(box.left, box.right) for row in rows for box in row], spanning)
    if len(found) > _MOST_COLUMNS:
        return []
    across: list[list[tuple[_Box, _Box]]] = [[] for _ in found]  # of each cut the neighbours that it parts
    for row in rows:
        for pair in pairwise(row):
            first, last = (bisect(found, (box.left + box.right) / 2) for box in pair)
            for number in range(first, last):
                across[number].append(pair)
    return [
        cut
        for cut, pairs in zip(found, across, strict=True)
        if any(_are_apart(*pair) for pair in pairs)
        or (len(pairs) == len(rows) >= _ALIGNED_ROWS and _is_aligned([box for _, box in pairs]))
    ]


def _find_clear(spans: list[tuple[float, float]], most: int) -> list[float]:
    """The middles of what no more than so many spans cover: of each such stretch, where it is covered the least."""
    edges = sorted([(start, 1) for start, _ in spans] + [(stop, -1) for _, stop in spans], key=lambda edge: edge)
    clear: list[float] = []
    best: tuple[int, float, float] | None = None  # how covered, how wide with a minus, where
    covered = 0
    has_begun = False
    for (place, step), (following, _) in pairwise(edges):
        covered += step
        if covered > most:
            if best and has_begun:
                clear.append(best[2])
            best, has_begun = None, True
        elif has_begun and following > place:
            found = covered, place - following, (place + following) / 2
            best = min(best, found) if best else found
    return clear


def _is_aligned(boxes: list[_Box]) -> bool:
    """Whether boxes one below another begin, end or have their middles at the same place."""
    near = 0.5 * median(box.height for box in boxes)
    for places in (
        [box.left for box in boxes],
        [box.right for box in boxes],
        [(box.left + box.right) / 2 for box in boxes],
    ):
        if max(places) - min(places) < near:
            return True
    return False


def _parts(above: list[_Box], row: list[_Box], pitch: float) -> bool:
    """Whether a row begins a paragraph."""
    tall, low = sorted((above[0].height, row[0].height), reverse=True)
    step = row[0].middle - above[0].middle
    is_table = len(row) > 1 or len(above) > 1
    if len(row) > 1 and len(above) > 1:
        pitch = max(pitch, _TABLE_PITCH / _PITCH * low)
    return step > _PITCH * pitch or (tall > _TALLER * low and not is_table)
