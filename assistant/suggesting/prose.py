"""Questions from a statement in English prose: who, when, where, why, how much, how many, what it is.

A statement is taken where its subject is plain and stands first, before a verb that is known (verbs.py), and where the
rest has one of the forms below. Everything else is left alone: few good questions are wanted, not all.

But: no grammar is parsed. What comes out odd is mostly what the documents then do not answer in this very sentence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assistant.citing.orders import find_command
from assistant.question.asked import leans
from assistant.question.vocabulary import DAYS, MONTHS, SMALL_NUMBERS
from assistant.suggesting.candidates import Candidate, Source
from assistant.suggesting.verbs import LOOKS_LIKE_VERB, Verb, find_base, find_participle, find_past, find_third
from index.documents import Passage
from index.splitting.languages import ENGLISH, find_languages

_FEWEST_CHARACTERS, _MOST_CHARACTERS = 18, 400
_MOST_SUBJECT_WORDS = 7
_MOST_OBJECT_CHARACTERS = 62

_MONTH = "|".join(month.title() for month in MONTHS)
_DATE = rf"(?:(?:\d{{1,2}}(?:st|nd|rd|th)? )?(?:{_MONTH})(?: \d{{1,2}}(?:st|nd|rd|th)?)?,?(?: \d{{4}})?|(?:1\d|20)\d\d)"
_WHEN = re.compile(rf" ?\b(?:in|on|since|from|until|by|during|around) (?:early |late |the |about |mid-)?{_DATE}\b")
_COUNT = rf"(?:\d{{1,3}}(?:,\d{{3}})+|\d+|{'|'.join(SMALL_NUMBERS[2:13])})"
_MONEY = re.compile(
    r"(?:(?:about|around|up to|more than|over|nearly|almost|at least|some|only|an additional) )?"
    r"(?:(?:US|A|C)?[$€£¥] ?\d[\d.,]*(?: ?(?:million|billion|trillion|m|bn))?"
    rf"|(?:\d[\d.,]*|{'|'.join(SMALL_NUMBERS[1:13])})(?: (?:million|billion|trillion))? (?:US )?(?:dollars?|euros?|pounds?|crowns?|francs?|yen|EUR|USD|CHF|GBP))"
    r"(?!\w)"
)
_SPAN = re.compile(
    rf"(?:(?:about|around|up to|at least|between|approximately|roughly) )?{_COUNT}(?:(?:-| to | and | or |–){_COUNT})?"
    r" (?:(?:business|working|calendar|full) )?(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?)\b"
)
_COUNTED = re.compile(
    rf"(?P<count>(?:(?:about|over|more than|nearly|some|up to|at least|approximately) )?{_COUNT})"
    r" (?P<noun>(?:[a-z-]+ ){0,2}?(?:[a-z-]+[^\Wsui]s|people|men|women|children))(?P<rest>(?![\w-]).*)"
)
_NO_COUNTED = re.compile(r"(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|percent|points?|others?|times)\Z")
_DAYS_OF = re.compile(rf"(?:up to |at least )?{_COUNT} (?P<noun>(?:days|weeks|months|hours) of (?:[a-z]+ )?[a-z]+)\b")
_BECAUSE = re.compile(r",? (?:because(?! of the following)|due to|owing to|in order to|so that)\b")
_CLAUSE_END = re.compile(r"[,;:(–—]| -|\.(?:\s|$)| (?:which|that|who|whom|where|while|although|but|because|as|and|with|when)\b")
_QUOTING = re.compile(r"(?:,? that |[:,] ?[“\"]| [“\"])")
_LEAD_IN = re.compile(rf"(?:In|On|Since|By) {_DATE}, ")
_TITLED = re.compile(
    r"(?:President|Prime Minister|Minister|Chancellor|King|Queen|Prince|Princess|Pope|Sir|Lord|Dr\.?|Professor|Prof\.|Senator"
    r"|Governor|General|Mr\.?|Mrs\.?|Ms\.?|Judge|Captain|Saint) [A-Z]"
)
_CAPITAL = re.compile(r"[A-Z][\w’'.-]*\Z")
_NO_PERSON = re.compile(
    r"\b(?:the|of|for|Inc|Ltd|Corp|Company|Group|Bank|University|College|Institute|Agency|Council|Party|Union|Church|Act"
    r"|Army|Court|Committee|Ministry|Department|Kingdom|States?|Empire|Republic|City|County|River|Lake|Island|Sea|Ocean"
    r"|War|Battle|League|Cup|Street|North|South|East|West|Saudi|United|New|Emirates|School|Museum|House|Library|Records?"
    r"|Plan|Project|System|Team|Board|Office|Centre|Center|Association|Society|Foundation|Airport|Station|Law|Treaty)\b",
)
_ROLE = re.compile(
    r"\b(?:president|minister|chancellor|king|queen|politician|actor|actress|singer|writer|author|poet|physicist|chemist"
    r"|mathematician|engineer|scientist|philosopher|historian|economist|journalist|commentator|lawyer|judge|architect"
    r"|artist|painter|composer|musician|director|producer|manager|founder|officer|general|leader|chairman|chairwoman"
    r"|chair|ceo|professor|teacher|doctor|physician|player|footballer|coach|athlete|inventor|explorer|missionary|bishop"
    r"|saint|emperor|governor|senator|mayor|diplomat|activist|biologist|astronomer|noble|duke|lord|knight|monk|priest"
    r"|owner|head|editor|secretary|treasurer|analyst|developer|designer)\b",
    re.IGNORECASE,
)
_UNIQUE = re.compile(
    r"the (?:\w+ )?(?:\w+est|first|second|last|only|main|most \w+|capital|founder|head|leader|director|ceo|president|chair"
    r"|author|official|primary|largest|oldest|current|national)\b"
)
# Subjects that say nothing of themselves.
_VAGUE = frozenset(
    (
        "following example purpose goal aim result results reason problem idea point fact case thing way one ones other "
        "others same author authors article paper study document section page chapter book report table figure list "
        "number question answer first second third latter former next last rest company team group system process "
        "user users person people man woman men women name word term work research data information change changes "
        "time day year years period area part parts item items all both some many most several few each every any none "
        "more less such another either neither various certain two three four five six seven eight nine ten its his her "
        "their our your my who which what that this these those here there it he she they we you i researchers experts "
        "critics scholars officials sources observers reports studies findings something everything nothing anyone "
        "someone everyone nobody today now then however also finally additionally moreover furthermore therefore thus "
        "meanwhile instead indeed yet if when while although because since as by in on at for from with without after "
        "before during under over between among through to of not no nor so but and or like unlike despite according "
        "above below figures test tests use method methods event events effect effects process project"
    ).split()
)
# What a study says of itself, and what points at what stands elsewhere.
_OF_STUDIES = frozenset(
    "study studies paper papers article author authors result results finding findings data analysis evidence one ones others "
    "following latter former thing things case way fact figure table section chapter".split()
)
_POINTING_WORDS = _VAGUE - frozenset(
    "result reason purpose goal aim system process company team group research report user users time work data test data "
    "information list event change project day year name word people man woman study paper book page document article "
    "question answer section chapter table figure area part item person method methods events tests problem idea point "
    "changes items days years words men women names term period last second".split()
)
_NO_SUBJECT_WORD = frozenset(
    "that which who whom whose when where while if because although though but or nor as than then it he she they we you i "
    "is are was were be been being has have had do does did will would can could may might must shall should not there "
    "this these those his her their its our your my such what how why so also only just even either both".split()
)
_WHO_DID = frozenset(
    "found write invent design build discover win propose lead direct introduce launch defeat sign compose paint create "
    "criticise criticize establish develop produce publish appoint lead mediate describe coin pioneer sponsor elect "
    "conquer assassinate crown arrest commission organise organize announce sell buy acquire own replace succeed open "
    "warn accuse condemn oppose support negotiate".split()
)
_WHERE_DID = frozenset("live die meet arrive work settle travel land move reside emerge originate fight".split())
_WHAT_DOES = frozenset(
    "include cover offer provide require contain produce support measure cause prevent regulate protect govern control "
    "handle allow prohibit forbid consist mean show indicate comprise enable determine describe ensure represent".split()
)
_STATES = frozenset(
    "say warn argue announce claim explain state demand suggest conclude predict recommend promise propose stress add "
    "believe report reveal find show note admit deny insist".split()
)
_WHERE_BE = re.compile(
    r"(?P<what>located|situated|based|born|held|buried|headquartered|kept|stored|published|found|built|raised|produced"
    r"|made|filmed|housed|read|shown|displayed|served|sold|parked) (?:in|at|near|inside|outside|under|within) (?!which|addition|order|part|time|turn|fact|case"
    rf"|general|{_DATE})(?:the |a )?\w"
)
_WHO_BE = re.compile(
    r"(?P<what>founded|designed|built|created|invented|developed|directed|discovered|produced|published|composed|led|owned"
    r"|run|managed|introduced|proposed|written|painted|established|built|coined|appointed|approved|opened|commissioned"
    r"|signed|mediated|organised|organized|sponsored|maintained) (?:\w+ )?by (?:the )?(?P<who>[A-Z])"
)
_BE_CALLED = re.compile(r"(?:also |often |commonly |sometimes |generally )?(?P<what>called|named|known as|referred to as) (?:the |an? )?[\w“\"]")
_BE_USED = re.compile(r"(?:\w+ly |often |also )?(?P<what>used (?:to|for|as)|made (?:of|from|up of)|composed of|divided into|based on|responsible for|required to|designed to)\b")
_MANNER = re.compile(r"\w+ (?:by \w+ing|using|via|through|with the help of|by means of)\b")
_POSSIBLE = re.compile(
    r"(?P<what>possible|allowed|permitted|accepted|payable|available|due|delivered|paid) (?:only )?"
    r"(?:within|until|before|after|from|between|no later than|by) (?!the use)(?:\w+ ){0,3}?(?:\d|one|two|three|four|five|six"
    r"|seven|ten|Monday|Friday|Sunday|Saturday|noon)"
)
_LONG = re.compile(rf"(?:about |around |approximately )?[\d.,]+ (?:\w+ )?(?P<how>long|high|wide|deep|tall|old|thick|away)\b")
_OPEN = re.compile(r"(?P<what>open|closed|due|available)\b[^,;]{0,30}?(?:\d|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday|daily)")
_ACRONYM = re.compile(r"(?P<long>\b[A-Za-z][\w’'-]+(?: [\w’'&-]+){1,6}) \((?P<short>[A-Z][A-Za-z]?[A-Z]{1,4})s?\)")
_PLANNED = re.compile(r"(?:scheduled|expected|planned|due|set) to (?:be )?\w+")
_APPOSITION = re.compile(r"(?P<name>[A-Z][\w’'.-]+(?: [A-Za-z][\w’'.-]+){0,4}), (?P<what>(?:an?|the|who)\b [^,;:]{4,90}), (?P<rest>\w.*)")
_POINTING = re.compile(
    r"\b(?:it|him|them|this|these|those|there|such|former|latter|here|himself|herself|itself|themselves|respectively|also|too"
    r"|however|therefore|thus|above|below|following|i|we|you|your|our|my|us|me)\b",
    re.IGNORECASE,
)
_LASTING = ("last", "take")
_NAMES = re.compile(r"(?<![^\s(])[a-z][\w’'-]*,? ([A-Z][a-z][\w’-]*[a-z](?: (?:of (?:the )?)?[A-Z][\w’-]*[a-z]){0,3})(?=[ ,.;])")
_NO_NAME = re.compile(
    rf"\b(?:{'|'.join(word.title() for word in (*MONTHS, *DAYS))}|Mr|Mrs|Ms|Dr|The|This|That|These|Those|Please|Thank|Dear|Hi"
    r"|Hello|Best|Kind|Regards|You|Your|We|Our|My|It|In|Table|Figure|Section|Note|See)\b|^\w+(?:ian|ican|ish|ese)\Z"
)
_SMALL, _NAMED = re.compile(r"\b[a-z][a-z’'-]*[a-z]\b"), re.compile(r"(?<=[a-z,] )[A-Z][\w’'-]+")


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
    return Words(frozenset(small | {f"{word}s" for word in small} | {w.removesuffix("s") for w in small}), frozenset(named))


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
        words = self.subject.split()
        return bool(_TITLED.match(self.subject)) or (
            2 <= len(words) <= 4 and all(map(_CAPITAL.match, words)) and not _NO_PERSON.search(self.subject)
        )


def ask_of_statement(source: Source, words: Words) -> Iterator[Candidate]:
    """The questions that a sentence of prose answers."""
    line = source.line
    if not _FEWEST_CHARACTERS <= len(line) <= _MOST_CHARACTERS or not line.endswith((".", "”", '"')):
        return
    if find_languages(line) not in ((ENGLISH,), ()) or find_command(line):
        return
    for question, kind, worth in _ask(line, words):
        yield source.make(f"{question}?", kind, worth)


def _ask(line: str, spelled: Words) -> Iterator[tuple[str, str, float]]:
    if (short := _ACRONYM.search(line)) and _spells(short["long"], short["short"]):
        yield f"What does {short['short']} stand for", "acronym", 0.74
    if leans(line):
        return
    if lead := _LEAD_IN.match(line):
        rest = line[lead.end() :]
        line = f"{rest[:-1]} {lead[0][:1].lower()}{lead[0][1:-2]}."
    if aside := _APPOSITION.match(line):
        whole = Statement(aside["name"], "", "", True, False)
        if whole.is_person and _ROLE.search(aside["what"]) and not aside["what"].startswith("who"):
            yield f"Who is {aside['name']}", "definition", 0.86
        line = f"{aside['name']} {aside['rest']}"
    if statement := read_statement(line, spelled):
        bonus = 0.08 if statement.is_named else 0.0 if len(statement.subject.split()) > 2 else -0.12
        for question, kind, worth in _ask_statement(statement):
            if not _POINTING.search(question):
                yield question, kind, worth + bonus - (0.1 if len(question) > 70 else 0.0)


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
            and ((len(words) > 1 and words[1][0].islower()) or (first.endswith("s") and _is_for_several(verb)) or first.endswith("ing"))
        )
        first = lower[0] if is_common else first
        named = named or not is_common
    else:
        first = lower[0]
    plural = "and" in lower or (core[-1].endswith("s") and not core[-1].endswith(("ss", "us", "is")) and not named)
    return named, plural, " ".join([first, *words[1:]])


def _cut(text: str) -> str:
    """The words of a rest up to where a clause ends."""
    end = _CLAUSE_END.search(text)
    return (text[: end.start()] if end else text).rstrip(" .")


def _whole(text: str) -> str:
    """A stretch that stands in the middle of a sentence, where it is fit for a question; else ""."""
    text = text.strip()
    fit = len(text) <= _MOST_OBJECT_CHARACTERS and not re.search(r"[;:()\"“”—–?!]|\.\s|, (?:which|who|and|but)\b", text)
    return text.rstrip(" ,.") if fit else ""


def _ask_statement(s: Statement) -> Iterator[tuple[str, str, float]]:
    if s.verb in ("is", "are", "was", "were"):
        yield from _ask_being(s)
    elif s.verb in ("has", "have", "had"):
        helper = {"has": "does", "have": "do", "had": "did"}[s.verb]
        if counted := _read_counted(s.rest):
            yield f"How many {counted[0]} {helper} {s.subject} have{counted[1]}", "count", 0.85
    elif s.verb in ("can", "must", "will", "may", "should"):
        yield from _ask_modal(s)
    else:
        verb, helper = find_past(s.verb), "did"
        if verb is None or (s.verb == verb.base and s.is_plural):
            if third := find_third(s.verb):
                verb, helper = third, "does"
            elif plain := find_base(s.verb):
                verb, helper = plain, "do"
            else:
                return
        yield from _ask_doing(s, verb, helper)


def _read_counted(rest: str) -> tuple[str, str] | None:
    """What is counted at the beginning of a rest, and what of it goes with it, with a space before."""
    if found := _DAYS_OF.match(rest):
        return found["noun"], ""
    found = _COUNTED.match(rest)
    if not found or _NO_COUNTED.search(found["noun"]) or re.match(r" (?:of|or|to|and)\b|,? and ", found["rest"]):
        return None
    after = _cut(found["rest"])
    after = after if after.startswith(" ") and len(after) <= 45 and not _WHEN.search(after) else ""
    return found["noun"], after if re.match(r" (?:on|in|for|to|from|at|per|a|each)\b", after) else ""


def _ask_being(s: Statement) -> Iterator[tuple[str, str, float]]:
    be, subject, rest = s.verb, s.subject, s.rest
    why = _BECAUSE.search(rest)
    if why and (before := _whole(rest[: why.start()])) and not re.match(r"an? |the |not\b|\d", before):
        yield f"Why {be} {subject} {before}", "reason", 1.0
    if found := _WHO_BE.match(rest):
        verb = find_participle(found["what"])
        if verb:
            yield f"Who {verb.past} {subject}", "person", 0.9
    first = rest.split(" ", 1)[0]
    if (when := _WHEN.search(rest)) and (find_participle(first) or first == "born"):
        before = _whole(rest[: when.start()])
        place = re.search(r" (?:in|at|by|on|from|to|with|after)\b", before)
        kept = before[: place.start()] if place else before
        if planned := _PLANNED.match(before):
            kept = planned[0]
        kept = re.sub(r"(?: \w+ly)+\Z", "", kept)
        if kept and when.start() < 90 and not _CLAUSE_END.search(rest[: when.start()]):
            yield f"When {be} {subject} {kept}", "time", 0.88
    if found := _WHERE_BE.match(rest):
        yield f"Where {be} {subject} {found['what']}", "place", 0.82
    if find_participle(first) and _MANNER.match(rest):
        yield f"How {be} {subject} {first}", "how", 0.78
    if found := _POSSIBLE.match(rest):
        yield f"When {be} {subject} {found['what']}", "time", 0.85
    if found := _BE_CALLED.match(rest):
        yield f"What {be} {subject} {found['what']}".replace("known as", "also known as"), "name", 0.66
    if found := _BE_USED.match(rest):
        ending = found["what"]
        ending = f"{ending} do" if ending.endswith((" to",)) and not ending.startswith("used") else ending
        ending = "used for" if ending.startswith("used to") else ending
        yield f"What {be} {subject} {ending}", "use", 0.78
    if found := _LONG.match(rest):
        how = "far" if found["how"] == "away" else found["how"]
        yield f"How {how} {be} {subject}{' away' if how == 'far' else ''}", "amount", 0.85
    if found := _OPEN.match(rest):
        yield f"When {be} {subject} {found['what']}", "time", 0.85
    if _MONEY.match(rest):
        yield f"How much {be} {subject}", "amount", 0.88
    elif _SPAN.match(rest):
        asks = "How long" if re.search(r"period|time|duration|term|notice|warranty|leave|break|trial", subject) else "What"
        yield f"{asks} {be} {subject}", "amount", 0.86
    if found := _SPAN.search(rest):
        before = rest[: found.start()].rstrip()
        kept = re.fullmatch(r"(?P<what>(?:kept|stored|retained|valid|lent|closed|open|held|saved))(?: for| up to)*", before)
        if kept:
            yield f"How long {be} {subject} {kept['what']}", "amount", 0.92
    if re.match(r"(?:an?|one of) \w", rest):
        if not s.subject.startswith("the ") or s.is_named:
            asks = "Who" if s.is_person and _ROLE.search(_cut(rest)) else "What"
            if not s.is_person or asks == "Who":
                yield f"{asks} {be} {subject}", "definition", 0.7 if s.is_named else 0.62
    elif _UNIQUE.match(rest) and (predicate := _whole(_cut(rest))) and (s.is_named or s.is_person):
        asks = "Who" if _ROLE.search(predicate.split(" of ")[0]) else "What"
        cut_at = rest[len(_cut(rest)) :].lstrip()
        if len(predicate.split()) >= 3 and not cut_at.startswith(("and ", "as ", "with ")) and not re.match(r"the (?:\w+ )?\w+ of\b|.* (?:is|are|was|were)\b", predicate) or asks == "Who":
            yield f"{asks} {be} {predicate}", "unique", 0.84


def _ask_modal(s: Statement) -> Iterator[tuple[str, str, float]]:
    base, _, rest = s.rest.partition(" ")
    if base == "be":
        participle, _, rest = rest.partition(" ")
        if not find_participle(participle):
            return
        base = f"be {participle}"
    elif base != "have" and not find_base(base):
        return
    if why := _BECAUSE.search(rest):
        if before := _whole(rest[: why.start()]):
            yield f"Why {s.verb} {s.subject} {base} {before}", "reason", 0.95
        return
    if counted := _read_counted(rest):
        yield f"How many {counted[0]} {s.verb} {s.subject} {base}{counted[1]}", "count", 0.85
    if found := _SPAN.search(rest):
        before = rest[: found.start()]
        if re.search(r"(?:within|after|before|no later than|at least) (?:the (?:first|next|last) )?\Z", before):
            kept = _whole(re.sub(r" ?(?:within|after|before|no later than|at least)(?: the \w+)? \Z", "", before))
            yield f"When {s.verb} {s.subject} {base} {kept}".rstrip(), "time", 0.84


def _ask_doing(s: Statement, verb: Verb, helper: str) -> Iterator[tuple[str, str, float]]:
    subject, rest, base = s.subject, s.rest, verb.base
    asking = f"{helper} {subject} {base}"
    if why := _BECAUSE.search(rest):
        goal = _whole(rest[: why.start()])
        if goal or why.start() == 0:
            yield f"Why {asking} {goal}".rstrip(), "reason", 1.0
    if base == "put" and re.match(r"it (?:\w+ )?[:,]? ?[“\"]|it \w+:", rest):
        yield f"What {helper} {subject} say", "statement", 0.86
        return
    if base in _STATES:
        if _QUOTING.match(f" {rest}") or _QUOTING.match(rest):
            yield f"What {asking}", "statement", 0.86 if s.is_named else 0.6
        return
    if base == "cost" and _MONEY.match(rest):
        helper = "does" if s.verb == "costs" else "did"
        yield f"How much {helper} {subject} cost", "amount", 0.92
        return
    money = _MONEY.search(rest)
    if money and re.fullmatch(r"(?:to \w+ )?", rest[: money.start()]):
        after = _cut(rest[money.end() :])
        after = after if len(after) <= 40 and re.match(r" (?:in|for|to|on|per|from|of)\b", after) else ""
        yield f"How much {asking} {rest[: money.start()].strip()}".rstrip() + after, "amount", 0.95
        return
    if _SPAN.match(rest) and base in _LASTING:
        yield f"How long {asking}", "amount", 0.85
    if counted := _read_counted(rest):
        yield f"How many {counted[0]} {asking}{counted[1]}", "count", 0.85
    if base == "take" and rest.startswith("place "):
        if _WHEN.search(rest[5:40]) :
            yield f"When {asking} place", "time", 0.9
        elif re.match(r"place (?:in|at|on) (?:the )?[A-Z]", rest):
            yield f"Where {asking} place", "place", 0.8
        return
    if base in ("open", "close", "begin", "start", "end", "expire") and re.match(
        rf"(?:at|on|in) (?:\d|noon|midnight|{_DATE}|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)", rest
    ):
        yield f"When {asking}", "time", 0.88
        return
    when = _WHEN.search(rest)
    if when and helper == "did" and not _CLAUSE_END.search(rest[: when.start()]):
        goal = _whole(rest[: when.start()])
        if (goal and len(goal) <= 45) or when.start() == 0:
            yield f"When {asking} {goal}".rstrip(), "time", 0.86 if s.is_named else 0.76
    if base in _WHERE_DID and re.match(r"(?:in|at|near|to) (?:the )?[A-Z]", rest) and not when:
        yield f"Where {asking}", "place", 0.8
    goal = _whole(_cut(rest))
    if base in _WHO_DID and helper == "did" and s.is_named and goal and re.search(r"(?<!^)\b[A-Z]|^the ", goal):
        goal = _whole(re.split(r" (?:for|in|on|after|over|during|by) ", goal)[0])
        if goal and not re.search(r"\b(?:his|her|their|its)\b", goal):
            yield f"Who {s.verb} {goal}", "person", 0.88 if s.is_person else 0.72
    if base in _WHAT_DOES and helper != "did" and rest:
        yield f"What {asking}{' of' if base == 'consist' else ''}", "object", 0.76


def _spells(long: str, short: str) -> bool:
    """Whether the last words before an abbreviation begin with its letters."""
    initials = [word[0].lower() for word in re.split(r"[ -]", long) if word]
    wanted = list(short.lower())
    content = [word[0].lower() for word in re.split(r"[ -]", long) if word.lower() not in ("of", "the", "and", "for", "in")]
    return initials[-len(wanted) :] == wanted or content[-len(wanted) :] == wanted
