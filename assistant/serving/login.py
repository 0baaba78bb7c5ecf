"""The door of the chat: who is asking, and the page on which one logs in.

A browser logs in with a name and a password of the users file, or with the token, and then shows a cookie that is
signed for as long as the session lasts. A program sends the token with each request, `Authorization: Bearer TOKEN`.

But: sessions end with the process that began them, and behind a proxy all its clients count as one.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import ipaddress
import json
import math
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from urllib.parse import parse_qsl

from assistant.serving.bodies import Receive, Send, read_body
from assistant.serving.guard import Scope, Visitor
from assistant.serving.limits import Rates, RefusedError, say_seconds
from assistant.serving.login_page import draw_log_in, draw_way_in
from assistant.serving.page.strings import say
from assistant.serving.users import Users, hash_password, is_password, read_name
from index.errors import InputError

IDLE_SECONDS, LONGEST_SECONDS = 12 * 3600.0, 7 * 86_400.0  # after which a session ends
RENEWED_SECONDS = 300.0  # after which a cookie that is used is given anew
SHORTEST_TOKEN_CHARACTERS = 16
TOKEN_USER = "(token)"  # noqa: S105  what those are called who come with the token; no name begins so
LARGEST_FORM_BYTES = 16_384
LONGEST_COOKIE_CHARACTERS = 2000
MOST_HASHES_AT_ONCE, MOST_HASHES_WAITING = 2, 16  # each takes 64 MiB and some tenths of a second
TRIES_OF_CLIENT, SECONDS_PER_TRY_OF_CLIENT = 10, 6.0
TRIES_OF_NAME, SECONDS_PER_TRY_OF_NAME = 20, 10.0
MOST_ENDED_SESSIONS = 100  # of one user that are told apart
_LOG_IN, _LOG_OUT = "/login", "/logout"


@dataclass(frozen=True, slots=True)
class Session:
    """One user in one browser.

    number: drawn by chance. started, seen: seconds of the clock. credential: a mark of the password or token that it
    began with. is_secure: whether its cookie may travel over TLS alone.
    """

    user: str
    number: str
    started: float
    seen: float
    credential: str
    is_secure: bool


class Sessions:
    """Sessions as texts that nobody else can write, signed by HMAC with SHA-256 under a key of this process."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._key = secrets.token_bytes(32)
        self._ended: dict[str, set[str]] = {}
        self._ended_before: dict[str, float] = {}

    def begin(self, user: str, credential: str, *, is_secure: bool) -> Session:
        """A new session, of somebody who has shown a password or the token."""
        now = self._clock()
        return Session(user, secrets.token_hex(16), now, now, self._mark(credential), is_secure)

    def to_text(self, session: Session) -> str:
        """The session, signed."""
        content = base64.urlsafe_b64encode(json.dumps(asdict(session), ensure_ascii=False).encode()).decode()
        return f"{content}.{self._sign(content)}"

    def read(self, text: str) -> Session | None:
        """The session that a text is of: None where it is none of ours, or has ended."""
        content, _, signature = text.partition(".")
        if len(text) > LONGEST_COOKIE_CHARACTERS or not _is_same(self._sign(content), signature):
            return None
        session = Session(**json.loads(base64.urlsafe_b64decode(content)))
        now = self._clock()
        is_over = now - session.seen > IDLE_SECONDS or now - session.started > LONGEST_SECONDS
        was_ended = session.number in self._ended.get(session.user, ())
        if is_over or was_ended or session.started <= self._ended_before.get(session.user, -math.inf):
            return None
        return session

    def is_of(self, session: Session, credential: str) -> bool:
        """Whether a session began with this password or token."""
        return _is_same(session.credential, self._mark(credential))

    def renew(self, session: Session) -> Session | None:
        """The session as seen now, where it is time to tell the browser."""
        now = self._clock()
        return replace(session, seen=now) if now - session.seen > RENEWED_SECONDS else None

    def end(self, session: Session) -> None:
        """End a session. Where a user has ended very many, all that this user began before now end."""
        ended = self._ended.setdefault(session.user, set())
        ended.add(session.number)
        if len(ended) > MOST_ENDED_SESSIONS:
            ended.clear()
            self._ended_before[session.user] = self._clock()

    def _sign(self, content: str) -> str:
        return hmac.new(self._key, b"session " + content.encode("utf-8", "replace"), hashlib.sha256).hexdigest()

    def _mark(self, credential: str) -> str:
        return hmac.new(self._key, b"credential " + credential.encode("utf-8", "replace"), hashlib.sha256).hexdigest()


class LogIn:
    """Where one logs in: the door of a `Guard`.

    users: who may come in with a password. token: what lets in besides. sessions: those that have begun.
    Raises InputError for a token that could be guessed.
    """

    def __init__(self, users: Users | None, token: str | None, sessions: Sessions | None = None) -> None:
        if token is not None and not re.fullmatch(rf"[!-~]{{{SHORTEST_TOKEN_CHARACTERS},500}}", token):
            raise InputError(
                f"FOOTNOTE_TOKEN needs {SHORTEST_TOKEN_CHARACTERS} or more letters, digits and signs: "
                "python -c 'import secrets; print(secrets.token_urlsafe())' makes one."
            )
        self._users = users
        self._token = token
        self._sessions = sessions or Sessions()
        self._tries_of_client = Rates(1 / SECONDS_PER_TRY_OF_CLIENT, TRIES_OF_CLIENT)
        self._tries_of_name = Rates(1 / SECONDS_PER_TRY_OF_NAME, TRIES_OF_NAME)
        # A name that is unknown takes as long as one that is known.
        self._nobodys_hash = hash_password(secrets.token_hex()) if users else ""
        self._hashing = asyncio.Semaphore(MOST_HASHES_AT_ONCE)
        self._hashes_waiting = 0

    # -- who is asking ------------------------------------------------------------------------

    def find_visitor(self, scope: Scope) -> Visitor | None:
        """Who sends a request: by the token, or by the cookie of a session; None for who has not logged in.

        Raises RefusedError for who tries tokens too often, and where the users file can no longer be read.
        """
        headers = dict(scope["headers"])
        scheme, _, given = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if scheme.lower() == "bearer" and self._token is not None:
            self._check_token(given.strip(), _name_client(scope))
            return self._to_visitor(TOKEN_USER, scope)
        session = self._find_session(scope)
        if session is None:
            return None
        renewed = self._sessions.renew(session)
        return self._to_visitor(session.user, scope, self._to_cookie(renewed, scope) if renewed else b"")

    def _find_session(self, scope: Scope) -> Session | None:
        session = self._sessions.read(_read_cookie(scope))
        if session is None:
            return None
        credential = self._token if session.user == TOKEN_USER else self._hash_of(session.user)
        # Who is no user any more, or has another password, begins anew.
        return session if credential is not None and self._sessions.is_of(session, credential) else None

    def _to_visitor(self, user: str, scope: Scope, cookie: bytes = b"") -> Visitor:
        # Many may have the token.
        return Visitor(user, f"{user} {_name_client(scope)}" if user == TOKEN_USER else user, cookie)

    def _hash_of(self, name: str) -> str | None:
        try:
            return self._users.hash_of(name) if self._users else None
        except InputError:
            # Which file it is, and what is wrong with it, is for whoever started the server.
            raise RefusedError(503, "The users file cannot be read: nobody can log in until that is mended.") from None

    # -- coming and going ---------------------------------------------------------------------

    def is_own(self, path: str) -> bool:
        """Whether a path is that of the log-in page, or of logging out."""
        return path in (_LOG_IN, _LOG_OUT)

    async def turn_away(self, scope: Scope, send: Send) -> None:
        """Show who opens the page where to log in.

        Raises RefusedError for whatever else is asked for.
        """
        if scope["path"] != "/" or scope["method"] not in ("GET", "HEAD"):
            raise RefusedError(401, "Log in first: load the page anew, or send the token.")
        if dict(scope["headers"]).get(b"sec-fetch-site", b"none") in (b"same-origin", b"none"):
            await _redirect(send, "login")
        else:
            # With a link from elsewhere a browser sends no cookie; with what a page of ours leads to, it does.
            await _send_page(send, 200, draw_way_in())

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request to the log-in page, or to log out."""
        method, path = scope["method"], scope["path"]
        if method in ("GET", "HEAD") and path == _LOG_IN:
            if self._find_session(scope):
                await _redirect(send, "./")
            else:
                await self._show(send, 200)
        elif method == "POST" and path == _LOG_IN:
            try:
                session = await self._log_in(scope, receive)
            except RefusedError as refusal:
                await self._show(send, refusal.status, str(refusal), refusal.retry_seconds)
            else:
                await _redirect(send, "./", self._to_cookie(session, scope))
        elif method == "POST" and path == _LOG_OUT:
            if ended := self._find_session(scope):
                self._sessions.end(ended)
            cookie = f"{_cookie_name(scope)}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict"
            await _redirect(send, "login", cookie.encode())
        else:
            raise RefusedError(405, "This cannot be done here.")

    async def _log_in(self, scope: Scope, receive: Receive) -> Session:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        fields = _read_form(await read_body(headers, receive, LARGEST_FORM_BYTES))
        # Who came over TLS, also through a proxy, goes on over TLS alone.
        is_secure = scope.get("scheme") == "https" or headers.get("origin", "").startswith("https://")
        client = _name_client(scope)
        if self._token is not None and ("token" in fields or self._users is None):
            self._check_token(fields.get("token", "").strip(), client)
            return self._sessions.begin(TOKEN_USER, self._token, is_secure=is_secure)
        name, hashed = await self._check_password(fields.get("name", ""), fields.get("password", ""), client)
        return self._sessions.begin(name, hashed, is_secure=is_secure)

    def _check_token(self, given: str, client: str) -> None:
        self._try(self._tries_of_client, client)
        if self._token is None or not _is_same(given, self._token):
            raise RefusedError(401, say("login.wrong_token"))
        self._tries_of_client.give_back(client)

    async def _check_password(self, given: str, password: str, client: str) -> tuple[str, str]:
        """The user's name and hash."""
        try:
            name = read_name(given)
        except InputError:
            name = ""
        self._try(self._tries_of_client, client)
        self._try(self._tries_of_name, name)
        hashed = self._hash_of(name)
        if self._hashes_waiting >= MOST_HASHES_WAITING:
            raise RefusedError(429, "Many are logging in at this moment: try again in 5 seconds.", 5)
        self._hashes_waiting += 1
        try:
            async with self._hashing:
                is_right = await asyncio.to_thread(is_password, password, hashed or self._nobodys_hash)
        finally:
            self._hashes_waiting -= 1
        if not is_right or hashed is None:
            raise RefusedError(401, say("login.wrong_password"))
        self._tries_of_client.give_back(client)
        self._tries_of_name.give_back(name)
        return name, hashed

    def _try(self, tries: Rates, key: str) -> None:
        if wait_seconds := tries.take(key):
            seconds = math.ceil(wait_seconds)
            raise RefusedError(429, f"Too many tries: try again in {say_seconds(seconds)}.", seconds)

    def _to_cookie(self, session: Session, scope: Scope) -> bytes:
        secure = "; Secure" if session.is_secure else ""
        left = max(0, math.ceil(session.started + LONGEST_SECONDS - session.seen))
        text = self._sessions.to_text(session)
        return f"{_cookie_name(scope)}={text}; Path=/; Max-Age={left}; HttpOnly; SameSite=Strict{secure}".encode()

    async def _show(self, send: Send, status: int, problem: str = "", retry_seconds: int = 0) -> None:
        page = draw_log_in(asks_password=self._users is not None, asks_token=self._token is not None, problem=problem)
        await _send_page(send, status, page, retry_seconds)


def _read_cookie(scope: Scope) -> str:
    """The value of our cookie, "" where there is none."""
    rows = [value.decode("latin-1") for name, value in scope["headers"] if name == b"cookie"]
    name = f"{_cookie_name(scope)}="
    kept = [pair.strip() for row in rows for pair in row.split(";")]
    return next((pair.removeprefix(name) for pair in kept if pair.startswith(name)), "")


def _cookie_name(scope: Scope) -> str:
    # Browsers keep the cookies of all ports of a machine together.
    return f"footnote_{(scope.get('server') or ('', 0))[1]}"


def _name_client(scope: Scope) -> str:
    """The address that a request comes from; of IPv6 the network, all of which one client has."""
    try:
        address = ipaddress.ip_address((scope.get("client") or ("",))[0].partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.ip_network((address, 64), strict=False))


def _read_form(body: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=8))
    except ValueError:
        raise RefusedError(400, "The form cannot be read: load the page anew.") from None


def _is_same(one: str, other: str) -> bool:
    """Whether two texts are the same, told in a time that depends on neither."""
    return hmac.compare_digest(one.encode("utf-8", "replace"), other.encode("utf-8", "replace"))


async def _redirect(send: Send, place: str, cookie: bytes = b"") -> None:
    headers = [(b"location", place.encode()), (b"content-length", b"0"), (b"cache-control", b"no-store")]
    if cookie:
        headers.append((b"set-cookie", cookie))
    await send({"type": "http.response.start", "status": 303, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


async def _send_page(send: Send, status: int, page: str, retry_seconds: int = 0) -> None:
    content = page.encode()
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", str(len(content)).encode()),
        (b"cache-control", b"no-store"),
    ]
    if retry_seconds:
        headers.append((b"retry-after", str(retry_seconds).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
