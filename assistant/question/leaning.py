"""Whether a question leans on the conversation: it points back, goes on, or says too little to be understood alone.

English, and what is commonest in German, Dutch, French and Spanish. But: a thing that only the conversation has made
known, "What caused the drought?", is not seen.
"""

from __future__ import annotations

import re

from assistant.question.again import WHAT_ABOUT, asks_for_length, doubts
from assistant.question.opening import WORD, begins_within, find_asked_sentence, goes_on, strip_opening
from assistant.question.vocabulary import (
    COMMON_ADJECTIVES,
    LANGUAGES,
    NO_THINGS,
    ORDINALS,
    RELATIONS,
    VERBS_OF_SOMETHING,
)
from index.splitting.terms import STOP_WORDS, find_content_terms, find_terms

LONGEST_CHARACTERS = 300  # of a sentence that leans
MOST_CONTENT = 3  # terms of what follows "what about", where it leans
ENOUGH_CONTENT = 2  # terms of a question that stands alone

_ORDINAL = "|".join([*ORDINALS, "other"])
_AUXILIARY = "is|are|was|were|do|does|did|has|have|can|could|will|would"
_NUMBERS = "one|two|three|four|five|six|seven|eight|nine|ten"
ORDINAL = re.compile(
    rf"\b(?:(?:the|my|your) )?(?P<which>{_ORDINAL}) (?:ones?|of (?:these|those|them))\b"
    rf"|\b(?:the|my|your) (?P<bare>{_ORDINAL})"
    rf"(?= (?:{_AUXILIARY}|cost|based|\w+er|more|less|best|better)\b|\s*+(?:[?.!,;]|$))"
    rf"|\b(?:number|option|item|no\.|#) ?(?P<numbered>\d{{1,2}}|{_NUMBERS})\b",
    re.IGNORECASE,
)
PERSON = re.compile(
    r"\b(?:he|him|his|she|her|hers|er|ihn|ihm|sie|ihr|sein|il|lui|elle|él|ella|su|hij|hem|zij|haar)\b", re.IGNORECASE
)
# One of several that were spoken of, or further ones.
_ONE_OF_MANY = re.compile(
    r"\b(?:second|next|third)[ -](?:best|most|\w++est)\b"
    rf"|\bthe (?:{_ORDINAL}) (?:stage|step|part|phase|period|type|kind|option|version|way|method)s?"
    r"(?=\s*+[?.!,;])"
    r"|\bthe (?:first |last |other )?(?:two|three|four)\s*+[?.!]?+$"
    r"|\bthe (?:two|three|four|other|different) \w++\s*+[?.!]?+$"
    r"|\b(?:what|which)(?: are| is)?(?: the| some| any)? other \w++(?! of )"
    r"|\b(?:what|who|where|anything|anyone|any) (?:else|others?|more)\b|^why not\b|^which ones?\b"
    r"|(?<!\ban )(?<!\ba )(?<!\bthe )\b(?:ones?|both|neither|any|some|many|several)\s*+[?.!]?\s*+$",
    re.IGNORECASE,
)
_POINTING = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|him|his|she|her|hers|those|these|this|the same|there"
    r"|the (?:former|latter))\b"
    # "that" joins sentences oftener than it points.
    rf"|(?:^|\b(?:isn[’']?t|wasn[’']?t|{_AUXILIARY}|about|of|like|after|before|than|to|translate|explain|repeat) )"
    r"that(?:[’']s)?\b(?! (?:the|a|an|i|you|we)\b)|\bthat(?: one)?(?=\s*+(?:[?.!,;]|$))",
    re.IGNORECASE,
)
# Words that point at nothing that was said.
_EMPTY = re.compile(
    r"\b(?:is|are|was|were|be|been|will) there\b|\bthere (?:is|are|was|were|will|be|been|has|have)\b"
    r"|\bth(?:is|ese) (?:year|month|week|morning|afternoon|evening|summer|winter|spring|autumn|quarter|days|time)\b"
    r"|\bit (?:rains?|snows?|comes to|makes sense|takes? (?:to|for|until))\b|\bthose (?:who|that|with|of)\b",
    re.IGNORECASE,
)
_EMPTY_IT = re.compile(
    r"\b(?:is|was|does|did|has|will|would) it\b(?! to\b)(?=(?P<after>.*))", re.IGNORECASE | re.DOTALL
)
_AFTER_EMPTY_IT = re.compile(r"\b(?:that|to|true|any|anyone|anything|enough|a|an)\b", re.IGNORECASE)
_DEFINITION = re.compile(
    r"(?:who|what|where|when) (?:is|are|was|were) \w|(?:wer|was|wo|wie|wann) (?:ist|sind|war)\b"
    r"|(?:qui|quel(?:le)?|où|quand) (?:est|sont)\b|(?:quién|qué|cuál|dónde|cuándo) (?:es|son|está)\b"
    r"|(?:wie|wat|waar|wanneer) (?:is|zijn)\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<=\s)(?!I\b)[A-Z][\w’'-]+")
_POSSESSIVE = re.compile(r"(?:its|their|his|her)$", re.IGNORECASE)
# What a pronoun after it may mean: "Can employees take their dog?", "When a pump fails, who mends it?"
_THING_BEFORE = re.compile(
    rf"\b(?:a|an|any|every|each|all|some|no|may|must|should|if|when|{_AUXILIARY}) (?:the |an? |my |our )?"
    r"([a-z][\w’'-]++)",
    re.IGNORECASE,
)
_SPEAKER = re.compile(r"\b(?:i|we|my|our)\b", re.IGNORECASE)
_EXISTING = re.compile(r"\b(?:is|are|was|were|will) there\b|\bthere (?:is|are|was|were|be)\b", re.IGNORECASE)
_CLAUSE = re.compile(r"(?:when|if|once|after|before|while) ", re.IGNORECASE)
_LIGHT = frozenset(find_terms(" ".join((*COMMON_ADJECTIVES, *RELATIONS))))
_OF_SOMETHING = frozenset(find_terms(" ".join(VERBS_OF_SOMETHING)))
_COUNTING = frozenset(find_terms("much many"))


def leans_on_conversation(question: str) -> bool:
    """Whether a question cannot be understood alone."""
    sentence, before = find_asked_sentence(question)
    # "A heat pump seems good. What does it cost?" says itself what it is about; "That's good. What ...?" does not.
    if any(len(find_content_terms(said)) >= ENOUGH_CONTENT and not _points_back(said) for said in before):
        return False
    if not sentence or len(sentence) > LONGEST_CHARACTERS:
        return False
    if asks_for_length(sentence) or doubts(sentence):
        return True
    rest = strip_opening(sentence)
    if what_about := WHAT_ABOUT.match(rest):
        return len(find_content_terms(rest[what_about.end() :])) <= MOST_CONTENT or _points_back(rest)
    if begins_within(rest) or ORDINAL.search(rest) or _ONE_OF_MANY.search(rest) or _points_back(rest):
        return True
    language = find_language(rest)
    if language and not LANGUAGES[language].pronouns.isdisjoint(WORD.findall(rest.casefold())[1:]):
        return True
    content = _find_content(rest, language)
    # "And part-time employees?", but not "And how do I renew a library card?".
    if goes_on(sentence) and len(content) < MOST_CONTENT + _is_thing(next(iter(WORD.findall(rest)), "")):
        return True
    # "Where can I park?" is asked of everything.
    if not _OF_SOMETHING.issuperset(content) and _SPEAKER.search(rest):
        return False
    if content and _EXISTING.search(rest):  # "Which rooms are there?"
        return False
    # In German every noun has a capital.
    has_name = language != "german" and _NAME.search(rest)
    is_definition = content and _DEFINITION.match(rest)
    return len(content) < ENOUGH_CONTENT and not has_name and not is_definition


def find_language(sentence: str) -> str:
    """The language of a question's asking word, of those other than English; "" for others."""
    first = next(iter(WORD.findall(sentence.casefold())), "")
    return next((name for name, language in LANGUAGES.items() if first in language.asking), "")


def _points_back(sentence: str) -> bool:
    """Whether an English pronoun means what no word before it in the sentence can mean."""
    for pointing in _POINTING.finditer(_EMPTY.sub(" ", _drop_empty_it(sentence))):
        before = pointing.string[: pointing.start()]
        # A name that stands before the pronoun is what it means: "What did Lapid say of his party?"
        if _NAME.search(before):
            return False
        is_possessive = _POSSESSIVE.match(pointing[0]) and pointing.string[pointing.end() :].strip(" ?.!")
        is_after_clause = _CLAUSE.match(sentence) and "," in before
        if not (is_possessive or is_after_clause) or not any(map(_is_thing, _THING_BEFORE.findall(before))):
            return True
    return False


def _drop_empty_it(sentence: str) -> str:
    """A sentence without an "it" that stands for what comes: "Is it true that ...?"."""
    empty = _EMPTY_IT.search(sentence)
    if empty and _AFTER_EMPTY_IT.search(empty["after"]):
        return f"{sentence[: empty.start()]} {sentence[empty.end() :]}"
    return sentence


def _is_thing(word: str) -> bool:
    return word.casefold() not in STOP_WORDS | NO_THINGS


def _find_content(sentence: str, language: str) -> list[str]:
    """The terms that say what is asked about: not those that any question has, nor what must be of something else."""
    light = set(_LIGHT)
    if language:
        light.update(find_terms(" ".join(LANGUAGES[language].light | LANGUAGES[language].asking)))
    if len(sentence.split()) <= 3:  # "How much herring?" has no more to say
        light |= _COUNTING
    return [term for term in find_content_terms(sentence) if term not in light]
