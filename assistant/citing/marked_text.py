"""A reply as the model marks it, read as it comes: what is text, and what is a marker. Their forms say `markers`.

In code nothing is a marker, for "rows[3]" is a place in a list. But: models fence prose too, so that what follows
a sentence's end or a comment at the end of a code line is one, what alone fills inline code, and all in a fence that
says "markdown" or "text".
"""

from __future__ import annotations

import re
from collections.abc import Container

from assistant.citing.markers import (
    LEFT_BRACKETS,
    LONGEST_MARKER,
    OPENING,
    RIGHT_BRACKETS,
    is_unfinished,
    opens_line,
    read_marker,
    skip_numbers,
    skip_target,
    split_code_line,
)

_PAUSE = re.compile(rf"{OPENING.pattern}|[`~]")
_FENCE = re.compile(r"(`{3,}+|~{3,}+)([^`\n]*+)\n")
_UNFINISHED_FENCE = re.compile(r"(?:`{1,2}|~{1,2}|(?:`{3,}+|~{3,}+)[^`\n]*+)\Z")
_LONGEST_FENCE, _LONGEST_CODE_LINE = 1000, 4000  # characters; what a longer line opens is no block
# Longer inline code is none, so that a mark which nobody closes holds back no more than this.
_CODE = re.compile(r"(`{1,9})(?!`)([^\n]{0,999}?[^`\n])\1(?!`)")
_UNFINISHED_CODE = re.compile(r"`[^\n]{0,1100}\Z")
_RUN = re.compile(r"[`~]{1,1000}")
_PROSE_FENCES = {"markdown", "md", "text", "txt", "plaintext"}
_LOOKED_BACK = 1000  # characters of what was read, on which the meaning of a marker may hang

# Text, or the numbers of a marker, given out or not; and whether it is in code, so that no sentence ends before it.
Part = tuple[str | tuple[int, ...], bool]


class MarkedText:
    """A model's reply, taken in piece by piece: `feed` gives what is certain, `finish` the rest.

    given: the numbers that were given out.
    """

    def __init__(self, given: Container[int]) -> None:
        self._given = given
        self._held = ""  # the end of what has come, while what follows decides what it is
        self._read = ""  # what has come before it, as far as it matters
        self._fence = ""  # the marks that opened the code block that we are in
        self._prose_fence = ""  # the same of a block that holds prose
        self._endless = False  # whether we are in square brackets that are too long for a marker
        self._linkable = False  # whether the target of a link may follow
        self._bracketed = False  # whether there was a marker in square brackets

    @property
    def is_in_block(self) -> bool:
        """Whether what has come ends within a code block."""
        return bool(self._fence)

    def feed(self, delta: str) -> list[Part]:
        """Take in a delta; give what is now certain."""
        parts: list[Part] = []
        for start in range(0, len(delta), _LOOKED_BACK):
            self._held += delta[start : start + _LOOKED_BACK]
            while self._held and (taken := self._take(self._held, ended=False)) is not None:
                parts += taken
        return parts

    def finish(self) -> list[Part]:
        """Give what was held back, now that nothing more comes."""
        parts: list[Part] = []
        while self._held:
            # A reply ends as a line does.
            parts += self._take(f"{self._held}\n", ended=True) or ()
        return parts

    def _take(self, text: str, ended: bool) -> list[Part] | None:
        """Take in the next piece of what is held; None where what follows decides what it is."""
        if self._fence:
            return self._take_code_line(text)
        if self._endless:
            dropped = self._drop(skip_numbers(text))
            self._endless = not self._held and not dropped.endswith(tuple(RIGHT_BRACKETS))
            return []
        if self._linkable:
            length = skip_target(text)
            if length is None and not ended:
                return None
            self._linkable = False
            if length:
                self._drop(length)
                return []
        match = _PAUSE.search(text)
        if not match or match.start():
            return self._keep(match.start() if match else len(text))
        if text[0] in "`~":
            return self._take_code(text, ended)
        if is_unfinished(text):
            if len(text) >= LONGEST_MARKER:
                return self._take_endless(text)
            if not ended:
                return None
        marker = read_marker(text, self._read, self._given, self._bracketed)
        if not marker:
            return self._keep(1)
        self._linkable = self._held[marker.length - 1] == "]"
        self._bracketed |= self._linkable
        self._drop(marker.length)
        return [(marker.text or marker.numbers, False)]

    def _take_endless(self, text: str) -> list[Part]:
        """Take in the beginning of what is too long for a marker: in square brackets it is dropped, else it is text."""
        if not text.lstrip("\\").startswith(tuple(LEFT_BRACKETS)):
            return self._keep(1)
        self._drop(LONGEST_MARKER)
        self._endless = True
        return [((), False)]

    def _take_code(self, text: str, ended: bool) -> list[Part] | None:
        """Take in the mark that opens a code block, or inline code, or a mark that opens nothing."""
        if opens_line(self._read):
            if fence := _FENCE.match(text[:_LONGEST_FENCE]):
                return self._open_fence(fence)
            if not ended and len(text) < _LONGEST_FENCE and _UNFINISHED_FENCE.match(text):
                return None
        code = _CODE.match(text)
        # Until something follows, its last mark may be the first of a longer run.
        if not ended and (_UNFINISHED_CODE.match(text) if not code else code.end() == len(text)):
            return None
        words = code[2].strip() if code else ""
        marker = read_marker(words, "", self._given, self._bracketed)
        if code and marker and marker.length == len(words):
            self._drop(code.end())
            return [(marker.numbers, False)]
        run = _RUN.match(text)
        return self._keep_code(code.end() if code else run.end() if run else 1)

    def _open_fence(self, fence: re.Match[str]) -> list[Part]:
        kind = fence[2].strip().casefold()
        if kind in _PROSE_FENCES or (self._prose_fence == fence[1] and not kind):
            # Prose needs no fence, and its fence no place in the answer.
            self._prose_fence = fence[1] if kind else ""
            self._drop(fence.end())
            return [("\n", False)]
        parts = self._keep_code(fence.end())
        self._fence = fence[1]
        return parts

    def _take_code_line(self, text: str) -> list[Part] | None:
        """Take in a line of a code block, once it is whole, or as much of it as is looked at."""
        end = text.find("\n", 0, _LONGEST_CODE_LINE)
        if end < 0:
            return None if len(text) < _LONGEST_CODE_LINE else self._keep(_LONGEST_CODE_LINE)
        line = text[:end]
        if line.strip(" \t>").startswith(self._fence) and not line.strip(f" \t\r>{self._fence[0]}"):
            parts = self._keep(end + 1)
            self._fence = ""
            return parts
        code, markers = split_code_line(line)
        parts = self._keep(len(code))
        self._drop(end - len(code))
        return [*parts, *((numbers, True) for numbers in markers), *self._keep(1)]

    def _drop(self, length: int) -> str:
        """Move so much of what is held to what is read."""
        taken, self._held = self._held[:length], self._held[length:]
        self._read = _shorten(self._read + taken)
        return taken

    def _keep(self, length: int) -> list[Part]:
        return [(self._drop(length), self.is_in_block)]

    def _keep_code(self, length: int) -> list[Part]:
        """The same for code: a sentence may be over before it, but not inside."""
        return [*self._keep(1), (self._drop(length - 1), True)]


def _shorten(text: str) -> str:
    """The end of a text, and the beginning of its last line: what the meaning of a marker hangs on."""
    if len(text) <= 4 * _LOOKED_BACK:
        return text
    line = text.rfind("\n") + 1
    if line > len(text) - 2 * _LOOKED_BACK:
        return text[-2 * _LOOKED_BACK :]
    return text[line : line + _LOOKED_BACK] + text[-_LOOKED_BACK:]
