"""When a string stands in a text, and how much of one stands in others, whatever the typography."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

_ALIKE = str.maketrans(
    {
        **dict.fromkeys("“”„‟«»″", '"'),
        **dict.fromkeys("‘’‚‛′`", "'"),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("*\u00ad\u200b\ufeff"),  # a model's emphasis, and what cannot be seen
    }
)
_WORD = re.compile(r"\s*+\S{1,500}+|\s++")
# Scripts that are written without spaces, or that hang endings onto names, have no end of a word to look for.
_LETTER = r"[^\W\d_\u0e00-\u109f\u1780-\u17ff\u2e80-\ud7ff\uf900-\ufaff]"


def normalise(text: str) -> str:
    """Without case, with plain quotation marks and dashes, white space joined; no emphasis, nothing invisible."""
    # Word by word: accents in a row are put in order, and that takes their number squared.
    words = (unicodedata.normalize("NFKC", word) for word in _WORD.findall(text.translate(_ALIKE)))
    return " ".join("".join(words).casefold().translate(_ALIKE).split())


def stands_in(wanted: str, text: str) -> bool:
    """Whether one normalised text is part of another, not cutting a word or a number: "no" is not in "not"."""
    wanted = normalise(wanted)
    before = r"(?<!\d)(?<!\d[.,])" if wanted[:1].isdigit() else rf"(?<!{_LETTER})" if wanted[:1].isalpha() else ""
    after = r"(?![.,]?\d)" if wanted[-1:].isdigit() else rf"(?!{_LETTER})" if wanted[-1:].isalpha() else ""
    return bool(wanted) and bool(re.search(f"{before}{re.escape(wanted)}{after}", normalise(text)))


def cover(wanted: str, texts: Iterable[str]) -> float:
    """How much of a text stands in others, from 0 to 1, by letters and digits.

    A text covers what it shares with `wanted` where one holds the other, or the end of one is the start of the other,
    as two spans of one document do. Space and punctuation are passed over, so that line ends, hyphenation and
    Markdown's marks part nothing.
    """
    wanted = squeeze(wanted)
    covered: set[int] = set()
    for text in map(squeeze, texts):
        if wanted in text:
            return 1.0 if wanted else 0.0
        start = wanted.find(text)
        if start >= 0:
            covered.update(range(start, start + len(text)))
            continue
        longest = range(min(len(wanted), len(text)) - 1, 0, -1)
        covered.update(range(next((n for n in longest if text.endswith(wanted[:n])), 0)))
        covered.update(range(len(wanted) - next((n for n in longest if text.startswith(wanted[-n:])), 0), len(wanted)))
    return len(covered) / len(wanted) if wanted else 0.0


def squeeze(text: str) -> str:
    """The letters and digits of a text, normalised."""
    return "".join(character for character in normalise(text) if character.isalnum())
