from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.splitting.terms import STOP_WORDS, find_content_terms, find_phrases, find_terms, holds_phrase


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("TRUMP", "trump"),
        ("café", "CAFE"),
        ("naïve", "naive"),
        ("Straße", "STRASSE"),
        ("ﬁne", "fine"),
        ("Acme™", "AcmeTM"),
        ("ℌello", "hello"),
        ("ｆｕｌｌ", "full"),
        ("İstanbul", "istanbul"),
        ("skipped", "skipping"),
        ("negotiations", "negotiation"),
        ("1,000,000", "1000000"),
        ("e\u0301tat", "état"),
        ("don't", "don’t"),
        ("well-known", "well known"),
    ],
)
def test_two_ways_to_write_a_word_are_one_term(one: str, other: str) -> None:
    assert find_terms(one) == find_terms(other)
    assert find_terms(one) != []


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", []),
        (" ,.;!? — “”", []),
        ("The tours", ["the", "tour"]),
        ("tours and tours", ["tour", "and", "tour"]),
        ("3.14 at 10:30", ["3.14", "at", "10:30"]),
        ("2025-05-13", ["2025", "05", "13"]),
        ("It cost 5.", ["it", "cost", "5"]),
        ("covid19 b2b", ["covid19", "b2b"]),
        ("snake_case", ["snake", "case"]),
        ("机器学习", ["机器", "器学", "学习"]),
        ("水", ["水"]),
        ("GPT模型v2", ["gpt", "模型", "v2"]),
        ("العربية 5", ["العربية", "5"]),
        ("Москва", ["москва"]),
    ],
)
def test_terms_are_what_a_search_compares(text: str, terms: list[str]) -> None:
    assert find_terms(text) == terms


def test_content_terms_leave_out_stop_words_and_repetitions_and_keep_the_order() -> None:
    assert find_content_terms("Why was Israel skipped, and who skipped Israel in 2025?") == ["israel", "skip", "2025"]


def test_a_stop_word_is_no_content_term_however_it_is_written() -> None:
    for word in STOP_WORDS:
        assert find_content_terms(f"{word} {word.upper()} {word.title()}") == []


@given(st.text())
def test_terms_are_folded_and_hold_nothing_but_letters_digits_and_the_marks_inside_numbers(text: str) -> None:
    for term in find_terms(text):
        assert term == term.casefold()
        # The scripts without spaces are taken as they come, with what marks they have.
        assert all(c.isalnum() or c in ".:" or c >= "\u0e00" for c in term)
        assert not any(c.isspace() or c == "_" for c in term)


@given(st.text(), st.text())
def test_the_terms_of_two_texts_side_by_side_are_those_of_each(one: str, other: str) -> None:
    assert find_terms(f"{one} {other}") == find_terms(one) + find_terms(other)


@pytest.mark.parametrize("piece", ["a", "1,", "水", "a ", "\u0301", ".", "’"])
def test_time_grows_in_step_with_the_length_whatever_is_repeated(piece: str) -> None:
    begun = time.process_time()
    find_terms(piece * (100_000 // len(piece)))
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    ("query", "phrases"),
    [
        ('Who wrote "The Long Night"?', [["the", "long", "night"]]),
        ("“cracked bearings” or «closed bridges»", [["crack", "bear"], ["close", "bridg"]]),
        ('"one" 5" 6" wide', []),
        ("it's the dog's", []),
        ('an "unclosed phrase', []),
        ('""" ""', []),
    ],
)
def test_phrases_are_what_stands_in_quotation_marks(query: str, phrases: list[list[str]]) -> None:
    assert find_phrases(query) == phrases


def test_a_phrase_is_held_where_its_terms_stand_in_order() -> None:
    assert holds_phrase(["a", "long", "night"], ["long", "night"])
    assert not holds_phrase(["night", "long"], ["long", "night"])
    assert not holds_phrase(["along", "night"], ["long", "night"])
