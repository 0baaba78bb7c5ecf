"""The child that loads: what it may do, and that nothing which happens to it reaches the parent."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from made_files import make_docx, make_pdf

from index.loading.loader import UnreadableError, load
from index.loading.worker import Loader

ROOT = Path(__file__).resolve().parent.parent
PAGE = "<html><body><p>He went.</p></body></html>"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    file = tmp_path / "page.html"
    file.write_text(PAGE)
    return file


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    """A file that takes some ten seconds."""
    file = tmp_path / "slow.csv"
    file.write_text("name,value,remark\n" + "x,1,\n" * 5_000_000)
    return file


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_child_gives_what_the_loader_gives(tmp_path: Path) -> None:
    contents = {
        "a.pdf": make_pdf(["One.", "", "Three — “late”."], info="/Title (The tour) /ModDate (D:20250513)"),
        "a.docx": make_docx("<w:p><w:r><w:t>Ünïcode 😀.</w:t></w:r></w:p>"),
        "a.html": PAGE.encode(),
        "a.csv": b"a,b\n1,2\n",
    }
    with Loader() as loader:
        for name, content in contents.items():
            (tmp_path / name).write_bytes(content)
            assert loader.load(tmp_path / name, f"sub/{name}") == load(tmp_path / name, f"sub/{name}")
        children = loader._child
        (tmp_path / "b.docx").write_bytes(b"PK\x03\x04")
        with pytest.raises(UnreadableError, match=r"^damaged$"):
            loader.load(tmp_path / "b.docx", "b.docx")
        assert loader._child is children


def test_one_child_reads_all_that_is_whole_and_refuses_the_rest(tmp_path: Path) -> None:
    with Loader() as loader:
        children = set()
        for name in ("a.txt", "b.md", "c.py", "d.rst"):
            (tmp_path / name).write_text("# The tour\n\nHe went.\n")
            assert loader.load(tmp_path / name, name).title == "The tour"
            children.add(loader._child)
        (tmp_path / "e.png").write_bytes(b"GIF89a\0\0")
        for name in ("e.png", "gone.txt", "."):
            with pytest.raises(UnreadableError):
                loader.load(tmp_path / name, name)
            children.add(loader._child)
        assert len(children) == 1


def test_a_file_that_takes_too_long_is_given_up_and_the_next_one_is_read(page: Path, slow: Path) -> None:
    with Loader(timeout_seconds=1) as loader:
        begun = time.monotonic()
        with pytest.raises(UnreadableError, match=r"^took too long$"):
            loader.load(slow, "slow.csv")
        assert time.monotonic() - begun < 4
        loader.timeout_seconds = 30
        assert loader.load(page, "page.html").text == "He went."


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the memory of a process")
def test_a_file_that_needs_too_much_memory_is_given_up_and_the_next_one_is_read(tmp_path: Path, page: Path) -> None:
    (tmp_path / "big.json").write_text("[" + "[[]]," * 5_000_000 + "1]")
    with Loader(memory_bytes=300 * 1024**2) as loader:
        with pytest.raises(UnreadableError, match=r"^needs too much memory$"):
            loader.load(tmp_path / "big.json", "big.json")
        assert loader.load(page, "page.html").text == "He went."


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
@pytest.mark.parametrize("kills", [1, 2])
def test_a_child_that_dies_is_replaced_once_for_a_file(tmp_path: Path, page: Path, kills: int) -> None:
    file = tmp_path / "some.csv"
    file.write_text("name,value\n" + "x,1\n" * 500_000)

    def kill() -> None:
        killed: set[int] = set()
        while len(killed) < kills:
            child = loader._child
            if child is not None and child.pid not in killed:
                time.sleep(0.05)
                child.kill()
                killed.add(child.pid)
            time.sleep(0.005)

    with Loader() as loader:
        killer = threading.Thread(target=kill)
        killer.start()
        if kills == 1:
            assert loader.load(file, "some.csv").text.startswith("- name: x; value: 1\n")
        else:
            with pytest.raises(UnreadableError, match=r"its reader crashed"):
                loader.load(file, "some.csv")
        killer.join()
        assert loader.load(page, "page.html").text == "He went."


def test_a_child_that_died_between_two_files_costs_nothing(page: Path) -> None:
    with Loader() as loader:
        loader.load(page, "page.html")
        assert loader._child is not None
        loader._child.kill()
        loader._child.wait()
        assert loader.load(page, "page.html").text == "He went."


def test_closing_ends_the_child_and_can_be_done_twice(page: Path) -> None:
    loader = Loader()
    loader.load(page, "page.html")
    child = loader._child
    assert child is not None
    loader.close()
    loader.close()
    assert child.returncode is not None
    assert loader.load(page, "page.html").text == "He went."  # it starts again when asked
    loader.close()


# -- the parent -------------------------------------------------------------------------------

_PARENT = """
import sys, time
from pathlib import Path
from index.loading.worker import Loader
with Loader() as loader:
    loader.load(Path(sys.argv[1]), "page.html")
    print(loader._child.pid, flush=True)
    if len(sys.argv) > 2:
        loader.load(Path(sys.argv[2]), "slow.csv")
    time.sleep(60)
"""


def start_parent(*files: Path) -> tuple[subprocess.Popen[str], int]:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, *map(str, files)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert is_alive(child)
    time.sleep(0.3)
    return parent, child


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
@pytest.mark.parametrize("busy", [False, True])
def test_the_child_dies_with_its_parent(page: Path, slow: Path, busy: bool) -> None:
    parent, child = start_parent(page, slow) if busy else start_parent(page)
    parent.kill()
    parent.communicate()
    wait_until(lambda: not is_alive(child), seconds=2)


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_an_interrupt_ends_both_and_only_the_parent_says_so(page: Path, slow: Path) -> None:
    parent, child = start_parent(page, slow)
    os.killpg(parent.pid, signal.SIGINT)
    _, errors = parent.communicate(timeout=10)
    assert errors.count("Traceback") == 1
    assert "KeyboardInterrupt" in errors
    wait_until(lambda: not is_alive(child), seconds=2)


def test_a_script_without_a_guard_can_load(tmp_path: Path, page: Path) -> None:
    # The child must not run the script of its parent again, as multiprocessing would.
    script = tmp_path / "script.py"
    script.write_text(
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom pathlib import Path\n"
        "from index.loading.worker import Loader\n"
        f"with Loader() as loader:\n    print(loader.load(Path({str(page)!r}), 'page.html').text)\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.stdout, done.stderr, done.returncode) == ("He went.\n", "", 0)


def test_what_a_reader_prints_does_not_reach_the_parents_ears(page: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with Loader() as loader:
        loader.load(page, "page.html")
    assert capfd.readouterr() == ("", "")


# -- reading ahead ----------------------------------------------------------------------------


def write_files(folder: Path, names: str) -> list[Path]:
    files = [folder / f"{name}.txt" for name in names]
    for file in files:
        file.write_text(f"He went to {file.stem}.")
    return files


@pytest.mark.skipif(sys.platform == "win32", reason="no pipe can be selected on Windows")
def test_what_is_expected_is_read_once_and_ahead(tmp_path: Path) -> None:
    first, second, third = write_files(tmp_path, "abc")
    with Loader() as loader:
        loader.expect(second, "b.txt")  # no child runs yet
        assert loader.load(first, "a.txt") == load(first, "a.txt")
        loader.expect(second, "b.txt")
        expected = load(second, "b.txt")
        pause(loader)
        second.write_text("Too late.")
        assert loader.load(second, "b.txt") == expected
        assert loader.load(third, "c.txt") == load(third, "c.txt")


def pause(loader: Loader) -> None:
    """Wait until the child has nothing left to do but to be heard."""
    child = loader._child
    assert child is not None
    assert child.stdout is not None
    wait_until(lambda: bool(select.select([child.stdout], [], [], 0)[0]))


@pytest.mark.parametrize("happens", ["another is asked for", "the child dies", "the child is ended"])
def test_what_is_expected_is_never_taken_for_another(tmp_path: Path, happens: str) -> None:
    first, second, third = write_files(tmp_path, "abc")
    with Loader() as loader:
        loader.load(first, "a.txt")
        loader.expect(second, "b.txt")
        child = loader._child
        assert child is not None
        if happens == "the child dies":
            child.kill()
            child.wait()
        elif happens == "the child is ended":
            loader.close()
        if happens == "another is asked for":
            assert loader.load(third, "c.txt") == load(third, "c.txt")
        assert loader.load(second, "b.txt") == load(second, "b.txt")
        assert loader.load(third, "c.txt") == load(third, "c.txt")


def test_a_file_that_cannot_be_read_is_no_hindrance_to_the_one_expected(tmp_path: Path) -> None:
    first, second, _ = write_files(tmp_path, "abc")
    (tmp_path / "x.docx").write_bytes(b"PK\x03\x04")
    with Loader() as loader:
        loader.load(first, "a.txt")
        loader.expect(tmp_path / "x.docx", "x.docx")
        with pytest.raises(UnreadableError, match=r"^damaged$"):
            loader.load(tmp_path / "x.docx", "x.docx")
        loader.expect(second, "b.txt")
        assert loader.load(second, "b.txt") == load(second, "b.txt")
