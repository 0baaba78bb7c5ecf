"""What a language model makes of an answer's sentences (FOOTNOTE_CHECK=model): one prompt, a line for each as it comes.

The model judges. What words know overrules it only where a number or a quoted phrase plainly differs from the words
cited: then the stricter of both verdicts holds.

But: a model that a document wins over may judge as the document wishes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest

from assistant.answers import AnswerSentence, Citation, Support
from assistant.citing.citations import show_context
from assistant.citing.support import Verdict, find_wrong_facts
from prompts import make_fence, render

LONGEST_REASON_CHARACTERS = 120
PENDING = "It is being checked."

_STRICTEST_FIRST: tuple[Support, ...] = ("off_topic", "unsupported", "partial", "supported")
_PLAIN = frozenset({"number", "quotation"})  # the facts in which words overrule a model
_APART = r"[\s\"'\])}*_.:|=–—>-]{1,40}"
_VERDICT = re.compile(
    # A number that opens a line, or one before a colon: "2: unsupported - the source says 3, no more" is one verdict.
    rf"(?:^[^\w\n]{{0,20}}(?:sentence\W{{1,20}})?(?P<opening>\d{{1,3}}){_APART}"
    rf"|(?<!\d)(?P<inside>\d{{1,3}})[\"'\])}}*_ ]{{0,10}}[:=]{_APART}?)"
    r"(?:is\s+|verdict\W+|sentence\W+|support\W+)?"
    r"(?:(?P<off_topic>off[\s_-]?(?:topic|question)|beside|irrelevant|unrelated)"
    r"|(?P<partial>(?:only\s+)?part\w*|(?:not|in)\s*(?:fully|completely|entirely|wholly))"
    r"|(?P<unsupported>unsupported|not[\s_-]supported|contradict\w*|no\b|false\b)"
    r"|(?P<supported>(?:fully\s+)?supported|yes\b|true\b))",
    re.IGNORECASE | re.MULTILINE,
)
_EDGES = " \t\r\"'*_`.:;,|()[]{}–—-=>"


def is_judged(sentence: AnswerSentence) -> bool:
    """Whether a model is asked about it: it claims something, and cites. What cites nothing is unsupported anyway."""
    return bool(sentence.citations) and sentence.support != "no_claim"


def make_check_prompt(
    question: str, sentences: Sequence[AnswerSentence], citations: Sequence[Citation]
) -> tuple[str, str]:
    """The rules and the request: every sentence, those that are judged numbered by their place from 1, with quotations.

    The others stand between them, for what a sentence means hangs on those around it.
    """
    fence = make_fence()
    cited = {citation.number: citation for citation in citations}
    blocks = [
        "\n".join(
            [f"Sentence {place}: {_flat(sentence.text)}", *(f"- {_show(cited[n])}" for n in sentence.citations)]
            if is_judged(sentence)
            else [f"({_flat(sentence.text)})"]
        )
        for place, sentence in enumerate(sentences, start=1)
    ]
    count = sum(map(is_judged, sentences))
    rules = render("check_rules", fence=fence)
    return rules, render(
        "check_request", fence=fence, question=_flat(question), sentences="\n\n".join(blocks), count=str(count)
    )


def read_verdicts(reply: str) -> dict[int, Verdict]:
    """The verdicts of a reply by the sentences' numbers; lines that are none are passed over, the last word counts."""
    verdicts = {}
    found = list(_VERDICT.finditer(reply))
    for match, following in zip_longest(found, found[1:]):
        place = int(match["opening"] or match["inside"])
        support = next(support for support in _STRICTEST_FIRST if match[support])
        after = reply[match.end() : following.start() if following else len(reply)]
        verdicts[place] = Verdict(support, _read_reason(after))
    return verdicts


def apply_verdicts(
    sentences: Sequence[AnswerSentence],
    citations: Sequence[Citation],
    verdicts: Mapping[int, Verdict],
    *,
    is_over: bool = True,
) -> tuple[AnswerSentence, ...]:
    """The sentences, as they were judged by words, with the model's verdicts by their places from 1.

    is_over: whether no more verdicts come. Of what the model then says nothing, our own stands; before, it waits.
    """
    by_number = {citation.number: citation for citation in citations}
    judged = []
    for place, sentence in enumerate(sentences, start=1):
        verdict = verdicts.get(place)
        if not is_judged(sentence) or (verdict is None and is_over):
            judged.append(sentence)
        elif verdict is None:
            judged.append(replace(sentence, support="unchecked", reason=PENDING))
        else:
            mine = [by_number[number] for number in sentence.citations]
            judged.append(combine(sentence, verdict, mine))
    return tuple(judged)


def combine(sentence: AnswerSentence, verdict: Verdict, cited: Sequence[Citation]) -> AnswerSentence:
    """A sentence that words have judged, with a model's verdict on it, which may be a language model's or another.

    cited: what the sentence cites.
    """
    if _rank(sentence.support) < _rank(verdict.support):
        around = " ".join(" ".join((citation.title, *citation.context)) for citation in cited)
        if find_wrong_facts(sentence.text, [citation.quote for citation in cited], around) & _PLAIN:
            return sentence
    reason = verdict.reason or (sentence.reason if verdict.support == sentence.support else "")
    return replace(sentence, support=verdict.support, reason=reason if verdict.support != "supported" else "")


def _rank(support: Support) -> int:
    return _STRICTEST_FIRST.index(support) if support in _STRICTEST_FIRST else len(_STRICTEST_FIRST)


def _read_reason(after: str) -> str:
    """The reason that stands after a verdict in its line."""
    words = "".join(c for c in after.partition("\n")[0] if c.isprintable()).strip(_EDGES)
    return words if len(words) <= LONGEST_REASON_CHARACTERS else f"{words[:LONGEST_REASON_CHARACTERS]}…"


def _show(citation: Citation) -> str:
    """A quotation with what it stands under, in one line."""
    under = show_context(citation.context, citation.title)
    return f"({_flat(under)}) {_flat(citation.quote)}" if under else _flat(citation.quote)


def _flat(text: str) -> str:
    """One line, so that no text begins a line that looks like one of ours."""
    return " ".join(text.split())
