"""Stems: one term for the forms of a word, by rules that go by the script that the word is written in.

A word says its script and not its language, so that a question and a document come to the same stem however short they
are. Latin script has the rules of English, Cyrillic those of Russian, Devanagari those of Hindi (all Snowball's),
Arabic script the light stemming of Arabic.

But: a language that shares its script with a greater one is stemmed by the rules of that. Nothing is taken from words
with letters that the greater one does not have.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

# The words that are stemmed, as `fold` writes them: by their first letter, and the letters that they may have.
_SNOWBALL = {
    "english": re.compile("[a-z]+"),
    "russian": re.compile("[а-яё]+"),
    "greek": re.compile("[α-ω]+"),
    "armenian": re.compile("[\u0561-\u0587]+"),
    "hindi": re.compile("[\u0900-\u097f]+"),
    "tamil": re.compile("[\u0b80-\u0bff]+"),
}
_ARABIC = re.compile("[\u0621-\u064a]+")


def stem(word: str) -> str:
    """The stem of a folded word of one script; the word itself where there are no rules for it."""
    first = word[0]
    if first <= "z":
        return _snowball("english", word)
    for language, letters in _SNOWBALL.items():
        if letters.match(first):
            return _snowball(language, word)
    return stem_arabic(word) if _ARABIC.fullmatch(word) else word


def _snowball(language: str, word: str) -> str:
    return str(_stemmer(language)(word)) if _SNOWBALL[language].fullmatch(word) else word


@cache
def _stemmer(language: str) -> Any:
    import Stemmer

    return Stemmer.Stemmer(language).stemWord


# -- Arabic -----------------------------------------------------------------------------------

_ARTICLES = ("وال", "بال", "كال", "فال", "ال", "لل")
_ENDINGS = ("هم", "ها", "نا", "ان", "ات", "ون", "ين", "يه", "ه", "ي", "ا", "ت")


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
