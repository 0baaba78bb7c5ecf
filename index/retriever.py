"""A query becomes passages, best first.

Two searches see every chunk: by meaning (cosine of the embedding) and by words (BM25 of the lexical
index). Their scores are brought to one scale and added, 0.6 to 0.4: the convex combination of Bruch,
Gai and Ingber (2023, "An Analysis of Fusion Functions for Hybrid Retrieval").
"""

from __future__ import annotations

from collections.abc import Mapping

from index.documents import Chunk, Passage, page_at
from index.embedding import Vectors
from index.lexicon import Record
from index.sentences import Sentence, find_sentences
from index.store import Store

DENSE_SHARE = 0.6
CANDIDATES = 100


def retrieve(store: Store, query: str, query_vector: Vectors, count: int) -> list[Passage]:
    """The `count` passages that best match the query, best first; fewer where the store has fewer."""
    store.refresh()
    with store.lexicon.snapshot():
        dense = store.nearest(query_vector, CANDIDATES)
        lexical = store.lexicon.search(query, CANDIDATES)
        chunks = store.lexicon.chunks({*dense, *lexical})
        scores = combine(_visible(dense, chunks), _visible(lexical, chunks))
        best = sorted(scores, key=lambda chunk_id: (-scores[chunk_id], chunk_id))[:count]
        return [to_passage(chunks[i], store.lexicon.record(chunks[i].document_id), scores[i]) for i in best]


def combine(dense: Mapping[str, float], lexical: Mapping[str, float]) -> dict[str, float]:
    """One score from 0 to 1 for each chunk that either search found; higher is better."""
    dense, lexical = _scale(dense), _scale(lexical)
    return {i: DENSE_SHARE * dense.get(i, 0.0) + (1 - DENSE_SHARE) * lexical.get(i, 0.0) for i in {*dense, *lexical}}


def to_passage(chunk: Chunk, record: Record | None, score: float) -> Passage:
    """A stored chunk with its document's record and its sentences."""
    if record is None:
        raise LookupError(f"chunk {chunk.id} has no document")
    sentences = tuple(Sentence(chunk.start + s.start, chunk.start + s.end, s.kind) for s in find_sentences(chunk.text))
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
    )


def _visible(scores: Mapping[str, float], chunks: Mapping[str, Chunk]) -> dict[str, float]:
    """Without the rows that a sync under way has written but not yet made visible."""
    return {chunk_id: score for chunk_id, score in scores.items() if chunk_id in chunks}


def _scale(scores: Mapping[str, float]) -> dict[str, float]:
    if not scores:
        return {}
    least, most = min(scores.values()), max(scores.values())
    return {chunk_id: (score - least) / (most - least) if most > least else 1.0 for chunk_id, score in scores.items()}
