"""The port on which the chat listens, and its connections: none is held by who sends nothing."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from index.errors import FootnoteError

IDLE_SECONDS = 10.0  # in which a request must have come whole, but for its body
MOST_CONNECTIONS = 400  # then those that ask nothing are closed, the oldest first


def listen(port: int) -> socket.socket:
    """A socket that listens on 127.0.0.1: on the port asked for, else the next free one.

    Raises FootnoteError where none is free.
    """
    for candidate in (*range(port, min(port + 100, 65536)), 0):
        listening = socket.socket()
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(("127.0.0.1", candidate))
        except OSError:
            listening.close()
            continue
        listening.listen(128)
        return listening
    raise FootnoteError("No port on 127.0.0.1 is free: close another program, or choose one with --port.")


def serve(app: Any, listening: socket.socket) -> None:
    """Serve an application until it is stopped."""
    config = uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        log_level="warning",
        proxy_headers=False,  # an address that a client gives itself is none
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    uvicorn.Server(config).run(sockets=[listening])


class Connection(H11Protocol):
    """One connection. It is closed where no whole request has come for a while, or where there are too many."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request; where there are too many connections, one that does the same goes."""
        super().connection_made(transport)
        self._patience = self.loop.call_later(IDLE_SECONDS, self._close_if_idle)
        self._idle_since = self.loop.time()
        if len(self.connections) > MOST_CONNECTIONS:
            idle = [other for other in self.connections if isinstance(other, Connection) and other.is_idle()]
            min(idle, key=lambda other: other._idle_since).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._patience.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        self._patience.cancel()
        self._patience = self.loop.call_later(IDLE_SECONDS, self._close_if_idle)
        self._idle_since = self.loop.time()
        super().on_response_complete()

    def is_idle(self) -> bool:
        """Whether no request is under way."""
        return self.conn.their_state is h11.IDLE

    def _close_if_idle(self) -> None:
        if self.is_idle():
            self.transport.close()
