"""The model hub: what its cache on this machine holds, and what it serves.

The hub's client says where things are and who asks; what it answers is read here, so that no more comes than was told
or is needed, none of it takes for ever, how far it is can be shown, and a connection that breaks off is taken up.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

_ANSWER_SECONDS = 5.0  # for a hub to answer at all; where it is out of reach, its client would try for half a minute
_LISTING_SECONDS = 30.0  # for all of a listing
_MOST_LISTING_BYTES = 8_000_000  # some 150 a file
_SILENCE_SECONDS = 20.0  # between two parts of a file; then it is asked for again
_ENOUGH_BYTES, _ENOUGH_SECONDS = 60_000, 60.0  # 1 kB a second is the least that a file comes with, over a minute
_MOST_ATTEMPTS = 3  # without anything new
_TOLD_BYTES = 1_000_000  # each time
_REVISION = re.compile(r"[0-9a-f]{7,64}")


class HubError(Exception):
    """Why the hub did not serve something: part of a sentence. `knows_name`: whether it has a model of that name."""

    def __init__(self, reason: str, *, knows_name: bool = True) -> None:
        super().__init__(reason)
        self.knows_name = knows_name


@dataclass(frozen=True, slots=True)
class Listing:
    """What a model's newest revision holds: the bytes of each file by its path, and the SHA-256 of large ones."""

    name: str
    revision: str
    sizes: Mapping[str, int]
    sha256: Mapping[str, str]


def find_cached(name: str, file: str) -> Path | None:
    """A file of a model in the hub's cache, below the folder of its revision; None where it is not there."""
    try:
        from huggingface_hub import try_to_load_from_cache
    except ValueError:
        return None  # its own variables hold what it cannot read
    cached = try_to_load_from_cache(name, file)
    return Path(cached) if isinstance(cached, str) else None


def list_files(name: str) -> Listing:
    """Ask the hub what a model holds; the answer comes within half a minute, or not at all.

    Raises HubError.
    """
    try:
        from huggingface_hub import constants, is_offline_mode
    except ValueError as error:
        raise HubError(f"its client's own variables cannot be read: {_first_line(error)}") from error
    if is_offline_mode():
        raise HubError("HF_HUB_OFFLINE forbids to ask it")
    # What `HfApi.model_info` asks, which reads all that is answered, without an end.
    url = f"{constants.ENDPOINT}/api/models/{name}?blobs=true"
    session, answer = _open_session(), bytearray()
    try:
        for _, piece in _take_within(_Allowance(_LISTING_SECONDS), _read(session, url, 0, _ANSWER_SECONDS)):
            answer += piece
            if len(answer) > _MOST_LISTING_BYTES:
                raise HubError(f"its list of files is longer than the {_MOST_LISTING_BYTES:,} bytes that are read")
    except TimeoutError as error:
        raise HubError(f"its list of files did not come within {_LISTING_SECONDS:.0f} seconds") from error
    return _read_listing(name, bytes(answer))


def _read_listing(name: str, answer: bytes) -> Listing:
    try:
        content = json.loads(answer)
        revision = str(content["sha"])
        files = {str(file["rfilename"]): file for file in content.get("siblings") or ()}
        sizes = {path: int(file.get("size") or 0) for path, file in files.items()}
        sha256 = {path: str(file["lfs"]["sha256"]) for path, file in files.items() if file.get("lfs")}
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError) as error:
        raise HubError("its answer is no list of a model's files") from error
    if not _REVISION.fullmatch(revision):
        raise HubError("its answer names no revision")
    return Listing(name, revision, sizes, sha256)


def fetch(listing: Listing, path: str, target: Path, most_bytes: int) -> Iterator[int]:
    """Write a file of a listing to `target`, and give again and again how many bytes are there.

    What an earlier call left there is its beginning. Raises HubError, also where the file comes too slowly to ever be
    whole, and OSError where it cannot be written.
    """
    from huggingface_hub import hf_hub_url

    size = listing.sizes.get(path, most_bytes + 1)
    if size > most_bytes:
        raise HubError(f"{path} is not there, or longer than the {most_bytes:,} bytes that are read of it")
    session, url = _open_session(), hf_hub_url(listing.name, path, revision=listing.revision)
    with target.open("ab") as stream:
        done = told = furthest = stream.tell()
        failures = 0
        allowance = _Allowance(_ENOUGH_SECONDS, _ENOUGH_BYTES)  # over all attempts: any of them may bring a little
        while done < size and failures < _MOST_ATTEMPTS:
            reason = "the connection broke off"
            try:
                for begin, piece in _take_within(allowance, _read(session, url, done, _SILENCE_SECONDS)):
                    if begin < done:  # the server begins anew
                        stream.truncate(begin)
                        told = begin
                    done = begin + len(piece)
                    if done > size:
                        break
                    stream.write(piece)
                    if done - told >= _TOLD_BYTES or done == size:
                        told = done
                        yield done
            except TimeoutError as error:
                raise HubError(f"{path} comes too slowly, and what came of it is kept") from error
            except HubError as error:
                reason = str(error)
            failures = 0 if done > furthest else failures + 1
            furthest = max(furthest, done)
    if done < size:
        raise HubError(f"{path} could not be fetched: {reason}")
    expected = listing.sha256.get(path)
    if done > size or (expected is not None and _digest(target) != expected):
        target.unlink()
        raise HubError(f"{path} as fetched is not the file that was listed")


def _open_session() -> Any:
    from huggingface_hub import get_session

    try:
        return get_session()
    except Exception as error:  # a proxy or a certificate of the user's that cannot be read
        raise HubError(f"its client does not start: {_first_line(error)}") from error


@dataclass(slots=True)
class _Allowance:
    """How long may be waited for the hub: `seconds`, which each `enough_bytes` that came grant anew (0: never)."""

    seconds: float
    enough_bytes: int = 0
    waited_seconds: float = 0.0
    came_bytes: int = 0

    def wait(self, replies: SimpleQueue[Any]) -> Any:
        """The next of the replies. Raises TimeoutError."""
        begin = time.monotonic()
        try:
            reply = replies.get(timeout=max(0.0, self.seconds - self.waited_seconds))
        except Empty:
            raise TimeoutError from None
        self.waited_seconds += time.monotonic() - begin
        return reply

    def count(self, came_bytes: int) -> None:
        """Take note of what came."""
        self.came_bytes += came_bytes
        if 0 < self.enough_bytes <= self.came_bytes:
            self.waited_seconds, self.came_bytes = 0.0, 0


def _take_within(
    allowance: _Allowance, pieces: Generator[tuple[int, bytes], None, None]
) -> Iterator[tuple[int, bytes]]:
    """What `_read` gives, taken by a thread of its own, whose time is up where the client's never is.

    The client counts the seconds of one read of the network, and a hub can send each byte of an answer, of its head
    too, just within them. A thread that still reads such an answer ends with it, or with the program.

    Raises TimeoutError where the allowance is used up, and HubError.
    """
    wishes: SimpleQueue[bool] = SimpleQueue()
    replies: SimpleQueue[tuple[int, bytes] | Exception | None] = SimpleQueue()

    def work() -> None:
        with closing(pieces):
            while wishes.get():
                try:
                    replies.put(next(pieces, None))
                except Exception as error:
                    replies.put(error)

    Thread(target=work, daemon=True).start()
    try:
        while True:
            wishes.put(True)
            reply = allowance.wait(replies)
            if reply is None:
                return
            if isinstance(reply, Exception):
                raise reply
            allowance.count(len(reply[1]))
            yield reply
    finally:
        wishes.put(False)


def _read(session: Any, url: str, begin: int, silence_seconds: float) -> Generator[tuple[int, bytes], None, None]:
    """The pieces of what is there from a byte on, each with the byte that it begins at, which may be an earlier one.

    Raises HubError.
    """
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError
    from huggingface_hub.utils import hf_raise_for_status  # type: ignore[attr-defined]

    try:
        with _ask(session, url, begin, silence_seconds) as response:
            # Its status and head say what is wrong; the client would read all that stands below them.
            kept = [(key, value) for key, value in response.headers.items() if key != "content-encoding"]
            hf_raise_for_status(type(response)(response.status_code, headers=kept, request=response.request))
            if response.status_code not in (200, 206):
                raise HubError(f"it answers with the status {response.status_code}")
            if response.headers.get("content-encoding", "identity") != "identity":
                raise HubError("it answers compressed, which was not asked for")
            begin = begin if response.status_code == 206 else 0
            for piece in response.iter_raw():
                yield begin, piece
                begin += len(piece)
    except HubError:
        raise
    except GatedRepoError as error:
        raise HubError("the model's terms are to be accepted there first; then set HF_TOKEN") from error
    except RepositoryNotFoundError as error:
        raise HubError(
            "the hub has no model of that name that may be read without HF_TOKEN", knows_name=False
        ) from error
    except Exception as error:  # the client raises errors of many libraries, and a server says what it likes
        raise HubError(_first_line(error)) from error


@contextmanager
def _ask(session: Any, url: str, begin: int, silence_seconds: float) -> Iterator[Any]:
    """The hub's answer, of which the head is read: the rest as it comes, not compressed, from a byte on if it can."""
    from huggingface_hub import constants, get_token

    # The client's own way to build these asks the hub first how to name who asks, and reads all that it answers.
    headers = {"User-Agent": "footnote", "Accept-Encoding": "identity"}
    token = None if constants.HF_HUB_DISABLE_IMPLICIT_TOKEN else get_token()
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if begin:
        headers["Range"] = f"bytes={begin}-"
    request = session.build_request("GET", url, headers=headers, timeout=silence_seconds)
    # Redirects are followed here: the client reads all that comes with one.
    for _ in range(session.max_redirects + 1):
        with closing(session.send(request, stream=True, follow_redirects=False)) as response:
            if response.next_request is None:
                yield response
                return
            request = response.next_request
    raise HubError("it redirects again and again")


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
