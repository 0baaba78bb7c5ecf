"""Footnote for programs that ask many times: a folder of documents, opened once, closed when it is done with.

    with Footnote("news/", passage_count=4) as footnote:
        print(footnote.answer("why was Israel skipped?"))

Safe to share between threads. Several over one folder share its store, which the last of them closes.

But: a process that was forked from one that has used a Footnote can use none, for the threads of what was opened are
not in it; each use raises InputError. Fork before, with a Footnote for each; or have processes started anew, as
multiprocessing's "spawn" does. To end, such a process waits for nothing.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar, Unpack

from assistant.answers import Answer
from assistant.chain import Event, take_answer
from assistant.opened import OpenFolder, Walk
from assistant.question.followup import History
from assistant.verifying import Verification
from index.documents import Passage
from index.errors import InputError
from index.library import finish
from index.listing import ListedDocument
from index.loading.address import show
from index.plan import SyncReport
from index.searching.quotations import QuotePlace
from index.settings import Changes, Settings

AT_ONCE = 4  # questions of one AsyncFootnote that are answered at the same time

Step = TypeVar("Step")
Result = TypeVar("Result")


class Footnote:
    """Answers from one folder of documents.

    documents: the folder, or a bucket's address ("s3://bucket/reports"); by default that of the settings.
    settings: by default those of the environment. changes: fields of `Settings` that are to be otherwise.

    Raises InputError or FolderError where one of these cannot be used. The store is opened by the first question. This
    and every other raises what `answer` raises, and InputError where the Footnote is closed.
    """

    def __init__(
        self, documents: str | Path | None = None, *, settings: Settings | None = None, **changes: Unpack[Changes]
    ) -> None:
        chosen = Settings.choose(settings).change(**changes)
        self._opened = OpenFolder(chosen.documents if documents is None else documents, chosen)

    @property
    def folder(self) -> Path:
        """The documents folder, by its whole path; of a bucket, its address as a path."""
        return self._opened.folder

    @property
    def settings(self) -> Settings:
        """What answers are made with."""
        return self._opened.settings

    def answer(self, question: str, *, history: History = (), only: Sequence[str] = ()) -> Answer:
        """The answer to a question; see `assistant.answer`."""
        return take_answer(self.stream(question, history=history, only=only))

    def stream(self, question: str, *, history: History = (), only: Sequence[str] = ()) -> Iterator[Event]:
        """The same, step by step; see `assistant.stream_answer`."""
        return self._opened.stream(question, history, only)

    def search(self, query: str, *, count: int | None = None, only: Sequence[str] = ()) -> list[Passage]:
        """The passages that best match a query, best first: as many as the settings say, or `count`, up to 50."""
        return finish(self._opened.search(query, count, only))

    def documents(self, only: Sequence[str] = ()) -> list[ListedDocument]:
        """The documents that answers are made from, by path; of some paths and patterns alone, where they are given."""
        return finish(self._opened.documents(only))

    def skipped(self) -> dict[str, str]:
        """Why files of the folder are no documents, by path."""
        return finish(self._opened.skipped())

    def read(self, document: str, start: int = 0, end: int | None = None) -> str:
        """A document's text from one offset to another, as it was read last; of a citation, its quotation.

        document: its id, or its path in the folder. Raises InputError where there is none of it.
        """
        return finish(self._opened.read(document, start, end))

    def cite(self, quote: str, *, only: Sequence[str] = ()) -> list[QuotePlace]:
        """Where a quotation stands, best first: exactly, or nearly with the difference; none where it does not."""
        return finish(self._opened.cite(quote, only))

    def verify(self, saved: Answer | Path | str | bytes) -> Verification:
        """What has become of saved citations: whether each stands, has moved, has changed or is gone.

        saved: an Answer; a file of saved answers, by its Path; or as text what is in it.
        """
        return finish(self._opened.verify(saved))

    def sync(self, *, checksum: bool = False) -> SyncReport:
        """Make the store equal to the folder now, as every question does.

        checksum: read every file, also those whose size and time of change say that they are as they were.
        """
        return finish(self._opened.sync(checksum=checksum))

    def watch(self) -> None:
        """Have the store follow the folder by itself until this is closed: no question waits for a look at it."""
        finish(self._opened.watch())

    def close(self) -> None:
        """Let go of the store, and end what watches the folder. Questions under way are still answered."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Footnote({show(self.folder)!r})"


class AsyncFootnote:
    """A Footnote's methods, awaited. The work is done in threads, AT_ONCE at a time; more waits its turn.

    What is cancelled ends at its next step, and is not heard of again. Raises InputError for what is no Footnote.
    """

    def __init__(self, footnote: Footnote) -> None:
        from concurrent.futures import ThreadPoolExecutor

        if not isinstance(footnote, Footnote):
            raise InputError('AsyncFootnote takes a Footnote: AsyncFootnote(Footnote("folder")).')
        self._footnote = footnote
        self._opened = footnote._opened
        self._threads = ThreadPoolExecutor(AT_ONCE, "footnote-asking")

    async def answer(self, question: str, *, history: History = (), only: Sequence[str] = ()) -> Answer:
        """See `Footnote.answer`."""
        return take_answer([event async for event in self.stream(question, history=history, only=only)])

    async def stream(
        self, question: str, *, history: History = (), only: Sequence[str] = ()
    ) -> AsyncGenerator[Event, None]:
        """See `Footnote.stream`."""
        async with aclosing(self._follow(lambda: self._opened.stream(question, history, only))) as events:
            async for event in events:
                yield event

    async def search(self, query: str, *, count: int | None = None, only: Sequence[str] = ()) -> list[Passage]:
        """See `Footnote.search`."""
        return await self._finish(self._opened.search(query, count, only))

    async def documents(self, only: Sequence[str] = ()) -> list[ListedDocument]:
        """See `Footnote.documents`."""
        return await self._finish(self._opened.documents(only))

    async def skipped(self) -> dict[str, str]:
        """See `Footnote.skipped`."""
        return await self._finish(self._opened.skipped())

    async def read(self, document: str, start: int = 0, end: int | None = None) -> str:
        """See `Footnote.read`."""
        return await self._finish(self._opened.read(document, start, end))

    async def cite(self, quote: str, *, only: Sequence[str] = ()) -> list[QuotePlace]:
        """See `Footnote.cite`."""
        return await self._finish(self._opened.cite(quote, only))

    async def verify(self, saved: Answer | Path | str | bytes) -> Verification:
        """See `Footnote.verify`."""
        return await self._finish(self._opened.verify(saved))

    async def sync(self, *, checksum: bool = False) -> SyncReport:
        """See `Footnote.sync`."""
        return await self._finish(self._opened.sync(checksum=checksum))

    async def watch(self) -> None:
        """See `Footnote.watch`."""
        await self._finish(self._opened.watch())

    async def close(self) -> None:
        """See `Footnote.close`."""
        await self._finish(self._close())
        self._threads.shutdown(wait=False)

    def _close(self) -> Walk[None]:
        self._footnote.close()
        yield from ()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _finish(self, walk: Walk[Result]) -> Result:
        """Walk to the end, and give what comes of it."""
        results: list[Result] = []

        def run() -> Iterator[object]:
            results.append((yield from walk))

        async with aclosing(self._follow(run)) as steps:
            async for _ in steps:
                pass
        return results[0]

    def _follow(self, walk: Callable[[], Iterable[Step]]) -> AsyncGenerator[Step, None]:
        from assistant.awaiting import follow_steps

        return follow_steps(walk, self._start, lambda: None)

    def _start(self, work: Callable[[], None]) -> None:
        try:
            self._threads.submit(work)
        except RuntimeError:  # closed: there is no more to do than to say so
            work()
