"""A question, read once: what is known of it is one value, made where its walk begins and passed on.

But: a question is read in its own language only where that has its wordings; see `assistant.question.wording`. Of any
other the terms, names and numbers are found, and no kind. Comparisons are read in English alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import pairwise

from assistant.question.again import Length
from assistant.question.asked import (
    asks_for,
    asks_for_several,
    asks_how,
    asks_whether,
    denies,
    find_names,
    find_numbers,
)
from assistant.question.comparison import find_sides
from assistant.question.definition import Definition, find_definition
from assistant.question.parts import find_parts
from assistant.question.wording import drop_little
from index.splitting.terms import choose_query_terms, find_content_terms, find_terms

_LEANING = re.compile(r"\b(?:it|its|he|his|him|she|hers?|they|their|them|this|that|these|those)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, in the user's words, and what is searched.

    words: as the user asked. query: the same, or with what the conversation lends. length: whether the answer before
    is wanted again, shorter or longer; "" as a rule.

    Of the words, or of the question that they stand for ("What about 2021?"):
    kind: the kind of thing that is wanted, see `asks_for`; "" where the words do not say.
    asks_whether, asks_how, asks_for_several: a yes or no, a manner, a list is wanted.
    compares, denies: two things are compared, something is denied.
    asked: their terms. content: those that carry meaning. named: those of names and numbers, in order.
    numbers: their numbers, as digits. definition: what is to be explained.

    Of the query:
    terms: what it is read by, in order: its content, without what only asks.
    pairs: its terms two by two, little words too.
    sides: the two things that it compares; none where it compares nothing.
    parts: the questions that it is made of, where these are several and compare nothing. joined: the words that
        "and" parts there, "price and weight", which may be one name; "" where whole questions follow each other.
    """

    words: str
    query: str
    length: Length
    kind: str
    asks_whether: bool
    asks_how: bool
    asks_for_several: bool
    compares: bool
    denies: bool
    asked: frozenset[str]
    content: frozenset[str]
    named: tuple[str, ...]
    numbers: frozenset[str]
    terms: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    sides: tuple[Side, ...]
    definition: Definition | None = None
    parts: tuple[Question, ...] = ()
    joined: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """One of two things that are compared.

    called: the terms of what it is called. own: those that the other thing does not share.
    question: what is asked of it alone.
    """

    called: frozenset[str]
    own: tuple[str, ...]
    question: Question


def read_question(words: str, query: str | None = None, *, asked: str | None = None, length: Length = "") -> Question:
    """All that is known of a question.

    query: what is searched, where it is not the words themselves. asked: the question that the words stand for, where
    they only make sense in their conversation. length: see `Question`.
    """
    asked = words if asked is None else asked
    query = asked if query is None else query
    parts = find_sides(query) or ()
    sides = tuple(Side(frozenset(find_terms(p.words)), p.terms, _read(p.question, p.question)) for p in parts)
    compares = bool(sides) if asked == query else find_sides(asked) is not None
    several = find_parts(query) if asked == query else None  # what the conversation lends is no further question
    question = replace(
        _read(asked, query, sides, compares),
        words=words,
        length=length,
    )
    if asked != words and asks_for_several(words):  # "What else?" asks for several of what was asked before
        question = replace(question, asks_for_several=True)
    if compares or sides or several is None:
        return question
    first = several.questions[0]
    # "... and why was it late?" leaves it to the first what is meant.
    leaning = [not several.joined and part != first and _LEANING.search(part) for part in several.questions]
    lent = [f"{part} {first}" if leans else part for part, leans in zip(several.questions, leaning, strict=True)]
    return replace(question, parts=tuple(map(_read, several.questions, lent)), joined=several.joined)


def _read(words: str, query: str, sides: tuple[Side, ...] = (), compares: bool = False) -> Question:
    terms = find_terms(query)
    return Question(
        words=words,
        query=query,
        length="",
        kind=asks_for(words),
        asks_whether=asks_whether(words),
        asks_how=asks_how(words),
        asks_for_several=asks_for_several(words),
        compares=compares,
        denies=denies(words),
        asked=frozenset(find_terms(words)),
        content=frozenset(find_content_terms(words)),
        named=tuple(find_content_terms(" | ".join(find_names(words)))),
        numbers=find_numbers(words),
        terms=tuple(choose_query_terms(find_terms(drop_little(query))) or choose_query_terms(terms)),
        pairs=tuple(pairwise(terms)),
        sides=sides,
        definition=find_definition(words),
    )
