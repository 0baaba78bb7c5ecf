"""The log of a shared store: entries numbered without a gap, which only grow in number.

Who has read up to one asks for the next by their numbers, which costs the server no search. Two who write at once ask
for the same number: the row that was there first stays, and the other takes the next.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from index.errors import StoreError
from index.storing.shared.changes import Change, cut, join, read_changes, write_changes
from index.storing.shared.server import PATIENCE_SECONDS, REQUEST_ROWS, Collection

# A collection has vectors, and ours of entries say nothing.
NO_VECTOR = [1.0, 0.0]
READ_ENTRIES = 32  # that are asked for at first: mostly there are few new ones, or none


@dataclass(frozen=True, slots=True)
class Entry:
    """changes: of documents. generation: of the rows that it speaks of; where `moves`, the one from here on."""

    number: int
    generation: int
    moves: bool
    changes: tuple[Change, ...]


class Log:
    """The log that a collection keeps."""

    def __init__(self, collection: Collection) -> None:
        self.id = collection.id
        self._collection = collection

    def read(self, after: int, patience_seconds: float = PATIENCE_SECONDS) -> Iterator[Entry]:
        """The entries after a number, in order, without a gap.

        Raises StoreError where one is not as it was written, and what `ChromaServer` raises.
        """
        asked = READ_ENTRIES
        while True:
            names = [_name(after + i) for i in range(1, asked + 1)]
            page = self._collection.get(names, include=["metadatas"], patience_seconds=patience_seconds)
            found = dict(zip(page["ids"], page["metadatas"], strict=True))
            for name in names:
                if name not in found:
                    return
                after += 1
                yield self._read(after, found[name])
            asked = REQUEST_ROWS

    def append(self, after: int, changes: Sequence[Change], generation: int) -> int:
        """Write an entry, as the next after a number or later; gives its number."""
        number, writer = after + 1, secrets.token_hex(8)
        while not self._write(number, writer, changes, generation, moves=False):
            number += 1
        return number

    def move(self, after: int, generation: int) -> bool:
        """Have the rows be of another generation from the very next entry on; whether that number was still free."""
        return self._write(after + 1, secrets.token_hex(8), (), generation, moves=True)

    def _write(self, number: int, writer: str, changes: Sequence[Change], generation: int, *, moves: bool) -> bool:
        """Write an entry of this number, where there is none; whether it is the one that is there."""
        fields: dict[str, Any] = {"writer": writer, "generation": generation, "moves": moves}
        name = _name(number)
        while True:
            self._collection.add(
                [name], embeddings=[NO_VECTOR], metadatas=[fields | cut("changes", write_changes(changes))]
            )
            if found := self._collection.get([name], include=["metadatas"])["metadatas"]:
                return bool(found[0].get("writer") == writer)

    def _read(self, number: int, fields: dict[str, Any]) -> Entry:
        try:
            changes = read_changes(join("changes", fields))
            generation = int(fields["generation"])
        except (ValueError, KeyError, TypeError) as error:
            raise StoreError(
                f"Entry {number:,} of the log of the shared store, collection {self._collection.name}, is not as "
                "Footnote writes it: make the store anew with footnote sync FOLDER --anew."
            ) from error
        return Entry(number, generation, bool(fields.get("moves")), tuple(changes))


def _name(number: int) -> str:
    return f"{number:012}"
