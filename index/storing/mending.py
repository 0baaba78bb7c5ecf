"""The rows and the lexicon say the same: what is lost or half done in one of them is made anew of the other."""

from __future__ import annotations

from collections import Counter

from index.embedding.protocol import Embedded
from index.place import DamagedError
from index.storing.lexicon import Lexicon
from index.storing.records import Record
from index.storing.rows import PAGE_ROWS, Rows, read_chunks, read_vectors, to_chunks, to_record, write


def reconcile(lexicon: Lexicon, rows: Rows, document_id: str) -> None:
    """Have the lexicon say of one document what its rows say, after a writer was killed at it."""
    page = rows.get(where={"document_id": document_id}, include=["metadatas"])
    found = dict(zip(page["ids"], page["metadatas"], strict=True))
    record = to_record(found[document_id]) if document_id in found else None
    ids = [chunk_id for chunk_id, row in found.items() if record and row["content_hash"] == record.content_hash]
    visible = lexicon.record(document_id)
    if record is None or len(ids) != record.chunk_count:
        lexicon.remove([document_id])
    elif visible is None or visible.content_hash != record.content_hash:
        head = Embedded(read_vectors(rows, [document_id])[document_id], None)
        lexicon.put([(record, read_chunks(rows, ids))], {document_id: head})


def fill_lexicon(lexicon: Lexicon, rows: Rows) -> bool:
    """Fill an empty lexicon from the rows, and tell whether there are any.

    What no complete version holds is left pending.
    """
    records: dict[str, Record] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for page in rows.pages(PAGE_ROWS, ["metadatas"]):
        for chunk_id, row in zip(page["ids"], page["metadatas"], strict=True):
            counts[row.get("document_id", ""), row.get("content_hash", "")] += 1
            if chunk_id == row.get("document_id"):
                records[chunk_id] = to_record(row)
    whole = {i: r for i, r in records.items() if counts[i, r.content_hash] == r.chunk_count}
    lexicon.announce({i for i, content_hash in counts if i not in whole or whole[i].content_hash != content_hash})
    lexicon.add_records(whole.values())
    for page in rows.pages(PAGE_ROWS, ["metadatas", "documents", "embeddings"]):
        current = {
            chunk_id: Embedded(vector, None)
            for chunk_id, row, vector in zip(page["ids"], page["metadatas"], page["embeddings"], strict=True)
            if (i := row.get("document_id")) in whole and row["content_hash"] == whole[i].content_hash
        }
        lexicon.fill(whole, (chunk for chunk in to_chunks(page) if chunk.id in current), current)
    lexicon.mark(whole=True)
    return bool(counts)


def fill_rows(rows: Rows, lexicon: Lexicon) -> bool:
    """Fill empty rows from the lexicon; False where that is not whole either, so that some are missing."""
    try:
        if not lexicon.is_usable() or not lexicon.has_all_vectors():
            return False
        records = {record.document_id: record for record in lexicon.records()}
        for page in lexicon.pages(PAGE_ROWS):
            known = lexicon.embedded(chunk.id for chunk in page)
            write(rows, [(records[chunk.document_id], chunk, known[chunk.id]) for chunk in page], known.keys())
    except DamagedError:
        return False
    return True
