"""A file is opened for the store: as a document with its text in sections, however long it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from index.documents import Document, identify
from index.folder import File
from index.formats import HEAD_BYTES, UnreadableError
from index.formats.text import find_encoding, guess_encoding
from index.loader import find_title_and_date, is_plain
from index.sections import cut_sections, read_pieces, to_pieces
from index.worker import Loader

LONG_TEXT_BYTES = 32_000_000  # plain text beyond this is never held in memory as a whole


def open_document(file: File, loader: Loader) -> tuple[Document, Iterable[str]]:
    """A file's document and its text in sections. The text of a long plain file stands in the sections alone.

    Raises UnreadableError with the reason; so may the sections of a long file.
    """
    if file.size_bytes > LONG_TEXT_BYTES and is_plain(file.place, file.path):
        return _open_long(file)
    document = loader.load(file.place, file.path)
    return document, cut_sections(to_pieces(document.text))


def _open_long(file: File) -> tuple[Document, Iterator[str]]:
    encoding = _find_encoding(file.place)
    content_hash = _hash(file.place)
    title, date = find_title_and_date(next(read_pieces(file.place, encoding), ""))
    document = Document(identify(file.path), file.path, title or Path(file.path).stem, date, "", (), content_hash)
    return document, _read_sections(file, encoding, content_hash)


def _find_encoding(file: Path) -> str:
    """The encoding that the whole of a long file is in."""
    with file.open("rb") as stream:
        encoding = find_encoding(stream.read(HEAD_BYTES)) or "utf-8"
        misfit = _find_misfit(file, encoding)
        if misfit is None:
            return encoding
        # An old encoding shows itself where it leaves ASCII, which may be far behind the head.
        stream.seek(max(0, misfit - HEAD_BYTES // 2))
        encoding = guess_encoding(stream.read(HEAD_BYTES))
    if _find_misfit(file, encoding) is not None:
        raise UnreadableError("binary")
    return encoding


def _find_misfit(file: Path, encoding: str) -> int | None:
    """About where in a file the first bytes stand that are not of the encoding, or None."""
    read = 0
    try:
        for piece in read_pieces(file, encoding):
            read += len(piece)
            if "\x00" in piece:
                raise UnreadableError("binary")
    except UnicodeDecodeError as error:
        return read + error.start
    return None


def _read_sections(file: File, encoding: str, content_hash: str) -> Iterator[str]:
    try:
        yield from cut_sections(read_pieces(file.place, encoding))
    except UnicodeError as error:
        raise UnreadableError("changed while it was read") from error
    if _hash(file.place) != content_hash:
        raise UnreadableError("changed while it was read")


def _hash(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
