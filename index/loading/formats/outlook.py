"""Outlook messages (.msg): who, when, subject, and the text that a reader sees; attachments as those of an e-mail.

A message is a folder of Microsoft's compound file, with a file for each property that is longer than a number, and
with folders for its recipients and attachments, which may be messages again. Source: [MS-OXMSG], [MS-OXRTFCP].
"""

from __future__ import annotations

import io
import mimetypes
import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from index.loading.formats import MEGABYTE, Extract, UnreadableError
from index.loading.formats.blocks import Blocks
from index.loading.formats.enclosed import Enclosed
from index.loading.formats.mail import DEEPEST, add_attachment, find_date, parse_message, read_field
from index.loading.formats.text import decode

_LARGEST_BYTES = 64 * MEGABYTE  # of one property
_MOST_RECIPIENTS = 1_000
_PROPERTIES = "__properties_version1.0"

# Identifiers of properties, in the order in which they are looked for.
_SUBJECT = ("0037",)
_SENDER_NAMES, _SENDER_ADDRESSES = ("0042", "0c1a"), ("5d02", "5d01", "0065", "0c1f")
_NAMES, _ADDRESSES = ("3001",), ("39fe", "3003")
_TO, _CC = ("0e04",), ("0e03",)
_FILE_NAMES = ("3707", "3704", "3001")
_KIND = ("370e",)
_HEADERS = ("007d",)
_CLASS = ("001a",)
_BODY, _HTML, _RICH = "1000", "1013", "1009"
_TIMES = (0x0039, 0x0E06, 0x3007)  # sent, delivered, made
_CODE_PAGES = (0x3FFD, 0x3FDE)
_RECIPIENT_KIND = 0x0C15
_DATA, _MESSAGE = "__substg1.0_37010102", "__substg1.0_3701000d"

# What every compressed rich text begins to refer to.
_DICTIONARY = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript \fdecor "
    rb"MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)


def read_outlook(content: bytes) -> Extract:
    """The message. Raises UnreadableError: "damaged", "encrypted"."""
    import olefile

    try:
        container = olefile.OleFileIO(io.BytesIO(content))
        message = _Folder(container, container.root, 32)
        blocks, enclosed = Blocks(), Enclosed()
        _read_message(message, blocks, 1, enclosed)
        headers = message.read_headers()
        date = find_date(headers)
        if date is None and (moment := message.find_time()):
            date = moment.date().isoformat()
    except (OSError, ValueError, IndexError, KeyError, AttributeError, struct.error) as error:
        raise UnreadableError("damaged") from error
    title = " ".join(message.read_text(*_SUBJECT).split())
    return Extract(blocks.text, title or None, date, unread=blocks.unread, enclosed=enclosed.files)


class _Folder:
    """A folder of the container that holds the properties of something: a message, a recipient, an attachment.

    head_bytes: of its table of numbers, before the first of them.
    """

    def __init__(self, container: Any, entry: Any, head_bytes: int, code_page: str = "") -> None:
        self._container = container
        self._entries = {str(kid.name).lower(): kid for kid in entry.kids}
        self._numbers: dict[int, bytes] = {}
        table = self.read(_PROPERTIES)
        for place in range(head_bytes, len(table) - 15, 16):
            _, number, _, value = struct.unpack_from("<HHI8s", table, place)
            self._numbers[number] = value
        # What lies in a message is written as the message is.
        self.code_page = code_page
        for number in _CODE_PAGES:
            page = self.number(number)
            if page and not self.code_page:
                self.code_page = "utf-8" if page == 65001 else f"cp{page}"

    def folders(self, prefix: str, head_bytes: int) -> Iterator[_Folder]:
        """The folders in it whose names begin so, in order."""
        for name in sorted(self._entries):
            if name.startswith(prefix) and self._entries[name].kids:
                yield _Folder(self._container, self._entries[name], head_bytes, self.code_page)

    def message(self) -> _Folder | None:
        """The message that an attachment is, where it is one."""
        entry = self._entries.get(_MESSAGE)
        inner = _Folder(self._container, entry, 24, self.code_page) if entry and entry.kids else None
        return inner if inner and inner.has(_PROPERTIES) else None

    def has(self, name: str) -> bool:
        """Whether it holds something of a name."""
        return name in self._entries

    def read(self, name: str) -> bytes:
        """A file in it; empty where there is none. Raises UnreadableError: "too large"."""
        entry = self._entries.get(name)
        if entry is None or entry.entry_type != 2:  # a stream
            return b""
        if entry.size > _LARGEST_BYTES:
            raise UnreadableError("too large")
        # By its entry: by its path, each would be looked for among all.
        return bytes(self._container._open(entry.isectStart, entry.size).read())

    def read_bytes(self, identifier: str) -> bytes:
        """A property that is bytes."""
        return self.read(f"__substg1.0_{identifier}0102")

    def read_text(self, *identifiers: str) -> str:
        """The first property that is a text and is not empty; "" where none is."""
        for identifier in identifiers:
            text = self.read(f"__substg1.0_{identifier}001f").decode("utf-16-le", "replace")
            text = (text or self.decode(self.read(f"__substg1.0_{identifier}001e"))).rstrip("\0")
            if text.strip():
                return text
        return ""

    def decode(self, content: bytes) -> str:
        """Bytes in the message's encoding, where it says one that is right."""
        with suppress(LookupError, ValueError):
            return content.decode(self.code_page or "ascii")
        with suppress(UnreadableError):
            return decode(content)
        return content.decode("cp1252", "replace")

    def number(self, number: int) -> int:
        """A property that is a whole number; 0 where there is none."""
        return int.from_bytes(self._numbers.get(number, b"")[:4], "little")

    def find_time(self) -> datetime | None:
        """When the message was sent, or else came or was made."""
        for number in _TIMES:
            ticks = int.from_bytes(self._numbers.get(number, b""), "little")  # of 100 ns, since 1601
            with suppress(OverflowError):
                moment = datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=ticks // 10)
                if moment.year > 1980:
                    return moment
        return None

    def read_headers(self) -> EmailMessage:
        """The header that the message came with, which one that was never sent has not."""
        return parse_message(self.read_text(*_HEADERS).encode("utf-8", "replace"))


def _read_message(message: _Folder, blocks: Blocks, depth: int, enclosed: Enclosed) -> None:
    kind = message.read_text(*_CLASS).lower()
    if kind.startswith(("ipm.note.smime", "ipm.note.rpmsg")) and "multipartsigned" not in kind:
        if depth == 1:
            raise UnreadableError("encrypted")
        blocks.miss("encrypted messages")
        return
    blocks.heading(message.read_text(*_SUBJECT), depth)
    for name, value in _find_fields(message).items():
        if value:
            blocks.item(f"{name}: {value}")
    _read_body(message, blocks)
    for attachment in message.folders("__attach_version1.0_", 8):
        _read_attachment(attachment, blocks, depth, enclosed)


def _find_fields(message: _Folder) -> dict[str, str]:
    """What a header says, by name: who, to whom, when."""
    headers = message.read_headers()
    sender = _name(message.read_text(*_SENDER_NAMES), message, _SENDER_ADDRESSES)
    to: list[str] = []
    cc: list[str] = []
    for count, recipient in enumerate(message.folders("__recip_version1.0_", 8)):
        if count == _MOST_RECIPIENTS:
            break
        listed = {1: to, 2: cc}.get(recipient.number(_RECIPIENT_KIND))
        if listed is not None:
            listed.append(_name(recipient.read_text(*_NAMES), recipient, _ADDRESSES))
    moment = message.find_time()
    return {
        "From": read_field(headers, "From") or sender,
        "To": read_field(headers, "To") or ", ".join(filter(None, to)) or message.read_text(*_TO),
        "Cc": read_field(headers, "Cc") or ", ".join(filter(None, cc)) or message.read_text(*_CC),
        "Date": read_field(headers, "Date") or (format_datetime(moment) if moment else ""),
    }


def _name(name: str, person: _Folder, addresses: tuple[str, ...]) -> str:
    """Somebody's name and address; within an organisation, people are addressed by paths, which say nothing."""
    found = (person.read_text(identifier).strip() for identifier in addresses)
    address = next((text for text in found if "@" in text), "")
    name = name.strip().strip("'")
    return f"{name} <{address}>" if name and address and name != address else name or address


def _read_body(message: _Folder, blocks: Blocks) -> None:
    """Add the text: the plain one, or else what the others say."""
    from index.loading.formats.rtf import read_rtf
    from index.loading.formats.web import decode_page, write_page

    if plain := message.read_text(_BODY):
        for paragraph in re.split(r"\n[ \t]*\n", plain.replace("\r\n", "\n")):
            blocks.paragraph(paragraph)
    elif page := message.read_text(_HTML) or decode_page(message.read_bytes(_HTML)):
        write_page(page, blocks)
    elif rich := message.read_bytes(_RICH):
        try:
            blocks.verbatim(read_rtf(unpack_rich_text(rich)).text)
        except UnreadableError:
            blocks.miss("the text of the message")


def _read_attachment(attachment: _Folder, blocks: Blocks, depth: int, enclosed: Enclosed) -> None:
    inner = attachment.message()
    if inner is not None:
        if depth < DEEPEST:
            _read_message(inner, blocks, depth + 1, enclosed)
        else:
            blocks.miss(f"messages within messages, more than {DEEPEST} deep")
        return
    name = attachment.read_text(*_FILE_NAMES).strip()
    kind = attachment.read_text(*_KIND).lower() or mimetypes.guess_type(name)[0] or ""
    try:
        content = b"" if enclosed.is_spent else attachment.read(_DATA)
    except UnreadableError:
        content = b""
    add_attachment(name or kind or "unnamed", kind, content, blocks, enclosed)


def unpack_rich_text(content: bytes) -> bytes:
    """Rich text as Outlook packs it: literal bytes, and references to the last 4,096 bytes before them.

    Raises UnreadableError("damaged") where it is no such thing.
    """
    if len(content) < 16:
        raise UnreadableError("damaged")
    size_bytes, form = struct.unpack_from("<I4s", content, 4)
    if form == b"MELA":
        return content[16 : 16 + size_bytes]
    if form != b"LZFu":
        raise UnreadableError("damaged")
    # A reference, of two bytes, stands for at most 17: what comes of it is bounded by what there is.
    unpacked = bytearray(_DICTIONARY)
    end = min(size_bytes, _LARGEST_BYTES) + len(_DICTIONARY)
    place = 16
    while place < len(content) and len(unpacked) < end:
        flags = content[place]
        place += 1
        for bit in range(8):
            if not flags >> bit & 1:
                unpacked += content[place : place + 1]
                place += 1
                continue
            if place + 2 > len(content):
                return bytes(unpacked[len(_DICTIONARY) : end])
            word = int.from_bytes(content[place : place + 2], "big")
            place += 2
            # Offsets are places in a ring, which the dictionary fills first.
            back = (len(unpacked) - (word >> 4)) % 4096
            if not back:  # where it is about to write: the end
                return bytes(unpacked[len(_DICTIONARY) : end])
            if back > len(unpacked):
                raise UnreadableError("damaged")
            for _ in range((word & 15) + 2):
                unpacked.append(unpacked[-back])
    return bytes(unpacked[len(_DICTIONARY) : end])
