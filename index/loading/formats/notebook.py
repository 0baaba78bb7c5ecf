"""Notebooks (.ipynb): cells of prose as they stand, code and what it printed fenced off, no pictures."""

from __future__ import annotations

import re
from typing import Any

from index.loading.formats.blocks import Blocks

_OUTPUT_CHARACTERS = 10_000  # of what one cell printed at once; no reader scrolls further
_PICTURE = re.compile(r"data:[\w/+.-]{1,80};base64,[\w+/=-]*+")
_COLOUR = re.compile(r"\x1b\[[\d;]{0,30}[A-Za-z]")


def write_notebook(cells: list[Any], blocks: Blocks) -> str:
    """Add a notebook's cells; gives the text of those that are prose, which tell its title."""
    prose: list[str] = []
    for cell in cells:
        if not isinstance(cell, dict):
            continue
        source = _PICTURE.sub("", _join(cell.get("source")))
        if cell.get("cell_type") == "code":
            _write_code(source, blocks)
        else:
            prose.append(source)
            blocks.verbatim(source)
        outputs = cell.get("outputs")
        for output in outputs if isinstance(outputs, list) else ():
            text = _read_output(output) if isinstance(output, dict) else ""
            if len(text) > _OUTPUT_CHARACTERS:
                blocks.miss(f"what a cell printed beyond {_OUTPUT_CHARACTERS:,} characters")
            _write_code(text[:_OUTPUT_CHARACTERS], blocks)
    return "\n\n".join(prose)


def _write_code(code: str, blocks: Blocks) -> None:
    if code.strip():
        blocks.verbatim(f"```\n{code.strip(chr(10))}\n```")


def _read_output(output: dict[str, Any]) -> str:
    """What an output says in words; nothing where it is a picture, whose words are its type's name."""
    data = output.get("data")
    if isinstance(data, dict):
        return "" if any(str(kind).startswith("image/") for kind in data) else _join(data.get("text/plain"))
    if output.get("output_type") == "error":
        return f"{output.get('ename')}: {output.get('evalue')}"
    return _COLOUR.sub("", _join(output.get("text")))


def _join(lines: Any) -> str:
    """A text that may be kept as its lines."""
    return "".join(map(str, lines)) if isinstance(lines, list) else str(lines or "")
