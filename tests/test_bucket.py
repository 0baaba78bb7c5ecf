"""Documents that lie in a bucket: the mirror equals it, whatever is changed, refused, cut off or killed."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from s3_server import S3Server, Way

from assistant import Footnote, answer
from assistant.serving.served import open_served
from index.embedding.protocol import Embedding
from index.errors import FolderError, FootnoteError, InputError, StoreError
from index.library import find_folder, finish, open_library
from index.loading import bucket, mirror
from index.loading.address import Address, find_address, refuse_name
from index.loading.mirror import Mirror
from index.settings import Settings
from index.storing.store import place_of
from index.watching import bring_up_to_date, find_watcher, unwatch, watch

ROOT = Path(__file__).resolve().parent.parent
FERRY = "# The ferry\n\nThe ferry to Brenholm was built in 1912 by the Larsen yard. It carries forty cars.\n"
MILL = "# The mill\n\nThe mill at Ostrow grinds rye from March until the first snow.\n"
SECONDS = 300.0  # that nothing here takes, unless it never ends


@pytest.fixture(scope="session")
def server() -> Iterator[S3Server]:
    server = S3Server()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def _clean(server: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "an-access-key",
        "AWS_SECRET_ACCESS_KEY": "a-secret-key",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": server.url,
        "AWS_CONFIG_FILE": str(tmp_path / "no-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "no-credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    mirror._looked.clear()
    server.reset()


@pytest.fixture
def way(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Way]:
    way = Way(server.port)
    monkeypatch.setenv("AWS_ENDPOINT_URL", way.url)
    yield way
    way.close()


@pytest.fixture
def mirrored(stores: Path) -> Mirror:
    return Mirror(stores, Address("town", "reports"))


def contents_of(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


# -- the address -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("s3://town", "s3://town"),
        ("s3://town/", "s3://town"),
        ("S3://town/reports/2024/", "s3://town/reports/2024"),
        (Path("s3://town/reports"), "s3://town/reports"),  # which has one slash
    ],
)
def test_an_address_is_told_from_a_path(given: str | Path, shown: str) -> None:
    address = find_address(given)
    assert address
    assert str(address) == shown
    assert find_address(address.path) == address
    assert find_folder(given) == address.path


@pytest.mark.parametrize(
    "given", ["documents", "/srv/s3://town", "C:/documents", "notes:/a", "", "./s3", b"s3://town", 3]
)
def test_a_path_is_no_address(given: object) -> None:
    assert find_address(given) is None


@pytest.mark.parametrize(
    "given",
    [
        "file:///etc",
        "local:///etc",
        "http://example.org/a",
        "gs://town",
        "memory://a",
        "s3::file:///etc",
        "s3://town/a::file:///etc",
        "s3://",
        "s3://key:secret@town/a",
        "s3://town/../other",
        "s3://town/a\n",
        "s3://to wn",
        "s3://town/a?versionId=3",
        "zip://a::s3://town/a.zip",
        "s3://town/" + "a" * 300,
    ],
)
def test_no_other_address_is_read(given: str, settings: Settings) -> None:
    with pytest.raises(FootnoteError) as told:
        answer("When was the ferry built?", given, settings=settings)
    assert str(told.value).endswith(".")
    assert isinstance(told.value, InputError) or given.startswith("zip:")


def test_the_store_of_an_address_is_called_the_same_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = place_of(Path("stores"), find_folder("s3://town/reports"))
    monkeypatch.chdir(tmp_path)
    assert place_of(Path("stores"), find_folder(Path("s3://town/reports/"))) == there


def test_where_the_extra_is_missing_it_is_named() -> None:
    code = (
        "import sys; sys.modules['s3fs'] = None; sys.argv = ['footnote', 'sync', 's3://town']\n"
        "from assistant.__main__ import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=SECONDS)
    assert "pip install 'footnote[s3]'" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == 2


# -- the mirror ------------------------------------------------------------------------------------


def test_what_is_added_changed_moved_and_removed_is_followed(server: S3Server, mirrored: Mirror) -> None:
    server.make(
        "town", **{"reports/ferry.md": FERRY, "reports/a/b/mill.md": MILL, "elsewhere.md": "no", "reports2/x": "no"}
    )
    assert finish(mirrored.update())
    assert contents_of(mirrored.folder) == {"ferry.md": FERRY.encode(), "a/b/mill.md": MILL.encode()}
    assert not finish(mirrored.update())
    assert mirrored.is_whole()

    server.put("town", "reports/ferry.md", FERRY.replace("1912", "1913"))  # of the same size, within the same second
    server.put("town", "reports/moved.md", MILL)
    server.delete("town", "reports/a/b/mill.md")
    assert finish(mirrored.update())
    assert contents_of(mirrored.folder) == {
        "ferry.md": FERRY.replace("1912", "1913").encode(),
        "moved.md": MILL.encode(),
    }
    assert not (mirrored.folder / "a").exists()


def test_a_file_has_the_time_of_its_object_and_a_new_state_another(server: S3Server, mirrored: Mirror) -> None:
    server.make("town", **{"reports/ferry.md": FERRY})
    finish(mirrored.update())
    first = (mirrored.folder / "ferry.md").stat().st_mtime_ns
    assert abs(first / 1e9 - time.time()) < 60
    server.put("town", "reports/ferry.md", FERRY.replace("1912", "1913"))
    finish(mirrored.update())
    assert (mirrored.folder / "ferry.md").stat().st_mtime_ns != first


def test_what_others_do_to_the_mirror_is_undone(server: S3Server, mirrored: Mirror, tmp_path: Path) -> None:
    server.make("town", **{"reports/a/ferry.md": FERRY, "reports/mill.md": MILL})
    finish(mirrored.update())
    (mirrored.folder / "mill.md").write_text("other")
    (mirrored.folder / "own.md").write_text("own")
    shutil.rmtree(mirrored.folder / "a")
    (tmp_path / "outside").mkdir()
    (mirrored.folder / "a").symlink_to(tmp_path / "outside")
    assert finish(mirrored.update())
    assert contents_of(mirrored.folder) == {"a/ferry.md": FERRY.encode(), "mill.md": MILL.encode()}
    assert not list((tmp_path / "outside").iterdir())


@pytest.mark.parametrize("damage", [b"", b"no database at all", None])
def test_a_note_that_is_lost_or_damaged_is_made_anew(server: S3Server, mirrored: Mirror, damage: bytes | None) -> None:
    server.make("town", **{"reports/ferry.md": FERRY})
    finish(mirrored.update())
    note = mirrored.place / "note.sqlite"
    note.unlink() if damage is None else note.write_bytes(damage * 1000)
    assert not mirrored.is_whole()
    assert finish(mirrored.update())
    assert not finish(mirrored.update())
    assert mirrored.is_whole()


def test_a_file_becomes_a_folder_and_back(server: S3Server, mirrored: Mirror) -> None:
    server.make("town", **{"reports/a": FERRY, "reports/b/c.md": MILL})
    finish(mirrored.update())
    server.delete("town", "reports/a")
    server.delete("town", "reports/b/c.md")
    server.put("town", "reports/a/x.md", MILL)
    server.put("town", "reports/b", FERRY)
    finish(mirrored.update())
    assert contents_of(mirrored.folder) == {"a/x.md": MILL.encode(), "b": FERRY.encode()}


def test_many_small_objects_are_all_there_and_fetched_once(server: S3Server, way: Way, mirrored: Mirror) -> None:
    server.make("town", **{f"reports/{n % 7}/{n}.txt": f"Object number {n}.\n" for n in range(300)})
    done = [progress for progress in mirrored.update() if progress.total]
    assert contents_of(mirrored.folder) == {f"{n % 7}/{n}.txt": f"Object number {n}.\n".encode() for n in range(300)}
    assert done[-1].done == done[-1].total == sum(len(f"Object number {n}.\n") for n in range(300))
    asked = len(way.gets)
    assert asked < 310
    assert not finish(mirrored.update())
    assert len(way.gets) == asked + 1  # the list alone


def test_a_list_of_several_pages_is_read_to_its_end(
    server: S3Server, mirrored: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bucket, "PAGE_OBJECTS", 10)
    server.make("town", **{f"reports/{n}.txt": f"{n}" for n in range(43)})
    finish(mirrored.update())
    assert len(contents_of(mirrored.folder)) == 43
    monkeypatch.setattr(mirror, "MOST_OBJECTS", 42)
    with pytest.raises(FolderError, match="more than 42 objects"):
        finish(mirrored.update())


def test_a_large_object_comes_in_blocks(server: S3Server, mirrored: Mirror) -> None:
    content = os.urandom(2 * bucket.BLOCK_BYTES + 12_345)
    server.make("town", **{"reports/large.bin": content, "reports/empty.txt": b""})
    finish(mirrored.update())
    assert contents_of(mirrored.folder) == {"large.bin": content, "empty.txt": b""}


HOSTILE = {
    "../outside.md": "no place",
    "a/../../outside.md": "no place",
    "/etc/passwd": "no place",
    "a//b.md": "no place",
    "./a.md": "no place",
    "both": "folder too",
    "long/" + "n" * 256: "too long",
    "a.md?versionId=1": "version",
}


def test_names_that_no_file_may_have_are_refused_with_the_reason(server: S3Server, mirrored: Mirror) -> None:
    good = {
        "both/c.md": FERRY,
        "ünï 文/a b+c%20.md": MILL,
        "back\\slash.md": MILL,
        "x" * 250 + ".md": MILL,
        "*?[a].md": MILL,
    }
    server.make("town")
    for key in [*HOSTILE, *good, ".hidden/a.md", ".b.md", "folder/"]:
        server.put("town", f"reports/{key}", good.get(key, FERRY if key != "folder/" else b""))
    finish(mirrored.update())
    assert contents_of(mirrored.folder) == {path: text.encode() for path, text in good.items()}
    refused = mirrored.refused()
    assert refused.keys() == HOSTILE.keys()
    assert all(part in refused[path] for path, part in HOSTILE.items())
    assert not (mirrored.place / "outside.md").exists()
    assert not finish(mirrored.update())


@pytest.mark.parametrize("path", ["a\0b", "\ud800", "a/\udcff.md", "", "/", "a/", ".."])
def test_what_no_server_should_send_is_refused_too(path: str) -> None:
    assert refuse_name(path)


def test_what_is_too_large_is_not_fetched(server: S3Server, mirrored: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirror, "LARGEST_BYTES", 100)
    server.make("town", **{"reports/a.txt": "a" * 101, "reports/b.txt": "b" * 100})
    finish(mirrored.update())
    assert contents_of(mirrored.folder).keys() == {"b.txt"}
    assert "too large" in mirrored.refused()["a.txt"]


def test_a_bucket_for_which_the_disk_has_no_room_is_not_begun(
    server: S3Server, mirrored: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.make("town", **{"reports/a.txt": FERRY})
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 0, mirror.LEAST_ROOM_BYTES + 10))
    with pytest.raises(FolderError, match="make room"):
        finish(mirrored.update())
    assert not contents_of(mirrored.folder)


def test_a_mirror_that_cannot_be_written_is_told(server: S3Server, tmp_path: Path) -> None:
    server.make("town", a="a")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="FOOTNOTE_STORE"):
        finish(Mirror(tmp_path / "file", Address("town")).update())


def test_a_mirror_that_cannot_be_locked_is_told_and_answered_from(
    server: S3Server, town: str, settings: Settings, embedding: Embedding
) -> None:
    library = finish(open_library(town, settings))
    finish(library.sync())
    assert library.mirror
    (library.mirror.place / "lock").unlink()
    (library.mirror.place / "lock").mkdir()
    with pytest.raises(StoreError, match="could not be written"):
        finish(library.sync())
    mirror._looked.clear()
    assert any("fetched before" in progress.message for progress in bring_up_to_date(library))


# -- what goes wrong on the way --------------------------------------------------------------------


def test_a_bucket_that_is_not_there_is_told(mirrored: Mirror) -> None:
    with pytest.raises(FolderError, match=r"s3://town/reports is not there \(NoSuchBucket\)"):
        finish(mirrored.update())


def test_a_bucket_that_holds_nothing_is_told(server: S3Server, mirrored: Mirror) -> None:
    server.make("town", reports=FERRY)
    with pytest.raises(FolderError, match="s3://town/reports holds no documents"):
        finish(mirrored.update())


def test_missing_credentials_are_told(mirrored: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(FolderError, match="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"):
        finish(mirrored.update())
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(FolderError, match="AWS_PROFILE"):
        finish(mirrored.update())


def give_key(server: S3Server, monkeypatch: pytest.MonkeyPatch, policy: str = "") -> None:
    """Have a user who may do what a policy says, and nobody else do anything."""
    scope = "Credential=a/20260101/us-east-1/iam/aws4_request"
    signed = {
        "Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0",
        "Content-Type": "application/x-www-form-urlencoded",
        "Host": "iam.amazonaws.com",
    }

    def ask(action: str, **fields: str) -> str:
        form = {"Action": action, "Version": "2010-05-08", "UserName": "ada", **fields}
        return server.ask("POST", "/", urlencode(form).encode(), signed).decode()

    ask("CreateUser")
    if policy:
        ask("PutUserPolicy", PolicyName="policy", PolicyDocument=policy)
    made = ask("CreateAccessKey")
    for name, tag in (("AWS_ACCESS_KEY_ID", "AccessKeyId"), ("AWS_SECRET_ACCESS_KEY", "SecretAccessKey")):
        found = re.search(f"<{tag}>(.*?)</{tag}>", made)
        assert found
        monkeypatch.setenv(name, found[1])
    server.ask("POST", "/moto-api/reset-auth", b"0")


def test_a_key_that_nobody_knows_is_told_and_not_shown(server: S3Server, mirrored: Mirror) -> None:
    server.make("town", **{"reports/ferry.md": FERRY})
    server.ask("POST", "/moto-api/reset-auth", b"0")
    with pytest.raises(FolderError, match=r"the key is not taken \(InvalidAccessKeyId\)") as told:
        finish(mirrored.update())
    assert "a-secret-key" not in str(told.value)
    assert "an-access-key" not in str(told.value)


def test_who_may_not_list_is_told(server: S3Server, mirrored: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    server.make("town", **{"reports/ferry.md": FERRY})
    give_key(server, monkeypatch)
    with pytest.raises(FolderError, match=r"may not be read \(AccessDenied\).*s3:ListBucket"):
        finish(mirrored.update())


def allow(action: str, resource: str) -> str:
    statement = [{"Effect": "Allow", "Action": action, "Resource": resource}]
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


def test_who_may_list_and_not_read_is_told(server: S3Server, mirrored: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    server.make("town", **{f"reports/{n}.md": FERRY for n in range(30)})
    give_key(server, monkeypatch, allow("s3:ListBucket", "*"))
    with pytest.raises(FolderError, match="may be listed, but its objects may not be read"):
        finish(mirrored.update())
    assert not contents_of(mirrored.folder)


def test_an_object_that_changed_and_may_not_be_read_any_more_is_not_answered_from(
    server: S3Server, mirrored: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.make("town", **{"reports/ferry.md": FERRY, "reports/mill.md": MILL})
    finish(mirrored.update())
    server.put("town", "reports/mill.md", FERRY)
    give_key(server, monkeypatch, allow("s3:ListBucket", "*"))
    finish(mirrored.update())
    assert contents_of(mirrored.folder).keys() == {"ferry.md"}
    assert mirrored.refused() == {"mill.md": "it may not be read (AccessDenied)"}


def test_a_server_that_is_not_reached_is_told(mirrored: Mirror, way: Way) -> None:
    way.close()
    with pytest.raises(FolderError, match="could not be reached"):
        finish(mirrored.update())


def test_a_server_that_goes_in_mid_download_leaves_whole_files_alone(
    server: S3Server, mirrored: Mirror, way: Way
) -> None:
    objects = {f"{n}.bin": bytes([n]) * 300_000 for n in range(12)}
    server.make("town", **{f"reports/{path}": content for path, content in objects.items()})
    way.left_bytes = 2_000_000
    with pytest.raises(FolderError, match="s3://town/reports could not be"):
        finish(mirrored.update())
    there = contents_of(mirrored.folder)
    assert len(there) < 12
    assert all(content == objects[path] for path, content in there.items())
    assert not mirrored.is_whole()
    os.environ["AWS_ENDPOINT_URL"] = server.url
    finish(mirrored.update())
    assert contents_of(mirrored.folder) == objects


def test_a_connection_that_breaks_is_tried_again(server: S3Server, mirrored: Mirror, way: Way) -> None:
    server.make("town", **{"reports/a.bin": b"a" * 3_000_000})
    way.breaks_at = 1_000_000
    finish(mirrored.update())
    assert contents_of(mirrored.folder) == {"a.bin": b"a" * 3_000_000}


def test_a_walk_that_is_left_or_stopped_puts_nothing_in_place_afterwards(
    server: S3Server, mirrored: Mirror, way: Way
) -> None:
    server.make("town", **{f"reports/{n}.bin": b"a" * 200_000 for n in range(20)})
    way.pause_seconds = 0.02
    steps = mirrored.update()
    for told in steps:
        if told.total and told.done:
            break
    steps.close()
    there = contents_of(mirrored.folder)
    time.sleep(1)
    assert contents_of(mirrored.folder) == there
    assert len(there) < 20
    way.pause_seconds = 0
    finish(mirrored.update(is_stopped=lambda: bool(contents_of(mirrored.folder).keys() - there.keys())))
    assert not mirrored.is_whole()
    finish(mirrored.update())
    assert len(contents_of(mirrored.folder)) == 20


def test_a_mirror_that_is_killed_is_taken_up_where_it_was(
    server: S3Server, mirrored: Mirror, stores: Path, way: Way
) -> None:
    objects = {f"{n}.txt": (f"{n} " * 30_000).encode() for n in range(40)}
    server.make("town", **{f"reports/{path}": content for path, content in objects.items()})
    way.pause_seconds = 0.01
    code = (
        "import sys; from pathlib import Path\n"
        "from index.library import finish; from index.loading.mirror import Mirror\n"
        "from index.loading.address import Address\n"
        "finish(Mirror(Path(sys.argv[1]), Address('town', 'reports')).update())"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(stores)], cwd=ROOT)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end and len(contents_of(mirrored.folder)) < 8:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    killed = contents_of(mirrored.folder)
    assert 8 <= len(killed) < 40
    assert all(content == objects[path] for path, content in killed.items())
    assert not mirrored.is_whole()
    way.pause_seconds, before = 0, len(way.gets)
    finish(mirrored.update())
    assert contents_of(mirrored.folder) == objects
    assert not (mirrored.place / "incoming").exists()
    # What was in its place is not fetched again, but for the last that were not yet noted.
    assert len(way.gets) - before <= 1 + 40 - len(killed) + mirror.AT_ONCE


def test_one_process_at_a_time_brings_it_up_to_date(server: S3Server, mirrored: Mirror, way: Way) -> None:
    server.make("town", **{f"reports/{n}.bin": b"a" * 200_000 for n in range(4)})
    finish(mirrored.update())
    server.put("town", "reports/new.bin", b"b" * 200_000)
    code = (
        "import sys, time; from pathlib import Path; from index.place import lock\n"
        "with lock(Path(sys.argv[1])): print('held', flush=True); time.sleep(3)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(mirrored.place / "lock")], cwd=ROOT, stdout=subprocess.PIPE
    )
    with holder:
        assert holder.stdout and holder.stdout.readline() == b"held\n"
        assert not finish(mirrored.update(patient=False))
        assert len(contents_of(mirrored.folder)) == 4
        told = [progress.message for progress in mirrored.update()]
    assert any(message.startswith("Waiting for another process") for message in told)
    assert len(contents_of(mirrored.folder)) == 5


# -- the roads -------------------------------------------------------------------------------------


@pytest.fixture
def town(server: S3Server) -> str:
    server.make("town", **{"reports/ferry.md": FERRY, "reports/a/mill.md": MILL, "reports/../out.md": "x"})
    return "s3://town/reports"


def test_a_question_is_answered_with_a_citation_that_stands_in_the_object(
    server: S3Server, town: str, settings: Settings, embedding: Embedding
) -> None:
    result = answer("When was the ferry to Brenholm built?", town, settings=settings)
    assert result.found
    [citation] = result.citations
    assert citation.path == "ferry.md"
    content = server.ask("GET", f"/town/reports/{citation.path}").decode()
    assert content[citation.start : citation.end] == citation.quote
    assert "1912" in citation.quote


def test_a_footnote_over_a_bucket(server: S3Server, town: str, settings: Settings, embedding: Embedding) -> None:
    with Footnote(town, settings=settings) as footnote:
        assert [document.path for document in footnote.documents()] == ["a/mill.md", "ferry.md"]
        assert footnote.skipped().keys() == {"../out.md"}
        server.delete("town", "reports/a/mill.md")
        server.put("town", "reports/ferry.md", FERRY.replace("1912", "1913"))
        assert "1912" in footnote.answer("When was the ferry to Brenholm built?").text  # it was looked at just now
        report = footnote.sync()
        assert (report.changed, report.removed) == (["ferry.md"], ["a/mill.md"])
        assert "1913" in footnote.answer("When was the ferry to Brenholm built?").text
        assert repr(footnote) == "Footnote('s3://town/reports')"


def test_a_moved_object_is_moved(server: S3Server, town: str, settings: Settings, embedding: Embedding) -> None:
    library = finish(open_library(town, settings))
    finish(library.sync())
    server.put("town", "reports/b/mill.md", MILL)
    server.delete("town", "reports/a/mill.md")
    report = finish(library.sync())
    assert report.moved == ["b/mill.md"]
    assert not report.changed


def test_questions_are_answered_from_the_mirror_while_the_server_is_away(
    server: S3Server, town: str, settings: Settings, embedding: Embedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    library = finish(open_library(town, settings))
    finish(library.sync())
    mirror._looked.clear()  # as another process, or a minute later
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    library = finish(open_library(town, settings))
    told = [progress.message for progress in bring_up_to_date(library)]
    assert any("could not be reached" in message and "fetched before" in message for message in told)
    assert answer("When was the ferry to Brenholm built?", town, settings=settings).found
    with pytest.raises(FolderError, match="could not be reached"):
        finish(library.sync())


def test_a_watched_bucket_is_followed(
    server: S3Server, town: str, settings: Settings, embedding: Embedding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.watching.LOOK_SECONDS", 0.5)
    library = finish(open_library(town, settings))
    library.begin()
    watcher = watch(library)
    try:
        assert "1912" in answer("When was the ferry to Brenholm built?", town, settings=settings).text
        server.put("town", "reports/ferry.md", FERRY.replace("1912", "1913"))
        end = time.monotonic() + SECONDS
        while time.monotonic() < end and "1913" not in (mirror_text := (library.folder / "ferry.md").read_text()):
            time.sleep(0.1)
        assert "1913" in mirror_text
        assert "1913" in answer("When was the ferry to Brenholm built?", town, settings=settings).text
        assert (report := watcher.report())
        assert "../out.md" in report.skipped
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        while time.monotonic() < end and watcher.state().activity != "failed":
            time.sleep(0.1)
        assert "could not be reached" in watcher.state().message
        assert answer("When was the ferry to Brenholm built?", town, settings=settings).found
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        while time.monotonic() < end and watcher.state().activity != "idle":
            time.sleep(0.1)
        assert watcher.state().activity == "idle"
    finally:
        unwatch(library)
    assert find_watcher(library) is None


def test_a_server_over_a_bucket_and_a_folder_names_both(
    town: str, folder: Path, settings: Settings, embedding: Embedding
) -> None:
    (folder / "a.md").write_text(MILL)
    served = finish(open_served([town, folder], settings))
    assert list(served.libraries) == ["reports", "documents"]
    assert served.library("reports").address == "s3://town/reports"


def test_the_command_line_syncs_and_answers(town: str, settings: Settings) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "assistant", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS)

    synced = run("sync", town)
    assert synced.returncode == 3
    assert "skipped  ../out.md: its name leads to no place within the folder" in synced.stdout
    assert "2 documents: 2 added, 1 skipped" in synced.stdout
    anew = run("sync", town, "--anew")
    assert "2 documents: 2 added" in anew.stdout
    asked = run("ask", "When was the ferry to Brenholm built?", "--documents", town)
    assert asked.returncode == 0
    assert "ferry.md, characters" in asked.stdout
    assert run("documents", town).stdout.count(".md") == 2
    missing = run("sync", "s3://nowhere")
    assert missing.returncode == 2
    assert "Traceback" not in missing.stderr
    assert "s3://nowhere is not there" in missing.stderr
