"""The wording that a language model sees: one template a file, rendered strictly."""

from __future__ import annotations

import secrets
from pathlib import Path
from string import Template

_FOLDER = Path(__file__).parent


class PromptError(ValueError):
    """A template was given a field that it does not have, or not given one that it has."""


def make_fence() -> str:
    """A line that no text can guess, to stand before and after what is data in a request."""
    return f"=== {secrets.token_hex(8)} ==="


def render(name: str, **fields: str) -> str:
    """The template `name`.txt with its $fields filled in; what the values hold is left as it is.

    Raises PromptError where the fields given are not exactly those of the template.
    """
    template = Template((_FOLDER / f"{name}.txt").read_text(encoding="utf-8").strip())
    wanted, given = set(template.get_identifiers()), set(fields)
    if not template.is_valid() or wanted != given:
        raise PromptError(f"prompt {name}: missing {sorted(wanted - given)}, unknown {sorted(given - wanted)}")
    return template.substitute(fields)
