"""The reader without a language model: which sentences of the passages answer the question, and how surely.

Every prose sentence of the passages is described by a handful of numbers between 0 and 1, whose weighted sum is
its score. Two more such sums say how probably the documents speak of the topic at all, and how probably
the best sentence then states the very fact that is asked for; their product is the confidence. The
weights are the readable numbers in `reader.json`, fitted by `benchmarks/fit_reader.py`.

But: it finds sentences that speak of what is asked. It cannot add up, compare or conclude, and a
sentence with the right subject and another attribute can take it in.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path

from assistant.asked import asks_for, find_names, holds, leans
from assistant.conflicts import find_conflicts
from index.documents import Passage
from index.embedding import Embedding
from index.lexicon import Lexicon
from index.sentences import Sentence
from index.terms import find_content_terms, find_query_terms, find_terms

MOST_QUOTED = 3
CLOSELY_READ = 16
LENT_SHARE = 0.6
COMPARED = ("coverage", "similarity")  # to be the first of all sentences in one of these counts too
MODEL_FILE = Path(__file__).with_name("reader.json")


@dataclass(frozen=True, slots=True)
class Candidate:
    """One sentence that might answer, with what is known of it.

    position: its place among the prose sentences of its passage.
    features: from 0 to 1, by name; see `describe`.
    """

    passage: Passage
    sentence: Sentence
    position: int
    words: str
    features: Mapping[str, float]
    score: float


@dataclass(frozen=True, slots=True)
class Reading:
    """The sentences that answer, best first, and the probability that the documents do answer."""

    chosen: tuple[Candidate, ...]
    confidence: float


def read(question: str, query: str, passages: Sequence[Passage], embedding: Embedding, lexicon: Lexicon) -> Reading:
    """Choose at most three sentences that answer the question; `query` also has what it leaves to the conversation."""
    candidates = describe(question, query, passages, embedding, lexicon)
    if not candidates:
        return Reading((), 0.0)
    judged, model = judge(question, query, candidates, lexicon), load_model()
    confidence = _logistic(model["topic"], judged) * _logistic(model["fact"], judged)
    return Reading(_choose(question, candidates), confidence)


def threshold() -> float:
    """The confidence below which the documents are taken not to answer."""
    return float(load_model()["threshold"]["found"])


# -- choosing ---------------------------------------------------------------------------------


def _choose(question: str, ranked: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """The best sentence with what it needs around it: a run for a reason, rivals for a list."""
    best = ranked[0]
    chosen = [best]
    limits = load_model()["threshold"]
    if asks_for(question) == "reason":
        # A reason often stands in the sentences after the one that names the matter.
        chosen += _run_to_reason(best, ranked)
        if not any(holds("reason", c.words, "") for c in chosen):
            # "It was not on the way." is no answer to why it was not.
            chosen += [c for c in ranked if holds("reason", c.words, "")][:1]
    elif leans(best.words):
        chosen += [c for c in ranked if c.passage is best.passage and c.position == best.position - 1]
    kept = list(chosen)
    for candidate in ranked[1:]:
        if len(chosen) >= MOST_QUOTED or candidate.score < best.score - limits["margin"]:
            break
        if candidate not in chosen and not any(_same_words(candidate, other) for other in chosen):
            chosen.append(candidate)
    # The best comes first, with what belongs to it in reading order; then the others as they rank.
    beside = [c for c in chosen[:MOST_QUOTED] if c.passage is best.passage and c in kept]
    return (*sorted(beside, key=lambda c: c.position), *(c for c in chosen[:MOST_QUOTED] if c not in beside))


def _run_to_reason(best: Candidate, ranked: Sequence[Candidate]) -> list[Candidate]:
    """The sentences after the best one up to the first that gives a reason; none where it does so itself."""
    near = [c for c in ranked if c.passage is best.passage and 0 < c.position - best.position < MOST_QUOTED]
    run = sorted(near, key=lambda c: c.position)
    reasons = [i for i, candidate in enumerate([best, *run]) if holds("reason", candidate.words, "")]
    return run[: reasons[0]] if reasons else []


def _same_words(one: Candidate, other: Candidate) -> bool:
    return find_terms(one.words) == find_terms(other.words)


# -- describing -------------------------------------------------------------------------------


def describe(
    question: str, query: str, passages: Sequence[Passage], embedding: Embedding, lexicon: Lexicon
) -> list[Candidate]:
    """The prose sentences of the passages that are worth a close look, with features and score, best first."""
    terms = find_query_terms(query)
    rarity = weigh_terms(question, terms, lexicon)
    kind = asks_for(question)
    found: list[tuple[Candidate, str]] = []
    for passage in passages:
        prose = [(i, s) for i, s in enumerate(passage.sentences) if s.kind == "prose"]
        headings = [s for s in passage.sentences if s.kind == "heading"]
        texts = [" ".join(passage.words_of(s).split()) for _, s in prose]
        for position, ((place, sentence), words) in enumerate(zip(prose, texts, strict=True)):
            heading = " ".join([passage.words_of(s) for s in headings if s.start < sentence.start][-1:])
            previous = texts[position - 1] if position else ""
            # What the sentence itself leaves to its heading, or to the sentence before, counts for less.
            own = set(find_terms(words))
            lent = set(find_terms(f"{passage.title} {heading} {previous if leans(words) else ''}"))
            features = {
                "coverage": _share(terms, own, rarity) + LENT_SHARE * _share(terms, lent - own, rarity),
                "pairs": _share_pairs(query, words),
                "similarity": max(0.0, passage.similarities[place]) if passage.similarities else 0.0,
                "passage": passage.score,
                "asked_kind": float(holds(kind, words, query)),
                "length": min(1.0, len(own) / 40),
            }
            context = f"{heading}: {words}" if heading else f"{previous} {words}" if leans(words) else words
            found.append((Candidate(passage, sentence, position, words, features, 0.0), context))
    if not all(passage.similarities for passage in passages):
        candidates = _embed_best(query, found, embedding)
    else:
        candidates = [candidate for candidate, _ in found]
    return sorted(_compare(candidates), key=lambda c: -c.score)[:CLOSELY_READ]


def _embed_best(query: str, found: Sequence[tuple[Candidate, str]], embedding: Embedding) -> list[Candidate]:
    """Those that look best, with their similarity, where the embedding gave the store nothing for sentences."""
    best = sorted(found, key=lambda pair: -pair[0].features["coverage"] - pair[0].features["passage"])[:CLOSELY_READ]
    query_vector, *vectors = embedding.embed([query, *(context for _, context in best)])
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
        compared.append(replace(candidate, features=features, score=_weigh(load_model()["sentence"], features)))
    return compared


def judge(question: str, query: str, ranked: Sequence[Candidate], lexicon: Lexicon) -> dict[str, float]:
    """What speaks for and against the documents answering at all, from the ranked candidates.

    strewn: the share of the question that the best sentence leaves to others of its passage. Such words do stand
    near the topic, but not together: what a near miss is often made of.
    """
    best = ranked[0]
    terms = find_query_terms(query)
    rarity = weigh_terms(question, terms, lexicon)
    passage = f"{best.passage.title} {best.passage.text}"
    around = set(find_terms(passage))
    said = set(find_terms(f"{best.passage.title} {best.words}"))
    named = [term for term in find_content_terms(" ".join(find_names(question))) if term in rarity]
    return {
        "coverage": best.features["coverage"],
        "similarity": best.features["similarity"],
        "most_similar": max(c.features["similarity"] for c in ranked),
        "names": _share(named, around, rarity) if named else 1.0,
        "strewn": _share(terms, around - said, rarity),
        **find_conflicts(question, best.words, passage),
    }


def weigh_terms(question: str, terms: Sequence[str], lexicon: Lexicon) -> dict[str, float]:
    """What each term of the query counts: its rarity, and a third of that for what the conversation lent."""
    asked = {*find_terms(question)}
    return {term: rarity if term in asked else rarity / 3 for term, rarity in lexicon.rarity(terms).items()}


def _share_pairs(query: str, words: str) -> float:
    """The share of the query's pairs of neighbouring words, little ones too, that are neighbours in the sentence."""
    pairs = list(pairwise(find_terms(query)))
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
    model: dict[str, dict[str, float]] = json.loads(MODEL_FILE.read_text(encoding="utf-8"))
    return model


def _weigh(weights: Mapping[str, float], features: Mapping[str, float]) -> float:
    """The weighted sum of those features that have a weight."""
    intercept = weights.get("intercept", 0.0)
    return intercept + sum(weight * features[name] for name, weight in weights.items() if name != "intercept")


def _logistic(weights: Mapping[str, float], features: Mapping[str, float]) -> float:
    return 1 / (1 + math.exp(-_weigh(weights, features)))
