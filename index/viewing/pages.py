"""What the child does: pages of a PDF and pictures are drawn, and places in their text are found on them.

To find where words of a PDF stand, its pages are read as they were for the text: those on which the words are said to
be and some around them, or, where that does not make the same text, all of them, which takes seconds. What was read is
kept. Nothing is recognised here: of scans the lines are known, or there is no place to show.

What is looked at is what the store has read, or nothing: the file's bytes are compared with the hash that is on record.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import math
import os
import warnings
from collections import OrderedDict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from index.loading.formats import HEAD_BYTES, UnreadableError, find_format
from index.loading.formats.blocks import MOST_PAGES, Blocks
from index.loading.formats.enclosed import find_enclosed
from index.loading.formats.recognition import Line, asking, find_engine
from index.loading.loader import open_file
from index.loading.recognised import Recognised

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_PIXELS = 8_000_000  # of what is drawn
LONGEST_PIXELS = 5_000
_PICTURE_POINTS = 842.0  # along the longer edge of a picture, which is drawn as large as a page
_MOST_SIZES = 2_000  # of pages that are measured
_MOST_FRAMES = 500
_MOST_KEPT = 3  # files
_MOST_KEPT_BYTES = 128_000_000  # of them together, unless it is one
_MOST_TRACED = 4  # pages, beyond which all are
_PARTS_KEPT = 12
_QUALITY = 88
_UNIT = 1_000_000  # of a page's width and height, in whole numbers

Edges = tuple[float, float, float, float]  # left, top, width and height, as fractions of the page


class _ChangedError(Exception):
    """The file is no more what the store has read."""


class _PageError(Exception):
    """There is no such page."""


@dataclass(slots=True)
class _Kept:
    """A file that is kept. state: by which it is told that it has not changed."""

    state: tuple[int, int, int]
    content: bytes
    document_hash: str  # of the file, in which the content may lie
    drawn: Any = None  # the PDF, as it is drawn
    traced: Any = None  # where its text stands
    parts: OrderedDict[tuple[int, int], _TracedPdf] = field(default_factory=OrderedDict)  # that of some pages

    def close(self) -> None:
        """Let go of it."""
        self.forget()
        if self.drawn is not None:
            self.drawn.close()

    def forget(self) -> None:
        """Let go of what was traced."""
        for traced in (self.traced, *self.parts.values()):
            if traced is not None:
                traced.close()
        self.traced = None
        self.parts.clear()


_kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()


def answer(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """The answer to a request: "error" says what kind of one there was."""
    try:
        file = _open(request["file"], request["content_hash"], is_enclosed=request["is_enclosed"])
        match request["do"]:
            case "draw":
                return {}, _draw(file, request["page"], request["scale"])
            case "measure":
                return {"sizes": _measure(file)}, b""
            case _:
                desk = _Desk(file.document_hash, request["recognised"])
                with asking(desk):
                    return {"boxes": _locate(file, request["places"])}, b""
    except _ChangedError:
        return {"error": "changed"}, b""
    except _PageError:
        return {"error": "page"}, b""
    except FileNotFoundError:
        return {"error": "gone"}, b""
    except MemoryError:
        os._exit(1)
    except Exception:
        # Whatever a library meets in a file: those that are asked about later must not suffer.
        return {"error": "unreadable"}, b""


@dataclass(slots=True)
class _Desk:
    """Knows the lines of scans that have been recognised, and has none recognised (see recognition.Desk)."""

    document_hash: str
    place: str | None
    known: Recognised = field(init=False)

    def __post_init__(self) -> None:
        self.known = Recognised(Path(self.place) if self.place else None)

    def find(self, label: str, number: int, count: int) -> list[Line] | None:
        lines = self.known.find(self.known.name(self.document_hash, label))
        if lines is None:
            raise UnreadableError("not recognised")
        return lines

    def keep(self, lines: list[Line] | None) -> None:
        """Never asked for."""


def _open(place: str, content_hash: str, *, is_enclosed: bool) -> _Kept:
    """The file, as it was when it was read. Raises _ChangedError, OSError, UnreadableError."""
    with open_file(Path(place)) as stream:
        status = os.fstat(stream.fileno())
        state = status.st_ino, status.st_size, status.st_mtime_ns
        key = place, content_hash
        kept = _kept.get(key)
        if kept and kept.state == state:
            _kept.move_to_end(key)
            return kept
        if kept:
            _kept.pop(key).close()
        content = stream.read()
    document_hash = hashlib.sha256(content).hexdigest()
    if is_enclosed:
        form = find_format(content if content.startswith((b"PK", b"\xd0\xcf")) else content[:HEAD_BYTES], place)
        with asking(_Desk(document_hash, None)):
            inner = find_enclosed(form, content, content_hash)
        if inner is None:
            raise _ChangedError
        content = inner
    elif document_hash != content_hash:
        raise _ChangedError
    kept = _kept[key] = _Kept(state, content, document_hash)
    while len(_kept) > 1 and (
        len(_kept) > _MOST_KEPT or sum(len(k.content) for k in _kept.values()) > _MOST_KEPT_BYTES
    ):
        _kept.popitem(last=False)[1].close()
    return kept


def _is_pdf(file: _Kept) -> bool:
    return b"%PDF-" in file.content[:1024]


# -- PDF --------------------------------------------------------------------------------------


def _open_pdf(file: _Kept) -> Any:
    """The PDF as it is drawn; the one whose text is traced is changed by that."""
    import pypdfium2

    if file.drawn is None:
        document = pypdfium2.PdfDocument(file.content)
        if document.get_formtype() == pypdfium2.raw.FORMTYPE_ACRO_FORM:
            document.init_forms()
        file.drawn = document
    return file.drawn


def _measure(file: _Kept) -> list[tuple[float, float]]:
    """The width and height of each page."""
    if _is_pdf(file):
        document = _open_pdf(file)
        return [document.get_page_size(number) for number in range(min(len(document), _MOST_SIZES))]
    sizes = []
    with _open_picture(file) as image:
        for number in range(_count_frames(image)):
            image.seek(number)
            sizes.append(_find_size(image))
    return sizes


def _draw(file: _Kept, number: int, scale: float) -> bytes:
    """A page as a JPEG. number: from 1. scale: pixels a point. Raises _PageError."""
    if not _is_pdf(file):
        return _draw_picture(file, number, scale)
    document = _open_pdf(file)
    if not 1 <= number <= min(len(document), MOST_PAGES):
        raise _PageError
    page = document[number - 1]
    with contextlib.closing(page):
        width, height = page.get_size()
        bitmap = page.render(scale=_bound(width, height, scale))
        with contextlib.closing(bitmap):
            return _to_jpeg(bitmap.to_pil())


def _bound(width: float, height: float, scale: float) -> float:
    """A scale at which what is drawn is not too large."""
    width, height = max(width, 1e-3), max(height, 1e-3)
    return min(scale, math.sqrt(MOST_PIXELS / (width * height)), LONGEST_PIXELS / max(width, height))


def _to_jpeg(image: Image) -> bytes:
    stream = io.BytesIO()
    image.convert("RGB").save(stream, "JPEG", quality=_QUALITY, subsampling=0)
    return stream.getvalue()


def _locate(file: _Kept, places: list[dict[str, Any]]) -> list[tuple[int, int, int, Edges]]:
    """The boxes of places in the text (see drawing.Place): start, end, page, edges."""
    found = []
    for place in places:
        start, end, shift = place["start"], place["end"], place["text_start"]
        words = place["text"][start - shift : end - shift]
        for trace in (_trace_pages, _trace_all) if _is_pdf(file) else (_trace_picture,):
            try:
                traced = trace(file, place)
            except UnreadableError:
                continue
            at = _find(place, words, traced)
            if at is not None:
                found += [(start, end, page, edges) for page, edges in traced.find(at, at + len(words))]
                break
        else:
            # What was recognised was not known, or has been forgotten; it may be known next time.
            file.forget()
    return found


def _find(place: dict[str, Any], words: str, traced: _TracedPdf | _TracedPicture) -> int | None:
    """Where a place's words stand in a text that was traced; None where that is not sure."""
    if isinstance(traced, _TracedPicture) or traced.is_whole:
        return place["start"] if traced.text.startswith(words, place["start"]) else None
    text, start = place["text"], place["start"] - place["text_start"]
    begin, end = traced.between(place["first_page"], place["last_page"])
    read = traced.text[begin:end]
    if read == text:
        return begin + int(start)
    if not words or text.count(words) != read.count(words):
        return None
    # The pages were read in the same order, and differ elsewhere.
    at = -1
    for _ in range(text.count(words, 0, start) + 1):
        at = read.find(words, at + len(words) if at >= 0 else 0)
    return begin + at if at >= 0 else None


def _trace_pages(file: _Kept, place: dict[str, Any]) -> _TracedPdf:
    """The pages on which a place is. Raises UnreadableError where these are too many."""
    first, last = place["first_page"], place["last_page"]
    if last - first >= _MOST_TRACED:
        raise UnreadableError("too many")
    if (first, last) not in file.parts:
        if len(file.parts) >= _PARTS_KEPT:
            file.parts.popitem(last=False)[1].close()
        file.parts[first, last] = _TracedPdf(_open_pdf(file), file.content, range(first, last + 1))
    return file.parts[first, last]


def _trace_all(file: _Kept, _: dict[str, Any]) -> _TracedPdf:
    if file.traced is None:
        file.traced = _TracedPdf(_open_pdf(file), file.content)
    traced: _TracedPdf = file.traced
    return traced


def _trace_picture(file: _Kept, _: dict[str, Any]) -> _TracedPicture:
    if file.traced is None:
        file.traced = _TracedPicture(file)
    traced: _TracedPicture = file.traced
    return traced


class _TracedPdf:
    """A PDF's text, and where it stands. only: the pages, from 1, that are read; all where they are not said."""

    def __init__(self, drawn: Any, content: bytes, only: range | None = None) -> None:
        from index.loading.formats.pdf import Tracing

        self.is_whole = only is None
        self._drawn = drawn
        self._tracing = Tracing(content, only)
        self.text: str = self._tracing.text

    def between(self, first_page: int, last_page: int) -> tuple[int, int]:
        """From where to where some pages reach in the text."""
        pages = (*self._tracing.pages, len(self.text))
        return pages[min(first_page, len(pages)) - 1], pages[min(last_page + 1, len(pages)) - 1]

    def close(self) -> None:
        self._tracing.close()

    def find(self, start: int, end: int) -> list[tuple[int, Edges]]:
        """Where a place's boxes are, as the page is shown."""
        from ctypes import byref, c_int

        from pypdfium2.raw import FPDF_PageToDevice

        found = []
        x, y = c_int(), c_int()
        pages: dict[int, Any] = {}
        try:
            for number, left, bottom, right, top in self._tracing.locate(start, end):
                page = pages.get(number) or pages.setdefault(number, self._drawn[number - 1])
                corners = []
                for point in ((left, bottom), (right, top)):
                    FPDF_PageToDevice(page.raw, 0, 0, _UNIT, _UNIT, 0, *point, byref(x), byref(y))
                    corners.append((x.value / _UNIT, y.value / _UNIT))
                if edges := _to_edges(*corners):
                    found.append((number, edges))
        finally:
            for page in pages.values():
                page.close()
        return found


def _to_edges(one: tuple[float, float], other: tuple[float, float]) -> Edges | None:
    """A box by two corners, as far as it is on the page; None where it is not."""
    (left, right), (top, bottom) = (
        sorted(min(max(value, 0.0), 1.0) for value in pair) for pair in zip(one, other, strict=True)
    )
    return (left, top, right - left, bottom - top) if right > left and bottom > top else None


# -- pictures ---------------------------------------------------------------------------------


@contextlib.contextmanager
def _open_picture(file: _Kept) -> Any:
    from PIL import Image

    from index.loading.formats.picture import FORMATS

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about what is odd in a file
        with Image.open(io.BytesIO(file.content), formats=FORMATS) as image:
            yield image


def _count_frames(image: Any) -> int:
    return min(getattr(image, "n_frames", 1), _MOST_FRAMES) if image.format == "TIFF" else 1


def _find_size(image: Any) -> tuple[float, float]:
    """The width and height of a picture once it stands upright."""
    width, height = image.size
    return (height, width) if image.getexif().get(0x0112, 1) in (5, 6, 7, 8) else (width, height)


def _draw_picture(file: _Kept, number: int, scale: float) -> bytes:
    from index.loading.formats.picture import check_size, render

    with _open_picture(file) as image:
        if not 1 <= number <= _count_frames(image):
            raise _PageError
        image.seek(number - 1)
        check_size(image)
        size = max(image.size)
        wanted = min(1.0, _bound(image.width, image.height, scale * _PICTURE_POINTS / size))
        upright, _ = render(image, wanted)
        upright.thumbnail((max(1, round(size * wanted)),) * 2)
        return _to_jpeg(upright)


class _TracedPicture:
    """The lines of a picture, and where they stand in its text. Raises UnreadableError where they are not known."""

    def __init__(self, file: _Kept) -> None:
        from index.loading.formats.picture import check_size
        from index.loading.formats.recognition import Pictures
        from index.loading.formats.scan import write_lines

        def refuse() -> tuple[Image, float]:
            raise UnreadableError("not recognised")

        if not find_engine():
            raise UnreadableError("not recognised")
        blocks = Blocks()
        self._places: list[tuple[int, int, int, Edges]] = []
        with _open_picture(file) as image:
            count = _count_frames(image)
            pictures = Pictures(file.content, count)
            for number in range(count):
                if count > 1:
                    blocks.page()
                try:
                    image.seek(number)
                    check_size(image)
                    lines = pictures.recognise(number, refuse)
                except (OSError, ValueError, SyntaxError, EOFError, UnreadableError):
                    continue
                width, height = _find_size(image)
                for start, end, line in write_lines(blocks, lines):
                    across, down = line.corners[::2], line.corners[1::2]
                    edges = _to_edges(
                        (min(across) / width, min(down) / height), (max(across) / width, max(down) / height)
                    )
                    if edges:
                        self._places.append((start, end, number + 1, edges))
        self.text = blocks.text

    def close(self) -> None:
        """Nothing is open."""

    def find(self, start: int, end: int) -> list[tuple[int, Edges]]:
        """The boxes of the lines of which a place has a part."""
        return [(page, edges) for first, last, page, edges in self._places if first < end and last > start]
