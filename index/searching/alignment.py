"""A quotation laid beside a text word by word, where some words were changed, added, missed or left out on purpose.

The whole of the quotation is laid against any part of the text at the least cost (Sellers 1980, "The Theory and
Computation of Evolutionary Distances"), row by row in numpy. Where the quotation has an ellipsis, what the text goes on
with costs nothing.

But: words that changed places count as left out here and added there.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from itertools import groupby
from typing import Any, NamedTuple

from index.searching.letters import UNSPACED, fold_letter, limit, say_replaced, shorten
from index.splitting.folding import fold
from index.splitting.languages import LITTLE_WORDS

ELLIPSIS = re.compile(r"[\[(]\s{0,5}(?:…|\.{3,9}|\. \. \.)\s{0,5}[\])]|…|\.{3,9}|\. \. \.")
MOST_CELLS = 20_000_000  # of a table, that takes four bytes for each
_CHANGED, _ALIKE, _MISSED, _ADDED = 20, 5, 21, 5  # what it costs, beside what the word weighs
MOST_SPELLED = 12  # words that the text has not, of which each may be mistyped
FEW_WORDS = 4.0  # as they weigh
LITTLE_WEIGHT = 0.35  # of a word that only joins others
_ADDED_WEIGHT = 0.25  # of a word of the text that the quotation has not
_LEAST_ALIKE = 0.6  # of the letters of two words of which one may be the other mistyped
_SENTENCE_END = re.compile(r"[.!?]\s|[。！？]|\n\s{0,20}\n")


def _list_marks() -> Iterator[str]:
    """The rows of combining marks and vowel signs, which belong to the letter before them; and the soft hyphen."""
    codes = [code for code in range(0x300, 0x10000) if unicodedata.category(chr(code))[0] == "M"]
    for _, row in groupby(enumerate(codes), lambda numbered: numbered[1] - numbered[0]):
        of_row = [code for _, code in row]
        yield f"{chr(of_row[0])}-{chr(of_row[-1])}"
    yield "\u00ad"


_MARKS = "".join(_list_marks())
_LETTERS = rf"(?:(?![{UNSPACED}])[^\W_][{_MARKS}]{{0,9}})+"
_WORD = re.compile(
    rf"[{UNSPACED}][{_MARKS}]{{0,9}}|\d+(?:[.,:]\d+)+(?![^\W_])"
    # Parted by a hyphen or an apostrophe, a word is one; also by a hyphen at the end of a line.
    rf"|{_LETTERS}(?:(?:['’ʼ]|[-‐‑](?:[ \t]{{0,9}}\r?\n[ \t]{{0,20}})?){_LETTERS})*"
)
_LITTLE = frozenset().union(*LITTLE_WORDS.values())


class Word(NamedTuple):
    """A word of a text: from where to where it stands, and what it is compared by."""

    start: int
    end: int
    key: str


class Step(NamedTuple):
    """Words of the quotation and words of the text that stand for each other, from one number to another.

    kind: "same", "changed", "missed" by the text, "added" by it, or "left out" by the quotation.
    """

    kind: str
    quoted: tuple[int, int]
    found: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Alignment:
    """Where in the words of a text a quotation lies, and how well: 1 where each word is the same."""

    steps: tuple[Step, ...]
    score: float

    @property
    def found(self) -> tuple[int, int]:
        """From which word of the text to which."""
        standing = [step.found for step in self.steps if step.found[0] < step.found[1]]
        return standing[0][0], standing[-1][1]


def read_words(text: str) -> list[Word]:
    """The words of a text in order; of scripts without spaces each character."""
    return [Word(match.start(), match.end(), _to_key(match[0])) for match in _WORD.finditer(text)]


@lru_cache(maxsize=50_000)
def _to_key(word: str) -> str:
    if word[0].isdigit() and not word[-1].isalpha():
        return fold(word)
    return "".join(map(fold_letter, word))


def weigh(key: str) -> float:
    """How much a word counts."""
    return LITTLE_WEIGHT if key in _LITTLE else 1.0


def find_ellipses(quote: str, words: Sequence[Word]) -> frozenset[int]:
    """The numbers of the words after which a quotation leaves something out."""
    starts = [word.start for word in words]
    after = {bisect_left(starts, match.start()) for match in ELLIPSIS.finditer(quote)}
    return frozenset(after - {0, len(words)})


def align(quoted: Sequence[str], found: Sequence[str], ellipses: frozenset[int]) -> Alignment | None:
    """The part of a text that a quotation differs least from, both as the keys of their words; None where none is near.

    ellipses: the numbers of the quotation's words after which it leaves something out.
    """
    import numpy as np

    if not quoted or not found or (len(quoted) + 1) * (len(found) + 1) > MOST_CELLS:
        return None
    cost = _Costs(quoted, found)
    added = cost.added()
    table = np.zeros((len(quoted) + 1, len(found) + 1), np.int32)
    before_ellipsis: dict[int, Any] = {}
    for row, key in enumerate(quoted, 1):
        above = table[row - 1]
        costs = above + np.int32(_weigh_cost(_MISSED, key))
        changed = above[:-1] + cost.of(key)
        np.minimum(costs[1:], changed, out=costs[1:])
        costs = np.minimum.accumulate(costs - added) + added
        if row in ellipses:
            before_ellipsis[row] = costs
            costs = np.minimum.accumulate(costs)
        table[row] = costs
    walked = _walk_back(quoted, found, table, before_ellipsis, cost)
    score = _score(walked, quoted, found)
    return Alignment(walked, score) if score > 0 else None


class _Costs:
    """What it costs to take a word of a quotation for each word of a text."""

    def __init__(self, quoted: Sequence[str], found: Sequence[str]) -> None:
        import numpy as np

        self._keys = [*dict.fromkeys(found)]
        self._number_of = {key: number for number, key in enumerate(self._keys)}
        self._there = np.array([self._number_of[key] for key in found], np.int32)
        # Many unknown words are another text, not errors of typing.
        unknown = [key for key in dict.fromkeys(quoted) if key not in self._number_of]
        self._may_be_mistyped = frozenset(unknown if len(unknown) <= MOST_SPELLED else ())

    def of(self, key: str) -> Any:
        """The costs for each word of the text, in order."""
        import numpy as np

        costs = np.full(len(self._keys), _weigh_cost(_CHANGED, key), np.int32)
        if key in self._number_of:
            costs[self._number_of[key]] = 0
        elif key in self._may_be_mistyped:
            costs[[number for number, one in enumerate(self._keys) if liken(key, one)]] = _weigh_cost(_ALIKE, key)
        return costs[self._there]

    def between(self, key: str, other: str) -> int:
        """The cost for one of them."""
        if key == other:
            return 0
        is_alike = key in self._may_be_mistyped and liken(key, other)
        return _weigh_cost(_ALIKE if is_alike else _CHANGED, key)

    def added(self) -> Any:
        """What it costs that the quotation has not the words of the text, up to each of them."""
        import numpy as np

        costs = np.array([_weigh_cost(_ADDED, key) for key in self._keys], np.int32)
        return np.concatenate([np.zeros(1, np.int32), np.cumsum(costs[self._there], dtype=np.int32)])


def _weigh_cost(cost: int, key: str) -> int:
    return round(cost * weigh(key))


def _walk_back(
    quoted: Sequence[str], found: Sequence[str], table: Any, before: dict[int, Any], cost: _Costs
) -> tuple[Step, ...]:
    row, column = len(quoted), int(table[-1].argmin())
    steps: list[Step] = []
    while row:
        costs = table[row]
        if row in before:
            costs, end = before[row], column
            while costs[column] != table[row][end]:
                column -= 1
            if column < end:
                steps.append(Step("left out", (row, row), (column, end)))
        # One word of the quotation after another, with what the text has besides before it.
        while True:
            needed = cost.between(quoted[row - 1], found[column - 1]) if column else 0
            if column and costs[column] == table[row - 1][column - 1] + needed:
                column, kind, width = column - 1, "changed" if needed else "same", 1
            elif costs[column] == table[row - 1][column] + _weigh_cost(_MISSED, quoted[row - 1]):
                kind, width = "missed", 0
            else:
                steps.append(Step("added", (row, row), (column - 1, column)))
                column -= 1
                continue
            steps.append(Step(kind, (row - 1, row), (column, column + width)))
            break
        row -= 1
    return tuple(reversed(steps))


def _score(steps: Sequence[Step], quoted: Sequence[str], found: Sequence[str]) -> float:
    # Of few words each tells as much as another.
    is_few = is_short(quoted)
    weights = {key: 1.0 if is_few else weigh(key) for key in {*quoted, *found}}
    score = 0.0
    for step in steps:
        if step.kind == "same":
            score += weights[quoted[step.quoted[0]]]
        elif step.kind == "changed":
            key = quoted[step.quoted[0]]
            score += weights[key] * liken(key, found[step.found[0]])
        elif step.kind == "added":
            score -= _ADDED_WEIGHT * weights[found[step.found[0]]]
    return score / sum(weights[key] for key in quoted)


def is_short(quoted: Sequence[str]) -> bool:
    """Whether a quotation has so few words that most of them must be the same."""
    # Each word weighs something: beyond so many the rest need not be weighed.
    return len(quoted) * LITTLE_WEIGHT < FEW_WORDS and sum(map(weigh, quoted)) < FEW_WORDS


@lru_cache(maxsize=50_000)
def liken(one: str, other: str) -> float:
    """How much two words look as if one were the other mistyped, from 0 to 1; numbers never do."""
    if len(one) < 3 or len(one) > 40 or len(other) > 40 or any(map(str.isdigit, one + other)):
        return 0.0
    if abs(len(one) - len(other)) > 3 or (one[0] != other[0] and one[-1] != other[-1]):
        return 0.0
    # How many letters they share in any order says at once that most words are not alike.
    if 2 * (Counter(one) & Counter(other)).total() < _LEAST_ALIKE * (len(one) + len(other)):
        return 0.0
    alike = SequenceMatcher(None, one, other, autojunk=False).ratio()
    return alike if alike >= _LEAST_ALIKE else 0.0


def trim(alignment: Alignment, quoted: Sequence[Word], text: str, found: Sequence[Word]) -> Alignment:
    """The same without a word of another sentence at either end that was taken for one of the quotation."""
    steps = [*alignment.steps]
    for place, first in ((0, 0), (-1, -1)):
        step, word = steps[place], steps[place].found[0] + first
        if step.kind == "changed" and len(steps) > 1 and 0 <= word < len(found) - 1:
            between = text[found[word].end : found[word + 1].start]
            is_alike = liken(quoted[step.quoted[0]].key, found[step.found[0]].key)
            if _SENTENCE_END.search(between) and not is_alike:
                steps[place] = step._replace(kind="missed", found=(step.found[0], step.found[0]))
    return Alignment(tuple(steps), alignment.score)


def tell(alignment: Alignment, quote: str, quoted: Sequence[Word], text: str, found: Sequence[Word]) -> str:
    """The difference for people, in the order of the text."""
    told: list[str] = []
    steps = [*alignment.steps]
    while steps:
        kind = steps[0].kind
        run = 1
        while kind in ("changed", "missed", "added") and run < len(steps) and steps[run].kind in _DIFFERING:
            run += 1
        words = _cut(text, found, [step.found for step in steps[:run]])
        missing = _cut(quote, quoted, [step.quoted for step in steps[:run]])
        if kind == "left out":
            told.append(f"goes on with “{shorten(words)}” where the quotation leaves something out")
        elif kind in _DIFFERING:
            if words and missing:
                told.append(say_replaced(words, missing))
            else:
                told.append(f"has “{shorten(words)}” besides" if words else f"lacks “{shorten(missing)}”")
        del steps[:run]
    return "; ".join(limit(told))


_DIFFERING = ("changed", "missed", "added")


def _cut(text: str, words: Sequence[Word], spans: Sequence[tuple[int, int]]) -> str:
    spans = [span for span in spans if span[0] < span[1]]
    return text[words[spans[0][0]].start : words[spans[-1][1] - 1].end] if spans else ""
