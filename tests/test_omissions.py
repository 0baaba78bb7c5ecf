"""What is passed over without a word, and what a `.footnoteignore` names; what it means is compared with git's word."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_sync import assert_equals_a_clean_store, run_sync

from index.loading.folder import scan
from index.loading.omissions import IGNORE_FILE, MOST_PATTERN_BYTES
from index.plan import SyncReport
from index.storing.embedded import EmbeddedStore


def write(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(f"Words of {path}.")


def ignore(folder: Path, *lines: str) -> None:
    (folder / IGNORE_FILE).write_text("".join(f"{line}\n" for line in lines))


def paths_of(folder: Path) -> list[str]:
    files, refused = scan(folder)
    assert refused == {}
    return [file.path for file in files]


# -- what tools make --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        *("node_modules/a/README.md", "b/venv/c.txt", "lib/site-packages/x.py", "__pycache__/x.pyc", "__MACOSX/a.txt"),
        *("~$report.docx", "notes.txt~", "notes.bak", "NOTES.BAK", "x.tmp", "#notes.txt#", "report.pdf.crdownload"),
        *("desktop.ini", "Thumbs.db", "package-lock.json", "yarn.lock", "poetry.lock", "Cargo.lock", "b/go.sum"),
        *("target/CACHEDIR.TAG", "env/pyvenv.cfg", "System Volume Information/a.txt"),
    ],
)
def test_what_tools_make_is_passed_over_without_a_word(path: str, tmp_path: Path) -> None:
    write(tmp_path, "a.md", path)
    if "/" in path and "b/" not in path:
        write(tmp_path, f"{Path(path).parent}/bin/notes.txt")
    assert paths_of(tmp_path) == ["a.md"]


def test_what_somebody_may_have_written_stays(tmp_path: Path) -> None:
    paths = [
        *("build/a.md", "dist/a.md", "target/a.md", "vendor/a.md", "env/a.md", "lib/a.md", "tmp/a.md", "old.bak/a.md"),
        *("mine/a.md", "mine/pyvenv.cfg", "a~b.md", "#1.md", "~.md", "bak", "lock.md", "the.lock", "package.json"),
    ]
    write(tmp_path, *paths)
    assert paths_of(tmp_path) == sorted(paths)


def test_a_link_that_is_passed_over_is_not_told_of(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "far/b.md")
    (tmp_path / "node_modules").symlink_to(tmp_path / "far")
    (tmp_path / "gone.tmp").symlink_to(tmp_path / "nowhere")
    assert paths_of(tmp_path) == ["a.md", "far/b.md"]


def test_a_folder_that_is_asked_for_itself_is_read(tmp_path: Path) -> None:
    write(tmp_path, "venv/a.md", "venv/CACHEDIR.TAG")
    assert paths_of(tmp_path / "venv") == ["CACHEDIR.TAG", "a.md"]


# -- what the user names ----------------------------------------------------------------------


def test_a_file_of_patterns_counts_for_its_folder_and_those_below(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "a.log", "b/a.log", "b/keep.log", "b/drafts/a.md", "b/c/top.md", "top.md", "drafts")
    ignore(tmp_path, "# mine", "", "*.log", "drafts/", "/top.md")
    ignore(tmp_path / "b", "!keep.log")
    assert paths_of(tmp_path) == ["a.md", "b/c/top.md", "b/keep.log", "drafts"]


def test_what_tools_make_is_brought_back(tmp_path: Path) -> None:
    paths = ["env/pyvenv.cfg", "node_modules/a.md", "notes.bak", "yarn.lock"]
    write(tmp_path, *paths, "node_modules/b.tmp", "other.bak")
    ignore(tmp_path, "!node_modules/", "!notes.*", "!yarn.lock", "!env")
    assert paths_of(tmp_path) == paths


def test_nothing_but_what_is_named_may_be_kept(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "a.txt", "b/a.md", "b/a.txt")
    ignore(tmp_path, "*", "!*/", "!*.md")
    assert paths_of(tmp_path) == ["a.md", "b/a.md"]


def test_marks_and_ends_of_lines_of_windows_are_read(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "b.md", "c.md")
    (tmp_path / IGNORE_FILE).write_bytes("\ufeffa.md\r\nb.md\r\n".encode())
    assert paths_of(tmp_path) == ["c.md"]


PARTS = [
    "a",
    "b",
    "ab",
    "*",
    "**",
    "a*",
    "*b",
    "?",
    "[ab]",
    "[!a]",
    "[^a]",
    "*.b",
    "\\!b",
    "\\#c",
    "\\[a]",
    "x\\ y",
    "a\\*",
]
LINES = st.builds(
    lambda before, parts, after: f"{before}{'/'.join(parts)}{after}",
    st.sampled_from(["", "", "!", "/", "!/"]),
    st.lists(st.sampled_from(PARTS), min_size=1, max_size=3),
    st.sampled_from(["", "", "/", " ", "/**", "\r"]),
)
NAMES = st.sampled_from(["a", "b", "ab", "a.b", "x y", "[a]", "a*", "!b", "#c"])
PATHS = st.lists(st.lists(NAMES, min_size=1, max_size=4).map("/".join), min_size=1, max_size=20)


@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
@given(PATHS, st.lists(LINES, max_size=5), st.lists(LINES, max_size=3))
@settings(max_examples=60, deadline=None)
def test_patterns_mean_what_they_mean_to_git(
    tmp_path_factory: pytest.TempPathFactory, paths: list[str], lines: list[str], below: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("patterns")
    for path in paths:
        place = folder / path
        if not any(each.is_file() for each in [place, *place.parents]) and not place.exists():
            write(folder, path)
    for place, patterns in [(folder, lines), *((each, below) for each in folder.iterdir() if each.is_dir())]:
        for name in (IGNORE_FILE, ".gitignore"):
            (place / name).write_bytes("\n".join(patterns).encode())
    subprocess.run(["git", "init", "-q", folder], check=True)
    listing = ["git", "-C", folder, "ls-files", "-z", "--others", "--exclude-per-directory=.gitignore"]
    listed = subprocess.run(listing, check=True, capture_output=True, text=True).stdout.split("\0")
    assert paths_of(folder) == sorted(path for path in listed if path and not Path(path).name.startswith("."))


# -- the store follows ------------------------------------------------------------------------


def test_what_becomes_ignored_leaves_the_store_and_comes_back(folder: Path, store: EmbeddedStore) -> None:
    write(folder, "a.md", "b.md")
    run_sync(folder, store)
    ignore(folder, "b.md")
    assert run_sync(folder, store) == SyncReport(removed=["b.md"], unchanged=["a.md"])
    assert_equals_a_clean_store(folder, store)
    ignore(folder, "a.md")
    assert run_sync(folder, store) == SyncReport(added=["b.md"], removed=["a.md"])
    (folder / IGNORE_FILE).unlink()
    assert run_sync(folder, store) == SyncReport(added=["a.md"], unchanged=["b.md"])


# -- files of patterns that are none, and hostile ones ----------------------------------------


def write_too_much(place: Path) -> None:
    place.write_bytes(b"a.md\n" * (MOST_PATTERN_BYTES // 5 + 1))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (write_too_much, "all files of its name together may have 16,384 bytes"),
        (lambda place: place.write_bytes(b"a.md\n\xff\xfe"), "it is not UTF-8"),
        (lambda place: place.write_text("*" * 256), "a name in it has more than 255 characters"),
        (lambda place: place.write_text("a.md\n", encoding="utf-16"), "it is not UTF-8"),
        (lambda place: place.mkdir(), "it is a link or no file"),
        (lambda place: place.symlink_to(place.parent / "a.md"), "it is a link or no file"),
        (os.mkfifo, "it is a link or no file"),
    ],
)
def test_a_file_of_patterns_that_cannot_be_used_is_told(make: Any, reason: str, tmp_path: Path) -> None:
    write(tmp_path, "a.md", "b/c.md", "notes.bak")
    make(tmp_path / "b" / IGNORE_FILE)
    files, refused = scan(tmp_path)
    assert [file.path for file in files] == ["a.md", "b/c.md"]
    assert refused == {f"b/{IGNORE_FILE}": f"not used: {reason}"}


def test_all_files_of_patterns_together_are_bounded(tmp_path: Path) -> None:
    for number in range(4):
        write(tmp_path, f"{number}/a.md")
        ignore(tmp_path / str(number), "#" * (MOST_PATTERN_BYTES // 3), "a.md")
    files, refused = scan(tmp_path)
    assert len(files) == len(refused) == 2


@pytest.mark.parametrize("line", ["*a" * 120 + "b", "**/a/" * 1000 + "b", "a/**/" * 1000 + "b", "[" * 255, "*" * 255])
def test_no_pattern_hangs(line: str, tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a"] * 400)
    deep.mkdir(parents=True)
    for number in range(100):
        (deep / f"{'a' * 240}{number}").write_text("Words.")
    ignore(tmp_path, line, "!*")
    begun = time.thread_time()
    assert len(scan(tmp_path)[0]) == 100
    assert time.thread_time() - begun < 2


def test_many_patterns_and_many_folders_take_time_in_proportion(tmp_path: Path) -> None:
    for number in range(300):
        write(tmp_path, f"{number}/a.md")
    ignore(tmp_path, *["**/b/*x/c"] * 800)
    begun = time.thread_time()
    assert len(scan(tmp_path)[0]) == 300
    assert time.thread_time() - begun < 5
