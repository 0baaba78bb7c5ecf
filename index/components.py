"""Our retriever and embedder as real llama-index components, so that its users can take one alone.

from index.components import FootnoteEmbedding, FootnoteRetriever
nodes = FootnoteRetriever("news/").retrieve("why was Israel skipped?")
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from index.documents import Passage
from index.embedding.engines import open_embedding
from index.embedding.protocol import Embedding
from index.library import check_question, finish, open_library, read_text
from index.settings import Settings


class FootnoteEmbedding(BaseEmbedding):  # type: ignore[misc]
    """The embedding that the settings name, the embedded all-MiniLM-L6-v2 by default."""

    _embedding: Embedding = PrivateAttr()

    def __init__(self, settings: Settings | None = None, **options: Any) -> None:
        embedding: Embedding = finish(open_embedding(Settings.choose(settings)))
        super().__init__(model_name=embedding.name, **options)
        self._embedding = embedding

    @classmethod
    def class_name(cls) -> str:
        """The name that llama-index serialises it by."""
        return "FootnoteEmbedding"

    def _get_query_embedding(self, query: str) -> list[float]:
        return [float(value) for value in self._embedding.embed_query(read_text(query, "The query"))]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        rows = self._embedding.embed([read_text(text, "A text") for text in texts])
        return [[float(value) for value in row] for row in rows]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)


class FootnoteRetriever(BaseRetriever):  # type: ignore[misc]
    """Passages of a documents folder, which is synced first. Nodes carry the offsets of their text."""

    def __init__(self, documents: str | Path | None = None, settings: Settings | None = None) -> None:
        settings = Settings.choose(settings)
        self._library = finish(open_library(settings.documents if documents is None else documents, settings))
        super().__init__()

    def retrieve(self, str_or_query_bundle: str | QueryBundle) -> list[NodeWithScore]:
        """The nodes that best match a query, best first."""
        nodes: list[NodeWithScore] = super().retrieve(read_query(str_or_query_bundle))
        return nodes

    async def aretrieve(self, str_or_query_bundle: str | QueryBundle) -> list[NodeWithScore]:
        """The same, awaited."""
        nodes: list[NodeWithScore] = await super().aretrieve(read_query(str_or_query_bundle))
        return nodes

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        finish(self._library.sync(patient=False))
        return [to_node(passage) for passage in self._library.retrieve(query_bundle.query_str)]


def read_query(query: object) -> QueryBundle:
    """llama-index's form of a query.

    Raises InputError where it is no question, before llama-index stumbles over it.
    """
    return QueryBundle(check_question(getattr(query, "query_str", query)))


def to_node(passage: Passage) -> NodeWithScore:
    """A passage as a llama-index node, with the document's record in its metadata."""
    node = TextNode(
        id_=f"{passage.document_id}:{passage.start}",
        text=passage.text,
        start_char_idx=passage.start,
        end_char_idx=passage.end,
        metadata={"path": passage.path, "title": passage.title, "date": passage.date, "page": passage.page},
    )
    return NodeWithScore(node=node, score=passage.score)
