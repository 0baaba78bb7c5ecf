"""What of a folder is passed over without a word: what tools make and nobody wrote, and what the user names.

A `.footnoteignore` names it as a `.gitignore` does (https://git-scm.com/docs/gitignore), for its folder and those
below; its "!" brings back what a line or file above it passes over, or the lists here. A path is compared name by name,
once, on the way down, and `fnmatch` goes back over no star: no pattern can hang.

But: in brackets, classes ("[[:alpha:]]") and escapes are not known.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from fnmatch import translate
from pathlib import Path
from typing import NamedTuple

from index.place import is_file

IGNORE_FILE = ".footnoteignore"
MOST_PATTERN_BYTES = 16_384  # of all such files in a folder together: each name is compared with every pattern
LONGEST_NAME_CHARACTERS = 255  # no file's name is longer, and `translate` may take time by the square of it

_NAMES = frozenset(  # in small letters: folders, what systems leave, and what package managers note
    "$recycle.bin @eadir __macosx __pycache__ __pypackages__ bower_components dist-packages jspm_packages lost+found "
    "node_modules site-packages venv desktop.ini ehthumbs.db thumbs.db "
    "bun.lock bun.lockb cargo.lock cartfile.resolved composer.lock conda-lock.yml deno.lock flake.lock gemfile.lock "
    "go.sum go.work.sum gradle.lockfile mix.lock npm-shrinkwrap.json package-lock.json package.resolved "
    "packages.lock.json paket.lock pdm.lock pipfile.lock pixi.lock pnpm-lock.yaml podfile.lock poetry.lock "
    "pubspec.lock pylock.toml uv.lock yarn.lock".split()
) | {"system volume information"}
# What an environment of Python's holds, whatever its name; where something else lies too, somebody works there.
_ENVIRONMENT = frozenset("bin include Include lib Lib lib64 Scripts share pyvenv.cfg .gitignore .lock".split())
_ENDINGS = ("~", ".bak", ".crdownload", ".part", ".temp", ".tmp", ".wbk", ".xlk")

_ESCAPE = re.compile(r"\\(.)|\[\^")


class UnusableError(Exception):
    """Why a `.footnoteignore` is not used."""


class Name(NamedTuple):
    """A part of a pattern: the names that it means, and whether any number of folders may stand before it."""

    means: Callable[[str], object]
    is_deep: bool


@dataclass(frozen=True, slots=True)
class Pattern:
    """A line of a `.footnoteignore`: the names of a path, from its folder on, and what becomes of what lies there."""

    names: tuple[Name, ...]
    is_wanted: bool
    is_of_folders: bool


# A pattern, and which of its names may come next. In a list of them, the first that means something counts.
Awaited = tuple[Pattern, Set[int]]


def is_wanted(awaited: Sequence[Awaited], entry: os.DirEntry[str]) -> bool | None:
    """Whether something is not passed over; True only where the user says so, None where nothing speaks against it."""
    for pattern, places in awaited:
        last = len(pattern.names) - 1
        is_meant = last in places and pattern.names[last].means(entry.name)
        if is_meant and (not pattern.is_of_folders or entry.is_dir(follow_symlinks=False)):
            return pattern.is_wanted
    return False if is_left_behind(entry.name, entry.is_dir) else None


def is_left_behind(name: str, is_folder: Callable[[], bool]) -> bool:
    """Whether something of a name is what tools leave behind."""
    name = name.lower()
    is_temporary = name.endswith(_ENDINGS) or (name[:1] in ("~", "#") and (name[1:2] == "$" or name[-1] == "#"))
    return name in _NAMES or (is_temporary and not is_folder())


def is_made_folder(names: Set[str]) -> bool:
    """Whether a folder that holds things of these names is a cache (https://bford.info/cachedir) or an environment."""
    return "CACHEDIR.TAG" in names or ("pyvenv.cfg" in names and names <= _ENVIRONMENT)


def enter(awaited: Sequence[Awaited], folder: str) -> list[Awaited]:
    """What is awaited in a folder of this name, of what is awaited where it lies."""
    entered: list[Awaited] = []
    for pattern, places in awaited:
        names = pattern.names
        if len(names) == 1 and names[0].is_deep:  # nearly all are so, and as they were
            entered.append((pattern, places))
            continue
        below = {place for place in places if names[place].is_deep}
        below |= {place + 1 for place in places if place + 1 < len(names) and names[place].means(folder)}
        if below:
            entered.append((pattern, below))
    return entered


def read_patterns(file: Path, most_bytes: int) -> tuple[list[Awaited], int]:
    """The patterns of a `.footnoteignore`, the last line first since it counts most, and its size in bytes.

    Raises UnusableError where it is no file of text, or larger than it may be, or a name in it is.
    """
    try:
        if not is_file(file):
            raise UnusableError("it is a link or no file")
        with file.open("rb") as opened:
            content = opened.read(most_bytes + 1)
        if len(content) > most_bytes:
            raise UnusableError(f"all files of its name together may have {MOST_PATTERN_BYTES:,} bytes")
        lines = content.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise UnusableError("it is not UTF-8") from error
    except OSError as error:
        raise UnusableError(f"it cannot be read ({error.strerror})") from error
    read: list[Awaited] = [
        (_read_pattern(line.removesuffix("\r")), {0}) for line in reversed(lines) if line and line[0] != "#"
    ]
    return read, len(content)


def _read_pattern(line: str) -> Pattern:
    trimmed = line.rstrip(" ")
    line = f"{trimmed} " if trimmed.endswith("\\") and trimmed != line else trimmed
    path = line.removeprefix("!").removesuffix("/")
    names: list[Name] = []
    is_deep = "/" not in path
    for name in path.removeprefix("/").split("/"):
        if name != "**":
            names.append(Name(_compile(name), is_deep))
        is_deep = name == "**"
    if is_deep:
        names.append(Name(_compile("*"), True))
    return Pattern(tuple(names), line.startswith("!"), line.endswith("/"))


def _compile(name: str) -> Callable[[str], object]:
    """What tells the names that a part of a pattern means."""
    if len(name) > LONGEST_NAME_CHARACTERS:
        raise UnusableError(f"a name in it has more than {LONGEST_NAME_CHARACTERS} characters")
    return re.compile(rf"\A{translate(_ESCAPE.sub(_rewrite, name))}").match


def _rewrite(found: re.Match[str]) -> str:
    # To `fnmatch`, a character in brackets stands for itself, and "[!" means any but those that follow.
    if found[1] is None:
        return "[!"
    return f"[{found[1]}]" if found[1] in "*?[" else found[1]
