"""What passes between the rooms of the reader: a sentence that might answer, and what is chosen of these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from index.documents import Passage
from index.splitting.sentences import Sentence


@dataclass(frozen=True, slots=True)
class Candidate:
    """One sentence that might answer, with what is known of it.

    position: its place among the sentences of its passage that may answer.
    features: from 0 to 1, by name; see `assistant.quoting.reader.describe`.
    context: what it leaves to its title, to its heading, or to the sentence before.
    above: what it stands under, outermost first, as its citation tells it.
    """

    passage: Passage
    sentence: Sentence
    position: int
    words: str
    features: Mapping[str, float]
    score: float
    context: str = ""
    above: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """The sentences that are shown.

    count: how many there are of the list that is shown, of which these may be the first; 0 where it is no list.
    before: how many of those shown stand before the list, and are not counted.
    share: of the question's words, those that the list is called by, each weighing as much as it is rare.
    """

    shown: tuple[Candidate, ...]
    count: int = 0
    share: float = 0.0
    before: int = 0

    def tell_cut(self) -> str:
        """How much of a list is shown, "20 of 60"; "" where it is whole, or no list."""
        shown = len(self.shown) - self.before
        return f"{shown:,} of {self.count:,}" if shown < self.count else ""
