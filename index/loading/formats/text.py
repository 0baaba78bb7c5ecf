"""Plain text, Markdown and source code: the decoded file itself, line ends included."""

from __future__ import annotations

import codecs
import re
from datetime import datetime
from itertools import islice

from index.loading.formats import Extract, UnreadableError
from index.loading.formats.blocks import AUTHOR
from index.loading.formats.encodings import find_old_encoding
from index.loading.formats.fields import is_nameless
from index.splitting.blocks import SECTION_LEVEL, Block, find_blocks

# Longest first: the mark of UTF-32 begins with that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# What Python calls encodings and no text is written in: slow by the square of the length, or escapes.
_NO_ENCODINGS = {"punycode", "idna", "undefined", "unicode-escape", "raw-unicode-escape"}
_GUESSED_BYTES = 1_000_000  # an encoding is guessed from no more than this
_SHORTEST_UNMARKED = 32  # bytes of UTF-16 or UTF-32 without a mark that are enough to know it by
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")  # hardly in a text
_ORDINARY = re.compile(r"[^\x00-\x7f\ufffd]")  # what UTF-8 writes in several bytes, and rightly


def read_text(content: bytes) -> Extract:
    """The decoded file; offsets are the file's own."""
    text = decode(content)
    return Extract(text, unread=say_broken(count_broken(content, text)))


def decode(content: bytes) -> str:
    """The text of a file's bytes: by its byte order mark, else UTF-8, else the likeliest old encoding.

    Line ends and a leading mark stay, so that offsets are those of the decoded file. A few broken characters
    become U+FFFD.
    Raises UnreadableError where the bytes are no text.
    """
    encoding = find_encoding(content) or "utf-8"
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        text = _mend(content, encoding)
    if "\x00" in text:
        raise UnreadableError("binary")
    return text


def decode_as(content: bytes, encoding: str) -> str:
    """The text of some bytes, in the encoding that whoever wrote them declares.

    Raises LookupError where that is no encoding of texts, ValueError where it is not theirs.
    """
    if codecs.lookup(encoding).name.replace("_", "-") in _NO_ENCODINGS:
        raise LookupError(encoding)
    text = content.decode(encoding)
    text.encode()  # UTF-7 can say half a character
    return text


def count_broken(content: bytes, text: str) -> int:
    """How many characters of a decoded text stand for what could not be decoded; some may be the file's own."""
    broken = text.count("\ufffd")
    return broken and max(0, broken - content.count("\ufffd".encode(find_encoding(content) or "utf-8")))


def say_broken(count: int) -> str:
    """The same for people; empty where there are none."""
    return f"{count:,} broken character{'s' * (count > 1)}" if count else ""


def find_encoding(content: bytes) -> str | None:
    """The encoding of UTF-16 and UTF-32 by their mark or by where their zeros stand; None for any other."""
    for mark, name in _MARKS:
        if content.startswith(mark):
            return name
    sample = content[:4096]
    if b"\x00" not in sample or len(sample) < _SHORTEST_UNMARKED:
        return None
    # Zero in every fourth place or at least most of every second: wide characters of a script below U+0100.
    columns = [sample[place::4].count(0) / len(sample[place::4]) for place in range(4)]
    for zeros, name in (
        ((0, 1, 1, 1), "utf-32-le"),
        ((1, 1, 1, 0), "utf-32-be"),
        ((0, 1, 0, 1), "utf-16-le"),
        ((1, 0, 1, 0), "utf-16-be"),
    ):
        if all(part > 0.7 if zero else part < 0.02 for part, zero in zip(columns, zeros, strict=True)):
            return name
    return None


def _mend(content: bytes, encoding: str) -> str:
    """The text of bytes that are not quite what they seem to be."""
    if encoding == "utf-8":
        try:
            # Halves of characters, as some databases export them: the halves that match are joined.
            halves = content.decode(encoding, "surrogatepass")
            return halves.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        except UnicodeDecodeError:
            pass
    text = content.decode(encoding, "replace")
    ordinary = _ORDINARY if encoding == "utf-8" else re.compile(r"[^\ufffd]")
    good, broken = len(ordinary.findall(text[:_GUESSED_BYTES])), text[:_GUESSED_BYTES].count("\ufffd")
    # In the middle of its last character.
    is_cut = encoding == "utf-8" and good and text.find("\ufffd") == len(text) - 1
    # Hardly any of it broken, or said to be so: a slip in this encoding, rather than another encoding.
    if good > 8 * broken or is_cut or content.startswith(codecs.BOM_UTF8):
        return text
    return _guess(content)


def _guess(content: bytes) -> str:
    if b"\x00" in content:
        raise UnreadableError("binary")
    sample = content[:_GUESSED_BYTES]
    if len(sample) < len(content):
        sample = sample[: sample.rfind(b"\n") + 1] or sample
    # Decoded afresh: the library's own rendering may change the text that offsets point into.
    return content.decode(guess_encoding(sample), "strict" if len(sample) == len(content) else "replace")


def guess_encoding(sample: bytes, is_cut: bool = False) -> str:
    """The likeliest old encoding of some text. Raises UnreadableError where the bytes look like none.

    is_cut: whether the sample may end within a character.
    """
    if not _CONTROL.search(sample) and (encoding := find_old_encoding(sample, is_cut)):
        return encoding
    from charset_normalizer import from_bytes

    best = from_bytes(sample).best()
    if best is None:
        raise UnreadableError("binary")
    return best.encoding


_FRONT_MATTER = re.compile(r"\ufeff?---[ \t\r]*\n(.*?)\n---[ \t\r]*(?:\n|$)", re.DOTALL)
_DATE_LINE = re.compile(
    r"(?:(?:date|published|updated)(?: on)?:?\s*)?"
    r"(?P<date>\d{4}-\d{2}-\d{2}|\d{1,2}\.? [A-Za-z]{3,9}\.? \d{4}|[A-Za-z]{3,9}\.? \d{1,2}, \d{4})(?:[T ,].{0,30})?",
    re.IGNORECASE,
)
_AMOUNT = re.compile(r"\d[.,]\d\d$")
_DATE_FORMATS = ("%Y-%m-%d", "%d %B %Y", "%d %b %Y", "%B %d %Y", "%b %d %Y")


def find_title_and_date(text: str) -> tuple[str | None, str | None]:
    """What the first lines of a text say of its title and date (ISO 8601); None where they are silent."""
    title = date = None
    front_matter = _FRONT_MATTER.match(text)
    if front_matter:
        fields = dict(line.split(":", 1) for line in front_matter[1].splitlines() if ":" in line)
        title = fields.get("title", "").strip().strip("\"'")
        title = None if not title or is_nameless(title) else title
        date = _read_date(fields.get("date", "").strip().strip("\"'"))
    body = text[front_matter.end() :] if front_matter else text
    blocks = [(block, body[block.start : block.end]) for block in islice(find_blocks(body[:4000]), 6)]
    # The author's line is a reader's own, of the file's fields.
    blocks = [(block, line) for block, line in blocks if not (block.form == "item" and line.startswith(AUTHOR))]
    blocks = [(block, line) for block, line in blocks if block.form != "furniture"]
    named = [(block, line) for block, line in blocks if not is_nameless(line)]
    for number, (block, line) in enumerate(named):
        date = date or _read_date(line)
        # The first line is the title where it is short, no sentence and of no log, table or code; a marked heading is.
        is_first = number == 0 and block.form not in ("line", "row", "columns", "field", "code")
        if not title and (
            (block.form == "heading" and block.level <= SECTION_LEVEL)
            or (is_first and len(line) <= 150 and not _is_text(body, *named[:2]))
        ):
            title = None if _read_date(line) else " ".join(line.split())
    return title, date


def _is_text(body: str, first: tuple[Block, str], second: tuple[Block, str] | None = None) -> bool:
    """Whether the first block is a statement, or an entry of a list, a form or a bill, rather than a title."""
    lines = [line.rstrip() for line in first[1].splitlines()]
    if any(line.endswith((".", ";", ",", ":")) or (": " in line and len(lines) > 1) for line in lines):
        return True
    if first[1].startswith(("Q:", "Question:")):
        return True
    if second is None or body[first[0].end : second[0].start].count("\n") != 1:
        return False
    return all(block.form == "item" or ": " in line or _AMOUNT.search(line) for block, line in (first, second))


def _read_date(line: str) -> str | None:
    match = _DATE_LINE.fullmatch(line)
    plain = re.sub(r"[.,]", "", match["date"]) if match else ""
    for form in _DATE_FORMATS:
        try:
            return datetime.strptime(plain, form).date().isoformat()
        except ValueError:
            continue
    return None
