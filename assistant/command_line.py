"""The command `footnote`: chat, ask, sync and documents."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from assistant.answers import Answer
    from index.documents import Progress

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
        _show_progress(_sync(documents, anew=False))
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
        for event in _show_progress(stream_answer(question, documents), rest=True):
            if isinstance(event, Answer):
                result = event
        if result is not None:
            _print(result.to_json(indent=1) if json else _lay_out(result))


@command.command()
def sync(
    folder: Annotated[Path, typer.Argument(help="The folder of documents.")],
    anew: Annotated[bool, typer.Option("--anew", help="Throw the folder's store away and build it again.")] = False,
) -> None:
    """Make the store equal to the folder."""
    with _errors_as_sentences():
        report = _show_progress(_sync(folder, anew=anew))
        for path, reason in report.skipped.items():
            _print(f"skipped  {_on_one_line(f'{path}: {reason}')}")
        _print(report.summary())


@command.command()
def documents(folder: Folder = None) -> None:
    """List the documents that answers are made from."""
    with _errors_as_sentences():
        from index.library import open_library
        from index.settings import Settings

        settings = Settings.from_environment()
        _show_progress(_sync(folder or settings.documents, anew=False))
        library = _show_progress(open_library(folder or settings.documents, settings))
        for record in library.store.lexicon.records():
            _print(f"{record.date or '          '}  {_on_one_line(f'{record.path}  {record.title}')}")


def _sync(folder: Path, *, anew: bool) -> Any:
    from index.library import open_library
    from index.settings import Settings
    from index.store import discard

    settings = Settings.from_environment()
    if anew:
        discard(settings.store_folder, folder)
    library = yield from open_library(folder, settings)
    return (yield from library.sync())


def _show_progress(walk: Any, *, rest: bool = False) -> Any:
    """Run a walk with its progress on standard error; give its result, or with `rest` its other events."""
    if rest:
        return _other_events(walk)
    while True:
        try:
            _tell(next(walk))
        except StopIteration as end:
            return end.value


def _other_events(walk: Iterator[Any]) -> Iterator[Any]:
    from index.documents import Progress

    for event in walk:
        if isinstance(event, Progress):
            _tell(event)
        else:
            yield event


def _tell(progress: Progress) -> None:
    count = f"[{progress.done}/{progress.total}] " if progress.total else ""
    print(_on_one_line(f"{count}{progress.message}"), file=sys.stderr, flush=True)


def _lay_out(answer: Answer) -> str:
    """An answer for the terminal: text, footnotes, or the nearest passages where nothing was found."""
    lines = [answer.text, ""]
    if answer.query != answer.question:
        lines += [f"Searched for: {answer.query}", ""]
    support = {number: sentence.support for sentence in answer.sentences for number in sentence.citations}
    for citation in answer.citations:
        place = f"page {citation.page}" if citation.page else f"characters {citation.start}-{citation.end}"
        doubt = "" if support.get(citation.number) == "supported" else f" ({support.get(citation.number)})"
        lines.append(f"[{citation.number}] {_on_one_line(citation.path)}, {place}{doubt}")
        lines += textwrap.wrap(
            f"“{' '.join(citation.quote.split())}”", 96, initial_indent="    ", subsequent_indent="    "
        )
    if not answer.found and answer.passages:
        lines.append("The nearest passages:")
        for passage in answer.passages[:3]:
            prose = " ".join(passage.words_of(sentence) for sentence in passage.sentences if sentence.kind == "prose")
            lines.append(f"  {_on_one_line(passage.path)}: {textwrap.shorten(prose, 160, placeholder=' ...')}")
    mode = f"Written by {answer.model}." if answer.model else "Quoted from the documents; no language model was used."
    lines += [
        "",
        answer.notice or (mode if answer.found else f"Confidence that the documents say: {answer.confidence:.0%}."),
    ]
    return _plain("\n".join(lines))


def _print(text: str) -> None:
    try:
        print(text)
    except UnicodeEncodeError:
        # A terminal of another encoding: what it cannot show is written as an escape.
        print(text.encode(sys.stdout.encoding or "ascii", "backslashreplace").decode(sys.stdout.encoding or "ascii"))


def _plain(text: str) -> str:
    """The text without control characters, so that no document or file name can drive the terminal."""
    return "".join(c if c == "\n" or (c.isprintable() and not "\ud800" <= c <= "\udfff") else "�" for c in text)


def _on_one_line(text: str) -> str:
    """The same for what has a line of its own: a file name may hold a line end."""
    return _plain(text).replace("\n", "�")


@contextmanager
def _errors_as_sentences() -> Iterator[None]:
    from index.errors import FootnoteError

    try:
        yield
    except FootnoteError as error:
        print(f"footnote: {_on_one_line(str(error))}", file=sys.stderr)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        print("footnote: stopped; nothing is lost.", file=sys.stderr)
        raise typer.Exit(130) from None


if __name__ == "__main__":
    command()
