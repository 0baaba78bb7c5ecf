from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index.documents import Chunk
from index.embedding.protocol import Embedded
from index.place import DamagedError, NoRoomError
from index.splitting.outline import Outline
from index.splitting.terms import find_content_terms, find_terms
from index.storing.lexicon import Lexicon
from index.storing.records import Record


def record_of(name: str, title: str = "", **changes: object) -> Record:
    values = {"date": "2025-05-13", "pages": (0, 7), "content_hash": "c" * 64, "size_bytes": 5, "modified_ns": 10**18}
    return Record(**{"document_id": name, "path": f"{name}.txt", "title": title, "chunk_count": 1, **values, **changes})  # type: ignore[arg-type]


def chunks_of(name: str, *texts: str) -> list[Chunk]:
    chunks: list[Chunk] = []
    start = 0
    for number, text in enumerate(texts):
        parts = Outline(text).between(0, len(text))
        chunks.append(Chunk(f"{name}:{number}" if number else name, name, start, start + len(text), text, *parts))
        start += len(text)
    return chunks


@pytest.fixture
def lexicon(tmp_path: Path) -> Iterator[Lexicon]:
    lexicon = Lexicon(tmp_path / "lexicon.sqlite")
    lexicon.create()
    yield lexicon
    lexicon.close()


def put(lexicon: Lexicon, record: Record, chunks: list[Chunk]) -> None:
    lexicon.put([(record, chunks)], {chunk.id: Embedded(np.ones(3, np.float32), None) for chunk in chunks})


def fill(lexicon: Lexicon, **texts: str) -> None:
    for name, text in texts.items():
        put(lexicon, record_of(name), chunks_of(name, text))


# -- records and chunks -----------------------------------------------------------------------


def test_what_is_put_is_read_again(lexicon: Lexicon) -> None:
    first, second = record_of("a", "The tour", chunk_count=2), record_of("b", date=None, pages=())
    put(lexicon, second, chunks_of("b", "Gamma."))
    put(lexicon, first, chunks_of("a", "Alpha. ", "Beta."))
    assert lexicon.records() == [first, second]
    assert lexicon.record("b") == second
    assert lexicon.record("c") is None
    assert lexicon.chunks_of("a") == chunks_of("a", "Alpha. ", "Beta.")
    assert lexicon.chunks_of("c") == []
    assert lexicon.chunks(["a:1", "b", "nothing"]) == {
        chunk.id: chunk for chunk in [chunks_of("a", "Alpha. ", "Beta.")[1], *chunks_of("b", "Gamma.")]
    }
    assert lexicon.chunks([]) == {}


def test_a_new_version_takes_the_place_of_the_old_one_whole(lexicon: Lexicon) -> None:
    put(lexicon, record_of("a"), chunks_of("a", "Alpha. ", "Beta."))
    put(lexicon, record_of("a", "New"), chunks_of("a", "Gamma."))
    assert lexicon.records() == [record_of("a", "New")]
    assert lexicon.chunks_of("a") == chunks_of("a", "Gamma.")
    assert lexicon.search("alpha beta", 10) == {}
    assert list(lexicon.search("gamma", 10)) == ["a"]


def test_a_removed_document_is_out_of_sight_and_its_neighbours_are_not(lexicon: Lexicon) -> None:
    fill(lexicon, a="Alpha one.", b="Alpha two.")
    lexicon.remove("a")
    assert [record.document_id for record in lexicon.records()] == ["b"]
    assert list(lexicon.search("alpha", 10)) == ["b"]


def test_a_touch_changes_size_and_time_and_nothing_else(lexicon: Lexicon) -> None:
    fill(lexicon, a="Alpha.")
    lexicon.touch([("a", 6, 7)])
    assert lexicon.records() == [record_of("a", size_bytes=6, modified_ns=7)]


# -- whole or not -----------------------------------------------------------------------------


def test_it_is_usable_only_once_it_was_declared_whole(tmp_path: Path) -> None:
    lexicon = Lexicon(tmp_path / "lexicon.sqlite")
    assert not lexicon.is_usable()
    lexicon.create()
    assert not lexicon.is_usable()
    lexicon.mark(whole=True)
    assert lexicon.is_usable()
    lexicon.mark(whole=False)
    assert not lexicon.is_usable()
    lexicon.close()


def test_it_starts_afresh_empty_also_from_a_file_that_is_no_database(tmp_path: Path) -> None:
    file = tmp_path / "lexicon.sqlite"
    file.write_bytes(b"no database at all " * 500)
    lexicon = Lexicon(file)
    assert not lexicon.is_usable()
    lexicon.create()
    fill(lexicon, a="Alpha.")
    lexicon.create()
    assert lexicon.records() == []
    assert lexicon.search("alpha", 5) == {}
    lexicon.close()


def test_one_of_an_earlier_version_is_not_usable_and_makes_way(tmp_path: Path) -> None:
    file = tmp_path / "lexicon.sqlite"
    connection = sqlite3.connect(file)
    connection.executescript(
        "CREATE TABLE chunks (number INTEGER PRIMARY KEY, chunk_id TEXT);"
        "CREATE TABLE state (whole INTEGER, read INTEGER);"
        "CREATE VIRTUAL TABLE terms USING fts5 (body); CREATE VIRTUAL TABLE vocabulary USING fts5vocab (terms, row);"
        "INSERT INTO terms VALUES ('alpha'); INSERT INTO state VALUES (1, 1); PRAGMA user_version = 4"
    )
    connection.close()
    lexicon = Lexicon(file)
    assert not lexicon.is_usable()
    lexicon.create()
    fill(lexicon, a="Alpha.")
    assert list(lexicon.search("alpha", 5)) == ["a"]
    lexicon.close()


# -- search -----------------------------------------------------------------------------------


def test_the_best_match_comes_first_and_a_higher_score_is_better(lexicon: Lexicon) -> None:
    fill(
        lexicon,
        a="The tour of Qatar.",
        b="The tour of Qatar and Doha.",
        c="Rain in the north.",
        d="A tour of the town.",
    )
    scores = lexicon.search("Qatar Doha tour", 10)
    assert list(scores) == ["b", "a", "d"]
    assert list(scores.values()) == sorted(scores.values(), reverse=True)
    assert all(score > 0 for score in scores.values())
    assert list(lexicon.search("Qatar Doha tour", 2)) == ["b", "a"]


def test_equal_scores_are_ordered_by_id_so_that_an_order_can_be_repeated(lexicon: Lexicon) -> None:
    fill(lexicon, c="Alpha one.", a="Alpha two.", b="Alpha six.")
    assert list(lexicon.search("alpha", 10)) == ["a", "b", "c"]


def test_a_documents_title_counts_for_each_of_its_chunks_but_less_than_its_words(lexicon: Lexicon) -> None:
    fill(lexicon, a="Qatar is hot.", **{name: f"Rain fell on {name}." for name in "cdefgh"})
    put(lexicon, record_of("b", "Qatar"), chunks_of("b", "One is one. ", "Two is two."))
    scores = lexicon.search("qatar", 10)
    assert next(iter(scores)) == "a"
    assert {*scores} == {"a", "b", "b:1"}
    assert 0.1 < scores["b"] < 0.9 * scores["a"]


def test_stop_words_are_searched_only_where_there_is_nothing_else(lexicon: Lexicon) -> None:
    fill(lexicon, a="To be or not to be.", b="The tour.")
    assert list(lexicon.search("the be tour", 10)) == ["b"]
    assert list(lexicon.search("to be or not to be", 10)) == ["a"]


def test_a_phrase_is_found_also_where_its_words_can_be_stemmed_twice(lexicon: Lexicon) -> None:
    fill(lexicon, a="They agreed terms.", b="The terms were not agreed.")
    found = lexicon.read(lexicon.quoted('who "agreed terms"?'))
    assert [chunk.id for chunk, _ in found.values()] == ["a"]


@pytest.mark.parametrize("query", ["", "  ", "?!", "—", '""', "* ( ) NEAR"])
def test_a_query_in_no_words_or_in_the_search_engines_own_signs_breaks_nothing(lexicon: Lexicon, query: str) -> None:
    fill(lexicon, a="Alpha one.")
    assert lexicon.search(query, 10) == {}


def test_a_query_of_thousands_of_words_is_searched(lexicon: Lexicon) -> None:
    fill(lexicon, a="Alpha one.")
    assert list(lexicon.search("alpha " + " ".join(f"w{number}" for number in range(5000)), 10)) == ["a"]


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("The bridge is 1,024.5 metres long.", "1024.5"),
        ("The meeting is at 10:30.", "10:30"),
        ("Order AB-1234/X7 was sent.", "order ab-1234/x7"),
        ("Mail ada@example.com.", "ada@example.com"),
        ("Use snake_case_name here.", "snake_case_name"),
        ("Der Bürgermeister ärgerte sich.", "BURGERMEISTER"),
        ("Он сказал правду.", "ПРАВДУ"),
        ("机器学习是人工智能的一个分支。", "人工智能"),
        ("東京は日本の首都です。", "首都"),
        ("시장은 집에 갔다.", "시장은"),
        ("นายกเทศมนตรีกลับบ้าน", "กลับบ้าน"),
        ("ذهب العمدة إلى البيت.", "العمدة"),
        ("महापौर घर गया।", "महापौर"),
        ("Ο δήμαρχος έφυγε.", "δήμαρχος"),
    ],
)
def test_numbers_names_and_words_of_any_script_are_found(lexicon: Lexicon, text: str, query: str) -> None:
    fill(lexicon, a=text, b="Something else.", c="99 other things.")
    assert list(lexicon.search(query, 10)) == ["a"]


COMMON = st.characters(codec="utf-8", max_codepoint=0x9FFF, categories=["L", "Nd", "P", "Zs"])


@given(st.text(alphabet=COMMON, min_size=1, max_size=60))
@example("๚")
@example("データ・ベース။")
def test_every_term_of_a_text_finds_it(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    lexicon = Lexicon(tmp_path_factory.getbasetemp() / "terms.sqlite")
    lexicon.create()
    fill(lexicon, a=text)
    for term in find_content_terms(text):
        assert find_terms(term) != [term] or list(lexicon.search(term, 10)) == ["a"]
    lexicon.close()


def test_a_rare_term_weighs_more_than_a_common_one_and_an_unknown_one_most(lexicon: Lexicon) -> None:
    fill(lexicon, a="tour Qatar", b="tour Doha", c="tour Riyadh", d="tour Qatar")
    rarity = lexicon.rarity(["tour", "qatar", "doha", "nothing"])
    assert 0 < rarity["tour"] < rarity["qatar"] < rarity["doha"] < rarity["nothing"]
    assert lexicon.rarity([]) == {}


# -- threads and versions ---------------------------------------------------------------------


def in_a_thread(work: object) -> None:
    thread = threading.Thread(target=work)  # type: ignore[arg-type]
    thread.start()
    thread.join()


def test_a_snapshot_sees_one_version_whatever_another_thread_commits(lexicon: Lexicon) -> None:
    fill(lexicon, a="Alpha one.")

    def change() -> None:
        fill(lexicon, b="Alpha two.")
        lexicon.remove("a")
        lexicon.close()

    with lexicon.snapshot():
        assert list(lexicon.search("alpha", 10)) == ["a"]
        in_a_thread(change)
        with lexicon.snapshot():
            assert list(lexicon.search("alpha", 10)) == ["a"]
        assert [record.document_id for record in lexicon.records()] == ["a"]
    assert list(lexicon.search("alpha", 10)) == ["b"]


def test_a_snapshot_ends_also_where_its_reader_fails(lexicon: Lexicon) -> None:
    with pytest.raises(LookupError), lexicon.snapshot():
        raise LookupError
    fill(lexicon, a="Alpha one.")
    assert list(lexicon.search("alpha", 10)) == ["a"]


def test_every_thread_sees_what_another_has_put(lexicon: Lexicon) -> None:
    found: list[str] = []

    def read() -> None:
        found.extend(lexicon.search("alpha", 10))
        lexicon.close()

    fill(lexicon, a="Alpha one.")
    in_a_thread(read)
    assert found == ["a"]


def test_in_a_large_store_the_common_terms_of_a_query_pick_no_chunks(
    lexicon: Lexicon, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(lexicon, **{f"bridge{n}": f"The bridge {n} is long." for n in range(20)}, ferry="The ferry is long.")
    assert len(lexicon.search("long ferry bridge", 50)) == 21
    monkeypatch.setattr("index.storing.postings.MOST_PLACES", 10)
    assert list(lexicon.search("long ferry bridge", 50)) == ["ferry"]
    # One term is searched in any case.
    assert len(lexicon.search("long", 50)) == 21
    assert lexicon.search("unheard", 50) == {}


def test_what_was_counted_is_counted_again_once_anything_has_changed(tmp_path: Path) -> None:
    mine, other = Lexicon(tmp_path / "lexicon.sqlite"), Lexicon(tmp_path / "lexicon.sqlite")
    mine.create()
    fill(mine, a="Alpha beta.", b="Beta.")
    common = mine.rarity(["beta"])
    assert mine.count_chunks() == 2
    fill(other, c="Alpha gamma.", d="Gamma.")  # by another connection
    assert mine.count_chunks() == 4
    assert mine.rarity(["beta"]) != common
    assert mine.rarity(["beta"]) == other.rarity(["beta"])
    with mine.snapshot():
        before = mine.count_chunks()
        other.remove(["d"])
        assert mine.count_chunks() == before
    assert mine.count_chunks() == 3
    mine.remove(["c"])  # by its own
    assert mine.count_chunks() == 2
    assert mine.rarity(["beta"]) == common
    mine.close()
    other.close()


# -- damaged ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "read"),
    [
        ("chunks SET text = replace(text, 'Alpha', 'Omega')", lambda lexicon: lexicon.chunks_of("a")),
        (
            "chunks SET text = replace(text, 'Alpha', 'Omega')",
            lambda lexicon: lexicon.read(lexicon.match("one").best(1)),
        ),
        ("chunks SET spans = x'00'", lambda lexicon: lexicon.read(lexicon.match("one").best(1))),
        ("chunks SET start = start + 1", lambda lexicon: lexicon.chunks(["a"])),
        ("chunks SET start = start + 1", lambda lexicon: [*lexicon.pages(10)]),
        ("chunks SET number = number + 9", lambda lexicon: lexicon.read(lexicon.match("one").best(1))),
        ("documents SET title = 'Another'", lambda lexicon: lexicon.records()),
        ("documents SET path = 'b.txt'", lambda lexicon: lexicon.read(lexicon.match("one").best(1))),
        ("documents SET path = CAST(path AS BLOB)", lambda lexicon: lexicon.record("a")),
        ("vectors SET vector = zeroblob(12)", lambda lexicon: lexicon.embedded(["a"])),
        ("vectors SET vector = zeroblob(12)", lambda lexicon: lexicon.nearest(np.ones(3, np.float32), 1)),
        ("vectors SET vector = zeroblob(12)", lambda lexicon: lexicon.put_sentences({"a": b"1"})),
        ("postings SET places = zeroblob(8)", lambda lexicon: lexicon.match("one")),
        ("postings SET places = x'00'", lambda lexicon: lexicon.rarity(["one"])),
        ("totals SET chunks = 7", lambda lexicon: lexicon.count_chunks()),
        ("totals SET dropped = x'01000000'", lambda lexicon: lexicon.match("one")),
        ("state SET made_with = '{}'", lambda lexicon: lexicon.made_with()),
    ],
)
def test_what_is_not_as_it_was_written_is_told_and_the_lexicon_is_of_no_use(
    lexicon: Lexicon, tmp_path: Path, change: str, read: Callable[[Lexicon], object]
) -> None:
    fill(lexicon, a="Alpha one.")
    lexicon.mark(whole=True)
    assert lexicon.find_damage() == ""
    read(lexicon)
    assert lexicon.is_usable()
    other = sqlite3.connect(tmp_path / "lexicon.sqlite")
    other.execute(f"UPDATE {change}")
    other.commit()
    other.close()
    with pytest.raises(DamagedError, match="is damaged"):
        read(lexicon)
    assert not lexicon.is_usable()
    lexicon.create()
    fill(lexicon, a="Alpha one.")
    lexicon.mark(whole=True)
    assert lexicon.find_damage() == ""
    read(lexicon)
    assert lexicon.is_usable()


def test_all_of_it_is_looked_at_for_damage(lexicon: Lexicon, tmp_path: Path) -> None:
    fill(lexicon, a="Alpha one.", b="Beta two.")
    other = sqlite3.connect(tmp_path / "lexicon.sqlite")
    other.execute("DELETE FROM chunks WHERE chunk_id = 'b'")
    other.commit()
    other.close()
    assert "chunks are missing" in lexicon.find_damage()


def test_one_that_is_replaced_is_opened_anew(lexicon: Lexicon, tmp_path: Path) -> None:
    fill(lexicon, a="Alpha one.")
    lexicon.mark(whole=True)
    assert lexicon.is_usable()
    other = Lexicon(tmp_path / "other.sqlite")
    other.create({"embedding": "another"})
    fill(other, b="Beta two.")
    other.mark(whole=True)
    other.settle_file()
    other.close()
    (tmp_path / "other.sqlite").replace(tmp_path / "lexicon.sqlite")
    for name in ("lexicon.sqlite-shm", "lexicon.sqlite-wal"):
        (tmp_path / name).unlink()
    assert lexicon.is_usable()
    assert [record.path for record in lexicon.records()] == ["b.txt"]
    assert lexicon.made_with() == {"embedding": "another"}


def test_one_that_may_only_be_read_is_read_without_a_trace(lexicon: Lexicon, tmp_path: Path) -> None:
    fill(lexicon, a="Alpha one.")
    lexicon.mark(whole=True)
    lexicon.settle_file()
    lexicon.close()
    before = {file.name: file.stat().st_mtime_ns for file in tmp_path.iterdir()}
    reader = Lexicon(tmp_path / "lexicon.sqlite")
    reader.is_read_only = True
    assert reader.is_usable()
    assert list(reader.search("alpha", 10)) == ["a"]
    with pytest.raises(NoRoomError):
        reader.announce(["b"])
    reader.close()
    assert {file.name: file.stat().st_mtime_ns for file in tmp_path.iterdir()} == before


# -- languages --------------------------------------------------------------------------------


def test_the_languages_of_the_documents_are_told_anew_after_each_change(lexicon: Lexicon) -> None:
    assert lexicon.languages() == ()
    fill(lexicon, one="The rent of the house is paid in May.", two="Where the garden is, the dog may not be.")
    assert lexicon.languages() == ("English",)
    fill(lexicon, three="Die Miete wird von dem Mieter im Mai bezahlt und nicht im Juni.")
    assert lexicon.languages() == ("English", "German")
    assert lexicon.languages(["three"]) == ("German",)
    assert lexicon.languages([]) == ()
    lexicon.remove(["one", "two"])
    assert lexicon.languages() == ("German",)


def test_what_counts_as_a_word_of_a_query_is_told_by_its_term(lexicon: Lexicon) -> None:
    fill(lexicon, one="The contract ends in autumn.")
    assert lexicon.related("Which contarct?") == {"contarct": {"contarct": 1.0, "contract": 0.7}}
    assert lexicon.related("contarct", spelled=["contarct"]) == {"contarct": {"contarct": 1.0}}
