"""PDF: the text of each page, by pdfium, with the offsets at which the pages start.

But: hard line ends stay as they are, and what is scanned or drawn is not read. Whether a hyphen at a line's end is a
word's own is an estimate from the words of the document.
"""

from __future__ import annotations

import contextlib
import re
from itertools import pairwise
from typing import Any

from index.loading.formats import Extract, UnreadableError
from index.loading.formats.blocks import MOST_PAGES, Blocks, tidy
from index.loading.formats.fields import read_date, read_title

_TITLE_PAGE_CHARACTERS = 4_000  # of the first page, in which its title is looked for
_STAMP_CHARACTERS = 40  # of text beside a picture of half a page, that may be all that its scan says
_MOST_LINES = 10  # on a page that is only ruled or framed
_END_BYTES = 4_096  # at the end of a file, in which its last line is looked for
_SOFT_HYPHEN = re.compile(r"\u00ad\s*\n\s*")
# pdfium writes this for a hyphen that stands at a line's end.
_HYPHEN = re.compile(r"[\x02\ufffe](?:\s*\n\s*)?")
_WORD = re.compile(r"\w++(?:-\w++)*+")
_WORD_CHARACTERS = 60  # beside a hyphen, in which its words are looked for
_COMPOUNDING = frozenset("well self non".split())  # what keeps its hyphen before most words
_LIGATURES = {0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "st", 0xFB06: "st"}


def read_pdf(content: bytes) -> Extract:
    """The text, page by page. Raises UnreadableError: "encrypted", "damaged", "no text (scanned or drawn)"."""
    import pypdfium2

    # pdfium keeps its last error, and some failures set none: this sets one that is not taken for a lock.
    with contextlib.suppress(pypdfium2.PdfiumError):
        pypdfium2.PdfDocument(b"no PDF")
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        locked = error.err_code in (pypdfium2.raw.FPDF_ERR_PASSWORD, pypdfium2.raw.FPDF_ERR_SECURITY)
        raise UnreadableError("encrypted" if locked else "damaged") from error
    with contextlib.closing(document):
        blocks = Blocks()
        unreadable = pictures = 0
        known = set[str]()
        forms = document.get_formtype() == pypdfium2.raw.FORMTYPE_ACRO_FORM
        if forms:
            document.init_forms()
        count = len(document)
        for number in range(min(count, MOST_PAGES)):
            blocks.page()
            try:
                text, is_picture = _read_page(document, number, forms)
            except pypdfium2.PdfiumError:
                unreadable += 1
                continue
            pictures += is_picture
            for paragraph in re.split(r"\n[ \t]*\n", _mend_words(text, known)):
                blocks.paragraph(paragraph)
            if blocks.is_full:
                break
        text = blocks.text
        if not any(character.isalnum() for character in text):
            raise UnreadableError("damaged" if unreadable == count else "no text (scanned or drawn)")
        fields = document.get_metadata_dict()
        title = _find_title(document)
    blocks.miss_some(unreadable, count, "page", "damaged")
    blocks.miss_some(pictures, count, "page", "pictures with little or no text" if pictures > 1 else "a picture")
    blocks.miss(f"the pages after {MOST_PAGES:,}" if count > MOST_PAGES else "")
    blocks.miss("" if b"%%EOF" in content[-_END_BYTES:] else "what came after the file was cut off")
    return Extract(
        text,
        read_title(fields.get("Title")) or title,
        read_date(fields.get("CreationDate")) or read_date(fields.get("ModDate")),
        tuple(blocks.pages),
        blocks.unread,
    )


def _find_title(document: object) -> str | None:
    """What stands on the first page in the largest letters, where that is a line or two."""
    from pypdfium2 import PdfiumError
    from pypdfium2.raw import FS_RECTF, FPDFText_GetLooseCharBox, FPDFText_GetUnicode

    box = FS_RECTF()

    try:
        page = document[0]  # type: ignore[index]
        with contextlib.closing(page), contextlib.closing(page.get_textpage()) as words:
            count = min(words.count_chars(), _TITLE_PAGE_CHARACTERS)
            letters = []
            for place in range(count):
                # Their height on the page; the size of the font is often 1, and scaled.
                FPDFText_GetLooseCharBox(words, place, box)
                letters.append((round(box.top - box.bottom), chr(FPDFText_GetUnicode(words, place) or 32)))
    except (PdfiumError, ValueError):
        return None
    sizes = sorted(size for size, letter in letters if letter.isalnum())
    if not sizes or sizes[-1] < 1.2 * sizes[len(sizes) // 2]:
        return None
    # Spaces and line ends that pdfium adds have no size of their own.
    largest = "".join(letter if size >= 0.85 * sizes[-1] or letter.isspace() else "\0" for size, letter in letters)
    runs = [" ".join(tidy(run).split()) for run in largest.translate(_LIGATURES).split("\0")]
    first = next((run for run in runs if any(character.isalnum() for character in run)), "")
    return first if 8 <= len(first) <= 250 and " " in first else None


def _read_page(document: object, number: int, forms: bool) -> tuple[str, bool]:
    """A page's text, and whether the page is a picture that may say more than that."""
    if forms:
        # What was filled in becomes part of the page.
        with contextlib.closing(document[number]) as page:  # type: ignore[index]
            page.flatten()
    page = document[number]  # type: ignore[index]
    with contextlib.closing(page), contextlib.closing(page.get_textpage()) as words:
        text = str(words.get_text_bounded())
        is_picture = _is_picture(page, sum(map(str.isalnum, text[: 10 * _STAMP_CHARACTERS])))
    text = text.replace("\r\n", "\n").replace("\r", "\n").translate(_LIGATURES)
    return _SOFT_HYPHEN.sub("", text), is_picture


def _mend_words(text: str, known: set[str]) -> str:
    """The text with the words whole that a line's end has broken. known: the words of the pages so far, added to."""
    pieces = _HYPHEN.split(text)
    for place, piece in enumerate(pieces):
        words = _WORD.findall(piece.casefold())
        # The words beside a break are no evidence of what they are.
        for word in words[place > 0 : len(words) - (place < len(pieces) - 1)]:
            known.update((word, *word.split("-")))
    mended = pieces[:1]
    for before, after in pairwise(pieces):
        left, right = _WORD.findall(before[-_WORD_CHARACTERS:])[-1:], _WORD.findall(after[:_WORD_CHARACTERS])[:1]
        is_compound = bool(left and right) and _is_compound(left[0], right[0], known)
        mended.append(f"-{after}" if is_compound else after)
    return "".join(mended)


def _is_compound(left: str, right: str, known: set[str]) -> bool:
    """Whether the hyphen between two words is their own, "well-known", and not the line's, "mainte-nance".

    What the document writes elsewhere decides: the word whole, or its parts. Then how the parts look.
    """
    if left[-1].isdigit() or right[0].isdigit() or (right[0].isupper() and not left.isupper()):
        return True
    left, right = left.casefold(), right.casefold()
    if left + right in known:
        return False
    first, last = left.rpartition("-")[2], right.partition("-")[0]
    return "-" in left or (first in known and last in known) or (first in _COMPOUNDING and len(last) > 4)


def _is_picture(page: Any, letters: int) -> bool:
    """Whether a page has something drawn and no letters, or hardly any beside an image of half its size."""
    from pypdfium2 import PdfiumError
    from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE, FPDF_PAGEOBJ_PATH

    if letters > _STAMP_CHARACTERS:
        return False
    area = page.get_width() * page.get_height()
    lines = 0
    with contextlib.suppress(PdfiumError):
        for drawn in page.get_objects([FPDF_PAGEOBJ_IMAGE, FPDF_PAGEOBJ_PATH], max_depth=3):
            lines += drawn.type == FPDF_PAGEOBJ_PATH
            if drawn.type == FPDF_PAGEOBJ_IMAGE:
                left, bottom, right, top = drawn.get_bounds()
                if not letters or 2 * (right - left) * (top - bottom) > area:
                    return True
            elif not letters and lines > _MOST_LINES:
                return True
    return False
