"""Which documents a caller has chosen by their paths: files, folders, or patterns.

"reports/2023.pdf" is that file, "reports" or "reports/" all that lies in that folder, and in a pattern "*" stands for
any characters, those that part folders too: "*.pdf" is every PDF, wherever it lies.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from fnmatch import translate
from unicodedata import normalize

from index.errors import InputError
from index.settings import shorten

MOST_PATTERNS = 100
LONGEST_PATTERN_CHARACTERS = 1000
MOST_NAMED = 3  # paths, that a message gives
LONGEST_PATH_SHOWN = 60
_WILD = re.compile(r"[*?\[]")


def read_patterns(only: object) -> tuple[str, ...]:
    """The paths and patterns that a caller gives, one alone or several.

    Raises InputError where they are none, or too many or too long.
    """
    given = [only] if isinstance(only, str) else only
    if not isinstance(given, Sequence) or isinstance(given, bytes | range):
        raise InputError(f"The paths to answer from are of type {type(only).__name__}: give them as a list of text.")
    if len(given) > MOST_PATTERNS:
        raise InputError(
            f"{len(given):,} paths are too many to answer from: give {MOST_PATTERNS} at most, or a folder."
        )
    for pattern in given:
        if not isinstance(pattern, str) or not pattern.strip("/. ") or len(pattern) > LONGEST_PATTERN_CHARACTERS:
            raise InputError(
                f"{shorten(pattern)} is no path to answer from: give a file, a folder or a pattern, by its path in the "
                "documents folder."
            )
    return tuple(given)


def select(patterns: Sequence[str], paths: Sequence[str], unread: Mapping[str, str]) -> list[str]:
    """Those of the paths that one of the patterns fits, in their order.

    unread: why others are not among them. Raises InputError where a pattern fits none, which says what there is.
    """
    for pattern in patterns:
        if not any(map(_make_test(pattern), paths)):
            raise InputError(_tell(pattern, paths, unread))
    return find_fitting(patterns, paths)


def find_fitting(patterns: Sequence[str], paths: Sequence[str]) -> list[str]:
    """Those of the paths that one of the patterns fits; all of them where there is no pattern."""
    tests = [*map(_make_test, patterns)]
    return [path for path in paths if not tests or any(fits(path) for fits in tests)]


def _make_test(pattern: str) -> Callable[[str], bool]:
    """Tells whether a path is what a pattern names, lies in the folder it names, or looks like it.

    A path of Windows is what it would be here: "reports\\2023.pdf" is "reports/2023.pdf".
    """
    tests = [_make_plain_test(written) for written in dict.fromkeys((pattern, pattern.replace("\\", "/")))]
    return lambda path: any(fits(path) for fits in tests)


def _make_plain_test(pattern: str) -> Callable[[str], bool]:
    # Systems write an accent within its letter or after it.
    wanted = normalize("NFC", pattern).removeprefix("./").rstrip("/")
    # Each star of the translation gives nothing back, so that no pattern takes longer than the paths are long.
    looks = re.compile(rf"\A{translate(wanted)}") if _WILD.search(wanted) else None

    def fits(path: str) -> bool:
        path = normalize("NFC", path)
        return path == wanted or path.startswith(f"{wanted}/") or bool(looks and looks.match(path))

    return fits


def _tell(pattern: str, paths: Sequence[str], unread: Mapping[str, str]) -> str:
    if refused := find_fitting([pattern], [*unread]):
        return f"{shorten_path(refused[0])} cannot be answered from: {unread[refused[0]]}"
    there = f"there {'is' if len(paths) == 1 else 'are'} {name_some(paths)}"
    return f"No document fits {shorten(pattern)}: {there}. footnote documents lists them."


def name_some(paths: Sequence[str]) -> str:
    """The first few paths, and how many more there are: "a.txt, b.txt, c.txt and 12 more"."""
    named = [shorten_path(path) for path in paths[:MOST_NAMED]]
    more = len(paths) - len(named)
    if more:
        return f"{', '.join(named)} and {more:,} more"
    return " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)


def shorten_path(path: str) -> str:
    """A path as a message shows it: of a long one the end, which tells most."""
    return path if len(path) <= LONGEST_PATH_SHOWN else f"…{path[-LONGEST_PATH_SHOWN:]}"
