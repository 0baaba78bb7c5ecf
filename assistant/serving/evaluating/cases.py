"""The questions of a file, and what is expected of their answers.

Each line of the file is a JSON object, or each row of a table has such cells (see table.py):

    question     what is asked
    answers      strings of which one must stand in the answer
    evidence     what should be cited: strings that stand in the documents, or {"text": ..., "path": ...}
    answerable   whether the documents say; true where it is not given
    history      earlier turns, oldest first: [question, answer] pairs, or messages with role and content
    rejected     an answer that was given once and is wrong, as a thumb down tells
    thumb        who gave what thumb, and when; the chat writes it, and nothing is measured by it
    draft        says that nobody has corrected the question yet, and how it was made
    note         whatever you like

Of a line without answers and evidence, refusal, support and time are measured. Of one that is rejected and says no
more, only whether the same answer is given again, support and time: what would be right nobody knows yet.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from assistant.answers import Turn
from assistant.question.followup import read_history
from assistant.serving.evaluating.table import is_table, read_table
from assistant.serving.evaluating.texts import normalise, squeeze
from index.errors import InputError
from index.library import check_question
from index.settings import shorten

LONGEST_LINE_BYTES = 1_000_000

_FIELDS = ("question", "answers", "evidence", "answerable", "history", "rejected", "thumb", "draft", "note")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What should be cited. path: of its document, or of the file around that; None where any will do."""

    text: str
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One question of the file, and what is expected of its answer.

    line: counted from 1, where it begins. rejected: an answer that is wrong, or "". is_draft: whether nobody has
    corrected it yet.
    """

    line: int
    question: str
    answers: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    answerable: bool = True
    history: tuple[Turn, ...] = ()
    rejected: str = ""
    is_draft: bool = False

    @property
    def kind(self) -> str:
        """The group that its outcome counts in."""
        if self.is_to_correct:
            return "rejected"
        return "unanswerable" if not self.answerable else "follow-up" if self.history else "answerable"

    @property
    def is_to_correct(self) -> bool:
        """Whether it is known only what is wrong, and nobody has said yet what is right."""
        return bool(self.rejected) and self.answerable and not (self.answers or self.evidence)


def read_cases(file: Path) -> list[Case]:
    """The questions of a file of JSON lines, or of a table, as its content tells; empty lines are passed over.

    Raises InputError, which names file and line, where one cannot be used.
    """
    cases = []
    try:
        with file.open("rb") as stream:
            for number, given in read_table(stream) if is_table(stream.peek(), file.suffix) else _read_lines(stream):
                try:
                    cases.append(_read_case(given, number))
                except InputError as error:
                    raise InputError(f"line {number}: {error}") from error
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}): give a file with a question a line.") from error
    except InputError as error:
        raise InputError(f"{file}, {error}") from error
    if not cases:
        raise InputError(f'{file} holds no question: give a line like {{"question": "...", "answers": ["..."]}}.')
    return cases


def _read_lines(stream: BinaryIO) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(iter(lambda: stream.readline(LONGEST_LINE_BYTES + 1), b""), start=1):
        if not (line := line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line).strip():
            continue
        if len(line) > LONGEST_LINE_BYTES:
            told = f"it is longer than {LONGEST_LINE_BYTES:,} bytes; give one JSON object a line."
            raise InputError(f"line {number}: {told}")
        try:
            given = json.loads(line)
        except (ValueError, RecursionError) as error:
            told = "it is not JSON in UTF-8; give one JSON object a line, or a table with a column “question”."
            raise InputError(f"line {number}: {told}") from error
        yield number, given


def _read_case(given: Any, number: int) -> Case:
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
        bool(given.get("draft")),
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
    if not squeeze(evidence.text):
        raise InputError('each of "evidence" has words.')
    return evidence
