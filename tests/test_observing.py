"""What is told of the work: a journal, counters, spans; in none of them what was asked, or stands in documents."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from guarded_server import Nothing, listening
from hashed import HashEmbedding
from hypothesis import given
from hypothesis import strategies as st
from openai_server import OpenAIServer
from prometheus_client.parser import text_string_to_metric_families
from test_chat import ROOT
from test_routes_folder import paths

from assistant.chain import stream_answer
from assistant.serving.answering import Answering
from assistant.serving.guard import Guard, OwnRoute
from assistant.serving.limits import Streams
from assistant.serving.observing.defects import contain
from assistant.serving.observing.journal import Journal, hear_libraries, open_journal
from assistant.serving.observing.process import observing
from assistant.serving.observing.requests import observe
from assistant.serving.observing.spans import Spans, open_spans
from assistant.serving.routes import health
from assistant.serving.served import Served
from index.errors import InputError
from index.library import Library
from index.settings import Settings
from index.steps import listen
from index.storing.embedded import EmbeddedStore
from index.watching import unwatch, watch

MARKS = ("qwyxfile", "zyxqmark", "vrobel", "folqrmark", "kezmark", "wuzquest")
Lines = list[dict[str, Any]]


def read_lines(text: str) -> Lines:
    return [json.loads(line) for line in text.splitlines()]


def read_metrics(text: str) -> dict[tuple[str, ...], float]:
    """The value of each series, by its name and the values of its labels in the order of their names."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


# -- nothing of a question or a document, on any road -------------------------------------------


@dataclass(frozen=True)
class Told:
    """All that a server and a command told after questions over a marked folder, while all libraries were at debug."""

    printed: str
    journal: Lines
    metrics: str
    spans: list[Any]
    raw_spans: bytes
    command: str
    answers: str


@contextmanager
def receiving() -> Iterator[tuple[str, list[Any]]]:
    """A collector of spans that speaks OTLP over gRPC, and what it was sent."""
    import grpc
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as messages
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as services

    sent: list[Any] = []

    class Collector(services.TraceServiceServicer):
        def Export(self, request: Any, context: Any) -> Any:  # noqa: N802
            sent.append(request)
            return messages.ExportTraceServiceResponse()

    server = grpc.server(ThreadPoolExecutor(2))
    services.add_TraceServiceServicer_to_server(Collector(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"http://127.0.0.1:{port}", sent
    finally:
        server.stop(None).wait()


def ask_page(client: httpx.Client, question: str) -> str:
    """Ask as the page does, and give all that it is sent."""
    config = re.search(r"window\.gradio_config = (.+?);</script>", client.get("/").text, re.DOTALL)
    assert config
    events = json.JSONDecoder().raw_decode(config[1])[0]["dependencies"]
    taking = next(event for event in events if event["targets"][0][1] == "submit")
    asking = next(event for event in events if event["types"]["generator"])
    for event, first, path in ((taking, question, "run/predict"), (asking, None, "queue/join")):
        body = {
            "data": [first, *[None] * (len(event["inputs"]) - 1)],
            "fn_index": event["id"],
            "session_hash": "observed",
            "trigger_id": None,
            "event_data": None,
        }
        assert client.post(f"/gradio_api/{path}", json=body, headers={"x-request-id": "page-1"}).status_code == 200
    told = ""
    with client.stream("GET", "/gradio_api/queue/data", params={"session_hash": "observed"}) as reply:
        for line in reply.iter_lines():
            told += line
            if "process_completed" in line:
                return told
    raise AssertionError(told)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("home") / "Folqrmark"
    folder.mkdir()
    text = "# Zyxqmark\n\nThe Zyxqmark harbour opens at seven. Its keeper is Vrobel Tann.\n"
    (folder / "Qwyxfile.md").write_text(text)
    store = tmp_path_factory.mktemp("store")
    debugging = "import logging, runpy, sys; logging.basicConfig(level=logging.DEBUG); "
    serving = f"{debugging}runpy.run_path('app.py', run_name='__main__')"
    with receiving() as (collector, requests), OpenAIServer("The Zyxqmark harbour opens at seven [2].") as model:
        environment = {
            **os.environ,
            "FOOTNOTE_STORE": str(store),
            "FOOTNOTE_LOG": "json",
            "OPENAI_BASE_URL": model.base_url,
            "OPENAI_API_KEY": "kezmark",
            "FOOTNOTE_CHECK": "words",
            "OPENAI_LOG": "debug",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector,
            "OTEL_BSP_SCHEDULE_DELAY": "200",
        }
        process = subprocess.Popen(
            [sys.executable, "-c", serving, str(folder), "--port", "7910", "--no-browser"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=ROOT,
        )
        errors: list[str] = []
        assert process.stdout and process.stderr
        reading = threading.Thread(target=lambda: errors.extend(process.stderr or ()))
        reading.start()
        first = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+", first)
        assert address, first
        with httpx.Client(base_url=address.group(), timeout=60) as client:
            end = time.monotonic() + 60
            while client.get("/readyz").status_code != 200:
                assert time.monotonic() < end
                time.sleep(0.1)
            answers = ask_page(client, "When does the Zyxqmark harbour open, wuzquest?")
            trace = {"traceparent": f"00-{'ab' * 16}-{'cd' * 8}-01", "x-request-id": "listed-1"}
            answers += client.get("/api/documents", params={"find": "Qwyxfile"}, headers=trace).text
            client.get(f"/api/documents/{16 * 'f'}/text", params={"q": "wuzquest"})
            client.get("/Qwyxfile.md", params={"q": "wuzquest"})
            client.post("/gradio_api/run/predict", json={"data": ["wuzquest"], "fn_index": 0})
            metrics = client.get("/metrics").text
        process.send_signal(signal.SIGINT)
        printed = process.stdout.read()
        assert process.wait(20) == 0
        reading.join()
        process.stdout.close()
        process.stderr.close()
        asked = subprocess.run(
            [
                sys.executable,
                "-c",
                f"{debugging}runpy.run_module('assistant', run_name='__main__')",
                *("ask", "When does the Zyxqmark harbour open, wuzquest?", "--documents", str(folder)),
            ],
            capture_output=True,
            text=True,
            env=environment,
            cwd=ROOT,
            check=True,
        )
        raw = b"".join(request.SerializeToString() for request in requests)
        spans = [
            span
            for request in requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        yield Told(
            first + printed,
            read_lines("".join(errors)),
            metrics,
            spans,
            raw,
            asked.stderr,
            answers + asked.stdout,
        )


def test_what_was_asked_and_what_stands_in_documents_is_told_nowhere(told: Told) -> None:
    # The road itself gives them, of course.
    assert "Zyxqmark harbour opens at seven" in told.answers
    for text in (
        told.printed,
        json.dumps(told.journal),
        told.metrics,
        str(told.raw_spans),
        told.command,
    ):
        assert text
        assert [mark for mark in MARKS if mark in text.casefold()] == []


def test_a_question_of_the_page_has_a_line_with_the_id_of_its_request(told: Told) -> None:
    (asked,) = [line for line in told.journal if line["event"] == "question"]
    assert (
        asked.items()
        >= {
            "level": "info",
            "request_id": "page-1",
            "status": "answered",
            "mode": "model",
            "model": "scripted-model",
            "citations": 1,
            "model_failed": False,
            "prompt_tokens": 321,
            "completion_tokens": 12,
        }.items()
    )
    assert 0 < asked["retrieve_seconds"] < asked["seconds"] and 0 < asked["model_seconds"] < asked["seconds"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", asked["time"])
    requests = [line for line in told.journal if line["event"] == "request"]
    known = {(line["method"], line["route"], line["status"]) for line in requests}
    assert known >= {
        ("POST", "/gradio_api/queue/join", 200),
        ("GET", "/api/documents", 200),
        ("GET", "/api/documents/{document_id}/text", 404),
        ("GET", "other", 404),
    }
    assert ("GET", "/readyz", 200) not in known
    assert [line["event"] for line in told.journal if line["event"] == "sync"] == ["sync"]
    command = [json.loads(line) for line in told.command.splitlines()]
    assert [(line["event"], line["status"]) for line in command if line["event"] == "question"] == [
        ("question", "answered")
    ]


def test_the_counters_of_the_server(told: Told) -> None:
    series = read_metrics(told.metrics)
    assert series["footnote_answers_total", "model", "answered"] == 1
    assert series["footnote_answer_seconds_count", "model"] == 1
    assert series["footnote_model_tokens_total", "prompt"] == 321
    assert series["footnote_documents", "1"] == 1
    assert series["footnote_sync_activity", "idle", "1"] == 1
    assert series["footnote_requests_total", "GET", "/api/documents", "2xx"] == 1
    assert series["footnote_step_seconds_count", "retrieve"] >= 1
    assert series["footnote_questions_waiting",] == 0
    assert series["process_cpu_seconds_total",] > 0


def test_the_steps_of_a_question_are_spans(told: Told) -> None:
    by_id = {span.span_id: span for span in told.spans}

    def trail(span: Any) -> list[str]:
        return [span.name, *(trail(by_id[span.parent_span_id]) if span.parent_span_id in by_id else [])]

    trails = {" < ".join(trail(span)) for span in told.spans}
    asked = "footnote.question < POST /gradio_api/queue/join"
    assert trails >= {
        asked,
        f"footnote.follow_up < {asked}",
        f"footnote.embed < footnote.retrieve < {asked}",
        f"footnote.match < footnote.retrieve < {asked}",
        f"footnote.read < {asked}",
        f"footnote.quote < {asked}",
        f"footnote.model < footnote.write < {asked}",
        f"footnote.check < footnote.write < {asked}",
        # The steps of llama-index's own.
        f"OpenAILike.stream_chat < footnote.model < footnote.write < {asked}",
    }
    # The command has no request.
    assert "footnote.read < footnote.question" in trails
    (listed,) = [span for span in told.spans if span.name == "GET /api/documents"]
    assert listed.trace_id.hex() == "ab" * 16 and listed.parent_span_id.hex() == "cd" * 8
    facts = {one.key: one.value for one in listed.attributes}
    assert facts["footnote.request_id"].string_value == "listed-1"
    assert facts["footnote.status"].int_value == 200


# -- requests -----------------------------------------------------------------------------------


@contextmanager
def asking(
    served: Served, app: FastAPI | None = None, *own: OwnRoute, log: str | None = "json"
) -> Iterator[httpx.Client]:
    """Somebody who asks a server that has the routes of health and those that are given, behind the guard, observed."""

    app = app or FastAPI()
    app.include_router(health.make_router(served))
    guard = Guard(app, Streams(), {}, Nothing(), own=(*health.OPEN, *own))
    observed = observe(guard, served, log=log)
    try:
        with (
            listening(observed, log_config=None) as address,
            httpx.Client(base_url=address, timeout=30) as client,
        ):
            yield client
    finally:
        served.close()


@pytest.fixture
def served(folder: Path, store: EmbeddedStore, settings: Settings) -> Served:
    (folder / "kept.txt").write_text("Alpha.")
    return Served({"Folqrmark": Library(folder, store, HashEmbedding(), settings)}, settings)


def make_faulty(answering: Answering) -> tuple[FastAPI, OwnRoute]:
    """Routes that fail by a fault of ours, and one whose work is done in another thread."""
    app = FastAPI()

    @app.get("/api/faulty/{name}")
    def faulty(name: str) -> None:
        raise KeyError(f"zyxqmark {name}")

    @app.get("/api/asked/{name}")
    async def asked(name: str) -> int:
        from index.steps import at

        def find_request() -> str:
            step = at()
            return step.request_id if step else ""

        assert await answering.run(find_request) == name
        return 1

    return app, OwnRoute("GET", re.compile(r"/api/(?:faulty|asked)/\w+"))


def test_a_request_has_an_id_also_where_it_is_refused(served: Served, capfd: pytest.CaptureFixture[str]) -> None:
    with asking(served, *make_faulty(served.answering)) as client:
        for given, path, status in (
            ("mine-1.a", "/healthz", 200),
            ("mine", "/nothing", 404),
            ("abc", "/api/asked/abc", 200),
        ):
            reply = client.get(path, headers={"x-request-id": given})
            assert (reply.status_code, reply.headers["x-request-id"]) == (status, given)
        made = set()
        for given in ("", "a b", "é".encode(), "x" * 65, '"}', None):
            reply = client.get("/api/none?wuzquest", headers={"x-request-id": given} if given is not None else {})
            made.add(reply.headers["x-request-id"])
            assert reply.headers["x-request-id"] != given
        assert len(made) == 6 and all(re.fullmatch("[0-9a-f]{16}", one) for one in made)
        assert (
            client.get("/healthz", headers={"host": "evil.example", "x-request-id": "e"}).headers["x-request-id"] == "e"
        )
    lines = read_lines(capfd.readouterr().err)
    assert [(line["request_id"], line["status"]) for line in lines][:2] == [("mine", 404), ("abc", 200)]
    assert lines[-1].items() >= {"request_id": "e", "status": 421, "method": "GET", "route": "other"}.items()


def test_a_fault_of_ours_is_told_without_what_it_says(served: Served, capfd: pytest.CaptureFixture[str]) -> None:
    with asking(served, *make_faulty(served.answering)) as client:
        reply = client.get("/api/faulty/wuzquest", headers={"x-request-id": "f"})
        assert reply.status_code == 500 and "zyxqmark" not in reply.text
        logging.getLogger("chromadb").warning("zyxqmark %s", "wuzquest")
        logging.getLogger("openai").error("zyxqmark", exc_info=KeyError("zyxqmark"))
        thread = threading.Thread(target=lambda: {}["zyxqmark"])
        thread.start()
        thread.join()
    told = capfd.readouterr()
    assert not [mark for mark in MARKS if mark in (told.err + told.out).casefold()]
    lines = read_lines(told.err)
    assert {(line["event"], line.get("error"), line.get("request_id"), line.get("logger")) for line in lines} == {
        ("defect", "KeyError", "f", None),
        ("request", "KeyError", "f", None),
        ("library", None, None, "chromadb"),
        ("library", "KeyError", None, "openai"),
        ("defect", "KeyError", None, None),
    }
    defects = [line["where"] for line in lines if line["event"] == "defect"]
    assert all(where.startswith("test_observing.py:") for where in defects)


def test_by_default_only_warnings_and_faults_are_told(served: Served, capfd: pytest.CaptureFixture[str]) -> None:
    with asking(served, *make_faulty(served.answering), log=None) as client:
        assert client.get("/nothing").status_code == 404
        assert client.get("/api/faulty/wuzquest").status_code == 500
    told = capfd.readouterr().err
    assert re.fullmatch(r"error: defect, request_id \w{16}, error KeyError, where test_observing\.py:.*\n", told)


def test_content_is_told_where_it_is_asked_for(
    samples: Settings, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    environment = {"FOOTNOTE_LOG": "json", "FOOTNOTE_LOG_CONTENT": "1"}
    with observing(environment):
        [*stream_answer("Why was Israel skipped?", settings=samples)]
    (line,) = [line for line in read_lines(capfd.readouterr().err) if line["event"] == "question"]
    assert line["question"] == "Why was Israel skipped?" and "Gulf monarchies" in line["answer"]
    with observing({}):
        [*stream_answer("Why was Israel skipped?", settings=samples)]
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("environment", "form", "says"),
    [
        ({"FOOTNOTE_LOG": "xml"}, None, "FOOTNOTE_LOG is 'xml'"),
        ({}, "text", "--log is 'text'"),
        ({"FOOTNOTE_LOG_CONTENT": "please"}, None, "neither 0 nor 1"),
    ],
)
def test_a_log_that_cannot_be_had_is_refused(environment: Mapping[str, str], form: str | None, says: str) -> None:
    with pytest.raises(InputError, match=says):
        open_journal(environment, form)


def test_what_libraries_log_goes_nowhere_else(capfd: pytest.CaptureFixture[str]) -> None:
    heard: list[str] = []

    class Elsewhere(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    root, handler = logging.getLogger(), Elsewhere()
    root.addHandler(handler)
    try:
        with hear_libraries(Journal()):
            logging.getLogger("httpx").warning("zyxqmark")
        logging.getLogger("httpx").warning("after")
        with hear_libraries(Journal(shows_content=True)):
            logging.getLogger("httpx").warning("asked for")
    finally:
        root.removeHandler(handler)
    assert heard == ["after", "asked for"]
    assert "zyxqmark" not in (told := capfd.readouterr().err) and "asked for" in told


def test_a_fault_in_an_event_of_the_page_is_told_and_another_raised() -> None:
    def plain(number: int) -> int:
        return 10 // number

    def steps(number: int) -> Iterator[int]:
        yield 10
        yield 10 // number

    made = [contain(one, lambda: RuntimeError("a sentence")) for one in (plain, steps)]
    assert made[0](5) == 2 and [*made[1](5)] == [10, 2]
    for ask in (lambda: made[0](0), lambda: [*made[1](0)]):
        with hear_libraries(Journal()), pytest.raises(RuntimeError, match="a sentence") as raised:
            ask()
        assert raised.value.__suppress_context__


@given(st.text(st.characters(codec="latin-1"), max_size=90))
def test_only_what_is_short_and_plain_is_an_id(given: str) -> None:
    from assistant.serving.observing.requests import _read_head

    found, _ = _read_head({"headers": [(b"x-request-id", given.encode("latin-1"))]})
    assert found == given or re.fullmatch("[0-9a-f]{16}", found)
    assert re.fullmatch(r"[A-Za-z0-9_.:-]{1,64}", found)


# -- health -------------------------------------------------------------------------------------


def test_a_server_is_ready_once_something_can_be_asked(served: Served, folder: Path) -> None:
    library = served.library()
    with asking(served) as client:
        before = client.get("/readyz")
        assert before.status_code == 503 and before.json()["status"] == "not ready"
        watch(library)
        assert paths(library) == {"kept.txt"}
        after = client.get("/readyz")
        assert (after.status_code, after.json()) == (200, {"status": "ready", "libraries": ["Library 1 can be asked."]})
        assert client.get("/healthz").json() == {"status": "ok"}
        (folder / "kept.txt").unlink()
        folder.rmdir()
        end = time.monotonic() + 30
        while (gone := client.get("/readyz")).status_code != 503:
            assert time.monotonic() < end
            time.sleep(0.05)
        # Nor is anything named to who has not logged in.
        for reply in (before, after, gone):
            assert "Folqrmark" not in reply.text and "kept" not in reply.text and str(folder) not in reply.text
    unwatch(library)


def test_an_empty_folder_for_uploads_is_no_reason_to_wait(
    folder: Path, store: EmbeddedStore, settings: Settings
) -> None:
    library = Library(folder, store, HashEmbedding(), settings)
    for uploads, status in ((None, 503), (folder, 200), (folder / "within", 200)):
        served = Served({"docs": library}, settings, uploads)
        with asking(served) as client:
            assert client.get("/readyz").status_code == status


def test_labels_are_few_whatever_is_asked(served: Served) -> None:
    with asking(served, *make_faulty(served.answering)) as client:
        for number in range(20):
            client.get(f"/api/asked/n{number}", headers={"x-request-id": f"n{number}"})
            client.get(f"/api/other{number}?q={number}")
            client.request(("PURGE", "LINK", "MKCOL")[number % 3], f"/odd/{number}")
        series = read_metrics(client.get("/metrics").text)
    requests = {key: value for key, value in series.items() if key[0] == "footnote_requests_total"}
    assert requests == {
        ("footnote_requests_total", "GET", "/api/asked/{name}", "2xx"): 20,
        ("footnote_requests_total", "GET", "other", "4xx"): 20,
        ("footnote_requests_total", "other", "other", "4xx"): 20,
    }


def test_counters_tell_of_questions_that_failed_and_of_a_model_that_did(served: Served, samples: Settings) -> None:
    from dataclasses import replace

    from openai_server import Fault

    with asking(served) as client:
        with OpenAIServer(Fault.CLOSED) as model:
            [*stream_answer("Why was Israel skipped?", settings=replace(samples, base_url=model.base_url))]
        with pytest.raises(InputError):
            [*stream_answer(" ", settings=samples)]
        left = stream_answer("Why was Israel skipped?", settings=replace(samples))
        next(left)
        left.close()  # type: ignore[attr-defined]
        series = read_metrics(client.get("/metrics").text)
    answers = {key[1:]: value for key, value in series.items() if key[0] == "footnote_answers_total"}
    assert answers.pop(("quotations", "answered")) == 1
    assert answers[("none", "failed")] == 1
    assert series["footnote_model_failures_total",] >= 1


# -- spans --------------------------------------------------------------------------------------


@pytest.fixture
def kept() -> Iterator[Any]:
    """OpenTelemetry's spans, kept in memory."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    spans = Spans(provider)
    leave = listen(spans)
    yield exporter
    leave()
    spans.close()


def test_spans_hold_numbers_and_no_content(kept: Any, samples: Settings) -> None:
    [*stream_answer("Why was Israel skipped?", settings=samples)]
    spans = {span.name: span for span in kept.get_finished_spans()}
    asked = spans["footnote.question"]
    assert asked.attributes["footnote.status"] == "answered" and asked.attributes["footnote.citations"] == 1
    assert spans["footnote.retrieve"].attributes["footnote.count"] == samples.passage_count
    assert {span.context.trace_id for span in spans.values()} == {asked.context.trace_id}
    assert all(span.end_time >= span.start_time for span in spans.values())
    assert "Israel" not in str([span.to_json() for span in spans.values()])


def test_a_question_that_fails_is_a_span_that_failed(kept: Any, samples: Settings) -> None:
    with pytest.raises(InputError):
        [*stream_answer(" ", settings=samples)]
    (asked,) = kept.get_finished_spans()
    assert not asked.status.is_ok and asked.attributes["footnote.error"] == "InputError"
    assert not asked.events  # nor what the error says


def test_steps_are_told_to_whoever_listens_to_llama_index(kept: Any, samples: Settings) -> None:
    from llama_index_instrumentation import root_dispatcher
    from llama_index_instrumentation.span_handlers import SimpleSpanHandler

    simple = SimpleSpanHandler()
    before = root_dispatcher.span_handlers
    root_dispatcher.span_handlers = [*before, simple]
    try:
        [*stream_answer("Why was Israel skipped?", settings=samples)]
    finally:
        root_dispatcher.span_handlers = before
    assert {span.id_.rpartition("-")[0] for span in simple.completed_spans} >= {
        "footnote.question",
        "footnote.retrieve",
    }


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4317"},
        {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4317"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": " "},
    ],
)
def test_without_an_exporter_there_are_no_spans(environment: Mapping[str, str]) -> None:
    assert open_spans(environment) is None


@pytest.mark.parametrize(
    "environment",
    [
        {"OTEL_TRACES_EXPORTER": "zyx"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"},
    ],
)
def test_an_exporter_that_is_not_installed_is_a_sentence(environment: Mapping[str, str]) -> None:
    with pytest.raises(InputError, match="No exporter of spans"):
        open_spans(environment)


def test_nothing_is_loaded_that_nobody_asks_for(samples: Settings) -> None:
    code = (
        "import sys; from assistant.serving.observing.process import observing\n"
        "with observing({}): from assistant.chain import stream_answer; [*stream_answer('why was Israel skipped?')]\n"
        "wanted = {'prometheus_client', 'llama_index_instrumentation', 'assistant.serving.observing.journal'}\n"
        "print(*wanted & set(sys.modules))"
    )
    environment = {**os.environ, "FOOTNOTE_STORE": str(samples.store_folder)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, env=environment
    )
    assert done.stdout.split() == [] and done.stderr == ""
