"""What a server answers from: its libraries by name, the settings of now, and where uploads and thumbs go."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.serving.answering import Answering
from assistant.serving.uploads import open_uploads
from index.documents import Progress
from index.errors import InputError
from index.library import Library, find_folder, open_library
from index.settings import Settings
from index.watching import unwatch

if TYPE_CHECKING:
    from assistant.serving.observing.metrics import Metrics


@dataclass(slots=True)
class Served:
    """What all roads of one server share.

    libraries: by the name that people choose them by; the first is asked where none is named.
    settings: those of now; who writes the answers may be changed while the server runs.
    uploads: the folder that uploads go to, where the user chose one. It is a library's folder, or lies in one.
    is_local: whether only this machine can reach the server.
    answering: the questions of programs, whatever road they come by.
    metrics: what is counted of it all, where a server runs.
    closers: what ends the work of those who work in the background for it.
    """

    libraries: Mapping[str, Library]
    settings: Settings
    uploads: Path | None = None
    is_local: bool = True
    answering: Answering = field(default_factory=Answering)
    metrics: Metrics | None = None
    closers: list[Callable[[], None]] = field(default_factory=list)

    def close(self) -> None:
        """End what works in the background, before the process ends."""
        for close in self.closers:
            close()
        for library in self.libraries.values():
            unwatch(library)

    def name(self, name: str | None = None) -> str:
        """The name of a library that may be named, that of the first by default."""
        return next(iter(self.libraries)) if name is None else name

    def library(self, name: str | None = None) -> Library:
        """A library by its name, the first by default, with the settings of now.

        Raises InputError where there is none of the name.
        """
        name = self.name(name)
        if name not in self.libraries:
            raise InputError(f"There is no library “{name[:100]}”: choose one of {', '.join(self.libraries)}.")
        return replace(self.libraries[name], settings=self.settings)


def open_served(
    folders: Sequence[str | Path], settings: Settings, *, uploads: Path | None = None, is_local: bool = True
) -> Generator[Progress, None, Served]:
    """Open the libraries of several folders, by the names of these; the settings' own folder where none is given.

    uploads: the folder that uploads may go to. It is a library of its own where it lies in none of the others.
    Raises InputError or FolderError where there is no such folder, or uploads in it would not be read; StoreError where
    a store is not ours to use.
    """
    wanted = [find_folder(folder) for folder in folders or [settings.documents]]
    chosen, is_within = open_uploads(uploads, wanted) if uploads else (None, True)
    if chosen and not is_within:
        wanted.append(chosen)
    libraries: list[Library] = []
    for folder in dict.fromkeys(wanted):
        library = yield from open_library(folder, settings)
        library.begin()
        libraries.append(library)
    return Served(name_libraries(libraries), settings, chosen, is_local)


def name_libraries(libraries: Sequence[Library]) -> dict[str, Library]:
    """The libraries by the names of their folders; where two are the same, with the folder above."""
    named: dict[str, Library] = {}
    for library in libraries:
        parts = library.origin.parts
        names = ["/".join(parts[-count:]) for count in range(1, len(parts) + 1)]
        named[next((name for name in names if name not in named), library.address)] = library
    return named
