"""The server of the language model, which speaks the OpenAI chat protocol: its client, and its errors in sentences.

The only module that talks to a model, through llama-index's classes. A key never stands in an error.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Generator, Mapping
from typing import Any

from index.documents import Progress
from index.errors import ModelError
from index.settings import Settings

DEFAULT_MODEL = "gpt-4.1-mini"
ATTEMPTS = 3  # in all, where a server is busy or a connection is lost
TOLD_WAIT_SECONDS = 2.0  # a wait that is shorter is not told of
LISTING_SECONDS = 5.0  # how long a server may take to say which models it has
CONTEXT_KEPT_SECONDS = 600.0  # how long it is not asked again how much a model takes
MOST_CONTEXT_TOKENS = 100_000_000  # a server that says more is not believed

_CONTEXT_TOKENS = 8192  # what is taken for granted of a server that does not say
_WRITES_NOT = re.compile(r"embed|rerank", re.IGNORECASE)
# What servers call a model's context in their list of models: vLLM and SGLang, OpenRouter and Together, Groq, Mistral.
_CONTEXT_FIELDS = ("max_model_len", "context_length", "context_window", "max_context_length")
# Where those servers tell it that do not in their list, by what they call themselves there: an address beside the
# API's, and the fields on the way; llama.cpp, Ollama (of a model that is loaded), LM Studio. The context that a model
# was trained with, which llama.cpp lists, says nothing of the one that it was given.
_CONTEXT_PLACES = {
    "llamacpp": ("/props", ("default_generation_settings", "n_ctx")),
    "library": ("/api/ps", ("models", "context_length")),
    "organization_owner": ("/api/v0/models", ("data", "loaded_context_length")),
}
_contexts: dict[tuple[str | None, str], tuple[float, int | None]] = {}  # by server and model, with when it was asked
_CONTEXT = re.compile(r"context", re.IGNORECASE)
_TOO_LONG = re.compile(r"context|too (?:long|large|many tokens)|maximum|exceed", re.IGNORECASE)
_PARAMETER = re.compile(r"stream_options|temperature|unsupported|unrecognized|unknown", re.IGNORECASE)


class Server:
    """The server that the settings name. `model` is what it calls the model that is asked.

    said_done: whether the last reply came to the protocol's own end.
    Raises ModelError where the server cannot be reached or refuses.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.address = (settings.server or "the OpenAI server").partition("?")[0]  # a key may follow
        self.said_done = False
        self._is_plain = False  # once the server has refused a parameter, it gets none that it may refuse
        self._served: list[dict[str, Any]] = []  # what it says of its models, once it was asked
        self.model = settings.model or (self._first_served() if settings.base_url else DEFAULT_MODEL)

    def respond(
        self, messages: list[Any], attempts: int, silent_seconds: float, total_seconds: float
    ) -> Generator[Any | Progress, None, None]:
        """llama-index's responses; what passes, or is refused for its parameters, is asked again before they begin.

        Raises one of `faults`, which `explain` turns into a sentence.
        """
        import openai

        from index.connection import connect

        # A connection of our own, so that it ends with the reply, also where nobody waits for the rest of it.
        with connect(self._settings.base_url, silent_seconds, total_seconds) as connection:
            attempt = 1
            while True:
                has_begun = False
                # Without being asked, a server counts no tokens.
                counting = {"stream_options": {"include_usage": True}}
                parameters = {"temperature": openai.omit} if self._is_plain else counting
                client = self._open(connection)
                try:
                    for response in client.stream_chat(messages, timeout=connection.timeout, **parameters):
                        has_begun = has_begun or bool(response.delta)
                        yield response
                    self.said_done = connection.said_done
                    return
                except faults() as error:
                    if has_begun:
                        raise
                    if _refuses_parameters(error) and not self._is_plain:
                        self._is_plain = True
                        continue
                    wait = _find_wait(error, attempt)
                    if wait is None or attempt == attempts:
                        raise
                attempt += 1
                if wait >= TOLD_WAIT_SECONDS:
                    yield Progress(f"{self.address} is busy: asking again in {wait:.0f} seconds")
                time.sleep(wait)

    def _open(self, connection: Any) -> Any:
        from llama_index.llms.openai import OpenAI
        from llama_index.llms.openai.utils import ALL_AVAILABLE_MODELS
        from llama_index.llms.openai_like import OpenAILike

        common: dict[str, Any] = {
            "model": self.model,
            "temperature": 0.0,
            "api_key": self._settings.api_key or "none",
            "max_retries": 0,  # its own and the client's multiply, are not bounded in time and are not told of
            "http_client": connection,
        }
        if self._settings.base_url or self.model not in ALL_AVAILABLE_MODELS:
            return OpenAILike(
                **common,
                api_base=self._settings.server,
                is_chat_model=True,
                is_function_calling_model=False,
                context_window=_CONTEXT_TOKENS,
            )
        return OpenAI(**common)

    @property
    def context_tokens(self) -> int | None:
        """How many tokens the model takes, with those that it writes; None where nobody says."""
        key = (self._settings.base_url, self.model)
        asked_at, tokens = _contexts.get(key, (-math.inf, None))
        if time.monotonic() - asked_at > CONTEXT_KEPT_SECONDS:
            tokens = self._find_context()
            _contexts[key] = (time.monotonic(), tokens)
        return tokens

    def _find_context(self) -> int | None:
        """The same, asked anew."""
        if not self._settings.base_url:
            from llama_index.llms.openai.utils import openai_modelname_to_contextsize

            try:
                return _read_tokens(openai_modelname_to_contextsize(self.model))
            except ValueError:
                return None
        try:
            listed = self._served or self._list_served()
            model = next((model for model in listed if model.get("id") == self.model), {})
            if told := [tokens for name in _CONTEXT_FIELDS if (tokens := _read_tokens(model.get(name)))]:
                return min(told)
            return self._ask_for_context(model)
        except faults() + (LookupError, StopIteration, RecursionError):  # noqa: RUF005
            return None  # which is no reason not to answer

    def _ask_for_context(self, model: Mapping[str, Any]) -> int | None:
        """The same, asked of a server that has a place of its own for it."""
        from index.connection import connect

        owner = model.get("owned_by")
        if not isinstance(owner, str) or owner not in _CONTEXT_PLACES:
            return None
        place, (outer, inner) = _CONTEXT_PLACES[owner]
        seconds = min(LISTING_SECONDS, self._settings.timeout_seconds)
        headers = {"authorization": f"Bearer {self._settings.api_key or 'none'}"}
        with connect(self._settings.base_url, seconds, seconds) as connection:
            told = connection.get(self.address.rstrip("/").removesuffix("/v1") + place, headers=headers).json()[outer]
        if isinstance(told, list):
            told = next(one for one in told if self.model in (one.get("id"), one.get("model")))
        return _read_tokens(told.get(inner))

    def _first_served(self) -> str:
        """The first model that the server offers and that writes, so that a local server needs no setting."""
        self._served = self._list_served()
        if not self._served:
            raise ModelError(f"The server at {self.address} offers no model: load one, or name it in FOOTNOTE_MODEL.")
        return next(iter(self._find_writing()), str(self._served[0].get("id")))

    def list_writing(self) -> list[str]:
        """The names of the models that the server offers and that write. Raises ModelError."""
        self._served = self._list_served()
        return self._find_writing()

    def _find_writing(self) -> list[str]:
        served = [str(model.get("id")) for model in self._served]
        others = {self._settings.embedding, self._settings.reranker}
        # Ollama adds a tag to the names.
        return [n for n in served if not _WRITES_NOT.search(n) and others.isdisjoint((n, n.partition(":")[0]))]

    def _list_served(self) -> list[dict[str, Any]]:
        """What the server says of each model that it offers. Raises ModelError."""
        import httpx
        import openai

        from index.connection import connect

        seconds = min(LISTING_SECONDS, self._settings.timeout_seconds)
        try:
            with (
                connect(self._settings.base_url, seconds, seconds) as connection,
                openai.OpenAI(
                    api_key=self._settings.api_key or "none",
                    base_url=self._settings.server,
                    timeout=connection.timeout,
                    max_retries=0,
                    http_client=connection,
                ) as client,
            ):
                return [
                    {**(model.model_extra or {}), "id": model.id, "owned_by": getattr(model, "owned_by", "")}
                    for model in client.models.list()
                ]
        except (ModelError, openai.OpenAIError, httpx.InvalidURL) as error:
            raise explain(error, self.address, "", seconds) from None
        except (AttributeError, TypeError, ValueError):
            # The client stumbles over what is no list of models: a web page, say.
            raise ModelError(
                f"What answers at {self.address} is no language model's server: check OPENAI_BASE_URL, which mostly "
                "ends in /v1."
            ) from None


def faults() -> tuple[type[Exception], ...]:
    """What the client raises: its own errors, the connection's, and what it stumbles over in a strange reply."""
    import httpx
    import openai

    return ModelError, openai.OpenAIError, httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError, AttributeError


def explain(error: Exception, address: str, model: str, silent_seconds: float) -> ModelError:
    """What one of `faults` means for a user.

    model: the name of the one that was asked; "" where the server was asked for its models. silent_seconds: how long
    it may say nothing.
    """
    import httpx
    import openai

    from index.connection import EndlessReplyError, read_wait

    if isinstance(error.__cause__, EndlessReplyError):
        error = error.__cause__
    match error:
        case ModelError():
            return error
        case openai.AuthenticationError() | openai.PermissionDeniedError():
            return ModelError(f"The key was refused by {address}: check OPENAI_API_KEY.")
        case openai.NotFoundError() if not model:
            return ModelError(
                f"{address} does not list its models: name one in FOOTNOTE_MODEL, or check OPENAI_BASE_URL, "
                "which mostly ends in /v1."
            )
        case openai.NotFoundError():
            return ModelError(f"{address} has no model {model!r}: check FOOTNOTE_MODEL and OPENAI_BASE_URL.")
        case openai.RateLimitError():
            asked = read_wait(error.response.headers)
            wait = f"wait {asked:.0f} seconds" if asked and math.isfinite(asked) else "wait"
            return ModelError(
                f"{address} is limiting requests, or the quota is used up: {wait}, then ask again.",
                retry_helps=True,
            )
        case openai.APITimeoutError() if not model:
            # A server that makes one reply at a time says nothing before that is done.
            return ModelError(
                f"{address} was silent for {silent_seconds:g} seconds when asked for its models: name one in "
                "FOOTNOTE_MODEL, or ask again.",
                retry_helps=True,
            )
        case openai.APITimeoutError() | httpx.TimeoutException():
            return ModelError(
                f"{address} was silent for {silent_seconds:g} seconds: ask again, or raise FOOTNOTE_TIMEOUT_SECONDS.",
                retry_helps=True,
            )
        case EndlessReplyError():
            return ModelError(f"{address} went on without an end: ask again, or name another model.")
        case httpx.InvalidURL():
            return ModelError(
                f"No connection to {address}: give OPENAI_BASE_URL an address like http://127.0.0.1:8080/v1."
            )
        case openai.APIConnectionError() | httpx.ConnectError():
            return ModelError(
                f"No connection to {address}: check that it runs and that OPENAI_BASE_URL is right.",
                retry_helps=True,
            )
        case openai.APIStatusError() if 300 <= error.status_code < 400:
            return ModelError(f"{address} sends elsewhere: give OPENAI_BASE_URL the address where it now is.")
        case openai.APIStatusError() if error.status_code >= 500:
            return ModelError(
                f"{address} failed with error {error.status_code}: ask again, or look into the server's log.",
                retry_helps=True,
            )
        case openai.APIStatusError():
            return ModelError(
                f"{address} refused the request with error {error.status_code}: check FOOTNOTE_MODEL, or "
                "look into the server's log."
            )
        case httpx.TransportError():
            return break_off(address, "the connection was lost")
        case openai.APIError():
            return break_off(address, "it reported an error")
    return break_off(address, "it sent what cannot be read")


def break_off(address: str, why: str) -> ModelError:
    """The error of a reply that is not whole."""
    return ModelError(f"{address} broke off its reply ({why}): ask again.", retry_helps=True)


def is_too_long(error: Exception) -> bool:
    """Whether a server means that the request does not fit its model's context: each says so in other words."""
    import openai

    status = getattr(error, "status_code", 400)
    if not isinstance(error, openai.APIError) or isinstance(error, openai.APIConnectionError):
        return False
    if status in (401, 403, 404, 429) or _PARAMETER.search(f"{error.param} {error.message}"):
        return False
    # A server that is only busy may speak of a maximum too.
    words = _TOO_LONG if status < 500 else _CONTEXT
    return bool(words.search(f"{error.code} {error.message}"))


def _refuses_parameters(error: Exception) -> bool:
    import openai

    return isinstance(error, (openai.BadRequestError, openai.UnprocessableEntityError)) and not is_too_long(error)


def _find_wait(error: Exception, attempt: int) -> float | None:
    """The seconds after which to try again, or None where that is of no use."""
    import httpx
    import openai

    from index.connection import choose_wait, read_wait

    if isinstance(error, openai.APIStatusError):
        passes = error.status_code == 429 or error.status_code >= 500
        if not passes or error.code == "insufficient_quota" or is_too_long(error):
            return None
        return choose_wait(attempt, read_wait(error.response.headers))
    # A lost connection, before the reply or in it; silence has already taken its time.
    lost = error.__cause__ if isinstance(error, openai.APIConnectionError) else error
    return choose_wait(attempt) if isinstance(lost, (httpx.NetworkError, httpx.RemoteProtocolError)) else None


def _read_tokens(told: object) -> int | None:
    """A number of tokens that a server tells, where it is one."""
    return told if type(told) is int and 0 < told <= MOST_CONTEXT_TOKENS else None
