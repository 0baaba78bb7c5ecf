"""The commands of `footnote`, one file a kind; `assistant.serving.command_line` has them all."""

from __future__ import annotations

from typing import Annotated

import typer

# Text, not paths: of an empty name, as a variable leaves it that is not set, a path would make the current folder.
Folder = Annotated[
    str | None,
    typer.Argument(metavar="FOLDER", help="The folder of documents; by default FOOTNOTE_DOCUMENTS, else the samples."),
]
Documents = Annotated[str | None, typer.Option("--documents", metavar="FOLDER", help="The folder to answer from.")]
