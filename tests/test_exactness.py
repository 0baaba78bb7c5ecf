"""The store equals the folder, whatever was interrupted and wherever it was killed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hashed import HashEmbedding, contents, open_store
from test_sync import LONG, assert_equals_a_clean_store, run_sync

from index.documents import Progress
from index.library import finish
from index.loading import opening, sections
from index.plan import SyncReport
from index.storing.embedded import EmbeddedStore
from index.storing.lexicon import Lexicon
from index.storing.store import place_of
from index.sync import sync

KILLS = int(os.environ.get("FOOTNOTE_TEST_KILLS", "12"))

# Syncs for ever in another process, with small batches and an embedding that takes its time.
SYNC_ELSEWHERE = """
import sys, time
sys.path.insert(0, sys.argv[3])
from pathlib import Path
import index.sync, index.loading.opening, index.loading.sections
from hashed import CHUNK_TOKENS, HashEmbedding
from index.storing.embedded import EmbeddedStore
index.sync.BATCH_CHUNKS = 8
index.loading.opening.LONG_TEXT_BYTES = 2000
index.loading.sections.SECTION_CHARACTERS = 700
class Slow(HashEmbedding):
    def embed(self, texts):
        time.sleep(0.002 * len(texts))
        return super().embed(texts)
folder, stores = Path(sys.argv[1]), Path(sys.argv[2])
store = EmbeddedStore(stores, folder, HashEmbedding.name, CHUNK_TOKENS)
print("ready", flush=True)
for progress in index.sync.sync(folder, store, Slow()):
    print(progress.message.encode(), flush=True)
print("done", flush=True)
if sys.argv[4:]:
    with store.writing():
        print("holding", flush=True)
        time.sleep(60)
"""


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.sync.BATCH_CHUNKS", 8)
    monkeypatch.setattr(opening, "LONG_TEXT_BYTES", 2000)
    monkeypatch.setattr(sections, "SECTION_CHARACTERS", 700)


def start_sync(folder: Path, stores: Path, *arguments: str) -> subprocess.Popen[str]:
    here = str(Path(__file__).parent)
    command = [sys.executable, "-c", SYNC_ELSEWHERE, str(folder), str(stores), here, *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    assert process.stdout is not None
    process.stdout.close()


def write_long(chance: random.Random) -> str:
    """A paragraph unlike others: among hundreds of equal vectors Chroma's graph no longer finds every other one."""
    return " ".join(chance.sample(LONG.split(), len(LONG.split())))


def write_much(folder: Path, chance: random.Random) -> None:
    """Add, edit, move and delete at random, long and short, with twins."""
    for _ in range(chance.randint(3, 8)):
        name = chance.choice("abcdefgh")
        place = folder / f"{name}.txt"
        match chance.randrange(5):
            case 0:
                place.unlink(missing_ok=True)
            case 1 if place.exists():
                place.rename(folder / f"{name}{chance.randrange(9)}.md")
            case 2:
                place.write_text(f"A short one, number {chance.randrange(5)}.")
            case 3:
                place.write_text("\n\n".join(write_long(chance) for _ in range(chance.randint(1, 6))))
            case _:
                place.write_text(write_long(chance))
    (folder / "always.txt").write_text("There is always one document.")


def kill_at_random_moments(
    folder: Path,
    stores: Path,
    chance: random.Random,
    change: Callable[[], None],
    *,
    longest_seconds: float,
    finished_share: float,
    check: Callable[[EmbeddedStore], None] = lambda store: None,
) -> None:
    """Kill syncs of a folder that changes before each of them, and see that the next one finishes the work.

    finished_share: of the kills, after which it does; else the next kill comes upon what this one left.
    check: sees besides to a store whose sync has finished.
    """
    reached = set()
    for _ in range(KILLS):
        change()
        process = start_sync(folder, stores)
        time.sleep(chance.uniform(0, longest_seconds))
        reached.add(process.poll())
        end(process)
        if chance.random() < finished_share:
            store = open_store(folder, stores)
            run_sync(folder, store)
            assert store.check() == {}
            assert store.lexicon.pending() == []
            check(store)
            assert_equals_a_clean_store(folder, store)
            store.close()
    assert None in reached  # some were really killed on the way
    store = open_store(folder, stores)
    run_sync(folder, store)
    assert_equals_a_clean_store(folder, store)
    store.close()


def test_killed_at_random_moments_the_next_sync_finishes_the_work(folder: Path, stores: Path) -> None:
    chance = random.Random(7)
    kill_at_random_moments(
        folder, stores, chance, lambda: write_much(folder, chance), longest_seconds=0.7, finished_share=0.5
    )


def test_a_killed_sync_of_a_long_file_is_taken_up_where_it_was(folder: Path, stores: Path) -> None:
    text = "\n\n".join(f"Paragraph {number}. {LONG}" for number in range(40))
    (folder / "long.txt").write_text(text)
    process = start_sync(folder, stores)
    assert process.stdout is not None
    for _ in range(10):
        process.stdout.readline()
    end(process)
    store = open_store(folder, stores)
    assert store.lexicon.records() == []  # nothing is visible until it is whole
    embedding = HashEmbedding()
    run_sync(folder, store, embedding)
    chunks = store.lexicon.count_chunks()
    # Ten batches stood, each of seven and the first chunk, which waits; it is made again, and at most two batches are.
    assert len(embedding.embedded) <= chunks - 10 * 7 + 8
    assert store.text_of(store.lexicon.records()[0].document_id) == text
    assert_equals_a_clean_store(folder, store)
    store.close()


def test_a_long_file_is_stored_as_a_short_one_is(
    folder: Path, store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "# Title of the long one\r\n\r\n" + "\r\n\r\n".join(f"Número {number} – “{LONG}”" for number in range(9))
    (folder / "long.md").write_bytes(text.encode())
    run_sync(folder, store)
    streamed = contents(store)
    assert streamed[0][0].title == "Title of the long one"
    assert store.text_of(streamed[0][0].document_id) == text
    monkeypatch.setattr(opening, "LONG_TEXT_BYTES", 10**9)
    assert_equals_a_clean_store(folder, store)


def test_a_long_file_with_what_is_no_text_in_its_midst_is_skipped(folder: Path, store: EmbeddedStore) -> None:
    (folder / "a.txt").write_text("Good.")
    (folder / "nul.txt").write_bytes((LONG * 4).encode() + b"\x00" + LONG.encode())
    (folder / "old.txt").write_bytes((LONG * 20).encode() + " Le café était fermé à Noël.".encode("cp1252"))
    report = run_sync(folder, store)
    assert report.added == ["a.txt", "old.txt"]
    assert report.skipped == {"nul.txt": "binary"}
    assert store.check() == {}
    assert_equals_a_clean_store(folder, store)


def test_moved_and_doubled_content_is_not_embedded_again(folder: Path, store: EmbeddedStore) -> None:
    (folder / "a.txt").write_text(LONG)
    run_sync(folder, store)
    (folder / "sub").mkdir()
    (folder / "a.txt").rename(folder / "sub" / "moved.txt")
    embedding = HashEmbedding()
    assert run_sync(folder, store, embedding) == SyncReport(moved=["sub/moved.txt"])
    (folder / "twin.txt").write_text(LONG)
    assert run_sync(folder, store, embedding).added == ["twin.txt"]
    assert embedding.embedded == []
    assert_equals_a_clean_store(folder, store)


def test_a_dry_run_says_what_a_sync_does_and_changes_nothing(folder: Path, store: EmbeddedStore) -> None:
    for name in "abcd":
        (folder / f"{name}.txt").write_text(f"Document {name}. {LONG}")
    run_sync(folder, store)
    (folder / "a.txt").unlink()
    (folder / "b.txt").rename(folder / "moved.txt")
    (folder / "c.txt").write_text("Changed.")
    (folder / "new.txt").write_text("New.")
    (folder / "bad.txt").write_bytes(b"\x00")
    before = contents(store)
    said = finish(sync(folder, store, HashEmbedding(), dry_run=True))
    assert contents(store) == before
    assert said == SyncReport(["new.txt"], ["c.txt"], ["a.txt"], ["d.txt"], {"bad.txt": "binary"}, ["moved.txt"])
    assert run_sync(folder, store) == said


def test_a_change_that_keeps_size_and_time_is_seen_by_checksum(folder: Path, store: EmbeddedStore) -> None:
    file = folder / "a.txt"
    file.write_text("Alpha one.")
    os.utime(file, ns=(1, 1))
    run_sync(folder, store)
    file.write_text("Alpha two.")
    os.utime(file, ns=(1, 1))
    assert run_sync(folder, store).unchanged == ["a.txt"]
    assert finish(sync(folder, store, HashEmbedding(), checksum=True)).changed == ["a.txt"]


def test_a_file_that_cannot_be_read_is_tried_again_only_when_it_changes(
    folder: Path, store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, content in (("a.txt", b"Alpha."), ("b.txt", b"\x00")):
        (folder / name).write_bytes(content)
        os.utime(folder / name, ns=(1, 1))
    run_sync(folder, store)
    opened: list[str] = []
    open_document = opening.open_document
    monkeypatch.setattr(
        "index.plan.open_document", lambda f, *rest, **how: opened.append(f.path) or open_document(f, *rest, **how)
    )
    assert run_sync(folder, store).skipped == {"b.txt": "binary"}
    assert opened == []
    (folder / "b.txt").write_text("Beta.")
    assert run_sync(folder, store).added == ["b.txt"]
    assert opened == ["b.txt"]


def test_a_second_sync_says_who_holds_the_store_and_then_goes_on(
    folder: Path, stores: Path, store: EmbeddedStore
) -> None:
    (folder / "a.txt").write_text("Alpha.")
    process = start_sync(folder, stores, "hold")
    assert process.stdout is not None
    while process.stdout.readline() != "holding\n":
        pass
    (folder / "b.txt").write_text("Beta.")
    # One that has a version to answer from does not wait.
    assert list(sync(folder, store, HashEmbedding(), patient=False)) == []
    assert [record.path for record in store.lexicon.records()] == ["a.txt"]
    walk = sync(folder, store, HashEmbedding())
    assert next(walk) == Progress(f"Waiting for process {process.pid}, which is syncing this folder")
    end(process)  # the lock dies with its owner
    assert finish(walk).added == ["b.txt"]


OPEN = """
import sys
sys.path.insert(0, sys.argv[3])
from pathlib import Path
from hashed import CHUNK_TOKENS, HashEmbedding
from index.storing.embedded import EmbeddedStore
store = EmbeddedStore(Path(sys.argv[2]), Path(sys.argv[1]), HashEmbedding.name, CHUNK_TOKENS)
print(*store.take_news(), len(store.lexicon.records()), store._keeper.rows.count() == store.lexicon.count_chunks())
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder and the stores of another process, with vectors enough to stand in files of their own."""
    folder, stores = tmp_path_factory.mktemp("documents"), tmp_path_factory.mktemp("stores")
    for number in range(80):
        (folder / f"{number}.txt").write_text(f"Document {number}. {LONG} {number}")
    assert start_sync(folder, stores).communicate(timeout=120)[0].endswith("done\n")
    return folder, stores


@pytest.mark.parametrize(
    "damage", ["nothing", "no database", "cut database", "empty database", "no vectors", "cut vectors"]
)
def test_a_damaged_store_is_made_anew_and_said_so(built: tuple[Path, Path], stores: Path, damage: str) -> None:
    folder, whole = built
    shutil.copytree(whole, stores)
    chroma = place_of(stores, folder) / "chroma"
    segments = [place for place in chroma.iterdir() if place.is_dir() and any(place.iterdir())]
    assert segments, "the vectors stand in files of their own beyond some thousand rows"
    match damage:
        case "no database":
            (chroma / "chroma.sqlite3").unlink()
        case "cut database":
            os.truncate(chroma / "chroma.sqlite3", 20_000)
        case "empty database":
            os.truncate(chroma / "chroma.sqlite3", 0)
        case "no vectors":
            shutil.rmtree(segments[0])
        case "cut vectors":
            os.truncate(segments[0] / "data_level0.bin", 100)
    # In a process of its own, as a user's next command is.
    command = [sys.executable, "-c", OPEN, str(folder), str(stores), str(Path(__file__).parent)]
    opened = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (opened.returncode, opened.stderr) == (0, "")
    assert opened.stdout.endswith("80 True\n")
    assert damage == "nothing" or "made anew from the lexical index" in opened.stdout


def test_a_lexicon_that_is_cut_to_nothing_while_it_is_open_is_made_anew(folder: Path, store: EmbeddedStore) -> None:
    for name in "abc":
        (folder / f"{name}.txt").write_text(f"Document {name}. {LONG}")
    run_sync(folder, store)
    other = Lexicon(store.place / "lexicon.sqlite")  # as another thread or process has it
    assert len(other.records()) == 3
    os.truncate(store.place / "lexicon.sqlite", 0)
    started = time.monotonic()
    run_sync(folder, store)
    assert time.monotonic() - started < 20
    assert len(store.lexicon.records()) == 3
    assert store.check() == {}
    other.close()


def test_check_finds_what_is_wrong_and_repair_mends_it(folder: Path, store: EmbeddedStore) -> None:
    for name in "abc":
        (folder / f"{name}.txt").write_text(f"Document {name}. {LONG}")
    run_sync(folder, store)
    assert store.check() == {}
    victim = store.lexicon.records()[0].document_id
    with store._keeper.saving() as rows:
        rows.delete([store.lexicon.chunk_ids(victim)[2]])
        orphan = {"document_id": "x", "content_hash": "y"}
        rows.upsert(["orphan"], embeddings=[[1.0] * 8], metadatas=[orphan])
    wrong = store.check()
    assert wrong[victim].startswith("a.txt: 1 of ")
    with store.writing():
        store.repair(wrong)
    run_sync(folder, store)
    assert store.check() == {}
    assert_equals_a_clean_store(folder, store)
