"""A server: libraries answer over HTTP, behind the guard, until it is stopped. The chat puts its page before it."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from assistant.serving.entrance import Entrance, open_entrance
from assistant.serving.guard import Guard
from assistant.serving.limits import Streams
from assistant.serving.observing.requests import Observed, observe
from assistant.serving.port import is_loopback, listen, serve
from assistant.serving.routes import include_routes, open_routes
from assistant.serving.served import Served
from assistant.showing.terminal import to_plain
from index.watching import Watcher, watch

if TYPE_CHECKING:
    from fastapi import FastAPI

LOOK_SECONDS = 0.3  # between two looks at how far reading is
_ON_THE_WAY = "What is asked and answered can be read on the way: others should come through https."
_FIRST = "Reading {:,} files: what is read can be asked about already."


def run_server(
    app: Observed, served: Served, entrance: Entrance, *, port: int, begin: Callable[[str], None] | None = None
) -> None:
    """Serve an application until it is stopped. The libraries follow their folders meanwhile, and can be asked at once.

    begin: is called with the address under which this machine opens it, when it can be opened.
    """
    listening, wanted = listen(port, entrance.address), port
    port = listening.getsockname()[1]
    with app.listening():  # of the first sync too
        try:
            # The socket listens already, so that a browser that comes at once is served.
            print(f"Footnote answers at {entrance.to_link(port)} (stop with Ctrl-C)", flush=True)
            if port != wanted:
                print(f"Port {wanted} is taken by another program.", flush=True)
            if not is_loopback(entrance.address):
                print(_ON_THE_WAY, flush=True)
            for library in served.libraries.values():
                watcher = watch(library)
                if not app.writes_json:  # which names what is read
                    threading.Thread(target=tell_following, args=[watcher], daemon=True).start()
            if begin:
                begin(entrance.to_own_link(port))
            serve(app, listening)
        except KeyboardInterrupt:
            print("Stopped.")
        finally:
            served.close()
    if app.count_questions():
        # Libraries compute for them still, in threads that Python's own end would tear apart.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def tell_following(watcher: Watcher) -> None:
    """Say in the terminal what is read of a folder at the start, until all of it can be asked about."""
    told = ""
    while (state := watcher.state()).activity in ("scanning", "reading", "recognising"):
        if state.activity != "scanning" and state.message and (state.activity == "recognising" or not told):
            line = f"{to_plain(state.message)} …" if state.activity == "recognising" else _FIRST.format(state.to_read)
            if line != told:
                print(line, flush=True)
            told = line
        time.sleep(LOOK_SECONDS)
    if state.activity == "failed":
        print(to_plain(state.message), flush=True)
    elif told and (report := watcher.report()):
        print(f"Read: {report.summary()}", flush=True)


def make_app(served: Served | None = None) -> FastAPI:
    """A FastAPI application, and, where something is served, the server's own routes."""
    from fastapi import FastAPI

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    if served:
        include_routes(app, served)
    return app


def build_server(served: Served, entrance: Entrance | None = None, *, log: str | None = None) -> Observed:
    """The web application without a page: the server's own routes behind the guard, and at / what is here.

    log: "json" for a line of each request; by default as FOOTNOTE_LOG says.
    """
    from assistant.serving.routes.schema import find_own

    app, entrance = make_app(served), entrance or open_entrance()

    @app.api_route("/", methods=["GET", "HEAD"])
    def describe() -> dict[str, Any]:
        return {
            "name": "Footnote",
            "version": version("footnote"),
            "libraries": list(served.libraries),
            "description": "/api/openapi.json",
            "routes": [
                f"{method} {route.path}" for route in find_own(app, "/") for method in sorted(route.methods or ())
            ],
        }

    guard = Guard(app, Streams(), {}, _NoQuestions(), own=open_routes(), hosts=entrance.hosts, door=entrance.door)
    return observe(guard, served, log=log)


class _NoQuestions:
    """What waits for an answer where there is no page to ask on; what programs ask is counted elsewhere."""

    def sessions(self) -> list[str]:
        return []

    def is_known(self, session: str) -> bool:
        return False

    def seconds_each(self) -> float:
        return 1.0
