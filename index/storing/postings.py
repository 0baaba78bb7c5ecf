"""The inverted index, in SQLite: for each term the places where it stands. It scores chunks by BM25.

Kept as log-structured merge trees are (O'Neil et al. 1996), and as Lucene does: every write adds a segment of its own,
and where eight of like size stand they become one. A chunk that is dropped is only noted; its places go at the next
merge. So a write is short however large the index is, a search looks into few segments, and it finds the same as in
an index made anew.

Nothing is committed here: whoever calls has the transaction, in a connection with `add_functions`. What is kept has a
checksum, and what does not agree with its own is told as damage, as SQLite tells what it finds itself:
sqlite3.DatabaseError.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any, NamedTuple

from index.storing.lexicon_file import checksum, execute_with, verify

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Places = NDArray[np.void]
else:
    Places = Any

SCHEMA = """
CREATE TABLE segments (segment INTEGER PRIMARY KEY AUTOINCREMENT, size INTEGER NOT NULL);
CREATE TABLE postings (segment INTEGER NOT NULL, term TEXT NOT NULL, size INTEGER NOT NULL, places BLOB NOT NULL,
    checksum INTEGER NOT NULL);
CREATE UNIQUE INDEX postings_of_term ON postings (segment, term, size);
CREATE TABLE totals (chunks INTEGER NOT NULL, terms INTEGER NOT NULL, dropped BLOB NOT NULL, checksum INTEGER NOT NULL);
INSERT INTO totals VALUES (0, 0, x'', checksum(0, 0, x''));
CREATE TABLE words (term TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE endings (ending TEXT PRIMARY KEY) WITHOUT ROWID;
"""
# A place: the chunk, the line of it, and how many terms the chunk has, with those of what it stands under.
_PLACE = [("number", "<u4"), ("line", "<u2"), ("length", "<u2")]
_PLACE_BYTES = 8
_NAME, _ABOVE = 65_535, 65_534  # stand for a line: what the document is called, and what the chunk stands under
_SATURATION, _NORMALIZATION, CONTEXT_WEIGHT = 0.9, 0.75, 0.5  # BM25's k1 and b; of a term that is in no line
MEANT_SHARE = 0.4  # of what a query says of documents' names, that tells which is meant
FEW_TEXTS = 3  # that are taken for as usual as all others, since few tell little
SEGMENTS_TO_MERGE = 8
LARGEST_MERGE_PLACES = 16_000_000  # a segment of more is left as it is: some 100,000 chunks
MOST_DROPPED = 1000  # or an eighth of all chunks: more than that, and they are taken out of every segment
MOST_PLACES = 100_000  # that one search reads; beyond, its common terms are left out
MOST_COUNTED = 20_000  # places, that are read only to see which of them were dropped
LEAST_LETTERS, MOST_LETTERS = 3, 40  # of the terms that are words, which are found by how they begin
LEAST_ENDING = 6  # letters of those that are found by how they end
_DIGIT = re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Entry:
    """What the index is to know of a chunk: its terms, line by line, and those of what it stands under.

    name: of its document's title and path. above: of the heads above its first sentence. length: how many in all.
    """

    number: int
    lines: Sequence[Sequence[str]]
    name: Sequence[str]
    above: Sequence[str]
    length: int


def add(connection: sqlite3.Connection, entries: Sequence[Entry]) -> None:
    """Add a segment for chunks whose numbers were never used before."""
    chunks, length, dropped = _read_totals(connection)
    _write_totals(connection, chunks + len(entries), length + sum(entry.length for entry in entries), dropped)
    postings = [(term, len(places) // _PLACE_BYTES, places) for term, places in sorted(_invert(entries).items())]
    if not postings:
        return
    segment = _add_segment(connection, sum(size for _, size, _ in postings))
    connection.executemany(
        "INSERT INTO postings VALUES (?, ?, ?, ?, ?)",
        ((segment, term, size, places, checksum(term, places)) for term, size, places in postings),
    )
    _add_words(connection, (term for term, _, _ in postings))
    _merge_like_sized(connection)


def _add_words(connection: sqlite3.Connection, terms: Iterable[str]) -> None:
    """Note the terms that are words, each once, so that those that begin alike stand together, and those that end so.

    Some of them may stand nowhere any more.
    """
    words = [term for term in terms if LEAST_LETTERS <= len(term) <= MOST_LETTERS and not _DIGIT.search(term)]
    connection.executemany("INSERT OR IGNORE INTO words VALUES (?)", ((word,) for word in words))
    endings = sorted(word[::-1] for word in words if len(word) >= LEAST_ENDING)
    connection.executemany("INSERT OR IGNORE INTO endings VALUES (?)", ((ending,) for ending in endings))


def _invert(entries: Sequence[Entry]) -> dict[str, bytes]:
    """The places of each term, chunk by chunk."""
    import numpy as np

    vocabulary: dict[str, int] = {}
    terms: list[int] = []
    lines: list[tuple[int, int, int]] = []
    sizes: list[int] = []
    for entry in entries:
        length = min(entry.length, _NAME)
        numbered = [(min(line, _ABOVE - 1), words) for line, words in enumerate(entry.lines)]
        for line, words in [*numbered, (_ABOVE, entry.above), (_NAME, entry.name)]:
            terms.extend(vocabulary.setdefault(word, len(vocabulary)) for word in words)
            lines.append((entry.number, line, length))
            sizes.append(len(words))
    if not terms:
        return {}
    places = np.repeat(np.array(lines, dtype=_PLACE), sizes)[np.argsort(terms, kind="stable")].tobytes()
    ends = np.cumsum(np.bincount(terms)) * _PLACE_BYTES
    return {term: places[i:j] for term, i, j in zip(vocabulary, [0, *ends[:-1]], ends, strict=True)}


def drop(connection: sqlite3.Connection, lengths: Mapping[int, int]) -> None:
    """Forget chunks, by number, given how many terms each has."""
    import numpy as np

    if not lengths:
        return
    chunks, terms, dropped = _read_totals(connection)
    chunks, terms = chunks - len(lengths), terms - sum(lengths.values())
    dropped += np.array([*lengths], dtype="<u4").tobytes()
    _write_totals(connection, chunks, terms, dropped)
    if len(dropped) // 4 > max(MOST_DROPPED, chunks // 8):
        for (segment,) in connection.execute("SELECT segment FROM segments").fetchall():
            _merge(connection, [segment])
        connection.execute("DELETE FROM words")
        connection.execute("DELETE FROM endings")
        _add_words(connection, (term for (term,) in connection.execute("SELECT DISTINCT term FROM postings")))
        _write_totals(connection, chunks, terms, b"")


def _read_totals(connection: sqlite3.Connection) -> tuple[int, int, bytes]:
    """How many chunks there are, how many terms they have, and the numbers of those that were dropped."""
    *totals, expected = connection.execute("SELECT chunks, terms, dropped, checksum FROM totals").fetchone()
    verify(expected, *totals)
    chunks, terms, dropped = totals
    return chunks, terms, dropped


def _write_totals(connection: sqlite3.Connection, chunks: int, terms: int, dropped: bytes) -> None:
    changed = "chunks = ?1, terms = ?2, dropped = ?3, checksum = checksum(?1, ?2, ?3)"
    connection.execute(f"UPDATE totals SET {changed}", (chunks, terms, dropped))


def _add_segment(connection: sqlite3.Connection, size: int) -> int:
    segment = connection.execute("INSERT INTO segments (size) VALUES (?)", (size,)).lastrowid
    assert segment is not None
    return segment


def _merge_like_sized(connection: sqlite3.Connection) -> None:
    """Make one of those segments that are of like size, up to a factor of eight, while there are many of them."""
    while True:
        sizes = connection.execute("SELECT segment, size FROM segments WHERE size <= ?", (LARGEST_MERGE_PLACES,))
        alike: dict[int, list[int]] = {}
        for segment, size in sizes.fetchall():
            alike.setdefault(size.bit_length() // 3, []).append(segment)
        many = next((segments for segments in alike.values() if len(segments) >= SEGMENTS_TO_MERGE), None)
        if many is None:
            return
        _merge(connection, many)


def _merge(connection: sqlite3.Connection, segments: Sequence[int]) -> None:
    """Make one segment of several, without the places of what was dropped."""
    dropped = _load_dropped(connection)

    class Join:
        def __init__(self) -> None:
            self.parts: list[Any] = []

        def step(self, *row: Any) -> None:
            term, places, expected = row
            verify(expected, term, places)
            self.parts.append(places)

        def finalize(self) -> Any:
            places = _to_places(b"".join(self.parts))
            return places[_find_kept(places, dropped)].tobytes()

    connection.create_aggregate("join_places", 3, Join)
    merged = _add_segment(connection, 0)
    execute_with(
        connection,
        f"INSERT INTO postings SELECT {merged}, term, length(places) / {_PLACE_BYTES}, places, checksum(term, places) "
        "FROM "
        "(SELECT term, join_places(term, places, checksum) AS places FROM "
        "(SELECT term, places, checksum FROM postings WHERE segment IN ({}) ORDER BY term, segment) "
        "GROUP BY term) WHERE places != x''",
        segments,
    )
    execute_with(connection, "DELETE FROM postings WHERE segment IN ({})", segments)
    execute_with(connection, "DELETE FROM segments WHERE segment IN ({})", segments)
    connection.execute(
        "UPDATE segments SET size = (SELECT total(size) FROM postings WHERE segment = ?) WHERE segment = ?",
        (merged, merged),
    )


# -- reading ----------------------------------------------------------------------------------


def count_chunks(connection: sqlite3.Connection) -> int:
    """How many chunks there are."""
    return _read_totals(connection)[0]


def rarity(connection: sqlite3.Connection, terms: Sequence[str]) -> dict[str, float]:
    """The inverse document frequency of each term over the chunks: 0 where every chunk has it."""
    import numpy as np

    terms = list(dict.fromkeys(terms))
    places, term_of = _read_places(connection, terms)
    holding = np.bincount(term_of[_find_runs(places, term_of)], minlength=len(terms))
    return dict(zip(terms, _to_rarity(holding, count_chunks(connection)).tolist(), strict=True))


def count_places(connection: sqlite3.Connection, terms: Sequence[str]) -> dict[str, int]:
    """How often each term stands anywhere; terms that stand nowhere are left out."""
    import numpy as np

    sizes = _count_places(connection, terms)
    if not has_dropped(connection):
        return sizes
    # What stands often is not all dropped: to read it only for the count would take too long.
    rarest = sorted(sizes, key=lambda term: (sizes[term], term))
    within = sum(places <= MOST_COUNTED for places in accumulate(sizes[term] for term in rarest))
    read = rarest[:within]
    kept = np.bincount(_read_places(connection, read)[1], minlength=len(read))
    sizes.update(zip(read, kept.tolist(), strict=True))
    return {term: size for term, size in sizes.items() if size}


def has_dropped(connection: sqlite3.Connection) -> bool:
    """Whether there are chunks that are only noted as dropped, so that terms may stand nowhere any more."""
    return bool(_read_totals(connection)[2])


def find_together(connection: sqlite3.Connection, terms: Sequence[str]) -> list[int]:
    """The numbers of the chunks that hold all of the terms in one line.

    Where MOST_PLACES do not hold those of all terms, the rarest are looked for; none where each stands so often.
    """
    import numpy as np

    sizes = _count_places(connection, terms)
    if not all(term in sizes for term in terms):
        return []
    rarest = sorted(dict.fromkeys(terms), key=lambda term: sizes[term])
    within = sum(places <= MOST_PLACES for places in accumulate(sizes[term] for term in rarest))
    if sizes[rarest[0]] > MOST_PLACES:
        return []
    terms = rarest[: max(1, within)]
    places, term_of = _read_places(connection, terms)
    in_line = places["line"] < _ABOVE
    lines = places["number"][in_line].astype(np.int64) * (_NAME + 1) + places["line"][in_line]
    held = np.unique(lines * len(terms) + term_of[in_line]) // len(terms)
    found, counts = np.unique(held, return_counts=True)
    return list(dict.fromkeys((found[counts == len(terms)] // (_NAME + 1)).tolist()))


class Coverage(NamedTuple):
    """How much of a query, by rarity, a chunk holds, from 0 to 1.

    line: its best single line, with what this stands under. chunk: all of it, with the same.
    """

    line: float
    chunk: float


class Matches:
    """The chunks that share words with a query.

    words: for each word of the query the terms that count as it, and how much. In a large index only the rare words
    are searched, as many as MOST_PLACES allow, and one in any case. within: the numbers of the chunks that count, where
    not all do; how rare a word is goes by all of them.
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        words: Sequence[Mapping[str, float]],
        within: NDArray[np.int64] | None = None,
    ) -> None:
        import numpy as np

        chunks, lengths, _ = _read_totals(connection)
        sizes = _count_places(connection, list(dict.fromkeys(chain.from_iterable(words))))
        size_of = [sum(sizes.get(term, 0) for term in terms) for terms in words]
        rarest = sorted((word for word, size in enumerate(size_of) if size), key=lambda word: size_of[word])
        few = sum(places <= MOST_PLACES for places in accumulate(size_of[word] for word in rarest))
        searched = {*rarest[: max(1, few)]}
        wanted = [terms if word in searched else {} for word, terms in enumerate(words)]
        self._places, self._word_of, self._weights = _read_words(connection, wanted)
        # Of each chunk's run of places of one word, where it begins.
        self._runs = _find_runs(self._places, self._word_of)
        holding = np.bincount(self._word_of[self._runs], minlength=len(words))
        # Of a word that is left out, as many chunks as places: somewhat too many.
        holding = np.where([word in searched for word in range(len(words))], holding, np.minimum(size_of, chunks))
        self._rarity = _to_rarity(holding, chunks)
        if within is not None:
            kept = np.isin(self._places["number"], within)
            self._places, self._word_of = self._places[kept], self._word_of[kept]
            self._weights = self._weights[kept]
            self._runs = _find_runs(self._places, self._word_of)
        self._chunks = chunks if within is None else len(within)
        self._mean_length = lengths / max(1, chunks)

    def best(self, count: int, *, meant: bool = False) -> dict[int, float]:
        """The numbers of those that score highest, best first, with their BM25 scores (Robertson and Zaragoza 2009).

        meant: only those of documents that the query seems to name.
        """
        import numpy as np

        if not len(self._runs):
            return {}
        numbers, scores = self._scores
        if meant:
            named, shares = self._names
            if not len(named):
                return {}
            chosen = np.searchsorted(numbers, named[shares >= MEANT_SHARE])
            numbers, scores = numbers[chosen], scores[chosen]
        if len(numbers) > count:
            # With all that score as high as the last of them, of which those with the least numbers are taken below.
            highest = np.flatnonzero(scores >= np.partition(scores, -count)[-count])
            numbers, scores = numbers[highest], scores[highest]
        order = np.lexsort((numbers, -scores))[:count]
        return dict(zip(numbers[order].tolist(), scores[order].tolist(), strict=True))

    @cached_property
    def _scores(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The numbers of them all, the least first, and their scores."""
        import numpy as np

        weights = np.where(self._places["line"] < _ABOVE, self._weights, CONTEXT_WEIGHT * self._weights)
        frequency = np.add.reduceat(weights, self._runs)
        length = self._places["length"][self._runs] / self._mean_length
        saturated = frequency + _SATURATION * (1 - _NORMALIZATION + _NORMALIZATION * length)
        parts = self._rarity[self._word_of[self._runs]] * frequency * (_SATURATION + 1) / saturated
        # Stable, so that a sum comes out the same to the last digit whatever was written or dropped before.
        numbers = self._places["number"][self._runs].astype(np.int64)
        order = np.argsort(numbers, kind="stable")
        starts = np.flatnonzero(np.diff(numbers[order], prepend=-1))
        return numbers[order][starts], np.add.reduceat(parts[order], starts)

    def coverage(self, numbers: Iterable[int]) -> dict[int, Coverage]:
        """How much of the query each of the chunks holds."""
        import numpy as np

        wanted = np.array(sorted(numbers), dtype=np.int64)
        chosen = np.flatnonzero(np.isin(self._places["number"], wanted))
        chunk_of_place = np.searchsorted(wanted, self._places["number"][chosen])
        # How much each line holds of each word, and of each chunk what it stands under.
        line_of_place = chunk_of_place * (_NAME + 1) + self._places["line"][chosen]
        lines, line_of = np.unique(line_of_place, return_inverse=True)
        held = np.zeros((len(lines), len(self._rarity)))
        np.maximum.at(held, (line_of, self._word_of[chosen]), self._weights[chosen])
        chunk_of, line = lines // (_NAME + 1), lines % (_NAME + 1)
        around = np.zeros((len(wanted), len(self._rarity)))
        np.maximum.at(around, chunk_of[line >= _ABOVE], held[line >= _ABOVE])
        best = around @ self._rarity
        np.maximum.at(best, chunk_of, np.maximum(held, around[chunk_of]) @ self._rarity)
        np.maximum.at(around, chunk_of, held)
        shares = np.stack([best, around @ self._rarity], axis=1) / (self._rarity.sum() or 1.0)
        return {n: Coverage(*share) for n, share in zip(wanted.tolist(), shares.tolist(), strict=True)}

    def naming(self, numbers: Iterable[int]) -> dict[int, float]:
        """How much of what the query says of documents' names each of the chunks' own documents is called, 0 to 1.

        The share is squared: of two documents that are half called so neither is meant.
        """
        import numpy as np

        wanted = np.array([*numbers], dtype=np.int64)
        named, shares = self._names
        at = np.searchsorted(named, wanted)
        is_named = np.append(named, -1)[at] == wanted
        return dict(zip(wanted[is_named].tolist(), (shares[at[is_named]] ** 2).tolist(), strict=True))

    @cached_property
    def _names(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The numbers of chunks whose document's name shares words with the query, and how telling a share of it.

        A word in a name tells by how much oftener documents so called hold it than others: the logarithm of the lift,
        as pointwise mutual information has it (Church and Hanks 1990), with a few texts that are as all others are. So
        "Adobe" tells much in a folder of annual reports, "company" little, though either stands in one name alone.
        """
        import numpy as np

        names = np.flatnonzero(self._places["line"] == _NAME)
        if not len(names):
            return np.zeros(0, np.int64), np.zeros(0)
        words, word_of = len(self._rarity), self._word_of[self._runs]
        sizes = np.diff(self._runs, append=len(self._places))
        in_name = np.bincount(np.searchsorted(self._runs, names, "right") - 1, minlength=len(self._runs))
        in_text = in_name < sizes
        called, holding, both = (
            np.bincount(word_of[runs], minlength=words) for runs in (in_name > 0, in_text, in_text & (in_name > 0))
        )
        usual = np.maximum(called, 1) / max(1, self._chunks)
        lift = (both + FEW_TEXTS * usual) / (holding + FEW_TEXTS) / usual
        # What stands in no text is a name alone, and half as telling as it is rare.
        telling = np.where(called, np.maximum(0.0, np.log(np.where(holding, lift, usual**-0.5))), 0.0)
        numbers = self._places["number"][self._runs].astype(np.int64)[in_name > 0]
        numbers, place = np.unique(numbers, return_inverse=True)
        shares = np.bincount(place, telling[word_of[in_name > 0]], len(numbers)) / (telling.sum() + 1.0)
        return numbers, shares


def _count_places(connection: sqlite3.Connection, terms: Sequence[str]) -> dict[str, int]:
    """How often each term stands anywhere, what was dropped included; terms that stand nowhere are left out."""
    return dict(execute_with(connection, f"SELECT term, sum(postings.size) {_FROM_POSTINGS} GROUP BY term", terms))


def _read_places(connection: sqlite3.Connection, terms: Sequence[str]) -> tuple[Places, NDArray[np.int64]]:
    """The places of terms, term by term and those of one chunk together; and of each place, which term it is of."""
    import numpy as np

    dropped = _load_dropped(connection)
    blobs: dict[str, list[bytes]] = {term: [] for term in terms}
    for term, blob, expected in execute_with(connection, f"SELECT term, places, checksum {_FROM_POSTINGS}", terms):
        verify(expected, term, blob)
        blobs[term].append(blob)
    places = _to_places(b"".join(chain.from_iterable(blobs.values())))
    sizes = [sum(map(len, parts)) // _PLACE_BYTES for parts in blobs.values()]
    term_of = np.repeat(np.arange(len(terms)), sizes)
    kept = _find_kept(places, dropped)
    return places[kept], term_of[kept]


def _read_words(
    connection: sqlite3.Connection, words: Sequence[Mapping[str, float]]
) -> tuple[Places, NDArray[np.int64], NDArray[np.float64]]:
    """The places of words, word by word and those of one chunk together; of each, its word, and what it counts."""
    import numpy as np

    terms = list(dict.fromkeys(chain.from_iterable(words)))
    places, term_of = _read_places(connection, terms)
    number_of = {term: number for number, term in enumerate(terms)}
    members = [(word, number_of[term], weight) for word, some in enumerate(words) for term, weight in some.items()]
    bounds = np.searchsorted(term_of, np.arange(len(terms) + 1))
    chosen = [np.arange(bounds[term], bounds[term + 1]) for _, term, _ in members]
    sizes = [*map(len, chosen)]
    order = np.concatenate([np.zeros(0, np.int64), *chosen])
    word_of = np.repeat(np.array([word for word, _, _ in members], np.int64), sizes)
    weights = np.repeat(np.array([weight for _, _, weight in members], np.float64), sizes)
    if len(members) > len({word for word, _, _ in members}):
        together = np.lexsort((places["number"][order], word_of))
        order, word_of, weights = order[together], word_of[together], weights[together]
    return places[order], word_of, weights


# Segment by segment, each looked into for each term: SQLite left alone would read all postings.
_FROM_POSTINGS = "FROM segments CROSS JOIN postings USING (segment) WHERE term IN ({})"


def _load_dropped(connection: sqlite3.Connection) -> NDArray[np.bool_]:
    """For each number whether it was dropped; the last stands for all from there on, which were not."""
    import numpy as np

    numbers = np.frombuffer(_read_totals(connection)[2], dtype="<u4")
    dropped = np.zeros(int(numbers.max(initial=0)) + 2, dtype=bool)
    dropped[numbers] = True
    return dropped


def _to_places(blob: bytes) -> Places:
    import numpy as np

    return np.frombuffer(blob, dtype=_PLACE)


def _find_kept(places: Places, dropped: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which places are of chunks that have not been dropped."""
    import numpy as np

    kept: NDArray[np.bool_] = ~dropped[np.minimum(places["number"], len(dropped) - 1)]
    return kept


def _find_runs(places: Places, term_of: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where the places of each term in each chunk begin."""
    import numpy as np

    return np.flatnonzero(np.diff(places["number"].astype(np.int64), prepend=-1) | np.diff(term_of, prepend=-1))


def _to_rarity(holding: NDArray[np.int64], chunks: int) -> NDArray[np.float64]:
    """The inverse document frequency of terms that so many of all chunks hold."""
    import numpy as np

    inverse: NDArray[np.float64] = np.log(1 + (chunks - holding + 0.5) / (holding + 0.5))
    return inverse
