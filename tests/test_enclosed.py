"""Files within a file: attachments of a message, members of an archive, and how much of them is read."""

from __future__ import annotations

import io
import zipfile
from email.message import EmailMessage
from pathlib import Path

import pytest
from made_files import make_docx, make_pdf, make_zip, read

from index.documents import Document, identify
from index.loading.formats import enclosed
from index.loading.loader import UnreadableError, load
from index.loading.worker import Loader

_WORD_FILE = make_docx("<w:p><w:r><w:t>The fare is 40 crowns.</w:t></w:r></w:p>")


def make_message(attachments: dict[str, bytes | str]) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = "The ferry"
    message["From"] = "ida@example.org"
    message.set_content("See below.")
    for name, content in attachments.items():
        if isinstance(content, str):
            message.add_attachment(content, filename=name)
        else:
            message.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return message


_MAIL_TEXT = "# The ferry\n\n- From: ida@example.org\n\nSee below."


def texts_in(document: Document) -> dict[str, str]:
    """The text of each document within a document, by its path within it."""
    return {inner.path.removeprefix(f"{document.path}/"): inner.text for inner in document.enclosed}


def test_attachments_are_documents_of_their_own(tmp_path: Path) -> None:
    attachments: dict[str, bytes | str] = {
        "crew.csv": "Name,Age\nIda,40\nBen,30\n",
        "note.md": "# Crossing\n\nÜber die Fähre.",
        "fare.docx": _WORD_FILE,
        "plan.pdf": make_pdf(["It leaves at noon.", "It comes back."]),
        "page.html": b"<html><meta charset='windows-1252'><body><p>Caf\xe9.</p></body></html>",
        "old.eml": make_message({"last.txt": "It sank."}).as_bytes(),
        "broken.bin": b"\x00\x01",
    }
    document = read(tmp_path, "a.eml", make_message(attachments).as_bytes())
    assert document.title == "The ferry"
    assert document.text == "\n\n".join([_MAIL_TEXT, *(f"Attachment: {name}" for name in attachments)])
    assert document.unread == "the attachment broken.bin"
    assert texts_in(document) == {
        "crew.csv": "- Name: Ida; Age: 40\n- Name: Ben; Age: 30",
        "note.md": "# Crossing\n\nÜber die Fähre.\n",
        "fare.docx": "The fare is 40 crowns.",
        "plan.pdf": "It leaves at noon.\n\nIt comes back.",
        "page.html": "Café.",
        "old.eml": f"{_MAIL_TEXT}\n\nAttachment: last.txt",
        "old.eml/last.txt": "It sank.\n",
    }
    # Each is what it would be alone, but for its place.
    for inner in document.enclosed:
        assert inner.id == identify(inner.path)
        assert not inner.enclosed
        if isinstance(content := attachments.get(inner.path.removeprefix("a.eml/")), bytes):
            alone = read(tmp_path, "alone" + Path(inner.path).suffix, content)
            assert (inner.text, inner.pages, inner.content_hash) == (alone.text, alone.pages, alone.content_hash)
    titles = {inner.path: inner.title for inner in document.enclosed}
    assert titles["a.eml/note.md"] == "Crossing"
    assert titles["a.eml/crew.csv"] == "crew"
    assert titles["a.eml/old.eml"] == "The ferry"


def test_attachments_of_the_messages_within_a_message_lie_in_it_too(tmp_path: Path) -> None:
    message = make_message({"a.txt": "He went."})
    message.add_attachment(make_message({"a.txt": "He came."}))
    document = read(tmp_path, "a.eml", message.as_bytes())
    assert document.text.count("See below.") == 2
    assert texts_in(document) == {"a.txt": "He came.\n", "a (2).txt": "He went.\n"}


def test_an_attachment_in_the_encoding_that_its_part_declares(tmp_path: Path) -> None:
    head = "From: a@b.org\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n--x\n"
    head += "Content-Type: text/plain; charset=cp1251\nContent-Disposition: attachment; filename=a.txt\n\n"
    document = read(tmp_path, "a.eml", head.encode() + "Да.".encode("cp1251") + b"\n--x--\n")
    assert texts_in(document) == {"a.txt": "Да."}


def test_what_of_an_attachment_is_read_in_part_is_said_of_it(tmp_path: Path) -> None:
    words = "Où est-il, à Zürich ? Là où l’été fut chaud, à ce qu’on a dit.".encode() + b"\xff"
    document = read(tmp_path, "a.eml", make_message({"a.txt": words}).as_bytes())
    assert (document.unread, document.enclosed[0].unread) == ("", "1 broken character")


def test_an_archive_lists_its_files_and_each_is_a_document(tmp_path: Path) -> None:
    members: dict[str, bytes | str] = {
        "docs/": "",
        "docs/note.txt": "He went.\r\nHe came.\r\n",
        "docs/fare.docx": _WORD_FILE,
        "word/rows.csv": "Name,Age\nIda,40\n",
        "picture.png": b"GIF89a\0\0",
        ".hidden/a.txt": "Hidden.",
        "__MACOSX/._a.txt": "Hidden.",
    }
    document = read(tmp_path, "files.zip", make_zip(members))
    assert document.title == "files"
    assert document.text == (
        "# Files in this archive\n\n- docs/note.txt\n- docs/fare.docx\n- word/rows.csv\n- picture.png"
    )
    assert document.unread == "the file picture.png"
    assert texts_in(document) == {
        "docs/note.txt": "He went.\r\nHe came.\r\n",
        "docs/fare.docx": "The fare is 40 crowns.",
        "word/rows.csv": "- Name: Ida; Age: 40",
    }


def test_an_archive_in_a_message_and_a_message_in_an_archive(tmp_path: Path) -> None:
    message = make_message({"files.zip": make_zip({"b/a.txt": "He went."})}).as_bytes()
    attached = read(tmp_path, "a.eml", message)
    assert attached.text == f"{_MAIL_TEXT}\n\nAttachment: files.zip"
    listed = "# Files in this archive\n\n- b/a.txt"
    assert texts_in(attached) == {"files.zip": listed, "files.zip/b/a.txt": "He went."}
    archive = read(tmp_path, "a.zip", make_zip({"m.eml": make_message({"a.txt": "He went."}).as_bytes()}))
    assert texts_in(archive) == {"m.eml": f"{_MAIL_TEXT}\n\nAttachment: a.txt", "m.eml/a.txt": "He went.\n"}


def test_an_archive_of_which_nothing_is_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"^no text \(the file a\.png\)$"):
        read(tmp_path, "a.zip", make_zip({"a.png": b"GIF89a\0\0"}))
    with pytest.raises(UnreadableError, match=r"^empty$"):
        read(tmp_path, "a.zip", make_zip({"a/": ""}))


def test_archives_within_archives_are_read_no_deeper_than_one(tmp_path: Path) -> None:
    inner = make_zip({"c.txt": "Too deep."})
    for name in ("b.zip", "a.zip"):
        inner = make_zip({name: inner, "note.txt": f"Beside {name}."})
    document = read(tmp_path, "x.zip", inner)
    assert texts_in(document) == {
        "a.zip": "# Files in this archive\n\n- b.zip\n- note.txt",
        "a.zip/note.txt": "Beside b.zip.",
        "note.txt": "Beside a.zip.",
    }
    assert [part.unread for part in (document, *document.enclosed)] == ["", "the file b.zip", "", ""]


# -- names ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("../../etc/passwd.txt", "etc/passwd.txt"),
        ("/a.txt", "a.txt"),
        ("b/./../c//a.txt", "b/c/a.txt"),
        ("C:\\docs\\a.txt", "C:/docs/a.txt"),
        ("a\x1b[31m\nb.txt", "a [31m b.txt"),
        ("...", "unnamed"),
        (f"{'n' * 5_000}.txt", f"{'n' * 116}.txt"),
        ("/".join(["folder"] * 500) + "/a.txt", "/".join(["folder"] * 56) + "/a.txt"),
        ("Ünï 文件.txt", "Ünï 文件.txt"),
    ],
    ids=range(9),
)
def test_a_member_by_any_name_has_a_path_within_the_archive(tmp_path: Path, name: str, path: str) -> None:
    document = read(tmp_path, "a.zip", make_zip({name: "He went."}))
    assert texts_in(document) == {path: "He went."}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (b"../../a.txt", "a.txt"),
        (b"C:\\\\docs\\\\a.txt", "a.txt"),
        (b"a\xff.txt", "a\ufffd.txt"),
        (b"..", "unnamed"),
        (b"a/", "unnamed"),
    ],
)
def test_an_attachment_by_any_name_has_a_path_within_the_message(tmp_path: Path, name: bytes, path: str) -> None:
    content = make_message({"NAME": "He went."}).as_bytes().replace(b"NAME", name)
    document = read(tmp_path, "a.eml", content)
    assert texts_in(document) == {path: "He went.\n"}


def test_an_attachment_without_a_name_is_read(tmp_path: Path) -> None:
    message = make_message({})
    message.add_attachment(b"He went.", maintype="application", subtype="octet-stream")
    assert texts_in(read(tmp_path, "a.eml", message.as_bytes())) == {"octet-stream": "He went."}


def test_files_of_one_name_have_paths_of_their_own(tmp_path: Path) -> None:
    message = make_message({"a (2).txt": "One."})
    for text in ("Two.", "Three.", "Four."):
        message.add_attachment(text, filename="a.txt")
    for text in ("Five.", "Six."):
        message.add_attachment(text, filename="noend")
    document = read(tmp_path, "a.eml", message.as_bytes())
    assert texts_in(document) == {
        "a (2).txt": "One.\n",
        "a.txt": "Two.\n",
        "a (3).txt": "Three.\n",
        "a (4).txt": "Four.\n",
        "noend": "Five.\n",
        "noend (2)": "Six.\n",
    }


def test_a_member_never_stands_where_one_within_another_does(tmp_path: Path) -> None:
    mail = make_message({"b.txt": "Attached."}).as_bytes()
    document = read(tmp_path, "a.zip", make_zip({"a.eml": mail, "a.eml/b.txt": "Beside.", "a.eml/../a.eml": mail}))
    paths = [inner.path for inner in document.enclosed]
    assert len(set(paths)) == len(paths) == 5
    assert texts_in(document)["a.eml/b.txt"] == "Attached.\n"
    assert texts_in(document)["a.eml/b (2).txt"] == "Beside."


# -- limits -----------------------------------------------------------------------------------


def test_a_bomb_costs_its_own_text_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enclosed, "_LARGEST_BYTES", 1_000_000)
    members = {"bomb.txt": b"He went. " * 1_000_000, "note.txt": "He came."}
    document = read(tmp_path, "a.zip", make_zip(members))
    assert (texts_in(document), document.unread) == ({"note.txt": "He came."}, "the file bomb.txt")


@pytest.mark.parametrize(("limit", "most"), [("MOST_FILES", 3), ("_MOST_BYTES", 17), ("_MOST_SECONDS", -1.0)])
def test_of_many_files_a_few_are_read_and_the_others_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, most: float
) -> None:
    monkeypatch.setattr(enclosed, limit, most)
    members = {f"{number}.txt": "He went." for number in range(5)}
    with_archive = make_message({"first.txt": "He came.", "a.zip": make_zip(members), "last.txt": "He left."})
    document = read(tmp_path, "a.eml", with_archive.as_bytes())
    assert document.text.startswith(_MAIL_TEXT)
    assert list(texts_in(document).values()).count("He went.") <= 2
    assert document.unread.endswith("the attachment last.txt")
    assert document.text.endswith("Attachment: last.txt")


def test_the_texts_of_a_file_together_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enclosed, "MOST_CHARACTERS", 100)
    members = {f"{number}.txt": f"He went {number}. " * 4 for number in range(4)}
    document = read(tmp_path, "a.zip", make_zip(members))
    assert [*texts_in(document)] == ["0.txt", "1.txt"]
    assert document.unread == "the file 2.txt, the file 3.txt"
    monkeypatch.setattr("index.loading.loader.MOST_CHARACTERS", 110)
    document = read(tmp_path, "b.zip", make_zip(members))
    assert [*texts_in(document)] == ["0.txt"]
    assert document.unread == "the file 2.txt, the file 3.txt, what is beyond 110 characters"


def test_an_encrypted_file_of_an_archive_is_named(tmp_path: Path) -> None:
    buffer = io.BytesIO(make_zip({"a.txt": "He went.", "b.txt": "He came."}))
    content = bytearray(buffer.getvalue())
    with zipfile.ZipFile(buffer) as archive:
        place = archive.getinfo("a.txt").header_offset
    content[place + 6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    assert read(tmp_path, "a.zip", bytes(content)).unread == "the file a.txt"


def test_a_reader_that_fails_costs_no_more_than_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(content: bytes) -> None:
        raise IndexError(content)

    monkeypatch.setattr("index.loading.formats.rtf.read_rtf", fail)
    document = read(tmp_path, "a.eml", make_message({"a.rtf": b"{\\rtf1 He went.}"}).as_bytes())
    assert document.unread == "the attachment a.rtf"


def test_an_archive_whose_directory_points_before_its_start_is_refused(tmp_path: Path) -> None:
    content = bytearray(make_zip({"a.txt": "He went."}))
    content[-6:-2] = (int.from_bytes(content[-6:-2], "little") + 5_000).to_bytes(4, "little")
    with pytest.raises(UnreadableError, match=r"^(?:damaged|no text \(the file a\.txt\))$"):
        read(tmp_path, "a.zip", bytes(content))


# -- readers that do not come back ------------------------------------------------------------


@pytest.fixture
def frail(tmp_path: Path) -> type[Loader]:
    """A loader whose child crashes or hangs at some files, as a library of C might, or has no memory left."""
    program = """
import ctypes, sys, time
sys.path.insert(0, sys.argv[1])
from index.loading.formats import rtf
read = rtf.read_rtf
def read_frailly(content):
    if b"crash" in content:
        ctypes.string_at(0)
    if b"hang" in content:
        time.sleep(60)
    return read(content)
rtf.read_rtf = read_frailly
from index.loading.formats import mail
read_mail = mail.read_mail
def read_greedily(content):
    extract = read_mail(content)
    if any(file.name == "swell.rtf" for file in extract.enclosed):
        raise MemoryError
    return extract
mail.read_mail = read_greedily
from index.loading.worker import serve
serve(float(sys.argv[2]))
"""

    class Frail(Loader):
        _command = program

    return Frail


_GOOD, _CRASHING, _HANGING = b"{\\rtf1 He went.}", b"{\\rtf1 crash}", b"{\\rtf1 hang}"


def test_an_attachment_whose_reader_crashes_or_hangs_costs_itself_alone(tmp_path: Path, frail: type[Loader]) -> None:
    inner = make_zip({"c.rtf": _CRASHING, "d.rtf": _GOOD})
    attachments: dict[str, bytes | str] = {"a.rtf": _GOOD, "b.zip": inner, "hang.rtf": _HANGING, "z.rtf": _GOOD}
    file = tmp_path / "a.eml"
    file.write_bytes(make_message(attachments).as_bytes())
    (tmp_path / "b.txt").write_text("He came.")
    with frail(timeout_seconds=2) as loader:
        document = loader.load(file, "a.eml")
        assert loader.load(tmp_path / "b.txt", "b.txt").text == "He came."
    assert [*texts_in(document)] == ["a.rtf", "b.zip", "b.zip/d.rtf", "z.rtf"]
    assert document.unread == "the attachment hang.rtf"
    assert document.enclosed[1].unread == "the file c.rtf"
    assert document.text == load(file, "a.eml").text


def test_a_message_of_many_that_crash_is_read_without_attachments(tmp_path: Path, frail: type[Loader]) -> None:
    file = tmp_path / "a.eml"
    attachments: dict[str, bytes | str] = {f"{number}.rtf": _CRASHING for number in range(7)}
    file.write_bytes(make_message({"good.rtf": _GOOD, **attachments}).as_bytes())
    with frail(timeout_seconds=5) as loader:
        document = loader.load(file, "a.eml")
    assert document.text.startswith(_MAIL_TEXT)
    assert document.enclosed == ()
    assert document.unread.startswith("the attachment good.rtf, the attachment 0.rtf, ")


def test_a_message_that_needs_too_much_memory_with_its_attachments_is_read_without(
    tmp_path: Path, frail: type[Loader]
) -> None:
    file = tmp_path / "a.eml"
    file.write_bytes(make_message({"good.rtf": _GOOD, "swell.rtf": _GOOD}).as_bytes())
    with frail() as loader:
        document = loader.load(file, "a.eml")
    assert (document.enclosed, document.unread) == ((), "the attachment good.rtf, the attachment swell.rtf")


def test_a_file_that_crashes_its_own_reader_is_refused(tmp_path: Path, frail: type[Loader]) -> None:
    (tmp_path / "a.rtf").write_bytes(_CRASHING)
    with frail() as loader, pytest.raises(UnreadableError, match="its reader crashed"):
        loader.load(tmp_path / "a.rtf", "a.rtf")


def test_what_is_begun_is_told_and_what_is_left_out_is_named(tmp_path: Path) -> None:
    told: list[int] = []
    inner = make_zip({"c.txt": "He went.", "d.txt": "He came."})
    message = make_message({"a.txt": "One.", "b.zip": inner, "z.txt": "Two."}).as_bytes()
    with enclosed.watching([3], told.append):
        document = read(tmp_path, "a.eml", message)
    assert told == [1, 0, 2, 4, 2, 0, 5, 0]
    assert [*texts_in(document)] == ["a.txt", "b.zip", "b.zip/d.txt", "z.txt"]
    with enclosed.watching(None, told.append):
        document = read(tmp_path, "a.eml", message)
    assert document.enclosed == ()
    assert document.unread == "the attachment a.txt, the attachment b.zip, the attachment z.txt"
