"""The chunks of the visible documents, with the sentences of each."""

from __future__ import annotations

import json
import sqlite3
import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from index.documents import Chunk
from index.splitting.outline import Head
from index.splitting.sentences import KINDS, Sentence
from index.splitting.terms import find_terms
from index.storing.lexicon_file import checksum
from index.storing.postings import Entry
from index.storing.records import RECORD, RECORD_IS_WHOLE, Record, Records, to_record

CHUNK = 'chunk_id, document_id, start, "end", text, spans, above'
CHUNK_IS_WHOLE = f"verify(chunks.checksum, {CHUNK})"
# The chunks of documents whose ids are given as JSON: a statement takes only so many values one by one.
OF_DOCUMENTS = "(SELECT value AS document_id FROM json_each(?)) CROSS JOIN chunks USING (document_id)"
_KINDS = {kind: number for number, kind in enumerate(KINDS)}
_CHUNK_COLUMNS = CHUNK.count(",") + 1


class Copy(NamedTuple):
    """Where a chunk stands, and what it has in common with its copies elsewhere."""

    path: str
    start: int
    title: str
    content_hash: str


class Chunks(Records):
    """The chunks, each with a number that stands for it in this version of its document alone."""

    _schema = f"""{Records._schema}
CREATE TABLE chunks (
    number INTEGER PRIMARY KEY AUTOINCREMENT, chunk_id TEXT NOT NULL UNIQUE, document_id TEXT NOT NULL,
    start INTEGER NOT NULL, "end" INTEGER NOT NULL, text TEXT NOT NULL, spans BLOB NOT NULL, above TEXT NOT NULL,
    length INTEGER NOT NULL, chance INTEGER NOT NULL, checksum INTEGER NOT NULL
);
CREATE INDEX chunks_of_document ON chunks (document_id, start);
CREATE INDEX chunks_by_chance ON chunks (chance, chunk_id);
"""

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

    def numbers(self, ids: Iterable[str]) -> dict[str, int]:
        """Those of the named chunks that are visible, each with the number that stands for it in this version."""
        return dict(self._select("SELECT chunk_id, number FROM chunks WHERE chunk_id IN ({})", ids))

    def numbers_of(self, document_ids: Iterable[str]) -> list[int]:
        """The numbers of the chunks of documents."""
        return [number for (number,) in self._rows(f"SELECT number FROM {OF_DOCUMENTS}", json.dumps([*document_ids]))]

    def numbers_holding(self, text: str, count: int, documents: Iterable[str] | None = None) -> list[int]:
        """The numbers of some chunks, at most so many, that hold a text character for character; looks at all.

        documents: the ids of those that they are of; all by default.
        """
        chunks, given = ("chunks", []) if documents is None else (OF_DOCUMENTS, [json.dumps([*documents])])
        rows = self._rows(f"SELECT number FROM {chunks} WHERE instr(text, ?) LIMIT ?", *given, text, count)
        return [number for (number,) in rows]

    def numbers_by_chance(
        self, count: int, *, begin: bool = False, turn: int = 0, documents: Iterable[str] | None = None
    ) -> list[int]:
        """The numbers of some visible chunks, by chance, but the same whatever came before.

        begin: only of such as begin a document. turn: which so many, from 0; after the last come none. documents: the
        ids of those that they are of; all by default.
        """
        chunks, given = ("chunks", []) if documents is None else (OF_DOCUMENTS, [json.dumps([*documents])])
        begins = "WHERE chunk_id = document_id" if begin else ""
        rows = self._rows(
            f"SELECT number FROM {chunks} {begins} ORDER BY chance, chunk_id LIMIT ? OFFSET ?",
            *given,
            count,
            turn * count,
        )
        return [number for (number,) in rows]

    def count_joined(self) -> dict[str, int]:
        """How many chunks each document has, by its id, of those whose chunks join to one text."""
        return dict(
            self._rows(
                "SELECT document_id, count(*) FROM (SELECT document_id, start, "
                'lag("end", 1, 0) OVER (PARTITION BY document_id ORDER BY start) AS before FROM chunks) '
                "GROUP BY document_id HAVING sum(start != before) = 0"
            )
        )

    def chunks(self, ids: Iterable[str], *, verifies: bool = True) -> dict[str, Chunk]:
        """Those of the named chunks that are visible, by id; as they are found, unless they are verified."""
        which = CHUNK_IS_WHOLE if verifies else "1"
        rows = self._select(f"SELECT {CHUNK} FROM chunks WHERE chunk_id IN ({{}}) AND {which}", ids)
        return {row[0]: _to_chunk(row) for row in rows}

    def chunks_of(self, document_id: str, start: int = 0, end: int | None = None) -> list[Chunk]:
        """One document's chunks, in order; joined, their texts are the document's. Those from one offset to another."""
        # From the last one that begins no later, which the index finds at once, however long the document is.
        first = "SELECT max(start) FROM chunks WHERE document_id = ?1 AND start <= ?2"
        return self._chunks(
            f'document_id = ?1 AND start >= coalesce(({first}), 0) AND "end" > ?2 AND start < ?3 ORDER BY start',
            document_id,
            start,
            sys.maxsize if end is None else end,
        )

    def count_characters(self, document_id: str) -> int:
        """How long one document's text is."""
        rows = self._rows(
            'SELECT "end" FROM chunks WHERE document_id = ? ORDER BY start DESC LIMIT 1',
            document_id,
        )
        return int(rows[0][0]) if rows else 0

    def _chunks(self, which: str, *values: object) -> list[Chunk]:
        rows = self._rows(f"SELECT {CHUNK} FROM chunks WHERE {CHUNK_IS_WHOLE} AND {which}", *values)
        return [_to_chunk(row) for row in rows]

    def pages(self, size: int) -> Iterator[list[Chunk]]:
        """All visible chunks in the order in which they were added, so many at a time."""
        last = 0
        while rows := self._rows(
            f"SELECT number, {CHUNK} FROM chunks WHERE number > ? AND {CHUNK_IS_WHOLE} ORDER BY number LIMIT ?",
            last,
            size,
        ):
            last = rows[-1][0]
            yield [_to_chunk(row[1:]) for row in rows]

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

    def read(self, numbers: Iterable[int]) -> dict[int, tuple[Chunk, Record]]:
        """Chunks by number, each with its document's record."""
        wanted = [*numbers]
        rows = self._select(
            f"SELECT number, {CHUNK}, {RECORD} FROM chunks JOIN documents USING (document_id) "
            f"WHERE number IN ({{}}) AND {CHUNK_IS_WHOLE} AND {RECORD_IS_WHOLE}",
            wanted,
        )
        if len(rows) < len(wanted):
            raise self._note_damage("a chunk is missing")
        parted = 1 + _CHUNK_COLUMNS
        return {row[0]: (_to_chunk(row[1:parted]), to_record(row[parted:])) for row in rows}

    @staticmethod
    def _insert_chunks(connection: sqlite3.Connection, record: Record, chunks: Iterable[Chunk]) -> Iterator[Entry]:
        """Insert chunks of one document as the entries are asked for that the postings are to have of them."""
        name = find_terms(f"{record.title}\n{PurePosixPath(record.path).with_suffix('')}")
        for chunk in chunks:
            lines = [find_terms(chunk.text[s.start : s.end]) for s in chunk.sentences]
            above = find_terms("\n".join(head.words for head in chunk.above))
            length = sum(map(len, (*lines, name, above)))
            row = (chunk.id, chunk.document_id, chunk.start, chunk.end, chunk.text, *_pack(chunk))
            number = connection.execute(
                f"INSERT INTO chunks ({CHUNK}, length, chance, checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*row, length, checksum(chunk.id), checksum(*row)),
            ).lastrowid
            assert number is not None
            yield Entry(number, lines, name, above, length)

    @staticmethod
    def _delete(connection: sqlite3.Connection, document_ids: Iterable[str]) -> dict[int, int]:
        """Delete documents with their chunks; how many terms each chunk has, by number."""
        lengths: dict[int, int] = {}
        for document_id in document_ids:
            lengths |= connection.execute("SELECT number, length FROM chunks WHERE document_id = ?", (document_id,))
            connection.execute("DELETE FROM chunks WHERE document_id = ?", (document_id,))
            connection.execute("DELETE FROM documents WHERE document_id = ?", (document_id,))
        return lengths


def _pack(chunk: Chunk) -> tuple[bytes, str]:
    """A chunk's sentences, and what stands above the first: a line for each, with its level."""
    spans = array("I", [value for s in chunk.sentences for value in (s.start, s.end, _KINDS[s.kind], s.level)])
    return spans.tobytes(), "\n".join(f"{head.level} {head.words}" for head in chunk.above)


def _to_chunk(row: Sequence[Any]) -> Chunk:
    """The chunk that a row of CHUNK says."""
    chunk_id, document_id, start, end, text, packed, above = row
    numbers = iter(array("I", packed))
    sentences = tuple(
        Sentence(begin, stop, KINDS[kind], level)
        for begin, stop, kind, level in zip(numbers, numbers, numbers, numbers, strict=True)
    )
    heads = (line.split(" ", 1) for line in above.split("\n") if line)
    above = tuple(Head(int(level), words) for level, words in heads)
    return Chunk(chunk_id, document_id, start, end, text, sentences, above)
