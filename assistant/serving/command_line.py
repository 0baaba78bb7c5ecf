"""The command `footnote`, with all its commands."""

from __future__ import annotations

import io
import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from assistant.serving import INTERRUPTED, STOPPED
from assistant.serving.commands.ask import ask
from assistant.serving.commands.chat import chat
from assistant.serving.commands.evaluate import evaluate
from assistant.serving.commands.mcp import mcp
from assistant.serving.commands.serve import serve
from assistant.serving.commands.store import check, documents, store_command, sync
from assistant.serving.commands.users import users_command
from assistant.serving.commands.verify import cite, verify
from assistant.serving.observing.process import observing
from assistant.showing.terminal import to_plain
from index.errors import FootnoteError


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

for _each in (chat, serve, ask, verify, cite, mcp, sync, check, documents):
    command.command()(_each)
command.command("eval")(evaluate)
command.add_typer(users_command, name="users")
command.add_typer(store_command, name="store")


_SERVERS = ("chat", "serve")


def _tell_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(f"footnote {version('footnote')}")
        raise typer.Exit


@command.callback()
def _main(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    context.with_resource(observing(os.environ, is_server=context.invoked_subcommand in _SERVERS))
