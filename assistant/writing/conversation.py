"""What a language model is told of a conversation: its last turns, as data, and what the last answer was made from.

The markers of an earlier answer would be taken for numbers of this prompt. Where the sentence that one stands for is
among the sources again, it becomes the number that it has there, so that an answer rewritten cites what it cited;
every other is taken off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from assistant.answers import Citation, Turn
from assistant.citing.marked_text import MarkedText
from assistant.question.reworking import Reworking
from index.documents import Passage
from index.library import Library
from index.searching.cited import Place
from index.splitting.sentences import Sentence
from prompts import render

LAST_TURNS = 4
LONGEST_QUESTION_CHARACTERS = 500
LONGEST_ANSWER_CHARACTERS = 600
LONGEST_LAST_CHARACTERS = 1500  # of the last answer
LONGEST_REWORKED_CHARACTERS = 6000  # of the last answer, where it is to be reworked
MOST_NUMBERS = 3  # that one marker becomes, where what it cited is several sentences now

MOST_PASSES = 4
MOST_INDENT = 16

Sources = Mapping[int, tuple[Passage, Sentence]]

_TEMPLATES: Mapping[Reworking, str] = {"": "turns", "restates": "turns_restated", "extends": "turns_extended"}
_MARKER = re.compile(r"\[(\d{1,4})\]")
_SPACED_MARKER = re.compile(r"(?<!\s)\s*+\[\d{1,4}\]")
_NUMBER = re.compile(r"\\?\[(\d{1,9})\\?\]")
_BEFORE_STOP = re.compile(r"(?<![ \n]) ++(?=[.,;:!?](?:\s|$))")  # what a marker leaves behind
_HALF_MARKER = re.compile(r"\[\d{0,4}\Z")
_HELD, _LETTING_GO = "[\ue000{}]", re.compile("\\[\ue000(\\d{1,4})\\]")  # one of ours, while others are looked for


@dataclass(frozen=True, slots=True)
class Conversation:
    """A question with what was said before it.

    question: in the user's words. query: what was searched for it. turns: oldest first.
    reworks: whether the last answer itself is wanted, in another form or with more of it; "" as a rule.
    """

    question: str
    query: str
    turns: tuple[Turn, ...] = ()
    reworks: Reworking = ""

    def recall(self, found: Sequence[Passage], library: Library) -> list[Passage]:
        """The passages to answer from: of an answer to be reworked those that it cites, before or instead of others.

        found: what was searched for, which is all where the last answer's citations are not known.
        """
        if not self.reworks:
            return list(found)
        places = [Place(c.document_id, c.start, c.end, c.quote) for c in self.turns[-1].citations]
        cited = library.read_places(places, widely=self.reworks == "extends")
        if cited and self.reworks == "restates":
            return cited
        return [*cited, *(passage for passage in found if not any(_overlap(passage, held) for held in cited))]

    def show(self, sources: Sources, fence: str) -> str:
        """What the request says of the conversation, "" where nothing was said before.

        sources: the numbered sentences of this prompt, for the markers of earlier answers.
        """
        turns = [*_cut(self.turns, is_reworked=bool(self.reworks))]
        if not turns:
            return ""
        # Once more as a whole: code that one text leaves open makes other markers of what follows.
        shown = _drop_markers("\n".join(line for turn in turns for line in _show_turn(turn, sources)), sources)
        lines = [_LETTING_GO.sub(r"[\1]", shown)]
        if not self.reworks and self.query != self.question:
            lines.append(f"What is asked now, with what it leans on: {_to_line(self.query)}")
        return render(_TEMPLATES[self.reworks], fence=fence, turns="\n".join(lines))


def _cut(turns: Sequence[Turn], *, is_reworked: bool) -> Iterator[Turn]:
    """The last turns, as long as a prompt has room for."""
    last = LONGEST_REWORKED_CHARACTERS if is_reworked else LONGEST_LAST_CHARACTERS
    for place, turn in enumerate(turns[-LAST_TURNS:], start=1 - min(len(turns), LAST_TURNS)):
        answer = turn.answer[: LONGEST_ANSWER_CHARACTERS if place else last]
        is_whole = len(answer) == len(turn.answer)
        # What may be half a marker is none.
        answer = answer if is_whole else f"{_HALF_MARKER.sub('', answer)} …"
        yield Turn(turn.question[:LONGEST_QUESTION_CHARACTERS], answer, turn.citations)


def _show_turn(turn: Turn, sources: Sources) -> Iterator[str]:
    """A turn in lines, those of the answer set in, so that none looks like a numbered sentence or a question."""
    yield f"Question: {_show_markers(_to_line(turn.question), (), sources)}"
    lines = "\n".join(map(_to_line, turn.answer.strip().splitlines()))
    if answer := _show_markers(lines, turn.citations, sources):
        yield "Answer:"
        yield from (f"  {line}".rstrip() for line in answer.splitlines())


def _show_markers(text: str, citations: Sequence[Citation], sources: Sources) -> str:
    """A text with the numbers of this prompt for its citations, held, and without any other marker."""
    numbers = {c.number: found for c in citations if (found := _find_numbers(c, sources))}
    text = text.replace("\ue000", "")
    for quote in {_to_line(c.quote) for c in citations if _MARKER.search(c.quote)}:  # a document's own
        text = text.replace(quote, _SPACED_MARKER.sub("", quote))
    text = _MARKER.sub(lambda match: "".join(map(_HELD.format, numbers.get(int(match[1]), ()))) or match[0], text)
    return _drop_markers(text, sources)


def _drop_markers(text: str, sources: Sources) -> str:
    """A text without what would be taken for a marker in a reply."""
    for _ in range(MOST_PASSES):
        marked = MarkedText(sources)
        parts = [part for part, _ in (*marked.feed(text), *marked.finish())]
        text = "".join(part for part in parts if isinstance(part, str)).strip()
        if all(isinstance(part, str) for part in parts):
            return _BEFORE_STOP.sub("", _NUMBER.sub(r"\1", text))  # which stood there as a value
    return re.sub(r"(?<!\ue000)\d", "", text)  # what hides one marker in another, "[[1]2]", so often, says nothing


def _to_line(text: str) -> str:
    """A text in one line, as far to the right as it stands."""
    return f"{' ' * min(len(text) - len(text.lstrip(' ')), MOST_INDENT)}{' '.join(text.split())}"


def _find_numbers(citation: Citation, sources: Sources) -> list[int]:
    """The numbers of the sources that hold the words of a citation, those that are just these first."""
    held = [
        (sentence.end - sentence.start != citation.end - citation.start, number)
        for number, (passage, sentence) in sources.items()
        if passage.document_id == citation.document_id
        and sentence.start < citation.end
        and citation.start < sentence.end
    ]
    exact = [number for differs, number in held if not differs]
    return exact[:1] or [number for _, number in held][:MOST_NUMBERS]


def _overlap(one: Passage, other: Passage) -> bool:
    return one.document_id == other.document_id and one.start < other.end and other.start < one.end
