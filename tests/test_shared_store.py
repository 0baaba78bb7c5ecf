"""A store on a Chroma server holds and answers what one on this machine does, for all who open it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chroma_server import ChromaRun, Network
from hashed import CHUNK_TOKENS, HashEmbedding, open_store
from made_files import make_zip
from test_enclosed_sync import make_mail
from test_sync import run_sync

from index import library
from index.documents import Passage, identify
from index.errors import InputError, StoreError
from index.library import copy_store, finish
from index.place import DamagedError
from index.searching.retriever import retrieve
from index.settings import Settings
from index.storing.opening import discard_store
from index.storing.shared.claims import Claims
from index.storing.shared.rows import copy_rows, write_rows
from index.storing.shared.server import Address, ServerAwayError
from index.storing.shared.store import SharedStore
from index.storing.store import Store

# The whole folder is less than what is read closely, so that chance chooses nothing.
LONG = " ".join(f"Sentence {number} of the long document." for number in range(20))
QUESTIONS = ["Which sentence is number 12?", "Beta one", "gamma delta", '"number 7 of the long"', "unheard of", "mail"]


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.sync.BATCH_CHUNKS", 10)
    monkeypatch.setattr("index.connection.FIRST_WAIT_SECONDS", 0.02)
    for room in ("claims", "mending"):
        monkeypatch.setattr(f"index.storing.shared.{room}.LEASE_SECONDS", 1.0)
    monkeypatch.setattr("index.storing.shared.claims.BEAT_SECONDS", 0.2)
    monkeypatch.setattr("index.storing.shared.claims.MOST_SEEN_SECONDS", 0.5)
    monkeypatch.setattr("index.storing.shared.link.QUESTION_SECONDS", 1.0)
    monkeypatch.setattr("index.storing.shared.link.AWAY_SECONDS", 0.2)


class Machine:
    """A machine whose store is shared with others. Its embedding remembers what it was asked."""

    def __init__(self, folder: Path, stores: Path, url: str, **made_with: Any) -> None:
        self.folder, self.stores, self.url = folder, stores, url
        self.embedding = HashEmbedding()
        self.made_with = {"embedding_name": "test", "chunk_tokens": CHUNK_TOKENS, **made_with}
        self.store = self.open()

    def open(self) -> SharedStore:
        embedding, tokens = self.made_with["embedding_name"], self.made_with["chunk_tokens"]
        return SharedStore(self.stores, self.folder, embedding, tokens, Address(self.url), None)

    def sync(self) -> Any:
        return run_sync(self.folder, self.store, self.embedding)

    def close(self) -> None:
        self.store.let_go()


@pytest.fixture
def machine(chroma: ChromaRun, folder: Path, tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(folder, tmp_path / "here", chroma.url)
    yield machine
    machine.close()


@pytest.fixture
def other(chroma: ChromaRun, folder: Path, tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(folder, tmp_path / "elsewhere", chroma.url)
    yield machine
    machine.close()


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        os.utime(file, ns=(10**18, 10**18 + len(content)))


def fill(folder: Path) -> None:
    """Plain files, a copy, one that cannot be read, a mail with an attachment, an archive."""
    write(
        folder,
        {
            "a.txt": "Alpha one two three.",
            "b.md": f"# Beta\n\nBeta one. Beta two.\n\n{LONG}",
            "c/copy.txt": "Alpha one two three.",
            "bad.bin.txt": b"\x00\x01\x02" * 100,
            "m.eml": make_mail({"x.txt": "Gamma delta.", "y.zip": make_zip({"z.txt": "Epsilon."})}),
            "z.zip": make_zip({"in.txt": "Zeta eta.", "long.txt": LONG}),
        },
    )


def tell(store: Store) -> object:
    """All that a store holds, to the bit, but for times that were too fresh to be trusted."""
    lexicon = store.lexicon
    records = lexicon.records()
    chunks = [chunk for record in records for chunk in lexicon.chunks_of(record.document_id)]
    known = lexicon.embedded(chunk.id for chunk in chunks)
    vectors = {i: (row.vector.tobytes(), row.sentences) for i, row in known.items()}
    return [replace(record, modified_ns=0) for record in records], chunks, vectors, sorted(lexicon.skipped())


def ask(store: Store) -> list[list[Passage]]:
    """What a store answers, with all scores."""
    embedding = HashEmbedding()
    found = [retrieve(store, question, embedding.embed_query(question), 100) for question in QUESTIONS]
    # What scores the same comes as it was stored, which is a matter of who was first.
    return [sorted(one, key=lambda passage: (-round(passage.score, 6), passage.path, passage.start)) for one in found]


def words(found: list[Passage]) -> list[Passage]:
    """What was found, but for the scores."""
    return [replace(passage, score=0.0) for passage in found]


def count_rows(store: SharedStore) -> int:
    return store._link.rows.count()


@contextmanager
def embedded_store(folder: Path, place: Path) -> Iterator[Store]:
    """A store of the folder as it is now, made on this machine."""
    store = open_store(folder, place)
    run_sync(folder, store)
    yield store
    store.close()
    shutil.rmtree(place)


def assert_equals_a_clean_store(machine: Machine, tmp_path: Path) -> None:
    """It holds and answers what a store on this machine does, and the server no row besides."""
    with embedded_store(machine.folder, tmp_path / "clean") as clean:
        assert tell(machine.store) == tell(clean)
        here, there = ask(clean), ask(machine.store)
        for one, other in zip(here, there, strict=True):
            assert words(one) == words(other)
            assert [p.score for p in one] == pytest.approx([p.score for p in other], abs=1e-6)
    assert count_rows(machine.store) == machine.store.lexicon.count_chunks()
    with machine.store.writing():
        assert machine.store.check() == {}


# -- it holds what the folder does ------------------------------------------------------------


def test_it_equals_one_on_this_machine(machine: Machine, other: Machine, tmp_path: Path) -> None:
    fill(machine.folder)
    report = machine.sync()
    assert sorted(report.added) == [record.path for record in machine.store.lexicon.records()]
    assert [*report.skipped] == ["bad.bin.txt"]
    assert_equals_a_clean_store(machine, tmp_path)
    embedded = len(machine.embedding.embedded)
    again = machine.sync()
    assert (again.added, again.changed, len(machine.embedding.embedded)) == ([], [], embedded)
    # Another machine has all of it, to the letter.
    other.store.refresh()
    assert tell(other.store) == tell(machine.store)
    assert ask(other.store) == ask(machine.store)
    assert other.sync().added == []
    assert other.embedding.embedded == []


def test_changed_moved_removed_touched_and_unreadable_files_are_reflected(
    machine: Machine, other: Machine, tmp_path: Path
) -> None:
    folder = machine.folder
    fill(folder)
    machine.sync()
    before = len(machine.embedding.embedded)
    write(folder, {"a.txt": "Alpha is another now. " * 8, "new.txt": "Quite new."})
    (folder / "b.md").rename(folder / "c" / "moved.md")
    os.utime(folder / "c" / "copy.txt", ns=(10**18, 10**18))
    (folder / "z.zip").unlink()
    write(
        folder,
        {"m.eml": make_mail({"x.txt": "Gamma delta.", "w.txt": "Theta."}), "bad.bin.txt": b"\x00\x01\x02\x03" * 100},
    )
    report = machine.sync()
    assert (sorted(report.changed), report.moved) == (["a.txt", "m.eml"], ["c/moved.md"])
    assert set(report.removed) == {"z.zip", "z.zip/in.txt", "z.zip/long.txt", "m.eml/y.zip", "m.eml/y.zip/z.txt"}
    assert not any("Sentence" in text for text in machine.embedding.embedded[before:])  # what moved is not embedded
    assert_equals_a_clean_store(machine, tmp_path)
    other.store.refresh()
    assert tell(other.store) == tell(machine.store)
    (folder / "bad.bin.txt").unlink()
    write(folder, {"a.txt": b"\x00\x01\x02" * 100})
    machine.sync()
    assert_equals_a_clean_store(machine, tmp_path)
    other.store.refresh()
    assert tell(other.store) == tell(machine.store)


def test_two_machines_change_in_turn(machine: Machine, other: Machine, tmp_path: Path) -> None:
    fill(machine.folder)
    machine.sync()
    write(machine.folder, {"a.txt": "One."})
    other.sync()
    write(machine.folder, {"a.txt": "Two, and more."})
    machine.sync()
    (machine.folder / "a.txt").unlink()
    other.sync()
    write(machine.folder, {"a.txt": "Alpha one two three."})
    machine.sync()
    assert_equals_a_clean_store(machine, tmp_path)
    other.store.refresh()
    assert tell(other.store) == tell(machine.store)
    assert ask(other.store) == ask(machine.store)


def test_a_question_sees_what_another_machine_has_stored(machine: Machine, other: Machine) -> None:
    write(machine.folder, {"a.txt": "Alpha one."})
    machine.sync()
    other.store.refresh()
    mark = other.store.mark
    write(machine.folder, {"b.txt": "Beta one."})
    machine.sync()
    assert other.store.mark == mark
    other.store.refresh()
    assert other.store.mark != mark
    found = retrieve(other.store, "Beta one", HashEmbedding().embed_query("Beta one."), 1)
    assert found[0].text == "Beta one."
    assert other.embedding.embedded == []


# -- the server is away -----------------------------------------------------------------------


def test_where_the_server_is_away_answers_are_from_the_mirror_with_a_notice(
    chroma: ChromaRun, folder: Path, tmp_path: Path
) -> None:
    fill(folder)
    with Network(chroma.url) as network:
        machine = Machine(folder, tmp_path / "here", network.url)
        machine.sync()
        answers, told = ask(machine.store), tell(machine.store)
        with network.down():
            machine.store.refresh()
            (news,) = machine.store.take_news()
            assert "does not answer" in news
            assert "Until then answers are from what this machine holds." in news
            assert machine.store.is_read_only
            from_mirror = ask(machine.store)
            for one, other in zip(answers, from_mirror, strict=True):
                assert words(one) == words(other)
                assert [p.score for p in one] == pytest.approx([p.score for p in other], abs=1e-6)
            # So are those of a process that begins now.
            late = machine.open()
            assert tell(late) == told
            assert ask(late) == from_mirror
            late.let_go()
            with pytest.raises(ServerAwayError, match="does not answer"):
                machine.store.require_writable()
            with pytest.raises(ServerAwayError):  # a machine that holds nothing of it
                Machine(folder, tmp_path / "new", network.url)
        write(folder, {"late.txt": "Late one."})
        machine.sync()
        assert not machine.store.is_read_only
        assert machine.store.lexicon.record(identify("late.txt"))
        assert machine.store.take_news() == []
        machine.close()


def test_a_search_that_finds_the_server_gone_answers_from_the_mirror(
    chroma: ChromaRun, folder: Path, tmp_path: Path
) -> None:
    fill(folder)
    with Network(chroma.url) as network:
        machine = Machine(folder, tmp_path / "here", network.url)
        machine.sync()
        answers = ask(machine.store)
        with network.down():  # between the look at what is new and the search
            chunks = [words(found) for found in ask(machine.store)]
        assert chunks == [words(found) for found in answers]
        assert machine.store.is_read_only
        machine.close()


# -- made with something else -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("made_with", "words"),
    [
        ({"embedding_name": "another"}, "made with embedding test, not embedding another"),
        ({"chunk_tokens": 99}, "made with chunks of 12 tokens, not chunks of 99 tokens"),
    ],
)
def test_a_store_that_was_made_with_something_else_is_refused(
    machine: Machine, tmp_path: Path, made_with: dict[str, Any], words: str
) -> None:
    write(machine.folder, {"a.txt": "Alpha one."})
    machine.sync()
    for stores in (machine.stores, tmp_path / "new"):
        with pytest.raises(StoreError, match=rf"{words}\. To make it anew: footnote sync .* --anew"):
            Machine(machine.folder, stores, machine.url, **made_with)


@pytest.mark.parametrize("difference", [-1, 1])
def test_a_store_of_another_version_is_refused(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, difference: int
) -> None:
    write(machine.folder, {"a.txt": "Alpha one."})
    machine.sync()
    version = machine.store._made_with["schema_version"]
    assert isinstance(version, int)
    monkeypatch.setattr("index.storing.store.SCHEMA_VERSION", version + difference)
    with pytest.raises(StoreError, match="made with store version"):
        Machine(machine.folder, tmp_path / "new", machine.url)
    machine.store.refresh()
    assert machine.store.lexicon.count_documents() == 1


def test_vectors_of_another_length_are_refused(machine: Machine) -> None:
    write(machine.folder, {"a.txt": "Alpha one."})
    machine.sync()
    with pytest.raises(StoreError, match="made with vectors of 8 numbers, and the embedding test now gives 9"):
        machine.store.nearest(np.ones(9, np.float32), 1)


# -- made anew --------------------------------------------------------------------------------


def settings_of(machine: Machine) -> Settings:
    return Settings.from_environment({"FOOTNOTE_CHROMA_URL": machine.url, "FOOTNOTE_STORE": str(machine.stores)})


def test_that_a_store_was_made_anew_is_noticed_by_others(machine: Machine, other: Machine, tmp_path: Path) -> None:
    fill(machine.folder)
    machine.sync()
    other.store.refresh()
    discard_store(settings_of(machine), machine.folder)
    (machine.folder / "b.md").unlink()
    write(machine.folder, {"a.txt": "Another now."})
    machine.sync()
    for _ in range(2):
        other.store.refresh()
    assert tell(other.store) == tell(machine.store)
    other.sync()
    assert other.embedding.embedded == []
    assert_equals_a_clean_store(other, tmp_path)


def test_a_store_that_is_thrown_away_leaves_nothing_on_the_server(machine: Machine) -> None:
    write(machine.folder, {"a.txt": "Alpha one."})
    machine.sync()
    discard_store(settings_of(machine), machine.folder)
    discard_store(settings_of(machine), machine.folder)
    for part in ("log", "claims", "rows-1"):
        assert machine.store._link.server.find(f"{machine.store.name}-{part}") is None


# -- checking and mending ---------------------------------------------------------------------


def damage_row(machine: Machine, **changes: Any) -> None:
    """Change a row behind Footnote's back."""
    rows = machine.store._link.rows
    page = rows.get(limit=1, include=["metadatas", "documents", "embeddings"])
    row = {
        "embeddings": [page["embeddings"][0]],
        "metadatas": [page["metadatas"][0]],
        "documents": [page["documents"][0]],
    }
    rows.delete(page["ids"])
    rows.upsert(page["ids"], **{**row, **changes})


DAMAGES = {
    "a lost row": lambda machine: machine.store._link.rows.delete(machine.store._link.rows.get(limit=1)["ids"]),
    "an altered text": lambda machine: damage_row(machine, documents=["Another text that nobody wrote."]),
    "an altered text of the same length": lambda machine: damage_row(
        machine, documents=["x" * len(machine.store._link.rows.get(limit=1, include=["documents"])["documents"][0])]
    ),
    "an altered vector": lambda machine: damage_row(machine, embeddings=[[1.0] + [0.0] * 7]),
    "fields that are none": lambda machine: damage_row(machine, metadatas=[{"start": "x"}]),
    "a row too many": lambda machine: machine.store._link.rows.upsert(
        ["x:0"], embeddings=[[1.0] + [0.0] * 7], metadatas=[{"a": 1}], documents=["x"]
    ),
    "every row lost": lambda machine: machine.store._link.rows.delete(machine.store._link.rows.get()["ids"]),
}


@pytest.mark.parametrize("damage", [*DAMAGES])
def test_what_is_wrong_is_found_and_mended(machine: Machine, tmp_path: Path, damage: str) -> None:
    fill(machine.folder)
    machine.sync()
    embedded = len(machine.embedding.embedded)
    with machine.store.writing():
        assert machine.store.check() == {}
    DAMAGES[damage](machine)
    with machine.store.writing():
        wrong = machine.store.check()
        assert wrong
        machine.store.repair(wrong)
    machine.sync()
    assert len(machine.embedding.embedded) == embedded
    assert_equals_a_clean_store(machine, tmp_path)


def test_rows_that_were_deleted_behind_our_back_are_made_anew_of_the_mirror(
    machine: Machine, other: Machine, tmp_path: Path
) -> None:
    fill(machine.folder)
    machine.sync()
    other.store.refresh()
    answers, embedded = ask(machine.store), len(machine.embedding.embedded)
    machine.store._link.server.delete(f"{machine.store.name}-rows-1")
    machine.store._link._rows = None
    for _ in range(2):
        machine.store.refresh()
        assert [words(found) for found in ask(machine.store)] == [words(found) for found in answers]
    write(machine.folder, {"new.txt": "Quite new."})
    machine.sync()
    assert machine.embedding.embedded[embedded:] == ["Quite new."]
    assert_equals_a_clean_store(machine, tmp_path)
    for _ in range(2):
        other.store.refresh()
    assert tell(other.store) == tell(machine.store)
    assert other.embedding.embedded == []


def test_claims_that_are_gone_cost_nothing(machine: Machine, tmp_path: Path) -> None:
    write(machine.folder, {"a.txt": "Alpha one."})
    machine.sync()
    machine.store._link.server.delete(f"{machine.store.name}-claims")
    write(machine.folder, {"b.txt": "Beta one."})
    machine.sync()
    assert_equals_a_clean_store(machine, tmp_path)


@pytest.mark.parametrize("damage", ["deleted", "garbage", "another log's"])
def test_a_mirror_that_is_lost_or_damaged_is_filled_again(machine: Machine, tmp_path: Path, damage: str) -> None:
    fill(machine.folder)
    machine.sync()
    told, answers = tell(machine.store), ask(machine.store)
    machine.store.let_go()
    file = machine.store.place / "lexicon.sqlite"
    if damage == "deleted":
        shutil.rmtree(machine.store.place)
    elif damage == "garbage":
        for part in machine.store.place.glob("lexicon.sqlite-*"):
            part.unlink()
        file.write_bytes(b"garbage" * 1000)
    else:
        machine.store.lexicon.create({**machine.store._made_with, "log": "another"})
        machine.store.lexicon.mark(whole=True)
    machine.store = machine.open()
    for _ in range(2):
        machine.store.refresh()
    assert tell(machine.store) == told
    assert ask(machine.store) == answers
    embedded = len(machine.embedding.embedded)
    machine.sync()
    assert len(machine.embedding.embedded) == embedded


def leave_rows(machine: Machine, token: str) -> None:
    """What a worker that is killed leaves of a version that never came to count."""
    lexicon = machine.store.lexicon
    write_rows(machine.store._link.rows, copy_rows(lexicon, lexicon.records()[0].document_id, token))


def test_rows_of_workers_that_are_dead_are_swept_and_those_of_live_ones_never(machine: Machine, tmp_path: Path) -> None:
    fill(machine.folder)
    machine.sync()
    leave_rows(machine, "left-by-somebody")
    count = count_rows(machine.store)
    alive = Claims(machine.store._link.server.open(f"{machine.store.name}-claims", {}, {"space": "l2"}))
    write(machine.folder, {"a.txt": "Alpha is changed."})
    with alive.working():
        machine.sync()
        assert {n for n in machine.store._link.rows.get()["ids"] if n.startswith("left-by-somebody")}
    assert count_rows(machine.store) >= count - 5
    write(machine.folder, {"a.txt": "Alpha is changed again."})
    machine.sync()
    assert_equals_a_clean_store(machine, tmp_path)


def test_of_workers_that_end_together_the_last_one_sweeps(machine: Machine, other: Machine) -> None:
    fill(machine.folder)
    machine.sync()
    finish(other.store.catch_up())
    whole = count_rows(machine.store)
    leave_rows(machine, "of-nobody")
    with machine.store.writing():
        with other.store.writing():
            other.store.settle()
            machine.store.settle()
        assert count_rows(machine.store) > whole  # each has seen the other alive
    assert count_rows(machine.store) == whole


# -- copied -----------------------------------------------------------------------------------


@pytest.fixture
def copied(
    chroma: ChromaRun, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Settings, HashEmbedding]]:
    """The settings of a server, and the embedding that every library then has."""
    embedding = HashEmbedding()
    settings = Settings.from_environment(
        {"FOOTNOTE_STORE": str(tmp_path / "stores"), "FOOTNOTE_CHROMA_URL": chroma.url, "FOOTNOTE_CHUNK_TOKENS": "32"}
    )
    monkeypatch.setitem(library._embeddings, (settings.embedding, settings.cache_folder), embedding)
    fill(folder)
    yield settings, embedding


def open_and_sync(folder: Path, settings: Settings) -> Store:
    opened = finish(library.open_library(folder, settings))
    finish(opened.sync())
    return opened.store


def test_a_store_is_copied_to_the_server_and_back(
    folder: Path, copied: tuple[Settings, HashEmbedding], tmp_path: Path
) -> None:
    settings, embedding = copied
    here = open_and_sync(folder, settings.change(chroma_url=None))
    told, answers, embedded = tell(here), ask(here), len(embedding.embedded)
    count = here.lexicon.count_documents()
    assert finish(copy_store(folder, settings, to_server=True)) == count
    there = finish(library.open_library(folder, settings)).store
    assert there.is_shared
    assert tell(there) == told
    for one, other in zip(answers, ask(there), strict=True):
        assert words(one) == words(other)
        assert [p.score for p in one] == pytest.approx([p.score for p in other], abs=1e-6)
    assert open_and_sync(folder, settings) is there
    with there.writing():
        assert there.check() == {}
    # Back, to a machine that holds something else by now.
    write(folder, {"a.txt": "Changed. " * 9})
    (folder / "b.md").unlink()
    open_and_sync(folder, settings)
    embedded_there, told = len(embedding.embedded), tell(there)
    assert finish(copy_store(folder, settings, to_server=False)) == there.lexicon.count_documents()
    assert tell(here) == told
    with here.writing():
        assert here.check() == {}
    open_and_sync(folder, settings.change(chroma_url=None))
    assert len(embedding.embedded) == embedded_there
    assert embedded_there > embedded
    # Once more to the server, which has all of it.
    finish(copy_store(folder, settings, to_server=True))
    assert tell(there) == told


def test_what_there_is_nothing_of_is_not_copied(folder: Path, copied: tuple[Settings, HashEmbedding]) -> None:
    settings, _ = copied
    with pytest.raises(InputError, match="nothing to copy"):
        finish(copy_store(folder, settings, to_server=False))
    with pytest.raises(InputError, match="FOOTNOTE_CHROMA_URL is not set"):
        finish(copy_store(folder, settings.change(chroma_url=None), to_server=True))


def test_an_error_of_a_store_made_anew_is_one_that_a_sync_tries_again() -> None:
    assert not issubclass(ServerAwayError, DamagedError)
