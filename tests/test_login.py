"""The door, over real sockets: who comes in, for how long, and how often one may try."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from guarded_server import BODY_BYTES, UPLOADED_BYTES
from hypothesis import given
from hypothesis import strategies as st
from test_chat import ROOT, needs_chromium
from test_users import HASHED

from assistant.serving import login
from assistant.serving.limits import Owners, Rates, RefusedError
from assistant.serving.login import LogIn, Sessions
from assistant.serving.users import change_users, hash_password
from index.errors import InputError

TOKEN = "a-token-for-the-tests-alone"
PASSWORD = "x" * 20  # of HASHED


class Server:
    """A guarded server, and how it is asked."""

    def __init__(self, port: int) -> None:
        self.port = port

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, dict[str, str], str]:
        """Status, headers and body of the reply."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            reply = connection.getresponse()
            return reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read().decode()
        finally:
            connection.close()

    def log_in(self, **fields: str) -> tuple[int, dict[str, str], str]:
        """The reply to a form that is sent."""
        origin = f"http://127.0.0.1:{self.port}"
        return self.ask("POST", "/login", urlencode(fields).encode(), origin=origin)

    def open_session(self, **fields: str) -> str:
        """The cookie of a new session."""
        status, headers, text = self.log_in(**fields)
        assert status == 303, text
        return headers["set-cookie"].partition(";")[0]

    def find_user(self, **headers: str) -> str | None:
        """Who the server takes a request to be from."""
        status, _, text = self.ask("GET", "/api/who", **headers)
        assert status in (200, 401)
        return str(json.loads(text)["user"]) if status == 200 else None


@contextlib.contextmanager
def guarding(users: Path | None = None, token: str | None = None) -> Iterator[Server]:
    command = [sys.executable, str(Path(__file__).parent / "guarded_server.py"), *([str(users)] if users else [])]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **({"FOOTNOTE_TOKEN": token} if token else {})}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        yield Server(int(process.stdout.readline()))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=20)
        if process.stdout:
            process.stdout.close()


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("users") / "users.json"
    with change_users(file) as kept:
        kept.update({"Ada": HASHED, "山田 <b>": HASHED})
    return file


@pytest.fixture(scope="module")
def server(users: Path) -> Iterator[Server]:
    """One with users and a token."""
    with guarding(users, TOKEN) as server:
        yield server


@pytest.fixture(scope="module")
def ada(server: Server) -> str:
    """The cookie of a session of Ada's."""
    return server.open_session(name="Ada", password=PASSWORD)


# -- without credentials ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/api/who",
        "/api/none",
        "/gradio_api/heartbeat/x",
        "/gradio_api/queue/data?session_hash=x",
        "/theme.css",
        "/assets/x.js",
        "/static/x",
        "/favicon.ico",
        "/config",
        "/loginx",
        "//login",
        "/login/",
    ],
)
def test_without_a_session_nothing_is_answered(server: Server, path: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"):
        status, headers, text = server.ask(method, path)
        assert status == 401
        assert headers["www-authenticate"] == "Bearer"
        assert method == "HEAD" or "Log in first" in json.loads(text)["detail"]


def test_the_page_leads_to_the_log_in_page(server: Server) -> None:
    for method in ("GET", "HEAD"):
        status, headers, text = server.ask(method, "/?__theme=dark")
        assert (status, headers["location"], text) == (303, "login", "")
    assert server.ask("POST", "/")[0] == 401
    assert server.ask("GET", "/healthz")[2] == '{"status":"ok"}'


def test_the_log_in_page_stands_alone(server: Server) -> None:
    status, headers, text = server.ask("GET", "/login")
    assert status == 200
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"
    assert not re.search(r"<script|https?:|src=|@import|url\(|\bon\w+=", text)
    for name in ("name", "password", "token"):
        assert f'<label for="{name}">' in text
    assert server.ask("PUT", "/login")[0] == 405
    assert server.ask("GET", "/logout")[0] == 405


@pytest.mark.parametrize("path", ["/", "/login"])
def test_the_door_asks_for_host_and_origin_too(server: Server, path: str) -> None:
    assert server.ask("GET", path, host="evil.test")[0] == 421
    body = urlencode({"name": "Ada", "password": PASSWORD}).encode()
    for origin in ("http://evil.test", "null", "http://127.0.0.1:9"):
        assert server.ask("POST", path, body, origin=origin)[0] == 403


# -- coming in --------------------------------------------------------------------------------


def test_a_password_lets_in(server: Server, ada: str) -> None:
    assert server.find_user(cookie=ada) == "Ada"
    status, headers, _ = server.ask("GET", "/", cookie=ada)
    assert (status, headers["cache-control"]) == (200, "no-store")
    assert server.ask("GET", "/login", cookie=ada)[1]["location"] == "./"
    assert server.find_user(cookie=f"other=x; bad[]=; {ada}; more") == "Ada"
    odd = server.open_session(name="山田 <b>", password=PASSWORD)
    assert server.find_user(cookie=odd) == "山田 <b>"


def test_the_cookie_is_kept_from_scripts_and_foreign_pages(server: Server) -> None:
    _, headers, _ = server.log_in(token=TOKEN)
    name, *attributes = headers["set-cookie"].split("; ")
    assert name.startswith(f"footnote_{server.port}=")
    assert {"HttpOnly", "SameSite=Strict", "Path=/", f"Max-Age={7 * 86400}"} == set(attributes)
    assert TOKEN not in base64.b64decode(name.partition("=")[2].partition(".")[0]).decode()
    body = urlencode({"token": TOKEN}).encode()
    secure = server.ask("POST", "/login", body, origin="https://localhost", host="localhost")
    assert secure[1]["set-cookie"].endswith("; Secure")


def test_what_is_guarded_sees_neither_cookie_nor_token(server: Server, ada: str) -> None:
    seen = json.loads(server.ask("GET", "/api/who?x=1", cookie=ada)[2])
    assert seen["query"] == "x=1"
    assert not {"cookie", "authorization"} & set(seen["headers"].split())


def test_the_token_lets_in(server: Server) -> None:
    for scheme in ("Bearer", "bearer", "BEARER"):
        assert server.find_user(authorization=f"{scheme} {TOKEN}") == login.TOKEN_USER
    cookie = server.open_session(token=TOKEN)
    assert server.find_user(cookie=cookie) == login.TOKEN_USER
    for wrong in (f"Basic {base64.b64encode(f'Ada:{PASSWORD}'.encode()).decode()}", TOKEN, "Bearer", f"Token {TOKEN}"):
        assert server.find_user(authorization=wrong) is None


def test_a_form_without_a_token_is_refused_where_there_is_nothing_else() -> None:
    with guarding(token=TOKEN) as server:
        for fields in ({}, {"name": "Ada", "password": PASSWORD}, {"token": ""}):
            status, _, text = server.log_in(**fields)
            assert status == 401
            assert "not the token" in text


@pytest.mark.parametrize("given_token", [TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "", "\u00e9" * 20])
def test_another_token_does_not(given_token: str) -> None:
    door = LogIn(None, TOKEN)
    scope = {"headers": [(b"authorization", f"Bearer {given_token}".encode())], "client": ("127.0.0.1", 1)}
    with pytest.raises(RefusedError, match="not the token"):
        door.find_visitor(scope)


@pytest.mark.parametrize("token", ["", "short", "x" * 15, "x" * 20 + "\n", "with a space in it all", "é" * 20])
def test_a_token_that_is_no_token_is_a_sentence(token: str) -> None:
    with pytest.raises(InputError, match="FOOTNOTE_TOKEN needs 16 or more"):
        LogIn(None, token)


def test_unknown_names_and_wrong_passwords_are_told_the_same(users: Path) -> None:
    with guarding(users) as server:
        seen = set()
        for name, password in (
            ("Ada", "wrong password"),
            ("Nobody", PASSWORD),
            ("", ""),
            ("a\0b", PASSWORD),
            ("Ada", ""),
        ):
            status, headers, text = server.log_in(name=name, password=password)
            assert "set-cookie" not in headers
            seen.add((status, text))
        assert len(seen) == 1
        ((status, text),) = seen
        assert status == 401
        assert 'role="alert">The name or the password is not right.' in text
        assert "token" not in text
        # What is no form is told as such.
        for body in (b"\xff\xfe", b"&" * 100, b"name=%ff", b"x" * 20_000):
            status, _, text = server.ask("POST", "/login", body, origin=f"http://127.0.0.1:{server.port}")
            assert status in (400, 401, 413)
            assert 'role="alert"' in text


# -- for how long -----------------------------------------------------------------------------

clock_steps = st.lists(st.floats(0, 13 * 3600), max_size=40)


@given(clock_steps)
def test_a_session_ends_when_it_is_idle_or_old(steps: list[float]) -> None:
    now = 1e9
    sessions = Sessions(lambda: now)
    kept = sessions.begin("Ada", HASHED, is_secure=False)
    seen = started = now
    for step in steps:
        now += step
        read = sessions.read(sessions.to_text(kept))
        assert (read is not None) == (now - seen <= login.IDLE_SECONDS and now - started <= login.LONGEST_SECONDS)
        if read is None:
            break
        if renewed := sessions.renew(read):
            kept, seen = renewed, now
        assert now - kept.seen <= login.RENEWED_SECONDS


KEPT = Sessions()
MINE = KEPT.to_text(KEPT.begin("Ada", HASHED, is_secure=False))


@given(st.integers(0, len(MINE) - 1), st.characters(codec="latin-1"))
def test_a_cookie_that_was_changed_is_none(place: int, letter: str) -> None:
    changed = MINE[:place] + letter + MINE[place + 1 :]
    assert (KEPT.read(changed) is None) == (changed != MINE)
    assert KEPT.read(MINE[:place]) is None
    assert KEPT.read(MINE[:place] + MINE[place + 1 :]) is None
    assert KEPT.read(MINE + letter) is None


@given(st.text() | st.binary().map(lambda content: content.decode("latin-1")))
def test_a_cookie_that_somebody_writes_is_none(text: str) -> None:
    content = base64.urlsafe_b64encode(text.encode("utf-8", "replace")).decode()
    for cookie in (text, f"{text}.", f".{text}", f"{content}.{MINE.partition('.')[2]}", content * 200):
        assert KEPT.read(cookie) is None


@given(st.text(min_size=1, max_size=64), st.text(), st.booleans())
def test_a_cookie_is_read_as_it_was_written_and_under_no_other_key(user: str, credential: str, is_secure: bool) -> None:
    session = KEPT.begin(user, credential, is_secure=is_secure)
    if any("\ud800" <= letter <= "\udfff" for letter in user):
        return
    text = KEPT.to_text(session)
    assert re.fullmatch(r"[\w=-]+\.[0-9a-f]{64}", text, re.ASCII)
    assert KEPT.read(text) == session
    assert KEPT.is_of(session, credential)
    assert not KEPT.is_of(session, credential + "x")
    assert Sessions().read(text) is None


def test_logging_out_ends_that_session_alone(server: Server) -> None:
    one, other = (server.open_session(name="Ada", password=PASSWORD) for _ in range(2))
    status, headers, _ = server.ask("POST", "/logout", b"", cookie=one, origin=f"http://127.0.0.1:{server.port}")
    assert (status, headers["location"]) == (303, "login")
    assert "Max-Age=0" in headers["set-cookie"]
    assert server.find_user(cookie=one) is None
    assert server.find_user(cookie=other) == "Ada"
    assert server.ask("POST", "/logout", b"")[0] == 303


def test_who_ends_very_many_sessions_ends_all() -> None:
    now = 0.0
    sessions = Sessions(lambda: now)
    others, kept = sessions.begin("Grace", "", is_secure=False), sessions.begin("Ada", "", is_secure=False)
    for _ in range(login.MOST_ENDED_SESSIONS + 1):
        sessions.end(sessions.begin("Ada", "", is_secure=False))
    assert sessions.read(sessions.to_text(kept)) is None
    assert sessions.read(sessions.to_text(others)) == others
    now = 1.0
    assert sessions.read(sessions.to_text(sessions.begin("Ada", "", is_secure=False))) is not None


def test_who_is_removed_or_has_another_password_is_out(tmp_path: Path) -> None:
    file = tmp_path / "users.json"
    with change_users(file) as kept:
        kept.update({"Ada": HASHED, "Grace": HASHED, "Edsger": HASHED})
    with guarding(file) as server:
        ada, grace, edsger = (server.open_session(name=name, password=PASSWORD) for name in ("Ada", "Grace", "Edsger"))
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as beat:
            request = f"GET /gradio_api/heartbeat/ada HTTP/1.1\r\nHost: localhost\r\nCookie: {ada}\r\n\r\n"
            beat.sendall(request.encode())
            assert beat.recv(100).startswith(b"HTTP/1.1 200")
            with change_users(file) as kept:
                del kept["Ada"]
                kept["Grace"] = hash_password("battery staple")
            assert server.find_user(cookie=ada) is None
            assert server.find_user(cookie=grace) is None
            assert server.find_user(cookie=edsger) == "Edsger"
            # What was open is closed too.
            while piece := beat.recv(1000):
                last = piece
                if last.endswith(b"0\r\n\r\n"):
                    break
            assert last.endswith(b"0\r\n\r\n")
        file.write_text("damaged")
        status, _, text = server.ask("GET", "/api/who", cookie=edsger)
        assert status == 503
        assert str(file) not in text


# -- how often --------------------------------------------------------------------------------


def test_tries_are_limited(users: Path) -> None:
    with guarding(users, TOKEN) as server:
        statuses = []
        for _ in range(login.TRIES_OF_CLIENT + 2):
            status, headers, text = server.log_in(token="wrong")
            statuses.append(status)
        assert statuses[: login.TRIES_OF_CLIENT] == [401] * login.TRIES_OF_CLIENT
        assert statuses[-1] == 429
        assert 1 <= int(headers["retry-after"]) <= login.SECONDS_PER_TRY_OF_CLIENT
        assert re.search(r"Too many tries: try again in (a second|\d seconds)\.", text)
        # From there neither the right word nor the right token helps.
        assert server.log_in(token=TOKEN)[0] == 429
        assert server.log_in(name="Ada", password=PASSWORD)[0] == 429
        assert server.ask("GET", "/api/who", authorization=f"Bearer {TOKEN}")[0] == 429


def test_who_logs_in_rightly_uses_up_no_try() -> None:
    tries = Rates(0.001, 3)
    for _ in range(10):
        assert tries.take("x") == 0
        tries.give_back("x")
    assert [tries.take("x") == 0 for _ in range(5)] == [True] * 3 + [False] * 2


def test_passwords_are_tried_two_at_a_time_and_cost_no_more_memory(users: Path) -> None:
    """Many who log in at once: each is answered, and the server stays small."""
    with guarding(users) as server:
        replies: list[int] = []
        threads = [
            threading.Thread(target=lambda: replies.append(server.log_in(name="Ada", password=PASSWORD)[0]))
            for _ in range(login.TRIES_OF_CLIENT)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert replies == [303] * login.TRIES_OF_CLIENT


@pytest.mark.parametrize(
    ("one", "other", "are_one"),
    [
        ("127.0.0.1", "127.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2", True),
    ],
)
def test_a_client_is_an_address_or_a_network(one: str, other: str, are_one: bool) -> None:
    named = [login._name_client({"client": (address, 1)}) for address in (one, other)]
    assert (named[0] == named[1]) is are_one


# -- whose ------------------------------------------------------------------------------------


def test_a_session_of_the_page_is_its_first_users(server: Server, ada: str) -> None:
    def beat(session: str, cookie: str) -> int:
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
            path = f"/gradio_api/heartbeat/{session}"
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n".encode())
            return int(connection.recv(100).split()[1])

    other = server.open_session(token=TOKEN)
    assert [beat("one", ada), beat("one", other), beat("one", ada)] == [200, 403, 200]
    assert server.ask("GET", "/gradio_api/queue/data?session_hash=one", cookie=other)[0] == 403
    assert [beat("two", other), beat("two", ada)] == [200, 403]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3000)), max_size=50))
def test_no_user_takes_the_sessions_of_another(used: list[tuple[str, int]]) -> None:
    owners = Owners()
    owners.claim("mine", "Ada")
    first: dict[str, str] = {}
    for user, number in used:
        owner = first.setdefault(str(number), user)
        if owner == user:
            owners.claim(str(number), user)
        else:
            with pytest.raises(RefusedError, match="another user's"):
                owners.claim(str(number), user)
    assert owners.user_of("mine") == "Ada"


def test_no_number_of_sessions_makes_another_users_be_forgotten() -> None:
    owners = Owners()
    owners.claim("mine", "Ada")
    for number in range(5000):
        owners.claim(str(number), "Grace")
    with pytest.raises(RefusedError):
        owners.claim("mine", "Grace")
    assert len(owners._user_of) <= 1001


# -- routes of our own ------------------------------------------------------------------------


def test_own_routes_are_open_as_they_say(server: Server, ada: str) -> None:
    assert json.loads(server.ask("GET", "/api/who?a=1&b=2", cookie=ada)[2])["query"] == "a=1&b=2"
    for method, path, status in (
        ("GET", "/api/who?" + "a" * 2001, 414),
        ("GET", "/api/" + "a" * 801, 414),
        ("POST", "/api/who", 404),
        ("GET", "/api/whole", 404),
        ("GET", "/api/who/", 404),
        ("GET", "/api/whox", 404),
        ("GET", "/api/upload/x", 404),
        ("POST", "/api/upload/a/b", 404),
    ):
        assert server.ask(method, path, cookie=ada)[0] == status
    assert server.ask("GET", "/api/who", b"x", cookie=ada)[0] == 400


@pytest.mark.parametrize(("path", "most_bytes"), [("/api/whole", BODY_BYTES), ("/api/upload/x.txt", UPLOADED_BYTES)])
def test_a_body_is_bounded_however_it_comes(server: Server, ada: str, path: str, most_bytes: int) -> None:
    assert server.ask("POST", path, b"x" * most_bytes, cookie=ada)[::2] == (200, str(most_bytes))
    assert server.ask("POST", path, b"", cookie=ada)[::2] == (200, "0")
    for length in (most_bytes + 1, 10**14):
        assert server.ask("POST", path, b"x", cookie=ada, content_length=str(length))[0] == 413
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {ada}\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection.sendall(head.encode())
        with contextlib.suppress(OSError):
            for _ in range(50):
                connection.sendall(b"2710\r\n" + b"x" * 10_000 + b"\r\n")
        assert connection.recv(100).split()[1] == b"413"


@pytest.mark.parametrize("pieces", [0, 8])
def test_an_upload_that_stalls_or_trickles_is_ended(server: Server, ada: str, pieces: int) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        head = f"POST /api/upload/x HTTP/1.1\r\nHost: localhost\r\nCookie: {ada}\r\nContent-Length: 1000\r\n\r\n"
        connection.sendall(head.encode())
        with contextlib.suppress(OSError):
            for _ in range(pieces):
                time.sleep(0.4)
                connection.sendall(b"x")
        reply = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := connection.recv(4000):
                reply += piece
        assert reply.split()[1] == b"408"
        assert b"too slowly" in reply
    assert server.ask("POST", "/api/upload/x", b"x", cookie=ada)[0] == 200


def test_requests_under_way_are_bounded_for_each(server: Server, ada: str) -> None:
    replies: list[int] = []
    threads = [
        threading.Thread(target=lambda: replies.append(server.ask("GET", "/api/slow", cookie=ada)[0]))
        for _ in range(32)
    ]
    for thread in threads:
        thread.start()
    assert server.ask("GET", "/api/who", authorization=f"Bearer {TOKEN}")[0] == 200
    for thread in threads:
        thread.join()
    assert set(replies) == {200, 429}
    assert replies.count(200) >= 24


# -- in the browser ---------------------------------------------------------------------------


@pytest.mark.browser
@needs_chromium
@pytest.mark.parametrize("scripts", [True, False])
def test_logging_in_by_keyboard_with_and_without_scripts(users: Path, scripts: bool) -> None:
    from playwright.sync_api import sync_playwright
    from test_chat import CHROMIUM

    with guarding(users) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(java_script_enabled=scripts, color_scheme="dark")
        page = context.new_page()
        address = f"http://127.0.0.1:{server.port}"
        page.goto(address)
        assert page.url == f"{address}/login"
        for password, told in (("wrong password", "is not right"), (PASSWORD, '"user":"Ada"')):
            page.get_by_label("Name").fill("Ada")
            page.get_by_label("Password").fill(password)
            page.keyboard.press("Enter")
            page.get_by_text(told).wait_for()
        assert page.url == f"{address}/"
        (cookie,) = context.cookies()
        assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
        # A link on a foreign page leads in without logging in again.
        page.goto("data:text/html,<p>elsewhere")
        page.set_content(f'<a href="{address}/">open</a>')
        page.get_by_text("open").click()
        page.get_by_text('"user":"Ada"').wait_for()
        browser.close()
