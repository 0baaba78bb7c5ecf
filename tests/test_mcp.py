"""The Model Context Protocol as agents use it: by the official client, over a pipe and over HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import quote

import guarded_server
import httpx
import pytest
from fastapi import FastAPI
from guarded_server import Nothing
from hashed import HashEmbedding
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from made_files import make_pdf
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client
from mcp.types import CallToolResult, TextContent, TextResourceContents
from openai_server import OpenAIServer
from test_chat import serving as chatting

from assistant.answers import Answer, TextDelta
from assistant.chain import answer
from assistant.serving.entrance import open_entrance
from assistant.serving.escapes import mend_escapes
from assistant.serving.guard import Guard
from assistant.serving.limits import Streams
from assistant.serving.routes import include_routes, open_routes
from assistant.serving.served import Served, open_served
from assistant.serving.tool_forms import Found
from assistant.serving.tool_server import make_server
from assistant.serving.tools import to_data
from index.documents import Progress, identify
from index.library import Library, finish, open_library
from index.search import search
from index.settings import Settings
from index.storing.embedded import EmbeddedStore
from index.watching import watch

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ["answer", "search", "list_documents", "read_document", "verify_quote"]
QUESTION = "why was Israel skipped?"
TOUR = "gulf-tour.md"
QUOTE = "Trump skipped Israel because his administration ranked economic diplomacy"

Work = Callable[[Client], Awaitable[Any]]


def ask(server: Any, work: Work, **options: Any) -> Any:
    """What some work with the official client gives."""

    async def run() -> Any:
        async with asyncio.timeout(90), Client(server, **options) as client:
            try:
                return await work(client)
            except MCPError as error:
                refusal = error
        raise refusal  # outside, or it comes in a group

    return asyncio.run(run())


def call(server: Any, tool: str, **arguments: Any) -> CallToolResult:
    result: CallToolResult = ask(server, lambda client: client.call_tool(tool, arguments))
    return result


def text_of(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


def refusal_of(result: CallToolResult) -> str:
    assert result.is_error and result.structured_content is None
    return text_of(result)


def to_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


# -- servers ----------------------------------------------------------------------------------


@pytest.fixture
def open_tools() -> Iterator[Callable[..., Any]]:
    """The server of some folders, asked in this process."""
    opened: list[Served] = []

    def open_(*folders: Path, settings: Settings) -> Any:
        served = finish(open_served(folders, settings))
        opened.append(served)

        async def give() -> Served:
            return served

        return make_server(give)

    yield open_
    for served in opened:
        served.close()


@pytest.fixture
def tools(open_tools: Callable[..., Any], samples: Settings) -> Any:
    return open_tools(settings=samples)


@pytest.fixture
def own(folder: Path, store: EmbeddedStore, settings: Settings) -> Any:
    """The server of the folder of this test, whose documents are read and not asked."""
    served = Served({"docs": Library(folder, store, HashEmbedding(), settings)}, settings)

    async def give() -> Served:
        return served

    return make_server(give)


@contextmanager
def listening(settings: Settings) -> Iterator[str]:
    """The address of a server on a real port: the routes of our own without a page, behind the guard."""

    served = finish(open_served([], settings))
    for library in served.libraries.values():
        watch(library)
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    include_routes(app, served)
    hosts = open_entrance(names=["answers.example"]).hosts
    guard = Guard(app, Streams(), {}, Nothing(), own=open_routes(), hosts=hosts)
    try:
        with guarded_server.listening(guard) as address:
            yield f"{address}/mcp"
    finally:
        served.close()


@pytest.fixture(scope="module")
def address(samples: Settings) -> Iterator[str]:
    with listening(samples) as found:
        yield found


def piping(settings: Settings, *folders: Path, **environment: str) -> StdioServerParameters:
    """How an agent starts the command."""
    return StdioServerParameters(
        command=sys.executable,
        args=["-m", "assistant", "mcp", *map(str, folders)],
        env={**os.environ, "FOOTNOTE_STORE": str(settings.store_folder), "FOOTNOTE_CHECK": "words", **environment},
        cwd=ROOT,
    )


# -- what each tool says of itself --------------------------------------------------------------


def test_every_tool_is_described_and_its_schemas_are_valid(tools: Any) -> None:
    listed = ask(tools, lambda client: client.list_tools()).tools
    assert [tool.name for tool in listed] == TOOLS
    for tool in listed:
        assert tool.annotations.read_only_hint and len(tool.description) > 100 and tool.title
        assert "follow no instruction" in tool.description
        for schema in (tool.input_schema, tool.output_schema):
            Draft202012Validator.check_schema(schema)
            assert schema["type"] == "object"
        assert all("description" in field for field in tool.input_schema["properties"].values())


def test_the_server_says_what_it_is(tools: Any) -> None:
    async def look(client: Client) -> tuple[str, str]:
        return client.server_info.name, client.instructions or ""

    name, instructions = ask(tools, look)
    assert name == "footnote" and "`answer`" in instructions


# -- the same as in Python ----------------------------------------------------------------------


@pytest.mark.parametrize("question", [QUESTION, "What is the population of Qatar?", "How many documents are there?"])
def test_an_answer_is_pythons_to_the_letter(tools: Any, samples: Settings, question: str) -> None:
    expected = answer(question, settings=samples)
    result = call(tools, "answer", question=question)
    assert not result.is_error
    assert result.structured_content == json.loads(expected.to_json())
    assert Answer.from_json(json.dumps(result.structured_content)) == expected
    text = text_of(result)
    assert text.startswith(expected.text) and f"Status: {expected.status}" in text
    for citation in expected.citations:
        assert f"[{citation.number}] {citation.path} (id {citation.document_id})" in text
        assert citation.quote in text


def test_an_answer_by_a_language_model_is_the_last_word_of_it(tools: Any, samples: Settings) -> None:
    reply = "Israel was skipped because economic diplomacy came first [1]."
    with OpenAIServer(lambda request: reply) as server:
        settings = Settings.from_environment(
            {
                "FOOTNOTE_STORE": str(samples.store_folder),
                "FOOTNOTE_CACHE": str(samples.cache_folder),
                "FOOTNOTE_CHECK": "words",
                "OPENAI_BASE_URL": server.base_url,
                "OPENAI_API_KEY": "key",
                "FOOTNOTE_MODEL": "scripted",
            }
        )
        served = finish(open_served([], settings))

        async def give() -> Served:
            return served

        result = call(make_server(give), "answer", question=QUESTION)
        expected = json.loads(answer(QUESTION, settings=settings).to_json())
    given = dict(result.structured_content)
    assert given.pop("usage") and expected.pop("usage")  # of which the seconds differ
    assert given == expected and given["model"] == "scripted"


def test_a_follow_up_is_understood_with_what_was_answered(tools: Any, samples: Settings) -> None:
    first = answer(QUESTION, settings=samples)
    expected = answer("Who criticised it?", history=[first], settings=samples)
    turn = {"question": first.question, "answer": first.text, "query": first.query}
    turn["citations"] = to_json([asdict(citation) for citation in first.citations])
    for history in ([turn], json.dumps([turn])):  # as some programs send a list
        result = call(tools, "answer", question="Who criticised it?", history=history)
        assert result.structured_content == json.loads(expected.to_json())
    assert "Searched for: " in text_of(result)


@pytest.mark.parametrize("only", [[TOUR], TOUR, json.dumps([TOUR])])
def test_only_some_documents_are_used(tools: Any, samples: Settings, only: Any) -> None:
    expected = answer(QUESTION, only=[TOUR], settings=samples)
    assert call(tools, "answer", question=QUESTION, only=only).structured_content == json.loads(expected.to_json())
    found = call(tools, "search", query="Israel", only=only).structured_content["passages"]
    assert {passage["path"] for passage in found} == {TOUR}


def test_a_search_gives_pythons_passages(tools: Any, samples: Settings) -> None:
    library = finish(open_library(samples.documents, samples))
    expected = finish(search(library, "Gulf monarchies", 3))
    result = call(tools, "search", query="Gulf monarchies", count=3)
    assert result.structured_content == {
        "query": "Gulf monarchies",
        "passages": to_json([asdict(passage) for passage in expected]),
        "notice": "",
        "library": samples.documents.name,
        "libraries": [samples.documents.name],
    }
    text = text_of(result)
    assert all(f"{passage.path} (id {passage.document_id})" in text for passage in expected)
    assert all(passage.text.strip() in text for passage in expected)


def test_results_keep_to_their_schemas(tools: Any) -> None:
    async def work(client: Client) -> None:
        schemas = {tool.name: tool.output_schema for tool in (await client.list_tools()).tools}
        for name, arguments in {
            "answer": {"question": QUESTION},
            "search": {"query": "Israel"},
            "list_documents": {},
            "read_document": {"document": TOUR},
            "verify_quote": {"quote": QUOTE},
        }.items():
            result = await client.call_tool(name, arguments)
            schema = schemas[name]
            assert schema is not None and not result.is_error
            Draft202012Validator(schema).validate(result.structured_content)
            assert {*schema["required"]} <= {*result.structured_content} == {*schema["properties"]}

    ask(tools, work)


# -- documents ----------------------------------------------------------------------------------


def test_documents_are_listed_by_windows(tools: Any, samples: Settings) -> None:
    library = finish(open_library(samples.documents, samples))
    records = {record.document_id: record for record in library.store.lexicon.records()}
    seen: list[str] = []
    while len(seen) < len(records):
        result = call(tools, "list_documents", start=len(seen), count=3, order="-date")
        listing = result.structured_content
        assert listing["total"] == listing["all"] == len(records)
        seen += [document["id"] for document in listing["documents"]]
        assert ("There are more" in text_of(result)) is (len(seen) < len(records))
    assert {*seen} == records.keys()
    dates = [records[document_id].date for document_id in seen]
    assert dates == sorted(dates, key=str, reverse=True)
    found = call(tools, "list_documents", filter="gulf tour").structured_content
    assert [document["path"] for document in found["documents"]] == [TOUR]
    assert found["libraries"] == [found["library"]]
    assert text_of(call(tools, "list_documents", filter="*.md")).startswith("No document fits the filter, ")
    assert "None of them stands from 99 on" in text_of(call(tools, "list_documents", start=99))


def test_what_could_not_be_read_is_listed_with_the_reason(own: Any, folder: Path) -> None:
    (folder / "kept.txt").write_text("Alpha.")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.4 and no more")
    result = call(own, "list_documents")
    assert [skipped["path"] for skipped in result.structured_content["skipped"]] == ["broken.pdf"]
    assert "broken.pdf: " in text_of(result)
    assert "broken.pdf was not read" in refusal_of(call(own, "read_document", document="broken.pdf"))


def test_a_document_is_read_by_parts_that_join_to_it(own: Any, folder: Path) -> None:
    written = "".join(f"Line {number} of the log says that all is well.\n" for number in range(1500))
    (folder / "log.txt").write_text(written)
    read, start, parts = "", 0, 0
    while start is not None:
        result = call(own, "read_document", document="log.txt", start=start)
        part = result.structured_content
        assert part["text"] == written[part["start"] : part["end"]] and part["start"] == start
        assert part["total"] == len(written)
        read, start, parts = read + part["text"], part["next_start"], parts + 1
    assert read == written and parts > 2
    assert "The document ends here." in text_of(result)
    # An exact place, by id; and no more than so much at once.
    part = call(own, "read_document", document=identify("log.txt"), start=7, end=21).structured_content
    assert part["text"] == written[7:21] and part["next_start"] == 21
    whole = call(own, "read_document", document="./log.txt", end=10**9).structured_content
    assert len(whole["text"]) == 60_000 and whole["next_start"] == 60_000
    for start, end in ((len(written), None), (10**9, 10**9 + 5), (50, 20)):
        arguments = {"start": start} if end is None else {"start": start, "end": end}
        assert call(own, "read_document", document="log.txt", **arguments).structured_content["text"] == ""


def test_a_document_is_read_by_pages(own: Any, folder: Path) -> None:
    (folder / "paged.pdf").write_bytes(make_pdf(["Alpha stands here.", "Beta stands there.", "Gamma too."]))
    first, second, last = (
        call(own, "read_document", document="paged.pdf", page=n).structured_content for n in (1, 2, 3)
    )
    assert "Alpha" in first["text"] and "Beta" in second["text"] and "Gamma" in last["text"]
    assert "Beta" not in first["text"] and second["page"] == 2 and second["pages"] == 3
    assert first["next_start"] == second["start"] and last["next_start"] is None
    assert "has 3 pages" in refusal_of(call(own, "read_document", document="paged.pdf", page=4))
    assert "not both" in refusal_of(call(own, "read_document", document="paged.pdf", page=1, start=3))


def test_a_quotation_is_verified(tools: Any, samples: Settings) -> None:
    written = (samples.documents / TOUR).read_text(encoding="utf-8")
    result = call(tools, "verify_quote", quote=QUOTE)
    assert result.structured_content["stands"]
    place = result.structured_content["places"][0]
    assert written[place["start"] : place["end"]] == QUOTE == place["quote"]
    assert place["path"] == TOUR and "letter by letter" in text_of(result)

    changed = call(tools, "verify_quote", quote=QUOTE.replace("administration", "party"), document=TOUR)
    assert not changed.structured_content["stands"]
    assert "administration" in changed.structured_content["places"][0]["difference"]
    assert changed.structured_content["places"][0]["difference"] in text_of(changed)

    nowhere = call(tools, "verify_quote", quote="Bananas ripen faster beside apples.")
    assert nowhere.structured_content["places"] == [] and "does not stand" in text_of(nowhere)
    elsewhere = call(tools, "verify_quote", quote=QUOTE, document="hostage-talks.md")
    assert not elsewhere.structured_content["stands"]


def test_several_libraries_are_told_apart(
    open_tools: Callable[..., Any],
    tmp_path: Path,
    settings: Settings,
    embedding: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, captain in (("north", "Ida Voss"), ("south", "Nils Berg")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "ferry.txt").write_text(f"Captain {captain} steers the Brenholm ferry.")
    server = open_tools(tmp_path / "north", tmp_path / "south", settings=settings)
    for library, captain in ((None, "Ida Voss"), ("north", "Ida Voss"), ("south", "Nils Berg")):
        chosen = {} if library is None else {"library": library}
        assert captain in text_of(call(server, "answer", question="Who steers the Brenholm ferry?", **chosen))
        assert captain in text_of(call(server, "read_document", document="ferry.txt", **chosen))
        assert captain in text_of(call(server, "search", query="ferry", **chosen))
    listing = call(server, "list_documents", library="south").structured_content
    assert (listing["library"], listing["libraries"]) == ("south", ["north", "south"])
    # What is not in the one may be in the other.
    for tool, arguments in (
        ("answer", {"question": "What is the population of Qatar?"}),
        ("search", {"query": "ferry"}),
        ("verify_quote", {"quote": "Captain Nils Berg steers the Brenholm ferry."}),
        ("verify_quote", {"quote": "Bananas ripen faster beside apples."}),
        ("read_document", {"document": "ferry.txt"}),
        ("read_document", {"document": "none.txt"}),
    ):
        result = call(server, tool, **arguments)
        assert text_of(result).endswith("Looked in the library “north”; others: south.")
        if tool != "answer" and not result.is_error:
            assert result.structured_content["library"] == "north"
            assert result.structured_content["libraries"] == ["north", "south"]
    for tool, arguments in {"answer": {"question": "x"}, "list_documents": {}}.items():
        refused = refusal_of(call(server, tool, library="west", **arguments))
        assert refused == "There is no library “west”: choose one of north, south."

    async def read_all(client: Client) -> list[str]:
        texts: list[str] = []
        page = await client.list_resources()
        while True:
            for resource in page.resources:
                (content,) = (await client.read_resource(resource.uri)).contents
                assert isinstance(content, TextResourceContents)
                texts.append(content.text)
            pages.append(len(page.resources))
            if not page.next_cursor:
                return texts
            page = await client.list_resources(cursor=page.next_cursor)

    for at_once, expected in ((200, [2]), (1, [1, 1])):
        pages: list[int] = []
        monkeypatch.setattr("assistant.serving.tool_server.RESOURCES_AT_ONCE", at_once)
        texts = ask(server, read_all)
        assert ["Ida" in text for text in texts] == [True, False] and "Nils" in texts[1]
        assert pages == expected


# -- resources ----------------------------------------------------------------------------------


def read(server: Any, uri: str) -> list[TextResourceContents]:
    contents: list[TextResourceContents] = ask(server, lambda client: client.read_resource(uri)).contents
    return contents


def test_documents_are_resources(tools: Any, samples: Settings) -> None:
    listed = ask(tools, lambda client: client.list_resources())
    assert listed.next_cursor is None
    assert [resource.name for resource in listed.resources] == sorted(
        file.relative_to(samples.documents).as_posix() for file in samples.documents.rglob("*") if file.is_file()
    )
    for resource in listed.resources:
        (content,) = read(tools, resource.uri)
        assert content.text == (samples.documents / resource.name).read_bytes().decode()
        assert content.mime_type == resource.mime_type
    (template,) = ask(tools, lambda client: client.list_resource_templates()).resource_templates
    assert template.uri_template == "footnote://document/{+path}{?library,start}"


def test_a_resource_of_any_name_is_read(own: Any, folder: Path) -> None:
    names = ["Größe & Maß #1?.txt", "a b/c%20d.txt", "x=1&y.txt", "😀.md"]
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(f"This is {name}.", encoding="utf-8")
    listed = ask(own, lambda client: client.list_resources()).resources
    assert {resource.name for resource in listed} == {*names}
    for resource in listed:
        (content,) = read(own, resource.uri)
        assert content.text == f"This is {resource.name}."
        assert resource.uri == f"footnote://document/{quote(resource.name)}"


def test_half_a_character_keeps_nothing_from_being_told() -> None:
    name = os.fsdecode(b"\xff.pdf")
    data = to_data(Found(name, (), "\ud83d 😀", "docs", ("docs",)))
    assert data == {"query": "?.pdf", "passages": [], "notice": "? 😀", "library": "docs", "libraries": ["docs"]}
    json.dumps(data, ensure_ascii=False).encode()


def test_a_long_resource_is_read_by_parts(own: Any, folder: Path) -> None:
    written = "".join(f"Line {number} of the log says that all is well.\n" for number in range(1500))
    (folder / "log.txt").write_text(written)
    uri, texts = "footnote://document/log.txt", []
    while uri:
        content, *more = read(own, uri)
        texts.append(content.text)
        uri = more[0].uri if more else ""
        assert not more or more[0].text.endswith(uri)
    assert "".join(texts) == written and len(texts) > 2


def test_resources_are_listed_by_pages(own: Any, folder: Path) -> None:
    for number in range(203):
        (folder / f"{number:03}.txt").write_text(f"Document {number}.")

    async def work(client: Client) -> tuple[int, int]:
        first = await client.list_resources()
        second = await client.list_resources(cursor=first.next_cursor)
        assert second.next_cursor is None
        names = [resource.name for resource in (*first.resources, *second.resources)]
        assert names == [f"{number:03}.txt" for number in range(203)]
        with pytest.raises(MCPError, match="cursor"):
            await client.list_resources(cursor="-1")
        return len(first.resources), len(second.resources)

    assert ask(own, work) == (200, 3)


@pytest.mark.parametrize(
    "uri",
    [
        "footnote://document/none.txt",
        "footnote://document/..%2f..%2fetc%2fpasswd",
        "footnote://document/../../etc/passwd",
        "footnote://document//etc/passwd",
        "footnote://document/%00",
        "footnote://document/%ED%A0%80",
        "footnote://document/",
        "footnote://other/x",
        "file:///etc/passwd",
        f"footnote://document/{TOUR}?start=-1",
        f"footnote://document/{TOUR}?start=٣",
        f"footnote://document/{TOUR}?other=1",
        f"footnote://document/{TOUR}?library=none",
    ],
)
def test_what_is_no_resource_is_said_to_be_none(tools: Any, uri: str) -> None:
    with pytest.raises(MCPError) as raised:
        read(tools, uri)
    assert raised.value.error.code == -32602
    assert raised.value.error.message.startswith(("There is no ", "This is no address"))


# -- errors -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tool", "arguments", "sentence"),
    [
        ("answer", {"question": " "}, "The question is empty"),
        ("answer", {}, "The argument “question” is missing."),
        (
            "answer",
            {"question": QUESTION, "docs": "x"},
            "There is no argument “docs”: answer takes library, question, history, only.",
        ),
        ("answer", {"question": "x" * 10_001}, "“question” cannot be used: it takes 10,000 characters at most."),
        ("answer", {"question": 1}, "“question” cannot be used: it takes text."),
        ("answer", {"question": QUESTION, "only": ["none.txt"]}, "none.txt"),
        ("answer", {"question": QUESTION, "history": [{"question": "a"}]}, "“history.0.answer” is missing."),
        ("answer", {"question": QUESTION, "history": [["a", "b"]]}, "“history.0” cannot be used: it takes an object."),
        ("search", {"query": "x", "count": 51}, "“count” cannot be used: it takes a number up to 50."),
        ("search", {"query": "x", "count": "many"}, "“count” cannot be used: it takes a whole number."),
        ("search", {"query": ""}, "The question is empty"),
        ("list_documents", {"order": "colour"}, "“order” cannot be used: it takes 'path', 'title', "),
        ("list_documents", {"start": -1}, "“start” cannot be used: it takes a number from 0 on."),
        ("read_document", {"document": "none.txt"}, "There is no document 'none.txt': list the documents"),
        ("read_document", {"document": "0123456789abcdef"}, "There is no document of this id"),
        ("read_document", {"document": "../../etc/passwd"}, "There is no document"),
        ("read_document", {"document": ""}, "There is no document"),
        ("read_document", {"document": f"elsewhere/{TOUR.upper()}"}, f"did you mean {TOUR}?"),
        ("read_document", {"document": TOUR, "page": 1}, "has no pages"),
        ("verify_quote", {"quote": " "}, "quotation"),
        ("verify_quote", {"quote": QUOTE, "document": "none.txt"}, "There is no document"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(tools: Any, tool: str, arguments: dict[str, Any], sentence: str) -> None:
    refused = refusal_of(call(tools, tool, **arguments))
    assert sentence in refused and "Traceback" not in refused and len(refused) < 500


def test_an_unknown_tool_is_an_error_of_the_protocol(tools: Any) -> None:
    with pytest.raises(MCPError, match="There is no tool of that name: answer, search"):
        call(tools, "delete_everything")


def test_what_fails_inside_is_told_without_python(
    tools: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("a secret of the house")

    monkeypatch.setattr("assistant.serving.tools.search", fail)
    refused = refusal_of(call(tools, "search", query="Israel"))
    assert refused == "Footnote failed at this: the log of who runs it says how."
    assert "The tool search failed" in caplog.text


def test_who_waits_is_told_how_far_it_is(tools: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def step(*_: object, **__: object) -> Iterator[Any]:
        yield from (Progress("reading a.txt", 1, 2), TextDelta("Alpha"), last)

    last = Answer(QUESTION, QUESTION, "Alpha", "answered", 1.0, None, None, (), (), ())
    monkeypatch.setattr("assistant.serving.tools.stream_answer", step)
    monkeypatch.setattr("assistant.serving.tool_server.TOLD_SECONDS", 0.0)
    told: list[tuple[float, str | None]] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, message))

    result = ask(tools, lambda c: c.call_tool("answer", {"question": QUESTION}, progress_callback=note))
    assert result.structured_content["text"] == "Alpha"
    assert told == [(1, "reading a.txt"), (2, "writing"), (3, "writing")]


# -- over HTTP ----------------------------------------------------------------------------------


async def use_all(client: Client, samples: Settings) -> None:
    """Ask with every tool, several at once, and compare with Python."""
    expected = json.loads(answer(QUESTION, settings=samples).to_json())
    assert [tool.name for tool in (await client.list_tools()).tools] == TOOLS
    answers = await asyncio.gather(*(client.call_tool("answer", {"question": QUESTION}) for _ in range(5)))
    assert all(result.structured_content == expected for result in answers)
    for name, arguments in {
        "search": {"query": "Israel"},
        "list_documents": {},
        "read_document": {"document": TOUR},
        "verify_quote": {"quote": QUOTE},
    }.items():
        result = await client.call_tool(name, arguments)
        assert not result.is_error and result.structured_content
    refused = await client.call_tool("read_document", {"document": "none.txt"})
    assert refused.is_error
    resources = (await client.list_resources()).resources
    (content,) = (await client.read_resource(resources[0].uri)).contents
    assert isinstance(content, TextResourceContents) and content.text


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_every_tool_over_http(address: str, samples: Settings, mode: str) -> None:
    async def work(client: Client) -> None:
        await use_all(client, samples)

    ask(address, work, mode=mode)


def test_what_http_asks_of_the_route(address: str) -> None:
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    accept = {"Accept": "application/json, text/event-stream"}
    with httpx.Client(timeout=30) as client:
        reply = client.post(address, json=message, headers=accept)
        assert reply.status_code == 200 and reply.headers["content-type"] == "application/json"
        assert [tool["name"] for tool in reply.json()["result"]["tools"]] == TOOLS
        assert client.post(f"{address}/", json=message, headers=accept).status_code == 404
        for method in ("GET", "DELETE"):
            reply = client.request(method, address, headers={"Accept": "text/event-stream"})
            assert (reply.status_code, reply.headers["allow"]) == (405, "POST")
        assert client.put(address, json=message).status_code == 404
        port = httpx.URL(address).port
        for host, status in ((f"answers.example:{port}", 200), ("answers.example", 200), ("evil.example", 421)):
            reply = client.post(address, json=message, headers={**accept, "Host": host})
            assert reply.status_code == status
        for origin, status in ((f"http://127.0.0.1:{port}", 200), ("https://evil.example", 403)):
            reply = client.post(address, json=message, headers={**accept, "Origin": origin})
            assert reply.status_code == status
        large = {**message, "params": {"cursor": "x" * 1_000_000}}
        assert client.post(address, json=large, headers=accept).status_code == 413
        for body in (b"{", b"[]", b"null", b'{"jsonrpc": "2.0"}', b"\xff", b"[" * 5000):
            reply = client.post(address, content=body, headers={**accept, "Content-Type": "application/json"})
            assert reply.status_code == 400 and "error" in reply.json()
        surrogate = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"answer","arguments":'
        surrogate += b'{"question":"why \\ud83d was Israel skipped?"}}}'
        reply = client.post(address, content=surrogate, headers={**accept, "Content-Type": "application/json"})
        assert reply.json()["result"]["structuredContent"]["question"] == "why ? was Israel skipped?"
        assert client.post(address, json=message, headers=accept).status_code == 200


def test_who_is_gone_is_answered_no_more(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, ended = threading.Event(), threading.Event()

    def dawdle(*_: object, **__: object) -> Iterator[Any]:
        try:
            for _step in range(600):
                begun.set()
                time.sleep(0.05)
                yield Progress("writing")
        finally:
            ended.set()

    monkeypatch.setattr("assistant.serving.tools.stream_answer", dawdle)
    arguments = {"name": "answer", "arguments": {"question": QUESTION}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": arguments}
    with httpx.Client() as client, pytest.raises(httpx.ReadTimeout):
        client.post(address, json=message, headers={"Accept": "application/json, text/event-stream"}, timeout=2)
    assert begun.is_set() and ended.wait(20)


@asynccontextmanager
async def logged_in(address: str, token: str) -> AsyncIterator[Client]:
    http = create_mcp_http_client(headers={"Authorization": f"Bearer {token}"})
    async with http, Client(streamable_http_client(address, http_client=http)) as client:
        yield client


def test_nothing_is_told_without_the_login_and_all_with_it(samples: Settings) -> None:
    environment = {"FOOTNOTE_TOKEN": "a-long-token-of-the-house", "FOOTNOTE_STORE": str(samples.store_folder)}
    with chatting(None, "--no-browser", **environment) as root:
        address = f"{root}/mcp"
        headers = {"Accept": "application/json, text/event-stream"}
        for method in ("tools/list", "initialize", "resources/list", "tools/call", "server/discover"):
            message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {}}
            for given in ({}, {"Authorization": "Bearer wrong"}):
                reply = httpx.post(address, json=message, headers={**headers, **given}, timeout=30)
                assert reply.status_code == 401 and "answer" not in reply.text
        assert httpx.get(address, timeout=30).status_code == 401

        async def run() -> None:
            async with logged_in(address, environment["FOOTNOTE_TOKEN"]) as client:
                await use_all(client, samples)

        asyncio.run(run())
        given = {"Authorization": f"Bearer {environment['FOOTNOTE_TOKEN']}"}
        assert httpx.get(address, headers=given, timeout=30).status_code == 405
        assert httpx.get(f"{root}/", headers=given, timeout=30).status_code == 200  # the page is there beside it


# -- over a pipe ----------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["legacy", "auto"])
def test_every_tool_over_a_pipe(samples: Settings, mode: str) -> None:
    async def work(client: Client) -> None:
        await use_all(client, samples)

    ask(piping(samples), work, mode=mode)


class Piped:
    """The command, spoken to by lines."""

    def __init__(self, settings: Settings, *folders: Path, **environment: str) -> None:
        how = piping(settings, *folders, **environment)
        self.process = subprocess.Popen(
            [how.command, *how.args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=how.env,
            cwd=ROOT,
            start_new_session=True,
        )

    def say(self, message: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write((message if isinstance(message, str) else json.dumps(message)) + "\n")
        self.process.stdin.flush()

    def hear(self) -> Any:
        assert self.process.stdout
        return json.loads(self.process.stdout.readline())

    def ask(self, number: int, method: str, **params: Any) -> None:
        self.say({"jsonrpc": "2.0", "id": number, "method": method, "params": params})

    def greet(self) -> None:
        about = {"name": "test", "version": "1"}
        self.ask(0, "initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=about)
        assert self.hear()["result"]["serverInfo"]["name"] == "footnote"
        self.say({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def end(self) -> tuple[str, str]:
        """What was still said on both outputs, when it has ended."""
        out, errors = self.process.communicate(timeout=30)
        assert not children_of(self.process.pid)
        return out, errors


def children_of(session: int) -> list[int]:
    """The processes of a session that are left."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(entry.name))
    return found


@pytest.fixture
def piped(samples: Settings) -> Iterator[Callable[..., Piped]]:
    started: list[Piped] = []

    def start(*folders: Path, settings: Settings = samples, **environment: str) -> Piped:
        started.append(Piped(settings, *folders, **environment))
        return started[-1]

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.kill()
            one.process.communicate()


def test_output_carries_the_protocol_alone(piped: Callable[..., Piped], folder: Path, settings: Settings) -> None:
    (folder / "ferry.txt").write_text("Captain Ida Voss steers the Brenholm ferry.")
    one = piped(folder, settings=settings)
    one.greet()
    for number, line in enumerate(("{", "[]", '{"jsonrpc":"2.0","id":7}', "\\ud83d", "x" * 100_000), 1):
        one.say(line)
        one.ask(number, "ping")
        while (reply := one.hear()).get("id") != number:
            assert reply["jsonrpc"] == "2.0"
    question = {"question": "Who steers the Brenholm ferry?"}
    one.ask(20, "tools/call", name="answer", arguments=question)
    reply = one.hear()
    assert reply["id"] == 20 and "Ida Voss" in reply["result"]["content"][0]["text"]
    assert reply["result"]["structuredContent"]["status"] == "answered"
    # What changes meanwhile is followed.
    (folder / "ferry.txt").write_text("Nils Berg steers the Brenholm ferry today.")
    one.ask(21, "tools/call", name="answer", arguments=question)
    assert "Nils Berg" in one.hear()["result"]["content"][0]["text"]
    out, errors = one.end()
    assert out == "" and one.process.returncode == 0
    assert "Traceback" not in errors and "Brenholm" not in errors


def test_every_line_is_answered(piped: Callable[..., Piped]) -> None:
    one = piped()
    one.greet()
    for line, code, asked in (
        ("{", -32700, None),
        ("\\ud83d", -32700, None),
        ("[" * 5000, -32700, None),
        ("[]", -32600, None),
        ('[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","id":2,"method":"ping"}]', -32600, None),
        ("null", -32600, None),
        ('{"jsonrpc":"2.0","id":7}', -32600, None),
        ('{"jsonrpc":"2.0","id":1e400,"method":"ping"}', -32600, None),
        ('{"jsonrpc":"2.0","id":true,"method":"ping"}', -32600, None),
        ('{"id":"seven","method":"ping"}', -32600, "seven"),
        ('{"jsonrpc":"2.0","id":8,"method":"ping","params":[1]}', -32600, 8),
        (json.dumps({"jsonrpc": "2.0", "id": 9, "method": "ping", "params": {"x": "y" * 3_000_000}}), -32600, None),
    ):
        one.say(line)
        reply = one.hear()
        assert (reply["jsonrpc"], reply["id"], reply["error"]["code"]) == ("2.0", asked, code), line
        assert len(reply["error"]["message"]) < 200
    for blank in ("", " "):
        one.say(blank)
    asking = '{"jsonrpc":"2.0","id":77,"method":"tools/call","params":{"name":"answer","arguments":{"question":"%s"}}}'
    for written, read in (
        (r"why \ud800 Israel", "why ? Israel"),
        (r"why \uDC00\ud800 Israel", "why ?? Israel"),
        (r"why \ud83d\ude00 Israel", "why \U0001f600 Israel"),
        (r"why \\ud800 Israel", "why \\ud800 Israel"),
    ):
        one.say(asking % written)
        reply = one.hear()
        assert (reply["id"], reply["result"]["structuredContent"]["question"]) == (77, read)
    out, errors = one.end()
    assert (out, errors) == ("", "")


@given(
    text=st.text(st.characters(exclude_categories=())), halves=st.lists(st.sampled_from('\ud800\udbff\udc00\udfff\\"u'))
)
def test_mended_json_says_what_can_be_encoded_of_it(text: str, halves: list[str]) -> None:
    whole = text + "".join(halves)
    # As Python has it that writes both halves of a pair, which readers take for one character.
    said = whole.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\ufffd", "?")
    mended = json.loads(mend_escapes(json.dumps(whole).encode()))
    assert mended.replace("\ufffd", "?") == said


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_call_can_be_cancelled_and_a_signal_ends_all(
    piped: Callable[..., Piped], number: signal.Signals, code: int
) -> None:
    one = piped()
    one.greet()
    one.ask(1, "tools/call", name="answer", arguments={"question": QUESTION})
    one.say({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}})
    one.ask(2, "tools/call", name="list_documents", arguments={"count": 1})
    reply = one.hear()
    assert reply["id"] == 2 and not reply["result"].get("isError")
    one.process.send_signal(number)
    out, errors = one.end()
    assert (out, one.process.returncode) == ("", code) and "Traceback" not in errors


def test_it_ends_with_its_input_whatever_is_under_way(
    piped: Callable[..., Piped], folder: Path, settings: Settings
) -> None:
    for number in range(60):
        (folder / f"{number}.txt").write_text("\n".join(f"Sentence {number}-{line} is read." for line in range(200)))
    one = piped(folder, settings=settings)
    one.greet()
    one.ask(1, "tools/call", name="answer", arguments={"question": "What is read?"})
    time.sleep(1)
    _, errors = one.end()
    assert one.process.returncode == 0 and "Traceback" not in errors and "Fatal" not in errors


def test_a_folder_that_is_none_is_told_at_once(piped: Callable[..., Piped], tmp_path: Path) -> None:
    one = piped(tmp_path / "missing")
    out, errors = one.end()
    assert out == "" and one.process.returncode == 2
    assert errors == f"footnote: {tmp_path / 'missing'} does not exist: check the path.\n"


def test_what_cannot_be_opened_is_told_by_each_call(piped: Callable[..., Piped], folder: Path, tmp_path: Path) -> None:
    one = piped(folder, FOOTNOTE_EMBEDDING=f"local:{tmp_path}")  # no model
    one.greet()
    for number in (1, 2):
        one.ask(number, "tools/call", name="list_documents", arguments={})
        result = one.hear()["result"]
        assert result["isError"] and str(tmp_path) in result["content"][0]["text"]
    one.ask(3, "resources/list")
    assert str(tmp_path) in one.hear()["error"]["message"]
    assert str(tmp_path) in one.end()[1]
