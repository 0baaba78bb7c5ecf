"""The store of one documents folder: vectors, chunks and the record of documents, in Chroma.

Chroma is the one source of truth; the only Chroma import is here. A chunk is one row, in one of the store's
parts. A document's first chunk has the document's id and carries its record: writing it is what replaces
an old version by a new one, in a single call, and chunks of any other version count no more. The lexicon
is derived from these rows; it keeps a copy of each vector, from which Chroma's own are made anew where they
have been torn.

One process writes at a time, under a lock that dies with it. Chroma's files have a lock of their own: nobody
searches while they are written, and who opened them before another process's write opens them again.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from index.documents import Chunk, Document
from index.embedding import Embedded, Vectors
from index.errors import StoreError
from index.lexicon import Lexicon, Record
from index.parts import Parts
from index.settings import LOCAL_CHUNK_TOKENS

SCHEMA_VERSION = 4
# What a store is made with and keeps to, in words for whoever asks for another.
_MADE_WITH = {
    "embedding": "embedding {}",
    "chunk_tokens": "chunks of {} tokens",
    "schema_version": "store version {}",
}
_PAGE = 500  # rows that one read of the whole collection takes at a time
LEAST_ROOM_BYTES = 4_000_000  # on the disk, for Chroma to be asked to write


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
        )


class _NoRoomError(StoreError):
    """The disk is full."""


class HeldError(Exception):
    """Another process holds the store; the message says which."""


class Store:
    """The store that belongs to one documents folder, one embedding and one chunk size. Safe to share between threads.

    Raises StoreError where it was made by another version of Footnote, with another embedding or another chunk size.
    """

    def __init__(self, stores: Path, folder: Path, embedding_name: str, chunk_tokens: int = LOCAL_CHUNK_TOKENS) -> None:
        self.place = place_of(stores, folder)
        self.chunk_tokens = chunk_tokens
        self._folder = folder
        self._embedding_name = embedding_name
        self._one_thread = threading.RLock()
        self._interrupted: set[str] = set()
        self._collection: Any = None
        try:
            self.place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"The store cannot be kept at {self.place} ({error.strerror}): set FOOTNOTE_STORE to a folder that "
                "may be written."
            ) from error
        self.lexicon = Lexicon(self.place / "lexicon.sqlite")
        self._files_lock = _files_lock(self.place)
        self._mark = ""
        with self._alone():
            self._open_whole()

    # -- opening ------------------------------------------------------------------------------

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other threads and processes from Chroma's files.

        A search takes in what others have written since, and when that has become much, it too writes over the files
        of the vectors: two at once would lose some. So it is one at a time, and each knows of what came before.
        """
        with self._one_thread, self._files_lock:
            yield

    def _open_whole(self) -> None:
        """Open Chroma, and make its vectors anew where they have been torn. Needs `_alone`."""
        # What this process may have open of the same store already knows nothing of others' writing.
        _forget_open_stores()
        self._collection = None
        with _disk_errors(self.place):
            is_torn = self._are_vectors_torn()
            if is_torn:
                self._note("torn")
                shutil.rmtree(self.place / "chroma", ignore_errors=True)
            collection = self._open()
            if is_torn:
                self._fill_collection(collection)
                _renew_mark(self.place)
            (self.place / "saving.json").unlink(missing_ok=True)
            self._refuse_damaged(collection)
        self._collection = collection
        self._mark = _read_mark(self.place)

    @contextmanager
    def _saving(self) -> Iterator[None]:
        """Around each write to Chroma, which now and then writes over the files of its vectors, in place.

        Where it is killed or fails at that, they are torn, and Chroma may even crash when it reads them. So a note
        tells how they were before; it stays where the write did not come to its end, and whoever opens the store next
        compares.
        """
        with self._alone():
            self._require_room()
            self._note(self._look_at_vectors())
            self._mark = _renew_mark(self.place)
            yield
            (self.place / "saving.json").unlink()

    def _require_room(self) -> None:
        """Refuse to write to a full disk before Chroma does: it may wait for itself for ever after that."""
        if (free := shutil.disk_usage(self.place).free) < LEAST_ROOM_BYTES:
            raise _NoRoomError(_NO_ROOM.format(self.place, f"{free:,} bytes are free on the disk"))

    def _note(self, state: object) -> None:
        with (self.place / "saving.json").open("w", encoding="utf-8") as stream:
            json.dump(state, stream)
            stream.flush()
            os.fsync(stream.fileno())

    def _look_at_vectors(self) -> dict[str, list[int]]:
        """The size and time of change of each file of Chroma's vectors."""
        files = sorted((self.place / "chroma").glob("*/*"))
        return {f"{file.parent.name}/{file.name}": [file.stat().st_size, file.stat().st_mtime_ns] for file in files}

    def _are_vectors_torn(self) -> bool:
        """Whether a write that did not come to its end had begun to change the files of the vectors."""
        try:
            before = json.loads((self.place / "saving.json").read_bytes())
        except (OSError, ValueError):
            return False  # no note, or one that was not finished: Chroma had not been asked yet
        return bool(before != self._look_at_vectors())

    def _open(self) -> Parts:
        import chromadb
        from chromadb.errors import ChromaError

        expected: dict[str, str | int] = {
            "schema_version": SCHEMA_VERSION,
            "embedding": self._embedding_name,
            "chunk_tokens": self.chunk_tokens,
            "folder": os.fsencode(self._folder).decode(errors="replace"),
        }

        def connect() -> Any:
            _forget_open_stores()
            settings = chromadb.Settings(anonymized_telemetry=False)
            return chromadb.PersistentClient(str(self.place / "chroma"), settings=settings)

        try:
            parts = Parts(connect, expected, self._alone)
            made_with = parts.metadata()
        except (ChromaError, ValueError) as error:
            _forget_open_stores()
            if _is_for_want_of_room(error):
                raise _NoRoomError(_NO_ROOM.format(self.place, error)) from error
            raise StoreError(
                f"The store at {self.place} cannot be opened ({error}). "
                f"To make it anew: footnote sync {self._folder} --anew"
            ) from error
        for found in made_with:
            differing = [key for key in _MADE_WITH if found.get(key) != expected[key]]
            if differing:
                made, asked = (
                    ", ".join(_MADE_WITH[key].format(of.get(key)) for key in differing) for of in (found, expected)
                )
                raise StoreError(
                    f"The store of {self._folder} was made with {made}, not {asked}. "
                    f"To make it anew: footnote sync {self._folder} --anew"
                )
        return parts

    def _refuse_damaged(self, collection: Parts) -> None:
        """Tell a store that has lost its rows or vectors from one that is empty, by a look at its ends."""
        from chromadb.errors import ChromaError

        if not self.lexicon.is_usable() or self.lexicon.pending():
            return
        ends = self.lexicon.first_and_last_chunk_ids()
        try:
            whole = collection.count() >= self.lexicon.count_chunks()
            whole = whole and (not ends or len(collection.get(ends, include=["embeddings"])["ids"]) == len(ends))
        except ChromaError as error:
            if _is_for_want_of_room(error):
                raise _NoRoomError(_NO_ROOM.format(self.place, error)) from error
            whole = False
        # Another process may have begun to write just now: then the counts say nothing.
        if not whole and not self.lexicon.pending():
            _forget_open_stores()
            raise StoreError(
                f"The store of {self._folder} is damaged: its vectors or its database have been lost or cut short. "
                f"To make it anew: footnote sync {self._folder} --anew"
            )

    def refresh(self) -> None:
        """Open Chroma again if it failed before or another process has written since."""
        with self._alone():
            if self._collection is None or _read_mark(self.place) != self._mark:
                self._open_whole()

    @contextmanager
    def writing(self, wait_seconds: float = -1) -> Iterator[None]:
        """Hold the store for writing. Mends what a killed writer left behind.

        Raises HeldError where another process still holds it after `wait_seconds`; below 0 it waits for ever.
        """
        from filelock import FileLock, Timeout

        lock = FileLock(self.place / "lock")
        holder = self.place / "holder"
        try:
            lock.acquire(timeout=wait_seconds)
        except Timeout:
            raise HeldError(holder.read_text(encoding="utf-8") if holder.is_file() else "another process") from None
        try:
            with suppress(OSError):  # it only tells others whom they wait for
                holder.write_text(f"process {os.getpid()}", encoding="utf-8")
            with _disk_errors(self.place, self._reopen_later):
                self.refresh()
                if self.lexicon.is_usable():
                    for document_id in self.lexicon.pending():
                        self._reconcile(document_id)
                else:
                    self._fill_lexicon()
                # What an earlier writer left of these is removed by `settle`, once all else is done.
                self._interrupted = set(self.lexicon.pending())
                yield
        finally:
            lock.release()

    def _reopen_later(self) -> None:
        # Chroma's connections keep locks after a write that failed: they would wait for each other.
        self._collection = None

    # -- writing (inside `writing`) -----------------------------------------------------------

    def put(self, versions: Sequence[Version]) -> None:
        """Store what has come of several documents' versions; those that are complete become visible, all at once.

        An old version stays visible until then. Chunks that are stored already are not written again.
        """
        self.lexicon.announce(version.document.id for version in versions)
        in_hand = {v.document.id: [c for c, _ in v.waiting] for v in versions if len(v.waiting) == len(v.chunk_ids)}
        tails = [(version, *row) for version in versions for row in version.waiting if row[0].id != version.document.id]
        self.lexicon.put_embedded({chunk.id: embedded for _, chunk, embedded in tails if embedded})
        for i in range(0, len(tails), _PAGE):
            self._upsert(tails[i : i + _PAGE])
        for version in versions:
            version.waiting = [row for row in version.waiting if row[0].id == version.document.id]
        complete = [version for version in versions if version.is_complete]
        if not complete:
            return
        # With its first chunk a version counts; the lexicon makes all of them visible in one transaction.
        stale = {version.document.id: set(self.lexicon.chunk_ids(version.document.id)) for version in complete}
        heads = [(version, *row) for version in complete for row in version.waiting]
        self._upsert(heads)
        self.lexicon.put(
            ((v.record(), in_hand.get(v.document.id) or self._chunks_of(v)) for v in complete),
            {chunk.id: embedded for _, chunk, embedded in heads if embedded},
        )
        for version in complete:
            stale[version.document.id].difference_update(version.chunk_ids)
        self._delete([chunk_id for chunk_ids in stale.values() for chunk_id in sorted(chunk_ids)])
        self.lexicon.settle(stale.keys() - self._interrupted)

    def stored(self, chunk_ids: Sequence[str]) -> set[str]:
        """Those of the chunks that an earlier, interrupted sync has stored."""
        return set(self._collection.get(list(chunk_ids), include=[])["ids"]) if chunk_ids else set()

    def vectors(self, chunk_ids: Sequence[str]) -> dict[str, Vectors]:
        """The stored vectors of chunks, by id."""
        if not chunk_ids:
            return {}
        found = self._collection.get(list(chunk_ids), include=["embeddings"])
        return dict(zip(found["ids"], found["embeddings"], strict=True))

    def remove(self, document_ids: Sequence[str]) -> None:
        """Remove documents."""
        self.lexicon.announce(document_ids)
        chunk_ids = [chunk_id for document_id in document_ids for chunk_id in self.lexicon.chunk_ids(document_id)]
        # Without its first chunk a document does not count; so that goes first.
        self._delete(document_ids)
        self.lexicon.remove(document_ids)
        heads = set(document_ids)
        self._delete([chunk_id for chunk_id in chunk_ids if chunk_id not in heads])
        self.lexicon.settle(set(document_ids) - self._interrupted)

    def touch(self, record: Record, size_bytes: int, modified_ns: int) -> None:
        """Record that a file was rewritten with the same content."""
        row: dict[str, str | int] = {"size_bytes": size_bytes, "modified_ns": modified_ns}
        with self._saving():
            self._collection.update([record.document_id], metadatas=[row])
        self.lexicon.touch(record.document_id, size_bytes, modified_ns)

    def settle(self) -> None:
        """Remove what interrupted syncs have left of versions that never became visible. The end of every sync."""
        pending = self.lexicon.pending()
        for document_id in pending:
            rows = self._collection.get(where={"document_id": document_id}, include=[])["ids"]
            self._delete(sorted(set(rows) - set(self.lexicon.chunk_ids(document_id))))
        if pending:
            self.lexicon.drop_unused()
        self.lexicon.settle(pending)
        self._interrupted = set()

    def _chunks_of(self, version: Version) -> Iterator[Chunk]:
        """A complete version's chunks in order, read again from Chroma, so that a long document needs no memory."""
        for i in range(0, len(version.chunk_ids), _PAGE):
            ids = version.chunk_ids[i : i + _PAGE]
            page = self._collection.get(ids, include=["metadatas", "documents"], in_memory=1)
            yield from sorted(_to_chunks(page), key=lambda chunk: chunk.start)

    def _upsert(self, rows: Sequence[tuple[Version, Chunk, Embedded | None]]) -> None:
        if rows:
            # What no visible version holds, nor an interrupted sync has left, stands nowhere yet.
            known = self.lexicon.chunks(chunk.id for _, chunk, _ in rows)
            new = {c.id for v, c, _ in rows if c.id not in known and v.document.id not in self._interrupted}
            with self._saving():
                _upsert(self._collection, [(v.record(), chunk, e) for v, chunk, e in rows if e], new)

    def _delete(self, chunk_ids: Sequence[str]) -> None:
        for i in range(0, len(chunk_ids), _PAGE):
            with self._saving():
                self._collection.delete(list(chunk_ids[i : i + _PAGE]))
        self.lexicon.drop_embedded(chunk_ids)

    # -- mending ------------------------------------------------------------------------------

    def _reconcile(self, document_id: str) -> None:
        """Have the lexicon say of one document what Chroma says, after a writer was killed at it."""
        rows = self._collection.get(where={"document_id": document_id}, include=["metadatas"])
        heads = [row for chunk_id, row in zip(rows["ids"], rows["metadatas"], strict=True) if chunk_id == document_id]
        record = _to_record(heads[0]) if heads else None
        ids = [
            chunk_id
            for chunk_id, row in zip(rows["ids"], rows["metadatas"], strict=True)
            if record and row["content_hash"] == record.content_hash
        ]
        visible = self.lexicon.record(document_id)
        if record is None or len(ids) != record.chunk_count:
            self.lexicon.remove([document_id])
        elif visible is None or visible.content_hash != record.content_hash:
            pages = (ids[i : i + _PAGE] for i in range(0, len(ids), _PAGE))
            head = Embedded(self.vectors([document_id])[document_id], None)
            self.lexicon.put([(record, (chunk for page in pages for chunk in self._read(page)))], {document_id: head})

    def _fill_lexicon(self) -> None:
        """Make the lexicon anew from Chroma's rows; what no complete version holds is left pending."""
        self.lexicon.create()
        records: dict[str, Record] = {}
        counts: Counter[tuple[str, str]] = Counter()
        for page in self._pages(["metadatas"]):
            for chunk_id, row in zip(page["ids"], page["metadatas"], strict=True):
                counts[row.get("document_id", ""), row.get("content_hash", "")] += 1
                if chunk_id == row.get("document_id"):
                    records[chunk_id] = _to_record(row)
        whole = {i: r for i, r in records.items() if counts[i, r.content_hash] == r.chunk_count}
        self.lexicon.announce(
            {i for i, content_hash in counts if i not in whole or whole[i].content_hash != content_hash}
        )
        self.lexicon.add_records(whole.values())
        for page in self._pages(["metadatas", "documents", "embeddings"]):
            current = {
                chunk_id: Embedded(vector, None)
                for chunk_id, row, vector in zip(page["ids"], page["metadatas"], page["embeddings"], strict=True)
                if (i := row.get("document_id")) in whole and row["content_hash"] == whole[i].content_hash
            }
            self.lexicon.fill(whole, (chunk for chunk in _to_chunks(page) if chunk.id in current), current)
        self.lexicon.mark(whole=True)

    def _fill_collection(self, collection: Parts) -> None:
        """Make Chroma's rows anew from the lexicon; where that is of no use either, both begin empty."""
        if not self.lexicon.is_usable() or not self.lexicon.has_all_vectors():
            self.lexicon.create()
            return
        records = {record.document_id: record for record in self.lexicon.records()}
        for page in self.lexicon.pages(_PAGE):
            known = self.lexicon.embedded(chunk.id for chunk in page)
            rows = [(records[chunk.document_id], chunk, known[chunk.id]) for chunk in page]
            _upsert(collection, rows, known.keys())

    def _pages(self, include: list[str]) -> Iterator[Any]:
        yield from self._collection.pages(_PAGE, include)

    def _read(self, chunk_ids: Sequence[str]) -> list[Chunk]:
        return _to_chunks(self._collection.get(list(chunk_ids), include=["metadatas", "documents"]))

    # -- checking -----------------------------------------------------------------------------

    def check(self) -> dict[str, str]:
        """What is wrong with the store, by document id, "" for what concerns no document; reads all of it.

        Every visible chunk must be in Chroma with its vector and be found by it, each document's chunks must tile it,
        and Chroma must hold no row besides.
        """
        from chromadb.errors import ChromaError

        self.refresh()
        wrong: dict[str, str] = {}
        if not self.lexicon.is_usable():
            return {"": "the lexical index is missing or damaged"}
        visible = 0
        for record in self.lexicon.records():
            chunks = self.lexicon.chunks_of(record.document_id)
            visible += len(chunks)
            ends = [0, *(chunk.end for chunk in chunks)]
            if len(chunks) != record.chunk_count or any(c.start != end for c, end in zip(chunks, ends, strict=False)):
                wrong[record.document_id] = f"{record.path}: its chunks do not join"
                continue
            try:
                stored = {
                    c.id: c
                    for i in range(0, len(chunks), _PAGE)
                    for c in self._read([c.id for c in chunks[i : i + _PAGE]])
                }
                vectors = self.vectors([chunk.id for chunk in chunks])
                lost = [
                    c
                    for c in chunks
                    if stored.get(c.id) != c or c.id not in vectors or not self._finds(c.id, vectors[c.id])
                ]
            except ChromaError:
                lost = chunks
            if lost:
                wrong[record.document_id] = f"{record.path}: {len(lost)} of {len(chunks)} chunks are lost or not found"
        if self._collection.count() != visible:
            wrong[""] = f"{self._collection.count():,} rows where {visible:,} count"
        elif self.lexicon.pending():
            wrong[""] = "a sync was interrupted"
        return wrong

    def _finds(self, chunk_id: str, vector: Vectors) -> bool:
        """Whether a search for a chunk's own vector finds it, or another of the same vector."""
        found = self.nearest(vector, 10)
        return chunk_id in found or max(found.values(), default=0.0) > 1 - 1e-4

    def repair(self, wrong: Mapping[str, str]) -> None:
        """Take out what `check` found wrong, and make the lexicon anew; a sync then brings it back. Needs `writing`."""
        if wrong:
            self._fill_lexicon()
            self.remove([document_id for document_id in wrong if document_id and self.lexicon.record(document_id)])
            current = {i for record in self.lexicon.records() for i in self.lexicon.chunk_ids(record.document_id)}
            for page in list(self._pages([])):
                self._delete(sorted(set(page["ids"]) - current))
            self.lexicon.settle(self.lexicon.pending())

    # -- reading ------------------------------------------------------------------------------

    def nearest(self, vector: Vectors, count: int) -> dict[str, float]:
        """The ids of the chunks nearest to a unit vector, best first, with their cosine similarity."""
        from chromadb.errors import ChromaError

        with self._alone():
            try:
                self.refresh()
                # On a full disk Chroma does not search, since it cannot write its log away first.
                self._require_room()
                found = self._collection.query(vector, count)
            except (_NoRoomError, ChromaError) as error:
                if isinstance(error, ChromaError) and not _is_for_want_of_room(error):
                    raise
                return self.lexicon.nearest(vector, count)
        return {chunk_id: 1.0 - distance for chunk_id, distance in found.items()}

    def similarities(self, numbers: Sequence[int], query_vector: Vectors) -> dict[int, Vectors]:
        """The cosine of each sentence of chunks to a query, by number, for those whose sentences have vectors."""
        import numpy as np

        packed = {i: vectors for i, vectors in self.lexicon.sentences(numbers).items() if vectors}
        if not packed:
            return {}
        rows = np.frombuffer(b"".join(packed.values()), dtype=np.int8).reshape(-1, len(query_vector))
        rows = rows.astype(np.float32)
        cosines = rows @ query_vector / np.linalg.norm(rows, axis=1)
        ends = np.cumsum([len(vectors) // len(query_vector) for vectors in packed.values()])
        return dict(zip(packed, np.split(cosines, ends[:-1]), strict=True))

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

        with FileLock(place / "lock"), _files_lock(place):
            # Emptied, not deleted: others have it open.
            lexicon = Lexicon(place / "lexicon.sqlite")
            with _disk_errors(place):
                _renew_mark(place)
                lexicon.create()
            lexicon.close()
            shutil.rmtree(place / "chroma", ignore_errors=True)
            (place / "saving.json").unlink(missing_ok=True)
            _forget_open_stores()


def _files_lock(place: Path) -> Any:
    """The lock around Chroma's files; one that this process may take again while it holds it."""
    from filelock import FileLock

    return FileLock(place / "saving", thread_local=False, poll_interval=0.01)


def _read_mark(place: Path) -> str:
    """What every write to Chroma changes."""
    try:
        return (place / "mark").read_text(encoding="ascii")
    except OSError:
        return ""


def _renew_mark(place: Path) -> str:
    mark = secrets.token_hex(8)
    (place / "mark").write_text(mark, encoding="ascii")
    return mark


def _forget_open_stores() -> None:
    """Have Chroma open every store afresh: it keeps one reader a path, damaged or outdated, and does not look again."""
    from chromadb.api.shared_system_client import SharedSystemClient

    SharedSystemClient.clear_system_cache()


def chunk_id(document_id: str, content_hash: str, start: int) -> str:
    """A chunk's id, stable for a path, a content and a place; a document's first chunk has the document's own."""
    return f"{document_id}:{content_hash[:12]}:{start}" if start else document_id


def pack(vectors: Vectors) -> bytes:
    """Vectors as bytes, one for each dimension: enough to compare by, since only their directions count."""
    import numpy as np

    largest = np.abs(vectors).max(axis=1, keepdims=True) if len(vectors) else 1
    packed: bytes = np.rint(vectors / largest * 127).astype(np.int8).tobytes()
    return packed


def number_chunks(
    document: Document, section: str, section_start: int, spans: Sequence[tuple[int, int]]
) -> list[Chunk]:
    """The chunks of one section of a document, which starts at `section_start` of its text."""
    return [
        Chunk(
            chunk_id(document.id, document.content_hash, section_start + start),
            document.id,
            section_start + start,
            section_start + end,
            section[start:end],
        )
        for start, end in spans
    ]


def _to_chunks(page: Any) -> list[Chunk]:
    return [
        Chunk(chunk_id, row["document_id"], row["start"], row["end"], text)
        for chunk_id, row, text in zip(page["ids"], page["metadatas"], page["documents"], strict=True)
        if "start" in row  # else it is no row of ours
    ]


def _upsert(collection: Parts, rows: Sequence[tuple[Record, Chunk, Embedded]], new: AbstractSet[str]) -> None:
    collection.upsert(
        [chunk.id for _, chunk, _ in rows],
        new=new,
        embeddings=[embedded.vector for _, _, embedded in rows],
        metadatas=[_to_metadata(record, chunk) for record, chunk, _ in rows],
        documents=[chunk.text for _, chunk, _ in rows],
    )


def _to_metadata(record: Record, chunk: Chunk) -> dict[str, str | int]:
    """One row's fields; a document's first chunk carries its record besides."""
    row: dict[str, str | int] = {
        "document_id": record.document_id,
        "path": record.path,
        "content_hash": record.content_hash,
        "start": chunk.start,
        "end": chunk.end,
    }
    if chunk.id == record.document_id:
        row |= {
            "title": record.title,
            "date": record.date or "",
            "size_bytes": record.size_bytes,
            "modified_ns": record.modified_ns,
            "chunk_count": record.chunk_count,
            "pages": json.dumps(record.pages),
        }
    return row


def _to_record(row: Mapping[str, Any]) -> Record:
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


_NO_ROOM = "The store at {} could not be written ({}). Nothing is lost: see that the disk has room, then sync again."


def _is_for_want_of_room(error: Exception) -> bool:
    """Whether SQLite, below Chroma, says that the disk is full or failing rather than that the file is damaged."""
    code = re.search(r"\(code: (\d+)\)", str(error))
    return "Failed to apply logs to the metadata" in str(error) or (
        code is not None and int(code[1]) & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
    )


@contextmanager
def _disk_errors(place: Path, failed: Callable[[], None] = lambda: None) -> Iterator[None]:
    """What a full or failing disk raises, as one sentence."""
    from chromadb.errors import ChromaError

    try:
        yield
    except (ChromaError, sqlite3.Error, OSError) as error:
        failed()
        raise _NoRoomError(_NO_ROOM.format(place, error)) from error
