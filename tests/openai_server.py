"""A scripted server on 127.0.0.1 that speaks the OpenAI protocol, faults included.

with OpenAIServer("Trump skipped Israel [3].") as server:
    answer("why was Israel skipped?", settings=replace(settings, base_url=server.base_url))
    server.chats[0].system

A script may also be a Reply with an ending of its own, or a Refusal in a server's own words.

It counts tokens in a stream only where the request asks for it, as OpenAI's own server does, and its
refusals repeat the key that was sent, as no server should.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import Any

from benchmarks.local_server import LocalHandler, LocalServer, make_chunk, make_head, read_role
from index.settings import Settings

PROMPT_TOKENS, COMPLETION_TOKENS = 321, 12


class Fault(StrEnum):
    """What a server can do other than reply or answer with an HTTP status."""

    CLOSED = "closes the connection at once"
    SILENCE = "takes the request and says nothing"
    SILENCE_IN_STREAM = "falls silent in the middle of the reply"
    BROKEN_STREAM = "breaks off in the middle of the reply"
    EMPTY_STREAM = "streams nothing"
    INVALID_JSON = "streams what is no JSON"
    ERROR_IN_STREAM = "streams an error in the middle of the reply"
    HALF_STREAM = "ends in order, but in the middle of the reply"
    INVALID_UTF8 = "streams what is no text in the middle of the reply"
    ENDLESS = "replies until nobody listens any more"
    ENDLESS_PINGS = "shows that it lives until nobody listens any more, and says nothing else"
    NO_BODY = "answers that all is well, with nothing behind it"
    WEB_PAGE = "is a web server, not a language model's"


@dataclass(frozen=True)
class Request:
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    @property
    def key(self) -> str:
        return self.headers.get("authorization", "").removeprefix("Bearer ")

    @property
    def system(self) -> str:
        return read_role(self.body["messages"], "system")

    @property
    def user(self) -> str:
        return read_role(self.body["messages"], "user")


Words = str | Callable[[Request], str]


@dataclass(frozen=True)
class Reply:
    """A reply that does not simply end: it is cut, declined, thought about, or broken off by a fault.

    thoughts: sent before the words, as deltas with `thoughts_field` in place of content.
    """

    words: Words
    finish_reason: str | None = "stop"
    then: Fault | None = None
    thoughts: str = ""
    thoughts_field: str = "reasoning_content"
    refusal: str = ""

    def words_for(self, request: Request) -> str:
        return self.words if isinstance(self.words, str) else self.words(request)


@dataclass(frozen=True)
class Refusal:
    """An HTTP status of 400 or more, with the server's own words and headers."""

    status: int
    message: str = "The server is busy."
    code: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


# A reply, what makes one of the request, an HTTP status of 400 or more, or a fault.
Script = Words | Reply | Refusal | int | Fault

_ERRORS = {
    400: ("invalid_request_error", "context_length_exceeded", "This model's maximum context length is exceeded."),
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided: {key}."),
    403: ("invalid_request_error", "forbidden", "The key {key} may not use this model."),
    404: ("invalid_request_error", "model_not_found", "The model does not exist, or {key} has no access to it."),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached for {key}."),
    500: ("server_error", None, "The server had an error while processing the request of {key}."),
    503: ("server_error", None, "The model is loading."),
}


class OpenAIServer(LocalServer):
    """Serves while its `with` block lasts; each chat takes the next script, and the last script stays.

    delta_characters: how long the pieces are into which replies are cut.
    models: what /v1/models offers, by name or with what a server says of each; or a script where that is to fail.
    places: what it says at other addresses.
    """

    def __init__(
        self,
        *scripts: Script,
        delta_characters: int = 7,
        models: Sequence[str | dict[str, Any]] | int | Fault = ("scripted-model",),
        places: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(_Handler)
        self.requests: list[Request] = []
        self.delta_characters = delta_characters
        self.models = models
        self.places = places or {}
        self.times: list[float] = []  # when each request came, by time.monotonic()
        self.closing = threading.Event()
        self.hung_up = threading.Event()  # a client went before its reply was whole
        self._scripts = list(scripts)

    def reach(self, settings: Settings) -> Settings:
        """The settings that lead here: with time for a busy machine, and little where nothing is what comes."""
        scripts = [self.models, *self._scripts]
        silent = (Fault.SILENCE, Fault.SILENCE_IN_STREAM, Fault.ENDLESS_PINGS)
        is_silent = any(one in silent for script in scripts for one in (script, getattr(script, "then", None)))
        return replace(settings, base_url=self.base_url, timeout_seconds=0.4 if is_silent else 20)

    @property
    def chats(self) -> list[Request]:
        """The requests for a reply, in the order in which they came."""
        return [request for request in self.requests if request.path.endswith("/chat/completions")]

    def next_script(self) -> Script:
        return self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]

    def __exit__(self, *error: object) -> None:
        self.closing.set()
        super().__exit__(*error)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let a client that hung up go in peace; anything else is a mistake in this file and is told."""
        if isinstance(sys.exception(), ConnectionError):
            self.hung_up.set()
        else:
            super().handle_error(request, client_address)


class _Handler(LocalHandler):
    server: OpenAIServer

    def do_GET(self) -> None:  # noqa: N802
        request = self._note()
        models = self.server.models
        if isinstance(models, (int, Fault)):
            self._serve(request, models)
        elif request.path == "/v1/models":
            told = [{"object": "model", **({"id": model} if isinstance(model, str) else model)} for model in models]
            self._send_json(200, {"object": "list", "data": told})
        elif request.path in self.server.places:
            self._send_json(200, self.server.places[request.path])
        else:
            self._refuse(request, 404)

    def do_POST(self) -> None:  # noqa: N802
        request = self._note()
        if request.path == "/v1/chat/completions":
            self._serve(request, self.server.next_script())
        else:
            self._refuse(request, 404)

    def _note(self) -> Request:
        request = Request(self.path, {name.lower(): value for name, value in self.headers.items()}, self.take())
        self.server.requests.append(request)
        self.server.times.append(time.monotonic())
        return request

    def _serve(self, request: Request, script: Script) -> None:
        match script:
            case Fault.CLOSED:
                self.close_connection = True
            case Fault.SILENCE:
                self.server.closing.wait()
                self.close_connection = True
            case Fault.WEB_PAGE:
                self.send("text/html", b"<!doctype html><title>Welcome</title><p>It works!")
            case Fault():
                self._stream(_fault_chunks(script))
            case int():
                self._refuse(request, script)
            case Refusal():
                error = {"message": script.message, "type": "error", "param": None, "code": script.code}
                self._send_json(script.status, {"error": error}, script.headers)
            case _:
                reply = script if isinstance(script, Reply) else Reply(script)
                if request.body.get("stream"):
                    self._stream(_reply_chunks(reply, request, self.server.delta_characters))
                else:
                    self._send_json(200, _completion(request, reply))

    def _refuse(self, request: Request, status: int) -> None:
        kind, code, message = _ERRORS[status]
        error = {"message": message.format(key=request.key), "type": kind, "param": None, "code": code}
        self._send_json(status, {"error": error})

    def _send_json(self, status: int, body: dict[str, Any], headers: Sequence[tuple[str, str]] = ()) -> None:
        self.send("application/json", json.dumps(body).encode(), status, headers)

    def _stream(self, events: Iterator[str | bytes | Fault]) -> None:
        """Send server-sent events; the transfer is chunked, so that breaking off differs from ending."""
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for event in events:
            if isinstance(event, Fault):
                if event is Fault.SILENCE_IN_STREAM:
                    self.server.closing.wait()
                self.close_connection = True
                return
            self._send_chunk(event if isinstance(event, bytes) else f"data: {event}\n\n".encode())
        self.wfile.write(b"0\r\n\r\n")

    def _send_chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()


def _reply_chunks(reply: Reply, request: Request, delta_characters: int) -> Iterator[str | bytes | Fault]:
    def cut(text: str) -> Iterator[str]:
        return (text[start : start + delta_characters] for start in range(0, len(text), delta_characters))

    chunk = partial(make_chunk, request.body["model"])
    yield chunk({"role": "assistant", "content": ""})
    for piece in cut(reply.thoughts):
        yield chunk({reply.thoughts_field: piece})
    for piece in cut(reply.refusal):
        yield chunk({"refusal": piece})
    for piece in cut(reply.words_for(request)):
        yield chunk({"content": piece})
    if reply.then:
        yield from _break_off(reply.then, request.body["model"])
        return
    yield chunk({}, reply.finish_reason)
    if (request.body.get("stream_options") or {}).get("include_usage"):
        yield json.dumps({**make_head(request.body["model"]), "choices": [], "usage": _usage()})
    yield "[DONE]"


def _fault_chunks(fault: Fault) -> Iterator[str | bytes | Fault]:
    if fault is Fault.NO_BODY:
        return
    if fault is Fault.EMPTY_STREAM:
        yield "[DONE]"
        return
    if fault is not Fault.ENDLESS_PINGS:
        yield make_chunk("scripted-model", {"role": "assistant", "content": "The reply begins with this"})
    yield from _break_off(fault, "scripted-model")


def _break_off(fault: Fault, model: str) -> Iterator[str | bytes | Fault]:
    if fault is Fault.INVALID_JSON:
        yield '{"choices": [{"delta": {"cont'
    elif fault is Fault.INVALID_UTF8:
        yield b'data: {"choices": [{"index": 0, "delta": {"content": "caf\xe9 \xff"}}]}\n\n'
    elif fault is Fault.ERROR_IN_STREAM:
        yield json.dumps({"error": {"message": "The model ran out of memory.", "type": "server_error"}})
    elif fault is Fault.ENDLESS:
        while True:
            yield make_chunk(model, {"content": " and so on"})
    elif fault is Fault.ENDLESS_PINGS:
        while True:
            yield b": still here\n\n"
            time.sleep(0.01)
    elif fault is not Fault.HALF_STREAM:
        yield fault


def _completion(request: Request, reply: Reply) -> dict[str, Any]:
    message = {"role": "assistant", "content": reply.words_for(request)}
    choice = {"index": 0, "message": message, "finish_reason": reply.finish_reason}
    return {**make_head(request.body["model"], "chat.completion"), "choices": [choice], "usage": _usage()}


def _usage() -> dict[str, int]:
    total = PROMPT_TOKENS + COMPLETION_TOKENS
    return {"prompt_tokens": PROMPT_TOKENS, "completion_tokens": COMPLETION_TOKENS, "total_tokens": total}
