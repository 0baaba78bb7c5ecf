"""The routes of the documents folder, asked over HTTP on a server of their own."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI
from guarded_server import Nothing, listening
from hashed import HashEmbedding

from assistant.serving.guard import Guard, Streams
from assistant.serving.routes import folder as room
from assistant.serving.served import Served
from assistant.serving.uploads import Limits
from index.documents import identify
from index.library import Library, finish
from index.settings import Settings
from index.storing.embedded import EmbeddedStore
from index.watching import bring_up_to_date, unwatch, watch


@contextmanager
def serving(served: Served) -> Iterator[httpx.Client]:
    """Somebody who asks a server that has these routes alone, behind the guard."""

    app = FastAPI()
    app.include_router(room.make_router(served))
    guard = Guard(app, Streams(), {}, Nothing(), own=room.OPEN)
    with listening(guard) as address, httpx.Client(base_url=address, timeout=30) as client:
        yield client


Serves = Callable[..., Served]


@pytest.fixture(autouse=True)
def _busy_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.watching.LONGEST_WAIT_SECONDS", 30.0)


@pytest.fixture
def serves(folder: Path, store: EmbeddedStore, settings: Settings) -> Iterator[Serves]:
    """A watched folder that is served, with uploads in a folder within."""
    (folder / "kept.txt").write_text("Alpha.")
    (folder / "uploads").mkdir()
    library = Library(folder, store, HashEmbedding(), settings)

    def serve(*, uploads: bool = True, is_local: bool = True) -> Served:
        watch(library)
        return Served({"docs": library}, settings, folder / "uploads" if uploads else None, is_local)

    yield serve
    unwatch(library)


@pytest.fixture
def client(serves: Serves) -> Iterator[httpx.Client]:
    with serving(serves()) as client:
        yield client


def paths(served: Library) -> set[str]:
    finish(bring_up_to_date(served))
    return {record.path for record in served.store.lexicon.records()}


def wait_for(client: httpx.Client, activity: str) -> dict[str, Any]:
    end = time.monotonic() + 30
    while (state := client.get("/api/sync").json())["activity"] != activity:
        assert time.monotonic() < end, state
        time.sleep(0.02)
    return dict(state)


# -- the sync -----------------------------------------------------------------------------------


def test_a_sync_is_told_of_stopped_and_resumed(serves: Serves, folder: Path) -> None:
    served = serves()
    with serving(served) as client:
        state = wait_for(client, "idle")
        assert state["unwatched"] == "" and state["files"] == 1 and state["to_read"] == 0
        assert state["report"]["documents"] == 1 and "1 document: 1 " in state["report"]["summary"]
        assert client.delete("/api/sync").json()["activity"] == "stopped"
        (folder / "later.txt").write_text("Beta.")
        assert paths(served.library()) == {"kept.txt"}
        assert client.post("/api/sync").json()["activity"] != "stopped"
        wait_for(client, "idle")
        assert paths(served.library()) == {"kept.txt", "later.txt"}
        assert client.get("/api/sync", params={"library": "docs"}).status_code == 200
        reply = client.get("/api/sync", params={"library": "other"})
        assert (reply.status_code, reply.json()["detail"]) == (404, "There is no library “other”: choose one of docs.")


def test_a_folder_that_is_not_watched_says_so(serves: Serves) -> None:
    served = serves()
    unwatch(served.library())
    with serving(served) as client:
        assert client.get("/api/sync").json()["unwatched"] == "it is synced at each question"
        assert client.delete("/api/sync").status_code == 200
        client.post("/api/sync")
        wait_for(client, "idle")


# -- uploads ------------------------------------------------------------------------------------


def test_an_upload_is_kept_and_can_be_asked_about(serves: Serves, folder: Path) -> None:
    served = serves()
    with serving(served) as client:
        name = "Bericht “Größe” 100%?.txt"
        reply = client.post(f"/api/uploads/{quote(name)}", content=b"Gamma.")
        path = "uploads/Bericht “Größe” 100%_.txt"
        assert reply.json() == {"library": "docs", "path": path, "id": identify(path), "bytes": 6}
        assert (folder / path).read_bytes() == b"Gamma."
        assert paths(served.library()) == {"kept.txt", path}
        again = client.post(f"/api/uploads/{quote(name)}", content=b"Delta.").json()["path"]
        assert again == "uploads/Bericht “Größe” 100%_ (2).txt"
        assert (folder / path).read_bytes() == b"Gamma."


def test_an_upload_may_come_in_pieces(client: httpx.Client, folder: Path) -> None:
    pieces = (b"line of text\n" * 1000 for _ in range(50))
    assert client.post("/api/uploads/long.txt", content=pieces).json()["bytes"] == 650_000
    assert (folder / "uploads" / "long.txt").read_bytes() == b"line of text\n" * 50_000


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("a.exe", b"MZ" + bytes(100), 415),
        ("a.pdf", b"no PDF", 415),
        ("a.txt", b"", 400),
        ("%2e%2e", b"x", 400),
        ("%00", b"x", 400),
        ("..%2f..%2fa.txt", b"x", 404),
    ],
)
def test_what_is_not_taken_leaves_nothing(
    client: httpx.Client, folder: Path, name: str, content: bytes, status: int
) -> None:
    reply = client.post(f"/api/uploads/{name}", content=content)
    assert (reply.status_code, bool(reply.json()["detail"])) == (status, True)
    assert [*(folder / "uploads").iterdir()] == []
    assert not (folder.parent / "a.txt").exists()


def test_an_upload_is_bounded(serves: Serves, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "LIMITS", Limits(most_bytes=1000, total_bytes=1500))
    with serving(serves()) as client:
        assert client.post("/api/uploads/a.txt", content=b"x" * 1001).status_code == 413
        assert client.post("/api/uploads/a.txt", content=b"x" * 1000).status_code == 200
        assert client.post("/api/uploads/b.txt", content=b"x" * 600).status_code == 507
    assert [file.name for file in (folder / "uploads").iterdir()] == ["a.txt"]


def test_an_upload_that_breaks_off_leaves_nothing(client: httpx.Client, folder: Path) -> None:
    url = client.base_url
    with socket.create_connection((url.host, url.port or 0)) as connection:
        connection.sendall(
            f"POST /api/uploads/a.txt HTTP/1.1\r\nHost: 127.0.0.1:{url.port}\r\nContent-Length: 900000\r\n\r\n".encode()
            + b"some of it\n" * 30_000
        )
        time.sleep(0.2)
    end = time.monotonic() + 30
    while [*(folder / "uploads").iterdir()]:
        assert time.monotonic() < end
        time.sleep(0.02)
    assert client.post("/api/uploads/a.txt", content=b"x").json()["path"] == "uploads/a.txt"


def test_without_a_folder_for_uploads_nothing_is_written(serves: Serves, folder: Path) -> None:
    with serving(serves(uploads=False)) as client:
        for reply in (
            client.post("/api/uploads/a.txt", content=b"x"),
            client.post("/api/pasted", json={"title": "a", "text": "x"}),
            client.post("/api/web", json={"address": "https://site.example/"}),
            client.delete(f"/api/documents/{identify('kept.txt')}"),
        ):
            assert reply.status_code == 403
            assert "--uploads" in reply.json()["detail"]
    assert {path.name for path in folder.rglob("*")} == {"kept.txt", "uploads"}


# -- pasted text and web pages ------------------------------------------------------------------


def test_pasted_text_is_kept(serves: Serves) -> None:
    served = serves()
    with serving(served) as client:
        reply = client.post("/api/pasted", content=json.dumps({"title": "Minutes of May", "text": "We met. 😀\ud83d"}))
        assert reply.json()["path"] == "uploads/Minutes of May.txt"
        assert "uploads/Minutes of May.txt" in paths(served.library())
        for body in ({"title": "a"}, {"title": "a", "text": 1}, {"title": "a", "text": "x", "more": ""}, [], "x"):
            assert client.post("/api/pasted", json=body).status_code == 400
        assert client.post("/api/pasted", content=b"{").status_code == 400
        assert client.post("/api/pasted", json={"title": "a", "text": " "}).status_code == 400


def test_a_web_page_of_this_machine_is_refused(client: httpx.Client) -> None:
    reply = client.post("/api/web", json={"address": str(client.base_url.join("/api/sync"))})
    assert reply.status_code == 400
    assert "no address of the public web" in reply.json()["detail"]


def test_web_pages_are_fetched_for_this_machine_alone(serves: Serves) -> None:
    with serving(serves(is_local=False)) as client:
        reply = client.post("/api/web", json={"address": "https://site.example/"})
        assert (reply.status_code, "own machine" in reply.json()["detail"]) == (403, True)


# -- deleting -----------------------------------------------------------------------------------


def test_only_uploads_are_deleted(serves: Serves, folder: Path) -> None:
    served = serves()
    with serving(served) as client:
        made = client.post("/api/uploads/a.txt", content=b"Gamma.").json()
        assert paths(served.library()) == {"kept.txt", "uploads/a.txt"}
        reply = client.delete(f"/api/documents/{identify('kept.txt')}")
        assert (reply.status_code, "does not lie in the uploads folder" in reply.json()["detail"]) == (403, True)
        assert client.delete(f"/api/documents/{made['id']}").json() == {"deleted": "uploads/a.txt"}
        assert not (folder / "uploads" / "a.txt").exists()
        assert paths(served.library()) == {"kept.txt"}
        assert client.delete(f"/api/documents/{made['id']}").status_code == 404
        assert client.delete("/api/documents/..").status_code == 404
    assert (folder / "kept.txt").exists()
