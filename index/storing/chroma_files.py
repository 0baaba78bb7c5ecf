"""Chroma's files, and their dangers.

Chroma believes whatever it finds in its files: a damaged one gives wrong answers, or ends the process without a word.
So a note tells, for each, how we left it, and it is compared before Chroma opens any.

Chroma also writes over the files of its vectors in place. Where it is killed or fails at that, they are torn. So there
is a second note while it writes, of how they were before, by size and time; it stays where the write did not come to
its end, and it alone counts until the first one is made again, which is at the end of a sync.

But: of a database beyond CHECKED_BYTES only the size and time are noted, since Chroma changes it with every write;
where those differ, SQLite is asked whether it is whole, which it says of one whose rows were changed, too.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from zlib import crc32

from index.errors import StoreError
from index.place import NO_ROOM, NoRoomError, is_file, read_note, remove, write_small
from index.storing.rows import RowsFailedError

CHECKED_BYTES = 16_000_000  # a file up to this size is read each time; a larger one where its size or time differ
_READ_BYTES = 1_000_000

State = list[int]  # size in bytes and time of change; -1 for what is no file
_FOLDER = "chroma"  # in a store's place
_DATABASE = "chroma.sqlite3"
_UNLIKE_ANY = {"/": [-1, 0]}


class ChromaFiles:
    """The folder "chroma" of a store's place, and the notes beside it. For one thread and process at a time."""

    def __init__(self, place: Path) -> None:
        self.folder = place / _FOLDER
        self._note = place / "files.json"
        self._saving = place / "saving.json"
        self._known: dict[str, State] = {}
        self._is_changing = False

    def are_known(self) -> bool:
        """Whether the files are, by size and time, as this process has last seen them."""
        return self._look() == self._known

    def find_damage(self, *, reads_all: bool = False) -> str:
        """What has happened to the files without our note; "" where nothing has.

        reads_all: large files too whose size and time are as noted.
        """
        noted, found = read_note(self._note) or {}, self._look()
        before = read_note(self._saving)
        if before is not None:
            # The database, which may have been changed since, takes care of itself.
            if before != _of_vectors(found) or (found and _DATABASE not in found):
                return "were being written when that was stopped"
        else:
            for name in sorted({*found, *noted}):
                if not self._is_as_noted(name, found.get(name), noted.get(name), reads_all=reads_all):
                    return "have been lost" if name not in found else "are not as they were left"
        self._known = found
        return ""

    def _is_as_noted(self, name: str, state: State | None, noted: Any, *, reads_all: bool) -> bool:
        match noted:
            case [int(size_bytes), int(modified_ns), int() | None as checksum] if state and state[0] == size_bytes >= 0:
                is_checked = reads_all or size_bytes <= CHECKED_BYTES or state[1] != modified_ns
                if is_checked and checksum is None:
                    return _is_whole_database(self.folder / name)
                return not is_checked or _checksum(self.folder / name) == checksum
        return False

    @contextmanager
    def changing(self, *, is_anew: bool = False) -> Iterator[None]:
        """Around whatever has Chroma write to its files, so that it is known to be ours; `note` is to follow.

        May be entered inside itself. is_anew: what is written is of no use before all of it is.
        """
        if self._is_changing:
            yield
            return
        before = _UNLIKE_ANY if is_anew else _of_vectors(self._look())
        write_small(self._saving, json.dumps(before), is_lasting=True)
        self._is_changing = True
        try:
            yield
        finally:
            self._is_changing = False
        self._known = self._look()
        write_small(self._saving, json.dumps(_of_vectors(self._known)))

    def note(self) -> None:
        """Note how the files are now; needs to read those that have changed."""
        if self._is_changing:
            return
        found, noted = self._look(), read_note(self._note)
        note = {name: self._describe(name, state, (noted or {}).get(name)) for name, state in found.items()}
        if note != noted:
            write_small(self._note, json.dumps(note))
        remove(self._saving)
        self._known = found

    def _describe(self, name: str, state: State, noted: Any) -> list[int | None]:
        match noted:
            case [size_bytes, modified_ns, checksum] if [size_bytes, modified_ns] == state:
                return [*state, checksum]
        is_left_out = name == _DATABASE and state[0] > CHECKED_BYTES
        return [*state, None if is_left_out else _checksum(self.folder / name)]

    def distrust(self) -> None:
        """Note that the files are of no use, although they are as we left them."""
        write_small(self._saving, json.dumps(_UNLIKE_ANY))

    def clear(self) -> None:
        """Remove all of Chroma's files, and what is noted of them."""
        for file in (self.folder, self._note, self._saving):
            remove(file)
        self._known = {}

    def _look(self) -> dict[str, State]:
        """The state of each file: of the database by its name, of those of the vectors by their folder's too."""
        if self.folder.is_symlink() or is_file(self.folder):
            return {"": [-1, 0]}
        found: dict[str, State] = {}
        for entry in _list(self.folder):
            if entry.is_dir(follow_symlinks=False):
                found |= {f"{entry.name}/{file.name}": _state_of(file) for file in _list(entry.path)}
            else:
                found[entry.name] = _state_of(entry)
        return found


def load_chroma() -> None:
    """Import Chroma, which looks at the environment, and at the file .env of the folder that it is started in.

    Raises StoreError where it stumbles over them.
    """
    try:
        import chromadb  # noqa: F401
    except (OSError, RuntimeError, ValueError) as error:
        if isinstance(error.__cause__, KeyboardInterrupt):
            raise error.__cause__ from None
        what = " ".join(str(error).splitlines()[:2])  # no more: values may be secret
        raise StoreError(
            f"Chroma, which keeps the store, does not start in this environment ({what}): see that HOME is set, and "
            "unset what it names, also in the file .env of the current folder."
        ) from error


def connect(place: Path) -> Any:
    """A client of Chroma's that shares nothing with any other, and takes nothing from the environment.

    Needs `failures` around it, and around all that is asked of it.
    """
    import chromadb

    # Made without the environment, and without the file .env of whatever folder it is started in: either could have it
    # send the documents to a server.
    settings = chromadb.Settings.model_construct(anonymized_telemetry=False)
    forget_open_stores()
    return chromadb.PersistentClient(str(place / _FOLDER), settings=settings)


def forget_open_stores() -> None:
    """Have Chroma open every store afresh: it keeps one reader a path, damaged or outdated, and does not look again."""
    from chromadb.api.shared_system_client import SharedSystemClient

    SharedSystemClient.clear_system_cache()


@contextmanager
def failures(place: Path) -> Iterator[None]:
    """What Chroma and our notes raise, as NoRoomError where the disk is full or failing, else as RowsFailedError."""
    from chromadb.errors import ChromaError

    try:
        yield
    except ChromaError as error:
        forget_open_stores()
        if _is_for_want_of_room(error):
            raise NoRoomError(NO_ROOM.format(place, error)) from error
        raise RowsFailedError(str(error)) from error
    except OSError as error:
        raise NoRoomError(NO_ROOM.format(place, error)) from error


def _is_for_want_of_room(error: Exception) -> bool:
    """Whether SQLite, below Chroma, says that the disk is full or failing rather than that the file is damaged."""
    code = re.search(r"\(code: (\d+)\)", str(error))
    return "Failed to apply logs to the metadata" in str(error) or (
        code is not None and int(code[1]) & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
    )


def _of_vectors(states: Mapping[str, Any]) -> dict[str, Any]:
    return {name: state for name, state in states.items() if "/" in name}


def _list(folder: str | Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return [*entries]
    except FileNotFoundError:
        return []


def _state_of(entry: os.DirEntry[str]) -> State:
    status = entry.stat(follow_symlinks=False)
    return [status.st_size if entry.is_file(follow_symlinks=False) else -1, status.st_mtime_ns]


def _checksum(file: Path) -> int:
    """Chance does not leave it as it was, and it is fast: of the vectors of a million chunks there are gigabytes."""
    checksum = 0
    with file.open("rb") as stream:
        while part := stream.read(_READ_BYTES):
            checksum = crc32(part, checksum)
    return checksum


def _is_whole_database(file: Path) -> bool:
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return bool(connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",))
    except sqlite3.DatabaseError:
        return False
