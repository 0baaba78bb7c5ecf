"""The documents of a folder, as they are listed."""

from __future__ import annotations

from dataclasses import dataclass

from index.library import Library


@dataclass(frozen=True, slots=True)
class ListedDocument:
    """What is known of a document beside its text.

    id: stable for a path. path: relative to the documents folder.
    date: ISO 8601, or None where the document does not say. pages: how many, 0 where it has none.
    size_bytes: of its file. passages: how many it is searched by.
    unread: what of the file could not be read, for people ("2 of 9 pages"); empty where all of it was.
    """

    id: str
    path: str
    title: str
    date: str | None
    pages: int
    size_bytes: int
    passages: int
    unread: str = ""


def list_documents(library: Library) -> list[ListedDocument]:
    """The documents of a library that are answered from, by path."""
    return [
        ListedDocument(
            record.document_id,
            record.path,
            record.title,
            record.date,
            len(record.pages),
            record.size_bytes,
            record.chunk_count,
            record.unread,
        )
        for record in library.records()
    ]
