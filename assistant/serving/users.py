"""Who may come in: names, and hashes of their passwords, in one file that nobody but its owner may read.

The file is JSON, {"users": {NAME: HASH}}, each hash one of argon2id (RFC 9106) in its usual written form. It is
written whole or not at all, and read anew when it has changed.
"""

from __future__ import annotations

import json
import os
import stat
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from index.errors import InputError
from index.place import lock

LONGEST_NAME_CHARACTERS = 64
SHORTEST_PASSWORD_CHARACTERS, LONGEST_PASSWORD_CHARACTERS = 8, 1024
LONGEST_TYPED_CHARACTERS = 4096  # of which a password is made
MOST_USERS = 1000
_MOST_BYTES = 1_000_000  # of the file
_MOST_MEMORY_KIB, _MOST_PASSES = 1_048_576, 100  # that a hash in the file may ask for


class Users:
    """The users of a file as it is now."""

    def __init__(self, file: Path) -> None:
        """Read the file.

        Raises InputError where it cannot be used.
        """
        self._file = file
        self._seen: object = None
        self._hashes: dict[str, str] = {}
        self.hash_of("")

    def hash_of(self, name: str) -> str | None:
        """The hash of a user's password, None for who is no user.

        Raises InputError where the file can no longer be used: nobody is let in then.
        """
        try:
            found = self._file.stat()
        except OSError as error:
            raise _cannot_read(self._file, error) from error
        seen = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        if seen != self._seen:
            self._hashes = read_users(self._file)
            self._seen = seen
        return self._hashes.get(name)


def read_users(file: Path) -> dict[str, str]:
    """The hash of each user's password, by name.

    Raises InputError where the file is missing or damaged, or where others than its owner may read or change it.
    """
    try:
        # A pipe is not waited for.
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as stream:
            _check_place(file, os.fstat(descriptor))
            content = stream.read(_MOST_BYTES + 1)
    except OSError as error:
        raise _cannot_read(file, error) from error
    damaged = InputError(
        f"The users file {file} is damaged, and nobody can log in: put back a copy of it, "
        "or remove it and make it anew with footnote users add NAME."
    )
    try:
        users = json.loads(content)["users"] if len(content) <= _MOST_BYTES else None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise damaged from None
    if not isinstance(users, dict) or len(users) > MOST_USERS:
        raise damaged
    if not all(_is_name(name) and _is_hash(hashed) for name, hashed in users.items()):
        raise damaged
    return users


@contextmanager
def change_users(file: Path) -> Iterator[dict[str, str]]:
    """The users of a file, to be changed; it is written when that is done, and made, folder and all, where missing.

    Raises InputError where it cannot be read or written.
    """
    file = file.resolve()
    try:
        with lock(file.with_name(f".{file.name}.lock")):
            users = read_users(file) if file.exists() else {}
            yield users
            if len(users) > MOST_USERS:
                raise InputError(f"A users file holds {MOST_USERS:,} users at most: remove one first.")
            _write(file, users)
    except OSError as error:
        raise InputError(f"The users file {file} cannot be written ({error.strerror}): name another file.") from error


def read_name(given: str) -> str:
    """A user's name, in the one form in which it is kept.

    Raises InputError where it cannot be one.
    """
    name = unicodedata.normalize("NFKC", given)
    if not _is_name(name):
        raise InputError(
            f"A name has 1 to {LONGEST_NAME_CHARACTERS} visible characters, begins with none of “ (-” and ends without "
            "a space: choose another."
        )
    return name


def hash_password(password: str) -> str:
    """The hash that is kept of a password.

    Raises InputError where it is too short or too long.
    """
    normal = _normalise(password)
    if not SHORTEST_PASSWORD_CHARACTERS <= len(normal) <= LONGEST_PASSWORD_CHARACTERS:
        raise InputError(
            f"A password has {SHORTEST_PASSWORD_CHARACTERS} to {LONGEST_PASSWORD_CHARACTERS:,} characters: "
            "choose another."
        )
    return str(_open_hasher().hash(_encode(normal)))


def is_password(password: str, hashed: str) -> bool:
    """Whether a hash is that of a password; takes as long whether it is or not."""
    from argon2.exceptions import VerificationError

    normal = _normalise(password)
    if len(normal) > LONGEST_PASSWORD_CHARACTERS:
        return False
    try:
        return bool(_open_hasher().verify(hashed, _encode(normal)))
    except VerificationError:
        return False


def _open_hasher() -> Any:
    from argon2 import PasswordHasher

    return PasswordHasher()  # RFC 9106's second recommendation: 64 MiB, three passes


def _normalise(password: str) -> str:
    # The same password is typed in other forms on other keyboards (NIST SP 800-63B, 3.1.1.2).
    return unicodedata.normalize("NFKC", password[:LONGEST_TYPED_CHARACTERS])


def _encode(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")


def _is_name(name: str) -> bool:
    is_shown = name.isprintable() and 1 <= len(name) <= LONGEST_NAME_CHARACTERS
    return is_shown and name[0] not in " (-" and name[-1] != " " and unicodedata.is_normalized("NFKC", name)


def _is_hash(hashed: object) -> bool:
    from argon2 import Type, extract_parameters
    from argon2.exceptions import InvalidHashError

    if not isinstance(hashed, str) or len(hashed) > 500 or not hashed.isascii():
        return False
    try:
        asked = extract_parameters(hashed)
    except (InvalidHashError, ValueError):
        return False
    return asked.type is Type.ID and asked.memory_cost <= _MOST_MEMORY_KIB and asked.time_cost <= _MOST_PASSES


def _check_place(file: Path, found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise InputError(f"The users file {file} is no file: name another.")
    if os.name == "posix":
        if found.st_uid not in (os.geteuid(), 0):
            raise InputError(f"The users file {file} belongs to another user of this machine: make one of your own.")
        if found.st_mode & 0o077:
            raise InputError(
                f"The users file {file} may be read or changed by others: run chmod 600 {file}, then try again."
            )


def _write(file: Path, users: dict[str, str]) -> None:
    descriptor, new = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # 0600 from its first moment
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump({"users": users}, stream, ensure_ascii=False, indent=1, sort_keys=True)
            stream.flush()
            os.fsync(stream.fileno())
        Path(new).replace(file)
    except BaseException:
        with suppress(OSError):
            Path(new).unlink()
        raise


def _cannot_read(file: Path, error: OSError) -> InputError:
    if isinstance(error, FileNotFoundError):
        return InputError(f"The users file {file} does not exist: make it with footnote users add NAME.")
    return InputError(f"The users file {file} cannot be read ({error.strerror}): see who may read it.")
