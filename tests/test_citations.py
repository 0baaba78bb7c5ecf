"""The model's markers: whatever it writes, and however it comes in, what is shown is exact."""

import re
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assistant.citations import CitedText, cite, number_sentences
from index.documents import Passage
from index.sentences import Sentence, find_sentences

TEXT = (
    "The ferry\r\nleft Brenholm at noon. It carried 214 passengers. The captain was Ida Voss.\n\n"
    "A storm came up at two. Nobody was hurt. The ferry reached Tarnsund at four."
)
START = 1000  # the passage begins here in its document
MARKER = re.compile(r"\[(\d+)\]")


def make_passage(text: str = TEXT, start: int = START, path: str = "ferry.md") -> Passage:
    sentences = tuple(Sentence(start + s.start, start + s.end, s.kind) for s in find_sentences(text))
    return Passage("ab12", path, "The Ferry", "2024-03-01", start, start + len(text), text, 1.0, sentences, page=3)


SOURCES = number_sentences([make_passage()])
LAST = len(SOURCES)


def read_in(deltas: Sequence[str]) -> tuple[list[str], CitedText]:
    cited = CitedText(SOURCES)
    pieces = [cited.feed(delta) for delta in deltas]
    return [*pieces, cited.finish()], cited


def given_numbers(cited: CitedText) -> list[int]:
    """The prompt's numbers of what is cited, in the order of our own numbers."""
    by_quote = {passage.words_of(sentence): number for number, (passage, sentence) in SOURCES.items()}
    return [by_quote[citation.quote] for citation in cited.citations]


# -- numbering and citing ---------------------------------------------------------------------


def test_sentences_are_numbered_from_one_in_reading_order() -> None:
    assert list(SOURCES) == [1, 2, 3, 4, 5, 6]
    assert SOURCES[2][0].words_of(SOURCES[2][1]) == "It carried 214 passengers."


def test_numbers_run_on_from_passage_to_passage() -> None:
    sources = number_sentences([make_passage(), make_passage("Another one came. And left.", 0, "b.md")])
    assert [(passage.path, number) for number, (passage, _) in sources.items()][-2:] == [("b.md", 7), ("b.md", 8)]


def test_boilerplate_gets_no_number_and_headings_do() -> None:
    passage = make_passage("# The Crossing\n\nThe ferry left.\n\nThis website uses cookies to serve you better.\n")
    words = [passage.words_of(sentence) for _, sentence in number_sentences([passage]).values()]
    assert words == ["The Crossing", "The ferry left."]


def test_a_citation_holds_the_exact_words_and_where_they_stand() -> None:
    passage, sentence = SOURCES[1]
    citation = cite(5, passage, sentence)
    assert (citation.number, citation.document_id, citation.path, citation.title, citation.page) == (
        5,
        "ab12",
        "ferry.md",
        "The Ferry",
        3,
    )
    assert (
        citation.quote == "The ferry\r\nleft Brenholm at noon." == TEXT[citation.start - START : citation.end - START]
    )


# -- one reply at a time ----------------------------------------------------------------------

REPLIES = [
    # reply, what is shown, the prompt's numbers that it cites
    ("It sank [3].", "It sank [1].", [3]),
    ("It sank [3, 4].", "It sank [1][2].", [3, 4]),
    ("It sank [3][4].", "It sank [1][2].", [3, 4]),
    ("It sank [3] [4].", "It sank [1] [2].", [3, 4]),
    ("It sank [3; 4].", "It sank [1][2].", [3, 4]),
    ("It sank [3-5].", "It sank [1][2][3].", [3, 4, 5]),
    ("It sank [3–5].", "It sank [1][2][3].", [3, 4, 5]),
    ("It sank [1, 3-4, 6].", "It sank [1][2][3][4].", [1, 3, 4, 6]),
    ("It sank [ 3 ].", "It sank [1].", [3]),
    ("It sank [\n3,\n4].", "It sank [1][2].", [3, 4]),
    ("It sank [06].", "It sank [1].", [6]),
    ("It sank.[3]", "It sank.[1]", [3]),
    ("It sank. [3]", "It sank. [1]", [3]),
    ("It sank. [3]\n\nAll lived. [5]", "It sank. [1]\n\nAll lived. [2]", [3, 5]),
    ("It sank [3] .", "It sank [1].", [3]),
    ("[3] It sank.", "[1] It sank.", [3]),
    ("It sank [5]. All lived [3]. It sank [5].", "It sank [1]. All lived [2]. It sank [1].", [5, 3]),
    ("It sank [3][3].", "It sank [1][1].", [3]),
    # what was never given out
    ("It sank [99].", "It sank.", []),
    ("It sank [99], says all.", "It sank, says all.", []),
    ("It sank [99] at two.", "It sank at two.", []),
    ("It sank [99] [98] at two.", "It sank at two.", []),
    ("It sank.[99] All lived.", "It sank. All lived.", []),
    ("It sank. [99]\n\nAll lived.", "It sank.\n\nAll lived.", []),
    ("It sank.\n\n[99] All lived.", "It sank.\n\nAll lived.", []),
    ("[99] It sank.", "It sank.", []),
    ("It sank [0].", "It sank.", []),
    ("It sank [3, 99].", "It sank [1].", [3]),
    ("It sank [99, 3].", "It sank [1].", [3]),
    ("It sank [99][3].", "It sank [1].", [3]),
    ("It sank [99] [3].", "It sank [1].", [3]),
    ("It sank [6-99].", "It sank [1].", [6]),
    ("It sank [9-2].", "It sank.", []),
    ("It sank [12345].", "It sank.", []),
    ("It sank [3, 12345].", "It sank [1].", [3]),
    (f"It sank [{'9' * 5000}].", "It sank.", []),
    (f"It sank [{', '.join(['99'] * 200)}].", "It sank.", []),
    (f"It sank [{', '.join(['99'] * 200)}, 3].", "It sank [1].", [3]),
    ("It sank [[99]3].", "It sank […3].", []),
    ("It sank [3[99]].", "It sank [3…].", []),
    # brackets that are no markers
    ("The list[abc] is fine.", "The list[abc] is fine.", []),
    ("He said [sic] so.", "He said [sic] so.", []),
    ("A [link](https://a.example/1).", "A [link](https://a.example/1).", []),
    ("An open [", "An open [", []),
    ("An open x[1", "An open x[1", []),
    ("An open x[1, ", "An open x[1,", []),
    ("Empty [] and [ ].", "Empty [] and [ ].", []),
    ("- [ ] to do", "- [ ] to do", []),
    ("[3.5] and [a1] and [-3]", "[3.5] and [a1] and [-3]", []),
    ("Code: `rows[i]` and `x = [\n]`", "Code: `rows[i]` and `x = [\n]`", []),
    ("  \n It sank. \n ", "It sank.", []),
    ("", "", []),
    (" \n ", "", []),
]


@pytest.mark.parametrize(("reply", "shown", "numbers"), REPLIES, ids=[repr(reply[:40]) for reply, _, _ in REPLIES])
def test_a_reply_is_shown_with_our_own_markers(reply: str, shown: str, numbers: list[int]) -> None:
    for deltas in ([reply], list(reply)):
        pieces, cited = read_in(deltas)
        assert "".join(pieces) == cited.text == shown
        assert given_numbers(cited) == numbers


def test_a_marker_split_across_deltas_is_held_until_it_is_whole() -> None:
    cited = CitedText(SOURCES)
    assert [cited.feed(delta) for delta in ("It sank [", "3", "]", " at", " two", ".")] == [
        "It sank",
        "",
        " [1]",
        " at",
        " two",
        ".",
    ]


def test_text_is_shown_as_soon_as_it_is_certain() -> None:
    cited = CitedText(SOURCES)
    assert cited.feed("It sank at two") == "It sank at two"
    assert cited.feed(" [abc") == " [abc"


OWNERS = [
    ("It sank [3]. All lived [5].", [("It sank.", (1,)), ("All lived.", (2,))]),
    ("It sank. [3] All lived. [5]", [("It sank.", (1,)), ("All lived.", (2,))]),
    ("It sank.[3] All lived.[5]", [("It sank.", (1,)), ("All lived.", (2,))]),
    ("It sank [3], and all lived [5].", [("It sank, and all lived.", (1, 2))]),
    ("It sank. All lived [5].", [("It sank.", ()), ("All lived.", (1,))]),
    ("It sank [3][3].", [("It sank.", (1,))]),
    ("It sank [99].", [("It sank.", ())]),
    ("[3] It sank. All lived.", [("It sank.", (1,)), ("All lived.", ())]),
    ("- It sank [3]\n- All lived [5]", [("It sank", (1,)), ("All lived", (2,))]),
    ("[3]", []),
    ("", []),
]


@pytest.mark.parametrize(("reply", "owners"), OWNERS)
def test_a_marker_belongs_to_the_sentence_that_it_stands_in_or_follows(
    reply: str, owners: list[tuple[str, tuple[int, ...]]]
) -> None:
    _, cited = read_in([reply])
    assert [(sentence.text, sentence.citations) for sentence in cited.sentences()] == owners


def test_each_sentence_says_whether_its_citations_support_it() -> None:
    _, cited = read_in(["It carried 214 passengers [2]. It carried 990 passengers [2]. It was raining."])
    assert [sentence.support for sentence in cited.sentences()] == ["supported", "unsupported", "unsupported"]


# -- every reply ------------------------------------------------------------------------------

_BITS = [
    *"[]][ ,;-–.!?3079\n\t",
    *[
        "[3]",
        "[99]",
        "[1, 2]",
        "[2-5]",
        "[[",
        "]]",
        ". ",
        " [",
        "[1",
        "it sank",
        "All lived",
        "٣",
        "²",
        "\r\n",
        "\u200b",
    ],
]
replies = st.lists(st.sampled_from(_BITS) | st.characters(), max_size=40).map("".join)


@st.composite
def cut_replies(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A reply and one way to cut it into deltas, empty ones included."""
    reply = draw(replies)
    cuts = sorted(draw(st.lists(st.integers(0, len(reply)), max_size=len(reply) + 2)))
    ends = [0, *cuts, len(reply)]
    return reply, [reply[start:end] for start, end in pairwise(ends)]


@given(cut_replies())
@example(("x [3] .", list("x [3] .")))
@example(("x [" + "9, " * 40 + "9] y", list("x [" + "9, " * 40 + "9] y")))
def test_the_way_a_reply_is_cut_changes_nothing(cut: tuple[str, list[str]]) -> None:
    reply, deltas = cut
    pieces, cut_up = read_in(deltas)
    whole_pieces, whole = read_in([reply])
    assert "".join(pieces) == cut_up.text == whole.text == "".join(whole_pieces)
    assert cut_up.sentences() == whole.sentences()
    assert cut_up.citations == whole.citations


@given(replies)
@example("[[99]3]")
@example("[3[99]]")
@example("x[[99]\n3]")
@example("[1[2[99]]]")
def test_no_number_is_shown_that_is_not_a_citation(reply: str) -> None:
    _, cited = read_in([reply])
    shown = {int(number) for number in MARKER.findall(cited.text)}
    assert shown <= {citation.number for citation in cited.citations}


@given(replies)
def test_citations_are_numbered_by_first_use_and_quote_their_passage_exactly(reply: str) -> None:
    _, cited = read_in([reply])
    numbers = [citation.number for citation in cited.citations]
    assert numbers == list(range(1, len(numbers) + 1))
    assert list(dict.fromkeys(int(number) for number in MARKER.findall(cited.text))) == numbers
    for citation in cited.citations:
        assert citation.quote == TEXT[citation.start - START : citation.end - START]
    for sentence in cited.sentences():
        assert set(sentence.citations) <= set(numbers)


@given(st.text(st.characters(exclude_characters="[")))
def test_without_a_bracket_only_surrounding_white_space_is_lost(reply: str) -> None:
    pieces, cited = read_in([reply])
    assert "".join(pieces) == reply.strip()
    assert cited.citations == ()


@given(st.text(st.characters(exclude_categories=["Nd"])))
def test_without_a_digit_only_surrounding_white_space_is_lost(reply: str) -> None:
    pieces, _ = read_in(list(reply))
    assert "".join(pieces) == reply.strip()


@given(replies)
def test_the_words_of_the_sentences_are_the_words_of_the_reply(reply: str) -> None:
    _, cited = read_in([reply])
    said = re.findall(r"[^\W\d_]+", " ".join(sentence.text for sentence in cited.sentences()))
    assert said == re.findall(r"[^\W\d_]+", MARKER.sub("", cited.text))
