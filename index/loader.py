"""A file becomes a Document: its text, title and date, whatever its format.

Plain text and Markdown are read as they are: the canonical text is the decoded file, line ends
included, so that offsets can be checked against the file itself. Other formats are read by index/formats/.

But: nothing here bounds time or memory; index/worker.py does.
"""

from __future__ import annotations

import hashlib
import re
import stat
from pathlib import Path
from typing import BinaryIO

from index.documents import Document, identify
from index.formats import HEAD_BYTES, MEGABYTE, TEXT, Format, UnreadableError, find_format
from index.formats.text import decode, find_title_and_date

__all__ = ["UnreadableError", "decode", "find_title_and_date", "is_plain", "load"]

_TITLE_CHARACTERS = 300
_UNWRITABLE = re.compile("[\\x00\\ud800-\\udfff]")  # what no store takes
_LARGEST_BYTES = 512 * MEGABYTE
_TOLD_BY_THE_WHOLE = (b"PK", b"\xd0\xcf\x11\xe0")  # the containers: what is in them stands at their end


def load(file: Path, path: str) -> Document:
    """Load one file; `path` is its name relative to the documents folder.

    Raises UnreadableError with a reason for people: "cannot be read (Permission denied)", "empty", "binary",
    "too large (600 MB of plain text; the limit is 512 MB)", "damaged", "encrypted", "no text", "no text (scanned or
    drawn)", "unsupported format (PNG image)".
    """
    content, form = _read(file, path)
    content_hash = hashlib.sha256(content).hexdigest()
    extract = form.read(content)
    del content
    title, date = extract.title, extract.date
    text = extract.text if form is TEXT else _UNWRITABLE.sub("\ufffd", extract.text)
    if not any(character.isalnum() for character in text):
        raise UnreadableError("empty" if not text.strip("\ufeff \t\r\n") else "no text")
    # The first row of a table is no title.
    if form is TEXT or (form.prose and not text.startswith("- ")):
        first_title, first_date = find_title_and_date(text)
        title, date = title or first_title, date or first_date
    return Document(
        id=identify(path),
        path=path,
        title=" ".join((title or "").split())[:_TITLE_CHARACTERS] or Path(path).stem,
        date=date,
        text=text,
        pages=extract.pages,
        content_hash=content_hash,
    )


def is_plain(file: Path, path: str) -> bool:
    """Whether a file is plain text, by its first bytes: it needs no reader that could crash, hang or swell.

    Raises UnreadableError where its first bytes say that it cannot be read.
    """
    try:
        with _open(file) as opened:
            head = opened.read(HEAD_BYTES)
    except OSError as error:
        raise UnreadableError(f"cannot be read ({error.strerror or error})") from error
    return not head.startswith(_TOLD_BY_THE_WHOLE) and find_format(head, path) is TEXT


def _read(file: Path, path: str) -> tuple[bytes, Format]:
    try:
        with _open(file) as opened:
            size = file.stat().st_size
            head = opened.read(HEAD_BYTES)
            form = None if head.startswith(_TOLD_BY_THE_WHOLE) else find_format(head, path)
            limit = form.largest_bytes if form else _LARGEST_BYTES
            if size > limit:
                name = f" of {form.name}" if form else ""
                raise UnreadableError(f"too large ({_megabytes(size)}{name}; the limit is {_megabytes(limit)})")
            opened.seek(0)
            content = opened.read(limit)
    except OSError as error:
        raise UnreadableError(f"cannot be read ({error.strerror or error})") from error
    return content, form or find_format(content, path)


def _open(file: Path) -> BinaryIO:
    # To open a pipe would wait for its writer, and a device need not end.
    if not stat.S_ISREG(file.stat().st_mode):
        raise UnreadableError("cannot be read (not a regular file)")
    return file.open("rb")


def _megabytes(size: int) -> str:
    return f"{size // MEGABYTE} MB"
