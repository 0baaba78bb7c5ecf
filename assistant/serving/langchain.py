"""Our retriever for LangChain (`pip install footnote[langchain]`).

from assistant.serving.langchain import FootnoteRetriever
documents = FootnoteRetriever(documents="news/").invoke("why was Israel skipped?")
"""

from __future__ import annotations

from pathlib import Path

from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever

from index.documents import Passage
from index.library import finish, open_library
from index.search import search
from index.settings import Settings


class FootnoteRetriever(BaseRetriever):  # type: ignore[misc]
    """Passages of a documents folder, which is synced first, best first, as LangChain's Documents.

    `page_content == document.text[start_index:end_index]`, two of the metadata; `source` is the file's path in the
    folder, and `page` is counted from 1.

    documents, settings: by default those of the environment. count, only: as in `index.search.search`.
    Raises what `open_library` and `search` raise.
    """

    documents: str | Path | None = None
    settings: Settings | None = None
    count: int | None = None
    only: tuple[str, ...] = ()

    def _get_relevant_documents(self, query: str, *, run_manager: object = None) -> list[Document]:
        settings = Settings.choose(self.settings)
        library = finish(open_library(settings.documents if self.documents is None else self.documents, settings))
        return [to_document(passage) for passage in finish(search(library, query, self.count, self.only))]


def to_document(passage: Passage) -> Document:
    """A passage as LangChain's Document."""
    return Document(
        passage.text,
        id=f"{passage.document_id}:{passage.start}-{passage.end}",
        metadata={
            "source": passage.path,
            "title": passage.title,
            "date": passage.date,
            "page": passage.page,
            "context": " › ".join(passage.context),
            "start_index": passage.start,
            "end_index": passage.end,
            "score": passage.score,
        },
    )
