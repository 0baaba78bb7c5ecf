"""What a language model makes of an answer's sentences (FOOTNOTE_CHECK=model): one prompt, a line for each as it comes.

The model judges. What words know overrules it only where a number or a quoted phrase plainly differs from the words
cited: then the stricter of both verdicts holds.

But: a model that a document wins over may judge as the document wishes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count, zip_longest

from assistant.answers import AnswerSentence, Citation, Support
from assistant.citing.citations import show_context
from assistant.citing.claims import misses_quotation
from assistant.citing.plain_words import make_plain_statement
from assistant.citing.quantities import (
    Quantity,
    find_quantities,
    is_reckoned,
    misses_binding,
    same_quantity,
    write_dates_out,
)
from assistant.citing.support import MISQUOTED, OTHER_NUMBER, Verdict
from prompts import make_fence, render

LONGEST_REASON_CHARACTERS = 120
PENDING = "It is being checked."

_STRICTEST_FIRST: tuple[Support, ...] = ("off_topic", "unsupported", "partial", "supported")
_ITEM_NUMBER = re.compile(r"\A(?:\d{1,3}[.)]|[-*+•])\s+")
_APART = r"[\s\"'\])}*_.:|=–—>-]{1,40}"
_VERDICT = re.compile(
    # A number that opens a line, or one before a colon: "2: unsupported - the source says 3, no more" is one verdict.
    rf"(?:^[^\w\n]{{0,20}}(?:sentence\W{{1,20}})?(?P<opening>\d{{1,3}}){_APART}"
    rf"|(?<!\d)(?P<inside>\d{{1,3}})[\"'\])}}*_ ]{{0,10}}[:=]{_APART}?)"
    r"(?:is\s+|verdict\W+|sentence\W+|support\W+)?"
    r"(?:(?P<off_topic>off[\s_-]?(?:topic|question)|beside|irrelevant|unrelated)"
    r"|(?P<partial>(?:only\s+)?part\w*|(?:not|in)\s*(?:fully|completely|entirely|wholly))"
    r"|(?P<unsupported>unsupported|not[\s_-]supported|contradict\w*|(?:no|false)(?=\s*(?:[.,;:!(–—-]|$)))"
    r"|(?P<supported>(?:fully\s+)?supported|(?:yes|true)(?=\s*(?:[.,;:!(–—-]|$))))",
    re.IGNORECASE | re.MULTILINE,
)
_EDGES = " \t\r\"'*_`.:;,|()[]{}–—-=>"


def is_judged(sentence: AnswerSentence) -> bool:
    """Whether a model is asked about it: it claims something, and cites. What cites nothing is unsupported anyway."""
    return bool(sentence.citations) and sentence.support != "no_claim"


def make_check_prompt(
    question: str, sentences: Sequence[AnswerSentence], citations: Sequence[Citation]
) -> tuple[str, str]:
    """The rules and the request: every sentence, those that are judged numbered from 1, with their quotations.

    The others stand between them, for what a sentence means hangs on those around it.
    """
    fence = make_fence()
    cited = {citation.number: citation for citation in citations}
    numbers = count(1)
    blocks = [
        "\n".join(
            [f"Sentence {next(numbers)}: {_show_sentence(sentence)}", *_show_quotations(sentence, cited)]
            if is_judged(sentence)
            else [f"({_flat(sentence.text)})"]
        )
        for sentence in sentences
    ]
    judged = sum(map(is_judged, sentences))
    lines = "one line for the numbered sentence" if judged == 1 else f"{judged} lines, one for each numbered sentence"
    rules = render("check_rules", fence=fence)
    return rules, render(
        "check_request", fence=fence, question=_flat(question), sentences="\n\n".join(blocks), lines=lines
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
    """The sentences, as they were judged by words, with the model's verdicts by the numbers that its request gave.

    is_over: whether no more verdicts come. Of what the model then says nothing, our own stands; before, it waits.
    """
    by_number = {citation.number: citation for citation in citations}
    judged = []
    numbers = count(1)
    for sentence in sentences:
        verdict = verdicts.get(next(numbers)) if is_judged(sentence) else None
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
        if difference := find_plain_difference(sentence.text, [citation.quote for citation in cited], around):
            return replace(sentence, reason=difference)
    reason = verdict.reason or (sentence.reason if verdict.support == sentence.support else "")
    return replace(sentence, support=verdict.support, reason=reason if verdict.support != "supported" else "")


def find_plain_difference(sentence: str, quotes: Sequence[str], context: str = "") -> str:
    """In which number or quoted phrase a sentence plainly differs from the words cited, for a reader; or "".

    A number differs where they have another of the same unit, another year, or another of the very things that it
    counts; one that they lack may be reckoned from them, or told in other words.
    """
    said, cited = write_dates_out(make_plain_statement(sentence).prose), write_dates_out(" | ".join(quotes))
    there = find_quantities(cited)
    given = [*there, *find_quantities(write_dates_out(context))]
    for number in find_quantities(said):
        others = [other for other in there if not other.loose and _is_of_same_kind(number, other)]
        differs = others and not number.loose and not any(same_quantity(number, other) for other in given)
        if differs and not is_reckoned(number, there):
            shown = cited[others[0].start : others[0].end].strip()
            return f"the words cited say “{shown}”, not “{said[number.start : number.end].strip()}”"
    if misses_binding(said, cited):
        return OTHER_NUMBER
    if misses_quotation(make_plain_statement(sentence).text, cited):
        return MISQUOTED
    return ""


def _is_of_same_kind(one: Quantity, other: Quantity) -> bool:
    if one.unit or other.unit:
        return one.unit == other.unit
    return all(any(1500 < value < 2200 for value in number.values) for number in (one, other))  # years


def _rank(support: Support) -> int:
    return _STRICTEST_FIRST.index(support) if support in _STRICTEST_FIRST else len(_STRICTEST_FIRST)


def _read_reason(after: str) -> str:
    """The reason that stands after a verdict in its line."""
    words = "".join(c for c in after.partition("\n")[0] if c.isprintable()).strip(_EDGES)
    return words if len(words) <= LONGEST_REASON_CHARACTERS else f"{words[:LONGEST_REASON_CHARACTERS]}…"


def _show_sentence(sentence: AnswerSentence) -> str:
    """A sentence in one line, without the number of an item, which is none of the request's."""
    return _ITEM_NUMBER.sub("", _flat(sentence.text))


def _show_quotations(sentence: AnswerSentence, cited: Mapping[int, Citation]) -> Iterator[str]:
    """A line for each quotation, with what it stands under: its document, its headings."""
    for citation in (cited[number] for number in sentence.citations):
        under = show_context((citation.title, *citation.context), "")
        under = " › ".join(dict.fromkeys(part for part in under.split(" › ") if part))
        yield f"- ({_flat(under)}) {_flat(citation.quote)}" if under else f"- {_flat(citation.quote)}"


def _flat(text: str) -> str:
    """One line, so that no text begins a line that looks like one of ours."""
    return " ".join(text.split())
