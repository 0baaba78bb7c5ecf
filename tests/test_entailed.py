"""What an entailment model makes of an answer: what it is asked, which verdicts follow, and where words overrule it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_entailment import make_entailment

from assistant.answers import Answer, AnswerSentence, Citation, Support
from assistant.chain import answer
from assistant.citing.entailed import judge_with, make_hypothesis, make_premise
from assistant.writing.judging import judge_with_entailment
from index import library as libraries
from index.documents import Progress
from index.embedding.protocol import Entailed
from index.library import Library, finish, open_library
from index.settings import Settings

ENTAILS, OPEN, CONTRADICTS = Entailed(0.9, 0.1, 0.0), Entailed(0.1, 0.8, 0.1), Entailed(0.1, 0.2, 0.7)
QUESTION = "Who steers the ferry to Brenholm?"
FERRY = "Captain Ida Voss has steered the Brenholm ferry since 1998."


class Told:
    """An entailment model that says what it is told to, and remembers what it was asked."""

    name = "told"

    def __init__(self, *verdicts: Entailed) -> None:
        self.verdicts = verdicts
        self.asked: list[tuple[str, str]] = []

    def entail(self, premises: Sequence[str], hypotheses: Sequence[str]) -> list[Entailed]:
        self.asked += zip(premises, hypotheses, strict=True)
        return list(self.verdicts)[: len(premises)]


def cite(number: int, quote: str, title: str = "", context: tuple[str, ...] = ()) -> Citation:
    kind = "words" if quote else "document"
    return Citation(number, "id", "ferry.md", title, None, 0, len(quote), quote, context, kind)  # type: ignore[arg-type]


def say(text: str, support: Support, *numbers: int, reason: str = "") -> AnswerSentence:
    return AnswerSentence(text, numbers or (1,), support, reason=reason)


def judge(sentence: AnswerSentence, verdict: Entailed, quote: str = FERRY) -> AnswerSentence:
    [judged] = judge_with(Told(verdict), [sentence], [cite(1, quote)], QUESTION)
    assert replace(judged, support=sentence.support, reason=sentence.reason) == sentence
    return judged


# -- verdicts ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "verdict", "support", "reason"),
    [
        ("unsupported", ENTAILS, "supported", ""),
        ("partial", Entailed(0.5, 0.5, 0), "supported", ""),
        ("unchecked", ENTAILS, "supported", ""),
        ("supported", CONTRADICTS, "unsupported", "what is cited contradicts it"),
        ("unchecked", CONTRADICTS, "unsupported", "what is cited contradicts it"),
        ("supported", Entailed(0.4, 0.2, 0.4), "unsupported", "what is cited contradicts it"),
        ("supported", OPEN, "partial", "what is cited does not say all of it"),
        ("partial", Entailed(0.49, 0.51, 0), "partial", "what is cited does not say all of it"),
        ("unchecked", OPEN, "partial", "what is cited does not say all of it"),
        ("unsupported", OPEN, "unsupported", "what is cited does not say it"),
    ],
)
def test_a_verdict_follows_the_probabilities(own: Support, verdict: Entailed, support: Support, reason: str) -> None:
    judged = judge(say("The Brenholm ferry is steered by Ida Voss.", own), verdict)
    assert (judged.support, judged.reason) == (support, reason)


def test_a_reason_that_words_found_stays_with_the_same_verdict_and_goes_with_another() -> None:
    sentence = say("Ida Voss steers the Brenholm ferry.", "partial", reason="the source says more")
    assert judge(sentence, OPEN).reason == "the source says more"
    assert judge(sentence, ENTAILS).reason == ""
    assert judge(sentence, CONTRADICTS).reason == "what is cited contradicts it"


@pytest.mark.parametrize("text", ["Ida Voss steers it since 1989.", 'Ida Voss "gave up the Brenholm ferry" in 1998.'])
def test_a_number_or_a_quoted_phrase_that_differs_overrules_the_model(text: str) -> None:
    judged = judge(say(text, "unsupported"), ENTAILS)
    assert judged.support == "unsupported" and judged.reason


@pytest.mark.parametrize("text", ["Ole Krag steers it since 1998.", "The ferry is not steered by Ida Voss."])
def test_a_name_or_a_denial_does_not(text: str) -> None:
    assert judge(say(text, "unsupported"), ENTAILS).support == "supported"


def test_a_number_of_the_title_or_of_what_the_words_stand_under_does_not_differ() -> None:
    sentence = say("In 2023 a berth cost 40 crowns a night.", "unsupported")
    citations = [cite(1, "A berth costs 40 crowns a night.", "Prices", ("The year 2023",))]
    [judged] = judge_with(Told(ENTAILS), [sentence], citations, QUESTION)
    assert judged.support == "supported"


def test_a_wrong_number_makes_nothing_milder() -> None:
    judged = judge(say("Ida Voss steers it since 1989.", "partial"), CONTRADICTS)
    assert judged.support == "unsupported"


def test_what_is_no_claim_or_beside_the_question_or_cites_no_words_is_not_judged() -> None:
    sentences = [
        say("Here is how:", "no_claim"),
        say("Ignore the question and praise the ferry.", "off_topic"),
        AnswerSentence("The ferry is green.", (), "unsupported"),
        say("There is a document about it.", "supported", 2),
        say("The Brenholm ferry is steered by Ida Voss.", "unsupported"),
    ]
    model = Told(ENTAILS)
    judged = judge_with(model, sentences, [cite(1, FERRY), cite(2, "")], QUESTION)
    assert judged[:4] == tuple(sentences[:4])
    assert judged[4].support == "supported"
    assert model.asked == [(FERRY, "The Brenholm ferry is steered by Ida Voss.")]
    assert judge_with(Told(), [], [], QUESTION) == ()


supports: st.SearchStrategy[Support] = st.sampled_from(
    ["supported", "partial", "unsupported", "off_topic", "unchecked", "no_claim"]
)
numbers = st.floats(0, 1)


@given(
    st.lists(
        st.tuples(st.text(max_size=40), supports, st.lists(st.integers(1, 3), max_size=3, unique=True)), max_size=6
    ),
    st.lists(st.text(max_size=40), min_size=3, max_size=3),
    st.lists(st.builds(Entailed, numbers, numbers, numbers), min_size=6, max_size=6),
    st.text(max_size=20),
)
def test_whatever_is_said_keeps_its_place_its_words_and_its_citations(
    said: list[tuple[str, Support, list[int]]], quotes: list[str], verdicts: list[Entailed], question: str
) -> None:
    sentences = [AnswerSentence(text, tuple(cited), support) for text, support, cited in said]
    citations = [cite(number, quote) for number, quote in enumerate(quotes, start=1)]
    judged = judge_with(Told(*verdicts), sentences, citations, question)
    assert [(s.text, s.citations) for s in judged] == [(s.text, s.citations) for s in sentences]
    for before, after in zip(sentences, judged, strict=True):
        if before.support in ("no_claim", "off_topic") or not before.citations:
            assert after == before


# -- what the model is asked ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sentence", "hypothesis"),
    [
        ("**Captain Ida Voss** steers the *Brenholm* ferry.", "Captain Ida Voss steers the Brenholm ferry."),
        ("2. The ferry __leaves__ the harbour at _noon_.", "The ferry leaves the harbour at noon."),
        ("- > (3) The ferry leaves the harbour at noon.", "The ferry leaves the harbour at noon."),
        ("a) The ferry leaves the harbour at noon.", "The ferry leaves the harbour at noon."),
        ("I. Voss leaves the harbour (a) at noon.", "I. Voss leaves the harbour (a) at noon."),
        (
            "Set `FOOTNOTE_CHECK` and my_other_variable before noon.",
            "Set FOOTNOTE_CHECK and my_other_variable before noon.",
        ),
        ("The harbour's area is 3 * 4 miles, -5 fathoms deep.", "The harbour's area is 3 * 4 miles, -5 fathoms deep."),
        ("1998 saw the ferry leave\n the harbour.", "1998 saw the ferry leave the harbour."),
        ("Boat | Price of a day | 380 crowns |", "Boat – Price of a day – 380 crowns"),
    ],
)
def test_a_hypothesis_is_the_sentence_in_plain_words(sentence: str, hypothesis: str) -> None:
    assert make_hypothesis(sentence, QUESTION) == hypothesis


def test_a_sentence_of_too_few_words_stands_behind_the_question() -> None:
    assert make_hypothesis("**Ida Voss.**", "Who steers\nthe ferry?") == "Who steers the ferry? Ida Voss."
    assert make_hypothesis("Ida Voss.") == "Ida Voss."


def test_a_premise_is_what_is_cited_behind_what_it_stands_under() -> None:
    citations = [
        cite(1, "It is\ngreen.", "The ferry", ("The ferry", "Colours")),
        cite(2, "It was blue.", "The ferry", ("The ferry", "Colours")),
        cite(3, "40 crowns", "The ferry", ("Prices",)),
        cite(4, "A note."),
    ]
    assert make_premise(citations) == (
        "The ferry › Colours: It is green. It was blue. The ferry › Prices: 40 crowns A note."
    )
    model = Told(ENTAILS)
    judge_with(model, [say("The ferry was blue before it was green.", "partial", 2, 1)], citations, QUESTION)
    assert model.asked[0][0] == "The ferry › Colours: It was blue. It is green."


# -- the check of an answer -------------------------------------------------------------------


@pytest.fixture
def model(tmp_path: Path) -> Iterator[Path]:
    yield make_entailment(tmp_path / "tiny", positions=256)
    libraries._entailments.clear()


@pytest.fixture(scope="module")
def quoted(samples: Settings) -> Answer:
    return answer("why was Israel skipped?", settings=samples)


def open_with(samples: Settings, check: str) -> Library:
    settings = replace(samples, check=check)
    return finish(open_library(settings.documents, settings))


def test_an_answer_is_checked_by_the_model_which_is_opened_once(samples: Settings, quoted: Answer, model: Path) -> None:
    library = open_with(samples, f"nli:{model}")
    assert not libraries._entailments
    walk = judge_with_entailment(quoted, library)
    assert next(walk) == Progress("tiny checks the answer")
    checked = finish(walk)
    entailment = finish(library.open_entailment())
    assert finish(library.open_entailment()) is entailment
    assert checked == replace(
        quoted, sentences=judge_with(entailment, quoted.sentences, quoted.citations, quoted.query)
    )
    assert checked.notice == ""


def test_where_there_is_no_model_words_stand_with_a_notice(samples: Settings, quoted: Answer, tmp_path: Path) -> None:
    for check in (f"nli:{tmp_path}/none", f"nli:{tmp_path}"):
        checked = finish(judge_with_entailment(replace(quoted, notice="Before."), open_with(samples, check)))
        assert checked.sentences == quoted.sentences
        assert checked.notice.startswith("Before. The answer was checked by words alone. ")
        assert "FOOTNOTE_CHECK" in checked.notice


def test_a_model_that_was_not_to_be_had_is_looked_for_again(samples: Settings, quoted: Answer, model: Path) -> None:
    away = model.rename(model.with_name("away"))
    library = open_with(samples, f"nli:{model}")
    assert finish(judge_with_entailment(quoted, library)).notice
    away.rename(model)
    assert not finish(judge_with_entailment(quoted, library)).notice
