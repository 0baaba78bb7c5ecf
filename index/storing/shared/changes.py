"""What the log of a shared store says of its documents, one change after the other, and how that is written.

Each change names the one that made the document what it was before, its `base`. It counts only where that is still so
when its turn comes: of two workers that change one document at once, whoever comes first in the log. All who read the
log judge so, and come to the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from index.storing.records import Record

Kind = Literal["stored", "touched", "removed", "skipped"]
PIECE_CHARACTERS = 4000  # of a field; Chroma's cloud takes 4,096 bytes
MOST_PIECES = 24  # of which it takes 32 a row, with the other fields
MOST_NUMBER = 2**63 - 1  # that a mirror can hold
MOST_CHUNKS = 2_000_000  # of a document, which is text of gigabytes
ENTRY_CHARACTERS = PIECE_CHARACTERS * (MOST_PIECES - 4)  # of an entry of the log


@dataclass(frozen=True, slots=True)
class Change:
    """One document's change.

    base: the number of the log's entry that made it what it was, 0 where it was never there.
    record: what is remembered of it, where it is "stored". token: what the ids of its rows begin with.
    size_bytes, modified_ns: of the file, where it was "touched" or "skipped". path, reason: where it was "skipped".
    """

    kind: Kind
    document_id: str
    base: int
    record: Record | None = None
    token: str = ""
    size_bytes: int = 0
    modified_ns: int = 0
    path: str = ""
    reason: str = ""

    def touch(self, later: Change) -> Change:
        """The same of a document that is stored, with the file's size and time of a later change."""
        assert self.record is not None
        return replace(self, record=replace(self.record, size_bytes=later.size_bytes, modified_ns=later.modified_ns))

    def write(self) -> dict[str, Any]:
        """The change as JSON knows it, without what says nothing."""
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def read(cls, written: object) -> Change:
        """What `write` wrote. Raises ValueError where it is something else."""
        try:
            fields = dict(written)  # type: ignore[call-overload]
            record = fields.pop("record", None)
            if record is not None:
                record = Record(**{**record, "pages": tuple(map(int, record.get("pages", ())))})
            change = cls(**{"base": 0, **fields, "record": record})
            is_whole = change._is_whole()
        except (TypeError, ValueError, AttributeError, OverflowError) as error:
            raise ValueError("no change") from error
        if not is_whole:
            raise ValueError("no change")
        return change

    def _is_whole(self) -> bool:
        """Whether all of it is of its kind. Raises UnicodeEncodeError where a text holds half a character."""
        record, ours = self.record, (self.document_id, self.token, self.path, self.reason)
        if not (_are_texts(*ours) and _are_numbers(self.base, self.size_bytes, abs(self.modified_ns))):
            return False
        if self.kind == "stored":
            return bool(self.token and record and record.document_id == self.document_id and _is_record(record))
        return bool(self.document_id) and self.kind in get_args(Kind)


def _is_record(record: Record) -> bool:
    date = "" if record.date is None else record.date
    texts = (record.document_id, record.path, record.title, date, record.content_hash, record.unread)
    numbers = (record.size_bytes, abs(record.modified_ns), record.enclosed_count, record.chunk_count, *record.pages)
    return _are_texts(*texts) and _are_numbers(*numbers) and 0 < record.chunk_count <= MOST_CHUNKS


def _are_texts(*given: object) -> bool:
    return all(isinstance(text, str) and text.encode() is not None for text in given)


def _are_numbers(*given: object) -> bool:
    return all(isinstance(number, int) and 0 <= number <= MOST_NUMBER for number in given)


def make_token(document_id: str, content_hash: str, base: int) -> str:
    """What the ids of a version's rows begin with.

    The same for whoever stores this content in the place of that version, so that one who takes over goes on where the
    other was; another for the same content at another time, so that nobody takes away what is of use again.
    """
    return hashlib.sha256(f"{document_id}\n{content_hash}\n{base}".encode()).hexdigest()[:20]


def row_id(token: str, place: int) -> str:
    """The id of the row of a version's chunk, by its place among them, from 0."""
    return f"{token}:{place}"


def read_row_id(written: str) -> tuple[str, int]:
    """The token and the place that a row's id says; ("", 0) where it is no row of ours."""
    token, _, place = written.partition(":")
    return (token, int(place)) if place.isdecimal() and place.isascii() and len(place) < 10 else ("", 0)


def cut(name: str, text: str) -> dict[str, str]:
    """A long text as fields that Chroma's cloud takes: "name", "name-2" and so on."""
    most = PIECE_CHARACTERS if text.isascii() else PIECE_CHARACTERS // 4  # in UTF-8 a character is four bytes at most
    pieces = [text[i : i + most] for i in range(0, len(text), most)] or [""]
    return {name if not i else f"{name}-{i + 1}": piece for i, piece in enumerate(pieces)}


def join(name: str, fields: Mapping[str, Any]) -> str:
    """What `cut` has cut."""
    pieces, number = [], 1
    while isinstance(piece := fields.get(name if number == 1 else f"{name}-{number}"), str):
        pieces.append(piece)
        number += 1
    return "".join(pieces)


def write_changes(changes: Sequence[Change]) -> str:
    """Changes as an entry of the log has them, in ASCII."""
    return json.dumps([change.write() for change in changes], separators=(",", ":"))


def read_changes(written: str) -> list[Change]:
    """What `write_changes` wrote. Raises ValueError where it is something else."""
    try:
        found = json.loads(written)
    except RecursionError as error:
        raise ValueError("no changes") from error
    if not isinstance(found, list):
        raise ValueError("no changes")
    return [Change.read(change) for change in found]


def gather(changes: Iterable[Change]) -> list[list[Change]]:
    """Changes in as few entries as they fit in, in order."""
    entries: list[list[Change]] = []
    size = 0
    for change in changes:
        length = len(write_changes([change]))
        if not entries or size + length > ENTRY_CHARACTERS:
            entries.append([])
            size = 0
        entries[-1].append(change)
        size += length
    return entries
