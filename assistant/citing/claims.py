"""What a sentence denies, its opposites and its quoted words: facts that words alone decide, as numbers and names do.

But: what a negation denies is taken to be the words after it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from index.splitting.terms import find_content_terms, find_terms

# -- denials and opposites --------------------------------------------------------------------

_NEGATION = re.compile(
    r"\b(?:not(?! only| just| least)|never|no(?! (?:longer|more|less|fewer|later|earlier|sooner) than|\.)|none|nobody"
    r"|nothing"
    r"|nowhere|neither|nor|without|cannot|\w+n['’]t|fail(?:s|ed|ing)? to|den(?:y|ies|ied|ying)|refus(?:es?|ed|ing)"
    r"|unable|lack(?:s|ed|ing)?|impossible|hardly|barely|prevent(?:s|ed|ing)?"
    r"|un(?:likely|successful(?:ly)?|known|aware|related|common|changed|necessary)"
    r"|nicht|kein\w*|nie|pas|jamais|nunca)\b",
    re.IGNORECASE,
)
_NEGATED = re.compile(rf"{_NEGATION.pattern}(?P<scope>(?:\s+(?!but\b)[^\s,;:.!?()]+){{0,5}})", re.IGNORECASE)
# What denies besides, and whose scope is not told by what follows.
_NEGATING = re.compile(
    r"\b(?:fail\w*|otherwise|pending|except|only|unless|against|away|stop\w*|shut|instead|rather than|miss\w*"
    r"|premature|forbid\w*|ban(?:s|ned)?|los(?:es?|t|ing)|turn(?:s|ed|ing)? down|reject\w*|ignor\w*|abort\w*|n/a)\b"
    r"|-free\b|✗|❌",
    re.IGNORECASE,
)
# What leaves something out: of what the cited text says so, the sentence may not say that it is there.
_LEAVING_OUT = re.compile(
    r"\b(?:skip(?:s|ped|ping)?|omit(?:s|ted|ting)?|exclud(?:es?|ed|ing)|avoid(?:s|ed|ing)?|bypass(?:es|ed|ing)?"
    r"|except|left out|leav(?:es?|ing) out)"
    r"(?P<scope>(?:\s+(?!but\b)[^\s,;:.!?()]+){0,3})",
    re.IGNORECASE,
)
_REACH = 400  # characters after a negation, at most, in which what it denies is looked for
_OPPOSITES = [
    tuple(frozenset(find_terms(side)) for side in pair.split("/"))
    for pair in (
        "rise rises rose risen rising raise raises raised increase increased increasing grow grew grown growth climb "
        "climbed gain gained "
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
        "possible/impossible, half/double twice, add added adds/deduct deducted subtract subtracted, succeed "
        "succeeded/fail "
        "failed declined, praise praised praises/criticise criticised criticize criticized attack attacked blame "
        "blamed, "
        "full/empty, enable enabled enables/disable disabled disables, lock locked/unlock unlocked, require required "
        "mandatory compulsory/optional voluntary, encrypt/decrypt, input/output, ancient old/modern new, cheap "
        "cheaper/expensive "
        "dear, safe/dangerous, same/different, join joined/leave left, wet/dry, friend ally/enemy foe, "
        "teacher/pupil, buyer/seller, "
        "landlord landlady/tenant, employer/employee, winner/loser"
    ).split(", ")
]


def is_denied_otherwise(sentence: str, cited: str) -> bool:
    """Whether one of both denies what the other says: each denial's words must be denied on the other side too."""
    said, there = set(find_content_terms(sentence)), set(find_content_terms(cited))
    mine, theirs = list(_find_denials(sentence)), list(_find_denials(cited))
    if denies(sentence) and denies(cited):
        # What, only words in the same order tell; but most of it must be in a part where something is denied.
        denying = set().union(*(find_content_terms(part) for part in cited.split(" | ") if denies(part)))
        return any(2 * len(scope & denying) < len(scope) and scope & there for scope in mine)
    if not denies(sentence) and not _LEAVING_OUT.search(sentence):
        theirs += [set(find_content_terms(match["scope"])) for match in _LEAVING_OUT.finditer(cited)]
    denied_here, denied_there = set().union(*mine), set().union(*theirs)
    if any(not scope & denied_there and (scope & there or not theirs) for scope in mine):
        return True
    # A word that the cited text also says without a denial is not denied there.
    free = set(find_content_terms(_LEAVING_OUT.sub(" ", _NEGATED.sub(" ", cited))))
    return any(scope & said and not scope & said & denied_here and not scope & said & free for scope in theirs)


def denies(text: str) -> bool:
    """Whether anything is denied."""
    return any(pattern.search(text) for pattern in (_NEGATION, _NEGATING, _LEAVING_OUT))


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


def find_opposite(sentence: str, cited: str, strictly: bool = False) -> str:
    """A word of the cited text of whose pair of opposites the sentence has the other side only; or "".

    strictly: "up" and "down" are none, which stand with many verbs: "gave up".
    """
    said, there = set(find_terms(sentence)), set(find_terms(cited))
    loose = _DIRECTIONS if strictly else frozenset()
    for one, other in _OPPOSITES:
        for mine, theirs in ((one, other), (other, one)):
            if (said & mine) - loose and not said & theirs and (there & theirs) - loose and not there & mine:
                found = (there & theirs) - loose
                return next((word for word in re.findall(r"\w+", cited) if found.intersection(find_terms(word))), "")
    return ""


_DIRECTIONS = frozenset(find_terms("up down"))


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
