from __future__ import annotations

import math
import random
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.storing import postings
from index.storing.lexicon_file import add_functions
from index.storing.postings import Entry, Matches

# A chunk: its lines, and its document's title.
Chunk = tuple[list[list[str]], list[str]]
WORDS = st.sampled_from("abcdefgh")
CHUNKS = st.tuples(st.lists(st.lists(WORDS, max_size=5), max_size=4), st.lists(WORDS, max_size=3))


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
    lines, title = chunk
    return sum(map(len, lines)) + len(title)


def add(connection: sqlite3.Connection, chunks: Mapping[int, Chunk]) -> None:
    postings.add(connection, [Entry(number, *chunk, length_of(chunk)) for number, chunk in chunks.items()])


def one_line(*words: str) -> Chunk:
    return [list(words)], []


def weigh(chunks: Mapping[int, Chunk], terms: Sequence[str]) -> dict[str, float]:
    """The rarity of each term, counted chunk by chunk."""
    counts = {
        term: sum(any(term in words for words in [*lines, title]) for lines, title in chunks.values()) for term in terms
    }
    return {term: math.log(1 + (len(chunks) - n + 0.5) / (n + 0.5)) for term, n in counts.items()}


def score(chunks: Mapping[int, Chunk], terms: Sequence[str]) -> dict[int, float]:
    """BM25, worked out chunk by chunk."""
    rarity = weigh(chunks, terms)
    mean = sum(map(length_of, chunks.values())) / max(1, len(chunks))
    scores: Counter[int] = Counter()
    for number, (lines, title) in chunks.items():
        for term in dict.fromkeys(terms):
            frequency = sum(words.count(term) for words in lines) + 0.5 * title.count(term)
            if frequency:
                length = length_of((lines, title)) / mean
                scores[number] += rarity[term] * frequency * 1.9 / (frequency + 0.9 * (0.25 + 0.75 * length))
    return dict(scores)


def cover(chunks: Mapping[int, Chunk], terms: Sequence[str]) -> dict[int, tuple[float, float]]:
    """The best line's share of the query and the whole chunk's, worked out line by line."""
    rarity = weigh(chunks, [*dict.fromkeys(terms)])

    def share(words: Sequence[str]) -> float:
        return sum(rarity[term] for term in rarity if term in words) / (sum(rarity.values()) or 1.0)

    return {
        number: (max(map(share, lines), default=0.0), share([*title, *(word for words in lines for word in words)]))
        for number, (lines, title) in chunks.items()
    }


@given(st.lists(CHUNKS, max_size=12), st.lists(WORDS, min_size=1, max_size=5))
def test_scores_and_coverage_are_those_that_the_definitions_give(listed: list[Chunk], terms: list[str]) -> None:
    chunks = dict(enumerate(listed, 1))
    connection = make_index()
    add(connection, chunks)
    matches = Matches(connection, terms)
    assert matches.best(100) == pytest.approx(score(chunks, terms))
    expected = cover(chunks, terms)
    for number, shares in matches.coverage(chunks).items():
        assert shares == pytest.approx(expected.pop(number))
    assert not expected
    assert postings.rarity(connection, terms) == pytest.approx(weigh(chunks, terms))
    assert postings.count_chunks(connection) == len(chunks)
    connection.close()


@given(
    st.lists(st.tuples(st.lists(CHUNKS, max_size=4), st.lists(st.integers(0, 30), max_size=4)), max_size=12),
    st.lists(WORDS, min_size=1, max_size=5),
    st.integers(2, 4),
    st.integers(0, 6),
)
def test_after_any_history_it_finds_what_an_index_made_anew_finds_to_the_last_digit(
    history: list[tuple[list[Chunk], list[int]]], terms: list[str], to_merge: int, most_dropped: int
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
        one, other = Matches(connection, terms), Matches(anew, terms)
        assert list(one.best(100).items()) == list(other.best(100).items())
        assert one.coverage(chunks) == other.coverage(chunks)
        assert postings.rarity(connection, terms) == postings.rarity(anew, terms)
        connection.close()
        anew.close()


def test_many_small_writes_leave_few_segments_and_nothing_behind(connection: sqlite3.Connection) -> None:
    chance = random.Random(1)
    for number in range(1, 1001):
        add(connection, {number: one_line("every", chance.choice("abcdefgh"))})
    assert connection.execute("SELECT count(*) FROM segments").fetchone()[0] < 32
    assert len(Matches(connection, ["every"]).best(2000)) == 1000
    postings.drop(connection, dict.fromkeys(range(1, 1001), 2))
    assert Matches(connection, ["every"]).best(10) == {}
    add(connection, {1001: one_line("every")})
    postings.drop(connection, {1001: 1})
    assert not connection.execute("SELECT * FROM postings").fetchall()
    assert connection.execute("SELECT chunks, terms, dropped FROM totals").fetchall() == [(0, 0, b"")]


def test_the_best_are_the_first_of_more_also_among_equals(connection: sqlite3.Connection) -> None:
    add(connection, {number: one_line("a") for number in range(1, 40)} | {40: one_line("a", "a")})
    matches = Matches(connection, ["a"])
    assert list(matches.best(5)) == [40, 1, 2, 3, 4]
    assert list(matches.best(100)) == [40, *range(1, 40)]


def test_a_chunk_of_more_lines_and_words_than_a_place_can_tell_is_found_all_the_same(
    connection: sqlite3.Connection,
) -> None:
    lines = [["many"] for _ in range(70_000)]
    add(connection, {1: ([*lines, ["last"]], ["title"]), 2: one_line("few")})
    assert list(Matches(connection, ["last"]).best(5)) == [1]
    assert Matches(connection, ["many"]).coverage([1, 2]) == {1: (1.0, 1.0), 2: (0.0, 0.0)}
    assert Matches(connection, ["title"]).coverage([1]) == {1: (0.0, 1.0)}
