"""What the viewer shows of an answer: a document with all that is cited of it, or a list of what there is to open.

The document's text, its pages and the places of words on them are had from the server's own routes.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from textwrap import shorten
from typing import Any

from assistant.answers import Answer
from assistant.citing.citations import show_context
from assistant.serving.served import Served
from assistant.showing.body import Source, find_nearest
from index.errors import FootnoteError

LIST = 0  # in place of a citation's number
LONGEST_QUOTE_CHARACTERS = 300  # in the list


def show(
    answer: Answer, turn: int, number: int | None, library_name: str | None, served: Served
) -> dict[str, Any] | None:
    """The viewer's value; None where there is nothing to show.

    turn: of the conversation. number: of the citation; where nothing is cited of a passage, the nearest first, from 1;
    LIST for a list of them. By default the first citation, or the list of passages.
    """
    sources = list(find_sources(answer))
    if not sources:
        return None
    if number is None:
        number = sources[0].number if answer.citations else LIST
    chosen = next((source for source in sources if source.number == number), None)
    mine = [source for source in sources if chosen and source.document_id == chosen.document_id]
    return {
        "key": secrets.token_hex(4),
        "turn": turn,
        "number": chosen.number if chosen else LIST,
        "library": library_name or "",
        "nearest": not answer.citations,
        "document": _describe(chosen, library_name, served) if chosen else None,
        "citations": [
            {name: value for name, value in source._asdict().items() if name not in ("document_id", "path", "title")}
            for source in mine
        ],
        "others": [
            {
                "number": source.number,
                "title": source.title,
                "page": source.page,
                "where": source.where,
                "quote": shorten(source.quote, LONGEST_QUOTE_CHARACTERS, placeholder=" …"),
            }
            for source in sources
            if source not in mine
        ],
    }


def find_sources(answer: Answer) -> Iterator[Source]:
    """The citations of an answer or, where there are none, the passages that come nearest, numbered from 1."""
    for cited in answer.citations:
        if not cited.document_id:
            continue  # of a conversation that was kept, whose words are no longer in the documents
        where = show_context(cited.context, cited.title)
        place = cited.page, cited.start, cited.end, cited.quote
        yield Source(cited.number, cited.document_id, cited.path, cited.title, *place, where, cited.kind)
    if not answer.citations:
        yield from find_nearest(answer)


def _describe(source: Source, library_name: str | None, served: Served) -> dict[str, Any]:
    """The document of a source; by what the answer says of it where it is no longer on record."""
    try:
        record = served.library(library_name).store.lexicon.record(source.document_id)
    except FootnoteError:
        record = None
    return {
        "id": source.document_id,
        "title": record.title if record else source.title,
        "path": record.path if record else source.path,
        "date": record.date if record else None,
        "pages": len(record.pages) if record else 0,
    }
