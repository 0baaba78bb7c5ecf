"""What people put into the uploads folder: under which name, how much of it, and what not."""

from __future__ import annotations

import os
import threading
import time
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from made_files import make_docx, make_pdf, make_zip

from assistant.serving.uploads import (
    LONGEST_NAME_BYTES,
    Limits,
    RefusedUploadError,
    Uploads,
    clean_name,
    open_uploads,
    write_pasted,
)
from index.errors import InputError
from index.loading.folder import scan
from index.loading.loader import load

SMALL = Limits(most_bytes=1000, total_bytes=2500, most_files=4)


@pytest.fixture
def uploads(folder: Path) -> Uploads:
    return Uploads(folder, SMALL)


def names(uploads: Uploads) -> set[str]:
    """Everything that lies in the folder, what is hidden too."""
    return {path.relative_to(uploads.folder).as_posix() for path in uploads.folder.rglob("*")}


# -- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_name", "name"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\me\\report.pdf", "report.pdf"),
        (".hidden.txt", "hidden.txt"),
        ("...", None),
        ("", None),
        ("a/", None),
        ("\u202efdp.exe.txt", "fdp.exe.txt"),
        ("a\x00b\r\nc.txt", "abc.txt"),
        ("CON", "_CON"),
        ("con.txt", "_con.txt"),
        ("LPT1.tar.gz", "_LPT1.tar.gz"),
        ("com¹.txt", "_com¹.txt"),
        ("console.txt", "console.txt"),
        ("name. ", "name"),
        ('a<b>:"c|d?e*.txt', "a_b___c_d_e_.txt"),
        ("cafe\u0301.txt", "café.txt"),
        ("می\u200cخواهم.txt", "می\u200cخواهم.txt"),
        ("x" * 300 + ".pdf", "x" * (LONGEST_NAME_BYTES - 4) + ".pdf"),
        ("報" * 100 + ".pdf", "報" * 58 + ".pdf"),
        ("half\ud800.txt", "half.txt"),
    ],
)
def test_a_name_becomes_one_that_every_system_takes(given_name: str, name: str | None) -> None:
    if name is None:
        with pytest.raises(RefusedUploadError, match="no name"):
            clean_name(given_name)
    else:
        assert clean_name(given_name) == name


@given(st.text(st.characters() | st.sampled_from('./\\ .:\u202e\u2066\u0301\u200d~$#"'), max_size=300))
@example("con .txt")
@example("nul" + "\u0301")
@example("\u1100\u1161" * 60)
@example("a." + "b" * 30)
def test_no_name_is_dangerous(given_name: str) -> None:
    try:
        name = clean_name(given_name)
    except RefusedUploadError:
        return
    assert name == clean_name(name) == unicodedata.normalize("NFC", name)
    assert 0 < len(name.encode()) <= LONGEST_NAME_BYTES + 1
    assert not set(name) & set('<>:"/\\|?*\x00')
    assert name[0] not in ". " and name[-1] not in ". "
    assert all(unicodedata.bidirectional(c) not in ("RLO", "LRO", "RLE", "LRE", "PDF", "RLI", "LRI") for c in name)
    assert not any(unicodedata.category(c) in ("Cc", "Cs") for c in name)
    assert name.split(".")[0].strip().casefold() not in {"con", "prn", "aux", "nul", "com1", "lpt9"}


@given(st.text(max_size=120))
def test_whatever_its_name_a_file_is_kept_and_read(tmp_path_factory: pytest.TempPathFactory, given_name: str) -> None:
    uploads = Uploads(tmp_path_factory.mktemp("uploads"))
    try:
        file = uploads.save(f"{given_name}.txt", b"Alpha.")
    except RefusedUploadError as error:
        assert "name" in str(error)
        assert names(uploads) == set()
        return
    assert file.parent == uploads.folder
    assert [found.path for found in scan(uploads.folder)[0]] == [file.name]


def test_nothing_is_overwritten(folder: Path) -> None:
    uploads = Uploads(folder)
    assert [uploads.save("a.txt", text).name for text in (b"one", b"two", b"three")] == [
        "a.txt",
        "a (2).txt",
        "a (3).txt",
    ]
    assert (uploads.folder / "a.txt").read_bytes() == b"one"
    (uploads.folder / "b.txt").symlink_to(uploads.folder / "nowhere")
    assert uploads.save("b.txt", b"four").name == "b (2).txt"
    assert not (uploads.folder / "nowhere").exists()


def test_nothing_is_overwritten_where_files_have_no_links(uploads: Uploads, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)  # as on FAT
    assert [uploads.save("a.txt", text).name for text in (b"one", b"two")] == ["a.txt", "a (2).txt"]
    assert names(uploads) == {"a.txt", "a (2).txt"}


def test_of_one_name_at_once_each_is_kept(folder: Path) -> None:
    uploads = Uploads(folder)
    with ThreadPoolExecutor(4) as pool:
        kept = [*pool.map(lambda number: uploads.save("a.txt", b"%d" % number), range(20))]
    assert sorted(file.read_bytes() for file in kept) == sorted(b"%d" % number for number in range(20))
    assert len(names(uploads)) == 20


# -- kinds --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.txt", b"\x7fELF\x02\x01\x01\x00" + bytes(100), "program"),
        ("a.exe", b"MZ" + bytes(100), "program"),
        ("a.gif", b"GIF89a" + bytes(100), "GIF image"),
        ("a.bin", bytes(range(256)) * 3, "binary"),
        ("a.gz", b"\x1f\x8b\x08" + bytes(100), "archive"),
        ("a.txt", make_zip({"x.txt": "x"}), "archive"),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(100), r"save it as \.docx"),
        ("a.pdf", b"No PDF at all.", r"named \.pdf"),
        ("a.docx", b"No document at all.", r"named \.docx"),
        ("a.png", b"No picture at all.", r"named \.png"),
        ("a.msg", b"No message at all.", r"named \.msg"),
        ("a.pdf", b"\x89PNG\r\n\x1a\n" + bytes(50), r"named \.pdf"),
    ],
)
def test_what_cannot_be_read_is_not_taken(uploads: Uploads, name: str, content: bytes, reason: str) -> None:
    with pytest.raises(RefusedUploadError, match=reason) as refusal:
        uploads.save(name, content)
    assert refusal.value.status == 415
    assert names(uploads) == set()


def test_what_can_be_read_is_taken(folder: Path) -> None:
    uploads = Uploads(folder)
    for name, content in (
        ("a.md", b"# Alpha\n\nBeta."),
        ("a.py", b"print('alpha')"),
        ("a", b"Alpha."),
        ("old.txt", "Größe: 3 m².".encode("cp1252") * 20),
        ("wide.txt", "Alpha beta.".encode("utf-16")),
        ("a.pdf", make_pdf(["Alpha."])),
        ("a.docx", make_docx("<w:p><w:r><w:t>Alpha.</w:t></w:r></w:p>")),
        ("a.zip", make_zip({"x.txt": "Alpha."})),
        ("a.csv", b"name,age\nAnna,3\n"),
    ):
        file = uploads.save(name, content)
        assert file.read_bytes() == content
        assert load(file, file.name).text


def test_a_kind_is_told_before_all_has_come(folder: Path) -> None:
    uploads = Uploads(folder)
    with pytest.raises(RefusedUploadError, match="program"), uploads.receive("a.txt") as receiving:
        for _ in range(100):
            receiving.write(b"\x7fELF" + bytes(1020))
    assert receiving.size_bytes == 65_536


@pytest.mark.parametrize("name", ["a.tmp", "~$report.docx", "package-lock.json", "thumbs.db"])
def test_what_a_sync_passes_over_is_not_taken(uploads: Uploads, name: str) -> None:
    with pytest.raises(RefusedUploadError, match="rename it"):
        uploads.save(name, b"Alpha.")


# -- how much -----------------------------------------------------------------------------------


def test_a_file_that_is_too_large_leaves_nothing(uploads: Uploads) -> None:
    uploads.save("a.txt", b"x" * 1000)
    with pytest.raises(RefusedUploadError, match="larger than") as refusal:
        uploads.save("b.txt", b"x" * 1001)
    assert refusal.value.status == 413
    with pytest.raises(RefusedUploadError, match="is empty"):
        uploads.save("c.txt", b"")
    assert names(uploads) == {"a.txt"}


def test_all_files_together_are_bounded(uploads: Uploads) -> None:
    (uploads.folder / "sub").mkdir()
    (uploads.folder / "sub" / "a.txt").write_bytes(b"x" * 1000)
    uploads.save("b.txt", b"x" * 900)
    with pytest.raises(RefusedUploadError, match="delete something first") as refusal:
        uploads.save("c.txt", b"x" * 700)
    assert refusal.value.status == 507
    # What comes at the same time counts too.
    with uploads.receive("d.txt") as first, uploads.receive("e.txt") as second:
        first.write(b"x" * 400)
        with pytest.raises(RefusedUploadError, match="delete something first"):
            second.write(b"x" * 300)
        first.keep()
    assert names(uploads) == {"sub", "sub/a.txt", "b.txt", "d.txt"}
    uploads.save("f.txt", b"x")
    with pytest.raises(RefusedUploadError, match="4 files"):
        uploads.save("g.txt", b"x")


def test_only_so_many_come_at_once(folder: Path) -> None:
    uploads, may_end, inside = Uploads(folder), threading.Event(), threading.Barrier(9)

    def receive(number: int) -> None:
        with uploads.receive(f"{number}.txt"):
            inside.wait(30)
            may_end.wait(30)

    with ThreadPoolExecutor(8) as pool:
        for number in range(8):
            pool.submit(receive, number)
        inside.wait(30)
        with pytest.raises(RefusedUploadError, match="at once") as refusal:
            uploads.save("a.txt", b"x")
        may_end.set()
    assert refusal.value.status == 429
    assert names(uploads) == set()
    uploads.save("a.txt", b"x")


def test_what_a_killed_server_left_goes_once_it_is_old(folder: Path) -> None:
    old, new = folder / ".footnote-upload-old", folder / ".footnote-upload-new"
    for file in (old, new):
        file.write_text("x")
    os.utime(old, (time.time() - 100_000,) * 2)
    Uploads(folder)
    assert (old.exists(), new.exists()) == (False, True)


# -- deleting -----------------------------------------------------------------------------------


def test_only_what_lies_in_the_uploads_folder_is_deleted(tmp_path: Path) -> None:
    folder = tmp_path / "uploads"
    (folder / "sub").mkdir(parents=True)
    (tmp_path / "away").mkdir()
    uploads = Uploads(folder)
    for file in (tmp_path / "a.txt", tmp_path / "away" / "b.txt", folder / "c.txt", folder / "sub" / "d.txt"):
        file.write_text("x")
    (folder / "link").symlink_to(tmp_path / "away")
    (folder / "e.txt").symlink_to(tmp_path / "a.txt")
    for file in (tmp_path / "a.txt", folder / ".." / "a.txt", folder / "link" / "b.txt", folder / "sub", folder / "x"):
        with pytest.raises(RefusedUploadError):
            uploads.delete(file)
    for file in (folder / "c.txt", folder / "sub" / "d.txt", folder / "e.txt"):
        uploads.delete(file)
    assert (tmp_path / "a.txt").exists() and (tmp_path / "away" / "b.txt").exists()
    assert names(uploads) == {"sub", "link"}


# -- which folder -------------------------------------------------------------------------------


def test_the_folder_is_within_one_of_the_documents_or_one_of_its_own(tmp_path: Path) -> None:
    documents = tmp_path / "documents"
    (documents / ".hidden").mkdir(parents=True)
    (documents / "drafts").mkdir()
    (documents / ".footnoteignore").write_text("drafts/\n")
    assert open_uploads(documents, [documents]) == (documents, True)
    assert open_uploads(documents / "new", [documents]) == (documents / "new", True)
    assert open_uploads(tmp_path / "other", [documents]) == (tmp_path / "other", False)
    for wrong, why in (
        (documents / ".hidden", "passed over"),
        (documents / "drafts", "passed over"),
        (tmp_path, "lies in it"),
        (tmp_path / "missing" / "below", "cannot be the folder"),
        (documents / ".footnoteignore", "cannot be the folder"),
    ):
        with pytest.raises(InputError, match=why):
            open_uploads(wrong, [documents])


# -- pasted text --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "text", "name"),
    [
        ("Minutes", "We met.", "Minutes.txt"),
        ("", "We met.\nThen we left.", "We met.txt"),
        ("  ", "\n\n# Notes of May\n\nWe met.", "Notes of May.md"),
        ("A/B test", "- one\n- two", "A-B test.md"),
        ("Prices", "| a | b |\n|---|---|\n| 1 | 2 |", "Prices.md"),
        ("../../x", "We met.", "-..-x.txt"),
    ],
)
def test_pasted_text_becomes_a_file(uploads: Uploads, title: str, text: str, name: str) -> None:
    file = uploads.save(*write_pasted(title, text))
    assert file.name == name
    assert load(file, file.name).text == text


def test_without_text_there_is_nothing_to_keep() -> None:
    with pytest.raises(RefusedUploadError, match="paste some"):
        write_pasted("Title", " \n-- ")
