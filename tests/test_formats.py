"""Each format, by files that the usual libraries write, or that stand here in full."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from datetime import date, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pptx
import pytest
from made_files import WORD, join_pdf, make_docx, make_pdf, make_zip, read
from pptx.chart.data import CategoryChartData
from pptx.enum.chart import XL_CHART_TYPE
from pptx.opc.package import Part
from pptx.opc.packuri import PackURI
from pptx.oxml.ns import qn
from pptx.util import Inches

from index.documents import Document, page_at
from index.loading.formats import UnreadableError, find_format
from index.loading.formats.numbering import render_number
from index.splitting.sentences import find_sentences


def sentences(document: Document) -> list[str]:
    return [document.text[sentence.start : sentence.end] for sentence in find_sentences(document.text)]


def save(document: Any) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


# -- what a file is ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "path", "name"),
    [
        (b"He went.", "a.txt", "plain text"),
        (b"He went.", "a", "plain text"),
        (b"def go(): pass", "a.py", "plain text"),
        (b"He went.", "a.docx", "plain text"),
        (b"a,b\n1,2\n", "a.csv", "CSV"),
        (b"a,b\n1,2\n", "a.txt", "plain text"),
        (b"%PDF-1.4", "a.txt", "PDF"),
        (b"\r\n\r\n%PDF-1.4", "a", "PDF"),
        (b"{\\rtf1 He went.}", "a.doc", "RTF"),
        (b"<!DOCTYPE html><p>He went.", "a.txt", "web page"),
        (b"\xef\xbb\xbf <!-- saved -->\n<HTML lang='en'>", "a", "web page"),
        (b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "x">\n<html>', "a.xml", "web page"),
        ("<!doctype html>".encode("utf-16"), "a", "web page"),
        (b"<p>He went.</p>", "a.html", "web page"),
        (b"<p>He went.</p>", "a.md", "plain text"),
        (b"He went.", "a.html", "plain text"),
        (b'<?xml version="1.0"?><a/>', "a.svgz", "XML"),
        (b"<a/>", "a.xml", "XML"),
        (b'{"a": 1}', "a.json", "JSON"),
        (b'{"a": 1}', "a.txt", "plain text"),
        (b"From: a@b.org\nTo: c@d.org\nMIME-Version: 1.0\n\nHe went.", "a.txt", "e-mail"),
        (b"From b@c Mon Jan 1\nReceived: by x\n\tfor y\nSubject: Tour\n\nHe went.", "a", "e-mail"),
        (b"From: Anna\nTo: Ben\nSubject: Tour\n\nHe went.", "memo.txt", "plain text"),
        (b"From: Anna\nTo: Ben\nSubject: Tour\n\nHe went.", "a.eml", "e-mail"),
    ],
)
def test_the_content_tells_the_format_and_the_suffix_only_what_content_cannot(
    content: bytes, path: str, name: str
) -> None:
    assert find_format(content, path).name == name


@pytest.mark.parametrize(
    ("content", "path", "reason"),
    [
        (b"GIF89a\0\0", "a.txt", "unsupported format (GIF image)"),
        (b"ID3\x04", "a.mp3", "unsupported format (audio)"),
        (b"\x00\x00\x00\x20ftypisom", "a.mp4", "unsupported format (video)"),
        (b"\x1f\x8b\x08", "a.gz", "unsupported format (archive)"),
        (b"\x7fELF\x02", "a", "unsupported format (program)"),
        (b"SQLite format 3\x00", "a.db", "unsupported format (SQLite database)"),
        (make_zip({"a.txt": "He went."}), "a.jar", "unsupported format (archive)"),
        (make_zip({"a.txt": "He went."}), "a.docx", "damaged"),
        (b"PK\x03\x04 cut off", "a.xlsx", "damaged"),
        (b"PK\x03\x04 cut off", "a.zip", "damaged"),
        (b"PK\x03\x04 cut off", "a.jar", "unsupported format (archive)"),
    ],
)
def test_what_cannot_be_read_is_named(content: bytes, path: str, reason: str) -> None:
    with pytest.raises(UnreadableError) as raised:
        find_format(content, path)
    assert str(raised.value) == reason


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        ("EncryptedPackage", "encrypted"),
        ("WordDocument", "unsupported format (Word of before 2007: save it as .docx)"),
        ("Workbook", "unsupported format (Excel of before 2007: save it as .xlsx)"),
        ("PowerPoint Document", "unsupported format (PowerPoint of before 2007: save it as .pptx)"),
        ("nothing known", "unsupported format (Microsoft compound file)"),
    ],
)
def test_what_microsofts_old_container_holds_is_told(tmp_path: Path, stream: str, reason: str) -> None:
    content = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100_000) + stream.encode("utf-16-le")
    with pytest.raises(UnreadableError) as raised:
        read(tmp_path, "a.doc", content)
    assert str(raised.value) == reason


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.rst", "a.py", "a.org", "Makefile"])
def test_readable_text_of_any_name_is_the_decoded_file(tmp_path: Path, name: str) -> None:
    text = "# The tour\r\n\r\nIt was  long.\n\tgo: now\n<p>He went.</p>\n"
    assert read(tmp_path, name, text).text == text


def test_no_reader_is_imported_before_it_is_needed() -> None:
    program = (
        "import sys, index.loading.worker; print({'lxml', 'openpyxl', 'pypdfium2', 'trafilatura'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


# -- web pages --------------------------------------------------------------------------------

_PAGE = """<!DOCTYPE html><html><head><title>President skips Israel | The Daily</title>
<meta name="author" content="Jane Doe"><meta property="article:published_time" content="2025-05-13T10:30:00Z">
<style>p { color: red }</style><script>alert("stolen")</script></head><body>
<div id="cookie-banner" class="cookie-consent">We use cookies to improve your visit. <button>Accept</button></div>
<nav><ul><li><a href="/">Home</a></li><li><a href="/world">World news</a></li></ul></nav>
<article><h1>President skips Israel on his tour</h1>
<p>The president left Washington on Monday for a tour of three countries, and <b>Israel</b> is not among them.</p>
<p>Officials said that talks in Doha had gone on for longer than anybody had planned, and that no date was free.</p>
<h2>What comes next</h2>
<ul><li>A second visit is planned for the autumn of this year.</li>
<li>The envoy stays in the region until then.</li></ul>
<p>“We have a friend there,” he told reporters on board, “and a friend does not have to be visited every time.”</p>
<table><tr><th>Country</th><th>Days</th></tr><tr><td>Qatar</td><td>2</td></tr><tr><td>Oman</td><td>1</td></tr></table>
</article><aside class="related"><h3>Related stories</h3><a href="/x">Ten recipes for summer</a></aside>
<footer>© 2025 The Daily. All rights reserved.</footer></body></html>"""


def test_a_web_page_is_its_main_text_with_title_author_and_date(tmp_path: Path) -> None:
    page = read(tmp_path, "a.html", _PAGE)
    assert page.title == "President skips Israel on his tour"
    assert page.date == "2025-05-13"
    assert page.text.startswith("# President skips Israel on his tour\n\n- Author: Jane Doe\n\nThe president left")
    assert (
        "\n\n## What comes next\n\n- A second visit is planned for the autumn of this year.\n- The envoy" in page.text
    )
    assert "and Israel is not among them.\n\n" in page.text
    assert "- Country: Qatar; Days: 2\n- Country: Oman; Days: 1" in page.text
    for dropped in ("cookies", "World news", "recipes", "rights reserved", "stolen", "color"):
        assert dropped not in page.text


def test_a_page_without_main_text_is_all_that_is_visible(tmp_path: Path) -> None:
    page = read(tmp_path, "a.html", "<html><body><script>x()</script><p hidden>No.</p><p>He went.<p>Not far.</html>")
    assert page.text == "He went.\n\nNot far."


@pytest.mark.parametrize("declared", ["windows-1251", "utf-8"])
def test_a_page_in_the_encoding_that_it_declares(tmp_path: Path, declared: str) -> None:
    words = "Он сказал, что переговоры закончились."
    page = f'<html><head><meta charset="{declared}"></head><body><p>{words}</p></body></html>'
    assert read(tmp_path, "a.html", page.encode(declared)).text == words


# -- PDF --------------------------------------------------------------------------------------


def test_a_pdf_keeps_its_pages_title_and_date(tmp_path: Path) -> None:
    content = make_pdf(
        ["The tour began in Doha.", "It ended in Muscat,\nlate at night.", "Nobody was told."],
        info="/Title (The tour) /CreationDate (D:20250513103000Z)",
    )
    document = read(tmp_path, "a.pdf", content)
    assert document.title == "The tour"
    assert document.date == "2025-05-13"
    assert document.text == "The tour began in Doha.\n\nIt ended in Muscat,\nlate at night.\n\nNobody was told."
    assert [document.text[start:][:7] for start in document.pages] == ["The tou", "It ende", "Nobody "]
    assert page_at(document.pages, document.text.index("late")) == 2


def test_a_page_without_text_is_still_counted(tmp_path: Path) -> None:
    document = read(tmp_path, "a.pdf", make_pdf(["", "One.", "", "", "Two.", ""]))
    assert page_at(document.pages, document.text.index("One")) == 2
    assert page_at(document.pages, document.text.index("Two")) == 5
    assert len(document.pages) == 6


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("It needs mainte-\nnance.", "needs maintenance."),
        ("It is a well-\nknown seal.", "a well-known seal."),
        ("The state-of-the-\nart pump.", "state-of-the-art pump."),
        ("The COVID-\n19 rules of Coca-\nCola.", "COVID-19 rules of Coca-Cola."),
        ("A third was bought by a party, and a third-\nparty sold it.", "a third-party sold"),
        ("The house of the hold: a household, house-\nhold or both.", "a household, household or"),
        ("The year ended on Friday, year-\non-year.", "Friday, year-on-year."),
        ("The well-\nknown", "The well-known"),
    ],
)
def test_a_hyphen_at_the_end_of_a_line_of_a_pdf_stays_where_it_is_the_words_own(
    tmp_path: Path, lines: str, words: str
) -> None:
    assert words in read(tmp_path, "a.pdf", make_pdf([lines])).text


def test_words_of_the_pages_before_tell_of_a_hyphen(tmp_path: Path) -> None:
    pages = ["The term is long.", "They are long-\nterm loans to off-\nicers."]
    assert "They are long-term loans to officers." in read(tmp_path, "a.pdf", make_pdf(pages)).text


def test_no_character_within_a_word_of_a_pdf_breaks_it(tmp_path: Path) -> None:
    document = read(tmp_path, "a.pdf", make_pdf(["The talks were re\u00ad\nsumed in the off-\nice of the en\x07voy."]))
    assert document.text == "The talks were resumed in the office of the envoy."


def test_what_was_filled_into_a_form_is_read(tmp_path: Path) -> None:
    words = b"BT /F1 12 Tf 72 720 Td (Name of the guest:) Tj ET"
    field = b"BT /F1 12 Tf 2 4 Td (Jane Doe) Tj ET"
    fonts = b"/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R] >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Annots [5 0 R] " + fonts + b" >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(words), words),
        b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (name) /V (Jane Doe) /F 4 /Rect [200 715 400 735] /P 3 0 R "
        b"/AP << /N 6 0 R >> >>",
        b"<< /Type /XObject /Subtype /Form /BBox [0 0 200 20] /Length %d %s >>\nstream\n%s\nendstream"
        % (len(field), fonts, field),
    ]
    assert "Jane Doe" in read(tmp_path, "a.pdf", join_pdf(objects, "/Root 1 0 R")).text


def test_the_largest_letters_of_the_first_page_are_the_title_where_no_field_says_it(tmp_path: Path) -> None:
    words = "(He left Washington on Monday, and nobody knew of it.) Tj 0 -14 Td "
    page = "BT /F1 1 Tf 12 0 0 12 72 720 Tm (Vol. 3) Tj ET "
    page += "BT /F1 1 Tf 20 0 0 20 72 680 Tm (A tour of three) Tj 0 -1.2 Td "
    page += f"(countries in May) Tj ET BT /F1 10 Tf 72 600 Td {words * 9} ET"
    assert read(tmp_path, "a.pdf", make_pdf([page.encode()])).title == "A tour of three countries in May"


@pytest.mark.parametrize("title", ["Microsoft Word - draft7.doc", "untitled", "scan.pdf", "\\(anonymous\\)", " "])
def test_what_a_program_calls_a_file_is_no_title(tmp_path: Path, title: str) -> None:
    content = make_pdf(["The tour\nHe went to Doha and then he went on to Muscat."], info=f"/Title ({title})")
    assert read(tmp_path, "a.pdf", content).title == "The tour"


# -- office -----------------------------------------------------------------------------------


def test_a_word_document_in_reading_order(tmp_path: Path) -> None:
    made = docx.Document()
    made.core_properties.title = ""
    made.core_properties.modified = datetime(2025, 5, 13, 10, 30)
    made.sections[0].header.paragraphs[0].text = "Confidential"
    made.add_heading("The tour", 0)
    made.add_paragraph("The president left on Monday.").add_run(" He was bold.").bold = True
    made.add_heading("What comes next", 2)
    made.add_paragraph("A second visit.", style="List Bullet")
    made.add_paragraph("A third one.", style="List Bullet")
    table = made.add_table(rows=2, cols=2)
    for cell, text in zip(table._cells, ("Country", "Days", "Qatar", "2"), strict=True):
        cell.text = text
    made.add_paragraph("He came home.")
    document = read(tmp_path, "a.docx", save(made))
    assert document.title == "The tour"
    assert document.date == "2025-05-13"
    assert document.text == (
        "# The tour\n\nThe president left on Monday. He was bold.\n\n## What comes next\n\n"
        "- A second visit.\n- A third one.\n\n- Country: Qatar; Days: 2\n\nHe came home.\n\n"
        "Header: Confidential"
    )


def test_notes_boxes_and_changes_of_a_word_document(tmp_path: Path) -> None:
    body = """
    <w:p><w:r><w:t>He </w:t></w:r><w:del><w:r><w:delText>ran</w:delText></w:r></w:del>
         <w:ins><w:r><w:t>went</w:t></w:r></w:ins><w:hyperlink><w:r><w:t> home</w:t></w:r></w:hyperlink>
         <w:r><w:footnoteReference w:id="2"/><w:t>.</w:t></w:r>
         <w:r><w:pict><w:txbxContent><w:p><w:r><w:t>A box.</w:t></w:r></w:p></w:txbxContent></w:pict></w:r></w:p>
    <w:sdt><w:sdtContent><w:p><w:r><w:t>A control.</w:t></w:r></w:p></w:sdtContent></w:sdt>
    <w:p><w:r><w:instrText>PAGEREF x</w:instrText></w:r><w:r><w:t>Line one.</w:t><w:br/><w:t>Line two.</w:t></w:r></w:p>
    """
    notes = f"""<w:footnotes {WORD}>
    <w:footnote w:id="0" w:type="separator"><w:p><w:r><w:t>----a</w:t></w:r></w:p></w:footnote>
    <w:footnote w:id="2"><w:p><w:r><w:t>So he says.</w:t></w:r></w:p></w:footnote></w:footnotes>"""
    document = read(tmp_path, "a.docx", make_docx(body, footnotes=notes))
    assert document.text == "He went home.\n\nSo he says.\n\nA box.\n\nA control.\n\nLine one.\nLine two."


_LEVELS = """<w:abstractNum w:abstractNumId="7">
<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="upperRoman"/><w:pStyle w:val="Heading1"/>
<w:lvlText w:val="%1."/></w:lvl>
<w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:isLgl/><w:lvlText w:val="%1.%2"/></w:lvl>
<w:lvl w:ilvl="2"><w:start w:val="3"/><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="%3)"/></w:lvl>
<w:lvl w:ilvl="3"><w:numFmt w:val="bullet"/><w:lvlText w:val="o"/></w:lvl></w:abstractNum>
<w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num>
<w:num w:numId="2"><w:abstractNumId w:val="7"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="9"/></w:lvlOverride>
</w:num>"""


def _numbered(text: str, level: int = 0, name: int = 1) -> str:
    place = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{name}"/></w:numPr>'
    return f"<w:p><w:pPr>{place}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def test_the_lists_of_a_word_document_are_numbered_as_its_reader_sees_them(tmp_path: Path) -> None:
    body = (
        '<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>Scope</w:t></w:r></w:p>'
        + _numbered("All boats", 1)
        + _numbered("Sails", 2)
        + _numbered("Oars", 2)
        + _numbered("Of ash", 3)
        + _numbered("", 1)
        + _numbered("Crews", 1)
        + f"<w:tbl><w:tr><w:tc>{_numbered('Cook')}</w:tc><w:tc/></w:tr><w:tr/></w:tbl>"
        + _numbered("Buoys", 2)
        + _numbered("Locks", 0, 2)
        + _numbered("Keys", 0, 1)
        + _numbered("Unnumbered", 0, 0)
    )
    heading = '<w:style w:styleId="{}"><w:name w:val="{}"/>{}</w:style>'
    styles = heading.format("Heading1", "heading 1", '<w:basedOn w:val="Base"/>')
    styles += heading.format("Base", "base", '<w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr>')
    content = make_docx(
        body,
        numbering=f"<w:numbering {WORD}>{_LEVELS}</w:numbering>",
        styles=f"<w:styles {WORD}>{styles}</w:styles>",
    )
    document = read(tmp_path, "a.docx", content)
    assert document.title == "Scope"
    assert document.text == (
        "# I. Scope\n\n  - 1.1 All boats\n    - c) Sails\n    - d) Oars\n      - Of ash\n  - 1.3 Crews\n\n- II. Cook\n"
        "    - c) Buoys\n- IX. Locks\n- X. Keys\n- Unnumbered"
    )


@pytest.mark.parametrize(
    ("number", "form", "text"),
    [
        (4, "decimal", "4"),
        (4, "decimalZero", "04"),
        (28, "lowerLetter", "bb"),
        (1994, "upperRoman", "MCMXCIV"),
        (0, "upperLetter", "0"),
        (32_767, "lowerLetter", "32767"),
        (32_767, "upperRoman", "32767"),
        (4, "none", ""),
        (4, "chineseCounting", "4"),
    ],
)
def test_a_number_is_written_in_the_form_of_its_list(number: int, form: str, text: str) -> None:
    assert render_number(number, form) == text


def test_comments_headers_and_pictures_of_a_word_document(tmp_path: Path) -> None:
    body = """
    <w:p><w:r><w:t>Take </w:t></w:r><w:commentRangeStart w:id="4"/><w:r><w:t>the fer</w:t></w:r><w:r><w:t>ry</w:t></w:r>
    <w:commentRangeEnd w:id="4"/><w:r><w:commentReference w:id="4"/><w:t>.</w:t></w:r></w:p>
    <w:p><w:r><w:drawing><docPr descr="A chart of&#10;the bay"/></w:drawing><w:t>Here.</w:t></w:r></w:p>
    <w:p><w:r><w:drawing><docPr descr="C:\\My boats\\boat.PNG"/></w:drawing><w:t>Minutes</w:t></w:r></w:p>"""
    comments = f"""<w:comments {WORD}>
    <w:comment w:id="4" w:author="Ida Voss"><w:p><w:r><w:t>It is</w:t></w:r></w:p><w:p><w:r><w:t>late.</w:t></w:r></w:p>
    </w:comment><w:comment w:id="5" w:author="Author"><w:p><w:r><w:t>Who?</w:t></w:r></w:p></w:comment></w:comments>"""
    header = f"""<w:hdr {WORD}><w:p><w:r><w:t>Minutes</w:t></w:r></w:p><w:p><w:r><w:t>Draft of</w:t><w:tab/>
    <w:t>May</w:t></w:r></w:p>
    <w:p><w:r><w:t>Page </w:t><w:instrText> PAGE </w:instrText><w:t>3</w:t><w:t> of 4</w:t></w:r></w:p>
    <w:p><w:r><w:t>Draft of May</w:t></w:r></w:p><w:p><w:r><w:t>- 3 -</w:t></w:r></w:p></w:hdr>"""
    footer = f"<w:ftr {WORD}><w:p><w:r><w:t>Route 3</w:t></w:r></w:p></w:ftr>"
    document = read(tmp_path, "a.docx", make_docx(body, comments=comments, header=header, footer=footer))
    assert document.text == (
        "Take the ferry .\n\nHere.\n\nPicture: A chart of the bay\n\nMinutes\n\n"
        "Comment by Ida Voss on “the ferry”: It is late.\n\nComment: Who?\n\nHeader: Draft of May\n\nFooter: Route 3"
    ).replace(" .", ".")
    assert document.unread == ""


def test_charts_and_diagrams_of_an_office_file_are_read(tmp_path: Path) -> None:
    def points(axis: str, *values: str) -> str:
        made = "".join(f'<c:pt idx="{index}"><c:v>{value}</c:v></c:pt>' for index, value in enumerate(values))
        return f"<c:{axis}><c:strRef><c:strCache>{made}</c:strCache></c:strRef></c:{axis}>"

    def series(name: str, *values: str) -> str:
        return f"<c:ser><c:tx><c:v>{name}</c:v></c:tx>{points('cat', 'May', 'June')}{points('val', *values)}</c:ser>"

    chart = f"""<c:chartSpace xmlns:c="urn:c" xmlns:a="urn:a"><c:chart><c:title><c:tx><a:p><a:t>Gue</a:t>
    <a:t>sts</a:t></a:p></c:tx></c:title>{series("Boats", "3", "4")}{series("Cars", "5")}</c:chart></c:chartSpace>"""
    diagram = """<d:dataModel xmlns:d="urn:d" xmlns:a="urn:a"><d:ptLst><d:pt><d:t><a:p><a:t>Row</a:t></a:p></d:t></d:pt>
    <d:pt type="pres"/><d:pt><d:t><a:p><a:t>Rest</a:t></a:p></d:t></d:pt></d:ptLst></d:dataModel>"""
    content = make_docx("<w:p><w:r><w:t>He went.</w:t></w:r></w:p>", chart=chart, diagramData=diagram)
    document = read(tmp_path, "a.docx", content)
    assert document.text == "He went.\n\nChart: Guests\n\n- May; Boats: 3; Cars: 5\n- June; Boats: 4\n- Row\n- Rest"
    assert document.unread == ""


def test_a_presentation_has_a_page_for_each_slide(tmp_path: Path) -> None:
    made = pptx.Presentation()
    made.core_properties.title = "PowerPoint Presentation"
    slide = made.slides.add_slide(made.slide_layouts[1])
    slide.shapes.title.text = "The tour"
    slide.placeholders[1].text = "Three countries\nFour days"
    slide.notes_slide.notes_text_frame.text = "Say why Israel was left out."
    slide = made.slides.add_slide(made.slide_layouts[6])
    group = slide.shapes.add_group_shape()
    group.shapes.add_textbox(0, 0, Inches(1), Inches(1)).text_frame.text = "He stood in a group."
    table = slide.shapes.add_table(2, 2, 0, 0, Inches(2), Inches(1)).table
    for cell, text in zip(table.iter_cells(), ("Country", "Days", "Qatar", "2"), strict=True):
        cell.text = text
    document = read(tmp_path, "a.pptx", save(made))
    assert document.title == "The tour"
    assert document.text == (
        "## The tour\n\n- Three countries\n- Four days\n\nNotes: Say why Israel was left out.\n\n"
        "He stood in a group.\n\n- Country: Qatar; Days: 2"
    )
    assert document.pages == (0, document.text.index("He stood"))


def test_the_lists_of_a_slide_are_numbered(tmp_path: Path) -> None:
    made = pptx.Presentation()
    frame = made.slides.add_slide(made.slide_layouts[1]).placeholders[1].text_frame
    kinds = (
        ("arabicPeriod", 0),
        ("alphaLcParenR", 1),
        ("alphaLcParenR", 1),
        ("arabicPeriod", 0),
        ("", 0),
        ("romanUcPlain", 0),
    )
    for number, (kind, level) in enumerate(kinds):
        paragraph = frame.paragraphs[0] if number == 0 else frame.add_paragraph()
        paragraph.text, paragraph.level = "boats", level
        if kind:
            paragraph._p.get_or_add_pPr().append(paragraph._p.makeelement(qn("a:buAutoNum"), {"type": kind}))
    document = read(tmp_path, "a.pptx", save(made))
    assert document.text == "- 1. boats\n  - a) boats\n  - b) boats\n- 2. boats\n- boats\n- I boats"


def test_comments_notes_and_pictures_of_a_presentation(tmp_path: Path) -> None:
    made = pptx.Presentation()
    slide = made.slides.add_slide(made.slide_layouts[5])
    slide.shapes.title.text = "The tour"
    group = slide.shapes.add_group_shape()
    group._element.nvGrpSpPr.cNvPr.set("descr", "Three boats")
    group.shapes.add_textbox(0, 0, Inches(1), Inches(1))._element.nvSpPr.cNvPr.set("descr", "A sign")
    data = CategoryChartData()
    data.categories = ["May", "June"]
    data.add_series("Guests", (3, 4))
    chart = slide.shapes.add_chart(XL_CHART_TYPE.PIE, 0, 0, Inches(1), Inches(1), data)
    chart._element.nvGraphicFramePr.cNvPr.set("descr", "boats.png")
    slide.notes_slide.notes_text_frame.text = "Say why."
    reply = '<p:reply authorId="3"><p:txBody><a:p><a:t>Yes</a:t></a:p></p:txBody></p:reply>'
    words = "<p:txBody><a:p><a:r><a:t>Too </a:t></a:r><a:r><a:t>long.</a:t></a:r></a:p></p:txBody>"
    comments = f'<p:cm authorId="{{7}}"><p:replyLst>{reply}</p:replyLst>{words}</p:cm>'
    comments += '<p:cm authorId="{7}"><p:text>An old one.</p:text></p:cm>'
    namespaces = 'xmlns:p="urn:p" xmlns:a="urn:a"'
    for place, kind, owner, content in (
        ("/ppt/authors.xml", "authors", made.part, '<p:author id="{7}" name="Ida Voss"/>'),
        ("/ppt/comments/new.xml", "comments", slide.part, comments),
    ):
        part = Part(PackURI(place), "application/xml", made.part.package, f"<p:x {namespaces}>{content}</p:x>".encode())
        owner.relate_to(part, f"http://schemas.microsoft.com/office/2018/10/relationships/{kind}")
    document = read(tmp_path, "a.pptx", save(made))
    assert document.text == (
        "## The tour\n\nPicture: Three boats\n\nPicture: A sign\n\nNotes: Say why.\n\n"
        "- May; Guests: 3\n- June; Guests: 4\n\nComment by Ida Voss: Too long.\n\nComment: Yes\n\n"
        "Comment by Ida Voss: An old one."
    )
    assert document.unread == ""


def test_every_sheet_of_a_workbook_row_by_row(tmp_path: Path) -> None:
    made = openpyxl.Workbook()
    sheet = made.active
    sheet.title = "Tour"
    for row in (["The tour"], [], ["Country", "Days", "From"], ["Qatar", 2, date(2025, 5, 13)], ["Oman", 1.5, None]):
        sheet.append(row)
    other = made.create_sheet("Costs")
    other.append([1, 2])
    other.append([3, True])
    made.create_sheet("Empty")
    made.create_sheet("Hidden").sheet_state = "hidden"
    made["Hidden"].append(["Secret"])
    document = read(tmp_path, "costs.xlsx", save(made))
    assert document.title == "costs"
    assert document.text == (
        "## Tour\n\nThe tour\n\n- Country: Qatar; Days: 2; From: 2025-05-13\n- Country: Oman; Days: 1.5\n\n"
        "## Costs\n\n- 1 | 2\n- 3 | yes"
    )


_ODF = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "text", "table", "meta")
)


def test_an_opendocument_text(tmp_path: Path) -> None:
    body = """<text:h text:outline-level="2">The tour</text:h>
    <text:p>He <text:span>went</text:span><text:s text:c="2"/>home<text:note><text:note-citation>1</text:note-citation>
    <text:note-body><text:p>So he says.</text:p></text:note-body></text:note>.</text:p>
    <text:list><text:list-item><text:p>One item.</text:p></text:list-item></text:list>
    <table:table><table:table-row><table:table-cell><text:p>Country</text:p></table:table-cell>
    <table:table-cell><text:p>Days</text:p></table:table-cell></table:table-row>
    <table:table-row><table:table-cell><text:p>Qatar</text:p></table:table-cell>
    <table:table-cell><text:p>2</text:p></table:table-cell></table:table-row>
    <table:table-row table:number-rows-repeated="1048576"><table:table-cell table:number-columns-repeated="16384"/>
    </table:table-row></table:table>"""
    content = make_zip(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "content.xml": f"<office:document-content {_ODF}><office:body><office:text>{body}</office:text>"
            "</office:body></office:document-content>",
            "meta.xml": f'<office:document-meta {_ODF} xmlns:dc="http://purl.org/dc/elements/1.1/"><office:meta>'
            "<dc:title>A diary</dc:title><dc:date>2025-05-13T10:00:00</dc:date></office:meta></office:document-meta>",
        }
    )
    document = read(tmp_path, "a.odt", content)
    assert (document.title, document.date) == ("A diary", "2025-05-13")
    assert document.text == "## The tour\n\nHe went home.\n\nSo he says.\n\n- One item.\n\n- Country: Qatar; Days: 2"


def test_lists_comments_headers_pictures_and_objects_of_an_opendocument_text(tmp_path: Path) -> None:
    def level(number: int, form: str, more: str = "", kind: str = "list-level-style-number") -> str:
        return f'<text:{kind} text:level="{number}" style:num-format="{form}" {more}/>'

    def items(*texts: str) -> str:
        return "".join(f"<text:list-item><text:p>{text}</text:p></text:list-item>" for text in texts)

    inner = items("Sails").replace(
        "</text:list-item>", f"<text:list>{items('Red', 'Blue')}</text:list></text:list-item>"
    )
    remark = (
        "<office:annotation><dc:creator>Ida Voss</dc:creator><dc:date>2025-05-13</dc:date><text:p>Why?</text:p>"
        "</office:annotation>"
    )
    picture = "<draw:frame><draw:image/><svg:title>Fig</svg:title><svg:desc>Two boats</svg:desc></draw:frame>"
    body = f"""<text:h text:outline-level="1">Boats</text:h>
    <text:list text:style-name="L">{inner}{items("Oars")}</text:list>
    <text:p>Take {remark}<text:title>the</text:title> ferry{picture}.</text:p>
    <text:list text:style-name="L" text:continue-numbering="true">{items("Keys", "")}</text:list>
    <text:list text:style-name="L">{items("Buoys")}</text:list>{picture}
    <table:table><table:table-row><table:table-cell>{remark}<text:p>9</text:p></table:table-cell></table:table-row>
    </table:table>"""
    lists = level(1, "1", 'style:num-suffix="."') + level(2, "a", 'style:num-suffix=")" text:display-levels="2"')
    outline = level(1, "I", 'style:num-suffix="."', "outline-level-style")
    namespaces = (
        _ODF
        + ' xmlns:draw="urn:draw" xmlns:style="urn:style" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        + ' xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0"'
    )
    page = """<style:master-page><style:header><text:p>Draft</text:p></style:header>
    <style:footer><text:p>Page <text:page-number>3</text:page-number></text:p><text:p>Page 3 is empty</text:p>
    </style:footer></style:master-page>"""
    chart = """<office:chart><chart:chart xmlns:chart="urn:chart"><chart:title><text:p>Guests</text:p></chart:title>
    </chart:chart></office:chart>"""
    members = {
        "content.xml": f"<office:automatic-styles><text:list-style style:name='L'>{lists}</text:list-style>"
        f"</office:automatic-styles><office:body><office:text>{body}</office:text></office:body>",
        "styles.xml": f"<text:outline-style>{outline}</text:outline-style>"
        f"<office:master-styles>{page}</office:master-styles>",
        "Object 1/content.xml": f"<office:body>{chart}</office:body>",
        "Object 2/content.xml": "<math/>",
    }
    content = make_zip(
        {"mimetype": "application/vnd.oasis.opendocument.text"}
        | {name: f"<office:document {namespaces}>{member}</office:document>" for name, member in members.items()}
    )
    document = read(tmp_path, "a.odt", content)
    assert document.text == (
        "# I. Boats\n\n- 1. Sails\n  - 1.a) Red\n  - 1.b) Blue\n- 2. Oars\n\nTake the ferry.\n\n"
        "Comment by Ida Voss: Why?\n\nPicture: Two boats\n\n- 3. Keys\n- 1. Buoys\n\nPicture: Two boats\n\n"
        "- 9 Comment by Ida Voss: Why?\n\nGuests\n\nHeader: Draft\n\nFooter: Page 3 is empty"
    )
    assert document.unread == "1 embedded object"


# -- mail, books ------------------------------------------------------------------------------


def test_a_message_says_who_wrote_when_to_whom(tmp_path: Path) -> None:
    message = EmailMessage()
    message["Subject"] = "Die Reise — geändert"
    message["From"] = "Anna Müller <anna@example.org>"
    message["To"] = "Ben <ben@example.org>"
    message["Date"] = "Tue, 13 May 2025 10:30:00 +0200"
    message.set_content("Israel is left out.\n\nNobody was told.\n")
    message.add_alternative("<html><body><p>In colours.</p></body></html>", subtype="html")
    message.add_attachment(b"\x00\x01", maintype="application", subtype="pdf", filename="plan.pdf")
    document = read(tmp_path, "a.eml", message.as_bytes())
    assert (document.title, document.date) == ("Die Reise — geändert", "2025-05-13")
    assert document.text == (
        "# Die Reise — geändert\n\n- From: Anna Müller <anna@example.org>\n- To: Ben <ben@example.org>\n"
        "- Date: Tue, 13 May 2025 10:30:00 +0200\n\nIsrael is left out.\n\nNobody was told.\n\nAttachment: plan.pdf"
    )


def test_a_message_in_html_with_another_message_in_it(tmp_path: Path) -> None:
    inner = EmailMessage()
    inner["Subject"] = "Inner"
    inner.set_content("It was said before.")
    message = EmailMessage()
    message["Subject"] = "Outer"
    message["From"] = "anna@example.org"
    message.set_content("<p>See <b>below</b>.</p><style>p {}</style>", subtype="html")
    message.add_attachment(inner)
    document = read(tmp_path, "a.eml", message.as_bytes())
    assert document.text == "# Outer\n\n- From: anna@example.org\n\nSee below.\n\n## Inner\n\nIt was said before."


@pytest.mark.parametrize("charset", ["no-such-encoding", "ascii", "utf-8"])
def test_a_message_whose_encoding_is_not_what_it_says(tmp_path: Path, charset: str) -> None:
    words = "Le président a déclaré que les négociations étaient terminées à Genève, où l’été fut très chaud."
    head = f"From: a@b.org\nMIME-Version: 1.0\nSubject: x\nContent-Type: text/plain; charset={charset}\n\n"
    assert words in read(tmp_path, "a.eml", head.encode() + words.encode("cp1252")).text


def test_an_encrypted_message_is_refused(tmp_path: Path) -> None:
    head = "From: a@b.org\nMIME-Version: 1.0\nContent-Type: multipart/encrypted; boundary=x\n\n--x\n\nabc\n--x--\n"
    with pytest.raises(UnreadableError, match=r"^encrypted$"):
        read(tmp_path, "a.eml", head)


def make_book(**members: str) -> bytes:
    return make_zip(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>',
            "OEBPS/book.opf": """<package xmlns="http://www.idpf.org/2007/opf"
            xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>The tour</dc:title>
            <dc:creator>Jane Doe</dc:creator><dc:date>2025-05-13</dc:date></metadata>
            <manifest><item id="b" href="two%20b.xhtml" media-type="application/xhtml+xml"/>
            <item id="n" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
            <item id="a" href="one.xhtml" media-type="application/xhtml+xml"/></manifest>
            <spine><itemref idref="n"/>
            <itemref idref="a"/><itemref idref="b"/><itemref idref="b"/></spine></package>""",
            "OEBPS/nav.xhtml": "<html><body>Contents</body></html>",
            "OEBPS/one.xhtml": "<html><body><h2>One</h2><p>He&#160;left.</p></body></html>",
            "OEBPS/two b.xhtml": "<html><body><h2>Two</h2><ol><li><p>He came back.</p></li></ol></body></html>",
            **members,
        }
    )


def test_a_book_in_the_order_of_its_spine(tmp_path: Path) -> None:
    document = read(tmp_path, "a.epub", make_book())
    assert (document.title, document.date) == ("The tour", "2025-05-13")
    assert document.text == "# The tour\n\n- Author: Jane Doe\n\n## One\n\nHe left.\n\n## Two\n\n- 1. He came back."


def test_a_book_that_is_sold_encrypted_is_refused(tmp_path: Path) -> None:
    method = '<e><EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/></e>'
    with pytest.raises(UnreadableError, match=r"^encrypted$"):
        read(tmp_path, "a.epub", make_book(**{"META-INF/encryption.xml": method}))


# -- data -------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_table_says_its_headers_in_every_row(tmp_path: Path, delimiter: str) -> None:
    rows = [["Country", "Remark"], ["Qatar", '"Long, hot; very"'], ["Oman", "Cool"]]
    document = read(tmp_path, "a.csv", "\r\n".join(delimiter.join(row) for row in rows))
    assert document.text == "- Country: Qatar; Remark: Long, hot; very\n- Country: Oman; Remark: Cool"
    assert sentences(document) == ["Country: Qatar; Remark: Long, hot; very", "Country: Oman; Remark: Cool"]


def test_rows_of_one_length_stay_apart(tmp_path: Path) -> None:
    lines = [f"{'abcdefgh'[i]}{'x' * 70},{i}" for i in range(8)]
    document = read(tmp_path, "a.csv", "name,number\n" + "\n".join(lines))
    assert len(sentences(document)) == 8


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ([{"a": 1, "b": "x"}, {"a": 2, "b": None}], "- a: 1; b: x\n- a: 2"),
        (
            {"tour": {"days": 4, "to": ["Qatar", "Oman"]}, "done": False},
            "- tour.days: 4\n- tour.to: Qatar, Oman\n- done: no",
        ),
        ({"body": "He went.\n\nHe came."}, "- body:\n\nHe went.\nHe came."),
        ([[1, [2]], "x"], "- [1][1]: 1\n- [1][2]: 2\n- [2]: x"),
    ],
)
def test_json_says_the_path_of_each_value(tmp_path: Path, value: object, text: str) -> None:
    assert read(tmp_path, "a.json", json.dumps(value)).text == text


def test_json_tells_its_title_and_date_and_lines_of_it_are_records(tmp_path: Path) -> None:
    document = read(tmp_path, "a.json", '{"title": "The tour", "date": "2025-05-13T10:00", "x": "\\ud800"}')
    assert (document.title, document.date) == ("The tour", "2025-05-13")
    assert document.text.endswith("- x: \ufffd")
    assert read(tmp_path, "a.jsonl", '{"a": 1}\n{"a": 2}\n').text == "- a: 1\n- a: 2"
    assert read(tmp_path, "b.json", '{"a": 1, "b": ').text == '{"a": 1, "b": '


def test_a_notebook_is_its_cells(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# The tour\n", "He went."]},
        {"cell_type": "code", "source": "1 +  1"},
    ]
    document = read(tmp_path, "a.ipynb", json.dumps({"nbformat": 4, "cells": cells}))
    assert document.title == "The tour"
    assert document.text == "# The tour\nHe went.\n\n```\n1 +  1\n```"


def test_xml_of_records_and_of_prose(tmp_path: Path) -> None:
    records = "<list><c><name>Qatar</name><days>2</days></c><c><name>Oman</name><days>1</days></c></list>"
    assert read(tmp_path, "a.xml", records).text == "- name: Qatar; days: 2\n- name: Oman; days: 1"
    prose = (
        '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY who "The president">]><article><front><title>The tour</title>'
        "<date>2025-05-13</date></front><p>&who; <b>left</b> on\n Monday.</p></article>"
    )
    document = read(tmp_path, "b.xml", prose)
    assert (document.title, document.date) == ("The tour", "2025-05-13")
    assert document.text.endswith("\n\nThe president left on Monday.")


def test_what_a_word_document_does_not_show_is_left_out(tmp_path: Path) -> None:
    def put(text: str, properties: str = "", style: str = "") -> str:
        styled = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
        return f"<w:p>{styled}<w:r><w:rPr>{properties}</w:rPr><w:t>{text}</w:t></w:r></w:p>"

    def control(properties: str, content: str) -> str:
        return f"<w:sdt><w:sdtPr>{properties}</w:sdtPr><w:sdtContent>{content}</w:sdtContent></w:sdt>"

    gallery = '<w:docPartObj><w:docPartGallery w:val="Table of Contents"/></w:docPartObj>'
    body = (
        control(gallery, put("Contents") + put("Rates 3"))
        + put("Rates 3", style="Verzeichnis1")
        + put("Rates", style="Heading1")
        + put("Secret", "<w:vanish/>")
        + put("Seen", '<w:vanish w:val="0"/>')
        + control("<w:showingPlcHdr/>", put("Click here to enter text."))
        + control("", put("Filled in"))
        + "<w:p><w:r><w:t>Name:</w:t><w:tab/><w:t>Karl</w:t></w:r></w:p>"
    )
    styles = (
        f'<w:styles {WORD}><w:style w:styleId="Verzeichnis1"><w:name w:val="toc 1"/></w:style>'
        '<w:style w:styleId="Heading1"><w:name w:val="heading 1"/></w:style></w:styles>'
    )
    document = read(tmp_path, "a.docx", make_docx(body, styles=styles))
    assert document.text == "# Rates\n\nSeen\n\nFilled in\n\nName: Karl"


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (
            '<shop><item name="Pump" price="12"/><item name="Hose" price="7"><note>long</note></item></shop>',
            "- name: Pump; price: 12\n- name: Hose; price: 7; note: long",
        ),
        (
            '<orders><order id="17"><customer>Karl</customer><lines><line sku="P1" qty="2"/><line sku="H1" qty="1"/>'
            '</lines><total currency="EUR">31</total></order></orders>',
            "- order: id: 17; customer: Karl; lines.line.sku: P1; lines.line.qty: 2; lines.line.sku: H1; "
            "lines.line.qty: 1; total: 31 (currency: EUR)",
        ),
        ("<note>He went</note>", "- note: He went"),
        ('<strings><s name="hello">Hello there</s><s name="bye">Bye</s></strings>', "- hello: Hello there\n- bye: Bye"),
        (
            "<rss><channel><title>News</title><item><title>Fire</title><description>&lt;p&gt;The &lt;b&gt;mill"
            "&lt;/b&gt;&lt;/p&gt;</description></item><item><title>Calm</title><description>"
            f"&lt;p&gt;{'It was calm. ' * 99}&lt;/p&gt;&lt;ul&gt;&lt;li&gt;One&lt;/ul&gt;</description></item>"
            "</channel></rss>",
            "- title: News\n- title: Fire; description: The mill\n\n### Calm\n\n- title: Calm\n\n"
            f"{('It was calm. ' * 99).strip()}\n\n- One",
        ),
        (
            '<svg xmlns="http://www.w3.org/2000/svg"><style>.a{}</style><rect x="1"/><text>Boiler room</text></svg>',
            "Boiler room",
        ),
    ],
)
def test_attributes_records_and_markup_in_xml(tmp_path: Path, content: str, text: str) -> None:
    assert read(tmp_path, "a.xml", content).text == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            {"columns": ["City", "Rate"], "rows": [["Oslo", 5], ["Moss", 4]]},
            "rows:\n\n- City: Oslo; Rate: 5\n- City: Moss; Rate: 4",
        ),
        ([["City", "Rate"], ["Oslo", 5], ["Moss", 4]], "- City: Oslo; Rate: 5\n- City: Moss; Rate: 4"),
        ({"places": [[1, 2], [3, 4]]}, "places:\n\n- 1 | 2\n- 3 | 4"),
        (
            [{"id": 1, "title": "Fire", "body": "It burned. " * 99}, {"id": 2, "title": "Calm"}],
            f"## Fire\n\n- id: 1; title: Fire\n- body:\n\n{('It burned. ' * 99).strip()}\n\n- id: 2; title: Calm",
        ),
    ],
)
def test_tables_and_long_records_in_json(tmp_path: Path, value: object, text: str) -> None:
    assert read(tmp_path, "a.json", json.dumps(value)).text == text


def test_rich_text(tmp_path: Path) -> None:
    content = (
        rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}}{\info{\title The tour}{\creatim\yr2025\mo5\dy13}}"
        rb"\pard He was \b tr\'e8s\b0  late \u8212? again.\par He came home.\par {\pict " + b"ff" * 500 + b"}}"
    )
    document = read(tmp_path, "a.rtf", content)
    assert (document.title, document.date) == ("The tour", "2025-05-13")
    assert document.text == "He was très late — again.\n\nHe came home."


@pytest.mark.parametrize(
    "text",
    [
        "MZ twins share all of their genes, and DZ twins share half of them on average, or so it is said.",
        "ID3 inhibits the growth of new vessels.",
        "OTTO Lilienthal flew in 1891.",
        "BMW 3 Series.",
        "A file begins with %PDF-1.7 when it is a PDF.",
    ],
)
def test_a_text_that_begins_as_a_binary_format_does_is_a_text(text: str) -> None:
    assert find_format(text.encode(), "note.txt").name == "plain text"
    # Cut within a character, as the first bytes of a long file may be.
    assert find_format(text.encode() + "é".encode()[:1], "note.txt").name == "plain text"


@pytest.mark.parametrize(
    ("page", "text"),
    [
        ("About 10<sup>3</sup> boats", "About 10^3 boats"),
        ("12<sup>50</sup> euros", "12^50 euros"),
        ("on 45 m<sup>2</sup> or 10<sup>-3</sup>", "on 45 m² or 10^-3"),
        ("a note<sup>1</sup> here", "a note 1 here"),
        ('a note<sup><a href="#f1">1</a></sup> and 12<a href="#f2"><sup>2</sup></a>', "a note and 12"),
        ("the 5<sup>th</sup> floor, H<sub>2</sub>O, <b>10</b><sup>6</sup>", "the 5th floor, H2O, 10^6"),
        ("<table><tr><th>Size<th>Room<tr><td>10<sup>3</sup><td>4</table>", "- Size: 10^3; Room: 4"),
        (
            '<table><tr><th>Name<th>Rate<tr><td>Ada<td><b>12</b><sup><a href="#f">2</a></sup></table>',
            "- Name: Ada; Rate: 12",
        ),
    ],
)
def test_raised_characters_of_a_page_do_not_join_the_number_before_them(tmp_path: Path, page: str, text: str) -> None:
    assert read(tmp_path, "a.html", f"<p>{page}</p>").text == text


def test_raised_characters_of_office_files(tmp_path: Path) -> None:
    made = docx.Document()
    paragraph = made.add_paragraph("About 10")
    paragraph.add_run("3").font.superscript = True
    paragraph.add_run(" boats")
    assert read(tmp_path, "a.docx", save(made)).text == "About 10^3 boats"
    show = pptx.Presentation()
    box = show.slides.add_slide(show.slide_layouts[6]).shapes.add_textbox(0, 0, Inches(1), Inches(1))
    for text, baseline in (("About 10", None), ("3", "30000"), (" boats", None)):
        run = box.text_frame.paragraphs[0].add_run()
        run.text = text
        if baseline:
            run.font._element.set("baseline", baseline)
    assert read(tmp_path, "a.pptx", save(show)).text == "About 10^3 boats"


def test_facts_of_a_small_pages_margins_stay_and_menus_and_copyright_go(tmp_path: Path) -> None:
    page = (
        "<title>Clinic North</title><header>Call us: 555 9090</header><h2>Team</h2><p>Dr. Koch, room 15</p>"
        '<img src=a.png alt="Dr. Weber in 1974"><img alt="weber.png"><img alt="The shop logo">'
        "<footer><p>© 2026 Clinic North. All rights reserved.</p><a href=/a>Imprint</a><p>Kirchweg 4</p></footer>"
    )
    document = read(tmp_path, "a.html", page)
    assert document.title == "Clinic North"
    assert document.text == (
        "# Clinic North\n\nCall us: 555 9090\n\n## Team\n\nDr. Koch, room 15\n\nPicture: Dr. Weber in 1974\n\n"
        "## Footer\n\nImprint\n\nKirchweg 4"
    )
    bare = "<title>Clinic North</title><h2>Team</h2><p>Dr. Koch</p><footer>© 2026 Clinic North</footer>"
    assert read(tmp_path, "a.html", bare).text == "# Clinic North\n\n## Team\n\nDr. Koch"


def test_a_page_whose_first_heading_is_lower_keeps_its_title_and_order(tmp_path: Path) -> None:
    body = "<div>Call us: 555</div><h2>Team</h2><h3>Dr. Aylin</h3><p>Room 12</p><h2>Fees</h2><p>80 euros</p>"
    document = read(tmp_path, "a.html", f"<head><title>Clinic Dr. Yilmaz</title></head><body>{body}")
    assert document.text == (
        "# Clinic Dr. Yilmaz\n\nCall us: 555\n\n## Team\n\n### Dr. Aylin\n\nRoom 12\n\n## Fees\n\n80 euros"
    )


def test_the_fields_of_a_form_stay_apart(tmp_path: Path) -> None:
    fields = "<label>Size <input value=12></label><select><option selected>Brunch</option></select>"
    text = read(tmp_path, "a.html", f"<form>{fields}<label>Name</label><input value=Ada></form>").text
    assert text == "Size: 12\nBrunch\nName: Ada"


def test_the_date_of_a_librarys_template_is_none(tmp_path: Path) -> None:
    made = docx.Document()
    made.add_paragraph("He went.")
    assert read(tmp_path, "a.docx", save(made)).date is None


def test_the_notes_of_a_slide_are_told_as_notes(tmp_path: Path) -> None:
    made = pptx.Presentation()
    slide = made.slides.add_slide(made.slide_layouts[5])
    slide.shapes.title.text = "The tour"
    slide.notes_slide.notes_text_frame.text = "Say why.\nSay when."
    assert read(tmp_path, "a.pptx", save(made)).text == "## The tour\n\nNotes:\n\n- Say why.\n- Say when."
