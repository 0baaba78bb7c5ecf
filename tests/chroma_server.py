"""A Chroma server of one's own, as a team would run it, and a network before it that fails as it is told to.

with ChromaRun(folder) as server, Network(server.url, refuse(429), hang_up) as network:
    replace(settings, chroma_url=network.url)
    server.kill()
    server.start()

Each fault takes the place of one reply, `always` of every one after them; else the server's own is passed on.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from benchmarks.local_server import LocalHandler, LocalServer

STARTING_SECONDS = 60.0  # that it may take on a busy machine; mostly it is one
_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "accept-encoding"}


class ChromaRun:
    """`chroma run` over a folder, while its `with` block lasts; killed and started again, it keeps its port.

    limit_bytes: of any file that it writes, as where its disk is full; None for no limit.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _find_port()
        self.limit_bytes: int | None = None
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What FOOTNOTE_CHROMA_URL is to be."""
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Run it, and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        limit = [] if self.limit_bytes is None else ["prlimit", f"--fsize={self.limit_bytes}"]
        run = "import sys; from chromadb.cli.cli import app; sys.argv = ['chroma', *sys.argv[1:]]; app()"
        place = ["--path", str(self.folder / "data"), "--host", "127.0.0.1", "--port", str(self.port)]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CHROMA_")}
        with (self.folder / "chroma.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*limit, sys.executable, "-c", run, "run", *place],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={**environment, "ANONYMIZED_TELEMETRY": "False"},
            )
        end = time.monotonic() + STARTING_SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > end:
                self.stop()
                raise RuntimeError(f"chroma run did not start: {(self.folder / 'chroma.log').read_text()[-2000:]}")
            time.sleep(0.05)

    def answers(self) -> bool:
        """Whether it answers now."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/api/v2/heartbeat")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def kill(self) -> None:
        """SIGKILL: it has no time to write anything."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self) -> None:
        """SIGTERM, as whoever stops it in order."""
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()
            self.process = None


def _find_port() -> int:
    """A free one, not of those that the system gives away by itself: the server shall have it again after a kill."""
    while True:
        port = random.SystemRandom().randint(20_001, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@dataclass(frozen=True)
class Asked:
    """One request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    seconds: float  # when, by time.monotonic()


class Network(LocalServer):
    """What stands before a server at `to`, while its `with` block lasts.

    always: the fault of every request, once `faults` are used up. delay_seconds: before anything is passed on.
    token: that is asked for, if any, as whatever guards a server does.
    """

    daemon_threads = True

    def __init__(
        self, to: str, *faults: Fault, always: Fault | None = None, delay_seconds: float = 0.0, token: str = ""
    ) -> None:
        super().__init__(_Handler)
        self.to = to.removeprefix("http://")
        self.faults = list(faults)
        self.always = always
        self.delay_seconds = delay_seconds
        self.token = token
        self.asked: list[Asked] = []
        self.closing = threading.Event()
        self._open: set[socket.socket] = set()

    @property
    def url(self) -> str:
        """What FOOTNOTE_CHROMA_URL is to be."""
        return f"http://127.0.0.1:{self.server_port}"

    def __exit__(self, *error: object) -> None:
        self.closing.set()
        self._hang_up()
        super().__exit__(*error)

    @contextmanager
    def down(self) -> Iterator[None]:
        """Hang up on everybody, and refuse every connection while the block lasts."""
        self.shutdown()
        self._thread.join()
        self.socket.close()
        self._hang_up()
        try:
            yield
        finally:
            self.socket = socket.create_server(self.server_address[:2])
            self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})
            self._thread.start()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember who is connected."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Forget who is not."""
        self._open.discard(request)
        super().shutdown_request(request)

    def _hang_up(self) -> None:
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Let a client that hung up go in peace."""


class _Handler(LocalHandler):
    server: Network
    body: bytes = b""
    wbufsize = -1  # head and body of a reply go out as one
    disable_nagle_algorithm = True

    def handle_request(self) -> None:
        """Do as is told, or pass on what is asked and what the server says."""
        network = self.server
        self.body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        network.asked.append(Asked(self.command, self.path, headers, self.body, time.monotonic()))
        if network.delay_seconds and network.closing.wait(network.delay_seconds):
            self.close_connection = True
        elif fault := network.faults.pop(0) if network.faults else network.always:
            fault(self)
        elif network.token and headers.get("authorization") != f"Bearer {network.token}":
            self.say({"error": "Unauthorized", "message": f"not {headers.get('authorization')}"}, 401)
        else:
            self.pass_on()
        with suppress(OSError):
            self.wfile.flush()

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = handle_request  # noqa: N815

    def fetch(self) -> tuple[int, str, bytes]:
        """What the server says: status, media type and body."""
        connection = http.client.HTTPConnection(self.server.to, timeout=120)
        try:
            kept = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
            connection.request(self.command, self.path, self.body, kept)
            reply = connection.getresponse()
            return reply.status, reply.headers.get("content-type", "application/json"), reply.read()
        finally:
            connection.close()

    def pass_on(self) -> None:
        """Ask the server, and say what it says; where it is gone, hang up."""
        try:
            status, kind, body = self.fetch()
        except (OSError, http.client.HTTPException):
            self.close_connection = True
            return
        self.send(kind, body, status)

    def say(self, answer: object, status: int = 200, headers: Sequence[tuple[str, str]] = ()) -> None:
        """Answer with JSON."""
        self.send("application/json", json.dumps(answer).encode(), status, headers)


Fault = Callable[[_Handler], None]


def refuse(status: int, words: str = "The server is busy.", headers: Sequence[tuple[str, str]] = ()) -> Fault:
    """An error as Chroma writes it."""
    return lambda handler: handler.say({"error": "InternalError", "message": words}, status, headers)


def refuse_with_page(status: int, headers: Sequence[tuple[str, str]] = ()) -> Fault:
    """An error as what stands before a server writes it."""
    page = b"<html><head><title>Bad Gateway</title></head><body>nginx</body></html>"
    return lambda handler: handler.send("text/html", page, status, headers)


def send(body: bytes, kind: str = "application/json", headers: Sequence[tuple[str, str]] = ()) -> Fault:
    """A reply that is what it likes."""
    return lambda handler: handler.send(kind, body, 200, headers)


def redirect(to: str, status: int = 307) -> Fault:
    """A redirect elsewhere."""
    return lambda handler: handler.send("text/plain", b"", status, [("location", to)])


def hang_up(handler: _Handler) -> None:
    """Close the connection without a word, and without having passed on what was asked."""
    handler.close_connection = True


def lose_reply(handler: _Handler) -> None:
    """Have the server do what is asked, and close the connection in the middle of what it says."""
    _, _, body = handler.fetch()
    handler.send_response(200)
    handler.send_header("content-type", "application/json")
    handler.send_header("content-length", str(len(body) + 1))
    handler.end_headers()
    handler.wfile.write(body[: len(body) // 2])
    handler.close_connection = True


def fall_silent(handler: _Handler) -> None:
    """Say nothing until the test is over."""
    handler.server.closing.wait()
    handler.close_connection = True


def pour(handler: _Handler) -> None:
    """A body of gigabytes."""
    _pour(handler, 200)


def pour_error(handler: _Handler) -> None:
    """An error of gigabytes."""
    _pour(handler, 500)


def _pour(handler: _Handler, status: int) -> None:
    handler.send_response(status)
    handler.send_header("content-type", "application/json")
    handler.send_header("transfer-encoding", "chunked")
    handler.end_headers()
    handler.close_connection = True
    part = b"0.123456789, " * 5000
    with suppress(OSError):
        while not handler.server.closing.is_set():
            handler.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
