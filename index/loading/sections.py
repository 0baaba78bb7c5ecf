"""A text in sections of bounded length, so that a document of any size is split, embedded and stored in bounded memory.

Sections tile the text. They end at a paragraph's end where there is one, and are the same whether the text is held in
memory or read from its file piece by piece.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO

SECTION_CHARACTERS = 1_000_000
_PIECE_BYTES = 1 << 20
_ENDS = ("\n\n", "\n", ". ", " ")  # where to end a section: the first that the second half has


def cut_sections(pieces: Iterable[str]) -> Iterator[str]:
    """The sections of a text that comes in pieces; how it comes makes no difference to them."""
    text = ""
    for piece in pieces:
        text += piece
        while len(text) > SECTION_CHARACTERS:
            end = _find_end(text)
            yield text[:end]
            text = text[end:]
    if text:
        yield text


def to_pieces(text: str) -> Iterator[str]:
    """A text that is held in memory, in pieces."""
    return (text[start : start + _PIECE_BYTES] for start in range(0, len(text), _PIECE_BYTES))


def read_pieces(
    stream: BinaryIO, encoding: str, errors: str = "strict", see: Callable[[bytes], object] = len
) -> Iterator[str]:
    """The text of a file from its start, decoded piece by piece; line ends stay as they are.

    errors: what to do with bytes that are not of the encoding, as in `bytes.decode`.
    see: is given the bytes of each piece.
    """
    decoder = codecs.getincrementaldecoder(encoding)(errors)
    stream.seek(0)
    while content := stream.read(_PIECE_BYTES):
        see(content)
        yield decoder.decode(content)
    yield decoder.decode(b"", final=True)


def _find_end(text: str) -> int:
    """The end of the first section of a text that is longer than one."""
    for mark in _ENDS:
        end = text.rfind(mark, SECTION_CHARACTERS // 2, SECTION_CHARACTERS)
        if end >= 0:
            return end + len(mark)
    # Never between the two halves of a Windows line end.
    return SECTION_CHARACTERS - (text[SECTION_CHARACTERS - 1 : SECTION_CHARACTERS + 1] == "\r\n")
