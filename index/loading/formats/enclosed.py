"""Files within a file, a message's attachments or an archive's members: each is read as it would be alone.

But: they are read for no longer than `_MOST_SECONDS`, so that what lies in a file does not cost the file itself.
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from dataclasses import dataclass

from index.loading.formats import MEGABYTE, UnreadableError, find_format
from index.loading.formats.blocks import Blocks

_DEEPEST = 2  # such as a file in an archive that is attached
_MOST_FILES = 2_000
_MOST_BYTES = 512 * MEGABYTE  # of all of them
_LARGEST_BYTES = 64 * MEGABYTE  # of one
_MOST_SECONDS = 20.0


@dataclass(slots=True)
class _Allowance:
    """What may still be read within one document, and how many files lie around the one that is being read."""

    files: int
    size_bytes: int
    until: float  # of the monotonic clock
    depth: int = 0


_around: ContextVar[_Allowance | None] = ContextVar("_around", default=None)


class Enclosed:
    """Adds files that lie in a file to its text; those within them are counted with them."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self._allowance = _around.get() or _Allowance(_MOST_FILES, _MOST_BYTES, time.monotonic() + _MOST_SECONDS)

    @property
    def is_spent(self) -> bool:
        """Whether no further file is read."""
        left = self._allowance
        return self._blocks.is_full or min(left.files, left.size_bytes) <= 0 or time.monotonic() > left.until

    def add(self, name: str, content: bytes, heading: str, level: int) -> None:
        """Add the text of a file of this name below a heading. Raises UnreadableError where there is none to add."""
        allowance = self._allowance
        if self.is_spent or allowance.depth >= _DEEPEST or len(content) > _LARGEST_BYTES:
            raise UnreadableError("too large, or too deep")
        allowance.files -= 1
        allowance.size_bytes -= len(content)
        allowance.depth += 1
        token = _around.set(allowance)
        try:
            extract = find_format(content, name).read(content)
        except UnreadableError:
            raise
        except Exception as error:
            # A reader met what its author did not think of: the file around must not suffer.
            raise UnreadableError("damaged") from error
        finally:
            _around.reset(token)
            allowance.depth -= 1
        if not any(map(str.isalnum, extract.text)):
            raise UnreadableError("no text")
        self._blocks.heading(heading, level)
        self._blocks.verbatim(extract.text)
        self._blocks.miss(extract.unread and f"in {name}: {extract.unread}")
