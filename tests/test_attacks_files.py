"""Files that would hang, swell or deceive the process that syncs, and files of which a part is lost in silence.

Whatever looks into a file's bytes does it in the child; time grows in step with a file's size; and a document of which
something could not be read says what.
"""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hashed import HashEmbedding
from hypothesis import given
from hypothesis import settings as run_with
from hypothesis import strategies as st
from made_files import RELATIONS, WORD, make_docx, make_pdf, make_zip, read

from index.documents import Document
from index.library import finish
from index.loading import opening
from index.loading.folder import File
from index.loading.loader import UnreadableError, load
from index.loading.worker import Loader
from index.storing.embedded import EmbeddedStore
from index.sync import sync

PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
ODF = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "text", "table", "draw")
)
OLD = "Он сказал, что переговоры закончились и все поехали домой.\n"


def refuse(tmp_path: Path, name: str, content: bytes | str) -> str:
    with pytest.raises(UnreadableError) as raised:
        read(tmp_path, name, content)
    return str(raised.value)


# -- makers -----------------------------------------------------------------------------------


def word(text: str) -> str:
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def make_odf(body: str, kind: str = "text", **members: str) -> bytes:
    content = f"<office:document-content {ODF}><office:body><office:{kind}>{body}</office:{kind}></office:body>"
    return make_zip(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{kind}",
            "content.xml": f"{content}</office:document-content>",
            **members,
        }
    )


def make_pptx(slides: list[str], shown: list[str] | None = None, **members: str) -> bytes:
    """A presentation by the XML of its slides' shapes; `shown` are the relations that the show names."""
    spaces = f'xmlns:a="urn:a" xmlns:p="urn:p" xmlns:r="{RELATIONS}"'
    shown = shown if shown is not None else [f"r{number}" for number in range(len(slides))]
    relations = "".join(
        f'<Relationship Id="r{number}" Type="{RELATIONS}/slide" Target="slides/s{number}.xml"/>'
        for number in range(len(slides))
    )
    return make_zip(
        {
            "ppt/presentation.xml": f"<p:presentation {spaces}><p:sldIdLst>"
            + "".join(f'<p:sldId r:id="{name}"/>' for name in shown)
            + "</p:sldIdLst></p:presentation>",
            "ppt/_rels/presentation.xml.rels": f'<Relationships xmlns="{PACKAGE}">{relations}</Relationships>',
            **{
                f"ppt/slides/s{number}.xml": f"<p:sld {spaces}><p:cSld><p:spTree>{shapes}</p:spTree></p:cSld></p:sld>"
                for number, shapes in enumerate(slides)
            },
            **members,
        }
    )


def shape(text: str) -> str:
    return f"<p:sp><p:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></p:txBody></p:sp>"


def make_xlsx(rows: str, sheets: int = 1) -> bytes:
    """A workbook whose sheets are all the same part, with these rows."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    types = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    named = "".join(f'<sheet name="S{number}" sheetId="{number}" r:id="r"/>' for number in range(1, sheets + 1))
    return make_zip(
        {
            "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            f'<Override PartName="/xl/workbook.xml" ContentType="{types}.sheet.main+xml"/>'
            f'<Override PartName="/xl/s.xml" ContentType="{types}.worksheet+xml"/></Types>',
            "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{RELATIONS}"><sheets>{named}</sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}"><Relationship Id="r" '
            f'Type="{RELATIONS}/worksheet" Target="s.xml"/></Relationships>',
            "xl/s.xml": f'<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>',
        }
    )


def make_epub(chapters: dict[str, str], shown: list[str]) -> bytes:
    items = "".join(f'<item id="{name}" href="{name}" media-type="text/html"/>' for name in {*chapters, *shown})
    spine = "".join(f'<itemref idref="{name}"/>' for name in shown)
    return make_zip(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": '<c><rootfiles><rootfile full-path="b.opf"/></rootfiles></c>',
            "b.opf": f"<p><manifest>{items}</manifest><spine>{spine}</spine></p>",
            **chapters,
        }
    )


def nest(around: str, text: str, times: int) -> str:
    opening_tags, closing_tags = around.split("|")
    return opening_tags * times + text + closing_tags * times


def spoil(content: bytes, member: str) -> bytes:
    """The same archive with a member whose bytes are not what its checksum says."""
    place = content.index(member.encode()) + len(member)
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


# -- the child alone looks into files ---------------------------------------------------------

_WATCHED = """
import sys
from pathlib import Path
opened = []
def watch(event, arguments):
    if event == "open" and str(arguments[0]).startswith(sys.argv[1]):
        opened.append(Path(arguments[0]).name)
sys.addaudithook(watch)
from index.loading.folder import scan
from index.loading.opening import open_document
from index.loading.worker import Loader
import index.loading.opening
index.loading.opening.LONG_TEXT_BYTES = 5000
files, _ = scan(Path(sys.argv[1]))
with Loader() as loader:
    for file in files:
        try:
            document, sections = open_document(file, loader)
            assert not opened, opened
            text = "".join(sections)
            assert text == document.text or file.size_bytes > 5000
        except ValueError as error:
            raise
        except Exception as error:
            assert type(error).__name__ == "UnreadableError", error
print(set(opened))
"""


def test_the_parent_opens_no_file_but_a_long_text_whose_encoding_it_was_told(tmp_path: Path) -> None:
    contents = {
        "a.txt": b"He went.",
        "b.md": b"<!-- a -->\n" * 40 + b"words",
        "c.html": b"<p>He went.",
        "d.png": b"GIF89a\0\0",
        "e.docx": make_docx(word("He went.")),
        "f.html": b"<html>" + b"<p>He went." * 1000,
        "g.bin": bytes(range(256)) * 40,
        "z.txt": (OLD * 200).encode("cp1251"),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-c", _WATCHED, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1],
    )
    assert (done.stdout, done.stderr) == ("{'z.txt'}\n", "")


@pytest.mark.parametrize("is_long", [False, True])
def test_a_plain_text_whose_encoding_takes_too_long_to_guess_is_given_up(tmp_path: Path, is_long: bool) -> None:
    file = tmp_path / "slow.txt"
    file.write_bytes((OLD * 500_000).encode("cp1251"))
    with Loader() as loader:
        loader.load(Path(__file__), "a.py")  # the child runs
        loader.timeout_seconds = 0.1
        begun = time.monotonic()
        with pytest.raises(UnreadableError, match=r"^took too long$"):
            if is_long:
                loader.load_long(file, "slow.txt", 0)
            else:
                loader.load(file, "slow.txt")
        assert time.monotonic() - begun < 3


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds the memory of a process")
def test_a_plain_text_that_needs_too_much_memory_is_given_up(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes("Où? 😀".encode() * 20_000_000)
    with Loader(memory_bytes=300 * 1024**2) as loader, pytest.raises(UnreadableError, match="needs too much memory"):
        loader.load(file, "a.txt")


# -- a child that a file has taken over -------------------------------------------------------

_HONEST: dict[str, Any] = {
    "title": "A",
    "date": None,
    "pages": [],
    "content_hash": "0" * 64,
    "unread": "",
    "encoding": "",
    "ends": False,
}


def frame(fields: object, text: bytes = b"He went.", following: int = 0) -> bytes:
    head = fields if isinstance(fields, bytes) else json.dumps(fields).encode()
    return struct.pack(">III", len(head), len(text), following) + head + text


_BEGINS = struct.pack(">III", 0, 7, 0)  # it is at the seventh file within the file


class _TakenOver(Loader):
    """Its child answers every request with the same bytes, and then waits."""

    reply = Path()

    def _start(self) -> subprocess.Popen[bytes]:
        program = "import sys, time; sys.stdin.readline(); sys.stdout.buffer.write(open(sys.argv[1], 'rb').read()); "
        return subprocess.Popen(
            [sys.executable, "-c", f"{program}sys.stdout.flush(); time.sleep(60)", str(self.reply)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )


def ask_taken_over(tmp_path: Path, reply: bytes, seconds: float = 10) -> tuple[Document, str]:
    with _TakenOver(seconds) as loader:
        loader.reply = tmp_path / "reply"
        loader.reply.write_bytes(reply)
        return loader.load_long(Path("a.txt"), "a.txt", 0)


def test_an_honest_reply_is_understood(tmp_path: Path) -> None:
    document, encoding = ask_taken_over(tmp_path, frame({**_HONEST, "pages": [0, 3], "date": "2025-05-13"}))
    assert (document.text, document.pages, document.date, encoding) == ("He went.", (0, 3), "2025-05-13", "")
    inner = frame({**_HONEST, "name": "b/c.txt"}, b"He came.")
    document, _ = ask_taken_over(tmp_path, _BEGINS + frame(_HONEST, following=1) + _BEGINS + inner)
    assert [(inner.path, inner.text) for inner in document.enclosed] == [("a.txt/b/c.txt", "He came.")]


@pytest.mark.parametrize(
    "changed",
    [
        {"title": "A" * 1000},
        {"title": ["A"]},
        {"title": "\x1b[31mred"},
        {"title": "\ud800"},
        {"date": "yesterday"},
        {"date": 20250513},
        {"pages": [3, 0]},
        {"pages": [-1]},
        {"pages": [0, 999]},
        {"pages": [True]},
        {"pages": [0.5]},
        {"pages": {"0": 1}},
        {"pages": [0] * 30_000},
        {"pages": None},
        {"content_hash": "../../etc/passwd"},
        {"content_hash": None},
        {"unread": "x" * 1000},
        {"unread": "one\nline"},
        {"encoding": "zlib_codec"},
        {"encoding": "idna"},
        {"encoding": "unicode_escape"},
        {"encoding": 7},
        {"reason": {"a": 1}},
        {"reason": "\x1b]0;owned\x07"},
        {"reason": "x" * 10_000},
    ],
    ids=str,
)
def test_a_reply_that_no_reader_gives_is_an_unreadable_file(tmp_path: Path, changed: dict[str, Any]) -> None:
    with pytest.raises(UnreadableError, match=r"^damaged \(its reader gave no sense\)$"):
        ask_taken_over(tmp_path, frame({**_HONEST, **changed}))


@pytest.mark.parametrize(
    "reply",
    [
        frame(b"no JSON"),
        frame(b"[1]"),
        frame(b"null"),
        frame(b"[" * 900_000),
        frame(b'"\xff"'),
        frame({}),
        frame({**_HONEST, "title": None}),
        frame(_HONEST, b"\xff\xfe"),
        frame(_HONEST, "half \ud800".encode("utf-8", "surrogatepass")),
        frame(_HONEST, b"NUL \x00"),
    ],
    ids=range(10),
)
def test_a_reply_that_is_no_reply_is_an_unreadable_file(tmp_path: Path, reply: bytes) -> None:
    with pytest.raises(UnreadableError, match=r"^damaged \(its reader gave no sense\)$"):
        ask_taken_over(tmp_path, reply)


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "../a.txt"},
        {"name": "/a.txt"},
        {"name": "b//c.txt"},
        {"name": ""},
        {"name": "a.txt\n"},
        {"name": "\ud800.txt"},
        {"name": "x" * 1000},
        {"name": None},
        {},
        {"name": "b.txt", "title": 7},
        {"name": "b.txt", "pages": [9, 8]},
        {"name": "b.txt", "content_hash": "0"},
        {"name": "same.txt"},
    ],
    ids=range(13),
)
def test_a_file_within_a_file_that_no_reader_gives_makes_it_unreadable(tmp_path: Path, changed: dict[str, Any]) -> None:
    parts = [frame(_HONEST, following=2), frame({**_HONEST, "name": "same.txt"}), frame({**_HONEST, **changed})]
    with pytest.raises(UnreadableError, match=r"^damaged \(its reader gave no sense\)$"):
        ask_taken_over(tmp_path, b"".join(parts))


def test_more_files_within_a_file_than_there_may_be_are_not_waited_for(tmp_path: Path) -> None:
    begun = time.monotonic()
    with pytest.raises(UnreadableError, match="its reader crashed"):
        ask_taken_over(tmp_path, frame(_HONEST, following=2_001))
    large = frame({**_HONEST, "name": "x" * 900_000})
    with pytest.raises(UnreadableError, match="its reader crashed"):
        ask_taken_over(tmp_path, frame(_HONEST, following=50) + large * 50)
    assert time.monotonic() - begun < 8


@pytest.mark.parametrize("sizes", [(4_000_000_000, 0, 0), (2, 4_000_000_000, 0)])
def test_a_reply_that_says_it_is_huge_is_not_waited_for(tmp_path: Path, sizes: tuple[int, int, int]) -> None:
    begun = time.monotonic()
    with pytest.raises(UnreadableError, match="its reader crashed"):
        ask_taken_over(tmp_path, struct.pack(">III", *sizes) + b"{}")
    assert time.monotonic() - begun < 5


def test_a_reply_that_never_ends_takes_too_long(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"^took too long$"):
        ask_taken_over(tmp_path, struct.pack(">III", 100, 100, 0) + b"{", 0.5)


def test_after_a_senseless_reply_a_new_child_is_asked(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("He went.")
    with _TakenOver() as loader:
        loader.reply = tmp_path / "reply"
        loader.reply.write_bytes(frame(b"no JSON"))
        with pytest.raises(UnreadableError):
            loader.load(tmp_path / "a.txt", "a.txt")
        assert loader._child is None


# -- long texts -------------------------------------------------------------------------------


def open_long(file: Path, loader: Loader) -> tuple[Document, Any]:
    found = file.stat()
    return opening.open_document(File(str(file), file.name, found.st_size, found.st_mtime_ns), loader)


@pytest.fixture
def _long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "LONG_TEXT_BYTES", 2000)


@pytest.mark.usefixtures("_long")
@pytest.mark.parametrize(
    ("content", "unread"),
    [
        ("Où est-il ? À Zürich.\n".encode() * 500, ""),
        ("Où est-il ? À Zürich.\n".encode() * 500 + b"\xff" + "Où ?\n".encode() * 500, "1 broken character"),
        (("\ufeff" + "Où est-il ?\n" * 500).encode("utf-16-le"), ""),
        ((OLD * 500).encode("cp1251"), ""),
    ],
)
def test_a_long_text_is_read_as_a_short_one_is(tmp_path: Path, content: bytes, unread: str) -> None:
    file = tmp_path / "long.txt"
    file.write_bytes(content)
    short = load(file, "long.txt")
    with Loader() as loader:
        document, sections = open_long(file, loader)
        assert "".join(sections) == short.text
    assert (document.title, document.date, document.content_hash) == (short.title, short.date, short.content_hash)
    assert document.unread == short.unread == unread


@pytest.mark.usefixtures("_long")
@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"*" * 9000, "no text"), (bytes(9000), "binary"), (OLD.encode() * 99 + os.urandom(90_000), "binary")],
)
def test_what_is_no_long_text_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    with Loader() as loader, pytest.raises(UnreadableError, match=f"^{reason}$"):
        open_long(tmp_path / "a.txt", loader)


@pytest.mark.usefixtures("_long")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda file: file.write_bytes(b"Another. " * 999), "changed while it was read"),
        (lambda file: file.unlink(), "cannot be read (No such file or directory)"),
        (lambda file: (file.unlink(), os.mkfifo(file)), "cannot be read (not a regular file)"),
        (lambda file: (file.unlink(), file.mkdir()), "cannot be read (not a regular file)"),
    ],
)
def test_a_long_text_that_changes_before_its_sections_are_read_is_refused(
    tmp_path: Path, change: Callable[[Path], object], reason: str
) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"He went. " * 999)
    with Loader() as loader:
        _, sections = open_long(file, loader)
        change(file)
        with pytest.raises(UnreadableError) as raised:
            list(sections)
    assert str(raised.value) == reason


# -- time grows in step with size -------------------------------------------------------------


def _mail(header: str, body: str) -> str:
    return f"From: a@b.org\nMIME-Version: 1.0\n{header}\n\n{body}"


_GROWING: dict[str, tuple[str, int, Callable[[int], bytes | str]]] = {
    "attributes of one element": (
        "a.html",
        5_000,
        lambda n: f"<html><div {' '.join(f'a{i}=x' for i in range(n))}><p>He went.",
    ),
    "names without values": (
        "a.html",
        10_000,
        lambda n: f"<html><div {' '.join(f'a{i}' for i in range(n))}><p>He went.",
    ),
    "attributes of many": ("a.html", 1_000, lambda n: "<html>" + "<p a=1 b=2 c=3 d=4 e=5>He went." * n),
    "classes": ("a.html", 10_000, lambda n: f"<html><div class='{' '.join(f'c{i}' for i in range(n))}'><p>He went."),
    "paragraphs": ("a.html", 2_000, lambda n: "<html><nav>x</nav>" + "<p>He went." * n),
    "scripts": ("a.html", 2_000, lambda n: "<html>" + "<script>x</script>He went." * n),
    "forms": ("a.html", 2_000, lambda n: "<html><form>" + "<input name=x>He went." * n),
    "unclosed": ("a.html", 2_000, lambda n: "<html>" + "<b><i>He went " * n),
    "quotations": ("a.html", 2_000, lambda n: "<html>" + "<blockquote>He went " * n),
    "headings in headings": ("a.html", 1_500, lambda n: "<html>" + "<h1><div>" * 100 + "He went " * n),
    "nested tables": ("a.html", 30, lambda n: "<html>" + ("<table><tr><td>He went<td>b" * 40 + "</table>" * 40) * n),
    "spans of a cell": ("a.html", 1_000, lambda n: f"<html><table><tr><td colspan={n}999 rowspan={n}999>He went"),
    "empty cells of a page": (
        "a.html",
        4_000,
        lambda n: "<html><nav>x</nav><table><tr>" + "<td></td>" * n + "<td>He went<tr><td>x<td>y</table>",
    ),
    "stars": ("a.html", 100_000, lambda n: "<html><p>He went " + "*" * n),
    "stars of a text": ("a.md", 100_000, lambda n: "He went " + "*" * n),
    "empty cells of a line": ("a.csv", 100_000, lambda n: "a,b\n" + "," * n + "He went"),
    "empty lines": ("a.csv", 100_000, lambda n: "a,b\n" + ",\n" * n + "He,went"),
    "empty cells of a sheet": (
        "a.xlsx",
        2_000,
        lambda n: make_xlsx(f'<row>{"<c/>" * n}<c t="inlineStr"><is><t>He went</t></is></c></row>'),
    ),
    "empty rows of a sheet": (
        "a.xlsx",
        2_000,
        lambda n: make_xlsx(f'{"<row/>" * n}<row><c t="inlineStr"><is><t>He went</t></is></c></row>'),
    ),
    "sheets that are one": (
        "a.xlsx",
        50,
        lambda n: make_xlsx('<row><c t="inlineStr"><is><t>He went</t></is></c></row>' * 99, n),
    ),
    "empty cells of an open sheet": (
        "a.ods",
        5_000,
        lambda n: make_odf(
            f"<table:table><table:table-row>{'<table:table-cell/>' * n}<table:table-cell><text:p>He went</text:p>"
            "</table:table-cell></table:table-row></table:table>"
        ),
    ),
    "boxes in boxes": (
        "a.odt",
        20,
        lambda n: make_odf(
            nest("<text:p><draw:text-box>|</draw:text-box></text:p>", "<text:p>He went</text:p>" * 99, n)
        ),
    ),
    "boxes in boxes of Word": (
        "a.docx",
        20,
        lambda n: make_docx(nest("<w:p><w:r><w:txbxContent>|</w:txbxContent></w:r></w:p>", word("He went") * 99, n)),
    ),
    "empty cells of a Word table": (
        "a.docx",
        5_000,
        lambda n: make_docx(f"<w:tbl><w:tr>{'<w:tc/>' * n}<w:tc>{word('He went')}</w:tc></w:tr><w:tr/></w:tbl>"),
    ),
    "comments on the same words": (
        "a.docx",
        1_000,
        lambda n: make_docx(
            "".join(f'<w:commentRangeStart w:id="{i}"/>' for i in range(n))
            + word("He went") * n
            + "".join(f'<w:commentRangeEnd w:id="{i}"/>' for i in range(n)),
            comments=f"<w:comments {WORD}>"
            + "".join(f'<w:comment w:id="{i}">{word("Why?")}</w:comment>' for i in range(n))
            + "</w:comments>",
        ),
    ),
    "numbers of a Word document": (
        "a.docx",
        500,
        lambda n: make_docx(
            word("He went").replace("<w:p>", '<w:p><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr>') * n,
            numbering=f'<w:numbering {WORD}><w:abstractNum w:abstractNumId="1">'
            + '<w:lvl w:ilvl="0"><w:start w:val="9999999999"/><w:numFmt w:val="upperRoman"/>'
            + f'<w:lvlText w:val="{"%1" * 99}"/></w:lvl>' * n
            + "</w:abstractNum>"
            + '<w:num w:numId="1"><w:abstractNumId w:val="1"/></w:num>' * n
            + "</w:numbering>",
            styles=f"<w:styles {WORD}>"
            + "".join(f'<w:style w:styleId="s{i}"><w:basedOn w:val="s{i - 1}"/></w:style>' for i in range(n))
            + "</w:styles>",
        ),
    ),
    "series of a chart": (
        "a.docx",
        1_000,
        lambda n: make_docx(
            word("He went"),
            chart="<c>" + "".join(f'<ser><val><pt idx="{i}"><v>1</v></pt></val></ser>' for i in range(n)) + "</c>",
        ),
    ),
    "empty cells of a slide": (
        "a.pptx",
        5_000,
        lambda n: make_pptx(
            [
                f"<p:graphicFrame><a:graphic><a:graphicData><a:tbl><a:tr>{'<a:tc/>' * n}<a:tc><a:p><a:t>He went</a:t>"
                "</a:p></a:tc></a:tr></a:tbl></a:graphicData></a:graphic></p:graphicFrame>"
            ]
        ),
    ),
    "one slide over and over": ("a.pptx", 200, lambda n: make_pptx([shape("He went") * 500], ["r0"] * n)),
    "members": (
        "a.docx",
        2_000,
        lambda n: make_zip(
            {"word/document.xml": f"<w:document {WORD}>{word('He went')}</w:document>"}
            | {f"x/{i}": "" for i in range(n)}
        ),
    ),
    "parts of a message": (
        "a.eml",
        200,
        lambda n: _mail("Content-Type: multipart/mixed; boundary=x", "--x\n\nHe went.\n" * n + "--x--"),
    ),
    "attachments": (
        "a.eml",
        50,
        lambda n: make_message(*[("a.txt", "text/plain")] * n).as_bytes().replace(b"AA==", b"SGUgd2VudA=="),
    ),
    "files of an archive": ("a.zip", 100, lambda n: make_zip({f"{i}.txt": "He went" for i in range(n)})),
    "cues": ("a.srt", 2_000, lambda n: f"{n}\n00:00:01,000 --> 00:00:02,000\n<i>He went\n\n" * n),
    "lines of a cue": ("b.srt", 20_000, lambda n: "1\n00:00:01,000 --> 00:00:02,000\n" + "<v He went\n" * n),
    "cells of a notebook": (
        "a.ipynb",
        2_000,
        lambda n: json.dumps({"nbformat": 4, "cells": [{"cell_type": "code", "source": ["He went"]}] * n}),
    ),
    "records": ("b.json", 1_000, lambda n: json.dumps([{"a": {"b": [{"c": "He went"}] * 20}}] * n)),
    "encoded words": ("a.eml", 1_000, lambda n: _mail("Subject: " + "=?utf-8?q?x?= " * n, "He went")),
    "messages": (
        "a.mbox",
        100,
        lambda n: "From a Mon Jan 1 10:00:00 2025\nFrom: a@b.org\nMessage-ID: <1>\n\nHe went.\n\n" * n,
    ),
    "a long key": ("a.json", 10_000, lambda n: f'{{"{"k" * n} went": [{"[1]," * n}1]}}'),
    "instructions": ("a.xml", 10_000, lambda n: f"<a>{'<?x y?>He went' * n}</a>"),
    "attributes of XML": ("a.xml", 20_000, lambda n: "<a " + " ".join(f"a{i}=''" for i in range(n)) + ">He went</a>"),
    "groups": ("a.rtf", 2_000, lambda n: "{\\rtf1 " + "{\\b He went}" * n + "}"),
    "empty pages": ("a.pdf", 100, lambda n: make_pdf(["He went.", *[b""] * n])),
}


@pytest.mark.parametrize("kind", _GROWING)
def test_time_grows_in_step_with_size(tmp_path: Path, kind: str) -> None:
    name, size, make = _GROWING[kind]
    seconds = []
    read(tmp_path, name, make(1))  # what is imported for the first time costs nothing below
    for count in (size, 10 * size):
        content = make(count)
        begun = time.process_time()
        document = read(tmp_path, name, content)
        assert "went" in "".join(part.text for part in (document, *document.enclosed))
        seconds.append(time.process_time() - begun)
    assert seconds[1] < 30 * max(seconds[0], 0.05), seconds


# -- depth ------------------------------------------------------------------------------------


@pytest.mark.parametrize("depth", [260, 400, 5_000])
@pytest.mark.parametrize(
    "around",
    ["<div>|</div>", "<blockquote>|", "<ul><li>|</li></ul>", "<b>|</b>", "<table><tr><td>|</table>", "<section>|"],
)
def test_a_page_of_any_depth_is_read_to_its_ground(tmp_path: Path, around: str, depth: int) -> None:
    page = f"<html><body><p>Above.</p>{nest(around, '<p>The ground.</p>', depth)}<p>Below.</p></body></html>"
    document = read(tmp_path, "a.html", page)
    assert document.text.split() == [*document.text.split("Above.")[0].split(), "Above.", *document.text.split()[1:]]
    assert [word for word in document.text.split() if word.isalpha() or word[-1] == "."] == [
        "Above.",
        "The",
        "ground.",
        "Below.",
    ]
    assert document.unread == ""


def test_a_deep_page_keeps_its_headings_its_lists_and_what_is_hidden(tmp_path: Path) -> None:
    inner = "<h2>The tour</h2><ul><li>One &amp; all.<li>Two.</ul><p hidden>No.</p><style>p {}</style><p>He <b>went</b>."
    document = read(tmp_path, "a.html", f"<html><body>{'<div>' * 300}{inner}<br>So.")
    assert document.text == "## The tour\n\n- One & all.\n- Two.\n\nHe went.\nSo."


@pytest.mark.parametrize("depth", [100, 600])
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.docx", lambda n: make_docx(nest("<w:sdt><w:sdtContent>|</w:sdtContent></w:sdt>", word("He went."), n))),
        ("b.docx", lambda n: make_docx(nest("<w:tbl><w:tr><w:tc>|</w:tc></w:tr></w:tbl>", word("He went."), n))),
        (
            "c.docx",
            lambda n: make_docx(
                "<w:tbl><w:tr><w:tc/><w:tc>"
                + nest("<w:tbl><w:tr><w:tc>|</w:tc></w:tr></w:tbl>", word("He went."), n)
                + "</w:tc></w:tr><w:tr/></w:tbl>"
            ),
        ),
        (
            "a.odt",
            lambda n: make_odf(
                nest("<text:list><text:list-item>|</text:list-item></text:list>", "<text:p>He went.</text:p>", n)
            ),
        ),
        ("b.odt", lambda n: make_odf(f"<text:p>{nest('<text:span>|</text:span>', 'He went.', n)}</text:p>")),
        ("a.pptx", lambda n: make_pptx([nest("<p:grpSp>|</p:grpSp>", shape("He went."), n)])),
        ("a.xml", lambda n: nest("<a>|</a>", "He went.", n)),
        ("a.json", lambda n: nest("[|]", '"He went."', n)),
    ],
)
def test_office_and_data_of_any_depth_are_read_once_and_whole(
    tmp_path: Path, name: str, make: Callable[[int], bytes | str], depth: int
) -> None:
    document = read(tmp_path, name, make(depth))
    assert document.text.count("He went.") == 1
    assert document.unread == ""


@pytest.mark.parametrize("name", ["a.docx", "a.odt"])
def test_boxes_within_boxes_are_each_read_once(tmp_path: Path, name: str) -> None:
    if name == "a.docx":
        content = make_docx(
            nest("<w:p><w:r><w:t>In.</w:t><w:txbxContent>|</w:txbxContent></w:r></w:p>", word("He went."), 30)
        )
    else:
        content = make_odf(
            nest("<text:p>In.<draw:text-box>|</draw:text-box></text:p>", "<text:p>He went.</text:p>", 30)
        )
    assert read(tmp_path, name, content).text == "\n\n".join(["In."] * 30 + ["He went."])


_WORDS = st.integers(0, 999).map(lambda number: f"word{number:03}")
_TAGS = (
    "div p b span blockquote ul ol li dl dd h2 h3 table tr td th pre em section article center font my-tag o:p".split()
)
_PIECES = st.lists(
    st.one_of(
        _WORDS,
        st.sampled_from(
            [f"<{tag}>" for tag in _TAGS] + [f"</{tag}>" for tag in _TAGS] + ["<br>", "<!-- x -->", "<hr>"]
        ),
    ),
    min_size=1,
    max_size=40,
)


@run_with(max_examples=80)
@given(_PIECES, st.sampled_from([1, 1, 1, 90]))
def test_every_visible_word_of_a_page_is_in_its_text(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[str], times: int
) -> None:
    source = " ".join(pieces * times)
    document = read(tmp_path_factory.mktemp("page"), "a.html", f"<html><body><p>Begin. {source}")
    expected = sorted(piece for piece in pieces * times if piece.startswith("word"))
    found = document.text.replace("-", " ").replace("|", " ").replace(";", " ").replace(":", " ").split()
    # A header of a table stands before each of its cells.
    assert set(expected) == {piece for piece in found if piece.startswith("word")}
    assert len(expected) <= sum(piece.startswith("word") for piece in found)


# -- what was not read is said ----------------------------------------------------------------

_PICTURE = b"q 600 0 0 700 0 0 cm BI /W 1 /H 1 /BPC 8 /CS /G ID \x00 EI Q"
_STAMP = _PICTURE + b" BT /F1 12 Tf 72 20 Td (ABC 000123) Tj ET"
_PROSE = "He went home late at night, and nobody was told of it."


def test_pages_that_are_pictures_are_counted(tmp_path: Path) -> None:
    assert read(tmp_path, "a.pdf", make_pdf([_PROSE, "", b""])).unread == ""  # an empty page is read whole
    document = read(tmp_path, "a.pdf", make_pdf([_PROSE, _PICTURE, _STAMP, b"0 0 612 792 re f", _PROSE]))
    assert document.unread == "2 of 5 pages are pictures with little or no text"
    assert document.text.count(_PROSE) == 2
    lines = b"".join(b"0 %d m 600 %d l S " % (y, y) for y in range(50))
    assert read(tmp_path, "a.pdf", make_pdf([_PROSE, lines])).unread == "1 of 2 pages is a picture"
    assert read(tmp_path, "a.pdf", make_pdf([_PICTURE + _prose_on_a_page(), _PROSE])).unread == ""


def _prose_on_a_page() -> bytes:
    return f" BT /F1 12 Tf 72 720 Td ({_PROSE}) Tj ET".encode()


def test_pages_that_are_damaged_are_counted(tmp_path: Path) -> None:
    content = make_pdf([_PROSE, _PROSE, _PROSE])
    lost = content.replace(b"4 0 R 6 0 R 8 0 R", b"4 0 R 0 0 R 8 0 R")
    assert lost != content
    document = read(tmp_path, "a.pdf", lost)
    assert document.unread == "1 of 3 pages is damaged"
    assert document.text.count(_PROSE) == 2


def test_a_pdf_that_was_cut_off_says_so(tmp_path: Path) -> None:
    content = make_pdf([_PROSE, _PROSE])
    document = read(tmp_path, "a.pdf", content[: content.rindex(b"startxref")])
    assert "cut off" in document.unread
    assert _PROSE in document.text


@pytest.mark.parametrize("part", ["footnotes", "endnotes", "styles"])
def test_a_part_of_a_word_document_that_is_damaged_or_missing_costs_only_itself(tmp_path: Path, part: str) -> None:
    document = read(tmp_path, "a.docx", make_docx(word("He went."), **{part: "<w:p"}))
    assert (document.text, document.unread) == ("He went.", f"the part word/{part}.xml is damaged")
    spoiled = spoil(make_docx(word("He went."), **{part: f"<w:{part} {WORD}/>"}), f"word/{part}.xml")
    document = read(tmp_path, "a.docx", spoiled)
    assert (document.text, document.unread) == ("He went.", f"the part word/{part}.xml is damaged")
    missing = make_docx(word("He went."), **{part: "x"}).replace(f"word/{part}.xml".encode(), b"w" * (len(part) + 9))
    document = read(tmp_path, "a.docx", missing)
    assert (document.text, document.unread) == ("He went.", f"the part word/{part}.xml is missing")


def test_a_word_document_whose_body_is_damaged_is_refused(tmp_path: Path) -> None:
    assert refuse(tmp_path, "a.docx", make_docx("<w:p")) == "damaged"


def test_charts_and_embedded_files_of_an_office_file_are_counted(tmp_path: Path) -> None:
    kinds = ["chart", "chart", "diagramData", "oleObject", "image"]
    relations = "".join(
        f'<Relationship Id="r{n}" Type="{RELATIONS}/{kind}" Target="x"/>' for n, kind in enumerate(kinds)
    )
    rels = f'<Relationships xmlns="{PACKAGE}">{relations}</Relationships>'
    said = "2 charts, 1 diagram, 1 embedded file"
    word_file = make_zip(
        {
            "word/document.xml": f"<w:document {WORD}>{word('He went.')}</w:document>",
            "word/_rels/document.xml.rels": rels,
        }
    )
    assert read(tmp_path, "a.docx", word_file).unread == said
    slides = make_pptx([shape("He went.")], **{"ppt/slides/_rels/s0.xml.rels": rels})
    assert read(tmp_path, "a.pptx", slides).unread == said


def test_slides_that_are_missing_or_damaged_are_counted(tmp_path: Path) -> None:
    slides = [shape("One."), shape("Two."), "<broken", shape("Four.")]
    document = read(tmp_path, "a.pptx", make_pptx(slides, ["r0", "r1", "r2", "r3", "gone"]))
    assert document.text.split() == ["One.", "Two.", "Four."]
    assert len(document.pages) == 5
    assert document.unread.startswith("2 of 5 slides are missing or damaged")
    assert refuse(tmp_path, "a.pptx", make_pptx(["<broken"])).startswith("no text (1 of 1 slide is missing or damaged")


def test_notes_of_a_slide_that_are_damaged_cost_only_themselves(tmp_path: Path) -> None:
    relation = f'<Relationship Id="r" Type="{RELATIONS}/notesSlide" Target="../notes.xml"/>'
    members = {
        "ppt/slides/_rels/s0.xml.rels": f'<Relationships xmlns="{PACKAGE}">{relation}</Relationships>',
        "ppt/notes.xml": "<broken",
    }
    document = read(tmp_path, "a.pptx", make_pptx([shape("One.")], **members))
    assert (document.text, document.unread) == ("One.", "the part ppt/notes.xml is damaged")


def save(book: openpyxl.Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def make_book() -> openpyxl.Workbook:
    book = openpyxl.Workbook()
    book.active.title = "First"
    book.active.append(["He went.", 1])
    book.create_sheet("Second").append(["He came.", 2])
    return book


def test_sheets_that_are_damaged_missing_or_charts_are_named(tmp_path: Path) -> None:
    book = make_book()
    book.create_chartsheet("Curve").add_chart(openpyxl.chart.BarChart())
    content = save(book)
    assert read(tmp_path, "a.xlsx", content).unread == "1 chart sheet"
    with openpyxl.reader.excel.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    second = members["xl/worksheets/sheet2.xml"]
    cut = make_zip({**members, "xl/worksheets/sheet2.xml": second[: second.index(b"</row>")]})
    for damaged in (spoil(content, "xl/worksheets/sheet2.xml"), cut):
        document = read(tmp_path, "a.xlsx", damaged)
        assert "He went." in document.text
        assert document.unread == "the sheet Second (damaged), 1 chart sheet"
    del members["xl/worksheets/sheet1.xml"]
    document = read(tmp_path, "a.xlsx", make_zip(members))
    assert "He came." in document.text
    assert document.unread == "the sheet First (missing), 1 chart sheet"


def test_formulas_without_values_are_counted(tmp_path: Path) -> None:
    book = make_book()
    book["First"]["C1"] = "=SUM(B1:B9)"
    book["Second"]["C1"] = "=B1+1"
    assert read(tmp_path, "a.xlsx", save(book)).unread == "2 formulas saved without a value"


def test_a_cell_after_very_many_empty_rows_is_read(tmp_path: Path) -> None:
    book = make_book()
    book["First"]["A300000"] = "Far below."
    document = read(tmp_path, "a.xlsx", save(book))
    assert "Far below." in document.text
    assert document.unread == ""


def test_rows_that_no_sheet_has_are_not_waited_for(tmp_path: Path) -> None:
    rows = '<row r="1"><c r="A1"><v>1</v></c><c r="B1"><v>2</v></c></row><row r="99999999999"><c><v>3</v></c></row>'
    document = read(tmp_path, "a.xlsx", make_xlsx(rows))
    assert document.text.startswith("## S1\n\n- 1 | 2")
    assert document.unread == "what the sheet S1 holds after 1,048,576 rows"


def test_empty_cells_of_an_open_sheet_keep_the_columns(tmp_path: Path) -> None:
    def row(*cells: str) -> str:
        gap = '<table:table-cell table:number-columns-repeated="150"/>'
        made = [f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>" for cell in cells]
        return f"<table:table-row>{gap.join(made)}</table:table-row>"

    content = make_odf(f"<table:table>{row('Country', 'Days')}{row('Qatar', '2')}</table:table>", "spreadsheet")
    assert read(tmp_path, "a.ods", content).text == "- Country: Qatar; Days: 2"


def test_an_opendocument_file_says_what_is_embedded_or_damaged(tmp_path: Path) -> None:
    content = make_odf("<text:p>He went.</text:p>", **{"Object 1/content.xml": "<x/>", "meta.xml": "<broken"})
    document = read(tmp_path, "a.odt", content)
    assert (document.text, document.unread) == ("He went.", "the part meta.xml is damaged, 1 embedded object")


def test_chapters_that_are_missing_or_damaged_are_counted(tmp_path: Path) -> None:
    chapters = {name: f"<html><body><p>This is {name}.</p></body></html>" for name in ("one", "two", "three")}
    book = make_epub(chapters, ["one", "two", "gone", "three"])
    document = read(tmp_path, "a.epub", spoil(book, "two"))
    assert document.text == "This is one.\n\nThis is three."
    assert document.unread == "2 of 4 chapters are missing or damaged"
    assert refuse(tmp_path, "a.epub", make_epub({}, ["gone"])) == "missing"


def make_message(*attachments: tuple[str, str]) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = "The tour"
    message["From"] = "a@b.org"
    message.set_content("He went.")
    for name, kind in attachments:
        message.add_attachment(b"\0", maintype=kind.split("/")[0], subtype=kind.split("/")[1], filename=name)
    return message


def test_attachments_that_may_hold_text_are_named(tmp_path: Path) -> None:
    message = make_message(
        ("plan.pdf", "application/pdf"), ("logo.png", "image/png"), ("smime.p7s", "application/pkcs7-signature")
    )
    document = read(tmp_path, "a.eml", message.as_bytes())
    assert document.unread == "the attachment plan.pdf"
    assert "Attachment: logo.png" in document.text


def test_a_message_says_what_could_not_be_read(tmp_path: Path) -> None:
    whole = make_message(("plan.pdf", "application/pdf")).as_bytes()
    cut = whole[: whole.rindex(b"--")].rstrip()[:-30]
    assert "what came after the message was cut off" in read(tmp_path, "a.eml", cut).unread
    after = read(tmp_path, "a.eml", make_message(("a.png", "image/png")).as_bytes() + b"\nMore words.\n")
    assert after.unread == "what follows the end of the message"
    head = "From: a@b.org\nMIME-Version: 1.0\nSubject: x\nContent-Type: message/rfc822\n\n"
    deep = read(tmp_path, "a.eml", head * 12 + "He went.")
    assert deep.unread == "messages within messages, more than 10 deep"
    words = "Où est-il, à Zürich ? Là où l’été fut chaud, à ce qu’on a dit."
    broken = f"From: a@b.org\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n{words}".encode() + b"\xff"
    assert read(tmp_path, "a.eml", broken).unread == "1 broken character"


def test_a_message_that_forgot_its_boundary_is_read(tmp_path: Path) -> None:
    head = "From: a@b.org\nMIME-Version: 1.0\nContent-Type: multipart/mixed\n\n"
    assert "He went." in read(tmp_path, "a.eml", f"{head}--x\n\nHe went.\n--x--\n").text


def test_every_message_of_a_mailbox_is_read(tmp_path: Path) -> None:
    first = make_message(("a.png", "image/png")).as_string()
    second = "Subject: Later\nFrom: c@d.org\n\nFrom here he came home.\n"
    mailbox = f"From a@b.org Mon Jan  6 10:30:00 2025\n{first}\n\nFrom c@d.org Tue Jan  7 10:30:00 2025\n{second}"
    document = read(tmp_path, "a.mbox", mailbox)
    assert document.title == "The tour"
    assert document.text.endswith("# Later\n\n- From: c@d.org\n\nFrom here he came home.")
    assert document.unread == ""


@pytest.mark.parametrize(
    ("name", "form"), [("a.txt", "{}"), ("a.csv", "a,b\n1,{}\n"), ("a.json", '{{"a": "{}"}}'), ("a.html", "<p>{}</p>")]
)
def test_broken_characters_are_counted(tmp_path: Path, name: str, form: str) -> None:
    words = "Ç’était l’été à Genève où l’on était " * 3
    broken = form.format(f"{words}@@").encode().replace(b"@", b"\xff")
    document = read(tmp_path, name, broken)
    assert words in document.text
    assert document.unread == "2 broken characters"
    assert read(tmp_path, name, form.format(f"{words}\ufffd")).unread == ""  # the file's own


def test_json_of_broken_lines_and_long_names_loses_nothing(tmp_path: Path) -> None:
    lines = '{"a": "He went."}\n{"a": "He came'
    document = read(tmp_path, "a.jsonl", lines)
    assert (document.text, document.unread) == (lines, "")
    value = {"n" * 500: {"m" * 500: [["He went.", ["He came."]]]}}
    text = read(tmp_path, "a.json", json.dumps(value)).text
    assert all(words in text for words in ("n" * 500, "m" * 500, "He went.", "He came."))


def test_a_caption_of_a_table_is_read(tmp_path: Path) -> None:
    page = "<table><caption>The tour</caption><tr><th>Country<th>Days<tr><td>Qatar<td>2</table>"
    assert read(tmp_path, "a.html", page).text == "The tour\n\n- Country: Qatar; Days: 2"


def test_a_text_beyond_the_most_is_cut_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("index.loading.formats.blocks.MOST_CHARACTERS", 1_000)
    document = read(tmp_path, "a.pdf", make_pdf([_PROSE] * 50))
    assert len(document.text) <= 1_010
    assert document.unread == "what is beyond 1,000 characters"
    assert all(page <= len(document.text) for page in document.pages)


def test_very_many_faults_are_told_in_short(tmp_path: Path) -> None:
    message = make_message(*((f"plan{number}\x1b[31m.pdf", "application/pdf") for number in range(100)))
    unread = read(tmp_path, "a.eml", message.as_bytes()).unread
    assert unread.startswith("the attachment plan0")
    assert len(unread) <= 300
    assert unread.endswith("…")
    assert unread.isprintable()


def test_a_sync_lists_what_it_read_in_part(folder: Path, store: EmbeddedStore) -> None:
    (folder / "a.docx").write_bytes(make_docx(word("He went."), footnotes="<w:p"))
    (folder / "b.txt").write_text("He came.")
    report = finish(sync(folder, store, HashEmbedding()))
    assert report.partial == {"a.docx": "the part word/footnotes.xml is damaged"}
    assert sorted(report.added) == ["a.docx", "b.txt"]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"\xef\xbb\xbfBuilt in 1902 by M\xfcller.\n", "\ufeffBuilt in 1902 by M\ufffdller.\n"),
        ("Café is café. Price 5 €".encode()[:-1], "Café is café. Price 5 \ufffd"),
    ],
    ids=["marked", "cut"],
)
def test_a_slip_in_utf_8_is_no_other_encoding(content: bytes, text: str) -> None:
    from index.loading.formats.text import decode

    assert decode(content) == text


def test_a_name_that_json_repeats_keeps_all_its_values(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    file.write_text('{"a": "The first tower.", "b": {"c": 1, "c": 2}, "a": "The second tower."}')
    with Loader() as loader:
        text = loader.load(file, "a.json").text
    assert "The first tower." in text
    assert "The second tower." in text
    assert "1, 2" in text
