"""The command `footnote chat`."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from assistant.serving.commands import Folders, Host, Log, Names, Port, Uploads, UsersFile
from assistant.serving.commands.opening import open_libraries, open_way_in


def chat(
    folders: Folders = None,
    port: Port = 7860,
    browser: Annotated[
        bool | None,
        typer.Option("--browser/--no-browser", help="Open the page in the browser; by default on a desktop."),
    ] = None,
    uploads: Uploads = None,
    host: Host = "127.0.0.1",
    name: Names = None,
    users: UsersFile = None,
    log: Log = None,
) -> None:
    """Open the chat over one or several folders in the browser."""
    entrance = open_way_in(host, name, users)
    served = open_libraries(folders, uploads, entrance)

    from assistant.serving.chat import open_chat

    open_chat(served, entrance, port=port, browser=has_desktop() if browser is None else browser, log=log)


def has_desktop() -> bool:
    """Whether who started this sits before a desktop on which a browser can be opened."""
    if os.environ.get("SSH_CONNECTION"):
        return False
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
