"""Thoughts are taken out of a reply, however it is cut into deltas."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.writing.thoughts import Thoughts

CASES = {
    # what comes: what stays
    "<think>Is it [3]?</think>It was [1].": "It was [1].",
    "<thinking>Hm</thinking>It was.": "It was.",
    "<THINK>Hm</Think>It was.": "It was.",
    "  \n<think>Hm</think>\n\nIt was.": "  \n\n\nIt was.",
    "<think>a</think><think>b</think>It was.": "It was.",
    "<think>a<think>b</think>It was.": "It was.",
    "It was [1].\n<think>More?</think>\nIt is.": "It was [1].\n\nIt is.",
    "It was [1]. <think>More?</think>It is.": "It was [1]. It is.",
    # Never closed: it thought until it was cut. Only closed: the server kept the opening tag to itself.
    "<think>It may be": "",
    "It was [1].\n<think>Or": "It was [1].\n",
    "Is it [3]?\nYes.\n</think>\nIt was.": "\nIt was.",
    "Hm\n</think>\n<think>Hm</think>It was.": "\nIt was.",
    # No thoughts.
    "": "",
    "It was.": "It was.",
    "Write <think> before [1].": "Write <think> before [1].",
    "Write </think> after [1].": "Write </think> after [1].",
    "a < b, <thing>, <th": "a < b, <thing>, <th",
    "<table> and <thinkers>": "<table> and <thinkers>",
}


def take_out(pieces: list[str]) -> str:
    thoughts, text = Thoughts(), ""
    for piece in pieces:
        passed = thoughts.feed(piece)
        text = passed if thoughts.all_before else text + passed
    return text + thoughts.finish()


@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
@pytest.mark.parametrize("reply", CASES)
def test_only_what_is_no_thought_stays(reply: str, size: int) -> None:
    assert take_out([reply[start : start + size] for start in range(0, len(reply), size)]) == CASES[reply]


@given(
    st.lists(st.sampled_from(["<think>", "</think>", "<Thinking>", "\n", " ", "a", "<", "It was [1]. "]), max_size=12)
)
def test_the_cuts_make_no_difference(parts: list[str]) -> None:
    whole = "".join(parts)
    assert take_out([whole]) == take_out(list(whole)) == take_out(parts)


@given(st.text(st.characters(exclude_characters="<")), st.text())
def test_no_text_without_a_tag_is_lost(text: str, thought: str) -> None:
    assert take_out(list(text)) == text
    closed = thought.replace("<", "")
    assert take_out([f"<think>{closed}</think>{text}"]) == text
