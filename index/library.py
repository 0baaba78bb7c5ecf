"""A documents folder, opened: its store and its embedding. Opened once a process and kept."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from index.documents import Passage, Progress
from index.embedding import Embedding, open_embedding
from index.errors import FolderError
from index.evidence import choose_evidence
from index.retriever import retrieve
from index.settings import Settings
from index.store import Store
from index.sync import SyncReport, sync

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
    """What a question is asked of."""

    folder: Path
    store: Store
    embedding: Embedding
    settings: Settings

    def sync(
        self, *, checksum: bool = False, dry_run: bool = False, patient: bool = True
    ) -> Generator[Progress, None, SyncReport]:
        """Make the store equal to the folder; see `index.sync.sync`."""
        return sync(
            self.folder,
            self.store,
            self.embedding,
            checksum=checksum,
            dry_run=dry_run,
            patient=patient,
        )

    def retrieve(self, query: str, count: int | None = None) -> list[Passage]:
        """The passages that best match a query, best first; as many as the settings say, or `count`."""
        vector = self.embedding.embed_query(query)
        return retrieve(self.store, query, vector, count or self.settings.passage_count)

    def choose_evidence(
        self, passages: Sequence[Passage], query: str, most: int, size_of: Callable[[str], int]
    ) -> tuple[Passage, ...]:
        """The parts of the passages that a language model is to see; see `index.evidence.choose_evidence`."""
        return choose_evidence(passages, query, self.store.lexicon, most, size_of)


_opened: dict[tuple[Path, Settings], Library] = {}
_embeddings: dict[tuple[str, Path], Embedding] = {}
_opening = threading.Lock()


def open_library(documents: Path, settings: Settings) -> Generator[Progress, None, Library]:
    """Open a folder's library, or give the one that is open already.

    Raises FolderError where there is no such folder, StoreError where its store is not ours to use.
    """
    folder = documents.expanduser().resolve()
    if not folder.is_dir():
        what = (
            "is not a folder: give the folder that holds the documents"
            if folder.exists()
            else "does not exist: check the path"
        )
        raise FolderError(f"{documents} {what}.")
    with _opening:
        library = _opened.get((folder, settings))
        if library is None:
            model = (settings.embedding, settings.cache_folder)
            if model not in _embeddings:
                _embeddings[model] = yield from open_embedding(settings)
            embedding = _embeddings[model]
            store = Store(settings.store_folder, folder, embedding.name, settings.chunk_tokens)
            library = Library(folder, store, embedding, settings)
            _opened[folder, settings] = library
    return library
