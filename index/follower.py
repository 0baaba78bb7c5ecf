"""Two things done at once to a row of items: while one is used, in a thread of its own, the next one is made."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Follower(Generic[Item]):
    """Uses what it is given, one item after the other, while who gives them makes the next.

    use: what is done to each, in a thread that is begun for it; what it raises is raised to who gives.

    As a context it leaves no thread behind: what was given is used to its end, however the block ends. Where both fail
    the use is told of, since its item came first; a block that is broken off, by Ctrl-C or as a generator that nobody
    wants the rest of, stays that.

    But: one thread gives, and no item waits to be used, so that two are in memory at most.
    """

    def __init__(self, use: Callable[[Item], object]) -> None:
        self._use = use
        self._thread: threading.Thread | None = None
        self._is_idle = threading.Event()  # since a thread whose `join` was interrupted can be joined no more
        self._is_idle.set()
        self._failure: BaseException | None = None

    def give(self, item: Item) -> None:
        """Begin to use an item, once the one before is used. Raises what the use of that one raised."""
        self.wait()
        self._thread = threading.Thread(target=self._run, args=(item,), name="footnote-follower", daemon=True)
        self._is_idle.clear()
        try:
            self._thread.start()
        except RuntimeError:  # the system has no thread left
            self._thread = None
            self._is_idle.set()
            raise

    def wait(self) -> None:
        """Wait until what was given is used. Raises what the use raised, once."""
        self._is_idle.wait()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        failure, self._failure = self._failure, None
        try:
            if failure is not None:
                raise failure
        finally:
            del failure  # which holds this frame, and this frame it

    def _run(self, item: Item) -> None:
        try:
            self._use(item)
        except BaseException as error:
            self._failure = error
        finally:
            self._is_idle.set()

    def __enter__(self) -> Follower[Item]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        while kind and not self._is_idle.is_set():
            with suppress(KeyboardInterrupt):  # which is being heeded already, or an error is
                self._is_idle.wait()
        try:
            self.wait()
        except BaseException:
            if kind is None or issubclass(kind, Exception):
                raise
