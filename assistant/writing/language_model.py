"""The language model: any server that speaks the OpenAI chat protocol, through llama-index's classes.

The only module that talks to a model. Its errors are sentences; a key never stands in one.
"""

from __future__ import annotations

import math
import random
import re
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

from assistant.answers import Usage
from assistant.writing.thoughts import Thoughts
from assistant.writing.tokens import open_counter
from index.documents import Progress
from index.errors import ModelError
from index.settings import Settings

DEFAULT_MODEL = "gpt-4.1-mini"
ATTEMPTS = 3  # in all, where a server is busy or a connection is lost
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.5, 20.0
TOLD_WAIT_SECONDS = 2.0  # a wait that is shorter is not told of
LISTING_SECONDS = 5.0  # how long a server may take to say which models it has
LONGEST_REPLY_CHARACTERS = 20_000
LONGEST_REPLY_TIMEOUTS = 10  # how many times the timeout a whole reply may take

_CONTEXT_TOKENS = 8192  # what is taken for granted of a server that does not say
_CONTEXT = re.compile(r"context", re.IGNORECASE)
_UNFINISHED = re.compile(r"[\w,;([–—-]")  # what a reply does not end with
_TOO_LONG = re.compile(r"context|too (?:long|large|many tokens)|maximum|exceed", re.IGNORECASE)
_PARAMETER = re.compile(r"stream_options|temperature|unsupported|unrecognized|unknown", re.IGNORECASE)


class TooLongError(ModelError):
    """The model takes less text than it was sent; it replied nothing."""


@dataclass(frozen=True, slots=True)
class ThoughtsOver:
    """What the reply has given so far was the model thinking aloud, and is to be forgotten."""


Piece = str | ThoughtsOver | Progress


class LanguageModel:
    """The model that the settings name. `name` is what the server calls it; `usage` sums up all that it was asked.

    Raises ModelError where the server cannot be reached or refuses.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._server = (settings.server or "the OpenAI server").partition("?")[0]  # a key may follow
        self._said_done = False  # whether the last reply came to the protocol's own end
        self._is_plain = False  # once the server has refused a parameter, it gets none that it may refuse
        self.name = ""  # until it is known, for the errors on the way
        self.name = settings.model or (self._first_served() if settings.base_url else DEFAULT_MODEL)
        self.usage = Usage(None, None, None, 0.0)

    @cached_property
    def count_tokens(self) -> Callable[[str], int]:
        """The tokens that the model makes of a text, or an estimate of them."""
        return open_counter(self.name)

    def stream(
        self, rules: str, request: str, *, attempts: int = ATTEMPTS, seconds: float | None = None
    ) -> Generator[Piece, None, None]:
        """The reply to one request, piece by piece and without the model's thoughts; Progress while it waits.

        seconds: the most that the reply may take; by default ten times the timeout.
        Raises TooLongError, or ModelError where the reply is not whole: what was given before stands.
        """
        from llama_index.core.llms import ChatMessage, MessageRole

        messages = [
            ChatMessage(role=MessageRole.SYSTEM, content=rules),
            ChatMessage(role=MessageRole.USER, content=request),
        ]
        total_seconds = seconds or self._settings.timeout_seconds * LONGEST_REPLY_TIMEOUTS
        silent_seconds = min(total_seconds, self._settings.timeout_seconds)
        started = time.monotonic()
        first: float | None = None
        thoughts, ending = Thoughts(), _Ending()
        try:
            with closing(self._ask(messages, attempts, silent_seconds, total_seconds)) as responses:
                for response in responses:
                    if isinstance(response, Progress):
                        yield response
                        continue
                    ending.note(response)
                    text = thoughts.feed(response.delta or "")
                    if thoughts.all_before:
                        ending.forget()
                        yield ThoughtsOver()
                    if text.strip():
                        first = first or time.monotonic() - started
                    yield from ending.add(text)
            yield from ending.add(thoughts.finish())
        except _faults() as error:
            if not ending.has_begun and _is_too_long(error):
                raise TooLongError(
                    f"The passages are too long for {self.name}: lower FOOTNOTE_EVIDENCE_TOKENS, or give the model a "
                    "larger context."
                ) from None
            # Not "from error", which may repeat the key.
            raise self._explain(error, silent_seconds) from None
        finally:
            self._count(ending.usage, first, time.monotonic() - started)
        if fault := self._find_fault(ending):
            raise fault

    def ask(self, rules: str, request: str, *, seconds: float, most_characters: int) -> str:
        """The reply to one short request, asked once; what is longer is cut off.

        Raises ModelError as `stream` does.
        """
        written, first_token_seconds = "", self.usage.first_token_seconds
        with closing(self.stream(rules, request, attempts=1, seconds=seconds)) as pieces:
            for piece in pieces:
                written = written + piece if isinstance(piece, str) else ""
                if len(written) > most_characters:
                    written = written[:most_characters]
                    break
        # That of the answer is what a user waited for.
        self.usage = replace(self.usage, first_token_seconds=first_token_seconds)
        return written

    def _ask(
        self, messages: list[Any], attempts: int, silent_seconds: float, total_seconds: float
    ) -> Generator[Any | Progress, None, None]:
        """llama-index's responses; what passes, or is refused for its parameters, is asked again before they begin."""
        import openai

        from assistant.writing.connection import connect

        # A connection of our own, so that it ends with the reply, also where nobody waits for the rest of it.
        with connect(self._settings.base_url, silent_seconds, total_seconds) as connection:
            attempt = 1
            while True:
                has_begun = False
                # Without being asked, a server counts no tokens.
                counting = {"stream_options": {"include_usage": True}}
                parameters = {"temperature": openai.omit} if self._is_plain else counting
                model = self._open(connection)
                try:
                    for response in model.stream_chat(messages, timeout=connection.timeout, **parameters):
                        has_begun = has_begun or bool(response.delta)
                        yield response
                    self._said_done = connection.said_done
                    return
                except _faults() as error:
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
                    yield Progress(f"{self._server} is busy: asking again in {wait:.0f} seconds")
                time.sleep(wait)

    def _open(self, connection: Any) -> Any:
        from llama_index.llms.openai import OpenAI
        from llama_index.llms.openai.utils import ALL_AVAILABLE_MODELS
        from llama_index.llms.openai_like import OpenAILike

        common: dict[str, Any] = {
            "model": self.name,
            "temperature": 0.0,
            "api_key": self._settings.api_key or "none",
            "max_retries": 0,  # its own and the client's multiply, are not bounded in time and are not told of
            "http_client": connection,
        }
        if self._settings.base_url or self.name not in ALL_AVAILABLE_MODELS:
            return OpenAILike(
                **common,
                api_base=self._settings.server,
                is_chat_model=True,
                is_function_calling_model=False,
                context_window=_CONTEXT_TOKENS,
            )
        return OpenAI(**common)

    def _first_served(self) -> str:
        """The name of the first model that the server offers, so that a local server needs no setting."""
        import httpx
        import openai

        from assistant.writing.connection import connect

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
                served = [model.id for model in client.models.list()]
        except (ModelError, openai.OpenAIError, httpx.InvalidURL) as error:
            raise self._explain(error, seconds) from None
        except (AttributeError, TypeError, ValueError):
            # The client stumbles over what is no list of models: a web page, say.
            raise ModelError(
                f"What answers at {self._server} is no language model's server: check OPENAI_BASE_URL, which mostly "
                "ends in /v1."
            ) from None
        if not served:
            raise ModelError(f"The server at {self._server} offers no model: load one, or name it in FOOTNOTE_MODEL.")
        return served[0]

    def _count(self, usage: Any, first_token_seconds: float | None, seconds: float) -> None:
        def add(before: int | None, more: int | None) -> int | None:
            return before if more is None else (before or 0) + more

        self.usage = Usage(
            add(self.usage.prompt_tokens, getattr(usage, "prompt_tokens", None)),
            add(self.usage.completion_tokens, getattr(usage, "completion_tokens", None)),
            first_token_seconds,
            self.usage.seconds + seconds,
        )

    # -- what went wrong --------------------------------------------------------------------------

    def _find_fault(self, ending: _Ending) -> ModelError | None:
        """Why a reply that ended in order is not whole, or None."""
        if ending.declined:
            return ModelError("It declined to answer: ask in other words, or name another model in FOOTNOTE_MODEL.")
        match ending.reason:
            case "content_filter":
                return ModelError(f"The content filter of {self._server} stopped its reply: ask in other words.")
            case "length" if ending.characters:
                return ModelError(
                    f"Its reply was cut at the length that {self._server} allows: ask for less, or raise the limit "
                    "there."
                )
            case "length" if ending.has_begun:
                return ModelError(
                    "It thought for so long that no room was left for a reply: raise the server's limit, or name "
                    "another model in FOOTNOTE_MODEL."
                )
            case "error":
                return self._break_off("it reported an error")
        if not ending.characters:
            # A server may end a stream before it begins where the request fills its model's context.
            empty = "Its reply was empty: ask again, or name another model in FOOTNOTE_MODEL."
            if ending.reason in (None, "length") and not ending.has_begun:
                advice = "If the model takes little text, lower FOOTNOTE_EVIDENCE_TOKENS."
                return TooLongError(f"{empty} {advice}", retry_helps=True)
            return ModelError(empty, retry_helps=True)
        # Some servers never give a reason, and others say "[DONE]" too where they drop a reply for the next request.
        is_whole = ending.reason is not None or (self._said_done and not _UNFINISHED.match(ending.last))
        return None if is_whole else self._break_off("it did not say that it was at the end")

    def _break_off(self, why: str) -> ModelError:
        return ModelError(f"{self._server} broke off its reply ({why}): ask again.", retry_helps=True)

    def _explain(self, error: Exception, silent_seconds: float) -> ModelError:
        import httpx
        import openai

        from assistant.writing.connection import EndlessReplyError

        if isinstance(error.__cause__, EndlessReplyError):
            error = error.__cause__
        match error:
            case ModelError():
                return error
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
                asked = _read_wait(error.response.headers)
                wait = f"wait {asked:.0f} seconds" if asked and math.isfinite(asked) else "wait"
                return ModelError(
                    f"{self._server} is limiting requests, or the quota is used up: {wait}, then ask again.",
                    retry_helps=True,
                )
            case openai.APITimeoutError() if not self.name:
                # A server that makes one reply at a time says nothing before that is done.
                return ModelError(
                    f"{self._server} was silent for {silent_seconds:g} seconds when asked for its models: name one in "
                    "FOOTNOTE_MODEL, or ask again.",
                    retry_helps=True,
                )
            case openai.APITimeoutError() | httpx.TimeoutException():
                return ModelError(
                    f"{self._server} was silent for {silent_seconds:g} seconds: ask again, or raise "
                    "FOOTNOTE_TIMEOUT_SECONDS.",
                    retry_helps=True,
                )
            case EndlessReplyError():
                return ModelError(f"{self._server} went on without an end: ask again, or name another model.")
            case httpx.InvalidURL():
                return ModelError(
                    f"No connection to {self._server}: give OPENAI_BASE_URL an address like http://127.0.0.1:8080/v1."
                )
            case openai.APIConnectionError() | httpx.ConnectError():
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
                    "look into the server's log."
                )
            case httpx.TransportError():
                return self._break_off("the connection was lost")
            case openai.APIError():
                return self._break_off("it reported an error")
        return self._break_off("it sent what cannot be read")


@dataclass(slots=True)
class _Ending:
    """What is known of a reply when it ends. characters: of its text. has_begun: whether it even thought.

    last: the last character that is no white space. taken: all characters, but for those that were thoughts after all.
    """

    characters: int = 0
    taken: int = 0
    has_forgotten: bool = False
    last: str = ""
    has_begun: bool = False
    reason: str | None = None
    declined: bool = False
    usage: Any = None

    def add(self, text: str) -> Iterator[str]:
        """What may be given of a further piece. Raises ModelError where the reply is too long."""
        text, rest = text[: LONGEST_REPLY_CHARACTERS - self.taken], text[LONGEST_REPLY_CHARACTERS - self.taken :]
        self.taken += len(text)
        if text.strip():
            self.characters += len(text)
            self.last = text.rstrip()[-1]
        if text:
            yield text
        if rest:
            raise ModelError(f"Its reply was longer than {LONGEST_REPLY_CHARACTERS:,} characters.")

    def forget(self) -> None:
        """Begin anew: what has come was a thought. The room that it took is given back once."""
        self.characters = 0
        if not self.has_forgotten:
            self.taken, self.has_forgotten = 0, True

    def note(self, response: Any) -> None:
        self.has_begun |= bool(response.delta or response.additional_kwargs.get("thinking_delta"))
        self.usage = getattr(response.raw, "usage", None) or self.usage
        for choice in getattr(response.raw, "choices", None) or ():
            self.reason = choice.finish_reason or self.reason
            self.declined |= bool(getattr(choice.delta, "refusal", None))


def _faults() -> tuple[type[Exception], ...]:
    """What the client raises: its own errors, the connection's, and what it stumbles over in a strange reply."""
    import httpx
    import openai

    return ModelError, openai.OpenAIError, httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError, AttributeError


def _is_too_long(error: Exception) -> bool:
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

    return isinstance(error, (openai.BadRequestError, openai.UnprocessableEntityError)) and not _is_too_long(error)


def _find_wait(error: Exception, attempt: int) -> float | None:
    """The seconds after which to try again, or None where that is of no use."""
    import httpx
    import openai

    # Chance keeps clients from asking again all at once; nobody gains by foreseeing it.
    spread = random.uniform(0.0, 1.0)  # noqa: S311
    wait = FIRST_WAIT_SECONDS * 2.0 ** (attempt - 1) * (1 - spread / 2)
    if isinstance(error, openai.APIStatusError):
        passes = error.status_code == 429 or error.status_code >= 500
        if not passes or error.code == "insufficient_quota" or _is_too_long(error):
            return None
        asked = _read_wait(error.response.headers)
        if asked is None:
            return wait
        return asked * (1 + spread / 10) if asked <= LONGEST_WAIT_SECONDS else None
    # A lost connection, before the reply or in it; silence has already taken its time.
    lost = error.__cause__ if isinstance(error, openai.APIConnectionError) else error
    return wait if isinstance(lost, (httpx.NetworkError, httpx.RemoteProtocolError)) else None


def _read_wait(headers: Mapping[str, str]) -> float | None:
    """The seconds to wait that a Retry-After header tells, as a number or as a date."""
    told = headers.get("retry-after", "")
    try:
        seconds = float(told)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(told).timestamp() - time.time()
        except (ValueError, TypeError, OverflowError):
            return None
    return None if math.isnan(seconds) else max(0.0, seconds)
