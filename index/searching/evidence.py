"""What of the documents is sent to a language model: the sentences that matter, each with as much around it as fits.

The sentences of the passages are ranked by what their passage counts, by how near they are to the query and by how much
of it they hold. Of the best some are taken first, from wherever they stand, with what stands beside them. Then the best
bring the largest part of their document that fits, whole: the document, a section, a list; it is read for that. Then
the others are taken, until the budget is spent. Where all of the documents fits, all is taken.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter

from index.documents import Passage
from index.searching.surroundings import begin_of, cut, read_around
from index.splitting.blocks import FIELD_LEVEL
from index.splitting.sentences import HEADS, Kind
from index.splitting.terms import find_query_terms, find_terms
from index.storing.lexicon import Lexicon

EVIDENCE_PASSAGES = 28  # that the evidence is chosen from
# What a sentence's nearness to the query, and what it holds of it, count beside the score of its passage; and what is
# taken off where it is longer than USUAL_CHARACTERS, for each time that it is e-fold.
NEARNESS_SHARE, COVERAGE_SHARE, LENGTH_SHARE, USUAL_CHARACTERS = 1 / 3, 1 / 3, 1 / 30, 100
BREADTH_CHARACTERS = 4000  # of the best sentences, before anything is taken whole
# Of what is left of the budget: what is larger is not taken whole.
DOCUMENT_SHARE, SECTION_SHARE, BLOCK_SHARE = 0.5, 0.25, 0.25
LONGEST_ITEM = 8  # sentences of an item, that come with one of them
REACH, GAP = 2, 2  # sentences beside a good one, and those that in the end are left out nowhere between others

_WHOLE = frozenset[Kind](("item", "field", "row", "columns", "code"))  # what follows each other of these is a block


def choose_evidence(
    passages: Sequence[Passage], query: str, lexicon: Lexicon, most: int, size_of: Callable[[str], int] = len
) -> tuple[Passage, ...]:
    """Parts of documents whose sizes sum up to `most` or less; that with the best passage first, each in its order.

    size_of: the size of a sentence, or of what stands between two; by default its characters.

    Of passages without a score, which were chosen as they are, nothing more is taken than they have, unless all fits.
    """
    sample = "".join(passage.text for passage in passages[:3])
    characters = most * len(sample) // (size_of(sample) or 1)  # that the budget holds, about
    around = read_around(passages, lexicon, characters, int(SECTION_SHARE * characters))
    stretches = [_Stretch(passage, size_of, is_whole) for passage, is_whole in around]
    if all(stretch.is_whole for stretch in stretches) and sum(stretch.size for stretch in stretches) <= most:
        return _cut_out(stretches, everything=True)
    held = {stretch.key_of(place): (stretch, place) for stretch in stretches for place in range(len(stretch.sentences))}
    ranked = [(*held[key], score) for key, score in _rank(passages, query, lexicon) if key in held]
    for stretch, place, _ in ranked:
        stretch.found.add(place)
    left = most
    for stretch, place, _ in ranked:
        if sum(one.characters for one in stretches) >= BREADTH_CHARACTERS:
            break
        left -= stretch.take_largest(stretch.find_windows(place, 0), left)
    for stretch, place, score in ranked:
        if score > 0:
            left -= stretch.take_largest(stretch.find_wholes(place), left)
    for stretch, place, _ in ranked:
        left -= stretch.take_largest(stretch.find_windows(place, GAP), left)
    return _cut_out(stretches)


def _rank(passages: Sequence[Passage], query: str, lexicon: Lexicon) -> list[tuple[tuple[str, int], float]]:
    """The sentences of the passages by document and offset, the best first, with the scores of their passages."""
    rarity = lexicon.rarity(find_query_terms(query))
    total = sum(rarity.values()) or 1.0
    ranked = []
    for passage in passages:
        nearest = passage.similarities or (0.0,) * len(passage.sentences)
        for sentence, nearness in zip(passage.sentences, nearest, strict=True):
            words = passage.words_of(sentence)
            coverage = sum(rarity[term] for term in rarity.keys() & set(find_terms(words))) / total
            length = math.log(max(len(words), USUAL_CHARACTERS / 5) / USUAL_CHARACTERS)
            worth = passage.score + NEARNESS_SHARE * nearness + COVERAGE_SHARE * coverage - LENGTH_SHARE * length
            ranked.append((-worth, (passage.document_id, sentence.start), passage.score))
    return [(key, score) for _, key, score in sorted(ranked)]


def _cut_out(stretches: Sequence[_Stretch], *, everything: bool = False) -> tuple[Passage, ...]:
    """What was taken, the best document first."""
    best: dict[str, float] = {}
    for stretch in stretches:
        best[stretch.passage.document_id] = max(stretch.passage.score, best.get(stretch.passage.document_id, 0.0))
    ordered = sorted(stretches, key=lambda s: (-best[s.passage.document_id], s.passage.document_id, s.passage.start))
    return tuple(
        passage
        for stretch in ordered
        for passage in stretch.cut_out(range(len(stretch.sentences)) if everything else stretch.taken)
    )


class _Stretch:
    """A run of one document's text, what of it was retrieved, and what is taken."""

    def __init__(self, passage: Passage, size_of: Callable[[str], int], is_whole: bool) -> None:
        self.passage, self.sentences, self.is_whole = passage, passage.sentences, is_whole
        self.found: set[int] = set()  # places of sentences
        self.taken: set[int] = set()
        self.characters = 0  # taken
        self._sizes = _measure(passage, size_of)
        self.size = sum(map(sum, self._sizes))
        self._heads = [
            (place, one.level)
            for place, one in enumerate(self.sentences)
            if one.kind in HEADS and one.level < FIELD_LEVEL
        ]

    def key_of(self, place: int) -> tuple[str, int]:
        """Document and offset of a sentence."""
        return self.passage.document_id, self.sentences[place].start

    def find_wholes(self, place: int) -> Iterator[tuple[range, float]]:
        """What is whole around a sentence, the largest first, and how much of the budget's rest it may take."""
        if self.is_whole:
            yield range(len(self.sentences)), DOCUMENT_SHARE
        sections: list[tuple[range, float]] = []
        level = FIELD_LEVEL
        for number in range(bisect_right(self._heads, place, key=itemgetter(0)) - 1, -1, -1):
            first, own = self._heads[number]
            if own < level:
                end = next((at for at, other in self._heads[number + 1 :] if other <= own), len(self.sentences))
                sections.append((range(first, end), SECTION_SHARE))
                level = own
        yield from reversed(sections)
        yield self._find_block(place), BLOCK_SHARE

    def find_windows(self, place: int, gap: int) -> Iterator[tuple[range, float]]:
        """Of what was retrieved the sentences beside one, up to any that are taken with no larger gap; it alone."""
        first = last = place
        while place - first < REACH and first - 1 in self.found:
            first -= 1
        while last - place < REACH and last + 1 in self.found:
            last += 1
        first, last = self._complete_items(first, last)
        block = self._find_block(place)
        if len(block) > 1:
            yield range(min(block.start, first), max(block.stop, last + 1)), BLOCK_SHARE
        before = next((at for at in range(first - 1, first - gap - 2, -1) if at in self.taken), first)
        after = next((at for at in range(last + 1, last + gap + 2) if at in self.taken), last)
        yield range(before, after + 1), 1.0
        yield range(first, last + 1), 1.0
        yield range(self._complete_items(place, place)[0], place + 1), 1.0

    def _complete_items(self, first: int, last: int) -> tuple[int, int]:
        """The same run from the beginning of its first item, which says what the rest is of, to the end of its last."""
        for _ in range(LONGEST_ITEM):
            first -= self._goes_on(first)
        for _ in range(LONGEST_ITEM):
            last += last + 1 < len(self.sentences) and self._goes_on(last + 1)
        return first, last

    def _goes_on(self, place: int) -> bool:
        """Whether a sentence goes on with the item of the one before: no mark of a list stands between."""
        before, one = self.sentences[place - 1 : place + 1] if place else (None, self.sentences[place])
        if before is None or not before.kind == one.kind == "item":
            return False
        offset = self.passage.start
        return not self.passage.text[before.end - offset : one.start - offset].strip()

    def _find_block(self, place: int) -> range:
        """The list, table or block of code that a sentence is of, with the line that leads to it; else it alone."""
        first = last = place
        if self.sentences[place].kind in _WHOLE:
            while first > 0 and self.sentences[first - 1].kind in _WHOLE:
                first -= 1
            while last + 1 < len(self.sentences) and self.sentences[last + 1].kind in _WHOLE:
                last += 1
            if first > 0 and self.passage.words_of(self.sentences[first - 1]).endswith(":"):
                first -= 1
        return range(first, last + 1)

    def take_largest(self, parts: Iterable[tuple[range, float]], left: int) -> int:
        """Take the first of the parts that fits into its share of what is left of a budget; its size, 0 for none."""
        for part, share in parts:
            new = [place for place in part if place not in self.taken]
            if sum(self._sizes[place][0] for place in new) > share * left:
                continue
            grown = self.taken.union(new)
            gaps = {at for place in new for at in (place, place + 1) if at in grown and at - 1 in grown}
            cost = sum(self._sizes[place][0] for place in new) + sum(self._sizes[at][1] for at in gaps)
            if cost <= share * left:
                self.taken = grown
                self.characters += sum(self.sentences[place].end - self.sentences[place].start for place in new)
                return cost
        return 0

    def cut_out(self, places: Iterable[int]) -> Iterator[Passage]:
        """The runs of neighbouring sentences as passages."""
        chosen = set(places)
        above = self.passage.above() if chosen else []
        firsts = sorted(place for place in chosen if place - 1 not in chosen)
        lasts = sorted(place for place in chosen if place + 1 not in chosen)
        for first, last in zip(firsts, lasts, strict=True):
            yield cut(self.passage, first, last, above[first])


def _measure(passage: Passage, size_of: Callable[[str], int]) -> list[tuple[int, int]]:
    """The size of each sentence, and of what stands between it and the one before."""
    starts = [begin_of(passage, sentence) for sentence in passage.sentences]
    ends = [starts[0], *(sentence.end for sentence in passage.sentences)] if starts else []
    offset = passage.start
    return [
        (
            size_of(passage.text[start - offset : sentence.end - offset]),
            size_of(passage.text[before - offset : start - offset]),
        )
        for before, start, sentence in zip(ends, starts, passage.sentences, strict=False)
    ]
