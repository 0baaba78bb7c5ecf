"""Whether the server lives, whether it can answer, and what it has done so far: for programs that look after it.

`/healthz` and `/readyz` are open to who has not logged in: they name no library, no folder and no file.
"""

from __future__ import annotations

import re
from typing import Any

from fastapi import APIRouter, Response

from assistant.serving.guard import OwnRoute
from assistant.serving.served import Served
from index.errors import FootnoteError
from index.library import Library
from index.place import DamagedError
from index.watching import find_watcher

# "/healthz" is a page's too, so that the guard knows it.
OPEN = (
    *(OwnRoute(method, re.compile(r"/readyz")) for method in ("GET", "HEAD")),
    OwnRoute("GET", re.compile(r"/metrics")),
)

_READY, _EMPTY = "can be asked", "waits for uploads"
_READING = "is read for the first time: ask again soon"
_UNUSABLE = "cannot be asked, since its store cannot be read: run footnote check --repair"
_FAILED = "cannot be asked, since its folder is not followed: GET /api/sync says why"
_NOTHING = "cannot be asked, since nothing of it could be read: GET /api/sync says why"


def make_router(served: Served) -> APIRouter:
    """The routes, over what is served."""
    router = APIRouter()

    @router.api_route("/healthz", methods=["GET", "HEAD"])
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @router.api_route("/readyz", methods=["GET", "HEAD"])
    def readyz(response: Response) -> dict[str, Any]:
        told = [judge(library, served) for library in served.libraries.values()]
        is_ready = all(sentence in (_READY, _EMPTY) for sentence in told)
        response.status_code = 200 if is_ready else 503
        libraries = [f"Library {number} {sentence}." for number, sentence in enumerate(told, 1)]
        return {"status": "ready" if is_ready else "not ready", "libraries": libraries}

    @router.get("/metrics")
    def metrics() -> Response:
        from assistant.serving.observing.metrics import FORM

        if served.metrics is None:
            return Response("This server counts nothing.", 503)
        return Response(served.metrics.write(), headers={"Content-Type": FORM})

    return router


def judge(library: Library, served: Served) -> str:
    """What can be said of a library, to anybody: whether it can be asked."""
    watcher = find_watcher(library)
    activity = watcher.state().activity if watcher else "idle"
    try:
        has_documents = library.store.lexicon.is_usable() and library.store.lexicon.count_documents() > 0
    except (FootnoteError, DamagedError):
        return _UNUSABLE
    if has_documents:
        return _FAILED if activity == "failed" else _READY
    if served.uploads and library.folder in (served.uploads, *served.uploads.parents):
        return _EMPTY
    return _NOTHING if activity in ("failed", "idle", "stopped") else _READING
