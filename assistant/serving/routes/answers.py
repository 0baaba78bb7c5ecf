"""Questions of programs: what `answer()` and a search give, as JSON; and an answer step by step as it is made.

    POST api/answer     {question, history?, only?, library?, stream?}   an Answer, or server-sent events
    GET  api/search?query=&count=&only=&library=                         the passages that match best
    POST api/search     {query, count?, only?, library?}                 the same
    GET  api/libraries                                                   which libraries may be named

The events of an answer are `progress`, `text`, `draft`, `answer` and `error`; the last `answer` is final. A comment
comes where nothing else does for a while. Who goes away is answered no further.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import ClientDisconnect

from assistant.answers import Answer, Draft, TextDelta
from assistant.awaiting import with_pulse
from assistant.chain import Event, stream_answer
from assistant.citing.second_opinion import PENDING
from assistant.serving.guard import OwnRoute
from assistant.serving.limits import RefusedError
from assistant.serving.routes.refusals import REFUSALS, RefusingRoute, find_library, find_status
from assistant.serving.served import Served
from index.documents import Passage, Progress
from index.errors import FootnoteError
from index.library import LONGEST_QUESTION_CHARACTERS, finish
from index.search import MOST_PASSAGES, search
from index.searching.selection import LONGEST_PATTERN_CHARACTERS, MOST_PATTERNS

LARGEST_ANSWER_BYTES = 4_000_000  # of a question with its history, which may be Answers with all their passages
LARGEST_SEARCH_BYTES = 262_144
MOST_HISTORY = 200
KEEP_ALIVE_SECONDS = 15.0
LOOK_SECONDS = 0.5  # between two looks at whether who asked is still there

OPEN = (
    OwnRoute("POST", re.compile(r"/api/answer"), LARGEST_ANSWER_BYTES, is_counted=False),
    OwnRoute("GET", re.compile(r"/api/search"), is_counted=False),
    OwnRoute("POST", re.compile(r"/api/search"), LARGEST_SEARCH_BYTES, is_counted=False),
    OwnRoute("GET", re.compile(r"/api/libraries")),
)

# -- what is asked ----------------------------------------------------------------------------

_Only = Annotated[
    list[Annotated[str, Field(max_length=LONGEST_PATTERN_CHARACTERS)]],
    Field(
        max_length=MOST_PATTERNS,
        description="The paths of the files or folders that are answered from, or patterns (“*.pdf”); by default all.",
    ),
]
_Library = Annotated[
    str | None, Field(max_length=4096, description="A library by its name (api/libraries); by default the first.")
]
_TURN = {
    "anyOf": [
        {"$ref": "#/components/schemas/AnswerReply", "description": "An Answer of before; its citations come along."},
        {
            "type": "object",
            "description": "A message.",
            "properties": {"role": {"type": "string"}, "content": {"type": "string"}},
            "required": ["role", "content"],
        },
        {
            "type": "array",
            "description": "A question and its answer.",
            "items": {"type": "string"},
            "minItems": 2,
            "maxItems": 2,
        },
    ]
}


class Asked(BaseModel):
    """A question."""

    model_config = ConfigDict(extra="forbid", strict=True)

    question: str = Field(
        description="The question, in the user's words.", json_schema_extra={"maxLength": LONGEST_QUESTION_CHARACTERS}
    )
    history: list[Any] = Field(
        default=[],
        max_length=MOST_HISTORY,
        description="Earlier turns, oldest first: Answers, pairs of question and answer, or messages.",
        json_schema_extra={"items": _TURN},  # type: ignore[dict-item]
    )
    only: _Only = []
    library: _Library = None
    stream: bool = Field(
        default=False, description="Whether the answer comes as server-sent events, as with Accept: text/event-stream."
    )


class Sought(BaseModel):
    """A search."""

    model_config = ConfigDict(extra="forbid", strict=True)

    query: str = Field(description="What is looked for.", json_schema_extra={"maxLength": LONGEST_QUESTION_CHARACTERS})
    count: int | None = Field(
        default=None, ge=1, le=MOST_PASSAGES, description="How many passages; by default as many as the settings say."
    )
    only: _Only = []
    library: _Library = None


class SoughtByAddress(Sought):
    """A search, as an address says it."""

    model_config = ConfigDict(extra="forbid", strict=False)


# -- what is answered -------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class AnswerReply(Answer):
    """The answer to one question, every sentence of which cites the exact words that support it."""

    found: bool = field()


@dataclass(frozen=True, slots=True)
class FoundPassage:
    """A passage: `text` is the document's text from `start` to `end`; of scores, higher is better within one search.

    context: what its first sentence stands under, outermost first.
    """

    score: float
    document_id: str
    path: str
    title: str
    date: str | None
    page: int | None
    start: int
    end: int
    text: str
    context: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SearchReply:
    """The passages that match a query best, best first."""

    query: str
    passages: list[FoundPassage]


@dataclass(frozen=True, slots=True)
class LibraryReply:
    """A library, and how many documents and passages may be asked about now."""

    name: str
    documents: int
    passages: int


@dataclass(frozen=True, slots=True)
class LibrariesReply:
    """The libraries; the first is asked where none is named."""

    libraries: list[LibraryReply]


# -- the routes -------------------------------------------------------------------------------


def make_router(served: Served) -> APIRouter:
    """The routes, over what is served."""
    router = APIRouter(prefix="/api", route_class=RefusingRoute, responses=REFUSALS)

    @router.post(
        "/answer",
        summary="Answer a question",
        response_model=AnswerReply,
        responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
    )
    async def answer(asked: Asked, request: Request) -> Response:
        """The Answer: its text, and of each sentence the citations, quoted to the letter, and whether they support it.

        With `Accept: text/event-stream`, or `"stream": true`, it comes in events, each of which has JSON as its data:

        - `progress` {message, done, total, unit}: while documents are read.
        - `text` {text}: a further piece of the text. All pieces joined are the Answer's text, but where a reply of a
          language model is taken back: the Answer's own text holds.
        - `draft` {text}: what may still be taken back, in place of the draft before it.
        - `answer` {is_final, answer}: an Answer; where `is_final` is false, verdicts on some of its sentences are still
          to come, in the next.
        - `error` {detail, status}: where it broke off.
        """
        client, is_gone = request.scope["counted_as"], request.is_disconnected
        if asked.stream or "text/event-stream" in request.headers.get("accept", ""):
            events = tell_events(until_gone(served.answering.follow(make_walk(served, asked), client), is_gone))
            first = await anext(events)  # what is refused before it has a status of its own
            return StreamingResponse(
                _put_before(first, events), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
            )
        found = await find_answer(served, asked, client, is_gone)
        return Response(found.to_json(), media_type="application/json")

    @router.post("/search", summary="Search for passages", response_model=SearchReply)
    async def search_by_body(sought: Sought, request: Request) -> SearchReply:
        """The passages that match a query best, without an answer."""
        return await find_passages(served, sought, request.scope["counted_as"])

    @router.get("/search", summary="Search for passages", response_model=SearchReply)
    async def search_by_address(sought: Annotated[SoughtByAddress, Query()], request: Request) -> SearchReply:
        """The passages that match a query best, without an answer."""
        return await find_passages(served, sought, request.scope["counted_as"])

    @router.get("/libraries", summary="List the libraries", response_model=LibrariesReply)
    def list_libraries() -> LibrariesReply:
        """The libraries that a request may name."""
        counted = ((name, library.store.lexicon) for name, library in served.libraries.items())
        return LibrariesReply(
            [LibraryReply(name, lexicon.count_documents(), lexicon.count_chunks()) for name, lexicon in counted]
        )

    return router


def make_walk(served: Served, asked: Asked) -> Callable[[], Iterable[Event]]:
    """The walk of a question, which brings forth its answer step by step.

    Raises InputError where the history holds what is no turn; what else is wrong, the walk raises.
    """
    library = find_library(served, asked.library)
    # An Answer says whence its words are, so that it is taken whole.
    history = [
        Answer.from_json(json.dumps(turn)) if isinstance(turn, dict) and "citations" in turn else turn
        for turn in asked.history
    ]
    return lambda: stream_answer(
        asked.question, library.address, history=history, only=asked.only, settings=library.settings
    )


async def find_answer(
    served: Served, asked: Asked, client: str, is_gone: Callable[[], Awaitable[bool]] | None = None
) -> Answer:
    """The last step of it: the answer.

    is_gone: whether who asked has gone away, with which the work ends.
    """
    last: Event | None = None
    walk = served.answering.follow(make_walk(served, asked), client)
    async with aclosing(until_gone(walk, is_gone) if is_gone else walk) as steps:
        async for step in steps:
            last = step
    assert isinstance(last, Answer)
    return last


async def until_gone(
    steps: AsyncGenerator[Event, None], is_gone: Callable[[], Awaitable[bool]]
) -> AsyncGenerator[Event, None]:
    """The steps, as long as who asked is there: also while the first is waited for, since a place is held for it.

    Raises ClientDisconnect.
    """
    async with aclosing(with_pulse(steps, LOOK_SECONDS)) as pulsing:
        async for step in pulsing:
            if await is_gone():
                raise ClientDisconnect
            if step is not None:
                yield step


async def find_passages(served: Served, sought: Sought, client: str) -> SearchReply:
    """The passages that a search finds."""
    library = find_library(served, sought.library)
    walk = search(library, sought.query, sought.count, sought.only)
    passages = await served.answering.run(lambda: finish(walk), client)
    return SearchReply(sought.query, [_to_found(passage) for passage in passages])


def _to_found(passage: Passage) -> FoundPassage:
    return FoundPassage(**{name: getattr(passage, name) for name in FoundPassage.__dataclass_fields__})


# -- events -----------------------------------------------------------------------------------


async def tell_events(steps: AsyncGenerator[Event, None]) -> AsyncGenerator[bytes]:
    """The server-sent events that tell of the steps of an answer.

    Raises what goes wrong before the first of them; afterwards an event tells it.
    """
    has_begun, held = False, None
    try:
        async with aclosing(with_pulse(steps, KEEP_ALIVE_SECONDS)) as pulsing:
            async for step in pulsing:
                if isinstance(step, Answer):
                    # Whether it was the last is known when another comes, or none.
                    held = step
                    if not _is_pending(step):
                        continue
                yield _to_event(step)
                has_begun = True
        if held:
            yield _to_event(held, is_final=True)
    except (FootnoteError, RefusedError) as error:
        if not has_begun:
            raise
        yield _write_event("error", {"detail": str(error), "status": find_status(error)[0]})


def _is_pending(answer: Answer) -> bool:
    """Whether verdicts are still to come."""
    return any(sentence.reason == PENDING for sentence in answer.sentences)


def _to_event(step: Event | None, *, is_final: bool = False) -> bytes:
    match step:
        case None:
            return b": still at work\n\n"
        case Progress():
            return _write_event("progress", asdict(step))
        case TextDelta():
            return _write_event("text", asdict(step))
        case Draft():
            return _write_event("draft", asdict(step))
    return f'event: answer\ndata: {{"is_final": {json.dumps(is_final)}, "answer": {step.to_json()}}}\n\n'.encode()


def _write_event(name: str, fields: dict[str, Any]) -> bytes:
    return f"event: {name}\ndata: {json.dumps(fields, ensure_ascii=False)}\n\n".encode()


async def _put_before(first: bytes, events: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for event in events:
        yield event
