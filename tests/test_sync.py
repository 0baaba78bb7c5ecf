from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hashed import HashEmbedding, contents, open_store, put
from hypothesis import given
from hypothesis import settings as run_with
from hypothesis import strategies as st

from index.documents import identify
from index.embedding.protocol import Vectors
from index.errors import FolderError
from index.library import finish
from index.plan import SyncReport
from index.storing.embedded import EmbeddedStore
from index.storing.lexicon import Lexicon
from index.sync import sync

LONG = " ".join(f"Sentence {number} of the long document." for number in range(30))


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every long document is a batch, so that a sync has several."""
    monkeypatch.setattr("index.sync.BATCH_CHUNKS", 10)


class Killed(BaseException):
    """What no code may catch: the process ends here."""


WRITES = [
    *((EmbeddedStore, name) for name in ("_upsert", "_delete", "settle")),
    *((Lexicon, name) for name in ("announce", "settle", "put", "put_embedded", "remove", "touch", "remember_skipped")),
]


def die_after(left: list[int], original: Callable[..., object]) -> Callable[..., object]:
    """The same write, which is let through so often as is left, and then never again."""

    def write(*arguments: object, **options: object) -> object:
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        return original(*arguments, **options)

    return write


@contextmanager
def dying_after(writes: int) -> Iterator[None]:
    """Let so many writes to the store through, of whatever kind, and none after."""
    left = [writes]
    with pytest.MonkeyPatch.context() as patch, suppress(Killed):
        for owner, name in WRITES:
            patch.setattr(owner, name, die_after(left, getattr(owner, name)))
        yield


def run_sync(folder: Path, store: EmbeddedStore, embedding: HashEmbedding | None = None) -> SyncReport:
    report: SyncReport = finish(sync(folder, store, embedding or HashEmbedding()))
    return report


def assert_equals_a_clean_store(folder: Path, store: EmbeddedStore) -> None:
    """The store equals one that is built from the folder as it is now, row for row."""
    with tempfile.TemporaryDirectory() as stores:
        clean = open_store(folder, Path(stores))
        run_sync(folder, clean)
        assert contents(store) == contents(clean)
        clean.close()


@pytest.fixture
def filled(folder: Path, store: EmbeddedStore) -> EmbeddedStore:
    """A store of a.txt, b.md and sub/c.txt."""
    (folder / "sub").mkdir()
    (folder / "a.txt").write_text("Alpha one. " + LONG)
    (folder / "b.md").write_text("# Beta\n\nBeta two.\n")
    (folder / "sub" / "c.txt").write_text("Gamma three.")
    run_sync(folder, store)
    return store


# -- what a sync does -------------------------------------------------------------------------


def test_a_first_sync_adds_every_document(folder: Path, filled: EmbeddedStore) -> None:
    assert [record.path for record in filled.lexicon.records()] == ["a.txt", "b.md", "sub/c.txt"]
    for record in filled.lexicon.records():
        with (folder / record.path).open(encoding="utf-8", newline="") as opened:
            assert filled.text_of(record.document_id) == opened.read()
    assert_equals_a_clean_store(folder, filled)


def test_a_sync_of_an_unchanged_folder_reads_and_embeds_nothing(folder: Path, filled: EmbeddedStore) -> None:
    run_sync(folder, filled)  # files so fresh are looked at once more
    before, mark = contents(filled), (filled.place / "mark").read_bytes()
    embedding = HashEmbedding()
    report = run_sync(folder, filled, embedding)
    assert report == SyncReport(unchanged=["a.txt", "b.md", "sub/c.txt"])
    assert embedding.embedded == []
    assert contents(filled) == before
    assert (filled.place / "mark").read_bytes() == mark


def test_added_changed_moved_and_deleted_files_are_all_reflected(folder: Path, filled: EmbeddedStore) -> None:
    (folder / "new.txt").write_text("Delta four.")
    (folder / "b.md").write_text("# Beta\n\nBeta is changed.\n")
    (folder / "sub" / "c.txt").rename(folder / "moved.txt")
    embedding = HashEmbedding()
    report = run_sync(folder, filled, embedding)
    assert report == SyncReport(added=["new.txt"], changed=["b.md"], moved=["moved.txt"], unchanged=["a.txt"])
    assert sorted(embedding.embedded) == ["# Beta\n\nBeta is changed.\n", "Delta four."]
    assert filled.text_of(identify("sub/c.txt")) == ""
    assert_equals_a_clean_store(folder, filled)


def test_a_file_that_was_rewritten_with_the_same_content_is_not_embedded_again(
    folder: Path, filled: EmbeddedStore
) -> None:
    os.utime(folder / "a.txt", ns=(1, 1))
    embedding = HashEmbedding()
    report = run_sync(folder, filled, embedding)
    assert report.unchanged == ["a.txt", "b.md", "sub/c.txt"]
    assert embedding.embedded == []
    assert_equals_a_clean_store(folder, filled)


def test_a_change_that_keeps_the_size_is_seen_by_its_time(folder: Path, filled: EmbeddedStore) -> None:
    (folder / "b.md").write_text("# Beta\n\nBeta six.\n")
    assert run_sync(folder, filled).changed == ["b.md"]
    assert_equals_a_clean_store(folder, filled)


def test_a_file_that_shrinks_and_one_that_grows_leave_no_chunk_behind(folder: Path, filled: EmbeddedStore) -> None:
    (folder / "a.txt").write_text("Alpha.")
    (folder / "b.md").write_text(LONG)
    assert run_sync(folder, filled).changed == ["a.txt", "b.md"]
    assert_equals_a_clean_store(folder, filled)


def test_two_files_with_the_same_content_are_two_documents(folder: Path, filled: EmbeddedStore) -> None:
    shutil.copy(folder / "a.txt", folder / "copy.txt")
    assert run_sync(folder, filled).added == ["copy.txt"]
    assert filled.text_of(identify("copy.txt")) == filled.text_of(identify("a.txt"))
    assert_equals_a_clean_store(folder, filled)


def test_nothing_is_written_into_the_documents_folder(folder: Path, store: EmbeddedStore) -> None:
    (folder / "sub").mkdir()
    (folder / "a.txt").write_text(LONG)
    (folder / "sub" / "b.bin").write_bytes(b"\x00")

    def listing() -> dict[str, tuple[int, int, int]]:
        status = {str(place): place.stat() for place in [folder, *folder.rglob("*")]}
        return {place: (s.st_mtime_ns, s.st_ctime_ns, s.st_size) for place, s in status.items()}

    before = listing()
    run_sync(folder, store)
    assert listing() == before


def test_progress_names_a_document_and_counts_to_the_end(folder: Path, store: EmbeddedStore) -> None:
    for name, text in {"a": LONG, "b": "Beta.", "c": LONG, "d": "Delta.", "e": "Epsilon."}.items():
        (folder / f"{name}.txt").write_text(text)
    events = list(sync(folder, store, HashEmbedding()))
    size = sum(file.stat().st_size for file in folder.iterdir())
    assert [event.message for event in events] == ["a.txt", "a.txt", "c.txt", "c.txt", "e.txt"]
    assert events[0].done == 0
    assert [event.done for event in events] == sorted(event.done for event in events)
    assert (events[-1].done, events[-1].total, events[-1].unit) == (size, size, "bytes")


# -- what is left out -------------------------------------------------------------------------


def test_what_cannot_be_read_is_skipped_with_the_reason_and_stops_no_neighbour(
    folder: Path, store: EmbeddedStore
) -> None:
    (folder / "good.txt").write_text("Alpha one.")
    (folder / "binary.txt").write_bytes(b"\x00\x01\x02")
    (folder / "empty.md").write_bytes(b"")
    (folder / "marks.md").write_text("---\n***\n")
    (folder / "report.pdf").write_bytes(b"%PDF-1.7")
    (folder / "picture").write_bytes(b"GIF89a\0\0" + bytes(20))
    (folder / "gone.txt").symlink_to(folder / "nowhere")
    (folder / "folder.txt").mkdir()
    os.mkfifo(folder / "pipe.txt")
    report = run_sync(folder, store)
    assert report.added == ["good.txt"]
    assert report.skipped == {
        "binary.txt": "binary",
        "empty.md": "empty",
        "gone.txt": "a broken link",
        "marks.md": "no text",
        "picture": "unsupported format (GIF image)",
        "pipe.txt": "not a regular file",
        "report.pdf": "damaged",
    }


def test_a_name_that_is_not_utf_8_is_skipped_with_the_reason(folder: Path, store: EmbeddedStore) -> None:
    (folder / "good.txt").write_text("Alpha one.")
    name = os.fsdecode(b"caf\xe9.txt")
    (folder / name).write_text("Beta two.")
    report = run_sync(folder, store)
    assert (report.added, report.skipped) == (["good.txt"], {name: "its name is not UTF-8: rename it"})


def test_a_suffix_counts_in_capitals_too(folder: Path, store: EmbeddedStore) -> None:
    (folder / "A.TXT").write_text("Alpha one.")
    (folder / "b.Markdown").write_text("Beta two.")
    assert run_sync(folder, store).added == ["A.TXT", "b.Markdown"]


def test_hidden_files_and_folders_are_left_alone_without_a_word(folder: Path, store: EmbeddedStore) -> None:
    (folder / ".git").mkdir()
    (folder / ".git" / "notes.txt").write_text("Hidden.")
    (folder / ".hidden.txt").write_text("Hidden.")
    (folder / "seen.txt").write_text("Seen.")
    assert run_sync(folder, store) == SyncReport(added=["seen.txt"])


def test_a_document_that_can_no_longer_be_read_is_removed_and_said_to_be_skipped(
    folder: Path, filled: EmbeddedStore
) -> None:
    (folder / "b.md").write_bytes(b"\x00")
    report = run_sync(folder, filled)
    assert (report.removed, report.skipped) == (["b.md"], {"b.md": "binary"})
    assert_equals_a_clean_store(folder, filled)


def test_file_names_of_every_script_are_documents(folder: Path, store: EmbeddedStore) -> None:
    names = ["añ o.txt", "機械.md", "a'b\"c.txt", "😀.txt", "-rf.txt", "a\nb.txt"]
    for name in names:
        (folder / name).write_text("Alpha one.")
    assert sorted(run_sync(folder, store).added) == sorted(names)
    assert_equals_a_clean_store(folder, store)


# -- folders that are none --------------------------------------------------------------------


def test_a_folder_that_is_missing_or_a_file_is_an_error_that_says_so(folder: Path, store: EmbeddedStore) -> None:
    with pytest.raises(FolderError, match=r"^There is no folder .*missing: check the path"):
        run_sync(folder / "missing", store)
    (folder / "a.txt").write_text("Alpha.")
    with pytest.raises(FolderError, match=r"a\.txt is not a folder: give the folder"):
        run_sync(folder / "a.txt", store)


def test_an_empty_folder_is_an_error_that_says_what_to_do(folder: Path, store: EmbeddedStore) -> None:
    with pytest.raises(FolderError, match="holds no documents: put some files in it"):
        run_sync(folder, store)


def test_a_folder_in_which_nothing_can_be_read_is_an_error_that_says_why(folder: Path, store: EmbeddedStore) -> None:
    (folder / "report.pdf").write_bytes(b"%PDF-1.7")
    with pytest.raises(FolderError, match=r"holds nothing that can be read; for one, report\.pdf: damaged\."):
        run_sync(folder, store)


def test_a_folder_that_was_emptied_empties_the_store(folder: Path, filled: EmbeddedStore) -> None:
    shutil.rmtree(folder)
    folder.mkdir()
    with pytest.raises(FolderError, match="holds no documents"):
        run_sync(folder, filled)
    assert contents(filled) == ([], {}, {}, {}, {})


def test_a_folder_that_vanished_leaves_the_store_as_it_was(folder: Path, filled: EmbeddedStore) -> None:
    before = contents(filled)
    folder.rename(folder.with_name("elsewhere"))
    with pytest.raises(FolderError):
        run_sync(folder, filled)
    assert contents(filled) == before


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (SyncReport(), "0 documents"),
        (SyncReport(added=["a"]), "1 document: 1 added"),
        (
            SyncReport(["a", "b"], ["c"], ["d"], ["e"] * 5, {"f": "binary"}),
            "8 documents: 2 added, 1 changed, 1 removed, 5 unchanged, 1 skipped",
        ),
    ],
)
def test_a_report_is_one_line_for_a_person(report: SyncReport, line: str) -> None:
    assert report.summary() == line


# -- interrupted ------------------------------------------------------------------------------


class FailingEmbedding(HashEmbedding):
    """Fails at its n-th call."""

    def __init__(self, calls: int) -> None:
        super().__init__()
        self._calls = calls

    def embed(self, texts: Sequence[str]) -> Vectors:
        self._calls -= 1
        if self._calls < 0:
            raise Killed
        return super().embed(texts)


def change_much(folder: Path) -> None:
    (folder / "a.txt").write_text("Alpha is changed. " + LONG.replace("long", "changed"))
    (folder / "b.md").unlink()
    for number in range(3):
        (folder / f"new{number}.txt").write_text(f"Document {number}. " + LONG)


@pytest.mark.parametrize("steps", [1, 2])
def test_a_sync_that_is_abandoned_is_completed_by_the_next(folder: Path, filled: EmbeddedStore, steps: int) -> None:
    change_much(folder)
    walk = sync(folder, filled, HashEmbedding())
    for _ in range(steps):
        next(walk)
    walk.close()
    report = run_sync(folder, filled)
    assert report.unchanged  # what was stored is not read again
    assert_equals_a_clean_store(folder, filled)


@pytest.mark.parametrize("calls", [0, 1, 2])
def test_a_sync_whose_embedding_fails_is_completed_by_the_next(folder: Path, filled: EmbeddedStore, calls: int) -> None:
    change_much(folder)
    with pytest.raises(Killed):
        run_sync(folder, filled, FailingEmbedding(calls))
    run_sync(folder, filled)
    assert_equals_a_clean_store(folder, filled)


@pytest.mark.parametrize(
    ("owner", "step", "times"),
    [
        *[(EmbeddedStore, "_upsert", times) for times in (0, 1, 4, 5)],
        *[(EmbeddedStore, "_delete", times) for times in (0, 3)],
        *[(Lexicon, step, times) for step in ("put", "put_embedded") for times in (0, 2)],
        *[(Lexicon, step, times) for step in ("announce", "settle") for times in (0, 1, 3)],
        *[(Lexicon, "remove", 0), (Lexicon, "remember_skipped", 0), (EmbeddedStore, "settle", 0)],
    ],
)
def test_a_sync_that_dies_between_two_writes_is_completed_by_the_next(
    folder: Path, filled: EmbeddedStore, tmp_path: Path, owner: type, step: str, times: int
) -> None:
    change_much(folder)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Killed):
        patch.setattr(owner, step, die_after([times], getattr(owner, step)))
        run_sync(folder, filled)
    # As the next process would, with nothing of this one's memory.
    following = open_store(folder, tmp_path / "stores")
    run_sync(folder, following)
    assert_equals_a_clean_store(folder, following)
    following.close()


def sync_elsewhere(folder: Path, stores: Path, *, die: str = "") -> int:
    """Sync in another process, which `die` may kill without a word of farewell."""
    code = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from typing import Any
from hashed import CHUNK_TOKENS, HashEmbedding
from index.storing.lexicon import Lexicon
from index.storing.embedded import EmbeddedStore
from index.sync import sync
{die}
store = EmbeddedStore(Path({str(stores)!r}), Path({str(folder)!r}), HashEmbedding.name, CHUNK_TOKENS)
for progress in sync(Path({str(folder)!r}), store, HashEmbedding()):
    pass
"""
    return subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode


@pytest.mark.parametrize(
    "die",
    [
        "Lexicon.put = lambda *arguments: os._exit(9)",
        "EmbeddedStore._delete = lambda *arguments: os._exit(9)",
    ],
)
def test_a_killed_process_leaves_no_lock_and_nothing_that_the_next_does_not_mend(
    folder: Path, filled: EmbeddedStore, tmp_path: Path, die: str
) -> None:
    change_much(folder)
    assert sync_elsewhere(folder, tmp_path / "stores", die=die) == 9
    run_sync(folder, filled)
    assert_equals_a_clean_store(folder, filled)


# -- several at once --------------------------------------------------------------------------


def test_what_another_process_syncs_is_seen_by_a_store_that_was_open_before(
    folder: Path, filled: EmbeddedStore, tmp_path: Path
) -> None:
    change_much(folder)
    assert sync_elsewhere(folder, tmp_path / "stores") == 0
    filled.refresh()
    assert_equals_a_clean_store(folder, filled)
    (folder / "b.md").write_text("# Beta is back\n")
    assert run_sync(folder, filled).added == ["b.md"]
    assert_equals_a_clean_store(folder, filled)


def test_syncs_in_several_threads_leave_each_document_once(folder: Path, filled: EmbeddedStore, tmp_path: Path) -> None:
    change_much(folder)
    stores = [filled, filled, open_store(folder, tmp_path / "stores"), open_store(folder, tmp_path / "stores")]
    with ThreadPoolExecutor(4) as threads:
        reports = list(threads.map(lambda store: run_sync(folder, store), stores))
    assert sum(len(report.added) for report in reports) == 3
    assert [len(report.removed) for report in reports].count(1) == 1
    assert_equals_a_clean_store(folder, filled)
    stores[2].close()
    stores[3].close()


def test_a_sync_that_waited_looks_at_the_folder_as_it_is_by_then(
    folder: Path, filled: EmbeddedStore, tmp_path: Path
) -> None:
    (folder / "b.md").unlink()
    other = open_store(folder, tmp_path / "stores")
    with ThreadPoolExecutor(1) as threads:
        with other.writing():
            waiting = threads.submit(run_sync, folder, filled)
            with suppress(TimeoutError):
                waiting.result(0.3)
            (folder / "new.txt").write_text("Delta four.")
            put(other, folder / "new.txt")
        waiting.result(20)
    assert_equals_a_clean_store(folder, filled)
    other.close()


def test_a_walk_may_go_on_in_another_thread_than_it_began_in(folder: Path, filled: EmbeddedStore) -> None:
    # A web server steps through a generator in whatever thread is free.
    change_much(folder)
    walk = sync(folder, filled, HashEmbedding())
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        one.submit(next, walk).result()
        other.submit(lambda: list(walk)).result()
        done = threading.Event()
        one.submit(lambda: (run_sync(folder, filled), done.set()))
        assert done.wait(20)
    assert_equals_a_clean_store(folder, filled)


# -- any history ------------------------------------------------------------------------------

NAMES = st.sampled_from(["a.txt", "b.md", "sub/c.txt", "sub/d.txt", "e.pdf"])
TEXTS = st.sampled_from(["", "Alpha.", "Beta two. " * 4, "# Title\n\nGamma three.\n", LONG, "\x00"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), NAMES, TEXTS),
        st.tuples(st.just("delete"), NAMES, st.just("")),
        st.tuples(st.just("touch"), NAMES, st.just("")),
        st.tuples(st.just("move"), NAMES, NAMES),
        st.tuples(st.just("sync"), st.just(""), st.just("")),
        st.tuples(st.just("die"), st.just(""), st.integers(0, 12)),
    ),
    max_size=10,
)


@run_with(max_examples=20)
@given(STEPS)
def test_after_any_history_the_store_equals_the_folder(steps: list[tuple[str, str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "documents")
        (folder / "sub").mkdir(parents=True)
        # Never empty, so that no sync ends in an error.
        (folder / "always.txt").write_text("Always here.")
        store = open_store(folder, Path(temporary, "stores"))
        for clock, (step, name, detail) in enumerate([*steps, ("sync", "", "")]):
            file = folder / name
            if step == "write":
                file.write_text(detail)
                os.utime(file, ns=(clock, clock))
            elif step == "delete":
                file.unlink(missing_ok=True)
            elif step == "touch" and file.exists():
                os.utime(file, ns=(clock, clock))
            elif step == "move" and file.exists():
                file.replace(folder / detail)
            elif step == "die":
                with dying_after(detail):
                    run_sync(folder, store)
                # As the next process would open it, with nothing of this one's memory.
                store.close()
                store = open_store(folder, Path(temporary, "stores"))
            elif step == "sync":
                run_sync(folder, store)
        assert_equals_a_clean_store(folder, store)
        store.close()
