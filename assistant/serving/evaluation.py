"""How well the questions of a file are answered: each answer is judged by what its line expects.

    outcomes = [measure(case, folder, settings) for case in read_cases(Path("questions.jsonl"))]
    figures = summarise(outcomes)

Each line of the file is a JSON object:

    question     what is asked
    answers      strings of which one must stand in the answer
    evidence     what should be cited: strings that stand in the documents, or {"text": ..., "path": ...}
    answerable   whether the documents say; true where it is not given
    history      earlier turns, oldest first: [question, answer] pairs, or messages with role and content
    rejected     an answer that was given once and is wrong, as a thumb down tells
    thumb        who gave what thumb, and when; the chat writes it, and nothing is measured by it

Of a line without answers and evidence, refusal, support and time are measured. Of one that is rejected and says no
more, only whether the same answer is given again, support and time: what would be right nobody knows yet.

But: expected strings are looked for as they are. A right answer in other words counts as wrong, and a wrong one that
mentions the string as right; no model judges.
"""

from __future__ import annotations

import json
import math
import re
import textwrap
import time
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.answers import Answer, Citation, TextDelta, Turn
from assistant.chain import stream_answer
from assistant.question.followup import read_history
from index.errors import InputError
from index.library import check_question
from index.settings import Settings, shorten

LONGEST_LINE_BYTES = 1_000_000
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

_FIELDS = ("question", "answers", "evidence", "answerable", "history", "rejected", "thumb")
_ALIKE = str.maketrans(
    {
        **dict.fromkeys("“”„‟«»″", '"'),
        **dict.fromkeys("‘’‚‛′`", "'"),
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("*\u00ad\u200b\ufeff"),  # a model's emphasis, and what cannot be seen
    }
)
_WORD = re.compile(r"\s*+\S{1,500}+|\s++")
# Scripts that are written without spaces, or that hang endings onto names, have no end of a word to look for.
_LETTER = r"[^\W\d_\u0e00-\u109f\u1780-\u17ff\u2e80-\ud7ff\uf900-\ufaff]"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What should be cited. path: of its document, or of the file around that; None where any will do."""

    text: str
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One question of the file, and what is expected of its answer.

    line: counted from 1. rejected: an answer that is wrong, or "".
    """

    line: int
    question: str
    answers: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    answerable: bool = True
    history: tuple[Turn, ...] = ()
    rejected: str = ""

    @property
    def is_to_correct(self) -> bool:
        """Whether it is known only what is wrong, and nobody has said yet what is right."""
        return bool(self.rejected) and self.answerable and not (self.answers or self.evidence)


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


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure, and over how many questions it was measured."""

    value: float
    questions: int


# -- reading the file -------------------------------------------------------------------------


def read_cases(file: Path) -> list[Case]:
    """The questions of a JSON lines file; empty lines are passed over.

    Raises InputError, which names file and line, where one cannot be used.
    """
    cases = []
    try:
        with file.open("rb") as stream:
            for number, line in enumerate(iter(lambda: stream.readline(LONGEST_LINE_BYTES + 1), b""), start=1):
                if number == 1:
                    line = line.removeprefix(b"\xef\xbb\xbf")
                if line.strip():
                    cases.append(_read_case(line, number))
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}): give a file with a question a line.") from error
    except InputError as error:
        raise InputError(f"{file}, line {number}: {error}") from error
    if not cases:
        raise InputError(f'{file} holds no question: give a line like {{"question": "...", "answers": ["..."]}}.')
    return cases


def _read_case(line: bytes, number: int) -> Case:
    if len(line) > LONGEST_LINE_BYTES:
        raise InputError(f"it is longer than {LONGEST_LINE_BYTES:,} bytes; give one JSON object a line.")
    try:
        given = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError("it is not JSON in UTF-8; give one JSON object a line.") from error
    if not isinstance(given, dict):
        raise InputError('it is no JSON object; give {"question": "..."}.')
    if unknown := [name for name in given if name not in _FIELDS]:
        raise InputError(f"it has {', '.join(map(shorten, unknown[:5]))}; the fields are {', '.join(_FIELDS)}.")
    if not isinstance(given.get("question"), str):
        raise InputError('it has no question; give "question": "...".')
    answers, evidence, history = (_read_list(given, name) for name in ("answers", "evidence", "history"))
    answerable = given.get("answerable", True)
    if not isinstance(answerable, bool):
        raise InputError('"answerable" is true or false.')
    if not answerable and (answers or evidence):
        raise InputError("it is not answerable and has answers or evidence; leave out one of the two.")
    if not all(isinstance(answer, str) and normalise(answer) for answer in answers):
        raise InputError('"answers" is a list of strings that are not empty.')
    rejected = given.get("rejected", "")
    if not isinstance(rejected, str):
        raise InputError('"rejected" is an answer that is wrong, as a string.')
    return Case(
        number,
        check_question(given["question"]),
        tuple(answers),
        tuple(_read_evidence(item) for item in evidence),
        answerable,
        tuple(read_history(history)),
        rejected,
    )


def _read_list(given: Mapping[str, Any], name: str) -> list[Any]:
    value = given.get(name, [])
    if not isinstance(value, list):
        raise InputError(f'"{name}" is a list; give [...].')
    return value


def _read_evidence(item: Any) -> Evidence:
    match item:
        case str(text):
            evidence = Evidence(text)
        case {"text": str(text), "path": str(path)} if len(item) == 2:
            evidence = Evidence(text, path)
        case {"text": str(text)} if len(item) == 1:
            evidence = Evidence(text)
        case _:
            raise InputError('each of "evidence" is a string, or {"text": "...", "path": "..."}.')
    if not _squeeze(evidence.text):
        raise InputError('each of "evidence" has words.')
    return evidence


# -- judging an answer ------------------------------------------------------------------------


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


# -- comparing texts --------------------------------------------------------------------------


def normalise(text: str) -> str:
    """Without case, with plain quotation marks and dashes, white space joined; no emphasis, nothing invisible."""
    # Word by word: accents in a row are put in order, and that takes their number squared.
    words = (unicodedata.normalize("NFKC", word) for word in _WORD.findall(text.translate(_ALIKE)))
    return " ".join("".join(words).casefold().translate(_ALIKE).split())


def stands_in(wanted: str, text: str) -> bool:
    """Whether one normalised text is part of another, not cutting a word or a number: "no" is not in "not"."""
    wanted = normalise(wanted)
    before = r"(?<!\d)(?<!\d[.,])" if wanted[:1].isdigit() else rf"(?<!{_LETTER})" if wanted[:1].isalpha() else ""
    after = r"(?![.,]?\d)" if wanted[-1:].isdigit() else rf"(?!{_LETTER})" if wanted[-1:].isalpha() else ""
    return bool(wanted) and bool(re.search(f"{before}{re.escape(wanted)}{after}", normalise(text)))


def cover(wanted: str, texts: Iterable[str]) -> float:
    """How much of a text stands in others, from 0 to 1, by letters and digits.

    A text covers what it shares with `wanted` where one holds the other, or the end of one is the start of the other,
    as two spans of one document do. Space and punctuation are passed over, so that line ends, hyphenation and
    Markdown's marks part nothing.
    """
    wanted = _squeeze(wanted)
    covered: set[int] = set()
    for text in map(_squeeze, texts):
        if wanted in text:
            return 1.0 if wanted else 0.0
        start = wanted.find(text)
        if start >= 0:
            covered.update(range(start, start + len(text)))
            continue
        longest = range(min(len(wanted), len(text)) - 1, 0, -1)
        covered.update(range(next((n for n in longest if text.endswith(wanted[:n])), 0)))
        covered.update(range(len(wanted) - next((n for n in longest if text.startswith(wanted[-n:])), 0), len(wanted)))
    return len(covered) / len(wanted) if wanted else 0.0


def _squeeze(text: str) -> str:
    return "".join(character for character in normalise(text) if character.isalnum())


# -- the figures ------------------------------------------------------------------------------


def summarise(
    outcomes: Sequence[Outcome], input_price: float | None = None, output_price: float | None = None
) -> dict[str, Figure]:
    """The figures of all questions together, by name; those that apply to none are left out.

    Shares are means over the questions that they apply to. seconds_*: until the answer was whole, and until its first
    text. prompt_tokens, completion_tokens: the sums over the questions for which the server counts them; cost: the
    same, in the prices' currency. Prices: for a million tokens.
    """
    figures: dict[str, Figure] = {}
    for name in SHARES:
        if values := [outcome.shares[name] for outcome in outcomes if name in outcome.shares]:
            figures[name] = Figure(_mean(values), len(values))
    if seconds := sorted(outcome.seconds for outcome in outcomes):
        figures["seconds_median"] = Figure(_quantile(seconds, 0.5), len(seconds))
        figures["seconds_p95"] = Figure(_quantile(seconds, 0.95), len(seconds))
    if first := sorted(o.first_text_seconds for o in outcomes if o.first_text_seconds is not None):
        figures["first_text_seconds_median"] = Figure(_quantile(first, 0.5), len(first))
    tokens = [
        (usage.prompt_tokens, usage.completion_tokens)
        for usage in (outcome.answer.usage for outcome in outcomes)
        if usage and usage.prompt_tokens is not None and usage.completion_tokens is not None
    ]
    if tokens:
        prompt, completion = map(sum, zip(*tokens, strict=True))
        figures["prompt_tokens"] = Figure(prompt, len(tokens))
        figures["completion_tokens"] = Figure(completion, len(tokens))
        if input_price is not None and output_price is not None:
            figures["cost"] = Figure((prompt * input_price + completion * output_price) / 1e6, len(tokens))
    return figures


def _quantile(values: Sequence[float], share: float) -> float:
    """The least of the sorted values that so large a share of them does not exceed."""
    return values[math.ceil(share * len(values)) - 1]


def to_table(name: str, figures: Mapping[str, Figure]) -> str:
    """The figures as a Markdown table."""
    rows = [f"| {name} | product | questions |", "|---|---|---|"]
    for key, figure in figures.items():
        value = f"{figure.value:,}" if key.endswith("_tokens") else f"{figure.value:.{4 if key == 'cost' else 3}f}"
        rows.append(f"| {key.replace('_', ' ')} | {value} | {figure.questions} |")
    return "\n".join(rows)


def to_json(name: str, figures: Mapping[str, Figure]) -> str:
    """The figures in the form of the benchmarks' files; `NAME_questions` is over how many NAME was measured."""
    product: dict[str, float] = {}
    for key, figure in figures.items():
        product |= {key: figure.value, f"{key}_questions": figure.questions}
    return json.dumps({"set": name, "systems": {"product": product}}, indent=1) + "\n"
