"""Who wrote a document is said once, near its start, where its own fields name a person."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import docx
import openpyxl
import pptx
import pytest
from made_files import read
from test_attacks_files import make_odf
from test_tables import save

from index.loading.formats.fields import read_author


def make_document(author: str, *, has_heading: bool) -> bytes:
    document = docx.Document()
    document.core_properties.author = author
    if has_heading:
        document.add_heading("The tour", 1)
    document.add_paragraph("He left.")
    return save(document)


def test_the_author_of_a_word_document_stands_below_its_heading_or_first(tmp_path: Path) -> None:
    assert read(tmp_path, "a.docx", make_document("Karl Aster;Ida Berg", has_heading=True)).text == (
        "# The tour\n\n- Author: Karl Aster, Ida Berg\n\nHe left."
    )
    document = read(tmp_path, "b.docx", make_document("Karl Aster", has_heading=False))
    assert document.text == "- Author: Karl Aster\n\nHe left."
    assert document.title == "b"
    assert read(tmp_path, "c.docx", make_document("python-docx", has_heading=False)).text == "He left."


def test_the_author_of_a_presentation_and_of_a_workbook(tmp_path: Path) -> None:
    show: Any = pptx.Presentation()
    show.core_properties.author = "Ida Berg"
    show.slides.add_slide(show.slide_layouts[5]).shapes.title.text = "Rates"
    slides = read(tmp_path, "a.pptx", save(show))
    assert (slides.text, slides.pages) == ("## Rates\n\n- Author: Ida Berg", (0,))
    book = openpyxl.Workbook()
    book.properties.creator = "Ida Berg"
    book.active.append(["a", "b"])
    book.active.append([1, 2])
    assert read(tmp_path, "a.xlsx", save(book)).text == "## Sheet\n\n- Author: Ida Berg\n\n- a: 1; b: 2"


def test_the_author_of_an_opendocument_is_who_began_it(tmp_path: Path) -> None:
    meta = (
        '<office:document-meta xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
        'xmlns:meta="urn:m" xmlns:dc="urn:d"><office:meta><meta:initial-creator>Ida Berg</meta:initial-creator>'
        "<dc:creator>Karl Aster</dc:creator></office:meta></office:document-meta>"
    )
    document = read(tmp_path, "a.odt", make_odf("<text:p>He left.</text:p>", **{"meta.xml": meta}))
    assert document.text == "- Author: Ida Berg\n\nHe left."


@pytest.mark.parametrize(
    "name",
    [
        *("python-docx", "Administrator", "Microsoft Office User", "Unknown", "user", "root", "User1", "openpyxl", ""),
        *("ida@mill.example", "https://mill.example/ida", "LibreOffice 7.4", "None", "-", "  ", None),
    ],
)
def test_what_programs_write_names_nobody(name: str | None) -> None:
    assert read_author(name) == ""


def test_names_of_several_authors_are_told_once() -> None:
    assert read_author("Karl  Aster; admin;Ida Berg", "Ida Berg") == "Karl Aster, Ida Berg"
    assert read_author("Roots Ltd") == "Roots Ltd"
    assert read_author("x" * 999) == ""
