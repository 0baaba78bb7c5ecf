"""What kind of thing a question asks for, and whether a sentence holds such a thing. English only."""

from __future__ import annotations

import re

# The first pattern that matches decides.
_ASKED = {
    "reason": r"\b(?:why|how come|what (?:is|was|were|are) the (?:reasons?|causes?)|what caused|for what reason)\b",
    "statement": r"\b(?:what|how) (?:did|does|do|has|have|was|were|is) .*"
    r"\b(?:say|said|saying|tell|told|claim|argue|think|note|warn|write|react|comment|describe)",
    "number": r"\bhow (?:many|much|old|long|far|tall|large|big|high|often)\b"
    r"|\bwhat (?:number|percentage|share|amount|population)\b",
    "time": r"\b(?:when|(?:what|which) (?:year|date|day|month|century|time)|how long ago)\b",
    "person": r"\b(?:who|whom|whose)\b",
    "place": r"\b(?:where|(?:what|which) (?:country|countries|city|cities|places?|states?|town|region))\b",
}
_ASKED_PATTERNS = {kind: re.compile(pattern) for kind, pattern in _ASKED.items()}

_HELD = {
    "reason": r"\b(?:because|due to|since|owing to|thanks to|in order to|so that|as a result|therefore|reasons?|caused?"
    r"|leads? to|led to|aims?|focus(?:ed)?|considered|viewed|to (?:avoid|prevent|protect|reduce|make|show|help))\b",
    "statement": r"[\"“”«»]|\b(?:say|says|said|told|tells|call(?:s|ed)|argue[sd]?|note[sd]?|add(?:s|ed)|warn(?:s|ed)"
    r"|wrote|writes|put it|claim(?:s|ed)|describe[sd]|state[sd]|remark(?:s|ed)?|according)\b",
    "number": r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozen|hundred|thousand|million"
    r"|billion|half|third|quarter)\b",
    "time": r"\b(?:1\d|20)\d\d\b|\b(?:january|february|march|april|may|june|july|august|september|october|november"
    r"|december|monday|tuesday|wednesday|thursday|friday|saturday|sunday|century|decade|years? ago|today|yesterday"
    r"|last (?:year|month|week))\b",
}
_HELD_PATTERNS = {kind: re.compile(pattern, re.IGNORECASE) for kind, pattern in _HELD.items()}

# A capital that does not open a sentence: a name, mostly.
_NAME = re.compile(r"(?<![.!?]\s)(?<!^)\b[A-Z][\w’'-]+")
_LEANING = re.compile(
    r"(?:and |but |yet |so )?(?:he|she|it|they|this|that|these|those|his|her|its|their|such|both|neither"
    r"|the (?:former|latter)|to them|for them)\b"
    r"|(?:\S+ ){1,8}(?:it|him|her|them)[.,;]",
    re.IGNORECASE,
)


def asks_for(question: str) -> str:
    """The kind of thing that a question wants, a key of `_ASKED`, or "" where it does not say."""
    lowered = question.casefold()
    return next((kind for kind, pattern in _ASKED_PATTERNS.items() if pattern.search(lowered)), "")


def holds(kind: str, sentence: str, question: str) -> bool:
    """Whether a sentence holds what is asked for: for a person or place, a name that the question does not give."""
    if kind in ("person", "place"):
        lowered = question.casefold()
        return any(name.casefold() not in lowered for name in _NAME.findall(sentence))
    return kind in _HELD_PATTERNS and _HELD_PATTERNS[kind].search(sentence) is not None


def find_names(question: str) -> list[str]:
    """The names and numbers of a question: what an answer can hardly do without."""
    return [*_NAME.findall(question), *re.findall(r"\d[\d.,]*", question)]


def leans(sentence: str) -> bool:
    """Whether a sentence points back to the one before: "He added that ...", "Oman mediated it."."""
    return _LEANING.match(sentence) is not None
