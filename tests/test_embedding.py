from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from benchmarks.local_server import LocalHandler, LocalServer
from index.embedding.engines import open_embedding
from index.embedding.minilm import MiniLM
from index.embedding.protocol import Embedding
from index.errors import InputError
from index.library import finish
from index.settings import Settings


@pytest.fixture
def server() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that speaks OpenAI's embeddings protocol: a text's vector is (its length, 1, 2). With its requests."""
    requests: list[dict[str, Any]] = []

    class Handler(LocalHandler):
        def do_POST(self) -> None:  # noqa: N802
            request = self.take()
            requests.append({"path": self.path, "key": self.headers["Authorization"], **request})
            texts = request["input"] if isinstance(request["input"], list) else [request["input"]]
            data = [{"object": "embedding", "index": i, "embedding": [len(text), 1, 2]} for i, text in enumerate(texts)]
            reply = {
                "object": "list",
                "model": request["model"],
                "data": data,
                "usage": {"prompt_tokens": 1, "total_tokens": 1},
            }
            self.send("application/json", json.dumps(reply).encode())

    with LocalServer(Handler) as server:
        yield server.base_url, requests


def test_the_embedded_model_is_the_default(embedding: Embedding) -> None:
    assert isinstance(embedding, MiniLM)


@pytest.mark.parametrize(
    "environment", [{"FOOTNOTE_EMBEDDING": "text-embedding-3-small"}, {"FOOTNOTE_EMBEDDING": "nonsense"}]
)
def test_an_openai_model_without_a_key_is_an_error_that_names_both_ways_out(environment: dict[str, str]) -> None:
    with pytest.raises(InputError) as raised:
        finish(open_embedding(Settings.from_environment(environment)))
    assert str(raised.value) == (
        f"FOOTNOTE_EMBEDDING is {environment['FOOTNOTE_EMBEDDING']!r}, an OpenAI model, but OPENAI_API_KEY is not set: "
        "set the key, or FOOTNOTE_EMBEDDING=local for the embedded model."
    )


def test_an_openai_model_gives_unit_vectors_in_the_order_given(server: tuple[str, list[dict[str, Any]]]) -> None:
    url, requests = server
    embedding: Embedding = finish(
        open_embedding(
            Settings.from_environment(
                {"FOOTNOTE_EMBEDDING": "text-embedding-3-small", "OPENAI_API_KEY": "a-key", "OPENAI_BASE_URL": url}
            )
        )
    )
    texts = ["a" * number for number in (5, 1, 300, 7)]
    vectors = embedding.embed(texts)
    expected = np.array([[len(text), 1, 2] for text in texts], dtype=np.float32)
    assert vectors.dtype == np.float32
    assert np.allclose(vectors, expected / np.linalg.norm(expected, axis=1, keepdims=True))
    assert np.allclose(embedding.embed_query("aaaaa"), vectors[0])
    assert embedding.name == "openai:text-embedding-3-small"
    assert {(r["path"], r["key"], r["model"]) for r in requests} == {
        ("/v1/embeddings", "Bearer a-key", "text-embedding-3-small")
    }


def test_the_tokens_of_an_openai_model_are_estimated(server: tuple[str, list[dict[str, Any]]]) -> None:
    url, requests = server
    settings = Settings.from_environment({"FOOTNOTE_EMBEDDING": "text-embedding-3-small", "OPENAI_BASE_URL": url})
    embedding: Embedding = finish(open_embedding(settings))
    assert embedding.count_tokens(["", "word", "word " * 100]) == [1, 2, 126]
    assert requests == []
