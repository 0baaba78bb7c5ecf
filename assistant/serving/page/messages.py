"""An Answer as the conversation shows it, in Markdown. A document is data: nothing in it reaches the page live."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from assistant.answers import NEAREST, NOT_FOUND, Answer, AnswerSentence, Citation
from assistant.citing.citations import show_context, show_quote
from assistant.citing.disagreements import find_disagreements
from assistant.citing.second_opinion import PENDING
from assistant.notices import SYNC_HINT, describe_doubt
from assistant.quoting.quotations import show_lead
from assistant.serving.chips import ShowChip, ShowDoubt, group_chips
from assistant.serving.markdown import escape_text, to_attribute, to_chip, written_to_markdown
from assistant.serving.page.showing import find_nearest
from assistant.serving.page.strings import say
from index.documents import Passage

LONGEST_QUERY_SHOWN = LONGEST_QUOTE_SHOWN = 300  # characters
LONGEST_PLACE_SHOWN, LONGEST_NEAREST_SHOWN = 100, 160


def to_markdown(answer: Answer, turn: int) -> str:
    """An answer as the conversation shows it: each marker a chip, "#cite-TURN-NUMBER", with the words it stands for.

    What the documents do not say, and what is only near, stands in a box of its own. Passage N of the nearest is the
    link "#near-TURN-N".
    """
    body = show_body(answer, partial(_show_chip, answer, turn), _show_doubt)
    if answer.text.startswith(NOT_FOUND):
        body = _enclose(body, *_show_nearest(answer, turn))
    elif answer.status == "nearest":
        body = _enclose(body, escape_text(say("messages.ask_instead")))
    notes = " · ".join(map(escape_text, list_notes(answer)))
    return f"{body}\n\n<small>{notes}</small>" if notes else body


def show_acts(turn: int, *, has_answer: bool, is_last: bool) -> str:
    """What can be done with an answer, in a line of links that the page's script knows, "#retry-TURN"."""
    acts = [*(["copy", "share"] if has_answer else []), *(["retry", "undo"] if is_last else [])]
    return _link_acts(acts, turn)


def show_acts_of_question(turn: int) -> str:
    """The same with a question."""
    return _link_acts(["edit"], turn)


def _link_acts(acts: Sequence[str], turn: int) -> str:
    links = (f'<a href="#{act}-{turn}" class="act {act}" role="button">{say(f"acts.{act}")}</a>' for act in acts)
    return f'<span class="acts">{" ".join(links)}</span>' if acts else ""


def show_body(answer: Answer, chip: ShowChip, doubt: ShowDoubt) -> str:
    """What an answer says, with its markers and its doubts shown as they are wanted; and where its sources differ."""
    return "\n\n".join([_show_said(answer, chip, doubt), *_show_disagreements(answer, chip)])


def _show_disagreements(answer: Answer, chip: ShowChip) -> list[str]:
    """What sources say otherwise than others, "2020 [1] · 2021 [2]: the documents differ"."""
    sentences = {number: sentence for sentence in answer.sentences for number in sentence.citations}
    return [
        " · ".join(f"{escape_text(value)} {chip(cited.number, sentences.get(cited.number))}" for value, cited in values)
        + f": {escape_text(say('messages.differ'))}"
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
        quotations = (f"{escape_text(show_lead(s))}“{_embolden(s)}” {end(s)}" for s in answer.sentences)
        return "\n\n".join([*lead, *quotations])
    # Statements, a line each, which are nobody's words.
    return "  \n".join(f"{escape_text(sentence.text)} {end(sentence)}".strip() for sentence in answer.sentences)


def list_notes(answer: Answer) -> list[str]:
    """What a reader should know beside the answer: how it came about, what was searched, how far to believe it."""
    # On the page nobody types a command.
    notice, hint, _ = answer.notice.partition(SYNC_HINT)
    notes = [f"{notice}{say('messages.see_documents')}" if hint else notice] if notice else []
    if answer.query != answer.question:
        notes.append(say("messages.searched_for", query=shorten(answer.query, LONGEST_QUERY_SHOWN)))
    if any(sentence.reason == PENDING for sentence in answer.sentences):
        return [*notes, say("messages.being_checked")]
    if doubts := sum(bool(describe_doubt(sentence)) for sentence in answer.sentences):
        notes.append(say("messages.doubts_one") if doubts == 1 else say("messages.doubts_many", count=doubts))
    if any(citation.kind == "words" for citation in answer.citations):
        notes.append(say("messages.written_by", model=answer.model) if answer.model else say("messages.quoted"))
    return notes


def show_where(place: Citation | Passage, date: str | None) -> str:
    """Where words stand, in one line: path, page or heading, and the document's date."""
    context = show_context(place.context, place.title)
    if isinstance(place, Citation) and place.kind == "document":
        within = say("messages.whole_document")
    else:
        within = say("messages.page", number=place.page) if place.page else shorten(context, LONGEST_PLACE_SHOWN)
    return ", ".join(part for part in (shorten(place.path, LONGEST_PLACE_SHOWN), within, date) if part)


def shorten(text: str, characters: int) -> str:
    """Text in one line, and no longer; one long word is cut too."""
    line = " ".join(text.split())
    if len(line) <= characters:
        return line
    words = line[: characters - 1].rpartition(" ")[0] or line[: characters - 2]
    return f"{words} …"


def find_date(citation: Citation, answer: Answer) -> str | None:
    """The date of a cited document, where the answer's passages tell it."""
    return next((p.date for p in answer.passages if p.document_id == citation.document_id), None)


def _show_chip(answer: Answer, turn: int, number: int, sentence: AnswerSentence | None) -> str:
    """The marker of a citation, with the verdict of its sentence, and why it is doubted where it is."""
    verdict: str = sentence.support if sentence else "unchecked"
    if sentence and sentence.reason == PENDING:
        verdict += " pending"
    citation = next((c for c in answer.citations if c.number == number), None)
    if citation is None:
        return to_chip(number, turn, verdict)
    told = show_where(citation, find_date(citation, answer))
    if quote := shorten(show_quote(citation, answer.passages), LONGEST_QUOTE_SHOWN):
        told = say("messages.chip", quote=quote, where=told)
    if sentence and (doubt := _tell_doubt(sentence)):
        told = say("messages.chip_doubted", chip=told, doubt=doubt)
    return to_chip(number, turn, verdict, told)


def _show_doubt(sentence: AnswerSentence) -> str:
    """Why a sentence is doubted, for who does not see its chips; with a mark to look at where it has none."""
    if not (doubt := _tell_doubt(sentence)):
        return ""
    reason = f'<span class="reason"> ({to_attribute(doubt)})</span>'
    if sentence.citations:
        return reason
    return f'<span class="doubt {sentence.support}" tabindex="0" title="{to_attribute(doubt)}">?{reason}</span>'


def _tell_doubt(sentence: AnswerSentence) -> str:
    return "" if sentence.reason == PENDING else describe_doubt(sentence)


def _embolden(sentence: AnswerSentence) -> str:
    """A document's sentence, with the very words that were asked for in bold."""
    start, end = sentence.answer_words or (0, 0)
    parts = (sentence.text[:start], sentence.text[start:end], sentence.text[end:])
    before, words, after = map(escape_text, parts)
    return f"{before}<strong>{words}</strong>{after}" if words else after


def _show_nearest(answer: Answer, turn: int) -> list[str]:
    """The nearest passages, each a link to it, and what can be done instead."""
    shown = []
    for source, passage in zip(find_nearest(answer), answer.passages, strict=False):
        words = to_attribute(shorten(source.quote, LONGEST_NEAREST_SHOWN))
        where = to_attribute(show_where(passage, passage.date))
        name = to_attribute(shorten(passage.title, LONGEST_PLACE_SHOWN) or passage.path)
        shown.append(f'- <a href="#near-{turn}-{source.number}" class="near" title="{where}">{name}</a>: {words}')
    nearest = [escape_text(say("messages.nearest")), "\n".join(shown)] if shown else []
    return [*nearest, escape_text(say("messages.ask_instead"))]


def _enclose(*blocks: str) -> str:
    """Blocks of Markdown in a box."""
    return "\n\n".join(['<div class="unsaid">', *blocks, "</div>"])
