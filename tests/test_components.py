from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest
from llama_index.core import VectorStoreIndex
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.schema import TextNode

from index.components import FootnoteEmbedding, FootnoteRetriever
from index.documents import identify
from index.embedding.protocol import Embedding
from index.settings import Settings

pytestmark = pytest.mark.usefixtures("embedding")


def test_the_retriever_gives_nodes_that_carry_their_offsets(folder: Path) -> None:
    text = "# The bridge\n\n2025-05-13\n\nThe bridge is closed until autumn.\n"
    (folder / "bridge.md").write_text(text)
    (folder / "bakery.txt").write_text("Our sourdough needs two days.")
    retriever = FootnoteRetriever(folder)
    assert isinstance(retriever, BaseRetriever)
    best, other = retriever.retrieve("Is the bridge open?")
    assert best.score is not None and other.score is not None and best.score > other.score
    node = best.node
    assert isinstance(node, TextNode)
    assert node.text == text[node.start_char_idx : node.end_char_idx] == text
    assert node.metadata == {"path": "bridge.md", "title": "The bridge", "date": "2025-05-13", "page": None}
    assert node.node_id == f"{identify('bridge.md')}:0"


def test_the_retriever_sees_a_file_that_was_added_after_it_was_made(folder: Path, settings: Settings) -> None:
    (folder / "a.txt").write_text("Our sourdough needs two days.")
    retriever = FootnoteRetriever(str(folder), settings)
    assert len(retriever.retrieve("bridge")) == 1
    (folder / "b.txt").write_text("The bridge is closed until autumn.")
    found = asyncio.run(retriever.aretrieve("bridge"))
    assert [node.metadata["path"] for node in found] == ["b.txt", "a.txt"]


def test_the_embedding_serves_an_index_of_llama_index(embedding: Embedding) -> None:
    model = FootnoteEmbedding()
    assert isinstance(model, BaseEmbedding)
    assert model.model_name == embedding.name
    texts = ["The bridge is closed.", "Our bread needs two days."]
    assert np.allclose(model.get_text_embedding_batch(texts), embedding.embed(texts), atol=2e-3)
    assert np.allclose(asyncio.run(model.aget_query_embedding("bridge")), model.get_query_embedding("bridge"))
    index = VectorStoreIndex(nodes=[TextNode(text=text) for text in texts], embed_model=model)
    (best,) = index.as_retriever(similarity_top_k=1).retrieve("Can I cross the river?")
    assert best.node.get_content() == texts[0]
