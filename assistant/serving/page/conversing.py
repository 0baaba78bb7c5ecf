"""One turn of a conversation: a question, and what the page shows of its answer as it grows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from assistant.answers import Answer, Draft, TextDelta
from assistant.chain import stream_answer
from assistant.citing.second_opinion import PENDING
from assistant.serving.page.messages import show_acts, show_acts_of_question, to_markdown
from assistant.serving.page.scope import Scope
from assistant.serving.page.strings import say
from assistant.showing.markdown import draft_to_markdown, escape_text, written_to_markdown
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
    written: what a language model has written, while that is not an answer yet.
    is_over: whether nothing more comes.
    """

    question: str
    reply: str
    answer: Answer | None = None
    library: str | None = None
    written: str = ""
    is_over: bool = True


Conversation = tuple[Exchange, ...]  # turn N, from 0, is the one whose chips are "#cite-N-…"


def to_messages(conversation: Iterable[Exchange]) -> Messages:
    """A conversation as Gradio's Chatbot takes it: two messages a turn, each with what can be done with it."""
    exchanges = [*conversation]
    messages: Messages = []
    for turn, exchange in enumerate(exchanges):
        asked = escape_text(_shorten(exchange.question))
        acts = show_acts(turn, has_answer=bool(exchange.answer), is_last=turn == len(exchanges) - 1)
        if exchange.is_over:
            asked = f"{asked}\n\n{show_acts_of_question(turn)}"
        replied = f"{exchange.reply}\n\n{acts}" if exchange.is_over and acts else exchange.reply
        messages += [{"role": "user", "content": asked}, {"role": "assistant", "content": replied}]
    return messages


def converse(
    question: str, before: Conversation, library: Library, scope: Scope | None = None, library_name: str = ""
) -> Iterator[Conversation]:
    """The conversation as it grows by one turn; what a user did wrong is told in it, and it goes on.

    scope: which of the library's documents are answered from; all by default.
    library_name: what the library is called, where there are others to choose.
    """
    scope = scope or Scope()
    question = question.strip()
    if not question:
        yield before
        return
    turn = len(before)

    def show(reply: str, answer: Answer | None = None, *, is_over: bool = False) -> Conversation:
        return (*before, Exchange(question, reply, answer, scope.library, "" if answer else written, is_over))

    if turn >= MOST_TURNS:
        refused = Exchange(question, say("asking.too_many_turns", count=MOST_TURNS))
        yield (*before[:MOST_TURNS], refused)
        return
    written = certain = ""  # the text so far, and as the page shows it
    yield show(say("asking.reading"))
    history = [exchange.answer for exchange in before if exchange.answer]
    try:
        for event in stream_answer(
            question, library.address, history=history, only=scope.only, settings=library.settings
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
                    is_judged = not any(sentence.reason == PENDING for sentence in event.sentences)
                    told = "" if event.found else show_scope(scope, library_name)
                    yield show(to_markdown(event, turn) + told, event, is_over=is_judged)
    except FootnoteError as error:
        yield show(escape_text(str(error)), is_over=True)


def show_scope(scope: Scope, library_name: str) -> str:
    """That not all was searched, for an answer that was not found, in Markdown; "" where it was."""
    count = len(scope.only)
    if not count and not library_name:
        return ""
    what = (
        say("messages.searched_library", library=library_name)
        if not count
        else say("messages.searched_chosen_one")
        if count == 1
        else say("messages.searched_chosen_many", count=count)
    )
    return f"\n\n{escape_text(say('messages.searched_only', what=what))}"


def stop(conversation: Conversation) -> Conversation:
    """The conversation, whose last turn was stopped: what is written of it stays."""
    if not conversation or conversation[-1].is_over:
        return conversation
    *before, last = conversation
    if last.answer:  # whose verdicts are not all there
        return (*before, replace(last, is_over=True))
    # What was written cites nothing yet that could be looked up.
    written = written_to_markdown(last.written, 0, chip=lambda number, sentence: "")
    reply = f"{written}\n\n<small>{say('asking.stopped')}</small>" if written else say("asking.stopped")
    return (*before, replace(last, reply=reply, written="", is_over=True))


def cut(conversation: Conversation, turn: int | None) -> tuple[Conversation, str]:
    """What stands before a turn, and the question of that turn: the whole and "" where there is no such turn.

    While a question is being answered nothing is cut.
    """
    if turn is None or not 0 <= turn < len(conversation) or not conversation[-1].is_over:
        return conversation, ""
    return conversation[:turn], conversation[turn].question


def list_answers(conversation: Conversation, turn: int | None = None) -> list[Answer]:
    """The answers of a conversation, or that of one turn: none where there is none."""
    chosen = conversation if turn is None else conversation[turn : turn + 1] if turn >= 0 else ()
    return [exchange.answer for exchange in chosen if exchange.answer]


def _shorten(question: str) -> str:
    if len(question) <= LONGEST_QUESTION_SHOWN:
        return question
    return f"{question[:LONGEST_QUESTION_SHOWN]} … ({len(question):,} characters)"
