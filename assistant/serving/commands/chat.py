"""The command `footnote chat`."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from assistant.serving.progress import show_progress
from assistant.showing.terminal import to_plain
from index.settings import Settings, read_path


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
    log: Annotated[
        str | None, typer.Option(metavar="json", help="Write a line of JSON for each request and question.")
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
    open_chat(served, entrance, port=port, browser=has_desktop() if browser is None else browser, log=log)


def has_desktop() -> bool:
    """Whether who started this sits before a desktop on which a browser can be opened."""
    if os.environ.get("SSH_CONNECTION"):
        return False
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
