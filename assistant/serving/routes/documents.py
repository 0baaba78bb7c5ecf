"""Documents, as they are looked at: which there are, what one says, how its pages look and where words stand on them.

    GET api/documents?start=&count=&sort=-date&filter=    which there are, and what was skipped
    GET api/documents/ID                                  one: title, date, author, pages
    GET api/documents/ID/text?start=&end=&cited=120-180   a window of its text as HTML, with marks round what is cited
    GET api/documents/ID/text?as=text&start=&end=         the text itself, to the letter
    GET api/documents/ID/page/3?scale=1.5                 a page as a picture
    GET api/documents/ID/boxes?cited=120-180,400-450      where what is cited stands on its pages
    GET api/documents/ID/find?words=                      where words stand in its text

Each takes `library=` where several are open. A document is named by its id alone, and no path comes in.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from functools import wraps
from pathlib import PurePosixPath
from typing import Any, ParamSpec, TypeVar

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from assistant.serving.guard import OwnRoute
from assistant.serving.routes.replies import (
    DocumentReply,
    PlaceReply,
    PlacesReply,
    TextReply,
    WindowReply,
    describe_query,
    refuse,
)
from assistant.serving.served import Served
from assistant.showing.document import POLICY, write_page
from index.documents import page_at
from index.errors import FootnoteError, InputError
from index.library import Library
from index.listing import Listing, find_record, list_documents, to_listed
from index.storing.records import Record
from index.viewing.child import BusyError
from index.viewing.drawing import (
    LONGEST_PLACE_CHARACTERS,
    MOST_PLACES,
    Box,
    ChangedError,
    Drawing,
    PageError,
    Place,
    Source,
    UndrawableError,
    find_kind,
)
from index.viewing.finding import LONGEST_WORDS_CHARACTERS, find_words
from index.viewing.markup import write_window
from index.viewing.windows import LARGEST_WINDOW_CHARACTERS, WINDOW_CHARACTERS, read_window

OPEN = (
    OwnRoute("GET", re.compile(r"/api/documents(?:/[0-9a-f]{16}(?:/(?:text|boxes|find|page/[0-9]{1,6}))?)?", re.ASCII)),
)
_SCALE = 1.5
_AUTHOR = re.compile(r"^- Author: (.{1,300})$", re.MULTILINE)
_AUTHOR_CHARACTERS = 2_000  # of a text, in which its author is named
_PLACE = re.compile(r"([0-9]{1,10})-([0-9]{1,10})", re.ASCII)
_LONGEST_PAGES_CHARACTERS = 100_000
_SECTION_CHARACTERS = 500_000  # that are read at once of a text that is searched

P = ParamSpec("P")
T = TypeVar("T")


class _RefusedError(Exception):
    """A request that cannot be answered: a status and a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


def make_router(served: Served) -> APIRouter:
    """The routes. What draws ends with the application."""
    drawing = Drawing()

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        yield
        drawing.close()

    router = APIRouter(prefix="/api/documents", lifespan=lifespan)

    def answering(answer: Callable[P, T]) -> Callable[P, T | JSONResponse]:
        """The answer, or what is wrong in a sentence."""

        @wraps(answer)
        def wrapped(*given: P.args, **named: P.kwargs) -> T | JSONResponse:
            try:
                return answer(*given, **named)
            except _EXPECTED as error:
                status, sentence = _explain(error)
                headers = {"Retry-After": "2"} if status == 503 else None
                return JSONResponse({"detail": sentence}, status, headers)

        return wrapped

    # Plain functions, which the framework runs in threads: nobody waits for what is read or drawn here.
    @router.get(
        "",
        summary="List the documents",
        response_model=Listing,
        responses=refuse(400, 404, 503),
        openapi_extra=describe_query("start", "count", "sort", "filter", "library"),
    )
    @answering
    def list_documents(request: Request) -> Listing:
        """Which documents there are, and what was skipped."""
        return _list_documents(_find_library(served, request), request)

    @router.get(
        "/{document_id}",
        summary="Describe a document",
        response_model=DocumentReply,
        responses=refuse(404, 503),
        openapi_extra=describe_query("library"),
    )
    @answering
    def show_document(document_id: str, request: Request) -> DocumentReply:
        """One document: its title, date and author, and the shapes of its pages."""
        library, record = _find_document(served, request, document_id)
        return _describe(library, record, drawing)

    @router.get(
        "/{document_id}/text",
        summary="Read a part of a document",
        response_model=TextReply | WindowReply,
        responses=refuse(400, 404, 503),
        openapi_extra=describe_query("as", "start", "end", "cited", "library"),
    )
    @answering
    def show_text(document_id: str, request: Request) -> TextReply | WindowReply | HTMLResponse:
        """A window of a document's text: as HTML to show; with `as=text` to the letter, from offset to offset; with
        `as=page` as a page by itself, for who follows a link.
        """
        library, record = _find_document(served, request, document_id)
        start, end = _read_number(request, "start"), _read_number(request, "end")
        if (form := request.query_params.get("as", "html")) not in ("html", "text", "page"):
            raise _RefusedError(400, "“as” is none of html, text and page.")
        if form == "text":
            return _read_text(library, record, start or 0, end)
        window = read_window(library.store.lexicon, record.document_id, record.path, start, end)
        html = write_window(window, _read_places(request))
        if form == "page":
            where = " · ".join(filter(None, (record.path, record.date)))
            has_before, has_after = window.start > 0, window.end < window.total
            page = write_page(record.title, where, html, has_before=has_before, has_after=has_after)
            return HTMLResponse(page, headers={"Content-Security-Policy": POLICY})
        return WindowReply(
            html=html,
            start=window.start,
            end=window.end,
            total=window.total,
            has_before=window.start > 0,
            has_after=window.end < window.total,
        )

    @router.get(
        "/{document_id}/page/{number}",
        summary="Draw a page",
        response_class=Response,
        responses={200: {"content": {"image/jpeg": {}}}, **refuse(400, 404, 409, 503)},
        openapi_extra=describe_query("scale", "library"),
    )
    @answering
    def show_page(document_id: str, number: str, request: Request) -> Response:
        """A page as a picture; pages are counted from 1."""
        library, record = _find_document(served, request, document_id)
        scale = _read_scale(request)
        # The same bytes at the same scale: the browser need not be sent them again.
        tag = f'"{record.content_hash[:32]}-{number}-{scale:g}"'
        headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Content-Disposition": "inline"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        if not number.isdecimal() or find_kind(record.path, record.pages) not in ("pages", "picture"):
            raise PageError
        picture = drawing.draw(_to_source(library, record), int(number), scale)
        return Response(picture, media_type="image/jpeg", headers=headers)

    @router.get(
        "/{document_id}/boxes",
        summary="Find cited words on pages",
        response_model=list[Box],
        responses=refuse(400, 404, 409, 503),
        openapi_extra=describe_query("cited", "library"),
    )
    @answering
    def find_boxes(document_id: str, request: Request) -> list[Box]:
        """Where what is cited stands on the document's pages."""
        library, record = _find_document(served, request, document_id)
        places = _read_places(request)
        if not places or find_kind(record.path, record.pages) not in ("pages", "picture"):
            return []
        total = library.store.lexicon.count_characters(record.document_id)
        asked = [_to_place(library, record, start, end, total) for start, end in places if start < min(end, total)]
        return drawing.locate(_to_source(library, record), asked)

    @router.get(
        "/{document_id}/find",
        summary="Find words in a document",
        response_model=PlacesReply,
        responses=refuse(400, 404, 503),
        openapi_extra=describe_query("words", "library"),
    )
    @answering
    def find_in_document(document_id: str, request: Request) -> PlacesReply:
        """Where words stand in a document's text, large or small letters and accents aside."""
        library, record = _find_document(served, request, document_id)
        words = request.query_params.get("words", "")
        if len(words) > LONGEST_WORDS_CHARACTERS:
            raise _RefusedError(400, f"The words to find are longer than {LONGEST_WORDS_CHARACTERS} characters.")
        found = find_words(_read_pieces(library, record.document_id), words)
        places = [PlaceReply(start=start, end=end, page=page_at(record.pages, start)) for start, end in found.places]
        return PlacesReply(places=places, is_all=found.is_all)

    return router


# -- errors -----------------------------------------------------------------------------------

_SENTENCES: dict[type[Exception], tuple[int, str]] = {
    PageError: (404, "The document has no such page."),
    ChangedError: (
        409,
        "The file has changed since it was read, or is gone: its text is shown as it was read. Sync to read it anew.",
    ),
    UndrawableError: (
        422,
        "The page cannot be drawn: the file is damaged, or needs too much time or memory. Its text can be read.",
    ),
    BusyError: (503, "Too many pages are being drawn: try again in a moment."),
}

_EXPECTED: tuple[type[Exception], ...] = (_RefusedError, FootnoteError, *_SENTENCES)


def _explain(error: Exception) -> tuple[int, str]:
    if isinstance(error, _RefusedError):
        return error.status, str(error)
    if isinstance(error, InputError):
        return 404, str(error)  # a library that is none
    if isinstance(error, FootnoteError):
        return 503, str(error)
    return _SENTENCES[type(error)]


# -- what is asked ----------------------------------------------------------------------------


def _find_library(served: Served, request: Request) -> Library:
    return served.library(request.query_params.get("library"))


def _find_document(served: Served, request: Request, document_id: str) -> tuple[Library, Record]:
    library = _find_library(served, request)
    return library, find_record(library, document_id)


def _read_number(request: Request, name: str) -> int | None:
    given = request.query_params.get(name, "")
    if given and not (given.isascii() and given.isdigit() and len(given) <= 10):
        raise _RefusedError(400, f"“{name}” is no whole number.")
    return int(given) if given else None


def _read_scale(request: Request) -> float:
    given = request.query_params.get("scale", "")
    if given and not re.fullmatch(r"[0-9]{1,2}(?:\.[0-9]{1,4})?", given, re.ASCII):
        raise _RefusedError(400, "“scale” is no number, such as 1.5.")
    # In steps, so that pages are drawn and kept in few sizes.
    return round(4 * float(given)) / 4 or 0.25 if given else _SCALE


def _read_places(request: Request) -> list[tuple[int, int]]:
    """The places "120-180,400-450" that are cited."""
    places = []
    for part in filter(None, request.query_params.get("cited", "").split(",")):
        match = _PLACE.fullmatch(part)
        if match is None or int(match[1]) >= int(match[2]):
            raise _RefusedError(400, "“cited” names no places, such as 120-180,400-450.")
        places.append((int(match[1]), int(match[2])))
    if len(places) > MOST_PLACES:
        raise _RefusedError(400, f"“cited” names more than {MOST_PLACES} places.")
    return places


# -- what is answered -------------------------------------------------------------------------


def _list_documents(library: Library, request: Request) -> Listing:
    """A window of the documents that fit a filter, in an order, and of what was skipped."""
    start, count = _read_number(request, "start"), _read_number(request, "count")
    words, order = request.query_params.get("filter", ""), request.query_params.get("sort", "path")
    try:
        return list_documents(library, words=words, order=order, start=start or 0, count=count)
    except InputError as error:
        raise _RefusedError(400, str(error)) from error


def _describe(library: Library, record: Record, drawing: Drawing) -> DocumentReply:
    """All that is said of one document; `ratios` are the widths of its pages in their heights, null where unknown."""
    ratios = None
    reason = ""
    kind = find_kind(record.path, record.pages)
    if kind in ("pages", "picture"):
        try:
            ratios = [round(width / height, 5) for width, height in drawing.measure(_to_source(library, record))]
        except BusyError:
            pass  # the pages say it themselves
        except (ChangedError, UndrawableError) as error:
            _, reason = _explain(error)
    author = _AUTHOR.search(library.store.text_of(record.document_id, 0, _AUTHOR_CHARACTERS))
    return DocumentReply(
        **asdict(to_listed(record)),
        name=PurePosixPath(record.path).name,
        author=author[1] if author else None,
        characters=library.store.lexicon.count_characters(record.document_id),
        ratios=ratios,
        undrawable=reason,
    )


def _read_text(library: Library, record: Record, start: int, end: int | None) -> TextReply:
    """A part of a document's text, to the letter."""
    total = library.store.lexicon.count_characters(record.document_id)
    start = min(start, total)
    end = min(start + WINDOW_CHARACTERS if end is None else end, start + LARGEST_WINDOW_CHARACTERS, total)
    end = max(start, end)
    text = library.store.text_of(record.document_id, start, end)
    return TextReply(text=text, start=start, end=end, total=total, page=page_at(record.pages, start))


def _to_source(library: Library, record: Record) -> Source:
    return Source(library.folder, record.path, record.content_hash, library.store.place.parent)


def _to_place(library: Library, record: Record, start: int, end: int, total: int) -> Place:
    """A place, with the text of the pages on which it stands, or where that is long, with its words alone."""
    pages = record.pages
    seen = min(end, total, start + LONGEST_PLACE_CHARACTERS)
    first, last = page_at(pages, start) or 1, page_at(pages, seen - 1) or 1
    text_start = pages[first - 1] if pages else 0
    text_end = pages[last] if last < len(pages) else total
    if text_end - text_start > _LONGEST_PAGES_CHARACTERS:
        text_start, text_end = start, seen
    text = library.store.text_of(record.document_id, text_start, text_end)
    return Place(start, end, text, text_start, first, last)


def _read_pieces(library: Library, document_id: str) -> Iterator[tuple[int, str]]:
    """A document's text in pieces, each with its offset."""
    total = library.store.lexicon.count_characters(document_id)
    for start in range(0, total, _SECTION_CHARACTERS):
        yield start, library.store.text_of(document_id, start, min(total, start + _SECTION_CHARACTERS))
