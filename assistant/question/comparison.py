"""A question that compares two things, parted into a question about each. English only.

What documents say of two things they seldom say in one sentence: "Is the Alpha heavier than the Beta?" is read as
"Is the Alpha heavier" and "the Beta heavier". But: the parts are made to be searched with, and are no good English.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from assistant.question.wording import LONGEST_CHARACTERS
from index.splitting.terms import find_content_terms

_BE, _DO = "(?:is|are|was|were)", "(?:do|does|did|has|have|had|can|could|will|would)"
_MORE = r"(?:\w{2,}er|more|less|worse)"
_BEST = r"(?:\w{2,}er|\w{3,}est|more|less|worse|most|least|worst|first|last)"
# X and Y stand for the two sides. The first form that fits decides.
_FORMS = (
    rf"\b(?:{_BE}|{_DO}) X (?:differ|different|compared?|similar|identical)\b.*? (?:from|to|with) Y",
    rf"\b(?:{_BE}|{_DO}) X and Y (?:differ\w*|compared?|alike|similar|identical|the same|have in common)\b",
    r"\b(?:compar(?:e|ing)|contrast(?:ing)?) X and Y",
    r"\b(?:compar(?:e|ing)|contrast(?:ing)?) X (?:with|against) Y",
    r"\b(?:compar(?:e|ing)|contrast(?:ing)?|distinguish(?:es|ed)?) X (?:to|from) Y",
    r"(?:^|\b(?:what(?:['’]s| is| are| was| were)|there|explain|describe|tell me|show me) )(?:an? |any |the )?(?:\w+ )?"
    r"(?:difference|similarit|distinction|contrast|comparison)\w*\b.*? (?:between|of) X (?:and|or|with|to) Y",
    rf"(?:^|\bhow much \w+ ){_BE} (?P<one>.+) {_MORE}\b.*? than Y",
    rf"(?:^|\bhow much \w+ ){_DO} X \w+(?: an?| the)? {_MORE}\b.*? than Y",
    rf"\bhow much {_MORE}\b.*? {_BE} X than Y",
    rf"\bhow much {_MORE}\b.*? {_DO} X \w+ than Y",
    rf"^{_BE} X as \w+ as Y",
    rf"\b(?:which|who|what|whose)\b.* {_BEST}\b[^,:]*[,:] X or Y",
    rf"\b(?:which|who|what) {_BE} {_BEST} X or Y",
    rf"^X or Y[:,] (?:which|who|what)\b.* {_BEST}\b",
    r"^X (?:versus|vs\.?) Y",
)
_SIDES = {"X": r"(?P<one>\S.*?),?", "Y": r"(?P<other>\S.*?)"}
_END = r"(?=[?;:,.](?: |$)|$)"
_FORM_PATTERNS = [
    re.compile(re.sub("[XY]", lambda place: _SIDES[place[0]], form) + (_END if form.endswith("Y") else ""), re.I)
    for form in _FORMS
]
# "both the Alpha and the Beta weigh ...": nothing but its length tells where the second side ends. Only of names, since
# "both old and new" is one matter.
_BOTH = re.compile(r"\b[Bb]oth (?P<one>(?:the )?[A-Z].*?) and (?P<other>(?:the )?[A-Z].*?)" + _END)
_OWNER = re.compile(r"[’']s?(?= |$)")
_PREPOSITION = re.compile(r" (?:of|in|on|for|with|to|towards?|about|at|from|under|by|when) ", re.IGNORECASE)
# A side that is no one thing can be looked for in no sentence.
_ANYTHING = re.compile(
    r"\b(?:(?:an)?others?|any|every|all|most|each|average)\b|^(?:th(?:at|em|is|ese|ose)|it)$", re.IGNORECASE
)
_COMPARING = re.compile(
    r"\b(?:compar(?:ed?|ing|ison)|contrast(?:ing)?|differences?|differ(?:ent|s)?|distinguish\w*|distinctions?"
    r"|similar(?:it(?:y|ies))?|identical|(?:have )?in common|between|both)\b",
    re.IGNORECASE,
)
_JOINING = re.compile(r",? *\b(?:and|or|with|to|from|against|than|versus|vs\.?) *$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Part:
    """One of the two things: its words in the question, the terms that the other does not share, and what is asked."""

    words: str
    terms: tuple[str, ...]
    question: str


def find_sides(question: str) -> tuple[Part, Part] | None:
    """The two things that a question compares, in its order, or None where it compares nothing."""
    text = " ".join(question.split())
    if len(text) > LONGEST_CHARACTERS:
        return None
    for pattern in (*_FORM_PATTERNS, _BOTH):
        if match := pattern.search(text):
            return _make_sides(text, match.span("one"), _cut(text, match) if pattern is _BOTH else match.span("other"))
    return None


def _cut(text: str, match: re.Match[str]) -> tuple[int, int]:
    """The second side, as long in words as the first."""
    words = match["other"].split(" ")[: len(match["one"].split(" "))]
    return match.start("other"), match.start("other") + len(" ".join(words))


def _make_sides(text: str, one: tuple[int, int], other: tuple[int, int]) -> tuple[Part, Part] | None:
    one, other = _share_out(text, one, other)
    words = text[slice(*one)], text[slice(*other)]
    terms = [find_content_terms(side) for side in words]
    own = [[term for term in mine if term not in others] for mine, others in (terms, terms[::-1])]
    if not all(own) or any(map(_ANYTHING.search, words)):
        return None
    between = _JOINING.sub("", text[one[1] : other[0]]).rstrip()
    parts = f"{text[: one[1]]}{between}{text[other[1] :]}", f"{text[: one[0]]}{between} {text[other[0] :]}"
    first, second = (" ".join(_COMPARING.sub(" ", part).split()) for part in parts)
    return Part(words[0], tuple(own[0]), first), Part(words[1], tuple(own[1]), second)


def _share_out(text: str, one: tuple[int, int], other: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    """What stands once belongs to both sides: "the price of" in "the price of the Alpha and the Beta"."""
    if text[: other[1]].endswith(("’s", "'s")) and (owner := _OWNER.search(text, *one)):
        return (one[0], owner.end()), other
    before = list(_PREPOSITION.finditer(text, *one))
    after = _PREPOSITION.search(text, *other)
    if before and not after:
        one = before[-1].end(), one[1]
    if after and not before:
        other = other[0], after.start()
    return one, other
