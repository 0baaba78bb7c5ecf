from __future__ import annotations

from collections.abc import Iterator
from math import log, sqrt
from pathlib import Path

import numpy as np
import pytest
from hashed import rows
from hypothesis import given
from hypothesis import strategies as st

from index.documents import Chunk, Passage
from index.embedding.protocol import Embedding
from index.library import finish
from index.searching.retriever import (
    MOST_STANDOUT,
    USUAL_STANDOUT,
    WEIGHTS,
    combine,
    retrieve,
    to_passage,
    weigh_meaning,
)
from index.splitting.sentences import Sentence, find_sentences
from index.storing.embedded import EmbeddedStore
from index.storing.postings import Coverage
from index.storing.records import Record
from index.sync import sync

# -- two scores become one --------------------------------------------------------------------

NUMBERS = st.integers(1, 8)
SCORES = st.dictionaries(NUMBERS, st.floats(-1, 50), max_size=8)
SHARE = st.floats(0, 1)
COVERAGE = st.dictionaries(NUMBERS, st.builds(Coverage, SHARE, SHARE), max_size=8)
NAMED = st.dictionaries(NUMBERS, SHARE, max_size=8)
MEANING = st.floats(0, 1.5)


@given(MEANING, SCORES, SCORES, SCORES, NAMED, COVERAGE)
def test_every_chunk_that_was_found_has_a_score_from_0_to_1(
    meaning: float,
    dense: dict[int, float],
    sentences: dict[int, float],
    lexical: dict[int, float],
    named: dict[int, float],
    coverage: dict[int, Coverage],
) -> None:
    scores = combine(meaning, dense, sentences, lexical, named, coverage)
    assert scores.keys() == {*dense, *lexical}
    assert all(0 <= score <= 1 + 1e-9 for score in scores.values())


@given(MEANING, SCORES, SCORES, SCORES, NAMED, COVERAGE)
def test_a_chunk_that_is_no_worse_in_any_score_is_no_worse_in_the_end(
    meaning: float,
    dense: dict[int, float],
    sentences: dict[int, float],
    lexical: dict[int, float],
    named: dict[int, float],
    coverage: dict[int, Coverage],
) -> None:
    scores = combine(meaning, dense, sentences, lexical, named, coverage)
    every = (
        dense,
        sentences,
        lexical,
        named,
        *({i: shares[part] for i, shares in coverage.items()} for part in (0, 1)),
    )
    for one in scores:
        for other in scores:
            if all(one in found and found[one] >= found.get(other, found[one]) for found in every):
                assert scores[one] >= scores[other] - 1e-9


@given(SCORES.filter(bool), st.integers(1, 100), st.integers(-10, 10))
def test_the_scale_of_a_search_does_not_matter(lexical: dict[int, float], factor: int, shift: int) -> None:
    dense = {1: 0.9, 2: 0.5, 3: 0.1}
    coverage = dict.fromkeys(range(1, 9), Coverage(0.5, 0.5))
    scaled = {number: score * factor + shift for number, score in lexical.items()}
    expected = combine(1.0, dense, dense, lexical, {}, coverage)
    if len({*scaled.values()}) == len({*lexical.values()}):
        assert combine(1.0, dense, dense, scaled, {}, coverage) == pytest.approx(expected, abs=1e-3)


def test_the_best_of_all_has_1_and_each_score_its_share() -> None:
    dense = {1: 0.8, 2: 0.4, 3: 0.2}
    none = Coverage(0.0, 0.0)
    coverage, named = {1: Coverage(1.0, 1.0), 2: none, 3: none, 4: Coverage(0.5, 1.0)}, {1: 1.0, 4: 0.25}
    assert sum(WEIGHTS) == pytest.approx(1)
    assert combine(1.0, dense, dense, {1: 12.0, 4: 9.0, 2: 2.0}, named, coverage) == pytest.approx(
        {
            1: 1.0,
            2: (WEIGHTS.dense + WEIGHTS.sentence) / 3,
            3: 0.0,
            4: WEIGHTS.lexical * 0.7 + WEIGHTS.line * 0.5 + WEIGHTS.chunk + WEIGHTS.name * 0.25,
        }
    )


def test_a_search_that_found_nothing_takes_nothing_away() -> None:
    none = Coverage(0.0, 0.0)
    assert combine(1.0, {}, {}, {}, {}, {}) == {}
    assert combine(1.0, {1: 0.3}, {}, {}, {}, {1: none}) == pytest.approx({1: WEIGHTS.dense / (1 - WEIGHTS.name)})
    assert combine(1.0, {}, {}, {1: 3.0, 2: 1.0}, {}, {1: none}) == pytest.approx(
        {1: WEIGHTS.lexical / (1 - WEIGHTS.name), 2: 0.0}
    )


def test_where_meaning_says_nothing_words_alone_decide() -> None:
    dense, best = {2: 0.9, 3: 0.8}, Coverage(1.0, 1.0)
    assert combine(0.0, dense, dense, {1: 3.0, 2: 1.0}, {1: 1.0}, {1: best}) == pytest.approx({1: 1, 2: 0, 3: 0})


@given(st.integers(40, 10_000_000), st.floats(-0.5, 0.8), st.floats(0.001, 0.3), st.floats(0.001, 1000))
def test_meaning_counts_as_far_as_the_nearest_stands_out_whatever_the_scale(
    chunks: int, mean: float, spread: float, scale: float
) -> None:
    sample = np.random.default_rng(0).normal(mean, spread, 256)
    expected = sqrt(2 * log(chunks))

    def weigh(deviations: float, factor: float = 1.0) -> float:
        nearest = sample.mean() + deviations * expected * sample.std()
        return weigh_meaning({1: nearest * factor, 2: -1.0 * factor}, sample * factor, chunks)

    assert weigh(0.5) == 0  # no nearer than chance
    assert weigh(USUAL_STANDOUT) == pytest.approx(1, abs=1e-3)
    assert weigh(0.8) < weigh(1.1) < weigh(1.4)
    assert weigh(9) == weigh(MOST_STANDOUT + 0.1)
    assert weigh(1.2, scale) == pytest.approx(weigh(1.2), abs=1e-3)


def test_of_a_small_folder_nothing_is_said_of_how_far_a_chunk_stands_out() -> None:
    assert weigh_meaning({1: 0.5}, np.array([0.1, 0.5, 0.2]), 3) == 1
    assert weigh_meaning({}, np.zeros(0), 0) == 1
    assert weigh_meaning({1: 0.5}, np.full(50, 0.5), 50) == 1


# -- a chunk becomes a passage ----------------------------------------------------------------


def test_a_passages_sentences_and_page_are_those_of_the_document() -> None:
    record = Record("id", "a.txt", "The tour", "2025-05-13", (0, 50, 100), "c" * 64, 1, 1, 2)
    text = "# Title\n\nIt rained. We left."
    passage = to_passage(Chunk("id:60", "id", 60, 60 + len(text), text, tuple(find_sentences(text))), record, 0.5)
    assert passage == Passage(
        *("id", "a.txt", "The tour", "2025-05-13", 60, 60 + len(text), text, 0.5),
        (Sentence(62, 67, "heading", 10), Sentence(69, 79), Sentence(80, 88)),
        page=2,
    )
    assert [passage.words_of(sentence) for sentence in passage.sentences] == ["Title", "It rained.", "We left."]


# -- a query becomes passages -----------------------------------------------------------------

DOCUMENTS = {
    "tour.md": "# The tour\n\n2025-05-13\n\nThe president flew to Riyadh, Doha and Abu Dhabi. He skipped Israel, "
    "because the trip was about trade.\n\nThe contracts are worth 142.7 billion dollars, he said.\n",
    "bridge.txt": "The bridge over the Aare is closed until autumn. Its bearings were found to be cracked. "
    "Order number KX-9031 went to a workshop in Thun.\r\n\r\nPedestrians may still cross.\r\n",
    "bakery.txt": "Our sourdough needs two days. On the first evening the dough is mixed and left in the cold. "
    "Mrs. Wojciechowska bakes it at dawn.",
    "chinese.md": "# 机器学习\n\n机器学习是人工智能的一个分支。深度学习使用神经网络。\n",
    "french.txt": "Où se trouve la bibliothèque municipale ? Elle est fermée le lundi, dit Hélène.",
    "long.txt": "\n\n".join(
        f"Paragraph {number} speaks of the harbour and its {number * 37} boats." for number in range(60)
    ),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory, embedding: Embedding) -> Iterator[EmbeddedStore]:
    folder = tmp_path_factory.mktemp("retriever") / "documents"
    folder.mkdir()
    for name, text in DOCUMENTS.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    store = EmbeddedStore(folder.parent / "stores", folder, embedding.name, 60)
    finish(sync(folder, store, embedding))
    yield store
    store.close()


def ask(store: EmbeddedStore, embedding: Embedding, query: str, count: int = 8) -> list[Passage]:
    return retrieve(store, query, embedding.embed_query(query), count)


@pytest.mark.parametrize(
    ("query", "path", "words"),
    [
        ("why was Israel skipped?", "tour.md", "skipped Israel"),
        ("142.7", "tour.md", "142.7 billion"),
        ("KX-9031", "bridge.txt", "KX-9031"),
        ("kx 9031", "bridge.txt", "KX-9031"),
        ("Wojciechowska", "bakery.txt", "Wojciechowska"),
        ("How long does it take to make the bread?", "bakery.txt", "two days"),
        ("which river crossing is shut?", "bridge.txt", "closed until autumn"),
        ("神经网络", "chinese.md", "神经网络"),
        ("bibliotheque", "french.txt", "bibliothèque"),
        ("HÉLÈNE", "french.txt", "Hélène"),
        ("paragraph 41", "long.txt", "Paragraph 41 "),
        ("1517 boats", "long.txt", "1517 boats"),
    ],
)
def test_numbers_names_words_and_meanings_are_found_first(
    store: EmbeddedStore, embedding: Embedding, query: str, path: str, words: str
) -> None:
    best = ask(store, embedding, query)[0]
    assert best.path == path
    assert words in best.text


@pytest.mark.parametrize("marks", ['""', "“”", "«»", "„“"])
def test_a_phrase_in_quotation_marks_is_found_first_word_by_word(
    tmp_path: Path, folder: Path, embedding: Embedding, marks: str
) -> None:
    words = ["the", "red", "boat", "of", "the", "north", "sank"]
    for number in range(150):  # more than either search finds
        words = [words[-1], *words[:-1]] if number % 7 else words
        (folder / f"{number}.txt").write_text(f"{' '.join(words[::-1])}. Note {number}.")
    (folder / "exact.txt").write_text("Long ago, one winter, as was said, the Red Boats of the North sank, or so.")
    store = EmbeddedStore(tmp_path / "stores", folder, embedding.name, 60)
    finish(sync(folder, store, embedding))
    passages = ask(store, embedding, f"What is known of {marks[0]}the red boat of the north{marks[1]}?", 5)
    assert passages[0].path == "exact.txt"
    assert len({passage.path for passage in passages}) == 5
    scores = [passage.score for passage in passages]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] <= 1
    assert ask(store, embedding, f"{marks[0]}of red the north{marks[1]}", 5)[0].path != "exact.txt"
    store.close()


def test_the_best_comes_first_and_no_more_come_than_asked_for(store: EmbeddedStore, embedding: Embedding) -> None:
    for count in (1, 3, 8, 50):
        passages = ask(store, embedding, "the harbour and the bridge", count)
        assert len(passages) == min(count, len(rows(store)))
        scores = [passage.score for passage in passages]
        assert scores == sorted(scores, reverse=True)
        assert len({(passage.path, passage.start) for passage in passages}) == len(passages)


def test_fewer_passages_of_a_query_are_the_first_of_more(store: EmbeddedStore, embedding: Embedding) -> None:
    query = "boats and bread"
    assert ask(store, embedding, query, 3) == ask(store, embedding, query, 10)[:3]


@pytest.mark.parametrize("query", ["why was Israel skipped?", "boats", "fermée", "机器学习"])
def test_every_offset_points_into_the_file_itself(store: EmbeddedStore, embedding: Embedding, query: str) -> None:
    for passage in ask(store, embedding, query, 50):
        text = DOCUMENTS[passage.path]
        assert store.text_of(passage.document_id) == text
        assert text[passage.start : passage.end] == passage.text
        assert passage.sentences
        for sentence in passage.sentences:
            assert passage.start <= sentence.start < sentence.end <= passage.end
            assert text[sentence.start : sentence.end] == passage.words_of(sentence)


def test_the_sentences_of_the_passages_are_those_of_the_document(store: EmbeddedStore, embedding: Embedding) -> None:
    found = {
        (passage.path, sentence.start, sentence.end)
        for passage in ask(store, embedding, "the president flew to Riyadh", 100)
        for sentence in passage.sentences
    }
    for path in ("tour.md", "bridge.txt", "bakery.txt"):
        expected = {(path, s.start, s.end) for s in find_sentences(DOCUMENTS[path])}
        assert {place for place in found if place[0] == path} == expected


def test_title_and_date_come_with_a_passage(store: EmbeddedStore, embedding: Embedding) -> None:
    best = ask(store, embedding, "why was Israel skipped?")[0]
    assert (best.title, best.date, best.page) == ("The tour", "2025-05-13", None)


def test_the_same_query_has_the_same_passages(store: EmbeddedStore, embedding: Embedding) -> None:
    assert ask(store, embedding, "boats", 20) == ask(store, embedding, "boats", 20)


@pytest.mark.parametrize("query", ["?", "the", '"unclosed', "x" * 5000, "NOT (a OR *)"])
def test_no_query_breaks_the_search(store: EmbeddedStore, embedding: Embedding, query: str) -> None:
    assert len(ask(store, embedding, query, 5)) == 5


def test_an_empty_store_has_no_passages(tmp_path: Path, folder: Path, embedding: Embedding) -> None:
    store = EmbeddedStore(tmp_path / "stores", folder, embedding.name, 60)
    with store.writing():
        pass
    assert ask(store, embedding, "anything") == []
    store.close()


def test_a_version_that_a_sync_has_not_made_visible_yet_is_not_found(
    tmp_path: Path, folder: Path, embedding: Embedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "a.txt").write_text("The bridge is closed.")
    store = EmbeddedStore(tmp_path / "stores", folder, embedding.name, 60)
    finish(sync(folder, store, embedding))
    seen: list[list[str]] = []

    def look(*arguments: object) -> None:
        # Chroma has the new document's rows, the lexicon does not.
        assert len(rows(store)) == 2
        seen.append([passage.path for passage in ask(store, embedding, "the bridge is closed")])

    monkeypatch.setattr(store.lexicon, "put", look)
    (folder / "b.txt").write_text("The bridge is closed, we hear.")
    finish(sync(folder, store, embedding))
    assert seen == [["a.txt"]]
    store.close()
