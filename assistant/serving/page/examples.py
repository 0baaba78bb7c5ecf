"""The questions that the page offers: to begin with, after an answer, and in the place of a refusal.

Those to begin with are made in the background and kept. Those that go on from an answer cost about as much as some
further questions: they are made for one conversation at a time, and given up as soon as somebody asks something.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from assistant.serving.page.conversing import Conversation
from assistant.serving.page.scope import Scope
from assistant.serving.served import Served
from assistant.suggesting.candidates import normalise
from assistant.suggesting.suggestions import suggest
from assistant.suggesting.waiting import Suggester
from index.errors import FootnoteError

SHOWN, SHOWN_NEAR = 4, 3  # at most, to begin with; and of these that go on from the last answer
WAITING_SECONDS = 4.0  # that a page waits for the first


class Examples:
    """What one server offers to ask."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._suggesters: dict[str | None, Suggester] = {}
        self._lock, self._one = threading.Lock(), threading.Lock()
        self._asked = 0  # questions that are being answered

    @contextmanager
    def asking(self) -> Iterator[None]:
        """While a question is answered: what is made for others makes way."""
        with self._lock:
            self._asked += 1
        try:
            yield
        finally:
            with self._lock:
                self._asked -= 1

    def begin(self, scope: Scope, turn: int = 0) -> dict[str, object]:
        """Questions to begin with, as the page takes them; where there are none yet, it asks again for a while.

        turn: another number gives others.
        """
        suggester = self._find(scope)
        if not (shown := suggester.show(SHOWN, turn)):
            suggester.wait(WAITING_SECONDS)
            shown = suggester.show(SHOWN, turn)
        return {"questions": shown, "is_first": True}

    def go_on(self, talk: Conversation, scope: Scope) -> dict[str, list[str]]:
        """Questions after the last answer of a conversation, or instead of it where there is none to be had."""
        asked = [exchange.question for exchange in talk]
        answer = talk[-1].answer if talk else None
        near: list[str] = []
        if answer and self._one.acquire(blocking=False):
            try:
                library = self._served.library(scope.library).select(scope.only, {})
                near = suggest(
                    library,
                    SHOWN_NEAR,
                    after=answer if answer.found else None,
                    instead_of=None if answer.found else answer,
                    asked=asked,
                    is_cancelled=lambda: self._asked > 0,
                )
            except FootnoteError:
                near = []  # the documents are gone, or just being made anew: who asks is told
            finally:
                self._one.release()
        taken = {normalise(question) for question in (*asked, *near)}
        others = self._find(scope).show(SHOWN, len(talk)) if not scope.only else []
        fresh = [question for question in others if normalise(question) not in taken]
        return {"questions": [*near, *fresh][:SHOWN]}

    def close(self) -> None:
        """Make no more."""
        for suggester in self._suggesters.values():
            suggester.close()

    def _find(self, scope: Scope) -> Suggester:
        with self._lock:
            if scope.library not in self._suggesters:
                self._suggesters[scope.library] = Suggester(self._served.library(scope.library))
            return self._suggesters[scope.library]
