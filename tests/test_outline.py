from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.documents import Passage
from index.splitting.outline import HEAD_CHARACTERS, MOST_HEADS, Outline
from index.splitting.sentences import CONTENT, Sentence


def under(text: str, words: str) -> tuple[str, ...]:
    """What the sentence that begins with some words stands under."""
    outline = Outline(text)
    [place] = [place for place, s in enumerate(outline.sentences) if text.startswith(words, s.start)]
    return contexts_of(outline)[place]


def contexts_of(outline: Outline) -> list[tuple[str, ...]]:
    passage = Passage("a", "a", "", None, 0, len(outline.text), outline.text, 1.0, tuple(outline.sentences))
    return passage.contexts()


def kinds_of(text: str) -> list[tuple[str, str]]:
    return [(text[sentence.start : sentence.end], sentence.kind) for sentence in Outline(text).sentences]


HANDBOOK = """\
# Handbook

It is for all of us.

## Leave

### Sick leave

Call before nine. Then rest.

## Pay

It comes on the last day.

OTHER MATTERS

1.2 Keys

Ask the porter, who has them.

1.2.1 Lost keys

They cost 40 crowns each.

2 Bicycles

They stand in the yard, all of them.
"""


@pytest.mark.parametrize(
    ("words", "heads"),
    [
        ("It is for all", ("Handbook",)),
        ("Leave", ("Handbook",)),
        ("Call before", ("Handbook", "Leave", "Sick leave")),
        ("Then rest", ("Handbook", "Leave", "Sick leave")),
        ("It comes", ("Handbook", "Pay")),
        ("Ask the porter", ("Handbook", "Pay", "OTHER MATTERS", "1.2 Keys")),
        ("They cost", ("Handbook", "Pay", "OTHER MATTERS", "1.2 Keys", "1.2.1 Lost keys")),
        ("They stand", ("Handbook", "Pay", "OTHER MATTERS", "2 Bicycles")),
    ],
)
def test_sentences_stand_under_the_headings_above_them(words: str, heads: tuple[str, ...]) -> None:
    assert under(HANDBOOK, words) == heads


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_an_underlined_line_is_a_heading_of_the_level_of_its_line(newline: str) -> None:
    text = "Manual\n======\n\nRead it.\n\nSetup\n-----\n\nTurn it on.\n\nCare\n----\nKeep it dry.\n".replace(
        "\n", newline
    )
    assert under(text, "Read it") == ("Manual",)
    assert under(text, "Turn it") == ("Manual", "Setup")
    assert under(text, "Keep it") == ("Manual", "Care")


@pytest.mark.parametrize(
    ("text", "words", "heads"),
    [
        (
            "The kit holds:\n\n- a lamp\n- tools:\n  - a saw\n  - a file\n\nKeep it dry, always.",
            "a lamp",
            ("The kit holds",),
        ),
        ("The kit holds:\n\n- a lamp\n- tools:\n  - a saw\n", "a saw", ("The kit holds", "tools")),
        ("The kit holds:\n\n- a lamp\n\nKeep it dry, always.", "Keep it", ()),
        ("1. Wash\n   a) with soap\n2. Dry\n", "a) with", ("1. Wash",)),
        ("server:\n  tls:\n    port: 8443\n  host: a\nname: b\n", "port", ("server", "tls")),
        ("server:\n  tls:\n    port: 8443\n  host: a\nname: b\n", "host", ("server",)),
        ("server:\n  tls:\n    port: 8443\n  host: a\nname: b\n", "name", ()),
        ("ports:\n  - 80\n  - 443\nname: b\n", "443", ("ports",)),
        ("ports:\n  - 80\n  - 443\nname: b\n", "name", ()),
        ("[server]\nport = 8443\n\n[client]\nname = b\n", "port", ("[server]",)),
        ("[server]\nport = 8443\n\n[client]\nname = b\n", "name", ("[client]",)),
        ("# Retry policy\nMAX_RETRIES = 7\n", "MAX", ("Retry policy",)),
        ("Q: How long is the warranty?\nA: Two years.\n", "A: Two", ("Q: How long is the warranty?",)),
        ("**Do you ship?**\n\nYes, everywhere.\n\n**Is it free?**\n\nNo, never.", "No, never", ("Is it free?",)),
        ("## Do you ship?\n\nYes, everywhere.\n", "Yes", ("Do you ship?",)),
        ("- Do you deliver?\n- Within five kilometres.\n", "Within", ("Do you deliver?",)),
        ("# Prices\n\n| Boat | Price |\n|---|---|\n| Skiff | 40 |\n", "Skiff", ("Prices", "Boat | Price")),
        ("Boat | Price\n--- | ---\nSkiff | 40\n", "Skiff", ("Boat | Price",)),
        ("Who\tWhat\tFee\nAdults\tDay\t8.50\n\tMonth\t58.00\n", "Month", ("What | Fee",)),
        ("Region\t2021\t2022\nNorth\t1,204\t980\n", "North", ("Region | 2021 | 2022",)),
        (
            "Item        Qty   Price\nPump          2   12.00\nLong valve   10    3.50\n",
            "Long",
            ("Item | Qty | Price",),
        ),
        (
            "\t2021\t2022\nRevenue:\nGoods\t1,204\t980\nTotal\t1,204\t980\nGross\t9\t8\n",
            "Goods",
            ("– | 2021 | 2022", "Revenue"),
        ),
        ("\t2021\t2022\nRevenue:\nGoods\t1,204\t980\nTotal\t1,204\t980\nGross\t9\t8\n", "Gross", ("– | 2021 | 2022",)),
    ],
)
def test_what_heads_few_lines_stands_above_these_alone(text: str, words: str, heads: tuple[str, ...]) -> None:
    assert under(text, words) == heads


@pytest.mark.parametrize(
    "text",
    [
        "Karl Aster\t555-0101\nMina Dorr\t555-0102\n",
        "Monday\tPea soup\nTuesday\tFish cakes\n",
        "Name\tCity\nKarl\tOslo\n\nLamps\t12\nSaws\t9\n",
    ],
)
def test_no_row_is_taken_for_the_names_of_columns_that_it_does_not_name(text: str) -> None:
    assert all(not heads for words, heads in zip(kinds_of(text), contexts_of(Outline(text)), strict=True) if words)


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("title: Tide tables\nauthor: Karl Aster", ["field", "field"]),
        ("export PORT=8080\nHOST = a", ["field", "field"]),
        ("import os\n\n\ndef f(a):\n    if a:\n        return 1\n", ["code"] * 3),
        ("> It rained, he wrote.", ["quotation"]),
        ("- Name: Ada; Age: 36. She knows; City: London", ["row"]),
        ("- From: ada@example.org", ["field"]),
        ("Ada\t36. She knows.\t London\nKarl\t40\tOslo", ["row", "row"]),
    ],
)
def test_parts_say_what_they_are(text: str, kinds: list[str]) -> None:
    assert [kind for _, kind in kinds_of(text)][-len(kinds) :] == kinds


@pytest.mark.parametrize(
    "text",
    [
        "The ferry left.  It was full.  Nobody   minded that\nthe sea was rough.  They  sang on the\nway.",
        "He put it plainly: the tour was over, and nobody\nwould come again before the spring; and so it was.",
        "for the year ended in May;\nhe paid it from what he had saved, and he\nwent home.",
    ],
)
def test_prose_is_no_table_no_fields_and_no_code(text: str) -> None:
    assert {kind for _, kind in kinds_of(text)} == {"prose"}


@pytest.mark.parametrize(
    "text",
    [
        "Tenant:     Anna Berg\nPhone:      555-0100\nRent:       900 euros\n",
        "Flour\ta pinch\nEggs\t2\n",
        "Monday      closed\nTuesday     9:00 - 17:00\nWednesday   9:00 - 17:00\n",
        "Anna Berg     Sales        on leave\nBen Cole      Support      555-0101\n",
        "2024-05-01 10:00 Backup started.\n2024-05-01 10:05 Backup failed on disk 4\n",
        "[10:02] Anna: What is the door code?\n[10:03] Ben: Ask Carl.\n[10:04] Carl: the door code is 4711\n",
        "The lift is broken until Friday.\n---\nThe canteen is closed on Mondays.\n---\n",
        "This  agreement  is  made  between  Acme  and  Beta\non  the  5th  day  of  May,  in  the  city  of\nOslo.\n",
        "I write to you  about the flat at 12  Baker Street.\nThe rent  was 900 pounds and  is now 1,200.\n",
        "| Pro | 12 |\n---\n",
        "K = 4 was the value that won. The others lost.",
    ],
)
def test_what_may_answer_is_neither_a_heading_nor_the_names_of_columns(text: str) -> None:
    assert {kind for _, kind in kinds_of(text)} <= CONTENT


@pytest.mark.parametrize(
    ("text", "words", "heads"),
    [
        ("+---+---+\n| name | price |\n+---+---+\n| basic | 5 |\n+---+---+\n| pro | 12 |\n", "pro", ("name | price",)),
        ("1. Scope\nIt applies to all staff.\n\n2. Leave\nStaff get 25 days.\n", "Staff", ("2. Leave",)),
        ("1. PURPOSE\n\nIt tells who gets what, and when.\n", "It tells", ("1. PURPOSE",)),
        ("- eggs\n- milk\nThe shop closes at 8.\n", "The shop", ()),
        ("- name: app\n  ports:\n    - 80\n", "80", ("name: app ports",)),
        ("```\n~~~\ncode\n```\n\n## Next\nReal text.\n", "Real", ("Next",)),
    ],
)
def test_marks_that_mean_two_things_are_told_by_what_stands_around_them(
    text: str, words: str, heads: tuple[str, ...]
) -> None:
    assert under(text, words) == heads


def test_who_answers_within_a_mail_is_told_from_what_is_quoted() -> None:
    text = "> When do we start?\nWe start on 1 May at 9.\n> Who pays?\nAcme pays it.\n"
    assert [kind for _, kind in kinds_of(text)] == ["quotation", "prose"] * 2


def test_thousands_of_underlined_headings_are_found() -> None:
    text = "".join(f"Term {number}\n=======\n" for number in range(3000))
    assert {kind for _, kind in kinds_of(text)} == {"heading"}


TEXTS = st.lists(
    st.sampled_from(
        [
            *("# One\n\n", "## Two\n\n", "Three\n\n", "1.2 Four\n\n", "Is it?\n\n", "It rained.\n\n", "It holds:\n\n"),
            *("- a\n", "  - b\n", "    - c\n", "key: 1\n", "  key: 2\n", "top:\n", "| a | b |\n", "|---|---|\n"),
            *(
                "x\t1\t2\n",
                "Name\t2021\t2022\n",
                "Total\t3\t4\n",
                "Costs:\n",
                "```\n",
                "x = 1\n",
                "\n",
                "> so\n",
                "[s]\n",
            ),
        ]
    ),
    max_size=30,
).map("".join)


@given(TEXTS, st.data())
def test_a_text_that_is_cut_stands_under_what_it_stood_under(text: str, data: st.DataObject) -> None:
    outline = Outline(text)
    starts = [sentence.start for sentence in outline.sentences]
    cuts = sorted(data.draw(st.sets(st.sampled_from(starts), max_size=4))) if starts else []
    bounds = [0, *cuts, len(text)]
    seen: list[tuple[Sentence, tuple[str, ...]]] = []
    for start, end in pairwise(bounds):
        sentences, above = outline.between(start, end)
        passage = Passage(
            *("a", "a", "", None, start, end, text[start:end], 1.0),
            tuple(Sentence(start + s.start, start + s.end, s.kind, s.level) for s in sentences),
            context=tuple(head.words for head in above),
            levels=tuple(head.level for head in above),
        )
        seen += zip(passage.sentences, passage.contexts(), strict=True)
    assert seen == list(zip(outline.sentences, contexts_of(outline), strict=True))


@given(st.one_of(TEXTS, st.text()))
def test_what_stands_above_is_bounded_and_in_order(text: str) -> None:
    outline = Outline(text)
    for place in range(len(outline.sentences)):
        _, above = outline.between(outline.sentences[place].start, len(text))
        assert len(above) <= MOST_HEADS
        assert all(len(head.words) <= HEAD_CHARACTERS and "\n" not in head.words for head in above)
        levels = [head.level for head in above]
        assert levels == sorted(set(levels))
