"""What the readers write with: paragraphs, headings, list items, tables and pages become one text.

Headings carry Markdown's marks, list items and table rows its dash, so that the sentence finder tells them from prose.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from index.loading.formats.grid import Cell, Row, TooMuchError, part_side_by_side, read_lines
from index.splitting.blocks import FURNITURE_MARK, HEADING_MARK, PLAIN_MARK

MOST_CHARACTERS = 100_000_000  # of one document's text
MOST_PAGES = 20_000
AUTHOR = "Author: "  # begins the item that names who wrote a document
# What a line that is shown to people may not hold: controls, line ends, what turns the direction of writing.
UNSHOWN = re.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028-\\u202e\\u2066-\\u2069\\ud800-\\udfff]")

_SPACES = re.compile(r"[^\S\n]+")
_AROUND_BREAKS = re.compile(r" ?\n[ \n]*")
# Soft hyphens and zero-width characters stand within words and keep them from being found; the joiners
# (U+200C, U+200D) stay, since they are spelling in Persian and part of emoji.
REMOVED = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\xad\u200b\u2060\ufeff\ufffe\uffff]")


def tidy(text: str) -> str:
    """One space for each run of white space, line breaks kept; no control characters or soft hyphens."""
    if text.isprintable() and "  " not in text:  # of white space, the space alone is printable
        return text.strip(" ")
    text = REMOVED.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return _AROUND_BREAKS.sub("\n", _SPACES.sub(" ", text)).strip()


_ENDS_UNIT = re.compile(r"(?:\d ?|[^\w]|^)(?:[kcmdµ]?m|ft|in|yd|mi|min|[^\W\d_])\Z")
_ORDINAL = re.compile(r"(?:st|nd|rd|th|er|ère|ere|re|e|ème|eme|de|ste|o|a|os|as|ª|º|tm|®|™|:?[aes])\.?", re.IGNORECASE)
_POWERS = str.maketrans("0123456789-−+n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁻⁺ⁿ")


def raise_text(before: str, text: str, *, is_raised: bool) -> tuple[str, str]:
    """What is written before raised or lowered characters, and they themselves, so that "10³" is not read as 103.

    before: the characters before them. A power after a number is "10^3", after a unit "m²"; what else is a number
    or a word stands apart from a number or a word, as the mark of a note does, but not "5th" and "H2O".
    """
    last, first = before[-1:], text[:1]
    if not last or not first or last.isspace():
        return "", text
    if last.isdigit() and (first.isdigit() or (len(text) < 4 and (first in "-−+" or text in ("n", "x")))):
        return ("^" if is_raised else "_"), text
    if not is_raised:
        return "", text
    if text in {"2", "3", "-1", "−1", "-2", "−2"} and _ENDS_UNIT.search(before):
        return "", text.translate(_POWERS)
    if _ORDINAL.fullmatch(text) or not first.isalnum():
        return "", text
    return (" " if last.isalnum() or last in '.,;:!?)”"' else ""), text


class Blocks:
    """A text in the making."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._in_list = False
        self._missed: dict[str, None] = {}
        self._author = ""
        self.pages: list[int] = []

    @property
    def text(self) -> str:
        """All that was added."""
        return "".join(self._parts)

    @property
    def length(self) -> int:
        """How many characters that is."""
        return self._length

    @property
    def is_full(self) -> bool:
        """Whether nothing more is taken."""
        return self._length >= MOST_CHARACTERS

    @property
    def unread(self) -> str:
        """What was missed, for people."""
        return ", ".join(self._missed)

    def miss(self, what: str) -> None:
        """Note what of the file could not be read: "the part word/footnotes.xml is damaged"; nothing for ""."""
        if what:
            self._missed[what] = None

    def miss_some(self, count: int, total: int, noun: str, what: str) -> None:
        """Note that some of many could not: "2 of 9 pages are damaged"."""
        if count:
            self.miss(f"{count:,} of {total:,} {noun}{'s' * (total > 1)} {'are' if count > 1 else 'is'} {what}")

    def page(self, back: int = 0) -> None:
        """Begin a page; back: so many characters before the end of what was added, as a paragraph goes on over it."""
        if len(self.pages) == MOST_PAGES:
            self.miss(f"where the pages after {MOST_PAGES:,} begin")
            return
        if not back:
            self._separate(in_list=False)
        self.pages.append(self._length - back)

    def paragraph(self, text: str, *, heads_nothing: bool = False) -> None:
        """Add a paragraph; its line breaks stay. heads_nothing: whether it is known to be no heading, however short."""
        self._add(PLAIN_MARK if heads_nothing else "", tidy(text))

    def heading(self, text: str, level: int = 1, *, silent: bool = False) -> None:
        """Add a heading of level 1 to 6. silent: whether its mark is white space, so that only its words are read."""
        level = min(max(level, 1), 6)
        self._add(HEADING_MARK * level if silent else "#" * level + " ", tidy(text).replace("\n", " "))

    def author(self, name: str) -> None:
        """Say who wrote the text that is to follow: below the heading that it begins with, or first of all."""
        self._author = name

    def quote(self, text: str) -> None:
        """Add a paragraph that is quoted."""
        self._add("", "\n".join(f"> {line}" for line in tidy(text).split("\n") if line))

    def item(self, text: str, depth: int = 0) -> None:
        """Add a list's item; `depth` counts the lists around its list."""
        self._add("  " * min(depth, 8) + "- ", tidy(text).replace("\n", " "), in_list=True)

    def verbatim(self, text: str) -> None:
        """Add a text whose lines and indents mean something."""
        self._add("", REMOVED.sub("", text).replace("\r\n", "\n").strip("\n"))

    def furniture(self, text: str) -> None:
        """Add a line that a page repeats of others, as a running header."""
        self._add(FURNITURE_MARK, tidy(text).replace("\n", " "))

    def table(
        self,
        rows: Iterable[Sequence[str | Cell]],
        *,
        skips: bool = False,
        is_sheet: bool = False,
        is_named: bool = False,
        goes_on: bool = False,
    ) -> None:
        """Add a table, row by row, each as "Header: value; Header: value" where the first rows are a header.

        A row of one cell is a title or a note, a paragraph.
        skips: whether the rows leave out the places that a cell above or to their left is merged over.
        is_sheet: whether an empty row or column parts two tables.
        is_named: whether the file is a table and nothing else, so that a first row of words is likely a header.
        goes_on: whether it may be one with the list or the table before it.
        """
        self._in_list = self._in_list and goes_on
        tables = part_side_by_side(map(_tidy_row, rows)) if is_sheet else [(0, map(_tidy_row, rows))]
        for first_column, part in tables:
            self._in_list = self._in_list and not first_column
            self._write_table(part, skips=skips, is_sheet=is_sheet, is_named=is_named, first_column=first_column)

    def _write_table(
        self,
        rows: Iterable[Row | list[str | Cell]],
        *,
        skips: bool,
        is_sheet: bool,
        is_named: bool,
        first_column: int,
    ) -> None:
        try:
            for line in read_lines(rows, skips=skips, is_sheet=is_sheet, is_named=is_named, first_column=first_column):
                if line is None:
                    self._in_list = False
                elif line.is_row and self._in_list and self._length < MOST_CHARACTERS - len(line.text) - 3:
                    self._parts.append(f"\n- {line.text}")  # as _add would, for the many rows of long tables
                    self._length += len(line.text) + 3
                elif line.is_row:
                    self._add("- ", line.text, in_list=True)
                else:
                    self.paragraph(line.text)
        except TooMuchError:
            self.miss("what a table holds after too many merged cells")

    def _add(self, mark: str, text: str, *, in_list: bool = False) -> None:
        if not text:
            return
        author, self._author = f"{AUTHOR}{self._author}" if self._author else "", ""
        if not mark.startswith("#"):
            self._put("- ", author)
        self._put(mark, text, in_list=in_list)
        if mark.startswith("#"):
            self._put("- ", author)

    def _put(self, mark: str, text: str, *, in_list: bool = False) -> None:
        if text:
            self._separate(in_list=in_list)
            if (room := max(0, MOST_CHARACTERS - self._length - len(mark))) < len(text):
                self.miss(f"what is beyond {MOST_CHARACTERS:,} characters")
                mark, text = mark if room else "", text[:room]
            self._parts += (mark, text)
            self._length += len(mark) + len(text)

    def _separate(self, *, in_list: bool) -> None:
        # A page's start is followed by its first block at once.
        if self._length and not (self.pages and self.pages[-1] == self._length):
            gap = "\n" if in_list and self._in_list else "\n\n"
            self._parts.append(gap)
            self._length += len(gap)
        self._in_list = in_list


def _tidy_row(row: Sequence[str | Cell]) -> Row | list[str | Cell]:
    try:
        line = "|".join(row)  # type: ignore[arg-type]  # all of its cells are looked at at once
    except TypeError:
        return [_tidy_cell(cell) for cell in row]
    if line.isprintable() and not ("  " in line or "| " in line or " |" in line or line.strip(" ") != line):
        return Row([*row])  # type: ignore[list-item]
    return Row([tidy(cell).replace("\n", " ") for cell in row])  # type: ignore[arg-type]


def _tidy_cell(cell: str | Cell) -> str | Cell:
    if isinstance(cell, Cell):
        return cell._replace(text=tidy(cell.text).replace("\n", " "))
    return tidy(cell).replace("\n", " ")
