"""Fit the reader's two logistic models on SQuAD 2.0 articles, and say how well they do.

    python -m benchmarks.fit_reader --squad FILE [--questions 2400] [--write] [--json FILE]

With --write the fitted numbers become those that ship, in `assistant/reader.json`.

Half of the articles is indexed in one folder and half in another. A question is asked of the folder that
holds its article and of the one that does not, so that absent topics are really absent. The figures that it
prints are cross-validated by articles: no question is judged by a model that saw its article.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from assistant.reader import MODEL_FILE, MOST_QUOTED, describe, judge, load_model
from index.embedding import open_embedding
from index.library import finish
from index.retriever import retrieve
from index.settings import Settings
from index.store import Store
from index.sync import sync

FOLDS = 4
MEAN_SHOWN = 1.9  # sentences that an answer is to have, on average


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
    sentence, margin, ranking = fit_sentences(rows)
    confidence, found, surety = fit_confidence(rows)
    model = {"sentence": sentence, "confidence": confidence, "threshold": {"found": found, "margin": margin}}
    if given.write:
        MODEL_FILE.write_text(json.dumps(model, indent=1) + "\n", encoding="utf-8")
    figures = {**ranking, **surety}
    print("| measure, cross-validated by articles | figure |\n|---|---|")
    for name, figure in figures.items():
        print(f"| {name.replace('_', ' ')} | {figure:.3f} |")
    if given.json:
        given.json.write_text(json.dumps({"set": given.squad.name, "systems": {"product": figures}}, indent=1) + "\n")


def collect(articles: list[Any], most: int, temporary: Path) -> list[dict[str, Any]]:
    """The questions, each with its passages' sentences and their features."""
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
        query = question["question"]
        passages = retrieve(store, query, embedding.embed_query(query), settings.passage_count)
        candidates = describe(query, query, passages, embedding, store.lexicon)
        rows.append(
            {
                "fold": i % FOLDS,
                "path": path,
                "query": query,
                "kind": "absent" if absent else "impossible" if question["is_impossible"] else "answerable",
                "answers": [_plain(answer["text"]) for answer in question["answers"]],
                "candidates": candidates,
                "judged": judge(query, query, candidates, store.lexicon) if candidates else {},
            }
        )
        if number % 100 == 0:
            print(f"{number} of {min(most, len(questions))} questions", flush=True)
    return [row for row in rows if row["candidates"]]


def fit_sentences(rows: list[dict[str, Any]]) -> tuple[dict[str, float], float, dict[str, float]]:
    """The sentence model, how far behind the best a sentence may be and still be shown, and how often that answers."""
    rows = [row for row in rows if row["kind"] == "answerable"]
    names = [name for name in load_model()["sentence"] if name != "intercept"]
    features = np.array([[c.features[name] for name in names] for row in rows for c in row["candidates"]])
    answers = np.array([_answers(row, c) and c.passage.path == row["path"] for row in rows for c in row["candidates"]])
    owner = np.repeat(np.arange(len(rows)), [len(row["candidates"]) for row in rows])
    folds = np.array([row["fold"] for row in rows])[owner]
    scores = np.zeros(len(features))
    for fold in range(FOLDS):
        seen = folds != fold
        scores[~seen] = _fit(features[seen], answers[seen]).decision_function(features[~seen])
    behind, hits = [], []
    for number, row in enumerate(rows):
        mine = scores[owner == number]
        order = np.argsort(-mine)[:MOST_QUOTED]
        padding = MOST_QUOTED - len(order)
        behind.append([*(mine[order[0]] - mine[order]), *[np.inf] * padding])
        hits.append([*(_answers(row, row["candidates"][i]) for i in order), *[False] * padding])
    margin = min(np.ravel(behind), key=lambda m: abs((np.array(behind) <= m).sum(axis=1).mean() - MEAN_SHOWN))
    shown = np.array(behind) <= margin
    return (
        _named(names, _fit(features, answers)),
        round(float(margin), 3),
        {
            "answer_in_first": float(np.mean([row[0] for row in hits])),
            "answer_in_three": float(np.any(hits, axis=1).mean()),
            "answer_in_shown": float(np.any(hits & shown, axis=1).mean()),
            "mean_shown": float(shown.sum(axis=1).mean()),
        },
    )


def fit_confidence(rows: list[dict[str, Any]]) -> tuple[dict[str, float], float, dict[str, float]]:
    """The confidence model, the confidence from which an answer is shown, and how well it tells questions apart."""
    names = list(rows[0]["judged"])
    features = np.array([[row["judged"][name] for name in names] for row in rows])
    kinds = np.array([row["kind"] for row in rows])
    folds = np.array([row["fold"] for row in rows])
    answerable = kinds == "answerable"
    surety = np.zeros(len(rows))
    for fold in range(FOLDS):
        seen = folds != fold
        surety[~seen] = _fit(features[seen], answerable[seen]).predict_proba(features[~seen])[:, 1]
    found = float(np.quantile(surety[answerable], 0.05))
    bins = np.minimum((surety * 10).astype(int), 9)
    error = sum(abs(surety[bins == b].mean() - answerable[bins == b].mean()) * (bins == b).mean() for b in set(bins))
    return (
        _named(names, _fit(features, answerable)),
        round(found, 3),
        {
            "auroc_absent": roc_auc_score(answerable[kinds != "impossible"], surety[kinds != "impossible"]),
            "auroc_near_miss": roc_auc_score(answerable[kinds != "absent"], surety[kinds != "absent"]),
            "ece": float(error),
            "refused_answerable": float((surety[answerable] < found).mean()),
            "answered_absent": float((surety[kinds == "absent"] >= found).mean()),
            "answered_impossible": float((surety[kinds == "impossible"] >= found).mean()),
        },
    )


def _fit(features: Any, labels: Any) -> LogisticRegression:
    return LogisticRegression(C=10, max_iter=2000).fit(features, labels)


def _named(names: list[str], fitted: LogisticRegression) -> dict[str, float]:
    coefficients = {name: round(float(value), 3) for name, value in zip(names, fitted.coef_[0], strict=True)}
    return {"intercept": round(float(fitted.intercept_[0]), 3), **coefficients}


def _answers(row: dict[str, Any], candidate: Any) -> bool:
    return any(answer in _plain(candidate.words) for answer in row["answers"])


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


if __name__ == "__main__":
    main()
