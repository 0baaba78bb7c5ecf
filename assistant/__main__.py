"""The command `footnote` from its first moment on: an interruption is told in one sentence, also while it loads.

It sees to its standard streams as well: what cannot be written is told, wherever it comes from.

But: until Python has started and come here, a Ctrl-C is Python's to tell.
"""

from __future__ import annotations

import errno
import io
import os
import signal
import sys

from assistant.serving import INTERRUPTED, STOPPED

# Nothing that takes long to import stands here: before `main` runs, nothing listens for a Ctrl-C.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

READER_GONE = 141  # what a shell gives for any program whose reader has left
TERMINATED = 143  # and for one that was asked to end


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command, and end the process with its exit code."""
    was_interrupted = False

    def interrupt(*_: object) -> None:
        nonlocal was_interrupted
        was_interrupted = True
        signal.signal(signal.SIGINT, _leave)  # a second time, nothing is waited for
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, _leave)
    if os.getpid() == 1:  # a container's first process, which no signal ends that it does not listen to
        signal.signal(signal.SIGTERM, _end)
    sys.unraisablehook = _hear
    _open_streams()
    try:
        from assistant.serving.command_line import command

        signal.signal(signal.SIGINT, interrupt)
        command(arguments)
    except BaseException as error:
        # A library may have made another error of the interruption.
        is_told = isinstance(error, SystemExit) and error.code in (None, 0, INTERRUPTED)
        if is_told or not was_interrupted:
            raise
        _leave()
    finally:
        signal.signal(signal.SIGINT, _leave)


def _leave(*_: object) -> None:
    try:
        os.write(2, f"{STOPPED}\n".encode())
    finally:
        os._exit(INTERRUPTED)


def _end(*_: object) -> None:
    os._exit(TERMINATED)


def _hear(unraisable: Any) -> None:
    """Leave also where Python can tell nobody of an interruption, as while it clears things away."""
    if unraisable.exc_type is KeyboardInterrupt:
        _leave()
    sys.__unraisablehook__(unraisable)


# -- the standard streams ---------------------------------------------------------------------


class _Output(io.FileIO):
    """Standard output: when it cannot be written, the command ends, and says so unless its reader left on purpose."""

    is_broken = False

    def write(self, data: Any, /) -> int:
        try:
            return len(data) if self.is_broken else super().write(data)
        except OSError as error:
            # What is still held back has no use either, and would be tried again at the end.
            self.is_broken = True
            if error.errno == errno.EPIPE:
                raise SystemExit(READER_GONE) from None
            from index.errors import FootnoteError

            raise FootnoteError(
                f"The output cannot be written ({error.strerror}): see where it goes, then ask again."
            ) from error


class _Errors(io.FileIO):
    """Standard error: a command goes on where nobody can be told of it."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except OSError:
            return len(data)


def _open_streams() -> None:
    # What a process is started without would be the next file that it opens: a store, with our words in it. A closed
    # output becomes one that cannot be written.
    for descriptor, mode in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, mode)
    sys.stdout = _to_text(_Output(1, "w", closefd=False), sys.stdout)
    sys.stderr = _to_text(_Errors(2, "w", closefd=False), sys.stderr)


def _to_text(raw: io.FileIO, before: Any) -> io.TextIOWrapper:
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=getattr(before, "encoding", "utf-8"),
        errors="backslashreplace",
        line_buffering=raw.fileno() == 2 or raw.isatty(),
    )


if __name__ == "__main__":
    main()
