"""Tables become facts: what is merged is filled, headers are joined, and no value stands under the name of another."""

from __future__ import annotations

import io
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import docx
import openpyxl
import pptx
import pytest
from made_files import make_docx, read
from pptx.util import Inches
from test_attacks_files import make_odf, make_xlsx

from index.loading.formats.blocks import Blocks
from index.loading.formats.grid import Cell

_PROSE = (
    f"<p>{'The rates were agreed by the works council and hold for all journeys from the first of January. ' * 3}</p>"
)
_FILLED = "- City: Oslo; Grade: Boss; Rate: 5\n- City: Oslo; Grade: Staff; Rate: 4\n- City: Moss; Grade: Staff; Rate: 3"


def save(document: Any) -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def make_book(rows: list[list[Any]], *merged: str, **formats: str) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    for cells in merged:
        book.active.merge_cells(cells)
    for place, code in formats.items():
        book.active[place].number_format = code
    return save(book)


def read_book(tmp_path: Path, content: bytes) -> str:
    return read(tmp_path, "a.xlsx", content).text.removeprefix("## Sheet\n\n")


# -- web pages --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "text"),
    [
        (
            "<tr><th>City<th>Grade<th>Rate<tr><td rowspan=2>Oslo<td>Boss<td>5<tr><td>Staff<td>4"
            "<tr><td>Moss<td>Staff<td>3",
            _FILLED,
        ),
        (
            "<tr><th>City<th>Rate<tbody><tr><td rowspan=0>Oslo<td>5<tr><td>6<tbody><tr><td>Moss<td>7",
            "- City: Oslo; Rate: 5\n- City: Oslo; Rate: 6\n- City: Moss; Rate: 7",
        ),
        (
            "<thead><tr><th rowspan=9>City<th>Rate</thead><tbody><tr><td>Oslo<td>5<tr><td>Moss<td>7",
            "- City: Oslo; Rate: 5\n- City: Moss; Rate: 7",
        ),
        (
            "<tr><th>Day<th>Noon<th>Night<tr><td>Monday<td colspan=9>Eli<tr><td>Friday<td>Bo<td>Cid",
            "- Day: Monday; Noon: Eli; Night: Eli\n- Day: Friday; Noon: Bo; Night: Cid",
        ),
        (
            "<tr><th rowspan=2>City<th colspan=2>2023<th>2024<tr><th>Revenue<th>Cost<th>Cost"
            "<tr><td>Oslo<td>1<td>2<td>3",
            "- City: Oslo; 2023 Revenue: 1; 2023 Cost: 2; 2024 Cost: 3",
        ),
        (
            "<tr><td rowspan=2>City<td colspan=2>Rate<tr><td>2023<td>2024<tr><td>Oslo<td>1<td>2<tr><td>Moss<td>3<td>4",
            "- City: Oslo; Rate 2023: 1; Rate 2024: 2\n- City: Moss; Rate 2023: 3; Rate 2024: 4",
        ),
        (
            "<tr><th colspan=3>Rates<tr><th>City<th>Grade<th>Rate<tr><td>Oslo<td>A<td>5<tr><td colspan=2>Total<td>5"
            "<tr><td colspan=3>Without tax.",
            "Rates\n\n- City: Oslo; Grade: A; Rate: 5\n- Total; Rate: 5\n\nWithout tax.",
        ),
        ("<tr><th colspan=2>Name<th>Age<tr><td>Ada<td>Byron<td>36", "- Name: Ada; Name: Byron; Age: 36"),
        (
            "<tr><th><th>Mon<th>Tue<tr><th scope=row>Ada<td>Early<td>Late<tr><th scope=row>Bo<td>Late<td>Off",
            "- Ada; Mon: Early; Tue: Late\n- Bo; Mon: Late; Tue: Off",
        ),
        (
            "<tr><th>Name<td>Aster<tr><th>Role<td>Chief<tr><th>Born<td>1971",
            "- Name: Aster\n- Role: Chief\n- Born: 1971",
        ),
        ("<tr><td>Name<td>Aster<tr><td>Role<td>Chief", "- Name: Aster\n- Role: Chief"),
        (
            "<tr><th>City<th>Rate<tr><td>Oslo<td>5<tr><th>Ship<th>Age<tr><td>Fram<td>9",
            "- City: Oslo; Rate: 5\n- Ship: Fram; Age: 9",
        ),
        ("<tr><th>a<th>b<tr><th>c<th>d<tr><th>e<th>f", "- a | b\n- c | d\n- e | f"),
        (
            "<tr><td>Land<td>2022<td>2023<tr><td>Norway<td>5<td>4<tr><td>Sweden<td>1<td>2",
            "- Land: Norway; 2022: 5; 2023: 4\n- Land: Sweden; 2022: 1; 2023: 2",
        ),
        (
            "<tr><td>City<td>Land<td>Sky<tr><td>Oslo<td>Norway<td>blue<tr><td><td><td><tr><td>Lund<td>Sweden<td>grey",
            "- City: Oslo; Land: Norway; Sky: blue\n- City: Lund; Land: Sweden; Sky: grey",
        ),
    ],
)
def test_each_row_of_a_page_says_its_headers(tmp_path: Path, table: str, text: str) -> None:
    assert read(tmp_path, "a.html", f"<html><table>{table}</table>").text == text
    # Where trafilatura finds the main text, it makes each table anew.
    page = f"<html><nav>Menu</nav><article><h1>The rates of old</h1>{_PROSE}<table>{table}</table>{_PROSE}</article>"
    assert f"\n\n{text}\n\n" in read(tmp_path, "a.html", page).text


def test_invisible_characters_of_a_page_are_no_numbers_of_tables(tmp_path: Path) -> None:
    cells = "\u200b" * 32
    page = f"<html><nav>Menu</nav><article>{_PROSE}" + "".join(
        f"<table><tr><th>{cells}City<th>Rate<tr><td>{city}<td>5</table>{_PROSE}" for city in ("Oslo", "Moss")
    )
    text = read(tmp_path, "a.html", page).text
    assert [text.count(f"- City: {city}; Rate: 5") for city in ("Oslo", "Moss")] == [1, 1]


# -- office -----------------------------------------------------------------------------------


def test_merged_cells_of_a_word_table(tmp_path: Path) -> None:
    made = docx.Document()
    table = made.add_table(6, 3)
    rows = [
        ["", "2023", ""],
        ["City", "Low", "High"],
        ["Oslo", "1", "2"],
        ["", "3", "4"],
        ["Moss", "5", ""],
        ["Note.", "", ""],
    ]
    for line, row in zip(table.rows, rows, strict=True):
        for cell, text in zip(line.cells, row, strict=True):
            cell.text = text
    for (top, left), (bottom, right) in (((0, 1), (0, 2)), ((2, 0), (3, 0)), ((4, 1), (4, 2)), ((5, 0), (5, 2))):
        table.cell(top, left).merge(table.cell(bottom, right))
    assert read(tmp_path, "a.docx", save(made)).text == (
        "- City: Oslo; 2023 Low: 1; 2023 High: 2\n- City: Oslo; 2023 Low: 3; 2023 High: 4\n"
        "- City: Moss; 2023 Low: 5; 2023 High: 5\n\nNote."
    )


def test_a_row_of_a_word_table_that_begins_later_and_one_that_covers_nothing(tmp_path: Path) -> None:
    def cell(text: str, fields: str = "") -> str:
        return f"<w:tc><w:tcPr>{fields}</w:tcPr><w:p><w:r><w:t>{text}</w:t></w:r></w:p></w:tc>"

    head = f"<w:tr>{cell('Day')}{cell('Noon')}{cell('Night')}</w:tr>"
    late = f'<w:tr><w:trPr><w:gridBefore w:val="1"/></w:trPr>{cell("Bo")}{cell("Cid")}</w:tr>'
    span = '<w:gridSpan w:val="x"/>'
    odd = f"<w:tr>{cell('Friday', '<w:vMerge/>')}{cell('Gil', span)}{cell('Hal')}</w:tr>"
    text = read(tmp_path, "a.docx", make_docx(f"<w:tbl>{head}{late}{odd}</w:tbl>")).text
    assert text == "- Noon: Bo; Night: Cid\n- Day: Friday; Noon: Gil; Night: Hal"


def test_a_list_and_a_table_in_a_cell_of_a_word_table(tmp_path: Path) -> None:
    def put(*paragraphs: str, style: str = "") -> str:
        properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
        return "".join(f"<w:p>{properties}<w:r><w:t>{text}</w:t></w:r></w:p>" for text in paragraphs)

    def cells(*texts: str) -> str:
        return f"<w:tr>{''.join(f'<w:tc>{text}</w:tc>' for text in texts)}</w:tr>"

    steps = put("In turn:") + put("open", "wash", "close", style="ListBullet")
    inner = f"<w:tbl>{cells(put('Oil'), put('one drop'))}{cells(put('Wax'), put('none'))}</w:tbl>{put('')}"
    table = f"<w:tbl>{cells(put('Task'), put('Steps'))}{cells(put('Clean'), steps)}{cells(put('Care'), inner)}</w:tbl>"
    assert read(tmp_path, "a.docx", make_docx(table)).text == (
        "- Task | Steps\n- Clean | In turn: open, wash, close\n- Care | Oil one drop, Wax none"
    )


def test_merged_cells_of_a_slide(tmp_path: Path) -> None:
    made = pptx.Presentation()
    slide = made.slides.add_slide(made.slide_layouts[6])
    table = slide.shapes.add_table(5, 3, 0, 0, Inches(2), Inches(1)).table
    rows = ["City,Grade,Rate", "Oslo,Boss,5", ",Staff,4", "Moss,Staff,3", "Total,,12"]
    for cell, text in zip(table.iter_cells(), ",".join(rows).split(","), strict=True):
        cell.text = text
    table.cell(1, 0).merge(table.cell(2, 0))
    table.cell(4, 0).merge(table.cell(4, 1))
    assert read(tmp_path, "a.pptx", save(made)).text == f"{_FILLED}\n- Total; Rate: 12"


@pytest.mark.parametrize("kind", ["text", "spreadsheet"])
def test_merged_cells_of_an_opendocument_table(tmp_path: Path, kind: str) -> None:
    def row(*cells: str) -> str:
        return f"<table:table-row>{''.join(cells)}</table:table-row>"

    def cell(text: str, fields: str = "") -> str:
        return f"<table:table-cell {fields}><text:p>{text}</text:p></table:table-cell>"

    covered = "<table:covered-table-cell><text:p>Hidden</text:p></table:covered-table-cell>"
    content = (
        f"<table:table-header-rows>{row(cell('City'), cell('Rate'))}</table:table-header-rows>"
        + row(cell("Oslo", 'table:number-rows-spanned="3"'), cell("low"))
        + '<table:table-row table:number-rows-repeated="2"><table:covered-table-cell/><table:table-cell/>'
        + "</table:table-row>"
        + row(cell("Moss"), cell("high"))
        + row(cell("none", 'table:number-columns-spanned="2"'), covered)
    )
    document = read(tmp_path, f"a.od{kind[0]}", make_odf(f"<table:table>{content}</table:table>", kind))
    assert document.text == "- City: Oslo; Rate: low\n- City: Moss; Rate: high\n\nnone"


def test_merged_cells_of_a_sheet(tmp_path: Path) -> None:
    rows = [
        ["Rates of the institute", None, None],
        [None, None, None],
        ["City", "Grade", "Rate"],
        ["Oslo", "Boss", 5],
        [None, "Staff", 4],
        ["Moss", "Staff", 3],
        [None, None, None],
        [None, None, None],
        ["Total", None, 12],
    ]
    content = make_book(rows, "A1:C2", "A4:A5", "A6:A8", "B6:B8", "C6:C8", "A9:B9")
    assert read_book(tmp_path, content) == f"Rates of the institute\n\n{_FILLED}\n- Total; Rate: 12"


@pytest.mark.parametrize("merged", [(), ("A1:A2", "B1:C1", "D1:E1")])
def test_two_header_rows_of_a_sheet_merged_or_not(tmp_path: Path, merged: tuple[str, ...]) -> None:
    site = ["Site", None] if merged else [None, "Site"]
    rows = [
        [site[0], 2022, None, 2023, None],
        [site[1], "Plan", "Actual", "Plan", "Actual"],
        ["Tarn", 1, 2, 3, 4],
        ["Ness", 5, 6, 7, 8],
    ]
    assert read_book(tmp_path, make_book(rows, *merged)) == (
        "- Site: Tarn; 2022 Plan: 1; 2022 Actual: 2; 2023 Plan: 3; 2023 Actual: 4\n"
        "- Site: Ness; 2022 Plan: 5; 2022 Actual: 6; 2023 Plan: 7; 2023 Actual: 8"
    )


def test_facts_of_two_columns_are_no_header(tmp_path: Path) -> None:
    rows = [["Name", "Aster"], ["Born", 1971], ["Role", "Chief"]]
    assert read_book(tmp_path, make_book(rows)) == "- Name: Aster\n- Born: 1971\n- Role: Chief"


@pytest.mark.parametrize(
    ("value", "code", "text"),
    [
        (0.125, "0.00%", "12.50%"),
        (0.15, "0.0%", "15.0%"),
        (0.15, "0.0##%", "15.0%"),
        (2.675, "0.00", "2.68"),
        (1234.5, "#,##0.00", "1,234.50"),
        (1234.5, "#,##0.00\\ [$€-407]", "1,234.50 €"),
        (1234567, "# ##0", "1 234 567"),
        (-3, '0 "up";0 "down"', "3 down"),
        (0, '#,##0;-#,##0;"-"', "0"),
        (12.5, 'General" kg"', "12.5 kg"),
        (datetime(2024, 3, 1, 14, 30), "hh:mm", "14:30"),
        (datetime(2024, 3, 1, 14, 30), "dd/mm/yyyy", "2024-03-01 14:30"),
        (3.5, '0.0"%"', "3.5%"),
        (12.5, '"€"#,##0.00', "€12.50"),
        (18500, '#,##0.00 "EUR"', "18,500.00 EUR"),
        (-5, '_($* #,##0.00_);_($* \\(#,##0.00\\);_($* "-"??_);_(@_)', "-$5.00"),
        (7.1, "#,##0.00\\ [$€-1];[Red]\\-#,##0.00\\ [$€-1]", "7.10 €"),
        (12345678, '0.0,,"M"', "12.3M"),
        (5, '[>=1000000]0.0,,"M";0', "5"),
        (501, "00000", "00501"),
        (18500, "#,##0", "18,500"),
        (0.5, "# ?/?", "0.5"),
        (12345, '0.0E+00" m"', "12345"),
        (5551234, "000-0000", "555-1234"),
        (3, "0" + "%" * 300, "3"),
        (timedelta(hours=26, minutes=30), "[h]:mm", "26:30"),
        (time(9, 30), "h:mm", "09:30"),
    ],
)
def test_a_number_of_a_sheet_is_said_as_it_is_seen(tmp_path: Path, value: object, code: str, text: str) -> None:
    assert read_book(tmp_path, make_book([["a", "b"], ["x", value]], B2=code)) in (
        f"- a: x; b: {text}",
        f"- a | b\n- x | {text}",
    )


def test_a_formula_without_a_saved_value_is_said_in_its_place(tmp_path: Path) -> None:
    document = read(tmp_path, "a.xlsx", make_book([["Month", "Sales"], ["May", 3], ["Total", "=SUM(B2:B2)"]]))
    assert document.text.endswith(
        "- Month: May; Sales: 3\n- Month: Total; Sales: =SUM(B2:B2) (formula without a saved value)"
    )
    assert document.unread == "1 formula saved without a value"


def test_a_formula_that_came_to_an_empty_text_has_its_value(tmp_path: Path) -> None:
    rows = (
        '<row r="1"><c r="A1"><v>1</v></c><c r="B1" t="str"><f>IF(1,"","")</f><v></v></c><c r="C1"><v>2</v></c></row>'
    )
    document = read(tmp_path, "a.xlsx", make_xlsx(rows))
    assert (document.text, document.unread) == ("## S1\n\n- 1 | 2", "")


def test_two_header_rows_a_title_and_a_note_of_a_csv(tmp_path: Path) -> None:
    text = "Nordlys,,\nPlan of the year,,\n,2023,\nSite,Plan,Actual\nTarn,1,2\nNess,3,4\nWithout tax,,\n"
    assert read(tmp_path, "a.csv", text).text == (
        "Nordlys\n\nPlan of the year\n\n- Site: Tarn; 2023 Plan: 1; 2023 Actual: 2\n"
        "- Site: Ness; 2023 Plan: 3; 2023 Actual: 4\n\nWithout tax"
    )


# -- bounds -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        (
            "Sales report;;;\nCompany;Mill Ltd;;\nPeriod;2024;;\nDate;Product;Amount;City\n2024-01-01;Pump;12;Oslo\n"
            "2024-01-02;Hose;7;Moss",
            "Sales report\n\n- Company: Mill Ltd\n- Period: 2024\n"
            "- Date: 2024-01-01; Product: Pump; Amount: 12; City: Oslo\n"
            "- Date: 2024-01-02; Product: Hose; Amount: 7; City: Moss",
        ),
        (
            "Sales report\nMade by Karl\n\nDate,Product,Amount\n2024-01-01,Pump,12\n2024-01-02,Hose,7",
            "Sales report\n\nMade by Karl\n\n- Date: 2024-01-01; Product: Pump; Amount: 12\n"
            "- Date: 2024-01-02; Product: Hose; Amount: 7",
        ),
        (
            "Item,Weight,Price\n,kg,EUR\nPump,4,129\nHose,1,15",
            "- Item: Pump; Weight kg: 4; Price EUR: 129\n- Item: Hose; Weight kg: 1; Price EUR: 15",
        ),
        (
            "Item,Size,Price\n-,S,(EUR)\nPump,M,129\nHose,L,15",
            "- Item: -; Size: S; Price: (EUR)\n- Item: Pump; Size: M; Price: 129\n- Item: Hose; Size: L; Price: 15",
        ),
        ("sep=;\nName;Price\nPump;12,50\nHose;7,25", "- Name: Pump; Price: 12,50\n- Name: Hose; Price: 7,25"),
        ('Name,Note\nKarl,"first\nsecond, and third"', "- Name: Karl; Note: first second, and third"),
        (
            "Name,Phone,Notes\nKarl,555,\n,,call back\nIda,556,",
            "- Name: Karl; Phone: 555\n- Notes: call back\n- Name: Ida; Phone: 556",
        ),
        (
            "Month,Sales,Cost\nMay,3,2\nJune,4,1\nTotal,7,3",
            "- Month: May; Sales: 3; Cost: 2\n- Month: June; Sales: 4; Cost: 1\n- Month: Total; Sales: 7; Cost: 3",
        ),
        (
            "Name:,Karl Aster,City:,Oslo\nPhone:,555,Zip:,0150",
            "- Name: Karl Aster | City: Oslo\n- Phone: 555 | Zip: 0150",
        ),
    ],
)
def test_what_stands_above_and_within_a_csv(tmp_path: Path, lines: str, text: str) -> None:
    assert read(tmp_path, "a.csv", lines.encode()).text == text


def test_labels_and_values_by_turns_are_no_header(tmp_path: Path) -> None:
    rows = [["Name", "Karl Aster", "Town", "Oslo"], ["Phone", 555, "Street", "Mill Lane"]]
    assert (
        read_book(tmp_path, make_book(rows)) == "- Name | Karl Aster | Town | Oslo\n- Phone | 555 | Street | Mill Lane"
    )
    more = [*rows, ["Job", "Head of sales", "Floor", 4]]
    assert read_book(tmp_path, make_book(more)).startswith("- Name | Karl Aster | Town | Oslo\n- Phone | 555")
    people = [["Name", "Room", "Town", "Age"], ["Ida", 12, "Oslo", 40], ["Bo", 14, "Moss", 50]]
    assert read_book(tmp_path, make_book(people)).startswith("- Name: Ida; Room: 12; Town: Oslo; Age: 40\n")


def test_merged_cells_repeat_no_more_than_a_table_holds_many_times_over() -> None:
    blocks = Blocks()
    blocks.table(([Cell("x" * 1_000, 10**9, 10**9)] for _ in range(100)), skips=True)
    assert blocks.unread == "what a table holds after too many merged cells"
    assert blocks.length < 2_000_000
    blocks = Blocks()
    blocks.table([[Cell("Oslo", 10**9), "1"], *([["", str(number)] for number in range(50_000)])])
    assert blocks.unread == ""
    assert blocks.text.count("Oslo") == 50_001


def test_a_cell_that_is_covered_and_has_a_text_is_not_lost() -> None:
    blocks = Blocks()
    blocks.table([[Cell("Oslo", 2, 2), "", "1"], ["", "Moss", "2"]])
    assert blocks.text == "- Oslo | 1\n- Oslo | Moss | 2"


# -- labels and values, groups, tables side by side --------------------------------------------


def write_rows(*lines: str, is_sheet: bool = False) -> str:
    blocks = Blocks()
    blocks.table([[*line.split("|")] for line in lines], is_sheet=is_sheet)
    return blocks.text


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ("Approved by|Dr. Hein;Approved on|2 Feb 2026", "- Approved by: Dr. Hein\n- Approved on: 2 Feb 2026"),
        ("Name|Karl;Phone|555;Fax|556", "- Name: Karl\n- Phone: 555\n- Fax: 556"),
        ("Department|Sales;Head|Karl;Phone|555", "- Department: Sales\n- Head: Karl\n- Phone: 555"),
        ("Type|Room;Size|30", "- Type: Room\n- Size: 30"),
        ("Tenant|Jasper Boon;Rent|1,025;Deposit|3,075", "- Tenant: Jasper Boon\n- Rent: 1,025\n- Deposit: 3,075"),
        ("Newsletter|yes;Terms|yes", "- Newsletter | yes\n- Terms | yes"),
        ("Quux|Frob;Clean|slowly", "- Quux | Frob\n- Clean | slowly"),
        ("Monday|8:00;Sunday|closed;Friday|9:00", "- Monday: 8:00\n- Sunday: closed\n- Friday: 9:00"),
        ("Day|Dish;Monday|Stew", "- Day: Monday; Dish: Stew"),
        ("Item|Amount;Price|900;Tax|30", "- Item: Price; Amount: 900\n- Item: Tax; Amount: 30"),
        ("Field|Type;Name|text;Age|int", "- Field: Name; Type: text\n- Field: Age; Type: int"),
        ("Question|Reply;May I?|No;Can I?|Yes", "- Question: May I?; Reply: No\n- Question: Can I?; Reply: Yes"),
        ("Plate|Driver;KX 12|Mette;QQ 77|Oskar", "- Plate: KX 12; Driver: Mette\n- Plate: QQ 77; Driver: Oskar"),
        ("Rank|Best;1|Ida;2|Bo", "- Rank: 1; Best: Ida\n- Rank: 2; Best: Bo"),
    ],
)
def test_two_columns_are_a_table_only_where_its_words_say_so(lines: str, text: str) -> None:
    assert write_rows(*lines.split(";")) == text


def test_a_file_of_two_columns_and_many_rows_has_names_for_them(tmp_path: Path) -> None:
    lines = ["Speaker,Talk", "Ada Voss,On sails", "Bo Lie,On oars", "Cyd Rae,On knots", "Eli Ruud,On tar"]
    assert read(tmp_path, "a.csv", "\n".join(lines)).text.startswith("- Speaker: Ada Voss; Talk: On sails\n")
    pair = "Approved by,Dr. Hein\nApproved on,2 Feb 2026"
    assert read(tmp_path, "a.csv", pair).text == "- Approved by: Dr. Hein\n- Approved on: 2 Feb 2026"


def test_a_group_is_said_in_its_rows_and_not_in_the_totals(tmp_path: Path) -> None:
    rows: list[list[Any]] = [
        ["Department", "Q1", "Q2"],
        ["Marketing", None, None],
        ["Fairs", 12, 8],
        ["IT", None, None],
        ["Fairs", 7, 1],
        ["Total", 19, 9],
        [],
        ["Notes"],
        ["Approved by Piet."],
    ]
    assert read_book(tmp_path, make_book(rows)) == (
        "- Group: Marketing; Department: Fairs; Q1: 12; Q2: 8\n- Group: IT; Department: Fairs; Q1: 7; Q2: 1\n"
        "- Department: Total; Q1: 19; Q2: 9\n\n- Notes\n- Approved by Piet."
    )
    table = "<tr><th>City<th>Low<th>High<tr><th colspan=3>Europe<tr><td>Oslo<td>1<td>2<tr><td>Sum<td>1<td>2"
    assert read(tmp_path, "a.html", f"<table>{table}</table>").text == (
        "- Group: Europe; City: Oslo; Low: 1; High: 2\n- City: Sum; Low: 1; High: 2"
    )


def test_a_row_that_lacks_its_values_heads_no_others() -> None:
    text = "Spain\n\n- Country: Italy; Rate: 5; Tax: 2\n- Country: Norway; Rate: 4; Tax: 1"
    assert write_rows("Country|Rate|Tax", "Spain||", "Italy|5|2", "Norway|4|1") == text


def test_rows_below_an_empty_one_keep_the_names_where_they_are_alike() -> None:
    lines = ("|2024|2025", "Revenue|5|6", "||", "Headcount|12|14")
    assert write_rows(*lines, is_sheet=True) == "- Revenue; 2024: 5; 2025: 6\n\n- Headcount; 2024: 12; 2025: 14"
    assert write_rows(*lines[:3], "Manager|Ada|Bo", is_sheet=True).endswith("\n\n- Manager | Ada | Bo")
    other = ("City|Land|Sky", "Oslo|Norway|blue", "||", "Name|Role|Town", "Ada|Chief|Moss")
    assert write_rows(*other, is_sheet=True).endswith("\n\n- Name: Ada; Role: Chief; Town: Moss")


def test_an_empty_line_of_a_csv_parts_two_tables(tmp_path: Path) -> None:
    lines = "Item,Stock\nBolts,12\nNuts,9\n\nName,Phone,Room\nKarl,555,3\nIda,556,4"
    assert read(tmp_path, "a.csv", lines).text == (
        "- Item: Bolts; Stock: 12\n- Item: Nuts; Stock: 9\n\n"
        "- Name: Karl; Phone: 555; Room: 3\n- Name: Ida; Phone: 556; Room: 4"
    )
    spaced = read(tmp_path, "a.csv", "Item,Stock\n\nBolts,12\n\nNuts,9\n\n").text
    assert spaced == "- Item: Bolts; Stock: 12\n- Item: Nuts; Stock: 9"


def test_tables_side_by_side_are_two(tmp_path: Path) -> None:
    rows = [
        ["Stock of the yard"],
        ["Printers", None, None, "Vehicles", None],
        ["Model", "Room", None, "Plate", "Driver"],
        ["Jet 9", 204, None, "KX 12", "Mette"],
        ["Jet 3", 117, None, "QQ 77", "Oskar"],
        ["Ink 5", 9, None, None, None],
    ]
    assert read_book(tmp_path, make_book(rows)) == (
        "Stock of the yard\n\nPrinters\n\n- Model: Jet 9; Room: 204\n- Model: Jet 3; Room: 117\n"
        "- Model: Ink 5; Room: 9\n\nVehicles\n\n- Plate: KX 12; Driver: Mette\n- Plate: QQ 77; Driver: Oskar"
    )


def test_figures_beyond_an_empty_column_are_of_their_rows() -> None:
    lines = ("Line|2023||2024|2025", "Sales|1||2|3", "Costs|4||5|6")
    text = "- Line: Sales; 2023: 1; 2024: 2; 2025: 3\n- Line: Costs; 2023: 4; 2024: 5; 2025: 6"
    assert write_rows(*lines, is_sheet=True) == text


def test_a_column_without_a_name_is_told_by_its_place() -> None:
    lines = ("Name|Room||Size", "Ida|4|x|3", "Bo|5||4|late")
    text = "- Name: Ida; Room: 4; Column 3: x; Size: 3\n- Name: Bo; Room: 5; Size: 4; Column 5: late"
    assert write_rows(*lines) == text
    assert "Column C: x; Size: 3\n- Name: Bo; Room: 5; Size: 4; Column E: late" in write_rows(*lines, is_sheet=True)
    assert write_rows("|Low|High", "Oslo|1|2") == "- Oslo; Low: 1; High: 2"
    wide = write_rows("|".join(["Name", "Room", *[""] * 24, "Size"]), "|".join([*"ab", *[""] * 23, "x", "y"]))
    assert wide == "- Name: a; Room: b; Column 26: x; Size: y"


def test_bold_letters_of_a_word_table_are_its_header(tmp_path: Path) -> None:
    def make(rows: list[tuple[str, str]], bold: set[tuple[int, int]]) -> bytes:
        made = docx.Document()
        table = made.add_table(len(rows), 2)
        for line, row in enumerate(rows):
            for place, text in enumerate(row):
                table.cell(line, place).paragraphs[0].add_run(text).bold = (line, place) in bold
        return save(made)

    rows = [("Quux", "Frob"), ("Ada", "slowly"), ("Bo", "fast")]
    header = read(tmp_path, "a.docx", make(rows, {(0, 0), (0, 1)})).text
    assert header == "- Quux: Ada; Frob: slowly\n- Quux: Bo; Frob: fast"
    labels = read(tmp_path, "a.docx", make(rows, {(0, 0), (1, 0), (2, 0)})).text
    assert labels == "- Quux: Frob\n- Ada: slowly\n- Bo: fast"
    totals = read(tmp_path, "a.docx", make([("Item", "Price"), ("Oar", "5"), ("Sum", "5")], {(2, 0), (2, 1)})).text
    assert totals == "- Item: Oar; Price: 5\n- Item: Sum; Price: 5"


def test_comments_and_hidden_sheets_of_a_workbook_are_told(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    for row in (["Item", "Count"], ["Oars", 14]):
        book.active.append(row)
    book.active["B2"].comment = openpyxl.comments.Comment("Two are broken", "Ida Voss")
    book.create_sheet("Old").append(["Bonus", 7])
    book["Old"].sheet_state = "hidden"
    document = read(tmp_path, "a.xlsx", save(book))
    assert document.text.endswith("- Item: Oars; Count: 14\n\nComment by Ida Voss on “Oars | 14”: Two are broken")
    assert document.unread == "the hidden sheet Old"


def test_a_table_of_rich_text_says_its_headers(tmp_path: Path) -> None:
    rows = "".join(
        rf"\trowd\cellx2000\cellx4000 {first}\cell {second}\cell\row"
        for first, second in (("Item", "Amount"), ("Window", "900"), ("Labour", "340"))
    )
    text = read(tmp_path, "a.rtf", rf"{{\rtf1\ansi We pay.\par{rows}}}").text
    assert text == "We pay.\n\n- Item: Window; Amount: 900\n- Item: Labour; Amount: 340"
