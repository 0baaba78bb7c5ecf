"""A folder is watched: the store follows it by itself, in threads of its own, and no question waits for a scan.

One thread is told what changes, another syncs: text first, and pictures of text where nothing else is to be done;
those give way to whatever changes meanwhile. A question waits until all that was saved before it was asked is in the
store, as long as that is a matter of a moment: a long sync holds up no question, which is then answered from what is
there.

Where the system cannot watch a folder, each question has it looked through instead. A look now and then is for what the
system did not tell: more at once than it remembers, or folders that it could not watch.

No system tells what changes in a bucket, so that a third thread looks there now and then, and brings the mirror up to
date, which is watched as any folder. No question waits for it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from index.documents import Progress
from index.errors import FolderError, FootnoteError
from index.lending import Loans
from index.library import STALE, Library, finish
from index.loading.changes import Changes, GoneError, UnwatchableError
from index.loading.mirror import Mirror
from index.loading.worker import Loader
from index.place import NoRoomError
from index.plan import Course, SyncReport
from index.steps import step
from index.sync import open_loader

PATIENCE_SECONDS = 2.0  # that a question waits while files are read,
LITTLE_BYTES = 100_000  # or longer where they are so little, and soon read;
LONGEST_WAIT_SECONDS = 10.0  # and in all, also where it takes long to find out what to read
TOLD_SECONDS = 1.0  # in which the system must tell what was done before a question
LOOK_SECONDS = 60.0  # between two looks at everything that nothing has asked for, and at a bucket
RETRY_SECONDS = 30.0  # until a folder that could not be watched is tried again
CLOSING_SECONDS = 10.0  # that what is being embedded may still take, when it is to end
GONE_SECONDS = 0.5  # until a folder that is gone is looked for again

Activity = Literal["scanning", "reading", "recognising", "idle", "stopped", "failed"]


@dataclass(frozen=True, slots=True)
class State:
    """How the store of a watched folder stands.

    activity: "scanning" finds out what is to be read; "reading" and "recognising" (pictures of text) read `message`,
        the file or page in hand, at `done_bytes` of `total_bytes`; "idle": the store follows; "stopped": by somebody;
        "failed": `message` is the sentence; of a bucket that cannot be had, what was fetched is still answered from.
    to_read: how many files are still to be read, of how many `files` in the folder.
    unwatched: why the folder is looked through at each question instead of being watched; "" where it is watched.
    """

    activity: Activity
    message: str = ""
    done_bytes: int = 0
    total_bytes: int = 0
    to_read: int = 0
    files: int = 0
    unwatched: str = ""


class Watcher:
    """Has the store of a library follow its folder, until it is closed. Safe to share between threads."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._closing = threading.Event()
        self._is_to_be_mirrored = threading.Event()  # now, without waiting for the next look
        # Guards all below, and tells when any of it changes.
        self._news = threading.Condition()
        self._changes: Changes | None = None
        self._unwatched = ""
        self._stale = ""  # why the mirror of a bucket could not be brought up to date
        self._passed = 0  # the last mark before which all that was done is counted in `_noted`
        self._noted = 1  # how often there was something to look at; the first look is one
        self._followed = 0  # up to which of these the store follows, or cannot,
        self._recognised = 0  # and up to which in pictures of text too
        self._course: Course | None = None  # of the sync under way
        self._is_recognising = False
        self._asking = 0  # questions that wait
        self._told = Progress("")
        self._report: SyncReport | None = None
        self._failure: FootnoteError | None = None
        self._is_stopped = False
        self._threads = [
            threading.Thread(target=run, name=f"footnote-{name}", daemon=True)
            for name, run in (("watching", self._watch), ("following", self._follow), *self._find_mirroring())
        ]
        for thread in self._threads:
            thread.start()

    # -- what others ask of it ------------------------------------------------------------------

    def state(self) -> State:
        """How things stand."""
        with self._news:
            return self._find_state()

    def report(self) -> SyncReport | None:
        """What the last sync did that was not stopped, and how much is still to be read; None before the first."""
        with self._news:
            return self._report and self._describe()

    def stop(self) -> None:
        """Stop reading, after the file or page in hand. What is done stays; nothing is begun until `resume`."""
        with self._news:
            self._is_stopped = True
            self._end_sync()

    def resume(self) -> None:
        """Look at everything now, and go on where it was stopped."""
        with self._news:
            self._is_stopped = False
            self._is_to_be_mirrored.set()
            self._note()

    def look(self) -> None:
        """Look at everything now, unless it was stopped."""
        with self._news:
            self._is_to_be_mirrored.set()
            self._note()

    def close(self, *, waits: bool = True) -> bool:
        """Watch and read no longer. What is just done may be cut off by the process's end, as by its being killed.

        waits: for what is being done, some time; gives whether it has come to its end.
        """
        with self._news:
            self._closing.set()
            self._is_to_be_mirrored.set()
            self._end_sync()
            self._news.notify_all()
        for thread in self._threads:
            if waits and thread is not threading.current_thread():
                thread.join(CLOSING_SECONDS)
        return not any(thread.is_alive() for thread in self._threads)

    def wait_until_followed(self) -> Generator[Progress, None, SyncReport]:
        """Wait until what was saved before now is in the store, as long as that is a matter of a moment.

        Gives the last report. Raises what kept the last sync from being made.
        """
        begun = time.monotonic()
        with self._news:
            self._asking += 1
            changes = None if self._failure else self._changes
        try:
            is_told = changes is not None and self._wait_until_told(changes, begun + TOLD_SECONDS)
            with self._news:
                if not is_told:
                    self._note()
                goal, shown = self._noted, Progress("")
            while True:
                with self._news:
                    if self._is_enough(goal, begun):
                        break
                    self._news.wait(0.1)
                    told = self._told
                if told != shown and told.message:
                    shown = told
                    yield told
            with self._news:
                if self._failure and self._followed >= goal:
                    raise copy(self._failure)
                return self._describe()
        finally:
            with self._news:
                self._asking -= 1

    # -- the thread that is told ----------------------------------------------------------------

    def _watch(self) -> None:
        while not self._closing.is_set():
            pause, reason = GONE_SECONDS, ""
            try:
                self._watch_until_gone()
            except GoneError:
                pass
            except UnwatchableError as error:
                pause, reason = RETRY_SECONDS, str(error)
            with self._news:
                self._unwatched = reason
                if self._changes:  # that it is gone, or not watched any more, is for a sync to find out
                    self._changes = None
                    self._note()
            self._closing.wait(pause)

    def _watch_until_gone(self) -> None:
        changes = Changes(self._library.folder)
        try:
            with self._news:
                self._changes, self._unwatched, self._passed = changes, "", 0
                self._note()
            while not self._closing.is_set():
                told = changes.wait(TOLD_SECONDS, self._closing)
                if self._library.store.is_shared:
                    with suppress(FootnoteError):  # which a sync or a question tells
                        self._library.store.refresh()
                if told.has_changed or told.mark > self._passed:
                    with self._news:
                        self._passed = told.mark
                        if told.has_changed:
                            self._note()
                        self._news.notify_all()
        finally:
            changes.close()

    # -- the thread that looks at a bucket ------------------------------------------------------

    def _find_mirroring(self) -> Iterator[tuple[str, Callable[[], None]]]:
        if mirror := self._library.mirror:
            yield "mirroring", lambda: self._keep_up(mirror)

    def _keep_up(self, mirror: Mirror) -> None:
        while not self._closing.is_set():
            self._is_to_be_mirrored.clear()
            has_changed, stale = False, ""
            try:
                if not self._is_stopped:
                    has_changed = finish(mirror.update(patient=False, is_stopped=self._is_at_rest))
            except FootnoteError as error:
                stale = STALE.format(error)
            with self._news:
                self._stale = stale
                if has_changed:
                    self._note()
                self._news.notify_all()
            if not self._closing.is_set():
                self._is_to_be_mirrored.wait(LOOK_SECONDS)

    def _is_at_rest(self) -> bool:
        return self._is_stopped or self._closing.is_set()

    # -- the thread that syncs ------------------------------------------------------------------

    def _follow(self) -> None:
        loader, pause = open_loader(self._library.store), 0.0
        while not self._closing.is_set():
            with self._news:
                # Between two syncs as long as one took, so that a file that is always written leaves room for others.
                self._news.wait_for(lambda: self._asking or self._closing.is_set(), pause)
                if not self._news.wait_for(self._has_work, max(LOOK_SECONDS, 100 * pause)):
                    loader.close()  # which holds memory, and nothing has come for long
                    if not self._is_stopped:
                        self._note()
                if self._closing.is_set() or not self._has_work():
                    continue
                goal, recognises = self._noted, self._followed == self._noted
                course = self._course = Course()
                self._is_recognising, self._told = recognises, Progress("")
            begun = time.monotonic()
            report, failure = self._sync(course, loader, recognises=recognises)
            if failure or course.is_stopped:
                loader.close()
            pause = min(1.0, time.monotonic() - begun)
            with self._news:
                self._course, self._is_recognising = None, False
                if not course.is_stopped:
                    self._followed, self._failure = goal, failure
                    self._recognised = goal if recognises else self._recognised
                    self._report = report or self._report
                elif report:
                    self._note_rest(course)
                self._news.notify_all()
        loader.close()
        self._library.store.close()

    def _sync(
        self, course: Course, loader: Loader, *, recognises: bool
    ) -> tuple[SyncReport | None, FootnoteError | None]:
        store = self._library.store
        try:
            with suppress(NoRoomError):
                store.refresh()
            # A store that may only be read is no failure: what it holds is answered from.
            walk = self._library.sync(
                patient=not store.is_read_only, recognises=recognises, course=course, loader=loader, looks=False
            )
            while True:
                told = next(walk)
                with self._news:
                    self._told = told
                    self._news.notify_all()
        except StopIteration as end:
            report: SyncReport = end.value
            return report, None
        except FootnoteError as error:
            return None, error

    # -- with `_news` held ----------------------------------------------------------------------

    def _note(self) -> None:
        """There is something to look at; pictures of text wait for it."""
        self._noted += 1
        if self._is_recognising:
            self._end_sync()
        self._news.notify_all()

    def _note_rest(self, course: Course) -> None:
        """Remember how much a sync that was stopped has left."""
        self._report = replace(self._report or SyncReport(), to_read=course.to_read, files=course.files)

    def _end_sync(self) -> None:
        if self._course:
            self._course.is_stopped = True

    def _has_work(self) -> bool:
        if self._closing.is_set():
            return True
        has_scans = bool(self._report and self._report.to_read and not self._failure and self._recognised < self._noted)
        return not self._is_stopped and (self._followed < self._noted or has_scans)

    def _find_state(self) -> State:
        told, course = self._told, self._course
        counts = self._describe()
        state = State("idle", to_read=counts.to_read, files=counts.files, unwatched=self._unwatched)
        if self._is_stopped:
            return replace(state, activity="stopped")
        if not all(thread.is_alive() for thread in self._threads):
            return replace(state, activity="failed", message=_ENDED)
        if course and course.reading_since:
            activity: Activity = "recognising" if self._is_recognising else "reading"
            return replace(state, activity=activity, message=told.message, done_bytes=told.done, total_bytes=told.total)
        if self._failure:
            return replace(state, activity="failed", message=str(self._failure))
        if course or self._followed < self._noted:
            return replace(state, activity="scanning")
        return replace(state, activity="failed", message=self._stale) if self._stale else state

    def _describe(self) -> SyncReport:
        """The last report, with what is still to be read now."""
        report, course = self._report or SyncReport(), self._course
        if course and course.files:
            return replace(report, to_read=course.to_read, files=course.files)
        return report

    # -- a question -----------------------------------------------------------------------------

    def _wait_until_told(self, changes: Changes, end: float) -> bool:
        """Whether all that was done before now has been told."""
        mark = changes.mark()
        with self._news:
            return self._news.wait_for(
                lambda: changes is not self._changes or self._passed >= mark, max(0.0, end - time.monotonic())
            ) and (changes is self._changes)

    def _is_enough(self, goal: int, begun: float) -> bool:
        """Whether a question that was asked then waits no longer. Needs `_news`."""
        course, now = self._course, time.monotonic()
        if self._followed >= goal or self._is_stopped or now - begun > LONGEST_WAIT_SECONDS:
            return True
        if not self._threads[1].is_alive():
            raise FolderError(_ENDED)
        if not course or not course.reading_since or course.bytes_to_read <= LITTLE_BYTES:
            return False
        return now - course.reading_since > PATIENCE_SECONDS


_ENDED = "The folder is no longer followed, since its thread ended: start Footnote again, and report what it printed."
_watchers: dict[Path, Watcher] = {}  # by the place of the store
_loans: Loans[Watcher] = Loans()


def watch(library: Library) -> Watcher:
    """Have the store of a library follow its folder from now on, or give what does so already."""
    with _loans.lock:
        watcher, _ = _find_or_start(library)
        _loans.keep(watcher)
        return watcher


def borrow_watcher(library: Library) -> Watcher:
    """The same, to be given back: it ends with the last who does so, unless `watch` keeps it."""
    with _loans.lock:
        watcher, is_new = _find_or_start(library)
        _loans.lend(watcher, is_new=is_new)
        return watcher


def give_watcher_back(library: Library, watcher: Watcher, *, waits: bool = True) -> bool:
    """Give back what was borrowed; whether nothing of it is at work any more, or others have it.

    waits: whether to wait some time for that.
    """
    with _loans.lock:
        if not _loans.take_back(watcher):
            return True
        if find_watcher(library) is watcher:
            del _watchers[library.store.place]
    return watcher.close(waits=waits)


def _find_or_start(library: Library) -> tuple[Watcher, bool]:
    """What follows the folder, and whether it was just begun. Needs the lock of `_loans`."""
    is_new = library.store.place not in _watchers
    if is_new:
        _watchers[library.store.place] = Watcher(library)
    return _watchers[library.store.place], is_new


def find_watcher(library: Library) -> Watcher | None:
    """What has the store of a library follow its folder, where something does."""
    return _watchers.get(library.store.place)


def unwatch(library: Library) -> None:
    """Have the store follow no longer."""
    with _loans.lock:
        watcher = _watchers.pop(library.store.place, None)
    if watcher:
        _loans.keep(watcher)
        watcher.close()


@step("bring_up_to_date")
def bring_up_to_date(library: Library) -> Generator[Progress, None, SyncReport]:
    """What a question begins with: the store equals the folder, or where it is watched, follows it as it can.

    Raises what `Library.sync` raises.
    """
    watcher = find_watcher(library)
    if watcher is None:
        return (yield from library.sync(patient=False))
    report = yield from watcher.wait_until_followed()
    with suppress(NoRoomError):  # what another thread or process has written is seen
        library.store.refresh()
    return report
