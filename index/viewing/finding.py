"""Find in document: where in a text what is typed stands, whatever its case, its accents and the white space in it.

But: only so many places are given, and a very long text is searched for so long; then it is said that there may be
more.
"""

from __future__ import annotations

import re
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from index.splitting.folding import fold

MOST_FOUND = 500
LONGEST_WORDS_CHARACTERS = 200
_MOST_SECONDS = 5.0
_SECTION_CHARACTERS = 200_000
# What belongs to the letter before it: accents, and what a syllable is put together of.
_MARKS = "\u0300-\u036f\u093c\u1160-\u11ff\u3099\u309a"


class Found(NamedTuple):
    """The places that were found, from where to where, in order; is_all: whether there are no more."""

    places: list[tuple[int, int]]
    is_all: bool


def find_words(pieces: Iterable[tuple[int, str]], words: str) -> Found:
    """Where words stand in a text that comes in pieces, each with its offset, one after another."""
    typed = [re.escape(word) for word in _fold(words)[0].split()]
    if not typed:
        return Found([], is_all=True)
    pattern = re.compile(r"\s{1,20}".join(typed))
    until = time.monotonic() + _MOST_SECONDS
    places: list[tuple[int, int]] = []
    last = 0
    for offset, text in _join(pieces, 25 * sum(map(len, typed)) + 25 * len(typed)):
        for start, end in _find_within(text, pattern):
            if offset + start >= last:
                last = offset + end
                places.append((offset + start, last))
                if len(places) > MOST_FOUND:
                    return Found(places[:MOST_FOUND], is_all=False)
        if time.monotonic() > until:
            return Found(places, is_all=False)
    return Found(places, is_all=True)


def _join(pieces: Iterable[tuple[int, str]], overlap: int) -> Iterator[tuple[int, str]]:
    """The pieces in larger ones that overlap, so that what lies on a border is found."""
    offset, text, seen = 0, "", 0
    for start, piece in pieces:
        if not text:
            offset, seen = start, 0
        text += piece
        if len(text) >= _SECTION_CHARACTERS:
            yield offset, text
            kept = text[-min(overlap, len(text)) :]
            offset, text, seen = offset + len(text) - len(kept), kept, len(kept)
    if len(text) > seen:
        yield offset, text


def _find_within(text: str, pattern: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    if text.isascii():
        yield from (match.span() for match in pattern.finditer(text.lower()))
        return
    folded, parts = _fold(text)
    begins, ends = [part.begin for part in parts], [part.end for part in parts]
    for match in pattern.finditer(folded):
        first = parts[bisect_right(begins, match.start()) - 1]
        last = parts[bisect_left(ends, match.end())]
        # Of a letter that has become several, the whole.
        start = first.start if first.is_letter else first.start + match.start() - first.begin
        yield start, last.stop if last.is_letter else last.start + match.end() - last.begin


class _Part(NamedTuple):
    """A part of a folded text, from `begin` to `end`, and of what in the text: a letter, or as many characters."""

    begin: int
    end: int
    start: int
    stop: int
    is_letter: bool


def _fold(text: str) -> tuple[str, list[_Part]]:
    """The text folded, and the parts that it is made of; what is folded to nothing is none."""
    # Most letters become one other each, and are written so all at once.
    letters = {letter: fold(letter) for letter in set(text)}
    table = {ord(letter): folded for letter, folded in letters.items() if len(folded) == 1}
    odd = "".join(re.escape(letter) for letter, folded in letters.items() if len(folded) != 1)
    known: dict[str, str] = {}
    written: list[str] = []
    parts: list[_Part] = []
    place = length = 0

    def add(start: int, stop: int, words: str, *, is_letter: bool) -> None:
        nonlocal length
        if words:
            written.append(words)
            parts.append(_Part(length, length + len(words), start, stop, is_letter))
            length += len(words)

    for match in re.finditer(f"[^{_MARKS}][{_MARKS}]+{f'|[{odd}]' if odd else ''}", text):
        start, end = match.span()
        add(place, start, text[place:start].translate(table), is_letter=False)
        letter = match.group()
        if letter not in known:
            known[letter] = fold(letter)
        add(start, end, known[letter], is_letter=True)
        place = end
    add(place, len(text), text[place:].translate(table), is_letter=False)
    return "".join(written), parts
