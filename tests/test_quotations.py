"""The answer without a language model: the documents' own sentences, or that they do not say."""

import pytest

from assistant.answers import NOT_FOUND, AnswerSentence
from assistant.question.question import read_question
from assistant.quoting.quotations import quote
from assistant.quoting.reader import Candidate, Reading
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
    answer = quote(read_question("When?", "When? ferry"), [PASSAGE], Reading(CHOSEN, 0.51239), 0.5)
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
    answer = quote(WHEN, [PASSAGE], Reading(CHOSEN, 0.9), 0.5)
    assert [citation.quote for citation in answer.citations] == [
        "The ferry\r\nleft Brenholm at noon.",
        "Captain Ida Voss steered it.",
    ]
    assert all(TEXT[citation.start : citation.end] == citation.quote for citation in answer.citations)
    assert [citation.page for citation in answer.citations] == [2, 2]


@pytest.mark.parametrize(
    ("reading", "confidence"), [(Reading(CHOSEN, 0.49), 0.49), (Reading((), 0.9), 0.9), (Reading((), 0.0), 0.0)]
)
def test_an_unsure_or_empty_reading_is_not_found_and_keeps_the_passages(reading: Reading, confidence: float) -> None:
    answer = quote(WHEN, [PASSAGE], reading, 0.5)
    assert (answer.found, answer.text, answer.sentences, answer.citations) == (False, NOT_FOUND, (), ())
    assert answer.passages == (PASSAGE,)
    assert answer.confidence == confidence


def test_the_threshold_itself_is_sure_enough() -> None:
    assert quote(WHEN, [PASSAGE], Reading(CHOSEN, 0.5), 0.5).found
