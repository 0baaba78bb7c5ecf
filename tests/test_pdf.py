"""What a page of a PDF says, as a reader sees it: columns, tables, headings, forms, and where each word stands."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import count

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_files import join_pdf, make_pdf

from index.loading.formats.pdf import Box, locate, read_pdf
from index.splitting.sentences import find_sentences

WORDS = (
    "the survey of wells began in early spring when rain had filled most of them to the rim and the teams went out "
    "with lamps and rods to learn how deep each was and what its water held so that the towns could tell their people"
).split()


def show(text: str, x: float, y: float, size: float = 10, font: str = "F1") -> str:
    """Content that draws a text."""
    text = re.sub(r"([\\()])", r"\\\1", text)
    return f"BT /{font} {size} Tf 1 0 0 1 {x} {y} Tm ({text}) Tj ET\n"


def rule(x0: float, y0: float, x1: float, y1: float) -> str:
    """Content that draws a line."""
    return f"{x0} {y0} m {x1} {y1} l S\n"


def draw_pdf(*pages: str, annotations: Iterable[str] = (), outline: tuple[tuple[str, int], ...] = ()) -> bytes:
    """A PDF of these content streams, F1 a plain font and F2 a bold one; the annotations are on the first page."""
    annotations = list(annotations)
    first_page = 10
    first_field = first_page + 2 * len(pages)
    first_mark = first_field + len(annotations)
    kids = " ".join(f"{first_page + 2 * number} 0 R" for number in range(len(pages)))
    fields = " ".join(f"{first_field + number} 0 R" for number in range(len(annotations)))
    form = f"/AcroForm << /Fields [{fields}] >>" if any("/Widget" in one for one in annotations) else ""
    marks = f"/Outlines {first_mark} 0 R" if outline else ""
    font = "<< /Type /Font /Subtype /Type1 /BaseFont /{} /Encoding /WinAnsiEncoding >>"
    box = "<< /Type /XObject /Subtype /Form /BBox [0 0 10 10] /Length 0 >>\nstream\n\nendstream"
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R {form} {marks} >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        font.format("Helvetica"),
        font.format("Helvetica-Bold"),
        *[box] * 5,
    ]
    for number, page in enumerate(pages):
        annots = f"/Annots [{fields}]" if number == 0 and annotations else ""
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> "
            f"/Contents {first_page + 1 + 2 * number} 0 R {annots} >>"
        )
        objects.append(f"<< /Length {len(page.encode('cp1252'))} >>\nstream\n{page}\nendstream")
    objects += annotations
    if outline:
        last = first_mark + len(outline)
        objects.append(f"<< /Type /Outlines /First {first_mark + 1} 0 R /Last {last} 0 R /Count {len(outline)} >>")
        for place, (title, page_number) in enumerate(outline, first_mark + 1):
            beside = (f"/Prev {place - 1} 0 R" if place > first_mark + 1 else "") + (
                f" /Next {place + 1} 0 R" if place < last else ""
            )
            target = f"[{first_page + 2 * page_number} 0 R /Fit]"
            objects.append(f"<< /Title ({title}) /Parent {first_mark} 0 R /Dest {target} {beside} >>")
    return join_pdf([one.encode("cp1252") for one in objects], "/Root 1 0 R")


def make_lines(first: int, number: int, word_count: int = 8) -> list[str]:
    """Lines of prose, none like another."""
    return [
        " ".join(WORDS[(word_count * line + word + first) % len(WORDS)] for word in range(word_count))
        for line in range(number)
    ]


def draw_lines(lines: list[str], x: float, top: float, size: float = 10) -> list[str]:
    return [show(line, x, top - 1.2 * size * number, size) for number, line in enumerate(lines)]


# -- columns ----------------------------------------------------------------------------------


@pytest.mark.parametrize("by_row", [True, False])
def test_columns_are_read_one_after_the_other_however_they_are_drawn(by_row: bool) -> None:
    left, right = make_lines(0, 12), make_lines(3, 12)
    drawn = [draw_lines(left, 60, 680), draw_lines(right, 330, 680)]
    order = [piece for pair in zip(*drawn, strict=True) for piece in pair] if by_row else drawn[0] + drawn[1]
    head, foot = (
        show("A survey of the wells of three towns", 60, 720, 18),
        show("All of it is told here at length.", 60, 500),
    )
    text = read_pdf(draw_pdf(head + "".join(order) + foot)).text
    said = " ".join(text.split())
    assert said.startswith("A survey of the wells of three towns")
    assert " ".join([*left, *right]) in said
    assert said.endswith("All of it is told here at length.")


def test_columns_whose_lines_stand_at_other_heights_are_read_one_after_the_other() -> None:
    left, right = make_lines(0, 12), make_lines(3, 12)
    drawn = zip(draw_lines(left, 60, 680), draw_lines(right, 330, 675), strict=True)
    text = read_pdf(draw_pdf("".join(piece for pair in drawn for piece in pair))).text
    assert " ".join([*left, *right]) in " ".join(text.split())


def test_three_columns_are_read_one_after_the_other() -> None:
    columns = [make_lines(first, 10, 5) for first in (0, 3, 7)]
    drawn = [draw_lines(lines, x, 680, 9) for lines, x in zip(columns, (50, 235, 420), strict=True)]
    text = read_pdf(draw_pdf("".join(piece for row in zip(*drawn, strict=True) for piece in row))).text
    assert " ".join(line for column in columns for line in column) in " ".join(text.split())


def test_prose_of_one_column_is_as_pdfium_gives_it() -> None:
    lines = make_lines(0, 30, 14)
    assert read_pdf(draw_pdf("".join(draw_lines(lines, 60, 720)))).text == "\n".join(lines)


def test_columns_of_short_lines_and_tables_are_read_one_after_the_other_as_they_are_drawn() -> None:
    left = show("Results", 60, 700, 13) + draw_table(
        [("Player", "Points"), ("Ivana", "31"), ("Bruno", "27")], (60, 140), 676
    )
    left += show("The hall was full.", 60, 625)
    right = "".join(
        show(line, 330, 708 - 13 * n) for n, line in enumerate(("Office 555 1000", "Bar 555 1001", "Gym: Olaf"))
    )
    right += show("Shed: Rita", 330, 656) + show("Boat: Hugo", 330, 630)
    text = read_pdf(draw_pdf(left + right)).text
    assert text.split("\n\n", 1)[1].startswith("Player\tPoints\nIvana\t31\nBruno\t27\n\nThe hall was full.")
    assert [text.index(word) for word in ("full.", "Office", "Olaf", "Hugo")] == sorted(
        text.index(word) for word in ("full.", "Office", "Olaf", "Hugo")
    )


def test_a_table_that_is_drawn_column_by_column_keeps_its_rows() -> None:
    columns = list(zip(*TABLE, strict=True))
    page = "".join(
        show(cell, x, 700 - 16 * number)
        for x, column in zip((72, 200, 300), columns, strict=True)
        for number, cell in enumerate(column)
    )
    assert read_pdf(draw_pdf(page)).text == "\n".join("\t".join(row) for row in TABLE)


def test_numbers_are_not_parted_from_labels_that_are_drawn_first_at_other_heights() -> None:
    labels = "".join(
        show(f"{word} notes due", 72, 700 - 16 * n) for n, word in enumerate(("Red", "Blue", "Green", "Grey"))
    )
    values = "".join(show(f"{n}12", 300, 701.5 - 16 * n) for n in range(1, 5))
    text = read_pdf(draw_pdf(labels + values.replace("701.5", "701.5"))).text
    assert text.index("112") < text.index("Grey")


# -- tables -----------------------------------------------------------------------------------

TABLE = [("Region", "2021", "2022"), ("North", "1,204", "1,318"), ("South", "987", "1,002"), ("West", "(22)", "-")]


def draw_table(rows: Iterable[tuple[str, ...]], xs: tuple[float, ...], top: float) -> str:
    return "".join(
        show(cell, x, top - 16 * number)
        for number, row in enumerate(rows)
        for x, cell in zip(xs, row, strict=True)
        if cell
    )


@pytest.mark.parametrize("is_ruled", [True, False])
def test_a_table_is_lines_of_cells_with_tabs_between(is_ruled: bool) -> None:
    page = show("Units sold are these.", 72, 720) + draw_table(TABLE, (72, 200, 300), 690) + show("No more.", 72, 600)
    if is_ruled:
        page += "".join(rule(68, y, 360, y) for y in range(638, 706, 16))
        page += "".join(rule(x, 638, x, 702) for x in (68, 196, 296, 360))
    text = read_pdf(draw_pdf(page)).text
    assert text == (
        "Units sold are these.\n\nRegion\t2021\t2022\nNorth\t1,204\t1,318\nSouth\t987\t1,002\nWest\t(22)\t-\n\nNo more."
    )


def test_a_balance_sheet_keeps_its_years_labels_and_signs() -> None:
    page = show("Years Ended", 346, 700)
    for x, (day, year) in zip((300, 400), (("December 2,", "2022"), ("December 3,", "2021")), strict=True):
        page += show(day, x, 686) + show(year, x + 15, 674)
    page += show("Revenue:", 72, 660)
    for y, label, one, two in (
        (646, "Subscription", "16,388", "14,573"),
        (632, "Product", "532", "555"),
        (618, "Services", "686", ""),
    ):
        page += show(label, 80, y)
        page += "".join(show("$", x, y) for x in (300, 400) if label == "Subscription")
        page += "".join(show(value, x + 45 - 5.5 * len(value), y) for x, value in ((300, one), (400, two)) if value)
    page += show("Reduction of the right to use", 72, 604) + show("leased assets", 80, 592)
    page += show("83", 334, 592) + show("73", 434, 592)
    assert read_pdf(draw_pdf(page)).text == (
        "Years Ended\n\tDecember 2, 2022\tDecember 3, 2021\nRevenue:\nSubscription\t$ 16,388\t$ 14,573\n"
        "Product\t532\t555\nServices\t686\t\nReduction of the right to use leased assets\t83\t73"
    )


def test_a_header_that_stands_a_little_aside_of_its_columns_is_the_table_s() -> None:
    page = draw_table([("(acres)", "Total", "Here")], (72, 270, 370), 700)
    page += draw_table([("Woods", "55.7", "20.7"), ("Fields", "2.4", "1.8")], (72, 305, 405), 686)
    assert read_pdf(draw_pdf(page)).text == "(acres)\tTotal\tHere\nWoods\t55.7\t20.7\nFields\t2.4\t1.8"


def test_a_cell_that_wraps_within_rules_is_one_cell() -> None:
    page = show("Role", 72, 700) + show("Task", 172, 700)
    page += show("Cook", 72, 676) + show("Makes the soup and", 172, 682) + show("the bread", 172, 670)
    page += show("Guide", 72, 646) + show("Leads", 172, 646)
    page += "".join(rule(68, y, 300, y) for y in (640, 660, 694, 714)) + "".join(
        rule(x, 640, x, 714) for x in (68, 168, 300)
    )
    assert read_pdf(draw_pdf(page)).text == "Role\tTask\nCook\tMakes the soup and the bread\nGuide\tLeads"


@pytest.mark.parametrize("is_first", [True, False])
def test_a_cell_that_wraps_without_rules_is_one_cell(is_first: bool) -> None:
    page = draw_table([("Boat", "Notes", "Price")], (72, 200, 400), 700)
    page += draw_table([("Tern", "for six people", "45")], (72, 200, 400), 680)
    page += show("(with skipper)" if is_first else "and a dog", 72 if is_first else 200, 668)
    page += draw_table([("Puffin", "for three", "20"), ("Gannet", "for eight", "60")], (72, 200, 400), 648)
    cells = "Tern (with skipper)\tfor six people" if is_first else "Tern\tfor six people and a dog"
    assert read_pdf(draw_pdf(page)).text == (
        f"Boat\tNotes\tPrice\n{cells}\t45\nPuffin\tfor three\t20\nGannet\tfor eight\t60"
    )


def test_a_cell_that_wraps_beside_the_middle_of_its_row_is_one_cell() -> None:
    page = draw_table([("Day", "Dish", "Price"), ("Monday", "Goulash", "10")], (72, 200, 400), 700)
    page += show("Trout with parsley", 200, 666) + show("Tuesday", 72, 660) + show("11", 400, 660)
    page += show("and lemon butter", 200, 654) + draw_table([("Friday", "Soup", "7")], (72, 200, 400), 636)
    assert "\nTuesday\tTrout with parsley and lemon butter\t11\nFriday" in read_pdf(draw_pdf(page)).text


def test_a_label_beside_the_middle_of_two_rows_is_both_rows() -> None:
    page = draw_table([("Whom", "Ticket", "Price")], (72, 200, 400), 700)
    for top, whom, day, month in ((680, "Adults", "6.40", "58.00"), (648, "Children", "3.10", "29.00")):
        page += (
            draw_table([("Day", day)], (200, 400), top)
            + show(whom, 72, top - 6)
            + draw_table([("Month", month)], (200, 400), top - 12)
        )
    assert read_pdf(draw_pdf(page)).text == (
        "Whom\tTicket\tPrice\nAdults\tDay\t6.40\nAdults\tMonth\t58.00\nChildren\tDay\t3.10\nChildren\tMonth\t29.00"
    )


def draw_bold(cells: tuple[str, ...], xs: tuple[float, ...], y: float) -> str:
    return "".join(show(cell, x, y, 10, "F2") for cell, x in zip(cells, xs, strict=True))


@pytest.mark.parametrize("between", ["heading", "remark", "header"])
def test_tables_without_rules_end_where_another_thing_begins(between: str) -> None:
    xs = (90.0, 200.0, 300.0)
    page = draw_bold(("Lesson", "Price", "Minutes"), xs, 700)
    page += draw_table([("Beginner", "28", "45"), ("Jumping", "44", "60")], xs, 684)
    if between == "heading":
        page += show("Staff", 72, 645, 14)
    elif between == "remark":
        page += show("Call Otto on 555 3001, who knows of them all.", 72, 645)
    page += draw_bold(("Name", "Phone", "Office"), (90, 230, 330), 620)
    page += draw_table([("Ottilie", "555 3001", "2A"), ("Hugo", "555 3002", "2B")], (90, 230, 330), 604)
    tables = [block for block in read_pdf(draw_pdf(page)).text.split("\n\n") if "\t" in block]
    assert tables == [
        "Lesson\tPrice\tMinutes\nBeginner\t28\t45\nJumping\t44\t60",
        "Name\tPhone\tOffice\nOttilie\t555 3001\t2A\nHugo\t555 3002\t2B",
    ]


SPANNED = (
    "Stop\tWeekdays First\tWeekdays Last\tSundays First\tSundays Last\n"
    "Harbour\t5:12\t23:40\t7:05\t21:10\nOld Mill\t5:19\t23:47\t7:12\t21:17"
)


def draw_timetable(label_y: float) -> str:
    page = show("Stop", 72, label_y) + show("Weekdays", 167, 700) + show("Sundays", 290, 700)
    page += draw_table([("First", "Last", "First", "Last")], (150, 210, 270, 330), 684)
    return page + draw_table(
        [("Harbour", "5:12", "23:40", "7:05", "21:10"), ("Old Mill", "5:19", "23:47", "7:12", "21:17")],
        (72, 150, 210, 270, 330), 668,
    )  # fmt: skip


@pytest.mark.parametrize("label_y", [684, 692, 700])
def test_what_spans_columns_in_a_header_without_rules_stands_over_each(label_y: float) -> None:
    assert read_pdf(draw_pdf(draw_timetable(label_y))).text == SPANNED


def test_what_spans_columns_and_rows_within_rules_stands_in_each() -> None:
    page = draw_timetable(692) + "".join(rule(68, y, 380, y) for y in (648, 663, 679, 711)) + rule(146, 695, 380, 695)
    page += "".join(rule(x, 648, x, 711) for x in (68, 146, 266, 380)) + "".join(
        rule(x, 648, x, 695) for x in (206, 326)
    )
    assert read_pdf(draw_pdf(page)).text == SPANNED
    page = draw_table([("Whom", "Ticket", "Price")], (72, 200, 300), 700) + show("Adults", 72, 676)
    page += draw_table([("Day", "6.40"), ("Month", "58.00")], (200, 300), 684)
    page += draw_table([("Children", "closed")], (72, 230), 652)
    page += "".join(rule(68, y, 380, y) for y in (648, 664, 696, 712)) + rule(196, 680, 380, 680)
    page += "".join(rule(x, 648, x, 712) for x in (68, 196, 380)) + rule(296, 664, 296, 712)
    assert read_pdf(draw_pdf(page)).text == (
        "Whom\tTicket\tPrice\nAdults\tDay\t6.40\nAdults\tMonth\t58.00\nChildren\tclosed\tclosed"
    )


def test_ruling_lines_part_cells_that_stand_close() -> None:
    page = draw_table([("Code", "Meaning", "Remedy")], (72, 110, 172), 700)
    page += "".join(
        show(f"E{n}", 72, 700 - 16 * n)
        + show("Fault of a sensor", 110, 700 - 16 * n, 8)
        + show("Replace it", 173, 700 - 16 * n)
        for n in (1, 2)
    )
    page += "".join(rule(68, y, 300, y) for y in (664, 680, 696, 712)) + "".join(
        rule(x, 664, x, 712) for x in (68, 107, 171, 300)
    )
    text = read_pdf(draw_pdf(page)).text
    assert text == "Code\tMeaning\tRemedy\nE1\tFault of a sensor\tReplace it\nE2\tFault of a sensor\tReplace it"


def test_numbers_one_above_the_other_within_rules_are_rows() -> None:
    page = draw_table([("Item", "Price"), ("Spade", "12"), ("Rake", "9"), ("Saw", "31")], (72, 200), 700)
    page += "".join(rule(68, y, 300, y) for y in (648, 696, 712)) + "".join(
        rule(x, 648, x, 712) for x in (68, 196, 300)
    )
    assert read_pdf(draw_pdf(page)).text == "Item\tPrice\nSpade\t12\nRake\t9\nSaw\t31"


@pytest.mark.parametrize("is_above", [True, False])
def test_a_ruled_form_s_first_row_names_no_columns(is_above: bool) -> None:
    rows = [
        (("Consignee", "Orchard Foods"), ("Carrier", "Swift Haulage")),
        (("Weight", "812 kg"), ("Driver", "M. Kovacs")),
    ]
    page = ""
    for y, row in zip((700, 670), rows, strict=True):
        for x, (label, value) in zip((72, 272), row, strict=True):
            page += show(label, x, y, 7 if is_above else 10, "F1" if is_above else "F2")
            page += show(value, x if is_above else x + 100, y - 12 if is_above else y)
    page += "".join(rule(68, y, 468, y) for y in (654, 684, 714))
    page += "".join(rule(x, 654, x, 714) for x in ((68, 268, 468) if is_above else (68, 168, 268, 368, 468)))
    text = read_pdf(draw_pdf(page)).text
    said = [(text[s.start : s.end], s.kind) for s in find_sentences(text)]
    assert [words for words, _ in said] == [f"{label} {value}" for row in rows for label, value in row]
    assert {kind for words, kind in said if any(map(str.isdigit, words))} == {"prose"}


@pytest.mark.parametrize("turn", [90, 180, 270])
def test_a_page_that_is_shown_turned_is_read_in_the_direction_of_its_letters(turn: int) -> None:
    page = show("Units sold are these, town by town.", 72, 720) + draw_table(TABLE, (72, 200, 300), 690)
    plain, turned = draw_pdf(page), draw_pdf(page).replace(b"/MediaBox", b"/Rotate %d /MediaBox" % turn)
    assert read_pdf(turned).text == read_pdf(plain).text
    assert "South\t987\t1,002" in read_pdf(turned).text


def test_the_mark_of_a_note_stands_apart_from_its_word() -> None:
    page = (
        show("It lasts for 26 months.", 72, 700)
        + show("1", 181, 705, 6)
        + show("Some 10", 72, 680)
        + show("3", 108, 685, 6)
    )
    text = read_pdf(draw_pdf(page)).text
    assert "months. 1" in text
    assert "10 3" in text


def test_a_frame_around_prose_is_no_table() -> None:
    lines = make_lines(0, 8, 10)
    page = "".join(draw_lines(lines, 72, 700)) + "60 600 m 500 600 l 500 720 l 60 720 l h S\n" + rule(60, 660, 500, 660)
    text = read_pdf(draw_pdf(page)).text
    assert "\t" not in text
    assert " ".join(text.split()) == " ".join(lines)


def test_a_page_of_very_many_letters_or_lines_is_read_plainly() -> None:
    many = "".join(
        f"BT /F1 1 Tf 1 0 0 1 {10 + n % 500} {700 - n // 500} Tm (abcdefghij) Tj ET\n" for n in range(11_000)
    )
    assert read_pdf(draw_pdf(many)).text.count("abcdefghij") > 10_000
    ruled = "".join(rule(n % 600, 0, n % 600, 700) for n in range(40_000)) + show("A word.", 72, 720)
    assert read_pdf(draw_pdf(ruled)).text == "A word."


# -- headers and footers ----------------------------------------------------------------------


def draw_running(number: int, body: list[str]) -> str:
    return (
        show("The Brenvale Survey", 72, 760, 8)
        + "".join(draw_lines(body, 72, 700))
        + show(f"Page {number} of 9", 280, 30, 8)
    )


def test_running_headers_and_page_numbers_are_told_from_the_text() -> None:
    pages = [draw_running(number, [f"Part {number} tells of the well of town {number * 7}."]) for number in range(1, 6)]
    extract = read_pdf(draw_pdf(*pages))
    said = [(extract.text[s.start : s.end], s.kind) for s in find_sentences(extract.text)]
    assert [words for words, kind in said if kind == "prose"] == [
        f"Part {number} tells of the well of town {number * 7}." for number in range(1, 6)
    ]
    assert [words for words, kind in said if kind == "boilerplate"] == [
        words for number in range(1, 6) for words in ("The Brenvale Survey", f"Page {number} of 9")
    ]
    assert [extract.text[start:][:20].strip() for start in extract.pages] == ["The Brenvale Survey"] * 5


def test_two_pages_that_begin_alike_lose_nothing() -> None:
    text = read_pdf(draw_pdf(*(draw_running(number, ["It was so."]) for number in (1, 2)))).text
    assert text.count("The Brenvale Survey") == 2
    assert "Page 2 of 9" in text


def test_pages_that_say_the_same_and_nothing_else_are_kept() -> None:
    assert read_pdf(make_pdf(["He went home late."] * 4)).text.count("He went home late.") == 4


def test_a_last_row_that_only_looks_alike_stays() -> None:
    pages = [show("He wrote it down.", 72, 700) + show(f"Total {number} crowns", 72, 40) for number in (412, 97, 1203)]
    text = read_pdf(draw_pdf(*pages)).text
    assert [f"Total {number} crowns" in text for number in (412, 97, 1203)] == [True] * 3


def test_a_paragraph_goes_on_over_the_pages() -> None:
    bodies = (
        ["The teams went to every well of the town and found", "that most of them held"],
        ["far more salt than in the year before. They wrote", "all of it into a book, and the book was"],
        ["kept in the hall."],
    )
    pages = [draw_running(number, body) for number, body in enumerate(bodies, 1)]
    extract = read_pdf(draw_pdf(*pages))
    assert "\n".join(line for body in bodies for line in body) in extract.text
    assert [extract.text[start:].strip()[:8] for start in extract.pages] == ["The Bren", "far more", "kept in "]


def test_a_word_broken_by_a_page_s_end_is_whole() -> None:
    pages = ("The pump needs mainte-", "nance by a hand.", "Nobody knew.")
    extract = read_pdf(make_pdf(pages))
    assert extract.text.startswith("The pump needs maintenance by a hand.")
    assert extract.text[extract.pages[1] :].startswith("nance by")


# -- headings ---------------------------------------------------------------------------------


def test_headings_are_told_by_size_weight_and_outline() -> None:
    body = make_lines(0, 6, 12)
    page = show("The wells", 72, 740, 24) + "".join(draw_lines(body, 72, 710))
    page += show("2.1 Scope", 72, 610, 14) + "".join(draw_lines(body, 72, 590))
    page += show("What was found", 72, 490, 10, "F2") + "".join(draw_lines(body, 72, 470))
    page += show("Afterword", 72, 370) + "".join(draw_lines(body, 72, 350))
    text = read_pdf(draw_pdf(page, outline=(("Afterword", 0),))).text
    assert [(s.level, text[s.start : s.end]) for s in find_sentences(text) if s.kind == "heading"] == [
        (10, "The wells"),
        (20, "2.1 Scope"),
        (30, "What was found"),
        (10, "Afterword"),
    ]


def test_bold_words_within_a_paragraph_are_no_heading() -> None:
    body = make_lines(0, 6, 12)
    page = show("Costs. ", 72, 722, 10, "F2") + show("They were shared by all of the towns in the end.", 110, 722)
    page += "".join(draw_lines(body, 72, 710))
    assert {sentence.kind for sentence in find_sentences(read_pdf(draw_pdf(page)).text)} == {"prose"}


# -- forms and links --------------------------------------------------------------------------


def field(kind: str, name: str, value: str, x: float, y: float, width: float = 150, more: str = "") -> str:
    return (
        f"<< /Type /Annot /Subtype /Widget /FT /{kind} /T ({name}) {value} /F 4 "
        f"/Rect [{x} {y - 3} {x + width} {y + 11}] /P 10 0 R {more} >>"
    )


def test_what_a_form_holds_stands_beside_its_labels() -> None:
    page = show("Guest form", 72, 720) + show("Name:", 72, 690) + show("Town:", 320, 690) + show("Street:", 72, 660)
    page += show("I stay for dinner", 90, 630) + show("I leave early", 90, 610) + show("Thank you.", 72, 560)
    ticked = "/AP << /N << /Yes 5 0 R /Off 6 0 R >> >> /AS /{}"
    text = read_pdf(
        draw_pdf(
            page,
            annotations=(
                field("Tx", "f3", "/V (Long Lane 4)", 110, 660),
                field("Tx", "f2", "/V (Brenvale)", 360, 690),
                field("Tx", "f1", "/V (Karl Aster)", 110, 690),
                field("Btn", "f4", "/V /Yes", 72, 630, 12, ticked.format("Yes")),
                field("Btn", "f5", "/V /Off", 72, 610, 12, ticked.format("Off")),
                field("Tx", "f6", "/V (none) /TU (Allergies)", 72, 400),
                field("Tx", "f7", "", 72, 300),
            ),
        )
    ).text
    assert "Name: Karl Aster Town: Brenvale" in text
    assert "Street: Long Lane 4" in text
    assert "[x] I stay for dinner\n[ ] I leave early" in text
    assert "Allergies: none" in text
    assert "f7" not in text


def test_the_address_of_a_link_without_words_is_a_line() -> None:
    link = "<< /Type /Annot /Subtype /Link /Rect [{} 690 {} 710] /A << /S /URI /URI ({}) >> >>"
    page = show("See the survey.", 72, 696)
    content = draw_pdf(
        page,
        annotations=(link.format(72, 200, "https://a.example/seen"), link.format(300, 400, "https://b.example/bare")),
    )
    assert read_pdf(content).text == "See the survey.\n\nhttps://b.example/bare"


# -- places -----------------------------------------------------------------------------------


def search(content: bytes, word: str) -> list[Box]:
    """Where pdfium itself finds a word."""
    found = []
    with pypdfium2.PdfDocument(content) as document:
        for number in range(len(document)):
            words = document[number].get_textpage()
            searcher = words.search(word, match_whole_word=True)
            while at := searcher.get_next():
                found += [Box(number + 1, *words.get_rect(place)) for place in range(words.count_rects(*at))]
    return found


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.tuples(st.integers(40, 200), st.integers(6, 20), st.integers(1, 4)), min_size=1, max_size=12),
    st.sampled_from([0, 90, 180, 270]),
)
def test_a_word_stands_where_it_is_located(lines: list[tuple[int, int, int]], turn: int) -> None:
    numbers = count()
    pages = ["", ""]
    y = 740
    for x, size, word_count in lines:
        pages[y % 2] += show(" ".join(f"word{next(numbers):03}" for _ in range(word_count)), x, y, size)
        y -= 2 * size + 3
    content = draw_pdf(*pages).replace(b"/MediaBox", b"/Rotate %d /MediaBox" % turn)
    text = read_pdf(content).text
    for match in re.finditer(r"word\d+", text):
        boxes = locate(content, match.start(), match.end())
        rects = search(content, match[0])
        assert len(boxes) == len(rects) == 1
        (page, left, bottom, right, top), rect = boxes[0], rects[0]
        assert page == rect.page
        assert left - 1 <= rect.left
        assert bottom - 1 <= rect.bottom
        assert right + 1 >= rect.right
        assert top + 1 >= rect.top
        assert right - left < 1.2 * (rect.right - rect.left) + 2


def test_a_place_of_two_lines_has_two_boxes_and_a_mended_word_as_well() -> None:
    content = draw_pdf(show("The pump needs mainte-", 72, 700) + show("nance by a hand.", 72, 686))
    text = read_pdf(content).text
    start = text.index("maintenance")
    boxes = locate(content, start, start + len("maintenance"))
    assert [round(box.bottom / 14) for box in boxes] == [50, 49]
    assert boxes[1].left == pytest.approx(72, abs=1)


def test_a_filled_in_value_is_located_at_its_field() -> None:
    content = draw_pdf(show("Name:", 72, 690), annotations=[field("Tx", "f1", "/V (Karl Aster)", 110, 690)])
    text = read_pdf(content).text
    start = text.index("Karl")
    (box,) = locate(content, start, start + 4)
    assert box.page == 1
    assert box.left == pytest.approx(110)


def test_the_places_of_a_page_that_is_read_plainly_are_had_too() -> None:
    # Most of the page is written upwards.
    upright = "".join(
        f"BT /F1 10 Tf 0 1 -1 0 {100 + 20 * number} 100 Tm ({line}) Tj ET\n"
        for number, line in enumerate(make_lines(0, 8))
    )
    content = draw_pdf(upright + show("The end of the tale.", 300, 60))
    text = read_pdf(content).text
    for word in ("lamps", "tale"):
        start = text.index(word)
        (box,) = locate(content, start, start + len(word))
        (rect,) = search(content, word)
        assert box.left - 1 <= rect.left < rect.right <= box.right + 1
        assert box.bottom - 1 <= rect.bottom < rect.top <= box.top + 1
