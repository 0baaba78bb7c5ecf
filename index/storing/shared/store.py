"""The store of one documents folder on a Chroma server, filled by many workers and asked by many chats.

On the server are the rows, a log of changes, which says what of the rows counts, and the workers' claims. Each machine
holds a mirror of what counts, and follows the log: so all read whole versions only, and the same ones. Whatever a
worker does becomes visible by one entry of the log, or not at all.

Where the server is away, the mirror is answered from. Where it was killed so that it does not get at its vectors any
more, the rows are made anew of a mirror, as another generation.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Collection as AbstractCollection
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from index.documents import Chunk, Progress, identify
from index.embedding.protocol import Embedded, Vectors
from index.errors import StoreError
from index.loading.folder import File
from index.place import DamagedError
from index.storing.checking import Told
from index.storing.keeper import HeldError
from index.storing.lexicon import Lexicon
from index.storing.records import Record
from index.storing.shared.changes import Change, gather, make_token, row_id
from index.storing.shared.claims import Claims, Key
from index.storing.shared.link import Link
from index.storing.shared.log import Log
from index.storing.shared.mending import find_wrong, make_rows_anew, sweep
from index.storing.shared.mirror import FIRST_GENERATION, Mirror
from index.storing.shared.rows import copy_rows, find_rows, write_rows
from index.storing.shared.server import (
    Address,
    ChromaServer,
    ServerAwayError,
)
from index.storing.store import Skipped, Store, place_of
from index.storing.versions import Version

COPIED_DOCUMENTS = 100  # at a time
LOOKED_AT_FILES = 1000  # at a time


@dataclass(slots=True)
class _Worker:
    """What this process is at.

    begun: which entry had made each document what it was when it began. bases: the same of documents when they were
    claimed. taken_over: documents that somebody was at who is gone. is_settled: whether nothing is left to sweep.
    """

    claims: Claims
    begun: Mapping[str, int]
    bases: dict[str, int] = field(default_factory=dict)
    taken_over: set[str] = field(default_factory=set)
    is_settled: bool = True


class SharedStore(Store):
    """The store that belongs to one documents folder, on a server. Safe to share between threads.

    name: what its collections are called by on the server.
    Raises StoreError where it was made with another embedding, chunk size or version, ServerAwayError where the
    server does not answer and this machine holds nothing of the store yet.
    """

    is_shared = True

    def __init__(
        self, stores: Path, folder: Path, embedding_name: str, chunk_tokens: int, address: Address, name: str | None
    ) -> None:
        super().__init__(folder, embedding_name, chunk_tokens)
        self.name = name or name_store(folder)
        self.place = stores / f"{place_of(stores, folder).name}-{_hash(address, self.name)}"
        made_with = {name: value for name, value in self._made_with.items() if name != "folder"}
        self._link = Link(self.place, address, self.name, made_with, self._refuse_other)
        self.lexicon: Mirror = self._link.mirror
        self._one_worker = threading.Lock()
        self._worker: _Worker | None = None
        try:
            self.refresh()
        except StoreError:
            self.let_go()
            raise

    # -- opening ------------------------------------------------------------------------------

    def refresh(self) -> None:
        """See what others have written, as far as that is a matter of a moment; or that the server is away."""
        self._make_place()
        self._link.refresh()

    def catch_up(self) -> Iterator[Progress]:
        """See all that others have written, telling how far it is. Raises ServerAwayError where the server is away."""
        self._make_place()
        yield from self._link.catch_up()

    @property
    def is_read_only(self) -> bool:
        """Whether the server did not answer when it was asked last."""
        return self._link.is_away

    def take_news(self) -> list[str]:
        """What had to be mended since this was asked last, and whether the server is away, each in a sentence."""
        news, self._link.news = self._link.news, []
        return news

    @property
    def mark(self) -> str:
        """What stands for what was written up to now, as far as `refresh` has seen; another after each write."""
        return str(self.lexicon.followed()[0]) if self.lexicon.is_usable() else ""

    def require_writable(self) -> None:
        """Raise StoreError where the server is away."""
        if self.is_read_only:
            raise ServerAwayError(
                f"The Chroma server at {self._link.shown_address} does not answer: see that it runs and is reached "
                "from here, then try again."
            )

    def explain_read_only(self) -> str:
        """Why the store may only be read, in a sentence."""
        return (
            f"The Chroma server at {self._link.shown_address} does not answer: answers are from what this machine holds"
        )

    # -- working ------------------------------------------------------------------------------

    @contextmanager
    def writing(self, wait_seconds: float = -1) -> Iterator[None]:
        """Be one of the workers that write; in one process there is one.

        Raises HeldError where another thread of this process still is after `wait_seconds`, ServerAwayError where the
        server does not answer.
        """
        if not self._one_worker.acquire(timeout=wait_seconds):
            raise HeldError("this process")
        try:
            with self._working():
                yield
        finally:
            self._worker = None
            self._one_worker.release()

    @contextmanager
    def _working(self) -> Iterator[None]:
        self._make_place()
        with self._link.telling():
            if self._link.must_mend:
                make_rows_anew(self._link)
            self._link.follow()
            claims = self._link.open_claims()
            with claims.working():
                self._worker = worker = _Worker(claims, self.lexicon.all_numbers())
                yield
            if not worker.is_settled:  # of workers that end together, each has seen the others alive
                sweep(self._link, claims)
            self.lexicon.settle_file()

    @property
    def _at_work(self) -> _Worker:
        if self._worker is None:
            raise RuntimeError("needs `writing`")
        return self._worker

    def claim(self, files: Iterable[File], together: int) -> Iterator[File]:
        """Those of files that no other worker is at, and that none has read meanwhile; they are ours as they come.

        Another worker begins elsewhere among them, so that few ask for the same.
        """
        claims = self._at_work.claims
        waiting = list(files)
        begin = int(claims.worker, 16) % max(len(waiting), 1)
        waiting = waiting[begin:] + waiting[:begin]
        for i in range(0, len(waiting), together):
            some = {identify(file.path): file for file in waiting[i : i + together]}
            keys = self._keys(some)
            claimed = claims.claim(keys.values())
            self._link.follow()
            # Who had it before may have been done just before we asked.
            unread = {identify(file.path) for file in self.unread(some.values())}
            now = self._keys(some)
            done = {key for key in claimed.ours if key[0] not in unread or now[key[0]] != key}
            claims.give_back(done)
            self._at_work.taken_over |= {document_id for document_id, _ in claimed.taken_over - done}
            self._give_up([some[document_id] for document_id, _ in claimed.given_up])
            ours = dict(claimed.ours - done)
            self._at_work.bases |= ours
            yield from (file for document_id, file in some.items() if document_id in ours)

    def _keys(self, document_ids: Iterable[str]) -> dict[str, Key]:
        ids = list(document_ids)
        numbers = self.lexicon.numbers_of_entries(ids)
        return {document_id: (document_id, numbers.get(document_id, 0)) for document_id in ids}

    def _give_up(self, files: Sequence[File]) -> None:
        """Note of files that several workers ended at, one after the other, that they cannot be read."""
        reason = "several workers ended while they read it: see what is wrong with it, then change or remove it"
        self.note_skipped([(file.path, file.size_bytes, file.modified_ns, reason) for file in files])

    def unread(self, files: Iterable[File]) -> list[File]:
        """Those of files that nobody has read since we began, in the state that they are in."""
        files, skipped = list(files), self.lexicon.skipped()
        return [
            file
            for i in range(0, len(files), LOOKED_AT_FILES)
            for file in self._find_unread(files[i : i + LOOKED_AT_FILES], skipped)
        ]

    def _find_unread(self, files: Sequence[File], skipped: Mapping[str, tuple[int, int, str]]) -> Iterator[File]:
        ids = [identify(file.path) for file in files]
        numbers = self.lexicon.numbers_of_entries(ids)
        records = {record.document_id: record for record in self.lexicon.records_of(ids)}
        for document_id, file in zip(ids, files, strict=True):
            record, refused = records.get(document_id), skipped.get(file.path)
            state = (record.size_bytes, record.modified_ns) if record else refused[:2] if refused else None
            is_new = numbers.get(document_id, 0) > self._at_work.begun.get(document_id, 0)
            # Of a file that may have changed without its clock telling, no time is noted.
            if not is_new or state not in ((file.size_bytes, file.modified_ns), (file.size_bytes, -1)):
                yield file

    def numbers(self) -> Mapping[str, int]:
        """Which entry made each document what it is."""
        return self.lexicon.all_numbers() if self.lexicon.is_usable() else {}

    def give_back(self) -> None:
        """Give back what is claimed and not done: it is for later, or for somebody else."""
        claims = self._at_work.claims
        claims.give_back(list(claims.held))

    # -- writing (inside `writing`) -----------------------------------------------------------

    def announce(self, document_ids: Iterable[str]) -> None:
        """Nothing: what is stored of a file that is not stored whole, its record tells here."""

    def resume(self, version: Version) -> None:
        """Take what a worker that is gone has written of a version; what the rows have is not embedded anew."""
        if version.document.id not in self._at_work.taken_over:
            return
        places = self._places(version)
        found = find_rows(self._link.rows, self._token(version), list(places.values()))
        version.waiting = [row for row in version.waiting if places[row[0].id] not in found]

    def put(self, versions: Sequence[Version]) -> None:
        """Store what has come of several documents' versions; those that are complete become visible, all at once."""
        rows: list[tuple[str, Chunk, Embedded]] = []
        for version in versions:
            places, token = self._places(version), self._token(version)
            rows += [(row_id(token, places[chunk.id]), chunk, e) for chunk, e in version.waiting if e]
        for _, _, embedded in rows[:1]:
            self._require_length(embedded.vector)
        write_rows(self._link.rows, rows)
        for version in versions:
            version.waiting = []
        complete = [version for version in versions if version.is_complete]
        changes = [
            Change("stored", v.document.id, self._base(v.document.id), v.record(), self._token(v)) for v in complete
        ]
        self._commit(changes)
        self._at_work.claims.give_back([(change.document_id, change.base) for change in changes])

    @staticmethod
    def _places(version: Version) -> dict[str, int]:
        """Which of a version's chunks each is that waits, from 0."""
        waiting = {chunk.id for chunk, _ in version.waiting}
        return {i: place for place, i in enumerate(version.chunk_ids) if i in waiting}

    def _token(self, version: Version) -> str:
        document = version.document
        return make_token(document.id, document.content_hash, self._base(document.id))

    def _base(self, document_id: str) -> int:
        """The entry that a document's change takes the place of: that which was the last when we claimed it."""
        bases = self._at_work.bases
        if document_id not in bases:  # of a document that lies in a file, which is claimed
            bases[document_id] = self.lexicon.numbers_of_entries([document_id]).get(document_id, 0)
        return bases[document_id]

    def remove(self, document_ids: Sequence[str], numbers: Mapping[str, int] | None = None) -> None:
        """Remove documents. numbers: see there; what another has changed since these were asked for stays."""
        self._link.follow()
        now = self.lexicon.numbers_of_entries(document_ids)
        gone = [record.document_id for record in self.lexicon.records_of(document_ids)]
        self._commit([Change("removed", i, (numbers or now).get(i, 0)) for i in gone])

    def touch(self, states: Sequence[tuple[str, int, int]]) -> None:
        """Record that files were rewritten with the same content: a document's id, and the file's size and time."""
        self._commit(
            [Change("touched", i, self._base(i), size_bytes=size, modified_ns=time) for i, size, time in states]
        )

    def note_skipped(self, skipped: Sequence[Skipped]) -> None:
        """Note that files cannot be read: path, size in bytes, time of change, reason."""
        self._commit(
            [
                Change("skipped", i, self._base(i), size_bytes=size, modified_ns=time, path=path, reason=reason)
                for path, size, time, reason in skipped
                for i in [identify(path)]
            ]
        )

    def conclude_skipped(self, skipped: Sequence[Skipped], stands: Callable[[str], bool]) -> None:
        """Forget of files that could not be read those that are not among these, and are not there any more."""
        still = {path for path, *_ in skipped}
        others = {identify(path): path for path in self.lexicon.skipped() if path not in still}
        keys = self._keys(others)  # before it is looked whether they stand
        self._commit([Change("removed", *keys[i]) for i, path in others.items() if not stands(path)])

    def _commit(self, changes: Sequence[Change]) -> None:
        """Write changes into the log, and take away the rows of what they put out of sight."""
        if not changes:
            return
        ids = [change.document_id for change in changes]
        tokens = self.lexicon.tokens(ids)
        before = {r.document_id: (tokens[r.document_id], r.chunk_count) for r in self.lexicon.records_of(ids)}
        number, generation = self.lexicon.followed()
        written: dict[str, int] = {}
        for entry in gather(changes):
            number = self._link.log.append(number, entry, generation)
            written |= dict.fromkeys((change.document_id for change in entry), number)
            for change in entry:
                self._at_work.bases.pop(change.document_id, None)
        self._link.follow()
        if self.lexicon.followed()[1] != generation:
            raise DamagedError("The rows of the shared store were made anew meanwhile: try again.")
        now, visible = self.lexicon.numbers_of_entries(ids), self.lexicon.tokens(ids)
        stale: list[str] = []
        for change in changes:
            document_id = change.document_id
            counts = now.get(document_id) == written[document_id]
            token, count = before.get(document_id, ("", 0)) if counts else (change.token, _count(change))
            if token and token != visible.get(document_id):
                stale += [row_id(token, place) for place in range(count)]
        self._link.rows.delete(stale)

    def settle(self) -> None:
        """Remove what workers that are gone have left of versions that never counted. The end of every sync."""
        self._at_work.is_settled = sweep(self._link, self._at_work.claims)

    def take(self, lexicon: Lexicon) -> Iterator[Progress]:
        """Hold what another store's lexicon holds, and nothing else; nothing is embedded anew."""
        records = lexicon.records()
        still = {record.document_id for record in records}
        gone = [record.document_id for record in self.lexicon.records() if record.document_id not in still]
        for i in range(0, len(gone), COPIED_DOCUMENTS):
            self.remove(gone[i : i + COPIED_DOCUMENTS])
        done, total = 0, lexicon.count_chunks()
        for i in range(0, len(records), COPIED_DOCUMENTS):
            some = records[i : i + COPIED_DOCUMENTS]
            here = {record.document_id: record for record in self.lexicon.records_of([r.document_id for r in some])}
            changes = [self._to_change(record) for record in some if here.get(record.document_id) != record]
            rows = (copy_rows(lexicon, change.document_id, change.token) for change in changes)
            write_rows(self._link.rows, [*chain.from_iterable(rows)])
            self._commit(changes)
            done += sum(record.chunk_count for record in some)
            yield Progress("Copying", done, total, "passages")
        self.note_skipped([(path, *state) for path, state in lexicon.skipped().items()])

    def _to_change(self, record: Record) -> Change:
        """What makes a document count that is copied."""
        base = self._base(record.document_id)
        return Change(
            "stored", record.document_id, base, record, make_token(record.document_id, record.content_hash, base)
        )

    # -- checking -----------------------------------------------------------------------------

    def check(self, told: Told = lambda progress: None) -> dict[str, str]:
        """What is wrong with the store, by document id; see `Store.check`. Rows are as the mirror has them, or lost."""
        self._link.follow()
        return find_wrong(self._link, self._at_work.claims, told)

    def repair(self, wrong: Mapping[str, str]) -> None:
        """Make anew what `check` found wrong, of what is whole; a sync then brings back the rest. Needs `writing`."""
        if wrong:
            self._link.follow()
            make_rows_anew(self._link)
            self._link.follow()
            self.settle()

    # -- reading ------------------------------------------------------------------------------

    def nearest(
        self, vector: Vectors, count: int, documents: AbstractCollection[str] | None = None
    ) -> dict[str, float]:
        """The ids of the chunks nearest to a unit vector, best first, with their cosine similarity; see `Store`."""
        self._require_length(vector)
        found = self._link.query(vector, count) if documents is None else None
        if found is None:
            return self.lexicon.nearest(vector, count, documents)
        return {chunk_id: 1.0 - distance for chunk_id, distance in found.items()}

    def let_go(self) -> None:
        """Close all that is open of it, in every thread; nobody may be using it."""
        self._link.let_go()


def _count(change: Change) -> int:
    return change.record.chunk_count if change.record else 0


def name_store(folder: Path) -> str:
    """What a folder's collections are called by, where nobody says otherwise."""
    return f"footnote-{place_of(Path(), folder).name}"


def discard(stores: Path, folder: Path, address: Address, name: str | None) -> None:
    """Throw away the store of a folder on a server; who has it open sees that it is another then."""
    name, server = name or name_store(folder), ChromaServer(address)
    log = server.find(f"{name}-log")
    last = max((entry.generation for entry in Log(log).read(0)), default=FIRST_GENERATION) if log else FIRST_GENERATION
    # The log first: without it nothing else counts.
    for part in ("log", "claims", *(f"rows-{generation}" for generation in range(FIRST_GENERATION, last + 2))):
        server.delete(f"{name}-{part}")
    server.close()


def _hash(address: Address, name: str) -> str:
    return hashlib.sha256(f"{address.key}\n{name}".encode()).hexdigest()[:12]
