from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import platformdirs
import pytest

from index.errors import InputError
from index.settings import LOCAL_CHUNK_TOKENS, LOCAL_EMBEDDING, Settings, sample_folder


def test_with_nothing_set_it_is_local_and_answers_from_the_samples() -> None:
    settings = Settings.from_environment({})
    assert settings.documents == sample_folder()
    assert any(settings.documents.glob("*.md"))
    assert settings.store_folder == Path(platformdirs.user_data_dir("footnote", appauthor=False))
    assert settings.cache_folder == Path(platformdirs.user_cache_dir("footnote", appauthor=False))
    assert settings.embedding == LOCAL_EMBEDDING
    assert settings.model is settings.api_key is settings.base_url is None
    assert settings.timeout_seconds == 60
    assert settings.passage_count == 8
    assert settings.evidence_tokens is None
    assert settings.chunk_tokens == LOCAL_CHUNK_TOKENS
    assert settings.check == "model"
    assert not settings.uses_language_model


def test_every_variable_is_read() -> None:
    assert Settings.from_environment(
        {
            "FOOTNOTE_DOCUMENTS": "/news",
            "FOOTNOTE_STORE": "/store",
            "FOOTNOTE_CACHE": "/cache",
            "FOOTNOTE_EMBEDDING": "text-embedding-3-small",
            "FOOTNOTE_EMBEDDING_URL": "http://127.0.0.1:2/v1",
            "FOOTNOTE_EMBEDDING_KEY": "embedding-key",
            "FOOTNOTE_RERANKER": "a-reranker",
            "FOOTNOTE_RERANKER_URL": "http://127.0.0.1:3",
            "FOOTNOTE_RERANKER_KEY": "reranker-key",
            "FOOTNOTE_MODEL": "gpt",
            "FOOTNOTE_TIMEOUT_SECONDS": "2.5",
            "FOOTNOTE_PASSAGE_COUNT": "3",
            "FOOTNOTE_EVIDENCE_TOKENS": "4000",
            "FOOTNOTE_CHUNK_TOKENS": "100",
            "FOOTNOTE_CHECK": "words",
            "OPENAI_API_KEY": "key",
            "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
        }
    ) == Settings(
        documents=Path("/news"),
        store_folder=Path("/store"),
        cache_folder=Path("/cache"),
        embedding="text-embedding-3-small",
        embedding_url="http://127.0.0.1:2/v1",
        embedding_key="embedding-key",
        reranker="a-reranker",
        reranker_url="http://127.0.0.1:3",
        reranker_key="reranker-key",
        model="gpt",
        api_key="key",
        base_url="http://127.0.0.1:1/v1",
        timeout_seconds=2.5,
        passage_count=3,
        evidence_tokens=4000,
        chunk_tokens=100,
        check="words",
    )


def test_the_environment_is_read_when_asked_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTNOTE_MODEL", "one")
    first = Settings.from_environment()
    monkeypatch.setenv("FOOTNOTE_MODEL", "two")
    assert (first.model, Settings.from_environment().model) == ("one", "two")


@pytest.mark.parametrize("value", ["", "  ", "\n"])
def test_an_empty_variable_counts_as_unset(value: str) -> None:
    names = [
        *["FOOTNOTE_DOCUMENTS", "FOOTNOTE_STORE", "FOOTNOTE_CACHE", "FOOTNOTE_EMBEDDING", "FOOTNOTE_MODEL"],
        *["FOOTNOTE_TIMEOUT_SECONDS", "FOOTNOTE_PASSAGE_COUNT", "FOOTNOTE_CHUNK_TOKENS"],
        *["FOOTNOTE_CHECK", "OPENAI_API_KEY", "OPENAI_BASE_URL"],
    ]
    assert Settings.from_environment(dict.fromkeys(names, value)) == Settings.from_environment({})


def test_white_space_around_a_key_is_not_part_of_it() -> None:
    assert Settings.from_environment({"OPENAI_API_KEY": " key\n"}).api_key == "key"


def test_a_tilde_is_the_home_folder() -> None:
    names = ("FOOTNOTE_DOCUMENTS", "FOOTNOTE_STORE", "FOOTNOTE_CACHE")
    settings = Settings.from_environment(dict.fromkeys(names, "~/x"))
    assert {settings.documents, settings.store_folder, settings.cache_folder} == {Path.home() / "x"}


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "OPENAI_BASE_URL"])
def test_a_key_or_a_server_alone_calls_for_the_language_model(name: str) -> None:
    assert Settings.from_environment({name: "http://x"}).uses_language_model


@pytest.mark.parametrize(
    ("name", "value", "bounds"),
    [
        ("FOOTNOTE_TIMEOUT_SECONDS", "soon", "from 0.01 to 86,400"),
        ("FOOTNOTE_TIMEOUT_SECONDS", "0", "from 0.01 to 86,400"),
        ("FOOTNOTE_TIMEOUT_SECONDS", "-5", "from 0.01 to 86,400"),
        ("FOOTNOTE_TIMEOUT_SECONDS", "nan", "from 0.01 to 86,400"),
        ("FOOTNOTE_TIMEOUT_SECONDS", "1e999", "from 0.01 to 86,400"),
        ("FOOTNOTE_PASSAGE_COUNT", "0", "from 1 to 50"),
        ("FOOTNOTE_PASSAGE_COUNT", "51", "from 1 to 50"),
        ("FOOTNOTE_PASSAGE_COUNT", "inf", "from 1 to 50"),
        ("FOOTNOTE_PASSAGE_COUNT", "eight", "from 1 to 50"),
        ("FOOTNOTE_EVIDENCE_TOKENS", "99", "from 100 to 1,000,000"),
        ("FOOTNOTE_CHUNK_TOKENS", "31", "from 32 to 250"),
        ("FOOTNOTE_CHUNK_TOKENS", "251", "from 32 to 250"),
    ],
)
def test_a_number_that_cannot_be_used_is_named_with_its_bounds(name: str, value: str, bounds: str) -> None:
    with pytest.raises(InputError) as raised:
        Settings.from_environment({name: value})
    assert str(raised.value) == f"{name} is {value!r}: give a number {bounds}."


@pytest.mark.parametrize(
    ("value", "names_a_model"), [("words", False), ("model", False), ("nli:owner/name", True), ("nli:./my model", True)]
)
def test_a_check_is_by_words_by_the_model_or_by_one_that_is_named(value: str, names_a_model: bool) -> None:
    settings = Settings.from_environment({"FOOTNOTE_CHECK": f"{value}\n"})
    assert settings.check == value
    assert settings.checks_entailment is names_a_model


@pytest.mark.parametrize("value", ["yes", "Words", "nli", "nli:", "nli: ", "nli:a\nb", "local:a/b", True, 5])
def test_another_check_is_refused_with_what_there_is(value: object) -> None:
    with pytest.raises(InputError) as raised:
        Settings.from_environment({"FOOTNOTE_CHECK": value})
    given = value.strip() if isinstance(value, str) else value
    assert str(raised.value) == (
        f"FOOTNOTE_CHECK is {given!r}: give words; model, to have the language model judge; or nli: and the name or "
        "the folder of an entailment model."
    )


KEYS = ("OPENAI_API_KEY", "FOOTNOTE_EMBEDDING_KEY", "FOOTNOTE_RERANKER_KEY")
ADDRESSES = ("FOOTNOTE_EMBEDDING_URL", "FOOTNOTE_RERANKER_URL")


def test_settings_do_not_change_and_do_not_show_keys_and_passwords() -> None:
    secrets = {**dict.fromkeys(KEYS, "a-secret"), **dict.fromkeys(ADDRESSES, "http://name:a-secret@host/v1")}
    settings = Settings.from_environment(secrets)
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.model = "x"  # type: ignore[misc]
    assert "a-secret" not in repr(settings)


def test_no_test_sees_the_users_own_settings(settings: Settings) -> None:
    assert not [name for name in os.environ if name.startswith("OPENAI_")]
    assert not settings.store_folder.is_relative_to(platformdirs.user_data_dir("footnote", appauthor=False))


@pytest.mark.parametrize(
    ("base_url", "server"),
    [
        ("http://127.0.0.1:8080/v1", "http://127.0.0.1:8080/v1"),
        ("https://user:a-secret@host/v1", "https://host/v1"),
        ("https://user:a@secret@host/v1", "https://host/v1"),
        ("user:a-secret@host/v1", "host/v1"),
        ("http://host/v1/@name", "http://host/v1/@name"),
    ],
)
def test_a_base_url_is_shown_without_its_password(base_url: str, server: str) -> None:
    settings = Settings.from_environment({"OPENAI_BASE_URL": base_url})
    assert settings.server == server
    assert settings.base_url == base_url
    assert "secret" not in repr(settings)


def test_without_a_base_url_there_is_no_server_to_show() -> None:
    assert Settings.from_environment({}).server is None
