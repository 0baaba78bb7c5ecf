"""Our retriever, embedder and reranker as real llama-index components, so that its users can take one alone.

from index.components import FootnoteEmbedding, FootnoteReranker, FootnoteRetriever
nodes = FootnoteRetriever("news/").retrieve("why was Israel skipped?")

They are safe to share between threads, to copy and to pickle: what they open is the process's, and opened once. None of
them reads or sets llama-index's global Settings. What is written with `to_dict` holds no key: `from_dict` takes the
settings from the environment, or `from_dict(data, settings=...)`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llama_index.core import instrumentation
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.bridge.pydantic import Field
from llama_index.core.callbacks import CallbackManager
from llama_index.core.callbacks.schema import CBEventType, EventPayload
from llama_index.core.instrumentation.events.rerank import ReRankEndEvent, ReRankStartEvent
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.schema import (
    MetadataMode,
    NodeRelationship,
    NodeWithScore,
    QueryBundle,
    RelatedNodeInfo,
    TextNode,
)

from index.documents import Passage
from index.errors import InputError
from index.library import check_question, finish, open_library, read_text, share_embedding
from index.search import search
from index.searching.reranking import Reranker, open_reranker
from index.settings import Settings

_dispatcher = instrumentation.get_dispatcher(__name__)


class FootnoteEmbedding(BaseEmbedding):  # type: ignore[misc]
    """The embedding that the settings name, the embedded all-MiniLM-L6-v2 by default.

    model_name: told by the model itself; where it is given, as `from_dict` does, another model is an InputError.
    """

    settings: Settings = Field(exclude=True, repr=False)

    def __init__(self, settings: Settings | None = None, *, model_name: str = "", **options: Any) -> None:
        settings = Settings.choose(settings)
        name = finish(share_embedding(settings)).name
        if model_name not in ("", name):
            raise InputError(
                f"The vectors are to be those of {model_name}, and the settings name {name}: set FOOTNOTE_EMBEDDING, "
                "or give settings."
            )
        super().__init__(settings=settings, model_name=name, **options)

    @classmethod
    def class_name(cls) -> str:
        """The name that llama-index serialises it by."""
        return "FootnoteEmbedding"

    def _get_query_embedding(self, query: str) -> list[float]:
        row = finish(share_embedding(self.settings)).embed_query(read_text(query, "The query"))
        return [float(value) for value in row]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        rows = finish(share_embedding(self.settings)).embed([read_text(text, "A text") for text in texts])
        return [[float(value) for value in row] for row in rows]

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return await asyncio.to_thread(self._get_query_embedding, query)

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return await asyncio.to_thread(self._get_text_embedding, text)

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return await asyncio.to_thread(self._get_text_embeddings, texts)


class FootnoteReranker(BaseNodePostprocessor):  # type: ignore[misc]
    """The reranker that the settings name: the `top_n` nodes that it scores highest, best first, with its scores.

    llama-index's own for Cohere and Jina each speak to one form of server, without an end to what it may answer.
    Raises InputError where the settings name none, ModelError where it does not answer.
    """

    top_n: int = 8
    settings: Settings = Field(exclude=True, repr=False)

    def __init__(self, settings: Settings | None = None, **options: Any) -> None:
        settings = Settings.choose(settings)
        _open_reranker(settings)
        super().__init__(settings=settings, **options)

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
        query, model = read_text(query_bundle.query_str, "The query"), self.settings.reranker
        _dispatcher.event(ReRankStartEvent(query=query_bundle, nodes=nodes, top_n=self.top_n, model_name=model))
        told = {
            EventPayload.NODES: nodes,
            EventPayload.MODEL_NAME: model,
            EventPayload.QUERY_STR: query,
            EventPayload.TOP_K: self.top_n,
        }
        with self.callback_manager.event(CBEventType.RERANKING, payload=told) as event:
            texts = [node.node.get_content(metadata_mode=MetadataMode.EMBED) for node in nodes]
            scores = _open_reranker(self.settings).score(query, texts)
            order = sorted(zip(nodes, scores, strict=True), key=lambda pair: -pair[1])
            ranked = [NodeWithScore(node=node.node, score=score) for node, score in order[: self.top_n]]
            event.on_end(payload={EventPayload.NODES: ranked})
        _dispatcher.event(ReRankEndEvent(nodes=ranked))
        return ranked


class FootnoteRetriever(BaseRetriever):  # type: ignore[misc]
    """Passages of a documents folder, which is synced first. Nodes carry the offsets of their text.

    count: how many, up to 50; by default as many as the settings say.
    only: the paths of the files or folders that are searched, or patterns; by default all.
    Raises what `search` raises, and where it is made what `open_library` does.
    """

    def __init__(
        self,
        documents: str | Path | None = None,
        settings: Settings | None = None,
        *,
        count: int | None = None,
        only: Sequence[str] = (),
        callback_manager: CallbackManager | None = None,
    ) -> None:
        self._settings = Settings.choose(settings)
        self._documents = self._settings.documents if documents is None else documents
        self._count, self._only = count, only
        finish(open_library(self._documents, self._settings))
        super().__init__(callback_manager)

    def retrieve(self, str_or_query_bundle: str | QueryBundle) -> list[NodeWithScore]:
        """The nodes that best match a query, best first."""
        nodes: list[NodeWithScore] = super().retrieve(read_query(str_or_query_bundle))
        return nodes

    async def aretrieve(self, str_or_query_bundle: str | QueryBundle) -> list[NodeWithScore]:
        """The same, awaited."""
        nodes: list[NodeWithScore] = await super().aretrieve(read_query(str_or_query_bundle))
        return nodes

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        # Opened anew, which costs nothing while it is open: another part of the program may have closed it.
        library = finish(open_library(self._documents, self._settings))
        return [
            to_node(passage) for passage in finish(search(library, query_bundle.query_str, self._count, self._only))
        ]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


def read_query(query: object) -> QueryBundle:
    """llama-index's form of a query.

    Raises InputError where it is no question, before llama-index stumbles over it.
    """
    return QueryBundle(check_question(getattr(query, "query_str", query)))


def to_node(passage: Passage) -> NodeWithScore:
    """A passage as a llama-index node, with the document's record in its metadata."""
    metadata = {
        "path": passage.path,
        "title": passage.title,
        "date": passage.date,
        "page": passage.page,
        "context": " › ".join(passage.context),
    }
    node = make_node(passage.document_id, passage.start, passage.end, passage.text, metadata)
    return NodeWithScore(node=node, score=passage.score)


def make_node(document_id: str, start: int, end: int, text: str, metadata: Mapping[str, str | int | None]) -> TextNode:
    """A node of a document's words, whose id is its `ref_doc_id`.

    metadata: flat, as stores of vectors want it; what is None or "" is shown to no model.
    """
    unknown = [name for name, value in metadata.items() if value in (None, "")]
    return TextNode(
        id_=f"{document_id}:{start}-{end}",
        text=text,
        start_char_idx=start,
        end_char_idx=end,
        metadata=dict(metadata),
        excluded_embed_metadata_keys=unknown,
        excluded_llm_metadata_keys=unknown,
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=document_id)},
    )


def _open_reranker(settings: Settings) -> Reranker:
    reranker = open_reranker(settings)
    if reranker is None:
        raise InputError("No reranker is named: set FOOTNOTE_RERANKER, and FOOTNOTE_RERANKER_URL for its server.")
    return reranker
