"""The command `footnote`: chat, ask, sync, check, documents and eval."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assistant.progress import show_progress, tell, to_plain

if TYPE_CHECKING:
    from assistant.answers import Answer
    from assistant.evaluation import Case, Figure, Outcome

command = typer.Typer(
    name="footnote",
    help="Ask your documents; every answer carries its footnotes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Folder = Annotated[
    Path | None, typer.Argument(help="The folder of documents; by default FOOTNOTE_DOCUMENTS, else the samples.")
]


def _tell_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        _print(f"footnote {version('footnote')}")
        raise typer.Exit


@command.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


@command.command()
def chat(
    folder: Folder = None,
    port: Annotated[
        int, typer.Option(help="The port on 127.0.0.1; the next free one if it is taken.", min=1, max=65535)
    ] = 7860,
    browser: Annotated[bool, typer.Option("--browser", help="Open the page in the browser too.")] = False,
) -> None:
    """Open the chat over a folder in the browser."""
    with _errors_as_sentences():
        from assistant.chat import open_chat
        from index.settings import Settings

        settings = Settings.from_environment()
        documents = folder or settings.documents
        show_progress(_sync(documents))
        open_chat(documents, settings, port=port, browser=browser)


@command.command()
def ask(
    question: Annotated[str, typer.Argument(help="The question, in quotation marks.")],
    documents: Annotated[Path | None, typer.Option("--documents", help="The folder to answer from.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the whole Answer as JSON.")] = False,
) -> None:
    """Answer one question, with its citations."""
    with _errors_as_sentences():
        from assistant.answers import Answer
        from assistant.chain import stream_answer

        result = None
        for event in _other_events(stream_answer(question, documents)):
            if isinstance(event, Answer):
                result = event
        if result is not None:
            _print(result.to_json(indent=1) if json else _lay_out(result))


@command.command()
def sync(
    folder: Annotated[Path, typer.Argument(help="The folder of documents.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing; say what would change.")] = False,
    checksum: Annotated[bool, typer.Option("--checksum", help="Read every file, whatever its time of change.")] = False,
    anew: Annotated[bool, typer.Option("--anew", help="Throw the folder's store away and build it again.")] = False,
) -> None:
    """Make the store equal to the folder. Exit code 3 where some files were skipped."""
    with _errors_as_sentences():
        if anew and dry_run:
            raise typer.BadParameter("--anew throws the store away, so that a dry run of it cannot be had: choose one.")
        report = show_progress(_sync(folder, anew=anew, checksum=checksum, dry_run=dry_run))
        if dry_run:
            for name in ("added", "changed", "moved", "removed"):
                for path in getattr(report, name):
                    _print(f"{name:<9}{to_plain(path)}")
        for path, reason in sorted(report.skipped.items()):
            _print(f"skipped  {to_plain(path)}: {to_plain(reason)}")
        _print(report.summary())
        if report.skipped:
            raise typer.Exit(3)


@command.command()
def check(
    folder: Folder = None,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what is wrong.")] = False,
) -> None:
    """Verify that a folder's store is whole. Exit code 1 where it is not."""
    with _errors_as_sentences():
        from index.library import open_library
        from index.settings import Settings

        settings = Settings.from_environment()
        library = show_progress(open_library(folder or settings.documents, settings))
        with library.store.writing():
            wrong = library.store.check()
            if repair:
                library.store.repair(wrong)
        for problem in wrong.values():
            _print(to_plain(problem))
        if repair and wrong:
            show_progress(library.sync())
            wrong = library.store.check()
            _print("Mended." if not wrong else "Not mended: footnote sync --anew makes the store afresh.")
        elif not wrong:
            _print("The store is whole.")
        if wrong:
            raise typer.Exit(1)


@command.command()
def documents(folder: Folder = None) -> None:
    """List the documents that answers are made from."""
    with _errors_as_sentences():
        from index.library import open_library
        from index.settings import Settings

        settings = Settings.from_environment()
        show_progress(_sync(folder or settings.documents))
        library = show_progress(open_library(folder or settings.documents, settings))
        for record in library.store.lexicon.records():
            _print(f"{record.date or '          '}  {to_plain(f'{record.path}  {record.title}')}")


@command.command("eval")
def evaluate(
    file: Annotated[Path, typer.Argument(help="JSON lines: question, answers, evidence, answerable, history.")],
    documents: Annotated[Path | None, typer.Option("--documents", help="The folder to answer from.")] = None,
    json: Annotated[Path | None, typer.Option("--json", help="Write the figures to this file too.")] = None,
    input_price: Annotated[
        float | None, typer.Option("--input-price", help="What a million tokens of the prompts cost.", min=0)
    ] = None,
    output_price: Annotated[
        float | None, typer.Option("--output-price", help="What a million tokens of the replies cost.", min=0)
    ] = None,
) -> None:
    """Measure how well a file's questions are answered, by quotations or the model configured."""
    with _errors_as_sentences():
        from assistant.evaluation import measure, read_cases, summarise, to_json
        from index.documents import Progress
        from index.errors import InputError
        from index.settings import Settings

        if (input_price is None) != (output_price is None):
            raise typer.BadParameter("The cost needs both prices: give --input-price and --output-price.")
        if json and not json.resolve().parent.is_dir():
            raise InputError(f"The folder of {json} does not exist: make it, or name another file for --json.")
        cases = read_cases(file)
        settings = Settings.from_environment()
        folder = documents or settings.documents
        # Before the first question, so that its time is that of an answer.
        if skipped := show_progress(_sync(folder)).skipped:
            print(f"{len(skipped)} skipped; to see which: footnote sync {to_plain(str(folder))}", file=sys.stderr)
        outcomes: list[Outcome] = []
        try:
            with tell("questions") as told:
                for done, case in enumerate(cases):
                    told(Progress(case.question, done, len(cases), "questions"))
                    outcomes.append(measure(case, folder, settings))
                told(Progress("done", len(cases), len(cases), "questions"))
        finally:
            # What was measured is told also where the rest is stopped or fails.
            if outcomes:
                figures = summarise(outcomes, input_price, output_price)
                _print(_lay_out_evaluation(file.stem, cases, outcomes, figures))
                if json:
                    try:
                        json.write_text(to_json(file.stem, figures), encoding="utf-8")
                    except OSError as error:
                        raise InputError(f"{json} cannot be written ({error.strerror}): name another file.") from error


def _sync(folder: Path, *, anew: bool = False, checksum: bool = False, dry_run: bool = False) -> Any:
    from index.library import open_library
    from index.settings import Settings
    from index.store import discard

    settings = Settings.from_environment()
    if anew:
        discard(settings.store_folder, folder)
    library = yield from open_library(folder, settings)
    return (yield from library.sync(checksum=checksum, dry_run=dry_run))


def _other_events(walk: Iterator[Any]) -> Iterator[Any]:
    """The events of a walk that are no progress; that goes to standard error."""
    from index.documents import Progress

    with tell() as told:
        for event in walk:
            if isinstance(event, Progress):
                told(event)
            else:
                yield event


def _lay_out(answer: Answer) -> str:
    """An answer for the terminal: text, footnotes, or the nearest passages where nothing was found."""
    lines = [answer.text, ""]
    if answer.query != answer.question:
        lines += [f"Searched for: {answer.query}", ""]
    support = {number: sentence.support for sentence in answer.sentences for number in sentence.citations}
    for citation in answer.citations:
        place = f"page {citation.page}" if citation.page else f"characters {citation.start}-{citation.end}"
        doubt = "" if support.get(citation.number) == "supported" else f" ({support.get(citation.number)})"
        lines.append(f"[{citation.number}] {to_plain(citation.path)}, {place}{doubt}")
        lines += textwrap.wrap(
            f"“{' '.join(citation.quote.split())}”", 96, initial_indent="    ", subsequent_indent="    "
        )
    if not answer.found and answer.passages:
        lines.append("The nearest passages:")
        for passage in answer.passages[:3]:
            prose = " ".join(passage.words_of(sentence) for sentence in passage.sentences if sentence.kind == "prose")
            lines.append(f"  {to_plain(passage.path)}: {textwrap.shorten(prose, 160, placeholder=' ...')}")
    mode = f"Written by {answer.model}." if answer.model else "Quoted from the documents; no language model was used."
    lines += [
        "",
        answer.notice or (mode if answer.found else f"Confidence that the documents say: {answer.confidence:.0%}."),
    ]
    return to_plain("\n".join(lines), keep_lines=True)


def _lay_out_evaluation(
    name: str, cases: Sequence[Case], outcomes: Sequence[Outcome], figures: Mapping[str, Figure]
) -> str:
    """A table of the figures, and a line for each question that went wrong."""
    from assistant.evaluation import to_table

    models = sorted({outcome.answer.model or "quotations" for outcome in outcomes})
    asked = f"{len(outcomes)} of {len(cases)}" if len(outcomes) < len(cases) else str(len(cases))
    wrong = [outcome for outcome in outcomes if outcome.wrong]
    lines = [f"{asked} questions, answered by {' and '.join(models)}.", "", to_table(name, figures), ""]
    lines.append(f"{len(wrong)} went wrong{':' if wrong else '.'}")
    lines += [f"- line {o.case.line}, “{' '.join(o.case.question.split())}”: {o.wrong}" for o in wrong]
    return to_plain("\n".join(lines), keep_lines=True)


def _print(text: str) -> None:
    try:
        print(text)
    except UnicodeEncodeError:
        # A terminal of another encoding: what it cannot show is written as an escape.
        print(text.encode(sys.stdout.encoding or "ascii", "backslashreplace").decode(sys.stdout.encoding or "ascii"))


@contextmanager
def _errors_as_sentences() -> Iterator[None]:
    from index.errors import FootnoteError

    try:
        yield
    except FootnoteError as error:
        print(f"footnote: {to_plain(str(error))}", file=sys.stderr)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        print("footnote: stopped; nothing is lost.", file=sys.stderr)
        raise typer.Exit(130) from None


if __name__ == "__main__":
    command()
