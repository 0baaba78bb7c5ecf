"""Where documents say the same of something but for a date or a number, so that a reader sees both.

Two quotations disagree where all their telling words are the same, and one number, or the numbers of one date, are not.
But: what says it in other words is not seen; and a line of one or two words, "Members: 30", may be about anything.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.answers import Citation
from assistant.citing.quantities import Quantity, find_quantities, same_quantity
from assistant.question.asked import denies
from assistant.question.vocabulary import MONTHS
from index.splitting.terms import find_content_terms

LEAST_TERMS = 3  # that both say

_LETTERS = re.compile(r"[^\W\d_]+")

Value = tuple[str, Citation]


def find_disagreements(citations: Sequence[Citation]) -> list[list[Value]]:
    """What differs, each time the values with who says them, in the order of the citations."""
    found: list[list[Value]] = []
    told: set[int] = set()
    for place, one in enumerate(citations):
        if one.number in told:
            continue
        values: list[Value] = []
        for other in citations[place + 1 :]:
            if pair := _compare(one, other):
                values = values or [(pair[0], one)]
                values += [] if any(pair[1] == value for value, _ in values) else [(pair[1], other)]
                told.add(other.number)
        found += [values] if values else []
    return found


def _compare(one: Citation, other: Citation) -> tuple[str, str] | None:
    """What the first says and what the other says instead, where they disagree."""
    if one.document_id == other.document_id or not one.kind == other.kind == "words":
        return None
    if denies(one.quote) != denies(other.quote):
        return None
    terms = _find_words(one.quote)
    if len(terms) < LEAST_TERMS or terms != _find_words(other.quote):
        return None
    mine, theirs = _find_numbers(one.quote), _find_numbers(other.quote)
    if len(mine) != len(theirs):
        return None
    differing = [(a, b) for a, b in zip(mine, theirs, strict=True) if not same_quantity(a, b)]
    if not differing or any(a.unit != b.unit or a.rough or b.rough for a, b in differing):
        return None
    first, last = differing[0], differing[-1]
    values = one.quote[first[0].start : last[0].end], other.quote[first[1].start : last[1].end]
    return values if len(differing) == 1 or all(map(_is_date, values)) else None


def _is_date(words: str) -> bool:
    """Whether nothing but a month stands between numbers."""
    return "".join(_LETTERS.findall(words)).lower()[:3] in {"", *(month[:3] for month in MONTHS)}


def _find_words(quote: str) -> list[str]:
    """The telling words of a quotation, in order, without its numbers."""
    numbers = "".join(quote[n.start : n.end] for n in _find_numbers(quote)).casefold()
    return [term for term in find_content_terms(quote) if term not in numbers and not any(map(str.isdigit, term))]


def _find_numbers(quote: str) -> list[Quantity]:
    return sorted((n for n in find_quantities(quote) if not n.loose), key=lambda number: number.start)
