"""A store's rows in several Chroma collections, so that nobody who writes has all of their vectors in memory.

Chroma takes in all vectors of a collection when it is asked anything of it, be it only a count, and lets go of none
before its client is gone. So a collection that is full is followed by another, a store's next part, and a client
that has taken in several is let go and opened anew. Only a search needs all parts at once.

An id stands in one part at most: a row that is written again is written where it stands.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from index.embedding.protocol import Vectors
from index.storing.chroma_files import connect, failures
from index.storing.rows import Fields, Page, Rows, RowsFailedError

FIRST_PART = "chunks"  # the others are "chunks-2", "chunks-3" and so on
PART_CHUNKS = 200_000
# How many rows a search looks at in Chroma's graph, and how many ways lead on from each. With Chroma's own 100 and 16,
# of twenty documents unlike all others beside 4,000 that are much alike five were not found by their own vectors.
GRAPH = {"space": "cosine", "ef_search": 2000, "max_neighbors": 32}
# Up to so many rows of a part it is seen which ones no way leads to, at some five microseconds a row after each change.
TRIED_ROWS = 50_000
# How many rows Chroma is asked for where it is to find one by its own vector: the nearest alone, and where that is
# another, more than it looks through by itself, so that it looks farther.
NEAREST_ROWS = (1, 5000)
SAME_DISTANCE = 1e-4  # up to which vectors count as the same
PARTS_IN_MEMORY = 2  # the last one, which is written, and one that rows are changed or deleted in


class Parts(Rows):
    """All parts of the store at a place.

    made_with: what a part remembers.
    changing: keeps other threads and processes from Chroma's files, and knows that they may be written.
    """

    def __init__(self, place: Path, made_with: Fields, changing: Callable[[], AbstractContextManager[None]]) -> None:
        self._place = place
        self._changing = changing
        self._made_with = dict(made_with)
        self._client: Any = None
        self._in_memory: dict[int, Any] = {}
        self._reached: dict[int, _Reach] = {}
        with failures(place):
            self._client = connect(place)
            names = {collection.name for collection in self._client.list_collections()} or {FIRST_PART}
        self._numbers = sorted(int(name.removeprefix(FIRST_PART).strip("-") or 1) for name in names)
        # From where to look for a row: what is changed together was mostly written together.
        self._found_in = self._numbers[-1]
        self._rows_in_last: int | None = None

    def made_with(self) -> list[Mapping[str, Any]]:
        """What each part was made with."""
        with failures(self._place):
            return [self._open(number).metadata or {} for number in self._numbers]

    def count(self) -> int:
        """How many rows there are. A vector of each part is read as well, which fails where they have been lost."""
        rows = 0
        with failures(self._place):
            for number in self._numbers:
                rows += self._part(number).count()
                self._part(number).get(limit=1, include=["embeddings"])
        return rows

    def get(
        self,
        ids: Sequence[str] | None = None,
        *,
        include: Sequence[str],
        where: Mapping[str, str] | None = None,
        in_order: bool = False,
    ) -> Page:
        """The rows of some ids, or of some fields; for those that are read in order one part at a time will do."""
        rows: dict[str, list[Any]] = {"ids": [], **{column: [] for column in include}}
        ids = ids and list(ids)
        in_memory = 1 if in_order else PARTS_IN_MEMORY
        with failures(self._place):
            for number in self._nearest_first():
                found = self._part(number, in_memory).get(ids, where=where, include=include)
                for column, values in rows.items():
                    values.extend(found[column])
                if found["ids"]:
                    self._found_in = number
                if ids is not None and len(rows["ids"]) == len(ids):
                    break
        return rows

    def pages(self, size: int, include: Sequence[str]) -> Iterator[Page]:
        """All rows, at most so many at a time."""
        with failures(self._place):
            for number in self._numbers:
                # By their ids: to leave out the rows of the pages before, Chroma would go over them again each time.
                ids = self._part(number, in_memory=1).get(include=[])["ids"]
                for i in range(0, len(ids), size):
                    some = ids[i : i + size]
                    yield self._part(number, in_memory=1).get(some, include=include) if include else {"ids": some}

    def query(self, vector: Vectors, count: int) -> dict[str, float]:
        """The ids of the rows nearest to a vector, of all parts."""
        found: dict[str, float] = {}
        with failures(self._place):
            for number in self._numbers:
                part = self._part(number, in_memory=len(self._numbers))
                answer = part.query(query_embeddings=vector[None, :], n_results=count, include=["distances"])
                found.update(zip(answer["ids"][0], answer["distances"][0], strict=True))
                found.update(self._reach(number).search_astray(vector))
        return dict(sorted(found.items(), key=lambda row: row[1])[:count])

    def findable(self, vectors: Mapping[str, Vectors]) -> set[str]:
        """The rows that a search of the part where they stand finds by their own vectors."""
        found: set[str] = set()
        with failures(self._place):
            for number, here in self._find([*vectors]).items():
                reach = self._reach(number)
                if reach.is_known:
                    found |= {chunk_id for chunk_id in here if reach.holds(chunk_id, vectors[chunk_id])}
                    continue
                found |= _search(self._part(number), {i: vectors[i] for i in here}, NEAREST_ROWS[0])
                for chunk_id in set(here) - found:
                    found |= _search(self._part(number), {chunk_id: vectors[chunk_id]}, NEAREST_ROWS[1])
        return found

    def _reach(self, number: int) -> _Reach:
        """What of a part's rows its graph leads to; looked at once after each change, and only where they are few."""
        if number not in self._reached:
            part = self._part(number, in_memory=len(self._numbers))
            rows = part.count()
            self._reached[number] = self._look_through(part, rows) if 0 < rows <= TRIED_ROWS else _Reach()
        return self._reached[number]

    def _look_through(self, part: Any, rows: int) -> _Reach:
        probe = part.get(limit=1, include=["embeddings"])["embeddings"][0]
        answer = part.query(query_embeddings=[probe], n_results=rows, include=["distances"])
        distances = dict(zip(answer["ids"][0], answer["distances"][0], strict=True))
        astray: dict[str, Vectors] = {}
        if len(distances) < rows:
            missing = sorted(set(part.get(include=[])["ids"]) - distances.keys())
            with suppress(RowsFailedError), failures(self._place):  # whose vectors are lost, a check tells
                found = part.get(missing, include=["embeddings"])
                astray = dict(zip(found["ids"], found["embeddings"], strict=True))
        return _Reach(True, probe, distances, astray)

    def upsert(self, ids: Sequence[str], *, new: AbstractSet[str] = frozenset(), **columns: Sequence[Any]) -> None:
        """Write rows, each where its id stands, or else in the last part.

        new: those that are known to stand nowhere, since to look for a row may take in every part.
        """
        places = {chunk_id: place for place, chunk_id in enumerate(ids)}

        def write(number: int, chunk_ids: Sequence[str]) -> None:
            self._reached.pop(number, None)
            chosen = {name: [values[places[i]] for i in chunk_ids] for name, values in columns.items()}
            self._part(number).upsert(list(chunk_ids), **chosen)

        with failures(self._place):
            self._make_room(len(ids))  # first, since in one part alone nothing needs to be looked for
            if len(self._numbers) > 1:
                for number, here in self._find([chunk_id for chunk_id in ids if chunk_id not in new]).items():
                    write(number, here)
                    ids = [chunk_id for chunk_id in ids if chunk_id not in set(here)]
            while ids:
                room = self._make_room(len(ids))
                write(self._numbers[-1], ids[:room])
                self._rows_in_last = PART_CHUNKS - room + len(ids[:room])
                ids = ids[room:]

    def update(self, ids: Sequence[str], metadatas: Sequence[Fields]) -> None:
        """Change fields of rows."""
        rows = dict(zip(ids, metadatas, strict=True))
        with failures(self._place):
            for number, here in self._find(ids).items():
                self._part(number).update(here, metadatas=[rows[chunk_id] for chunk_id in here])

    def delete(self, ids: Sequence[str]) -> None:
        """Delete rows, as far as they stand anywhere."""
        with failures(self._place):
            for number, here in self._find(ids).items():
                self._reached.pop(number, None)
                self._part(number).delete(here)

    def _find(self, ids: Sequence[str]) -> dict[int, list[str]]:
        """Where rows stand: for each part that has some, which; a store of one part has them there or nowhere."""
        if len(self._numbers) == 1:
            return {self._numbers[0]: list(ids)}
        found: dict[int, list[str]] = {}
        missing = set(ids)
        for number in self._nearest_first():
            if not missing:
                break
            if here := self._part(number).get(sorted(missing), include=[])["ids"]:
                found[number] = here
                self._found_in = number
                missing.difference_update(here)
        return found

    def _nearest_first(self) -> list[int]:
        """The parts in memory, then those from where rows were found last to the last one, then those before."""
        return sorted(self._numbers, key=lambda n: (n not in self._in_memory, n < self._found_in, n))

    def _make_room(self, rows: int) -> int:
        """How many rows the last part may still take; where so many do not fit, another one is begun."""
        most = PART_CHUNKS - min(rows, PART_CHUNKS)
        if self._rows_in_last is None or self._rows_in_last > most:
            # Counted anew, since rows may have been deleted or written again.
            self._rows_in_last = self._part(self._numbers[-1]).count()
        if self._rows_in_last > most:
            self._let_go()
            self._numbers.append(self._numbers[-1] + 1)
            self._rows_in_last = 0
        return PART_CHUNKS - self._rows_in_last

    def _part(self, number: int, in_memory: int = PARTS_IN_MEMORY) -> Any:
        """A part's collection, taken into memory; where there would be too many, the others are let go before.

        Not to be kept in a variable: as long as somebody has one of a client's collections, the client stays.
        """
        part = self._in_memory.get(number)
        if part is None:
            with self._changing():
                if len(self._in_memory) >= in_memory:
                    self._let_go()
                part = self._open(number)
                part.count()  # what Chroma has to do to its files when it takes a part in, it does here, alone
                self._in_memory[number] = part
        return part

    def _open(self, number: int) -> Any:
        """A part's collection, not yet in memory; it is made where there is none."""
        if self._client is None:
            self._client = connect(self._place)
        return self._client.get_or_create_collection(
            FIRST_PART if number == 1 else f"{FIRST_PART}-{number}",
            metadata=self._made_with,
            configuration={"hnsw": GRAPH},
            embedding_function=None,
        )

    def _let_go(self) -> None:
        """Free the memory of all parts; the client is opened again when one is needed."""
        self._client = None
        self._in_memory, self._reached = {}, {}
        gc.collect()  # Chroma's objects hold each other in a circle


@dataclass(slots=True)
class _Reach:
    """What of a part's rows the graph leads to. is_known: whether that was looked at.

    distances: from the probe, one of the part's vectors, to each row that is reached. astray: the vectors of the
    others, which a search looks at besides: the graph leads from each row to those near it, until nearer ones come,
    and then what is unlike all else is let go.
    """

    is_known: bool = False
    probe: Any = None
    distances: Mapping[str, float] = field(default_factory=dict)
    astray: Mapping[str, Vectors] = field(default_factory=dict)

    def holds(self, chunk_id: str, vector: Vectors) -> bool:
        """Whether a search sees a row, and its vector is this one, as far as the probe can tell."""
        if chunk_id in self.distances:
            return bool(abs(self.distances[chunk_id] - (1.0 - float(vector @ self.probe))) < SAME_DISTANCE)
        return chunk_id in self.astray

    def search_astray(self, vector: Vectors) -> dict[str, float]:
        """The distances from a vector to the rows that the graph does not lead to."""
        return {chunk_id: 1.0 - float(other @ vector) for chunk_id, other in self.astray.items()}


def _search(part: Any, vectors: Mapping[str, Vectors], count: int) -> set[str]:
    """Those of some rows, by id with their vectors, that are among so many of a part which are nearest to these.

    One stands for another of the same vector.
    """
    answer = part.query(query_embeddings=[*vectors.values()], n_results=count, include=["distances"])
    return {
        chunk_id
        for chunk_id, ids, distances in zip(vectors, answer["ids"], answer["distances"], strict=True)
        if chunk_id in ids or min(distances, default=1.0) < SAME_DISTANCE
    }
