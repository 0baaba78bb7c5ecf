"""An Answer as the conversation shows it, in Markdown. A document is data: nothing in it reaches the page live."""

from __future__ import annotations

from textwrap import shorten

from assistant.answers import NEAREST, Answer, AnswerSentence
from assistant.citing.second_opinion import PENDING
from assistant.notices import describe_doubt
from assistant.quoting.quotations import show_lead
from assistant.serving.markdown import escape_text, to_link, written_to_markdown

LONGEST_QUERY_SHOWN = 300  # characters


def to_markdown(answer: Answer, turn: int) -> str:
    """An answer as the conversation shows it: each marker a link, "#cite-TURN-NUMBER", to its source."""
    if answer.status == "not_found":
        body = answer.text
        if answer.passages:
            body += " The nearest passages stand beside this conversation."
    elif answer.model is None:
        body = "\n\n".join(_show_sentences(answer, turn))
    else:
        body = written_to_markdown(answer.text, turn)
    notes = " · ".join(escape_text(note) for note in _notes(answer))
    return f"{body}\n\n<small>{notes}</small>" if notes else body


def _show_sentences(answer: Answer, turn: int) -> list[str]:
    """Quotations, a paragraph each, or statements, each in a line of its own, which are nobody's words."""
    if any(citation.kind == "words" for citation in answer.citations):
        lead = [NEAREST] if answer.status == "nearest" else []
        return [*lead, *(f"{escape_text(show_lead(s))}“{_embolden(s)}” {_links(s, turn)}" for s in answer.sentences)]
    lines = (f"{escape_text(sentence.text)} {_links(sentence, turn)}".strip() for sentence in answer.sentences)
    return ["  \n".join(lines)]


def _embolden(sentence: AnswerSentence) -> str:
    """A document's sentence, with the very words that were asked for in bold."""
    start, end = sentence.answer_words or (0, 0)
    parts = (sentence.text[:start], sentence.text[start:end], sentence.text[end:])
    before, words, after = map(escape_text, parts)
    return f"{before}<strong>{words}</strong>{after}" if words else after


def _links(sentence: AnswerSentence, turn: int) -> str:
    return "".join(to_link(number, turn) for number in sentence.citations)


def _notes(answer: Answer) -> list[str]:
    notes = [answer.notice] if answer.notice else []
    if answer.query != answer.question:
        notes.append(f"Searched for: {shorten(answer.query, LONGEST_QUERY_SHOWN, placeholder=' …')}")
    if any(sentence.reason == PENDING for sentence in answer.sentences):
        return [*notes, "The answer is being checked"]
    if doubts := [f"“{s.text}”: {doubt}" for s in answer.sentences if (doubt := describe_doubt(s))]:
        notes.append(f"Read with care: {'; '.join(doubts)}")
    if any(citation.kind == "words" for citation in answer.citations):
        notes.append(f"Written by {answer.model}" if answer.model else "Quoted from the documents")
    return notes
