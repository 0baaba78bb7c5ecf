"""Questions in a table, as spreadsheets write it: which files are one, what is read of them, what is written."""

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answers import Turn
from assistant.serving.evaluating.cases import Case, Evidence, read_cases
from assistant.serving.evaluating.drafts import open_drafts
from assistant.serving.evaluating.table import COLUMNS, is_table, read_table, write_row
from index.errors import InputError

FERRY = "Captain Ida Voss, with the ferry, steers."
ROWS = [
    ["Question", "Answers", "Evidence", "Path", "Answerable"],
    ["Who steers?", "Ida Voss | Voss", FERRY, "a.txt", ""],
    ["Who built\nthe ferry?", "", "", "", "FALSE"],
]
CASES = [
    Case(2, "Who steers?", ("Ida Voss", "Voss"), (Evidence(FERRY, "a.txt"),)),
    Case(3, "Who built\nthe ferry?", answerable=False),
]


def write(rows: list[list[str]], delimiter: str = ",") -> str:
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter).writerows(rows)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("questions.csv", write(ROWS).encode()),
        ("questions.csv", write(ROWS).encode("utf-8-sig")),
        ("questions.csv", write(ROWS, ";").encode("cp1252")),
        ("questions.txt", write(ROWS, "\t").encode("utf-16")),
        ("questions.jsonl", write(ROWS).encode()),
        ("questions", write(ROWS, ";").replace("\r\n", "\n").encode()),
    ],
)
def test_a_table_is_told_by_its_content_however_it_was_saved(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert read_cases(tmp_path / name) == CASES


def test_json_lines_in_a_file_that_is_called_a_table_are_read(tmp_path: Path) -> None:
    (tmp_path / "questions.csv").write_text('\n{"question": "Who steers?"}\n', encoding="utf-8-sig")
    assert read_cases(tmp_path / "questions.csv") == [Case(2, "Who steers?")]


def test_excel_may_name_what_parts_the_cells_and_lines_are_counted_with_that(tmp_path: Path) -> None:
    (tmp_path / "q.csv").write_text(f"sep=;\n\n{write(ROWS, ';')}", encoding="utf-8")
    assert [case.line for case in read_cases(tmp_path / "q.csv")] == [4, 5]


def test_every_column_is_read(tmp_path: Path) -> None:
    rows = [
        ["note", "question", "answer 1", "answer 2", "evidence", "Evidence 2", "path", "path", "history", "draft", ""],
        ["mine", "Who?", "a", '["b|c", "d"]', "x", "[3] y", "x.md", "y.md", '[["One?", "Yes."]]', "made", ""],
        ["", "", "", "", "", "", "", "", "", "", ""],
        ["", "Who else?", "", "", '["x", {"text": "y", "path": "y.md"}]', "", "x.md"],
    ]
    (tmp_path / "q.csv").write_text(write([*rows]), encoding="utf-8")
    assert read_cases(tmp_path / "q.csv") == [
        Case(
            2,
            "Who?",
            ("a", "b|c", "d"),
            (Evidence("x", "x.md"), Evidence("[3] y", "y.md")),
            history=(Turn("One?", "Yes."),),
            is_draft=True,
        ),
        Case(4, "Who else?", evidence=(Evidence("x", "x.md"), Evidence("y", "y.md"))),
    ]


@pytest.mark.parametrize(
    ("word", "answerable"),
    [("", True), ("yes", True), ("WAHR", True), ("1", True), ("no", False), ("FALSCH", False), ("faux", False)],
)
def test_spreadsheets_write_true_and_false_in_their_language(word: str, answerable: bool, tmp_path: Path) -> None:
    (tmp_path / "q.csv").write_text(write([["question", "answerable"], ["Who?", word]]), encoding="utf-8")
    assert read_cases(tmp_path / "q.csv") == [Case(2, "Who?", answerable=answerable)]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"topic,answers\nWho?,a\n", 'line 1: no column is named "question"; name the columns in it.'),
        (b"question,answr\nWho?,a\n", "line 1: it names the columns 'answr'; the columns are question, answers, "),
        (b"question,answers\nWho?,a\nWho, then?,a\n", "line 3: it has more cells than columns have names; put"),
        (b'question,answers\n"Who?"s,a\n', "line 2: it cannot be read as a row ("),
        (b'question,answers\nWho?,"a\nb\nc', "line 4: it cannot be read as a row ("),
        (b"question,answers\n" + b"x" * 200_000, "line 2: it cannot be read as a row (field larger than field limit"),
        (b'question,answerable\n\n"Who\nelse?",maybe\n', 'line 3: "answerable" is true or false.'),
        (b"question,answers,answerable\nWho?,a,no\n", "line 2: it is not answerable and has answers or evidence;"),
        (b"question,answers\n,a\n", "line 2: The question is empty"),
        (b"question,history\nWho?,One?\n", 'line 2: its history is no JSON; give [["question", "answer"]].'),
        (b"PK\x03\x04\x00\x00\x00\x00", "line 1: it is no text; save a workbook as CSV (UTF-8), and give that."),
    ],
)
def test_what_cannot_be_used_is_told_with_file_and_line(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "q.csv").write_bytes(content)
    with pytest.raises(InputError, match=re.escape(f"{tmp_path / 'q.csv'}, {told}")):
        read_cases(tmp_path / "q.csv")


@pytest.mark.parametrize("content", [b"", b"\n,,\n", b"question,answers\n\n,\n"])
def test_a_table_without_a_question_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "q.csv").write_bytes(content)
    with pytest.raises(InputError, match=r"q\.csv(, line 2: no column is named| holds no question)"):
        read_cases(tmp_path / "q.csv")


@pytest.mark.parametrize("begin", [b"Who, then?\n", b"\x00\x01\xff", b"", b"{", b' ["question"'])
def test_what_names_no_columns_is_no_table(begin: bytes) -> None:
    assert not is_table(begin, ".jsonl")


# -- what is written is read back -------------------------------------------------------------

# A spreadsheet's reader knows no NUL, and no half of a character.
TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), min_size=1, max_size=30)
TEXTS = TEXT.map(str.strip).filter(bool)
ODD = st.one_of(
    TEXTS, st.sampled_from(['["a"]', "[]", "a|b", "=1+1", "'=x", "-5", "+49 30", "@x", 'say "a, b"; c\r\nd'])
)


@given(
    question=ODD,
    answers=st.lists(ODD, max_size=3),
    evidence=st.lists(st.fixed_dictionaries({"text": ODD, "path": ODD}), max_size=3),
    draft=ODD,
)
def test_a_row_is_read_as_it_was_written(
    question: str, answers: list[str], evidence: list[dict[str, str]], draft: str
) -> None:
    row: dict[str, Any] = {"question": question, "draft": draft}
    row |= {"answers": answers} if answers else {}
    row |= {"evidence": evidence} if evidence else {}
    stream = io.StringIO(newline="")
    write_row(stream, COLUMNS, None)
    write_row(stream, COLUMNS, row)
    read = [given for _, given in read_table(io.BytesIO(stream.getvalue().encode("utf-8-sig")))]
    assert read == [row]


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=4), st.sampled_from(",;\t"))
def test_any_values_of_a_csv_writer_are_read(rows: list[tuple[str, str]], delimiter: str) -> None:
    content = write([["question", "evidence"], *(["Who?" + question, text] for question, text in rows)], delimiter)
    read = [given for _, given in read_table(io.BytesIO(content.encode("utf-8-sig")))]
    assert [given["question"] for given in read] == ["Who?" + question for question, _ in rows]
    assert all(given["evidence"] == [text] for given, (_, text) in zip(read, rows, strict=True) if text[0] not in "['")


@pytest.mark.parametrize("formula", ["=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "'=1", "\t=1"])
def test_no_cell_that_is_written_is_computed_by_a_spreadsheet(tmp_path: Path, formula: str) -> None:
    with open_drafts(tmp_path / "q.csv") as put:
        put({"question": formula, "evidence": [{"text": formula, "path": formula}], "draft": formula})
    [_, row] = csv.reader(io.StringIO((tmp_path / "q.csv").read_text(encoding="utf-8-sig"), newline=""))
    assert all(cell.startswith(("'", "[")) for cell in row if cell)


# -- the file of drafts -----------------------------------------------------------------------


def test_drafts_are_written_at_once_and_over_no_file(tmp_path: Path) -> None:
    for name in ("q.csv", "q.jsonl"):
        with open_drafts(tmp_path / name) as put:
            put({"question": "Who steers?", "answers": ["Ida|Voss"], "draft": "made"})
            assert read_cases(tmp_path / name)[0].answers == ("Ida|Voss",)
        with pytest.raises(InputError, match=rf"{name} is there already, and may hold"), open_drafts(tmp_path / name):
            pass
    assert json.loads((tmp_path / "q.jsonl").read_text(encoding="utf-8"))["draft"] == "made"


def test_a_file_without_drafts_is_taken_away(tmp_path: Path) -> None:
    with open_drafts(tmp_path / "q.csv"):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("name", "told"), [("q.xlsx", "ends in .csv or .jsonl"), ("no/q.csv", "cannot be written")])
def test_where_no_drafts_can_be_written_is_told(tmp_path: Path, name: str, told: str) -> None:
    with pytest.raises(InputError, match=told), open_drafts(tmp_path / name):
        pass
