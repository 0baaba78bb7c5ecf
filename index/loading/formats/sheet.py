"""Tables: Excel workbooks (.xlsx), sheet by sheet, and text with delimiters (.csv, .tsv).

A row becomes "Header: value; Header: value", or its values alone where there is no header.
"""

from __future__ import annotations

import contextlib
import csv
import io
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from html import unescape
from itertools import chain
from typing import Any, NamedTuple

from index.loading.formats import Extract, UnreadableError
from index.loading.formats.archive import Archive, attribute, whole_number
from index.loading.formats.asides import tell_comment
from index.loading.formats.blocks import Blocks
from index.loading.formats.grid import NO_VALUE, Cell
from index.loading.formats.text import count_broken, decode, say_broken

_EMPTY_SHEET = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData/></worksheet>'
_MOST_CELLS = 20_000_000
_MOST_ROWS = 1_048_576  # that a sheet can have
_MOST_COLUMNS = 20_000  # more than a sheet can have
# A cell with a formula but without the value that it came to; that of a text ("str") may be empty.
_UNCOMPUTED = re.compile(rb"<c\b([^<>]*+)><f[^<>]*+>(?:([^<]*+)</f>)?+(?:<v ?/>|<v></v>)?</c>")
_LONGEST_FORMULA = 200  # bytes of one that is told
_PLACE = re.compile(rb"\br=.([A-Z]{1,3}\d{1,7})\b")
_MERGED = re.compile(rb"mergeCell\s[^<>]{0,99}?\bref=.([A-Z]{1,3}\d{1,7}):([A-Z]{1,3}\d{1,7})\b")
_FORMAT_PIECE = re.compile(
    r'"(?P<words>[^"]{0,255}+)"|\\(?P<escaped>.)|_.|\*.|\[\$(?P<currency>[^\]-]{0,255}+)[^\]]{0,255}+\]|\[[^\]<>=]{0,255}+\]'
    r"|(?P<digits>[#0?][#0?.,]*+(?:(?:\\ | )##0[#0?.,]*+)*+)|(?P<general>General)|(?P<sign>.)"
)
_IS_PLACES = re.compile(r"[#0?]+")
_TIME_ONLY = re.compile(r"[mAPap/.:0 ]*+[hs][hmsAPap/.:0 ]*+")  # the letters of a format that shows no day
_LONGEST_FORMAT = 255  # characters
_DELIMITERS = ",;\t|"
_NAMED_DELIMITER = re.compile(r"sep=(?P<delimiter>[^\w\s\"]|\t)\r?\n", re.IGNORECASE)  # as Excel reads it
_NO_DELIMITER = "\x1f"  # a table of one column


def read_csv(content: bytes) -> Extract:
    """The rows of a table; a file that cannot be parted into columns is read line by line."""
    text = decode(content).lstrip("\ufeff").replace("\x00", "")
    named = _NAMED_DELIMITER.match(text)
    text = text[named.end() :] if named else text
    delimiter = named["delimiter"] if named else _find_delimiter(text[:20_000])
    # A field may be as long as the file; the default limit of the library is 131,072 characters.
    previous = csv.field_size_limit(len(text) + 1)
    try:
        blocks = Blocks()
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        # Some programs end each line twice; else an empty one parts two tables.
        sample = text[:20_000].splitlines()
        is_spaced = sum(not line.strip() for line in sample) * 3 > len(sample)
        blocks.table(filter(any, rows) if is_spaced else _keep_one_gap(rows), is_sheet=True, is_named=True)
    except csv.Error as error:
        raise UnreadableError("damaged") from error
    finally:
        csv.field_size_limit(previous)
    blocks.miss(say_broken(count_broken(content, text)))
    return Extract(blocks.text, unread=blocks.unread)


def _keep_one_gap(rows: Iterable[list[str]]) -> Iterator[list[str]]:
    """The rows from the first that is filled, one for each run of empty ones."""
    was_filled = False
    for row in rows:
        is_filled = any(row)
        if is_filled or was_filled:
            yield row if is_filled else []
        was_filled = is_filled


def _find_delimiter(sample: str) -> str:
    """The delimiter that parts the first lines into the same number of columns, and the most of them.

    Lines above the first that has so many count little: a title and the like may stand above a table.
    """
    lines = [line for line in sample.splitlines()[:50] if line.strip()][: -1 if len(sample) == 20_000 else None]
    best, best_score = _NO_DELIMITER, (0.4, 0)
    for delimiter in _DELIMITERS:
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=delimiter)]
        except csv.Error:
            continue
        several = [width for width in widths if width > 1]
        common = max(set(several), key=several.count, default=0)
        below = widths[widths.index(common) :] if common else []
        found = below.count(common)
        if (found > 1 or len(widths) == 1 == found) and (
            score := (round(found / (len(below) + (len(widths) - len(below)) / 4), 1), common)
        ) > best_score:
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
    title, author, found = archive.read_properties()
    blocks = Blocks()
    blocks.author(author)
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
                _write_sheet(sheet, marked.get(sheet._worksheet_path, {}), _find_comments(archive, sheet), blocks)
            except Exception as error:
                missing.append(f"{sheet.title} ({_damaged(error)})")
    workbook.close()
    for sheet in workbook.worksheets:
        blocks.miss(f"the hidden sheet {sheet.title}" if sheet.sheet_state != "visible" else "")
    for name in missing:
        blocks.miss(f"the sheet {name}")
    charts = len(workbook.chartsheets)
    blocks.miss(f"{charts:,} chart sheet{'s' * (charts > 1)}" if charts else "")
    uncomputed = sum(bool(cell.text) for cells in marked.values() for cell in cells.values())
    blocks.miss(f"{uncomputed:,} formula{'s' * (uncomputed > 1)} saved without a value" if uncomputed else "")
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

    marked = {}
    for merge in _MERGED.finditer(part):
        (top, left), (bottom, right) = (coordinate_to_tuple(corner.decode()) for corner in merge.groups())
        marked[top * _MOST_COLUMNS + left] = Cell("", bottom - top + 1, right - left + 1)
    for cell in _UNCOMPUTED.finditer(part):
        if b't="str"' not in cell[1]:
            corner = _PLACE.search(cell[1])
            row, column = coordinate_to_tuple(corner[1].decode()) if corner else (-1 - cell.start(), 0)
            formula = (
                unescape((cell[2] or b"").decode(errors="replace")) if len(cell[2] or b"") <= _LONGEST_FORMULA else ""
            )
            marked[row * _MOST_COLUMNS + column] = Cell(f"={formula} {NO_VALUE}" if formula else NO_VALUE)
    return marked


def _find_comments(archive: Archive, sheet: Any) -> dict[str, list[tuple[str | None, str]]]:
    """The comments on a sheet's cells, each as who made it and what it says, by the cells' names: "B2"."""
    comments: dict[str, list[tuple[str | None, str]]] = {}
    for kind, root in archive.try_all_related(sheet._worksheet_path, "threadedComment", "comments"):
        authors = [author.text for author in root.iterfind("{*}authors/{*}author")]
        for comment in root.iter("{*}threadedComment", "{*}comment"):
            text = "".join(str(part.text or "") for part in comment.iter("{*}t", "{*}text"))
            number = whole_number(comment, "authorId", -1)
            author = authors[number] if 0 <= number < len(authors) else None
            # Old programs are told of a thread in a comment of their own.
            if kind == "threadedComment" or not (author or "").startswith("tc="):
                text = text.removeprefix(f"{author}:")
                comments.setdefault(comment.get("ref") or "", []).append((author, text))
    return comments


def _write_sheet(
    sheet: Any, marked: dict[int, Cell], comments: dict[str, list[tuple[str | None, str]]], blocks: Blocks
) -> None:
    commented: dict[str, str] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sheet.reset_dimensions()
        rows = _read_rows(_watch(sheet.iter_rows(), comments, commented), marked, blocks, sheet.title)
        first = next(rows, None)
        if first is not None:
            blocks.heading(sheet.title, 2)
            blocks.table(chain([first], rows), is_sheet=True)
        for place, told in comments.items():
            for author, text in told:
                blocks.paragraph(tell_comment(author, commented.get(place) or place, text))


def _watch(
    rows: Iterator[tuple[Any, ...]], comments: Mapping[str, object], commented: dict[str, str]
) -> Iterator[tuple[Any, ...]]:
    """The rows, of which each cell that is commented on is noted, with what its row begins with."""
    from openpyxl.utils.cell import coordinate_to_tuple

    places: dict[int, list[tuple[int, str]]] = {}
    for place in comments:
        with contextlib.suppress(ValueError):
            row, column = coordinate_to_tuple(place)
            places.setdefault(row, []).append((column, place))
    for number, cells in enumerate(rows, 1):
        for column, place in places.get(number, ()):
            said = [_write(cell) for cell in (cells[0], *cells[column - 1 : column]) if cell.value is not None]
            commented[place] = " | ".join(dict.fromkeys(said))
        yield cells


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
        if value.time() != time() and _TIME_ONLY.fullmatch(_strip_format(_find_format(cell))):
            return _write_time(value.time())
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "minutes")
    if isinstance(value, timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02}" + (f":{seconds:02}" if seconds else "")
    if isinstance(value, time):
        return _write_time(value)
    return str(value)


def _write_time(value: time) -> str:
    return value.isoformat("seconds" if value.second else "minutes")


def _find_format(cell: Any) -> str:
    """The code of a cell's number format; "" where the file has no such style."""
    try:
        return str(cell.number_format)
    except IndexError:
        return ""


@lru_cache
def _strip_format(code: str) -> str:
    """The letters of a format, without what it only quotes."""
    pieces = _FORMAT_PIECE.finditer(code[:_LONGEST_FORMAT].partition(";")[0])
    return "".join(piece["sign"] or "" for piece in pieces)


def _write_number(value: float, cell: Any) -> str:
    """A number as its format shows it: "12.50%", "€1,234.50", "3 kg", "00501", "555-0102"."""
    plain = f"{value:.15g}" if isinstance(value, float) else str(value)
    sections = _read_format(_find_format(cell))
    if not sections:
        return plain
    shown, sign = sections[0], "-" * (value < 0)
    # Of a section for negative numbers only words count: parentheses and colours stand for the sign.
    if value < 0 and len(sections) > 1 and _letters(sections[1]) != _letters(shown):
        shown, sign = sections[1], ""
    if not shown.runs:
        return f"{sign}{shown.before}{plain.lstrip('-')}{shown.after}"
    try:
        return f"{sign}{shown.before}{_set_digits(abs(value), shown)}{shown.after}"
    except (OverflowError, ValueError, InvalidOperation):
        return plain  # a number beyond all floats, or of more digits than are told apart


def _letters(shown: _Shown) -> list[str]:
    return [*filter(str.isalpha, shown.before + shown.after)]


class _Shown(NamedTuple):
    """How a format shows a number: what stands before and after it, and its digits.

    runs: of digits that the format parts with words of its own; of them the last alone may have decimals. None where
        the number is shown as it is.
    words: between these runs.
    """

    before: str
    after: str
    runs: tuple[str, ...]
    words: tuple[str, ...]
    factor: int


def _set_digits(value: float, shown: _Shown) -> str:
    """A number in the digits of a format, with as many decimals, leading zeros and separators as it asks for."""
    if len(shown.runs) > 1:  # a telephone number and its like: digits from the right into their places
        digits = f"{value:.0f}".zfill(sum(map(len, shown.runs)))
        parts = []
        for run, words in zip(reversed(shown.runs), (*reversed(shown.words), ""), strict=True):
            cut = max(0, len(digits) - len(run)) if words else 0
            parts += [digits[cut:], words]
            digits = digits[:cut]
        return "".join(reversed(parts))
    run = shown.runs[0].rstrip(",")
    whole, _, decimals = run.partition(".")
    scaled = value * shown.factor / 1000 ** (len(shown.runs[0]) - len(run))
    # Half is rounded up, of the number as it is written.
    rounded = Decimal(f"{scaled:.15g}").quantize(Decimal(1).scaleb(-len(decimals)), ROUND_HALF_UP)
    digits, _, rest = f"{rounded:f}".partition(".")
    least = len(decimals.rstrip("#"))
    rest = rest[:least] + rest[least:].rstrip("0")
    digits = digits.zfill(whole.count("0"))
    if parting := next((mark for mark in (",", " ") if mark in whole.replace("\\", "")), ""):
        digits = f"{int(digits):,}".replace(",", parting)
    return f"{digits}.{rest}" if rest else digits


@lru_cache
def _read_format(code: str) -> tuple[_Shown, ...]:
    """How an Excel format shows a number, and how one below zero where it says; empty where that cannot be told."""
    sections: list[_Shown] = []
    for section in code.split(";")[:2] if len(code) <= _LONGEST_FORMAT else ():
        shown = _read_section(section)
        if shown is None:
            break
        sections.append(shown)
    return tuple(sections)


def _read_section(section: str) -> _Shown | None:
    words = [""]
    runs: list[str] = []
    factor = 1
    for piece in _FORMAT_PIECE.finditer(section):
        sign = piece["sign"] or ""
        if sign.isalnum() or sign in {"/", "@", "["}:
            return None  # dates, fractions, powers, conditions
        if sign == "%":
            factor = 100
        if piece["digits"] or piece["general"]:
            runs.append(piece["digits"] or "")
            words.append("")
        else:
            words[-1] += piece["words"] or piece["currency"] or piece["escaped"] or sign
    is_plain = runs == [""]
    if not runs or (len(runs) > 1 and (factor > 1 or not all(map(_IS_PLACES.fullmatch, runs)))):
        return None
    before, *between, after = words
    if is_plain and not (before.strip() or after.strip()):
        return None
    return _Shown(before.lstrip(), after.rstrip(), () if is_plain else tuple(runs), tuple(between), factor)
