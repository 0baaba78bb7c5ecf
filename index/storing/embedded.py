"""The store on this machine of one documents folder: vectors, chunks and the record of documents.

The rows are the one source of truth; a keeper has them. A chunk is one row. A document's first chunk has the document's
id and carries its record: writing it is what replaces an old version by a new one, in a single call, and chunks of any
other version count no more. The lexicon is derived from these rows; it keeps a copy of each vector, from which the rows
are made anew where they have been torn.

Whatever is damaged is made anew of what is whole, unasked, and told (`take_news`): the rows of the lexicon, the
lexicon of the rows, and both of the documents. A store that may not be written is searched in the lexicon alone.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from index import place as places
from index.documents import Chunk, Progress
from index.embedding.protocol import Embedded, Vectors
from index.errors import StoreError
from index.loading.folder import File
from index.place import NoRoomError
from index.settings import LOCAL_CHUNK_TOKENS
from index.storing.checking import Check, Told
from index.storing.chroma_files import CHECKED_BYTES
from index.storing.keeper import Keeper, disk_errors
from index.storing.lexicon import Lexicon
from index.storing.mending import fill_lexicon, fill_rows, reconcile
from index.storing.rows import PAGE_ROWS, Rows, RowsFailedError, read_chunks, read_vectors, write
from index.storing.store import OutdatedError, Skipped, Store, place_of
from index.storing.versions import Version


class EmbeddedStore(Store):
    """The store that belongs to one documents folder, one embedding and one chunk size. Safe to share between threads.

    One that an earlier version of Footnote has made is begun anew. Raises StoreError where it was made by a later one,
    with another embedding or another chunk size.
    """

    def __init__(self, stores: Path, folder: Path, embedding_name: str, chunk_tokens: int = LOCAL_CHUNK_TOKENS) -> None:
        super().__init__(folder, embedding_name, chunk_tokens)
        self.place = place_of(stores, folder)
        self._is_read_only = False
        self._interrupted: set[str] = set()
        self.lexicon = Lexicon(self.place / "lexicon.sqlite")
        self._keeper = Keeper(self.place, self._made_with)
        self.refresh()

    # -- opening ------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Open the store, or open it again where another process has written since or something has happened to it.

        Raises StoreError where it cannot be opened.
        """
        if self._may_write() and not self._keeper.is_current():
            with self._keeper.alone():
                self._open_if_changed()

    @property
    def mark(self) -> str:
        """What stands for what was written up to now, as far as `refresh` has seen; another after each write."""
        return self._keeper.mark

    def _may_write(self) -> bool:
        """Whether the store may be written; where it may not, it can be read."""
        if not places.is_folder(self.place):
            self._make_place()
        is_read_only = not places.may_be_written(self.place)
        if is_read_only != self.is_read_only:
            self._is_read_only = self.lexicon.is_read_only = is_read_only
            self.lexicon.reopen()
        if is_read_only:
            self._require_readable()
        return not is_read_only

    def _require_readable(self) -> None:
        """Refuse a store that may not be written where it cannot be read either."""
        self._keeper.let_go()
        try:
            is_usable = self.lexicon.is_usable()
        except NoRoomError:
            is_usable = False
        if not is_usable:
            raise StoreError(
                f"The store at {self.place} may not be written, and what it holds is not whole or may not be read: "
                "give yourself the right to, or set FOOTNOTE_STORE to a folder of your own."
            )
        self._refuse_other(self.lexicon.made_with())

    @property
    def is_read_only(self) -> bool:
        """Whether it may not be written, as was seen last."""
        return self._is_read_only

    def explain_read_only(self) -> str:
        """Why the store may only be read, in a sentence."""
        return f"The store at {self.place} may not be written: answers are from what it held before"

    def require_writable(self) -> None:
        """Raise StoreError where the store may only be read."""
        if self.is_read_only:
            raise StoreError(_READ_ONLY.format(self.place))

    def _open_if_changed(self) -> None:
        """Open rows that are not current, and make anew what is damaged. Needs the keeper's `alone`."""
        if self._keeper.is_current():
            return
        self._keeper.let_go()
        self.lexicon.reopen()
        try:
            self._open_or_mend()
        except OutdatedError:
            with disk_errors(self.place), self._keeper.making_anew():
                self.lexicon.create(self._made_with)
            self._news.append(
                f"The store of {self._folder} was made by an earlier version of Footnote: it is made anew from the "
                "documents."
            )

    def _open_or_mend(self) -> None:
        with disk_errors(self.place):
            if self.lexicon.size_bytes() <= CHECKED_BYTES:
                self.lexicon.find_damage()  # which it keeps in mind
            if self.lexicon.is_usable():
                self._refuse_other(self.lexicon.made_with())
            if damage := self._keeper.find_damage():
                self._make_anew(f"their files {damage}")
            else:
                try:
                    self._open()
                except RowsFailedError as error:
                    self._make_anew(f"they cannot be opened: {error}")

    def _open(self) -> None:
        """Open the rows, whose files are as they were left; see that they are what the lexicon knows of."""
        with self._keeper.opening() as rows:
            for made_with in rows.made_with():
                self._refuse_other(made_with)
            self._require_whole(rows)

    def _require_whole(self, rows: Rows) -> None:
        """Raise RowsFailedError where rows or vectors have been lost, as a look at the ends tells."""
        if not self.lexicon.is_usable() or self.lexicon.pending():
            return
        ends = self.lexicon.first_and_last_chunk_ids()
        whole = rows.count() == self.lexicon.count_chunks()
        whole = whole and (not ends or len(rows.get(ends, include=["embeddings"])["ids"]) == len(ends))
        # Another process may have begun to write just now: then the counts say nothing.
        if not whole and not self.lexicon.pending():
            raise RowsFailedError("some are lost")

    def _make_anew(self, damage: str) -> None:
        """Make the rows anew of the lexicon; where that is no use either, begin empty. Needs the keeper's `alone`."""
        with disk_errors(self.place), self._keeper.making_anew() as rows:
            is_mended = fill_rows(rows, self.lexicon)
            if not is_mended:
                self.lexicon.create(self._made_with)
        self._news.append(
            f"The vectors of the store at {self.place} were damaged ({damage}): made anew from the lexical index."
            if is_mended
            else f"The store at {self.place} was damaged ({damage}): it is made anew from the documents."
        )

    def _make_lexicon_anew(self) -> None:
        self.lexicon.create(self._made_with)
        if fill_lexicon(self.lexicon, self._keeper.rows):
            self._news.append(f"The lexical index of the store at {self.place} was lost or damaged: made anew.")

    @contextmanager
    def writing(self, wait_seconds: float = -1) -> Iterator[None]:
        """Hold the store for writing. Mends what a killed writer left behind.

        Raises HeldError where another process still holds it after `wait_seconds`; below 0 it waits for ever.
        Raises StoreError where it may only be read.
        """
        self.refresh()
        self.require_writable()
        with self._keeper.holding(wait_seconds):
            self.refresh()
            if self.lexicon.is_usable():
                for document_id in self.lexicon.pending():
                    reconcile(self.lexicon, self._keeper.rows, document_id)
            else:
                self._make_lexicon_anew()
            # What an earlier writer left of these is removed by `settle`, once all else is done.
            self._interrupted = set(self.lexicon.pending())
            yield
            self.lexicon.settle_file()

    # -- what workers that share a store do besides; here one writes at a time -----------------

    def catch_up(self) -> Iterator[Progress]:
        """Nothing: `refresh` sees all that others have written."""
        return iter(())

    def numbers(self) -> Mapping[str, int]:
        """None: nobody else writes meanwhile."""
        return {}

    def claim(self, files: Iterable[File], together: int) -> Iterator[File]:
        """Those of files that no other worker is at: all."""
        return iter(files)

    def unread(self, files: Iterable[File]) -> list[File]:
        """Those of files that other workers are at: none."""
        return []

    def give_back(self) -> None:
        """Give back what is claimed and not done: nothing."""

    # -- writing (inside `writing`) -----------------------------------------------------------

    def announce(self, document_ids: Iterable[str]) -> None:
        """Note of documents that they are not stored whole, so that their files are read again."""
        self.lexicon.announce(document_ids)

    def resume(self, version: Version) -> None:
        """Take what an interrupted sync has stored of a version; that is neither embedded nor written again."""
        if version.document.id in self._interrupted:
            following = [chunk.id for chunk, _ in version.waiting[1:]]
            known = self.lexicon.embedded(following)
            stored = self.stored([*known])
            version.waiting = [
                (chunk, known.get(chunk.id, embedded)) for chunk, embedded in version.waiting if chunk.id not in stored
            ]

    def put(self, versions: Sequence[Version]) -> None:
        """Store what has come of several documents' versions; those that are complete become visible, all at once.

        An old version stays visible until then. Chunks that are stored already are not written again. Raises
        StoreError where their vectors are of another length than those that are stored.
        """
        for embedded in (row for version in versions for _, row in version.waiting if row):
            self._require_length(embedded.vector)
        self.lexicon.announce(version.document.id for version in versions)
        in_hand = {v.document.id: [c for c, _ in v.waiting] for v in versions if len(v.waiting) == len(v.chunk_ids)}
        tails = [(version, *row) for version in versions for row in version.waiting if row[0].id != version.document.id]
        self.lexicon.put_embedded({chunk.id: embedded for _, chunk, embedded in tails if embedded})
        for i in range(0, len(tails), PAGE_ROWS):
            self._upsert(tails[i : i + PAGE_ROWS])
        for version in versions:
            version.waiting = [row for row in version.waiting if row[0].id == version.document.id]
        complete = [version for version in versions if version.is_complete]
        if not complete:
            return
        # With its first chunk a version counts; the lexicon makes all of them visible in one transaction.
        stale = {version.document.id: set(self.lexicon.chunk_ids(version.document.id)) for version in complete}
        heads = [(version, *row) for version in complete for row in version.waiting]
        self._upsert(heads)
        self.lexicon.put(
            (
                (v.record(), in_hand.get(v.document.id) or read_chunks(self._keeper.rows, v.chunk_ids, in_order=True))
                for v in complete
            ),
            {chunk.id: embedded for _, chunk, embedded in heads if embedded},
        )
        for version in complete:
            stale[version.document.id].difference_update(version.chunk_ids)
        self._delete([chunk_id for chunk_ids in stale.values() for chunk_id in sorted(chunk_ids)])
        self.lexicon.settle(stale.keys() - self._interrupted)

    def stored(self, chunk_ids: Sequence[str]) -> set[str]:
        """Those of the chunks that an earlier, interrupted sync has stored."""
        if not chunk_ids:
            return set()
        with self._keeper.alone():  # another thread may be at `put`
            return set(self._keeper.rows.get(chunk_ids, include=[])["ids"])

    def vectors(self, chunk_ids: Sequence[str]) -> dict[str, Vectors]:
        """The stored vectors of chunks, by id."""
        return read_vectors(self._keeper.rows, chunk_ids)

    def remove(self, document_ids: Sequence[str], numbers: Mapping[str, int] | None = None) -> None:
        """Remove documents."""
        if not document_ids:
            return
        self.lexicon.announce(document_ids)
        chunk_ids = [chunk_id for document_id in document_ids for chunk_id in self.lexicon.chunk_ids(document_id)]
        # Without its first chunk a document does not count; so that goes first.
        self._delete(document_ids)
        self.lexicon.remove(document_ids)
        heads = set(document_ids)
        self._delete([chunk_id for chunk_id in chunk_ids if chunk_id not in heads])
        self.lexicon.settle(set(document_ids) - self._interrupted)

    def touch(self, states: Sequence[tuple[str, int, int]]) -> None:
        """Record that files were rewritten with the same content: a document's id, and the file's size and time."""
        for i in range(0, len(states), PAGE_ROWS):
            page = states[i : i + PAGE_ROWS]
            fields = [{"size_bytes": size_bytes, "modified_ns": modified_ns} for _, size_bytes, modified_ns in page]
            with self._keeper.saving() as rows:
                rows.update([document_id for document_id, _, _ in page], fields)
            self.lexicon.touch(page)

    def note_skipped(self, skipped: Sequence[Skipped]) -> None:
        """Note that files cannot be read, before it is known of all: nothing yet."""

    def conclude_skipped(self, skipped: Sequence[Skipped], stands: Callable[[str], bool]) -> None:
        """Remember that these files cannot be read, and no others."""
        self.lexicon.remember_skipped(skipped)

    def settle(self) -> None:
        """Remove what interrupted syncs have left of versions that never became visible. The end of every sync."""
        pending = self.lexicon.pending()
        for document_id in pending:
            rows = self._keeper.rows.get(where={"document_id": document_id}, include=[])["ids"]
            self._delete(sorted(set(rows) - set(self.lexicon.chunk_ids(document_id))))
        if pending:
            self.lexicon.drop_unused()
        self.lexicon.settle(pending)
        self._interrupted = set()

    def _upsert(self, rows: Sequence[tuple[Version, Chunk, Embedded | None]]) -> None:
        if rows:
            # What no visible version holds, nor an interrupted sync has left, stands nowhere yet.
            known = self.lexicon.chunks(chunk.id for _, chunk, _ in rows)
            new = {c.id for v, c, _ in rows if c.id not in known and v.document.id not in self._interrupted}
            with self._keeper.saving() as kept:
                write(kept, [(v.record(), chunk, e) for v, chunk, e in rows if e], new)

    def _delete(self, chunk_ids: Sequence[str]) -> None:
        for i in range(0, len(chunk_ids), PAGE_ROWS):
            with self._keeper.saving() as rows:
                rows.delete(chunk_ids[i : i + PAGE_ROWS])
        self.lexicon.drop_embedded(chunk_ids)

    def take(self, lexicon: Lexicon) -> Iterator[Progress]:
        """Hold what another store's lexicon holds, in place of what this one held; nothing is embedded anew."""
        self.lexicon.create(self._made_with)
        records = {record.document_id: record for record in lexicon.records()}
        self.lexicon.add_records(records.values())
        done, total = 0, lexicon.count_chunks()
        for page in lexicon.pages(PAGE_ROWS):
            self.lexicon.fill(records, page, lexicon.embedded(chunk.id for chunk in page))
            done += len(page)
            yield Progress("Copying", done, total, "passages")
        self.lexicon.remember_skipped((path, *state) for path, state in lexicon.skipped().items())
        self.lexicon.mark(whole=True)
        with disk_errors(self.place), self._keeper.alone(), self._keeper.making_anew() as rows:
            fill_rows(rows, self.lexicon)

    # -- checking -----------------------------------------------------------------------------

    def check(self, told: Told = lambda progress: None) -> dict[str, str]:
        """What is wrong with the store, by document id, "" for what concerns no document; reads all of it.

        Every visible chunk must have a row with its vector and be found by it, each document's chunks must tile it,
        and there must be no row besides. told: is called with how far it is.
        """
        self.refresh()
        self.require_writable()
        if self.lexicon.find_damage() or not self.lexicon.is_usable():
            return {"": "the lexical index is missing or damaged"}
        with self._keeper.alone():
            if damage := self._keeper.find_damage(reads_all=True):
                return {"": f"the files of the vectors {damage}"}
        return Check(self.lexicon, lambda: self._keeper.rows, self._findable, told).find_wrong()

    def _findable(self, vectors: Mapping[str, Vectors]) -> set[str]:
        """`Rows.findable`, of rows that are current; all of them where the lexicon serves instead, as in `nearest`."""
        with self._keeper.alone():
            try:
                self._open_if_changed()
                with self._keeper.searching() as rows:
                    return rows.findable(vectors)
            except NoRoomError:
                pass
            except RowsFailedError as error:
                self._make_anew(f"a search failed: {error}")
        return {*vectors}

    def repair(self, wrong: Mapping[str, str]) -> None:
        """Make anew what `check` found wrong, of what is whole; a sync then brings back the rest. Needs `writing`."""
        if not wrong:
            return
        if self.lexicon.is_usable():
            with self._keeper.alone():
                self._make_anew("as a check found")
        else:
            self._make_lexicon_anew()
        self.remove([document_id for document_id in wrong if document_id and self.lexicon.record(document_id)])
        self.settle()

    # -- reading ------------------------------------------------------------------------------

    def nearest(self, vector: Vectors, count: int, documents: Collection[str] | None = None) -> dict[str, float]:
        """The ids of the chunks nearest to a unit vector, best first, with their cosine similarity.

        documents: the ids of those whose chunks are searched; all by default. Of these every vector is looked at.
        """
        self._require_length(vector)
        if not self._may_write() or documents is not None:
            return self.lexicon.nearest(vector, count, documents)
        with self._keeper.alone():
            try:
                self._open_if_changed()
                with self._keeper.searching() as rows:
                    found = rows.query(vector, count)
            except NoRoomError:
                return self.lexicon.nearest(vector, count)
            except RowsFailedError as error:
                self._make_anew(f"a search failed: {error}")
                return self.lexicon.nearest(vector, count)
        return {chunk_id: 1.0 - distance for chunk_id, distance in found.items()}

    def let_go(self) -> None:
        """Close all that is open of it, in every thread; nobody may be using it. To be opened again it is made anew."""
        self._keeper.let_go()
        gc.collect()  # Chroma's objects hold each other in a circle, and with them its files
        self.lexicon.let_go()


def discard(stores: Path, folder: Path) -> None:
    """Throw away the store of a folder, which is given by its whole path, whatever state it is in."""
    place = place_of(stores, folder)
    if places.is_folder(place):
        if not places.may_be_written(place):
            raise StoreError(_READ_ONLY.format(place))
        keeper = Keeper(place, {})
        with disk_errors(place):
            places.make_way(place / "lock")
            with places.lock(place / "lock"), keeper.alone():
                # Emptied, not deleted: others have it open.
                lexicon = Lexicon(place / "lexicon.sqlite")
                lexicon.create()
                lexicon.close()
                keeper.clear()


_READ_ONLY = (
    "The store at {} may not be written: give yourself the right to, or set FOOTNOTE_STORE to a folder of your own."
)
