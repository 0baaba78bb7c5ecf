"""What was recognised is remembered beside the stores, so that no page is read twice.

Neither after an interruption, nor when a file is renamed or copied, nor when a store is made anew.

A file each picture, named by the hash of its document, its place in that and what has recognised it. What is damaged is
as good as missing, and of too much the oldest goes.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from contextlib import suppress
from pathlib import Path

from index.loading.formats.recognition import Line, check_lines, find_engine, to_json
from index.place import read_small, write_small

FOLDER = ".recognised"  # hidden, since a store may lie among the documents
MOST_BYTES = 1_000_000_000  # of all of them
_NAME = re.compile(r"[0-9a-f]{64}\.json(?:\.new)?")


class Recognised:
    """The lines of pictures. place: where they are kept, or None to forget them with this object."""

    def __init__(self, place: Path | None = None) -> None:
        self._place = place
        self._unsaved: dict[str, list[Line]] = {}
        self._room_bytes: int | None = None

    def name(self, document: str, label: str) -> str:
        """What a picture is remembered by. document: the hash of the file; label: which picture of it."""
        return hashlib.sha256(f"{document}/{label}/{find_engine()}".encode()).hexdigest()

    def find(self, name: str) -> list[Line] | None:
        """A picture's lines, or None where they are not known."""
        if name in self._unsaved or self._place is None:
            return self._unsaved.get(name)
        try:
            return check_lines(json.loads(read_small(self._place / f"{name}.json")))
        except (ValueError, RecursionError):
            return None

    def keep(self, name: str, lines: list[Line]) -> None:
        """Remember a picture's lines."""
        if self._place is None:
            self._unsaved[name] = lines
            return
        text = json.dumps(to_json(lines), ensure_ascii=False)
        try:
            self._place.mkdir(parents=True, exist_ok=True)
            self._make_room(len(text.encode()))
            write_small(self._place / f"{name}.json", text)
        except OSError:
            self._unsaved[name] = lines  # it is of use now, if not later

    def _make_room(self, size_bytes: int) -> None:
        """Remove the oldest where there is no room, and more than one, since to look at all of them takes time."""
        assert self._place is not None
        if self._room_bytes is None or self._room_bytes < size_bytes:
            with os.scandir(self._place) as found:
                files = [entry for entry in found if _NAME.fullmatch(entry.name)]
            ages = sorted((entry.stat(follow_symlinks=False).st_mtime_ns, entry.path) for entry in files)
            sizes = {entry.path: entry.stat(follow_symlinks=False).st_size for entry in files}
            room = MOST_BYTES - sum(sizes.values())
            if room < size_bytes:
                for _, path in ages:
                    with suppress(OSError):
                        Path(path).unlink()
                        room += sizes[path]
                    if room > MOST_BYTES // 10:
                        break
            self._room_bytes = room
        self._room_bytes -= size_bytes
