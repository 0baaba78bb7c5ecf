"""Files within a file, a message's attachments or an archive's members: each is read as it would be alone.

But: they are read for no longer than `_MOST_SECONDS`, so that what lies in a file does not cost the file itself. One
whose reader never comes back ends the process: who starts it anew says what it is to leave out (`watching`).
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from index.loading.formats import MEGABYTE, Enclosure, Format, UnreadableError, find_format
from index.loading.formats.blocks import MOST_CHARACTERS, UNSHOWN

MOST_FILES = 2_000
LONGEST_NAME_CHARACTERS = 400  # of a path within a file
_LONGEST_PART_CHARACTERS = 120  # of a name in such a path
_LONGEST_SUFFIX_CHARACTERS = 20
_DEEPEST = 2  # such as a file in an archive that is attached
_MOST_BYTES = 512 * MEGABYTE  # of all of them
_LARGEST_BYTES = 64 * MEGABYTE  # of one
_MOST_SECONDS = 20.0


@dataclass(slots=True)
class _Allowance:
    """What may still be read within one document, and how many files lie around the one that is being read.

    number: how many files have been met, and so which is the one that was met last. reading: which is being read.
    """

    files: int
    size_bytes: int
    characters: int
    until: float  # of the monotonic clock
    depth: int = 0
    number: int = 0
    reading: int = 0


@dataclass(frozen=True, slots=True)
class _Watch:
    """Which files are left out, by number, None for all of them; `tell` hears which is being read, 0 for none."""

    omitted: Container[int] | None = ()
    tell: Callable[[int], object] = id


_around: ContextVar[_Allowance | None] = ContextVar("_around", default=None)
_watch: ContextVar[_Watch] = ContextVar("_watch")
_NOBODY = _Watch()


@contextmanager
def watching(omitted: Container[int] | None, tell: Callable[[int], object]) -> Iterator[None]:
    """Around the reading of a file: leave out what lies in it by these numbers, None for all, and tell what is begun.

    Files are numbered from 1 as they are met; `tell` hears 0 where the file around them is gone on with.
    """
    token = _watch.set(_Watch(omitted, tell))
    try:
        yield
    finally:
        _watch.reset(token)


class FoundError(BaseException):
    """The file within the file that was sought. No Exception, since no reader is to go on after this."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.content = content


_sought: ContextVar[str] = ContextVar("_sought", default="")
_MAY_ENCLOSE = ("mail.read_mail", "outlook.read_outlook", "bundle.read_bundle")  # the readers of what may hold files


def find_enclosed(form: Format, content: bytes, content_hash: str) -> bytes | None:
    """The bytes of the file within a file of a format that have this SHA-256, or None. Raises UnreadableError.

    Of what lies in the file, only that is read in which the sought one may lie.
    """
    token = _sought.set(content_hash)
    try:
        form.read(content)
    except FoundError as found:
        return found.content
    finally:
        _sought.reset(token)
    return None


@contextmanager
def uncounted() -> Iterator[None]:
    """What is done meanwhile has limits of its own, and costs the files in a file none of their time."""
    begun = time.monotonic()
    try:
        yield
    finally:
        if allowance := _around.get():
            allowance.until += time.monotonic() - begun


class Enclosed:
    """Reads the files that lie in a file; those within them are counted with them."""

    def __init__(self) -> None:
        self._files: list[Enclosure] = []
        self._names: dict[str, int] = {}  # and how many files were to be called so
        self._allowance = _around.get() or _Allowance(
            MOST_FILES, _MOST_BYTES, MOST_CHARACTERS, time.monotonic() + _MOST_SECONDS
        )

    @property
    def files(self) -> tuple[Enclosure, ...]:
        """What has been read."""
        return tuple(self._files)

    @property
    def is_spent(self) -> bool:
        """Whether no further file is read."""
        left = self._allowance
        return min(left.files, left.size_bytes, left.characters) <= 0 or time.monotonic() > left.until

    def add(self, name: str, content: bytes) -> None:
        """Read a file of this name, or path. Raises UnreadableError where nothing can be read of it."""
        allowance, watch, sought = self._allowance, _watch.get(_NOBODY), _sought.get()
        name = self._distinguish(_make_safe(name))
        allowance.number += 1
        if self.is_spent or allowance.depth >= _DEEPEST or len(content) > _LARGEST_BYTES:
            raise UnreadableError("too large, or too deep")
        if watch.omitted is None or allowance.number in watch.omitted:
            raise UnreadableError("its reader crashed, or took too long")
        allowance.files -= 1
        allowance.size_bytes -= len(content)
        allowance.depth += 1
        token = _around.set(allowance)
        around, allowance.reading = allowance.reading, allowance.number
        watch.tell(allowance.reading)
        try:
            if sought and hashlib.sha256(content).hexdigest() == sought:
                raise FoundError(content)
            form = find_format(content, name)
            if sought and form.reader not in _MAY_ENCLOSE:
                raise UnreadableError("not sought")
            extract = form.read(content)
        except UnreadableError:
            raise
        except Exception as error:
            # A reader met what its author did not think of: the file around must not suffer.
            raise UnreadableError("damaged") from error
        finally:
            _around.reset(token)
            allowance.depth -= 1
            allowance.reading = around
            watch.tell(around)
        if not any(map(str.isalnum, extract.text)):
            raise UnreadableError("no text")
        if len(extract.text) > allowance.characters:
            raise UnreadableError("too large")
        allowance.characters -= len(extract.text)
        content_hash = hashlib.sha256(content).hexdigest()
        self._files.append(Enclosure(name, form, content_hash, replace(extract, enclosed=())))
        for inner in extract.enclosed:
            self._files.append(replace(inner, name=self._distinguish(_shorten(f"{name}/{inner.name}"))))

    def _distinguish(self, name: str) -> str:
        """The name, or where there is one of that name already, "report (2).pdf"."""
        path, wanted = PurePosixPath(name), name
        while name in self._names:
            # From where the last of this name has left off, since a mailbox may hold thousands.
            self._names[wanted] += 1
            name = str(path.with_name(f"{path.stem} ({self._names[wanted]}){path.suffix}"))
        self._names[name] = 1
        return name


def _make_safe(name: str) -> str:
    """A path that leads nowhere but into the file, by names that can be shown, none of them empty or very long."""
    parts = [" ".join(UNSHOWN.sub(" ", part).split()) for part in re.split(r"[/\\]", name)]
    return _shorten("/".join(_cut(part) for part in parts if part.strip(".")) or "unnamed")


def _cut(part: str) -> str:
    """A name that is not very long, with its suffix."""
    suffix = PurePosixPath(part).suffix[:_LONGEST_SUFFIX_CHARACTERS]
    return part if len(part) <= _LONGEST_PART_CHARACTERS else part[: _LONGEST_PART_CHARACTERS - len(suffix)] + suffix


def _shorten(name: str) -> str:
    """A path that is not very long: its end."""
    while len(name) > LONGEST_NAME_CHARACTERS:
        name = name.partition("/")[2]
    return name
