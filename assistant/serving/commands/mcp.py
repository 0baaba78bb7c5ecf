"""The command `footnote mcp`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from index.settings import Settings, read_path


def mcp(
    folders: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FOLDER]...",
            help="The folders of documents, each a library; by default FOOTNOTE_DOCUMENTS, else the samples.",
        ),
    ] = None,
) -> None:
    """Serve an agent that starts this, such as Claude Desktop or Cursor, by the Model Context Protocol."""
    from index.library import find_folder

    settings = Settings.from_environment()
    # Before what takes long to load: a folder that is none is told at once.
    named = [read_path(folder, "The documents folder") for folder in folders or ()]
    given = [find_folder(folder) for folder in named or [settings.documents]]
    if sys.stdin.isatty():
        print("Footnote waits for an agent's messages here: agents start this themselves.", file=sys.stderr)

    from assistant.serving.pipe import serve

    serve(given, settings)
