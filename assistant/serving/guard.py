"""What comes in at the chat's port: every request is held to what the page needs before Gradio sees it.

A mounted Gradio app answers some sixty routes for whoever asks: uploads, a proxy, files, component servers, each event
by number with inputs of any shape, for pages of other origins too. Here the few routes that the page uses are open, and
each is bounded: who is asked (`Host`), who asks (`Origin`), the body's size, time and shape, how often and how much at
once. All else is refused with a sentence, before anything is done.

But: who may connect is up to the address that the server listens on; nobody logs in.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
import time
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qsl

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
LARGEST_BODY_BYTES = 262_144
BODY_SECONDS = 10.0  # in which a body must have come
MOST_BEATS, MOST_STREAMS = 192, 128  # responses that stay open, of everybody: of pages that are open, of answers
MOST_STREAMS_OF_SESSION = 4  # of either kind
LONGEST_PATH_CHARACTERS = 200
LONGEST_QUERY_BYTES = 2_000  # of the server's own routes
MOST_WAITING = 64  # questions that wait or are answered, of everybody
MOST_WAITING_OF_SESSION = 2
MOST_WAITING_UNHEARD = 8  # of those sessions that hold no response open, and so may be gone
EVENTS_PER_SECOND, EVENTS_AT_ONCE = 10.0, 60  # of one session
MOST_SESSIONS = 10_000  # whose events are counted

# Documents and models may hold anything: the page loads nothing from elsewhere, whatever they say.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; "
        "base-uri 'self'; form-action 'self'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}

# What a request may tell besides: from others Gradio would take its own address, and a proxy's is not believed.
_HEARD = frozenset(
    b"host origin accept accept-encoding accept-language content-type content-length user-agent range if-range "
    b"if-none-match if-modified-since cache-control".split()
)
_READ = re.compile(
    r"/(?:healthz|theme\.css|favicon\.ico|manifest\.json|(?:assets|static)(?:/[\w-][\w.@-]*)+)?", re.ASCII
)
_HEARTBEAT = re.compile(r"/gradio_api/heartbeat/([\w-]{1,64})", re.ASCII)
_SESSION = re.compile(r"[\w-]{1,64}", re.ASCII)
_DATA, _JOIN, _RUN, _CANCEL = (f"/gradio_api/{name}" for name in ("queue/data", "queue/join", "run/predict", "cancel"))
_THEME = re.compile(rb"__theme=(?:dark|light|system)")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Inputs = Mapping[int, Sequence[Callable[[object], bool]]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class OwnRoute(NamedTuple):
    """A request that one of the server's own routes takes.

    pattern: of the whole path. most_bytes: of its body. streams: whether the body is handed on as it comes.
    """

    method: str
    pattern: re.Pattern[str]
    most_bytes: int = 0
    streams: bool = False


class RefusedError(Exception):
    """A request that is refused: with a status, a sentence, and after how many seconds another try may help."""

    def __init__(self, status: int, sentence: str, retry_seconds: int = 0) -> None:
        super().__init__(sentence)
        self.status = status
        self.retry_seconds = retry_seconds


class Guard:
    """An ASGI application before another.

    app: what is guarded.
    streams: the responses that are open.
    inputs: what each event takes, by its number: whether a value may be its first input, its second and so on.
    questions: what waits for an answer.
    own: the server's own routes, which are taken before those of the page.
    hosts: the names that the server was started for, without port.
    """

    def __init__(
        self,
        app: Application,
        streams: Streams,
        inputs: Inputs,
        questions: Questions,
        own: Sequence[OwnRoute] = (),
        hosts: Collection[str] = LOOPBACK,
    ) -> None:
        self._app = app
        self._streams = streams
        self._inputs = inputs
        self._questions = questions
        self._own = own
        self._hosts = hosts
        self._rates = Rates(EVENTS_PER_SECOND, EVENTS_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            send = _with_headers(send)
            try:
                await self._let_in(scope, receive, send)
            except RefusedError as refusal:
                await _answer(refusal, send)

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        path, method = scope["path"], scope["method"]
        check_sender(headers, method, path, self._hosts)
        scope["headers"] = [row for row in scope["headers"] if row[0] in _HEARD]
        if len(path) > LONGEST_PATH_CHARACTERS:
            raise RefusedError(404, "There is nothing here.")
        if own := next((own for own in self._own if own.method == method and own.pattern.fullmatch(path)), None):
            await self._let_in_own(own, headers, scope, receive, send)
            return
        if method in ("GET", "HEAD") and (_carries_body(headers) or (method == "HEAD" and path != "/")):
            raise RefusedError(400, "A request of this kind has no body.")
        if method in ("GET", "HEAD") and _READ.fullmatch(path):
            scope["query_string"] = scope["query_string"] if _THEME.fullmatch(scope["query_string"]) else b""
            await self._app(scope, receive, send)
        elif method == "GET" and (match := _HEARTBEAT.fullmatch(path)):
            with self._streams.open(match[1], is_beat=True):
                await self._app(scope, receive, send)
        elif method == "GET" and path == _DATA and (session := self._find_asker(scope["query_string"])):
            with self._streams.open(session, is_beat=False):
                await self._app(scope, receive, send)
        elif method == "POST" and path in (_JOIN, _RUN, _CANCEL):
            scope["query_string"] = b""
            body = await _read_body(headers, receive)
            self._admit(path, read_json(body))
            await self._app(scope, _replay(body, receive), send)
        else:
            raise RefusedError(404, "There is nothing here.")

    async def _let_in_own(
        self, own: OwnRoute, headers: Mapping[str, str], scope: Scope, receive: Receive, send: Send
    ) -> None:
        if len(scope["query_string"]) > LONGEST_QUERY_BYTES:
            raise RefusedError(414, "The address is too long.")
        if not own.most_bytes:
            if _carries_body(headers):
                raise RefusedError(400, "A request of this kind has no body.")
            await self._app(scope, receive, send)
            return
        body = await _read_body(headers, receive, own.most_bytes)
        await self._app(scope, _replay(body, receive), send)

    def _admit(self, path: str, body: object) -> None:
        """Refuse an event that is none of the page's, or one too many."""
        session = read_cancellation(body) if path == _CANCEL else read_event(body, self._inputs)
        if wait_seconds := self._rates.take(session):
            raise RefusedError(
                429, f"Too many requests: try again in {_say_seconds(wait_seconds)}.", math.ceil(wait_seconds)
            )
        if path != _JOIN:
            return
        waiting = Counter(self._questions.sessions())
        if waiting[session] >= MOST_WAITING_OF_SESSION:
            raise RefusedError(429, "This conversation has a question under way: wait for its answer, or stop it.", 2)
        unheard = sum(count for other, count in waiting.items() if not self._streams.has(other))
        if waiting.total() >= MOST_WAITING or (unheard >= MOST_WAITING_UNHEARD and not self._streams.has(session)):
            seconds = max(1, math.ceil(waiting.total() * self._questions.seconds_each()))
            raise RefusedError(
                429, f"{waiting.total()} questions wait already: try again in {_say_seconds(seconds)}.", seconds
            )

    def _find_asker(self, query: bytes) -> str | None:
        """The session whose answers a request wants to follow, where it has asked."""
        fields = parse_qsl(query.decode("latin-1")[:200])
        named = [value for name, value in fields if name == "session_hash" and _SESSION.fullmatch(value)]
        return named[0] if len(named) == len(fields) == 1 and self._questions.is_known(named[0]) else None


class Questions(Protocol):
    """The questions that have been asked and not yet answered."""

    def sessions(self) -> list[str]:
        """The session of each that waits or is being answered."""

    def is_known(self, session: str) -> bool:
        """Whether a session has asked anything yet."""

    def seconds_each(self) -> float:
        """How long one takes, all that are answered at once counted."""


class Streams:
    """The responses that stay open, by session: who holds one may read an answer."""

    def __init__(self) -> None:
        self._beats: Counter[str] = Counter()
        self._answers: Counter[str] = Counter()

    def has(self, session: str) -> bool:
        """Whether somebody holds a response of a session open."""
        return session in self._beats or session in self._answers

    @contextmanager
    def open(self, session: str, *, is_beat: bool) -> Iterator[None]:
        """Count one more while it is open: a page's beat, or the answers that it follows.

        Raises RefusedError where there are too many of the kind.
        """
        opened, most = (self._beats, MOST_BEATS) if is_beat else (self._answers, MOST_STREAMS)
        if opened[session] >= MOST_STREAMS_OF_SESSION or opened.total() >= most:
            raise RefusedError(429, "Too many pages are open: close some, and try again in 10 seconds.", 10)
        opened[session] += 1
        try:
            yield
        finally:
            opened[session] -= 1
            if not opened[session]:
                del opened[session]


class Rates:
    """How often each of many may do something: a bucket of tokens for each key, that fills up again.

    The token bucket of Turner (1986), as leaky bucket "as a meter". But: only the keys seen last are remembered.
    """

    def __init__(self, per_second: float, at_once: int) -> None:
        self._per_second = per_second
        self._at_once = at_once
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens left, and when that was

    def take(self, key: str) -> float:
        """Take one token: 0, or in how many seconds there will be one."""
        now = time.monotonic()
        left, since = self._buckets.pop(key, (float(self._at_once), now))
        left = min(self._at_once, left + (now - since) * self._per_second)
        self._buckets[key] = (left - 1 if left >= 1 else left, now)
        if len(self._buckets) > MOST_SESSIONS:
            self._buckets.popitem(last=False)
        return 0.0 if left >= 1 else (1 - left) / self._per_second


def check_sender(headers: Mapping[str, str], method: str, path: str, hosts: Collection[str]) -> None:
    """Refuse who asks for another host, and what a page of another origin sends.

    A name that was bound anew to this address shows in `Host`; a foreign page's request in `Origin` or, where a browser
    sends none (images, scripts, links), in `Sec-Fetch-Site`. Such a page may link here, and no more.
    """
    host = headers.get("host", "").lower()
    if re.sub(r":\d{1,5}\Z", "", host) not in hosts:
        raise RefusedError(421, "This server is not known by that name: open it at the address that it printed.")
    origin = headers.get("origin")
    is_link = (method, path, headers.get("sec-fetch-dest")) == ("GET", "/", "document")
    is_foreign = headers.get("sec-fetch-site", "none") not in ("same-origin", "none") and not is_link
    if is_foreign or (origin is not None and origin.lower() not in (f"http://{host}", f"https://{host}")):
        raise RefusedError(403, "Pages of other origins are not served: open Footnote in a tab of its own.")


def read_json(body: bytes) -> object:
    """The value of a JSON text."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise RefusedError(400, "The request's body is not JSON.") from None


def read_event(body: object, inputs: Inputs) -> str:
    """The session of an event as the page sends it: short plain values, never a file or a message."""
    fields = {"data", "event_data", "fn_index", "trigger_id", "session_hash"}
    if isinstance(body, dict) and body.keys() <= fields:
        data, details, number = body.get("data"), body.get("event_data"), body.get("fn_index")
        if (
            type(number) is int
            and isinstance(data, list)
            and len(data) == len(inputs.get(number, ()))
            and number in inputs
            and all(may_be(value) for may_be, value in zip(inputs[number], data, strict=True))
            and (details is None or (isinstance(details, dict) and all(map(_is_plain, details.values()))))
            and type(body.get("trigger_id")) in (int, type(None))
        ):
            return _read_session(body)
    raise RefusedError(400, "The request is none that the page sends.")


def read_cancellation(body: object) -> str:
    """The session of a request to stop an answer."""
    if (
        isinstance(body, dict)
        and body.keys() <= {"event_id", "fn_index", "session_hash"}
        and isinstance(body.get("event_id"), str)
        and type(body.get("fn_index")) is int
    ):
        return _read_session(body)
    raise RefusedError(400, "The request is none that the page sends.")


def _read_session(body: Mapping[str, object]) -> str:
    session = body.get("session_hash")
    if isinstance(session, str) and _SESSION.fullmatch(session):
        return session
    raise RefusedError(400, "The request names no session.")


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, (str, int, float))


def _carries_body(headers: Mapping[str, str]) -> bool:
    return headers.get("content-length", "0") != "0" or "transfer-encoding" in headers


async def _read_body(headers: Mapping[str, str], receive: Receive, most_bytes: int = LARGEST_BODY_BYTES) -> bytes:
    too_large = RefusedError(413, f"The request is larger than {most_bytes:,} bytes: shorten it.")
    declared = headers.get("content-length", "0")
    if not declared.isdecimal() or int(declared) > most_bytes:
        raise too_large
    body = b""
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while True:
                message = await receive()
                body += bytes(message.get("body", b""))
                if len(body) > most_bytes:
                    raise too_large
                if not message.get("more_body"):
                    return body
    except TimeoutError:
        raise RefusedError(408, f"The request did not come whole within {BODY_SECONDS:.0f} seconds.") from None


def _replay(body: bytes, receive: Receive) -> Receive:
    """The body once more, for whoever is behind the guard."""
    is_read = False

    async def receive_again() -> MutableMapping[str, Any]:
        nonlocal is_read
        if is_read:
            return await receive()
        is_read = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


def _with_headers(send: Send) -> Send:
    added = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]

    async def send_with_headers(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *added]
        await send(message)

    return send_with_headers


async def _answer(refusal: RefusedError, send: Send) -> None:
    # The page looks for the sentence under one name or the other.
    content = json.dumps({"detail": str(refusal), "error": str(refusal)}).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
        (b"connection", b"close"),  # what is left of the request is not read
    ]
    if refusal.retry_seconds:
        headers.append((b"retry-after", str(refusal.retry_seconds).encode()))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def _say_seconds(seconds: float) -> str:
    whole = max(1, math.ceil(seconds))
    return "a second" if whole == 1 else f"{whole:,} seconds"
