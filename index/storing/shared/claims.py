"""Who is at what, in a shared store: each document is claimed by one worker, as long as that is alive.

A claim is a row that is added under a name of the document's version: the one that was there first stays, so who reads
its own back has it. A worker shows that it is alive by a number that it changes; where that stands still for
LEASE_SECONDS of the time in which we could see it, the worker counts as gone, and its claims as free: they are claimed
anew under the next name. So the clocks of machines need not agree.

But: a claim spares work, and no more. A worker that only seemed to be gone may come back, and what keeps its changes
from counting is the log.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from index.errors import StoreError
from index.storing.shared.log import NO_VECTOR
from index.storing.shared.server import (
    PATIENCE_SECONDS,
    QUESTION_SECONDS,
    REQUEST_ROWS,
    Collection,
    CollectionDamagedError,
    CollectionGoneError,
)

LEASE_SECONDS = 15.0
BEAT_SECONDS = 2.0
MOST_SEEN_SECONDS = 3.0  # that one look counts: while the server was away nobody could show anything
MOST_TAKEOVERS = 5  # of one claim, by workers that were gone one after the other

Key = tuple[str, int]  # a document's id, and the number of the entry that made it what it is


class Claimed(NamedTuple):
    """ours: what is ours now; taken_over: of it, what somebody was at who is gone. given_up: what too many were at."""

    ours: set[Key]
    taken_over: set[Key]
    given_up: set[Key]


class Claims:
    """The claims of one worker, beside those of others. Safe to share between threads."""

    def __init__(self, collection: Collection) -> None:
        self.worker = secrets.token_hex(6)
        self._collection = collection
        self.held: dict[Key, int] = {}  # with the turn at which each was claimed
        self._seen: dict[str, tuple[int, float, float]] = {}  # of workers: beat, seconds it stood, when that was
        self._beat = 0

    @contextmanager
    def working(self) -> Iterator[None]:
        """Be a worker, and show it; at the end all claims are given back."""
        self._show()
        ended = threading.Event()
        thread = threading.Thread(target=self._show_until, args=(ended,), name="footnote-claims", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            with suppress(StoreError, CollectionGoneError, CollectionDamagedError):
                # Who cannot be told in time finds out.
                self.give_back(list(self.held), QUESTION_SECONDS)
                self._collection.delete([_worker_name(self.worker)], QUESTION_SECONDS)

    def _show_until(self, ended: threading.Event) -> None:
        while not ended.wait(BEAT_SECONDS):
            with suppress(StoreError, CollectionGoneError, CollectionDamagedError):  # the next one may be seen
                self._show(BEAT_SECONDS)

    def _show(self, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._beat += 1
        name, fields = _worker_name(self.worker), {"beat": self._beat}
        self._collection.upsert([name], patience_seconds, embeddings=[NO_VECTOR], metadatas=[fields])

    def claim(self, keys: Iterable[Key]) -> Claimed:
        """Claim what nobody is at."""
        claimed = Claimed(set(), set(), set())
        turns = dict.fromkeys(keys, 0)
        while turns:
            names = {_name(key, turn): key for key, turn in turns.items()}
            owners = self._add(names)
            self._look({owner for owner in owners.values() if owner != self.worker})
            following: dict[Key, int] = {}
            for name, key in names.items():
                turn, owner = turns[key], owners.get(name, "")
                if owner == self.worker:
                    claimed.ours.add(key)
                    self.held[key] = turn
                    if turn:
                        claimed.taken_over.add(key)
                elif owner and self._is_gone(owner):
                    if turn < MOST_TAKEOVERS:
                        following[key] = turn + 1
                    else:
                        claimed.given_up.add(key)
            turns = following
        return claimed

    def _add(self, names: Iterable[str]) -> dict[str, str]:
        """Add claims where there are none of their names; who has each."""
        names = list(names)
        owners: dict[str, str] = {}
        for i in range(0, len(names), REQUEST_ROWS):
            some = names[i : i + REQUEST_ROWS]
            self._collection.add(
                some, embeddings=[NO_VECTOR] * len(some), metadatas=[{"worker": self.worker}] * len(some)
            )
            page = self._collection.get(some, include=["metadatas"])
            owners |= {name: str(row.get("worker")) for name, row in zip(page["ids"], page["metadatas"], strict=True)}
        return owners

    def give_back(self, keys: Iterable[Key], patience_seconds: float = PATIENCE_SECONDS) -> None:
        """Give claims back, done or not."""
        turns = {key: self.held.pop(key) for key in keys if key in self.held}
        names = [_name(key, turn) for key, last in turns.items() for turn in range(last + 1)]
        self._collection.delete(names, patience_seconds)

    def wait_until_alone(self) -> bool:
        """Whether no other worker is alive; where one may be, it takes LEASE_SECONDS to tell."""
        others = self._others()
        self._look(others)
        while living := {worker for worker in others if not self._is_gone(worker)}:
            beats = {worker: self._seen[worker][0] for worker in living}
            time.sleep(BEAT_SECONDS / 2)
            self._look(living)
            if any(self._seen[worker][0] > beats[worker] for worker in living):
                return False  # it has just shown that it is alive
        return self._others() <= others

    def remove_others(self) -> None:
        """Remove the claims of all other workers, and what they showed; needs that none is alive."""
        ours = {_worker_name(self.worker), *(_name(key, turn) for key, turn in self.held.items())}
        names = [name for names in self._collection.pages_of_ids() for name in names]
        self._collection.delete([name for name in names if name not in ours])

    def _others(self) -> set[str]:
        page = self._collection.get(limit=REQUEST_ROWS, include=["metadatas"], where={"beat": {"$gt": 0}})
        return {name.removeprefix("worker:") for name in page["ids"]} - {self.worker}

    def _look(self, workers: set[str]) -> None:
        """See which beat others are at, and how long each has stood still."""
        if not workers:
            return
        page = self._collection.get([*map(_worker_name, workers)], include=["metadatas"])
        beats = {
            name.removeprefix("worker:"): row.get("beat")
            for name, row in zip(page["ids"], page["metadatas"], strict=True)
        }
        now = time.monotonic()
        for worker in workers:
            beat = beats.get(worker)
            known, stood, looked = self._seen.get(worker, (None, 0.0, now))
            if not isinstance(beat, int):  # it has ended, and given back all but what it could not
                self._seen[worker] = (-1, LEASE_SECONDS, now)
            elif beat != known:
                self._seen[worker] = (beat, 0.0, now)
            else:
                self._seen[worker] = (beat, stood + min(now - looked, MOST_SEEN_SECONDS), now)

    def _is_gone(self, worker: str) -> bool:
        return self._seen.get(worker, (0, 0.0, 0.0))[1] >= LEASE_SECONDS


def _worker_name(worker: str) -> str:
    return f"worker:{worker}"


def _name(key: Key, turn: int) -> str:
    document_id, base = key
    return f"{document_id}:{base}@{turn}"
