"""A real server of S3's protocol (moto's), in a process of its own; and a way to it that can be slow, and be cut."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from contextlib import suppress

# Nobody checks it, but what is another's may not be written without.
_SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
}


class S3Server:
    """The server. What is put and deleted is asked for by plain HTTP, so that a name can be whatever it likes."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            self.port: int = taken.getsockname()[1]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(600):
            with suppress(OSError):
                self.ask("GET", "/moto-api/data.json")
                return
            time.sleep(0.1)
        raise TimeoutError("moto does not answer")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers or _SIGNED)
            reply = connection.getresponse()
            content = reply.read()
        finally:
            connection.close()
        assert reply.status < 300, (method, path, reply.status, content)
        return content

    def reset(self) -> None:
        self.ask("POST", "/moto-api/reset-auth", b"1000000")
        self.ask("POST", "/moto-api/reset")

    def make(self, bucket: str, **objects: str | bytes) -> None:
        self.ask("PUT", f"/{bucket}")
        for key, content in objects.items():
            self.put(bucket, key, content)

    def put(self, bucket: str, key: str, content: str | bytes) -> None:
        body = content.encode() if isinstance(content, str) else content
        self.ask("PUT", f"/{bucket}/{urllib.parse.quote(key, safe='/')}", body)

    def delete(self, bucket: str, key: str) -> None:
        self.ask("DELETE", f"/{bucket}/{urllib.parse.quote(key, safe='/')}")

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(30)


class Way:
    """A port that leads to a server.

    pause_seconds: after each piece that the server sends. left_bytes: what the server may still send, after which every
    connection is cut and none is taken any more. breaks_at: the same, but for one connection, once. gets: what was got.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.pause_seconds = 0.0
        self.left_bytes = sys.maxsize
        self.breaks_at = sys.maxsize
        self.gets: list[str] = []
        self._open: list[socket.socket] = []
        threading.Thread(target=self._take, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self.left_bytes = 0
        for one in [self._listener, *self._open]:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _take(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._to))
                self._open += [client, server]
                threading.Thread(target=self._ask, args=(client, server), daemon=True).start()
                threading.Thread(target=self._answer, args=(server, client), daemon=True).start()

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while piece := client.recv(65_536):
                if piece.startswith(b"GET "):
                    self.gets.append(piece.split(b" ", 2)[1].decode())
                server.sendall(piece)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while piece := server.recv(16_384):
                self.left_bytes -= len(piece)
                if self.left_bytes < 0:
                    self.close()
                    return
                self.breaks_at -= len(piece)
                if self.breaks_at < 0:
                    self.breaks_at = sys.maxsize
                    break
                client.sendall(piece)
                time.sleep(self.pause_seconds)
        for one in (server, client):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
