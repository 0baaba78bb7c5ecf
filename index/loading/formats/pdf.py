"""PDF: the text of each page as a reader sees it, by pdfium, with the offsets at which the pages start.

    pdf_letters.py   what is drawn: letters, ruling lines    pdf_furniture.py headers and footers
    pdf_layout.py    columns, lines                          pdf_forms.py     fields, links without words
    pdf_grids.py     tables with ruling lines                pdf_tables.py    tables without
    pdf_rows.py      what these are made of
    pdf_writing.py   paragraphs, headings, tables as text

But: hard line ends stay as they are, and what is scanned or drawn is read only where it can be recognised, where no
paragraph goes on over the pages. Whether a hyphen at a line's end is a word's own is an estimate from the words of the
document.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from index.loading.formats import Extract, UnreadableError
from index.loading.formats.blocks import MOST_CHARACTERS, MOST_PAGES, tidy
from index.loading.formats.fields import read_date, read_title
from index.loading.formats.pdf_forms import find_addresses, name_fields, take_fields, turn_fields
from index.loading.formats.pdf_furniture import PAGES_AROUND, Edge, find_edges, find_furniture, is_worthless
from index.loading.formats.pdf_layout import lay_out
from index.loading.formats.pdf_letters import LIGATURES, Bounds, Letters, Lines, Piece, find_lines
from index.loading.formats.pdf_writing import Writing, read_outline
from index.loading.formats.recognition import HINT, Line, Pictures, find_engine, find_scale
from index.loading.formats.scan import find_paragraphs

if TYPE_CHECKING:
    from PIL.Image import Image

_SCAN_SCALE = 200 / 72  # of a page that is recognised: pixels a point, as far as it is not too large
_TITLE_PAGE_CHARACTERS = 4_000  # of the first page, in which its title is looked for
_STAMP_CHARACTERS = 40  # of text beside a picture of half a page, that may be all that its scan says
_MOST_LINES = 10  # on a page that is only ruled or framed
_PAGES_KEPT = 50  # of a PDF that is asked about places
_END_BYTES = 4_096  # at the end of a file, in which its last line is looked for


class Box(NamedTuple):
    """A place on a page: the page's number, from 1, and its edges in points, from the page's left and bottom."""

    page: int
    left: float
    bottom: float
    right: float
    top: float


@dataclass(slots=True)
class _Page:
    """What is read of a page.

    text: pdfium's; the only thing known where `pieces` is None.
    pieces, lines: what stands on the page and is ruled on it, as it is shown.
    bounds: those of the page, as it is shown.
    addresses: of links that have no words.
    """

    number: int
    text: str = ""
    letters: int = 0
    pieces: list[Piece] | None = None
    lines: Lines = field(default_factory=lambda: Lines([], []))
    bounds: Bounds = (0, 0, 0, 0)
    edges: list[Edge] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    is_picture: bool = False
    is_damaged: bool = False


def read_pdf(content: bytes) -> Extract:
    """The text, page by page. Raises UnreadableError: "encrypted", "damaged", "no text (scanned or drawn)"."""
    with contextlib.closing(_open(content)) as document:
        writing, unreadable, pictures = _write_pages(document, content)
        count = len(document)
        blocks = writing.finish()
        text = blocks.text
        if not any(character.isalnum() for character in text):
            hint = "" if find_engine() else f"; {HINT.format('it')}"
            raise UnreadableError("damaged" if unreadable == count else f"no text (scanned or drawn{hint})")
        fields = document.get_metadata_dict()
        title = _find_title(document)
    blocks.miss_some(unreadable, count, "page", "damaged")
    hint = "" if find_engine() else f" ({HINT.format('them' if pictures > 1 else 'it')})"
    what = "pictures with little or no text" if pictures > 1 else "a picture"
    blocks.miss_some(pictures, count, "page", what + hint)
    blocks.miss(f"the pages after {MOST_PAGES:,}" if count > MOST_PAGES else "")
    blocks.miss("" if b"%%EOF" in content[-_END_BYTES:] else "what came after the file was cut off")
    return Extract(
        text,
        read_title(fields.get("Title")) or title,
        read_date(fields.get("CreationDate")) or read_date(fields.get("ModDate")),
        tuple(blocks.pages),
        blocks.unread,
    )


def locate(content: bytes, start: int, end: int) -> list[Box]:
    """Where the characters from `start` to `end` of a PDF's text stand (see `Tracing.locate`)."""
    with contextlib.closing(Tracing(content)) as tracing:
        return tracing.locate(start, end)


class Tracing:
    """A PDF that is read once more, as `read_pdf` reads it, and remembers where each character of its text stands.

    text, pages: what was read, and where each page starts in it. Raises what `read_pdf` raises.
    only: the numbers of the pages, from 1, that are read, and some around them. Then the text is theirs; it may differ
        from that of the whole in what is told by all pages, as the mark of a heading.
    """

    def __init__(self, content: bytes, only: range | None = None) -> None:
        self._document = _open(content)
        self._letters: dict[int, Letters] = {}
        numbers = range(only.start - 1 - PAGES_AROUND, only.stop - 1 + PAGES_AROUND) if only else None
        try:
            self._writing, _, _ = _write_pages(self._document, content, numbers, is_traced=True)
            blocks = self._writing.finish()
            self.text, self.pages = blocks.text, tuple(blocks.pages)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the file."""
        self._document.close()

    def locate(self, start: int, end: int) -> list[Box]:
        """Where the characters from `start` to `end` stand: a box for each piece of a line, as it is read.

        Of what was recognised, or stands in a form's field, the box is that of the whole line, or field. What stands on
        no page, such as a heading's marks, has no box.
        """
        boxes: list[Box] = []
        found = self._writing.trace(start, end, self._read_letters)
        for (number, whole), run in groupby(found, lambda at: (at[0], at[1] if isinstance(at[1], Piece) else None)):
            letters = self._read_letters(number)
            if whole:
                bounds = [letters.turn_back((whole.left, whole.bottom, whole.right, whole.top))]
            else:
                bounds = letters.find_boxes([place for _, place in run if isinstance(place, int)])
            boxes += (Box(number + 1, *edges) for edges in bounds)
        return boxes

    def _read_letters(self, number: int) -> Letters:
        if number not in self._letters:
            if len(self._letters) >= _PAGES_KEPT:
                self._letters.clear()
            self._letters[number] = _read_letters(self._document, number)
        return self._letters[number]


def _open(content: bytes) -> Any:
    import pypdfium2

    # pdfium keeps its last error, and some failures set none: this sets one that is not taken for a lock.
    with contextlib.suppress(pypdfium2.PdfiumError):
        pypdfium2.PdfDocument(b"no PDF")
    try:
        document = pypdfium2.PdfDocument(content)
    except pypdfium2.PdfiumError as error:
        locked = error.err_code in (pypdfium2.raw.FPDF_ERR_PASSWORD, pypdfium2.raw.FPDF_ERR_SECURITY)
        raise UnreadableError("encrypted" if locked else "damaged") from error
    if document.get_formtype() == pypdfium2.raw.FORMTYPE_ACRO_FORM:
        document.init_forms()
    return document


def _write_pages(
    document: Any, content: bytes, numbers: range | None = None, *, is_traced: bool = False
) -> tuple[Writing, int, int]:
    """The pages written down, how many are damaged, and how many are pictures that could not be recognised.

    numbers: of the pages, from 0, where they are not all; some may be none of a page.
    """
    scans = Pictures(content, min(len(document), MOST_PAGES))
    writing = Writing(read_outline(document), is_traced=is_traced)
    unreadable = pictures = 0
    for page, around in _look_around(_read_pages(document, numbers)):
        writing.page()
        unreadable += page.is_damaged
        lines = _recognise(scans, document, page) if page.is_picture else []
        pictures += page.is_picture and not lines
        if lines:
            writing.recognised(page.number, find_paragraphs(lines), page.bounds)
            fields = [piece for piece in page.pieces or () if piece.is_filled_in]
            writing.parts(page.number, lay_out(fields, page.lines))
        elif page.pieces is None:
            writing.plain(page.number, page.text, page.letters)
        else:
            furniture = find_furniture(page.number, around)
            taken = {id(piece) for edge in furniture for piece in edge.row}
            if len(taken) == len(page.pieces):
                # A page that says nothing else says this.
                furniture = [edge for edge in furniture if is_worthless(edge)]
                taken = {id(piece) for edge in furniture for piece in edge.row}
            for edge in (edge for edge in furniture if edge.is_top):
                writing.furniture(page.number, edge.row)
            pieces = [piece for piece in page.pieces if id(piece) not in taken]
            writing.parts(page.number, lay_out(pieces, page.lines))
            for edge in (edge for edge in reversed(furniture) if not edge.is_top):
                writing.furniture(page.number, edge.row)
        for address in page.addresses:
            writing.line(address)
        if writing.length >= MOST_CHARACTERS:
            break
    return writing, unreadable, pictures


def _look_around(pages: Iterator[_Page]) -> Iterator[tuple[_Page, dict[int, list[Edge]]]]:
    """Each page, with the edges of the pages before and after it."""
    around: dict[int, list[Edge]] = {}
    waiting: deque[_Page] = deque()
    for page in pages:
        waiting.append(page)
        around[page.number] = page.edges
        if len(waiting) > PAGES_AROUND:
            first = waiting.popleft()
            around.pop(first.number - PAGES_AROUND - 1, None)
            yield first, around
    while waiting:
        first = waiting.popleft()
        around.pop(first.number - PAGES_AROUND - 1, None)
        yield first, around


def _read_pages(document: Any, numbers: range | None) -> Iterator[_Page]:
    from pypdfium2 import PdfiumError

    every = range(min(len(document), MOST_PAGES))
    for number in every if numbers is None else every[max(0, numbers.start) : max(0, numbers.stop)]:
        try:
            yield _read_page(document, number)
        except PdfiumError:
            yield _Page(number, is_damaged=True)


def _read_page(document: Any, number: int) -> _Page:
    fields = _flatten(document, number)
    read = _Page(number)
    page = document[number]
    turn = page.get_rotation() // 90
    with contextlib.closing(page), _open_words(page) as (words, letters):
        read.letters = letters.count
        stored = page.get_bbox()
        read.bounds = letters.turn_bounds(stored)
        read.lines = find_lines(page, letters.turn)
        read.pieces = letters.find_pieces(stored, read.lines.upright)
        if read.pieces is None:
            read.text = str(words.get_text_bounded())
            count = sum(map(str.isalnum, read.text[: 10 * _STAMP_CHARACTERS]))
        else:
            count = 0
            for piece in read.pieces:
                count += sum(map(str.isalnum, piece.text))
                if count > _STAMP_CHARACTERS:
                    break
            turn_fields(fields, letters.turn - turn)
            name_fields(fields, read.pieces)
            read.pieces += fields
            read.edges = find_edges(read.pieces, read.bounds)
            read.addresses = find_addresses(page, read.pieces, letters.turn)
        read.is_picture = is_picture(page, count)
    return read


def _recognise(scans: Pictures, document: Any, page: _Page) -> list[Line]:
    """The lines that are recognised on a page, where that is more than is written on it."""
    written = page.text if page.pieces is None else "".join(p.text for p in page.pieces if not p.is_filled_in)
    try:
        lines = scans.recognise(page.number, partial(_render, document, page.number))
    except UnreadableError:  # what is drawn on a page may be damaged where its text is not
        return []
    return lines if sum(len(line.text) for line in lines) > len(written.strip()) else []


def _render(document: Any, number: int) -> tuple[Image, float]:
    """A page as a picture, and how many points one of its pixels is."""
    page = document[number]
    with contextlib.closing(page):
        width, height = page.get_size()
        # Rather more than is recognised, since a picture that is scaled down twice loses less.
        scale = min(_SCAN_SCALE, 1.5 * _SCAN_SCALE * find_scale(width * _SCAN_SCALE, height * _SCAN_SCALE))
        bitmap = page.render(scale=scale, grayscale=True)
        with contextlib.closing(bitmap):
            return bitmap.to_pil().copy(), 1 / scale


def _flatten(document: Any, number: int) -> list[Piece]:
    """What the fields of a form hold on a page; what else was put on the page becomes part of it."""
    if not document.formenv:
        return []
    with contextlib.closing(document[number]) as page:
        fields = take_fields(page, document.formenv.raw)
        page.flatten()
    return fields


@contextlib.contextmanager
def _open_words(page: Any) -> Iterator[tuple[Any, Letters]]:
    """A page's text. A page that shows most of its letters aside is turned, since pdfium would mix up its lines."""
    with contextlib.closing(page.get_textpage()) as words:
        letters = Letters(page, words)
        if 90 * letters.turn == page.get_rotation():
            yield words, letters
            return
    page.set_rotation(90 * letters.turn)
    with contextlib.closing(page.get_textpage()) as words:
        yield words, Letters(page, words)


def _read_letters(document: Any, number: int) -> Letters:
    _flatten(document, number)
    page = document[number]
    with contextlib.closing(page), _open_words(page) as (_, letters):
        letters.find_pieces(page.get_bbox())
        return letters


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
    runs = [" ".join(tidy(run).split()) for run in largest.translate(LIGATURES).split("\0")]
    first = next((run for run in runs if any(character.isalnum() for character in run)), "")
    return first if 8 <= len(first) <= 250 and " " in first else None


def is_picture(page: Any, letters: int) -> bool:
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
