"""The record of each document, and the journal: what is being written, what was skipped, and whether all is here."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from index.documents import identify
from index.place import DamagedError
from index.storing.lexicon_file import LexiconFile, checksum

SCHEMA_VERSION = 11  # of the whole lexicon; also of the rules of `terms` and `sentences`, since what they find is kept
RECORD = (
    "document_id, path, title, date, pages, content_hash, size_bytes, modified_ns, chunk_count, unread, enclosed_count"
)
ORDERS = ("path", "title", "date", "size_bytes", "chunk_count")  # in which documents may be listed
# What is read of a table's row, and that it is as it was written: else it is no row but an error.
RECORD_IS_WHOLE = f"verify(documents.checksum, {RECORD})"
_values_of = attrgetter(*RECORD.split(", "))


@dataclass(frozen=True, slots=True)
class Record:
    """What the store remembers of a document, besides its chunks.

    size_bytes, modified_ns: of the file, also where the document is of a file within it.
    enclosed_count: how many documents are of files within it; without all of these, it is not whole.
    """

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
    enclosed_count: int = 0


def to_record(row: Sequence[Any]) -> Record:
    """The record that a row of RECORD says."""
    document_id, path, title, date, pages, *rest = row
    return Record(document_id, path, title, date, tuple(map(int, pages.split())), *rest)


class Records(LexiconFile):
    """The records of the documents that are visible, and the journal, in the lexicon's file."""

    _schema = """
CREATE TABLE documents (
    document_id TEXT PRIMARY KEY, path TEXT NOT NULL, title TEXT NOT NULL, date TEXT, pages TEXT NOT NULL,
    content_hash TEXT NOT NULL, size_bytes INTEGER NOT NULL, modified_ns INTEGER NOT NULL, chunk_count INTEGER NOT NULL,
    unread TEXT NOT NULL, enclosed_count INTEGER NOT NULL, checksum INTEGER NOT NULL
);
CREATE INDEX documents_by_content ON documents (content_hash);
CREATE TABLE state (whole INTEGER NOT NULL, read INTEGER NOT NULL, made_with TEXT NOT NULL, checksum INTEGER NOT NULL);
CREATE TABLE pending (document_id TEXT PRIMARY KEY);
CREATE TABLE skipped (
    path TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL, modified_ns INTEGER NOT NULL, reason TEXT NOT NULL
);
"""

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
            for statement in self._schema.split(";\n"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            connection.execute("INSERT INTO state VALUES (0, 1, ?1, checksum(?1))", (json.dumps(made_with),))

    def mark(self, *, whole: bool) -> None:
        """Say whether the lexicon holds all of the store: while it is being made anew it does not."""
        with self._writing() as connection:
            connection.execute("UPDATE state SET whole = ?", (whole,))

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

    def remember_skipped(self, rows: Iterable[tuple[str, int, int, str]]) -> None:
        """Replace what is known of files that cannot be read: path, size in bytes, time of change, reason."""
        with self._writing() as connection:
            connection.execute("DELETE FROM skipped")
            connection.executemany("INSERT INTO skipped VALUES (?, ?, ?, ?)", rows)

    def skipped(self) -> dict[str, tuple[int, int, str]]:
        """What was skipped by the last sync: size in bytes, time of change and reason, by path."""
        rows = self._rows("SELECT path, size_bytes, modified_ns, reason FROM skipped")
        return {path: (size_bytes, modified_ns, reason) for path, size_bytes, modified_ns, reason in rows}

    def records(self, *, verifies: bool = True) -> list[Record]:
        """Every visible document, by path; as they are found, in a third of the time, unless they are verified."""
        which = RECORD_IS_WHOLE if verifies else "1"
        rows = self._rows(f"SELECT {RECORD} FROM documents WHERE {which} ORDER BY path")
        return [to_record(row) for row in rows]

    def names(
        self, order: str = "path", *, is_descending: bool = False, start: int = 0, count: int = -1
    ) -> list[tuple[str, str, str]]:
        """The id, path and title of visible documents, in the order of one of ORDERS; what has none comes last.

        start, count: from which on, and how many; -1 for all.
        """
        if order not in ORDERS:
            raise ValueError(order)
        folds = "COLLATE NOCASE " if order == "title" else ""
        return [
            (document_id, path, title)
            for document_id, path, title in self._rows(
                f"SELECT document_id, path, title FROM documents ORDER BY {order} IS NULL, "
                f"{order} {folds}{'DESC' if is_descending else 'ASC'}, path LIMIT ? OFFSET ?",
                count,
                start,
            )
        ]

    def count_documents(self) -> int:
        """How many documents are visible."""
        return int(self._rows("SELECT count(*) FROM documents")[0][0])

    def records_of(self, document_ids: Sequence[str]) -> list[Record]:
        """Those of the documents that are visible, as they were asked for."""
        which = f"SELECT {RECORD} FROM documents WHERE {RECORD_IS_WHOLE} AND document_id IN ({{}})"
        found = {record.document_id: record for record in map(to_record, self._select(which, document_ids))}
        return [found[document_id] for document_id in document_ids if document_id in found]

    def record(self, document_id: str) -> Record | None:
        """One visible document."""
        return next(iter(self._records("document_id = ?", document_id)), None)

    def records_at(self, path: str) -> list[Record]:
        """The visible document of a file, and those of what lies in it, by path."""
        record = self.record(identify(path))
        if record is None:
            return []
        # "0" is what follows "/".
        within = "path > ? || '/' AND path < ? || '0' ORDER BY path"
        return [record, *(self._records(within, path, path) if record.enclosed_count else ())]

    def with_content(self, content_hash: str) -> Record | None:
        """A visible document of this content, whatever its path."""
        return next(iter(self._records("content_hash = ? LIMIT 1", content_hash)), None)

    def _records(self, which: str, *values: object) -> list[Record]:
        rows = self._rows(f"SELECT {RECORD} FROM documents WHERE {RECORD_IS_WHOLE} AND {which}", *values)
        return [to_record(row) for row in rows]

    def add_records(self, records: Iterable[Record]) -> None:
        """Add the records of a lexicon that is being made anew."""
        with self._writing() as connection:
            self._insert_records(connection, records)

    def touch(self, states: Iterable[tuple[str, int, int]]) -> None:
        """Record that files were rewritten with the same content: a document's id, and the file's size and time."""
        with self._writing() as connection:
            self._touch(connection, states)

    @staticmethod
    def _touch(connection: sqlite3.Connection, states: Iterable[tuple[str, int, int]]) -> None:
        record = RECORD.replace("size_bytes, modified_ns", "?2, ?3")
        connection.executemany(
            f"UPDATE documents SET size_bytes = ?2, modified_ns = ?3, checksum = checksum({record}) "
            f"WHERE document_id = ?1 AND {RECORD_IS_WHOLE}",
            states,
        )

    @staticmethod
    def _insert_records(connection: sqlite3.Connection, records: Iterable[Record]) -> None:
        for record in records:
            document_id, path, title, date, pages, *rest = _values_of(record)
            row = (document_id, path, title, date, " ".join(map(str, pages)), *rest)
            connection.execute(f"INSERT INTO documents VALUES ({'?, ' * len(row)} ?)", (*row, checksum(*row)))
