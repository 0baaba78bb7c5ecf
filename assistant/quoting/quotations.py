"""The answer without a language model: the documents' own sentences, each with its marker."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.answers import NEAREST, NOT_FOUND, Answer, AnswerSentence, Status
from assistant.citing.citations import cite
from assistant.question.asked import find_answer_words
from assistant.question.question import Question
from assistant.quoting.reader import Reading
from index.documents import Passage

_LEADS: dict[Status, list[str]] = {"answered": [], "nearest": [NEAREST], "not_found": [NOT_FOUND]}


def quote(question: Question, passages: Sequence[Passage], reading: Reading) -> Answer:
    """The sentences that the reader chose, or that the documents do not say where it is too unsure."""
    chosen = () if reading.status == "not_found" else reading.chosen
    citations = tuple(cite(number, c.passage, c.sentence) for number, c in enumerate(chosen, start=1))
    sentences = tuple(
        AnswerSentence(c.words, (number,), "supported", find_answer_words(question.kind, question.asked, c.words))
        for number, c in enumerate(chosen, start=1)
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


def show_quotation(sentence: AnswerSentence) -> str:
    """A document's sentence as an answer shows it."""
    return f"“{sentence.text}” {''.join(f'[{number}]' for number in sentence.citations)}"
