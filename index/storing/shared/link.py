"""What a machine holds of a shared store, and its way to the server: how it follows, and what it does without it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from index import place as places
from index.documents import Progress
from index.embedding.protocol import Vectors
from index.errors import StoreError
from index.place import DamagedError
from index.storing.keeper import disk_errors
from index.storing.parts import GRAPH
from index.storing.records import Record
from index.storing.shared.claims import Claims
from index.storing.shared.following import Turn, follow
from index.storing.shared.log import Log
from index.storing.shared.mirror import FIRST_GENERATION, Mirror
from index.storing.shared.rows import Row, read_rows
from index.storing.shared.server import (
    PATIENCE_SECONDS,
    QUESTION_SECONDS,
    Address,
    ChromaServer,
    Collection,
    CollectionDamagedError,
    CollectionGoneError,
    ServerAwayError,
)

# Up to so many rows it is seen which ones no way in the server's graph leads to, at most every so many seconds.
TRIED_ROWS, TRIED_SECONDS = 20_000, 5.0
AWAY_SECONDS = 5.0  # that a server which did not answer is not asked again, where somebody waits
# Of the vectors, many of which are better written to the server's files seldom: killed at that, it does not get at
# them any more. What it has not written there it reads again when it starts, some 4,000 a second.
# Of unit vectors the inner product is the cosine; told to take that, Chroma would give vectors back that it has divided
# by their length once more, which differ from ours in their last bit.
_ROWS_HNSW = {**GRAPH, "space": "ip", "sync_threshold": 10_000}
_LOG_HNSW = {"space": "l2", "sync_threshold": 1_000_000}
_CLAIMS_HNSW = {"space": "l2"}


class Link:
    """The mirror at a place, of the store of a name at an address. Safe to share between threads.

    made_with: what the store keeps to. refuse_other: raises StoreError where another was made with something else.
    is_away: whether the server did not answer when it was asked last. must_mend: whether it does not get at its
    vectors. news: what is to be told, each in a sentence.
    """

    def __init__(
        self,
        place: Path,
        address: Address,
        name: str,
        made_with: Mapping[str, str | int],
        refuse_other: Callable[[Mapping[str, Any]], None],
    ) -> None:
        self.mirror = Mirror(place / "lexicon.sqlite")
        self.server = ChromaServer(address)
        self.name = name
        self.is_away = False
        self.must_mend = False
        self.news: list[str] = []
        self._place = place
        self._made_with = made_with
        self._refuse_other = refuse_other
        self._one_thread = threading.Lock()
        self._place_lock = places.lock(place / "lock")
        self._log: Log | None = None
        self._rows: tuple[int, Collection] | None = None
        self._away_until = 0.0
        self._looked: tuple[int, float] = (-1, 0.0)  # the log's entry at which the graph was looked through, and when
        self._astray: dict[str, Vectors] = {}

    @property
    def shown_address(self) -> str:
        """The server's address, as it may be shown."""
        return self.server.address.shown

    # -- following ----------------------------------------------------------------------------

    def refresh(self) -> None:
        """See what others have written, as far as that is a matter of a moment; or that the server is away."""
        if not self.rests():
            for _ in self.catch_up(QUESTION_SECONDS):
                pass

    def rests(self) -> bool:
        """Whether the server is not to be asked, where somebody waits, since it did not answer just before."""
        return time.monotonic() < self._away_until

    def follow(self, *, skips_damaged: bool = False) -> None:
        """See all that is in the log; see `catch_up`."""
        for _ in self.catch_up(skips_damaged=skips_damaged):
            pass

    def catch_up(self, seconds: float | None = None, *, skips_damaged: bool = False) -> Iterator[Progress]:
        """Have the mirror say what the log says, telling how far it is.

        seconds: after which to leave the rest, and to take the server for away; None where nobody waits.
        skips_damaged: whether documents whose rows the server does not get at count as not there; else it fails.
        Raises ServerAwayError where it is away and nobody waits, or nothing can be answered from.
        """
        patience_seconds = PATIENCE_SECONDS if seconds is None else seconds
        end = None if seconds is None else time.monotonic() + seconds
        try:
            if not self._one_thread.acquire(timeout=-1 if seconds is None else seconds):
                return  # another thread is at it
            try:
                with self._alone(seconds) as is_alone, self.telling():
                    if is_alone:
                        log = self._connect(patience_seconds)
                        read = partial(self._read, skips_damaged=skips_damaged, patience_seconds=patience_seconds)
                        for told in follow(self.mirror, log, read, patience_seconds):
                            yield told
                            if end is not None and time.monotonic() > end:
                                break
            finally:
                self._one_thread.release()
            self.is_away, self._away_until = False, 0.0
        except ServerAwayError as error:
            self.note_away(error)
            if seconds is None:
                raise
        except DamagedError:
            if seconds is None:
                raise

    @contextmanager
    def _alone(self, seconds: float | None) -> Iterator[bool]:
        """Keep other processes of this machine from the mirror; whether that came about in time."""
        with disk_errors(self._place):
            places.make_way(self._place / "lock")
            try:
                self._place_lock.acquire(timeout=-1 if seconds is None else seconds)
            except TimeoutError:
                yield False
                return
        try:
            yield True
        finally:
            self._place_lock.release()

    def _connect(self, patience_seconds: float) -> Log:
        """Find the store's collections on the server, or make them; begin a mirror that is not of them."""
        if self._log is None:
            made_with = {name: value for name, value in self._made_with.items() if name != "folder"}
            found = self.server.find(f"{self.name}-log", patience_seconds)
            if found is None:
                found = self.server.open(f"{self.name}-log", made_with, _LOG_HNSW)
            self._refuse_other(found.metadata)
            self._log, self._rows = Log(found), None
        if not self.mirror.is_usable() or self.mirror.made_with().get("log") != self._log.id:
            with disk_errors(self._place):
                places.write_small(self._place / "server", f"{self.name} at {self.shown_address}")
            self.mirror.create({**self._made_with, "log": self._log.id})
            self.mirror.mark(whole=True)  # of what it holds, which is none yet, nothing is missing
        return self._log

    def _read(
        self,
        versions: Sequence[tuple[Record, str]],
        turn: Turn,
        *,
        skips_damaged: bool,
        patience_seconds: float,
    ) -> dict[str, list[Row]]:
        """The rows of versions that entries tell of, by document id; without those that cannot be had."""
        try:
            return read_rows(self._open_rows(turn.generation, patience_seconds), versions, patience_seconds)
        except CollectionDamagedError:
            if not skips_damaged:
                raise
            return {}
        except CollectionGoneError:
            # They were made anew since, which a later entry tells; what counts then has the same ids there.
            entries = self.log.read(turn.number, patience_seconds)
            later = [entry.generation for entry in entries if entry.moves]
            if not later and skips_damaged:
                return {}
            if not later:
                raise
            return read_rows(self._open_rows(later[-1], patience_seconds), versions, patience_seconds)

    def _open_rows(self, generation: int, patience_seconds: float = PATIENCE_SECONDS) -> Collection:
        """The rows of a generation. Raises CollectionGoneError where there are others by now."""
        if self._rows is None or self._rows[0] != generation:
            is_first = generation == FIRST_GENERATION and self.mirror.followed()[0] == 0
            name = self.rows_name(generation)
            found = self.make_rows(generation) if is_first else self.server.find(name, patience_seconds)
            if found is None:
                # Where the log tells of no others, somebody has deleted them.
                entries = self.log.read(self.mirror.followed()[0], patience_seconds)
                self.must_mend = not any(entry.moves for entry in entries)
                raise CollectionGoneError(f"There is no collection {name}.")
            self._rows, self.must_mend = (generation, found), False
        return self._rows[1]

    # -- what there is on the server ----------------------------------------------------------

    @property
    def log(self) -> Log:
        """The log. Raises DamagedError where it was gone when it was asked last."""
        if self._log is None:
            raise DamagedError("The shared store was just made anew on the server: try again.")
        return self._log

    @property
    def rows(self) -> Collection:
        """The rows, as far as the log was followed. Raises CollectionGoneError where there are others by now."""
        return self._open_rows(self.mirror.followed()[1])

    def rows_name(self, generation: int) -> str:
        """What the collection of a generation of rows is called."""
        return f"{self.name}-rows-{generation}"

    def make_rows(self, generation: int) -> Collection:
        """The rows of a generation, made where there are none."""
        return self.server.open(self.rows_name(generation), {"generation": generation}, _ROWS_HNSW)

    def open_claims(self) -> Claims:
        """The claims, for one worker more."""
        return Claims(self.server.open(f"{self.name}-claims", {}, _CLAIMS_HNSW))

    def query(self, vector: Any, count: int) -> dict[str, float] | None:
        """The ids of the visible chunks nearest to a vector, with their distance; None where the server cannot tell."""
        if self.rests() or self.must_mend:
            return None
        try:
            rows = self._open_rows(self.mirror.followed()[1], QUESTION_SECONDS)
            found = rows.query(vector, count, QUESTION_SECONDS)
        except ServerAwayError as error:
            self.note_away(error)
        except CollectionDamagedError:
            self.must_mend = True
        except CollectionGoneError:
            self._log, self._rows = None, None
        else:
            ids = self.mirror.find_chunks([*found])
            distances = {ids[name]: distance for name, distance in found.items() if name in ids}
            distances |= {i: 1.0 - float(other @ vector) for i, other in self.find_astray().items()}
            return dict(sorted(distances.items(), key=lambda row: row[1])[:count])
        return None

    def find_astray(self) -> Mapping[str, Vectors]:
        """The visible chunks that no way in the server's graph leads to, with their vectors, as was seen last.

        A search looks at these besides; see `parts`. Where there are many rows, nobody knows.
        """
        number, count = self.mirror.followed()[0], self.mirror.count_chunks()
        known, looked = self._looked
        if number == known or time.monotonic() - looked < TRIED_SECONDS:
            return self._astray
        self._looked, self._astray = (known, time.monotonic()), {}
        if 0 < count <= TRIED_ROWS and len(sample := self.mirror.sample()):
            with suppress(StoreError, CollectionGoneError, CollectionDamagedError):  # some servers give only so many
                rows = self._open_rows(self.mirror.followed()[1], QUESTION_SECONDS)
                reached = rows.query(sample[0], count + count // 4 + 100, QUESTION_SECONDS)
                missed = self.mirror.find_chunks([name for name in self.mirror.row_ids() if name not in reached])
                self._astray = {i: e.vector for i, e in self.mirror.embedded(missed.values()).items()}
                self._looked = number, time.monotonic()
        return self._astray

    def knows_astray(self) -> bool:
        """Whether the graph was looked through for all that there is."""
        return self._looked[0] == self.mirror.followed()[0] and self.mirror.count_chunks() <= TRIED_ROWS

    # -- what goes wrong ----------------------------------------------------------------------

    def note_away(self, error: ServerAwayError) -> None:
        """Answer from the mirror for a while; raises the error where there is none."""
        if not self.mirror.is_usable():
            raise error
        self._refuse_other(self.mirror.made_with())
        if not self.is_away:
            self.news.append(f"{error} Until then answers are from what this machine holds.")
        self.is_away, self._away_until = True, time.monotonic() + AWAY_SECONDS

    @contextmanager
    def telling(self) -> Iterator[None]:
        """What the server says of collections that are damaged or gone, as DamagedError: then the work is begun again.

        A log that is gone is another store; claims that are damaged are thrown away, which costs work and no more;
        rows that are damaged are made anew by whoever writes next.
        """
        try:
            yield
        except CollectionGoneError as error:
            self._log, self._rows = None, None
            raise DamagedError(f"The shared store was just made anew on the server ({error}): try again.") from error
        except CollectionDamagedError as error:
            if error.collection == f"{self.name}-claims":
                self.server.delete(error.collection)
            elif error.collection == f"{self.name}-log":
                raise StoreError(
                    f"The Chroma server at {self.shown_address} does not get at the log of the shared store "
                    f"{self.name} ({error}): start the server again; where that does not help, make the store anew "
                    f"with footnote sync FOLDER --anew."
                ) from error
            else:
                self.must_mend = True
            raise DamagedError(f"The shared store was damaged on the server ({error}): try again.") from error

    def let_go(self) -> None:
        """Close all that is open, in every thread."""
        self.server.close()
        self.mirror.let_go()
