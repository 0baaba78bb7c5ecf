"""What a sentence changes of the words that it nearly copies: where all else is the same, that is what counts.

Both are laid side by side, term by term. Told are: two things that changed places ("Voss praised Berg", who praised
Voss), what was added to a list or given as a reason, "more" and "less" turned round, and "all" or "must" that the
cited words do not say.

But: a sentence in words of its own is not compared so; then closeness decides.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set
from dataclasses import dataclass
from difflib import SequenceMatcher

from index.splitting.terms import find_content_terms, find_terms

_HALF_COPIED, LEAST_COPIED = 0.3, 0.5  # of the sentence's terms, in runs of two or more
_PREPOSITIONS = frozenset(find_terms("from to by for with of against than before after over under until into towards"))
_ARTICLES = frozenset(("a", "an", "the"))

_LITTLE = frozenset(find_terms("during within according despite per among since without"))
_JOINING = frozenset(("and", "or", "becaus", "sinc", "includ"))
_UNIVERSAL = re.compile(
    r"\b(?:all|everyone|everybody|always|throughout|entirely|whole|in (?:every|any) case|whether or not|regardless"
    r"|from the (?:start|beginning|first)|unconditional(?:ly)?|every(?! (?:other|\d|second|two|three|four|six|minute"
    r"|hour|day|week|month|year)))\b",
    re.IGNORECASE,
)
_MUST = re.compile(
    r"\b(?:must|ha(?:s|ve|d) to|need(?:s|ed)? to|(?:is|are) (?:required|obliged)|shall)\b", re.IGNORECASE
)
_MAY = re.compile(
    r"\b(?:may|can|could|might|should|ought|would be welcome|allowed|permitted|recommended|suggest\w*"
    r"|optional(?:ly)?)\b",
    re.IGNORECASE,
)
_THAN = re.compile(r"\b(?:more|less|fewer|\w{2,}er|rather)\b(?P<middle>[^.;:]{0,80}?)\bthan\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Difference:
    """What differs between a sentence and the words that it nearly copies.

    copied: the share of its terms that stand in runs of the cited words. swapped: two terms that changed places, or
    none. added: a term in what follows an "and" or a "because" and stands for nothing there, or "".
    """

    copied: float
    swapped: tuple[str, ...] = ()
    added: str = ""


def compare(sentence: str, parts: Sequence[str]) -> Difference:
    """The difference between a sentence and the sentences that it cites, all plain."""
    mine, theirs = find_terms(sentence), [term for part in parts for term in ("^", "^", *find_terms(part))]
    if not mine or not theirs:
        return Difference(0.0)
    telling = {*find_content_terms(sentence), *find_content_terms(" ".join(parts))} - _LITTLE
    codes = SequenceMatcher(None, mine, theirs, autojunk=False).get_opcodes()
    copied = sum(i2 - i1 for tag, i1, i2, _, _ in codes if tag == "equal" and i2 - i1 > 1) / len(mine)
    put_in = [mine[i1:i2] for tag, i1, i2, _, _ in codes if tag == "delete"] if copied >= LEAST_COPIED else []
    new = telling - set(theirs)
    added = [term for terms in put_in for term in _follow_joining(terms) if term in new]
    return Difference(copied, _find_swap(mine, theirs, telling), added[0] if added else "")


def _follow_joining(terms: Sequence[str]) -> Sequence[str]:
    """What follows an "and", a "because" or the like."""
    return terms[next((place for place, term in enumerate(terms) if term in _JOINING), len(terms)) :]


def _find_swap(mine: Sequence[str], theirs: Sequence[str], telling: Set[str]) -> tuple[str, ...]:
    """Two terms of which each stands in the other's place: after the same words, and not after its own."""
    mine, theirs = ([term for term in terms if term not in _ARTICLES] for terms in (mine, theirs))
    for reach, tells in ((2, lambda before: True), (1, lambda before: _PREPOSITIONS.issuperset(before))):
        here, there = _find_places(mine, reach), _find_places(theirs, reach)
        moved = [
            term for term in dict.fromkeys(mine) if term in telling and term in there and not here[term] & there[term]
        ]
        for number, one in enumerate(moved):
            for other in moved[number + 1 :]:
                first = _rename(here[one], other, one) & there[other]
                second = _rename(here[other], one, other) & there[one]
                if any(map(tells, first)) and any(map(tells, second)):
                    return one, other
    return ()


def _rename(places: Set[tuple[str, ...]], term: str, name: str) -> set[tuple[str, ...]]:
    """The same places, also with one term named as the other: so they are alike where both changed places."""
    return {*places, *(tuple(name if each == term else each for each in place) for place in places)}


def _find_places(terms: Sequence[str], reach: int) -> dict[str, set[tuple[str, ...]]]:
    """After which terms each stands."""
    places: dict[str, set[tuple[str, ...]]] = {}
    padded = ["^"] * reach + list(terms)
    for place, term in enumerate(terms):
        places.setdefault(term, set()).add(tuple(padded[place : place + reach]))
    return places


def turns_comparison(sentence: str, cited: str) -> bool:
    """Whether what one side says is more than the other, the other side says is less."""
    mine, theirs = _part_comparison(sentence), _part_comparison(cited)
    if not mine or not theirs:
        return False
    (a, b), (c, d) = mine, theirs
    return bool((a & d) - c and (b & c) - d)


def _part_comparison(text: str) -> tuple[set[str], set[str]] | None:
    found = _THAN.search(text)
    if not found:
        return None
    before = set(find_content_terms(text[max(0, found.start() - 80) : found.start()] + found["middle"]))
    return before, set(find_content_terms(text[found.end() : found.end() + 80]))


def changes_limit(sentence: str, cited: str, copied: float) -> str:
    """The word by which a sentence says more than the words that it copies: "all", "must"; or ""."""
    if copied >= _HALF_COPIED and (wider := _UNIVERSAL.search(sentence)) and not _UNIVERSAL.search(cited):
        return wider[0]
    if copied >= LEAST_COPIED and (must := _MUST.search(sentence)) and not _MUST.search(cited) and _MAY.search(cited):
        return must[0]
    return ""
