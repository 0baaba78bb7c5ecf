"""A document's text as HTML: it says what the text says, character for character, and nothing of it lives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html as parser
from made_files import make_docx, read

from index.documents import Document
from index.splitting.outline import Outline
from index.splitting.sentences import find_sentences
from index.splitting.splitter import split
from index.storing.lexicon import Lexicon
from index.storing.records import Record
from index.storing.versions import number_chunks
from index.viewing.blocks import find_blocks, find_code
from index.viewing.markup import Place, write_window
from index.viewing.windows import WINDOW_CHARACTERS, Window, read_window

ELEMENTS = frozenset(
    "div h2 h3 h4 h5 h6 p ul li table thead tbody tr th td pre code blockquote mark span strong em br".split()
)
ATTRIBUTES = frozenset(
    "data-start data-end data-cited class hidden dir scope colspan tabindex".split(),
)
# What texts are made of, so that all kinds of blocks and marks come up.
PIECES = st.sampled_from(
    "\n|\n\n|\r\n|# |## |- |  - |* |1. |> |\t|| |```\n|```python\n|---|===\n||---||\n|; |: |City: |Grade: |Oslo".split(
        "|"
    )
    + "**bold**|*so*|`code`|[a](b)|![a](b)|**|_|`|<b>|&amp;|\u00a0|\u2000|\u2001|The ferry leaves at nine.".split("|")
    + "port: 8443|x = f(1)|def f():\n    return 1|2024-03-01 10:00:00 INFO up|Müller|日本語。|עברית|😀".split("|")
    + ["\u2028", "\x85", "\ufeff", "   ", "|", " | "]
)
TEXTS = st.lists(PIECES | st.text(max_size=6), max_size=40).map("".join).map(lambda text: text.replace("\x00", ""))


def show(text: str, cited: Sequence[Place] = (), *, is_markdown: bool = True, is_code: bool = False) -> Any:
    """The elements that a text becomes."""
    code = find_code(text) if is_code else None
    blocks = (code,) if code else tuple(find_blocks(text, find_sentences(text)))
    window = Window(text, 0, 0, len(text), len(text), blocks, is_markdown)
    return parse(write_window(window, cited))


def parse(markup: str) -> Any:
    return parser.fragment_fromstring(f"<main>{markup}</main>")


def words_of(element: Any) -> str:
    return "".join(element.itertext())


def shown(element: Any) -> str:
    """What is seen of an element."""
    copy = parser.fromstring(parser.tostring(element, encoding="unicode"))
    for hidden in copy.xpath("//*[@hidden]"):
        hidden.text = ""
    return words_of(copy)


def check(page: Any, text: str, offset: int = 0) -> None:
    """Every element holds the words that it says it holds, and nothing else is there."""
    for element in page.iter():
        if element is not page:
            assert element.tag in ELEMENTS
            assert set(element.attrib) <= ATTRIBUTES
        if "data-start" in element.attrib:
            start, end = int(element.get("data-start")), int(element.get("data-end"))
            assert words_of(element) == text[start - offset : end - offset]


# lxml drops or replaces what XML has no place for; browsers do not.
PLAIN = TEXTS.map(lambda text: "".join(c for c in text if c in "\t\n\r" or (c >= " " and not "\x7f" <= c <= "\x9f")))


@settings(max_examples=100)
@given(PLAIN, st.lists(st.tuples(st.integers(0, 200), st.integers(1, 60)), max_size=4), st.booleans(), st.booleans())
def test_the_words_are_those_of_the_text_and_marks_hold_what_is_cited(
    text: str, spans: list[tuple[int, int]], is_markdown: bool, is_code: bool
) -> None:
    cited = [(start, min(start + length, len(text))) for start, length in spans if start < len(text)]
    page = show(text, cited, is_markdown=is_markdown, is_code=is_code)
    check(page, text)
    held = [False] * len(text)
    last = 0
    for block in page:
        tops = [block] if "data-start" in block.attrib else [b for b in block if "data-start" in b.attrib]
        for top in tops:
            start, end = int(top.get("data-start")), int(top.get("data-end"))
            assert last <= start < end
            last = end
            held[start:end] = [True] * (end - start)
    assert not any(c.strip("\ufeff") and not c.isspace() and not h for c, h in zip(text, held, strict=True))
    marked = [0] * len(text)
    for mark in page.xpath("//mark"):
        start, end = int(mark.get("data-start")), int(mark.get("data-end"))
        for place in range(start, end):
            marked[place] += 1
        for whole in mark.get("data-cited").split():
            begin, _, stop = whole.partition("-")
            assert (int(begin), int(stop)) in cited
            assert int(begin) <= start < end <= int(stop)
    wanted = {place for begin, stop in cited for place in range(begin, stop)}
    seen = {place for element in page.xpath("//*[@hidden]") for place in _span(element)}
    for place, times in enumerate(marked):
        assert times == 0 or (times == 1 and place in wanted)
        if place in wanted and not times:
            assert text[place].isspace() or text[place] == "\ufeff" or place in seen


def _span(element: Any) -> range:
    """Where a hidden mark stands in the text."""
    outer = element
    while "data-start" not in outer.attrib:
        outer = outer.getparent()
    start = int(outer.get("data-start")) + (0 if outer is element else _count_before(outer, element))
    return range(start, start + len(words_of(element)))


def _count_before(outer: Any, element: Any) -> int:
    count = len(outer.text or "")
    for child in outer:
        if child is element:
            return count
        if element in child.iterdescendants():
            return count + _count_before(child, element)
        count += len(words_of(child)) + len(child.tail or "")
    return count


# -- what each kind of text becomes -----------------------------------------------------------


def tags(page: Any) -> list[str]:
    return [element.tag for element in page if element.get("hidden") is None]


def test_markdown_is_set_as_it_means() -> None:
    text = (
        "# Handbook\n\nWho is **never** late, see [the rota](https://x.example/r), is `paid`.\n\n- one\n  - two\n"
        "1. three\n\n> Said once.\n>\n> And again.\n\n```python\nx = 1\n\nif x:\n    y()\n```\n\n"
        "| Boat | Price |\n|---|---|\n| Dory | 12 |\n\nLast\n====\n"
    )
    page = show(text)
    check(page, text)
    assert tags(page) == ["h2", "p", "ul", "blockquote", "pre", "table", "h2"]
    assert [shown(page[0]), shown(page[1])] == [
        "Handbook",
        "Who is never late, see the rota(https://x.example/r), is paid.",
    ]
    assert [words_of(e) for e in page.xpath("//strong|//code[not(parent::pre)]")] == ["never", "paid"]
    assert [(shown(e).strip(), e.get("class")) for e in page.xpath("//li")] == [
        ("one", "depth-0"), ("two", "depth-1"), ("1. three", "depth-0 numbered")
    ]  # fmt: skip
    assert shown(page.xpath("//blockquote")[0]).split() == "Said once. And again.".split()
    assert words_of(page.xpath("//pre/code")[0]) == "x = 1\n\nif x:\n    y()"
    assert [shown(e) for e in page.xpath("//thead//th")] == ["Boat", "Price"]
    assert [shown(e) for e in page.xpath("//tbody//td")] == ["Dory", "12"]
    assert not page.xpath("//a")


def test_marks_of_markdown_are_shown_where_the_text_is_none() -> None:
    assert shown(show("Press **F1** or `q`, please, at any time.", is_markdown=False)[0]).count("*") == 4


def test_rows_that_name_their_columns_are_a_grid() -> None:
    text = (
        "Rates\n\n- City: Oslo; Grade: Staff; Rate: 12\n- City: Rome; Rate: 9; Note: by hand; see p. 3\n"
        "- City: Bonn; Grade: Chief; Rate: 14; Note: new"
    )
    start = text.index("City: Rome")
    page = show(text, [(start, text.index("\n- City: Bonn"))])
    check(page, text)
    assert [words_of(e) for e in page.xpath("//thead[@class='made']//th")] == ["City", "Grade", "Rate", "Note"]
    rows = [[shown(cell).strip() for cell in row] for row in page.xpath("//tbody/tr")]
    assert rows == [["Oslo", "Staff", "12"], ["Rome", "", "9", "by hand; see p. 3"], ["Bonn", "Chief", "14", "new"]]
    assert [row.get("class") for row in page.xpath("//tbody/tr")] == [None, "cited", None]
    assert [shown(e).strip() for e in page.xpath("//mark")] == ["Rome", "9", "by hand; see p. 3"]
    assert [e.get("tabindex") for e in page.xpath("//mark")] == ["0", None, None]


def test_a_row_may_begin_with_a_cell_that_has_no_name() -> None:
    page = show("- Anna; Monday: 8; Tuesday: 9\n- Karl; Monday: 7; Tuesday: 6")
    assert [words_of(e) for e in page.xpath("//th")] == ["", "Monday", "Tuesday"]
    assert [shown(e).strip() for e in page.xpath("//tbody//td")] == ["Anna", "8", "9", "Karl", "7", "6"]


def test_rows_of_tabs_keep_their_empty_cells() -> None:
    text = "Item\tHours\tCost\nParts\t\t2,100\nLabor\t2\t300\n"
    page = show(text)
    check(page, text)
    assert [[shown(cell).strip() for cell in row] for row in page.xpath("//tr")] == [
        ["Item", "Hours", "Cost"], ["Parts", "", "2,100"], ["Labor", "2", "300"]
    ]  # fmt: skip


def test_a_place_over_several_blocks_has_a_mark_in_each() -> None:
    text = "The first paragraph is here.\n\nThe second one follows.\n\nThe third ends it."
    page = show(text, [(4, len(text) - 4)])
    assert [words_of(e) for e in page.xpath("//mark")] == [
        "first paragraph is here.", "The second one follows.", "The third ends"
    ]  # fmt: skip


def test_places_that_overlap_are_all_named() -> None:
    text = "The ferry leaves at nine on Monday."
    marks = show(text, [(4, 16), (10, 24)]).xpath("//mark")
    assert [(words_of(e), e.get("data-cited")) for e in marks] == [
        ("ferry ", "4-16"), ("leaves", "4-16 10-24"), (" at nine", "10-24")
    ]  # fmt: skip


def test_lines_of_an_address_stay_lines_and_wrapped_lines_do_not() -> None:
    address = show("Main Street 4\n1234 Oslo\nBox 12\n")
    assert len(address.xpath("//br")) == 2
    wrapped = "The ferry to the islands leaves from the northern pier each day at nine in the\nmorning. It "
    wrapped += "returns at six in the evening, or later where the sea is rough and\nthe captain waits."
    assert not show(wrapped).xpath("//br")


def test_settings_keep_their_indents() -> None:
    text = "server:\n  port: 8443\n  host: example.org\n"
    page = show(text)
    assert [(e.tag, words_of(e)) for e in page] == [("pre", text.rstrip())]
    assert words_of(show(text, is_code=True).xpath("//pre/code")[0]) == text.rstrip()


def test_a_word_document_has_its_headings_and_its_table(tmp_path: Path) -> None:
    def cells(*words: str) -> str:
        return "".join(f"<w:tc><w:p><w:r><w:t>{word}</w:t></w:r></w:p></w:tc>" for word in words)

    rows = "".join(f"<w:tr>{cells(*row)}</w:tr>" for row in (("Boat", "Price"), ("Dory", "12"), ("Gig", "15")))
    body = f'<w:p><w:pPr><w:pStyle w:val="Heading1"/></w:pPr><w:r><w:t>Hire</w:t></w:r></w:p><w:tbl>{rows}</w:tbl>'
    page = show(read(tmp_path, "a.docx", make_docx(body)).text, is_markdown=False)
    assert [words_of(e) for e in page.xpath("//thead//th")] == ["Boat", "Price"]
    assert [shown(e).strip() for e in page.xpath("//tbody//td")] == ["Dory", "12", "Gig", "15"]


HOSTILE = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg onload=alert(1)>", "</mark></p><iframe src=//x>",
    "[x](javascript:alert(1))", '![x](http://x.example/"onerror="alert(1))', "# <a href=javascript:alert(1)>x</a>",
    "- <b>a</b>: <i>b</i>; c: d\n- <b>a</b>: e; c: f", "```<script>\n</code></pre><script>alert(1)</script>\n```",
    "| <th onclick=x> | b |\n|---|---|\n| <td> | </table><script> |", "&lt;script&gt; &#x3c;b&#x3e;",
    "<!--", "<plaintext>", "]]>", "<style>*{}</style>", "$$\\href{javascript:alert(1)}{x}$$",
)  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("is_code", [False, True])
def test_nothing_that_a_document_says_lives(text: str, is_code: bool) -> None:
    page = show(text, [(0, len(text))], is_code=is_code)
    check(page, text)
    assert "".join(words_of(page).split()).replace("<b>ac", "", 1).count("<") >= text.count("<") - 2


# -- windows ----------------------------------------------------------------------------------


@pytest.fixture
def lexicon(tmp_path: Path) -> Iterator[Lexicon]:
    lexicon = Lexicon(tmp_path / "lexicon.sqlite")
    lexicon.create()
    yield lexicon
    lexicon.close()


def keep(lexicon: Lexicon, path: str, text: str) -> None:
    """Keep a text in chunks, as a sync would; its document's id is its path."""
    document = Document(path, path, "", None, text, (), "0" * 64)
    outline = Outline(text)
    spans = split(outline, lambda texts: [len(t) // 4 + 1 for t in texts], 200)
    record = Record(path, path, "", None, (), "0" * 64, len(text), 7, len(spans))
    lexicon.put([(record, number_chunks(document, outline, 0, spans))], {})


def test_windows_follow_each_other_and_lose_nothing(lexicon: Lexicon) -> None:
    parts = [
        f"# Part {number}\n\nThe ferry number {number} leaves at nine. It returns at six.\n\n- one: {number}\n- two\n\n"
        for number in range(900)
    ]
    text = "".join(parts)
    keep(lexicon, "a.md", text)
    windows = [read_window(lexicon, "a.md", "a.md", 0)]
    while windows[-1].end < windows[-1].total:
        windows.append(read_window(lexicon, "a.md", "a.md", windows[-1].end))
    assert len(windows) == round(len(text) / WINDOW_CHARACTERS) or len(windows) == len(text) // WINDOW_CHARACTERS + 1
    assert [w.start for w in windows[1:]] == [w.end for w in windows[:-1]]
    assert (windows[0].start, windows[-1].end) == (0, len(text))
    for window in windows:
        page = parse(write_window(window))
        check(page, text, 0)
        assert page[0].tag in ("h2", "p", "ul")
    # Backwards too, from an end on which there was a cut.
    before = read_window(lexicon, "a.md", "a.md", None, windows[1].end)
    assert before.end == windows[1].end
    assert "".join(text[w.start : w.end] for w in windows) == text


@pytest.mark.parametrize("unit", ["word ", "The end of it is here. ", "x" * 50, "日本語。"])
def test_a_text_without_lines_is_cut_too(lexicon: Lexicon, unit: str) -> None:
    text = unit * (70_000 // len(unit))
    keep(lexicon, "a.txt", text)
    place, shown_parts = 0, []
    while place < len(text):
        window = read_window(lexicon, "a.txt", "a.txt", place)
        assert window.start == place < window.end <= place + WINDOW_CHARACTERS + 5_000
        page = parse(write_window(window, [(place, place + 10)]))
        check(page, text)
        shown_parts.append(words_of(page))
        place = window.end
    assert "".join("".join(shown_parts).split()) == "".join(text.split())


def test_a_window_round_a_place_in_the_middle_begins_and_ends_at_blocks(lexicon: Lexicon) -> None:
    text = "".join(f"Paragraph {number} is a sentence of some words that goes on.\n\n" for number in range(2_000))
    keep(lexicon, "a.txt", text)
    window = read_window(lexicon, "a.txt", "a.txt", 50_007, 52_013)
    assert text[window.start :].startswith("Paragraph")
    assert text[window.end :].startswith("Paragraph")
    assert window.start <= 50_007 < 52_013 <= window.end < 55_100


def test_what_is_asked_beyond_a_text_is_empty_or_its_end(lexicon: Lexicon) -> None:
    keep(lexicon, "a.txt", "The only line.")
    assert write_window(read_window(lexicon, "a.txt", "a.txt", 99)) == ""
    assert write_window(read_window(lexicon, "b.txt", "b.txt", 0)) == ""
    assert read_window(lexicon, "a.txt", "a.txt", -5, 10**12).end == 14
