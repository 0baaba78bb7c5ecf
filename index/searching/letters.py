"""A text by its letters and digits alone, folded, each with its place: how a quotation is found however it is set.

White space, line ends, hyphens, quotation marks, emphasis, case, accents, ligatures and Unicode forms make no
difference to these; `describe` says which of them differ.

But: "1.5" and "15" have the same digits. They are told apart by what is said of the difference.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice

from index.splitting.folding import fold

MOST_TOLD = 4  # differences that are told one by one
LONGEST_TOLD = 60  # characters of the words that are told of one
_LONGEST_EDGE = 200  # characters of the punctuation around a quotation
_SHORT_LETTERS = 20  # of a quotation that is found as whole words alone
_MOST_TRIED = 20_000  # places with the same letters that are looked at in one text
_KEPT_LETTERS = 20_000  # whose folding is kept
# Scripts that put no spaces between words.
UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_UNSPACED = re.compile(f"[{UNSPACED}]")
_BREVE = "\u0306"  # which folding keeps on one letter of Cyrillic


@dataclass(frozen=True)
class Letters:
    """A text's letters and digits, folded, and where in the text each of them stands."""

    text: str
    written: str

    @cached_property
    def places(self) -> list[int]:
        """Where in the text each letter stands; found only when it is asked for, which most texts never are."""
        return [place for place, character in enumerate(self.text) for _ in fold_letter(character)]

    def gap(self, number: int) -> str:
        """What stands between a letter and the one before it."""
        return self.text[self.places[number - 1] + 1 : self.places[number]] if number else ""


def read_letters(text: str) -> Letters:
    """The letters of a text. Costs what the text is long."""
    return Letters(text, text.translate(_FOLDED_LETTERS))


@lru_cache(maxsize=20_000)
def fold_letter(character: str) -> str:
    """The letters or digits that a character stands for, "" where it is none; vowel signs count as letters."""
    taken_apart = unicodedata.normalize("NFKD", fold(character))
    return "".join(c for c in taken_apart if c.isalnum() or (c != _BREVE and unicodedata.category(c) in ("Mn", "Mc")))


class _FoldedLetters(dict[int, str | None]):
    """What each character is written as, for `str.translate`; found as they come."""

    def __missing__(self, code: int) -> str | None:
        # None, not "": what is left out so is translated some times faster.
        folded = fold_letter(chr(code)) or None
        if len(self) < _KEPT_LETTERS:
            self[code] = folded
        return folded


_FOLDED_LETTERS = _FoldedLetters()


def find_exactly(text: str, quote: str) -> Iterator[tuple[int, int]]:
    """Where a quotation stands character for character, from where to where."""
    start = text.find(quote)
    while start >= 0:
        yield start, start + len(quote)
        start = text.find(quote, start + 1)


def find_loosely(letters: Letters, quote: Letters) -> Iterator[tuple[int, int]]:
    """Where in a text the letters of a quotation stand, whatever is between them; a short one as whole words only."""
    if not quote.written:
        return
    is_short = len(quote.written) < _SHORT_LETTERS
    for first, stop in islice(find_exactly(letters.written, quote.written), _MOST_TRIED):
        start, end = letters.places[first], letters.places[stop - 1] + 1
        is_parted = (first and letters.places[first - 1] == start) or letters.places[stop : stop + 1] == [end - 1]
        if is_parted or (is_short and not is_whole(letters.text, start, end)):
            continue
        yield take_along(letters.text, start, end, quote.text)


def is_whole(text: str, start: int, end: int) -> bool:
    """Whether words begin and end where a part of a text does."""
    return _parts(text, start) and _parts(text, end)


def _parts(text: str, place: int) -> bool:
    around = text[max(0, place - 1) : place + 1]
    return place == 0 or len(around) < 2 or not around.isalnum() or _UNSPACED.search(around) is not None


def take_along(text: str, start: int, end: int, quote: str) -> tuple[int, int]:
    """A part of a text with the marks on its last letter, and the punctuation around it that the quotation has too."""
    while end < len(text) and unicodedata.combining(text[end]):
        end += 1
    head, tail = _cut_edges(quote)
    start -= _follow(text[max(0, start - _LONGEST_EDGE) : start][::-1], head[::-1])
    return start, end + _follow(text[end : end + _LONGEST_EDGE], tail)


@lru_cache(maxsize=16)
def _cut_edges(quote: str) -> tuple[str, str]:
    """What stands before a quotation's first letter and behind its last, without the marks on this."""
    first = next((place for place, character in enumerate(quote) if fold_letter(character)), None)
    if first is None:
        return "", ""
    behind = next(count for count, character in enumerate(reversed(quote)) if fold_letter(character))
    tail = quote[len(quote) - behind :]
    return quote[:first], tail.lstrip(_marks(tail))


def _follow(text: str, marks: str) -> int:
    """How much of a text is taken by the marks that it begins with, set as they may be."""
    taken = place = 0
    for mark in marks[:_LONGEST_EDGE]:
        if mark.isspace():
            place += len(text[place:]) - len(text[place:].lstrip())
        elif fold(text[place : place + 1]) == fold(mark):
            taken = place = place + 1
        else:
            break
    return taken


def describe(quote: Letters, words: Letters) -> str:
    """What differs between a quotation and words with the same letters, for people; "" where nothing does."""
    kinds: dict[str, None] = {}
    told: dict[str, None] = {}
    named: dict[tuple[str, str], str] = {}  # a long quotation has the same gaps over and over
    for number in range(len(quote.written)):
        place, other = quote.places[number], words.places[number]
        mine, theirs = quote.text[place], words.text[other]
        if mine != theirs:
            kinds["capitals" if mine.casefold() == theirs.casefold() else "the form of letters"] = None
        gap, gap_there = quote.gap(number), words.gap(number)
        if number and gap != gap_there:
            if (gap, gap_there) not in named:
                named[gap, gap_there] = _name_gap(gap, gap_there)
            if kind := named[gap, gap_there]:
                kinds[kind] = None
            else:
                told[say_replaced(_widen(words.text, other), _widen(quote.text, place))] = None
    if [edge.strip() for edge in _edges(quote)] != [edge.strip() for edge in _edges(words)]:
        kinds["punctuation at its ends"] = None
    parts = [f"differs in {join_names([*kinds])}"] if kinds else []
    return "; ".join([*parts, *limit([*told])])


def _edges(letters: Letters) -> tuple[str, str]:
    return letters.text[: letters.places[0]], letters.text[letters.places[-1] + 1 :]


def _name_gap(mine: str, theirs: str) -> str:
    """What the difference between two gaps is, where it changes nothing; "" where it might."""
    if mine.split() == theirs.split() and bool(mine) == bool(theirs):
        return "white space"
    if any(map(unicodedata.combining, mine + theirs)) and not (mine + theirs).strip(_marks(mine + theirs)):
        return "the form of letters"
    if "\u00ad" in mine + theirs or _is_broken(mine, theirs) or _is_broken(theirs, mine):
        return "hyphenation"
    if " ".join(fold(mine).split()) == " ".join(fold(theirs).split()):
        return "quotation marks or dashes"
    plain = [re.sub(r"[*_`~\\]+", "", gap) for gap in (mine, theirs)]
    if plain[0].split() == plain[1].split() and bool(plain[0]) == bool(plain[1]):
        return "emphasis"
    return ""


def _marks(text: str) -> str:
    return "".join(filter(unicodedata.combining, text))


def _is_broken(gap: str, other: str) -> bool:
    """Whether a gap is a hyphen at the end of a line, and the other none, or the hyphen alone."""
    return gap[:1] in "-\u2010\u2011" and "\n" in gap and not gap[1:].strip() and other in ("", gap[:1])


def _widen(text: str, place: int) -> str:
    """The words about the gap before a letter, without the white space around them."""
    start = end = place
    while start and (text[start - 1].isspace() or not text[start - 1].isalnum()) and place - start < LONGEST_TOLD:
        start -= 1
    while start and not text[start - 1].isspace() and place - start < LONGEST_TOLD:
        start -= 1
    while end < len(text) and not text[end].isspace() and end - place < LONGEST_TOLD:
        end += 1
    return text[start:end].strip()


def say_replaced(words: str, quoted: str) -> str:
    """That words stand where a quotation has others."""
    return f"says “{shorten(words)}” where the quotation says “{shorten(quoted)}”"


def shorten(words: str) -> str:
    """Words in one line, the middle of long ones left out."""
    line = " ".join(words.split())
    half = LONGEST_TOLD // 2
    return line if len(line) <= LONGEST_TOLD else f"{line[:half].rstrip()} … {line[-half:].lstrip()}"


def limit(told: list[str]) -> list[str]:
    """The first differences, and how many more there are."""
    more = len(told) - MOST_TOLD
    return told if more <= 0 else [*told[:MOST_TOLD], f"and {more:,} more differences"]


def join_names(names: list[str]) -> str:
    """Names in a row: "a, b and c"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
