"""Words that the forms of questions go by, from `words.toml`."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("words.toml")


@cache
def _read() -> dict[str, str]:
    return tomllib.loads(_FILE.read_text(encoding="utf-8"))


def read_words(name: str) -> frozenset[str]:
    """The words of one list."""
    return frozenset(_read()[name].split())


def read_pattern(name: str) -> re.Pattern[str]:
    """A pattern of all that is on one list, each a pattern itself, for the whole of a text in any letters."""
    each = "|".join(word.replace("_", " ") for word in _read()[name].split())
    return re.compile(rf"(?:{each})\Z", re.IGNORECASE)
