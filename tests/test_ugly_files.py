"""Files that are broken, hostile or odd: each is a document or a reason, in good time, and its neighbours are read."""

from __future__ import annotations

import codecs
import os
import struct
import time
import zipfile
from pathlib import Path

import pytest
from made_files import WORD, deflate, join_pdf, make_docx, make_pdf, make_zip

from index.documents import Document
from index.loading.loader import UnreadableError, load
from index.loading.worker import MEMORY_BYTES, Loader

SAMPLES = Path(__file__).resolve().parents[2] / "shared" / "data" / "loaders"
SECONDS = 40  # for any one file, on a busy machine


def read(tmp_path: Path, name: str, content: bytes | str, memory_bytes: int = MEMORY_BYTES) -> Document:
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    begun = time.monotonic()
    try:
        with Loader(SECONDS, memory_bytes) as loader:
            return loader.load(file, name)
    finally:
        assert time.monotonic() - begun < SECONDS


def refuse(tmp_path: Path, name: str, content: bytes | str) -> str:
    with pytest.raises(UnreadableError) as raised:
        read(tmp_path, name, content)
    return str(raised.value)


# -- the sweep --------------------------------------------------------------------------------


@pytest.mark.skipif(not SAMPLES.is_dir(), reason=f"{SAMPLES} holds the ugly files, and is not there")
def test_every_ugly_file_is_a_document_with_text_or_a_reason() -> None:
    files = sorted(file for file in SAMPLES.rglob("*") if file.is_file())
    begun = time.monotonic()
    reasons: dict[str, str] = {}
    with Loader() as loader:
        for file in files:
            path = file.relative_to(SAMPLES).as_posix()
            try:
                document = loader.load(file, path)
            except UnreadableError as error:
                reasons[path] = str(error)
                continue
            assert any(character.isalnum() for character in document.text), path
            assert document.title.strip(), path
            assert list(document.pages) == sorted(document.pages), path
            document.text.encode()  # no lone surrogates
    assert time.monotonic() - begun < 60
    assert len(files) - len(reasons) >= 90
    known = ("encrypted", "no text", "empty", "damaged", "binary", "too large", "unsupported format", "cannot be read")
    assert [reason for reason in reasons.values() if not reason.startswith(known)] == []
    for path in (path for path in reasons if not path.startswith("pdfjs_test_pdfs/")):
        assert path.endswith(("fake-encrypted.eml", "empty.xlsx", "all-whitespace.txt", "simple.zip")), path


# -- encodings --------------------------------------------------------------------------------

_WORDS = "Où est-il ? À Zürich — naturally.\r\nЗдравствуйте. שלום עולם. مرحبا بالعالم.\r\n机器学习。 😀 end.\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"])
@pytest.mark.parametrize("name", ["a.txt", "a.md"])
def test_unicode_in_every_form(tmp_path: Path, encoding: str, name: str) -> None:
    text = "It was said in the house that all of it was true.\r\n" * 90 + _WORDS
    assert read(tmp_path, name, text.encode(encoding)).text.lstrip("\ufeff") == text


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"He went.\xed\xa0\x80 He came.", "He went.\ufffd He came."),  # half a character
        (b"He went. \xed\xa0\xbd\xed\xb8\x80", "He went. 😀"),  # both halves, each by itself
        (
            codecs.BOM_UTF16_LE + "He went. \ud800 He came.".encode("utf-16-le", "surrogatepass"),
            "He went. \ufffd He came.",
        ),
        ("Ç’était l’été à Genève, où l’on était.".encode() + b"\xff", "Ç’était l’été à Genève, où l’on était.\ufffd"),
    ],
)
def test_a_broken_character_costs_only_itself(tmp_path: Path, content: bytes, text: str) -> None:
    assert read(tmp_path, "a.txt", content).text.lstrip("\ufeff") == text


@pytest.mark.parametrize("content", [bytes(5000), os.urandom(5000), b"He went.\x00He came.", b"\x00" * 3 + b"text"])
def test_what_is_no_text_is_called_binary(tmp_path: Path, content: bytes) -> None:
    assert refuse(tmp_path, "a.txt", content) == "binary"


def test_a_large_file_in_an_old_encoding_is_read_whole(tmp_path: Path) -> None:
    text = "Он сказал, что переговоры закончились и все поехали домой.\n" * 60_000
    assert read(tmp_path, "a.txt", text.encode("cp1251")).text == text


# -- what swells ------------------------------------------------------------------------------


@pytest.mark.parametrize("member", ["word/document.xml", "xl/worksheets/sheet1.xml", "OEBPS/one.xhtml"])
def test_a_zip_that_swells_is_too_large(tmp_path: Path, member: str) -> None:
    file = tmp_path / "bomb.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "META-INF/container.xml", '<c><rootfiles><rootfile full-path="book.opf"/></rootfiles></c>'
        ) if member.startswith("OEBPS") else archive.writestr(member.split("/")[0] + "/a", "")
        archive.writestr(
            "book.opf",
            '<p><manifest><item id="a" href="OEBPS/one.xhtml" media-type="text/html"/></manifest>'
            '<spine><itemref idref="a"/></spine></p>',
        )
        with archive.open(member, "w", force_zip64=True) as opened:
            for _ in range(300):
                opened.write(b" " * 1_000_000)
    assert refuse(tmp_path, "a", file.read_bytes()) == "too large (once unpacked)"


def test_a_zip_that_lies_about_its_size_is_unpacked_no_further_than_it_says(tmp_path: Path) -> None:
    content = bytearray(make_docx("<w:p><w:r><w:t>" + "x" * 5_000_000 + "</w:t></w:r></w:p>"))
    with zipfile.ZipFile(tmp_path / "a.zip", "w"):
        pass
    size = struct.pack(
        "<I", len(f"<w:document {WORD}><w:body><w:p><w:r><w:t></w:t></w:r></w:p></w:body></w:document>") + 5_000_000
    )
    assert bytes(content).count(size) == 2
    assert refuse(tmp_path, "a.docx", bytes(content).replace(size, struct.pack("<I", 10))) == "damaged"


_LAUGHS = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12))


@pytest.mark.parametrize("name", ["a.xml", "a.docx"])
def test_entities_do_not_swell(tmp_path: Path, name: str) -> None:
    bomb = f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a0 "laugh">{_LAUGHS}]><a>&a11;</a>'
    if name == "a.xml":
        assert read(tmp_path, name, bomb).text == bomb  # not well-formed within limits: plain text
    else:
        assert refuse(tmp_path, name, make_zip({"word/document.xml": bomb})) == "damaged"


@pytest.mark.parametrize("place", ["file:///etc/passwd", "http://127.0.0.1:9/"])
def test_nothing_outside_a_file_is_fetched(tmp_path: Path, place: str) -> None:
    kinds = (f'<!ENTITY x SYSTEM "{place}">', f'<!ENTITY % x SYSTEM "{place}"> %x;')
    for number, kind in enumerate(kinds):
        text = f'<?xml version="1.0"?><!DOCTYPE a [{kind}]><a><p>He went.</p><p>&x;</p></a>'
        document = read(tmp_path, f"{number}.xml", text)
        assert "He went." in document.text
        assert "root:" not in document.text


def test_a_pdf_that_swells_ends_in_a_text_or_a_reason(tmp_path: Path) -> None:
    stream = deflate(b"BT /F1 12 Tf " + b"(He went. ) Tj " * 3_000_000 + b"ET", 2)
    filters = "/Filter [/FlateDecode /FlateDecode]"
    try:
        document = read(tmp_path, "a.pdf", make_pdf([stream], filters=filters), 300_000_000)
    except UnreadableError as error:
        assert str(error).startswith(("too large", "needs too much memory", "took too long", "damaged"))
    else:
        assert document.text.startswith("He went. He went.")


def test_a_sheet_that_says_it_is_huge_is_read_for_what_it_holds(tmp_path: Path) -> None:
    cells = '<c r="A1"><v>1</v></c><c r="B1"><v>2</v></c>'
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><dimension ref="A1:XFD1048576"/>'
        f'<sheetData><row r="1">{cells}</row><row r="1048576"><c r="XFD1048576"><v>3</v></c></row></sheetData>'
        "</worksheet>"
    )
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    types = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    content = make_zip(
        {
            "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            f'<Override PartName="/xl/workbook.xml" ContentType="{types}.sheet.main+xml"/>'
            f'<Override PartName="/xl/s.xml" ContentType="{types}.worksheet+xml"/></Types>',
            "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{kind}"><sheets>'
            '<sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
            f'relationships"><Relationship Id="r1" Type="{kind}/worksheet" Target="s.xml"/></Relationships>',
            "xl/s.xml": sheet,
        }
    )
    assert read(tmp_path, "a.xlsx", content).text.startswith("## S\n\n- 1 | 2")


# -- what is nested, cyclic or endless --------------------------------------------------------


@pytest.mark.parametrize("depth", [1_000, 1_000_000])
@pytest.mark.parametrize(
    ("name", "opening", "closing"),
    [
        ("a.json", "[", "]"),
        ("b.json", '{"a":', "}"),
        ("a.xml", "<a>", "</a>"),
        ("a.html", "<html><div>", "</div>"),
        ("b.html", "<html><table><tr><td>", ""),
        ("c.html", "<html><ul><li>", ""),
        ("a.rtf", "{\\rtf1 ", "}"),
    ],
)
def test_deep_nesting_ends_in_a_text_or_a_reason(
    tmp_path: Path, name: str, opening: str, closing: str, depth: int
) -> None:
    value = '"He went."' if name.endswith("json") else "He went."
    content = opening * depth + value + (closing if value != "{" else "") * depth
    try:
        assert "He went." in read(tmp_path, name, content).text
    except UnreadableError as error:
        assert str(error).startswith(("damaged", "no text", "took too long", "needs too much memory", "empty"))


@pytest.mark.parametrize(
    "pages",
    [
        [b"<< /Type /Pages /Kids [2 0 R] /Count 1 >>"],
        [
            b"<< /Type /Pages /Kids [3 0 R] /Count 9999999 >>",
            b"<< /Type /Pages /Kids [2 0 R] /Parent 2 0 R /Count 1 >>",
        ],
        [b"<< /Type /Pages /Kids [3 0 R 3 0 R] /Count 2 >>", b"<< /Type /Page /Parent 3 0 R /Contents 3 0 R >>"],
    ],
)
def test_a_pdf_that_goes_in_circles_is_refused(tmp_path: Path, pages: list[bytes]) -> None:
    reason = refuse(tmp_path, "a.pdf", join_pdf([b"<< /Type /Catalog /Pages 2 0 R >>", *pages], "/Root 1 0 R"))
    assert reason.startswith(("damaged", "no text"))


def test_an_encrypted_pdf_is_refused(tmp_path: Path) -> None:
    key = "<" + "00" * 32 + ">"
    trailer = f"/ID [{key} {key}] /Encrypt << /Filter /Standard /V 1 /R 2 /O {key} /U {key} /P -4 >>"
    assert refuse(tmp_path, "a.pdf", make_pdf(["Secret."], trailer=trailer)) == "encrypted"


@pytest.mark.parametrize("content", [b"%PDF-1.7\n", make_pdf(["He went."])[:200], b"%PDF-1.4" + bytes(3000)])
def test_a_pdf_that_is_cut_off_is_damaged(tmp_path: Path, content: bytes) -> None:
    assert refuse(tmp_path, "a.pdf", content) == "damaged"


def test_a_pdf_of_drawings_says_so(tmp_path: Path) -> None:
    assert refuse(tmp_path, "a.pdf", make_pdf([b"0 0 100 100 re f"])) == "no text (scanned or drawn)"


def test_messages_within_messages_end(tmp_path: Path) -> None:
    head = "From: a@b.org\nMIME-Version: 1.0\nSubject: x\nContent-Type: message/rfc822\n\n"
    assert read(tmp_path, "a.eml", head * 50 + "He went.").title == "x"
    assert refuse(tmp_path, "a.eml", head * 5_000 + "He went.") == "damaged (nested too deep)"


@pytest.mark.parametrize("field", ["x" * 3_000_000, '"' + "x\n" * 1_000_000, "a," * 1_000_000])
def test_a_giant_field_of_a_table_is_read(tmp_path: Path, field: str) -> None:
    assert "x" in read(tmp_path, "a.csv", "name,value\nx," + field).text


@pytest.mark.parametrize(
    "content",
    [
        "<html>" + "<" * 200_000,
        "<html><!--" * 20_000,
        "<html><p " + "a=b " * 200_000,
        "<!-- x -->" * 6_000 + "<html>He went.",
        "From: a@b\nMIME-Version: 1.0\nSubject: " + "=?utf-8?q?" * 20_000 + "\n\nHe went.",
        "From: a@b\nMIME-Version: 1.0\nTo: " + "(" * 20_000 + "\n\nHe went.",
        "From: a@b\nMIME-Version: 1.0\nTo: " + "<@," * 5_000 + "\n\nHe went.",
        "{\\rtf1 " + "\\'e" * 100_000 + "He went.}",
        "{\\rtf1 \\ansicpg99999 He went.}",
        "{\\rtf1 " + "{\\*\\x " * 50_000 + "He went.",
    ],
)
def test_what_no_program_writes_ends_in_a_text_or_a_reason(tmp_path: Path, content: str) -> None:
    try:
        read(tmp_path, "a", content)
    except UnreadableError as error:
        assert "took too long" not in str(error)


# -- odd files --------------------------------------------------------------------------------


def test_a_pipe_a_device_and_a_folder_are_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    for file in (tmp_path / "pipe.txt", Path("/dev/zero"), tmp_path):
        with pytest.raises(UnreadableError, match=r"^cannot be read \(not a regular file\)$"):
            load(file, "a.txt")


@pytest.mark.parametrize(
    "name",
    [b"new\nline.html", b"'quotes\".html", "😀.html".encode(), b"\xff\xfe.html", b"x" * 250 + b".htm", b" -rf.html"],
)
def test_names_of_every_kind_reach_the_child_and_come_back(tmp_path: Path, name: bytes) -> None:
    file = tmp_path / os.fsdecode(name)
    file.write_text("<html><p>He went.</p>")
    with Loader() as loader:
        document = loader.load(file, os.fsdecode(name))
    assert (document.path, document.text) == (os.fsdecode(name), "He went.")


def test_a_file_beyond_its_formats_limit_is_too_large(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    with file.open("wb") as opened:
        opened.write(b'{"a": ')
        opened.truncate(200_000_000)
    with pytest.raises(UnreadableError, match=r"^too large \(200 MB of JSON; the limit is 64 MB\)$"):
        load(file, "a.json")
