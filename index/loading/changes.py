"""What changes in a folder, as the system tells it: by inotify, FSEvents or ReadDirectoryChangesW, through watchfiles.

Whether all that was done before a moment has been told by now is found out as Watchman does it
(https://facebook.github.io/watchman/docs/cookies): a file is made in a folder of our own that is watched with it, and
what is told comes in the order in which it was done. Nothing is written into the folder itself.

But: that order is Linux's promise, where one queue holds all; elsewhere it is nearly so. What other machines do on a
network's file system no system tells, so such a folder is not watched; one that is mounted below it is not noticed.
"""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any, NamedTuple, Protocol

from index.loading.folder import find_folders
from index.loading.omissions import IGNORE_FILE, is_left_behind

STEP_MS = 20  # what is told within such a step of each other is told together,
TOGETHER_MS = 400  # for so long
# File systems that others may change without this machine's knowing.
_NETWORK = frozenset(
    "9p afs beegfs ceph cifs coda drvfs fakeowner gfs2 gpfs lustre ncpfs nfs nfs4 ocfs2 orangefs prl_fs smb3 smbfs "
    "vboxsf virtiofs vmhgfs".split()
)


class UnwatchableError(Exception):
    """Why a folder cannot be watched, for people."""


class GoneError(Exception):
    """The folder is not there any more, or another one is in its place; or what it is watched with is lost."""


class Flag(Protocol):
    """What tells to wait no longer, as `threading.Event` does."""

    def is_set(self) -> bool:
        """Whether it does."""


class Told(NamedTuple):
    """What was told: whether something changed that may concern documents, and the last mark that was passed."""

    has_changed: bool
    mark: int


class Changes:
    """What changes in a folder from now on. `wait` is for one thread, `mark` for all.

    Raises UnwatchableError, and GoneError where there is no such folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._root = os.fspath(folder)
        self._identity = _identify(folder)
        if kind := find_network(self._identity[0]):
            raise UnwatchableError(f"it lies on a network's file system ({kind}), where others' changes are not told")
        try:
            self._marks = os.path.realpath(mkdtemp(prefix=".footnote-"))
        except OSError as error:
            raise UnwatchableError(f"no folder for temporary files can be used ({error.strerror})") from error
        self._last_mark = self._passed = 0
        self._is_lost = False
        self._marking = threading.Lock()
        try:
            self._told = self._open()
        except (UnwatchableError, GoneError):
            rmtree(self._marks, ignore_errors=True)
            raise

    def close(self) -> None:
        """Watch no longer."""
        self._told.close()
        rmtree(self._marks, ignore_errors=True)

    def mark(self) -> int:
        """A number that `wait` gives, or a higher one, once it has told all that was done before now."""
        with self._marking:
            self._last_mark += 1
            mark = self._last_mark
        try:
            Path(self._marks, str(mark)).touch()
        except OSError:  # our own folder was cleared away
            self._is_lost = True
        return mark

    def wait(self, seconds: float, stop: Flag) -> Told:
        """What changed since this was asked last, once something has; nothing after so many seconds, or at a stop.

        Raises GoneError, and UnwatchableError where a folder that is new cannot be watched too.
        """
        told = self._told.watch(TOGETHER_MS, STEP_MS, max(1, round(1000 * seconds)), stop)
        if self._is_lost or _identify(self._folder) != self._identity:
            raise GoneError
        events = [] if isinstance(told, str) else [path for _, path in told]
        changed = [path for path in events if self._concerns(path)]
        for path in events:
            if path.startswith(self._marks + os.sep) and Path(path).name.isdecimal():
                self._passed = max(self._passed, int(Path(path).name))
                with suppress(OSError):
                    Path(path).unlink()
        if _IS_BY_FOLDER and any(_shows_folders(path) for path in changed):
            before, self._told = self._told, self._open()
            before.close()
            with self._marking:  # whatever is looked at from now on is looked at after these
                self._passed = self._last_mark
        return Told(bool(changed), self._passed)

    def _open(self) -> Any:
        from watchfiles._rust_notify import RustNotify, WatchfilesRustInternalError

        try:
            watched = find_folders(self._folder) if _IS_BY_FOLDER else [self._root]
            return RustNotify([*watched, self._marks], False, False, 300, not _IS_BY_FOLDER, False)
        except FileNotFoundError as error:
            raise GoneError from error  # or a folder in it was just removed; it is tried again
        except (OSError, WatchfilesRustInternalError) as error:
            raise UnwatchableError(_explain(error)) from error

    def _concerns(self, path: str) -> bool:
        """Whether what happened at a path may concern documents."""
        if path == self._root:
            return True
        if not path.startswith(self._root.rstrip(os.sep) + os.sep):
            return False
        *above, name = Path(path).relative_to(self._root).parts
        if any(part.startswith(".") for part in above) or (name.startswith(".") and name != IGNORE_FILE):
            return False
        return not is_left_behind(name, lambda: Path(path).is_dir())


# On Linux each folder is watched by itself, and only those that are looked into: a watch of all below would follow
# links out of the folder, and spend the few watches that there are on what is passed over.
_IS_BY_FOLDER = sys.platform == "linux"


def find_network(device: int) -> str:
    """The kind of a network's file system, by its device's number; "" of one that is this machine's own, or unknown."""
    number = f"{os.major(device)}:{os.minor(device)}" if hasattr(os, "major") else ""
    try:
        mounts = Path("/proc/self/mountinfo").read_text(errors="replace").splitlines()
    except OSError:  # as everywhere but on Linux
        return ""
    for mount in mounts:
        fields, _, system = mount.partition(" - ")
        if fields.split()[2:3] == [number]:
            kind = system.split(" ", 1)[0]
            return kind if kind in _NETWORK or kind.startswith("fuse.") else ""
    return ""


def _identify(folder: Path) -> tuple[int, int]:
    try:
        status = folder.stat()
    except OSError as error:
        raise GoneError from error
    return status.st_dev, status.st_ino


def _shows_folders(path: str) -> bool:
    """Whether something that came, changed or went may have folders be looked into that were not."""
    return Path(path).name == IGNORE_FILE or (Path(path).is_dir() and not Path(path).is_symlink())


def _explain(error: Exception) -> str:
    told = str(error)
    if "os error 24" in told:
        return "the system's limit of watchers is reached: see fs.inotify.max_user_instances"
    if "limit" in told or "os error 28" in told:
        return "the system's limit of watched folders is reached: see fs.inotify.max_user_watches"
    return told
