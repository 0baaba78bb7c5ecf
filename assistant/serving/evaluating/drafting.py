"""Questions for a person to correct, made from the documents' own sentences, fields, rows and headings.

    for drafted in draft(library, 20): ...  # each in the form of a line of a file of questions

They are made as suggestions are (assistant/suggesting/), in the order of these: the most worthy first, of many kinds
and documents. But none is left out for how the product answers it: of only those that it answers right a measure would
learn nothing. The sentence is the evidence; the value, number, date or name in it that is asked for is the answer, and
where that is not plain, there is evidence alone. One in five asks what a document does not say:

    a field's label, asked of a document that has none of its words
    a name, asked of a document that does not have it
    a year in the place of another, which stands nowhere

But: a question may be odd, and the folder may answer it elsewhere; where the product does, the draft says so. What
words mean is not known: a document may tell of somebody without the name. Hence drafts. No language model is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest
from typing import Any

from assistant.chain import quote_answer
from assistant.question.asked import find_answer_words
from assistant.question.question import read_question
from assistant.serving.evaluating.texts import cover
from assistant.suggesting.candidates import Candidate, Source, find_terms_of, normalise, read_sources
from assistant.suggesting.fields import is_title, part_field, read_row, say_label
from assistant.suggesting.suggestions import draw_from_all
from index.library import Library
from index.splitting.sentences import CONTENT, HEADS
from index.splitting.terms import find_terms
from index.storing.records import Record

LONGEST_EVIDENCE_CHARACTERS = 500
LONGEST_DOCUMENT_CHARACTERS = 300_000  # that is looked through for what it does not say
LONGEST_TITLE_CHARACTERS = 40
MOST_TRIED_DOCUMENTS, MOST_TRIED_YEARS = 12, 12
UNANSWERABLE = 5  # one in so many
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


def draft(library: Library, count: int) -> Iterator[dict[str, Any]]:
    """At most so many questions, each as it is made; the same as long as the documents are the same."""
    candidates = list(draw_from_all(library))
    records = library.records()
    answerable = _draft_answerable(candidates, library)
    unanswerable = _draft_unanswerable(candidates, records, library)
    taken: set[str] = set()
    for place in range(count):
        # Where one kind has no more, the other goes on; but unanswerable ones alone would be no measure.
        first = unanswerable if place % UNANSWERABLE == UNANSWERABLE - 1 else answerable
        drafted = _take(first, taken) or (_take(answerable, taken) if first is unanswerable else None)
        if not drafted:
            return
        yield drafted


def _take(drafts: Iterator[dict[str, Any]], taken: set[str]) -> dict[str, Any] | None:
    for drafted in drafts:
        if (key := normalise(drafted["question"])) not in taken:
            taken.add(key)
            return drafted
    return None


# -- what a document says ---------------------------------------------------------------------


def _draft_answerable(candidates: Sequence[Candidate], library: Library) -> Iterator[dict[str, Any]]:
    places = set()
    for candidate in candidates:
        place = candidate.document_id, candidate.start
        if candidate.about or candidate.holds or candidate.end <= candidate.start or place in places:
            continue  # of a document as a whole, or of a name, no sentence is the answer
        source = _find_source(candidate, library)
        evidence = _find_evidence(candidate, source) if source else ""
        if not source or not evidence:
            continue
        places.add(place)
        answers = [] if source.sentence.kind in HEADS else _find_answers(candidate.question, source)
        elsewhere = _find_elsewhere(candidate.question, evidence, library)
        yield {
            "question": candidate.question,
            **({"answers": answers} if answers else {}),
            "evidence": [{"text": evidence, "path": source.passage.path}],
            "draft": f"not corrected yet: made from the evidence{elsewhere}",
        }


def _find_source(candidate: Candidate, library: Library) -> Source | None:
    """The sentence that a question was made from; None where the document has changed since."""
    for passage in library.read_near(candidate.document_id, candidate.start, candidate.start + 1):
        for source in read_sources(passage):
            if source.sentence.start == candidate.start:
                return source
    return None


def _find_evidence(candidate: Candidate, source: Source) -> str:
    """The words that answer: the sentence, or of a heading what stands under it; "" where that is long."""
    passage = source.passage
    sentences = [source.sentence]
    if source.sentence.kind in HEADS:
        under = passage.sentences[source.place + 1 :]
        sentences = [one for one in under if one.end <= candidate.end and one.kind in CONTENT]
    text = " ".join(" ".join(passage.words_of(one).split()) for one in sentences)
    return text if len(text) <= LONGEST_EVIDENCE_CHARACTERS else ""


def _find_answers(question: str, source: Source) -> list[str]:
    """What in a sentence is asked for; none where that is not plain."""
    line = source.line
    if source.sentence.kind == "row":
        cells = [
            (len(column), value)
            for column, value in read_row(source)[1:]
            if value and (say_label(column) in question or (_YEAR.fullmatch(column[-4:]) and column[-4:] in question))
        ]
        return [max(cells)[1]] if cells else []
    if source.sentence.kind == "field":
        value = part_field(line)[1]
        return [value] if any(map(str.isalnum, value)) else []
    asked = read_question(question, question)
    span = find_answer_words(asked.kind, asked.asked, line)
    return [line[span[0] : span[1]]] if span else []


def _find_elsewhere(question: str, evidence: str, library: Library) -> str:
    """What the product answers instead, where it answers with other words, for a person to judge; "" where not."""
    answer = quote_answer(question, library)
    quotes = [citation for citation in answer.citations if citation.kind == "words"]
    if answer.status != "answered" or not quotes:
        return ""
    if any(max(cover(evidence, [one.quote]), cover(one.quote, [evidence])) >= 0.5 for one in quotes):
        return ""
    quote = " ".join(quotes[0].quote.split())
    return f"; {quotes[0].path} may answer it too: {quote[:200]}"


# -- what a document does not say -------------------------------------------------------------


def _draft_unanswerable(
    candidates: Sequence[Candidate], records: Sequence[Record], library: Library
) -> Iterator[dict[str, Any]]:
    titled = [record for record in records if is_title(record.title) and len(record.title) <= LONGEST_TITLE_CHARACTERS]
    documents = _Documents(library, titled)
    made = (
        _ask_for_label([one for one in candidates if one.kind == "field" and "“" not in one.question], documents),
        _ask_for_name([one for one in candidates if one.holds], documents),
        _ask_for_year(candidates, library),
    )
    for question, why in filter(None, chain.from_iterable(zip_longest(*made))):
        told = f"not corrected yet: {why}; see that no document answers it"
        yield {"question": question, "answerable": False, "draft": told}


class _Documents:
    """Documents that a question can name, and what each of them lacks."""

    def __init__(self, library: Library, records: Sequence[Record]) -> None:
        self._library, self._records = library, records
        self._terms: dict[str, frozenset[str] | None] = {}

    def find_without(self, terms: frozenset[str], place: int) -> Record | None:
        """A document in which none of the terms stands: of several, another for another place."""
        begin = place % max(1, len(self._records))
        for record in [*self._records[begin:], *self._records[:begin]][:MOST_TRIED_DOCUMENTS]:
            found = self._find_terms(record)
            if terms and found is not None and terms.isdisjoint(found):
                return record
        return None

    def _find_terms(self, record: Record) -> frozenset[str] | None:
        """The terms of a document; None of one that is too long to be looked through."""
        if record.document_id not in self._terms:
            text = self._library.store.text_of(record.document_id, 0, LONGEST_DOCUMENT_CHARACTERS + 1)
            is_whole = len(text) <= LONGEST_DOCUMENT_CHARACTERS
            self._terms[record.document_id] = frozenset(find_terms(f"{record.title}\n{text}")) if is_whole else None
        return self._terms[record.document_id]


def _ask_for_label(candidates: Sequence[Candidate], documents: _Documents) -> Iterator[tuple[str, str]]:
    for place, candidate in enumerate(candidates):
        if record := documents.find_without(candidate.terms, place):
            asked = candidate.question.removesuffix("?")
            yield f"{asked} in “{record.title}”?", f"no such field stands in {record.path}"


def _ask_for_name(candidates: Sequence[Candidate], documents: _Documents) -> Iterator[tuple[str, str]]:
    for place, candidate in enumerate(candidates):
        if record := documents.find_without(find_terms_of(candidate.holds), place):
            why = f"no word of this name stands in {record.path}"
            yield f"What does “{record.title}” say about {candidate.holds}?", why


def _ask_for_year(candidates: Sequence[Candidate], library: Library) -> Iterator[tuple[str, str]]:
    for candidate in candidates:
        years = _YEAR.findall(candidate.question)
        if len(years) != 1 or candidate.about:
            continue
        for year in map(str, range(int(years[0]) + 1, int(years[0]) + MOST_TRIED_YEARS)):
            if not library.store.lexicon.quoted(f'"{year}"'):
                yield candidate.question.replace(years[0], year), f"{year} stands in no document"
                break
