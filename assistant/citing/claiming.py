"""Whether a sentence of an answer claims something that could be true or false. Only what does is judged.

No claims are: code, formulas, the head of a table, headings, what leads in a list ("Here is how:"), a bare yes or no,
questions, courtesies, and that the documents do not say.

But: courtesies are told in English, silence in English and a little of its neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.citing.plain_words import make_plain
from index.splitting.blocks import UNMARKED_LEVEL
from index.splitting.sentences import Sentence
from index.splitting.terms import find_content_terms, find_terms

_NO_CLAIM_KINDS = ("code", "columns", "boilerplate")
_HEADING = re.compile(r"#{1,6}\s|(?:\*\*|__)[^*_\n]{1,120}(?<![.!?])(?:\*\*|__):?$")
_LABEL = re.compile(r"(?:[-*+•]|\d{1,3}[.)])?\s?(?:\*\*|__)[^*_\d\n]{1,60}(?:\*\*|__)[.:]?$")
_LONGEST_LABEL = 5  # words
_FORMULA = re.compile(r"\$\$|\\[\[(]|\\begin\{|\$[^$\d][^$]{0,300}+\$$")
_A_WORD = re.compile(r"[^\W\d_]{3}")
_FENCE = re.compile(r"(?:```|~~~)\w*+$")
_RULE = re.compile(r"[-=:|+*_\s]++$")
_CLOSERS = "\"'”’»)*_ "
_LONGEST_CELL = 3  # words of a table's head

_LEADING_IN = frozenset(
    find_terms("here below following follows follow these this that steps overview summary example how like so")
)
_BARE = frozenset(
    find_terms(
        "yes no not necessarily quite exactly really always entirely depends correct true false right wrong partly "
        "part "
        "maybe perhaps possibly probably certainly sure course absolutely indeed yet extent"
    )
)
_COURTESY = re.compile(
    r"(?:(?:hello|hi|hey|thanks|thank you|you['’]?(?:re| are) (?:very )?welcome|my pleasure|kind regards"
    r"|best (?:regards|wishes)"
    r"|goodbye|no problem|great question|good question)\b"
    r"|(?:i['’]?(?:m| am) |we['’]?(?:re| are) )?(?:sorry|apologies)\b"
    r"|i (?:really )?hope (?:this|that|it|these)\b|hope (?:this|that) helps"
    r"|(?:please |just )?(?:feel free|let me know|do not hesitate|don['’]t hesitate)\b"
    r"|if (?:you(?:['’]d| would)? (?:have|need|want|like|wish)|there is anything|anything)\b.{0,120}?\b(?:ask|let me"
    r"|tell me|happy|glad|i can|feel free|hesitate)\b"
    r"|i(?:['’]m| am|['’]d be| would be|['’]ll be| can)(?: also)? (?:happy|glad|here) to\b|happy to help)",
    re.IGNORECASE,
)
# "Enjoy your soup!", "Sure!", "Of course, I can help!": little else ends so.
_EXCLAIMED = re.compile(
    r"(?:enjoy|good luck|have (?:a|fun)|welcome|congratulations|sure|certainly|of course|absolutely|great|good"
    r"|excellent"
    r"|dear|happy)\b[^.:;!]{0,60}+[!,]$",
    re.IGNORECASE,
)

# Who is silent. What is no document only says, finds or sees nothing: "it does not include breakfast" is a claim.
_SOURCES = frozenset(
    (
        "document documents documentation source sources text texts article articles passage passages sentence "
        "sentences "
        "excerpt excerpts context file files page pages email e-mail mail letter minutes report record records note "
        "notes "
        "table list evidence material information manual guide handbook contract lease invoice statement quotation "
        "quotations quote quotes rules transcript faq schedule section post memo dokumente dokument quellen texte "
        "unterlagen textes documentos textos documenti fonti"
    ).split()
)
_SPEAKERS = frozenset("it they this i we".split())
_NONE = frozenset("none neither nothing nowhere no not there".split())
_SAYS = (
    r"(?:say|said|state|mention|specif|give|tell|told|indicat|explain|describ|disclos|clarif|answer|find|determin|see"
    r"|locate)\w*"
)
_HOLDS = (
    r"(?:provide|contain|include|show|reveal|address|discuss|cover|list|name|report|defin|note|touch|elaborat|offer"
    r"|suggest|confirm|support|have)"
    r"\w*"
)
_DENIES = (
    r"(?:\b(?:not|never|neither|none|nothing|nowhere|nobody|cannot)\b|n['’]t\b|\bunable to\b)(?:\s[\w’'-]+){0,6}?\s"
)
_SILENT = re.compile(
    rf"(?P<says>{_DENIES}{_SAYS})|{_DENIES}{_HOLDS}"
    r"|\b(?:no|not any|nothing|little)(?: \w+){0,2}? (?:information|mention|detail|data|indication|word|record"
    r"|explanation"
    r"|reference|reason|answer|said)s?\b"
    r"|\bnothing (?:about|on|as to)\b|\bsilent(?: (?:on|about|as to)\b|[.!]?$)|\b(?:unclear|(?:left|leaves?) open)\b"
    r"|\b(?:sagen|nennen|erwähnen|enthalten)\b.{0,40}?\b(?:nicht|nichts|keine?n?)\b"
    r"|\bne (?:disent|mentionnent|précisent|donnent|indiquent) pas\b|\bno (?:dicen|mencionan|indican|especifican)\b"
    r"|\bnon (?:dicono|indicano|menzionano|specificano)\b",
    re.IGNORECASE,
)
_NOT_THERE = re.compile(
    r"\bnot (?:\w+ed |found |something )?(?:in|by|that) (?:the|these|this|any|your) (?:\w+ )?"
    r"(?:documents?|sources?|texts?|passages?|articles?|files?|excerpts?|context)\b",
    re.IGNORECASE,
)
# "Here's a summary of the rules", "Let's look at each in turn."
_ANNOUNCES = re.compile(
    r"(?:(?:sure|certainly|of course|okay)[,!.] )?(?:here(?:['’]s| is| are)|below (?:is|are)|let['’]s"
    r"|let us)\b[^:\d]{0,80}+$",
    re.IGNORECASE,
)
_UNSAID = re.compile(
    r"\b(?:is|are|was|were|been|remains?) (?:not|never|nowhere|un)(?: \w+ly)?(?: |\b|(?<=un))"
    r"(?:said|stated|mentioned|specified|given|indicated|explained|described|disclosed|documented|known|clear)\b",
    re.IGNORECASE,
)
_SUBJECT_WORDS = 5  # within which it is said who is silent
_TELLING = frozenset(
    find_terms(
        "say state mention specify give tell indicate explain describe provide contain include show information "
        "unfortunately "
        "whether document documents text source sources file files article minutes letter statement report table "
        "list rules"
    )
)
_FEWEST_MISSING = 3
_HELD = 0.8  # of the words of what is said to be missing


def find_place(sentence: Sentence, words: str, following: Sentence | None) -> str:
    """How a sentence stands in its reply: "code", "heading", "lead" of what follows, or "" for what may claim."""
    if sentence.kind in _NO_CLAIM_KINDS:
        return "code"
    # A short line without a mark may be an answer.
    if sentence.kind in ("heading", "question") and (0 < sentence.level < UNMARKED_LEVEL or _HEADING.match(words)):
        return "heading"
    if (
        words.rstrip(_CLOSERS).endswith(":")
        and following
        and following.kind in ("item", "code", "row", "columns", "field")
    ):
        return "lead"
    return ""


def claims_nothing(words: str, quotes: Sequence[str] = (), place: str = "") -> bool:
    """Whether a sentence claims nothing, by its words and by how it stands in its reply (see `find_place`)."""
    words = " ".join(words.split())
    if place in ("code", "heading") or _HEADING.match(words) or _FENCE.match(words) or _RULE.match(words):
        return True
    if _LABEL.match(words) and len(words.split()) <= _LONGEST_LABEL:
        return True
    ended = words.rstrip(_CLOSERS)
    plain = make_plain(words)
    if ended.endswith(("?", "？", "؟")) or _FORMULA.match(words) or _is_equation(plain.prose):
        return True
    terms = find_content_terms(plain.text)
    if ended.endswith(":"):
        leads = place == "lead" or len(terms) <= 1 or _LEADING_IN & set(find_terms(plain.text))
        return bool(leads or not quotes) and not any(map(str.isdigit, plain.prose))
    if plain.label:
        terms = [*terms, *find_content_terms(plain.label)]
    if set(terms) <= _BARE:
        return True
    if _COURTESY.match(plain.text) or _EXCLAIMED.match(plain.text):
        return True
    # What hands something over and cites for it rests on what is cited: an order, maybe, that it obeys.
    if _ANNOUNCES.match(plain.text) and not quotes:
        return True
    if "|" in words and not quotes:
        cells = [cell.split() for cell in words.split("|") if cell.strip()]
        return all(len(cell) <= _LONGEST_CELL for cell in cells) and not any(map(str.isdigit, words))
    return _says_of_silence(plain.text, terms, quotes)


def _is_equation(words: str) -> bool:
    """Whether signs join what are no words: "E = mc^2"."""
    return any(sign in words for sign in "=^≈≤≥∑") and not _A_WORD.search(words)


def _says_of_silence(words: str, terms: Sequence[str], quotes: Sequence[str]) -> bool:
    """Whether it is said that the documents do not say; but not of what the words cited do say."""
    silent = _SILENT.search(words)
    opening = [word.strip(",.;:").casefold() for word in words.split()[:_SUBJECT_WORDS]]
    until = words[: silent.start()] if silent else words
    named = any(word.strip(",.;:").casefold() in _SOURCES for word in until.split())
    tells = silent and (
        named or _NONE.intersection(opening[:2]) or (silent["says"] and _SPEAKERS.intersection(opening))
    )
    if not (tells or _NOT_THERE.search(words) or _UNSAID.search(words)):
        return False
    missing = set(terms) - _TELLING
    said = set(find_terms(" ".join(quotes)))
    return len(missing) < _FEWEST_MISSING or len(missing & said) < _HELD * len(missing)
