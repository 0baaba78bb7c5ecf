"""A document's version on its way into the store: its chunks, their ids, and its sentences' vectors, packed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from index.documents import Chunk, Document
from index.embedding.protocol import Embedded, Vectors
from index.splitting.outline import Outline
from index.storing.records import Record


@dataclass(slots=True)
class Version:
    """One document's version on its way into the store.

    waiting: chunks that are still to be written, with their vectors once they have them; the first chunk waits until
        the version is complete. chunk_ids: all that have come, in order. characters: how much of the text they cover.
    """

    document: Document
    size_bytes: int
    modified_ns: int
    waiting: list[tuple[Chunk, Embedded | None]] = field(default_factory=list)
    chunk_ids: list[str] = field(default_factory=list)
    characters: int = 0
    is_complete: bool = False

    def add(self, chunk: Chunk) -> None:
        """Take in the next chunk."""
        self.waiting.append((chunk, None))
        self.chunk_ids.append(chunk.id)

    def so_far(self) -> Version:
        """What has come up to now, to be written while more comes: here only the first chunk goes on waiting."""
        so_far = replace(self, chunk_ids=self.chunk_ids.copy())
        self.waiting = [row for row in self.waiting if row[0].id == self.document.id]
        return so_far

    def record(self) -> Record:
        """What the store will remember of the document."""
        document = self.document
        return Record(
            document.id,
            document.path,
            document.title,
            document.date,
            document.pages,
            document.content_hash,
            self.size_bytes,
            self.modified_ns,
            len(self.chunk_ids),
            document.unread,
            len(document.enclosed),
        )


def chunk_id(document_id: str, content_hash: str, start: int) -> str:
    """A chunk's id, stable for a path, a content and a place; a document's first chunk has the document's own."""
    return f"{document_id}:{content_hash[:12]}:{start}" if start else document_id


def number_chunks(
    document: Document, section: Outline, section_start: int, spans: Sequence[tuple[int, int]]
) -> list[Chunk]:
    """The chunks of one section of a document, which starts at `section_start` of its text."""
    return [
        Chunk(
            chunk_id(document.id, document.content_hash, section_start + start),
            document.id,
            section_start + start,
            section_start + end,
            section.text[start:end],
            *section.between(start, end),
        )
        for start, end in spans
    ]


def pack(vectors: Vectors) -> bytes:
    """Vectors as bytes, one for each dimension: enough to compare by, since only their directions count."""
    import numpy as np

    largest = np.abs(vectors).max(axis=1, keepdims=True) if len(vectors) else 1
    packed: bytes = np.rint(vectors / largest * 127).astype(np.int8).tobytes()
    return packed


def unpack(embedded: Embedded, sentences: int) -> Vectors:
    """The unit vectors of a chunk's sentences, of shape (sentences, dimensions); of none, the chunk's own for each."""
    import numpy as np

    width = len(embedded.vector)
    if not embedded.sentences or len(embedded.sentences) != sentences * width:
        repeated: Vectors = np.tile(embedded.vector, (sentences, 1))
        return repeated
    rows = np.frombuffer(embedded.sentences, dtype=np.int8).reshape(-1, width).astype(np.float32)
    unit: Vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def compare(packed: Mapping[int, bytes], vector: Vectors) -> dict[int, Vectors]:
    """The cosines to a vector of each of the vectors that `pack` has packed, by number; none of what is empty."""
    import numpy as np

    packed = {number: vectors for number, vectors in packed.items() if vectors}
    if not packed:
        return {}
    rows = np.frombuffer(b"".join(packed.values()), dtype=np.int8).reshape(-1, len(vector)).astype(np.float32)
    cosines = rows @ vector / np.linalg.norm(rows, axis=1)
    ends = np.cumsum([len(vectors) // len(vector) for vectors in packed.values()])
    return dict(zip(packed, np.split(cosines, ends[:-1]), strict=True))
