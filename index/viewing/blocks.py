"""The blocks of a document's text, as they are set: headings, paragraphs, lists, tables, code, quotations.

What each line is, its sentences say, which are kept with the text; here lines only come together. A block's lines tile
it: marks, as "# " or "- ", stand outside what is shown of a line, and inside the block.

But: which line ends of a paragraph are its author's, and which only an editor's, is an estimate by their length.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from index.splitting.blocks import (
    COLUMNS_LEVEL,
    FIELD_LEVEL,
    ITEM_LEVEL,
    LABEL_LEVEL,
    is_fence,
    is_marked,
    is_stamped,
    trim,
)
from index.splitting.sentences import Sentence

# What a line is. "rule" for what holds no words and only parts or marks others; "aside" for what a site or a page puts
# around the text; "label" for a line in a table that heads the rows below it.
Form = Literal[
    "heading", "paragraph", "line", "item", "row", "columns", "label", "field", "code", "quotation", "aside", "rule"
]
# What lines of these forms make together where no blank line parts them.
_TOGETHER: dict[str, str] = {
    "paragraph": "paragraph",
    "line": "paragraph",
    "item": "list",
    "row": "table",
    "columns": "table",
    "label": "table",
    "field": "fields",
    "code": "code",
    "quotation": "quotation",
    "heading": "heading",
    "aside": "aside",
    "rule": "rule",
}
_LINE = re.compile(r"[^\n\r\x0b\x0c\x85\u2028\u2029]+")
_RULE = re.compile(r"[\s\ufeff\x00]*+[-=~*_#+|:>`<.][-=~*_#+|:>`<.\s]*+")
_QUOTED = re.compile(r"[>|\s]*")
_SHORT_CHARACTERS = 55  # of a line that no editor's width has ended


@dataclass(frozen=True, slots=True)
class Line:
    """A line, or several that are one item or one heading.

    start, end: its offsets, without its line end. begin, stop: what is shown of it, without marks.
    level: as that of a sentence (see index.splitting.blocks).
    breaks: whether it is to begin a line within its paragraph.
    """

    start: int
    end: int
    begin: int
    stop: int
    form: Form
    level: int = 0
    breaks: bool = True


@dataclass(frozen=True, slots=True)
class Block:
    """Lines that are set as one: a "heading", "paragraph", "list", "table", "code", "quotation", "aside", the "fields"
    of settings, or a "rule", which is not shown.
    """

    form: str
    lines: tuple[Line, ...]

    @property
    def start(self) -> int:
        """Where its first line starts."""
        return self.lines[0].start

    @property
    def end(self) -> int:
        """Where its last line ends."""
        return self.lines[-1].end


def find_blocks(text: str, sentences: Sequence[Sentence]) -> Iterator[Block]:
    """The blocks of a text that begins at a line's start, by its sentences; of a text whose lines are all code, too."""
    lines: list[Line] = []
    last_end = 0
    is_fenced = False
    for line in _find_lines(text, sentences):
        if is_fence(text[line.start : line.end]) and line.form == "rule":
            is_fenced = not is_fenced
        is_parted = _is_blank(text[last_end : line.start])
        if lines and not _belongs(lines[-1], line, is_parted=is_parted, is_fenced=is_fenced):
            yield _close(lines)
            lines = []
        lines.append(line)
        last_end = line.end
    if lines:
        yield _close(lines)


def find_code(text: str) -> Block | None:
    """The one block of a text that is a program."""
    lines = tuple(Line(*match.span(), *match.span(), "code") for match in _LINE.finditer(text))
    return Block("code", lines) if lines else None


def _belongs(last: Line, line: Line, *, is_parted: bool, is_fenced: bool) -> bool:
    """Whether a line goes on with the block of the one before."""
    if line.form == "code" and last.form == "code":
        return is_fenced or not is_parted
    if is_parted or line.form == "heading" or last.form == "heading":
        return False
    if "rule" in (last.form, line.form) and last.form != line.form:
        return {last.form, line.form} <= {"rule", "row", "columns"}  # between the names of columns and the rows
    return _TOGETHER[last.form] == _TOGETHER[line.form]


def _close(lines: list[Line]) -> Block:
    form = next((line.form for line in lines if line.form != "rule"), "rule")
    return Block(_TOGETHER[form], tuple(lines))


def _is_blank(gap: str) -> bool:
    """Whether what lies between two lines is more than one line end."""
    return len(gap.replace("\r\n", "\n")) > 1


def _find_lines(text: str, sentences: Sequence[Sentence]) -> Iterator[Line]:
    """The lines that hold something, those that only go on with an item or a heading as parts of these."""
    open_line: Line | None = None
    place = 0
    for match in _LINE.finditer(text):
        start, end = match.span()
        if not text[start:end].strip("\ufeff \t"):
            if open_line:
                yield open_line
            open_line = None
            continue
        while place < len(sentences) and sentences[place].end <= start:
            place += 1
        sentence = sentences[place] if place < len(sentences) and sentences[place].start < end else None
        line = _to_line(text, start, end, sentence, open_line)
        if open_line and _continues(text, open_line, line, sentence):
            open_line = replace(open_line, end=end, stop=line.stop)
            continue
        if open_line:
            yield open_line
        open_line = line
    if open_line:
        yield open_line


def _to_line(text: str, start: int, end: int, sentence: Sentence | None, before: Line | None) -> Line:
    """A line, by the first sentence that it holds a part of, and the line directly above."""
    begin, stop = trim(text, start, end)
    form = _find_form(text, start, end, sentence, before)
    if form == "quotation":
        quoted = _QUOTED.match(text, start, end)
        begin = min(quoted.end(), stop) if quoted else begin
    if sentence is None:
        return Line(start, end, begin, stop, form)
    begins_here = sentence.start >= start
    if form in ("heading", "item", "aside") and begins_here:
        begin = sentence.start
    is_wrapped = form == "paragraph" and before is not None and before.end - before.start >= _SHORT_CHARACTERS
    breaks = begins_here and not is_wrapped
    return Line(start, end, begin, stop, form, sentence.level, breaks)


def _continues(text: str, line: Line, following: Line, sentence: Sentence | None) -> bool:
    """Whether a line is the rest of the one before it."""
    if line.form != following.form or line.form not in ("heading", "item"):
        return False
    if sentence is not None and sentence.start < following.start:
        return True
    return line.form == "item" and not is_marked(text[following.start : following.end])


def _find_form(text: str, start: int, end: int, sentence: Sentence | None, before: Line | None) -> Form:
    """What a line is, by the first sentence that it holds a part of."""
    line = text[start:end]
    if sentence is None:
        if is_fence(line):
            return "rule"
        if before and before.form == "code":
            return "code"
        if before and before.form == "quotation" and line.lstrip().startswith(">"):
            return "quotation"  # between two of its paragraphs
        return "rule" if _RULE.fullmatch(line) else "paragraph"
    match sentence.kind:
        case "heading" | "question":
            if sentence.level == LABEL_LEVEL:
                return "label"
            return "field" if FIELD_LEVEL <= sentence.level < ITEM_LEVEL else "heading"
        case "boilerplate":
            return "rule" if is_fence(line) else "aside"
        case "item" | "field" | "row" if ITEM_LEVEL <= sentence.level < COLUMNS_LEVEL:
            # A short line among others is told as an item too, and has no mark.
            is_item = is_marked(line) or sentence.start < start or (before and before.form == "item")
            return "item" if is_item else "line"
        case "row" | "columns" | "code" | "quotation" | "field":
            return sentence.kind
        case _:
            return "line" if is_stamped(line) else "paragraph"
