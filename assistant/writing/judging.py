"""Who judges the sentences that a language model wrote, after they are shown: the model itself, verdict by verdict, or
an entailment model that the user names. Words have judged before, and what they say stands where neither does.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import replace

from assistant.answers import Answer
from assistant.citing.entailed import judge_with
from assistant.citing.second_opinion import apply_verdicts, is_judged, make_check_prompt, read_verdicts
from assistant.writing.language_model import LanguageModel
from index.documents import Progress
from index.errors import InputError, ModelError, WeightsError
from index.library import Library
from index.steps import step

LONGEST_SECONDS = 60.0
LONGEST_CHARACTERS = 20_000


@step("check")
def judge(answered: Answer, library: Library, model: LanguageModel) -> Generator[Progress | Answer, None, Answer]:
    """The same, judged as the settings say."""
    if not any(map(is_judged, answered.sentences)) or library.settings.check == "words":
        return answered
    if library.settings.checks_entailment:
        return (yield from judge_with_entailment(answered, library))
    return (yield from judge_with_model(answered, model))


def judge_with_model(answered: Answer, model: LanguageModel) -> Generator[Progress | Answer, None, Answer]:
    """The model's verdicts: first an Answer in which they wait, then one for each line of its reply."""
    prompt = make_check_prompt(answered.query, answered.sentences, answered.citations)
    written, failure = "", ""
    yield _apply(answered, written, is_over=False)
    yield Progress(f"{model.name} checks the answer")
    try:
        pieces = model.dictate(*prompt, seconds=LONGEST_SECONDS, most_characters=LONGEST_CHARACTERS)
        with closing(pieces):
            for written, is_line_over in pieces:
                if is_line_over:
                    yield _apply(answered, written, is_over=False)
    except ModelError as error:
        failure = f"The language model did not check {'all of ' if written else ''}its answer. {error}"
    judged, told = sum(map(is_judged, answered.sentences)), len(read_verdicts(written))
    if told < judged and not failure:
        failure = f"The language model judged {told} of {judged} sentences; words judged the rest."
    return _mention(_apply(answered, written, is_over=True), failure)


def _apply(answered: Answer, written: str, *, is_over: bool) -> Answer:
    lines = written if is_over else written.rpartition("\n")[0]
    verdicts = read_verdicts(lines)
    sentences = apply_verdicts(answered.sentences, answered.citations, verdicts, is_over=is_over)
    return replace(answered, sentences=sentences)


def judge_with_entailment(answered: Answer, library: Library) -> Generator[Progress, None, Answer]:
    """The entailment model's verdicts, or a notice where it cannot be had."""
    try:
        entailment = yield from library.open_entailment()
    except (InputError, WeightsError) as error:
        return _mention(answered, f"The answer was checked by words alone. {error}")
    yield Progress(f"{entailment.name} checks the answer")
    return replace(answered, sentences=judge_with(entailment, answered.sentences, answered.citations, answered.query))


def _mention(answered: Answer, failure: str) -> Answer:
    return replace(answered, notice=f"{answered.notice} {failure}".strip())
