"""What of the passages is sent to a language model: the sentences that matter, with those around them.

Neighbouring passages are joined. Each sentence counts what its passage does and how much of the query it
holds itself; the best are taken with two sentences on each side until the budget is spent, so that
a budget holds more places than whole passages would fill.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from index.documents import Passage
from index.splitting.outline import count_empty_cells
from index.splitting.sentences import Sentence
from index.splitting.terms import find_query_terms, find_terms
from index.storing.lexicon import Lexicon

EVIDENCE_PASSAGES = 28  # that the evidence is chosen from
COVERAGE_SHARE = 0.5  # of what a sentence holds of the query, beside the score of its passage
REACHES = (2, 0)  # sentences on each side of a good one: alone where it would not fit with them


def choose_evidence(
    passages: Sequence[Passage], query: str, lexicon: Lexicon, most: int, size_of: Callable[[str], int] = len
) -> tuple[Passage, ...]:
    """Parts of the passages, best passage first, whose sizes sum up to `most` or less; sentences stay whole.

    size_of: the size of a sentence, or of what stands between two; by default its characters.
    """
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
    sizes = [_measure(passage, size_of) for passage in passages]
    left = most
    for _, number, place in sorted(ranked):
        passage = passages[number]
        for reach in REACHES:
            window = range(max(0, place - reach), min(len(passage.sentences), place + reach + 1))
            grown = taken[number].union(window)
            cost = _sum_up(sizes[number], grown) - _sum_up(sizes[number], taken[number])
            if cost <= left:
                taken[number], left = grown, left - cost
                break
    return tuple(
        cut(passage, first, last)
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


def _measure(passage: Passage, size_of: Callable[[str], int]) -> list[tuple[int, int]]:
    """The size of each sentence, and of what stands between it and the one before."""
    starts = [_begin(passage, sentence) for sentence in passage.sentences]
    ends = [starts[0], *(sentence.end for sentence in passage.sentences)] if starts else []
    offset = passage.start
    return [
        (
            size_of(passage.text[start - offset : sentence.end - offset]),
            size_of(passage.text[before - offset : start - offset]),
        )
        for before, start, sentence in zip(ends, starts, passage.sentences, strict=False)
    ]


def _begin(passage: Passage, sentence: Sentence) -> int:
    """Where a sentence begins with the empty cells before its words, which tell a row's columns."""
    return sentence.start - count_empty_cells(passage.text, sentence.start - passage.start)


def _sum_up(sizes: Sequence[tuple[int, int]], places: set[int]) -> int:
    """The size of the runs of sentences, with what stands between the sentences of a run."""
    return sum(sizes[place][0] + (sizes[place][1] if place - 1 in places else 0) for place in places)


def cut(passage: Passage, first: int, last: int) -> Passage:
    """The part of a passage from one sentence to another."""
    sentences = passage.sentences[first : last + 1]
    start, end = _begin(passage, sentences[0]), sentences[-1].end
    above = passage.above()[first]
    return replace(
        passage,
        start=start,
        end=end,
        text=passage.text[start - passage.start : end - passage.start],
        sentences=sentences,
        similarities=passage.similarities[first : last + 1],
        page=passage.page_of(sentences[0]),
        page_starts=tuple(offset for offset in passage.page_starts if start < offset < end),
        context=tuple(head.words for head in above),
        levels=tuple(head.level for head in above),
    )
