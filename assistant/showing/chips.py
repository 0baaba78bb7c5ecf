"""The chips of a reply: which sentence each belongs to, and where a sentence ends that has none.

While a reply is shown, its letters are counted, and each marker and each place where a sentence may be over is noted
with the letters before it; in the text such places hold characters that no text has. The sentences' own letters then
say what belongs to which. But: of a sentence whose letters do not stand in the reply in one piece, nothing is known.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Sequence

from assistant.answers import AnswerSentence

# Unicode keeps these for a program's own use.
CHIP, STOP = "\ufdd4", "\ufdd5"
_PLACES = re.compile(f"{CHIP}(?: ?{CHIP})*|{STOP}")

ShowChip = Callable[[int, AnswerSentence | None], str]  # of a number, in a sentence where it is known
ShowDoubt = Callable[[AnswerSentence], str]  # of a sentence, after its last chip, or where it ends without one


class Places:
    """Where the markers of a reply stand, as it is read from its beginning to its end."""

    def __init__(self) -> None:
        self._letters: list[str] = []
        self._count = 0  # of them
        self._chips: list[tuple[int, int, bool]] = []  # number, letters before it, whether it opens a line
        self._stops: list[int] = []  # letters before each
        self._opens_line = True

    def read(self, text: str) -> None:
        """Pass over text."""
        letters = "".join(filter(str.isalnum, text))
        self._letters.append(letters)
        self._count += len(letters)
        rest = text[text.rindex(letters[-1]) :] if letters else text
        self._opens_line = "\n" in rest or (self._opens_line and not letters)

    def add_chip(self, number: int) -> str:
        """What holds the place of a marker."""
        self._chips.append((number, self._count, self._opens_line))
        return CHIP

    def add_stop(self) -> str:
        """What holds the place of a sentence's end, if one ends there."""
        self._stops.append(self._count)
        return STOP

    def fill(self, shown: str, sentences: Sequence[AnswerSentence], chip: ShowChip, doubt: ShowDoubt) -> str:
        """What is shown, with chips and doubts in their places."""
        spans = self._find(sentences)
        owners = [_find_owner(spans, *place) for place in self._chips]
        last = {owner: place for place, owner in enumerate(owners)}
        chips, stops = iter(enumerate(zip(self._chips, owners, strict=True))), iter(self._stops)
        doubts = deque((end, doubt(sentence)) for sentence, _, end in spans if not sentence.citations)

        def fill_one(place: re.Match[str]) -> str:
            if place[0] != STOP:
                found = [next(chips) for _ in range(place[0].count(CHIP))]
                over = [doubt(spans[owner][0]) for n, (_, owner) in found if owner is not None and last[owner] == n]
                shown = [chip(number, None if o is None else spans[o][0]) for _, ((number, *_), o) in found]
                return group_chips(shown) + "".join(over)
            letters, ended = next(stops), []
            while doubts and doubts[0][0] <= letters:
                ended.append(doubts.popleft()[1])
            return "".join(ended)

        return _PLACES.sub(fill_one, shown)

    def _find(self, sentences: Sequence[AnswerSentence]) -> list[tuple[AnswerSentence, int, int]]:
        """The sentences whose letters stand there, in order, with the first and the last."""
        letters, place, spans = "".join(self._letters), 0, []
        for sentence in sentences:
            own = "".join(filter(str.isalnum, sentence.text))
            start = letters.find(own, place) if own else -1
            if start >= 0:
                place = start + len(own)
                spans.append((sentence, start, place))
        return spans


def _find_owner(
    spans: Sequence[tuple[AnswerSentence, int, int]], number: int, letters: int, opens_line: bool
) -> int | None:
    """Which sentence it is that a marker stands in or follows; one that opens a line belongs to what comes in it."""
    place = bisect_left(spans, letters, key=lambda span: span[1]) - 1
    order = (place + 1, place) if opens_line else (place, place + 1)
    return next((n for n in order if 0 <= n < len(spans) and number in spans[n][0].citations), None)


def group_chips(chips: Sequence[str]) -> str:
    """Chips that follow each other, as one group."""
    return chips[0] if len(chips) == 1 else f'<span class="chips">{"".join(chips)}</span>' if chips else ""
