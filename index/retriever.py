"""A query becomes passages, best first.

Two searches see every chunk: by meaning (cosine of the embedding) and by words (BM25 of the lexical
index). Their scores, brought to one scale and summed, which is the convex combination of Bruch, Gai and Ingber (2023,
"An Analysis of Fusion Functions for Hybrid Retrieval"), make a short list. What is on it is read closely, for two
scores more: the cosine of the chunk's best sentence, and how much of the query a single sentence holds, by rarity:
words that stand together answer, words strewn over a chunk often do not.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Container, Iterable, Mapping
from heapq import nsmallest

from index.documents import Chunk, Passage, page_at
from index.embedding import Vectors
from index.lexicon import Record
from index.sentences import Sentence, find_chunk_sentences
from index.store import Store

# Of the whole score; README says what else was tried.
DENSE_SHARE, SENTENCE_SHARE, LEXICAL_SHARE, COVERAGE_SHARE = 0.2, 0.28, 0.24, 0.28
CANDIDATES = 100  # of each search, or as many as are asked for
SHORT_LIST = 40  # chunks that are read closely; the others that were found come after them


def retrieve(store: Store, query: str, query_vector: Vectors, count: int) -> list[Passage]:
    """The `count` passages that best match the query, best first; fewer where the store has fewer."""
    lexicon = store.lexicon
    with lexicon.snapshot():
        dense = store.nearest(query_vector, max(CANDIDATES, count))
        # Without the rows that a sync under way has written but not yet made visible.
        dense = _keep(dense, lexicon.visible(dense))
        lexical = lexicon.search(query, max(CANDIDATES, count))
        short_list = _choose_best(combine(dense, {}, lexical, {}), SHORT_LIST)
        coverage = lexicon.coverage(query, short_list)
        similarities = store.similarities(short_list, query_vector)
        sentences = {chunk_id: float(cosines.max()) for chunk_id, cosines in similarities.items()}
        # An embedding that gives nothing for sentences is judged by its chunks alone.
        scores = combine(dense, sentences or _keep(dense, coverage), lexical, coverage)
        best = _choose_best(scores, count)
        chunks = lexicon.chunks(best)
        if missing := [chunk_id for chunk_id in best if chunk_id not in coverage]:
            similarities |= store.similarities(missing, query_vector)
        return [
            to_passage(chunks[i], lexicon.record(chunks[i].document_id), scores[i], similarities.get(i, ()))
            for i in best
        ]


def combine(
    dense: Mapping[str, float],
    sentences: Mapping[str, float],
    lexical: Mapping[str, float],
    coverage: Mapping[str, float],
) -> dict[str, float]:
    """One score from 0 to 1 for each chunk that a search has found; higher is better."""
    scaled = [
        (DENSE_SHARE, _scale(dense)),
        (SENTENCE_SHARE, _scale(sentences)),
        (LEXICAL_SHARE, _scale(lexical)),
        (COVERAGE_SHARE, coverage),
    ]
    return {i: sum(share * scores.get(i, 0.0) for share, scores in scaled) for i in {*dense, *lexical}}


def _choose_best(scores: Mapping[str, float], count: int) -> list[str]:
    return nsmallest(count, scores, key=lambda chunk_id: (-scores[chunk_id], chunk_id))


def to_passage(chunk: Chunk, record: Record | None, score: float, similarities: Iterable[float] = ()) -> Passage:
    """A stored chunk with its document's record and its sentences."""
    if record is None:
        raise LookupError(f"chunk {chunk.id} has no document")
    sentences = tuple(
        Sentence(chunk.start + s.start, chunk.start + s.end, s.kind) for s in find_chunk_sentences(chunk.text)
    )
    return Passage(
        chunk.document_id,
        record.path,
        record.title,
        record.date,
        chunk.start,
        chunk.end,
        chunk.text,
        score,
        sentences,
        page_at(record.pages, chunk.start),
        record.pages[bisect_right(record.pages, chunk.start) : bisect_left(record.pages, chunk.end)],
        tuple(round(float(cosine), 4) for cosine in similarities),
    )


def _keep(scores: Mapping[str, float], kept: Container[str]) -> dict[str, float]:
    return {chunk_id: score for chunk_id, score in scores.items() if chunk_id in kept}


def _scale(scores: Mapping[str, float]) -> dict[str, float]:
    if not scores:
        return {}
    least, most = min(scores.values()), max(scores.values())
    return {chunk_id: (score - least) / (most - least) if most > least else 1.0 for chunk_id, score in scores.items()}
