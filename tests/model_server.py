"""A server on 127.0.0.1 that embeds and reranks by the words of texts, faults included.

with ModelServer(refuse(429, headers=(("retry-after", "0.02"),))) as server:
    replace(settings, embedding="a-model", embedding_url=server.base_url)

Each fault takes the place of one answer; after the last it answers well. Texts that share words have vectors that are
near.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

from benchmarks.local_server import LocalHandler, LocalServer

DIMENSIONS = 96


@dataclass(frozen=True)
class Asked:
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    seconds: float  # when, by time.monotonic()

    @property
    def texts(self) -> list[str]:
        given = next(self.body[name] for name in ("input", "documents", "texts") if name in self.body)
        return given if isinstance(given, list) else [given]


class ModelServer(LocalServer):
    """Serves while its `with` block lasts.

    form: the only one in which it reranks, at `path`: "documents" (Cohere, Jina, vLLM, llama.cpp) or "texts" (TEI).
    takes_lists, most_texts, longest: whether it takes several texts at once, how many, and of how many characters.
    too_long: the status and the words with which it refuses a longer one. models: those that it has; all by default.
    """

    def __init__(
        self,
        *faults: Fault,
        dimensions: int = DIMENSIONS,
        form: str = "documents",
        path: str = "/v1/rerank",
        takes_lists: bool = True,
        most_texts: int = 1000,
        longest: int = 1_000_000,
        too_long: tuple[int, str] = (400, "This model's maximum context length is exceeded."),
        models: Sequence[str] = (),
    ) -> None:
        super().__init__(_Handler)
        self.asked: list[Asked] = []
        self.closing = threading.Event()
        self.dimensions = dimensions
        self.form, self.path = form, path
        self.takes_lists, self.most_texts, self.longest, self.too_long = takes_lists, most_texts, longest, too_long
        self.models = models
        self._faults = list(faults)

    @property
    def root(self) -> str:
        return self.base_url.removesuffix("/v1")

    def next_fault(self) -> Fault | None:
        return self._faults.pop(0) if self._faults else None

    def __exit__(self, *error: object) -> None:
        self.closing.set()
        super().__exit__(*error)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let a client that hung up go in peace."""


class _Handler(LocalHandler):
    server: ModelServer

    def do_POST(self) -> None:  # noqa: N802
        request = Asked(self.path, {k.lower(): v for k, v in self.headers.items()}, self.take(), time.monotonic())
        self.server.asked.append(request)
        if fault := self.server.next_fault():
            fault(self)
        elif self.server.models and request.body.get("model") not in self.server.models:
            self.refuse(404, f"model {request.body.get('model')!r} not found")
        elif self.path.partition("?")[0] == "/v1/embeddings":
            self._embed(request)
        elif self.path.partition("?")[0] == self.server.path:
            self._rerank(request)
        else:
            self.refuse(404, "Not Found")

    def _embed(self, request: Asked) -> None:
        server, given = self.server, request.body["input"]
        if isinstance(given, list) and not server.takes_lists:
            self.refuse(422, "input must be a string")
        elif len(request.texts) > server.most_texts:
            self.refuse(422, f"batch size {len(request.texts)} > maximum allowed batch size {server.most_texts}")
        elif any(len(text) > server.longest for text in request.texts):
            self.refuse(*server.too_long)
        else:
            vectors = [embed(text, server.dimensions) for text in request.texts]
            self.say({"data": [{"index": i, "embedding": vector} for i, vector in enumerate(vectors)]})

    def _rerank(self, request: Asked) -> None:
        server = self.server
        if server.form not in request.body:
            self.refuse(422, f"missing field `{server.form}`")
        elif any(len(text) > server.longest for text in request.texts):
            self.refuse(*server.too_long)
        else:
            scores = [score(request.body["query"], text) for text in request.texts]
            name = "relevance_score" if server.form == "documents" else "score"
            ranked = sorted(range(len(scores)), key=lambda i: -scores[i])
            rows = [{"index": i, name: scores[i]} for i in ranked]
            self.say({"results": rows} if server.form == "documents" else rows)

    def say(self, answer: object, status: int = 200, headers: Sequence[tuple[str, str]] = ()) -> None:
        """Answer with JSON."""
        self.send("application/json", json.dumps(answer).encode(), status, headers)

    def refuse(self, status: int, words: str = "", headers: Sequence[tuple[str, str]] = ()) -> None:
        """Refuse, and repeat the key, as no server should."""
        self.say({"error": {"message": f"{words} {self.headers.get('authorization', '')}"}}, status, headers)

    def pour(self, begin: bytes, piece: bytes, headers: Sequence[tuple[str, str]] = (), status: int = 200) -> None:
        """Answer with a body that never ends."""
        self.send_response(status)
        for name, value in (("content-type", "application/json"), ("transfer-encoding", "chunked"), *headers):
            self.send_header(name, value)
        self.end_headers()
        self.close_connection = True
        with suppress(ConnectionError):
            for part in [begin, *[piece] * 1_000_000]:
                if self.server.closing.is_set():
                    break
                self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")


Fault = Callable[[_Handler], None]


def refuse(status: int, words: str = "The server is busy.", headers: Sequence[tuple[str, str]] = ()) -> Fault:
    """An error of the server's."""
    return lambda handler: handler.refuse(status, words, headers)


def say(answer: object) -> Fault:
    """An answer that is what it likes."""
    return lambda handler: handler.say(answer)


def send(body: bytes, headers: Sequence[tuple[str, str]] = ()) -> Fault:
    """A body that is what it likes."""
    return lambda handler: handler.send("application/json", body, 200, headers)


def hang_up(handler: _Handler) -> None:
    """Close the connection without a word."""
    handler.close_connection = True


def cut(handler: _Handler) -> None:
    """Break off in the middle of a body whose length was told."""
    handler.send_response(200)
    handler.send_header("content-length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"data": [{"index": 0, "embedding": [0.1, 0.2')
    handler.close_connection = True


def fall_silent(handler: _Handler) -> None:
    """Say nothing until the test is over."""
    handler.server.closing.wait()
    handler.close_connection = True


def pour(handler: _Handler) -> None:
    """A body of gigabytes."""
    handler.pour(b'{"data": [', b"0.123456789, " * 5000)


def pour_error(handler: _Handler) -> None:
    """An error of gigabytes."""
    handler.pour(b'{"error": ', b"and so on " * 5000, status=400)


def trickle(handler: _Handler) -> None:
    """A body that comes by the byte and never ends."""

    def slowly() -> None:
        with suppress(ConnectionError):
            while not handler.server.closing.wait(0.02):
                handler.wfile.write(b"1\r\n \r\n")

    handler.send_response(200)
    handler.send_header("transfer-encoding", "chunked")
    handler.end_headers()
    slowly()
    handler.close_connection = True


def bomb(handler: _Handler) -> None:
    """A small body that becomes a large one."""
    handler.send("application/json", _pack(), 200, [("content-encoding", "gzip, gzip")])


@cache
def _pack() -> bytes:
    return gzip.compress(gzip.compress(b" " * 100_000_000))


def redirect(to: str, status: int = 307) -> Fault:
    """A redirect elsewhere."""
    return lambda handler: handler.send("text/plain", b"", status, [("location", to)])


def words_of(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


def embed(text: str, dimensions: int = DIMENSIONS) -> list[float]:
    """How often the text has words of each of some kinds; texts that share words have vectors that are near."""
    vector = [0.0] * dimensions
    for word in words_of(text):
        vector[int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big") % dimensions] += 1.0
    return vector


def score(query: str, text: str) -> float:
    """The share of the query's words that the text has."""
    asked, held = set(words_of(query)), set(words_of(text))
    return len(asked & held) / max(len(asked), 1)
