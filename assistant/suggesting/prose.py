"""Questions from a statement in English prose: who, when, where, why, how much, how many, what it is.

A statement is taken where its subject is plain and stands first, before a verb that is known (verbs.py), and where the
rest has one of the forms below. Everything else is left alone: few good questions are wanted, not all.

But: no grammar is parsed. What comes out odd is mostly what the documents then do not answer in this very sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from assistant.citing.orders import find_command
from assistant.question.asked import leans
from assistant.question.vocabulary import MONTHS, SMALL_NUMBERS
from assistant.suggesting.candidates import Candidate, Source
from assistant.suggesting.statements import Statement, Words, read_statement
from assistant.suggesting.verbs import Verb, find_base, find_participle, find_past, find_third
from assistant.suggesting.words import read_words
from index.splitting.languages import ENGLISH, find_languages

_FEWEST_CHARACTERS, _MOST_CHARACTERS = 18, 400
_MOST_OBJECT_CHARACTERS = 62
_MONTH = "|".join(month.title() for month in MONTHS)
_DATE = rf"(?:(?:\d{{1,2}}(?:st|nd|rd|th)? )?(?:{_MONTH})(?: \d{{1,2}}(?:st|nd|rd|th)?)?,?(?: \d{{4}})?|(?:1\d|20)\d\d)"
_WHEN = re.compile(rf" ?\b(?:in|on|since|from|until|by|during|around) (?:early |late |the |about |mid-)?{_DATE}\b")
_COUNT = rf"(?:\d{{1,3}}(?:,\d{{3}})+|\d+|{'|'.join(SMALL_NUMBERS[2:13])})(?: (?:hundred|thousand|million|billion))?"
_MONEY = re.compile(
    r"(?:(?:about|around|up to|more than|over|nearly|almost|at least|some|only|an additional) )?"
    r"(?:(?:US|A|C)?[$€£¥] ?\d[\d.,]*(?: ?(?:million|billion|trillion|m|bn))?"
    rf"|(?:\d[\d.,]*|{'|'.join(SMALL_NUMBERS[1:13])})(?: (?:million|billion|trillion))? (?:US )?(?:dollars?|euros?"
    rf"|pounds?|crowns?|francs?|yen|EUR|USD|CHF|GBP))"
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
_DAYS_OF = re.compile(rf"(?:up to |at least )?{_COUNT} (?P<noun>(?:days|weeks|months|hours) of [a-z]+)\b")
_BECAUSE = re.compile(r",? (?:because(?! of the following)|due to|owing to|in order to|so that)\b")
_CLAUSE_END = re.compile(
    r"[,;:(–—]| -|\.(?:\s|$)| (?:which|that|who|whom|where|while|although|but|because|as|and|with|when)\b"
)
_QUOTING = re.compile(r"(?:,? that |[:,] ?[“\"]| [“\"])")
_LEAD_IN = re.compile(rf"(?:In|On|Since|By) {_DATE}, ")
_ROLE = re.compile(
    r"\b(?:president|minister|chancellor|king|queen|politician|actor|actress|singer|writer|author|poet|physicist"
    r"|chemist"
    r"|mathematician|engineer|scientist|philosopher|historian|economist|journalist|commentator|lawyer|judge|architect"
    r"|artist|painter|composer|musician|director|producer|manager|founder|officer|general|leader|chairman|chairwoman"
    r"|chair|ceo|professor|teacher|doctor|physician|player|footballer|coach|athlete|inventor|explorer|missionary|bishop"
    r"|saint|emperor|governor|senator|mayor|diplomat|activist|biologist|astronomer|noble|duke|lord|knight|monk|priest"
    r"|owner|head|editor|secretary|treasurer|analyst|developer|designer)\b",
    re.IGNORECASE,
)
_UNIQUE = re.compile(
    r"the (?:\w+ )?(?:\w+est|first|second|last|only|main|most \w+|capital|founder|head|leader|director|ceo|president"
    r"|chair"
    r"|author|official|primary|largest|oldest|current|national)\b"
)
_WHO_DID = read_words("who_did")
_WHERE_DID = read_words("where_did")
_WHAT_DOES = read_words("what_does")
_STATES = read_words("states")
_WHERE_BE = re.compile(
    r"(?P<what>located|situated|based|born|held|buried|headquartered|kept|stored|published|found|built|raised|produced"
    r"|made|filmed|housed|read|shown|displayed|served|sold|parked) (?:in|at|near|inside|outside|under"
    r"|within) (?!which|addition|order|part|time|turn|fact|case"
    rf"|general|{_DATE})(?:the |a )?\w"
)
_WHO_BE = re.compile(
    r"(?P<what>founded|designed|built|created|invented|developed|directed|discovered|produced|published|composed|led"
    r"|owned"
    r"|run|managed|introduced|proposed|written|painted|established|built|coined|appointed|approved|opened|commissioned"
    r"|signed|mediated|organised|organized|sponsored|maintained) (?:\w+ )?by (?:the )?(?P<who>[A-Z])"
)
_BE_CALLED = re.compile(
    r"(?:also |often |commonly |sometimes |generally )?(?P<what>called|named|known as|referred to as) (?:the "
    r"|an? )?[\w“\"]"
)
_BE_USED = re.compile(
    r"(?:\w+ly |often |also )?(?P<what>used (?:to|for|as)|made (?:of|from|up of)|composed of|divided into|based on"
    r"|responsible for|required to|designed to)\b"
)
_MANNER = re.compile(r"\w+ (?:by \w+ing|using|via|through|with the help of|by means of)\b")
_POSSIBLE = re.compile(
    r"(?P<what>possible|allowed|permitted|accepted|payable|available|due|delivered|paid) (?:only )?"
    r"(?:within|until|before|after|from|between|no later than|by) (?!the use)(?:\w+ ){0,3}?(?:\d|one|two|three|four"
    r"|five|six"
    r"|seven|ten|Monday|Friday|Sunday|Saturday|noon)"
)
_LONG = re.compile(
    r"(?:about |around |approximately )?[\d.,]+ (?:\w+ )?(?P<how>long|high|wide|deep|tall|old|thick|away)\b"
)
_OPEN = re.compile(
    r"(?P<what>open|closed|due|available)\b[^,;]{0,30}?(?:\d|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday"
    r"|Sunday|daily)"
)
_ACRONYM = re.compile(r"(?P<long>\b[A-Za-z][\w’'-]+(?: [\w’'&-]+){1,6}) \((?P<short>[A-Z][A-Za-z]?[A-Z]{1,4})s?\)")
_PLANNED = re.compile(r"(?:scheduled|expected|planned|due|set) to (?:be )?\w+")
_APPOSITION = re.compile(
    r"(?P<name>[A-Z][\w’'.-]+(?: [A-Za-z][\w’'.-]+){0,4}), (?P<what>(?:an?|the|who)\b [^,;:]{4,90}), (?P<rest>\w.*)"
)
_POINTING = re.compile(
    r"\b(?:either|both|it|him|them|this|these|those|there|such|former|latter|here|himself|herself|itself|themselves|respectively"
    r"|also|too"
    r"|however|therefore|thus|above|below|following|i|we|you|your|our|my|us|me)\b",
    re.IGNORECASE,
)
_LASTING = ("last", "take")


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
    if days := _DAYS_OF.match(rest):
        return days["noun"], ""
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
        asks = (
            "How long" if re.search(r"period|time|duration|term|notice|warranty|leave|break|trial", subject) else "What"
        )
        yield f"{asks} {be} {subject}", "amount", 0.86
    if found := _SPAN.search(rest):
        before = rest[: found.start()].rstrip()
        lasting = re.fullmatch(
            r"(?P<what>(?:kept|stored|retained|valid|lent|closed|open|held|saved))(?: for| up to)*", before
        )
        if lasting:
            yield f"How long {be} {subject} {lasting['what']}", "amount", 0.92
    if re.match(r"(?:an?|one of) \w", rest):
        if not s.subject.startswith("the ") or s.is_named:
            asks = "Who" if s.is_person and _ROLE.search(_cut(rest)) else "What"
            if not s.is_person or asks == "Who":
                yield f"{asks} {be} {subject}", "definition", 0.7 if s.is_named else 0.62
    elif _UNIQUE.match(rest) and (predicate := _whole(_cut(rest))) and (s.is_named or s.is_person):
        asks = "Who" if _ROLE.search(predicate.split(" of ")[0]) else "What"
        cut_at = rest[len(_cut(rest)) :].lstrip()
        if (
            len(predicate.split()) >= 3
            and not cut_at.startswith(("and ", "as ", "with "))
            and not re.match(r"the (?:\w+ )?\w+ of\b|.* (?:is|are|was|were)\b", predicate)
        ) or asks == "Who":
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
        if _WHEN.search(rest[5:40]):
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
    content = [
        word[0].lower() for word in re.split(r"[ -]", long) if word.lower() not in ("of", "the", "and", "for", "in")
    ]
    return initials[-len(wanted) :] == wanted or content[-len(wanted) :] == wanted
