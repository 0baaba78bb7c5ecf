"""A reply with our own markers in place of the model's, and a verdict on each of its sentences.

A number that was given out becomes a citation, numbered anew in the order of first use. Any other is dropped, so that a
marker that the model makes up never reaches the user.

A sentence that the model left without a citation gets its markers from us where a source clearly supports it. They come
at its end while the text is shown, so that what is shown is never changed: a word of what follows tells whether the
sentence is over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from assistant.answers import AnswerSentence, Citation
from assistant.citing.citations import Seek, cite, find_context
from assistant.citing.kept_lines import KeptLines
from assistant.citing.marked_text import MarkedText, Part
from assistant.citing.markers import LONGEST_MARKER
from assistant.citing.plain_text import GrowingText, PlainText
from assistant.citing.support import judge
from index.documents import Passage
from index.embedding.protocol import Embedding
from index.splitting.sentences import Sentence

LONGEST_DRAFT = 4000  # characters
_LOOKED_AHEAD = 40  # characters, at most, that are held back for what may begin a sentence


class CitedText:
    """A model's reply, taken in piece by piece: `feed` gives what may be shown, `finish` the rest.

    The pieces joined are `text`, whatever way the reply was cut into deltas.

    seek: gives the numbers of what supports a sentence that the model left without a citation; by default none.
    """

    def __init__(self, sources: dict[int, tuple[Passage, Sentence]], seek: Seek = lambda _: ()) -> None:
        self._sources = sources
        self._seek = seek
        passages = {passage.document_id: passage for passage, _ in sources.values()}.values()
        names = (name for passage in passages for name in (passage.title, passage.path))
        self._lines = KeptLines(names, lambda: self._cites)
        self._marked = MarkedText(sources)
        self._cites = False  # whether a number that was given out has been met
        self._plain = PlainText()
        self._text = GrowingText()
        self._numbers: dict[int, int] = {}  # the prompt's number -> ours
        self._space = ""  # white space not yet shown
        self._space_before = ""  # the same, before a marker that was dropped
        self._after_marker = False
        self._end: int | None = None  # where in the plain text a sentence may be over, while what follows waits
        self._waiting: list[str | int] = []  # what follows: text, and the prompt's numbers

    @property
    def text(self) -> str:
        """All that was shown so far."""
        return str(self._text)

    @property
    def citations(self) -> tuple[Citation, ...]:
        """The citations used so far, in order of their numbers."""
        return tuple(cite(number, *self._sources[given]) for given, number in self._numbers.items())

    @property
    def is_cited(self) -> bool:
        """Whether there is a citation, and a word for which it stands."""
        return bool(self._numbers) and self._plain.has_words

    @property
    def draft(self) -> str:
        """What has come and is not certain yet, as plain text without markers: the last characters of it.

        But: a list of sources, or a long line that was there before, is no part of it.
        """
        waiting = "".join(part for part in self._waiting if isinstance(part, str))
        held = f"{waiting}{_wider(self._space_before, self._space)}{self._marked.held_with(self._lines.held)}"
        return held[-LONGEST_DRAFT:]

    def feed(self, delta: str) -> str:
        """Take in a delta; give the text that is now certain, with our own markers."""
        shown = len(self._text)
        for piece in self._lines.feed(delta):
            self._take(self._marked.feed(piece))
        return self._text.since(shown)

    def finish(self, ended: bool = True) -> str:
        """Give what was held back, now that nothing more comes.

        ended: whether the reply came to its end. Where it broke off, its last sentence may be half a one.
        """
        shown = len(self._text)
        for piece in self._lines.finish():
            self._take(self._marked.feed(piece))
        self._take(self._marked.finish())
        self._settle()
        if ended and not self._marked.is_in_block:
            self._cite_sentence_before(len(self._plain))
        return self._text.since(shown)

    def sentences(self, embedding: Embedding | None = None, question: str = "") -> tuple[AnswerSentence, ...]:
        """Once finished: the sentences without markers, each with its citations and whether they support it, and why.

        embedding: lets the check compare meanings too. question: what is to be answered.
        """
        judged = []
        for words, given, place in self._plain.sentences():
            cited = [self._sources[number] for number in given]
            quotes = [passage.words_of(sentence) for passage, sentence in cited]
            verdict = judge(words, quotes, embedding, find_context(cited), question, place)
            numbers = tuple(self._numbers[number] for number in given)
            judged.append(AnswerSentence(words, numbers, verdict.support, reason=verdict.reason))
        return tuple(judged)

    # -- showing ------------------------------------------------------------------------------

    def _take(self, parts: Iterable[Part]) -> None:
        for content, in_code in parts:
            if isinstance(content, str):
                self._pass(content, in_code)
            else:
                self._mark(content, in_code)

    def _pass(self, text: str, in_code: bool) -> None:
        """Let text through, but hold back the white space at its end, and the word that may begin a sentence."""
        # One by one, so that nothing depends on how the reply was cut.
        for character in text:
            if character.isspace():
                self._pass_space(character)
            else:
                self._watch(character, in_code)
                self._pass_character(character)

    def _pass_space(self, space: str) -> None:
        if self._end is not None and self._plain.has_word_since(self._end):
            self._settle()
        if self._plain.add_space(space):
            self._space += space

    def _pass_character(self, character: str) -> None:
        if self._after_marker and character in ".,;:!?" and "\n" not in self._plain.space:
            self._space = self._space_before = self._plain.space = ""
        self._write(self._take_space() + character)
        self._plain.add_character(character)
        self._after_marker = False

    def _mark(self, numbers: tuple[int, ...], in_code: bool) -> None:
        """Show our own markers for the numbers that were given out; nothing for the others."""
        given = [number for number in numbers if number in self._sources]
        self._cites = self._cites or bool(given)
        opening = self._plain.cite(given)
        if not (given and opening):
            self._settle()
        elif self._end is None and self._plain and "\n" in self._plain.space and not in_code:
            # What follows decides whether it belongs to the sentence before.
            self._end = len(self._plain)
        if given:
            # After a backslash it would be text.
            self._write(self._take_space() or " " * (self._plain.tail(1) == "\\"), *given)
        elif re.search(r"\[[\d\s,;–-]*\Z", self._text.tail(LONGEST_MARKER)):
            # "[[99]3]" would close up into the marker "[3]", which nobody gave out.
            self._pass("…", in_code)
        else:
            self._space, self._space_before = "", _wider(self._space_before, self._space)
        self._after_marker = True

    def _take_space(self) -> str:
        space = _wider(self._space_before, self._space)
        self._space = self._space_before = ""
        return space

    def _write(self, *parts: str | int) -> None:
        """Write text, and markers for the prompt's numbers, which are numbered anew in the order of first use."""
        if self._end is not None:
            self._waiting += parts
            return
        for part in parts:
            if isinstance(part, int):
                part = f"[{self._numbers.setdefault(part, len(self._numbers) + 1)}]"
            self._text.add(part)

    # -- sentences that the model left without a citation ---------------------------------------

    def _watch(self, character: str, in_code: bool) -> None:
        """Before a character is passed: let it wait where it may begin a sentence, and no longer than it must."""
        if self._end is not None and len(self._plain) - self._end >= _LOOKED_AHEAD:
            self._settle()
        if in_code:
            return
        if self._plain.is_over(character):
            # Nothing that follows matters, but for the markers that open a line.
            if self._end != len(self._plain):
                self._settle()
                self._cite_sentence_before(len(self._plain))
        elif self._end is None and self._plain.may_be_over(character):
            self._end = len(self._plain)

    def _settle(self) -> None:
        """Cite for the sentence before what waits, where it is over and cites nothing, and show what waits."""
        if self._end is not None:
            end, waiting = self._end, self._waiting
            self._end, self._waiting = None, []
            self._cite_sentence_before(end)
            self._write(*waiting)

    def _cite_sentence_before(self, end: int) -> None:
        """Cite for the sentence that ends there, if one does, what supports it, where it cites nothing itself."""
        if (words := self._plain.find_uncited(end)) and (found := self._seek(words)):
            self._plain.cite_before(end, found)
            self._write(" ", *found)


def _wider(one: str, other: str) -> str:
    """Of the white space before and after a dropped marker, what parts more: a paragraph's end before a space."""
    return max(one, other, key=lambda space: (space.count("\n"), len(space))) if one else other
