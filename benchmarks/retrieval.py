"""How well what a question asks for is found: by the product, its two searches alone, and its peers.

    python -m benchmarks.retrieval --data FOLDER [--split dev] [--queries N] [--only SYSTEMS] [--peers yes|no]
                                   [--keep FOLDER] [--json FILE]

FOLDER is one of these:

    a BEIR folder, a SQuAD file, or a folder that holds one; see `benchmarks.data`
    a folder of several SQuAD files, one a language, say: each is a task of its own, and a table has a line for each
    docs/ and questions.jsonl with evidence, as `footnote eval` takes them: files as people have them, with measures of
    their own; see `benchmarks.folders`

Each document is a file, and the folder is synced and searched as a user's is; see `benchmarks.systems` for what
"product", "dense", "lexical", "llama-index" and "LangChain" are. --only takes some of them, with commas between;
--peers no leaves out the last two. --queries takes so many of the queries, the same at every run. --keep keeps the
product's store in a folder, so that the next run loads and embeds only what has changed.

Documents are ranked by their best passage, and passages are asked for until there are 100 documents. The gain of a
document of grade g is 2^g - 1. A document whose id is the query's own is passed over unless it is judged relevant,
as BEIR does where queries are documents.

But: where the title is part of a corpus, it is part of the text for everyone, as a Markdown heading.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import folders, systems
from benchmarks.command import describe_machine, heed_signals, parse_sections, tell, write_json
from benchmarks.data import Task, load_tasks, to_text, write_documents
from benchmarks.figures import average, print_intervals, print_missing, print_table
from benchmarks.systems import PEERS, SYSTEMS, Find, open_systems, sync_folder
from benchmarks.systems import make_settings as make_settings
from index.embedding.protocol import Embedding, Vectors
from index.errors import FootnoteError
from index.searching.retriever import CANDIDATES
from index.settings import Settings

DEPTH = 100  # documents that are ranked
MEASURES = ("nDCG@10", "MRR@10", "Hit@1", "Hit@5", "Hit@10", "Recall@100")
WITH_INTERVAL = ("nDCG@10", "Hit@1")

# From a query, its vector and a number of passages to the ids of those passages' documents, best passage first.
Search = Callable[[str, Vectors, int], list[str]]


def main() -> None:
    """Measure every system, print the table, write the JSON."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    arguments.add_argument("--split", default="dev", help="of a BEIR folder")
    arguments.add_argument("--queries", type=int, help="ask no more than so many, chosen by chance with a fixed seed")
    arguments.add_argument(
        "--only", type=partial(parse_sections, known=SYSTEMS), default=list(SYSTEMS), metavar="SYSTEMS"
    )
    arguments.add_argument("--peers", choices=("yes", "no"), default="yes")
    arguments.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the product's store, or use it again")
    arguments.add_argument("--json", type=Path)
    given = arguments.parse_args()
    heed_signals()
    names = [name for name in given.only if given.peers == "yes" or name not in PEERS]
    if not names:
        arguments.error("of what --only names, --peers no leaves nothing")
    try:
        with tempfile.TemporaryDirectory() as temporary:
            place = Path(temporary)
            if folders.is_folder(given.data):
                folder = folders.choose(folders.load_folder(given.data), given.queries)
                result = folders.measure(folder, place, names, given.keep and given.keep / folder.name)
            else:
                tasks = [choose(task, given.queries) for task in load_tasks(given.data, given.split)]
                result = measure_all(given.data.resolve().name, tasks, place, names, given.keep)
    except FootnoteError as error:
        sys.exit(str(error))
    print(f"{time.strftime('%Y-%m-%d')}, {describe_machine()}")
    print_result(result)
    write_json(given.json, result)


def choose(task: Task, most: int | None) -> Task:
    """The task with no more than so many queries."""
    if most is None or most >= len(task.queries):
        return task
    return replace(task, queries=dict(random.Random(0).sample(sorted(task.queries.items()), most)))


def measure_all(
    name: str, tasks: Sequence[Task], place: Path, names: Collection[str], kept: Path | None
) -> dict[str, Any]:
    """The figures of one task; or of several, with the means over them. kept: where the product's stores are kept."""
    results = []
    for task in tasks:
        tell(task.name)
        results.append(measure(task, place / task.name, names, kept and kept / task.name))
    if len(results) == 1:
        return results[0]
    found = [system for system in names if all(system in result["systems"] for result in results)]
    means = {system: average([r["systems"][system] for r in results], map(str.lower, MEASURES)) for system in found}
    return {"set": name, "tasks": results, "systems": means, "missing": results[0]["missing"]}


def measure(task: Task, place: Path, names: Collection[str], kept: Path | None = None) -> dict[str, Any]:
    """The figures of every system of these names, and why a peer has none.

    place: an empty or a new folder. kept: where the documents and the product's store are kept, if they are.
    """
    home = kept or place
    paths = write_documents(task, home / "documents")
    library = sync_folder(home / "documents", make_settings(home))
    vectors = library.embedding.embed(list(task.queries.values()))
    texts = {path: to_text(*task.documents[document]) for path, document in paths.items()}
    missing: dict[str, str] = {}
    figures = {
        name: judge(name, task, vectors, to_search(find, paths))
        for name, find in open_systems(names, library, texts, place, missing, PEERS)
    }
    return {"set": task.name, "systems": figures, "missing": missing}


def to_search(find: Find, ids: Mapping[str, str] | None = None) -> Search:
    """Only which documents are found; ids: what these are called, where that is not what they are found by."""

    def search(query: str, vector: Vectors, count: int) -> list[str]:
        documents = (found.document for found in find(query, vector, count))
        return list(documents if ids is None else map(ids.__getitem__, documents))

    return search


def open_llama_index(texts: Mapping[str, str], embedding: Embedding, settings: Settings, place: Path) -> Search:
    """The documents that llama-index finds; see `benchmarks.systems`."""
    return to_search(systems.open_llama_index(texts, embedding, settings, place))


def open_langchain(texts: Mapping[str, str], embedding: Embedding, settings: Settings, place: Path) -> Search:
    """The documents that LangChain finds; see `benchmarks.systems`."""
    return to_search(systems.open_langchain(texts, embedding, settings, place))


# -- the figures ------------------------------------------------------------------------------


def judge(name: str, task: Task, vectors: Vectors, search: Search) -> dict[str, Any]:
    """Each measure's mean over the queries; for the product with intervals."""
    rows = []
    for number, ((query_id, query), vector) in enumerate(zip(task.queries.items(), vectors, strict=True)):
        if number % 100 == 0:
            tell(f"{name}: {number:,} of {len(task.queries):,} queries")
        relevant = task.relevant[query_id]
        ranking = [i for i in rank(search, query, vector) if i != query_id or i in relevant]
        rows.append(score(ranking[:DEPTH], relevant))
    figures = average(rows, MEASURES, WITH_INTERVAL if name == "product" else ())
    return figures | {"queries": len(task.queries), "documents": len(task.documents)}


def rank(search: Search, query: str, vector: Vectors) -> list[str]:
    """Documents by their best passage, one more than are judged where there are so many."""
    ranking: dict[str, None] = {}
    # The product scales its scores by all the candidates, which are more where more passages are asked for. So the
    # first hundred are those of a user's question, and what larger counts find stands behind them.
    count = CANDIDATES
    while True:
        found = search(query, vector, count)
        ranking |= dict.fromkeys(found)
        if len(ranking) > DEPTH or len(found) < count:
            return list(ranking)
        count *= 3


def score(ranking: Sequence[str], relevant: Mapping[str, float]) -> dict[str, float]:
    """Every measure of one ranking; `relevant` has the grades above 0."""
    first = next((place for place, document in enumerate(ranking) if document in relevant), DEPTH)
    gain = add_gains([relevant.get(document, 0.0) for document in ranking[:10]])
    figures = {
        "nDCG@10": gain / add_gains(sorted(relevant.values(), reverse=True)[:10]),
        "MRR@10": 1 / (first + 1) if first < 10 else 0.0,
        "Recall@100": len({*ranking[:100]} & relevant.keys()) / len(relevant),
    }
    return figures | {f"Hit@{depth}": float(first < depth) for depth in (1, 5, 10)}


def add_gains(grades: Sequence[float]) -> float:
    """The discounted cumulative gain of a ranking by its documents' grades (Burges et al. 2005)."""
    return float(sum((2**grade - 1) / np.log2(place + 2) for place, grade in enumerate(grades)))


def print_result(result: Mapping[str, Any]) -> None:
    """A Markdown table with a line a system; or of several tasks one with a line a task, for each of two measures."""
    figures = result["systems"]
    if "tasks" in result:
        lines = {task["set"]: task["systems"] for task in result["tasks"]} | {"mean": figures}
        for measure in WITH_INTERVAL:
            rows = {
                line: {name.lower(): found[name][measure.lower()] for name in figures} for line, found in lines.items()
            }
            print(f"\n{result['set']}, {measure}\n")
            print_table("task", list(figures), rows)
    elif "evidences" in result:
        counts = "{questions:,} questions, {evidences:,} evidences, {documents:,} documents".format(**result)
        print(f"{result['set']}: {counts}\n")
        print_table("system", folders.MEASURES, figures)
        print_intervals(figures, folders.WITH_INTERVAL)
    else:
        for one in [*figures.values()][:1]:
            print(f"{result['set']}: {one['queries']:,} queries, {one['documents']:,} documents\n")
        print_table("system", MEASURES, figures)
        print_intervals(figures, WITH_INTERVAL)
    print_missing(result["missing"])


if __name__ == "__main__":
    main()
