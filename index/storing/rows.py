"""A store's rows: what one is, and what the store asks of whatever keeps them.

A row is a chunk: its id, its text, its vector and its fields. That of a document's first chunk carries the document's
record besides.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Protocol

from index.documents import Chunk
from index.embedding.protocol import Embedded, Vectors
from index.splitting.outline import Head, Heads
from index.splitting.sentences import Sentence
from index.storing.records import Record

PAGE_ROWS = 500  # that are read, written or deleted at a time

Fields = Mapping[str, str | int]
Page = Mapping[str, Sequence[Any]]  # columns of equal length: "ids", and those that were asked for


class RowsFailedError(Exception):
    """The rows cannot be had or written, since what keeps them does not hold what it should."""


class Rows(Protocol):
    """All rows of one store. Their columns are "metadatas" (the fields), "documents" (the texts) and "embeddings".

    Each method raises NoRoomError where the disk is full or failing, and RowsFailedError where anything else is wrong.
    A query needs the keeper's `searching` around it, whatever writes its `saving`; what reads keeps others away by
    itself where it has to. Nobody writes, or reads what is about to be written, but who is `holding` the store.
    """

    def made_with(self) -> list[Mapping[str, Any]]:
        """What the rows were made with, as often as that is kept."""

    def count(self) -> int:
        """How many rows there are; fails where vectors have been lost."""

    def get(
        self,
        ids: Sequence[str] | None = None,
        *,
        include: Sequence[str],
        where: Mapping[str, str] | None = None,
        in_order: bool = False,
    ) -> Page:
        """The rows of some ids, as far as there are any, or those whose fields are as `where` says; in any order.

        in_order: one call after the other asks for what was written after that of the call before.
        """

    def pages(self, size: int, include: Sequence[str]) -> Iterator[Page]:
        """All rows, at most so many at a time."""

    def query(self, vector: Vectors, count: int) -> dict[str, float]:
        """The ids of the rows nearest to a vector, nearest first, with their distance: 1 less the cosine."""

    def findable(self, vectors: Mapping[str, Vectors]) -> set[str]:
        """Those of some rows, by id with their vectors, that a search for these finds, or others of the same vector.

        Needs what a query needs.
        """

    def upsert(self, ids: Sequence[str], *, new: AbstractSet[str] = frozenset(), **columns: Sequence[Any]) -> None:
        """Write whole rows, in place of those that have their ids. new: the ids that are known to have no row."""

    def update(self, ids: Sequence[str], metadatas: Sequence[Fields]) -> None:
        """Change some fields of rows."""

    def delete(self, ids: Sequence[str]) -> None:
        """Delete rows, as far as there are any."""


def write(rows: Rows, chunks: Sequence[tuple[Record, Chunk, Embedded]], new: AbstractSet[str]) -> None:
    """Write chunks as rows; see `Rows.upsert`."""
    rows.upsert(
        [chunk.id for _, chunk, _ in chunks],
        new=new,
        embeddings=[embedded.vector for _, _, embedded in chunks],
        metadatas=[_to_fields(record, chunk) for record, chunk, _ in chunks],
        documents=[chunk.text for _, chunk, _ in chunks],
    )


def read_chunks(rows: Rows, chunk_ids: Sequence[str], *, in_order: bool = False) -> Iterator[Chunk]:
    """Chunks as the rows have them, some at a time, so that a long document needs no memory; see `Rows.get`."""
    for i in range(0, len(chunk_ids), PAGE_ROWS):
        page = rows.get(chunk_ids[i : i + PAGE_ROWS], include=["metadatas", "documents"], in_order=in_order)
        yield from sorted(to_chunks(page), key=lambda chunk: chunk.start)


def read_vectors(rows: Rows, chunk_ids: Sequence[str]) -> dict[str, Vectors]:
    """The vectors of chunks, by id."""
    if not chunk_ids:
        return {}
    page = rows.get(chunk_ids, include=["embeddings"])
    return dict(zip(page["ids"], page["embeddings"], strict=True))


def _to_fields(record: Record, chunk: Chunk) -> Fields:
    fields: dict[str, str | int] = {
        "document_id": record.document_id,
        "path": record.path,
        "content_hash": record.content_hash,
        "start": chunk.start,
        "end": chunk.end,
        "parts": write_parts(chunk),
    }
    if chunk.id == record.document_id:
        fields |= {
            "title": record.title,
            "date": record.date or "",
            "size_bytes": record.size_bytes,
            "modified_ns": record.modified_ns,
            "chunk_count": record.chunk_count,
            "pages": json.dumps(record.pages),
            "unread": record.unread,
            "enclosed_count": record.enclosed_count,
        }
    return fields


def write_parts(chunk: Chunk) -> str:
    """A chunk's sentences, and what stands above the first, as JSON."""
    sentences = [(s.start, s.end, s.kind, s.level) for s in chunk.sentences]
    above = [(head.level, head.words) for head in chunk.above]
    return json.dumps((sentences, above), ensure_ascii=False, separators=(",", ":"))


def read_parts(written: str) -> tuple[tuple[Sentence, ...], Heads]:
    """What `write_parts` wrote."""
    sentences, above = json.loads(written)
    return tuple(Sentence(*values) for values in sentences), tuple(Head(*values) for values in above)


def to_record(fields: Mapping[str, Any]) -> Record:
    """The record that the row of a document's first chunk carries."""
    return Record(
        fields["document_id"],
        fields["path"],
        fields["title"],
        fields["date"] or None,
        tuple(json.loads(fields["pages"])),
        fields["content_hash"],
        fields["size_bytes"],
        fields["modified_ns"],
        fields["chunk_count"],
        fields["unread"],
        fields["enclosed_count"],
    )


def to_chunks(page: Page) -> list[Chunk]:
    """The chunks of a page that has fields and texts."""
    return [
        Chunk(chunk_id, fields["document_id"], fields["start"], fields["end"], text, *read_parts(fields["parts"]))
        for chunk_id, fields, text in zip(page["ids"], page["metadatas"], page["documents"], strict=True)
        if "start" in fields  # else it is no row of ours
    ]
