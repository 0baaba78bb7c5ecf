"""JSON and server-sent events as they go over the wire: one line each, whatever program cuts them into lines."""

from __future__ import annotations

import json
from typing import Any

Fields = dict[str, Any]

KEEP_ALIVE = ": the answer is being worked on\n\n"
DONE = "data: [DONE]\n\n"

# JSON leaves them as they are, and some clients end a line there.
_LINE_ENDS = {ord(character): f"\\u{ord(character):04x}" for character in "\x85\u2028\u2029"}


def write_json(fields: Fields) -> str:
    """The fields in one line, with "?" for half a character, which nothing can encode."""
    written = json.dumps(fields, ensure_ascii=False).translate(_LINE_ENDS)
    return written.encode(errors="replace").decode()


def write_event(fields: Fields, name: str = "") -> str:
    """A server-sent event, of a name where it has one."""
    return f"event: {name}\ndata: {write_json(fields)}\n\n" if name else f"data: {write_json(fields)}\n\n"
