"""A documents folder, opened: its store and its embedding, which are opened once a process and kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from index.documents import Passage, Progress
from index.embedding.engines import open_embedding, open_entailment
from index.embedding.protocol import Embedding, Entailment, Vectors
from index.endpoint import find_embedding
from index.errors import FolderError, FootnoteError, InputError
from index.forking import note_use, refuse_inherited
from index.lending import Loans
from index.loading.address import find_address
from index.loading.mirror import Mirror
from index.loading.worker import Loader
from index.place import DamagedError
from index.plan import Course, SyncReport
from index.searching.cited import Place, read_places
from index.searching.evidence import choose_evidence
from index.searching.reranking import RERANKED_PASSAGES, Reranker
from index.searching.retriever import find_spelled, read_document, retrieve, to_passage
from index.searching.selection import select
from index.searching.surroundings import find_openings
from index.settings import Settings, read_path, shorten
from index.steps import step
from index.storing.keeper import HeldError
from index.storing.opening import identify_store, open_store
from index.storing.records import Record
from index.storing.store import Store
from index.sync import sync

LONGEST_QUESTION_CHARACTERS = 10_000
LONGEST_LOOK_SECONDS = 5.0  # at a bucket that was mirrored before, in a question's own time
STALE = "{} Until then, answers are from what was fetched before."

Result = TypeVar("Result")


def finish(walk: Generator[Progress, None, Result]) -> Result:
    """Run a walk to its end in silence, and give its result."""
    while True:
        try:
            next(walk)
        except StopIteration as end:
            result: Result = end.value
            return result


@dataclass(frozen=True, slots=True)
class Library:
    """What a question is asked of. mirror: where the documents lie in a bucket, whose mirror the folder is."""

    folder: Path
    store: Store
    embedding: Embedding
    settings: Settings
    documents: tuple[str, ...] | None = None  # the ids of those that are answered from; None for all
    mirror: Mirror | None = None

    @property
    def origin(self) -> Path:
        """What names it, and opens it: the folder's whole path, or a bucket's address as a path."""
        return self.mirror.address.path if self.mirror else self.folder

    @property
    def address(self) -> str:
        """The same as it is shown, and given to commands."""
        return str(self.mirror.address if self.mirror else self.folder)

    def sync(
        self,
        *,
        checksum: bool = False,
        dry_run: bool = False,
        patient: bool = True,
        recognises: bool = True,
        course: Course | None = None,
        loader: Loader | None = None,
        looks: bool = True,
    ) -> Generator[Progress, None, SyncReport]:
        """Make the store equal to the folder; see `index.sync.sync`.

        looks: bring the mirror of a bucket up to date first, if there is one; who is not patient does so only where
            nobody has for a while, and is content with what it holds where the bucket cannot be had.

        Raises what `sync` and `Mirror.update` raise.
        """
        if self.mirror and looks and (patient or self.mirror.is_due()):
            yield from self._look(self.mirror, course or Course(), patient=patient)
        try:
            report = yield from sync(
                self.folder,
                self.store,
                self.embedding,
                checksum=checksum,
                dry_run=dry_run,
                patient=patient,
                recognises=recognises,
                course=course,
                loader=loader,
            )
        except FolderError as error:
            if not self.mirror:
                raise
            raise FolderError(str(error).replace(str(self.folder), self.address)) from error
        if self.mirror:
            report.skipped |= self.mirror.refused()
        return report

    @step("look")
    def _look(self, mirror: Mirror, course: Course, *, patient: bool) -> Iterator[Progress]:
        is_patient = patient or not mirror.is_whole()
        end = float("inf") if is_patient else time.monotonic() + LONGEST_LOOK_SECONDS
        try:
            yield from mirror.update(patient=patient, is_stopped=lambda: course.is_stopped or time.monotonic() > end)
        except FootnoteError as error:
            if is_patient:
                raise
            yield Progress(STALE.format(error))
        if time.monotonic() > end:
            yield Progress(STALE.format(f"It takes long to look at {mirror.address}."))

    def begin(self) -> None:
        """Have a store that can be looked at, an empty one where nothing was ever read.

        Raises StoreError where it is not ours to use.
        """
        self.store.refresh()
        if not self.store.is_read_only:
            with suppress(HeldError), self.store.writing(0):  # who holds it has begun it
                pass

    def select(self, only: Sequence[str], unread: Mapping[str, str]) -> Library:
        """The same, to be answered from those documents alone that paths and patterns name; all where there are none.

        unread: why other files are no documents. Raises InputError where one of the patterns fits no document.
        """
        if not only:
            return self
        ids = {record.path: record.document_id for record in self.store.lexicon.records(verifies=False)}
        return replace(self, documents=tuple(ids[path] for path in select(only, [*ids], unread)))

    def records(self) -> list[Record]:
        """The records of the documents that are answered from, by path."""
        records = self.store.lexicon.records()
        if self.documents is None:
            return records
        chosen = frozenset(self.documents)
        return [record for record in records if record.document_id in chosen]

    def open_entailment(self) -> Generator[Progress, None, Entailment]:
        """The entailment model that the settings name, opened when first needed, once a process.

        Raises InputError or WeightsError where it cannot be had.
        """
        model = (self.settings.check, self.settings.cache_folder)
        with _opening_entailment:
            if model not in _entailments:
                _entailments[model] = yield from open_entailment(self.settings)
            return _entailments[model]

    @step("retrieve")
    def retrieve(self, query: str, count: int | None = None, reranker: Reranker | None = None) -> list[Passage]:
        """The passages that best match a query, best first; as many as the settings say, or `count`.

        reranker: what chooses them from some more, where there is one.
        """
        count, query_vector = count or self.settings.passage_count, self._embed(query)
        if not reranker:
            return self.search(query, query_vector, count)
        return reranker.order(query, self.search(query, query_vector, max(count, RERANKED_PASSAGES)))[:count]

    @step("embed")
    def _embed(self, query: str) -> Vectors:
        return self.embedding.embed_query(query)

    @step("match")
    def search(self, query: str, query_vector: Vectors, count: int) -> list[Passage]:
        """The same for a query whose vector is known."""
        spelled = find_spelled(query, self.embedding)
        try:
            return retrieve(self.store, query, query_vector, count, spelled, self.documents)
        except DamagedError:
            finish(self.sync(patient=False, looks=False))  # which makes the lexicon anew
            return retrieve(self.store, query, query_vector, count, spelled, self.documents)

    def state(self) -> tuple[int, ...]:
        """What changes whenever the documents' words do; empty where there are none yet. Costs next to nothing."""
        lexicon = self.store.lexicon
        return lexicon.state() if lexicon.is_usable() else ()

    def sample(self, count: int, *, begin: bool = False, turn: int = 0) -> list[Passage]:
        """Some passages of the documents by chance, but the same as long as these are; without scores.

        begin: only such as begin a document. turn: which so many, from 0; after the last come none.
        """
        lexicon = self.store.lexicon
        with lexicon.snapshot():
            if not lexicon.is_usable():
                return []
            numbers = lexicon.numbers_by_chance(count, begin=begin, turn=turn, documents=self.documents)
            read = lexicon.read(numbers)
        return [to_passage(*read[number], 0.0) for number in numbers]

    def read_near(self, document_id: str, start: int, end: int) -> list[Passage]:
        """A document's passages from one offset to another, in order, without scores; none where it is gone."""
        lexicon = self.store.lexicon
        with lexicon.snapshot():
            record = lexicon.record(document_id)
            chunks = lexicon.chunks_of(document_id, start, end) if record else []
        return [to_passage(chunk, record, 0.0) for chunk in chunks if record]

    def read_document(self, record: Record, most_chunks: int) -> list[tuple[Passage, Vectors]]:
        """A document's chunks in order, each with a unit vector for each of its sentences.

        Of one with more than `most_chunks`, so many from all parts of it. An embedding that gives nothing for
        sentences has the chunk's own vector stand for each.
        """
        return read_document(self.store, record, most_chunks)

    def read_places(self, places: Iterable[Place], *, widely: bool) -> list[Passage]:
        """The chunks that hold words that were cited before, cut so that these score above what a search finds.

        Places where the words stand no more give nothing. widely: whether the chunks before and after come too.
        """
        return read_places(self.store, places, self.documents, widely=widely)

    def find_openings(self, passages: Sequence[Passage]) -> list[Passage]:
        """How the best of the passages' documents begin, where that is not among them."""
        return find_openings(passages, self.store.lexicon)

    def choose_evidence(
        self, passages: Sequence[Passage], query: str, most: int, size_of: Callable[[str], int]
    ) -> tuple[Passage, ...]:
        """What a language model is to see, of the passages and around them; see `index.searching.evidence`."""
        return choose_evidence(passages, query, self.store.lexicon, most, size_of)


@step("copy")
def copy_store(documents: object, settings: Settings, *, to_server: bool) -> Generator[Progress, None, int]:
    """Copy a folder's store from this machine to the Chroma server of the settings, or back; embeds nothing.

    Gives how many documents it holds. Raises InputError where the settings name no server, else what `open_library`
    raises.
    """
    if not settings.chroma_url:
        raise InputError("FOOTNOTE_CHROMA_URL is not set: give the address of the Chroma server to copy to or from.")
    here = yield from open_library(documents, settings.change(chroma_url=None))
    there = yield from open_library(documents, settings)
    source, target = (here.store, there.store) if to_server else (there.store, here.store)
    with source.writing(), target.writing():
        if not source.lexicon.count_documents():
            raise InputError("There is nothing to copy, since the store to copy from is empty: sync the folder first.")
        yield from target.take(source.lexicon)
    return target.lexicon.count_documents()


_stores: dict[Hashable, Store] = {}
_loans: Loans[Store] = Loans()
_embeddings: dict[tuple[object, Path], Embedding] = {}  # by what names each: its model, and its server if it has one
_entailments: dict[tuple[str, Path], Entailment] = {}
_opening, _opening_entailment = threading.Lock(), threading.Lock()


def check_question(question: object) -> str:
    """The question without surrounding white space.

    Raises InputError where it is no text, empty or longer than 10,000 characters.
    """
    question = read_text(question, "The question").strip()
    if not any(character.isalnum() for character in question):
        raise InputError("The question is empty: ask something.")
    if len(question) > LONGEST_QUESTION_CHARACTERS:
        raise InputError(
            f"The question is {len(question):,} characters long, and {LONGEST_QUESTION_CHARACTERS:,} is the most: "
            "shorten it, or put the long text into the documents folder and ask about it."
        )
    return question


def read_text(given: object, name: str) -> str:
    """The text that a caller gives, with "?" for half a character, which nothing can encode. name: for the error.

    Raises InputError where it is no text.
    """
    if not isinstance(given, str):
        raise InputError(f"{name} is of type {type(given).__name__}: give it as text.")
    return given.encode("utf-8", errors="replace").decode()


def find_folder(documents: object) -> Path:
    """The documents folder that a caller names, by its whole path without links; of a bucket, its address as a path.

    Raises InputError where that is no path, or an address that is not read; FolderError where there is no such folder.
    """
    if address := find_address(documents):
        return address.path
    given = read_path(documents, "The documents folder")
    try:
        # Strictly, or a folder may be named that the system knows nothing of: "missing/..".
        folder = given.resolve(strict=True)
    except FileNotFoundError as error:
        raise FolderError(f"{given} does not exist: check the path.") from error
    except (OSError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or "its links lead in a circle"
        raise FolderError(f"{shorten(given)} cannot be opened ({why}): check the path.") from error
    if not folder.is_dir():
        raise FolderError(f"{given} is not a folder: give the folder that holds the documents.")
    return folder


def share_embedding(settings: Settings) -> Generator[Progress, None, Embedding]:
    """The embedding that the settings name, opened when first needed, once a process.

    Raises InputError or WeightsError where it cannot be had, InputError in a process forked from one that has used it.
    """
    refuse_inherited()
    model = (find_embedding(settings) or settings.embedding, settings.cache_folder)
    note_use(_stores, _embeddings, _entailments)
    with _opening:
        if model not in _embeddings:
            _embeddings[model] = yield from open_embedding(settings)
        return _embeddings[model]


def open_library(documents: object, settings: Settings) -> Generator[Progress, None, Library]:
    """Open a folder's library; its store is opened once a process, whatever else the settings say, and kept.

    documents: the folder; a bucket's address, which is mirrored first, where it never was; or the library, where that
        is open already.
    Raises InputError or FolderError where there is no such folder, StoreError where its store is not ours to use, and
    InputError in a process that was forked from one that had opened anything.
    """
    refuse_inherited()
    if isinstance(documents, Library):
        return replace(documents, settings=settings)
    return (yield from _open_library(documents, settings, is_lent=False))


def borrow_library(documents: object, settings: Settings) -> Generator[Progress, None, Library]:
    """The same, to be given back: who is the last to do so closes the store, unless `open_library` keeps it."""
    return (yield from _open_library(documents, settings, is_lent=True))


def give_back(library: Library, *, closes: bool = True) -> None:
    """Give back what was borrowed, which is used no more.

    closes: whether a store that nobody uses is closed now, or when it is collected.
    """
    with _loans.lock:
        if not _loans.take_back(library.store):
            return
        for kept in [kept for kept, store in _stores.items() if store is library.store]:
            del _stores[kept]
        if closes:
            library.store.let_go()


@step("open")
def _open_library(documents: object, settings: Settings, *, is_lent: bool) -> Generator[Progress, None, Library]:
    folder = find_folder(documents)
    address = find_address(folder)
    mirror = Mirror(settings.store_folder, address) if address else None
    if mirror and not mirror.is_whole():
        yield from mirror.update()
    embedding = yield from share_embedding(settings)
    kept = identify_store(settings, folder, embedding.name)
    with _loans.lock:
        is_new = kept not in _stores
        if is_new:
            _stores[kept] = open_store(settings, folder, embedding.name)
        if is_lent:
            _loans.lend(_stores[kept], is_new=is_new)
        else:
            _loans.keep(_stores[kept])
        library = Library(mirror.folder if mirror else folder, _stores[kept], embedding, settings, mirror=mirror)
    try:
        yield from map(Progress, library.store.take_news())
    except GeneratorExit:
        if is_lent:
            give_back(library)
        raise
    return library
