"""The numbers of a text with their units: "five million", "$5m", "a decade", "9 a.m.".

But: they are those of English words and of digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from assistant.question.vocabulary import DAYS, MONTHS, SMALL_NUMBERS, TENS
from index.splitting.terms import find_content_terms

_ORDINALS = (
    "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth"
).split()
_WORDS = {
    **{word: n for n, word in enumerate(SMALL_NUMBERS)},
    **{word: 10 * n for n, word in enumerate(TENS, start=2)},
    **{word: n for n, word in enumerate(_ORDINALS)},
    **{word[:-1] + "ieth": 10 * n for n, word in enumerate(TENS, start=2)},
    "twice": 2, "thrice": 3, "dozen": 12, "once": 1, "single": 1,
}  # fmt: skip
_RANKS = {*_ORDINALS, *(word[:-1] + "ieth" for word in TENS)}
_SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_SHORT_SCALES = {"k": 1e3, "m": 1e6, "mn": 1e6, "mln": 1e6, "b": 1e9, "bn": 1e9, "tn": 1e12}
# Words that are more often something else than a number that matters.
_LOOSE = {"one", "ones", "first", "second", "once", "single", "zero", "dozens"}

_LIST_JOINT = re.compile(r",(?: (?:and|or)\b)?|(?<=\S) (?:and|or) ")
_LONGEST_COUNTED = 5  # words between a number and the list that it counts

_UNITS = {
    "%": "% percent pct percentage",
    "$": "$ dollar dollars usd us$",
    "€": "€ euro euros eur",
    "£": "£ gbp sterling",
    "¥": "¥ yen yuan",
    "km": "km kms kilometre kilometres kilometer kilometers",
    "m": "m metre metres meter meters",
    "cm": "cm centimetre centimetres centimeter centimeters",
    "mm": "mm millimetre millimetres millimeter millimeters",
    "mile": "mile miles mi",
    "foot": "foot feet ft",
    "inch": "inch inches",
    "yard": "yard yards yd",
    "kg": "kg kilo kilos kilogram kilograms kilogramme kilogrammes",
    "g": "g gram grams gramme grammes",
    "tonne": "tonne tonnes ton tons",
    "pound": "pound pounds lb lbs",
    "ounce": "ounce ounces oz",
    "litre": "litre litres liter liters l",
    "gallon": "gallon gallons",
    "acre": "acre acres",
    "hectare": "hectare hectares ha",
    "second": "second seconds secs sec s",
    "minute": "minute minutes min mins",
    "hour": "hour hours hr hrs h",
    "day": "day days",
    "week": "week weeks",
    "month": "month months",
    "year": "year years",
    "decade": "decade decades",
    "century": "century centuries",
    "mw": "mw megawatt megawatts",
    "kw": "kw kilowatt kilowatts",
    "ml": "ml millilitre millilitres milliliter milliliters",
    "kwh": "kwh",
    "gb": "gb gigabyte gigabytes",
    "mb": "mb megabyte megabytes",
}
_UNIT_OF = {word: unit for unit, words in _UNITS.items() for word in words.split()}
# Units of one thing: how many of the smallest each is.
_SIZES: list[dict[str, float]] = [
    {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800},
    {"month": 1, "year": 12, "decade": 120, "century": 1200},
    {"mm": 1, "cm": 10, "m": 1e3, "km": 1e6},
    {"g": 1, "kg": 1e3, "tonne": 1e6},
    {"ml": 1, "litre": 1e3},
    {"kw": 1, "mw": 1e3},
    {"mb": 1, "gb": 1e3},
]

_MOST_RECKONED, _LEAST_RECKONED = 12, 13
_CARDINAL = "|".join(sorted((*(_WORDS.keys() - _RANKS), *_SCALES), key=len, reverse=True))
_ORDINAL = "|".join(sorted(_RANKS, key=len, reverse=True)).replace("second", "second(?!s)")
# "two hundred and five", and not the "ten and twelve" of a range; nothing follows an ordinal: "the first two".
_BETWEEN = r"(?:[\s-]+|(?:(?<=hundred)|(?<=thousand)|(?<=million)|(?<=billion))\s+and\s+)"
_NUMBER = re.compile(
    rf"(?P<currency>(?:US)?[$€£¥]\s?)?(?<![\w.])(?P<digits>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    rf"(?P<tail>(?:st|nd|rd|th|s|k|m|mn|mln|b|bn|tn)\b|-(?=[a-z]))?(?P<scale>[\s-](?:hundred|thousand|million|billion"
    rf"|trillion)s?\b)?"
    rf"|\b(?P<words>(?:(?:{_CARDINAL})s?(?:{_BETWEEN}(?:{_CARDINAL})s?)*(?:{_BETWEEN}(?:{_ORDINAL})s?)?"
    rf"|(?:{_ORDINAL})s?))\b",
    re.IGNORECASE,
)
_CLOCK = re.compile(
    r"\b(?P<hour>\d{1,2})(?:[:.](?P<minute>[0-5]\d))?\s?(?P<half>[ap])\.?m\b\.?"
    r"|\b(?P<hours>\d{1,2}):(?P<minutes>[0-5]\d)\b"
)
_PAST = re.compile(rf"\b(half|(?:a )?quarter) (past|to) (\d{{1,2}}|{'|'.join(SMALL_NUMBERS[1:13])})\b", re.IGNORECASE)
_SPELLED = [
    # what is written, how often what unit
    (re.compile(r"\b(?:an?|one) (year|hour) and a half\b", re.IGNORECASE), {"year": "18 months", "hour": "90 minutes"}),
    (re.compile(r"\b(?:an?|one) (hour) and a quarter\b", re.IGNORECASE), {"hour": "75 minutes"}),
    (re.compile(r"\bhalf an? (hour|year|day|dozen)\b", re.IGNORECASE),
     {"hour": "30 minutes", "year": "6 months", "day": "12 hours", "dozen": "6"}),
    (re.compile(r"\b(?:an?|one|the last|the past) (decade|century|fortnight)\b", re.IGNORECASE),
     {"decade": "10 years", "century": "100 years", "fortnight": "14 days"}),
    (re.compile(r"\btwice a (year|day)\b", re.IGNORECASE), {"year": "every 6 months", "day": "every 12 hours"}),
    (re.compile(r"\bthree quarters of an (hour)\b", re.IGNORECASE), {"hour": "45 minutes"}),
]  # fmt: skip
_AND_A_HALF = re.compile(rf"\b(\d{{1,4}}|{'|'.join(SMALL_NUMBERS[1:13])}) and a half\b", re.IGNORECASE)
_NUMBERED_DATE = re.compile(r"\b(\d{1,2})([/.])(\d{1,2})\2((?:19|20)\d\d)\b")
_ISO_DATE = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_SHORT_RANGE = re.compile(r"\b((?:1\d|20)\d\d)([–/-])(\d\d)\b(?!-)")
_DAY_ABBREVIATION = re.compile(
    r"\b(Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat(?=[\s,;:.)/-]*(?:\d|$|[;,.)/]))|Sun(?=[\s,;:.)/-]*(?:\d|$|[;,.)/])))\b\.?"
)
_MONTH_ABBREVIATION = re.compile(r"\b(Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\b\.?")
_ABOUT = re.compile(
    r"\b(?:about|around|approximately|roughly|nearly|almost|some|circa|over|under|(?:more|less|fewer) than|at least"
    r"|up to|close to|just|estimated|an?)\s+\S?$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number of a text.

    values: what it may mean ("5m" is five million, or five metres). unit: "" where it has none that we know.
    loose: more often a figure of speech than a number ("one of them", "first"). rough: told as "about".
    start, end: its place in the plain text.
    """

    values: frozenset[float]
    unit: str
    loose: bool
    rough: bool
    start: int
    end: int


def write_dates_out(text: str) -> str:
    """The text with "2025-05-13" as "13 May 2025", "1914-18" as "1914-1918", "Sept." as "September".

    And with durations in digits: "a decade" as "10 years", "half past four" as "4:30".
    """
    text = _ISO_DATE.sub(
        lambda d: f"{int(d[3])} {MONTHS[int(d[2]) - 1].title()} {d[1]}" if 1 <= int(d[2]) <= 12 else d[0], text
    )
    text = _NUMBERED_DATE.sub(_write_date, text)
    text = _SHORT_RANGE.sub(lambda d: f"{d[1]}{d[2]}{d[1][:2]}{d[3]}" if int(d[3]) > int(d[1][2:]) else d[0], text)
    for pattern, durations in _SPELLED:
        text = pattern.sub(partial(_spell_out, durations), text)
    text = _PAST.sub(_write_time, text)
    text = _AND_A_HALF.sub(lambda number: f"{_read_small(number[1])}.5", text)
    text = _DAY_ABBREVIATION.sub(lambda d: next(day for day in DAYS if day.startswith(d[1][:3].lower())).title(), text)
    return _MONTH_ABBREVIATION.sub(
        lambda d: next(month for month in MONTHS if month.startswith(d[1][:3].lower())).title(), text
    )


def _spell_out(durations: Mapping[str, str], spelled: re.Match[str]) -> str:
    return durations[spelled[1].lower()]


def _write_date(date: re.Match[str]) -> str:
    """ "17/03/2025" as "17 March 2025"; where either number may be the month, as it is."""
    day, month = int(date[1]), int(date[3])
    if month > 12:
        day, month = month, day
    return f"{day} {MONTHS[month - 1].title()} {date[4]}" if 1 <= month <= 12 < day <= 31 else date[0]


def _write_time(time: re.Match[str]) -> str:
    hour, minutes = _read_small(time[3]), 30 if time[1].lower() == "half" else 15
    return f"{hour}:{minutes}" if time[2].lower() == "past" else f"{(hour - 2) % 12 + 1}:{60 - minutes}"


def _read_small(number: str) -> int:
    return int(number) if number.isdigit() else SMALL_NUMBERS.index(number.lower())


def find_quantities(text: str) -> list[Quantity]:
    """The numbers of a text, its times of day first."""
    found = list(_find_times(text))
    text = _CLOCK.sub(lambda time: "·" * len(time[0]), text)
    for match in _NUMBER.finditer(text):
        following = re.match(r"\s?(%|[A-Za-z]+)?(?:\s+(cent|[A-Za-z]+))?", text[match.end() : match.end() + 40])
        word, next_word = ((following[1] or "").lower(), (following[2] or "").lower()) if following else ("", "")
        unit = "%" if (word, next_word) == ("per", "cent") else _UNIT_OF.get(word, "")
        if match["words"]:
            values = {_read_words(match["words"])}
            # "In the third quarter": a rank in words is mostly told otherwise elsewhere.
            loose = match["words"].lower() in _LOOSE | _RANKS
            # "five of the million" and such are read as they stand; a magnitude alone is none: "millions of people".
            if match["words"].lower().rstrip("s") in _SCALES:
                loose = True
        else:
            value = float(match["digits"].replace(",", ""))
            scale = (match["scale"] or "").strip(" -\u00a0\u202f").lower().rstrip("s")
            tail = (match["tail"] or "").lower()
            value *= _SCALES.get(scale, 1)
            values = {value}
            if tail in _SHORT_SCALES:
                values.add(value * _SHORT_SCALES[tail])
                unit = unit or ("m" if tail == "m" and not match["currency"] else "")
            loose = False
        if match["currency"]:
            unit = match["currency"].strip()[-1]
        rough = bool(_ABOUT.search(text[max(0, match.start() - 20) : match.start()] + " "))
        found.append(Quantity(frozenset(values), unit, loose, rough, match.start(), match.end()))
    return found


def _find_times(text: str) -> Iterator[Quantity]:
    """The times of day, as hours: 8:30 is 8.3, which may be 20.3."""
    for time in _CLOCK.finditer(text):
        hour, minute = int(time["hour"] or time["hours"]), int(time["minute"] or time["minutes"] or 0)
        hours = {hour, hour % 12 + 12} if time["half"] == "p" else {hour, hour % 12}
        values = frozenset(round(h + minute / 100, 2) for h in hours)
        yield Quantity(values, "", False, False, time.start(), time.end())


def _read_words(words: str) -> float:
    total = part = 0.0
    for word in re.findall(r"[a-z]+", words.lower()):
        bare = word if word in _WORDS or word in _SCALES else word.rstrip("s")
        if bare in _SCALES:
            part = (part or 1) * _SCALES[bare]
            if _SCALES[bare] > 100:
                total, part = total + part, 0.0
        elif bare == "dozen":
            part = (part or 1) * 12
        elif bare in _WORDS:
            part += _WORDS[bare]
    return total + part


def same_quantity(one: Quantity, other: Quantity) -> bool:
    """Whether the first number may be told of the other; a unit that only one of them names does not part them."""
    if one.unit and other.unit and one.unit != other.unit:
        return _same_size(one, other)
    if one.values & other.values:
        return True
    # "About 5 million" may stand for 4.97 million; "about 1870" is no other year, and 303 is not about anything.
    return one.rough and any(
        abs(a - b) <= 0.05 * b and b >= 20 and _count_digits(a) < min(3, _count_digits(b))
        for a in one.values
        for b in other.values
    )


def _same_size(one: Quantity, other: Quantity) -> bool:
    """Whether two numbers of different units are the same: 48 hours are two days."""
    return any(
        abs(a * sizes[one.unit] - b * sizes[other.unit]) < 0.001 * b * sizes[other.unit]
        for sizes in _SIZES
        if one.unit in sizes and other.unit in sizes
        for a in one.values
        for b in other.values
    )


def counts_list(text: str, quantity: Quantity) -> bool:
    """Whether a number counts what the sentence then lists: "three shells: bash, zsh and fish"."""
    head, colon, listed = text[quantity.end :].partition(":")
    items = [item for item in _LIST_JOINT.split(listed.strip(" .")) if item.strip()]
    return bool(colon) and len(head.split()) <= _LONGEST_COUNTED and len(items) in quantity.values


def is_reckoned(quantity: Quantity, given: Sequence[Quantity]) -> bool:
    """Whether a number is the sum or the difference of two that are given: small ones are that too easily.

    And one more or less, and what is only counted ("the first"), would make any other year of a year.
    """
    if len(given) > _MOST_RECKONED:
        return False
    amounts = [value for other in given if not other.loose for value in other.values if value != 1]
    return any(
        any(
            # What lies between two years may be few.
            abs(abs(a + sign * b) - value) < 0.001 and (value >= _LEAST_RECKONED or (sign < 0 and 1500 < a < 2200))
            for a in amounts
            for b in amounts
            for sign in (1, -1)
        )
        for value in quantity.values
    )


def _count_digits(value: float) -> int:
    """The significant digits."""
    return len(f"{value:.0f}".rstrip("0"))


def misses_binding(sentence: str, cited: str) -> bool:
    """Whether a number counts something that in the cited text only another number counts.

    "30 passengers", where the cited text has "214 passengers and a crew of 30".
    """
    counted = list(_find_counted(cited))
    return any(
        any(thing == other for _, other in counted)
        and not any(thing == other and same_quantity(number, amount) for amount, other in counted)
        for number, thing in _find_counted(sentence)
        if not number.loose
    )


def _find_counted(text: str) -> Iterator[tuple[Quantity, str]]:
    """Each number with the word right after it, where that is a word of its own."""
    for quantity in find_quantities(text):
        following = re.match(r"[\s-]+([^\W\d_]{3,})", text[quantity.end : quantity.end + 40])
        if following and (terms := find_content_terms(following[1])):
            yield quantity, terms[0]
