"""What of the passages is sent to a language model: the sentences that matter, with those around them.

Neighbouring passages are joined. Each sentence counts what its passage does and how much of the query it
holds itself; the best are taken with two sentences on each side until the budget is spent, so that
a budget holds more places than whole passages would fill.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from index.documents import Passage
from index.lexicon import Lexicon
from index.terms import find_query_terms, find_terms

EVIDENCE_PASSAGES = 16  # that the evidence is chosen from
COVERAGE_SHARE = 0.5  # of what a sentence holds of the query, beside the score of its passage
REACHES = (2, 0)  # sentences on each side of a good one: alone where it would not fit with them


def choose_evidence(
    passages: Sequence[Passage], query: str, lexicon: Lexicon, most_characters: int
) -> tuple[Passage, ...]:
    """Parts of the passages, best passage first, of at most so many characters together; sentences stay whole."""
    scores = {(p.document_id, sentence.start): p.score for p in passages for sentence in p.sentences}
    passages = join_neighbours(passages)
    rarity = lexicon.rarity(find_query_terms(query))
    total = sum(rarity.values()) or 1.0
    ranked = []
    for number, passage in enumerate(passages):
        for place, sentence in enumerate(passage.sentences):
            held = rarity.keys() & set(find_terms(passage.words_of(sentence)))
            coverage = sum(rarity[term] for term in held) / total
            score = scores[passage.document_id, sentence.start] + COVERAGE_SHARE * coverage
            ranked.append((-score, number, place))
    taken: list[set[int]] = [set() for _ in passages]
    left = most_characters
    for _, number, place in sorted(ranked):
        passage = passages[number]
        for reach in REACHES:
            window = range(max(0, place - reach), min(len(passage.sentences), place + reach + 1))
            grown = taken[number].union(window)
            cost = _count_characters(passage, grown) - _count_characters(passage, taken[number])
            if cost <= left:
                taken[number], left = grown, left - cost
                break
    return tuple(
        _cut(passage, first, last)
        for passage, places in zip(passages, taken, strict=True)
        for first, last in _find_runs(places)
    )


def join_neighbours(passages: Sequence[Passage]) -> list[Passage]:
    """The passages, with those that follow each other in their document joined at the place of the better one."""
    joined: dict[tuple[str, int], Passage] = {}
    for passage in sorted(passages, key=lambda p: (p.document_id, p.start)):
        before = next(reversed(joined.values()), None)
        if before is None or (before.document_id, before.end) != (passage.document_id, passage.start):
            joined[passage.document_id, passage.start] = passage
        else:
            # A page may start just where the two meet.
            last_page = (before.page or 0) + len(before.page_starts)
            meeting = (passage.start,) * ((passage.page or 0) - last_page)
            sentences = (*before.sentences, *passage.sentences)
            similarities = (*before.similarities, *passage.similarities)
            joined[before.document_id, before.start] = replace(
                before,
                page_starts=(*before.page_starts, *meeting, *passage.page_starts),
                end=passage.end,
                text=before.text + passage.text,
                score=max(before.score, passage.score),
                sentences=sentences,
                # A lexicon that was just made anew may have them for one and not yet for the other.
                similarities=similarities if len(similarities) == len(sentences) else (),
            )
    return sorted(joined.values(), key=lambda p: (-p.score, p.document_id, p.start))


def _find_runs(places: set[int]) -> Iterator[tuple[int, int]]:
    """The first and last of each run of neighbouring sentences."""
    ordered = sorted(places)
    firsts = [place for place in ordered if place - 1 not in places]
    lasts = [place for place in ordered if place + 1 not in places]
    return zip(firsts, lasts, strict=True)


def _count_characters(passage: Passage, places: set[int]) -> int:
    return sum(passage.sentences[last].end - passage.sentences[first].start for first, last in _find_runs(places))


def _cut(passage: Passage, first: int, last: int) -> Passage:
    """The part of a passage from one sentence to another."""
    sentences = passage.sentences[first : last + 1]
    start, end = sentences[0].start, sentences[-1].end
    return replace(
        passage,
        start=start,
        end=end,
        text=passage.text[start - passage.start : end - passage.start],
        sentences=sentences,
        similarities=passage.similarities[first : last + 1],
        page=passage.page_of(sentences[0]),
        page_starts=tuple(offset for offset in passage.page_starts if start < offset < end),
    )
