"""A reply without markers, while it grows: where its sentences are over, and which numbers each of them cites."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from operator import itemgetter

from assistant.citing.claiming import find_place
from assistant.citing.markers import opens_line
from index.splitting.sentences import Sentence, find_sentences

# Where a sentence may be over. Whether it is, `find_sentences` tells, once it sees what follows.
_STOP = re.compile(r"[.!?…。！？｡][^\w\s]*\Z")
_WIDE_CLOSERS = "。！？｡」』”’）"
_WIDE_STOP = re.compile(rf"[。！？｡][{_WIDE_CLOSERS}]*\Z")
_LINE_END = re.compile(r"[\n\r\x0b\x0c\x85\u2028\u2029]")
_WORD_AHEAD = re.compile(r"(?:(?>[\s|]*\n)\s*+\(?(?:\d{1,3}|[a-zA-Z])[.)]\s++)?+\W*?\w")  # a list item's number is none
_STOP_CHARACTERS = 40  # of the end of the text, where a stop is looked for
_LOOKED_BACK = 1000  # characters of the text so far, at most, that are read again
_LONGEST_SPACE = 1000  # characters of white space in a row; of what follows, only two line ends mean anything


class GrowingText:
    """A text that grows at its end: to add to it, and to read there, costs the same however long it is."""

    def __init__(self) -> None:
        self._before: list[str] = []
        self._start = 0  # of what is not in them
        self._end = ""

    def __len__(self) -> int:
        return self._start + len(self._end)

    def __str__(self) -> str:
        return "".join([*self._before, self._end])

    def add(self, text: str) -> None:
        """Add a piece at the end."""
        self._end += text
        if (size := len(self._end) - 4 * _LOOKED_BACK) > 4 * _LOOKED_BACK:
            self._before.append(self._end[:size])
            self._start, self._end = self._start + size, self._end[size:]

    def since(self, offset: int) -> str:
        """What stands from an offset on."""
        return self._end[offset - self._start :] if offset >= self._start else str(self)[offset:]

    def tail(self, characters: int) -> str:
        """Its last characters, at most so many."""
        return self._end[-characters:]


class PlainText(GrowingText):
    """The text without markers, and the prompt's numbers that are cited in it.

    space: the white space after it, which joins it with the character that follows. has_words: whether it has one.
    """

    def __init__(self) -> None:
        super().__init__()
        self.space = ""
        self.has_words = False
        self._line_opening = ""  # the first character of its last line that is no white space
        self._over = 0  # where the last sentence ended that is certainly over
        self._uses: list[tuple[int, int]] = []  # (offset, number), by offset
        self._ahead = 0  # how many of the last uses opened the line, so that they belong to what follows in it

    def add_space(self, space: str) -> bool:
        """Add a character of white space, but none that opens the text or has no end. Gives whether it was added."""
        if space == "\n":
            self._ahead = 0
        means = len(self.space) < _LONGEST_SPACE or (space == "\n" and self.space.count("\n") < 2)
        if not means or not (self or self._uses):
            return False
        self.space += space
        return True

    def add_character(self, character: str) -> None:
        """Add one that is no white space."""
        if not self or "\n" in self.space:
            self._line_opening = character
        self.has_words = self.has_words or character.isalnum() or character == "_"
        self.add(self.space + character)
        if self._ahead:
            # What opened the line belongs to the sentence that now begins.
            self._uses[-self._ahead :] = [(len(self), number) for _, number in self._uses[-self._ahead :]]
            self._ahead = 0
        self.space = ""

    def cite(self, numbers: Sequence[int]) -> bool:
        """Note that numbers are cited at its end. Gives whether they open a line."""
        opening = opens_line(self.tail(_LOOKED_BACK) + self.space)
        self._uses += [(len(self), number) for number in numbers]
        self._ahead += len(numbers) if opening else 0
        return opening

    def cite_before(self, end: int, numbers: Sequence[int]) -> None:
        """Note that the sentence that ends there cites numbers."""
        place = bisect_left(self._uses, end, key=itemgetter(0))
        self._uses[place:place] = [(end, number) for number in numbers]

    def is_over(self, character: str) -> bool:
        """Whether a sentence is over where this character follows, whatever comes then."""
        return character not in _WIDE_CLOSERS and _WIDE_STOP.search(self.tail(_STOP_CHARACTERS)) is not None

    def may_be_over(self, character: str) -> bool:
        """Whether a sentence or a row of a table may be over where this character follows."""
        if self.space and self and (_LINE_END.search(self.space) or _STOP.search(self.tail(_STOP_CHARACTERS))):
            return True
        # A marker after the bar that ends the row would stand outside the table.
        return character == "|" and self._line_opening == "|"

    def has_word_since(self, end: int) -> bool:
        """Whether a word follows there, which tells whether a sentence is over."""
        return _WORD_AHEAD.match(f"{self.since(end)} ") is not None

    def find_uncited(self, end: int) -> str:
        """The words of the sentence that ends there, where one does and cites nothing; else ""."""
        # The width of the line before tells whether this one goes on with it.
        least = max(0, end - _LOOKED_BACK - 1)
        line = self.since(least).rfind("\n", 0, max(0, self._over - least)) + 1
        since = least + line if line or end <= _LOOKED_BACK else max(self._over, end - _LOOKED_BACK)
        plain, stop = self.since(since), end - since
        for span, cited in self._own(plain, since):
            if span.start < stop <= span.end and not plain[stop : span.end].strip(" |"):
                self._over = end
                words = " ".join(plain[span.start : stop].split())
                return "" if cited or find_place(span, words, None) else words
        return ""

    def sentences(self) -> list[tuple[str, list[int], str]]:
        """The words of each sentence, the numbers that it cites, and how it stands in the reply (see `claiming`)."""
        plain = str(self)
        owned = self._own(plain, 0)
        following = [*(span for span, _ in owned), None][1:]
        sentences = []
        for (span, cited), next_span in zip(owned, following, strict=True):
            words = " ".join(plain[span.start : span.end].split())
            sentences.append((words, cited, find_place(span, words, next_span)))
        return sentences

    def _own(self, plain: str, since: int) -> list[tuple[Sentence, list[int]]]:
        """Each sentence of the text, which is given from `since` on, and the numbers that it cites."""
        spans = find_sentences(plain)
        starts = [span.start for span in spans]
        cited: list[list[int]] = [[] for _ in spans]
        first = bisect_right(self._uses, since, key=itemgetter(0)) if since else 0
        for offset, number in self._uses[first:]:
            # A marker belongs to the sentence that it stands in, or that it follows; the very first, to the first.
            owner = max(0, bisect_left(starts, offset - since) - 1)
            if spans and number not in cited[owner]:
                cited[owner].append(number)
        return list(zip(spans, cited, strict=True))
