"""Where a sync has it hard: a full disk, a folder of thousands, odd paths and names, a terminal that looks on.

FOOTNOTE_TEST_PERSIST_KILLS says how often a sync is killed while Chroma saves its vectors.
"""

from __future__ import annotations

import atexit
import functools
import os
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import product
from pathlib import Path
from typing import Self

import pytest
from forked import Footnote
from hashed import CHUNK_TOKENS, HashEmbedding, WideEmbedding, contents, open_store, rows
from nursery import HERE, Child, Nursery
from test_command_line import check_one_sentence
from test_sync import LONG, assert_equals_a_clean_store, run_sync

import index.sync
from index.documents import identify
from index.errors import StoreError
from index.library import finish
from index.plan import SyncReport
from index.searching.retriever import retrieve
from index.storing.embedded import EmbeddedStore
from index.storing.store import place_of

KILLS = int(os.environ.get("FOOTNOTE_TEST_PERSIST_KILLS", "1"))

# The command itself, with an embedding that takes so many seconds for each text.
COMMAND = """
import sys, time
sys.path.insert(0, sys.argv.pop(1))
seconds = float(sys.argv.pop(1))
import assistant.serving.progress, index.library, index.sync
from hashed import HashEmbedding
assistant.serving.progress.SECONDS_BETWEEN_LINES = 0.5
index.sync.BATCH_CHUNKS = 8
class Slow(HashEmbedding):
    def embed(self, texts):
        time.sleep(seconds * len(texts))
        return super().embed(texts)
def open_embedding(settings):
    return Slow()
    yield
index.library.open_embedding = open_embedding
from assistant.serving.command_line import command
command()
"""
SLOW_SECONDS = 0.03


def footnote(*arguments: str | Path, seconds: float = 0) -> list[str]:
    """The command line that runs the command."""
    return [sys.executable, "-c", COMMAND, str(HERE), str(seconds), *map(str, arguments)]


def run_footnote(*arguments: str | Path, seconds: float = 0) -> subprocess.CompletedProcess[str]:
    """Run the command with pipes for its output, as in a script."""
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        footnote(*arguments, seconds=seconds), capture_output=True, text=True, env=environment, timeout=120, check=False
    )


def sync_in_small_batches(folder: str, stores: str, limit_bytes: int) -> None:
    """What a user's next command does, in a process of its own. limit_bytes: how many a file may have; 0 for all."""
    index.sync.BATCH_CHUNKS = 60
    if limit_bytes:
        import resource

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))
    try:
        finish(index.sync.sync(Path(folder), open_wide(Path(folder), Path(stores)), WideEmbedding()))
    except StoreError as error:
        sys.exit(str(error))


@functools.cache
def nursery() -> Nursery:
    """One for all that this module tries in other processes."""
    opened = Nursery("test_hard_folders")
    atexit.register(opened.__exit__)
    return opened


def start_sync(folder: Path, stores: Path, limit_bytes: int = 0) -> Child:
    return nursery().fork("sync_in_small_batches", folder, stores, limit_bytes)


def sync_elsewhere(folder: Path, stores: Path, limit_bytes: int = 0) -> tuple[int, str]:
    """How another process's sync ended: its exit code, and what it said on standard error."""
    process = start_sync(folder, stores, limit_bytes)
    _, said = process.communicate(timeout=120)
    return process.returncode, said


def open_wide(folder: Path, stores: Path) -> EmbeddedStore:
    return EmbeddedStore(stores, folder, WideEmbedding.name, CHUNK_TOKENS)


def assert_is_a_sentence_about_room(ended: tuple[int, str], stores: Path) -> None:
    code, said = ended
    assert "Traceback" not in said, said
    assert code == 1, ended
    [line] = said.splitlines()
    assert str(stores) in line
    # A store that only lacks room is not to be thrown away.
    assert "--anew" not in line
    assert re.search(r"\b(?:room|space|full)\b", line)


def write(folder: Path, first: int, last: int) -> None:
    """Documents of 16 chunks each."""
    for number in range(first, last):
        (folder / f"{number:03}.txt").write_text(f"{number} {LONG.replace('long', f'long{number}')}")


# -- a disk that is full ----------------------------------------------------------------------


class Built:
    """A folder of 130 documents, stores of its first 110 as another process left them, and stores that are clean.

    The 110 are 1,760 chunks: Chroma writes over its files of vectors at each thousand, so among the next 20 documents.
    What opens a store that was cut off there does so in a process of its own: Chroma may bring that down.
    """

    def __init__(self, place: Path) -> None:
        self.folder, self.stores, self.clean_stores = place / "documents", place / "stores", place / "clean"
        self.folder.mkdir()
        write(self.folder, 0, 110)
        assert sync_elsewhere(self.folder, self.stores) == (0, "")
        write(self.folder, 110, 130)
        assert sync_elsewhere(self.folder, self.clean_stores) == (0, "")

    def copy_to(self, stores: Path) -> None:
        shutil.copytree(self.stores, stores, dirs_exist_ok=True)

    def check_finished(self, stores: Path) -> None:
        """The store is whole and equals the clean one."""
        with Helper(compare, self.folder, stores, self.clean_stores) as helper:
            assert helper.says() == "equal"


def compare(folder: Path, stores: Path, clean_stores: Path) -> None:
    store, clean = open_wide(folder, stores), open_wide(folder, clean_stores)
    assert store.check() == {}
    assert store.lexicon.pending() == []
    assert contents(store, WideEmbedding()) == contents(clean, WideEmbedding())
    print("equal", flush=True)


def read_again_and_again(folder: Path, stores: Path) -> None:
    """Answer at each line from the store as it was opened, and see that every document in sight is whole."""
    reader = open_wide(folder, stores)
    for _ in sys.stdin:
        records = reader.lexicon.records()
        assert {f"{number:03}.txt" for number in range(110)} <= {record.path for record in records}
        for record in records:
            assert reader.text_of(record.document_id) == (folder / record.path).read_text()
        passages = retrieve(reader, "long7", WideEmbedding().embed_query("anything"), 50)
        assert "007.txt" in {passage.path for passage in passages}
        for passage in passages:
            assert passage.text == (folder / passage.path).read_text()[passage.start : passage.end]
        print("answers", flush=True)


def sync_again_and_again(folder: Path, stores: Path) -> None:
    """Sync at each line, as the chat does before each answer, and say how that went and what is in sight."""
    store = open_store(folder, stores)
    print("open", flush=True)
    for _ in sys.stdin:
        try:
            said = run_sync(folder, store).summary()
        except StoreError as error:
            said = str(error)
        seen = store.lexicon.records() if store.lexicon.is_usable() else []
        near = store.nearest(HashEmbedding().embed_query("alpha"), 1) if seen else []
        print(said, len(seen), len(near), sep=" | ", flush=True)


def call(name: str, *places: str) -> None:
    """Call a function of this file with places."""
    globals()[name](*map(Path, places))


class Helper:
    """A function of this file in a process of its own, which may crash or hang without bringing down the tests."""

    def __init__(self, function: Callable[..., None], *places: Path) -> None:
        self._process = nursery().fork("call", function.__name__, *places)
        # One that hangs in Chroma heeds no gentler signal.
        self._watch = threading.Timer(60, self._process.kill)
        self._watch.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._watch.cancel()
        self._process.kill()
        self._process.communicate(timeout=30)

    def says(self) -> str:
        """The next line that it prints; with the signal that ended it where it did not come so far."""
        line = self._process.stdout.readline().rstrip("\n")
        return line or f"ended with {self._process.wait(30)}"

    def ask(self) -> str:
        """Have it go on, and give what it then says."""
        with suppress(BrokenPipeError):
            self._process.stdin.write("\n")
            self._process.stdin.flush()
        return self.says()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return Built(tmp_path_factory.mktemp("built"))


class Disk:
    """A small disk of its own: what is written beyond its room meets a real "no space left on device"."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def leave(self, room_kibibytes: int) -> None:
        """Make the disk so small, or so large, that this is free."""
        status = os.statvfs(self.place)
        used = (status.f_blocks - status.f_bfree) * status.f_frsize
        options = f"remount,size={max(used + room_kibibytes * 1024, 4096)}"
        subprocess.run(["mount", "-o", options, str(self.place)], check=True, timeout=30)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    place = tmp_path / "disk"
    place.mkdir()
    if sys.platform != "linux" or shutil.which("mount") is None:
        pytest.skip("a small disk can be mounted on Linux only")
    command = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(place)]
    mounted = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield Disk(place)
    # Lazily, since Chroma may still have files open.
    subprocess.run(["umount", "-l", str(place)], check=True, timeout=30)


@pytest.mark.parametrize(
    "room_kibibytes",
    [
        pytest.param(0, id="nothing-can-be-written"),
        pytest.param(600, id="too-little-to-begin"),
        pytest.param(4500, id="full-at-the-first-batch"),
        pytest.param(6000, id="full-later"),
    ],
)
def test_a_full_disk_is_told_in_a_sentence_and_the_next_sync_finishes(
    built: Built, disk: Disk, room_kibibytes: int
) -> None:
    stores = disk.place / "stores"
    built.copy_to(stores)
    with Helper(read_again_and_again, built.folder, stores) as reader:
        assert reader.ask() == "answers"
        disk.leave(room_kibibytes)
        for _ in range(2):  # the second meets what the first has left
            ended = sync_elsewhere(built.folder, stores)
            # The rows alone have room enough in the end: it is no fault to do without what does not fit.
            if room_kibibytes < 1000 or ended != (0, ""):
                assert_is_a_sentence_about_room(ended, stores)
            assert reader.ask() == "answers"
    disk.leave(64 * 1024)
    assert sync_elsewhere(built.folder, stores) == (0, "")
    built.check_finished(stores)


@pytest.mark.parametrize("is_synced", [False, True])
def test_a_process_that_met_a_full_disk_goes_on_once_there_is_room(folder: Path, disk: Disk, is_synced: bool) -> None:
    stores = disk.place / "stores"
    with Helper(sync_again_and_again, folder, stores) as process:
        assert process.says() == "open"
        (folder / "first.txt").write_text("Alpha one. " + LONG)
        if is_synced:
            assert process.ask() == "1 document: 1 added | 1 | 1"
        (folder / "second.txt").write_text("Beta two. " + LONG)
        for room_kibibytes in (0, 8, 40, 40, 80, 40):
            disk.leave(room_kibibytes)
            said, *found = process.ask().split(" | ")
            assert re.search(r"could not be written .* see that the disk has room, then sync again\.$", said), said
            assert found == (["1", "1"] if is_synced else ["0", "0"])
        disk.leave(8 * 1024)
        change = "1 added, 1 unchanged" if is_synced else "2 added"
        assert process.ask() == f"2 documents: {change} | 2 | 1"
    store = open_store(folder, stores)
    assert store.check() == {}
    assert_equals_a_clean_store(folder, store)
    store.close()


@pytest.mark.parametrize("limit_bytes", [30_000, 4_500_000])
def test_files_that_may_not_grow_are_told_in_a_sentence_and_the_next_sync_finishes(
    built: Built, tmp_path: Path, limit_bytes: int
) -> None:
    """What can be tried on every machine: the system refuses to let any one file grow beyond a size."""
    pytest.importorskip("resource", reason="Windows has no limit on the size of files")
    stores = tmp_path / "stores"
    built.copy_to(stores)
    with Helper(read_again_and_again, built.folder, stores) as reader:
        assert reader.ask() == "answers"
        assert_is_a_sentence_about_room(sync_elsewhere(built.folder, stores, limit_bytes), stores)
        assert reader.ask() == "answers"
    assert sync_elsewhere(built.folder, stores) == (0, "")
    built.check_finished(stores)


def test_every_command_tells_of_a_full_disk_in_one_sentence(
    folder: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOOTNOTE_STORE", str(disk.place))
    (folder / "ferry.txt").write_text("Captain Ida Voss steers the Brenholm ferry.")
    with Footnote() as footnote_here:
        assert footnote_here.run("sync", folder).output == "1 document: 1 added\n"
        write(folder, 0, 12)
        # With the least room there is already something that can be done, and it goes wrong elsewhere.
        for room_kibibytes, arguments in (
            (0, ("sync", folder)),
            (100, ("sync", folder)),
            (0, ("ask", "Who steers the ferry?", "--documents", folder)),
            (0, ("check", folder)),
            (0, ("sync", folder, "--anew")),
        ):
            disk.leave(room_kibibytes)
            done = footnote_here.run(*arguments)
            assert (done.code, done.output) == (1, ""), done
            check_one_sentence(done.errors)
            assert str(disk.place) in done.errors
            assert "--anew" not in done.errors
        disk.leave(32 * 1024)
        done = footnote_here.run("sync", folder)
        assert (done.code, done.output.split(":")[0]) == (0, "13 documents")
        assert "footnote:" not in done.errors  # a slow machine may have told of its progress
        assert footnote_here.run("check", folder).output == "The store is whole.\n"


# -- killed while the vectors are saved -------------------------------------------------------


@pytest.mark.parametrize("trial", range(KILLS))
def test_killed_while_chroma_saves_its_vectors_the_next_sync_finishes_the_work(
    built: Built, tmp_path: Path, trial: int
) -> None:
    stores = tmp_path / "stores"
    built.copy_to(stores)
    chroma = place_of(stores, built.folder) / "chroma"

    def look() -> set[tuple[str, int]]:
        """All of Chroma's files but its database, which takes care of itself, with their times of change."""
        files = (entry for folder in chroma.iterdir() if folder.is_dir() for entry in os.scandir(folder))
        return {(entry.path, entry.stat().st_mtime_ns) for entry in files}

    before = look()
    process = start_sync(built.folder, stores)
    # It writes over these files in place: between the first byte and the last they are of no version.
    while process.poll() is None:
        with suppress(FileNotFoundError):
            if look() != before:
                time.sleep(trial / 1000)
                process.kill()
                break
    _, said = process.communicate(timeout=60)
    assert process.returncode in (0, -signal.SIGKILL), said
    assert sync_elsewhere(built.folder, stores) == (0, "")
    built.check_finished(stores)


# -- a folder of thousands --------------------------------------------------------------------


def test_ten_thousand_files_in_one_folder(folder: Path, store: EmbeddedStore) -> None:
    def text_of(number: int) -> str:
        return f"Document {number} says that its number is {number}."

    for number in range(10_000):
        (folder / f"{number:05}.txt").write_text(text_of(number))
    begun = time.monotonic()
    assert len(run_sync(folder, store).added) == 10_000
    assert time.monotonic() - begun < 60
    begun = time.monotonic()
    report = run_sync(folder, store)
    assert (len(report.unchanged), report.summary()) == (10_000, "10,000 documents: 10,000 unchanged")
    (folder / "00007.txt").write_text("Seven is changed.")
    (folder / "00009.txt").unlink()
    embedding = HashEmbedding()
    report = run_sync(folder, store, embedding)
    assert report.summary() == "9,999 documents: 1 changed, 1 removed, 9,998 unchanged"
    assert (report.changed, report.removed) == (["00007.txt"], ["00009.txt"])
    assert embedding.embedded == ["Seven is changed."]
    assert time.monotonic() - begun < 10  # a change costs what changed, and a look at the rest
    # One chunk a document: the rows can be told from the folder itself.
    expected = {identify(file.name): file.read_text() for file in folder.iterdir()}
    assert {chunk_id: row["text"] for chunk_id, row in rows(store).items()} == expected
    assert {record.document_id: store.text_of(record.document_id) for record in store.lexicon.records()} == expected
    for number in random.Random(7).sample(range(10, 10_000), 20):
        [nearest] = store.nearest(HashEmbedding().embed_query(text_of(number)), 1).values()
        assert nearest == pytest.approx(1, abs=1e-4)


# -- paths ------------------------------------------------------------------------------------


@pytest.fixture
def deep_folder(folder: Path) -> Iterator[Path]:
    """A folder in which paths may be longer, and folders deeper, than pytest's own tidying up can take."""
    if os.mkdir not in os.supports_dir_fd:
        pytest.skip("longer paths than the system's limit can only be made from folder to folder")
    yield folder
    subprocess.run(["rm", "-rf", str(folder)], check=True, timeout=60)


def write_deep(folder: Path, parts: list[str], name: str, content: bytes) -> str:
    """Write a file from folder to folder, as no single call could, and give its path."""
    place = os.open(folder, os.O_RDONLY)
    for part in parts:
        with suppress(FileExistsError):
            os.mkdir(part, dir_fd=place)
        place, above = os.open(part, os.O_RDONLY, dir_fd=place), place
        os.close(above)
    with os.fdopen(os.open(name, os.O_CREAT | os.O_WRONLY, dir_fd=place), "wb") as opened:
        opened.write(content)
    os.close(place)
    return "/".join([*parts, name])


def write_at_length(folder: Path, path_bytes: int, name: str, content: bytes) -> str:
    """Write a file whose full path has this many bytes, and give the path below the folder."""
    left = path_bytes - len(os.fsencode(folder)) - len(name) - 1
    parts = []
    while left > 0:
        taken = left if left <= 201 else 201 if left - 201 > 1 else 200
        parts.append("d" * (taken - 1))
        left -= taken
    return write_deep(folder, parts, name, content)


@pytest.mark.parametrize(
    "name", ["x" * 255, "é" * 125 + "a.txt", "😀" * 63 + "abc"], ids=["letters", "accents", "emoji"]
)
def test_a_name_of_255_bytes_is_a_document(folder: Path, store: EmbeddedStore, name: str) -> None:
    assert len(name.encode()) == 255
    (folder / name).write_text("Alpha one.")
    (folder / "near.txt").write_text("Beta two.")
    assert set(run_sync(folder, store).added) == {name, "near.txt"}
    [passage] = retrieve(store, "alpha", HashEmbedding().embed_query("Alpha one."), 1)
    assert passage.path == name
    assert store.check() == {}


@pytest.mark.parametrize("content", [b"Deep one.", b"<html><p>Deep one.</p></html>"], ids=["text", "web-page"])
def test_a_path_as_long_as_the_system_allows_is_a_document_and_a_longer_one_has_its_reason(
    deep_folder: Path, store: EmbeddedStore, content: bytes
) -> None:
    folder = deep_folder
    limit = os.pathconf(folder, "PC_PATH_MAX")  # one of the bytes ends the path
    lengths = [limit - 100, limit - 2, limit - 1, limit, limit + 1, limit + 1000]
    paths = [write_at_length(folder, length, f"{length}.txt", content) for length in lengths]
    near = write_deep(folder, paths[0].split("/")[:1], "near.txt", b"Near one.")
    (folder / "near.txt").write_text("Nearest one.")
    report = run_sync(folder, store)
    assert set(report.added) == {*paths[:3], near, "near.txt"}
    assert all(len(os.fsencode(folder / path)) < limit for path in report.added)
    # What lies beyond the limit is named, or the folder is in which it lies.
    for path in paths[3:]:
        assert [reason for other, reason in report.skipped.items() if f"{path}/".startswith(f"{other}/")] == [
            "cannot be read (File name too long)"
        ]
    assert run_sync(folder, store) == SyncReport(unchanged=sorted(report.added), skipped=report.skipped)
    assert store.check() == {}
    assert_equals_a_clean_store(folder, store)


def test_folders_may_lie_deeper_in_each_other_than_python_calls_may(deep_folder: Path, store: EmbeddedStore) -> None:
    folder = deep_folder
    levels = (os.pathconf(folder, "PC_PATH_MAX") - len(os.fsencode(folder)) - 20) // 2
    assert levels > sys.getrecursionlimit()
    path = write_deep(folder, ["d"] * levels, "deep.txt", b"Deep one.")
    (folder / "near.txt").write_text("Near one.")
    assert run_sync(folder, store).added == [path, "near.txt"]
    assert run_sync(folder, store) == SyncReport(unchanged=[path, "near.txt"])


# -- names ------------------------------------------------------------------------------------

NAMES = [
    "new\nline.txt",
    "carriage\r\nreturn.txt",
    "\ttab.txt",
    "'single' \"double\" `back` “curly”.txt",
    "😀👩‍👩‍👧.txt",
    "-rf",
    "--anew",
    "- /-rf /-.txt",
    " leading.txt",
    "trailing.txt ",
    " in a folder / of spaces .txt",
    "   ",
    "back\\slash.txt",
    "[a]*?.txt",
    "100%s %n {0} $HOME ~.txt",
    "'; DROP TABLE documents; --.txt",
    "é composed.txt",
    "e\u0301 composed.txt",
    "CASE.txt",
    "case.txt",
    "\u202egnp.exe.txt",
    "\u2028separator.txt",
    "\ufeffmark.txt",
    "\x1b[31mred\x7f.txt",
]


def find(store: EmbeddedStore, word: str) -> list[str]:
    """The paths of the documents that have a word."""
    chunks = store.lexicon.chunks(store.lexicon.search(word, 10))
    records = [store.lexicon.record(chunk.document_id) for chunk in chunks.values()]
    return [record.path for record in records if record]


# Words for each of them, that are no other's typing errors.
WORDS, CHANGED = (["".join(pair) * 4 for pair in product(letters, repeat=2)] for letters in ("bcdfghjk", "lmnpqrst"))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems change or refuse some of these names")
def test_names_of_every_kind_are_synced_found_changed_moved_and_removed(folder: Path, store: EmbeddedStore) -> None:
    for number, name in enumerate(NAMES):
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(f"Alpha {WORDS[number]}.")
    assert sorted(run_sync(folder, store).added) == sorted(NAMES)
    for number, name in enumerate(NAMES):
        assert find(store, WORDS[number]) == [name]
    for number, name in enumerate(NAMES):
        (folder / name).write_text(f"Alpha is changed: {CHANGED[number]}.")
    assert sorted(run_sync(folder, store).changed) == sorted(NAMES)
    for number, name in enumerate(NAMES):
        assert (find(store, CHANGED[number]), find(store, WORDS[number])) == ([name], [])
    # Each moves to a name of its own kind, in a folder of the same.
    moved = [f"{name.replace('/', '_')}/{name.replace('/', '_')}" for name in NAMES]
    (folder / "kept").mkdir()
    for number, name in enumerate(NAMES):
        (folder / name).rename(folder / "kept" / str(number))
    for number, name in enumerate(moved):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "kept" / str(number)).rename(folder / name)
    embedding = HashEmbedding()
    assert sorted(run_sync(folder, store, embedding).moved) == sorted(moved)
    assert embedding.embedded == []
    for number, name in enumerate(moved):
        assert find(store, CHANGED[number]) == [name]
    assert run_sync(folder, store, embedding) == SyncReport(unchanged=sorted(moved))
    assert_equals_a_clean_store(folder, store)
    for name in moved[1:]:
        (folder / name).unlink()
    assert run_sync(folder, store) == SyncReport(removed=sorted(moved[1:]), unchanged=moved[:1])
    assert store.check() == {}
    assert_equals_a_clean_store(folder, store)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_what_lies_under_a_name_that_is_not_utf_8_is_listed_until_it_is_renamed(
    folder: Path, store: EmbeddedStore
) -> None:
    names = [os.fsdecode(name) for name in (b"caf\xe9/good.txt", b"good\xff.txt", b"half\xed\xa0\x80.txt")]
    for name in [*names, "near.txt"]:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(f"Alpha of {os.fsencode(name)!r}.")
    reasons = dict.fromkeys(names, "its name is not UTF-8: rename it")
    assert run_sync(folder, store) == SyncReport(added=["near.txt"], skipped=reasons)
    embedding = HashEmbedding()
    assert run_sync(folder, store, embedding) == SyncReport(unchanged=["near.txt"], skipped=reasons)
    (folder / names[0]).parent.rename(folder / "café")
    (folder / names[1]).rename(folder / "good.txt")
    (folder / "near.txt").rename(folder / os.fsdecode(b"near\xfe.txt"))
    report = run_sync(folder, store, embedding)
    assert (report.added, report.removed) == (["café/good.txt", "good.txt"], ["near.txt"])
    assert report.skipped == dict.fromkeys([names[2], os.fsdecode(b"near\xfe.txt")], reasons[names[2]])
    assert_equals_a_clean_store(folder, store)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
@pytest.mark.parametrize(
    "name", [b"caf\xe9", b"new\nline", b" -rf ", "😀".encode()], ids=["latin-1", "new-line", "spaces", "emoji"]
)
def test_the_documents_folder_itself_may_have_such_a_name(tmp_path: Path, name: bytes) -> None:
    folder = tmp_path / os.fsdecode(name)
    folder.mkdir()
    (folder / "a.txt").write_text("Alpha one.")
    for report in (SyncReport(added=["a.txt"]), SyncReport(unchanged=["a.txt"])):
        store = open_store(folder, tmp_path / "stores")
        assert run_sync(folder, store) == report
        assert find(store, "alpha") == ["a.txt"]
        store.close()


# -- on a terminal ----------------------------------------------------------------------------

_CONTROL = re.compile(r"\x1b\[[?0-9;]*[A-Za-z]")
# Where the bar is drawn anew, and where a line ends.
_FRAME = re.compile(r"\r\x1b\[2K(?:\x1b\[1A\x1b\[2K)*|\r\n")


class Terminal:
    """A terminal of so many columns, and the command that runs on it."""

    def __init__(self, columns: int, *arguments: str | Path) -> None:
        import fcntl
        import struct
        import termios

        self._ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.process = subprocess.Popen(
            footnote(*arguments, seconds=SLOW_SECONDS),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**os.environ, "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"},
            start_new_session=True,
        )
        os.close(theirs)
        self.output = b""

    def read_until(self, happened: Callable[[str], object], seconds: float = 60) -> str:
        """What was shown until something did, or until the command ended."""
        until = time.monotonic() + seconds
        while not happened(self.shown()):
            assert time.monotonic() < until, self.shown()
            if select.select([self._ours], [], [], 0.2)[0]:
                try:
                    self.output += os.read(self._ours, 65536)
                except OSError:  # the other end is closed
                    break
        return self.shown()

    def read_to_the_end(self) -> tuple[int, str]:
        """The exit code, and all that was shown."""
        shown = self.read_until(lambda _: False)
        os.close(self._ours)
        return self.process.wait(30), shown

    def shown(self) -> str:
        return self.output.decode(errors="replace")


def frames(shown: str) -> list[str]:
    """The lines that were shown, time after time, without their colours."""
    return [_CONTROL.sub("", frame).strip() for frame in _FRAME.split(shown)]


@pytest.fixture
def crossings(folder: Path) -> Path:
    """A folder of 60 documents, whose names are long, and as a pattern would be written."""
    for number in range(60):
        (folder / f"{number:02} [bold]the crossing{' of the sound' * 6}.txt").write_text(f"Crossing {number}.")
    return folder


_FIGURES = r"[━╸╺]{20} +[\d.]+/[\d.,]+ (?:kB|bytes) "


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo terminals")
@pytest.mark.parametrize("columns", [80, 200])
def test_a_terminal_shows_a_bar_with_rate_time_left_and_the_file_in_hand(crossings: Path, columns: int) -> None:
    code, shown = Terminal(columns, "sync", crossings).read_to_the_end()
    assert code == 0
    drawn = [frame for frame in frames(shown) if "━" in frame]
    assert len({*drawn}) > 3
    assert all(len(frame) <= columns and re.match(_FIGURES, frame) for frame in drawn), drawn
    full = [frame for frame in drawn if re.search(r" [\d.]+ (?:k?B|bytes)/s \d:\d\d:\d\d \d\d \[bold\]the", frame)]
    assert len(full) > len(drawn) / 2, drawn
    if columns == 200:
        assert all(frame.endswith("sound.txt") for frame in full)
    # The bar goes, and leaves the line that stays; the cursor is there again.
    assert _CONTROL.sub("", shown).splitlines()[-1].endswith("60 documents: 60 added")
    assert shown.rindex("\x1b[?25h") > shown.rindex("━")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo terminals")
def test_ctrl_c_on_a_terminal_ends_with_a_sentence_and_the_next_sync_finishes(crossings: Path) -> None:
    terminal = Terminal(80, "sync", crossings)
    terminal.read_until(lambda shown: "bytes/s" in shown)
    terminal.process.send_signal(signal.SIGINT)
    code, shown = terminal.read_to_the_end()
    assert code == 130
    assert "Traceback" not in shown
    assert _CONTROL.sub("", shown).splitlines()[-1].strip() == "footnote: stopped; nothing is lost."
    assert shown.rindex("\x1b[?25h") > shown.rindex("━")
    code, shown = Terminal(80, "sync", crossings).read_to_the_end()
    summary = re.search(r"60 documents: (\d+) added, (\d+) unchanged", shown)
    assert summary, shown
    assert (code, int(summary[1]) + int(summary[2])) == (0, 60)
    assert int(summary[2]) > 0  # what was stored before the interruption is not stored again


def test_a_log_gets_plain_lines(crossings: Path) -> None:
    done = run_footnote("sync", crossings, seconds=SLOW_SECONDS)
    assert (done.returncode, done.stdout) == (0, "60 documents: 60 added\n")
    lines = done.stderr.splitlines()
    for line in lines:
        assert re.fullmatch(r" *\d+%, \d+\.\d\d MB/s(?:, \d+ s left)?: \d\d \[bold\]the crossing.*\.txt", line)
    assert 1 < len(lines) < 10  # a line now and then
    assert lines[-1].startswith("100%, ")
