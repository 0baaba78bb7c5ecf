"""The lexicon of a shared store: what a machine holds of it, and up to which entry of the log it says the same.

All that a machine answers from lies here, also the vectors, so that it holds them once, and answers when the server is
away. Besides, it knows which entry made each document what it is, and which rows are its version's.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence

from index.documents import identify
from index.storing import postings
from index.storing.lexicon import Lexicon
from index.storing.records import Record
from index.storing.shared.changes import Change, read_row_id, row_id
from index.storing.shared.rows import Row

FIRST_GENERATION = 1


class Mirror(Lexicon):
    """A lexicon that follows a log."""

    _schema = f"""{Lexicon._schema.rstrip()}
CREATE TABLE sources (document_id TEXT PRIMARY KEY, number INTEGER NOT NULL, token TEXT NOT NULL);
CREATE INDEX sources_by_token ON sources (token);
CREATE TABLE followed (number INTEGER NOT NULL, generation INTEGER NOT NULL);
INSERT INTO followed VALUES (0, {FIRST_GENERATION});
"""

    def followed(self) -> tuple[int, int]:
        """Up to which entry of the log it says the same, and of which generation the rows are from there on."""
        [(number, generation)] = self._rows("SELECT number, generation FROM followed")
        return number, generation

    def numbers_of_entries(self, document_ids: Iterable[str]) -> dict[str, int]:
        """Which entry made each of some documents what it is; none for what was never there."""
        return dict(self._select("SELECT document_id, number FROM sources WHERE document_id IN ({})", document_ids))

    def all_numbers(self) -> dict[str, int]:
        """The same of all documents that ever were there."""
        return dict(self._rows("SELECT document_id, number FROM sources"))

    def tokens(self, document_ids: Iterable[str]) -> dict[str, str]:
        """What the ids of the rows of each of some visible documents begin with."""
        rows = self._select(
            "SELECT document_id, token FROM sources JOIN documents USING (document_id) WHERE document_id IN ({})",
            document_ids,
        )
        return dict(rows)

    def all_tokens(self) -> dict[str, str]:
        """The ids of all visible documents, by what the ids of their rows begin with."""
        return dict(self._rows("SELECT token, document_id FROM sources JOIN documents USING (document_id)"))

    def row_ids(self) -> Iterator[str]:
        """The ids of the rows of all visible documents."""
        for token, count in self._rows("SELECT token, chunk_count FROM sources JOIN documents USING (document_id)"):
            yield from (row_id(token, place) for place in range(count))

    def find_chunks(self, row_ids: Sequence[str]) -> dict[str, str]:
        """The ids of the visible chunks whose rows these are, by row id."""
        places = {written: read_row_id(written) for written in row_ids}
        tokens = {token for token, _ in places.values()}
        known = dict(self._select("SELECT token, document_id FROM sources WHERE token IN ({})", tokens))
        nth = (
            "SELECT chunk_id FROM chunks WHERE number = "
            "(SELECT number FROM chunks WHERE document_id = ? ORDER BY start LIMIT 1 OFFSET ?)"
        )
        found = {
            written: self._rows(nth, known[token], place)
            for written, (token, place) in places.items()
            if token in known
        }
        return {written: rows[0][0] for written, rows in found.items() if rows}

    def apply(
        self,
        stored: Sequence[tuple[int, Change, Sequence[Row]]],
        removed: Mapping[str, int],
        touched: Sequence[tuple[int, Change]] = (),
        skipped: Sequence[tuple[int, Change]] = (),
    ) -> None:
        """Make changes visible, all at once, each with the number of its entry.

        removed: by document id. skipped: of files, which have no document.
        """
        with self._writing() as connection:
            gone = [*removed, *(change.document_id for _, change in skipped)]
            versions = [(change.record, [chunk for chunk, _ in rows]) for _, change, rows in stored if change.record]
            self._drop_vectors(connection, [*gone, *(record.document_id for record, _ in versions)])
            postings.drop(connection, self._delete(connection, gone))
            self._put(connection, versions, {chunk.id: e for _, _, rows in stored for chunk, e in rows})
            self._touch(connection, [(c.document_id, c.size_bytes, c.modified_ns) for _, c in touched])
            self._note_sources(connection, [(c.document_id, number, c.token) for number, c, _ in stored])
            self._note_sources(connection, [(i, number, "") for i, number in removed.items()])
            self._note_sources(connection, [(c.document_id, number, "") for number, c in skipped])
            connection.executemany(
                "UPDATE sources SET number = ? WHERE document_id = ?", [(n, c.document_id) for n, c in touched]
            )
            known = {*removed, *(record.document_id for record, _ in versions)}
            read = [(path,) for (path,) in connection.execute("SELECT path FROM skipped") if identify(path) in known]
            connection.executemany("DELETE FROM skipped WHERE path = ?", read)
            connection.executemany(
                "INSERT OR REPLACE INTO skipped VALUES (?, ?, ?, ?)",
                [(c.path, c.size_bytes, c.modified_ns, c.reason) for _, c in skipped],
            )

    def note_followed(self, number: int, generation: int) -> None:
        """Say up to which entry it says the same."""
        with self._writing() as connection:
            connection.execute("UPDATE followed SET number = ?, generation = ?", (number, generation))

    @staticmethod
    def _note_sources(connection: sqlite3.Connection, sources: Iterable[tuple[str, int, str]]) -> None:
        connection.executemany("INSERT OR REPLACE INTO sources VALUES (?, ?, ?)", sources)

    @staticmethod
    def _drop_vectors(connection: sqlite3.Connection, document_ids: Iterable[str]) -> None:
        connection.executemany(
            "DELETE FROM vectors WHERE chunk_id IN (SELECT chunk_id FROM chunks WHERE document_id = ?)",
            [(i,) for i in document_ids],
        )


def record_of(change: Change) -> Record:
    """The record of a document that is stored."""
    assert change.record is not None
    return change.record
