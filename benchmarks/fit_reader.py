"""Fit the reader's three weighted sums on SQuAD 2.0 articles, and say how well they do.

    python -m benchmarks.fit_reader --squad FILE [--questions 2400] [--write] [--json FILE]

With --write the fitted numbers become those that ship, in `assistant/quoting/reader.json`.

Half of the articles is indexed in one folder and half in another. A question is asked of the folder that
holds its article and of the one that does not, so that absent topics are really absent. The figures that it
prints are cross-validated by articles: no question is judged by a model that saw its article. They mean what they
mean in `benchmarks.reader`, but that answer_in_first and answer_in_shown also count what is refused.

The weights of a sentence are a conditional logit (McFadden 1974, "Conditional Logit Analysis of Qualitative Choice
Behavior"): of a question's sentences, those that answer are to be the likeliest choice. Topic and fact are logistic
regressions, one of absent questions against all others, one of answerable against impossible ones. The threshold is
where as many answerable questions are refused as absent ones are answered, in shares.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from assistant.question.question import read_question
from assistant.quoting.reader import MODEL_FILE, MOST_QUOTED, Candidate, describe, judge, load_model
from benchmarks.reader import Columns, measure_claims, measure_shown, normalise, report, with_intervals
from index.embedding.engines import open_embedding
from index.library import finish
from index.searching.retriever import retrieve
from index.settings import Settings
from index.storing.store import Store
from index.sync import sync

FOLDS = 4
PENALTY = 10.0  # of the squared weights of a sentence's features, each in units of its spread
MEAN_SHOWN = 1.85  # sentences that the answer to an answerable question is to have; to near misses it is more
LEVELS = [level / 1000 for level in range(1000)]  # of confidence, from which an answer may be shown


def main() -> None:
    """Collect, fit, report, write."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--squad", type=Path, required=True)
    arguments.add_argument("--questions", type=int, default=2400)
    arguments.add_argument("--write", action="store_true")
    arguments.add_argument("--json", type=Path)
    given = arguments.parse_args()
    articles = json.loads(given.squad.read_text(encoding="utf-8"))["data"]
    with tempfile.TemporaryDirectory() as temporary:
        rows = collect(articles, given.questions, Path(temporary))
        sentence, margin = fit_sentences(rows)
        topic, fact, found = fit_confidence(rows)
    limits = {"found": found, "margin": margin}
    model = {"sentence": sentence, "topic": topic, "fact": fact, "threshold": limits}
    if given.write:
        MODEL_FILE.write_text(json.dumps(model, indent=1) + "\n", encoding="utf-8")
    figures = with_intervals(columns(rows, margin, found), lambda asked: measure_shown(asked) | measure_claims(asked))
    report(given.squad.name, {"product": figures}, given.json)


def collect(articles: list[Any], most: int, temporary: Path) -> list[dict[str, Any]]:
    """The questions, each with its passages' sentences and their features; those that find no sentence are left out."""
    settings = Settings.from_environment({"FOOTNOTE_STORE": str(temporary / "stores")})
    embedding = finish(open_embedding(settings))
    stores = []
    for half in (0, 1):
        folder = temporary / f"half-{half}"
        folder.mkdir()
        for i, article in enumerate(articles):
            for j, paragraph in enumerate(article["paragraphs"] if i % 2 == half else ()):
                (folder / f"{i:03}-{j:03}.txt").write_text(paragraph["context"], encoding="utf-8", newline="")
        stores.append(Store(settings.store_folder, folder, embedding.name, settings.chunk_tokens))
        finish(sync(folder, stores[-1], embedding))
    questions = [
        (i, f"{i:03}-{j:03}.txt", question)
        for i, article in enumerate(articles)
        for j, paragraph in enumerate(article["paragraphs"])
        for question in paragraph["qas"]
    ]
    random.Random(1).shuffle(questions)
    rows = []
    for number, (i, path, question) in enumerate(questions[:most]):
        absent = number % 3 == 0
        store = stores[(i % 2) ^ absent]
        asked = read_question(question["question"])
        passages = retrieve(store, asked.query, embedding.embed_query(asked.query), settings.passage_count)
        candidates = describe(asked, passages, embedding, store.lexicon)
        rows.append(
            {
                "fold": i % FOLDS,
                "article": i,
                "path": path,
                "asked": asked,
                "kind": "absent" if absent else "impossible" if question["is_impossible"] else "answerable",
                "answers": [normalise(answer["text"]) for answer in question["answers"]],
                "candidates": candidates,
                "lexicon": store.lexicon,
            }
        )
        if number % 100 == 0:
            print(f"{number} of {min(most, len(questions))} questions", flush=True)
    return [row for row in rows if row["candidates"]]


def fit_sentences(rows: list[dict[str, Any]]) -> tuple[dict[str, float], float]:
    """The sentence weights, and how far behind the best a sentence may be and still be shown.

    Every row's candidates are put into the order that weights fitted on the other folds give them.
    """
    names = list(load_model()["sentence"])
    answerable = [row for row in rows if row["kind"] == "answerable"]
    for fold in range(FOLDS):
        weights = _fit_choice([row for row in answerable if row["fold"] != fold], names)
        for row in (row for row in rows if row["fold"] == fold):
            scored = zip(_features(row, names) @ weights, row["candidates"], strict=True)
            row["candidates"] = sorted((replace(c, score=float(s)) for s, c in scored), key=lambda c: -c.score)
    behind = sorted(distance for row in answerable for distance in _behind(row))
    return _named(names, _fit_choice(answerable, names)), round(behind[int(MEAN_SHOWN * len(answerable)) - 1], 3)


def _behind(row: dict[str, Any]) -> list[float]:
    """How far the best candidates are behind the first."""
    return [row["candidates"][0].score - candidate.score for candidate in row["candidates"][:MOST_QUOTED]]


def _fit_choice(rows: list[dict[str, Any]], names: list[str]) -> Any:
    """The weights of the features, fitted on the questions that some sentence answers and some other does not."""
    pairs = [
        (
            _features(row, names),
            np.array([_answers(row, c) and c.passage.path == row["path"] for c in row["candidates"]]),
        )
        for row in rows
    ]
    pairs = [(features, right) for features, right in pairs if 0 < right.sum() < len(right)]
    spread = np.concatenate([features for features, _ in pairs]).std(axis=0)

    def loss(weights: Any) -> tuple[float, Any]:
        total, slope = PENALTY / 2 * weights @ weights, PENALTY * weights
        for features, right in pairs:
            scaled = features / spread
            chances = softmax(scaled @ weights)
            chance = chances[right].sum()
            total -= np.log(chance)
            slope = slope + (chances - chances * right / chance) @ scaled
        return total, slope

    return minimize(loss, np.zeros(len(names)), jac=True).x / spread


def fit_confidence(rows: list[dict[str, Any]]) -> tuple[dict[str, float], dict[str, float], float]:
    """The weights of topic and fact, and the confidence from which an answer is shown.

    Every row is given the confidence that weights fitted on the other folds give it.
    """
    judged = [judge(row["asked"], row["candidates"], row["lexicon"]) for row in rows]
    kinds, folds = (np.array([row[name] for row in rows]) for name in ("kind", "fold"))
    answerable, present = kinds == "answerable", kinds != "absent"
    confidence, weights = np.ones(len(rows)), {}
    for name, asked, right in (("topic", np.full(len(rows), True), present), ("fact", present, answerable)):
        names = [feature for feature in load_model()[name] if feature != "intercept"]
        features = np.array([[row[feature] for feature in names] for row in judged])
        for fold in range(FOLDS):
            seen, held = asked & (folds != fold), folds == fold
            confidence[held] *= _fit_logistic(features[seen], right[seen]).predict_proba(features[held])[:, 1]
        fitted = _fit_logistic(features[asked], right[asked])
        weights[name] = _named(["intercept", *names], [*fitted.intercept_, *fitted.coef_[0]])
    for row, value in zip(rows, confidence, strict=True):
        row["confidence"] = float(value)
    refused = np.array([(confidence[answerable] < level).mean() for level in LEVELS])
    answered = np.array([(confidence[~present] >= level).mean() for level in LEVELS])
    return weights["topic"], weights["fact"], LEVELS[np.abs(refused - answered).argmin()]


def columns(rows: list[dict[str, Any]], margin: float, found: float) -> Columns:
    """What `benchmarks.reader` measures by: one value a question."""
    shown = [sum(distance <= margin for distance in _behind(row)) for row in rows]
    hits = [[_answers(row, c) for c in row["candidates"][:n]] for row, n in zip(rows, shown, strict=True)]
    confidence = np.array([row["confidence"] for row in rows])
    return {
        "kind": np.array([row["kind"] for row in rows]),
        "group": np.array([row["article"] for row in rows]),
        "confidence": confidence,
        "found": confidence >= found,
        "shown": np.where(confidence >= found, shown, 0),
        "in_first": np.array([float(row[0]) for row in hits]),
        "in_shown": np.array([float(any(row)) for row in hits]),
        "f1": np.full(len(rows), np.nan),
    }


def _fit_logistic(features: Any, labels: Any) -> LogisticRegression:
    return LogisticRegression(C=10, max_iter=2000).fit(features, labels)


def _named(names: list[str], weights: Any) -> dict[str, float]:
    return {name: round(float(weight), 3) for name, weight in zip(names, weights, strict=True)}


def _features(row: dict[str, Any], names: list[str]) -> Any:
    return np.array([[candidate.features[name] for name in names] for candidate in row["candidates"]])


def _answers(row: dict[str, Any], candidate: Candidate) -> bool:
    return any(answer in normalise(candidate.words) for answer in row["answers"])


if __name__ == "__main__":
    main()
