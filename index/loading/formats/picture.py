"""Pictures: the text that is recognised in them, each page of a TIFF one after another."""

from __future__ import annotations

import io
import warnings
from functools import partial
from typing import TYPE_CHECKING

from index.loading.formats import Extract, UnreadableError
from index.loading.formats.blocks import Blocks
from index.loading.formats.recognition import HINT, Pictures, find_engine, find_scale
from index.loading.formats.scan import write_lines

if TYPE_CHECKING:
    from PIL import ImageFile
    from PIL.Image import Image

MOST_PIXELS = 50_000_000
_MOST_PAGES = 500  # of a TIFF; of what moves, only the first picture is read
_LEAST_PIXELS = 40  # along the longer edge, of what is no decoration
FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "BMP")


def read_picture(content: bytes) -> Extract:
    """The text of a picture.

    Raises UnreadableError: "a picture (to read it, install footnote[ocr])", "no text that can be read (a picture)",
    "damaged", "too large (a picture of 80 megapixels; the limit is 50)".
    """
    if not find_engine():
        raise UnreadableError(f"a picture ({HINT.format('it')})")
    from PIL import Image

    blocks = Blocks()
    damaged = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about what is odd in a file, and its size, which is looked at here
        try:
            image = Image.open(io.BytesIO(content), formats=FORMATS)
            is_paged = image.format == "TIFF"
            total = getattr(image, "n_frames", 1) if is_paged else 1
        except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
            raise UnreadableError(_explain(error)) from error
        count = min(total, _MOST_PAGES)
        pictures = Pictures(content, count)
        for number in range(count):
            if count > 1:
                blocks.page()
            try:
                if is_paged:
                    image.seek(number)
                check_size(image)
                lines = pictures.recognise(number, partial(render, image))
            except (OSError, ValueError, SyntaxError, EOFError, UnreadableError) as error:
                if count == 1:
                    raise UnreadableError(_explain(error)) from error
                damaged += 1
                continue
            write_lines(blocks, lines)
    if not any(map(str.isalnum, blocks.text)):
        raise UnreadableError("damaged" if damaged == count else "no text that can be read (a picture)")
    blocks.miss_some(damaged, count, "page", "damaged")
    blocks.miss(f"the pages after {_MOST_PAGES:,}" if total > _MOST_PAGES else "")
    return Extract(blocks.text, pages=tuple(blocks.pages), unread=blocks.unread)


def check_size(image: ImageFile.ImageFile) -> None:
    """Raise UnreadableError where an image is not to be decoded, by the size that its header tells."""
    pixels = image.width * image.height
    if pixels > MOST_PIXELS:
        raise UnreadableError(
            f"too large (a picture of {pixels // 1_000_000:,} megapixels; the limit is {MOST_PIXELS // 1_000_000})"
        )
    if max(image.size) < _LEAST_PIXELS:
        raise UnreadableError("no text that can be read (a picture)")


def render(image: ImageFile.ImageFile, scale: float = 0) -> tuple[Image, float]:
    """An image as it is to be seen: upright, on white, hardly larger than it has to be, or than `scale` of its size;
    and how many of its pixels one of the result is."""
    import numpy
    from PIL import Image, ImageOps

    width = max(image.size)
    if image.format in ("JPEG", "MPO"):
        # Its decoder can leave out what is scaled away.
        scale = scale or find_scale(*image.size)
        image.draft("RGB", (max(1, int(image.width * scale)), max(1, int(image.height * scale))))
    upright = ImageOps.exif_transpose(image)
    unit = width / max(upright.size)
    if upright.mode.startswith(("I", "F")):
        # More than 256 shades, from the darkest to the lightest.
        shades = numpy.nan_to_num(numpy.asarray(upright, dtype=numpy.float32))
        shades -= shades.min()
        return Image.fromarray((shades * (255 / max(float(shades.max()), 1e-9))).astype(numpy.uint8)), unit
    if "A" in upright.getbands() or "transparency" in upright.info:
        upright = upright.convert("RGBA")
        paper = Image.new("RGBA", upright.size, "white")
        return Image.alpha_composite(paper, upright).convert("RGB"), unit
    return upright.convert("RGB"), unit


def _explain(error: BaseException) -> str:
    if isinstance(error, UnreadableError):
        return str(error)
    return "too large (a picture)" if type(error).__name__ == "DecompressionBombError" else "damaged"
