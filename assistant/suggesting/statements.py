"""A sentence of English prose as subject, verb and rest, and which words are names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.question.vocabulary import DAYS, MONTHS
from assistant.suggesting.verbs import LOOKS_LIKE_VERB, find_base, find_past, find_third
from assistant.suggesting.words import read_words
from index.documents import Passage

_MOST_SUBJECT_WORDS = 7
_TITLED = re.compile(
    r"(?:President|Prime Minister|Minister|Chancellor|King|Queen|Prince|Princess|Pope|Sir|Lord|Dr\.?|Professor"
    r"|Prof\.|Senator"
    r"|Governor|General|Mr\.?|Mrs\.?|Ms\.?|Judge|Captain|Saint) [A-Z]"
)
_CAPITAL = re.compile(r"[A-Z][\w’'.-]*\Z")
_NO_PERSON = re.compile(
    r"\b(?:the|of|for|Inc|Ltd|Corp|Company|Group|Bank|University|College|Institute|Agency|Council|Party|Union|Church"
    r"|Act"
    r"|Army|Court|Committee|Ministry|Department|Kingdom|States?|Empire|Republic|City|County|River|Lake|Island|Sea|Ocean"
    r"|War|Battle|League|Cup|Street|North|South|East|West|Saudi|United|New|Emirates|School|Museum|House|Library"
    r"|Records?"
    r"|Plan|Project|System|Team|Board|Office|Centre|Center|Association|Society|Foundation|Airport|Station|Law"
    r"|Treaty)\b",
)
# Subjects that say nothing of themselves.
_VAGUE = read_words("vague")
# What a study says of itself, and what points at what stands elsewhere.
_OF_STUDIES = read_words("of_studies")
_POINTING_WORDS = read_words("pointing")
_NO_SUBJECT_WORD = read_words("never_in_subject")
_NAMES = re.compile(
    r"(?<![^\s(])[a-z][\w’'-]*,? ([A-Z][a-z][\w’-]*[a-z](?: (?:of (?:the )?)?[A-Z][\w’-]*[a-z]){0,3})(?=[ ,.;])"
)
_NO_NAME = re.compile(
    rf"\b(?:{'|'.join(word.title() for word in (*MONTHS, *DAYS))}|Mr|Mrs|Ms|Dr|The|This|That|These|Those|Please"
    rf"|Thank|Dear|Hi"
    r"|Hello|Best|Kind|Regards|You|Your|We|Our|My|It|In|Table|Figure|Section|Note|See)\b|^\w+(?:ian|ican|ish|ese)\Z"
)
_SMALL, _NAMED = re.compile(r"\b[a-z][a-z’'-]*[a-z]\b"), re.compile(r"(?<=[a-z,] )[A-Z][\w’'-]+")


_NO_ADVERB = frozenset("family early daily weekly monthly yearly elderly italy july assembly supply reply fly".split())


@dataclass(frozen=True, slots=True)
class Words:
    """small: the words that the documents write in small letters somewhere, with their plurals. named: those that have
    a capital within a sentence.
    """

    small: frozenset[str]
    named: frozenset[str]


def find_words(passages: Sequence[Passage]) -> Words:
    """What passages tell of which words are names."""
    small = {word for passage in passages for word in _SMALL.findall(passage.text)}
    named = {word for passage in passages for word in _NAMED.findall(passage.text)}
    return Words(
        frozenset(small | {f"{word}s" for word in small} | {w.removesuffix("s") for w in small}), frozenset(named)
    )


def count_names(passages: Sequence[Passage], spelled: Words) -> Counter[str]:
    """The names of several words, or of one that is never written small, and in how many sentences each stands."""
    counted: Counter[str] = Counter()
    for passage in passages:
        for sentence in passage.sentences:
            if sentence.kind == "prose":
                line = passage.line_of(sentence)
                counted.update({name.removesuffix("’s").removesuffix("'s") for name in _NAMES.findall(line)})
    return Counter(
        {
            name: count + (" " in name)
            for name, count in counted.items()
            if not _NO_NAME.search(name) and (" " in name or (name.lower() not in spelled.small and len(name) > 3))
        }
    )


@dataclass(frozen=True, slots=True)
class Statement:
    """subject: as a question has it, "the tour". verb: the word that follows it. rest: what follows that, with its end.

    is_named: whether the subject is, or holds, a name. is_plural: whether it is several.
    """

    subject: str
    verb: str
    rest: str
    is_named: bool
    is_plural: bool

    @property
    def is_person(self) -> bool:
        """Whether the subject looks like somebody's name."""
        words = self.subject.split()
        return bool(_TITLED.match(self.subject)) or (
            2 <= len(words) <= 4 and all(map(_CAPITAL.match, words)) and not _NO_PERSON.search(self.subject)
        )


def read_statement(line: str, spelled: Words) -> Statement | None:
    """A sentence as subject, verb and rest; None where its subject is not plain."""
    words = line.split(" ")
    for place in range(1, min(len(words), _MOST_SUBJECT_WORDS + 1)):
        word = words[place]
        before = words[place - 1].lower()
        if before in ("the", "a", "an", "of", "for", "in", "to", "and", "no", "each", "every"):
            continue
        if _is_verb(word) or _is_plain_verb(words, place):
            subject = _read_subject(words[:place], spelled, word)
            if subject is None:
                return None
            named, plural, shown = subject
            if place == 1 and not named and word.endswith("s") and find_third(word):
                return None  # "Price controls": hardly what a price does
            return Statement(shown, word, " ".join(words[place + 1 :]), named, plural)
    return None


def _is_verb(word: str) -> bool:
    return (
        word in ("is", "are", "was", "were", "has", "have", "had", "can", "must", "will", "may", "should")
        or find_past(word) is not None
        or find_third(word) is not None
    )


def _is_for_several(verb: str) -> bool:
    return verb in ("are", "were", "have") or find_base(verb) is not None


def _is_plain_verb(words: list[str], place: int) -> bool:
    """Whether several things do it: "Employees receive 25 days"; but not the noun of "The sales plan includes"."""
    after = words[place + 1 : place + 4]
    return (
        find_base(words[place]) is not None
        and words[place - 1].endswith("s")
        and not words[place - 1].endswith(("ss", "us", "is", "’s", "'s"))
        and not any(map(_is_verb, after))
        and bool(after)
        and after[0] not in ("of", "for", "and", "or")
    )


def _read_subject(words: list[str], spelled: Words, verb: str) -> tuple[bool, bool, str] | None:
    """Whether a subject has a name, whether it is several, and how a question has it; None where it is not plain."""
    text = " ".join(words)
    if re.search(r"[,;:()\"“”—–_/]|--|\.\w|\d{3,}|[A-Z]{7}|[^\w\s’'.&-]", text) or text.endswith(".") or len(text) > 55:
        return None
    lower = [word.lower() for word in words]
    if any(word in _NO_SUBJECT_WORD for word in lower[1:]) or lower[0] in _NO_SUBJECT_WORD:
        return None
    if any(re.fullmatch(r"\(?\w{1,3}[.)]", word) for word in lower[:1]):
        return None  # the number of an item
    if lower[0].endswith("ly") and words[0][1:].islower() and lower[0] not in _NO_ADVERB:
        return None  # "Significantly less water"
    if len({*lower} - {"the", "of"}) < len([word for word in lower if word not in ("the", "of")]):
        return None  # a heading ran into the sentence
    has_article = lower[0] in ("the", "a", "an")
    core = lower[1:] if has_article else lower
    if not core or (len(core) == 1 and core[0] in _VAGUE) or core[0] in _POINTING_WORDS or core[-1] in _OF_STUDIES:
        return None
    if lower[0] in ("a", "an") and verb not in ("can", "must", "may", "should"):
        return None
    if any(LOOKS_LIKE_VERB.match(word) and word.islower() for word in words[1 if has_article else 0 :]):
        return None
    if any(word in ("in", "on", "at", "from", "with", "by", "to", "about") for word in lower):
        return None
    first = words[0]
    named = any(word[0].isupper() for word in words[1:])
    if has_article:
        first = first.lower()
    elif not first[0].isupper() or first.isupper() or (len(words) > 1 and words[1][0].isupper()):
        named = True
    elif named or lower[0] not in spelled.small:
        # A first word may be a name, or have its capital for being the first.
        is_common = lower[0] in spelled.small or (
            first not in spelled.named
            and (
                (len(words) > 1 and words[1][0].islower())
                or (first.endswith("s") and _is_for_several(verb))
                or first.endswith("ing")
            )
        )
        first = lower[0] if is_common else first
        named = named or not is_common
    else:
        first = lower[0]
    plural = "and" in lower or (core[-1].endswith("s") and not core[-1].endswith(("ss", "us", "is")) and not named)
    return named, plural, " ".join([first, *words[1:]])
