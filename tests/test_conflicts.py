"""What a question takes for given, and a sentence says otherwise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.question.question import read_question
from assistant.quoting.conflicts import _rivals, find_conflicts

CONFLICTS = [
    # question, sentence, what conflicts
    ("Who lost the race?", "Ida won the race.", {"rival"}),
    ("Which was the mildest drought of the north?", "The drought of the south was severe.", {"rival"}),
    ("What happened in May?", "It happened in June.", {"rival"}),
    ("Who came second?", "Ida came first.", {"rival"}),
    ("Who won the race?", "Ida won the race.", set()),
    ("Who won and who lost?", "Ida won.", set()),  # the question has the rival itself
    ("Who won?", "Ida won what Ole lost.", set()),  # the sentence has the word itself
    ("Who won?", "Ida came in.", set()),
    ("Who steered it in 1994?", "Ida steered it in 1998.", {"number"}),
    ("Who steered it in 1994?", "Ida steered it.", {"number"}),
    ("Who steered it in 1994?", "Ida steered it in 1994.", set()),
    ("Who gave 1,500 crowns?", "Ida gave 1500 crowns.", set()),
    ("Which two ports?", "The 2 ports are Brenholm and Tarnsund.", set()),
    ("Which 2 ports?", "The two ports are Brenholm and Tarnsund.", set()),
    ("Which three ports?", "The two ports are Brenholm and Tarnsund.", {"number"}),
    ("Which one is it?", "It is the ferry.", set()),
    ("Who did not steer it?", "Ida steered it.", {"negation"}),
    ("Who didn’t steer it?", "Ida steered it.", {"negation"}),
    ("Who did not steer it?", "Ole never steered it.", set()),
    ("Who steered it?", "Ole did not steer it.", set()),
    ("Who did not lose in 1994?", "Ida won in 1998.", {"rival", "number", "negation"}),
    ("Why did Ida not steer it?", "Ida was ill.", set()),  # what is so may be why something else is not
    ("", "", set()),
]


@pytest.mark.parametrize(("question", "sentence", "conflicts"), CONFLICTS)
def test_a_conflict_is_found_where_there_is_one(question: str, sentence: str, conflicts: set[str]) -> None:
    found = find_conflicts(read_question(question), sentence, sentence)
    assert {name for name, value in found.items() if value} == conflicts


def test_a_number_may_stand_anywhere_in_the_passage() -> None:
    question, sentence = "Who steered the ferry in 1994?", "Ida steered the ferry."
    assert find_conflicts(read_question(question), sentence, f"It was 1994. {sentence}")["number"] == 0


def test_no_word_is_on_two_sides_at_once() -> None:
    for sides in _rivals():
        assert len(sides) > 1
        assert sum(map(len, sides)) == len(frozenset().union(*sides)), sides


@given(st.text(), st.text(), st.text())
def test_any_text_has_conflicts_or_none(question: str, sentence: str, passage: str) -> None:
    found = find_conflicts(read_question(question), sentence, passage)
    assert list(found) == ["rival", "number", "negation"]
    assert set(found.values()) <= {0.0, 1.0}
