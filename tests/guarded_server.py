"""A server behind the guard and its door, on a real port, in a process of its own.

python guarded_server.py [USERS] prints its port and serves until it is stopped. FOOTNOTE_TOKEN is its token.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from assistant.serving import bodies, guard, login, port
from assistant.serving.limits import Streams
from assistant.serving.users import Users

UPLOADED_BYTES, BODY_BYTES = 200_000, 1000


class Nothing:
    """What waits for an answer: nothing."""

    def sessions(self) -> list[str]:
        return []

    def is_known(self, session: str) -> bool:
        return True

    def seconds_each(self) -> float:
        return 1.0


@contextmanager
def listening(app: Any, **options: Any) -> Iterator[str]:
    """The address of an application on a real port, in a thread of this process. options: of uvicorn besides."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, ws="none", log_level="warning", timeout_graceful_shutdown=1, **options)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=[[listener]])
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def build_app() -> Any:
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.api_route("/", methods=["GET", "HEAD"])
    @app.get("/api/who")
    def who(request: Request) -> dict[str, str]:
        return {"user": request.scope["user"], "query": request.url.query, "headers": " ".join(request.headers)}

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/api/whole")
    async def whole(request: Request) -> int:
        return len(await request.body())

    @app.post("/api/upload/{name}")
    async def upload(name: str, request: Request) -> int:
        size = 0
        async for piece in request.stream():
            size += len(piece)
        return size

    @app.get("/api/slow")
    async def slow() -> str:
        await asyncio.sleep(2)
        return "done"

    @app.get("/gradio_api/heartbeat/{session}")
    def beat(session: str) -> StreamingResponse:
        async def beats() -> AsyncIterator[str]:
            while True:
                yield "data: ALIVE\n\n"
                await asyncio.sleep(0.5)

        return StreamingResponse(beats(), media_type="text/event-stream")

    return app


OWN = (
    guard.OwnRoute("GET", re.compile(r"/api/(?:who|slow)")),
    guard.OwnRoute("POST", re.compile("/api/whole"), most_bytes=BODY_BYTES),
    guard.OwnRoute("POST", re.compile(r"/api/upload/[^/]{1,255}"), most_bytes=UPLOADED_BYTES, streams=True),
)


def main() -> None:
    # What takes long in earnest is short here.
    bodies.STALLED_SECONDS, guard.WATCHED_SECONDS = 2.0, 0.3
    users = Users(Path(sys.argv[1])) if sys.argv[1:] else None
    token = os.environ.get("FOOTNOTE_TOKEN")
    door = login.LogIn(users, token) if users or token else None
    listening = port.listen(7990)
    print(listening.getsockname()[1], flush=True)
    port.serve(guard.Guard(build_app(), Streams(), {}, Nothing(), own=OWN, door=door), listening)


if __name__ == "__main__":
    main()
