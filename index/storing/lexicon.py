"""The lexical index: the chunks, their terms and a copy of their vectors, in SQLite; derived from the store.

It can be deleted and rebuilt with the same results. It is also what makes a sync visible: a chunk
counts once it stands here, and a reader that holds one connection's snapshot sees a whole version.

It stands on the `chunks`, these on the `records`, these on the `lexicon_file`; each brings its own tables.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from heapq import nlargest
from itertools import chain, groupby, islice, starmap
from typing import TYPE_CHECKING

from index.documents import Chunk
from index.embedding.protocol import Embedded, Vectors
from index.place import DamagedError
from index.splitting.languages import find_running_language
from index.splitting.terms import choose_query_terms, find_phrases, find_terms, holds_phrase
from index.storing import postings
from index.storing.chunks import CHUNK, OF_DOCUMENTS, Chunks
from index.storing.lexicon_file import verify
from index.storing.records import RECORD, Record
from index.storing.relatives import find_relatives

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_PHRASES = 8  # in quotation marks, that are looked for
MOST_QUOTED = 300  # chunks whose words are compared with a phrase in quotation marks
SAMPLED_CHUNKS = 256  # enough to tell the mean of their cosines to a query, and how far these spread
READ_DOCUMENTS, READ_CHUNKS = 200, 100  # whose beginnings tell which languages the documents are in
READ_CHARACTERS = 1000  # of each
LEAST_WRITTEN = 0.02  # of these in a language: what is less may be a mistake
SEGMENT_CHUNKS = 1000  # at most that the terms of are gathered in memory
_EMBEDDED_IS_WHOLE = "verify(vectors.checksum, chunk_id, sentences, vector)"


class Lexicon(Chunks):
    """The chunks with what finds them: the postings of their terms, and their vectors, by chunk id."""

    _schema = f"""{Chunks._schema}
CREATE TABLE vectors (chunk_id TEXT PRIMARY KEY, sentences BLOB, vector BLOB NOT NULL, checksum INTEGER NOT NULL);
{postings.SCHEMA}"""

    def find_damage(self) -> str:
        """What is wrong with the file, "" where nothing is; reads all of it."""
        try:
            with self.snapshot(), self._reading() as connection:
                (told,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
                if told != "ok":
                    raise sqlite3.DatabaseError(told)
                for table, columns in (
                    ("chunks", CHUNK),
                    ("documents", RECORD),
                    ("vectors", "chunk_id, sentences, vector"),
                    ("postings", "term, places"),
                ):
                    # Not within a statement, since there an interrupt would be taken for damage.
                    count = sum(starmap(verify, connection.execute(f"SELECT checksum, {columns} FROM {table}")))
                    if table == "chunks" and count != postings.count_chunks(connection):
                        raise sqlite3.DatabaseError("chunks are missing")
        except DamagedError as error:
            return str(error)
        return ""

    def put(self, versions: Iterable[tuple[Record, Iterable[Chunk]]], embedded: Mapping[str, Embedded]) -> None:
        """Make several documents' versions visible in place of any older ones, all at once.

        embedded: what the embedding made of their first chunks, by chunk id; `put_embedded` took that of the others.
        """
        with self._writing() as connection:
            self._put(connection, list(versions), embedded)

    def _put(
        self,
        connection: sqlite3.Connection,
        versions: Sequence[tuple[Record, Iterable[Chunk]]],
        embedded: Mapping[str, Embedded],
    ) -> None:
        postings.drop(connection, self._delete(connection, [record.document_id for record, _ in versions]))
        self._insert_records(connection, (record for record, _ in versions))
        self._add_chunks(connection, versions)
        self._put_embedded(connection, embedded)

    def fill(self, records: Mapping[str, Record], chunks: Iterable[Chunk], embedded: Mapping[str, Embedded]) -> None:
        """Add rows to a lexicon that is being made anew: chunks in any order, of the documents given by id."""
        with self._writing() as connection:
            self._put_embedded(connection, embedded)
            parts = groupby(chunks, key=lambda chunk: chunk.document_id)
            self._add_chunks(connection, ((records[document_id], members) for document_id, members in parts))

    def remove(self, document_ids: Iterable[str]) -> None:
        """Take documents out of sight."""
        with self._writing() as connection:
            postings.drop(connection, self._delete(connection, document_ids))

    def _add_chunks(self, connection: sqlite3.Connection, versions: Iterable[tuple[Record, Iterable[Chunk]]]) -> None:
        entries = chain.from_iterable(self._insert_chunks(connection, record, chunks) for record, chunks in versions)
        while some := list(islice(entries, SEGMENT_CHUNKS)):
            postings.add(connection, some)

    # -- words --------------------------------------------------------------------------------

    def count_chunks(self) -> int:
        """How many chunks are visible."""
        with self._reading() as connection:
            return postings.count_chunks(connection)

    def state(self) -> tuple[int, int]:
        """What changes whenever the visible chunks do: the last number that one was given, and how many there are."""
        with self._reading() as connection:
            found = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'chunks'").fetchone()
            return (found[0] if found else 0), postings.count_chunks(connection)

    def rarity(self, terms: Sequence[str]) -> dict[str, float]:
        """The inverse document frequency of each term over the chunks: 0 where every chunk has it."""
        with self._reading() as connection:
            return postings.rarity(connection, terms)

    def match(
        self, query: str, spelled: Collection[str] = (), within: NDArray[np.int64] | None = None
    ) -> postings.Matches:
        """The chunks that share words with the query. spelled: words of it that are no typing errors.

        within: the numbers of the chunks that are searched; all by default.
        """
        with self._reading() as connection:
            return postings.Matches(connection, find_relatives(connection, query, spelled), within)

    def quoted(self, query: str, within: Collection[int] | None = None) -> set[int]:
        """The numbers of the chunks that hold a phrase which stands in quotation marks in the query, word by word."""
        held: set[int] = set()
        phrases = list(map(list, dict.fromkeys(map(tuple, find_phrases(query)))))
        for phrase in phrases[:MOST_PHRASES]:
            with self._reading() as connection:
                together = postings.find_together(connection, choose_query_terms(phrase))
            if within is not None:
                together = [number for number in together if number in within]
            read = self.read(together[:MOST_QUOTED])
            held.update(number for number, (chunk, _) in read.items() if holds_phrase(find_terms(chunk.text), phrase))
        return held

    def together(self, terms: Sequence[str]) -> list[int]:
        """The numbers of the chunks that hold all of the terms in one line; none where each stands too often."""
        with self._reading() as connection:
            return postings.find_together(connection, terms)

    def related(self, query: str, spelled: Collection[str] = ()) -> dict[str, dict[str, float]]:
        """For each term that a query is searched by those that count as it, and how much: itself first, with 1.

        spelled: words of it that are no typing errors.
        """
        with self._reading() as connection:
            return {next(iter(found)): found for found in find_relatives(connection, query, spelled)}

    def search(self, query: str, count: int) -> dict[str, float]:
        """The ids of the chunks that share terms with the query, best first, with their BM25 scores."""
        scores = self.match(query).best(count)
        rows = self._select("SELECT chunk_id, number FROM chunks WHERE number IN ({})", scores)
        return dict(sorted(((i, scores[number]) for i, number in rows), key=lambda row: (-row[1], row[0])))

    # -- vectors ------------------------------------------------------------------------------

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

    @staticmethod
    def _put_embedded(connection: sqlite3.Connection, embedded: Mapping[str, Embedded]) -> None:
        import numpy as np

        connection.executemany(
            "INSERT OR REPLACE INTO vectors VALUES (?1, ?2, ?3, checksum(?1, ?2, ?3))",
            [(i, row.sentences, np.asarray(row.vector, np.float32).tobytes()) for i, row in embedded.items()],
        )
        if any(row.sentences is None for row in embedded.values()):
            connection.execute("UPDATE state SET read = 0")

    def is_read(self) -> bool:
        """Whether there are vectors for the sentences of every chunk."""
        return bool(self._state("read"))

    def mark_read(self) -> None:
        """Say that there are vectors for the sentences of every chunk again: in a lexicon made anew there are none."""
        with self._writing() as connection:
            connection.execute("UPDATE state SET read = 1")

    def unread(self, count: int) -> list[Chunk]:
        """Some chunks, at most so many, whose sentences have no vectors."""
        unread = "SELECT chunk_id FROM vectors WHERE sentences IS NULL"
        return self._chunks(f"chunk_id IN ({unread}) ORDER BY number LIMIT ?", count)

    def has_all_vectors(self) -> bool:
        """Whether each visible chunk has its vector here too."""
        [(has_all,)] = self._rows(
            "SELECT NOT EXISTS (SELECT 1 FROM chunks WHERE chunk_id NOT IN (SELECT chunk_id FROM vectors))"
        )
        return bool(has_all)

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

    def dimensions(self) -> int:
        """How many numbers a vector has; 0 where there is none yet."""
        with self._reading() as connection:
            found = connection.execute(f"SELECT length(vector) FROM vectors WHERE {_EMBEDDED_IS_WHOLE} LIMIT 1")
            (size_bytes,) = found.fetchone() or (0,)
        return int(size_bytes) // 4

    def sample(self) -> Vectors:
        """The vectors of SAMPLED_CHUNKS visible chunks, one row each, by chance, but the same whatever came before."""
        import numpy as np

        with self._reading() as connection:
            (others_wrote,) = connection.execute("PRAGMA data_version").fetchone()
            version = (connection, others_wrote, connection.total_changes)
            known, vectors = getattr(self._local, "sampled", (None, np.zeros((0, 0), np.float32)))
            if known != version:
                rows = connection.execute(
                    "SELECT vector FROM chunks JOIN vectors USING (chunk_id) "
                    f"WHERE {_EMBEDDED_IS_WHOLE} ORDER BY chance, chunk_id LIMIT {SAMPLED_CHUNKS}"
                )
                vectors = np.array([np.frombuffer(vector, np.float32) for (vector,) in rows], np.float32)
                self._local.sampled = version, vectors
        sampled: Vectors = vectors
        return sampled

    def languages(self, documents: Collection[str] | None = None) -> tuple[str, ...]:
        """The languages that the documents are in, the most frequent first, as far as a sample of them tells.

        documents: the ids of those that are looked at; all by default.
        """
        ids = None if documents is None else json.dumps([*documents])
        with self._reading() as connection:
            (others_wrote,) = connection.execute("PRAGMA data_version").fetchone()
            version = (connection, others_wrote, connection.total_changes, ids)
            known, languages = getattr(self._local, "languages", (None, ()))
            if known != version:
                # The id of a document, which is that of its first chunk too, says nothing of what it holds.
                first = "SELECT document_id FROM documents" if ids is None else "SELECT value FROM json_each(?)"
                given = () if ids is None else (ids,)
                rows = connection.execute(
                    f"SELECT substr(text, 1, {READ_CHARACTERS}) FROM chunks WHERE chunk_id IN "
                    f"({first} ORDER BY 1 LIMIT {READ_DOCUMENTS})",
                    given,
                ).fetchall()
                rows += connection.execute(
                    f"SELECT substr(text, 1, {READ_CHARACTERS}) FROM {'chunks' if ids is None else OF_DOCUMENTS} "
                    f"ORDER BY chance, chunk_id LIMIT {READ_CHUNKS}",
                    given,
                )
                told = Counter(found for (text,) in rows if (found := find_running_language(text)))
                languages = tuple(name for name, count in told.most_common() if count >= LEAST_WRITTEN * told.total())
                self._local.languages = version, languages
        return tuple(languages)

    def nearest(self, vector: Vectors, count: int, documents: Collection[str] | None = None) -> dict[str, float]:
        """The ids of the chunks nearest to a unit vector, best first, with their cosine similarity; looks at all.

        documents: the ids of those whose chunks are looked at; all by default.
        """
        import numpy as np

        found: list[tuple[float, str]] = []
        with self._reading() as connection:
            rows = connection.execute(
                f"SELECT vector, chunk_id FROM chunks JOIN vectors USING (chunk_id) WHERE {_EMBEDDED_IS_WHOLE}"
                if documents is None
                else f"SELECT vector, chunk_id FROM {OF_DOCUMENTS} CROSS JOIN vectors USING (chunk_id) "
                f"WHERE {_EMBEDDED_IS_WHOLE}",
                () if documents is None else (json.dumps([*documents]),),
            )
            while page := rows.fetchmany(1000):
                vectors, ids = zip(*page, strict=True)
                cosines = np.frombuffer(b"".join(vectors), np.float32).reshape(len(ids), -1) @ vector
                found = nlargest(count, [*found, *zip(cosines.tolist(), ids, strict=True)])
        return {chunk_id: cosine for cosine, chunk_id in found}
