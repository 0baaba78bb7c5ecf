"""What the benchmarks' commands have in common: how they end, what they print, what they write."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

Row = tuple[str, dict[str, float | None] | str]  # a name, and its numbers or the reason why it has none


def parse_sections(names: str, known: Collection[str]) -> list[str]:
    """The measurements that are asked for, by name; argparse tells of one that is not known."""
    sections = names.split(",")
    if unknown := [name for name in sections if name not in known]:
        raise argparse.ArgumentTypeError(f"no such measurement: {', '.join(unknown)} (there are {', '.join(known)})")
    return sections


def heed_signals() -> None:
    """Have SIGTERM and Ctrl-C end the process by `leave`."""
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)


def leave(number: int, frame: object) -> None:
    """End in the orderly way, which removes temporary folders and ends children; a second signal must not stop that."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(128 + number)


def describe_machine() -> str:
    """The processors and the Python that figures come from."""
    return f"{os.cpu_count()} x {platform.processor() or platform.machine()}, Python {platform.python_version()}"


def tell(message: str) -> None:
    """Say on standard error how far it is."""
    print(message, file=sys.stderr, flush=True)


def print_rows(section: str, rows: Iterator[Row]) -> Iterator[Row]:
    """Print one Markdown table as its rows come, and hand them on; under it, why some have no numbers.

    The first row has numbers, and names the columns.
    """
    columns: list[str] = []
    reasons: list[str] = []
    for name, row in rows:
        numbers = {} if isinstance(row, str) else row
        if isinstance(row, str):
            reasons.append(f"{name}: {row}.")
        if not columns:
            columns = list(numbers)
            print(f"\n| {' | '.join([section, *columns])} |\n|{'---|' * (len(columns) + 1)}")
        print(f"| {' | '.join([name, *(show(numbers.get(column)) for column in columns)])} |", flush=True)
        yield name, row
    if reasons:
        print("", *reasons, sep="\n", flush=True)


def show(number: float | None) -> str:
    """A cell of the table."""
    return "-" if number is None else f"{number:,.{0 if abs(number) >= 100 else 2}f}"


def write_json(file: Path | None, result: Mapping[str, Any]) -> None:
    """Write the figures, where a file is given for them."""
    if file:
        file.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
