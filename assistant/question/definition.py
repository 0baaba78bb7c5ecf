"""What a question wants explained, "What does BCP stand for?", and whether words explain it. English only.

A line that opens with what is asked for and then says it explains it too: "Gate code: 7731", "MAX_RETRIES = 7".
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from assistant.question.wording import LONGEST_CHARACTERS

OWNED = 0.7  # of what a line counts that leaves out whose it is
_LONGEST_TERM_WORDS = 6
_ARTICLE = r"(?:an? |the )?"
_STANDS = re.compile(
    rf"\bwhat (?:does|do|did) {_ARTICLE}(?:(?:abbreviation|acronym|term|word|letters?|initials) )?"
    r"(?P<term>\S.{0,80}?) (?:stand for|abbreviate|mean)\b",
    re.IGNORECASE,
)
_MEANING = re.compile(
    rf"\b(?:(?:meaning|definition|full form|expansion) of|define) {_ARTICLE}(?:(?:term|word) )?(?P<term>[^?.]+)",
    re.IGNORECASE,
)
_IS = re.compile(
    rf"^(?:what|who|where|when)(?:['’]s| is| are| was| were| exactly is) {_ARTICLE}(?P<term>[^?.]+)\??$", re.IGNORECASE
)
_OF = re.compile(r" (?:of|for|in|on|at|to) ", re.IGNORECASE)
_PART = re.compile(r"[\s_-]+")
_MARKS = " \"'“”‘’*_`?.,:"
_AROUND = " \t\n\"'“‘«([*_`-–—|"
_OPENING = re.compile(r"(?:an?|the)\s[\"'“‘«*_]{0,3}")
_SAYING = re.compile(
    r"(?:e?s)?(?!\w)[^\w\s:=|–—-]{0,3}\s{0,2}(?:\([^()]{1,60}\)\s?)?"
    r"(?P<says>is|are|was|were|means?|stands? for|refers? to|denotes?|describes?|[:=|–—]|- |\t| {3})"
)
_LITTLE = frozenset("a an the of and for in on to".split())
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Definition:
    """What is to be explained. expands: an abbreviation's full words are wanted, not what it does."""

    term: str
    expands: bool = False


def find_definition(question: str) -> Definition | None:
    """What a question wants explained, or None where it wants something else."""
    if len(question) > LONGEST_CHARACTERS:
        return None
    for pattern in (_STANDS, _MEANING, _IS):
        if match := pattern.search(question):
            term = match["term"].strip(_MARKS)
            is_term = bool(term) and len(_PART.split(term)) <= _LONGEST_TERM_WORDS
            return Definition(term, pattern is not _IS and term.isupper()) if is_term else None
    return None


def explains(words: str, wanted: Definition) -> float:
    """How well words explain what is wanted, from 0 to 1."""
    if wanted.term.isupper() and _spells_out(words, wanted.term):
        return 1.0
    says = _find_saying(words, wanted.term)
    if not says:
        # "The length of the boat" may stand as "Length: 9.4 metres" under "Boat".
        attribute, *owner = _OF.split(wanted.term, maxsplit=1)
        return OWNED if owner and attribute and _find_saying(words, attribute) else 0.0
    # What an abbreviation is, is not what it stands for.
    return 0.3 if wanted.expands and says in ("is", "are", "was", "were") else 1.0


def _find_saying(words: str, term: str) -> str:
    """The word or mark with which words that open with a term go on to say it, or ""."""
    rest = words.casefold().lstrip(_AROUND)
    rest = rest[opening.end() :] if (opening := _OPENING.match(rest)) else rest
    for part in _PART.split(term.casefold()):
        rest = rest.lstrip(_AROUND)
        if not rest.startswith(part):
            return ""
        rest = rest[len(part) :]
    match = _SAYING.match(rest)
    return match["says"] if match else ""


def _spells_out(words: str, short: str) -> bool:
    """Whether words give an abbreviation beside what it is made of: "Business Continuity Plan (BCP)"."""
    letters = [letter for letter in short.casefold() if letter.isalpha()]
    place = words.find(f"({short})")
    if place >= 0:
        before = list(_WORD.findall(words[max(0, place - 200) : place]))
        return _begin(before, letters) or _begin([word for word in before if word.casefold() not in _LITTLE], letters)
    place = words.find(f"{short} (")
    if place >= 0:
        inside = words[place + len(short) + 2 :].partition(")")[0]
        return _initials_of(inside)[: len(letters)] == letters
    return False


def _begin(words: list[str], letters: list[str]) -> bool:
    """Whether the last words begin with the letters."""
    return len(letters) > 1 and [word[0].casefold() for word in words[-len(letters) :]] == letters


def _initials_of(words: str) -> list[str]:
    return [word[0].casefold() for word in _WORD.findall(words) if word.casefold() not in _LITTLE]
