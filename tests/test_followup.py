"""A question that leans on the conversation carries its words over; one that stands alone is not touched."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answers import Answer, Turn
from assistant.question.followup import leans_on_conversation, read_history, rewrite
from index.errors import InputError

LEANING = [
    "Who criticised it?",
    "Does it cover Israel?",
    "Where did they meet?",
    "What did she say?",
    "Who is he?",
    "How long did this take?",
    "And Qatar?",
    "What about the Emirates?",
    "but why?",
    "Why?",
    "When?",
    "How many?",
    "Tell me more",
    "Which one is bigger?",
    "What else did Trump announce?",
    "How many people live there?",
]
STANDING_ALONE = [
    "Why was Israel skipped?",
    "why was israel skipped?",
    "Which countries did Trump visit?",
    "What is the capital of Denmark?",
    "When did Michael Waltz leave his post?",
    "What did Lapid say of his party?",
    "Is it true that Trump visited Qatar?",
    "Is there a ceasefire with the Houthis?",
    "Was there any deal with Iran?",
    "Who is Lapid?",
    "Tell me about Qatar",
]

ISRAEL = Turn("Why was Israel skipped?", "Because of the Gulf.")


@pytest.mark.parametrize("question", LEANING)
def test_a_question_that_points_back_or_says_little_leans(question: str) -> None:
    assert leans_on_conversation(question)
    assert rewrite(question, [ISRAEL]).startswith(f"{question} ")


@pytest.mark.parametrize("question", STANDING_ALONE)
def test_a_question_that_says_all_is_not_touched(question: str) -> None:
    assert not leans_on_conversation(question)
    assert rewrite(question, [ISRAEL, Turn("Which post did the adviser leave?", "")]) == question


@pytest.mark.parametrize("question", [*LEANING, *STANDING_ALONE])
def test_the_first_question_is_never_touched(question: str) -> None:
    assert rewrite(question, []) == question


CONVERSATIONS = [
    # the questions, the query of the last
    (["Why was Israel skipped?", "Who criticised it?"], "Who criticised it? Israel skipped"),
    (
        ["When was the ceasefire with the Houthis announced?", "Does it cover Israel?"],
        "Does it cover Israel? ceasefire Houthis announced",
    ),
    (["Why was Israel skipped?", "Who criticised it?", "And when?"], "And when? criticised Israel skipped"),
    (
        ["Why was Israel skipped?", "Who criticised it?", "And when?", "Where?"],
        "Where? criticised Israel skipped",
    ),
    # What stands alone begins anew: nothing from before it is carried past it.
    (
        ["Why was Israel skipped?", "What is the capital of Denmark?", "How old is it?"],
        "How old is it? capital Denmark",
    ),
    (["Why was Israel skipped?", "What is the capital of Denmark?"], "What is the capital of Denmark?"),
    # What the question has already is not said twice, in whatever form.
    (["Why was Israel skipped?", "Did they skip it?"], "Did they skip it? Israel"),
    (["Why?", "Why?"], "Why?"),
]


@pytest.mark.parametrize(("questions", "query"), CONVERSATIONS, ids=lambda value: " / ".join(value)[:60])
def test_the_words_leant_on_are_carried_over(questions: list[str], query: str) -> None:
    *before, last = questions
    assert rewrite(last, [Turn(question, "") for question in before]) == query


@given(st.text(max_size=60), st.lists(st.text(max_size=60), max_size=4))
def test_the_query_begins_with_the_question_whatever_was_said(question: str, before: list[str]) -> None:
    query = rewrite(question, [Turn(earlier, "") for earlier in before])
    assert query == question or query.startswith(f"{question} ")
    carried = query.removeprefix(question).split()
    assert set(carried) <= {word for earlier in before for word in re.findall(r"[\w’'-]+", earlier)}
    assert len(carried) == len(set(carried))


# -- the forms of a history -------------------------------------------------------------------


def make_answer(question: str, text: str) -> Answer:
    return Answer(question, question, text, "answered", 0.9, None, None, (), (), ())


EARLIER = [Turn("Why was Israel skipped?", "Because."), Turn("Who criticised it?", "Lapid did.")]
FORMS = {
    "answers": [make_answer(turn.question, turn.answer) for turn in EARLIER],
    "turns": EARLIER,
    "pairs": [(turn.question, turn.answer) for turn in EARLIER],
    "pairs as lists": [[turn.question, turn.answer] for turn in EARLIER],
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Why was Israel skipped?"},
        {"role": "assistant", "content": "Because."},
        {"role": "user", "content": "Who criticised it?"},
        {"role": "assistant", "content": "Lapid did."},
    ],
    "a mixture": [make_answer("Why was Israel skipped?", "Because."), ("Who criticised it?", "Lapid did.")],
}


@pytest.mark.parametrize("history", FORMS.values(), ids=FORMS)
def test_a_history_may_come_in_any_of_its_forms(history: list[object]) -> None:
    assert read_history(history) == EARLIER  # type: ignore[arg-type]


def test_an_empty_history_has_no_turns() -> None:
    assert read_history([]) == read_history(()) == []


def test_a_message_without_an_answer_yet_is_a_turn() -> None:
    assert read_history([{"role": "user", "content": "Why?"}]) == [Turn("Why?", "")]


def test_an_answer_without_a_question_is_passed_over() -> None:
    assert read_history([{"role": "assistant", "content": "Hello!"}, ("Why?", "So.")]) == [Turn("Why?", "So.")]


BAD = [
    "Why was Israel skipped?",
    7,
    None,
    ("only one",),
    ("one", "two", "three"),
    ("question", None),
    {"content": "no role"},
    {"role": "user"},
    {"role": "user", "content": ["parts"]},
]


@pytest.mark.parametrize("turn", BAD, ids=repr)
def test_any_other_turn_is_refused_with_a_sentence(turn: object) -> None:
    with pytest.raises(InputError, match=r"Each turn of the history is .*\.$"):
        read_history([turn])  # type: ignore[list-item]
