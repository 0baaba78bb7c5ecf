"""What is answered from only some documents is searched in those alone, chosen by path, folder or pattern."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant import answer
from index.documents import identify
from index.embedding.protocol import Embedding
from index.errors import InputError
from index.library import Library, finish, open_library
from index.searching.selection import (
    LONGEST_PATTERN_CHARACTERS,
    MOST_PATTERNS,
    find_fitting,
    name_some,
    read_patterns,
    select,
)
from index.settings import Settings

PATHS = ["rates.md", "2023/rates.md", "2023/q1/costs.csv", "2023/q1/costs [old].csv", "20230/plan.txt", "café.md"]
FITTING = {
    "rates.md": ["rates.md"],
    "./rates.md": ["rates.md"],
    "2023\\q1\\costs.csv": ["2023/q1/costs.csv"],
    ".\\2023\\": ["2023/rates.md", "2023/q1/costs.csv", "2023/q1/costs [old].csv"],
    "2023": ["2023/rates.md", "2023/q1/costs.csv", "2023/q1/costs [old].csv"],
    "2023/": ["2023/rates.md", "2023/q1/costs.csv", "2023/q1/costs [old].csv"],
    "2023/q1": ["2023/q1/costs.csv", "2023/q1/costs [old].csv"],
    "*.md": ["rates.md", "2023/rates.md", "café.md"],
    "2023/*.csv": ["2023/q1/costs.csv", "2023/q1/costs [old].csv"],
    "2023/q1/costs [old].csv": ["2023/q1/costs [old].csv"],
    "2023?": [],
    "2023?/*": ["20230/plan.txt"],
    "cafe\u0301.md": ["café.md"],
    "RATES.MD": [],
    "ates.md": [],
    "*": PATHS,
}


@pytest.mark.parametrize(("pattern", "fitting"), FITTING.items())
def test_a_pattern_fits_a_file_a_folder_or_what_looks_like_it(pattern: str, fitting: list[str]) -> None:
    assert find_fitting([pattern], PATHS) == fitting


def test_several_patterns_fit_what_any_of_them_fits_each_path_once() -> None:
    assert select(["*.csv", "rates.md", "2023/q1"], PATHS, {}) == [PATHS[0], PATHS[2], PATHS[3]]
    assert find_fitting([], PATHS) == PATHS


@pytest.mark.parametrize("stars", ["*a" * 200 + "b", "*" * 900, "[a-z]*" * 150, "[" * 900, "?" * 900])
def test_no_pattern_takes_long(stars: str) -> None:
    started = time.process_time()
    find_fitting([stars], ["a" * 4000] * 20)
    assert time.process_time() - started < 2


@given(st.text(min_size=1, max_size=30), st.lists(st.text(max_size=30), max_size=5))
def test_any_pattern_gives_some_of_the_paths_or_a_sentence(pattern: str, paths: list[str]) -> None:
    try:
        chosen = select(read_patterns([pattern]), paths, {})
    except InputError as error:
        assert str(error)
    else:
        assert chosen and set(chosen) <= set(paths)


BAD: list[object] = [
    7,
    None,
    {"a": 1},
    [7],
    [""],
    ["/"],
    ["."],
    ["a" * (LONGEST_PATTERN_CHARACTERS + 1)],
    ["a"] * 101,
    b"a",
]


@pytest.mark.parametrize("only", BAD, ids=lambda value: str(value)[:20])
def test_what_is_no_pattern_is_refused(only: object) -> None:
    assert MOST_PATTERNS == 100
    with pytest.raises(InputError, match=r"path"):
        read_patterns(only)


def test_one_pattern_may_be_given_by_itself() -> None:
    assert read_patterns("*.md") == ("*.md",)


def test_a_pattern_that_fits_none_says_what_there_is() -> None:
    with pytest.raises(InputError) as error:
        select(["rates.md", "*.pdf"], PATHS, {})
    assert str(error.value) == (
        "No document fits '*.pdf': there are rates.md, 2023/rates.md, 2023/q1/costs.csv and 3 more. footnote "
        "documents lists them."
    )
    with pytest.raises(InputError, match=r"^scan.pdf cannot be answered from: it holds only pictures$"):
        select(["*.pdf"], PATHS, {"scan.pdf": "it holds only pictures"})


def test_the_first_few_are_named() -> None:
    assert name_some(["a"]) == "a"
    assert name_some(["a", "b"]) == "a and b"
    assert name_some(["a", "b", "c"]) == "a, b and c"
    assert name_some([*"abcde"]) == "a, b, c and 2 more"
    assert name_some(["x" * 70 + ".txt"]) == f"…{'x' * 56}.txt"


# -- the search -------------------------------------------------------------------------------

TEXTS = {
    f"many/{number:03}.txt": f"The ferry to Brenholm leaves at {number % 24}:00 from pier {number}."
    for number in range(150)
}
TEXTS |= {
    "rates/2022.md": "# Rates\n\nA berth costs 310 crowns a night.\n",
    "rates/2023.md": "# Rates\n\nA berth costs 340 crowns a night.\n",
    "rates/copy of 2023.md": "# Rates\n\nA berth costs 340 crowns a night.\n",
    "letter.txt": "The harbour master wrote that a ferry is no berth.\n",
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, embedding: Embedding) -> Iterator[Library]:
    root = tmp_path_factory.mktemp("selection")
    for path, text in TEXTS.items():
        (root / "documents" / path).parent.mkdir(parents=True, exist_ok=True)
        (root / "documents" / path).write_text(text, encoding="utf-8")
    settings = Settings.from_environment({"FOOTNOTE_STORE": str(root / "stores")})
    library = finish(open_library(root / "documents", settings))
    finish(library.sync())
    yield library
    library.store.close()


QUERIES = [
    "When does the ferry to Brenholm leave?",
    "What does a berth cost?",
    '"ferry is no berth"',
    "zzz",
    "xylophone",
]


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize("path", ["letter.txt", "rates/2023.md", "many/077.txt", "rates/copy of 2023.md"])
def test_only_the_documents_chosen_are_found_however_good_others_are(library: Library, query: str, path: str) -> None:
    found = replace(library, documents=(identify(path),)).retrieve(query, 8)
    assert [passage.path for passage in found] == [path]


def test_what_is_found_is_what_would_be_found_among_all(library: Library) -> None:
    chosen = [identify(f"many/{number:03}.txt") for number in range(0, 150, 3)]
    everything = library.retrieve(QUERIES[0], 1000)
    assert {p.document_id for p in replace(library, documents=tuple(chosen)).retrieve(QUERIES[0], 1000)} == set(chosen)
    assert {p.document_id for p in everything} > set(chosen)


def test_the_vectors_of_chosen_documents_are_all_looked_at(library: Library) -> None:
    chosen = [identify("rates/2022.md"), identify("many/149.txt")]
    vector = library.embedding.embed_query(QUERIES[0])
    nearest = library.store.nearest(vector, 100, chosen)
    everything = library.store.lexicon.nearest(vector, 1000)
    assert nearest == pytest.approx({i: cosine for i, cosine in everything.items() if i in nearest}, abs=1e-5)
    numbers = library.store.lexicon.numbers_of(chosen)
    assert {*library.store.lexicon.numbers(nearest).values()} == {*numbers}
    assert np.all(np.diff([*nearest.values()]) <= 0)


def test_an_answer_is_made_from_the_paths_alone(library: Library) -> None:
    folder, settings = library.folder, library.settings
    for only, quote in (("rates/2022.md", "310"), (["rates/2023*"], "340")):
        result = answer("What does a berth cost?", folder, only=only, settings=settings)
        assert quote in result.text
        assert {passage.path[:10] for passage in result.passages} == {"rates/2022" if quote == "310" else "rates/2023"}
    assert not answer("What does a berth cost?", folder, only=["many"], settings=settings).found
    with pytest.raises(InputError, match=r"^No document fits 'rates/2024.md': there are letter.txt, many/000.txt, "):
        answer("What does a berth cost?", folder, only=["rates/2024.md"], settings=settings)


def test_a_comparison_is_made_from_the_paths_alone(library: Library) -> None:
    question = "Is the berth of 2022 cheaper than the berth of 2023?"
    result = answer(question, library.folder, only=["rates/2022.md"], settings=library.settings)
    assert {passage.path for passage in result.passages} == {"rates/2022.md"}


def test_no_documents_hold_nothing(library: Library) -> None:
    vector = library.embedding.embed_query("berth")
    assert library.store.lexicon.nearest(vector, 5, []) == {}
    assert replace(library, documents=()).retrieve("berth", 5) == []
