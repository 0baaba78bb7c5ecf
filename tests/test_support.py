"""A pointer that is valid is not yet support: what the check calls supported, partial and unsupported."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.support import check

QUOTE = "The ferry left Brenholm at noon on 3 May 2024 with 1,214 passengers."
SECOND = "Captain Ida Voss steered it to Tarnsund."
DENIAL = "The ferry did not call at Odden."

JUDGED = [
    # sentence, quotes, support
    (QUOTE, [QUOTE], "supported"),
    ("The ferry  left\nBrenholm at noon", [QUOTE], "supported"),
    ("The ferry left Brenholm with 1214 passengers.", [QUOTE], "supported"),
    ("With 1,214 passengers, the ferry was leaving Brenholm.", [QUOTE], "supported"),
    ("THE FERRY LEFT AT NOON.", [QUOTE], "supported"),
    ("The ferry left Brenholm and Ida Voss steered it to Tarnsund.", [QUOTE, SECOND], "supported"),
    ("The ferry never called at Odden.", [DENIAL], "supported"),
    # another number
    ("The ferry left Brenholm with 1,215 passengers.", [QUOTE], "unsupported"),
    ("The ferry left Brenholm at noon on 4 May 2024.", [QUOTE], "unsupported"),
    ("The ferry left Brenholm with 121 passengers.", [QUOTE], "unsupported"),
    # another name
    ("The ferry was steered to Tarnsund by Nils Voss.", [SECOND], "partial"),
    ("The ferry left Odden at noon with passengers.", [QUOTE], "partial"),
    # a "not" on one side
    ("The ferry did not leave Brenholm at noon.", [QUOTE], "partial"),
    ("The ferry didn't leave Brenholm at noon.", [QUOTE], "partial"),
    ("The ferry didn’t leave Brenholm at noon.", [QUOTE], "partial"),
    ("The ferry called at Odden.", [DENIAL], "partial"),
    # a paraphrase: some of its words are there
    ("The ferry sailed from Brenholm around midday.", [QUOTE], "partial"),
    # nothing, or something else
    (QUOTE, [], "unsupported"),
    (QUOTE, [""], "unsupported"),
    (QUOTE, [DENIAL, SECOND], "unsupported"),
    ("Bananas grow in hot countries.", [QUOTE, SECOND, DENIAL], "unsupported"),
]


@pytest.mark.parametrize(("sentence", "quotes", "support"), JUDGED)
def test_support_is_judged_by_numbers_names_negation_and_words(sentence: str, quotes: list[str], support: str) -> None:
    assert check(sentence, quotes) == support


@given(st.text(min_size=1).filter(str.strip))
def test_a_sentence_supports_itself(sentence: str) -> None:
    assert check(sentence, [sentence]) == "supported"


@given(st.text())
def test_nothing_supports_nothing(sentence: str) -> None:
    assert check(sentence, []) == "unsupported"


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_number_that_the_quote_does_not_give_is_never_supported(said: int, given_number: int) -> None:
    expected = "supported" if said == given_number else "unsupported"
    assert (
        check(f"The ferry carried {said} passengers.", [f"The ferry carried {given_number:,} passengers."]) == expected
    )
