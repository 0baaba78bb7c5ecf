"""How well questions are answered without a language model, beside two plain ways to pick sentences.

    python -m benchmarks.reader --squad FILE | --clapnq FOLDER [--absent TITLE,...] [--questions N] [--json FILE]

--squad: each article of a SQuAD 2.0 file becomes a text file, its paragraphs parted by blank lines, but for those of
--absent (by default every third by order of its title's SHA-256; "" for none). --clapnq: each distinct passage of
`answerable.jsonl` and `unanswerable.jsonl` becomes one. Files are named by their titles. A question is `answer()` of
the whole folder, with nothing about the right passage. --questions takes at most so many of each kind: answerable;
absent (answerable, of an article left out); impossible (a near miss: the article or passage is there and does not say).

answer_in_first, answer_in_shown: a gold answer is part of the first sentence shown, or of any, after SQuAD's
normalisation. The product shows its best sentence first, as an answer or as the nearest there is; where it says that
the documents do not say, it shows none: an answerable question refused counts as an answer not shown. mean_shown:
sentences, over all questions that any are shown for. f1: of the characters shown and those that an annotator selected,
by their places in the files, for the best of the annotators; 0 for a question refused; the mean over answerable
questions.
auroc_absent, auroc_near_miss: the chance that an answerable question has more confidence than an absent, an impossible
one. nearest_answerable, not_found_answerable, answered_absent, answered_impossible and the like: shares by `status`.
ece: `confidence` claims that the documents answer the question, as it was fitted to: true of answerable questions and
false of all others, whatever is shown. Ten bins of equal width; every kind weighs the same, as it nearly did when the
reader was fitted. ece_absent: without the impossible ones.
milliseconds: of `answer()`, its look for changed files included; and over again, of embedding and searching the query
(retrieve) and of the reader on what that finds.

The baselines pick three prose sentences of the very passages that the product retrieved, best first, and never refuse:
lexical by BM25, dense by cosine. Their confidence is the BM25 score of the best passage and the cosine of the best
sentence. Intervals hold 95 % of 1,000 resamples of whole articles (of CLAPNQ: of passages); that of an ece lies high,
since a resample has less to average out.

But: the numbers that ship were fitted on SQuAD 2.0 articles, and figures on those very articles flatter the product.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import re
import string
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from assistant import answer
from assistant.answers import Citation
from assistant.citing.citations import cite
from assistant.question.question import read_question
from assistant.quoting.choice import MOST_QUOTED
from assistant.quoting.reader import read
from benchmarks.command import describe_machine, heed_signals, write_json
from index.library import Library, finish, open_library
from index.settings import Settings
from index.splitting.terms import find_query_terms, find_terms

KINDS = ("answerable", "absent", "impossible")
SATURATION, LENGTH_SHARE = 0.9, 0.4  # BM25's k1 and b
RESAMPLES = 1000
TIMINGS = ("milliseconds", "retrieve_milliseconds", "reader_milliseconds")
Span = tuple[str, int, int]  # a file's path, and the offsets of the first character and after the last
Columns = dict[str, Any]  # arrays of one value a question, by name; `group` says what is resampled together
Figures = dict[str, float | list[float]]


@dataclass(frozen=True, slots=True)
class Question:
    """kind: one of KINDS. answers: the gold texts, normalised. selected: an annotator's spans each."""

    text: str
    kind: str
    group: str
    answers: tuple[str, ...] = ()
    selected: tuple[tuple[Span, ...], ...] = ()


def main() -> None:
    """Index the folder, ask the questions, print the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = arguments.add_mutually_exclusive_group(required=True)
    source.add_argument("--squad", type=Path, metavar="FILE")
    source.add_argument("--clapnq", type=Path, metavar="FOLDER")
    arguments.add_argument("--absent", metavar="TITLE,...")
    arguments.add_argument("--questions", type=int, metavar="N", help="at most so many of each kind")
    arguments.add_argument("--json", type=Path, metavar="FILE")
    given = arguments.parse_args()
    heed_signals()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "documents"
        if given.squad:
            articles = json.loads(given.squad.read_text(encoding="utf-8"))["data"]
            questions = write_squad(folder, articles, choose_absent([a["title"] for a in articles], given.absent))
        else:
            questions = write_clapnq(folder, given.clapnq)
        # Of an environment of their own, settings name no language model.
        settings = Settings.from_environment({"FOOTNOTE_STORE": f"{temporary}/stores"})
        questions = draw(questions, given.questions)
        print(", ".join(f"{count} {kind}" for kind, count in Counter(q.kind for q in questions).items()))
        systems = measure(ask(questions, folder, settings))
    report((given.squad or given.clapnq).name, systems, given.json)


# -- the questions ----------------------------------------------------------------------------


def choose_absent(titles: Sequence[str], names: str | None) -> set[str]:
    """The titles to leave out: every third, or those named."""
    if names is None:
        return set(sorted(titles, key=lambda title: hashlib.sha256(title.encode()).hexdigest())[2::3])
    # A comma within a title, where "_" stands for a space, has one after it: "Fresno,_California".
    absent = {name for name in re.split(r",(?!_)", names) if name}
    if unknown := absent.difference(titles):
        sys.exit(f"No such article: {', '.join(sorted(unknown))}. There are: {', '.join(titles)}.")
    return absent


def write_squad(folder: Path, articles: Sequence[Any], absent: set[str]) -> list[Question]:
    """Write every article that is not absent into the folder; give the questions of all."""
    questions = []
    for article in articles:
        title, paragraphs = article["title"], article["paragraphs"]
        if title not in absent:
            write_file(folder / name_file(title), "\n\n".join(p["context"] for p in paragraphs))
        for entry in (entry for paragraph in paragraphs for entry in paragraph["qas"]):
            # What is impossible of an absent article is neither absent nor a near miss.
            is_impossible = entry.get("is_impossible", False)
            if not (is_impossible and title in absent):
                kind = "impossible" if is_impossible else "absent" if title in absent else "answerable"
                golds = {normalise(gold["text"]) for gold in entry["answers"]} - {""}
                questions.append(Question(entry["question"], kind, title, tuple(sorted(golds))))
    return questions


def write_clapnq(folder: Path, source: Path) -> list[Question]:
    """Write every distinct passage into the folder; give the questions."""
    paths: dict[str, str] = {}  # by text
    questions = []
    for name, kind in {"answerable": "answerable", "unanswerable": "impossible"}.items():
        for row in read_rows(source / f"{name}.jsonl"):
            for passage in row["passages"]:
                if passage["text"] not in paths:
                    # Some passages share a title: each has a sub-folder of its own.
                    paths[passage["text"]] = f"{len(paths):05}/{name_file(passage['title'])}"
                    write_file(folder / paths[passage["text"]], passage["text"])
            texts = {paths[passage["text"]]: passage["text"] for passage in row["passages"]}
            selected = (tuple(locate(o["selected_sentences"], texts)) for o in row["output"])
            questions.append(Question(row["input"], kind, next(iter(texts)), selected=tuple(filter(None, selected))))
    return questions


def locate(sentences: Sequence[str], texts: Mapping[str, str]) -> Iterator[Span]:
    """Where each sentence first stands in the passages, which are given by their files' paths."""
    for sentence in sentences:
        yield next((path, at, at + len(sentence)) for path, text in texts.items() if (at := text.find(sentence)) >= 0)


def name_file(title: str) -> str:
    """A file's name that is the title, as far as a name can be: not hidden, in no folder, not too long."""
    return re.sub(r"^\.|/", "-", title)[:80] + ".txt" if title else "untitled.txt"


def write_file(file: Path, text: str) -> None:
    """Write exactly this text, so that offsets into it are offsets into the file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8", errors="replace", newline="")


def read_rows(file: Path) -> Iterator[dict[str, Any]]:
    """The rows of a JSON lines file; `splitlines` would also cut where rarer line ends stand inside a text."""
    with file.open(encoding="utf-8") as stream:
        yield from (json.loads(line) for line in stream if line.strip())


def draw(questions: Sequence[Question], most: int | None) -> list[Question]:
    """At most so many questions of each kind, the same at every run."""
    drawn = []
    for kind in KINDS:
        members = [question for question in questions if question.kind == kind]
        drawn += members if most is None else random.Random(0).sample(members, min(most, len(members)))
    return drawn


# -- asking -----------------------------------------------------------------------------------


def ask(questions: Sequence[Question], folder: Path, settings: Settings) -> dict[str, Columns]:
    """What each system shows for each question, and how surely."""
    library = index(folder, settings)
    answer(questions[0].text, folder, settings=settings)  # the first question finds every library unloaded
    rows: dict[str, list[dict[str, Any]]] = {"product": [], "lexical": [], "dense": []}
    known: dict[str, Any] = {}  # the vectors of sentences that came up before
    for number, question in enumerate(questions, start=1):
        times = [time.perf_counter()]
        given = answer(question.text, folder, settings=settings)
        times.append(time.perf_counter())
        passages = library.retrieve(given.query)
        times.append(time.perf_counter())
        read(read_question(question.text, given.query), passages, library.embedding, library.store.lexicon)
        times.append(time.perf_counter())
        spent = dict(zip(TIMINGS, 1000 * np.diff(times), strict=True))
        row = score(question, given.citations, given.confidence)
        rows["product"].append({**row, "status": given.status, **spent})
        sentences = [cite(0, p, s) for p in given.passages for s in p.sentences if s.kind == "prose"]
        for name, (values, confidence) in pick(question.text, sentences, library, known).items():
            best = np.argsort(-values, kind="stable")[:MOST_QUOTED]
            rows[name].append(score(question, [sentences[i] for i in best], confidence))
        if number % 50 == 0:
            print(f"{number} of {len(questions)} questions", file=sys.stderr)
    return {name: {key: np.array([row[key] for row in rows[name]]) for key in rows[name][0]} for name in rows}


def index(folder: Path, settings: Settings) -> Library:
    """The folder's library, synced."""
    print("indexing", file=sys.stderr)
    library = finish(open_library(folder, settings))
    for path, reason in finish(library.sync()).skipped.items():
        print(f"{path} is not indexed: {reason}", file=sys.stderr)
    return library


def pick(query: str, sentences: Sequence[Citation], library: Library, known: dict[str, Any]) -> dict[str, Any]:
    """The baselines: what each sentence scores, and how sure that makes of an answer."""
    texts = [sentence.quote for sentence in sentences]
    if not texts:
        return dict.fromkeys(("lexical", "dense"), (np.zeros(0), 0.0))
    terms = find_query_terms(query)
    passages = library.store.lexicon.search(query, 1)
    new = [text for text in dict.fromkeys(texts) if text not in known]
    known.update(zip(new, library.embedding.embed(new) if new else (), strict=True))
    cosines = np.array([known[text] for text in texts]) @ library.embedding.embed_query(query)
    words = score_words(terms, [find_terms(text) for text in texts], library.store.lexicon.rarity(terms))
    return {
        "lexical": (words, max(passages.values(), default=0.0)),
        "dense": (cosines, float(cosines.max())),
    }


def score_words(terms: Sequence[str], texts: Sequence[Sequence[str]], rarity: Mapping[str, float]) -> Any:
    """BM25 of texts, each given as its terms, for the terms of a query."""
    mean_length = np.mean([len(text) for text in texts])
    scores = []
    for text in texts:
        counts, damping = Counter(text), SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * len(text) / mean_length)
        scores.append(sum(rarity[t] * counts[t] * (SATURATION + 1) / (counts[t] + damping) for t in terms))
    return np.array(scores)


# -- measuring --------------------------------------------------------------------------------


def score(question: Question, shown: Sequence[Citation], confidence: float) -> dict[str, Any]:
    """One question's row; NaN for what the set has no annotation of."""
    holds = [any(gold in normalise(sentence.quote) for gold in question.answers) for sentence in shown]
    spans = [(sentence.path, sentence.start, sentence.end) for sentence in shown]
    return {
        "kind": question.kind,
        "group": question.group,
        "confidence": confidence,
        "shown": len(shown),
        "in_first": float(any(holds[:1])) if question.answers else np.nan,
        "in_shown": float(any(holds)) if question.answers else np.nan,
        "f1": max((overlap(spans, selected) for selected in question.selected), default=np.nan),
    }


def normalise(text: str) -> str:
    """As SQuAD compares: lower case, no punctuation, no articles, white space joined."""
    bare = "".join(character for character in text.lower() if character not in string.punctuation)
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", bare).split())


def overlap(shown: Sequence[Span], selected: Sequence[Span]) -> float:
    """F1 of the characters of two selections."""
    one, other = ({(path, i) for path, start, end in spans for i in range(start, end)} for spans in (shown, selected))
    return 2 * len(one & other) / (len(one) + len(other)) if one or other else 0.0


def measure(systems: dict[str, Columns]) -> dict[str, Figures]:
    """The figures of every system; what only the product claims, of the product alone."""
    print("resampling", file=sys.stderr)
    figures = {name: with_intervals(columns, measure_shown) for name, columns in systems.items()}
    product = systems["product"]
    figures["product"] |= with_intervals(product, measure_claims)
    for name in TIMINGS:
        figures["product"][f"{name}_median"] = float(np.median(product[name]))
        figures["product"][f"{name}_p95"] = float(np.quantile(product[name], 0.95))
    return figures


def measure_shown(columns: Columns) -> dict[str, float]:
    """How good the sentences are, and how well confidence tells the kinds apart."""
    answerable, absent, impossible = (columns["kind"] == kind for kind in KINDS)
    confidence, shown = columns["confidence"], columns["shown"]
    return {
        "answer_in_first": mean(columns["in_first"][answerable]),
        "answer_in_shown": mean(columns["in_shown"][answerable]),
        "mean_shown": mean(shown[shown > 0]),
        "f1": mean(columns["f1"][answerable]),
        "auroc_absent": auroc(confidence[answerable], confidence[absent]),
        "auroc_near_miss": auroc(confidence[answerable], confidence[impossible]),
    }


def measure_claims(columns: Columns) -> dict[str, float]:
    """How far confidence is a probability, and what comes of its threshold."""
    kind, confidence, status = columns["kind"], columns["confidence"], columns["status"]
    answerable, absent, impossible = (kind == name for name in KINDS)
    near = ~impossible
    return {
        "ece": calibration_error(confidence, kind),
        "ece_absent": calibration_error(confidence[near], kind[near]) if absent.any() else np.nan,
        "nearest_answerable": mean(status[answerable] == "nearest"),
        "not_found_answerable": mean(status[answerable] == "not_found"),
        "answered_absent": mean(status[absent] == "answered"),
        "nearest_absent": mean(status[absent] == "nearest"),
        "answered_impossible": mean(status[impossible] == "answered"),
        "nearest_impossible": mean(status[impossible] == "nearest"),
    }


def calibration_error(confidence: Any, kind: Any) -> float:
    """Expected calibration error over ten bins of equal width, all kinds weighing the same."""
    weights = sum((kind == name) / np.sum(kind == name) for name in np.unique(kind))
    bins = np.minimum((confidence * 10).astype(int), 9)
    excess = weights * (confidence - (kind == "answerable"))
    return float(np.abs(np.bincount(bins, excess)).sum() / np.sum(weights))


def auroc(high: Any, low: Any) -> float:
    """The chance that one of `high` is above one of `low`; a tie is half a chance."""
    low = np.sort(low)
    below = np.searchsorted(low, high, side="left") + np.searchsorted(low, high, side="right")
    return float(below.mean() / 2 / len(low)) if len(low) and len(high) else np.nan


def mean(values: Any) -> float:
    """Of what is not NaN; NaN where nothing is left."""
    values = np.asarray(values, dtype=float)
    values = values[~np.isnan(values)]
    return float(values.mean()) if len(values) else np.nan


def with_intervals(columns: Columns, measure: Callable[[Columns], dict[str, float]]) -> Figures:
    """The measures that apply, and beside each its 95 % bootstrap interval, whole groups resampled."""
    figures: Figures = {name: figure for name, figure in measure(columns).items() if not np.isnan(figure)}
    groups = [np.flatnonzero(columns["group"] == name) for name in np.unique(columns["group"])]
    chance = np.random.default_rng(0)
    samples = []
    for _ in range(RESAMPLES):
        picked = np.concatenate([groups[i] for i in chance.integers(len(groups), size=len(groups))])
        samples.append(measure({name: column[picked] for name, column in columns.items()}))
    for name in list(figures):
        # A resample may hold no question of some kind: it says nothing of what is measured by that kind.
        low, high = np.nanquantile([sample[name] for sample in samples], [0.025, 0.975])
        figures[f"{name}_interval"] = [float(low), float(high)]
    return figures


def report(name: str, systems: Mapping[str, Figures], file: Path | None) -> None:
    """Print the table, and write the JSON file where one is asked for."""
    print(f"{describe_machine()}\n")
    print(f"| {' | '.join([name, *systems])} |\n|{'---|' * (len(systems) + 1)}")
    for key in dict.fromkeys(key for row in systems.values() for key in row if not key.endswith("_interval")):
        print(f"| {' | '.join([key.replace('_', ' '), *(show(row, key) for row in systems.values())])} |")
    write_json(file, {"set": name, "systems": systems})


def show(row: Figures, key: str) -> str:
    """A cell of the table."""
    match row.get(key), row.get(f"{key}_interval"):
        case float(figure), [low, high]:
            return f"{figure:.3f} [{low:.3f}, {high:.3f}]"
        case float(figure), _:
            return f"{figure:.3f}"
    return "-"


if __name__ == "__main__":
    main()
