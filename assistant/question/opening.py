"""How a question begins: what is only said to be kind, and what joins it to what was said before."""

from __future__ import annotations

import re

from assistant.question.phrases import GREETINGS, THANKS
from index.splitting.folding import fold

MOST_WORDS_WITHIN = 4
PREPOSITION = re.compile(
    r"(?:in|at|on|for|to|from|of|with|by|during|before|after|under|over|without|per|im|am|für|mit|nach|zu|von|aus|bei"
    r"|en|pour|à|au|aux|dans|avec|de|du|chez|para|por|con|voor|met|naar|op|van|bij) (?=\S)",
    re.IGNORECASE,
)
MOST_GREETING_CHARACTERS = 60
WORD = re.compile(r"[\w’'-]+")
_SENTENCE_END = re.compile(r"(?<=[.!?]) (?=\S)")
_KIND_WORDS = (
    "ok(?:ay)?|thanks|thank you|great|cool|wow|h+m+|really|right|well|yes|yeah|no|sure|sorry|danke|gut|merci|gracias"
    "|bedankt"
)
_ACKNOWLEDGING = re.compile(
    rf"(?:{_KIND_WORDS}|interesting|never ?mind|good|nice|perfect|fine|who knew|not quite|dank je)\b"
    r"|(?:that|it|this)(?:[’']s| is| was| sounds| seems)\b|i (?:did ?n[’']?o?t|see|understand)\b",
    re.IGNORECASE,
)
_INTERJECTION = re.compile(rf"(?:(?:{_KIND_WORDS}|now|so|then|please|also)[,;:.!]?+ )++(?=\S)", re.IGNORECASE)
_JOINING = re.compile(
    r"(?:and|but|or|so|then|also|und|aber|oder|et|mais|ou|y|e|pero|o|maar"
    # "en" opens questions in French and Spanish that stand alone.
    r"|en(?= (?:waarom|wanneer|wie|wat|hoe|waar|welke|voor|op|het|de|dan|daarna|met|naar|in)\b)) (?=\S)",
    re.IGNORECASE,
)

_GREETING_END = re.compile(r"(?<![,.!;:…])[,.!;:…]{1,9}+(?=\s)|[！。，、]| [-–—](?= )")
_GREETINGS = frozenset(map(fold, GREETINGS))
_SAID_TO_BE_KIND = _GREETINGS.union(map(fold, THANKS))
_ADDRESSED = frozenset("footnote all everyone everybody again there".split())
ASKING = re.compile(
    r"(?:what|who|whom|whose|when|where|why|how|which|is|are|was|were|do|does|did|can|could|has|have|had|will|would|should"
    r"|was|wer|wen|wem|wann|wo|warum|wie|welche[rsnm]?|ist|sind|hat|wat|wie|wanneer|waar|waarom|hoe|welke?"
    r"|que|qui|quand|ou|pourquoi|comment|combien|quel(?:le)?s?|est|quien|cuando|donde|como|cuant[oa]s?|cual(?:es)?)\b"
)


def strip_greeting(question: str) -> str:
    """A question without "Good morning," or "thanks!" before it; what is nothing but that as it is."""
    rest = question.strip()
    while end := _GREETING_END.search(rest[:MOST_GREETING_CHARACTERS]):
        if not _is_kind(rest[: end.start()]):
            break
        rest = rest[end.end() :].lstrip()
    words = rest.split(" ", 3)
    for count in range(len(words) - 1, 0, -1):  # "hello when does the ferry leave?"
        after = " ".join(words[count:])
        if fold(" ".join(words[:count])) in _GREETINGS and ASKING.match(fold(after[:MOST_GREETING_CHARACTERS])):
            rest = after
            break
    return question if _is_kind(rest) else rest


def _is_kind(text: str) -> bool:
    """Whether a text only greets or thanks, or says nothing."""
    words = fold(text[:MOST_GREETING_CHARACTERS]).strip(" .,!?;:¡").split()
    while words and words[-1] in _ADDRESSED and " ".join(words) not in _SAID_TO_BE_KIND:
        words.pop()
    return not words or " ".join(words) in _SAID_TO_BE_KIND


def find_asked_sentence(question: str) -> tuple[str, list[str]]:
    """The sentence that asks, and those before it that are not said to be kind alone."""
    *before, asked = _SENTENCE_END.split(" ".join(question.split()))
    return asked.strip("¿¡ "), [sentence for sentence in before if not _ACKNOWLEDGING.match(sentence)]


def goes_on(sentence: str) -> bool:
    """Whether a sentence is joined to what was said before: "And when?", "Okay, but why?"."""
    return _JOINING.match(_strip_interjection(sentence)) is not None


def begins_within(sentence: str) -> bool:
    """Whether a sentence begins in the midst of another: "On Saturdays?", "With breakfast?"."""
    return PREPOSITION.match(sentence) is not None and len(sentence.split()) <= MOST_WORDS_WITHIN


def strip_opening(sentence: str) -> str:
    """A sentence without "Okay, and", "But", "Und"."""
    rest = _strip_interjection(sentence)
    joining = _JOINING.match(rest)
    return rest[joining.end() :] if joining else rest


def _strip_interjection(sentence: str) -> str:
    interjection = _INTERJECTION.match(sentence)
    return sentence[interjection.end() :] if interjection else sentence
