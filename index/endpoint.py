"""A model on a server that is sent JSON and answers with JSON: an embedding, a reranker.

What answers is bounded in size and time, a busy server is asked again, and each error is a sentence, in which neither a
key nor a word of the server's stands.

But: it follows no redirect, or texts would go where no setting says.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Self

from index.errors import ModelError
from index.settings import LOCAL_EMBEDDING, LOCAL_PREFIX, Settings, hide_password

if TYPE_CHECKING:
    from types import TracebackType

    import httpx

OPENAI_URL = "https://api.openai.com/v1"
MOST_REFUSAL_BYTES = 64_000  # of which only its kind is read
MOST_SILENCES = 5  # in all, as long as the one that the settings allow

_TOO_LONG = re.compile(r"context|too (?:long|large|many tokens)|maximum|exceed|must have less than", re.IGNORECASE)
_TOO_LONG_FAILING = re.compile(r"context|too (?:long|large)|batch size", re.IGNORECASE)  # with a status of 500


class RefusedError(ModelError):
    """The server does not take what was sent, which another form of it may change.

    is_unknown: it has nothing there. is_too_long: it says that a text, or all of them, are more than it reads.
    """

    def __init__(self, message: str, *, is_unknown: bool, is_too_long: bool) -> None:
        super().__init__(message)
        self.is_unknown = is_unknown
        self.is_too_long = is_too_long


@dataclass(frozen=True, slots=True)
class Served:
    """A model of a server, and the variables that name it.

    kind: what it is, for messages: "embedding model". attempts: how often a busy server is asked in all.
    """

    kind: str
    model: str
    url: str = field(repr=False)  # may hold a password
    key: str | None = field(repr=False)
    silent_seconds: float
    attempts: int
    setting: str
    url_setting: str
    key_setting: str

    @property
    def address(self) -> str:
        """The server's address as it may be shown."""
        return hide_password(self.url).partition("?")[0]

    def __str__(self) -> str:
        return f"the {self.kind} {self.model!r} at {self.address}"


def find_embedding(settings: Settings) -> Served | None:
    """The server's model that the settings name for embedding; None where no server does."""
    url = settings.embedding_url or settings.base_url
    key = settings.embedding_key or (None if settings.embedding_url else settings.api_key)
    if settings.embedding == LOCAL_EMBEDDING or settings.embedding.startswith(LOCAL_PREFIX) or not (url or key):
        return None
    return Served(
        "embedding model",
        settings.embedding,
        url or OPENAI_URL,
        key,
        settings.timeout_seconds,
        4,
        "FOOTNOTE_EMBEDDING",
        "FOOTNOTE_EMBEDDING_URL" if settings.embedding_url or not settings.base_url else "OPENAI_BASE_URL",
        "FOOTNOTE_EMBEDDING_KEY" if settings.embedding_url or settings.embedding_key else "OPENAI_API_KEY",
    )


def find_reranker(settings: Settings) -> Served | None:
    """The server's model that the settings name for ordering passages; None where no server does."""
    url = settings.reranker_url or settings.base_url
    if not settings.reranker or not url:
        return None
    return Served(
        "reranker",
        settings.reranker,
        url,
        settings.reranker_key or (None if settings.reranker_url else settings.api_key),
        min(settings.timeout_seconds, 30.0),  # a person waits, and can do without
        2,
        "FOOTNOTE_RERANKER",
        "FOOTNOTE_RERANKER_URL" if settings.reranker_url else "OPENAI_BASE_URL",
        "FOOTNOTE_RERANKER_KEY" if settings.reranker_url or settings.reranker_key else "OPENAI_API_KEY",
    )


class Endpoint:
    """A connection to a server's model, open while its `with` block lasts.

    Raises ModelError where the address is none, or the environment's proxy or certificates cannot be used.
    """

    def __init__(self, served: Served) -> None:
        import httpx

        from index.connection import connect

        self.served = served
        seconds = served.silent_seconds
        try:
            self._connection = connect(served.url, seconds, MOST_SILENCES * seconds)
        except httpx.InvalidURL:
            raise ModelError(
                f"No connection to {served}: give {served.url_setting} an address like http://127.0.0.1:8080/v1."
            ) from None
        # What is not compressed is as large as it looks.
        self._connection.headers = httpx.Headers({"accept-encoding": "identity", "user-agent": "footnote"})
        if served.key:
            self._connection.headers["authorization"] = f"Bearer {served.key}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def ask(self, url: str, body: Mapping[str, object]) -> Any:
        """What the server answers, read as JSON; one that is busy, or whose connection is lost, is asked again.

        Raises RefusedError where it does not take what is sent, ModelError where anything else is wrong.
        """
        import httpx

        from index.connection import choose_wait

        content = json.dumps(body, ensure_ascii=False).encode(errors="replace")
        for attempt in count(1):
            try:
                status, asked, answer = self._send(url, content)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                failure = self._explain_lost(error)
                # Silence has already taken its time.
                is_lost = isinstance(error, httpx.NetworkError | httpx.RemoteProtocolError)
                wait = choose_wait(attempt) if is_lost else None
            else:
                if 200 <= status < 300:
                    return self._read(answer)
                failure = self._explain_status(status, asked, answer)
                passes = (status == 429 or status >= 500) and not isinstance(failure, RefusedError)
                wait = choose_wait(attempt, asked) if passes and b"insufficient_quota" not in answer else None
            if wait is None or attempt >= self.served.attempts:
                raise failure from None
            time.sleep(wait)
        raise AssertionError  # the loop has no end of its own

    def misread(self, what: str) -> ModelError:
        """The error of an answer that is not what it should be. what: it is, in words."""
        served = self.served
        return ModelError(
            f"{self._name()} answered with {what}: check {served.setting} and {served.url_setting}, or look into the "
            "server's log."
        )

    def _send(self, url: str, content: bytes) -> tuple[int, float | None, bytes]:
        """The status, the seconds that the server asks to wait, and the bytes of what it answers."""
        import httpx

        from index.connection import read_wait

        headers = {"content-type": "application/json"}
        auth = None if self.served.key else httpx.USE_CLIENT_DEFAULT  # a key counts before a password
        answer = bytearray()
        with self._connection.stream("POST", url, content=content, headers=headers, auth=auth) as response:
            is_well = 200 <= response.status_code < 300
            if is_well and response.headers.get("content-encoding", "identity") != "identity":
                raise self.misread("what is compressed, which was not asked for")
            for piece in response.iter_raw():
                answer += piece
                if not is_well and len(answer) > MOST_REFUSAL_BYTES:
                    break
            return response.status_code, read_wait(response.headers), bytes(answer)

    def _read(self, answer: bytes) -> Any:
        try:
            return json.loads(answer)
        except (ValueError, RecursionError):
            raise self.misread("what is no JSON") from None

    def _name(self) -> str:
        name = str(self.served)
        return name[:1].upper() + name[1:]

    def _explain_lost(self, error: httpx.HTTPError | httpx.InvalidURL) -> ModelError:
        import httpx

        from index.connection import EndlessReplyError

        served, name = self.served, self._name()
        match error:
            case EndlessReplyError():
                return ModelError(f"{name} went on without an end: look into the server's log, or name another model.")
            case httpx.ConnectError() | httpx.ConnectTimeout():
                return ModelError(
                    f"No connection to {served}: check that it runs and that {served.url_setting} is right.",
                    retry_helps=True,
                )
            case httpx.TimeoutException():
                return ModelError(
                    f"{name} was silent for {served.silent_seconds:g} seconds: ask again, or raise "
                    "FOOTNOTE_TIMEOUT_SECONDS.",
                    retry_helps=True,
                )
        return ModelError(f"{name} broke off its answer: ask again, or look into the server's log.", retry_helps=True)

    def _explain_status(self, status: int, asked: float | None, answer: bytes) -> ModelError:
        served, name = self.served, self._name()
        if status in (401, 403):
            return ModelError(f"{served.address} refused the key for its {served.kind}: check {served.key_setting}.")
        if status == 429:
            wait = f"wait {asked:.0f} seconds" if asked and math.isfinite(asked) else "wait"
            return ModelError(
                f"{name} is limited in its requests, or the quota is used up: {wait}, then ask again.",
                retry_helps=True,
            )
        if 300 <= status < 400:
            return ModelError(
                f"{name} is said to be elsewhere, where nothing was sent: give {served.url_setting} the address that "
                "answers itself."
            )
        words = answer.decode(errors="replace")
        is_too_long = bool((_TOO_LONG if status < 500 else _TOO_LONG_FAILING).search(words)) or status == 413
        if status in (404, 405):
            return RefusedError(
                f"{served.address} has no {served.kind} {served.model!r}: load it there, or check {served.setting} and "
                f"{served.url_setting}.",
                is_unknown=True,
                is_too_long=False,
            )
        if status < 500 or is_too_long:
            return RefusedError(
                f"{name} refused the request with error {status}: check {served.setting}, or look into the server's "
                "log.",
                is_unknown=False,
                is_too_long=is_too_long,
            )
        return ModelError(
            f"{name} failed with error {status}: ask again, or look into the server's log.", retry_helps=True
        )


def join(url: str, path: str) -> str:
    """The address of a path below that of a server, without a user's name and password; what follows "?" stays."""
    begin, mark, query = hide_password(url).partition("?")
    begin = begin.rstrip("/")
    return f"{begin if begin.endswith(f'/{path}') else f'{begin}/{path}'}{mark}{query}"
