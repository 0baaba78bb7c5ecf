"""The forms in which something is asked of the folder or of a whole document, made into patterns.

`forms.txt` has them. In the patterns each word has a blank behind it, so that no form has to say where blanks stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from assistant.question.phrases import FIRST_OR_LAST, KINDS, KINDS_ALONE, MONTHS

FORMS_FILE = Path(__file__).with_name("forms.txt")
# "since 2022" has 2022 in it, "after 2022" begins with 2023.
_BOUNDS = {
    **dict.fromkeys(("since", "seit", "ab", "sinds", "vanaf", "depuis", "desde"), ("first", 0)),
    **dict.fromkeys(("after", "nach", "na", "apres", "despues de"), ("first", 1)),
    **dict.fromkeys(("until", "up to", "bis", "tot", "jusqu' a", "hasta"), ("last", 0)),
    **dict.fromkeys(("before", "vor", "voor", "avant", "antes de"), ("last", -1)),
}


def _any(phrases: Iterable[str]) -> str:
    """A piece of a form that is any of some phrases."""
    return " | ".join(sorted(phrases, key=lambda phrase: -len(phrase)))


_MADE = {"kind": _any(KINDS), "kind-alone": _any(KINDS_ALONE), "which-one": _any(FIRST_OR_LAST), "bound": _any(_BOUNDS)}
_DATE = rf"(?:\d{{4}}(?:-\d\d){{0,2}}|(?:{'|'.join(MONTHS)}) (?:del? )?\d{{4}}) "
_DATES = ("at", "bounding", "from", "to")
_SIGN = re.compile(r"[()\[\]|]|<[^<>]++>|[^\s()\[\]|]++")
_WRITTEN = {"(": "(?:", ")": ")", "[": "(?:", "]": ")?", "|": "|"}


@cache
def find_forms() -> tuple[tuple[Any, re.Pattern[str]], ...]:
    """What is asked in each form, and the pattern of the form, in which each word has a blank behind it."""
    forms = ((asks, form) for asks, line in _lines(": ") for form in _part(line))
    return tuple((asks, re.compile(_write_pattern(form, _pieces()))) for asks, form in forms)


def _part(line: str) -> Iterator[str]:
    """The forms that a line has beside each other, outside all brackets."""
    depth, parts = 0, [""]
    for sign in _SIGN.findall(line):
        depth += (sign in "([") - (sign in ")]")
        if sign == "|" and not depth:
            parts.append("")
        else:
            parts[-1] += f"{sign} "
    yield from parts


@cache
def _pieces() -> Mapping[str, str]:
    return {**dict(_lines(" = ")), **_MADE}


def _lines(separator: str) -> Iterator[tuple[str, str]]:
    """The lines of the file that have one word before the separator: that, and what comes after."""
    for line in FORMS_FILE.read_text(encoding="utf-8").splitlines():
        name, parted, form = line.partition(separator)
        if parted and " " not in name:
            yield name, form


def _write_pattern(form: str, pieces: Mapping[str, str]) -> str:
    parts = []
    for sign in _SIGN.findall(form):
        piece = sign[1:-1] if sign.startswith("<") else ""
        if piece == "name":
            parts.append("(?P<name>.+? )")
        elif piece in _DATES:
            parts.append(f"(?P<{piece}>{_DATE})")
        elif piece:
            inner = _write_pattern(pieces[piece], pieces)
            parts.append(f"(?P<{piece.replace('-', '')}>{inner})" if piece in _MADE else f"(?:{inner})")
        else:
            parts.append(_WRITTEN.get(sign) or f"{re.escape(sign)} ")
    return "".join(parts)


def words_of(*names: str) -> frozenset[str]:
    """The words of pieces that are given in the file."""
    return frozenset(word for name in names for word in _SIGN.findall(_pieces()[name]) if word[0] not in "<|")


# -- dates -----------------------------------------------------------------------------------


def read_period(given: Mapping[str, str]) -> tuple[str, str]:
    """The first and the last date that is asked for, as far as they are said."""
    if "at" in given:
        return (_read_date(given["at"]),) * 2
    if "from" in given:
        return _read_date(given["from"]), _read_date(given["to"])
    if "bounding" not in given:
        return "", ""
    date, (bound, moved) = _read_date(given["bounding"]), _BOUNDS[given["bound"]]
    if moved and len(date) == len("2023"):
        date = f"{int(date) + moved:04}"
    return (date, "") if bound == "first" else ("", date)


def _read_date(text: str) -> str:
    *month, year = text.replace(" de ", " ").replace(" del ", " ").split()
    return f"{year}-{MONTHS[month[0]]:02}" if month else year
