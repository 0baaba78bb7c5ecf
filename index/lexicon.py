"""The lexical index: the chunks, their terms and a copy of their vectors, in SQLite; derived from the store.

It can be deleted and rebuilt with the same results. It is also what makes a sync visible: a chunk
counts once it stands here, and a reader that holds one connection's snapshot sees a whole version.
"""

from __future__ import annotations

import sqlite3
import threading
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from heapq import nlargest
from itertools import chain, groupby, islice
from pathlib import Path
from typing import Any

from index import postings
from index.documents import Chunk
from index.embedding import Embedded, Vectors
from index.sentences import Kind, Sentence, find_chunk_sentences
from index.terms import choose_query_terms, find_phrases, find_query_terms, find_terms, holds_phrase

_SCHEMA = """
CREATE TABLE documents (
    document_id TEXT PRIMARY KEY, path TEXT NOT NULL, title TEXT NOT NULL, date TEXT, pages TEXT NOT NULL,
    content_hash TEXT NOT NULL, size_bytes INTEGER NOT NULL, modified_ns INTEGER NOT NULL, chunk_count INTEGER NOT NULL
);
CREATE TABLE chunks (
    number INTEGER PRIMARY KEY AUTOINCREMENT, chunk_id TEXT NOT NULL UNIQUE, document_id TEXT NOT NULL,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, text TEXT NOT NULL, spans BLOB NOT NULL, length INTEGER NOT NULL
);
CREATE INDEX chunks_of_document ON chunks (document_id, start);
CREATE INDEX documents_by_content ON documents (content_hash);
CREATE TABLE vectors (chunk_id TEXT PRIMARY KEY, sentences BLOB, vector BLOB NOT NULL);
CREATE TABLE state (whole INTEGER NOT NULL, read INTEGER NOT NULL);
CREATE TABLE pending (document_id TEXT PRIMARY KEY);
CREATE TABLE skipped (
    path TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL, modified_ns INTEGER NOT NULL, reason TEXT NOT NULL
);
"""
SCHEMA_VERSION = 5  # also of the rules of `terms` and `sentences`, since what they find is kept
MAPPED_BYTES = 2_000_000_000  # of the file, that is read where the system has it, without a copy for each thread
MOST_QUOTED = 300  # chunks whose words are compared with a phrase in quotation marks
SEGMENT_CHUNKS = 1000  # at most that the terms of are gathered in memory
_KINDS: tuple[Kind, ...] = ("prose", "heading", "boilerplate")


@dataclass(frozen=True, slots=True)
class Record:
    """What the store remembers of a document, besides its chunks."""

    document_id: str
    path: str
    title: str
    date: str | None
    pages: tuple[int, ...]
    content_hash: str
    size_bytes: int
    modified_ns: int
    chunk_count: int


class Lexicon:
    """One SQLite file. Each thread has a connection of its own."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._local = threading.local()

    def is_usable(self) -> bool:
        """Whether the file is there, has our schema and holds all of the store."""
        try:
            connection = self._connection()
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            row = connection.execute("SELECT whole FROM state").fetchone() if version == SCHEMA_VERSION else None
        except sqlite3.DatabaseError:
            return False
        return bool(row and row[0])

    def create(self) -> None:
        """Start afresh, empty and marked as not whole; whoever has the file open sees that too."""
        try:
            self._empty()
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError:
            # Damaged beyond emptying.
            self.close()
            for file in self._file.parent.glob(f"{self._file.name}*"):
                file.unlink()
            self._empty()

    def _empty(self) -> None:
        connection = self._connection()
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            for (name,) in connection.execute(
                # Virtual tables, which earlier versions had, take others with them.
                "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' "
                "ORDER BY sql NOT LIKE '%fts5vocab%', sql NOT LIKE 'CREATE VIRTUAL%'"
            ).fetchall():
                connection.execute(f"DROP TABLE IF EXISTS {name}")
            for statement in _SCHEMA.split(";\n"):
                connection.execute(statement)
            postings.create(connection)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.execute("INSERT INTO state VALUES (0, 1)")

    def mark(self, *, whole: bool) -> None:
        """Say whether the lexicon holds all of the store: while it is being made anew it does not."""
        with self._connection() as connection:
            connection.execute("UPDATE state SET whole = ?", (whole,))

    # -- writing ------------------------------------------------------------------------------

    def announce(self, document_ids: Iterable[str]) -> None:
        """Note what is about to be written, so that a writer killed in the middle is noticed by the next."""
        with self._connection() as connection:
            connection.executemany("INSERT OR IGNORE INTO pending VALUES (?)", [(i,) for i in document_ids])

    def pending(self) -> list[str]:
        """The documents that were announced and not yet made visible."""
        return [row[0] for row in self._connection().execute("SELECT document_id FROM pending")]

    def settle(self, document_ids: Iterable[str]) -> None:
        """Take documents off the list of pending ones."""
        with self._connection() as connection:
            connection.executemany("DELETE FROM pending WHERE document_id = ?", [(i,) for i in document_ids])

    def put(self, versions: Iterable[tuple[Record, Iterable[Chunk]]], embedded: Mapping[str, Embedded]) -> None:
        """Make several documents' versions visible in place of any older ones, all at once.

        embedded: what the embedding made of their first chunks, by chunk id; `put_embedded` took that of the others.
        """
        with self._connection() as connection:
            versions = list(versions)
            self._drop(connection, [record.document_id for record, _ in versions])
            for record, _ in versions:
                self._insert_record(connection, record)
            self._add_chunks(connection, versions)
            self._put_embedded(connection, embedded)

    def put_embedded(self, embedded: Mapping[str, Embedded]) -> None:
        """Note what the embedding made of chunks, by chunk id, whether or not the chunks are visible yet."""
        with self._connection() as connection:
            self._put_embedded(connection, embedded)

    def put_sentences(self, sentences: Mapping[str, bytes]) -> None:
        """Note the packed vectors of chunks' sentences, by chunk id, where they were wanting."""
        with self._connection() as connection:
            connection.executemany(
                "UPDATE vectors SET sentences = ? WHERE chunk_id = ?", [(packed, i) for i, packed in sentences.items()]
            )

    def drop_embedded(self, chunk_ids: Iterable[str]) -> None:
        """Forget what the embedding made of chunks that are gone."""
        with self._connection() as connection:
            connection.executemany("DELETE FROM vectors WHERE chunk_id = ?", [(i,) for i in chunk_ids])

    def drop_unused(self) -> None:
        """Forget what the embedding made of chunks that never became visible."""
        with self._connection() as connection:
            connection.execute("DELETE FROM vectors WHERE chunk_id NOT IN (SELECT chunk_id FROM chunks)")

    def mark_read(self) -> None:
        """Say that there are vectors for the sentences of every chunk again: in a lexicon made anew there are none."""
        with self._connection() as connection:
            connection.execute("UPDATE state SET read = 1")

    def fill(self, records: Mapping[str, Record], chunks: Iterable[Chunk], embedded: Mapping[str, Embedded]) -> None:
        """Add rows to a lexicon that is being made anew: chunks in any order, of the documents given by id."""
        with self._connection() as connection:
            self._put_embedded(connection, embedded)
            parts = groupby(chunks, key=lambda chunk: chunk.document_id)
            self._add_chunks(connection, ((records[document_id], members) for document_id, members in parts))

    def add_records(self, records: Iterable[Record]) -> None:
        """Add the records of a lexicon that is being made anew."""
        with self._connection() as connection:
            for record in records:
                self._insert_record(connection, record)

    def remove(self, document_ids: Iterable[str]) -> None:
        """Take documents out of sight."""
        with self._connection() as connection:
            self._drop(connection, document_ids)

    def touch(self, document_id: str, size_bytes: int, modified_ns: int) -> None:
        """Record that a file was rewritten with the same content."""
        with self._connection() as connection:
            connection.execute(
                "UPDATE documents SET size_bytes = ?, modified_ns = ? WHERE document_id = ?",
                (size_bytes, modified_ns, document_id),
            )

    def remember_skipped(self, rows: Iterable[tuple[str, int, int, str]]) -> None:
        """Replace what is known of files that cannot be read: path, size in bytes, time of change, reason."""
        with self._connection() as connection:
            connection.execute("DELETE FROM skipped")
            connection.executemany("INSERT INTO skipped VALUES (?, ?, ?, ?)", rows)

    def skipped(self) -> dict[str, tuple[int, int, str]]:
        """What was skipped by the last sync: size in bytes, time of change and reason, by path."""
        rows = self._connection().execute("SELECT path, size_bytes, modified_ns, reason FROM skipped")
        return {path: (size_bytes, modified_ns, reason) for path, size_bytes, modified_ns, reason in rows}

    @staticmethod
    def _put_embedded(connection: sqlite3.Connection, embedded: Mapping[str, Embedded]) -> None:
        import numpy as np

        connection.executemany(
            "INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)",
            [(i, row.sentences, np.asarray(row.vector, np.float32).tobytes()) for i, row in embedded.items()],
        )
        if any(row.sentences is None for row in embedded.values()):
            connection.execute("UPDATE state SET read = 0")

    @staticmethod
    def _insert_record(connection: sqlite3.Connection, record: Record) -> None:
        connection.execute(
            "INSERT INTO documents VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                record.document_id,
                record.path,
                record.title,
                record.date,
                " ".join(map(str, record.pages)),
                record.content_hash,
                record.size_bytes,
                record.modified_ns,
                record.chunk_count,
            ),
        )

    @staticmethod
    def _insert_chunks(
        connection: sqlite3.Connection, record: Record, chunks: Iterable[Chunk]
    ) -> Iterator[postings.Entry]:
        title = find_terms(record.title)
        for chunk in chunks:
            sentences = find_chunk_sentences(chunk.text)
            lines = [find_terms(chunk.text[s.start : s.end]) for s in sentences]
            length = sum(map(len, lines)) + len(title)
            number = connection.execute(
                'INSERT INTO chunks (chunk_id, document_id, start, "end", text, spans, length) '
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (chunk.id, chunk.document_id, chunk.start, chunk.end, chunk.text, _pack(sentences), length),
            ).lastrowid
            assert number is not None
            yield postings.Entry(number, lines, title, length)

    def _add_chunks(self, connection: sqlite3.Connection, versions: Iterable[tuple[Record, Iterable[Chunk]]]) -> None:
        entries = chain.from_iterable(self._insert_chunks(connection, record, chunks) for record, chunks in versions)
        while some := list(islice(entries, SEGMENT_CHUNKS)):
            postings.add(connection, some)

    @staticmethod
    def _drop(connection: sqlite3.Connection, document_ids: Iterable[str]) -> None:
        lengths: dict[int, int] = {}
        for document_id in document_ids:
            lengths |= connection.execute("SELECT number, length FROM chunks WHERE document_id = ?", (document_id,))
            connection.execute("DELETE FROM chunks WHERE document_id = ?", (document_id,))
            connection.execute("DELETE FROM documents WHERE document_id = ?", (document_id,))
        postings.drop(connection, lengths)

    # -- reading ------------------------------------------------------------------------------

    def records(self) -> list[Record]:
        """Every visible document, by path."""
        return [_to_record(row) for row in self._connection().execute("SELECT * FROM documents ORDER BY path")]

    def record(self, document_id: str) -> Record | None:
        """One visible document."""
        row = self._connection().execute("SELECT * FROM documents WHERE document_id = ?", (document_id,)).fetchone()
        return _to_record(row) if row else None

    def with_content(self, content_hash: str) -> Record | None:
        """A visible document of this content, whatever its path."""
        row = (
            self._connection()
            .execute("SELECT * FROM documents WHERE content_hash = ? LIMIT 1", (content_hash,))
            .fetchone()
        )
        return _to_record(row) if row else None

    def chunk_ids(self, document_id: str) -> list[str]:
        """The ids of one document's chunks, in order."""
        rows = self._connection().execute(
            "SELECT chunk_id FROM chunks WHERE document_id = ? ORDER BY start", (document_id,)
        )
        return [row[0] for row in rows]

    def first_and_last_chunk_ids(self) -> list[str]:
        """The ids of the chunks that were added first and last."""
        rows = self._connection().execute(
            "SELECT chunk_id FROM chunks "
            "WHERE number IN ((SELECT min(number) FROM chunks), (SELECT max(number) FROM chunks))"
        )
        return [row[0] for row in rows]

    def count_chunks(self) -> int:
        """How many chunks are visible."""
        return postings.count_chunks(self._connection())

    def numbers(self, ids: Iterable[str]) -> dict[str, int]:
        """Those of the named chunks that are visible, each with the number that stands for it in this version."""
        return dict(self._select("SELECT chunk_id, number FROM chunks WHERE chunk_id IN ({})", ids))

    def chunks(self, ids: Iterable[str]) -> dict[str, Chunk]:
        """Those of the named chunks that are visible, by id."""
        rows = self._select('SELECT chunk_id, document_id, start, "end", text FROM chunks WHERE chunk_id IN ({})', ids)
        return {row[0]: Chunk(*row) for row in rows}

    def chunks_of(self, document_id: str) -> list[Chunk]:
        """One document's chunks, in order; joined, their texts are the document's."""
        rows = self._connection().execute(
            'SELECT chunk_id, document_id, start, "end", text FROM chunks WHERE document_id = ? ORDER BY start',
            (document_id,),
        )
        return [Chunk(*row) for row in rows]

    def match(self, query: str) -> postings.Matches:
        """The chunks that share terms with the query."""
        return postings.Matches(self._connection(), find_query_terms(query)[:200])

    def quoted(self, query: str) -> set[int]:
        """The numbers of the chunks that hold a phrase which stands in quotation marks in the query, word by word."""
        held: set[int] = set()
        for phrase in find_phrases(query):
            together = postings.find_together(self._connection(), choose_query_terms(phrase))
            read = self.read(together[:MOST_QUOTED])
            held.update(
                number for number, (chunk, _, _) in read.items() if holds_phrase(find_terms(chunk.text), phrase)
            )
        return held

    def search(self, query: str, count: int) -> dict[str, float]:
        """The ids of the chunks that share terms with the query, best first, with their BM25 scores."""
        scores = self.match(query).best(count)
        rows = self._select("SELECT chunk_id, number FROM chunks WHERE number IN ({})", scores)
        return dict(sorted(((i, scores[number]) for i, number in rows), key=lambda row: (-row[1], row[0])))

    def read(self, numbers: Iterable[int]) -> dict[int, tuple[Chunk, Record, tuple[Sentence, ...]]]:
        """Chunks by number, each with its document's record and its sentences, whose offsets are the chunk's own."""
        rows = self._select(
            'SELECT number, chunk_id, document_id, start, "end", text, spans, documents.* '
            "FROM chunks JOIN documents USING (document_id) WHERE number IN ({})",
            numbers,
        )
        return {row[0]: (Chunk(*row[1:6]), _to_record(row[7:]), _unpack(row[6])) for row in rows}

    def is_read(self) -> bool:
        """Whether there are vectors for the sentences of every chunk."""
        return bool(self._connection().execute("SELECT read FROM state").fetchone()[0])

    def unread(self, count: int) -> list[Chunk]:
        """Some chunks, at most so many, whose sentences have no vectors."""
        rows = self._connection().execute(
            'SELECT chunk_id, document_id, start, "end", text FROM chunks '
            "WHERE chunk_id IN (SELECT chunk_id FROM vectors WHERE sentences IS NULL) ORDER BY number LIMIT ?",
            (count,),
        )
        return [Chunk(*row) for row in rows]

    def sentences(self, numbers: Iterable[int]) -> dict[int, bytes]:
        """The packed vectors of the sentences of chunks, by number, for those that have them."""
        rows = self._select(
            "SELECT number, sentences FROM chunks JOIN vectors USING (chunk_id) "
            "WHERE number IN ({}) AND sentences IS NOT NULL",
            numbers,
        )
        return dict(rows)

    def embedded(self, ids: Iterable[str]) -> dict[str, Embedded]:
        """What the embedding made of chunks, by chunk id, for those that it has seen."""
        import numpy as np

        rows = self._select("SELECT chunk_id, vector, sentences FROM vectors WHERE chunk_id IN ({})", ids)
        return {i: Embedded(np.frombuffer(vector, np.float32), sentences) for i, vector, sentences in rows}

    def nearest(self, vector: Vectors, count: int) -> dict[str, float]:
        """The ids of the chunks nearest to a unit vector, best first, with their cosine similarity; looks at all."""
        import numpy as np

        found: list[tuple[float, str]] = []
        for page in self.pages(1000):
            known = self.embedded(chunk.id for chunk in page)
            cosines = np.array([row.vector for row in known.values()]) @ vector
            found = nlargest(count, [*found, *zip(cosines.tolist(), known, strict=True)])
        return {chunk_id: cosine for cosine, chunk_id in found}

    def pages(self, size: int) -> Iterator[list[Chunk]]:
        """All visible chunks in the order in which they were added, so many at a time."""
        last = 0
        while rows := (
            self._connection()
            .execute(
                'SELECT number, chunk_id, document_id, start, "end", text FROM chunks '
                "WHERE number > ? ORDER BY number LIMIT ?",
                (last, size),
            )
            .fetchall()
        ):
            last = rows[-1][0]
            yield [Chunk(*row[1:]) for row in rows]

    def has_all_vectors(self) -> bool:
        """Whether each visible chunk has its vector here too."""
        row = self._connection().execute(
            "SELECT NOT EXISTS (SELECT 1 FROM chunks WHERE chunk_id NOT IN (SELECT chunk_id FROM vectors))"
        )
        return bool(row.fetchone()[0])

    def rarity(self, terms: Sequence[str]) -> dict[str, float]:
        """The inverse document frequency of each term over the chunks: 0 where every chunk has it."""
        return postings.rarity(self._connection(), terms)

    def _select(self, sql: str, values: Iterable[object]) -> sqlite3.Cursor:
        return postings.execute_with(self._connection(), sql, values)

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let every read inside see one and the same version, whatever is committed meanwhile."""
        connection = self._connection()
        if connection.in_transaction:
            yield
            return
        connection.execute("BEGIN")
        try:
            yield
        finally:
            connection.rollback()

    def close(self) -> None:
        """Close this thread's connection."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            del self._local.connection

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(self._file, timeout=30, check_same_thread=False)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")
            self._local.connection = connection
        return connection


def _pack(sentences: Sequence[Sentence]) -> bytes:
    return array("I", [value for s in sentences for value in (s.start, s.end, _KINDS.index(s.kind))]).tobytes()


def _unpack(packed: bytes) -> tuple[Sentence, ...]:
    values = iter(array("I", packed))
    return tuple(Sentence(start, end, _KINDS[kind]) for start, end, kind in zip(values, values, values, strict=True))


def _to_record(row: Sequence[Any]) -> Record:
    document_id, path, title, date, pages, *rest = row
    return Record(document_id, path, title, date, tuple(map(int, pages.split())), *rest)
