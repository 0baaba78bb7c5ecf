"""The whole of Footnote as a llama-index query engine: the same Answer, in llama-index's Response, and as a tool.

from assistant import FootnoteQueryEngine
response = FootnoteQueryEngine("news/").query("why was Israel skipped?")
response.source_nodes[0].node.start_char_idx, response.metadata["answer"].status
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import (
    RESPONSE_TYPE,
    AsyncStreamingResponse,
    Response,
    StreamingResponse,
)
from llama_index.core.callbacks import CallbackManager
from llama_index.core.callbacks.schema import CBEventType, EventPayload
from llama_index.core.schema import NodeWithScore, QueryBundle
from llama_index.core.tools import QueryEngineTool

from assistant.answers import NOT_FOUND, Answer, Citation, TextDelta
from assistant.chain import answer, stream_answer
from assistant.serving.answering import Answering
from index.components import make_node, read_query
from index.settings import Settings, read_path, shorten


class FootnoteQueryEngine(BaseQueryEngine):  # type: ignore[misc]
    """Answers from a documents folder; `response.metadata["answer"]` is the Answer, whole.

    `response.source_nodes` are the words that the answer cites, `[1]` first: a node's text is the quotation, and its
    `start_char_idx` and `end_char_idx` say where it stands in the document. A refusal cites nothing and has none; the
    nearest passages are the Answer's. A node's score is that of the passage that holds it, None where none does.

    only: the paths of the files or folders that are asked, or patterns; by default all.
    streaming: `query` gives a StreamingResponse, whose source nodes and metadata are filled when its text is over. That
        is the Answer's text. But: what TextDelta says of a model's thoughts may stand before it.
    Raises FootnoteError as `assistant.answer` does, at `query`, not where the text is read.
    """

    def __init__(
        self,
        documents: str | Path | None = None,
        settings: Settings | None = None,
        *,
        only: Sequence[str] = (),
        streaming: bool = False,
        callback_manager: CallbackManager | None = None,
    ) -> None:
        self._documents = documents
        self._settings = settings
        self._only = only
        self._streaming = streaming
        super().__init__(callback_manager)

    def as_tool(self, name: str = "ask_documents", description: str = "") -> QueryEngineTool:
        """The engine as an agent's tool; what it gives out as `raw_output` is the Response, not streamed.

        description: what the documents are good for, where the agent has several tools; it stands before the rest.
        """
        documents = Settings.choose(self._settings).documents if self._documents is None else self._documents
        folder = shorten(read_path(documents, "The documents folder").absolute().name)
        told = description.strip() or f"Answers a question from the documents in the folder {folder}."
        engine = FootnoteQueryEngine(
            self._documents, self._settings, only=self._only, callback_manager=self.callback_manager
        )
        return QueryEngineTool.from_defaults(engine, name, f"{told} {_HOW_TO_ASK}")

    def query(self, str_or_query_bundle: str | QueryBundle) -> RESPONSE_TYPE:
        """The answer to a question, as llama-index's Response, or StreamingResponse."""
        return super().query(read_query(str_or_query_bundle))

    async def aquery(self, str_or_query_bundle: str | QueryBundle) -> RESPONSE_TYPE:
        """The same, awaited: a Response, or AsyncStreamingResponse."""
        return await super().aquery(read_query(str_or_query_bundle))

    def _query(self, query_bundle: QueryBundle) -> RESPONSE_TYPE:
        with self._tell(query_bundle) as event:
            response = self._stream(query_bundle.query_str) if self._streaming else self._answer(query_bundle.query_str)
            event.on_end(payload={EventPayload.RESPONSE: response})
        return response

    async def _aquery(self, query_bundle: QueryBundle) -> RESPONSE_TYPE:
        with self._tell(query_bundle) as event:
            response = (
                await self._astream(query_bundle.query_str)
                if self._streaming
                else await asyncio.to_thread(self._answer, query_bundle.query_str)
            )
            event.on_end(payload={EventPayload.RESPONSE: response})
        return response

    def _tell(self, query_bundle: QueryBundle) -> Any:
        """The event that llama-index's callbacks know a query by."""
        return self.callback_manager.event(CBEventType.QUERY, payload={EventPayload.QUERY_STR: query_bundle.query_str})

    def _answer(self, question: str) -> Response:
        result = answer(question, self._documents, only=self._only, settings=self._settings)
        return Response(result.text, to_source_nodes(result), {"answer": result})

    def _stream(self, question: str) -> StreamingResponse:
        nodes: list[NodeWithScore] = []
        metadata: dict[str, Any] = {}
        pieces = self._speak(question, nodes, metadata)
        first = next(pieces, "")  # what cannot be answered at all is raised here

        def go_on() -> Iterator[str]:
            yield first
            yield from pieces

        return StreamingResponse(go_on(), nodes, metadata)

    async def _astream(self, question: str) -> AsyncStreamingResponse:
        nodes: list[NodeWithScore] = []
        metadata: dict[str, Any] = {}
        pieces = Answering().follow(lambda: self._speak(question, nodes, metadata))
        first = await anext(pieces, "")

        async def go_on() -> AsyncIterator[str]:
            async with aclosing(pieces):
                yield first
                async for piece in pieces:
                    yield piece

        return AsyncStreamingResponse(go_on(), nodes, metadata)

    def _speak(self, question: str, nodes: list[NodeWithScore], metadata: dict[str, Any]) -> Iterator[str]:
        """The answer's text as it becomes certain; then `nodes` and `metadata` are filled."""
        for event in stream_answer(question, self._documents, only=self._only, settings=self._settings):
            if isinstance(event, TextDelta):
                yield event.text
            elif isinstance(event, Answer):
                metadata["answer"] = event  # the last one stays
        nodes += to_source_nodes(metadata["answer"])

    def _get_prompt_modules(self) -> dict[str, Any]:
        return {}


_HOW_TO_ASK = (
    "Ask one whole question in plain words, with the names that it is about. Each sentence of the answer ends in "
    "numbers in brackets, [1], which stand for the exact words that it rests on: keep them where you use it. "
    f"“{NOT_FOUND}” means that the documents hold no answer."
)


def to_source_nodes(result: Answer) -> list[NodeWithScore]:
    """What an answer cites, in the order of the numbers, as llama-index's nodes.

    metadata: `number`; `path`, `title`, `page`, `context` of the words cited; `kind` as in Citation; `support`: the
    verdicts of the sentences that cite them, each once.
    """
    return [_to_source_node(citation, result) for citation in result.citations]


def _to_source_node(citation: Citation, result: Answer) -> NodeWithScore:
    verdicts = (sentence.support for sentence in result.sentences if citation.number in sentence.citations)
    scores = (
        passage.score
        for passage in result.passages
        if passage.document_id == citation.document_id
        and passage.start <= citation.start <= citation.end <= passage.end
    )
    metadata: dict[str, str | int | None] = {
        "number": citation.number,
        "path": citation.path,
        "title": citation.title,
        "page": citation.page,
        "context": " › ".join(citation.context),
        "kind": citation.kind,
        "support": ", ".join(dict.fromkeys(verdicts)),
    }
    node = make_node(citation.document_id, citation.start, citation.end, citation.quote, metadata)
    return NodeWithScore(node=node, score=next(scores, None))
