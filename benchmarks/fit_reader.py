"""Fit the reader's weighted sums on many kinds of text, and say how well they do on kinds that they have not seen.

    python -m benchmarks.fit_reader [--squad FILE ...] [--clapnq FOLDER] [--qa FOLDER] [--folders FOLDER ...]
                                    [--questions 600] [--write] [--json FILE]

The sets are those of `benchmarks.reading_sets`; of each, at most so many questions of a kind are asked. With --write
the numbers fitted on all of them become those that ship, in `assistant/quoting/reader.json`.

The figures that it prints are of sets left out: the questions of a set are read by weights and limits that were fitted
on all others, and the last column is their mean. first, shown: an answering sentence is the first, is among those
shown, refused questions included. answered, not found: shares of answerable questions by status. The aurocs tell
answerable questions from absent ones and near misses, by confidence.

The weights of a sentence are a conditional logit (McFadden 1974, "Conditional Logit Analysis of Qualitative Choice
Behavior"): of a question's sentences, those that answer are to be the likeliest choice. Topic and fact are logistic
regressions, one of absent questions against all others, one of answerable against impossible ones. All sets weigh the
same, however many questions they have. Where the embedding does not know a question's language, topic and fact are
told by words alone, by sums of their own: the topic's fitted on all questions, the fact's on those that it knows.
A question is answered where topic and fact are as probable as ANSWERED says; `nearest` is the confidence, which is
their product, that a share of KEPT of the answerable questions have; `margin` shows MEAN_SHOWN sentences of one.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, softmax
from sklearn.linear_model import LogisticRegression

from assistant.chain import retrieve_passages
from assistant.citing.citations import cite
from assistant.question.question import read_question
from assistant.quoting.choice import MOST_QUOTED
from assistant.quoting.features import CLOSELY_READ, MODEL_FILE, describe, judge, load_model, seek
from benchmarks.command import describe_machine, heed_signals, tell, write_json
from benchmarks.reader import KINDS, auroc, mean
from benchmarks.reading_sets import ReadingSet, find_sets
from index.library import finish, open_library
from index.settings import Settings

PENALTY = 10.0  # of the squared weights of a sentence's features, each in units of its spread
CLOSENESS = 10.0  # of the logistic regressions to what they are fitted to: the inverse of their penalty
MEAN_SHOWN = 2.05  # sentences that the answer to an answerable question is to have
ANSWERED = {"topic": 0.35, "fact": 0.59}  # two in five near misses of articles are answered, and four in five answers
KEPT = 0.96  # of the answerable questions
FEATURES = {
    "topic": ["most_similar", "coverage", "names", "listed"],
    "fact": ["similarity", "bound", "rival", "number", "listed"],
    "topic_in_words": ["coverage", "names"],
    "fact_in_words": ["coverage", "rival", "number", "negation", "listed"],
}
JUDGED = 4  # of a question's best candidates: another fit may prefer another of them

Fitted = dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class Row:
    """One question: the features of its candidates, which of them answer, and what each of the first is judged by.

    is_understood: whether the embedding knows its language.
    """

    is_understood: bool
    kind: str
    group: str
    features: Sequence[Mapping[str, float]]
    right: Any
    judged: Sequence[Mapping[str, float]]


def main() -> None:
    """Collect, fit, report, write."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--squad", type=Path, nargs="*", default=[])
    arguments.add_argument("--clapnq", type=Path)
    arguments.add_argument("--qa", type=Path)
    arguments.add_argument("--folders", type=Path, nargs="*", default=[])
    arguments.add_argument("--questions", type=int, default=600, metavar="N", help="at most so many of each kind")
    arguments.add_argument("--write", action="store_true")
    arguments.add_argument("--json", type=Path)
    given = arguments.parse_args()
    heed_signals()
    sets = find_sets(given.squad, given.clapnq, given.qa, given.folders)
    rows = {one.name: list(collect(one, given.questions)) for one in sets}
    systems = {}
    for name, members in rows.items():
        others = {other: rows[other] for other in rows if other != name}
        if {row.kind for other in others.values() for row in other}.issuperset(KINDS):
            systems[name] = measure(members, fit(others))
    model = fit(rows)
    if given.write:
        MODEL_FILE.write_text(json.dumps(model, indent=1) + "\n", encoding="utf-8")
    names = list(dict.fromkeys(key for figures in systems.values() for key in figures))
    systems["mean"] = {key: mean([figures.get(key, np.nan) for figures in systems.values()]) for key in names}
    print(f"{describe_machine()}\n")
    print(f"| left out | {' | '.join(systems)} |\n|{'---|' * (len(systems) + 1)}")
    for key in names:
        cells = (f"{figures[key]:.3f}" if key in figures else "-" for figures in systems.values())
        print(f"| {key.replace('_', ' ')} | {' | '.join(cells)} |")
    write_json(given.json, {"set": "reading", "systems": systems, "model": model})


def collect(reading_set: ReadingSet, most: int) -> Iterator[Row]:
    """The questions of a set, asked of its folders; those that find no sentence are left out."""
    for writer in reading_set.writers:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "documents"
            folder.mkdir()
            examples = writer(folder)
            random.Random(0).shuffle(examples)
            library = finish(open_library(folder, Settings.from_environment({"FOOTNOTE_STORE": f"{temporary}/stores"})))
            finish(library.sync())
            taken: Counter[str] = Counter()
            for number, example in enumerate(examples):
                taken[example.kind] += 1
                if taken[example.kind] > most:
                    continue
                if number % 100 == 0:
                    tell(f"{reading_set.name}: {number} of {len(examples)} questions")
                asked = read_question(example.text)
                passages = retrieve_passages(asked, library)
                sought = seek(asked, library.embedding, library.store.lexicon)
                candidates = describe(asked, passages, sought, library.embedding)[:CLOSELY_READ]
                if not candidates:
                    continue
                cited = (cite(1, candidate.passage, candidate.sentence) for candidate in candidates)
                is_answerable = example.kind == "answerable"
                firsts = ([c, *(other for other in candidates if other is not c)] for c in candidates[:JUDGED])
                yield Row(
                    sought.is_understood,
                    example.kind,
                    example.group,
                    [candidate.features for candidate in candidates],
                    np.array([is_answerable and example.answers(citation) for citation in cited]),
                    [judge(asked, ranked, sought) for ranked in firsts],
                )
            library.store.close()


# -- fitting ----------------------------------------------------------------------------------


def fit(sets: Mapping[str, Sequence[Row]]) -> Fitted:
    """The sums and the limits."""
    understood = {name: [row for row in members if row.is_understood] for name, members in sets.items()}
    # Of a set in another language a few questions may look as if they were in English.
    understood = {name: members for name, members in understood.items() if 2 * len(members) > len(sets[name])}
    known = load_model()
    model: Fitted = {name: fit_choice(understood, known[name]) for name in ("glance", "sentence")}
    for name, features in FEATURES.items():
        of_topic = name.startswith("topic")
        asked = sets if name == "topic_in_words" else understood
        rows = [(of, row) for of, members in asked.items() for row in members if of_topic or row.kind != "absent"]
        right = [row.kind != "absent" if of_topic else row.kind == "answerable" for _, row in rows]
        table = [[_judge(row, model)[feature] for feature in features] for _, row in rows]
        fitted = LogisticRegression(C=CLOSENESS, max_iter=3000).fit(np.array(table), right, _weigh_sets(rows))
        model[name] = _name(["intercept", *features], [*fitted.intercept_, *fitted.coef_[0]])
    rows = [(of, row) for of, members in understood.items() for row in members if row.kind == "answerable"]
    weights = _weigh_sets(rows)
    confidence = np.array([estimate_confidence(row, model) for _, row in rows])
    behind = [_choose(row, model)[1] for _, row in rows]
    distances, each = np.concatenate(behind), np.repeat(weights, list(map(len, behind)))
    model["threshold"] = {
        **ANSWERED,
        "nearest": round(_quantile(confidence, weights, 1 - KEPT), 3),
        "margin": round(_quantile(distances, each, MEAN_SHOWN * len(rows) / each.sum()), 3),
    }
    return model


def _weigh_sets(rows: Sequence[tuple[str, Row]]) -> Any:
    """What each question counts: all sets the same, and in a set all kinds; their mean is 1."""
    counts = Counter((name, row.kind) for name, row in rows)
    weights = np.array([1 / counts[name, row.kind] for name, row in rows])
    return weights / weights.mean()


def fit_choice(sets: Mapping[str, Sequence[Row]], known: Mapping[str, float]) -> dict[str, float]:
    """The weights of the features, fitted on the questions that some sentence answers and some other does not.

    known: the weights as they were; one of a feature that is the same everywhere, so that nothing tells, is kept.
    """
    told = {name: [row for row in members if 0 < row.right.sum() < len(row.right)] for name, members in sets.items()}
    shares = np.concatenate([[1 / len(rows)] * len(rows) for rows in told.values() if rows])
    shares /= shares.mean()
    rows = [row for members in told.values() for row in members]
    spread = np.concatenate([_table(row, list(known)) for row in rows]).std(axis=0)
    names = [name for name, width in zip(known, spread, strict=True) if width > 0]
    spread = spread[spread > 0]
    pairs = [(_table(row, names) / spread, row.right) for row in rows]

    def loss(weights: Any) -> tuple[float, Any]:
        total, slope = PENALTY / 2 * weights @ weights, PENALTY * weights
        for (scaled, right), share in zip(pairs, shares, strict=True):
            chances = softmax(scaled @ weights)
            chance = chances[right].sum()
            total -= share * np.log(chance)
            slope = slope + share * (chances - chances * right / chance) @ scaled
        return total, slope

    return {**known, **_name(names, minimize(loss, np.zeros(len(names)), jac=True).x / spread)}


def estimate_confidence(row: Row, model: Fitted) -> float:
    """What a model makes of a question: see `assistant.quoting.reader`."""
    topic, fact = _estimate_both(row, model)
    return topic * fact


def is_answered(row: Row, model: Fitted) -> bool:
    """Whether a model calls a question answered."""
    limits = model["threshold"]
    topic, fact = _estimate_both(row, model)
    return topic >= limits["topic"] and fact >= limits["fact"]


def _estimate_both(row: Row, model: Fitted) -> tuple[float, float]:
    judged = _judge(row, model)
    names = ("topic", "fact") if row.is_understood else ("topic_in_words", "fact_in_words")
    sums = (sum(w * (1.0 if k == "intercept" else judged[k]) for k, w in model[name].items()) for name in names)
    topic, fact = map(float, map(expit, sums))
    return topic, fact


def _judge(row: Row, model: Fitted) -> Mapping[str, float]:
    return row.judged[_choose(row, model)[0]]


def _choose(row: Row, model: Fitted) -> tuple[int, Any]:
    """The place of the best of the judged candidates, and how far the next are behind it, itself the first."""
    scores = _score(row, model)
    best = int(np.argmax(scores[: len(row.judged)]))
    return best, np.sort(np.maximum(0.0, scores[best] - scores))[:MOST_QUOTED]


def _score(row: Row, model: Fitted) -> Any:
    return _table(row, list(model["sentence"])) @ np.array(list(model["sentence"].values()))


def _table(row: Row, names: Sequence[str]) -> Any:
    return np.array([[features[name] for name in names] for features in row.features])


def _quantile(values: Any, weights: Any, share: float) -> float:
    order = np.argsort(values)
    return float(values[order][np.searchsorted(np.cumsum(weights[order]) / weights.sum(), share)])


def _name(names: Sequence[str], weights: Any) -> dict[str, float]:
    return {name: round(float(weight), 3) for name, weight in zip(names, weights, strict=True)}


# -- measuring --------------------------------------------------------------------------------


def measure(rows: Sequence[Row], model: Fitted) -> dict[str, float]:
    """How a model does on a set's questions."""
    limits = model["threshold"]
    confidence = np.array([estimate_confidence(row, model) for row in rows])
    answered = np.array([is_answered(row, model) for row in rows]) & (confidence >= limits["nearest"])
    kinds = np.array([row.kind for row in rows])
    answerable, absent, impossible = (kinds == kind for kind in KINDS)
    firsts, shown, counts = [], [], []
    for row, sure in zip(rows, confidence, strict=True):
        scores = _score(row, model)
        order = np.argsort(-scores, kind="stable")
        near = [i for i in order[:MOST_QUOTED] if scores[order[0]] - scores[i] <= limits["margin"]]
        is_kept = sure >= limits["nearest"]
        firsts.append(is_kept and bool(row.right[order[0]]))
        shown.append(is_kept and bool(row.right[near].any()))
        counts.append(len(near))
    figures = {
        "questions": float(len(rows)),
        "first": mean(np.array(firsts)[answerable]),
        "shown": mean(np.array(shown)[answerable]),
        "mean_shown": mean(np.array(counts)[answerable]),
        "auroc_absent": auroc(confidence[answerable], confidence[absent]),
        "auroc_near_miss": auroc(confidence[answerable], confidence[impossible]),
        "answered": mean(answered[answerable]),
        "not_found": mean(confidence[answerable] < limits["nearest"]),
        "answered_absent": mean(answered[absent]),
        "answered_near_miss": mean(answered[impossible]),
    }
    return {name: value for name, value in figures.items() if not np.isnan(value)}


if __name__ == "__main__":
    main()
