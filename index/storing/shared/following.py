"""A mirror follows the log: what of it counts, and the rows of that, fetched and made visible some documents at a time.

Where a machine is stopped in the middle, it reads the same entries again: what it has of them does not count a second
time, since it is then what came last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from index.documents import Progress
from index.storing.records import Record
from index.storing.shared.changes import Change
from index.storing.shared.log import Entry, Log
from index.storing.shared.mirror import Mirror, record_of
from index.storing.shared.rows import Row
from index.storing.shared.server import PATIENCE_SECONDS

STEP_ENTRIES = 200  # of the log, that are looked at together: of a document that changes often only the last counts
STEP_ROWS = 500  # that are made visible together, or one document's


@dataclass(slots=True)
class Turn:
    """What some entries come to, by document id, each with the number of its entry.

    number, generation: up to which entry they go, and of which generation the rows are then.
    """

    number: int
    generation: int
    stored: dict[str, tuple[int, Change]] = field(default_factory=dict)
    touched: dict[str, tuple[int, Change]] = field(default_factory=dict)
    skipped: dict[str, tuple[int, Change]] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)

    def take(self, entries: Sequence[Entry], numbers: Mapping[str, int]) -> None:
        """Take in entries. numbers: of the entry that made each document that they speak of what it was."""
        now = dict(numbers)
        for entry in entries:
            self.number = entry.number
            if entry.moves:
                self.generation = entry.generation
            elif entry.generation == self.generation:
                for change in entry.changes:
                    # What was never there cannot be touched, nor would a mirror keep that it was.
                    is_of_something = change.base > 0 or change.kind != "touched"
                    if is_of_something and change.base == now.get(change.document_id, 0):
                        now[change.document_id] = entry.number
                        self._note(entry.number, change)

    def _note(self, number: int, change: Change) -> None:
        document_id = change.document_id
        if change.kind == "touched":
            if document_id in self.stored:
                # What is not fetched yet is fetched as it is by then.
                self.stored[document_id] = number, self.stored[document_id][1].touch(change)
            else:
                self.touched[document_id] = number, change
            return
        for before in (self.stored, self.touched, self.skipped, self.removed):
            before.pop(document_id, None)
        if change.kind == "stored":
            self.stored[document_id] = number, change
        elif change.kind == "skipped":
            self.skipped[document_id] = number, change
        else:
            self.removed[document_id] = number


def follow(
    mirror: Mirror,
    log: Log,
    read: Callable[[Sequence[tuple[Record, str]], Turn], Mapping[str, Sequence[Row]]],
    patience_seconds: float = PATIENCE_SECONDS,
) -> Iterator[Progress]:
    """Have the mirror say what the log says, telling how far it is; may be left after each step.

    read: gives the rows of versions, each a record and a token, by document id; without those that cannot be had.
    Raises what `ChromaServer` raises.
    """
    number, generation = mirror.followed()
    while True:
        entries = list(islice(log.read(number, patience_seconds), STEP_ENTRIES))
        ids = {change.document_id for entry in entries for change in entry.changes}
        turn = Turn(number, generation)
        turn.take(entries, mirror.numbers_of_entries(ids))
        mirror.apply([], turn.removed, [*turn.touched.values()], [*turn.skipped.values()])
        done, total = 0, len(turn.stored)
        for part in _part(turn):
            rows = read([(record_of(change), change.token) for _, change in part.values()], turn)
            mirror.apply(
                [(n, change, rows[i]) for i, (n, change) in part.items() if i in rows],
                # What cannot be had is not there: a later entry says more, or the next sync reads the file again.
                {i: n for i, (n, _) in part.items() if i not in rows},
            )
            done += len(part)
            if total > len(part):
                yield Progress("Fetching what others have read", done, total, "documents")
        number, generation = turn.number, turn.generation
        if entries:
            mirror.note_followed(number, generation)
        if len(entries) < STEP_ENTRIES:
            return
        yield Progress("Fetching what others have read")


def _part(turn: Turn) -> Iterator[dict[str, tuple[int, Change]]]:
    """The versions to be fetched, some at a time."""
    part: dict[str, tuple[int, Change]] = {}
    rows = 0
    for document_id, (number, change) in turn.stored.items():
        count = record_of(change).chunk_count
        if part and rows + count > STEP_ROWS:
            yield part
            part, rows = {}, 0
        part[document_id] = number, change
        rows += count
    if part:
        yield part
