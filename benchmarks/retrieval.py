"""How well the right document is found: the product, its two searches alone, and its peers.

    python -m benchmarks.retrieval --data FOLDER [--split dev] [--queries N] [--peers yes|no] [--json FILE]

FOLDER is a BEIR folder, a SQuAD file, or a folder that holds one; see `benchmarks.data`. Each document is written as a
file, and the folder is synced and searched as a user's is: "product" is `index.searching.retriever.retrieve`, "dense"
its search by meaning alone, "lexical" its search by words alone. llama-index (`VectorStoreIndex`, `SentenceSplitter` of
1024 tokens) and LangChain (`RecursiveCharacterTextSplitter` of 1000 characters, 200 of them overlap, into Chroma) are
given the same texts and keep to their defaults but for the embedding: that is the product's own engine for everyone,
since the weights are the same and only quality is measured here; `benchmarks.sync` measures speed.

Documents are ranked by their best passage, and passages are asked for until there are 100 documents. The gain of a
document of grade g is 2^g - 1. A document whose id is the query's own is passed over unless it is judged relevant,
as BEIR does where queries are documents. --queries takes so many of the queries, the same at every run.

But: where the title is part of a corpus, it is part of the text for everyone, as a Markdown heading.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.command import describe_machine, heed_signals, tell, write_json
from benchmarks.data import Task, load_task, to_text, write_documents
from index.documents import identify
from index.embedding.protocol import Embedding, Vectors
from index.errors import FootnoteError
from index.library import Library, finish, open_library
from index.searching.retriever import CANDIDATES, retrieve
from index.settings import LOCAL_CHUNK_TOKENS, LOCAL_EMBEDDING, Settings

DEPTH = 100  # documents that are ranked
MEASURES = ("nDCG@10", "MRR@10", "Hit@1", "Hit@5", "Hit@10", "Recall@100")
WITH_INTERVAL = ("nDCG@10", "Hit@1")
RESAMPLES = 1000

# From a query, its vector and a number of passages to the ids of those passages' documents, best passage first.
Search = Callable[[str, Vectors, int], list[str]]
Opener = Callable[[Mapping[str, str], Embedding, Settings, Path], Search]


def main() -> None:
    """Measure every system, print the table, write the JSON."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    arguments.add_argument("--split", default="dev", help="of a BEIR folder")
    arguments.add_argument("--queries", type=int, help="ask no more than so many, chosen by chance with a fixed seed")
    arguments.add_argument("--peers", choices=("yes", "no"), default="yes")
    arguments.add_argument("--json", type=Path)
    given = arguments.parse_args()
    heed_signals()
    try:
        task = load_task(given.data, given.split)
        with tempfile.TemporaryDirectory() as temporary:
            result = measure(choose(task, given.queries), Path(temporary), PEERS if given.peers == "yes" else {})
    except FootnoteError as error:
        sys.exit(str(error))
    print_result(result)
    write_json(given.json, result)


def choose(task: Task, most: int | None) -> Task:
    """The task with no more than so many queries."""
    if most is None or most >= len(task.queries):
        return task
    return replace(task, queries=dict(random.Random(0).sample(sorted(task.queries.items()), most)))


def make_settings(place: Path) -> Settings:
    """The environment's settings, but the embedded model and its chunks, and stores in an empty place."""
    return replace(
        Settings.from_environment(),
        embedding=LOCAL_EMBEDDING,
        chunk_tokens=LOCAL_CHUNK_TOKENS,
        store_folder=place / "stores",
    )


def measure(task: Task, place: Path, peers: Mapping[str, Opener]) -> dict[str, Any]:
    """The figures of every system, by name, and why a peer has none."""
    settings = make_settings(place)
    library, ids = sync_documents(task, place / "documents", settings)
    vectors = library.embedding.embed(list(task.queries.values()))
    systems = {name: judge(name, task, vectors, search) for name, search in open_product(library, ids).items()}
    missing: dict[str, str] = {}
    texts = {document: to_text(title, text) for document, (title, text) in task.documents.items()}
    for name, opener in peers.items():
        tell(f"{name}: indexing")
        try:
            search = opener(texts, library.embedding, settings, place / name)
        except ImportError as error:
            missing[name] = f"not installed ({error})"
            continue
        systems[name] = judge(name, task, vectors, search)
    return {"set": task.name, "systems": systems, "missing": missing}


# -- the systems ------------------------------------------------------------------------------


def sync_documents(task: Task, folder: Path, settings: Settings) -> tuple[Library, dict[str, str]]:
    """The product's library of a folder of the task's documents, synced; and their ids by the product's own."""
    paths = write_documents(task, folder)
    library = finish(open_library(folder, settings))
    walk = library.sync()
    while True:
        try:
            progress = next(walk)
        except StopIteration as end:
            report = end.value
            break
        tell(f"product: {progress.done:,} of {progress.total:,} {progress.unit}")
    for path, reason in islice(report.skipped.items(), 5):
        tell(f"product: document {paths[path]!r} is not indexed: {reason} ({len(report.skipped)} such)")
    return library, {identify(path): document for path, document in paths.items()}


def open_product(library: Library, ids: Mapping[str, str]) -> dict[str, Search]:
    """The product and its two searches."""
    store = library.store

    def documents_of(chunk_ids: Sequence[str]) -> list[str]:
        chunks = store.lexicon.chunks(chunk_ids)
        return [ids[chunks[chunk_id].document_id] for chunk_id in chunk_ids]

    return {
        "product": lambda query, vector, count: [ids[p.document_id] for p in retrieve(store, query, vector, count)],
        "dense": lambda query, vector, count: documents_of(list(store.nearest(vector, count))),
        "lexical": lambda query, vector, count: documents_of(list(store.lexicon.search(query, count))),
    }


def open_llama_index(texts: Mapping[str, str], embedding: Embedding, settings: Settings, place: Path) -> Search:
    """`VectorStoreIndex` with its own store, in memory; only the embedding's batches are larger than its default."""
    from llama_index.core import Document, VectorStoreIndex
    from llama_index.core.node_parser import SentenceSplitter
    from llama_index.core.schema import QueryBundle

    from index.components import FootnoteEmbedding

    vector_index = VectorStoreIndex.from_documents(
        [Document(text=text, id_=document) for document, text in texts.items()],
        transformations=[SentenceSplitter()],
        embed_model=FootnoteEmbedding(settings, embed_batch_size=256),
    )

    def search(query: str, vector: Vectors, count: int) -> list[str]:
        bundle = QueryBundle(query, embedding=vector.tolist())
        found = vector_index.as_retriever(similarity_top_k=count).retrieve(bundle)
        return [str(scored.node.ref_doc_id) for scored in found]

    return search


def open_langchain(texts: Mapping[str, str], embedding: Embedding, settings: Settings, place: Path) -> Search:
    """LangChain's usual splitter into its Chroma."""
    from langchain_chroma import Chroma
    from langchain_core.documents import Document
    from langchain_core.embeddings import Embeddings
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    class SameWeights(Embeddings):  # type: ignore[misc]
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            rows: list[list[float]] = embedding.embed(texts).tolist()
            return rows

        def embed_query(self, text: str) -> list[float]:
            return self.embed_documents([text])[0]

    splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200)
    ids = list(texts)
    chunks = splitter.split_documents(
        [Document(text, metadata={"number": number}) for number, text in enumerate(texts.values())]
    )
    store = Chroma.from_documents(chunks, SameWeights(), persist_directory=str(place))

    def search(query: str, vector: Vectors, count: int) -> list[str]:
        return [ids[found.metadata["number"]] for found in store.similarity_search_by_vector(vector.tolist(), k=count)]

    return search


PEERS: dict[str, Opener] = {"llama-index": open_llama_index, "LangChain": open_langchain}


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
    values = {measure.lower(): np.array([row[measure] for row in rows]) for measure in MEASURES}
    figures: dict[str, Any] = {measure: float(found.mean()) for measure, found in values.items()}
    if name == "product":
        figures |= {f"{measure}_interval": resample(values[measure]) for measure in map(str.lower, WITH_INTERVAL)}
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


def resample(values: Any) -> list[float]:
    """The 95 % bootstrap interval of a mean (Efron 1979, percentiles), the same at every run."""
    chance = np.random.default_rng(0)
    means = [float(chance.choice(values, len(values)).mean()) for _ in range(RESAMPLES)]
    return [float(bound) for bound in np.quantile(means, (0.025, 0.975))]


def print_result(result: Mapping[str, Any]) -> None:
    """A Markdown table, the product's intervals, and which peers are missing."""
    product = result["systems"]["product"]
    print(f"{time.strftime('%Y-%m-%d')}, {describe_machine()}")
    print(f"{result['set']}: {product['queries']:,} queries, {product['documents']:,} documents\n")
    print(f"| {' | '.join(['system', *MEASURES])} |\n|{'---|' * (len(MEASURES) + 1)}")
    for name, figures in result["systems"].items():
        print(f"| {' | '.join([name, *(f'{figures[measure.lower()]:.3f}' for measure in MEASURES)])} |")
    bounds = [f"{m} {'{:.3f} to {:.3f}'.format(*product[f'{m.lower()}_interval'])}" for m in WITH_INTERVAL]
    print(f"\nThe product's 95 % intervals: {', '.join(bounds)}.")
    for name, reason in result["missing"].items():
        print(f"{name}: {reason}.")


if __name__ == "__main__":
    main()
