"""The SQLite file of the lexicon: who opens it, what is read and written in it, and what is found wrong with it.

Each row has a checksum, so that no answer is made of what a failing disk has altered: whoever reads it is told of the
damage, and the store makes the lexicon anew. Where the file may not be written, it is read as it is.
"""

from __future__ import annotations

import marshal
import math
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from weakref import WeakSet
from zlib import crc32

from index.place import NO_ROOM, DamagedError, NoRoomError, is_file, make_way, remove

_WAIT_SECONDS = 30  # for others who write
CONNECT_SECONDS = 1.0  # in which it is tried again to open the file
_PASSING = {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY}  # what may be over in a moment, where the file is just made anew
FAILING_SECONDS = 5.0  # in which a second failure to read is the disk's
MAPPED_BYTES = 2_000_000_000  # of the file, that is read where the system has it, without a copy for each thread
# What SQLite says of the machine rather than of the file.
_NOT_DAMAGE = {
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_INTERRUPT,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
}


def checksum(*values: Any) -> int:
    """A number that changes where any of the values does, or its type."""
    return crc32(marshal.dumps(values, 2))  # later versions of that format tell equal values apart


def verify(expected: object, *values: Any) -> bool:
    """True where the values have the checksum that they were written with.

    Raises sqlite3.DatabaseError where they have not.
    """
    if checksum(*values) != expected:
        raise sqlite3.DatabaseError("what is stored is not what was written")
    return True


def add_functions(connection: sqlite3.Connection) -> None:
    """Have a connection's statements know `checksum` and `verify`."""
    connection.create_function("checksum", -1, checksum, deterministic=True)
    connection.create_function("verify", -1, verify, deterministic=True)


def execute_with(connection: sqlite3.Connection, sql: str, values: Iterable[object], *before: object) -> sqlite3.Cursor:
    """Execute a statement that has the values where its {} stands, and others before."""
    given = list(values)
    return connection.execute(sql.format(", ".join("?" * len(given))), [*before, *given])


class _Connection(sqlite3.Connection):
    """One that can be remembered without being held."""


class LexiconFile:
    """One SQLite file. Each thread has a connection of its own."""

    def __init__(self, file: Path) -> None:
        self.is_read_only = False
        self._file = file
        self._local = threading.local()
        self._connections: WeakSet[_Connection] = WeakSet()  # of all threads
        self._generation = 0
        self._seen: tuple[int, ...] = ()
        self._is_damaged = False

    def size_bytes(self) -> int:
        """How large the file is."""
        with suppress(OSError):
            return self._file.stat().st_size
        return 0

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Let every read inside see one and the same version, whatever is committed meanwhile.

        Raises DamagedError where a read inside has had the file made anew, so that they have not.
        """
        with self._reading() as connection:
            if connection.in_transaction:
                yield
                return
            connection.execute("BEGIN")
            try:
                yield
            finally:
                try:
                    connection.rollback()
                except sqlite3.ProgrammingError as error:  # it was closed
                    raise DamagedError(f"The store at {self._file.parent} was just made anew: try again.") from error

    def settle_file(self) -> None:
        """Have the file hold all that was written, where nobody reads just now, so that it may be copied by itself."""
        with self._reading() as connection:
            connection.execute("PRAGMA busy_timeout = 0")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute(f"PRAGMA busy_timeout = {_WAIT_SECONDS * 1000}")

    def reopen(self) -> None:
        """Have each thread open the file again before it reads on: it may have been replaced, or filled by another."""
        self._generation += 1
        self._seen = ()
        self._is_damaged = False

    def close(self) -> None:
        """Close this thread's connection."""
        connection, _ = getattr(self._local, "opened", (None, 0))
        if connection is not None:
            connection.close()
            del self._local.opened, self._local.files

    def let_go(self) -> None:
        """Close the connections of all threads; none of them may be at anything."""
        self.close()
        for connection in [*self._connections]:
            connection.close()

    def _rows(self, sql: str, *values: object) -> list[Any]:
        with self._reading() as connection:
            return connection.execute(sql, values).fetchall()

    def _select(self, sql: str, values: Iterable[object], *before: object) -> list[Any]:
        with self._reading() as connection:
            return execute_with(connection, sql, values, *before).fetchall()

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """This thread's connection; what goes wrong with it is told in a sentence, and damage is kept in mind."""
        try:
            yield self._connection()
        except sqlite3.ProgrammingError:
            raise
        except sqlite3.DatabaseError as error:
            code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
            if code == sqlite3.SQLITE_IOERR and (self._was_replaced() or self._is_first_failure(error)):
                self.reopen()
                raise DamagedError(f"The store at {self._file.parent} was just made anew: try again.") from error
            if code in _NOT_DAMAGE:
                raise NoRoomError(NO_ROOM.format(self._file.parent, error)) from error
            raise self._note_damage(error) from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._reading() as connection, connection:
            yield connection

    def _note_damage(self, what: object) -> DamagedError:
        self._is_damaged = True
        return DamagedError(f"The lexical index of the store at {self._file.parent} is damaged ({what}): try again.")

    def _remove_file(self) -> None:
        """Take the file away with what SQLite keeps beside it, and forget what was known of it."""
        self.close()
        for ending in ("", "-journal", "-shm", "-wal"):
            remove(Path(f"{self._file}{ending}"))
        self.reopen()

    def _reopen_replaced(self) -> None:
        """Open the file again where it is another than was opened; by others it may have grown, but not been cut."""
        if not self._seen:
            return
        seen, self._seen = self._seen, self._look()
        if seen != self._seen and (self.is_read_only or seen[1] != self._seen[1] or seen[0] > self._seen[0]):
            self.reopen()

    def _connection(self) -> sqlite3.Connection:
        connection: _Connection | None
        connection, generation = getattr(self._local, "opened", (None, 0))
        if connection is not None and generation != self._generation and not connection.in_transaction:
            self.close()
            connection = None
        if connection is None:
            generation = self._generation
            connection = self._connect_to_read() if self.is_read_only else self._connect()
            self._connections.add(connection)
            add_functions(connection)
            connection.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")
            self._local.opened = connection, generation
            self._local.files = self._identify_files()
            self._seen = self._look()
        return connection

    def _connect(self) -> _Connection:
        for file in self._files():
            make_way(file)
        if all(map(is_file, self._files())) and not self.size_bytes():
            # Cut to nothing: whoever has it open would keep everybody else from making it anew.
            for file in self._files():
                remove(file)
        end = time.monotonic() + CONNECT_SECONDS
        while True:
            connection = sqlite3.connect(
                self._file, timeout=_WAIT_SECONDS, check_same_thread=False, factory=_Connection
            )
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                break
            except sqlite3.OperationalError as error:
                connection.close()
                # Where the file was deleted, whoever closes it last takes away what SQLite keeps beside the new one;
                # where another just makes it anew, SQLite does not wait for its lock.
                if time.monotonic() > end or error.sqlite_errorcode & 0xFF not in _PASSING:
                    raise
                time.sleep(0.01)
        return connection

    def _connect_to_read(self) -> _Connection:
        """A connection that writes nothing, not even beside the file, as SQLite does where it may."""
        written_since = Path(f"{self._file}-wal")
        is_alone = not is_file(written_since) or not written_since.stat().st_size
        uri = f"{self._file.absolute().as_uri()}?mode=ro{'&immutable=1' if is_alone else ''}"
        return sqlite3.connect(uri, uri=True, timeout=_WAIT_SECONDS, check_same_thread=False, factory=_Connection)

    def _is_first_failure(self, error: sqlite3.DatabaseError) -> bool:
        """Whether this thread has read without a failure for a while: then another may have made the file anew.

        Its inode does not tell where the system has given the new file the old one's.
        """
        last, now = float(getattr(self._local, "failed", -math.inf)), time.monotonic()
        self._local.failed = now
        is_of_writing = error.sqlite_errorcode in (sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_FSYNC)
        return not is_of_writing and now - last > FAILING_SECONDS

    def _was_replaced(self) -> bool:
        """Whether the file that this thread has open was deleted, or what SQLite keeps beside it.

        The latter by whoever closes last what stood there before: it takes away the new ones.
        """
        opened = getattr(self._local, "files", None)
        return opened is not None and opened != self._identify_files()

    def _identify_files(self) -> list[int]:
        """What tells the files that stand there now from others of the same names: their inodes, 0 for none."""
        inodes = [0, 0, 0]
        for number, file in enumerate(self._files()):
            with suppress(OSError):
                inodes[number] = file.lstat().st_ino
        return inodes

    def _files(self) -> list[Path]:
        return [Path(f"{self._file}{ending}") for ending in ("", "-shm", "-wal")]

    def _look(self) -> tuple[int, ...]:
        """Which file it is, and for one that is read as it is, in what state."""
        try:
            status = self._file.lstat()
        except OSError:
            return (0, 0)
        which = (status.st_size, status.st_ino)
        return (*which, status.st_mtime_ns) if self.is_read_only else which
