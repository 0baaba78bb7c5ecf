"""Where a question takes for given what a sentence says otherwise: the near miss.

"Who won the battle?" is not answered by "The French lost the battle", though nearly every word is there, nor is
"Who was mayor in 1994?" by the mayor of 1998. But: words are compared, not meanings. What `rivals.txt` does not list
goes unseen, and so does an exchange of places: "from Rome to Paris" for "from Paris to Rome".
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from functools import cache
from pathlib import Path

from assistant.question.asked import denies, find_numbers
from assistant.question.question import Question
from assistant.question.wording import find_wordings
from index.splitting.terms import find_terms

# A line is what excludes each other, as "first" and "last" do; a stroke parts words that are on one side.
RIVALS_FILE = Path(__file__).with_name("rivals.txt")


def find_conflicts(question: Question, sentence: str, passage: str) -> dict[str, float]:
    """What stands against the sentence as an answer, 1 where it is so, else 0.

    rival: the question is on one side of a line of `rivals.txt`, and the sentence on another; in other languages than
        English, of their own lines.
    number: a number of the question that is nowhere in the whole passage that the sentence is from.
    negation: the question denies something, and the sentence denies nothing; unless it asks for a reason.
    """
    said = set(find_terms(sentence))
    return {
        "rival": float(any(_differ(sides, question.asked, said) for sides in _rivals_of(question))),
        "number": float(not question.numbers <= find_numbers(passage)),
        # Why something is not so, what is so instead may tell.
        "negation": float(question.kind != "reason" and question.denies and not denies(sentence)),
    }


def _differ(sides: Sequence[Set[str]], asked: Set[str], said: Set[str]) -> bool:
    """Whether the question is on a side that the sentence is not on, and the other way round."""
    one, other = ({i for i, side in enumerate(sides) if side & terms} for terms in (asked, said))
    return bool(one - other) and bool(other - one)


def _rivals_of(question: Question) -> list[list[frozenset[str]]]:
    """The rivals in the question's language."""
    wordings = find_wordings(question.words)
    return [sides for wording in wordings for sides in _read(wording.rivals)] if wordings else _rivals()


@cache
def _rivals() -> list[list[frozenset[str]]]:
    return _read(tuple(RIVALS_FILE.read_text(encoding="utf-8").splitlines()))


@cache
def _read(lines: tuple[str, ...]) -> list[list[frozenset[str]]]:
    """The terms of each side, by lines."""
    return [
        [frozenset(term for word in side.split("/") for term in find_terms(word)) for side in sides.split()]
        for sides in lines
    ]
