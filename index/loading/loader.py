"""A file becomes a Document: its text, title and date, whatever its format.

Plain text and Markdown are read as they are: the canonical text is the decoded file, line ends
included, so that offsets can be checked against the file itself. Other formats are read by index/loading/formats/.

But: nothing here bounds time or memory; index/loading/worker.py does.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import replace
from io import BufferedReader, FileIO
from pathlib import Path

from index.documents import Document, identify
from index.loading.formats import HEAD_BYTES, MEGABYTE, TEXT, Extract, Format, UnreadableError, find_format
from index.loading.formats.blocks import MOST_CHARACTERS, UNSHOWN
from index.loading.formats.text import decode, find_encoding, find_title_and_date, guess_encoding, say_broken
from index.loading.sections import read_pieces

__all__ = ["UnreadableError", "decode", "find_title_and_date", "load", "load_long", "open_file"]

TITLE_CHARACTERS = 300
UNREAD_CHARACTERS = 300
_UNWRITABLE = re.compile("[\\x00\\ud800-\\udfff]")  # what no store takes
LARGEST_BYTES = 512 * MEGABYTE
_TOLD_BY_THE_WHOLE = (b"PK", b"\xd0\xcf\x11\xe0")  # the containers: what is in them stands at their end


def load(file: Path, path: str) -> Document:
    """Load one file; `path` is its name relative to the documents folder.

    Raises UnreadableError with a reason for people: "cannot be read (Permission denied)", "empty", "binary",
    "too large (600 MB of plain text; the limit is 512 MB)", "damaged", "encrypted", "no text", "no text (scanned or
    drawn)", "no text that can be read (a picture)", "unsupported format (GIF image)".
    """
    content, form = _read(file, path)
    content_hash = hashlib.sha256(content).hexdigest()
    extract = form.read(content)
    del content
    document = _to_document(path, form, content_hash, extract)
    enclosed = []
    room = MOST_CHARACTERS - len(document.text)
    for inner in extract.enclosed:
        room -= len(inner.extract.text)
        if room < 0:
            unread = [*filter(None, [document.unread]), f"what is beyond {MOST_CHARACTERS:,} characters"]
            document = replace(document, unread=_in_short(unread))
            break
        enclosed.append(_to_document(f"{path}/{inner.name}", inner.form, inner.content_hash, inner.extract))
    return replace(document, enclosed=tuple(enclosed))


def _to_document(path: str, form: Format, content_hash: str, extract: Extract) -> Document:
    """The document that an extract makes, without those of the files within. Raises UnreadableError: "no text"."""
    title, date, pages = extract.title, extract.date, extract.pages
    text = extract.text if form is TEXT else _UNWRITABLE.sub("\ufffd", extract.text)
    unread = [extract.unread] if extract.unread else []
    if len(text) > MOST_CHARACTERS:
        text = text[:MOST_CHARACTERS]
        pages = tuple(page for page in pages if page <= MOST_CHARACTERS)
        unread.append(f"what is beyond {MOST_CHARACTERS:,} characters")
    if not any(map(str.isalnum, text)):
        empty = "empty" if not text.strip("\ufeff \t\r\n") else "no text"
        raise UnreadableError(f"no text ({_in_short(unread)})" if unread else empty)
    # The first row of a table is no title.
    if form is TEXT or (form.prose and not text.startswith("- ")):
        first_title, first_date = find_title_and_date(text)
        title, date = title or first_title, date or first_date
    return Document(
        id=identify(path),
        path=path,
        title=_to_title(title, path),
        date=date,
        text=text,
        pages=pages,
        content_hash=content_hash,
        unread=_in_short(unread),
    )


def load_long(file: Path, path: str) -> tuple[Document, str]:
    """The same of a file that may be too long to be held in memory: where it is plain text, its document without the
    text, and the encoding that the text is in; else the document, and "".
    """
    try:
        with open_file(file) as stream:
            head = stream.read(HEAD_BYTES)
            if head.startswith(_TOLD_BY_THE_WHOLE) or find_format(head, path) is not TEXT:
                return load(file, path), ""
            encoding, broken = _find_encoding(stream)
            stream.seek(0)
            content_hash = hashlib.file_digest(stream, "sha256").hexdigest()
            title, date = find_title_and_date(next(read_pieces(stream, encoding, "replace"), ""))
    except OSError as error:
        raise UnreadableError(f"cannot be read ({error.strerror or error})") from error
    title = _to_title(title, path)
    return Document(identify(path), path, title, date, "", (), content_hash, say_broken(broken)), encoding


def open_file(file: Path) -> BufferedReader:
    """Open a regular file for reading. Raises UnreadableError where it is none, and OSError."""
    return BufferedReader(FileIO(file, opener=_open_at_once))


def _open_at_once(path: str, flags: int) -> int:
    # To open a pipe would wait for its writer, and a device need not end.
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise UnreadableError("cannot be read (not a regular file)")
    return descriptor


def _read(file: Path, path: str) -> tuple[bytes, Format]:
    try:
        with open_file(file) as opened:
            size = os.fstat(opened.fileno()).st_size
            head = opened.read(HEAD_BYTES)
            form = None if head.startswith(_TOLD_BY_THE_WHOLE) else find_format(head, path)
            limit = form.largest_bytes if form else LARGEST_BYTES
            if size > limit:
                name = f" of {form.name}" if form else ""
                raise UnreadableError(f"too large ({_megabytes(size)}{name}; the limit is {_megabytes(limit)})")
            opened.seek(0)
            content = opened.read(limit)
    except OSError as error:
        raise UnreadableError(f"cannot be read ({error.strerror or error})") from error
    return content, form or find_format(content, path)


def _find_encoding(stream: BufferedReader) -> tuple[str, int]:
    """The encoding that the whole of a long file is in, and how many of its characters are broken.

    Raises UnreadableError: "binary", "no text".
    """
    stream.seek(0)
    encoding = find_encoding(stream.read(HEAD_BYTES)) or "utf-8"
    misfit = _find_misfit(stream, encoding)
    if misfit is None:
        return encoding, 0
    broken, hardly = _count_broken(stream, encoding)
    if not hardly:
        # An old encoding shows itself where it leaves ASCII, which may be far behind the head.
        stream.seek(max(0, misfit - HEAD_BYTES // 2))
        encoding = guess_encoding(stream.read(HEAD_BYTES), is_cut=True)
        broken, hardly = _count_broken(stream, encoding)
    if not hardly:
        raise UnreadableError("binary")
    return encoding, broken


def _find_misfit(stream: BufferedReader, encoding: str) -> int | None:
    """About where in a file the first bytes stand that are not of the encoding, or None."""
    read, has_text = 0, False
    try:
        for piece in read_pieces(stream, encoding):
            read += len(piece)
            has_text = has_text or any(map(str.isalnum, piece))
            if "\x00" in piece:
                raise UnreadableError("binary")
    except UnicodeDecodeError as error:
        return read + error.start
    if not has_text:
        raise UnreadableError("no text")
    return None


def _count_broken(stream: BufferedReader, encoding: str) -> tuple[int, bool]:
    """How many characters are not of an encoding, and whether that is hardly any of those beyond ASCII."""
    broken = foreign = 0
    for piece in read_pieces(stream, encoding, "replace"):
        if "\x00" in piece:
            raise UnreadableError("binary")
        broken += piece.count("\ufffd")
        foreign += len(piece) - len(piece.encode("ascii", "ignore"))
    return broken, foreign >= 9 * broken


def _to_title(title: str | None, path: str) -> str:
    return " ".join(UNSHOWN.sub(" ", title or "").split())[:TITLE_CHARACTERS] or Path(path).stem


def _in_short(unread: list[str]) -> str:
    """What was not read, in one line that is not too long."""
    line = " ".join(UNSHOWN.sub(" ", ", ".join(unread)).split())
    return line if len(line) <= UNREAD_CHARACTERS else f"{line[: UNREAD_CHARACTERS - 1].rstrip(', ')}…"


def _megabytes(size: int) -> str:
    return f"{size // MEGABYTE} MB"
