"""Who may use a store's rows when, and what becomes of them where something has happened to Chroma's files.

One process writes at a time, under a lock that dies with it. Chroma's files have a lock of their own: nobody
searches while they are written, and who opened them before another process's write opens them again, which a mark
that each write changes tells.
"""

from __future__ import annotations

import os
import secrets
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from index import place as places
from index.errors import StoreError
from index.place import NO_ROOM, DamagedError, NoRoomError
from index.storing.chroma_files import ChromaFiles, forget_open_stores, load_chroma
from index.storing.parts import Parts
from index.storing.rows import Fields, Rows, RowsFailedError

LEAST_ROOM_BYTES = 4_000_000  # on the disk, for Chroma to be asked to write


class HeldError(Exception):
    """Another process holds the store; the message says which."""


class Keeper:
    """Keeps the rows of the store at one place. Safe to share between threads.

    made_with: what the rows are to remember, where they are made.
    """

    def __init__(self, place: Path, made_with: Fields) -> None:
        self._place = place
        self._made_with = made_with
        self._one_thread = threading.RLock()
        self._parts: Parts | None = None
        self._mark = ""
        self._files = ChromaFiles(place)
        self._files_lock = places.lock(place / "saving")

    @property
    def rows(self) -> Rows:
        """The rows, which `opening` or `making_anew` has opened; a thread that is just at it is waited for.

        Raises RowsFailedError where it came to nothing.
        """
        with self._one_thread:
            if self._parts is None:
                raise RowsFailedError("they could not be opened")
            return self._parts

    @property
    def mark(self) -> str:
        """What stands for all that was written when the rows were opened or written last; another after each write."""
        return self._mark

    def is_current(self) -> bool:
        """Whether the rows are open, and nothing has happened to Chroma's files since."""
        is_of_now = self._parts is not None and places.read_small(self._place / "mark") == self._mark
        return is_of_now and self._files.are_known()

    def find_damage(self, *, reads_all: bool = False) -> str:
        """What has happened to Chroma's files without us; see `ChromaFiles.find_damage`. Needs `alone`."""
        return self._files.find_damage(reads_all=reads_all)

    # -- keeping others away ------------------------------------------------------------------

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other threads and processes from Chroma's files.

        A search takes in what others have written since, and when that has become much, it too writes over the files
        of the vectors: two at once would lose some. So it is one at a time, and each knows of what came before.
        """
        with self._one_thread:
            load_chroma()
            with disk_errors(self._place):
                places.make_way(self._place / "saving")
                self._files_lock.acquire()
            try:
                yield
            finally:
                self._files_lock.release()

    @contextmanager
    def holding(self, wait_seconds: float) -> Iterator[None]:
        """Be the one process that writes.

        Raises HeldError where another still is after `wait_seconds`; below 0 it waits for ever.
        """
        lock = places.lock(self._place / "lock")
        holder = self._place / "holder"
        try:
            places.make_way(self._place / "lock")
            lock.acquire(timeout=wait_seconds)
        except TimeoutError:
            raise HeldError(places.read_small(holder) or "another process") from None
        except OSError as error:
            raise NoRoomError(NO_ROOM.format(self._place, error)) from error
        try:
            with suppress(OSError):  # it only tells others whom they wait for
                places.write_small(holder, f"process {os.getpid()}")
            with disk_errors(self._place):
                try:
                    yield
                    with self.alone():
                        self._files.note()
                except (StoreError, OSError, RowsFailedError) as error:
                    # Chroma's connections keep locks after a write that failed: they would wait for each other.
                    self.let_go()
                    if isinstance(error, RowsFailedError):
                        self._files.distrust()
                    raise
        finally:
            lock.release()

    @contextmanager
    def searching(self) -> Iterator[Rows]:
        """Around a search of rows that are current. Needs `alone`.

        Raises NoRoomError on a full disk: there Chroma does not search, since it cannot write its log away first.
        """
        self._require_room()
        yield self.rows
        if not self._files.are_known():
            self._files.note()

    @contextmanager
    def saving(self) -> Iterator[Rows]:
        """Around each write of rows: who has the store open learns of it by the mark."""
        with self.alone():
            self._require_room()
            with self._files.changing():
                self._renew_mark()
                yield self.rows

    def _require_room(self) -> None:
        """Refuse to write to a full disk before Chroma does: it may wait for itself for ever after that."""
        if (free := shutil.disk_usage(self._place).free) < LEAST_ROOM_BYTES:
            raise NoRoomError(NO_ROOM.format(self._place, f"{free:,} bytes are free on the disk"))

    def _renew_mark(self) -> None:
        mark = secrets.token_hex(8)
        places.write_small(self._place / "mark", mark)
        self._mark = mark

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Around whatever has Chroma open its files, which it may also write then."""
        with self.alone():
            with self._files.changing():
                yield
            self._files.note()

    # -- opening ------------------------------------------------------------------------------

    @contextmanager
    def opening(self) -> Iterator[Rows]:
        """Open the rows as they were left, to be looked at before anybody else has them. Needs `alone`."""
        with self._changing():
            parts = Parts(self._place, self._made_with, self._changing)
            yield parts
        self._parts, self._mark = parts, places.read_small(self._place / "mark")

    @contextmanager
    def making_anew(self) -> Iterator[Rows]:
        """Open rows that are empty, to be filled; those that there were are thrown away. Needs `alone`."""
        self.clear()
        with self._files.changing(is_anew=True):
            parts = Parts(self._place, self._made_with, self._changing)
            yield parts
        self._files.note()
        self._parts = parts

    def clear(self) -> None:
        """Throw away all rows; who has the store open learns of it by the mark. Needs `alone`."""
        self._parts = None
        self._renew_mark()
        forget_open_stores()
        self._files.clear()

    def let_go(self) -> None:
        """Have the rows be opened anew before they are used again; not while another thread uses them."""
        with self._one_thread:
            if self._parts is not None:
                self._parts = None
                forget_open_stores()


@contextmanager
def disk_errors(place: Path) -> Iterator[None]:
    """What a full, failing or damaged disk raises, as one sentence."""
    try:
        yield
    except OSError as error:
        raise NoRoomError(NO_ROOM.format(place, error)) from error
    except RowsFailedError as error:
        raise DamagedError(f"The vectors of the store at {place} are damaged ({error}): try again.") from error
