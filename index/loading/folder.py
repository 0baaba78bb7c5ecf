"""What a documents folder holds: its files, and what cannot be one of them, with the reason."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path

from index.errors import FolderError
from index.loading.omissions import (
    IGNORE_FILE,
    MOST_PATTERN_BYTES,
    Awaited,
    UnusableError,
    enter,
    is_made_folder,
    is_wanted,
    read_patterns,
)
from index.place import FILES, is_place


@dataclass(frozen=True, slots=True)
class File:
    """A file that may be a document: where it is, its path relative to the folder, its size and time of change."""

    location: str
    path: str
    size_bytes: int
    modified_ns: int

    @property
    def place(self) -> Path:
        """Where the file is; made when asked for, since most files are only looked at."""
        return Path(self.location)


def scan(folder: Path) -> tuple[list[File], dict[str, str]]:
    """Every regular file below a folder, by path, and the reason for each thing that is none.

    Hidden files and folders are left alone, and so are a store that lies there and what `omissions` passes over. Links
    to folders are not followed, and a link to a file counts as that file where it stays within the folder.

    Raises FolderError where the folder is missing, is no folder, or may not be read.
    """
    if not folder.exists():
        raise FolderError(f"There is no folder {folder}: check the path, or make it and put documents into it.")
    if not folder.is_dir():
        raise FolderError(f"{folder} is not a folder: give the folder that holds the documents.")
    files: list[File] = []
    refused: dict[str, str] = {}
    root = os.path.realpath(folder)
    try:
        for entry, path in _walk(folder, refused):
            reason = _refuse(entry, path, root)
            if reason is not None:
                refused[path] = reason
                continue
            status = entry.stat()
            files.append(File(entry.path, path, status.st_size, status.st_mtime_ns))
    except PermissionError as error:
        raise FolderError(f"{folder} may not be read: change its permissions ({error.strerror}).") from error
    return sorted(files, key=attrgetter("path")), refused


def find_folders(folder: Path) -> list[str]:
    """The folder and those below it that `scan` looks into. Raises OSError where the first cannot be read."""
    entered: list[str] = []
    for _ in _walk(folder, {}, entered):
        pass
    return entered


def _walk(
    folder: Path, refused: dict[str, str], entered: list[str] | None = None
) -> Iterator[tuple[os.DirEntry[str], str]]:
    # A list of what is still to be looked into, since folders may lie deeper in each other than Python's calls may.
    waiting: list[tuple[str, str, list[Awaited], bool]] = [(os.fspath(folder), "", [], True)]
    room_bytes = MOST_PATTERN_BYTES
    while waiting:
        place, below, awaited, is_asked_for = waiting.pop()
        try:
            with os.scandir(place) as found:
                entries = {entry.name: entry for entry in found}
            if is_place(entries) or (is_made_folder(entries.keys()) and not is_asked_for):
                continue
            if entered is not None:
                entered.append(place)
            # Only now, since what is awaited in each of a thousand folders that wait would fill the memory.
            awaited = enter(awaited, below.split("/")[-2]) if awaited else []
            if IGNORE_FILE in entries:
                try:
                    patterns, size_bytes = read_patterns(Path(place, IGNORE_FILE), room_bytes)
                    awaited = patterns + awaited
                    room_bytes -= size_bytes
                except UnusableError as error:
                    refused[f"{below}{IGNORE_FILE}"] = f"not used: {error}"
            for name, entry in entries.items():
                if name[0] == "." or (wanted := is_wanted(awaited, entry)) is False:
                    continue
                path = f"{below}{name}"
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((entry.path, f"{path}/", awaited, wanted is True))
                else:
                    yield entry, path
        except OSError as error:
            if not below:
                raise
            refused[below.removesuffix("/")] = f"cannot be read ({error.strerror})"


def _refuse(entry: os.DirEntry[str], path: str, root: str) -> str | None:
    """Why something in the folder is no document, or None where it may be one."""
    if not path.isascii() and any("\ud800" <= character <= "\udfff" for character in path):
        return "its name is not UTF-8: rename it"
    try:
        mode = entry.stat().st_mode
        if entry.is_symlink():
            if stat.S_ISDIR(mode):
                return "a link to a folder"
            real = os.path.realpath(entry.path)
            if not real.startswith(root + os.sep):
                return "a link out of the folder"
            if any(is_place(name for name in FILES if (above / name).exists()) for above in Path(real).parents):
                return "a link into a store"
    except OSError as error:
        return "a broken link" if entry.is_symlink() else f"cannot be read ({error.strerror})"
    return None if stat.S_ISREG(mode) else "not a regular file"
