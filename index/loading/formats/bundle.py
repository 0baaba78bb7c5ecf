"""ZIP archives: the text of the files in them, each below its name. Hidden files are left alone, as in a folder."""

from __future__ import annotations

from index.loading.formats import Extract, UnreadableError
from index.loading.formats.archive import Archive
from index.loading.formats.blocks import Blocks
from index.loading.formats.enclosed import Enclosed


def read_bundle(content: bytes) -> Extract:
    """The files' texts, in the archive's order. Raises UnreadableError: "damaged"."""
    archive, blocks = Archive(content), Blocks()
    enclosed = Enclosed(blocks)
    names = [name for name in archive.names if not name.endswith("/") and not _is_hidden(name)]
    for place, name in enumerate(names):
        if enclosed.is_spent:
            blocks.miss(f"{len(names) - place:,} of {len(names):,} files")
            break
        try:
            enclosed.add(name, archive.read(name), name, 1)
        except UnreadableError:
            blocks.miss(f"the file {name}")
    return Extract(blocks.text, unread=blocks.unread)


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in name.split("/"))
