"""ZIP archives: a list of the files in them, each of which is a document of its own; hidden ones and what tools leave
behind are passed over.
"""

from __future__ import annotations

from index.loading.formats import Extract, UnreadableError
from index.loading.formats.archive import Archive
from index.loading.formats.blocks import Blocks
from index.loading.formats.enclosed import Enclosed
from index.loading.omissions import is_left_behind


def read_bundle(content: bytes) -> Extract:
    """The list of the files, in their order; empty where none can be read. Raises UnreadableError: "damaged"."""
    archive, blocks, enclosed = Archive(content), Blocks(), Enclosed()
    names = [name for name in dict.fromkeys(archive.names) if not name.endswith("/") and not _is_passed_over(name)]
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


def _is_passed_over(name: str) -> bool:
    """Whether a member is hidden, or what tools leave behind, as such things are passed over in a folder."""
    parts = [part for part in name.split("/") if part.strip(".")]  # "." and ".." are of the path alone
    if any(part.startswith(".") for part in parts):
        return True
    *folders, file = parts or [""]
    return any(is_left_behind(name, lambda: True) for name in folders) or is_left_behind(file, lambda: False)
