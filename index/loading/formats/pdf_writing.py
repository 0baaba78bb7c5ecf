"""The parts of a PDF's pages as text: paragraphs that go on over the pages, headings, tables.

A heading is told by the size of its letters beside those of most of the text, by its weight where it stands alone, or
by the document's outline. But: what is large or bold within a paragraph is no heading.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Any

from index.loading.formats.blocks import Blocks, tidy
from index.loading.formats.pdf_letters import LIGATURES, Bounds, Letters, Piece
from index.loading.formats.pdf_rows import Part, Row
from index.loading.formats.recognition import Line
from index.splitting.blocks import is_marked

_MOST_BOOKMARKS = 5_000
_DEEPEST_BOOKMARK = 6
_LARGE = 1.15  # of the body's size
_HEADING_CHARACTERS = 200
_HEADING_LINES = 3
_BOLD_CHARACTERS = 120
_MOST_LEVELS = 3  # by size; what is only bold is one more
_FURTHER = 1.45  # of the usual step between lines, from which a paragraph ends
_SHORT_CHARACTERS = 100
_TELLING = re.compile(r"\d|: ")
_BLOCKS_KEPT = 20  # of which it is remembered where their characters are from
_SKIPPED = 40  # letters that a text may leave out of its source at one place
_ENDS = frozenset(".!?:;\u2026\"\u201d\u201c'\u2019\u00bb)]")
_SOFT_HYPHEN = re.compile(r"\u00ad\s*\n\s*")
# pdfium writes this for a hyphen that stands at a line's end.
_HYPHEN = re.compile(r"[\x02\ufffe](?:\s*\n\s*)?")
_WORD = re.compile(r"\w++(?:-\w++)*+")
_WORD_CHARACTERS = 60  # beside a hyphen, in which its words are looked for
_COMPOUNDING = frozenset("well self non".split())  # what keeps its hyphen before most words

# What a text is made of: a page's number, from 0, and a piece, or the first letter and the one after the last.
Source = tuple[int, Piece | tuple[int, int]]
Outline = dict[tuple[int, str], int]  # the level of a heading, by its page's number and its letters and digits


@dataclass(slots=True)
class _Block:
    """Text that becomes one block.

    kind: "text", "table" or "furniture". level: of a heading that the outline knows, or 0.
    is_full: whether its last line reaches as far as the others.
    joins: the number of each page that begins within it, and where.
    sources, passed: what it is made of, and how many of its letters and digits stand before it.
    """

    kind: str
    page: int
    text: str
    size: float = 0.0
    is_bold: bool = False
    level: int = 0
    line_count: int = 1
    is_full: bool = False
    joins: list[tuple[int, int]] = field(default_factory=list)
    sources: list[Source] = field(default_factory=list)
    passed: int = 0


def read_outline(document: Any) -> Outline:
    """The bookmarks of a document."""
    from pypdfium2 import PdfiumError

    outline: Outline = {}
    try:
        for number, bookmark in enumerate(document.get_toc(max_depth=_DEEPEST_BOOKMARK)):
            if number >= _MOST_BOOKMARKS:
                break
            target = bookmark.get_dest()
            page = target.get_index() if target else None
            title = _strip(bookmark.get_title() or "")
            if page is not None and title:
                outline.setdefault((page, title), bookmark.level + 1)
    except (PdfiumError, ValueError, RecursionError):
        return outline
    return outline


class Writing:
    """The text of a PDF in the making. is_traced: whether `trace` will be asked."""

    def __init__(self, outline: Outline, *, is_traced: bool = False) -> None:
        self._outline = outline
        self._bookmarked = {page for page, _ in outline}
        self._is_traced = is_traced
        self._known = set[str]()
        self._blocks: list[_Block] = []
        self._page_count = 0
        self._offsets: list[tuple[int, int, str, _Block]] = []  # of each block: start, end, text
        self._matched: dict[int, list[tuple[int, Piece | int] | None]] = {}  # by a block's start, where it is from
        self.length = 0

    def page(self) -> None:
        """Begin a page."""
        self._page_count += 1

    def plain(self, number: int, text: str, letter_count: int) -> None:
        """Add a page's text as pdfium gives it. letter_count: how many letters the page has."""
        text = text.replace("\r\n", "\n").replace("\r", "\n").translate(LIGATURES)
        text = _SOFT_HYPHEN.sub("", text)
        _learn_words(text, self._known)
        passed = 0
        for paragraph in re.split(r"\n[ \t]*\n", mend_words(text, self._known)):
            self._add(_Block("text", number, paragraph, sources=[(number, (0, letter_count))], passed=passed))
            passed += sum(map(str.isalnum, paragraph))

    def recognised(self, number: int, paragraphs: Iterable[tuple[str, list[Line]]], bounds: Bounds) -> None:
        """Add the paragraphs that were recognised on a page, each with its lines; in tables, tabs part the cells.

        bounds: those of the page, as it is shown.
        """
        for text, lines in paragraphs:
            kind = "table" if "\t" in text else "text"
            self._add(_Block(kind, number, text, sources=[(number, _to_piece(line, bounds)) for line in lines]))

    def line(self, text: str) -> None:
        """Add a line that stands on no page."""
        self._add(_Block("text", self._page_count - 1, text))

    def furniture(self, number: int, row: Row) -> None:
        """Add a line that a page repeats of others; a paragraph may go on beyond it."""
        self._add(_Block("furniture", number, _join_pieces(row), sources=self._trace(number, row)))

    def parts(self, number: int, parts: list[Part]) -> None:
        """Add parts of a page."""
        written = [list(self._write(number, part)) for part in parts]
        texts = (block.text for blocks in written for block in blocks)
        _learn_words("\n\n".join(f"{text[:-1]}\x02" if text[-1:] == "-" else text for text in texts), self._known)
        for blocks in written:
            for place, block in enumerate(blocks):
                # A paragraph goes on in the next column, or on the next page.
                if place or not self._joins(block):
                    self._add(block)

    def _add(self, block: _Block) -> None:
        if block.text:
            self._blocks.append(block)
            self.length += len(block.text)

    def _joins(self, block: _Block) -> bool:
        """Whether a block goes on with the last paragraph of the page before, and is added to it."""
        last = next((block for block in reversed(self._blocks) if block.kind != "furniture"), None)
        if not last or last.kind != "text" or block.kind != "text" or last.level or block.level:
            return False
        started = last.joins[-1][0] if last.joins else last.page
        if started < block.page - 1 or abs(last.size - block.size) > 0.1 * block.size or last.is_bold != block.is_bold:
            return False
        before, after = last.text.rstrip(), block.text.lstrip()
        if not before or not after or before[-1] in _ENDS:
            return False
        goes_on = after[0].islower() and (before[-1].isalnum() or before[-1] in ",-\u2013\u2014\x02\ufffe")
        is_broken = before[-1] in ",\x02\ufffe" and after[0].isalnum()
        ends_full = last.is_full and last.line_count > 1 and before[-1].islower() and after[0].isalnum()
        if not (goes_on or is_broken or (ends_full and block.line_count > 1)):
            return False
        if before[-1] == "-" and before[-2:-1].isalpha() and after[0].islower():
            last.text = before[:-1] + "\x02"  # pdfium knows a line's end, not a page's
        last.text += "\n" + block.text
        if started < block.page:
            last.joins.append((block.page, len(last.text) - len(block.text)))
        last.line_count += block.line_count
        last.is_full = block.is_full
        last.sources += block.sources
        self.length += len(block.text)
        return True

    def _write(self, number: int, part: Part) -> Iterator[_Block]:
        if part.is_table:
            text = "\n".join("\t".join(_join_pieces(cell) for cell in row) for row in part.rows)
            yield _Block(
                "table", number, text, sources=self._trace(number, [p for r in part.rows for c in r for p in c])
            )
            return
        lines = [cell for row in part.rows for cell in row if cell]
        for paragraph, level in self._part_lines(number, lines):
            pieces = [piece for line in paragraph for piece in line]
            letters = Counter[float]()
            for piece in pieces:
                letters[round(2 * piece.size) / 2] += len(piece.text)
            ends = [line[-1].right for line in paragraph]
            left = min(piece.left for piece in pieces)
            yield _Block(
                "text",
                number,
                _SOFT_HYPHEN.sub("", "\n".join(_join_pieces(line) for line in paragraph)),
                max(letters, key=lambda size: (letters[size], size)),
                all(piece.is_bold for piece in pieces),
                level,
                len(paragraph),
                ends[-1] - left > 0.85 * (max(ends) - left),
                sources=self._trace(number, pieces),
            )

    def _part_lines(self, number: int, lines: list[list[Piece]]) -> Iterator[tuple[list[list[Piece]], int]]:
        """Lines in paragraphs, each with the level that the outline gives it, or 0."""
        steps = [above[0].middle - below[0].middle for above, below in pairwise(lines)]
        sizes = [line[0].size for line in lines]
        even = [step for step, size in zip(steps, sizes, strict=False) if 0.5 * size < step < 2.5 * size]
        usual = median(even) if even else 0.0
        levels = [
            self._outline.get((number, _strip("".join(piece.text for piece in line))), 0) if self._outline else 0
            for line in lines
        ]
        styles = [(line[0].size, all(piece.is_bold for piece in line)) for line in lines]
        first = 0
        for place in range(1, len(lines) + 1):
            if place < len(lines) and levels[place] == levels[place - 1] == 0:
                (size, is_bold), (next_size, next_bold) = styles[place - 1], styles[place]
                step = steps[place - 1]
                # Superscripts and numbers of notes are small, and part of their paragraph.
                is_like = (
                    max(size, next_size) < 1.13 * min(size, next_size)
                    or min(len(lines[place - 1]), len(lines[place])) > 3
                )
                goes_on = lines[place][0].text.lstrip()[:1].islower()
                if lines[place - 1][-1].text.endswith(("\x02", "\ufffe")) or abs(step) < 0.6 * max(size, next_size):
                    continue
                if is_like and (is_bold == next_bold or goes_on) and not step > _FURTHER * max(usual, next_size):
                    continue
            yield lines[first:place], levels[first]
            first = place

    def _trace(self, number: int, pieces: list[Piece]) -> list[Source]:
        if not self._is_traced:
            return []
        return [(number, piece if piece.is_filled_in else (piece.start, piece.end)) for piece in pieces]

    def finish(self) -> Blocks:
        """All that was added, as text."""
        out = Blocks()
        find_level = _rank(self._blocks)
        has_headings = any(map(find_level, self._blocks))
        page_count = 0

        def begin(count: int) -> None:
            nonlocal page_count
            while page_count < count:
                out.page()
                page_count += 1

        for block in self._blocks:
            begin(block.page + 1)
            text = mend_words(block.text, self._known)
            level = find_level(block)
            if block.kind == "table":
                text = "\n".join("\t".join(tidy(cell) for cell in row.split("\t")) for row in text.split("\n"))
                out.verbatim(text)
            elif block.kind == "furniture":
                text = tidy(text).replace("\n", " ")
                out.furniture(text)
            elif level:
                text = tidy(text).replace("\n", " ")
                out.heading(text, level, silent=True)
            else:
                text = tidy(text)
                # Where headings are set apart, a short line that is not is none; nor is one with a number or a label.
                is_short = (
                    "\n" not in text
                    and len(text) <= _SHORT_CHARACTERS
                    and text[-1:] not in _ENDS
                    and not is_marked(text)
                )
                out.paragraph(text, heads_nothing=is_short and (has_headings or bool(_TELLING.search(text))))
            if self._is_traced:
                self._offsets.append((out.length - len(text), out.length, text, block))
            for _, place in block.joins:
                out.page(len(tidy(mend_words(block.text[place:], self._known))))
                page_count += 1
            if out.is_full:
                break
        else:
            begin(self._page_count)
        return out

    def trace(self, start: int, end: int, read_letters: Callable[[int], Letters]) -> Iterator[tuple[int, Piece | int]]:
        """Where each visible character from `start` to `end` is from: its page's number, and its letter or field.

        read_letters: gives the letters of the page of a number.
        """
        for first, last, text, block in self._offsets:
            if first < end and last > start:
                if first not in self._matched:
                    if len(self._matched) >= _BLOCKS_KEPT:
                        self._matched.clear()
                    self._matched[first] = _match(text, _list_source(block, read_letters))
                places = self._matched[first]
                for place in range(max(start - first, 0), min(end, last) - first):
                    if at := places[place]:
                        yield at


def _to_piece(line: Line, bounds: Bounds) -> Piece:
    across, down = line.corners[::2], line.corners[1::2]
    left, top = bounds[0], bounds[3]
    box = left + min(across), top - max(down), left + max(across), top - min(down)
    return Piece(line.text, 0, 0, *box, 0, 0, 0)


def _list_source(
    block: _Block, read_letters: Callable[[int], Letters]
) -> Iterator[tuple[str, tuple[int, Piece | int]]]:
    """The visible characters of which a block is made, and where they stand."""
    passed = 0
    for number, source in block.sources:
        if isinstance(source, Piece):
            yield from ((character, (number, source)) for character in source.text if not character.isspace())
            continue
        for character, place in read_letters(number).list_characters(*source):
            if passed >= block.passed and not character.isspace():
                yield character, (number, place)
            passed += character.isalnum()


def _match(text: str, source: Iterator[tuple[str, tuple[int, Piece | int]]]) -> list[tuple[int, Piece | int] | None]:
    """Where each character of a text is from. The text is its source with hyphens and controls left out."""
    places: list[tuple[int, Piece | int] | None] = []
    waiting: deque[tuple[str, tuple[int, Piece | int]]] = deque()
    for character in text:
        found = None
        if not character.isspace():
            while len(waiting) < _SKIPPED and (more := next(source, None)):
                waiting.append(more)
            skipped = next((n for n, (other, _) in enumerate(waiting) if _is_same(character, other)), None)
            if skipped is not None:
                for _ in range(skipped):
                    waiting.popleft()
                found = waiting.popleft()[1]
        places.append(found)
    return places


def _is_same(character: str, source: str) -> bool:
    return character == source or (character == "-" and source in "\x02\ufffe")


def _rank(blocks: list[_Block]) -> Any:
    """A function that tells the level of a block as a heading, 0 where it is none."""
    letters = Counter[float]()
    bold = total = 0
    for block in blocks:
        if block.kind == "text" and block.size:
            letters[block.size] += len(block.text)
            total += len(block.text)
            bold += block.is_bold * len(block.text)
    body = max(letters, key=lambda size: (letters[size], -size)) if letters else 0.0

    def is_large(block: _Block) -> bool:
        return (
            block.size >= _LARGE * body
            and block.line_count <= _HEADING_LINES
            and len(block.text) <= _HEADING_CHARACTERS
            and _is_wordy(block.text)
        )

    def is_heavy(block: _Block) -> bool:
        return (
            block.is_bold
            and 3 * bold < total
            and block.size >= 0.95 * body
            and block.line_count <= 2
            and len(block.text) <= _BOLD_CHARACTERS
            and block.text.rstrip()[-1:] not in ".,;:"
            and _is_wordy(block.text)
        )

    sizes: list[float] = []  # the largest of each level
    for size in sorted({block.size for block in blocks if block.kind == "text" and block.size and is_large(block)})[
        ::-1
    ]:
        if not sizes or size < 0.94 * sizes[-1]:
            sizes.append(size)

    def find_level(block: _Block) -> int:
        if block.kind != "text" or block.joins or not body or not block.size:
            return 0
        if block.level:
            return block.level
        if is_large(block):
            return min(sum(size >= block.size for size in sizes), _MOST_LEVELS)
        return min(len(sizes), _MOST_LEVELS) + 1 if is_heavy(block) else 0

    return find_level


def _is_wordy(text: str) -> bool:
    letters = sum(map(str.isalpha, text))
    return letters > 2 and 2 * letters >= len(text)


def _strip(text: str) -> str:
    """The letters and digits of a title, by which a bookmark is known again."""
    return "".join(filter(str.isalnum, text.casefold()))


def _join_pieces(pieces: list[Piece]) -> str:
    return " ".join(piece.text.strip() for piece in pieces)


def _learn_words(text: str, known: set[str]) -> None:
    pieces = _HYPHEN.split(text)
    for place, piece in enumerate(pieces):
        words = _WORD.findall(piece.casefold())
        # The words beside a break are no evidence of what they are.
        for word in words[place > 0 : len(words) - (place < len(pieces) - 1)]:
            known.update((word, *word.split("-")))


def mend_words(text: str, known: set[str]) -> str:
    """The text with the words whole that a line's end has broken. known: the words of the document so far."""
    pieces = _HYPHEN.split(text)
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
