"""The log of a shared store: many write it at once, and all who read it come to the same, however they read."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chroma_server import ChromaRun
from hypothesis import given
from hypothesis import settings as run_with
from hypothesis import strategies as st

from index.documents import Chunk, identify
from index.embedding.protocol import Embedded
from index.errors import StoreError
from index.storing.records import Record
from index.storing.shared import following
from index.storing.shared.changes import (
    ENTRY_CHARACTERS,
    PIECE_CHARACTERS,
    Change,
    Kind,
    cut,
    gather,
    join,
    make_token,
    read_changes,
    read_row_id,
    row_id,
    write_changes,
)
from index.storing.shared.following import Turn, follow
from index.storing.shared.log import NO_VECTOR, Entry, Log
from index.storing.shared.mirror import Mirror
from index.storing.shared.rows import Row
from index.storing.shared.server import PATIENCE_SECONDS, Address, ChromaServer
from index.storing.versions import chunk_id

PATHS = {identify(path): path for path in ("a.txt", "b.txt", "c.txt")}
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def make_record(document_id: str, content: str = "c", **fields: Any) -> Record:
    record = Record(document_id, PATHS.get(document_id, "x.txt"), "Title", "2025-05-13", (0, 9), content * 8, 7, 8, 1)
    return replace(record, **fields)


def make_change(document_id: str, base: int = 0, content: str = "c") -> Change:
    return Change(
        "stored", document_id, base, make_record(document_id, content), make_token(document_id, content, base)
    )


# -- how a change is written ------------------------------------------------------------------

changes = st.builds(
    Change,
    st.sampled_from(["touched", "removed", "skipped"]),
    TEXTS.filter(bool),
    st.integers(0, 2**40),
    size_bytes=st.integers(0, 2**62),
    modified_ns=st.integers(-(2**62), 2**62),
    path=TEXTS,
    reason=TEXTS,
) | st.builds(
    lambda i, base, path, title, date, pages, count, unread: Change(
        "stored",
        i,
        base,
        make_record(i, path=path, title=title, date=date, pages=tuple(pages), chunk_count=count, unread=unread),
        make_token(i, path, base),
    ),
    TEXTS.filter(bool),
    st.integers(0, 2**40),
    TEXTS,
    TEXTS,
    st.none() | TEXTS,
    st.lists(st.integers(0, 2**40), max_size=5),
    st.integers(1, 10_000),
    TEXTS,
)


@given(st.lists(changes, max_size=5))
def test_what_is_written_of_changes_is_read_again(written: list[Change]) -> None:
    text = write_changes(written)
    assert text.isascii()
    assert read_changes(text) == written
    assert join("changes", cut("changes", text)) == text


GOOD = make_change("a").write()


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "nonsense"},
        {"kind": ["stored"]},
        {"kind": {}},
        {"document_id": 7},
        {"document_id": ""},
        {"document_id": "b"},
        {"document_id": "\ud800"},
        {"base": "0"},
        {"base": None},
        {"base": 1.5},
        {"base": float("nan")},
        {"base": 10**30},
        {"base": -1},
        {"token": ""},
        {"token": 7},
        {"size_bytes": 10**30},
        {"modified_ns": "now"},
        {"unknown": 1},
        {"record": None},
        {"record": []},
        {"record": "record"},
        *(
            {"record": GOOD["record"] | fields}
            for fields in (
                {"document_id": "b"},
                {"path": 7},
                {"path": "\udfff"},
                {"title": None},
                {"title": "\ud800"},
                {"date": 7},
                {"date": {}},
                {"pages": 7},
                {"pages": ["x"]},
                {"pages": [10**30]},
                {"pages": [[]]},
                {"content_hash": []},
                {"size_bytes": "7"},
                {"size_bytes": 10**30},
                {"modified_ns": None},
                {"modified_ns": -(10**30)},
                {"chunk_count": 0},
                {"chunk_count": -1},
                {"chunk_count": 10**9 - 1},
                {"chunk_count": 1.5},
                {"unread": 7},
                {"enclosed_count": "7"},
                {"enclosed_count": 10**30},
                {"more": 7},
            )
        ),
    ],
)
def test_a_change_that_nobody_wrote_so_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no change"):
        read_changes(json.dumps([GOOD | fields]))


@pytest.mark.parametrize(
    "written", ["", "{}", "7", "null", "[7]", "[null]", "[[]]", '["stored"]', "[" * 100_000, "[{}]"]
)
def test_what_is_no_list_of_changes_is_refused(written: str) -> None:
    with pytest.raises(ValueError):
        read_changes(written)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
NAMES = ["kind", "document_id", "base", "record", "token", "size_bytes", "modified_ns", "path", "reason", "other"]


@given(st.lists(st.dictionaries(st.sampled_from(NAMES), values) | values, max_size=3), st.data())
@run_with(max_examples=60)
def test_hostile_changes_are_read_or_refused(written: list[Any], data: st.DataObject) -> None:
    if data.draw(st.booleans()):
        name = data.draw(st.sampled_from([*GOOD["record"]]))
        written = [GOOD | {"record": GOOD["record"] | {name: data.draw(values)}}]
    try:
        found = read_changes(json.dumps(written))
    except ValueError:
        return
    # What is taken for a change can be applied.
    with tempfile.TemporaryDirectory() as place, opened(Path(place)) as mirror:
        read_as_told(mirror, [Entry(1, 1, moves=False, changes=tuple(found))])


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=9000))
@run_with(max_examples=50)
def test_what_is_cut_is_joined_again_and_fits(text: str) -> None:
    fields = cut("name", text)
    assert join("name", fields | {"other": "x", "name-0": "y"}) == text
    assert all(len(piece.encode()) <= PIECE_CHARACTERS for piece in fields.values())


def test_what_is_joined_ends_where_a_piece_is_missing_or_is_no_text() -> None:
    fields: dict[str, Any] = cut("name", "x" * 9000)
    assert [*fields] == ["name", "name-2", "name-3"]
    assert join("name", fields | {"name-2": 7}) == "x" * 4000
    assert join("name", {}) == ""


def test_a_token_is_of_a_document_its_content_and_what_was_before() -> None:
    tokens = {make_token(i, content, base) for i in ("a", "b") for content in ("c", "d") for base in (0, 1, 10)}
    assert len(tokens) == 12
    assert make_token("a", "c", 1) == make_token("a", "c", 1)
    assert read_row_id(row_id(make_token("a", "c", 1), 12)) == (make_token("a", "c", 1), 12)


@pytest.mark.parametrize(
    "written", ["", "a", "a:", "a:b", "a:-1", "a:1.5", "a:1:2", "a:\u0663", "a:\u00b2", "a:12345678901"]
)
def test_a_row_that_is_not_ours_is_told_apart(written: str) -> None:
    assert read_row_id(written) == ("", 0)


@given(st.lists(st.integers(1, 30_000), max_size=30))
@run_with(max_examples=30)
def test_entries_hold_as_many_changes_as_fit(lengths: list[int]) -> None:
    written = [Change("skipped", f"d{n}", 0, path="p", reason="r" * length) for n, length in enumerate(lengths)]
    entries = gather(written)
    assert [change for entry in entries for change in entry] == written
    assert all(len(write_changes(entry)) <= ENTRY_CHARACTERS + len(entry) + 2 for entry in entries)
    assert all(len(write_changes([*one, other[0]])) > ENTRY_CHARACTERS for one, other in pairwise(entries))


# -- many write it ----------------------------------------------------------------------------


@pytest.fixture
def log(chroma: ChromaRun, tmp_path: Path) -> Iterator[Log]:
    with closing(ChromaServer(Address(chroma.url))) as server:
        name = re.sub("[^a-z0-9]+", "-", tmp_path.name)[:90].strip("-")
        yield Log(server.open(f"{name}-log", {}, {"space": "l2"}))


def test_an_empty_log_has_no_entries(log: Log) -> None:
    assert list(log.read(0)) == []


def test_writers_at_once_leave_no_gap_and_lose_nothing(log: Log) -> None:
    def write(writer: int) -> list[int]:
        numbers, number = [], 0
        for turn in range(4):
            # Some have read up to what they wrote last, some from the beginning.
            number = log.append(number if writer else 0, [make_change(f"{writer}-{turn}")], 1)
            numbers.append(number)
        return numbers

    with ThreadPoolExecutor(4) as pool:
        written = list(pool.map(write, range(4)))
    entries = list(log.read(0))
    assert [entry.number for entry in entries] == list(range(1, 17))
    assert sorted(number for numbers in written for number in numbers) == list(range(1, 17))
    assert all(numbers == sorted(numbers) for numbers in written)
    for writer, numbers in enumerate(written):
        for turn, number in enumerate(numbers):
            assert entries[number - 1].changes == (make_change(f"{writer}-{turn}"),)
    assert [entry.number for entry in log.read(12)] == [13, 14, 15, 16]


def test_rows_move_only_if_nothing_was_written_meanwhile(log: Log) -> None:
    assert log.append(0, [make_change("a")], 1) == 1
    assert not log.move(0, 2)
    assert log.move(1, 2)
    assert not log.move(1, 3)
    assert log.append(0, [make_change("b")], 2) == 3
    assert [(entry.moves, entry.generation) for entry in log.read(0)] == [(False, 1), (True, 2), (False, 2)]


@pytest.mark.parametrize("fields", [{}, {"changes": "[", "generation": 1}, {"changes": "[]", "generation": "x"}])
def test_an_entry_that_is_not_as_it_was_written_is_told(log: Log, fields: dict[str, Any]) -> None:
    log.append(0, [make_change("a")], 1)
    log._collection.upsert(["000000000001"], embeddings=[NO_VECTOR], metadatas=[{"writer": "x", **fields}])
    log._collection.delete(["000000000001"])
    log._collection.add(["000000000001"], embeddings=[NO_VECTOR], metadatas=[{"writer": "x", **fields}])
    with pytest.raises(StoreError, match=r"Entry 1 of the log of the shared store, .*: make the store anew with"):
        list(log.read(0))


# -- all who read it come to the same ---------------------------------------------------------


class Told:
    """A log that is written already."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = entries

    def read(self, after: int, patience_seconds: float = PATIENCE_SECONDS) -> Iterator[Entry]:
        yield from self.entries[after:]


def make_row(record: Record) -> Row:
    text = record.content_hash
    chunk = Chunk(chunk_id(record.document_id, text, 0), record.document_id, 0, len(text), text, (), ())
    return chunk, Embedded(np.ones(4, np.float32) / 2, b"")


def read_row(versions: Sequence[tuple[Record, str]], turn: Turn) -> Mapping[str, Sequence[Row]]:
    """The rows of versions, but for those whose content nobody has written."""
    return {r.document_id: [make_row(r)] for r, _ in versions if not r.content_hash.startswith("lost")}


def opened(place: Path) -> closing[Mirror]:
    place.mkdir(exist_ok=True)
    mirror = Mirror(place / "lexicon.sqlite")
    if not mirror.is_usable():
        mirror.create({})
        mirror.mark(whole=True)
    return closing(mirror)


def read_as_told(mirror: Mirror, entries: Sequence[Entry]) -> None:
    for _ in follow(mirror, Told(entries), read_row):  # type: ignore[arg-type]
        pass


def tell(mirror: Mirror) -> object:
    """All that a mirror says."""
    records = mirror.records()
    return (
        mirror.followed(),
        records,
        [mirror.chunks_of(record.document_id) for record in records],
        mirror.all_numbers(),
        mirror.all_tokens(),
        mirror.skipped(),
        mirror.count_chunks(),
        sorted(i for i, _ in mirror._rows("SELECT chunk_id, vector FROM vectors")),
    )


KINDS: list[Kind] = ["stored", "stored", "touched", "removed", "skipped"]


LOST = {make_token(i, "lost", base) for i in PATHS for base in range(20)}


@st.composite
def logs(draw: st.DrawFn) -> list[Entry]:
    """What several workers write, each of whom has read up to somewhere when it does."""
    entries: list[Entry] = []
    for _ in range(draw(st.integers(1, 12))):
        seen = max(0, len(entries) - draw(st.integers(0, 3)))
        numbers, generation = replay(entries[:seen])
        if seen == len(entries) and draw(st.integers(0, 5)) == 0:
            entries.append(Entry(len(entries) + 1, generation + 1, moves=True, changes=()))
            continue
        written = []
        for document_id in draw(st.lists(st.sampled_from([*PATHS]), min_size=1, max_size=3)):
            base = numbers.get(document_id, (0, ""))[0]
            kind = draw(st.sampled_from(KINDS))
            if kind == "stored":
                written.append(make_change(document_id, base, draw(st.sampled_from(["one", "two", "lost"]))))
            else:
                time = draw(st.integers(1, 9))
                written.append(Change(kind, document_id, base, modified_ns=time, path=PATHS[document_id], reason="why"))
        entries.append(Entry(len(entries) + 1, generation, moves=False, changes=tuple(written)))
    return entries


def replay(entries: Sequence[Entry]) -> tuple[dict[str, tuple[int, str]], int]:
    """What the documents' entries and tokens are by a log, read one change after the other; and the generation."""
    now: dict[str, tuple[int, str]] = {}
    generation = 1
    for entry in entries:
        if entry.moves:
            generation = entry.generation
        elif entry.generation == generation:
            for change in entry.changes:
                number, token = now.get(change.document_id, (0, ""))
                if change.base == number and (number or change.kind != "touched"):
                    kept = token if change.kind == "touched" else change.token
                    now[change.document_id] = entry.number, kept
    return now, generation


@given(logs(), st.lists(st.integers(0, 4), min_size=1, max_size=6), st.integers(1, 4), st.integers(1, 3))
@run_with(max_examples=40)
def test_however_a_log_is_read_it_comes_to_the_same(
    entries: list[Entry], stops: list[int], step_entries: int, step_rows: int
) -> None:
    with tempfile.TemporaryDirectory() as place:
        with opened(Path(place) / "whole") as mirror:
            read_as_told(mirror, entries)
            told = tell(mirror)
            numbers, generation = replay(entries)
            assert mirror.followed() == (len(entries), generation)
            assert {i: number for i, number in mirror.all_numbers().items() if number} == {
                i: number for i, (number, _) in numbers.items()
            }
            visible = {document_id: token for token, document_id in mirror.all_tokens().items()}
            assert visible == {i: token for i, (_, token) in numbers.items() if token and token not in LOST}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(following, "STEP_ENTRIES", step_entries)
            patch.setattr(following, "STEP_ROWS", step_rows)
            for stop in stops:  # a machine that is stopped, and begins again
                with opened(Path(place) / "parts") as mirror:
                    walk = follow(mirror, Told(entries), read_row)  # type: ignore[arg-type]
                    for _ in range(stop):
                        next(walk, None)
                    walk.close()
            with opened(Path(place) / "parts") as mirror:
                read_as_told(mirror, entries)
                assert tell(mirror) == told
                read_as_told(mirror, entries)
                assert tell(mirror) == told


def test_of_two_who_change_a_document_at_once_the_first_in_the_log_counts(tmp_path: Path) -> None:
    first, second = make_change("a", 0, "one"), make_change("a", 0, "two")
    late = Change("removed", "a", 0)
    with opened(tmp_path) as mirror:
        read_as_told(mirror, [Entry(n, 1, moves=False, changes=(c,)) for n, c in enumerate((first, second, late), 1)])
        assert mirror.all_tokens() == {first.token: "a"}
        assert mirror.all_numbers() == {"a": 1}


def test_what_speaks_of_rows_that_are_no_more_does_not_count(tmp_path: Path) -> None:
    entries = [
        Entry(1, 1, moves=False, changes=(make_change("a"),)),
        Entry(2, 2, moves=True, changes=()),
        Entry(3, 1, moves=False, changes=(make_change("b"), Change("removed", "a", 1))),
        Entry(4, 2, moves=False, changes=(make_change("c"),)),
    ]
    with opened(tmp_path) as mirror:
        read_as_told(mirror, entries)
        assert [record.document_id for record in mirror.records()] == ["a", "c"]
        assert mirror.followed() == (4, 2)
