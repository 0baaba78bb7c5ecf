"""The model's markers become citations that are exact by construction.

The passages' sentences are numbered for the prompt; the model cites those numbers. A number that was
given out becomes a citation, numbered anew in the order of first use. Any other is dropped, so that a
marker that the model makes up never reaches the user. Which text is a marker, `assistant.citing.markers` says.

A sentence that the model left without a citation gets its markers from us where a source clearly supports it. They come
at its end while the text is shown, so that what is shown is never changed: a word of what follows tells whether the
sentence is over.

In code nothing is a marker, for "rows[3]" is a place in a list. But: models fence prose too, so that what follows
a sentence's end or a comment at the end of a code line is one, what alone fills inline code, and all in a fence that
says "markdown" or "text".
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from functools import cache
from itertools import count
from operator import itemgetter

from assistant.answers import AnswerSentence, Citation
from assistant.citing.markers import (
    LONGEST_MARKER,
    OPENING,
    expand,
    find_numbers,
    is_unfinished,
    opens_line,
    read_marker,
    skip_numbers,
    skip_target,
    split_code_line,
)
from assistant.citing.support import check, find_support
from index.documents import Passage
from index.embedding.protocol import Embedding, Vectors
from index.splitting.sentences import Sentence, find_sentences

_PAUSE = re.compile(rf"{OPENING.pattern}|[`~]")
_FENCE = re.compile(r"(`{3,}+|~{3,}+)([^`\n]*+)\n")
_UNFINISHED_FENCE = re.compile(r"(?:`{1,2}|~{1,2}|(?:`{3,}+|~{3,}+)[^`\n]*+)\Z")
_LONGEST_FENCE, _LONGEST_CODE_LINE = 1000, 4000  # characters; what a longer line opens is no block
# Longer inline code is none, so that a mark which nobody closes holds back no more than this.
_CODE = re.compile(r"(`{1,9})(?!`)([^\n]{0,999}?[^`\n])\1(?!`)")
_UNFINISHED_CODE = re.compile(r"`[^\n]{0,1100}\Z")
_RUN = re.compile(r"[`~]{1,1000}")
_PROSE_FENCES = {"markdown", "md", "text", "txt", "plaintext"}

# Where a sentence may be over. Whether it is, `find_sentences` tells, once it sees what follows.
_STOP = re.compile(r"[.!?…。！？｡][^\w\s]*\Z")
_WIDE_CLOSERS = "。！？｡」』”’）"
_WIDE_STOP = re.compile(rf"[。！？｡][{_WIDE_CLOSERS}]*\Z")
_LINE_END = re.compile(r"[\n\r\x0b\x0c\x85\u2028\u2029]")
_WORD_AHEAD = re.compile(r"(?:(?>[\s|]*\n)\s*+\(?(?:\d{1,3}|[a-zA-Z])[.)]\s++)?+\W*?\w")  # a list item's number is none
_LOOKED_AHEAD = 40  # characters, at most, that are held back for it
_LOOKED_BACK = 1000  # characters of the text so far, at most, that are read again for it
_LONGEST_SPACE = 1000  # characters of white space in a row; of what follows, only two line ends mean anything

Seek = Callable[[str], tuple[int, ...]]


def number_sentences(passages: Sequence[Passage]) -> dict[int, tuple[Passage, Sentence]]:
    """The sentences that a model may cite, by the number that the prompt gives them; the numbers rise, from 1.

    Boilerplate gets no number, and so is never shown to the model. A number that stands in a document's own marker is
    not given out: a model that copies "opened in 1911.[1]" does not cite our sentence 1.
    """
    ordered = [
        (passage, sentence) for passage in passages for sentence in passage.sentences if sentence.kind != "boilerplate"
    ]
    shown = {passage.title for passage in passages} | {passage.words_of(sentence) for passage, sentence in ordered}
    taken = set[int]().union(*map(find_numbers, shown))
    return dict(zip((number for number in count(1) if number not in taken), ordered, strict=False))


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


def seek_among(sources: dict[int, tuple[Passage, Sentence]], embedding: Embedding | None = None) -> Seek:
    """What tells the numbers of the sources that clearly support a sentence, or none. It weighs no sentence twice."""
    given = list(sources)
    candidates = [passage.words_of(sentence) for passage, sentence in sources.values()]
    remembering = _Remembering(embedding) if embedding else None

    @cache
    def seek(words: str) -> tuple[int, ...]:
        return tuple(given[place] for place in find_support(words, candidates, remembering))

    return seek


class _Remembering:
    """An embedding that embeds no text twice, for each sentence is weighed against the same sources."""

    def __init__(self, embedding: Embedding) -> None:
        self.name, self.embeds_sentences = embedding.name, embedding.embeds_sentences
        self.embed_with_sentences, self.embed_query = embedding.embed_with_sentences, embedding.embed_query
        self.count_tokens = embedding.count_tokens
        self._embed = embedding.embed
        self._vectors: dict[str, Vectors] = {}

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors of the texts, one row each."""
        import numpy as np

        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        if new:
            self._vectors.update(zip(new, self._embed(new), strict=True))
        return np.stack([self._vectors[text] for text in texts])


def _seek_nothing(_: str) -> tuple[int, ...]:
    return ()


class _Text:
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


class CitedText:
    """A model's reply, taken in piece by piece: `feed` gives what may be shown, `finish` the rest.

    The pieces joined are `text`, whatever way the reply was cut into deltas.

    seek: gives the numbers of what supports a sentence that the model left without a citation; by default none.
    """

    def __init__(self, sources: dict[int, tuple[Passage, Sentence]], seek: Seek = _seek_nothing) -> None:
        self._sources = sources
        self._seek = seek
        self._held = ""  # the end of what has come, while what follows decides what it is
        self._read = ""  # what has come before it, as far as it matters
        self._fence = ""  # the marks that opened the code block that we are in
        self._prose_fence = ""  # the same of a block that holds prose
        self._endless = False  # whether we are in square brackets that are too long for a marker
        self._linkable = False  # whether the target of a link may follow
        self._bracketed = False  # whether there was a marker in square brackets
        self._space = ""  # white space not yet shown
        self._space_before = ""  # the same, before a marker that was dropped
        self._plain_space = ""  # the same for the text without markers
        self._after_marker = False
        self._plain = _Text()
        self._has_words = False
        self._line_opening = ""  # the first character of its last line that is no white space
        self._in_code = False  # whether what is passed is the inside of code
        self._end: int | None = None  # where in the plain text a sentence may be over, while what follows waits
        self._waiting: list[str | int] = []  # what follows: text, and the prompt's numbers
        self._over = 0  # where in the plain text the last sentence ended that is certainly over
        self._uses: list[tuple[int, int]] = []  # (offset in the plain text, the prompt's number), by offset
        self._ahead = 0  # how many of the last uses opened the line, so that they belong to what follows in it
        self._numbers: dict[int, int] = {}  # the prompt's number -> ours
        self._text = _Text()

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
        return bool(self._numbers) and self._has_words

    def feed(self, delta: str) -> str:
        """Take in a delta; give the text that is now certain, with our own markers."""
        shown = len(self._text)
        for start in range(0, len(delta), _LOOKED_BACK):
            self._held += delta[start : start + _LOOKED_BACK]
            while self._held and self._take(self._held, ended=False):
                pass
        return self._text.since(shown)

    def finish(self, ended: bool = True) -> str:
        """Give what was held back, now that nothing more comes.

        ended: whether the reply came to its end. Where it broke off, its last sentence may be half a one.
        """
        shown = len(self._text)
        while self._held:
            # A reply ends as a line does.
            self._take(f"{self._held}\n", ended=True)
        self._settle()
        if ended and not self._fence:
            self._cite_sentence_before(len(self._plain))
        return self._text.since(shown)

    def sentences(self, embedding: Embedding | None = None) -> tuple[AnswerSentence, ...]:
        """Once finished: the sentences without markers, each with its citations and whether they support it.

        embedding: lets the check compare meanings too.
        """
        judged = []
        plain = str(self._plain)
        for span, given in self._own(plain):
            words = " ".join(plain[span.start : span.end].split())
            cited = [self._sources[number] for number in given]
            quotes = [passage.words_of(sentence) for passage, sentence in cited]
            context = " ".join(dict.fromkeys(f"{passage.title} {passage.date or ''}" for passage, _ in cited))
            numbers = tuple(self._numbers[number] for number in given)
            judged.append(AnswerSentence(words, numbers, check(words, quotes, embedding, context)))
        return tuple(judged)

    def _own(self, plain: str, since: int = 0) -> list[tuple[Sentence, list[int]]]:
        """Each sentence of the plain text, which is given from `since` on, and the prompt's numbers that it cites."""
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

    # -- reading ------------------------------------------------------------------------------

    def _take(self, text: str, ended: bool) -> bool:
        """Take in the next piece of what is held; False where what follows decides what it is."""
        if self._fence:
            return self._take_code_line(text)
        if self._endless:
            dropped = self._drop(skip_numbers(text))
            self._endless = not self._held and not dropped.endswith(tuple("]】］〕"))
            return True
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
        if is_unfinished(text):
            if len(text) >= LONGEST_MARKER:
                self._take_endless(text)
                return True
            if not ended:
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

    def _take_endless(self, text: str) -> None:
        """Take in the beginning of what is too long for a marker: in square brackets it is dropped, else it is text."""
        if text.lstrip("\\").startswith(tuple("[【［〔")):
            self._drop(LONGEST_MARKER)
            self._mark(())
            self._endless = True
        else:
            self._keep(1)

    def _take_code(self, text: str, ended: bool) -> bool:
        """Take in the mark that opens a code block, or inline code, or a mark that opens nothing."""
        if opens_line(self._read):
            if fence := _FENCE.match(text[:_LONGEST_FENCE]):
                kind = fence[2].strip().casefold()
                if kind in _PROSE_FENCES or (self._prose_fence == fence[1] and not kind):
                    # Prose needs no fence, and its fence no place in the answer.
                    self._prose_fence = fence[1] if kind else ""
                    self._drop(fence.end())
                    self._pass("\n")
                else:
                    self._keep_code(fence.end())
                    self._fence = fence[1]
                return True
            if not ended and len(text) < _LONGEST_FENCE and _UNFINISHED_FENCE.match(text):
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
        run = _RUN.match(text)
        self._keep_code(code.end() if code else run.end() if run else 1)
        return True

    def _take_code_line(self, text: str) -> bool:
        """Take in a line of a code block, once it is whole, or as much of it as is looked at."""
        end = text.find("\n", 0, _LONGEST_CODE_LINE)
        if end < 0 and len(text) < _LONGEST_CODE_LINE:
            return False
        if end < 0:
            self._keep(_LONGEST_CODE_LINE)
            return True
        line = text[:end]
        if line.strip(" \t>").startswith(self._fence) and not line.strip(f" \t\r>{self._fence[0]}"):
            self._keep(end + 1)
            self._fence = ""
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
        self._read = _shorten(self._read + taken)
        return taken

    def _keep(self, length: int) -> None:
        self._pass(self._drop(length))

    def _keep_code(self, length: int) -> None:
        """The same for code: a sentence may be over before it, but not inside."""
        self._keep(1)
        self._in_code = True
        self._keep(length - 1)
        self._in_code = False

    # -- showing ------------------------------------------------------------------------------

    def _pass(self, text: str) -> None:
        """Let text through, but hold back the white space at its end, and the word that may begin a sentence."""
        # One by one, so that nothing depends on how the reply was cut.
        for character in text:
            if character.isspace():
                self._pass_space(character)
            else:
                self._watch(character)
                self._pass_character(character)

    def _pass_space(self, space: str) -> None:
        if self._end is not None and _WORD_AHEAD.match(f"{self._plain.since(self._end)} "):
            self._settle()
        means = len(self._plain_space) < _LONGEST_SPACE or (space == "\n" and self._plain_space.count("\n") < 2)
        if means and (self._plain or self._uses):  # white space that opens the reply is dropped
            self._space += space
            self._plain_space += space
        if space == "\n":
            self._ahead = 0

    def _pass_character(self, character: str) -> None:
        if self._after_marker and character in ".,;:!?" and "\n" not in self._plain_space:
            self._space = self._space_before = self._plain_space = ""
        self._show(character)
        if not self._plain or "\n" in self._plain_space:
            self._line_opening = character
        self._has_words = self._has_words or character.isalnum() or character == "_"
        self._plain.add(self._plain_space + character)
        if self._ahead:
            # What opened the line belongs to the sentence that now begins.
            self._uses[-self._ahead :] = [(len(self._plain), number) for _, number in self._uses[-self._ahead :]]
            self._ahead = 0
        self._plain_space = ""
        self._after_marker = False

    def _mark(self, numbers: Sequence[int]) -> None:
        """Show our own markers for the numbers that were given out; nothing for the others."""
        opening = opens_line(self._plain.tail(_LOOKED_BACK) + self._plain_space)
        given = [number for number in numbers if number in self._sources]
        for number in given:
            self._uses.append((len(self._plain), number))
            self._ahead += opening
        if not (given and opening):
            self._settle()
        elif self._end is None and self._plain and "\n" in self._plain_space and not self._fence:
            # What follows decides whether it belongs to the sentence before.
            self._end = len(self._plain)
        if given:
            self._show(*given)
        elif re.search(r"\[[\d\s,;–-]*\Z", self._text.tail(LONGEST_MARKER)):
            # "[[99]3]" would close up into the marker "[3]", which nobody gave out.
            self._pass("…")
        else:
            self._space, self._space_before = "", _wider(self._space_before, self._space)
        self._after_marker = True

    def _show(self, *parts: str | int) -> None:
        self._write(_wider(self._space_before, self._space), *parts)
        self._space = self._space_before = ""

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

    def _watch(self, character: str) -> None:
        """Before a character is passed: let it wait where it may begin a sentence, and no longer than it must."""
        if self._end is not None and len(self._plain) - self._end >= _LOOKED_AHEAD:
            self._settle()
        if self._in_code or self._fence:
            return
        if _WIDE_STOP.search(self._plain.tail(_LOOKED_AHEAD)) and character not in _WIDE_CLOSERS:
            # After such a stop nothing that follows matters, but for the markers that open a line.
            if self._end != len(self._plain):
                self._settle()
                self._cite_sentence_before(len(self._plain))
        elif self._end is None and self._may_be_over(character):
            self._end = len(self._plain)

    def _may_be_over(self, character: str) -> bool:
        """Whether a sentence or a row of a table may be over where this character follows."""
        if not self._plain:
            return False
        if _LINE_END.search(self._plain_space) or (self._plain_space and _STOP.search(self._plain.tail(_LOOKED_AHEAD))):
            return True
        # A marker after the bar that ends the row would stand outside the table.
        return character == "|" and self._line_opening == "|"

    def _settle(self) -> None:
        """Cite for the sentence before what waits, where it is over and cites nothing, and show what waits."""
        if self._end is not None:
            end, waiting = self._end, self._waiting
            self._end, self._waiting = None, []
            self._cite_sentence_before(end)
            self._write(*waiting)

    def _cite_sentence_before(self, end: int) -> None:
        """Cite for the sentence that ends there, if one does, what supports it, where it cites nothing itself."""
        # The width of the line before tells whether this one goes on with it.
        least = max(0, end - _LOOKED_BACK - 1)
        line = self._plain.since(least).rfind("\n", 0, max(0, self._over - least)) + 1
        since = least + line if line or end <= _LOOKED_BACK else max(self._over, end - _LOOKED_BACK)
        plain, stop = self._plain.since(since), end - since
        for span, given in self._own(plain, since):
            if not span.start < stop <= span.end or plain[stop : span.end].strip(" |"):
                continue
            self._over = end
            if not given and (found := self._seek(" ".join(plain[span.start : stop].split()))):
                place = bisect_left(self._uses, end, key=itemgetter(0))
                self._uses[place:place] = [(end, number) for number in found]
                self._write(" ", *found)


def _shorten(text: str) -> str:
    """The end of a text, and the beginning of its last line: what the meaning of a marker hangs on."""
    if len(text) <= 4 * _LOOKED_BACK:
        return text
    line = text.rfind("\n") + 1
    if line > len(text) - 2 * _LOOKED_BACK:
        return text[-2 * _LOOKED_BACK :]
    return text[line : line + _LOOKED_BACK] + text[-_LOOKED_BACK:]


def _wider(one: str, other: str) -> str:
    """Of the white space before and after a dropped marker, what parts more: a paragraph's end before a space."""
    return max(one, other, key=lambda space: (space.count("\n"), len(space)))
