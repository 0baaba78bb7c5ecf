"""What a tool gives, as text for a model: the answer with its footnotes, passages, a list, a part of a document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from assistant.answers import NEAREST, NOT_FOUND, Answer, Citation
from assistant.citing.citations import show_context
from assistant.notices import describe_doubt
from index.documents import Passage

if TYPE_CHECKING:
    from assistant.serving.tool_forms import Documents, Found, Reading, Verified

_NEAREST_PASSAGES = 3


def show_answer(answer: Answer) -> str:
    """An answer with its footnotes: of each the exact words and where they stand; and what not to rely on."""
    is_refusal = not answer.found and answer.text.startswith((NOT_FOUND, NEAREST))  # and no greeting
    status = f"Status: {answer.status}"
    if is_refusal:
        status += f" (the probability that the documents do say: {answer.confidence:.0%})"
    lines = [answer.text, "", status]
    if answer.query != answer.question:
        lines.append(f"Searched for: {answer.query}")
    lines += ["", *map(_show_citation, answer.citations)] if answer.citations else []
    if doubts := [f"- “{s.text}”: {doubt}" for s in answer.sentences if (doubt := describe_doubt(s))]:
        lines += ["", "Read with care:", *doubts]
    if answer.status == "not_found" and answer.passages:
        nearest = answer.passages[:_NEAREST_PASSAGES]
        lines += ["", "The nearest passages, which do not say it:", "", _show_passages(nearest)]
    if answer.notice:
        lines += ["", answer.notice]
    return "\n".join(lines)


def show_passages(found: Found) -> str:
    """The passages that were found, best first."""
    nothing = f"Nothing in {_show_where(found)} matches."
    lines = [_show_passages(found.passages) if found.passages else nothing]
    return "\n\n".join([*lines, found.notice] if found.notice else lines)


def show_documents(listing: Documents) -> str:
    """A list of documents, a line for each, and how to see the rest."""
    end = listing.start + len(listing.documents)
    which = f"{listing.total:,} of {listing.all:,}" if listing.total < listing.all else f"{listing.total:,}"
    lines = [f"{which} documents in the library “{listing.library}”{':' if listing.documents else '.'}"]
    if not listing.total and listing.all:
        lines = [
            "No document fits the filter, whose words must all stand in path or title; the library "
            f"“{listing.library}” has {listing.all:,}."
        ]
    elif not listing.documents and listing.total:
        lines.append(f"None of them stands from {listing.start:,} on: they are counted from 0.")
    for document in listing.documents:
        parts = [document.path, document.title, document.date or "", f"id {document.id}"]
        parts += [f"{document.pages:,} pages"] if document.pages else []
        parts += [f"read in part: {document.unread}"] if document.unread else []
        lines.append(f"- {' · '.join(filter(None, parts))}")
    if end < listing.total:
        lines.append(f"There are more: start={end} shows the next.")
    if listing.skipped:
        lines += ["", f"{listing.skipped_total:,} files could not be read:"]
        lines += [f"- {skipped.path}: {skipped.reason}" for skipped in listing.skipped]
    if len(listing.libraries) > 1:
        lines += ["", f"Libraries: {', '.join(listing.libraries)}"]
    return "\n".join([*lines, "", listing.notice] if listing.notice else lines)


def show_reading(reading: Reading) -> str:
    """A part of a document between two lines that say which it is, and where to go on."""
    page = f", from page {reading.page} of {reading.pages:,}" if reading.page else ""
    where = f"characters {reading.start}-{reading.end} of {reading.total}{page}"
    head = f"{reading.path} (id {reading.document_id}), {where}:"
    more = f"To read on: start={reading.next_start}." if reading.next_start is not None else "The document ends here."
    unread = f" Of the file was not read: {reading.unread}." if reading.unread else ""
    return f"{head}\n\n{reading.text}\n\n{more}{unread}"


def show_places(verified: Verified) -> str:
    """Where a quotation stands, or what stands nearly so, with the difference."""
    if not verified.places:
        lines = [f"It does not stand in {_show_where(verified)}, nor does anything near it."]
    elif verified.stands:
        lines = [f"It stands in {_show_where(verified)}, letter by letter:"]
    else:
        where = _show_where(verified)
        lines = [f"It does not stand in {where} letter by letter. What stands there, and how it differs:"]
    for place in verified.places:
        where = _show_place(place.path, place.document_id, place.page, place.start, place.end)
        lines.append(f"- {where}: “{place.quote}”{'' if place.is_exact else f' ({place.difference})'}")
    return "\n".join([*lines, "", verified.notice] if verified.notice else lines)


def show_library(library: str, libraries: Sequence[str]) -> str:
    """Which library was looked in, and which were not; "" where it is the only one."""
    others = [name for name in libraries if name != library]
    return f"Looked in the library “{library}”; others: {', '.join(others)}." if others else ""


def _show_where(result: Found | Verified) -> str:
    return f"the documents of the library “{result.library}”" if len(result.libraries) > 1 else "the documents"


def _show_citation(citation: Citation) -> str:
    if citation.kind == "document":
        return f"[{citation.number}] {citation.path} (id {citation.document_id})"
    where = _show_place(citation.path, citation.document_id, citation.page, citation.start, citation.end)
    under = show_context(citation.context, citation.title)
    return f"[{citation.number}] {where}{f', under {under}' if under else ''}: “{citation.quote}”"


def _show_passages(passages: Sequence[Passage]) -> str:
    return "\n\n".join(f"{number}. {_show_passage(passage)}" for number, passage in enumerate(passages, 1))


def _show_passage(passage: Passage) -> str:
    where = _show_place(passage.path, passage.document_id, passage.page, passage.start, passage.end)
    under = show_context(passage.context, passage.title)
    return f"{where}{f', under {under}' if under else ''}:\n{passage.text.strip()}"


def _show_place(path: str, document_id: str, page: int | None, start: int, end: int) -> str:
    paged = f", page {page}" if page else ""
    return f"{path} (id {document_id}){paged}, characters {start}-{end}"
