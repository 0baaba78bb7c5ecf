"""A file becomes a Document: its text, title and date.

Plain text and Markdown are read as they are: the canonical text is the decoded file, line ends
included, so that offsets can be checked against the file itself.
"""

from __future__ import annotations

import codecs
import hashlib
import re
from datetime import datetime
from pathlib import Path

from index.documents import Document, identify
from index.sentences import find_blocks

SUFFIXES = frozenset({".txt", ".md", ".markdown", ".text"})

# Longest first: the mark of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class UnreadableError(Exception):
    """A file that cannot be indexed; the message says why. It never stops its neighbours."""


def load(file: Path, path: str) -> Document:
    """Load one file; `path` is its name relative to the documents folder.

    Raises UnreadableError where the file is empty, binary or not to be opened.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UnreadableError(f"cannot be read ({error.strerror or error})") from error
    text = decode(content)
    if not any(character.isalnum() for character in text):
        raise UnreadableError("empty" if not text.strip("\ufeff \t\r\n") else "no text")
    title, date = find_title_and_date(text)
    return Document(
        id=identify(path),
        path=path,
        title=title or Path(path).stem,
        date=date,
        text=text,
        pages=(),
        content_hash=hashlib.sha256(content).hexdigest(),
    )


def decode(content: bytes) -> str:
    """The text of a file's bytes: by its byte order mark, else UTF-8, else the likeliest old encoding.

    Line ends and a leading mark stay, so that offsets are those of the decoded file.
    Raises UnreadableError where the bytes are no text.
    """
    encoding = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    try:
        text = content.decode(encoding or "utf-8")
    except UnicodeDecodeError:
        text = _guess(content)
    if "\x00" in text:
        raise UnreadableError("binary")
    return text


def _guess(content: bytes) -> str:
    if b"\x00" in content:
        raise UnreadableError("binary")
    from charset_normalizer import from_bytes

    best = from_bytes(content).best()
    if best is None:
        raise UnreadableError("binary")
    # Decoded afresh: the library's own rendering may change the text that offsets point into.
    return content.decode(best.encoding)


_FRONT_MATTER = re.compile(r"\ufeff?---[ \t\r]*\n(.*?)\n---[ \t\r]*(?:\n|$)", re.DOTALL)
_DATE_LINE = re.compile(
    r"(?:(?:date|published|updated)(?: on)?:?\s*)?"
    r"(?P<date>\d{4}-\d{2}-\d{2}|\d{1,2}\.? [A-Za-z]{3,9}\.? \d{4}|[A-Za-z]{3,9}\.? \d{1,2}, \d{4})(?:[T ,].{0,30})?",
    re.IGNORECASE,
)
_DATE_FORMATS = ("%Y-%m-%d", "%d %B %Y", "%d %b %Y", "%B %d %Y", "%b %d %Y")


def find_title_and_date(text: str) -> tuple[str | None, str | None]:
    """What the first lines of a text say of its title and date (ISO 8601); None where they are silent."""
    title = date = None
    front_matter = _FRONT_MATTER.match(text)
    if front_matter:
        fields = dict(line.split(":", 1) for line in front_matter[1].splitlines() if ":" in line)
        title = fields.get("title", "").strip().strip("\"'") or None
        date = _read_date(fields.get("date", "").strip().strip("\"'"))
    body = text[front_matter.end() :] if front_matter else text
    for number, block in enumerate(find_blocks(body[:4000])):
        line = body[block.start : block.end]
        date = date or _read_date(line)
        # The first line is the title where it is short and no sentence; a Markdown heading always is.
        if not title and (
            block.marked or (number == 0 and len(line) <= 150 and not line.endswith((".", ";", ",", ":")))
        ):
            title = None if _read_date(line) else " ".join(line.split())
        if number == 5:
            break
    return title, date


def _read_date(line: str) -> str | None:
    match = _DATE_LINE.fullmatch(line)
    plain = re.sub(r"[.,]", "", match["date"]) if match else ""
    for form in _DATE_FORMATS:
        try:
            return datetime.strptime(plain, form).date().isoformat()
        except ValueError:
            continue
    return None
