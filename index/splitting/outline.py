"""The parts of a text: its sentences, each with what it stands under.

A sentence stands under headings, as "Handbook › Leave › Sick leave", and below these under what heads fewer lines:
the question that it answers, the keys around a field, the line before a list, the item around an item, the names of
its table's columns.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from index.splitting.blocks import (
    CELL_BAR,
    COLUMNS_LEVEL,
    FIELD_LEVEL,
    ITEM_LEVEL,
    LABEL_LEVEL,
    LEAD_LEVEL,
    show_cells,
    trim,
)
from index.splitting.sentences import HEADS, Kind, Sentence, find_sentences

HEAD_CHARACTERS = 120
MOST_HEADS = 12  # above one sentence; of more the outermost and the innermost count
_WORDS = re.compile(r"\w")
# Tags, the address of a link, and what follows a heading for a program, "{#scope}".
_MARKUP = re.compile(r"</?[a-z][^<>]{0,200}>|\[(?P<shown>[^\[\]]{1,200})\]\([^()\s]{0,300}\)|\{[#.:][^{}]{0,100}\}|`")
_BLANK_LINE = re.compile(r"(?:\n|\r(?!\n))[ \t]*+\r?+\n")
_MOST_EMPTY_CELLS = 50
_TOTALS = ("total", "net ", "subtotal", "sum", "gesamt", "summe", "insgesamt", "totaal", "suma", "somme", "totale")


@dataclass(frozen=True, slots=True)
class Head:
    """What stands above sentences: its words in one line, and its level, which is below theirs."""

    level: int
    words: str


Heads = tuple[Head, ...]


class Outline:
    """The parts of a text, which are found once and passed on.

    above: what its first sentence stands under, as where the text goes on from another.
    """

    def __init__(self, text: str, above: Heads = ()) -> None:
        self.text = text
        self.sentences = find_sentences(text)
        self._above, self._below = follow(above, self.sentences, text)

    @property
    def below(self) -> Heads:
        """What a text that goes on from this one stands under."""
        ends_table = _BLANK_LINE.search(self.text, max(0, len(self.text.rstrip()) - 1))
        return tuple(head for head in self._below if not ends_table or head.level < COLUMNS_LEVEL)

    def between(self, start: int, end: int) -> tuple[tuple[Sentence, ...], Heads]:
        """The sentences from one offset to another, which are counted from there, and what the first stands under.

        A sentence that reaches beyond is cut.
        """
        first = bisect_right(self.sentences, start, key=lambda sentence: sentence.end)
        last = bisect_left(self.sentences, end, key=lambda sentence: sentence.start)
        cut = []
        for sentence in self.sentences[first:last]:
            begin, stop = trim(self.text, max(start, sentence.start), min(end, sentence.end))
            if begin < stop and (sentence.kind == "code" or _WORDS.search(self.text, begin, stop)):
                cut.append(Sentence(begin - start, stop - start, sentence.kind, sentence.level))
        return tuple(cut), self._above[first] if first < len(self._above) else self._below


def follow(above: Heads, sentences: Sequence[Sentence], text: str, text_start: int = 0) -> tuple[list[Heads], Heads]:
    """What each of several sentences stands under, and what the next one may.

    above: what the first may. text_start: the offset, as the sentences count it, at which the text begins.
    """
    each: list[Heads] = []
    previous: Sentence | None = None
    for sentence in sentences:
        start, end = sentence.start - text_start, sentence.end - text_start
        if above:
            if previous and above[-1].level >= LEAD_LEVEL:
                gap = _BLANK_LINE.search(text, previous.end - text_start, start)
                above = _pass_gap(above, previous, sentence) if gap else above
            above = _narrow(above, sentence)
        each.append(above)
        previous = sentence
        is_item = sentence.kind == "item" or (sentence.kind == "field" and sentence.level >= ITEM_LEVEL)
        if is_item or sentence.kind == "columns" or sentence.kind in HEADS:
            begin = start - count_empty_cells(text, start) if sentence.kind == "columns" else start
            above = _limit((*above, Head(sentence.level, to_line(text[begin:end], sentence.kind))))
        elif sentence.kind == "prose" and text.endswith(":", start, end):
            above = _limit((*above, Head(LEAD_LEVEL, to_line(text[start:end], sentence.kind))))
        elif sentence.kind == "row" and above and _totals(text[start:end]):
            above = tuple(head for head in above if head.level < LABEL_LEVEL)
    return each, above


def _narrow(above: Heads, sentence: Sentence) -> Heads:
    """Of what may stand above a sentence what does: nothing of its own level, or deeper."""
    match sentence.kind:
        case "boilerplate":
            return above
        case "prose" | "quotation":
            level = FIELD_LEVEL
        case "code":
            level = COLUMNS_LEVEL
        case "row" if sentence.level >= COLUMNS_LEVEL:  # else it says its columns' names itself
            level = LABEL_LEVEL + 1
        case _:
            level = sentence.level
    if not above or above[-1].level < level:
        return above
    keeps_lead = sentence.kind == "field"
    return tuple(head for head in above if head.level < level or (keeps_lead and head.level == LEAD_LEVEL))


def _pass_gap(above: Heads, previous: Sentence, sentence: Sentence) -> Heads:
    """What of the heads still stands above a sentence that a blank line parts from the one before: no table's, and
    a list's, or what leads to it, only while the list goes on.
    """
    goes_on = previous.kind == "prose" or previous.kind == sentence.kind
    return tuple(head for head in above if head.level < (COLUMNS_LEVEL if goes_on else LEAD_LEVEL))


def name_heads(above: Heads, empty_cells: int) -> tuple[str, ...]:
    """The words of what stands above, without the names of the columns that a row has nothing in before its words."""
    return tuple(
        CELL_BAR.join(head.words.split(CELL_BAR)[empty_cells:]) if head.level == COLUMNS_LEVEL else head.words
        for head in above
    )


def count_empty_cells(text: str, start: int) -> int:
    """How many cells of a row are empty before the words that begin at an offset: the tabs that stand there."""
    before = text[max(0, start - _MOST_EMPTY_CELLS) : start]
    return len(before) - len(before.rstrip("\t"))


def _totals(row: str) -> bool:
    return row.lstrip("| ").casefold().startswith(_TOTALS)


def _limit(heads: Heads) -> Heads:
    half = MOST_HEADS // 2
    return heads if len(heads) <= MOST_HEADS else (*heads[:half], *heads[-half:])


def to_line(words: str, kind: Kind) -> str:
    """The words of a sentence as they are told of what stands under it."""
    words = _MARKUP.sub(r"\g<shown>", words) or words
    line = show_cells(words) if kind == "columns" else " ".join(words.split()).strip("*_ :")
    return line if len(line) <= HEAD_CHARACTERS else f"{line[: HEAD_CHARACTERS - 1]}…"
