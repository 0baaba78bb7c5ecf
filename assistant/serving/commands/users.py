"""The commands `footnote users`: add, list and remove who may log in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from assistant.serving.users import (
    LONGEST_TYPED_CHARACTERS,
    change_users,
    hash_password,
    read_name,
    read_users,
)
from assistant.showing.terminal import to_plain
from index.errors import InputError
from index.settings import Settings, read_path

users_command = typer.Typer(help="Who may log in where `footnote chat --users FILE` asks for a password.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The user's name.")]
Users = Annotated[
    str | None, typer.Option("--users", metavar="FILE", help="The users file; by default one beside the stores.")
]


@users_command.command()
def add(name: Name, users: Users = None) -> None:
    """Add a user, or give one another password: asked for twice, or the first line of what is piped in."""
    file = _find_file(users)
    name = read_name(name)
    hashed = hash_password(_ask_password())
    with change_users(file) as known:
        is_known = name in known
        known[name] = hashed
    became = "has a new password" if is_known else "may log in"
    print(to_plain(f"{name} {became}, where the chat is started with: footnote chat --users {file}"))


@users_command.command("list")
def list_users(users: Users = None) -> None:
    """List the users."""
    for name in sorted(read_users(_find_file(users))):
        print(to_plain(name))


@users_command.command()
def remove(name: Name, users: Users = None) -> None:
    """Remove a user, whose sessions end at once."""
    file = _find_file(users)
    read_users(file)  # none is made in order to remove somebody from it
    with change_users(file) as known:
        if known.pop(name, None) is None:
            raise InputError(f"{file} has no user of that name: footnote users list --users {file} shows them.")
    print(f"{to_plain(name)} may no longer log in.")


def _find_file(users: str | None) -> Path:
    if users is None:
        return Settings.from_environment().store_folder / "users.json"
    return read_path(users, "The file for --users")


def _ask_password() -> str:
    """The password that is typed twice on a terminal, or else the first line of standard input."""
    if not sys.stdin.isatty():
        # One that is longer is refused for its length.
        return sys.stdin.readline(LONGEST_TYPED_CHARACTERS).rstrip("\r\n")
    from getpass import getpass

    password = getpass("Password: ")
    if password != getpass("The same again: "):
        raise InputError("The two passwords differ: try again.")
    return password
