"""The Model Context Protocol over HTTP, as streamable HTTP without sessions: each request is answered by itself.

    POST mcp        one message, answered in JSON

What it takes long to load is loaded at the first request. A tool that nobody waits for any more ends at its next step.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from assistant.serving.escapes import mend_escapes
from assistant.serving.guard import OwnRoute
from assistant.serving.served import Served

LARGEST_BODY_BYTES = 1_000_000
_PATH = re.compile("/mcp")

OPEN = (
    OwnRoute("POST", _PATH, LARGEST_BODY_BYTES, is_counted=False),
    # Which servers without sessions do not have: clients try them, and want to be told.
    OwnRoute("GET", _PATH),
    OwnRoute("DELETE", _PATH),
)


def make_router(served: Served) -> APIRouter:
    """The route, over what is served."""

    async def open_served() -> Served:
        return served

    @cache
    def load_server() -> Any:
        from assistant.serving.tool_server import make_server

        return make_server(open_served)

    async def exchange(request: Request) -> Any:
        if request.method != "POST":
            sentence = "There are no sessions here: send each message with POST."
            return JSONResponse({"detail": sentence}, 405, {"Allow": "POST"})
        return _Exchange(await run_in_threadpool(load_server))

    router = APIRouter()
    router.add_route("/mcp", exchange, methods=["POST", "GET", "DELETE"])
    return router


class _Exchange(Response):
    """One message and what is answered. It ends where who asked is gone."""

    def __init__(self, server: Any) -> None:
        super().__init__()
        self._server = server

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        import anyio
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        is_over = anyio.Event()
        body = mend_escapes(await Request(scope, receive).body())
        messages = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def replay() -> Any:
            for message in messages:
                return message
            await is_over.wait()
            return {"type": "http.disconnect"}

        async def leave() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            group.cancel_scope.cancel()

        async with anyio.create_task_group() as group:
            group.start_soon(leave)
            # One for each request, for it keeps nothing: who asks, and by which name, the guard has seen to.
            manager = StreamableHTTPSessionManager(self._server, json_response=True, stateless=True)
            async with manager.run():
                await manager.handle_request(scope, replay, send)
            is_over.set()
            group.cancel_scope.cancel()
