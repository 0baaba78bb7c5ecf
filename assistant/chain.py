"""The whole walk of a question: follow-up, retrieve, generate, cite, check, Answer."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import replace
from itertools import chain, zip_longest
from pathlib import Path

from assistant.answers import Answer, TextDelta
from assistant.question.followup import History, read_history
from assistant.question.question import Question, read_question
from assistant.quoting.quotations import quote
from assistant.quoting.reader import read
from assistant.writing.generation import write
from assistant.writing.language_model import LanguageModel
from assistant.writing.rewriting import rewrite_with_model
from index.documents import Passage, Progress
from index.errors import ModelError
from index.library import Library, check_question, open_library
from index.plan import SyncReport
from index.searching.evidence import EVIDENCE_PASSAGES
from index.searching.selection import find_fitting, name_some, read_patterns
from index.settings import Settings

Event = Progress | TextDelta | Answer


def answer(
    question: str,
    documents: str | Path | None = None,
    *,
    history: History = (),
    only: Sequence[str] = (),
    settings: Settings | None = None,
) -> Answer:
    """Answer a question from a folder of documents, after bringing its store up to date.

    documents: the folder; by default FOOTNOTE_DOCUMENTS, else the sample folder.
    history: earlier turns, oldest first: Answers, (question, answer) pairs, or role/content messages.
    only: the paths of the files or folders in it that the answer is made from, or patterns ("*.pdf"); by default all.

    Raises InputError, FolderError, StoreError or WeightsError, each a sentence that says what to do.
    A language model that fails is no error: the answer then quotes, and its `notice` says why.
    """
    *_, last = stream_answer(question, documents, history=history, only=only, settings=settings)
    if not isinstance(last, Answer):
        raise TypeError("stream_answer ended without an Answer")
    return last


def stream_answer(
    question: str,
    documents: str | Path | None = None,
    *,
    history: History = (),
    only: Sequence[str] = (),
    settings: Settings | None = None,
) -> Iterator[Event]:
    """The same, step by step: Progress while it prepares, TextDelta while it writes, and the Answer last."""
    settings = Settings.choose(settings)
    words = check_question(question)
    turns, patterns = read_history(history), read_patterns(only)

    library = yield from open_library(settings.documents if documents is None else documents, settings)
    report = yield from library.sync(patient=False)
    selected = library.select(patterns, report.skipped)

    model, notice = _open_model(settings)
    followed = rewrite_with_model(words, turns, model)
    asked = read_question(words, followed.query, asked=followed.asked, length=followed.length)

    count = max(EVIDENCE_PASSAGES, settings.passage_count) if model else None
    passages = _retrieve(asked, library, count, selected)
    nearest = passages[: settings.passage_count]
    reading = read(asked, nearest, library.embedding, library.store.lexicon)
    result = quote(asked, nearest, reading)
    if model:
        result = yield from _write_or_keep(result, passages, library, model)
    else:
        yield TextDelta(result.text)
        result = replace(result, notice=notice and _tell(notice, result))
    yield result if result.found else _mention_unread(result, report, library.folder, patterns)


def _retrieve(asked: Question, library: Library, count: int | None, selected: Collection[str] | None) -> list[Passage]:
    """The passages for a question; of one that compares, those for each of its sides besides, in turn."""
    sides = (side.question.query for side in asked.sides)
    found = [library.retrieve(query, count, selected) for query in (asked.query, *sides)]
    passages: dict[tuple[str, int], Passage] = {}
    for passage in chain.from_iterable(zip_longest(*found)):
        if passage:
            passages.setdefault((passage.document_id, passage.start), passage)
    return list(passages.values())[: len(found[0])]


def _open_model(settings: Settings) -> tuple[LanguageModel | None, str]:
    """The language model, or None: where it cannot be had, with the reason."""
    try:
        return (LanguageModel(settings) if settings.uses_language_model else None), ""
    except ModelError as error:
        return None, str(error)


def _write_or_keep(
    quoted: Answer, passages: Sequence[Passage], library: Library, model: LanguageModel
) -> Generator[Progress | TextDelta, None, Answer]:
    """The language model's answer, or the quotations with a notice where the model fails."""
    try:
        return (yield from write(quoted, passages, library, model))
    except ModelError as error:
        yield TextDelta(quoted.text)
        return replace(quoted, notice=_tell(str(error), quoted))


def _tell(failure: str, quoted: Answer) -> str:
    kind = "These are quotations" if quoted.citations else "This was searched without it"
    return f"The language model did not answer. {failure} {kind}."


def _mention_unread(refused: Answer, report: SyncReport, folder: Path, patterns: Sequence[str]) -> Answer:
    """The same, saying which files were not searched: what is asked for may stand there."""
    unread = [
        f"{name_some(names)} {verb}"
        for paths, one, several in (
            (report.skipped, "could not be read", "could not be read"),
            (report.partial, "was read only in part", "were read only in part"),
        )
        if (names := find_fitting(patterns, sorted(paths)))
        for verb in [one if len(names) == 1 else several]
    ]
    if not unread:
        return refused
    told = f"Not all was searched: {', and '.join(unread)}. To see why: footnote sync {folder}"
    return replace(refused, notice=f"{refused.notice} {told}".strip())
