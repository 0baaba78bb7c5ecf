"""An Answer goes through JSON and comes back as it was."""

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answers import NOT_FOUND, Answer, AnswerSentence, Citation, TextDelta, Turn, Usage
from index.documents import Passage
from index.errors import InputError
from index.splitting.sentences import Sentence

# Whatever a document, a file name or a model may hold: every character, lone surrogates of file names included.
texts = st.text(max_size=20) | st.text(st.characters(categories=["Cs", "Cc", "Zl", "So"]), max_size=5)
offsets = st.integers(0, 10**9)
shares = st.floats(0, 1) | st.floats(allow_nan=False, allow_infinity=False)
pages = st.none() | st.integers(1, 5000)

sentences = st.builds(Sentence, offsets, offsets, st.sampled_from(["prose", "heading", "boilerplate"]))
passages = st.builds(
    Passage,
    document_id=texts,
    path=texts,
    title=texts,
    date=st.none() | texts,
    start=offsets,
    end=offsets,
    text=texts,
    score=shares,
    sentences=st.lists(sentences, max_size=3).map(tuple),
    page=pages,
)
citations = st.builds(Citation, st.integers(1, 50), texts, texts, texts, pages, offsets, offsets, texts)
answer_sentences = st.builds(
    AnswerSentence,
    texts,
    st.lists(st.integers(1, 50), max_size=3).map(tuple),
    st.sampled_from(["supported", "partial", "unsupported"]),
    st.none() | st.tuples(offsets, offsets),
)
usages = st.builds(Usage, st.none() | offsets, st.none() | offsets, st.none() | shares, shares, offsets)
answers = st.builds(
    Answer,
    question=texts,
    query=texts,
    text=texts,
    status=st.sampled_from(["answered", "nearest", "not_found"]),
    confidence=st.floats(0, 1),
    model=st.none() | texts,
    usage=st.none() | usages,
    sentences=st.lists(answer_sentences, max_size=3).map(tuple),
    citations=st.lists(citations, max_size=3).map(tuple),
    passages=st.lists(passages, max_size=2).map(tuple),
    notice=texts,
)

SAMPLE = Answer(
    question="why was Israel skipped?",
    query="why was Israel skipped?",
    text="“Trump skipped Israel because …” [1]",
    status="answered",
    confidence=0.8685,
    model="a-model",
    usage=Usage(321, 12, 0.1, 0.2),
    sentences=(AnswerSentence("Trump skipped Israel because …", (1,), "supported"),),
    citations=(
        Citation(1, "0123456789abcdef", "news/tour.md", "The Tour", 2, 20, 50, "Trump skipped Israel because …"),
    ),
    passages=(
        Passage(
            "0123456789abcdef", "news/tour.md", "The Tour", "2025-05-17", 0, 60, "…", 1.0, (Sentence(20, 50),), page=2
        ),
    ),
    notice="",
)


@given(answers)
def test_an_answer_comes_back_from_json_as_it_was(answer: Answer) -> None:
    assert Answer.from_json(answer.to_json()) == answer


@given(answers)
def test_indented_json_says_the_same(answer: Answer) -> None:
    assert Answer.from_json(answer.to_json(indent=2)) == answer


def test_the_json_has_the_documented_fields_and_no_others() -> None:
    fields = json.loads(SAMPLE.to_json())
    assert list(fields) == [
        "question",
        "query",
        "text",
        "status",
        "confidence",
        "model",
        "usage",
        "sentences",
        "citations",
        "passages",
        "notice",
        "found",
    ]
    assert fields["sentences"] == [
        {
            "text": "Trump skipped Israel because …",
            "citations": [1],
            "support": "supported",
            "answer_words": None,
            "lead": "",
            "reason": "",
        },
    ]
    assert fields["citations"] == [
        {
            "number": 1,
            "document_id": "0123456789abcdef",
            "path": "news/tour.md",
            "title": "The Tour",
            "page": 2,
            "start": 20,
            "end": 50,
            "quote": "Trump skipped Israel because …",
            "context": [],
            "kind": "words",
            "content_hash": "",
        }
    ]
    assert fields["usage"] == {
        "prompt_tokens": 321,
        "completion_tokens": 12,
        "first_token_seconds": 0.1,
        "seconds": 0.2,
        "sentences_left_out": 0,
    }
    assert list(fields["passages"][0]) == [
        "document_id",
        "path",
        "title",
        "date",
        "start",
        "end",
        "text",
        "score",
        "sentences",
        "page",
        "page_starts",
        "similarities",
        "context",
        "levels",
    ]
    assert fields["passages"][0]["sentences"] == [{"start": 20, "end": 50, "kind": "prose", "level": 0}]


def test_json_keeps_letters_readable() -> None:
    assert "“Trump" in SAMPLE.to_json()


@pytest.mark.parametrize(
    "thing",
    [
        SAMPLE,
        *SAMPLE.sentences,
        *SAMPLE.citations,
        *SAMPLE.passages,
        SAMPLE.usage,
        TextDelta("piece"),
        Turn("question", "answer"),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_what_a_question_gets_cannot_be_changed(thing: object) -> None:
    field = dataclasses.fields(thing)[0].name  # type: ignore[arg-type]
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(thing, field, None)
    assert hash(thing) == hash(dataclasses.replace(thing))  # type: ignore[type-var]


def test_json_without_a_field_is_refused() -> None:
    fields = json.loads(SAMPLE.to_json())
    del fields["confidence"]
    with pytest.raises(InputError, match="confidence"):
        Answer.from_json(json.dumps(fields))


def test_there_is_one_sentence_for_what_is_not_found() -> None:
    assert NOT_FOUND == "The documents do not say."
