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

# What a server is started with.
Folders = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[FOLDER]...",
        help="The folders of documents, each a library to choose; by default FOOTNOTE_DOCUMENTS, else the samples.",
    ),
]
Port = Annotated[int, typer.Option(help="The port; the next free one if it is taken.", min=1, max=65535)]
Uploads = Annotated[str | None, typer.Option(metavar="FOLDER", help="The folder that documents may be added to.")]
Host = Annotated[
    str, typer.Option(metavar="ADDRESS", help="Where to listen; for others too with --users or FOOTNOTE_TOKEN.")
]
Names = Annotated[
    list[str] | None, typer.Option("--name", help="A name that the server is opened by besides; repeatable.")
]
UsersFile = Annotated[
    str | None, typer.Option("--users", metavar="FILE", help="Who may log in; footnote users add makes the file.")
]
Log = Annotated[str | None, typer.Option(metavar="json", help="Write a line of JSON for each request and question.")]
