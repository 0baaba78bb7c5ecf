"""The same twelve questions over every road: text, citations, offsets, verdicts, refusals are the same to the letter.

One chat, in a process of its own, is asked over all that it serves; command line, pipe and Python stand beside it, over
the same folder and store. Once quotations answer, and once a language model, whose replies are made by a rule.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from made_files import make_pdf
from openai_server import OpenAIServer, Request
from test_attacks_port import Events
from test_chat import ROOT, serving

from assistant import Answer, AsyncFootnote, Footnote, FootnoteQueryEngine, answer, stream_answer
from index.settings import Settings

FILES = {
    "mill.md": "# The mill\n\nMara Oduya keeps the keys of the mill. The mill was opened in 1911, since the old one "
    "had burnt down.\n\nThe mill has three rooms:\n\n- the grinding room\n- the drying room\n- the storage room\n",
    "staff.txt": "Head of sales: Karl Aster\nHead of repairs: Ines Malo\nPhone: 555 0199\n",
    "prices.csv": "Boat,Price per day,Seats\nHeron,120,4\nTern,95,2\nGannet,310,9\n",
    "ferry.html": "<title>The ferry</title><h1>The ferry</h1><p>The ferry leaves at nine. Dogs may not board it.</p>",
    "rules.pdf": make_pdf(["Nobody may swim in the harbour.", "Fires are put out by the harbour master."]),
    "hafen.md": "Der Hafenmeister heißt Olaf Brandt. Er wohnt im Turm.\n",
}
QUESTIONS: tuple[tuple[str, ...], ...] = (  # the last of each is compared, after those before it
    ("Who keeps the keys of the mill?",),
    ("Why was the mill opened?",),
    ("Which rooms does the mill have?",),
    ("Who is the head of sales?",),
    ("What is the price per day of the Gannet?",),
    ("When does the ferry leave, and who is the head of repairs?",),
    ("Who puts out fires in the harbour?",),
    ("Wie heißt der Hafenmeister?",),
    ("What is the population of Qatar?",),
    ("How many documents are there?",),
    ('who said "may not board"?',),
    ("Who keeps the keys of the mill?", "And who is the head of repairs?"),
)
NUMBERED = re.compile(r"^\[(\d+)\] (.*)$", re.MULTILINE)
JUDGED = re.compile(r"^Sentence (\d+):", re.MULTILINE)

Ask = Callable[[tuple[str, ...]], Any]


@dataclass
class Roads:
    """Where the same is asked. environment: for processes."""

    folder: Path
    settings: Settings
    address: str
    environment: dict[str, str]
    events: Events = field(init=False)

    def __post_init__(self) -> None:
        page = urllib.request.urlopen(self.address).read().decode()
        config, _ = json.JSONDecoder().raw_decode(page.partition("window.gradio_config = ")[2])
        self.events = Events(config)


def write_by_rule(request: Request) -> str:
    """What the model says: of the sentences that it is shown, the two that share most words with the question."""
    if judged := JUDGED.findall(request.user):
        return "\n".join(f"{number}: {'supported' if int(number) % 2 else 'partial: by rule'}" for number in judged)
    if "Question to rewrite: " in request.user:
        return request.user.rpartition("Question to rewrite: ")[2].strip()
    question = set(re.findall(r"\w{4,}", request.user.rpartition("Question: ")[2].lower()))
    shared = [
        (len(question & set(re.findall(r"\w{4,}", sentence.lower()))), number, sentence)
        for number, sentence in NUMBERED.findall(request.user)
    ]
    best = sorted((row for row in shared if row[0]), key=lambda row: (-row[0], int(row[1])))[:2]
    return "\n".join(f"- {sentence} [{number}]" for _, number, sentence in best) or "The documents do not say."


@pytest.fixture(scope="module", params=["quotations", "model"])
def roads(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, cache_folder: Path
) -> Iterator[Any]:
    place = tmp_path_factory.mktemp("roads")
    folder = place / "harbour"
    folder.mkdir()
    for name, content in FILES.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    environment = {"FOOTNOTE_STORE": str(place / "stores"), "FOOTNOTE_CACHE": str(cache_folder)}
    with OpenAIServer(write_by_rule) as model:
        if request.param == "model":
            environment |= {
                "OPENAI_BASE_URL": model.base_url,
                "FOOTNOTE_MODEL": "scripted-model",
                "FOOTNOTE_CHECK": "model",
            }
        with serving(folder, **environment) as address:
            yield Roads(folder, Settings.from_environment(environment), address, environment)


@pytest.fixture(scope="module")
def expected(roads: Roads) -> dict[tuple[str, ...], Answer]:
    """What `answer()` gives."""
    return {
        asked: _ask_in_turn(partial(answer, documents=roads.folder, settings=roads.settings), asked)
        for asked in QUESTIONS
    }


def _ask_in_turn(ask: Callable[..., Answer], asked: tuple[str, ...]) -> Answer:
    given: list[Answer] = []
    for question in asked:
        given.append(ask(question, history=given[:]))
    return given[-1]


def compare(got: Any, expected: Answer) -> None:
    """An Answer, or what JSON makes of it, against another: the same but for how long it took."""
    one, other = (_to_fields(each) for each in (got, expected))
    assert one == other


def _to_fields(given: Any) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(given.to_json() if isinstance(given, Answer) else json.dumps(given))
    if fields["usage"]:
        fields["usage"]["seconds"] = fields["usage"]["first_token_seconds"] = None
    return fields


def test_the_questions_are_of_all_kinds(roads: Roads, expected: dict[tuple[str, ...], Answer]) -> None:
    answers = list(expected.values())
    assert {given.status for given in answers} >= {"answered", "not_found"}
    assert {Path(c.path).suffix for given in answers for c in given.citations} >= {
        ".md",
        ".txt",
        ".csv",
        ".html",
        ".pdf",
    }
    assert {c.kind for given in answers for c in given.citations} == {"words", "document"}
    assert any(c.page == 2 for given in answers for c in given.citations)
    if roads.settings.uses_language_model:
        assert {given.model for given in answers} == {"scripted-model", None}
        assert {"supported", "partial"} <= {s.support for given in answers for s in given.sentences}


# -- Python -----------------------------------------------------------------------------------


def test_python(roads: Roads, expected: dict[tuple[str, ...], Answer]) -> None:
    for asked, wanted in expected.items():
        *_, last = stream_answer(
            asked[-1], roads.folder, history=[expected[asked[:1]]] if asked[1:] else [], settings=roads.settings
        )
        compare(last, wanted)
    with Footnote(roads.folder, settings=roads.settings) as footnote:
        for asked, wanted in expected.items():
            compare(_ask_in_turn(footnote.answer, asked), wanted)

        async def ask_all() -> None:
            asynchronous = AsyncFootnote(footnote)
            for asked, wanted in expected.items():
                history = [expected[asked[:1]]] if asked[1:] else []
                compare(await asynchronous.answer(asked[-1], history=history), wanted)

        asyncio.run(ask_all())


def test_llama_index(roads: Roads, expected: dict[tuple[str, ...], Answer]) -> None:
    engine = FootnoteQueryEngine(roads.folder, settings=roads.settings)
    streaming = FootnoteQueryEngine(roads.folder, settings=roads.settings, streaming=True)
    for asked, wanted in expected.items():
        if len(asked) > 1:
            continue  # a query engine has no conversation
        response = engine.query(asked[0])
        assert str(response) == wanted.text
        compare(response.metadata["answer"], wanted)
        nodes = [node.node for node in response.source_nodes]
        assert [(node.start_char_idx, node.end_char_idx, node.get_content()) for node in nodes] == [
            (citation.start, citation.end, citation.quote) for citation in wanted.citations
        ]
        streamed = streaming.query(asked[0])
        assert "".join(streamed.response_gen) == wanted.text


def test_the_command_line(roads: Roads, expected: dict[tuple[str, ...], Answer]) -> None:
    script = (
        "import contextlib, io, json, sys\n"
        "from assistant.serving.command_line import command\n"
        "for question in json.loads(sys.argv[1]):\n"
        "    said = io.StringIO()\n"
        "    with contextlib.redirect_stdout(said), contextlib.suppress(SystemExit):\n"
        "        command(['ask', question, '--documents', sys.argv[2], '--json'])\n"
        "    print(json.dumps(said.getvalue()))\n"
    )
    alone = [asked for asked in expected if len(asked) == 1]
    done = subprocess.run(
        [sys.executable, "-c", script, json.dumps([asked[0] for asked in alone]), str(roads.folder)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env={**os.environ, **roads.environment},
    )
    for asked, line in zip(alone, done.stdout.splitlines(), strict=True):
        compare(Answer.from_json(json.loads(line)), expected[asked])


# -- what the server gives --------------------------------------------------------------------


def test_the_page(roads: Roads, expected: dict[tuple[str, ...], Answer]) -> None:
    for number, (asked, wanted) in enumerate(expected.items()):
        session = f"road{number}"
        with (
            httpx.Client(base_url=roads.address, timeout=60) as client,
            client.stream("GET", f"/gradio_api/heartbeat/{session}"),
        ):
            for question in asked:
                client.post(
                    "/gradio_api/run/predict", json=roads.events.to_event("take", session, question)
                ).raise_for_status()
                client.post("/gradio_api/queue/join", json=roads.events.to_event("ask", session)).raise_for_status()
                with client.stream("GET", f"/gradio_api/queue/data?session_hash={session}") as stream:
                    for line in stream.iter_lines():
                        if '"process_completed"' in line:
                            break
            body = roads.events.to_event("export", session) | {
                "event_data": {"turn": len(asked) - 1, "kind": "json", "key": "k"}
            }
            exported = client.post("/gradio_api/run/predict", json=body).raise_for_status().json()["data"][0]
        [exchange] = json.loads(exported["text"])["exchanges"]
        compare(exchange, wanted)


def test_http(roads: Roads, expected: dict[tuple[str, ...], Answer]) -> None:
    with httpx.Client(base_url=roads.address, timeout=60) as client:
        for asked, wanted in expected.items():
            history: list[Any] = []
            for question in asked:
                reply = client.post("/api/answer", json={"question": question, "history": history})
                history.append(reply.json())
            compare(Answer.from_json(reply.content), wanted)
            body = {"question": asked[-1], "history": history[:-1], "stream": True}
            events = _read_events(client.post("/api/answer", json=body).text)
            name, data = events[-1]
            assert (name, data["is_final"]) == ("answer", True)
            compare(data["answer"], wanted)
            assert "".join(data["text"] for name, data in events if name == "text") == wanted.text


def _read_events(text: str) -> list[tuple[str, Any]]:
    found = re.findall(r"^event: (\w+)\ndata: (.*)$", text, re.MULTILINE)
    return [(name, json.loads(data)) for name, data in found]


def test_gradios_client(roads: Roads, expected: dict[tuple[str, ...], Answer]) -> None:
    from gradio_client import Client

    client = Client(roads.address, verbose=False)
    for asked, wanted in expected.items():
        if len(asked) == 1:
            compare(Answer.from_json(client.predict(asked[0], api_name="/answer")), wanted)


def test_openai(roads: Roads, expected: dict[tuple[str, ...], Answer]) -> None:
    with openai.OpenAI(base_url=f"{roads.address}/v1", api_key="none", max_retries=0, timeout=60) as client:
        for asked, wanted in expected.items():
            messages: list[Any] = []
            for question in asked:
                messages.append({"role": "user", "content": question})
                chat = client.chat.completions.create(model="footnote", messages=messages)
                message = chat.choices[0].message
                messages.append({"role": "assistant", "content": message.content})
            _compare_text(str(message.content), message.footnote, message.annotations, wanted)
            chunks = list(client.chat.completions.create(model="footnote", messages=messages[:-1], stream=True))
            deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
            annotations = [one for delta in deltas for one in getattr(delta, "annotations", None) or ()]
            [given] = [chunk.footnote for chunk in chunks if getattr(chunk, "footnote", None)]
            text = "".join(delta.content or "" for delta in deltas)
            assert text == message.content
            _compare_text(text, given, annotations, wanted)

            response = client.responses.create(model="footnote", input=messages[:-1])
            assert response.output_text == message.content
            compare(response.footnote, wanted)
            events = list(client.responses.create(model="footnote", input=messages[:-1], stream=True))
            assert "".join(e.delta for e in events if e.type == "response.output_text.delta") == message.content
            compare(events[-1].response.footnote, wanted)


def _compare_text(text: str, given: Any, annotations: Any, wanted: Answer) -> None:
    assert text.startswith(wanted.text)
    compare(given, wanted)
    if any(citation.kind == "words" for citation in wanted.citations):
        assert annotations
    for citation in wanted.citations:
        assert citation.path in text[len(wanted.text) :]


# -- the protocol of tools --------------------------------------------------------------------


async def _call_all(client: Any, expected: dict[tuple[str, ...], Answer]) -> None:
    for asked, wanted in expected.items():
        history = [
            {"question": a.question, "answer": a.text, "citations": [asdict(c) for c in a.citations], "query": a.query}
            for a in [expected[asked[:1]]] * (len(asked) - 1)
        ]
        result = await client.call_tool("answer", {"question": asked[-1], "history": history})
        compare(result.structured_content, wanted)
        [content] = result.content
        assert content.text.startswith(wanted.text)


def test_tools_over_http(roads: Roads, expected: dict[tuple[str, ...], Answer]) -> None:
    from mcp import Client

    async def ask_all() -> None:
        async with Client(f"{roads.address}/mcp") as client:
            await _call_all(client, expected)

    asyncio.run(ask_all())


def test_tools_over_a_pipe(roads: Roads, expected: dict[tuple[str, ...], Answer]) -> None:
    from mcp import Client, StdioServerParameters
    from mcp.client.stdio import stdio_client

    command = StdioServerParameters(
        command=sys.executable,
        args=["-m", "assistant", "mcp", str(roads.folder)],
        env={**os.environ, **roads.environment, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
    )

    async def ask_all() -> None:
        async with Client(stdio_client(command)) as client:
            await _call_all(client, expected)

    asyncio.run(ask_all())
