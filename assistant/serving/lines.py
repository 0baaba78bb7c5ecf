"""Messages of JSON-RPC as they come in by lines, and what is answered where a line is none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from typing import BinaryIO

from mcp.types import (
    INVALID_REQUEST,
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCNotification,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError
from pydantic_core import from_json

from assistant.serving.escapes import mend_escapes

LONGEST_LINE_BYTES = 1_000_000
_AT_ONCE_BYTES = 64 * 1024  # that are read of the rest of a line that is too long

Refuse = Callable[[JSONRPCError], Awaitable[None]]


class Lines:
    """The lines of a stream that are messages, to be gone through once. refuse: is given the answer to each other."""

    def __init__(self, stream: BinaryIO, refuse: Refuse) -> None:
        self._stream = stream
        self._refuse = refuse

    async def __aiter__(self) -> AsyncIterator[str]:
        from anyio import to_thread

        while line := await to_thread.run_sync(self._read_line):
            refusal = check_line(line)
            if refusal:
                await self._refuse(refusal)
            elif line.strip():
                yield _decode(line)

    def _read_line(self) -> bytes:
        """The next line; of one that is too long its beginning. Empty at the end."""
        line = rest = self._stream.readline(LONGEST_LINE_BYTES + 1)
        while len(line) > LONGEST_LINE_BYTES and rest and not rest.endswith(b"\n"):
            rest = self._stream.readline(_AT_ONCE_BYTES)
        return line


def check_line(line: bytes) -> JSONRPCError | None:
    """What is answered to a line that is no message; None where it is one, or blank."""
    if len(line) > LONGEST_LINE_BYTES:
        return _refuse(INVALID_REQUEST, f"The message is larger than {LONGEST_LINE_BYTES:,} bytes: send less.")
    if not line.strip():
        return None
    text = _decode(line)
    try:
        given = from_json(text)
    except ValueError:
        return _refuse(PARSE_ERROR, "The line is no JSON: send each message as one line of JSON.")
    with suppress(ValidationError):
        message = jsonrpc_message_adapter.validate_json(text, by_name=False)
        # What has an id that is none is taken for a message without one, which nobody answers.
        if not isinstance(message, JSONRPCNotification) or "id" not in given:
            return None
    sentence = (
        "This is no message of JSON-RPC 2.0: send each by itself, with “jsonrpc”, “method” and, to be answered, “id”."
    )
    asked = given.get("id") if isinstance(given, dict) and "method" in given else None
    return _refuse(INVALID_REQUEST, sentence, asked if isinstance(asked, str) or type(asked) is int else None)


def _refuse(code: int, sentence: str, asked: int | str | None = None) -> JSONRPCError:
    return JSONRPCError(jsonrpc="2.0", id=asked, error=ErrorData(code=code, message=sentence))


def _decode(line: bytes) -> str:
    return mend_escapes(line).decode(errors="replace")
