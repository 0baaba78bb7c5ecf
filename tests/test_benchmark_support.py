"""The measures of the check: pairs and corruptions are what they are called, and the figures come from the verdicts."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from assistant.citing.support import load_model
from benchmarks import support
from benchmarks.support import Judged, Pair
from index.embedding.protocol import Embedding

SENTENCES = [
    "In May 2024, Ida Voss sailed 214 passengers from Brenholm to Tarnsund.",
    "The harbour of Odden was not large enough for the ferry of the Nils Berg company.",
    "The herring price began to rise by 5% (after a storm) in the area of Tarnsund.",
]
TEXT = " ".join(SENTENCES)


def article(title: str, text: str) -> dict[str, Any]:
    question = {"question": "Who sailed 214 passengers to Tarnsund?", "answers": [{"text": "Ida Voss"}]}
    question["answers"][0]["answer_start"] = text.find("Ida Voss")  # type: ignore[index]
    return {"title": title, "paragraphs": [{"context": text, "qas": [question] if "Ida" in text else []}]}


def row(claim: str, label: str, chosen: list[list[int]], title: str) -> str:
    fields = {"claim": claim, "label": label, "supporting_sentences": chosen, "evidence": SENTENCES}
    return json.dumps({**fields, "meta": {"claim_title": title}}) + "\n"


@pytest.fixture
def wice(tmp_path: Path) -> Path:
    (tmp_path / "claim.jsonl").write_text(
        row("Ida Voss sailed to Tarnsund in 2024.", "supported", [[0]], "Ferry")
        + row("Kelp grows well.", "not_supported", [[]], "Kelp")
        + row("Odden was not large and had 90 inhabitants.", "partially_supported", [[1]], "Odden")
    )
    return tmp_path


def test_wice_gives_every_claim_with_its_page_and_the_supported_with_what_was_chosen(wice: Path) -> None:
    pairs = support.read_wice(wice)
    assert [(pair.kind, len(pair.quotes)) for pair in pairs] == [
        ("supported", 3),
        ("faithful", 1),
        ("not_supported", 3),
        ("partially_supported", 3),
    ]


def test_other_words_keep_the_meaning() -> None:
    assert support._move_lead(SENTENCES[0]) == "Ida Voss sailed 214 passengers from Brenholm to Tarnsund in May 2024."
    assert support._leave_out_brackets(SENTENCES[2]).endswith("by 5% in the area of Tarnsund.")
    assert support._use_synonyms(SENTENCES[2]).startswith("The herring price started to rise")
    assert support._respell_numbers("It sold 3 boats for 1,500 crowns, or 5%.") == (
        "It sold three boats for 1500 crowns, or 5 percent."
    )
    assert support._respell_numbers("1.5 metres") == "1.5 metres"
    clause = support._keep_first_clause("The ferry sailed at noon from Brenholm, and it came back.")
    assert clause == "The ferry sailed at noon from Brenholm."
    assert support.paraphrase("It sank.", random.Random(0)) == "It sank."


def test_questions_after_the_subject_become_sentences() -> None:
    (pair,) = support.read_questions([article("Ferry", TEXT)])
    assert (pair.kind, pair.sentence) == ("restated", "Ida Voss sailed 214 passengers to Tarnsund.")
    assert pair.quotes == (SENTENCES[0],)


@pytest.mark.parametrize("seed", range(20))
def test_a_corruption_changes_what_it_says(seed: int) -> None:
    chance = random.Random(seed)
    number = support.change_number(SENTENCES[0], TEXT, chance)
    assert number and number != SENTENCES[0] and ("2024" in number) != ("214 " in number)
    name = support.swap_name(SENTENCES[0], TEXT, chance)
    assert name and name != SENTENCES[0]
    assert sum(known in name for known in ("Ida Voss", "Brenholm", "Tarnsund")) == 2
    assert support.negate("The ferry was late.", chance) in ("The ferry was not late.", "The ferry was never late.")
    assert support.negate(SENTENCES[1], chance) == SENTENCES[1].replace("not ", "")


def test_what_cannot_be_corrupted_is_left_out() -> None:
    chance = random.Random(0)
    assert support.change_number("It sank.", TEXT, chance) is None
    assert support.swap_name("It sank.", TEXT, chance) is None
    assert support.negate("It sank.", chance) is None


def test_figures_are_made_of_the_verdicts() -> None:
    model = load_model()
    close, far = dict.fromkeys(model["words"], 1.0), dict.fromkeys(model["words"], 0.0)
    del close["intercept"], far["intercept"]

    def judged(kind: str, near: bool, made_of: int = -1, wrong: frozenset[Any] = frozenset()) -> Judged:
        return Judged(Pair(kind, "squad", "g", "", (), "", made_of), wrong, {"words": close if near else far})

    rows = [
        judged("faithful", True),
        judged("faithful", False),
        judged("supported", True),
        judged("not_supported", False),
        judged("number", True, 0, frozenset({"number"})),
        judged("number", True, 1),
    ]
    figures = support.measure(rows, {"g": model}, "words")
    assert (figures["auroc_wice"], figures["false_alarms"], figures["recall_number"]) == (1.0, 0.5, 0.5)
    assert (figures["precision_number"], figures["pairs_number"]) == (0.5, 2.0)


def test_from_files_to_figures(
    wice: Path,
    tmp_path: Path,
    embedding: Embedding,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    squad = tmp_path / "squad.json"
    kelp = "Kelp grows 30 metres long in the cold water of Norway, and it was eaten by Olav Hansen in 1901."
    squad.write_text(json.dumps({"data": [article("Ferry", TEXT), article("Kelp", kelp)]}))
    figures = tmp_path / "figures.json"
    arguments = ["support", "--wice", str(wice), "--squad", str(squad), "--json", str(figures)]
    monkeypatch.setattr("sys.argv", arguments)
    support.main()
    assert "| product | words |\n|---|---|---|\n| auroc wice | 1.000 | 1.000 |" in capsys.readouterr().out
    written = json.loads(figures.read_text())
    assert list(written["systems"]) == ["product", "words"]
    assert written["systems"]["product"]["recall_other_document"] == 1.0
