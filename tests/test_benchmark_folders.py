"""The retrieval benchmark over folders with evidence: what is held, how it counts, what it writes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.serving.evaluating.cases import Evidence
from benchmarks.folders import (
    BUDGET,
    LONG_RUN,
    MEASURES,
    RUN,
    choose,
    find_runs,
    is_folder,
    is_held,
    load_folder,
    measure,
    score,
    search,
    squeeze,
)
from benchmarks.systems import Found
from index.embedding.protocol import Embedding
from index.errors import InputError

GUIDE = """# Travel

## Flights

Team members [book](https://example.com/a/very/long/address/that/parts/words) flights at least 14 days in advance.

## Offices

| Town | Rooms |
|---|---|
| Oslo | 12 |
| Turin | 30 |
"""
PLANTS = "Ferns want shade and water twice a week. Cacti want sun."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "house"
    (place / "docs" / "rules").mkdir(parents=True)
    (place / "docs" / "rules" / "guide.md").write_text(GUIDE)
    (place / "docs" / "plants.txt").write_text(PLANTS)
    rows = [
        {
            "question": "How early are flights booked?",
            "evidence": [{"text": "Team members book flights at least 14 days in advance"}],
        },
        {"question": "How many rooms has Turin?", "evidence": [{"text": "| Turin | 30 |", "path": "rules/guide.md"}]},
        {
            "question": "And the shade?",
            "history": [["What do ferns want?", ""]],
            "evidence": ["Ferns want shade", {"text": "No text says so, however long one looks"}],
        },
        {"question": "Who is the king?", "answerable": False},
    ]
    (place / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return place


def test_only_questions_with_evidence_are_asked(folder: Path) -> None:
    assert is_folder(folder)
    assert not is_folder(folder / "docs")
    loaded = load_folder(folder)
    assert (loaded.name, len(loaded.cases)) == ("house", 3)
    assert choose(loaded, 2) == choose(loaded, 2)
    assert len(choose(loaded, 2).cases) == 2
    assert choose(loaded, 3) is loaded
    (folder / "questions.jsonl").write_text('{"question": "Who is the king?"}\n')
    with pytest.raises(InputError, match="no question with evidence"):
        load_folder(folder)


def test_marks_links_and_white_space_part_nothing() -> None:
    shown = squeeze(GUIDE)
    for evidence in (
        "Team members book flights\nat least 14\u00a0days in advance!",
        "TEAM MEMBERS BOOK",
        "Town Rooms Oslo 12",
        "| Turin  |  30 |",
    ):
        assert is_held(squeeze(evidence), shown), evidence
    for evidence in ("14 days in advance are enough for anyone who flies", "Turin 31", "king"):
        assert not is_held(squeeze(evidence), shown), evidence


def test_half_is_held_though_a_word_is_left_out() -> None:
    shown = squeeze("Members who fly should book their flight fourteen days in advance, or else ask.")
    assert is_held(squeeze("should book their flight 14 days in advance, or else ask"), shown)
    assert not is_held(squeeze("should book their flight 14 days before they go, since all else costs more"), shown)


def test_a_short_evidence_is_held_whole_or_not() -> None:
    assert is_held("turin30", "turin30")
    assert not is_held("turin30", "turin3")
    assert not is_held("a" * (RUN - 1), "a" * (RUN - 2))


def test_a_passage_holds_a_page_by_a_run_and_not_by_scraps() -> None:
    page = "".join(f"row{number:03}is{number * number:06}" for number in range(300))
    assert is_held(page, f"before{page[1000 : 1000 + LONG_RUN]}after")
    assert not is_held(page, f"before{page[1000 : 999 + LONG_RUN]}-after")
    scraps = "/".join(page[start : start + 60] for start in range(0, 600, 100))
    assert sum(find_runs(page, scraps)) >= LONG_RUN
    assert not is_held(page, scraps)


@given(st.text("ab", max_size=80), st.text("ab", max_size=80), st.text("ab", min_size=1, max_size=80))
def test_a_text_that_holds_all_shows_all(before: str, after: str, wanted: str) -> None:
    assert find_runs(wanted, before + wanted + after) == [len(wanted)]


@given(st.text("ab", max_size=100), st.text("ab", max_size=100))
def test_never_more_is_shown_than_there_is(wanted: str, text: str) -> None:
    runs = find_runs(wanted, text)
    assert sum(runs) <= len(wanted)
    assert all(run >= min(RUN, len(wanted)) for run in runs)


def test_measures_by_hand() -> None:
    evidences = [Evidence("Ferns want shade"), Evidence("Turin 30", "guide.md"), Evidence("Cacti want sun")]
    holders = [{"plants.txt"}, {"guide.md"}, {"plants.txt", "copy.txt"}]

    def figures(*found: Found) -> list[float]:
        return list(score(evidences, holders, found, found[:1]).values())

    ferns, turin = Found("plants.txt", "Ferns want shade."), Found("guide.md", "| Turin | 30 |")
    # hit, recall, document, hit within the budget
    assert figures(ferns, turin) == [1, pytest.approx(2 / 3), 1, 1]
    assert figures(Found("copy.txt", "Nothing"), ferns) == [1, pytest.approx(1 / 3), 1, 0]
    assert figures(Found("other.md", "| Turin | 30 |")) == [0, 0, 0, 0]
    assert figures(Found("guide.md/inner.txt", "| Turin | 30 |")) == [1, pytest.approx(1 / 3), 1, 1]
    assert figures() == [0, 0, 0, 0]


def test_the_ranking_is_cut_where_the_budget_is_spent() -> None:
    passages = [Found(str(number), str(number) * 900) for number in range(10)]
    counts = []

    def find(query: str, vector: object, count: int) -> list[Found]:
        counts.append(count)
        return passages[:count] if count < 10 else passages[::-1]

    found, filled = search(find, "", np.zeros(1), 8)
    assert (found, counts) == (passages[:8], [8])
    assert [passage.document for passage in filled] == ["0", "1", "2", "3", "4"]
    assert sum(len(passage.text) for passage in filled) == BUDGET
    # Where a few passages leave room, others stand behind them.
    found, filled = search(find, "", np.zeros(1), 2)
    assert found == passages[:2]
    assert [passage.document for passage in filled] == ["0", "1", "9", "8", "7"]
    assert search(lambda query, vector, count: [], "", np.zeros(1), 8) == ([], [])


def test_figures_of_product_and_peers(
    folder: Path, tmp_path: Path, embedding: Embedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "langchain_chroma", None)
    kept = tmp_path / "kept"
    result = measure(load_folder(folder), tmp_path, ("product", "lexical", "llama-index", "LangChain"), kept)
    assert [result[count] for count in ("documents", "questions", "evidences", "evidences_in_the_texts")] == [
        2,
        3,
        4,
        3,
    ]
    assert list(result["systems"]) == ["product", "lexical", "llama-index"]
    assert list(result["missing"]) == ["LangChain"]
    product = result["systems"]["product"]
    assert [product[name] for name in MEASURES] == [1.0, pytest.approx(5 / 6), 1.0, 1.0]
    assert product["hit_interval"] == [1.0, 1.0]
    assert result["missed"]["product"] == []
    assert result["systems"]["llama-index"]["hit"] == 1.0
    assert list(kept.glob("stores/*"))


def test_command_prints_a_table_and_writes_json(folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.retrieval", "--only", "lexical,product", "--data", str(folder)]
    done = subprocess.run(
        [*command, "--json", str(tmp_path / "result.json")], capture_output=True, text=True, check=True
    )
    assert "house: 3 questions, 4 evidences, 2 documents" in done.stdout
    assert "| system | hit | recall | document | hit in 4,000 characters |\n|---|" in done.stdout
    assert "The product's 95 % intervals: hit 1.000 to 1.000, recall" in done.stdout
    assert json.loads((tmp_path / "result.json").read_text())["systems"].keys() == {"product", "lexical"}
