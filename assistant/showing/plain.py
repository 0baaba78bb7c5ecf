"""An answer as text, as the command line prints it: no document or file name can drive the terminal."""

from __future__ import annotations

import textwrap

from assistant.answers import NEAREST, NOT_FOUND, Answer
from assistant.citing.citations import show_context, show_quote
from assistant.notices import describe_doubt
from assistant.showing.terminal import to_plain
from index.documents import Passage
from index.splitting.sentences import CONTENT


def lay_out(answer: Answer) -> str:
    """An answer for the terminal: text, footnotes, or the nearest passages where nothing was found."""
    lines = [answer.text, ""]
    if answer.query != answer.question:
        lines += [f"Searched for: {answer.query}", ""]
    for citation in answer.citations:
        if citation.kind == "document":
            lines.append(f"[{citation.number}] {to_plain(citation.path)}")
            continue
        place = f"page {citation.page}" if citation.page else f"characters {citation.start}-{citation.end}"
        lines.append(f"[{citation.number}] {to_plain(citation.path)}, {place}")
        if under := show_context(citation.context, citation.title):
            lines.append(f"    {textwrap.shorten(to_plain(under), 92, placeholder=' …')}")
        quote = show_quote(citation, answer.passages)
        lines += textwrap.wrap(f"“{quote}”", 96, initial_indent="    ", subsequent_indent="    ")
    lines += _lay_out_doubts(answer)
    if answer.status == "not_found" and answer.passages:
        lines.append("The nearest passages:")
        lines += map(_lay_out_passage, answer.passages[:3])
    mode = f"Written by {answer.model}." if answer.model else "Quoted from the documents; no language model was used."
    quotes = any(citation.kind == "words" for citation in answer.citations)
    if not answer.found:
        # A greeting is told apart by its words: nothing was looked for.
        is_refusal = answer.text.startswith((NOT_FOUND, NEAREST))
        mode = f"Confidence that the documents say: {answer.confidence:.0%}." if is_refusal else ""
    elif not quotes:
        mode = "Told from the record of the documents."
    # Who reads that these are quotations need not read it twice.
    lines += [
        "",
        *([mode] if mode and not (answer.citations and answer.notice) else []),
        *([answer.notice] if answer.notice else []),
    ]
    return to_plain("\n".join(lines).rstrip("\n"), keep_lines=True)


def _lay_out_doubts(answer: Answer) -> list[str]:
    """A line for each sentence that a reader should not simply believe, with the reason."""
    doubts = [f"- “{s.text}”: {doubt}" for s in answer.sentences if (doubt := describe_doubt(s))]
    return ["", "Read with care:", *doubts] if doubts else []


def _lay_out_passage(passage: Passage) -> str:
    """One of the nearest passages: what it stands under, and how it begins."""
    sentences = [sentence for sentence in passage.sentences if sentence.kind in CONTENT]
    context = passage.contexts()[passage.sentences.index(sentences[0])] if sentences else ()
    under = show_context(context, passage.title)
    under = textwrap.shorten(under, 60, placeholder=" …")
    place = f"{passage.path}, {under}" if under else passage.path
    # A row or a field has no end that tells where the next begins.
    words = " ".join(
        line if line.endswith((".", "!", "?")) else f"{line} ·" for line in map(passage.line_of, sentences)
    )
    return f"  {to_plain(place)}: {textwrap.shorten(words.rstrip(' ·'), 160, placeholder=' ...')}"
