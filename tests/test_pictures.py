"""Scanned pages and pictures, really recognised. Each page takes seconds, so there are few."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
import textwrap
import zlib
from pathlib import Path

import pytest
from hashed import HashEmbedding, open_store, rows
from made_files import make_pdf, make_zip
from test_enclosed import make_message

from index.documents import Progress
from index.library import finish
from index.loading.formats.blocks import Blocks
from index.loading.formats.recognition import Line, WaitError, check_lines, find_engine
from index.loading.formats.scan import write_lines
from index.loading.loader import UnreadableError
from index.loading.recognised import MOST_BYTES, Recognised
from index.loading.worker import Loader
from index.plan import SyncReport
from index.sync import sync

pytestmark = pytest.mark.skipif(not find_engine(), reason="recognises real pages: install footnote[ocr]")

WORDS = "The ferry leaves at 7.45 from pier 12."
ROOT = Path(__file__).resolve().parent.parent


def draw(lines: list[tuple[int, int, str]], size: tuple[int, int] = (900, 300)) -> object:
    """A picture of black words on white, each line where it is said."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("L", size, 255)
    for x, y, text in lines:
        ImageDraw.Draw(image).text((x, y), text, font=ImageFont.load_default(28), fill=0)
    return image


def scan(*pages: str) -> list[object]:
    return [draw([(60, 80, page)]) for page in pages]


def save(images: list[object], file: Path, **options: object) -> Path:
    first, *others = images
    first.save(file, **({"save_all": True, "append_images": others} if others else {}), **options)
    return file


def read(file: Path) -> object:
    with Loader() as loader:
        return loader.load(file, file.name)


def refuse(file: Path) -> str:
    with Loader() as loader, pytest.raises(UnreadableError) as raised:
        loader.load(file, file.name)
    return str(raised.value)


def walk(folder: Path, stores: Path) -> tuple[list[str], SyncReport]:
    """What a sync says that it recognises, and its report."""
    store = open_store(folder, stores)
    events: list[str] = []

    def listen() -> object:
        report = yield from sync(folder, store, HashEmbedding())
        return report

    steps = listen()
    while True:
        try:
            event = next(steps)
            assert isinstance(event, Progress)
            events.append(event.message)
        except StopIteration as end:
            store.close()
            return [event for event in events if event.startswith("Reading")], end.value


# -- what is read -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.bmp", "a.tiff"])
def test_a_picture_is_read_whatever_its_suffix_says(tmp_path: Path, name: str) -> None:
    file = save(scan(WORDS), tmp_path / name)
    assert read(file.rename(tmp_path / "notes.txt")).text == WORDS


def test_a_picture_is_turned_as_its_camera_says_and_lies_on_white(tmp_path: Path) -> None:
    from PIL import Image

    (image,) = scan(WORDS)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    turned = image.transpose(Image.Transpose.ROTATE_90)
    assert read(save([turned], tmp_path / "a.jpg", exif=exif)).text == WORDS
    clear = Image.new("RGBA", image.size, (0, 0, 0, 0))
    clear.paste((0, 0, 0, 255), mask=image.point(lambda shade: 255 - shade))
    assert read(save([clear], tmp_path / "a.png")).text == WORDS


def test_a_scanned_pdf_is_read_and_its_other_pages_are_left_as_they_are(tmp_path: Path) -> None:
    import pypdfium2

    save(scan(WORDS, "The second page is about gulls."), tmp_path / "scan.pdf", resolution=110)
    (tmp_path / "text.pdf").write_bytes(make_pdf(["Written, not scanned: Rn1l."]))
    both = pypdfium2.PdfDocument.new()
    for name in ("scan.pdf", "text.pdf"):
        both.import_pages(pypdfium2.PdfDocument(tmp_path / name))
    both.save(tmp_path / "both.pdf")
    document = read(tmp_path / "both.pdf")
    pages = [document.text[a:b].strip() for a, b in zip(document.pages, [*document.pages[1:], None], strict=True)]
    assert pages == [WORDS, "The second page is about gulls.", "Written, not scanned: Rn1l."]
    assert document.unread == ""


def test_the_pages_of_a_tiff_are_pages_and_a_damaged_one_is_told(tmp_path: Path) -> None:
    file = save(scan(WORDS, "A second page of gulls."), tmp_path / "a.tiff", compression="tiff_adobe_deflate")
    document = read(file)
    assert (document.text, document.pages) == (f"{WORDS}\n\nA second page of gulls.", (0, len(WORDS) + 2))
    content = bytearray(file.read_bytes())
    content[100:1100] = bytes(1000)  # within the first page
    file.write_bytes(content)
    document = read(file)
    assert (document.text, document.unread) == ("A second page of gulls.", "1 of 2 pages is damaged")


def test_cells_are_parted_by_tabs(tmp_path: Path) -> None:
    rows = [("Pump", "12", "1,249.00"), ("Sealing ring", "7", "34.80")]
    cells = [(x, 60 + 60 * y, text) for y, row in enumerate(rows) for x, text in zip((60, 400, 600), row, strict=True)]
    assert read(save([draw(cells)], tmp_path / "a.png")).text == "Pump\t12\t1,249.00\nSealing ring\t7\t34.80"


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_a_picture_on_its_side_or_head_is_turned(tmp_path: Path, degrees: int) -> None:
    image = draw(
        [(60, 80, WORDS), (60, 140, "Coat"), (600, 140, "9.50"), (60, 200, "Wool blanket"), (600, 200, "12.00")]
    )
    file = save([image.rotate(degrees, expand=True)], tmp_path / "a.png")
    assert read(file).text == f"{WORDS}\nCoat\t9.50\nWool blanket\t12.00"


def test_the_corners_of_a_turned_picture_are_its_own(tmp_path: Path) -> None:
    from index.loading.formats.recognition import read_lines

    upright = draw([(60, 80, WORDS)])
    width, height = upright.size
    (line,) = read_lines(upright, 1)
    turns = {
        90: lambda x, y: (y, width - x),
        180: lambda x, y: (width - x, height - y),
        270: lambda x, y: (height - y, x),
    }
    for degrees, turn in turns.items():
        (turned,) = read_lines(upright.rotate(degrees, expand=True), 1)
        places = zip(line.corners[::2], line.corners[1::2], strict=True)
        wanted = [number for x, y in places for number in turn(x, y)]
        assert turned.text == WORDS
        assert turned.corners == pytest.approx(wanted, abs=10)


def test_what_can_hardly_be_read_is_not_taken_for_text(tmp_path: Path) -> None:
    from PIL import ImageOps

    image = ImageOps.mirror(draw([(60, 80, WORDS), (60, 140, "Bring a warm coat and a lamp.")]))
    assert refuse(save([image], tmp_path / "a.png")) == "no text that can be read (a picture)"


# -- what is not ------------------------------------------------------------------------------


def test_a_picture_without_text_says_so(tmp_path: Path) -> None:
    assert refuse(save(scan(""), tmp_path / "a.png")) == "no text that can be read (a picture)"
    assert refuse(save([draw([(0, 0, "Ab")], (39, 39))], tmp_path / "b.png")) == "no text that can be read (a picture)"


def test_a_damaged_picture_is_damaged(tmp_path: Path) -> None:
    content = save(scan(WORDS), tmp_path / "a.png").read_bytes()
    (tmp_path / "b.png").write_bytes(content[:60])
    assert refuse(tmp_path / "b.png") == "damaged"


def test_a_picture_too_large_is_not_decoded(tmp_path: Path) -> None:
    def chunk(kind: bytes, value: bytes) -> bytes:
        return struct.pack(">I", len(value)) + kind + value + struct.pack(">I", zlib.crc32(kind + value))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress(bytes(30_001 * 300)))
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + head + rows + chunk(b"IEND", b""))
    assert refuse(tmp_path / "a.png") in (
        "too large (a picture of 900 megapixels; the limit is 50)",
        "too large (a picture)",
    )


def run(code: str) -> str:
    code = textwrap.dedent(code)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=300, check=True
    )
    return done.stdout


def test_without_the_extra_a_picture_is_refused_with_what_to_do(tmp_path: Path) -> None:
    image, pdf = save(scan(WORDS), tmp_path / "a.png"), save(scan(WORDS), tmp_path / "a.pdf")
    said = run(f"""
        import sys
        sys.modules["rapidocr"] = None
        from pathlib import Path
        from index.loading.loader import UnreadableError, load
        for place in {[str(image), str(pdf)]!r}:
            try:
                load(Path(place), "a")
            except UnreadableError as error:
                print(error)
    """)
    assert said.splitlines() == [
        "a picture (to read it, install footnote[ocr])",
        "no text (scanned or drawn; to read it, install footnote[ocr])",
    ]


def test_nothing_is_fetched_and_nothing_is_imported_in_vain(tmp_path: Path) -> None:
    file = save(scan(WORDS), tmp_path / "a.png")
    said = run(f"""
        import sys
        from pathlib import Path
        import index.sync
        print([name for name in ("rapidocr", "cv2", "onnxruntime", "PIL") if name in sys.modules])
        def watch(event, arguments):
            if event.startswith("socket."):
                raise OSError(event)
        sys.addaudithook(watch)
        from index.loading.loader import load
        print(load(Path({str(file)!r}), "a.png").text)
    """)
    assert said.splitlines() == ["[]", WORDS]


# -- within a sync ----------------------------------------------------------------------------


def test_a_scan_waits_until_all_else_can_be_found(folder: Path, stores: Path) -> None:
    save(scan(WORDS), folder / "a.png")
    (folder / "b.txt").write_text("A plain note.")
    store = open_store(folder, stores)
    steps = sync(folder, store, HashEmbedding())
    while not next(steps).message.startswith("Reading a.png"):
        pass
    found = open_store(folder, stores)
    found.refresh()
    assert [record.path for record in found.lexicon.records()] == ["b.txt"]
    assert sorted(finish(steps).added) == ["a.png", "b.txt"]
    assert sorted(record.path for record in store.lexicon.records()) == ["a.png", "b.txt"]
    found.close()
    store.close()


def test_scans_may_be_left_for_the_next_sync(folder: Path, stores: Path) -> None:
    save(scan(WORDS), folder / "a.png")
    store = open_store(folder, stores)
    # Nothing else is there, and yet the folder is not without documents.
    assert finish(sync(folder, store, HashEmbedding(), recognises=False)).count() == 0
    (folder / "b.txt").write_text("A plain note.")
    report = finish(sync(folder, store, HashEmbedding(), recognises=False))
    assert (report.added, report.skipped) == (["b.txt"], {})
    report = finish(sync(folder, store, HashEmbedding()))
    assert (report.added, report.unchanged) == (["a.png"], ["b.txt"])
    store.close()


def test_a_dry_run_recognises_nothing_and_says_what_would_be(folder: Path, stores: Path) -> None:
    save(scan(WORDS), folder / "a.png")
    (folder / "b.txt").write_text("A plain note.")
    store = open_store(folder, stores)
    told = list(sync(folder, store, HashEmbedding(), dry_run=True))
    report = finish(sync(folder, store, HashEmbedding(), dry_run=True))
    store.close()
    assert (told, sorted(report.added), report.skipped) == ([], ["a.png", "b.txt"], {})
    assert walk(folder, stores)[0] == ["Reading a.png"]


def test_a_killed_sync_reads_no_page_again_and_neither_does_a_copy(folder: Path, stores: Path) -> None:
    save(scan(WORDS, "The second page.", "The third page."), folder / "scan.pdf", resolution=110)
    code = f"""
import os, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from hashed import HashEmbedding, open_store, rows
from index.sync import sync
store = open_store(Path({str(folder)!r}), Path({str(stores)!r}))
for progress in sync(Path({str(folder)!r}), store, HashEmbedding()):
    if progress.message == "Reading scan.pdf, page 3 of 3":
        os.kill(os.getpid(), 9)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, timeout=300, check=False).returncode == -9
    told, report = walk(folder, stores)
    assert (told, report.added) == (["Reading scan.pdf, page 3 of 3"], ["scan.pdf"])
    shutil.copy(folder / "scan.pdf", folder / "copy.pdf")
    told, report = walk(folder, stores)
    assert (told, report.added) == ([], ["copy.pdf"])
    (folder / "copy.pdf").rename(folder / "moved.pdf")
    told, report = walk(folder, stores)
    assert (told, report.moved) == ([], ["moved.pdf"])
    for place in stores.iterdir():
        if not place.name.startswith("."):
            shutil.rmtree(place)
    told, report = walk(folder, stores)
    assert (told, report.added) == ([], ["moved.pdf", "scan.pdf"])


def test_a_page_that_takes_too_long_costs_only_itself(tmp_path: Path) -> None:
    save(scan(WORDS, "The second page."), tmp_path / "a.tiff")
    with Loader(recognised=Recognised(tmp_path / "kept")) as loader:
        with pytest.raises(WaitError):
            loader.load(tmp_path / "a.tiff", "a.tiff", waits=True)
        pages = loader.recognise(tmp_path / "a.tiff", "a.tiff")
        assert next(pages) == (1, 2)
        loader.timeout_seconds = 60
        assert loader._child is not None
        loader._child.kill()
        assert list(pages) == [(2, 2)]
        document = loader.load(tmp_path / "a.tiff", "a.tiff", waits=True)
    assert document.text == "The second page."


# -- what is remembered -----------------------------------------------------------------------

LINE = ["Words", [0.0, 0, 50, 0, 50, 10, 0, 10]]


def test_what_is_remembered_damaged_is_as_good_as_missing(tmp_path: Path) -> None:
    kept = Recognised(tmp_path / "kept")
    name = kept.name("0" * 64, "page")
    lines = check_lines([LINE])
    kept.keep(name, lines)
    assert kept.find(name) == Recognised(tmp_path / "kept").find(name) == lines
    (file,) = (tmp_path / "kept").iterdir()
    for damage in ("", "{}", '[["a", [1]]]', "[" * 100_000, json.dumps([["a\x00", LINE[1]]])):
        file.write_text(damage)
        assert kept.find(name) is None
    kept.keep(name, lines)
    assert kept.find(name) == lines


def test_of_too_much_the_oldest_goes(tmp_path: Path) -> None:
    kept = Recognised(tmp_path)
    kept.keep("a" * 64, check_lines([LINE]))
    old = tmp_path / f"{'b' * 64}.json"
    with old.open("wb") as stream:
        stream.truncate(MOST_BYTES)  # takes no room on the disk
    os.utime(old, (1, 1))
    following = Recognised(tmp_path)
    following.keep("c" * 64, check_lines([LINE]))
    assert sorted(file.name[0] for file in tmp_path.iterdir()) == ["a", "c"]


@pytest.mark.parametrize(
    "given",
    [None, {}, [LINE] * 2_001, [["", LINE[1]]], [["a\n", LINE[1]]], [["a", [float("nan")] * 8]], [["a", [1e9] * 8]]],
)
def test_lines_are_looked_at_before_they_are_believed(given: object) -> None:
    with pytest.raises(ValueError, match="no lines"):
        check_lines(given)


# -- lines become text ------------------------------------------------------------------------


def place(text: str, x: float, y: float) -> Line:
    return Line(text, (x, y, x + 6 * len(text), y, x + 6 * len(text), y + 12, x, y + 12))


def compose(*lines: Line) -> str:
    blocks = Blocks()
    write_lines(blocks, lines)
    return blocks.text


def test_columns_are_read_one_after_another_below_their_heading() -> None:
    left = [f"left column, line {number} of it" for number in range(4)]
    right = [f"right column, line {number} of it" for number in range(4)]
    lines = [place("A heading over both of the columns, from left to right", 20, 10)]
    lines += [place(text, 20, 60 + 16 * number) for number, text in enumerate(left)]
    lines += [place(text, 260, 64 + 16 * number) for number, text in enumerate(right)]
    assert compose(*lines).split() == " ".join([lines[0].text, *left, *right]).split()


def test_paragraphs_are_parted_and_broken_words_are_whole() -> None:
    lines = [place("We walk along the main-", 0, 0), place("land for hours.", 0, 16), place("Then we rest.", 0, 60)]
    assert compose(*lines) == "We walk along the mainland for hours.\n\nThen we rest."


def grid(rows: list[tuple[str, ...]], places: tuple[float, ...], top: float = 0, pitch: float = 18) -> list[Line]:
    """The cells of a table, each where its column begins."""
    return [
        place(text, x, top + pitch * number)
        for number, row in enumerate(rows)
        for x, text in zip(places, row, strict=True)
        if text
    ]


def test_an_empty_cell_moves_no_other() -> None:
    rows = [
        ("Article", "Wash", "Iron", "Express"),
        ("Shirt", "2.10", "1.80", "5.00"),
        ("Blanket", "12.00", "", "19.50"),
    ]
    rows += [("", "9.00", "4.00", ""), ("", "", "7.50", "8.50")]
    wanted = ["\t".join(row).rstrip("\t") for row in rows]
    assert compose(*grid(rows, (0, 150, 260, 370))).split("\n") == wanted
    # Whichever way the whole of it is skew.
    for skew in (-0.06, 0.06):
        lines = [
            Line(line.text, tuple(n + skew * line.corners[i - 1] if i % 2 else n for i, n in enumerate(line.corners)))
            for line in grid(rows, (0, 150, 260, 370))
        ]
        assert compose(*lines).split("\n") == wanted


def test_numbers_may_end_where_their_column_ends() -> None:
    rows = [("Pump", "1,249.00", "3"), ("Ring", "4.80", "12"), ("Hose", "", "100")]
    lines = [
        place(text, end - 6 * len(text) if column else 0, 18 * number)
        for number, row in enumerate(rows)
        for column, (end, text) in enumerate(zip((0, 160, 240), row, strict=True))
        if text
    ]
    assert compose(*lines) == "Pump\t1,249.00\t3\nRing\t4.80\t12\nHose\t\t100"


def test_columns_side_by_side_are_told_by_where_they_begin() -> None:
    rows = [("Stairwell", "Meter", "Reading"), ("A", "77120", "341"), ("B", "77121", "298")]
    assert compose(*grid(rows, (0, 62, 100))) == "Stairwell\tMeter\tReading\nA\t77120\t341\nB\t77121\t298"


def test_a_table_below_a_form_has_columns_of_its_own() -> None:
    form = [("Invoice no.", "4711"), ("Date", "3 May 2024"), ("Customer", "Hill & Sons Ltd.")]
    table = [("Article", "Count", "Price"), ("Sealing ring, rubber", "10", "0.50"), ("Freight", "", "8.00")]
    lines = grid(form, (0, 110)) + grid(table, (0, 140, 200), top=54)
    assert compose(*lines).split("\n") == list(map("\t".join, [*form, *table]))


def test_a_row_whose_columns_cannot_be_told_has_no_tabs() -> None:
    rows = [("Article", "2023", "2024"), ("Shirt", "2.10", "1.80"), ("Coat", "9.50", "4.00"), ("Shawl", "7.00", "6.00")]
    lines = grid(rows, (0, 150, 260), top=18)
    lines += [place("Wool", 0, 0), place("prices in euros of both", 150, 0)]
    assert compose(*lines).split("\n") == ["Wool prices in euros of both", *map("\t".join, rows)]


def test_no_lines_are_no_text() -> None:
    assert compose() == ""


def test_a_thousand_lines_anywhere_are_arranged_in_no_time() -> None:
    from random import Random
    from time import monotonic

    chance = Random(1)
    lines = [
        place("word " * chance.randrange(1, 9), chance.random() * 600, chance.random() * 800) for _ in range(2_000)
    ]
    begun = monotonic()
    compose(*lines)
    assert monotonic() - begun < 20


def test_scans_in_an_archive_wait_too_and_are_read(folder: Path, stores: Path) -> None:
    scans = {
        name: save(scan(text), folder / name).read_bytes() for name, text in (("a.png", WORDS), ("b.pdf", "Gulls."))
    }
    for name in scans:
        (folder / name).unlink()
    (folder / "scans.zip").write_bytes(make_zip(scans))
    told, report = walk(folder, stores)
    assert (told, report.added) == (["Reading scans.zip"] * 2, ["scans.zip/a.png", "scans.zip/b.pdf", "scans.zip"])
    assert report.partial == {}
    store = open_store(folder, stores)
    text = " ".join(str(row["text"]) for row in rows(store).values())
    store.close()
    assert WORDS.split()[1] in text
    assert "Gulls" in text


# -- in messages ------------------------------------------------------------------------------


def test_a_picture_that_is_attached_is_a_document_where_it_has_text(folder: Path, stores: Path, tmp_path: Path) -> None:
    message = make_message({"note.txt": "The pier is closed."})
    for name, text in {"photo.bmp": WORDS, "sky.bmp": "", "logo.png": "Brenholm Ferries"}.items():
        content = save(scan(text), tmp_path / name).read_bytes()
        assert (len(content) < 10_000) == (name == "logo.png")
        message.add_attachment(content, maintype="image", subtype=name[-3:], filename=name)
    (folder / "m.eml").write_bytes(message.as_bytes())
    told, report = walk(folder, stores)
    assert told == ["Reading m.eml"] * 2
    assert report.added == ["m.eml/note.txt", "m.eml/photo.bmp", "m.eml"]
    assert report.partial == {}
    assert walk(folder, stores)[1].unchanged == ["m.eml", "m.eml/note.txt", "m.eml/photo.bmp"]
    document = read(folder / "m.eml")
    assert [(inner.path, inner.text) for inner in document.enclosed][1] == ("m.eml/photo.bmp", WORDS)
    assert document.text.endswith("Attachment: photo.bmp\n\nAttachment: sky.bmp\n\nAttachment: logo.png")


@pytest.fixture
def frail() -> type[Loader]:
    """A loader whose child ends at text that says so, or has no memory left."""

    class Frail(Loader):
        _command = """
import os, sys
sys.path.insert(0, sys.argv[1])
from index.loading.formats import recognition, rtf
read_rtf, read_lines = rtf.read_rtf, recognition.read_lines
rtf.read_rtf = lambda content: os._exit(1) if b"crash" in content else read_rtf(content)
def read_frailly(image, unit):
    lines = read_lines(image, unit)
    if any("crash" in line.text for line in lines):
        os._exit(1)
    if any("swell" in line.text for line in lines):
        raise MemoryError
    return lines
recognition.read_lines = read_frailly
from index.loading.worker import serve
serve(float(sys.argv[2]))
"""

    return Frail


@pytest.mark.parametrize("waits", [True, False])
def test_what_ends_the_reader_costs_itself_alone_among_pictures_too(
    tmp_path: Path, frail: type[Loader], waits: bool
) -> None:
    names = {"a": "The first.", "b": "This will crash.", "c": "This will swell.", "d": "The last."}
    pictures = {f"{name}.png": save(scan(text), tmp_path / "drawn.png").read_bytes() for name, text in names.items()}
    rich = {"e.rtf": b"{\\rtf1 crash}", "f.rtf": b"{\\rtf1 He went.}"}
    file = tmp_path / "a.zip"
    file.write_bytes(make_zip({**rich, **pictures, "g.rtf": rich["e.rtf"]}))
    with frail() as loader:
        if waits:
            with pytest.raises(WaitError):
                loader.load(file, "a.zip", waits=True)
            assert list(loader.recognise(file, "a.zip"))[-1] == (1, 1)
        document = loader.load(file, "a.zip", waits=waits)
    texts = {inner.path: inner.text for inner in document.enclosed}
    assert texts == {"a.zip/f.rtf": "He went.", "a.zip/a.png": "The first.", "a.zip/d.png": "The last."}
    assert document.unread == "the file e.rtf, the file b.png, the file c.png, the file g.rtf"


def test_a_file_whose_pages_all_end_the_reader_is_given_up(
    tmp_path: Path, frail: type[Loader], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("index.loading.worker._MOST_FAILED", 2)
    file = save(scan("The first.", *["This will crash."] * 3), tmp_path / "a.tiff")
    with frail() as loader, pytest.raises(UnreadableError, match=r"^took too long$"):
        loader.load(file, "a.tiff")


# -- where it stands --------------------------------------------------------------------------


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_recognised_words_are_located_at_their_line(tmp_path: Path, turn: int) -> None:
    import pypdfium2

    from index.loading.formats.pdf import locate

    image = draw([(60, 80, WORDS), (60, 200, "The second line.")])
    # Turned so that it stands upright once the page is turned.
    file = save([image.rotate(turn, expand=True)], tmp_path / "a.pdf", resolution=72)
    with pypdfium2.PdfDocument(file) as document:
        document[0].set_rotation(turn)
        document.save(tmp_path / "b.pdf")
    content = (tmp_path / "b.pdf").read_bytes()
    text = read(tmp_path / "b.pdf").text
    assert text.split("\n")[0] == WORDS
    start = text.index("second")
    (box,) = locate(content, start, start + 6)
    # The corner of the picture at which its words begin, by how the page is stored.
    left, top, right, bottom = 60, 200, 260, 232
    assert box.page == 1
    edges = {
        0: (left, 300 - bottom, right, 300 - top),
        90: (top, left, bottom, right),
        180: (900 - right, top, 900 - left, bottom),
        270: (300 - bottom, 900 - right, 300 - top, 900 - left),
    }[turn]
    assert box[1:] == pytest.approx(edges, abs=30)


def test_scanned_pages_leave_the_pages_around_them_as_they_are(tmp_path: Path) -> None:
    import pypdfium2

    words = [
        f"On day {number} the crew painted the hull and the mast of the ferry." for number in "one two six".split()
    ]
    (tmp_path / "text.pdf").write_bytes(make_pdf(words))
    save(scan(WORDS), tmp_path / "scan.pdf", resolution=110)
    with pypdfium2.PdfDocument(tmp_path / "text.pdf") as both, pypdfium2.PdfDocument(tmp_path / "scan.pdf") as scanned:
        both.import_pages(scanned, index=1)
        both.save(tmp_path / "both.pdf")
    document = read(tmp_path / "both.pdf")
    assert document.text == "\n\n".join([words[0], WORDS, *words[1:]])
    assert [document.text[page:][:6] for page in document.pages] == ["On day", "The fe", "On day", "On day"]
