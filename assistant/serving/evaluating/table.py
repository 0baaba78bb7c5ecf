"""Questions as the rows of a table, CSV as spreadsheets write it: which file is one, how it is read, how it is written.

The first row names the columns: question, answers, evidence, path, answerable, history, rejected, draft, note, in any
order and any case; "answer", or "Answer 2", is `answers` too. A column may stand several times. Several answers of one
cell are parted by "|", or are a JSON list, as several pieces of evidence are. path: of the document that the evidence
stands in; one for all pieces, or a column for each. draft: says that nobody has corrected the row. note: is not read.

Commas, semicolons and tabs part the cells, with Excel's "sep=;" before the first row or without; the encoding is found
as that of a document is: UTF-8 and UTF-16 with their marks, UTF-8, else the likeliest old one.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO, TextIO

from index.errors import InputError
from index.settings import shorten

LARGEST_TABLE_BYTES = 20_000_000
COLUMNS = ("question", "answers", "evidence", "path", "answerable", "history", "rejected", "draft", "note")

_ALSO = {"questions": "question", "answer": "answers", "paths": "path", "notes": "note", "comment": "note"}
_UNREAD = ("", "note", "thumb")
_DELIMITERS = ",;\t"
_NAMED_DELIMITER = re.compile(r"sep=(?P<delimiter>[,;\t|])\r?\n", re.IGNORECASE)
_TRUTH = {
    **dict.fromkeys(("", "true", "yes", "1", "ja", "wahr", "oui", "vrai"), True),
    **dict.fromkeys(("false", "no", "0", "nein", "falsch", "non", "faux"), False),
}
# What a spreadsheet would compute: such a cell is written behind an apostrophe, which is taken off again.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def is_table(begin: bytes, suffix: str) -> bool:
    """Whether a file of questions is a table, by its first bytes; suffix: of its name, where these do not tell."""
    if begin.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        return False
    if begin.startswith((b"\xff\xfe", b"\xfe\xff", b"PK\x03\x04")) or suffix.lower() in (".csv", ".tsv"):
        return True
    text = begin.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    try:
        return "question" in _open(text)[1]
    except (csv.Error, StopIteration):
        return False


def read_table(stream: BinaryIO) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each row with the number of the line that it begins on, in the form of a JSON line of `cases`.

    Raises InputError, which names the line, where the table cannot be read.
    """
    text = _decode(stream.read(LARGEST_TABLE_BYTES + 1))
    named = _NAMED_DELIMITER.match(text)
    try:
        rows, columns = _open(text)
    except csv.Error as error:
        raise _refuse(1, error) from error
    except StopIteration:
        return
    before = bool(named)
    if "question" not in columns:
        raise InputError(f'line {rows.line_num + before}: no column is named "question"; name the columns in it.')
    if unknown := [name for name in columns if name not in (*COLUMNS, *_UNREAD)]:
        told = f"it names the columns {', '.join(map(shorten, unknown[:5]))}; the columns are {', '.join(COLUMNS)}"
        raise InputError(f"line {rows.line_num + before}: {told}. Name one of your own: note.")
    while True:
        number = rows.line_num + 1 + before
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            raise _refuse(rows.line_num + before, error) from error
        if not any(cell.strip() for cell in row):
            continue
        try:
            yield number, _read_row(columns, row)
        except InputError as error:
            raise InputError(f"line {number}: {error}") from error


def _decode(content: bytes) -> str:
    from index.loading.formats import UnreadableError
    from index.loading.formats.text import decode

    if len(content) > LARGEST_TABLE_BYTES:
        raise InputError(f"line 1: the table is larger than {LARGEST_TABLE_BYTES:,} bytes; part it.")
    try:
        return decode(content).removeprefix("\ufeff")
    except UnreadableError as error:
        raise InputError("line 1: it is no text; save a workbook as CSV (UTF-8), and give that.") from error


def _open(text: str) -> tuple[Any, list[str]]:
    """A reader of the rows after the first that is filled, and the names of the columns, which that tells."""
    named = _NAMED_DELIMITER.match(text)
    best: tuple[Any, list[str]] | None = None
    for delimiter in named["delimiter"] if named else _DELIMITERS:
        stream = io.StringIO(text[named.end() :] if named else text, newline="")
        rows = csv.reader(stream, delimiter=delimiter, strict=True)
        columns = list(map(_read_name, next(row for row in rows if any(cell.strip() for cell in row))))
        if best is None or sum(name in COLUMNS for name in columns) > sum(name in COLUMNS for name in best[1]):
            best = rows, columns
    if best is None:
        raise StopIteration
    return best


def _read_name(cell: str) -> str:
    name = cell.strip()[:100].casefold().rstrip("0123456789").rstrip(" ._-")
    return _ALSO.get(name, name)


def _refuse(line: int, error: csv.Error) -> InputError:
    told = (
        f"it cannot be read as a row ({error}); put a cell with quotation marks in quotation marks, and double its own."
    )
    return InputError(f"line {line}: {told}")


def _read_row(columns: Sequence[str], row: Sequence[str]) -> dict[str, Any]:
    if any(cell.strip() for cell in row[len(columns) :]) or any(
        cell.strip() for name, cell in zip(columns, row, strict=False) if not name
    ):
        raise InputError("it has more cells than columns have names; put a cell with a comma in quotation marks.")
    cells: dict[str, list[str]] = {}
    for name, cell in zip(columns, row, strict=False):
        if name not in _UNREAD:
            cells.setdefault(name, []).append((cell[1:] if cell[:1] == "'" and _FORMULA.match(cell) else cell).strip())
    given: dict[str, Any] = {"question": " ".join(filter(None, cells["question"]))}
    if answers := [answer for cell in cells.get("answers", ()) for answer in _read_answers(cell)]:
        given["answers"] = answers
    if evidence := [*_read_evidence(cells.get("evidence", []), cells.get("path", []))]:
        given["evidence"] = evidence
    if truth := " ".join(filter(None, cells.get("answerable", []))):
        given["answerable"] = _TRUTH.get(truth.casefold(), truth)
    if history := [turn for cell in cells.get("history", ()) if cell for turn in _read_list(cell, "history")]:
        given["history"] = history
    for name in ("rejected", "draft"):
        if value := " ".join(filter(None, cells.get(name, []))):
            given[name] = value
    return given


def _read_answers(cell: str) -> list[Any]:
    listed = _find_list(cell)
    return [part.strip() for part in cell.split("|") if part.strip()] if listed is None else listed


def _read_evidence(cells: Sequence[str], paths: Sequence[str]) -> Iterator[Any]:
    for place, cell in enumerate(cells):
        path = paths[place] if 1 < len(paths) > place else "".join(paths[:1])
        listed = _find_list(cell)
        for item in listed if listed is not None else [cell] if cell else []:
            yield {"text": item, "path": path} if isinstance(item, str) and path else item


def _find_list(cell: str) -> list[Any] | None:
    """The list that a cell is in JSON; None where it is text, be it in brackets."""
    if not cell.startswith("["):
        return None
    try:
        found = json.loads(cell)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) else None


def _read_list(cell: str, name: str) -> list[Any]:
    found = _find_list(cell)
    if found is None:
        raise InputError(f'its {name} is no JSON; give [["question", "answer"]].')
    return found


# -- writing ----------------------------------------------------------------------------------


def write_row(stream: TextIO, names: Sequence[str], given: Mapping[str, Any] | None) -> None:
    """Write a row of these columns, that `read_table` gives back as it is here; None: their names."""
    row = list(names) if given is None else [_guard(_to_cell(name, given)) for name in names]
    csv.writer(stream).writerow(row)


def _to_cell(name: str, given: Mapping[str, Any]) -> str:
    evidence = given.get("evidence", [])
    match name, given.get(name):
        case "path", _:
            return evidence[0]["path"] if _is_one(evidence) else ""
        case "evidence", _ if _is_one(evidence):
            return str(evidence[0]["text"])
        case _, None | []:
            return ""
        case _, bool(truth):
            return "true" if truth else "false"
        case "answers", [str(answer)] if _read_answers(answer) == [answer]:
            return answer
        case _, str(text):
            return text
        case _, value:
            return json.dumps(value, ensure_ascii=False)


def _is_one(evidence: Sequence[Any]) -> bool:
    """Whether evidence is one text from one path, which can stand in cells of their own."""
    match evidence:
        case [{"text": str(text), "path": str(path)}]:
            return all(part and part == part.strip() and _find_list(part) is None for part in (text, path))
        case _:
            return False


def _guard(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell
