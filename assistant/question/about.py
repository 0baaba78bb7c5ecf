"""Whether something is asked of the folder or of a whole document, or nothing at all: a greeting, thanks.

Each form of words (`forms.txt`) is compared with the whole question, not looked for in it: "How many documents are
there?" asks of the folder, "How many documents did the auditor sign?" of what the documents say.

But: what a name means is for whoever knows the documents to tell ("What is the charter about?"): where nothing is
called so, the question is one like all others. The forms are those of English, German, Dutch, French and Spanish.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from assistant.question.again import Length
from assistant.question.forms import find_forms, read_period, words_of
from assistant.question.opening import ASKING
from assistant.question.phrases import (
    AROUND,
    ASSENTS,
    FIRST_OR_LAST,
    GREETINGS,
    KINDS,
    KINDS_ALONE,
    MANY,
    NOUNS,
    NUMBERS,
    PLURALS,
    POINTING,
    POLITE,
    POLITE_BEFORE,
    THANKS,
)
from index.splitting.folding import fold

Asks = Literal["greeting", "thanks", "assent", "help", "count", "list", "unread", "extreme", "overview"]
Sureness = Literal["any", "document", "file", "exact"]

LONGEST_CHARACTERS = 200  # of a question that may be about the folder
MOST_SENTENCES = 12  # of an overview, however many are asked for
_WORDS_A_SENTENCE = 20
_FEW, _MANY = 2, 10  # sentences


@dataclass(frozen=True, slots=True)
class About:
    """What is asked of the folder, or of whole documents.

    kind: of files, a key of `phrases.ENDINGS`. which: of an extreme, "newest", "oldest", "longest" and so on.
    first, last: the dates asked for, as far as they are said ("2023", "2023-05"); "" where there is no bound.

    Of an overview:
    name: what the documents are called, folded; "" where they are pointed at, or all are meant.
    several: whether all that is called so is meant. points: whether what was last spoken of is meant, or may be.
    is_noun: whether the name is no more than a noun for a document or for several, "the report", "these articles".
    sureness: how surely it has to be a name: "document", by a noun such as "report"; "file", by the ending of a file;
        "exact", by being the whole of the name.
    is_pronoun: whether it is only pointed at by a word that may be anything's, "it", "these".
    sentences: how many are wanted, None where that is not said. is_whole: whether a short document is wanted whole.
    """

    asks: Asks
    kind: str = ""
    which: str = ""
    first: str = ""
    last: str = ""
    name: str = ""
    several: bool = False
    is_noun: bool = False
    is_pronoun: bool = False
    sureness: Sureness = "any"
    sentences: int | None = None
    is_whole: bool = False


def read_about(words: str, before: str = "") -> About | None:
    """What a question asks of the folder or of whole documents; None where it asks what the documents say.

    before: the question before it in the conversation, which tells what "Which are from 2023?" goes on with.
    """
    if len(words) > LONGEST_CHARACTERS:
        return None
    text = _normalise(words)
    if len(text) > LONGEST_CHARACTERS:  # what folding writes out
        return None
    if said := _read_friendly(text):
        return said
    text = _POLITE_BEFORE.sub("", _GREETING_BEFORE.sub("", text), count=1)
    text = _POLITE_AFTER.sub("", text)
    if length := _LENGTH.search(text):
        shorter = _normalise(f"{text[: length.start()]} {text[length.end() :]}")
        if said := _read_forms(shorter, _count_sentences(length)):
            return said
    if said := _read_forms(text, None):
        # "What does it say?", "Which are from 2023?": of what was spoken of, where that was something else.
        is_listing = said.asks in ("list", "count") and _FILE_WORDS.isdisjoint(text.split()) and not said.kind
        is_leaning = is_listing or (said.is_pronoun and (said.several or said.sureness == "document"))
        # "How does it work?": the pump that was spoken of, where something was.
        is_leaning = is_leaning or (said.asks == "help" and not _PRONOUNS.isdisjoint(text.split()))
        return None if is_leaning and before and not read_about(before) else said
    # A name alone: no question, or the name of a file.
    if (words.rstrip()[-1:] not in "?？؟" and not ASKING.match(text)) or _FILE_NAME.fullmatch(text):
        return _read_overview(text, "exact", None)
    return None


def change_length(about: About, words: str, length: Length) -> About:
    """The same overview shorter or longer, or in as many sentences as the words say."""
    if about.asks != "overview" or not length:
        return about
    said = _LENGTH.search(_normalise(words[-LONGEST_CHARACTERS:]))
    shorter = 1 if about.sentences and about.sentences <= _FEW else _FEW
    sentences = _count_sentences(said) if said else shorter if length == "shorter" else _MANY
    return replace(about, sentences=sentences, is_whole=False)


def _read_friendly(text: str) -> About | None:
    """A greeting, thanks or an assent, or several of them, and nothing else."""
    if text in _FRIENDLY:
        return About(_FRIENDLY[text])
    parts = [part for each in _PAUSE.split(text) if (part := each.strip()) not in ("", "footnote")]
    said = [_FRIENDLY.get(_ADDRESS.sub("", part)) for part in parts]
    if not said or None in said:
        return None
    # Who thanks and says goodbye thanks; who says hello and thanks says hello.
    return About(next(asks for asks in _FRIENDLIEST_FIRST if asks in said))


def _read_forms(text: str, sentences: int | None) -> About | None:
    for asks, form in find_forms():
        if (found := form.fullmatch(f"{text} ")) is None:
            continue
        given = {name: value.strip() for name, value in found.groupdict().items() if value}
        if asks in _SURENESS:
            if about := _read_overview(given.get("name", ""), _SURENESS[asks], sentences, text):
                is_free = asks == "summary" or (asks == "overview" and about.several)
                return about if is_free else replace(about, is_noun=about.is_noun and _is_pointed(given))
        elif sentences is None:
            first, last = read_period(given)
            kind = KINDS.get(given.get("kind", "")) or KINDS_ALONE.get(given.get("kindalone", ""), "")
            return About(asks, kind, FIRST_OR_LAST.get(given.get("whichone", ""), ""), first, last)
    return None


def _is_pointed(given: Mapping[str, str]) -> bool:
    return given["name"].split()[0] in _THIS


def _read_overview(name: str, sureness: Sureness, sentences: int | None, text: str = "") -> About | None:
    is_whole = sureness != "any"
    words = [word.strip(_QUOTES) for word in name.split()]
    rest = [word for word in words if word]
    several = any(word in MANY for word in rest)
    while len(rest) > 1 and rest[0] in AROUND | _FILE_WORDS | MANY | POINTING:
        del rest[0]
    while len(rest) > 1 and rest[-1] in _FILE_WORDS | _PAGE_WORDS:
        del rest[-1]
    is_pointing = all(word in AROUND | _FILE_WORDS | _PAGE_WORDS | MANY | POINTING for word in rest)
    is_pronoun = is_pointing and not _PRONOUNS.isdisjoint(rest) and _FILE_WORDS.isdisjoint(rest)
    if is_pointing and (sureness == "exact" or (is_pronoun and sureness == "file")):
        return None
    if sureness in ("document", "file") and not is_pointing:
        sure = any(word in _FILE_WORDS for word in words) or bool(_FILE_NAME.fullmatch(rest[-1])) or _is_quoted(name)
        if not sure and not (sureness == "document" and any(word in NOUNS | PLURALS for word in rest)):
            if not _JOINED.search(rest[-1]):
                return None
            sureness = "exact"  # "What is in org-chart?"
    if sentences is None and (adjective := _LONG_OR_SHORT.search(text)):
        sentences = _MANY if adjective["long"] else _FEW
    is_plural = len(rest) == 1 and rest[0] in PLURALS
    return About(
        "overview",
        name="" if is_pointing else " ".join(rest),
        several=several or is_plural or (is_pointing and any(word in _FILES_WORDS | _FOLDER_WORDS for word in rest)),
        is_pronoun=is_pronoun,
        is_noun=is_plural or (len(rest) == 1 and rest[0] in NOUNS),
        sureness=sureness,
        sentences=sentences,
        is_whole=is_whole,
    )


def _is_quoted(name: str) -> bool:
    return len(name) > 2 and name[0] in _QUOTES and name[-1] in _QUOTES


def _normalise(words: str) -> str:
    """The words folded, with one blank between any two, and without the marks around them."""
    text = _SHORT_IS.sub(" is", fold(words))
    text = _ELIDED.sub(r"\1' ", text)
    return " ".join(text.split()).strip(" ?!.,:;¿¡…？！。")


# -- how long, and from when ------------------------------------------------------------------


def _count_sentences(length: re.Match[str]) -> int:
    if length["few"]:
        return _FEW
    if length["many"]:
        return _MANY
    given = length["number"]
    count = NUMBERS.get(given) or (int(given) if given.isdecimal() else 1)
    unit = length["unit"]
    if unit.startswith(("word", "wort", "woord", "mot", "palabra")):
        count = round(count / _WORDS_A_SENTENCE)
    elif unit.startswith(("paragraph", "absatz", "alinea")):
        count *= 5
    return min(max(count, 1), MOST_SENTENCES)


_QUOTES = "\"'«»„`"
_PRONOUNS = frozenset(
    "this that it its these those them dies dieses das es diese dit deze het ce cela ca esto estos ces".split()
)
_FILES_WORDS, _FOLDER_WORDS = words_of("files"), words_of("folder")
_FILE_WORDS = words_of("file") | _FILES_WORDS | _FOLDER_WORDS | {"pdf"}
_PAGE_WORDS = frozenset(("page", "seite", "pagina"))  # "the Slack page", but "page 3" is in a document
_FRIENDLIEST_FIRST: tuple[Asks, ...] = ("thanks", "greeting", "assent")
_FRIENDLY: Mapping[str, Asks] = {
    **dict.fromkeys(map(fold, ASSENTS), "assent"),
    **dict.fromkeys(map(fold, THANKS), "thanks"),
    **dict.fromkeys(map(fold, GREETINGS), "greeting"),
}
# How surely what a form names has to be a document.
_SURENESS: Mapping[str, Sureness] = {"summary": "any", "overview": "any", "document": "document", "file": "file"}
_THIS = frozenset(
    "this these those dieses diese dieser diesem diesen dit deze ce cet cette ces este esta estos estas".split()
)
_PAUSE = re.compile(r"[,.!;:？！。，、]|\band\b|\bund\b|\b(?<=ok) (?=thank)")
_ADDRESS = re.compile(r"(?: (?:footnote|all|everyone|everybody|again|there|so much|a lot))+\Z")
_SHORT_IS = re.compile(r"(?<=\bwhat)'s\b|(?<=\bwho)'s\b|(?<=\bhere)'s\b")
_ELIDED = re.compile(r"(?<!\S)(l|d|n|s)'(?=\w)")
_GREETING_BEFORE = re.compile(rf"\A(?:{'|'.join(sorted(map(re.escape, _FRIENDLY), key=len, reverse=True))})[,.!] ")
_POLITE_BEFORE = re.compile(rf"\A(?:(?:{'|'.join(map(re.escape, POLITE + POLITE_BEFORE))}),? (?!about\b))++")
_POLITE_AFTER = re.compile(rf"(?:,? (?:{'|'.join(map(re.escape, POLITE))}))++\Z")
_FILE_NAME = re.compile(r".*[^\s.]\.[a-z][a-z0-9]{1,5}")
_JOINED = re.compile(r"\w[-_/]\w")
_LENGTH = re.compile(
    r"(?:(?:,? ?\b(?:in|en|as|auf)(?: (?:just|only|at most|no more than|about|around|nur|maximal))? |\b)"
    rf"(?P<number>\d{{1,3}}|{'|'.join(sorted(NUMBERS, key=len, reverse=True))})[ -]"
    r"(?P<unit>(?:short |kurzen |bullet )?(?:sentences?|points?|bullets?|lines?|words?|paragraphs?|satz(?:en)?|punkten?"
    r"|stichpunkten|worten|absatz(?:en)?|zin(?:nen)?|punten|woorden|alinea'?s?|phrases?|mots|frases?|puntos|palabras)))\b"
    r"|,? ?\b(?:(?P<few>briefly|shortly|quickly|in short|in brief|in a nutshell|kurz|knapp|kort|brievement|en bref"
    r"|brevemente)|(?P<many>in (?:more |full )?details?|at length|thoroughly|ausfuhrlich|im detail|uitgebreid|en detail"
    r"|en detalle|detalladamente))\b"
)
_LONG_OR_SHORT = re.compile(
    r"\b(?:(?P<long>detailed|long|full|complete|ausfuhrliche|uitgebreide|detaille|detallado)"
    r"|short|brief|quick|concise|kurze|kurzen|korte|bref|breve|court|corto) (?=\w)"
)
