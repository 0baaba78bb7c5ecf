"""The reader picks the sentences that answer, few of them, and knows when there are none."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sample_questions import ANSWERED, FOLLOWED_UP, NOT_FOUND_QUESTIONS

from assistant.answers import Turn
from assistant.question.followup import rewrite
from assistant.question.question import read_question
from assistant.quoting.choice import MOST_QUOTED
from assistant.quoting.features import describe, judge, load_model, seek
from assistant.quoting.reader import NOTHING, Reading, read
from index.documents import Passage
from index.embedding.protocol import Embedding
from index.library import Library, finish, open_library
from index.settings import Settings
from index.splitting.sentences import Sentence, find_sentences

Ask = Callable[..., Reading]


def open_synced(documents: Path, settings: Settings) -> Library:
    library: Library = finish(open_library(documents, settings))
    finish(library.sync())
    return library


def read_from(library: Library, question: str, query: str | None = None) -> Reading:
    query = query or question
    return read(read_question(question, query), library.retrieve(query), library.embedding, library.store.lexicon)


@pytest.fixture
def ask(samples: Settings) -> Ask:
    """Reads a question's answer from the sample folder."""
    library = open_synced(samples.documents, samples)
    return lambda question, query=None: read_from(library, question, query)


@pytest.fixture(scope="module")
def readings(samples: Settings) -> dict[str, Reading]:
    """What was read for every sample question that the documents answer."""
    library = open_synced(samples.documents, samples)
    return {question: read_from(library, question) for question in ANSWERED}


@pytest.fixture
def ask_page(folder: Path, settings: Settings, embedding: Embedding) -> Ask:
    """Reads a question's answer from one page."""

    def ask_it(page: str, question: str) -> Reading:
        (folder / "page.md").write_text(page, encoding="utf-8")
        return read_from(open_synced(folder, settings), question)

    return ask_it


def words_of(reading: Reading) -> list[str]:
    return [candidate.words for candidate in reading.chosen]


# -- the sample folder ------------------------------------------------------------------------


@pytest.mark.parametrize(("question", "words"), ANSWERED.items(), ids=list(ANSWERED))
def test_the_reader_picks_the_sentence_that_answers(readings: dict[str, Reading], question: str, words: str) -> None:
    reading = readings[question]
    assert any(words in said for said in words_of(reading))
    assert reading.status == "answered"
    assert reading.confidence <= 1
    assert len(reading.chosen) <= MOST_QUOTED == 3


@pytest.mark.parametrize(("before", "question", "words"), FOLLOWED_UP)
def test_the_reader_answers_a_follow_up(ask: Ask, before: str, question: str, words: str) -> None:
    reading = ask(question, rewrite(question, [Turn(before, "")]))
    assert any(words in said for said in words_of(reading))
    assert reading.status == "answered"


@pytest.mark.parametrize("question", NOT_FOUND_QUESTIONS)
def test_the_reader_is_unsure_of_what_the_documents_do_not_say(ask: Ask, question: str) -> None:
    assert ask(question).status == "not_found"


def test_an_answer_is_seldom_three_sentences(readings: dict[str, Reading]) -> None:
    lengths = [len(reading.chosen) for reading in readings.values()]
    assert sum(lengths) / len(lengths) <= 2


def test_only_prose_is_chosen_and_nothing_twice(readings: dict[str, Reading]) -> None:
    for reading in readings.values():
        assert all(candidate.sentence.kind == "prose" for candidate in reading.chosen)
        assert len({candidate.words for candidate in reading.chosen}) == len(reading.chosen)


@pytest.mark.parametrize(
    "heading",
    ["Why Israel was skipped", "The MAGA view of Netanyahu", "Ceasefire with the Houthis", "What the critics say"],
)
def test_a_heading_is_never_chosen_though_it_says_what_is_asked(ask: Ask, heading: str) -> None:
    reading = ask(f"{heading}?")
    assert reading.chosen
    assert heading not in words_of(reading)


# -- one page ---------------------------------------------------------------------------------

FERRY = """# The Ferry of Brenholm

The ferry to Tarnsund was cancelled on Monday. Four hundred passengers waited in the hall. This was because a storm had
damaged the pier. Repairs will take a week.

## Who steers the ferry?

Read Also: Who steers the ferry of Brenholm, and why the ferry was cancelled

Captain Ida Voss has steered the Brenholm ferry since 1998. She learned her trade on the lighthouse tender Solvej.

This website uses cookies so that we can tell you who steers the ferry and why it was cancelled.
"""


def test_a_question_for_a_reason_is_answered_up_to_the_reason(ask_page: Ask) -> None:
    assert words_of(ask_page(FERRY, "Why was the ferry to Tarnsund cancelled?")) == [
        "The ferry to Tarnsund was cancelled on Monday.",
        "Four hundred passengers waited in the hall.",
        "This was because a storm had damaged the pier.",
    ]


def test_a_sentence_that_gives_the_reason_itself_stands_alone(ask_page: Ask) -> None:
    page = "The ferry was cancelled because of a storm. Then it rained. This led to floods.\n\nIda Voss was asleep.\n"
    assert words_of(ask_page(page, "Why was the ferry cancelled?")) == ["The ferry was cancelled because of a storm."]


def test_a_sentence_that_leans_brings_the_one_before(ask_page: Ask) -> None:
    assert words_of(ask_page(FERRY, "Who learned her trade on the lighthouse tender Solvej?")) == [
        "Captain Ida Voss has steered the Brenholm ferry since 1998.",
        "She learned her trade on the lighthouse tender Solvej.",
    ]


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ("Who steers the ferry?", "Captain Ida Voss has steered the Brenholm ferry since 1998."),
        ("Who steers the ferry, and why was it cancelled?", "This was because a storm had damaged the pier."),
    ],
)
def test_boilerplate_and_headings_are_never_chosen(ask_page: Ask, question: str, words: str) -> None:
    chosen = words_of(ask_page(FERRY, question))
    assert words in chosen
    assert not any("Read Also" in words or "cookies" in words or words.startswith("Who steers") for words in chosen)


def test_a_page_of_headings_and_boilerplate_answers_nothing(ask_page: Ask) -> None:
    page = "# Who steers the ferry?\n\nThis website uses cookies to steer the ferry.\n"
    assert ask_page(page, "Who steers the ferry?") == NOTHING


def test_what_is_said_twice_in_the_same_words_is_chosen_once(ask_page: Ask) -> None:
    page = "Captain Ida Voss steers the Brenholm ferry.\n\nIt rains.\n\nCaptain IDA VOSS steers the Brenholm ferry!\n"
    reading = ask_page(page, "Who steers the Brenholm ferry?")
    assert words_of(reading) in (
        ["Captain Ida Voss steers the Brenholm ferry."],
        ["Captain IDA VOSS steers the Brenholm ferry!"],
    )


def test_no_passages_are_read_as_nothing(samples: Settings) -> None:
    library = open_synced(samples.documents, samples)
    assert read(read_question("Why?"), [], library.embedding, library.store.lexicon) == NOTHING


@pytest.mark.parametrize(
    "question", ["the of and", "?!", "日本の首都はどこですか", "x" * 10_000, "word " * 2000, "\x00", "🚢"]
)
def test_any_question_gets_a_reading(ask: Ask, question: str) -> None:
    assert 0 <= ask(question).confidence <= 1


NEAR_MISSES = [
    # a question that the page answers, and one like it that it does not
    ("Who has steered the Brenholm ferry since 1998?", "Who has steered the Brenholm ferry since 2003?"),
    ("Who has steered the Brenholm ferry?", "Who has never steered the Brenholm ferry?"),
]


@pytest.mark.parametrize(("question", "near_miss"), NEAR_MISSES)
def test_a_near_miss_is_answered_with_less_confidence(ask_page: Ask, question: str, near_miss: str) -> None:
    assert ask_page(FERRY, near_miss).confidence < 0.7 * ask_page(FERRY, question).confidence


# -- the numbers ------------------------------------------------------------------------------


def test_the_model_weighs_every_feature_and_no_other(samples: Settings) -> None:
    library = open_synced(samples.documents, samples)
    question = read_question("why was Israel skipped?")
    sought = seek(question, library.embedding, library.store.lexicon)
    candidates = describe(question, library.retrieve(question.query), sought, library.embedding)
    judged = judge(question, candidates, sought)
    model = load_model()
    sums = ("topic", "fact", "topic_in_words", "fact_in_words")
    assert set(model) == {"glance", "sentence", *sums, "threshold"}
    assert set(model["sentence"]) == set(candidates[0].features) == {*model["glance"], "bound"}
    assert set().union(*(model[name] for name in sums)) == {"intercept", *judged}
    assert set(model["threshold"]) == {"topic", "fact", "nearest", "margin"}


def test_what_a_sentence_contradicts_weighs_against_it() -> None:
    fact, in_words = load_model()["fact"], load_model()["fact_in_words"]
    assert max(fact["rival"], fact["number"], in_words["rival"], in_words["number"], in_words["negation"]) < 0
    assert min(fact["bound"], fact["similarity"], in_words["coverage"]) > 0


@pytest.mark.parametrize("query", [*list(ANSWERED)[:4], *NOT_FOUND_QUESTIONS, "Does it?", "ceasefire " * 50])
def test_every_feature_is_a_share_and_the_best_candidate_stands_first(samples: Settings, query: str) -> None:
    library = open_synced(samples.documents, samples)
    question = read_question(query)
    sought = seek(question, library.embedding, library.store.lexicon)
    candidates = describe(question, library.retrieve(query), sought, library.embedding)
    judged = judge(question, candidates, sought)
    for features in [judged, *(candidate.features for candidate in candidates)]:
        assert all(-1e-6 <= value <= 1 + 1e-6 for value in features.values()), features
    assert [c.score for c in candidates] == sorted((c.score for c in candidates), reverse=True)


def test_a_candidate_gives_its_words_on_one_line(samples: Settings) -> None:
    library = open_synced(samples.documents, samples)
    text = "The ferry\r\n   left Brenholm at noon."
    passage = Passage("ab", "a.md", "A", None, 0, len(text), text, 1.0, tuple(find_sentences(text)))
    question = read_question("When?", "ferry")
    sought = seek(question, library.embedding, library.store.lexicon)
    [candidate] = describe(question, [passage], sought, library.embedding)
    assert candidate.words == "The ferry left Brenholm at noon."
    assert candidate.sentence == Sentence(0, len(text))


# -- rows and fields --------------------------------------------------------------------------

PRESENT = "# Minutes\n\nDate: 3 May 2024\nPresent: Marta Lind, Joe Okafor, Sam Rowe\nPlace: the boathouse\n"


@pytest.mark.parametrize("question", ["What is Joe Okafor's salary?", "What is Sam Rowe's telephone number?"])
def test_a_field_that_holds_no_more_than_the_name_does_not_answer(ask_page: Ask, question: str) -> None:
    assert ask_page(PRESENT, question).status != "answered"


def test_a_field_that_holds_what_is_asked_of_the_name_does(ask_page: Ask) -> None:
    reading = ask_page(PRESENT, "Was Joe Okafor present?")
    assert "Joe Okafor" in words_of(reading)[0]
    assert reading.status == "answered"
