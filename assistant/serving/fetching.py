"""A web page is fetched from the address that somebody gives: bounded in size and time, and from the public web alone.

The name is looked up once, every address that it has must be public, and the connection goes to one of those that were
looked at: what the name means a moment later counts no more. Each redirect is an address like the first.

But: no proxy is used, no cookie kept and no script run, so that a page which is drawn by its scripts says little.
"""

from __future__ import annotations

import codecs
import html
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as LateError
from datetime import date
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address
from typing import Any, NamedTuple

import httpcore
import httpx

from index.errors import InputError
from index.loading.formats import MEGABYTE, UnreadableError

LARGEST_PAGE_BYTES = 10 * MEGABYTE
TOTAL_SECONDS = 20.0
MOST_REDIRECTS = 5
LONGEST_ADDRESS_CHARACTERS = 2_000
_TITLE = re.compile(r"<title(?:\s[^<>]{0,200})?>([^<]{1,500})", re.IGNORECASE)
_HEADERS = (
    (b"User-Agent", b"Footnote"),
    (b"Accept", b"text/html,application/xhtml+xml,text/plain;q=0.8"),
    (b"Accept-Encoding", b"identity"),  # nothing is unpacked here
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NOBODYS = (IPv4Network("192.0.0.0/24"), IPv4Network("192.88.99.0/24"))

Resolve = Callable[[str, int], Sequence[str]]


class FetchError(InputError):
    """Why a page was not fetched, in a sentence."""


class Page(NamedTuple):
    """A page that was fetched: from where in the end, its bytes, its encoding as the server says, and what it is."""

    address: str
    content: bytes
    charset: str
    is_plain: bool


def fetch_page(address: str, resolve: Resolve | None = None) -> Page:
    """Fetch a page. resolve: gives the addresses of a host and port. Raises FetchError."""
    end = time.monotonic() + TOTAL_SECONDS
    url = _read_address(address)
    network = _PublicNetwork(resolve or look_up, end)
    with httpcore.ConnectionPool(ssl_context=_make_context(), network_backend=network, max_connections=1) as pool:
        for _ in range(MOST_REDIRECTS + 1):
            try:
                with pool.stream("GET", str(url), headers=[(b"Host", url.netloc), *_HEADERS]) as response:
                    headers = {name.lower(): value.decode("latin-1") for name, value in response.headers}
                    if response.status not in (301, 302, 303, 307, 308):
                        return _read(url, response.status, headers, response.iter_stream(), end)
            except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
                raise _explain(url, error) from error
            url = _read_address(headers.get(b"location", ""), url)
    raise FetchError(f"{url.host} only leads from one address to the next: open the page, and save it to a file.")


def write_page(page: Page, today: date) -> tuple[str, bytes]:
    """The name and the content of the file that a page is kept in: both say whence it is, and of which day.

    Raises FetchError where it is no text.
    """
    text, host = _decode(page), httpx.URL(page.address).host
    title = _TITLE.search(text[:200_000])
    named = " ".join(html.unescape(title[1]).split()) if title and not page.is_plain else ""
    named = re.sub(r"[/\\]", "-", named)[:80]
    name = f"{named or 'Page'} ({host[:60]}, {today.isoformat()})"
    if page.is_plain:
        return f"{name}.txt", text.encode("utf-8", "replace")
    # As browsers note it; two dashes would end the note.
    note = f"<!-- saved from {page.address.replace('--', '%2D%2D')} on {today.isoformat()} -->\n"
    # The mark says that this is UTF-8, whatever the page says of itself.
    return f"{name}.html", codecs.BOM_UTF8 + (note + text.removeprefix("\ufeff")).encode("utf-8", "replace")


def look_up(host: str, port: int) -> list[str]:
    """The addresses that a host has. Raises OSError."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def is_public(address: str) -> bool:
    """Whether an address is one of the public internet, and stands for no other in disguise.

    By IANA's registries of special-purpose addresses, as Python knows them; of IPv6 only global unicast (RFC 4291)
    without what carries an address of IPv4 (6to4, Teredo; mapped ones and NAT64's are none).
    """
    try:
        given = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if not given.is_global or given.is_multicast:
        return False
    if isinstance(given, IPv4Address):
        return not given.is_reserved and not any(given in network for network in _NOBODYS)
    return given in _GLOBAL_UNICAST and not (given.sixtofour or given.teredo)


class _PublicNetwork(httpcore.NetworkBackend):
    """Connects to public addresses alone, until a moment."""

    def __init__(self, resolve: Resolve, end: float) -> None:
        self._resolve = resolve
        self._end = end

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to a host, by an address that was looked at."""
        addresses = self._look_up(host, port)
        if not addresses or not all(map(is_public, addresses)):
            raise FetchError(f"{host} is no address of the public web: pages within a network are not fetched.")
        failed: Exception = httpcore.ConnectError()
        for address in addresses[:4]:
            try:
                return _Bounded(httpcore.SyncBackend().connect_tcp(address, port, _left(self._end)), self._end)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise failed

    def _look_up(self, host: str, port: int) -> Sequence[str]:
        # The system's own look-up knows no limit of time.
        pool = ThreadPoolExecutor(1)
        try:
            return pool.submit(self._resolve, host, port).result(_left(self._end))
        except LateError:
            raise httpcore.ConnectTimeout from None
        except (OSError, UnicodeError) as error:
            raise FetchError(f"{host} is not known: check the address.") from error
        finally:
            pool.shutdown(wait=False)


class _Bounded(httpcore.NetworkStream):
    """A connection whose every step ends by a moment, however slowly the other side goes."""

    def __init__(self, stream: httpcore.NetworkStream, end: float) -> None:
        self._stream = stream
        self._end = end

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._end))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._end))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Bounded(self._stream.start_tls(ssl_context, server_hostname, _left(self._end)), self._end)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _make_context() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


def _left(end: float) -> float:
    if (left := end - time.monotonic()) <= 0:
        raise httpcore.ReadTimeout
    return left


def _read_address(address: str, base: httpx.URL | None = None) -> httpx.URL:
    """The address of a page, as it is given or, with a base, as that page names it. Raises FetchError."""
    if len(address) > LONGEST_ADDRESS_CHARACTERS:
        raise FetchError("The address is too long: give that of a web page.")
    try:
        url = base.join(address) if base else httpx.URL(address.strip())
        is_page = url.scheme in ("http", "https") and url.host and 0 < (url.port or 1) < 65_536 and not url.userinfo
    except (httpx.InvalidURL, ValueError):
        is_page = False
    if not is_page:
        raise FetchError("That is no address of a web page: give one that begins with https:// or http://.")
    return url.copy_with(fragment=None)


def _read(url: httpx.URL, status: int, headers: dict[bytes, str], parts: Iterable[bytes], end: float) -> Page:
    if status != 200:
        raise FetchError(f"{url.host} answers with {status}, and no page: check the address in a browser.")
    kind, _, fields = headers.get(b"content-type", "").partition(";")
    kind = kind.strip().lower()
    if kind not in ("text/html", "application/xhtml+xml", "text/plain"):
        raise FetchError(f"{url.host} gives no web page there: download the file, and upload it.")
    if headers.get(b"content-encoding", "identity").lower() != "identity":
        raise FetchError(f"{url.host} gives the page packed: open it, and save it to a file.")
    content = b""
    for part in parts:
        content += part
        if len(content) > LARGEST_PAGE_BYTES:
            raise FetchError(f"The page is larger than {LARGEST_PAGE_BYTES // MEGABYTE} MB, and not taken.")
    charset = re.search(r"charset=[\"']?([\w.:-]{1,40})", fields, re.IGNORECASE)
    return Page(str(url), content, charset[1] if charset else "", kind == "text/plain")


def _decode(page: Page) -> str:
    from index.loading.formats.text import decode, decode_as
    from index.loading.formats.web import decode_page

    try:
        return decode_as(page.content, page.charset) if page.charset else decode_page(page.content)
    except (LookupError, UnicodeDecodeError, ValueError):
        pass  # which the server then said in error
    except UnreadableError as error:
        raise FetchError("What is there is no text.") from error
    try:
        return decode(page.content)
    except UnreadableError as error:
        raise FetchError("What is there is no text.") from error


def _explain(url: httpx.URL, error: Exception) -> FetchError:
    if isinstance(error, httpcore.TimeoutException):
        return FetchError(f"{url.host} does not answer within {TOTAL_SECONDS:.0f} seconds: try again later.")
    return FetchError(f"{url.host} could not be reached ({str(error)[:200] or type(error).__name__}).")
