"""Titles, authors and dates as file formats write them."""

from __future__ import annotations

import re
from datetime import date, datetime

from index.loading.formats.blocks import tidy

_ISO = re.compile(r"\s*(?:D:)?(?P<year>\d{4})[-/:]?(?P<month>\d{2})[-/:]?(?P<day>\d{2})")


def read_date(value: str | datetime | date | None) -> str | None:
    """The day that a field names ("2025-05-13T10:30:00Z", "D:20250513103000"), or None where it names none."""
    if isinstance(value, date):
        return value.isoformat()[:10]
    match = _ISO.match(value or "")
    try:
        found = date(int(match["year"]), int(match["month"]), int(match["day"])) if match else None
    except ValueError:
        return None
    # Programs write their epoch where they know no date.
    return found.isoformat() if found and found.year > 1980 else None


# What programs write where the author gave no title.
_NO_TITLE = re.compile(
    r"(?:untitled|title|document|presentation|powerpoint presentation|slide|microsoft \w+ - .*|unnamed|"
    r".*\.\w{2,4})"
    r"(?: document| presentation)?[ -]?\d{0,3}",
    re.IGNORECASE,
)


# What stands where a title does and names nothing: a word of warning, a program's word for nobody, and what
# begins as only marks and directives do (".. include::", "#+INCLUDE:", "{{", "<!--", "[[_TOC_]]").
_NAMELESS = re.compile(
    r"[\W_]*+(?:important|note|tip|hint|warning|caution|danger|attention|anonymous|unknown|todo)[\W_]*+"
    r"|(?:\.\. |#[+!a-z]|\{[{%#]|[<\\%@!:;]|\[[!\[]|\[[^\[\]]*+\]\W*+\Z|BEGIN:).*",
    re.IGNORECASE | re.DOTALL,
)


def is_nameless(line: str) -> bool:
    """Whether a line that may be a title is none: "Important", "(anonymous)", ".. include:: notes"."""
    return _NAMELESS.fullmatch(line) is not None


def read_title(value: str | None) -> str | None:
    """The title that a field gives, in one line, or None where it gives a file's name or nothing."""
    title = " ".join(tidy(value or "").split())
    return None if not title or _NO_TITLE.fullmatch(title) or is_nameless(title) else title


_LONGEST_AUTHOR = 300  # characters
# What programs, templates and systems write where nobody gave a name; and what is no name.
_NO_AUTHOR = re.compile(
    r"python-docx|openpyxl|xlsxwriter|apache poi|docx4j|libreoffice.*|openoffice.*|google.*(?:docs|sheets|slides).*"
    r"|microsoft.*|ms[ -]office.*|office.*user|calibre.*|pandoc|wordpress|steve canny"
    r"|(?:the |default |local |web)?(?:admin|administrator|author|user|owner|editor|creator|guest|root|test|pc|home)\d*"
    r"|(?:un|not )known(?: author| creator)?|unspecified|anonymous|nobody|none|null|n/?a|benutzer|utilisateur|usuario"
    r"|(?:https?://|www\.)\S*|\S+@\S+|[\W\d_]*",
    re.IGNORECASE,
)


def read_author(*values: str | None) -> str:
    """The names of those who wrote a document, with commas; empty where its fields only name a program or nobody.

    values: each one or several names, parted by semicolons.
    """
    names = (" ".join(tidy(name).split()) for value in values for name in (value or "")[:10_000].split(";"))
    said = ", ".join(dict.fromkeys(name for name in names if not _NO_AUTHOR.fullmatch(name)))
    return said if len(said) <= _LONGEST_AUTHOR else ""
