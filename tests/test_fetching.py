"""A web page is fetched: from the public web alone, bounded, and kept with its address and day."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from assistant.serving import fetching
from assistant.serving.fetching import FetchError, Page, fetch_page, is_public, write_page
from assistant.serving.uploads import Uploads
from index.loading.loader import load

TODAY = date(2026, 11, 30)
PAGE = (
    "<!DOCTYPE html><html><head><title>How to bake</title></head><body><article><h1>How to bake bread</h1>"
    "<p>Knead the dough for ten minutes, and let it rest for an hour in a warm place.</p></article></body></html>"
)


class _Site(BaseHTTPRequestHandler):
    """A site whose paths say what it does."""

    asked: list[str]
    server: _Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        kind, _, rest = self.path.lstrip("/").partition("/")
        headers, body, status = {"Content-Type": "text/html; charset=utf-8"}, PAGE.encode(), 200
        if kind == "to":
            status, headers["Location"], body = 302, rest, b""
        elif kind == "type":
            headers["Content-Type"] = rest
        elif kind == "status":
            status = int(rest)
        elif kind == "packed":
            headers["Content-Encoding"] = "gzip"
        elif kind == "large":
            body = b"x" * 200_000
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        try:
            if kind == "slow":
                for letter in PAGE:
                    self.wfile.write(letter.encode())
                    time.sleep(0.05)
            self.wfile.write(body)
        except OSError:
            pass

    def log_message(self, *_: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    asked: list[str]


@pytest.fixture
def site() -> Iterator[_Server]:
    server = _Server(("127.0.0.1", 0), _Site)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever, args=[0.01])
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


NAMES = {"site.example": ["127.0.0.1"], "inner.example": ["10.0.0.1"], "both.example": ["127.0.0.1", "10.0.0.1"]}


def resolve(host: str, port: int) -> Sequence[str]:
    if host not in NAMES:
        raise OSError("not known")
    return NAMES[host]


@pytest.fixture
def _loopback_is_public(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one server that a test may ask counts as the public web."""
    monkeypatch.setattr(fetching, "is_public", lambda address: address == "127.0.0.1")


# -- where to -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    """127.0.0.1 127.8.8.8 0.0.0.0 10.1.2.3 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254 100.64.0.1 192.0.0.8
    192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 192.88.99.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
    :: ::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::127.0.0.1 fe80::1 fe80::1%eth0 fc00::1 fd12::1 fec0::1 ff02::1 2001:db8::1
    64:ff9b::7f00:1 64:ff9b:1::1 2002:7f00:1:: 2001:0:4136:e378:8000:63bf:3fff:fdd2 100::1 5f00::1 nonsense
    """.split(),
)
def test_what_is_not_of_the_public_web(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "172.32.0.1", "2606:4700:4700::1111", "2a00:1450::1"])
def test_what_is_of_the_public_web(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0", "[::ffff:127.0.0.1]", "[::1]"]
)
def test_a_server_on_this_machine_is_never_asked(site: _Server, host: str) -> None:
    with pytest.raises(FetchError, match=r"not fetched|is not known"):
        fetch_page(f"http://{host}:{site.server_port}/")
    assert site.asked == []


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "ftp://site.example/",
        "javascript:alert(1)",
        "//site.example/",
        "http://",
        "http://a:b@site.example/",
        "http://site.example:99999/",
        "http://site.example:-1/",
        "site.example",
        "",
        "http://" + "x" * 3000,
    ],
)
def test_what_is_no_address_of_a_page(address: str) -> None:
    with pytest.raises(FetchError, match="address"):
        fetch_page(address, resolve)


@pytest.mark.usefixtures("_loopback_is_public")
def test_a_name_must_mean_public_addresses_alone(site: _Server) -> None:
    for host in ("inner.example", "both.example"):
        with pytest.raises(FetchError, match="no address of the public web"):
            fetch_page(f"http://{host}:{site.server_port}/", resolve)
    with pytest.raises(FetchError, match="is not known"):
        fetch_page(f"http://other.example:{site.server_port}/", resolve)
    assert site.asked == []


@pytest.mark.usefixtures("_loopback_is_public")
def test_a_name_is_looked_up_once_for_each_connection(site: _Server) -> None:
    meanings = iter([["127.0.0.1"], ["10.0.0.1"]])  # as a name that is bound anew between the look and the connection
    page = fetch_page(f"http://site.example:{site.server_port}/", lambda host, port: next(meanings))
    assert page.content == PAGE.encode()
    assert next(meanings) == ["10.0.0.1"]


@pytest.mark.usefixtures("_loopback_is_public")
def test_each_redirect_is_looked_at_anew(site: _Server) -> None:
    start = f"http://site.example:{site.server_port}"
    page = fetch_page(f"{start}/to//end#part", resolve)
    assert (page.address, site.asked) == (f"{start}/end", ["/to//end", "/end"])
    for target, why in (
        (f"http://inner.example:{site.server_port}/", "no address of the public web"),
        (f"http://127.0.0.2:{site.server_port}/", r"no address of the public web|is not known"),
        ("file:///etc/passwd", "no address of a web page"),
        ("http://[::1", "no address of a web page"),
        ("http://site.example:no/", "no address of a web page"),
        (f"http://site.example/{'x' * 70_000}", "too long"),
    ):
        with pytest.raises(FetchError, match=why):
            fetch_page(f"{start}/to/{target}", resolve)
    site.asked.clear()
    with pytest.raises(FetchError, match="from one address to the next"):
        fetch_page(f"{start}/to/?", resolve)
    assert len(site.asked) == 6


# -- how much -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("_loopback_is_public")
def test_what_is_no_page_is_not_taken(site: _Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "LARGEST_PAGE_BYTES", 100_000)
    monkeypatch.setattr(fetching, "TOTAL_SECONDS", 1.0)
    for path, why in (
        ("type/application/pdf", "no web page"),
        ("status/404", "answers with 404"),
        ("status/500", "answers with 500"),
        ("packed", "packed"),
        ("large", "larger than"),
        ("slow", "does not answer within"),
    ):
        with pytest.raises(FetchError, match=why):
            fetch_page(f"http://site.example:{site.server_port}/{path}", resolve)
    with pytest.raises(FetchError, match="could not be reached"):
        fetch_page(f"https://site.example:{site.server_port}/", resolve)  # it speaks no TLS


def test_a_look_up_that_takes_for_ever_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "TOTAL_SECONDS", 0.1)
    may_end = threading.Event()

    def wait(host: str, port: int) -> Sequence[str]:
        may_end.wait(30)
        return []

    try:
        with pytest.raises(FetchError, match="does not answer"):
            fetch_page("http://site.example/", wait)
    finally:
        may_end.set()


# -- what is kept -------------------------------------------------------------------------------


@pytest.mark.usefixtures("_loopback_is_public")
def test_a_page_is_kept_with_its_address_and_day(site: _Server, folder: Path) -> None:
    page = fetch_page(f"http://site.example:{site.server_port}/a--b", resolve)
    file = Uploads(folder).save(*write_page(page, TODAY))
    assert file.name == "How to bake (site.example, 2026-11-30).html"
    written = file.read_text("utf-8-sig")
    assert written.startswith(
        f"<!-- saved from http://site.example:{site.server_port}/a%2D%2Db on 2026-11-30 -->\n<!DO"
    )
    document = load(file, file.name)
    assert document.title == "How to bake bread"
    assert "Knead the dough for ten minutes" in document.text


@pytest.mark.parametrize(
    ("content", "charset", "shown"),
    [
        ("<html><head><title>Größe</title></head><p>Größe</p></html>".encode("latin-1"), "iso-8859-1", "Größe"),
        ('<html><meta charset="windows-1251"><p>Размер всего</p></html>'.encode("cp1251"), "", "Размер"),
        ('<html><meta charset="iso-8859-1"><p>Größe</p></html>'.encode(), "utf-8", "Größe"),
        ("<html><p>Größe</p></html>".encode(), "no-such-charset", "Größe"),
        ("<html><p>Größe</p></html>".encode(), "ascii", "Größe"),
        ("<html><p>Größe</p></html>".encode(), "base64", "Größe"),
        ("<html><p>Größe</p></html>".encode(), "punycode", "Größe"),
        ('<html><meta charset="undefined"><p>Größe</p></html>'.encode(), "", "Größe"),
    ],
)
def test_a_page_is_kept_in_the_encoding_that_it_is_in(folder: Path, content: bytes, charset: str, shown: str) -> None:
    file = Uploads(folder).save(*write_page(Page("https://site.example/", content, charset, False), TODAY))
    assert shown in load(file, file.name).text


def test_a_plain_page_stays_plain(folder: Path) -> None:
    page = Page("https://site.example/robots.txt", b"Alpha beta.", "utf-8", True)
    file = Uploads(folder).save(*write_page(page, TODAY))
    assert file.name == "Page (site.example, 2026-11-30).txt"
    assert file.read_bytes() == b"Alpha beta."


def test_half_a_character_is_none_of_a_page() -> None:
    for charset, content in (("unicode_escape", rb"Alpha \ud800"), ("utf-7", b"Alpha +2AA-")):
        assert write_page(Page("https://site.example/", content, charset, True), TODAY)[1] == content


def test_what_is_no_text_is_no_page() -> None:
    with pytest.raises(FetchError, match="no text"):
        write_page(Page("https://site.example/", bytes(range(256)) * 3, "", False), TODAY)
