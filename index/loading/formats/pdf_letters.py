"""What is drawn on a page of a PDF: its letters with their places, in pieces that stand together, and its ruling lines.

Places are in points, and turned so that most letters stand upright, as they do on most pages that are shown. But: where
a page has too much on it, or is written from right to left or in several directions, it has no pieces, only pdfium's
text.
"""

from __future__ import annotations

import ctypes
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from math import pi
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_LETTERS = 100_000  # of a page whose places are looked at
_MOST_PIECES = 6_000  # the same
_MOST_OBJECTS = 30_000  # of a page whose ruling lines are looked for
_MOST_LINES = 4_000
_MOST_SEGMENTS = 400  # of one path
_MOST_UPRIGHT = 800  # ruling lines that part letters
_LETTERS_TURNED = 200  # whose direction is looked at
_FEWEST_TURNED = 40  # of a page that is turned as they are
_HYPHENS = (0x02, 0xAD, 0xFFFE)
_BREAKS = (10, 13)
_THIN = 2.5  # points; what is thinner is a line
_SHORT = 6.0  # points; what is shorter is no ruling line
_WIDE_GAP = 0.85  # of a letter's height: parts two pieces of a line
_LETTER_GAP = 0.12  # the same, above which a letter begins a word
_NUMBER_GAP = 0.45  # the same, between two numbers
LIGATURES = {0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "st", 0xFB06: "st"}

Bounds = tuple[float, float, float, float]  # left, bottom, right, top


@dataclass(slots=True)
class Piece:
    """Letters that stand together on one line.

    text: as pdfium gives it, ligatures taken apart.
    start, end: its place among the page's letters; both 0 where it was filled in.
    line: the number of pdfium's line.
    order: where it stands in pdfium's order.
    size: the mean height of its letters, in points.
    is_filled_in, name: whether it is what stands in a form's field, and what the field is called.
    """

    text: str
    start: int
    end: int
    left: float
    bottom: float
    right: float
    top: float
    size: float
    line: int
    order: float
    is_bold: bool = False
    is_filled_in: bool = False
    name: str = ""

    @property
    def middle(self) -> float:
        """Its height on the page."""
        return (self.bottom + self.top) / 2


@dataclass(slots=True)
class Lines:
    """Ruling lines. across: (y, left, right) of each that lies; upright: (x, bottom, top) of each that stands."""

    across: list[tuple[float, float, float]]
    upright: list[tuple[float, float, float]]


class Letters:
    """The letters of a page, by the number that pdfium gives them."""

    def __init__(self, page: Any, words: Any) -> None:
        from pypdfium2.raw import FS_RECTF, FPDFPage_GetRotation, FPDFText_GetLooseCharBox

        self._words = words
        self.count = words.count_chars()
        self.turn: int = FPDFPage_GetRotation(page.raw)
        self._bold: dict[int, bool] = {}
        self.codes = np.zeros(0, np.uint32)
        self.boxes = np.zeros((0, 4), np.float32)
        self._inside = np.zeros(0, bool)
        if not 0 < self.count <= MOST_LETTERS:
            return
        self.codes = _read_codes(words.raw, self.count)
        boxes = (FS_RECTF * self.count)()
        deque(map(FPDFText_GetLooseCharBox, repeat(words.raw), range(self.count), boxes), 0)
        # FS_RECTF is left, top, right, bottom.
        self.boxes = np.frombuffer(boxes, np.float32).reshape(self.count, 4)[:, [0, 3, 2, 1]]
        self.turn = self._find_turn()

    def _find_turn(self) -> int:
        """By how many quarters, clockwise, the page is turned where most of its letters stand upright."""
        from pypdfium2.raw import FPDFText_GetCharAngle

        places = np.flatnonzero((self.codes > 32) & (self.codes != 0xA0))
        if len(places) <= _FEWEST_TURNED:
            return self.turn
        places = places[:: len(places) // _LETTERS_TURNED + 1]
        # pdfium counts angles clockwise; -1 is none.
        angles = np.array([FPDFText_GetCharAngle(self._words.raw, int(place)) for place in places], np.float64)
        quarters = -np.round(angles[angles >= 0] / (pi / 2)).astype(np.intp) % 4
        if not len(quarters):
            return self.turn
        counts = np.bincount(quarters, minlength=4)
        return int(counts.argmax()) if 4 * counts.max() > 3 * len(quarters) else self.turn

    def find_pieces(self, bounds: Bounds, upright: Sequence[tuple[float, float, float]] = ()) -> list[Piece] | None:
        """The pieces within a page's bounds, in pdfium's order; None where its letters' places tell nothing.

        upright: the ruling lines that stand on the page; they part pieces.
        """
        codes = self.codes
        if not len(codes) or _is_leftward(codes):
            return None if self.count else []
        inside = self._inside = (
            (self.boxes[:, 0] <= bounds[2])
            & (self.boxes[:, 2] >= bounds[0])
            & (self.boxes[:, 1] <= bounds[3])
            & (self.boxes[:, 3] >= bounds[1])
        )
        seen = ((codes > 32) & (codes != 0xA0) | np.isin(codes, _HYPHENS)) & inside
        places = np.flatnonzero(seen)
        if not len(places):
            return []
        boxes = turn_boxes(self.boxes[places].astype(np.float64), self.turn)
        if not np.isfinite(boxes).all():
            return None
        heights = np.maximum(boxes[:, 3] - boxes[:, 1], 0.1)
        lines, apart = _part(codes, places, boxes, heights)
        _part_at_lines(apart, boxes, upright)
        starts = np.flatnonzero(apart)
        if len(starts) > _MOST_PIECES:
            return None
        ends = np.append(starts[1:], len(places))
        left, bottom = np.minimum.reduceat(boxes[:, 0], starts), np.minimum.reduceat(boxes[:, 1], starts)
        right, top = np.maximum.reduceat(boxes[:, 2], starts), np.maximum.reduceat(boxes[:, 3], starts)
        sizes = np.add.reduceat(heights, starts) / (ends - starts)
        sideways = (ends - starts > 3) & (top - bottom > 3 * (right - left))
        if (ends - starts)[sideways].sum() * 4 > len(places):
            return None
        text = self.text.replace("\r", "\0").replace("\n", "\0")
        rows = zip(
            places[starts].tolist(), (places[ends - 1] + 1).tolist(),
            left.tolist(), bottom.tolist(), right.tolist(), top.tolist(),
            sizes.tolist(), lines[starts].tolist(), strict=True,
        )  # fmt: skip
        return [
            Piece(
                text[start:end].replace("\0", "").translate(LIGATURES),
                *(start, end, x0, y0, x1, y1, size, line, start),
                self._is_bold(start) and self._is_bold(end - 1),
            )
            for start, end, x0, y0, x1, y1, size, line in rows
        ]

    def list_characters(self, start: int, end: int) -> Iterator[tuple[str, int]]:
        """The characters that the letters from `start` to `end` stand for, each with its letter's number."""
        inside = self._inside[start:end].tolist()
        for place, (letter, is_inside) in enumerate(zip(self.text[start:end], inside, strict=False), start):
            if is_inside and letter not in "\r\n\0":
                for character in LIGATURES.get(ord(letter), letter):
                    yield character, place

    def find_boxes(self, places: list[int]) -> list[Bounds]:
        """Where letters stand on the page as it is stored: a box for all that stand side by side."""
        found: list[Bounds] = []
        before: Bounds | None = None
        for left, bottom, right, top in self.boxes[places].astype(np.float64).tolist():
            if before and _are_beside(before, (left, bottom, right, top)):
                x0, y0, x1, y1 = found[-1]
                found[-1] = min(x0, left), min(y0, bottom), max(x1, right), max(y1, top)
            else:
                found.append((left, bottom, right, top))
            before = left, bottom, right, top
        return found

    def turn_bounds(self, bounds: Bounds) -> Bounds:
        """The bounds of a page as it is stored, as it is shown."""
        left, bottom, right, top = turn_boxes(np.array([bounds], np.float64), self.turn)[0].tolist()
        return left, bottom, right, top

    def turn_back(self, bounds: Bounds) -> Bounds:
        """Bounds on a page as it is shown, on the page as it is stored."""
        left, bottom, right, top = turn_boxes(np.array([bounds], np.float64), -self.turn)[0].tolist()
        return left, bottom, right, top

    @property
    def text(self) -> str:
        """One character for each letter."""
        return self.codes.astype("<u4").tobytes().decode("utf-32-le")

    def _is_bold(self, place: int) -> bool:
        from pypdfium2.raw import FPDFText_GetFontInfo, FPDFText_GetFontWeight

        if place not in self._bold:
            name, flags = ctypes.create_string_buffer(200), ctypes.c_int()
            length = FPDFText_GetFontInfo(self._words.raw, place, name, 200, flags)
            font = name.raw[: min(length, 200)].lower()
            is_named = any(word in font for word in (b"bold", b"black", b"heavy", b"-bd", b"demi"))
            self._bold[place] = is_named or FPDFText_GetFontWeight(self._words.raw, place) >= 600
        return self._bold[place]


def _are_beside(one: Bounds, other: Bounds) -> bool:
    """Whether two letters stand beside each other on a line, which may stand upright."""
    size = max(one[3] - one[1], other[3] - other[1], 0.1)
    across = max(one[0], other[0]) - min(one[2], other[2])
    along = max(one[1], other[1]) - min(one[3], other[3])
    return (across < 1.5 * size and along < -0.5 * size) or (along < size / 2 and across < -0.5 * (one[2] - one[0]))


def _part(
    codes: NDArray[np.uint32], places: NDArray[np.intp], boxes: NDArray[np.float64], heights: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """The number of each letter's line, and whether a piece begins with it."""
    size = np.minimum(heights[1:], heights[:-1])
    gap = boxes[1:, 0] - boxes[:-1, 2]
    before, after = codes[places[:-1]], codes[places[1:]]
    breaks = np.isin(codes, _BREAKS)
    # A hyphen at a line's end stands in place of the break; and pdfium breaks a line before what it draws next to it.
    breaks[1:] |= np.isin(codes[:-1], (_HYPHENS[0], _HYPHENS[2]))
    is_broken = np.diff(np.cumsum(breaks)[places]) > 0
    shared = np.minimum(boxes[1:, 3], boxes[:-1, 3]) - np.maximum(boxes[1:, 1], boxes[:-1, 1])
    # Letters that another font lends are lower, and within the line.
    is_level = (np.abs(boxes[1:, 1] - boxes[:-1, 1]) < 0.1 * size) | (shared > 0.95 * size)
    is_beside = is_level & (gap > -0.5 * size)
    size = np.where(is_level & (shared > 0.95 * size), np.maximum(heights[1:], heights[:-1]), size)
    lift = boxes[1:, 1] - boxes[:-1, 1]
    is_mark = (lift > 0.15 * heights[:-1]) & (heights[1:] < 0.85 * heights[:-1]) & _DIGITS[after & 0xFFFF]
    apart = np.ones(len(places), bool)
    apart[1:] = (
        (is_broken & ~(is_beside & (gap < _LETTER_GAP * size)))
        | (gap > _WIDE_GAP * size)
        | is_mark
        | ((gap > _NUMBER_GAP * size) & _ENDS_NUMBER[before & 0xFFFF] & _STARTS_NUMBER[after & 0xFFFF])
        | (gap < -8 * size)
        | (np.abs(boxes[1:, 1] - boxes[:-1, 1]) > 1.2 * np.maximum(heights[1:], heights[:-1]))
    )
    return np.append(0, np.cumsum(is_broken & ~is_beside)), apart


def _part_at_lines(
    apart: NDArray[np.bool_], boxes: NDArray[np.float64], upright: Sequence[tuple[float, float, float]]
) -> None:
    """Part letters between which a ruling line stands."""
    if len(upright) > _MOST_UPRIGHT:
        return
    gaps = np.flatnonzero(~apart[1:] & (boxes[1:, 0] - boxes[:-1, 2] > 0))
    before, after = boxes[gaps], boxes[gaps + 1]
    middle = (before[:, 1] + before[:, 3]) / 2
    for x, bottom, top in upright:
        between = (before[:, 2] - 0.5 < x) & (x < after[:, 0] + 0.5) & (bottom < middle) & (middle < top)
        apart[gaps[between] + 1] = True


def _read_codes(words: Any, count: int) -> NDArray[np.uint32]:
    """The code point of each letter; 0 for what is none."""
    from pypdfium2.raw import FPDFText_GetText, FPDFText_GetUnicode

    buffer = (ctypes.c_ushort * (count + 1))()
    written = FPDFText_GetText(words, 0, count, buffer)
    codes: NDArray[np.uint32] = np.frombuffer(bytes(buffer), np.uint16)[:count].astype(np.uint32)
    # The text has a unit a letter, but for letters beyond the first plane and for those that stand for nothing.
    if written != count + 1 or (codes >> 11 == 0x1B).any():
        codes = np.fromiter(map(FPDFText_GetUnicode, repeat(words), range(count)), np.uint32, count)
        high = np.flatnonzero((codes[:-1] >> 10 == 0x36) & (codes[1:] >> 10 == 0x37))
        codes[high] = 0x10000 + ((codes[high] & 0x3FF) << 10) + (codes[high + 1] & 0x3FF)
        codes[high + 1] = 0
        codes[(codes >> 11 == 0x1B) | (codes > 0x10FFFF)] = 0
    return codes


def _is_leftward(codes: NDArray[np.uint32]) -> bool:
    """Whether many letters belong to scripts that are written from right to left."""
    leftward = ((codes >= 0x590) & (codes < 0x900)) | ((codes >= 0xFB1D) & (codes < 0xFE00))
    return int(leftward.sum()) * 5 > len(codes)


def _list_codes(characters: str) -> NDArray[np.bool_]:
    table = np.zeros(0x10000, bool)
    table[[ord(character) for character in characters]] = True
    return table


_DIGITS = _list_codes("0123456789")
_ENDS_NUMBER = _list_codes("0123456789)%—–-$€£¥")
_STARTS_NUMBER = _list_codes("0123456789(—–-−$€£¥")


def turn_boxes(boxes: NDArray[np.float64], turn: int) -> NDArray[np.float64]:
    """Boxes (left, bottom, right, top) of a page as it is stored, as it is shown: turned by quarters, clockwise."""
    left, bottom, right, top = boxes.T
    turned = {
        1: (bottom, -right, top, -left),
        2: (-right, -top, -left, -bottom),
        3: (-top, left, -bottom, right),
    }.get(turn % 4)
    return boxes if turned is None else np.stack(turned, axis=1)


def find_lines(page: Any, turn: int) -> Lines:
    """The ruling lines of a page: drawn lines, thin boxes, and the edges of boxes."""
    from pypdfium2 import raw

    lines = Lines([], [])
    count = raw.FPDFPage_CountObjects(page.raw)
    if count > _MOST_OBJECTS:
        return lines
    edges = [ctypes.c_float() for _ in range(4)]
    found: list[Bounds] = []
    objects = list(map(raw.FPDFPage_GetObject, repeat(page.raw), range(count)))
    for drawn, kind in zip(objects, map(raw.FPDFPageObj_GetType, objects), strict=True):
        if kind != raw.FPDF_PAGEOBJ_PATH or not raw.FPDFPageObj_GetBounds(drawn, *edges):
            continue
        left, bottom, right, top = (edge.value for edge in edges)
        if right - left <= _THIN or top - bottom <= _THIN:
            found.append((left, bottom, right, top))
        elif _is_stroked(drawn):
            found += _find_edges(drawn, (left, bottom, right, top))
        if len(found) > _MOST_LINES:
            return Lines([], [])
    for left, bottom, right, top in turn_boxes(np.array(found, np.float64).reshape(-1, 4), turn).tolist():
        if top - bottom <= _THIN and right - left >= _SHORT:
            lines.across.append(((bottom + top) / 2, left, right))
        elif right - left <= _THIN and top - bottom >= _SHORT:
            lines.upright.append(((left + right) / 2, bottom, top))
    return lines


def _is_stroked(path: Any) -> bool:
    from pypdfium2 import raw

    fill, stroke = ctypes.c_int(), ctypes.c_int()
    return bool(raw.FPDFPath_GetDrawMode(path, fill, stroke) and stroke.value)


def _find_edges(path: Any, bounds: Bounds) -> list[Bounds]:
    """The straight edges of a path that is drawn with a pen."""
    from pypdfium2 import raw

    left, bottom, right, top = bounds
    count = raw.FPDFPath_CountSegments(path)
    if count <= 5:
        box = [(left, bottom, left, top), (right, bottom, right, top), (left, bottom, right, bottom)]
        return [*box, (left, top, right, top)] if count >= 4 else []
    if count > _MOST_SEGMENTS:
        return []
    matrix = raw.FS_MATRIX()
    raw.FPDFPageObj_GetMatrix(path, matrix)
    x, y = ctypes.c_float(), ctypes.c_float()
    found: list[Bounds] = []
    before = None
    for number in range(count):
        segment = raw.FPDFPath_GetPathSegment(path, number)
        raw.FPDFPathSegment_GetPoint(segment, x, y)
        point = (
            matrix.a * x.value + matrix.c * y.value + matrix.e,
            matrix.b * x.value + matrix.d * y.value + matrix.f,
        )
        if before and raw.FPDFPathSegment_GetType(segment) == raw.FPDF_SEGMENT_LINETO:
            (x0, x1), (y0, y1) = sorted((before[0], point[0])), sorted((before[1], point[1]))
            if x1 - x0 <= _THIN or y1 - y0 <= _THIN:
                found.append((x0, y0, x1, y1))
        before = point
    return found
