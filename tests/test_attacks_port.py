"""Attacks on the chat's port, over real sockets: nothing is taken, and nobody is starved."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mounted_page import hide_file
from test_chat import ROOT, browsing, needs_chromium, serving
from test_users import HASHED

from assistant.serving import guard, limits
from assistant.serving.bodies import BODY_SECONDS
from assistant.serving.guard import check_sender, read_event, read_json
from assistant.serving.limits import RefusedError
from assistant.serving.port import IDLE_SECONDS, MOST_CONNECTIONS
from assistant.serving.users import change_users

LONG = "Why was Israel skipped, who criticised it, what did it cost, and when was that said by whom? " * 10
SECRET = "wormwood-and-gall-4711"
TOKEN = "a-token-for-the-tests-alone"
# Gradio's components whose values hold files.
FILED = {"File", "Image", "Audio", "Video", "Chatbot", "Gallery", "MultimodalTextbox", "Model3D", "UploadButton"}
OPEN = {  # what the page needs; everything else that Gradio answers is closed
    ("GET", "/"),
    ("GET", "/healthz"),
    ("GET", "/theme.css"),
    ("GET", "/favicon.ico"),
    ("GET", "/manifest.json"),
    ("GET", "/assets/{path:path}"),
    ("GET", "/static/{path:path}"),
    ("GET", "/gradio_api/heartbeat/{session_hash}"),
    ("GET", "/gradio_api/queue/data"),
    ("POST", "/gradio_api/queue/join"),
    ("POST", "/gradio_api/run/{api_name}"),
    ("POST", "/gradio_api/cancel"),
    ("HEAD", "/"),
    ("GET", "/config"),  # and what Gradio's own client asks for first
    ("GET", "/gradio_api/info"),
}


@pytest.fixture(scope="module")
def secret(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of the user's, outside the documents folder."""
    file = tmp_path_factory.mktemp("home") / "secret.txt"
    file.write_text(SECRET)
    return file


@pytest.fixture(scope="module")
def gradio_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Gradio would keep what it copies or is sent."""
    return tmp_path_factory.mktemp("gradio")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, gradio_folder: Path) -> Iterator[str]:
    """A chat in a process of its own."""
    store = str(tmp_path_factory.mktemp("store"))
    with serving(FOOTNOTE_STORE=store, GRADIO_TEMP_DIR=str(gradio_folder)) as address:
        yield address


class Events(dict[int, int]):
    """How many inputs each event of the page takes, by its number; and the numbers by name."""

    def __init__(self, config: Any) -> None:
        super().__init__({event["id"]: len(event["inputs"]) for event in config["dependencies"]})
        self.numbers = {event["api_name"]: event["id"] for event in config["dependencies"]}

    def to_event(self, name: str, session: str, *values: object) -> dict[str, object]:
        """A request as the page sends it: what was typed, and nothing for what the server remembers itself."""
        number = self.numbers[name]
        data = [*values, *[None] * (self[number] - len(values))]
        return {"data": data, "fn_index": number, "session_hash": session}


@pytest.fixture(scope="module")
def events(address: str) -> Events:
    text = urllib.request.urlopen(address).read().decode()
    config, _ = json.JSONDecoder().raw_decode(text.partition("window.gradio_config = ")[2])
    return Events(config)


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory, secret: Path) -> dict[str, Any]:
    """What stands behind the guard; see tests/mounted_page.py."""
    store = str(tmp_path_factory.mktemp("store"))
    command = [sys.executable, str(Path(__file__).parent / "mounted_page.py"), str(secret)]
    environment = {**os.environ, "FOOTNOTE_STORE": store, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    described: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return described


def send(address: str, method: str, path: str, content: bytes | None = None, **headers: str) -> tuple[int, str]:
    """The status and the body of the reply to a request; of one that streams, its beginning."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with (
        httpx.Client(timeout=20, verify=False) as client,
        client.stream(method, f"{address}{path}", content=content, headers=named) as reply,
    ):
        body = b""
        for piece in reply.iter_bytes():
            body += piece
            if len(body) > 100_000 or b"data:" in body:
                break
        return reply.status_code, body.decode(errors="replace")


def post(address: str, path: str, body: object, **headers: str) -> tuple[int, str]:
    """The reply to a JSON body."""
    return send(address, "POST", path, json.dumps(body).encode(), content_type="application/json", **headers)


# -- taken ------------------------------------------------------------------------------------


def test_no_event_takes_a_file(address: str, events: Events, secret: Path, gradio_folder: Path) -> None:
    assert len(events) > 5
    for number, count in events.items():
        for payload in hide_file(secret):
            for place in range(max(count, 1)):
                data: list[object] = [None] * count
                data[place : place + 1] = [payload]
                body = {"data": data, "fn_index": number, "session_hash": f"taker{number}"}
                for path in ("/gradio_api/queue/join", "/gradio_api/run/predict"):
                    status, text = post(address, path, body)
                    # A path as typed words is a question like any other.
                    assert status in (400, 429) or isinstance(payload, str), (number, payload, text)
                    assert SECRET not in text
        body = {"data": [None] * count, "event_data": {"value": hide_file(secret)[0]}, "fn_index": number}
        assert post(address, "/gradio_api/run/predict", {**body, "session_hash": "taker"})[0] == 400
    assert [file for file in gradio_folder.rglob("*") if file.is_file()] == []


def test_the_server_takes_nothing_from_the_messages_of_a_client(behind: dict[str, Any]) -> None:
    """What the page shows is an output alone; a conversation is what the server remembers of it."""
    assert {"State", "Textbox"} <= set(behind["inputs"])
    assert not FILED & set(behind["inputs"])


def test_every_route_but_those_of_the_page_is_closed(address: str, behind: dict[str, Any], secret: Path) -> None:
    routes = {(method, path) for method, path in behind["routes"]}
    assert len(routes) > 60
    assert OPEN - {("HEAD", "/")} <= routes
    own = {(method, path) for method, path in behind["own"]}
    assert all(re.match("/(?:api/|v1/|(?:mcp|metrics|readyz|healthz)$)", path) for _, path in own)
    for method, path in sorted(routes - OPEN - own):
        for value in ("x", f"..%2f..%2f..%2f..{secret}", f"{secret}"):
            filled = re.sub(r"\{[^}]*\}", value.lstrip("/"), path)
            status, text = send(address, method, filled, b"{}" if method == "POST" else None)
            assert status in (400, 404), (method, filled, status)
            assert SECRET not in text
            assert "{" not in text or set(json.loads(text)) == {"detail", "error"}


@pytest.mark.parametrize(
    "way", ["file=", "file/", "proxy=file://", "proxy=http://127.0.0.1:9/", "stream/a/b/", "custom_component/a/b/c/"]
)
def test_no_way_leads_to_a_file(address: str, secret: Path, way: str) -> None:
    for path in (secret, Path("README.md"), Path("/etc/passwd"), Path(f"/proc/self/cwd/../{secret}")):
        for form in (str(path), f"//{path}", str(path).replace("/", "%2f"), f"../{path}"):
            for prefix in ("/gradio_api/", "/", "/gradio_api//", "/./gradio_api/"):
                assert send(address, "GET", f"{prefix}{way}{form}")[0] in (400, 404)


@pytest.mark.parametrize("folder", ["assets", "static", "static/js"])
def test_the_files_of_the_page_lead_nowhere_else(address: str, secret: Path, folder: str) -> None:
    for up in ("../", "..%2f", "%2e%2e/", "....//", "..%5c", "%252e%252e/"):
        for depth in (1, 6, 12):
            status, text = send(address, "GET", f"/{folder}/{up * depth}{str(secret).lstrip('/')}")
            assert status in (400, 403, 404)
            assert SECRET not in text


def test_uploads_are_closed(address: str, gradio_folder: Path) -> None:
    form = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\nhello\r\n--x--\r\n'
    for path in ("/gradio_api/upload", "/gradio_api/upload?upload_id=x", "/gradio_api/component_server"):
        assert send(address, "POST", path, form, content_type="multipart/form-data; boundary=x")[0] == 404
    assert [file for file in gradio_folder.rglob("*") if file.is_file()] == []


def test_without_the_guard_a_mounted_page_gives_no_file_away_either(behind: dict[str, Any]) -> None:
    """The second wall: Gradio's own check of paths is on, for each kind of component that takes an input."""
    assert set(behind["attacked"]) >= FILED
    assert behind["leaks"] == []


# -- hosts and origins ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    [
        "evil.test",
        "evil.test:{port}",
        "127.0.0.1.evil.test",
        "localhost.evil.test:{port}",
        "127.0.0.2",
        "",
        "[::2]",
        "localhost:1:2",
        "127.0.0.1@evil.test",
    ],
)
def test_another_host_is_not_answered(address: str, host: str) -> None:
    port = address.rpartition(":")[2]
    status, text = send(address, "GET", "/", host=host.format(port=port))
    assert status == 421
    assert "opened at" in text or "open it at" in text


@pytest.mark.parametrize("host", ["localhost:{port}", "LOCALHOST:{port}", "127.0.0.1:9", "[::1]:{port}", "localhost"])
def test_its_own_names_are_answered(address: str, host: str) -> None:
    # The port may be another: that of a tunnel.
    assert send(address, "GET", "/healthz", host=host.format(port=address.rpartition(":")[2]))[0] == 200


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/x-www-form-urlencoded", ""])
@pytest.mark.parametrize(
    "origin", ["http://evil.test", "null", "http://127.0.0.1:9", "http://localhost:{port}", "file://", ""]
)
def test_a_request_of_another_origin_is_refused(address: str, events: Events, origin: str, kind: str) -> None:
    sender = {"origin": origin.format(port=address.rpartition(":")[2]), "content_type": kind}
    body = json.dumps({"data": ["x"], "fn_index": 1, "session_hash": "foreign"}).encode()
    for path in ("/gradio_api/run/predict", "/gradio_api/queue/join", "/gradio_api/upload", "/"):
        assert send(address, "POST", path, body, **sender)[0] == 403
    for path in ("/", "/gradio_api/heartbeat/foreign", "/gradio_api/queue/data?session_hash=foreign", "/healthz"):
        assert send(address, "GET", path, **sender)[0] == 403
    reply = httpx.options(
        f"{address}/gradio_api/queue/join",
        headers={"Origin": sender["origin"], "Access-Control-Request-Method": "POST"},
    )
    assert reply.status_code == 403
    assert not [name for name in reply.headers if name.startswith("access-control")]


@pytest.mark.parametrize("site", ["cross-site", "same-site", "other"])
def test_what_a_foreign_page_loads_without_an_origin_is_refused(address: str, site: str) -> None:
    for path in ("/", "/assets/x.js", "/gradio_api/heartbeat/foreign", "/healthz"):
        assert send(address, "GET", path, sec_fetch_site=site, sec_fetch_mode="no-cors")[0] == 403
    link = {"sec_fetch_site": site, "sec_fetch_mode": "navigate"}
    assert send(address, "GET", "/", **link, sec_fetch_dest="document")[0] == 200
    assert send(address, "GET", "/", **link, sec_fetch_dest="iframe")[0] == 403
    assert send(address, "POST", "/", b"", **link, sec_fetch_dest="document")[0] == 403


def test_no_proxy_is_believed(address: str) -> None:
    names = "x-forwarded-host x-forwarded-for x-forwarded-uri x-original-url x-rewrite-url x-gradio-server"
    named = dict.fromkeys([*names.split(), "forwarded", "referer", "x_forwarded_host"], "http://evil.test/evil")
    reply = httpx.get(address, headers={**named, "x-forwarded-proto": "https"})
    assert reply.status_code == 200
    assert "evil" not in reply.text


def test_the_whole_of_a_foreign_host_is_no_path(address: str) -> None:
    port = int(address.rpartition(":")[2])
    for target in ("http://evil.test/", "//evil.test/", "*", "http://127.0.0.1/gradio_api/file=/etc/passwd"):
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
            assert connection.recv(100).split()[1] in (b"400", b"404")


@pytest.mark.browser
@needs_chromium
def test_a_foreign_page_in_the_browser_reads_and_does_nothing(address: str, tmp_path: Path) -> None:
    """A page on another port of this machine, and one whose name was bound anew to this address."""
    import functools
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    from playwright.sync_api import sync_playwright
    from test_chat import CHROMIUM

    (tmp_path / "index.html").write_text("<h1>foreign</h1>")
    quiet = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *_: None})
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(quiet, directory=str(tmp_path)))  # type: ignore[arg-type]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    reach = """async address => {
      const got = {};
      const body = '{"data":["x"],"fn_index":1,"session_hash":"f"}';
      for (const [name, path, options] of [
        ['read', '/', {}], ['health', '/healthz', {}], ['opaque', '/healthz', {mode: 'no-cors'}],
        ['simple', '/gradio_api/queue/join', {method: 'POST', body}],
        ['blind', '/gradio_api/run/predict', {method: 'POST', mode: 'no-cors', body}],
        ['json', '/gradio_api/queue/join', {method: 'POST', headers: {'content-type': 'application/json'}, body}],
      ]) {
        try { const reply = await fetch(address + path, options); got[name] = reply.status + (await reply.text()); }
        catch (error) { got[name] = 'refused'; }
      }
      const framed = document.createElement('iframe'); framed.src = address; document.body.append(framed);
      await new Promise(done => framed.onload = done);
      try { got.frame = framed.contentDocument.body.innerHTML; } catch (error) { got.frame = ''; }
      return got;
    }"""
    flags = ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP evil.test 127.0.0.1"]
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
            page = browser.new_page()
            seen: dict[str, int] = {}
            page.on("response", lambda reply: seen.__setitem__(reply.url, reply.status))
            page.goto(f"http://127.0.0.1:{server.server_port}/")
            got = page.evaluate(reach, address)
            assert {name: value for name, value in got.items() if name not in ("opaque", "blind")} == {
                "read": "refused",
                "health": "refused",
                "simple": "refused",
                "json": "refused",
                "frame": "",
            }
            assert got["opaque"] in ("0", "refused")
            assert {status for url, status in seen.items() if url.startswith(address)} <= {403}
            # The same name rules for a page that is of the chat's port by name only.
            reply = page.goto(address.replace("127.0.0.1", "evil.test"))
            assert reply is not None
            assert reply.status == 421
            browser.close()
    finally:
        server.shutdown()
        server.server_close()


# -- what comes in has a shape ----------------------------------------------------------------

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
bodies = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ["data", "event_data", "fn_index", "trigger_id", "session_hash", "event_id", "batched", "simple_format"], values
    ),
)


@given(bodies | values)
def test_only_what_the_page_sends_is_an_event(body: object) -> None:
    try:
        session = read_event(json.loads(json.dumps(body)), {1: [lambda value: isinstance(value, str)]})
    except RefusedError as error:
        assert error.status == 400
    else:
        assert isinstance(body, dict)
        assert len(body["data"]) == 1
        assert isinstance(body["data"][0], str)
        assert re.fullmatch(r"[\w-]{1,64}", session, re.ASCII)


@given(st.binary(max_size=200) | st.sampled_from([b"[" * 100_000, b'{"a":' * 50_000, b"9" * 5000, b'"\\ud800"']))
def test_no_body_is_more_than_refused(body: bytes) -> None:
    try:
        read_json(body)
    except RefusedError as error:
        assert error.status == 400


@given(st.dictionaries(st.sampled_from(["host", "origin", "sec-fetch-site", "sec-fetch-mode"]), st.text()))
def test_only_its_own_hosts_and_origins_pass(headers: dict[str, str]) -> None:
    try:
        check_sender(headers, "POST", "/", guard.LOOPBACK)
    except RefusedError as error:
        assert error.status in (403, 421)
    else:
        assert headers["host"].lower().startswith(("127.0.0.1", "localhost", "[::1]"))


def test_odd_bodies_over_the_wire_are_refused_without_a_word_of_python(address: str) -> None:
    for content in (
        b"",
        b"{",
        b"[" * 100_000,
        b"\xff\xfe",
        b"null",
        b"[]",
        b'{"data": [NaN]}',
        b'{"fn_index": 1e400}',
        b"9" * 9000,
    ):
        for path in ("/gradio_api/run/predict", "/gradio_api/queue/join", "/gradio_api/cancel"):
            status, text = send(address, "POST", path, content, content_type="application/json")
            assert status == 400
            assert not re.search(r"Traceback|Error\b|line \d|pydantic|gradio", text)


def test_a_value_of_another_kind_is_no_input(address: str, events: Events) -> None:
    for number, count in events.items():
        for value in (True, 7.5, 10**30, -1, 99, [], {}, [None], {"__type__": "update"}):
            body = {"data": [value] * max(count, 1), "fn_index": number, "session_hash": f"kinds{number}"}
            assert post(address, "/gradio_api/run/predict", body)[0] == 400
    who = {"data": ["x"], "fn_index": 0, "session_hash": "kinds"}  # who writes, of which three are offered
    assert post(address, "/gradio_api/run/predict", who)[0] == 400
    unknown = {"data": [None], "fn_index": 999, "session_hash": "kinds"}
    assert post(address, "/gradio_api/run/predict", unknown)[0] == 400
    assert send(address, "GET", "/gradio_api/queue/data?session_hash=nobody")[0] == 404


def test_what_python_says_of_an_error_stays_inside(behind: dict[str, Any]) -> None:
    assert "error" in behind["failure"]
    assert not re.search("KeyError|private|'x'", behind["failure"])


# -- the door ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A chat where one logs in."""
    file = tmp_path_factory.mktemp("users") / "users.json"
    with change_users(file) as users:
        users.update({"Ada": HASHED, "Grace": HASHED})
    store = str(tmp_path_factory.mktemp("store"))
    with serving(None, "--users", str(file), FOOTNOTE_STORE=store, FOOTNOTE_TOKEN=TOKEN) as address:
        yield address


@contextlib.contextmanager
def log_in(address: str, name: str) -> Iterator[httpx.Client]:
    """A browser of somebody who has logged in."""
    with httpx.Client(base_url=address, timeout=60, verify=False, headers={"Origin": address}) as client:
        assert client.post("/login", data={"name": name, "password": "x" * 20}).status_code == 303
        yield client


def test_no_route_answers_who_has_not_logged_in(locked: str, behind: dict[str, Any], secret: Path) -> None:
    """Each route of the mounted page and of our own, with nothing, another's cookie, and another token."""
    port = locked.rpartition(":")[2]
    forged = [
        {},
        {"cookie": f"footnote_{port}=eyJ1c2VyIjogIkFkYSJ9.{'0' * 64}"},
        {"cookie": f"footnote_{port}=; access-token={TOKEN}; access-token-unsecure=x"},
        {"authorization": f"Bearer {TOKEN[:-1]}?"},
        {"authorization": "Basic QWRhOnh4eHh4eHh4eHh4eHh4eHh4eHh4"},
    ]
    routes = {(method, path) for method, path in behind["routes"]}
    assert len(routes) > 60
    for method, path in sorted({*routes, ("GET", "/mcp"), ("GET", "/gradio_api/mcp/sse"), ("POST", "/v1/chat")}):
        if path in ("/healthz", "/readyz", "/login", "/logout"):
            continue
        filled = re.sub(r"\{[^}]*\}", "x", path)
        for sender in forged if path in ("/config", "/gradio_api/queue/data", "/api/documents") else forged[:1]:
            status, text = send(locked, method, filled, b"{}" if method == "POST" else None, **sender)
            if path == "/" and method in ("GET", "HEAD"):
                assert (status, text) == (303, "")
            elif "authorization" in sender and sender["authorization"].startswith("Bearer"):
                assert status in (401, 429)
            else:
                assert status == 401, (method, filled)
                assert method == "HEAD" or "Log in first" in text
    assert send(locked, "GET", "/healthz") == (200, '{"status":"ok"}')
    assert send(locked, "GET", "/readyz")[0] in (200, 503)
    status, text = send(locked, "GET", "/login")
    assert (status, "gradio" in text, "Footnote" in text) == (200, False, True)


def test_the_page_is_told_who_has_logged_in(locked: str) -> None:
    for name in ("Ada", "Grace"):
        with log_in(locked, name) as client:
            config, _ = json.JSONDecoder().raw_decode(client.get("/").text.partition("window.gradio_config = ")[2])
            assert config["username"] == name
    reply = httpx.get(locked, headers={"Authorization": f"Bearer {TOKEN}"})
    assert '"username":"(token)"' in reply.text


def test_no_user_reads_or_changes_the_conversation_of_another(locked: str) -> None:
    with log_in(locked, "Ada") as ada, log_in(locked, "Grace") as grace:
        config, _ = json.JSONDecoder().raw_decode(ada.get("/").text.partition("window.gradio_config = ")[2])
        events = Events(config)
        take = events.to_event("take", "adas", "why was Israel skipped?")
        with ada.stream("GET", "/gradio_api/heartbeat/adas"):
            assert ada.post("/gradio_api/run/predict", json=take).status_code == 200
            for path, body in (
                ("/gradio_api/run/predict", take),
                ("/gradio_api/queue/join", events.to_event("ask", "adas")),
                ("/gradio_api/cancel", {"event_id": "x", "fn_index": 1, "session_hash": "adas"}),
            ):
                reply = grace.post(path, json=body)
                assert (reply.status_code, "another user's" in reply.text) == (403, True)
            assert ada.post("/gradio_api/queue/join", json=events.to_event("ask", "adas")).status_code == 200
            for path in ("/gradio_api/queue/data?session_hash=adas", "/gradio_api/heartbeat/adas"):
                assert grace.get(path).status_code == 403
            with ada.stream("GET", "/gradio_api/queue/data?session_hash=adas") as stream:
                last = next(line for line in stream.iter_lines() if '"process_completed"' in line)
            assert "economic diplomacy" in last


@pytest.mark.browser
@needs_chromium
def test_logging_in_asking_and_logging_out_in_the_browser(locked: str) -> None:
    from playwright.sync_api import sync_playwright
    from test_chat import CHROMIUM, ask

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.goto(locked)
        page.get_by_label("Name").fill("Ada")
        page.get_by_label("Password").fill("x" * 20)
        page.get_by_role("button", name="Log in").first.click()
        page.wait_for_selector("#question textarea")
        assert "economic diplomacy" in ask(page, "why was Israel skipped?")
        assert page.evaluate("window.footnote.owner") == "Ada"
        assert page.evaluate("document.cookie") == ""
        page.evaluate(
            "() => { const form = document.createElement('form'); form.method = 'post'; form.action = 'logout';"
            " document.body.append(form); form.submit(); }"
        )
        page.wait_for_url(f"{locked}/login")
        page.goto(locked)
        assert page.url == f"{locked}/login"
        browser.close()


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.0.2.7"])
def test_beyond_this_machine_nobody_is_served_without_a_door(address: str) -> None:
    command = [sys.executable, str(ROOT / "app.py"), "--host", address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "others can reach the chat too: say who may come in, with --users FILE" in done.stderr
    assert done.stderr.count("\n") == 1


# -- nobody is starved ------------------------------------------------------------------------


def ask_over_the_wire(address: str, session: str, events: Events) -> str:
    """What the page does for one question, and the last message of its stream; tries again when it is told to."""
    with (
        httpx.Client(timeout=60, verify=False) as client,
        client.stream("GET", f"{address}/gradio_api/heartbeat/{session}"),
    ):
        body = events.to_event("take", session, "why was Israel skipped?")
        client.post(f"{address}/gradio_api/run/predict", json=body).raise_for_status()
        for _ in range(60):
            joined = client.post(f"{address}/gradio_api/queue/join", json=events.to_event("ask", session))
            if joined.status_code == 200:
                break
            assert joined.status_code == 429
            assert re.search(r"try again in", joined.json()["detail"])
            time.sleep(0.5)
        last = ""
        with client.stream("GET", f"{address}/gradio_api/queue/data?session_hash={session}") as stream:
            for line in stream.iter_lines():
                last = line or last
                if '"process_completed"' in line:
                    break
        return last


def test_a_question_over_the_wire_is_answered(address: str, events: Events) -> None:
    assert "economic diplomacy" in ask_over_the_wire(address, "honest0", events)


def test_jobs_that_nobody_collects_starve_nobody(address: str, events: Events) -> None:
    statuses: list[int] = []

    def flood(first: int) -> None:
        with httpx.Client(timeout=30, verify=False) as client:
            for number in range(first, first + 250):
                # A question that takes a while, or as many would be answered as are sent.
                client.post(f"{address}/gradio_api/run/predict", json=events.to_event("take", f"flood{number}", LONG))
                body = events.to_event("ask", f"flood{number}")
                reply = client.post(f"{address}/gradio_api/queue/join", json=body)
                statuses.append(reply.status_code)
                if reply.status_code == 429:
                    assert int(reply.headers["retry-after"]) >= 1

    floods = [threading.Thread(target=flood, args=(first,)) for first in range(0, 1000, 250)]
    for thread in floods:
        thread.start()
    started = time.monotonic()
    last = ask_over_the_wire(address, "honest1", events)
    waited = time.monotonic() - started
    for thread in floods:
        thread.join()
    assert "economic diplomacy" in last
    assert waited < 20
    assert len(statuses) == 1000
    assert set(statuses) <= {200, 429}
    assert statuses.count(429) > 500


def test_one_conversation_asks_one_question_after_the_other(address: str, events: Events) -> None:
    body = events.to_event("ask", "hasty")
    with httpx.Client(verify=False) as client, client.stream("GET", f"{address}/gradio_api/heartbeat/hasty"):
        assert post(address, "/gradio_api/run/predict", events.to_event("take", "hasty", LONG))[0] == 200
        replies = [post(address, "/gradio_api/queue/join", body) for _ in range(10)]
    assert replies[0][0] == 200
    assert any("under way" in text for status, text in replies if status == 429)
    typed = events.to_event("take", "hasty", "x")
    many = [post(address, "/gradio_api/run/predict", typed) for _ in range(200)]
    assert any("Too many requests: try again in a second." in text for status, text in many if status == 429)


def test_a_large_body_is_not_taken_in(address: str) -> None:
    port = int(address.rpartition(":")[2])
    for head in ("Content-Length: 200000000", "Transfer-Encoding: chunked"):
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(f"POST /gradio_api/run/predict HTTP/1.1\r\nHost: localhost\r\n{head}\r\n\r\n".encode())
            sent = 0
            piece = b"x" * 65_536 if "Content" in head else b"10000\r\n" + b"x" * 65_536 + b"\r\n"
            try:
                while sent < 50_000_000:
                    connection.sendall(piece)
                    sent += len(piece)
            except OSError:
                pass  # closed on us
            assert sent < 20_000_000
    # And one that does not come is not waited for.
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(b"POST /gradio_api/run/predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nx")
        started = time.monotonic()
        assert connection.recv(100).split()[1] == b"408"
        assert time.monotonic() - started < BODY_SECONDS + 5


def test_connections_that_ask_nothing_are_closed(address: str) -> None:
    port = int(address.rpartition(":")[2])
    idle = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(MOST_CONNECTIONS + 100)]
    try:
        for connection in idle[-50:]:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: local")  # and never the rest
        started = time.monotonic()
        assert send(address, "GET", "/healthz")[0] == 200
        assert time.monotonic() - started < 5
        for connection in itertools.chain(idle[:1], idle[-1:]):
            connection.settimeout(IDLE_SECONDS + 5)
            with contextlib.suppress(ConnectionResetError):
                assert connection.recv(1) == b""
    finally:
        for connection in idle:
            connection.close()


@pytest.mark.parametrize("kind", ["body", "reader"])
def test_who_keeps_the_server_waiting_makes_room_for_others(address: str, kind: str) -> None:
    """A body that does not come, a response that nobody reads: an honest request is answered all the same."""
    port = int(address.rpartition(":")[2])
    page = urllib.request.urlopen(address).read().decode()
    large = max(
        re.findall(r"/?assets/[\w.-]+\.js", page), key=lambda path: len(send(address, "GET", f"/{path.lstrip('/')}")[1])
    )
    request = (
        "POST /gradio_api/cancel HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nx"
        if kind == "body"
        else f"GET /{large.lstrip('/')} HTTP/1.1\r\nHost: localhost\r\n\r\n"
    )
    held = []
    try:
        for _ in range(MOST_CONNECTIONS + 20):
            connection = socket.socket()
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            connection.connect(("127.0.0.1", port))
            held.append(connection)
            with contextlib.suppress(OSError):
                connection.sendall(request.encode())
        for _ in range(10):
            assert send(address, "GET", "/healthz")[0] == 200
    finally:
        for connection in held:
            connection.close()


def test_odd_paths_and_empty_events_are_refused_in_a_sentence(address: str, events: Events) -> None:
    for path in ("/assets/" + "a" * 5000, "/assets" + "/a" * 5000, "/static/" + "%61" * 300):
        assert send(address, "GET", path)[0] == 404
    for number, count in events.items():
        body = {"data": [None] * count, "fn_index": number, "session_hash": f"empty{number}"}
        status, text = post(address, "/gradio_api/run/predict", body)
        assert status in (200, 400, 404)
        assert "object at 0x" not in text


def test_beats_leave_room_for_answers(address: str, events: Events) -> None:
    port = int(address.rpartition(":")[2])
    held = []
    try:
        for number in range(limits.MOST_BEATS + 20):
            connection = socket.create_connection(("127.0.0.1", port), timeout=10)
            held.append(connection)
            request = f"GET /gradio_api/heartbeat/beat{number} HTTP/1.1\r\nHost: localhost\r\n\r\n"
            connection.sendall(request.encode())
        assert b"429" in held[-1].recv(100)
        assert "economic diplomacy" in ask_over_the_wire(address, "honest2", events)
    finally:
        for connection in held:
            connection.close()


def test_streams_are_bounded(address: str) -> None:
    port = int(address.rpartition(":")[2])
    held, statuses = [], []
    try:
        for _ in range(3 * limits.MOST_STREAMS_OF_SESSION):
            connection = socket.create_connection(("127.0.0.1", port), timeout=10)
            held.append(connection)
            connection.sendall(b"GET /gradio_api/heartbeat/holder HTTP/1.1\r\nHost: localhost\r\n\r\n")
            statuses.append(connection.recv(4096).split()[1])
        assert statuses.count(b"429") >= limits.MOST_STREAMS_OF_SESSION
        assert send(address, "GET", "/gradio_api/heartbeat/another")[0] == 200
    finally:
        for connection in held:
            connection.close()


@pytest.mark.browser
@needs_chromium
def test_the_chat_in_the_browser_after_all_this(address: str) -> None:
    from test_chat import ask

    with browsing(address) as (page, outside):
        assert "economic diplomacy" in ask(page, "why was Israel skipped?")
        assert outside == []
