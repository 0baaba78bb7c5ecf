"""What comes in at the chat's port: every request is held to what the page needs before Gradio sees it.

A mounted Gradio app answers some sixty routes for whoever asks: uploads, a proxy, files, component servers, each event
by number with inputs of any shape, for pages of other origins too. Here the few routes that the page uses are open, and
each is bounded: who is asked (`Host`), who asks (`Origin`, and the door where one logs in), the body's size, time and
shape, how often and how much at once. All else is refused with a sentence, before anything is done.
"""

from __future__ import annotations

import asyncio
import json
import math
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Container, Mapping, MutableMapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qsl

from assistant.serving.bodies import Flow, Receive, Send, carries_body, read_body, replay
from assistant.serving.limits import Owners, Places, Rates, RefusedError, Streams, say_seconds

LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})
LARGEST_BODY_BYTES = 262_144  # of an event
LONGEST_PATH_CHARACTERS, LONGEST_OWN_PATH_CHARACTERS = 200, 800
LARGEST_EVENT_BYTES = 2_100_000  # of what gives a kept conversation back: 1,000,000 bytes, each of which may be escaped
LONGEST_QUERY_BYTES = 2_000  # of the server's own routes
MOST_WAITING = 64  # questions that wait or are answered, of everybody
MOST_WAITING_OF_SESSION, MOST_WAITING_OF_CLIENT = 2, 16
MOST_WAITING_UNHEARD = 8  # of those sessions that hold no response open, and so may be gone
EVENTS_PER_SECOND, EVENTS_AT_ONCE = 10.0, 60  # of one session
REQUESTS_PER_SECOND, REQUESTS_AT_ONCE = 100.0, 500  # of one client: events, and requests to routes of our own
MOST_REQUESTS, MOST_REQUESTS_OF_CLIENT = 96, 24  # to routes of our own, that are under way
MOST_UPLOADS, MOST_UPLOADS_OF_CLIENT = 16, 4  # that are under way
WATCHED_SECONDS = 5.0  # after which a response that stays open is closed where its session has ended

# Documents and models may hold anything: the page loads nothing from elsewhere, whatever they say.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; "
        "base-uri 'self'; form-action 'self'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # a form that may tell nothing names no origin either
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}

# What a request may tell besides: from others Gradio would take its own address, and a proxy's is not believed.
_HEARD = frozenset(
    b"host origin accept accept-encoding accept-language content-type content-length user-agent range if-range "
    b"if-none-match if-modified-since cache-control mcp-protocol-version mcp-session-id mcp-method mcp-name "
    b"last-event-id".split()
)
_OWN = re.compile(r"/(?:api/|v1/|mcp\Z|metrics\Z|readyz\Z)")
_LINKED = re.compile(r"/|/api/documents/[0-9a-f]{16}/text", re.ASCII)  # what other pages may lead to
_OPEN = ("/healthz", "/readyz")  # to who has not logged in too
_OPENAI = "/v1/"  # whose errors have a form of their own
_READ = re.compile(
    r"/(?:healthz|theme\.css|favicon\.ico|manifest\.json|(?:assets|static)(?:/[\w-][\w.@-]*)+"
    r"|config|gradio_api/info)?",  # the last two are what Gradio's own client asks for first
    re.ASCII,
)
_HEARTBEAT = re.compile(r"/gradio_api/heartbeat/([\w-]{1,64})", re.ASCII)
_SESSION = re.compile(r"[\w-]{1,64}", re.ASCII)
_DATA, _JOIN, _RUN, _CANCEL = (f"/gradio_api/{name}" for name in ("queue/data", "queue/join", "run/predict", "cancel"))
_THEME = re.compile(rb"__theme=(?:dark|light|system)")

Scope = MutableMapping[str, Any]
Inputs = Mapping[int, Sequence[Callable[[object], bool]]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


class OwnRoute(NamedTuple):
    """A request that one of the server's own routes takes.

    pattern: of the whole path. most_bytes: of its body. streams: whether the body is handed on as it comes, and
    counted, or has come whole before. is_counted: whether there may be so many under way; where not, the room counts
    them itself.
    """

    method: str
    pattern: re.Pattern[str]
    most_bytes: int = 0
    streams: bool = False
    is_counted: bool = True


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is asking.

    user: the name, "" where nobody logs in. client: of whom requests are counted together, "" for everybody.
    cookie: what the browser should keep from now on, if anything.
    """

    user: str = ""
    client: str = ""
    cookie: bytes = b""


class Door(Protocol):
    """Where one logs in."""

    def find_visitor(self, scope: Scope) -> Visitor | None:
        """Who sends a request, None for who has not logged in. Raises RefusedError for who tries too often."""

    async def turn_away(self, scope: Scope, send: Send) -> None:
        """Answer somebody who has not logged in."""

    def is_own(self, path: str) -> bool:
        """Whether a path is one of the door's own."""

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request to one of them."""


class Guard:
    """An ASGI application before another.

    app: what is guarded.
    streams: the responses that are open.
    inputs: what each event takes, by its number: whether a value may be its first input, its second and so on.
    questions: what waits for an answer.
    own: the server's own routes, which are taken before those of the page.
    hosts: the names that the server was started for, without port.
    door: where one logs in; None where nobody needs to.
    large: the numbers of the events that may be larger than the others.

    The user's name stands in `scope["user"]` for what is guarded, and as whom what the user does is counted in
    `scope["counted_as"]`.
    """

    def __init__(
        self,
        app: Application,
        streams: Streams,
        inputs: Inputs,
        questions: Questions,
        own: Sequence[OwnRoute] = (),
        hosts: Container[str] = LOOPBACK,
        door: Door | None = None,
        large: Collection[int] = (),
    ) -> None:
        self._app = app
        self._streams = streams
        self._inputs = inputs
        self._questions = questions
        self._own = own
        self._hosts = hosts
        self._door = door
        self._owners = Owners()
        self._large = large
        self._rates = Rates(EVENTS_PER_SECOND, EVENTS_AT_ONCE)
        self._client_rates = Rates(REQUESTS_PER_SECOND, REQUESTS_AT_ONCE)
        self._requests = Places(MOST_REQUESTS, MOST_REQUESTS_OF_CLIENT, "requests")
        self._uploads = Places(MOST_UPLOADS, MOST_UPLOADS_OF_CLIENT, "uploads")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or hand it on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            send = _with_headers(send, _HEADERS)
            try:
                await self._let_in(scope, receive, send)
            except RefusedError as refusal:
                await answer_refusal(refusal, send, scope["path"])

    async def _let_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        path, method = scope["path"], scope["method"]
        check_sender(headers, method, path, self._hosts)
        visitor: Visitor | None = Visitor()
        if self._door and path not in _OPEN:
            if self._door.is_own(path):
                await self._door.answer(scope, receive, send)
                return
            visitor = self._door.find_visitor(scope)
            if visitor is None:
                await self._door.turn_away(scope, send)
                return
            if path == "/":
                send = _with_headers(send, {"Cache-Control": "no-store"})  # it names who is logged in
            if visitor.cookie:
                send = _with_headers(send, {"Set-Cookie": visitor.cookie.decode("latin-1")})
        assert visitor is not None
        scope["user"], scope["counted_as"] = visitor.user, visitor.client
        asked = dict(scope)  # what the door is asked of again
        scope["headers"] = [row for row in scope["headers"] if row[0] in _HEARD]
        if _OWN.match(path):
            await self._let_in_own(headers, visitor, scope, receive, send)
            return
        if len(path) > LONGEST_PATH_CHARACTERS:
            raise RefusedError(404, "There is nothing here.")
        if method in ("GET", "HEAD") and (carries_body(headers) or (method == "HEAD" and path not in ("/", *_OPEN))):
            raise RefusedError(400, "A request of this kind has no body.")
        if method in ("GET", "HEAD") and _READ.fullmatch(path):
            scope["query_string"] = scope["query_string"] if _THEME.fullmatch(scope["query_string"]) else b""
            await self._app(scope, receive, send)
        elif method == "GET" and (match := _HEARTBEAT.fullmatch(path)):
            self._owners.claim(match[1], visitor.user)
            with self._streams.open(match[1], is_beat=True, client=visitor.client):
                await self._follow(asked, scope, receive, send)
        elif method == "GET" and path == _DATA and (session := self._find_asker(scope["query_string"])):
            self._owners.claim(session, visitor.user)
            with self._streams.open(session, is_beat=False, client=visitor.client):
                await self._follow(asked, scope, receive, send)
        elif method == "POST" and path in (_JOIN, _RUN, _CANCEL):
            scope["query_string"] = b""
            # Which event it is stands in the body.
            most_bytes = LARGEST_EVENT_BYTES if self._large and path == _RUN else LARGEST_BODY_BYTES
            body = await read_body(headers, receive, most_bytes)
            event = read_json(body)
            number = event.get("fn_index") if isinstance(event, dict) else None
            if len(body) > LARGEST_BODY_BYTES and number not in self._large:
                raise RefusedError(413, f"The request is larger than {LARGEST_BODY_BYTES:,} bytes: shorten it.")
            self._admit(path, event, visitor)
            await self._app(scope, replay(body, receive), send)
        else:
            raise RefusedError(404, "There is nothing here.")

    async def _let_in_own(
        self, headers: Mapping[str, str], visitor: Visitor, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Hand on a request to a route of our own."""
        path, method = scope["path"], scope["method"]
        if len(path) > LONGEST_OWN_PATH_CHARACTERS or len(scope["query_string"]) > LONGEST_QUERY_BYTES:
            raise RefusedError(414, "The address is too long.")
        route = next((one for one in self._own if one.method == method and one.pattern.fullmatch(path)), None)
        if route is None:
            raise RefusedError(404, "There is nothing here.")
        if not route.most_bytes and carries_body(headers):
            raise RefusedError(400, "A request of this kind has no body.")
        self._check_rate(self._client_rates, visitor.client)
        if route.streams:
            flow = Flow(headers, receive, route.most_bytes)
            with self._uploads.take(visitor.client):
                await self._let_flow(flow, scope, send)
            return
        with self._requests.take(visitor.client) if route.is_counted else nullcontext():
            if route.most_bytes:
                receive = replay(await read_body(headers, receive, route.most_bytes), receive)
            await self._app(scope, receive, send)

    async def _let_flow(self, flow: Flow, scope: Scope, send: Send) -> None:
        """Hand on a request whose body flows; where that is refused, the refusal is the answer."""
        from starlette.requests import ClientDisconnect

        has_begun = False

        async def send_unless_refused(message: MutableMapping[str, Any]) -> None:
            nonlocal has_begun
            if flow.refusal is None or has_begun:
                has_begun = True
                await send(message)

        with suppress(ClientDisconnect):
            await self._app(scope, flow.receive, send_unless_refused)
        if flow.refusal and not has_begun:
            raise flow.refusal

    async def _follow(self, asked: Scope, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on a request whose response stays open, and close that where its session ends."""
        if self._door is None:
            await self._app(scope, receive, send)
            return
        answering = asyncio.ensure_future(self._app(scope, receive, send))
        try:
            while not (await asyncio.wait([answering], timeout=WATCHED_SECONDS))[0]:
                if not self._is_visitor(asked):
                    answering.cancel()
                    with suppress(asyncio.CancelledError):
                        await answering
                    await send({"type": "http.response.body", "body": b""})
                    return
        finally:
            answering.cancel()
        await answering

    def _is_visitor(self, asked: Scope) -> bool:
        assert self._door is not None
        try:
            found = self._door.find_visitor(asked)
        except RefusedError:
            return False
        return found is not None and found.user == asked["user"]

    def _admit(self, path: str, body: object, visitor: Visitor) -> None:
        """Refuse an event that is none of the page's, one too many, or one in another's conversation."""
        session = read_cancellation(body) if path == _CANCEL else read_event(body, self._inputs)
        self._owners.claim(session, visitor.user)
        self._check_rate(self._rates, session)
        if visitor.client:
            self._check_rate(self._client_rates, visitor.client)
        if path != _JOIN:
            return
        waiting = Counter(self._questions.sessions())
        if waiting[session] >= MOST_WAITING_OF_SESSION:
            raise RefusedError(429, "This conversation has a question under way: wait for its answer, or stop it.", 2)
        if visitor.user and visitor.client == visitor.user:  # one person, and none of many who share a token
            theirs = sum(count for other, count in waiting.items() if self._owners.user_of(other) == visitor.user)
            if theirs >= MOST_WAITING_OF_CLIENT:
                raise RefusedError(429, "You have many questions under way: wait for an answer, or stop one.", 2)
        unheard = sum(count for other, count in waiting.items() if not self._streams.has(other))
        if waiting.total() >= MOST_WAITING or (unheard >= MOST_WAITING_UNHEARD and not self._streams.has(session)):
            seconds = max(1, math.ceil(waiting.total() * self._questions.seconds_each()))
            raise RefusedError(
                429, f"{waiting.total()} questions wait already: try again in {say_seconds(seconds)}.", seconds
            )

    def _check_rate(self, rates: Rates, key: str) -> None:
        if wait_seconds := rates.take(key):
            raise RefusedError(
                429, f"Too many requests: try again in {say_seconds(wait_seconds)}.", math.ceil(wait_seconds)
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


def check_sender(headers: Mapping[str, str], method: str, path: str, hosts: Container[str]) -> None:
    """Refuse who asks for another host, and what a page of another origin sends.

    A name that was bound anew to this address shows in `Host`; a foreign page's request in `Origin` or, where a browser
    sends none (images, scripts, links), in `Sec-Fetch-Site`. Such a page may link here, and no more.
    """
    host = headers.get("host", "").lower()
    if re.sub(r":\d{1,5}\Z", "", host) not in hosts:
        raise RefusedError(421, "This server is not known by that name: open it at the address that it printed.")
    origin = headers.get("origin")
    is_link = (method, headers.get("sec-fetch-dest")) == ("GET", "document") and _LINKED.fullmatch(path) is not None
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
    """Whether a value is a text, a number or nothing, or a list of such, as the page tells what an answer says."""
    values = value if isinstance(value, list) else [value]
    return all(one is None or isinstance(one, (str, int, float)) for one in values)


def _with_headers(send: Send, headers: Mapping[str, str]) -> Send:
    added = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def send_with_headers(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *added]
        await send(message)

    return send_with_headers


async def answer_refusal(refusal: RefusedError, send: Send, path: str) -> None:
    """Answer a request with the sentence that it is refused with, in the form of its protocol."""
    content = json.dumps(_to_openai(refusal) if path.startswith(_OPENAI) else _to_error(refusal)).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
        (b"connection", b"close"),  # what is left of the request is not read
    ]
    if refusal.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if refusal.retry_seconds:
        headers.append((b"retry-after", str(refusal.retry_seconds).encode()))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": content})


def _to_error(refusal: RefusedError) -> dict[str, Any]:
    # The page looks for the sentence under one name or the other.
    return {"detail": str(refusal), "error": str(refusal)}


def _to_openai(refusal: RefusedError) -> dict[str, Any]:
    kind = {401: "authentication_error", 429: "rate_limit_error"}.get(refusal.status, "invalid_request_error")
    return {"error": {"message": str(refusal), "type": kind, "param": None, "code": None}}
