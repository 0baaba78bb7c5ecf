"""Footnote in plain llama-index programs: each component alone, with llama-index's own around it, and in an agent."""

from __future__ import annotations

import asyncio
import copy
import json
import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from llama_index.core import Settings as GlobalSettings
from llama_index.core import VectorStoreIndex
from llama_index.core.agent.workflow import FunctionAgent, ReActAgent, ToolCallResult
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock
from llama_index.core.base.response.schema import AsyncStreamingResponse, Response, StreamingResponse
from llama_index.core.callbacks import CallbackManager, LlamaDebugHandler
from llama_index.core.callbacks.schema import CBEventType
from llama_index.core.chat_engine import CondenseQuestionChatEngine
from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.instrumentation import get_dispatcher
from llama_index.core.instrumentation.event_handlers import BaseEventHandler
from llama_index.core.llms import MockLLM
from llama_index.core.llms.mock import MockFunctionCallingLLM
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.response_synthesizers import ResponseMode, get_response_synthesizer
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.core.schema import Document, MetadataMode, NodeWithScore, TextNode
from model_server import ModelServer
from openai_server import OpenAIServer

from assistant import NOT_FOUND, Answer, FootnoteQueryEngine, answer
from index.components import FootnoteEmbedding, FootnoteReranker, FootnoteRetriever
from index.documents import identify
from index.embedding.protocol import Embedding
from index.errors import FolderError, InputError
from index.settings import Settings

pytestmark = pytest.mark.usefixtures("embedding")

QUESTION = "why was Israel skipped?"
QUESTIONS = [QUESTION, "Who criticised it?", "How many documents are there?", "What is the population of Qatar?"]
FERRY = "# The ferry\n\n## Crew\n\nCaptain Ida Voss steers the Brenholm ferry. It has two decks.\n"
ENGLISH = "Who steers the Brenholm ferry?"


@pytest.fixture
def ferry(folder: Path) -> Path:
    (folder / "ferry.md").write_text(FERRY, encoding="utf-8")
    (folder / "bakery.txt").write_text("Our sourdough needs two days.", encoding="utf-8")
    return folder


def script(*messages: ChatMessage | str) -> MockFunctionCallingLLM:
    """A model that says these, one after the other."""
    said = iter([ChatMessage(role="assistant", content=m) if isinstance(m, str) else m for m in messages])
    return MockFunctionCallingLLM(is_chat_model=True, response_generator=lambda *_, **__: next(said))


def call(tool: str, **arguments: str) -> ChatMessage:
    return ChatMessage(
        role="assistant", blocks=[ToolCallBlock(tool_call_id="1", tool_name=tool, tool_kwargs=arguments)]
    )


def plain(result: Answer) -> Answer:
    """Without how long it took."""
    return replace(result, usage=None)


def check_sources(response: Response | StreamingResponse | AsyncStreamingResponse, expected: Answer) -> None:
    assert response.metadata and plain(response.metadata["answer"]) == plain(expected)
    assert len(response.source_nodes) == len(expected.citations)
    for found, citation in zip(response.source_nodes, expected.citations, strict=True):
        node = found.node
        assert (node.text, node.start_char_idx, node.end_char_idx) == (citation.quote, citation.start, citation.end)
        assert node.ref_doc_id == citation.document_id
        told = {name: node.metadata[name] for name in ("number", "path", "title", "page", "kind")}
        assert told == {name: getattr(citation, name) for name in told}
        verdicts = {one.support for one in expected.sentences if citation.number in one.citations}
        assert set(node.metadata["support"].split(", ")) == verdicts
        assert TextNode.from_dict(json.loads(json.dumps(node.to_dict()))) == node


# -- the query engine ---------------------------------------------------------------------------


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_answer_is_the_same_however_the_engine_is_asked(samples: Settings, question: str) -> None:
    expected = answer(question, settings=samples)
    engine, streaming = FootnoteQueryEngine(settings=samples), FootnoteQueryEngine(settings=samples, streaming=True)

    async def ask() -> list[Response]:
        streamed = await streaming.aquery(question)
        assert isinstance(streamed, AsyncStreamingResponse)
        whole = await streamed.get_response()
        check_sources(streamed, expected)
        return [await engine.aquery(question), whole]

    streamed = streaming.query(question)
    assert isinstance(streamed, StreamingResponse)
    for response in (engine.query(question), streamed.get_response(), *asyncio.run(ask())):
        assert isinstance(response, Response)
        assert str(response) == expected.text
        check_sources(response, expected)


def test_what_a_language_model_writes_is_the_same_too(ferry: Path, settings: Settings) -> None:
    reply = "Ida Voss steers it [1]. It has two decks [2]. It is blue."
    with OpenAIServer(reply) as server:
        modelled = server.reach(settings)
        expected = answer(ENGLISH, ferry, settings=modelled)
        assert expected.model and len(expected.citations) == 2
        streaming = FootnoteQueryEngine(ferry, modelled, streaming=True)
        pieces = list(streaming.query(ENGLISH).response_gen)
        assert len(pieces) > 2 and "".join(pieces) == expected.text

        async def ask() -> list[Any]:
            streamed = await streaming.aquery(ENGLISH)
            assert "".join([piece async for piece in streamed.async_response_gen()]) == expected.text
            engine = FootnoteQueryEngine(ferry, modelled)
            return [streamed, *await asyncio.gather(*[engine.aquery(ENGLISH) for _ in range(3)])]

        for response in (FootnoteQueryEngine(ferry, modelled).query(ENGLISH), *asyncio.run(ask())):
            check_sources(response, expected)


def test_a_stream_ends_in_the_answer_whatever_a_model_thought_before(ferry: Path, settings: Settings) -> None:
    with OpenAIServer("Perhaps Ida [1].\n</think>\nIda Voss steers it [1].") as server:
        streamed = FootnoteQueryEngine(ferry, server.reach(settings), streaming=True).query(ENGLISH)
        text = str(streamed)
    assert streamed.metadata["answer"].text == "Ida Voss steers it [1]."
    assert text.endswith("Ida Voss steers it [1].")


def test_a_stream_that_is_left_ends_the_model_s_reply(ferry: Path, settings: Settings) -> None:
    with OpenAIServer("Ida Voss steers it [1]. " * 5000) as server:
        streaming = FootnoteQueryEngine(ferry, server.reach(settings), streaming=True)
        pieces = streaming.query(ENGLISH).response_gen
        assert next(pieces)
        pieces.close()
        assert server.hung_up.wait(20)
        server.hung_up.clear()

        async def leave() -> None:
            pieces = (await streaming.aquery(ENGLISH)).async_response_gen()
            assert await anext(pieces)
            await pieces.aclose()

        asyncio.run(leave())
        assert server.hung_up.wait(20)


def test_a_refusal_has_no_sources(samples: Settings) -> None:
    response = FootnoteQueryEngine(settings=samples).query("What is the population of Qatar?")
    assert str(response) == NOT_FOUND
    assert response.source_nodes == []
    assert response.metadata["answer"].passages


def test_the_engine_answers_from_the_folder_of_now_and_what_it_is_to_read(ferry: Path, settings: Settings) -> None:
    engine = FootnoteQueryEngine(ferry, settings)
    assert "Ida Voss" in str(engine.query(ENGLISH))
    (ferry / "ferry.md").write_text("Nils Berg steers the Brenholm ferry today.", encoding="utf-8")
    assert "Nils Berg" in str(engine.query(ENGLISH))
    assert "Nils Berg" not in str(FootnoteQueryEngine(ferry, settings, only=["*.txt"]).query(ENGLISH))


@pytest.mark.parametrize("streaming", [False, True])
def test_errors_are_sentences_of_ours_and_come_at_once(tmp_path: Path, settings: Settings, streaming: bool) -> None:
    engine = FootnoteQueryEngine(tmp_path / "missing", settings, streaming=streaming)
    with pytest.raises(FolderError, match="does not exist: check the path"):
        engine.query(ENGLISH)
    with pytest.raises(FolderError, match="does not exist: check the path"):
        asyncio.run(engine.aquery(ENGLISH))
    for question in ("", 42, None):
        with pytest.raises(InputError):
            engine.query(question)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="The documents folder is of type int"):
        FootnoteQueryEngine(5, settings).as_tool()  # type: ignore[arg-type]


def test_a_chat_engine_of_llama_index_takes_ours(ferry: Path, settings: Settings) -> None:
    memory = ChatMemoryBuffer.from_defaults()  # llama-index's own default leaves a database open
    engine = FootnoteQueryEngine(ferry, settings)
    chat = CondenseQuestionChatEngine.from_defaults(engine, llm=script(ENGLISH), memory=memory)
    assert "two decks" in str(chat.chat("How many decks has the Brenholm ferry?"))
    told = chat.chat("And who steers it?")
    assert "Ida Voss" in str(told)
    assert FERRY[told.source_nodes[0].node.start_char_idx :].startswith(told.source_nodes[0].node.text)
    streaming = FootnoteQueryEngine(ferry, settings, streaming=True)
    chat = CondenseQuestionChatEngine.from_defaults(streaming, llm=script(), memory=ChatMemoryBuffer.from_defaults())
    assert "".join(chat.stream_chat(ENGLISH).response_gen) == answer(ENGLISH, ferry, settings=settings).text


# -- the tool, in agents ------------------------------------------------------------------------


# llama-index's workflows use what pydantic and they themselves have deprecated.
IN_AN_AGENT = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def run(agent: FunctionAgent | ReActAgent, question: str) -> tuple[str, list[ToolCallResult]]:
    async def follow() -> tuple[str, list[ToolCallResult]]:
        handler = agent.run(user_msg=question, memory=ChatMemoryBuffer.from_defaults())
        results = [event async for event in handler.stream_events() if isinstance(event, ToolCallResult)]
        return str(await handler), results

    return asyncio.run(follow())


@IN_AN_AGENT
def test_an_agent_s_tool_keeps_the_citations(ferry: Path, settings: Settings) -> None:
    tool = FootnoteQueryEngine(ferry, settings, streaming=True).as_tool()
    assert tool.metadata.name == "ask_documents"
    assert "in the folder 'documents'" in tool.metadata.description and NOT_FOUND in tool.metadata.description
    llm = script(call("ask_documents", input=ENGLISH), "It is Ida Voss [1].")
    said, (result,) = run(FunctionAgent(tools=[tool], llm=llm), "Who is the captain?")
    expected = answer(ENGLISH, ferry, settings=settings)
    assert said == "It is Ida Voss [1]."
    assert result.tool_output.content == expected.text
    check_sources(result.tool_output.raw_output, expected)
    node = result.tool_output.raw_output.source_nodes[0].node
    assert FERRY[node.start_char_idx : node.end_char_idx] == node.text == expected.citations[0].quote


@IN_AN_AGENT
def test_an_agent_that_reasons_in_words_uses_it(ferry: Path, settings: Settings) -> None:
    tool = FootnoteQueryEngine(ferry, settings).as_tool("ask_handbook", "Knows the ferry.")
    assert tool.metadata.description.startswith("Knows the ferry. Ask one whole question")
    llm = script(
        f'Thought: I need a tool.\nAction: ask_handbook\nAction Input: {{"input": "{ENGLISH}"}}',
        "Thought: I can answer without using any more tools.\nAnswer: Ida Voss [1]",
    )
    said, (result,) = run(ReActAgent(tools=[tool], llm=llm), "Who is the captain?")
    assert said == "Ida Voss [1]"
    assert "Ida Voss" in result.tool_output.raw_output.source_nodes[0].text


@IN_AN_AGENT
def test_an_agent_is_told_in_a_sentence_why_there_is_no_answer(tmp_path: Path, settings: Settings) -> None:
    tool = FootnoteQueryEngine(tmp_path / "missing", settings).as_tool()
    llm = script(call("ask_documents", input=ENGLISH), "I cannot say.")
    _, (result,) = run(FunctionAgent(tools=[tool], llm=llm), "Who is the captain?")
    assert result.tool_output.is_error
    assert result.tool_output.content.endswith("does not exist: check the path.")


# -- the retriever ------------------------------------------------------------------------------


def test_the_retriever_gives_nodes_that_carry_their_offsets(ferry: Path, settings: Settings) -> None:
    text = "# The bridge\n\n2025-05-13\n\nThe bridge is closed until autumn.\n"
    (ferry / "bridge.md").write_text(text)
    retriever = FootnoteRetriever(ferry, settings)
    assert isinstance(retriever, BaseRetriever)
    best, *others = retriever.retrieve("Is the bridge open?")
    assert best.score is not None and all(best.score > other.score for other in others)
    node = best.node
    assert isinstance(node, TextNode)
    assert node.text == text[node.start_char_idx : node.end_char_idx] == text
    assert node.metadata == {
        "path": "bridge.md",
        "title": "The bridge",
        "date": "2025-05-13",
        "page": None,
        "context": "",
    }
    assert node.node_id == f"{identify('bridge.md')}:0-{len(text)}"
    assert node.ref_doc_id == identify("bridge.md")
    assert node.get_content(MetadataMode.LLM).startswith("path: bridge.md\ntitle: The bridge\ndate: 2025-05-13\n\n")
    assert TextNode.from_dict(json.loads(json.dumps(node.to_dict()))) == node


def test_the_retriever_s_nodes_stand_in_the_sample_files(samples: Settings) -> None:
    nodes = FootnoteRetriever(settings=samples).retrieve(QUESTION)
    assert [node.score for node in nodes] == sorted((node.score for node in nodes), reverse=True)
    for found in nodes:
        text = (samples.documents / found.metadata["path"]).read_bytes().decode()
        assert text[found.node.start_char_idx : found.node.end_char_idx] == found.node.text
    assert len({found.node.node_id for found in nodes}) == len(nodes) > 2


def test_the_retriever_follows_the_folder_and_gives_what_it_is_to(ferry: Path, settings: Settings) -> None:
    retriever = FootnoteRetriever(str(ferry), settings, count=1)
    assert len(retriever.retrieve("bridge")) == 1
    (ferry / "bridge.txt").write_text("The bridge is closed until autumn.")
    (found,) = asyncio.run(retriever.aretrieve("bridge"))
    assert found.metadata["path"] == "bridge.txt"
    assert [n.metadata["path"] for n in FootnoteRetriever(ferry, settings, only=["*.md"]).retrieve("bridge")] == [
        "ferry.md"
    ]
    with pytest.raises(InputError, match="The number of passages"):
        FootnoteRetriever(ferry, settings, count=51).retrieve("bridge")
    with pytest.raises(FolderError, match="does not exist"):
        FootnoteRetriever(ferry / "missing", settings)


def test_the_retriever_serves_engines_and_retrievers_of_llama_index(ferry: Path, settings: Settings) -> None:
    retriever, llm = FootnoteRetriever(ferry, settings), MockLLM()
    synthesizer = get_response_synthesizer(llm, response_mode=ResponseMode.COMPACT)
    response = RetrieverQueryEngine(retriever, synthesizer).query(ENGLISH)
    assert "Captain Ida Voss steers" in str(response)  # the model that repeats its prompt was shown it
    assert "context: " not in str(response) and "page: " not in str(response)
    assert response.source_nodes[0].node.start_char_idx == 0
    other = VectorStoreIndex([TextNode(text="The Brenholm ferry is blue.")], embed_model=FootnoteEmbedding(settings))
    both = QueryFusionRetriever([retriever, other.as_retriever()], llm=llm, num_queries=1, mode="reciprocal_rerank")
    texts = [node.text for node in both.retrieve("the Brenholm ferry")]
    assert FERRY in texts and "The Brenholm ferry is blue." in texts


# -- the embedding ------------------------------------------------------------------------------


def test_the_embedding_serves_an_index_and_a_pipeline_of_llama_index(
    ferry: Path, settings: Settings, embedding: Embedding
) -> None:
    model = FootnoteEmbedding(settings)
    assert isinstance(model, BaseEmbedding)
    assert model.model_name == embedding.name
    texts = ["The bridge is closed.", "Our bread needs two days."]
    rows = model.get_text_embedding_batch(texts)
    assert np.allclose(rows, embedding.embed(texts), atol=2e-3)
    assert np.linalg.norm(rows[0]) == pytest.approx(1, abs=1e-3)
    index = VectorStoreIndex([TextNode(text=text) for text in texts], embed_model=model)
    (best,) = index.as_retriever(similarity_top_k=1).retrieve("Can I cross the river?")
    assert best.node.get_content() == texts[0]
    pipeline = IngestionPipeline(transformations=[SentenceSplitter(), model])
    first, second = (pipeline.run(documents=[Document(text=texts[0])]) for _ in range(2))
    assert np.allclose(first[0].embedding, rows[0], atol=2e-3)
    assert first[0].embedding == second[0].embedding
    # Our passages in an index of llama-index keep where they stand.
    nodes = [found.node for found in FootnoteRetriever(ferry, settings).retrieve("ferry")]
    (best,) = VectorStoreIndex(nodes, embed_model=model).as_retriever(similarity_top_k=1).retrieve(ENGLISH)
    assert (best.node.start_char_idx, best.node.end_char_idx) == (0, len(FERRY))


def test_the_embedding_does_not_hold_up_a_loop(settings: Settings) -> None:
    model = FootnoteEmbedding(settings)

    async def embed() -> list[Any]:
        return [
            await model.aget_query_embedding("bridge"),
            await model.aget_text_embedding("bridge"),
            (await model.aget_text_embedding_batch(["bridge", "bread"]))[0],
        ]

    one, other, third = asyncio.run(embed())
    assert one == model.get_query_embedding("bridge")
    assert np.allclose(one, other, atol=2e-3) and np.allclose(one, third, atol=2e-3)
    with pytest.raises(InputError, match="is of type int"):
        model.get_query_embedding(4)  # type: ignore[arg-type]


# -- as components of llama-index ---------------------------------------------------------------


def test_what_is_saved_holds_no_key_and_comes_back(settings: Settings) -> None:
    secret = replace(settings, api_key="sk-do-not-show")
    model = FootnoteEmbedding(secret, embed_batch_size=3)
    saved = model.to_json()
    assert "sk-do-not-show" not in saved + repr(model) + str(model.to_payload())
    again = FootnoteEmbedding.from_dict(json.loads(saved), settings=secret)
    assert (again.to_dict(), again.settings) == (model.to_dict(), secret)
    assert FootnoteEmbedding.from_dict(model.to_dict()).settings == settings
    with pytest.raises(InputError, match="are to be those of another, and the settings name all-MiniLM"):
        FootnoteEmbedding.from_dict({**model.to_dict(), "model_name": "another"})


@pytest.mark.parametrize("again", [copy.deepcopy, lambda it: pickle.loads(pickle.dumps(it))])
def test_components_can_be_copied_and_sent_to_another_process(ferry: Path, settings: Settings, again: Any) -> None:
    chosen = replace(settings, passage_count=1)
    model = again(FootnoteEmbedding(chosen, embed_batch_size=3))
    assert (model.settings, model.embed_batch_size) == (chosen, 3)
    assert len(model.get_query_embedding("bridge")) == 384
    assert len(again(FootnoteRetriever(ferry, chosen)).retrieve("ferry")) == 1
    assert "Ida Voss" in str(again(FootnoteQueryEngine(ferry, chosen)).query(ENGLISH))


class Listener(BaseEventHandler):
    heard: list[str] = []  # noqa: RUF012

    def handle(self, event: Any, **_: Any) -> None:
        self.heard.append(event.class_name())


@pytest.fixture
def heard() -> Iterator[list[str]]:
    dispatcher = get_dispatcher()
    listener = Listener()
    dispatcher.add_event_handler(listener)
    yield listener.heard
    dispatcher.event_handlers.remove(listener)


def test_events_are_told_as_llama_index_s_own_are(ferry: Path, settings: Settings, heard: list[str]) -> None:
    debug = LlamaDebugHandler(print_trace_on_end=False)
    manager = CallbackManager([debug])
    for engine in (
        FootnoteQueryEngine(ferry, settings, callback_manager=manager),
        FootnoteQueryEngine(ferry, settings, streaming=True, callback_manager=manager),
    ):
        response = engine.query(ENGLISH)
        asyncio.run(engine.aquery(ENGLISH))
        assert str(response) == answer(ENGLISH, ferry, settings=settings).text  # a listener takes nothing of a stream
    assert heard == ["QueryStartEvent", "QueryEndEvent"] * 4
    assert len(debug.get_event_pairs(CBEventType.QUERY)) == 4
    heard.clear()
    FootnoteRetriever(ferry, settings, callback_manager=manager).retrieve(ENGLISH)
    assert heard == ["RetrievalStartEvent", "RetrievalEndEvent"]
    assert len(debug.get_event_pairs(CBEventType.RETRIEVE)) == 1
    heard.clear()
    FootnoteEmbedding(settings).get_query_embedding(ENGLISH)
    assert heard == ["EmbeddingStartEvent", "EmbeddingEndEvent"]
    heard.clear()
    nodes = [NodeWithScore(node=TextNode(text=text)) for text in ("The door is shut.", "The door is open.")]
    with ModelServer() as server:
        named = replace(settings, reranker="a-model", reranker_url=server.base_url, reranker_key="sk-do-not-show")
        reranker = FootnoteReranker.from_dict(
            FootnoteReranker(named, top_n=1).to_dict(), settings=named, callback_manager=manager
        )
        (best,) = reranker.postprocess_nodes(nodes, query_str="Is the door open?")
    assert (best.text, best.score) == ("The door is open.", 1.0)
    assert heard == ["ReRankStartEvent", "ReRankEndEvent"]
    assert len(debug.get_event_pairs(CBEventType.RERANKING)) == 1
    assert "sk-do-not-show" not in reranker.to_json() + repr(reranker)


def test_the_global_settings_of_llama_index_are_left_alone(ferry: Path, settings: Settings) -> None:
    before = dict(vars(GlobalSettings))
    FootnoteQueryEngine(ferry, settings).query(ENGLISH)
    FootnoteQueryEngine(ferry, settings).as_tool().call(ENGLISH)
    FootnoteRetriever(ferry, settings).retrieve(ENGLISH)
    FootnoteEmbedding(settings).get_text_embedding(ENGLISH)
    assert vars(GlobalSettings) == before
