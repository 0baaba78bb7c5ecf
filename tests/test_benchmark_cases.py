from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from assistant.answers import NOT_FOUND, Answer, AnswerSentence, Citation, Status
from benchmarks.cases import count, find_loaded, judge, measure, read_expectation
from index.embedding.protocol import Embedding
from index.errors import InputError
from index.settings import Settings

PATHS = ["board.md", "fees/2023.txt"]


def write_case(folder: Path, name: str, documents: dict[str, str], **case: object) -> None:
    for path, text in documents.items():
        file = folder / name / "docs" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (folder / name / "case.json").write_text(json.dumps({"fault": "a fault", **case}), encoding="utf-8")


def make_answer(
    *sentences: str, path: str = "board.md", text: str = "", notice: str = "", status: Status | None = None
) -> Answer:
    shown = tuple(AnswerSentence(sentence, (1,), "supported") for sentence in sentences)
    citations = tuple(Citation(i + 1, "id", path, "", None, 0, len(s), s) for i, s in enumerate(sentences))
    text = text or " ".join(sentences) or NOT_FOUND
    status = status or ("answered" if sentences else "not_found")
    return Answer("?", "?", text, status, 0.9, None, None, shown, citations, (), notice)


@pytest.mark.parametrize(
    ("expect", "terms", "aside", "named"),
    [
        ("420 with Orrholt named", {"420", "orrholt"}, set(), True),
        ("the lamp was lit by the keeper", {"lamp", "lit", "keeper"}, set(), False),
        ("1,400 (row West 1,400 under 2022)", {"1400"}, {"west", "2022"}, True),
        ("Ada (cell shows 12.0%)", {"ada"}, {"12"}, True),
        ("2,300 francs, or a refusal", {"2300", "franc"}, set(), True),
        ("90 euros (or a hint in Dutch)", {"90", "euro"}, set(), True),
        ("fees/2023.txt", set(), set(), False),
    ],
)
def test_words_about_the_answer_are_not_looked_for(expect: str, terms: set[str], aside: set[str], named: bool) -> None:
    wanted = read_expectation(expect, PATHS)
    assert (wanted.terms, wanted.aside, wanted.named) == (terms, aside, named)


@pytest.mark.parametrize(
    ("expect", "reply", "verdict"),
    [
        ("420 with Orrholt named", make_answer("City: Orrholt; Rate: 420"), "right"),
        ("420 with Orrholt named", make_answer("City: Orrholt; Rate: 700", "Rate: 420"), "poor"),
        ("420 with Orrholt named", make_answer("Rate: 700", "City: Orrholt; Rate: 420"), "poor"),
        ("420 with Orrholt named", make_answer(f"Orrholt {'and so on ' * 50} 420"), "poor"),
        ("420 with Orrholt named", make_answer("Rate: 1,420"), "wrong"),
        ("420 with Orrholt named", make_answer(), "refused"),
        ("420 with Orrholt named", make_answer("Orrholt: 420", status="nearest"), "nearest"),
        ("420 with Orrholt named", make_answer("Rate: 1,420", status="nearest"), "refused"),
        ("420, or a refusal", make_answer(), "right"),
        ("420, or a refusal", make_answer("Rate: 700"), "wrong"),
        ("420 (or a hint that the language differs)", make_answer(), "refused"),
        ("420 (or a hint that the language differs)", make_answer(notice="The documents are in English."), "unclear"),
        ("420 (or a hint that the language differs)", make_answer("It differs."), "unclear"),
        ("sentences of fees/2023.txt", make_answer("It is due.", path="fees/2023.txt"), "right"),
        ("sentences of fees/2023.txt", make_answer("It is due."), "wrong"),
        ("both halves", make_answer("Ada chairs it."), "unclear"),
        ("a short greeting", make_answer(text="You are welcome."), "unclear"),
    ],
)
def test_an_answer_is_judged_by_the_words_expected(expect: str, reply: Answer, verdict: str) -> None:
    wanted = read_expectation(expect, PATHS)
    assert judge(wanted, reply, is_sure=wanted.named) == verdict


@pytest.mark.parametrize(
    ("expect", "text", "loaded"),
    [
        ("420 with Orrholt named", "City: Orrholt; Rate: 420", "yes"),
        ("420 with Orrholt named", "City: Orrholt; Rate: 700\n\nRate: 420", "apart"),
        ("420 with Orrholt named", f"Orrholt {'and so on ' * 50} 420", "apart"),
        ("420 with Orrholt named", "City: Orrholt", "no"),
        ("the lamp was lit", "The lamp was lit in May.", "yes"),
        ("both halves", "The lamp was lit in May.", "-"),
        ("board.md", "Ada chairs it.", "-"),
    ],
)
def test_loading_is_judged_by_the_text_alone(expect: str, text: str, loaded: str) -> None:
    assert find_loaded(read_expectation(expect, PATHS), [text]) == loaded


def test_cases_are_asked_one_after_the_other(tmp_path: Path, settings: Settings, embedding: Embedding) -> None:
    board = {"board.md": "# Board\n\nAda Moor, elected in 2018, chairs the board.\n"}
    write_case(tmp_path, "plain-chair", board, question="Who chairs the board?", expect="Ada Moor")
    write_case(
        tmp_path,
        "plain-then",
        board,
        question="When was she elected?",
        history=["Who chairs the board?"],
        expect="2018",
    )
    write_case(tmp_path, "torn-file", board | {"torn.pdf": "%PDF-1.7 torn"}, question="Who is the cook?", expect="Bo")
    outcomes = list(measure(tmp_path, settings))
    assert [(o.name, o.verdict, o.loaded) for o in outcomes] == [
        ("plain-chair", "right", "yes"),
        ("plain-then", "right", "yes"),
        ("torn-file", "refused", "no"),
    ]
    assert count(outcomes)["plain"] == {"right": 2, "poor": 0, "wrong": 0, "nearest": 0, "refused": 0, "unclear": 0}
    assert sum(count(outcomes)["all"].values()) == 3


def test_a_folder_without_cases_is_refused(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(InputError, match="holds no case"):
        list(measure(tmp_path, settings))


def test_command_prints_tables_and_writes_json(tmp_path: Path) -> None:
    write_case(
        tmp_path / "set", "one", {"a.md": "The lamp | was lit in 1902."}, question="When was it lit?", expect="1902"
    )
    (temporary := tmp_path / "temporary").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.cases", str(tmp_path / "set"), "--json", str(tmp_path / "result.json")],
        env={**os.environ, "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "| one | a fault |" in done.stdout
    assert "\n| kind | right | poor | wrong | nearest | refused | unclear |\n" in done.stdout
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["set"] == "set"
    assert [case["name"] for case in result["cases"]] == ["one"]
    assert not list(temporary.iterdir())
