"""What people read on the page: every sentence stands in strings.toml, under the room that says it."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from string import Formatter


@cache
def read_strings() -> dict[str, dict[str, str]]:
    """All strings, by section and name; the page's scripts get them too."""
    strings: dict[str, dict[str, str]] = tomllib.loads(Path(__file__).with_name("strings.toml").read_text("utf-8"))
    return strings


def say(name: str, **fields: object) -> str:
    """One string, "section.name", with its fields filled in; it is text, and escaped by whoever makes HTML of it.

    Raises KeyError where there is none of the name, or where the fields are not exactly its own.
    """
    section, _, key = name.partition(".")
    template = read_strings()[section][key]
    wanted = {field for _, field, _, _ in Formatter().parse(template) if field is not None}
    if wanted != fields.keys():
        raise KeyError(f"{name} has the fields {sorted(wanted)}, not {sorted(fields)}")
    return template.format(**fields)
