"""The token for not found is known wherever it comes and however it is dressed, and is never shown."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.writing.silence import NOT_FOUND_TOKEN, SilenceFilter

CASES = {
    # what comes: what stays, whether the token was first
    "NOT_IN_DOCUMENTS": ("", True),
    "NOT_IN_DOCUMENTS.": ("", True),
    "not_in_documents": ("", True),
    '"NOT_IN_DOCUMENTS"': ("", True),
    "`NOT_IN_DOCUMENTS`.": ("", True),
    "**NOT_IN_DOCUMENTS.**": ("", True),
    "_NOT_IN_DOCUMENTS_": ("", True),
    r"NOT\_IN\_DOCUMENTS": ("", True),
    "[NOT_IN_DOCUMENTS]": ("", True),
    "“NOT_IN_DOCUMENTS”": ("", True),
    "# NOT_IN_DOCUMENTS": ("# ", True),
    "NOT_IN_DOCUMENTS\n\nThey speak of Israel [2].": ("\n\nThey speak of Israel [2].", True),
    "I am sorry: NOT_IN_DOCUMENTS.": ("I am sorry: ", False),
    "It was [1]. NOT_IN_DOCUMENTS": ("It was [1]. ", False),
    "It was [1]NOT_IN_DOCUMENTS[2].": ("It was [1][2].", False),
    "It was [1].\n\nNOT_IN_DOCUMENTS NOT_IN_DOCUMENTS": ("It was [1].\n\n ", False),
}
NO_TOKEN = [
    "",
    "NOT_IN Israel [2].",
    "NOT_IN_DOCUMENTSX",
    "xNOT_IN_DOCUMENTS",
    "It is not in documents [3].",
    "No [1",
    '"N',
]


def take_out(pieces: list[str]) -> tuple[str, SilenceFilter]:
    silence = SilenceFilter()
    return "".join([*map(silence.feed, pieces), silence.finish()]), silence


@pytest.mark.parametrize("size", [1, 2, 7, 100])
@pytest.mark.parametrize("reply", CASES)
def test_the_token_is_taken_out(reply: str, size: int) -> None:
    text, silence = take_out([reply[start : start + size] for start in range(0, len(reply), size)])
    assert (text, silence.came_first) == CASES[reply]
    assert silence.seen


@pytest.mark.parametrize("reply", NO_TOKEN)
def test_what_only_looks_like_it_stays(reply: str) -> None:
    for pieces in ([reply], list(reply)):
        text, silence = take_out(pieces)
        assert text == reply
        assert not silence.seen
        assert not silence.came_first


@given(st.lists(st.sampled_from([NOT_FOUND_TOKEN, *"NOT_IN", *'*_"[]().', "\\", " ", "It was [1]"]), max_size=12))
def test_the_cuts_make_no_difference(parts: list[str]) -> None:
    whole = "".join(parts)
    one, many = take_out([whole]), take_out(list(whole))
    assert one[0] == many[0] == take_out(parts)[0]
    assert (one[1].seen, one[1].came_first) == (many[1].seen, many[1].came_first)


@pytest.mark.parametrize("line", ["_" * 20_000, "(_" * 10_000, "n" * 20_000, "NOT_IN_" * 3000])
def test_no_line_takes_long(line: str) -> None:
    started = time.monotonic()
    assert take_out([line])[0] == line
    assert time.monotonic() - started < 2
