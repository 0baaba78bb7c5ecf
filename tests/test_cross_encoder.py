"""The cross-encoder: what it says of a question and a sentence, and that nothing that it is given breaks it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.embedding.minilm import MiniLM
from index.embedding.protocol import CrossEncoder, Embedding

PAIRS = [
    # A question, what answers it, and what has its words and does not.
    (
        "Who steers the ferry to Brenholm?",
        "Captain Ida Voss has steered the Brenholm ferry since 1998.",
        "The ferry to Brenholm was painted green in 1998.",
    ),
    (
        "When was the bridge closed?",
        "In March 1911 the bridge was closed to all but people on foot.",
        "The bridge is closed by a chain of iron.",
    ),
    (
        "What does a berth cost?",
        "For a berth the harbour asks 40 crowns a night.",
        "A berth must be paid for when the boat arrives.",
    ),
    (
        "Why was the show put off?",
        "The show was put off because the hall had no heating.",
        "The show was put off twice.",
    ),
    ("How many rowers are in the club?", "The club counts 312 rowers.", "The club has many rowers of all ages."),
    ("Where is the key kept?", "The key hangs behind the stove.", "The key was made by a smith from Orm."),
]


def score(model: MiniLM, question: str, texts: list[str]) -> list[float]:
    scores = model.score_pairs(question, texts)
    assert scores is not None
    return scores


def test_the_embedded_model_is_one(embedding: Embedding) -> None:
    assert isinstance(embedding, CrossEncoder)


def test_what_answers_is_above_what_has_its_words_and_both_above_what_speaks_of_something_else(model: MiniLM) -> None:
    """On the whole: of a single pair it may be wrong, and what it says is weighed with other things."""
    answering, near, other = [], [], []
    for question, right, wrong in PAIRS:
        others = [sentence for _, sentence, _ in PAIRS if sentence != right]
        scores = score(model, question, [right, wrong, *others])
        answering.append(scores[0])
        near.append(scores[1])
        other += scores[2:]
    assert sum(answering) > sum(near)
    assert sum(answering) / len(answering) > 0.6
    assert sum(other) / len(other) < 0.15


def test_no_texts_have_no_scores(model: MiniLM) -> None:
    assert score(model, "Who?", []) == []


def test_a_text_has_the_same_score_alone_as_among_others(model: MiniLM) -> None:
    texts = [sentence for _, *both in PAIRS for sentence in both]
    together = score(model, PAIRS[0][0], texts)
    alone = [score(model, PAIRS[0][0], [text])[0] for text in texts]
    assert together == pytest.approx(alone, abs=0.02)


def test_of_a_long_text_the_end_is_read(model: MiniLM) -> None:
    question, right, _ = PAIRS[0]
    long = f"{'It was a fine day at sea. ' * 200}{right}"
    before, after = score(model, question, [long, f"{right} {'It was a fine day at sea. ' * 200}"])
    assert before > 0.3 > after


def test_threads_share_it(model: MiniLM) -> None:
    expected = [score(model, question, [right, near]) for question, right, near in PAIRS]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda pair: score(model, pair[0], list(pair[1:])), PAIRS * 4))
    for one, other in zip(found, expected * 4, strict=True):
        assert one == pytest.approx(other, abs=0.02)


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=300), st.lists(st.text(max_size=3000), max_size=4))
def test_whatever_is_said_has_a_score_between_0_and_1(model: MiniLM, question: str, texts: list[str]) -> None:
    scores = score(model, question, texts)
    assert len(scores) == len(texts)
    assert all(0 <= each <= 1 for each in scores)
