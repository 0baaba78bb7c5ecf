from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.embedding.minilm import MOST_TOKENS
from index.embedding.protocol import Embedding
from index.settings import LOCAL_CHUNK_TOKENS
from index.splitting.outline import Outline
from index.splitting.splitter import split

WORDS = (
    "the mayor Qatar international unaffable 3.14 1,000 é 机器学习 don't U.S. (a) “so” [12] a—b snake_case 😀".split()
)
MARKS = [
    ". ",
    ".\n",
    "? ",
    "! ",
    "\n",
    "\n\n",
    " ",
    " ",
    " ",
    ", ",
    "。",
    "\n\n# ",
    "\n- ",
    "\n1. ",
    "\r\n\r\n",
    "\n> ",
    "\n| ",
]
PROSE = st.lists(st.tuples(st.sampled_from(WORDS), st.sampled_from(MARKS)), max_size=150).map(
    lambda pairs: "".join(word + mark for word, mark in pairs)
)
PIECES = st.lists(
    st.one_of(
        st.sampled_from([*WORDS, *MARKS, "\x0c", "\x0b", "\u2028", "\u200b", "\ufeff", "x" * 300, "a-" * 300, "..."])
    ),
    max_size=80,
).map("".join)


def count_words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def chunks_of(text: str, chunk_words: int) -> list[str]:
    return [text[start:end] for start, end in split(Outline(text), count_words, chunk_words)]


# -- what holds for every text ----------------------------------------------------------------


def assert_tiles(text: str, spans: list[tuple[int, int]]) -> None:
    assert "".join(text[start:end] for start, end in spans) == text
    assert [start for start, _ in spans] == [0, *(end for _, end in spans)][: len(spans)]
    assert all(start < end for start, end in spans)


@given(st.one_of(st.text(), PROSE, PIECES), st.integers(1, 40))
def test_chunks_joined_are_the_text(text: str, chunk_words: int) -> None:
    assert_tiles(text, split(Outline(text), count_words, chunk_words))


@given(PROSE, st.integers(1, 40))
def test_no_chunk_is_above_its_size_where_words_are_counted(text: str, chunk_words: int) -> None:
    assert all(count <= chunk_words for count in count_words(chunks_of(text, chunk_words)))


@given(text=PROSE, chunk_tokens=st.integers(32, 80))
def test_no_chunk_is_above_its_size_in_the_models_own_tokens(
    embedding: Embedding, text: str, chunk_tokens: int
) -> None:
    spans = split(Outline(text), embedding.count_tokens, chunk_tokens)
    assert_tiles(text, spans)
    assert all(count <= chunk_tokens for count in embedding.count_tokens([text[start:end] for start, end in spans]))


@given(text=PIECES)
def test_the_embedding_sees_the_whole_of_every_chunk_whatever_the_text(embedding: Embedding, text: str) -> None:
    # A word cut in two may be more tokens when joined; what counts is that the model cuts nothing off.
    spans = split(Outline(text), embedding.count_tokens, LOCAL_CHUNK_TOKENS)
    assert_tiles(text, spans)
    assert all(n <= MOST_TOKENS - 2 for n in embedding.count_tokens([text[start:end] for start, end in spans]))


@given(st.one_of(st.text(), PIECES))
def test_the_same_text_is_always_split_alike(text: str) -> None:
    assert split(Outline(text), count_words, 10) == split(Outline(text), count_words, 10)


def test_a_single_character_of_too_many_tokens_is_a_chunk() -> None:
    assert split(Outline("abc"), lambda texts: [9 * len(text) for text in texts], 5) == [(0, 1), (1, 2), (2, 3)]


@pytest.mark.parametrize("text", ["", " ", "\n\n", "...", "\ufeff"])
def test_a_text_without_words_is_one_chunk_or_none(text: str) -> None:
    assert chunks_of(text, 10) == ([text] if text else [])


@pytest.mark.parametrize("piece", ["a. ", "a\n", "# a\n", "a\n\n", "x", "a ", "- a\n"])
def test_time_grows_in_step_with_the_length_whatever_is_repeated(piece: str) -> None:
    begun = time.process_time()
    split(Outline(piece * (50_000 // len(piece))), count_words, 100)
    assert time.process_time() - begun < 5


# -- where a chunk ends -----------------------------------------------------------------------


def test_a_chunk_ends_where_a_sentence_ends() -> None:
    text = "One two three. Four five six. Seven eight nine. Ten."
    assert chunks_of(text, 7) == ["One two three. Four five six. ", "Seven eight nine. Ten."]


def test_a_chunk_ends_at_a_paragraphs_end_that_leaves_it_half_full() -> None:
    text = "One two three. Four five six.\n\nSeven eight. Nine ten eleven twelve."
    assert chunks_of(text, 9) == ["One two three. Four five six.\n\n", "Seven eight. Nine ten eleven twelve."]


def test_a_chunk_runs_on_past_a_paragraphs_end_that_would_leave_it_nearly_empty() -> None:
    text = "One two.\n\nThree four five. Six seven eight. Nine ten eleven twelve."
    assert chunks_of(text, 9) == ["One two.\n\nThree four five. Six seven eight. ", "Nine ten eleven twelve."]


def test_a_heading_stays_with_what_it_heads() -> None:
    text = "One two three four. Five six seven.\n\n## The tour\n\nHe went on tour. He came back."
    assert chunks_of(text, 11) == [
        "One two three four. Five six seven.\n\n",
        "## The tour\n\nHe went on tour. He came back.",
    ]


def test_a_heading_stays_with_what_it_heads_where_the_chunk_before_is_short() -> None:
    text = "One two.\n\n## The tour\n\nHe went on tour for four days in May."
    assert chunks_of(text, 12) == ["One two.\n\n", "## The tour\n\nHe went on tour for four days in May."]


def test_headings_on_headings_stay_with_what_they_head() -> None:
    text = "One two three four five.\n\n# The tour\n\n## Day one\n\nHe went on tour in May."
    assert chunks_of(text, 14) == [
        "One two three four five.\n\n",
        "# The tour\n\n## Day one\n\nHe went on tour in May.",
    ]


def test_short_lines_that_all_look_like_headings_fill_their_chunks_but_for_one_line() -> None:
    lines = [f"Line {number}\n\n" for number in range(10)]
    assert chunks_of("".join(lines), 10) == ["".join(lines[:4]), "".join(lines[4:8]), "".join(lines[8:])]


def test_the_last_of_many_headings_stays_with_what_it_heads() -> None:
    text = "# One\n# Two\n# Three\n# Four\nFive six seven eight nine."
    *before, last = chunks_of(text, 8)
    assert last == "# Four\nFive six seven eight nine."
    assert before == ["# One\n# Two\n# Three\n"]


def test_a_heading_opens_a_chunk_once_the_one_before_is_more_than_a_few_words() -> None:
    text = "One two three four five six.\n\n## Tour\n\nHe went."
    assert chunks_of(text, 10) == ["One two three four five six.\n\n", "## Tour\n\nHe went."]
    assert chunks_of(text, 100) == [text]


def test_what_a_cut_leaves_over_is_cut_again_where_it_is_too_long_with_the_next_sentence() -> None:
    text = "# One\n# Two\n# Three four five six seven\nEight nine ten eleven twelve thirteen."
    assert chunks_of(text, 10) == [
        "# One\n# Two\n",
        "# Three four five six seven\n",
        "Eight nine ten eleven twelve thirteen.",
    ]


@pytest.mark.parametrize("mark", ["- ", "## ", "> ", "* ", "| "])
def test_the_mark_of_a_line_opens_the_chunk_of_its_line(mark: str) -> None:
    text = f"One two three four five.\n{mark}Six seven eight nine ten.\n{mark}Eleven twelve thirteen."
    assert [chunk.split()[0] for chunk in chunks_of(text, 7)] == ["One", *[mark.strip()] * 2]


def test_a_sentence_that_no_chunk_can_hold_is_cut_between_words() -> None:
    words = [f"w{number}" for number in range(40)]
    chunks = chunks_of(" ".join(words), 10)
    assert [word for chunk in chunks for word in chunk.split()] == words
    assert len(chunks) == 4 or all(len(chunk.split()) > 2 for chunk in chunks)
