"""A bucket's mirror: a folder of our own that holds what lies there, from which all else is read as from any folder.

It is brought up to date by a list of the bucket's objects. One that is new or whose ETag, size or time is another is
fetched beside the folder, gets the object's time, and is then put in its place at once, so that no half of a file is
ever there to be read, wherever that was killed; what is gone from the bucket is removed. A note beside the folder says
which state of which object each file is. It is lost at the worst, and then all is fetched again.

    <stores>/mirrors/reports-0123456789ab/
        files/reports/...  what is read      incoming/...  what is being fetched
        note.sqlite                          lock       who brings it up to date, one at a time
"""

from __future__ import annotations

import errno
import hashlib
import os
import queue
import re
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeVar

from index.documents import Progress
from index.errors import FolderError, FootnoteError
from index.loading.address import Address, refuse_name
from index.loading.bucket import Bucket, Object, RefusedObjectError
from index.loading.loader import LARGEST_BYTES
from index.loading.omissions import IGNORE_FILE
from index.place import NoRoomError, lock, remove

FOLDER = "mirrors"  # among the stores
LOOK_SECONDS = 60.0  # after which a question has the bucket looked at again, where nothing else does
MOST_OBJECTS = 250_000
MOST_REFUSED = 1_000  # objects that are named as such
MOST_DENIED = 20  # one after another, and none that may be read, after which no more are asked for
LEAST_ROOM_BYTES = 500_000_000  # that stay free on the disk
AT_ONCE = 8  # objects that are fetched
TICK_SECONDS = 0.1  # in which a stop is heeded
TELLING_SECONDS = 2.0  # after which it is said again what is waited for

_CANNOT_BE_NAMED = (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ)
_TABLES = """
    create table if not exists objects
        (path text primary key, size_bytes integer, state text, modified_ns integer, file_ns integer) without rowid;
    create table if not exists refused (path text primary key, reason text) without rowid;
    create table if not exists whole (is_whole integer);
"""
_looked: dict[Path, float] = {}  # when this process has looked at the bucket last, by the place of the mirror

Result = TypeVar("Result")
Asks = Callable[[], bool]
Row = tuple[int, str, int, int]  # of an object that was fetched: size, state and time, and the file's time


class Mirror:
    """The mirror of what lies at an address. Safe to share between threads and processes."""

    def __init__(self, stores: Path, address: Address) -> None:
        readable = re.sub(r"[^A-Za-z0-9]+", "-", address.name).strip("-").lower()[:40]
        self.address = address
        self.place = stores / FOLDER / f"{readable}-{hashlib.sha256(str(address).encode()).hexdigest()[:12]}"
        self.folder = self.place / "files" / address.name

    def is_whole(self) -> bool:
        """Whether all that lay in the bucket has once been fetched."""
        with _disk_errors(self.place):
            if not self.folder.is_dir() or not self._note_file.is_file():
                return False
            with self._note() as note:
                return bool(note.execute("select 1 from whole").fetchone())

    def is_due(self) -> bool:
        """Whether this process has not looked at the bucket for a while."""
        return time.monotonic() - _looked.get(self.place, -LOOK_SECONDS) >= LOOK_SECONDS

    def refused(self) -> dict[str, str]:
        """Why objects are no files, by path."""
        with _disk_errors(self.place), self._note() as note:
            return dict(note.execute("select path, reason from refused"))

    def update(self, *, patient: bool = True, is_stopped: Asks = lambda: False) -> Generator[Progress, None, bool]:
        """Make the folder equal to the bucket; whether anything had to be done. If stopped, what is fetched stays.

        patient: wait for another process or thread that does so; else leave it to that one, where the mirror was whole.

        Raises FolderError where the bucket cannot be had, is too large, or was always empty; StoreError where the
        mirror cannot be written.
        """
        with _disk_errors(self.place):
            self.folder.mkdir(parents=True, exist_ok=True)
            held, told = lock(self.place / "lock"), 0.0
        while not self._is_taken(held):
            if is_stopped() or (not patient and self.is_whole()):
                return False
            if time.monotonic() - told >= TELLING_SECONDS:
                told = time.monotonic()
                yield Progress(f"Waiting for another process, which is fetching {self.address}")
            time.sleep(TICK_SECONDS)
        try:
            return (yield from self._update(is_stopped))
        finally:
            _looked[self.place] = time.monotonic()
            held.release()

    def _is_taken(self, held: Any) -> bool:
        """Whether a lock is ours now, or somebody else's."""
        with _disk_errors(self.place), suppress(TimeoutError):
            held.acquire(timeout=0)
        return bool(held.is_locked)

    def _update(self, is_stopped: Asks) -> Generator[Progress, None, bool]:
        told = Progress(f"Looking at {self.address}")
        bucket = yield from _wait(lambda: Bucket(self.address), told, is_stopped)
        objects = (yield from self._list(bucket, is_stopped)) if bucket else None
        if bucket is None or objects is None:
            return False
        wanted, refused = choose(objects)
        if not objects and not self.is_whole():
            raise FolderError(f"{self.address} holds no documents: check the name, or put some files there.")
        with _disk_errors(self.place), self._note() as note:
            before = dict(note.execute("select path, reason from refused"))
            has_changed = self._prune(wanted, note)
            fresh = self._find_fresh(wanted, note)
            self._require_room(fresh)
            yield from self._fetch(bucket, fresh, refused, note, is_stopped)
            if is_stopped():
                return True
            refused = dict(sorted(refused.items())[:MOST_REFUSED])
            with note:
                note.execute("delete from refused")
                note.executemany("insert into refused values (?, ?)", refused.items())
                note.execute("delete from whole")
                note.execute("insert into whole values (1)")
        return has_changed or bool(fresh) or before != refused

    def _list(self, bucket: Bucket, is_stopped: Asks) -> Generator[Progress, None, list[Object] | None]:
        """All objects of the bucket; None where it was stopped."""
        objects: list[Object] = []
        following: str | None = None
        while True:
            told = Progress(f"Looking at {self.address}" + (f": {len(objects):,} objects" if objects else ""))
            page = yield from _wait(partial(bucket.list_page, following), told, is_stopped)
            if page is None:
                return None
            objects += page[0]
            following = page[1]
            if len(objects) > MOST_OBJECTS:
                raise FolderError(
                    f"{self.address} holds more than {MOST_OBJECTS:,} objects: give the address of a folder in it."
                )
            if following is None:
                return objects

    def _prune(self, wanted: dict[str, Object], note: sqlite3.Connection) -> bool:
        """Remove what is in the folder and is none of the bucket's objects; whether there was anything."""
        remove(self._incoming)
        self._incoming.mkdir()
        gone: list[str] = []
        for place, folders, names in os.walk(self.folder, topdown=False):
            below = Path(place).relative_to(self.folder).as_posix()
            for name in names:
                path = name if below == "." else f"{below}/{name}"
                file = Path(place, name)
                if path not in wanted or file.is_symlink():
                    file.unlink()
                    gone.append(path)
            for name in folders:
                if Path(place, name).is_symlink():
                    Path(place, name).unlink()
                else:
                    with suppress(OSError):  # where something is in it
                        Path(place, name).rmdir()
        with note:
            kept = [path for (path,) in note.execute("select path from objects")]
            note.executemany("delete from objects where path = ?", [(path,) for path in kept if path not in wanted])
        return bool(gone)

    def _find_fresh(self, wanted: dict[str, Object], note: sqlite3.Connection) -> list[tuple[Object, int]]:
        """The objects that are to be fetched, each with the time that its file is to have."""
        noted: dict[str, Row] = {row[0]: row[1:] for row in note.execute("select * from objects")}
        fresh = []
        for path, found in wanted.items():
            row, file_ns = noted.get(path), found.modified_ns
            with suppress(OSError):
                status = (self.folder / path).lstat()
                is_noted = row == (found.size_bytes, found.state, found.modified_ns, status.st_mtime_ns)
                if is_noted and status.st_size == found.size_bytes:
                    continue
                # Two states of an object may have one time, to the second; their files must not.
                if 0 <= status.st_mtime_ns - file_ns < 1_000_000:
                    file_ns = status.st_mtime_ns + 1_000
            fresh.append((found, file_ns))
        return fresh

    def _require_room(self, fresh: list[tuple[Object, int]]) -> None:
        needed = sum(found.size_bytes for found, _ in fresh)
        free = shutil.disk_usage(self.place).free - LEAST_ROOM_BYTES
        if needed > max(0, free):
            raise FolderError(
                f"{self.address} has {needed / 1e9:,.1f} GB to fetch, and the disk of {self.place} has room for "
                f"{max(0, free) / 1e9:,.1f} GB: make room, set FOOTNOTE_STORE to a folder on another disk, or give the "
                "address of a folder in the bucket."
            )

    def _fetch(
        self,
        bucket: Bucket,
        fresh: list[tuple[Object, int]],
        refused: dict[str, str],
        note: sqlite3.Connection,
        is_stopped: Asks,
    ) -> Iterator[Progress]:
        """Fetch objects, some at once, and note each that is in its place; `refused` gets those that cannot be had."""
        total, told, left, denied = sum(found.size_bytes for found, _ in fresh), 0.0, len(fresh), 0
        fetching = _Fetching(bucket, self.folder, self._incoming, fresh)
        try:
            while left and not is_stopped():
                with suppress(queue.Empty):
                    found, outcome = fetching.outcomes.get(timeout=TICK_SECONDS)
                    left -= 1
                    if isinstance(outcome, int):
                        denied = -len(fresh)
                        row = (found.path, found.size_bytes, found.state, found.modified_ns, outcome)
                        with note:
                            note.execute("insert or replace into objects values (?, ?, ?, ?, ?)", row)
                    elif isinstance(outcome, RefusedObjectError):
                        refused[found.path] = str(outcome)
                        denied += outcome.is_denied
                        if denied >= min(MOST_DENIED, len(fresh)) and not self.is_whole():
                            raise FolderError(
                                f"{self.address} may be listed, but its objects may not be read: give yourself the "
                                "right s3:GetObject, or use other credentials."
                            )
                        # What is there is of an earlier state, and nobody can say that it still holds.
                        remove(self.folder / found.path)
                    else:
                        raise outcome
                if time.monotonic() - told >= TICK_SECONDS or not left:
                    told = time.monotonic()
                    yield Progress(f"Fetching {self.address}", fetching.done_bytes, total, "bytes")
        finally:
            fetching.stop()
            shutil.rmtree(self._incoming, ignore_errors=True)

    @property
    def _incoming(self) -> Path:
        return self.place / "incoming"

    @property
    def _note_file(self) -> Path:
        return self.place / "note.sqlite"

    @contextmanager
    def _note(self) -> Iterator[sqlite3.Connection]:
        """The note, begun anew where it is not as it was written."""
        try:
            note = self._open_note()
        except sqlite3.DatabaseError:
            remove(self._note_file)
            note = self._open_note()
        with closing(note):
            yield note

    def _open_note(self) -> sqlite3.Connection:
        note = sqlite3.connect(self._note_file, timeout=60)
        try:
            note.executescript(_TABLES)
        except sqlite3.DatabaseError:
            note.close()
            raise
        return note


class _Fetching:
    """Objects that are being fetched, in threads; each comes out with its file's time, or with why there is none.

    The threads hold up no process that ends: one may wait for a server that does not answer.
    """

    def __init__(self, bucket: Bucket, folder: Path, incoming: Path, fresh: list[tuple[Object, int]]) -> None:
        self.outcomes: queue.SimpleQueue[tuple[Object, int | Exception]] = queue.SimpleQueue()
        self.done_bytes = 0
        self._bucket = bucket
        self._folder = folder
        self._incoming = Path(mkdtemp(dir=incoming))  # its own, since threads of one that was stopped may still write
        self._waiting: queue.SimpleQueue[tuple[int, Object, int]] = queue.SimpleQueue()
        for number, (found, file_ns) in enumerate(fresh):
            self._waiting.put((number, found, file_ns))
        self._is_stopped = False
        self._placing = threading.Lock()  # around each file's being put in its place, and the stop of all
        for _ in range(min(AT_ONCE, len(fresh))):
            threading.Thread(target=self._run, name="footnote-fetching", daemon=True).start()

    def stop(self) -> None:
        """From now on nothing is put in its place."""
        with self._placing:
            self._is_stopped = True

    def _run(self) -> None:
        with suppress(queue.Empty):
            while not self._is_stopped:
                number, found, file_ns = self._waiting.get_nowait()
                try:
                    self.outcomes.put((found, self._fetch(number, found, file_ns)))
                except Exception as error:  # which is raised where the outcomes are read
                    self.outcomes.put((found, error))

    def _fetch(self, number: int, found: Object, file_ns: int) -> int:
        begun, file, size_bytes = self._incoming / str(number), self._folder / found.path, 0
        try:
            with begun.open("wb") as opened:
                for block in self._bucket.read(found):
                    if self._is_stopped:
                        break
                    opened.write(block)
                    size_bytes += len(block)
                    with self._placing:
                        self.done_bytes += len(block)
            os.utime(begun, ns=(file_ns, file_ns))
            file_ns = begun.stat().st_mtime_ns  # as exactly as the file system keeps it
            with self._placing:
                if not self._is_stopped:
                    file.parent.mkdir(parents=True, exist_ok=True)
                    begun.replace(file)
        except OSError as error:
            begun.unlink(missing_ok=True)
            if error.errno in _CANNOT_BE_NAMED:
                raise RefusedObjectError(f"no file can have its name here ({error.strerror}): rename it") from error
            raise
        except Exception:
            begun.unlink(missing_ok=True)
            raise
        return file_ns


def choose(objects: list[Object]) -> tuple[dict[str, Object], dict[str, str]]:
    """The objects that are to be files, by path, and the reason for each that cannot be one.

    Left alone are hidden ones, as in any folder, and those that only stand for a folder.
    """
    wanted: dict[str, Object] = {}
    refused: dict[str, str] = {}
    for found in objects:
        path = found.path
        if (path.endswith("/") or not path) and not found.size_bytes:
            continue
        reason = refuse_name(path)
        if reason is None:
            *above, name = path.split("/")
            if any(part.startswith(".") for part in above) or (name.startswith(".") and name != IGNORE_FILE):
                continue
            if found.size_bytes > LARGEST_BYTES:
                reason = f"too large ({found.size_bytes // 10**6:,} MB; the limit is {LARGEST_BYTES // 10**6} MB)"
        if reason:
            refused[path.encode(errors="replace").decode()] = reason
        else:
            wanted[path] = found
    folders = {"/".join(parts[:end]) for parts in (path.split("/") for path in wanted) for end in range(1, len(parts))}
    for path in wanted.keys() & folders:
        del wanted[path]
        refused[path] = "its name is that of a folder too: rename it"
    return wanted, refused


def _wait(work: Callable[[], Result], told: Progress, is_stopped: Asks) -> Generator[Progress, None, Result | None]:
    """Have something done in another thread, and give what comes of it; None where it is stopped before that."""
    outcomes: queue.SimpleQueue[Result | Exception] = queue.SimpleQueue()

    def run() -> None:
        try:
            outcomes.put(work())
        except Exception as error:  # which is raised where the outcome is read
            outcomes.put(error)

    threading.Thread(target=run, name="footnote-looking", daemon=True).start()
    yielded = 0.0
    while not is_stopped():
        if time.monotonic() - yielded >= TELLING_SECONDS:
            yielded = time.monotonic()
            yield told
        with suppress(queue.Empty):
            outcome = outcomes.get(timeout=TICK_SECONDS)
            if isinstance(outcome, Exception):
                raise outcome
            return outcome
    return None


@contextmanager
def _disk_errors(place: Path) -> Iterator[None]:
    try:
        yield
    except FootnoteError:
        raise
    except (OSError, sqlite3.Error) as error:
        why = getattr(error, "strerror", None) or error
        raise NoRoomError(
            f"The mirror at {place} could not be written ({why}): see that the disk has room, or set FOOTNOTE_STORE to "
            "another folder."
        ) from error
