"""The documents folder: how far its store follows, and what people put into the uploads folder or delete from it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Annotated, Any, TypeVar, cast

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.concurrency import contextmanager_in_threadpool
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from assistant.serving.guard import OwnRoute
from assistant.serving.routes.refusals import find_library
from assistant.serving.routes.replies import DeletedReply, ReportReply, SyncReply, UploadReply, refuse
from assistant.serving.served import Served
from assistant.serving.uploads import Limits, RefusedUploadError, Uploads, write_pasted
from index.documents import identify
from index.errors import FootnoteError
from index.library import Library
from index.watching import find_watcher, watch

LARGEST_PASTED_BYTES = 8_000_000
LARGEST_ADDRESS_BYTES = 10_000
SILENT_SECONDS = 20.0  # in which some of an upload must come,
UPLOAD_SECONDS = 1800.0  # and in which all of it
LIMITS = Limits()

OPEN = (
    OwnRoute("GET", re.compile(r"/api/sync")),
    OwnRoute("POST", re.compile(r"/api/sync")),
    OwnRoute("DELETE", re.compile(r"/api/sync")),
    OwnRoute("POST", re.compile(r"/api/uploads/[^/]+", re.DOTALL), LIMITS.most_bytes, streams=True),
    OwnRoute("POST", re.compile(r"/api/pasted"), LARGEST_PASTED_BYTES),
    OwnRoute("POST", re.compile(r"/api/web"), LARGEST_ADDRESS_BYTES),
    OwnRoute("DELETE", re.compile(r"/api/documents/[0-9a-f]{16}")),
)

_Library = Annotated[str | None, Query(description="A library by its name; by default the first.")]
Reply = TypeVar("Reply")


def make_router(served: Served) -> APIRouter:
    """The routes, over what is served."""
    router = APIRouter()
    uploads = Uploads(served.uploads, LIMITS) if served.uploads else None

    def require_uploads() -> Uploads:
        if uploads is None:
            raise HTTPException(
                403, "No folder for uploads was chosen: start Footnote with --uploads and the folder that may be used."
            )
        return uploads

    def describe(file: Path) -> UploadReply:
        """What was put into the uploads folder; its library is told."""
        for name, library in served.libraries.items():
            if library.folder in file.parents:
                if watcher := find_watcher(library):
                    watcher.look()
                path = file.relative_to(library.folder).as_posix()
                return UploadReply(library=name, path=path, id=identify(path), bytes=file.stat().st_size)
        raise HTTPException(500, "The folder for uploads lies in no documents folder.")

    @router.get("/api/sync", summary="Tell how the sync stands", responses=refuse(404))
    def tell_sync(library: _Library = None) -> SyncReply:
        """How far the store follows its folder."""
        return _describe_sync(find_library(served, library))

    @router.post("/api/sync", summary="Sync", responses=refuse(404))
    def begin_sync(library: _Library = None) -> SyncReply:
        """Have the store follow its folder; what was stopped goes on. The reply does not wait for it."""
        found = find_library(served, library)
        watch(found).resume()
        return _describe_sync(found)

    @router.delete("/api/sync", summary="Stop the sync", responses=refuse(404))
    def stop_sync(library: _Library = None) -> SyncReply:
        """Stop it; what was read can be asked about."""
        found = find_library(served, library)
        if watcher := find_watcher(found):
            watcher.stop()
        return _describe_sync(found)

    @router.post(
        "/api/uploads/{name}",
        summary="Upload a file",
        responses=refuse(400, 403, 408, 413, 415, 507),
        openapi_extra=_describe_body("application/octet-stream", {"type": "string", "format": "binary"}),
    )
    async def upload(name: str, request: Request) -> UploadReply:
        """Put a file into the uploads folder: its name stands in the address, and the body is its content."""
        return await _refusing(_receive(require_uploads(), name, request, describe))

    @router.post(
        "/api/pasted",
        summary="Keep a text",
        responses=refuse(400, 403, 413, 507),
        openapi_extra=_describe_body("application/json", _to_schema("title", "text")),
    )
    async def paste(request: Request) -> UploadReply:
        """Put a text into the uploads folder, as a file of its own."""
        kept, fields = require_uploads(), await _read_fields(request, "title", "text")

        def save() -> UploadReply:
            name, content = write_pasted(fields["title"], fields["text"])
            return describe(kept.save(name, content))

        return await _refusing(run_in_threadpool(save))

    @router.post(
        "/api/web",
        summary="Keep a web page",
        responses=refuse(400, 403, 413, 507),
        openapi_extra=_describe_body("application/json", _to_schema("address")),
    )
    async def add_page(request: Request) -> UploadReply:
        """Fetch a page of the public web and put it into the uploads folder; on one's own machine only."""
        if not served.is_local:
            raise HTTPException(403, "Web pages are fetched only where Footnote is used on its own machine.")
        kept, fields = require_uploads(), await _read_fields(request, "address")

        def save() -> UploadReply:
            from assistant.serving.fetching import fetch_page, write_page

            name, content = write_page(fetch_page(fields["address"]), date.today())
            return describe(kept.save(name, content))

        return await _refusing(run_in_threadpool(save))

    @router.delete("/api/documents/{document_id}", summary="Delete an upload", responses=refuse(400, 403, 404))
    def delete(document_id: str, library: _Library = None) -> DeletedReply:
        """Delete a file from the uploads folder; no other is deleted."""
        found, kept = find_library(served, library), require_uploads()
        record = found.store.lexicon.record(document_id)
        if record is None:
            raise HTTPException(404, "There is no such document: it may have been deleted meanwhile.")
        try:
            kept.delete(found.folder / record.path)
        except RefusedUploadError as error:
            raise HTTPException(error.status, str(error)) from error
        if watcher := find_watcher(found):
            watcher.look()
        return DeletedReply(deleted=record.path)

    return router


def _describe_sync(library: Library) -> SyncReply:
    """How far the store follows, for who asks again and again."""
    watcher = find_watcher(library)
    if watcher is None:
        return SyncReply(activity="idle", unwatched="it is synced at each question")
    report = watcher.report()
    counted = ("added", "changed", "moved", "removed", "unchanged", "skipped", "partial")
    return SyncReply(
        **asdict(watcher.state()),
        report=ReportReply(
            summary=report.summary(),
            documents=report.count(),
            **{name: len(getattr(report, name)) for name in counted},
        )
        if report
        else None,
    )


def _describe_body(kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    """What a route takes that reads its body itself, as OpenAPI says it."""
    return {"requestBody": {"required": True, "content": {kind: {"schema": schema}}}}


def _to_schema(*names: str) -> dict[str, Any]:
    texts = {name: {"type": "string"} for name in names}
    return {"type": "object", "properties": texts, "required": [*names], "additionalProperties": False}


async def _receive(uploads: Uploads, name: str, request: Request, describe: Callable[[Path], Reply]) -> Reply:
    async with contextmanager_in_threadpool(uploads.receive(name)) as receiving:
        parts = request.stream().__aiter__()
        try:
            async with asyncio.timeout(UPLOAD_SECONDS):
                while True:
                    async with asyncio.timeout(SILENT_SECONDS):
                        part = await anext(parts, None)
                    if part is None:
                        break
                    await run_in_threadpool(receiving.write, part)
        except TimeoutError:
            raise HTTPException(408, "The file did not come whole in time: send it again.") from None
        except ClientDisconnect:
            raise HTTPException(400, "The file did not come whole.") from None
        file = await run_in_threadpool(receiving.keep)
    return await run_in_threadpool(describe, file)


async def _refusing(work: Awaitable[Reply]) -> Reply:
    """What some work gives, or its refusal as HTTP tells it."""
    try:
        return await work
    except RefusedUploadError as error:
        raise HTTPException(error.status, str(error)) from error
    except FootnoteError as error:
        raise HTTPException(400, str(error)) from error


async def _read_fields(request: Request, *names: str) -> dict[str, str]:
    """The fields of a request's body, each a text. Raises HTTPException where it has others."""
    try:
        body = await request.json()
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict) or body.keys() != {*names} or not all(isinstance(body[n], str) for n in names):
        raise HTTPException(400, f"The request's body is not JSON with {' and '.join(names)} as text.")
    return cast(dict[str, str], body)
