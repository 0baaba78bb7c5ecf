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
STALLED_SECONDS = 20.0  # in which somebody must take some of what is sent
MOST_CONNECTIONS = 400  # then one that keeps us waiting is closed for each that comes


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
    """One connection. It is closed where it keeps us waiting: for a request, for its body, or to be read from."""

    _is_stalled = False
    _since = 0.0  # when we began to wait
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request; where there are too many connections, another that keeps us waiting goes."""
        super().connection_made(transport)
        self._wait(IDLE_SECONDS)
        if len(self.connections) > MOST_CONNECTIONS:
            others = [other for other in self.connections if isinstance(other, Connection) and other is not self]
            waiting = [other for other in others if other._keeps_waiting()]
            min(waiting or [self], key=lambda other: other._since).transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        if self._patience:
            self._patience.cancel()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        """Begin to wait for the next request."""
        self._wait(IDLE_SECONDS)
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Begin to wait for somebody to take what was sent."""
        self._is_stalled = True
        self._wait(STALLED_SECONDS)
        super().pause_writing()

    def resume_writing(self) -> None:
        """Somebody does."""
        self._is_stalled = False
        super().resume_writing()

    def _wait(self, seconds: float) -> None:
        if self._patience:
            self._patience.cancel()
        self._since = self.loop.time()
        self._patience = self.loop.call_later(seconds, self._give_up)

    def _give_up(self) -> None:
        if self._is_stalled or self.conn.their_state is h11.IDLE:
            self.transport.abort()

    def _keeps_waiting(self) -> bool:
        """Whether it is our turn to wait; it is not while an answer is made or followed."""
        return self._is_stalled or self.conn.their_state in (h11.IDLE, h11.SEND_BODY)

    def _should_upgrade(self) -> bool:
        return False  # nothing here speaks another protocol
