"""The store of one documents folder on a Chroma server, filled by many workers and asked by many chats.

On the server are the rows, a log of changes, which says what of the rows counts, and the workers' claims. Each machine
holds a mirror of what counts, and follows the log: so all read whole versions only, and the same ones. Whatever a
worker does becomes visible by one entry of the log, or not at all.

Where the server is away, the mirror is answered from. Where it was killed so that it does not get at its vectors any
more, the rows are made anew of a mirror, as another generation.
"""

from __future__ import annotations

import gc
import hashlib
import os
import threading
import time
from collections.abc import Collection as AbstractCollection
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from index import place as places
from index.documents import Progress, identify
from index.embedding.protocol import Vectors
from index.errors import StoreError
from index.loading.folder import File
from index.place import DamagedError
from index.storing.checking import Told
from index.storing.keeper import HeldError, disk_errors
from index.storing.lexicon import Lexicon
from index.storing.records import Record
from index.storing.shared.changes import Change, gather, make_token, read_row_id, row_id
from index.storing.shared.claims import LEASE_SECONDS, Claims, Key
from index.storing.shared.following import Turn, follow
from index.storing.shared.log import Log
from index.storing.shared.mirror import FIRST_GENERATION, Mirror
from index.storing.shared.rows import Row, find_rows, read_rows, write_rows
from index.storing.shared.server import (
    PATIENCE_SECONDS,
    QUESTION_SECONDS,
    Address,
    ChromaServer,
    Collection,
    CollectionDamagedError,
    CollectionGoneError,
    ServerAwayError,
)
from index.storing.store import Skipped, Store, place_of
from index.storing.versions import Version

AWAY_SECONDS = 5.0  # that a server which did not answer is not asked again, where somebody waits
CHECKED_DOCUMENTS = 50  # at a time
LOOK_SECONDS = 0.5  # between two looks at what other workers have done
# Of the vectors, many of which are better written to the server's files seldom: killed at that, it does not get at
# them any more. What it has not written there it reads again when it starts, some 4,000 a second.
_ROWS_HNSW = {"space": "cosine", "sync_threshold": 10_000}
_LOG_HNSW = {"space": "l2", "sync_threshold": 1_000_000}
_CLAIMS_HNSW = {"space": "l2"}


@dataclass(slots=True)
class _Worker:
    """What this process is at.

    begun: which entry had made each document what it was when it began. bases: the same of documents when they were
    claimed. taken_over: documents that somebody was at who is gone.
    """

    claims: Claims
    begun: Mapping[str, int]
    bases: dict[str, int] = field(default_factory=dict)
    taken_over: set[str] = field(default_factory=set)


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
        self._address = address
        self.lexicon: Mirror = Mirror(self.place / "lexicon.sqlite")
        self._server = ChromaServer(address)
        self._one_thread = threading.Lock()
        self._place_lock = places.lock(self.place / "lock")
        self._log: Log | None = None
        self._rows: tuple[int, Collection] | None = None
        self._one_worker = threading.Lock()
        self._worker: _Worker | None = None
        self._away_until = 0.0
        self._must_mend = False
        self.refresh()

    # -- opening ------------------------------------------------------------------------------

    def refresh(self) -> None:
        """See what others have written, as far as that is a matter of a moment; or that the server is away."""
        if time.monotonic() < self._away_until:
            return
        for _ in self.catch_up(QUESTION_SECONDS):
            pass

    def catch_up(self, seconds: float | None = None, *, skips_damaged: bool = False) -> Iterator[Progress]:
        """Have the mirror say what the log says, telling how far it is.

        seconds: after which to leave the rest, and to take the server for away; None where nobody waits.
        skips_damaged: whether documents whose rows the server does not get at count as not there; else it fails.
        Raises ServerAwayError where it is away and nobody waits, or nothing can be answered from.
        """
        patience_seconds = PATIENCE_SECONDS if seconds is None else seconds
        end = None if seconds is None else time.monotonic() + seconds
        try:
            self._make_place()
            if not self._one_thread.acquire(timeout=-1 if seconds is None else seconds):
                return  # another thread is at it
            try:
                with self._alone(seconds) as is_alone, self._told():
                    if is_alone:
                        log = self._connect(patience_seconds)
                        read = partial(self._read, skips_damaged=skips_damaged, patience_seconds=patience_seconds)
                        for told in follow(self.lexicon, log, read, patience_seconds):
                            yield told
                            if end is not None and time.monotonic() > end:
                                break
            finally:
                self._one_thread.release()
            self.is_read_only, self._away_until = False, 0.0
        except ServerAwayError as error:
            self._note_away(error)
            if seconds is None:
                raise
        except DamagedError:
            if seconds is None:
                raise

    @contextmanager
    def _alone(self, seconds: float | None) -> Iterator[bool]:
        """Keep other processes of this machine from the mirror; whether that came about in time."""
        with disk_errors(self.place):
            places.make_way(self.place / "lock")
            try:
                self._place_lock.acquire(timeout=-1 if seconds is None else seconds)
            except TimeoutError:
                yield False
                return
        try:
            yield True
        finally:
            self._place_lock.release()

    def _connect(self, patience_seconds: float) -> Log:
        """Find the store's collections on the server, or make them; begin a mirror that is not of them."""
        if self._log is None:
            made_with = {name: value for name, value in self._made_with.items() if name != "folder"}
            found = self._server.find(f"{self.name}-log", patience_seconds)
            if found is None:
                found = self._server.open(f"{self.name}-log", made_with, _LOG_HNSW)
            self._refuse_other(found.metadata)
            self._log, self._rows = Log(found), None
        if not self.lexicon.is_usable() or self.lexicon.made_with().get("log") != self._log.id:
            self.lexicon.create({**self._made_with, "log": self._log.id})
            self.lexicon.mark(whole=True)  # of what it holds, which is none yet, nothing is missing
        return self._log

    def _read(
        self,
        versions: Sequence[tuple[Record, str]],
        turn: Turn,
        *,
        skips_damaged: bool,
        patience_seconds: float,
    ) -> dict[str, list[Row]]:
        """The rows of versions that entries tell of, by document id; without those that cannot be had."""
        try:
            return read_rows(self._open_rows(turn.generation), versions, patience_seconds)
        except CollectionDamagedError:
            if not skips_damaged:
                raise
            return {}
        except CollectionGoneError:
            # They were made anew since, which a later entry tells; what counts then has the same ids there.
            later = [entry.generation for entry in self._require_log().read(turn.number) if entry.moves]
            if not later:
                raise
            return read_rows(self._open_rows(later[-1]), versions, patience_seconds)

    def _open_rows(self, generation: int) -> Collection:
        """The rows of a generation. Raises CollectionGoneError where there are others by now."""
        if self._rows is None or self._rows[0] != generation:
            name = f"{self.name}-rows-{generation}"
            if generation == FIRST_GENERATION and self.lexicon.followed()[0] == 0:
                found: Collection | None = self._server.open(name, {"generation": generation}, _ROWS_HNSW)
            else:
                found = self._server.find(name)
            if found is None:
                raise CollectionGoneError(f"There is no collection {name}.")
            self._rows = generation, found
        return self._rows[1]

    @property
    def _current_rows(self) -> Collection:
        return self._open_rows(self.lexicon.followed()[1])

    def _note_away(self, error: ServerAwayError) -> None:
        """Answer from the mirror for a while, where there is one."""
        if not self.lexicon.is_usable():
            raise error
        self._refuse_other(self.lexicon.made_with())
        if not self.is_read_only:
            self._news.append(f"{error} Until then answers are from what this machine holds.")
        self.is_read_only, self._away_until = True, time.monotonic() + AWAY_SECONDS

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What the server says of collections that are damaged or gone, as DamagedError: then the work is begun again.

        A log that is gone is another store; claims that are damaged are thrown away, which costs work and no more;
        rows that are damaged are made anew by whoever writes next.
        """
        try:
            yield
        except CollectionGoneError as error:
            self._log, self._rows = None, None
            raise DamagedError(f"The shared store was just made anew on the server ({error}): try again.") from error
        except CollectionDamagedError as error:
            if error.collection == f"{self.name}-claims":
                self._server.delete(error.collection)
            elif error.collection == f"{self.name}-log":
                raise StoreError(
                    f"The Chroma server at {self._address.shown} does not get at the log of the shared store "
                    f"{self.name} ({error}): start the server again; where that does not help, make the store anew "
                    f"with footnote sync {self._folder} --anew."
                ) from error
            else:
                self._must_mend = True
            raise DamagedError(f"The shared store was damaged on the server ({error}): try again.") from error

    @property
    def mark(self) -> str:
        """What stands for what was written up to now, as far as `refresh` has seen; another after each write."""
        return str(self.lexicon.followed()[0]) if self.lexicon.is_usable() else ""

    def require_writable(self) -> None:
        """Raise StoreError where the server is away."""
        if self.is_read_only:
            raise ServerAwayError(
                f"The Chroma server at {self._address.shown} does not answer: see that it runs and is reached from "
                "here, then try again."
            )

    def explain_read_only(self) -> str:
        """Why the store may only be read, in a sentence."""
        return f"The Chroma server at {self._address.shown} does not answer: answers are from what this machine holds"

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
        with self._told():
            if self._must_mend:
                self._make_rows_anew()
            self._follow()
            claims = Claims(self._server.open(f"{self.name}-claims", {}, _CLAIMS_HNSW))
            with claims.working():
                self._worker = _Worker(claims, self.lexicon.all_numbers())
                yield
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
            self._follow()
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
        """Those of files that nobody has read since we began, and that are not stored as they are."""
        files = list(files)
        ids = [identify(file.path) for file in files]
        skipped, numbers = self.lexicon.skipped(), self.lexicon.numbers_of_entries(ids)
        records = {record.document_id: record for record in self.lexicon.records_of(ids)}
        left = []
        for document_id, file in zip(ids, files, strict=True):
            record, refused = records.get(document_id), skipped.get(file.path)
            state = (record.size_bytes, record.modified_ns) if record else refused[:2] if refused else None
            is_new = numbers.get(document_id, 0) > self._at_work.begun.get(document_id, 0)
            # Of a file that may have changed without its clock telling, no time is noted.
            if state != (file.size_bytes, file.modified_ns) and not (is_new and state == (file.size_bytes, -1)):
                left.append(file)
        return left

    def numbers(self) -> Mapping[str, int]:
        """Which entry made each document what it is; see `remove`."""
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
        found = find_rows(self._current_rows, self._token(version), list(places.values()))
        version.waiting = [row for row in version.waiting if places[row[0].id] not in found]

    def put(self, versions: Sequence[Version]) -> None:
        """Store what has come of several documents' versions; those that are complete become visible, all at once."""
        for version in versions:
            places = self._places(version)
            rows = [(places[chunk.id], chunk, embedded) for chunk, embedded in version.waiting if embedded]
            for _, _, embedded in rows[:1]:
                self._require_length(embedded.vector)
            write_rows(self._current_rows, self._token(version), rows)
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

    def remove(self, document_ids: Sequence[str], before: Mapping[str, int] | None = None) -> None:
        """Remove documents.

        before: which entries had made documents what they were before the folder was looked at. What has changed
        since is removed only where its file is not there now.
        """
        self._follow()
        now = self.lexicon.numbers_of_entries(document_ids)
        gone = [
            record.document_id
            for record in self.lexicon.records_of(document_ids)
            if before is None
            or before.get(record.document_id) == now[record.document_id]
            or not self._stands(record.path)
        ]
        self._commit([Change("removed", document_id, now[document_id]) for document_id in gone])

    def _stands(self, path: str) -> bool:
        """Whether there is a file of a path now, or one that what is called so lies in."""
        file = self._folder / path
        return os.path.lexists(file) or any(
            above.is_file() for above in file.parents if above.is_relative_to(self._folder) and above != self._folder
        )

    def touch(self, states: Sequence[tuple[str, int, int]]) -> None:
        """Record that files were rewritten with the same content: a document's id, and the file's size and time."""
        self._commit(
            [Change("touched", i, self._base(i), size_bytes=size, modified_ns=time) for i, size, time in states]
        )

    def note_skipped(self, skipped: Sequence[Skipped]) -> None:
        """Note that files cannot be read: path, size in bytes, time of change, reason."""
        known = self.lexicon.skipped()
        self._commit(
            [
                Change("skipped", i, self._base(i), size_bytes=size, modified_ns=time, path=path, reason=reason)
                for path, size, time, reason in skipped
                if known.get(path) != (size, time, reason)
                for i in [identify(path)]
            ]
        )

    def conclude_skipped(self, skipped: Sequence[Skipped]) -> None:
        """Forget of files that could not be read those that are not among these, and are not there any more."""
        still = {path for path, *_ in skipped}
        gone = [path for path in self.lexicon.skipped() if path not in still and not self._stands(path)]
        numbers = self._keys(map(identify, gone))
        self._commit([Change("removed", document_id, base) for document_id, base in numbers.values()])

    def _commit(self, changes: Sequence[Change]) -> None:
        """Write changes into the log, and take away the rows of what they put out of sight."""
        ids = [change.document_id for change in changes]
        before = {
            record.document_id: (token, record.chunk_count)
            for record in self.lexicon.records_of(ids)
            for token in self.lexicon.tokens([record.document_id]).values()
        }
        number, generation = self.lexicon.followed()
        written: dict[str, int] = {}
        for entry in gather(changes):
            number = self._require_log().append(number, entry, generation)
            written |= dict.fromkeys((change.document_id for change in entry), number)
            for change in entry:
                self._at_work.bases.pop(change.document_id, None)
        if not changes:
            return
        self._follow()
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
        self._current_rows.delete(stale)

    def _require_log(self) -> Log:
        if self._log is None:
            raise DamagedError("The shared store was just made anew on the server: try again.")
        return self._log

    def _follow(self, *, skips_damaged: bool = False) -> None:
        """See all that is in the log. skips_damaged: rather than fail at rows that cannot be had."""
        for _ in self.catch_up(skips_damaged=skips_damaged):
            pass

    def settle(self) -> None:
        """Remove what workers that are gone have left of versions that never counted. The end of every sync."""
        visible = self.lexicon.count_chunks()
        rows = self._current_rows
        if (count := rows.count()) == visible or not self._at_work.claims.is_alone():
            return
        self._follow()
        if count < self.lexicon.count_chunks():
            self._make_rows_anew()
            return
        tokens = self.lexicon.all_tokens()
        stale: list[str] = []
        for names in rows.pages_of_ids():
            stale += [name for name in names if read_row_id(name)[0] not in tokens]
        rows.delete(stale)

    def take(self, lexicon: Lexicon) -> Iterator[Progress]:
        """Hold what another store's lexicon holds, and nothing else; nothing is embedded anew."""
        records = lexicon.records()
        still = {record.document_id for record in records}
        self.remove([r.document_id for r in self.lexicon.records() if r.document_id not in still])
        done, total = 0, lexicon.count_chunks()
        for record in records:
            document_id = record.document_id
            if self.lexicon.record(document_id) != record:
                chunks = lexicon.chunks_of(document_id)
                known = lexicon.embedded(chunk.id for chunk in chunks)
                base = self._base(document_id)
                token = make_token(document_id, record.content_hash, base)
                write_rows(self._current_rows, token, [(n, c, known[c.id]) for n, c in enumerate(chunks)])
                self._commit([Change("stored", document_id, base, record, token)])
            done += record.chunk_count
            yield Progress("Copying", done, total, "passages")
        self.note_skipped([(path, *state) for path, state in lexicon.skipped().items()])

    # -- making anew --------------------------------------------------------------------------

    def _make_rows_anew(self) -> None:
        """Have the rows that count be written afresh of the mirror, as another generation.

        One worker does; where another is at it, that one is waited for, and one whose mirror lacks something waits
        first whether another does.
        """
        generation = self.lexicon.followed()[1]
        claims = Claims(self._server.open(f"{self.name}-claims", {}, _CLAIMS_HNSW))
        with claims.working():
            begun = time.monotonic()
            while not self._has_moved(generation):
                lacks = any(True for _ in self._require_log().read(self.lexicon.followed()[0]))
                if lacks and time.monotonic() - begun < LEASE_SECONDS:
                    time.sleep(LOOK_SECONDS)
                elif claims.claim([("rows", generation)]).ours:
                    self._make_generation(generation + 1)
                else:
                    time.sleep(LOOK_SECONDS)
        self._must_mend = False

    def _has_moved(self, generation: int) -> bool:
        """Whether the log tells of a later generation of rows than this."""
        followed, current = self.lexicon.followed()
        log = self._require_log()
        return current > generation or any(entry.moves for entry in log.read(followed))

    def _make_generation(self, generation: int) -> None:
        """Write the rows of what the mirror holds, and have them count from the next entry of the log on."""
        while True:
            # Of what was stored since and cannot be had, nothing is kept: the next sync reads it again.
            self._follow(skips_damaged=True)
            self._fill(generation)
            if self._require_log().move(self.lexicon.followed()[0], generation):
                break
        self._server.delete(f"{self.name}-rows-{generation - 1}")
        self._news.append(f"The vectors of the shared store {self.name} were made anew of what this machine holds.")

    def _fill(self, generation: int) -> None:
        """Write all rows that count into a collection of their own."""
        rows = self._server.open(f"{self.name}-rows-{generation}", {"generation": generation}, _ROWS_HNSW)
        for record in self.lexicon.records():
            chunks = self.lexicon.chunks_of(record.document_id)
            known = self.lexicon.embedded(chunk.id for chunk in chunks)
            token = self.lexicon.tokens([record.document_id])[record.document_id]
            write_rows(rows, token, [(n, c, known[c.id]) for n, c in enumerate(chunks) if c.id in known])

    # -- checking -----------------------------------------------------------------------------

    def check(self, told: Told = lambda progress: None) -> dict[str, str]:
        """What is wrong with the store, by document id, "" for what concerns no document; reads all of it.

        Every visible chunk must have the row that the mirror tells of, with its vector, and be found by it; and there
        must be no row besides, unless somebody is writing.
        """
        self._follow()
        if self.lexicon.find_damage() or not self.lexicon.is_usable():
            return {"": "the mirror of the shared store is missing or damaged"}
        rows = self._current_rows
        wrong: dict[str, str] = {}
        records = self.lexicon.records()
        for i in range(0, len(records), CHECKED_DOCUMENTS):
            told(Progress("Checking the store", i, len(records), "documents"))
            some = records[i : i + CHECKED_DOCUMENTS]
            tokens = self.lexicon.tokens([record.document_id for record in some])
            stored = read_rows(rows, [(record, tokens[record.document_id]) for record in some])
            for record in some:
                lost = self._find_lost(rows, record, stored.get(record.document_id, []))
                if lost:
                    wrong[record.document_id] = (
                        f"{record.path}: {lost} of {record.chunk_count} chunks are lost or not found"
                    )
        visible = self.lexicon.count_chunks()
        if not wrong and (count := rows.count()) != visible and self._at_work.claims.is_alone():
            wrong[""] = f"{count:,} rows where {visible:,} count"
        return wrong

    def _find_lost(self, rows: Collection, record: Record, stored: Sequence[Row]) -> int:
        """How many of a document's chunks the server has not as the mirror has them, or does not find."""
        import numpy as np

        chunks = self.lexicon.chunks_of(record.document_id)
        known = self.lexicon.embedded(chunk.id for chunk in chunks)
        if len(stored) != len(chunks):
            return len(chunks)
        same = [
            row
            for row, chunk in zip(stored, chunks, strict=True)
            if row[0] == chunk and chunk.id in known and np.array_equal(row[1].vector, known[chunk.id].vector)
        ]
        missed = rows.miss([embedded.vector for _, embedded in same])
        return len(chunks) - len(same) + missed

    def repair(self, wrong: Mapping[str, str]) -> None:
        """Make anew what `check` found wrong, of what is whole; a sync then brings back the rest. Needs `writing`."""
        if not wrong:
            return
        if not self.lexicon.is_usable():
            self._follow()
        self._make_rows_anew()
        self.settle()

    # -- reading ------------------------------------------------------------------------------

    def nearest(
        self, vector: Vectors, count: int, documents: AbstractCollection[str] | None = None
    ) -> dict[str, float]:
        """The ids of the chunks nearest to a unit vector, best first, with their cosine similarity; see `Store`."""
        self._require_length(vector)
        if documents is None and time.monotonic() >= self._away_until and not self._must_mend:
            try:
                found = self._current_rows.query(vector, count, QUESTION_SECONDS)
                ids = self.lexicon.find_chunks([*found])
                return {ids[name]: 1.0 - distance for name, distance in found.items() if name in ids}
            except ServerAwayError as error:
                self._note_away(error)
            except CollectionDamagedError:
                self._must_mend = True
            except CollectionGoneError:
                self._log, self._rows = None, None
        return self.lexicon.nearest(vector, count, documents)

    def let_go(self) -> None:
        """Close all that is open of it, in every thread; nobody may be using it."""
        self._server.close()
        gc.collect()
        self.lexicon.let_go()


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
