"""A part of a document's text that is shown at once: cut where a block begins, or at least a line or a sentence.

A window that begins where another ends shows what follows it, nothing twice and nothing left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from index.splitting.sentences import Sentence
from index.storing.lexicon import Lexicon
from index.viewing.blocks import Block, find_blocks, find_code

WINDOW_CHARACTERS = 20_000
LARGEST_WINDOW_CHARACTERS = 60_000
_REACH_CHARACTERS = 3_000  # in which a better place for an end is looked for
_AROUND_CHARACTERS = 2_000  # before and after that, so that what stands there is known
_LINE_END = re.compile(r"\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
_PROGRAMS = frozenset(
    (
        ".c .cc .cfg .conf .cpp .cs .css .env .go .gradle .h .hpp .ini .java .js .jsx .kt .log .lua .m .php .pl .ps1 "
        ".properties .py .r .rb .rs .scala .sh .sql .swift .tf .toml .ts .tsx .yaml .yml"
    ).split()
)
_MARKDOWN = frozenset(".md .markdown .mdown .mkd .mdx".split())


@dataclass(frozen=True, slots=True)
class Window:
    """Part of a document's text, and the blocks that it is made of, with offsets into the document.

    text: with what is around the part; `offset`: where that begins in the document.
    start, end: of the part. total: how long the document's text is.
    is_markdown: whether marks of emphasis, code and links are the author's.
    """

    text: str
    offset: int
    start: int
    end: int
    total: int
    blocks: tuple[Block, ...]
    is_markdown: bool


def read_window(lexicon: Lexicon, document_id: str, path: str, start: int | None, end: int | None = None) -> Window:
    """The window from about one offset to about another; of some WINDOW_CHARACTERS where one of them is not given."""
    total = lexicon.count_characters(document_id)
    if start is None:
        start = 0 if end is None else end - WINDOW_CHARACTERS
    start = min(max(0, start), total)
    end = start + WINDOW_CHARACTERS if end is None else end
    end = min(max(start, end), start + LARGEST_WINDOW_CHARACTERS, total)
    around = _REACH_CHARACTERS + _AROUND_CHARACTERS
    text, offset, sentences = _read_around(lexicon, document_id, max(0, start - around), end + around)
    suffix = PurePosixPath(path).suffix.lower()
    code = find_code(text) if suffix in _PROGRAMS else None
    blocks = [code] if code else list(find_blocks(text, sentences))
    # Best first; what begins before all that is known may begin earlier.
    places = [
        {block.start + offset for block in blocks if block.start or not offset},
        {match.end() + offset for match in _LINE_END.finditer(text)},
        {sentence.start + offset for sentence in sentences},
    ]
    ends = {0, total}
    start = _find_place(start, [ends | places[0], *places[1:]], -1)
    end = _find_place(end, [ends | places[0], *places[1:]], 1)
    return Window(text, offset, start, end, total, tuple(blocks), suffix in _MARKDOWN)


def _read_around(lexicon: Lexicon, document_id: str, start: int, end: int) -> tuple[str, int, Sequence[Sentence]]:
    """The text from about one offset to another, where it begins, and its sentences, counted from there."""
    chunks = lexicon.chunks_of(document_id, start, end)
    if not chunks:
        return "", 0, []
    offset = chunks[0].start
    sentences = [
        Sentence(s.start + chunk.start - offset, s.end + chunk.start - offset, s.kind, s.level)
        for chunk in chunks
        for s in chunk.sentences
    ]
    return "".join(chunk.text for chunk in chunks), offset, sentences


def _find_place(offset: int, places: Sequence[set[int]], step: int) -> int:
    """The best place to cut near an offset, before it or after it: itself where it is one."""
    if any(offset in better for better in places):
        return offset
    for better in places:
        near = [place for place in better if 0 < (place - offset) * step <= _REACH_CHARACTERS]
        if near:
            return min(near, key=lambda place: abs(place - offset))
    return offset
