from __future__ import annotations

import os

import pytest

from index.documents import Passage, identify, page_at
from index.splitting.sentences import Sentence


def test_an_identity_depends_on_the_path_alone_and_is_the_same_for_ever() -> None:
    # Stores on users' disks hold these.
    assert identify("a.txt") == "18b7cb099a9ea3f5"
    assert identify("sub/a.txt") != identify("a.txt") != identify("A.txt")


def test_a_name_that_is_not_utf_8_has_an_identity_too() -> None:
    assert len(identify(os.fsdecode(b"caf\xe9.txt"))) == 16


@pytest.mark.parametrize(
    ("pages", "offset", "page"),
    [
        ((), 0, None),
        ((), 100, None),
        ((0,), 0, 1),
        ((0, 10, 20), 0, 1),
        ((0, 10, 20), 9, 1),
        ((0, 10, 20), 10, 2),
        ((0, 10, 20), 19, 2),
        ((0, 10, 20), 20, 3),
        ((0, 10, 20), 1000, 3),
        ((0, 10, 10, 20), 10, 3),
        ((5, 10), 2, 1),
    ],
)
def test_a_page_runs_from_its_start_to_the_next(pages: tuple[int, ...], offset: int, page: int | None) -> None:
    assert page_at(pages, offset) == page


def test_the_words_of_a_passages_sentence_are_cut_by_offsets_into_the_document() -> None:
    text = "It rained. We left."
    sentences = (Sentence(100, 110), Sentence(111, 119))
    passage = Passage("id", "a.txt", "a", None, 100, 119, text, 1.0, sentences)
    assert [passage.words_of(sentence) for sentence in sentences] == ["It rained.", "We left."]
