"""What `Store.check` finds wrong where the files of the rows and of the lexicon are as they were left.

The rows are read once, some at a time, part after part, so that neither time nor memory grows faster than their number.
Each is held against the lexicon's chunk, and searched for by its own vector.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from index.documents import Progress
from index.embedding.protocol import Vectors
from index.storing.lexicon import Lexicon
from index.storing.rows import PAGE_ROWS, Rows, RowsFailedError, to_chunks

Told = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Check:
    """One look at all of a store.

    rows: gives the rows that are open now. findable: `Rows.findable`, of them or of others that it has opened instead.
    told: is called with how far it is.
    """

    lexicon: Lexicon
    rows: Callable[[], Rows]
    findable: Callable[[Mapping[str, Vectors]], set[str]]
    told: Told

    def find_wrong(self) -> dict[str, str]:
        """What is wrong, in a sentence each, by document id; "" for what concerns no document."""
        joined = self.lexicon.count_joined()
        seen = self._read()
        wrong: dict[str, str] = {}
        visible = 0
        for record in self.lexicon.records(verifies=False):
            count = record.chunk_count
            lost = count if record.document_id in seen.unreadable else count - seen.whole[record.document_id]
            if joined.get(record.document_id, 0) != count:
                wrong[record.document_id] = f"{record.path}: its chunks do not join"
            elif lost:
                wrong[record.document_id] = f"{record.path}: {lost} of {count} chunks are lost or not found"
            visible += count
        if not wrong and seen.rows != visible:
            wrong[""] = f"{seen.rows:,} rows where {visible:,} count"
        elif self.lexicon.pending():
            wrong[""] = "a sync was interrupted"
        return wrong

    def _read(self) -> _Seen:
        total = self.lexicon.count_chunks()
        while True:
            seen = _Seen()
            try:
                rows = self.rows()
                for page in rows.pages(PAGE_ROWS, []):
                    self.told(Progress("Checking the store", min(seen.rows, total), total, "passages"))
                    self._look_at(page["ids"], seen)
                    seen.rows += len(page["ids"])
                    if self.rows() is not rows:  # something has happened to them: they are others now
                        break
                else:
                    self.told(Progress("Checking the store", total, total, "passages"))
                    return seen
            except RowsFailedError:  # what could not be read is lost
                return seen

    def _look_at(self, ids: Sequence[str], seen: _Seen) -> None:
        chunks = self.lexicon.chunks(ids, verifies=False)
        if not chunks:
            return
        try:
            page = self.rows().get([*chunks], include=["metadatas", "documents", "embeddings"], in_order=True)
        except RowsFailedError:  # for one without its vector, none of them is given: which is it?
            if len(ids) == 1:
                seen.unreadable.update(chunk.document_id for chunk in chunks.values())
                return
            for half in (ids[: len(ids) // 2], ids[len(ids) // 2 :]):
                self._look_at(half, seen)
            return
        vectors = dict(zip(page["ids"], page["embeddings"], strict=True))
        equal = {chunk.id: vectors[chunk.id] for chunk in to_chunks(page) if chunk == chunks[chunk.id]}
        if equal:
            seen.whole.update(chunks[chunk_id].document_id for chunk_id in self.findable(equal))


@dataclass(slots=True)
class _Seen:
    """How many rows there are, whole chunks of each document, and the documents of which some cannot be read."""

    rows: int = 0
    whole: Counter[str] = field(default_factory=Counter)
    unreadable: set[str] = field(default_factory=set)
