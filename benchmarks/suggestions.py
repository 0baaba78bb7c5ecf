"""What the example questions are that are made from folders of documents, and whether the documents answer them.

    python -m benchmarks.suggestions FOLDER [--count N] [--json FILE]

FOLDER holds a folder of documents for each NAME. Each is made ready before anything is timed.

suggestions: how many questions there are, of the N wanted (4). right: how many of these `answer` answers first of all
with the words that they were made from. documents: from how many documents they are, kinds: of how many kinds.
seconds: until all N were there, with the models loaded already.

With --json the questions themselves, to be read: whether somebody would ask them, no program can tell.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

from assistant import answer
from assistant.suggesting.candidates import Candidate
from assistant.suggesting.suggestions import draw_from_all, is_answered_by, keep_answered
from benchmarks.command import describe_machine, heed_signals, tell, write_json
from index.errors import InputError
from index.library import Library, finish, open_library
from index.settings import Settings

USUAL_COUNT = 4


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one folder. questions: those that were suggested, each with what it was made from."""

    name: str
    passages: int
    suggestions: int
    right: int
    documents: int
    kinds: int
    seconds: float
    questions: tuple[tuple[str, str], ...]


def main() -> None:
    """Make the questions of every folder, print the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("folder", type=Path, metavar="FOLDER")
    arguments.add_argument("--count", type=int, default=USUAL_COUNT, metavar="N")
    arguments.add_argument("--json", type=Path, metavar="FILE")
    given = arguments.parse_args()
    heed_signals()
    try:
        with tempfile.TemporaryDirectory() as temporary:
            # Of an environment of their own, settings name no language model.
            settings = Settings.from_environment({"FOOTNOTE_STORE": temporary})
            outcomes = list(print_outcomes(measure(given.folder, settings, given.count)))
    except InputError as error:
        raise SystemExit(str(error)) from error
    figures = count_up(outcomes, given.count)
    print("\n| figure | value |\n|---|---|")
    for name, value in figures.items():
        print(f"| {name} | {value:,.2f} |")
    print(f"\n{describe_machine()}")
    write_json(given.json, {"figures": figures, "folders": [asdict(outcome) for outcome in outcomes]})


def measure(folder: Path, settings: Settings, count: int) -> Iterator[Outcome]:
    """The outcome of each folder in a folder, by name. Raises InputError where there is none."""
    folders = sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    if not folders:
        raise InputError(f"{folder} holds no folder: give one that holds a folder of documents for each name.")
    for documents in folders:
        tell(documents.name)
        library = finish(open_library(documents, settings))
        finish(library.sync(recognises=False))
        finish_loading(library)
        begun = time.perf_counter()
        kept = list(islice(keep_answered(draw_from_all(library), library), count))
        seconds = time.perf_counter() - begun
        yield judge(documents, library, kept, seconds)
        library.store.close()


def finish_loading(library: Library) -> None:
    """Ask something, so that what a first question loads is there."""
    answer("Is this the first question?", library.folder, settings=library.settings)


def judge(documents: Path, library: Library, kept: list[Candidate], seconds: float) -> Outcome:
    """What came of a folder, each question asked as anybody would."""
    answers = [answer(candidate.question, documents, settings=library.settings) for candidate in kept]
    return Outcome(
        documents.name,
        library.store.lexicon.count_chunks(),
        len(kept),
        sum(is_answered_by(candidate, given) for candidate, given in zip(kept, answers, strict=True)),
        len({given.citations[0].document_id for given in answers if given.citations}),
        len({candidate.kind for candidate in kept}),
        round(seconds, 2),
        tuple((candidate.kind, candidate.question) for candidate in kept),
    )


def count_up(outcomes: list[Outcome], count: int) -> dict[str, float]:
    """The figures of all folders."""
    suggested = sum(outcome.suggestions for outcome in outcomes)
    return {
        "folders": len(outcomes),
        "folders with all": sum(outcome.suggestions >= count for outcome in outcomes) / len(outcomes),
        "folders with one or more": sum(outcome.suggestions > 0 for outcome in outcomes) / len(outcomes),
        "suggestions": suggested,
        "right": sum(outcome.right for outcome in outcomes) / max(1, suggested),
        "seconds, median": sorted(outcome.seconds for outcome in outcomes)[len(outcomes) // 2],
    }


def print_outcomes(outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    """Print a row for each as it comes, and hand it on."""
    columns = ("folder", "passages", "suggestions", "right", "documents", "kinds", "seconds")
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for outcome in outcomes:
        row = asdict(outcome)
        print(f"| {' | '.join(str(row['name' if name == 'folder' else name]) for name in columns)} |", flush=True)
        yield outcome


if __name__ == "__main__":
    main()
