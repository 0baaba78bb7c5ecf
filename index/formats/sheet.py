"""Tables: Excel workbooks (.xlsx), sheet by sheet, and text with delimiters (.csv, .tsv).

A row becomes "Header: value; Header: value", or its values alone where there is no header.
"""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from index.formats import Extract, UnreadableError
from index.formats.archive import Archive
from index.formats.blocks import Blocks
from index.formats.text import decode

_MOST_CHARACTERS = 200_000_000
_MOST_CELLS = 20_000_000
_EMPTY_ROWS = 100_000  # after so many a sheet is over, whatever its dimension says
_DELIMITERS = ",;\t|"
_NO_DELIMITER = "\x1f"  # a table of one column


def read_csv(content: bytes) -> Extract:
    """The rows of a table; a file that cannot be parted into columns is read line by line."""
    text = decode(content).lstrip("\ufeff").replace("\x00", "")
    sample = text[:20_000]
    delimiter = _find_delimiter(sample)
    # A field may be as long as the file; the default limit of the library is 131,072 characters.
    previous = csv.field_size_limit(len(text) + 1)
    try:
        blocks = Blocks()
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        blocks.table(row for row in rows if any(row))
    except csv.Error as error:
        raise UnreadableError("damaged") from error
    finally:
        csv.field_size_limit(previous)
    return Extract(blocks.text)


def _find_delimiter(sample: str) -> str:
    """The delimiter that parts the first lines into the same number of columns, and the most of them."""
    lines = [line for line in sample.splitlines()[:50] if line.strip()][: -1 if len(sample) == 20_000 else None]
    best, best_score = _NO_DELIMITER, (0.4, 0)
    for delimiter in _DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        except csv.Error:
            continue
        common = max(set(widths), key=widths.count) if widths else 0
        if common > 1 and (score := (round(widths.count(common) / len(widths), 1), common)) > best_score:
            best, best_score = delimiter, score
    return best


def read_xlsx(content: bytes) -> Extract:
    """The rows of every sheet that is to be seen, each sheet under its name. Raises UnreadableError."""
    import openpyxl

    # openpyxl unpacks what it finds: first see that no member is too large, or lies about its size.
    archive = Archive(content)
    for name in archive.names:
        if name.endswith((".xml", ".rels")):
            archive.read(name)
    blocks = Blocks()
    try:
        with warnings.catch_warnings():
            # It warns of what it leaves out: colours, validations, print areas.
            warnings.simplefilter("ignore")
            workbook = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
            for sheet in workbook.worksheets:
                if sheet.sheet_state == "visible":
                    sheet.reset_dimensions()
                    rows = list(_read_rows(sheet.iter_rows(values_only=True)))
                    if rows:
                        blocks.heading(sheet.title, 2)
                        blocks.table(rows)
            workbook.close()
    except (MemoryError, UnreadableError):
        raise
    except Exception as error:
        # openpyxl raises whatever its code meets in a broken file: KeyError, TypeError, SyntaxError ...
        raise UnreadableError("damaged") from error
    title, found = archive.read_properties()
    return Extract(blocks.text, title, found)


def _read_rows(rows: Iterator[tuple[object, ...]]) -> Iterator[list[str]]:
    """The rows from the first that is filled to the last, empty columns at their ends left out."""
    empty = cells = 0
    begun = False
    for row in rows:
        values = [_write(value) for value in row]
        while values and not values[-1]:
            values.pop()
        empty = 0 if values else empty + 1
        cells += len(row)
        if cells > _MOST_CELLS:
            raise UnreadableError("too large (cells)")
        if empty > _EMPTY_ROWS:
            return
        begun = begun or bool(values)
        if begun and empty <= 1:
            yield values


def _write(value: object) -> str:
    """A cell as a person would write it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.15g}"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "minutes")
    if isinstance(value, (date, time, timedelta)):
        return str(value)
    return str(value)
