"""Tables out of lines: rows whose cells tabs, bars or spaces part, and rows that name the column of each cell.

Spreadsheets and the tables of office files are kept as "City: Oslo; Grade: Staff" for each row. They become a grid
again: the names that several rows have in common are its columns, each in the order in which rows have them.

But: where a cell's words look like a further cell, "see note; Page: 3", that is one if other rows have the name too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from index.splitting.blocks import CELL_BAR, part_cells, trim
from index.viewing.blocks import Block, Line

MOST_COLUMNS = 100
_FACT = re.compile(r"(?P<name>[^:;\n][^;\n]{0,80}?): (?=\S)|(?P<empty>[^:;\n][^:;\n]{0,80}):$")
_PARTS = "; "


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell: its offsets with the marks around it, which tile its row, and what is shown of it.

    column: which one, from 0. columns: over how many it reaches. is_label: whether it heads the rows below it.
    """

    start: int
    end: int
    begin: int
    stop: int
    column: int
    columns: int = 1
    is_label: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells. head_count: how many of the first name columns. names: of columns that no row names alone."""

    rows: tuple[tuple[Cell, ...], ...]
    head_count: int = 0
    names: tuple[str, ...] = ()


def to_tables(text: str, block: Block) -> Iterator[Table | Sequence[Line]]:
    """The tables that a block of a list or of rows makes, and the lines between them that are items of a list."""
    if block.form == "table":
        yield _to_table(text, block.lines)
        return
    counts = Counter(name for line in block.lines for name, _, _ in _find_facts(text, line))
    # What only one of several rows names is as likely a part of a cell's words.
    names = {name for name, count in counts.items() if count > 1 or len(block.lines) == 1}
    items: list[Line] = []
    for kind, group in groupby(block.lines, lambda line: _find_kind(text, line, names)):
        lines = tuple(group)
        table = _to_grid(text, lines, names) if kind == "facts" else None
        if kind == "bars" and len(lines) > 1:
            table = _to_table(text, lines, CELL_BAR)
        if table is None:
            items += lines
            continue
        if items:
            yield items
            items = []
        yield table
    if items:
        yield items


def _find_kind(text: str, line: Line, names: set[str]) -> str:
    facts = _find_facts(text, line)
    if facts and any(name in names for name, _, _ in facts) and "\n" not in text[line.begin : line.stop]:
        return "facts"
    return "bars" if CELL_BAR in text[line.begin : line.stop] else "item"


def _find_facts(text: str, line: Line) -> list[tuple[str, int, int]]:
    """What may be the cells of a row that names their columns: each name, where the cell and where its words begin."""
    facts = []
    place = line.begin
    for part in text[line.begin : line.stop].split(_PARTS):
        match = _FACT.match(part)
        name = "" if match is None else match["name"] or match["empty"]
        facts.append((name, place, place + (match.end() if match else 0)))
        place += len(part) + len(_PARTS)
    named = sum(bool(name) for name, _, _ in facts)
    return facts if named > 1 or (named and len(facts) > 1) or (named and line.form == "item") else []


def _to_grid(text: str, lines: Sequence[Line], names: set[str]) -> Table | None:
    """The table of rows that name the columns of their cells; None where there are too many columns, or but one."""
    rows = [_choose(_find_facts(text, line), names) for line in lines]
    columns: list[str] = []
    for row in rows:
        place = 0
        for name, _, _ in row:
            if name in columns:
                place = max(place, columns.index(name) + 1)
            else:
                columns.insert(place, name)
                place += 1
                if len(columns) > MOST_COLUMNS:
                    return None
    if len(columns) < 2 or not any(columns):
        return None
    start = lines[0].start
    written = []
    for line, row in zip(lines, rows, strict=True):
        cells: list[Cell] = []
        for name, begin, words in row:
            column = columns.index(name)
            if cells and column <= cells[-1].column:
                continue  # out of its order: the words of the cell before
            if cells:
                cells[-1] = replace(cells[-1], end=begin - len(_PARTS), stop=begin - len(_PARTS))
                start = cells[-1].end
            cells.append(Cell(start, line.end, words, line.stop, column))
        written.append(tuple(cells))
        start = line.end
    return Table(tuple(written), names=tuple(columns))


def _choose(facts: list[tuple[str, int, int]], names: set[str]) -> list[tuple[str, int, int]]:
    """The cells among what may be some: the first, which may have no name, and those whose name others have too."""
    chosen = []
    for number, (name, begin, words) in enumerate(facts):
        if name in names:
            chosen.append((name, begin, words))
        elif number == 0:
            chosen.append(("", begin, begin))
    return chosen


def _to_table(text: str, lines: Sequence[Line], mark: str = "") -> Table:
    """The table of rows whose cells are parted by a mark, or by tabs, bars or spaces; rules between them are marks."""
    shown = [line for line in lines if line.form != "rule"] or list(lines)
    head_count = 0
    while head_count < len(shown) and shown[head_count].form == "columns":
        head_count += 1
    parted = [
        [(line.begin, line.stop)] if line.form in ("label", "rule") else _part(text, line, mark) for line in shown
    ]
    width = max(map(len, parted))
    start = lines[0].start
    rows = []
    for line, spans in zip(shown, parted, strict=True):
        cells = []
        for column, (begin, stop) in enumerate(spans):
            is_last = column == len(spans) - 1
            end = line.end if is_last else stop
            columns = width - column if is_last and line.form == "label" else 1
            cells.append(Cell(start, end, begin, stop, column, columns, line.form == "label"))
            start = end
        rows.append(tuple(cells))
    last = lines[-1].end
    rows[-1] = (*rows[-1][:-1], replace(rows[-1][-1], end=last))
    return Table(tuple(rows), head_count)


def _part(text: str, line: Line, mark: str) -> list[tuple[int, int]]:
    """The offsets of the words of a row's cells."""
    if mark:
        spans, place = [], line.begin
        for part in text[line.begin : line.stop].split(mark):
            spans.append(trim(text, place, place + len(part)))
            place += len(part) + len(mark)
        return spans
    # From the line's start, since what stands before the first words is where empty cells are.
    return [trim(text, line.start + a, line.start + b) for a, b in part_cells(text[line.start : line.end])]
