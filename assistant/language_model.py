"""The language model: any server that speaks the OpenAI chat protocol, through llama-index's classes.

The only module that talks to a model. Its errors are sentences; a key never stands in one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from assistant.answers import Usage
from index.errors import ModelError
from index.settings import Settings

DEFAULT_MODEL = "gpt-4.1-mini"
_CONTEXT_TOKENS = 8192  # what is taken for granted of a server that does not say


class LanguageModel:
    """The model that the settings name. `name` is what the server calls it.

    Raises ModelError where the server cannot be reached or refuses.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._server = settings.base_url or "the OpenAI server"
        self.name = ""  # until it is known, for the errors on the way
        self.name = settings.model or (self._first_served() if settings.base_url else DEFAULT_MODEL)
        self.usage = Usage(None, None, None, 0.0)

    def stream(self, rules: str, request: str) -> Iterator[str]:
        """The reply to one request, delta by delta; afterwards `usage` tells what it took."""
        from llama_index.core.llms import ChatMessage, MessageRole

        messages = [
            ChatMessage(role=MessageRole.SYSTEM, content=rules),
            ChatMessage(role=MessageRole.USER, content=request),
        ]
        started = time.monotonic()
        first: float | None = None
        counted: Any = None
        try:
            for response in self._replies(messages):
                counted = getattr(response.raw, "usage", None) or counted
                if response.delta:
                    first = first if first is not None else time.monotonic() - started
                    yield response.delta
        except Exception as error:
            raise self._explain(error) from error
        finally:
            self.usage = Usage(
                getattr(counted, "prompt_tokens", None),
                getattr(counted, "completion_tokens", None),
                first,
                time.monotonic() - started,
            )

    def _replies(self, messages: list[Any]) -> Iterator[Any]:
        import httpx
        import openai

        # A connection of our own, so that it ends with the reply, also where nobody waits for the rest of it.
        with httpx.Client(timeout=self._settings.timeout_seconds, follow_redirects=True) as connection:
            try:
                # Without being asked, a server counts no tokens; a strict one may refuse to be asked.
                counting = {"stream_options": {"include_usage": True}}
                yield from self._open(connection, counting).stream_chat(messages)
            except openai.BadRequestError:
                yield from self._open(connection, {}).stream_chat(messages)

    def _open(self, connection: Any, options: dict[str, Any]) -> Any:
        from llama_index.llms.openai import OpenAI
        from llama_index.llms.openai.utils import ALL_AVAILABLE_MODELS
        from llama_index.llms.openai_like import OpenAILike

        common: dict[str, Any] = {
            "model": self.name,
            "temperature": 0.0,
            "api_key": self._settings.api_key or "none",
            "timeout": self._settings.timeout_seconds,
            "max_retries": 1,
            "additional_kwargs": options,
            "http_client": connection,
        }
        if self._settings.base_url or self.name not in ALL_AVAILABLE_MODELS:
            return OpenAILike(
                **common,
                api_base=self._settings.base_url,
                is_chat_model=True,
                is_function_calling_model=False,
                context_window=_CONTEXT_TOKENS,
            )
        return OpenAI(**common)

    def _first_served(self) -> str:
        """The name of the first model that the server offers, so that a local server needs no setting."""
        import openai

        client = openai.OpenAI(
            api_key=self._settings.api_key or "none",
            base_url=self._settings.base_url,
            timeout=min(10.0, self._settings.timeout_seconds),
            max_retries=0,
        )
        try:
            with client:
                served = [model.id for model in client.models.list()]
        except openai.OpenAIError as error:
            raise self._explain(error) from error
        except (AttributeError, TypeError, ValueError) as error:
            # The client stumbles over what is no list of models: a web page, say.
            raise ModelError(
                f"What answers at {self._server} is no language model's server: check OPENAI_BASE_URL, which mostly "
                "ends in /v1."
            ) from error
        if not served:
            raise ModelError(f"The server at {self._server} offers no model: load one, or name it in FOOTNOTE_MODEL.")
        return served[0]

    def _explain(self, error: Exception) -> ModelError:
        import httpx
        import openai

        match error:
            case openai.AuthenticationError() | openai.PermissionDeniedError():
                return ModelError(f"The key was refused by {self._server}: check OPENAI_API_KEY.")
            case openai.NotFoundError() if not self.name:
                return ModelError(
                    f"{self._server} does not list its models: name one in FOOTNOTE_MODEL, or check OPENAI_BASE_URL, "
                    "which mostly ends in /v1."
                )
            case openai.NotFoundError():
                return ModelError(
                    f"{self._server} has no model {self.name!r}: check FOOTNOTE_MODEL and OPENAI_BASE_URL."
                )
            case openai.RateLimitError():
                return ModelError(
                    f"{self._server} is limiting requests, or the quota is used up: wait, then ask again.",
                    retry_helps=True,
                )
            case openai.APITimeoutError() | httpx.TimeoutException():
                seconds = f"{self._settings.timeout_seconds:g}"
                return ModelError(
                    f"{self._server} was silent for {seconds} seconds: ask again, or raise FOOTNOTE_TIMEOUT_SECONDS.",
                    retry_helps=True,
                )
            case openai.APIConnectionError():
                return ModelError(
                    f"No connection to {self._server}: check that it runs and that OPENAI_BASE_URL is right.",
                    retry_helps=True,
                )
            case openai.APIStatusError() if error.status_code >= 500:
                return ModelError(
                    f"{self._server} failed with error {error.status_code}: ask again, or look into the server's log.",
                    retry_helps=True,
                )
            case openai.APIStatusError():
                return ModelError(
                    f"{self._server} refused the request with error {error.status_code}: check FOOTNOTE_MODEL, or "
                    "lower FOOTNOTE_EVIDENCE_CHARACTERS where the model takes less text."
                )
        return ModelError(f"{self._server} broke off its reply ({type(error).__name__}): ask again.", retry_helps=True)
