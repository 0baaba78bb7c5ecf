"""Tables: Excel workbooks (.xlsx), sheet by sheet, and text with delimiters (.csv, .tsv).

A row becomes "Header: value; Header: value", or its values alone where there is no header.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import chain
from typing import Any

from index.loading.formats import Extract, UnreadableError
from index.loading.formats.archive import Archive, attribute
from index.loading.formats.blocks import Blocks
from index.loading.formats.text import count_broken, decode, say_broken

_EMPTY_SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData/></worksheet>'
_MOST_CELLS = 20_000_000
_MOST_ROWS = 1_048_576  # that a sheet can have
_UNCOMPUTED = re.compile(rb"</f>(?:<v ?/>|<v></v>)?</c>")  # a formula without the value that it came to
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
    blocks.miss(say_broken(count_broken(content, text)))
    return Extract(blocks.text, unread=blocks.unread)


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
    uncomputed = 0
    faults: dict[str, UnreadableError] = {}  # of sheets, which the others can be read without
    for name in archive.names:
        if name.endswith((".xml", ".rels")):
            try:
                uncomputed += len(_UNCOMPUTED.findall(archive.read(name)))
            except UnreadableError as error:
                if "/worksheets/" not in name:
                    raise
                faults[name] = error
    blocks = Blocks()
    try:
        with warnings.catch_warnings():
            # It warns of what it leaves out: colours, validations, print areas.
            warnings.simplefilter("ignore")
            if faults:
                content = archive.replace(faults, _EMPTY_SHEET)
            workbook = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    except Exception as error:
        raise next(iter(faults.values()), _damaged(error)) from error
    missing = _find_missing(archive, [*workbook.sheetnames])
    seen: set[str] = set()  # sheets that are one and the same part are read once
    for sheet in workbook.worksheets:
        if sheet.sheet_state == "visible" and sheet._worksheet_path not in seen:
            seen.add(sheet._worksheet_path)
            try:
                if sheet._worksheet_path in faults:
                    raise faults[sheet._worksheet_path]
                _write_sheet(sheet, blocks)
            except Exception as error:
                missing.append(f"{sheet.title} ({_damaged(error)})")
    workbook.close()
    for name in missing:
        blocks.miss(f"the sheet {name}")
    charts = len(workbook.chartsheets)
    blocks.miss(f"{charts:,} chart sheet{'s' * (charts > 1)}" if charts else "")
    blocks.miss(f"{uncomputed:,} formula{'s' * (uncomputed > 1)} saved without a value" if uncomputed else "")
    title, found = archive.read_properties()
    archive.tell_unread(blocks)
    return Extract(blocks.text, title, found, unread=blocks.unread)


def _damaged(error: Exception) -> UnreadableError:
    """What to say of an error of openpyxl, which raises whatever its code meets in a broken file."""
    if isinstance(error, MemoryError):
        raise error
    return error if isinstance(error, UnreadableError) else UnreadableError("damaged")


def _find_missing(archive: Archive, names: list[str]) -> list[str]:
    """The sheets that a workbook names and openpyxl passed over, since they are not there."""
    root = archive.try_xml(archive.find_related("", "officeDocument") or "xl/workbook.xml")
    declared = (
        [attribute(sheet, "name") or "" for sheet in root.iterfind("{*}sheets/{*}sheet")] if root is not None else []
    )
    return [f"{name} (missing)" for name in declared if name not in names]


def _write_sheet(sheet: Any, blocks: Blocks) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sheet.reset_dimensions()
        rows = _read_rows(sheet.iter_rows(values_only=True), blocks, sheet.title)
        first = next(rows, None)
        if first is not None:
            blocks.heading(sheet.title, 2)
            blocks.table(chain([first], rows))


def _read_rows(rows: Iterator[tuple[object, ...]], blocks: Blocks, title: str) -> Iterator[list[str]]:
    """The rows from the first that is filled to the last, empty columns at their ends left out."""
    empty = cells = 0
    begun = False
    for number, row in enumerate(rows):
        values = [_write(value) for value in row]
        while values and not values[-1]:
            values.pop()
        empty = 0 if values else empty + 1
        cells += len(row)
        if cells > _MOST_CELLS or number >= _MOST_ROWS:
            what = f"{_MOST_CELLS:,} cells" if cells > _MOST_CELLS else f"{_MOST_ROWS:,} rows"
            blocks.miss(f"what the sheet {title} holds after {what}")
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
