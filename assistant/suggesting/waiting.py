"""Suggestions that are there when they are wanted: made in the background, kept as long as the documents are the same.

    suggester = Suggester(library)
    suggester.show(4)          # at once; none at first, and they are begun
    suggester.wait(seconds=5)  # where somebody may wait
    suggester.show(4, turn=1)  # four others, as soon as they are there

A page that is loaded asks nothing of the documents: it is shown what was made before.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

from assistant.suggesting.candidates import Candidate
from assistant.suggesting.suggestions import draw_from_all, keep_answered
from index.errors import FootnoteError
from index.library import Library

MOST_KEPT = 24  # questions of one state of the documents


class Suggester:
    """The suggestions of one library. Safe to share between threads; one thread at most works for it."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()
        self._state: tuple[int, ...] = ()
        self._kept: list[str] = []
        self._found: Iterator[Candidate] | None = None  # those still to come
        self._wanted = 0

    def show(self, count: int, turn: int = 0) -> list[str]:
        """As many questions as there are now, `count` at most; what is wanting is made meanwhile.

        turn: another number gives others; after the last come the first again. While the documents change, the
        questions of before are shown.
        """
        self._want(min(count * (turn + 1), MOST_KEPT))
        with self._lock:
            kept, is_whole = [*self._kept], self._found is None
        if not kept:
            return []
        first = turn * count
        if is_whole or first >= MOST_KEPT:
            return [kept[(first + place) % len(kept)] for place in range(min(count, len(kept)))]
        return kept[first : first + count] or kept[:count]

    def wait(self, seconds: float) -> None:
        """Wait until what was wanted is there, at most so long."""
        if thread := self._thread:
            thread.join(seconds)

    def close(self) -> None:
        """Make no more; what is being made ends with the question that is being asked."""
        self._closed.set()
        self.wait(10)

    def _want(self, count: int) -> None:
        """Have so many questions made of the documents as they are now, unless they are there."""
        state = self._library.state()
        with self._lock:
            self._wanted = max(self._wanted, count)
            is_new = state != self._state
            has_enough = len(self._kept) >= self._wanted or self._found is None
            if self._closed.is_set() or (not is_new and has_enough) or (self._thread and self._thread.is_alive()):
                return
            self._thread = threading.Thread(target=self._work, args=[state], name="suggestions", daemon=True)
            self._thread.start()

    def _work(self, state: tuple[int, ...]) -> None:
        try:
            self._make(state)
        except FootnoteError:
            # The store is being made anew, or cannot be read: whoever asks something is told; here there is nothing.
            with self._lock:
                self._found = None
        finally:
            self._library.store.close()  # what this thread holds open

    def _make(self, state: tuple[int, ...]) -> None:
        fresh: list[str] = []
        if state != self._state or self._found is None:
            found = keep_answered(draw_from_all(self._library), self._library, is_cancelled=self._closed.is_set)
        else:
            found, fresh = self._found, [*self._kept]
        while not self._closed.is_set() and len(fresh) < self._wanted:
            candidate = next(found, None)
            if candidate is None:
                break
            fresh.append(candidate.question)
            with self._lock:
                if len(fresh) >= len(self._kept) or state == self._state:
                    self._kept, self._state = [*fresh], state
        with self._lock:
            is_whole = len(fresh) < self._wanted
            self._kept, self._state, self._found = fresh, state, None if is_whole else found
