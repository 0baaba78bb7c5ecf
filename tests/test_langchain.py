"""Our retriever in plain LangChain programs."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from langchain_core.documents import Document
from langchain_core.language_models.fake_chat_models import ParrotFakeChatModel
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnablePassthrough

from assistant.serving.langchain import FootnoteRetriever
from index.components import FootnoteRetriever as LlamaIndexRetriever
from index.errors import FolderError, InputError
from index.settings import Settings

pytestmark = pytest.mark.usefixtures("embedding")

FERRY = "# The ferry\n\n## Crew\n\nCaptain Ida Voss steers the Brenholm ferry. It has two decks.\n"
QUESTION = "Who steers the Brenholm ferry?"


@pytest.fixture
def ferry(folder: Path) -> Path:
    (folder / "ferry.md").write_text(FERRY, encoding="utf-8")
    (folder / "bakery.txt").write_text("Our sourdough needs two days.", encoding="utf-8")
    return folder


def test_the_retriever_gives_documents_that_carry_their_offsets(ferry: Path, settings: Settings) -> None:
    retriever = FootnoteRetriever(documents=ferry, settings=settings)
    assert isinstance(retriever, BaseRetriever)
    found = retriever.invoke(QUESTION)
    same = LlamaIndexRetriever(ferry, settings).retrieve(QUESTION)
    assert [(one.id, one.page_content, one.metadata["score"]) for one in found] == [
        (node.node_id, node.text, node.score) for node in same
    ]
    best = found[0]
    assert isinstance(best, Document)
    assert FERRY[best.metadata["start_index"] : best.metadata["end_index"]] == best.page_content
    assert {name: best.metadata[name] for name in ("source", "title", "date", "page")} == {
        "source": "ferry.md",
        "title": "The ferry",
        "date": None,
        "page": None,
    }
    assert asyncio.run(retriever.ainvoke(QUESTION)) == retriever.batch([QUESTION, "bread"])[0] == found


def test_the_retriever_serves_a_chain(ferry: Path, settings: Settings) -> None:
    retriever = FootnoteRetriever(documents=ferry, settings=settings, count=1)
    prompt = ChatPromptTemplate.from_template("{question} Answer from this: {documents}")
    told = {
        "documents": retriever | (lambda found: "\n".join(one.page_content for one in found)),
        "question": RunnablePassthrough(),
    }
    chain = told | prompt | ParrotFakeChatModel() | StrOutputParser()
    assert chain.invoke(QUESTION) == f"{QUESTION} Answer from this: {FERRY}"


def test_what_is_searched_and_from_what_can_be_said(ferry: Path, settings: Settings) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FOOTNOTE_DOCUMENTS", str(ferry))
        assert {one.metadata["source"] for one in FootnoteRetriever().invoke(QUESTION)} == {"ferry.md", "bakery.txt"}
    some = FootnoteRetriever(documents=str(ferry), settings=settings, only=["*.txt"])
    assert [one.metadata["source"] for one in some.invoke(QUESTION)] == ["bakery.txt"]
    with pytest.raises(InputError, match="The number of passages"):
        FootnoteRetriever(documents=ferry, settings=settings, count=51).invoke(QUESTION)
    with pytest.raises(FolderError, match="does not exist: check the path"):
        FootnoteRetriever(documents=ferry / "missing", settings=settings).invoke(QUESTION)
    assert "sk-do-not-show" not in repr(FootnoteRetriever(settings=replace(settings, api_key="sk-do-not-show")))
