"""Runs compared: the intervals, the file that a run is kept in, and what `footnote eval --against` says."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from assistant.serving.command_line import command
from assistant.serving.evaluating.comparison import compare, show
from assistant.serving.evaluating.intervals import compare_pairs, find_chance, find_interval, is_sure
from assistant.serving.evaluating.runs import Asked, read_run
from index.embedding.protocol import Embedding
from index.errors import InputError

# -- intervals --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("successes", "count", "low", "high"),
    # The four examples of R. G. Newcombe, Statistics in Medicine 17 (1998), 857-872, by Wilson's method.
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_a_proportion_has_the_published_interval(successes: int, count: int, low: float, high: float) -> None:
    assert find_interval(successes / count, count) == pytest.approx((low, high), abs=5e-5)


def pair_up(both: int, only_now: int, only_then: int, neither: int) -> tuple[list[float], list[float]]:
    then = [1.0] * both + [0.0] * only_now + [1.0] * only_then + [0.0] * neither
    now = [1.0] * (both + only_now) + [0.0] * (only_then + neither)
    return then, now


def test_paired_proportions_have_the_published_interval() -> None:
    # Airway hyper-responsiveness: Fagerland, Lydersen and Laake, Statistical Analysis of Contingency Tables, chapter 8.
    assert compare_pairs(*pair_up(1, 1, 7, 12)) == pytest.approx((-0.507, -0.026), abs=5e-4)


@pytest.mark.parametrize(
    ("more", "less", "chance"),
    [(0, 0, 1.0), (5, 0, 0.0625), (6, 0, 0.03125), (0, 6, 0.03125), (8, 2, 0.109375), (5, 5, 1.0)],
)
def test_the_sign_test_is_exact(more: int, less: int, chance: float) -> None:
    assert find_chance(*pair_up(3, more, less, 4)) == chance


SHARES = st.lists(st.tuples(*[st.sampled_from((0.0, 0.25, 0.5, 1.0))] * 2), min_size=1, max_size=12)


@given(SHARES)
@hypothesis_settings(max_examples=40)
def test_an_interval_holds_its_difference_and_turns_with_it(pairs: list[tuple[float, float]]) -> None:
    then, now = ([pair[side] for pair in pairs] for side in (0, 1))
    low, high = compare_pairs(then, now)
    mean = sum(now) / len(now) - sum(then) / len(then)
    assert low - 1e-9 <= mean <= high + 1e-9
    assert compare_pairs(then, now) == (low, high)
    assert compare_pairs(now, then) == pytest.approx((-high, -low), abs=0.15)
    assert find_chance(now, then) == find_chance(then, now)


def test_few_questions_prove_nothing_however_they_differ() -> None:
    for count in range(1, 9):
        then, now = [0.0] * count, [1.0] * count
        assert is_sure(then, now, compare_pairs(then, now)) is (count >= 6)


# -- runs compared ----------------------------------------------------------------------------


def ask(name: str, right: bool = True, **changes: Any) -> Asked:
    shares = {"answer_correct": float(right), "refused_answerable": float(not right)}
    wrong = "" if right else "refused"
    return replace(Asked(f"{name}?", name, "x", "answered", f"text of {name}", None, wrong, shares, 1.0), **changes)


def test_what_got_better_and_worse_is_said_with_its_questions() -> None:
    then = [*(ask(f"b{n}") for n in range(7)), *(ask(f"f{n}", False) for n in range(2)), ask("same")]
    now = [*(ask(f"b{n}", False) for n in range(7)), *(ask(f"f{n}") for n in range(2)), ask("same", text="other")]
    found = compare(then, now)
    assert {name: one.verdict for name, one in found.differences.items()} == {
        "right": "",  # seven broken and two fixed may be chance
        "answer_correct": "",
        "refused_answerable": "",
        "seconds": "the same",
    }
    assert not found.is_worse
    worse = compare([*then[:7], then[9]], [*now[:7], now[9]])
    assert {name: one.verdict for name, one in worse.differences.items()} == {
        "right": "worse",
        "answer_correct": "worse",
        "refused_answerable": "worse",
        "seconds": "the same",
    }
    assert worse.is_worse
    better = compare([*now[:7], now[9]], [*then[:7], then[9]])
    assert (better.differences["right"].verdict, better.is_worse) == ("better", False)
    lines = show(found, "earlier.json").splitlines()
    assert lines[0] == "Against earlier.json: 10 questions of both."
    assert "Better: nothing." in lines
    assert "Worse: nothing." in lines
    assert lines[lines.index("Fixed (2):") + 1] == "- “f0?”: was refused"
    assert lines[lines.index("Broken (7):") + 1] == "- “b0?”: refused"
    assert lines[-1] == "1 more answered in other words, neither fixed nor broken by it."


def test_what_takes_longer_is_worse_and_fails_nothing() -> None:
    found = compare([ask(f"q{n}") for n in range(8)], [ask(f"q{n}", seconds=2.0) for n in range(8)])
    assert (found.differences["seconds"].verdict, found.is_worse) == ("worse", False)
    assert show(found, "e").endswith("\nEvery question is answered as it was.")


def test_of_different_questions_those_of_both_are_compared() -> None:
    then = [ask("a"), ask("a", False), ask("gone"), ask("changed")]
    now = [ask("a"), ask("new"), ask("changed", expected="y"), ask("a", False), ask("a")]
    found = compare(then, now)
    assert [(old.asked, old.wrong == new.wrong) for old, new in found.pairs] == [("a", True), ("a", True)]
    assert (found.only_then, found.only_now, found.otherwise) == (1, 2, 1)
    assert show(found, "e").startswith(
        "Against e: 2 questions of both; left out: 1 asked only then, 2 asked only now, 1 of which another answer is "
        "expected now.\n"
    )
    assert show(compare([ask("a")], [ask("b")]), "e").endswith(" There is nothing to compare.")


def test_another_model_is_named() -> None:
    assert "\nAnswered then by quotations, now by big.\n" in show(compare([ask("a")], [ask("a", model="big")]), "e")


# -- the file of a run ------------------------------------------------------------------------

RUN = {"set": "mine", "systems": {"product": {}}}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{", "is not JSON: give the file that an earlier run wrote by --json."),
        ("[" * 100_000, "is not JSON"),
        ("[]", "was not written by footnote eval --json: give the file of an earlier run."),
        (json.dumps(RUN), "holds figures alone, and not what came of each question, as it was once: measure again"),
        (json.dumps({**RUN, "questions": []}), "holds no question that could be read"),
        (json.dumps({**RUN, "questions": [{}, 5]}), "holds no question that could be read"),
    ],
)
def test_a_file_that_is_no_run_is_told(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "run.json").write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=rf"run\.json {told}"):
        read_run(tmp_path / "run.json")
    with pytest.raises(InputError, match=r"missing cannot be read \("):
        read_run(tmp_path / "missing")


FERRIES = [
    f"The ferry Number{n} was built by {name} Voss." for n, name in enumerate("Ada Bea Cleo Dora Eva Fay".split())
]


@pytest.fixture
def harbour(folder: Path, embedding: Embedding) -> Path:
    """A folder in which every question has many passages that are nearly right."""
    for place, ferry in enumerate(FERRIES):
        (folder / f"{place}.md").write_text(f"# The ferry Number{place}\n\n{ferry}\n", encoding="utf-8")
    return folder


def evaluate(*arguments: str | Path) -> Any:
    return CliRunner().invoke(command, ["eval", *map(str, arguments)])


def write_questions(file: Path, rows: Sequence[dict[str, Any]]) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def test_a_run_of_fewer_passages_is_worse_and_says_so(
    harbour: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Each question needs two documents, of which a search for one passage finds one.
    rows = [
        {
            "question": f"Who built the ferry Number{n} and who built the ferry Number{(n + 1) % 6}?",
            "evidence": [FERRIES[n], FERRIES[(n + 1) % 6]],
        }
        for n in range(6)
    ] + [{"question": "Who built the ferry Number3?", "answers": ["Dora Voss"]}]
    questions, run = write_questions(tmp_path / "q.jsonl", rows), tmp_path / "run.json"
    done = evaluate(questions, "--documents", harbour, "--json", run)
    assert (done.exit_code, len(read_run(run))) == (0, 7)
    same = evaluate(questions, "--documents", harbour, "--json", run, "--against", run, "--fail-if-worse")
    assert same.exit_code == 0
    assert "Against run.json: 7 questions of both.\n" in same.stdout
    assert "\nEvery question is answered as it was.\n" in same.stdout
    monkeypatch.setenv("FOOTNOTE_PASSAGE_COUNT", "1")
    worse = evaluate(questions, "--documents", harbour, "--against", run)
    assert worse.exit_code == 0
    [told] = [line for line in worse.stdout.splitlines() if line.startswith("Worse: ")]
    assert "right, evidence recall" in told
    assert "\nBroken (6):\n- “Who built the ferry Number0 and " in worse.stdout
    tables = [line for line in worse.stdout.splitlines() if line.startswith("|")]
    assert max(map(len, tables)) <= 100
    failed = evaluate(questions, "--documents", harbour, "--against", run, "--fail-if-worse")
    assert failed.exit_code == 1
    assert "Traceback" not in failed.output


def test_a_run_that_was_changed_by_hand_is_told(harbour: Path, tmp_path: Path) -> None:
    questions, run = tmp_path / "q.jsonl", tmp_path / "run.json"
    write_questions(questions, [{"question": "Who built the ferry Number3?"}, {"question": "Who built Number2?"}])
    assert evaluate(questions, "--documents", harbour, "--json", run).exit_code == 0
    kept = json.loads(run.read_text(encoding="utf-8"))
    for name, value in (("seconds", None), ("seconds", float("nan")), ("shares", {"right": 7}), ("status", 1)):
        changed = [kept["questions"][0], {**kept["questions"][1], name: value}]
        run.write_text(json.dumps({**kept, "questions": changed}), encoding="utf-8")
        done = evaluate(questions, "--documents", harbour, "--against", run)
        assert (done.exit_code, done.stdout) == (2, "")
        assert "run.json, question 2: it is not as footnote eval writes it: measure again with --json" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("q.jsonl", "--fail-if-worse"), "--fail-if-worse needs an earlier run"),
        (("q.jsonl", "--make", "3", "--json", "x"), "--make only drafts questions"),
        (("--make", "3", "--thumbs"), "--make only drafts questions"),
        (("--make", "0"), "--make"),
    ],
)
def test_options_that_do_not_go_together_are_refused(arguments: tuple[str, ...], told: str) -> None:
    done = evaluate(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert told in " ".join(done.stderr.replace("│", " ").split())
