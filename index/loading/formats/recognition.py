"""Pictures of text become lines of text, by the model that the extra `footnote[ocr]` brings.

    pictures = Pictures(content, count=12)
    lines = pictures.recognise(2, render)  # of the third page

A page takes seconds, so whoever loads the file is asked first (`asking`): it may know the lines, or have the file wait.
Where nobody is asked, the page is recognised at once.

A picture that lies on its side or stands on its head is turned and recognised once more.

But: what is written by hand or skew by more than a few degrees is hardly read.
"""

from __future__ import annotations

import hashlib
import logging
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from importlib import metadata, util
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from index.loading.formats import UnreadableError
from index.loading.formats.blocks import UNSHOWN
from index.loading.formats.enclosed import uncounted

if TYPE_CHECKING:
    from PIL import Image

HINT = "to read {}, install footnote[ocr]"
MOST_LINES = 2_000  # of one picture
MOST_LINE_CHARACTERS = 2_000
# An A4 page with 1,600 pixels along its longer edge is recognised best: more cost time and, where it is noisy, words.
PAGE_PIXELS = 1_600 * 1_131
_LONGEST_PIXELS = 4_000
_DETECTED_PIXELS = 1_280  # along the longer edge, where lines are only looked for
# How sure the model is, from 0 to 1: of text it is 0.98 and more, of the same on its head 0.7 to 0.8.
_DOUBTFUL = 0.88  # a picture's mean, below which the picture may stand on its head
_UNSURE = 0.6  # a line, below which it is left out
_ILLEGIBLE = 0.75  # a picture's mean, below which only lines are kept that are not doubtful
_TALL = 1.5  # height of a line that runs downwards or upwards, in its width
_FAINT = 5  # of 255 shades of a colour, that parts the darkest from the lightest pixel of an empty page
_REVISION = 2  # of what is done here to a picture and its lines


class WaitError(BaseException):
    """The file holds pictures that are to be recognised later.

    No Exception, since a reader that goes on after a damaged part must not go on after this.
    """


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a picture, or a part of one that stands alone.

    corners: x and y of its top left, top right, bottom right and bottom left corner as it is read, whichever way the
        picture lies, from the top left of the picture, in its pixels; of a PDF's page in points.
    """

    text: str
    corners: tuple[float, ...]


class Desk(Protocol):
    """Who is asked about pictures."""

    def find(self, label: str, number: int, count: int) -> list[Line] | None:
        """The lines of the picture of this label, the number-th of count, or None to have it recognised.

        Raises WaitError to have the file wait, UnreadableError where the picture was found to be damaged.
        """

    def keep(self, lines: list[Line] | None) -> None:
        """Take the lines of the picture that was asked for last; None where it is damaged."""


_desk: ContextVar[Desk | None] = ContextVar("_desk", default=None)


@contextmanager
def asking(desk: Desk) -> Iterator[None]:
    """Have the desk asked about each picture meanwhile."""
    token = _desk.set(desk)
    try:
        yield
    finally:
        _desk.reset(token)


@cache
def find_engine() -> str:
    """What recognises here, with its version; "" where it is not installed."""
    try:
        if all(map(util.find_spec, ("rapidocr", "cv2", "onnxruntime", "PIL"))):
            return f"rapidocr {metadata.version('rapidocr')}, {_REVISION}"
    except (metadata.PackageNotFoundError, ValueError):
        pass
    return ""


def may_be_read_now(reason: str) -> bool:
    """Whether a file that was refused for this reason wanted only what is installed meanwhile."""
    return "install footnote[ocr]" in reason and bool(find_engine())


class Pictures:
    """The pictures of one file."""

    def __init__(self, content: bytes, count: int) -> None:
        self._content = content
        self._count = count
        self._hash = ""

    def recognise(self, number: int, render: Callable[[], tuple[Image.Image, float]]) -> list[Line]:
        """The lines of a picture, by its number from 0; none where nothing is installed that could read it.

        Raises UnreadableError: "damaged".

        render: gives the picture, and how many of its units, pixels or points, one pixel of what it gives is.
        """
        if not find_engine():
            return []
        with uncounted():
            return self._recognise(number, render)

    def _recognise(self, number: int, render: Callable[[], tuple[Image.Image, float]]) -> list[Line]:
        desk = _desk.get()
        lines = None
        if desk:
            self._hash = self._hash or hashlib.sha256(self._content).hexdigest()
            lines = desk.find(f"{self._hash}-{number}", number + 1, self._count)
        if lines is None:
            try:
                lines = read_lines(*render())
            except MemoryError:
                raise
            except Exception as error:
                # Whatever a library stumbles over in one picture, those after it must not suffer.
                if desk:
                    desk.keep(None)
                raise UnreadableError("damaged") from error
            if desk:
                desk.keep(lines)
        return lines


def find_scale(width: float, height: float) -> float:
    """By how much a picture is to be scaled to be recognised best, 1 for a small one."""
    return min(1.0, math.sqrt(PAGE_PIXELS / (width * height)), _LONGEST_PIXELS / max(width, height))


def read_lines(image: Image.Image, unit: float) -> list[Line]:
    """The lines of an image, from top to bottom; none where they can hardly be read.

    unit: how many units of the corners a pixel is.
    """
    import numpy
    from PIL.Image import Resampling

    scale = find_scale(*image.size)
    if scale < 1:
        size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
        image = image.resize(size, Resampling.LANCZOS, reducing_gap=2.0)
    image = image.convert("RGB")
    if int(numpy.ptp(numpy.asarray(image), axis=(0, 1)).max()) < _FAINT:
        return []
    found = _see(image, 0)
    if quarters := _find_turn(found):
        turned = _see(image, quarters)
        found = turned if turned.sureness > found.sureness - (1 - _DOUBTFUL) * found.is_sideways else found
    least = _DOUBTFUL if found.sureness < _ILLEGIBLE else _UNSURE
    lines = [
        [_tidy(text), [round(number * (unit / scale), 1) for number in corners]]
        for text, corners, sureness in found.lines
        if sureness >= least
    ]
    return check_lines([line for line in lines if line[0]][:MOST_LINES])


@dataclass(frozen=True, slots=True)
class _Found:
    """What was found in a picture: each line with its corners, as those of `Line`, and how sure it is."""

    lines: list[tuple[str, list[float], float]]
    is_sideways: bool = False  # most of it runs downwards or upwards

    @property
    def sureness(self) -> float:
        """Of all lines, the longer the more they count."""
        characters = sum(len(text) for text, _, _ in self.lines)
        return sum(len(text) * sureness for text, _, sureness in self.lines) / max(1, characters)


def _find_turn(found: _Found) -> int:
    """By how many quarters, against the clock, a picture is to be turned for its text to be upright."""
    is_doubtful = found.sureness < _DOUBTFUL
    if found.is_sideways:
        # The model reads such lines from top to bottom.
        return 3 if is_doubtful else 1
    return 2 if found.lines and is_doubtful else 0


def _see(image: Image.Image, quarters: int) -> _Found:
    """What is found in an image that is turned by so many quarters against the clock; the corners are of the image
    as it is."""
    import numpy

    width, height = image.size
    pixels = numpy.rot90(numpy.asarray(image)[:, :, ::-1], quarters)  # blue comes first
    found = _open_engine()(numpy.ascontiguousarray(pixels))
    if found.txts is None or found.boxes is None:
        return _Found([])
    boxes = found.boxes.reshape(len(found.txts), 4, 2).astype(float)
    across = numpy.hypot(*(boxes[:, 1] - boxes[:, 0]).T)
    down = numpy.hypot(*(boxes[:, 3] - boxes[:, 0]).T)
    tall = down > _TALL * across
    is_sideways = 2 * float(down[tall].sum()) > float(numpy.maximum(across, down).sum())
    x, y = boxes[:, :, 0], boxes[:, :, 1]
    places = ((x, y), (width - y, x), (width - x, height - y), (y, height - x))[quarters]
    corners = numpy.stack(places, axis=2).reshape(len(found.txts), 8).tolist()
    return _Found(list(zip(found.txts, corners, map(float, found.scores), strict=True)), is_sideways)


def check_lines(given: Any) -> list[Line]:
    """Lines as they were given as JSON: [["text", [x, y, …]], …]. Raises ValueError where they are none."""
    if not isinstance(given, list) or len(given) > MOST_LINES or not all(map(_is_line, given)):
        raise ValueError("no lines")
    return [Line(text, tuple(map(float, corners))) for text, corners in given]


def to_json(lines: Sequence[Line]) -> list[Any]:
    """Lines as `check_lines` takes them."""
    return [[line.text, list(line.corners)] for line in lines]


def _is_line(given: Any) -> bool:
    if not isinstance(given, list) or len(given) != 2:
        return False
    text, corners = given
    return (
        isinstance(text, str)
        and 0 < len(text) <= MOST_LINE_CHARACTERS
        and not UNSHOWN.search(text)
        and isinstance(corners, list)
        and len(corners) == 8
        and all(type(number) in (int, float) and -1e6 < number < 1e6 for number in corners)
    )


def _tidy(text: str) -> str:
    return " ".join(UNSHOWN.sub(" ", text).split())[:MOST_LINE_CHARACTERS]


@cache
def _open_engine() -> Any:
    import rapidocr

    logging.getLogger("RapidOCR").setLevel(logging.ERROR)
    # The models by their files, or they would be looked for on the network where one is missing.
    models = Path(rapidocr.__file__).parent / "models"
    return rapidocr.RapidOCR(
        params={
            "Global.use_cls": False,  # whether a line is upside down
            "Global.max_side_len": _LONGEST_PIXELS,
            "Global.log_level": "error",
            "Det.model_path": str(next(models.glob("*_det_*.onnx"))),
            "Det.limit_type": "max",
            "Det.limit_side_len": _DETECTED_PIXELS,
            "Rec.model_path": str(next(models.glob("*_rec_*.onnx"))),
        }
    )
