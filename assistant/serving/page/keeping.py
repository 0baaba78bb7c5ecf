"""Conversations are kept in the browser: what it is given to keep, and what becomes of that when it gives it back.

    turn = save_turn(exchange)        # JSON, which the browser keeps
    conversation = restore(f"[{','.join(turns)}]", served)

What comes back is input like any other: bounded in size, and typed. Nothing of it is shown as it comes: a reply is made
anew of its Answer, and each citation is looked up in the documents of now. Words that still stand at their place are
cited as before; words that stand exactly once elsewhere in their document are cited there; others have no document any
more (`document_id` is ""), and no link. So a forged conversation shows its own forger a forged text, as text.

But: verdicts, and what a citation stands under, are taken from the browser as they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from html import escape
from typing import Any

from assistant.answers import Answer, Citation
from assistant.serving.page.conversing import MOST_TURNS, Conversation, Exchange
from assistant.serving.page.messages import to_markdown
from assistant.serving.page.strings import say
from assistant.serving.served import Served
from assistant.showing.markdown import escape_text
from index.documents import Passage, page_at
from index.errors import InputError
from index.library import LONGEST_QUESTION_CHARACTERS
from index.storing.records import Record
from index.storing.store import Store

LARGEST_SAVED_BYTES = 1_000_000  # of a conversation that is given back
MOST_PASSAGES_KEPT, LONGEST_PASSAGE_KEPT = 5, 700  # of an answer that cites nothing; in characters
MOST_LOOKED_UP = 5_000  # citations and passages of one conversation
MOST_SEARCHED_CHARACTERS = 50_000_000  # of documents, for words that no longer stand at their place
_MOST_OFFSET = 2**40
_CHIP = re.compile(r'<a href="#cite-(?P<turn>\d{1,9})-(?P<number>\d{1,9})"[^<>]*+>[^<>]*+</a>')


# -- to the browser ---------------------------------------------------------------------------


def to_saved(conversation: Iterable[Exchange]) -> str:
    """A conversation as JSON: what is needed to show it, and to go on with it."""
    return f"[{','.join(map(save_turn, conversation))}]"


def save_turn(exchange: Exchange) -> str:
    """One turn: the question, the library that was asked, and the Answer without the passages that it was made from.

    Of an answer that cites nothing the nearest passages are what it shows, and stay as far as they are shown.
    """
    question = json.dumps(exchange.question[:LONGEST_QUESTION_CHARACTERS], ensure_ascii=False)
    library, answer = json.dumps(exchange.library), exchange.answer
    if answer is None:
        return f'{{"question": {question}, "library": {library}, "answer": null}}'
    nearest = () if answer.citations else answer.passages[:MOST_PASSAGES_KEPT]
    kept = replace(answer, passages=tuple(map(_cut, nearest)))
    return f'{{"question": {question}, "library": {library}, "answer": {kept.to_json()}}}'


def _cut(passage: Passage) -> Passage:
    text = passage.text[:LONGEST_PASSAGE_KEPT]
    return replace(
        passage, end=passage.start + len(text), text=text, sentences=(), page_starts=(), similarities=(), levels=()
    )


# -- from the browser -------------------------------------------------------------------------


def restore(text: str, served: Served) -> Conversation:
    """The conversation that `to_saved` wrote, with the citations that stand in the documents that are served.

    An answer that cannot be read, since another version wrote it, is shown as text without sources.
    Raises InputError where it is too large, or no conversation.
    """
    if len(text.encode(errors="replace")) > LARGEST_SAVED_BYTES:
        raise InputError(say("keeping.too_large"))
    try:
        given = json.loads(text, parse_constant=_refuse_constant)
        # What holds half a character could not be sent to the page.
        is_small = len(json.dumps(given, ensure_ascii=False).encode()) <= 2 * LARGEST_SAVED_BYTES
    except (ValueError, RecursionError):
        raise InputError(say("keeping.unreadable")) from None
    if not is_small or not isinstance(given, list) or len(given) > MOST_TURNS:
        raise InputError(say("keeping.unreadable"))
    documents = _Documents(served)
    return tuple(_restore_turn(item, turn, documents) for turn, item in enumerate(given))


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _restore_turn(item: object, turn: int, documents: _Documents) -> Exchange:
    match item:
        case {"question": str(question), "library": str() | None as library, "answer": dict() | None as written} if (
            len(question) <= LONGEST_QUESTION_CHARACTERS
        ):
            exchange = Exchange(question, "", library=documents.choose(library))
            return _restore_answer(exchange, written, turn, documents)
    raise InputError(say("keeping.unreadable"))


def _restore_answer(
    exchange: Exchange, written: Mapping[str, Any] | None, turn: int, documents: _Documents
) -> Exchange:
    if written is None:
        return replace(exchange, reply=escape_text(say("keeping.unanswered")))
    try:
        answer = Answer.from_json(json.dumps(written))
        _require_whole(answer)
    except InputError:
        words = written.get("text")
        reply = escape_text(words) if isinstance(words, str) else ""
        note = f"<small>{escape_text(say('keeping.as_text'))}</small>"
        return replace(exchange, reply=f"{reply}\n\n{note}".strip())
    answer = replace(
        answer,
        citations=tuple(map(documents.find, answer.citations)),
        passages=tuple(found for passage in answer.passages if (found := documents.find_passage(passage))),
    )
    reply = _unlink(to_markdown(answer, turn), turn, answer.citations)
    return replace(exchange, reply=reply, answer=answer)


def _require_whole(answer: Answer) -> None:
    """Refuse an answer whose numbers lead nowhere.

    Citations are numbered from 1, and sentences cite these alone.
    """
    numbers = [citation.number for citation in answer.citations]
    cited = {number for sentence in answer.sentences for number in sentence.citations}
    if numbers != list(range(1, len(numbers) + 1)) or not cited <= set(numbers) or not 0 <= answer.confidence <= 1:
        raise InputError(say("keeping.unreadable"))


def _unlink(markdown: str, turn: int, citations: Iterable[Citation]) -> str:
    """A reply in whose place of links to words that are gone stand numbers that say so."""
    gone = {str(citation.number): citation for citation in citations if not citation.document_id}
    if not gone:
        return markdown

    def mark(link: re.Match[str]) -> str:
        if int(link["turn"]) != turn or (citation := gone.get(link["number"])) is None:
            return link[0]
        title = say("keeping.gone", quote=citation.quote or citation.title)
        title = escape(" ".join(title.split())).translate({ord(mark): f"&#{ord(mark)};" for mark in "`*_[]\\$~|"})
        return f'<span class="chip gone" tabindex="0" title="{title}">{citation.number}</span>'

    return _CHIP.sub(mark, markdown)


class _Documents:
    """What stands in the documents that are served, looked up for one conversation, and so often at most."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._store: Store | None = None
        self._text_of: tuple[str, str] = "", ""
        self._left = MOST_LOOKED_UP
        self._characters_left = MOST_SEARCHED_CHARACTERS

    def choose(self, library: str | None) -> str | None:
        """Look in a library, None for the first, from now on; in none where it is not served. Its name, if it is."""
        self._text_of = "", ""
        is_served = library is None or library in self._served.libraries
        self._store = self._served.library(library).store if is_served else None
        return library if is_served else None

    def find(self, citation: Citation) -> Citation:
        """A citation as it stands in the documents of now; of no document where it does not."""
        record = self._record(citation.document_id)
        if record is None:
            return replace(citation, document_id="")
        content_hash = record.content_hash if citation.content_hash else ""
        named = replace(citation, path=record.path, title=record.title, content_hash=content_hash)
        if citation.kind == "document":
            return replace(named, page=None, start=0, end=0, quote="", context=())
        quote = citation.quote
        if self._stands(record, citation.start, citation.end, quote):
            return replace(named, page=page_at(record.pages, citation.start))
        if (start := self._search(record, quote)) is None:
            return replace(citation, document_id="")
        return replace(named, page=page_at(record.pages, start), start=start, end=start + len(quote), context=())

    def find_passage(self, passage: Passage) -> Passage | None:
        """A passage as it stands in the documents of now; None where it does not."""
        record = self._record(passage.document_id)
        if record is None or not self._stands(record, passage.start, passage.end, passage.text):
            return None
        page = page_at(record.pages, passage.start)
        return replace(_cut(passage), path=record.path, title=record.title, date=record.date, page=page)

    def _record(self, document_id: str) -> Record | None:
        self._left -= 1
        if self._left < 0:
            raise InputError(say("keeping.too_large"))
        return self._store.lexicon.record(document_id) if self._store else None

    def _stands(self, record: Record, start: int, end: int, words: str) -> bool:
        if not 0 <= start < end <= _MOST_OFFSET or end - start != len(words):
            return False
        return self._read(record, start, end) == words

    def _search(self, record: Record, quote: str) -> int | None:
        """Where words stand in a document, if they do exactly once."""
        if not quote.strip() or self._characters_left <= 0:
            return None
        if self._text_of[0] != record.document_id:
            # One document at a time, for they may be large.
            self._text_of = record.document_id, self._read(record)
        text = self._text_of[1]
        self._characters_left -= len(text)
        start = text.find(quote)
        return start if start >= 0 and text.find(quote, start + 1) < 0 else None

    def _read(self, record: Record, start: int = 0, end: int | None = None) -> str:
        return self._store.text_of(record.document_id, start, end) if self._store else ""
