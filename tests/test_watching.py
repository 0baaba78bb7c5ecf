"""A watched folder: what is saved is answered from, whatever happens around it."""

from __future__ import annotations

import os
import resource
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hashed import HashEmbedding, contents, open_store

from assistant.chain import stream_answer
from index import library as libraries
from index.documents import Progress, identify
from index.embedding.protocol import Embedding, Vectors
from index.errors import FolderError, FootnoteError, ModelError
from index.library import Library, finish
from index.loading.changes import Changes, UnwatchableError
from index.loading.loader import load
from index.plan import SyncReport
from index.settings import Settings
from index.storing.embedded import EmbeddedStore
from index.sync import sync
from index.watching import Watcher, bring_up_to_date, find_watcher, unwatch, watch

SECONDS = 30.0  # that nothing here takes, unless it never ends


class GatedEmbedding(HashEmbedding):
    """One that waits at a gate, before each batch."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Event()
        self.has_come = threading.Event()

    def embed_with_sentences(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> tuple[Vectors, list[Vectors]]:
        self.has_come.set()
        assert self.gate.wait(SECONDS)
        return super().embed_with_sentences(texts, spans)


class FailingEmbedding(HashEmbedding):
    """One whose server is down until it is not."""

    is_down = True

    def embed_with_sentences(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> tuple[Vectors, list[Vectors]]:
        if self.is_down:
            raise ModelError("The server is down: start it.")
        return super().embed_with_sentences(texts, spans)


Opens = Callable[..., Library]


@pytest.fixture(autouse=True)
def _busy_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow, what is a matter of a moment is waited for."""
    monkeypatch.setattr("index.watching.LONGEST_WAIT_SECONDS", SECONDS)


@pytest.fixture
def opens(folder: Path, store: EmbeddedStore, settings: Settings) -> Iterator[Opens]:
    """Has the library of `folder` be watched, with an embedding that costs nothing."""
    opened: list[Library] = []

    def open_watched(embedding: Embedding | None = None) -> Library:
        opened.append(Library(folder, store, embedding or HashEmbedding(), settings))
        watch(opened[-1])
        return opened[-1]

    yield open_watched
    for library in opened:
        unwatch(library)


def ask(library: Library) -> SyncReport:
    """What a question begins with."""
    return finish(bring_up_to_date(library))


def write_long_ago(file: Path, text: str) -> None:
    """Write a file that no sync thinks too fresh to be trusted."""
    file.write_text(text)
    os.utime(file, (1e9, 1e9))


def texts(library: Library) -> dict[str, str]:
    records = library.store.lexicon.records()
    return {record.path: library.store.text_of(record.document_id) for record in records}


def watcher_of(library: Library) -> Watcher:
    watcher = find_watcher(library)
    assert watcher
    return watcher


def wait_for(library: Library, *activities: str) -> None:
    """Wait until a watcher is at one of these."""
    watcher = watcher_of(library)
    with watcher._news:
        assert watcher._news.wait_for(lambda: watcher.state().activity in activities, SECONDS), watcher.state()


def assert_equals_a_clean_store(library: Library) -> None:
    with tempfile.TemporaryDirectory() as stores:
        clean = open_store(library.folder, Path(stores))
        finish(sync(library.folder, clean, HashEmbedding()))
        assert contents(library.store) == contents(clean)
        clean.close()


# -- what is saved is answered from -------------------------------------------------------------


def test_what_was_saved_before_a_question_is_in_the_store(folder: Path, opens: Opens) -> None:
    (folder / "first.txt").write_text("Alpha.")
    library = opens()
    for number in range(9):
        (folder / f"{number}.txt").write_text(f"Text {number}.")
        if number:
            (folder / f"{number - 1}.txt").write_text(f"Changed {number}.")
        if number > 4:
            (folder / f"moved-{number - 4}.txt").unlink()
        if number > 2:
            (folder / f"{number - 2}.txt").rename(folder / f"moved-{number - 2}.txt")
        ask(library)
        wanted = {file.name: file.read_text() for file in folder.iterdir()}
        assert texts(library) == wanted
    assert_equals_a_clean_store(library)


def test_folders_that_are_new_or_moved_in_are_watched(folder: Path, tmp_path: Path, opens: Opens) -> None:
    (folder / "first.txt").write_text("Alpha.")
    library = opens()
    ask(library)
    (folder / "new" / "deep").mkdir(parents=True)
    (folder / "new" / "deep" / "a.txt").write_text("Beta.")
    ask(library)
    assert "new/deep/a.txt" in texts(library)
    (folder / "new" / "deep" / "b.txt").write_text("Gamma.")
    ask(library)
    assert "new/deep/b.txt" in texts(library)
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "c.txt").write_text("Delta.")
    (tmp_path / "made").rename(folder / "moved")
    ask(library)
    assert "moved/c.txt" in texts(library)
    (folder / "moved" / "d.txt").write_text("Epsilon.")
    ask(library)
    assert "moved/d.txt" in texts(library)
    (folder / "new").rename(folder / "old")
    ask(library)
    assert {"old/deep/a.txt", "old/deep/b.txt"} <= texts(library).keys() and "new/deep/a.txt" not in texts(library)
    (folder / "old" / "deep" / "e.txt").write_text("Zeta.")
    ask(library)
    assert "old/deep/e.txt" in texts(library)
    shutil.rmtree(folder / "old")
    ask(library)
    assert texts(library).keys() == {"first.txt", "moved/c.txt", "moved/d.txt"}


def test_a_file_that_names_what_to_ignore_counts_at_once(folder: Path, opens: Opens) -> None:
    (folder / "drafts").mkdir()
    (folder / "drafts" / "a.txt").write_text("Alpha.")
    (folder / "b.txt").write_text("Beta.")
    library = opens()
    ask(library)
    (folder / ".footnoteignore").write_text("drafts/\n")
    ask(library)
    assert texts(library).keys() == {"b.txt"}
    (folder / ".footnoteignore").unlink()
    ask(library)
    assert texts(library).keys() == {"b.txt", "drafts/a.txt"}
    (folder / "drafts" / "a.txt").write_text("Changed.")  # which was not watched meanwhile
    ask(library)
    assert texts(library)["drafts/a.txt"] == "Changed."


def test_what_is_passed_over_makes_no_work(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (folder / ".git").mkdir()
    (folder / "node_modules").mkdir()
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    changes, stop = Changes(folder), threading.Event()
    try:
        for name in (".git/index", ".hidden", "node_modules/a.js", "~$report.docx", "a.tmp", "link/a.txt"):
            (folder / name).write_text("x")
        mark = changes.mark()
        told = changes.wait(SECONDS, stop)
        assert not told.has_changed
        assert told.mark == mark
        (folder / "a.txt").write_text("x")
        assert changes.wait(SECONDS, stop).has_changed
        stop.set()
        assert changes.wait(SECONDS, stop) == (False, mark)
    finally:
        changes.close()
    assert not Path(changes._marks).exists()


def test_nothing_is_written_into_the_folder(folder: Path, opens: Opens) -> None:
    (folder / "a.txt").write_text("Alpha.")
    library = opens()
    ask(library)
    assert [path.name for path in folder.rglob("*")] == ["a.txt"]


def test_a_question_without_a_watcher_has_the_folder_synced(
    folder: Path, store: EmbeddedStore, settings: Settings
) -> None:
    library = Library(folder, store, HashEmbedding(), settings)
    (folder / "a.txt").write_text("Alpha.")
    assert ask(library).added == ["a.txt"]
    assert find_watcher(library) is None


def test_several_questions_at_once_see_what_each_saved(folder: Path, opens: Opens) -> None:
    (folder / "first.txt").write_text("Alpha.")
    library = opens()

    def save_and_ask(number: int) -> bool:
        (folder / f"{number}.txt").write_text(f"Text {number}.")
        ask(library)
        found = library.store.lexicon.records()
        library.store.close()
        return f"{number}.txt" in {record.path for record in found}

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(save_and_ask, range(24)))
    assert_equals_a_clean_store(library)


# -- a folder that comes and goes ---------------------------------------------------------------


def test_a_folder_that_disappears_and_comes_back(folder: Path, opens: Opens) -> None:
    (folder / "a.txt").write_text("Alpha.")
    library = opens()
    ask(library)
    away = folder.rename(folder.with_name("away"))
    with pytest.raises(FolderError, match="There is no folder"):
        ask(library)
    wait_for(library, "failed")
    assert "There is no folder" in watcher_of(library).state().message
    (away / "b.txt").write_text("Beta.")
    away.rename(folder)
    ask(library)
    assert texts(library).keys() == {"a.txt", "b.txt"}
    watcher = watcher_of(library)
    with watcher._news:  # until it is watched again
        assert watcher._news.wait_for(lambda: watcher._changes is not None, SECONDS)
    (folder / "c.txt").write_text("Gamma.")
    ask(library)
    assert texts(library).keys() == {"a.txt", "b.txt", "c.txt"}


def test_another_folder_in_its_place_is_seen(folder: Path, opens: Opens) -> None:
    (folder / "a.txt").write_text("Alpha.")
    library = opens()
    ask(library)
    folder.rename(folder.with_name("away"))
    folder.mkdir()
    (folder / "z.txt").write_text("Zeta.")
    ask(library)
    assert texts(library).keys() == {"z.txt"}


def test_an_empty_folder_says_so_until_something_is_put_into_it(folder: Path, opens: Opens) -> None:
    library = opens()
    with pytest.raises(FolderError, match="holds no documents: put some files in it"):
        ask(library)
    assert watcher_of(library).state().activity == "failed"
    (folder / "a.txt").write_text("Alpha.")
    ask(library)
    wait_for(library, "idle")
    assert texts(library) == {"a.txt": "Alpha."}


# -- a folder that cannot be watched ------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="the limits are Linux's")
def test_a_limit_of_the_system_is_told(folder: Path) -> None:
    (folder / "a.txt").write_text("Alpha.")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    kept: list[Changes] = []
    with (folder / "a.txt").open() as opened:
        resource.setrlimit(resource.RLIMIT_NOFILE, (opened.fileno() + 2, hard))
        try:
            with pytest.raises(UnwatchableError, match=r"limit of .* is reached"):
                while True:
                    kept.append(Changes(folder))
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for changes in kept:
                changes.close()


kept: list[Changes] = []


def test_a_folder_that_cannot_be_watched_is_looked_through_at_each_question(
    folder: Path, opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.loading.changes.find_network", lambda device: "nfs4")
    (folder / "a.txt").write_text("Alpha.")
    library = opens()
    for number in range(3):
        (folder / f"{number}.txt").write_text(f"Text {number}.")
        ask(library)
        assert f"{number}.txt" in texts(library)
    wait_for(library, "idle")
    assert "network's file system (nfs4)" in watcher_of(library).state().unwatched


# -- what takes long ----------------------------------------------------------------------------


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.watching.PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr("index.watching.LITTLE_BYTES", -1)
    monkeypatch.setattr("index.sync.BATCH_CHUNKS", 2)


@pytest.mark.usefixtures("_impatient")
def test_a_long_first_reading_holds_up_no_question(folder: Path, opens: Opens) -> None:
    for number in range(6):
        (folder / f"{number}.txt").write_text(f"Text {number}.")
    embedding = GatedEmbedding()
    library = opens(embedding)
    try:
        assert embedding.has_come.wait(SECONDS)
        report = ask(library)
        assert (report.to_read, report.files) == (6, 6)
        assert texts(library) == {}
        state = watcher_of(library).state()
        assert (state.activity, state.to_read, state.files, state.message) == ("reading", 6, 6, "0.txt")
    finally:
        embedding.gate.set()
    wait_for(library, "idle")
    assert ask(library).to_read == 0
    assert len(texts(library)) == 6


@pytest.mark.usefixtures("_impatient")
def test_who_stops_the_reading_keeps_what_is_read_and_may_go_on(folder: Path, opens: Opens) -> None:
    for number in range(9):
        (folder / f"{number}.txt").write_text(f"Text {number}.")
    embedding = GatedEmbedding()
    library = opens(embedding)
    watcher = watcher_of(library)
    assert embedding.has_come.wait(SECONDS)
    watcher.stop()
    embedding.gate.set()
    with watcher._news:
        assert watcher._news.wait_for(lambda: watcher._course is None, SECONDS)
    assert texts(library).keys() == {"0.txt"}  # which the batch in hand completed
    (folder / "new.txt").write_text("A new one.")
    assert ask(library).to_read == 8
    assert watcher.state().activity == "stopped"
    embedding.embedded.clear()
    watcher.resume()
    ask(library)
    wait_for(library, "idle")
    assert_equals_a_clean_store(library)
    assert "Text 0." not in embedding.embedded  # what was done was not done again


def test_a_server_that_is_down_is_told_and_tried_again(folder: Path, opens: Opens) -> None:
    (folder / "a.txt").write_text("Alpha.")
    embedding = FailingEmbedding()
    library = opens(embedding)
    for _ in range(2):
        with pytest.raises(ModelError, match="start it"):
            ask(library)
    assert "start it" in watcher_of(library).state().message
    embedding.is_down = False
    ask(library)
    assert texts(library) == {"a.txt": "Alpha."}
    wait_for(library, "idle")


@pytest.mark.usefixtures("_impatient")
def test_another_process_that_syncs_is_told_of_and_waited_for(
    folder: Path, store: EmbeddedStore, stores: Path, opens: Opens
) -> None:
    write_long_ago(folder / "a.txt", "Alpha.")
    finish(sync(folder, store, HashEmbedding()))
    (folder / "b.txt").write_text("Beta.")
    other = open_store(folder, stores)
    with other.writing():
        library = opens()
        told: list[Progress] = []
        walk = bring_up_to_date(library)
        try:
            while True:
                told.append(next(walk))
        except StopIteration as end:
            assert end.value.to_read == 1
        assert texts(library) == {"a.txt": "Alpha."}
        wait_for(library, "reading")
    other.close()
    wait_for(library, "idle")
    assert texts(library).keys() == {"a.txt", "b.txt"}


def test_a_store_that_may_only_be_read_is_answered_from(
    folder: Path, store: EmbeddedStore, opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_long_ago(folder / "a.txt", "Alpha.")
    finish(sync(folder, store, HashEmbedding()))
    (folder / "b.txt").write_text("Beta.")
    monkeypatch.setattr("index.place.may_be_written", lambda place: False)  # who runs this as root may write all
    library = opens()
    assert ask(library).to_read == 1
    wait_for(library, "idle")
    assert texts(library) == {"a.txt": "Alpha."}


def test_a_watcher_is_closed_once_and_for_all(folder: Path, opens: Opens) -> None:
    (folder / "a.txt").write_text("Alpha.")
    library = opens()
    watcher = watcher_of(library)
    assert watch(library) is watcher
    ask(library)
    unwatch(library)
    assert find_watcher(library) is None
    assert not any(thread.is_alive() for thread in watcher._threads)
    (folder / "b.txt").write_text("Beta.")
    assert ask(library).added == ["b.txt"]


# -- pictures of text ---------------------------------------------------------------------------


def test_pictures_are_read_after_the_text_and_give_way_to_it(
    folder: Path, opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    from index.loading.formats.recognition import WaitError
    from index.loading.worker import Loader

    is_recognised, may_end = threading.Event(), threading.Event()

    def load_or_wait(self: Loader, place: Path, path: str, *, waits: bool = False) -> object:
        if path == "scan.txt" and waits and not is_recognised.is_set():
            raise WaitError
        return load(place, path)

    def recognise(*_: object) -> Iterator[tuple[int, int]]:
        for page in range(1, 1001):
            yield page, 1000
            if may_end.wait(0.02):
                break
        is_recognised.set()

    # What a picture says takes seconds to find out; here it takes as long as the test likes.
    monkeypatch.setattr(Loader, "load", load_or_wait)
    monkeypatch.setattr("index.sync.recognise", recognise)
    (folder / "a.txt").write_text("Alpha.")
    (folder / "scan.txt").write_text("Scanned.")
    library = opens()
    wait_for(library, "recognising")
    assert ask(library).to_read == 1
    assert texts(library) == {"a.txt": "Alpha."}
    (folder / "b.txt").write_text("Beta.")
    assert ask(library).to_read == 1
    assert texts(library).keys() == {"a.txt", "b.txt"}
    wait_for(library, "recognising")
    may_end.set()
    wait_for(library, "idle")
    assert texts(library).keys() == {"a.txt", "b.txt", "scan.txt"}
    assert ask(library).to_read == 0


# -- an answer ----------------------------------------------------------------------------------


def test_an_answer_says_how_much_is_not_read_yet(
    folder: Path, settings: Settings, embedding: Embedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.watching.PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr("index.watching.LITTLE_BYTES", -1)
    write_long_ago(folder / "a.txt", "The ferry leaves at nine.")
    library = finish(libraries.open_library(folder, settings))
    finish(library.sync())
    for number in range(3):
        (folder / f"{number}.txt").write_text(f"The {number}. tram goes to the harbour.")
    gate, has_come = threading.Event(), threading.Event()
    put = EmbeddedStore.put

    def put_later(self: EmbeddedStore, versions: object) -> None:
        has_come.set()
        assert gate.wait(SECONDS)
        put(self, versions)  # type: ignore[arg-type]

    monkeypatch.setattr(EmbeddedStore, "put", put_later)
    watch(library)
    try:
        assert has_come.wait(SECONDS)
        *_, answer = stream_answer("When does the ferry leave?", folder, settings=settings)
        assert "nine" in answer.text  # type: ignore[union-attr]
        assert "3 of 4 files are not read yet." in answer.notice  # type: ignore[union-attr]
    finally:
        gate.set()
        unwatch(library)


def test_errors_keep_their_kind(folder: Path, opens: Opens) -> None:
    embedding = FailingEmbedding()
    (folder / "a.txt").write_text("Alpha.")
    library = opens(embedding)
    with pytest.raises(FootnoteError) as first:
        ask(library)
    with pytest.raises(FootnoteError) as second:
        ask(library)
    assert first.value is not second.value
    assert str(first.value) == str(second.value)
    assert identify("a.txt") not in texts(library)
