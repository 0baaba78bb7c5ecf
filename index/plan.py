"""What a sync is to do: which files are fresh, which are as they were, which documents are gone; and what it did.

What lies in a file, an attachment of a message or a member of an archive, is a document of its own, "mail.eml/a.pdf".
The file's own document is stored after them, and its record says how many they are. The file is read again where they
are not so many, where one of them was stored of another state of the file, or where its own document is pending: so a
sync that was killed at any of them is completed by the next.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass, field
from pathlib import Path

from index.documents import Document, identify
from index.loading.folder import File, scan
from index.loading.formats.recognition import WaitError, may_be_read_now
from index.loading.loader import UnreadableError
from index.loading.opening import open_document
from index.loading.sections import cut_sections, to_pieces
from index.loading.worker import Loader
from index.place import is_file
from index.storing.records import Record
from index.storing.store import Skipped, Store
from index.storing.versions import Version

Loaded = tuple[File, Document, Iterable[str]]  # a document of a file, and its text in sections

REMOVED_TOGETHER = 500  # documents
LOOK_SECONDS = 5.0  # between two looks at what other workers have read
RACY_NS = 50_000_000  # a file changed so shortly before a sync may change again within one tick of its clock


@dataclass(slots=True)
class SyncReport:
    """What a sync did, by path.

    skipped: the reason for each file that is not in the store.
    partial: for each that is in it only in part, what of it could not be read.
    to_read: how many files are still to be read, of how many `files`; what of them is stored is as it was before.
    """

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    moved: list[str] = field(default_factory=list)
    partial: dict[str, str] = field(default_factory=dict)
    to_read: int = 0
    files: int = field(default=0, compare=False)

    def summary(self) -> str:
        """One line for a person: "8 documents: 2 added, 6 unchanged"."""
        names = ("added", "changed", "moved", "removed", "unchanged", "skipped")
        parts = [f"{len(paths):,} {name}" for name in names if (paths := getattr(self, name))]
        count = self.count()
        partly = f", {len(self.partial):,} of them read in part" if self.partial else ""
        return f"{count:,} document{'' if count == 1 else 's'}{partly}" + (f": {', '.join(parts)}" if parts else "")

    def count(self) -> int:
        """How many documents the store holds after the sync."""
        return len(self.added) + len(self.changed) + len(self.moved) + len(self.unchanged)


@dataclass(slots=True)
class Course:
    """How a sync goes, for another thread, which may look at it and stop it.

    is_stopped: set to have it end between two files or pages. What is done stays done; the next sync goes on there.
    reading_since: when it knew what to read, or whom to wait for, as time.monotonic() tells; 0 before.
    bytes_to_read: of all the files that it reads, those that are read by now too.
    to_read, files: as in `SyncReport`.
    """

    is_stopped: bool = False
    reading_since: float = 0.0
    bytes_to_read: int = 0
    to_read: int = 0
    files: int = 0


class Plan:
    """What is to be done: which files are fresh, which are as they were, which records are of files that are gone.

    waiting: the fresh files that hold pictures to be recognised first; known once the fresh ones are loaded.
    """

    def __init__(self, folder: Path, store: Store, *, checksum: bool, course: Course | None = None) -> None:
        self._begun_ns = time.time_ns()  # before any file is looked at
        self._before = store.numbers()  # so is this
        files, refused = scan(folder)
        usable = store.lexicon.is_usable()
        self.report = SyncReport(skipped=refused)
        # Not verified: of one that is not as it was written, the file is read again.
        records = store.lexicon.records(verifies=False) if usable else []
        self.records = {record.path: record for record in records}
        self.interrupted = set(store.lexicon.pending()) if usable else set()
        self.fresh: list[File] = []
        self.waiting: list[File] = []
        self._folder = folder
        self._store = store
        self._usable = usable
        self._skipped: list[Skipped] = []
        self._failed: list[Skipped] = []  # of these, those that are not noted in the store yet
        self._touched: list[tuple[Record, File]] = []
        self._gone: dict[str, Record] = {}
        self._within: dict[str, list[Record]] = {}  # the records of what lies in a file, by its path
        self._find_gone({file.path for file in files})
        before = store.lexicon.skipped() if usable else {}
        for file in files:
            skipped = before.get(file.path)
            if not checksum and self._is_known(file):
                for record in (self.records[file.path], *self._within.get(file.path, ())):
                    self.report.unchanged.append(record.path)
                    self._note_unread(record.path, record.unread)
            elif (
                skipped
                and not checksum
                and (file.size_bytes, file.modified_ns) == skipped[:2]
                and not may_be_read_now(skipped[2])
            ):
                self._skip(file, skipped[2])
                self._gone |= {record.path: record for record in self._within.get(file.path, ())}
            else:
                self.fresh.append(file)
        self.report.unchanged.sort()
        self._paths = {file.path for file in self.fresh}
        self._left = set(self._paths)
        self.course = course or Course()
        self.course.files = self.report.files = len(files)
        self._count_left()
        self.bytes_to_read = self.course.bytes_to_read = sum(file.size_bytes for file in self.fresh)
        self._bytes_stored = 0
        self._looked = 0.0  # when it was seen last what other workers have read
        self._read: set[str] = set()  # the paths of files that we have read
        self._moved: set[str] = set()
        self._moved_from = {record.content_hash: path for path, record in self._gone.items()}
        self._around: Record | None = None  # of the file whose enclosed documents are being loaded

    def _find_gone(self, present: Set[str]) -> None:
        """Tell the records of what lies in files that are there from those of what is gone."""
        for path, record in self.records.items():
            if path not in present:
                around = next((above for above in _find_above(path) if above in present), None)
                if around is None:
                    self._gone[path] = record
                else:
                    self._within.setdefault(around, []).append(record)

    def _is_known(self, file: File) -> bool:
        """Whether a file and what lies in it are as they were when they were stored, and are stored whole."""
        record, state = self.records.get(file.path), (file.size_bytes, file.modified_ns)
        if not record or state != (record.size_bytes, record.modified_ns):
            return False
        within = self._within.get(file.path, ())
        if len(within) != record.enclosed_count:
            return False
        if any((inner.size_bytes, inner.modified_ns) != state for inner in within):
            return False
        # Where a folder stands in a file's place, the record may be of what lay in that file.
        is_below = bool(self._gone) and any(above in self._gone for above in _find_above(file.path))
        return not is_below and record.document_id not in self.interrupted

    @property
    def is_of_whole(self) -> bool:
        """Whether it was made of a store in which nothing was to be mended."""
        return self._usable and not self.interrupted

    def is_idle(self) -> bool:
        """Whether the store equals the folder already."""
        return self._usable and self._store.lexicon.is_read() and not (self.fresh or self._gone or self.interrupted)

    def load(self, loader: Loader, files: Iterable[File], *, waits: bool = False) -> Iterator[Loaded]:
        """The documents of some files that are to be stored; the report says what they are.

        waits: whether files that hold pictures wait.
        """
        for file, following in _with_following(files):
            if self.course.is_stopped:
                break
            self._read.add(file.path)
            try:
                document, sections = open_document(file, loader, following, waits=waits)
            except WaitError:
                self.waiting.append(file)
                continue
            except UnreadableError as error:
                self.fail(file, str(error))
                continue
            still = {inner.path for inner in document.enclosed}
            stale = {record.path: record for record in self._within.get(file.path, ()) if record.path not in still}
            self._gone |= stale
            self._moved_from |= {record.content_hash: path for path, record in stale.items()}
            self._around = self.records.get(file.path)
            for inner in document.enclosed:
                if self._is_new(file, inner):
                    yield file, inner, cut_sections(to_pieces(inner.text))
            self._around = None
            if self._is_new(file, document):
                yield file, document, sections
        self.report.removed = sorted(self._gone.keys() - self._moved)
        self.report.unchanged.sort()

    def _is_new(self, file: File, document: Document) -> bool:
        """Whether a document of a file is to be stored; the report says what it is."""
        path, record = document.path, self.records.get(document.path)
        self._note_unread(path, document.unread)
        is_same = record and record.content_hash == document.content_hash
        if record and is_same and record.enclosed_count == len(document.enclosed):
            self.report.unchanged.append(path)
            self._touched.append((record, file))
            self._count_left(path)
            return False
        if record:
            self.report.changed.append(path)
        elif document.content_hash in self._moved_from:
            self._moved.add(self._moved_from.pop(document.content_hash))
            self.report.moved.append(path)
        else:
            self.report.added.append(path)
        return True

    def announce(self) -> None:
        """Have the next sync read a file again if only some of what lies in it come to be stored."""
        if self._around:
            self._store.announce([self._around.document_id])

    def count_waiting(self) -> None:
        """Report of the files that wait what they will be."""
        for file in self.waiting:
            (self.report.changed if file.path in self.records else self.report.added).append(file.path)

    def fail(self, file: File, reason: str) -> None:
        """Note that a file cannot be read, and that what the store has of it goes."""
        self._skip(file, reason)
        self._failed.append(self._skipped[-1])
        self._count_left(file.path)
        self.report.partial.pop(file.path, None)
        for paths in (self.report.added, self.report.changed, self.report.moved):
            if file.path in paths[-1:]:
                paths.pop()
        if file.path in self.records:
            self._gone[file.path] = self.records[file.path]
        self._gone |= {record.path: record for record in self._within.get(file.path, ())}

    def note_states(self) -> None:
        """Have the store know which files hold what they held before, and which cannot be read."""
        touched = [(r.document_id, file.size_bytes, self.steady(file.modified_ns)) for r, file in self._touched]
        failed, self._touched, self._failed = self._failed, [], []
        self._store.touch(touched)
        self._store.note_skipped(failed)

    def find_left(self, files: Iterable[File]) -> list[File]:
        """Those of files that are still to be read, since other workers are at them; what these have read is noted."""
        if self.course.is_stopped:
            return []
        waiting = {file.path for file in self.waiting}
        files = [file for file in files if file.path not in waiting]
        left = self._store.unread(files)
        self._read.difference_update(file.path for file in left)  # what we have read of it came too late to count
        unread = {file.path for file in left}
        if others := [file for file in files if file.path not in unread and file.path not in self._read]:
            skipped = self._store.lexicon.skipped()
            for file in others:
                self._note_read(file, skipped.get(file.path))
        return left

    def _note_read(self, file: File, refused: tuple[int, int, str] | None) -> None:
        """Note what another worker has made of a file. refused: what is known of it where it could not be read."""
        lexicon = self._store.lexicon
        self._read.add(file.path)
        self._bytes_stored += file.size_bytes
        if refused and not lexicon.record(identify(file.path)):
            self._skip(file, refused[2])
            self._count_left(file.path)
            return
        for record in lexicon.records_at(file.path):
            before = self.records.get(record.path)
            self._note_unread(record.path, record.unread)
            is_same = before and before.content_hash == record.content_hash
            of_kind = self.report.unchanged if is_same else self.report.changed if before else self.report.added
            of_kind.append(record.path)
        self._count_left(file.path)

    def conclude(self) -> None:
        """Remove what is gone, and settle what interrupted syncs have left."""
        store = self._store
        self._remove_gone()
        store.settle()
        store.conclude_skipped(self._skipped, self._stands)

    def _remove_gone(self) -> None:
        """Remove what is gone; what another has stored since the folder was looked at, only where it is gone still."""
        ids = [record.document_id for record in self._gone.values()]
        for i in range(0, len(ids), REMOVED_TOGETHER):
            gone = ids[i : i + REMOVED_TOGETHER]
            while gone:
                numbers = self._store.numbers()  # before the folder is looked at again
                gone = [
                    record.document_id
                    for record in self._store.lexicon.records_of(gone)
                    if numbers.get(record.document_id) == self._before.get(record.document_id)
                    or not self._stands(record.path)
                ]
                self._store.remove(gone, numbers)

    def _stands(self, path: str) -> bool:
        """Whether there is a file of a path now, or one that what is called so lies in."""
        if os.path.lexists(self._folder / path):
            return True
        return any(is_file(self._folder / above) for above in _find_above(path))

    def count_bytes(self, batch: list[Version]) -> int:
        """How many bytes of the fresh files are stored, once this batch is."""
        if self._store.is_shared and time.monotonic() - self._looked > LOOK_SECONDS:
            self.find_left([file for file in self.fresh if file.path not in self._read])
            self._looked = time.monotonic()
        of_files = [version for version in batch if version.document.path in self._paths]
        self._bytes_stored += sum(version.size_bytes for version in of_files if version.is_complete)
        self._count_left(*(version.document.path for version in of_files if version.is_complete))
        return self._bytes_stored + sum(version.characters for version in of_files if not version.is_complete)

    def steady(self, modified_ns: int) -> int:
        """A time of change to compare with later, or -1 where the file may change again without its clock telling."""
        return -1 if self._begun_ns - modified_ns < RACY_NS else modified_ns

    def _count_left(self, *read: str) -> None:
        """Count the files that are still to be read, now that these are."""
        self._left.difference_update(read)
        self.course.to_read = self.report.to_read = len(self._left)

    def _note_unread(self, path: str, unread: str) -> None:
        if unread:
            self.report.partial[path] = unread

    def _skip(self, file: File, reason: str) -> None:
        self.report.skipped[file.path] = reason
        self._skipped.append((file.path, file.size_bytes, self.steady(file.modified_ns), reason))


def _with_following(files: Iterable[File]) -> Iterator[tuple[File, File | None]]:
    """Each file with the one after it, None after the last."""
    before: File | None = None
    for file in files:
        if before:
            yield before, file
        before = file
    if before:
        yield before, None


def _find_above(path: str) -> Iterator[str]:
    """The paths of the folders, or files, that a path leads through."""
    end = path.find("/")
    while end >= 0:
        yield path[:end]
        end = path.find("/", end + 1)
