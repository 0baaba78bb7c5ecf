"""The wordings of a language: by which words it asks, and by which a sentence holds what is asked for.

English has its own in `assistant.question.asked`; that of each other language is a file in `wordings`, written in
the forms that text is folded to. In a file, `asked` and `held` go by the kinds of `asks_for`; `asks` has what else a
question may want, and `says` what else a sentence may do. Which language a text is in, its little words tell.

But: what is here is the plain ways to ask. Of a language that has no file, the names and numbers are read, and no kind.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from index.splitting.folding import fold
from index.splitting.languages import ENGLISH, LITTLE_WORDS, find_languages
from index.splitting.numbers import MONTH_NAMES

KINDS = ("reason", "statement", "number", "time", "person", "place")
_FILES = {file.stem.replace("_", " "): file for file in Path(__file__).with_name("wordings").glob("*.toml")}
LONGEST_CHARACTERS = 300  # of a question; a longer text is no plain one, and slow to look through for one
AT_START = ("whether", "step", "leaning")  # what is looked for there alone

_NO_MONTHS = {"marco", "set", "sep", "dec", "dic", "dez"}  # names or words of their own, where no date stands around
_MONTHS = "|".join(
    sorted((n for n in MONTH_NAMES if (len(n) > 3 or n in ("mai", "mei", "maj")) and n not in _NO_MONTHS), key=len)[
        ::-1
    ]
)
_UNITS = r"%|€|\$|£|¥|₺|₽|₹|(?:prozent|procent|euros?|eur|chf|franken|baht)(?!\w)|(?:pour|per|por) ?cent\w*"
_CLOCK = r"\d{1,2}[:.h]\d\d(?!\w|[.,]\d)|\d{1,2} (?:uhr|heures?|uur|horas?)(?!\w)"
_YEAR = r"(?:1\d|20|25)\d\d(?![\w.,]\d)(?!\w)"
_NAME = r"(?<![.!?]\s)(?<![¿¡])(?<!^)(?<!\w)[A-Z][\w’'-]+"
_CAPITAL = r"[A-Z][\w’'-]+"
_NAMES = rf"{_CAPITAL}(?: (?:(?:of|the|de|von|van|der|al|bin|la|le|du|da|dos|di) )*{_CAPITAL})*"


@dataclass(frozen=True, slots=True)
class Wording:
    """How one language words what is asked and what is said.

    asked, held, answers: patterns by kind. asks: "whether", "how", "several", "one". says: "manner", "step",
    "leaning", "negation". name: what is a name, where it stands in a sentence. numbers: number words as digits.
    little: what of a question is no content. rivals: as the lines of `rivals.txt`.
    """

    language: str
    asked: Mapping[str, re.Pattern[str]]
    held: Mapping[str, re.Pattern[str]]
    asks: Mapping[str, re.Pattern[str]]
    says: Mapping[str, re.Pattern[str]]
    answers: Mapping[str, re.Pattern[str]]
    name: re.Pattern[str]
    numbers: Mapping[str, str] = field(default_factory=dict)
    little: re.Pattern[str] | None = None
    measures: frozenset[str] = frozenset()
    rivals: tuple[str, ...] = ()

    def find_kind(self, question: str) -> str:
        """The kind that a question asks for, or ""; the first whose pattern is found."""
        question = question.casefold() if self.language == ENGLISH else self._fold(question)
        return next((kind for kind, pattern in self.asked.items() if pattern.search(question)), "")

    def asks_in(self, what: str, question: str) -> bool:
        """Whether a question wants it: a key of `asks`."""
        return _find(self.asks, what, self._fold(question).lstrip("¿ "))

    def says_in(self, what: str, sentence: str) -> bool:
        """Whether a sentence does it: a key of `says`."""
        return _find(self.says, what, self._strip(sentence))

    def holds(self, kind: str, sentence: str, question: str) -> bool:
        """Whether a sentence holds what is of the kind; of names, one that the question does not give."""
        if kind in ("person", "place"):
            # What stands in Latin letters within another script is a name.
            given = self._strip(question).casefold()
            if any(name.casefold() not in given for name in self.find_names(sentence)):
                return True
        return _find(self.held, kind, self._strip(sentence))

    def find_names(self, sentence: str) -> list[str]:
        """The names in a text, without accents where it is not English."""
        return self.name.findall(self._strip(sentence))

    def find_answers(self, kind: str, sentence: str) -> list[re.Match[str]]:
        """Where what may be the very answer stands."""
        return [*self.answers[kind].finditer(self._strip(sentence))] if kind in self.answers else []

    def _fold(self, question: str) -> str:
        return question if self.language == ENGLISH else fold(question[:LONGEST_CHARACTERS])

    def _strip(self, text: str) -> str:
        return text if self.language == ENGLISH else strip_accents(text)


def _find(patterns: Mapping[str, re.Pattern[str]], what: str, text: str) -> bool:
    pattern = patterns.get(what)
    return pattern is not None and bool((pattern.match if what in AT_START else pattern.search)(text))


# -- which of them ----------------------------------------------------------------------------


@lru_cache(maxsize=2000)
def find_wordings(text: str, otherwise: str = "") -> tuple[Wording, ...]:
    """Those of the languages that a text may be in, English apart. otherwise: a text that decides where this does not.

    None where it is English, or in a language that has no file.
    """
    languages = find_languages(text) or find_languages(otherwise)
    return tuple(load_wording(language) for language in languages if language.casefold() in _FILES)


def load_wordings() -> tuple[Wording, ...]:
    """Those of all languages that have a file."""
    return tuple(load_wording(language) for language in sorted(_FILES))


def load_wording(language: str) -> Wording:
    """That of a language which has a file."""
    return _load(language.casefold())


@cache
def _load(language: str) -> Wording:
    table = tomllib.loads(_FILES[language].read_text(encoding="utf-8"))
    is_spaced = table.get("spaced", True)
    numbers = table["numbers"].split()
    words = "|".join([*sorted(numbers[2:], key=len)[::-1], table["counted"]])

    def compile_all(group: str, prepare: Any) -> dict[str, re.Pattern[str]]:
        return {what: _compile_words(prepare(pattern), is_spaced) for what, pattern in table[group].items()}

    held = {
        **table["held"],
        "number": rf"(?<![\d.,])(?!{_YEAR}|\d{{1,2}}(?:\.|er)? (?:de )?(?:{_MONTHS}))\d[\d.,]*|{words}",
        "time": rf"{_YEAR}|{table['held']['time']}|{table['days']}|{_MONTHS}",
    }
    name = _name_among_nouns(language) if table.get("names") == "among nouns" else None
    return Wording(
        language=language,
        asked={kind: compile_all("asked", _fold_pattern)[kind] for kind in KINDS},
        held={kind: _compile_words(_strip_pattern(pattern), is_spaced) for kind, pattern in held.items()},
        asks=compile_all("asks", _fold_pattern),
        says=compile_all("says", _strip_pattern),
        answers={
            "number": _compile(_number(_strip_pattern(words), is_spaced)),
            "time": _compile(_time(_strip_pattern(table["days"]))),
            "person": _compile(name or rf"(?<!\w){_NAMES}", 0),
        },
        name=_compile(name or _NAME, 0),
        numbers={fold(word): str(number) for number, word in enumerate(numbers) if number != 1},
        little=_compile_words(_strip_pattern(table.get("little") or _find_little(language)), is_spaced),
        measures=frozenset(fold(table["measures"]).split()) if "measures" in table else frozenset(),
        rivals=tuple(table.get("rivals", ())),
    )


def _find_little(language: str) -> str:
    """The little words as a pattern; of what is told by its script its file has them."""
    return next(
        ("|".join(sorted(words)) for name, words in LITTLE_WORDS.items() if name.casefold() == language), "(?!)"
    )


def _compile_words(pattern: str, is_spaced: bool) -> re.Pattern[str]:
    """The pattern, of whole words where the language parts words."""
    return _compile(rf"(?<!\w)(?:{pattern})(?!\w)" if is_spaced else pattern)


def _compile(pattern: str, flags: int = re.IGNORECASE) -> re.Pattern[str]:
    return re.compile(pattern, flags)


def _number(words: str, is_spaced: bool) -> str:
    counted = rf"(?<!\w)(?:{words})(?:[ -](?:{words}))*(?!\w)" if is_spaced else rf"(?:{words})+"
    digits = r"(?<![\w.,])(?:\d{1,3}(?:[ .'’\u00a0\u202f]\d{3})+(?!\d)(?:,\d+)?|\d[\d.,]*\d|\d)(?:½)?"
    return rf"(?:[$€£¥₺₽₹] ?)?{digits}(?:\s?(?:{_UNITS}))?|{counted}"


def _time(days: str) -> str:
    of = r"(?:d'|de |del |di |of |of )?"
    year = rf"(?:,? {of}\d{{4}}(?!\d))?"
    months = rf"(?:{_MONTHS})(?!\w)"
    return (
        rf"(?<!\w)(?:(?:(?:{days}),? )?\d{{1,2}}(?:\.|er|re|o|º|ª)? {of}{months}{year}|{months}{year}"
        rf"|\d{{1,2}}\.\d{{1,2}}\.\d{{4}}(?!\d)|{_CLOCK}|{_YEAR}|(?:{days})(?!\w))"
    )


def _name_among_nouns(language: str) -> str:
    """Names where nouns have capitals too: two in a row, or one after a title; no little word that opens a sentence."""
    little = "|".join(word.title() for word in sorted(LITTLE_WORDS[language.title()]))
    word = r"[A-Z][a-z’'-]+(?:-[A-Z][a-z]+)?"
    title = r"(?:Frau|Herrn?|Dr\.|Prof\.)"
    return (
        rf"(?<!\w)(?:(?:{title} )+{word}(?: {word})?"
        # "am Schwarzen Brett"
        r"|(?<!am )(?<!im )(?<!zum )(?<!zur )(?<!der )(?<!dem )(?<!den )(?<!die )(?<!das )(?<!vom )(?<!beim )"
        rf"(?!(?:{little})(?!\w)){word}(?: (?:von|van|de|zu|der))?(?: {word}){{1,3}}"
        r"|[A-Z][\w-]*[A-Z0-9][\w-]*)(?!\w)"
    )


# -- one way to write letters -----------------------------------------------------------------


class _Letters(dict[int, int]):
    """What each letter becomes that is not plain: the one that it is folded to, as large as it was."""

    def __missing__(self, code: int) -> int:
        letter, folded = chr(code), fold(chr(code))
        plain = folded.upper() if letter.isupper() else folded
        self[code] = ord(plain) if len(plain) == 1 else code
        return self[code]


_LETTERS = _Letters()


def strip_accents(text: str) -> str:
    """The text without accents, as long as it was, with its capitals."""
    return text if text.isascii() else text.translate(_LETTERS)


def _fold_pattern(pattern: str) -> str:
    return "".join(part if part.startswith("\\") else fold(part) for part in _cut(pattern))


def _strip_pattern(pattern: str) -> str:
    return "".join(part if part.startswith("\\") else strip_accents(part) for part in _cut(pattern))


def _cut(pattern: str) -> Iterable[str]:
    return re.split(r"(\\.)", pattern)


# -- what of a question is content ------------------------------------------------------------


def drop_little(question: str) -> str:
    """The question without its little words and what only asks ("Wie hoch"), where it is not English."""
    wordings = find_wordings(question)
    if len(wordings) != 1:
        return question
    [wording] = wordings
    text = strip_accents(question)
    folded = fold(question[:LONGEST_CHARACTERS])
    asking = [match[0] for pattern in wording.asked.values() if (match := pattern.search(folded))]
    measures = wording.measures.intersection(re.findall(r"\w+", " ".join(asking)))
    if measures:
        text = re.sub(r"\w+", lambda word: " " if fold(word[0]) in measures else word[0], text)
    assert wording.little is not None
    return wording.little.sub(" ", text)
