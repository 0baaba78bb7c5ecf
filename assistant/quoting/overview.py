"""An overview of whole documents: the sentences nearest to a document's middle and different from one another.

The middle is the mean of the sentences' vectors. One sentence after the other is taken that is near to it and far from
those taken before (maximal marginal relevance: Carbonell and Goldstein 1998), with something added for nearness to the
title and for where a text says what it is about, at its beginning (Edmundson 1969), and taken off for what cannot stand
alone. They are shown in reading order.

A short document is quoted whole. But: what is nearest to the middle is typical of a document, and not always what
matters most in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from assistant.answers import Answer
from assistant.question.about import About
from assistant.question.asked import leans
from assistant.question.question import read_question
from assistant.quoting.candidates import Candidate
from assistant.quoting.names import Subject, drop_nouns
from assistant.quoting.quotations import quote
from assistant.quoting.reader import NOTHING, Reading
from index.documents import Passage
from index.embedding.protocol import Vectors
from index.library import Library
from index.searching.surroundings import cut
from index.splitting.folding import fold
from index.splitting.sentences import CONTENT, HEADS, Sentence
from index.splitting.terms import find_content_terms
from index.storing.records import Record

USUAL_SENTENCES = 5
MOST_DOCUMENTS = 20  # in one overview
MOST_CHUNKS = 2000  # of a document, that are looked at
MOST_WEIGHED = 10_000  # sentences of a document; of one with more, so many from all parts of it
LONGEST_WHOLE_SENTENCES, LONGEST_WHOLE_CHARACTERS = 12, 1200  # of a document that is quoted whole where it is asked for
SECTION_PASSAGES = 10  # in which a heading is looked for
SHOWN_SENTENCES = 120  # at most, to a language model
_TOKENS_A_SENTENCE = 35
_NEARNESS = 0.7  # against being different from those taken before
# Of all sentences, and times those wanted: so many of the nearest to the middle are compared with one another.
_NEAREST_SHARE, _NEAREST_TIMES = 0.25, 4
_PROSE_SHARE = 0.3  # of the characters, from which on a document is prose
_LEAD = (0.25, 0.1)  # added to the first sentences of a document
_TITLE = 0.25  # for each sentence, times its cosine to the title
_LATE = 0.2  # taken off at a document's end, and in proportion before
_FEW_WORDS, _MANY_WORDS = 5, 60
_ENDED = re.compile(r"[.!。！।।۔๚][\"'”’»)*_\]」』]{0,4}\Z|[\u0e00-\u0e7f]\Z")
# Pictures, links, numbered lists of what stands elsewhere, the head of a letter.
_ASIDE = re.compile(r"[!\[(]|\d|See |(?i:from|to|cc|date|sent|von|an|datum|de|fecha|aan|message-id):")
_LESS = 0.15  # taken off for each thing that keeps a sentence from standing alone


@dataclass(frozen=True, slots=True)
class Overview:
    """The reading that quotes, the passages that it is from, and how many of the documents meant are in it."""

    reading: Reading
    passages: tuple[Passage, ...]
    documents: int


@dataclass(frozen=True, slots=True)
class _Read:
    """What of a document may be shown, in reading order; a row and the cosine to the title of each one's vector."""

    candidates: tuple[Candidate, ...]
    vectors: Vectors
    titled: Sequence[float]


def quote_overview(
    subject: Subject, library: Library, evidence_tokens: int | None = None
) -> tuple[Answer, list[Passage]] | None:
    """An overview of the documents meant or of a section, in their own words, and what a model may write one from.

    evidence_tokens: how much of them the model may be shown; None where there is none.

    None where nothing is meant that could be summed up.
    """
    about, meant = subject.about, subject.meant
    if about is None:
        return None
    overview = survey(about, meant.records, library) if meant.records else survey_section(about, library)
    if not overview.passages:
        return None
    quoted = quote(read_question(subject.query), overview.passages, overview.reading)
    if overview.documents < len(meant.records):
        quoted = replace(quoted, notice=f"{overview.documents:,} of {len(meant.records):,} documents are shown.")
    if evidence_tokens and meant.records:
        overview = survey(about, meant.records, library, evidence_tokens)
    return quoted, list(overview.passages)


def survey(about: About, records: Sequence[Record], library: Library, evidence_tokens: int | None = None) -> Overview:
    """An overview of the documents, each content once, the first by path where there are many.

    evidence_tokens: what a language model may be shown, for an overview to write from; None for one to quote.
    """
    import numpy as np

    different = list({record.content_hash: record for record in reversed(records)}.values())[::-1]
    shown = different[:MOST_DOCUMENTS]
    wanted = about.sentences or USUAL_SENTENCES
    if evidence_tokens:
        wanted = min(max(evidence_tokens // _TOKENS_A_SENTENCE, wanted), SHOWN_SENTENCES)
    reads = [read for record in shown if (read := _read(record, library)).candidates]
    is_said = about.sentences is not None or evidence_tokens is not None
    is_whole = about.is_whole and not is_said and len(reads) == 1
    each = _share_out(wanted, len(reads), is_said=is_said)
    found = []
    for read, count in zip(reads, each, strict=True):
        first, *others = _choose(read, count, is_whole)
        # A model is shown how each document begins.
        found += [(read, place) for place in (0 if evidence_tokens else first, *others)]
    if is_said and len(found) > wanted:  # of so many documents that not each can be in it
        vectors = np.stack([read.vectors[place] for read, place in found])
        found = [found[number] for number in choose_central(vectors, [0.0] * len(found), wanted)]
    chosen = [read.candidates[place] for read, place in found]
    if not chosen:
        return Overview(NOTHING, (), 0)
    passages = tuple({(c.passage.document_id, c.passage.start): c.passage for c in chosen}.values())
    if evidence_tokens:
        passages = tuple(_cut_out(candidate) for candidate in chosen)
    return Overview(Reading(tuple(chosen), 1.0, "answered"), passages, len({c.passage.document_id for c in chosen}))


def survey_section(about: About, library: Library) -> Overview:
    """The first sentences under the heading that is called as an overview's subject is, where there is one."""
    named = set(find_content_terms(drop_nouns(about.name))) or set(find_content_terms(about.name))
    if not named or about.asks != "overview" or about.sureness != "any":
        return Overview(NOTHING, (), 0)
    sections: dict[tuple[str, tuple[str, ...]], list[Candidate]] = {}
    for passage in library.retrieve(about.name, SECTION_PASSAGES):
        for place, (sentence, above) in enumerate(zip(passage.sentences, passage.contexts(), strict=True)):
            depth = next((n for n, head in enumerate(above, 1) if _is_called(head, named)), 0)
            if depth and sentence.kind in CONTENT:
                candidate = Candidate(passage, sentence, place, passage.line_of(sentence), {}, 0.0, above=above)
                sections.setdefault((passage.document_id, above[:depth]), []).append(candidate)
    found = sorted(next(iter(sections.values()), []), key=lambda c: c.sentence.start)
    chosen = tuple(found[: about.sentences or USUAL_SENTENCES])
    passages = tuple({c.passage.start: c.passage for c in chosen}.values())
    return Overview(Reading(chosen, 1.0, "answered") if chosen else NOTHING, passages, 1 if chosen else 0)


def _is_called(head: str, named: set[str]) -> bool:
    return named in (set(find_content_terms(head)), set(find_content_terms(drop_nouns(fold(head)))))


def _share_out(wanted: int, documents: int, *, is_said: bool) -> list[int]:
    """How many sentences each document gets: those wanted in equal parts where so many were said, else one or two.

    But: at least one, which makes too many of them where there are more documents than sentences.
    """
    if documents <= 1:
        return [wanted] * documents
    if is_said:
        return [max(1, wanted // documents + (place < wanted % documents)) for place in range(documents)]
    return [2 if documents * 2 <= USUAL_SENTENCES + 1 else 1] * documents


def _cut_out(candidate: Candidate) -> Passage:
    """A passage of the one sentence, without a score, for it was chosen for its document and not for a query."""
    place = candidate.passage.sentences.index(candidate.sentence)
    return replace(cut(candidate.passage, place, place), score=0.0)


# -- what a document has to show --------------------------------------------------------------


def _read(record: Record, library: Library) -> _Read:
    import numpy as np

    found: list[tuple[Passage, Sentence, tuple[str, ...], Vectors]] = [
        (passage, sentence, above, vector)
        for passage, vectors in library.read_document(record, MOST_CHUNKS)
        for sentence, above, vector in zip(passage.sentences, passage.contexts(), vectors, strict=True)
    ]
    content = [one for one in found if one[1].kind in CONTENT]
    # Of a text that is nothing but headings, these say what there is.
    kept = content or [one for one in found if one[1].kind in HEADS]
    candidates = tuple(
        Candidate(passage, sentence, place, passage.line_of(sentence), {}, 0.0, above=above)
        for place, (passage, sentence, above, _) in enumerate(kept)
    )
    vectors = np.array([vector for *_, vector in kept], np.float32)
    title = library.embedding.embed_query(record.title)
    return _Read(candidates, vectors, (vectors @ title).tolist() if kept else [])


# -- which of it is shown ---------------------------------------------------------------------


def _choose(read: _Read, count: int, is_whole: bool) -> list[int]:
    """The places of so many of a document's sentences, in order; of all where it is short and wanted whole."""
    whole = read.candidates
    most = LONGEST_WHOLE_SENTENCES if is_whole else count
    if len(whole) <= most and sum(len(c.words) for c in whole) <= LONGEST_WHOLE_CHARACTERS:
        return list(range(len(whole)))
    prose = [place for place, c in enumerate(whole) if c.sentence.kind == "prose"]
    share = sum(len(whole[place].words) for place in prose) / (sum(len(c.words) for c in whole) or 1)
    places = prose if len(prose) >= count and share >= _PROSE_SHARE else list(range(len(whole)))
    places = places[:: -(-len(places) // MOST_WEIGHED)]
    worth = [
        _weigh(number, whole[place]) + _TITLE * read.titled[place] - _LATE * place / len(whole)
        for number, place in enumerate(places)
    ]
    return [places[number] for number in choose_central(read.vectors[places], worth, count)]


def _weigh(place: int, candidate: Candidate) -> float:
    """What is added to a sentence's nearness to the middle, for its place, its length and what it leaves unsaid."""
    words = candidate.words
    length = len(words.split()) if " " in words else len(words) // 2  # some scripts part no words
    faults = (
        leans(words),
        length < _FEW_WORDS,
        length > _MANY_WORDS,
        words.endswith((":", "?", "…")),
        candidate.sentence.kind == "prose" and not _ENDED.search(words),
        "](" in words or "://" in words,
        _ASIDE.match(words) is not None,
        set(find_content_terms(words)) <= {*find_content_terms(candidate.passage.title), "titl"},
    )
    lead = _LEAD[place] if place < len(_LEAD) and not sum(faults) else 0.0
    return lead - _LESS * sum(faults)


def choose_central(vectors: Vectors, worth: Sequence[float], count: int) -> list[int]:
    """The places, in order, of so many unit vectors that are near to the middle of all and different from one another.

    vectors: of shape (sentences, dimensions). worth: added to how near each is.
    """
    import numpy as np

    middle = vectors.mean(axis=0)
    length = float(np.linalg.norm(middle))
    relevance = (vectors @ middle / length if length else np.zeros(len(vectors))) + np.asarray(worth)
    if len(vectors) > (most := max(int(_NEAREST_SHARE * len(vectors)), _NEAREST_TIMES * count)):
        relevance[np.argsort(relevance, kind="stable")[:-most]] = -np.inf
    likest = np.zeros(len(vectors), np.float32)  # to any that is taken
    taken: list[int] = []
    for _ in range(min(count, len(vectors))):
        gain = _NEARNESS * relevance - (1 - _NEARNESS) * likest
        gain[taken] = -np.inf
        best = int(gain.argmax())
        taken.append(best)
        likest = np.maximum(likest, vectors @ vectors[best])
    return sorted(taken)
