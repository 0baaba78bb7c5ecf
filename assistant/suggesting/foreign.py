"""Questions from plain statements in German, Dutch, French and Spanish: what something is, when, how much.

Only forms whose question needs no knowledge of a word's gender or case are made; of other languages there are the
questions that documents ask themselves, and what a document is about.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from assistant.suggesting.candidates import Candidate, Source
from index.splitting.languages import ENGLISH, find_running_language

_MOST_CHARACTERS = 250
_FILE = Path(__file__).with_name("foreign.toml")
_CAPITAL = r"[A-ZÄÖÜÉÈÁÍÓÚÑÇ][\w’'.&-]+"
_NAME = rf"(?P<name>{_CAPITAL}(?: (?:de|la|du|des|del|der|van|von|den|di|y|e|{_CAPITAL})){{0,4}})"
_YEAR = r"(?:1\d|20)\d\d"
_NO_NAME = frozenset(
    "die der das dies diese dieser es er sie ein eine hier dort le la les ce cet cette il elle un une el los las este "
    "esta esto ella de het deze dit hij zij een dat wir ich man".split()
)


@dataclass(frozen=True, slots=True)
class Form:
    """A statement's form in a language, and the question of its groups."""

    language: str
    statement: re.Pattern[str]
    question: str
    kind: str
    worth: float


@cache
def load_forms() -> tuple[Form, ...]:
    """The forms of all languages."""
    read = tomllib.loads(_FILE.read_text(encoding="utf-8"))["form"]
    return tuple(
        Form(
            form["language"],
            re.compile(form["statement"].replace("{NAME}", _NAME).replace("{YEAR}", _YEAR)),
            form["question"],
            form["kind"],
            form["worth"],
        )
        for form in read
    )


def ask_of_foreign(source: Source) -> Iterator[Candidate]:
    """The questions that a sentence of running text answers, in its own language."""
    line = source.line
    if len(line) > _MOST_CHARACTERS or (language := find_running_language(line)) in ("", ENGLISH):
        return
    for form in load_forms():
        if form.language != language or not (found := form.statement.match(line)):
            continue
        parts = found.groupdict()
        if parts.get("name", "-").split(" ")[0].lower() not in _NO_NAME:
            question = form.question.format(**{**parts, "art": parts.get("art", "").lower()})
            yield source.make(question, form.kind, form.worth)
