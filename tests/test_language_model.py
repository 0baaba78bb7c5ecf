"""The language model's module alone: a real client, a real server, and every fault on the way."""

import logging
import re
import time
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from openai_server import COMPLETION_TOKENS, PROMPT_TOKENS, Fault, OpenAIServer, Refusal, Reply, Script

from assistant.writing.language_model import LanguageModel
from assistant.writing.reply import LONGEST_REPLY_CHARACTERS, ThoughtsOver, TooLongError
from assistant.writing.server import DEFAULT_MODEL, Server
from index.connection import read_wait
from index.documents import Progress
from index.errors import ModelError
from index.settings import Settings

KEY, PASSWORD = "sk-do-not-show-3f9a", "pass-do-not-show-77"
BUSY = Refusal(503, headers=(("retry-after", "0.02"),))


def settings_for(base_url: str | None, **others: Any) -> Settings:
    known = {"model": "named-model", "timeout_seconds": 0.4, "api_key": KEY, **others}
    return Settings(Path("documents"), Path("store"), Path("cache"), base_url=base_url, **known)


def hear(model: LanguageModel, **limits: Any) -> str:
    """The whole reply."""
    text = ""
    for piece in model.stream("rules", "request", **limits):
        if isinstance(piece, ThoughtsOver):
            text = ""
        elif isinstance(piece, str):
            text += piece
    return text


def fail(*scripts: Script, **others: Any) -> tuple[str, ModelError, OpenAIServer]:
    """What was received before a reply failed, the error, and the server."""
    text = ""
    with OpenAIServer(*scripts) as server:
        model = LanguageModel(settings_for(server.base_url, **others))
        with pytest.raises(ModelError) as raised:
            for piece in model.stream("rules", "request"):
                text += piece if isinstance(piece, str) else ""
    return text, raised.value, server


# -- trying again -----------------------------------------------------------------------------


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_server_that_is_busy_is_asked_again_after_the_time_that_it_tells(status: int) -> None:
    with OpenAIServer(Refusal(status, headers=(("Retry-After", "0.3"),)), "Here it is.") as server:
        assert hear(LanguageModel(settings_for(server.base_url))) == "Here it is."
    assert 0.3 <= server.times[1] - server.times[0] < 0.9


@pytest.mark.parametrize(
    "fault",
    [Fault.CLOSED, Reply("", then=Fault.BROKEN_STREAM), Reply("", thoughts="Hm.", then=Fault.BROKEN_STREAM), 500],
)
def test_what_is_lost_before_the_first_word_is_asked_for_again_with_waits_that_grow(fault: Script) -> None:
    with OpenAIServer(fault, fault, "Here it is.") as server:
        assert hear(LanguageModel(settings_for(server.base_url))) == "Here it is."
    waits = [after - before for before, after in zip(server.times, server.times[1:], strict=False)]
    assert len(waits) == 2
    assert 0.25 <= waits[0] < 0.9
    assert 0.5 <= waits[1] < 1.4


def test_no_redirect_is_followed_for_no_setting_says_where_it_leads() -> None:
    with OpenAIServer("I am another.") as other:
        _, error, _ = fail(Refusal(307, headers=(("location", f"{other.base_url}/chat/completions"),)))
        assert not other.requests
    assert "sends elsewhere: give OPENAI_BASE_URL the address" in str(error)


def test_nobody_is_asked_more_than_three_times() -> None:
    _, error, server = fail(BUSY)
    assert len(server.chats) == 3
    assert "failed with error 503: ask again" in str(error)
    assert error.retry_helps


@pytest.mark.parametrize(
    "fault",
    [
        401,
        403,
        404,
        Refusal(429, code="insufficient_quota"),
        Refusal(429, headers=(("retry-after", "300"),)),
        Refusal(503, headers=(("retry-after", formatdate(time.time() + 30_000, usegmt=True)),)),
        Fault.SILENCE,
        Reply("It was", then=Fault.BROKEN_STREAM),
        Reply("It was", then=Fault.SILENCE_IN_STREAM),
        Fault.INVALID_JSON,
    ],
    ids=lambda fault: str(fault).partition("headers")[0],
)
def test_what_a_second_time_does_not_help_is_asked_once(fault: Script) -> None:
    _, _, server = fail(fault)
    assert len(server.chats) == 1


def test_a_long_wait_is_told_and_not_sat_out() -> None:
    started = time.monotonic()
    _, error, _ = fail(Refusal(429, headers=(("retry-after", "300"),)))
    assert "is limiting requests, or the quota is used up: wait 300 seconds, then ask again." in str(error)
    assert time.monotonic() - started < 10


def test_who_waits_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.writing.server.TOLD_WAIT_SECONDS", 0.01)
    with OpenAIServer(BUSY, "Here.") as server:
        first, *_ = LanguageModel(settings_for(server.base_url)).stream("rules", "request")
        assert first == Progress(f"{server.base_url} is busy: asking again in 0 seconds")


@pytest.mark.parametrize(
    ("told", "least", "most"),
    [
        ("2", 2, 2),
        ("0.5", 0.5, 0.5),
        ("-3", 0, 0),
        ("inf", float("inf"), float("inf")),
        (formatdate(time.time() + 86_400, usegmt=True), 50_000, 86_400),  # the tests may come to this one late
        (formatdate(time.time() - 30, usegmt=True), 0, 0),
    ],
    ids=["whole", "half", "negative", "endless", "later", "before"],
)
def test_the_time_to_wait_is_told_in_seconds_or_as_a_date(told: str, least: float, most: float) -> None:
    seconds = read_wait({"retry-after": told})
    assert seconds is not None
    assert least <= seconds <= most


@pytest.mark.parametrize("told", ["", "nan", "soon", "Wed, 99 Nov 2026 25:61:61 GMT", "9" * 400 + " Nov"])
def test_a_time_that_is_none_is_not_heeded(told: str) -> None:
    assert read_wait({"retry-after": told}) is None


# -- what a server refuses --------------------------------------------------------------------


@pytest.mark.parametrize(
    "refusal",
    [
        Refusal(400, "Unrecognized request argument supplied: stream_options"),
        Refusal(400, "Unsupported value: 'temperature' does not support 0. The maximum is 2."),
        Refusal(422, "Extra inputs are not permitted"),
    ],
)
def test_a_server_that_refuses_a_parameter_is_asked_once_without_those_that_it_may_refuse(refusal: Refusal) -> None:
    with OpenAIServer(refusal, "Here it is.") as server:
        model = LanguageModel(settings_for(server.base_url))
        assert hear(model) == hear(model) == "Here it is."
    assert [set(chat.body) for chat in server.chats] == [
        {"messages", "model", "stream", "stream_options", "temperature"},
        {"messages", "model", "stream"},
        {"messages", "model", "stream"},
    ]
    _, error, server = fail(refusal)
    assert len(server.chats) == 2
    assert f"refused the request with error {refusal.status}" in str(error)


TOO_LONG = [
    Refusal(400, "This model's maximum context length is 4096 tokens.", "context_length_exceeded"),
    Refusal(
        400, "Requested tokens (5041) exceed context window of 4096", "context_length_exceeded"
    ),  # llama-cpp-python
    Refusal(400, "the request exceeds the available context size. try increasing it"),  # llama.cpp
    Refusal(500, "the request exceeds the available context size. try increasing the context size"),  # the same, older
    Refusal(400, "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens"),  # vLLM
    Refusal(400, "The decoder prompt (length 5000) is longer than the maximum model length of 4096."),  # vLLM
    Refusal(400, "input length exceeds the context length"),  # Ollama
    Refusal(400, "prompt is too long: 208310 tokens > 200000 maximum"),
    Refusal(413, "Request too large for model, please reduce your message size and try again.", "rate_limit_exceeded"),
    Refusal(422, "`inputs` must have less than 4096 tokens: the maximum is 4096"),
    Reply("", finish_reason="length"),
    Fault.NO_BODY,  # llama-cpp-python, where it streams
    Fault.EMPTY_STREAM,
]


@pytest.mark.parametrize("refusal", TOO_LONG, ids=str)
def test_a_request_that_is_too_long_is_known_by_the_words_of_every_server(refusal: Script) -> None:
    _, error, server = fail(refusal)
    assert isinstance(error, TooLongError)
    assert len(server.chats) == 1


def test_a_server_that_is_only_busy_may_speak_of_a_maximum() -> None:
    busy = Refusal(503, "The maximum of requests at a time is exceeded.", headers=(("retry-after", "0.02"),))
    with OpenAIServer(busy, "Here it is.") as server:
        assert hear(LanguageModel(settings_for(server.base_url))) == "Here it is."


# -- replies that are not whole ---------------------------------------------------------------

FAULTS: dict[str, tuple[Script, str]] = {
    "server gone": (Reply("It was", then=Fault.BROKEN_STREAM), "broke off its reply (the connection was lost)"),
    "half a stream": (Reply("It was", then=Fault.HALF_STREAM), "(it did not say that it was at the end): ask again"),
    # llama-cpp-python, where it drops a reply for the next request
    "no reason": (Reply("It was", finish_reason=None), "(it did not say that it was at the end): ask again"),
    "no UTF-8": (Reply("It was", then=Fault.INVALID_UTF8), "broke off its reply (it sent what cannot be read)"),
    "no JSON": (Reply("It was", then=Fault.INVALID_JSON), "broke off its reply (it sent what cannot be read)"),
    "error": (Reply("It was", then=Fault.ERROR_IN_STREAM), "broke off its reply (it reported an error): ask again"),
    "error as the reason": (Reply("It was", "error"), "broke off its reply (it reported an error): ask again"),
    "silence": (Reply("It was", then=Fault.SILENCE_IN_STREAM), "was silent for 0.4 seconds: ask again, or raise"),
    "content filter": (Reply("It was", "content_filter"), "stopped its reply: ask in other words"),
    "cut": (Reply("It was", "length"), "Its reply was cut at the length that"),
    "refusal": (Reply("It was", refusal="I cannot."), "It declined to answer: ask in other words"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_was_received_is_given_before_the_error_says_what_happened(fault: str) -> None:
    script, advice = FAULTS[fault]
    text, error, server = fail(script)
    assert text == "It was"
    assert advice in str(error)
    assert not isinstance(error, TooLongError)
    assert len(server.chats) == 1


@pytest.mark.parametrize("words", ["It was built in 1858.", "It was [3]", "Was it?\n", "“It was.”", "**It was!**"])
def test_a_reply_without_a_reason_to_end_is_whole_where_a_sentence_ends(words: str) -> None:
    with OpenAIServer(Reply(words, finish_reason=None)) as server:
        assert hear(LanguageModel(settings_for(server.base_url))) == words


@pytest.mark.parametrize("script", [Fault.NO_BODY, Fault.EMPTY_STREAM, Reply("", finish_reason="length")], ids=str)
def test_an_empty_reply_that_may_have_had_no_room_says_how_to_make_some(script: Script) -> None:
    _, error, _ = fail(script)
    assert "Its reply was empty: ask again" in str(error)
    assert "lower FOOTNOTE_EVIDENCE_TOKENS" in str(error)


def test_a_server_that_is_too_busy_to_list_its_models_need_not_be_asked_for_them() -> None:
    with OpenAIServer("It was.", models=Fault.SILENCE) as server:
        with pytest.raises(ModelError, match=r"when asked for its models: name one in FOOTNOTE_MODEL, or ask again"):
            LanguageModel(settings_for(server.base_url, model=None))
        assert hear(LanguageModel(settings_for(server.base_url))) == "It was."


def test_a_reply_that_was_all_thought_says_so() -> None:
    text, error, _ = fail(Reply("", "length", thoughts="Let me think. " * 20))
    assert text == ""
    assert "It thought for so long that no room was left for a reply" in str(error)
    assert not isinstance(error, TooLongError)


@pytest.mark.parametrize("thoughts", ["", "Hm."])
def test_an_empty_reply_says_so(thoughts: str) -> None:
    _, error, _ = fail(Reply("", thoughts=thoughts))
    assert str(error) == "Its reply was empty: ask again, or name another model in FOOTNOTE_MODEL."


@pytest.mark.parametrize("reply", ["words", "thoughts"])
def test_a_reply_without_an_end_is_ended(reply: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.writing.reply.LONGEST_REPLY_CHARACTERS", 500)
    script = Reply("" if reply == "words" else "<think>", then=Fault.ENDLESS)
    with OpenAIServer(script) as server:
        model = LanguageModel(settings_for(server.base_url, timeout_seconds=0.1))
        with pytest.raises(ModelError, match=r"was longer than 500 characters|went on without an end"):
            hear(model)
        assert server.hung_up.wait(2)


def test_an_answer_has_room() -> None:
    with OpenAIServer("x" * LONGEST_REPLY_CHARACTERS, delta_characters=400) as server:
        assert len(hear(LanguageModel(settings_for(server.base_url)))) == LONGEST_REPLY_CHARACTERS


def test_a_reply_of_too_many_bytes_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.connection.LONGEST_REPLY_BYTES", 20_000)
    text, error, server = fail(Reply("It was", thoughts="Hm. " * 1000, then=Fault.ENDLESS))
    assert text == ""
    assert "went on without an end" in str(error)
    assert server.hung_up.wait(2)


def test_signs_of_life_alone_are_no_reply() -> None:
    started = time.monotonic()
    _, error, server = fail(Fault.ENDLESS_PINGS, timeout_seconds=0.05)
    assert "went on without an end" in str(error)
    assert 0.5 <= time.monotonic() - started < 5
    assert len(server.chats) == 1


def test_a_caller_may_allow_less_time() -> None:
    with OpenAIServer(Fault.ENDLESS_PINGS) as server:
        model = LanguageModel(settings_for(server.base_url, timeout_seconds=30))
        started = time.monotonic()
        with pytest.raises(ModelError):
            hear(model, seconds=0.3)
        assert time.monotonic() - started < 3


@pytest.mark.parametrize("pieces", [1, 3])
def test_the_server_notices_at_once_when_nobody_listens_any_more(pieces: int) -> None:
    with OpenAIServer(Reply("It was", then=Fault.ENDLESS)) as server:
        stream = LanguageModel(settings_for(server.base_url)).stream("rules", "request")
        for _ in range(pieces):
            next(stream)
        assert not server.hung_up.is_set()
        stream.close()
        assert server.hung_up.wait(2)


# -- thoughts ---------------------------------------------------------------------------------


@pytest.mark.parametrize("delta_characters", [1, 5, 1000])
@pytest.mark.parametrize(
    "words", ["<think>Is it [3]?</think>It was.", "<think>\nIs\n</think>\n\nIt was.", "Is it [3]?\n</think>\nIt was."]
)
def test_thoughts_are_no_part_of_the_reply(words: str, delta_characters: int) -> None:
    with OpenAIServer(words, delta_characters=delta_characters) as server:
        model = LanguageModel(settings_for(server.base_url))
        assert hear(model).strip() == "It was."
    assert model.usage.first_token_seconds is not None


@pytest.mark.parametrize("field", ["reasoning_content", "reasoning"])
def test_the_fields_in_which_servers_send_thoughts_are_not_read(field: str) -> None:
    with OpenAIServer(Reply("It was.", thoughts="Is it [3]?", thoughts_field=field)) as server:
        assert hear(LanguageModel(settings_for(server.base_url))) == "It was."


def test_a_thought_is_not_the_first_word_and_not_silence() -> None:
    def think(_: object) -> str:
        time.sleep(0.25)
        return "<think>Hm.</think>It was."

    with OpenAIServer(think) as server:
        model = LanguageModel(settings_for(server.base_url))
        list(model.stream("rules", "request"))
    assert model.usage.first_token_seconds is not None
    assert 0.25 <= model.usage.first_token_seconds <= model.usage.seconds
    with OpenAIServer(Reply("<think>Hm.", "stop")) as server:
        model = LanguageModel(settings_for(server.base_url))
        with pytest.raises(ModelError, match="empty"):
            hear(model)
    assert model.usage.first_token_seconds is None


def test_usage_sums_up_all_that_was_asked() -> None:
    with OpenAIServer("It was.") as server:
        model = LanguageModel(settings_for(server.base_url))
        hear(model)
        once = model.usage
        hear(model)
    assert (once.prompt_tokens, once.completion_tokens) == (PROMPT_TOKENS, COMPLETION_TOKENS)
    assert (model.usage.prompt_tokens, model.usage.completion_tokens) == (2 * PROMPT_TOKENS, 2 * COMPLETION_TOKENS)
    assert model.usage.seconds > once.seconds


# -- keys and passwords -----------------------------------------------------------------------


def with_password(base_url: str) -> str:
    return base_url.replace("//", f"//user:{PASSWORD}@")


@pytest.mark.parametrize(
    "script", ["It was.", 401, 403, 404, 429, 500, Fault.CLOSED, Fault.SILENCE, Fault.INVALID_UTF8]
)
def test_neither_key_nor_password_is_shown_anywhere(script: Script, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    shown = ""
    with OpenAIServer(script) as server:
        settings = settings_for(with_password(server.base_url))
        try:
            hear(LanguageModel(settings))
        except ModelError as error:
            shown = str(error) + repr(error)
            assert error.__cause__ is None
            assert error.__suppress_context__
            assert server.base_url in str(error) or script is Fault.INVALID_UTF8
        assert {request.headers["authorization"][:6] for request in server.requests} == {"Basic "}
    assert not re.search(f"{KEY}|{PASSWORD}", shown + repr(settings) + caplog.text)


def test_no_connection_is_told_without_the_password(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for base_url in (
        f"http://user:{PASSWORD}@127.0.0.1:9/v1",
        f"user:{PASSWORD}@host",
        f"http://{PASSWORD}@[/v1",
    ):
        with pytest.raises(ModelError, match=r"No connection|is no language model's server") as raised:
            hear(LanguageModel(settings_for(base_url, model=None)))
        assert PASSWORD not in str(raised.value) + caplog.text


def test_what_follows_the_address_is_not_told() -> None:
    with pytest.raises(ModelError, match=r"No connection to http://127\.0\.0\.1:9/v1:"):
        hear(LanguageModel(settings_for(f"http://127.0.0.1:9/v1?key={PASSWORD}")))


# -- the list of models -----------------------------------------------------------------------


def test_a_server_that_does_not_list_its_models_costs_one_short_time_out() -> None:
    with OpenAIServer("It was.", models=Fault.SILENCE) as server:
        started = time.monotonic()
        with pytest.raises(ModelError, match=r"was silent for 0\.4 seconds"):
            LanguageModel(settings_for(server.base_url, model=None))
        assert 0.4 <= time.monotonic() - started < 3
        assert len(server.requests) == 1


def test_the_list_has_a_time_out_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.writing.server.LISTING_SECONDS", 0.2)
    with (
        OpenAIServer("It was.", models=Fault.SILENCE) as server,
        pytest.raises(ModelError, match=r"was silent for 0\.2 seconds"),
    ):
        LanguageModel(settings_for(server.base_url, model=None, timeout_seconds=60))


def test_a_list_of_models_without_an_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.writing.server.LISTING_SECONDS", 0.2)
    with (
        OpenAIServer("It was.", models=Fault.ENDLESS_PINGS) as server,
        pytest.raises(ModelError, match="went on without an end"),
    ):
        LanguageModel(settings_for(server.base_url, model=None))


def test_openais_own_server_is_asked_for_its_default_without_a_list() -> None:
    assert LanguageModel(settings_for(None, model=None)).name == DEFAULT_MODEL


@pytest.mark.parametrize(
    ("served", "others", "model"),
    [
        (["nomic-embed-text:latest", "qwen3:8b"], {}, "qwen3:8b"),
        (["bge-reranker-v2-m3", "bge-m3:latest", "qwen3:8b"], {"embedding": "bge-m3"}, "qwen3:8b"),
        (["a", "b", "c"], {"embedding": "a", "reranker": "b"}, "c"),
        (["local", "other"], {"embedding": "local:multilingual"}, "local"),
        (["nomic-embed-text:latest"], {}, "nomic-embed-text:latest"),
    ],
)
def test_the_first_model_that_writes_is_asked(served: list[str], others: dict[str, str], model: str) -> None:
    with OpenAIServer("It was.", models=served) as server:
        assert LanguageModel(settings_for(server.base_url, model=None, **others)).name == model


# -- how much it takes ------------------------------------------------------------------------

LLAMA = {"id": "named-model", "owned_by": "llamacpp", "meta": {"n_ctx_train": 131_072}}
OLLAMA = {"id": "named-model", "owned_by": "library"}
STUDIO = {"id": "named-model", "owned_by": "organization_owner"}


@pytest.mark.parametrize(
    ("model", "places", "context", "evidence"),
    [
        ({"id": "named-model", "owned_by": "vllm", "max_model_len": 65_536}, {}, 65_536, 6553),
        ({"id": "named-model", "context_length": 1_000_000}, {}, 1_000_000, 12_000),
        ({"id": "named-model", "context_window": 8192, "max_context_length": 32_768}, {}, 8192, 3000),
        ({"id": "named-model", "max_model_len": 2048}, {}, 2048, 1024),
        (LLAMA, {"/props": {"default_generation_settings": {"n_ctx": 40_960}}}, 40_960, 4096),
        (
            OLLAMA,
            {"/api/ps": {"models": [{"model": "a"}, {"model": "named-model", "context_length": 4096}]}},
            4096,
            2048,
        ),
        (STUDIO, {"/api/v0/models": {"data": [{"id": "named-model", "loaded_context_length": 50_000}]}}, 50_000, 5000),
        # nothing, or what nobody can believe
        (LLAMA, {}, None, 3000),
        (LLAMA, {"/props": []}, None, 3000),
        (LLAMA, {"/props": {"default_generation_settings": None}}, None, 3000),
        (OLLAMA, {"/api/ps": {"models": []}}, None, 3000),
        (OLLAMA, {"/api/ps": {"models": [7]}}, None, 3000),
        ({"id": "named-model", "owned_by": ["llamacpp"], "max_model_len": "65536"}, {}, None, 3000),
        ({"id": "named-model", "max_model_len": 10**30}, {}, None, 3000),
        ({"id": "named-model", "max_model_len": -1, "context_length": True}, {}, None, 3000),
        ({"id": "another", "max_model_len": 65_536}, {}, None, 3000),
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_the_evidence_goes_by_what_the_server_says_of_the_models_context(
    model: dict[str, Any], places: dict[str, Any], context: int | None, evidence: int, named: bool
) -> None:
    if not named and model["id"] == "another":
        return
    with OpenAIServer("Here.", models=[model, "a second"], places=places) as server:
        settings = settings_for(server.base_url, model="named-model" if named else None)
        assert Server(settings).context_tokens == context
        assert LanguageModel(settings).evidence_tokens == evidence
        assert LanguageModel(replace(settings, evidence_tokens=777)).evidence_tokens == 777


@pytest.mark.parametrize(
    "models", [404, 500, Fault.CLOSED, Fault.SILENCE, Fault.WEB_PAGE, Fault.NO_BODY, Fault.INVALID_JSON]
)
def test_a_server_that_does_not_say_what_its_model_takes_is_answered_with(models: Any) -> None:
    with OpenAIServer("Here it is.", models=models) as server:
        model = LanguageModel(settings_for(server.base_url))
        assert model.evidence_tokens == 3000
        assert hear(model) == "Here it is."


def test_what_openais_models_take_is_known() -> None:
    assert Server(settings_for(None, model="gpt-4o")).context_tokens == 128_000
    assert LanguageModel(settings_for(None, model="gpt-4o")).evidence_tokens == 12_000
    assert Server(settings_for(None, model="gpt-unheard-of")).context_tokens is None
