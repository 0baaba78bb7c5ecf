from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from index.embedding.minilm import DIMENSIONS, MOST_TOKENS, MiniLM
from index.embedding.protocol import Embedding
from index.embedding.weights import SHA256

# Made with sentence-transformers and PyTorch from the same weights.
REFERENCE = json.loads((Path(__file__).parent / "reference_vectors.json").read_text(encoding="utf-8"))["vectors"]
TEXTS = [row["text"] for row in REFERENCE]
VECTORS = np.array([np.frombuffer(base64.b64decode(row["float32_base64"]), dtype="<f4") for row in REFERENCE])

# OpenVINO computes in bfloat16 where the processor has it (measured: 0.99997), in float32 elsewhere.
LEAST_COSINE = 0.9998


@pytest.fixture
def embedding(model: MiniLM) -> Embedding:
    """The model itself, not what it said before."""
    return model


def test_vectors_are_those_of_the_model_as_published(embedding: Embedding) -> None:
    vectors = embedding.embed(TEXTS)
    cosines = dict(zip(TEXTS, (vectors * VECTORS).sum(axis=1), strict=True))
    assert {text: cosine for text, cosine in cosines.items() if cosine < LEAST_COSINE} == {}


def test_a_query_is_embedded_as_a_text_is(embedding: Embedding) -> None:
    for text, vector in zip(TEXTS, embedding.embed(TEXTS), strict=True):
        query = embedding.embed_query(text)
        assert query.shape == (DIMENSIONS,)
        assert query @ vector > LEAST_COSINE


def test_a_text_has_the_same_vector_in_a_batch_as_alone_and_in_its_own_row(embedding: Embedding) -> None:
    # Long and short mixed, more than one batch, so that the order that they are computed in is not the one given.
    texts = [f"{number} " + "sentence about the budget " * (number * 7 % 40) for number in range(60)]
    together = embedding.embed(texts)
    alone = np.concatenate([embedding.embed([text]) for text in texts])
    assert together.shape == (60, DIMENSIONS)
    assert np.abs(together - alone).max() < 2e-3
    assert ((alone @ together.T).argmax(axis=1) == np.arange(60)).all()


def test_vectors_are_of_unit_length_and_of_four_byte_floats(embedding: Embedding) -> None:
    vectors = embedding.embed(TEXTS)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_no_texts_have_no_vectors(embedding: Embedding) -> None:
    assert embedding.embed([]).shape == (0, DIMENSIONS)


def test_a_text_is_cut_at_the_length_that_the_model_was_published_with(embedding: Embedding) -> None:
    # Two tokens frame a text, and "word" is one.
    fits, beyond = "word " * (MOST_TOKENS - 2), "word " * (MOST_TOKENS - 2) + "Qatar"
    within = "word " * (MOST_TOKENS - 3) + "Qatar"
    assert embedding.count_tokens([fits, beyond, within]) == [MOST_TOKENS - 2, MOST_TOKENS - 1, MOST_TOKENS - 2]
    cut, uncut = embedding.embed([beyond, within]) @ embedding.embed([fits])[0]
    assert cut > 0.9999
    assert uncut < 0.999


def test_meaning_is_nearer_than_words(embedding: Embedding) -> None:
    question, answer, other = embedding.embed(
        ["How old is the mayor?", "The head of the town council is 57 years of age.", "How old is the bridge?"]
    )
    weather = embedding.embed_query("It will rain tomorrow in the north.")
    assert question @ answer > question @ weather
    assert question @ other > question @ weather


@pytest.mark.parametrize(
    ("text", "count"), [("", 0), (" \n", 0), ("mayor", 1), ("the mayor left.", 4), ("机器学习", 4), ("unaffable", 3)]
)
def test_tokens_are_counted_without_those_that_frame_a_text(embedding: Embedding, text: str, count: int) -> None:
    assert embedding.count_tokens([text]) == [count]


def test_tokens_are_counted_beyond_the_models_length(embedding: Embedding) -> None:
    assert embedding.count_tokens(["word " * 5000, "word"]) == [5000, 1]


def test_threads_share_it_and_get_the_vectors_that_one_would(embedding: Embedding) -> None:
    texts = [f"Thread {number} asks for " + "the budget " * (number * 5 % 30) for number in range(24)]
    expected = np.concatenate([embedding.embed([text]) for text in texts])
    with ThreadPoolExecutor(6) as threads:
        vectors = list(threads.map(embedding.embed_query, texts * 3))
    assert np.abs(np.array(vectors) - np.concatenate([expected] * 3)).max() < 1e-5


def test_its_name_names_the_weights(embedding: Embedding) -> None:
    assert embedding.name == f"all-MiniLM-L6-v2@{SHA256['model.safetensors'][:12]}"
