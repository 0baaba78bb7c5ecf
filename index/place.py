"""A store's place on the disk, where nothing is trusted to be as it was left.

What lies there is ours alone: a folder, a link or a pipe where a file of ours should be is taken away, not followed,
and what a small file says is read as far as it can be.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from index.errors import StoreError

FILES = frozenset({"chroma", "files.json", "holder", "lexicon.sqlite", "lock", "mark", "saving", "server"})
ENOUGH_FILES = 3  # by which a folder is told to be a store's place
_MOST_BYTES = 10_000_000  # of a small file
NO_ROOM = "The store at {} could not be written ({}). Nothing is lost: see that the disk has room, then sync again."


class NoRoomError(StoreError):
    """The disk is full or failing, or may not be written."""


class DamagedError(StoreError):
    """What lies there is not as it was written. That is kept in mind: the next sync makes it anew."""


def is_place(names: Iterable[str]) -> bool:
    """Whether a folder that holds things of these names is the place of a store."""
    return sum(name in FILES for name in names) >= ENOUGH_FILES


def may_be_written(place: Path) -> bool:
    """Whether this process may write to a store that stands: to its place and to all of ours that lies in it."""
    files = (place / name for name in FILES)
    return os.access(place, os.W_OK) and all(map(_may_be_written, files))


def _may_be_written(file: Path) -> bool:
    # Asked again at the end, since another thread may have made the file meanwhile.
    return os.access(file, os.W_OK) or not file.exists() or os.access(file, os.W_OK)


def is_file(file: Path) -> bool:
    """Whether a file is there that is no link, no folder and no pipe."""
    try:
        return stat.S_ISREG(file.lstat().st_mode)
    except OSError:
        return False


def is_folder(place: Path) -> bool:
    """Whether a folder is there, as far as this process may know."""
    try:
        return stat.S_ISDIR(place.stat().st_mode)
    except OSError:
        return False


def remove(file: Path) -> None:
    """Remove a file, a folder with all that is in it, or a link and nothing of what it leads to."""
    if file.is_dir() and not file.is_symlink():
        shutil.rmtree(file)
    else:
        with suppress(FileNotFoundError, NotADirectoryError):  # or the folder that it should be in is none
            file.unlink()


def make_way(file: Path) -> None:
    """Remove what stands where a file should be and is none."""
    if not is_file(file):
        remove(file)


def read_small(file: Path) -> str:
    """What a file says, "" where it is missing or none."""
    if not is_file(file):
        return ""
    try:
        with file.open("rb") as stream:
            return stream.read(_MOST_BYTES).decode(errors="replace")
    except OSError:
        return ""


def read_note(file: Path) -> dict[str, Any] | None:
    """What `write_small` has written as JSON; None where it is missing or cannot be understood."""
    try:
        note = json.loads(read_small(file))
    except (ValueError, RecursionError):
        return None
    return note if isinstance(note, dict) else None


def write_small(file: Path, text: str, *, is_lasting: bool = False) -> None:
    """Have a file say this, whole or not at all.

    is_lasting: also where the power fails.
    """
    new = file.with_name(f"{file.name}.new")
    make_way(new)
    with new.open("w", encoding="utf-8") as stream:
        stream.write(text)
        if is_lasting:
            stream.flush()
            os.fsync(stream.fileno())
    make_way(file)
    new.replace(file)


def lock(file: Path) -> Any:
    """A lock between processes and threads; one that this process may take again while it holds it."""
    from filelock import FileLock

    return FileLock(file, thread_local=False, poll_interval=0.01)
