"""What asks for the last answer itself is told from what asks anything else."""

import pytest

from assistant.answers import NOT_FOUND, Turn
from assistant.question.followup import FollowUp, drop_courtesies, follow_up
from assistant.question.reworking import LONGEST_CHARACTERS, find_point, find_reworking

RESTATING = """
Make that shorter|shorter please|In one sentence|tldr|Summarise that|summarise in three points|summarise your answer
as a table|As a table, please|put it in a table|Could you put that into a table, please?|format that as a table
as bullet points|in three bullet points|turn it into a bulleted list|Rewrite your last answer as a numbered list
as an email|in simpler words|Explain it in simple terms|explain it to a child|ELI5|Please rewrite it in plain English
translate that|Translate your last answer into German|Could you translate this to French, please?|And in Spanish?
Say that again in Dutch|rephrase that|repeat that
Kannst du das kürzer sagen?|noch kürzer|Als Tabelle|Als Liste bitte|auf Deutsch|In einfacheren Worten
Übersetze deine letzte Antwort ins Englische
plus court|sous forme de tableau|Traduis ta dernière réponse en allemand|Plus simplement, s’il te plaît|en anglais
más corto|en una tabla|Traduce tu última respuesta al inglés|más sencillo por favor|en español por favor
korter|als tabel|Vertaal je laatste antwoord naar het Engels|in eenvoudigere woorden
"""
EXTENDING = """
more|Tell me more|give me an example|Give me some examples|Any examples?|for example?|continue|go on|keep going
explain that|Explain the second point|explain the 2nd point|what about the third?|and the third one?|the last one
Tell me more about the second point|expand on the first point
Gib mir ein Beispiel|mach weiter|Erkläre den zweiten Punkt|Was ist mit dem dritten?
Donne-moi un exemple|Explique le deuxième point|Dame un ejemplo|Explica el segundo punto|Sigue
Geef me een voorbeeld|Leg het tweede punt uit|ga door
"""
NEITHER = """
Why was Israel skipped?|Who criticised it?|What about 2021?|What about the Emirates?|hello|thanks|what can I ask here?
Is it in English?|Are the words in German?
is there an example in the handbook?|What is a table?|Which languages are there?
How many languages?|What languages does she speak?|opening hours|wifi password|first aid|second opinion|language|points
explain the second amendment|Explain heat pumps|Explain the table on page 3|Give me an example of a heat pump
Who is the first?|What happens in the last step?|What is the second law of thermodynamics?|the last supper
When does the table get delivered?|Translate the contract for the tenants|Does the work continue?|list the fees
summarise these documents|Summarise the whole text|Summarise everything|Summarise the annual report
Wann ist die letzte Sitzung?|Wie heißt das Beispiel?|Quel est le deuxième prix ?|¿Cuál es el segundo paso?
"""


def split(phrases: str) -> list[str]:
    return [phrase for line in phrases.strip().splitlines() for phrase in line.split("|")]


@pytest.mark.parametrize("question", split(RESTATING))
def test_another_form_of_the_last_answer(question: str) -> None:
    assert find_reworking(question) == "restates"


@pytest.mark.parametrize("question", split(EXTENDING))
def test_more_of_the_last_answer(question: str) -> None:
    assert find_reworking(question) == "extends"


@pytest.mark.parametrize("question", split(NEITHER))
def test_a_question_of_its_own(question: str) -> None:
    assert find_reworking(question) == ""


@pytest.mark.parametrize(
    ("question", "which"),
    [
        ("Explain the second point", "second"),
        ("what about the third?", "third"),
        ("Erkläre den zweiten Punkt", "second"),
        ("Explica el último punto", "last"),
        ("Translate your last answer", ""),
        ("the first and the second point", ""),
        ("explain it", ""),
    ],
)
def test_the_point_that_is_meant(question: str, which: str) -> None:
    assert find_point(question) == which


def test_a_long_text_is_no_request_to_rewrite() -> None:
    assert find_reworking("as a table " * (LONGEST_CHARACTERS // 10)) == ""


POINTS = Turn("Why?", "- It was late [1]\n- It was dark [2]\n- It was cold [3]")


def test_without_a_model_nothing_is_reworked() -> None:
    for question in ("as a table", "explain the second point", "continue", "Make that shorter"):
        assert follow_up(question, [POINTS]).reworks == ""


def test_the_question_that_the_last_answer_answers_is_asked_again_with_the_point_that_is_meant() -> None:
    assert follow_up("as a table", [POINTS], for_model=True) == FollowUp("Why?", "Why?", "", "restates")
    followed = follow_up("explain the second point", [POINTS, Turn("as a table", POINTS.answer)], for_model=True)
    assert followed == FollowUp("Why?", "Why? It was dark", "", "extends")
    longer = follow_up("More detail, please", [POINTS], for_model=True)
    assert longer == FollowUp("Why?", "Why?", "longer", "extends")


def test_what_a_model_made_of_a_question_is_what_leans_on_it() -> None:
    turns = [
        Turn("Why was Israel skipped?", "So."),
        Turn("Who said so?", "Lapid.", query="Who criticised the skipping?"),
    ]
    assert follow_up("as a table", turns, for_model=True).query == "Who criticised the skipping?"
    assert follow_up("And when?", turns, for_model=True).query == "And when? criticised skipping"


@pytest.mark.parametrize("answer", ["", " ", NOT_FOUND])
def test_where_there_is_no_answer_there_is_nothing_to_rework(answer: str) -> None:
    assert follow_up("as a table", [Turn("Why?", answer)], for_model=True).reworks == ""
    assert follow_up("as a table", [], for_model=True).reworks == ""


def test_after_thanks_the_answer_before_is_meant() -> None:
    turns = [POINTS, Turn("thanks!", "You are welcome."), Turn("ok", "All right.")]
    assert drop_courtesies(turns) == [POINTS]
