"""Tokens are counted with the model's own tokenizer where it is on the machine, and nothing is ever fetched."""

import os
import socket

import pytest

from assistant.writing.tokens import estimate_tokens, open_counter

TEXTS = {
    "English": "Trump skipped Israel because he ranked economic diplomacy with the Gulf monarchies ahead of it.",
    "German": "Warum wurde Israel übersprungen? Weil Trump die Wirtschaftsdiplomatie mit den Golfstaaten vorzog.",
    "Russian": "Почему Израиль был пропущен в поездке президента по странам Персидского залива?",
    "Chinese": "为什么以色列被跳过？因为特朗普优先考虑与海湾国家的经济外交。",
    "Arabic": "لماذا تم تخطي إسرائيل في جولة الرئيس في الخليج؟",
}


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was tried")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize("model", ["gpt-4.1-mini", "gpt-4o", "gpt-5-mini", "gpt-oss-20b", "gpt-3.5-turbo"])
def test_openais_models_are_counted_exactly(model: str) -> None:
    count = open_counter(model)
    assert count is not estimate_tokens
    assert count("hello world") == 2
    assert count("") == 0
    assert count("<|endoftext|>") > 1
    assert "TIKTOKEN_CACHE_DIR" not in os.environ


@pytest.mark.parametrize("model", ["qwen2.5:3b", "scripted-model", "davinci-002-x", "text-davinci-003", ""])
def test_others_are_estimated(model: str) -> None:
    assert open_counter(model) is estimate_tokens


def test_a_folder_of_ones_own_without_the_file_is_no_hindrance(
    monkeypatch: pytest.MonkeyPatch, tmp_path: os.PathLike[str]
) -> None:
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    assert open_counter("gpt-4o")("hello world") == 2
    assert os.environ["TIKTOKEN_CACHE_DIR"] == str(tmp_path)


@pytest.mark.parametrize("language", TEXTS)
def test_the_estimate_is_near_and_rather_too_high(language: str) -> None:
    text = TEXTS[language] * 3
    exact = open_counter("gpt-4o")(text)
    assert 0.95 * exact <= estimate_tokens(text) <= 2.1 * exact


def test_any_text_has_a_size() -> None:
    assert [estimate_tokens(text) for text in ("", "a", "abcde", "\ud800")] == [0, 1, 2, 1]
