"""What a user who waits is told, on standard error: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from assistant.showing.terminal import to_plain

if TYPE_CHECKING:
    from index.documents import Progress

SECONDS_BETWEEN_LINES = 2.0

Result = TypeVar("Result")


def show_progress(walk: Generator[Progress, None, Result]) -> Result:
    """Run a walk to its end, telling how far it is, and give its result."""
    with tell() as told:
        while True:
            try:
                told(next(walk))
            except StopIteration as end:
                result: Result = end.value
                return result


@contextmanager
def tell(unit: str = "bytes") -> Iterator[Callable[[Progress], None]]:
    """A function that shows one Progress after another; unit: what most of them are counted in."""
    if sys.stderr.isatty():
        with _bar(unit) as told:
            yield told
    else:
        yield _lines()


@contextmanager
def _bar(unit: str) -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )
    from rich.progress import Progress as Bars
    from rich.table import Column

    amounts: tuple[type[ProgressColumn], ...] = (
        (DownloadColumn, TransferSpeedColumn) if unit == "bytes" else (MofNCompleteColumn,)
    )
    # The figures keep their room; the name of the file in hand has what is left of the line.
    columns = (
        BarColumn(bar_width=20),
        *(column(table_column=Column(no_wrap=True)) for column in amounts),
        TimeRemainingColumn(table_column=Column(no_wrap=True)),
        TextColumn("{task.description}", table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
    )
    # The terminal knows its width; what draws the bar would believe any that the environment tells.
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    console = Console(stderr=True, _environ=environment)
    with Bars(*columns, console=console, transient=True, expand=True) as bars:
        task = bars.add_task("", total=None, visible=False)

        def told(progress: Progress) -> None:
            if progress.total:
                bars.update(
                    task,
                    completed=progress.done,
                    total=progress.total,
                    description=escape(to_plain(progress.message)),
                    visible=True,
                )
            else:
                bars.console.print(escape(to_plain(progress.message)), highlight=False)

        yield told


def _lines() -> Callable[[Progress], None]:
    started = last = 0.0

    def told(progress: Progress) -> None:
        nonlocal started, last
        now = time.monotonic()
        if not started:
            started = last = now
        # A line now and then, and the last one; of what is quickly done, none.
        ended = progress.done == progress.total and last > started
        if progress.total and not ended and now - last < SECONDS_BETWEEN_LINES:
            return
        last = now
        print(_line(progress, now - started), file=sys.stderr, flush=True)

    return told


def _line(progress: Progress, seconds: float) -> str:
    if not progress.total:
        return to_plain(progress.message)
    rate = progress.done / seconds if seconds else 0.0
    left = f", {(progress.total - progress.done) / rate:.0f} s left" if rate and progress.done < progress.total else ""
    share = progress.done / progress.total
    amount = (
        f"{rate / 1e6:.2f} MB/s" if progress.unit == "bytes" else f"{progress.done} of {progress.total} {progress.unit}"
    )
    return f"{share:4.0%}, {amount}{left}: {to_plain(progress.message)}"
