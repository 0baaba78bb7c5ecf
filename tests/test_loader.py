from __future__ import annotations

import codecs
import hashlib
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.documents import identify
from index.loading.loader import UnreadableError, decode, find_title_and_date, load

TEXT = "Où est-il ?\r\nÀ Zürich — naturally.\nЗдравствуйте. 机器学习。\r😀 end"


# -- bytes to text ----------------------------------------------------------------------------


@given(st.text(alphabet=st.characters(exclude_characters="\x00", exclude_categories=["Cs"])))
def test_utf_8_is_decoded_to_the_character(text: str) -> None:
    # A text that itself begins with a mark of another encoding cannot be written in UTF-8.
    assert decode(text.encode()) == text


def test_the_mark_of_utf_8_stays_so_that_offsets_are_those_of_the_decoded_file() -> None:
    assert decode(codecs.BOM_UTF8 + TEXT.encode()) == "\ufeff" + TEXT


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_a_byte_order_mark_names_the_encoding(encoding: str) -> None:
    assert decode(("\ufeff" + TEXT).encode(encoding)) == "\ufeff" + TEXT


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("The mayor’s “plan” was rejected — again. He said that the vote “changed nothing”. " * 2, "cp1252"),
        (
            "Le président a déclaré que les négociations étaient terminées. À Genève, où l’été fut très chaud, "
            "les délégués sont rentrés chez eux après dîner, sans un mot de plus à la presse.",
            "cp1252",
        ),
        ("Он сказал, что переговоры закончились и все поехали домой. " * 3, "cp1251"),
    ],
)
def test_an_old_encoding_is_guessed(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)) == text


@pytest.mark.parametrize(
    "content",
    [
        b"GIF89a\0\0\x00\x00\x00\rIHDR\x00\x00",
        b"text with a \x00 in it",
        b"\xff\xfe\x00",
        b"\xff\xfeA\x00\x00\x00",
        "no mark".encode("utf-16-le"),
        bytes(range(256)) * 4,
    ],
)
def test_bytes_that_are_no_text_are_refused(content: bytes) -> None:
    with pytest.raises(UnreadableError, match=r"^binary$"):
        decode(content)


# -- a file -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.txt", "a.md"])
def test_the_text_is_what_open_reads_so_that_a_user_can_check_an_offset(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(b"\xef\xbb\xbf# Title\r\n\r\nOne.\rTwo \xe2\x80\x94 three.\n\n\n  Four.  \r\n")
    with file.open(encoding="utf-8", newline="") as opened:
        assert load(file, name).text == opened.read()


def test_a_document_carries_its_identity_and_the_hash_of_its_bytes(tmp_path: Path) -> None:
    file = tmp_path / "note.txt"
    file.write_bytes(b"A title\n\n2025-05-13\n\nIt rained.\r\n")
    document = load(file, "sub/note.txt")
    assert document.id == identify("sub/note.txt")
    assert document.path == "sub/note.txt"
    assert document.title == "A title"
    assert document.date == "2025-05-13"
    assert document.pages == ()
    assert document.content_hash == hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_file_that_does_not_say_its_title_is_named_by_its_path(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_text("It rained, and it went on raining.")
    assert load(file, "sub/the.weather.txt").title == "the.weather"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b" \r\n\t", "empty"),
        (b"\xef\xbb\xbf\n", "empty"),
        (b"... --- !", "no text"),
        (b"a\x00", "binary"),
    ],
)
def test_a_file_without_text_is_refused_with_the_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(content)
    with pytest.raises(UnreadableError, match=rf"^{reason}$"):
        load(file, "a.txt")


def test_a_file_that_cannot_be_opened_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"^cannot be read \(No such file or directory\)$"):
        load(tmp_path / "gone.txt", "gone.txt")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_refused_with_the_reason(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("Secret.")
    file.chmod(0)
    with pytest.raises(UnreadableError, match=r"^cannot be read \(Permission denied\)$"):
        load(file, "a.txt")


# -- title and date ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "title", "date"),
    [
        ("# The tour\n\nHe went.", "The tour", None),
        ("\ufeff# The tour\r\n\r\nHe went.", "The tour", None),
        ("He went to Qatar.\n\n## The tour\n\nIt was long.", "The tour", None),
        ("The tour\n\nHe went.", "The tour", None),
        ("The  long\t tour\n\nHe went.", "The long tour", None),
        ("He went to Qatar.", None, None),
        ("Dear all,\n\nHe went.", None, None),
        ("word " * 60, None, None),
        ("# The tour\n\n2025-05-13\n\nHe went.", "The tour", "2025-05-13"),
        ("# The tour\n\nPublished: 13 May 2025\n\nHe went.", "The tour", "2025-05-13"),
        ("# The tour\n\nUpdated on May 13, 2025 at 10:30 am\n\nHe went.", "The tour", "2025-05-13"),
        ("# The tour\n\n1 Sep. 2025\n\nHe went.", "The tour", "2025-09-01"),
        ("# The tour\n\n2025-05-13T10:30:00Z\n\nHe went.", "The tour", "2025-05-13"),
        ("13 May 2025\n\nThe tour\n\nHe went.", None, "2025-05-13"),
        ("# The tour\n\n2025-13-45\n\n31 February 2025\n\nHe went.", "The tour", None),
        ("# The tour\n\nHe went on 13 May 2025 to Qatar.", "The tour", None),
        ("---\ntitle: The tour: a diary\ndate: 2025-05-13\n---\n\nHe went.", "The tour: a diary", "2025-05-13"),
        ("---\r\ntitle: 'The tour'\r\nauthor: me\r\n---\r\n# Another title\r\n", "The tour", None),
        ("---\ndate: May 13, 2025\n---\n# The tour\n\n2024-01-01\n", "The tour", "2025-05-13"),
        ("---\ntitle:\n---\nThe tour\n\nHe went.", "The tour", None),
        ("---\n\nNo end of it\n\n# The tour", "No end of it", None),
        ("Important\n\nThe tour\n\nHe went.", "The tour", None),
        ("# **Warning!**\n\nHe went.\n\n# The tour", "The tour", None),
        (".. include:: notes\n\nThe tour\n--------\n\nHe went.", "The tour", None),
        ('#+INCLUDE: "notes"\n\n* The tour\n\nHe went.', "The tour", None),
        ("<!-- made by hand -->\n\n[[_TOC_]]\n\n# The tour", "The tour", None),
        ("---\ntitle: (anonymous)\n---\n# The tour", "The tour", None),
        ("Note to the board\n\nHe went.", "Note to the board", None),
        ("Driver: Ida Voss\nCook: Karl Aster", None, None),
        ("Driver: Ida Voss\n\nHe went.", "Driver: Ida Voss", None),
        ("Desk lamp 39.00\r\nPaper 12,50\r\nTotal 51.50", None, None),
        ("Harbour office\nMill Lane 4", "Harbour office", None),
        ("Q: How long is it?\n\nA: Two years", None, None),
        ("- milk\n- eggs", None, None),
        ("server:\n  host: here\n  port: 8443", None, None),
        ("host: here\nport: 8443", None, None),
        ("A tour of\nthree countries\n\nHe went.", "A tour of three countries", None),
        ("a" * 5000, None, None),
        ("", None, None),
    ],
)
def test_title_and_date_are_what_the_first_lines_say(text: str, title: str | None, date: str | None) -> None:
    assert find_title_and_date(text) == (title, date)


def test_a_date_far_down_is_not_the_documents() -> None:
    paragraphs = "\n\n".join(f"Paragraph {number} is here." for number in range(10))
    assert find_title_and_date(f"# The tour\n\n{paragraphs}\n\n2025-05-13\n") == ("The tour", None)


@given(st.text(), st.sampled_from(["", "---\n", "# ", "\ufeff---\ntitle: "]))
def test_no_text_breaks_the_search_for_a_title(text: str, begin: str) -> None:
    title, date = find_title_and_date(begin + text)
    assert title is None or title == title.strip() != ""
    assert date is None or len(date) == 10


@pytest.mark.parametrize("piece", ["\n", "---\n", "--- \n", " ", "---"])
def test_time_grows_in_step_with_the_length_of_a_front_matter_without_end(piece: str) -> None:
    begun = time.process_time()
    find_title_and_date("---\n" + piece * (200_000 // len(piece)))
    assert time.process_time() - begun < 5
