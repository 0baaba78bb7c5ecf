from __future__ import annotations

import pytest

from index.embedding.engines import open_embedding
from index.embedding.minilm import MiniLM
from index.embedding.protocol import Embedding
from index.errors import InputError
from index.library import finish
from index.settings import Settings


def test_the_embedded_model_is_the_default(embedding: Embedding) -> None:
    assert isinstance(embedding, MiniLM)


@pytest.mark.parametrize("name", ["text-embedding-3-small", "nonsense"])
def test_a_servers_model_without_a_server_is_an_error_that_names_the_ways_out(name: str) -> None:
    with pytest.raises(InputError) as raised:
        finish(open_embedding(Settings.from_environment({"FOOTNOTE_EMBEDDING": name})))
    assert str(raised.value) == (
        f"FOOTNOTE_EMBEDDING is {name!r}, a server's model, but no server is named: set FOOTNOTE_EMBEDDING_URL, or "
        "OPENAI_API_KEY for OpenAI's, or FOOTNOTE_EMBEDDING=local for the embedded model."
    )


def test_a_key_alone_leaves_the_embedding_on_this_machine(embedding: Embedding) -> None:
    assert isinstance(finish(open_embedding(Settings.from_environment({"OPENAI_API_KEY": "a-key"}))), MiniLM)
