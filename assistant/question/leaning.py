"""Whether a question leans on the conversation: it points back, goes on, or says too little to be understood alone.

English, and what is commonest in German, Dutch, French and Spanish. But: a thing that only the conversation has made
known, "What caused the drought?", is not seen.
"""

from __future__ import annotations

import re
from typing import Literal

from assistant.question.vocabulary import COMMON_ADJECTIVES, LANGUAGES, NO_ANTECEDENTS, ORDINALS, RELATIONS
from index.splitting.terms import STOP_WORDS, find_content_terms, find_terms

Length = Literal["", "shorter", "longer"]

LONGEST_CHARACTERS = 300  # of a sentence that leans
MOST_CONTENT = 3  # terms of what follows "what about", where it leans
WORD = re.compile(r"[\w’'-]+")
SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=\S)")

_FILLERS = frozenset(
    "please can could would you me us i d i'd like to want need give make put say tell keep it that this your the answer "
    "an a be is in into of with and but now even bit little much still too so again up explain write go on about by for "
    "one few something have know let’s let's bitte das es mir noch etwas erzähl sag fasse zusammen in einem einer s’il "
    "s'il vous plaît plus en une avec dis lo eso por favor más una dilo un het dat iets alsjeblieft kun je".split()
)
_LENGTHS: dict[Length, frozenset[str]] = {
    "shorter": frozenset(
        "shorter short brief briefly concise concisely sentence tldr summarise summarize summary shorten condense words "
        "kürzer kurz satz court courte bref brièvement phrase corto breve brevemente frase korter kort zin".split()
    ),
    "longer": frozenset(
        "longer detail details detailed elaborate expand depth more further länger ausführlicher genauer mehr détails "
        "détaillé détail detalle detalles detallado langer uitgebreider meer".split()
    ),
}
_DOUBTS = frozenset(
    "really sure seriously certain true correct right wirklich sicher vraiment sûr seguro cierto echt".split()
)
_DOUBTING = _DOUBTS | frozenset(
    "are you is that so it this say again repeat bist du das es êtes vous estás weet je het".split()
)

_ACKNOWLEDGING = re.compile(
    r"(?:ok(?:ay)?|thanks|thank you|great|cool|wow|h+m+|really|interesting|i see|right|well|yes|yeah|no|sure|never ?mind"
    r"|good|nice|perfect|fine|sorry|hm+|who knew|not quite|danke|gut|merci|gracias|bedankt|dank je)\b"
    r"|(?:that|it|this)(?:[’']s| is| was| sounds| seems)\b|i (?:did ?n[’']?o?t|see|understand)\b",
    re.IGNORECASE,
)
_INTERJECTION = re.compile(
    r"(?:(?:ok(?:ay)?|thanks|thank you|great|cool|wow|h+m+|really|right|well|yes|yeah|no|sure|now|so|then|please|sorry|also"
    r"|danke|gut|merci|gracias|bedankt)[,;:.!]?+\s++)++(?=\S)",
    re.IGNORECASE,
)
_GOING_ON = re.compile(
    r"(?:and|but|or|und|aber|oder|et|mais|ou|y|e|pero|o|maar"
    # "en" opens questions in French and Spanish that stand alone.
    r"|en(?= (?:waarom|wanneer|wie|wat|hoe|waar|welke|voor|op|het|de|dan|daarna|met|naar)\b))\s++(?=\S)",
    re.IGNORECASE,
)
_WHAT_ABOUT = re.compile(
    r"(?:(?:what|how) about|what of|(?:the )?same(?: question| thing| again)? (?:for|with|about|in|on)|(?:i|we) meant?"
    r"|was ist mit|wie sieht es mit|wie ist es mit|das(?:selbe| gleiche) für|ich meinte|qu[’']en est-il d[eu’']|même question pour"
    r"|qué (?:hay de|tal|pasa con)|lo mismo (?:para|con)|hoe zit het met|hetzelfde voor|ik bedoelde)\s++(?=\S)",
    re.IGNORECASE,
)
_GOING_FURTHER = re.compile(
    r"\b(?:what|who|where|anything|anyone|any) (?:else|others?|more)\b|^why not\b|^which ones?\b", re.IGNORECASE
)
_POINTING = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|him|his|she|her|hers|those|these|this|that one|the same|there|that"
    r"|the (?:former|latter)|one|ones)\b",
    re.IGNORECASE,
)
PERSON = re.compile(r"\b(?:he|him|his|she|her|hers)\b", re.IGNORECASE)
_THIS_TIME = re.compile(
    r"\bth(?:is|ese) (?:year|month|week|morning|afternoon|evening|summer|winter|spring|autumn|quarter|days|time)\b",
    re.I,
)
_EXISTING = re.compile(
    r"\b(?:is|are|was|were|be|been|will) there\b|\bthere (?:is|are|was|were|will|be|been|has|have)\b", re.IGNORECASE
)
_EMPTY_IT = re.compile(
    r"\b(?:is|was|does|did|has|will|would) it\b(?! to\b)(?=(?>.*?\b(?:that|to|true|any|anyone|anything|enough|a|an|take)\b))"
    r"|\bit (?:rains?|snows?|takes?|comes to|makes sense)\b|\bthose (?:who|that|with|of)\b",
    re.IGNORECASE,
)
_DEMONSTRATIVE = re.compile(
    r"\bthat(?=\s*+(?:[?.!,;]|$))|(?:^|\b(?:is|was|isn[’']?t|wasn[’']?t|does|did|do|will|would|can|could|has|about|of|like|after|before|than|to)\s)"
    r"that(?:[’']s)?\b(?!\s(?:the|a|an|i|you|we)\b)",
    re.IGNORECASE,
)
_AT_END = re.compile(r"\b(?:ones?|both|neither|any|some|many|several)\s*+[?.!]?\s*+$", re.IGNORECASE)
ORDINAL = re.compile(
    rf"\b(?:the |my |your )?(?P<which>{'|'.join(ORDINALS)}) (?:ones?|of (?:these|those|them))\b"
    rf"|\b(?:the |my |your )(?P<bare>{'|'.join(ORDINALS)})(?= (?:is|are|was|were|do|does|did|has|have|can|could|will|would|cost|based|(?:\w+er|more|less|best|better)\b)"
    r"|\s*+(?:[?.!,;]|$))"
    r"|\b(?:number|option|item|no\.|#) ?(?P<numbered>\d{1,2}|one|two|three|four|five|six|seven|eight|nine|ten)\b",
    re.IGNORECASE,
)
_SECOND_BEST = re.compile(
    rf"\b(?:second|next|third)[ -](?:best|most|\w++est)\b|\bthe (?:{'|'.join(ORDINALS)}|other) (?:stage|step|part|phase|period|type|kind|option|version|way|method)s?(?=\s*+[?.!,;])"
    r"|\bthe (?:two|three|four|other|different) \w++\s*+[?.!]?+$",
    re.IGNORECASE,
)
_OTHERS_OF_THESE = re.compile(r"\b(?:what|which)(?: are| is)?(?: the| some| any)? other\b(?!.* than\b)", re.IGNORECASE)
_DEFINITION = re.compile(r"(?:who|what) (?:is|are|was|were) \w", re.IGNORECASE)
_NAME = re.compile(r"(?<=\s)(?!I\b)[A-Z][\w’'-]+")
_POSSESSIVE = re.compile(r"(?:its|their|his|her)\b", re.IGNORECASE)
# The nouns that a pronoun after them may mean: "Can employees take their dog", "If a tenant loses it".
_ANTECEDENT = re.compile(
    r"\b(?:a|an|any|every|each|all|some|no|can|may|must|should|do|does|did|will|would|if|when|is|are) (?:the |an? |my |our )?([a-z][\w’'-]++)",
    re.IGNORECASE,
)


def leans_on_conversation(question: str) -> bool:
    """Whether a question cannot be understood alone."""
    sentence, has_own_matter = find_asked_sentence(question)
    if not sentence or len(sentence) > LONGEST_CHARACTERS:
        return False
    if not has_own_matter and (asks_for_length(sentence) or doubts(sentence)):
        return True
    rest = strip_opening(sentence)
    goes_on = len(rest) < len(_INTERJECTION.sub("", sentence, count=1))
    language = _find_language(rest)
    content = _find_content(rest, language)
    if has_own_matter:
        return False
    if what_about := _WHAT_ABOUT.match(rest):
        return len(find_content_terms(rest[what_about.end() :])) <= MOST_CONTENT or _points_back(rest)
    if (
        _GOING_FURTHER.search(rest)
        or ORDINAL.search(rest)
        or _SECOND_BEST.search(rest)
        or _OTHERS_OF_THESE.search(rest)
    ):
        return True
    if _points_back(rest) or (language and _points_in(rest, language)):
        return True
    if goes_on and len(content) < MOST_CONTENT:
        return True
    if len(content) >= 2 or (_NAME.search(rest) and language != "german"):
        return False
    return not (content and _DEFINITION.match(rest))


def find_asked_sentence(question: str) -> tuple[str, bool]:
    """The sentence that asks, without what is only said to be kind; and whether one before it names its matter.

    "A heat pump seems good. What does it cost?" needs no conversation; "That's good. What does it cost?" does.
    """
    sentences = SENTENCE_END.split(" ".join(question.split()))
    kept = [s for s in sentences[:-1] if not _ACKNOWLEDGING.match(s) and not _points_back(s)]
    asked = sentences[-1].strip("¿¡ ")
    has_own_matter = any(len(find_content_terms(s)) >= 2 for s in kept)
    return asked, has_own_matter


def strip_opening(sentence: str) -> str:
    """A sentence without "Okay, and", "But", "Und"."""
    rest = _INTERJECTION.sub("", sentence, count=1) if _INTERJECTION.match(sentence) else sentence
    opening = _GOING_ON.match(rest)
    return rest[opening.end() :] if opening else rest


def find_other(sentence: str) -> str:
    """The other thing of which the same is asked: "2021" of "And what about 2021?"; "" where nothing else is."""
    rest = strip_opening(sentence)
    what_about = _WHAT_ABOUT.match(rest)
    if what_about is None and rest == sentence:
        return ""
    other = rest[what_about.end() :] if what_about else rest
    other = re.sub(r"(?:,? (?:please|then|bitte|aus))?\s*+[?.!]*+$", "", other, count=1).strip()
    words = [word.casefold() for word in WORD.findall(other)]
    if not words or len(words) > 6 or NO_ANTECEDENTS.intersection(words):
        return ""
    return other


def asks_for_length(sentence: str) -> Length:
    """Whether the answer before is wanted again, shorter or longer: "Make that shorter.", "More detail, please"."""
    words = {word.casefold() for word in WORD.findall(sentence)}
    for length, telling in _LENGTHS.items():
        if words & telling and words <= telling | _FILLERS:
            return length
    return ""


def doubts(sentence: str) -> bool:
    """Whether the answer before is only doubted: "Really?", "Is that so?"."""
    words = {word.casefold() for word in WORD.findall(sentence)}
    return bool(words) and words <= _DOUBTING and (bool(words & _DOUBTS) or {"that", "so"} <= words or "again" in words)


def _points_back(sentence: str) -> bool:
    """Whether an English pronoun means what no word before it in the sentence can mean."""
    plain = _EMPTY_IT.sub(" ", _EXISTING.sub(" ", _THIS_TIME.sub(" ", sentence)))
    if _AT_END.search(plain) and not re.search(r"\b(?:an?|the) one\b", plain):
        return True
    for pointing in _POINTING.finditer(plain):
        word, before = pointing[0].casefold(), plain[: pointing.start()]
        if word == "that" and not any(m.start() <= pointing.start() < m.end() for m in _DEMONSTRATIVE.finditer(plain)):
            continue
        if word in ("one", "ones"):
            continue
        # A name that stands before the pronoun is what it means: "What did Lapid say of his party?"
        if _NAME.search(before):
            return False
        is_possessive = _POSSESSIVE.match(word) and pointing.end() < len(plain.rstrip("?.! "))
        clause = re.match(r"(?:when|if|once|after|before|while) ", plain, re.IGNORECASE) and "," in before
        if (is_possessive or clause) and any(_is_noun(m[1]) for m in _ANTECEDENT.finditer(before)):
            continue
        return True
    return False


def _is_noun(word: str) -> bool:
    return word.casefold() not in STOP_WORDS and word.casefold() not in NO_ANTECEDENTS


def _find_language(sentence: str) -> str:
    """The language of a question's asking word, of those other than English; "" for others."""
    first = next(iter(WORD.findall(sentence.casefold())), "")
    return next((name for name, language in LANGUAGES.items() if first in language.asking), "")


def _points_in(sentence: str, language: str) -> bool:
    words = WORD.findall(sentence.casefold())
    return not LANGUAGES[language].pronouns.isdisjoint(words[1:])


def _find_content(sentence: str, language: str) -> list[str]:
    """The terms that say what is asked of: neither what all questions have, nor what something else has to have."""
    light = _LIGHT | (
        set(find_terms(" ".join(LANGUAGES[language].light | LANGUAGES[language].asking))) if language else set()
    )
    return [term for term in find_content_terms(sentence) if term not in light]


_LIGHT = frozenset(find_terms(" ".join((*COMMON_ADJECTIVES, *RELATIONS))))
