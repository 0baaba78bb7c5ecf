from __future__ import annotations

import time
import unicodedata

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
        ("2025-05-13", ["13", "may", "2025"]),
        ("It cost 5.", ["it", "cost", "5"]),
        ("covid19 b2b p53", ["covid19", "covid", "19", "b2b", "p53", "53"]),
        ("XK-4500-B A12/B7 ISO-27001", ["xk", "4500", "b", "a12", "12", "b7", "iso", "27001"]),
        ("MGMRESORTS_2023Q2_10Q.pdf", ["mgmresort", "2023", "q2", "10", "q", "pdf"]),
        ("x3f2a9bc1d3e", ["x3f2a9bc1d3e"]),
        ("getUserName iPhone YouTube", ["getusernam", "get", "user", "name", "iphon", "youtub"]),
        ("MyOtherName", ["myothernam", "my", "other", "name"]),
        ("snake_case", ["snake", "case"]),
        ("机器学习", ["机器", "器学", "学习"]),
        ("水", ["水"]),
        ("GPT模型v2", ["gpt", "模型", "v2"]),
        ("العربية 5", ["عرب", "5"]),
        ("Москва", ["москв"]),
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
        # Scripts with vowel signs are taken with these, and names with their "&".
        assert all(c.isalnum() or c in ".:&" or (c > "\u0700" and unicodedata.category(c)[0] == "M") for c in term)


@given(st.text(), st.text())
def test_the_terms_of_two_texts_on_two_lines_are_those_of_each(one: str, other: str) -> None:
    assert find_terms(f"{one}\n|\n{other}") == find_terms(one) + find_terms(other)


@given(st.text(alphabet="abcäñßøمदाк", max_size=20), st.text(alphabet="abcäñßøمदाк", max_size=20))
def test_words_side_by_side_do_not_change_each_other(one: str, other: str) -> None:
    assert find_terms(f"{one} {other}") == find_terms(one) + find_terms(other)


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "a",
            "1,",
            "水",
            "a ",
            "\u0301",
            ".",
            "’",
            "v1.",
            "aaB",
            "1 000 ",
            "1'",
            "12 345a",
            "may 1 ",
            "12 may ",
            "2023-05-",
        ),
        *("2023年5月", "ї", "தா", "ال", "का", "か\u3099", "\u0e38\u0e48", "1st of "),
    ],
)
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
        ('„am 12. Mai 2023“ and "the XK-4500-B"', [["am", "12", "may", "2023"], ["the", "xk", "4500", "b"]]),
    ],
)
def test_phrases_are_what_stands_in_quotation_marks(query: str, phrases: list[list[str]]) -> None:
    assert find_phrases(query) == phrases


def test_a_phrase_is_held_where_its_terms_stand_in_order() -> None:
    assert holds_phrase(["a", "long", "night"], ["long", "night"])
    assert not holds_phrase(["night", "long"], ["long", "night"])
    assert not holds_phrase(["along", "night"], ["long", "night"])


@pytest.mark.parametrize(
    "words", ["12 May 2023", "18 500 kr", "XK-4500-B", "covid19 vaccine", "getUserName is", "في كتابه"]
)
def test_a_quoted_phrase_is_held_by_a_text_with_the_same_words(words: str) -> None:
    [phrase] = find_phrases(f'Where is "{words}"?')
    assert holds_phrase(find_terms(f"So it says: {words}, and more."), phrase)
