"""Attacks on the search: what a folder holds that makes a question fail, or makes it slow."""

from __future__ import annotations

import hashlib
import time
from pathlib import Path

from hashed import HashEmbedding, open_store
from test_sync import run_sync

from index.searching.retriever import retrieve
from index.splitting.outline import Outline
from index.splitting.splitter import split
from index.storing.store import SCHEMA_VERSION


def test_a_question_that_names_one_of_two_copies_is_answered(folder: Path, tmp_path: Path) -> None:
    """The copy that is not named shares no word with the question, and is not among the nearest."""
    for number in range(300):
        (folder / f"note {number}.txt").write_text(f"Sentence {number} says nothing.")
    for name in ("adobe", *(f"other {number}" for number in range(20))):
        (folder / f"{name}.txt").write_text("Revenue rose.")
    store, embedding = open_store(folder, tmp_path / "stores"), HashEmbedding()
    run_sync(folder, store)
    for query in ("adobe", "What of Adobe?", "adobe 7"):
        for text in map(str, range(20)):
            passages = retrieve(store, query, embedding.embed_query(text), 8)
            assert "adobe.txt" in [passage.path for passage in passages]
    store.close()


def test_a_word_of_a_script_of_many_letters_is_not_edited_for_long(folder: Path, tmp_path: Path) -> None:
    """Each of its letters stands near others of its own, so that there are some hundred thousand words an edit away."""
    (folder / "note.txt").write_text("A ferry crosses the sound.")
    store, embedding = open_store(folder, tmp_path / "stores"), HashEmbedding()
    run_sync(folder, store)
    words = ["".join(chr(0xA000 + (37 * i + 33 * j) % 1000) for j in range(39)) for i in range(4)]
    vector = embedding.embed_query("")
    started = time.process_time()
    retrieve(store, "the " + " ".join(words), vector, 8)
    assert time.process_time() - started < 0.1
    store.close()


def test_phrases_in_quotation_marks_are_looked_for_a_few_times_at_most(folder: Path, tmp_path: Path) -> None:
    for number in range(50):
        (folder / f"note {number}.txt").write_text("\n\n".join(["The height of the bridge of the town."] * 100))
    store, embedding = open_store(folder, tmp_path / "stores"), HashEmbedding()
    run_sync(folder, store)
    vector = embedding.embed_query("")
    retrieve(store, '"the height"', vector, 8)
    started = time.process_time()
    retrieve(store, '"the height"', vector, 8)
    once = time.process_time() - started
    started = time.process_time()
    retrieve(store, '"the height" ' * 500, vector, 8)
    assert time.process_time() - started < 20 * max(once, 0.02)
    store.close()


def test_a_store_is_made_anew_where_the_rules_have_changed_that_documents_are_split_by() -> None:
    """Whoever changes one of these rules counts `SCHEMA_VERSION` of the store up, and writes the new digest here."""
    text = "Some words come first.\n\n" * 3 + "".join(f"# Head {i}\n\nA sentence of it, {i}.\n\n" for i in range(30))
    spans = split(Outline(text), lambda texts: [len(text.split()) for text in texts], 40)
    digest = hashlib.sha256(repr(spans).encode()).hexdigest()[:12]
    assert (SCHEMA_VERSION, digest) == (8, "4167fc9cb401")
