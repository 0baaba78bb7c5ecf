"""Other processes that sync the same folder into the same store, and what became of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from tempfile import TemporaryFile
from typing import IO

import typer

from index.settings import Settings

LAST_SECONDS = 30.0  # that a worker may take to end, once the store equals the folder


@contextmanager
def working_beside(folder: str, count: int, *, anew: bool, checksum: bool) -> Iterator[None]:
    """Have so many other workers sync a folder too, until the body has come to its end, and say which have failed.

    Raises typer.BadParameter where the store is one that a single process writes.
    """
    if not count:
        yield
        return
    if not Settings.from_environment().chroma_url:
        raise typer.BadParameter(
            "Several workers need a store on a Chroma server: set FOOTNOTE_CHROMA_URL, or leave out --workers."
        )
    if anew:
        raise typer.BadParameter("The store is made anew by one worker: leave out --workers, or --anew.")
    command = [sys.executable, "-m", "assistant", "sync", folder, *(["--checksum"] if checksum else [])]
    with ExitStack() as held:
        told = [held.enter_context(TemporaryFile()) for _ in range(count)]  # a pipe would fill, and hold them up
        workers = [
            subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=file) for file in told
        ]
        try:
            yield
            for number, (worker, file) in enumerate(zip(workers, told, strict=True), 2):
                _tell_failure(number, worker, file)
        finally:
            for worker in workers:
                worker.terminate()
                worker.wait()


def _tell_failure(number: int, worker: subprocess.Popen[bytes], told: IO[bytes]) -> None:
    """Wait for a worker that has nothing to do any more, and say why it failed where it did; others did its work."""
    try:
        worker.wait(timeout=LAST_SECONDS)
    except subprocess.TimeoutExpired:
        return
    if worker.returncode not in (0, 3):
        told.seek(max(0, told.seek(0, os.SEEK_END) - 2000))
        lines = told.read().decode(errors="replace").strip().splitlines()
        why = lines[-1] if lines else f"exit code {worker.returncode}"
        print(f"Worker {number} ended early ({why}): the others have done its work.", file=sys.stderr)
