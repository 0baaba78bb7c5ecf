"""The facts of a sentence that words alone decide: numbers with their units, names, negations, opposites, quoted words.

But: numbers are those of English words and of digits; names are what Latin script writes with a capital; what a
negation denies is taken to be the word after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass

from assistant.question.vocabulary import MONTHS, SMALL_NUMBERS, TENS
from index.splitting.terms import STOP_WORDS, find_content_terms, find_terms

# -- numbers ----------------------------------------------------------------------------------

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
_SCALES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_SHORT_SCALES = {"k": 1e3, "m": 1e6, "mn": 1e6, "mln": 1e6, "b": 1e9, "bn": 1e9, "tn": 1e12}
# Words that are more often something else than a number that matters.
_LOOSE = {"one", "first", "second", "once", "single", "zero", "dozens"}

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
    "litre": "litre litres liter liters",
    "gallon": "gallon gallons",
    "acre": "acre acres",
    "hectare": "hectare hectares ha",
    "second": "seconds secs",
    "minute": "minute minutes min mins",
    "hour": "hour hours hr hrs",
    "day": "day days",
    "week": "week weeks",
    "month": "month months",
    "year": "year years",
    "decade": "decade decades",
    "century": "century centuries",
    "mw": "mw megawatt megawatts",
    "kw": "kw kilowatt kilowatts",
    "gb": "gb gigabyte gigabytes",
    "mb": "mb megabyte megabytes",
}
_UNIT_OF = {word: unit for unit, words in _UNITS.items() for word in words.split()}

_NUMBER_WORD = "|".join(sorted((*_WORDS, *_SCALES), key=len, reverse=True))
_NUMBER = re.compile(
    rf"(?P<currency>(?:US)?[$€£¥]\s?)?(?<![\w.])(?P<digits>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?)"
    rf"(?P<tail>(?:st|nd|rd|th|s|k|m|mn|mln|b|bn|tn)\b|-(?=[a-z]))?(?P<scale>[\s-](?:hundred|thousand|million|billion|trillion)s?\b)?"
    rf"|\b(?P<words>(?:{_NUMBER_WORD})s?(?:(?:\s+and\s+|[\s-]+)(?:{_NUMBER_WORD})s?)*)\b",
    re.IGNORECASE,
)
_ISO_DATE = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_SHORT_RANGE = re.compile(r"\b((?:1\d|20)\d\d)([–/-])(\d\d)\b(?!-)")
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
    """The text with "2025-05-13" as "13 May 2025", "1914-18" as "1914-1918", "Sept." as "September"."""
    text = _ISO_DATE.sub(
        lambda d: f"{int(d[3])} {MONTHS[int(d[2]) - 1].title()} {d[1]}" if 1 <= int(d[2]) <= 12 else d[0], text
    )
    text = _SHORT_RANGE.sub(lambda d: f"{d[1]}{d[2]}{d[1][:2]}{d[3]}" if int(d[3]) > int(d[1][2:]) else d[0], text)
    return _MONTH_ABBREVIATION.sub(
        lambda d: next(month for month in MONTHS if month.startswith(d[1][:3].lower())).title(), text
    )


def find_quantities(text: str) -> list[Quantity]:
    """The numbers of a text, in order."""
    found = []
    for match in _NUMBER.finditer(text):
        following = re.match(r"\s?(%|[A-Za-z]+)?(?:\s+(cent|[A-Za-z]+))?", text[match.end() : match.end() + 40])
        word, next_word = ((following[1] or "").lower(), (following[2] or "").lower()) if following else ("", "")
        unit = "%" if (word, next_word) == ("per", "cent") else _UNIT_OF.get(word, "")
        if match["words"]:
            values = {_read_words(match["words"])}
            loose = match["words"].lower() in _LOOSE
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
        return False
    if one.values & other.values:
        return True
    # "About 5 million" may stand for 4.97 million; "about 1870" is no other year, and 303 is not about anything.
    return one.rough and any(
        abs(a - b) <= 0.05 * b and b >= 20 and _count_digits(a) < min(3, _count_digits(b))
        for a in one.values
        for b in other.values
    )


def _count_digits(value: float) -> int:
    """The significant digits."""
    return len(f"{value:.0f}".rstrip("0"))


# -- names ------------------------------------------------------------------------------------

_NAME = re.compile(r"(?<![\w’'])[^\W\d_a-z][\w’'-]*(?:\.(?=\w))?")
# What opens a sentence, or stands in a title, without being a name.
_COMMON = STOP_WORDS | frozenset(
    (
        "after although another around before both during each early either even every few finally first following "
        "further however i later many meanwhile moreover much nevertheless new next now once one only other overall "
        "per prior several since still the though thus today two three unlike unless until upon whereas whether while "
        "within without yet not according additionally also among despite like together mr mrs ms dr sir st instead"
    ).split()
)
_INFLECTED = re.compile(r"(?:ing|ed|ly|ers|ists|ions|ments?|ness)$")
_STATES = (
    {"us", "usa", "united states", "america", "american"},
    {"uk", "united kingdom", "britain", "british"},
    {"eu", "european union"},
    {"un", "united nations"},
)


def find_names(text: str) -> list[tuple[list[str], bool]]:
    """The names of a text, each as its words, and whether it is one word that opens a sentence."""
    found: list[tuple[list[str], bool]] = []
    last_end = -9
    for match in _NAME.finditer(text):
        word = re.sub(r"['’]s?$|(?<!['’-])['’-]++$", "", match[0])
        if word.casefold() in _COMMON or len(word) < 2:
            continue
        gap = re.fullmatch(r"\.? (?:(?:of|the|de|von|van) )*", text[last_end : match.start()]) if found else None
        # A full stop within a name is that of "St." or "J.", and no sentence's end.
        joined = gap and not ("." in gap[0] and len(found[-1][0][-1]) > 3)
        before = text[max(0, match.start() - 6) : match.start()].rstrip()
        opens = not re.match(r"[\w,;’'”\")(&%-]", before[-1:])
        if joined:
            found[-1][0].append(word)
            found[-1] = (found[-1][0], False)
        else:
            found.append(([word], opens))
        last_end = match.end()
    return found


def _same_name(name: str, said: set[str], beginnings: Set[tuple[int, str]], capitals: str, states: Set[str]) -> bool:
    terms = find_terms(name)
    if all(term in said for term in terms):
        return True
    bare = name.casefold().replace(".", "")
    if (len(bare) > 1 and bare in capitals) or bare in states:
        return True
    if len(bare) > 1 and name.isupper() and any(state.startswith(bare) for state in states):
        return True
    # "German" and "Germany", "Voss" and "Vosses".
    lengths = range(max(4, len(bare) - 4), len(bare) + 5) if len(bare) >= 4 else ()
    return any((length, bare[: max(4, min(len(bare), length) - 2)]) in beginnings for length in lengths)


def _find_beginnings(words: Iterable[str]) -> set[tuple[int, str]]:
    """The lengths of words, each with every beginning by which another form of the word may be told."""
    return {
        (len(word), word[:size])
        for word in words
        if len(word) >= 4
        for size in range(max(4, len(word) - 6), max(4, len(word) - 2) + 1)
    }


def misses_name(sentence: str, cited: str, context: str = "") -> bool:
    """Whether the cited text and its context (its title) hold half or less of a name of the sentence.

    A word that opens the sentence counts only where the cited text has a name that the sentence lacks.
    """
    everything = f"{cited} {context}"
    said = set(find_terms(everything))
    words = {re.sub(r"['’]s$", "", word).casefold() for word in re.findall(r"[\w’'-]+", everything)}
    beginnings, capitals = _find_beginnings(words), _find_capitals(everything)
    states = _find_states(everything, capitals)
    own = set(find_terms(sentence))
    unmatched = any(
        not set(find_terms(name)) <= own for names, opens in find_names(cited) if not opens for name in names
    )
    return any(
        2 * sum(_same_name(name, said, beginnings, capitals, states) for name in names) <= len(names)
        and (not opens or (unmatched and not _INFLECTED.search(names[0])))
        for names, opens in find_names(sentence)
    )


def _find_capitals(text: str) -> str:
    """What the capitals of neighbouring words spell: every part of it may be an acronym."""
    return "".join(word[0] if word[0].isupper() else "|" for word in re.findall(r"[^\W\d_]+", text)).casefold()


def _find_states(text: str, capitals: str) -> set[str]:
    """The names of the states that have many, of those that the text names, and the words of these names."""
    names: set[str] = set()
    for state in _STATES:
        if any(name in capitals for name in state) or any(
            re.search(rf"\b{name}\b", text, re.IGNORECASE) for name in state if len(name) > 3
        ):
            names |= state | {word for name in state for word in name.split()}
    return names


# -- denials and opposites --------------------------------------------------------------------

_NEGATION = re.compile(
    r"\b(?:not(?! only| just| least)|never|no(?! longer than| more than| less than| fewer than|\.)|none|nobody|nothing"
    r"|nowhere|neither|nor|without|cannot|\w+n['’]t|fail(?:s|ed|ing)? to|den(?:y|ies|ied|ying)|refus(?:es?|ed|ing)"
    r"|unable|lack(?:s|ed|ing)?|impossible|hardly|barely|prevent(?:s|ed|ing)?"
    r"|un(?:likely|successful(?:ly)?|known|aware|related|common|changed|necessary)"
    r"|nicht|kein\w*|nie|pas|jamais|nunca)\b",
    re.IGNORECASE,
)
_NEGATED = re.compile(rf"{_NEGATION.pattern}(?P<scope>(?:\s+(?!but\b)[^\s,;:.!?()]+){{0,5}})", re.IGNORECASE)
_REACH = 400  # characters after a negation, at most, in which what it denies is looked for
_OPPOSITES = [
    tuple(frozenset(find_terms(side)) for side in pair.split("/"))
    for pair in (
        "rise rises rose risen rising increase increased increasing grow grew grown growth climb climbed gain gained "
        "up expand expanded/fall fell fallen falling decrease decreased decline declined drop dropped shrink shrank "
        "lose lost down reduce reduced, more greater larger bigger higher above exceed over/less fewer smaller lower "
        "below under, most/least fewest, before earlier prior/after later following, first/last final, win won "
        "wins/lose lost loses, begin began begun start started open opened opening/end ended finish finished stop "
        "stopped close closed closing, accept accepted approve approved agree agreed support supported allow allowed "
        "permit permitted/reject rejected refuse refused oppose opposed forbid forbidden ban banned prohibit "
        "prohibited deny denied, always/never, all every/none no, north northern/south southern, east eastern/west "
        "western, left/right, hot warm hotter warmer/cold cool colder cooler, early/late, young younger/old older, "
        "true/false, male man men boy/female woman women girl, buy bought/sell sold, arrive arrived/depart departed "
        "leave, success succeeded successful/failure failed unsuccessful, positive/negative, maximum/minimum, "
        "import/export, public/private, legal/illegal, major majority/minor minority, love loved/hate hated, "
        "best/worst, strong stronger/weak weaker, fast faster quick/slow slower, long longer/short shorter, "
        "inside/outside, upper/lower, include included including/exclude excluded excluding, alive/dead, "
        "possible/impossible"
    ).split(", ")
]


def is_denied_otherwise(sentence: str, cited: str) -> bool:
    """Whether one of both denies what the other says: each denial's words must be denied on the other side too."""
    said, there = set(find_content_terms(sentence)), set(find_content_terms(cited))
    mine, theirs = list(_find_denials(sentence)), list(_find_denials(cited))
    denied_here, denied_there = set().union(*mine), set().union(*theirs)
    if any(not scope & denied_there and (scope & there or not theirs) for scope in mine):
        return True
    # A word that the cited text also says without a denial is not denied there.
    free = set(find_content_terms(_NEGATED.sub(" ", cited)))
    return any(scope & said and not scope & said & denied_here and not scope & said & free for scope in theirs)


def is_denied_otherwise_in_copy(sentence: str, cited: str) -> bool:
    """The same for a sentence that nearly repeats the cited one: the very words after a "not" must be the same."""
    both = set(find_content_terms(sentence)) & set(find_content_terms(cited))
    return bool((_find_denied(sentence) ^ _find_denied(cited)) & both)


def _find_denied(text: str) -> set[str]:
    """The first content term after each negation."""
    denied = set()
    for match in _NEGATION.finditer(text):
        words = text[match.end() : match.end() + _REACH].split()[:8]
        denied.update(next((terms[:1] for word in words if (terms := find_content_terms(word))), []))
    return denied


def _find_denials(text: str) -> Iterator[set[str]]:
    """For each negation, the content terms of the five words after it in its clause."""
    for match in _NEGATED.finditer(text):
        terms = set(find_content_terms(match["scope"]))
        if terms:
            yield terms


def has_opposite(sentence: str, cited: str) -> bool:
    """Whether of a pair of opposites the sentence has one side only, and the cited text the other side only."""
    said, there = set(find_terms(sentence)), set(find_terms(cited))
    return any(
        said & mine and not said & theirs and there & theirs and not there & mine
        for one, other in _OPPOSITES
        for mine, theirs in ((one, other), (other, one))
    )


# -- quoted words -----------------------------------------------------------------------------

_QUOTED = re.compile(r"[\"“„«]([^\"“”„«»]{3,300})[\"”“»]")


def misses_quotation(sentence: str, cited: str) -> bool:
    """Whether words in quotation marks, three or more, do not stand so in the cited text."""
    parts = [part for quoted in _QUOTED.findall(sentence) for part in re.split(r"\[[^\]]{0,300}+\]|…|\.\.\.", quoted)]
    # What is written as a title is a name.
    spoken = [part for part in parts if len(part.split()) > 2 and not re.search(r"\b[A-Z]\w+\W+[A-Z]", part)]
    held = _bare(cited) if spoken else ""
    return any(_bare(part) not in held for part in spoken)


def _bare(text: str) -> str:
    words = re.findall(r"[^_\W]+", text.casefold())
    return f" {' '.join(words)} "


# -- which number of what ---------------------------------------------------------------------


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
