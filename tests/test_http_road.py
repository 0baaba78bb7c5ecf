"""Questions over HTTP: JSON and events, what describes them, the server without a page, and Gradio's own client."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as trying
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from made_examples import EXAMPLES, QUESTION, VARYING, make_examples, serving
from openai_server import Fault, OpenAIServer
from test_chat import ROOT
from test_chat import serving as chatting

from assistant.answers import Answer, Draft, TextDelta
from assistant.chain import answer
from assistant.serving.answering import Answering
from assistant.serving.entrance import open_entrance
from assistant.serving.limits import Places
from assistant.serving.routes import answers as room
from assistant.serving.routes import open_routes
from assistant.serving.routes.schema import find_own
from assistant.serving.served import Served, open_served
from assistant.serving.server import make_app
from index.documents import Progress, identify
from index.errors import StoreError
from index.library import finish
from index.settings import Settings, sample_folder

TOKEN = "a-token-for-the-tests-alone"


@pytest.fixture
def served(samples: Settings, tmp_path: Path) -> Iterator[Served]:
    """The sample folder, and another beside it."""
    other = tmp_path / "harbour"
    other.mkdir()
    (other / "ferry.txt").write_text("The ferry leaves at nine. Dogs may not board it.")
    served = finish(open_served([sample_folder(), other], samples))
    yield served
    served.close()


@pytest.fixture
def client(served: Served) -> Iterator[httpx.Client]:
    with serving(served) as client:
        yield client


def ask(client: httpx.Client, question: str, **fields: Any) -> Answer:
    reply = client.post("/api/answer", json={"question": question, **fields})
    assert reply.status_code == 200, reply.text
    return Answer.from_json(reply.content)


def follow(client: httpx.Client, **fields: Any) -> list[tuple[str, Any]]:
    """The events of an answer, each with its data."""
    reply = client.post("/api/answer", json=fields, headers={"Accept": "text/event-stream"})
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/event-stream; charset=utf-8"), reply.text
    blocks = [block for block in reply.text.split("\n\n") if block and not block.startswith(":")]
    parted = [re.fullmatch(r"event: (\w+)\ndata: (.+)", block) for block in blocks]
    return [(match[1], json.loads(match[2])) for match in parted if match]


def read_answer(data: Any) -> Answer:
    return Answer.from_json(json.dumps(data["answer"]))


# -- answers ----------------------------------------------------------------------------------


def test_an_answer_is_the_one_that_python_gets(client: httpx.Client, samples: Settings) -> None:
    for question in (QUESTION, "What is the population of Qatar?", "Which documents are there?"):
        reply = client.post("/api/answer", json={"question": question})
        assert reply.headers["content-type"] == "application/json"
        assert reply.text == answer(question, settings=samples).to_json()


def test_the_history_comes_in_every_form(client: httpx.Client, samples: Settings) -> None:
    first = answer(QUESTION, settings=samples)
    for history in (
        [first],
        [(QUESTION, first.text)],
        [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": first.text}],
    ):
        given = [json.loads(turn.to_json()) if isinstance(turn, Answer) else turn for turn in history]
        expected = answer("Who criticised it?", history=history, settings=samples)
        assert expected.query != expected.question
        assert ask(client, "Who criticised it?", history=given) == expected
    # The citations of an Answer come along: what is asked is who stands in them.
    lost = client.post("/api/answer", json={"question": "x?", "history": [{**json.loads(first.to_json()), "found": 1}]})
    assert (lost.status_code, "no Answer of this version (found)" in lost.json()["detail"]) == (400, True)


def test_only_some_files_and_another_library_are_asked(client: httpx.Client, samples: Settings) -> None:
    only = ["israeli-criticism.md"]
    assert ask(client, QUESTION, only=only) == answer(QUESTION, only=only, settings=samples)
    assert "nine" in ask(client, "When does the ferry leave?", library="harbour").text
    assert not ask(client, "When does the ferry leave?").found
    assert client.get("/api/libraries").json()["libraries"] == [
        {"name": "documents", "documents": 8, "passages": 18},
        {"name": "harbour", "documents": 1, "passages": 1},
    ]


def test_events_joined_are_the_answer(client: httpx.Client, samples: Settings) -> None:
    for question in (QUESTION, "What is the population of Qatar?"):
        *before, (last, data) = follow(client, question=question)
        expected = answer(question, settings=samples)
        assert (last, data["is_final"], read_answer(data)) == ("answer", True, expected)
        assert "".join(data["text"] for name, data in before if name == "text") == expected.text
    reply = client.post("/api/answer", json={"question": QUESTION, "stream": True})
    assert (reply.headers["content-type"].split(";")[0], reply.text.count("event: answer")) == ("text/event-stream", 1)


def test_a_language_model_is_followed_and_its_verdicts_come_later(samples: Settings) -> None:
    said = "Trump skipped Israel because of economic diplomacy [1]."
    with OpenAIServer(said, "1: supported") as model:
        settings = replace(model.reach(samples), check="model")
        with serving(finish(open_served([sample_folder()], settings))) as client:
            told = follow(client, question=QUESTION)
    texts = "".join(data["text"] for name, data in told if name == "text")
    *pending, last = [data for name, data in told if name == "answer"]
    assert [data["is_final"] for data in (*pending, last)] == [False] * len(pending) + [True]
    assert pending and "It is being checked." in json.dumps(pending[0])
    final = read_answer(last)
    assert (texts, final.sentences[0].support, final.model) == (final.text, "supported", "scripted-model")
    assert "It is being checked." not in json.dumps(last)


def test_who_goes_away_is_answered_no_further(samples: Settings) -> None:
    with (
        OpenAIServer(Fault.ENDLESS) as model,
        serving(finish(open_served([sample_folder()], model.reach(samples)))) as client,
        client.stream("POST", "/api/answer", json={"question": QUESTION, "stream": True}) as reply,
    ):
        next(reply.iter_bytes())
        reply.close()
        assert model.hung_up.wait(30)


# -- events, as they are written --------------------------------------------------------------


def write(*steps: Any, failure: Exception | None = None, pause_seconds: float = 0.0) -> list[str]:
    """The events of a walk that takes these steps in a thread."""

    def walk() -> Iterator[Any]:
        for step in steps:
            yield step
            time.sleep(pause_seconds)
        if failure:
            raise failure

    async def read() -> list[str]:
        return [event.decode() async for event in room.tell_events(Answering().follow(walk))]

    return asyncio.run(read())


def test_every_step_has_its_event() -> None:
    events = write(Progress("reading a.txt", 1, 2, "files"), Draft("a\nb"), TextDelta("“ä”"))
    assert events == [
        'event: progress\ndata: {"message": "reading a.txt", "done": 1, "total": 2, "unit": "files"}\n\n',
        'event: draft\ndata: {"text": "a\\nb"}\n\n',
        'event: text\ndata: {"text": "“ä”"}\n\n',
    ]


def test_what_breaks_off_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    *_, last = write(TextDelta("a"), failure=StoreError("The store is gone: sync."))
    assert last == 'event: error\ndata: {"detail": "The store is gone: sync.", "status": 503}\n\n'
    with pytest.raises(StoreError):
        write(failure=StoreError("Nothing was told yet."))


def test_a_comment_keeps_a_silent_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "KEEP_ALIVE_SECONDS", 0.05)
    first, *between, last = write(TextDelta("a"), TextDelta("b"), pause_seconds=0.3)
    assert first.startswith("event: text")
    assert last == ": still at work\n\n"
    assert between.count(": still at work\n\n") >= 1


# -- searches ---------------------------------------------------------------------------------


def test_a_search_gives_passages_to_the_letter(client: httpx.Client, served: Served) -> None:
    from index.search import search

    found = finish(search(served.library(), "who criticised the tour?", 3))
    shown = [{name: asdict(passage)[name] for name in room.FoundPassage.__dataclass_fields__} for passage in found]
    expected = {"query": "who criticised the tour?", "passages": json.loads(json.dumps(shown))}
    assert len(expected["passages"]) == 3
    asked = {"query": "who criticised the tour?", "count": 3}
    assert client.post("/api/search", json=asked).json() == expected
    assert client.get("/api/search", params=asked).json() == expected
    only = client.get("/api/search", params={"query": "Israel", "only": ["gulf-tour.md", "maga-rift.md"]}).json()
    assert {passage["path"] for passage in only["passages"]} == {"gulf-tour.md", "maga-rift.md"}
    there = client.get("/api/search", params={"query": "ferry", "library": "harbour"}).json()
    assert [passage["path"] for passage in there["passages"]] == ["ferry.txt"]


def test_programs_read_a_document_to_the_letter(client: httpx.Client) -> None:
    text = (sample_folder() / "gulf-tour.md").read_text()
    path = f"/api/documents/{identify('gulf-tour.md')}/text"
    ask(client, QUESTION)  # with which the store follows
    assert client.get(path, params={"as": "text"}).json() == {
        "text": text, "start": 0, "end": len(text), "total": len(text), "page": None,
    }  # fmt: skip
    (citation,) = ask(client, QUESTION).citations
    part = client.get(path, params={"as": "text", "start": citation.start, "end": citation.end}).json()
    assert part["text"] == citation.quote
    assert client.get(path, params={"as": "text", "start": 99999, "end": 3}).json()["text"] == ""
    assert client.get(path, params={"as": "pdf"}).status_code == 400
    assert "<" in client.get(path).json()["html"]


# -- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "status", "sentence"),
    [
        (b"", 422, "The request's body is no JSON object"),
        (b"{", 422, "The request's body is not JSON."),
        (b"[" * 100_000, 422, "The request's body is not JSON."),
        (b'{"question": ' + b"9" * 5000 + b"}", 422, "The request's body is not JSON."),
        (b"\xff\xfe", 422, "The request's body is not JSON."),
        (b"[]", 422, "The request's body is no JSON object"),
        (b"{}", 422, "The field “question” is missing."),
        (b'{"question": 7}', 422, "“question” cannot be used: it takes text."),
        (b'{"question": "\\ud800"}', 400, "The question is empty"),
        (b'{"question": "x", "only": "a.md"}', 422, "“only” cannot be used"),
        (b'{"question": "x", "only": ["a.md", null]}', 422, "“only.1” cannot be used"),
        (b'{"question": "x", "history": {}}', 422, "“history” cannot be used"),
        (b'{"question": "x", "history": [7]}', 400, "Each turn of the history is an Answer"),
        (b'{"question": "x", "path": "/etc/passwd"}', 422, "There is no field “path” in a request of this kind."),
        (b'{"question": " "}', 400, ""),
        (b'{"question": "x", "library": "no"}', 404, "There is no library “no”: choose one of documents, harbour."),
    ],
)
def test_what_cannot_be_asked_is_refused_in_a_sentence(
    client: httpx.Client, content: bytes, status: int, sentence: str
) -> None:
    for accept in ("application/json", "text/event-stream"):
        headers = {"Content-Type": "application/json", "Accept": accept}
        reply = client.post("/api/answer", content=content, headers=headers)
        assert (reply.status_code, reply.json().keys() - {"error"}) == (status, {"detail"}), reply.text
        assert reply.json()["detail"].startswith(sentence)
        assert reply.json()["detail"].endswith(".")


def test_searches_are_refused_in_sentences(client: httpx.Client) -> None:
    for query, status in (
        ({}, 422),
        ({"query": "x", "count": 0}, 422),
        ({"query": "x", "count": 51}, 422),
        ({"query": "x", "count": "many"}, 422),
        ({"query": "x", "more": 1}, 422),
        ({"query": "x", "only": ["y" * 1001]}, 422),
        ({"query": ""}, 400),
        ({"query": "x", "only": [".."]}, 400),
        ({"query": "x", "library": "no"}, 404),
        ({"query": "x" * 3000}, 414),
    ):
        reply = client.get("/api/search", params=query)
        assert (reply.status_code, type(reply.json()["detail"])) == (status, str), (query, reply.text)


def test_too_many_questions_are_told_when_to_come_back(samples: Settings) -> None:
    with OpenAIServer(Fault.SILENCE) as model:
        served = finish(open_served([sample_folder()], replace(model.reach(samples), timeout_seconds=5)))
        served.answering._places = Places(1, 1, "questions")
        with serving(served) as client:
            waiting = threading.Thread(target=lambda: client.post("/api/answer", json={"question": QUESTION}))
            waiting.start()
            while not model.chats:
                time.sleep(0.01)
            for stream in (False, True):
                reply = client.post("/api/answer", json={"question": QUESTION, "stream": stream})
                assert (reply.status_code, reply.headers["retry-after"]) == (429, "2")
                assert "try again in 2 seconds" in reply.json()["detail"]
            model.closing.set()
            waiting.join()


bodies = st.fixed_dictionaries(
    {"question": st.text(max_size=40) | st.none() | st.integers()},
    optional={
        "history": st.recursive(
            st.none() | st.text(max_size=5) | st.integers(),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["role", "content", "question", "text", "citations"]), inner, max_size=3
                )
            ),
            max_leaves=8,
        ),
        "only": st.lists(st.text(max_size=8), max_size=3) | st.text(max_size=8),
        "library": st.none() | st.text(max_size=8) | st.sampled_from(["documents", "harbour"]),
        "stream": st.booleans() | st.none(),
        "count": st.integers(),
    },
)


@trying(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bodies)
def test_no_body_is_more_than_refused(client: httpx.Client, body: dict[str, Any]) -> None:
    for path, form in (("/api/answer", body), ("/api/search", {**body, "query": body["question"]})):
        reply = client.post(path, content=json.dumps(form), headers={"Content-Type": "application/json"})
        assert reply.status_code in (200, 400, 404, 422), reply.text
        assert "Traceback" not in reply.text
        if reply.status_code != 200:
            assert isinstance(reply.json()["detail"], str)


# -- what describes it ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def description(tmp_path_factory: pytest.TempPathFactory, samples: Settings) -> dict[str, Any]:
    uploads = tmp_path_factory.mktemp("uploads")
    with serving(finish(open_served([sample_folder()], samples, uploads=uploads))) as client:
        described: dict[str, Any] = client.get("/api/openapi.json").json()
        return described


def find_references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (
            found for name, one in value.items() for found in ([one] if name == "$ref" else find_references(one))
        )
    elif isinstance(value, list):
        yield from (found for one in value for found in find_references(one))


def check(description: dict[str, Any], schema: dict[str, Any], value: Any) -> None:
    Draft202012Validator.check_schema(schema)
    Draft202012Validator({**schema, "components": description["components"]}).validate(value)


def test_the_description_is_whole(description: dict[str, Any], samples: Settings) -> None:
    assert description["openapi"].startswith("3.1")
    for reference in set(find_references({**description, "paths": json.loads(json.dumps(description["paths"]))})):
        at: Any = description
        for name in reference.removeprefix("#/").split("/"):
            at = at[name]
        assert at
    named = {(method.upper(), path) for path, operations in description["paths"].items() for method in operations}
    own = [
        (method, route.path)
        for route in find_own(make_app(finish(open_served([sample_folder()], samples))))
        for method in route.methods or ()
    ]
    assert sorted(named) == sorted(own)
    for method, pattern, *_ in open_routes():
        if pattern.pattern.startswith("/api/"):
            filled = {(way, path.format(document_id="0" * 16, number=1, name="a")) for way, path in named}
            assert any(way == method and pattern.fullmatch(path) for way, path in filled), pattern
    operations = [one for each in description["paths"].values() for one in each.values()]
    assert all(one["summary"] and one["description"].endswith((".", "broke off.")) for one in operations)
    assert len({one["operationId"] for one in operations}) == len(operations)
    assert "security" not in description
    assert not re.search("gradio|/work|HTTPValidationError", json.dumps(description))


def test_the_examples_are_what_the_product_gives(
    description: dict[str, Any], samples: Settings, tmp_path: Path
) -> None:
    """Where they are not: python tests/made_examples.py."""
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    served = finish(open_served([sample_folder()], samples, uploads=uploads))
    finish(served.library().sync())
    with serving(served) as client:
        made = make_examples(client)
    kept = json.loads(EXAMPLES.read_text())
    assert made.keys() == kept.keys()
    for route in made.keys() - VARYING:
        for name in made[route].keys() - {"events"}:
            assert_alike(made[route][name], kept[route][name])
    for route, example in kept.items():
        method, path = route.split()
        operation = description["paths"][path][method.lower()]
        content = operation["responses"]["200"]["content"]["application/json"]
        assert content["example"] == example["reply"]
        check(description, content["schema"], example["reply"])
        if "body" in example:
            check(description, operation["requestBody"]["content"]["application/json"]["schema"], example["body"])
    undrawn = {
        f"{method.upper()} {path}" for path, each in description["paths"].items() for method in each
    } - kept.keys()
    assert undrawn == {
        "GET /api/documents/{document_id}/page/{number}",
        "DELETE /api/documents/{document_id}",
        "GET /api/openapi.json",
    }


def assert_alike(made: Any, kept: Any) -> None:
    """The same, but for how machines round."""
    if isinstance(made, float):
        assert made == pytest.approx(kept, abs=0.002)
    elif isinstance(made, dict):
        assert made.keys() == kept.keys()
        for name in made:
            assert_alike(made[name], kept[name])
    elif isinstance(made, list):
        assert len(made) == len(kept)
        if made and isinstance(made[0], dict) and "score" in made[0]:
            # Of passages that are nearly as good as each other, rounding says which is the better one.
            assert [p["score"] for p in made] == sorted((p["score"] for p in made), reverse=True)
            made, kept = (sorted(ps, key=lambda p: (p["document_id"], p["start"])) for ps in (made, kept))
        for one, other in zip(made, kept, strict=True):
            assert_alike(one, other)
    else:
        assert made == kept


def test_replies_are_as_described(description: dict[str, Any], client: httpx.Client, samples: Settings) -> None:
    first = json.loads(answer(QUESTION, settings=samples).to_json())
    for body in ({"question": "Who criticised it?", "history": [first]}, {"question": "Who won the 2022 World Cup?"}):
        asked = description["paths"]["/api/answer"]["post"]
        check(description, asked["requestBody"]["content"]["application/json"]["schema"], body)
        reply = client.post("/api/answer", json=body).json()
        check(description, asked["responses"]["200"]["content"]["application/json"]["schema"], reply)
    refused = client.post("/api/answer", json={}).json()
    check(description, asked["responses"]["422"]["content"]["application/json"]["schema"], refused)


# -- the server without a page ----------------------------------------------------------------


def test_nobody_is_answered_without_the_token(served: Served) -> None:
    entrance = open_entrance(token=TOKEN)
    with serving(served, entrance) as client:
        for path in ("/api/openapi.json", "/api/libraries", "/api/search?query=x"):
            reply = client.get(path)
            assert (reply.status_code, "Log in first" in reply.text) == (401, True), path
        assert client.post("/api/answer", json={"question": QUESTION}).status_code == 401
        client.headers["Authorization"] = f"Bearer {TOKEN}"
        assert ask(client, QUESTION).found
        described = client.get("/api/openapi.json").json()
        assert described["security"] == [{"bearer": []}]
        assert described["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


def test_pages_of_other_origins_ask_nothing(client: httpx.Client) -> None:
    for headers in ({"Origin": "http://evil.test"}, {"Sec-Fetch-Site": "cross-site"}):
        assert client.post("/api/answer", json={"question": QUESTION}, headers=headers).status_code == 403
    assert client.get("/api/libraries", headers={"Host": "evil.test"}).status_code == 421
    for path in ("/config", "/gradio_api/info", "/docs", "/openapi.json", "/api", "/api/", "/api/answer"):
        assert client.get(path).status_code == 404, path


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """What a server of its own prints, whether Gradio was loaded last of all; ended by Ctrl-C when it was asked."""
    code = (
        "import sys\nfrom assistant.__main__ import main\n"
        "try: main(['serve', *sys.argv[1:]])\nfinally: print('gradio:', 'gradio' in sys.modules)"
    )
    command = [sys.executable, "-c", code, "--port", "7970"]
    environment = {**os.environ, "FOOTNOTE_STORE": str(tmp_path_factory.mktemp("store")), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=ROOT)
    assert process.stdout
    lines = [process.stdout.readline()]
    try:
        address = re.search(r"http://127\.0\.0\.1:\d+", lines[0])
        assert address, lines
        with httpx.Client(base_url=address.group(), timeout=60) as client:
            lines += [client.get("/").text, str(ask(client, QUESTION).found), str(client.get("/healthz").status_code)]
    finally:
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=30)
    yield [*lines, *rest.splitlines(), str(process.returncode)]


def test_the_command_serves_without_gradio(started: list[str]) -> None:
    first, here, found, health, *rest = started
    assert first.startswith("Footnote answers at http://127.0.0.1:79")
    told = json.loads(here)
    assert (told["name"], told["libraries"], told["description"]) == ("Footnote", ["documents"], "/api/openapi.json")
    assert {"POST /api/answer", "GET /api/search", "GET /healthz"} <= set(told["routes"])
    assert (found, health) == ("True", "200")
    assert rest[-3:] == ["Stopped.", "gradio: False", "0"]
    assert any(line.startswith(("Reading 8 files", "Read: 8 documents")) for line in rest)


# -- Gradio's own client ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with chatting(FOOTNOTE_STORE=str(tmp_path_factory.mktemp("store"))) as address:
        yield address


@contextlib.contextmanager
def calling(address: str) -> Iterator[Any]:
    from gradio_client import Client

    client = Client(address, analytics_enabled=False, verbose=False)
    try:
        yield client
    finally:
        client.close()


def test_gradios_client_gets_the_same_answer(chat: str, samples: Settings) -> None:
    with calling(chat) as client, httpx.Client(base_url=chat, timeout=60) as http:
        expected = http.post("/api/answer", json={"question": QUESTION}).text
        assert client.predict(QUESTION, api_name="/answer") == expected
        assert Answer.from_json(expected).text == answer(QUESTION, settings=samples).text
        found = json.loads(client.predict("who criticised the tour?", count=2, api_name="/search"))
        assert found == http.post("/api/search", json={"query": "who criticised the tour?", "count": 2}).json()
        history = [[QUESTION, Answer.from_json(expected).text]]
        followed = Answer.from_json(client.predict("Who criticised it?", history, api_name="/answer"))
        assert "Israel" in followed.query
        assert client.view_api(print_info=False, return_format="dict")["named_endpoints"].keys() == {
            "/answer",
            "/search",
        }


def test_gradios_client_is_told_what_is_wrong(chat: str) -> None:
    with calling(chat) as client:
        for fields, sentence in (
            ({"question": " "}, "."),
            ({"question": "x", "library": "no"}, "There is no library “no”"),
            ({"question": "x", "only": ["y" * 1001]}, "“only.0” cannot be used"),
        ):
            with pytest.raises(Exception, match=re.escape(sentence)):
                client.predict(**fields, api_name="/answer")


def test_gradios_client_reaches_nothing_else(chat: str, tmp_path: Path) -> None:
    from gradio_client import handle_file

    file = tmp_path / "secret.txt"
    file.write_text("wormwood")
    with calling(chat) as client:
        for fields in ({"question": handle_file(str(file))}, {"question": "x", "history": [handle_file(str(file))]}):
            with pytest.raises(ValueError, match="maximum file size of 0"):
                client.predict(**fields, api_name="/answer")
        named = {"path": str(file), "meta": {"_type": "gradio.FileData"}}
        number = next(number for number, one in client.endpoints.items() if one.api_name == "/answer")
        for data in (
            [named, None, None, None],
            ["x", [named], None, None],
            ["x", [{"role": "user", "content": named}], None, None],
            ["x", [["x", named]], None, None],
            ["x", None, [named], None],
            ["x", None, None, named],
            ["x", None, None],
        ):
            body = {"data": data, "fn_index": number, "session_hash": "taker"}
            assert httpx.post(f"{chat}/gradio_api/queue/join", json=body).status_code == 400, data
        private = [number for number, one in client.endpoints.items() if one.api_name not in ("/answer", "/search")]
        assert len(private) > 5
        assert not any(client.endpoints[number].is_valid for number in private)
    told = httpx.get(f"{chat}/config").text + httpx.get(f"{chat}/gradio_api/info").text
    for place in (str(ROOT), str(Path.home()), sys.prefix, "site-packages", os.environ["FOOTNOTE_STORE"]):
        assert place not in told
    direct = {"data": ["x", None, None, None], "fn_index": number, "session_hash": "direct"}
    assert httpx.post(f"{chat}/gradio_api/run/predict", json=direct).status_code == 404
    for path in ("/gradio_api/call/answer", "/gradio_api/run/answer", "/gradio_api/api/answer", "/gradio_api/upload"):
        assert httpx.post(f"{chat}{path}", json={"data": ["x"]}).status_code == 404
