"""The model's markers become citations that are exact by construction.

The passages' sentences are numbered for the prompt; the model cites those numbers. A number that was
given out becomes a citation, numbered anew in the order of first use. Any other is dropped, so that a
marker that the model makes up never reaches the user. Which text is a marker, `assistant.markers` says.

In code nothing is a marker, for "rows[3]" is a place in a list. But: models fence prose too, so that what follows
a sentence's end or a comment at the end of a code line is one, what alone fills inline code, and all in a fence that
says "markdown" or "text".
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from assistant.answers import AnswerSentence, Citation
from assistant.markers import (
    OPENING,
    expand,
    is_unfinished,
    opens_line,
    read_marker,
    skip_target,
    split_code_line,
)
from assistant.support import check, find_support
from index.documents import Passage
from index.embedding import Embedding
from index.sentences import Sentence, find_sentences

_PAUSE = re.compile(rf"{OPENING.pattern}|[`~]")
_FENCE = re.compile(r"(`{3,}|~{3,})([^`\n]*)\n")
_UNFINISHED_FENCE = re.compile(r"(?:`{1,2}|~{1,2}|(?:`{3,}|~{3,})[^`\n]*)\Z")
# Longer inline code is none, so that a mark which nobody closes holds back no more than this.
_CODE = re.compile(r"(`{1,9})(?!`)([^\n]{0,999}?[^`\n])\1(?!`)")
_UNFINISHED_CODE = re.compile(r"`[^\n]{0,1100}\Z")
_PROSE_FENCES = {"markdown", "md", "text", "txt", "plaintext"}


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
        self._held = ""  # the end of what has come, while what follows decides what it is
        self._read = ""  # what has come before it
        self._fence = ""  # the marks that opened the code block that we are in
        self._prose_fence = ""  # the same of a block that holds prose
        self._linkable = False  # whether the target of a link may follow
        self._bracketed = False  # whether there was a marker in square brackets
        self._space = ""  # white space not yet shown
        self._space_before = ""  # the same, before a marker that was dropped
        self._plain_space = ""  # the same for the text without markers
        self._after_marker = False
        self._plain = ""
        self._places: list[tuple[int, int]] = []  # where each piece of text begins, plain and shown
        self._uses: list[tuple[int, int]] = []  # (offset in the plain text, citation number)
        self._ahead = 0  # how many of the last uses opened the line, so that they belong to what follows in it
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
        while self._held and self._take(self._held, ended=False):
            pass
        return self.text[shown:]

    def finish(self) -> str:
        """Give what was held back, now that nothing more comes."""
        shown = len(self.text)
        while self._held:
            # A reply ends as a line does.
            self._take(f"{self._held}\n", ended=True)
        return self.text[shown:]

    def sentences(self, embedding: Embedding | None = None) -> tuple[AnswerSentence, ...]:
        """The reply's sentences without markers, each with its citations and whether they support it.

        embedding: lets the check compare meanings too.
        """
        by_number = {citation.number: citation for citation in self.citations}
        judged = []
        for words, _, numbers in self._own():
            mine = [by_number[number] for number in numbers]
            context = " ".join(dict.fromkeys(f"{citation.title} {self._dates[citation.number]}" for citation in mine))
            support = check(words, [citation.quote for citation in mine], embedding, context)
            judged.append(AnswerSentence(words, tuple(numbers), support))
        return tuple(judged)

    def cite_uncited(self, embedding: Embedding | None = None) -> None:
        """Once finished: cite for the sentences without a citation what clearly supports them, where there is such.

        Their markers come after them in `text`, with the numbers that follow those in use.
        """
        given = list(self._sources)
        candidates = [passage.words_of(sentence) for passage, sentence in self._sources.values()]
        for words, end, numbers in reversed(self._own()):
            places = () if numbers else find_support(words, candidates, embedding)
            marker = ""
            for place in places:
                number = self._numbers.setdefault(given[place], len(self._numbers) + 1)
                self._uses.append((end, number))
                marker += f"[{number}]"
            if marker:
                shown = next(text + end - plain for plain, text in reversed(self._places) if plain < end)
                self.text = f"{self.text[:shown]} {marker}{self.text[shown:]}"

    @property
    def _dates(self) -> dict[int, str]:
        return {number: self._sources[given][0].date or "" for given, number in self._numbers.items()}

    def _own(self) -> list[tuple[str, int, list[int]]]:
        """Each sentence's words, its end in the plain text, and the numbers that it cites."""
        spans = find_sentences(self._plain)
        cited: list[list[int]] = [[] for _ in spans]
        for offset, number in self._uses:
            # A marker belongs to the sentence that it stands in, or that it follows; the very first, to the first.
            owner = max((i for i, span in enumerate(spans) if span.start < offset), default=0)
            if spans and number not in cited[owner]:
                cited[owner].append(number)
        return [
            (" ".join(self._plain[span.start : span.end].split()), span.end, numbers)
            for span, numbers in zip(spans, cited, strict=True)
        ]

    # -- reading ------------------------------------------------------------------------------

    def _take(self, text: str, ended: bool) -> bool:
        """Take in the next piece of what is held; False where what follows decides what it is."""
        if self._fence:
            return self._take_code_line(text)
        if self._linkable:
            length = skip_target(text)
            if length is None and not ended:
                return False
            self._linkable = False
            if length:
                self._drop(length)
                return True
        match = _PAUSE.search(text)
        if not match or match.start():
            self._keep(match.start() if match else len(text))
            return True
        if text[0] in "`~":
            return self._take_code(text, ended)
        if not ended and is_unfinished(text):
            return False
        if marker := read_marker(text, self._read, self._sources, self._bracketed):
            self._linkable = self._held[marker.length - 1] == "]"
            self._bracketed |= self._linkable
            self._drop(marker.length)
            if marker.text:
                self._pass(marker.text)
            else:
                self._mark(marker.numbers)
            return True
        self._keep(1)
        return True

    def _take_code(self, text: str, ended: bool) -> bool:
        """Take in the mark that opens a code block, or inline code, or a mark that opens nothing."""
        if opens_line(self._read):
            if fence := _FENCE.match(text):
                kind = fence[2].strip().casefold()
                if kind in _PROSE_FENCES or (self._prose_fence == fence[1] and not kind):
                    # Prose needs no fence, and its fence no place in the answer.
                    self._prose_fence = fence[1] if kind else ""
                    self._drop(fence.end())
                    self._pass("\n")
                else:
                    self._fence = fence[1]
                    self._keep(fence.end())
                return True
            if not ended and _UNFINISHED_FENCE.match(text):
                return False
        code = _CODE.match(text)
        # Until something follows, its last mark may be the first of a longer run.
        if not ended and (_UNFINISHED_CODE.match(text) if not code else code.end() == len(text)):
            return False
        words = code[2].strip() if code else ""
        marker = read_marker(words, "", self._sources, self._bracketed)
        if code and marker and marker.length == len(words):
            self._drop(code.end())
            self._mark(marker.numbers)
            return True
        run = re.match(r"[`~]+", text)
        self._keep(code.end() if code else run.end() if run else 1)
        return True

    def _take_code_line(self, text: str) -> bool:
        """Take in a line of a code block, once it is whole."""
        end = text.find("\n")
        if end < 0:
            return False
        line = text[:end]
        if line.strip(" \t>").startswith(self._fence) and not line.strip(f" \t\r>{self._fence[0]}"):
            self._fence = ""
            self._keep(end + 1)
            return True
        code, marks = split_code_line(line)
        self._keep(len(code))
        for numbers in re.findall(r"[\[【［〔][^\]】］〕]*", marks):
            self._mark(expand(numbers))
        self._drop(len(marks))
        self._keep(1)
        return True

    def _drop(self, length: int) -> str:
        """Move so much of what is held to what is read."""
        taken, self._held = self._held[:length], self._held[length:]
        self._read += taken
        return taken

    def _keep(self, length: int) -> None:
        self._pass(self._drop(length))

    # -- showing ------------------------------------------------------------------------------

    def _pass(self, text: str) -> None:
        """Let text through, but hold back the white space at its end."""
        body = text.strip()
        lead = text[: len(text) - len(text.lstrip())]
        if self._plain or self._uses:  # white space that opens the reply is dropped
            self._space += lead
            self._plain_space += lead
        if "\n" in lead:
            self._ahead = 0
        if not body:
            return
        if self._after_marker and body[0] in ".,;:!?" and "\n" not in self._plain_space:
            self._space = self._space_before = self._plain_space = ""
        self._show(body)
        self._plain += self._plain_space + body
        self._places.append((len(self._plain) - len(body), len(self.text) - len(body)))
        if self._ahead:
            # What opened the line belongs to the sentence that now begins.
            place = len(self._plain) - len(body) + 1
            self._uses[-self._ahead :] = [(place, number) for _, number in self._uses[-self._ahead :]]
            self._ahead = 0
        self._space = self._plain_space = text[len(text.rstrip()) :]
        self._after_marker = False

    def _mark(self, numbers: Sequence[int]) -> None:
        """Show our own markers for the numbers that were given out; nothing for the others."""
        opening = opens_line(self._plain + self._plain_space)
        shown = ""
        for given in numbers:
            if given in self._sources:
                number = self._numbers.setdefault(given, len(self._numbers) + 1)
                self._uses.append((len(self._plain), number))
                self._ahead += opening
                shown += f"[{number}]"
        if shown:
            self._show(shown)
        elif re.search(r"\[[\d\s,;–-]*\Z", self.text):
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
