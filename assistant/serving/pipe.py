"""The tools over standard input and output, for the program that starts this: an agent's messages come in by lines.

The protocol begins at once; what is answered from is opened when the agent has said that it is ready, and the folders
are followed from then on. Standard output carries the protocol alone.

But: it ends within a moment, and what is being read just then is cut off, as by the process's being killed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage
from mcp.types import JSONRPCError, NotificationParams

from assistant.serving import STOPPED
from assistant.serving.answering import Answering
from assistant.serving.lines import Lines
from assistant.serving.progress import show_progress
from assistant.serving.served import Served, open_served
from assistant.serving.tool_server import make_server
from assistant.showing.terminal import to_plain
from index.errors import FootnoteError
from index.settings import Settings
from index.watching import watch

CLOSING_SECONDS = 1.5  # that may pass until the process ends; clients wait for two


class Opening:
    """What is answered from, opened once, when first asked for; again where that failed."""

    def __init__(self, folders: Sequence[Path], settings: Settings) -> None:
        self._folders = folders
        self._settings = settings
        self._answering = Answering()
        self._task: asyncio.Task[Served] | None = None
        self._served: Served | None = None

    async def open(self) -> Served:
        """Give it when it is open. Raises FootnoteError where it cannot be."""
        return await asyncio.shield(self.begin())

    def begin(self) -> asyncio.Task[Served]:
        """Begin to open it."""
        if self._task is None or (self._task.done() and self._task.exception()):
            self._task = asyncio.create_task(self._answering.run(self._open))
            self._task.add_done_callback(_tell_failure)
        return self._task

    def close(self) -> None:
        """Follow the folders no longer."""
        if self._served:
            self._served.close()

    def _open(self) -> Served:
        served = self._served = show_progress(open_served(self._folders, self._settings))
        for library in served.libraries.values():
            if library.store.is_read_only:
                print(to_plain(library.store.explain_read_only()), file=sys.stderr)
            watch(library)
        return served


def serve(folders: Sequence[Path], settings: Settings) -> None:
    """Answer until the input ends, or a signal comes; then the process has ended."""
    opening = Opening(folders, settings)
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(opening))
    _leave(opening, 0)


async def _serve(opening: Opening) -> None:
    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError):  # Windows has none, and ends the process itself
        for number in (signal.SIGINT, signal.SIGTERM):
            # What waits for a line cannot be waited for.
            loop.add_signal_handler(number, _leave, opening, 128 + number)
    server = make_server(opening.open)

    async def begin(_: object, __: NotificationParams | None) -> None:
        opening.begin()

    server.add_notification_handler("notifications/initialized", NotificationParams, begin)
    answers: list[Any] = []  # where they go, as soon as that is open

    async def refuse(refusal: JSONRPCError) -> None:
        await answers[0].send(SessionMessage(refusal))

    lines: Any = Lines(_take_input(), refuse)
    try:
        async with stdio_server(lines) as (messages, replies):
            answers.append(replies)
            await server.run(messages, replies, server.create_initialization_options())
    except* ConnectionError:
        pass  # who started this has gone


def _take_input() -> BinaryIO:
    """Standard input, for us alone: whatever this process starts, or runs, finds it empty."""
    own = os.dup(0)
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    return os.fdopen(own, "rb", closefd=False)  # a thread may wait for a line to the very end


def _leave(opening: Opening, code: int) -> None:
    """End the process, whatever is still under way in it."""
    if code == 128 + signal.SIGINT:
        print(STOPPED, file=sys.stderr)
    closing = threading.Thread(target=opening.close, daemon=True)
    closing.start()
    closing.join(CLOSING_SECONDS)
    os._exit(code)


def _tell_failure(task: asyncio.Task[Served]) -> None:
    if task.cancelled():
        return
    error = task.exception()
    if isinstance(error, FootnoteError):
        print(f"footnote: {to_plain(str(error))}", file=sys.stderr)
