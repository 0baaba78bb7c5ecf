"""While one batch is stored, the next one is embedded; nothing else is different from doing one after the other."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
from hashed import HashEmbedding, open_store
from hypothesis import given
from hypothesis import settings as run_with
from hypothesis import strategies as st
from test_sync import Killed, assert_equals_a_clean_store, dying_after, run_sync

from index.documents import Progress
from index.embedding.protocol import Vectors
from index.errors import ModelError, StoreError
from index.follower import Follower
from index.loading import opening, sections
from index.plan import Course
from index.storing.embedded import EmbeddedStore
from index.storing.versions import Version
from index.sync import sync

BATCH_CHUNKS = 10


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every long document is a batch or more, and is read from its file piece by piece."""
    monkeypatch.setattr("index.sync.BATCH_CHUNKS", BATCH_CHUNKS)
    monkeypatch.setattr(opening, "LONG_TEXT_BYTES", 2000)
    monkeypatch.setattr(sections, "SECTION_CHARACTERS", 700)


@pytest.fixture(autouse=True)
def _leaves_nothing(store: EmbeddedStore) -> Iterator[None]:
    """No thread is left behind that stores, nor a connection of one."""
    yield
    assert not [thread for thread in threading.enumerate() if thread.name == "footnote-follower"]
    assert sum(map(_is_open, store.lexicon._connections)) <= 1


def _is_open(connection: sqlite3.Connection) -> bool:
    with suppress(sqlite3.ProgrammingError):
        return connection.total_changes >= 0
    return False


def make_words(name: str, sentences: int) -> str:
    """A text of which no chunk is that of another name."""
    return " ".join(f"Sentence {number} of document {name}, which is long." for number in range(sentences))


def write(folder: Path, names: str) -> None:
    """Files of eight chunks each: with each batch one of them is complete, and the next is begun."""
    for name in names:
        (folder / f"{name}.txt").write_text(make_words(name, sentences=8))


def write_long(folder: Path) -> None:
    (folder / "long.txt").write_text("\n\n".join(make_words(f"long-{number}", 30) for number in range(4)))


class Counting(HashEmbedding):
    """Does something before it embeds; `calls` counts how often it did."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.calls += 1
        self.meet()
        return super().embed(texts)

    def meet(self) -> None:
        """What is done before."""


def test_a_batch_is_stored_while_the_next_is_embedded(
    folder: Path, store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, "abc")
    embeds_next, put, calls = threading.Event(), EmbeddedStore.put, []

    def put_once_next_is_embedded(store: EmbeddedStore, versions: Sequence[Version]) -> None:
        calls.append([version.document.path for version in versions])
        if len(calls) == 1:
            assert embeds_next.wait(10)
        put(store, versions)

    class Telling(Counting):
        def meet(self) -> None:
            if self.calls == 2:
                embeds_next.set()

    monkeypatch.setattr(EmbeddedStore, "put", put_once_next_is_embedded)
    told = [progress.message for progress in sync(folder, store, Telling())]
    assert calls == [["a.txt", "b.txt"], ["b.txt", "c.txt"], ["c.txt"]]
    assert told[-3:] == ["b.txt", "c.txt", "c.txt"]
    monkeypatch.undo()
    assert store.check() == {}


def test_a_batch_is_told_of_once_it_is_stored(folder: Path, store: EmbeddedStore) -> None:
    write(folder, "abcd")
    course = Course()
    for progress in sync(folder, store, HashEmbedding(), course=course):
        stored = {record.path for record in store.lexicon.records()}
        assert len(stored) >= 4 - course.to_read
        assert progress.done <= progress.total


def embed_one_after_the_other(follower: Follower[object], item: object) -> None:
    follower._use(item)


@run_with(deadline=None, max_examples=15)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 40)), min_size=2, max_size=6))
def test_what_is_embedded_is_what_one_after_the_other_embeds(files: list[tuple[str, int]]) -> None:
    embedded = []
    for follows in (True, False):
        with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
            if not follows:
                patch.setattr(Follower, "give", embed_one_after_the_other)
            folder, embedding = Path(place, "documents"), HashEmbedding()
            folder.mkdir()
            for number, (name, sentences) in enumerate(files):
                (folder / f"{number}.txt").write_text(make_words(name, sentences))
            store = open_store(folder, Path(place, "stores"))
            run_sync(folder, store, embedding)
            assert store.check() == {}
            store.close()
            embedded.append(embedding.embedded)
    assert embedded[0] == embedded[1]


def test_twins_in_batches_that_follow_each_other_are_embedded_once(folder: Path, store: EmbeddedStore) -> None:
    for name, content, sentences in (("a", "twin", 6), ("b", "other", 3), ("c", "twin", 6)):
        (folder / f"{name}.txt").write_text(make_words(content, sentences))
    embedding = HashEmbedding()
    run_sync(folder, store, embedding)
    assert len(embedding.embedded) == 6 + 3
    assert store.lexicon.count_chunks() == 6 + 3 + 6 > BATCH_CHUNKS
    assert_equals_a_clean_store(folder, store)


@pytest.mark.parametrize("steps", range(1, 6))
def test_an_abandoned_sync_has_embedded_nothing_in_vain(folder: Path, store: EmbeddedStore, steps: int) -> None:
    write(folder, "abcd")
    write_long(folder)
    embedding = HashEmbedding()
    walk = sync(folder, store, embedding)
    for _ in range(steps):
        next(walk)
    walk.close()
    run_sync(folder, store, embedding)
    # But for the first chunk of a document that was in the midst, which waits for the last.
    assert len(embedding.embedded) <= len(set(embedding.embedded)) + 1
    assert_equals_a_clean_store(folder, store)


@pytest.mark.parametrize("writes", range(0, 44, 3))
def test_a_kill_costs_two_batches_at_most(folder: Path, store: EmbeddedStore, writes: int) -> None:
    write(folder, "abc")
    write_long(folder)
    embedding = HashEmbedding()
    with dying_after(writes):
        run_sync(folder, store, embedding)
    run_sync(folder, store, embedding)
    assert len(embedding.embedded) <= len(set(embedding.embedded)) + 2 * BATCH_CHUNKS + 1
    assert_equals_a_clean_store(folder, store)


def test_what_a_model_error_leaves_is_stored(folder: Path, store: EmbeddedStore) -> None:
    write(folder, "abcd")

    class Failing(Counting):
        def meet(self) -> None:
            if self.calls == 3:
                raise ModelError("The server is down.", retry_helps=True)

    embedding = Failing()
    with pytest.raises(ModelError, match=r"down\. What was embedded before is kept"):
        run_sync(folder, store, embedding)
    run_sync(folder, store, embedding)
    assert len(embedding.embedded) <= len(set(embedding.embedded)) + 1
    assert_equals_a_clean_store(folder, store)


def test_of_a_store_and_a_model_that_fail_together_the_store_is_told(
    folder: Path, store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, "abc")
    is_embedding = threading.Event()

    def refuse(store: EmbeddedStore, versions: Sequence[Version]) -> None:
        assert is_embedding.wait(10)
        raise StoreError("The disk is full.")

    class Failing(Counting):
        def meet(self) -> None:
            if self.calls == 2:
                is_embedding.set()
                raise ModelError("The server is down.", retry_helps=True)

    with monkeypatch.context() as patch, pytest.raises(StoreError, match="The disk is full"):
        patch.setattr(EmbeddedStore, "put", refuse)
        run_sync(folder, store, Failing())
    run_sync(folder, store)
    assert_equals_a_clean_store(folder, store)


def test_ctrl_c_while_a_batch_is_embedded_has_the_one_before_stored(folder: Path, store: EmbeddedStore) -> None:
    write(folder, "abc")

    class Interrupted(Counting):
        def meet(self) -> None:
            if self.calls == 3:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_sync(folder, store, Interrupted())
    assert [record.path for record in store.lexicon.records()] == ["a.txt", "b.txt"]
    run_sync(folder, store)
    assert_equals_a_clean_store(folder, store)


def test_a_sync_that_is_stopped_tells_of_all_that_it_stored(folder: Path, store: EmbeddedStore) -> None:
    write(folder, "abcdef")
    course, told = Course(), list[Progress]()
    for progress in sync(folder, store, HashEmbedding(), course=course):
        told.append(progress)
        course.is_stopped = progress.done > 0
    stored = [record.path for record in store.lexicon.records()]
    assert 0 < len(stored) < 6
    assert course.to_read == 6 - len(stored)
    run_sync(folder, store)
    assert_equals_a_clean_store(folder, store)


def test_a_store_that_dies_in_its_thread_ends_the_sync(
    folder: Path, store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, "abc")

    def die(store: EmbeddedStore, versions: Sequence[Version]) -> None:
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(EmbeddedStore, "put", die)
        run_sync(folder, store)
    run_sync(folder, store)
    assert_equals_a_clean_store(folder, store)
