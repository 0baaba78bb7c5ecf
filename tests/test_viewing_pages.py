"""Pages as pictures, and where words stand on them: exact, of the very file that was read, and within limits."""

from __future__ import annotations

import hashlib
import io
import os
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from made_files import deflate, make_pdf, make_zip
from PIL import Image, ImageChops, ImageDraw, ImageFont

from index.documents import Document, page_at
from index.loading.formats.blocks import Blocks
from index.loading.formats.recognition import Line
from index.loading.formats.scan import write_lines
from index.loading.loader import load
from index.loading.recognised import FOLDER, Recognised
from index.viewing import child, drawing
from index.viewing.child import BusyError, Child, ChildError
from index.viewing.drawing import Box, ChangedError, Drawing, PageError, Place, Source, UndrawableError

MAIL = (
    "From: Ann <ann@example.org>\nTo: Bob <bob@example.org>\nSubject: The plan\nMIME-Version: 1.0\n"
    'Content-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/plain\n\nSee the plan.\n--b\n'
    'Content-Type: application/pdf; name="plan.pdf"\nContent-Disposition: attachment; filename="plan.pdf"\n'
    "Content-Transfer-Encoding: base64\n\n{}\n--b--\n"
)


@pytest.fixture(scope="module")
def pages() -> Iterator[Drawing]:
    drawing = Drawing()
    yield drawing
    drawing.close()


def save(folder: Path, name: str, content: bytes) -> Source:
    (folder / name).write_bytes(content)
    return Source(folder, name, hashlib.sha256(content).hexdigest(), folder / "stores")


def document_of(source: Source) -> Document:
    return load(source.folder / source.path, source.path)


def place_of(document: Document, words: str) -> Place:
    start = document.text.index(words)
    return place_at(document, start, start + len(words))


def place_at(document: Document, start: int, end: int) -> Place:
    pages = document.pages
    first, last = page_at(pages, start) or 1, page_at(pages, end - 1) or 1
    begin = pages[first - 1] if pages else 0
    stop = pages[last] if last < len(pages) else len(document.text)
    return Place(start, end, document.text[begin:stop], begin, first, last)


def as_read(text: str, words: str) -> Place:
    """Words of a text that is said to have been read from a picture."""
    start = text.index(words)
    return Place(start, start + len(words), text, 0)


def picture_of(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content)).convert("L")


def ink_within(picture: Image.Image) -> tuple[float, float, float, float]:
    """The edges of all that is dark: left, top, right and bottom, as fractions of the page."""
    left, top, right, bottom = picture.point(lambda shade: 255 * (shade < 128)).getbbox() or (0, 0, 0, 0)
    return left / picture.width, top / picture.height, right / picture.width, bottom / picture.height


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", ["", "/CropBox [60 500 400 780]"])
def test_the_box_of_a_word_is_where_its_ink_is(tmp_path: Path, pages: Drawing, turn: int, crop: str) -> None:
    # Only these words are on the page, so that where the ink is tells where they are.
    content = make_pdf(["The ferry leaves at nine."]).replace(b"/MediaBox", f"/Rotate {turn} {crop} /MediaBox".encode())
    source = save(tmp_path, "a.pdf", content)
    document = document_of(source)
    (box,) = pages.locate(source, [place_of(document, "The ferry leaves at nine.")])
    picture = picture_of(pages.draw(source, 1, 2.0))
    left, top, right, bottom = ink_within(picture)
    assert box.page == 1
    near = 0.02
    assert box.left - near / 4 <= left and right <= box.left + box.width + near / 4
    assert box.top - near / 4 <= top and bottom <= box.top + box.height + near / 4
    assert box.width < right - left + near
    assert box.height < bottom - top + near
    ((width, height),) = pages.measure(source)
    assert width / height == pytest.approx(picture.width / picture.height, rel=0.01)


def test_a_word_of_many_is_the_one_that_is_marked(tmp_path: Path, pages: Drawing) -> None:
    source = save(tmp_path, "a.pdf", make_pdf([f"Line {n} of one.\nThe word {n}." for n in range(30)]))
    document = document_of(source)
    (box,) = pages.locate(source, [place_of(document, "word 17")])
    assert box.page == 18
    picture = picture_of(pages.draw(source, 18, 2.0))
    size = picture.size
    edges = box.left * size[0], box.top * size[1], (box.left + box.width) * size[0], (box.top + box.height) * size[1]
    inside = picture.crop(tuple(map(round, edges)))
    assert inside.getextrema()[0] < 100
    # What is beside it on its line is dark too; above and below there is nothing.
    assert picture.crop((0, round(edges[3]) + 2, size[0], size[1])).getextrema()[0] > 200


def test_a_place_over_two_pages_has_boxes_on_both(tmp_path: Path, pages: Drawing) -> None:
    source = save(tmp_path, "a.pdf", make_pdf(["The first page ends.", "The second begins."]))
    document = document_of(source)
    boxes = pages.locate(source, [place_at(document, 0, len(document.text)), place_of(document, "second")])
    text = document.text
    assert [(box.page, box.start, box.end) for box in boxes] == [
        (1, 0, len(text)), (2, 0, len(text)), (2, text.index("second"), text.index("second") + 6)
    ]  # fmt: skip


def test_words_that_pages_repeat_are_told_apart_though_only_some_pages_are_read(tmp_path: Path, pages: Drawing) -> None:
    # What all pages tell: which lines they repeat, and which words a line's end has broken.
    bodies = [
        f"Report of the year\nPart {n} says mainte-\nnance. It says so. It says so again.\nIt ends." for n in range(40)
    ]
    source = save(tmp_path, "a.pdf", make_pdf([*bodies, "The maintenance is the last word."]))
    document = document_of(source)
    for page in (1, 2, 21, 40):
        start, stop = document.pages[page - 1], document.pages[page]
        at = document.text.index("says so", start, stop)
        places = [place_at(document, at, at + 7)]
        at = document.text.index("says so", at + 1, stop)
        places.append(place_at(document, at, at + 7))
        first, second = pages.locate(source, places)
        assert first.page == second.page == page
        with pypdfium2.PdfDocument((tmp_path / "a.pdf").read_bytes()) as pdf:
            searcher = pdf[page - 1].get_textpage().search("says so")
            for box in (first, second):
                left, _, right, _ = searcher.textpage.get_charbox(searcher.get_next()[0], loose=True)
                assert box.left <= left / 612 + 0.002 <= right / 612 <= box.left + box.width


def test_other_words_than_those_that_were_read_have_no_box(tmp_path: Path, pages: Drawing) -> None:
    source = save(tmp_path, "a.pdf", make_pdf(["The ferry leaves at nine."]))
    assert pages.locate(source, [Place(0, 9, "The barge leaves at nine.", 0)]) == []


@pytest.mark.parametrize("deep", [False, True])
def test_a_pdf_within_a_mail_is_drawn_as_it_is_alone(tmp_path: Path, pages: Drawing, deep: bool) -> None:
    import base64

    alone = save(tmp_path, "a.pdf", make_pdf(["The plan is simple.", "It has two pages."]))
    mail = MAIL.format(base64.encodebytes((tmp_path / "a.pdf").read_bytes()).decode()).encode()
    name, content = ("all.zip", make_zip({"x.txt": "One.", "in/a.eml": mail})) if deep else ("a.eml", mail)
    outer = save(tmp_path, name, content)
    inner = next(d for d in document_of(outer).enclosed if d.path.endswith(".pdf"))
    source = Source(tmp_path, inner.path, inner.content_hash, tmp_path)
    assert pages.draw(source, 2, 1.0) == pages.draw(alone, 2, 1.0)
    (box,) = pages.locate(source, [place_of(inner, "two pages")])
    assert box == pages.locate(alone, [place_of(inner, "two pages")])[0]
    assert box.page == 2


def test_a_form_is_drawn_as_filled_in_also_after_its_text_was_traced(tmp_path: Path, pages: Drawing) -> None:
    from test_pdf import draw_pdf, field, show

    content = draw_pdf(show("Name:", 72, 690), annotations=[field("Tx", "f1", "/V (Karl Aster)", 110, 690)])
    source = save(tmp_path, "a.pdf", content)
    before = pages.draw(source, 1, 1.0)
    document = document_of(source)
    (box,) = pages.locate(source, [place_of(document, "Karl")])
    assert box.left == pytest.approx(110 / 612, abs=0.01)
    assert pages.draw(source, 1, 1.0) == before


# -- pictures ---------------------------------------------------------------------------------


def draw_words(*lines: str, size: tuple[int, int] = (600, 300)) -> Image.Image:
    image = Image.new("RGB", size, "white")
    for number, line in enumerate(lines):
        ImageDraw.Draw(image).text((40, 40 + 80 * number), line, "black", ImageFont.load_default(30))
    return image


def to_bytes(*images: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    stream = io.BytesIO()
    more = {"save_all": True, "append_images": images[1:]} if len(images) > 1 else {}
    images[0].save(stream, form, **more, **options)
    return stream.getvalue()


def remember(source: Source, number: int, *lines: Line) -> None:
    """Have lines be known as those of a picture in a file, as if they had been recognised."""
    recognised = Recognised(source.stores / FOLDER)
    label = f"{source.content_hash}-{number}"
    recognised.keep(recognised.name(source.content_hash, label), list(lines))


def line(text: str, left: float, top: float, right: float, bottom: float) -> Line:
    return Line(text, (left, top, right, top, right, bottom, left, bottom))


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP", "TIFF"])
def test_a_picture_is_drawn_and_its_lines_are_those_that_were_recognised(
    tmp_path: Path, pages: Drawing, form: str
) -> None:
    source = save(tmp_path, f"a.{form.lower()}", to_bytes(draw_words("The first.", "The second."), form=form))
    lines = [line("The first.", 40, 40, 200, 80), line("The second.", 40, 120, 220, 160)]
    remember(source, 0, *lines)
    blocks = Blocks()
    write_lines(blocks, lines)
    picture = picture_of(pages.draw(source, 1, 1.5))
    assert picture.size == (600, 300)  # never larger than it is
    assert pages.measure(source) == [(600, 300)]
    (box,) = pages.locate(source, [as_read(blocks.text, "second")])
    assert (box.page, box.left, box.top) == (1, pytest.approx(40 / 600), pytest.approx(120 / 300))
    assert (box.width, box.height) == (pytest.approx(180 / 600), pytest.approx(40 / 300))
    ink = ink_within(picture)
    assert ink[0] >= 40 / 600 - 0.01


def test_pages_of_a_tiff_are_pages(tmp_path: Path, pages: Drawing) -> None:
    source = save(tmp_path, "a.tiff", to_bytes(draw_words("One."), draw_words("Two.", size=(300, 600)), form="TIFF"))
    remember(source, 0, line("One.", 40, 40, 100, 80))
    remember(source, 1, line("Two.", 40, 40, 100, 80))
    assert pages.measure(source) == [(600, 300), (300, 600)]
    assert picture_of(pages.draw(source, 2, 0.5)).size == (210, 421)
    (box,) = pages.locate(source, [Place(6, 10, "One.\n\nTwo.", 0)])
    assert (box.page, box.left) == (2, pytest.approx(40 / 300))
    with pytest.raises(PageError):
        pages.draw(source, 3, 1.0)


def test_a_photograph_that_lies_on_its_side_is_shown_upright(tmp_path: Path, pages: Drawing) -> None:
    upright = draw_words("The ferry.", size=(300, 600))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter, clockwise
    content = to_bytes(upright.rotate(90, expand=True), form="JPEG", exif=exif, quality=95)
    source = save(tmp_path, "a.jpg", content)
    assert pages.measure(source) == [(300, 600)]
    picture = picture_of(pages.draw(source, 1, 1.0))
    assert ImageChops.difference(picture, upright.convert("L")).histogram()[100:] == [0] * 156


def test_scanned_pages_have_the_boxes_of_the_lines_that_were_recognised(tmp_path: Path, pages: Drawing) -> None:
    source = save(tmp_path, "a.pdf", to_bytes(draw_words("The ferry leaves at nine."), form="PDF", resolution=72))
    assert pages.locate(source, [Place(0, 9, "The ferry leaves at nine.", 0)]) == []  # nothing is recognised for this
    remember(source, 0, line("The ferry leaves at nine.", 40, 40, 420, 80))
    (box,) = pages.locate(source, [Place(0, 9, "The ferry leaves at nine.", 0)])
    assert (box.page, box.left, box.top) == (1, pytest.approx(40 / 600, abs=1e-5), pytest.approx(40 / 300, abs=1e-5))


# -- what has changed, what is not there, what is hostile -------------------------------------


def test_a_file_that_has_changed_is_not_drawn(tmp_path: Path, pages: Drawing) -> None:
    source = save(tmp_path, "a.pdf", make_pdf(["The first."]))
    assert pages.draw(source, 1, 1.0)
    save(tmp_path, "a.pdf", make_pdf(["The other."]))
    for ask in (lambda: pages.draw(source, 1, 1.0), lambda: pages.locate(source, []), lambda: pages.measure(source)):
        with pytest.raises(ChangedError):
            ask()
    (tmp_path / "a.pdf").unlink()
    with pytest.raises(ChangedError):
        pages.draw(source, 1, 1.0)


def test_an_attachment_that_the_mail_has_no_more_is_not_drawn(tmp_path: Path, pages: Drawing) -> None:
    save(tmp_path, "a.eml", MAIL.format("").encode())
    with pytest.raises(ChangedError):
        pages.draw(Source(tmp_path, "a.eml/plan.pdf", "0" * 64, tmp_path), 1, 1.0)


@pytest.mark.parametrize("page", [0, -1, 2, 10**9])
def test_a_page_that_is_not_there_is_said_to_be_none(tmp_path: Path, pages: Drawing, page: int) -> None:
    source = save(tmp_path, "a.pdf", make_pdf(["The only one."]))
    with pytest.raises(PageError):
        pages.draw(source, page, 1.0)


def test_nothing_out_of_the_folder_is_opened(tmp_path: Path, pages: Drawing) -> None:
    folder = tmp_path / "folder"
    (folder / "in").mkdir(parents=True)
    outside = save(tmp_path, "secret.pdf", make_pdf(["The secret."]))
    (folder / "link.pdf").symlink_to(tmp_path / "secret.pdf")
    (folder / "away").symlink_to(tmp_path)
    (folder / "in" / "fifo.pdf").mkdir()
    os.mkfifo(folder / "pipe.pdf")
    paths = "../secret.pdf in/../../secret.pdf link.pdf away/secret.pdf /secret.pdf in in/fifo.pdf pipe.pdf none.pdf"
    for path in [*paths.split(), os.fspath(tmp_path / "secret.pdf"), ""]:
        with pytest.raises(ChangedError):
            pages.draw(Source(folder, path, outside.content_hash, tmp_path), 1, 1.0)
    (folder / "a.pdf").write_bytes((tmp_path / "secret.pdf").read_bytes())
    (folder / "within.pdf").symlink_to(folder / "a.pdf")
    assert pages.draw(Source(folder, "within.pdf", outside.content_hash, tmp_path), 1, 1.0)


def test_however_large_a_page_or_a_scale_is_the_picture_is_not(tmp_path: Path, pages: Drawing) -> None:
    source = save(tmp_path, "a.pdf", make_pdf(["Large."]).replace(b"[0 0 612 792]", b"[0 0 14400 14400]"))
    for scale in (6.0, 1e9, 1.0):
        picture = picture_of(pages.draw(source, 1, scale))
        assert picture.width * picture.height <= 8_100_000
    thin = save(tmp_path, "b.pdf", make_pdf(["Thin."]).replace(b"[0 0 612 792]", b"[0 0 14400 1]"))
    assert picture_of(pages.draw(thin, 1, 6.0)).width <= 5_001


def test_what_is_no_pdf_is_said_to_be_none(tmp_path: Path, pages: Drawing) -> None:
    for content in (b"%PDF-1.7\n", b"%PDF-1.7 " + bytes(range(256)) * 50, b"Just words.", b"\x89PNG\r\n\x1a\n", b""):
        with pytest.raises(UndrawableError):
            pages.draw(save(tmp_path, "a.pdf", content), 1, 1.0)
    assert pages.draw(save(tmp_path, "b.pdf", make_pdf(["It goes on."])), 1, 1.0)


def test_a_picture_of_too_many_pixels_is_not_decoded(tmp_path: Path, pages: Drawing) -> None:
    small = to_bytes(Image.new("1", (100, 100)))
    head = small[12:16] + (30_000).to_bytes(4) * 2 + small[24:29]
    content = small[:12] + head + zlib.crc32(head).to_bytes(4) + small[33:]
    with pytest.raises(UndrawableError):
        pages.draw(save(tmp_path, "a.png", content), 1, 1.0)


def test_a_bomb_ends_its_child_within_its_limits_and_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bomb = make_pdf(
        [deflate(b"0 0 m " + b"9 9 l " * 12_000_000 + b"S", 2)], filters="/Filter [/FlateDecode /FlateDecode]"
    )
    assert len(bomb) < 20_000
    pages = Drawing()
    try:
        good = save(tmp_path, "good.pdf", make_pdf(["It goes on."]))
        before = pages.draw(good, 1, 1.0)
        with monkeypatch.context() as patched, pytest.raises(UndrawableError):
            patched.setattr(drawing, "DRAW_SECONDS", 1.0)
            begun = time.monotonic()
            pages.draw(save(tmp_path, "bomb.pdf", bomb), 1, 1.0)
        assert time.monotonic() - begun < 30
        assert pages.draw(good, 1, 1.0) == before
    finally:
        pages.close()


# -- the child --------------------------------------------------------------------------------


def answer(request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """What the child of these tests answers."""
    match request["do"]:
        case "sleep":
            time.sleep(60)
        case "swell":
            return {"size": len(bytearray(4_000_000_000))}, b""
        case "crash":
            os.abort()
        case "garble":
            os.write(request["at"], b"\xff" * 100)
    return {"process": os.getpid()}, b"body"


@pytest.fixture
def helper(monkeypatch: pytest.MonkeyPatch) -> Iterator[Child]:
    monkeypatch.setenv("PYTHONPATH", os.fspath(Path(__file__).parent))
    helper = Child("test_viewing_pages", idle_seconds=30)
    yield helper
    helper.close()


def test_the_child_stays_and_is_made_anew_where_it_ended(helper: Child) -> None:
    first = helper.ask({"do": "tell"}, 30)
    assert helper.ask({"do": "tell"}, 30) == first
    assert first[1] == b"body"
    for ending in ("sleep", "swell", "crash"):
        with pytest.raises(ChildError):
            helper.ask({"do": ending}, 2 if ending == "sleep" else 30)
        assert helper.ask({"do": "tell"}, 30)[0]["process"] != first[0]["process"]


def test_an_idle_child_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.fspath(Path(__file__).parent))
    helper = Child("test_viewing_pages", idle_seconds=0.1)
    process = helper.ask({"do": "tell"}, 30)[0]["process"]
    until = time.monotonic() + 10
    while Path(f"/proc/{process}").exists() and time.monotonic() < until:
        time.sleep(0.02)
    assert not Path(f"/proc/{process}").exists()
    assert helper.ask({"do": "tell"}, 30)[0]["process"] != process
    helper.close()


def test_who_waits_too_long_is_told_so(helper: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    from concurrent.futures import ThreadPoolExecutor

    helper.ask({"do": "tell"}, 30)
    with ThreadPoolExecutor(20) as threads:
        sleeping = threads.submit(helper.ask, {"do": "sleep"}, 3)
        time.sleep(0.2)
        asked = [threads.submit(helper.ask, {"do": "tell"}, 30, 0.1) for _ in range(19)]
        assert all(isinstance(one.exception(), BusyError) for one in asked)
        assert isinstance(sleeping.exception(), ChildError)
    assert child._MOST_WAITING < 19


@pytest.mark.parametrize(
    "boxes",
    [None, {}, [[0, 5, 1, [0, 0, 2, 1]]], [[0, 5, 0, [0, 0, 1, 1]]], [[1, 5, 1, [0, 0, 1, 1]]], [[0, 5, 1, "x"]], [7],
     [[0, 5, 1, [float("nan"), 0, 1, 1]]]],
)  # fmt: skip
def test_boxes_that_make_no_sense_are_none(
    tmp_path: Path, boxes: object, monkeypatch: pytest.MonkeyPatch, pages: Drawing
) -> None:
    source = save(tmp_path, "a.pdf", make_pdf(["Words."]))
    monkeypatch.setattr(Child, "ask", lambda *_: ({"boxes": boxes}, b""))
    with pytest.raises(UndrawableError):
        pages.locate(source, [Place(0, 5, "Words.", 0)])
    monkeypatch.setattr(Child, "ask", lambda *_: ({"boxes": [[0, 5, 1, [0, 0.5, 1, 0.25]]]}, b""))
    assert pages.locate(source, [Place(0, 5, "Words.", 0)]) == [Box(0, 5, 1, 0, 0.5, 1, 0.25)]
