"""Stems: one term for the forms of a word, by rules that go by the script that the word is written in.

A word says its script and not its language, so that a question and a document come to the same stem however short they
are. Latin script has the rules of English, Cyrillic those of Russian, Devanagari those of Hindi (all Snowball's),
Arabic script the light stemming of Arabic; and Greek, Armenian and Tamil have their own.

But: a language that shares its script with a greater one is stemmed by the rules of that: German, Spanish or Turkish
by those of English, Persian by those of Arabic, unless a word has letters that only the lesser one has.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

_LONGEST_WORD = 100  # some stemmers take the square of a word's length


def stem(word: str) -> str:
    """The stem of a folded word; the word itself where there are no rules for its letters."""
    if len(word) <= _LONGEST_WORD:
        for letters, find_stem in _RULES:
            if letters.fullmatch(word):
                return find_stem(word)
    return word


def _by_snowball(language: str) -> Callable[[str], str]:
    return lambda word: str(_load_stemmer(language).stemWord(word))


@cache
def _load_stemmer(language: str) -> Any:
    import Stemmer

    return Stemmer.Stemmer(language)


def _strip_vowels(word: str) -> str:
    return word[:3] + word[3:].rstrip("аеиоуьюяйіє")


def _strip_plural(word: str) -> str:
    return word[:2] + word[2:].removesuffix("ي").removesuffix("ها") if word.endswith(("ها", "هاي")) else word


# -- Arabic -----------------------------------------------------------------------------------

_ARTICLES = ("وال", "بال", "كال", "فال", "ال", "لل")
_ENDINGS = ("هاي", "هم", "ها", "نا", "ان", "ات", "ون", "ين", "يه", "ه", "ي", "ا", "ت")


def stem_arabic(word: str) -> str:
    """The word without "and", its article and its endings.

    Larkey, Ballesteros and Connell, "Light Stemming for Arabic Information Retrieval" (2007), their light10, with four
    more endings: those of an object, of a verb, and of "كتابا".
    """
    if word[0] == "و" and len(word) > 3:
        word = word[1:]
    for article in _ARTICLES:
        if word.startswith(article) and len(word) - len(article) >= 2:
            word = word[len(article) :]
            break
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 2:
            word = word[: -len(ending)]
    return word


# -- what has which rules ---------------------------------------------------------------------

# The first whose letters a word is of.
_RULES: tuple[tuple[re.Pattern[str], Callable[[str], str]], ...] = (
    (re.compile("[a-z]+"), _by_snowball("english")),
    (re.compile("[а-я]+"), _by_snowball("russian")),
    # Letters that Russian does not have: Ukrainian, Belarusian, Serbian, most of whose endings are vowels.
    (re.compile("[\u0400-\u052f]+"), _strip_vowels),
    (re.compile("[α-ω]+"), _by_snowball("greek")),
    (re.compile("[\u0561-\u0587]+"), _by_snowball("armenian")),
    (re.compile("[\u0900-\u097f]+"), _by_snowball("hindi")),
    (re.compile("[\u0b80-\u0bff]+"), _by_snowball("tamil")),
    (re.compile("[\u0621-\u064a]+"), stem_arabic),
    # Letters that Arabic does not have: Persian and Urdu, in the plural.
    (re.compile("[\u0621-\u06ff]+"), _strip_plural),
)
