"""Loads files in a process that can be killed: no file can crash, hang or swell the one that syncs.

with Loader() as loader:
    document = loader.load(file, path)

Whatever looks into a file's bytes does it in the child, which the first file starts and later ones find running.
The child gives back data, never code: some JSON, then the text; both are checked, since a file may have taken it over.
So it does for each file within the file. One of those that ends the child is left out when the file is loaded again.

But: on Windows and macOS nothing bounds the child's memory, only its time.
"""

from __future__ import annotations

import json
import math
import os
import queue
import re
import signal
import struct
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from encodings.aliases import aliases
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from index.documents import Document, identify
from index.loading.formats.blocks import MOST_CHARACTERS, MOST_PAGES, UNSHOWN
from index.loading.formats.enclosed import LONGEST_NAME_CHARACTERS, MOST_FILES, watching
from index.loading.loader import TITLE_CHARACTERS, UNREAD_CHARACTERS, UnreadableError, load, load_long

TIMEOUT_SECONDS = 60.0
MEMORY_BYTES = 1536 * 1024**2

# Of the JSON and of the text, in bytes, and how many such pairs follow, one for each file within the file. Without JSON
# it is no reply: the text's length is then the number of the file within the file that the child begins with.
_HEAD = struct.Struct(">III")
_MOST_FIELD_BYTES = 1_000_000  # of one document
_MOST_FIELDS_BYTES = 16_000_000  # of a file's documents together
_TOO_MUCH = "needs too much memory"
_MOST_OMITTED = 4  # files within a file that are left out one by one, before all are
_SLOWEST_BYTES = 10_000_000  # of a long text, that are read in a second
# Python calls these encodings, and they are none of texts.
_NO_TEXTS = frozenset("base64_codec bz2_codec hex_codec quopri_codec rot_13 uu_codec zlib_codec".split())
_WATCH_SECONDS = 0.05  # between two looks at the clock
_GRACE_SECONDS = 5  # after which a child whose parent has forgotten it ends by itself
_COMMAND = (
    "import sys; sys.path.insert(0, sys.argv[1]); from index.loading.worker import serve; serve(float(sys.argv[2]))"
)


@dataclass(slots=True)
class _Deadline:
    """The moment by which a reply must have come, by the monotonic clock; is_over: it came, and the reply had not."""

    moment: float
    is_over: bool = False


class _EndedError(UnreadableError):
    """The child did not survive a file, or was not left to."""


class Loader:
    """Loads one file after another, each within limits; for one thread at a time.

    timeout_seconds: for one file.
    memory_bytes: that the child may hold, its libraries included.
    """

    _command = _COMMAND  # what the child runs

    def __init__(self, timeout_seconds: float = TIMEOUT_SECONDS, memory_bytes: int = MEMORY_BYTES) -> None:
        self.timeout_seconds = timeout_seconds
        self.memory_bytes = memory_bytes
        self._child: subprocess.Popen[bytes] | None = None
        self._deadline = _Deadline(math.inf)
        self._expected: dict[str, Any] | None = None  # what the child is already at
        self._within: int | None = None  # the file within the file that the child is at; None before the first of them

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
        return self._load(self._describe(file, path))[0]

    def load_long(self, file: Path, path: str, size_bytes: int) -> tuple[Document, str]:
        """Load one file of a size as `loader.load_long` does; the larger, the longer it may take."""
        return self._load(self._describe(file, path, size_bytes))

    def expect(self, file: Path, path: str, size_bytes: int | None = None) -> None:
        """Have the child, where it runs, begin with the file that is loaded next: a long one where a size is given."""
        if self._child is not None and self._expected is None:
            self._expected = self._describe(file, path, size_bytes)
            _send(self._child, self._expected)

    def _describe(self, file: Path, path: str, size_bytes: int | None = None) -> dict[str, Any]:
        seconds = self.timeout_seconds + (size_bytes or 0) / _SLOWEST_BYTES
        place = os.fspath(file.absolute())
        return {"file": place, "path": path, "is_long": size_bytes is not None, "seconds": seconds, "omitted": []}

    def _load(self, request: dict[str, Any]) -> tuple[Document, str]:
        """Load a file, if need be without what lies in it that its reader does not survive."""
        until = time.monotonic() + 2 * request["seconds"]
        while True:
            try:
                return self._load_once(request)
            except _EndedError:
                if self._within is None or request["omitted"] is None:
                    raise
                omitted = [*request["omitted"], self._within]
                # Beside them, the file itself may have been too much.
                omits_all = not self._within or len(omitted) > _MOST_OMITTED or time.monotonic() > until
                request = {**request, "omitted": None if omits_all else omitted}

    def _load_once(self, request: dict[str, Any]) -> tuple[Document, str]:
        # A child that has died gets a second try, since the file may not be to blame; a slow one does not.
        for _ in range(2):
            reply = self._ask(request)
            if reply is not None:
                break
        else:
            raise _EndedError("damaged, or needs too much memory (its reader crashed)")
        try:
            (first, text), *enclosed = reply
            fields = json.loads(first)
            if fields.get("ends"):
                self.close()
            if fields.get("reason") == _TOO_MUCH:
                raise _EndedError(_TOO_MUCH)
            return _understand(request["path"], fields, text.decode(), enclosed)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            # No reader says such things: what speaks is the file, and nothing more is asked of this child.
            self.close()
            raise UnreadableError("damaged (its reader gave no sense)") from error

    def close(self) -> None:
        """End the child, whatever it does."""
        child, self._child, self._expected = self._child, None, None
        if child is not None:
            child.kill()
            for pipe in (child.stdin, child.stdout):
                if pipe is not None:
                    with suppress(OSError):  # what is left unwritten to a child that has died
                        pipe.close()
            child.wait()

    def _ask(self, request: dict[str, Any]) -> list[tuple[bytes, bytes]] | None:
        """The child's reply, or None where it died."""
        self._within = None
        if self._expected not in (None, request):
            self.close()  # its next reply is about another file
        child = self._child
        if child is None:
            child = self._child = self._start()
            threading.Thread(target=self._watch, args=(child,), daemon=True).start()
        assert child.stdout is not None
        deadline = self._deadline = _Deadline(time.monotonic() + request["seconds"])
        try:
            if self._expected is None:
                _send(child, request)
            reply = self._receive(child.stdout)
            self._expected = None
        except BaseException:
            # Interrupted half-way, the child's next reply would be that to another question.
            self.close()
            raise
        finally:
            self._deadline = _Deadline(math.inf)
        if reply is None:
            self.close()
            if deadline.is_over:
                raise _EndedError("took too long")
        return reply

    def _receive(self, pipe: IO[bytes]) -> list[tuple[bytes, bytes]] | None:
        """The parts of a reply, each in two; None where it breaks off, or says that it is larger than any."""
        parts: list[tuple[bytes, bytes]] = []
        following, field_room, text_room = 1, _MOST_FIELDS_BYTES, 4 * MOST_CHARACTERS
        while len(parts) < following:
            head = pipe.read(_HEAD.size)
            if len(head) < _HEAD.size:
                return None
            field_bytes, text_bytes, enclosed = _HEAD.unpack(head)
            if not field_bytes:
                self._within = text_bytes
                continue
            following = following if parts else 1 + enclosed
            field_room, text_room = field_room - field_bytes, text_room - text_bytes
            if field_bytes > _MOST_FIELD_BYTES or min(field_room, text_room) < 0 or following > 1 + MOST_FILES:
                return None
            parts.append((pipe.read(field_bytes), pipe.read(text_bytes)))
            if len(parts[-1][1]) < text_bytes:
                return None
        return parts

    def _watch(self, child: subprocess.Popen[bytes]) -> None:
        """Kill the child when the time for a file is over. One thread for all files, since many are small."""
        while child.returncode is None:
            time.sleep(_WATCH_SECONDS)
            deadline = self._deadline
            if time.monotonic() > deadline.moment:
                deadline.is_over = True
                child.kill()
                return

    def _start(self) -> subprocess.Popen[bytes]:
        root = str(Path(__file__).resolve().parents[2])
        return subprocess.Popen(
            [sys.executable, "-c", self._command, root, str(self.memory_bytes)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            # A Ctrl-C at the terminal is for the parent, which then ends the child.
            process_group=0 if os.name == "posix" else None,
        )


def _send(child: subprocess.Popen[bytes], request: dict[str, Any]) -> None:
    assert child.stdin is not None
    with suppress(BrokenPipeError):  # of one that has died: its reply tells
        child.stdin.write(json.dumps(request).encode("ascii") + b"\n")
        child.stdin.flush()


def _understand(
    path: str, fields: dict[str, Any], text: str, enclosed: list[tuple[bytes, bytes]]
) -> tuple[Document, str]:
    """The document that a reply describes, and the encoding of a text that is too long for one.

    Raises UnreadableError with the reason that the reply gives, ValueError and others where it makes no sense.
    """
    if reason := fields.get("reason"):
        raise UnreadableError(_line(reason, 2 * UNREAD_CHARACTERS))
    document, encoding = _to_document(path, fields, text), fields["encoding"]
    inside: dict[str, Document] = {}
    for part, words in enclosed:
        inner = json.loads(part)
        name = _line(inner["name"], 2 * LONGEST_NAME_CHARACTERS)
        if name in inside or not all(step.strip(".") for step in name.split("/")):
            raise ValueError(name)
        inside[name] = _to_document(f"{path}/{name}", inner, words.decode())
    if not (encoding == "" or _is_encoding(encoding)):
        raise ValueError(path)
    return replace(document, enclosed=tuple(inside.values())), encoding


def _to_document(path: str, fields: dict[str, Any], text: str) -> Document:
    """The document that some fields and a text describe. Raises ValueError and others where they make no sense."""
    pages, date = fields["pages"], fields["date"]
    document = Document(
        id=identify(path),
        path=path,
        title=stem if fields["title"] == (stem := Path(path).stem) else _line(fields["title"], TITLE_CHARACTERS),
        date=None if date is None else _line(date, 10),
        text=text,
        pages=tuple(pages),
        content_hash=_line(fields["content_hash"], 64),
        unread=_line(fields["unread"], UNREAD_CHARACTERS),
    )
    if (
        "\x00" in text
        or len(pages) > MOST_PAGES
        or not all(type(page) is int and 0 <= page <= len(text) for page in pages)
        or sorted(pages) != pages
        or not (document.date is None or re.fullmatch(r"\d{4}-\d\d-\d\d", document.date))
        or not re.fullmatch(r"[0-9a-f]{64}", document.content_hash)
    ):
        raise ValueError(path)
    return document


def _line(value: Any, most_characters: int) -> str:
    """A text that may be shown. Raises ValueError where it is none, or too long."""
    if not isinstance(value, str) or len(value) > most_characters or UNSHOWN.search(value):
        raise ValueError(value)
    return value


def _is_encoding(name: Any) -> bool:
    """Whether a name is that of an encoding of text, whose decoder takes no more time and room than it is given."""
    return isinstance(name, str) and (plain := name.replace("-", "_")) in aliases.values() and plain not in _NO_TEXTS


# -- the child --------------------------------------------------------------------------------


def serve(memory_bytes: float) -> None:
    """Load the files that the parent names on standard input, until it closes that or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What libraries print must not mix with replies.
    replies = os.fdopen(os.dup(1), "wb")
    with Path(os.devnull).open("wb") as nothing:
        os.dup2(nothing.fileno(), 1)
    _limit_memory(int(memory_bytes))

    def send(fields: dict[str, Any], text: bytes, following: int) -> None:
        head = json.dumps(fields).encode("ascii")
        for part in (_HEAD.pack(len(head), len(text), following), head, text):
            replies.write(part)

    def tell(number: int) -> None:
        replies.write(_HEAD.pack(0, number, 0))
        replies.flush()

    requests: queue.Queue[bytes] = queue.Queue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    while True:
        request = json.loads(requests.get())
        _set_alarm(request["seconds"] + _GRACE_SECONDS)
        with watching(request["omitted"], tell):
            fields, text, enclosed = _load_within_limits(Path(request["file"]), request["path"], request["is_long"])
        _set_alarm(0)  # the parent may be busy with the file before, and take the reply later
        # A process that has swollen would leave less to the next file.
        fields["ends"] = fields["ends"] or _peak_bytes() > memory_bytes / 2
        send(fields, text, len(enclosed))
        for inner in enclosed:
            send({"name": inner.path.removeprefix(f"{request['path']}/"), **_describe(inner)}, inner.text.encode(), 0)
        replies.flush()
        if fields["ends"]:
            os._exit(0)


def _listen(requests: queue.Queue[bytes]) -> None:
    """Hand on what the parent asks, and end with it, even in the middle of a file."""
    for line in sys.stdin.buffer:
        requests.put(line)
    os._exit(0)


def _load_within_limits(file: Path, path: str, is_long: bool) -> tuple[dict[str, Any], bytes, tuple[Document, ...]]:
    try:
        document, encoding = load_long(file, path) if is_long else (load(file, path), "")
        text = document.text.encode()
    except UnreadableError as error:
        return {"reason": str(error), "ends": False}, b"", ()
    except MemoryError:
        return {"reason": _TOO_MUCH, "ends": True}, b"", ()
    except RecursionError:
        return {"reason": "damaged (nested too deep)", "ends": False}, b"", ()
    except Exception as error:
        # A reader met what its author did not think of: its neighbours must not suffer, and the user must hear of it.
        return {"reason": f"damaged ({type(error).__name__} in its reader)", "ends": False}, b"", ()
    return {**_describe(document), "encoding": encoding, "ends": False}, text, document.enclosed


def _describe(document: Document) -> dict[str, Any]:
    return {
        "title": document.title,
        "date": document.date,
        "pages": document.pages,
        "content_hash": document.content_hash,
        "unread": document.unread,
    }


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
