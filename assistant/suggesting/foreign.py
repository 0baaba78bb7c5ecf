"""Questions from plain statements in German, Dutch, French and Spanish: what something is, when, how much.

Only forms whose question needs no knowledge of a word's gender or case are made; of other languages there are the
questions that documents ask themselves, and what a document is about.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.suggesting.candidates import Candidate, Source
from index.splitting.languages import find_running_language

_MOST_CHARACTERS = 250
_NAME = r"(?P<name>(?:[A-ZÄÖÜÉÈÁÍÓÚÑÇ][\w’'.&-]+)(?: (?:de|la|du|des|del|der|van|von|den|di|y|e|[A-ZÄÖÜÉÈÁÍÓÚÑÇ][\w’'.&-]+)){0,4})"
_MEASURE = r"(?:rund |etwa |ongeveer |environ |unos |\w+ )?[\w.,]* ?[\d€$]?"
_YEAR = r"(?:1\d|20)\d\d"
# Language, the statement, the question of its groups, kind, worth.
_FORMS: tuple[tuple[str, re.Pattern[str], str, str, float], ...] = tuple(
    (language, re.compile(statement), question, kind, worth)
    for language, statement, question, kind, worth in (
        (
            "German",
            r"(?P<art>Die|Der|Das) (?P<what>[A-ZÄÖÜ][\wäöüß-]+) beträgt \w",
            "Wie hoch ist {art} {what}?",
            "amount",
            0.9,
        ),
        (
            "German",
            r"(?P<art>Die|Der|Das) (?P<what>[A-ZÄÖÜ][\wäöüß-]+) kostet \w",
            "Was kostet {art} {what}?",
            "amount",
            0.9,
        ),
        (
            "German",
            rf"{_NAME} wurde (?:im Jahr |am \d{{1,2}}\. \w+ )?{_YEAR}\b[^,;:]{{0,60}}? (?P<done>\w+(?:t|en))\.\Z",
            "Wann wurde {name} {done}?",
            "time",
            0.85,
        ),
        ("German", rf"{_NAME} (?:ist|war) (?:ein|eine) \w", "Was ist {name}?", "definition", 0.66),
        (
            "German",
            r"(?P<art>Die|Der|Das) (?P<what>[A-ZÄÖÜ][\wäöüß-]+) (?P<be>wird|ist) [^,.]{0,40}?(?:um \d|am \w+tag|\w+tags|von \d)"
            r"[^,.]{0,30}? (?P<done>\w+(?:t|en))\.\Z",
            "Wann {be} {art} {what} {done}?",
            "time",
            0.85,
        ),
        (
            "German",
            r"(?P<art>Die|Der|Das) (?P<what>[A-ZÄÖÜ][\wäöüß-]+) (?P<be>hängt|steht|liegt|befindet sich) (?:im|am|in|auf|an) ",
            "Wo {be} {art} {what}?",
            "place",
            0.8,
        ),
        (
            "German",
            r"(?:Die) (?P<what>[A-ZÄÖÜ][\wäöüß-]+) werden [^,.]{0,40}?(?:um \d|am \w+tag|\w+tags)[^,.]{0,30}? (?P<done>\w+(?:t|en))\.\Z",
            "Wann werden die {what} {done}?",
            "time",
            0.85,
        ),
        (
            "Dutch",
            r"(?P<art>De|Het) (?P<what>[\w-]+) (?:bedraagt|kost) \w",
            "Hoeveel kost {art} {what}?",
            "amount",
            0.86,
        ),
        ("Dutch", rf"{_NAME} is een \w", "Wat is {name}?", "definition", 0.66),
        (
            "Dutch",
            rf"{_NAME} (?:werd|is) in {_YEAR} (?:\w+ ){{0,5}}?(?P<done>(?:op|ge|ver|be|ont)\w+(?:d|t|en))\.\Z",
            "Wanneer werd {name} {done}?",
            "time",
            0.85,
        ),
        ("French", rf"{_NAME} est (?:un|une) \w", "Qu’est-ce que {name} ?", "definition", 0.66),
        (
            "French",
            r"(?P<art>Le|La) (?P<what>[\w’-]+(?: [\w’-]+)?) est (?:de|fixée? à) \d",
            "Quel est le montant : {art} {what} ?",
            "amount",
            0.0,
        ),
        (
            "French",
            r"(?P<art>Le|La) (?P<what>[\w’-]+(?: [\w’-]+)?) coûte \w",
            "Combien coûte {art} {what} ?",
            "amount",
            0.88,
        ),
        (
            "French",
            rf"{_NAME} (?:a été|fut) (?P<done>fondée?|créée?|construite?|signée?|inaugurée?|publiée?|ouverte?) [^.;]{{0,40}}{_YEAR}",
            "Quand {name} a-t-il été {done} ?",
            "time",
            0.0,
        ),
        ("Spanish", rf"{_NAME} es (?:un|una) \w", "¿Qué es {name}?", "definition", 0.66),
        (
            "Spanish",
            r"(?P<art>El|La) (?P<what>\w+(?: de \w+)?) cuesta \w",
            "¿Cuánto cuesta {art} {what}?",
            "amount",
            0.88,
        ),
        (
            "Spanish",
            rf"{_NAME} (?P<done>nació|murió|se fundó|fue fundad[oa]|fue construid[oa]|fue inaugurad[oa]) [^.;]{{0,40}}{_YEAR}",
            "¿Cuándo {done} {name}?",
            "time",
            0.86,
        ),
        (
            "Spanish",
            rf"{_NAME} (?P<done>nació|murió|vivió|se encuentra|está situad[oa]) en (?:la |el )?[A-Z]",
            "¿Dónde {done} {name}?",
            "place",
            0.8,
        ),
    )
    if worth
)
_LANGUAGES = frozenset(language for language, *_ in _FORMS)
_NO_NAME = frozenset(
    "die der das dies diese dieser es er sie ein eine hier dort le la les ce cet cette il elle un une el los las este esta "
    "esto ella de het deze dit hij zij een dat wir ich man".split()
)


def ask_of_foreign(source: Source) -> Iterator[Candidate]:
    """The questions that a sentence of running text answers, in its own language."""
    line = source.line
    if len(line) > _MOST_CHARACTERS or (language := find_running_language(line)) not in _LANGUAGES:
        return
    for own, statement, question, kind, worth in _FORMS:
        if own != language or not (found := statement.match(line)):
            continue
        parts = found.groupdict()
        if parts.get("name", "-").split(" ")[0].lower() in _NO_NAME:
            continue
        yield source.make(question.format(**{**parts, "art": parts.get("art", "").lower()}), kind, worth)
