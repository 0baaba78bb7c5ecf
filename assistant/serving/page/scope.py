"""What a conversation is asked of: a library, and in it all documents or a few."""

from __future__ import annotations

import json
from dataclasses import dataclass

from assistant.serving.served import Served

MOST_PATHS = 50
LONGEST_PATH_CHARACTERS = 1_000


@dataclass(frozen=True, slots=True)
class Scope:
    """library: its name, None for the first. only: paths of files and folders, or patterns; none for all documents."""

    library: str | None = None
    only: tuple[str, ...] = ()


def read_scope(library: str | None, only: str | None, served: Served) -> Scope:
    """What the page tells: a library's name, and a list of paths as JSON. What it cannot mean is left out."""
    try:
        paths = json.loads(only or "[]")
    except (ValueError, RecursionError):
        paths = []
    given = paths if isinstance(paths, list) else []
    fitting = [path for path in given if isinstance(path, str) and 0 < len(path) <= LONGEST_PATH_CHARACTERS]
    return Scope(library if library in served.libraries else None, tuple(fitting[:MOST_PATHS]))
