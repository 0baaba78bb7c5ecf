"""What kind of thing a question asks for, and whether a sentence holds such a thing.

The patterns here are those of English; those of other languages are in `wordings`, and each text is read by those of
its own language.
"""

from __future__ import annotations

import re
from collections.abc import Sequence, Set

from assistant.question.vocabulary import DAYS, MONTHS, SMALL_NUMBERS, TENS
from assistant.question.wording import LONGEST_CHARACTERS, Wording, find_wordings, load_wordings
from index.splitting.folding import fold
from index.splitting.languages import ENGLISH, find_languages
from index.splitting.terms import STOP_WORDS, find_terms

# The first pattern that matches decides. Of several places where a statement may begin, the first of a line is enough.
_ASKED = {
    "reason": r"\b(?:why|how come|what (?:is|was|were|are) the (?:reasons?|causes?)|what caused|for what reason)\b",
    "statement": r"(?m:^)(?>.*?\b(?:what|how) (?:did|does|do|has|have|was|were|is) ).*"
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
    "number": rf"\d|\b(?:{'|'.join(SMALL_NUMBERS[1:13])}|dozen|hundred|thousand|million|billion|half|third|quarter)\b",
    "time": rf"\b(?:1\d|20)\d\d\b|\b(?:{'|'.join([*MONTHS, *DAYS])}|century|decade|years? ago|today|yesterday"
    r"|last (?:year|month|week))\b",
}
_HELD_PATTERNS = {kind: re.compile(pattern, re.IGNORECASE) for kind, pattern in _HELD.items()}

_MONTHS, _DAYS = ("|".join(word.title() for word in words) for words in (MONTHS, DAYS))
_DAY_OR_MONTH = re.compile(rf"{_DAYS}|{_MONTHS}")
_YEAR = re.compile(r"(?:1\d|20)\d\d")
_COUNTED = "|".join([*SMALL_NUMBERS[1:], *TENS])
_CAPITAL = r"[A-Z][\w’'-]*(?:\.(?= ?[A-Z]))?"
_ANSWERS = {
    "number": re.compile(
        rf"(?:US\$|[$€£¥])?\b(?:\d[\d.,]*\d|\d|(?:{_COUNTED})(?:[- ](?:{_COUNTED}|hundred|thousand|million|billion))*"
        r"|(?:a )?(?:dozen|hundred|thousand|million))(?:[ -](?:hundred|thousand|million|billion|trillion|dozen))?"
        r"(?:\s?%| per ?cent\b|\b)",
        re.IGNORECASE,
    ),
    "time": re.compile(
        rf"\b(?:(?:{_DAYS}),? )?(?:(?:the )?\d{{1,2}}(?:st|nd|rd|th)? (?:of )?(?:{_MONTHS})(?:,? \d{{4}})?"
        rf"|(?:{_MONTHS})(?: \d{{1,2}}(?:st|nd|rd|th)?\b(?!\d))?(?:,? \d{{4}})?|(?:{_DAYS})"
        r"|(?:(?:early|late|mid)[- ])?(?:1\d|20)\d\ds?(?:[–-]\d{2,4})?\b(?: BCE?| AD| CE)?"
        r"|(?:\d+(?:st|nd|rd|th)|\w+th|first|second|third)[- ]century)"
    ),
    "person": re.compile(rf"\b{_CAPITAL}(?: (?:(?:of|the|de|von|van|al|bin|la|le|du) )*{_CAPITAL})*"),
}

# Hardly the plural of a noun: "does", "was", "bus", "less".
_PLURAL = (
    r"(?!(?:does|has|was|is|this|its|his|as)\b)"
    r"(?:\w+(?:[^\Wsui]s|uses|sses)|people|men|women|children|criteria|species)\b"
)
_AUXILIARY = "is|are|was|were|do|did|have|had|can|could|will|would|should|may|might|must"
_DETERMINER = rf"(?:(?:the|some|all|other|his|her|its|their|our|your|my|{'|'.join(SMALL_NUMBERS[2:13])}|\w+[’']s?) )"
_SEVERAL = re.compile(
    r"^(?:please |can you |could you )*(?:list|enumerate|name|identify|mention|(?:give|show|tell)(?: me| us)?) .*"
    rf"\b{_PLURAL}"
    rf"|\b(?:what|who) (?:are|were) {_DETERMINER}+(?:[\w’'-]+ ){{0,3}}?{_PLURAL}"
    # In "which problem causes the delay" it is a verb, and its object follows.
    rf"|\bwhich (?:of )?{_DETERMINER}*(?:\w+(?:al|ic|ous|ive|ed|ish|er) )?{_PLURAL}"
    r"(?! (?:the|an?|his|her|its|their|that|to|it)\b)"
    rf"|\bwhat (?:(?!(?:{_AUXILIARY})\b)[\w’'-]+ ){{0,2}}?{_PLURAL}(?: of [\w’'-]+)? (?:{_AUXILIARY}|does|has)\b"
    rf"|^all (?:of )?(?:the )?(?:[\w’'-]+ ){{0,3}}?{_PLURAL}"
    r"|\bwh(?:o|at) (?:all|else)\b",
    re.IGNORECASE,
)
# "What are the tentacles called?" asks for one name.
_NAMED = re.compile(r"\b(?:called|known as|named)\b", re.IGNORECASE)
# One or more short things, each with a comma, and the last with "and".
_SERIES = re.compile(r"(?<![^\s,;:])[^\s,;:]++,(?: [^\s,;:]++){1,4},? (?:and|or|as well as) \w", re.IGNORECASE)

# A capital that does not open a sentence: a name, mostly.
_NAME = re.compile(r"(?<![.!?]\s)(?<!^)\b[A-Z][\w’'-]+")
_LEANING = re.compile(
    r"(?:and |but |yet |so )?(?:he|she|it|they|this|that|these|those|his|her|its|their|such|both|neither"
    r"|the (?:former|latter)|to them|for them)\b"
    r"|(?:\S+ ){1,8}(?:it|him|her|them)[.,;]",
    re.IGNORECASE,
)

_WHETHER = re.compile(rf"(?:does|has|{_AUXILIARY})\b", re.IGNORECASE)
# "How many" and "how long" ask for a number, and have no such verb behind them.
_HOW = re.compile(
    rf"\bhow (?:to|does|has|{_AUXILIARY})\b|\b(?:in what|what) (?:ways?|means|steps|procedure)\b", re.IGNORECASE
)
_MANNER = re.compile(
    r"\b(?:by (?:means|way|(?:\w+ly )?\w+ing)|via|through|using|with the help|first(?:ly)?|then|finally|steps?|method"
    r"|procedure|process)\b",
    re.IGNORECASE,
)
_STEP = re.compile(
    r"(?:first|second|third|next|then|after(?:wards| that| this)?|finally|lastly|once|from there|now|in this way|thus"
    r"|so|as a result|instead|to do (?:so|this))\b",
    re.IGNORECASE,
)

_NEGATION = re.compile(
    r"\b(?:not|never|no|none|nobody|nothing|neither|nor|without|cannot|non|except|lacks?|fail(?:s|ed)?|unable)\b"
    r"|n['’]t\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+")
# "one" is mostly no number.
_NUMBER_WORDS = {word: str(number) for number, word in enumerate(SMALL_NUMBERS[:13]) if word != "one"}


_ENGLISH = (
    Wording(
        language=ENGLISH,
        asked=_ASKED_PATTERNS,
        held=_HELD_PATTERNS,
        asks={"whether": _WHETHER, "how": _HOW, "several": _SEVERAL, "one": _NAMED},
        says={"manner": _MANNER, "step": _STEP, "leaning": _LEANING, "negation": _NEGATION},
        answers=_ANSWERS,
        name=_NAME,
        numbers=_NUMBER_WORDS,
    ),
)


def _wordings_of(text: str, otherwise: str = "") -> tuple[Wording, ...]:
    """Those of the languages that a text may be in; English where nothing tells."""
    return find_wordings(text, otherwise) or _ENGLISH


def asks_for(question: str) -> str:
    """The kind of thing that a question wants, a key of `_ASKED`, or "" where it does not say."""
    wordings = _wordings_of(question)
    if not find_languages(question):
        wordings = (*_ENGLISH, *load_wordings())
    return next((kind for wording in wordings if (kind := wording.find_kind(question))), "")


def holds(kind: str, sentence: str, question: str) -> bool:
    """Whether a sentence holds what is asked for, which the question does not give itself: "How much is INV-2141?" is
    not answered by "INV-2141".
    """
    if kind in ("number", "time"):
        given = {word for word in map(_bare, question.split()) if any(map(str.isdecimal, word))}
        if given:
            sentence = " ".join(word for word in sentence.split() if _bare(word) not in given)
    return any(wording.holds(kind, sentence, question) for wording in _wordings_of(sentence, question))


def _bare(word: str) -> str:
    return word.strip("\"'“”‘’.,;:?!()").casefold()


def asks_for_several(question: str) -> bool:
    """Whether a question wants a list: "Which countries ...?", "What are the conditions of ...?", "Name the ..."."""
    if len(question) > LONGEST_CHARACTERS or asks_for(question) == "number":
        return False
    wordings = _wordings_of(question)
    return not _asks("one", question, wordings) and _asks("several", question, wordings)


def asks_whether(question: str) -> bool:
    """Whether a question wants a yes or a no."""
    return _asks("whether", question, _wordings_of(question))


def asks_how(question: str) -> bool:
    """Whether a question wants a manner or a procedure."""
    return asks_for(question) == "" and _asks("how", question, _wordings_of(question))


def _asks(what: str, question: str, wordings: Sequence[Wording]) -> bool:
    return any(wording.asks_in(what, question) for wording in wordings)


def _says(what: str, sentence: str) -> bool:
    return any(wording.says_in(what, sentence) for wording in _wordings_of(sentence))


def tells_how(sentence: str) -> bool:
    """Whether a sentence gives a manner itself: "by pulling the lever", "through the hatch"."""
    return _says("manner", sentence)


def lists(sentence: str) -> bool:
    """Whether a sentence counts several things up: "Oslo, Bergen and Tromsø"."""
    return _SERIES.search(sentence) is not None


def find_answer_words(kind: str, asked: Set[str], sentence: str) -> tuple[int, int] | None:
    """Where in a sentence the very number, time or person stands that is asked for; None where several might.

    kind: see `asks_for`. asked: the question's terms, since what it gives is not what it wants.
    """
    places = [
        match.span()
        for match in _wordings_of(sentence)[0].find_answers(kind, sentence)
        # A name that opens a sentence may be no name.
        if (kind != "person" or match.start() or " " in match[0])
        and not (kind == "person" and _DAY_OR_MONTH.fullmatch(match[0]))
        and not (kind == "number" and _YEAR.fullmatch(match[0]))
        and asked.isdisjoint(term for term in find_terms(match[0]) if term not in STOP_WORDS)
    ]
    return places[0] if len(places) == 1 else None


def find_names(question: str) -> list[str]:
    """The names and numbers of a question: what an answer can hardly do without."""
    return [*_wordings_of(question)[0].find_names(question), *_find_numerals(question)]


def _find_numerals(text: str) -> list[str]:
    """The numbers of a text as they are compared: 18500 for "18 500"; of a date its day and its year."""
    return [term for term in find_terms(text) if term[0].isdecimal()]


def find_numbers(text: str) -> frozenset[str]:
    """The numbers of a text as digits: 2 for "two", 1500 for "1,500", 15 for "15.0"."""
    known = {word: number for wording in _wordings_of(text) for word, number in wording.numbers.items()}
    words = _WORD.findall(fold(text))
    return frozenset([*_find_numerals(text), *(known[word] for word in words if word in known)])


def denies(text: str) -> bool:
    """Whether a text denies something: "not", "never", "without"."""
    return _says("negation", text)


def leans(sentence: str) -> bool:
    """Whether a sentence points back to the one before: "He added that ...", "Oman mediated it."."""
    return _says("leaning", sentence)


def goes_on(sentence: str) -> bool:
    """Whether a sentence goes on with what the one before began: it points back to it, or is a further step."""
    return leans(sentence) or _says("step", sentence)
