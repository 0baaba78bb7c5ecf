"""Every request is heard of, from before the guard looks at it until all of the answer is sent, or nobody waits for it.

A request has an id, which the answer carries back: the one that it came with, where that is short and plain.
"""

from __future__ import annotations

import os
import re
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from assistant.serving.bodies import Receive, Send
from assistant.serving.guard import Application, Scope, answer_refusal
from assistant.serving.limits import RefusedError
from assistant.serving.observing.defects import FAILED
from assistant.serving.observing.journal import Journal, hear_libraries, hook_threads, open_journal
from assistant.serving.observing.outcomes import Outcome
from assistant.serving.served import Served
from index.steps import Listener, listen, taking

_REQUEST_ID = re.compile(rb"[\w.:-]{1,64}", re.ASCII)
_TRACE = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")  # W3C Trace Context, section 3.2
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Those that the door and the protocol of tools answer without a pattern.
_ROUTES = frozenset({"/login", "/logout", "/mcp"})


def observe(
    app: Application, served: Served, *, log: str | None = None, count_waiting: Callable[[], int] = lambda: 0
) -> Observed:
    """A server's application, observed as the environment and whoever starts it say.

    log: "json" for a line of each request; by default as FOOTNOTE_LOG says.
    count_waiting: how many questions of the page wait or are being answered, beside those of programs.
    Raises InputError where the environment asks for what cannot be had.
    """
    from assistant.serving.observing.metrics import Metrics
    from assistant.serving.observing.spans import open_spans

    journal = open_journal(os.environ, log)

    def count_questions() -> int:
        return count_waiting() + served.answering.count()

    metrics = Metrics(served.libraries, count_questions)
    served.metrics = metrics
    spans = open_spans(os.environ)
    if spans:
        served.closers.append(spans.close)
    return Observed(app, journal, [metrics, journal, *([spans] if spans else [])], count_questions)


class Observed:
    """An ASGI application around another. Its listeners hear of the process's steps as long as the server lives.

    writes_json: whether what a person would be told in the terminal is told in the journal.
    count_questions: how many questions wait or are being answered.
    """

    def __init__(
        self,
        app: Application,
        journal: Journal,
        listeners: list[Listener],
        count_questions: Callable[[], int] = lambda: 0,
    ) -> None:
        self.writes_json = journal.as_json
        self.count_questions = count_questions
        self._app = app
        self._journal = journal
        self._listeners = listeners
        self._is_listening = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http":
            await self._answer(scope, receive, send)
        elif scope["type"] == "lifespan":
            with self.listening():
                await self._app(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id, trace = _read_head(scope)
        scope["request_id"] = request_id
        path, method = scope["path"], scope["method"]
        status: int | None = None
        size_bytes = 0
        id_header = (b"x-request-id", request_id.encode())

        async def send_counted(message: Any) -> None:
            nonlocal status, size_bytes
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), id_header]
            elif message["type"] == "http.response.body":
                size_bytes += len(message.get("body", b""))
            await send(message)

        with taking("request", request_id, trace) as taken:
            scope["step"] = taken
            try:
                await self._app(scope, receive, send_counted)
            except Exception as error:
                # What Python says of it may repeat what was asked; the server below would print it.
                taken.failure = type(error).__name__
                self._journal.tell_defect(error, request_id)
                if status is None:
                    await answer_refusal(RefusedError(500, FAILED), send_counted, path)
            finally:
                route = getattr(scope.get("route"), "path", None) or (path if path in _ROUTES else "other")
                taken.result = Outcome(method if method in _METHODS else "other", route, status, size_bytes)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Hear of all steps as long as the block lasts; of those that a server takes, it does by itself."""
        if self._is_listening:
            yield
            return
        before = threading.excepthook
        self._is_listening = True
        with ExitStack() as listening:
            for listener in self._listeners:
                listening.callback(listen(listener))
            listening.enter_context(hear_libraries(self._journal))
            threading.excepthook = hook_threads(self._journal)
            listening.callback(setattr, threading, "excepthook", before)
            listening.callback(setattr, self, "_is_listening", False)
            yield


def _read_head(scope: Scope) -> tuple[str, str]:
    """The request's id, and the trace that it is part of, "" where it is of none."""
    request_id = trace = b""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            request_id = value
        elif name == b"traceparent" and _TRACE.fullmatch(value):
            trace = value
    return request_id.decode() or secrets.token_hex(8), trace.decode()
