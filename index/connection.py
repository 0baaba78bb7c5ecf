"""A connection to a model's server that ends: in time, in size, and with the one who asked.

But: the time is looked at when something comes; how long nothing may come is the timeout's to say.
"""

from __future__ import annotations

import math
import os
import random
import ssl
import time
from collections.abc import Iterator, Mapping
from email.utils import parsedate_to_datetime
from functools import cache

import httpx

from index.errors import ModelError

LONGEST_CONNECT_SECONDS = 5.0
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.5, 20.0  # before a busy server is asked again
LONGEST_REPLY_BYTES = 16_000_000  # some 60,000 deltas


class EndlessReplyError(httpx.TransportError):
    """The server sent more, or for longer, than any answer takes."""


class Connection(httpx.Client):
    """said_done: whether the last reply came to the protocol's own end, "[DONE]"."""

    said_done = False


def connect(
    base_url: str | None, silent_seconds: float, total_seconds: float, most_bytes: int | None = None
) -> Connection:
    """A connection that gives up after so many seconds of silence, or so many in all.

    most_bytes: of a reply; LONGEST_REPLY_BYTES by default.

    It follows no redirect, or texts would go where no setting says.
    Raises httpx.InvalidURL where it is no address of a server, ModelError where the environment's proxy or certificates
    cannot be used, and EndlessReplyError while reading what goes on for longer, or is larger than `most_bytes`.
    """

    def bound(response: httpx.Response) -> None:
        if isinstance(response.stream, httpx.SyncByteStream):
            response.stream = _Bounded(
                response.stream, time.monotonic() + total_seconds, most_bytes or LONGEST_REPLY_BYTES, connection
            )

    timeout = httpx.Timeout(silent_seconds, connect=min(silent_seconds, LONGEST_CONNECT_SECONDS))
    address = _read_address(base_url) if base_url else httpx.URL("")
    try:
        connection = Connection(
            timeout=timeout,
            verify=_load_certificates(*map(os.environ.get, ("SSL_CERT_FILE", "SSL_CERT_DIR"))),
            follow_redirects=False,
            event_hooks={"response": [bound]},
            # Beside the address, not in it: httpx logs the addresses that it asks.
            auth=(address.username, address.password) if address.userinfo else None,
        )
    except (httpx.InvalidURL, ValueError, ImportError, OSError) as error:
        # Not its message, which may hold a proxy's password.
        raise ModelError(
            f"No connection can be made with the proxy or certificates of the environment ({type(error).__name__}): "
            "check HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY, SSL_CERT_FILE and SSL_CERT_DIR."
        ) from None
    return connection


@cache
def _load_certificates(file: str | None, folder: str | None) -> ssl.SSLContext:
    """What servers prove who they are by, from where the environment's variables say; to read it takes 100 ms."""
    return httpx.create_ssl_context()


def choose_wait(attempt: int, asked: float | None = None) -> float | None:
    """The seconds after which to ask again, None where they are too many. asked: those that the server asks for."""
    # Chance keeps clients from asking again all at once; nobody gains by foreseeing it.
    spread = random.uniform(0.0, 1.0)  # noqa: S311
    if asked is None:
        return FIRST_WAIT_SECONDS * 2.0 ** (attempt - 1) * (1 - spread / 2)
    return asked * (1 + spread / 10) if asked <= LONGEST_WAIT_SECONDS else None


def read_wait(headers: Mapping[str, str]) -> float | None:
    """The seconds to wait that a Retry-After header tells, as a number or as a date."""
    told = headers.get("retry-after", "")
    try:
        seconds = float(told)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(told).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return None
    return None if math.isnan(seconds) else max(0.0, seconds)


def _read_address(text: str) -> httpx.URL:
    address = httpx.URL(text)
    try:
        is_server = address.scheme in ("http", "https") and address.host and (address.port or 0) < 65_536
    except ValueError:  # what the names of hosts are decoded with raises its own
        is_server = False
    if not is_server:
        raise httpx.InvalidURL("no server's address")
    return address


class _Bounded(httpx.SyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream, end: float, most_bytes: int, connection: Connection) -> None:
        self._stream = stream
        self._end = end
        self._most_bytes = most_bytes
        self._connection = connection

    def __iter__(self) -> Iterator[bytes]:
        size, tail = 0, b""
        self._connection.said_done = False
        for part in self._stream:
            size += len(part)
            tail = (tail + part)[-40:]
            self._connection.said_done = b"[DONE]" in tail
            if size > self._most_bytes or time.monotonic() > self._end:
                raise EndlessReplyError("The reply has no end.")
            yield part

    def close(self) -> None:
        self._stream.close()
