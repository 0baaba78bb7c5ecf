"""Recognised lines become text: in reading order, by columns and rows, words with wide gaps
between them parted by a tab.

Every line's text stands in it once and in the order in which `arrange` gives them, but for a hyphen at its end.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from index.loading.formats.blocks import Blocks
from index.loading.formats.recognition import Line

_COLUMN_CHARACTERS = 20  # in most lines of a column of prose; cells of a table are shorter
_COLUMN_LINES = 3
_DEEPEST = 5  # columns within columns
_WIDE = 1.2  # gap between two words of a row, in heights of a line, that parts cells
_PITCH = 1.45  # from row to row, in that of most rows, that parts paragraphs
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


def write_lines(blocks: Blocks, lines: Sequence[Line]) -> None:
    """Add the text of a page's lines."""
    for text, _ in find_paragraphs(lines):
        # With its tabs, which a paragraph would lose.
        (blocks.verbatim if "\t" in text else blocks.paragraph)(text)


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
    for row in map(_to_text, rows):
        if text[-1:] == "-" and text[-2:-1].isalpha() and row[:1].islower() and "\t" not in row:
            text = text[:-1] + row  # a word that the line's end has broken
        else:
            text = f"{text}\n{row}" if text else row
    return text


def _list_lines(rows: list[list[_Box]]) -> list[Line]:
    return [box.line for row in rows for box in row]


def _straighten(lines: Sequence[Line]) -> list[_Box]:
    """The lines as boxes, turned by as much as most of them are skew, the longer the more they count."""
    angles = []
    for line in lines:
        x, y, right, lower = line.corners[:4]
        angles.append((math.hypot(right - x, lower - y), math.atan2(lower - y, right - x)))
    longest = max((length for length, _ in angles), default=0)
    skew = median([angle for length, angle in angles if length >= longest / 2] or [0])
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


def _to_text(row: list[_Box]) -> str:
    text = row[0].line.text
    for before, box in pairwise(row):
        is_wide = box.left - before.right > _WIDE * min(before.height, box.height)
        text += ("\t" if is_wide else " ") + box.line.text
    return text


def _parts(above: list[_Box], row: list[_Box], pitch: float) -> bool:
    """Whether a row begins a paragraph."""
    tall, low = sorted((above[0].height, row[0].height), reverse=True)
    step = row[0].middle - above[0].middle
    is_table = len(row) > 1 or len(above) > 1
    return step > _PITCH * pitch or (tall > _TALLER * low and not is_table)
