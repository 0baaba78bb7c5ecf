"""Rich text (.rtf): its paragraphs, without fonts, pictures and fields."""

from __future__ import annotations

import re

from index.loading.formats import Extract, UnreadableError
from index.loading.formats.blocks import Blocks
from index.loading.formats.fields import read_date, read_title
from index.loading.formats.grid import Cell

_TITLE = re.compile(r"\{\\title ([^{}\\]{1,300})\}")
_TIME = re.compile(r"\{\\(?:revtim|creatim)\\yr(\d{4})\\mo(\d{1,2})\\dy(\d{1,2})")
_HEXADECIMAL = re.compile(r"(?:[0-9A-Fa-f]{2}\s*+){16,}+")
_PICTURE_DIGITS = 400  # of a run, or more: a picture or another object


def read_rtf(content: bytes) -> Extract:
    """The text. Raises UnreadableError("damaged") where its groups make no sense."""
    from striprtf.striprtf import rtf_to_text

    # The format is ASCII; what else stands in it is in the code page that it declares.
    page = re.search(rb"\\ansicpg(\d+)", content[:1000])
    encoding = f"cp{page[1].decode()}" if page else "cp1252"
    try:
        source = content.decode(encoding, "replace")
    except LookupError:
        encoding = "cp1252"
        source = content.decode(encoding, "replace")
    try:
        text = str(rtf_to_text(_HEXADECIMAL.sub(_drop_picture, source), encoding=encoding, errors="replace"))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise UnreadableError("damaged") from error
    blocks = Blocks()
    # Each line end of the text is the end of a paragraph.
    rows: list[list[str | Cell]] = []
    for paragraph in [*text.splitlines(), ""]:
        if paragraph.endswith("|"):  # a row of a table
            rows.append([*paragraph[:-1].split("|")])
            continue
        if rows:
            blocks.table(rows)
            rows = []
        blocks.paragraph(paragraph)
    title, day = _TITLE.search(source[:20_000]), _TIME.search(source[:20_000])
    found = f"{day[1]}-{int(day[2]):02}-{int(day[3]):02}" if day else ""
    return Extract(blocks.text, read_title(title[1] if title else None), read_date(found), unread=blocks.unread)


def _drop_picture(digits: re.Match[str]) -> str:
    return "" if len("".join(digits[0].split())) >= _PICTURE_DIGITS else digits[0]
