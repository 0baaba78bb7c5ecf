"""The answer without a language model: the documents' own sentences, or that they do not say."""

import pytest

from assistant.answers import NEAREST, NOT_FOUND, AnswerSentence
from assistant.question.question import read_question
from assistant.quoting.quotations import quote
from assistant.quoting.reader import NOTHING, Candidate, Reading
from index.documents import Passage
from index.splitting.sentences import find_sentences

WHEN = read_question("When?")
TEXT = "The ferry\r\nleft Brenholm at noon. Captain Ida Voss steered it."
PASSAGE = Passage("ab12", "ferry.md", "The Ferry", None, 0, len(TEXT), TEXT, 1.0, tuple(find_sentences(TEXT)), page=2)
CHOSEN = tuple(
    Candidate(PASSAGE, sentence, i, " ".join(PASSAGE.words_of(sentence).split()), {}, 1.0)
    for i, sentence in enumerate(PASSAGE.sentences)
)


def test_each_chosen_sentence_is_quoted_with_its_marker() -> None:
    answer = quote(read_question("When?", "When? ferry"), [PASSAGE], Reading(CHOSEN, 0.51239, "answered"))
    assert answer.text == "“The ferry left Brenholm at noon.” [1]\n\n“Captain Ida Voss steered it.” [2]"
    assert answer.found
    assert (answer.question, answer.query, answer.confidence) == ("When?", "When? ferry", 0.5124)
    assert answer.sentences == (
        AnswerSentence("The ferry left Brenholm at noon.", (1,), "supported"),
        AnswerSentence("Captain Ida Voss steered it.", (2,), "supported"),
    )
    assert (answer.model, answer.usage, answer.notice) == (None, None, "")
    assert answer.passages == (PASSAGE,)


def test_citations_hold_the_exact_words_line_ends_included() -> None:
    answer = quote(WHEN, [PASSAGE], Reading(CHOSEN, 0.9, "answered"))
    assert [citation.quote for citation in answer.citations] == [
        "The ferry\r\nleft Brenholm at noon.",
        "Captain Ida Voss steered it.",
    ]
    assert all(TEXT[citation.start : citation.end] == citation.quote for citation in answer.citations)
    assert [citation.page for citation in answer.citations] == [2, 2]


def test_the_nearest_is_quoted_under_words_that_say_so_and_is_not_found() -> None:
    answer = quote(WHEN, [PASSAGE], Reading(CHOSEN[:1], 0.2, "nearest"))
    assert answer.text == f"{NEAREST}\n\n“The ferry left Brenholm at noon.” [1]"
    assert (answer.status, answer.found, len(answer.citations)) == ("nearest", False, 1)


@pytest.mark.parametrize("reading", [Reading(CHOSEN, 0.02, "not_found"), NOTHING])
def test_an_unsure_or_empty_reading_is_not_found_and_keeps_the_passages(reading: Reading) -> None:
    answer = quote(WHEN, [PASSAGE], reading)
    assert (answer.status, answer.found, answer.text) == ("not_found", False, NOT_FOUND)
    assert (answer.sentences, answer.citations, answer.passages) == ((), (), (PASSAGE,))
    assert answer.confidence == reading.confidence
