"""A question that leans on the conversation becomes one that does not; one that stands alone is not touched."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answers import Answer, Turn
from assistant.question.again import Length
from assistant.question.followup import LAST_TURNS, FollowUp, follow_up, read_history, rewrite
from assistant.question.leaning import leans_on_conversation
from assistant.question.mention import find_person
from assistant.question.question import read_question
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
    "for how long?",
    "Which one is bigger?",
    "What else did Trump announce?",
    "what else?",
    "How many people live there?",
    "Okay. Who decided that?",
    "That's interesting. How is it defined?",
    "What are common causes?",
    "What other diseases are there?",
    "Give me some examples.",
    "Isn't that speed?",
    "What would be second best?",
    "How did the first one end?",
    "und wann?",
    "Und warum wurde das gebaut?",
    "et pourquoi ?",
    "y cuánto cuesta?",
    "en waarom?",
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
    "How many restaurants are there in Oslo?",
    "Who is Lapid?",
    "Tell me about Qatar",
    "wifi password",
    "Which rooms are there?",
    "Is there wifi?",
    "Opening hours",
    "Can employees take their dog to work?",
    "What happens if a tenant loses their key?",
    "When it rains, where does the water come from?",
    "And how do I renew a library card?",
    "What about the parking rules for visitors of the castle museum?",
    "Who was the first mayor of Hallen?",
    "What is the second law of thermodynamics?",
    "A heat pump seems suitable for my house. How much does it cost?",
    "What is planned for this year in the harbour?",
    "En quelle année la société a-t-elle été fondée ?",
    "¿En qué año se fundó la empresa?",
    "Wat zijn de openingstijden van de bibliotheek?",
    "Wie lange gilt die Garantie?",
]

ISRAEL = Turn("Why was Israel skipped?", "Because of the Gulf.")


@pytest.mark.parametrize("question", LEANING)
def test_a_question_that_points_back_or_says_little_leans(question: str) -> None:
    assert leans_on_conversation(question)
    assert rewrite(question, [ISRAEL]) != question


@pytest.mark.parametrize("question", STANDING_ALONE)
def test_a_question_that_says_all_is_not_touched(question: str) -> None:
    assert not leans_on_conversation(question)
    turns = [ISRAEL, Turn("Which post did the adviser leave?", "")]
    assert follow_up(question, turns) == FollowUp(question, question)


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
    # Nor is what is only said to be kind.
    (["Okay, thanks. Why was Israel skipped?", "Really? By whom?"], "Really? By whom? Israel skipped"),
]


@pytest.mark.parametrize(("questions", "query"), CONVERSATIONS, ids=lambda value: " / ".join(value)[:60])
def test_the_words_leant_on_are_carried_over(questions: list[str], query: str) -> None:
    *before, last = questions
    assert rewrite(last, [Turn(question, "") for question in before]) == query


AGAIN = [
    # a question, what is asked after it, the question that this becomes
    ("What was the revenue in 2020?", "What about 2021?", "What was the revenue in 2021?"),
    ("What was the revenue in 2020?", "And in 2021?", "What was the revenue in 2021?"),
    ("What was the revenue?", "What about 2021?", "What was the revenue in 2021?"),
    ("What did the shop sell in May?", "And June?", "What did the shop sell in June?"),
    ("How much is INV-2141?", "and INV-2087?", "How much is INV-2087?"),
    ("How much is invoice 2141?", "and 2087?", "How much is invoice 2087?"),
    ("What does room B12 cost?", "and B7?", "What does room B7 cost?"),
    ("Who attended the meeting of 12 March 2024?", "and in June?", "Who attended the meeting in June 2024?"),
    ("Who attended the meeting of 12 March 2024?", "and of June?", "Who attended the meeting of June 2024?"),
    ("Who attended the meeting on March 12, 2024?", "and in 2023?", "Who attended the meeting in 2023?"),
    ("Who attended the meeting on March 12, 2024?", "and on 14 June?", "Who attended the meeting on 14 June 2024?"),
    ("What was sold in May 2020?", "and in June 2022?", "What was sold in June 2022?"),
    ("What was sold in May 2020?", "and in 2021?", "What was sold in May 2021?"),
    ("When is check-in?", "and check-out?", "When is check-out?"),
    ("How heavy is the Alpha pump?", "Same question for the Beta pump", "How heavy is the Beta pump?"),
    ("How heavy is the Alpha pump?", "and for the Beta?", "How heavy is the Beta pump?"),
    ("How many staff does Brenvale have?", "the same for Norrby please", "How many staff does Norrby have?"),
    ("How much is a day ticket for adults?", "and for children?", "How much is a day ticket for children?"),
    ("When does the ferry to Hallen leave?", "And to Skarvoy?", "When does the ferry to Skarvoy leave?"),
    ("How do I say hello?", "and in French?", "How do I say hello in French?"),
    (
        "How many days do full-time employees get?",
        "And part-time employees?",
        "How many days do part-time employees get?",
    ),
    ("How much does a heat pump cost?", "what about a gas boiler?", "How much does a gas boiler cost?"),
    ("How much cod was exported in 2022?", "How much herring?", "How much herring was exported in 2022?"),
    ("How much cod was exported in 2022?", "No, I meant herring", "How much herring was exported in 2022?"),
    ("How much is a room per night?", "per week?", "How much is a room per week?"),
    ("When is the library open?", "also on Sundays?", "When is the library open on Sundays?"),
    ("How much does it cost?", "and Ash Log?", "How much does Ash Log cost?"),
    ("When is the seal watching?", "And the forest walk?", "When is the forest walk?"),
    ("When is the pool heated?", "And the sauna?", "When is the sauna heated?"),
    ("Wie viel kostet die Halle im Sommer?", "Und im Winter?", "Wie viel kostet die Halle im Winter?"),
    ("Combien coûte la salle ?", "et en hiver ?", "Combien coûte la salle en hiver ?"),
]


@pytest.mark.parametrize(("before", "question", "asked"), AGAIN)
def test_what_is_asked_of_something_else_takes_the_place_of_its_like(before: str, question: str, asked: str) -> None:
    assert follow_up(question, [Turn(before, "")]) == FollowUp(asked, asked)


def test_what_is_asked_again_keeps_its_kind() -> None:
    followed = follow_up("What about 2021?", [Turn("How many people worked there in 2020?", "")])
    question = read_question("What about 2021?", followed.query, asked=followed.asked, length=followed.length)
    assert (question.words, question.kind) == ("What about 2021?", "number")
    assert question.numbers == {"2021"}


def test_what_else_asks_for_several() -> None:
    followed = follow_up("What else?", [Turn("Which apple is grown in Brenvale?", "")])
    assert read_question("What else?", followed.query, asked=followed.asked).asks_for_several


LENGTHS = {
    "make that shorter": "shorter",
    "Shorter, please": "shorter",
    "in one sentence": "shorter",
    "Can you say that more briefly?": "shorter",
    "Kürzer bitte": "shorter",
    "more detail please": "longer",
    "Tell me more": "longer",
    "Can you elaborate on that?": "longer",
    "is that so?": "",
    "Are you sure?": "",
    "really?": "",
}


@pytest.mark.parametrize(("question", "length"), LENGTHS.items())
def test_the_same_is_asked_again_shorter_or_longer_or_doubted(question: str, length: Length) -> None:
    turns = [Turn("Why was Israel skipped?", ""), Turn("Who criticised it?", "")]
    assert follow_up(question, turns) == FollowUp("Who criticised it?", "Who criticised it? Israel skipped", length)
    assert follow_up(question, []) == FollowUp(question, question)


HEATING = Turn(
    "What ways are there to heat the hall?",
    "“The second is a heat pump, which costs 15,000 crowns.” [1]\n\n“The first is a gas boiler, which costs 8,000.” [2]"
    "\n\n“The third is infrared panels, which cost 6,000 crowns.” [3]",
)
BOATS = Turn("Which boats can I rent?", "“Rowing boat: 9 euros” [1]\n\n“Kayak: 14 euros” [2]\n\n“Dinghy: 32 euros” [3]")
CITIES = Turn("Which cities have a branch?", "“There are branches in Oslo, Bergen and Tromsø.” [1]")
BOARD = Turn(
    "Who is on the board?", "“The board consists of Lena Fisk (chair), Per Holt (treasurer) and Anna Rask (clerk).” [1]"
)
STEPS = Turn("What are the steps?", "1. Unplug the kettle [1]\n2. Rinse it with vinegar [1]\n3. Dry it [2]")
PICKED = [
    (HEATING, "How much does the second one cost?", "How much does a heat pump cost?"),
    (HEATING, "And the first?", "a gas boiler"),
    (HEATING, "Does the last one need a permit?", "Does infrared panels need a permit?"),
    (BOATS, "How fast is the third one?", "How fast is Dinghy?"),
    (BOATS, "Is the second cheaper for groups?", "Is Kayak cheaper for groups?"),
    (BOATS, "number one", "Rowing boat"),
    (CITIES, "Who manages the last one?", "Who manages Tromsø?"),
    (CITIES, "Who manages the first one?", "Who manages Oslo?"),
    (BOARD, "How long has the second one been there?", "How long has Per Holt been there?"),
    (STEPS, "Why is the second one needed?", "Why is Rinse it with vinegar needed?"),
    (CITIES, "Who manages the seventh one?", "Who manages the seventh one?"),
]


@pytest.mark.parametrize(("turn", "question", "asked"), PICKED, ids=lambda value: str(value)[:40])
def test_the_second_one_is_what_the_answer_gave_second(turn: Turn, question: str, asked: str) -> None:
    assert asked in follow_up(question, [turn]).asked


DIRECTOR = Turn("Who is the finance director?", "“Jonas Eide is the finance director.” [1]")
COD = Turn("How much cod was exported in 2022?", "“In 2022 the company exported 5,020 tonnes of cod.” [1]")
CHAIR = Turn("Who chairs the board?", "“Astrid Malm chairs the board since 2019.” [1]")
APPLES = Turn("Which apples are grown?", "“Egremont Russet is grown there.” [1]")
PERSONS = [
    ([DIRECTOR, COD], "What is his salary?", "What is his salary? Jonas Eide finance director"),
    ([CHAIR], "When did she start?", "When did she start? Astrid Malm chairs board"),
    ([DIRECTOR, CHAIR, COD], "How old is she?", "How old is she? Astrid Malm chairs board"),
    ([CHAIR, APPLES], "How old is she?", "How old is she? Astrid Malm chairs board"),
    ([COD, Turn("What did Jonas Eide say?", "")], "Where does he live?", "Where does he live? Jonas Eide"),
    ([COD], "Where does he live?", "Where does he live? cod exported 2022"),
]


@pytest.mark.parametrize(("turns", "question", "query"), PERSONS, ids=lambda value: str(value)[:40])
def test_he_or_she_is_the_person_named_last(turns: list[Turn], question: str, query: str) -> None:
    assert rewrite(question, turns) == query


@given(st.text(max_size=60), st.lists(st.tuples(st.text(max_size=60), st.text(max_size=60)), max_size=4))
def test_every_word_of_the_query_was_said(question: str, before: list[tuple[str, str]]) -> None:
    followed = follow_up(question, [Turn(*turn) for turn in before])
    assert followed.query.startswith(followed.asked)
    said = " ".join([question, *(part for turn in before for part in turn)])
    assert set(re.findall(r"\w+", followed.query)) <= {*re.findall(r"\w+", said), "in"}


def test_the_other_one_is_the_one_that_was_not_asked_about() -> None:
    rooms = Turn("How much is a single room?", "“Single room: 84 euros” [1]\n\n“Double room: 120 euros” [2]")
    assert follow_up("And the other one?", [rooms]).asked == "How much is a Double room?"


def test_what_is_counted_up_further_back_is_picked_from_too() -> None:
    turns = [CITIES, Turn("Who manages the last one?", "“Ole leads that branch. He came from Trondheim.” [1]")]
    assert follow_up("And the first one?", turns).asked == "Who manages Oslo?"
    # But not past a question that begins anew.
    anew = [*turns, Turn("What is the capital of Denmark?", "“Copenhagen is the capital of Denmark.” [1]")]
    assert "Oslo" not in follow_up("And the first one?", anew).query


@pytest.mark.parametrize("which", ["the thırd one", "The ThİRD one", "the third one"])
def test_a_turkish_i_is_an_i(which: str) -> None:
    turns = [Turn("Which boats are there?", "Ash\nBirch\nCedar")]
    assert follow_up(which, turns).asked == "Cedar"


@pytest.mark.parametrize("which", ["number fıve", "item nİne", "the fıfth one"])
def test_a_turkish_i_in_what_is_not_there_is_no_error(which: str) -> None:
    assert follow_up(which, [Turn("Which boats are there?", "Ash\nBirch\nCedar")]).query


LONG = ["and " * 500, "the second one " * 130, "Who, and " * 220, "A" * 2000, "Anna Berg " * 200, "a, " * 660]


@pytest.mark.parametrize("text", LONG, ids=lambda text: text[:12])
def test_a_long_conversation_takes_no_time(text: str) -> None:
    started = time.process_time()
    for question in (text, text[:250], "What is his salary?", "And the second one?", "What about 2021?"):
        rewrite(question, [Turn(text[:2000], text[:2000])] * LAST_TURNS)
    assert time.process_time() - started < 2


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


def test_a_question_of_when_something_is_stands_alone_as_one_of_where_it_is_does() -> None:
    turns = [Turn("What is the letter from Ruth about?", "")]
    for question in ("When is check-in?", "Where is parking?", "Wann ist Einlass?", "Quand est la réunion ?"):
        assert rewrite(question, turns) == question
    assert rewrite("When was it?", turns) == "When was it? letter Ruth"


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("Die Vorsitzende Frau Ingrid Lehmann eröffnet die Sitzung.", "Ingrid Lehmann"),
        ("Zum Schriftführer wurde Karl Weber gewählt.", "Karl Weber"),
        ("Herr Dr. Voss ist der Kassenwart.", "Voss"),
        ("Im Verein Gartenfreunde Neustadt gilt die Satzung.", ""),
        ("Neue Mitglieder zahlen eine Gebühr an den Verein.", ""),
        ("Ruth Meyer is the chair.", "Ruth Meyer"),
    ],
)
def test_in_german_where_nouns_have_capitals_a_title_or_two_capitals_in_a_sentence_tell_a_person(
    text: str, person: str
) -> None:
    assert find_person("", text, is_plain=False) == person
