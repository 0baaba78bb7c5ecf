"""A question asked as a user would ask it, and its answer judged by what was expected.

But: expected strings are looked for as they are. A right answer in other words counts as wrong, and a wrong one that
mentions the string as right; no model judges.
"""

from __future__ import annotations

import textwrap
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from assistant.answers import Answer, Citation, TextDelta
from assistant.chain import stream_answer
from assistant.serving.evaluating.cases import Case, Evidence
from assistant.serving.evaluating.texts import cover, normalise, stands_in
from index.settings import Settings

ENOUGH = 0.5  # of an evidence string's letters and digits, to count as cited or retrieved

# Each is a share of one question's answer, and over all questions the mean of those that it applies to.
SHARES = (
    "retrieval_hit",  # 1 where a passage holds an evidence string, or where none is given an expected answer
    "evidence_recall",  # of the evidence strings, those cited; 0 where the answer is refused
    "citation_precision",  # of the citations, those that hold evidence or an expected answer
    "citation_recall",  # of the answer's sentences, those with such a citation
    "answer_correct",  # 1 where an expected answer stands in the text, be it as no more than the nearest
    "sentences_supported",
    "sentences_partial",
    "sentences_unsupported",
    "refused_answerable",
    "nearest_answerable",
    "answered_unanswerable",
    "nearest_unanswerable",
    "rejected_again",  # 1 where the answer is the one that a person has rejected
    "model_failed",  # 1 where a language model was asked, and quotations had to take its place
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a question.

    shares: those of SHARES that apply. seconds: until the answer was whole, and until its first text, if there was any.
    wrong: what went wrong, or "".
    """

    case: Case
    answer: Answer
    shares: Mapping[str, float]
    seconds: float
    first_text_seconds: float | None
    wrong: str


def measure(case: Case, documents: Path, settings: Settings) -> Outcome:
    """Ask a question as a user would, and judge what comes.

    Raises what `stream_answer` raises.
    """
    started = time.monotonic()
    first: float | None = None
    answer: Answer | None = None
    for event in stream_answer(case.question, documents, history=case.history, settings=settings):
        if isinstance(event, TextDelta) and first is None:
            first = time.monotonic() - started
        elif isinstance(event, Answer):
            answer = event
    seconds = time.monotonic() - started
    if answer is None:
        raise TypeError("stream_answer ended without an Answer")
    shares = judge(case, answer)
    if settings.uses_language_model:
        shares["model_failed"] = float(answer.model is None)
    return Outcome(case, answer, shares, seconds, first, explain(case, answer, shares))


def judge(case: Case, answer: Answer) -> dict[str, float]:
    """Those of SHARES that apply to the answer."""
    shares: dict[str, float] = {}
    if case.rejected:
        # Of a long answer the beginning is kept.
        again = normalise(answer.text[: len(case.rejected)]) == normalise(case.rejected)
        shares["rejected_again"] = float(again)
    if case.is_to_correct:
        pass
    elif not case.answerable:
        shares["answered_unanswerable"] = float(answer.found)
        shares["nearest_unanswerable"] = float(answer.status == "nearest")
    else:
        shares["refused_answerable"] = float(answer.status == "not_found")
        shares["nearest_answerable"] = float(answer.status == "nearest")
    if case.evidence:
        cited = [_cover(evidence, answer.citations) >= ENOUGH for evidence in case.evidence]
        shares["retrieval_hit"] = float(
            any(
                cover(evidence.text, [passage.text]) >= ENOUGH
                for evidence in case.evidence
                for passage in answer.passages
                if _is_in(evidence, passage.path)
            )
        )
        shares["evidence_recall"] = _mean(cited)
    elif case.answers:
        shares["retrieval_hit"] = float(any(_holds_answer(case, passage.text) for passage in answer.passages))
    if case.answers:
        shares["answer_correct"] = float(answer.status != "not_found" and _holds_answer(case, _plain_text(answer)))
    if (case.answers or case.evidence) and answer.citations:
        right = {citation.number for citation in answer.citations if is_right(case, citation)}
        shares["citation_precision"] = _mean(citation.number in right for citation in answer.citations)
        shares["citation_recall"] = _mean(bool(right & set(sentence.citations)) for sentence in answer.sentences)
    if judged := [s.support for s in answer.sentences if s.support not in ("no_claim", "unchecked")]:
        for support in ("supported", "partial", "unsupported"):
            shares[f"sentences_{support}"] = _mean(given == support for given in judged)
    return shares


def explain(case: Case, answer: Answer, shares: Mapping[str, float]) -> str:
    """What went wrong, in one line, or ""."""
    wrong = []
    if shares.get("model_failed"):
        wrong.append(answer.notice)
    if not case.answerable:
        if answer.found:
            wrong.append(f"answered, though the documents do not say: {_plain_text(answer)}")
    elif answer.status == "not_found" and not case.is_to_correct:
        wrong.append("refused")
    else:
        if not shares.get("answer_correct", 1.0):
            wrong.append(f"no expected answer stands in: {_plain_text(answer)}")
        if shares.get("evidence_recall", 1.0) < 1.0:
            count = len(case.evidence)
            wrong.append(f"cites {round(shares['evidence_recall'] * count)} of {count} evidence strings")
    if shares.get("rejected_again"):
        wrong.append(f"given again, though it was rejected: {_plain_text(answer)}")
    if not shares.get("retrieval_hit", 1.0):
        wrong.append("no passage found holds it")
    if shares.get("sentences_unsupported"):
        sentence = next(sentence for sentence in answer.sentences if sentence.support == "unsupported")
        wrong.append(f"unsupported: {sentence.text}")
    return "; ".join(textwrap.shorten(" ".join(reason.split()), 160, placeholder=" ...") for reason in wrong)


def is_right(case: Case, citation: Citation) -> bool:
    """Whether a citation holds an expected answer, or enough of an evidence string, or is a part of one."""
    return _holds_answer(case, citation.quote) or holds_evidence(case, citation)


def holds_evidence(case: Case, citation: Citation) -> bool:
    """Whether a citation holds enough of an evidence string, or is a part of one."""
    return any(
        _is_in(evidence, citation.path)
        and max(cover(evidence.text, [citation.quote]), cover(citation.quote, [evidence.text])) >= ENOUGH
        for evidence in case.evidence
    )


def _cover(evidence: Evidence, citations: Iterable[Citation]) -> float:
    """How much of the evidence is cited from where it should be."""
    return cover(evidence.text, [c.quote for c in citations if _is_in(evidence, c.path)])


def _is_in(evidence: Evidence, path: str) -> bool:
    """Whether evidence may stand in a document: its file, what lies in that, or any where it names none."""
    return evidence.path is None or path == evidence.path or path.startswith(f"{evidence.path}/")


def _holds_answer(case: Case, text: str) -> bool:
    return any(stands_in(answer, text) for answer in case.answers)


def _plain_text(answer: Answer) -> str:
    """The answer's text without markers, which might stand within an expected answer."""
    return " ".join(sentence.text for sentence in answer.sentences) or answer.text


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else 0.0
