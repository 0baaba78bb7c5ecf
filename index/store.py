"""The store of one documents folder: vectors, chunks and the record of documents, in Chroma.

Chroma is the one source of truth; the only Chroma import is here. One persistent collection holds
one row a chunk. A document's first chunk has the document's id and carries its record: writing it is
what replaces an old version by a new one, in a single call, and chunks of any other version count no
more. The lexicon is derived from these rows.

One process writes at a time, under a lock that dies with it. A reader whose vectors were opened before
another process's write opens them again.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from index.documents import Chunk, Document
from index.embedding import Vectors
from index.errors import StoreError
from index.lexicon import Lexicon, Record

SCHEMA_VERSION = 1
COLLECTION = "chunks"
_PAGE = 2000  # rows that one read of the whole collection takes at a time


class Store:
    """The store that belongs to one documents folder and one embedding. Safe to share between threads.

    Raises StoreError where it was made by another version of Footnote or with another embedding.
    """

    def __init__(self, stores: Path, folder: Path, embedding_name: str) -> None:
        self.place = place_of(stores, folder)
        self._folder = folder
        self._embedding_name = embedding_name
        self._reopening = threading.Lock()
        self.place.mkdir(parents=True, exist_ok=True)
        self.lexicon = Lexicon(self.place / "lexicon.sqlite")
        self._generation = self.lexicon.generation()
        self._collection = self._open()

    # -- opening ------------------------------------------------------------------------------

    def _open(self) -> Any:
        import chromadb
        from chromadb.errors import ChromaError

        expected = {
            "schema_version": SCHEMA_VERSION,
            "embedding": self._embedding_name,
            "folder": os.fsencode(self._folder).decode(errors="replace"),
        }
        try:
            client = chromadb.PersistentClient(
                str(self.place / "chroma"), settings=chromadb.Settings(anonymized_telemetry=False)
            )
            collection = client.get_or_create_collection(
                COLLECTION, metadata=expected, configuration={"hnsw": {"space": "cosine"}}, embedding_function=None
            )
        except (ChromaError, ValueError) as error:
            _forget_open_stores()
            raise StoreError(
                f"The store at {self.place} cannot be opened ({error}). "
                f"To make it anew: footnote sync {self._folder} --anew"
            ) from error
        found = {key: (collection.metadata or {}).get(key) for key in ("schema_version", "embedding")}
        if found["schema_version"] != SCHEMA_VERSION or found["embedding"] != self._embedding_name:
            raise StoreError(
                f"The store of {self._folder} was made with embedding {found['embedding']} (store version "
                f"{found['schema_version']}), not {self._embedding_name} (version {SCHEMA_VERSION}). "
                f"To make it anew: footnote sync {self._folder} --anew"
            )
        return collection

    def refresh(self) -> None:
        """Open the vectors again if another process has changed them since they were opened."""
        if self.lexicon.generation() == self._generation:
            return
        with self._reopening:
            generation = self.lexicon.generation()
            if generation != self._generation:
                _forget_open_stores()
                self._collection = self._open()
                self._generation = generation

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the store for writing; a second writer waits. Mends what a killed writer left behind."""
        from filelock import FileLock

        with FileLock(self.place / "lock"):
            self.refresh()
            if not self.lexicon.is_usable():
                self._mend()
            yield

    # -- writing (inside `writing`) -----------------------------------------------------------

    def begin(self) -> None:
        """Announce changes, so that a writer killed from here on is noticed by the next."""
        self.lexicon.mark(whole=False)

    def finish(self) -> None:
        """Declare the lexicon whole again."""
        self.lexicon.mark(whole=True)
        self._generation = self.lexicon.generation()

    def put(
        self, document: Document, chunks: Sequence[Chunk], vectors: Vectors, size_bytes: int, modified_ns: int
    ) -> None:
        """Store one document's version in place of any older one.

        chunks: in order, as `number_chunks` makes them; vectors: one row for each.
        """
        record = Record(
            document.id,
            document.path,
            document.title,
            document.date,
            document.pages,
            document.content_hash,
            size_bytes,
            modified_ns,
            len(chunks),
        )
        old = [chunk.id for chunk in self.lexicon.chunks_of(document.id)]
        rows = [_to_metadata(record, chunk) for chunk in chunks]
        # The first chunk last: with it the new version counts.
        for batch in (range(i, min(i + _PAGE, len(chunks))) for i in range(1, len(chunks), _PAGE)):
            self._upsert([chunks[i] for i in batch], vectors[batch.start : batch.stop], rows[batch.start : batch.stop])
        self._upsert(chunks[:1], vectors[:1], rows[:1])
        self.lexicon.put(record, chunks)
        current = {chunk.id for chunk in chunks}
        self._delete([chunk_id for chunk_id in old if chunk_id not in current])
        self._generation = self.lexicon.generation()

    def remove(self, document_id: str) -> None:
        """Remove one document."""
        ids = [chunk.id for chunk in self.lexicon.chunks_of(document_id)]
        self.lexicon.remove(document_id)
        self._delete(ids[1:] + ids[:1])
        self._generation = self.lexicon.generation()

    def touch(self, record: Record, size_bytes: int, modified_ns: int) -> None:
        """Record that a file was rewritten with the same content."""
        self._collection.update(
            [record.document_id], metadatas=[{"size_bytes": size_bytes, "modified_ns": modified_ns}]
        )
        self.lexicon.touch(record.document_id, size_bytes, modified_ns)

    def _upsert(self, chunks: Sequence[Chunk], vectors: Vectors, rows: list[dict[str, str | int]]) -> None:
        self._collection.upsert(
            [c.id for c in chunks], embeddings=vectors, metadatas=rows, documents=[c.text for c in chunks]
        )

    def _delete(self, ids: Sequence[str]) -> None:
        for i in range(0, len(ids), _PAGE):
            self._collection.delete(list(ids[i : i + _PAGE]))

    def _mend(self) -> None:
        """Make the lexicon anew from Chroma's rows, and remove the rows that count no more."""
        self.lexicon.create()
        versions: dict[str, list[Chunk]] = {}
        records: dict[str, Record] = {}
        hashes: dict[str, str] = {}
        for chunk, row in self._rows():
            hashes[chunk.id] = str(row["content_hash"])
            versions.setdefault(chunk.document_id, []).append(chunk)
            if chunk.id == chunk.document_id:
                records[chunk.document_id] = _to_record(row)
        orphans: list[str] = []
        for document_id, chunks in versions.items():
            record = records.get(document_id)
            counted = [c for c in chunks if record and hashes[c.id] == record.content_hash]
            orphans.extend(c.id for c in chunks if c not in counted)
            if record and len(counted) == record.chunk_count:
                self.lexicon.put(record, sorted(counted, key=lambda c: c.start))
            else:
                orphans.extend(c.id for c in counted)
        self._delete(orphans)
        self.finish()

    def _rows(self) -> Iterator[tuple[Chunk, dict[str, Any]]]:
        for offset in range(0, self._collection.count(), _PAGE):
            page = self._collection.get(limit=_PAGE, offset=offset, include=["metadatas", "documents"])
            for chunk_id, row, text in zip(page["ids"], page["metadatas"], page["documents"], strict=True):
                yield Chunk(chunk_id, row["document_id"], row["start"], row["end"], text), row

    # -- reading ------------------------------------------------------------------------------

    def nearest(self, vector: Vectors, count: int) -> dict[str, float]:
        """The ids of the chunks nearest to a unit vector, best first, with their cosine similarity."""
        found = self._collection.query(query_embeddings=vector[None, :], n_results=count, include=["distances"])
        return {
            chunk_id: 1.0 - distance for chunk_id, distance in zip(found["ids"][0], found["distances"][0], strict=True)
        }

    def text_of(self, document_id: str) -> str:
        """A document's canonical text, or "" where the store has no such document."""
        return "".join(chunk.text for chunk in self.lexicon.chunks_of(document_id))

    def close(self) -> None:
        """Close what this thread holds open."""
        self.lexicon.close()


def place_of(stores: Path, folder: Path) -> Path:
    """Where the store of a documents folder lives: a readable name and a hash of the folder's full path."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", folder.name).strip("-").lower()[:40] or "documents"
    return stores / f"{readable}-{hashlib.sha256(str(folder).encode(errors='surrogateescape')).hexdigest()[:12]}"


def discard(stores: Path, folder: Path) -> None:
    """Throw away the store of a folder, whatever state it is in."""
    place = place_of(stores, folder.expanduser().resolve())
    if place.is_dir():
        from filelock import FileLock

        with FileLock(place / "lock"):
            # Emptied, not deleted: whoever has it open then sees that the vectors are to be opened again.
            lexicon = Lexicon(place / "lexicon.sqlite")
            lexicon.create()
            lexicon.close()
            shutil.rmtree(place / "chroma", ignore_errors=True)
            _forget_open_stores()


def _forget_open_stores() -> None:
    """Have Chroma open every store afresh: it keeps one reader a path, damaged or outdated, and does not look again."""
    from chromadb.api.shared_system_client import SharedSystemClient

    SharedSystemClient.clear_system_cache()


def number_chunks(document: Document, spans: Sequence[tuple[int, int]]) -> list[Chunk]:
    """The chunks of a document with their ids: the first has the document's, the others name the version too."""
    version = f"{document.id}:{document.content_hash[:12]}"
    return [
        Chunk(f"{version}:{start}" if number else document.id, document.id, start, end, document.text[start:end])
        for number, (start, end) in enumerate(spans)
    ]


def _to_metadata(record: Record, chunk: Chunk) -> dict[str, str | int]:
    return {
        "document_id": record.document_id,
        "path": record.path,
        "title": record.title,
        "date": record.date or "",
        "pages": json.dumps(record.pages),
        "content_hash": record.content_hash,
        "size_bytes": record.size_bytes,
        "modified_ns": record.modified_ns,
        "chunk_count": record.chunk_count,
        "start": chunk.start,
        "end": chunk.end,
    }


def _to_record(row: dict[str, Any]) -> Record:
    return Record(
        row["document_id"],
        row["path"],
        row["title"],
        row["date"] or None,
        tuple(json.loads(row["pages"])),
        row["content_hash"],
        row["size_bytes"],
        row["modified_ns"],
        row["chunk_count"],
    )
