"""The address of documents in a bucket, `s3://bucket/reports`; and which of its objects' names a file may have.

Such an address is given wherever a folder is. As a path it has one slash, `s3:/bucket/reports`, since paths know no
two: either way it means the same.

But: only what speaks the protocol of S3 is read, as storage of many makers does; no other address is looked at, so that
nothing is read that was not meant.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from index.errors import InputError
from index.settings import shorten

SCHEME = "s3"
LONGEST_NAME_BYTES = 255  # of one part of a path, on nearly every file system
LONGEST_KEY_BYTES = 1024  # S3's own limit

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)(::|:/)(.*)", re.DOTALL)
# What people try; a folder may well be called "notes:", but hardly one of these.
_UNREAD = frozenset(
    "abfs abfss adl az file ftp gcs gs hdfs http https local memory oss r2 s3a s3n sftp smb wasb".split()
)
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,62}")
_VERSION = "?versionId="  # which s3fs takes for no part of a name
_WINDOWS = frozenset('<>:"|?*\\')


@dataclass(frozen=True, slots=True)
class Address:
    """Where documents lie: a bucket, and the names of the folders in it that lead to them, "" for all that it holds."""

    bucket: str
    folder: str = ""

    def __str__(self) -> str:
        return f"{SCHEME}://{self.bucket}" + (f"/{self.folder}" if self.folder else "")

    @property
    def path(self) -> Path:
        """The address as a path: the same on every machine."""
        return Path(f"{SCHEME}:/{self.bucket}", self.folder)

    @property
    def name(self) -> str:
        """What its folder is called."""
        return self.folder.rpartition("/")[2] or self.bucket

    @property
    def prefix(self) -> str:
        """What the keys of its objects begin with."""
        return f"{self.folder}/" if self.folder else ""


def find_address(documents: object) -> Address | None:
    """The address that a caller gives for a folder, or None where it gives a path.

    Raises InputError where it is an address that is not read, or where what reads it is not installed.
    """
    if not isinstance(documents, str | Path):
        return None
    given = documents if isinstance(documents, str) else documents.as_posix()
    found = _ADDRESS.fullmatch(given)
    scheme = found[1].lower() if found else ""
    if not found or (scheme != SCHEME and scheme not in _UNREAD):
        return None
    if scheme != SCHEME or found[2] == "::" or "::" in found[3]:
        raise InputError(
            f"{shorten(given)} is an address that Footnote does not read: give a folder, or a bucket as {SCHEME}://bucket."
        )
    bucket, *names = [part for part in found[3].split("/") if part] or [""]
    if not _BUCKET.fullmatch(bucket):
        raise InputError(f"{shorten(given)} names no bucket: give {SCHEME}://bucket, or {SCHEME}://bucket/folder.")
    folder = "/".join(names)
    if folder and (not folder.isprintable() or refuse_name(folder)):
        raise InputError(f"{shorten(given)} names no folder of a bucket: give {SCHEME}://bucket/folder.")
    if find_spec("s3fs") is None:
        raise InputError(
            f"To read {SCHEME}://{bucket} Footnote needs s3fs, which is not installed: pip install 'footnote[s3]'."
        )
    return Address(bucket, folder)


def show(folder: Path) -> str:
    """A documents folder as it is shown, by its path or its address."""
    return str(find_address(folder) or folder)


def refuse_name(path: str) -> str | None:
    """Why no file of this machine may have an object's name, its path in the folder; None where one may."""
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts):
        return "its name leads to no place within the folder: rename it"
    try:
        sizes = [len(part.encode()) for part in parts]
    except UnicodeEncodeError:
        return "its name is not UTF-8: rename it"
    if "\0" in path or (os.name == "nt" and not _may_be_named_on_windows(parts)):
        return "no file can have its name here: rename it"
    if _VERSION in path:
        return f"its name holds “{_VERSION}”, which means a version of another: rename it"
    if max(sizes) > LONGEST_NAME_BYTES or sum(sizes) + len(parts) > LONGEST_KEY_BYTES + 1:
        return f"its name is too long: {LONGEST_NAME_BYTES} bytes between two slashes are the most"
    return None


def _may_be_named_on_windows(parts: list[str]) -> bool:
    from pathlib import PureWindowsPath

    return not any(
        _WINDOWS & set(part) or part[-1] in ". " or PureWindowsPath(part).is_reserved() or min(part) < " "
        for part in parts
    )
