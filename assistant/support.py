"""Does the cited text support the sentence? A pointer that is valid is not yet support.

Without a second model: the sentence's numbers and names must stand in the cited text, a "not" on one
side needs one on the other, and most of what the sentence says must be said there. But: it compares
words, so that a true paraphrase in other words is called partial.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.answers import Support
from index.terms import find_content_terms, find_terms

MOSTLY, PARTLY = 0.5, 0.25

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NAME = re.compile(r"(?<=[\w,;:’'\"“(] )[A-Z][\w’'-]{2,}")
_NEGATION = re.compile(r"\b(?:not|never|no|none|neither|nor|without|cannot|\w+n['’]t)\b", re.IGNORECASE)


def check(sentence: str, quotes: Sequence[str]) -> Support:
    """Whether the quotes together support the sentence."""
    cited = " ".join(quotes)
    if not cited:
        return "unsupported"
    if " ".join(sentence.split()) in " ".join(cited.split()):
        return "supported"
    said = set(find_terms(cited))
    terms = find_content_terms(sentence)
    share = sum(term in said for term in terms) / len(terms) if terms else 1.0
    numbers = {number.replace(",", "") for number in _NUMBER.findall(sentence)}
    if not numbers <= {number.replace(",", "") for number in _NUMBER.findall(cited)} or share < PARTLY:
        return "unsupported"
    names = {term for name in _NAME.findall(sentence) for term in find_terms(name)}
    negated = bool(_NEGATION.search(sentence)) != bool(_NEGATION.search(cited))
    if share < MOSTLY or negated or not names <= said:
        return "partial"
    return "supported"
