"""A text becomes chunks that tile it: join them and get the text back, to the character.

Chunks end where sentences end, at a paragraph's end where one is near, and never between a heading
and what it heads. A list, a table or a block of code is cut only where no chunk could hold it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from index.splitting.outline import Outline
from index.splitting.sentences import HEADS, Kind

CountTokens = Callable[[Sequence[str]], list[int]]

# More of them count as further tokens: what the embedding makes little of, a word of a million letters or as many
# spaces, would make a chunk of any size.
MOST_CHARACTERS_A_TOKEN = 50
_WHOLE = frozenset[Kind](("item", "field", "row", "code"))  # several of a kind after each other belong together


def split(outline: Outline, count_tokens: CountTokens, chunk_tokens: int) -> list[tuple[int, int]]:
    """The (start, end) of each chunk of a text, in order, none of more than `chunk_tokens` tokens.

    count_tokens: counts the tokens of each of several texts, as the embedding will.
    Only a single word of more than `chunk_tokens` tokens is cut inside.
    """
    units, counts = _cut_long(outline.text, _find_units(outline), count_tokens, chunk_tokens)
    chunks: list[tuple[int, int]] = []
    first = 0
    tokens = 0
    for i, unit in enumerate(units):
        # A heading opens a chunk of its own, but for a few words before it, which alone say too little; after these
        # too where it ends what they stand under: they would be found by the names of what is theirs no more.
        opens_section = i > first and unit.opens == "heading" and units[i - 1].opens != "heading"
        if opens_section and (tokens > chunk_tokens // 4 or unit.level < units[first].level):
            chunks.append((units[first].start, units[i - 1].end))
            first, tokens = i, 0
        # What a cut leaves over may be too long still with this unit.
        while i > first and tokens + counts[i] > chunk_tokens:
            cut = _find_cut(units, counts, first, i, chunk_tokens)
            chunks.append((units[first].start, units[cut - 1].end))
            first, tokens = cut, sum(counts[cut:i])
        tokens += counts[i]
    if units:
        chunks.append((units[first].start, units[-1].end))
    return chunks


class Unit(NamedTuple):
    """What is not cut where a chunk can hold it.

    opens: "heading", "paragraph" or "" for neither. level: of the heading that it is, or stands under; 0 for none.
    """

    start: int
    end: int
    opens: str
    level: int


def _find_units(outline: Outline) -> list[Unit]:
    """Sentences with the white space up to the next one, so that units tile the text."""
    text, sentences = outline.text, outline.sentences
    if not sentences:
        return [Unit(0, len(text), "", 0)] if text else []
    starts = [0, *(sentence.start for sentence in sentences[1:]), len(text)]
    units: list[Unit] = []
    previous_end, previous_kind, level = 0, "prose", 0
    for sentence, (start, end) in zip(sentences, pairwise(starts), strict=True):
        parted = text.count("\n", previous_end, sentence.start) > 1
        goes_on = sentence.kind == previous_kind and sentence.kind in _WHOLE
        opens = "heading" if sentence.kind in HEADS else "paragraph" if parted and not goes_on else ""
        level = sentence.level if opens == "heading" else level
        units.append(Unit(start, end, opens, level))
        previous_end, previous_kind = sentence.end, sentence.kind
    # What stands before the words of a line ("## ", "- ", "> ", white space) belongs to the unit that it opens.
    starts = [_mark_start(text, units, i) for i in range(len(units) + 1)]
    return [unit._replace(start=start, end=end) for unit, (start, end) in zip(units, pairwise(starts), strict=True)]


def _mark_start(text: str, units: list[Unit], i: int) -> int:
    """Where unit `i` starts once the mark on its line counts as its own."""
    if i == len(units):
        return units[-1].end
    start = units[i].start
    if i == 0:
        return start
    line_start = text.rfind("\n", units[i - 1].start, start) + 1
    if line_start <= units[i - 1].start:
        return start
    mark = text[line_start:start]
    return start if re.search(r"\w", mark) else line_start


def _cut_long(
    text: str, units: list[Unit], count_tokens: CountTokens, chunk_tokens: int
) -> tuple[list[Unit], list[int]]:
    """The units, with those that no chunk can hold cut between words where there are words, and the tokens of each."""
    counts = [(unit.end - unit.start) // MOST_CHARACTERS_A_TOKEN for unit in units]
    countable = [i for i, count in enumerate(counts) if count <= chunk_tokens]
    for i, count in zip(countable, count_tokens([text[units[i].start : units[i].end] for i in countable]), strict=True):
        counts[i] = max(counts[i], count)
    if max(counts, default=0) <= chunk_tokens:
        return units, counts
    fitting: list[Unit] = []
    fitting_counts: list[int] = []
    for unit, count in zip(units, counts, strict=True):
        start, end = unit.start, unit.end
        pieces, piece_counts = [unit], [count]
        if count > chunk_tokens and end - start > 1:
            middle = (start + end) // 2
            space = max(text.rfind(" ", start + 1, middle), text.rfind("\n", start + 1, middle)) + 1
            cut = space if space > (3 * start + end) // 4 else max(start + 1, middle)
            halves = [unit._replace(end=cut), unit._replace(start=cut, opens="")]
            pieces, piece_counts = _cut_long(text, halves, count_tokens, chunk_tokens)
        fitting += pieces
        fitting_counts += piece_counts
    return fitting, fitting_counts


def _find_cut(units: list[Unit], counts: list[int], first: int, last: int, chunk_tokens: int) -> int:
    """Where to end the chunk of units first..last-1: after its last paragraph if that leaves half a chunk or more."""
    for cut in range(last, first, -1):
        if sum(counts[first:cut]) < chunk_tokens // 2:
            break
        if cut < len(units) and units[cut].opens and units[cut - 1].opens != "heading":
            return cut
    cut = last
    while cut > first + 1 and units[cut - 1].opens == "heading":
        cut -= 1
    if units[cut - 1].opens == "heading":
        # Nothing but headings, as in a list of short lines: the last one stays with what it heads.
        cut = max(first + 1, last - 1)
    return cut
