"""Tables: Excel workbooks (.xlsx), sheet by sheet, and text with delimiters (.csv, .tsv).

A row becomes "Header: value; Header: value", or its values alone where there is no header.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

from index.loading.formats import Extract, UnreadableError
from index.loading.formats.archive import Archive, attribute
from index.loading.formats.blocks import Blocks
from index.loading.formats.grid import NO_VALUE, Cell
from index.loading.formats.text import count_broken, decode, say_broken

_EMPTY_SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData/></worksheet>'
_MOST_CELLS = 20_000_000
_MOST_ROWS = 1_048_576  # that a sheet can have
_MOST_COLUMNS = 20_000  # more than a sheet can have
# A cell with a formula but without the value that it came to; that of a text ("str") may be empty.
_UNCOMPUTED = re.compile(rb"<c\b([^<>]*+)><f[^<>]*+>(?:[^<]*+</f>)?+(?:<v ?/>|<v></v>)?</c>")
_PLACE = re.compile(rb"\br=.([A-Z]{1,3}\d{1,7})\b")
_MERGED = re.compile(rb"mergeCell\s[^<>]{0,99}?\bref=.([A-Z]{1,3}\d{1,7}):([A-Z]{1,3}\d{1,7})\b")
_FORMAT_PIECE = re.compile(
    r'"(?P<words>[^"]{0,255}+)"|\\(?P<escaped>.)|_.|\*.|\[\$(?P<currency>[^\]-]{0,255}+)[^\]]{0,255}+\]|\[[^\]<>=]{0,255}+\]'
    r"|(?P<digits>[#0?][#0?.,]*+)|(?P<sign>.)"
)
_LONGEST_FORMAT = 255  # characters
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
        blocks.table((row for row in rows if any(row)), is_sheet=True, is_named=True)
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
    marked: dict[str, dict[int, Cell]] = {}
    faults: dict[str, UnreadableError] = {}  # of sheets, which the others can be read without
    for name in archive.names:
        if name.endswith((".xml", ".rels")):
            try:
                marked[name] = _find_marked(archive.read(name))
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
                _write_sheet(sheet, marked.get(sheet._worksheet_path, {}), blocks)
            except Exception as error:
                missing.append(f"{sheet.title} ({_damaged(error)})")
    workbook.close()
    for name in missing:
        blocks.miss(f"the sheet {name}")
    charts = len(workbook.chartsheets)
    blocks.miss(f"{charts:,} chart sheet{'s' * (charts > 1)}" if charts else "")
    uncomputed = sum(bool(cell.text) for cells in marked.values() for cell in cells.values())
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


def _find_marked(part: bytes) -> dict[int, Cell]:
    """What openpyxl does not tell of a sheet's cells, by their places: those merged, and those not computed."""
    from openpyxl.utils.cell import coordinate_to_tuple

    unknown = Cell(NO_VALUE)
    marked = {}
    for merge in _MERGED.finditer(part):
        (top, left), (bottom, right) = (coordinate_to_tuple(corner.decode()) for corner in merge.groups())
        marked[top * _MOST_COLUMNS + left] = Cell("", bottom - top + 1, right - left + 1)
    for cell in _UNCOMPUTED.finditer(part):
        if b't="str"' not in cell[1]:
            corner = _PLACE.search(cell[1])
            row, column = coordinate_to_tuple(corner[1].decode()) if corner else (-1 - cell.start(), 0)
            marked[row * _MOST_COLUMNS + column] = unknown
    return marked


def _write_sheet(sheet: Any, marked: dict[int, Cell], blocks: Blocks) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sheet.reset_dimensions()
        rows = _read_rows(sheet.iter_rows(), marked, blocks, sheet.title)
        first = next(rows, None)
        if first is not None:
            blocks.heading(sheet.title, 2)
            blocks.table(chain([first], rows), is_sheet=True)


def _read_rows(
    rows: Iterator[tuple[Any, ...]], marked: dict[int, Cell], blocks: Blocks, title: str
) -> Iterator[list[str | Cell]]:
    """The rows from the first that is filled to the last, empty columns at their ends left out."""
    empty = cells = reached = 0
    begun = False
    for number, row in enumerate(rows, 1):
        texts = ["" if cell.value is None else _write(cell) for cell in row]
        values: list[str | Cell] = [*texts]
        for column, text in enumerate(texts) if marked else ():
            found = marked.get(number * _MOST_COLUMNS + column + 1)
            if found and (text or found.text):
                values[column] = found._replace(text=text or found.text)
                reached = max(reached, number + found.rows - 1)
        while values and not values[-1]:
            values.pop()
        empty = 0 if values else empty + 1
        cells += len(row)
        if cells > _MOST_CELLS or number > _MOST_ROWS:
            what = f"{_MOST_CELLS:,} cells" if cells > _MOST_CELLS else f"{_MOST_ROWS:,} rows"
            blocks.miss(f"what the sheet {title} holds after {what}")
            return
        begun = begun or bool(values)
        # Of several empty rows one says as much, but those that merged cells reach into count.
        if begun and (empty <= 1 or number <= reached):
            yield values


def _write(cell: Any) -> str:
    """A cell as a person would write it."""
    value = cell.value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return _write_number(value, cell)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "minutes")
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}" + (f":{seconds:02}" if seconds else "")
    if isinstance(value, time):
        return value.isoformat("seconds" if value.second else "minutes")
    return str(value)


def _write_number(value: float, cell: Any) -> str:
    """A number with the sign or the unit that its format gives it: "12.5%", "€12.50", "3 kg"; "00501"."""
    try:
        if shown := _read_format(cell.number_format):
            digits = f"{abs(value) * shown.factor:.{shown.decimals}f}"
            if "." in digits and (shown.factor == 100 or not digits.partition(".")[2].strip("0")):
                digits = digits.rstrip("0").rstrip(".")
            return f"{'-' * (value < 0)}{shown.before}{digits.zfill(shown.zeros)}{shown.after}"
    except (IndexError, OverflowError):
        pass  # a style that the file does not have, a number beyond all floats
    return f"{value:.15g}" if isinstance(value, float) else str(value)


class _Shown(NamedTuple):
    """How a format shows a number: what stands before and after it, and what it is multiplied with."""

    before: str
    after: str
    zeros: int
    decimals: int
    factor: float


@lru_cache
def _read_format(code: str) -> _Shown | None:
    """How an Excel format shows a number; None where that is the number as it is, or where no sign or unit is told."""
    before = after = number = ""
    factor = 1
    for piece in _FORMAT_PIECE.finditer(code.partition(";")[0] if len(code) <= _LONGEST_FORMAT else ""):
        sign = piece["sign"] or ""
        if (piece["digits"] and number) or sign.isalnum() or sign in {"/", "@", "["}:
            return None  # fractions, powers, telephone numbers, conditions
        if sign == "%":
            factor = 100
        words = piece["words"] or piece["currency"] or piece["escaped"] or sign
        if piece["digits"]:
            number = piece["digits"]
        elif number:
            after += words
        else:
            before += words
    whole, _, decimals = number.rstrip(",").partition(".")
    zeros = whole.count("0") if set(whole) == {"0"} else 0
    if not number or not (before.strip() or after.strip() or zeros > 1):
        return None
    return _Shown(
        before, after.rstrip(), zeros, len(decimals), factor / 1000 ** (len(number) - len(number.rstrip(",")))
    )
