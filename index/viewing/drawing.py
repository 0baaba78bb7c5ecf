"""Pages of documents as pictures, and where words stand on them: what the child says, checked.

Only what the record names is opened, and only while it is what the store has read.
"""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from index.loading.recognised import FOLDER
from index.viewing.child import Child, ChildError

Kind = Literal["pages", "picture", "grid", "text"]
DRAW_SECONDS = 15.0
LOCATE_SECONDS = 90.0  # of a PDF of thousands of pages
LEAST_SCALE, LARGEST_SCALE = 0.1, 6.0  # pixels a point
MOST_PLACES = 100
_MEASURE_SECONDS = 10.0
_MEASURE_WAIT_SECONDS = 2.0  # without sizes a page is shown too
LONGEST_PLACE_CHARACTERS = 20_000  # of one whose boxes are looked for
_MOST_BOXES = 20_000
_PICTURES = frozenset(".png .jpg .jpeg .tif .tiff .webp .bmp".split())
_GRIDS = frozenset(".xlsx .xlsm .ods .csv .tsv .tab".split())


class PageError(Exception):
    """There is no such page."""


class ChangedError(Exception):
    """The file has changed since it was read, or is gone."""


class UndrawableError(Exception):
    """The page cannot be drawn: it is damaged, or takes too much time or memory."""


@dataclass(frozen=True, slots=True)
class Source:
    """The file that a document is made of.

    folder: the documents folder. path: relative to it, of a file within a file that within the other's.
    stores: where the stores live, beside which is kept what was recognised.
    """

    folder: Path
    path: str
    content_hash: str
    stores: Path


@dataclass(frozen=True, slots=True)
class Place:
    """Words in a document's text: from where to where, and the text of the pages on which they stand, or of as much
    as their boxes are looked for (see LONGEST_PLACE_CHARACTERS).

    text_start: where that begins in the document. first_page, last_page: from 1; of a picture both 1.
    """

    start: int
    end: int
    text: str
    text_start: int
    first_page: int = 1
    last_page: int = 1


@dataclass(frozen=True, slots=True)
class Box:
    """Where a part of a place in the text stands: on a page, from 1, with edges as fractions of the page."""

    start: int
    end: int
    page: int
    left: float
    top: float
    width: float
    height: float


def find_kind(path: str, pages: Sequence[int]) -> Kind:
    """How a document is shown best, by its path and the offsets at which its pages start."""
    suffix = PurePosixPath(path).suffix.lower()
    if suffix == ".pdf" and pages:
        return "pages"
    if suffix in _PICTURES:
        return "picture"
    return "grid" if suffix in _GRIDS else "text"


class Drawing:
    """Draws and locates, one request after another of each, so that a long PDF that is read holds up no page."""

    def __init__(self) -> None:
        self._drawing = Child("index.viewing.pages")
        self._locating = Child("index.viewing.pages")

    def close(self) -> None:
        """End what runs."""
        self._drawing.close()
        self._locating.close()

    def measure(self, source: Source) -> list[tuple[float, float]]:
        """The width and height of each page, or of the first some thousand, in units of its own.

        Raises ChangedError, UndrawableError, BusyError.
        """
        fields, _ = _ask(self._drawing, source, _MEASURE_SECONDS, _MEASURE_WAIT_SECONDS, do="measure")
        sizes = fields.get("sizes")
        if not isinstance(sizes, list) or not all(map(_is_size, sizes)):
            raise UndrawableError
        return [(float(width), float(height)) for width, height in sizes]

    def draw(self, source: Source, page: int, scale: float) -> bytes:
        """A page, from 1, as a JPEG. scale: pixels a point, as far as the picture is not too large.

        Raises PageError, ChangedError, UndrawableError, BusyError.
        """
        scale = min(max(scale, LEAST_SCALE), LARGEST_SCALE)
        _, picture = _ask(self._drawing, source, DRAW_SECONDS, do="draw", page=page, scale=scale)
        if not picture.startswith(b"\xff\xd8\xff"):
            raise UndrawableError
        return picture

    def locate(self, source: Source, places: Sequence[Place]) -> list[Box]:
        """The boxes of places in a document's text, of what is too long only those of its beginning.

        Raises ChangedError, UndrawableError, BusyError.
        """
        asked = []
        whole: dict[tuple[int, int], int] = {}
        for place in places[:MOST_PLACES]:
            end = min(place.end, place.start + LONGEST_PLACE_CHARACTERS)
            whole[place.start, end] = place.end
            asked.append({**asdict(place), "end": end})
        fields, _ = _ask(self._locating, source, LOCATE_SECONDS, do="locate", places=asked)
        boxes = fields.get("boxes")
        if not isinstance(boxes, list) or len(boxes) > _MOST_BOXES:
            raise UndrawableError
        return [_to_box(box, whole) for box in boxes]


def _ask(
    child: Child, source: Source, seconds: float, wait_seconds: float | None = None, **request: Any
) -> tuple[dict[str, Any], bytes]:
    file, is_enclosed = _find_file(source.folder, source.path)
    request |= {
        "file": os.fspath(file),
        "content_hash": source.content_hash,
        "is_enclosed": is_enclosed,
        "recognised": os.fspath(source.stores / FOLDER),
    }
    try:
        if wait_seconds is None:
            fields, body = child.ask(request, seconds)
        else:
            fields, body = child.ask(request, seconds, wait_seconds)
    except ChildError as error:
        raise UndrawableError from error
    match fields.get("error"):
        case None:
            return fields, body
        case "changed" | "gone":
            raise ChangedError
        case "page":
            raise PageError
        case _:
            raise UndrawableError


def _find_file(folder: Path, path: str) -> tuple[Path, bool]:
    """The file that a document's path leads to, and whether the document lies within it. Raises ChangedError.

    As `index.loading.folder.scan` finds files: no link to a folder is followed, and none out of the folder.
    """
    place = folder
    parts = path.split("/")
    for number, part in enumerate(parts):
        place = place / part
        if part in ("", ".", ".."):
            raise ChangedError
        try:
            mode = place.lstat().st_mode
            if stat.S_ISDIR(mode):
                continue
            if stat.S_ISLNK(mode) and not place.resolve(strict=True).is_relative_to(folder.resolve()):
                raise ChangedError
            if place.is_file():
                return place, number < len(parts) - 1
        except (OSError, RuntimeError) as error:
            raise ChangedError from error
        break
    raise ChangedError


def _is_size(given: Any) -> bool:
    return isinstance(given, list) and len(given) == 2 and all(map(_is_number, given)) and min(given) > 0


def _is_number(given: Any) -> bool:
    return type(given) in (int, float) and math.isfinite(given)


def _to_box(given: Any, whole: dict[tuple[int, int], int]) -> Box:
    """A box as the child says it. Raises UndrawableError where that makes no sense."""
    try:
        start, end, page, edges = given
        left, top, width, height = map(float, edges)
        if type(page) is not int or page < 1 or not all(0 <= edge <= 1 for edge in (left, top, width, height)):
            raise ValueError(page)
        return Box(start, whole[start, end], page, left, top, width, height)
    except (ValueError, TypeError, KeyError) as error:
        raise UndrawableError from error
