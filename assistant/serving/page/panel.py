"""The sources of an answer as HTML: every quotation highlighted in its surroundings."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from html import escape

from assistant.answers import Answer, Citation
from assistant.citing.citations import show_context
from index.documents import Passage

CONTEXT_CHARACTERS = 320  # how much of the surroundings a quotation is shown in, on either side
NEAREST_SHOWN = 3

Read = Callable[[str, int, int], str]

_PARAGRAPH_END = re.compile(r"(?:\r?\n[ \t]*){2,}")
# White space is looked at from where it begins, not from each place in it.
_LINE_END = re.compile(r"(?<!\s)[^\S\r\n]*+[\r\n]\s*+")
_MARKED_LINE = re.compile(rf"{_LINE_END.pattern}(?=[-*•#>|]|\d+[.)] )")


EMPTY_PANEL = (
    '<div class="sources"><h2>Sources</h2><p class="quiet">Each answer shows here the words it rests on.</p></div>'
)


def to_panel(answer: Answer, read: Read, selected: int | None = None) -> str:
    """The sources of an answer as HTML: every quotation highlighted in its surroundings.

    read: gives what stands in a document, by its id, from one offset to another. selected: the number of the citation
    clicked on.
    """
    if answer.citations:
        cards = [_card(c, partial(read, c.document_id), c.number == selected) for c in answer.citations]
        heading = "Sources"
    elif answer.passages:
        cards = [_passage_card(passage) for passage in answer.passages[:NEAREST_SHOWN]]
        heading = "Nearest passages"
    else:
        return EMPTY_PANEL
    return f'<div class="sources"><h2>{heading}</h2>{"".join(cards)}</div>'


def _card(citation: Citation, read: Callable[[int, int], str], selected: bool) -> str:
    if citation.kind == "document":
        # Its beginning, with nothing marked, for no words of it are cited.
        place, shown = "the whole document", _flow(read(0, 2 * CONTEXT_CHARACTERS))
    else:
        place = f"page {citation.page}" if citation.page else f"characters {citation.start:,}–{citation.end:,}"
        before, after = surroundings(read, citation.start, citation.end)
        shown = f"{_flow(before)}<mark>{_flow(citation.quote)}</mark>{_flow(after)}"
    state = ' class="source selected" aria-current="true"' if selected else ' class="source"'
    return (
        f'<article{state} id="source-{citation.number}">'
        f'<h3><span class="number">{citation.number}</span> {escape(citation.title)}</h3>'
        f'<p class="quiet">{escape(citation.path)}, {place}</p>{_context(citation.context, citation.title)}'
        f"<blockquote>{shown}</blockquote></article>"
    )


def _passage_card(passage: Passage) -> str:
    return (
        f'<article class="source"><h3>{escape(passage.title)}</h3><p class="quiet">{escape(passage.path)}</p>'
        f"{_context(passage.context, passage.title)}"
        f"<blockquote>{_flow(passage.text.strip()[: 2 * CONTEXT_CHARACTERS])}</blockquote></article>"
    )


def _context(context: Sequence[str], title: str) -> str:
    """What the words stand under, apart from the words themselves."""
    shown = show_context(context, title)
    return f'<p class="context">{escape(shown)}</p>' if shown else ""


def surroundings(read: Callable[[int, int], str], start: int, end: int) -> tuple[str, str]:
    """What stands before and after a quotation, cut between words and marked where it is cut.

    read: gives what stands in its document from one offset to another.
    """
    first = max(0, start - CONTEXT_CHARACTERS)
    before, after = read(first, start), read(end, end + CONTEXT_CHARACTERS + 1)
    if first > 0:
        before = f"… {before.partition(' ')[2] or before}"
    if len(after) > CONTEXT_CHARACTERS:
        after = after[:CONTEXT_CHARACTERS]
        after = f"{after.rpartition(' ')[0] or after} …"
    return before, after


def _flow(text: str) -> str:
    """Text as HTML: paragraphs, list items and headings keep their line; other line ends are let go."""
    return "<br><br>".join("<br>".join(map(escape, _flow_lines(p))) for p in _PARAGRAPH_END.split(text))


def _flow_lines(paragraph: str) -> list[str]:
    """The lines of a paragraph that stay lines: a table's rows, with bars between their cells, and what is marked."""
    if "\t" in paragraph:
        return [line.replace("\t", " | ") for line in re.split(r"\r?\n", paragraph)]
    return [_LINE_END.sub(" ", line) for line in _MARKED_LINE.split(paragraph)]
