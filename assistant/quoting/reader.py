"""The reader without a language model: which sentences of the passages answer the question, and how surely.

Every prose sentence of the passages is described by a handful of numbers between 0 and 1, whose weighted sum is
its score. Two more such sums say how probably the documents speak of the topic at all, and how probably
the best sentence then states the very fact that is asked for; their product is the confidence. The
weights are the readable numbers in `reader.json`, fitted by `benchmarks/fit_reader.py`.

A comparison is read once for each side, in so far as no sentence speaks of both; what asks several things, once for
each.

But: it finds sentences that speak of what is asked. It cannot add up, conclude or say which is more, and a
sentence with the right subject and another attribute can take it in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path

from assistant.answers import Status
from assistant.citing.sums import estimate, load_sums, weigh
from assistant.question.asked import holds, leans
from assistant.question.definition import explains
from assistant.question.question import Question, Side
from assistant.quoting.candidates import Candidate, Choice
from assistant.quoting.choice import CLOSELY_READ, MOST_QUOTED, choose
from assistant.quoting.conflicts import find_conflicts
from assistant.quoting.content import find_content, is_header, is_imprint
from index.documents import Passage
from index.embedding.protocol import Embedding
from index.splitting.terms import find_terms
from index.storing.lexicon import Lexicon

__all__ = ["MODEL_FILE", "MOST_QUOTED", "Candidate", "Reading", "describe", "judge", "load_model", "read"]

LENT_SHARE = 0.6
STATED_SHARE = 1 / 3  # of a side's own words, each weighing as much as it is rare
UNHEARD = 0.1  # what is left of the confidence in a yes or no about a name that no passage holds
COMPARED = ("coverage", "similarity")  # to be the first of all sentences in one of these counts too
MODEL_FILE = Path(__file__).with_name("reader.json")


@dataclass(frozen=True, slots=True)
class Reading:
    """The sentences that answer, the probability that the documents do answer, and what is to be said of them.

    chosen: the best first, or after the one that it leans on; of a comparison, in the order of the question.
    count: how many there are of the list whose first are chosen; 0 where it is no list.
    """

    chosen: tuple[Candidate, ...]
    confidence: float
    status: Status
    count: int = 0


NOTHING = Reading((), 0.0, "not_found")


def read(question: Question, passages: Sequence[Passage], embedding: Embedding, lexicon: Lexicon) -> Reading:
    """Choose the few sentences that answer the question."""
    candidates = _describe_all(question, passages, embedding, lexicon)
    if not candidates:
        return NOTHING
    sides = question.sides
    if sides and not _compares(candidates[0].words, sides, lexicon):
        one, other = (_read_side(side, sides, passages, embedding, lexicon) for side in sides)
        if _places(one) != _places(other):
            # As sure as of the side that the documents say less surely.
            return _conclude((*one.chosen, *other.chosen), min(one.confidence, other.confidence))
    if question.parts and not _is_one(question, candidates[0], passages):
        readings = [read(part, passages, embedding, lexicon) for part in question.parts]
        if len({place for reading in readings for place in _places(reading)[:1]}) > 1:
            return _join(question.parts, readings)
    choice = choose(question, candidates, load_model()["threshold"]["margin"], lexicon)
    sure = _judge_sure(question, _put_first(choice, candidates), lexicon)
    if question.asks_whether and not _speak_of_all(question.named, passages):
        sure *= UNHEARD
    return replace(_conclude(choice.shown, sure), count=choice.count)


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
    for part, reading in zip(parts, readings, strict=True):
        if is_known and reading.status == "not_found":
            continue
        # What belongs together is shown whole; what merely stands beside the best is left out.
        most = len(reading.chosen) if reading.count or part.kind == "reason" or part.asks_how else 1
        for place, candidate in zip(_places(reading), reading.chosen[:most], strict=False):
            chosen.setdefault(place, candidate)
    least = min(readings, key=lambda reading: reading.confidence)
    answers = any(reading.status == "answered" for reading in readings)
    status: Status = "nearest" if answers and least.status == "not_found" else least.status
    return Reading(tuple(chosen.values()), least.confidence, status)


def _put_first(choice: Choice, ranked: Sequence[Candidate]) -> Sequence[Candidate]:
    """The candidates with the best one of the list that is shown before all others: it covers what its list does."""
    if not choice.count:
        return ranked
    best = max(choice.shown, key=lambda candidate: candidate.score)
    coverage = max(best.features["coverage"], choice.share)
    listed = replace(best, features={**best.features, "coverage": coverage})
    return [listed, *(candidate for candidate in ranked if candidate is not best)]


def _conclude(chosen: Sequence[Candidate], confidence: float) -> Reading:
    limits = load_model()["threshold"]
    status: Status = "not_found" if not chosen or confidence < limits["nearest"] else "nearest"
    return Reading(tuple(chosen), confidence, "answered" if chosen and confidence >= limits["answered"] else status)


def _speak_of_all(named: Sequence[str], passages: Sequence[Passage]) -> bool:
    """Whether each of the names' terms stands in some passage."""
    said = set(find_terms(" ".join(f"{passage.title} {passage.text}" for passage in passages)))
    return said.issuperset(named)


def _judge_sure(question: Question, ranked: Sequence[Candidate], lexicon: Lexicon) -> float:
    """The probability that the documents answer: that they speak of the topic, times that they state the fact."""
    judged, model = judge(question, ranked[:CLOSELY_READ], lexicon), load_model()
    return estimate(model["topic"], judged) * estimate(model["fact"], judged)


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
    for candidate in _describe_all(side.question, passages, embedding, lexicon):
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
    return _conclude(ranked[:1], _judge_sure(side.question, ranked, lexicon))


def _places(reading: Reading) -> list[tuple[str, int]]:
    return [(c.passage.document_id, c.sentence.start) for c in reading.chosen]


# -- describing -------------------------------------------------------------------------------


def describe(
    question: Question, passages: Sequence[Passage], embedding: Embedding, lexicon: Lexicon
) -> list[Candidate]:
    """The prose sentences of the passages that are worth a close look, with features and score, best first."""
    return _describe_all(question, passages, embedding, lexicon)[:CLOSELY_READ]


def _describe_all(
    question: Question, passages: Sequence[Passage], embedding: Embedding, lexicon: Lexicon
) -> list[Candidate]:
    """The same of all prose sentences."""
    terms, rarity = question.terms, weigh_terms(question, lexicon)
    found: list[tuple[Candidate, str]] = []
    for passage in passages:
        previous = ""
        for position, content in enumerate(find_content(passage, question.words)):
            place, sentence, heading = content.place, content.sentence, " ".join(content.above)
            words = passage.line_of(sentence)
            # What the sentence itself leaves to its heading, or to the sentence before, counts for less.
            own = set(find_terms(f"{content.beside} {words}"))
            context = f"{passage.title} {heading} {previous if leans(words) else ''}".strip()
            lent = set(find_terms(context))
            places = [place] if content.question is None else [place, content.question]
            features = {
                "coverage": _share(terms, own, rarity) + LENT_SHARE * _share(terms, lent - own, rarity),
                "pairs": _share_pairs(question.pairs, f"{content.beside} {words}"),
                "similarity": max(0.0, *(passage.similarities[i] for i in places)) if passage.similarities else 0.0,
                "passage": passage.score,
                "asked_kind": float(holds(question.kind, words, question.query)),
                "length": min(1.0, len(own) / 40),
                "explains": explains(words, question.definition) if question.definition else 0.0,
                "header": float(is_header(question.words, passage, sentence)),
                "imprint": float(is_imprint(question.words, passage, sentence)),
            }
            text = f"{heading}: {words}" if heading else f"{previous} {words}" if leans(words) else words
            found.append((Candidate(passage, sentence, position, words, features, 0.0, context, content.above), text))
            previous = words
    if not all(passage.similarities for passage in passages):
        candidates = _embed_best(question.query, found, embedding)
    else:
        candidates = [candidate for candidate, _ in found]
    return sorted(_compare(candidates), key=lambda c: -c.score)


def _embed_best(query: str, found: Sequence[tuple[Candidate, str]], embedding: Embedding) -> list[Candidate]:
    """Those that look best, with their similarity, where the embedding gave the store nothing for sentences."""
    best = sorted(found, key=lambda pair: -pair[0].features["coverage"] - pair[0].features["passage"])[:CLOSELY_READ]
    query_vector, *vectors = embedding.embed([query, *(text for _, text in best)])
    return [
        replace(c, features={**c.features, "similarity": max(0.0, float(vector @ query_vector))})
        for (c, _), vector in zip(best, vectors, strict=True)
    ]


def _compare(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates with their scores: to be the best of all in a feature counts beside the feature itself."""
    best = {name: max((c.features[name] for c in candidates), default=0.0) for name in COMPARED}
    compared = []
    for candidate in candidates:
        leads = {f"best_{name}": float(candidate.features[name] >= best[name]) for name in COMPARED}
        features = {**candidate.features, **leads}
        compared.append(replace(candidate, features=features, score=weigh(load_model()["sentence"], features)))
    return compared


def judge(question: Question, ranked: Sequence[Candidate], lexicon: Lexicon) -> dict[str, float]:
    """What speaks for and against the documents answering at all, from the ranked candidates.

    strewn: the share of the question that the best sentence leaves to others of its passage. Such words do stand
    near the topic, but not together: what a near miss is often made of.
    """
    best = ranked[0]
    rarity = weigh_terms(question, lexicon)
    passage = f"{best.passage.title} {best.passage.text}"
    around = set(find_terms(passage))
    said = set(find_terms(f"{best.passage.title} {best.words}"))
    named = [term for term in question.named if term in rarity]
    return {
        "coverage": best.features["coverage"],
        "similarity": best.features["similarity"],
        "most_similar": max(c.features["similarity"] for c in ranked),
        "names": _share(named, around, rarity) if named else 1.0,
        "strewn": _share(question.terms, around - said, rarity),
        **find_conflicts(question, best.words, passage),
    }


def weigh_terms(question: Question, lexicon: Lexicon) -> dict[str, float]:
    """What each term of the query counts: its rarity, and a third of that for what the conversation lent."""
    rarities = lexicon.rarity(question.terms)
    return {term: rarity if term in question.asked else rarity / 3 for term, rarity in rarities.items()}


def _share_pairs(pairs: Sequence[tuple[str, str]], words: str) -> float:
    """The share of the query's pairs of neighbouring words, little ones too, that are neighbours in the sentence."""
    said = set(pairwise(find_terms(words)))
    return sum(pair in said for pair in pairs) / len(pairs) if pairs else 0.0


def _share(terms: Sequence[str], held: set[str], rarity: Mapping[str, float]) -> float:
    """The share of the question's terms that are held, each weighing as much as it is rare."""
    total = sum(rarity[term] for term in terms)
    return sum(rarity[term] for term in terms if term in held) / total if total else 0.0


# -- the fitted numbers -----------------------------------------------------------------------


@cache
def load_model() -> dict[str, dict[str, float]]:
    """The weights of the three sums, by the names of what they weigh, and the thresholds."""
    return load_sums(MODEL_FILE)
