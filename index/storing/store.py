"""What a store of one documents folder is: what is written into it, and what is asked of it.

Its lexicon holds all that a question is answered from. What it keeps the rows in, and who else writes to it, is for the
two that there are: `embedded`, on this machine, and `shared`, on a Chroma server.
"""

from __future__ import annotations

import hashlib
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from index.documents import Progress
from index.embedding.protocol import Vectors
from index.errors import StoreError
from index.loading.folder import File
from index.storing.checking import Told
from index.storing.lexicon import Lexicon
from index.storing.versions import Version, compare

# Also of what the readers of files write and how it is split, since documents that have not changed are not read again.
SCHEMA_VERSION = 8
MOST_OFFSET = 2**40  # beyond every document's end, and a number that SQLite takes
# What a store is made with and keeps to, in words for whoever asks for another.
_MADE_WITH = {
    "embedding": "embedding {}",
    "chunk_tokens": "chunks of {} tokens",
    "schema_version": "store version {}",
}

Skipped = tuple[str, int, int, str]  # a file that cannot be read: path, size in bytes, time of change, reason


class OutdatedError(StoreError):
    """The store was made by an earlier version of Footnote."""


class Store(ABC):
    """The store that belongs to one documents folder, one embedding and one chunk size. Safe to share between threads.

    place: what of it lies on this machine. lexicon: all that a question is answered from. is_shared: whether others
    write to it at the same time.
    """

    is_shared = False
    place: Path
    lexicon: Lexicon

    def __init__(self, folder: Path, embedding_name: str, chunk_tokens: int) -> None:
        self.chunk_tokens = chunk_tokens
        self._folder = folder
        self._made_with: dict[str, str | int] = {
            "schema_version": SCHEMA_VERSION,
            "embedding": embedding_name,
            "chunk_tokens": chunk_tokens,
            "folder": os.fsencode(folder).decode(errors="replace"),
        }
        self._news: list[str] = []

    # -- what others have written -------------------------------------------------------------

    @abstractmethod
    def refresh(self) -> None:
        """Open the store, or see what another process has written since, as far as that is a matter of a moment.

        Raises StoreError where it cannot be opened.
        """

    @abstractmethod
    def catch_up(self) -> Iterator[Progress]:
        """See all that others have written, telling how far it is."""

    @property
    @abstractmethod
    def mark(self) -> str:
        """What stands for what was written up to now, as far as `refresh` has seen; another after each write."""

    @abstractmethod
    def numbers(self) -> Mapping[str, int]:
        """A number for each document, another after each change by anybody; see `remove`. None where others wait."""

    def take_news(self) -> list[str]:
        """What had to be mended since this was asked last, each in a sentence."""
        news, self._news = self._news, []
        return news

    @property
    @abstractmethod
    def is_read_only(self) -> bool:
        """Whether it may not be written now; what it held is answered from."""

    @abstractmethod
    def require_writable(self) -> None:
        """Raise StoreError where the store may only be read."""

    @abstractmethod
    def explain_read_only(self) -> str:
        """Why the store may only be read, in a sentence."""

    def _make_place(self) -> None:
        try:
            self.place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(
                f"The store cannot be kept at {self.place} ({error.strerror}): set FOOTNOTE_STORE to a folder that "
                "may be written."
            ) from error

    def _refuse_other(self, found: Mapping[str, Any]) -> None:
        """Refuse a store that was made with something else than is asked for now."""
        if differing := [key for key in _MADE_WITH if found.get(key) != self._made_with[key]]:
            made, asked = (
                ", ".join(_MADE_WITH[key].format(of.get(key)) for key in differing) for of in (found, self._made_with)
            )
            version = found.get("schema_version", 0)
            is_outdated = isinstance(version, int) and version < SCHEMA_VERSION
            raise (OutdatedError if is_outdated else StoreError)(
                f"The store of {self._folder} was made with {made}, not {asked}. "
                f"To make it anew: footnote sync {self._folder} --anew"
            )

    # -- writing ------------------------------------------------------------------------------

    @abstractmethod
    def writing(self, wait_seconds: float = -1) -> AbstractContextManager[None]:
        """Be one that writes; all that follows needs it. Mends what a killed writer left behind.

        Raises HeldError where another process still holds the store after `wait_seconds`; below 0 it waits for ever.
        Raises StoreError where it may only be read.
        """

    @abstractmethod
    def claim(self, files: Iterable[File], together: int) -> Iterator[File]:
        """Those of files that no other worker is at, so many asked for at a time; they are ours as they come."""

    @abstractmethod
    def unread(self, files: Iterable[File]) -> list[File]:
        """Those of files that other workers are at."""

    @abstractmethod
    def give_back(self) -> None:
        """Give back what is claimed and not done: it is for later, or for somebody else."""

    @abstractmethod
    def announce(self, document_ids: Iterable[str]) -> None:
        """Note of documents that they are not stored whole, so that their files are read again."""

    @abstractmethod
    def resume(self, version: Version) -> None:
        """Take what an interrupted sync has stored of a version; that is neither embedded nor written again."""

    @abstractmethod
    def put(self, versions: Sequence[Version]) -> None:
        """Store what has come of several documents' versions; those that are complete become visible, all at once.

        An old version stays visible until then. Chunks that are stored already are not written again. Raises
        StoreError where their vectors are of another length than those that are stored.
        """

    @abstractmethod
    def remove(self, document_ids: Sequence[str], numbers: Mapping[str, int] | None = None) -> None:
        """Remove documents. numbers: see there; what another has changed since these were asked for stays."""

    @abstractmethod
    def touch(self, states: Sequence[tuple[str, int, int]]) -> None:
        """Record that files were rewritten with the same content: a document's id, and the file's size and time."""

    @abstractmethod
    def note_skipped(self, skipped: Sequence[Skipped]) -> None:
        """Note that files cannot be read, before it is known of all."""

    @abstractmethod
    def conclude_skipped(self, skipped: Sequence[Skipped], stands: Callable[[str], bool]) -> None:
        """Remember that these files cannot be read, and no others. stands: whether there is a file of a path now."""

    @abstractmethod
    def settle(self) -> None:
        """Remove what interrupted syncs have left of versions that never became visible. The end of every sync."""

    @abstractmethod
    def take(self, lexicon: Lexicon) -> Iterator[Progress]:
        """Hold what another store's lexicon holds, and nothing else; nothing is embedded anew."""

    @abstractmethod
    def check(self, told: Told = lambda progress: None) -> dict[str, str]:
        """What is wrong with the store, by document id, "" for what concerns no document; reads all of it.

        Every visible chunk must have a row with its vector and be found by it, each document's chunks must tile it,
        and there must be no row besides. told: is called with how far it is.
        """

    @abstractmethod
    def repair(self, wrong: Mapping[str, str]) -> None:
        """Make anew what `check` found wrong, of what is whole; a sync then brings back the rest."""

    def _require_length(self, vector: Vectors) -> None:
        """Refuse a vector of another length than those that are kept: a server may give another model the same name."""
        if (kept := self.lexicon.dimensions()) not in (0, len(vector)):
            raise StoreError(
                f"The store of {self._folder} was made with vectors of {kept:,} numbers, and the embedding "
                f"{self._made_with['embedding']} now gives {len(vector):,}. To make it anew: footnote sync "
                f"{self._folder} --anew"
            )

    # -- reading ------------------------------------------------------------------------------

    @abstractmethod
    def nearest(self, vector: Vectors, count: int, documents: Collection[str] | None = None) -> dict[str, float]:
        """The ids of the chunks nearest to a unit vector, best first, with their cosine similarity.

        documents: the ids of those whose chunks are searched; all by default. Of these every vector is looked at.
        """

    def similarities(self, numbers: Sequence[int], query_vector: Vectors) -> dict[int, Vectors]:
        """The cosine of each sentence of chunks to a query, by number, for those whose sentences have vectors."""
        return compare(self.lexicon.sentences(numbers), query_vector)

    def text_of(self, document_id: str, start: int = 0, end: int | None = None) -> str:
        """A document's canonical text from one offset to another, as far as the store has it."""
        start, end = min(start, MOST_OFFSET), None if end is None else min(end, MOST_OFFSET)
        chunks = self.lexicon.chunks_of(document_id, start, end)
        first = chunks[0].start if chunks else 0
        return "".join(chunk.text for chunk in chunks)[max(0, start - first) : None if end is None else end - first]

    def close(self) -> None:
        """Close what this thread holds open."""
        self.lexicon.close()

    @abstractmethod
    def let_go(self) -> None:
        """Close all that is open of it, in every thread; nobody may be using it. To be opened again it is made anew."""


def place_of(stores: Path, folder: Path) -> Path:
    """Where the store of a documents folder lives: a readable name and a hash of the folder's full path."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", folder.name).strip("-").lower()[:40] or "documents"
    return stores / f"{readable}-{hashlib.sha256(str(folder).encode(errors='surrogateescape')).hexdigest()[:12]}"
