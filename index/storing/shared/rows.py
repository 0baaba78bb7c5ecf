"""The rows of a shared store: chunks as a server has them, with all that a reader needs to hold what a writer holds.

Beside text and vector a row has the vectors of its sentences, so that nobody embeds again what another has. Rows are
written once and never changed: a document's next version has others.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import Any

from index.documents import Chunk
from index.embedding.protocol import Embedded, Vectors
from index.storing.lexicon import Lexicon
from index.storing.records import Record
from index.storing.rows import Page, read_parts, write_parts
from index.storing.shared.changes import cut, join, row_id
from index.storing.shared.server import PATIENCE_SECONDS, REQUEST_ROWS, Collection
from index.storing.versions import chunk_id

READ = ("metadatas", "documents", "embeddings")

Row = tuple[Chunk, Embedded]


class BrokenRowsError(Exception):
    """Rows of a version are missing, or are not as they were written."""


def write_rows(collection: Collection, rows: Sequence[tuple[str, Chunk, Embedded]]) -> None:
    """Write chunks, each by its row's id: of whatever versions, since a request costs the server more than a row."""
    for i in range(0, len(rows), REQUEST_ROWS):
        page = rows[i : i + REQUEST_ROWS]
        collection.upsert(
            [name for name, _, _ in page],
            embeddings=[embedded.vector for _, _, embedded in page],
            metadatas=[_to_fields(chunk, embedded) for _, chunk, embedded in page],
            documents=[chunk.text for _, chunk, _ in page],
        )


def copy_rows(lexicon: Lexicon, document_id: str, token: str) -> list[tuple[str, Chunk, Embedded]]:
    """What `write_rows` is to write of a document that a lexicon holds."""
    chunks = lexicon.chunks_of(document_id)
    known = lexicon.embedded(chunk.id for chunk in chunks)
    return [(row_id(token, n), chunk, known[chunk.id]) for n, chunk in enumerate(chunks) if chunk.id in known]


def find_rows(collection: Collection, token: str, places: Sequence[int]) -> dict[int, Embedded]:
    """Those of a version's chunks that are written already, by place, with what the embedding made of them."""
    found: dict[int, Embedded] = {}
    for i in range(0, len(places), REQUEST_ROWS):
        page = collection.get(
            [row_id(token, place) for place in places[i : i + REQUEST_ROWS]], include=["metadatas", "embeddings"]
        )
        for name, fields, vector in zip(page["ids"], page["metadatas"], page["embeddings"], strict=True):
            found[int(name.rpartition(":")[2])] = _to_embedded(fields, vector)
    return found


def read_rows(
    collection: Collection, versions: Sequence[tuple[Record, str]], patience_seconds: float = PATIENCE_SECONDS
) -> dict[str, list[Row]]:
    """All rows of some versions, in order, by document id; without those of which rows are missing or broken.

    versions: the record of each, and its token.
    """
    wanted = [row_id(token, place) for record, token in versions for place in range(record.chunk_count)]
    found: dict[str, Any] = {}
    for i in range(0, len(wanted), REQUEST_ROWS):
        page = collection.get(wanted[i : i + REQUEST_ROWS], include=READ, patience_seconds=patience_seconds)
        found |= _by_id(page)
    whole: dict[str, list[Row]] = {}
    for record, token in versions:
        names = [row_id(token, place) for place in range(record.chunk_count)]
        try:
            rows = [_to_row(record, *found[name]) for name in names]
        except (KeyError, TypeError, ValueError):
            continue
        ends = [0, *(chunk.end for chunk, _ in rows)]
        if all(chunk.start == end for (chunk, _), end in zip(rows, ends, strict=False)):
            whole[record.document_id] = rows
    return whole


def _by_id(page: Page) -> dict[str, Any]:
    return dict(
        zip(page["ids"], zip(page["metadatas"], page["documents"], page["embeddings"], strict=True), strict=True)
    )


def _to_fields(chunk: Chunk, embedded: Embedded) -> dict[str, Any]:
    fields: dict[str, Any] = {"document_id": chunk.document_id, "start": chunk.start, "end": chunk.end}
    fields |= cut("parts", write_parts(chunk))
    if embedded.sentences is not None:
        fields |= cut("sentences", base64.b64encode(embedded.sentences).decode())
    return fields


def _to_row(record: Record, fields: Any, text: Any, vector: Any) -> Row:
    """A chunk as its row has it. Raises KeyError, TypeError and ValueError where that is not as it was written."""
    start, end = int(fields["start"]), int(fields["end"])
    if not isinstance(text, str) or end - start != len(text) or fields["document_id"] != record.document_id:
        raise ValueError("no chunk of this document")
    sentences, above = read_parts(join("parts", fields))
    if any(not 0 <= s.start <= s.end <= len(text) for s in sentences):
        raise ValueError("sentences beyond the text")
    chunk = Chunk(
        chunk_id(record.document_id, record.content_hash, start),
        record.document_id,
        start,
        end,
        text,
        sentences,
        above,
    )
    return chunk, _to_embedded(fields, vector)


def _to_embedded(fields: Any, vector: Any) -> Embedded:
    import numpy as np

    numbers: Vectors = np.asarray(vector, np.float32)
    if numbers.ndim != 1 or not np.isfinite(numbers).all():
        raise ValueError("no vector")
    if "sentences" not in fields:
        return Embedded(numbers, None)
    try:
        return Embedded(numbers, base64.b64decode(join("sentences", fields), validate=True))
    except binascii.Error as error:
        raise ValueError("no vectors of sentences") from error
