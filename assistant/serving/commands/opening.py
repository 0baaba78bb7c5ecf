"""A folder's library for a command, with the settings of the environment."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from index.settings import Settings

if TYPE_CHECKING:
    from index.documents import Progress
    from index.library import Library
    from index.plan import SyncReport


def open_folder(documents: str | None) -> Generator[Progress, None, Library]:
    """Open a folder's library. Raises what `open_library` raises."""
    from index.library import open_library

    settings = Settings.from_environment()
    return (yield from open_library(settings.documents if documents is None else documents, settings))


def sync_folder(
    documents: str | None,
    *,
    patient: bool = False,
    anew: bool = False,
    checksum: bool = False,
    dry_run: bool = False,
    recognises: bool = True,
) -> Generator[Progress, None, tuple[Library, SyncReport]]:
    """The same, and make its store equal to the folder. anew: after throwing the store away."""
    if anew:
        from index.library import find_folder
        from index.storing.store import discard

        discard(Settings.from_environment().store_folder, find_folder(documents))
    library = yield from open_folder(documents)
    report = yield from library.sync(checksum=checksum, dry_run=dry_run, patient=patient, recognises=recognises)
    return library, report
