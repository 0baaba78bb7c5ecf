"""A file of drafted questions, CSV or JSON lines by its name, which is never one that is there already."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from assistant.serving.evaluating.table import write_row
from index.errors import InputError

_COLUMNS = ("question", "answers", "evidence", "path", "answerable", "draft")
_TABLES, _LINES = (".csv",), (".jsonl", ".ndjson", ".json")


@contextmanager
def open_drafts(file: Path) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """A function that writes one question after another, each at once; a file that got none is taken away again.

    Raises InputError where the name is neither's, or the file is there, or cannot be written.
    """
    suffix = file.suffix.lower()
    if suffix not in (*_TABLES, *_LINES):
        raise InputError(f"{file} would be neither a table nor JSON lines: give a name that ends in .csv or .jsonl.")
    # The mark tells spreadsheets that it is UTF-8.
    encoding = "utf-8-sig" if suffix in _TABLES else "utf-8"
    try:
        stream = file.open("x", encoding=encoding, errors="backslashreplace", newline="")
    except FileExistsError as error:
        raise InputError(f"{file} is there already, and may hold your corrections: name another file.") from error
    except OSError as error:
        raise InputError(f"{file} cannot be written ({error.strerror}): name another file.") from error
    count = 0

    def write(given: Mapping[str, Any]) -> None:
        nonlocal count
        if suffix in _TABLES:
            if not count:
                write_row(stream, _COLUMNS, None)
            write_row(stream, _COLUMNS, given)
        else:
            stream.write(json.dumps(given, ensure_ascii=False) + "\n")
        stream.flush()
        count += 1

    try:
        with stream:
            yield write
    finally:
        if not count:
            file.unlink()
