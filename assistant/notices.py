"""What a reader should know of how an answer came about: a model failed, files were not read, the language differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from assistant.answers import Answer, AnswerSentence, Support
from assistant.question.mismatch import tell_mismatch
from index.library import Library
from index.plan import SyncReport
from index.searching.reranking import Reranker
from index.searching.selection import find_fitting, name_some
from index.settings import LOCAL_EMBEDDING

SYNC_HINT = "To see why: footnote sync "

_DOUBTS: dict[Support, str] = {
    "partial": "only in part borne out by what is cited",
    "unsupported": "not borne out by what is cited",
    "off_topic": "does not answer the question",
    "unchecked": "not checked",
}


def describe_doubt(sentence: AnswerSentence) -> str:
    """Why a reader should not simply believe a sentence, "" where nothing speaks against it."""
    doubt = _DOUBTS.get(sentence.support, "")
    if sentence.support == "unsupported" and not sentence.citations:
        doubt = "cites nothing"
    return f"{doubt}: {sentence.reason.rstrip('.')}" if doubt and sentence.reason else doubt


def mention_failure(quoted: Answer, failure: str) -> Answer:
    """The same, saying why no language model wrote it. failure: in sentences, "" where there was none."""
    kind = "These are quotations" if quoted.citations else "This was searched without it"
    return _add(quoted, f"The language model did not answer. {failure} {kind}." if failure else "")


def mention_unordered(answer: Answer, reranker: Reranker | None) -> Answer:
    """The same, saying why a reranker that is to order the passages did not."""
    failure = reranker.failure if reranker else ""
    return _add(answer, f"The reranker did not answer. {failure} The order is that of the search." if failure else "")


def mention_unsearched(answer: Answer, library: Library, report: SyncReport, patterns: Sequence[str]) -> Answer:
    """The same, saying how much is still to be read; where it was not found, what else may have kept it from that."""
    if report.to_read:
        verb = "is" if report.to_read == 1 else "are"
        answer = _add(answer, f"{report.to_read:,} of {report.files:,} files {verb} not read yet.")
    if answer.found:
        return answer
    return _mention_unread(_mention_language(answer, library), library, report, patterns)


def _mention_language(refused: Answer, library: Library) -> Answer:
    is_english_only = library.settings.embedding == LOCAL_EMBEDDING
    if refused.status == "nearest" and not is_english_only:
        return refused  # which was found across languages
    languages = library.store.lexicon.languages(library.documents)
    return _add(refused, tell_mismatch(refused.question, languages, is_english_only=is_english_only))


def _mention_unread(refused: Answer, library: Library, report: SyncReport, patterns: Sequence[str]) -> Answer:
    unread = [
        f"{name_some(names)} {verb}"
        for paths, one, several in (
            (report.skipped, "could not be read", "could not be read"),
            (report.partial, "was read only in part", "were read only in part"),
        )
        if (names := find_fitting(patterns, sorted(paths)))
        for verb in [one if len(names) == 1 else several]
    ]
    told = f"Not all was searched: {', and '.join(unread)}. {SYNC_HINT}{library.address}"
    return _add(refused, told if unread else "")


def _add(answer: Answer, notice: str) -> Answer:
    return replace(answer, notice=f"{answer.notice} {notice}".strip())
