"""What a reader needs beside a document's words, and which of these were asked for.

"380" says nothing; "Brenvale › Staff: “380”" does. The words of a document stand in quotation marks, what they stand
under before these. Prose needs none: it says what it speaks of.
"""

from __future__ import annotations

import re
from collections.abc import Set
from textwrap import shorten

from assistant.citing.citations import show_context
from assistant.question.asked import find_answer_words
from assistant.question.question import Question
from assistant.quoting.candidates import Candidate
from assistant.quoting.kin import find_kin
from index.splitting.blocks import CELL_BAR, find_cells
from index.splitting.terms import find_content_terms, find_terms

LONGEST_CHARACTERS = 160
_SHORT_ANSWER_CHARACTERS = 60  # shorter prose is shown with the question that it answers
_LONGEST_VALUE_CHARACTERS = 80
_VALUE = re.compile(r"[\W_]{0,4}\w[^:=\n]{0,60}?[\"'*_ ]{0,4}(?::|=(?!=))[*_]{0,3}\s{0,4}(?P<value>\S[^\n]*)")
_FEW_PARTS = 3  # of a row that says its columns' names, that are seen at once
_PART = re.compile(r"(?P<label>[^:;]{1,60}): (?P<value>[^;]+)")
_ASSIGNED = re.compile(r"[\w.\[\]-]{1,60}\s{0,2}(?::[^=]{1,40})?(?:[<>~!=]=|=)\s{0,4}(?P<value>\S[^\n]*)")
_AROUND = "\"'*_`,;. "


def find_lead(question: Question, candidate: Candidate) -> str:
    """What a quotation stands under, as far as a reader needs it; "" for prose."""
    kind, above = candidate.sentence.kind, candidate.above
    if kind in ("prose", "quotation", "code"):
        asks = bool(above) and above[-1].endswith("?")
        return above[-1] if asks and len(candidate.words) <= _SHORT_ANSWER_CHARACTERS else ""
    parts = list(_PART.finditer(candidate.words)) if kind == "row" else []
    if len(parts) > _FEW_PARTS:
        asked = _find_asked(question, [part["label"] for part in parts])
        above = (*above, "; ".join(parts[i][0].strip() for i in (0, *asked))) if asked else above
    elif columns := _find_columns(candidate):
        above = (*above[:-1], _name_cells(question, columns, find_cells(candidate.words)))
    lead = show_context(above, candidate.passage.title)
    return lead if len(lead) <= LONGEST_CHARACTERS else shorten(lead, LONGEST_CHARACTERS, placeholder=" …")


def find_value(question: Question, candidate: Candidate) -> tuple[int, int] | None:
    """Where in the words of a candidate that stands what is asked for: a field's value, a cell, a number, a name."""
    words = candidate.words
    if candidate.sentence.kind == "row":
        if columns := _find_columns(candidate):
            return _find_cell(words, _find_asked(question, columns))
        parts = list(_PART.finditer(words))
        asked = _find_asked(question, [part["label"] for part in parts])
        return _trim(words, *parts[asked[0]].span("value")) if len(asked) == 1 else None
    pattern = _ASSIGNED if candidate.sentence.kind == "code" else _VALUE
    if candidate.sentence.kind in ("field", "code", "heading") and (match := pattern.match(words)):
        value = _trim(words, *match.span("value"))
        labels = find_terms(words[: match.start("value")])
        known = {*find_content_terms(" ".join(labels)), *find_kin(labels)}
        is_asked = bool(candidate.features.get("imprint")) or not question.asked.isdisjoint(known)
        if is_asked and value and value[1] - value[0] <= _LONGEST_VALUE_CHARACTERS:
            return value
    return find_answer_words(question.kind, question.asked, words)


def _find_columns(candidate: Candidate) -> list[str]:
    """The names of a row's columns, where the row does not say them itself and has a cell for each."""
    if candidate.sentence.kind != "row" or not candidate.above:
        return []
    columns = candidate.above[-1].split(CELL_BAR)
    return columns if len(columns) > 1 and len(columns) == len(find_cells(candidate.words)) else []


def _find_asked(question: Question, columns: list[str]) -> list[int]:
    """The columns that a question names best, without the first, which says what a row is about."""
    held = [len(_terms(name) & question.content) for name in columns]
    most = max(held[1:], default=0)
    return [i for i, number in enumerate(held) if i and number == most] if most else []


def _terms(words: str) -> Set[str]:
    return set(find_content_terms(words))


def _name_cells(question: Question, columns: list[str], cells: list[str]) -> str:
    """The first cell and those that are asked for, each with the name of its column; else the names of all."""
    asked = _find_asked(question, columns)
    return "; ".join(f"{columns[i]}: {cells[i]}" for i in (0, *asked)) if asked else CELL_BAR.join(columns)


def _find_cell(words: str, asked: list[int]) -> tuple[int, int] | None:
    """Where the only cell that is asked for stands in a row in one line."""
    if len(asked) != 1:
        return None
    start = 1 if words.startswith("|") else 0
    for _ in range(asked[0]):
        start = words.find("|", start) + 1
    end = words.find("|", start)
    return _trim(words, start, len(words) if end < 0 else end) if start else None


def _trim(words: str, start: int, end: int) -> tuple[int, int] | None:
    """A place without the marks around what stands there; None where nothing does, as in an empty cell."""
    while start < end and words[start] in _AROUND:
        start += 1
    while end > start and words[end - 1] in _AROUND:
        end -= 1
    return (start, end) if start < end else None
