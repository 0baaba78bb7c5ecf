from __future__ import annotations

import json
import os
import re
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest
from hashed import CHUNK_TOKENS, HashEmbedding, contents, put, put_chunks, rows

from index.documents import Document, identify
from index.errors import StoreError
from index.library import finish
from index.splitting.outline import Outline
from index.storing.embedded import EmbeddedStore, discard
from index.storing.mending import fill_rows
from index.storing.store import SCHEMA_VERSION, place_of
from index.storing.versions import number_chunks
from index.sync import sync

LONG = (
    "One two three four five. Six seven eight nine ten. Eleven twelve thirteen fourteen. Fifteen sixteen seventeen. "
    "Eighteen nineteen twenty. Twenty-one and twenty-two and twenty-three and so on until nobody counts."
)


@pytest.fixture
def store(stores: Path, folder: Path) -> Iterator[EmbeddedStore]:
    store = EmbeddedStore(stores, folder, HashEmbedding.name, CHUNK_TOKENS)
    with store.writing():
        pass
    yield store
    store.close()


def write(folder: Path, **texts: str) -> list[Path]:
    for name, text in texts.items():
        (folder / f"{name}.txt").write_text(text, newline="")
    return [folder / f"{name}.txt" for name in texts]


# -- what it holds ----------------------------------------------------------------------------


def test_what_is_put_is_read_again(store: EmbeddedStore, folder: Path) -> None:
    (file,) = write(folder, a="\ufeffThe tour\r\n\r\n2025-05-13\r\n\r\n" + LONG)
    chunks = put(store, file)
    assert len(chunks) > 2
    (record,) = store.lexicon.records()
    assert (record.document_id, record.path, record.title) == (identify("a.txt"), "a.txt", "The tour")
    assert (record.date, record.pages, record.chunk_count) == ("2025-05-13", (), len(chunks))
    assert (record.size_bytes, record.modified_ns) == (file.stat().st_size, file.stat().st_mtime_ns)
    assert store.lexicon.chunks_of(record.document_id) == chunks
    with file.open(encoding="utf-8", newline="") as opened:
        text = opened.read()
    assert store.text_of(record.document_id) == text
    assert all(store.text_of(record.document_id, i, i + 90) == text[i : i + 90] for i in range(0, len(text), 37))


def test_a_document_that_it_does_not_have_has_no_text(store: EmbeddedStore) -> None:
    assert store.text_of("nothing") == ""


def test_pages_and_a_missing_date_are_kept_through_a_rebuilding(store: EmbeddedStore) -> None:
    document = Document("id", "a.txt", "The tour", None, "One. Two.", (0, 5), "c" * 64)
    with store.writing():
        put_chunks(store, document, number_chunks(document, Outline(document.text), 0, [(0, 5), (5, 9)]))
    (record,) = store.lexicon.records()
    store.lexicon.create()
    with store.writing():
        assert store.lexicon.records() == [record]
    assert (record.pages, record.date) == ((0, 5), None)


def test_the_nearest_come_first_with_their_cosine(store: EmbeddedStore, folder: Path) -> None:
    for file in write(folder, a="Alpha.", b="Beta.", c="Gamma."):
        put(store, file)
    embedding = HashEmbedding()
    query = embedding.embed_query("Alpha.")
    expected = {
        identify(f"{name}.txt"): float(vector @ query)
        for name, vector in zip("abc", embedding.embed(["Alpha.", "Beta.", "Gamma."]), strict=True)
    }
    found = store.nearest(query, 3)
    assert found == pytest.approx(expected, abs=1e-4)
    assert list(found) == sorted(expected, key=lambda name: -expected[name])
    assert list(store.nearest(query, 1)) == [identify("a.txt")]
    assert len(store.nearest(query, 100)) == 3


def test_an_empty_store_has_no_nearest(store: EmbeddedStore) -> None:
    assert store.nearest(HashEmbedding().embed_query("Alpha."), 10) == {}


def test_a_new_version_leaves_nothing_of_the_old_one(store: EmbeddedStore, folder: Path, tmp_path: Path) -> None:
    (file,) = write(folder, a=LONG)
    put(store, file)
    file.write_text("Short now.")
    put(store, file)
    clean = EmbeddedStore(tmp_path / "clean", folder, HashEmbedding.name, CHUNK_TOKENS)
    with clean.writing():
        put(clean, file)
    assert contents(store) == contents(clean)
    clean.close()


def test_a_removed_document_leaves_nothing(store: EmbeddedStore, folder: Path) -> None:
    first, second = write(folder, a=LONG, b="Beta.")
    put(store, second)
    before = contents(store)
    put(store, first)
    store.remove([identify("a.txt")])
    assert contents(store) == before
    store.remove(["nothing"])
    assert contents(store) == before


def test_a_touch_is_kept_in_chroma_too(store: EmbeddedStore, folder: Path) -> None:
    (file,) = write(folder, a=LONG)
    put(store, file)
    store.touch([(store.lexicon.records()[0].document_id, 6, 7)])
    store.lexicon.create()
    with store.writing():
        (record,) = store.lexicon.records()
    assert (record.size_bytes, record.modified_ns) == (6, 7)


def test_ids_name_the_document_and_the_version(folder: Path) -> None:
    document = Document("id", "a.txt", "", None, "One. Two. Three.", (), "0123456789abcdef")
    chunks = number_chunks(document, Outline(document.text), 0, [(0, 5), (5, 10), (10, 16)])
    assert [chunk.id for chunk in chunks] == ["id", "id:0123456789ab:5", "id:0123456789ab:10"]
    assert [chunk.text for chunk in chunks] == ["One. ", "Two. ", "Three."]


def test_two_stores_built_apart_are_equal_row_for_row(store: EmbeddedStore, folder: Path, tmp_path: Path) -> None:
    files = write(folder, a=LONG, b="Beta.", c=LONG[::-1])
    other = EmbeddedStore(tmp_path / "other", folder, HashEmbedding.name, CHUNK_TOKENS)
    with other.writing():
        for file in reversed(files):
            put(other, file)
    for file in files:
        put(store, file)
    assert contents(store) == contents(other)
    other.close()


def test_a_document_of_thousands_of_chunks_is_stored_and_removed_whole(store: EmbeddedStore, folder: Path) -> None:
    text = "".join(f"Number {number}. " for number in range(2500))
    document = Document("id", "a.txt", "", None, text, (), "0123456789abcdef")
    ends = [end for end in range(1, len(text) + 1) if end == len(text) or text[end - 2 : end] == ". "]
    chunks = number_chunks(document, Outline(text), 0, list(zip([0, *ends], ends, strict=False)))
    assert len(chunks) == 2500
    with store.writing():
        put_chunks(store, document, chunks)
        assert store.text_of("id") == text
        assert len(rows(store)) == 2500
        store.remove(["id"])
    assert contents(store) == ([], {}, {}, {}, {})


# -- where it lives, and whose it is ----------------------------------------------------------


def test_each_folder_has_a_store_of_its_own_under_a_readable_name(tmp_path: Path) -> None:
    stores = tmp_path / "stores"
    names = [place_of(stores, Path(folder)).name for folder in ("/a/My News!", "/b/My News!", "/", "/機械")]
    assert len({*names}) == 4
    assert names[0].startswith("my-news-")
    assert names[2].startswith("documents-")
    assert all(name.isascii() for name in names)


def test_a_folder_whose_name_is_not_utf_8_has_a_store(stores: Path, tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    folder.mkdir()
    EmbeddedStore(stores, folder, HashEmbedding.name, CHUNK_TOKENS).close()


def test_a_store_of_another_embedding_is_refused_with_the_command_that_helps(
    store: EmbeddedStore, folder: Path
) -> None:
    with pytest.raises(StoreError) as raised:
        EmbeddedStore(store.place.parent, folder, "another", CHUNK_TOKENS)
    assert f"made with embedding {HashEmbedding.name}" in str(raised.value)
    assert "not embedding another" in str(raised.value)
    assert str(raised.value).endswith(f"footnote sync {folder} --anew")


def test_a_store_of_another_chunk_size_is_refused(store: EmbeddedStore, folder: Path) -> None:
    with pytest.raises(StoreError, match=rf"chunks of {CHUNK_TOKENS} tokens, not chunks of 100 tokens\. .* --anew$"):
        EmbeddedStore(store.place.parent, folder, HashEmbedding.name, 100)


def test_a_store_of_a_later_version_is_refused(
    store: EmbeddedStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.storing.store.SCHEMA_VERSION", 1)
    with pytest.raises(StoreError, match=rf"store version {SCHEMA_VERSION}, not store version 1\. .* --anew$"):
        EmbeddedStore(store.place.parent, folder, HashEmbedding.name, CHUNK_TOKENS)


@pytest.mark.parametrize("has_lexicon", [True, False])
@pytest.mark.parametrize("embedding_name", [HashEmbedding.name, "another"])
def test_a_store_of_an_earlier_version_is_made_anew_and_said_so(
    store: EmbeddedStore, folder: Path, monkeypatch: pytest.MonkeyPatch, has_lexicon: bool, embedding_name: str
) -> None:
    write(folder, a=LONG)
    finish(sync(folder, store, HashEmbedding()))
    store.close()
    if not has_lexicon:
        (store.place / "lexicon.sqlite").unlink()
    monkeypatch.setattr("index.storing.store.SCHEMA_VERSION", 99)
    later = EmbeddedStore(store.place.parent, folder, embedding_name, CHUNK_TOKENS)
    assert later.take_news() == [
        f"The store of {folder} was made by an earlier version of Footnote: it is made anew from the documents."
    ]
    assert finish(sync(folder, later, HashEmbedding())).added == ["a.txt"]
    assert (later.check(), later.take_news()) == ({}, [])
    later.close()


def test_a_store_of_which_nothing_is_whole_is_made_anew_from_the_documents(stores: Path, folder: Path) -> None:
    write(folder, a="Alpha.")
    place = place_of(stores, folder)
    (place / "chroma").mkdir(parents=True)
    (place / "chroma" / "chroma.sqlite3").write_bytes(b"no database at all " * 500)
    store = EmbeddedStore(stores, folder, HashEmbedding.name, CHUNK_TOKENS)
    [news] = store.take_news()
    assert re.fullmatch(r"The store at .* was damaged \(.*\): it is made anew from the documents\.", news)
    assert finish(sync(folder, store, HashEmbedding())).added == ["a.txt"]
    assert (store.check(), store.take_news()) == ({}, [])
    store.close()


# -- thrown away ------------------------------------------------------------------------------


def test_a_discarded_store_is_built_anew_also_with_another_embedding(store: EmbeddedStore, folder: Path) -> None:
    write(folder, a=LONG)
    finish(sync(folder, store, HashEmbedding()))
    before = contents(store)
    discard(store.place.parent, folder)
    other = EmbeddedStore(store.place.parent, folder, "another", CHUNK_TOKENS)
    assert contents(other) == ([], {}, {}, {}, {})
    assert finish(sync(folder, other, HashEmbedding())).added == ["a.txt"]
    assert contents(other) == before
    other.close()


def test_a_store_that_is_open_while_it_is_discarded_notices(store: EmbeddedStore, folder: Path) -> None:
    write(folder, a=LONG)
    finish(sync(folder, store, HashEmbedding()))
    before = contents(store)
    discard(store.place.parent, folder)
    store.refresh()
    assert contents(store) == ([], {}, {}, {}, {})
    assert finish(sync(folder, store, HashEmbedding())).added == ["a.txt"]
    assert contents(store) == before
    # What was written went into the files that the next process will open.
    rows = sqlite3.connect(store.place / "chroma" / "chroma.sqlite3")
    assert rows.execute("SELECT count(*) FROM embeddings").fetchone() == (len(before[2]),)
    rows.close()


def test_to_discard_what_was_never_made_is_nothing(stores: Path, folder: Path) -> None:
    discard(stores, folder)
    assert not stores.exists()


# -- the lexicon is derived -------------------------------------------------------------------


def test_a_lexicon_that_was_deleted_is_rebuilt_with_the_same_results(stores: Path, folder: Path) -> None:
    files = write(folder, a=LONG, b="Six sevens are forty-two.", c="Nothing of the kind.")
    store = EmbeddedStore(stores, folder, HashEmbedding.name, CHUNK_TOKENS)
    with store.writing():
        for file in files:
            put(store, file)
    queries = ["six seven", "fourteen", "kind", "nothing six"]
    before, found = contents(store), [store.lexicon.search(query, 10) for query in queries]
    store.close()
    for file in store.place.glob("lexicon*"):
        file.unlink()

    store = EmbeddedStore(stores, folder, HashEmbedding.name, CHUNK_TOKENS)
    with store.writing():
        assert contents(store)[:-1] == before[:-1]
        assert [store.lexicon.search(query, 10) for query in queries] == found
    # The vectors of sentences are in the lexicon alone: the next sync reads the sentences again, and nothing else.
    assert store.lexicon.unread(10)
    assert finish(sync(folder, store, HashEmbedding())).unchanged == ["a.txt", "b.txt", "c.txt"]
    assert contents(store) == before
    store.close()


def test_vectors_that_were_torn_are_made_anew_and_nothing_is_embedded_again(stores: Path, folder: Path) -> None:
    files = write(folder, a=LONG, b="Six sevens are forty-two.", c=LONG + " More.")
    store = EmbeddedStore(stores, folder, HashEmbedding.name, CHUNK_TOKENS)
    with store.writing():
        for file in files:
            put(store, file)
    before = contents(store)
    reader = EmbeddedStore(stores, folder, HashEmbedding.name, CHUNK_TOKENS)
    # As a writer leaves it that was killed while Chroma wrote over its files, with a document in hand.
    store.lexicon.announce([identify("d.txt")])
    (stores.parent / "documents" / "d.txt").write_text("Delta.")
    (store.place / "saving.json").write_text(json.dumps({"a/header.bin": [100, 0]}))
    store.close()

    store = EmbeddedStore(stores, folder, HashEmbedding.name, CHUNK_TOKENS)
    assert contents(store) == before
    assert store.check() == {"": "a sync was interrupted"}
    embedding = HashEmbedding()
    assert finish(sync(folder, store, embedding)).added == ["d.txt"]
    assert embedding.embedded == ["Delta."]
    assert store.check() == {}
    # Who had the old files open reads the new ones.
    reader.refresh()
    assert contents(reader) == contents(store)
    store.close()
    reader.close()


def test_vectors_are_searched_without_chroma_to_the_same_effect(store: EmbeddedStore, folder: Path) -> None:
    for file in write(folder, a=LONG, b="Six sevens are forty-two.", c=LONG + " More."):
        put(store, file)
    query = HashEmbedding().embed_query("six")
    near = store.lexicon.nearest(query, 100)
    assert list(near.values()) == sorted(near.values(), reverse=True)
    assert near == pytest.approx(store.nearest(query, 100), abs=1e-5)
    assert len(store.lexicon.nearest(query, 5)) == 5


def test_rows_that_belong_to_no_whole_version_are_removed_by_the_next_writer(
    store: EmbeddedStore, folder: Path
) -> None:
    first, second, third = write(folder, a=LONG, b=LONG + " More.", c="Gamma.")
    put(store, third)
    kept = contents(store)
    # As a writer leaves it that was killed: "a" without its first chunk, "b" without its last.
    for file, lost in ((first, 0), (second, -1)):
        store._delete([put(store, file)[lost].id])
        store.lexicon.announce([identify(file.name)])
    with store.writing():
        assert [record.path for record in store.lexicon.records()] == ["c.txt"]
        store.settle()
        assert contents(store) == kept
    assert store.lexicon.is_usable()


def test_the_old_version_counts_until_the_new_ones_first_row_stands(
    store: EmbeddedStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (file,) = write(folder, a=LONG)
    put(store, file)
    before, upsert, left = contents(store), store._upsert, [1]

    def die(*arguments: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        upsert(*arguments)

    file.write_text(LONG.replace("five", "5"))
    monkeypatch.setattr(store, "_upsert", die)
    with pytest.raises(KeyboardInterrupt):
        put(store, file)
    assert len(rows(store)) > len(before[2])
    with store.writing():
        store.settle()
        assert contents(store) == before


# -- two at once ------------------------------------------------------------------------------


def test_a_second_writer_waits_for_the_first(store: EmbeddedStore, folder: Path) -> None:
    order: list[str] = []
    entered = threading.Event()

    def second() -> None:
        other = EmbeddedStore(store.place.parent, folder, HashEmbedding.name, CHUNK_TOKENS)
        entered.set()
        with other.writing():
            order.append("second")
        other.close()

    thread = threading.Thread(target=second)
    with store.writing():
        thread.start()
        entered.wait(10)
        thread.join(0.3)
        order.append("first")
    thread.join(30)
    assert order == ["first", "second"]


def test_the_lock_is_let_go_where_a_writer_fails(store: EmbeddedStore) -> None:
    for _ in range(2):
        with pytest.raises(LookupError), store.writing():
            raise LookupError


def test_a_store_that_nobody_changed_is_not_opened_again(store: EmbeddedStore) -> None:
    rows = store._keeper.rows
    store.refresh()
    assert store._keeper.rows is rows


def fail_to_write(store: EmbeddedStore) -> None:
    with pytest.raises(StoreError, match="The disk is full"), store.writing():
        raise StoreError("The disk is full.")


def test_a_write_that_fails_takes_the_rows_from_no_search(store: EmbeddedStore, folder: Path) -> None:
    chunks = put(store, *write(folder, a=LONG))
    with ThreadPoolExecutor(1) as thread:
        with store._keeper.alone():
            failed = thread.submit(fail_to_write, store)
            wait([failed], timeout=0.3)
            with store._keeper.searching() as found:
                assert found.count() == len(chunks)
        failed.result()


def test_whoever_reads_rows_waits_while_they_are_made_anew(store: EmbeddedStore, folder: Path) -> None:
    chunks = put(store, *write(folder, a=LONG))
    with ThreadPoolExecutor(1) as thread:
        with store._keeper.alone(), store._keeper.making_anew() as found:
            reading = thread.submit(store.vectors, [chunk.id for chunk in chunks])
            wait([reading], timeout=0.3)
            assert fill_rows(found, store.lexicon)
        assert len(reading.result()) == len(chunks)


def test_a_search_that_cannot_note_what_it_opens_is_answered_from_the_lexicon(
    store: EmbeddedStore, stores: Path, folder: Path
) -> None:
    resource = pytest.importorskip("resource")
    put(store, *write(folder, a=LONG))
    store.lexicon.announce(["another"])  # so that nothing is opened before the search
    other = EmbeddedStore(stores, folder, HashEmbedding.name, CHUNK_TOKENS)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        found = other.nearest(HashEmbedding().embed_query("anything"), 3)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert len(found) == 3
    other.close()
