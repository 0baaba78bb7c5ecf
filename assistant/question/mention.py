"""What a conversation has mentioned: the items that the last answer gave, and the persons that were named."""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.answers import NEAREST, NOT_FOUND
from assistant.question.vocabulary import DAYS, MONTHS, NO_THINGS, ORDINALS, SMALL_NUMBERS
from index.splitting.folding import fold
from index.splitting.languages import LITTLE_WORDS, find_languages
from index.splitting.terms import STOP_WORDS, find_content_terms, find_terms

MOST_LABEL_WORDS = 6
MOST_ITEM_WORDS = 8  # of one of a list
MOST_BEFORE_CHARACTERS = 20  # that are looked at before a name
_MARKER = re.compile(r"(?<!\s)\s*+\[\d+\]")
_SENTENCE_END = re.compile(r"(?<=[.!?;]) ")
_NUMBERING = re.compile(r"(?:[-*•–]|\(?\d{1,2}[.):]) ")
_SAYS_WHICH = re.compile(
    rf"(?:the |a )?({'|'.join(ORDINALS)})\b(?: (?:one|way|option|step|item|kind|type|method|choice))?"
    r" (?:is|are|was|were) ",
    re.IGNORECASE,
)
_LEADING = re.compile(r"(?:it|they|there|these|those) (?:is|are|was|were)\s+", re.IGNORECASE)
_LABEL_END = re.compile(
    r"[,;|(–—]|[:.](?= |$)|\s(?:which|that|who|is|are|was|were|has|have|costs?|weighs?|needs?|takes?|can|will)\s",
    re.IGNORECASE,
)
_SERIES_PART = re.compile(r", (?:and|or|und|et|y|en) |, | (?:and|or|und|et|y|en) ")
_JOINED_LAST = re.compile(r" (?:and|or|und|et|y|en) \S+(?: \S+){0,2}$")
_PERSON = re.compile(
    r"(?<![\w’'-])[A-ZÀ-ÖØ-Þ][\w’'-]++\.?(?: (?:de|van|von|der|den|del|la|le|du|da|al|bin|[A-Z]\.))*+"
    r"(?: [A-ZÀ-ÖØ-Þ][\w’'-]++){1,2}+"
)
_NO_PERSON = frozenset(
    (
        "company ltd inc gmbh university institute office department street road river lake school hospital council "
        "board committee museum bank union party states kingdom republic north south east west new saint der die das "
        "den le la les el los las het de der una un ein eine im am bei pour"
    ).split()
).union(MONTHS, DAYS, STOP_WORDS, NO_THINGS)
_ASKING_WHO = re.compile(r"\b(?:who|whom|whose|wer|wem|wen|qui|quién|wie (?:is|was|heeft|had|leidt))\b", re.IGNORECASE)
_OPENING = re.compile(r"\b(?:the|der|die|das|den|dem|ein|eine|le|la|les|el|los|las|het|een)\s*$", re.IGNORECASE)

# Where every noun has a capital, what tells a person is a title, or two capitals in the midst of a sentence.
_TITLED = re.compile(
    r"\b(?:(?:Herrn?|Frau) (?:(?:Dr|Prof)\. ){0,2}+|(?:(?:Dr|Prof)\. ){1,2}+)"
    r"(?P<name>[A-ZÄÖÜ][\w’'-]++(?: (?:von|van|de|der|zu))*+(?: [A-ZÄÖÜ][\w’'-]++){0,2}+)"
)
_SENTENCE_ENDS = ("", *'.!?\n“”"')
_LITTLE_IN_GERMAN = LITTLE_WORDS["German"]


def find_items(answer: str) -> list[str]:
    """What an answer says, piece by piece: its quotations, or its lines."""
    lines = [words for line in answer.split("\n") if (words := " ".join(line.split())) not in ("", NEAREST, NOT_FOUND)]
    cited = [line for line in lines if _MARKER.search(line)]
    shown = [_MARKER.sub("", line).strip().strip('“”"') for line in cited or lines]
    return [
        item for words in shown if (item := _NUMBERING.sub("", words, count=1) if _NUMBERING.match(words) else words)
    ]


def find_list(answer: str) -> list[str]:
    """What an answer counts up, in its order; nothing where it does not.

    Pieces that are short and no sentences are counted up, those that say which they are, lines with a list's marks, and
    the parts of a series.
    """
    items = find_items(answer)
    are_short = all(len(item.split()) <= MOST_ITEM_WORDS and not item.endswith((".", "!", "?")) for item in items)
    say_which = any(_SAYS_WHICH.match(sentence) for item in items for sentence in _SENTENCE_END.split(item))
    if len(items) > 1 and (are_short or say_which):
        return items
    listed = [line for line in answer.split("\n") if _NUMBERING.match(" ".join(line.split()))]
    if len(listed) > 1:
        return find_items("\n".join(listed))
    return next((series for item in items if (series := _find_series(item))), items if say_which else [])


def find_item(which: str, items: Sequence[str], question: str) -> str:
    """The item that an ordinal or a number picks; "" where there is none. One that says it is the second is that.

    "other" picks the one that the question before was not about.
    """
    if which.casefold() == "other":
        spoken = set(find_terms(question))
        others = [item for item in items if not spoken.issuperset(find_content_terms(find_label(item) or item))]
        return others[0] if len(others) == 1 < len(items) else ""
    position = _find_position(which, len(items))
    for item in items:
        for sentence in _SENTENCE_END.split(item):
            said = _SAYS_WHICH.match(sentence)
            if said and _find_position(said[1].casefold(), len(items)) == position:
                return sentence[said.end() :]
    return items[position] if len(items) > 1 and 0 <= position < len(items) else ""


def find_label(item: str) -> str:
    """What an item is called, where that is short: "heat pump" of "a heat pump, which costs ..."; else ""."""
    item = _LEADING.sub("", item, count=1)
    end = _LABEL_END.search(item)
    label = (item[: end.start()] if end else item).strip().rstrip(".")
    return label if 0 < len(label.split()) <= MOST_LABEL_WORDS else ""


def find_person(question: str, answer: str, *, is_plain: bool) -> str:
    """The person that a turn names: the question's last, else the answer's first; "" where there is none.

    is_plain: of the answer's only where a person was asked for.
    """
    asked = _find_persons(question)
    answered = _find_persons(_MARKER.sub("", answer)) if not is_plain or _ASKING_WHO.search(question) else []
    return asked[-1] if asked else answered[0] if answered else ""


def _find_persons(text: str) -> list[str]:
    if find_languages(text) == ("German",):
        return _find_german_persons(text)
    persons = []
    for match in _PERSON.finditer(text):
        words = match[0].split()
        while words and words[0].casefold().strip("’'") in _NO_PERSON:
            words = words[1:]
        is_thing = _OPENING.search(text, 0, match.start()) if len(words) == len(match[0].split()) else False
        if (
            len(words) >= 2
            and not is_thing
            and not _NO_PERSON.intersection(w.casefold() for w in words if w[:1].isupper())
        ):
            persons.append(" ".join(words).removesuffix("’s").removesuffix("'s"))
    return persons


def _find_german_persons(text: str) -> list[str]:
    if titled := [match["name"] for match in _TITLED.finditer(text)]:
        return titled
    persons = []
    for match in _PERSON.finditer(text):
        words = match[0].split()
        before = text[max(match.start() - MOST_BEFORE_CHARACTERS, 0) : match.start()]
        # "Die Vorsitzende Karin Müller": the first is a noun, as what opens a sentence may be.
        if _OPENING.search(before) or before.rstrip(" ")[-1:] in _SENTENCE_ENDS:
            words = words[1 + (fold(words[0]) in _LITTLE_IN_GERMAN) :]
        named = [fold(word) for word in words if word[:1].isupper()]
        if len(named) >= 2 and _NO_PERSON.union(_LITTLE_IN_GERMAN).isdisjoint(named):
            persons.append(" ".join(words))
    return persons


def _find_position(which: str, count: int) -> int:
    # A pattern that ignores case takes both of Turkish's letters for an "i".
    which = which.casefold().replace("ı", "i").replace("i\u0307", "i")
    if which == "last":
        return count - 1
    if which in ORDINALS:
        return ORDINALS.index(which)
    return (int(which) if which.isdecimal() else SMALL_NUMBERS.index(which)) - 1


def _find_series(sentence: str) -> list[str]:
    """The parts of the longest series in a sentence, "Oslo, Bergen and Tromsø"; none where it has no such."""
    sentence = sentence.rstrip(".!?")
    parts = [part for part in _SERIES_PART.split(sentence) if part]
    if len(parts) < 2 or not _JOINED_LAST.search(sentence):
        return []
    # The first part has the sentence before it: of that the words from the last little one on, as far as a name goes.
    size = max(len(part.split()) for part in parts[1:])
    if size > 3:
        return []
    first = parts[0].split()
    while len(first) > 1 and (len(first) > size or first[0].casefold() in _NO_PERSON):
        first = first[1:]
    return [" ".join(first), *parts[1:]]
