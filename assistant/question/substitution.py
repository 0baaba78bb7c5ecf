"""A question asked again of something else: "How heavy is the Beta?" of "How heavy is the Alpha?" and "the Beta".

The new takes the place of what is like it: a year that of a year, a name that of a name, "for children" that of "for
adults", "the large hall" that of "the small hall". But: where the question holds nothing like it, there is None.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.question.opening import PREPOSITION
from assistant.question.vocabulary import DAYS, MONTHS, NO_THINGS

MOST_PLAIN_WORDS = 3  # of a thing that takes a pronoun's place
MOST_QUESTION_WORDS = 8  # of the question that has the pronoun
_WORD = re.compile(r"[\w’'&-]+")
# "INV-2087", "B12": letters with a number, which is no year.
_CODE = re.compile(r"(?<![\w-])[^\W\d_]{1,8}+-?\d[\w-]*+")
_YEAR = re.compile(r"(?<![\w-])(?:1\d|20)\d\d(?![\w-])")
_NUMBER = re.compile(r"(?<![\w-])\d{1,12}+(?![\w-])")
_MONTHS = "|".join(MONTHS)
_MONTH = re.compile(rf"\b(?:{_MONTHS})\b", re.IGNORECASE)
_DAY_NUMBER = r"\b\d{1,2}+(?:st|nd|rd|th|\.)?"
_DATE = re.compile(
    r"(?P<by>\b(?:on|in|of|from|at) (?:the )?)?"
    rf"(?:(?P<first>{_DAY_NUMBER}) (?:of )?(?P<month>{_MONTHS})|(?P<opening>{_MONTHS}) (?P<second>{_DAY_NUMBER})"
    rf"|(?P<alone>{_MONTHS}))\b"
    r"(?P<year>,? \d{4}\b)?",
    re.IGNORECASE,
)
_DAY = re.compile(rf"\b(?:{'|'.join(DAYS)})s?\b", re.IGNORECASE)
_OF = frozenset("for of with für von mit pour de avec para con voor van met".split())
_DETERMINER = re.compile(
    r"(?:the|an?|our|your|my|his|her|their|der|die|das|den|dem|ein|eine|einen|einem|le|la|les|un|une|el|los|las|una|het|de|een)"
    r"\s+(?=\S)|l[’'](?=\S)",
    re.IGNORECASE,
)
_BOUNDARY = NO_THINGS | frozenset("and or but get cost costs need take takes last open opens close und et y".split())
_COUNTING = r"how (?:much|many)|wie ?viele?|combien de|cuánt[oa]s?|hoeveel"
_COUNTED = re.compile(rf"(?:{_COUNTING})\s+(?=\S)", re.IGNORECASE)
_ASKING = re.compile(rf"(?:which|what|whose|{_COUNTING})\s+(?=\S)", re.IGNORECASE)
_PRONOUN = re.compile(r"(?<=\w )(?:it|he|she|they|him|them)\b", re.IGNORECASE)
_SUBJECT = re.compile(
    r"\b(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|must) (?=(?:the|an?|our|your|my) )",
    re.IGNORECASE,
)
_ONLY = re.compile(r"(?:when|where) (?:is|are) (?P<what>[\w’'-]++)[?.! ]*+$", re.IGNORECASE)
_BEING = re.compile(r"(?:is|are|was|were) ", re.IGNORECASE)
_VERBS = frozenset(
    (
        "cost costs weigh last take need open start close end begin work mean have hold run use make contain include "
        "belong come go pay earn get measure leave arrive live heavy big large long old tall high wide deep far "
        "expensive cheap fast available located made built called opened closed founded allowed"
    ).split()
)


def substitute(question: str, other: str) -> str | None:
    """The question with something else in the place of its like; None where that cannot be told."""
    return (
        _replace_code(question, other)
        or _replace_date(question, other)
        or _replace_like(question, other)
        or _replace_head(question, other)
        or _replace_after_preposition(question, other)
        or _replace_name(question, other)
        or _replace_counted(question, other)
        or _replace_subject(question, other)
        or _replace_only(question, other)
        or (_append(question, other) if PREPOSITION.match(other) else None)
    )


def substitute_asked(question: str, short: str) -> str | None:
    """A question with another thing counted or chosen: "How much herring?" after "How much cod was sold?"."""
    asking = _ASKING.match(short)
    if not asking:
        return None
    words = _WORD.findall(short[asking.end() :])
    before = _ASKING.match(question)
    if not 1 <= len(words) <= 2 or not before or NO_THINGS.intersection(map(str.casefold, words)):
        return None
    if " ".join(before[0].casefold().split()) != " ".join(asking[0].casefold().split()):
        return None
    return _put(question, before.end(), _end_of_word(question, before.end()), " ".join(words))


def replace_pronoun(question: str, other: str) -> str | None:
    """The question with something else for what it points at: "What does Ash Log cost?" of "What does it cost?"."""
    pronouns = [*_PRONOUN.finditer(question)]
    is_plain = 1 <= len(other.split()) <= MOST_PLAIN_WORDS and len(question.split()) <= MOST_QUESTION_WORDS
    return _put(question, *pronouns[0].span(), other) if is_plain and len(pronouns) == 1 else None


def _replace_code(question: str, other: str) -> str | None:
    """A code for one of the same shape, "INV-2087" for "INV-2141"; a number alone for one with as many digits."""
    for kind in (_CODE, _NUMBER):
        new = kind.findall(other)
        if len(new) != 1 or (kind is _NUMBER and other != new[0]):
            continue
        alike = [place for place in kind.finditer(question) if _shape(place[0]) == _shape(new[0])]
        if len(alike) == 1:
            return _put(question, *alike[0].span(), new[0])
    return None


def _shape(code: str) -> str:
    """What a code is without its figures; of a number how many it has."""
    return re.sub(r"\d++", "9", code.casefold()) if not code.isdecimal() else "9" * len(code)


def _replace_date(question: str, other: str) -> str | None:
    """A date for a date: what is coarser than the new one stays, and a day that is finer goes.

    "In June 2024" and "in 2023" for "on 12 March 2024".
    """
    dates = [*_DATE.finditer(question)]
    if len(dates) != 1:
        return None
    old, months, years = dates[0], _MONTH.findall(other), _YEAR.findall(other)
    day = next((date for date in _DATE.finditer(other) if not date["alone"]), None)
    if len(months) > 1 or len(years) > 1 or not (months or (years and not old["alone"])):
        return None
    year = f" {years[0]}" if years else (old["year"] or "").removeprefix(",")
    by = old["by"] or ""
    if day:
        by = "on " if by.casefold() == "in " else by
        return _put(question, old.start(), old.end(), by + other[_start(day) : _end(day)] + year)
    if old["alone"]:
        return _put(question, old.start(), old.end(), by + months[0] + year)
    # Only days are "on", and "the meeting of June" is one as that of a day is.
    by = "of " if by.casefold().startswith("of") and not other.casefold().startswith("in ") else "in "
    return _put(question, old.start(), old.end(), by + (months[0] + year if months else years[0]))


def _start(date: re.Match[str]) -> int:
    return date.end("by") if date["by"] else date.start()


def _end(date: re.Match[str]) -> int:
    return date.start("year") if date["year"] else date.end()


def _replace_like(question: str, other: str) -> str | None:
    for kind in (_YEAR, _MONTH, _DAY):
        new, old = kind.findall(other), list(kind.finditer(question))
        if len(new) == 1:
            if len(old) == 1:
                return _put(question, *old[0].span(), new[0])
            if not old and kind is _YEAR and len(_WORD.findall(other)) == 1:
                return _append(question, f"in {other}")
    return None


def _replace_head(question: str, other: str) -> str | None:
    """What has the same last word, "the small hall" for "the large hall"; as many words of it as are new."""
    words, places = _bare(other).split(), list(_WORD.finditer(question))
    if len(words) < 2:
        return None
    for at in range(len(places) - 1, 0, -1):
        if _same(places[at][0], words[-1]):
            first = at
            while first > 0 and at - first < len(words) - 1 and not _bounds(places[first - 1][0]):
                first -= 1
            return _put(question, places[first].start(), places[at].end(), " ".join(words)) if first < at else None
    return None


def _replace_after_preposition(question: str, other: str) -> str | None:
    preposition = PREPOSITION.match(other)
    if not preposition:
        return None
    said = preposition[0].strip().casefold()
    new = other[preposition.end() :]
    for place in PREPOSITION.finditer(question):
        if place[0].strip().casefold() == said and question[place.start() - 1 : place.start()].isspace():
            start = place.end()
            return _put(question, start, _end_of_phrase(question, start), new)
    return None


def _replace_name(question: str, other: str) -> str | None:
    bare, names = _bare(other), find_names(question)
    preposition = PREPOSITION.match(other)
    # "In Paris" is a place, and takes nobody's.
    is_of = preposition is None or preposition[0].strip().casefold() in _OF
    if not is_of or not _is_name(bare) or len(names) != 1:
        return None
    start, end = names[0]
    # "The Omega scanner" for "the Delta printer": each is a name and what it is a name of.
    following = _WORD.match(question, end + 1)
    if not _is_name(bare.split()[-1]) and following and not _is_name(following[0]) and not _bounds(following[0]):
        end = following.end()
    return _put(question, start, end, bare)


def _replace_counted(question: str, other: str) -> str | None:
    counted = _COUNTED.match(question)
    words = other.split()
    if not counted or len(words) > 2 or PREPOSITION.match(other) or _DETERMINER.match(other) or _is_name(other):
        return None
    start, end = counted.end(), _end_of_word(question, counted.end())
    return None if _bounds(question[start:end]) else _put(question, start, end, other)


def _replace_subject(question: str, other: str) -> str | None:
    subject = _SUBJECT.search(question)
    if not subject or not _DETERMINER.match(other):
        return None
    start = subject.end()
    words = list(_WORD.finditer(question, start))[2:7]
    for word in words:
        if word[0].casefold() == "of":
            return None  # of "the hours of the library" either might be meant
        if word[0].casefold() in _VERBS or word[0].endswith("ed") or _bounds(word[0]):
            return _put(question, start, word.start() - 1, other)
    # "When is the forest walk?"
    is_all = len(words) < MOST_PLAIN_WORDS and _BEING.match(subject[0]) and subject.start() > 0
    return _put(question, start, len(question.rstrip("?.! ")), other) if is_all else None


def _replace_only(question: str, other: str) -> str | None:
    """All that a question asks about, where it is one word: "When is check-in?"."""
    only = _ONLY.match(question)
    if not only or len(other.split()) > 1 or _bounds(other):
        return None
    return _put(question, only.start("what"), only.end("what"), other)


def find_names(text: str) -> list[tuple[int, int]]:
    """Where words with a capital stand together, but the first word of all."""
    places: list[tuple[int, int]] = []
    for word in list(_WORD.finditer(text))[1:]:
        if not _is_name(word[0]) or word[0] == "I":
            continue
        if places and text[places[-1][1] : word.start()].isspace():
            places[-1] = places[-1][0], word.end()
        else:
            places.append(word.span())
    return places


def _is_name(words: str) -> bool:
    return words[:1].isupper()


def _bare(phrase: str) -> str:
    preposition = PREPOSITION.match(phrase)
    phrase = phrase[preposition.end() :] if preposition else phrase
    determiner = _DETERMINER.match(phrase)
    return phrase[determiner.end() :] if determiner else phrase


def _same(one: str, other: str) -> bool:
    return one.casefold().removesuffix("s") == other.casefold().removesuffix("s")


def _bounds(word: str) -> bool:
    return word.casefold() in _BOUNDARY or bool(_DETERMINER.match(f"{word} x")) or bool(PREPOSITION.match(f"{word} x"))


def _end_of_word(text: str, start: int) -> int:
    word = _WORD.match(text, start)
    return word.end() if word else start


def _end_of_phrase(text: str, start: int) -> int:
    """Where a noun with what stands before it ends: a name with its last capital, others before a little word."""
    words = list(_WORD.finditer(text, start))
    end = start
    determiner = _DETERMINER.match(text, start)
    begins = determiner.end() if determiner else start
    phrase: Sequence[re.Match[str]] = [word for word in words if word.start() >= begins]
    named = bool(phrase) and _is_name(phrase[0][0])
    for number, word in enumerate(phrase):
        if number and (_bounds(word[0]) or (named and not _is_name(word[0])) or "," in text[end : word.start()]):
            break
        end = word.end()
    return end


def _put(question: str, start: int, end: int, words: str) -> str:
    return f"{question[:start]}{words}{question[end:]}"


def _append(question: str, words: str) -> str:
    bare = question.rstrip("?.! \u00a0")
    return f"{bare} {words}{question[len(bare) :]}"
