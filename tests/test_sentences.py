from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.splitting.sentences import HEADS, LONGEST_SENTENCE_CHARACTERS, find_sentences


def sentences_of(text: str) -> list[str]:
    return [text[sentence.start : sentence.end] for sentence in find_sentences(text)]


def kinds_of(text: str) -> list[tuple[str, str]]:
    return [(text[sentence.start : sentence.end], sentence.kind) for sentence in find_sentences(text)]


# -- sentences within a paragraph -------------------------------------------------------------


@pytest.mark.parametrize(
    "sentences",
    [
        ["It rained.", "We left."],
        ["Dr. Smith met Mr. Jones.", "They talked."],
        ["He wrote to Prof. Brown on Jan. 5.", "Nobody answered."],
        ["It was signed by Gen. Lee vs. Grant et al. and others.", "It held."],
        ["The author is J. R. Smith.", "It sold well."],
        ["The rate rose by 3.14 percent to 1,000.5 units.", "It fell by 0.5 later."],
        ["He moved to the U.S.", "The family followed."],
        ["The U.S. Army stayed.", "It left in May."],
        ["He joined Acme Inc.", "The firm grew."],
        ["Acme Inc. Chairman Lee resigned.", "Nobody knew."],
        ["They met at 5 p.m.", "The talks failed."],
        ["They met at 5 p.m. Monday.", "The talks failed."],
        ["See Fig. 3 for details.", "It is clear."],
        ["He asked for vitamin C.", "The nurse agreed."],
        ["Take e.g. Paris.", "It is old."],
        ["Das ist z.B. Berlin.", "Es ist groß."],
        ["He said: “I will go.”", "She stayed."],
        ['He said "stop."', '"Why?"', "She ran on."],
        ["(It was late.)", "We went home."],
        ["Is it true?", "Yes!", "Really?!", "Good."],
        ["“Stop!” he said.", "She ran on."],
        ["He waited...", "Then he left."],
        ["He waited... and left.", "Well… maybe."],
        ["It grew fast.[12]", "It then shrank.[3][4]", "The end."],
        ["Version 2.0.1 came out.", "It runs."],
        ["Read www.example.com/a.b?c=d today.", "Thanks."],
        ["It costs $5.", "3 men paid."],
        ["Bus No. 5 is late.", "Ours is not."],
        ["Call us at Tel. 555-0160 or Fax. +47 555 or ext. (0)12.", "We answer."],
        ["We are at Bahnhofstr. 4 in Ulm.", "Ask for Dipl.-Ing. Weber."],
        ["It is in Art. 12 and Bd. 3.", "See Best.-Nr. 4711 too."],
        ["He liked art.", "She did not.", "The house was far from a Str.", "They left."],
        ["2.1. Boats are let by the day.", "The deposit is due."],
        ["iv. Boats are let.", "VII. The deposit is due.", "It stays."],
        ["He said no.", "The end."],
        ["*Really.*", "**Truly.**", "Yes."],
        ["¿Qué pasó?", "¡Nada!", "Vale."],
        ["The tour ran from 13 to 16 May 2025.", "Israel was skipped."],
        ["It was tokenised .", "So was this one .", "The U.S. too ."],
    ],
)
def test_sentences_end_where_a_reader_would_end_them(sentences: list[str]) -> None:
    assert sentences_of(" ".join(sentences)) == sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("机器学习是一个分支。它很有用！真的吗？", ["机器学习是一个分支。", "它很有用！", "真的吗？"]),
        ("彼は「行く。」と言った。彼女は残った。", ["彼は「行く。」", "と言った。", "彼女は残った。"]),
    ],
)
def test_scripts_without_spaces_end_sentences_at_their_own_marks(text: str, sentences: list[str]) -> None:
    assert sentences_of(text) == sentences


def test_a_text_without_punctuation_is_parted_at_spaces_below_the_cap() -> None:
    text = "word " * 1000
    parts = sentences_of(text)
    assert all(len(part) <= LONGEST_SENTENCE_CHARACTERS for part in parts)
    assert " ".join(parts) == text.strip()


def test_a_text_without_spaces_is_parted_at_the_cap() -> None:
    assert [len(part) for part in sentences_of("x" * 2500)] == [1000, 1000, 500]


def test_a_long_sentence_is_parted_after_its_last_comma_before_the_cap() -> None:
    first, second = "a" * 700 + " and so on,", "b" * 200 + " " + "c" * 300
    assert sentences_of(f"{first} {second}") == [first, second]


# -- blocks -----------------------------------------------------------------------------------


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_lines_that_an_editor_has_wrapped_are_one_paragraph(newline: str) -> None:
    lines = [
        "The committee met on Monday and weighed the budget that the mayor had laid",
        "before it in the spring. Nobody was content with the numbers, least of all",
        "the mayor.",
    ]
    text = newline.join(lines)
    assert [sentence.split() for sentence in sentences_of(text)] == [
        "The committee met on Monday and weighed the budget that the mayor had laid before it in the spring.".split(),
        "Nobody was content with the numbers, least of all the mayor.".split(),
    ]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_lines_that_nobody_has_wrapped_stand_alone(newline: str) -> None:
    lines = ["Name: Ada Lovelace", "Born: 1815", "Known for: the first program"]
    assert sentences_of(newline.join(lines)) == lines


def test_a_line_that_goes_on_in_small_letters_belongs_to_the_one_before() -> None:
    assert sentences_of("The mayor\nand the clerk left.") == ["The mayor\nand the clerk left."]


@pytest.mark.parametrize(
    "text",
    [
        "The library is closed from 24 December until\n6 January 2027 because of works.",
        "Applications must reach us in writing by\n15. March.",
        "It is paid in arrears no later than the\n5. working day of each month.",
        "Die Halle ist gesperrt vom 3. Mai bis\n12. Juni.",
        "We met at the harbour in Brenvale,\n3 miles from here.",
    ],
)
def test_a_line_whose_end_leads_on_goes_on(text: str) -> None:
    assert sentences_of(text) == [text]


def test_lines_of_an_address_stand_alone_whatever_ends_them() -> None:
    assert sentences_of("Karl Aster,\n12 Mill Lane,\n3301 Hallmoor") == [
        "Karl Aster,",
        "12 Mill Lane,",
        "3301 Hallmoor",
    ]


@pytest.mark.parametrize(
    "line", ["Dear all,", "Best regards", "</details>", "BEGIN:VCARD", "[12:01] <mira> off to lunch"]
)
def test_lines_that_head_nothing_are_no_headings(line: str) -> None:
    assert kinds_of(f"{line}\n\nIt rained all day, and we stayed at home.")[0] == (line, "prose")


@pytest.mark.parametrize("gap", ["\n\n", "\r\n\r\n", "\n \t\n", "\n\n\n\n"])
def test_a_blank_line_ends_a_sentence_whatever_its_punctuation(gap: str) -> None:
    assert sentences_of(f"the first paragraph{gap}the second one.") == ["the first paragraph", "the second one."]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("# Title\nText follows.", ["Title", "Text follows."]),
        ("###### Deep title\n\nText follows.", ["Deep title", "Text follows."]),
        ("- first item\n- second item", ["first item", "second item"]),
        ("* One. Two.\n+ Three.", ["One.", "Two.", "Three."]),
        ("> quoted text\n> > quoted twice", ["quoted text", "quoted twice"]),
        ("1. Wash it.\n2. Dry it.", ["1. Wash it.", "2. Dry it."]),
        ("(a) Wash it.\n(b) Dry it.", ["(a) Wash it.", "(b) Dry it."]),
        ("1. 2. Two marks.", ["1. 2.", "Two marks."]),
        ("> 1. A quoted list.", ["1. A quoted list."]),
        ("J. R. R. Tolkien wrote it.", ["J. R. R. Tolkien wrote it."]),
        ("| Name | Age |\n|------|-----|\n| Ada | 36 |", ["Name | Age |", "Ada | 36 |"]),
        ("Before.\n```python\nx = 1. \ny = 2\n```\nAfter.", ["Before.", "python", "x = 1.", "y = 2", "After."]),
        ("One.\x0cTwo.\u2028Three.\x85Four.", ["One.", "Two.", "Three.", "Four."]),
        ("\ufeffMarked.\x00", ["Marked."]),
        ("\ufeff# Title\n\n1. Wash it.", ["Title", "1. Wash it."]),
        ("\ufeff- first item\n- second item", ["first item", "second item"]),
    ],
)
def test_blocks_are_parted_and_their_marks_left_outside(text: str, sentences: list[str]) -> None:
    assert sentences_of(text) == sentences


@pytest.mark.parametrize("text", ["", " \n\t\r\n", "...", "---\n***\n", "| | |\n|-|-|", "``` \n```", "\ufeff", "。！"])
def test_a_text_without_words_has_no_sentences(text: str) -> None:
    assert find_sentences(text) == []


# -- what a sentence is -----------------------------------------------------------------------


def test_headings_are_told_from_prose_by_their_mark_or_by_standing_alone() -> None:
    text = (
        "# The tour.\n\nWhy he went\n\nHe went for trade. He came back.\n\nThis line ends as a statement does.\n\nWhy?"
    )
    assert kinds_of(text) == [
        ("The tour.", "heading"),
        ("Why he went", "heading"),
        ("He went for trade.", "prose"),
        ("He came back.", "prose"),
        ("This line ends as a statement does.", "prose"),
        ("Why?", "question"),
    ]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("- a short item", "item"),
        ("| a | cell |", "row"),
        ("x" * 101, "prose"),
        ("A line\nand its other half.", "prose"),
        ("It ends with a colon:", "prose"),
    ],
)
def test_items_cells_and_long_or_finished_lines_are_no_headings(text: str, kind: str) -> None:
    assert {found for _, found in kinds_of(text)} == {kind}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("text", "headings"),
    [
        ("Head of sales: Karl Aster\nHead of purchase: Mina Dorr\n\nThey meet weekly.", []),
        ("Boat\n\n**Length:** 9.4 metres\n**Draught:** 1.6 metres\n\n**Home port:** Selsund", ["Boat"]),
        ("Fact sheet\n\nHeight: 42 metres\n\nBuilt in 1871\n\nKeeper: Tove Ramm", ["Fact sheet"]),
        ("Meeting of 4 March\n\nAnna: We order paper on Friday\nCarl: It costs 700 crowns", ["Meeting of 4 March"]),
        ("Leek soup\n\nServes 4\nTakes 35 minutes\n\n3 leeks\n2 potatoes\n\nCut the leeks.", ["Leek soup"]),
        ("Harbour office\nMill Lane 4\n3301 Hallmoor\nOpen on weekdays", ["Harbour office"]),
        ("Install it:\n\n```\nbrokerctl install --port 5677\n```\n\nThen start it.", []),
        ("server:\n  host: 10.0.0.8\n  port: 8443", ["server:"]),
        ("Q: How long is the warranty?\nA: Two years", ["Q: How long is the warranty?"]),
        ("**Do you ship abroad?**\n\nYes, everywhere.", ["**Do you ship abroad?**"]),
        ("- Do you deliver?\n- Within five kilometres.\n- Is it free?\n- Yes.", ["Do you deliver?", "Is it free?"]),
        ("Ask yourself:\n\n- Is it true?\n- Is it kind?\n- Is it needed?", []),
    ],
)
def test_short_lines_among_their_like_are_content(text: str, headings: list[str], newline: str) -> None:
    assert [words for words, kind in kinds_of(text.replace("\n", newline)) if kind in HEADS] == headings


@pytest.mark.parametrize(
    "text",
    [
        "Putin: From praise to distance",
        "The tour: A snub\n\nIsrael: Ally or partner",
        "The limits of a personal bond\n20 May 2025",
        "The tour\n========",
    ],
)
def test_titles_stay_headings_with_a_colon_a_subtitle_or_a_date(text: str) -> None:
    assert {kind for _, kind in kinds_of(f"{text}\n\nHe went for trade, and he came back with less.")[:-1]} == {
        "heading"
    }


@pytest.mark.parametrize(
    "text",
    [
        "This website uses cookies to improve your experience.",
        "We use cookies. Accept all cookies to go on.",
        "Read also: What the tour means",
        "ALSO READ: What the tour means",
        "Related articles: The tour. The rift.",
        "Subscribe to our newsletter",
        "Sign up for our free newsletter and never miss a story.",
        "© 2025 The Paper. All rights reserved.",
        "Share this on Facebook",
        "Skip to main content",
        "Click here to go on.",
        "Your email address will not be published.",
    ],
)
def test_what_a_site_puts_around_its_text_is_boilerplate(text: str) -> None:
    assert {kind for _, kind in kinds_of(text)} == {"boilerplate"}


@pytest.mark.parametrize(
    "text",
    [
        "The report on cookies was read by the committee.",
        "He was asked to read the next chapter aloud to the class.",
        "She wrote a newsletter for the village.",
        "The share of exports rose to 40 percent in the third quarter of the year, the bank said on Monday.",
    ],
)
def test_prose_that_only_uses_the_words_of_boilerplate_stays_prose(text: str) -> None:
    assert {kind for _, kind in kinds_of(text)} == {"prose"}


# -- what holds for every text ----------------------------------------------------------------

PIECES = [
    *"The mayor left. Dr. e.g. U.S. p.m. J. 3.14 1. (a) [12] ... … ? ! ; “Why?” ‘no’ *so* No. inc. 5 a".split(),
    *["# ", "- ", "> ", "| ", "```", "~~~", "---", "* ", "1) ", " ", "  ", "\t", "\n", "\r\n", "\n\n", "\r", "\x0c"],
    *[
        "。",
        "机器学习",
        "！",
        "」",
        "ไทย",
        "é",
        "\u0301",
        "\u00a0",
        "\u2028",
        "\x85",
        "\ufeff",
        "\x00",
        "\x1c",
        "²",
        "_",
    ],
    *["word " * 250, "x" * 1200, "a;" * 600, "We use cookies", "the", "Ⅷ", "𝔘", "😀", "\ud800"],
]
TEXTS = st.one_of(st.text(max_size=300), st.lists(st.sampled_from(PIECES), max_size=60).map("".join))


@given(TEXTS)
def test_sentences_are_in_order_do_not_overlap_and_carry_no_white_space_around_them(text: str) -> None:
    previous_end = 0
    for sentence in find_sentences(text):
        words = text[sentence.start : sentence.end]
        assert previous_end <= sentence.start < sentence.end <= len(text)
        assert words == words.strip()
        assert len(words) <= LONGEST_SENTENCE_CHARACTERS
        previous_end = sentence.end


@given(TEXTS)
def test_no_letter_or_digit_is_lost(text: str) -> None:
    covered = set[int]()
    for sentence in find_sentences(text):
        covered.update(range(sentence.start, sentence.end))
    assert [(i, text[i]) for i in range(len(text)) if text[i].isalnum() and i not in covered] == []


@pytest.mark.parametrize(
    "piece",
    [
        "a" + "." * 99,
        "[",
        "> ",
        "a. ",
        "- ",
        "1. ",
        "Mr. ",
        ". ",
        "! ",
        '."',
        "(",
        "_",
        "a.[1]",
        "word ",
        "a\n",
        "a\r\n",
        " \n",
        "a\x0b",
        "```\n",
        "| a ",
        "。",
        "x",
    ],
)
def test_time_grows_in_step_with_the_length_whatever_is_repeated(piece: str) -> None:
    # Framed by words: a text without any is let go before it is looked at closely.
    repeated, run = piece * (200_000 // len(piece)), "a" + piece[-1] * 50_000
    for text in (f"{repeated} end", f"{run} end", f"{run}end", run):
        begun = time.process_time()
        find_sentences(text)
        assert time.process_time() - begun < 5  # below 0.5 s; time that grows with the square takes minutes
