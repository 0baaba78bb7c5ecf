"""An Answer as the conversation shows it, in Markdown. A document is data: nothing in it reaches the page live."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from assistant.answers import NOT_FOUND, Answer, AnswerSentence
from assistant.citing.citations import show_quote
from assistant.citing.second_opinion import PENDING
from assistant.serving.page.strings import say
from assistant.showing.body import (
    LONGEST_PLACE_SHOWN,
    find_date,
    find_nearest,
    list_notes,
    shorten,
    show_body,
    show_where,
    tell_doubt,
)
from assistant.showing.markdown import escape_text, to_attribute, to_chip

LONGEST_QUOTE_SHOWN, LONGEST_NEAREST_SHOWN = 300, 160  # characters


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
    notes = " · ".join(map(escape_text, list_notes(answer, say("messages.see_documents"))))
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
    if sentence and (doubt := tell_doubt(sentence)):
        told = say("messages.chip_doubted", chip=told, doubt=doubt)
    return to_chip(number, turn, verdict, told)


def _show_doubt(sentence: AnswerSentence) -> str:
    """Why a sentence is doubted, for who does not see its chips; with a mark to look at where it has none."""
    if not (doubt := tell_doubt(sentence)):
        return ""
    reason = f'<span class="reason"> ({to_attribute(doubt)})</span>'
    if sentence.citations:
        return reason
    return f'<span class="doubt {sentence.support}" tabindex="0" title="{to_attribute(doubt)}">?{reason}</span>'


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
