"""The measures of answers without a language model and of follow-ups, on made-up data and against hand-made figures."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assistant.answers import Citation
from benchmarks import follow_ups, reader
from benchmarks.reader import Question
from index.embedding.protocol import Embedding
from index.settings import Settings


def entry(question: str, *golds: str) -> dict[str, Any]:
    return {"question": question, "is_impossible": not golds, "answers": [{"text": gold} for gold in golds]}


def article(title: str, *paragraphs: tuple[str, list[dict[str, Any]]]) -> dict[str, Any]:
    return {"title": title, "paragraphs": [{"context": context, "qas": entries} for context, entries in paragraphs]}


ARTICLES = [
    article(
        "The_lighthouse,_at_Orm",
        (
            "The lighthouse at Orm was built in 1871. Its keeper was Anna Vik.",
            [entry("When was the lighthouse at Orm built?", "1871", "in 1871"), entry("Who painted the lighthouse?")],
        ),
        ("Fog closes the harbour of Orm in October.", [entry("What closes the harbour of Orm?", "Fog")]),
    ),
    article(
        "Beekeeping",
        ("A hive holds sixty thousand bees in June.", [entry("How many bees does a hive hold?", "sixty thousand")]),
    ),
    article(
        "Kiln",
        (
            "A kiln fires pottery at 1,200 degrees.",
            [entry("How hot is a kiln?", "1,200 degrees"), entry("Who owns kilns?")],
        ),
    ),
]


def cited(path: str, start: int, quote: str) -> Citation:
    return Citation(1, "document", path, "title", None, start, start + len(quote), quote)


def test_normalise_is_that_of_squad() -> None:
    assert reader.normalise(" The  cat's  a U.S. cat,\nan AN theme ") == "cats us cat theme"


def test_overlap_counts_characters_of_the_same_file() -> None:
    # 10 of 20 characters shown are among the 30 selected.
    assert reader.overlap([("a", 0, 20)], [("a", 10, 30), ("b", 0, 10)]) == pytest.approx(2 * 10 / (20 + 30))
    assert reader.overlap([("a", 0, 5), ("a", 3, 8)], [("a", 0, 8)]) == 1.0
    assert reader.overlap([], [("a", 0, 8)]) == 0.0


def test_score_looks_into_the_first_sentence_and_into_all() -> None:
    question = Question("When?", "answerable", "g", ("1871",), ((("f", 0, 4),), (("f", 6, 8),)))
    row = reader.score(question, [cited("f", 0, "No."), cited("f", 6, "In 1871.")], 0.5)
    assert (row["in_first"], row["in_shown"], row["shown"]) == (0.0, 1.0, 2)
    assert row["f1"] == pytest.approx(2 * 3 / (11 + 4))  # the first annotator's: 3 characters of 11 and of 4
    refused = reader.score(question, [], 0.1)
    assert (refused["in_first"], refused["in_shown"], refused["f1"]) == (0.0, 0.0, 0.0)
    bare = reader.score(Question("Who?", "impossible", "g"), [], 0.1)
    assert np.isnan([bare["in_first"], bare["in_shown"], bare["f1"]]).all()


def test_auroc_counts_pairs_and_halves_ties() -> None:
    # Of six pairs 0.9 wins all three, 0.5 wins one and ties one.
    assert reader.auroc(np.array([0.9, 0.5]), np.array([0.5, 0.1, 0.8])) == pytest.approx(4.5 / 6)
    assert np.isnan(reader.auroc(np.array([]), np.array([0.5])))


def test_calibration_error_weighs_every_kind_the_same() -> None:
    kind = np.array(["answerable", "absent", "absent"])
    # In the upper bin 0.9 of weight 1 is true; in the lower two of weight a half each are 0.15 too sure.
    assert reader.calibration_error(np.array([0.9, 0.1, 0.2]), kind) == pytest.approx((0.1 + 0.05 + 0.1) / 2)
    # Together in one bin, what is too sure and what is not sure enough cancel out.
    assert reader.calibration_error(np.array([0.5, 0.5, 0.5]), kind) == pytest.approx(0.0)
    assert reader.calibration_error(np.array([1.0, 1.0, 0.0]), kind) == pytest.approx(0.5 / 2)


def test_measures_of_a_hand_made_set() -> None:
    columns = {
        "kind": np.array(["answerable", "answerable", "absent", "impossible"]),
        "group": np.array(["one", "one", "two", "one"]),
        "confidence": np.array([0.8, 0.3, 0.1, 0.5]),
        "status": np.array(["answered", "not_found", "nearest", "answered"]),
        "shown": np.array([3, 0, 0, 2]),
        "in_first": np.array([1.0, 0.0, 1.0, np.nan]),
        "in_shown": np.array([1.0, 0.0, 1.0, np.nan]),
        "f1": np.full(4, np.nan),
    }
    shown = reader.measure_shown(columns)
    assert (shown["answer_in_first"], shown["mean_shown"]) == (0.5, 2.5)
    assert (shown["auroc_absent"], shown["auroc_near_miss"]) == (1.0, 0.5)
    claims = reader.measure_claims(columns)
    assert (claims["not_found_answerable"], claims["nearest_answerable"]) == (0.5, 0.0)
    assert (claims["answered_absent"], claims["nearest_absent"]) == (0.0, 1.0)
    assert (claims["answered_impossible"], claims["nearest_impossible"]) == (1.0, 0.0)
    assert claims["ece_absent"] == pytest.approx((0.5 * 0.2 + 0.5 * 0.7 + 1 * 0.1) / 2)
    figures = reader.with_intervals(columns, reader.measure_shown)
    assert "f1" not in figures and "f1_interval" not in figures
    assert figures["answer_in_first_interval"] == [0.5, 0.5]  # a group is taken as a whole, or not at all


def test_words_score_as_bm25() -> None:
    scores = reader.score_words(["orm"], [["orm", "at"], ["orm", "orm"], ["at", "sea"]], {"orm": 2.0})
    assert scores.tolist() == pytest.approx([2 * 1.9 / 1.9, 2 * 2 * 1.9 / 2.9, 0.0])


def test_absent_articles_are_named_or_every_third() -> None:
    titles = ["Fresno,_California", "Warsaw", "Geology"]
    assert reader.choose_absent(titles, "Fresno,_California,Warsaw") == {"Fresno,_California", "Warsaw"}
    assert reader.choose_absent(titles, "") == set()
    assert len(reader.choose_absent(titles, None)) == 1
    assert reader.choose_absent(titles, None) == reader.choose_absent(titles[::-1], None)
    with pytest.raises(SystemExit, match=r"No such article: Paris\. There are: Fresno"):
        reader.choose_absent(titles, "Paris")


def test_a_name_of_a_file_is_neither_hidden_nor_a_folder() -> None:
    assert reader.name_file(".hack//Sign") == "-hack--Sign.txt"
    assert len(reader.name_file("long " * 99)) == 84


def test_squad_from_file_to_figures(
    tmp_path: Path, folder: Path, settings: Settings, embedding: Embedding, capsys: pytest.CaptureFixture[str]
) -> None:
    questions = reader.write_squad(folder, ARTICLES, {"Kiln"})
    assert sorted(file.name for file in folder.iterdir()) == ["Beekeeping.txt", "The_lighthouse,_at_Orm.txt"]
    assert (folder / "The_lighthouse,_at_Orm.txt").read_text().count("\n\n") == 1
    # What is impossible of an absent article is left out.
    assert [q.kind for q in questions] == ["answerable", "impossible", "answerable", "answerable", "absent"]
    assert questions[0].answers == ("1871", "in 1871")
    assert [q.kind for q in reader.draw(questions, 2)] == ["answerable", "answerable", "absent", "impossible"]
    systems = reader.measure(reader.ask(questions, folder, settings))
    reader.report("made", systems, tmp_path / "figures.json")
    printed = capsys.readouterr().out
    assert "| made | product | lexical | dense |\n|---|---|---|---|\n| answer in first | " in printed
    written = json.loads((tmp_path / "figures.json").read_text())
    assert (written["set"], list(written["systems"])) == ("made", ["product", "lexical", "dense"])
    product = written["systems"]["product"]
    shown = {"answer_in_first", "answer_in_shown", "mean_shown", "auroc_absent", "auroc_near_miss"}
    shares = {f"{said}_{kind}" for said in ("answered", "nearest") for kind in ("absent", "impossible")}
    claims = {"ece", "ece_absent", "nearest_answerable", "not_found_answerable", *shares}
    timings = {f"{name}_{part}" for name in reader.TIMINGS for part in ("median", "p95")}
    assert set(product) == shown | claims | timings | {f"{name}_interval" for name in shown | claims}
    assert set(written["systems"]["dense"]) == shown | {f"{name}_interval" for name in shown}
    low, high = product["answer_in_shown_interval"]
    assert 0 <= low <= product["answer_in_shown"] <= high <= 1
    assert written["systems"]["lexical"]["mean_shown"] == 3.0


def test_clapnq_from_file_to_figures(tmp_path: Path, folder: Path, settings: Settings, embedding: Embedding) -> None:
    sentences = ["The lighthouse at Orm was built in 1871 .", "Its keeper was Anna Vik .", "Fog closes it in October ."]
    passage = {"title": "Orm", "text": " ".join(sentences), "sentences": sentences}
    other = {"title": "Orm", "text": "A hive holds sixty thousand bees .", "sentences": []}
    rows = {
        "answerable": [
            {
                "input": "When was the lighthouse at Orm built?",
                "passages": [passage],
                "output": [{"selected_sentences": sentences[:1]}, {"selected_sentences": []}],
            }
        ],
        "unanswerable": [
            {"input": "Who pays for Orm?", "passages": [passage], "output": [{"selected_sentences": []}]},
            {"input": "Who owns a hive?", "passages": [other], "output": [{"selected_sentences": []}]},
        ],
    }
    for name, members in rows.items():
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in members))
    questions = reader.write_clapnq(folder, tmp_path)
    assert [(q.kind, q.group) for q in questions] == [
        ("answerable", "00000/Orm.txt"),
        ("impossible", "00000/Orm.txt"),
        ("impossible", "00001/Orm.txt"),
    ]
    assert questions[0].selected == ((("00000/Orm.txt", 0, len(sentences[0])),),)
    figures = reader.measure(reader.ask(questions, folder, settings))
    assert "answer_in_first" not in figures["product"] and "auroc_absent" not in figures["product"]
    # How well the product does is not for this test to say: only that something right was shown.
    assert 0 < figures["product"]["f1"] <= 1 and 0 < figures["lexical"]["f1"] < 1


def test_follow_ups_from_file_to_figures(
    tmp_path: Path, folder: Path, settings: Settings, embedding: Embedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow_ups, "FIRST", 1)
    passages = {"A#1": "The lighthouse at Orm was built in 1871.", "B": "A hive holds sixty thousand bees in June."}
    rows = [{"_id": name, "title": "", "text": text} for name, text in passages.items()]
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n1_1\tA#1\t1\n1_2\tA#1\t1\n1_3\tB\t1\n1_2\tB\t0\n")
    first = {"speaker": "user", "text": "Tell me about the lighthouse at Orm."}
    history = [first, {"speaker": "agent", "text": "It stands there."}]
    asked = [
        ("1_1", first["text"], first["text"], []),
        ("1_2", "When was it built?", "When was the lighthouse at Orm built?", history),
        ("1_3", "How many bees does a hive hold?", "how many bees does a hive hold", history),
        ("2_1", "Not judged?", "Not judged?", []),
    ]
    names = ("_id", "raw", "manual_rewrite", "history")
    lines = [json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in asked]
    (tmp_path / "queries.jsonl").write_text("".join(lines))
    systems = follow_ups.measure(tmp_path, folder, settings)
    assert list(systems) == ["raw", "product", "human rewrite", "user turns joined"]
    assert set(systems["raw"]) == {f"hit_at_10{part}{end}" for part in ("", "_lexical") for end in ("", "_interval")}
    assert (systems["product"]["hit_at_10"], systems["product"]["hit_at_10_lexical"]) == (1.0, 1.0)
    assert (systems["product"]["changed_self_standing"], systems["product"]["unchanged_leaning"]) == (0.0, 0.0)
