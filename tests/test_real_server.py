"""A real OpenAI-compatible server with tiny models of random weights: its streams, its ends, its context, its death.

`make test-server` builds the server and runs these tests; elsewhere they are skipped. A model here writes the reply
that its weights hold, whatever it is asked, or random characters: what is tested is all that stands around it.
"""

import json
import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx
import openai
import pytest

from assistant.answers import NOT_FOUND, Answer, TextDelta
from assistant.chain import Event, answer, stream_answer
from assistant.question.followup import follow_up, read_history, rewrite
from assistant.writing.language_model import LanguageModel
from assistant.writing.prompt import make_prompt
from assistant.writing.reply import TooLongError
from assistant.writing.rewriting import rewrite_with_model
from assistant.writing.server import is_too_long
from index.embedding.protocol import Embedding
from index.errors import ModelError
from index.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
SERVER_PYTHON = ROOT / ".venv-server" / "bin" / "python"
START_SECONDS = 120  # a busy machine is no failure
KEY = "sk-do-not-show-5c1d"

QUESTION = "When was the lighthouse of Ravnholt built?"
# Each piece is one token, and one delta.
REPLIES = {
    "citing": ["The", " lighthouse", " was", " built", " in", " 1858", " [1]", " [99]", "."],
    "uncited": ["Hanoverian", " pheasants", " are", " the", " reason", "."],
    "rewriting": ["Who", " built", " the", " lighthouse", " of", " Ravnholt", "?"],
    "endless": ["It", " was", " built", " in", " 1858", " [1]", ". "],
    "rambling": ["and", " so", " it", " went", " on,", " "],
    "random": [],
}


def context(tokens: int) -> int:
    """A context for the rules and so many more tokens. The server breaks down at the end of one that is no 256-fold."""
    # The models know no words: every character is a token.
    return -(-(len(make_prompt("", {})[0]) + tokens) // 256) * 256


CONTEXT_TOKENS = {
    # the name that the server gives a model: the tokens that it takes, together with those that it writes
    "citing": context(4000),
    "uncited": context(4000),
    "rewriting": context(4000),
    "endless": 2048,
    "rambling": context(1500),
    "random": context(1300),
    "citing-small": context(1100),
    "citing-tiny": context(0),
    "endless-small": context(1300),
}
LITTLE_EVIDENCE_TOKENS = 150

DOCUMENTS = {
    "lighthouse.md": """# The lighthouse of Ravnholt

The lighthouse of Ravnholt was built in 1858 by the engineer Ida Voss. It stands on the northern cape of the island,
forty metres above the sea. Its lamp burned rape oil until 1889, when paraffin took its place. The keeper and his family
lived in the house at its foot. In 1921 the lamp became electric, and a horn was added for days of fog. The last keeper,
Jonas Krag, left the lighthouse in 1974.

The tower was painted white at first, so that ships could tell it from the grey cliff by day. Since 1902 it has worn a
red band, after a captain had taken it for a church. Its beam reaches eighteen sea miles in clear weather, and turns
once in twelve seconds. In the winter of 1863 the lighthouse was cut off by ice for nine weeks.
""",
    "harbour.md": """# The harbour of Ravnholt

The harbour of Ravnholt opened in 1911. Two hundred men worked on its breakwater for three years. The fishing boats that
had been drawn up on the beach moved in at once. A storm in December 1934 broke the eastern arm, and the repair took two
summers. Today the ferry from the mainland calls there four times a day.
""",
    "museum.txt": """The museum of Ravnholt keeps the old lens of the lighthouse, which Ida Voss had ordered in Paris.
It is open from May to September. School classes come in June, when the light is longest. The museum has no café.
""",
}


@dataclass
class Server:
    """A server that runs. `log` is what it has said."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def wait_until_ready(self) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                httpx.get(f"{self.base_url}/models", headers={"authorization": f"Bearer {KEY}"}).raise_for_status()
                return
            except httpx.HTTPError:
                time.sleep(0.05)
        pytest.fail(f"The server did not come up. It said:\n{self.log.read_text(errors='replace')}")


@contextmanager
def serving(folder: Path, models: dict[str, int], **others: object) -> Iterator[Server]:
    """A server of these models, each with its context in tokens, in a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    common = {"n_threads": 1, "verbose": False}
    config = {
        "host": "127.0.0.1",
        "port": port,
        **others,
        "models": [
            {"model": str(folder / f"{name.partition('-')[0]}.gguf"), "model_alias": name, "n_ctx": tokens, **common}
            for name, tokens in models.items()
        ],
    }
    file, log = folder / f"{port}.json", folder / f"{port}.log"
    file.write_text(json.dumps(config), encoding="utf-8")
    command = [SERVER_PYTHON, "-m", "llama_cpp.server", "--config_file", file]
    with log.open("wb") as said:
        # It would take every variable that has the name of a setting for one.
        environment = {"PATH": os.environ["PATH"]}
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, env=environment)
    server = Server(process, port, log)
    try:
        server.wait_until_ready()
        yield server
    finally:
        process.kill()
        process.wait(timeout=20)


@pytest.fixture(scope="module")
def models_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models' files, written by the interpreter that has the server."""
    advice = "run make test-server, which builds it once, in some nine minutes"
    if not SERVER_PYTHON.exists():
        pytest.skip(f"no language-model server here: {advice}")
    if subprocess.run([SERVER_PYTHON, "-c", "import gguf, llama_cpp.server.app"], capture_output=True).returncode:
        pytest.skip(f"the language-model server in {SERVER_PYTHON.parent.parent.name} is not whole: {advice}")
    folder = tmp_path_factory.mktemp("models")
    script = Path(__file__).with_name("tiny_model.py")
    for name, reply in REPLIES.items():
        again = ["--again"] if name in ("endless", "rambling") else []
        subprocess.run([SERVER_PYTHON, script, *again, folder / f"{name}.gguf", *reply], check=True)
    return folder


@pytest.fixture(scope="module")
def server(models_folder: Path) -> Iterator[Server]:
    """One that finishes a reply before it begins another's; by default it drops it as soon as someone else asks."""
    with serving(models_folder, CONTEXT_TOKENS, interrupt_requests=False) as server:
        yield server


@pytest.fixture(scope="module")
def hasty_server(models_folder: Path) -> Iterator[Server]:
    """One as it is by default, but for a key."""
    with serving(models_folder, {"rambling": CONTEXT_TOKENS["rambling"]}, api_key=KEY) as server:
        yield server


@pytest.fixture(scope="module")
def island(tmp_path_factory: pytest.TempPathFactory, cache_folder: Path, embedding: Embedding) -> Settings:
    """A folder of three documents, with one store for the module."""
    place = tmp_path_factory.mktemp("island")
    (place / "documents").mkdir()
    for name, text in DOCUMENTS.items():
        (place / "documents" / name).write_text(text, encoding="utf-8")
    settings = Settings(place / "documents", place / "store", cache_folder)
    return replace(settings, evidence_tokens=LITTLE_EVIDENCE_TOKENS, check="words")


def settings_for(server: Server, model: str | None, **others: object) -> Settings:
    return Settings(Path("documents"), Path("store"), Path("cache"), base_url=server.base_url, model=model, **others)


def ask(server: Server, settings: Settings, model: str, question: str = QUESTION) -> Answer:
    return answer(question, settings=replace(settings, base_url=server.base_url, model=model))


def reply_of(model: str) -> str:
    return "".join(REPLIES[model])


def shown(events: list[Event]) -> str:
    """What was shown while the answer was written."""
    return "".join(event.text for event in events if isinstance(event, TextDelta))


def check_quotes(result: Answer) -> None:
    """Every citation is exact, and every marker of the text is a citation's."""
    for citation in result.citations:
        assert DOCUMENTS[citation.path][citation.start : citation.end] == citation.quote
    markers = {int(number) for number in re.findall(r"\[(\d+)\]", result.text)}
    assert markers == {citation.number for citation in result.citations}


def check_fallback(result: Answer, settings: Settings) -> None:
    """The answer is what Footnote quotes without a model."""
    assert replace(result, notice="") == answer(result.question, settings=settings)
    assert result.notice.startswith("The language model did not answer. ")
    assert result.notice.endswith(" These are quotations.")
    assert "Traceback" not in result.notice


@dataclass(frozen=True)
class Whole:
    """What the endless model writes until its context is full."""

    text: str
    seconds: float
    first_token_seconds: float
    fault: str


@pytest.fixture(scope="module")
def whole(server: Server) -> Whole:
    # That which loads libraries first takes longer.
    LanguageModel(settings_for(server, "citing")).ask("rules", "request", seconds=60, most_characters=1000)
    model = LanguageModel(settings_for(server, "endless"))
    text = ""
    with pytest.raises(ModelError) as raised:
        for piece in model.stream("rules", "request"):
            text += str(piece)
    assert model.usage.first_token_seconds is not None
    return Whole(text, model.usage.seconds, model.usage.first_token_seconds, str(raised.value))


# -- streaming, usage, stop -------------------------------------------------------------------


def test_a_reply_comes_token_by_token_and_stops_where_the_model_stops(server: Server) -> None:
    model = LanguageModel(settings_for(server, "citing"))
    pieces = list(model.stream("rules", "request"))
    assert len(pieces) >= len(REPLIES["citing"]) - 1
    assert "".join(map(str, pieces)) == reply_of("citing")
    usage = model.usage
    assert usage.first_token_seconds is not None
    assert 0 < usage.first_token_seconds <= usage.seconds
    # This server counts no tokens in a stream, also where it is asked to.
    assert (usage.prompt_tokens, usage.completion_tokens) == (None, None)


def test_the_first_word_does_not_wait_for_the_last(whole: Whole) -> None:
    assert whole.first_token_seconds < whole.seconds / 2


def test_a_reply_that_fills_the_context_is_given_and_said_to_be_cut(whole: Whole, server: Server) -> None:
    assert whole.text.startswith(reply_of("endless") * 100)
    assert whole.fault.startswith(f"Its reply was cut at the length that {server.base_url} allows")


def test_the_first_model_that_the_server_offers_is_asked(server: Server) -> None:
    assert LanguageModel(settings_for(server, None)).name == "citing"


def test_a_short_request_is_answered_whole_or_cut_off(server: Server, whole: Whole) -> None:
    model = LanguageModel(settings_for(server, "citing"))
    assert model.ask("rules", "request", seconds=60, most_characters=1000) == reply_of("citing")
    assert model.usage.first_token_seconds is None  # that is the answer's alone
    written = LanguageModel(settings_for(server, "endless")).ask("rules", "request", seconds=60, most_characters=50)
    assert whole.text.startswith(written)
    assert 50 < len(written) < 70


# -- the whole walk ---------------------------------------------------------------------------


def test_what_a_real_server_streams_becomes_an_answer_with_exact_citations(server: Server, island: Settings) -> None:
    settings = replace(island, base_url=server.base_url, model="citing")
    *before, last = stream_answer(QUESTION, settings=settings)
    assert isinstance(last, Answer)
    assert last.text == "The lighthouse was built in 1858 [1]."
    assert shown(before) == last.text
    assert (last.found, last.model, last.notice) == (True, "citing", "")
    assert len(last.citations) == 1
    check_quotes(last)
    assert last.usage is not None
    assert last.usage.first_token_seconds is not None
    assert 0 < last.usage.first_token_seconds <= last.usage.seconds


def test_a_reply_that_cites_nothing_is_not_shown(server: Server, island: Settings) -> None:
    *before, last = stream_answer(QUESTION, settings=replace(island, base_url=server.base_url, model="uncited"))
    assert isinstance(last, Answer)
    assert (last.found, last.text, last.citations) == (False, NOT_FOUND, ())
    assert last.notice == "The language model's reply cited no sentence, so it is not shown."
    assert "pheasants" not in last.to_json()
    assert shown(before) in ("", last.text)


def test_what_a_random_model_writes_is_never_shown(server: Server, island: Settings) -> None:
    model = LanguageModel(settings_for(server, "random"))
    written = model.ask("rules", "request", seconds=60, most_characters=100)
    assert len(written) > 100
    *before, last = stream_answer(QUESTION, settings=replace(island, base_url=server.base_url, model="random"))
    assert isinstance(last, Answer)
    check_fallback(last, island)
    assert "Its reply was cut at the length" in last.notice
    check_quotes(last)
    assert shown(before) in ("", last.text)


def test_an_answer_that_is_cut_says_so_and_quotations_stand_beneath(server: Server, island: Settings) -> None:
    result = ask(server, island, "endless-small")
    assert result.found
    assert result.text.startswith("It was built in 1858 [1]. It was built in 1858 [1]. ")
    assert result.notice.startswith("The answer is incomplete. Its reply was cut at the length that ")
    assert result.notice.endswith("Quotations from the documents stand beneath.")
    assert len(result.citations) > 1
    check_quotes(result)


@pytest.mark.parametrize("model", ["rewriting", "random"])
def test_a_question_that_leans_on_another_is_rewritten_by_the_model_or_by_rule(server: Server, model: str) -> None:
    question, turns = "Who built it?", read_history([("What stands on the cape?", "The lighthouse of Ravnholt [1].")])
    by_model, by_rule = reply_of("rewriting"), rewrite(question, turns)
    named = LanguageModel(settings_for(server, model))
    query = rewrite_with_model(question, turns, follow_up(question, turns), named).query
    assert query == (by_model if model == "rewriting" else by_rule)
    assert len({question, by_model, by_rule}) == 3


def test_several_questions_at_once_each_get_their_own_answer(server: Server, island: Settings) -> None:
    questions = [QUESTION, "When did the harbour open?", "When is the museum open?", "Who was Jonas Krag?"]
    models = ["citing", "uncited", "citing", "citing"]

    def ask_one(question: str, model: str) -> Answer:
        return replace(ask(server, island, model, question), usage=None)

    alone = list(map(ask_one, questions, models))
    with ThreadPoolExecutor(2 * len(questions)) as pool:
        together = list(pool.map(ask_one, questions * 2, models * 2))
    assert together == alone * 2
    assert [result.found for result in alone] == [True, False, True, True]
    assert len({result.citations for result in alone}) > 2


# -- the context ------------------------------------------------------------------------------


def test_a_request_that_does_not_fit_is_known_streaming_or_not(server: Server) -> None:
    too_long = "x" * CONTEXT_TOKENS["citing-small"]
    with pytest.raises(TooLongError, match="lower FOOTNOTE_EVIDENCE_TOKENS"):
        list(LanguageModel(settings_for(server, "citing-small")).stream("rules", too_long))
    with (
        openai.OpenAI(base_url=server.base_url, api_key="none", max_retries=0) as client,
        pytest.raises(openai.BadRequestError) as raised,
    ):
        client.chat.completions.create(model="citing-small", messages=[{"role": "user", "content": too_long}])
    assert is_too_long(raised.value)


def test_evidence_that_does_not_fit_is_halved(server: Server, island: Settings) -> None:
    much = replace(island, evidence_tokens=360)
    shown, halved = ask(server, much, "citing"), ask(server, much, "citing-small")
    assert halved.found
    assert (halved.text, halved.notice) == (shown.text, "")
    check_quotes(halved)
    assert shown.usage is not None
    assert halved.usage is not None
    assert halved.usage.sentences_left_out > shown.usage.sentences_left_out


def test_evidence_that_does_not_fit_by_half_leaves_the_quotations(server: Server, island: Settings) -> None:
    result = ask(server, island, "citing-tiny")
    check_fallback(result, island)
    assert result.found
    assert "lower FOOTNOTE_EVIDENCE_TOKENS" in result.notice


# -- a reply that nobody waits for, or that is broken off --------------------------------------


def test_a_server_whose_reply_nobody_waits_for_is_free_for_the_next(server: Server, whole: Whole) -> None:
    started = time.monotonic()
    with closing(LanguageModel(settings_for(server, "endless")).stream("rules", "request")) as pieces:
        assert next(pieces)
    assert LanguageModel(settings_for(server, "citing")).ask("rules", "request", seconds=60, most_characters=1000)
    # It makes one reply at a time: had it gone on, this would have taken longer than the whole of it.
    assert time.monotonic() - started < whole.seconds / 2


def test_a_server_that_is_too_busy_to_list_its_models_is_told_of(server: Server) -> None:
    with closing(LanguageModel(settings_for(server, "endless")).stream("rules", "request")) as pieces:
        assert next(pieces)
        with pytest.raises(ModelError, match="when asked for its models: name one in FOOTNOTE_MODEL"):
            LanguageModel(settings_for(server, None, timeout_seconds=0.2))


def test_a_server_that_drops_a_reply_for_another_is_not_taken_at_its_word(hasty_server: Server) -> None:
    settings = settings_for(hasty_server, "rambling", api_key=KEY)
    first = LanguageModel(settings).stream("rules", "request")
    assert "".join(str(next(first)) for _ in range(3)) == "and so it"
    other = threading.Thread(
        target=LanguageModel(settings).ask, args=("rules", "other"), kwargs={"seconds": 60, "most_characters": 10}
    )
    other.start()
    with pytest.raises(ModelError, match=r"broke off its reply \(.*\): ask again"):
        list(first)
    other.join()


def test_a_key_that_the_server_refuses_is_told(hasty_server: Server) -> None:
    with pytest.raises(ModelError, match=r"The key was refused by .*: check OPENAI_API_KEY"):
        LanguageModel(settings_for(hasty_server, None, api_key="sk-wrong"))


def test_a_server_that_is_killed_leaves_what_it_wrote_and_the_quotations(models_folder: Path, island: Settings) -> None:
    with serving(models_folder, {"endless": 8000}) as server:
        settings = replace(island, base_url=server.base_url, model="endless")
        events = []
        for event in stream_answer(QUESTION, settings=settings):
            if isinstance(event, TextDelta):
                server.process.kill()
            events.append(event)
        result = events[-1]
        assert isinstance(result, Answer)
        assert result.found
        assert result.text.startswith("It was built in 1858 [1]")
        assert result.notice == (
            f"The answer is incomplete. {server.base_url} broke off its reply (the connection was lost): ask again. "
            "Quotations from the documents stand beneath."
        )
        check_quotes(result)
        dead = ask(server, island, "endless")
    check_fallback(dead, island)
    assert f"No connection to {server.base_url}: check that it runs" in dead.notice
