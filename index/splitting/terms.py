"""The terms of a text: what the lexical index and the reader compare.

Case, accents and other ways to write the same letter are folded, words are stemmed by the rules of their script, dates
and numbers have one form, and scripts without spaces, and Korean, become overlapping pairs of characters. All goes
by the text alone, so that the terms of a short question are those of a long document.

But: words of all languages in plain Latin letters are stemmed by the English rules.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import chain

from index.splitting.folding import fold
from index.splitting.numbers import write_number, write_numbers
from index.splitting.stems import stem

__all__ = [
    "STOP_WORDS",
    "choose_query_terms",
    "find_content_terms",
    "find_phrases",
    "find_query_terms",
    "find_terms",
    "holds_phrase",
    "write_number",
]

# Han, Hiragana, Katakana and Thai, Lao, Khmer, Burmese: written without spaces between words; and the syllables of
# Korean, whose words carry their particles with them.
_UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff"
# What of these is no letter, mark or digit parts words as anywhere: "๚", "။", "។", "・".
_PARTING = r"\u0e3f\u0e4f\u0e5a\u0e5b\u104a-\u104f\u109e\u109f\u17d4-\u17d6\u17d8-\u17db\u309b\u309c\u30a0\u30fb"
# The marks inside words that folding keeps: mostly the vowels of the scripts of India.
_MARKS = (
    r"\u0711\u0730-\u074a\u07a6-\u07b0\u07eb-\u07f3\u07fd\u0816-\u0819\u081b-\u0823\u0825-\u0827\u0829-\u082d"
    r"\u0859-\u085b\u08d3-\u0903\u093a\u093b\u093e-\u094f\u0951-\u0957\u0962\u0963\u0981-\u0983\u09bc\u09be-\u09cd"
    r"\u09d7\u09e2\u09e3\u0a01-\u0a03\u0a3c-\u0a51\u0a70\u0a71\u0a75\u0a81-\u0a83\u0abc\u0abe-\u0acd\u0ae2\u0ae3"
    r"\u0b01-\u0b03\u0b3c\u0b3e-\u0b57\u0b62\u0b63\u0b82\u0bbe-\u0bcd\u0bd7\u0c00-\u0c04\u0c3e-\u0c56\u0c62\u0c63"
    r"\u0c81-\u0c83\u0cbc\u0cbe-\u0cd6\u0ce2\u0ce3\u0d00-\u0d03\u0d3b-\u0d4d\u0d57\u0d62\u0d63\u0d82\u0d83"
    r"\u0dca-\u0ddf\u0df2\u0df3\u0f18\u0f19\u0f35\u0f37\u0f39\u0f3e\u0f3f\u0f71-\u0f84\u0f86\u0f87\u0f8d-\u0fbc"
)
_WORD = re.compile(
    rf"(?:(?![{_PARTING}])[{_UNSPACED}])++|\d++(?:[.,:]\d++)*+|(?:(?![{_UNSPACED}])(?:[^\W_]|[{_MARKS}]))++(?:&[a-z0-9]++)*+"
)
_PLAIN_WORD = re.compile(r"\d++(?:[.,:]\d++)*+|[a-z][a-z0-9]*+(?:&[a-z0-9]++)*+")
_RUN = re.compile(r"\d++|\D++")
_MOST_RUNS = 4  # of letters and of digits in a code; what has more is a checksum or the like
# "getUserName", "user_nameOf", "MyOtherName", and no "iPhone", "YouTube", "McDonald": a name is written small as well.
_HUMP = re.compile("[A-Z](?<=[a-z]{2}[A-Z])")
_IDENTIFIER = re.compile(
    r"(?<![^\W_])(?:[a-z]{2,}+|[A-Z][a-z0-9]++(?=[A-Z][a-z0-9]++[A-Z]))(?:[A-Z][a-z0-9]++)++(?![^\W_])"
)
_DIGIT = re.compile(r"\d")
_QUOTED = re.compile('["“”„«»「『]([^"“”„«»「」『』]+)["“”«»」』]')

STOP_WORDS = frozenset(
    (
        "a about all also am an and any are as at be because been being but by can could did do does doing for "
        "from had has have having he her hers him his how i if in into is it its itself me might more most must "
        "my no nor not of off on or our ours out over own she should so some such than that the their theirs them "
        "then there these they this those through to too under until up us very was we were what when where which "
        "while who whom whose why will with would you your yours say says said saying tell tells told s t d ll re "
        "ve m"
    ).split()
)


def find_terms(text: str) -> list[str]:
    """The terms of a text in order, repeated as they are repeated; stop words are kept.

    A date gives its day, month and year in this order, an identifier with humps itself and its parts, a word of letters
    and digits, or with "&" ("AT&T"), itself and those of its parts that are longer than one character.
    """
    if _HUMP.search(text):
        text = _IDENTIFIER.sub(_part, text)
    folded = write_numbers(fold(text))
    words = (_PLAIN_WORD if folded.isascii() else _WORD).findall(folded)
    return list(chain.from_iterable(map(_find_terms_of, words)))


def _part(identifier: re.Match[str]) -> str:
    return f"{identifier[0]} {re.sub('(?=[A-Z])', ' ', identifier[0])}"


@lru_cache(maxsize=100_000)
def _find_terms_of(word: str) -> tuple[str, ...]:
    if re.match(rf"[{_UNSPACED}]", word):
        return tuple(word[i : i + 2] for i in range(max(1, len(word) - 1)))
    if word[0].isdigit():
        return tuple(map(write_number, write_number(word).split(",")))
    if "&" in word:
        parts = word.split("&")
        return (word, *chain.from_iterable(_find_terms_of(part) for part in parts if len(part) > 1))
    if not _DIGIT.search(word):
        return (stem(word),)
    runs = _RUN.findall(word)
    return (word, *(stem(run) for run in runs if len(run) > 1 and len(runs) <= _MOST_RUNS))


def find_content_terms(text: str) -> list[str]:
    """The terms that carry meaning: those of `find_terms` without stop words, each once, in order."""
    return _keep_content(find_terms(text))


def _keep_content(terms: Sequence[str]) -> list[str]:
    return [term for term in dict.fromkeys(terms) if term not in _stemmed_stop_words()]


def find_query_terms(query: str) -> list[str]:
    """The terms that a query is searched by: those that carry meaning, or all where none does."""
    return choose_query_terms(find_terms(query))


def choose_query_terms(terms: Sequence[str]) -> list[str]:
    """The same of terms that are found already: to find the terms of a term could stem it once more."""
    return _keep_content(terms) or list(terms)


def find_phrases(query: str) -> list[list[str]]:
    """The terms of each phrase of several words that stands in quotation marks, in order, stop words included."""
    phrases = [find_terms(match[1]) for match in _QUOTED.finditer(query)]
    return [phrase for phrase in phrases if len(phrase) > 1]


def holds_phrase(terms: Sequence[str], phrase: Sequence[str]) -> bool:
    """Whether the terms of a phrase stand one after the other among terms."""
    return f" {' '.join(phrase)} " in f" {' '.join(terms)} "


@cache
def _stemmed_stop_words() -> frozenset[str]:
    return frozenset(stem(word) for word in STOP_WORDS) | STOP_WORDS
