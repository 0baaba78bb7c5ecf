"""What the routes of documents and of the folder answer, field by field."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from assistant.serving.routes.refusals import Refusal
from index.listing import ListedDocument
from index.watching import State

# Of routes that read their own addresses: what may stand there, for the description.
_QUERY = {
    "library": ("string", "A library by its name; by default the first."),
    "start": ("integer", "The first that is given, counted from 0; by default the very first."),
    "end": ("integer", "Where the window ends, as an offset; at most 60,000 characters on."),
    "count": ("integer", "How many are given, 500 at most; by default 100."),
    "sort": ("string", "By what the list is ordered: path, title, date, size or passages; “-date” for the last first."),
    "filter": ("string", "Words that the path or the title holds."),
    "cited": ("string", "The places that are marked: “120-180,400-450”."),
    "as": (
        "string",
        "“text” for the text to the letter, “page” for a page by itself; else HTML, cut where a block begins.",
    ),
    "scale": ("number", "How large a page is drawn; by default 1.5."),
    "words": ("string", "The words that are looked for."),
}


def describe_query(*names: str) -> dict[str, Any]:
    """What may stand in an address, as OpenAPI says it."""
    return {
        "parameters": [
            {"name": name, "in": "query", "required": False, "description": text, "schema": {"type": kind}}
            for name in names
            for kind, text in [_QUERY[name]]
        ]
    }


def refuse(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The statuses with which a route refuses, as OpenAPI says it."""
    return {status: {"model": Refusal, "description": _REASONS[status]} for status in (*statuses, 422, 429)}


_REASONS = {
    400: "What was asked cannot be used.",
    403: "It is not allowed here.",
    404: "There is no such document, page or library.",
    408: "It did not come whole in time.",
    409: "The file has changed since it was read.",
    413: "It is too large.",
    415: "No file of this kind is read.",
    422: "It cannot be done with this file.",
    429: "Too much is asked for at once; `Retry-After` says when to try again.",
    503: "It cannot be answered now; `Retry-After` says when to try again, where that is known.",
    507: "There is no room left.",
}


# -- documents --------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class DocumentReply(ListedDocument):
    """One document.

    ratios: the widths of its pages in their heights, null where they are unknown; `undrawable`: why.
    """

    name: str
    author: str | None
    characters: int
    ratios: list[float] | None
    undrawable: str


@dataclass(frozen=True, kw_only=True)
class TextReply:
    """A part of a document's text to the letter, and the page on which it starts."""

    text: str
    start: int
    end: int
    total: int
    page: int | None


@dataclass(frozen=True, kw_only=True)
class WindowReply:
    """A part of a document's text as HTML, with marks round what is cited."""

    html: str
    start: int
    end: int
    total: int
    has_before: bool
    has_after: bool


@dataclass(frozen=True, kw_only=True)
class PlaceReply:
    """Where words stand in a document's text."""

    start: int
    end: int
    page: int | None


@dataclass(frozen=True, kw_only=True)
class PlacesReply:
    """Where words stand; `is_all`: whether there are no more."""

    places: list[PlaceReply]
    is_all: bool


# -- the folder -------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ReportReply:
    """What the last sync did, in a sentence and in numbers of files."""

    summary: str
    documents: int
    added: int
    changed: int
    moved: int
    removed: int
    unchanged: int
    skipped: int
    partial: int


@dataclass(frozen=True, kw_only=True)
class SyncReply(State):
    """How far the store follows its folder.

    message: the file in hand, or why it failed. unwatched: why it is synced at each question instead, "" where not.
    """

    report: ReportReply | None = None


@dataclass(frozen=True, kw_only=True)
class UploadReply:
    """What was put into the uploads folder; `id` is the document's, as soon as it is read."""

    library: str
    path: str
    id: str
    bytes: int


@dataclass(frozen=True, kw_only=True)
class DeletedReply:
    """The path of what was deleted."""

    deleted: str
