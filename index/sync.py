"""The walk of a document: load, split, embed, store. After a sync the store equals the folder.

What lies in a file, an attachment of a message or a member of an archive, is a document of its own, "mail.eml/a.pdf".
The file's own document is stored after them, and its record says how many they are. The file is read again where they
are not so many, where one of them was stored of another state of the file, or where its own document is pending: so a
sync that was killed at any of them is completed by the next.

Files that hold pictures of text come last, since to recognise a page takes seconds: by then all else can be found.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator, Set
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

from index.documents import Chunk, Document, Progress
from index.embedding.protocol import Embedded, Embedding
from index.errors import FolderError
from index.loading.folder import File, scan
from index.loading.formats.recognition import WaitError, may_be_read_now
from index.loading.loader import UnreadableError
from index.loading.opening import open_document, recognise
from index.loading.recognised import FOLDER, Recognised
from index.loading.sections import cut_sections, to_pieces
from index.loading.worker import Loader
from index.place import DamagedError, NoRoomError
from index.splitting.outline import Heads, Outline
from index.splitting.splitter import split
from index.storing.keeper import HeldError
from index.storing.records import Record
from index.storing.store import Store
from index.storing.versions import Version, chunk_id, number_chunks, pack

_Loaded = tuple[File, Document, Iterable[str]]  # a document of a file, and its text in sections

BATCH_CHUNKS = 256  # chunks that are embedded and stored together, whatever documents they come from
RACY_NS = 50_000_000  # a file changed so shortly before a sync may change again within one tick of its clock
WAIT_SECONDS = 1.0


@dataclass(slots=True)
class SyncReport:
    """What a sync did, by path.

    skipped: the reason for each file that is not in the store.
    partial: for each that is in it only in part, what of it could not be read.
    """

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    moved: list[str] = field(default_factory=list)
    partial: dict[str, str] = field(default_factory=dict)

    def summary(self) -> str:
        """One line for a person: "8 documents: 2 added, 6 unchanged"."""
        names = ("added", "changed", "moved", "removed", "unchanged", "skipped")
        parts = [f"{len(paths):,} {name}" for name in names if (paths := getattr(self, name))]
        parts += [f"{len(self.partial):,} of them read in part"] if self.partial else []
        count = self.count()
        return f"{count:,} document{'' if count == 1 else 's'}" + (f": {', '.join(parts)}" if parts else "")

    def count(self) -> int:
        """How many documents the store holds after the sync."""
        return len(self.added) + len(self.changed) + len(self.moved) + len(self.unchanged)


def sync(
    folder: Path,
    store: Store,
    embedding: Embedding,
    *,
    checksum: bool = False,
    dry_run: bool = False,
    patient: bool = True,
) -> Generator[Progress, None, SyncReport]:
    """Make the store equal to the folder, telling how far it is and what had to be mended.

    checksum: read every file, also those whose size and time of change say that they are as they were.
    dry_run: change nothing, and report what a sync would do.
    patient: wait for another process that is syncing the folder; else leave it to that one, if there is a version
        to answer from meanwhile, and be content with a store that may not be written.

    Raises FolderError where the folder is missing or holds nothing that can be read, StoreError where the store
    cannot be written.
    """
    try:
        report = yield from _make_equal(folder, store, embedding, checksum=checksum, dry_run=dry_run, patient=patient)
    except DamagedError:  # what is damaged is made anew first, now that it is known
        report = yield from _make_equal(folder, store, embedding, checksum=checksum, dry_run=dry_run, patient=patient)
    return report


def _make_equal(
    folder: Path, store: Store, embedding: Embedding, *, checksum: bool, dry_run: bool, patient: bool
) -> Generator[Progress, None, SyncReport]:
    with suppress(NoRoomError):  # where there is nothing to write, a full disk is no hindrance
        store.refresh()
    yield from _tell_news(store)
    plan = Plan(folder, store, checksum=checksum)
    with ExitStack() as held:
        if dry_run:
            for _ in plan.load(held.enter_context(_open_loader(store)), plan.fresh, waits=True):
                pass
            plan.count_waiting()
        elif not plan.is_idle():
            if store.is_read_only and not patient:
                yield Progress(f"The store at {store.place} may not be written: answers are from what it held before")
                return plan.report
            if not (yield from _hold(store, held, patient=patient or not plan.records)):
                return plan.report
            yield from _tell_news(store)
            plan = Plan(folder, store, checksum=checksum)
            yield from _read_again(store, embedding)
            if plan.bytes_to_read:
                yield Progress(plan.fresh[0].path, 0, plan.bytes_to_read, "bytes")
            loader = held.enter_context(_open_loader(store))
            yield from _put(plan.load(loader, plan.fresh, waits=True), plan, store, embedding)
            for file in plan.waiting:
                yield from _recognise(file, loader)
                yield from _put(plan.load(loader, [file]), plan, store, embedding)
            plan.conclude()
    if not plan.report.count():
        raise FolderError(_explain_empty(folder, plan.report))
    return plan.report


def _put(loaded: Iterable[_Loaded], plan: Plan, store: Store, embedding: Embedding) -> Iterator[Progress]:
    """Store what is loaded."""
    for batch in _gather(loaded, plan, embedding, store.chunk_tokens):
        _embed(batch, plan, store, embedding)
        plan.announce()
        store.put(batch)
        yield Progress(batch[-1].document.path, plan.count_bytes(batch), plan.bytes_to_read, "bytes")


def _recognise(file: File, loader: Loader) -> Iterator[Progress]:
    """Have a file that waits be recognised, page by page; what is done stays done."""
    with suppress(UnreadableError):  # which its loading tells
        for number, count in recognise(file, loader):
            page = f", page {number:,} of {count:,}" if count > 1 else ""
            yield Progress(f"Reading {file.path}{page}")


def _open_loader(store: Store) -> Loader:
    return Loader(recognised=Recognised(store.place.parent / FOLDER))


def _tell_news(store: Store) -> Iterator[Progress]:
    yield from map(Progress, store.take_news())


def _hold(store: Store, held: ExitStack, *, patient: bool) -> Generator[Progress, None, bool]:
    """Take the store for writing; a patient one says who holds it as long as somebody else does."""
    while True:
        try:
            held.enter_context(store.writing(WAIT_SECONDS if patient else 0))
            return True
        except HeldError as holder:
            if not patient:
                return False
            yield Progress(f"Waiting for {holder}, which is syncing this folder")


class Plan:
    """What is to be done: which files are fresh, which are as they were, which records are of files that are gone.

    waiting: the fresh files that hold pictures to be recognised first; known once the fresh ones are loaded.
    """

    def __init__(self, folder: Path, store: Store, *, checksum: bool) -> None:
        self._begun_ns = time.time_ns()  # before any file is looked at
        files, refused = scan(folder)
        usable = store.lexicon.is_usable()
        self.report = SyncReport(skipped=refused)
        # Not verified: of one that is not as it was written, the file is read again.
        records = store.lexicon.records(verifies=False) if usable else []
        self.records = {record.path: record for record in records}
        self.interrupted = set(store.lexicon.pending()) if usable else set()
        self.fresh: list[File] = []
        self.waiting: list[File] = []
        self._store = store
        self._usable = usable
        self._skipped: list[tuple[str, int, int, str]] = []
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
        self.bytes_to_read = sum(file.size_bytes for file in self.fresh)
        self._bytes_stored = 0
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

    def is_idle(self) -> bool:
        """Whether the store equals the folder already."""
        return self._usable and self._store.lexicon.is_read() and not (self.fresh or self._gone or self.interrupted)

    def load(self, loader: Loader, files: list[File], *, waits: bool = False) -> Iterator[_Loaded]:
        """The documents of some files that are to be stored; the report says what they are.

        waits: whether files that hold pictures wait.
        """
        for file, following in zip_longest(files, files[1:]):
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
            self._store.lexicon.announce([self._around.document_id])

    def count_waiting(self) -> None:
        """Report of the files that wait what they will be."""
        for file in self.waiting:
            (self.report.changed if file.path in self.records else self.report.added).append(file.path)

    def fail(self, file: File, reason: str) -> None:
        """Note that a file cannot be read, and that what the store has of it goes."""
        self._skip(file, reason)
        self.report.partial.pop(file.path, None)
        for paths in (self.report.added, self.report.changed, self.report.moved):
            if file.path in paths[-1:]:
                paths.pop()
        if file.path in self.records:
            self._gone[file.path] = self.records[file.path]
        self._gone |= {record.path: record for record in self._within.get(file.path, ())}

    def conclude(self) -> None:
        """Remove what is gone, and settle what interrupted syncs have left."""
        store = self._store
        if self._gone:
            store.remove([record.document_id for record in self._gone.values()])
        store.touch([(r.document_id, file.size_bytes, self.steady(file.modified_ns)) for r, file in self._touched])
        store.settle()
        store.lexicon.remember_skipped(self._skipped)

    def count_bytes(self, batch: list[Version]) -> int:
        """How many bytes of the fresh files are stored, once this batch is."""
        of_files = [version for version in batch if version.document.path in self._paths]
        self._bytes_stored += sum(version.size_bytes for version in of_files if version.is_complete)
        return self._bytes_stored + sum(version.characters for version in of_files if not version.is_complete)

    def steady(self, modified_ns: int) -> int:
        """A time of change to compare with later, or -1 where the file may change again without its clock telling."""
        return -1 if self._begun_ns - modified_ns < RACY_NS else modified_ns

    def _note_unread(self, path: str, unread: str) -> None:
        if unread:
            self.report.partial[path] = unread

    def _skip(self, file: File, reason: str) -> None:
        self.report.skipped[file.path] = reason
        self._skipped.append((file.path, file.size_bytes, self.steady(file.modified_ns), reason))


def _find_above(path: str) -> Iterator[str]:
    """The paths of the folders, or files, that a path leads through."""
    end = path.find("/")
    while end >= 0:
        yield path[:end]
        end = path.find("/", end + 1)


def _gather(loaded: Iterable[_Loaded], plan: Plan, embedding: Embedding, chunk_tokens: int) -> Iterator[list[Version]]:
    """Split the documents and gather their chunks until there are enough to embed at once."""
    batch: list[Version] = []
    for file, document, sections in loaded:
        version = Version(document, file.size_bytes, plan.steady(file.modified_ns))
        batch.append(version)
        try:
            above: Heads = ()
            for section in sections:
                outline = Outline(section, above)
                spans = split(outline, embedding.count_tokens, chunk_tokens)
                for chunk in number_chunks(document, outline, version.characters, spans):
                    version.add(chunk)
                    if sum(len(other.waiting) for other in batch) >= BATCH_CHUNKS:
                        yield batch
                        batch = [version]
                version.characters += len(section)
                above = outline.below
        except UnreadableError as error:
            plan.fail(file, str(error))
            batch.remove(version)
            continue
        version.is_complete = True
    if batch:
        yield batch


def _embed(batch: list[Version], plan: Plan, store: Store, embedding: Embedding) -> None:
    """Give every waiting chunk its vector: one that the store has for the same text, else a new one."""
    for version in batch:
        if version.document.id in plan.interrupted:
            following = [chunk.id for chunk, _ in version.waiting[1:]]
            stored, known = store.stored(following), store.lexicon.embedded(following)
            version.waiting = [
                (chunk, known.get(chunk.id, embedded))
                for chunk, embedded in version.waiting
                if chunk.id not in stored or chunk.id not in known
            ]
        twin = store.lexicon.with_content(version.document.content_hash)
        if twin is not None:
            ids = {chunk.id: chunk_id(twin.document_id, twin.content_hash, chunk.start) for chunk, _ in version.waiting}
            # Of one content, two files are different texts where they are read by their names: "a.txt", "a.csv".
            parts = {i: (chunk.text, chunk.sentences) for i, chunk in store.lexicon.chunks(ids.values()).items()}
            alike = (i for c, _ in version.waiting if parts.get(i := ids[c.id]) == (c.text, c.sentences))
            known = store.lexicon.embedded(alike)
            version.waiting = [(chunk, known.get(ids[chunk.id], embedded)) for chunk, embedded in version.waiting]
    new = embed((chunk for version in batch for chunk, embedded in version.waiting if embedded is None), embedding)
    for version in batch:
        version.waiting = [(chunk, embedded or new[chunk.id]) for chunk, embedded in version.waiting]


def embed(chunks: Iterable[Chunk], embedding: Embedding) -> dict[str, Embedded]:
    """What the embedding makes of chunks and of their sentences, by chunk id. What is alike is embedded once."""
    alike: dict[tuple[str, tuple[tuple[int, int], ...]], list[str]] = {}
    for chunk in chunks:
        spans = tuple((sentence.start, sentence.end) for sentence in chunk.sentences)
        alike.setdefault((chunk.text, spans), []).append(chunk.id)
    if not alike:
        return {}
    vectors, sentences = embedding.embed_with_sentences(*zip(*alike, strict=True))
    embedded = [Embedded(vector, pack(rows)) for vector, rows in zip(vectors, sentences, strict=True)]
    return {chunk_id: row for row, ids in zip(embedded, alike.values(), strict=True) for chunk_id in ids}


def _read_again(store: Store, embedding: Embedding) -> Iterator[Progress]:
    """Give the sentences of a lexicon that was made anew their vectors, which Chroma does not hold."""
    if store.lexicon.is_read():
        return
    done, total = 0, store.lexicon.count_chunks()
    while chunks := store.lexicon.unread(BATCH_CHUNKS):
        read = embed(chunks, embedding) if embedding.embeds_sentences else {}
        store.lexicon.put_sentences({c.id: (c.id in read and read[c.id].sentences) or b"" for c in chunks})
        done += len(chunks)
        yield Progress("Reading the sentences again", done, total, "passages")
    store.lexicon.mark_read()


def _explain_empty(folder: Path, report: SyncReport) -> str:
    if not report.skipped:
        return f"{folder} holds no documents: put some files in it."
    path, reason = next(iter(report.skipped.items()))
    return f"{folder} holds nothing that can be read; for one, {path}: {reason}."
