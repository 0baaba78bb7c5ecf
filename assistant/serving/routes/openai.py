"""OpenAI's protocol: Footnote as a model that other chats, programs and agents ask.

    GET  v1/models                   "footnote", which answers from the first library, and "footnote/NAME" for each
    GET  v1/models/footnote          one of them
    POST v1/chat/completions         an answer, whole or in pieces
    POST v1/responses                the same in the newer form

The key of a client is the server's token, where it was started with one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from assistant.chain import Event, stream_answer
from assistant.serving.guard import OwnRoute
from assistant.serving.limits import RefusedError
from assistant.serving.openai.chat import ChatReply
from assistant.serving.openai.errors import EXPECTED, explain
from assistant.serving.openai.following import Manners, begin, finish, follow
from assistant.serving.openai.footnotes import Links
from assistant.serving.openai.history import recall
from assistant.serving.openai.requests import (
    LARGEST_BODY_BYTES,
    MODEL,
    Asked,
    Body,
    name_model,
    read_body,
    read_chat,
    read_model,
    read_response,
    refuse_model,
)
from assistant.serving.openai.responses import ResponseReply
from assistant.serving.openai.wire import write_json
from assistant.serving.served import Served
from index.errors import FootnoteError
from index.library import Library

OPEN = (
    OwnRoute("GET", re.compile(r"/v1/models(?:/.+)?", re.DOTALL)),
    *(
        # Those who wait for answers are counted where these are made.
        OwnRoute("POST", re.compile(rf"/v1/{name}"), LARGEST_BODY_BYTES, is_counted=False)
        for name in ("chat/completions", "responses")
    ),
)
_STREAM_HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
_LEFT = 499  # nobody reads it


def make_router(served: Served) -> APIRouter:
    """The routes, over what is served."""
    router = APIRouter()
    manners = Manners()

    @router.get("/v1/models", response_model=None)
    def list_models() -> Response:
        names = [MODEL, *map(name_model, served.libraries)]
        return _send({"object": "list", "data": [_to_model(name) for name in names]})

    @router.get("/v1/models/{name:path}", response_model=None)
    def show_model(name: str) -> Response:
        try:
            _find(served, name)
        except EXPECTED as error:
            return _refuse(error)
        return _send(_to_model(name))

    @router.post("/v1/chat/completions", response_model=None)
    async def complete(request: Request) -> Response:
        return await reply(request, read_chat, ChatReply)

    @router.post("/v1/responses", response_model=None)
    async def respond(request: Request) -> Response:
        return await reply(request, read_response, ResponseReply)

    async def reply(
        request: Request, read: Callable[[Body], Asked], make: Callable[[Asked, Links], ChatReply | ResponseReply]
    ) -> Response:
        try:
            asked = await run_in_threadpool(lambda content: read(read_body(content)), await request.body())
            library = _find(served, asked.model)
            steps = served.answering.follow(lambda: _walk(asked, library), request.scope.get("counted_as", ""))
            made = make(asked, _link(served, asked, request))
            if not asked.streams:
                answer = await finish(steps, library.settings, manners, request.is_disconnected)
                return _send(made.to_json(answer)) if answer else Response(status_code=_LEFT)
            # What goes wrong at once still has its status.
            pieces = await begin(follow(steps, library.settings, manners))
            return StreamingResponse(made.stream(pieces), media_type="text/event-stream", headers=_STREAM_HEADERS)
        except EXPECTED as error:
            return _refuse(error)

    return router


def _walk(asked: Asked, library: Library) -> Iterator[Event]:
    history = recall(asked.history, library)
    yield from stream_answer(
        asked.question, library.address, history=history, only=asked.only, settings=library.settings
    )


def _find(served: Served, model: str) -> Library:
    name = read_model(model)
    if name is not None and name not in served.libraries:
        raise refuse_model(model)
    return served.library(name)


def _link(served: Served, asked: Asked, request: Request) -> Links:
    """Links to this server, as it was asked."""
    library = asked.library if asked.library is not None and len(served.libraries) > 1 else ""
    own = served.name(asked.library)
    others = [name_model(name) for name in served.libraries if name != own]
    elsewhere = f"Looked in the library “{own}”; the models of others: {', '.join(others)}" if others else ""
    return Links(f"{request.scope['scheme']}://{request.headers.get('host', 'localhost')}", library, elsewhere)


def _to_model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": MODEL}


def _send(fields: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(write_json(fields), status, headers, "application/json")


def _refuse(error: RefusedError | FootnoteError) -> Response:
    failure = explain(error)
    return _send({"error": failure.error}, failure.status, failure.headers)
