"""How fast a folder becomes searchable beside its peers, and how memory, unchanged folders and kills fare.

    python -m benchmarks.sync [--texts FILE.jsonl] [--count 400] [--rounds 3] [--megabytes 300]
        [--files 10000,100000] [--only rate,memory,unchanged,kill] [--json FILE]

rate: a folder of text files, about five passages each, is made searchable by the product, by llama-index and by
LangChain, each into a new Chroma store, interleaved round by round with the embedding engine alone on the product's
very chunks in one call. The model is loaded before the clock starts. Without --texts, files are cut from the sample
folder. memory, unchanged, kill: syncs in child processes with a stand-in for the embedding, a deterministic random
vector, so that they show what all the rest costs. kill takes a tenth of the megabytes.

But: raglite is not among the peers, since raglite 1.1.1 asks for numpy below 2 and cannot live beside our pins.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.engines import make_texts, open_chroma_default, to_onnx
from index.embedding import Embedding, Vectors
from index.library import finish, open_library
from index.settings import LOCAL_CHUNK_TOKENS, Settings
from index.store import Store
from index.sync import sync
from index.weights import open_weights
from index.worker import _peak_bytes

PASSAGES_A_FILE = 5
FILE_BYTES = 30_000  # of each file where a folder stands for many megabytes
DIMENSIONS = 384  # of the stand-in's vectors, as the embedded model's
Peer = Callable[[Path, Path], int]  # from a folder and a place for the store to the number of chunks in it


def main() -> None:
    """Run the measurements that are asked for and print their tables."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--texts", type=Path, help="a JSON lines file whose rows have a `text`")
    arguments.add_argument("--count", type=int, default=400, help="passages that the folder is made of")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--megabytes", type=int, default=300)
    arguments.add_argument("--files", default="10000,100000")
    arguments.add_argument("--only", default="rate,memory,unchanged,kill")
    arguments.add_argument("--json", type=Path)
    arguments.add_argument("--child", nargs=3, metavar=("FOLDER", "STORES", "REPEATS"), help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.child:
        serve(Path(given.child[0]), Path(given.child[1]), int(given.child[2]))
        return
    print(f"{os.cpu_count()} x {platform.processor() or platform.machine()}, Python {platform.python_version()}")
    systems: dict[str, dict[str, dict[str, float]]] = {}
    for name in given.only.split(","):
        with tempfile.TemporaryDirectory() as temporary:
            place = Path(temporary)
            if name == "rate":
                rows = measure_rate(place, make_texts(given.texts, given.count), given.rounds)
            elif name == "memory":
                rows = measure_memory(place, make_texts(given.texts, 500), given.megabytes * 1_000_000)
            elif name == "unchanged":
                rows = measure_unchanged(place, [int(count) for count in given.files.split(",")])
            else:
                rows = measure_kill(place, make_texts(given.texts, 500), given.megabytes * 100_000)
        systems[name] = rows
        print_table(name, rows)
    if given.json:
        given.json.write_text(json.dumps({"set": "sync", "systems": systems}, indent=1) + "\n", encoding="utf-8")


def print_table(name: str, rows: dict[str, dict[str, float]]) -> None:
    """One Markdown table: a row for each system or size, a column for each number."""
    columns = list(next(iter(rows.values())))
    print(f"\n| {' | '.join([name, *columns])} |\n|{'---|' * (len(columns) + 1)}")
    for row, numbers in rows.items():
        cells = (f"{numbers[c]:,.{0 if abs(numbers[c]) >= 100 else 2}f}" if c in numbers else "-" for c in columns)
        print(f"| {' | '.join([row, *cells])} |", flush=True)


# -- rate -------------------------------------------------------------------------------------


def measure_rate(place: Path, texts: list[str], rounds: int) -> dict[str, dict[str, float]]:
    """Chunks and characters a second, medians over interleaved rounds, and what is that of the engine alone."""
    folder = place / "documents"
    write_files(folder, ("\n\n".join(texts[i : i + PASSAGES_A_FILE]) for i in range(0, len(texts), PASSAGES_A_FILE)))
    settings = replace(Settings.from_environment(), embedding="local", chunk_tokens=LOCAL_CHUNK_TOKENS)
    # One store for the chunks that the engine alone is given; with it the product's model is loaded.
    library = finish(open_library(folder, replace(settings, store_folder=place / "first")))
    finish(library.sync())
    lexicon = library.store.lexicon
    chunks = [chunk.text for record in lexicon.records() for chunk in lexicon.chunks_of(record.document_id)]
    peers = {"engine alone": open_engine(library.embedding, chunks)} | open_peers(settings, place)
    seconds: dict[str, list[float]] = {name: [] for name in peers}
    counts: dict[str, int] = {}
    # The round before the first warms every engine up, which makes itself ready for each length of text when it comes.
    for number in range(-1, rounds):
        for name, peer in peers.items():
            started = time.perf_counter()
            counts[name] = peer(folder, place / f"{name}-{number}".replace(" ", "-"))
            if number >= 0:
                seconds[name].append(time.perf_counter() - started)
    characters, alone = sum(map(len, chunks)), seconds["engine alone"]
    return {
        name: {
            "chunks": counts[name],
            "chunks/s": counts[name] / statistics.median(spent),
            "characters/s": characters / statistics.median(spent),
            "seconds": statistics.median(spent),
            "% of engine alone": 100 * statistics.median(a / s for a, s in zip(alone, spent, strict=True)),
        }
        for name, spent in seconds.items()
    }


def open_engine(embedding: Embedding, chunks: list[str]) -> Peer:
    """The embedding engine alone."""
    return lambda folder, store: len(embedding.embed(chunks))


def open_peers(settings: Settings, place: Path) -> dict[str, Peer]:
    """Every way to make a folder searchable, by name; those that are not installed are left out, and it says so."""

    def run_product(folder: Path, store: Path) -> int:
        library = finish(open_library(folder, replace(settings, store_folder=store)))
        finish(library.sync())
        return library.store.lexicon.count_chunks()

    peers: dict[str, Peer] = {"product": run_product}
    for name, opener in {"llama-index": open_llama_index, "LangChain": open_langchain}.items():
        try:
            peers |= opener(settings, place)
        except ImportError as error:
            print(f"{name}: not installed ({error})")
    return peers


def open_llama_index(settings: Settings, place: Path) -> dict[str, Peer]:
    """`VectorStoreIndex.from_documents` into Chroma with our embedding and chunks of our size, in its own batches."""
    import chromadb
    from llama_index.core import SimpleDirectoryReader, StorageContext, VectorStoreIndex
    from llama_index.core.node_parser import SentenceSplitter
    from llama_index.vector_stores.chroma import ChromaVectorStore

    from index.components import FootnoteEmbedding

    def open_with(batch: int) -> Peer:
        embedding = FootnoteEmbedding(settings, embed_batch_size=batch)

        def run(folder: Path, store: Path) -> int:
            collection = chromadb.PersistentClient(str(store)).create_collection("texts", embedding_function=None)
            VectorStoreIndex.from_documents(
                SimpleDirectoryReader(str(folder)).load_data(),
                storage_context=StorageContext.from_defaults(vector_store=ChromaVectorStore(collection)),
                transformations=[SentenceSplitter(chunk_size=settings.chunk_tokens, chunk_overlap=0)],
                embed_model=embedding,
            )
            return int(collection.count())

        return run

    return {"llama-index, 10 a batch (its default)": open_with(10), "llama-index, 256 a batch": open_with(256)}


def open_langchain(settings: Settings, place: Path) -> dict[str, Peer]:
    """LangChain into Chroma with Chroma's default function on the same weights; four characters count as a token."""
    from langchain_chroma import Chroma
    from langchain_core.documents import Document
    from langchain_core.embeddings import Embeddings
    from langchain_text_splitters import RecursiveCharacterTextSplitter
    from safetensors.numpy import load

    weights = finish(open_weights(settings.cache_folder))
    embed = open_chroma_default(weights, to_onnx(load(weights.model), int8=False), place)

    class Default(Embeddings):  # type: ignore[misc]
        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            return [[float(value) for value in row] for row in embed(texts)]

        def embed_query(self, text: str) -> list[float]:
            return self.embed_documents([text])[0]

    def run(folder: Path, store: Path) -> int:
        splitter = RecursiveCharacterTextSplitter(chunk_size=4 * settings.chunk_tokens, chunk_overlap=0)
        documents = [
            Document(file.read_text(encoding="utf-8"), metadata={"path": file.name})
            for file in sorted(folder.iterdir())
        ]
        chunks = splitter.split_documents(documents)
        Chroma.from_documents(chunks, Default(), persist_directory=str(store))
        return len(chunks)

    return {"LangChain, Chroma's default embedding": run}


# -- all the rest, with a stand-in for the embedding ------------------------------------------


class StandIn:
    """Random unit vectors, the same for the same text: the hardest for a vector index, the cheapest to make."""

    name = "stand-in"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row a text."""
        rows = [np.random.default_rng(zlib.crc32(text.encode())).standard_normal(DIMENSIONS) for text in texts]
        vectors = np.array(rows, dtype=np.float32).reshape(len(texts), DIMENSIONS)
        unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit

    def embed_query(self, text: str) -> Vectors:
        """As a text's."""
        vector: Vectors = self.embed([text])[0]
        return vector

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Four characters a token."""
        return [len(text) // 4 + 1 for text in texts]


def serve(folder: Path, stores: Path, repeats: int) -> None:
    """The child: sync again and again, telling how far the first one is, then what it took, as lines of JSON."""
    store, spent = Store(stores, folder, StandIn.name), []
    for _ in range(repeats):
        started = time.perf_counter()
        for progress in sync(folder, store, StandIn(), LOCAL_CHUNK_TOKENS):
            print(json.dumps([progress.done, progress.total]), flush=True)
        spent.append(time.perf_counter() - started)
    print(json.dumps({"seconds": spent, "peak_bytes": _peak_bytes(), "chunks": store.lexicon.count_chunks()}))


def run_child(folder: Path, stores: Path, *, repeats: int = 1, kill_at: float = 2.0) -> Any:
    """Sync in a child process, which is killed once this share of the bytes is stored; None where it was."""
    command = [sys.executable, "-m", "benchmarks.sync", "--child", str(folder), str(stores), str(repeats)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            match json.loads(line):
                case [done, total] if total and done / total >= kill_at:
                    child.kill()
                    return None
                case dict(result):
                    return result
    raise RuntimeError(f"the child ended with {child.returncode}")


def write_files(folder: Path, texts: Iterator[str] | Sequence[str], a_folder: int = 1000) -> None:
    """A folder of text files, at most so many in one sub-folder; in itself where they all fit."""
    folder.mkdir()
    for number, text in enumerate(texts):
        below = folder / f"{number // a_folder:04}" if number >= a_folder else folder
        below.mkdir(exist_ok=True)
        (below / f"{number:06}.txt").write_text(text, encoding="utf-8")


def make_paragraphs(texts: list[str], total_bytes: int) -> Iterator[str]:
    """Numbered paragraphs, none like another, until there are so many bytes of them."""
    chance, made = random.Random(0), 0
    while made < total_bytes:
        paragraph = f"{made}. {chance.choice(texts)} {chance.choice(texts)}.\n\n"
        made += len(paragraph.encode())
        yield paragraph


def make_files(texts: list[str], total_bytes: int) -> Iterator[str]:
    """Such paragraphs in files of `FILE_BYTES`, or a little more."""
    lines: list[str] = []
    for paragraph in make_paragraphs(texts, total_bytes):
        lines.append(paragraph)
        if sum(map(len, lines)) >= FILE_BYTES:
            yield "".join(lines)
            lines = []
    yield "".join(lines) or "The end."


def measure_memory(place: Path, texts: list[str], total_bytes: int) -> dict[str, dict[str, float]]:
    """Peak resident memory and speed of a first sync, of one file and of many."""
    one = place / "one"
    one.mkdir()
    with (one / "long.txt").open("w", encoding="utf-8") as stream:
        stream.writelines(make_paragraphs(texts, total_bytes))
    write_files(place / "many", make_files(texts, total_bytes))
    rows: dict[str, dict[str, float]] = {}
    for name, folder in {"one file": one, f"files of {FILE_BYTES // 1000} kB": place / "many"}.items():
        result = run_child(folder, place / "stores")
        seconds = result["seconds"][0]
        rows[f"{name}, {total_bytes / 1e6:,.0f} MB"] = {
            "chunks": result["chunks"],
            "peak MB": result["peak_bytes"] / 1e6,
            "seconds": seconds,
            "MB/s": total_bytes / 1e6 / seconds,
            "chunks/s": result["chunks"] / seconds,
        }
    return rows


def measure_unchanged(place: Path, counts: list[int]) -> dict[str, dict[str, float]]:
    """A sync that finds nothing to do, of tiny files in an open store: median of three."""
    rows: dict[str, dict[str, float]] = {}
    for count in counts:
        folder = place / str(count)
        write_files(folder, (f"This is note {number}, and no other." for number in range(count)))
        first, _, *again = run_child(folder, place / "stores", repeats=5)["seconds"]
        seconds = statistics.median(again)
        rows[f"{count:,} files"] = {
            "first sync s": first,
            "no-change sync s": seconds,
            "ms per 1,000 files": 1e6 * seconds / count,
        }
    return rows


def measure_kill(place: Path, texts: list[str], total_bytes: int) -> dict[str, dict[str, float]]:
    """A sync killed half way: what is left to do, beside a sync that nobody disturbs."""
    folder = place / "many"
    write_files(folder, make_files(texts, total_bytes))
    clean = run_child(folder, place / "clean")
    run_child(folder, place / "killed", kill_at=0.5)
    after = run_child(folder, place / "killed")
    assert after["chunks"] == clean["chunks"], "the store is not that of a clean sync"
    rows = {f"clean sync of {total_bytes / 1e6:,.1f} MB": clean, "sync after a kill half way": after}
    return {
        name: {
            "chunks in the end": row["chunks"],
            "seconds": row["seconds"][0],
            "% of clean": 100 * row["seconds"][0] / clean["seconds"][0],
        }
        for name, row in rows.items()
    }


if __name__ == "__main__":
    main()
