"""What is asked of a Chroma server comes about or fails in a sentence, whatever the network and the server do."""

from __future__ import annotations

import gzip
import json
import random
import re
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from chroma_server import (
    ChromaRun,
    Fault,
    Network,
    fall_silent,
    hang_up,
    lose_reply,
    pour,
    pour_error,
    redirect,
    refuse,
    refuse_with_page,
    send,
)

from index.connection import choose_wait
from index.errors import StoreError
from index.settings import Settings
from index.storing.shared.server import Address, ChromaServer, Collection, CollectionGoneError, ServerAwayError
from index.storing.shared.store import SharedStore

TOKEN = "a-token-that-nobody-may-see"
HNSW = {"space": "l2"}
AWAY = r"The Chroma server at http://127\.0\.0\.1:\d+ does not answer \(.*\): see that it runs and is reached from here"


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes seconds in earnest is shorter here."""
    monkeypatch.setattr("index.connection.FIRST_WAIT_SECONDS", 0.02)


@pytest.fixture
def rows(network: Network, tmp_path: Path) -> Iterator[Collection]:
    """A collection of one row, asked for over the network."""
    name = re.sub("[^a-z0-9]+", "-", tmp_path.name)[:90].strip("-")
    with closing(ChromaServer(Address(network.url, TOKEN))) as server:
        rows = server.open(f"{name}-rows", {}, HNSW)
        rows.upsert(["first"], embeddings=[[1.0, 0.0]], metadatas=[{"is": "there"}])
        network.asked.clear()
        yield rows


def ask_for_first(rows: Collection, patience_seconds: float = 30) -> object:
    return rows.get(["first"], include=["metadatas"], patience_seconds=patience_seconds)["metadatas"]


# -- it is tried again ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "faults",
    [
        [refuse(500)],
        [refuse(429), refuse(503), refuse(502), refuse(504), refuse(408)],
        [refuse_with_page(502), refuse_with_page(429)],
        [refuse(503, headers=[("retry-after", "nonsense")])],
        [hang_up, lose_reply, hang_up],
        [lose_reply, lose_reply],
        [pour_error],
    ],
)
def test_what_passes_by_is_waited_for(network: Network, rows: Collection, faults: list[Fault]) -> None:
    network.faults = list(faults)
    assert ask_for_first(rows) == [{"is": "there"}]
    assert len(network.asked) == len(faults) + 1


def test_what_was_done_though_the_reply_was_lost_is_done_once(network: Network, rows: Collection) -> None:
    network.faults = [lose_reply]
    rows.add(["second"], embeddings=[[0.0, 1.0]], metadatas=[{"writer": "one"}])
    network.faults = [lose_reply]
    rows.add(["second"], embeddings=[[0.0, 1.0]], metadatas=[{"writer": "other"}])
    assert rows.get(["second"], include=["metadatas"])["metadatas"] == [{"writer": "one"}]
    assert rows.count() == 2
    network.faults = [lose_reply]
    rows.delete(["second"])
    assert rows.count() == 1


def test_a_server_that_says_when_to_come_again_is_asked_then(network: Network, rows: Collection) -> None:
    network.faults = [refuse(429, headers=[("retry-after", "1")])]
    assert ask_for_first(rows) == [{"is": "there"}]
    first, second = network.asked
    assert 1.0 <= second.seconds - first.seconds < 3.0


def test_the_pauses_grow_and_differ_and_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.connection.FIRST_WAIT_SECONDS", 0.5)
    random.seed(7)
    for attempt in range(1, 6):
        waits = [choose_wait(attempt) for _ in range(100)]
        assert all(wait is not None and 0.25 * 2 ** (attempt - 1) <= wait <= 0.5 * 2 ** (attempt - 1) for wait in waits)
        assert len({*waits}) > 90
    assert choose_wait(1, 3600) is None


def test_a_pause_that_the_server_asks_for_is_bounded(
    monkeypatch: pytest.MonkeyPatch, network: Network, rows: Collection
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("index.storing.shared.server.time.sleep", waits.append)
    network.faults = [refuse(429, headers=[("retry-after", told)]) for told in ("86400", "inf", "-5", "nan")]
    assert ask_for_first(rows) == [{"is": "there"}]
    assert len(waits) == 4
    assert all(0 <= wait <= 20 for wait in waits)


def test_a_server_that_is_not_reached_for_a_while_is_waited_for(network: Network, rows: Collection) -> None:
    found: list[object] = []
    with network.down():
        asking = threading.Thread(target=lambda: found.append(ask_for_first(rows)))
        asking.start()
        time.sleep(0.7)
        assert asking.is_alive()
    asking.join()
    assert found == [[{"is": "there"}]]


def test_a_server_that_is_killed_and_started_again_is_waited_for(chroma: ChromaRun, rows: Collection) -> None:
    chroma.kill()
    found: list[object] = []
    asking = threading.Thread(target=lambda: found.append(ask_for_first(rows, 60)))
    asking.start()
    chroma.start()
    asking.join()
    assert found == [[{"is": "there"}]]


# -- it fails in a sentence -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (refuse(429, "Too many."), "error 429: Too many."),
        (refuse(500, "a\n  b"), "error 500: a b"),
        (refuse_with_page(503), "error 503: .*nginx"),
        (refuse(500, "x" * 100_000), "error 500: .*x{200,}\\)"),
        (refuse(500, "database or disk is full"), "its disk is full: database or disk is full"),
        (refuse(500, "Failed to apply logs to the metadata segment"), "its disk is full: .*; once there is room, "),
        (refuse(500, "(code: 5) database is locked"), "it hangs as after its disk was full: .*, and start it again"),
        (send(b"null"), "what it says is no reply of a Chroma server"),
        (hang_up, "."),
        (lose_reply, "."),
        (pour, "The reply has no end."),
        (pour_error, "."),
    ],
)
def test_what_never_passes_by_is_told_in_time(network: Network, rows: Collection, fault: Fault, why: str) -> None:
    network.always = fault
    begun = time.monotonic()
    with pytest.raises(ServerAwayError, match=AWAY) as told:
        ask_for_first(rows, 1.0)
    assert time.monotonic() - begun < 10
    assert len(str(told.value)) < 600
    assert told.match(rf"does not answer \({why}")
    assert len(network.asked) > (1 if fault not in (pour, pour_error) else 0)


def test_a_server_that_nobody_runs_is_told(network: Network, rows: Collection) -> None:
    with network.down(), pytest.raises(ServerAwayError, match=AWAY):
        ask_for_first(rows, 0.5)


def test_a_server_that_says_nothing_is_told_about_as_soon_as_somebody_waits(network: Network, rows: Collection) -> None:
    network.always = fall_silent
    begun = time.monotonic()
    with pytest.raises(ServerAwayError, match=AWAY):
        ask_for_first(rows, 1.0)
    assert time.monotonic() - begun < 12


def test_a_slow_server_is_waited_for_where_nobody_waits_for_us(network: Network, rows: Collection) -> None:
    network.delay_seconds = 1.5
    assert ask_for_first(rows) == [{"is": "there"}]
    assert len(network.asked) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_token_that_is_refused_is_told_at_once(network: Network, rows: Collection, status: int) -> None:
    network.always = refuse(status, f"no {TOKEN}")
    with pytest.raises(StoreError, match=rf"refuses us \(error {status}\): see that FOOTNOTE_CHROMA_TOKEN") as told:
        ask_for_first(rows)
    assert not isinstance(told.value, ServerAwayError)
    assert len(network.asked) == 1
    assert TOKEN not in str(told.value)


def test_a_redirect_is_not_followed(network: Network, rows: Collection, chroma: ChromaRun) -> None:
    with Network(chroma.url) as elsewhere:
        for status in (301, 302, 307, 308):
            network.faults = [redirect(f"{elsewhere.url}/api/v2/heartbeat", status)]
            with pytest.raises(StoreError, match=f"refuses what is asked .error {status}"):
                ask_for_first(rows)
        assert not elsewhere.asked


PAGE = b"<!doctype html><html><body>Welcome to the guests' network</body></html>"


@pytest.mark.parametrize(
    "fault",
    [
        send(PAGE, "text/html"),
        send(b""),
        send(b"\xff\xfe"),
        send(b"{}"),
        send(b"[]"),
        send(b'"words"'),
        send(b"7"),
        send(b"[" * 100_000),
        send(json.dumps({"ids": 7, "metadatas": None, "include": []}).encode()),
        send(json.dumps({"ids": ["first", "second"], "metadatas": [None], "include": ["metadatas"]}).encode()),
    ],
)
def test_what_no_chroma_server_says_is_told(network: Network, rows: Collection, fault: Fault) -> None:
    network.always = fault
    with pytest.raises(StoreError, match=r"The Chroma server at http://127\.0\.0\.1:\d+ .*: see that it") as told:
        rows.get(["first"], include=["metadatas"], patience_seconds=0.3)
    assert "FOOTNOTE_CHROMA_URL" not in str(told.value)


@pytest.mark.parametrize(
    "fault",
    [
        *(send(body) for body in (PAGE, b"{}", b"null", b"[7]", b'{"name": 7}')),
        refuse_with_page(404),
        refuse(404, "Not Found"),
        *(lambda handler, body=body: handler.send("application/json", body, 500) for body in (b"[" * 2000, b"\xff")),
    ],
)
def test_what_no_chroma_server_says_of_a_collection_is_told(network: Network, rows: Collection, fault: Fault) -> None:
    network.always = fault
    found = r"The Chroma server at http://127\.0\.0\.1:\d+ .*: see that it"
    with closing(ChromaServer(Address(network.url))) as server, pytest.raises(StoreError, match=found):
        server.find(rows.name, 0.3)
    with pytest.raises(StoreError, match=found):
        rows.query(np.array([1.0, 0.0], np.float32), 1, 0.3)


def test_nothing_is_unpacked(network: Network, rows: Collection) -> None:
    bomb = gzip.compress(gzip.compress(b" " * 50_000_000))
    network.always = send(bomb, headers=[("content-encoding", "gzip, gzip")])
    with pytest.raises(StoreError, match="The Chroma server at"):
        ask_for_first(rows, 0.3)
    network.always = None
    ask_for_first(rows)
    assert network.asked[-1].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("url", ["chroma", "ftp://a", "http://", "http://a:99999", "http://\u2603.\udc80/"])
def test_an_address_that_is_none_is_told(url: str) -> None:
    with pytest.raises(StoreError, match=r"FOOTNOTE_CHROMA_URL, .* is no server's address"):
        ChromaServer(Address(url)).find("some-rows", 0.3)


def test_a_tenant_or_database_that_the_server_does_not_have_is_told(chroma: ChromaRun, tmp_path: Path) -> None:
    for address in (Address(chroma.url, tenant="nobody"), Address(chroma.url, database="nothing")):
        with pytest.raises(StoreError, match=r"see that .* has the tenant and the database|tenant .* database"):
            SharedStore(tmp_path / "stores", tmp_path, "test", 12, address, None)


def test_a_collection_that_is_gone_is_told_apart(network: Network, rows: Collection) -> None:
    with closing(ChromaServer(Address(network.url))) as server:
        server.delete(rows.name)
        server.delete(rows.name)
        assert server.find(rows.name) is None
    with pytest.raises(CollectionGoneError):
        rows.count()


# -- who sees what ----------------------------------------------------------------------------


def test_the_token_goes_in_headers_alone(network: Network, rows: Collection) -> None:
    network.token = TOKEN
    rows.upsert(["third"], embeddings=[[1.0, 0.0]], metadatas=[{"a": 1}])
    ask_for_first(rows)
    assert network.asked
    for asked in network.asked:
        assert asked.headers["x-chroma-token"] == TOKEN
        assert asked.headers["authorization"] == f"Bearer {TOKEN}"
        assert TOKEN not in asked.path
        assert TOKEN.encode() not in asked.body


@pytest.mark.parametrize("status", [400, 422, 429, 500])
def test_no_error_shows_the_token(network: Network, rows: Collection, status: int) -> None:
    network.always = refuse(status, f"not with Bearer {TOKEN} here")
    with pytest.raises(StoreError) as told:
        ask_for_first(rows, 0.2)
    assert TOKEN not in str(told.value)
    assert "not with Bearer" in str(told.value)


def test_nothing_shows_the_token_or_the_password() -> None:
    settings = Settings.from_environment(
        {"FOOTNOTE_CHROMA_URL": "http://me:secret@127.0.0.1:9", "FOOTNOTE_CHROMA_TOKEN": TOKEN}
    )
    address = Address.of(settings)
    assert address is not None
    with closing(ChromaServer(address)) as server, pytest.raises(ServerAwayError) as told:
        server.find("some-rows", 0.1)
    for shown in (repr(settings), str(settings), address.shown, address.key, str(told.value), repr(told.value)):
        assert TOKEN not in shown
        assert "secret" not in shown
    assert TOKEN not in repr(address)
    assert "secret" not in repr(address)


def test_the_password_of_an_address_is_given_and_not_part_of_what_is_asked(chroma: ChromaRun) -> None:
    with Network(chroma.url) as network:
        url = network.url.replace("//", "//me:secret@")
        with closing(ChromaServer(Address(url))) as server:
            assert server.find("no-such-rows") is None
        assert network.asked[-1].headers["authorization"] == "Basic bWU6c2VjcmV0"
        assert Address(url).key == Address(network.url).key


# -- the settings -----------------------------------------------------------------------------


def test_the_settings_say_where() -> None:
    assert Address.of(Settings.from_environment({})) is None
    address = Address.of(
        Settings.from_environment(
            {
                "FOOTNOTE_CHROMA_URL": "https://chroma.example:8000/",
                "FOOTNOTE_CHROMA_TOKEN": TOKEN,
                "FOOTNOTE_CHROMA_TENANT": "team",
                "FOOTNOTE_CHROMA_DATABASE": "papers",
            }
        )
    )
    assert address == Address("https://chroma.example:8000", TOKEN, "team", "papers")


CLOUD = {"CHROMA_API_KEY": "ck-key", "CHROMA_TENANT": "their-tenant", "CHROMA_DATABASE": "their-database"}


@pytest.mark.parametrize(
    "url",
    [
        "https://api.trychroma.com",
        "https://api.trychroma.com:8000/",
        "https://europe-west1.gcp.trychroma.com:443",
        "https://trychroma.com",
        "HTTPS://API.TRYCHROMA.COM",
    ],
)
def test_chromas_own_variables_count_at_its_cloud(url: str) -> None:
    given = Settings.from_environment({"FOOTNOTE_CHROMA_URL": url, **CLOUD})
    assert (given.chroma_token, given.chroma_tenant, given.chroma_database) == tuple(CLOUD.values())
    ours = Settings.from_environment({"FOOTNOTE_CHROMA_URL": url, "FOOTNOTE_CHROMA_TOKEN": "ours", **CLOUD})
    assert (ours.chroma_token, ours.chroma_tenant) == ("ours", "their-tenant")


@pytest.mark.parametrize(
    "url",
    [
        "http://api.trychroma.com",
        "https://api.trychroma.com.example",
        "https://nottrychroma.com",
        "https://api.trychroma.com@chroma.example",
        "https://chroma.example/https://api.trychroma.com",
        "https://chroma.example#.trychroma.com",
        "https://chroma.example?.trychroma.com",
        "https://chroma.example\\.trychroma.com",
        "https://api.trychroma.com:8000@chroma.example:8000/",
        "https://me:x@api.trychroma.com@chroma.example/",
        "http://127.0.0.1:8000",
    ],
)
def test_chromas_key_goes_to_nobody_else(url: str) -> None:
    settings = Settings.from_environment({"FOOTNOTE_CHROMA_URL": url, **CLOUD})
    assert (settings.chroma_token, settings.chroma_tenant, settings.chroma_database) == (None, None, None)
