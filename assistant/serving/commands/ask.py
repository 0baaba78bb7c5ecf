"""The command `footnote ask`."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import Annotated

import typer

from assistant.serving.commands import Documents
from assistant.serving.progress import tell


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
    from assistant.showing.terminal import to_plain
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
    laid_out = result.to_json(indent=1) if json else str(result)
    # A model may have thought aloud before its answer, which is then shown anew.
    is_shown = written == result.text
    print(laid_out[len(written) :] if is_shown else f"\n\n{laid_out}" if written else laid_out)
