"""The model's markers: whatever it writes, and however it comes in, what is shown is exact."""

import re
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hashed import HashEmbedding
from hypothesis import assume, example, given
from hypothesis import strategies as st

from assistant.citing.citations import Seek, cite, number_sentences, seek_among
from assistant.citing.cited_text import LONGEST_DRAFT, CitedText
from assistant.showing.markdown import written_to_markdown
from index.documents import Passage
from index.splitting.sentences import Sentence, find_sentences

TEXT = (
    "The ferry\r\nleft Brenholm at noon. It carried 214 passengers. The captain was Ida Voss.\n\n"
    "A storm came up at two. Nobody was hurt. The ferry reached Tarnsund at four."
)
START = 1000  # the passage begins here in its document
# A number in brackets, but no escaped one, and none beyond our own that is a place in a list, "a[15]", or a value.
MARKER = re.compile(r"(?<!\\)\[([1-7]|(?<![\w\]=∈]\[)(?<![=∈] \[)\d+)\]")


def make_passage(text: str = TEXT, start: int = START, path: str = "ferry.md") -> Passage:
    sentences = tuple(Sentence(start + s.start, start + s.end, s.kind) for s in find_sentences(text))
    return Passage("ab12", path, "The Ferry", "2024-03-01", start, start + len(text), text, 1.0, sentences, page=3)


SOURCES = number_sentences([make_passage()])
LAST = len(SOURCES)
SEEK = seek_among(SOURCES)


def read_in(deltas: Sequence[str], seek: Seek | None = None, ended: bool = True) -> tuple[list[str], CitedText]:
    """What each delta shows, and the text, which is what they show together."""
    cited = CitedText(SOURCES, seek) if seek else CitedText(SOURCES)
    pieces = [cited.feed(delta) for delta in deltas]
    pieces.append(cited.finish(ended))
    assert "".join(pieces) == cited.text
    return pieces, cited


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

LONG = "The captain of the ferry from Brenholm was Ida Voss."
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
    # other brackets, labels and notes
    ("It sank 【3】.", "It sank [1].", [3]),
    ("It sank【3†source】.", "It sank[1].", [3]),
    ("It sank 【4:0†source】.", "It sank [1].", [4]),
    ("It sank 【3†L1-L5】【4†L2】.", "It sank [1][2].", [3, 4]),
    ("It sank ［3］。", "It sank [1]。", [3]),
    ("It sank \\[3\\].", "It sank [1].", [3]),
    ("It sank [^3].", "It sank [1].", [3]),
    ("It sank [#3].", "It sank [1].", [3]),
    ("It sank [Source 3].", "It sank [1].", [3]),
    ("It sank [source: 3].", "It sank [1].", [3]),
    ("It sank [Source 3, Source 4].", "It sank [1][2].", [3, 4]),
    ("It sank [sources 3–5].", "It sank [1][2][3].", [3, 4, 5]),
    ("It sank [S3].", "It sank [1].", [3]),
    ("It sank [S3, S4].", "It sank [1][2].", [3, 4]),
    ("It sank [Sentence 3].", "It sank [1].", [3]),
    ("It sank [Sentences 3 and 4].", "It sank [1][2].", [3, 4]),
    ("Es sank [Quelle 3].", "Es sank [1].", [3]),
    ("Es sank [3 und 4].", "Es sank [1][2].", [3, 4]),
    ("It sank [ref. 3].", "It sank [1].", [3]),
    ("It sank [3 4].", "It sank [1][2].", [3, 4]),
    ("It sank [3,].", "It sank [1].", [3]),
    ("It sank [3—4].", "It sank [1][2].", [3, 4]),
    ("It sank [Source 99].", "It sank.", []),
    ("It sank 【99】.", "It sank.", []),
    ("It sank [source: ferry.md].", "It sank [source: ferry.md].", []),
    ("It sank [[3]].", "It sank [1].", [3]),
    ("It sank [[3] again].", "It sank [[1] again].", [3]),
    # links
    ("It sank [3](http://a.example).", "It sank [1].", [3]),
    ("It sank [[3]](http://a.example/x).", "It sank [1].", [3]),
    ("It sank [3](http://a.example/a_(b)).", "It sank [1].", [3]),
    ('It sank [3](http://a.example "A title").', "It sank [1].", [3]),
    ("It sank [3](#3).", "It sank [1].", [3]),
    ("It sank [3](see below).", "It sank [1](see below).", [3]),
    ("It sank [3](4).", "It sank [1][2].", [3, 4]),
    ("It sank [99](http://a.example).", "It sank.", []),
    ("A link [3](http://a.example", "A link [1](http://a.example", [3]),
    # round brackets
    ("It sank (3).", "It sank [1].", [3]),
    ("It sank (3, 4).", "It sank [1][2].", [3, 4]),
    ("It sank. (3)", "It sank. [1]", [3]),
    ("It sank. (3) All lived. (5)", "It sank. [1] All lived. [2]", [3, 5]),
    ("It sank.(3) All lived.(5)", "It sank.[1] All lived.[2]", [3, 5]),
    ("It sank (3), and all lived (5).", "It sank [1], and all lived [2].", [3, 5]),
    ("It sank (3)(4).", "It sank [1][2].", [3, 4]),
    ("It sank (3) (4).", "It sank [1] [2].", [3, 4]),
    ("**It sank (3)**", "**It sank [1]**", [3]),
    ("- It sank (3)\n- All lived (4)", "- It sank [1]\n- All lived [2]", [3, 4]),
    ("It sank (Source 3).", "It sank [1].", [3]),
    ("It sank (see sentences 3-4).", "It sank [1][2].", [3, 4]),
    ("It sank (Source 99).", "It sank.", []),
    ("It sank (99).", "It sank (99).", []),
    ("It sank (2020).", "It sank (2020).", []),
    ("It sank (3, 99).", "It sank (3, 99).", []),
    ("f(3) is nine", "f(3) is nine", []),
    ("The three (3) states.", "The three (3) states.", []),
    ("With Voss (3), Berg (2) and Holm (1) won.", "With Voss (3), Berg (2) and Holm (1) won.", []),
    ("It sank [4], with Berg (3), Voss (2).", "It sank [1], with Berg (3), Voss (2).", [4]),
    ("(1) first, (2) second and (3) third.", "(1) first, (2) second and (3) third.", []),
    ("(1) Row. (2) Sail. (3) Swim.", "(1) Row. (2) Sail. (3) Swim.", []),
    ("(1) Row.\n(2) Sail.", "(1) Row.\n(2) Sail.", []),
    ("as in (3).", "as in (3).", []),
    # raised numbers
    ("It sank³.", "It sank[1].", [3]),
    ("It sank.³ All lived.⁵", "It sank.[1] All lived.[2]", [3, 5]),
    ("It sank³⁴ there.", "It sank[1][2] there.", [3, 4]),
    ("It sank.³˒⁴ There.", "It sank.[1][2] There.", [3, 4]),
    ("It sank⁹⁹.", "It sank.", []),
    ("It sank.<sup>3</sup>", "It sank.[1]", [3]),
    ("It sank<sup>[3]</sup>.", "It sank[1].", [3]),
    ("10³ kg on 5 km² and 2 metres²", "10³ kg on 5 km² and 2 metres²", []),
    ("x² + y³ and x<sup>2</sup>", "x² + y³ and x<sup>2</sup>", []),
    # years that stand in the text
    ("It sank in [2020].", "It sank in 2020.", []),
    ("By May [2020] it sank.", "By May 2020 it sank.", []),
    ("It sank [2020].", "It sank.", []),
    ("It sank in [[2020]].", "It sank in 2020.", []),
    # code
    ("Use `a[3]` and `b[99]`.", "Use `a[3]` and `b[99]`.", []),
    ("It sank `[3]`.", "It sank [1].", [3]),
    ("It sank `[99]`.", "It sank.", []),
    ("A ` lone [3] tick.", "A ` lone [1] tick.", [3]),
    (f"`{'x' * 2000} [3]` it sank.", f"`{'x' * 2000} [1]` it sank.", [3]),
    ("``a ` [3]`` b [4]", "``a ` [3]`` b [1]", [4]),
    ("```\na[3] = [4]\n```\nIt sank [5].", "```\na[3] = [4]\n```\nIt sank [1].", [5]),
    ("```py\nx = [3]\nf(x)  # it sank [4]\n```", "```py\nx = [3]\nf(x)  # it sank [1]\n```", [4]),
    ("```\nIt sank. [3]\nAll lived. [99]\n```", "```\nIt sank. [1]\nAll lived.\n```", [3]),
    ("```markdown\nIt sank [3].\n```\nAll lived [4].", "It sank [1].\n\nAll lived [2].", [3, 4]),
    ("~~~\na[3]\n~~~\nIt sank. [4]", "~~~\na[3]\n~~~\nIt sank. [1]", [4]),
    ("```\na[3]", "```\na[3]", []),
    ("It sank \\(3).", "It sank \\ [1].", [3]),
    # values, intervals and places in a list
    ("Lies in [0, 1].", "Lies in [0, 1].", []),
    ("All scores are [0, 1] scaled.", "All scores are [0, 1] scaled.", []),
    ("It goes from [1, 50] to [1, 90].", "It goes from [1, 50] to [1, 90].", []),
    ("The interval [1, 5] and the range [2-4].", "The interval [1, 5] and the range [2-4].", []),
    ("It returns [3, 4, 99].", "It returns [3, 4, 99].", []),
    ("It sank [1, 50].", "It sank [1].", [1]),
    ("As told in [3, 99].", "As told in [1].", [3]),
    ("As told in [3, 4].", "As told in [1][2].", [3, 4]),
    ("He said so [0, 888].", "He said so.", []),
    ("Take a[15] or self.rows[20] or df2[0].", "Take a[15] or self.rows[20] or df2[0].", []),
    ("Take m[7], then n[8].", "Take m\\[7], then n[8].", []),
    ("Take x = [3].", "Take x = \\[3].", []),
    ("Ada sank[15]. It rose [3].", "Ada sank. It rose [1].", [3]),
    ("沉没了[99]。", "沉没了。", []),
    ("It sank [Line 3], [Quote 4] and [Zeile 99].", "It sank [1], [2] and.", [3, 4]),
    ("It sank {3}. It rose {99}.", "It sank [1]. It rose.", [3]),
    ("Use a{3}, {0}, {x} and \\d{3}.", "Use a{3}, {0}, {x} and \\d{3}.", []),
    # formulas
    ("Let $x \\in [1, 3]$ hold [4].", "Let $x \\in [1, 3]$ hold [1].", [4]),
    ("Let \\(y = a[3]\\) and \\[ z [2] = 3 \\] hold [4].", "Let \\(y = a[3]\\) and \\[ z [2] = 3 \\] hold [1].", [4]),
    ("$$\na [3]\n$$\nIt sank [4].", "$$\na [3]\n$$\nIt sank [1].", [4]),
    ("It cost $5 [3] and $6 [4].", "It cost $5 [1] and $6 [2].", [3, 4]),
    ("It cost $5 [3] to 6$ [4].", "It cost $5 [1] to 6$ [2].", [3, 4]),
    # answers in a fence
    ("```\nThe ferry sank at noon [3].\nAll lived [4].\n```", "The ferry sank at noon [1].\nAll lived [2].", [3, 4]),
    ("```\nThe ferry sank at noon.\n```\nAll lived [4].", "The ferry sank at noon.\n\nAll lived [1].", [4]),
    ("```answer\nIt sank [3].\n```", "It sank [1].", [3]),
    (
        "```html\n<div><p>The ferry <b>sank</b> at noon [3].<p>So it was.\n```",
        "The ferry sank at noon [1].\nSo it was.",
        [3],
    ),
    ('```html\n<p class="x">a[3]</p>\n```', '```html\n<p class="x">a[3]</p>\n```', []),
    ("So [3]:\n```\nThe ferry sank at noon.\n```", "So [1]:\n```\nThe ferry sank at noon.\n```", [3]),
    (
        "So [3]:\n```\n$ run it\nAll of them lived [4].\n```",
        "So [1]:\n```\n$ run it\nAll of them lived [2].\n```",
        [3, 4],
    ),
    ("```\npip install x[3]\n```\nIt sank [4].", "```\npip install x[3]\n```\nIt sank [1].", [4]),
    ("````\n```\n[3]\n```\n[4]\n````\n[5]", "````\n```\n[3]\n```\n[4]\n````\n[1]", [5]),
    ("`a\nb[3]` [4]", "`a\nb[3]` [1]", [4]),
    ("`a\n\nb [3]` [4]", "`a\n\nb [1]` [2]", [3, 4]),
    # lists of sources, and what is said twice
    ("It sank [3].\n\nSources:\n[3] The captain\n[5] Nobody", "It sank [1].", [3]),
    ("It sank [3].\n\n---\n\n**Quellen**\n\n1. The Ferry\n2. [4]", "It sank [1].", [3]),
    ("It sank [3].\n\nReferences: ferry.md, https://a.example", "It sank [1].", [3]),
    ("It sank [3].\n\n## 参考文献\n[^3]: ferry.md\n", "It sank [1].", [3]),
    ("It sank [3].\n\nSources:", "It sank [1].", [3]),
    ("It sank.\n\nSources: [3], [5]", "It sank.\n\nSources: [1], [2]", [3, 5]),
    ("It has two [3].\n\nSources:\n- Old paint [4]", "It has two [1].\n\nSources:\n- Old paint [2]", [3, 4]),
    (
        "It sank [3].\n\nSources:\n- [4]\n\nAll lived [5].",
        "It sank [1].\n\nSources:\n- [2]\n\nAll lived [3].",
        [3, 4, 5],
    ),
    ("It sank [3].\n\n---\n\nAll lived [5].", "It sank [1].\n\n---\n\nAll lived [2].", [3, 5]),
    ("It sank [3].\n```yaml\nsources:\n- a.md\n```", "It sank [1].\n```yaml\nsources:\n- a.md\n```", [3]),
    (f"{LONG} [3]\n\n{LONG} [4]\n\nIt sank [5].", f"{LONG} [1]\n\nIt sank [2].", [3, 5]),
    (f"{LONG} [3]\n\n{LONG} [3]", f"{LONG} [1]", [3]),
    (f"- {LONG}\n- {LONG}\n- {LONG} So.", f"- {LONG}\n- {LONG} So.", []),
    (f"It sank.\n\n```\n{LONG}\n{LONG}\n```", f"It sank.\n\n```\n{LONG}\n{LONG}\n```", []),
    (f"| {LONG} |\n| {LONG} |", f"| {LONG} |\n| {LONG} |", []),
    ("Yes.\n\nYes.", "Yes.\n\nYes.", []),
    # headings, lists and tables
    ("# The end [3]\n\nIt sank [4].", "# The end [1]\n\nIt sank [2].", [3, 4]),
    ("1. It sank [3]\n2. All lived [4]", "1. It sank [1]\n2. All lived [2]", [3, 4]),
    ("| A | B |\n|---|---|\n| sank [3] | (x) |", "| A | B |\n|---|---|\n| sank [1] | (x) |", [3]),
    ("| It sank (3) | [4] |", "| It sank [1] | [2] |", [3, 4]),
    ("| A | [99] |", "| A | |", []),
    ("It sank.\n\n[^3]: The ferry.", "It sank.\n\n[1]: The ferry.", [3]),
    # brackets that are no markers
    ("See [3:15] and [1.2.3].", "See [3:15] and [1.2.3].", []),
    ("See (above) and [below].", "See (above) and [below].", []),
    ("A < b and b <s> c", "A < b and b <s> c", []),
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
    ("[3] It sank.\n[5] All lived.", [("It sank.", (1,)), ("All lived.", (2,))]),
    ("- [3] It sank.\n- [5] All lived.", [("It sank.", (1,)), ("All lived.", (2,))]),
    ("It sank.\n[3]\nAll lived.\n[5]", [("It sank.", (1,)), ("All lived.", (2,))]),
    ("# The end [3]\n\nIt sank [5].", [("The end", (1,)), ("It sank.", (2,))]),
    ("```markdown\nIt sank [3].\n```", [("It sank.", (1,))]),
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


# -- what is not certain yet --------------------------------------------------------------------

HELD = [
    # what has come, what is certain of it, and what more may be shown of it
    ("It sank [3", "It sank", " "),
    ("It sank [3] and `a b", "It sank [1] and", " `a b"),
    ("```py\nx = 1\ny =", "```py\nx = 1", "\ny ="),
    ("It sank.\n```", "It sank.", "\n```"),
    ("```\nThe ferry sank [3] at", "", "```\nThe ferry sank at"),
    ("It sank [3].\n\n**Sources:** [3], [4", "It sank [1].", "\n\n"),
    ("Let $x [3] be", "Let", " $x be"),
]


@pytest.mark.parametrize(("reply", "shown", "draft"), HELD)
def test_what_is_not_certain_yet_can_be_read_without_markers(reply: str, shown: str, draft: str) -> None:
    cited = CitedText(SOURCES)
    assert "".join(map(cited.feed, reply)) == shown
    assert cited.draft == draft


def test_what_waits_for_the_end_of_a_sentence_is_in_the_draft() -> None:
    cited = CitedText(SOURCES, SEEK)
    cited.feed("Nobody was hurt. All")
    assert (cited.text, cited.draft) == ("Nobody was hurt.", " All")


def test_a_draft_is_never_long_and_ends_with_the_reply() -> None:
    cited = CitedText(SOURCES)
    cited.feed(f"It sank.\n```\n{'x' * (LONGEST_DRAFT - 5)} and")
    assert cited.draft == f"\n{'x' * (LONGEST_DRAFT - 5)} and"[-LONGEST_DRAFT:]
    cited.finish()
    assert cited.draft == ""


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
        *"()`【】†³⁹<\\",
        "(3)",
        "[Source 3]",
        "[2020]",
        " in ",
        "\n```\n",
        "](http://a.example)",
        "<sup>3</sup>",
        "```",
        "~~~\n",
        "\n    ",
        "$",
        "x = ",
        "\\(",
        "\\)",
        "rows[2]",
        "\n\n**Sources:**\n- ",
        "The captain of the ferry was Ida Voss of Brenholm.\n",
    ],
]
VERBATIM = re.compile(r"`|~~~|\$|\\[(\[]")  # in code and formulas a number in brackets is no marker
replies = st.lists(st.sampled_from(_BITS) | st.characters(), max_size=40).map("".join)


@st.composite
def cut_replies(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A reply and one way to cut it into deltas, empty ones included."""
    reply = draw(replies)
    cuts = sorted(draw(st.lists(st.integers(0, len(reply)), max_size=len(reply) + 2)))
    ends = [0, *cuts, len(reply)]
    return reply, [reply[start:end] for start, end in pairwise(ends)]


@given(replies)
def test_no_word_is_lost_between_what_is_certain_and_the_draft(reply: str) -> None:
    assume("Sources" not in reply and "captain" not in reply)  # what may go is no part of the draft
    cited = CitedText(SOURCES)
    for place, character in enumerate(reply):
        cited.feed(character)
        assert not re.search(r"\[\d+\]", cited.draft)
        assert len(cited.draft) <= LONGEST_DRAFT
        if "[" not in reply[: place + 1]:
            words = re.findall(r"[a-z]+", reply[: place + 1])
            assert re.findall(r"[a-z]+", cited.text + cited.draft)[-1:] == words[-1:]


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


_SPELLINGS = [
    "[{0}]", "[{0}, {1}]", "[{0}][{1}]", "【{0}】", "【{0}†source】", "[^{0}]", "[Source {0}]", "[source: {0}; {1}]",
    "[S{0}]", "[Sentence {0}]", "[{0}](http://a.example/{1})", "[[{0}]]", "({0})", "({0}, {1})", "(Source {0})",
    "`[{0}]`", "<sup>[{0}]</sup>",
]  # fmt: skip


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["The ferry sank", "It rose by 3 [sic] metres", "In 2020 (or so) all lived", "So be it"]),
            st.sampled_from(_SPELLINGS),
            st.integers(1, LAST),
            st.integers(1, LAST),
            st.booleans(),
        ),
        unique=True,  # a long line that was there before is not shown again
    ),
    st.sampled_from([" ", "\n", "\n- ", "\n\n## "]),
)
def test_every_spelling_is_a_marker_and_no_word_is_lost(parts: list[tuple[str, str, int, int, bool]], gap: str) -> None:
    reply, words, used = [], [], []
    for clause, spelling, one, two, after_stop in parts:
        marker = spelling.format(one, two)
        reply.append(f"{clause}. {marker}" if after_stop else f"{clause} {marker}.")
        words.append(f"{clause}.")
        used += [one, *([two] if "{1}" in spelling.partition("(http")[0] else [])]
    _, cited = read_in([gap.join(reply)])
    plain = re.sub(r"\s+(?=\.|$)", "", MARKER.sub("", cited.text))
    assert plain.split() == gap.join(words).split()
    assert given_numbers(cited) == list(dict.fromkeys(used))


def outside_code(text: str) -> str:
    """In code a number in brackets is no marker."""
    return re.sub(r"^(```|~~~)[^\n]*$.*?(^\1|\Z)|(`+)[^`\n][^\n]*?\3", "", text, flags=re.DOTALL | re.MULTILINE)


@given(replies)
@example("[[99]3]")
@example("[3[99]]")
@example("x[[99]\n3]")
@example("[1[2[99]]]")
@example("x[8] and rows[2], [3]")
@example("`\ufdd0``\n[3] x\n```\n[5] y\n```\n[6] z")
@example("[99] ```\nfoo\n```\nx[1] = rows[2]")
@example("`a\r\n\r\n[1] b` [3]")
@example("\u00a0```\n[1]\n```\n[2]")
def test_no_number_is_shown_that_is_not_a_citation(reply: str) -> None:
    _, cited = read_in([reply])
    numbers = [citation.number for citation in cited.citations]
    if not VERBATIM.search(reply.replace("`", "")):
        shown = {int(number) for number in MARKER.findall(outside_code(cited.text) if "`" in reply else cited.text)}
        assert shown <= set(numbers)
    # And on the page, which reads the text anew.
    linked = [int(number) for number in re.findall(r"#cite-0-(\d+)\"", written_to_markdown(cited.text, 0))]
    assert set(linked) <= set(numbers)


@given(replies)
def test_citations_are_numbered_by_first_use_and_quote_their_passage_exactly(reply: str) -> None:
    _, cited = read_in([reply])
    numbers = [citation.number for citation in cited.citations]
    assert numbers == list(range(1, len(numbers) + 1))
    if not VERBATIM.search(reply):
        assert list(dict.fromkeys(int(number) for number in MARKER.findall(cited.text))) == numbers
    for citation in cited.citations:
        assert citation.quote == TEXT[citation.start - START : citation.end - START]
    for sentence in cited.sentences():
        assert set(sentence.citations) <= set(numbers)


@given(st.text(st.characters(exclude_characters="[", exclude_categories=["No"])))
def test_without_a_bracket_only_surrounding_white_space_is_lost(reply: str) -> None:
    pieces, cited = read_in([reply])
    assert "".join(pieces) == reply.strip()
    assert cited.citations == ()


@given(st.text(st.characters(exclude_categories=["Nd", "No"])))
def test_without_a_digit_only_surrounding_white_space_is_lost(reply: str) -> None:
    pieces, _ = read_in(list(reply))
    assert "".join(pieces) == reply.strip()


@given(replies)
def test_the_words_of_the_sentences_are_the_words_of_the_reply(reply: str) -> None:
    assume(not VERBATIM.search(reply))
    _, cited = read_in([reply])
    said = re.findall(r"[^\W\d_]+", " ".join(sentence.text for sentence in cited.sentences()))
    assert said == re.findall(r"[^\W\d_]+", MARKER.sub("", cited.text))


# -- sentences that the model left without a citation -------------------------------------------

UNCITED = [
    (
        "It carried 214 passengers. All was well.",
        "It carried 214 passengers. [1] All was well.",
        [("It carried 214 passengers.", (1,), "supported"), ("All was well.", (), "unsupported")],
    ),
    (
        "Nobody was hurt.\n\n- The captain was Ida Voss [3].\n- It carried 214 passengers.",
        "Nobody was hurt. [1]\n\n- The captain was Ida Voss [2].\n- It carried 214 passengers. [3]",
        [
            ("Nobody was hurt.", (1,), "supported"),
            ("The captain was Ida Voss.", (2,), "supported"),
            ("It carried 214 passengers.", (3,), "supported"),
        ],
    ),
    ("It carried 215 passengers.", "It carried 215 passengers.", [("It carried 215 passengers.", (), "unsupported")]),
    ("", "", []),
]
PLACES = [
    # reply, what is shown
    ("It carried 214 passengers. [2] All was well.", "It carried 214 passengers. [1] All was well."),
    ("All was well. It carried 214 passengers", "All was well. It carried 214 passengers [1]"),
    ("It carried 214 passengers. [99] All was well.", "It carried 214 passengers. [1] All was well."),
    ("It carried 214 passengers. [99]", "It carried 214 passengers. [1]"),
    ("It carried 214 passengers! “All was well.”", "It carried 214 passengers! [1] “All was well.”"),
    ("**It carried 214 passengers.** All was well.", "**It carried 214 passengers.** [1] All was well."),
    ("It carried 214 passengers. Dr. Voss left.", "It carried 214 passengers. [1] Dr. Voss left."),
    ("It carried 214 passengers。所有人。", "It carried 214 passengers。 [1]所有人。"),
    # one source, then another
    (
        "It carried 214 passengers. Nobody was hurt. It carried 214 passengers.",
        "It carried 214 passengers. [1] Nobody was hurt. [2] It carried 214 passengers. [1]",
    ),
    # whose marker is it
    ("It carried 214 passengers.\n[3]\nAll was well.", "It carried 214 passengers.\n[1]\nAll was well."),
    ("It carried 214 passengers.\n[3] All was well.", "It carried 214 passengers. [1]\n[2] All was well."),
    ("It carried 214 passengers.\n- [3] All was well.", "It carried 214 passengers. [1]\n- [2] All was well."),
    ("[3] All was well. It carried 214 passengers.", "[1] All was well. It carried 214 passengers. [2]"),
    ("It carried 214 passengers.\n[3]", "It carried 214 passengers.\n[1]"),
    # the words that follow decide: an abbreviation, a name, a line that goes on
    (
        "It carried 214 passengers etc. and sank off Holm in a fire.",
        "It carried 214 passengers etc. and sank off Holm in a fire.",
    ),
    ("The captain was Ida Voss Inc. Berg said so.", "The captain was Ida Voss Inc. Berg said so."),
    ("The captain was Ida\nvoss and nobody else knew.", "The captain was Ida\nvoss and nobody else knew."),
    # headings, lists and tables
    ("# The crossing\n\nNobody was hurt.", "# The crossing\n\nNobody was hurt. [1]"),
    ("Summary:\nNobody was hurt.\nAll was well.", "Summary:\nNobody was hurt. [1]\nAll was well."),
    ("## Nobody was hurt\nAll was well.", "## Nobody was hurt\nAll was well."),  # a heading
    ("- Nobody was hurt\n- All was well", "- Nobody was hurt [1]\n- All was well"),
    ("a) The captain was Ida Voss\n\nb) All was well", "a) The captain was Ida Voss [1]\n\nb) All was well"),
    ("Nobody was hurt\n1. All was well [2]", "Nobody was hurt [1]\n1. All was well [2]"),
    ("Nobody was hurt.\n\n---\n\nAll was well.", "Nobody was hurt. [1]\n\n---\n\nAll was well."),
    (
        "| What |\n|---|\n| Nobody was hurt |\n| It sank |\n",
        "| What |\n|---|\n| Nobody was hurt [1] |\n| It sank |",
    ),
    ("| Nobody was hurt |\n|---|\n| It sank |", "| Nobody was hurt |\n|---|\n| It sank |"),  # the head of a table
    ("| Nobody was hurt |", "| Nobody was hurt [1] |"),
    ("| Nobody was hurt | [2] |", "| Nobody was hurt | [1] |"),
    # code
    ("```\nNobody was hurt.\nIt sank. Then\n```\nIt sank.", "```\nNobody was hurt.\nIt sank. Then\n```\nIt sank."),
    ("It sank.\n```\nNobody was hurt.", "It sank.\n```\nNobody was hurt."),
    ("Nobody was hurt.\n```py\nx = 1\n```\nIt sank.", "Nobody was hurt. [1]\n```py\nx = 1\n```\nIt sank."),
    ("Say `Nobody was hurt. It sank.` or not.", "Say `Nobody was hurt. It sank.` or not."),
    ("Nobody was hurt. `It sank.`", "Nobody was hurt. [1] `It sank.`"),
    ("```text\nNobody was hurt.\n```\nIt sank.", "Nobody was hurt. [1]\n\nIt sank."),
]


@pytest.mark.parametrize(("reply", "shown", "sentences"), UNCITED)
def test_what_a_source_clearly_says_is_cited_though_the_model_did_not(
    reply: str, shown: str, sentences: list[tuple[str, tuple[int, ...], str]]
) -> None:
    for deltas in ([reply], list(reply)):
        _, cited = read_in(deltas, SEEK)
        assert cited.text == shown
        assert [(s.text, s.citations, s.support) for s in cited.sentences()] == sentences
        assert [citation.number for citation in cited.citations] == list(range(1, len(cited.citations) + 1))


@pytest.mark.parametrize(("reply", "shown"), PLACES)
def test_the_marker_comes_where_the_sentence_ends(reply: str, shown: str) -> None:
    for deltas in ([reply], list(reply)):
        _, cited = read_in(deltas, SEEK)
        assert cited.text == shown


def test_only_the_word_after_a_sentence_waits() -> None:
    cited = CitedText(SOURCES, SEEK)
    assert [cited.feed(delta) for delta in ("Nobody was", " hurt.", " All", " was", " well", ".")] == [
        "Nobody was",
        " hurt.",
        "",
        " [1] All was",
        " well",
        ".",
    ]


def test_what_waits_is_never_long() -> None:
    for rest in ("-" * 100, "X" * 100, "\n" + "-" * 100):
        cited = CitedText(SOURCES, SEEK)
        cited.feed(f"Nobody was hurt. {rest}")
        assert "Nobody was hurt. [1]" in cited.text
        assert len(MARKER.sub("", cited.text)) > len("Nobody was hurt. ") + 50


def test_the_last_sentence_of_a_reply_that_broke_off_is_left_alone() -> None:
    for deltas in (["Nobody was hurt. It carried 214"], list("Nobody was hurt. It carried 214")):
        assert read_in(deltas, SEEK)[1].text == "Nobody was hurt. [1] It carried 214 [2]"
        assert read_in(deltas, SEEK, ended=False)[1].text == "Nobody was hurt. [1] It carried 214"


def test_a_sentence_is_sought_once_and_none_that_has_a_citation() -> None:
    sought: list[str] = []

    def seek(words: str) -> tuple[int, ...]:
        sought.append(words)
        return ()

    read_in(list("All was well. It sank [3].\n\nNobody was hurt.\n- It rained.\n[4] So be it. (5) Yes. [6]"), seek)
    assert sought == ["All was well.", "Nobody was hurt.", "It rained."]


def test_no_text_is_embedded_twice_for_the_sentences_of_a_reply() -> None:
    embedding = HashEmbedding()
    seek = seek_among(SOURCES, embedding)
    read_in(["The ship carried 214 passengers. Not one of them was hurt in the storm. The ship carried 214."] * 2, seek)
    assert len(embedding.embedded) == len(set(embedding.embedded)) > 2


COPIES = [" ".join(passage.words_of(sentence).split()) for passage, sentence in SOURCES.values()]
# Whatever is said, the sentence is over where it is said to be.
SAID = [*COPIES, "All was well.", "Dr. Smith of Acme Inc. had seen it.", "It sank at 3.5 knots, i.e. slowly."]


@st.composite
def cut_texts(draw: st.DrawFn) -> tuple[str, list[str], list[tuple[str, bool]]]:
    """A reply of whole sentences, one way to cut it into deltas, and which sentences have a marker."""
    parts = draw(st.lists(st.tuples(st.sampled_from(SAID), st.sampled_from(["", "", " [5]", "[99]", " (6)"]))))
    gaps = st.sampled_from([" ", "\n", "\n\n", "\n- ", "\n\n## Then\n\n", "\n\n| ", "\n> "])
    reply = "".join(f"{said}{marker}{draw(gaps)}" for said, marker in parts).strip(" \n-|>")
    cuts = sorted(draw(st.lists(st.integers(0, len(reply)), max_size=30)))
    deltas = [reply[start:end] for start, end in pairwise([0, *cuts, len(reply)])]
    return reply, deltas, [(said, marker in (" [5]", " (6)")) for said, marker in parts]


@given(cut_replies())
def test_the_way_a_reply_is_cut_changes_no_citation_of_ours(cut: tuple[str, list[str]]) -> None:
    reply, deltas = cut
    _, cut_up = read_in(deltas, SEEK)
    _, whole = read_in([reply], SEEK)
    assert cut_up.text == whole.text
    assert cut_up.sentences() == whole.sentences()
    assert cut_up.citations == whole.citations


@given(cut_texts())
def test_every_sentence_that_copies_a_source_is_cited_however_the_reply_is_cut(
    cut: tuple[str, list[str], list[tuple[str, bool]]],
) -> None:
    reply, deltas, said = cut
    _, cut_up = read_in(deltas, SEEK)
    _, whole = read_in([reply], SEEK)
    assert cut_up.text == whole.text
    assert cut_up.sentences() == whole.sentences()
    assert cut_up.citations == whole.citations
    # One citation each, and nothing for what no source says.
    sentences = [sentence for sentence in cut_up.sentences() if sentence.text not in ("Then", "## Then")]
    assert [(sentence.text, len(sentence.citations)) for sentence in sentences] == [
        (words, int(has_marker or words in COPIES)) for words, has_marker in said
    ]
    assert list(dict.fromkeys(int(number) for number in MARKER.findall(cut_up.text))) == [
        citation.number for citation in cut_up.citations
    ]


@given(replies)
def test_citing_the_uncited_adds_markers_and_nothing_else(reply: str) -> None:
    assume(not VERBATIM.search(reply))
    _, before = read_in([reply])
    _, after = read_in([reply], SEEK)
    assert MARKER.sub("", after.text).split() == MARKER.sub("", before.text).split()
    assert {int(n) for n in MARKER.findall(after.text)} == {citation.number for citation in after.citations}
    numbers = list(dict.fromkeys(int(number) for number in MARKER.findall(after.text)))
    assert numbers == [citation.number for citation in after.citations]
