"""A folder that many questions are asked of: what is done with it, each a walk, and when it is let go.

What it holds is shared by all threads, and let go once it is closed and the last walk under way has come to its end.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar
from weakref import finalize

from assistant.answers import Answer
from assistant.chain import Event, stream_answer
from assistant.question.followup import History
from assistant.verifying import Verification, verify
from index.documents import Passage, Progress
from index.errors import InputError
from index.forking import refuse_inherited
from index.library import Library, borrow_library, find_folder, give_back, read_text
from index.listing import ListedDocument, UnknownDocumentError, find_record, to_listed
from index.loading.address import show
from index.plan import SyncReport
from index.search import search
from index.searching.quotations import QuotePlace, find_quote
from index.searching.selection import read_patterns
from index.settings import Settings, read_path, shorten
from index.watching import Watcher, borrow_watcher, bring_up_to_date, give_watcher_back

Result = TypeVar("Result")
Walk = Generator[Progress, None, Result]


class OpenFolder:
    """One folder, or bucket by its address, opened by its first walk. Safe to share between threads.

    Raises InputError or FolderError where there is no such folder; each walk InputError where it is closed.
    """

    def __init__(self, documents: str | Path, settings: Settings) -> None:
        self.settings = settings
        self.folder = find_folder(documents)
        self._held = _Held()
        self._lock = threading.RLock()
        self._walks = 0  # under way
        self._is_closed = False
        self._process = os.getpid()
        self._forgotten = finalize(self, self._held.drop, self._process)
        self._forgotten.atexit = False

    def close(self) -> None:
        """Take no more; what is under way comes to its end."""
        if os.getpid() != self._process:
            return  # what was inherited is not this process's, and its locks may be held by threads that are not there
        with self._lock:
            is_last = not self._is_closed and not self._walks
            self._is_closed = True
        if is_last:
            self._let_go()

    # -- the walks ------------------------------------------------------------------------------

    def stream(self, question: str, history: History, only: Sequence[str]) -> Iterator[Event]:
        """A question; see `assistant.chain.stream_answer`."""
        with self._using():
            library = yield from self._open()
            yield from stream_answer(question, library, history=history, only=only, settings=self.settings)

    def search(self, query: str, count: int | None, only: Sequence[str]) -> Walk[list[Passage]]:
        """The passages that best match a query."""
        with self._using():
            library = yield from self._open()
            return (yield from search(library, query, count, only))

    def documents(self, only: Sequence[str]) -> Walk[list[ListedDocument]]:
        """The documents, of all or of some paths and patterns."""
        patterns = read_patterns(only)
        with self._using():
            library = yield from self._open()
            report = yield from bring_up_to_date(library)
            return [to_listed(record) for record in library.select(patterns, report.skipped).records()]

    def skipped(self) -> Walk[dict[str, str]]:
        """Why files are no documents, by path."""
        with self._using():
            library = yield from self._open()
            report = yield from bring_up_to_date(library)
            return dict(sorted(report.skipped.items()))

    def read(self, document: str, start: int, end: int | None) -> Walk[str]:
        """A document's text from one offset to another."""
        document = read_text(document, "The document")
        last = start if end is None else end
        if type(start) is not int or type(last) is not int or not 0 <= start <= last:
            raise InputError(
                f"There is no text from {shorten(start)} to {shorten(end)}: give offsets that rise, from 0."
            )
        with self._using():
            library = yield from self._open()
            with suppress(UnknownDocumentError):
                if library.store.lexicon.is_usable():
                    return library.store.text_of(find_record(library, document).document_id, start, end)
            yield from bring_up_to_date(library)
            return library.store.text_of(find_record(library, document).document_id, start, end)

    def cite(self, quote: str, only: Sequence[str]) -> Walk[list[QuotePlace]]:
        """Where a quotation stands."""
        patterns = read_patterns(only)
        with self._using():
            library = yield from self._open()
            report = yield from bring_up_to_date(library)
            return find_quote(library.select(patterns, report.skipped), quote)

    def verify(self, saved: Answer | Path | str | bytes) -> Walk[Verification]:
        """What has become of saved citations."""
        if isinstance(saved, Path):
            saved = read_path(saved, "The file of saved answers")
        elif not isinstance(saved, Answer | str | bytes):
            raise InputError(
                f"The saved answers are of type {type(saved).__name__}: give an Answer, a Path, or a file's content."
            )
        with self._using():
            library = yield from self._open()
            yield from bring_up_to_date(library)
            return verify(saved, library)

    def sync(self, *, checksum: bool) -> Walk[SyncReport]:
        """The store is made equal to the folder."""
        with self._using():
            library = yield from self._open()
            return (yield from library.sync(checksum=checksum))

    def watch(self) -> Walk[None]:
        """The store follows the folder from now on."""
        with self._using():
            library = yield from self._open()
            with self._lock:
                if self._held.watcher is None:
                    library.begin()
                    self._held.watcher = borrow_watcher(library)

    # -- what it holds --------------------------------------------------------------------------

    @contextmanager
    def _using(self) -> Iterator[None]:
        """Around each walk."""
        if os.getpid() != self._process:
            refuse_inherited()
            raise InputError(
                f"This Footnote over {show(self.folder)} is that of the process that was forked: open one in each."
            )
        with self._lock:
            if self._is_closed:
                raise InputError(f"This Footnote over {show(self.folder)} is closed: open another one.")
            self._walks += 1
        try:
            yield
        finally:
            if os.getpid() == self._process:
                with self._lock:
                    self._walks -= 1
                    is_last = self._is_closed and not self._walks
                if is_last:
                    self._let_go()

    def _open(self) -> Walk[Library]:
        if library := self._held.library:
            return library
        library = yield from borrow_library(self.folder, self.settings)
        with self._lock:
            if not (held := self._held.library):
                self._held.library = held = library
                return held
        give_back(library)  # another thread was first
        return held

    def _let_go(self) -> None:
        self._forgotten.detach()
        self._held.close()


class _Held:
    """What is held of the folder; a thing of its own, so that it can be let go when the folder has been collected."""

    def __init__(self) -> None:
        self.library: Library | None = None
        self.watcher: Watcher | None = None

    def close(self, *, waits: bool = True) -> None:
        """Let go of it. waits: for the threads that watch, and closes files; else both happen by and by."""
        library, watcher, self.library, self.watcher = self.library, self.watcher, None, None
        if library:
            is_over = watcher is None or give_watcher_back(library, watcher, waits=waits)
            give_back(library, closes=waits and is_over)

    def drop(self, process: int) -> None:
        """The same without waiting, since whoever is collecting may be in the middle of anything."""
        if os.getpid() == process:  # what a forked process inherits is not its own
            self.close(waits=False)
