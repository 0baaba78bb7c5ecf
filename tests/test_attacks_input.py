"""Whatever is given, whatever the environment says, and whenever it is stopped: an answer, or a sentence."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as tried
from hypothesis import strategies as st
from openai_server import OpenAIServer
from test_answers import SAMPLE, answers
from test_command_line import check_one_sentence
from typer.testing import CliRunner

import assistant
from assistant.answers import Answer, Turn
from assistant.chain import answer, stream_answer
from assistant.question.followup import LAST_TURNS, LONGEST_TURN_CHARACTERS, read_history
from assistant.serving.command_line import command
from assistant.serving.evaluating.cases import LONGEST_LINE_BYTES, read_cases
from index.connection import connect
from index.embedding.protocol import Embedding
from index.embedding.weights import fetch_weights
from index.errors import FootnoteError, InputError, ModelError
from index.library import find_folder
from index.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
SKIPPED = "why was Israel skipped?"


class Raising:
    """Raises whatever is asked of it."""

    def __fspath__(self) -> str:
        raise ZeroDivisionError

    def __bool__(self) -> bool:
        raise ZeroDivisionError


@pytest.fixture
def mail(folder: Path) -> Path:
    """A folder of a message with an attachment that cannot be read, and of a picture."""
    (folder / "ferry.eml").write_text(
        "From: Ida Voss <ida@brenholm.example>\nSubject: The ferry\nMIME-Version: 1.0\n"
        "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n\n"
        "Captain Ida Voss steers the Brenholm ferry.\n--b\nContent-Type: application/zip\n"
        "Content-Disposition: attachment; filename=plan.zip\nContent-Transfer-Encoding: base64\n\nUEsFBg==\n--b--\n"
    )
    (folder / "picture.png").write_bytes(b"GIF89a\0\0\0\0\0\rIHDR")
    return folder


def check_sentence(error: FootnoteError) -> None:
    told = str(error)
    assert "\n" not in told
    assert re.search(r"[.\]]$|: footnote [a-z]+ .*$", told)
    assert len(told) < 500
    assert not re.search(r"Traceback|Errno|object at 0x", told)


# -- the arguments of answer() ----------------------------------------------------------------

ODD: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.binary(max_size=20),
    st.text(max_size=20),
    st.text(st.characters(categories=["Cs", "Cc"]), max_size=5),
    st.lists(st.none() | st.text(max_size=5), max_size=3),
    st.dictionaries(st.sampled_from(["role", "content", "question", "text"]), st.none() | st.text(max_size=9)),
    st.sampled_from([object(), Raising(), Path("/no/such"), Path("a\0b"), ..., SAMPLE, Settings, "~no-such-user/x"]),
)


@tried(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    question=ODD | st.just(SKIPPED),
    documents=ODD,
    history=ODD | st.lists(ODD, max_size=3),
    choice=ODD | st.just("samples"),
)
@example(question=SKIPPED, documents=None, history=None, choice="samples")
def test_answer_raises_nothing_but_our_errors(
    samples: Settings, question: Any, documents: Any, history: Any, choice: Any
) -> None:
    try:
        answer(question, documents, history=history, settings=samples if choice == "samples" else choice)
    except FootnoteError as error:
        check_sentence(error)


@pytest.mark.parametrize("question", [None, 5, b"Why?", ["Why?"], object(), "", " ", "\0", "\ud800", "x" * 10_000_000])
def test_what_is_no_question_is_refused(question: Any) -> None:
    started = time.monotonic()
    with pytest.raises(InputError, match=r"^The question is") as refusal:
        next(iter(stream_answer(question)))
    check_sentence(refusal.value)
    assert time.monotonic() - started < 5


def make_loop(place: Path) -> Path:
    (place / "a").symlink_to(place / "b")
    (place / "b").symlink_to(place / "a")
    return place / "a"


@pytest.mark.parametrize(
    "documents",
    [
        5, "", b"", [], object(), Raising(), "~no-such-user/x", "x" * 300, "x/" * 10_000_000, "a\0b", b"a\0b", "\ud800",
        make_loop, "missing/..",
    ],
    ids=lambda documents: repr(documents)[:20],
)  # fmt: skip
def test_what_is_no_folder_is_refused(folder: Path, settings: Settings, documents: Any) -> None:
    started = time.monotonic()
    with pytest.raises(FootnoteError) as refusal:
        answer("Why?", documents(folder) if callable(documents) else documents, settings=settings)
    check_sentence(refusal.value)
    assert refusal.value.exit_code == 2
    assert time.monotonic() - started < 5


def test_a_folder_may_be_given_as_text_bytes_or_a_path(folder: Path) -> None:
    for given_as in (folder, str(folder), os.fsencode(folder), folder / ".." / folder.name):
        assert find_folder(given_as) == folder


@pytest.mark.parametrize("given_as", ["x", 0, {}, False, Settings])
def test_what_are_no_settings_is_refused(given_as: Any) -> None:
    with pytest.raises(InputError, match=r"^The settings are of type .*: give a Settings, or None"):
        answer("Why?", settings=given_as)


# -- the history ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("history", "turns"),
    [
        (None, []),
        (deque([("q", "a")]), [Turn("q", "a")]),
        ([["q", "a"]], [Turn("q", "a")]),
        ([{"role": "user", "content": [{"type": "text", "text": "q"}, {"type": "image_url"}]}], [Turn("q ", "")]),
        (
            [{"role": "user", "content": "q"}, {"role": "assistant", "content": [{"type": "text", "text": "a"}]}],
            [Turn("q", "a")],
        ),
        ([{"role": "user", "content": "q"}, {"role": "assistant", "content": None, "tool_calls": []}], [Turn("q", "")]),
        ([json.loads(SAMPLE.to_json())], [Turn(SAMPLE.question, SAMPLE.text)]),
        ([("\ud800q", "a\udfff")], [Turn("?q", "a?")]),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_history_of_a_near_type_is_read(history: Any, turns: list[Turn]) -> None:
    assert read_history(history) == turns


@pytest.mark.parametrize(
    "history",
    [5, "text", b"bytes", {"role": "user"}, SAMPLE, iter([SAMPLE]), object(), [None], [[["q"], ["a"]]],
     [{"role": "user", "content": 5}], [{"role": 5}], [replace(SAMPLE, question=5)], [Turn(None, "a")]],  # type: ignore[arg-type]
    ids=lambda history: repr(history).partition(" object at")[0][:40],
)  # fmt: skip
def test_a_history_of_a_wrong_shape_is_refused(history: Any) -> None:
    with pytest.raises(InputError, match=r"(list of turns, oldest first\.|; got [A-Za-z]+\.)$"):
        read_history(history)


@pytest.mark.parametrize(
    "history",
    [
        [("Who criticised it?", "Lapid.")] * 1_000_000,
        [("it " * 33_000_000, "x" * 100_000_000)],
        [{"role": "user", "content": [{"type": "text", "text": "it " * 33_000_000}] * 50}],
        [{"role": "user", "content": [{"type": "text", "text": "it"}] * 1_000_000}],
        [(f"And what of {'word ' * 400}?", "x") for _ in range(100)],
    ],
    ids=["turns", "turn", "part", "parts", "leaning"],
)
def test_a_history_costs_only_what_is_used_of_it(samples: Settings, history: Any) -> None:
    turns = read_history(history)
    assert len(turns) <= LAST_TURNS
    assert all(len(text) <= LONGEST_TURN_CHARACTERS for turn in turns for text in (turn.question, turn.answer))
    started = time.monotonic()
    answer("Who criticised it?", history=history, settings=samples)
    assert time.monotonic() - started < 5


# -- settings ---------------------------------------------------------------------------------

VARIABLES = [
    *["FOOTNOTE_DOCUMENTS", "FOOTNOTE_STORE", "FOOTNOTE_CACHE", "FOOTNOTE_EMBEDDING", "FOOTNOTE_MODEL"],
    *["FOOTNOTE_TIMEOUT_SECONDS", "FOOTNOTE_PASSAGE_COUNT", "FOOTNOTE_EVIDENCE_TOKENS", "FOOTNOTE_CHUNK_TOKENS"],
    *["FOOTNOTE_CHECK", "OPENAI_API_KEY", "OPENAI_BASE_URL"],
]
FIELDS = list(Settings.__dataclass_fields__)
values = st.sampled_from(
    [
        "nan",
        "inf",
        "1e999",
        "0x10",
        "-1",
        "１",
        "~no-such-user/x",
        "\ud800",
        "words",
        "nli:",
        "nli: ",
        "nli:a/b",
        "nli:\n",
        "5",
        5,
        2.5,
        10**5000,
    ]
)


@given(st.dictionaries(st.sampled_from(VARIABLES), ODD | values))
def test_any_environment_gives_settings_or_a_sentence(environment: dict[str, Any]) -> None:
    try:
        settings = Settings.from_environment(environment)
    except InputError as error:
        check_sentence(error)
        assert re.match("FOOTNOTE_|OPENAI_", str(error))
    else:
        check_settings(settings)


@given(st.dictionaries(st.sampled_from(FIELDS), ODD | values))
def test_settings_made_by_hand_are_checked_too(changes: dict[str, Any]) -> None:
    try:
        settings = replace(Settings.from_environment({}), **changes)
    except InputError as error:
        check_sentence(error)
    else:
        check_settings(settings)


def check_settings(settings: Settings) -> None:
    assert all(isinstance(path, Path) for path in (settings.documents, settings.store_folder, settings.cache_folder))
    assert 0.01 <= settings.timeout_seconds <= 86_400
    assert 1 <= settings.passage_count <= 50
    assert type(settings.passage_count) is type(settings.chunk_tokens) is int
    assert settings.evidence_tokens is None or type(settings.evidence_tokens) is int
    assert settings.check in ("words", "model") or settings.check.startswith("nli:")
    for text in (settings.check, settings.model, settings.api_key, settings.base_url):
        assert text is None or text.isprintable()
    hash(settings)


@pytest.mark.parametrize("key", ["sk-sécret", "sk-a\nsecret", "sk-\udcffsecret"])
def test_a_key_that_no_server_takes_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(InputError, match=r"^OPENAI_API_KEY holds ") as refusal:
        Settings.from_environment({"OPENAI_API_KEY": key})
    assert "cret" not in str(refusal.value)


@pytest.mark.parametrize(
    "address",
    ["http://[::1/v1", "http://a b:x/v1", "http://☃.net/v1", "localhost:1/v1", "ftp://127.0.0.1/v1", "http://", "/",
     "http://127.0.0.1:99999/v1", "http://xn--/v1", "http://a..b/v1", "http://x/" + "a" * 70_000],
    ids=lambda address: address[:30],
)  # fmt: skip
@pytest.mark.parametrize("model", [None, "named"])
def test_an_address_that_is_none_leaves_quotations_and_says_so(
    samples: Settings, address: str, model: str | None
) -> None:
    result = answer(SKIPPED, settings=replace(samples, base_url=address, model=model, timeout_seconds=2))
    assert result.found
    assert result.notice.startswith("The language model did not answer. No connection to ")
    assert "OPENAI_BASE_URL" in result.notice


@pytest.mark.parametrize(
    ("name", "value"),
    [("ALL_PROXY", "socks5://user:a-secret@x"), ("HTTP_PROXY", "no such://x"), ("SSL_CERT_FILE", "/no/such/file")],
)
def test_a_proxy_or_certificate_that_is_none_is_told(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ModelError, match=f"of the environment .*: check .*{name}") as refusal:
        connect("http://127.0.0.1:9/v1", 1.0, 1.0)
    assert "secret" not in str(refusal.value)


def test_a_cache_that_cannot_be_written_is_told() -> None:
    [reason] = fetch_weights(Path("/dev/null/cache"))
    assert reason.startswith("/dev/null/cache/")
    assert reason.endswith(" cannot be written (Not a directory): set FOOTNOTE_CACHE to another folder")


# -- Answer.from_json, and llama-index's components -------------------------------------------

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["start", "end", "text"]), inner),
    max_leaves=5,
)


@given(answers, st.data())
def test_an_answer_with_anything_in_a_field_is_an_answer_or_refused(made: Answer, data: st.DataObject) -> None:
    fields = json.loads(made.to_json())
    place: Any = data.draw(st.sampled_from([fields, *fields["citations"], *fields["sentences"], *fields["passages"]]))
    name = data.draw(st.sampled_from([*place, "another"]))
    place[name] = data.draw(json_values)
    try:
        read = Answer.from_json(json.dumps(fields))
    except InputError as error:
        check_sentence(error)
    else:
        hash(read)
        assert Answer.from_json(read.to_json()) == read or "nan" in repr(read)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "{}", "NaN", b"\xff", None, 5, "[" * 100_000, "9" * 10_000, '{"a":' * 100_000]
)
def test_what_is_no_answer_is_refused(text: Any) -> None:
    with pytest.raises(InputError, match=r"give what Answer\.to_json wrote\.$") as refusal:
        Answer.from_json(text)
    check_sentence(refusal.value)


@pytest.mark.parametrize("query", [None, 5, b"x", ["x"], "", "\ud800", "x" * 20_000])
def test_the_components_refuse_what_is_no_question(samples: Settings, query: Any) -> None:
    from index.components import FootnoteEmbedding, FootnoteRetriever

    engine, retriever = assistant.FootnoteQueryEngine(settings=samples), FootnoteRetriever(settings=samples)
    asked: Sequence[Callable[[Any], Any]] = (engine.query, retriever.retrieve)
    if not isinstance(query, str):
        embed = FootnoteEmbedding(samples)
        asked = (*asked, embed.get_query_embedding, embed.get_text_embedding)
    for ask in asked:
        with pytest.raises(InputError, match=r"^(The question|The query|A text) is "):
            ask(query)


def test_the_components_refuse_wrong_arguments(settings: Settings) -> None:
    from index.components import FootnoteEmbedding, FootnoteRetriever

    for make in (
        lambda: FootnoteRetriever(5),  # type: ignore[arg-type]
        lambda: FootnoteRetriever(settings="x"),  # type: ignore[arg-type]
        lambda: FootnoteEmbedding("x"),  # type: ignore[arg-type]
        lambda: assistant.FootnoteQueryEngine(5, settings).query("Why?"),  # type: ignore[arg-type]
    ):
        with pytest.raises(InputError):
            make()


# -- the command line -------------------------------------------------------------------------

words = st.sampled_from(
    [
        *["ask", "sync", "check", "documents", "eval", "chat", "--json", "--documents", "--dry-run", "--anew"],
        *["--checksum", "--repair", "--help", "--version", "--port", "70000", "--input-price", "nan"],
        *["--output-price", "1e999", "--", "", "/no/such", "~no-such-user/x", "x" * 300, "\ud800", "\udcff", "-"],
        *["--no-such", "=", "a\nb", "\x1b[2J"],
    ]
)


@tried(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(words, max_size=6))
def test_no_command_line_ends_in_anything_but_a_sentence(arguments: list[str]) -> None:
    if {"chat", "documents"} & {*arguments} and not {"--help", "--version", "/no/such", ""} & {*arguments}:
        arguments.append("--no-such")  # the chat would answer for ever, and the samples are not synced here
    done = CliRunner().invoke(command, arguments)
    assert isinstance(done.exception, SystemExit | None), arguments
    assert done.exit_code in (0, 1, 2, 3)
    assert done.exit_code == 0 or done.stderr


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[" * 100_000, "line 1: it is not JSON"),
        (b'{"question": "' + b"x" * (LONGEST_LINE_BYTES + 1), "line 1: it is longer than 1,000,000 bytes"),
        (b'\n{"question": "Why?", "' + b"x" * 9000 + b'": 1}', "line 2: it has 'x"),
        (b"\x00\x01\xff", "line 1: it is not JSON"),
        (b'{"question": "\\ud800"}', "line 1: The question is empty"),
        (b'{"question": "Why?", "history": [5]}', "line 1: Each turn of the history is"),
        (b'{"question": ' + b"9" * 9000 + b"}", "line 1: it is not JSON"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_file_of_questions_that_is_none_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "q.jsonl").write_bytes(content)
    with pytest.raises(InputError) as refusal:
        read_cases(tmp_path / "q.jsonl")
    assert f"q.jsonl, {told}" in str(refusal.value)
    check_sentence(refusal.value)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="there is no file without an end here")
def test_a_file_without_an_end_is_told() -> None:
    with pytest.raises(InputError, match=r"^/dev/zero, line 1: it is longer"):
        read_cases(Path("/dev/zero"))


def test_figures_that_cannot_be_written_are_told_before_the_work(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "q.jsonl").write_text('{"question": "Why?"}')
    for file in ("", folder, tmp_path / "missing" / "x", "x" * 300, make_loop(tmp_path) / "x"):
        done = CliRunner().invoke(
            command, ["eval", str(tmp_path / "q.jsonl"), "--documents", str(folder), "--json", str(file)]
        )
        assert (done.exit_code, done.stdout) == (2, "")
        check_one_sentence(done.stderr)
        assert "json" in done.stderr or "name another file" in done.stderr


def test_an_empty_name_is_not_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "private.txt").write_text("Nobody asked for this to be read.")
    for arguments in (["sync", ""], ["documents", ""], ["check", ""], ["ask", "Why?", "--documents", ""]):
        done = CliRunner().invoke(command, arguments)
        assert (done.exit_code, done.stderr) == (2, "footnote: The documents folder is empty: give a path.\n")


def test_a_store_is_not_thrown_away_for_a_folder_that_is_not_there(
    folder: Path, settings: Settings, embedding: Embedding
) -> None:
    (folder / "a.txt").write_text("Captain Ida Voss steers the Brenholm ferry.")
    assert CliRunner().invoke(command, ["sync", str(folder)]).exit_code == 0
    folder.rename(folder.with_name("elsewhere"))
    assert CliRunner().invoke(command, ["sync", str(folder), "--anew"]).exit_code == 2
    folder.with_name("elsewhere").rename(folder)
    assert CliRunner().invoke(command, ["sync", str(folder)]).stdout == "1 document: 1 unchanged\n"


# -- the process: its environment and its streams ---------------------------------------------


@pytest.fixture
def ferry(folder: Path, embedding: Embedding) -> Path:
    """A synced folder of one document, beside a file with a question about it."""
    (folder / "ferry.txt").write_text("Captain Ida Voss steers the Brenholm ferry “Maid”.\n", encoding="utf-8")
    (folder.parent / "q.jsonl").write_text('{"question": "Who steers the ferry?"}')
    assert CliRunner().invoke(command, ["sync", str(folder)]).exit_code == 0
    return folder


def run_together(*runs: Callable[[], subprocess.CompletedProcess[str]]) -> Iterator[subprocess.CompletedProcess[str]]:
    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(lambda run: run(), runs)


def shell(line: str, folder: Path, **environment: str) -> Callable[[], subprocess.CompletedProcess[str]]:
    """A line for the shell, in which $F is the command and $D the folder."""
    known = {"F": f"{sys.executable} -m assistant", "D": str(folder), "PYTHONPATH": str(ROOT)}
    return lambda: subprocess.run(
        ["sh", "-c", line],
        env={**os.environ, **known, **environment},
        cwd=folder.parent,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
    )


def check_no_traceback(done: subprocess.CompletedProcess[str]) -> None:
    assert not re.search("Traceback|Exception ignored|[a-z]Error:", done.stderr), (done.args, done.stderr)


COMMANDS = ["ask ferry? --documents $D", "sync $D", "check $D", "documents $D", "eval q.jsonl --documents $D"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
def test_a_full_disk_at_the_output_is_told(ferry: Path) -> None:
    lines = [*COMMANDS, "chat $D", "ask ferry? --json --documents $D", "--help", "--version"]
    for done in run_together(*(shell(f"$F {line} > /dev/full", ferry) for line in lines)):
        assert (done.returncode, done.stderr) == (
            1,
            "footnote: The output cannot be written (No space left on device): see where it goes, then ask again.\n",
        ), done.args


def test_streams_that_are_closed_hurt_nothing(ferry: Path) -> None:
    before = {file: file.read_bytes() for file in ferry.iterdir()}
    lines = [
        ("$F documents $D >&-", 1, "footnote: The output cannot be written (Bad file descriptor): see where it goes, "),
        ("$F --help >&-", 1, "footnote: The output cannot be written"),
        ("$F ask ferry? --documents $D 2>&-", 0, ""),
        ("$F ask ferry? --documents $D <&-", 0, ""),
        ("$F documents $D <&- >&- 2>&-", 1, ""),
        ("$F sync $D/missing 2>&-", 2, ""),
        ("$F nonsense 2>/dev/full", 2, ""),
        ("$F sync $D --anew 2>/dev/full", 0, ""),
        ("{ $F documents $D; echo $? >&2; } | true", 0, "141\n"),
        ("{ $F --help; echo $? >&2; } | true", 0, "141\n"),
        ("mkdir gone; cd gone; rmdir ../gone; $F documents $D", 0, ""),
        ("mkdir gone2; cd gone2; rmdir ../gone2; $F documents here", 2, "footnote: here does not exist"),
    ]
    for (line, code, told), done in zip(lines, run_together(*(shell(line, ferry) for line, *_ in lines)), strict=True):
        check_no_traceback(done)
        assert (done.returncode, done.stderr[: len(told)]) == (code, told), (line, done.stderr)
        assert told or not done.stderr, (line, done.stderr)
    assert {file: file.read_bytes() for file in ferry.iterdir()} == before


def test_no_variable_of_the_environment_gives_a_traceback(ferry: Path) -> None:
    unset = {"FOOTNOTE_STORE": ""}
    runs: list[tuple[str, dict[str, str], int]] = [
        ("documents $D", {"FOOTNOTE_STORE": "~no-such-user/x"}, 2),
        ("documents $D", {"FOOTNOTE_STORE": "/dev/null/x"}, 1),
        ("documents $D", {"FOOTNOTE_STORE": "\udcff"}, 2),
        ("documents", {"FOOTNOTE_DOCUMENTS": "~no-such-user/x"}, 2),
        ("documents $D", {"FOOTNOTE_EMBEDDING": "nonsense"}, 2),
        ("documents $D", {"FOOTNOTE_TIMEOUT_SECONDS": "1e999"}, 2),
        ("documents $D", {"HOME": "~no-such-user", **unset}, 1),
        ("documents $D", {"XDG_DATA_HOME": "/dev/null", **unset}, 1),
        ("documents $D", {"ANONYMIZED_TELEMETRY": "maybe"}, 1),
        ("documents $D", {"TMPDIR": "/no/such"}, 0),
        ("ask ferry? --documents $D", {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}, 0),
        ("ask ferry? --documents $D", {"OPENAI_BASE_URL": "http://[::1/v1"}, 0),
        ("ask ferry? --documents $D", {"OPENAI_BASE_URL": "http://[::1/v1", "FOOTNOTE_EMBEDDING": "nonsense"}, 1),
        ("--help", {"COLUMNS": "²", "TERMINAL_WIDTH": "wide", "TERM": "odd"}, 0),
        ("--no-such", {"COLUMNS": "0", "TERMINAL_WIDTH": "-1", "TERM": ""}, 2),
    ]
    done = run_together(*(shell(f"$F {line}", ferry, **environment) for line, environment, _ in runs))
    for (line, environment, code), ended in zip(runs, done, strict=True):
        check_no_traceback(ended)
        assert ended.returncode == code, (line, environment, ended.stderr)
        assert not code or "--no" in line or ended.stderr.startswith("footnote: "), (environment, ended.stderr)


def test_a_file_in_the_current_folder_cannot_send_the_documents_elsewhere(ferry: Path) -> None:
    with OpenAIServer() as server:
        host, port = server.base_url.removeprefix("http://").removesuffix("/v1").split(":")
        (ferry.parent / ".env").write_text(
            f"chroma_api_impl=chromadb.api.fastapi.FastAPI\nchroma_server_host={host}\nchroma_server_http_port={port}\n"
        )
        done = shell("$F sync $D --anew", ferry)()
        assert (done.returncode, done.stdout, done.stderr) == (0, "1 document: 1 added\n", "")
        assert not server.requests


# -- Ctrl-C at any moment ---------------------------------------------------------------------

# Says that the command begins, which Python itself may take long for on a busy machine.
BEGIN = "import sys; from assistant.__main__ import main; sys.stderr.write('begun\\n'); sys.stderr.flush(); main()"


@pytest.mark.parametrize("arguments", [["ask", "Who steers the ferry?", "--documents"], ["sync", "--anew"]])
def test_ctrl_c_is_told_in_one_sentence_whenever_it_comes(ferry: Path, arguments: list[str]) -> None:
    codes = []
    for seconds in (0.01, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.1, 1.5):
        process = subprocess.Popen(
            [sys.executable, "-c", BEGIN, *arguments, str(ferry)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert process.stderr
        assert process.stderr.readline() == "begun\n"
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
        # Of a command that was just about to end, the system may have the last word.
        assert (process.returncode, stderr) in (
            (130, "footnote: stopped; nothing is lost.\n"),
            (0, ""),
            (-signal.SIGINT, ""),
        ), seconds
        codes.append(process.returncode)
    assert codes[:3] == [130] * 3


def test_nothing_that_takes_long_is_imported_before_a_ctrl_c_is_heard() -> None:
    code = "import sys; before = {*sys.modules}; import assistant.__main__; print(*{*sys.modules} - before)"
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not {"typing", "contextlib", "re", "typer", "dataclasses", "index.errors"} & {*done.stdout.split()}


# -- what was read in part, or not at all -----------------------------------------------------


def test_what_was_read_in_part_is_listed(mail: Path, embedding: Embedding) -> None:
    for arguments in (["sync", str(mail), "--dry-run"], ["sync", str(mail)], ["sync", str(mail)]):
        done = CliRunner().invoke(command, arguments)
        assert done.exit_code == 3
        partial, summary = done.stdout.splitlines()[-2:]
        assert partial == "partial  ferry.eml: read in part: the attachment plan.zip"
        assert ", 1 of them read in part: " in summary
        assert summary.endswith("1 skipped")
    (mail / "picture.png").unlink()
    assert CliRunner().invoke(command, ["sync", str(mail)]).exit_code == 3
    listed = CliRunner().invoke(command, ["documents", str(mail)]).stdout
    assert listed.endswith("  ferry.eml  The ferry  (read in part: the attachment plan.zip)\n")


def test_an_evaluation_tells_of_what_was_not_read(mail: Path, tmp_path: Path, embedding: Embedding) -> None:
    (tmp_path / "q.jsonl").write_text('{"question": "What is the capital of Denmark?", "answerable": false}')
    done = CliRunner().invoke(command, ["eval", str(tmp_path / "q.jsonl"), "--documents", str(mail)])
    assert done.exit_code == 0
    assert done.stderr == f"1 skipped, 1 read in part; to see which: footnote sync {mail}\n"
    assert done.stdout.endswith("\n0 went wrong.\n")


def test_a_refusal_says_what_was_not_searched(mail: Path, settings: Settings, embedding: Embedding) -> None:
    told = f"To see why: footnote sync {mail}"
    question = "What is the capital of Denmark?"
    refused = answer(question, mail, settings=settings)
    assert not refused.found
    assert refused.notice == (
        f"Not all was searched: picture.png could not be read, and ferry.eml was read only in part. {told}"
    )
    assert answer("Who steers the Brenholm ferry?", mail, settings=settings).notice == ""
    printed = CliRunner().invoke(command, ["ask", question, "--documents", str(mail)]).stdout.splitlines()
    assert re.fullmatch(r"Confidence that the documents say: \d+%\.", printed[-2])
    assert printed[-1] == refused.notice
    as_json = CliRunner().invoke(command, ["ask", question, "--documents", str(mail), "--json"]).stdout
    assert Answer.from_json(as_json) == refused
    with OpenAIServer("NOT_IN_DOCUMENTS") as server:
        assert answer(question, mail, settings=replace(settings, base_url=server.base_url)).notice == refused.notice
    (mail / "picture.png").unlink()
    assert answer(question, mail, settings=settings).notice == (
        f"Not all was searched: ferry.eml was read only in part. {told}"
    )
    (mail / "ferry.eml").unlink()
    (mail / "ferry.txt").write_text("Captain Ida Voss steers the Brenholm ferry.")
    assert answer(question, mail, settings=settings).notice == ""


def test_a_refusal_after_the_model_failed_says_both(mail: Path, settings: Settings, embedding: Embedding) -> None:
    with OpenAIServer(500) as server:
        asked = replace(settings, base_url=server.base_url, model="named", timeout_seconds=1)
        notice = answer("What is the capital of Denmark?", mail, settings=asked).notice
    assert notice.startswith("The language model did not answer. ")
    assert " This was searched without it. Not all was searched: " in notice
