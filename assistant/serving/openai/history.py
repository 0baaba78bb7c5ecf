"""An earlier conversation, as its text comes back, becomes the Answers that it was made of.

Our footnotes are taken off. What they lead to is looked up in the documents of now, and is a citation again where that
is what the footnote tells; so "the second one" and "make that shorter" mean what they mean in Python, where the
Answers themselves are the history. Whoever forges a footnote gets words that stand in the documents, or none.

But: what words stood under, and the verdicts, are not known any more, and nothing that answers again asks for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from assistant.answers import Answer, Citation
from assistant.question.followup import (
    LAST_MESSAGES,
    LAST_TURNS,
    LONGEST_QUOTE_CHARACTERS,
    MOST_CITATIONS,
)
from assistant.serving.openai.footnotes import Footnote, describe, take_off
from assistant.serving.openai.requests import Message
from index.documents import page_at
from index.library import Library


def recall(messages: Sequence[Message], library: Library) -> list[Answer]:
    """The last turns of a conversation, oldest first, an Answer each; of no text where nothing was answered."""
    turns: list[tuple[str, str]] = []
    for message in messages[-LAST_MESSAGES:]:
        if message.role == "user":
            turns.append((message.text, ""))
        elif turns:
            turns[-1] = turns[-1][0], message.text
    return [_recall(question, reply, library) for question, reply in turns[-LAST_TURNS:]]


def _recall(question: str, reply: str, library: Library) -> Answer:
    taken = take_off(reply)
    citations = tuple(_look_up(taken.footnotes[:MOST_CITATIONS], library))
    return Answer(
        question=question.strip(),
        query=taken.query or question.strip(),
        text=taken.text,
        status="answered" if citations else "not_found",
        confidence=0.0,
        model=None,
        usage=None,
        sentences=(),
        citations=citations,
        passages=(),
    )


def _look_up(footnotes: Iterable[Footnote], library: Library) -> Iterable[Citation]:
    for footnote in footnotes:
        record = library.store.lexicon.record(footnote.document_id)
        length = footnote.end - footnote.start
        if record is None or not (0 < length <= LONGEST_QUOTE_CHARACTERS or footnote.kind == "document"):
            continue
        citation = Citation(
            footnote.number, record.document_id, record.path, record.title, None, 0, 0, "", kind=footnote.kind
        )
        if footnote.kind == "words":
            start, end = footnote.start, footnote.end
            quote = library.store.text_of(record.document_id, start, end)
            citation = replace(citation, page=page_at(record.pages, start), start=start, end=end, quote=quote)
        if describe(citation) == footnote.told:
            yield replace(citation, content_hash=record.content_hash)
