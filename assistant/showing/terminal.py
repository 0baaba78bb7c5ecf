"""Text for a terminal."""

from __future__ import annotations


def to_plain(text: str, *, keep_lines: bool = False) -> str:
    """The text without control characters, so that no document or file name can drive the terminal."""
    return "".join(c if c.isprintable() or (keep_lines and c == "\n") else "\ufffd" for c in text)
