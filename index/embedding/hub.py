"""The model hub: what its cache on this machine holds, and what it serves.

The hub's client says where things are and who asks; files are read here, so that no more of them comes than was told,
how far it is can be shown, and a connection that breaks off is taken up where it broke.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PATIENCE_SECONDS = 5.0  # for a hub to answer at all; where it is out of reach, its client would try for half a minute
_SILENCE_SECONDS = 60.0  # between two parts of a file
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
    """Ask the hub what a model holds; the answer comes within seconds, or not at all.

    Raises HubError.
    """
    try:
        from huggingface_hub import HfApi, is_offline_mode
        from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError
    except ValueError as error:
        raise HubError(f"its client's own variables cannot be read: {_first_line(error)}") from error
    if is_offline_mode():
        raise HubError("HF_HUB_OFFLINE forbids to ask it")
    try:
        answer = HfApi().model_info(name, files_metadata=True, timeout=_PATIENCE_SECONDS)
        revision = str(answer.sha)
        files = {str(file.rfilename): file for file in answer.siblings or ()}
        sizes = {path: int(file.size or 0) for path, file in files.items()}
        sha256 = {path: str(file.lfs.sha256) for path, file in files.items() if file.lfs}
    except GatedRepoError as error:
        raise HubError("the model's terms are to be accepted there first; then set HF_TOKEN") from error
    except RepositoryNotFoundError as error:
        raise HubError(
            "the hub has no model of that name that may be read without HF_TOKEN", knows_name=False
        ) from error
    except Exception as error:  # the client raises errors of many libraries, and a server says what it likes
        raise HubError(_first_line(error)) from error
    if not _REVISION.fullmatch(revision):
        raise HubError("its answer names no revision")
    return Listing(name, revision, sizes, sha256)


def fetch(listing: Listing, path: str, target: Path, most_bytes: int) -> Iterator[int]:
    """Write a file of a listing to `target`, and give again and again how many bytes are there.

    What an earlier call left there is its beginning. Raises HubError, and OSError where it cannot be written.
    """
    from huggingface_hub import get_session, hf_hub_url
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

    size = listing.sizes.get(path, most_bytes + 1)
    if size > most_bytes:
        raise HubError(f"{path} is not there, or longer than the {most_bytes:,} bytes that are read of it")
    session, headers = get_session(), build_hf_headers()
    url = hf_hub_url(listing.name, path, revision=listing.revision)
    with target.open("ab") as stream:
        done = told = stream.tell()
        failures = 0
        while done < size and failures < _MOST_ATTEMPTS:
            before, reason = done, "the connection broke off"
            try:
                for begin, piece in _read(session, url, headers, done):
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
            except HubError as error:
                reason = str(error)
            failures = 0 if done > before else failures + 1
    if done < size:
        raise HubError(f"{path} could not be fetched: {reason}")
    expected = listing.sha256.get(path)
    if done > size or (expected is not None and _digest(target) != expected):
        target.unlink()
        raise HubError(f"{path} as fetched is not the file that was listed")


def _read(session: Any, url: str, headers: Mapping[str, str], begin: int) -> Iterator[tuple[int, bytes]]:
    """The pieces of a file from a byte on, each with the byte that it begins at, which may be an earlier one."""
    ours = {**headers, "Accept-Encoding": "identity", "Range": f"bytes={begin}-"}
    try:
        with session.stream("GET", url, headers=ours, timeout=_SILENCE_SECONDS, follow_redirects=True) as response:
            response.raise_for_status()
            begin = begin if response.status_code == 206 else 0
            for piece in response.iter_bytes():
                yield begin, piece
                begin += len(piece)
    except Exception as error:  # the client raises errors of many libraries
        raise HubError(_first_line(error)) from error


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
