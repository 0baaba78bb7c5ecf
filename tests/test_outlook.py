"""Outlook messages: what they say, what is attached, and files that are none."""

from __future__ import annotations

import random
import struct
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from made_files import Tree, make_compound, make_outlook, make_pdf, read
from test_enclosed import make_message, texts_in

from index.loading.formats.outlook import unpack_rich_text
from index.loading.loader import UnreadableError

_SENT = int((datetime(2025, 5, 13, 8, 30, tzinfo=UTC) - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds()) * 10**7
_FERRY: dict[str, str | bytes] = {
    "001A": "IPM.Note",
    "0037": "Die Fähre — geändert",
    "0C1A": "Ida Müller",
    "0C1F": "/o=Example/ou=First/cn=ida",
    "5D01": "ida@example.org",
    "1000": "It leaves at noon.\r\n\r\nNobody was told.\r\n",
}


def test_a_message_says_who_wrote_when_to_whom(tmp_path: Path) -> None:
    tree = make_outlook(
        _FERRY,
        {0x0039: _SENT},
        recipients=[
            (1, {"3001": "Ben", "39FE": "ben@example.org"}),
            (2, {"3001": "carl@example.org", "3003": "carl@example.org"}),
            (1, {"3001": "Dora", "3003": "/o=Example/cn=dora"}),
            (3, {"3001": "Hidden", "39FE": "hidden@example.org"}),
        ],
    )
    document = read(tmp_path, "a.msg", make_compound(tree))
    assert (document.title, document.date, document.unread) == ("Die Fähre — geändert", "2025-05-13", "")
    assert document.text == (
        "# Die Fähre — geändert\n\n- From: Ida Müller <ida@example.org>\n- To: Ben <ben@example.org>, Dora\n"
        "- Cc: carl@example.org\n- Date: Tue, 13 May 2025 08:30:00 +0000\n\nIt leaves at noon.\n\nNobody was told."
    )


def test_the_header_that_a_message_came_with_is_believed_first(tmp_path: Path) -> None:
    header = "From: =?utf-8?q?Ida_M=C3=BCller?= <ida@example.org>\r\nTo: all@example.org\r\n"
    header += "Date: Tue, 13 May 2025 10:30:00 +0200\r\n\r\n"
    tree = make_outlook({**_FERRY, "007D": header, "0E03": "Ben"}, {0x0039: 0})
    document = read(tmp_path, "a.msg", make_compound(tree))
    assert document.date == "2025-05-13"
    assert document.text.startswith(
        "# Die Fähre — geändert\n\n- From: Ida Müller <ida@example.org>\n- To: all@example.org\n- Cc: Ben\n"
        "- Date: Tue, 13 May 2025 10:30:00 +0200\n\n"
    )


def pack_plainly(rich: bytes) -> bytes:
    """Rich text as Outlook packs it, all of it literally."""
    body = b"".join(b"\0" + rich[place : place + 8] for place in range(0, len(rich), 8))
    return struct.pack("<II4sI", len(body) + 12, len(rich), b"LZFu", 0) + body


@pytest.mark.parametrize(
    ("body", "numbers"),
    [
        ({"1000001E": "Où ? À Zürich.".encode("cp1252")}, {0x3FFD: 1252}),
        ({"1000001E": "Où ? À Zürich.".encode("cp850")}, {0x3FFD: 850}),
        ({"1000001E": "Où ? À Zürich.".encode()}, {0x3FDE: 65001}),
        ({"1000001E": "Où ? À Zürich.".encode()}, {0x3FFD: 99999}),
        ({"1013": "<html><body><p>Où ? À <b>Zürich</b>.</p></body></html>"}, {}),
        ({"10130102": "<html><meta charset='utf-8'><p>Où ? À Zürich.</p></html>".encode()}, {}),
        ({"10090102": pack_plainly(rb"{\rtf1\ansi\ansicpg1252 O\'f9 ? \'c0 Z\'fcrich.\par}")}, {}),
        ({"10090102": struct.pack("<II4sI", 50, 50, b"MELA", 0) + rb"{\rtf1 O\'f9 ? \'c0 Z\'fcrich.}"}, {}),
    ],
    ids=range(8),
)
def test_a_text_in_any_of_its_forms_is_read(
    tmp_path: Path, body: dict[str, str | bytes], numbers: dict[int, int]
) -> None:
    tree = make_outlook({"0037": "The ferry", **body}, numbers)
    assert read(tmp_path, "a.msg", make_compound(tree)).text == "# The ferry\n\nOù ? À Zürich."


def test_packed_rich_text_is_unpacked_as_its_specification_says() -> None:
    # The two examples of [MS-OXRTFCP], section 4.
    packed = "2d0000002b0000004c5a4675f1c5c7a703000a00726370673132354232 0af32068656c090020627705b06c647d0a800fa0"
    assert unpack_rich_text(bytes.fromhex(packed)) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    packed = "1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0"
    assert unpack_rich_text(bytes.fromhex(packed)) == b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"


def test_attachments_are_documents_and_messages_within_stay_in_the_text(tmp_path: Path) -> None:
    inner = make_outlook({"0037": "Inner", "1000": "It was said before."}, head_bytes=24)
    deep = make_outlook(
        {"0037": "Outer", "1000": "See below."},
        attachments=[{"3707": "note.txt", "37010102": b"It sank."}, {"3001": "Inner", "3701000D": inner}],
        head_bytes=24,
    )
    tree = make_outlook(
        _FERRY,
        attachments=[
            {"3707": "a long name.pdf", "3704": "ALONGN~1.PDF", "37010102": make_pdf(["It leaves at noon."]) * 1},
            {"3704": "NOTE.TXT", "37010102": b"He went."},
            {"3707": "logo.png", "370E": "image/png", "37010102": b"\x89PNG\r\n\x1a\n"},
            {"3707": "broken.bin", "37010102": b"\0\1"},
            {"3707": "old.eml", "37010102": make_message({"last.txt": "It sank."}).as_bytes()},
            {"3001": "Outer", "3701000D": deep},
            {"3001": "A drawing", "3701000D": {"CONTENTS": b"x"}},
            {"3707": "../../note.txt", "37010102": b"He came."},
        ],
    )
    document = read(tmp_path, "a.msg", make_compound(tree))
    assert document.text.endswith(
        "Nobody was told.\n\nAttachment: a long name.pdf\n\nAttachment: NOTE.TXT\n\nAttachment: logo.png\n\n"
        "Attachment: broken.bin\n\nAttachment: old.eml\n\n## Outer\n\nSee below.\n\nAttachment: note.txt\n\n"
        "### Inner\n\nIt was said before.\n\nAttachment: A drawing\n\nAttachment: ../../note.txt"
    )
    assert document.unread == "the attachment broken.bin, the attachment A drawing"
    texts = texts_in(document)
    assert texts.pop("old.eml").startswith("# The ferry")
    assert texts == {
        "a long name.pdf": "It leaves at noon.",
        "NOTE.TXT": "He went.",
        "old.eml/last.txt": "It sank.\n",
        "note.txt": "It sank.",
        "note (2).txt": "He came.",
    }


def test_an_outlook_message_in_a_mail_and_a_large_one(tmp_path: Path) -> None:
    body = "\r\n\r\n".join(f"He went {number} times." for number in range(2_000))
    content = make_compound(make_outlook({"0037": "The ferry", "1000": body}))
    document = read(tmp_path, "a.eml", make_message({"b.msg": content}).as_bytes())
    assert texts_in(document)["b.msg"] == "# The ferry\n\n" + body.replace("\r\n\r\n", "\n\n")


def test_a_word_file_of_before_2007_that_is_attached_does_not_make_the_message_one(tmp_path: Path) -> None:
    word = make_compound({"WordDocument": b"x"})
    tree = make_outlook(_FERRY, attachments=[{"3707": "a.doc", "37010102": word}])
    document = read(tmp_path, "a.msg", make_compound(tree))
    assert (document.title, document.unread) == ("Die Fähre — geändert", "the attachment a.doc")
    with pytest.raises(UnreadableError, match="Word of before 2007"):
        read(tmp_path, "a.doc", make_compound({"WordDocument": b"x", "ObjectPool": make_outlook(_FERRY)}))


@pytest.mark.parametrize("kind", ["IPM.Note.SMIME", "IPM.Note.rpmsg.Microsoft.Voicemail"])
def test_an_encrypted_message_is_refused(tmp_path: Path, kind: str) -> None:
    with pytest.raises(UnreadableError, match=r"^encrypted$"):
        read(tmp_path, "a.msg", make_compound(make_outlook({**_FERRY, "001A": kind})))


def test_messages_within_messages_have_an_end(tmp_path: Path) -> None:
    tree: Tree = make_outlook({"0037": "Last", "1000": "He went."}, head_bytes=24)
    for _ in range(15):
        tree = make_outlook({"0037": "x"}, attachments=[{"3001": "x", "3701000D": tree}], head_bytes=24)
    document = read(tmp_path, "a.msg", make_compound({**tree, "__properties_version1.0": bytes(32)}))
    assert document.unread == "messages within messages, more than 10 deep"


def test_a_message_that_is_cut_off_or_scribbled_over_is_read_or_refused(tmp_path: Path) -> None:
    tree = make_outlook(_FERRY, {0x0039: _SENT}, attachments=[{"3707": "a.txt", "37010102": b"He went. " * 1_000}])
    content = make_compound({**tree, "__substg1.0_10090102": pack_plainly(rb"{\rtf1 He went.}")})
    chance = random.Random(3)
    outcomes = set()
    for _ in range(300):
        spoilt = bytearray(content[: chance.choice([len(content), chance.randrange(len(content))])])
        for _ in range(chance.randint(0, 8)):
            if spoilt:
                spoilt[chance.randrange(len(spoilt))] = chance.choice([0, 1, 255, chance.randrange(256)])
        try:
            outcomes.add(bool(read(tmp_path, "a.msg", bytes(spoilt)).text))
        except UnreadableError as error:
            outcomes.add(str(error).partition(" (")[0])
        except RecursionError:
            outcomes.add("too deep")  # which the child that loads makes a reason of
    assert {True, "damaged"} <= outcomes


def test_rich_text_that_is_scribbled_over_ends(tmp_path: Path) -> None:
    chance = random.Random(5)
    for size in (0, 10, 1_000):
        for _ in range(100):
            packed = struct.pack("<II4sI", size, 2**32 - 1, b"LZFu", 0) + chance.randbytes(size)
            with suppress(UnreadableError):
                assert len(unpack_rich_text(packed)) <= 9 * size + 17
