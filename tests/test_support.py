"""A pointer that is valid is not yet support: what the check calls supported, partial and unsupported."""

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answers import Support
from assistant.citing.names import find_names
from assistant.citing.quantities import find_quantities, same_quantity, write_dates_out
from assistant.citing.support import check, find_support, find_wrong_facts
from index.embedding.protocol import Embedding

QUOTE = "The ferry left Brenholm at noon on 3 May 2024 with 1,214 passengers."
SECOND = "Captain Ida Voss steered it to Tarnsund."
DENIAL = "The ferry did not call at Odden."
CREW = "The ferry carried 214 passengers and a crew of 30."
PRICES = "The price of herring rose by 5 percent, to $2.5 million a year."

JUDGED = [
    # sentence, quotes, support
    (QUOTE, [QUOTE], "supported"),
    ("The ferry  left\nBrenholm at noon", [QUOTE], "supported"),
    ("The ferry left Brenholm with 1214 passengers.", [QUOTE], "supported"),
    ("With 1,214 passengers, the ferry was leaving Brenholm.", [QUOTE], "supported"),
    ("THE FERRY LEFT AT NOON.", [QUOTE], "supported"),
    ("The ferry left Brenholm and Ida Voss steered it to Tarnsund.", [QUOTE, SECOND], "supported"),
    ("The ferry never called at Odden.", [DENIAL], "supported"),
    ("The ferry left Brenholm on May 3, 2024.", [QUOTE], "supported"),
    ("The ferry left Brenholm at noon on 2024-05-03.", [QUOTE], "supported"),
    ("The price of herring rose by 5%, to $2,500,000 a year.", [PRICES], "supported"),
    # another number
    ("The ferry left Brenholm with 1,215 passengers.", [QUOTE], "unsupported"),
    ("The ferry left Brenholm at noon on 4 May 2024.", [QUOTE], "unsupported"),
    ("The ferry left Brenholm with 121 passengers.", [QUOTE], "unsupported"),
    ("The ferry carried 30 passengers.", [CREW], "unsupported"),
    ("The price of herring rose by five dollars.", [PRICES], "unsupported"),
    # another name
    ("The ferry was steered to Tarnsund by Nils Voss.", [SECOND], "partial"),
    ("The ferry left Odden at noon with passengers.", [QUOTE], "partial"),
    ("Odden left Brenholm at noon with 1,214 passengers.", ["Voss left Brenholm at noon."], "unsupported"),
    ("Berg steered it to Tarnsund.", [SECOND], "partial"),
    # a "not" on one side
    ("The ferry did not leave Brenholm at noon.", [QUOTE], "unsupported"),
    ("The ferry didn't leave Brenholm at noon.", [QUOTE], "unsupported"),
    ("The ferry didn’t leave Brenholm at noon.", [QUOTE], "unsupported"),
    ("The ferry called at Odden.", [DENIAL], "unsupported"),
    ("The ferry left Brenholm at noon without passengers.", [QUOTE], "unsupported"),
    # the opposite
    ("The price of herring fell by 5 percent.", [PRICES], "unsupported"),
    # quoted words that are not the cited ones
    (
        "The captain said “it was a quiet crossing” to Tarnsund.",
        ["The captain said it was a rough crossing."],
        "partial",
    ),
    # nothing, or something else
    (QUOTE, [], "unsupported"),
    (QUOTE, [""], "unsupported"),
    (QUOTE, [DENIAL, SECOND], "unsupported"),
    ("Bananas grow in hot countries.", [QUOTE, SECOND, DENIAL], "unsupported"),
]


@pytest.mark.parametrize(("sentence", "quotes", "support"), JUDGED)
def test_support_is_judged_by_numbers_names_negation_and_words(
    sentence: str, quotes: list[str], support: str, embedding: Embedding
) -> None:
    assert check(sentence, quotes) == check(sentence, quotes, embedding) == support


@pytest.mark.parametrize(
    ("sentence", "quote"),
    [
        ("The ferry sailed from Brenholm around midday.", QUOTE),
        ("Ida Voss brought the ship to Tarnsund.", SECOND),
        ("The museum opens at nine.", "Visitors may enter the museum from 9 a.m."),
        ("You can return items within 30 days.", "Goods may be sent back up to 30 days after purchase."),
        ("The bridge was finished in 1932.", "Construction of the bridge was completed in 1932."),
    ],
)
def test_a_paraphrase_is_supported_where_meanings_can_be_compared(
    sentence: str, quote: str, embedding: Embedding
) -> None:
    assert check(sentence, [quote], embedding) == "supported"


def test_a_name_or_a_year_may_stand_in_the_title_and_the_date() -> None:
    quote = "She steered the ferry to Tarnsund in May."
    assert check("Ida Voss steered the ferry to Tarnsund in May 2024.", [quote]) == "unsupported"
    assert check("Ida Voss steered the ferry to Tarnsund in May 2024.", [quote], context="Ida Voss 2024-06-01") == (
        "supported"
    )


SAME = [
    ("5 million", "5,000,000"),
    ("five million", "5 million"),
    ("$5m", "$5,000,000"),
    ("5m", "five million"),
    ("5 percent", "5%"),
    ("5 per cent", "5 %"),
    ("twenty-one", "21"),
    ("two hundred and five", "205"),
    ("the third", "the 3rd"),
    ("two dozen", "24"),
    ("5 km", "5 kilometres"),
    ("€5", "5 euros"),
    ("about 5 million", "4,970,000"),
    ("1.50", "1.5"),
]
DIFFERENT = [
    ("5 million", "5 billion"),
    ("5 km", "5 miles"),
    ("5%", "$5"),
    ("1990", "1991"),
    ("about 1870", "1820"),
    ("about 303", "300"),
    ("twenty-one", "20"),
    ("1.5", "15"),
]


@pytest.mark.parametrize(("one", "other", "same"), [(*p, True) for p in SAME] + [(*p, False) for p in DIFFERENT])
def test_numbers_are_compared_by_value_and_unit(one: str, other: str, same: bool) -> None:
    (first,), (second,) = find_quantities(one), find_quantities(other)
    assert same_quantity(first, second) is same


def test_dates_are_written_out() -> None:
    assert write_dates_out("On 2025-05-13 and Sept. 4, 1914–18.") == "On 13 May 2025 and September 4, 1914–1918."
    assert write_dates_out("2025-13-40") == "2025-13-40"


def test_names_are_capitalised_words_that_are_no_common_ones() -> None:
    assert find_names("However, Ida Voss left the Port of Odden. Herring sold well.") == [
        (["Ida", "Voss"], False),
        (["Port", "Odden"], False),
        (["Herring"], True),
    ]


@pytest.mark.parametrize(
    ("sentence", "quote"),
    [
        ("The German ship left the US in July.", "Leaving the United States, the ship reached Germany in July."),
        ("Several passengers were ill.", "Many of the passengers on Voss's ferry fell ill."),
        ("It was neither cheap nor quick.", "The crossing was not cheap, and not quick."),
        ("He did not only row, he sailed.", "He rowed and sailed."),
        ("It last called there last May.", "It called there in May for the last time."),
        ("It starred in \"The Last Ferry Home\".", "It starred in the film The Last Ferry."),
    ],
)  # fmt: skip
def test_facts_told_otherwise_are_not_wrong(sentence: str, quote: str) -> None:
    assert find_wrong_facts(sentence, [quote]) == frozenset()


@given(st.text(min_size=1).filter(str.strip))
def test_a_sentence_supports_itself(sentence: str) -> None:
    assert check(sentence, [sentence]) in ("supported", "no_claim")


@given(st.text())
def test_nothing_supports_nothing(sentence: str) -> None:
    assert check(sentence, []) in ("unsupported", "no_claim")


@given(st.text(), st.lists(st.text()))
def test_any_text_is_judged(sentence: str, quotes: list[str]) -> None:
    assert check(sentence, quotes) in get_args(Support)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_number_that_the_quote_does_not_give_is_never_supported(said: int, given_number: int) -> None:
    expected = "supported" if said == given_number else "unsupported"
    assert (
        check(f"The ferry carried {said} passengers.", [f"The ferry carried {given_number:,} passengers."]) == expected
    )


# -- sentences that cite nothing --------------------------------------------------------------


def test_a_sentence_without_a_citation_finds_what_clearly_supports_it(embedding: Embedding) -> None:
    candidates = [DENIAL, SECOND, CREW, QUOTE]
    assert find_support("The ferry left Brenholm at noon with 1,214 passengers.", candidates, embedding) == (3,)
    both = "The ferry left Brenholm at noon and Captain Ida Voss steered it to Tarnsund."
    assert find_support(both, candidates, embedding) == (1, 3)
    for sentence in ("The ferry left Brenholm with 90 passengers.", "Bananas grow in hot countries.", "It did.", ""):
        assert find_support(sentence, candidates, embedding) == ()
    assert find_support("The ferry left Brenholm at noon.", []) == ()
    assert (
        find_support("Who steered the ferry that left Brenholm at noon with 1,214 passengers?", candidates, embedding)
        == ()
    )
