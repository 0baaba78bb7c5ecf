"""The command `footnote eval`."""

from __future__ import annotations

import errno
import math
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assistant.serving.commands import Documents
from assistant.serving.commands.opening import sync_folder
from assistant.serving.progress import show_progress, tell, to_plain
from index.errors import InputError
from index.settings import Settings, read_path

if TYPE_CHECKING:
    from assistant.serving.evaluation import Case, Figure, Outcome


def evaluate(
    file: Annotated[
        str | None,
        typer.Argument(metavar="FILE", help="JSON lines: question, answers, evidence, answerable, history, rejected."),
    ] = None,
    documents: Documents = None,
    thumbs: Annotated[
        bool, typer.Option("--thumbs", help="The questions whose answers got a thumb up or down in the chat.")
    ] = False,
    json: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write the figures to this file too.")
    ] = None,
    input_price: Annotated[
        float | None, typer.Option("--input-price", help="What a million tokens of the prompts cost.", min=0)
    ] = None,
    output_price: Annotated[
        float | None, typer.Option("--output-price", help="What a million tokens of the replies cost.", min=0)
    ] = None,
) -> None:
    """Measure how well a file's questions are answered, by quotations or the model configured."""
    from assistant.serving.evaluation import measure, read_cases, summarise, to_json
    from index.documents import Progress

    prices = [price for price in (input_price, output_price) if price is not None]
    if len(prices) == 1 or not all(map(math.isfinite, prices)):
        raise typer.BadParameter("The cost needs both prices: give --input-price and --output-price, each a number.")
    figures_file = None if json is None else _find_writable(read_path(json, "The file for --json"))
    questions_file = _find_questions(file, documents, thumbs=thumbs)
    cases = read_cases(questions_file)
    # Before the first question, so that its time is that of an answer.
    library, report = show_progress(sync_folder(documents))
    unread = [(report.skipped, "skipped"), (report.partial, "read in part")]
    if told := ", ".join(f"{len(paths)} {what}" for paths, what in unread if paths):
        print(f"{told}; to see which: footnote sync {to_plain(str(documents or library.folder))}", file=sys.stderr)
    outcomes: list[Outcome] = []
    try:
        with tell("questions") as tell_of:
            for done, case in enumerate(cases):
                tell_of(Progress(case.question, done, len(cases), "questions"))
                outcomes.append(measure(case, library.folder, library.settings))
            tell_of(Progress("done", len(cases), len(cases), "questions"))
    finally:
        # What was measured is told also where the rest is stopped or fails.
        if outcomes:
            figures = summarise(outcomes, input_price, output_price)
            name = questions_file.stem
            print(_lay_out_evaluation(name, cases, outcomes, figures))
            if figures_file:
                try:
                    figures_file.write_text(to_json(name, figures), encoding="utf-8", errors="backslashreplace")
                except OSError as error:
                    raise _cannot_write(figures_file, error) from error


def _find_questions(file: str | None, documents: str | None, *, thumbs: bool) -> Path:
    """The file of questions: the one named, or that of the thumbs; how many of these there are is told either way."""
    from assistant.serving.feedback import Thumbs
    from index.library import find_folder

    if (file is None) is not thumbs:
        raise typer.BadParameter("Give a file of questions, or --thumbs for those that were judged in the chat.")
    settings = Settings.from_environment()
    given = Thumbs(settings.store_folder, find_folder(settings.documents if documents is None else documents))
    up, down = given.count()
    if thumbs and not up + down:
        raise InputError(f"No answer from {given.file.stem} has got a thumb yet: judge some in the chat.")
    if up + down:
        told = f"Thumbs: {up} up, {down} down, in {given.file}"
        print(to_plain(told if thumbs else f"{told}; to measure them: footnote eval --thumbs"), file=sys.stderr)
    return given.file if file is None else read_path(file, "The file of questions")


def _find_writable(file: Path) -> Path:
    """The same file, where it looks as if it could be written.

    Raises InputError where it cannot be: before the work, whose figures would be lost.
    """
    try:
        if not file.absolute().parent.is_dir():
            raise InputError(f"The folder of {file} does not exist: make it, or name another file for --json.")
        if file.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    except OSError as error:
        raise _cannot_write(file, error) from error
    return file


def _cannot_write(file: Path, error: OSError) -> InputError:
    return InputError(f"{file} cannot be written ({error.strerror}): name another file.")


def _lay_out_evaluation(
    name: str, cases: Sequence[Case], outcomes: Sequence[Outcome], figures: Mapping[str, Figure]
) -> str:
    """A table of the figures, and a line for each question that went wrong."""
    from assistant.serving.evaluation import to_table

    models = sorted({outcome.answer.model or "quotations" for outcome in outcomes})
    asked = f"{len(outcomes)} of {len(cases)}" if len(outcomes) < len(cases) else str(len(cases))
    wrong = [outcome for outcome in outcomes if outcome.wrong]
    lines = [f"{asked} questions, answered by {' and '.join(models)}.", "", to_table(name, figures), ""]
    lines.append(f"{len(wrong)} went wrong{':' if wrong else '.'}")
    lines += [f"- line {o.case.line}, “{' '.join(o.case.question.split())}”: {o.wrong}" for o in wrong]
    return to_plain("\n".join(lines), keep_lines=True)
