"""An overview of whole documents, and which documents a question names."""

import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai_server import OpenAIServer, Request

from assistant.answers import Answer, Turn
from assistant.chain import answer
from assistant.question.about import About
from assistant.quoting.names import find_named
from assistant.quoting.overview import MOST_DOCUMENTS, choose_central
from index.embedding.protocol import Embedding
from index.settings import Settings
from index.storing.records import Record

CHARTER = """# Charter of the library

This charter describes the purpose of the village library and the duties of its users. It was adopted in 2015.

## Lending

Books are lent for four weeks. A reader may have six books at once. Old maps are read in the reading room only.

## Fees

Late return costs one crown a week. Whoever loses a book pays for a new one.
"""
RECEIPT = "Chair 120.00\nDelivery 15.00\nTotal 135.00\nPaid in cash\n"


@pytest.fixture
def village(folder: Path, embedding: Embedding) -> Path:
    texts = {
        "charter.md": CHARTER,
        "receipt-2024-02-03.txt": RECEIPT,
        "receipt-2024-01-17.txt": "Desk lamp 39.00\nPaper 12.50\nTotal 51.50\n",
        "minutes/May.txt": "The board met in May. The roof was discussed.",
        "minutes/June.txt": "The board met in June. The roof was repaired.",
        "Größe und Gewicht.txt": "Die Kiste wiegt zwölf Kilogramm. Sie ist einen Meter lang.",
    }
    for path, text in texts.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def cited(result: Answer) -> list[str]:
    return list(dict.fromkeys(citation.path for citation in result.citations))


def check_exact(result: Answer, folder: Path) -> None:
    """Every citation has its words in the file itself, in reading order within each document."""
    assert result.found and result.citations
    for citation in result.citations:
        with open(folder / citation.path, newline="", encoding="utf-8") as file:  # noqa: PTH123
            assert file.read()[citation.start : citation.end] == citation.quote
    places = [(cited(result).index(c.path), c.start) for c in result.citations]
    assert places == sorted(places)
    passages = {(p.document_id, s.start) for p in result.passages for s in p.sentences}
    assert all((c.document_id, c.start) in passages for c in result.citations)


# -- what is shown ----------------------------------------------------------------------------


def test_a_document_is_summed_up_in_its_own_words_and_begins_with_what_it_is_about(
    village: Path, settings: Settings
) -> None:
    result = answer("Summarise the charter", village, settings=settings)
    check_exact(result, village)
    assert cited(result) == ["charter.md"]
    assert result.sentences[0].text.startswith("This charter describes the purpose of the village library")
    assert len(result.sentences) == 5


@pytest.mark.parametrize(("how", "count"), [("in one sentence", 1), ("briefly", 2), ("in three points", 3)])
def test_an_overview_is_as_long_as_is_asked(village: Path, settings: Settings, how: str, count: int) -> None:
    result = answer(f"Summarise the charter {how}", village, settings=settings)
    check_exact(result, village)
    assert len(result.sentences) == count


def test_a_short_document_is_quoted_whole(village: Path, settings: Settings) -> None:
    result = answer("What does receipt-2024-02-03.txt say?", village, settings=settings)
    check_exact(result, village)
    assert [sentence.text for sentence in result.sentences] == RECEIPT.splitlines()


def test_of_several_documents_each_is_in_it(village: Path, settings: Settings) -> None:
    result = answer("Summarise these documents", village, settings=settings)
    check_exact(result, village)
    assert len(cited(result)) == 6
    assert answer("Summarise these documents in two sentences", village, settings=settings).sentences[2:] == ()


def test_of_many_documents_some_are_shown_and_a_notice_says_so(
    folder: Path, settings: Settings, embedding: Embedding
) -> None:
    for number in range(MOST_DOCUMENTS + 2):
        (folder / f"{number:02}.txt").write_text(f"Boat {number} is made of wood.", encoding="utf-8")
    result = answer("What are these documents about?", folder, settings=settings)
    check_exact(result, folder)
    assert len(cited(result)) == MOST_DOCUMENTS
    assert result.notice == "20 of 22 documents are shown."


def test_a_document_of_nothing_but_rows_or_headings_has_an_overview(
    folder: Path, settings: Settings, embedding: Embedding
) -> None:
    rows = "\n".join(
        f"{place},{number * 7}" for number, place in enumerate("Oslo Bergen Voss Moss Hamar Narvik".split())
    )
    (folder / "places.csv").write_text(f"Place,People\n{rows}\n", encoding="utf-8")
    (folder / "outline.md").write_text("# Boats\n\n## Sails\n\n## Masts\n", encoding="utf-8")
    outline = answer("Summarise outline.md", folder, settings=settings)
    check_exact(outline, folder)
    assert "“Sails” [2]" in outline.text
    places = answer("Summarise places.csv in two sentences", folder, settings=settings)
    assert places.found and all("People: " in citation.quote for citation in places.citations)


def test_an_overview_of_a_long_document_takes_less_than_a_second(
    folder: Path, settings: Settings, embedding: Embedding
) -> None:
    parts = [f"Ship {number} carried {number * 3} sacks of grain to harbour {number % 17}." for number in range(3000)]
    (folder / "log.txt").write_text("\n\n".join(map(" ".join, zip(*[iter(parts)] * 6, strict=True))), encoding="utf-8")
    answer("What does the log say of harbour 3?", folder, settings=settings)  # which reads and embeds it
    begun = time.thread_time()
    result = answer("Summarise log.txt", folder, settings=settings)
    assert time.thread_time() - begun < 1.0
    assert len(result.sentences) == 5


def test_a_model_writes_an_overview_from_sentences_of_the_document(village: Path, settings: Settings) -> None:
    def reply(request: Request) -> str:
        [number] = re.findall(r"^\[(\d+)\] Books are lent", request.user, re.MULTILINE)
        assert "Total 135.00" not in request.user
        return f"Books are lent for four weeks [{number}]."

    with OpenAIServer(reply) as server:
        result = answer("Summarise the charter", village, settings=replace(settings, base_url=server.base_url))
        assert "Whoever loses a book" in server.chats[0].user
    assert result.text == "Books are lent for four weeks [1]."
    assert result.found and result.model
    with OpenAIServer(500) as server:
        failed = answer("Summarise the charter", village, settings=replace(settings, base_url=server.base_url))
    check_exact(failed, village)
    assert "did not answer" in failed.notice


@given(st.integers(1, 40), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_what_is_chosen_is_as_many_as_wanted_in_order_and_none_twice(rows: int, count: int, seed: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(rows, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    chosen = choose_central(vectors, [0.0] * rows, count)
    assert chosen == sorted(set(chosen))
    assert len(chosen) == min(rows, count)


def test_what_says_the_same_is_chosen_once() -> None:
    vectors = np.array([[1, 0, 0], [1, 0, 0], [0.8, 0.6, 0], [0, 0, 1]], np.float32)
    assert choose_central(vectors, [0.0] * 4, 2) in ([0, 2], [0, 3])


@pytest.mark.parametrize("question", ["Summarise lending", "Give me an overview of Lending", "What is lending about?"])
def test_what_a_heading_is_called_is_summed_up_by_what_stands_under_it(
    village: Path, settings: Settings, question: str
) -> None:
    result = answer(question, village, settings=settings)
    check_exact(result, village)
    assert {citation.context[-1] for citation in result.citations} == {"Lending"}
    assert len(result.sentences) == 3


# -- what is named ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("question", "paths"),
    [
        ("Summarise charter.md", ["charter.md"]),
        ("What is the Charter of the Library about?", ["charter.md"]),
        ("What is in RECEIPT_2024_02_03.txt?", ["receipt-2024-02-03.txt"]),
        ("Summarise the receipt of 3 February 2024", ["receipt-2024-02-03.txt"]),
        ("Summarise the receipts", ["receipt-2024-01-17.txt", "receipt-2024-02-03.txt"]),
        ("Summarise the minutes", ["minutes/June.txt", "minutes/May.txt"]),
        ("What is in minutes/May.txt?", ["minutes/May.txt"]),
        ("Summarise GROSSE UND GEWICHT", ["Größe und Gewicht.txt"]),
        ("Worum geht es in Größe und Gewicht?", ["Größe und Gewicht.txt"]),
        ("receipt 2024 02 03", ["receipt-2024-02-03.txt"]),
        ("charter.md and nothing", None),
        ("Summarise the charter and the minutes", None),
    ],
)
def test_a_document_is_found_by_its_name(
    village: Path, settings: Settings, question: str, paths: list[str] | None
) -> None:
    result = answer(question, village, settings=settings)
    if paths is not None:
        check_exact(result, village)
        assert cited(result) == paths


@pytest.mark.parametrize(
    "question",
    [
        "What is this clause about?",
        "Summarise the return policy",
        "What does article 5 say?",
        "What does notes.md say?",
    ],
)
def test_what_is_no_name_is_a_question_like_others(village: Path, settings: Settings, question: str) -> None:
    result = answer(question, village, settings=settings)
    assert result.passages  # it was searched for


def test_this_document_is_the_one_last_spoken_of(village: Path, settings: Settings) -> None:
    first = answer("What does late return cost?", village, settings=settings)
    assert cited(first)[0] == "charter.md"
    result = answer("What is this document about?", village, history=[first], settings=settings)
    assert cited(result) == ["charter.md"]
    listed = answer("Summarise the receipt", village, settings=settings)
    both = answer("Summarise them", village, history=[listed], settings=settings)
    assert cited(both) == ["receipt-2024-01-17.txt", "receipt-2024-02-03.txt"]
    turns = [Turn("Who wrote Hamlet?", "Shakespeare.")]
    assert len(cited(answer("Summarise it", village, history=turns, settings=settings))) < 6


def test_this_document_is_the_only_one(folder: Path, settings: Settings, embedding: Embedding) -> None:
    (folder / "charter.md").write_text(CHARTER, encoding="utf-8")
    for question in ("What is this document about?", "Summarise", "tl;dr", "Résume le rapport", "What is this about?"):
        result = answer(question, folder, settings=settings)
        check_exact(result, folder)
        assert cited(result) == ["charter.md"]


def make_record(path: str, title: str, date: str | None = None) -> Record:
    return Record(path, path, title, date, (), path, 10, 1, 1)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("2023 report", ["b.pdf"]),
        ("latest report", ["b.pdf"]),
        ("oldest report", ["a.pdf"]),
        ("2022 and 2023 reports", ["a.pdf", "b.pdf"]),
        ("report", ["a.pdf", "b.pdf"]),
        ("northwind", ["staff/handbook.docx"]),
        ("trading", []),
        ("handbook", ["staff/handbook.docx"]),
        ("staff", ["staff/handbook.docx"]),
        ("staff handbook", ["staff/handbook.docx"]),
        ("policy", []),
        ("handbook.pdf", []),
        ("a.pdf and handbook.docx", ["a.pdf", "staff/handbook.docx"]),
        ("b.pdf and handbook.pdf", []),
    ],
)
def test_a_part_of_a_name_is_one_where_it_is_enough(name: str, expected: list[str]) -> None:
    records = [
        make_record("a.pdf", "Report and accounts of Northwind Trading", "2022-12-31"),
        make_record("b.pdf", "Report and accounts of Northwind Trading", "2023-12-31"),
        make_record("staff/handbook.docx", "Working at Northwind"),
    ]
    assert [record.path for record in find_named(About("overview", name=name), records).records] == expected


@given(st.text(max_size=40), st.lists(st.tuples(st.text(min_size=1, max_size=30), st.text(max_size=30)), max_size=4))
def test_any_name_can_be_looked_for(name: str, documents: list[tuple[str, str]]) -> None:
    records = [make_record(path, title) for path, title in documents]
    found = find_named(About("overview", name=name), records).records
    assert set(found) <= set(records)
