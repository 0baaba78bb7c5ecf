"""An embedding on a server, over real sockets: what servers do well, differently and badly."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_server import (
    Fault,
    ModelServer,
    bomb,
    cut,
    embed,
    fall_silent,
    hang_up,
    pour,
    pour_error,
    redirect,
    refuse,
    say,
    send,
    trickle,
)
from typer.testing import CliRunner

from assistant.chain import answer
from assistant.serving.command_line import command
from index.embedding.engines import open_embedding
from index.embedding.prompts import find_prompts
from index.embedding.protocol import Embedding
from index.endpoint import find_embedding
from index.errors import ModelError, StoreError
from index.library import Library, finish, open_library
from index.settings import Settings

KEY = "sk-do-not-show-3f9a"
TEXTS = ["The bridge is closed on Mondays.", "The ferry leaves at noon.", "Berths cost 380 a night."]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.connection.FIRST_WAIT_SECONDS", 0.01)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


def settings_for(url: str, **others: str) -> Settings:
    return Settings.from_environment(
        {
            **os.environ,
            "FOOTNOTE_EMBEDDING": "a-model",
            "FOOTNOTE_EMBEDDING_URL": url,
            "FOOTNOTE_EMBEDDING_KEY": KEY,
            **others,
        }
    )


def open_at(url: str, **others: str) -> Embedding:
    return finish(open_embedding(settings_for(url, **others)))


def directions(texts: list[str]) -> Any:
    vectors = np.array([embed(text) for text in texts])
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


# -- which server is asked, and what for ------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "url", "key"),
    [
        ({}, None, None),
        ({"OPENAI_API_KEY": "k"}, "https://api.openai.com/v1", "k"),
        ({"OPENAI_BASE_URL": "http://b/v1"}, "http://b/v1", None),
        ({"OPENAI_BASE_URL": "http://b/v1", "OPENAI_API_KEY": "k"}, "http://b/v1", "k"),
        ({"OPENAI_API_KEY": "k", "FOOTNOTE_EMBEDDING_URL": "http://e/v1"}, "http://e/v1", None),
        ({"FOOTNOTE_EMBEDDING_KEY": "e"}, "https://api.openai.com/v1", "e"),
        (
            {"OPENAI_API_KEY": "k", "FOOTNOTE_EMBEDDING_URL": "http://e/v1", "FOOTNOTE_EMBEDDING_KEY": "e"},
            "http://e/v1",
            "e",
        ),
    ],
)
def test_a_key_goes_to_no_server_but_its_own(environment: dict[str, str], url: str | None, key: str | None) -> None:
    served = find_embedding(Settings.from_environment({"FOOTNOTE_EMBEDDING": "a-model", **environment}))
    assert (served and served.url, served and served.key) == (url, key)


@pytest.mark.parametrize("embedding", ["local", "local:multilingual", "local:a-folder"])
def test_no_key_and_no_address_sends_texts_anywhere_where_the_embedding_is_local(embedding: str) -> None:
    environment = {
        "OPENAI_API_KEY": "k",
        "OPENAI_BASE_URL": "http://b/v1",
        "FOOTNOTE_EMBEDDING_URL": "http://e/v1",
        "FOOTNOTE_EMBEDDING_KEY": "e",
        "FOOTNOTE_EMBEDDING": embedding,
    }
    assert find_embedding(Settings.from_environment(environment)) is None


def test_any_model_of_a_server_gives_unit_vectors_in_the_order_given() -> None:
    with ModelServer() as server:
        embedding = open_at(server.base_url)
        texts = [f"{text} {number}" for number in range(30) for text in TEXTS]
        vectors = embedding.embed(texts)
        query = embedding.embed_query(texts[4])
    assert vectors.dtype == np.float32
    assert np.allclose(vectors, directions(texts), atol=1e-6)
    assert np.allclose(query, vectors[4])
    assert embedding.name == "server:a-model"
    assert {(a.path, a.headers["authorization"], a.body["model"]) for a in server.asked} == {
        ("/v1/embeddings", f"Bearer {KEY}", "a-model")
    }
    assert max(len(a.texts) for a in server.asked) <= 32
    assert len(server.asked) == 5


def test_what_is_asked_is_one_address_however_it_is_given() -> None:
    with ModelServer() as server:
        for url in (server.base_url, f"{server.base_url}/", f"{server.base_url}/embeddings", f"{server.base_url}?a=b"):
            open_at(url).embed_query("a")
        open_at(server.base_url.replace("//", "//name:a-password@"), FOOTNOTE_EMBEDDING_KEY="").embed_query("a")
    assert [a.path for a in server.asked] == ["/v1/embeddings"] * 3 + ["/v1/embeddings?a=b", "/v1/embeddings"]
    assert server.asked[-1].headers["authorization"].startswith("Basic ")


def test_vectors_are_put_in_order_by_their_index() -> None:
    rows = [{"index": i, "embedding": embed(text)} for i, text in enumerate(TEXTS)]
    with ModelServer(say({"data": rows[::-1]}), say({"data": [{"embedding": r["embedding"]} for r in rows]})) as server:
        embedding = open_at(server.base_url)
        assert np.allclose(embedding.embed(TEXTS), directions(TEXTS), atol=1e-6)
        assert np.allclose(embedding.embed(TEXTS), directions(TEXTS), atol=1e-6)


@hypothesis.settings(max_examples=40, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
@given(texts=st.lists(st.text(max_size=60), max_size=80))
def test_whatever_the_texts_hold_each_gets_its_vector(server: ModelServer, texts: list[str]) -> None:
    server.asked.clear()
    vectors = open_at(server.base_url).embed(texts)
    assert vectors.shape[0] == len(texts)
    assert np.isfinite(vectors).all()
    assert [text for a in server.asked for text in a.texts] == [t.encode(errors="replace").decode() for t in texts]


@pytest.mark.parametrize(
    ("model", "query", "text"),
    [
        ("nomic-embed-text", "search_query: x", "search_document: x"),
        ("text-embedding-nomic-embed-text-v1.5", "search_query: x", "search_document: x"),
        ("intfloat/multilingual-e5-large", "query: x", "passage: x"),
        ("bge-m3", "x", "x"),
        ("text-embedding-3-small", "x", "x"),
    ],
)
def test_a_model_gets_the_prompts_that_it_was_made_for(model: str, query: str, text: str) -> None:
    with ModelServer() as server:
        embedding = open_at(server.base_url, FOOTNOTE_EMBEDDING=model)
        embedding.embed_query("x")
        embedding.embed(["x"])
    assert [a.texts for a in server.asked] == [[query], [text]]


def test_families_of_models_are_told_apart() -> None:
    assert find_prompts("Snowflake/snowflake-arctic-embed-l-v2.0") == find_prompts("snowflake-arctic-embed2")
    assert find_prompts("snowflake-arctic-embed") == find_prompts("BAAI/bge-small-en-v1.5")
    assert find_prompts("multilingual-e5-large-instruct") == find_prompts("Qwen/Qwen3-Embedding-0.6B")
    assert find_prompts("some-file-5-large") == ("", "")


def test_what_is_not_latin_counts_as_more_tokens() -> None:
    counted = open_at("http://127.0.0.1:9/v1").count_tokens(["word " * 100, "слово " * 100, "語" * 500])
    assert counted == [126, 276, 376]


# -- servers that take less -------------------------------------------------------------------


@pytest.mark.parametrize("most", [1, 7, 10, 31])
def test_a_server_that_takes_fewer_texts_gets_fewer(most: int) -> None:
    texts = [f"{text} {number}" for number in range(15) for text in TEXTS]
    with ModelServer(most_texts=most) as server:
        assert np.allclose(open_at(server.base_url).embed(texts), directions(texts), atol=1e-6)


def test_a_server_that_takes_no_lists_gets_one_text_at_a_time_and_is_remembered() -> None:
    with ModelServer(takes_lists=False) as server:
        embedding = open_at(server.base_url)
        assert np.allclose(embedding.embed(TEXTS * 4), directions(TEXTS * 4), atol=1e-6)
        before = len(server.asked)
        embedding.embed(TEXTS)
    assert [a.body["input"] for a in server.asked[before:]] == TEXTS


@pytest.mark.parametrize(
    "too_long",
    [
        (400, "This model's maximum context length is 512 tokens. However, you requested 900 tokens."),
        (500, "input is too large to process. increase the physical batch size"),
        (400, "the input length exceeds the context length"),
        (413, "Input validation error: `inputs` must have less than 512 tokens. Given: 900"),
    ],
)
def test_a_text_that_is_too_long_is_embedded_by_its_beginning(too_long: tuple[int, str]) -> None:
    texts = [TEXTS[0], "harbour " * 200, TEXTS[1]]
    with ModelServer(longest=500, too_long=too_long) as server:
        vectors = open_at(server.base_url).embed(texts)
    assert np.allclose(vectors, directions(texts), atol=1e-6)  # of one word, the beginning points where all of it does
    assert len(server.asked) < 10


def test_a_server_that_refuses_whatever_comes_is_given_up_soon() -> None:
    with ModelServer(*[refuse(400, "no")] * 100) as server, pytest.raises(ModelError, match="refused the request"):
        open_at(server.base_url).embed(["a"] * 32)
    assert len(server.asked) < 10
    with ModelServer(longest=0) as server, pytest.raises(ModelError, match="refused the request with error 400"):
        open_at(server.base_url).embed(["a" * 100_000])
    assert len(server.asked) < 15


# -- servers that fail ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "faults",
    [
        [refuse(429, headers=(("retry-after", "0.02"),))],
        [refuse(500), refuse(503)],
        [hang_up],
        [cut, refuse(502)],
    ],
)
def test_what_passes_is_asked_again(faults: list[Fault]) -> None:
    with ModelServer(*faults) as server:
        assert np.allclose(open_at(server.base_url).embed(TEXTS), directions(TEXTS), atol=1e-6)
    assert len(server.asked) == len(faults) + 1


def test_the_server_says_how_long_to_wait() -> None:
    with ModelServer(refuse(429, headers=(("retry-after", "0.3"),))) as server:
        open_at(server.base_url).embed_query("a")
    assert server.asked[1].seconds - server.asked[0].seconds >= 0.3


@pytest.mark.parametrize(
    ("fault", "attempts", "told"),
    [
        (refuse(429, headers=(("retry-after", "3600"),)), 1, "wait 3600 seconds, then ask again"),
        (refuse(429, "insufficient_quota"), 1, "the quota is used up: wait"),
        (refuse(500), 4, "failed with error 500"),
        (refuse(401), 1, "refused the key for its embedding model: check FOOTNOTE_EMBEDDING_KEY"),
        (refuse(404), 1, "has no embedding model 'a-model': load it there, or check FOOTNOTE_EMBEDDING and"),
        (hang_up, 4, "broke off its answer"),
        (cut, 4, "broke off its answer"),
        (pour, 1, "went on without an end"),
        (pour_error, None, "refused the request with error 400"),
        (bomb, 1, "answered with what is compressed, which was not asked for"),
        (send(b"<html>"), 1, "answered with what is no JSON"),
        (send(b"[" * 100_000), 1, "answered with what is no JSON"),
        (send(b"\xff\xfe\x00"), 1, "answered with what is no JSON"),
        (send(b""), 1, "answered with what is no JSON"),
        (say([]), 1, "answered with what is no list of vectors"),
        (say({"error": "no"}), 1, "answered with what is no list of vectors"),
        (say({"data": None}), 1, "answered with what is no list of vectors"),
        (say({"data": [{"index": 0, "embedding": [1, 2]}]}), 1, "answered with 1 vectors for 2 texts"),
        (say({"data": [{"index": 0, "embedding": [1]}, {"index": 0, "embedding": [2]}]}), 1, "no list of vectors"),
        (say({"data": [{"index": 0, "embedding": [1]}, {"index": 7, "embedding": [2]}]}), 1, "no list of vectors"),
        (say({"data": [{"embedding": [1, 2]}, {"embedding": [1]}]}), 1, "no list of vectors"),
        (say({"data": [{"embedding": []}, {"embedding": []}]}), 1, "no list of vectors"),
        (say({"data": [{"embedding": "AAAA"}, {"embedding": "AAAA"}]}), 1, "no list of vectors"),
        (say({"data": [{"embedding": [[1]]}, {"embedding": [[1]]}]}), 1, "no list of vectors"),
        (send(b'{"data": [{"embedding": [NaN, 1]}, {"embedding": [1, 1]}]}'), 1, "not of numbers alone"),
        (send(b'{"data": [{"embedding": [null, 1]}, {"embedding": [1, 1]}]}'), 1, "not of numbers alone"),
        (send(b'{"data": [{"embedding": [1e999, 1]}, {"embedding": [1, 1]}]}'), 1, "not of numbers alone"),
        (send(b'{"data": [{"embedding": [%s]}, {"embedding": [1]}]}' % (b"9" * 4000)), 1, "no list of vectors"),
    ],
)
def test_what_a_server_does_wrong_is_a_sentence_without_its_key(fault: Fault, attempts: int | None, told: str) -> None:
    with ModelServer(*[fault] * 10) as server, pytest.raises(ModelError) as raised:
        open_at(server.base_url).embed(["one", "two"])
    assert told in str(raised.value)
    assert str(raised.value).count(". ") == 0
    assert KEY not in str(raised.value)
    assert raised.value.__suppress_context__ or not raised.value.__context__
    assert attempts in (None, len(server.asked))


def test_a_server_that_says_nothing_is_given_up() -> None:
    with ModelServer(fall_silent) as server, pytest.raises(ModelError) as raised:
        open_at(server.base_url, FOOTNOTE_TIMEOUT_SECONDS="0.2").embed_query("a")
    assert "was silent for 0.2 seconds: ask again, or raise FOOTNOTE_TIMEOUT_SECONDS" in str(raised.value)
    assert len(server.asked) == 1


def test_a_server_that_never_comes_to_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.endpoint.MOST_SILENCES", 0.01)
    with ModelServer(trickle) as server, pytest.raises(ModelError, match="went on without an end"):
        open_at(server.base_url).embed_query("a")


def test_no_connection_says_what_to_check() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ModelError) as raised:
        open_at(f"http://user:{KEY}@127.0.0.1:{port}/v1?key={KEY}").embed_query("a")
    assert str(raised.value) == (
        f"No connection to the embedding model 'a-model' at http://127.0.0.1:{port}/v1: check that it runs and that "
        "FOOTNOTE_EMBEDDING_URL is right."
    )


@pytest.mark.parametrize("url", ["127.0.0.1:8080/v1", "http://", "file:///etc/passwd", "http://[::1", "http://a:99999"])
def test_an_address_that_is_none_is_told(url: str) -> None:
    with pytest.raises(ModelError, match="give FOOTNOTE_EMBEDDING_URL an address like"):
        open_at(url).embed_query("a")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed_for_no_setting_names_where_it_leads(status: int) -> None:
    with ModelServer() as other, ModelServer(redirect(f"{other.base_url}/embeddings", status)) as server:
        with pytest.raises(ModelError, match="elsewhere, where nothing was sent: give FOOTNOTE_EMBEDDING_URL"):
            open_at(server.base_url).embed_query("a")
        assert not other.asked


def test_vectors_of_another_length_than_before_are_refused() -> None:
    with ModelServer() as server:
        embedding = open_at(server.base_url)
        embedding.embed(TEXTS)
        server.dimensions = 64
        with pytest.raises(ModelError, match="vectors of 64 numbers after those of 96"):
            embedding.embed(TEXTS)


# -- a folder over such a server --------------------------------------------------------------


SMALL = {"FOOTNOTE_CHUNK_TOKENS": "32"}  # so that a few files are several batches


def open_folder(folder: Path, settings: Settings) -> Library:
    library = finish(open_library(folder, settings))
    finish(library.sync())
    return library


def write(folder: Path, count: int = 3, parts: int = 40) -> None:
    for number in range(count):
        paragraphs = (f"Hut {number}.{part} stands at {number * 37 + part} metres." for part in range(parts))
        (folder / f"hut-{number}.md").write_text("\n\n".join([f"# Hut {number}", *paragraphs]))
    (folder / "ferry.md").write_text("# Ferry\n\nThe ferry to Brenvale leaves at noon from the old quay.\n")


def test_a_folder_is_synced_and_asked_over_a_server(folder: Path, server: ModelServer) -> None:
    write(folder)
    settings = settings_for(server.base_url)
    result = answer("When does the ferry to Brenvale leave?", folder, settings=settings)
    assert "leaves at noon" in result.text
    assert result.citations[0].path == "ferry.md"
    before = len(server.asked)
    finish(finish(open_library(folder, settings)).sync())
    assert len(server.asked) == before


def test_a_store_is_its_models_and_not_its_servers(folder: Path, server: ModelServer) -> None:
    write(folder, 1)
    open_folder(folder, settings_for(server.base_url))
    before = len(server.asked)
    with ModelServer() as other:
        library = open_folder(folder, settings_for(other.base_url))
        library.retrieve("ferry")
        assert [a.texts for a in other.asked] == [["ferry"]]
    assert len(server.asked) == before
    with pytest.raises(StoreError, match="made with embedding server:a-model, not embedding server:another"):
        open_folder(folder, settings_for(server.base_url, FOOTNOTE_EMBEDDING="another"))


def test_a_server_that_has_another_model_under_the_name_now_is_told(folder: Path, server: ModelServer) -> None:
    write(folder, 1)
    library = open_folder(folder, settings_for(server.base_url))
    before = [passage.text for passage in library.retrieve("ferry")]
    with ModelServer(dimensions=32) as other:
        (folder / "new.md").write_text("The harbour has a new crane.")
        changed = finish(open_library(folder, settings_for(other.base_url)))
        for ask in (lambda: finish(changed.sync()), lambda: changed.retrieve("ferry")):
            with pytest.raises(StoreError, match=r"of 96 numbers, .* now gives 32\. To make it anew: footnote sync"):
                ask()
    assert [passage.text for passage in library.retrieve("ferry")] == before
    assert library.store.check() == {}


def test_a_sync_whose_server_fails_keeps_what_it_had_and_goes_on_from_there(folder: Path, server: ModelServer) -> None:
    write(folder, 20, 150)
    settings = settings_for(server.base_url, **SMALL)
    server._faults = [lambda handler: handler._embed(server.asked[-1])] * 12 + [refuse(500)] * 4
    with pytest.raises(ModelError, match=r"error 500: .*log\. What was embedded before is kept: the next sync goes on"):
        open_folder(folder, settings)
    sent = sum(len(a.texts) for a in server.asked[:12])
    library = open_folder(folder, settings)
    again = sum(len(a.texts) for a in server.asked[16:])
    assert sent > 256
    assert again < library.store.lexicon.count_chunks() <= sent + again
    with library.store.writing():
        assert library.store.check() == {}


SYNC = """
import sys
from index.library import finish, open_library
from index.settings import Settings
library = finish(open_library(sys.argv[1], Settings.from_environment()))
finish(library.sync())
"""


def test_a_sync_over_a_server_that_is_killed_is_taken_up(folder: Path, server: ModelServer) -> None:
    write(folder, 20, 150)
    reached = 12
    server._faults = [lambda handler: handler._embed(server.asked[-1])] * reached + [fall_silent]
    environment = {
        **os.environ,
        **SMALL,
        "FOOTNOTE_EMBEDDING": "a-model",
        "FOOTNOTE_EMBEDDING_URL": server.base_url,
        "FOOTNOTE_TIMEOUT_SECONDS": "600",
        "PYTHONPATH": str(Path(__file__).parent.parent),
    }
    with subprocess.Popen([sys.executable, "-c", SYNC, str(folder)], env=environment) as process:
        while len(server.asked) <= reached and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert len(server.asked) == reached + 1
    library = open_folder(folder, settings_for(server.base_url, **SMALL))
    texts = [text for a in server.asked[reached + 1 :] for text in a.texts]
    assert len(texts) < library.store.lexicon.count_chunks()
    with library.store.writing():
        assert library.store.check() == {}
    assert library.retrieve("When does the ferry to Brenvale leave?")[0].path == "ferry.md"


def test_the_command_line_says_that_the_server_is_down(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTE_EMBEDDING", "a-model")
    monkeypatch.setenv("FOOTNOTE_EMBEDDING_URL", "http://127.0.0.1:9/v1")
    write(folder, 1)
    asked = ["ask", "When does the ferry leave?", "--documents", str(folder)]
    for arguments in (["sync", str(folder)], asked, ["documents", str(folder)]):
        run = CliRunner().invoke(command, arguments)
        assert run.exit_code == 1
        assert run.stderr.endswith(
            "footnote: No connection to the embedding model 'a-model' at http://127.0.0.1:9/v1: check that it runs and "
            "that FOOTNOTE_EMBEDDING_URL is right. What was embedded before is kept: the next sync goes on from "
            "there.\n"
        )
    # To look at a store needs no server.
    assert CliRunner().invoke(command, ["check", str(folder)]).stdout == "The store is whole.\n"
