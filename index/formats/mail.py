"""E-mail (.eml, and web pages saved as .mhtml): who, when, subject, and the text that a reader sees.

Attachments are named but not read; messages within a message are read.
"""

from __future__ import annotations

import email
import email.policy
import re
from email.message import EmailMessage, Message
from email.utils import parsedate_to_datetime
from typing import cast

from index.formats import Extract, UnreadableError
from index.formats.blocks import Blocks
from index.formats.fields import read_date
from index.formats.text import decode, find_encoding

_DEEPEST = 10  # messages within messages
_ENCRYPTED = frozenset({"multipart/encrypted", "application/pkcs7-mime", "application/x-pkcs7-mime"})


def read_mail(content: bytes) -> Extract:
    """The message. Raises UnreadableError: "encrypted"."""
    if find_encoding(content):
        content = decode(content).lstrip("\ufeff").encode("utf-8", "replace")
    content = re.sub(rb"\A\s*(?:From [^\r\n]*\r?\n)?", b"", content.removeprefix(b"\xef\xbb\xbf"), count=1)
    message = email.message_from_bytes(content, policy=email.policy.default)
    if _is_encrypted(message):
        raise UnreadableError("encrypted")
    blocks = Blocks()
    _read_message(message, blocks, 1)
    return Extract(blocks.text, _field(message, "Subject") or None, _find_date(message))


def _is_encrypted(message: EmailMessage) -> bool:
    signed = str(message.get_param("smime-type") or "").startswith(("signed", "certs"))
    return message.get_content_type() in _ENCRYPTED and not signed


def _read_message(message: EmailMessage, blocks: Blocks, depth: int) -> None:
    blocks.heading(_field(message, "Subject"), depth)
    for name in ("From", "To", "Cc", "Date"):
        if value := _field(message, name):
            blocks.item(f"{name}: {value}")
    attachments: list[str] = []
    _read_part(message, blocks, depth, attachments)
    for name in attachments:
        blocks.paragraph(f"Attachment: {name}")


def _read_part(part: EmailMessage, blocks: Blocks, depth: int, attachments: list[str]) -> None:
    kind = part.get_content_type()
    if kind == "message/rfc822":
        for inner in _children(part):
            if depth < _DEEPEST:
                _read_message(inner, blocks, depth + 1)
    elif part.is_multipart():
        children = _children(part)
        if kind == "multipart/alternative":
            children = _choose(children)
        for child in children:
            _read_part(child, blocks, depth, attachments)
    elif (name := _file_name(part)) or part.get_content_disposition() == "attachment":
        attachments.append(name or kind)
    elif kind == "text/html":
        _read_html(part, blocks)
    elif part.get_content_maintype() in {"text", "message"}:
        for paragraph in re.split(r"\n[ \t]*\n", _text_of(part).replace("\r\n", "\n")):
            blocks.paragraph(paragraph)


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


def _read_html(part: EmailMessage, blocks: Blocks) -> None:
    from index.formats.web import parse_page, render

    try:
        render(parse_page(_text_of(part).encode("utf-8", "replace"), "utf-8"), blocks)
    except UnreadableError:
        return  # an empty part, beside others that may hold text


def _text_of(part: EmailMessage) -> str:
    """A part's text, by the encoding that it declares where that works."""
    payload = part.get_payload(decode=True)
    content = payload if isinstance(payload, bytes) else b""
    try:
        return content.decode(part.get_content_charset("utf-8"))
    except (LookupError, ValueError):
        try:
            return decode(content)
        except UnreadableError:
            return content.decode("utf-8", "replace")


def _file_name(part: EmailMessage) -> str:
    try:
        return part.get_filename() or ""
    except (ValueError, LookupError, TypeError, AttributeError, IndexError):
        return ""


def _field(message: EmailMessage, name: str) -> str:
    """A header field, decoded; as it stands in the file where it is ill-formed."""
    try:
        value = str(message.get(name, ""))
    except (ValueError, LookupError, TypeError, AttributeError, IndexError):
        # The library's parser stumbles over some fields.
        value = next((str(text) for key, text in message.raw_items() if key.lower() == name.lower()), "")
    return " ".join(value.split())


def _find_date(message: EmailMessage) -> str | None:
    value = _field(message, "Date")
    try:
        return parsedate_to_datetime(value).date().isoformat()
    except (ValueError, TypeError, IndexError, OverflowError):
        return read_date(value)
