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
same, however many questions they have. `answered` is the confidence that a share of ANSWERED of the answerable
questions have, `nearest` that of KEPT of them; `margin` shows MEAN_SHOWN sentences of an answerable question.
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
from assistant.quoting.reader import MODEL_FILE, describe, judge, load_model
from benchmarks.command import describe_machine, heed_signals, tell, write_json
from benchmarks.reader import KINDS, auroc, mean
from benchmarks.reading_sets import ReadingSet, find_sets
from index.library import finish, open_library
from index.settings import Settings

PENALTY = 10.0  # of the squared weights of a sentence's features, each in units of its spread
CLOSENESS = 10.0  # of the logistic regressions to what they are fitted to: the inverse of their penalty
MEAN_SHOWN = 1.8  # sentences that the answer to an answerable question is to have
ANSWERED, KEPT = 0.78, 0.96  # of the answerable questions
JUDGED = 4  # of a question's best candidates: another fit may prefer another of them

Fitted = dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class Row:
    """One question: the features of its candidates, which of them answer, and what each of the first is judged by."""

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
                candidates = describe(asked, passages, library.embedding, library.store.lexicon)
                if not candidates:
                    continue
                cited = (cite(1, candidate.passage, candidate.sentence) for candidate in candidates)
                is_answerable = example.kind == "answerable"
                firsts = ([c, *(other for other in candidates if other is not c)] for c in candidates[:JUDGED])
                yield Row(
                    example.kind,
                    example.group,
                    [candidate.features for candidate in candidates],
                    np.array([is_answerable and example.answers(citation) for citation in cited]),
                    [judge(asked, ranked, library.store.lexicon) for ranked in firsts],
                )
            library.store.close()


# -- fitting ----------------------------------------------------------------------------------


def fit(sets: Mapping[str, Sequence[Row]]) -> Fitted:
    """The three sums and the limits."""
    model: Fitted = {"sentence": fit_choice(sets, list(load_model()["sentence"]))}
    chosen = [(name, row, _choose(row, model["sentence"])[0]) for name, members in sets.items() for row in members]
    kinds = np.array([row.kind for _, row, _ in chosen])
    places = [f"{name} {row.kind}" for name, row, _ in chosen]
    counts = Counter(places)
    weights = np.array([1 / counts[place] for place in places])
    present, answerable = kinds != "absent", kinds == "answerable"
    for name, asked, right in (("topic", np.full(len(kinds), True), present), ("fact", present, answerable)):
        features = [feature for feature in load_model()[name] if feature != "intercept"]
        table = np.array([[row.judged[best][feature] for feature in features] for _, row, best in chosen])
        scaled = weights[asked] * asked.sum() / weights[asked].sum()
        fitted = LogisticRegression(C=CLOSENESS, max_iter=3000).fit(table[asked], right[asked], scaled)
        model[name] = _name(["intercept", *features], [*fitted.intercept_, *fitted.coef_[0]])
    shown = [(weight, row) for weight, (_, row, _) in zip(weights, chosen, strict=True) if row.kind == "answerable"]
    share = np.array([weight for weight, _ in shown])
    confidence = np.array([estimate_confidence(row, model) for _, row in shown])
    behind = [_choose(row, model["sentence"])[1] for _, row in shown]
    distances = np.concatenate(behind)
    each = np.concatenate([[weight] * len(row) for weight, row in zip(share, behind, strict=True)])
    order = np.argsort(distances)
    within = np.cumsum(each[order]) / share.sum()
    model["threshold"] = {
        "answered": round(_quantile(confidence, share, 1 - ANSWERED), 3),
        "nearest": round(_quantile(confidence, share, 1 - KEPT), 3),
        "margin": round(float(distances[order][np.searchsorted(within, MEAN_SHOWN) - 1]), 3),
    }
    return model


def fit_choice(sets: Mapping[str, Sequence[Row]], names: list[str]) -> dict[str, float]:
    """The weights of the features, fitted on the questions that some sentence answers and some other does not."""
    pairs, shares = [], []
    for members in sets.values():
        told = [row for row in members if 0 < row.right.sum() < len(row.right)]
        pairs += [(_table(row, names), row.right) for row in told]
        shares += [1 / len(told)] * len(told)
    spread = np.concatenate([features for features, _ in pairs]).std(axis=0) + 1e-9
    scale = len(pairs) / sum(shares)

    def loss(weights: Any) -> tuple[float, Any]:
        total, slope = PENALTY / 2 * weights @ weights, PENALTY * weights
        for (features, right), share in zip(pairs, shares, strict=True):
            scaled = features / spread
            chances = softmax(scaled @ weights)
            chance = chances[right].sum()
            total -= share * scale * np.log(chance)
            slope = slope + share * scale * (chances - chances * right / chance) @ scaled
        return total, slope

    return _name(names, minimize(loss, np.zeros(len(names)), jac=True).x / spread)


def estimate_confidence(row: Row, model: Fitted) -> float:
    """What a model makes of a question: see `assistant.quoting.reader`."""
    judged = row.judged[_choose(row, model["sentence"])[0]]
    product = 1.0
    for name in ("topic", "fact"):
        sum_ = sum(weight * (1.0 if key == "intercept" else judged[key]) for key, weight in model[name].items())
        product *= float(expit(sum_))
    return product


def _choose(row: Row, weights: Mapping[str, float]) -> tuple[int, Any]:
    """The place of the best of the judged candidates, and how far the next are behind it, itself the first."""
    scores = _table(row, list(weights)) @ np.array(list(weights.values()))
    best = int(np.argmax(scores[: len(row.judged)]))
    return best, np.sort(np.maximum(0.0, scores[best] - scores))[:MOST_QUOTED]


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
    weights, limits = model["sentence"], model["threshold"]
    confidence = np.array([estimate_confidence(row, model) for row in rows])
    kinds = np.array([row.kind for row in rows])
    answerable, absent, impossible = (kinds == kind for kind in KINDS)
    firsts, shown, counts = [], [], []
    for row, sure in zip(rows, confidence, strict=True):
        scores = _table(row, list(weights)) @ np.array(list(weights.values()))
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
        "answered": mean(confidence[answerable] >= limits["answered"]),
        "not_found": mean(confidence[answerable] < limits["nearest"]),
        "answered_absent": mean(confidence[absent] >= limits["answered"]),
        "answered_near_miss": mean(confidence[impossible] >= limits["answered"]),
    }
    return {name: value for name, value in figures.items() if not np.isnan(value)}


if __name__ == "__main__":
    main()
