from __future__ import annotations

import math
import random
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from operator import mul

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.storing import postings
from index.storing.lexicon_file import add_functions
from index.storing.postings import Entry, Matches

# A chunk: its lines, what its document is called, and what it stands under.
Chunk = tuple[list[list[str]], list[str], list[str]]
# A word of a query: what counts as it, and how much.
Word = dict[str, float]
TERMS = st.sampled_from("abcdefgh")
FEW_TERMS = st.lists(TERMS, max_size=3)
CHUNKS = st.tuples(st.lists(st.lists(TERMS, max_size=5), max_size=4), FEW_TERMS, FEW_TERMS)
QUERIES = st.lists(st.dictionaries(TERMS, st.sampled_from([1.0, 0.7, 0.25]), min_size=1, max_size=3), min_size=1)


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = make_index()
    yield connection
    connection.close()


def make_index() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:")
    add_functions(connection)
    connection.executescript(postings.SCHEMA)
    return connection


def length_of(chunk: Chunk) -> int:
    lines, name, above = chunk
    return sum(map(len, [*lines, name, above]))


def add(connection: sqlite3.Connection, chunks: Mapping[int, Chunk]) -> None:
    postings.add(connection, [Entry(number, *chunk, length_of(chunk)) for number, chunk in chunks.items()])


def one_line(*words: str) -> Chunk:
    return [list(words)], [], []


def alone(*terms: str) -> list[Word]:
    return [{term: 1.0} for term in terms]


def weigh(chunks: Mapping[int, Chunk], words: Sequence[Word]) -> list[float]:
    """The rarity of each word of a query, counted chunk by chunk."""
    counts = [
        sum(not word.keys().isdisjoint(chain(*lines, name, above)) for lines, name, above in chunks.values())
        for word in words
    ]
    return [math.log(1 + (len(chunks) - n + 0.5) / (n + 0.5)) for n in counts]


def call(chunks: Mapping[int, Chunk], words: Sequence[Word]) -> dict[int, float]:
    """How much of what the query says of names each chunk's document is called, worked out word by word."""
    shares, whole = dict[int, float](), 1.0
    for word in words:
        called = {number for number, (_, name, _) in chunks.items() if not word.keys().isdisjoint(name)}
        held = {n for n, (lines, _, above) in chunks.items() if not word.keys().isdisjoint(chain(*lines, above))}
        usual = len(called) / len(chunks) if called else 1.0
        lift = (len(called & held) + 3 * usual) / (len(held) + 3) / usual if held else usual**-0.5
        whole += max(0.0, math.log(lift)) if called else 0.0
        for number in called:
            shares[number] = shares.get(number, 0.0) + max(0.0, math.log(lift))
    return {number: share / whole for number, share in shares.items()}


def score(chunks: Mapping[int, Chunk], words: Sequence[Word]) -> dict[int, float]:
    """BM25, worked out chunk by chunk."""
    rarity = weigh(chunks, words)
    mean = sum(map(length_of, chunks.values())) / max(1, len(chunks))
    scores: Counter[int] = Counter()
    for number, (lines, name, above) in chunks.items():
        for word, value in zip(words, rarity, strict=True):
            frequency = sum(
                weight * (sum(line.count(term) for line in lines) + 0.5 * [*name, *above].count(term))
                for term, weight in word.items()
            )
            if frequency:
                length = length_of((lines, name, above)) / mean
                scores[number] += value * frequency * 1.9 / (frequency + 0.9 * (0.25 + 0.75 * length))
    return dict(scores)


def cover(chunks: Mapping[int, Chunk], words: Sequence[Word]) -> dict[int, tuple[float, float]]:
    """What the best line has of the query with what it stands under, and the whole chunk, worked out line by line."""

    def share(terms: Sequence[str]) -> float:
        held = [max((weight for term, weight in word.items() if term in terms), default=0.0) for word in words]
        return sum(map(mul, held, rarity)) / (sum(rarity) or 1.0)

    rarity = weigh(chunks, words)
    return {
        number: (
            max(share([*line, *name, *above]) for line in [*lines, []]),
            share([*chain.from_iterable(lines), *name, *above]),
        )
        for number, (lines, name, above) in chunks.items()
    }


@given(st.lists(CHUNKS, max_size=12), QUERIES)
def test_scores_and_coverage_are_those_that_the_definitions_give(listed: list[Chunk], query: list[Word]) -> None:
    chunks = dict(enumerate(listed, 1))
    connection = make_index()
    add(connection, chunks)
    matches = Matches(connection, query)
    assert matches.best(100) == pytest.approx(score(chunks, query))
    expected = cover(chunks, query)
    for number, shares in matches.coverage(chunks).items():
        assert shares == pytest.approx(expected.pop(number))
    assert not expected
    naming = call(chunks, query)
    assert matches.naming([*chunks, 99]) == pytest.approx({i: share**2 for i, share in naming.items()})
    meant = {number: value for number, value in score(chunks, query).items() if naming.get(number, 0) >= 0.4}
    assert matches.best(100, meant=True) == pytest.approx(meant)
    terms = [*dict.fromkeys(chain.from_iterable(query))]
    rarity = dict(zip(terms, weigh(chunks, alone(*terms)), strict=True))
    assert postings.rarity(connection, terms) == pytest.approx(rarity)
    assert postings.count_chunks(connection) == len(chunks)
    connection.close()


@given(
    st.lists(st.tuples(st.lists(CHUNKS, max_size=4), st.lists(st.integers(0, 30), max_size=4)), max_size=12),
    QUERIES,
    st.integers(2, 4),
    st.integers(0, 6),
)
def test_after_any_history_it_finds_what_an_index_made_anew_finds_to_the_last_digit(
    history: list[tuple[list[Chunk], list[int]]], query: list[Word], to_merge: int, most_dropped: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(postings, "SEGMENTS_TO_MERGE", to_merge)
        patch.setattr(postings, "MOST_DROPPED", most_dropped)
        connection, chunks, number = make_index(), dict[int, Chunk](), 0
        for added, dropped in history:
            new = dict(enumerate(added, number + 1))
            number += len(added)
            add(connection, new)
            chunks |= new
            gone = {i: length_of(chunks.pop(i)) for i in dict.fromkeys(dropped) if i in chunks}
            postings.drop(connection, gone)
        anew = make_index()
        add(anew, chunks)
        one, other = Matches(connection, query), Matches(anew, query)
        assert list(one.best(100).items()) == list(other.best(100).items())
        assert one.coverage(chunks) == other.coverage(chunks)
        assert one.naming(chunks) == other.naming(chunks)
        terms = [*chain.from_iterable(query)]
        assert postings.rarity(connection, terms) == postings.rarity(anew, terms)
        connection.close()
        anew.close()


def test_many_small_writes_leave_few_segments_and_nothing_behind(connection: sqlite3.Connection) -> None:
    chance = random.Random(1)
    for number in range(1, 1001):
        add(connection, {number: one_line("every", chance.choice("abcdefgh"))})
    assert connection.execute("SELECT count(*) FROM segments").fetchone()[0] < 32
    assert len(Matches(connection, alone("every")).best(2000)) == 1000
    postings.drop(connection, dict.fromkeys(range(1, 1001), 2))
    assert Matches(connection, alone("every")).best(10) == {}
    add(connection, {1001: one_line("every")})
    postings.drop(connection, {1001: 1})
    assert not connection.execute("SELECT * FROM postings").fetchall()
    assert connection.execute("SELECT chunks, terms, dropped FROM totals").fetchall() == [(0, 0, b"")]


def test_the_best_are_the_first_of_more_also_among_equals(connection: sqlite3.Connection) -> None:
    add(connection, {number: one_line("a") for number in range(1, 40)} | {40: one_line("a", "a")})
    matches = Matches(connection, alone("a"))
    assert list(matches.best(5)) == [40, 1, 2, 3, 4]
    assert list(matches.best(100)) == [40, *range(1, 40)]


def test_a_chunk_of_more_lines_and_words_than_a_place_can_tell_is_found_all_the_same(
    connection: sqlite3.Connection,
) -> None:
    lines = [["many"] for _ in range(70_000)]
    add(connection, {1: ([*lines, ["last"]], ["name"], ["head"]), 2: one_line("few")})
    assert list(Matches(connection, alone("last")).best(5)) == [1]
    assert Matches(connection, alone("many")).coverage([1, 2]) == {1: (1.0, 1.0), 2: (0.0, 0.0)}
    assert Matches(connection, alone("name")).coverage([1]) == {1: (1.0, 1.0)}
    assert Matches(connection, alone("head")).coverage([1]) == {1: (1.0, 1.0)}
