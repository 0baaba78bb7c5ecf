"""A question that asks several things, parted into a question for each. English only.

"Who is the chair and when do they meet?" is two questions; so is "How many were there in 2022 and in 2023?", once
for each year. But: the parts are made to be searched with and read by, and are not always good English; and which
"and" parts is told by its form alone, so that whoever reads by the parts looks first whether the whole is said in one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from assistant.question.vocabulary import DAYS, MONTHS
from assistant.question.wording import LONGEST_CHARACTERS
from index.splitting.terms import find_content_terms

MOST_PARTS = 4
_ASKING = r"(?:who|whom|whose|what|when|where|which|why|how)"
_END = re.compile(r"(?<=\?)\s+")
_NEXT_QUESTION = re.compile(rf",? (?:and|or|as well as|and also) (?={_ASKING}\b)", re.IGNORECASE)
_OPENS = re.compile(rf"(?:[a-z]+ ){{0,2}}?{_ASKING}\b", re.IGNORECASE)
_THING = r"[\w’'-]{1,40}"
_DETERMINED = rf"(?:the|an?|his|her|its|their|our|your|my) {_THING}"
_NO_NOUN = r"(?:is|are|was|were|do|does|did|has|have|in|on|of|for|to|at|from|costs?)\b"
_DAY = rf"(?:{'|'.join([*DAYS, *MONTHS])})"
# Two of a kind, which share what stands before them and after: two years, two days, two things with an article each.
_TWO = (
    re.compile(r"\b(?P<one>(?:1\d|20)\d\d),? and (?:in |on |for )?(?P<other>(?:1\d|20)\d\d)\b"),
    re.compile(rf"\b(?P<one>{_DAY}),? and (?:on |in )?(?P<other>{_DAY})\b", re.IGNORECASE),
    re.compile(
        rf"\b(?P<one>{_DETERMINED}(?: {_THING})?),? and (?:(?:also|what) )?"
        rf"(?P<other>{_DETERMINED}(?: (?!{_NO_NOUN}){_THING})?)",
        re.IGNORECASE,
    ),
    re.compile(rf"(?<=\bthe )(?P<one>{_THING}) and (?P<other>{_THING})(?= (?:of|for) )"),
    re.compile(rf"\b(?P<one>[A-Z]{_THING}) and (?:for |by |in |of )?(?P<other>[A-Z]{_THING})"),
)
_NAME_BEFORE, _NAME_AFTER = re.compile(r"(?<!^)\b[A-Z][\w’'-]{0,40} $"), re.compile(r" [A-Z]")
_RANGE = re.compile(r"\b(?:between|from|both)\s+(?:\w+ ){0,2}$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Several:
    """The questions that one is made of. joined: the words that "and" parts; "" where whole questions follow."""

    questions: tuple[str, ...]
    joined: str = ""


def find_parts(question: str) -> Several | None:
    """The questions that one is made of, in its order, or None where it is one."""
    text = " ".join(question.split())
    if len(text) > LONGEST_CHARACTERS:
        return None
    sentences = [sentence for sentence in _END.split(text) if sentence]
    whole = [part for sentence in sentences for part in _part_questions(sentence) if find_content_terms(part)]
    if len(whole) > 1:
        return Several(tuple(whole[:MOST_PARTS]))
    return _part_things(text)


def _part_questions(sentence: str) -> list[str]:
    """The questions of one sentence: "Who is it and where is it?"."""
    first, *others = _NEXT_QUESTION.split(sentence)
    return [first, *others] if others and _OPENS.match(first) and find_content_terms(first) else [sentence]


def _part_things(sentence: str) -> Several | None:
    """A question for each of two things of a kind."""
    for pattern in _TWO:
        match = pattern.search(sentence)
        if match and not _RANGE.search(sentence[: match.start()]):
            before, after = sentence[: match.start()], sentence[match.end() :]
            if match["one"][0].isupper() and (_NAME_BEFORE.search(before) or _NAME_AFTER.match(after)):
                continue  # "People Operations and Total Rewards"
            return Several((f"{before}{match['one']}{after}", f"{before}{match['other']}{after}"), match[0])
    return None
