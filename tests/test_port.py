"""Where a server listens, by which names it may be asked for, and when somebody must log in."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_users import HASHED

from assistant.serving.entrance import open_entrance
from assistant.serving.guard import check_sender
from assistant.serving.limits import RefusedError
from assistant.serving.port import find_hosts, is_loopback, listen
from assistant.serving.users import change_users
from index.errors import InputError

TOKEN = "a-token-for-the-tests-alone"


def is_answered(host: str, address: str, *names: str) -> bool:
    try:
        check_sender({"host": host}, "GET", "/", find_hosts(address, names))
    except RefusedError as refusal:
        assert refusal.status == 421
        return False
    return True


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_this_machine_alone_is_answered_by_its_names_alone(address: str) -> None:
    assert is_loopback(address)
    for host in ("127.0.0.1:7860", "localhost", "LocalHost:1", "[::1]:7860"):
        assert is_answered(host, address)
    for host in ("192.168.1.7", "[2001:db8::1]", "0.0.0.0", socket.gethostname(), "notes.example.org", ""):
        assert not is_answered(host, address)
    assert is_answered("notes.example.org:443", address, "Notes.Example.org")


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.1.7", "2001:db8::1", "fe80::1"])
def test_beyond_it_any_address_is_answered_and_no_foreign_name(address: str) -> None:
    assert not is_loopback(address)
    hosts = ("127.0.0.1:7860", "192.168.1.7:7860", "10.0.0.1", "[2001:db8::1]:7860", f"{socket.gethostname()}:1")
    for host in (*hosts, f"{socket.gethostname()}.local"):
        assert is_answered(host, address)
    for host in (
        "evil.test",
        "evil.test:7860",
        "192.168.1.7.evil.test",
        "[evil]",
        "1.2.3.4@evil.test",
        "1.2.3",
        "",
        ":1",
    ):
        assert not is_answered(host, address)


@given(st.text(max_size=30))
def test_no_name_passes_that_is_not_an_address(host: str) -> None:
    hosts = find_hosts("0.0.0.0")
    if host in hosts and host not in hosts.names:
        assert all(letter in "0123456789abcdefABCDEF.:[]%" for letter in host.partition("%")[0])


@pytest.mark.parametrize("address", ["", "example.org", "0", "1.2.3", "127.0.0.1:80", "http://127.0.0.1", "\0"])
def test_what_is_no_address_is_a_sentence(address: str) -> None:
    with pytest.raises(InputError, match="is no address"):
        open_entrance(address, token=TOKEN)


@pytest.mark.parametrize("name", ["", "https://x.org", "x.org:80", "a b", "-x", "x/", "é.org", "*"])
def test_what_is_no_name_is_a_sentence(name: str) -> None:
    with pytest.raises(InputError, match="is no name of a machine"):
        open_entrance(names=[name])


def test_who_others_can_reach_needs_a_door(tmp_path: Path) -> None:
    file = tmp_path / "users.json"
    with change_users(file) as users:
        users["Ada"] = HASHED
    for address in ("0.0.0.0", "::", "192.0.2.7"):
        with pytest.raises(InputError, match="say who may come in, with --users FILE"):
            open_entrance(address)
        assert open_entrance(address, users=file).door is not None
        assert open_entrance(address, token=TOKEN).door is not None
    assert open_entrance().door is None
    assert open_entrance().is_local
    assert not open_entrance(token=TOKEN).is_local
    assert not open_entrance(names=["notes.example.org"]).is_local
    with pytest.raises(InputError, match="does not exist"):
        open_entrance(users=tmp_path / "none.json")
    with pytest.raises(InputError, match="FOOTNOTE_TOKEN needs"):
        open_entrance(token="guessable")


def test_the_link_is_one_that_can_be_opened() -> None:
    assert open_entrance().to_link(7860) == "http://127.0.0.1:7860"
    assert open_entrance("::1").to_link(7860) == "http://[::1]:7860"
    everywhere = open_entrance("0.0.0.0", token=TOKEN)
    assert everywhere.to_link(7860) == f"http://{socket.gethostname()}:7860"
    assert everywhere.to_own_link(7860) == "http://127.0.0.1:7860"


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "0.0.0.0", "::"])
def test_a_port_is_taken_where_it_is_asked_for(address: str) -> None:
    if ":" in address and not socket.has_ipv6:
        pytest.skip("no IPv6 on this machine")
    with listen(7980, address) as one, listen(7980, address) as other:
        ports = [listening.getsockname()[1] for listening in (one, other)]
        assert ports[0] != ports[1]
        with socket.create_connection(("::1" if ":" in address else "127.0.0.1", ports[0]), timeout=5):
            pass


def test_an_address_of_another_machine_is_a_sentence() -> None:
    with pytest.raises(InputError, match="is no address of this machine"):
        listen(7980, "192.0.2.7")
