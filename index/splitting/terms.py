"""The terms of a text: what the lexical index and the reader compare.

Case and accents are folded, English is stemmed (Snowball), and scripts without spaces become
overlapping pairs of characters. But: words of other languages are stemmed by the English rules
only where they are written in plain Latin letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

# Han, Hiragana, Katakana and Thai, Lao, Khmer, Burmese: written without spaces between words.
_UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
# What of these is no letter, mark or digit parts words as anywhere: "๚", "။", "។", "・".
_PARTING = r"\u0e3f\u0e4f\u0e5a\u0e5b\u104a-\u104f\u109e\u109f\u17d4-\u17d6\u17d8-\u17db\u309b\u309c\u30a0\u30fb"
_WORD = re.compile(rf"(?:(?![{_PARTING}])[{_UNSPACED}])++|\d++(?:[.,:]\d++)*+|(?:(?![{_UNSPACED}])[^\W_])++")
_PLAIN = re.compile(r"[a-z]+")
_WHOLE = re.compile(r"(\d++)\.0++")
_QUOTED = re.compile('["“”„«»「『]([^"“”„«»「」『』]+)["“”«»」』]')

# A text is folded so much at a time, which comes to the same: accents in a row are put in order, and that takes their
# number squared.
_FOLDED_CHARACTERS = 500

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
    """The terms of a text in order, repeated as they are repeated; stop words are kept."""
    pieces = (text[start : start + _FOLDED_CHARACTERS] for start in range(0, len(text), _FOLDED_CHARACTERS))
    folded = text.casefold() if text.isascii() else "".join(map(_fold, pieces))
    return [term for word in _WORD.findall(folded) for term in _find_terms_of(word)]


def _fold(text: str) -> str:
    # Folded between two normalisations: the first turns up new capitals ("™" is "TM").
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(c for c in folded if not unicodedata.combining(c)) if not folded.isascii() else folded


@lru_cache(maxsize=100_000)
def _find_terms_of(word: str) -> tuple[str, ...]:
    if re.match(rf"[{_UNSPACED}]", word):
        return tuple(word[i : i + 2] for i in range(max(1, len(word) - 1)))
    if word[0].isdigit():
        return (write_number(word),)
    return (_stem(word) if _PLAIN.fullmatch(word) else word,)


def write_number(digits: str) -> str:
    """A number as it is compared with others: 1500 for "1,500", 15 for "15.0"."""
    number = digits.replace(",", "")
    whole = _WHOLE.fullmatch(number)
    return whole[1] if whole else number


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
    return frozenset(_stem(word) for word in STOP_WORDS) | STOP_WORDS


def _stem(word: str) -> str:
    return str(_stemmer().stemWord(word))


@cache
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("english")
