"""What the chat shows, as Markdown and HTML. A document is data: nothing in it reaches the page live."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from html import escape
from pathlib import Path
from textwrap import shorten

from assistant.answers import NEAREST, Answer, AnswerSentence, Citation
from assistant.citing.citations import show_context
from assistant.citing.second_opinion import PENDING
from assistant.notices import describe_doubt
from assistant.quoting.quotations import show_lead
from assistant.serving.markdown import escape_text, to_link, written_to_markdown
from index.documents import Passage

CONTEXT_CHARACTERS = 320  # how much of the surroundings a quotation is shown in, on either side
NEAREST_SHOWN = 3
LONGEST_QUERY_SHOWN = 300  # characters

Read = Callable[[str, int, int], str]

_PARAGRAPH_END = re.compile(r"(?:\r?\n[ \t]*){2,}")
# White space is looked at from where it begins, not from each place in it.
_LINE_END = re.compile(r"(?<!\s)[^\S\r\n]*+[\r\n]\s*+")
_MARKED_LINE = re.compile(rf"{_LINE_END.pattern}(?=[-*•#>|]|\d+[.)] )")


def to_markdown(answer: Answer, turn: int) -> str:
    """An answer as the conversation shows it: each marker a link, "#cite-TURN-NUMBER", to its source."""
    if answer.status == "not_found":
        body = answer.text
        if answer.passages:
            body += " The nearest passages stand beside this conversation."
    elif answer.model is None:
        body = "\n\n".join(_show_sentences(answer, turn))
    else:
        body = written_to_markdown(answer.text, turn)
    notes = " · ".join(escape_text(note) for note in _notes(answer))
    return f"{body}\n\n<small>{notes}</small>" if notes else body


def _show_sentences(answer: Answer, turn: int) -> list[str]:
    """Quotations, a paragraph each, or statements, each in a line of its own, which are nobody's words."""
    if any(citation.kind == "words" for citation in answer.citations):
        lead = [NEAREST] if answer.status == "nearest" else []
        return [*lead, *(f"{escape_text(show_lead(s))}“{_embolden(s)}” {_links(s, turn)}" for s in answer.sentences)]
    lines = (f"{escape_text(sentence.text)} {_links(sentence, turn)}".strip() for sentence in answer.sentences)
    return ["  \n".join(lines)]


def _embolden(sentence: AnswerSentence) -> str:
    """A document's sentence, with the very words that were asked for in bold."""
    start, end = sentence.answer_words or (0, 0)
    parts = (sentence.text[:start], sentence.text[start:end], sentence.text[end:])
    before, words, after = map(escape_text, parts)
    return f"{before}<strong>{words}</strong>{after}" if words else after


def _links(sentence: AnswerSentence, turn: int) -> str:
    return "".join(to_link(number, turn) for number in sentence.citations)


def _notes(answer: Answer) -> list[str]:
    notes = [answer.notice] if answer.notice else []
    if answer.query != answer.question:
        notes.append(f"Searched for: {shorten(answer.query, LONGEST_QUERY_SHOWN, placeholder=' …')}")
    if any(sentence.reason == PENDING for sentence in answer.sentences):
        return [*notes, "The answer is being checked"]
    if doubts := [f"“{s.text}”: {doubt}" for s in answer.sentences if (doubt := describe_doubt(s))]:
        notes.append(f"Read with care: {'; '.join(doubts)}")
    if any(citation.kind == "words" for citation in answer.citations):
        notes.append(f"Written by {answer.model}" if answer.model else "Quoted from the documents")
    return notes


# -- the source panel -------------------------------------------------------------------------

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


# -- the head of the page ---------------------------------------------------------------------


def to_header(folder: Path, document_count: int, mode: str) -> str:
    """The page's heading: what is asked, and how answers are made."""
    documents = f"{document_count:,} document{'' if document_count == 1 else 's'}"
    return (
        f'<header class="head"><h1>Footnote</h1><p>{documents} in <strong>{escape(folder.name)}</strong>'
        f'<span class="mode">{escape(mode)}</span></p></header>'
    )


STYLE = """
.gradio-container { max-width: 1280px !important; margin: 0 auto !important; }
.head h1 { font-size: 1.5rem; font-weight: 700; margin: 0; }
.head p { margin: .15rem 0 0; color: var(--body-text-color); }
.head .mode { display: inline-block; margin-left: .75rem; padding: 0 .6rem; border-radius: 1rem; font-size: .85rem;
  border: 1px solid var(--border-color-primary); color: var(--body-text-color); }
#conversation a[href^="#cite-"] { text-decoration: none; font-size: .8em; font-weight: 600; padding: 0 .15em;
  vertical-align: super; line-height: 1; color: var(--link-text-color); }
#conversation a[href^="#cite-"]:hover, #conversation a[href^="#cite-"]:focus-visible { text-decoration: underline; }
#conversation small, #conversation .draft { opacity: .85; }
#conversation .draft { white-space: pre-wrap; overflow-wrap: anywhere; }
#conversation .copy-text:empty::before { content: "copy"; font-size: .8em; }
#conversation .katex-display { overflow: auto hidden; max-height: 40em; }
#conversation .katex-error { color: inherit !important; }
#conversation .message-buttons-right { display: none; }
#question .submit-button { background: var(--button-primary-background-fill); color: var(--button-primary-text-color); }
#sources { max-height: 78vh; overflow-y: auto; }
.sources h2 { font-size: 1rem; margin: 0 0 .5rem; }
.sources .quiet { opacity: .75; font-size: .85rem; margin: .1rem 0 .4rem; overflow-wrap: anywhere; }
.sources .context { font-size: .85rem; font-weight: 600; margin: 0 0 .3rem; overflow-wrap: anywhere; }
.source { border: 1px solid var(--border-color-primary); border-radius: .5rem; padding: .6rem .8rem; margin: 0 0 .7rem;
  background: var(--background-fill-secondary); }
.source.selected { border-color: var(--color-accent); box-shadow: 0 0 0 1px var(--color-accent); }
.source h3 { font-size: .95rem; margin: 0; }
.source .number { display: inline-block; min-width: 1.4em; text-align: center; border-radius: .3em; font-size: .85em;
  background: var(--color-accent); color: white; }
.source blockquote { margin: 0; padding: 0; border: 0; font-size: .9rem; line-height: 1.5; overflow-wrap: anywhere;
  color: var(--body-text-color); }
.source mark { background: #ffe08a; color: #1f1300; padding: .05em .1em; border-radius: .2em; }
footer { display: none !important; }
"""

# A click on a marker asks the server for its source; whenever the panel changes, the chosen source comes into view.
SCRIPT = """
document.addEventListener('click', event => {
  const link = event.target.closest && event.target.closest('a[href^="#cite-"]');
  if (!link) return;
  event.preventDefault(); event.stopPropagation();
  const [turn, number] = link.getAttribute('href').slice(6).split('-').map(Number);
  trigger('select', {turn, number});
}, true);
new MutationObserver(() => {
  const chosen = element.querySelector('.source.selected');
  if (chosen) chosen.scrollIntoView({block: 'nearest', behavior: 'smooth'});
}).observe(element, {childList: true, subtree: true});
"""
