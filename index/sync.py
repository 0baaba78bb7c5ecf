"""The walk of a document: load, split, embed, store. After a sync the store equals the folder.

While a batch of chunks is stored, the next one is loaded, split and embedded: a kill costs two batches at most.
Files that hold pictures of text come last, since to recognise a page takes seconds: by then all else can be found.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from index.documents import Chunk, Progress
from index.embedding.protocol import Embedded, Embedding
from index.errors import FolderError, ModelError
from index.follower import Follower
from index.loading.folder import File
from index.loading.loader import UnreadableError
from index.loading.opening import recognise
from index.loading.recognised import FOLDER, Recognised
from index.loading.worker import Loader
from index.place import DamagedError, NoRoomError
from index.plan import Course, Loaded, Plan, SyncReport
from index.splitting.outline import Heads, Outline
from index.splitting.splitter import split
from index.steps import walk
from index.storing.keeper import HeldError
from index.storing.store import Store
from index.storing.versions import Version, chunk_id, number_chunks, pack

ATTEMPTS = 3  # at a store that is found damaged, or made anew by another
CLAIMED_FILES = 16  # at a time, by one of several workers
LOOK_SECONDS = 0.5  # between two looks at what the others have done
BATCH_CHUNKS = 256  # chunks that are embedded and stored together, whatever documents they come from
WAIT_SECONDS = 1.0


@walk("sync")
def sync(
    folder: Path,
    store: Store,
    embedding: Embedding,
    *,
    checksum: bool = False,
    dry_run: bool = False,
    patient: bool = True,
    recognises: bool = True,
    course: Course | None = None,
    loader: Loader | None = None,
) -> Generator[Progress, None, SyncReport]:
    """Make the store equal to the folder, telling how far it is and what had to be mended.

    checksum: read every file, also those whose size and time of change say that they are as they were.
    dry_run: change nothing, and report what a sync would do.
    patient: wait for another process that is syncing the folder; else leave it to that one, if there is a version
        to answer from meanwhile, and be content with a store that may not be written.
    recognises: read the files that hold pictures of text too, which takes seconds a page; else the next sync does.
    course: where another thread sees how it goes, and may stop it.
    loader: what reads the files, kept from one sync to the next, since to start it takes as long as many a file; not
        after one that was stopped or failed, which leaves it in the middle.

    Raises FolderError where the folder is missing or holds nothing that can be read, StoreError where the store
    cannot be written, ModelError where a server is to embed and does not.
    """
    wanted = _Wanted(checksum, dry_run, patient, recognises, course or Course(), loader)
    try:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                report = yield from _make_equal(folder, store, embedding, wanted)
                break
            except DamagedError:  # what is damaged is made anew first, now that it is known
                if attempt == ATTEMPTS:
                    raise
    except ModelError as error:
        told = f"{error} What was embedded before is kept: the next sync goes on from there."
        raise ModelError(told, retry_helps=error.retry_helps) from None
    return report


class _Wanted(NamedTuple):
    """What is asked of a sync; see there."""

    checksum: bool
    dry_run: bool
    patient: bool
    recognises: bool
    course: Course
    loader: Loader | None


def _make_equal(
    folder: Path, store: Store, embedding: Embedding, wanted: _Wanted
) -> Generator[Progress, None, SyncReport]:
    with suppress(NoRoomError):  # where there is nothing to write, a full disk is no hindrance
        store.refresh()
        if wanted.patient and not store.is_read_only:
            yield from store.catch_up()
    yield from _tell_news(store)
    course, mark = wanted.course, store.mark
    plan = Plan(folder, store, checksum=wanted.checksum, course=course)
    with ExitStack() as held:
        if wanted.dry_run:
            for _ in plan.load(held.enter_context(open_loader(store)), plan.fresh, waits=True):
                pass
            plan.count_waiting()
            plan.report.to_read = 0
        elif not plan.is_idle():
            if store.is_read_only and not wanted.patient:
                yield Progress(store.explain_read_only())
                return plan.report
            course.reading_since = time.monotonic()
            if not (yield from _hold(store, held, course, patient=wanted.patient or not plan.records)):
                return plan.report
            yield from _tell_news(store)
            if store.mark != mark or not plan.is_of_whole:  # somebody has written meanwhile, or something was mended
                plan = Plan(folder, store, checksum=wanted.checksum, course=course)
            course.reading_since = time.monotonic()
            yield from _read_again(store, embedding, course)
            if plan.bytes_to_read:
                yield Progress(plan.fresh[0].path, 0, plan.bytes_to_read, "bytes")
            loader = wanted.loader or held.enter_context(open_loader(store))

            def read(files: Iterable[File]) -> Iterator[Progress]:
                return _put(plan.load(loader, files, waits=True), plan, store, embedding)

            def read_pictures(files: Iterable[File]) -> Iterator[Progress]:
                for file in files:
                    yield from _recognise(file, loader, course)
                    yield from _put(plan.load(loader, [file]), plan, store, embedding)

            yield from _share(plan.fresh, read, plan, store, patient=wanted.patient)
            if wanted.recognises:
                waiting, plan.waiting = plan.waiting, []
                yield from _share(waiting, read_pictures, plan, store, patient=wanted.patient, together=1)
            if course.is_stopped:
                plan.report.removed = []  # which the next sync does, once it knows what was moved
                return plan.report
            plan.conclude()
    if not plan.report.count() and (wanted.recognises or not plan.waiting):
        raise FolderError(_explain_empty(folder, plan.report))
    return plan.report


def _share(
    files: list[File],
    read: Callable[[Iterable[File]], Iterator[Progress]],
    plan: Plan,
    store: Store,
    *,
    patient: bool,
    together: int = CLAIMED_FILES,
) -> Iterator[Progress]:
    """Read the files that no other worker is at; a patient one also the rest, as far as these leave any.

    together: how many are claimed at a time.
    """
    while not plan.course.is_stopped:
        yield from read(store.claim(files, together))
        plan.note_states()
        store.give_back()
        left = plan.find_left(files)
        if not left or not patient:
            return
        if len(left) < len(files):
            yield Progress(f"Waiting for other workers, who are at {len(left):,} of the files")
        time.sleep(LOOK_SECONDS)
        files = left


def _put(loaded: Iterable[Loaded], plan: Plan, store: Store, embedding: Embedding) -> Iterator[Progress]:
    """Store what is loaded; while one batch is stored, the next is gathered and embedded."""
    before: list[Version] = []
    with Follower(partial(_store, store)) as follower:
        for batch in _gather(loaded, plan, embedding, store.chunk_tokens):
            if _has_twin(batch, before):
                follower.wait()  # then the lexicon knows what the twin was embedded as
            _embed(batch, plan, store, embedding)
            follower.wait()
            plan.announce()
            follower.give(stored := [version.so_far() for version in batch])
            yield from _tell(before, plan)
            before = stored
        follower.wait()
        yield from _tell(before, plan)


def _has_twin(batch: list[Version], before: list[Version]) -> bool:
    """Whether some of a batch have the content of what was completed with the batch before."""
    complete = {version.document.content_hash for version in before if version.is_complete}
    return any(version.document.content_hash in complete for version in batch)


def _store(store: Store, batch: list[Version]) -> None:
    """Store a batch, in a thread that does nothing else."""
    try:
        store.put(batch)
    finally:
        store.close()


def _tell(stored: list[Version], plan: Plan) -> Iterator[Progress]:
    if stored:
        yield Progress(stored[-1].document.path, plan.count_bytes(stored), plan.bytes_to_read, "bytes")


def _recognise(file: File, loader: Loader, course: Course) -> Iterator[Progress]:
    """Have a file that waits be recognised, page by page; what is done stays done."""
    with suppress(UnreadableError):  # which its loading tells
        for number, count in recognise(file, loader):
            if course.is_stopped:
                return
            page = f", page {number:,} of {count:,}" if count > 1 else ""
            yield Progress(f"Reading {file.path}{page}")


def open_loader(store: Store) -> Loader:
    """What reads the files of a store's folder."""
    return Loader(recognised=Recognised(store.place.parent / FOLDER))


def _tell_news(store: Store) -> Iterator[Progress]:
    yield from map(Progress, store.take_news())


def _hold(store: Store, held: ExitStack, course: Course, *, patient: bool) -> Generator[Progress, None, bool]:
    """Take the store for writing; a patient one says who holds it as long as somebody else does."""
    while not course.is_stopped:
        try:
            held.enter_context(store.writing(WAIT_SECONDS if patient else 0))
            return True
        except HeldError as holder:
            if not patient:
                return False
            yield Progress(f"Waiting for {holder}, which is syncing this folder")
    return False


def _gather(loaded: Iterable[Loaded], plan: Plan, embedding: Embedding, chunk_tokens: int) -> Iterator[list[Version]]:
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
                if plan.course.is_stopped:
                    return
                version.characters += len(section)
                above = outline.below
        except UnreadableError as error:
            plan.fail(file, str(error))
            batch.remove(version)
            continue
        version.is_complete = True
    if batch and not plan.course.is_stopped:
        yield batch


def _embed(batch: list[Version], plan: Plan, store: Store, embedding: Embedding) -> None:
    """Give every waiting chunk its vector: one that the store has for the same text, else a new one."""
    for version in batch:
        store.resume(version)
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


def _read_again(store: Store, embedding: Embedding, course: Course) -> Iterator[Progress]:
    """Give the sentences of a lexicon that was made anew their vectors, which Chroma does not hold."""
    if store.lexicon.is_read():
        return
    done, total = 0, store.lexicon.count_chunks()
    while chunks := store.lexicon.unread(BATCH_CHUNKS):
        if course.is_stopped:
            return
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
