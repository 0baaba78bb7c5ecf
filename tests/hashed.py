"""An embedding that costs nothing and forgets nothing, for tests of what happens around an embedding."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from index.documents import Chunk, Document
from index.embedding.protocol import Embedded, Vectors
from index.loading.loader import load
from index.splitting.outline import Outline
from index.splitting.splitter import split
from index.storing.embedded import EmbeddedStore
from index.storing.records import Record
from index.storing.versions import Version, number_chunks
from index.sync import embed

DIMENSIONS = 8
CHUNK_TOKENS = 12


class HashEmbedding:
    """A unit vector that depends on every character of the text. `embedded` remembers the texts, in order."""

    name = "test"
    embeds_sentences = True
    dimensions = DIMENSIONS

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.embedded.extend(texts)
        return self._hash(texts)

    def _hash(self, texts: Sequence[str]) -> Vectors:
        rows = [np.frombuffer(hashlib.shake_256(t.encode()).digest(self.dimensions), dtype=np.int8) for t in texts]
        vectors = np.array(rows, dtype=np.float32).reshape(len(texts), self.dimensions) + 0.5
        unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit

    def embed_with_sentences(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> tuple[Vectors, list[Vectors]]:
        parts = [[text[start:end] for start, end in parts] for text, parts in zip(texts, spans, strict=True)]
        return self.embed(texts), [self._hash(part) for part in parts]

    def embed_query(self, text: str) -> Vectors:
        vector: Vectors = self.embed([text])[0]
        return vector

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]


class WideEmbedding(HashEmbedding):
    """Vectors of the real one's width, which take the room on the disk that real ones take."""

    dimensions = 384


def open_store(folder: Path, stores: Path) -> EmbeddedStore:
    """A folder's store whose embedding is `HashEmbedding`."""
    return EmbeddedStore(stores, folder, HashEmbedding.name, CHUNK_TOKENS)


def put(store: EmbeddedStore, file: Path) -> list[Chunk]:
    """Store one file as a sync would, and give its chunks."""
    embedding = HashEmbedding()
    document = load(file, file.name)
    outline = Outline(document.text)
    spans = split(outline, embedding.count_tokens, CHUNK_TOKENS)
    return put_chunks(store, document, number_chunks(document, outline, 0, spans), file.stat().st_mtime_ns)


def put_chunks(store: EmbeddedStore, document: Document, chunks: list[Chunk], modified_ns: int = 7) -> list[Chunk]:
    """Store a document that is made of these chunks."""
    known = embed(chunks, HashEmbedding())
    version = Version(document, len(document.text.encode()), modified_ns)
    version.chunk_ids = [chunk.id for chunk in chunks]
    version.waiting = [(chunk, known[chunk.id]) for chunk in chunks]
    version.is_complete = True
    store.put([version])
    return chunks


def rows(store: EmbeddedStore) -> dict[str, dict[str, object]]:
    """Every row that Chroma holds, by id, with its text."""
    return {
        chunk_id: {**row, "text": text}
        for page in store._keeper.rows.pages(500, ["metadatas", "documents"])
        for chunk_id, row, text in zip(page["ids"], page["metadatas"], page["documents"], strict=True)
    }


Contents = tuple[
    list[Record], dict[str, list[Chunk]], dict[str, dict[str, object]], dict[str, float], dict[str, Embedded]
]


def contents(store: EmbeddedStore, embedding: HashEmbedding | None = None) -> Contents:
    """All that a store holds: the lexicon's records and chunks, Chroma's rows, and where the vectors point."""
    records = store.lexicon.records()
    chunks = {record.path: store.lexicon.chunks_of(record.document_id) for record in records}
    # A time of change that was too fresh to be trusted is kept as -1: which ones are, is a matter of chance.
    records = [replace(record, modified_ns=0) for record in records]
    stored = {chunk_id: {**row, "modified_ns": 0} for chunk_id, row in rows(store).items()}
    # Read one by one: a search of everything is approximate beyond some hundred rows.
    query = (embedding or HashEmbedding()).embed_query("anything")
    near = {chunk_id: round(float(vector @ query), 4) for chunk_id, vector in store.vectors(sorted(stored)).items()}
    sentences = {i: row.sentences for i, row in store.lexicon.embedded(sorted(stored)).items()}
    return records, chunks, stored, near, sentences
