"""Which words of an answer rest on what: OpenAI's annotations, with places in the text of the message.

`start_index` and `end_index` are those of the sentence, from its first character to behind its last marker, in
characters as Python counts them. A sentence that cites two places has two annotations.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from assistant.answers import Answer, Citation
from assistant.serving.openai.footnotes import Links

_MARKER, _NUMBER = re.compile(r"(?<![ \t])[ \t]*+\[\d{1,4}\]"), re.compile(r"\[(\d{1,4})\]", re.ASCII)
_BEHIND = re.compile(r"[”\"’'»)*_.!?…]*+(?:[ \t]*+\[\d{1,4}\])++[.!?…]?")
_OPENING = re.compile(r"\s*+(?:(?:[-*+]|\d{1,3}[.)])\s++)?")  # of a line
_BEFORE = "“\"‘'«(*_"


@dataclass(frozen=True, slots=True)
class Span:
    """Where a sentence stands in an answer's text, with its markers, and what it cites."""

    start: int
    end: int
    citation: Citation


def find_spans(answer: Answer) -> Iterator[Span]:
    """The sentences of an answer that cite, in the order of the text."""
    known = {citation.number: citation for citation in answer.citations}
    text = answer.text
    bare, places = _drop_markers(text)
    cursor = 0  # in the bare text
    for sentence in answer.sentences:
        words, _ = _drop_markers(sentence.text)
        found = bare.find(words, cursor) if words else -1
        if found >= 0:
            start, end = places[found], places[found + len(words) - 1] + 1
        else:
            # Formatted otherwise than it was read: the line before the first of its markers.
            from_here = places[cursor] if cursor < len(places) else len(text)
            markers = _NUMBER.finditer(text, from_here) if sentence.citations else iter(())
            marker = next((one for one in markers if int(one[1]) in sentence.citations), None)
            if marker is None:
                continue
            end = marker.start()
            start = max(from_here, text.rfind("\n", from_here, end) + 1)
            if opening := _OPENING.match(text, start, end):
                start = opening.end()
        if behind := _BEHIND.match(text, end):
            end = behind.end()
        cursor = bisect_left(places, end)
        while start and text[start - 1] in _BEFORE:
            start -= 1
        for number in sentence.citations:
            if number in known:
                yield Span(start, end, known[number])


def to_annotation(span: Span, links: Links) -> dict[str, Any]:
    """An annotation as /v1/responses gives it; /v1/chat/completions has all but its type under that."""
    citation = span.citation
    page = f", page {citation.page}" if citation.page else ""
    return {
        "type": "url_citation",
        "url": links.to(citation),
        "title": f"{' '.join((citation.title or citation.path).split())}{page}",
        "start_index": span.start,
        "end_index": span.end,
    }


def _drop_markers(text: str) -> tuple[str, list[int]]:
    """A text without its markers, and where each of its characters stood."""
    places: list[int] = []
    last = 0
    for marker in _MARKER.finditer(text):
        places += range(last, marker.start())
        last = marker.end()
    places += range(last, len(text))
    return "".join(text[place] for place in places), places
