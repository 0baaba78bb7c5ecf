"""An embedding that costs nothing and forgets nothing, for tests of what happens around an embedding."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from index.documents import Chunk
from index.embedding import Vectors
from index.lexicon import Record
from index.loader import load
from index.splitter import split
from index.store import Store, number_chunks

DIMENSIONS = 8
CHUNK_TOKENS = 12


class HashEmbedding:
    """A unit vector that depends on every character of the text. `embedded` remembers the texts, in order."""

    name = "test"

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.embedded.extend(texts)
        rows = [np.frombuffer(hashlib.sha256(text.encode()).digest()[:DIMENSIONS], dtype=np.int8) for text in texts]
        vectors = np.array(rows, dtype=np.float32).reshape(len(texts), DIMENSIONS) + 0.5
        unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit

    def embed_query(self, text: str) -> Vectors:
        vector: Vectors = self.embed([text])[0]
        return vector

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]


def put(store: Store, file: Path) -> list[Chunk]:
    """Store one file as a sync would, and give its chunks."""
    embedding = HashEmbedding()
    document = load(file, file.name)
    chunks = number_chunks(document, split(document.text, embedding.count_tokens, CHUNK_TOKENS))
    vectors = embedding.embed([chunk.text for chunk in chunks])
    store.put(document, chunks, vectors, file.stat().st_size, file.stat().st_mtime_ns)
    return chunks


Contents = tuple[list[Record], dict[str, list[Chunk]], dict[str, dict[str, object]], dict[str, float]]


def contents(store: Store) -> Contents:
    """All that a store holds: the lexicon's records and chunks, Chroma's rows, and where the vectors point."""
    records = store.lexicon.records()
    chunks = {record.path: store.lexicon.chunks_of(record.document_id) for record in records}
    rows = {chunk.id: {**row, "text": chunk.text} for chunk, row in store._rows()}
    near = store.nearest(HashEmbedding().embed_query("anything"), 1000)
    return records, chunks, rows, {chunk_id: round(similarity, 4) for chunk_id, similarity in sorted(near.items())}
