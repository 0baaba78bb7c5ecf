"""The way in to a server: where it listens, by which names it may be asked for, and who may come in."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.serving.login import LogIn
from assistant.serving.port import Hosts, find_hosts, is_loopback, to_host
from assistant.serving.users import Users
from index.errors import InputError

_ALL = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  and where this machine finds itself among them


@dataclass(frozen=True, slots=True)
class Entrance:
    """The way in.

    address: where the server listens. hosts: the names that it may be asked for by.
    door: where one logs in, None where nobody needs to. is_local: whether it serves whoever sits at this machine alone.
    """

    address: str
    hosts: Hosts
    door: LogIn | None
    is_local: bool

    def to_link(self, port: int) -> str:
        """The address that people open."""
        host = socket.gethostname() if self.address in _ALL else to_host(self.address)
        return f"http://{host}:{port}"

    def to_own_link(self, port: int) -> str:
        """The address under which this machine opens it."""
        return f"http://{to_host(_ALL.get(self.address, self.address))}:{port}"


def open_entrance(
    address: str = "127.0.0.1", names: Sequence[str] = (), users: Path | None = None, token: str | None = None
) -> Entrance:
    """The way in to a server at an address.

    names: those that it is known by besides. users: the file of those who may come in. token: what lets in besides.
    Raises InputError where others could reach it and nobody had to log in, and for what cannot be used.
    """
    address = "127.0.0.1" if address == "localhost" else address.removeprefix("[").removesuffix("]")
    hosts = find_hosts(address, names)
    door = LogIn(Users(users) if users else None, token) if users or token else None
    if door is None and not is_loopback(address):
        raise InputError(
            f"At {address} others can reach the chat too: say who may come in, with --users FILE, made by "
            "footnote users add NAME, or with a token in FOOTNOTE_TOKEN."
        )
    return Entrance(address, hosts, door, is_local=door is None and not names)
