"""The reader without a language model: which sentences of the passages answer the question, and how surely.

What is known of each sentence (features.py) makes its score, as a weighted sum. Two more such sums say how probably the
documents speak of the topic at all, and how probably the best sentence then states the very fact that is asked for;
their product is the confidence. The weights are the readable numbers in `reader.json`, fitted by
`benchmarks/fit_reader.py`.

A comparison is read once for each side, in so far as no sentence speaks of both; what asks several things, once for
each.

But: it finds sentences that speak of what is asked. It cannot add up, conclude or say which is more, and a
sentence with the right subject and another attribute can take it in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from assistant.answers import Status
from assistant.citing.sums import estimate
from assistant.question.question import Question, Side
from assistant.quoting.candidates import Candidate, Choice
from assistant.quoting.choice import MOST_QUOTED, choose
from assistant.quoting.features import CLOSELY_READ, Sought, describe, judge, load_model, seek
from index.documents import Passage
from index.embedding.protocol import Embedding
from index.splitting.terms import find_terms
from index.steps import step
from index.storing.lexicon import Lexicon

STATED_SHARE = 1 / 3  # of a side's own words, each weighing as much as it is rare
UNHEARD = 0.1  # what is left of the confidence in a yes or no about a name that no passage holds


@dataclass(frozen=True, slots=True)
class Reading:
    """The sentences that answer, the probability that the documents do answer, and what is to be said of them.

    chosen: the best first, or after the one that it leans on; of a comparison, in the order of the question.
    count: how many there are of the list whose first are chosen; 0 where it is no list.
    cut: where among the chosen a list begins that is not shown whole, and how much of it is, "20 of 60".
    """

    chosen: tuple[Candidate, ...]
    confidence: float
    status: Status
    count: int = 0
    cut: tuple[tuple[int, str], ...] = ()


class Sure(NamedTuple):
    """The probability that the documents answer, and whether that is said."""

    confidence: float
    answers: bool


NOTHING = Reading((), 0.0, "not_found")


@step("read")
def read(question: Question, passages: Sequence[Passage], embedding: Embedding, lexicon: Lexicon) -> Reading:
    """Choose the few sentences that answer the question."""
    sought = seek(question, embedding, lexicon)
    candidates = describe(question, passages, sought, embedding)
    if not candidates:
        return NOTHING
    sides = question.sides
    if sides and not _compares(candidates[0].words, sides, lexicon):
        one, other = (_read_side(side, sides, passages, embedding, lexicon) for side in sides)
        if _places(one) != _places(other):
            # As sure as of the side that the documents say less surely.
            answers = one.status == other.status == "answered"
            sure = Sure(min(one.confidence, other.confidence), answers)
            return _conclude((*one.chosen, *other.chosen), sure)
    if question.parts and not _is_one(question, candidates[0], passages):
        readings = [read(part, passages, embedding, lexicon) for part in question.parts]
        if len({place for reading in readings for place in _places(reading)[:1]}) > 1:
            return _join(question.parts, readings)
    choice = choose(question, candidates, load_model()["threshold"]["margin"], lexicon)
    sure = _judge_sure(question, _put_first(choice, candidates), sought)
    if question.asks_whether and not _speak_of_all(question.named, passages):
        sure = Sure(sure.confidence * UNHEARD, answers=False)
    if question.length == "shorter":
        # Of a list its beginning: one of its members, and none knows why that one, is no shorter answer.
        choice = replace(choice, shown=choice.shown[:MOST_QUOTED])
    cut = choice.tell_cut()
    return replace(_conclude(choice.shown, sure), count=choice.count, cut=((0, cut),) if cut else ())


def _is_one(question: Question, best: Candidate, passages: Sequence[Passage]) -> bool:
    """Whether what several parts ask is one thing: a sentence speaks of all, or the documents say "Smith and Sons"."""
    said = set(find_terms(f"{best.words} {best.context}"))
    each = [set(part.terms) for part in question.parts]
    own = [terms - set().union(*(other for other in each if other is not terms)) for terms in each]
    if all(terms and terms <= said for terms in own):
        return True
    joined = question.joined.casefold()
    return bool(joined) and any(joined in passage.text.casefold() for passage in passages)


def _join(parts: Sequence[Question], readings: Sequence[Reading]) -> Reading:
    """What answers each part, in order. Where a part has no answer, it is as unsure as of that one, and the others
    are the nearest that there is.
    """
    is_known = any(reading.status != "not_found" for reading in readings)
    chosen: dict[tuple[str, int], Candidate] = {}
    cut: list[tuple[int, str]] = []
    for part, reading in zip(parts, readings, strict=True):
        if is_known and reading.status == "not_found":
            continue
        # What belongs together is shown whole; what merely stands beside the best is left out.
        cut += [(len(chosen) + place, told) for place, told in reading.cut]
        most = len(reading.chosen) if reading.count or part.kind == "reason" or part.asks_how else 1
        for place, candidate in zip(_places(reading), reading.chosen[:most], strict=False):
            chosen.setdefault(place, candidate)
    least = min(readings, key=lambda reading: reading.confidence)
    answers = any(reading.status == "answered" for reading in readings)
    status: Status = "nearest" if answers and least.status == "not_found" else least.status
    cut = [(min(place, len(chosen) - 1), told) for place, told in cut]
    return Reading(tuple(chosen.values()), least.confidence, status, cut=tuple(cut))


def _put_first(choice: Choice, ranked: Sequence[Candidate]) -> Sequence[Candidate]:
    """The candidates with the best one of the list that is shown before all others: it covers what its list does."""
    if not choice.count:
        return ranked
    best = max(choice.shown, key=lambda candidate: candidate.score)
    coverage = max(best.features["coverage"], choice.share)
    listed = replace(best, features={**best.features, "coverage": coverage})
    return [listed, *(candidate for candidate in ranked if candidate is not best)]


def _conclude(chosen: Sequence[Candidate], sure: Sure) -> Reading:
    if not chosen or sure.confidence < load_model()["threshold"]["nearest"]:
        return Reading(tuple(chosen), sure.confidence, "not_found")
    return Reading(tuple(chosen), sure.confidence, "answered" if sure.answers else "nearest")


def _speak_of_all(named: Sequence[str], passages: Sequence[Passage]) -> bool:
    """Whether each of the names' terms stands in some passage."""
    said = set(find_terms(" ".join(f"{passage.title} {passage.text}" for passage in passages)))
    return said.issuperset(named)


def _judge_sure(question: Question, ranked: Sequence[Candidate], sought: Sought) -> Sure:
    """How sure it is that the documents answer: that they speak of the topic, and that they state the fact."""
    judged, model = judge(question, ranked[:CLOSELY_READ], sought), load_model()
    names = ("topic", "fact") if sought.is_understood else ("topic_in_words", "fact_in_words")
    topic, fact = (estimate(model[name], judged) for name in names)
    limits = model["threshold"]
    answers = topic >= limits["topic"] and fact >= limits["fact"]
    return Sure(topic * fact, answers and not _lacks_attribute(question, ranked[0], sought))


def _lacks_attribute(question: Question, best: Candidate, sought: Sought) -> bool:
    """Whether a row, a field or an item has nothing of what is asked of the names that it holds."""
    if best.sentence.kind == "prose":
        return False
    asked = [term for term in sought.rarity if term not in question.named]
    held = sought.hold(f"{best.context} {best.words}")
    return bool(asked) and not any(held[term] for term in asked)


# -- comparing --------------------------------------------------------------------------------


def _compares(words: str, sides: Sequence[Side], lexicon: Lexicon) -> bool:
    """Whether a sentence states both sides, and something of what is asked of them."""
    said, rarity = set(find_terms(words)), lexicon.rarity([term for side in sides for term in side.own])
    asked = {term for term in sides[0].question.terms if not any(term in side.called for side in sides)}
    return (not asked or bool(asked & said)) and all(_states(said, side, rarity) for side in sides)


def _states(said: set[str], side: Side, rarity: Mapping[str, float]) -> bool:
    """Whether words speak of a side: they hold enough of what only that side is called."""
    return _share(side.own, said, rarity) >= STATED_SHARE


def _read_side(
    side: Side, sides: Sequence[Side], passages: Sequence[Passage], embedding: Embedding, lexicon: Lexicon
) -> Reading:
    """The best sentence about one side; none where no sentence speaks of it."""
    asked = [term for term in side.question.terms if term not in side.own]
    rarity = lexicon.rarity([*asked, *(term for each in sides for term in each.own)])
    stating: list[tuple[float, bool, Candidate]] = []
    rest = []
    sought = seek(side.question, embedding, lexicon)
    for candidate in describe(side.question, passages, sought, embedding):
        own = set(find_terms(candidate.words))
        said = own | set(find_terms(candidate.context))
        if _states(said, side, rarity):
            of_both = all(_states(said, each, rarity) for each in sides)
            stating.append((-_share(asked, own, rarity), of_both, candidate))
        else:
            rest.append(candidate)
    if not stating:
        return NOTHING
    # Best is what holds most of what is asked, then what does not speak of the other side too, then the score.
    ranked = [*(candidate for *_, candidate in sorted(stating, key=lambda found: found[:2])), *rest]
    return _conclude(ranked[:1], _judge_sure(side.question, ranked, sought))


def _share(terms: Sequence[str], held: set[str], rarity: Mapping[str, float]) -> float:
    """The share of the terms that are held, each weighing as much as it is rare."""
    total = sum(rarity[term] for term in terms)
    return sum(rarity[term] for term in terms if term in held) / total if total else 0.0


def _places(reading: Reading) -> list[tuple[str, int]]:
    return [(c.passage.document_id, c.sentence.start) for c in reading.chosen]
