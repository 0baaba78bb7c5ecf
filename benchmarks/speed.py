"""How fast questions are answered, and what that takes: embedding, searching, many at once, starting, memory.

    python -m benchmarks.speed [--sizes 10000,100000] [--queries 200] [--rounds 4] [--texts FILE.jsonl]
        [--only embed,query,threads,cold,memory] [--stores FOLDER] [--json FILE]

embed: texts a second beside Chroma's default function, see `benchmarks.engines`, and beside what the processor could
do at best: the model's floating-point operations for these very tokens at the rate of plain matrix products. Without
--texts, texts are cut from the sample folder.

query: from a question to its passages, the embedding of the question included. "bare" embeds and has Chroma's own
`query` fetch as many chunks, with their texts and metadata, and does nothing else. Both, and each part of the work
alone, take turns question by question; "rest" is what the whole takes beyond its parts. "all vectors ms" is how long
reading every vector once would take at the speed at which memory is copied. llama-index and LangChain, with their
default stores, answer the same questions at the least size, with the product's engine.

threads: the same questions by 32 threads at once.

cold: from the start of a process to its end, medians of 7 rounds in turn. memory: what a process holds after one
question, and what the store takes on the disk.

Stores are filled with the texts over and over, numbered, in documents of 50 chunks, with random unit vectors: the
hardest for a vector index. A chunk takes some 2 ms to put, so that --sizes 10000,100000,1000000 takes most of an hour;
with --stores they are kept, and those that are there already are not filled again.

Rows are printed, and FILE is written again, as soon as each is measured. SIGTERM and Ctrl-C leave nothing behind.

But: raglite is a row without numbers, see `benchmarks.sync`.
"""

from __future__ import annotations

import argparse
import gc
import hashlib
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import engines
from benchmarks.command import Row, describe_machine, heed_signals, parse_sections, print_rows, tell, write_json
from benchmarks.engines import make_texts, open_chroma_default, to_onnx
from benchmarks.sync import StandIn, open_raglite, resident_bytes
from index.documents import Document, Passage, identify
from index.embedding.engines import open_embedding
from index.embedding.minilm import DIMENSIONS, MOST_TOKENS, MiniLM
from index.embedding.protocol import Embedding, Vectors
from index.embedding.weights import open_weights
from index.library import finish
from index.searching.retriever import CANDIDATES, retrieve
from index.settings import LOCAL_EMBEDDING, Settings
from index.splitting.outline import Outline
from index.storing.embedded import EmbeddedStore, discard
from index.storing.store import Store
from index.storing.versions import Version, number_chunks
from index.sync import embed

CHUNKS_A_DOCUMENT = 50
BATCH_CHUNKS = 5000
EMBEDDED_TEXTS = 128
THREADS = 32
COLD_ROUNDS = 7
Ask = Callable[[str], object]


@dataclass
class Bench:
    """What the measurements share. Stores are filled when first asked for.

    place: for what is gone afterwards. kept: where the stores are.
    """

    place: Path
    kept: Path
    settings: Settings
    embedding: Embedding
    sizes: Sequence[int]
    texts: Sequence[str]
    questions: Sequence[str]
    rounds: int
    stores: dict[int, EmbeddedStore] = field(default_factory=dict)

    def store(self, size: int) -> EmbeddedStore:
        """A store of so many chunks."""
        if size not in self.stores:
            folder = self.kept / str(size)
            store = EmbeddedStore(self.kept / "stores", folder, MiniLM.name)
            if not store.lexicon.is_usable() or store.lexicon.count_chunks() != size:
                discard(self.kept / "stores", folder)
                store = EmbeddedStore(self.kept / "stores", folder, MiniLM.name)
                fill(store, self.texts, size)
            self.stores[size] = store
        return self.stores[size]


def main() -> None:
    """Run the measurements that are asked for and print their tables."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument(
        "--sizes", type=lambda sizes: [int(size) for size in sizes.split(",")], default="10000,100000"
    )
    arguments.add_argument("--queries", type=int, default=200)
    arguments.add_argument("--rounds", type=int, default=4, help="of embedding")
    arguments.add_argument("--texts", type=Path, help="a JSON lines file whose rows have a `text`")
    arguments.add_argument("--only", type=lambda names: parse_sections(names, SECTIONS), default=list(SECTIONS))
    arguments.add_argument("--stores", type=Path, help="where filled stores are kept; by default nowhere")
    arguments.add_argument("--json", type=Path)
    arguments.add_argument("--child", nargs=3, metavar=("STORES", "FOLDER", "QUESTION"), help=argparse.SUPPRESS)
    given = arguments.parse_args()
    heed_signals()
    settings = replace(Settings.from_environment(), embedding=LOCAL_EMBEDDING)
    if given.child:
        rest(settings, Path(given.child[0]), Path(given.child[1]), given.child[2])
        return
    print(f"{time.strftime('%Y-%m-%d')}, {describe_machine()}")
    texts = make_texts(given.texts, BATCH_CHUNKS)
    questions = make_questions(texts, given.queries)
    systems: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        embedding = finish(open_embedding(settings))
        kept = given.stores.resolve() if given.stores else Path(temporary)
        bench = Bench(Path(temporary), kept, settings, embedding, sorted(given.sizes), texts, questions, given.rounds)
        for section in given.only:
            tell(section)
            systems[section] = {}
            for name, row in print_rows(section, SECTIONS[section](bench)):
                systems[section][name] = row
                write_json(given.json, {"set": "speed", "systems": systems})


def make_questions(texts: Sequence[str], count: int) -> list[str]:
    """Eight words that stand together somewhere in the texts, the same at every run."""
    chance = random.Random(1)
    questions = []
    for text in chance.choices(texts, k=count):
        words = text.split()
        start = chance.randrange(max(1, len(words) - 8))
        questions.append(" ".join(words[start : start + 8]) + "?")
    return questions


def fill(store: Store, texts: Sequence[str], size: int) -> None:
    """Fill a new store with so many chunks; its folder need not be there."""
    stand_in = StandIn(DIMENSIONS)
    with store.writing():
        for first in range(0, size, BATCH_CHUNKS):
            tell(f"filling: {first:,} of {size:,} chunks")
            last = min(size, first + BATCH_CHUNKS)
            starts = range(first, last, CHUNKS_A_DOCUMENT)
            store.put([make_version(texts, i, min(last, i + CHUNKS_A_DOCUMENT), stand_in) for i in starts])


def make_version(texts: Sequence[str], first: int, last: int, stand_in: StandIn) -> Version:
    """A document of the chunks from one number to another, none like another, as a sync would put it."""
    path = f"{first:08}.txt"
    parts = [f"{number}. {texts[number % len(texts)]}.\n\n" for number in range(first, last)]
    ends = np.cumsum([len(part) for part in parts]).tolist()
    text = "".join(parts)
    content_hash = hashlib.sha256(text.encode()).hexdigest()
    document = Document(identify(path), path, f"Note {first}", None, text, (), content_hash)
    version = Version(document, len(text.encode()), 0, is_complete=True)
    chunks = number_chunks(document, Outline(text), 0, list(zip([0, *ends], ends, strict=False)))
    embedded = embed(chunks, stand_in)
    for chunk in chunks:
        version.add(chunk)
    version.waiting = [(chunk, embedded[chunk.id]) for chunk, _ in version.waiting]
    return version


# -- embed ------------------------------------------------------------------------------------


def measure_embedding(bench: Bench) -> Iterator[Row]:
    """Texts a second, medians over interleaved rounds, and how near that is to what the processor could do."""
    from safetensors.numpy import load

    texts = bench.texts[:EMBEDDED_TEXTS]
    weights = finish(open_weights(bench.settings.cache_folder))
    default = open_chroma_default(weights, to_onnx(load(weights.model), int8=False), bench.place)
    bench.embedding.embed(texts)  # the engine makes itself ready for each length of text when it comes
    measured = engines.measure(
        {"Chroma's default": default, "product": bench.embedding.embed}, list(texts), bench.rounds
    )
    operations = sum(map(count_operations, bench.embedding.count_tokens(texts))) / len(texts)
    rates = {precision: measure_products(precision) for precision in ("bf16", "f32")}
    limit = max(rates.values()) / operations
    for name in ("product", "Chroma's default"):
        row = measured[name]
        speed = row["texts_per_second"]
        yield (
            name,
            {
                "texts/s": speed,
                "x Chroma's default": speed / measured["Chroma's default"]["texts_per_second"],
                "least cosine": row["least_cosine"],
                "one query ms": row["query_ms"],
                "GFLOP/s": speed * operations / 1e9,
                "% of the limit": 100 * speed / limit,
            },
        )
    for precision, rate in rates.items():
        yield (
            f"limit by matrix products, {precision}",
            {"texts/s": rate / operations, "GFLOP/s": rate / 1e9, "% of the limit": 100 * rate / operations / limit},
        )


def count_operations(tokens: int) -> int:
    """Floating-point operations of the model for one text: its matrix products, two for each multiply-add."""
    tokens = min(MOST_TOKENS, tokens + 2)
    projections, inner = 4 * DIMENSIONS * DIMENSIONS, 2 * DIMENSIONS * 4 * DIMENSIONS
    return 6 * 2 * tokens * (projections + inner + 2 * tokens * DIMENSIONS)


def measure_products(precision: str) -> float:
    """Floating-point operations a second of products of the model's largest shape, one after the other."""
    import openvino
    from openvino import opset13 as op

    rows, inner, products = 2048, 4 * DIMENSIONS, 12
    start = x = op.parameter([rows, DIMENSIONS], np.float32)
    chance = np.random.default_rng(0)
    for number in range(products):
        shape = (DIMENSIONS, inner) if number % 2 == 0 else (inner, DIMENSIONS)
        x = op.matmul(x, op.constant(chance.standard_normal(shape).astype(np.float32) / shape[0] ** 0.5), False, False)
    options = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": precision}
    request = (
        openvino.Core().compile_model(openvino.Model([x], [start], "products"), "CPU", options).create_infer_request()
    )
    given = chance.standard_normal((rows, DIMENSIONS)).astype(np.float32)
    spent = time_each({"": lambda _: request.infer([given], share_inputs=True, share_outputs=True)}, [""] * 30)[""]
    return products * 2 * rows * DIMENSIONS * inner / (statistics.median(spent) / 1000)


# -- query and threads ------------------------------------------------------------------------


def open_asks(bench: Bench, store: EmbeddedStore) -> dict[str, Ask]:
    """The product, what it cannot do without, and its parts."""
    count, vectors = bench.settings.passage_count, {q: bench.embedding.embed_query(q) for q in bench.questions}

    def ask(question: str) -> list[Passage]:
        return retrieve(store, question, bench.embedding.embed_query(question), count)

    query = open_bare_query(store, count)
    return {
        "product": ask,
        "bare": lambda question: query(bench.embedding.embed_query(question)),
        "embed": bench.embedding.embed_query,
        "dense": lambda question: store.nearest(vectors[question], CANDIDATES),
        "lexical": lambda question: store.lexicon.search(question, CANDIDATES),
    }


def open_bare_query(store: EmbeddedStore, count: int) -> Callable[[Vectors], object]:
    """Chroma's own query as it comes, of each collection that the store has in it."""
    import chromadb

    settings = chromadb.Settings(anonymized_telemetry=False)
    client = chromadb.PersistentClient(str(store.place / "chroma"), settings=settings)
    collections = [client.get_collection(c.name, embedding_function=None) for c in client.list_collections()]
    return lambda vector: [c.query(query_embeddings=vector[None, :], n_results=count) for c in collections]


def measure_queries(bench: Bench) -> Iterator[Row]:
    """Milliseconds from a question to its passages at each size, and where they go."""
    bandwidth = measure_bandwidth()
    reasons: dict[str, str] = {}
    for size in bench.sizes:
        asks = open_asks(bench, bench.store(size))
        if size == bench.sizes[0]:
            for name, opener in PEERS.items():
                tell(f"{name}: indexing")
                try:
                    asks[name] = opener(bench, size)
                except ImportError as error:
                    reasons[name] = f"not installed ({error})"
        spent = time_each(asks, bench.questions)
        parts = {part: np.array(spent.pop(part)) for part in ("embed", "dense", "lexical")}
        parts["rest"] = np.array(spent["product"]) - sum(parts.values())
        for name, times in spent.items():
            row: dict[str, float | None] = {
                f"p{share} ms": float(np.percentile(times, share)) for share in (50, 95, 99)
            }
            row["x bare"] = statistics.median(times) / statistics.median(spent["bare"])
            if name == "product":
                row |= {f"{part} ms": float(np.median(each)) for part, each in parts.items()}
                row["all vectors ms"] = 1000 * size * DIMENSIONS * 4 / bandwidth
            yield f"{name}, {size:,} chunks", row
    yield from reasons.items()


def time_each(asks: Mapping[str, Ask], questions: Sequence[str]) -> dict[str, list[float]]:
    """The milliseconds of each question to each, in turn, each as often first; a few are asked beforehand."""
    spent: dict[str, list[float]] = {name: [] for name in asks}
    names = list(asks)
    for number, question in enumerate([*questions[:10], *questions]):
        for place in range(len(names)):
            name = names[(number + place) % len(names)]
            started = time.perf_counter()
            asks[name](question)
            spent[name].append(1000 * (time.perf_counter() - started))
    return {name: times[-len(questions) :] for name, times in spent.items()}


def measure_bandwidth() -> float:
    """Bytes of memory a second that a copy reads and writes."""
    source = np.ones(32_000_000)
    target = np.empty_like(source)
    spent = time_each({"": lambda _: np.copyto(target, source)}, [""] * 10)[""]
    return 2 * source.nbytes / (statistics.median(spent) / 1000)


def measure_threads(bench: Bench) -> Iterator[Row]:
    """Questions a second, and how long each takes, when so many threads ask at once."""
    for size in bench.sizes:
        asks = open_asks(bench, bench.store(size))
        for name in ("product", "bare"):
            with ThreadPoolExecutor(THREADS) as threads:

                def time_one(question: str, ask: Ask = asks[name]) -> float:
                    started = time.perf_counter()
                    ask(question)
                    return 1000 * (time.perf_counter() - started)

                list(threads.map(asks[name], bench.questions[:THREADS]))  # each opens its own connection
                started = time.perf_counter()
                spent = list(threads.map(time_one, bench.questions))
                seconds = time.perf_counter() - started
            row = {f"p{share} ms": float(np.percentile(spent, share)) for share in (50, 99)}
            yield f"{name}, {size:,} chunks", {"questions/s": len(spent) / seconds, **row}


def open_llama_index(bench: Bench, size: int) -> Ask:
    """`VectorStoreIndex` with its own store, in memory."""
    from llama_index.core import VectorStoreIndex
    from llama_index.core.schema import TextNode

    from index.components import FootnoteEmbedding

    rows, texts = read_rows(bench, size)
    nodes = [TextNode(text=text, embedding=row.tolist()) for text, row in zip(texts, rows, strict=True)]
    vector_index = VectorStoreIndex(nodes, embed_model=FootnoteEmbedding(bench.settings))
    retriever = vector_index.as_retriever(similarity_top_k=bench.settings.passage_count)
    return lambda question: retriever.retrieve(question)


def open_langchain(bench: Bench, size: int) -> Ask:
    """LangChain's Chroma."""
    from langchain_chroma import Chroma
    from langchain_core.embeddings import Embeddings

    rows, texts = read_rows(bench, size)
    known = dict(zip(texts, rows, strict=True))

    class Known(Embeddings):  # type: ignore[misc]
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return [known[text].tolist() for text in texts]

        def embed_query(self, text: str) -> list[float]:
            vector: list[float] = bench.embedding.embed_query(text).tolist()
            return vector

    store = Chroma.from_texts(texts, Known(), persist_directory=str(bench.place / "langchain"))
    return lambda question: store.similarity_search(question, k=bench.settings.passage_count)


def read_rows(bench: Bench, size: int) -> tuple[list[Vectors], list[str]]:
    """The vectors and texts of all chunks of the product's store."""
    lexicon = bench.store(size).lexicon
    chunks = [chunk for record in lexicon.records() for chunk in lexicon.chunks_of(record.document_id)]
    texts = [chunk.text for chunk in chunks]
    return list(StandIn(DIMENSIONS).embed(texts)), texts


def refuse_raglite(bench: Bench, size: int) -> Ask:
    """The reason why it is not measured."""
    open_raglite(bench.settings, bench.place)
    raise ImportError("installed, but not measured here")


PEERS: dict[str, Callable[[Bench, int], Ask]] = {
    "llama-index": open_llama_index,
    "LangChain": open_langchain,
    "raglite": refuse_raglite,
}


# -- cold -------------------------------------------------------------------------------------

BARE_COMMAND = "import typer; app = typer.Typer(); app.command()(lambda: None); app()"
BARE_QUERY = """
import sys, chromadb
from index.embedding.engines import open_embedding
from index.library import finish
from index.settings import Settings
vector = finish(open_embedding(Settings.from_environment())).embed_query(sys.argv[2])
client = chromadb.PersistentClient(sys.argv[1], settings=chromadb.Settings(anonymized_telemetry=False))
client.get_collection("chunks", embedding_function=None).query(query_embeddings=vector[None, :], n_results=8)
"""


def measure_cold(bench: Bench) -> Iterator[Row]:
    """Seconds of whole processes, and how much longer than what can hardly be done without."""
    footnote, question = str(Path(sys.executable).with_name("footnote")), "Why was Israel skipped?"
    stores = bench.place / "cold"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "FOOTNOTE_"))}
    environment = kept | {"FOOTNOTE_STORE": str(stores), "FOOTNOTE_CACHE": str(bench.settings.cache_folder)}

    def run(command: Sequence[str]) -> float:
        started = time.perf_counter()
        subprocess.run(command, env=environment, check=True, capture_output=True)
        return time.perf_counter() - started

    tell("cold: the first question syncs the sample folder")
    run([footnote, "ask", question])
    (chroma,) = stores.glob("*/chroma")
    python = [sys.executable, "-c"]
    commands = {  # each with the name of what it is compared with
        "footnote ask": ([footnote, "ask", question], "bare query"),
        "bare query": ([*python, BARE_QUERY, str(chroma), question], "python -c pass"),
        "footnote --help": ([footnote, "--help"], "bare Typer --help"),
        "bare Typer --help": ([*python, BARE_COMMAND, "--help"], "python -c pass"),
        "import assistant": ([*python, "import assistant"], "python -c pass"),
        "python -c pass": ([*python, "pass"], "python -c pass"),
    }
    spent: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(COLD_ROUNDS):
        for name, (command, _) in commands.items():
            spent[name].append(run(command))
    medians = {name: statistics.median(times) for name, times in spent.items()}
    for name, (_, beside) in commands.items():
        yield f"{name} (beside {beside})", {"seconds": medians[name], "ratio": medians[name] / medians[beside]}


# -- memory -----------------------------------------------------------------------------------


def measure_memory(bench: Bench) -> Iterator[Row]:
    """Resident memory of a process of its own after one question, and the store's size on the disk."""
    for size in bench.sizes:
        place = bench.store(size).place
        command = [sys.executable, "-m", "benchmarks.speed", "--child"]
        command += [str(bench.kept / "stores"), str(bench.kept / str(size)), bench.questions[0]]
        resident = int(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
        stored = sum(file.stat().st_size for file in place.rglob("*") if file.is_file())
        yield (
            f"{size:,} chunks",
            {
                "resident MB": resident / 1e6,
                "disk MB": stored / 1e6,
                "bytes a chunk": stored / size,
                "vectors MB": size * DIMENSIONS * 4 / 1e6,
            },
        )


def rest(settings: Settings, stores: Path, folder: Path, question: str) -> None:
    """The child: open a store, ask one question, and tell how many bytes the process then holds."""
    embedding = finish(open_embedding(settings))
    store = EmbeddedStore(stores, folder, MiniLM.name)
    retrieve(store, question, embedding.embed_query(question), settings.passage_count)
    gc.collect()
    print(resident_bytes())


SECTIONS: dict[str, Callable[[Bench], Iterator[Row]]] = {
    "embed": measure_embedding,
    "query": measure_queries,
    "threads": measure_threads,
    "cold": measure_cold,
    "memory": measure_memory,
}


if __name__ == "__main__":
    main()
