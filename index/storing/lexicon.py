"""The lexical index: the chunks, their terms and a copy of their vectors, in SQLite; derived from the store.

It can be deleted and rebuilt with the same results. It is also what makes a sync visible: a chunk
counts once it stands here, and a reader that holds one connection's snapshot sees a whole version.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from heapq import nlargest
from itertools import chain, groupby, islice
from typing import Any, NamedTuple

from index.documents import Chunk
from index.embedding.protocol import Embedded, Vectors
from index.place import DamagedError
from index.splitting.sentences import Kind, Sentence, find_chunk_sentences
from index.splitting.terms import choose_query_terms, find_phrases, find_query_terms, find_terms, holds_phrase
from index.storing import postings
from index.storing.lexicon_file import LexiconFile, checksum

_SCHEMA = """
CREATE TABLE documents (
    document_id TEXT PRIMARY KEY, path TEXT NOT NULL, title TEXT NOT NULL, date TEXT, pages TEXT NOT NULL,
    content_hash TEXT NOT NULL, size_bytes INTEGER NOT NULL, modified_ns INTEGER NOT NULL, chunk_count INTEGER NOT NULL,
    unread TEXT NOT NULL, checksum INTEGER NOT NULL
);
CREATE TABLE chunks (
    number INTEGER PRIMARY KEY AUTOINCREMENT, chunk_id TEXT NOT NULL UNIQUE, document_id TEXT NOT NULL,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, text TEXT NOT NULL, spans BLOB NOT NULL, length INTEGER NOT NULL,
    checksum INTEGER NOT NULL
);
CREATE INDEX chunks_of_document ON chunks (document_id, start);
CREATE INDEX documents_by_content ON documents (content_hash);
CREATE TABLE vectors (chunk_id TEXT PRIMARY KEY, sentences BLOB, vector BLOB NOT NULL, checksum INTEGER NOT NULL);
CREATE TABLE state (whole INTEGER NOT NULL, read INTEGER NOT NULL, made_with TEXT NOT NULL, checksum INTEGER NOT NULL);
CREATE TABLE pending (document_id TEXT PRIMARY KEY);
CREATE TABLE skipped (
    path TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL, modified_ns INTEGER NOT NULL, reason TEXT NOT NULL
);
"""
SCHEMA_VERSION = 7  # also of the rules of `terms` and `sentences`, since what they find is kept
MOST_QUOTED = 300  # chunks whose words are compared with a phrase in quotation marks
SEGMENT_CHUNKS = 1000  # at most that the terms of are gathered in memory
_KINDS: tuple[Kind, ...] = ("prose", "heading", "boilerplate")
_RECORD = "document_id, path, title, date, pages, content_hash, size_bytes, modified_ns, chunk_count, unread"
_CHUNK = 'chunk_id, document_id, start, "end", text'
_EMBEDDED = "chunk_id, sentences, vector"
# What is read of each table, and that it is as it was written: else it is no row but an error.
_CHUNK_IS_WHOLE = f"verify(chunks.checksum, {_CHUNK}, spans)"
_RECORD_IS_WHOLE = f"verify(documents.checksum, {_RECORD})"
_EMBEDDED_IS_WHOLE = f"verify(vectors.checksum, {_EMBEDDED})"


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
    unread: str = ""


class Copy(NamedTuple):
    """Where a chunk stands, and what it has in common with its copies elsewhere."""

    path: str
    start: int
    title: str
    content_hash: str


class Lexicon(LexiconFile):
    """The chunks of the documents, and what finds them."""

    def is_usable(self) -> bool:
        """Whether the file is there, has our schema, is not known to be damaged and holds all of the store."""
        self._reopen_replaced()
        try:
            return not self._is_damaged and bool(self._state("whole"))
        except DamagedError:
            return False

    def made_with(self) -> dict[str, str | int]:
        """What `create` was told of the store; of a lexicon that is usable."""
        made_with: dict[str, str | int] = json.loads(self._state("made_with"))
        return made_with

    def _state(self, column: str) -> Any:
        with self._reading() as connection:
            if connection.execute("PRAGMA user_version").fetchone()[0] != SCHEMA_VERSION:
                return None
            row = connection.execute(f"SELECT {column} FROM state WHERE verify(checksum, made_with)").fetchone()
            return row and row[0]

    def find_damage(self) -> str:
        """What is wrong with the file, "" where nothing is; reads all of it."""
        try:
            with self.snapshot(), self._reading() as connection:
                (told,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
                if told != "ok":
                    raise sqlite3.DatabaseError(told)
                for table, is_whole in (
                    ("chunks", _CHUNK_IS_WHOLE),
                    ("documents", _RECORD_IS_WHOLE),
                    ("vectors", _EMBEDDED_IS_WHOLE),
                    ("postings", "verify(checksum, term, places)"),
                ):
                    (count,) = connection.execute(f"SELECT count(*) FROM {table} WHERE {is_whole}").fetchone()
                    if table == "chunks" and count != postings.count_chunks(connection):
                        raise sqlite3.DatabaseError("chunks are missing")
        except DamagedError as error:
            return str(error)
        return ""

    def create(self, made_with: Mapping[str, str | int] | None = None) -> None:
        """Start afresh, empty and marked as not whole; whoever has the file open sees that too.

        made_with: what a store keeps to, for whoever opens it.
        """
        if not self._is_damaged:
            with suppress(DamagedError):
                self._empty(made_with)
                return
        self._remove_file()
        self._empty(made_with)

    def _empty(self, made_with: Mapping[str, str | int] | None) -> None:
        with self._writing() as connection:
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
            connection.execute("INSERT INTO state VALUES (0, 1, ?1, checksum(?1))", (json.dumps(made_with),))

    def mark(self, *, whole: bool) -> None:
        """Say whether the lexicon holds all of the store: while it is being made anew it does not."""
        with self._writing() as connection:
            connection.execute("UPDATE state SET whole = ?", (whole,))

    # -- writing ------------------------------------------------------------------------------

    def announce(self, document_ids: Iterable[str]) -> None:
        """Note what is about to be written, so that a writer killed in the middle is noticed by the next."""
        with self._writing() as connection:
            connection.executemany("INSERT OR IGNORE INTO pending VALUES (?)", [(i,) for i in document_ids])

    def pending(self) -> list[str]:
        """The documents that were announced and not yet made visible."""
        return [row[0] for row in self._rows("SELECT document_id FROM pending")]

    def settle(self, document_ids: Iterable[str]) -> None:
        """Take documents off the list of pending ones."""
        with self._writing() as connection:
            connection.executemany("DELETE FROM pending WHERE document_id = ?", [(i,) for i in document_ids])

    def put(self, versions: Iterable[tuple[Record, Iterable[Chunk]]], embedded: Mapping[str, Embedded]) -> None:
        """Make several documents' versions visible in place of any older ones, all at once.

        embedded: what the embedding made of their first chunks, by chunk id; `put_embedded` took that of the others.
        """
        with self._writing() as connection:
            versions = list(versions)
            self._drop(connection, [record.document_id for record, _ in versions])
            for record, _ in versions:
                self._insert_record(connection, record)
            self._add_chunks(connection, versions)
            self._put_embedded(connection, embedded)

    def put_embedded(self, embedded: Mapping[str, Embedded]) -> None:
        """Note what the embedding made of chunks, by chunk id, whether or not the chunks are visible yet."""
        with self._writing() as connection:
            self._put_embedded(connection, embedded)

    def put_sentences(self, sentences: Mapping[str, bytes]) -> None:
        """Note the packed vectors of chunks' sentences, by chunk id, where they were wanting."""
        with self._writing() as connection:
            connection.executemany(
                "UPDATE vectors SET sentences = ?1, checksum = checksum(chunk_id, ?1, vector) "
                f"WHERE chunk_id = ?2 AND {_EMBEDDED_IS_WHOLE}",
                [(packed, i) for i, packed in sentences.items()],
            )

    def drop_embedded(self, chunk_ids: Iterable[str]) -> None:
        """Forget what the embedding made of chunks that are gone."""
        with self._writing() as connection:
            connection.executemany("DELETE FROM vectors WHERE chunk_id = ?", [(i,) for i in chunk_ids])

    def drop_unused(self) -> None:
        """Forget what the embedding made of chunks that never became visible."""
        with self._writing() as connection:
            connection.execute("DELETE FROM vectors WHERE chunk_id NOT IN (SELECT chunk_id FROM chunks)")

    def mark_read(self) -> None:
        """Say that there are vectors for the sentences of every chunk again: in a lexicon made anew there are none."""
        with self._writing() as connection:
            connection.execute("UPDATE state SET read = 1")

    def fill(self, records: Mapping[str, Record], chunks: Iterable[Chunk], embedded: Mapping[str, Embedded]) -> None:
        """Add rows to a lexicon that is being made anew: chunks in any order, of the documents given by id."""
        with self._writing() as connection:
            self._put_embedded(connection, embedded)
            parts = groupby(chunks, key=lambda chunk: chunk.document_id)
            self._add_chunks(connection, ((records[document_id], members) for document_id, members in parts))

    def add_records(self, records: Iterable[Record]) -> None:
        """Add the records of a lexicon that is being made anew."""
        with self._writing() as connection:
            for record in records:
                self._insert_record(connection, record)

    def remove(self, document_ids: Iterable[str]) -> None:
        """Take documents out of sight."""
        with self._writing() as connection:
            self._drop(connection, document_ids)

    def touch(self, document_id: str, size_bytes: int, modified_ns: int) -> None:
        """Record that a file was rewritten with the same content."""
        with self._writing() as connection:
            record = _RECORD.replace("size_bytes, modified_ns", "?2, ?3")
            connection.execute(
                f"UPDATE documents SET size_bytes = ?2, modified_ns = ?3, checksum = checksum({record}) "
                f"WHERE document_id = ?1 AND {_RECORD_IS_WHOLE}",
                (document_id, size_bytes, modified_ns),
            )

    def remember_skipped(self, rows: Iterable[tuple[str, int, int, str]]) -> None:
        """Replace what is known of files that cannot be read: path, size in bytes, time of change, reason."""
        with self._writing() as connection:
            connection.execute("DELETE FROM skipped")
            connection.executemany("INSERT INTO skipped VALUES (?, ?, ?, ?)", rows)

    def skipped(self) -> dict[str, tuple[int, int, str]]:
        """What was skipped by the last sync: size in bytes, time of change and reason, by path."""
        rows = self._rows("SELECT path, size_bytes, modified_ns, reason FROM skipped")
        return {path: (size_bytes, modified_ns, reason) for path, size_bytes, modified_ns, reason in rows}

    @staticmethod
    def _put_embedded(connection: sqlite3.Connection, embedded: Mapping[str, Embedded]) -> None:
        import numpy as np

        connection.executemany(
            "INSERT OR REPLACE INTO vectors VALUES (?1, ?2, ?3, checksum(?1, ?2, ?3))",
            [(i, row.sentences, np.asarray(row.vector, np.float32).tobytes()) for i, row in embedded.items()],
        )
        if any(row.sentences is None for row in embedded.values()):
            connection.execute("UPDATE state SET read = 0")

    @staticmethod
    def _insert_record(connection: sqlite3.Connection, record: Record) -> None:
        row = (
            record.document_id,
            record.path,
            record.title,
            record.date,
            " ".join(map(str, record.pages)),
            record.content_hash,
            record.size_bytes,
            record.modified_ns,
            record.chunk_count,
            record.unread,
        )
        connection.execute(f"INSERT INTO documents VALUES ({'?, ' * len(row)} ?)", (*row, checksum(*row)))

    @staticmethod
    def _insert_chunks(
        connection: sqlite3.Connection, record: Record, chunks: Iterable[Chunk]
    ) -> Iterator[postings.Entry]:
        title = find_terms(record.title)
        for chunk in chunks:
            sentences = find_chunk_sentences(chunk.text)
            lines = [find_terms(chunk.text[s.start : s.end]) for s in sentences]
            length = sum(map(len, lines)) + len(title)
            row = (chunk.id, chunk.document_id, chunk.start, chunk.end, chunk.text, _pack(sentences))
            number = connection.execute(
                f"INSERT INTO chunks ({_CHUNK}, spans, length, checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (*row, length, checksum(*row)),
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

    def records(self, *, verifies: bool = True) -> list[Record]:
        """Every visible document, by path; as they are found, in a third of the time, unless they are verified."""
        which = _RECORD_IS_WHOLE if verifies else "1"
        rows = self._rows(f"SELECT {_RECORD} FROM documents WHERE {which} ORDER BY path")
        return [_to_record(row) for row in rows]

    def record(self, document_id: str) -> Record | None:
        """One visible document."""
        return next(iter(self._records("document_id = ?", document_id)), None)

    def with_content(self, content_hash: str) -> Record | None:
        """A visible document of this content, whatever its path."""
        return next(iter(self._records("content_hash = ? LIMIT 1", content_hash)), None)

    def _records(self, which: str, *values: object) -> list[Record]:
        rows = self._rows(f"SELECT {_RECORD} FROM documents WHERE {_RECORD_IS_WHOLE} AND {which}", *values)
        return [_to_record(row) for row in rows]

    def chunk_ids(self, document_id: str) -> list[str]:
        """The ids of one document's chunks, in order."""
        rows = self._rows("SELECT chunk_id FROM chunks WHERE document_id = ? ORDER BY start", document_id)
        return [row[0] for row in rows]

    def first_and_last_chunk_ids(self) -> list[str]:
        """The ids of the chunks that were added first and last."""
        rows = self._rows(
            "SELECT chunk_id FROM chunks "
            "WHERE number IN ((SELECT min(number) FROM chunks), (SELECT max(number) FROM chunks))"
        )
        return [row[0] for row in rows]

    def count_chunks(self) -> int:
        """How many chunks are visible."""
        with self._reading() as connection:
            return postings.count_chunks(connection)

    def numbers(self, ids: Iterable[str]) -> dict[str, int]:
        """Those of the named chunks that are visible, each with the number that stands for it in this version."""
        return dict(self._select("SELECT chunk_id, number FROM chunks WHERE chunk_id IN ({})", ids))

    def chunks(self, ids: Iterable[str]) -> dict[str, Chunk]:
        """Those of the named chunks that are visible, by id."""
        rows = self._select(f"SELECT {_CHUNK} FROM chunks WHERE chunk_id IN ({{}}) AND {_CHUNK_IS_WHOLE}", ids)
        return {row[0]: Chunk(*row) for row in rows}

    def chunks_of(self, document_id: str, start: int = 0, end: int | None = None) -> list[Chunk]:
        """One document's chunks, in order; joined, their texts are the document's. Those from one offset to another."""
        rows = self._rows(
            f"SELECT {_CHUNK} FROM chunks WHERE document_id = ? AND {_CHUNK_IS_WHOLE} "
            'AND "end" > ? AND start < ? ORDER BY start',
            document_id,
            start,
            sys.maxsize if end is None else end,
        )
        return [Chunk(*row) for row in rows]

    def copies(self, numbers: Iterable[int], most: int) -> dict[int, Copy]:
        """Those of the chunks, by number, whose document has copies, and the same chunks of these.

        Of documents of one content so many at most besides, the first by path.
        """
        wanted = [*numbers]
        copied = self._select(
            "SELECT number, path, chunks.start, title, content_hash FROM chunks JOIN documents USING (document_id) "
            "WHERE number IN ({}) AND EXISTS (SELECT 1 FROM documents AS other "
            "WHERE other.content_hash = documents.content_hash AND other.document_id != documents.document_id)",
            wanted,
        )
        copies = {row[0]: Copy(*row[1:]) for row in copied}
        for content_hash in {copy.content_hash for copy in copies.values()}:
            rows = self._select(
                "SELECT number, path, chunks.start, title, content_hash FROM "
                "(SELECT * FROM documents WHERE content_hash = ? ORDER BY path LIMIT ?) "
                "JOIN chunks USING (document_id) WHERE chunks.start IN ({})",
                {copy.start for copy in copies.values() if copy.content_hash == content_hash},
                content_hash,
                most,
            )
            copies |= {row[0]: Copy(*row[1:]) for row in rows}
        return copies

    def match(self, query: str) -> postings.Matches:
        """The chunks that share terms with the query."""
        with self._reading() as connection:
            return postings.Matches(connection, find_query_terms(query)[:200])

    def quoted(self, query: str) -> set[int]:
        """The numbers of the chunks that hold a phrase which stands in quotation marks in the query, word by word."""
        held: set[int] = set()
        for phrase in find_phrases(query):
            with self._reading() as connection:
                together = postings.find_together(connection, choose_query_terms(phrase))
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
        wanted = [*numbers]
        rows = self._select(
            f"SELECT number, {_CHUNK}, spans, {_RECORD} FROM chunks JOIN documents USING (document_id) "
            f"WHERE number IN ({{}}) AND {_CHUNK_IS_WHOLE} AND {_RECORD_IS_WHOLE}",
            wanted,
        )
        if len(rows) < len(wanted):
            raise self._note_damage("a chunk is missing")
        return {row[0]: (Chunk(*row[1:6]), _to_record(row[7:]), _unpack(row[6])) for row in rows}

    def is_read(self) -> bool:
        """Whether there are vectors for the sentences of every chunk."""
        return bool(self._state("read"))

    def unread(self, count: int) -> list[Chunk]:
        """Some chunks, at most so many, whose sentences have no vectors."""
        rows = self._rows(
            f"SELECT {_CHUNK} FROM chunks WHERE {_CHUNK_IS_WHOLE} "
            "AND chunk_id IN (SELECT chunk_id FROM vectors WHERE sentences IS NULL) ORDER BY number LIMIT ?",
            count,
        )
        return [Chunk(*row) for row in rows]

    def sentences(self, numbers: Iterable[int]) -> dict[int, bytes]:
        """The packed vectors of the sentences of chunks, by number, for those that have them."""
        rows = self._select(
            "SELECT number, sentences FROM chunks JOIN vectors USING (chunk_id) "
            f"WHERE number IN ({{}}) AND sentences IS NOT NULL AND {_EMBEDDED_IS_WHOLE}",
            numbers,
        )
        return dict(rows)

    def embedded(self, ids: Iterable[str]) -> dict[str, Embedded]:
        """What the embedding made of chunks, by chunk id, for those that it has seen."""
        import numpy as np

        rows = self._select(
            f"SELECT chunk_id, vector, sentences FROM vectors WHERE chunk_id IN ({{}}) AND {_EMBEDDED_IS_WHOLE}", ids
        )
        return {i: Embedded(np.frombuffer(vector, np.float32), sentences) for i, vector, sentences in rows}

    def nearest(self, vector: Vectors, count: int) -> dict[str, float]:
        """The ids of the chunks nearest to a unit vector, best first, with their cosine similarity; looks at all."""
        import numpy as np

        found: list[tuple[float, str]] = []
        with self._reading() as connection:
            rows = connection.execute(
                f"SELECT vector, chunk_id FROM chunks JOIN vectors USING (chunk_id) WHERE {_EMBEDDED_IS_WHOLE}"
            )
            while page := rows.fetchmany(1000):
                vectors, ids = zip(*page, strict=True)
                cosines = np.frombuffer(b"".join(vectors), np.float32).reshape(len(ids), -1) @ vector
                found = nlargest(count, [*found, *zip(cosines.tolist(), ids, strict=True)])
        return {chunk_id: cosine for cosine, chunk_id in found}

    def pages(self, size: int) -> Iterator[list[Chunk]]:
        """All visible chunks in the order in which they were added, so many at a time."""
        last = 0
        while rows := self._rows(
            f"SELECT number, {_CHUNK} FROM chunks WHERE number > ? AND {_CHUNK_IS_WHOLE} ORDER BY number LIMIT ?",
            last,
            size,
        ):
            last = rows[-1][0]
            yield [Chunk(*row[1:]) for row in rows]

    def has_all_vectors(self) -> bool:
        """Whether each visible chunk has its vector here too."""
        [(has_all,)] = self._rows(
            "SELECT NOT EXISTS (SELECT 1 FROM chunks WHERE chunk_id NOT IN (SELECT chunk_id FROM vectors))"
        )
        return bool(has_all)

    def rarity(self, terms: Sequence[str]) -> dict[str, float]:
        """The inverse document frequency of each term over the chunks: 0 where every chunk has it."""
        with self._reading() as connection:
            return postings.rarity(connection, terms)


def _pack(sentences: Sequence[Sentence]) -> bytes:
    return array("I", [value for s in sentences for value in (s.start, s.end, _KINDS.index(s.kind))]).tobytes()


def _unpack(packed: bytes) -> tuple[Sentence, ...]:
    values = iter(array("I", packed))
    return tuple(Sentence(start, end, _KINDS[kind]) for start, end, kind in zip(values, values, values, strict=True))


def _to_record(row: Sequence[Any]) -> Record:
    document_id, path, title, date, pages, *rest = row
    return Record(document_id, path, title, date, tuple(map(int, pages.split())), *rest)
