"""What wants the question before once more: shorter or longer, doubted, or asked of something else."""

from __future__ import annotations

import re
from typing import Literal

from assistant.question.opening import WORD, begins_within, goes_on, strip_opening
from assistant.question.vocabulary import NO_THINGS

Length = Literal["", "shorter", "longer"]

MOST_OTHER_WORDS = 6

_FILLERS = frozenset(
    (
        "please can could would you me us i d i'd i’d like to want need give make put say tell keep it that this your "
        "the answer an a be is in into of with and but now even bit little more much still too so again up explain "
        "write go on about by for one few something have know let’s let's bitte das es mir noch etwas erzähl sag fasse "
        "zusammen in einem einer s’il s'il vous plaît plus en une avec dis lo eso por favor más una dilo un het dat "
        "iets alsjeblieft kun je"
    ).split()
)
_LENGTHS: dict[Length, frozenset[str]] = {
    "shorter": frozenset(
        (
            "shorter short brief briefly concise concisely sentence tldr summarise summarize summary shorten condense "
            "words kürzer kurz satz court courte bref brièvement phrase corto breve brevemente frase korter kort zin"
        ).split()
    ),
    "longer": frozenset(
        (
            "longer detail details detailed elaborate expand depth more further länger ausführlicher genauer mehr "
            "détails détaillé détail detalle detalles detallado langer uitgebreider meer"
        ).split()
    ),
}
_DOUBTS = frozenset(
    "really sure seriously certain true correct right wirklich sicher vraiment sûr seguro cierto echt again".split()
)
_DOUBTING = _DOUBTS.union("are you is that so it this say repeat bist du das es êtes vous estás weet je het".split())
WHAT_ABOUT = re.compile(
    r"(?:(?:what|how) about|what of|(?:the )?same(?: question| thing| again)? (?:for|with|about|in|on)|(?:i|we) meant?"
    r"|was ist mit|wie (?:sieht|ist) es mit|das(?:selbe| gleiche) für|ich meinte|qu[’']en est-il d[eu]"
    r"|même question pour|qué (?:hay de|tal|pasa con)|lo mismo (?:para|con)|hoe zit het met|hetzelfde voor"
    r"|ik bedoelde) (?=\S)",
    re.IGNORECASE,
)
_END = re.compile(r",? (?:please|then|instead|bitte|aus)$", re.IGNORECASE)


def asks_for_length(sentence: str) -> Length:
    """Whether the answer before is wanted again, shorter or longer: "Make that shorter.", "More detail, please"."""
    words = _find_words(sentence)
    for length, telling in _LENGTHS.items():
        if words & telling and words <= telling | _FILLERS:
            return length
    return ""


def doubts(sentence: str) -> bool:
    """Whether the answer before is only doubted: "Really?", "Is that so?"."""
    words = _find_words(sentence)
    return words <= _DOUBTING and (bool(words & _DOUBTS) or words >= {"that", "so"})


def find_other(sentence: str) -> str:
    """The other thing of which the same is asked: "2021" of "And what about 2021?"; "" where that is not all."""
    rest = strip_opening(sentence)
    what_about = WHAT_ABOUT.match(rest)
    if what_about is None and not goes_on(sentence) and not begins_within(rest):
        return ""
    other = _END.sub("", rest[what_about.end() if what_about else 0 :].rstrip("?.! "))
    words = WORD.findall(other.casefold())
    return other if 1 <= len(words) <= MOST_OTHER_WORDS and NO_THINGS.isdisjoint(words) else ""


def _find_words(sentence: str) -> set[str]:
    return set(WORD.findall(sentence.casefold()))
