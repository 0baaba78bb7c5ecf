"""The command `footnote`: chat, ask, sync, check, documents and eval."""

from __future__ import annotations

import errno
import io
import math
import os
import sys
import textwrap
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from assistant.serving import INTERRUPTED, STOPPED
from assistant.serving.progress import show_progress, tell, to_plain
from assistant.serving.users_commands import users_command
from index.errors import FootnoteError, InputError
from index.settings import Settings, read_path

if TYPE_CHECKING:
    from assistant.answers import Answer
    from assistant.serving.evaluation import Case, Figure, Outcome
    from index.documents import Passage, Progress
    from index.library import Library
    from index.plan import SyncReport


class Commands(TyperGroup):
    """The commands, whose errors are sentences, whatever becomes of their words on the way out."""

    def main(self, *arguments: Any, **options: Any) -> Any:
        """Run a command to its end, that of its output included."""
        if isinstance(sys.stdout, io.TextIOWrapper):
            # What a terminal of another encoding cannot show is written as an escape.
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            try:
                super().main(*arguments, **options)
            finally:
                sys.stdout.flush()
        except FootnoteError as error:
            print(f"footnote: {to_plain(str(error))}", file=sys.stderr)
            raise SystemExit(error.exit_code) from None
        except SystemExit as end:
            # So typer ends where it was interrupted.
            if end.code == INTERRUPTED:
                print(STOPPED, file=sys.stderr)
            raise


command = typer.Typer(
    cls=Commands,
    name="footnote",
    help="Ask your documents; every answer carries its footnotes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # what draws the frames round the help stumbles over odd widths of the terminal
)

command.add_typer(users_command, name="users")

# Text, not paths: of an empty name, as a variable leaves it that is not set, a path would make the current folder.
Folder = Annotated[
    str | None,
    typer.Argument(metavar="FOLDER", help="The folder of documents; by default FOOTNOTE_DOCUMENTS, else the samples."),
]
Documents = Annotated[str | None, typer.Option("--documents", metavar="FOLDER", help="The folder to answer from.")]


def _tell_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"footnote {version('footnote')}")
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
    folders: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FOLDER]...",
            help="The folders of documents, each a library to choose; by default FOOTNOTE_DOCUMENTS, else the samples.",
        ),
    ] = None,
    port: Annotated[int, typer.Option(help="The port; the next free one if it is taken.", min=1, max=65535)] = 7860,
    browser: Annotated[
        bool | None,
        typer.Option("--browser/--no-browser", help="Open the page in the browser; by default on a desktop."),
    ] = None,
    uploads: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="The folder that documents may be added to on the page.")
    ] = None,
    host: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="Where to listen; for others too with --users or FOOTNOTE_TOKEN."),
    ] = "127.0.0.1",
    name: Annotated[
        list[str] | None, typer.Option("--name", help="A name that the server is opened by besides; repeatable.")
    ] = None,
    users: Annotated[
        str | None, typer.Option(metavar="FILE", help="Who may log in; footnote users add makes the file.")
    ] = None,
) -> None:
    """Open the chat over one or several folders in the browser."""
    from assistant.serving.entrance import open_entrance

    # Before what takes long to load: who may come in is told at once where that cannot be.
    users_file = None if users is None else read_path(users, "The file for --users")
    uploads_folder = None if uploads is None else read_path(uploads, "The folder for --uploads")
    entrance = open_entrance(host, name or (), users_file, os.environ.get("FOOTNOTE_TOKEN") or None)

    from assistant.serving import writers
    from assistant.serving.chat import open_chat
    from assistant.serving.served import open_served
    from index.sync import READ_ONLY

    settings = Settings.from_environment()
    if entrance.is_local:
        settings = writers.recall(writers.find_file(), settings)
    given = [read_path(folder, "The documents folder") for folder in folders or ()]
    served = show_progress(open_served(given, settings, uploads=uploads_folder, is_local=entrance.is_local))
    for library in served.libraries.values():
        if library.store.is_read_only:
            print(to_plain(READ_ONLY.format(library.store.place)), file=sys.stderr)
    open_chat(served, entrance, port=port, browser=has_desktop() if browser is None else browser)


@command.command()
def ask(
    question: Annotated[str, typer.Argument(help="The question, in quotation marks.")],
    documents: Documents = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only", metavar="PATH", help="A file or folder in it, or a pattern, to answer from; repeatable."
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the whole Answer as JSON.")] = False,
) -> None:
    """Answer one question, with its citations."""
    from assistant.answers import Answer, TextDelta
    from assistant.chain import stream_answer
    from index.documents import Progress

    result: Answer | None = None
    written = ""  # on a terminal, as it comes
    with ExitStack() as waiting:
        told = waiting.enter_context(tell())
        for event in stream_answer(question, documents, only=only or ()):
            match event:
                case Progress() if not written:
                    told(event)
                case TextDelta() if sys.stdout.isatty() and not json:
                    waiting.close()  # a bar and the text would overwrite each other
                    written += event.text
                    print(to_plain(event.text, keep_lines=True), end="", flush=True)
                case Answer():
                    result = event
    if result is None:
        return
    laid_out = result.to_json(indent=1) if json else _lay_out(result)
    # A model may have thought aloud before its answer, which is then shown anew.
    is_shown = written == result.text
    print(laid_out[len(written) :] if is_shown else f"\n\n{laid_out}" if written else laid_out)


@command.command()
def sync(
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="The folder of documents.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing; say what would change.")] = False,
    checksum: Annotated[bool, typer.Option("--checksum", help="Read every file, whatever its time of change.")] = False,
    anew: Annotated[bool, typer.Option("--anew", help="Throw the folder's store away and build it again.")] = False,
) -> None:
    """Make the store equal to the folder. Exit code 3 where some files could not be read, or only in part."""
    if anew and dry_run:
        raise typer.BadParameter("--anew throws the store away, so that a dry run of it cannot be had: choose one.")
    _, report = show_progress(_sync(folder, patient=True, anew=anew, checksum=checksum, dry_run=dry_run))
    if dry_run:
        for name in ("added", "changed", "moved", "removed"):
            for path in getattr(report, name):
                print(f"{name:<9}{to_plain(path)}")
    for path, reason in sorted(report.skipped.items()):
        print(f"skipped  {to_plain(path)}: {to_plain(reason)}")
    for path, unread in sorted(report.partial.items()):
        print(f"partial  {to_plain(path)}: read in part: {to_plain(unread)}")
    print(report.summary())
    if report.skipped or report.partial:
        raise typer.Exit(3)


@command.command()
def check(
    folder: Folder = None,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what is wrong.")] = False,
) -> None:
    """Verify that a folder's store is whole. Exit code 1 where it is not."""
    library = show_progress(_open(folder))
    with library.store.writing():
        wrong = library.store.check()
        if repair:
            library.store.repair(wrong)
    for problem in wrong.values():
        print(to_plain(problem))
    if repair and wrong:
        show_progress(library.sync())
        with library.store.writing():
            wrong = library.store.check()
        print("Mended." if not wrong else "Not mended: footnote sync --anew makes the store afresh.")
    elif not wrong:
        print("The store is whole.")
    if wrong:
        raise typer.Exit(1)


@command.command()
def documents(folder: Folder = None) -> None:
    """List the documents that answers are made from."""
    library, _ = show_progress(_sync(folder))
    for record in library.store.lexicon.records():
        unread = f"  (read in part: {record.unread})" if record.unread else ""
        print(f"{record.date or '          '}  {to_plain(f'{record.path}  {record.title}{unread}')}")


@command.command("eval")
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
    library, report = show_progress(_sync(documents))
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


def has_desktop() -> bool:
    """Whether who started this sits before a desktop on which a browser can be opened."""
    if os.environ.get("SSH_CONNECTION"):
        return False
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


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


def _open(documents: str | None) -> Generator[Progress, None, Library]:
    from index.library import open_library

    settings = Settings.from_environment()
    return (yield from open_library(settings.documents if documents is None else documents, settings))


def _sync(
    documents: str | None,
    *,
    patient: bool = False,
    anew: bool = False,
    checksum: bool = False,
    dry_run: bool = False,
    recognises: bool = True,
) -> Generator[Progress, None, tuple[Library, SyncReport]]:
    if anew:
        from index.library import find_folder
        from index.storing.store import discard

        discard(Settings.from_environment().store_folder, find_folder(documents))
    library = yield from _open(documents)
    report = yield from library.sync(checksum=checksum, dry_run=dry_run, patient=patient, recognises=recognises)
    return library, report


def _lay_out(answer: Answer) -> str:
    """An answer for the terminal: text, footnotes, or the nearest passages where nothing was found."""
    from assistant.answers import NEAREST, NOT_FOUND
    from assistant.citing.citations import show_context, show_quote

    lines = [answer.text, ""]
    if answer.query != answer.question:
        lines += [f"Searched for: {answer.query}", ""]
    for citation in answer.citations:
        if citation.kind == "document":
            lines.append(f"[{citation.number}] {to_plain(citation.path)}")
            continue
        place = f"page {citation.page}" if citation.page else f"characters {citation.start}-{citation.end}"
        lines.append(f"[{citation.number}] {to_plain(citation.path)}, {place}")
        if under := show_context(citation.context, citation.title):
            lines.append(f"    {textwrap.shorten(to_plain(under), 92, placeholder=' …')}")
        quote = show_quote(citation, answer.passages)
        lines += textwrap.wrap(f"“{quote}”", 96, initial_indent="    ", subsequent_indent="    ")
    lines += _lay_out_doubts(answer)
    if answer.status == "not_found" and answer.passages:
        lines.append("The nearest passages:")
        lines += map(_lay_out_passage, answer.passages[:3])
    mode = f"Written by {answer.model}." if answer.model else "Quoted from the documents; no language model was used."
    quotes = any(citation.kind == "words" for citation in answer.citations)
    if not answer.found:
        # A greeting is told apart by its words: nothing was looked for.
        is_refusal = answer.text.startswith((NOT_FOUND, NEAREST))
        mode = f"Confidence that the documents say: {answer.confidence:.0%}." if is_refusal else ""
    elif not quotes:
        mode = "Told from the record of the documents."
    # Who reads that these are quotations need not read it twice.
    lines += [
        "",
        *([mode] if mode and not (answer.citations and answer.notice) else []),
        *([answer.notice] if answer.notice else []),
    ]
    return to_plain("\n".join(lines).rstrip("\n"), keep_lines=True)


def _lay_out_doubts(answer: Answer) -> list[str]:
    """A line for each sentence that a reader should not simply believe, with the reason."""
    from assistant.notices import describe_doubt

    doubts = [f"- “{s.text}”: {doubt}" for s in answer.sentences if (doubt := describe_doubt(s))]
    return ["", "Read with care:", *doubts] if doubts else []


def _lay_out_passage(passage: Passage) -> str:
    """One of the nearest passages: what it stands under, and how it begins."""
    from assistant.citing.citations import show_context
    from index.splitting.sentences import CONTENT

    sentences = [sentence for sentence in passage.sentences if sentence.kind in CONTENT]
    context = passage.contexts()[passage.sentences.index(sentences[0])] if sentences else ()
    under = show_context(context, passage.title)
    under = textwrap.shorten(under, 60, placeholder=" …")
    place = f"{passage.path}, {under}" if under else passage.path
    # A row or a field has no end that tells where the next begins.
    words = " ".join(
        line if line.endswith((".", "!", "?")) else f"{line} ·" for line in map(passage.line_of, sentences)
    )
    return f"  {to_plain(place)}: {textwrap.shorten(words.rstrip(' ·'), 160, placeholder=' ...')}"


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
