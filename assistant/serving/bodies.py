"""The body of a request: read whole, or handed on as it comes, and bounded in size and time either way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from assistant.serving.limits import RefusedError

BODY_SECONDS = 10.0  # in which a body that is read whole must have come
STALLED_SECONDS = 20.0  # in which some of one that is handed on must come
SLOWEST_BYTES_PER_SECOND = 2000  # of one that is handed on, on average, when the first seconds are over

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


def carries_body(headers: Mapping[str, str]) -> bool:
    """Whether a request has a body, by its headers."""
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


async def read_body(headers: Mapping[str, str], receive: Receive, most_bytes: int) -> bytes:
    """The whole body.

    Raises RefusedError where it is larger, or does not come in time.
    """
    check_length(headers, most_bytes)
    pieces, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise RefusedError(400, "The request did not come whole.")
                pieces.append(bytes(message.get("body", b"")))
                size += len(pieces[-1])
                if size > most_bytes:
                    raise _too_large(most_bytes)
                if not message.get("more_body"):
                    return b"".join(pieces)
    except TimeoutError:
        raise RefusedError(408, f"The request did not come whole within {BODY_SECONDS:.0f} seconds.") from None


def replay(body: bytes, receive: Receive) -> Receive:
    """The body once more, for whoever is behind the guard."""
    is_read = False

    async def receive_again() -> Message:
        nonlocal is_read
        if is_read:
            return await receive()
        is_read = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


class Flow:
    """A body that is handed on as it comes. Who is behind the guard sees one that breaks off where it is refused."""

    def __init__(self, headers: Mapping[str, str], receive: Receive, most_bytes: int) -> None:
        """Begin to hand on.

        Raises RefusedError where the body says that it is larger.
        """
        check_length(headers, most_bytes)
        self.refusal: RefusedError | None = None
        self._receive = receive
        self._most_bytes = most_bytes
        self._bytes = 0
        self._seconds = 0.0  # that were waited
        self._is_whole = False

    async def receive(self) -> Message:
        """The next piece."""
        if self._is_whole:
            return await self._receive()
        if self.refusal is None:
            try:
                return await self._receive_piece()
            except RefusedError as refusal:
                self.refusal = refusal
        return {"type": "http.disconnect"}

    async def _receive_piece(self) -> Message:
        clock = asyncio.get_running_loop().time
        began = clock()
        # What keeps us from asking for more is not the sender's time.
        left = STALLED_SECONDS + self._bytes / SLOWEST_BYTES_PER_SECOND - self._seconds
        try:
            async with asyncio.timeout(min(STALLED_SECONDS, max(left, 0.0))):
                message = await self._receive()
        except TimeoutError:
            raise RefusedError(408, "The file comes too slowly: try again over a better connection.") from None
        finally:
            self._seconds += clock() - began
        self._bytes += len(message.get("body", b""))
        if self._bytes > self._most_bytes:
            raise _too_large(self._most_bytes)
        self._is_whole = message["type"] == "http.disconnect" or not message.get("more_body")
        return message


def check_length(headers: Mapping[str, str], most_bytes: int) -> None:
    """Refuse a body that says that it is larger."""
    declared = headers.get("content-length", "0")
    if not (declared.isascii() and declared.isdecimal()) or len(declared) > 15 or int(declared) > most_bytes:
        raise _too_large(most_bytes)


def _too_large(most_bytes: int) -> RefusedError:
    return RefusedError(413, f"The request is larger than {most_bytes:,} bytes: send less.")
