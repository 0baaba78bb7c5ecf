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
from assistant.serving.progress import show_progress, tell
from assistant.showing.terminal import to_plain
from index.errors import InputError
from index.settings import Settings, read_path

if TYPE_CHECKING:
    from assistant.serving.evaluating.cases import Case
    from assistant.serving.evaluating.figures import Figure
    from assistant.serving.evaluating.judging import Outcome
    from index.library import Library

MOST_DRAFTS = 200
DRAFTS_FILE = "questions.csv"


def evaluate(
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="FILE", help="A table (CSV) or JSON lines: question, answers, evidence, path, answerable, history."
        ),
    ] = None,
    documents: Documents = None,
    thumbs: Annotated[
        bool, typer.Option("--thumbs", help="The questions whose answers got a thumb up or down in the chat.")
    ] = False,
    json: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write the figures and each outcome to this file too.")
    ] = None,
    against: Annotated[
        str | None, typer.Option("--against", metavar="FILE", help="Compare with an earlier run, as --json wrote it.")
    ] = None,
    fail_if_worse: Annotated[
        bool, typer.Option("--fail-if-worse", help="Exit with 1 where a figure is worse, and hardly by chance.")
    ] = False,
    make: Annotated[
        int | None,
        typer.Option(
            "--make",
            metavar="N",
            min=1,
            max=MOST_DRAFTS,
            help=f"Draft so many questions from the documents, for you to correct, into FILE ({DRAFTS_FILE}).",
        ),
    ] = None,
    input_price: Annotated[
        float | None, typer.Option("--input-price", help="What a million tokens of the prompts cost.", min=0)
    ] = None,
    output_price: Annotated[
        float | None, typer.Option("--output-price", help="What a million tokens of the replies cost.", min=0)
    ] = None,
) -> None:
    """Measure how well a file's questions are answered, by quotations or the model configured."""
    prices = [price for price in (input_price, output_price) if price is not None]
    if len(prices) == 1 or not all(map(math.isfinite, prices)):
        raise typer.BadParameter("The cost needs both prices: give --input-price and --output-price, each a number.")
    if make is not None:
        if thumbs or prices or fail_if_worse or json is not None or against is not None:
            raise typer.BadParameter("--make only drafts questions: give the other options when you measure with them.")
        _make(make, read_path(DRAFTS_FILE if file is None else file, "The file for the drafts"), documents)
        return
    if fail_if_worse and against is None:
        raise typer.BadParameter("--fail-if-worse needs an earlier run: give --against FILE.")
    _measure(file, documents, thumbs, json, against, fail_if_worse, input_price, output_price)


def _measure(
    file: str | None,
    documents: str | None,
    thumbs: bool,
    json: str | None,
    against: str | None,
    fail_if_worse: bool,
    input_price: float | None,
    output_price: float | None,
) -> None:
    from assistant.serving.evaluating.cases import read_cases
    from assistant.serving.evaluating.comparison import compare, show
    from assistant.serving.evaluating.figures import summarise
    from assistant.serving.evaluating.judging import measure
    from assistant.serving.evaluating.runs import read_run, to_asked, to_json
    from index.documents import Progress

    figures_file = None if json is None else _find_writable(read_path(json, "The file for --json"))
    earlier_file = None if against is None else read_path(against, "The file for --against")
    earlier = read_run(earlier_file) if earlier_file else None
    questions_file = _find_questions(file, documents, thumbs=thumbs)
    cases = read_cases(questions_file)
    # Before the first question, so that its time is that of an answer.
    library = _open(documents)
    outcomes: list[Outcome] = []
    is_worse = False
    try:
        with tell("questions") as tell_of:
            for done, case in enumerate(cases):
                tell_of(Progress(case.question, done, len(cases), "questions"))
                outcomes.append(measure(case, library.origin, library.settings))
            tell_of(Progress("done", len(cases), len(cases), "questions"))
    finally:
        # What was measured is told also where the rest is stopped or fails.
        if outcomes:
            figures = summarise(outcomes, input_price, output_price)
            name = questions_file.stem
            print(_lay_out_evaluation(name, cases, outcomes, figures))
            if drafts := sum(outcome.case.is_draft for outcome in outcomes):
                told = f"{drafts} of the questions are drafts that nobody has corrected: what they measure is a hint."
                print(told, file=sys.stderr)
            if earlier is not None and earlier_file:
                comparison = compare(earlier, list(map(to_asked, outcomes)))
                is_worse = comparison.is_worse
                print(to_plain(f"\n{show(comparison, earlier_file.name)}", keep_lines=True))
            if figures_file:
                try:
                    run = to_json(name, outcomes, figures)
                    figures_file.write_text(run, encoding="utf-8", errors="backslashreplace")
                except OSError as error:
                    raise _cannot_write(figures_file, error) from error
    if is_worse and fail_if_worse:
        raise typer.Exit(1)


def _make(count: int, file: Path, documents: str | None) -> None:
    """Draft questions into a file."""
    from assistant.serving.evaluating.drafting import draft
    from assistant.serving.evaluating.drafts import open_drafts
    from index.documents import Progress

    done = unanswerable = 0
    try:
        with open_drafts(file) as write:
            library = _open(documents)
            with tell("questions") as tell_of:
                for drafted in draft(library, count):
                    write(drafted)
                    done += 1
                    unanswerable += not drafted.get("answerable", True)
                    tell_of(Progress(drafted["question"], done, count, "questions"))
    finally:
        if done:
            told = f"{done} questions drafted into {file}, {unanswerable} of them such as the documents do not answer."
            print(to_plain(told))
            print(to_plain(f"Correct them, empty “draft” of each, then: footnote eval {file}"))
    if not done:
        raise InputError("No question can be made from these documents: write some, as README.md shows.")
    if done < count:
        print(f"More than {done} could not be made from these documents.", file=sys.stderr)
    if not unanswerable:
        told = 'None asks what the documents do not say: add some of these yourself, with "answerable": false.'
        print(told, file=sys.stderr)


def _open(documents: str | None) -> Library:
    """The folder's library, after a sync that says how much it could not read."""
    library, report = show_progress(sync_folder(documents))
    unread = [(report.skipped, "skipped"), (report.partial, "read in part")]
    if told := ", ".join(f"{len(paths)} {what}" for paths, what in unread if paths):
        print(f"{told}; to see which: footnote sync {to_plain(str(documents or library.address))}", file=sys.stderr)
    return library


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
    """The figures, those of each group, and a line for each question that went wrong."""
    from assistant.serving.evaluating.figures import summarise_kinds, to_kinds_table, to_table

    models = sorted({outcome.answer.model or "quotations" for outcome in outcomes})
    asked = f"{len(outcomes)} of {len(cases)}" if len(outcomes) < len(cases) else str(len(cases))
    wrong = [outcome for outcome in outcomes if outcome.wrong]
    lines = [f"{asked} questions, answered by {' and '.join(models)}.", "", to_table(name, figures), ""]
    lines += [to_kinds_table(summarise_kinds(outcomes)), ""]
    lines.append(f"{len(wrong)} went wrong{':' if wrong else '.'}")
    lines += [f"- line {o.case.line}, “{' '.join(o.case.question.split())}”: {o.wrong}" for o in wrong]
    return to_plain("\n".join(lines), keep_lines=True)
