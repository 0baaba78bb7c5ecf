"""Files within a file: attachments of a message, members of an archive, and how much of them is read."""

from __future__ import annotations

import io
import zipfile
from email.message import EmailMessage
from pathlib import Path

import pytest
from made_files import make_docx, make_pdf, make_zip, read

from index.loading.formats import enclosed
from index.loading.loader import UnreadableError

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


def test_attachments_are_read_as_they_would_be_alone(tmp_path: Path) -> None:
    attachments: dict[str, bytes | str] = {
        "crew.csv": "Name,Age\nIda,40\nBen,30\n",
        "note.md": "# Note\n\nÜber die Fähre.",
        "fare.docx": _WORD_FILE,
        "plan.pdf": make_pdf(["It leaves at noon."]),
        "page.html": b"<html><meta charset='windows-1252'><body><p>Caf\xe9.</p></body></html>",
        "old.eml": make_message({"last.txt": "It sank."}).as_bytes(),
        "broken.bin": b"\x00\x01",
    }
    document = read(tmp_path, "a.eml", make_message(attachments).as_bytes())
    assert document.title == "The ferry"
    assert document.text == (
        f"{_MAIL_TEXT}\n\n## Attachment: crew.csv\n\n- Name: Ida; Age: 40\n- Name: Ben; Age: 30\n\n"
        "## Attachment: note.md\n\n# Note\n\nÜber die Fähre.\n\n## Attachment: fare.docx\n\nThe fare is 40 crowns.\n\n"
        "## Attachment: plan.pdf\n\nIt leaves at noon.\n\n## Attachment: page.html\n\nCafé.\n\n"
        f"## Attachment: old.eml\n\n{_MAIL_TEXT}\n\n## Attachment: last.txt\n\nIt sank.\n\nAttachment: broken.bin"
    )
    assert document.unread == "the attachment broken.bin"


def test_an_attachment_in_the_encoding_that_its_part_declares(tmp_path: Path) -> None:
    head = "From: a@b.org\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=x\n\n--x\n"
    head += "Content-Type: text/plain; charset=cp1251\nContent-Disposition: attachment; filename=a.txt\n\n"
    document = read(tmp_path, "a.eml", head.encode() + "Да.".encode("cp1251") + b"\n--x--\n")
    assert document.text.endswith("## Attachment: a.txt\n\nДа.")


def test_what_of_an_attachment_is_read_in_part_is_said(tmp_path: Path) -> None:
    words = "Où est-il, à Zürich ? Là où l’été fut chaud, à ce qu’on a dit.".encode() + b"\xff"
    document = read(tmp_path, "a.eml", make_message({"a.txt": words}).as_bytes())
    assert document.unread == "in a.txt: 1 broken character"


def test_an_archive_is_its_files_below_their_names(tmp_path: Path) -> None:
    members: dict[str, bytes | str] = {
        "docs/": "",
        "docs/note.txt": "He went.\r\nHe came.\r\n",
        "docs/fare.docx": _WORD_FILE,
        "word/rows.csv": "Name,Age\nIda,40\n",
        "picture.png": b"\x89PNG\r\n\x1a\n",
        ".hidden/a.txt": "Hidden.",
        "__MACOSX/._a.txt": "Hidden.",
    }
    document = read(tmp_path, "files.zip", make_zip(members))
    assert document.title == "files"
    assert document.text == (
        "# docs/note.txt\n\nHe went.\nHe came.\n\n# docs/fare.docx\n\nThe fare is 40 crowns.\n\n"
        "# word/rows.csv\n\n- Name: Ida; Age: 40"
    )
    assert document.unread == "the file picture.png"
    attached = read(tmp_path, "a.eml", make_message({"files.zip": make_zip({"a.txt": "He went."})}).as_bytes())
    assert attached.text.endswith("## Attachment: files.zip\n\n# a.txt\n\nHe went.")


def test_an_archive_of_which_nothing_is_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"^no text \(the file a\.png\)$"):
        read(tmp_path, "a.zip", make_zip({"a.png": b"\x89PNG\r\n\x1a\n"}))
    with pytest.raises(UnreadableError, match=r"^empty$"):
        read(tmp_path, "a.zip", make_zip({"a/": ""}))


def test_archives_within_archives_are_read_no_deeper_than_one(tmp_path: Path) -> None:
    inner = make_zip({"c.txt": "Too deep."})
    for name in ("b.zip", "a.zip"):
        inner = make_zip({name: inner, "note.txt": f"Beside {name}."})
    document = read(tmp_path, "x.zip", inner)
    assert document.text == "# a.zip\n\n# note.txt\n\nBeside b.zip.\n\n# note.txt\n\nBeside a.zip."
    assert document.unread == "in a.zip: the file b.zip"


def test_a_bomb_costs_its_own_text_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enclosed, "_LARGEST_BYTES", 1_000_000)
    members = {"bomb.txt": b"He went. " * 1_000_000, "note.txt": "He came."}
    document = read(tmp_path, "a.zip", make_zip(members))
    assert (document.text, document.unread) == ("# note.txt\n\nHe came.", "the file bomb.txt")


@pytest.mark.parametrize(("limit", "most"), [("_MOST_FILES", 3), ("_MOST_BYTES", 17), ("_MOST_SECONDS", -1.0)])
def test_of_many_files_a_few_are_read_and_the_others_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, most: float
) -> None:
    monkeypatch.setattr(enclosed, limit, most)
    members = {f"{number}.txt": "He went." for number in range(5)}
    with_archive = make_message({"first.txt": "He came.", "a.zip": make_zip(members), "last.txt": "He left."})
    document = read(tmp_path, "a.eml", with_archive.as_bytes())
    assert document.text.startswith(_MAIL_TEXT)
    assert document.text.count("He went.") <= 2
    assert document.unread.endswith("the attachment last.txt")
    assert document.text.endswith("Attachment: last.txt")


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
