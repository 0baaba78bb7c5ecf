"""What the scripted servers of benchmarks and tests stand on: 127.0.0.1, quiet handlers, the OpenAI protocol's forms.

class Handler(LocalHandler):
    def do_POST(self) -> None:
        self.send("application/json", b"{}")

with LocalServer(Handler) as server:
    replace(settings, base_url=server.base_url)
"""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class LocalServer(ThreadingHTTPServer):
    """Serves at a free port while its `with` block lasts; its handlers find it as their `server`."""

    def __init__(self, handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def base_url(self) -> str:
        """The address to give as OPENAI_BASE_URL."""
        return f"http://127.0.0.1:{self.server_port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.shutdown()
        self.server_close()
        self._thread.join()


class LocalHandler(BaseHTTPRequestHandler):
    """Takes JSON, sends whole bodies and says nothing on standard error."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: object) -> None:
        """Keep quiet."""

    def take(self) -> Any:
        """The JSON of the request's body; an empty object where it has none."""
        return json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")

    def send(self, kind: str, body: bytes, status: int = 200, headers: Sequence[tuple[str, str]] = ()) -> None:
        """Send a body of a media type."""
        self.send_response(status)
        for name, value in (*headers, ("content-type", kind), ("content-length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


def read_role(messages: Sequence[dict[str, Any]], role: str) -> str:
    """What the messages of one role say: "system" or "user"."""
    return "\n".join(message["content"] for message in messages if message["role"] == role)


def make_head(model: str, kind: str = "chat.completion.chunk") -> dict[str, Any]:
    """What every part of a reply begins with."""
    return {"id": "chatcmpl-1", "object": kind, "created": 1_700_000_000, "model": model}


def make_chunk(model: str, delta: dict[str, str], finish_reason: str | None = None) -> str:
    """One event of a streamed reply, as JSON."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return json.dumps({**make_head(model), "choices": [choice]})
