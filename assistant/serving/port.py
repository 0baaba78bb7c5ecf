"""The port on which the chat listens, and its connections: none is held by who sends nothing."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from assistant.serving.guard import LOOPBACK
from index.errors import FootnoteError, InputError
from index.settings import shorten

IDLE_SECONDS = 10.0  # in which a request must have come whole, but for its body
STALLED_SECONDS = 20.0  # in which somebody must take some of what is sent
MOST_CONNECTIONS = 400  # then one that keeps us waiting is closed for each that comes


@dataclass(frozen=True, slots=True)
class Hosts:
    """By which names a server may be asked for: what stands in `Host`, without port.

    names: those, in small letters. takes_addresses: whether any address passes too. A page cannot take an address of
    its own for ours, as it can a name.
    """

    names: frozenset[str]
    takes_addresses: bool = False

    def __contains__(self, host: object) -> bool:
        return host in self.names or (self.takes_addresses and isinstance(host, str) and _to_address(host) is not None)


def is_loopback(address: str) -> bool:
    """Whether what listens at an address can be reached from this machine alone.

    Raises InputError where it is none.
    """
    found = _to_address("127.0.0.1" if address == "localhost" else address)
    if found is None:
        raise InputError(
            f"{shorten(address)} is no address: give one of this machine, like 192.168.1.7, or 0.0.0.0 for all."
        )
    return found.is_loopback


def find_hosts(address: str, names: Sequence[str] = ()) -> Hosts:
    """The names of a server that listens at an address, those that it is given besides among them.

    Raises InputError for what can be no name.
    """
    for name in names:
        if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?", name.lower()):
            raise InputError(f"{shorten(name)} is no name of a machine: give one without https:// and port.")
    given = frozenset(name.lower() for name in names) | LOOPBACK
    if is_loopback(address):
        return Hosts(given | {to_host(address)})
    machine = socket.gethostname().lower()
    return Hosts(given | {to_host(address), machine, f"{machine}.local"}, takes_addresses=True)


def to_host(address: str) -> str:
    """An address as it stands in a link."""
    return f"[{address}]" if ":" in address else address


def listen(port: int, address: str = "127.0.0.1") -> socket.socket:
    """A socket that listens at an address: on the port asked for, else the next free one.

    Raises InputError for an address that is none of this machine's, FootnoteError where no port is free.
    """
    is_loopback(address)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for candidate in (*range(port, min(port + 100, 65536)), 0):
        listening = socket.socket(family)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, address != "::")
        try:
            listening.bind((address, candidate))
        except OSError as error:
            listening.close()
            if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                raise InputError(
                    f"{address} is no address of this machine: give one that is, or 0.0.0.0 for all."
                ) from error
            continue
        listening.listen(128)
        return listening
    raise FootnoteError(f"No port on {address} is free: close another program, or choose one with --port.")


def serve(app: Any, listening: socket.socket) -> None:
    """Serve an application until it is stopped."""
    config = uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        log_level="warning",
        log_config=None,  # whoever observes the server writes it
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


def _to_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    is_bracketed = host.startswith("[") and host.endswith("]")
    try:
        return ipaddress.IPv6Address(host[1:-1]) if is_bracketed else ipaddress.ip_address(host)
    except ValueError:
        return None
