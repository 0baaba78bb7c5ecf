"""A query becomes passages, best first.

Two searches see every chunk: by meaning (cosine of the embedding) and by words (BM25 of the lexical
index). Their scores, brought to one scale and summed, which is the convex combination of Bruch, Gai and Ingber (2023,
"An Analysis of Fusion Functions for Hybrid Retrieval"), make a short list. What is on it is read closely, for four
scores more: the cosine of the chunk's best sentence, how much of the query, by rarity, a single sentence holds with
what it stands under, and the whole chunk: words that stand together answer, words strewn over a chunk often do not; and
how much of what documents are called the query says of its own document.

How much meaning counts goes by the query: as far as the nearest chunk stands out among the folder's more than the
nearest of as many would by chance. Where an embedding does not know the query's language it does not, and words decide.

Chunks that hold a phrase which the query has in quotation marks come before all others. Of copies of a file the first
by path comes first, whatever was added or found before.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Container, Hashable, Iterable, Mapping
from math import log, sqrt
from typing import NamedTuple

from index.documents import Chunk, Passage, page_at
from index.embedding.protocol import Embedding, Vectors
from index.place import DamagedError
from index.splitting.folding import fold
from index.splitting.sentences import Sentence
from index.storing.chunks import Copy
from index.storing.postings import Coverage
from index.storing.records import Record
from index.storing.store import Store
from index.storing.versions import unpack


class Weights(NamedTuple):
    """What each score counts beside the others; docs/results.md says what they were chosen on."""

    dense: float = 0.185
    sentence: float = 0.185
    lexical: float = 0.165
    line: float = 0.195
    chunk: float = 0.12
    name: float = 0.15


WEIGHTS = Weights()
# How far the nearest chunk stands out where meaning begins to count, and from where on it counts no more; where it
# stands out as far as USUAL_STANDOUT, it counts what WEIGHTS say.
LEAST_STANDOUT, USUAL_STANDOUT, MOST_STANDOUT = 0.55, 1.4, 1.7
LEAST_SAMPLE = 30  # chunks; of fewer it cannot be told
CANDIDATES = 100  # of each search, or as many as are asked for
_NONE: Mapping[int, Copy] = {}
_NO_COPY = Copy("", 0, "", "")
MOST_WORDS = 200  # of a query, that are looked at one by one
_LETTERS = re.compile(r"[^\W\d_]+")
SHORT_LIST = 40  # chunks that are read closely; the others that were found come after them


def find_spelled(query: str, embedding: Embedding) -> frozenset[str]:
    """The words of a query that are no typing errors, for each is a single token of the embedding's."""
    words = _LETTERS.findall(fold(query))[:MOST_WORDS]
    return frozenset(word for word, tokens in zip(words, embedding.count_tokens(words), strict=True) if tokens == 1)


def retrieve(
    store: Store,
    query: str,
    query_vector: Vectors,
    count: int,
    spelled: Collection[str] = (),
    documents: Collection[str] | None = None,
) -> list[Passage]:
    """The `count` passages that best match the query, best first; fewer where the store has fewer.

    spelled: words of the query, folded, that are no typing errors, whether the folder has them or not. documents: the
    ids of those that are searched; all by default.

    Raises DamagedError where the lexicon is damaged, or just being made anew.
    """
    import numpy as np

    lexicon, wanted = store.lexicon, max(CANDIDATES, count)
    with lexicon.snapshot():
        if not lexicon.is_usable():
            raise DamagedError(f"The lexical index of the store at {store.place} is not whole: try again.")
        within = None if documents is None else np.array(lexicon.numbers_of(documents), np.int64)
        nearest = store.nearest(query_vector, wanted, documents)
        # Without the rows that a sync under way has written but not yet made visible.
        numbers = lexicon.numbers(nearest)
        dense = {numbers[chunk_id]: cosine for chunk_id, cosine in nearest.items() if chunk_id in numbers}
        sample = lexicon.sample()
        chunks = lexicon.count_chunks() if within is None else len(within)
        meaning = weigh_meaning(dense, sample @ query_vector if len(sample) else sample, chunks)
        matches = lexicon.match(query, spelled, within)
        lexical = matches.best(wanted) | matches.best(wanted, meant=True)
        named = matches.naming({*dense, *lexical})
        quoted = lexicon.quoted(query, None if within is None else {*within.tolist()})
        scores = combine(meaning, dense, {}, lexical, named, {})
        found = {*quoted, *_choose_best(scores, max(SHORT_LIST, count))}
        copies = lexicon.copies(found, max(SHORT_LIST, count))
        if within is not None:
            copies = {number: copy for number, copy in copies.items() if number in within}
        if copies:
            # Copies are as good as each other, also where a search has found or cut off only some of them.
            dense = _share(dense, {number: (copy.content_hash, copy.start) for number, copy in copies.items()})
            lexical = _share(lexical, {number: copy[1:] for number, copy in copies.items()})
            named = matches.naming({*dense, *lexical})
            scores = combine(meaning, dense, {}, lexical, named, {})
            found.update(copies)
        short_list = [*quoted.union(_choose_best({i: scores[i] for i in found & scores.keys()}, SHORT_LIST, copies))]
        coverage = matches.coverage(short_list)
        similarities = store.similarities(short_list, query_vector)
        sentences = {number: float(cosines.max()) for number, cosines in similarities.items()}
        # An embedding that gives nothing for sentences is judged by its chunks alone.
        sentences = sentences or {i: dense[i] for i in short_list if i in dense}
        scores = combine(meaning, dense, sentences, lexical, named, coverage)
        # A copy that is called otherwise may share nothing with the query but what it says.
        scores = dict.fromkeys(found, 0.0) | scores
        highest = max((score for number, score in scores.items() if number not in quoted), default=0.0)
        scores |= {number: max(scores[number], highest) for number in quoted}
        best = _choose_best({number: scores[number] for number in found}, count, copies, quoted)
        if missing := [number for number in best if number not in coverage]:
            similarities |= store.similarities(missing, query_vector)
        read = lexicon.read(best)
        return [to_passage(*read[number], scores[number], similarities.get(number, ())) for number in best]


def read_document(store: Store, record: Record, most_chunks: int) -> list[tuple[Passage, Vectors]]:
    """A document's chunks in order, each with its sentences' unit vectors; see `Library.read_document`."""
    lexicon = store.lexicon
    with lexicon.snapshot():
        ids = lexicon.chunk_ids(record.document_id)
        if len(ids) > most_chunks:
            ids = [ids[place * len(ids) // most_chunks] for place in range(most_chunks)]
        chunks, embedded = lexicon.chunks(ids), lexicon.embedded(ids)
    return [
        (to_passage(chunks[i], record, 1.0), unpack(embedded[i], len(chunks[i].sentences)))
        for i in ids
        if i in chunks and i in embedded
    ]


def weigh_meaning(dense: Mapping[int, float], sample: Vectors, chunks: int) -> float:
    """What the search by meaning counts for one query, 1 where it is as sure as usual.

    dense: the cosines of the nearest of the `chunks`. sample: those of some of all, of shape (chunks,).

    It goes by how far the nearest stands out from the sample: the number of standard deviations beside those that the
    greatest of as many normal variables has, which are sqrt(2 ln n) (Leadbetter, Lindgren and Rootzén 1983).
    """
    nearest = max(dense.values(), default=0.0)
    if len(sample) < LEAST_SAMPLE or not (spread := float(sample.std())):
        return 1.0
    standout = (nearest - float(sample.mean())) / spread / sqrt(2 * log(max(chunks, LEAST_SAMPLE)))
    bounded = min(max(standout, LEAST_STANDOUT), MOST_STANDOUT)
    return (bounded - LEAST_STANDOUT) / (USUAL_STANDOUT - LEAST_STANDOUT)


def combine(
    meaning: float,
    dense: Mapping[int, float],
    sentences: Mapping[int, float],
    lexical: Mapping[int, float],
    named: Mapping[int, float],
    coverage: Mapping[int, Coverage],
) -> dict[int, float]:
    """One score from 0 to 1 for each chunk that a search has found; higher is better.

    meaning: what the cosines count, 1 as usual.
    """
    # Where the query names no document, what names count is left out, so that scores of all queries compare.
    of_names = WEIGHTS.name * max(named.values(), default=0.0)
    whole = meaning * (WEIGHTS.dense + WEIGHTS.sentence) + WEIGHTS.lexical + WEIGHTS.line + WEIGHTS.chunk + of_names
    scores = dict.fromkeys([*dense, *lexical], 0.0)
    for weight, shares in (
        (meaning * WEIGHTS.dense, _scale(dense)),
        (meaning * WEIGHTS.sentence, _scale(sentences)),
        (WEIGHTS.lexical, _scale(lexical)),
        (WEIGHTS.name, named),
    ):
        for number, share in shares.items():
            if number in scores:
                scores[number] += weight / whole * share
    for number, covered in coverage.items():
        if number in scores:
            scores[number] += (WEIGHTS.line * covered.line + WEIGHTS.chunk * covered.chunk) / whole
    return scores


def _share(scores: Mapping[int, float], alike: Mapping[int, Hashable]) -> dict[int, float]:
    """The scores, with the best one of any that are alike given to all of these."""
    best: dict[Hashable, float] = {}
    for number in scores.keys() & alike.keys():
        best[alike[number]] = max(scores[number], best.get(alike[number], scores[number]))
    return {**scores, **{number: best[key] for number, key in alike.items() if key in best}}


def _choose_best(
    scores: Mapping[int, float], count: int, copies: Mapping[int, Copy] = _NONE, first: Container[int] = ()
) -> list[int]:
    """The numbers of the `count` best, those of `first` before all others; of copies the first by path."""
    return sorted(
        scores, key=lambda number: (number not in first, -scores[number], copies.get(number, _NO_COPY), number)
    )[:count]


def to_passage(chunk: Chunk, record: Record, score: float, similarities: Iterable[float] = ()) -> Passage:
    """A stored chunk with its document's record."""
    return Passage(
        chunk.document_id,
        record.path,
        record.title,
        record.date,
        chunk.start,
        chunk.end,
        chunk.text,
        score,
        tuple(Sentence(chunk.start + s.start, chunk.start + s.end, s.kind, s.level) for s in chunk.sentences),
        page_at(record.pages, chunk.start),
        record.pages[bisect_right(record.pages, chunk.start) : bisect_left(record.pages, chunk.end)],
        tuple(round(float(cosine), 4) for cosine in similarities),
        tuple(head.words for head in chunk.above),
        tuple(head.level for head in chunk.above),
    )


def _scale(scores: Mapping[int, float]) -> dict[int, float]:
    if not scores:
        return {}
    least, most = min(scores.values()), max(scores.values())
    return {number: (score - least) / (most - least) if most > least else 1.0 for number, score in scores.items()}
