"""Which number is of what: in the fields of a record, and among several sentences that are cited together."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.citing.quantities import Quantity, find_quantities, same_quantity
from assistant.question.vocabulary import DAYS, MONTHS
from index.splitting.terms import find_content_terms, find_terms

_FIELD = re.compile(r"(?:^|; )(?P<key>[^:;]{1,60}+): (?P<value>[^;]{1,200}+)")
_TIMES = re.compile(rf"(?:19|20)\d\d|{'|'.join([*DAYS, *MONTHS])}", re.IGNORECASE)
_HOLDS = 0.8  # of a sentence's words, numbers aside: from there on one cited sentence says it


def misreads_record(sentence: str, record: str) -> bool:
    """Whether a sentence gives the value of one year or day of a record for another: "2022: 5; 2023: 8".

    The time that it names has another value there, which it does not give, and the value that it gives stands under a
    time that it does not name.
    """
    said = set(find_terms(sentence))
    fields = [
        (set(find_terms(field["key"])), field["key"], set(find_terms(field["value"])))
        for field in _FIELD.finditer(record)
    ]
    timed = [(terms, value) for terms, key, value in fields if _TIMES.fullmatch(key.strip())]
    named = [value for terms, value in timed if terms <= said]
    unnamed = [value for terms, value in timed if not terms & said]
    return any(not value & said for value in named) and any(value and value <= said for value in unnamed)


def misplaces_number(sentence: str, parts: Sequence[str]) -> bool:
    """Whether a number of the sentence stands only in another cited sentence than the one that says all the rest.

    And that one has a number of the same kind in its place, which the sentence lacks.
    """
    if len(parts) < 2:
        return False
    numbers = find_quantities(sentence)
    words = [term for term in find_content_terms(sentence) if not term[:1].isdigit()]
    best = max(parts, key=lambda part: len(set(words) & set(find_terms(part))))
    if not words or len(set(words) & set(find_terms(best))) < _HOLDS * len(words):
        return False
    there = find_quantities(best)
    return any(
        not number.loose
        and not any(same_quantity(number, other) for other in there)
        and any(_is_like(number, other) and not any(same_quantity(other, mine) for mine in numbers) for other in there)
        for number in numbers
    )


def _is_like(one: Quantity, other: Quantity) -> bool:
    """Whether two numbers are of one kind: both years, or of one unit."""
    if one.unit or other.unit:
        return one.unit == other.unit
    years = [any(1500 < value < 2200 for value in number.values) for number in (one, other)]
    return years[0] == years[1] and not other.loose
