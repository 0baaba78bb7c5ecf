"""A process that looks at files for this one, and can be killed: nothing that a file does to it reaches further.

    child = Child("index.viewing.pages")
    fields, body = child.ask({"do": "draw", ...}, seconds=15)

It is started by the first request, kept for those that follow, and ended when it has been idle for a minute, or has
taken too long. What it replies is data: some JSON, and bytes; whoever asked checks what they say.

But: on Windows and macOS nothing bounds its memory, only its time.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from index.loading.worker import MEMORY_BYTES, limit_memory, peak_bytes, set_alarm

IDLE_SECONDS = 60.0
_HEAD = struct.Struct(">II")  # the lengths of the JSON and of what follows it
_MOST_FIELD_BYTES = 8_000_000
_MOST_BODY_BYTES = 64_000_000
_WAIT_SECONDS = 10.0  # for those that ask before
_MOST_WAITING = 12
_GRACE_SECONDS = 5  # after which a child whose parent has forgotten it ends by itself
_COMMAND = (
    "import sys; from importlib import import_module; sys.path.insert(0, sys.argv[1]); "
    "from index.viewing.child import serve; "
    "serve(import_module(sys.argv[2]).answer, float(sys.argv[3]))"
)

Answer = Callable[[dict[str, Any]], tuple[dict[str, Any], bytes]]


class ChildError(Exception):
    """The child has given no answer that makes sense: the file ended it, or took too much time or memory."""


class BusyError(Exception):
    """Too many ask at once; try again in a moment."""


class Child:
    """The process. module: whose function `answer` is run in it. For any number of threads."""

    def __init__(self, module: str, memory_bytes: int = MEMORY_BYTES, idle_seconds: float = IDLE_SECONDS) -> None:
        self._module = module
        self._memory_bytes = memory_bytes
        self._idle_seconds = idle_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._idle: threading.Timer | None = None
        self._turn = threading.Lock()
        self._room = threading.BoundedSemaphore(_MOST_WAITING)

    def ask(
        self, request: dict[str, Any], seconds: float, wait_seconds: float = _WAIT_SECONDS
    ) -> tuple[dict[str, Any], bytes]:
        """What the child answers within some seconds. Raises ChildError, and BusyError where others ask for too long.

        wait_seconds: for the others.
        """
        if not self._room.acquire(blocking=False):
            raise BusyError
        try:
            if not self._turn.acquire(timeout=wait_seconds):
                raise BusyError
            try:
                return self._ask(request, seconds)
            finally:
                self._turn.release()
        finally:
            self._room.release()

    def close(self) -> None:
        """End the process, whatever it does."""
        if process := self._process:
            process.kill()  # so that who waits for it waits no longer
        with self._turn:
            self._end()

    def _end(self) -> None:
        if self._idle:
            self._idle.cancel()
        process, self._process = self._process, None
        if process:
            process.kill()
            with suppress(BrokenPipeError):
                process.communicate()  # closes its pipes

    def _ask(self, request: dict[str, Any], seconds: float) -> tuple[dict[str, Any], bytes]:
        if self._idle:
            self._idle.cancel()
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._process = self._start()
        process = self._process
        assert process.stdin is not None
        deadline = threading.Timer(seconds, process.kill)
        deadline.daemon = True
        deadline.start()
        try:
            with suppress(BrokenPipeError):  # of one that has died: its reply tells
                process.stdin.write(json.dumps({**request, "seconds": seconds}).encode("ascii") + b"\n")
                process.stdin.flush()
            fields, body = _receive(process)
        except BaseException:
            # Its next reply would be that to another question.
            self._end()
            raise
        finally:
            deadline.cancel()
        if fields.get("ends"):
            self._end()
        else:
            self._idle = threading.Timer(self._idle_seconds, self._end_idle)
            self._idle.daemon = True
            self._idle.start()
        return fields, body

    def _end_idle(self) -> None:
        if self._turn.acquire(blocking=False):  # else it is not idle
            try:
                self._end()
            finally:
                self._turn.release()

    def _start(self) -> subprocess.Popen[bytes]:
        root = str(Path(__file__).resolve().parents[2])
        return subprocess.Popen(
            [sys.executable, "-c", _COMMAND, root, self._module, str(self._memory_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # A Ctrl-C at the terminal is for the parent, which then ends the child.
            process_group=0 if os.name == "posix" else None,
        )


def _receive(process: subprocess.Popen[bytes]) -> tuple[dict[str, Any], bytes]:
    """The parts of a reply. Raises ChildError where it breaks off, or is no reply."""
    assert process.stdout is not None
    head = process.stdout.read(_HEAD.size)
    if len(head) < _HEAD.size:
        raise ChildError
    field_bytes, body_bytes = _HEAD.unpack(head)
    if field_bytes > _MOST_FIELD_BYTES or body_bytes > _MOST_BODY_BYTES:
        raise ChildError
    said, body = process.stdout.read(field_bytes), process.stdout.read(body_bytes)
    try:
        fields = json.loads(said)
    except (ValueError, RecursionError) as error:
        raise ChildError from error
    if not isinstance(fields, dict) or len(body) < body_bytes:
        raise ChildError
    return fields, body


# -- the child --------------------------------------------------------------------------------


def serve(answer: Answer, memory_bytes: float) -> None:
    """Answer what the parent asks on standard input, until it closes that or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What libraries print must not mix with replies.
    replies = os.fdopen(os.dup(1), "wb")
    with Path(os.devnull).open("wb") as nothing:
        os.dup2(nothing.fileno(), 1)
    limit_memory(int(memory_bytes))
    requests: queue.Queue[bytes] = queue.Queue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    while True:
        request = json.loads(requests.get())
        set_alarm(request["seconds"] + _GRACE_SECONDS)
        fields, body = answer(request)
        set_alarm(0)
        # A process that has swollen would leave less to the next file.
        fields["ends"] = peak_bytes() > memory_bytes / 2
        head = json.dumps(fields).encode("ascii")
        for part in (_HEAD.pack(len(head), len(body)), head, body):
            replies.write(part)
        replies.flush()
        if fields["ends"]:
            os._exit(0)


def _listen(requests: queue.Queue[bytes]) -> None:
    """Hand on what the parent asks, and end with it, even in the middle of a file."""
    for line in sys.stdin.buffer:
        requests.put(line)
    os._exit(0)
