"""Several clients ask at once, each for a fact of its own: each gets that one, and nobody gets an error."""

from __future__ import annotations

from pathlib import Path

from benchmarks.load import make_facts, measure_load


def test_ten_clients_that_ask_at_once_get_an_answer_each_and_their_own(tmp_path: Path) -> None:
    outcome = measure_load(tmp_path, 10, 8)
    assert (outcome.errors, outcome.wrong) == ([], [])
    assert outcome.answered == {fact.code for fact in make_facts(10)}
    assert outcome.describe()["answers"] == len(outcome.seconds) >= 10
