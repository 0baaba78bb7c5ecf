"""One turn of a conversation: a question, and what the page shows of its answer as it grows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from assistant.answers import Answer, Draft, TextDelta
from assistant.chain import stream_answer
from assistant.serving.markdown import draft_to_markdown, escape_text, written_to_markdown
from assistant.serving.page.messages import to_markdown
from assistant.serving.page.scope import Scope
from assistant.serving.page.strings import say
from index.documents import Progress
from index.errors import FootnoteError
from index.library import Library

MOST_TURNS = 100  # of one conversation
LONGEST_QUESTION_SHOWN = 1_000  # characters

Messages = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question, and what the page shows after it, in Markdown.

    answer: once it is there; None as well where the question was refused or stopped.
    library: the name of the one that was asked, None for the first.
    """

    question: str
    reply: str
    answer: Answer | None = None
    library: str | None = None


Conversation = tuple[Exchange, ...]  # turn N, from 0, is the one whose chips are "#cite-N-…"


def to_messages(conversation: Iterable[Exchange]) -> Messages:
    """A conversation as Gradio's Chatbot takes it: two messages a turn."""
    return [
        message
        for exchange in conversation
        for message in (
            {"role": "user", "content": escape_text(_shorten(exchange.question))},
            {"role": "assistant", "content": exchange.reply},
        )
    ]


def converse(
    question: str, before: Conversation, library: Library, scope: Scope | None = None
) -> Iterator[Conversation]:
    """The conversation as it grows by one turn; what a user did wrong is told in it, and it goes on.

    scope: which of the library's documents are answered from; all by default.
    """
    scope = scope or Scope()
    question = question.strip()
    if not question:
        yield before
        return
    turn = len(before)

    def show(reply: str, answer: Answer | None = None) -> Conversation:
        return (*before, Exchange(question, reply, answer, scope.library))

    if turn >= MOST_TURNS:
        refused = Exchange(question, say("asking.too_many_turns", count=MOST_TURNS))
        yield (*before[:MOST_TURNS], refused)
        return
    yield show(say("asking.reading"))
    written = certain = ""  # the text so far, and as the page shows it
    history = [exchange.answer for exchange in before if exchange.answer]
    try:
        for event in stream_answer(
            question, library.folder, history=history, only=scope.only, settings=library.settings
        ):
            match event:
                case Progress() if not written:
                    yield show(f"{escape_text(event.message)} …")
                case Draft():
                    yield show(f"{certain}\n\n{draft_to_markdown(event.text)}")
                case TextDelta():
                    written += event.text
                    certain = written_to_markdown(written, turn)
                    yield show(certain)
                case Answer():
                    yield show(to_markdown(event, turn), event)
    except FootnoteError as error:
        yield show(escape_text(str(error)))


def stop(conversation: Conversation) -> Conversation:
    """The conversation, whose last turn was stopped: what is written of it stays."""
    if not conversation or conversation[-1].answer:
        return conversation
    *before, last = conversation
    return (*before, replace(last, reply=say("asking.stopped")))


def _shorten(question: str) -> str:
    if len(question) <= LONGEST_QUESTION_SHOWN:
        return question
    return f"{question[:LONGEST_QUESTION_SHOWN]} … ({len(question):,} characters)"
