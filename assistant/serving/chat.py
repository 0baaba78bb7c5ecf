"""The chat in the browser: a server with a page."""

from __future__ import annotations

import os
import threading
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
from assistant.serving.page.programs import CHECKS
from assistant.serving.page.theme import make_theme
from assistant.serving.page.waiting import Questions
from assistant.serving.routes import open_routes
from assistant.serving.served import Served
from assistant.serving.server import make_app, run_server
from assistant.showing.terminal import to_plain


def open_chat(served: Served, entrance: Entrance, *, port: int, browser: bool, log: str | None = None) -> None:
    """Serve the chat until it is stopped. log: "json" for a line of each request."""

    def begin(link: str) -> None:
        if entrance.is_local and not served.settings.uses_language_model:
            threading.Thread(target=tell_offers, args=[served], daemon=True).start()
        if browser:
            threading.Timer(1.0, webbrowser.open, [link]).start()

    run_server(build_app(served, entrance, log=log), served, entrance, port=port, begin=begin)


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
    inputs = {
        number: CHECKS.get(event.api_name) or [_find_check(component) for component in event.inputs]
        for number, event in asked.items()
    }
    for event in asked.values():
        if event.api_name not in CHECKS:  # those tell programs themselves what is wrong
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
    """An application with a page, and, where something is served, with what every server has."""
    import gradio

    app = make_app(served)
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
