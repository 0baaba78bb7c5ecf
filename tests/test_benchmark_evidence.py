from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.evidence import (
    BUDGETS,
    PEERS,
    check,
    fill,
    load,
    main_of_folder,
    measure,
    score,
    split_as_langchain,
    split_as_llama_index,
)
from index.embedding.protocol import Embedding
from index.errors import InputError

FILLING = "Nothing of note happened on that day, and nobody wrote of it.\r\n\r\n"
ANSWER = "Trump skipped Israel because of the Gulf — “économie”."
TOUR = f"# The tour\r\n\r\n{FILLING * 60}{ANSWER} {FILLING * 60}"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    place = tmp_path / "set"
    place.mkdir()
    (place / "tour.md").write_bytes(TOUR.encode())
    (place / "cats.md").write_bytes(b"\n# Cats\n\nCats sleep all day.\n")
    start = TOUR.index(ANSWER)
    rows = [
        ("Why was Israel skipped?", "tour", [{"text": ANSWER, "start": start, "end": start + len(ANSWER)}]),
        ("Who sleeps all day?", "cats", [{"text": "Cats sleep", "start": 9, "end": 19}]),
    ]
    lines = [json.dumps(dict(zip(("question", "corpus", "references"), row, strict=True))) for row in rows]
    (place / "questions.jsonl").write_text("\n".join(lines), encoding="utf-8")
    return place


def test_corpora_and_questions_are_read_as_they_are(data: Path) -> None:
    corpora, questions = load(data)
    assert corpora["tour"] == TOUR
    assert [corpora[corpus][start:end] for q in questions for corpus, start, end in q.references] == [
        ANSWER,
        "Cats sleep",
    ]


def test_what_does_not_fit_together_is_refused(data: Path, tmp_path: Path) -> None:
    (data / "cats.md").write_bytes(b"# Cats\n\nCats sleep all day.\n")
    with pytest.raises(InputError, match="'Cats sleep' does not stand where it should"):
        load(data)
    (data / "cats.md").unlink()
    with pytest.raises(InputError, match="cats"):
        load(data)
    with pytest.raises(InputError, match=r"questions\.jsonl"):
        load(tmp_path)
    with pytest.raises(RuntimeError, match=r"tour\[0:3\] is 'abc', not 'bcd'"):
        check({"tour": "abcdef"}, ("tour", 0, 3), "bcd")


def test_a_budget_is_filled_and_the_last_span_cut() -> None:
    spans = [("a", 0, 10), ("b", 5, 10), ("a", 20, 30)]
    assert fill(spans, 12) == [("a", 0, 10), ("b", 5, 7)]
    assert fill(spans, 10) == [("a", 0, 10)]
    assert fill(spans, 100) == spans
    assert fill([], 100) == fill(spans, 0) == []


def test_measures_by_hand() -> None:
    references = [("a", 10, 20), ("a", 30, 40)]
    assert score([("a", 5, 15), ("b", 10, 20)], references) == {
        "recall": 5 / 20,
        "precision": 5 / 20,
        "iou": 5 / 35,
        "all": 0.0,
    }
    # Overlapping chunks: what is sent twice counts twice as sent, and once as found.
    assert score([("a", 0, 40), ("a", 30, 50)], references) == {
        "recall": 1.0,
        "precision": 20 / 60,
        "iou": 20 / 60,
        "all": 1.0,
    }
    assert set(score([], references).values()) == {0.0}
    assert set(score(references, references).values()) == {1.0}


@pytest.mark.parametrize("split", [split_as_llama_index, split_as_langchain])
def test_chunks_of_peers_are_where_they_say(split: object) -> None:
    pytest.importorskip("langchain_text_splitters")
    chunks = list(split(TOUR))  # type: ignore[operator]
    assert len(chunks) > 1
    assert all(TOUR[start:end] == text for start, end, text in chunks)
    assert any(ANSWER in text for _, _, text in chunks)


def test_figures_of_product_and_peers(
    data: Path, tmp_path: Path, embedding: Embedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "langchain_text_splitters", None)
    systems, missing = measure(*load(data), tmp_path, PEERS)
    assert list(systems) == ["product", "dense", "lexical", "llama-index"]
    assert list(missing) == ["LangChain"]
    assert missing["LangChain"].startswith("not installed")
    measures = {f"{measure}@{budget}" for measure in ("recall", "precision", "iou", "all") for budget in BUDGETS}
    for figures in systems.values():
        assert figures.keys() == measures
        assert all(0 <= figure <= 1 for figure in figures.values())
    assert systems["product"]["all@2000"] == systems["product"]["recall@2000"] == 1.0
    assert 0 < systems["product"]["precision@2000"] == pytest.approx(systems["product"]["iou@2000"])


def test_langchain_is_measured_too(data: Path, tmp_path: Path, embedding: Embedding) -> None:
    pytest.importorskip("langchain_chroma")
    corpora, questions = load(data)
    systems, missing = measure(corpora, questions, tmp_path, ["LangChain"])
    assert not missing
    assert systems["LangChain"]["all@8000"] == 1.0


def test_the_evidence_of_a_folder_of_files_is_looked_for_in_what_is_sent(
    tmp_path: Path, embedding: Embedding, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "office"
    (place / "docs").mkdir(parents=True)
    (place / "docs" / "tour.md").write_text(TOUR, encoding="utf-8", newline="")
    rows = [
        {"question": "Why was Israel skipped?", "evidence": [ANSWER]},
        {
            "question": "Why was Israel skipped?",
            "evidence": [ANSWER, "The whale sang to the moon all night long."],
        },
    ]
    (place / "questions.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    main_of_folder(place, None, 300, tmp_path / "result.json")
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["systems"]["product"] == {"held": 0.75, "whole": 0.75, "any": 1.0}
    assert "office: 2 questions" in capsys.readouterr().out
    main_of_folder(place, None, 1, tmp_path / "nothing.json")
    assert json.loads((tmp_path / "nothing.json").read_text())["systems"]["product"]["any"] == 0.0


def test_command_writes_json_and_leaves_nothing(data: Path, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    command = [sys.executable, "-m", "benchmarks.evidence", "--peers", "no", "--questions", "1", "--data", str(data)]
    done = subprocess.run(
        [*command, "--json", str(tmp_path / "result.json")],
        env={**os.environ, "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        check=True,
    )
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["set"] == "set"
    assert result["systems"].keys() == {"product", "dense", "lexical"}
    assert result["missing"] == {}
    assert "set: 1 questions, 2 corpora" in done.stdout
    assert "| 2,000 characters | recall | precision | iou | all |\n|---|" in done.stdout
    assert not list(temporary.iterdir())
