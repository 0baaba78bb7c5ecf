"""The answer without a language model: the documents' own sentences, each with its marker."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from assistant.answers import NEAREST, NOT_FOUND, Answer, AnswerSentence, Status
from assistant.citing.citations import cite
from assistant.question.question import Question
from assistant.quoting.leads import find_lead, find_value
from assistant.quoting.reader import Reading
from index.documents import Passage
from index.splitting.outline import to_line
from index.steps import step

_LEADS: dict[Status, list[str]] = {"answered": [], "nearest": [NEAREST], "not_found": [NOT_FOUND]}


@step("quote")
def quote(question: Question, passages: Sequence[Passage], reading: Reading) -> Answer:
    """The sentences that the reader chose, or that the documents do not say where it is too unsure."""
    chosen = () if reading.status == "not_found" else reading.chosen
    citations = tuple(
        replace(cite(number, c.passage, c.sentence), context=c.above) for number, c in enumerate(chosen, start=1)
    )
    sentences = tuple(
        AnswerSentence(c.words, (number,), "supported", None if reading.count else find_value(question, c), lead)
        for number, (c, lead) in enumerate(zip(chosen, _find_leads(question, reading), strict=False), start=1)
    )
    return Answer(
        question=question.words,
        query=question.query,
        text="\n\n".join([*_LEADS[reading.status], *map(show_quotation, sentences)]),
        status=reading.status,
        confidence=round(reading.confidence, 4),
        model=None,
        usage=None,
        sentences=sentences,
        citations=citations,
        passages=tuple(passages),
    )


def _find_leads(question: Question, reading: Reading) -> Iterator[str]:
    """What is said before each quotation: what it stands under, where the one before stands elsewhere."""
    previous = announced = ""
    cut = dict(reading.cut)
    for place, candidate in enumerate(reading.chosen):
        lead = "" if announced and candidate.above[-1:] == (announced,) else find_lead(question, candidate)
        shown = f"{cut[place]} shown" if place in cut else ""
        yield f"{lead} ({shown})" if lead and shown else shown or (lead if lead != previous else "")
        previous = lead
        announced = to_line(candidate.words, candidate.sentence.kind) if candidate.words.endswith(":") else announced


def show_quotation(sentence: AnswerSentence) -> str:
    """A document's sentence as an answer shows it."""
    return f"{show_lead(sentence)}“{sentence.text}” {''.join(f'[{number}]' for number in sentence.citations)}"


def show_lead(sentence: AnswerSentence) -> str:
    """What an answer says before a quotation."""
    if not sentence.lead:
        return ""
    return (
        f"{sentence.lead} "
        if sentence.lead.endswith("?")
        else f"{sentence.lead}{' —' if ': ' in sentence.lead else ':'} "
    )
