"""A scripted server on 127.0.0.1 that speaks the OpenAI protocol, faults included.

with OpenAIServer("Trump skipped Israel [3].") as server:
    answer("why was Israel skipped?", settings=replace(settings, base_url=server.base_url))
    server.chats[0].system

It counts tokens in a stream only where the request asks for it, as OpenAI's own server does, and its
refusals repeat the key that was sent, as no server should.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, ClassVar, Self

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
        return self._message("system")

    @property
    def user(self) -> str:
        return self._message("user")

    def _message(self, role: str) -> str:
        return "\n".join(message["content"] for message in self.body["messages"] if message["role"] == role)


# A reply, what makes one of the request, an HTTP status of 400 or more, or a fault.
Script = str | Callable[[Request], str] | int | Fault

_ERRORS = {
    400: ("invalid_request_error", "context_length_exceeded", "This model's maximum context length is exceeded."),
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided: {key}."),
    403: ("invalid_request_error", "forbidden", "The key {key} may not use this model."),
    404: ("invalid_request_error", "model_not_found", "The model does not exist, or {key} has no access to it."),
    429: ("insufficient_quota", "insufficient_quota", "You exceeded your current quota, {key}."),
    500: ("server_error", None, "The server had an error while processing the request of {key}."),
    503: ("server_error", None, "The model is loading."),
}


class OpenAIServer:
    """Serves while its `with` block lasts; each chat takes the next script, and the last script stays.

    delta_characters: how long the pieces are into which replies are cut.
    models: what /v1/models offers, or a script of its own where that is to fail.
    """

    def __init__(
        self, *scripts: Script, delta_characters: int = 7, models: Sequence[str] | int | Fault = ("scripted-model",)
    ) -> None:
        self.requests: list[Request] = []
        self.delta_characters = delta_characters
        self.models = models
        self.closing = threading.Event()
        self._scripts = list(scripts)
        self._server = _Server(("127.0.0.1", 0), _bind(self))
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    @property
    def chats(self) -> list[Request]:
        """The requests for a reply, in the order in which they came."""
        return [request for request in self.requests if request.path.endswith("/chat/completions")]

    def next_script(self) -> Script:
        return self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let a client that hung up go in peace; anything else is a mistake in this file and is told."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _bind(server: OpenAIServer) -> type[_Handler]:
    return type("_BoundHandler", (_Handler,), {"script": server})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: ClassVar[OpenAIServer]

    def do_GET(self) -> None:
        request = self._take()
        models = self.script.models
        if isinstance(models, (int, Fault)):
            self._serve(request, models)
        elif request.path == "/v1/models":
            self._send_json(200, {"object": "list", "data": [{"id": name, "object": "model"} for name in models]})
        else:
            self._refuse(request, 404)

    def do_POST(self) -> None:
        request = self._take()
        if request.path == "/v1/chat/completions":
            self._serve(request, self.script.next_script())
        else:
            self._refuse(request, 404)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet."""

    def _take(self) -> Request:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.path, headers, json.loads(body) if body else {})
        self.script.requests.append(request)
        return request

    def _serve(self, request: Request, script: Script) -> None:
        match script:
            case Fault.CLOSED:
                self.close_connection = True
            case Fault.SILENCE:
                self.script.closing.wait()
                self.close_connection = True
            case Fault.WEB_PAGE:
                self._send(200, "text/html", b"<!doctype html><title>Welcome</title><p>It works!")
            case Fault():
                self._stream(_fault_chunks(script))
            case int():
                self._refuse(request, script)
            case _:
                reply = script if isinstance(script, str) else script(request)
                if request.body.get("stream"):
                    self._stream(_reply_chunks(reply, request, self.script.delta_characters))
                else:
                    self._send_json(200, _completion(request, reply))

    def _refuse(self, request: Request, status: int) -> None:
        kind, code, message = _ERRORS[status]
        error = {"message": message.format(key=request.key), "type": kind, "param": None, "code": code}
        self._send_json(status, {"error": error})

    def _send_json(self, status: int, body: dict[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(body).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, events: Iterator[str | Fault]) -> None:
        """Send server-sent events; the transfer is chunked, so that breaking off differs from ending."""
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for event in events:
            if isinstance(event, Fault):
                if event is Fault.SILENCE_IN_STREAM:
                    self.script.closing.wait()
                self.close_connection = True
                return
            data = f"data: {event}\n\n".encode()
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")


def _reply_chunks(reply: str, request: Request, delta_characters: int) -> Iterator[str]:
    yield _chunk({"role": "assistant", "content": ""}, request)
    for start in range(0, len(reply), delta_characters):
        yield _chunk({"content": reply[start : start + delta_characters]}, request)
    yield _chunk({}, request, finish_reason="stop")
    if (request.body.get("stream_options") or {}).get("include_usage"):
        yield json.dumps({**_head(request, "chat.completion.chunk"), "choices": [], "usage": _usage()})
    yield "[DONE]"


def _fault_chunks(fault: Fault) -> Iterator[str | Fault]:
    if fault is Fault.EMPTY_STREAM:
        yield "[DONE]"
        return
    request = Request("", {}, {"model": "scripted-model"})
    yield _chunk({"role": "assistant", "content": "The reply begins with this"}, request)
    if fault is Fault.INVALID_JSON:
        yield '{"choices": [{"delta": {"cont'
    elif fault is Fault.ERROR_IN_STREAM:
        yield json.dumps({"error": {"message": "The model ran out of memory.", "type": "server_error"}})
    else:
        yield fault


def _head(request: Request, kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1_700_000_000, "model": request.body["model"]}


def _chunk(delta: dict[str, str], request: Request, finish_reason: str | None = None) -> str:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return json.dumps({**_head(request, "chat.completion.chunk"), "choices": [choice]})


def _completion(request: Request, reply: str) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": reply}, "finish_reason": "stop"}
    return {**_head(request, "chat.completion"), "choices": [choice], "usage": _usage()}


def _usage() -> dict[str, int]:
    total = PROMPT_TOKENS + COMPLETION_TOKENS
    return {"prompt_tokens": PROMPT_TOKENS, "completion_tokens": COMPLETION_TOKENS, "total_tokens": total}
