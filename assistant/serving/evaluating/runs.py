"""A run in a file: its figures, and what came of each question, so that a later run can be compared with it.

    file.write_text(to_json("mine", outcomes, figures))
    earlier = read_run(file)

The figures stand as they do in the benchmarks' files; `NAME_questions` is over how many NAME was measured. "questions"
holds each question with what was expected, the answer's text and status, its shares, what went wrong and the seconds.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.serving.evaluating.cases import Case
from assistant.serving.evaluating.figures import Figure, summarise_kinds
from assistant.serving.evaluating.judging import SHARES, Outcome
from index.errors import InputError

LARGEST_RUN_BYTES = 100_000_000
_AGAIN = "measure again with --json, and compare with what that writes."


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of one question of a run.

    asked: names the question with its history. expected: names what was expected of it. model: None for quotations.
    """

    question: str
    asked: str
    expected: str
    status: str
    text: str
    model: str | None
    wrong: str
    shares: Mapping[str, float]
    seconds: float


def to_asked(outcome: Outcome) -> Asked:
    """What is kept of an outcome."""
    case, answer = outcome.case, outcome.answer
    return Asked(
        case.question,
        _name([case.question, [[turn.question, turn.answer] for turn in case.history]]),
        _name(_expectation_of(case)),
        answer.status,
        answer.text,
        answer.model,
        outcome.wrong,
        dict(outcome.shares),
        outcome.seconds,
    )


def _expectation_of(case: Case) -> list[Any]:
    evidence = sorted([piece.text, piece.path or ""] for piece in case.evidence)
    return [sorted(case.answers), evidence, case.answerable, case.rejected]


def _name(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]


def to_json(name: str, outcomes: Sequence[Outcome], figures: Mapping[str, Figure]) -> str:
    """A run as text; what is kept of each question needs no look at the file that it came from."""
    product: dict[str, float] = {}
    for key, figure in figures.items():
        product |= {key: figure.value, f"{key}_questions": figure.questions}
    groups = {
        kind: {key: figure.value for key, figure in found.items()} | {"questions": found["right"].questions}
        for kind, found in summarise_kinds(outcomes).items()
    }
    questions = [
        {field: getattr(asked, field) for field in Asked.__slots__} | {"group": outcome.case.kind}
        for outcome, asked in ((outcome, to_asked(outcome)) for outcome in outcomes)
    ]
    run = {"set": name, "systems": {"product": product}, "groups": groups, "questions": questions}
    return json.dumps(run, indent=1) + "\n"


def read_run(file: Path) -> list[Asked]:
    """The questions of a run that `to_json` wrote.

    Raises InputError, which names the file, where it is none, or holds figures alone.
    """
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST_RUN_BYTES + 1)
    except OSError as error:
        told = f"{file} cannot be read ({error.strerror}): give the file that an earlier run wrote by --json."
        raise InputError(told) from error
    if len(content) > LARGEST_RUN_BYTES:
        raise InputError(f"{file} is larger than {LARGEST_RUN_BYTES:,} bytes: {_AGAIN}")
    try:
        run = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file} is not JSON: give the file that an earlier run wrote by --json.") from error
    if not isinstance(run, dict) or not isinstance(run.get("systems"), dict):
        raise InputError(f"{file} was not written by footnote eval --json: give the file of an earlier run.")
    if not isinstance(run.get("questions"), list):
        raise InputError(f"{file} holds figures alone, and not what came of each question, as it was once: {_AGAIN}")
    asked = [_read_asked(item) for item in run["questions"]]
    if found := [item for item in asked if item]:
        if len(found) == len(asked):
            return found
        raise InputError(f"{file}, question {asked.index(None) + 1}: it is not as footnote eval writes it: {_AGAIN}")
    raise InputError(f"{file} holds no question that could be read: {_AGAIN}")


def _read_asked(item: Any) -> Asked | None:
    """A question as it was kept; None where it was changed since."""
    if not isinstance(item, dict):
        return None
    shares = item.get("shares")
    texts = [item.get(name) for name in ("question", "asked", "expected", "status", "text", "wrong")]
    if not all(isinstance(text, str) for text in texts) or not isinstance(shares, dict):
        return None
    if not isinstance(item.get("model"), str | None) or not _is_number(item.get("seconds"), 1e9):
        return None
    if not all(_is_number(share, 1) for share in shares.values()):
        return None
    return Asked(
        **{name: item[name] for name in Asked.__slots__ if name != "shares"},
        shares={name: float(share) for name, share in shares.items() if name in SHARES},
    )


def _is_number(value: Any, most: float) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and 0 <= value <= most
