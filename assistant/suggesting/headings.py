"""Questions from headings, and about documents as a whole."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from assistant.citing.orders import IMPERATIVES
from assistant.suggesting.candidates import Candidate, Source
from assistant.suggesting.fields import is_title
from assistant.suggesting.verbs import find_base, find_gerund
from index.documents import Passage
from index.splitting.blocks import FIELD_LEVEL
from index.splitting.languages import ENGLISH, find_languages, find_running_language
from index.splitting.sentences import CONTENT, HEADS

_NUMBERING = re.compile(
    r"(?:(?:\d{1,3}|[IVXivx]{1,5}|[A-Za-z])(?:\.\d{1,3}){0,4}[.):]? |(?:Q|Question|F|Frage)(?: ?\d{1,3})?[:.] ?)+"
)
_ASKS = re.compile(
    r"(?:what|who|whom|whose|when|where|why|how|which|is|are|was|were|do|does|did|can|could|has|have|had|will|would"
    r"|should|may"
    r"|must|in what|at what|for whom|to whom)\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    r"(?P<asks>Why|How|When|Where|What) (?P<subject>[\w’' -]{2,50}?) (?P<verb>is|are|was|were|can|must|will|should"
    r"|has|have|had)"
    r"(?: (?P<rest>[\w’',& -]+))?\Z"
)
_WORKS = re.compile(
    r"How (?!to )(?P<subject>(?:the |a |an |your )?[\w’' -]{2,50}?) (?P<verb>works?)(?P<rest>(?: [\w’' -]+)?)\Z"
)
_TO = re.compile(r"(?P<asks>How|When|Where|What) to (?P<verb>[a-z]+)(?P<rest>[\w’',&/ .()-]*)\Z")
_LEANING = re.compile(r"\b(?:it|this|that|these|those|he|she|they|them|there|here)\b", re.IGNORECASE)
# What a text asks its reader, and does not answer.
_FLOURISH = re.compile(
    r"(?:did you know|do you (?:want|need|like|have)|are you (?:ready|looking|sure|interested)|have (?:you"
    r"|a question|any)"
    r"|(?:any )?questions\b|need help|who are (?:we|you)|who am i|how are you|what[’']s new|what do you think"
    r"|can you (?:help"
    r"|imagine)|would you|so what|what now|what next|why not)\b",
    re.IGNORECASE,
)
_GOES_ON = re.compile(r"\b(?:this|these|those)\b|, (?:then|however|therefore)\b", re.IGNORECASE)
_OF = re.compile(
    r"(?:The )?(?P<what>(?:[\w’'-]+ )?(?P<head>limits|role|effects?|causes?|origins?|history|structure|benefits"
    r"|risks|advantages"
    r"|disadvantages|importance|impact|meaning|definition|aims?|goals?|purpose|scope|types|stages|components|functions?"
    r"|principles|duties|responsibilities|conditions|consequences|symptoms|uses|properties|reasons|elements|rules"
    r"|future))"
    r" (?P<of>of|for|behind|on) (?P<rest>[\w’' -]{3,50})\Z",
    re.IGNORECASE,
)
_KNOWN = re.compile(
    r"(?:(?:the |our )?[\w’'-]+ ){0,3}(?P<head>policy|policies|procedure|process|requirements?|purpose|scope|goals?"
    r"|mission|vision"
    r"|responsibilities|benefits|rules|conditions|deadlines?|prices|fees|rates|opening hours|eligibility criteria"
    r"|values"
    r"|criteria|prerequisites|limitations|objectives|principles|strategy|structure|schedule|budget|allowance)\Z",
    re.IGNORECASE,
)
_PLURAL_HEADS = re.compile(r"(?:[^s]s|ies|criteria|hours)\Z")
_SAID = {
    "german": "Was wird über {} gesagt?",
    "dutch": "Wat wordt er over {} gezegd?",
    "french": "Que dit-on de {} ?",
    "spanish": "¿Qué se dice de {}?",
}
_LONGEST_TITLE, _TITLE_PART = 60, re.compile(r" [-–—|] |: |, | \(|\. ")
_MOST_NAMES, _LEAST_NAMED = 6, 2
_ABOUT = {
    "german": "Worum geht es in „{}“?",
    "dutch": "Waar gaat “{}” over?",
    "french": "De quoi parle « {} » ?",
    "spanish": "¿De qué trata «{}»?",
}


def ask_of_heading(source: Source) -> Iterator[Candidate]:
    """The question that a heading asks, or that what stands under it answers."""
    numbering = _NUMBERING.match(source.line)
    heading = source.line[numbering.end() if numbering else 0 :].strip(" :*#-–—")
    end = _end_of_section(source)
    if not end or len(heading) > 85 or (heading == source.passage.title and _is_headline(heading)):
        return
    place = source.passage.document_id, source.sentence.start, end
    made = [Candidate(question, *place, kind, worth) for question, kind, worth in _read_heading(heading)]
    yield from made
    is_part = not made and source.sentence.kind == "heading" and source.sentence.level < FIELD_LEVEL
    if is_part and heading != source.passage.title and is_title(heading) and _is_plain(heading) and heading[-1] != "?":
        form = _find_form(_ABOUT, source.passage.text, "What is “{}” about?")
        yield Candidate(form.format(heading), *place, "part", 0.36)


def _read_heading(heading: str) -> Iterator[tuple[str, str, float]]:
    words = heading.split()
    if not words:
        return
    if heading.endswith(("?", "？", "؟")):
        is_english = find_languages(heading) in ((), (ENGLISH,))
        leans = (len(words) <= 6 and _LEANING.search(heading)) or _FLOURISH.match(heading) or _GOES_ON.search(heading)
        if (len(words) > 2 or not heading.isascii()) and not leans and (not is_english or _ASKS.match(heading)):
            yield heading[:1].upper() + heading[1:], "faq", 0.97
        return
    if find_languages(heading) not in ((), (ENGLISH,)):
        return
    if (found := _WORKS.match(heading)) and not _LEANING.search(found["subject"]):
        several = found["verb"] == "work"
        yield f"How {'do' if several else 'does'} {_small(found['subject'])} work{found['rest']}?", "how", 0.85
    elif (found := _CLAUSE.match(heading)) and not _LEANING.search(found["subject"]):
        rest = f" {found['rest']}" if found["rest"] else ""
        worth = 1.2 if found["asks"] == "Why" else 0.9
        yield f"{found['asks']} {found['verb']} {found['subject']}{rest}?", "reason", worth
    elif re.match(r"Who [a-z]+s (?:the |an? )?[\w’' -]{3,50}\Z", heading):
        yield f"{heading}?", "person", 0.9
    elif found := _TO.match(heading):
        helper = "do" if found["asks"] in ("How", "What") else "should"
        yield f"{found['asks']} {helper} I {found['verb']}{_own(found['rest'])}?", "how", 0.9
    elif (
        (gerund := find_gerund(words[0].lower()))
        and words[0].lower() != "reading"
        and 2 <= len(words) <= 7
        and _is_plain(heading)
    ):
        yield f"How do I {gerund.base} {_own(' '.join(words[1:]))}?", "how", 0.84
    elif (
        words[0].lower() in IMPERATIVES
        and find_base(words[0].lower())
        and 3 <= len(words) <= 8
        and words[1].lower() in ("a", "an", "the", "your", "new")
        and _is_plain(heading)
    ):
        yield f"How do I {words[0].lower()} {_own(' '.join(words[1:]))}?", "how", 0.82
    elif found := _OF.match(heading):
        be = "are" if found["head"].lower().endswith("s") else "is"
        rest = " ".join(
            word.lower() if word.lower() in ("the", "a", "an") or (word[1:].islower() and heading.istitle()) else word
            for word in found["rest"].split()
        )
        yield f"What {be} the {found['what'].lower()} {found['of']} {rest}?", "section", 0.8
    elif (found := _KNOWN.fullmatch(heading)) and _is_plain(heading) and " and " not in heading:
        be = "are" if _PLURAL_HEADS.search(found["head"].lower()) else "is"
        shown = " ".join(word.lower() if word[1:].islower() or word.islower() else word for word in words)
        shown = shown.removeprefix("the ").removeprefix("our ")
        yield f"What {be} the {shown}?", "section", 0.68 if len(words) > 1 else 0.5


def _is_plain(heading: str) -> bool:
    return not any(mark in heading for mark in ',:;()/“”"–—|!')


def _small(subject: str) -> str:
    first, *others = subject.split(" ", 1)
    return " ".join([first.lower() if first in ("The", "A", "An", "Your") else first, *others])


def _own(words: str) -> str:
    """The rest of an instruction as who follows it asks: "my password"."""
    shown = {"your": "my", "a": "a", "an": "an", "the": "the"}
    return " ".join(shown.get(word.lower(), word) for word in words.split(" "))


def _is_headline(heading: str) -> bool:
    """Whether all words that count have a capital, as in the name of a book or a song: "Where Is the Love?"."""
    return all(word[:1].isupper() for word in heading.split() if len(word) > 3 or word.lower() in ("is", "are", "do"))


def _end_of_section(source: Source) -> int:
    """Where what stands under a heading ends, as far as its passage has it; 0 where nothing does."""
    end = 0
    for sentence in source.passage.sentences[source.place + 1 :]:
        if sentence.kind in HEADS and sentence.level <= source.sentence.level:
            break
        if sentence.kind in CONTENT:
            end = sentence.end
    return end


def ask_of_document(passage: Passage) -> Iterator[Candidate]:
    """What a document is about, where its title is one that a person gave."""
    title = passage.title
    if len(title) > _LONGEST_TITLE:
        title = _TITLE_PART.split(title, maxsplit=1)[0].strip()
    if is_title(title):
        form = _find_form(_ABOUT, passage.text, "What is “{}” about?")
        yield Candidate(form.format(title), passage.document_id, 0, 0, "document", 0.34, about=passage.document_id)


def _find_form(forms: Mapping[str, str], text: str, otherwise: str) -> str:
    """How the language of a text asks."""
    return forms.get(find_running_language(text[:1000]).casefold(), otherwise)


def ask_of_names(named: Counter[str], language: str) -> Iterator[Candidate]:
    """What is said of the most frequent names, where there is nothing better to ask. named: how often each stands.

    language: of the passages, by its name in English.
    """
    for place, (name, count) in enumerate(named.most_common(_MOST_NAMES)):
        if count < _LEAST_NAMED:
            break
        worth = 0.5 - 0.02 * place
        yield Candidate(
            _SAID.get(language.casefold(), "What is said about {}?").format(name), "", 0, 0, "name", worth, holds=name
        )
