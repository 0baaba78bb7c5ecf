"""Where a model that the settings name is found: a folder, our own cache, the hub's cache, else the hub.

What is fetched from the hub is kept in our own cache, with the revision that it is of: it stays that one until it is
removed. A fetch that breaks off is taken up by the next where it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from index.documents import Progress
from index.embedding import hub
from index.embedding.model_files import Files, ModelKind, is_small, most_bytes
from index.errors import InputError, WeightsError
from index.place import lock, read_note, remove, write_small
from index.settings import read_path, shorten

_NOTE_FILE = "fetched.json"  # the revision, and the bytes of each file: written last, so that what has it is whole
# What the hub calls a model: its owner, mostly, and its name.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}(?:/[A-Za-z0-9][A-Za-z0-9._-]{0,95})?")
_FETCHING = "Fetching the {} {} (this once)"


def open_model(given: str, cache_folder: Path, kind: ModelKind[Files]) -> Generator[Progress, None, Files]:
    """Find a model or fetch it, telling how far it is.

    given: a folder's path, a name on the hub, or one that is chosen for models of its kind.

    Raises InputError where no model can have that name or the hub knows none; WeightsError where it cannot be had or
    used.
    """
    folder = None if given in kind.chosen else _find_folder(given, kind.variable)
    if folder is not None:
        with _reading(folder):
            return kind.read(folder, folder.name, "", ())
    name = _read_name(kind.chosen.get(given, given), kind)
    ours = cache_folder / "models" / name.replace("/", "--")
    revision = _find_revision(ours)
    if revision is None:
        cached = _find_cached(name, kind)
        if cached is not None:
            return cached
        try:
            yield from _fetch(name, ours, kind)
        except hub.HubError as error:
            if not error.knows_name:
                raise InputError(
                    f"{kind.variable} names the model {name}, which is no folder, and {error}: check the name."
                ) from error
            raise WeightsError(
                f"The model {name} is not on this machine and could not be fetched from the hub ({error}): connect to "
                f"the network and ask again, or set {kind.variable} to {kind.prefix} and the folder of a model."
            ) from error
        except OSError as error:
            raise WeightsError(
                f"The model {name} could not be kept in {ours.parent} ({error.strerror}): see that the disk has room, "
                "or set FOOTNOTE_CACHE to another folder."
            ) from error
        revision = _find_revision(ours)
    with _reading(ours):
        return kind.read(ours, name, revision or "", ())


def _find_folder(given: str, variable: str) -> Path | None:
    """The folder that is given; None where a name on the hub may be meant."""
    folder = read_path(given, variable)
    try:
        folder = folder.resolve()
        if folder.is_dir():
            return folder
        what = "is no folder" if folder.exists() else "does not exist"
    except (OSError, RuntimeError):  # too long, not to be entered, or links in a circle
        what = "cannot be entered"
    if Path(given).is_absolute() or given.startswith(("~", ".", "/", "\\")):
        raise InputError(f"{variable} names the folder {shorten(str(folder))}, which {what}: check the path.")
    return None


def _read_name(given: str, kind: ModelKind[Files]) -> str:
    is_name = _NAME.fullmatch(given) and not any(odd in given for odd in ("..", "--")) and given[-1].isalnum()
    if not is_name:
        spellings = ("owner/model", *kind.chosen)
        raise InputError(
            f"{kind.variable} names the model {shorten(given)}, which is no folder and no name that the hub gives: "
            f"write it as {', '.join(kind.prefix + each for each in spellings)} or {kind.prefix}path/to/folder."
        )
    return given if "/" in given else f"{kind.usual_owner}/{given}"


def _find_revision(folder: Path) -> str | None:
    """The revision of what was fetched into a folder, where all of it is there."""
    note = read_note(folder / _NOTE_FILE) or {}
    files, revision = note.get("files"), note.get("revision")
    if not isinstance(files, dict) or not isinstance(revision, str):
        return None
    try:
        is_whole = all((folder / path).stat().st_size == size for path, size in files.items())
    except OSError:
        return None
    return revision if is_whole else None


def _find_cached(name: str, kind: ModelKind[Files]) -> Files | None:
    """The model as the hub's cache has it, where all that is needed is there."""
    head = hub.find_cached(name, kind.head)
    if head is None:
        return None
    try:
        model = kind.read(head.parent, name, head.parent.name, ())
    except (WeightsError, OSError):
        return None  # mostly since another program, which fetched it, needed another export
    # The cache is made of links, by which OpenVINO does not follow an ONNX file to its data beside.
    has_data = any("onnx" in file.suffix and file != model.model for file in model.files)
    return None if has_data and model.model.is_symlink() else model


def _fetch(name: str, folder: Path, kind: ModelKind[Files]) -> Generator[Progress, None, None]:
    told = _FETCHING.format(kind.noun, name)
    yield Progress(told)
    listing = hub.list_files(name)
    partial = folder.with_name(f"{folder.name}.partial")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with lock(folder.with_name(f"{folder.name}.lock")):
        if _find_revision(folder) is not None:
            return  # by another process, meanwhile
        mark = partial / "revision"
        if not mark.is_file() or mark.read_text(encoding="utf-8") != listing.revision:
            remove(partial)
            partial.mkdir()
            write_small(mark, listing.revision)
        try:
            yield from _fetch_files(listing, [kind.head], partial, told)
            paths = kind.choose_files(partial, listing.sizes.__contains__, name)
            # What is small comes first: that the model cannot be used is known before the large files come.
            yield from _fetch_files(listing, filter(is_small, paths), partial, told)
            kind.read(partial, name, "", paths)
            yield from _fetch_files(listing, paths, partial, told)
        except WeightsError:
            remove(partial)
            raise
        files = {path: listing.sizes[path] for path in paths}
        write_small(partial / _NOTE_FILE, json.dumps({"revision": listing.revision, "files": files}), is_lasting=True)
        remove(folder)
        partial.rename(folder)


def _fetch_files(
    listing: hub.Listing, paths: Iterable[str], folder: Path, told: str
) -> Generator[Progress, None, None]:
    paths = [path for path in paths if not (folder / path).is_file()]
    total = sum(listing.sizes.get(path, 0) for path in paths)
    before = 0
    for path in paths:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_name(f"{target.name}.unfinished")
        for done in hub.fetch(listing, path, unfinished, most_bytes(path)):
            yield Progress(told, before + done, total, "bytes")
        unfinished.replace(target)
        before += listing.sizes[path]


@contextmanager
def _reading(folder: Path) -> Iterator[None]:
    """Tell in a sentence what reading a folder may meet on the disk."""
    try:
        yield
    except OSError as error:
        raise WeightsError(
            f"{shorten(str(folder))} cannot be read ({error.strerror}): see that it is a model's folder, and that you "
            "may read it."
        ) from error
