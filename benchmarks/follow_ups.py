"""How well a question that leans on the conversation is searched, as TREC CAsT asks them.

    python -m benchmarks.follow_ups --data FOLDER [--json FILE]

FOLDER holds `corpus.jsonl`, `qrels.tsv` and `queries.jsonl`: rows of `raw`, `history` (turns of speaker and text) and
`manual_rewrite`. Each passage is one text file. Four ways to make a query of a question: the raw words, the product's
rewriting without a language model, a person's rewrite, and all of the user's turns joined.

hit_at_10: a right passage is among the first ten files of the product's whole retrieval. hit_at_10_lexical: the same
for its lexical search alone.
changed_self_standing: the share of follow-ups that the person left as they were, case and punctuation aside, and the
product did not. unchanged_leaning: the share that the person rewrote and the product left as they were. Both leave out
the questions that open a conversation, which there is nothing to rewrite with.

Intervals hold 95 % of 1,000 resamples of whole conversations.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from assistant.question.followup import read_history, rewrite
from benchmarks.command import heed_signals
from benchmarks.reader import Columns, Figures, index, mean, read_rows, report, with_intervals, write_file
from index.documents import identify
from index.library import Library
from index.settings import Settings

FIRST = 10
# A file may fall into several passages: enough of them for ten files to be among them.
PASSAGES = 50


def main() -> None:
    """Index the passages, search for every question, print the table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    arguments.add_argument("--json", type=Path, metavar="FILE")
    given = arguments.parse_args()
    heed_signals()
    with tempfile.TemporaryDirectory() as temporary:
        settings = Settings.from_environment({"FOOTNOTE_STORE": f"{temporary}/stores"})
        systems = measure(given.data, Path(temporary) / "documents", settings)
    report(given.data.resolve().name, systems, given.json)


def measure(data: Path, folder: Path, settings: Settings) -> dict[str, Figures]:
    """Write the passages into the folder; give the figures of every way to make a query."""
    names: dict[str, str] = {}  # of the passages, by the ids of their documents
    for number, row in enumerate(read_rows(data / "corpus.jsonl")):
        path = f"{number:05}.txt"
        write_file(folder / path, row["text"])
        names[identify(path)] = row["_id"]
    library = index(folder, replace(settings, passage_count=PASSAGES))
    right: dict[str, set[str]] = {}
    for line in (data / "qrels.tsv").read_text(encoding="utf-8").split("\n")[1:]:
        match line.split("\t"):
            case [asked, passage, score] if int(score) > 0:
                right.setdefault(asked, set()).add(passage)
    questions = [row for row in read_rows(data / "queries.jsonl") if row["_id"] in right]
    rows: dict[str, list[dict[str, Any]]] = {}
    for number, question in enumerate(questions, start=1):
        wanted, group = right[question["_id"]], question["_id"].rpartition("_")[0]
        for way, (query, known) in make_queries(question).items():
            hits = {name: any(names[i] in wanted for i in found) for name, found in search(library, query).items()}
            rows.setdefault(way, []).append({"group": group, **hits, **known})
        if number % 50 == 0:
            print(f"{number} of {len(questions)} questions", file=sys.stderr)
    columns = {name: {key: np.array([row[key] for row in rows[name]]) for key in rows[name][0]} for name in rows}
    return {name: with_intervals(column, measure_means) for name, column in columns.items()}


def make_queries(question: dict[str, Any]) -> dict[str, tuple[str, dict[str, float]]]:
    """The query of every way by its name, with what else is known of the product's."""
    raw, human, history = question["raw"], question["manual_rewrite"], question["history"]
    said = [{"role": "user" if t["speaker"] == "user" else "assistant", "content": t["text"]} for t in history]
    query = rewrite(raw, read_history(said))
    standing = bare(raw) == bare(human)
    known = {
        "changed_self_standing": float(query != raw) if history and standing else np.nan,
        "unchanged_leaning": float(query == raw) if history and not standing else np.nan,
    }
    return {
        "raw": (raw, {}),
        "product": (query, known),
        "human rewrite": (human, {}),
        "user turns joined": (" ".join([*(turn["content"] for turn in said if turn["role"] == "user"), raw]), {}),
    }


def search(library: Library, query: str) -> dict[str, list[str]]:
    """The ids of the first ten documents, by measure."""
    found = library.store.lexicon.search(query, PASSAGES)
    chunks = library.store.lexicon.chunks(found)
    return {
        "hit_at_10": first_distinct(passage.document_id for passage in library.retrieve(query)),
        "hit_at_10_lexical": first_distinct(chunks[chunk_id].document_id for chunk_id in found),
    }


def first_distinct(ids: Iterable[str]) -> list[str]:
    """The first ten, each once."""
    return list(dict.fromkeys(ids))[:FIRST]


def measure_means(columns: Columns) -> dict[str, float]:
    """The mean of every column but the groups."""
    return {name: mean(column) for name, column in columns.items() if name != "group"}


def bare(text: str) -> str:
    """Without case and punctuation."""
    return " ".join(re.findall(r"\w+", text.casefold()))


if __name__ == "__main__":
    main()
