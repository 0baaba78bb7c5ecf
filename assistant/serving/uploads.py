"""What people put into the uploads folder: files by name, text that they paste; and what they delete from it.

Nothing is ever overwritten, and a file is there whole or not at all: it is received under a hidden name, which no sync
looks at, and then gets its own. How large it may be, how many may lie there and how much in all is bounded.

But: who may put something there is not asked here.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import threading
import time
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from index.errors import InputError
from index.loading.folder import find_folders
from index.loading.formats import HEAD_BYTES, MEGABYTE, UnreadableError, check_kind
from index.loading.omissions import is_left_behind

LONGEST_NAME_BYTES = 180  # with room for " (2)" within the 255 that file systems take
LONGEST_SUFFIX_BYTES = 20
MOST_ALIKE = 1000  # files of one name
MOST_AT_ONCE = 8  # that are received
LEAST_ROOM_BYTES = 500 * MEGABYTE  # that stays free on the disk
_BEGUN = ".footnote-upload-"
_FORGOTTEN_SECONDS = 86_400.0  # after which what a killed server left is taken away

# Names that are devices on Windows, whatever their suffix
# (https://learn.microsoft.com/windows/win32/fileio/naming-a-file).
_DEVICE = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?=\s*(?:\.|\Z))", re.IGNORECASE)
_UNNAMEABLE = re.compile(r'[<>:"|?*]')
# Joiners shape words in some scripts; what else formats text, or turns its direction, has no place in a name.
_KEPT_FORMATS = "\u200c\u200d"


class RefusedUploadError(InputError):
    """What is not taken, and why, in a sentence; status: as HTTP tells it."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that a file may have, that all files in the uploads folder may have, and how many there may be."""

    most_bytes: int = 100 * MEGABYTE
    total_bytes: int = 2000 * MEGABYTE
    most_files: int = 10_000


class Uploads:
    """The uploads folder. Safe to share between threads."""

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        self.folder = folder
        self.limits = limits or Limits()
        self._receiving: set[Receiving] = set()
        self._counting = threading.Lock()
        for begun in folder.glob(f"{_BEGUN}*"):
            with suppress(OSError):
                if time.time() - begun.stat().st_mtime > _FORGOTTEN_SECONDS:
                    begun.unlink()

    @contextmanager
    def receive(self, name: str) -> Iterator[Receiving]:
        """Take a file whose bytes are written one after another; if it is not kept in the end, nothing stays of it.

        Raises RefusedUploadError: also where it is written and kept.
        """
        name = clean_name(name)
        if is_left_behind(name, lambda: False):
            raise RefusedUploadError(f"“{name}” is named as what programs leave behind, and is not read: rename it.")
        with self._counting:
            if len(self._receiving) >= MOST_AT_ONCE:
                raise RefusedUploadError("Too many files come at once: send it again when the others are here.", 429)
            files, used = self._measure()
            if files + len(self._receiving) >= self.limits.most_files:
                raise RefusedUploadError(
                    f"The uploads folder holds {self.limits.most_files:,} files, and more are not taken: delete some.",
                    507,
                )
            try:
                # Beside where it will be, or it could not simply be renamed.
                begun = self.folder / f"{_BEGUN}{secrets.token_hex(8)}"
                stream = begun.open("xb")
            except OSError as error:
                raise _cannot_write(self.folder, error) from error
            receiving = Receiving(self, name, begun, stream, used)
            self._receiving.add(receiving)
        try:
            yield receiving
        finally:
            stream.close()
            begun.unlink(missing_ok=True)
            with self._counting:
                self._receiving.discard(receiving)

    def save(self, name: str, content: bytes) -> Path:
        """Keep a file that is there whole. Raises RefusedUploadError."""
        with self.receive(name) as receiving:
            receiving.write(content)
            return receiving.keep()

    def delete(self, file: Path) -> None:
        """Delete a file that lies in the uploads folder. Raises RefusedUploadError where it does not, or cannot be."""
        if not self.holds(file):
            raise RefusedUploadError(f"“{file.name}” does not lie in the uploads folder: delete it where it lies.", 403)
        try:
            file.unlink()
        except FileNotFoundError:
            raise RefusedUploadError(f"“{file.name}” is not there any more.", 404) from None
        except OSError as error:
            raise RefusedUploadError(f"“{file.name}” cannot be deleted ({error.strerror}).", 500) from error

    def holds(self, file: Path) -> bool:
        """Whether something is a file, or a link, that lies in the uploads folder or below."""
        try:
            above = file.parent.resolve(strict=True)
        except (OSError, RuntimeError):
            return False
        root = self.folder.resolve()
        return (above == root or root in above.parents) and (file.is_symlink() or file.is_file())

    def coming_bytes(self) -> int:
        """How much of the files that are being received is here."""
        with self._counting:
            return sum(receiving.size_bytes for receiving in self._receiving)

    def _measure(self) -> tuple[int, int]:
        """How many files lie in the folder, and how many bytes they have; those that are still coming do not count."""
        files = used = 0
        for place, folders, names in os.walk(self.folder):
            folders[:] = [folder for folder in folders if not folder.startswith(".")]
            for name in names:
                if not name.startswith("."):
                    files += 1
                    with suppress(OSError):
                        used += Path(place, name).lstat().st_size
        return files, used


class Receiving:
    """A file that is being received."""

    def __init__(self, uploads: Uploads, name: str, begun: Path, stream: IO[bytes], used_bytes: int) -> None:
        self.name = name
        self.size_bytes = 0
        self._uploads = uploads
        self._begun = begun
        self._stream = stream
        self._used_bytes = used_bytes
        self._head = b""

    def write(self, content: bytes) -> None:
        """Take the next bytes. Raises RefusedUploadError where they are too many, or nothing reads such a file."""
        limits, size = self._uploads.limits, self.size_bytes + len(content)
        if size > limits.most_bytes:
            raise RefusedUploadError(
                f"“{self.name}” is larger than {limits.most_bytes / MEGABYTE:,.0f} MB, and not taken.", 413
            )
        if self._used_bytes + self._uploads.coming_bytes() + len(content) > limits.total_bytes:
            raise RefusedUploadError(
                f"The uploads folder would hold more than {limits.total_bytes / MEGABYTE:,.0f} MB with “{self.name}”: "
                "delete something first.",
                507,
            )
        try:
            if shutil.disk_usage(self._uploads.folder).free < LEAST_ROOM_BYTES + len(content):
                raise RefusedUploadError(f"The disk is nearly full: “{self.name}” is not taken.", 507)
            self._stream.write(content)
        except OSError as error:
            raise _cannot_write(self._uploads.folder, error) from error
        is_told = len(self._head) >= HEAD_BYTES
        self._head += content[: HEAD_BYTES - len(self._head)]
        self.size_bytes = size
        if not is_told and len(self._head) >= HEAD_BYTES:
            self._check_kind()

    def keep(self) -> Path:
        """Give the file its name, or one like it where that is taken, and say where it is now.

        Raises RefusedUploadError where it is empty, or nothing reads such a file.
        """
        if not self.size_bytes:
            raise RefusedUploadError(f"“{self.name}” is empty.")
        self._check_kind()
        try:
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._stream.close()
            for name in _find_names(self.name):
                file = self._uploads.folder / name
                try:
                    _rename(self._begun, file)
                except FileExistsError:
                    continue
                return file
        except OSError as error:
            raise _cannot_write(self._uploads.folder, error) from error
        raise RefusedUploadError(f"There are {MOST_ALIKE:,} files named as “{self.name}”: rename it.", 409)

    def _check_kind(self) -> None:
        try:
            check_kind(self._head, self.name)
        except UnreadableError as error:
            raise RefusedUploadError(f"“{self.name}” cannot be read: {error}.", 415) from error


def open_uploads(given: Path, folders: Sequence[Path]) -> tuple[Path, bool]:
    """The uploads folder that a user names, by its whole path; and whether it lies in one of the documents folders.

    Where it does not, it is to be a documents folder of its own. It is made where only it is missing.
    Raises InputError where it cannot be one, is not read by a sync, or has a documents folder in it.
    """
    try:
        given.mkdir(exist_ok=True)
        folder = given.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        why = getattr(error, "strerror", None) or "its links lead in a circle"
        raise InputError(f"{given} cannot be the folder for uploads ({why}): name another.") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"{folder} cannot be the folder for uploads, since it may not be written: name another.")
    for documents in folders:
        if folder in documents.parents:
            raise InputError(
                f"{folder} cannot be the folder for uploads, since the documents folder {documents} lies in it: name a "
                "folder within that, or another."
            )
        if documents == folder or documents in folder.parents:
            if os.fspath(folder) not in find_folders(documents):
                raise InputError(
                    f"{folder} cannot be the folder for uploads, since it is passed over as hidden or ignored: name "
                    "another."
                )
            return folder, True
    return folder, False


def clean_name(given: str) -> str:
    """A name that every system takes for a file, and that looks as what it is; of a path, its last part.

    Without control characters, turns of direction and what a device is called, composed (Unicode's NFC), and of 180
    bytes at most. Raises RefusedUploadError where nothing is left.
    """
    name = unicodedata.normalize("NFC", re.split(r"[/\\]", given)[-1])
    name = "".join(character for character in name if _may_be_named(character))
    name = _trim(_UNNAMEABLE.sub("_", unicodedata.normalize("NFC", name)))
    if _DEVICE.match(name):
        name = f"_{name}"
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix.encode()) > LONGEST_SUFFIX_BYTES:
        stem, dot, suffix = name, "", ""
    room = LONGEST_NAME_BYTES - len((dot + suffix).encode())
    stem = _trim(stem.encode()[:room].decode(errors="ignore"))
    if not any(map(str.isalnum, stem)):
        raise RefusedUploadError("The file has no name that could be kept: give it one.")
    return stem + dot + suffix


def write_pasted(title: str, text: str) -> tuple[str, bytes]:
    """The name and the content of the file that a text becomes which somebody has pasted.

    Raises RefusedUploadError where there is no text.
    """
    if not any(map(str.isalnum, text)):
        raise RefusedUploadError("There is no text to keep: paste some.")
    first = next(line for line in text.splitlines() if any(map(str.isalnum, line)))
    words = " ".join(re.sub(r"[/\\]", "-", title if any(map(str.isalnum, title)) else first).strip("#* \t").split())
    is_markdown = re.search(r"^(?:#{1,6} \S|[-*] \S|```|\|.*\|[ \t]*$)", text, re.MULTILINE)
    suffix = ".md" if is_markdown else ".txt"
    return f"{words[:80]}{suffix}", text.encode("utf-8", errors="replace")


def _may_be_named(character: str) -> bool:
    category = unicodedata.category(character)
    return character in _KEPT_FORMATS or category not in ("Cc", "Cf", "Cs", "Cn", "Zl", "Zp")


def _trim(name: str) -> str:
    """Without a dot or blank at either end: a leading one hides, and Windows drops one at the end."""
    return " ".join(name.split()).strip(". ")


def _find_names(name: str) -> Iterator[str]:
    yield name
    stem, dot, suffix = name.rpartition(".")
    if not stem:
        stem, dot, suffix = name, "", ""
    yield from (f"{stem} ({number}){dot}{suffix}" for number in range(2, MOST_ALIKE + 1))


def _rename(begun: Path, file: Path) -> None:
    """Give a file its name. Raises FileExistsError where that is taken."""
    try:
        os.link(begun, file)
    except FileExistsError:
        raise
    except OSError:  # a file system without links: the name is taken first, and then the file put in its place
        file.touch(exist_ok=False)
        begun.replace(file)
    else:
        begun.unlink()


def _cannot_write(folder: Path, error: OSError) -> RefusedUploadError:
    return RefusedUploadError(f"The uploads folder cannot be written ({error.strerror}).", 507)
