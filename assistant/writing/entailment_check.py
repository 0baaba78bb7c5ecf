"""The check of an answer by the entailment model that the settings name."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

from assistant.answers import Answer
from assistant.citing.entailed import judge_with
from index.documents import Progress
from index.errors import InputError, WeightsError
from index.library import Library


def check_entailment(answered: Answer, library: Library) -> Generator[Progress, None, Answer]:
    """The same with the model's verdict on each sentence, or with a notice where the model cannot be had."""
    try:
        entailment = yield from library.open_entailment()
    except (InputError, WeightsError) as error:
        notice = f"{answered.notice} The answer was checked by words alone. {error}"
        return replace(answered, notice=notice.strip())
    yield Progress(f"{entailment.name} checks the answer")
    return replace(answered, sentences=judge_with(entailment, answered.sentences, answered.citations, answered.query))
