"""ZIP archives: a list of the files in them, each of which is a document of its own; hidden ones are left alone."""

from __future__ import annotations

from index.loading.formats import Extract, UnreadableError
from index.loading.formats.archive import Archive
from index.loading.formats.blocks import Blocks
from index.loading.formats.enclosed import Enclosed


def read_bundle(content: bytes) -> Extract:
    """The list of the files, in their order; empty where none can be read. Raises UnreadableError: "damaged"."""
    archive, blocks, enclosed = Archive(content), Blocks(), Enclosed()
    names = [name for name in archive.names if not name.endswith("/") and not _is_hidden(name)]
    blocks.heading("Files in this archive")
    for place, name in enumerate(names):
        if enclosed.is_spent:
            blocks.miss(f"{len(names) - place:,} of {len(names):,} files")
            break
        blocks.item(name)
        try:
            enclosed.add(name, archive.read(name))
        except UnreadableError:
            blocks.miss(f"the file {name}")
    return Extract(blocks.text if enclosed.files else "", unread=blocks.unread, enclosed=enclosed.files)


def _is_hidden(name: str) -> bool:
    # "." and ".." are of the path alone.
    return any(part.startswith((".", "__MACOSX")) and part.strip(".") for part in name.split("/"))
