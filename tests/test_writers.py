"""Who writes the answers: what was chosen on the page is kept for its owner alone, and a key goes to its own server."""

import json
import stat
import threading
from contextlib import closing
from dataclasses import replace
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai_server import Fault, OpenAIServer

from assistant.serving.writers import (
    LARGEST_FILE_BYTES,
    LONGEST_CHARACTERS,
    Writer,
    apply,
    find_offers,
    keep,
    list_models,
    read_writer,
    recall,
    try_out,
)
from index.errors import InputError, ModelError
from index.settings import Settings

WRITER = Writer("http://127.0.0.1:9/v1", "a-secret-key", "a-model")


def test_a_choice_is_kept_for_its_owner_alone(tmp_path: Path, settings: Settings) -> None:
    file = tmp_path / "config" / "writer.json"
    keep(file, WRITER)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    kept = recall(file, settings)
    assert (kept.base_url, kept.api_key, kept.model) == (WRITER.base_url, WRITER.api_key, WRITER.model)
    keep(file, Writer())
    assert recall(file, settings) == settings
    assert [entry.name for entry in file.parent.iterdir()] == ["writer.json"]


def test_the_environment_goes_first(tmp_path: Path, settings: Settings) -> None:
    file = tmp_path / "writer.json"
    keep(file, WRITER)
    named = replace(settings, api_key="of-the-environment")
    assert recall(file, named) == named
    assert recall(tmp_path / "none.json", settings) == settings


@pytest.mark.parametrize(
    "content",
    [b"", b"[", b"[]", b"null", b'{"model": 5}', b'{"other": "x"}', b'{"api_key": "\xc3\xa9"}', b"[" * 30_000],
)
def test_a_damaged_choice_is_told_in_a_sentence(tmp_path: Path, settings: Settings, content: bytes) -> None:
    file = tmp_path / "writer.json"
    file.write_bytes(content)
    with pytest.raises(InputError, match="remove it, and choose again"):
        recall(file, settings)


def test_a_choice_that_cannot_be_written_leaves_what_was_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InputError, match="cannot be written"):
        keep(tmp_path / "file" / "writer.json", WRITER)


@given(st.sampled_from(["openai", "server"]), st.sampled_from(["", "http://a.example/v1", "http://b.example/v1"]))
def test_a_key_goes_to_no_other_server_than_its_own(kind: str, address: str) -> None:
    before = replace(Settings.from_environment({}), base_url="http://a.example/v1", api_key="k")
    try:
        writer = read_writer(kind, address, "", "", before)
    except InputError:
        return
    assert (writer.api_key == "k") == (writer.base_url == "http://a.example/v1")


def test_what_is_missing_is_told(settings: Settings) -> None:
    with pytest.raises(InputError, match="address is missing"):
        read_writer("server", " ", "", "", settings)
    with pytest.raises(InputError, match="key is missing"):
        read_writer("openai", "", "", "", settings)
    with pytest.raises(InputError, match="writes no answers"):
        read_writer("x" * 500, "", "", "", settings)
    assert read_writer("quotations", "http://a.example", "k", "m", settings) == Writer()


@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "javascript:alert(1)", "127.0.0.1:8080/v1", "http://", "http://[::1", "http://x:-1"],
)
def test_what_is_no_address_of_a_server_is_not_kept(settings: Settings, address: str) -> None:
    with pytest.raises(InputError, match="no address of a server"):
        read_writer("server", address, "", "", settings)


def test_what_is_kept_can_be_read_again(tmp_path: Path, settings: Settings) -> None:
    longest = "http://" + "\U0001f600" * (LONGEST_CHARACTERS - 7)
    writer = read_writer("server", longest, longest, longest, settings)
    keep(tmp_path / "writer.json", writer)
    assert (tmp_path / "writer.json").stat().st_size < LARGEST_FILE_BYTES
    for fields in (("http://x/" + longest, "", ""), ("http://x/", longest + "x", ""), ("http://x/", "", longest + "x")):
        with pytest.raises(InputError, match="at most"):
            read_writer("server", *fields, settings)


def test_servers_of_this_machine_are_found_and_sent_nothing(settings: Settings) -> None:
    web_server = ThreadingHTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler)
    threading.Thread(target=web_server.serve_forever, daemon=True).start()
    with OpenAIServer("yes") as running, closing(web_server.socket):
        other = f"http://127.0.0.1:{web_server.server_port}/v1"
        servers = [("Ollama", running.base_url), ("LM Studio", other), ("None", "http://127.0.0.1:9/v1")]
        (offer,) = find_offers(settings, servers)
        assert (offer.name, offer.base_url) == ("Ollama", running.base_url)
        assert list_models(apply(settings, Writer(running.base_url))) == offer.models
        assert not running.chats
        web_server.shutdown()


def test_a_writer_is_tried_with_one_word(settings: Settings) -> None:
    with OpenAIServer("yes", Fault.CLOSED, 401) as server:
        chosen = apply(settings, Writer(server.base_url, "secret", None))
        name, seconds = try_out(chosen)
        assert name in list_models(chosen)
        assert seconds >= 0
        with pytest.raises(ModelError, match="No connection to "):
            try_out(chosen)
        with pytest.raises(ModelError, match="key was refused") as refused:
            try_out(chosen)
        assert "secret" not in str(refused.value)
        assert "yes" in json.dumps(server.chats[0].body)
    with pytest.raises(InputError, match="No language model is chosen"):
        try_out(settings)
