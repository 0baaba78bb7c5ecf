"""What a table says: its merged cells filled, its titles, headers and notes told from its rows of facts.

A fact with the wrong header is worse than one without: where nothing tells that a row names the columns, it is a row.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import count, islice, takewhile
from typing import NamedTuple

_AHEAD_ROWS = 20  # that are looked at to tell whether a row names the columns
_MOST_HEADER_ROWS = 4
_NAME_CHARACTERS = 80  # of a column's name
MOST_COLUMNS = 1_000  # that one cell is merged over
# What merged cells repeat may grow with what the table holds, and not faster.
_ROOM_CHARACTERS = 1_000_000
_ROOM_FACTOR = 10

NO_VALUE = "(formula without a saved value)"

_YEAR = re.compile(r"(?:19|20)\d\d")
_DIGIT = re.compile(r"\d")
_IS_NUMBER = re.compile(r"\W*+\d[\W\d]*+")
_UNIT = re.compile(  # "kg", "(EUR)", "in %", "kWh/m²", "Mio €"
    r"[(\[]?(?:in |per )?(?:[^\W\d]{1,5}|[%°€$£¥])(?:[ /·*.](?:[^\W\d]{1,5}|[%€$£¥])){0,2}[²³]?[)\]]?"
)


class Cell(NamedTuple):
    """A cell of a file: its text, how many rows and columns it is merged over, and whether the file calls it a header.

    is_header: None where the format does not tell headers from other cells.
    """

    text: str
    rows: int = 1
    columns: int = 1
    is_header: bool | None = None


class Row(NamedTuple):
    """A row with merged cells filled.

    goes_on: the places whose text is that of the merged cell to their left.
    is_header: whether the file calls it a header; None where it does not say.
    is_labelled: whether the file calls the first of two cells the header of the other.
    """

    texts: list[str]
    goes_on: Collection[int] = ()
    is_header: bool | None = None
    is_labelled: bool = False

    @property
    def own(self) -> list[int]:
        """The places of the filled cells, of merged ones the first."""
        return [place for place, text in enumerate(self.texts) if text and place not in self.goes_on]


class Line(NamedTuple):
    """What is to be written: a row of facts, or the text of a title or a note."""

    text: str
    is_row: bool


class TooMuchError(Exception):
    """A table whose merged cells would repeat much more than it holds."""


def read_lines(
    rows: Iterable[Sequence[str | Cell] | Row], *, skips: bool, is_sheet: bool, is_named: bool
) -> Iterator[Line | None]:
    """The lines of a table, each row as "Header: value; Header: value"; None where another table begins.

    rows: of cells; a row in which none is merged or called a header may come as Row.
    skips: whether the rows leave out the places that a cell above or to their left is merged over.
    is_sheet: whether an empty row parts two tables.
    is_named: whether a first row of words is a header even where two columns of words follow.
    Raises TooMuchError.
    """
    filled = _fill(rows, skips)
    if not is_sheet:
        filled = (row for row in filled if any(row.texts))
    ahead: deque[Row] = deque()
    header: list[str] | None = None
    labels: list[str] = []
    while True:
        if header is None or (ahead and ahead[0].is_header):  # only these rows are told by those that follow
            ahead.extend(islice(filled, _AHEAD_ROWS - len(ahead)))
        row = ahead.popleft() if ahead else next(filled, None)
        if row is None:
            return
        # Most rows of long tables are several facts below a header; it may be repeated on each page.
        if header and not row.goes_on and row.is_header is None and len(row.texts) <= len(header):
            if row.texts == header:
                continue
            facts = [
                label + text if name != text else text
                for label, name, text in zip(labels, header, row.texts, strict=False)
                if text
            ]
            if len(facts) > 1 or (facts and not row.texts[0]):
                yield Line("; ".join(facts), is_row=True)
                continue
        own = row.own
        if not own:
            header = None
            yield None
            continue
        if row.is_header and header is not None:
            ahead.extend(islice(filled, _AHEAD_ROWS - len(ahead)))
        if header is None and len(own) == 1 and _is_title(row, ahead):
            yield Line(row.texts[own[0]], is_row=False)
        elif (header is None or row.is_header) and (found := _find_header(row, list(ahead), is_named)):
            header, more = found
            labels = [_label(name) for name in header]
            for _ in range(more):
                ahead.popleft()
        elif header is None and _is_above(row, ahead, is_named):
            yield Line(_render_above(row), is_row=True)
        elif header and len(own) == 1 and (own[0] == 0 or row.goes_on):
            yield Line(row.texts[own[0]], is_row=False)
        elif row.texts != header:
            yield Line(_render(header or [], row), is_row=True)
            header = header or []


def _fill(rows: Iterable[Sequence[str | Cell] | Row], skips: bool) -> Iterator[Row]:
    """The rows with each merged cell's text in all of its places. Raises TooMuchError."""
    reaching: dict[int, tuple[str, int, bool]] = {}  # by place: the text, in how many rows more, whether from the left
    room = _ROOM_CHARACTERS
    for row in rows:
        if isinstance(row, Row):
            if not reaching:
                room += _ROOM_FACTOR * len(row.texts)
                yield row
                continue
            row = row.texts
        texts: list[str] = []
        goes_on: set[int] = set()
        flags: list[bool | None] = []
        cells = iter(row)
        last = max(reaching, default=-1)
        while True:
            place = len(texts)
            cell = next(cells, None) if not skips or place not in reaching else ""
            if cell is None and place > last:
                break
            # A cell with a text of its own is not covered, whatever the file says.
            if place not in reaching or (cell[0] if isinstance(cell, Cell) else cell):
                reaching.pop(place, None)
                text, height, width, flag = cell if isinstance(cell, Cell) else (cell or "", 1, 1, None)
                flags += [flag] if text else []
                room += _ROOM_FACTOR * (len(text) + 1)
                for covered in range(place, place + min(max(width, 1), MOST_COLUMNS)):
                    if covered in reaching:
                        break
                    reaching[covered] = text, max(height, 1), covered > place
                    last = max(last, covered)
            text, height, from_left = reaching.pop(place)
            if height > 1:
                reaching[place] = text, height - 1, from_left
            if from_left:
                goes_on.add(place)
            texts.append(text)
            room -= len(text) + 1
            if room < 0:
                raise TooMuchError
        # A row that is nothing but what reaches into it is that above.
        if flags or not (skips or any(texts)):
            yield Row(texts, goes_on, flags[-1] if any(flags) else None, flags == [True, False])


def _is_title(row: Row, ahead: Sequence[Row]) -> bool:
    """Whether a row of one cell stands above the table, rather than above some of its columns."""
    following = next((other for other in ahead if len(other.own) != 1), None)
    if following is None or not following.own:
        return following is not None
    return row.own[0] <= following.own[0] or following is not ahead[0] or _join(row, following) is None


def _is_above(row: Row, ahead: Iterable[Row], is_named: bool) -> bool:
    """Whether a row of facts stands above a table of more columns, whose header follows."""
    rows = list(takewhile(lambda other: other.own, ahead))
    widths = [len(other.own) for other in rows]
    common = max(set(widths), key=widths.count, default=0)
    if not len(row.own) < common > 2 or widths.count(common) * 2 <= len(widths):
        return False
    first = widths.index(common)
    return _find_header(rows[first], rows[first + 1 :], is_named) is not None


def _find_header(row: Row, ahead: list[Row], is_named: bool) -> tuple[list[str], int] | None:
    """The names of the columns, and how many more rows they are made of; None where the row is one of facts."""
    header, more = row, 0
    while more < min(_MOST_HEADER_ROWS - 1, len(ahead) - 1) and (joined := _join(header, ahead[more])):
        header, more = joined, more + 1
    rows = list(takewhile(lambda other: other.own, ahead[more:]))
    if not rows or row.is_header is False:
        return None
    if row.is_header:
        is_header = not (rows[0].is_header and len(rows[0].own) > 1)
    else:
        is_header = more > 0 or (_is_header(header, rows, is_named) and not _is_above(row, rows, is_named))
    if not is_header:
        return None
    if len(rows) > 1 and _are_units(header, rows):
        width = max(len(header.texts), len(rows[0].texts))
        names, units = ([*texts, *[""] * (width - len(texts))] for texts in (header.texts, rows[0].texts))
        header, more = Row([" ".join(filter(_has_words, pair)) for pair in zip(names, units, strict=True)]), more + 1
    return header.texts, more


def _are_units(header: Row, rows: Sequence[Row]) -> bool:
    """Whether the first of the rows below a header holds units of the columns: of numbers all, and for each of them."""
    units, below = rows[0], rows[1:]
    own = [place for place in units.own if _has_words(units.texts[place])]
    return (
        bool(own)
        and not units.goes_on
        and all(_UNIT.fullmatch(units.texts[place]) and place in header.own for place in own)
        and all(_DIGIT.search(text) for place in own for text in _find_values(place, below))
        and all(any(_find_values(place, below)) for place in own)
        # Every column without a unit is one of words.
        and not any(
            all(map(_IS_NUMBER.fullmatch, values))
            for place in header.own
            if place not in own and (values := _find_values(place, below))
        )
    )


def _find_values(place: int, rows: Iterable[Row]) -> list[str]:
    return [row.texts[place] for row in rows if place < len(row.texts) and row.texts[place]]


def _has_words(text: str) -> bool:
    return any(map(str.isalpha, text)) or any(sign in text for sign in "%°€$£¥")


def _join(above: Row, below: Row) -> Row | None:
    """One header of two rows where names in the first stand over several columns of the second: "2023 Revenue"."""
    width = max(len(above.texts), len(below.texts))
    first, second = ([*row.texts, *[""] * (width - len(row.texts))] for row in (above, below))
    spanned: set[int] = set()
    for place in range(1, width):
        # A name over several columns that is not merged stands over the first of them.
        if not first[place] and first[place - 1] and second[place - 1] and second[place]:
            first[place] = first[place - 1]
            spanned |= {place - 1, place}
        elif place in above.goes_on:
            spanned |= {place - 1, place}
    named = {place for place in spanned if second[place]}
    if not named:
        return None
    if not (above.is_header and below.is_header):
        # Beside them the second row must have no other names, unless it fills a corner that the first leaves empty.
        beside = (place for place in range(width) if place not in spanned and (first[0] or not second[0]))
        if any(first[place] and second[place] not in ("", first[place]) for place in beside):
            return None
        if not all(_is_name(text) for place in named for text in (first[place], second[place])):
            return None
    texts = [" ".join(dict.fromkeys(filter(None, names))) for names in zip(first, second, strict=True)]
    header = Row(texts, set(above.goes_on) & set(below.goes_on), above.is_header and below.is_header)
    return header if _differ(header) else None


def _is_header(row: Row, rows: Sequence[Row], is_named: bool) -> bool:
    """Whether the file's own words tell a header: several short names, unlike each other, that name what follows."""
    own, following = row.own, [*rows[0].texts, *[""] * len(row.texts)]
    named = sum(bool(name and text) for name, text in zip(row.texts, following, strict=False))
    # Years are names of several columns, unless years follow.
    are_years = (len(own) > 2 and _has_letter(row.texts[own[0]])) or not row.texts[0]
    return (
        len(own) > 1
        and 0 < named >= sum(map(bool, following)) - 1
        and _differ(row)
        and all(map(_is_name, (row.texts[place] for place in own)))
        and all(_has_letter(row.texts[place]) or (are_years and not _YEAR.fullmatch(following[place])) for place in own)
        and (len(own) > 2 or is_named or _is_unlike(row, rows))
        # A name that ends as a label does, above others that do: what follows each on its line is its value.
        and not any(row.texts[place].endswith(":") and following[place].endswith(":") for place in own)
        and (is_named or not _are_pairs(row, rows))
    )


def _are_pairs(row: Row, rows: Sequence[Row]) -> bool:
    """Whether the rows may be labels and values by turns, "Name | Karl | Phone | 555": words unlike each other in
    every other place, and beside them values of several kinds, or too few to tell."""
    together = [row, *rows]
    if len(row.own) < 4 or any(len(other.texts) % 2 or len(other.own) % 2 for other in together) or len(rows) > 8:
        return False
    labels = [text for other in together for text in other.texts[::2] if text]
    if len({*labels}) < len(labels) or any(_DIGIT.search(text) or not _is_name(text) for text in labels):
        return False
    columns = [_find_values(place, rows) for place in range(1, len(row.texts), 2)]
    kinds = [{_DIGIT.search(value) is not None for value in values} for values in columns]
    return len(rows) == 1 or all(len(kind) == 2 for kind in kinds)


def _is_unlike(row: Row, rows: Sequence[Row]) -> bool:
    """Whether one of two columns has values of a kind of its own below a word; else "Name | Aster" may be a fact."""
    for place in row.own:
        values = [other.texts[place] for other in rows if place < len(other.texts) and len(other.own) > 1]
        values = [value for value in values if not value.endswith(NO_VALUE)]
        of_numbers = all(_DIGIT.search(value) or not _has_letter(value) for value in values)
        if values and not _DIGIT.search(row.texts[place]) and (of_numbers or len({*values}) < len(values)):
            return True
    return not row.texts[0]


def _is_name(text: str) -> bool:
    return len(text) <= _NAME_CHARACTERS and (_has_letter(text) or _YEAR.fullmatch(text) is not None)


def _has_letter(text: str) -> bool:
    return any(map(str.isalpha, text))


def _differ(row: Row) -> bool:
    return len({row.texts[place] for place in row.own}) == len(row.own)


def _label(name: str) -> str:
    if not name:
        return ""
    return f"{name} " if name.endswith(":") else f"{name}: "


def _render_above(row: Row) -> str:
    """A row above a table: of two cells, the first is the label of the other."""
    own = [row.texts[place] for place in row.own]
    is_label = len(own) == 2 and len(own[0]) <= _NAME_CHARACTERS and _has_letter(own[0])
    return f"{_label(own[0])}{own[1]}" if is_label else _render([], row)


def _render(header: list[str], row: Row) -> str:
    if not any(header):
        return _render_unnamed(row)
    header = [*header, *[""] * (len(row.texts) - len(header))]
    end = next(place for place in count(1) if place not in row.goes_on)
    if end > 1 and len({*header[:end]}) > 1:
        header[:end] = [""] * end  # a first cell over columns of several names, as "Total", is of none
    # What is merged over several names is said of each, once.
    said = {place for place in row.goes_on if header[place] in ("", header[place - 1])}
    return "; ".join(
        f"{_label(name)}{text}" if name != text else text
        for place, (name, text) in enumerate(zip(header, row.texts, strict=False))
        if text and place not in said
    )


def _render_unnamed(row: Row) -> str:
    """The cells of a row without a header, and each that ends as a label does with the one after it."""
    texts = [text for place, text in enumerate(row.texts) if text and place not in row.goes_on]
    if row.is_labelled and len(texts) == 2:
        return f"{_label(texts[0])}{texts[1]}"
    facts: list[str] = []
    is_label = False
    for text in texts:
        if is_label and not text.endswith(":"):
            facts[-1] = f"{facts[-1]} {text}"
            is_label = False
        else:
            facts.append(text)
            is_label = text.endswith(":") and len(text) <= _NAME_CHARACTERS
    return " | ".join(facts)
