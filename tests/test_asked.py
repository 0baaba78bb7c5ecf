"""What kind of thing a question asks for, and which sentences hold such a thing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.question.asked import (
    asks_for,
    asks_for_several,
    asks_how,
    asks_whether,
    find_answer_words,
    goes_on,
    holds,
    leans,
    lists,
    tells_how,
)
from assistant.question.question import read_question

ASKED = [
    ("Why was Israel skipped?", "reason"),
    ("How come it was skipped?", "reason"),
    ("What caused the storm?", "reason"),
    ("What were the reasons for the delay?", "reason"),
    ("What did Amit Segal say?", "statement"),
    ("How did the minister react?", "statement"),
    ("What was written about the ferry?", ""),
    ("How much did Saudi Arabia pledge?", "number"),
    ("How many passengers were there?", "number"),
    ("What percentage agreed?", "number"),
    ("How old is the captain?", "number"),
    ("When did the tour take place?", "time"),
    ("In which year did it end?", "time"),
    ("What date was it?", "time"),
    ("Who called the talks a failure?", "person"),
    ("Whose idea was it?", "person"),
    ("Where did they meet?", "place"),
    ("Which countries did Trump visit?", "place"),
    ("Does the ceasefire cover Israel?", ""),
    ("What is the capital of Denmark?", ""),
    ("Describe the tour.", ""),
    ("", ""),
]

HELD = [
    # kind, sentence, question, whether it holds
    ("reason", "It sank because of the storm.", "", True),
    ("reason", "The delay was due to fog.", "", True),
    ("reason", "The ferry left at noon.", "", False),
    ("statement", "Segal said: we lost.", "", True),
    ("statement", "“We lost,” according to Segal.", "", True),
    ("statement", "The ferry left at noon.", "", False),
    ("number", "It carried 214 passengers.", "", True),
    ("number", "It carried two hundred passengers.", "", True),
    ("number", "It carried passengers.", "", False),
    ("time", "It left on 3 May.", "", True),
    ("time", "It left in 1998.", "", True),
    ("time", "It left with 214 passengers.", "", False),
    ("person", "Then Ida Voss took over.", "Who took over?", True),
    ("person", "Then Ida Voss took over.", "Who took over from Ida Voss?", False),
    ("person", "Then the captain took over.", "Who took over?", False),
    ("place", "They met in Tarnsund.", "Where did they meet?", True),
    ("place", "They met at noon.", "Where did they meet?", False),
    ("", "They met in Tarnsund on 3 May because of the storm.", "", False),
]

LEANING = [
    ("He added that nobody was hurt.", True),
    ("That is 3.8 billion dollars a year.", True),
    ("But they came back.", True),
    ("Their captain stayed.", True),
    ("Oman mediated it.", True),
    ("The former came back.", True),
    ("The ferry left at noon.", False),
    ("Heads turned in Brenholm.", False),
    ("Ida Voss steered the ferry to Tarnsund.", False),
    ("", False),
]

SEVERAL = [
    ("Which countries did Trump visit?", True),
    ("Which of the pumps survive frost?", True),
    ("On which days is it open?", True),
    ("What are the conditions of the loan?", True),
    ("what documents are needed for a visa", True),
    ("What kinds of fish are in the lake?", True),
    ("Who were the founders?", True),
    ("Who are Lapid's critics?", True),
    ("What else did he warn about?", True),
    ("Please list all rules about dogs.", True),
    ("Name the rivers of Norway", True),
    ("Can you give me the opening hours?", True),
    ("Which country did Trump visit?", False),
    ("Which process causes the delay?", False),
    ("Which problem causes the delay?", False),
    ("What causes the tides?", False),
    ("What does it cost?", False),
    ("What was the population?", False),
    ("What percentage of schools are private?", False),
    ("What are the tentacles called?", False),
    ("What is the capital of Denmark?", False),
    ("Why were the rules changed?", False),
    ("", False),
]

HOW = [
    ("How does the pump work?", True),
    ("how to cure a cold", True),
    ("How did the war start?", True),
    ("In what ways is it used?", True),
    ("How many pumps are there?", False),
    ("How old is the captain?", False),
    ("How long did it last?", False),
    ("How did the minister react?", False),
    ("How come it was skipped?", False),
    ("Who knows?", False),
]

WHETHER = [
    ("Did Trump visit Egypt?", True),
    ("does it float", True),
    ("Is Trump an enemy of Israel?", True),
    ("Which pump floats?", False),
    ("Island names", False),
]

SERIES = [
    ("They visited Oslo, Bergen and Tromsø.", True),
    ("It sells apples, small green pears, and figs.", True),
    ("The Beta survives frost too, but the Alpha does not.", False),
    ("Oslo and Bergen were visited.", False),
    ("In the old town of Brenholm, the mayor opened a bridge yesterday and left.", False),
]

MANNER = [
    ("It is heated by burning wood.", True),
    ("They entered through the hatch.", True),
    ("It was painted by Moe.", False),
    ("It is warm.", False),
]

GOING_ON = [
    ("Then she hands over the key.", True),
    ("After that, it is dried.", True),
    ("It is dried.", True),
    ("Wood is dried.", False),
    ("Socks are dried.", False),
]


@pytest.mark.parametrize(("question", "several"), SEVERAL)
def test_a_question_asks_for_several_things_or_for_one(question: str, several: bool) -> None:
    assert asks_for_several(question) is several


@pytest.mark.parametrize(("question", "how"), HOW)
def test_a_question_asks_how_or_for_a_number(question: str, how: bool) -> None:
    assert asks_how(question) is how


@pytest.mark.parametrize(("question", "whether"), WHETHER)
def test_a_question_asks_whether(question: str, whether: bool) -> None:
    assert asks_whether(question) is whether


@pytest.mark.parametrize(("sentence", "series"), SERIES)
def test_a_sentence_counts_things_up(sentence: str, series: bool) -> None:
    assert lists(sentence) is series


@pytest.mark.parametrize(("sentence", "manner"), MANNER)
def test_a_sentence_tells_a_manner(sentence: str, manner: bool) -> None:
    assert tells_how(sentence) is manner


@pytest.mark.parametrize(("sentence", "going_on"), GOING_ON)
def test_a_sentence_goes_on_with_the_one_before(sentence: str, going_on: bool) -> None:
    assert goes_on(sentence) is going_on


@pytest.mark.parametrize(("question", "kind"), ASKED)
def test_a_question_tells_what_it_asks_for(question: str, kind: str) -> None:
    assert asks_for(question) == asks_for(question.upper()) == kind


@pytest.mark.parametrize(("kind", "sentence", "question", "held"), HELD)
def test_a_sentence_holds_what_is_asked_for_or_does_not(kind: str, sentence: str, question: str, held: bool) -> None:
    assert holds(kind, sentence, question) is held


@pytest.mark.parametrize(("sentence", "leaning"), LEANING)
def test_a_sentence_that_points_back_leans(sentence: str, leaning: bool) -> None:
    assert leans(sentence) is leaning


@pytest.mark.parametrize(
    ("question", "sentence", "words"),
    [
        ("When did the ferry sink?", "The ferry sank on 3 May 1956 off Tarnsund.", "3 May 1956"),
        ("What year was it built?", "It was built in the late 1880s.", "late 1880s"),
        ("When did it open?", "It opened in 1956 and closed in 1988.", None),
        ("When was the 1956 ferry built?", "The ferry of 1956 was built in March 1955.", "March 1955"),
        ("How many passengers did it carry?", "It carried 1,214 passengers.", "1,214"),
        ("How much did it cost?", "It cost $3.8 billion.", "$3.8 billion"),
        ("How much did it cost?", "In 1956 it cost twenty-two million crowns.", "twenty-two million"),
        ("How many of the two ferries sank?", "Of the two ferries one sank.", "one"),
        ("Who steered the ferry?", "That day Captain Ida Voss steered the ferry.", "Captain Ida Voss"),
        ("Who steered it?", "Nobody knows.", None),
        ("Who met Ida Voss?", "Ida Voss was met by Jonas of Odden.", "Jonas of Odden"),
        ("Why did it sink?", "It sank in 1956.", None),
    ],
)
def test_the_very_words_that_answer_are_found_where_they_are_plain(
    question: str, sentence: str, words: str | None
) -> None:
    asked = read_question(question)
    place = find_answer_words(asked.kind, asked.asked, sentence)
    assert (place and sentence[slice(*place)]) == words


@given(st.text(), st.text())
def test_any_text_gets_a_kind_or_none(question: str, sentence: str) -> None:
    kind = asks_for(question)
    assert kind in ("", "reason", "statement", "number", "time", "person", "place")
    assert isinstance(holds(kind, sentence, question), bool)
    assert asks_for_several(question) in (True, False)
    assert goes_on(sentence) or not leans(sentence)
