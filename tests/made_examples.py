"""The examples of api/openapi.json, made from the sample folder.

python tests/made_examples.py writes them anew.
"""

from __future__ import annotations

import json
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from assistant.serving.entrance import Entrance
from assistant.serving.routes import schema
from assistant.serving.served import Served
from assistant.serving.server import build_server
from index.documents import identify

EXAMPLES = Path(schema.__file__).with_name("examples.json")
QUESTION = "why was Israel skipped?"
ANSWERS = "gulf-tour.md"
# What these say is not the same each time.
VARYING = {"GET /api/sync", "POST /api/sync", "DELETE /api/sync", "POST /api/web"}
_ID = {"document_id": identify(ANSWERS)}
_ASKED: dict[str, dict[str, Any]] = {
    "POST /api/answer": {"body": {"question": QUESTION}},
    "POST /api/search": {"body": {"query": "who criticised the tour?", "count": 1, "only": ["israeli-criticism.md"]}},
    "GET /api/search": {"query": {"query": "who criticised the tour?", "count": 1}},
    "GET /api/libraries": {},
    "GET /api/documents": {"query": {"count": 1, "sort": "-date"}},
    "GET /api/documents/{document_id}": {"path": _ID},
    "GET /api/documents/{document_id}/text": {"path": _ID, "query": {"as": "text", "start": 0, "end": 200}},
    "GET /api/documents/{document_id}/boxes": {"path": _ID, "query": {"cited": "120-180"}},
    "GET /api/documents/{document_id}/find": {"path": _ID, "query": {"words": "gulf monarchies"}},
    "GET /api/sync": {},
    "POST /api/sync": {},
    "DELETE /api/sync": {},
    "POST /api/uploads/{name}": {"path": {"name": "ferry.txt"}, "content": "The ferry leaves at nine."},
    "POST /api/pasted": {"body": {"title": "Minutes of May", "text": "We met on 2 May."}},
}
_PAGE = {
    "body": {"address": "https://example.org/ferries"},
    "reply": {"library": "uploads", "path": "Ferries.html", "id": identify("Ferries.html"), "bytes": 1256},
}


def make_examples(client: httpx.Client) -> dict[str, Any]:
    """What a server over the sample folder, and a folder for uploads, answers."""
    examples = {}
    for route, asked in _ASKED.items():
        method, path = route.split()
        reply = client.request(
            method,
            path.format(**asked.get("path", {})),
            params=asked.get("query"),
            json=asked.get("body"),
            content=asked.get("content"),
        )
        assert reply.status_code == 200, (route, reply.text)
        examples[route] = {**{name: asked[name] for name in asked if name != "content"}, "reply": reply.json()}
    events = client.post("/api/answer", json={"question": QUESTION, "stream": True}).text
    examples["POST /api/answer"]["events"] = events
    examples["POST /api/web"] = _PAGE
    return examples


@contextmanager
def serving(served: Served, entrance: Entrance | None = None, **headers: str) -> Iterator[httpx.Client]:
    """Somebody who asks a server without a page."""
    import uvicorn

    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(build_server(served, entrance), ws="none", log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=[[listening]])
    thread.start()
    try:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with httpx.Client(base_url=address, timeout=60, headers=headers) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
        served.close()


def main() -> None:
    from assistant.serving.served import open_served
    from index.library import finish
    from index.settings import Settings, sample_folder

    with tempfile.TemporaryDirectory() as place:
        uploads = Path(place) / "uploads"
        uploads.mkdir()
        settings = Settings.from_environment({"FOOTNOTE_STORE": str(Path(place) / "stores")})
        served = finish(open_served([sample_folder()], settings, uploads=uploads))
        finish(served.library().sync())
        with serving(served) as client:
            examples = make_examples(client)
    lines = [f"{json.dumps(route)}: {json.dumps(one, ensure_ascii=False)}" for route, one in examples.items()]
    EXAMPLES.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
