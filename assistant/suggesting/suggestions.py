"""What a person may ask next: questions made from the documents, each of which the documents were seen to answer.

Questions are made from a sample of the documents' sentences, fields, rows and headings, in many forms. The most worthy
are then asked of the product itself, without a language model, and only those are kept whose answer is the very
sentence that they were made from. No question costs a language model anything.

After an answer they are made from what stands near the words cited, beside them and of what they name. In the place of
a refusal they are made from the nearest passages.

But: what is worth asking is judged by a question's form, not by its meaning.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice

from assistant.answers import Answer
from assistant.chain import quote_answer
from assistant.question.asked import find_names
from assistant.suggesting.candidates import Candidate, Source, find_terms_of, is_near, normalise, read_sources
from assistant.suggesting.fields import ask_of_field, ask_of_option, ask_of_row
from assistant.suggesting.foreign import ask_of_foreign
from assistant.suggesting.headings import ask_of_document, ask_of_heading, ask_of_names
from assistant.suggesting.prose import ask_of_statement
from assistant.suggesting.statements import Words, count_names, find_words
from index.documents import Passage
from index.library import Library
from index.splitting.languages import ENGLISH, find_running_language

SAMPLED_BEGINNINGS, SAMPLED_PASSAGES = 40, 60  # that questions are made of
MOST_ASKED = 40  # questions of one sample, of which the kept are
MOST_SAMPLES = 5
FEW_DOCUMENTS = 3
MOST_ASKED_NEAR = 16  # the same after an answer
NEAR_CHARACTERS = 2500  # before and after the words cited
MOST_NAMES, MOST_OF_NAME = 2, 3  # that an answer gives, and passages about each of them
_SAME_KIND, _SAME_SHAPE, _SAME_DOCUMENT, _NEAR, _SHAPE_WORDS = (
    0.1,
    0.12,
    0.1,
    0.5,
    4,
)  # taken off for each like it that is asked before
_MOST_OF_KIND = {"acronym": 3, "name": 4, "definition": 6, "document": 8, "part": 6}  # that are asked
_ABOUT_TITLE = 0.06  # added where it asks of what its document is called
_GENERAL = 0.25
_FIRST_WORTH = 0.08  # added to what stands at the beginning of a document


def suggest(
    library: Library,
    count: int,
    *,
    after: Answer | None = None,
    instead_of: Answer | None = None,
    asked: Sequence[str] = (),
    turn: int = 0,
    is_cancelled: Callable[[], bool] = lambda: False,
) -> list[str]:
    """At most so many questions, the best first, each of which the documents answer.

    after: the answer that they go on from. instead_of: the refusal in whose place they are offered.
    asked: what was asked in the conversation already. turn: another number gives other questions, as far as there are.
    is_cancelled: whether nobody waits any more; then what was found so far is given.

    The same as long as the documents are the same.
    """
    if near := instead_of or after:
        candidates = iter(_draw_near(near, library, is_refusal=instead_of is not None))
    else:
        candidates = draw_from_all(library)
    asked = [*asked, *([near.question, near.query] if near else [])]
    found = keep_answered(candidates, library, asked, is_cancelled)
    return [candidate.question for candidate in islice(found, turn * count, (turn + 1) * count)]


def keep_answered(
    candidates: Iterable[Candidate],
    library: Library,
    asked: Sequence[str] = (),
    is_cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[Candidate]:
    """Those of the candidates, in order, that the documents answer: none twice, and none that was asked."""
    taken = {normalise(question) for question in asked}
    places: set[tuple[str, int]] = set()
    for candidate in candidates:
        if is_cancelled():
            return
        place = (candidate.document_id, candidate.start)
        if normalise(candidate.question) in taken or (candidate.end and place in places):
            continue
        if answers_itself(candidate, library):
            taken.add(normalise(candidate.question))
            places.add(place)
            yield candidate


def draw_from_all(library: Library) -> Iterator[Candidate]:
    """What may be asked of the documents, the most worthy first, from one sample after the other."""
    for turn in range(MOST_SAMPLES):
        if not (passages := _sample(library, turn)):
            return
        yield from order(draw(passages), MOST_ASKED)


def _draw_near(answer: Answer, library: Library, *, is_refusal: bool) -> list[Candidate]:
    """What may be asked after an answer, or instead of what was refused, the most worthy first."""
    passages = _find_nearest(answer, library) if is_refusal else _find_near(answer, library)
    cited = () if is_refusal else answer.citations
    fresh = [
        one
        for one in draw(passages)
        if not (one.about and len(passages) > 1 and any(c.document_id == one.about for c in cited))
        and not any(c.document_id == one.document_id and c.start < one.end and one.start < c.end for c in cited)
    ]
    return [*order(fresh, MOST_ASKED_NEAR, [find_terms_of(answer.question)])]


def draw(passages: Sequence[Passage]) -> list[Candidate]:
    """The questions that passages answer, as far as their form tells; each once, the most worthy of the same words."""
    words, language = find_words(passages), _find_language(passages)
    is_wide = len({passage.document_id for passage in passages}) > FEW_DOCUMENTS
    best: dict[str, Candidate] = {}
    for passage in passages:
        sources = list(read_sources(passage))
        if language not in ("", ENGLISH) and find_running_language(passage.text) != ENGLISH:
            sources = [source for source in sources if source.sentence.kind not in ("field", "row")]
        rows = [source.line for source in sources if source.sentence.kind == "row"]
        made = chain.from_iterable(_ask_of(source, words, rows) for source in sources)
        for candidate in chain(made, ask_of_document(passage)):
            candidate = _weigh(candidate, passage, is_wide=is_wide)
            key = normalise(candidate.question)
            if candidate.is_fit() and (key not in best or candidate.worth > best[key].worth):
                best[key] = candidate
    for candidate in ask_of_names(count_names(passages, words), language):
        if candidate.is_fit():
            best.setdefault(normalise(candidate.question), candidate)
    return list(best.values())


def _find_language(passages: Sequence[Passage]) -> str:
    """The language that most of the passages are in; "" where none tells."""
    told = Counter(find_running_language(passage.text) for passage in passages)
    return max(told, key=lambda language: told[language], default="")


def _ask_of(source: Source, words: Words, rows: Sequence[str]) -> Iterator[Candidate]:
    match source.sentence.kind:
        case "heading" | "question":
            yield from ask_of_heading(source)
        case "field":
            yield from ask_of_field(source)
            yield from ask_of_option(source)
        case "row":
            yield from ask_of_row(source, rows)
            yield from ask_of_option(source)
        case "item" | "code":
            yield from ask_of_option(source)
            if source.sentence.kind == "item":
                yield from ask_of_statement(source, words)
        case "prose":
            yield from ask_of_statement(source, words)
            yield from ask_of_foreign(source)
        case _:
            return


def _weigh(candidate: Candidate, passage: Passage, *, is_wide: bool) -> Candidate:
    """A candidate with what its place adds to its worth. is_wide: whether there are many documents."""
    worth = candidate.worth
    if is_wide and candidate.kind == "field" and len(candidate.terms) < 2:
        worth -= _GENERAL  # "What is the address?": of many that there may be
    if candidate.kind != "document":
        title = find_terms_of(passage.title)
        worth += _ABOUT_TITLE * (not title.isdisjoint(candidate.terms))
        worth += _FIRST_WORTH / (1 + candidate.start / 1000)
    return replace(candidate, worth=worth)


def order(candidates: Iterable[Candidate], most: int, known: Sequence[frozenset[str]] = ()) -> Iterator[Candidate]:
    """So many of the candidates, the most worthy first, with as many kinds and documents early as there are.

    known: the terms of what was asked before.
    """
    left = sorted(candidates, key=lambda one: (-one.worth, one.document_id, one.start, one.question))
    left = left[: 12 * most]
    kinds: Counter[str] = Counter()
    documents: Counter[str] = Counter()
    shapes: Counter[tuple[str, ...]] = Counter()
    places: Counter[tuple[str, int]] = Counter()
    before = [*known]
    while left and most > 0:
        best = max(
            left,
            key=lambda one: (
                one.worth
                - _SAME_KIND * kinds[one.kind]
                - _SAME_SHAPE * shapes[_shape_of(one)]
                - _SAME_DOCUMENT * documents[one.document_id]
                - _NEAR * (places[one.document_id, one.start] > 0 or is_near(one.terms, before))
            ),
        )
        left.remove(best)
        if kinds[best.kind] >= _MOST_OF_KIND.get(best.kind, most):
            continue
        most -= 1
        kinds[best.kind] += 1
        shapes[_shape_of(best)] += 1
        documents[best.document_id] += 1
        places[best.document_id, best.start] += 1
        before.append(best.terms)
        yield best


def _shape_of(candidate: Candidate) -> tuple[str, ...]:
    """How a question begins: two that ask for a price are alike, whatever it is the price of."""
    return tuple(candidate.question.split(" ")[:_SHAPE_WORDS])


def answers_itself(candidate: Candidate, library: Library) -> bool:
    """Whether the product answers a question, and first of all with the words that it was made from."""
    return is_answered_by(candidate, quote_answer(candidate.question, library))


def is_answered_by(candidate: Candidate, answer: Answer) -> bool:
    """Whether an answer is one, and cites first of all the words that a question was made from."""
    if answer.status != "answered" or not answer.citations:
        return False
    if candidate.about:
        return all(c.document_id == candidate.about and c.kind == "words" for c in answer.citations)
    first = answer.citations[0]
    if candidate.holds:
        return first.kind == "words" and candidate.holds in " ".join(first.quote.split())
    return (
        first.kind == "words"
        and first.document_id == candidate.document_id
        and candidate.start <= first.start
        and first.end <= candidate.end
    )


# -- where they are made from -----------------------------------------------------------------


def _sample(library: Library, turn: int) -> list[Passage]:
    found = [
        *library.sample(SAMPLED_BEGINNINGS, begin=True, turn=turn),
        *library.sample(SAMPLED_PASSAGES, turn=turn),
    ]
    return list({(passage.document_id, passage.start): passage for passage in found}.values())


def _find_near(answer: Answer, library: Library) -> list[Passage]:
    """What stands around the words cited, and what other documents say of what these name."""
    found: list[Passage] = []
    for citation in answer.citations[:2]:
        start = max(0, citation.start - NEAR_CHARACTERS)
        found += library.read_near(citation.document_id, start, citation.end + NEAR_CHARACTERS)
    said = " ".join(citation.quote for citation in answer.citations[:2])
    names = [name for name in dict.fromkeys(find_names(said)) if name[0].isupper() and name not in answer.question]
    for name in names[:MOST_NAMES]:
        found += library.retrieve(name, MOST_OF_NAME)
    return list({(passage.document_id, passage.start): passage for passage in found}.values())


def _find_nearest(answer: Answer, library: Library) -> list[Passage]:
    """The passages that a refusal came with; they may be cut, so they are read again."""
    found: list[Passage] = []
    for passage in answer.passages[:4]:
        found += library.read_near(passage.document_id, passage.start, passage.end)
    return list({(passage.document_id, passage.start): passage for passage in found}.values())
