"""What the language model makes of its own answer (FOOTNOTE_CHECK=model): one prompt, one reply for all sentences.

The model may overrule our check where that rests on closeness alone, but what our check takes for unsupported it makes
partial at the most: it reads the documents' own words, and may be taken in by them. Hard facts stay: where numbers,
names, denials, opposites or quoted words are wrong, the stricter of both verdicts holds.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from assistant.answers import AnswerSentence, Citation, Support
from assistant.citing.support import find_wrong_facts
from prompts import make_fence, render

_STRICTEST_FIRST: tuple[Support, ...] = ("unsupported", "partial", "supported")
_VERDICT = re.compile(
    r"(?<!\d)(\d{1,3})[\s\"'\])}*_.:|=–—>-]+(?:is\s+|verdict\W+|sentence\W+|support\W+)*"
    r"(?:(?P<partial>(?:only\s+)?part\w*|(?:not|in)\s*(?:fully|completely|entirely|wholly))"
    r"|(?P<unsupported>unsupported|not[\s_-]+supported|contradict\w*|no\b|false\b)"
    r"|(?P<supported>(?:fully\s+)?supported|yes\b|true\b))",
    re.IGNORECASE,
)


def make_check_prompt(sentences: Sequence[AnswerSentence], citations: Sequence[Citation]) -> tuple[str, str]:
    """The rules and the request: every sentence that cites, numbered by its place from 1, with its quotations.

    What cites nothing is unsupported, whatever a model thinks, and is not asked about.
    """
    fence = make_fence()
    quotes = {citation.number: citation.quote for citation in citations}
    blocks = [
        "\n".join([f"Sentence {place}: {_flat(sentence.text)}", *(f"- {_flat(quotes[n])}" for n in sentence.citations)])
        for place, sentence in enumerate(sentences, start=1)
        if sentence.citations
    ]
    rules = render("check_rules", fence=fence)
    return rules, render("check_request", fence=fence, sentences="\n\n".join(blocks), count=str(len(blocks)))


def read_verdicts(reply: str) -> dict[int, Support]:
    """The verdicts of a reply by the sentences' numbers; lines that are none are passed over, the last word counts."""
    return {
        int(match[1]): next(support for support in _STRICTEST_FIRST if match[support])
        for match in _VERDICT.finditer(reply)
    }


def apply_verdicts(
    sentences: Sequence[AnswerSentence], citations: Sequence[Citation], reply: str
) -> tuple[AnswerSentence, ...]:
    """The sentences with both checks in one; our own stands where the reply says nothing of a sentence."""
    verdicts = read_verdicts(reply)
    by_number = {citation.number: citation for citation in citations}
    judged = []
    for place, sentence in enumerate(sentences, start=1):
        own, support = sentence.support, verdicts.get(place, sentence.support)
        mine = [by_number[number] for number in sentence.citations]
        titles = " ".join(citation.title for citation in mine)
        if find_wrong_facts(sentence.text, [citation.quote for citation in mine], titles):
            support = min(own, support, key=_STRICTEST_FIRST.index)
        if own == "unsupported" and support == "supported":
            support = "partial"
        judged.append(replace(sentence, support=support) if mine else sentence)
    return tuple(judged)


def _flat(text: str) -> str:
    """One line, so that no text begins a line that looks like one of ours."""
    return " ".join(text.split())
