"""The documents of a library as every road lists and names them: a window of those that fit a filter, and one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import Literal

from index.documents import identify
from index.errors import InputError
from index.library import Library
from index.searching.selection import shorten_path
from index.settings import shorten
from index.splitting.folding import fold
from index.storing.records import ORDERS, Record
from index.viewing.drawing import find_kind

MOST_LISTED = 500
COUNT = 100  # where nobody says how many
MOST_MEANT = 3  # documents, that a message asks whether one of them was meant
_LONGEST_FILTER_CHARACTERS = 200
_ID = re.compile(r"[0-9a-f]{16}", re.ASCII)
_COLUMNS = {"size": "size_bytes", "passages": "chunk_count"}  # of the orders that are named otherwise


@dataclass(frozen=True, slots=True)
class ListedDocument:
    """What is known of a document beside its text.

    id: stable for a path. path: relative to the documents folder.
    date: ISO 8601, or None where the document does not say. size_bytes: of its file.
    passages: how many it is searched by. pages: how many, 0 where it has none. kind: how it can be looked at.
    state: whether all of it was read; unread: what was not, for people ("2 of 9 pages"), or "".
    """

    id: str
    path: str
    title: str
    date: str | None
    size_bytes: int
    passages: int
    pages: int
    kind: str
    state: Literal["whole", "part"]
    unread: str


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file that could not be read, and why."""

    path: str
    size_bytes: int
    state: Literal["skipped"]
    reason: str


@dataclass(frozen=True, slots=True)
class Listing:
    """A window of the documents that fit a filter, and of the files that were skipped.

    total: how many documents fit; all: how many there are. skipped_total: how many skipped files fit.
    start: of the window, from 0.
    """

    documents: tuple[ListedDocument, ...]
    total: int
    all: int
    skipped: tuple[Skipped, ...]
    skipped_total: int
    start: int


class UnknownDocumentError(InputError):
    """There is no such document."""


def list_documents(
    library: Library, *, words: str = "", order: str = "path", start: int = 0, count: int | None = None
) -> Listing:
    """The documents whose path or title holds all of some words, from one on, in an order.

    order: "path", "title", "date", "size" or "passages", with "-" before it the other way round.
    count: COUNT by default, and MOST_LISTED at most.
    Raises InputError for another order.
    """
    lexicon = library.store.lexicon
    column = order.removeprefix("-")
    column = _COLUMNS.get(column, column)
    if column not in ORDERS:
        raise InputError(f"{shorten(order)} is no order: give path, title, date, size or passages, or one with a “-”.")
    is_descending = order.startswith("-")
    end = start + min(MOST_LISTED, COUNT if count is None else count)
    wanted = fold(words[:_LONGEST_FILTER_CHARACTERS]).split()
    every = lexicon.count_documents()
    if wanted:
        names = lexicon.names(column, is_descending=is_descending)
        fitting = [document_id for document_id, *texts in names if _fits(wanted, *texts)]
        total, shown = len(fitting), fitting[start:end]
    else:
        names = lexicon.names(column, is_descending=is_descending, start=start, count=end - start)
        total, shown = every, [document_id for document_id, *_ in names]
    unread = [
        Skipped(path, size, "skipped", reason)
        for path, (size, _, reason) in sorted(lexicon.skipped().items())
        if _fits(wanted, path, reason)
    ]
    documents = tuple(map(to_listed, lexicon.records_of(shown)))
    return Listing(documents, total, every, tuple(unread[start:end]), len(unread), start)


def to_listed(record: Record) -> ListedDocument:
    """A document as a list shows it."""
    return ListedDocument(
        record.document_id,
        record.path,
        record.title,
        record.date,
        record.size_bytes,
        record.chunk_count,
        len(record.pages),
        find_kind(record.path, record.pages),
        "part" if record.unread else "whole",
        record.unread,
    )


def find_record(library: Library, named: str) -> Record:
    """The document of an id, or of a path relative to the folder.

    Raises UnknownDocumentError where there is none.
    """
    lexicon = library.store.lexicon
    asked = [named] if _ID.fullmatch(named) else []
    with suppress(UnicodeEncodeError):  # half a character, which no path holds
        asked.append(identify(named.removeprefix("./")))
    for document_id in asked:
        if record := lexicon.record(document_id):
            return record
    for path, (_, _, reason) in lexicon.skipped().items():
        if identify(path) in asked:
            raise UnknownDocumentError(f"{path} was not read ({reason}), so that there is nothing to show.")
    if _ID.fullmatch(named):
        raise UnknownDocumentError("There is no document of this id: it may have been removed since.")
    if meant := _find_meant(library, named):
        raise UnknownDocumentError(f"There is no document {shorten(named)}: did you mean {' or '.join(meant)}?")
    raise UnknownDocumentError(f"There is no document {shorten(named)}: list the documents for the paths there are.")


def _find_meant(library: Library, named: str) -> list[str]:
    """The paths of documents of the same name in other folders, the first few."""
    name = _find_name(named.replace("\\", "/"))
    paths = (path for _, path, _ in library.store.lexicon.names())
    return [shorten_path(path) for path in islice((path for path in paths if _find_name(path) == name), MOST_MEANT)]


def _find_name(path: str) -> str:
    return path.rpartition("/")[2].casefold()


def _fits(wanted: Sequence[str], *texts: str) -> bool:
    if not wanted:
        return True
    folded = fold("\n".join(texts))
    return all(word in folded for word in wanted)
