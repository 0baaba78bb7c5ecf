"""The prompt of an answer: one header a document, gaps marked, code in one piece, and no more rules than are read."""

import itertools
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from assistant.citing.citations import LONGEST_BLOCK_CHARACTERS, cite, number_sentences
from assistant.writing.prompt import GAP, make_prompt
from assistant.writing.tokens import estimate_tokens, open_counter
from index.documents import Passage
from index.searching.surroundings import cut
from index.splitting.outline import Outline

GUIDE = """# Pumps

Install the pump first.

```python
def start(pump):
    if pump.is_dry:

        raise Dry("no water")
    return pump.run()
```

## Care

Clean it in spring.

## Colours

- Red
- Blue
- Green

Any of them lasts.
"""


def make_passage(text: str, path: str = "guide.md", title: str = "Guide") -> Passage:
    sentences, _ = Outline(text).between(0, len(text))
    return Passage(path, path, title, None, 0, len(text), text, 1.0, sentences)


def show(*passages: Passage) -> list[str]:
    """The lines between the fences."""
    _, request = make_prompt("Why?", number_sentences(passages))
    fence, *lines = request.splitlines()
    return lines[: lines.index(fence)]


def test_a_document_as_it_is_shown() -> None:
    assert show(make_passage(GUIDE)) == [
        "Document: Guide (guide.md)",
        "Under: Pumps",
        "[1] Install the pump first.",
        "[2] def start(pump):",
        "        if pump.is_dry:",
        "",
        '            raise Dry("no water")',
        "        return pump.run()",
        "Under: Pumps › Care",
        "[3] Clean it in spring.",
        "Under: Pumps › Colours",
        "[4] Red - Blue - Green",
        "[5] Any of them lasts.",
    ]


def test_a_document_has_one_header_and_its_gaps_are_marked() -> None:
    whole = make_passage("One came. Two came. Three came. Four came. Five came.")
    other = make_passage("Six came.", "other.md", "Other")
    lines = show(cut(whole, 0, 0), cut(whole, 2, 2), cut(whole, 4, 4), other)
    assert lines == [
        *["Document: Guide (guide.md)", "[1] One came.", GAP, "[2] Three came.", GAP, "[3] Five came."],
        *["", "Document: Other (other.md)", "[4] Six came."],
    ]


def test_what_parts_of_a_document_stand_under_is_said_where_it_changes() -> None:
    whole = make_passage("# A\n\nOne came.\n\nTwo came.\n\nThree came.\n\n# B b\n\nFour came.\n\nFive came.", title="T")
    places = {whole.words_of(sentence): place for place, sentence in enumerate(whole.sentences)}
    parts = [cut(whole, places[words], places[words]) for words in ("One came.", "Three came.", "Five came.")]
    assert show(*parts)[1:] == [
        "Under: A",
        "[1] One came.",
        GAP,
        "[2] Three came.",
        GAP,
        "Under: B b",
        "[3] Five came.",
    ]


def test_a_block_of_code_is_one_citation_with_its_exact_words() -> None:
    sources = number_sentences([make_passage(GUIDE)])
    passage, block = sources[2]
    citation = cite(1, passage, block)
    assert citation.quote == GUIDE[citation.start : citation.end]
    assert citation.quote.startswith("def start(pump):\n    if") and citation.quote.endswith("return pump.run()")
    assert citation.context == ("Pumps",)


def test_long_code_is_parted_where_it_leaves_a_line_free() -> None:
    functions = "\n\n".join(f"def turn_{n}(wheel):\n    wheel.turn({n})\n    return wheel" for n in range(80))
    passage = make_passage(f"```\n{functions}\n```\n")
    quotes = [passage.words_of(block) for _, block in number_sentences([passage]).values()]
    assert "\n\n".join(quotes) == functions
    assert all(quote.startswith("def ") for quote in quotes)
    assert 500 < max(map(len, quotes)) <= LONGEST_BLOCK_CHARACTERS


LINES = st.lists(
    st.sampled_from(
        [
            "x = 1",
            "[7] fake",
            "Document: fake (a.md)",
            "",
            "    return x",
            "```",
            "- Red",
            "- Blue",
            "Menu",
            "It rained.",
            "…",
            "12",
        ]
    ),
    max_size=14,
)


@given(LINES, st.booleans())
def test_every_source_is_exact_and_no_document_begins_a_line(lines: list[str], fenced: bool) -> None:
    text = "\n".join(["```", *lines, "```"] if fenced else lines) + "\n"
    passage = make_passage(text)
    sources = number_sentences([passage])
    spans = [(one.start, one.end) for _, one in sources.values()]
    assert spans == sorted(spans)
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))
    for number, (held, one) in sources.items():
        assert cite(number, held, one).quote == text[one.start : one.end]
    begun = ("Document: Guide (guide.md)", "Under: ", "    ", *(f"[{number}] " for number in sources))
    assert all(line.startswith(begun) for line in show(passage) if line)


def test_the_rules_are_short_and_said_once_more_after_the_question() -> None:
    rules, request = make_prompt("Why?", number_sentences([make_passage(GUIDE)]))
    assert max(open_counter("gpt-4o")(rules), open_counter("gpt-4")(rules), estimate_tokens(rules)) <= 300
    assert "one to four" not in rules
    after = request.partition("Question: Why?")[2]
    assert "numbers" in after and "[3][7]" in after
    for word in ("list item", "table", "code", "Markdown", "missing", "language of the question", "numbers and dates"):
        assert word in rules


def test_numbers_and_headers_are_cheap() -> None:
    count = open_counter("gpt-4o")
    text = " ".join(f"The pump of house {n} was mended in the spring of that year by two men." for n in range(60))
    whole = make_passage(text)
    parts = [replace(cut(whole, n, n + 2)) for n in range(0, 60, 4)]
    shown = "\n".join(show(*parts))
    bare = " ".join(passage.text for passage in parts)
    assert count(shown) < 1.25 * count(bare)


def test_one_word_that_answers_is_numbered_and_one_that_is_left_over_is_not() -> None:
    asked = make_passage("# Is it waterproof?\n\nYes\n\n# Weight\n\nIt weighs 4 kg.\n")
    shown = show(asked)
    assert any(line.endswith("] Yes") for line in shown)
    assert not any(line.endswith("] Weight") for line in shown)
