"""The chat in the browser: what is served is opened, and a server on this machine answers from it."""

from __future__ import annotations

import os
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assistant.serving import writers
from assistant.serving.entrance import Entrance, open_entrance
from assistant.serving.guard import Guard
from assistant.serving.limits import Streams
from assistant.serving.page.assets import read_head, read_style
from assistant.serving.page.layout import AT_ONCE, build_page
from assistant.serving.port import is_loopback, listen, serve
from assistant.serving.progress import to_plain
from assistant.serving.routes import include_routes, open_routes
from assistant.serving.served import Served, name_libraries
from index.errors import FootnoteError
from index.library import Library, finish, open_library
from index.settings import Settings


def open_chat(
    documents: Path, settings: Settings, *, port: int, browser: bool, entrance: Entrance | None = None
) -> None:
    """Serve the chat over a synced folder until it is stopped; on 127.0.0.1 where no other way in is given."""
    entrance = entrance or open_entrance()
    if entrance.is_local:
        settings = writers.recall(writers.find_file(), settings)
    libraries = name_libraries([finish(open_library(documents, settings))])
    served = Served(libraries, settings, is_local=entrance.is_local)
    app = build_app(served, entrance)
    listening = listen(port, entrance.address)
    port = listening.getsockname()[1]
    try:
        # The socket listens already, so that a browser that comes at once is served.
        print(f"Footnote answers at {entrance.to_link(port)} (stop with Ctrl-C)", flush=True)
        if not is_loopback(entrance.address):
            print("What is asked and answered can be read on the way: others should come through https.", flush=True)
        threading.Thread(target=read_scans, args=[served.library()], daemon=True).start()
        if browser:
            threading.Timer(1.0, webbrowser.open, [entrance.to_own_link(port)]).start()
        serve(app, listening)
    except KeyboardInterrupt:
        print("Stopped.")


def read_scans(library: Library) -> None:
    """Read what was left for later, while the page answers from the rest, and say so where there is any."""
    try:
        for progress in library.sync():
            if progress.message.startswith("Reading "):
                print(f"{to_plain(progress.message)} …", flush=True)
    except FootnoteError as error:
        print(to_plain(str(error)), flush=True)
    finally:
        library.store.close()


def build_app(served: Served, entrance: Entrance | None = None) -> Guard:
    """The web application: the page, the server's own routes and /healthz, behind the guard."""
    # Gradio reads this when it is imported: without it, it would look its makers' servers up.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    streams = Streams()
    page = build_page(served, streams)
    asked = {number: event for number, event in page.fns.items() if event.fn}
    inputs = {number: [_find_check(component) for component in event.inputs] for number, event in asked.items()}
    entrance = entrance or open_entrance()
    app = mount(page, served)
    own = open_routes()
    return Guard(app, streams, inputs, _Questions(page), own=own, hosts=entrance.hosts, door=entrance.door)


def mount(page: Any, served: Served | None = None) -> Any:
    """An application with a page, at /healthz, and, where something is served, at the server's own routes."""
    import gradio
    from fastapi import FastAPI

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    @app.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    if served:
        include_routes(app, served)
    gradio.mount_gradio_app(
        app,
        page,
        path="/",
        css=read_style(),
        head=read_head(served) if served else None,
        theme=gradio.themes.Default(primary_hue="indigo"),
        footer_links=[],
        run_history=False,
        enable_monitoring=False,
        auth_dependency=lambda request: request.scope.get("user", ""),  # the guard lets nobody else in
        show_error=False,  # what Python says of an error is for nobody outside
        max_file_size=0,
    )
    # Gradio checks the paths of files only in an app that was launched, which one that is mounted never counts as.
    page.has_launched = page.is_running = True
    return app


def _find_check(component: Any) -> Callable[[object], bool]:
    """What a component of the page may be given: text that was typed or chosen, or nothing."""
    import gradio

    if isinstance(component, (gradio.Textbox, gradio.Dropdown, gradio.Radio)):
        return lambda value: value is None or isinstance(value, str)
    return lambda value: value is None


class _Questions:
    """What of Gradio's queue the guard asks for."""

    def __init__(self, page: Any) -> None:
        self._queue = page._queue

    def sessions(self) -> list[str]:
        waiting = [event for one in self._queue.event_queue_per_concurrency_id.values() for event in one.queue]
        answered = [event for job in self._queue.active_jobs for event in job or ()]
        return [event.session_hash for event in (*waiting, *answered)]

    def is_known(self, session: str) -> bool:
        return session in self._queue.pending_messages_per_session

    def seconds_each(self) -> float:
        return max((taken.avg_time for taken in self._queue.process_time_per_fn.values()), default=1.0) / AT_ONCE
