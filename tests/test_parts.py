"""A store in several parts is what it would be in one."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from contextlib import nullcontext
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import test_sync
from hashed import HashEmbedding, contents, open_store, put, put_chunks, rows
from hypothesis import given
from hypothesis import settings as run_with
from test_sync import LONG, assert_equals_a_clean_store, run_sync, sync_elsewhere

from index.documents import Document, identify
from index.errors import StoreError
from index.splitting.outline import Outline
from index.storing.embedded import EmbeddedStore
from index.storing.parts import GRAPH, PARTS_IN_MEMORY, Parts
from index.storing.versions import number_chunks

SMALL = 12


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.storing.parts.PART_CHUNKS", SMALL)
    monkeypatch.setattr("index.sync.BATCH_CHUNKS", 10)


@pytest.fixture
def filled(folder: Path, store: EmbeddedStore) -> EmbeddedStore:
    """A store of four documents in several parts."""
    for name in "abc":
        (folder / f"{name}.txt").write_text(f"Document {name}. " + LONG.replace("long", f"long {name}"))
    (folder / "d.txt").write_text("Delta.")
    run_sync(folder, store)
    assert len(ids_by_part(store)) >= 4
    return store


def ids_by_part(store: EmbeddedStore) -> dict[int, list[str]]:
    parts = store._keeper.rows
    return {number: parts._part(number).get(include=[])["ids"] for number in parts._numbers}


def assert_equals_one_part(folder: Path, store: EmbeddedStore) -> None:
    """The store equals one that was built in one part, and its parts are no larger than they may be."""
    parts = ids_by_part(store)
    assert all(len(ids) <= SMALL for ids in parts.values())
    assert max(Counter(chain(*parts.values())).values()) == 1
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("index.storing.parts.PART_CHUNKS", 10**6)
        assert_equals_a_clean_store(folder, store)


# -- where rows stand -------------------------------------------------------------------------


def test_a_part_that_is_full_is_followed_by_another(folder: Path, filled: EmbeddedStore) -> None:
    assert_equals_one_part(folder, filled)
    assert filled.check() == {}


def test_a_first_sync_takes_in_each_part_once(
    folder: Path, store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(40):
        (folder / f"{number:02}.txt").write_text(f"Document {number}.")
    opened: list[int] = []
    original = Parts._open
    monkeypatch.setattr(Parts, "_open", lambda self, number: opened.append(number) or original(self, number))
    run_sync(folder, store)
    assert opened == [1, 2, 3, 4, 5]


def test_a_store_of_one_part_is_not_looked_through_before_a_write(
    folder: Path, store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chromadb.api.models.Collection import Collection

    monkeypatch.setattr("index.storing.parts.PART_CHUNKS", 1000)
    (folder / "a.txt").write_text(LONG)
    run_sync(folder, store)
    calls: list[str] = []
    for name in ("get", "count", "query", "upsert", "delete"):
        monkeypatch.setattr(Collection, name, spy(name, getattr(Collection, name), calls))
    (folder / "a.txt").write_text(LONG.replace("long", "changed"))
    put(store, folder / "a.txt")
    assert calls == ["upsert", "upsert", "delete"]


def spy(name: str, original: Any, calls: list[str]) -> Any:
    def call(*arguments: Any, **options: Any) -> Any:
        calls.append(name)
        return original(*arguments, **options)

    return call


def test_what_is_written_again_stands_where_it_stood(folder: Path, filled: EmbeddedStore) -> None:
    before = ids_by_part(filled)
    home = next(number for number, ids in before.items() if identify("a.txt") in ids)
    assert home < max(before)
    (folder / "a.txt").write_text("Alpha. " + LONG)
    os.utime(folder / "b.txt", ns=(1, 1))
    assert run_sync(folder, filled).changed == ["a.txt"]
    assert identify("a.txt") in ids_by_part(filled)[home]
    assert_equals_one_part(folder, filled)


@pytest.mark.parametrize("count", [1, SMALL - 1, SMALL])
def test_what_is_written_again_while_the_first_part_becomes_full_stands_once(
    folder: Path, store: EmbeddedStore, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    monkeypatch.setattr("index.sync.BATCH_CHUNKS", 100)
    for number in range(count):
        (folder / f"z{number:02}.txt").write_text(f"Document {number}.")
    run_sync(folder, store)
    for number in range(SMALL):
        (folder / f"a{number:02}.txt").write_text(f"Another, {number}.")
        (folder / f"z{number:02}.txt").write_text(f"Document {number} is changed.")
    run_sync(folder, store)
    assert_equals_one_part(folder, store)


def test_what_is_removed_leaves_every_part(folder: Path, filled: EmbeddedStore) -> None:
    for name in "ac":
        (folder / f"{name}.txt").unlink()
    run_sync(folder, filled)
    assert_equals_one_part(folder, filled)
    filled.remove([identify("b.txt"), identify("d.txt"), "nothing"])
    assert contents(filled) == ([], {}, {}, {}, {})


def test_pages_hold_every_row_once(filled: EmbeddedStore) -> None:
    pages = [page["ids"] for page in filled._keeper.rows.pages(3, [])]
    assert max(len(page) for page in pages) == 3
    assert [*chain(*pages)] == [*chain(*ids_by_part(filled).values())]


@pytest.mark.parametrize("count", [1, 5, 30, 1000])
def test_the_nearest_are_those_of_all_parts(filled: EmbeddedStore, count: int) -> None:
    ids = sorted(rows(filled))
    vectors = filled.vectors(ids)
    query = HashEmbedding().embed_query("Sentence 3")
    cosines = np.array([vectors[chunk_id] @ query for chunk_id in ids])
    expected = sorted(cosines, reverse=True)[:count]
    found = filled.nearest(query, count)
    assert list(found.values()) == pytest.approx(expected, abs=1e-5)
    assert all(found[i] == pytest.approx(cosines[ids.index(i)], abs=1e-5) for i in found)


def make_unlike(alike: int, odd: int = 20) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Unit vectors of a few odd documents, then of many that are much alike."""
    chance = np.random.default_rng(0)
    pages = chance.normal(size=64) + chance.normal(size=(20, 64)) * 0.3
    near = pages[chance.integers(0, 20, alike)] + chance.normal(size=(alike, 64)) * 0.05
    vectors = np.concatenate([chance.normal(size=(odd, 64)), near]).astype(np.float32)
    unit: np.ndarray[Any, np.dtype[np.float32]] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit


def test_what_is_unlike_all_others_is_found_by_its_own_vector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.storing.parts.PART_CHUNKS", 10**6)
    parts = Parts(tmp_path, {"embedding": "any"}, nullcontext)
    vectors = make_unlike(4000)
    for i in range(0, len(vectors), 250):
        batch = vectors[i : i + 250]
        parts.upsert([str(i + place) for place in range(len(batch))], embeddings=[*batch])
    assert [i for i in range(20) if str(i) not in parts.query(vectors[i], 10)] == []


def test_what_no_way_in_the_graph_leads_to_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.storing.parts.PART_CHUNKS", 10**6)
    monkeypatch.setattr("index.storing.parts.GRAPH", {**GRAPH, "max_neighbors": 3})
    parts = Parts(tmp_path, {"embedding": "any"}, nullcontext)
    vectors = make_unlike(600)

    def put(first: int, last: int) -> None:
        parts.upsert([str(i) for i in range(first, last)], embeddings=[*vectors[first:last]])

    def find_missed() -> list[int]:
        return [i for i in range(20) if str(i) not in parts.query(vectors[i], 10)]

    for i in range(0, 620, 124):
        put(i, i + 124)
        assert find_missed() == []
    astray = [*parts._reach(1).astray]
    assert astray
    parts.delete(astray[:1])
    assert astray[0] not in parts.query(vectors[int(astray[0])], 10)


# -- memory -----------------------------------------------------------------------------------


def test_only_a_search_has_more_than_two_parts_in_memory(
    folder: Path, filled: EmbeddedStore, stores: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    most = [0]
    original = Parts._part

    def watch(self: Parts, *arguments: Any, **options: Any) -> Any:
        part = original(self, *arguments, **options)
        most.append(len(self._in_memory))
        return part

    monkeypatch.setattr(Parts, "_part", watch)
    store = open_store(folder, stores)
    (folder / "a.txt").unlink()
    (folder / "c.txt").write_text("Changed. " + LONG)
    run_sync(folder, store)
    assert max(most) == PARTS_IN_MEMORY
    store.nearest(HashEmbedding().embed_query("one"), 3)
    assert max(most) == len(ids_by_part(store)) > 2
    store.close()


# -- whatever happens -------------------------------------------------------------------------

history = test_sync.test_after_any_history_the_store_equals_the_folder.hypothesis.inner_test


@run_with(max_examples=8)
@given(test_sync.STEPS)
def test_after_any_history_the_store_equals_one_of_one_part(steps: list[tuple[str, str, Any]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(test_sync, "assert_equals_a_clean_store", assert_equals_one_part)
        history(steps)


# Dies when the third part has been made and holds nothing yet.
BEGIN_AND_DIE = f"""
import index.sync
from index.storing import parts
index.sync.BATCH_CHUNKS = 1
parts.PART_CHUNKS = {SMALL}
make_room = parts.Parts._make_room
def begin_and_die(self, rows):
    room = make_room(self, rows)
    if len(self._numbers) == 3:
        self._part(3)
        os._exit(9)
    return room
parts.Parts._make_room = begin_and_die
"""


def test_killed_between_a_new_part_and_its_first_row_the_next_sync_goes_on(folder: Path, stores: Path) -> None:
    for name in "abc":
        (folder / f"{name}.txt").write_text(f"Document {name}. {LONG}")
    assert sync_elsewhere(folder, stores, die=BEGIN_AND_DIE) == 9
    store = open_store(folder, stores)
    assert ids_by_part(store)[3] == []
    assert store.nearest(HashEmbedding().embed_query("one"), 3)
    run_sync(folder, store)
    assert store.check() == {}
    assert_equals_one_part(folder, store)
    store.close()


def test_vectors_that_were_torn_are_made_anew_in_parts(folder: Path, filled: EmbeddedStore, stores: Path) -> None:
    before = contents(filled)
    (filled.place / "saving.json").write_text(json.dumps({"a/header.bin": [100, 0]}))
    store = open_store(folder, stores)
    assert contents(store) == before
    assert store.check() == {}
    assert_equals_one_part(folder, store)
    store.close()


def test_a_lexicon_that_was_deleted_is_made_anew_from_all_parts(
    folder: Path, filled: EmbeddedStore, stores: Path
) -> None:
    before = contents(filled)
    filled.close()
    for file in filled.place.glob("lexicon*"):
        file.unlink()
    store = open_store(folder, stores)
    run_sync(folder, store)
    assert contents(store) == before
    store.close()


def test_a_part_that_was_made_otherwise_is_refused(folder: Path, filled: EmbeddedStore, stores: Path) -> None:
    part = filled._keeper.rows._part(2)
    with filled._keeper._changing():
        part.modify(metadata={**part.metadata, "embedding": "another"})
    with pytest.raises(StoreError, match="was made with embedding another, not embedding test"):
        open_store(folder, stores)


def test_a_part_that_has_lost_its_vectors_is_made_anew(
    folder: Path, stores: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.storing.parts.PART_CHUNKS", 1100)
    text = "".join(f"Number {number}. " for number in range(3500))
    ends = [end for end in range(1, len(text) + 1) if end == len(text) or text[end - 2 : end] == ". "]
    document = Document("id", "a.txt", "", None, text, (), "0123456789abcdef")
    store = open_store(folder, stores)
    with store.writing():
        put_chunks(
            store, document, number_chunks(document, Outline(text), 0, list(zip([0, *ends], ends, strict=False)))
        )
    before = contents(store)
    store.close()
    # The fourth part has not yet written its vectors into files.
    for number in range(3):
        shutil.rmtree(sorted((store.place / "chroma").glob("*/header.bin"))[number].parent)
        store = open_store(folder, stores)
        [news] = store.take_news()
        assert "were damaged (their files have been lost): made anew from the lexical index." in news
        assert set(rows(store)) == set(before[2])
        store.close()
    store = open_store(folder, stores)
    assert contents(store) == before
    store.close()


def test_a_store_of_one_part_has_the_collection_of_old(folder: Path, store: EmbeddedStore) -> None:
    (folder / "a.txt").write_text("Alpha.")
    run_sync(folder, store)
    [name] = [collection.name for collection in store._keeper.rows._client.list_collections()]
    assert name == "chunks"
