"""What is known of the sentences that might answer a question: a handful of numbers between 0 and 1 for each.

They are looked at twice. At a glance, all sentences of the passages are put in order by their words and their meaning;
the first few are then read together with the question by a cross-encoder, where the embedding has one, and put in order
anew. The weights of both sums are in `reader.json`.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import islice, pairwise
from pathlib import Path

from assistant.citing.sums import load_sums, weigh
from assistant.question.asked import holds, leans
from assistant.question.definition import explains
from assistant.question.question import Question
from assistant.quoting.candidates import Candidate
from assistant.quoting.conflicts import find_conflicts
from assistant.quoting.content import find_content, is_header, is_imprint
from index.documents import Passage
from index.embedding.protocol import CrossEncoder, Embedding
from index.searching.retriever import find_spelled
from index.splitting.folding import fold
from index.splitting.languages import ENGLISH, find_languages
from index.splitting.terms import find_terms
from index.storing.lexicon import Lexicon
from index.storing.relatives import find_spelled_out, weigh_held

CLOSELY_READ = 16  # of all sentences, the best by score
READ_TOGETHER = 6  # with the question, by the cross-encoder
UNREAD = 0.5  # what is known of how a sentence answers, where there is no cross-encoder
LENT_SHARE = 0.6
IMPRINT_SHARE = 0.7
COMPARED = ("coverage", "similarity")  # to be the first of all sentences in one of these counts too
MODEL_FILE = Path(__file__).with_name("reader.json")
_INITIALS = re.compile(r"\b[A-Z]{3,6}\b")


@dataclass(frozen=True, slots=True)
class Sought:
    """A question's terms as sentences are looked through for them.

    rarity: what each counts: its inverse document frequency, and a third of that for what the conversation lent.
    related: the terms that count as it, and how much. loosely: whether those that begin or end alike do too.
    initials: those of the terms that may be spelled out.
    is_understood: whether the embedding has a cross-encoder, and both know the question's language; where not, words
        alone say how surely documents answer.
    """

    rarity: Mapping[str, float]
    related: Mapping[str, Mapping[str, float]]
    loosely: bool
    initials: frozenset[str]
    is_understood: bool

    def hold(self, text: str) -> dict[str, float]:
        """How much of each term a text holds."""
        terms = {*find_terms(text), *(find_spelled_out(self.initials, text) if self.initials else ())}
        return weigh_held(self.related, terms, loosely=self.loosely)

    def share(self, held: Mapping[str, float], terms: Collection[str] | None = None) -> float:
        """The share of the terms that is held, each weighing as much as it counts. terms: some of them."""
        terms = self.rarity if terms is None else terms
        total = sum(self.rarity[term] for term in terms)
        return sum(self.rarity[term] * held[term] for term in terms) / total if total else 0.0


def seek(question: Question, embedding: Embedding, lexicon: Lexicon) -> Sought:
    """The terms of a question, with what is related to them in the folder."""
    found = lexicon.related(question.query, find_spelled(question.query, embedding))
    related = {term: found.get(term, {term: 1.0}) for term in question.terms}
    rarities = lexicon.rarity([*{*related, *(other for others in related.values() for other in others)}])
    # A word that stands nowhere is as rare as the commonest that counts as it.
    rarity = {term: min(rarities[other] for other in others) for term, others in related.items()}
    is_foreign = find_languages(question.query)[:1] not in ((), (ENGLISH,))
    return Sought(
        {term: each if term in question.asked else each / 3 for term, each in rarity.items()},
        related,
        loosely=is_foreign,
        initials=frozenset(map(fold, _INITIALS.findall(question.query))),
        is_understood=not is_foreign and isinstance(embedding, CrossEncoder),
    )


def describe(question: Question, passages: Sequence[Passage], sought: Sought, embedding: Embedding) -> list[Candidate]:
    """All that may answer in the passages, with features and score, best first."""
    found: list[tuple[Candidate, list[str]]] = []
    for passage in passages:
        previous = ""
        for position, content in enumerate(find_content(passage, question.words)):
            place, sentence, heading = content.place, content.sentence, " ".join(content.above)
            words = passage.line_of(sentence)
            before = previous if leans(words) else ""
            # What the sentence itself leaves to its heading, or to the sentence before, counts for less.
            own = f"{content.beside} {words}"
            context = f"{passage.title} {heading} {before}".strip()
            held = sought.hold(own)
            lent = {term: LENT_SHARE * max(0.0, share - held[term]) for term, share in sought.hold(context).items()}
            places = [place] if content.question is None else [place, content.question]
            # "Who wrote this?" is asked in words that the line which says it has not.
            imprint = is_imprint(question.words, passage, sentence)
            features = {
                "coverage": max(sought.share(held) + sought.share(lent), IMPRINT_SHARE * imprint),
                "pairs": _share_pairs(question.pairs, own),
                "similarity": max(0.0, *(passage.similarities[i] for i in places)) if passage.similarities else 0.0,
                "passage": passage.score,
                "asked_kind": float(holds(question.kind, words, question.query)),
                "length": min(1.0, len(set(find_terms(own))) / 40),
                "explains": explains(words, question.definition) if question.definition else 0.0,
                "header": float(is_header(question.words, passage, sentence)),
                "imprint": float(imprint),
            }
            # With what it stands under; prose, which may say by itself what it speaks of, without that too.
            said = f"{before} {words}".strip()
            texts = [": ".join((*content.above[-2:], said))]
            texts += [said] if content.above and sentence.kind == "prose" and not heading.endswith("?") else []
            candidate = Candidate(passage, sentence, position, words, features, 0.0, context, content.above)
            found.append((candidate, texts))
            previous = words
    if not all(passage.similarities for passage in passages):
        found = _embed_best(question.query, found, embedding)
    found = _compare(found)
    ranked = sorted(found, key=lambda pair: -weigh(load_model()["glance"], pair[0].features))
    cross_encoder = embedding if sought.is_understood and isinstance(embedding, CrossEncoder) else None
    return sorted(_read_together(question.query, ranked, cross_encoder), key=lambda c: -c.score)


def _embed_best(
    query: str, found: Sequence[tuple[Candidate, list[str]]], embedding: Embedding
) -> list[tuple[Candidate, list[str]]]:
    """Those that look best, with their similarity, where the embedding gave the store nothing for sentences."""
    best = sorted(found, key=lambda pair: -pair[0].features["coverage"] - pair[0].features["passage"])[:CLOSELY_READ]
    query_vector, *vectors = embedding.embed([query, *(texts[0] for _, texts in best)])
    return [
        (replace(c, features={**c.features, "similarity": max(0.0, float(vector @ query_vector))}), texts)
        for (c, texts), vector in zip(best, vectors, strict=True)
    ]


def _compare(found: Sequence[tuple[Candidate, list[str]]]) -> list[tuple[Candidate, list[str]]]:
    """The same with what each is beside the others: to be the best of all in a feature counts beside the feature."""
    best = {name: max((c.features[name] for c, _ in found), default=0.0) for name in COMPARED}
    leads = [{f"best_{name}": float(c.features[name] >= best[name]) for name in COMPARED} for c, _ in found]
    return [
        (replace(candidate, features={**candidate.features, **lead}), texts)
        for (candidate, texts), lead in zip(found, leads, strict=True)
    ]


def _read_together(
    query: str, ranked: Sequence[tuple[Candidate, list[str]]], cross_encoder: CrossEncoder | None
) -> list[Candidate]:
    """The candidates with how surely the first of them answer, and with their scores."""
    first = [texts for _, texts in ranked[:READ_TOGETHER]]
    scores = cross_encoder.score_pairs(query, [text for texts in first for text in texts]) if cross_encoder else None
    sure = [UNREAD] * len(ranked)
    if scores is not None:
        given = iter(scores)
        sure = [*(max(islice(given, len(texts))) for texts in first), *([0.0] * (len(ranked) - len(first)))]
    weights = load_model()["sentence"]
    described = ({**c.features, "bound": each} for (c, _), each in zip(ranked, sure, strict=True))
    return [
        replace(candidate, features=features, score=weigh(weights, features))
        for (candidate, _), features in zip(ranked, described, strict=True)
    ]


def judge(question: Question, ranked: Sequence[Candidate], sought: Sought) -> dict[str, float]:
    """What speaks for and against the documents answering at all, from the ranked candidates.

    names: the share of the question's names and numbers that stand in the best sentence's passage.
    listed: whether that sentence is no prose: rows and fields say the same in fewer words.
    """
    best = ranked[0]
    said = f"{best.passage.title} {best.context} {best.words}"
    # A row or a field says of something else than its neighbours do.
    passage = f"{best.passage.title} {best.passage.text}" if best.sentence.kind == "prose" else said
    named = [term for term in question.named if term in sought.rarity]
    return {
        "coverage": best.features["coverage"],
        "similarity": best.features["similarity"],
        "bound": best.features["bound"],
        "most_similar": max(c.features["similarity"] for c in ranked),
        "names": sought.share(sought.hold(passage), named) if named else 1.0,
        "listed": float(best.sentence.kind != "prose"),
        **find_conflicts(question, best.words, passage),
    }


def _share_pairs(pairs: Sequence[tuple[str, str]], words: str) -> float:
    """The share of the query's pairs of neighbouring words, little ones too, that are neighbours in the sentence."""
    said = set(pairwise(find_terms(words)))
    return sum(pair in said for pair in pairs) / len(pairs) if pairs else 0.0


# -- the fitted numbers -----------------------------------------------------------------------


@cache
def load_model() -> dict[str, dict[str, float]]:
    """The weights of the sums, by the names of what they weigh, and the thresholds."""
    return load_sums(MODEL_FILE)
