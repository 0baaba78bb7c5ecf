"""The language model judges the sentences that it wrote, in one call after they are shown, verdict by verdict."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import replace

from assistant.answers import Answer
from assistant.citing.second_opinion import apply_verdicts, is_judged, make_check_prompt, read_verdicts
from assistant.writing.language_model import LanguageModel
from index.documents import Progress
from index.errors import ModelError

LONGEST_SECONDS = 60.0
LONGEST_CHARACTERS = 20_000


def judge_with_model(answered: Answer, model: LanguageModel) -> Generator[Progress | Answer, None, Answer]:
    """The same with the model's verdicts: first an Answer in which they wait, then one for each line of the reply.

    But: where the model fails, what words say of the rest stands, with a notice.
    """
    if not any(map(is_judged, answered.sentences)):
        return answered
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
    checked = _apply(answered, written, is_over=True)
    return replace(checked, notice=f"{checked.notice} {failure}".strip())


def _apply(answered: Answer, written: str, *, is_over: bool) -> Answer:
    lines = written if is_over else written.rpartition("\n")[0]
    verdicts = read_verdicts(lines)
    sentences = apply_verdicts(answered.sentences, answered.citations, verdicts, is_over=is_over)
    return replace(answered, sentences=sentences)
