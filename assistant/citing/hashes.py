"""Each citation learns the hash of the file that its words were read from, so that it can be verified later."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from assistant.answers import Answer, Citation
from index.library import Library
from index.place import DamagedError
from index.storing.records import Record


def note_hashes(answer: Answer, library: Library) -> Answer:
    """The answer, whose citations say which version of its file they are of.

    But: where another version has come meanwhile, in which the words stand no more, it stays unsaid.
    """
    with suppress(DamagedError), library.store.lexicon.snapshot():
        ids = list(dict.fromkeys(citation.document_id for citation in answer.citations))
        records = {record.document_id: record for record in library.store.lexicon.records_of(ids)} if ids else {}
        citations = tuple(
            replace(citation, content_hash=record.content_hash)
            if (record := records.get(citation.document_id)) and _stands(citation, record, library)
            else citation
            for citation in answer.citations
        )
        return replace(answer, citations=citations)
    return answer


def _stands(citation: Citation, record: Record, library: Library) -> bool:
    """Whether what a citation says is true of the version on record."""
    if citation.kind == "document":
        return citation.path == record.path
    return library.store.text_of(citation.document_id, citation.start, citation.end) == citation.quote
