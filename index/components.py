"""Our retriever, embedder and reranker as real llama-index components, so that its users can take one alone.

from index.components import FootnoteEmbedding, FootnoteReranker, FootnoteRetriever
nodes = FootnoteRetriever("news/").retrieve("why was Israel skipped?")
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle, TextNode

from index.documents import Passage
from index.embedding.engines import open_embedding
from index.embedding.protocol import Embedding
from index.errors import InputError
from index.library import check_question, finish, open_library, read_text
from index.search import search
from index.searching.reranking import Reranker, open_reranker
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


class FootnoteReranker(BaseNodePostprocessor):  # type: ignore[misc]
    """The reranker that the settings name: the `top_n` nodes that it scores highest, best first, with its scores.

    llama-index's own for Cohere and Jina each speak to one form of server, without an end to what it may answer.
    Raises InputError where the settings name none, ModelError where it does not answer.
    """

    top_n: int = 8
    _reranker: Reranker = PrivateAttr()

    def __init__(self, settings: Settings | None = None, **options: Any) -> None:
        reranker = open_reranker(Settings.choose(settings))
        if reranker is None:
            raise InputError("No reranker is named: set FOOTNOTE_RERANKER, and FOOTNOTE_RERANKER_URL for its server.")
        super().__init__(**options)
        self._reranker = reranker

    @classmethod
    def class_name(cls) -> str:
        """The name that llama-index serialises it by."""
        return "FootnoteReranker"

    def _postprocess_nodes(
        self, nodes: list[NodeWithScore], query_bundle: QueryBundle | None = None
    ) -> list[NodeWithScore]:
        if query_bundle is None:
            raise InputError("There is no query to order the nodes by: give one.")
        if not nodes:
            return []
        texts = [node.node.get_content(metadata_mode=MetadataMode.EMBED) for node in nodes]
        scores = self._reranker.score(read_text(query_bundle.query_str, "The query"), texts)
        ranked = sorted(zip(nodes, scores, strict=True), key=lambda pair: -pair[1])
        return [NodeWithScore(node=node.node, score=score) for node, score in ranked[: self.top_n]]


class FootnoteRetriever(BaseRetriever):  # type: ignore[misc]
    """Passages of a documents folder, which is synced first. Nodes carry the offsets of their text.

    Raises ModelError where a server is to embed or to order, and does not answer.
    """

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
        return [to_node(passage) for passage in finish(search(self._library, query_bundle.query_str))]


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
