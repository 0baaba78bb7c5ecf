"""The chat in the browser: what is served is opened, and a server on this machine answers from it."""

from __future__ import annotations

import os
import threading
import time
import webbrowser
from collections.abc import Callable
from typing import Any

from assistant.serving import writers
from assistant.serving.entrance import Entrance, open_entrance
from assistant.serving.guard import Guard
from assistant.serving.limits import Streams
from assistant.serving.observing.defects import FAILED, contain
from assistant.serving.observing.requests import Observed, observe
from assistant.serving.page.assets import read_head, read_style
from assistant.serving.page.layout import CONVERSATIONS, build_page
from assistant.serving.page.theme import make_theme
from assistant.serving.page.waiting import Questions
from assistant.serving.port import is_loopback, listen, serve
from assistant.serving.routes import include_routes, open_routes
from assistant.serving.served import Served
from assistant.showing.terminal import to_plain
from index.watching import Watcher, watch

LOOK_SECONDS = 0.3  # between two looks at how far reading is
_ON_THE_WAY = "What is asked and answered can be read on the way: others should come through https."
_FIRST = "Reading {:,} files: what is read can be asked about already."


def open_chat(served: Served, entrance: Entrance, *, port: int, browser: bool, log: str | None = None) -> None:
    """Serve the chat until it is stopped. The libraries follow their folders meanwhile, and can be asked at once."""
    app = build_app(served, entrance, log=log)
    listening = listen(port, entrance.address)
    port = listening.getsockname()[1]
    with app.listening():  # of the first sync too
        try:
            # The socket listens already, so that a browser that comes at once is served.
            print(f"Footnote answers at {entrance.to_link(port)} (stop with Ctrl-C)", flush=True)
            if not is_loopback(entrance.address):
                print(
                    "What is asked and answered can be read on the way: others should come through https.", flush=True
                )
            for library in served.libraries.values():
                watcher = watch(library)
                if not app.writes_json:  # which names what is read
                    threading.Thread(target=tell_following, args=[watcher], daemon=True).start()
            if entrance.is_local and not served.settings.uses_language_model:
                threading.Thread(target=tell_offers, args=[served], daemon=True).start()
            if browser:
                threading.Timer(1.0, webbrowser.open, [entrance.to_own_link(port)]).start()
            serve(app, listening)
        except KeyboardInterrupt:
            print("Stopped.")
        finally:
            served.close()


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


def tell_offers(served: Served) -> None:
    """Say in the terminal which servers of language models run on this machine. None is sent anything."""
    for offer in writers.find_offers(served.settings):
        models = to_plain(", ".join(offer.models[:3]))
        print(f"{offer.name} runs on this machine ({models}): choose it under Settings to have it write.", flush=True)


def build_app(served: Served, entrance: Entrance | None = None, *, log: str | None = None) -> Observed:
    """The web application: the page and the server's own routes, behind the guard, observed.

    log: "json" for a line of each request; by default as FOOTNOTE_LOG says.
    """
    # Gradio reads this when it is imported: without it, it would look its makers' servers up.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    import gradio

    streams = Streams()
    page = build_page(served, streams)
    asked = {number: event for number, event in page.fns.items() if event.fn}
    inputs = {number: [_find_check(component) for component in event.inputs] for number, event in asked.items()}
    for event in asked.values():
        event.fn = contain(event.fn, lambda: gradio.Error(FAILED, print_exception=False))
    # What a browser has kept comes back through this one.
    large = [number for number, event in asked.items() if any(_is_keeping(page, of) for of, _ in event.targets)]
    entrance = entrance or open_entrance()
    questions = Questions(page)
    guard = Guard(
        mount(page, served),
        streams,
        inputs,
        questions,
        own=open_routes(),
        hosts=entrance.hosts,
        door=entrance.door,
        large=large,
    )
    return observe(guard, served, log=log, count_waiting=lambda: len(questions.sessions()))


def mount(page: Any, served: Served | None = None) -> Any:
    """An application with a page and, where something is served, the server's own routes."""
    import gradio
    from fastapi import FastAPI

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    if served:
        include_routes(app, served)
    gradio.mount_gradio_app(
        app,
        page,
        path="/",
        css=read_style(),
        head=read_head(served) if served else None,
        theme=make_theme(),
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
    """What a component of the page may be given: text that was typed, or one that it offers, or nothing."""
    import gradio

    if isinstance(component, gradio.Radio):
        offered = {value for _, value in component.choices}
        return lambda value: value is None or (isinstance(value, str) and value in offered)
    if isinstance(component, (gradio.Textbox, gradio.Dropdown)):
        return lambda value: value is None or isinstance(value, str)
    return lambda value: value is None


def _is_keeping(page: Any, number: int | None) -> bool:
    """Whether a component is the one that has the browser keep conversations."""
    return getattr(page.blocks.get(number), "elem_id", None) == CONVERSATIONS
