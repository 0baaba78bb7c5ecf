"""A reply as the model marks it, read as it comes: what is text, and what is a marker. Their forms say `markers`.

In code and formulas nothing is a marker, for "rows[3]" is a place in a list. But: models fence prose too, so that what
follows a sentence's end or a comment at the end of a code line is one, what alone fills inline code, and all in a fence
that no language names where its first line cites, or where the reply begins with it.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from assistant.citing.markers import (
    LEFT_BRACKETS,
    LONGEST_MARKER,
    OPENING,
    RIGHT_BRACKETS,
    is_unfinished,
    read_marker,
    skip_numbers,
    skip_target,
    split_code_line,
)
from assistant.citing.verbatim import (
    CODE,
    Fence,
    find_formula,
    may_become_code,
    may_become_fence,
    may_become_formula,
    read_fence,
)

_PAUSE = re.compile(rf"{OPENING.pattern}|[`~$]")
_LONGEST_CODE_LINE = 4000  # characters
_RUN = re.compile(r"[`~]{1,1000}")
_PROSE_FENCES = {*"markdown md text txt plaintext answer response reply output antwort réponse respuesta".split()}
# What opens a reply, or cites in its first line, is prose too in a block without a name; with these, without its tags.
_TAGGED_FENCES = {"html", "xml", "xhtml"}
_TAG = re.compile(r"</?(?P<name>[A-Za-z][A-Za-z0-9]{0,19})(?:[\s/][^<>]{0,300})?>")
_UNFINISHED_TAG = re.compile(r"</?(?:[A-Za-z][A-Za-z0-9]{0,19}(?:[\s/][^<>]{0,300})?)?\Z")
_TAGS_IN_LINE = {*"a b i u em strong span code small sub sup mark q cite abbr".split()}
_CODE_SIGN = re.compile(r"[=;{}<>\\|$@~^]|\w\(|_\w")
_WORDS = re.compile(r"(?<![^\W\d_])(?:[^\W\d_]{2,}+[,;:]?\s++){3}|[\u3040-\u9fff\uac00-\ud7af]{6}")
_OPEN = re.compile(r"(?:[.!?…]|\s)[\[【［]")
_MARK = re.compile(r"(?<!\s)\s*+[\[【［][^\[\]【】\n]{0,100}[\]】］]")
_LOOKED_BACK = 1000  # characters of what was read, on which the meaning of a marker may hang

# Text, or the numbers of a marker, given out or not; and whether it is in code, so that no sentence ends before it.
Part = tuple[str | tuple[int, ...], bool]


class MarkedText:
    """A model's reply, taken in piece by piece: `feed` gives what is certain, `finish` the rest.

    given: the numbers that were given out.
    """

    def __init__(self, given: Collection[int]) -> None:
        self._given = given
        self._held = ""  # the end of what has come, while what follows decides what it is
        self._read = ""  # what has come before it, as far as it matters
        self._line = ""  # the beginning of the line as it is shown, without the markers that are dropped
        self._fence: Fence | None = None  # what opened the code block that we are in
        self._prose_fence: Fence | None = None  # the same of a block that holds prose
        self._tagged = False  # whether its tags go
        self._endless = False  # whether we are in square brackets that are too long for a marker
        self._linkable = False  # whether the target of a link may follow
        self._bracketed = False  # whether there was a marker in square brackets

    @property
    def is_in_block(self) -> bool:
        """Whether what has come ends within a code block."""
        return self._fence is not None

    def held_with(self, following: str) -> str:
        """What has come and is not certain yet, and what follows it, without markers."""
        held = "" if self._endless else self._held
        return _MARK.sub("", held + following).partition("[")[0]

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
            return self._take_code_line(text, self._fence)
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
        marker = None if text[0] == "$" else read_marker(text, self._read, self._given, self._bracketed)
        if not marker:
            return self._take_formula(text, ended) if text[0] in "$\\" else self._take_tag(text, ended)
        self._linkable = self._held[marker.length - 1] == "]" and not marker.text
        self._bracketed |= self._linkable
        self._drop(marker.length)
        self._line += "[]" if any(number in self._given for number in marker.numbers) else marker.text
        return [(marker.text or marker.numbers, False)]

    def _take_formula(self, text: str, ended: bool) -> list[Part] | None:
        """Take in a formula, or the mark that opens none."""
        if formula := find_formula(text):
            return self._keep_code(formula[2])
        if not ended and may_become_formula(text):
            return None
        # An escaped mark opens no code.
        return self._keep(2 if text[:2] in ("\\`", "\\$", "\\\\") else 1)

    def _take_tag(self, text: str, ended: bool) -> list[Part] | None:
        """Take in a tag, which goes where prose stands in a block of HTML, or what else opens no marker."""
        if not (self._tagged and text[0] == "<"):
            return self._keep(1)
        if tag := _TAG.match(text):
            self._drop(tag.end())
            if tag["name"].casefold() in _TAGS_IN_LINE:
                return []
            self._line = ""
            return [("\n", False)]
        return None if _UNFINISHED_TAG.match(text) and not ended else self._keep(1)

    def _take_endless(self, text: str) -> list[Part]:
        """Take in the beginning of what is too long for a marker: in square brackets it is dropped, else it is text."""
        if not text.lstrip("\\").startswith(tuple(LEFT_BRACKETS)):
            return self._keep(1)
        self._drop(LONGEST_MARKER)
        self._endless = True
        return [((), False)]

    def _take_code(self, text: str, ended: bool) -> list[Part] | None:
        """Take in the mark that opens a code block, or inline code, or a mark that opens nothing."""
        if fence := read_fence(text, self._line):
            return self._open_fence(fence, text, ended)
        if not ended and (may_become_fence(text, self._line) or may_become_code(text)):
            return None
        code = CODE.match(text)
        words = code[2].strip() if code else ""
        marker = read_marker(words, "", self._given, self._bracketed)
        if code and marker and marker.length == len(words):
            self._drop(code.end())
            self._line += "[]"
            return [(marker.numbers, False)]
        run = _RUN.match(text)
        return self._keep_code(code.end() if code else run.end() if run else 1)

    def _open_fence(self, fence: Fence, text: str, ended: bool) -> list[Part] | None:
        name = fence.name.casefold()
        if self._prose_fence and fence.marks.startswith(self._prose_fence.marks) and not name:
            self._prose_fence, self._tagged = None, False
        elif (holds_prose := self._holds_prose(name, text[fence.length :], ended)) is None:
            return None
        elif holds_prose:
            self._prose_fence, self._tagged = fence, name in _TAGGED_FENCES
        else:
            parts = self._keep_code(fence.length)
            self._fence = fence
            return parts
        # Prose needs no fence, and its fence no place in the answer.
        self._drop(fence.length)
        self._line = ""
        return [("\n", False)]

    def _holds_prose(self, name: str, block: str, ended: bool) -> bool | None:
        """Whether a block holds prose by its name and its first words; None where what follows decides."""
        if name not in ("", *_PROSE_FENCES, *_TAGGED_FENCES):
            return False
        begins = not self._read.strip()  # in the middle of a reply a file's tree or an example may be shown so
        if name in _PROSE_FENCES and begins:
            return True
        *lines, last = block[:_LONGEST_CODE_LINE].split("\n")
        is_whole = ended or len(block) >= _LONGEST_CODE_LINE
        for line in [*lines, last] if is_whole else lines:
            words = _TAG.sub("", line) if name in _TAGGED_FENCES else line
            if words.strip():
                bare = _MARK.sub("", words)
                is_sentence = bare.rstrip("*_\"”’') ").endswith(tuple(".!?…:。！？")) and not _CODE_SIGN.search(bare)
                cites = self._cites(words)
                return bool(_WORDS.search(bare)) and (cites or (is_sentence and begins))
        return False if is_whole else None

    def _cites(self, line: str) -> bool:
        """Whether a line has a marker with a number that was given out, apart from the word before it."""
        marks = (read_marker(line[m.end() - 1 :], line[: m.end() - 1], self._given, True) for m in _OPEN.finditer(line))
        return any(mark and any(number in self._given for number in mark.numbers) for mark in marks)

    def _take_code_line(self, text: str, fence: Fence) -> list[Part] | None:
        """Take in a line of a code block, once it is whole, or as much of it as is looked at."""
        end = text.find("\n", 0, _LONGEST_CODE_LINE)
        if end < 0:
            return None if len(text) < _LONGEST_CODE_LINE else self._keep(_LONGEST_CODE_LINE)
        line = text[:end]
        if fence.is_closed_by(line):
            parts = self._keep(end + 1)
            self._fence = None
            return parts
        code, markers, stop = split_code_line(line)
        parts = self._keep(len(code))
        self._drop(end - len(code) - len(stop))
        return [*parts, *((numbers, True) for numbers in markers), *self._keep(len(stop) + 1)]

    def _drop(self, length: int) -> str:
        """Move so much of what is held to what is read."""
        taken, self._held = self._held[:length], self._held[length:]
        self._read = _shorten(self._read + taken)
        return taken

    def _keep(self, length: int) -> list[Part]:
        kept = self._drop(length)
        self._line = kept[kept.rfind("\n") + 1 :][:_LOOKED_BACK] if "\n" in kept else (self._line + kept)[:_LOOKED_BACK]
        return [(kept, self.is_in_block)]

    def _keep_code(self, length: int) -> list[Part]:
        """The same for code: a sentence may be over before it, but not inside."""
        return [*self._keep(1), *((kept, True) for kept, _ in self._keep(length - 1))]


def _shorten(text: str) -> str:
    """The end of a text, and the beginning of its last line: what the meaning of a marker hangs on."""
    if len(text) <= 4 * _LOOKED_BACK:
        return text
    line = text.rfind("\n") + 1
    if line > len(text) - 2 * _LOOKED_BACK:
        return text[-2 * _LOOKED_BACK :]
    return text[line : line + _LOOKED_BACK] + text[-_LOOKED_BACK:]
