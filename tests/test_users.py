"""The users file: what is kept, who may read it, and the commands that change it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_chat import ROOT

from assistant.serving.users import (
    LONGEST_NAME_CHARACTERS,
    LONGEST_PASSWORD_CHARACTERS,
    MOST_USERS,
    Users,
    change_users,
    hash_password,
    is_password,
    read_name,
    read_users,
)
from index.errors import InputError

# Of twenty x: one hash for all tests that need no other.
HASHED = "$argon2id$v=19$m=65536,t=3,p=4$smk69L6gCIyTD5ivQujBWQ$u5+fKDurayVjyygkFVEW1IUWYWEMD8FvjLtL4HAtj3o"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "users.json"


def write(file: Path, content: bytes, mode: int = 0o600) -> Path:
    file.write_bytes(content)
    file.chmod(mode)
    return file


def run(*arguments: str, typed: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """The command `footnote users`, with what is piped into it."""
    command = [sys.executable, "-m", "assistant", "users", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(command, input=typed, capture_output=True, text=True, env=environment, timeout=60)


# -- the file ---------------------------------------------------------------------------------


def test_what_is_kept_is_a_hash_that_its_owner_alone_may_read(file: Path) -> None:
    password = "correct horse"
    with change_users(file) as users:
        users["Ada"] = hash_password(password)
    assert file.stat().st_mode & 0o777 == 0o600
    assert password not in file.read_text()
    assert read_users(file)["Ada"].startswith("$argon2id$v=19$m=65536,t=3,")
    assert is_password(password, read_users(file)["Ada"])
    assert not is_password("correct Horse", read_users(file)["Ada"])
    assert sorted(path.name for path in file.parent.iterdir()) in (["users.json"], [".users.json.lock", "users.json"])


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644, 0o666, 0o777, 0o610])
def test_a_file_that_others_may_read_or_change_is_refused(file: Path, mode: int) -> None:
    write(file, json.dumps({"users": {"Ada": HASHED}}).encode(), mode)
    with pytest.raises(InputError, match="chmod 600"):
        read_users(file)
    file.chmod(0o600)
    assert read_users(file) == {"Ada": HASHED}


def test_a_file_of_another_user_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(file, b'{"users": {}}')
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    if os.getuid():
        with pytest.raises(InputError, match="another user"):
            read_users(file)
    else:
        assert read_users(file) == {}  # root's is everybody's


def test_what_is_no_file_is_refused_and_not_waited_for(file: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        Users(file)
    file.mkdir()
    with pytest.raises(InputError):
        read_users(file)
    file.rmdir()
    os.mkfifo(file, 0o600)
    with pytest.raises(InputError, match="is no file"):
        read_users(file)


@given(st.binary(max_size=300) | st.sampled_from([b"[" * 100_000, b'{"users":' * 3000, b"\xff\xfe", b"9" * 6000]))
def test_a_damaged_file_is_a_sentence(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    file = write(tmp_path_factory.getbasetemp() / "damaged.json", content)
    with pytest.raises(InputError, match="is damaged, and nobody can log in"):
        read_users(file)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(
    json_values
    | st.fixed_dictionaries({"users": json_values | st.dictionaries(st.text(), st.text() | st.just(HASHED))})
)
def test_only_names_and_hashes_are_users(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    file = write(tmp_path_factory.getbasetemp() / "odd.json", json.dumps(value).encode())
    try:
        users = read_users(file)
    except InputError as error:
        assert "is damaged" in str(error)
    else:
        assert users == value["users"]  # type: ignore[index,call-overload]
        assert all(read_name(name) == name and hashed == HASHED for name, hashed in users.items())


@given(st.integers(min_value=0))
def test_a_file_that_was_cut_off_lets_nobody_in(tmp_path_factory: pytest.TempPathFactory, length: int) -> None:
    whole = json.dumps({"users": {"Ada": HASHED, "Grace": HASHED}}).encode()
    file = write(tmp_path_factory.getbasetemp() / "cut.json", whole[: length % len(whole)])
    with pytest.raises(InputError, match="is damaged"):
        read_users(file)


@pytest.mark.parametrize(
    "hashed",
    [
        "",
        "correct horse",
        HASHED.replace("argon2id", "argon2i"),
        HASHED.replace("m=65536", "m=99999999"),
        HASHED.replace("t=3", "t=4000000"),
        "$2b$12$abcdefghijklmnopqrstuuN1hAFYKJmdK5rkvmcbe2uhNMFhqSPOm",
        HASHED + "A" * 1000,
        7,
        None,
    ],
)
def test_another_hash_is_damage(file: Path, hashed: object) -> None:
    with pytest.raises(InputError, match="is damaged"):
        read_users(write(file, json.dumps({"users": {"Ada": hashed}}).encode()))


def test_a_file_is_read_anew_when_it_has_changed(file: Path) -> None:
    with change_users(file) as kept:
        kept["Ada"] = HASHED
    users = Users(file)
    assert users.hash_of("Ada") == HASHED
    assert users.hash_of("Grace") is None
    with change_users(file) as kept:
        kept["Grace"] = kept.pop("Ada")
    assert users.hash_of("Ada") is None
    assert users.hash_of("Grace") == HASHED
    file.write_bytes(b"")
    with pytest.raises(InputError, match="is damaged"):
        users.hash_of("Grace")
    file.unlink()
    with pytest.raises(InputError):
        users.hash_of("Grace")


def test_who_changes_it_at_once_loses_nothing(file: Path) -> None:
    def add(number: int) -> None:
        with change_users(file) as users:
            users[f"user {number}"] = HASHED

    threads = [threading.Thread(target=add, args=[number]) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read_users(file)) == 12


def test_a_change_that_fails_leaves_what_was(file: Path) -> None:
    with change_users(file) as users:
        users["Ada"] = HASHED
    before = file.read_bytes()
    with pytest.raises(ZeroDivisionError), change_users(file) as users:
        users["Grace"] = HASHED
        raise ZeroDivisionError
    with pytest.raises(InputError, match="1,000 users at most"), change_users(file) as users:
        users.update({f"user {number}": HASHED for number in range(MOST_USERS)})
    with pytest.raises(InputError, match="cannot be written"), change_users(file / "x.json"):
        pass
    assert file.read_bytes() == before


# -- names and passwords ----------------------------------------------------------------------


@given(st.text(max_size=80))
def test_a_name_has_one_form(given_name: str) -> None:
    try:
        name = read_name(given_name)
    except InputError:
        return
    assert read_name(name) == name
    assert name.isprintable()
    assert 1 <= len(name) <= LONGEST_NAME_CHARACTERS
    assert name == name.strip(" ")
    assert json.loads(json.dumps(name)) == name


@pytest.mark.parametrize("name", ["Ada", "ada@example.org", "Åsa Öberg", "山田", "O'Neil", "<b>", "a" * 64, 'x"; y=z'])
def test_these_are_names(name: str) -> None:
    assert read_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", " ", " Ada", "Ada ", "a" * 65, "(token)", "-x", "a\nb", "a\0", "a\u202eb", "a\u200bb", "\ud800", "\x1b[2J"],
)
def test_these_are_none(name: str) -> None:
    with pytest.raises(InputError, match="A name has 1 to 64 visible characters"):
        read_name(name)


def test_a_password_is_bounded_and_the_same_however_it_is_typed() -> None:
    for password in ("", "1234567", "x" * (LONGEST_PASSWORD_CHARACTERS + 1)):
        with pytest.raises(InputError, match="A password has 8 to 1,024 characters"):
            hash_password(password)
    longest = "ü\0🙂 " * (LONGEST_PASSWORD_CHARACTERS // 4)
    hashed = hash_password(longest)
    assert is_password(longest.replace("ü", "u\u0308"), hashed)
    assert not is_password(longest[:-1], hashed)
    assert not is_password(longest + "x", hashed)
    assert hash_password("correct horse") != hash_password("correct horse")
    assert is_password("x" * 20, HASHED)


# -- the commands -----------------------------------------------------------------------------


def test_users_are_added_listed_and_removed(file: Path) -> None:
    added = run("add", "Ada", "--users", str(file), typed="correct horse\nmore\n")
    assert (added.returncode, added.stderr) == (0, "")
    assert added.stdout == f"Ada may log in, where the chat is started with: footnote chat --users {file}\n"
    assert is_password("correct horse", read_users(file)["Ada"])
    assert "Ada has a new password" in run("add", "Ada", "--users", str(file), typed="battery staple").stdout
    assert is_password("battery staple", read_users(file)["Ada"])
    assert run("list", "--users", str(file)).stdout == "Ada\n"
    assert run("remove", "Ada", "--users", str(file)).stdout == "Ada may no longer log in.\n"
    assert read_users(file) == {}
    gone = run("remove", "Ada", "--users", str(file))
    assert gone.returncode == 2
    assert "has no user of that name" in gone.stderr


def test_without_a_file_it_stands_beside_the_stores(tmp_path: Path) -> None:
    place = tmp_path / "stores"
    assert run("add", "Ada", typed="correct horse", FOOTNOTE_STORE=str(place)).returncode == 0
    assert list(read_users(place / "users.json")) == ["Ada"]


@pytest.mark.parametrize(
    ("arguments", "typed", "sentence"),
    [
        (["add", "Ada"], "short\n", "A password has 8 to 1,024 characters"),
        (["add", "Ada"], "", "A password has 8 to 1,024 characters"),
        (["add", "Ada"], "x" * 100_000, "A password has 8 to 1,024 characters"),
        (["add", "a\u202eb"], "correct horse\n", "A name has 1 to 64 visible characters"),
        (["list"], "", "does not exist: make it with footnote users add NAME"),
        (["remove", "Ada"], "", "does not exist"),
    ],
)
def test_what_cannot_be_is_told(file: Path, arguments: list[str], typed: str, sentence: str) -> None:
    done = run(*arguments, "--users", str(file), typed=typed)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert not file.exists()


@pytest.mark.parametrize(("second", "sentence"), [("correct horse", "may log in"), ("correct house", "differ")])
def test_on_a_terminal_it_is_asked_for_twice_and_not_shown(file: Path, second: str, sentence: str) -> None:
    command = [sys.executable, "-m", "assistant", "users", "add", "Ada", "--users", str(file)]
    child, terminal = pty.fork()
    if not child:
        os.execve(sys.executable, command, {**os.environ, "PYTHONPATH": str(ROOT)})
    shown = b""
    for asked, password in ((b"Password: ", "correct horse"), (b"again: ", second)):
        while not shown.endswith(asked):
            shown += os.read(terminal, 1000)
        os.write(terminal, password.encode() + b"\n")
    while True:
        try:
            piece = os.read(terminal, 1000)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.waitpid(child, 0)
    os.close(terminal)
    assert sentence in shown.decode()
    assert "horse" not in shown.decode()
    assert file.exists() == (sentence == "may log in")
