"""A file is opened for the store: as a document with its text in sections, however long it is.

What looks into a file's bytes is done by the worker; of a long text it names the encoding, and that alone is
applied here, piece by piece.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

from index.documents import Document
from index.loading.folder import File
from index.loading.formats import UnreadableError
from index.loading.loader import open_file
from index.loading.sections import cut_sections, read_pieces, to_pieces
from index.loading.worker import Loader

LONG_TEXT_BYTES = 32_000_000  # plain text beyond this is never held in memory as a whole


def open_document(
    file: File, loader: Loader, following: File | None = None, *, waits: bool = False
) -> tuple[Document, Iterable[str]]:
    """A file's document and its text in sections. The text of a long plain file stands in the sections alone.

    following: the file that is opened next, which the loader may begin with meanwhile.
    waits: whether a file with pages that are to be recognised first waits: WaitError is raised.

    Raises UnreadableError with the reason; so may the sections of a long file.
    """
    try:
        if file.size_bytes <= LONG_TEXT_BYTES:
            document, encoding = loader.load(file.place, file.path, waits=waits), ""
        else:
            document, encoding = loader.load_long(file.place, file.path, file.size_bytes, waits=waits)
    finally:
        if following is not None:
            is_long = following.size_bytes > LONG_TEXT_BYTES
            loader.expect(following.place, following.path, following.size_bytes if is_long else None)
    if encoding:
        return document, _read_sections(file, encoding, document.content_hash)
    return document, cut_sections(to_pieces(document.text))


def recognise(file: File, loader: Loader) -> Iterator[tuple[int, int]]:
    """Recognise the pages of a file that waits for it: before each, its number and the number of all.

    Raises UnreadableError.
    """
    is_long = file.size_bytes > LONG_TEXT_BYTES
    return loader.recognise(file.place, file.path, file.size_bytes if is_long else None)


def _read_sections(file: File, encoding: str, content_hash: str) -> Iterator[str]:
    digest = hashlib.sha256()
    try:
        with open_file(file.place) as stream:
            yield from cut_sections(read_pieces(stream, encoding, "replace", digest.update))
    except OSError as error:
        raise UnreadableError(f"cannot be read ({error.strerror or error})") from error
    if digest.hexdigest() != content_hash:
        raise UnreadableError("changed while it was read")
