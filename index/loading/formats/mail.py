"""E-mail (.eml, and web pages saved as .mhtml): who, when, subject, and the text that a reader sees.

Messages within a message, and those of a mailbox, are read below each other. Attachments are documents of their own,
pictures where text is recognised in them.
"""

from __future__ import annotations

import email
import email.policy
import re
from contextlib import suppress
from email import errors
from email.message import EmailMessage, Message
from email.utils import parsedate_to_datetime
from typing import cast

from index.loading.formats import Extract, UnreadableError
from index.loading.formats.blocks import Blocks
from index.loading.formats.enclosed import Enclosed
from index.loading.formats.fields import read_date
from index.loading.formats.text import count_broken, decode, decode_as, find_encoding, say_broken

DEEPEST = 10  # messages within messages
_MOST_DECODED = 20_000  # characters of a header's field: the library's time for it grows with the square
# What a mailbox writes before its first message, and before each that follows.
_FIRST = re.compile(rb"From [^\r\n]*+\r?\n")
_NEXT = re.compile(rb"\n\r?\nFrom [^\r\n]*\d\d:\d\d:\d\d[^\r\n]*+\r?\n")
_CUT_OFF = (errors.CloseBoundaryNotFoundDefect, errors.InvalidBase64LengthDefect, errors.InvalidBase64PaddingDefect)
# Attachments without text of their own, but for pictures of text: logos, signatures.
_TEXTLESS = ("image/", "audio/", "video/", "font/", "application/pgp-", "application/pkcs7-", "application/x-pkcs7-")
_LEAST_PICTURE_BYTES = 10_000  # of one that may be of text; what is smaller is a logo
_ENCRYPTED = frozenset({"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"})


def read_mail(content: bytes) -> Extract:
    """The message. Raises UnreadableError: "encrypted"."""
    if find_encoding(content):
        content = decode(content).lstrip("\ufeff").encode("utf-8", "replace")
    content = content.removeprefix(b"\xef\xbb\xbf").lstrip()
    begin = _FIRST.match(content)
    messages = [parse_message(part) for part in (_NEXT.split(content[begin.end() :]) if begin else [content])]
    blocks = Blocks()
    enclosed = Enclosed()
    for message in messages:
        if not _is_encrypted(message):
            _read_message(message, blocks, 1, enclosed)
        elif len(messages) == 1:
            raise UnreadableError("encrypted")
        else:
            blocks.miss("encrypted messages")
    first = messages[0]
    title, date = read_field(first, "Subject") or None, find_date(first)
    return Extract(blocks.text, title, date, unread=blocks.unread, enclosed=enclosed.files)


def parse_message(content: bytes) -> EmailMessage:
    """The parts of a message."""
    return email.message_from_bytes(content, policy=email.policy.default)


def _is_encrypted(message: EmailMessage) -> bool:
    signed = str(message.get_param("smime-type") or "").startswith(("signed", "certs"))
    return message.get_content_type() in _ENCRYPTED and not signed


def _read_message(message: EmailMessage, blocks: Blocks, depth: int, enclosed: Enclosed) -> None:
    blocks.heading(read_field(message, "Subject"), depth)
    for name in ("From", "To", "Cc", "Date"):
        if value := read_field(message, name):
            blocks.item(f"{name}: {value}")
    for attachment in _read_part(message, blocks, depth, enclosed):
        _read_attachment(attachment, blocks, enclosed)


def _read_part(part: EmailMessage, blocks: Blocks, depth: int, enclosed: Enclosed) -> list[EmailMessage]:
    """Add what a part says; gives the attachments in it, which come after all of the message."""
    from index.loading.formats.web import write_page

    kind = part.get_content_type()
    attachments: list[EmailMessage] = []
    if kind == "message/rfc822":
        for inner in _children(part):
            if depth < DEEPEST:
                _read_message(inner, blocks, depth + 1, enclosed)
            else:
                blocks.miss(f"messages within messages, more than {DEEPEST} deep")
    elif part.is_multipart():
        children = _children(part)
        if kind == "multipart/alternative":
            children = _choose(children)
        for child in children:
            attachments += _read_part(child, blocks, depth, enclosed)
        if any(map(str.isalnum, part.epilogue or "")):
            blocks.miss("what follows the end of the message")
    elif _file_name(part) or part.get_content_disposition() == "attachment":
        attachments.append(part)
    elif kind == "text/html":
        write_page(_text_of(part, blocks), blocks)
    elif part.get_content_maintype() in {"text", "message", "multipart"}:
        for paragraph in re.split(r"\n[ \t]*\n", _text_of(part, blocks).replace("\r\n", "\n")):
            blocks.paragraph(paragraph)
    elif not kind.startswith(_TEXTLESS):
        blocks.miss(f"a part that is {kind}")
    if any(isinstance(defect, _CUT_OFF) for defect in part.defects):
        blocks.miss("what came after the message was cut off")
    return attachments


def _read_attachment(part: EmailMessage, blocks: Blocks, enclosed: Enclosed) -> None:
    """Add an attachment's name, and read it as a file of its own."""
    kind = part.get_content_type()
    name = _file_name(part)
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    if part.get_content_maintype() == "text" and kind != "text/html" and part.get_content_charset():
        content = _text_of(part, blocks).encode("utf-8", "replace")
    add_attachment(name or kind, kind, content, blocks, enclosed)


def add_attachment(name: str, kind: str, content: bytes, blocks: Blocks, enclosed: Enclosed) -> None:
    """Add an attachment's name to a message's text, and its document to those that lie in the message.

    kind: its media type. Of a picture nothing is missed where it is none of text.
    """
    blocks.paragraph(f"Attachment: {name}")
    is_textless = kind.startswith(_TEXTLESS)
    if is_textless and not (kind.startswith("image/") and len(content) >= _LEAST_PICTURE_BYTES):
        return
    try:
        # Of a path on the sender's machine, the last name.
        enclosed.add(re.split(r"[/\\]", name)[-1], content)
    except UnreadableError:
        if not is_textless:
            blocks.miss(f"the attachment {name}")


def _children(part: EmailMessage) -> list[EmailMessage]:
    payload = part.get_payload()
    return (
        [cast(EmailMessage, child) for child in payload if isinstance(child, Message)]
        if isinstance(payload, list)
        else []
    )


def _choose(children: list[EmailMessage]) -> list[EmailMessage]:
    """Of a message's versions the plain one, unless it is empty."""
    for child in children:
        if child.get_content_type() == "text/plain" and _text_of(child).strip():
            return [child]
    return children[-1:]


def _text_of(part: EmailMessage, blocks: Blocks | None = None) -> str:
    """A part's text, by the encoding that it declares where that works; `blocks` hears of what cannot be decoded."""
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    try:
        return decode_as(content, part.get_content_charset("utf-8"))
    except (LookupError, ValueError):
        try:
            text = decode(content)
        except UnreadableError:
            text = content.decode("utf-8", "replace")
    if blocks is not None:
        blocks.miss(say_broken(count_broken(content, text)))
    return text


def _file_name(part: EmailMessage) -> str:
    try:
        return part.get_filename() or ""
    except (ValueError, LookupError, TypeError, AttributeError, IndexError):
        return ""


def read_field(message: EmailMessage, name: str) -> str:
    """A header field, decoded; as it stands in the file where it is ill-formed or very long."""
    value = next((str(text) for key, text in message.raw_items() if key.lower() == name.lower()), "")
    if len(value) <= _MOST_DECODED:
        # The library's parser stumbles over some fields.
        with suppress(ValueError, LookupError, TypeError, AttributeError, IndexError):
            value = str(message.get(name, ""))
    return " ".join(value.split())


def find_date(message: EmailMessage) -> str | None:
    """The day that a message's header says, in ISO 8601."""
    value = read_field(message, "Date")
    try:
        return parsedate_to_datetime(value).date().isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return read_date(value)
