"""Which store a folder has: one on this machine, or where the settings name a Chroma server, one there."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path

from index.settings import Settings
from index.storing import embedded
from index.storing.embedded import EmbeddedStore
from index.storing.store import Store


def open_store(settings: Settings, folder: Path, embedding_name: str) -> Store:
    """The store of a folder. Raises StoreError where it is not ours to use or cannot be had."""
    from index.storing.shared.server import Address

    address = Address.of(settings)
    if address is None:
        return EmbeddedStore(settings.store_folder, folder, embedding_name, settings.chunk_tokens)
    from index.storing.shared.store import SharedStore

    return SharedStore(
        settings.store_folder, folder, embedding_name, settings.chunk_tokens, address, settings.chroma_collection
    )


def identify_store(settings: Settings, folder: Path, embedding_name: str) -> Hashable:
    """What tells the store that `open_store` gives from others."""
    from index.storing.shared.server import Address

    return (
        folder,
        settings.store_folder,
        embedding_name,
        settings.chunk_tokens,
        Address.of(settings),
        settings.chroma_collection,
    )


def discard_store(settings: Settings, folder: Path) -> None:
    """Throw away the store of a folder, which is given by its whole path, whatever state it is in."""
    from index.storing.shared.server import Address

    address = Address.of(settings)
    if address is None:
        embedded.discard(settings.store_folder, folder)
        return
    from index.storing.shared.store import discard

    discard(settings.store_folder, folder, address, settings.chroma_collection)
