"""The whole walk of a question: what it is about, follow-up, retrieve, quote or write, cite, check, Answer."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, zip_longest
from pathlib import Path

from assistant.answers import Answer, Draft, TextDelta, Turn
from assistant.citing.hashes import note_hashes
from assistant.notices import mention_failure, mention_unordered, mention_unsearched
from assistant.question.followup import History, drop_courtesies, follow_up, read_history
from assistant.question.opening import strip_greeting
from assistant.question.question import Question, read_question
from assistant.quoting.catalogue import tell
from assistant.quoting.names import find_subject
from assistant.quoting.overview import quote_overview
from assistant.quoting.quotations import quote
from assistant.quoting.reader import read
from assistant.writing.conversation import Conversation
from assistant.writing.generation import write
from assistant.writing.language_model import LanguageModel
from assistant.writing.rewriting import rewrite_with_model
from index.documents import Passage, Progress
from index.errors import ModelError
from index.library import Library, check_question, open_library
from index.plan import SyncReport
from index.searching.evidence import EVIDENCE_PASSAGES
from index.searching.reranking import Reranker, open_reranker
from index.searching.selection import read_patterns
from index.settings import Settings
from index.steps import walk
from index.watching import bring_up_to_date

Event = Progress | Draft | TextDelta | Answer


def answer(
    question: str,
    documents: str | Path | None = None,
    *,
    history: History = (),
    only: Sequence[str] = (),
    settings: Settings | None = None,
) -> Answer:
    """Answer a question from a folder of documents, after bringing its store up to date.

    documents: the folder, or a bucket's address ("s3://bucket/reports"); by default FOOTNOTE_DOCUMENTS, else the sample
        folder.
    history: earlier turns, oldest first: Answers, (question, answer) pairs, or role/content messages.
    only: the paths of the files or folders in it that the answer is made from, or patterns ("*.pdf"); by default all.

    Raises InputError, FolderError, StoreError or WeightsError, and ModelError where a server does not embed, each a
    sentence that says what to do. A language model that fails is no error: the answer then quotes, and its `notice`
    says why; nor is a reranker.
    """
    return take_answer(stream_answer(question, documents, history=history, only=only, settings=settings))


def take_answer(events: Iterable[Event]) -> Answer:
    """The Answer that `stream_answer` ends with."""
    *_, last = events
    if not isinstance(last, Answer):
        raise TypeError("stream_answer ended without an Answer")
    return last


@walk("question")
def stream_answer(
    question: str,
    documents: str | Path | Library | None = None,
    *,
    history: History = (),
    only: Sequence[str] = (),
    settings: Settings | None = None,
) -> Iterator[Event]:
    """The same, step by step: Progress while it prepares, Draft and TextDelta while it writes, and the Answer last.

    documents: also the folder's library, where that is open already.
    Where a language model judges the answer, Answers whose verdicts are still to come go before the last.
    """
    settings = Settings.choose(settings)
    words = check_question(question)
    turns, patterns = read_history(history), read_patterns(only)

    library = yield from open_library(settings.documents if documents is None else documents, settings)
    report = yield from bring_up_to_date(library)
    library = library.select(patterns, report.skipped)

    for event in _answer(words, turns, patterns, library, report, history):
        yield note_hashes(event, library) if isinstance(event, Answer) else event


def _answer(
    words: str, turns: Sequence[Turn], patterns: Sequence[str], library: Library, report: SyncReport, history: History
) -> Iterator[Event]:
    """The walk from an open library on, of a question and earlier turns that were read."""
    settings = library.settings
    spoken = strip_greeting(words)
    turns = drop_courtesies(turns) if settings.uses_language_model else turns
    followed = follow_up(spoken, turns, for_model=settings.uses_language_model)
    subject = find_subject(spoken, followed, turns, library, history)
    if told := tell(words, subject, library, patterns):
        yield TextDelta(told.text)
        yield told
        return

    model, failure = _open_model(settings)
    reranker = open_reranker(settings)
    count = max(EVIDENCE_PASSAGES, settings.passage_count) if model else settings.passage_count
    if overview := quote_overview(subject, library, model.evidence_tokens if model else None):
        result, passages = overview
    else:
        followed = rewrite_with_model(spoken, turns, followed, model)
        asked = read_question(spoken, followed.query, asked=followed.asked, length=followed.length)
        passages = retrieve_passages(asked, library, count, reranker, widely=model is not None)
        nearest = passages[: settings.passage_count]
        result = quote(asked, nearest, read(asked, nearest, library.embedding, library.store.lexicon))
    result = replace(result, question=words)
    if model:
        conversation = Conversation(spoken, result.query, tuple(turns), followed.reworks)
        result = yield from _write_or_keep(result, conversation.recall(passages, library), library, model, conversation)
    else:
        yield TextDelta(result.text)
        result = mention_failure(result, failure)
    yield mention_unsearched(mention_unordered(result, reranker), library, report, patterns)


def quote_answer(question: str, library: Library) -> Answer:
    """The answer to a question that stands alone, in the documents' own words, from the store as it is: without a
    look at the folder, without a language model or a reranker.
    """
    return note_hashes(_quote_answer(question, library), library)


def _quote_answer(question: str, library: Library) -> Answer:
    spoken = strip_greeting(check_question(question))
    followed = follow_up(spoken, (), for_model=False)
    subject = find_subject(spoken, followed, (), library, ())
    if told := tell(question, subject, library):
        return told
    if overview := quote_overview(subject, library):
        return replace(overview[0], question=question)
    asked = read_question(spoken, followed.query, asked=followed.asked, length=followed.length)
    passages = retrieve_passages(asked, library)
    quoted = quote(asked, passages, read(asked, passages, library.embedding, library.store.lexicon))
    return replace(quoted, question=question)


def retrieve_passages(
    asked: Question,
    library: Library,
    count: int | None = None,
    reranker: Reranker | None = None,
    *,
    widely: bool = False,
) -> list[Passage]:
    """The passages for a question; of one that compares, or asks several things, those for each besides, in turn.

    widely: for a list or a comparison all of these, and behind them how their documents begin.
    """
    parts = (*(side.question.query for side in asked.sides), *(part.query for part in asked.parts))
    found = [library.retrieve(query, count, reranker) for query in (asked.query, *parts)]
    passages: dict[tuple[str, int], Passage] = {}
    for passage in chain.from_iterable(zip_longest(*found)):
        if passage:
            passages.setdefault((passage.document_id, passage.start), passage)
    if widely and (parts or asked.asks_for_several):
        return [*passages.values(), *library.find_openings([*passages.values()])]
    return list(passages.values())[: len(found[0])]


def _open_model(settings: Settings) -> tuple[LanguageModel | None, str]:
    """The language model, or None: where it cannot be had, with the reason."""
    try:
        return (LanguageModel(settings) if settings.uses_language_model else None), ""
    except ModelError as error:
        return None, str(error)


def _write_or_keep(
    quoted: Answer, passages: Sequence[Passage], library: Library, model: LanguageModel, conversation: Conversation
) -> Generator[Event, None, Answer]:
    """The language model's answer, or the quotations with a notice where the model fails."""
    try:
        return (yield from write(quoted, passages, library, model, conversation))
    except ModelError as error:
        yield TextDelta(quoted.text)
        return mention_failure(quoted, str(error))
