"""How much of each thing there may be: how often, how many at once, and whose a conversation is."""

from __future__ import annotations

import math
import time
from collections import Counter, OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

MOST_BEATS, MOST_STREAMS = 192, 128  # responses that stay open, of everybody: of pages that are open, of answers
MOST_STREAMS_OF_SESSION = 4  # of either kind
MOST_STREAMS_OF_CLIENT = 48  # of either kind, of one who has logged in
MOST_KEYS = 10_000  # whose events are counted
MOST_SESSIONS_OF_USER = 1000  # that are known to be theirs


class RefusedError(Exception):
    """A request that is refused: with a status, a sentence, and after how many seconds another try may help."""

    def __init__(self, status: int, sentence: str, retry_seconds: int = 0) -> None:
        super().__init__(sentence)
        self.status = status
        self.retry_seconds = retry_seconds


class Rates:
    """How often each of many may do something: a bucket of tokens for each key, that fills up again.

    The token bucket of Turner (1986), as leaky bucket "as a meter". But: only the keys seen last are remembered.
    """

    def __init__(self, per_second: float, at_once: int) -> None:
        self._per_second = per_second
        self._at_once = at_once
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens left, and when that was

    def take(self, key: str) -> float:
        """Take one token: 0, or in how many seconds there will be one."""
        left, now = self._left(key)
        self._keep(key, left - 1 if left >= 1 else left, now)
        return 0.0 if left >= 1 else (1 - left) / self._per_second

    def give_back(self, key: str) -> None:
        """Have a token that was taken count for nothing."""
        left, now = self._left(key)
        self._keep(key, left + 1, now)

    def _left(self, key: str) -> tuple[float, float]:
        now = time.monotonic()
        left, since = self._buckets.pop(key, (float(self._at_once), now))
        return min(self._at_once, left + (now - since) * self._per_second), now

    def _keep(self, key: str, left: float, now: float) -> None:
        self._buckets[key] = (left, now)
        if len(self._buckets) > MOST_KEYS:
            self._buckets.popitem(last=False)


class Places:
    """How many of a thing are under way, of everybody and of each.

    most: of everybody. most_each: of one. name: what they are, for the sentence of a refusal.
    """

    def __init__(self, most: int, most_each: int, name: str) -> None:
        self._most = most
        self._most_each = most_each
        self._name = name
        self._taken: Counter[str] = Counter()

    def count(self) -> int:
        """How many are under way."""
        return self._taken.total()

    @contextmanager
    def take(self, key: str) -> Iterator[None]:
        """Count one more for as long as it is under way; of everybody alone where the key is empty.

        Raises RefusedError where there are too many.
        """
        if self._taken.total() >= self._most or (key and self._taken[key] >= self._most_each):
            raise RefusedError(429, f"Too many {self._name} are under way: try again in 2 seconds.", 2)
        self._taken[key] += 1
        try:
            yield
        finally:
            _release(self._taken, key)


class Streams:
    """The responses that stay open, by session: who holds one may read an answer."""

    def __init__(self) -> None:
        self._beats: Counter[str] = Counter()
        self._answers: Counter[str] = Counter()
        self._of_clients: Counter[tuple[str, bool]] = Counter()

    def has(self, session: str) -> bool:
        """Whether somebody holds a response of a session open."""
        return session in self._beats or session in self._answers

    @contextmanager
    def open(self, session: str, *, is_beat: bool, client: str = "") -> Iterator[None]:
        """Count one more while it is open: a page's beat, or the answers that it follows.

        client: who has logged in, who may have some of them only.
        Raises RefusedError where there are too many of the kind.
        """
        opened, most = (self._beats, MOST_BEATS) if is_beat else (self._answers, MOST_STREAMS)
        is_full = opened[session] >= MOST_STREAMS_OF_SESSION or opened.total() >= most
        if is_full or (client and self._of_clients[client, is_beat] >= MOST_STREAMS_OF_CLIENT):
            raise RefusedError(429, "Too many pages are open: close some, and try again in 10 seconds.", 10)
        opened[session] += 1
        self._of_clients[client, is_beat] += 1
        try:
            yield
        finally:
            _release(opened, session)
            _release(self._of_clients, (client, is_beat))


class Owners:
    """Whose each session of a page is: that of the user who was the first to use it.

    But: of each user only the sessions used last are remembered; what one user does makes no other's be forgotten.
    """

    def __init__(self) -> None:
        self._user_of: dict[str, str] = {}
        self._sessions_of: dict[str, OrderedDict[str, None]] = {}

    def user_of(self, session: str) -> str | None:
        """The user of a session, None for one that is unknown."""
        return self._user_of.get(session)

    def claim(self, session: str, user: str) -> None:
        """Have a session be a user's.

        Raises RefusedError where it is another's.
        """
        if self._user_of.setdefault(session, user) != user:
            raise RefusedError(403, "This conversation is another user's: load the page anew.")
        sessions = self._sessions_of.setdefault(user, OrderedDict())
        sessions[session] = None
        sessions.move_to_end(session)
        if len(sessions) > MOST_SESSIONS_OF_USER:
            del self._user_of[sessions.popitem(last=False)[0]]


def _release(counter: Counter[Any], key: object) -> None:
    counter[key] -= 1
    if not counter[key]:
        del counter[key]


def say_seconds(seconds: float) -> str:
    """A length of time in words."""
    whole = max(1, math.ceil(seconds))
    return "a second" if whole == 1 else f"{whole:,} seconds"
