"""A Chroma server, asked over a connection that ends: each request has a time, is tried again, and fails in a sentence.

Chroma's own client knows no time limit and no second try, and tells apart only errors that its server wrote itself. So
it is given a connection of ours. All that is asked here may be asked twice: rows are added where there are none of
their ids, written whole, or deleted by id.
"""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import httpx

from index.connection import LONGEST_CONNECT_SECONDS, LONGEST_WAIT_SECONDS, choose_wait, connect, read_wait
from index.errors import ModelError, StoreError
from index.settings import Settings, hide_password
from index.storing.chroma_files import load_chroma
from index.storing.rows import Page

REQUEST_ROWS = 250  # that are asked for or written at a time; Chroma's cloud takes 300
LONGEST_PAGE_BYTES = 100_000_000  # of so many rows, each with a vector of thousands of numbers as text
SEARCHED_VECTORS = 100  # at a time
SAME_DISTANCE = 1e-4  # at most, between a vector and itself as a search computes it
SILENT_SECONDS = 30.0  # that the server may take to begin a reply, and where somebody waits, as long as to connect
PATIENCE_SECONDS = 90.0  # in which a request is tried again, where nobody waits for it
QUESTION_SECONDS = 2.0  # and where somebody does
DEFAULT_TENANT, DEFAULT_DATABASE = "default_tenant", "default_database"
_BUSY = {408, 409, 425, 429, 500, 502, 503, 504}
_DAMAGED = ("hnsw segment",)  # what a server says of rows whose vectors a kill has torn
# And where its disk is full, first, and as long as it runs from then on, whether its disk has room again or not.
_FULL = ("disk is full", "No space left", "database is full", "Failed to apply logs to the metadata segment")
_STUCK = "database is locked"

Result = TypeVar("Result")


class ServerAwayError(StoreError):
    """The server does not answer, or says that it cannot: what this machine holds can still be asked."""


class CollectionGoneError(Exception):
    """There is no such collection any more: somebody has made it anew."""


class CollectionDamagedError(Exception):
    """The server does not get at a collection's vectors, as after it was killed; the message is what it says."""

    collection = ""


@dataclass(frozen=True, slots=True)
class Address:
    """Where a store is kept.

    url: of the server, with a user's name and password where it is given them. token: what it lets in by; "" for none.
    """

    url: str = field(repr=False)
    token: str = field(default="", repr=False)
    tenant: str = DEFAULT_TENANT
    database: str = DEFAULT_DATABASE

    @classmethod
    def of(cls, settings: Settings) -> Address | None:
        """Where the settings say, None where stores are kept on this machine."""
        if not settings.chroma_url:
            return None
        return cls(
            settings.chroma_url.rstrip("/"),
            settings.chroma_token or "",
            settings.chroma_tenant or DEFAULT_TENANT,
            settings.chroma_database or DEFAULT_DATABASE,
        )

    @property
    def shown(self) -> str:
        """The address as it may be shown."""
        return hide_password(self.url)

    @property
    def key(self) -> str:
        """What tells this server, tenant and database from others, in 12 hexadecimal digits."""
        told = "\n".join((self.shown, self.tenant, self.database))
        return hashlib.sha256(told.encode()).hexdigest()[:12]


class ChromaServer:
    """A server, and what it is asked. Safe to share between threads.

    Its methods raise ServerAwayError where it does not answer in time, again and again, StoreError where it refuses,
    CollectionGoneError and CollectionDamagedError.
    """

    def __init__(self, address: Address) -> None:
        self.address = address
        self._api: Any = None
        self._connecting = threading.Lock()
        self._asking = threading.local()  # until when each thread tries

    def open(self, name: str, metadata: Mapping[str, Any], hnsw: Mapping[str, Any]) -> Collection:
        """A collection, made where there is none of the name."""
        from chromadb.api.collection_configuration import CreateCollectionConfiguration

        configuration = CreateCollectionConfiguration(hnsw=dict(hnsw))

        def make(api: Any) -> Any:
            return api.get_or_create_collection(
                name, metadata=dict(metadata) or None, configuration=configuration, **self._where
            )

        return Collection(self, self.ask(make))

    def find(self, name: str, patience_seconds: float = PATIENCE_SECONDS) -> Collection | None:
        """A collection, None where there is none of the name."""
        try:
            return Collection(self, self.ask(lambda api: api.get_collection(name, **self._where), patience_seconds))
        except CollectionGoneError:
            return None

    def delete(self, name: str) -> None:
        """Delete a collection, as far as there is one."""
        with suppress(CollectionGoneError):
            self.ask(lambda api: api.delete_collection(name, **self._where))

    @property
    def _where(self) -> dict[str, str]:
        return {"tenant": self.address.tenant, "database": self.address.database}

    def ask(self, request: Callable[[Any], Result], patience_seconds: float = PATIENCE_SECONDS) -> Result:
        """What a request of Chroma's interface gives; tried again, with pauses of chance, as long as that may help."""
        end, attempt = time.monotonic() + patience_seconds, 0
        self._asking.end = end
        while True:
            attempt += 1
            try:
                return request(self._connect())
            except _RefusedError as refusal:
                why, wait = self._judge(refusal), choose_wait(min(attempt, 5), refusal.wait_seconds)
            except (httpx.TransportError, ModelError) as error:
                why, wait = str(error) or type(error).__name__, choose_wait(min(attempt, 5))
            except (ValueError, KeyError, TypeError, AttributeError, IndexError, httpx.DecodingError) as error:
                # Chroma's client takes for granted that what comes is what it expects.
                why, wait = f"what it says is no reply of a Chroma server: {error!r:.80}", choose_wait(min(attempt, 5))
            wait = LONGEST_WAIT_SECONDS if wait is None else wait
            if time.monotonic() + wait > end:
                raise ServerAwayError(
                    f"The Chroma server at {self.address.shown} does not answer ({why}): see that it runs and is "
                    "reached from here, then try again. Nothing is lost."
                )
            time.sleep(wait)

    def close(self) -> None:
        """Close the connection; it is opened again when something is asked."""
        with self._connecting:
            if self._api is not None:
                self._api._session.close()
                self._api = None

    def _connect(self) -> Any:
        """Chroma's interface, over a connection that is opened when first needed."""
        with self._connecting:
            if self._api is None:
                try:
                    self._api = _connect(self.address, self._hurry)
                except (httpx.InvalidURL, ValueError) as error:
                    raise StoreError(f"FOOTNOTE_CHROMA_URL, {self.address.shown}, is no server's address.") from error
            return self._api

    def _hurry(self, request: httpx.Request) -> None:
        """Wait no longer for a reply than is left to the thread that asks."""
        left = max(self._asking.end - time.monotonic(), LONGEST_CONNECT_SECONDS)
        timeout = httpx.Timeout(min(SILENT_SECONDS, left), connect=min(SILENT_SECONDS, LONGEST_CONNECT_SECONDS))
        request.extensions["timeout"] = timeout.as_dict()

    def _judge(self, refusal: _RefusedError) -> str:
        """Why a request was refused, where to try again may help; else it raises what it means."""
        if any(words in refusal.said for words in _DAMAGED):
            raise CollectionDamagedError(refusal.said)
        if any(words in refusal.said for words in _FULL):
            return f"its disk is full: {refusal.said}; once there is room, start it again"
        if _STUCK in refusal.said:
            return f"it hangs as after its disk was full: {refusal.said}; see that there is room, and start it again"
        if refusal.status == 404 and "collection" in refusal.said.lower():
            raise CollectionGoneError(refusal.said)
        if refusal.status in (401, 403):
            raise StoreError(
                f"The Chroma server at {self.address.shown} refuses us (error {refusal.status}): see that "
                "FOOTNOTE_CHROMA_TOKEN is its token, and may use the tenant and the database."
            )
        if refusal.status not in _BUSY:
            raise StoreError(
                f"The Chroma server at {self.address.shown} refuses what is asked (error {refusal.status}: "
                f"{refusal.said}): see that it is a Chroma server of version 1, and has the tenant and the database."
            )
        return f"error {refusal.status}: {refusal.said}"


class Collection:
    """One of a server's collections; see `ChromaServer` for what its methods raise."""

    def __init__(self, server: ChromaServer, model: Any) -> None:
        from chromadb.api.models.Collection import Collection as ChromaCollection

        self.name = str(model.name)
        self.id = str(model.id)
        self.metadata: dict[str, Any] = dict(model.metadata or {})
        self._server = server
        self._model = model
        self._of = ChromaCollection

    def count(self, patience_seconds: float = PATIENCE_SECONDS) -> int:
        """How many rows there are."""
        return self._ask(lambda rows: int(rows.count()), patience_seconds)

    def get(
        self,
        ids: Sequence[str] | None = None,
        *,
        include: Sequence[str] = (),
        limit: int | None = None,
        offset: int = 0,
        where: Mapping[str, Any] | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> Page:
        """The rows of some ids, as far as there are any, or some of all, or of those of some fields; in any order."""
        given = {"ids": list(ids)} if ids is not None else {"limit": limit, "offset": offset, "where": where}
        return self._ask(lambda rows: _check(rows.get(include=list(include), **given), include), patience_seconds)

    def query(self, vector: Any, count: int, patience_seconds: float = PATIENCE_SECONDS) -> dict[str, float]:
        """The ids of the rows nearest to a vector, nearest first, with their distance."""

        def search(rows: Any) -> dict[str, float]:
            answer = rows.query(query_embeddings=vector[None, :], n_results=count, include=["distances"])
            return {str(i): float(far) for i, far in zip(answer["ids"][0], answer["distances"][0], strict=True)}

        return self._ask(search, patience_seconds)

    def pages_of_ids(self) -> Iterator[list[str]]:
        """The ids of all rows, at most so many at a time."""
        offset = 0
        while names := self.get(limit=REQUEST_ROWS, offset=offset)["ids"]:
            yield list(names)
            offset += len(names)

    def count_missed(self, vectors: Sequence[Any]) -> int:
        """How many vectors a search does not find, nor another that is the same."""
        missed = 0
        for i in range(0, len(vectors), SEARCHED_VECTORS):
            some = list(vectors[i : i + SEARCHED_VECTORS])

            def count(rows: Any, some: list[Any] = some) -> int:
                answer = rows.query(query_embeddings=some, n_results=10, include=["distances"])
                return sum(min(distances, default=1.0) > SAME_DISTANCE for distances in answer["distances"])

            missed += self._ask(count)
        return missed

    def add(self, ids: Sequence[str], **columns: Sequence[Any]) -> None:
        """Add rows, but for those whose ids there are."""
        self._ask(lambda rows: rows.add(list(ids), **columns))

    def upsert(self, ids: Sequence[str], patience_seconds: float = PATIENCE_SECONDS, **columns: Sequence[Any]) -> None:
        """Write whole rows, in place of those that have their ids."""
        self._ask(lambda rows: rows.upsert(list(ids), **columns), patience_seconds)

    def delete(self, ids: Sequence[str], patience_seconds: float = PATIENCE_SECONDS) -> None:
        """Delete rows, as far as there are any."""
        for i in range(0, len(ids), REQUEST_ROWS):
            some = list(ids[i : i + REQUEST_ROWS])
            self._ask(lambda rows, some=some: rows.delete(some), patience_seconds)  # type: ignore[misc]

    def _ask(self, request: Callable[[Any], Result], patience_seconds: float = PATIENCE_SECONDS) -> Result:
        try:
            return self._server.ask(lambda api: request(self._of(api, self._model, None)), patience_seconds)
        except CollectionDamagedError as error:
            error.collection = self.name
            raise


class _RefusedError(Exception):
    """The server's answer is an error."""

    def __init__(self, status: int, said: str, wait_seconds: float | None) -> None:
        super().__init__(f"error {status}")
        self.status = status
        self.said = said
        self.wait_seconds = wait_seconds


def _check(page: Page, include: Sequence[str]) -> Page:
    """A page of rows that is one, with fields for each. Raises ValueError where it is something else."""
    ids, columns = page["ids"], [page[name] for name in include]
    if not all(isinstance(name, str) for name in ids) or any(len(column) != len(ids) for column in columns):
        raise ValueError("no page of rows")
    if "metadatas" in include:
        if not all(fields is None or isinstance(fields, dict) for fields in page["metadatas"]):
            raise ValueError("no fields of rows")
        return {**page, "metadatas": [fields or {} for fields in page["metadatas"]]}
    return page


def _connect(address: Address, hurry: Callable[[httpx.Request], None]) -> Any:
    """Chroma's interface to a server, over a connection of ours. Raises httpx.InvalidURL and ModelError.

    hurry: sees each request before it is sent.
    """
    load_chroma()
    import chromadb
    from chromadb.api.fastapi import FastAPI
    from chromadb.config import System

    connection = connect(address.url, SILENT_SECONDS, SILENT_SECONDS * 4, LONGEST_PAGE_BYTES)
    refuse = partial(_refuse, token=address.token)
    connection.event_hooks = {"request": [hurry], "response": [*connection.event_hooks["response"], refuse]}
    if address.token:
        # The cloud's own header, and the one that whatever stands before a server of one's own knows.
        connection.headers.update({"X-Chroma-Token": address.token, "Authorization": f"Bearer {address.token}"})
    url = httpx.URL(hide_password(address.url))
    # Without the environment, as in `chroma_files.connect`.
    settings = chromadb.Settings.model_construct(
        anonymized_telemetry=False,
        chroma_api_impl="chromadb.api.fastapi.FastAPI",
        chroma_server_host=str(url).rstrip("/"),
        chroma_server_http_port=url.port or 0,
        chroma_server_ssl_enabled=url.scheme == "https",
    )
    api = System(settings).instance(FastAPI)
    # What is not compressed is as large as it looks.
    connection.headers.update({"Content-Type": "application/json", "Accept-Encoding": "identity"})
    api._session.close()
    api._session = connection
    return api


def _refuse(response: httpx.Response, token: str) -> None:
    """Raise what the server says is wrong; without it, Chroma's client would pass on only some of it."""
    if response.headers.get("content-encoding", "identity") != "identity":
        raise ValueError("compressed, which was not asked for")
    if response.status_code < 300:
        return
    response.read()
    said = (response.text.replace(token, "the token") if token else response.text)[:2000]
    try:
        told = json.loads(said)
        said = str(told.get("message") or told.get("error") or said) if isinstance(told, dict) else said
    except (ValueError, RecursionError):
        pass
    raise _RefusedError(response.status_code, " ".join(said.split())[:300], read_wait(response.headers))
