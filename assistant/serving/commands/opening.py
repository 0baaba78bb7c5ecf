"""What a command works on: a folder's library, or what a server answers from, with the settings of the environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

from assistant.serving.progress import show_progress
from assistant.showing.terminal import to_plain
from index.settings import Settings, read_path

if TYPE_CHECKING:
    from assistant.serving.entrance import Entrance
    from assistant.serving.served import Served
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
        from index.storing.opening import discard_store

        discard_store(Settings.from_environment(), find_folder(documents))
    library = yield from open_folder(documents)
    report = yield from library.sync(checksum=checksum, dry_run=dry_run, patient=patient, recognises=recognises)
    return library, report


def open_way_in(host: str, names: Sequence[str] | None, users: str | None) -> Entrance:
    """The way in to a server. It comes before what takes long to load: where nobody may come in, that is told at once.

    Raises what `open_entrance` raises.
    """
    from assistant.serving.entrance import open_entrance

    users_file = None if users is None else read_path(users, "The file for --users")
    return open_entrance(host, names or (), users_file, os.environ.get("FOOTNOTE_TOKEN") or None)


def open_libraries(folders: Sequence[str] | None, uploads: str | None, entrance: Entrance) -> Served:
    """What a server answers from. Raises what `open_served` raises."""
    from assistant.serving import writers
    from assistant.serving.served import open_served

    uploads_folder = None if uploads is None else read_path(uploads, "The folder for --uploads")
    settings = Settings.from_environment()
    if entrance.is_local:
        settings = writers.recall(writers.find_file(), settings)
    given = [read_path(folder, "The documents folder") for folder in folders or ()]
    served = show_progress(open_served(given, settings, uploads=uploads_folder, is_local=entrance.is_local))
    for library in served.libraries.values():
        if library.store.is_read_only:
            print(to_plain(library.store.explain_read_only()), file=sys.stderr)
    return served
