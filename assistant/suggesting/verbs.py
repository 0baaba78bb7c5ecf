"""Verbs of plain statements, in English: from "skipped" to "skip", from "wrote" to "write".

Only verbs that stand here are known: a word that merely looks like one ("the speed limit bed") makes no question.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from assistant.suggesting.words import read_words

_REGULAR = read_words("regular_verbs")
# base, past, participle where it differs.
_IRREGULAR = read_words("irregular_verbs")
_DOUBLED = read_words("doubled_verbs")
_STRANGE_S = {"go": "goes", "do": "does"}
_VOWELS = "aeiou"


@dataclass(frozen=True, slots=True)
class Verb:
    """base: "write". past: "wrote". participle: "written". third: "writes"."""

    base: str
    past: str
    participle: str
    third: str
    gerund: str


def _inflect(base: str) -> Verb:
    if base.endswith("e"):
        past, gerund = f"{base}d", f"{base[:-1]}ing"
    elif base.endswith("y") and base[-2] not in _VOWELS:
        past, gerund = f"{base[:-1]}ied", f"{base}ing"
    elif base in _DOUBLED:
        past, gerund = f"{base}{base[-1]}ed", f"{base}{base[-1]}ing"
    else:
        past, gerund = f"{base}ed", f"{base}ing"
    return Verb(base, past, past, _add_s(base), gerund)


def _add_s(base: str) -> str:
    if base in _STRANGE_S:
        return _STRANGE_S[base]
    if base.endswith("y") and base[-2] not in _VOWELS:
        return f"{base[:-1]}ies"
    return f"{base}es" if base.endswith(("s", "x", "z", "ch", "sh")) else f"{base}s"


@cache
def _verbs() -> tuple[Verb, ...]:
    regular = [_inflect(base) for base in sorted(_REGULAR) if base not in ("found", "hold")]
    regular.append(Verb("found", "founded", "founded", "founds", "founding"))
    irregular = []
    for forms in sorted(_IRREGULAR):
        base, past, *participle = forms.split("/")
        gerund = _inflect(base).gerund
        gerund = {
            "begin": "beginning", "cut": "cutting", "get": "getting", "put": "putting", "run": "running",
            "set": "setting", "shut": "shutting", "split": "splitting", "win": "winning", "forbid": "forbidding",
            "hit": "hitting", "let": "letting", "see": "seeing",
        }.get(base, gerund)  # fmt: skip
        irregular.append(Verb(base, past, participle[0] if participle else past, _add_s(base), gerund))
    return (*irregular, *regular)


@cache
def _by(form: str) -> dict[str, Verb]:
    found: dict[str, Verb] = {}
    for verb in _verbs():
        found.setdefault(getattr(verb, form), verb)
    return found


def find_past(word: str) -> Verb | None:
    """The verb whose past a word is."""
    return _by("past").get(word)


def find_participle(word: str) -> Verb | None:
    """The verb whose participle a word is; the past of none that has another: "wrote"."""
    return _by("participle").get(word)


def find_third(word: str) -> Verb | None:
    """The verb whose third person a word is: "includes"."""
    return _by("third").get(word)


def find_base(word: str) -> Verb | None:
    """The verb that a word is the plain form of."""
    return _by("base").get(word)


def find_gerund(word: str) -> Verb | None:
    """The verb of "installing"."""
    return _by("gerund").get(word)


LOOKS_LIKE_VERB = re.compile(r"\w{3,}(?:ed|ing)\Z")
