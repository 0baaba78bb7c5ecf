"""Questions for a person to correct, made from the documents' own sentences, fields, rows and headings.

    for drafted in draft(library, 20): ...  # each in the form of a line of a file of questions

They are made as suggestions are (assistant/suggesting/), in the order of these: the most worthy first, of many kinds
and documents; then, what a document says of a name that stands in one sentence of it. None is left out for how the
product answers it: from only those that it answers right a measure would learn nothing. The sentence is the evidence;
the value, number, date or name in it that is asked for is the answer, and where that is not plain, there is evidence
alone. One in five asks what a document does not say, in the same forms, so that no form gives away which these are:

    of a name, a document that has no word of it
    of a field's label, the same
    of a year in the place of another, such as stands nowhere

But: a question may be odd, and the folder may answer it elsewhere; where the product does, the draft says so. What
words mean is not known: a document may tell of somebody without the name. Hence drafts. No language model is asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, zip_longest
from typing import Any

from assistant.chain import quote_answer
from assistant.question.asked import find_answer_words
from assistant.question.question import read_question
from assistant.serving.evaluating.texts import cover
from assistant.suggesting.candidates import Candidate, Source, find_terms_of, normalise, read_sources
from assistant.suggesting.fields import is_title, part_field, read_row, say_label
from assistant.suggesting.statements import count_names, find_words
from assistant.suggesting.suggestions import draw_from_all
from index.documents import Passage
from index.library import Library
from index.splitting.sentences import CONTENT, HEADS
from index.splitting.terms import find_terms
from index.storing.records import Record

LONGEST_EVIDENCE_CHARACTERS = 500
LONGEST_DOCUMENT_CHARACTERS = 300_000  # that is looked through for what it does not say
LONGEST_TITLE_CHARACTERS = 55
SAMPLED_PASSAGES, MOST_NAMES, LEAST_NAMED = 100, 60, 2  # that names are found in
MOST_TRIED_DOCUMENTS, MOST_TRIED_YEARS = 12, 12
UNANSWERABLE = 5  # one in so many
_NO_SENTENCE = ("document", "name", "part")  # the kinds of question that no one sentence answers
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


def draft(library: Library, count: int) -> Iterator[dict[str, Any]]:
    """At most so many questions, each as it is made; the same as long as the documents are the same."""
    candidates = list(draw_from_all(library))
    passages = library.sample(SAMPLED_PASSAGES)
    names = _find_names(passages)
    documents = _Documents(library)
    made = chain(_ask_candidates(candidates, library), _ask_for_names(names, passages, documents))
    answerable = (_to_line(question, source, evidence, library) for question, source, evidence in made)
    unanswerable = _draft_unanswerable(candidates, names, documents)
    taken: set[str] = set()
    for place in range(count):
        # Where there is no more of the second, the first goes on; but the second alone would be no measure.
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


def _ask_candidates(candidates: Sequence[Candidate], library: Library) -> Iterator[tuple[str, Source, str]]:
    """Questions, each with the sentence that it was made from and the words that answer it."""
    places = set()
    for candidate in candidates:
        place = candidate.document_id, candidate.start
        if candidate.kind not in _NO_SENTENCE and place not in places:
            source = _find_source(candidate, library)
            if source and (evidence := _find_evidence(candidate, source)):
                places.add(place)
                yield candidate.question, source, evidence


def _find_names(passages: Sequence[Passage]) -> dict[str, str]:
    """The names that stand in several sentences, the most frequent first, each as a question has it."""
    named = count_names(passages, find_words(passages)).most_common(MOST_NAMES)
    text = "\n".join(passage.text for passage in passages)
    return {
        name: f"the {name}" if text.count(f"the {name}") > text.count(name) / 2 else name
        for name, times in named
        if times >= LEAST_NAMED
    }


def _ask_for_names(
    names: Mapping[str, str], passages: Sequence[Passage], documents: _Documents
) -> Iterator[tuple[str, Source, str]]:
    """The same, of names that stand in one sentence of a document: in turn one of each passage."""
    made = [_ask_for_names_in(passage, names, documents) for passage in passages]
    return filter(None, chain.from_iterable(zip_longest(*made)))


def _ask_for_names_in(
    passage: Passage, names: Mapping[str, str], documents: _Documents
) -> Iterator[tuple[str, Source, str]]:
    if record := documents.records.get(passage.document_id):
        for source in read_sources(passage):
            held = [name for name in names if name in source.line] if source.sentence.kind == "prose" else []
            name = next((name for name in held if documents.count(name, record) == 1), "")
            if name and (question := _ask_of(record, names[name])):
                yield question, source, " ".join(passage.words_of(source.sentence).split())


def _ask_of(record: Record, name: str) -> str:
    """The question what a document says about a name; "" where that is none that can be asked."""
    return _keep_fit(f"What does “{record.title}” say about {name}?")


def _keep_fit(question: str) -> str:
    return question if Candidate(question, "", 0, 0, "", 0.0).is_fit() else ""


def _to_line(question: str, source: Source, evidence: str, library: Library) -> dict[str, Any]:
    answers = [] if source.sentence.kind in HEADS else _find_answers(question, source)
    return {
        "question": question,
        **({"answers": answers} if answers else {}),
        "evidence": [{"text": evidence, "path": source.passage.path}],
        "draft": f"not corrected yet: made from the evidence{_find_elsewhere(question, evidence, library)}",
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
    said = question.removeprefix("Who ").removesuffix("?")
    if said in line and not question.startswith(said):
        return [line[: line.index(said)].strip()] if line.index(said) else []  # "Edda Krane" built the lock
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
    candidates: Sequence[Candidate], names: Mapping[str, str], documents: _Documents
) -> Iterator[dict[str, Any]]:
    fields = [one for one in candidates if one.kind == "field" and "“" not in one.question]
    made = (
        _ask_names_elsewhere(names, documents),
        _ask_labels_elsewhere(fields, documents),
        _ask_for_years([one for one in candidates if one.kind not in _NO_SENTENCE], documents),
    )
    for question, why in filter(None, chain.from_iterable(zip_longest(*made))):
        if _keep_fit(question):
            told = f"not corrected yet: {why}; see that no document answers it"
            yield {"question": question, "answerable": False, "draft": told}


def _ask_names_elsewhere(names: Mapping[str, str], documents: _Documents) -> Iterator[tuple[str, str]]:
    for place, name in enumerate(names):
        if record := documents.find_without(find_terms_of(name), place):
            yield _ask_of(record, names[name]), f"no word of this name stands in {record.path}"


def _ask_labels_elsewhere(fields: Sequence[Candidate], documents: _Documents) -> Iterator[tuple[str, str]]:
    for place, field in enumerate(fields):
        if record := documents.find_without(field.terms, place):
            asked = field.question.removesuffix("?")
            yield f"{asked} in “{record.title}”?", f"no word of this label stands in {record.path}"


def _ask_for_years(candidates: Sequence[Candidate], documents: _Documents) -> Iterator[tuple[str, str]]:
    for candidate in candidates:
        years = _YEAR.findall(candidate.question)
        if len(years) == 1 and (year := documents.find_missing_year(int(years[0]))):
            yield candidate.question.replace(years[0], year), f"{year} stands in no document"


class _Documents:
    """The documents of a library that a question can name, and what they lack. records: by id."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._terms: dict[str, frozenset[str] | None] = {}
        self.records = {
            record.document_id: record
            for record in library.records()
            if is_title(record.title) and len(record.title) <= LONGEST_TITLE_CHARACTERS
        }

    def count(self, words: str, record: Record) -> int:
        """How often words stand in a document; of one that is too long to be looked through, in its beginning."""
        return self._read(record).count(words)

    def find_without(self, terms: frozenset[str], place: int) -> Record | None:
        """A document in which none of the terms stands: of several, another for another place."""
        records = list(self.records.values())
        begin = place % max(1, len(records))
        for record in [*records[begin:], *records[:begin]][:MOST_TRIED_DOCUMENTS]:
            found = self._find_terms(record)
            if terms and found is not None and terms.isdisjoint(found):
                return record
        return None

    def find_missing_year(self, year: int) -> str:
        """The first of the years after one that stands in no document; "" where all do."""
        years = map(str, range(year + 1, year + MOST_TRIED_YEARS))
        return next((one for one in years if not self._library.store.lexicon.search(one, 1)), "")

    def _find_terms(self, record: Record) -> frozenset[str] | None:
        """The terms of a document; None of one that is too long to be looked through."""
        if record.document_id not in self._terms:
            text = self._read(record)
            is_whole = len(text) <= LONGEST_DOCUMENT_CHARACTERS
            self._terms[record.document_id] = frozenset(find_terms(f"{record.title}\n{text}")) if is_whole else None
        return self._terms[record.document_id]

    def _read(self, record: Record) -> str:
        return self._library.store.text_of(record.document_id, 0, LONGEST_DOCUMENT_CHARACTERS + 1)
