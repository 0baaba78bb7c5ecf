"""Attacks on the store: its files damaged in every way, its disk read-only or full, itself taken away while in use.

FOOTNOTE_TEST_DAMAGES says how often a store is damaged at random.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from forked import Ended, Footnote
from hashed import HashEmbedding, open_store
from test_command_line import check_one_sentence
from test_hard_folders import Helper, sync_again_and_again
from test_sync import LONG, assert_equals_a_clean_store, run_sync, sync_elsewhere

from index.place import DamagedError
from index.searching.retriever import retrieve
from index.storing.embedded import EmbeddedStore, discard
from index.storing.store import place_of

DAMAGES = int(os.environ.get("FOOTNOTE_TEST_DAMAGES", "4"))
QUESTION = "Who steers the ferry?"
NOBODY = 65534
# Chroma writes its vectors into files of their own at each thousand; here at fewer.
SAVE_SOON = """
from chromadb.api.client import Client
create = Client.get_or_create_collection
def create_otherwise(self, *arguments, configuration, **options):
    configuration = {"hnsw": {**configuration["hnsw"], "batch_size": 10, "sync_threshold": 20}}
    return create(self, *arguments, configuration=configuration, **options)
Client.get_or_create_collection = create_otherwise
"""
TOO_LARGE = """
import index.storing.chroma_files, index.storing.store
index.storing.chroma_files.CHECKED_BYTES = index.storing.embedded.CHECKED_BYTES = 0
"""
TEXTS = {
    f"{number:02}.md": f"# Ferry {number}\n\n" + " ".join(f"Sentence {i} of ferry {number}." for i in range(60))
    for number in range(8)
} | {"captain.md": "# The captain\n\nCaptain Ida Voss steers the Brenholm ferry.\n"}


class Built:
    """A folder, its store as `footnote sync` left it, a copy of that, and what is rightly said of it."""

    def __init__(self, footnote: Footnote, place: Path) -> None:
        self.footnote, self.folder, self.stores, self.kept = (
            footnote,
            place / "documents",
            place / "stores",
            place / "kept",
        )
        self.folder.mkdir()
        self.theirs = place / "thesis.txt"
        for name, text in TEXTS.items():
            (self.folder / name).write_text(text)
        self.place = place_of(self.stores, self.folder)
        assert self.run("sync", self.folder).output == "9 documents: 9 added\n"
        self.right = self.ask()
        assert (self.right.code, self.right.errors) == (0, "")
        assert "“Captain Ida Voss steers the Brenholm ferry.” [1]" in self.right.output
        assert self.run("check", self.folder) == Ended(0, "The store is whole.\n", "")
        shutil.copytree(self.place, self.kept)

    def run(self, *arguments: str | Path) -> Ended:
        return self.footnote.run(
            *arguments, environment={"FOOTNOTE_STORE": str(self.stores), "FOOTNOTE_CHUNK_TOKENS": "32"}
        )

    def ask(self) -> Ended:
        return self.run("ask", QUESTION, "--documents", self.folder)

    def restore(self) -> None:
        """Have the store be as it was left, and a file of the user's beside it."""
        shutil.rmtree(self.place)
        shutil.copytree(self.kept, self.place)
        self.theirs.write_text("My thesis.")

    def files(self) -> list[str]:
        """Every file of the store, relative to it."""
        return sorted(str(file.relative_to(self.kept)) for file in self.kept.rglob("*") if file.is_file())

    def assert_answers(self) -> Ended:
        """A question is answered rightly, and nothing of the user's is touched."""
        ended = self.ask()
        assert (ended.code, ended.output) == (0, self.right.output), ended
        assert "Traceback" not in ended.errors
        assert self.theirs.read_text() == "My thesis."
        return ended

    def assert_checked(self, *options: str) -> None:
        """A check finds or makes it whole, and ends as a command ends."""
        ended = self.run("check", self.folder, *options)
        assert ended.code == 0, ended
        assert ended.output.endswith(("The store is whole.\n", "Mended.\n")), ended
        assert "Traceback" not in ended.errors


@pytest.fixture(scope="module")
def footnote() -> Iterator[Footnote]:
    with Footnote(f"import assistant.serving.port, gradio, uvicorn\n{SAVE_SOON}") as footnote:
        yield footnote


@pytest.fixture(scope="module")
def built(footnote: Footnote, tmp_path_factory: pytest.TempPathFactory) -> Built:
    return Built(footnote, tmp_path_factory.mktemp("built"))


# -- damaged ----------------------------------------------------------------------------------


def halve(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def zero(file: Path) -> None:
    file.write_bytes(bytes(file.stat().st_size))


def scramble(file: Path) -> None:
    file.write_bytes(random.Random(1).randbytes(max(100, file.stat().st_size)))


def put_folder(file: Path) -> None:
    file.unlink()
    (file / "deep").mkdir(parents=True)
    (file / "deep" / "file").write_text("In the way.")


def append(file: Path) -> None:
    with file.open("ab") as stream:
        stream.write("gärbage".encode("latin-1") * 99)


def flip(file: Path, chance: random.Random) -> None:
    """Change some bits."""
    data = bytearray(file.read_bytes())
    for _ in range(chance.choice([1, 4, 40]) if data else 0):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    file.write_bytes(data)


WAYS: list[Callable[[Path], object]] = [halve, zero, scramble, Path.unlink, put_folder, append]
NAMES = [
    *("chroma.sqlite3", "data_level0.bin", "header.bin", "index_metadata.pickle", "length.bin", "link_lists.bin"),
    *("lexicon.sqlite", "lexicon.sqlite-shm", "lexicon.sqlite-wal"),
    *("files.json", "holder", "lock", "mark", "saving"),
]


def test_every_file_of_a_store_is_damaged_below(built: Built) -> None:
    assert sorted(Path(file).name for file in built.files()) == sorted(NAMES)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_damaged_is_mended_unasked(built: Built, name: str, way: Callable[[Path], object]) -> None:
    built.restore()
    [file] = built.place.rglob(name)
    way(file)
    # Whatever comes first, the rest finds a whole store.
    first = (NAMES.index(name) + WAYS.index(way)) % 3
    if first == 0:
        built.assert_answers()
    elif first == 1:
        built.assert_checked()
    else:
        built.assert_checked("--repair")
        built.assert_answers()


@pytest.mark.parametrize("name", NAMES)
def test_a_link_in_a_files_place_is_not_followed(built: Built, name: str) -> None:
    built.restore()
    [file] = built.place.rglob(name)
    file.unlink()
    file.symlink_to(built.theirs)
    built.assert_answers()


@pytest.mark.parametrize("name", ["chroma.sqlite3", "header.bin", "lexicon.sqlite"])
def test_what_is_mended_is_told_and_once(built: Built, name: str) -> None:
    built.restore()
    [file] = built.place.rglob(name)
    halve(file)
    [line] = built.assert_answers().errors.splitlines()
    assert str(built.place) in line
    assert "damaged" in line
    assert built.assert_answers().errors == ""


@pytest.mark.parametrize("name", ["chroma.sqlite3", "header.bin", "chroma"])
def test_a_store_of_which_nothing_is_whole_is_made_anew_from_the_documents(built: Built, name: str) -> None:
    built.restore()
    scramble(built.place / "lexicon.sqlite")
    [file] = built.place.rglob(name)
    if file.is_dir():
        shutil.rmtree(file)
    else:
        scramble(file)
    assert "made anew from the documents" in built.assert_answers().errors
    built.assert_checked()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("mark", "café機".encode()),
        ("mark", b"\xff\xfe"),
        *(
            (name, content)
            for name in ("files.json", "saving.json")
            for content in (
                b"[" * 5000,
                b'{"a":' * 5000,
                b"{}",
                b"[]",
                b"7",
                b'{"chroma.sqlite3": [1, "2", null]}',
                b"\xff",
            )
        ),
    ],
)
def test_a_note_that_cannot_be_understood_is_as_if_missing(built: Built, name: str, content: bytes) -> None:
    built.restore()
    (built.place / name).write_bytes(content)
    built.assert_answers()


@pytest.mark.parametrize("number", range(DAMAGES))
def test_bits_that_are_changed_at_random_change_no_answer(built: Built, number: int) -> None:
    chance = random.Random(number)
    built.restore()
    for name in chance.sample(built.files(), chance.choice([1, 1, 2, 5])):
        flip(built.place / name, chance)
    built.assert_answers()
    built.assert_checked()


@pytest.mark.parametrize("name", ["chroma.sqlite3", "lexicon.sqlite"])
def test_in_a_store_too_large_to_be_read_at_each_start_damage_is_met_and_mended(built: Built, name: str) -> None:
    with Footnote(SAVE_SOON + TOO_LARGE) as large:
        other = built.footnote
        built.footnote = large
        try:
            for number in range(DAMAGES // 2):
                built.restore()
                flip(built.place / next(file for file in built.files() if file.endswith(name)), random.Random(number))
                built.assert_answers()
                built.assert_checked("--repair")
                built.assert_checked()
        finally:
            built.footnote = other


def test_a_copied_store_is_whole_and_only_noted_anew(built: Built) -> None:
    built.restore()
    for file in built.place.rglob("*"):
        os.utime(file)
    folders = sorted((built.place / "chroma").iterdir())
    assert built.assert_answers().errors == ""
    assert sorted((built.place / "chroma").iterdir()) == folders


# -- not to be written ------------------------------------------------------------------------

# What each command does in each situation: it works, or it tells in one sentence why not.
WORKS, TOLD = True, False
COMMANDS = ("chat", "ask", "sync", "check", "documents", "eval")
TABLE = {
    "a disk that is read-only": (WORKS, WORKS, TOLD, TOLD, WORKS, WORKS),
    "a store that may only be read": (WORKS, WORKS, TOLD, TOLD, WORKS, WORKS),
    "a store that may not even be read": (TOLD, TOLD, TOLD, TOLD, TOLD, TOLD),
    "a disk that is full": (TOLD, TOLD, TOLD, TOLD, TOLD, TOLD),
    "no store, and nowhere to make one": (TOLD, TOLD, TOLD, TOLD, TOLD, TOLD),
    "output to a full disk": (TOLD, TOLD, TOLD, TOLD, TOLD, TOLD),
}


class Scene:
    """A store in one of these situations, and a document that it does not know yet."""

    def __init__(self, built: Built, situation: str, place: Path) -> None:
        self._footnote = built.footnote
        self.stores, self.folder = place / "stores", place / "documents"
        self.is_powerless, self.output = not situation.startswith("a disk"), ""
        shutil.copytree(built.folder, self.folder)
        if situation.startswith("a disk"):
            self._mount("-t", "tmpfs", "-o", "size=64m", "tmpfs")
        if situation.startswith("no store"):
            self.stores.mkdir()
        else:
            assert self._run("sync", self.folder).code == 0
        (self.folder / "new.md").write_text("# News\n\nThe pier is closed.\n")
        match situation:
            case "a disk that is read-only":
                self._mount("-o", "remount,ro")
            case "a disk that is full":
                status = os.statvfs(self.stores)
                used = (status.f_blocks - status.f_bfree) * status.f_frsize
                self._mount("-o", f"remount,size={used}")
            case "a store that may not even be read":
                self._give_away(0o700)
            case "output to a full disk":
                self.output = "/dev/full"
            case _:
                self._give_away(0o755)

    def _give_away(self, mode: int) -> None:
        """Have the store belong to somebody else."""
        for file in [self.stores, *self.stores.rglob("*")]:
            os.chown(file, NOBODY, NOBODY)
            file.chmod(mode if file.is_dir() else mode & 0o644)

    def _mount(self, *options: str) -> None:
        self.stores.mkdir(exist_ok=True)
        done = subprocess.run(["mount", *options, str(self.stores)], capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"a disk of its own cannot be mounted here: {done.stderr.strip()}")

    def run(self, command: str) -> Ended:
        """Run a command as a user would who has this store."""
        questions = self.folder.parent / "questions.jsonl"
        questions.write_text(json.dumps({"question": QUESTION, "answers": ["Ida Voss"], "answerable": True}))
        arguments: dict[str, tuple[str | Path, ...]] = {
            "ask": (QUESTION, "--documents", self.folder),
            "eval": (questions, "--documents", self.folder),
        }
        return self._run(command, *arguments.get(command, (self.folder,)), until="http://" if command == "chat" else "")

    def _run(self, *arguments: str | Path, until: str = "") -> Ended:
        environment = {"FOOTNOTE_STORE": str(self.stores)}
        return self._footnote.run(
            *arguments, environment=environment, is_powerless=self.is_powerless, output=self.output, until=until
        )


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """Where a disk may be mounted."""
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path / "stores")], capture_output=True, check=False)


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root may mount, and give files away")
@pytest.mark.parametrize("situation", TABLE)
def test_what_each_command_does_where_it_may_not_write(built: Built, place: Path, situation: str) -> None:
    scene = Scene(built, situation, place)
    shown = {
        "ask": "“Captain Ida Voss",
        "documents": "captain.md  The captain",
        "eval": "1 questions",
        "chat": "http://",
    }
    for command, works in zip(COMMANDS, TABLE[situation], strict=True):
        ended = scene.run(command)
        if works:
            assert shown[command] in ended.output, (command, ended)
            assert "Traceback" not in ended.errors
            # What is answered from is older than the folder, and that is said.
            assert "may not be written: answers are from what it held before" in ended.errors
            assert ended.code in (0, -9)
        else:
            assert (ended.code, ended.output) == (1, ""), (command, ended)
            check_one_sentence(ended.errors.splitlines(keepends=True)[-1])


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root may give files away")
def test_a_store_that_may_only_be_read_is_left_as_it_was(built: Built, place: Path) -> None:
    scene = Scene(built, "a store that may only be read", place)
    (scene.folder / "new.md").unlink()

    def listing() -> dict[str, int]:
        return {str(file): file.stat().st_mtime_ns for file in scene.stores.rglob("*")}

    before = listing()
    assert scene.run("sync") == Ended(0, "9 documents: 9 unchanged\n", "")
    assert scene.run("ask") == built.right
    assert listing() == before


# -- taken away while it is in use ------------------------------------------------------------


def change_outside(way: str, folder: Path, stores: Path, kept: Path) -> None:
    """What somebody else may do to a store that this process has open."""
    place = place_of(stores, folder)
    match way:
        case "deleted":
            shutil.rmtree(place)
        case "made anew":
            discard(stores, folder)
            assert sync_elsewhere(folder, stores) == 0
        case "restored":
            shutil.copytree(kept, place, dirs_exist_ok=True)
        case "vectors lost":
            shutil.rmtree(place / "chroma")
        case "lexicon lost":
            (place / "lexicon.sqlite").unlink()
        case "cut":
            for file in (place / "lexicon.sqlite", *(place / "chroma").glob("*/header.bin")):
                halve(file)


CHANGES = ["deleted", "made anew", "restored", "vectors lost", "lexicon lost", "cut"]


def search(store: EmbeddedStore, folder: Path) -> list[str]:
    """The paths that a question after a sync is answered from."""
    run_sync(folder, store)
    try:
        passages = retrieve(store, "alpha", HashEmbedding().embed_query("Alpha one."), 3)
    except DamagedError:
        # As a library does: what was lost between the two is just being made anew.
        run_sync(folder, store)
        passages = retrieve(store, "alpha", HashEmbedding().embed_query("Alpha one."), 3)
    return [passage.path for passage in passages]


def test_nothing_is_found_in_a_lexicon_that_is_just_being_made_anew(folder: Path, store: EmbeddedStore) -> None:
    (folder / "a.txt").write_text("Alpha one.")
    assert search(store, folder) == ["a.txt"]
    store.lexicon.create()
    with pytest.raises(DamagedError, match="is not whole: try again"):
        retrieve(store, "alpha", HashEmbedding().embed_query("Alpha one."), 3)
    assert search(store, folder) == ["a.txt"]


@pytest.mark.parametrize("way", CHANGES)
def test_whoever_has_the_store_open_goes_on(
    folder: Path, store: EmbeddedStore, stores: Path, tmp_path: Path, way: str
) -> None:
    (folder / "a.txt").write_text("Alpha one.")
    (folder / "b.txt").write_text(LONG)
    run_sync(folder, store)
    kept = shutil.copytree(store.place, tmp_path / "kept")
    (folder / "b.txt").write_text("Beta two.")
    (folder / "c.txt").write_text("Gamma three.")
    with ThreadPoolExecutor(4) as threads:
        before = [*threads.map(lambda _: search(store, folder), range(8))]
        change_outside(way, folder, stores, kept)
        after = [*threads.map(lambda _: search(store, folder), range(8))]
    assert before == after
    assert {found[0] for found in after} == {"a.txt"}
    assert_equals_a_clean_store(folder, store)
    assert store.check() == {}


@pytest.mark.parametrize("way", CHANGES[:3])
def test_a_process_that_has_the_store_open_goes_on(folder: Path, stores: Path, tmp_path: Path, way: str) -> None:
    (folder / "a.txt").write_text("Alpha one. " + LONG)
    with Helper(sync_again_and_again, folder, stores) as process:
        assert process.says() == "open"
        assert process.ask() == "1 document: 1 added | 1 | 1"
        kept = shutil.copytree(place_of(stores, folder), tmp_path / "kept")
        (folder / "b.txt").write_text("Beta two.")
        assert process.ask() == "2 documents: 1 added, 1 unchanged | 2 | 1"
        change_outside(way, folder, stores, kept)
        assert process.ask().endswith(" | 2 | 1")
        assert process.ask() == "2 documents: 2 unchanged | 2 | 1"
    store = open_store(folder, stores)
    run_sync(folder, store)
    assert_equals_a_clean_store(folder, store)
    store.close()


# -- among the documents ----------------------------------------------------------------------


def test_a_store_inside_the_documents_folder_is_no_document(folder: Path, tmp_path: Path) -> None:
    (folder / "a.txt").write_text("Alpha one. " + LONG)
    other = tmp_path / "other"
    other.mkdir()
    (other / "b.txt").write_text("Beta two.")
    (folder / "deep").mkdir()
    (tmp_path / "link").symlink_to(folder / "deep")
    for place in (folder / "store", tmp_path / "link"):
        theirs = open_store(other, place)
        run_sync(other, theirs)
        theirs.close()
    (folder / "mark.txt").symlink_to(place_of(folder / "store", other) / "mark")
    store = open_store(folder, folder / "store")
    for expected in ("1 document: 1 added, 1 skipped", "1 document: 1 unchanged, 1 skipped"):
        report = run_sync(folder, store)
        assert (report.summary(), report.skipped) == (expected, {"mark.txt": "a link into a store"})
    store.close()


def test_files_that_are_named_as_a_stores_are_documents(folder: Path, store: EmbeddedStore) -> None:
    for name in ("mark", "lock", "notes"):
        (folder / name).write_text(f"The {name} of the house.")
    assert run_sync(folder, store).added == ["lock", "mark", "notes"]


HISTORIES = {
    "one by one": [["a.md"], ["b.md"], ["c.md"]],
    "the last first": [["c.md"], ["b.md"], ["a.md"]],
    "together": [["a.md", "b.md", "c.md"]],
    "moved": [["b.md", "x.md", "c.md"], ["x.md>a.md"]],
    "moved last": [["a.md", "b.md"], ["a.md>c.md"], ["a.md"]],
}


@pytest.mark.parametrize("history", HISTORIES.values(), ids=HISTORIES)
def test_of_copies_the_first_by_path_is_found_first(
    folder: Path, store: EmbeddedStore, history: list[list[str]]
) -> None:
    (folder / "other.md").write_text("# Another\n\nNothing of the kind.\n")
    for names in history:
        for name in names:
            before, _, after = name.partition(">")
            if after:
                (folder / before).rename(folder / after)
            else:
                (folder / name).write_text("# The ferry\n\nThe ferry leaves at nine.\n")
        run_sync(folder, store)
    for count in (1, 2, 3, 4):
        found = retrieve(store, "ferry leaves", HashEmbedding().embed_query("anything"), count)
        assert [passage.path for passage in found] == ["a.md", "b.md", "c.md", "other.md"][:count]


@pytest.mark.parametrize("is_reversed", [False, True])
def test_of_more_copies_than_a_search_finds_the_first_are_taken(
    folder: Path, store: EmbeddedStore, is_reversed: bool
) -> None:
    names = [f"{number:03}.md" for number in range(150)]
    for half in sorted((names[:75], names[75:]), reverse=is_reversed):
        for name in half:
            (folder / name).write_text("# The ferry\n\nThe ferry leaves at nine.\n")
        run_sync(folder, store)
    for count in (1, 8, 50, 120):
        found = retrieve(store, "ferry leaves", HashEmbedding().embed_query("anything"), count)
        assert [passage.path for passage in found] == names[:count]
