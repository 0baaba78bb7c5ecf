"""Which words of an answer rest on what: OpenAI's annotations, with places in the text of the message.

`start_index` and `end_index` are those of the sentence, from its first character to behind its last marker, in
characters as Python counts them. A sentence that cites two places has two annotations.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from assistant.answers import Answer, Citation
from assistant.serving.openai.footnotes import Links

_MARKER = re.compile(r"[ \t]*+\[(\d{1,4})\]")
_BEHIND = re.compile(r"[”\"’'»)*_.!?…]*+(?:[ \t]*+\[\d{1,4}\])++[.!?…]?")
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
    bare, places = _drop_markers(answer.text)
    cursor = 0  # in the bare text
    for sentence in answer.sentences:
        words, _ = _drop_markers(sentence.text)
        found = bare.find(words, cursor) if words else -1
        if found >= 0:
            start, end = places[found], places[found + len(words) - 1] + 1
            cursor = found + len(words)
        elif sentence.citations:
            # Formatted otherwise than it was read: from where the last one ended to the first of its markers.
            start = places[cursor] if cursor < len(places) else len(answer.text)
            marker = re.compile("|".join(rf"\[{number}\]" for number in sentence.citations)).search(answer.text, start)
            if marker is None:
                continue
            start += len(answer.text[start : marker.start()]) - len(answer.text[start : marker.start()].lstrip())
            end = marker.start()
        if not sentence.citations:
            continue
        if behind := _BEHIND.match(answer.text, end):
            end = behind.end()
        if found < 0:
            cursor = next((place for place, real in enumerate(places) if real >= end), len(bare))
        while start and answer.text[start - 1] in _BEFORE:
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
