"""A check reads rows in pages, part after part, and says of each document what a look at its chunks one by one says."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hashed import open_store, rows
from test_parts import ids_by_part
from test_sync import LONG, run_sync

from index.documents import Progress, identify
from index.storing import parts
from index.storing.chunks import CHUNK
from index.storing.embedded import EmbeddedStore
from index.storing.parts import Parts
from index.storing.rows import RowsFailedError, read_chunks

PAGE = 3
A, B, C, D = (identify(f"{name}.txt") for name in "abcd")


@pytest.fixture(scope="module", params=[12, 1000], ids=["several parts", "one part"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Path, Path]:
    """How large parts may be; a folder of four documents, of which one was changed after the first sync; and stores."""
    place = tmp_path_factory.mktemp("built")
    folder, stores = place / "documents", place / "stores"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("index.storing.parts.PART_CHUNKS", request.param)
        patch.setattr("index.sync.BATCH_CHUNKS", 10)
        store = open_store(folder, stores)
        for name in "abc":
            (folder / f"{name}.txt").write_text(f"Document {name}. " + LONG.replace("long", f"long {name}"))
        (folder / "d.txt").write_text("Delta.")
        run_sync(folder, store)
        (folder / "a.txt").write_text("Alpha, once more. " + LONG)
        run_sync(folder, store)
        assert (len(ids_by_part(store)) >= 4) == (request.param == 12)
        store.close()
        store.let_go()
    return request.param, folder, stores


@pytest.fixture
def filled(built: tuple[int, Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EmbeddedStore]:
    """A store of its own for each test, whose pages are small."""
    part_chunks, folder, stores = built
    monkeypatch.setattr("index.storing.parts.PART_CHUNKS", part_chunks)
    monkeypatch.setattr("index.storing.checking.PAGE_ROWS", PAGE)
    shutil.copytree(stores, tmp_path / "stores")
    store = open_store(folder, tmp_path / "stores")
    yield store
    store.close()


def check_one_by_one(store: EmbeddedStore) -> dict[str, str]:
    """What is wrong with each document, as a look at each chunk by itself tells."""
    wrong: dict[str, str] = {}
    for record in store.lexicon.records():
        chunks = store.lexicon.chunks_of(record.document_id)
        ends = [0, *(chunk.end for chunk in chunks)]
        if any(chunk.start != end for chunk, end in zip(chunks, ends, strict=False)):
            wrong[record.document_id] = f"{record.path}: its chunks do not join"
            continue
        try:
            ids = [chunk.id for chunk in chunks]
            stored = {chunk.id: chunk for chunk in read_chunks(store._keeper.rows, ids)}
            vectors = store.vectors(ids)
            lost = [c for c in chunks if stored.get(c.id) != c or c.id not in store.nearest(vectors[c.id], 10)]
        except RowsFailedError:
            lost = chunks
        if lost:
            wrong[record.document_id] = f"{record.path}: {len(lost)} of {len(chunks)} chunks are lost or not found"
    return wrong


def rewrite(store: EmbeddedStore, chunk_id: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a row's columns where it stands."""
    with store._keeper.saving() as kept:
        columns = ["metadatas", "documents", "embeddings"]
        page = kept.get([chunk_id], include=columns)
        row = {name: page[name][0] for name in columns}
        change(row)
        kept.upsert([chunk_id], **{name: [value] for name, value in row.items()})


def delete(store: EmbeddedStore, *chunk_ids: str) -> None:
    with store._keeper.saving() as kept:
        kept.delete(chunk_ids)


def add(store: EmbeddedStore, chunk_id: str) -> None:
    with store._keeper.saving() as kept:
        kept.upsert([chunk_id], embeddings=[[1.0] * 8], metadatas=[{"document_id": "x", "content_hash": "y"}])


def lose_vector(store: EmbeddedStore, chunk_id: str) -> EmbeddedStore:
    """Take a row's vector out of Chroma's log, where it stands alone while there are few; open the store again."""
    store.close()
    store.let_go()
    with sqlite3.connect(store.place / "chroma" / "chroma.sqlite3") as database:
        assert database.execute("DELETE FROM embeddings_queue WHERE id = ?", (chunk_id,)).rowcount
    database.close()
    store._keeper._files.note()
    opened = open_store(store._folder, store.place.parent)
    assert opened.take_news() == []
    return opened


# -- what is told -----------------------------------------------------------------------------


def test_of_a_store_that_is_whole_nothing_is_told_but_how_far_it_is(filled: EmbeddedStore) -> None:
    told: list[Progress] = []
    assert filled.check(told.append) == {}
    count = filled.lexicon.count_chunks()
    assert [progress.done for progress in told] == sorted({progress.done for progress in told})
    assert (told[0].done, told[-1].done) == (0, count)
    assert {(progress.total, progress.unit) for progress in told} == {(count, "passages")}


def test_rows_that_are_lost_are_counted_by_document(filled: EmbeddedStore) -> None:
    a, b = filled.lexicon.chunk_ids(A), filled.lexicon.chunk_ids(B)
    delete(filled, a[0], a[3], b[-1], D)
    assert filled.check() == {
        A: f"a.txt: 2 of {len(a)} chunks are lost or not found",
        B: f"b.txt: 1 of {len(b)} chunks are lost or not found",
        D: "d.txt: 1 of 1 chunks are lost or not found",
    }
    assert [*filled.check()] == [A, B, D]
    assert filled.check() == check_one_by_one(filled)


def test_a_text_and_a_field_that_were_altered_are_lost(filled: EmbeddedStore) -> None:
    a, c = filled.lexicon.chunk_ids(A), filled.lexicon.chunk_ids(C)
    rewrite(filled, a[2], lambda row: row.update(documents=row["documents"].upper()))
    rewrite(filled, c[0], lambda row: row.update(metadatas={**row["metadatas"], "end": 7}))
    rewrite(filled, c[1], lambda row: row.update(metadatas={**row["metadatas"], "parts": "[[],[]]"}))
    assert filled.check() == check_one_by_one(filled)
    assert [text.split()[1] for text in filled.check().values()] == ["1", "2"]


def test_a_document_with_a_chunk_whose_vector_is_lost_is_lost(filled: EmbeddedStore) -> None:
    b = filled.lexicon.chunk_ids(B)
    store = lose_vector(filled, b[-2])
    assert store.check() == {B: f"b.txt: {len(b)} of {len(b)} chunks are lost or not found"} == check_one_by_one(store)
    store.close()


def test_chunks_that_do_not_join_are_told_as_that_alone(filled: EmbeddedStore) -> None:
    b = filled.lexicon.chunk_ids(B)
    with filled.lexicon._writing() as connection:
        connection.execute('UPDATE chunks SET "end" = "end" + 1 WHERE chunk_id = ?', (b[1],))
        connection.execute(f"UPDATE chunks SET checksum = checksum({CHUNK}) WHERE chunk_id = ?", (b[1],))
    assert filled.check() == {B: "b.txt: its chunks do not join"} == check_one_by_one(filled)


def test_a_first_chunk_that_does_not_begin_the_text_is_told(filled: EmbeddedStore) -> None:
    with filled.lexicon._writing() as connection:
        connection.execute("UPDATE chunks SET start = 1 WHERE chunk_id = ?", (D,))
        connection.execute(f"UPDATE chunks SET checksum = checksum({CHUNK}) WHERE chunk_id = ?", (D,))
    assert filled.check() == {D: "d.txt: its chunks do not join"} == check_one_by_one(filled)


def test_rows_besides_are_told_where_nothing_is_lost(filled: EmbeddedStore) -> None:
    count = filled.lexicon.count_chunks()
    for number in range(4):
        add(filled, f"more {number}")
    assert filled.check() == {"": f"{count + 4} rows where {count} count"}
    delete(filled, D)
    assert filled.check() == {D: "d.txt: 1 of 1 chunks are lost or not found"}


def test_an_interrupted_sync_is_told_besides_what_is_lost(filled: EmbeddedStore) -> None:
    filled.lexicon.announce(["x"])
    assert filled.check() == {"": "a sync was interrupted"}
    delete(filled, D)
    assert filled.check() == {D: "d.txt: 1 of 1 chunks are lost or not found", "": "a sync was interrupted"}


def test_all_that_is_told_is_mended(filled: EmbeddedStore) -> None:
    before = rows(filled)
    b = filled.lexicon.chunk_ids(B)
    store = lose_vector(filled, b[-2])
    delete(store, store.lexicon.chunk_ids(A)[1])
    rewrite(store, C, lambda row: row.update(documents="Something else."))
    add(store, "more")
    wrong = store.check()
    assert wrong == check_one_by_one(store)
    assert {*wrong} == {A, B, C}
    with store.writing():
        store.repair(wrong)
    run_sync(store._folder, store)
    assert store.check() == {}
    assert {*rows(store)} == {*before}
    store.close()


# -- how it is searched -----------------------------------------------------------------------


@pytest.fixture
def searched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """For each search by rows' own vectors, of how many and for how many nearest."""
    searches: list[tuple[int, int]] = []
    original = parts._search

    def search(part: Any, vectors: dict[str, Any], count: int) -> set[str]:
        searches.append((len(vectors), count))
        return original(part, vectors, count)

    monkeypatch.setattr(parts, "_search", search)
    return searches


def test_the_rows_of_a_page_are_searched_together_and_each_part_is_taken_in_once(
    filled: EmbeddedStore, searched: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "TRIED_ROWS", 0)
    sizes = [len(ids) for ids in ids_by_part(filled).values()]
    filled._keeper.rows._let_go()  # type: ignore[attr-defined]
    opened: list[int] = []
    original = Parts._open
    monkeypatch.setattr(Parts, "_open", lambda self, number: opened.append(number) or original(self, number))
    assert filled.check() == {}
    assert opened == [*range(1, len(sizes) + 1)]
    assert searched == [(min(PAGE, size - i), 1) for size in sizes for i in range(0, size, PAGE)]


@pytest.mark.parametrize("is_found_farther", [True, False])
def test_what_one_search_misses_is_looked_for_farther_before_it_is_lost(
    filled: EmbeddedStore, monkeypatch: pytest.MonkeyPatch, is_found_farther: bool
) -> None:
    monkeypatch.setattr(parts, "TRIED_ROWS", 0)
    missed = {filled.lexicon.chunk_ids(B)[2], C, D}
    original = parts._search
    farther: list[set[str]] = []

    def search(part: Any, vectors: dict[str, Any], count: int) -> set[str]:
        if count == 1:
            return original(part, vectors, count) - missed
        farther.append({*vectors})
        return original(part, vectors, count) if is_found_farther else set()

    monkeypatch.setattr(parts, "_search", search)
    assert {*filled.check()} == (set() if is_found_farther else {B, C, D})
    assert sorted(map(sorted, farther)) == sorted([chunk_id] for chunk_id in missed)


def test_a_row_is_found_by_another_of_the_same_vector(filled: EmbeddedStore) -> None:
    b = filled.lexicon.chunk_ids(B)
    vectors = filled.vectors(b)
    for chunk_id in b:
        rewrite(filled, chunk_id, lambda row: row.update(embeddings=vectors[b[0]]))
    assert filled.check() == {}


def test_rows_whose_search_fails_are_made_anew_and_looked_at_again(
    filled: EmbeddedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, left = Parts.findable, [2]

    def fail(self: Parts, vectors: dict[str, Any]) -> set[str]:
        left[0] -= 1
        if left[0] == 0:
            raise RowsFailedError("as it happens")
        return original(self, vectors)

    monkeypatch.setattr(Parts, "findable", fail)
    told: list[Progress] = []
    assert filled.check(told.append) == {}
    assert [progress.done for progress in told].count(0) == 2
    [news] = filled.take_news()
    assert "damaged (a search failed: as it happens): made anew from the lexical index." in news


def test_an_interrupt_is_no_damage(filled: EmbeddedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*values: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("index.storing.lexicon_file.checksum", interrupt)
        with pytest.raises(KeyboardInterrupt):
            filled.lexicon.find_damage()
    assert filled.lexicon.is_usable()
    assert filled.check() == {}
