"""Loads files in a process that can be killed: no file can crash, hang or swell the one that syncs.

with Loader() as loader:
    document = loader.load(file, path)

Plain text is loaded at once; only a file that needs a reader starts the child, and later ones find it running.
The child gives back data, never code: a line of JSON, then the text.

But: on Windows and macOS nothing bounds the child's memory, only its time.
"""

from __future__ import annotations

import json
import os
import queue
import re
import signal
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from index.documents import Document, identify
from index.loader import UnreadableError, is_plain, load

TIMEOUT_SECONDS = 60.0
MEMORY_BYTES = 1536 * 1024**2

_LENGTHS = struct.Struct(">II")  # of the JSON and of the text, in bytes
_GRACE_SECONDS = 5  # after which a child whose parent has forgotten it ends by itself
_COMMAND = (
    "import sys; sys.path.insert(0, sys.argv[1]); from index.worker import serve; serve(*map(float, sys.argv[2:]))"
)


class Loader:
    """Loads one file after another, each within limits; for one thread at a time.

    timeout_seconds: for one file.
    memory_bytes: that the child may hold, its libraries included.
    """

    def __init__(self, timeout_seconds: float = TIMEOUT_SECONDS, memory_bytes: int = MEMORY_BYTES) -> None:
        self.timeout_seconds = timeout_seconds
        self.memory_bytes = memory_bytes
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def load(self, file: Path, path: str) -> Document:
        """Load one file as `loader.load` does.

        Raises UnreadableError, whose reasons are here also "took too long" and "needs too much memory".
        """
        if is_plain(file, path):
            return load(file, path)
        # A child that has died gets a second try, since the file may not be to blame; a slow one does not.
        for _ in range(2):
            reply = self._ask(file, path)
            if reply is not None:
                break
        else:
            raise UnreadableError("damaged, or needs too much memory (its reader crashed)")
        fields, text = reply
        if reason := fields.get("reason"):
            raise UnreadableError(str(reason))
        return Document(
            id=identify(path),
            path=path,
            title=str(fields["title"]),
            date=None if fields["date"] is None else str(fields["date"]),
            text=text,
            pages=tuple(map(int, fields["pages"])),
            content_hash=str(fields["content_hash"]),
        )

    def close(self) -> None:
        """End the child, whatever it does."""
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    with suppress(OSError):  # what is left unwritten to a child that has died
                        pipe.close()
            child.wait()

    def _ask(self, file: Path, path: str) -> tuple[dict[str, Any], str] | None:
        """The child's reply, or None where it died."""
        child = self._child = self._child or self._start()
        assert child.stdin is not None
        assert child.stdout is not None
        timed_out = threading.Event()

        def end() -> None:
            timed_out.set()
            child.kill()

        timer = threading.Timer(self.timeout_seconds, end)
        timer.daemon = True
        timer.start()
        try:
            request = json.dumps({"file": os.fspath(file.absolute()), "path": path})
            with suppress(BrokenPipeError):
                child.stdin.write(request.encode("ascii") + b"\n")
                child.stdin.flush()
            reply = _receive(child.stdout)
        except BaseException:
            # Interrupted half-way, the child's next reply would be that to another question.
            self.close()
            raise
        finally:
            timer.cancel()
        if reply is None:
            self.close()
            if timed_out.is_set():
                raise UnreadableError("took too long")
        elif reply[0].get("ends"):
            self.close()
        return reply

    def _start(self) -> subprocess.Popen[bytes]:
        root = str(Path(__file__).resolve().parent.parent)
        return subprocess.Popen(
            [sys.executable, "-c", _COMMAND, root, str(self.timeout_seconds), str(self.memory_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # A Ctrl-C at the terminal is for the parent, which then ends the child.
            process_group=0 if os.name == "posix" else None,
        )


def _receive(pipe: IO[bytes]) -> tuple[dict[str, Any], str] | None:
    head = pipe.read(_LENGTHS.size)
    if len(head) < _LENGTHS.size:
        return None
    field_bytes, text_bytes = _LENGTHS.unpack(head)
    fields, text = pipe.read(field_bytes), pipe.read(text_bytes)
    if len(text) < text_bytes:
        return None
    return json.loads(fields), text.decode()


# -- the child --------------------------------------------------------------------------------


def serve(timeout_seconds: float, memory_bytes: float) -> None:
    """Load the files that the parent names on standard input, until it closes that or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What libraries print must not mix with replies.
    replies = os.fdopen(os.dup(1), "wb")
    with Path(os.devnull).open("wb") as nothing:
        os.dup2(nothing.fileno(), 1)
    _limit_memory(int(memory_bytes))
    requests: queue.Queue[bytes] = queue.Queue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    while True:
        request = json.loads(requests.get())
        _set_alarm(timeout_seconds + _GRACE_SECONDS)
        fields, text = _load_within_limits(Path(request["file"]), request["path"])
        # A process that has swollen would leave less to the next file.
        fields["ends"] = fields["ends"] or _peak_bytes() > memory_bytes / 2
        head = json.dumps(fields).encode("ascii")
        for part in (_LENGTHS.pack(len(head), len(text)), head, text):
            replies.write(part)
        replies.flush()
        _set_alarm(0)
        if fields["ends"]:
            os._exit(0)


def _listen(requests: queue.Queue[bytes]) -> None:
    """Hand on what the parent asks, and end with it, even in the middle of a file."""
    for line in sys.stdin.buffer:
        requests.put(line)
    os._exit(0)


def _load_within_limits(file: Path, path: str) -> tuple[dict[str, Any], bytes]:
    try:
        document = load(file, path)
        text = document.text.encode()
    except UnreadableError as error:
        return {"reason": str(error), "ends": False}, b""
    except MemoryError:
        return {"reason": "needs too much memory", "ends": True}, b""
    except RecursionError:
        return {"reason": "damaged (nested too deep)", "ends": False}, b""
    except Exception as error:
        # A reader met what its author did not think of: its neighbours must not suffer, and the user must hear of it.
        return {"reason": f"damaged ({type(error).__name__} in its reader)", "ends": False}, b""
    fields = {
        "title": document.title,
        "date": document.date,
        "pages": document.pages,
        "content_hash": document.content_hash,
        "ends": False,
    }
    return fields, text


def _set_alarm(seconds: float) -> None:
    """Have the system end this process, even where a library's loop lets no other thread run; 0 calls it off."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def _limit_memory(memory_bytes: int) -> None:
    if sys.platform == "linux":
        import resource

        # What is written to counts, not what libraries only reserve.
        resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _peak_bytes() -> int:
    """The most memory that this process has held; 0 where the system does not say."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    # The system's other account, ru_maxrss, begins with what the parent held.
    match = re.search(r"VmHWM:\s*(\d+) kB", status)
    return int(match[1]) * 1024 if match else 0
