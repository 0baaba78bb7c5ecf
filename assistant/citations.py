"""The model's markers become citations that are exact by construction.

The passages' sentences are numbered for the prompt; the model cites those numbers. A number that was
given out becomes a citation, numbered anew in the order of first use. Any other is dropped, so that a
marker that the model makes up never reaches the user.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from assistant.answers import AnswerSentence, Citation
from assistant.support import check
from index.documents import Passage
from index.sentences import Sentence, find_sentences

_MARKER = re.compile(r"\[\s*(\d+(?:\s*[,;–-]\s*\d+)*)\s*\]")
_MAY_BECOME_MARKER = re.compile(r"\[[\d\s,;–-]*$")
_LONGEST_RANGE = 20


def number_sentences(passages: Sequence[Passage]) -> dict[int, tuple[Passage, Sentence]]:
    """The sentences that a model may cite, by the number that the prompt gives them, from 1.

    Boilerplate gets no number, and so is never shown to the model.
    """
    ordered = [
        (passage, sentence) for passage in passages for sentence in passage.sentences if sentence.kind != "boilerplate"
    ]
    return dict(enumerate(ordered, start=1))


def cite(number: int, passage: Passage, sentence: Sentence) -> Citation:
    """A citation of one sentence of a passage."""
    return Citation(
        number,
        passage.document_id,
        passage.path,
        passage.title,
        passage.page_of(sentence),
        sentence.start,
        sentence.end,
        passage.words_of(sentence),
    )


class CitedText:
    """A model's reply, taken in piece by piece: `feed` gives what may be shown, `finish` the rest.

    The pieces joined are `text`, whatever way the reply was cut into deltas.
    """

    def __init__(self, sources: dict[int, tuple[Passage, Sentence]]) -> None:
        self._sources = sources
        self._held = ""  # the end of what has come, while it may yet become a marker
        self._space = ""  # white space not yet shown
        self._space_before = ""  # the same, before a marker that was dropped
        self._plain_space = ""  # the same for the text without markers
        self._after_marker = False
        self._plain = ""
        self._uses: list[tuple[int, int]] = []  # (offset in the plain text, citation number)
        self._numbers: dict[int, int] = {}  # the prompt's number -> ours
        self.text = ""

    @property
    def citations(self) -> tuple[Citation, ...]:
        """The citations used so far, in order of their numbers."""
        return tuple(cite(number, *self._sources[given]) for given, number in self._numbers.items())

    def feed(self, delta: str) -> str:
        """Take in a delta; give the text that is now certain, with our own markers."""
        shown = len(self.text)
        self._held += delta
        while match := _MARKER.search(self._held):
            self._pass(self._held[: match.start()])
            self._mark(match[1])
            self._held = self._held[match.end() :]
        pending = _MAY_BECOME_MARKER.search(self._held)
        certain = pending.start() if pending else len(self._held)
        self._pass(self._held[:certain])
        self._held = self._held[certain:]
        return self.text[shown:]

    def finish(self) -> str:
        """Give what was held back, now that nothing more comes."""
        shown = len(self.text)
        self._pass(self._held)
        self._held = ""
        return self.text[shown:]

    def sentences(self) -> tuple[AnswerSentence, ...]:
        """The reply's sentences without markers, each with its citations and whether they support it."""
        spans = find_sentences(self._plain)
        cited: dict[int, list[int]] = {i: [] for i in range(len(spans))}
        for offset, number in self._uses:
            # A marker belongs to the sentence that it stands in, or that it follows; the very first, to the first.
            owner = max((i for i, span in enumerate(spans) if span.start < offset), default=0)
            if spans and number not in cited[owner]:
                cited[owner].append(number)
        quotes = {citation.number: citation.quote for citation in self.citations}
        return tuple(
            AnswerSentence(words, tuple(cited[i]), check(words, [quotes[number] for number in cited[i]]))
            for i, span in enumerate(spans)
            for words in [" ".join(self._plain[span.start : span.end].split())]
        )

    def _pass(self, text: str) -> None:
        """Let text through, but hold back the white space at its end."""
        body = text.strip()
        if self._plain or self._uses:  # white space that opens the reply is dropped
            lead = text[: len(text) - len(text.lstrip())]
            self._space += lead
            self._plain_space += lead
        if not body:
            return
        if self._after_marker and body[0] in ".,;:!?":
            self._space = self._space_before = self._plain_space = ""
        self._show(body)
        self._plain += self._plain_space + body
        self._space = self._plain_space = text[len(text.rstrip()) :]
        self._after_marker = False

    def _mark(self, numbers: str) -> None:
        """Show our own markers for the numbers that were given out; nothing for the others."""
        shown = ""
        for given in _expand(numbers):
            if given in self._sources:
                number = self._numbers.setdefault(given, len(self._numbers) + 1)
                self._uses.append((len(self._plain), number))
                shown += f"[{number}]"
        if shown:
            self._show(shown)
        elif _MAY_BECOME_MARKER.search(self.text):
            # "[[99]3]" would close up into the marker "[3]", which nobody gave out.
            self._pass("…")
        else:
            self._space, self._space_before = "", _wider(self._space_before, self._space)
        self._after_marker = True

    def _show(self, text: str) -> None:
        self.text += _wider(self._space_before, self._space) + text
        self._space = self._space_before = ""


def _wider(one: str, other: str) -> str:
    """Of the white space before and after a dropped marker, what parts more: a paragraph's end before a space."""
    return max(one, other, key=lambda space: (space.count("\n"), len(space)))


def _expand(numbers: str) -> Iterator[int]:
    """The numbers of "3, 5-7": 3, 5, 6, 7."""
    for part in re.split(r"[,;]", numbers):
        ends = [int(number[:9]) for number in re.findall(r"\d+", part)]  # longer ones were never given out
        yield from range(ends[0], min(ends[-1], ends[0] + _LONGEST_RANGE) + 1)
