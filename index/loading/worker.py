"""Loads files in a process that can be killed: no file can crash, hang or swell the one that syncs.

with Loader() as loader:
    document = loader.load(file, path)

Whatever looks into a file's bytes does it in the child, which the first file starts and later ones find running.
The child gives back data, never code: some JSON, then the text; both are checked, since a file may have taken it over.
So it does for each file within the file. One of those that ends the child is left out when the file is loaded again.
Before a picture is recognised in it, which takes seconds, the child asks; what it has recognised is kept by the parent.

But: on Windows and macOS nothing bounds the child's memory, only its time.
"""

from __future__ import annotations

import hashlib
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
from collections.abc import Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from encodings.aliases import aliases
from pathlib import Path
from types import TracebackType
from typing import IO, Any, BinaryIO, Self, TypeVar, cast

from index.documents import Document, identify
from index.loading.formats.blocks import MOST_CHARACTERS, MOST_PAGES, UNSHOWN
from index.loading.formats.enclosed import LONGEST_NAME_CHARACTERS, MOST_FILES, watching
from index.loading.formats.recognition import Line, WaitError, asking, check_lines, to_json
from index.loading.loader import TITLE_CHARACTERS, UNREAD_CHARACTERS, UnreadableError, load, load_long, open_file
from index.loading.recognised import Recognised

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
# What the child may say before its reply, and what the parent answers.
_ASKS, _TELLS = b'{"asks": ', b'{"lines": '
_WAIT, _RECOGNISE, _DAMAGED = "wait", "recognise", "damaged"
_MOST_ASKED = 100_000  # pages of a file, and of what lies in it
_MOST_FAILED = 20  # of them that take too much time or memory
_GRACE_SECONDS = 5  # after which a child whose parent has forgotten it ends by itself
_COMMAND = (
    "import sys; sys.path.insert(0, sys.argv[1]); from index.loading.worker import serve; serve(float(sys.argv[2]))"
)


_T = TypeVar("_T")


@dataclass(slots=True)
class _Deadline:
    """The moment by which a reply must have come, by the monotonic clock; is_over: it came, and the reply had not."""

    moment: float
    is_over: bool = False


_Reply = list[tuple[bytes, bytes]]  # what was said of a file and of each within it: JSON and text
_Walk = Generator[tuple[int, int], None, _T]  # tells of pages that are recognised, and gives something in the end


class _EndedError(UnreadableError):
    """The child did not survive a file, or was not left to."""


class Loader:
    """Loads one file after another, each within limits; for one thread at a time.

    timeout_seconds: for one file, or one page that is recognised.
    memory_bytes: that the child may hold, its libraries included.
    recognised: where pages that are recognised are kept; without it, as long as the loader.
    """

    _command = _COMMAND  # what the child runs

    def __init__(
        self,
        timeout_seconds: float = TIMEOUT_SECONDS,
        memory_bytes: int = MEMORY_BYTES,
        recognised: Recognised | None = None,
    ) -> None:
        self.timeout_seconds = timeout_seconds
        self.memory_bytes = memory_bytes
        self._recognised = recognised or Recognised()
        self._failed: set[str] = set()  # pages that took too much time or memory
        self._damaged: set[str] = set()
        self._page_seconds = 0.0  # that recognising has taken
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

    def load(self, file: Path, path: str, *, waits: bool = False) -> Document:
        """Load one file as `loader.load` does.

        waits: not to recognise pages, but to raise WaitError where there are any that are not known yet.

        Raises UnreadableError, whose reasons are here also "took too long" and "needs too much memory".
        """
        return _finish(self._load(self._describe(file, path), recognises=not waits))[0]

    def load_long(self, file: Path, path: str, size_bytes: int, *, waits: bool = False) -> tuple[Document, str]:
        """Load one file of a size as `loader.load_long` does; the larger, the longer it may take."""
        return _finish(self._load(self._describe(file, path, size_bytes), recognises=not waits))

    def recognise(self, file: Path, path: str, size_bytes: int | None = None) -> Iterator[tuple[int, int]]:
        """Recognise the pages of a file that are not known yet: before each, its number and the number of all.

        Raises UnreadableError.
        """
        yield from self._load(self._describe(file, path, size_bytes), recognises=True)

    def expect(self, file: Path, path: str, size_bytes: int | None = None) -> None:
        """Have the child, where it runs, begin with the file that is loaded next: a long one where a size is given."""
        if self._child is not None and self._expected is None:
            self._expected = self._describe(file, path, size_bytes)
            _send(self._child, self._expected)

    def _describe(self, file: Path, path: str, size_bytes: int | None = None) -> dict[str, Any]:
        seconds = self.timeout_seconds + (size_bytes or 0) / _SLOWEST_BYTES
        place = os.fspath(file.absolute())
        return {"file": place, "path": path, "is_long": size_bytes is not None, "seconds": seconds, "omitted": []}

    def _load(self, request: dict[str, Any], *, recognises: bool) -> _Walk[tuple[Document, str]]:
        """Load a file, if need be without what lies in it that its reader does not survive."""
        until = self._count_seconds() + 2 * request["seconds"]
        while True:
            try:
                return (yield from self._load_once(request, recognises=recognises))
            except _EndedError:
                if self._within is None or request["omitted"] is None:
                    raise
                omitted = [*request["omitted"], self._within]
                # Beside them, the file itself may have been too much.
                omits_all = not self._within or len(omitted) > _MOST_OMITTED or self._count_seconds() > until
                request = {**request, "omitted": None if omits_all else omitted}

    def _count_seconds(self) -> float:
        """The time by a clock that stands still while a page is recognised."""
        return time.monotonic() - self._page_seconds

    def _load_once(self, request: dict[str, Any], *, recognises: bool) -> _Walk[tuple[Document, str]]:
        # A child that has died gets a second try, since the file may not be to blame; a slow one does not.
        for _ in range(2):
            reply = yield from self._ask(request, recognises=recognises)
            if reply is not None:
                break
        else:
            raise _EndedError("damaged, or needs too much memory (its reader crashed)")
        try:
            (first, text), *enclosed = reply
            fields = json.loads(first)
            if fields.get("ends"):
                self.close()
            if fields.get("waits"):
                if recognises:
                    raise ValueError("waits")  # for nothing
                raise WaitError
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

    def _ask(self, request: dict[str, Any], *, recognises: bool) -> _Walk[_Reply | None]:
        """The child's reply, or None where it died. Where it does at a page, it is asked again, and leaves that out."""
        for _ in range(_MOST_FAILED):
            failed = len(self._failed)
            reply, is_late = yield from self._converse(request, recognises=recognises)
            if len(self._failed) == failed:
                break
            self.close()
        else:
            is_late = True
        if is_late:
            raise _EndedError("took too long")
        return reply

    def _converse(self, request: dict[str, Any], *, recognises: bool) -> _Walk[tuple[_Reply | None, bool]]:
        """The child's reply, or None where it died, and whether it did since it was late."""
        self._within = None
        if self._expected not in (None, request):
            self.close()  # its next reply is about another file
        child = self._child
        if child is None:
            child = self._child = self._start()
            threading.Thread(target=self._watch, args=(child,), daemon=True).start()
        assert child.stdout is not None
        deadline = self._deadline = _Deadline(time.monotonic() + request["seconds"])
        document, asked = "", 0
        try:
            if self._expected is None:
                _send(child, request)
            reply = self._receive(child.stdout)
            while reply is not None and reply[0][0].startswith(_ASKS):
                label, number, count = _understand_question(reply[0][0])
                document, asked = document or _hash(Path(request["file"])), asked + 1
                if asked > _MOST_ASKED:
                    raise ValueError(asked)
                name = self._recognised.name(document, label)
                answer = self._find_answer(name)
                if answer != _WAIT or not recognises:
                    _send(child, answer)
                    reply = self._receive(child.stdout)
                    continue
                self._deadline = _Deadline(math.inf)
                yield number, count
                begun = time.monotonic()
                deadline = self._deadline = _Deadline(begun + request["seconds"])
                self._failed.add(name)  # unless something is heard of it
                _send(child, _RECOGNISE)
                reply = self._receive(child.stdout)
                self._page_seconds += time.monotonic() - begun
                if reply is not None and reply[0][0].startswith(_TELLS):
                    self._keep(name, json.loads(reply[0][0])["lines"])
                    reply = self._receive(child.stdout)
            self._expected = None
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            self.close()
            raise UnreadableError("damaged (its reader gave no sense)") from error
        except BaseException:
            # Interrupted half-way, the child's next reply would be that to another question.
            self.close()
            raise
        finally:
            self._deadline = _Deadline(math.inf)
        if reply is None:
            self.close()
        return reply, reply is None and deadline.is_over

    def _find_answer(self, name: str) -> Any:
        """What is known of a page: its lines, that it is damaged, or nothing."""
        if name in self._damaged:
            return _DAMAGED
        lines = [] if name in self._failed else self._recognised.find(name)
        return _WAIT if lines is None else to_json(lines)

    def _keep(self, name: str, told: Any) -> None:
        """Keep what the child tells of a page. Raises ValueError where it makes no sense."""
        if told is None:
            self._damaged.add(name)
        else:
            self._recognised.keep(name, check_lines(told))
        self._failed.discard(name)

    def _receive(self, pipe: IO[bytes]) -> _Reply | None:
        """The parts of a reply, each in two; None where it breaks off, or says that it is larger than any."""
        parts: _Reply = []
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


def _finish(walk: _Walk[_T]) -> _T:
    """What a walk gives in the end."""
    try:
        while True:
            next(walk)
    except StopIteration as end:
        return cast(_T, end.value)


def _send(child: subprocess.Popen[bytes], request: Any) -> None:
    assert child.stdin is not None
    with suppress(BrokenPipeError):  # of one that has died: its reply tells
        child.stdin.write(json.dumps(request).encode("ascii") + b"\n")
        child.stdin.flush()


def _understand(path: str, fields: dict[str, Any], text: str, enclosed: _Reply) -> tuple[Document, str]:
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


def _understand_question(head: bytes) -> tuple[str, int, int]:
    """The label, number and count of a picture that the child asks about. Raises ValueError and others."""
    label, number, count = json.loads(head)["asks"]
    if not isinstance(label, str) or not re.fullmatch(r"[0-9a-f]{64}-\d{1,9}", label):
        raise ValueError(label)
    if not (type(number) is int and type(count) is int and 0 < number <= count <= MOST_PAGES):
        raise ValueError(number)
    return label, number, count


def _hash(file: Path) -> str:
    try:
        with open_file(file) as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise UnreadableError(f"cannot be read ({error.strerror or error})") from error


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
    limit_memory(int(memory_bytes))

    def tell(number: int) -> None:
        replies.write(_HEAD.pack(0, number, 0))
        replies.flush()

    requests: queue.Queue[bytes] = queue.Queue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    while True:
        request = json.loads(requests.get())
        seconds = request["seconds"] + _GRACE_SECONDS
        set_alarm(seconds)
        with watching(request["omitted"], tell), asking(_Desk(requests, replies, seconds)):
            fields, text, enclosed = _load_within_limits(Path(request["file"]), request["path"], request["is_long"])
        set_alarm(0)  # the parent may be busy with the file before, and take the reply later
        # A process that has swollen would leave less to the next file.
        fields["ends"] = fields["ends"] or peak_bytes() > memory_bytes / 2
        _say(replies, fields, text, len(enclosed))
        for inner in enclosed:
            name = inner.path.removeprefix(f"{request['path']}/")
            _say(replies, {"name": name, **_describe(inner)}, inner.text.encode())
        replies.flush()
        if fields["ends"]:
            os._exit(0)


def _say(replies: BinaryIO, fields: dict[str, Any], text: bytes = b"", following: int = 0) -> None:
    head = json.dumps(fields).encode("ascii")
    for part in (_HEAD.pack(len(head), len(text), following), head, text):
        replies.write(part)


@dataclass(frozen=True, slots=True)
class _Desk:
    """Asks the parent about pictures. seconds: for each that is recognised."""

    requests: queue.Queue[bytes]
    replies: BinaryIO
    seconds: float

    def find(self, label: str, number: int, count: int) -> list[Line] | None:
        """See `index.loading.formats.recognition.Desk`."""
        set_alarm(0)
        _say(self.replies, {"asks": [label, number, count]})
        self.replies.flush()
        answer = json.loads(self.requests.get())
        set_alarm(self.seconds)
        if answer == _WAIT:
            raise WaitError
        if answer == _DAMAGED:
            raise UnreadableError("damaged")
        return None if answer == _RECOGNISE else check_lines(answer)

    def keep(self, lines: list[Line] | None) -> None:
        """See `index.loading.formats.recognition.Desk`."""
        _say(self.replies, {"lines": None if lines is None else to_json(lines)})
        self.replies.flush()


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
    except WaitError:
        return {"waits": True, "ends": False}, b"", ()
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


def set_alarm(seconds: float) -> None:
    """Have the system end this process, even where a library's loop lets no other thread run; 0 calls it off."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)


def limit_memory(memory_bytes: int) -> None:
    """Have this process hold no more than that, where the system lets it be bounded."""
    if sys.platform == "linux":
        import resource

        # What is written to counts, not what libraries only reserve.
        resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def peak_bytes() -> int:
    """The most memory that this process has held; 0 where the system does not say."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    # The system's other account, ru_maxrss, begins with what the parent held.
    match = re.search(r"VmHWM:\s*(\d+) kB", status)
    return int(match[1]) * 1024 if match else 0
