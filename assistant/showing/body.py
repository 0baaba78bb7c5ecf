"""What an answer says, what should be known beside it, and where its words stand: what all ways of showing it share.

The text is Markdown as the page shows it; see `assistant.showing.markdown`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from assistant.answers import NEAREST, Answer, AnswerSentence, Citation, Cited
from assistant.citing.citations import show_context
from assistant.citing.disagreements import find_disagreements
from assistant.citing.second_opinion import PENDING
from assistant.notices import SYNC_HINT, describe_doubt
from assistant.quoting.quotations import show_lead
from assistant.showing.chips import ShowChip, ShowDoubt, group_chips
from assistant.showing.markdown import escape_text, written_to_markdown
from index.documents import Passage
from index.splitting.sentences import CONTENT

LONGEST_QUERY_SHOWN, LONGEST_PLACE_SHOWN = 300, 100  # characters
NEAREST_SHOWN = 3  # passages, where nothing is cited


class Source(NamedTuple):
    """What an answer rests on, or comes near: a citation, or the sentence of a passage."""

    number: int
    document_id: str
    path: str
    title: str
    page: int | None
    start: int
    end: int
    quote: str
    where: str
    kind: Cited


def show_body(answer: Answer, chip: ShowChip, doubt: ShowDoubt) -> str:
    """What an answer says, with its markers and its doubts shown as they are wanted; and where its sources differ."""
    return "\n\n".join([_show_said(answer, chip, doubt), *_show_disagreements(answer, chip)])


def _show_disagreements(answer: Answer, chip: ShowChip) -> list[str]:
    """What sources say otherwise than others, "2020 [1] · 2021 [2]: the documents differ"."""
    sentences = {number: sentence for sentence in answer.sentences for number in sentence.citations}
    return [
        " · ".join(f"{escape_text(value)} {chip(cited.number, sentences.get(cited.number))}" for value, cited in values)
        + ": the documents differ."
        for values in find_disagreements(answer.citations)
    ]


def _show_said(answer: Answer, chip: ShowChip, doubt: ShowDoubt) -> str:
    if answer.status == "not_found":
        return escape_text(answer.text).replace("\n", "  \n")
    if answer.model:
        return written_to_markdown(answer.text, 0, answer.sentences, chip, doubt)

    def end(sentence: AnswerSentence) -> str:
        return group_chips([chip(number, sentence) for number in sentence.citations]) + doubt(sentence)

    if any(citation.kind == "words" for citation in answer.citations):
        # Quotations, a paragraph each.
        lead = [escape_text(NEAREST)] if answer.status == "nearest" else []
        quotations = (f"{_show_lead(s)}“{_embolden(s)}” {end(s)}" for s in answer.sentences)
        return "\n\n".join([*lead, *quotations])
    # Statements, a line each, which are nobody's words.
    return "  \n".join(f"{escape_text(sentence.text)} {end(sentence)}".strip() for sentence in answer.sentences)


def _show_lead(sentence: AnswerSentence) -> str:
    """What is said before a quotation, in one line: what begins with spaces would be code."""
    lead = escape_text(" ".join(show_lead(sentence).split()))
    return f"{lead} " if lead else ""


def _embolden(sentence: AnswerSentence) -> str:
    """A document's sentence, with the very words that were asked for in bold."""
    start, end = sentence.answer_words or (0, 0)
    parts = (sentence.text[:start], sentence.text[start:end], sentence.text[end:])
    before, words, after = map(escape_text, parts)
    return f"{before}<strong>{words}</strong>{after}" if words else after


def list_notes(answer: Answer, see: str = "") -> list[str]:
    """What a reader should know beside the answer: how it came about, what was searched, how far to believe it.

    see: where to see why files were not read, for readers who cannot type the command that the answer names.
    """
    notice, hint, _ = answer.notice.partition(SYNC_HINT)
    notes = [f"{notice}{see}" if hint and see else answer.notice] if answer.notice else []
    if answer.query != answer.question:
        notes.append(f"Searched for: {shorten(answer.query, LONGEST_QUERY_SHOWN)}")
    if any(sentence.reason == PENDING for sentence in answer.sentences):
        return [*notes, "The answer is being checked"]
    if doubts := sum(bool(describe_doubt(sentence)) for sentence in answer.sentences):
        marked = "1 sentence is" if doubts == 1 else f"{doubts} sentences are"
        notes.append(f"Read with care: {marked} marked")
    if any(citation.kind == "words" for citation in answer.citations):
        notes.append(f"Written by {answer.model}" if answer.model else "Quoted from the documents")
    return notes


def tell_doubt(sentence: AnswerSentence) -> str:
    """Why a sentence is doubted, "" where it is not, or where that is still to be found out."""
    return "" if sentence.reason == PENDING else describe_doubt(sentence)


def show_where(place: Citation | Passage, date: str | None) -> str:
    """Where words stand, in one line: path, page or heading, and the document's date."""
    return ", ".join(filter(None, (shorten(place.path, LONGEST_PLACE_SHOWN), show_within(place, date))))


def show_within(place: Citation | Passage, date: str | None) -> str:
    """Where in a document words stand, in one line: page or heading; and the document's date."""
    context = show_context(place.context, place.title)
    if isinstance(place, Citation) and place.kind == "document":
        within = "the whole document"
    else:
        within = f"page {place.page}" if place.page else shorten(context, LONGEST_PLACE_SHOWN)
    return ", ".join(filter(None, (within, date)))


def find_date(citation: Citation, answer: Answer) -> str | None:
    """The date of a cited document, where the answer's passages tell it."""
    return next((p.date for p in answer.passages if p.document_id == citation.document_id), None)


def find_nearest(answer: Answer) -> Iterator[Source]:
    """The sentences that come nearest, one of each of the nearest passages, numbered from 1."""
    for number, passage in enumerate(answer.passages[:NEAREST_SHOWN], 1):
        where = show_context(passage.context, passage.title)
        page, start, end = _find_nearest(passage)
        place = page, start, end, " ".join(passage.text[start - passage.start : end - passage.start].split())
        yield Source(number, passage.document_id, passage.path, passage.title, *place, where, "words")


def _find_nearest(passage: Passage) -> tuple[int | None, int, int]:
    """The page, start and end of the sentence of a passage that comes nearest; of all of it where none is known to."""
    saying = zip(passage.similarities, passage.sentences, strict=False)  # an embedding may give none
    ordered = sorted((pair for pair in saying if pair[1].kind in CONTENT), key=lambda pair: -pair[0])
    if not ordered:
        return passage.page, passage.start, passage.end
    sentence = ordered[0][1]
    return passage.page_of(sentence), sentence.start, sentence.end


def shorten(text: str, characters: int) -> str:
    """Text in one line, and no longer; one long word is cut too."""
    line = " ".join(text.split())
    if len(line) <= characters:
        return line
    words = line[: characters - 1].rpartition(" ")[0] or line[: characters - 2]
    return f"{words} …"
