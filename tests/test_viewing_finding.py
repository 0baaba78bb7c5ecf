"""Find in document: what is typed is found however it is written, and exactly there."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index.splitting.folding import fold
from index.viewing.finding import MOST_FOUND, find_words


def find(text: str, words: str, *cuts: int) -> list[str]:
    edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    found = find_words([(start, text[start:end]) for start, end in pairwise(edges)], words)
    assert found.is_all
    return [text[start:end] for start, end in found.places]


@pytest.mark.parametrize(
    ("text", "words", "found"),
    [
        ("The Ferry leaves. A ferry!", "ferry", ["Ferry", "ferry"]),
        ("Müller, MULLER, Mu\u0308ller", "muller", ["Müller", "MULLER", "Mu\u0308ller"]),
        ("a resume, a résumé", "Résumé", ["resume", "résumé"]),
        ("at nine\n  o’clock", "nine o'clock", ["nine\n  o’clock"]),
        ("the ﬁne oﬃce", "fine office", ["ﬁne oﬃce"]),
        ("Straße und strasse", "STRASSE", ["Straße", "strasse"]),
        ("日本語の本", "本", ["本", "本"]),
        ("a.b axb", "a.b", ["a.b"]),
        ("😀 ok 😀 OK", "ok", ["ok", "OK"]),
        ("nothing", "thing else", []),
        ("nothing", "  ", []),
    ],
)
def test_it_is_found_as_it_stands(text: str, words: str, found: list[str]) -> None:
    assert find(text, words) == found
    assert find(text, words, *range(1, len(text), 2)) == found


@given(st.text(max_size=60), st.text(max_size=60), st.integers(0, 60), st.integers(1, 9))
@example("ß", "", 0, 1)
def test_what_is_copied_from_a_text_is_found_in_it(before: str, after: str, start: int, length: int) -> None:
    text = f"{before} Ünï Straße {after}"
    words = " ".join(text[start : start + length].split())
    places = find_words([(0, text)], words).places
    assert places == sorted(places)
    for first, last in places:
        assert "".join(fold(words).split()) in "".join(fold(text[first:last]).split())
    assert [text[first:last] for first, last in find_words([(0, text)], "strasse").places].count("Straße") >= 1


def test_many_places_are_bounded_and_said_to_be_more() -> None:
    found = find_words([(0, "a ferry " * 100_000)], "ferry")
    assert len(found.places) == MOST_FOUND
    assert not found.is_all
    assert found.places[1] == (10, 15)


def test_what_lies_on_the_border_of_two_sections_is_found_once() -> None:
    text = "x" * 199_998 + " the ferry " + "é" * 199_990 + " the ferry "
    assert find(text, "the ferry", 200_004) == ["the ferry"] * 2
