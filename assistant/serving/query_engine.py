"""The whole of Footnote as a llama-index query engine: the same Answer, in llama-index's Response."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.response.schema import Response
from llama_index.core.schema import QueryBundle

from assistant.chain import answer
from index.components import read_query, to_node
from index.settings import Settings


class FootnoteQueryEngine(BaseQueryEngine):  # type: ignore[misc]
    """Answers from a documents folder; `response.metadata["answer"]` is the Answer with its citations."""

    def __init__(self, documents: str | Path | None = None, settings: Settings | None = None) -> None:
        self._documents = documents
        self._settings = settings
        super().__init__(callback_manager=None)

    def query(self, str_or_query_bundle: str | QueryBundle) -> Response:
        """The answer to a question, as llama-index's Response."""
        return super().query(read_query(str_or_query_bundle))

    async def aquery(self, str_or_query_bundle: str | QueryBundle) -> Response:
        """The same, awaited."""
        return await super().aquery(read_query(str_or_query_bundle))

    def _query(self, query_bundle: QueryBundle) -> Response:
        result = answer(query_bundle.query_str, self._documents, settings=self._settings)
        return Response(result.text, [to_node(passage) for passage in result.passages], {"answer": result})

    async def _aquery(self, query_bundle: QueryBundle) -> Response:
        return await asyncio.to_thread(self._query, query_bundle)

    def _get_prompt_modules(self) -> dict[str, Any]:
        return {}
