"""Who is at what: each document is claimed by one worker, for as long as that shows that it is alive."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import pytest
from chroma_server import ChromaRun, Network, hang_up, refuse

from index.storing.shared.claims import MOST_TAKEOVERS, Claims, Key
from index.storing.shared.server import Address, ChromaServer, Collection

LEASE_SECONDS, BEAT_SECONDS = 1.0, 0.1
KEYS: list[Key] = [(f"document-{n}", n % 3) for n in range(30)]


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.storing.shared.claims.LEASE_SECONDS", LEASE_SECONDS)
    monkeypatch.setattr("index.storing.shared.claims.BEAT_SECONDS", BEAT_SECONDS)
    monkeypatch.setattr("index.storing.shared.claims.MOST_SEEN_SECONDS", 0.5)
    monkeypatch.setattr("index.connection.FIRST_WAIT_SECONDS", 0.02)


@pytest.fixture
def name(tmp_path: Path) -> str:
    return re.sub("[^a-z0-9]+", "-", tmp_path.name)[:90].strip("-") + "-claims"


@pytest.fixture
def rows(chroma: ChromaRun, name: str) -> Iterator[Collection]:
    with closing(ChromaServer(Address(chroma.url))) as server:
        yield server.open(name, {}, {"space": "l2"})


@pytest.fixture
def far_rows(network: Network, rows: Collection) -> Iterator[Collection]:
    """The same collection, asked for over the network."""
    with closing(ChromaServer(Address(network.url))) as server:
        yield server.open(rows.name, {}, {"space": "l2"})


@contextmanager
def dying(rows: Collection) -> Iterator[Claims]:
    """A worker that is killed at the end of the block: it gives nothing back, and shows nothing any more."""
    claims = Claims(rows)
    claims._show()
    ended = threading.Event()
    thread = threading.Thread(target=claims._show_until, args=(ended,))
    thread.start()
    try:
        yield claims
    finally:
        ended.set()
        thread.join()


def wait_for(happens: Callable[[], bool], seconds: float = 20) -> float:
    """Wait until something happens; the seconds that it took."""
    begun = time.monotonic()
    while not happens():
        assert time.monotonic() - begun < seconds
        time.sleep(0.05)
    return time.monotonic() - begun


def test_workers_that_race_claim_each_document_once(rows: Collection) -> None:
    ready = threading.Barrier(4)

    def work(turn: int) -> set[Key]:
        claims, ours = Claims(rows), set()
        with claims.working():
            ready.wait()
            for i in range(0, len(KEYS), 6):
                some = KEYS[i : i + 6]
                claimed = claims.claim(some if turn % 2 else some[::-1])
                assert claimed.ours <= {*some}
                assert not claimed.taken_over | claimed.given_up
                ours |= claimed.ours
            ready.wait()  # until then all are alive, and hold what is theirs
        return ours

    with ThreadPoolExecutor(4) as pool:
        claimed = list(pool.map(work, range(4)))
    assert sum(map(len, claimed)) == len(KEYS)
    assert set().union(*claimed) == {*KEYS}
    assert rows.count() == 0  # all is given back, and nobody shows itself


def test_a_document_that_is_claimed_is_the_workers_until_it_gives_it_back(rows: Collection) -> None:
    one, other = Claims(rows), Claims(rows)
    with one.working(), other.working():
        assert one.claim(KEYS[:2]).ours == {*KEYS[:2]}
        assert one.claim(KEYS[:2]).ours == {*KEYS[:2]}
        assert other.claim(KEYS[:3]).ours == {KEYS[2]}
        one.give_back([KEYS[0], KEYS[2]])  # the second of which it does not hold
        assert other.claim(KEYS[:3]).ours == {KEYS[0], KEYS[2]}
        assert one.claim([]).ours == set()


def test_another_version_of_a_document_is_claimed_apart(rows: Collection) -> None:
    one, other = Claims(rows), Claims(rows)
    with one.working(), other.working():
        assert one.claim([("a", 1)]).ours
        assert other.claim([("a", 1), ("a", 2)]).ours == {("a", 2)}


def test_a_worker_that_ends_gives_all_back_also_where_it_fails(rows: Collection) -> None:
    claims = Claims(rows)
    with suppress(ZeroDivisionError), claims.working():
        claims.claim(KEYS[:3])
        raise ZeroDivisionError
    assert rows.count() == 0
    assert not [thread for thread in threading.enumerate() if thread.name == "footnote-claims"]


def test_of_a_worker_that_died_its_documents_are_taken_over_after_the_lease_and_not_before(rows: Collection) -> None:
    living = Claims(rows)
    with living.working():
        with dying(rows) as dead:
            assert dead.claim(KEYS[:3]).ours == {*KEYS[:3]}
            for _ in range(10):  # longer than the lease
                assert not living.claim(KEYS[:3]).ours
                time.sleep(0.2)
        died = time.monotonic()
        waited = wait_for(lambda: bool(living.claim(KEYS[:3]).ours))
        assert waited >= LEASE_SECONDS - 0.5
        assert time.monotonic() - died < 15
        assert living.held == dict.fromkeys(KEYS[:3], 1)
        # Who comes later does not take over from who took over.
        with (late := Claims(rows)).working():
            assert not late.claim(KEYS[:3]).ours
    assert {name.partition(":")[0] for name in rows.get()["ids"]} == {"worker"}  # of the dead one, which says nothing


def test_what_is_taken_over_is_told(rows: Collection) -> None:
    with dying(rows) as dead:
        dead.claim(KEYS[:1])
    living = Claims(rows)
    with living.working():
        claimed = living.claim(KEYS[:2])
        assert (claimed.ours, claimed.taken_over) == ({KEYS[1]}, set())
        wait_for(lambda: living.claim(KEYS[:1]).taken_over == {KEYS[0]})


def test_many_who_wait_for_one_that_died_take_over_each_document_once(rows: Collection) -> None:
    with dying(rows) as dead:
        dead.claim(KEYS[:8])
    begun, ready = time.monotonic(), threading.Barrier(3)

    def work(_: int) -> set[Key]:
        claims, ours = Claims(rows), set()
        with claims.working():
            while time.monotonic() - begun < 4:
                ours |= claims.claim([key for key in KEYS[:8] if key not in ours]).ours
                time.sleep(0.05)
            ready.wait()
        return ours

    with ThreadPoolExecutor(3) as pool:
        claimed = list(pool.map(work, range(3)))
    assert sorted(key for ours in claimed for key in ours) == sorted(KEYS[:8])


def test_a_worker_that_shows_nothing_because_the_server_is_away_is_not_dead(
    network: Network, far_rows: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = Claims(far_rows), Claims(far_rows)
    monkeypatch.setattr("index.storing.shared.claims.BEAT_SECONDS", 0.3)
    with one.working(), other.working():
        one.claim(KEYS[:3])
        assert not other.claim(KEYS[:3]).ours
        with network.down():
            time.sleep(LEASE_SECONDS * 2.5)
        for _ in range(10):
            assert not other.claim(KEYS[:3]).ours
            assert not other.wait_until_alone()
            time.sleep(0.1)


def test_a_server_that_is_busy_is_no_death_either(network: Network, far_rows: Collection) -> None:
    one, other = Claims(far_rows), Claims(far_rows)
    with one.working(), other.working():
        one.claim(KEYS[:3])
        for _ in range(8):
            network.faults = [refuse(503), hang_up, refuse(429)]
            assert not other.claim(KEYS[:3]).ours
            time.sleep(0.2)


def test_a_worker_ends_in_a_moment_where_the_server_is_away(network: Network, far_rows: Collection) -> None:
    claims, begun = Claims(far_rows), 0.0
    with pytest.raises(ZeroDivisionError), ExitStack() as held, claims.working():
        claims.claim(KEYS[:3])
        held.enter_context(network.down())
        time.sleep(BEAT_SECONDS * 3)
        begun = time.monotonic()
        raise ZeroDivisionError
    assert time.monotonic() - begun < 10


def test_what_workers_end_at_one_after_the_other_is_given_up(rows: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.storing.shared.claims.LEASE_SECONDS", 0.3)
    for turn in range(MOST_TAKEOVERS + 1):
        with dying(rows) as dead:
            claims = dead

            def is_ours(claims: Claims = claims) -> bool:
                claimed = claims.claim(KEYS[:1])
                assert not claimed.given_up
                return bool(claimed.ours)

            wait_for(is_ours)
            assert dead.held == {KEYS[0]: turn}
    last = Claims(rows)
    with last.working():
        wait_for(lambda: last.claim(KEYS[:2]).given_up == {KEYS[0]})
        assert not last.claim(KEYS[:1]).ours
        assert last.held == {KEYS[1]: 0}


def test_a_worker_is_alone_once_the_others_have_ended_or_are_dead(rows: Collection) -> None:
    claims = Claims(rows)
    with claims.working():
        assert claims.wait_until_alone()
        with Claims(rows).working():
            for _ in range(3):
                assert not claims.wait_until_alone()
        assert claims.wait_until_alone()
        with dying(rows) as dead:
            dead.claim(KEYS[:2])
            assert not claims.wait_until_alone()
        claims.claim(KEYS[2:4])
        assert claims.wait_until_alone()
        claims.remove_others()
        assert rows.count() == 3
        assert claims.claim(KEYS[:4]).ours == {*KEYS[:4]}


def test_a_worker_goes_on_where_the_claims_are_thrown_away(rows: Collection, chroma: ChromaRun) -> None:
    """Nothing of it is printed, either: a thread that fails does so aloud, which is an error here."""
    claims = Claims(rows)
    with closing(ChromaServer(Address(chroma.url))) as server, claims.working():
        claims.claim(KEYS[:2])
        server.delete(rows.name)
        time.sleep(0.5)


def test_what_others_have_written_among_the_claims_is_nobodys(rows: Collection) -> None:
    rows.upsert(
        ["worker:x", "worker:y", "document-0:0@0", "document-1:1@0", "nonsense"],
        embeddings=[[1.0, 0.0]] * 5,
        metadatas=[{"beat": "x"}, {"beat": 10**15}, {"worker": 7}, {"other": "x"}, None],
    )
    claims = Claims(rows)
    with claims.working():
        assert claims.claim(KEYS[:1]).taken_over == {KEYS[0]}
        assert claims.claim(KEYS[1:2]).taken_over == {KEYS[1]}
        assert claims.wait_until_alone()
        claims.remove_others()
        assert sorted(rows.get()["ids"]) == ["document-0:0@1", "document-1:1@1", f"worker:{claims.worker}"]
