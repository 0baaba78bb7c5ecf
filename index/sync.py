"""The walk of a document: load, split, embed, store. After a sync the store equals the folder."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

from index.documents import Chunk, Document, Progress
from index.embedding.protocol import Embedded, Embedding
from index.errors import FolderError
from index.loading.folder import File, scan
from index.loading.loader import UnreadableError
from index.loading.opening import open_document
from index.loading.worker import Loader
from index.place import DamagedError, NoRoomError
from index.splitting.outline import Heads, Outline
from index.splitting.splitter import split
from index.storing.keeper import HeldError
from index.storing.records import Record
from index.storing.store import Store
from index.storing.versions import Version, chunk_id, number_chunks, pack

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
            for _ in plan.load(held.enter_context(Loader())):
                pass
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
            loaded = plan.load(held.enter_context(Loader()))
            for batch in _gather(loaded, plan, embedding, store.chunk_tokens):
                _embed(batch, plan, store, embedding)
                store.put(batch)
                yield Progress(batch[-1].document.path, plan.count_bytes(batch), plan.bytes_to_read, "bytes")
            plan.conclude()
    if not plan.report.count():
        raise FolderError(_explain_empty(folder, plan.report))
    return plan.report


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
    """What is to be done: which files are fresh, which are as they were, which records are of files that are gone."""

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
        self._store = store
        self._usable = usable
        self._skipped: list[tuple[str, int, int, str]] = []
        self._touched: list[tuple[Record, File]] = []
        before = store.lexicon.skipped() if usable else {}
        for file in files:
            record, skipped = self.records.get(file.path), before.get(file.path)
            state = (file.size_bytes, file.modified_ns)
            if record and not checksum and state == (record.size_bytes, record.modified_ns):
                self.report.unchanged.append(file.path)
                self._note_unread(file, record.unread)
            elif skipped and not checksum and state == skipped[:2]:
                self._skip(file, skipped[2])
            else:
                self.fresh.append(file)
        present = {file.path for file in files}
        self._gone = {path: record for path, record in self.records.items() if path not in present}
        self.bytes_to_read = sum(file.size_bytes for file in self.fresh)
        self._bytes_stored = 0

    def is_idle(self) -> bool:
        """Whether the store equals the folder already."""
        return self._usable and self._store.lexicon.is_read() and not (self.fresh or self._gone or self.interrupted)

    def load(self, loader: Loader) -> Iterator[tuple[File, Document, Iterable[str]]]:
        """The documents that are to be stored, each with its text in sections; the report says what they are."""
        moved: set[str] = set()
        moved_from = {record.content_hash: path for path, record in self._gone.items()}
        for file, following in zip_longest(self.fresh, self.fresh[1:]):
            record = self.records.get(file.path)
            try:
                document, sections = open_document(file, loader, following)
            except UnreadableError as error:
                self.fail(file, str(error))
                continue
            self._note_unread(file, document.unread)
            if record and record.content_hash == document.content_hash:
                self.report.unchanged.append(file.path)
                self._touched.append((record, file))
                continue
            if record:
                self.report.changed.append(file.path)
            elif document.content_hash in moved_from:
                moved.add(moved_from.pop(document.content_hash))
                self.report.moved.append(file.path)
            else:
                self.report.added.append(file.path)
            yield file, document, sections
        self.report.removed = sorted(self._gone.keys() - moved)
        self.report.unchanged.sort()

    def fail(self, file: File, reason: str) -> None:
        """Note that a file cannot be read, and that what the store has of it goes."""
        self._skip(file, reason)
        self.report.partial.pop(file.path, None)
        for paths in (self.report.added, self.report.changed, self.report.moved):
            if file.path in paths[-1:]:
                paths.pop()
        if file.path in self.records:
            self._gone[file.path] = self.records[file.path]

    def conclude(self) -> None:
        """Remove what is gone, and settle what interrupted syncs have left."""
        store = self._store
        if self._gone:
            store.remove([record.document_id for record in self._gone.values()])
        for record, file in self._touched:
            store.touch(record, file.size_bytes, self.steady(file.modified_ns))
        store.settle()
        store.lexicon.remember_skipped(self._skipped)

    def count_bytes(self, batch: list[Version]) -> int:
        """How many bytes of the fresh files are stored, once this batch is."""
        self._bytes_stored += sum(version.size_bytes for version in batch if version.is_complete)
        return self._bytes_stored + sum(version.characters for version in batch if not version.is_complete)

    def steady(self, modified_ns: int) -> int:
        """A time of change to compare with later, or -1 where the file may change again without its clock telling."""
        return -1 if self._begun_ns - modified_ns < RACY_NS else modified_ns

    def _note_unread(self, file: File, unread: str) -> None:
        if unread:
            self.report.partial[file.path] = unread

    def _skip(self, file: File, reason: str) -> None:
        self.report.skipped[file.path] = reason
        self._skipped.append((file.path, file.size_bytes, self.steady(file.modified_ns), reason))


def _gather(
    loaded: Iterable[tuple[File, Document, Iterable[str]]], plan: Plan, embedding: Embedding, chunk_tokens: int
) -> Iterator[list[Version]]:
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
            known = store.lexicon.embedded(ids.values())
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
