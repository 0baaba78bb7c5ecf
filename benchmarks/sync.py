"""How fast a folder becomes searchable beside its peers, and how memory, unchanged folders and kills fare.

    python -m benchmarks.sync [--texts FILE.jsonl] [--count 400] [--rounds 3] [--megabytes 300] [--dimensions 384]
        [--files 10000,100000] [--only rate,memory,unchanged,kill] [--json FILE]

rate: a folder of text files, about five passages each, is made searchable by the product, by llama-index and by
LangChain, each into a new Chroma store, interleaved round by round with the embedding engine alone on the product's
very chunks in one call. The model is loaded before the clock starts. Without --texts, files are cut from the sample
folder. memory, unchanged, kill: syncs in child processes with a stand-in for the embedding, a deterministic random
vector, so that they show what all the rest costs. kill takes a tenth of the megabytes.

memory's "kB a chunk" is how resident memory grows (the same as MB for 1,000 chunks): the slope of a least-squares line
over the second half of the samples, one a batch, when libraries and first buffers are in already; "-" where they are
too few (below some 5 MB). The last batch is not on the line, since it makes a long file visible all at once: what it
adds is "last step MB". "vectors MB" is what Chroma's index must hold at the end, four bytes a dimension.

Rows are printed, and FILE is written again, as soon as each is measured. SIGTERM and Ctrl-C leave nothing behind.

But: raglite is a row without numbers, since raglite 1.1.1 asks for numpy below 2 and cannot live beside our pins.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.command import Row, describe_machine, heed_signals, parse_sections, print_rows, write_json
from benchmarks.engines import make_texts, open_chroma_default, to_onnx
from index.embedding.protocol import Embedding, Vectors
from index.embedding.weights import open_weights
from index.library import finish, open_library
from index.loading.worker import peak_bytes
from index.settings import LOCAL_CHUNK_TOKENS, Settings
from index.storing.embedded import EmbeddedStore
from index.sync import sync

PASSAGES_A_FILE = 5
FILE_BYTES = 30_000  # of each file where a folder stands for many megabytes
SECTIONS = ("rate", "memory", "unchanged", "kill")
Peer = Callable[[Path, Path], int]  # from a folder and a place for the store to the number of chunks in it


def main() -> None:
    """Run the measurements that are asked for and print their tables."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--texts", type=Path, help="a JSON lines file whose rows have a `text`")
    arguments.add_argument("--count", type=int, default=400, help="passages that the folder is made of")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--megabytes", type=int, default=300)
    arguments.add_argument("--dimensions", type=int, default=384, help="of the stand-in's vectors")
    arguments.add_argument("--files", default="10000,100000")
    arguments.add_argument("--only", type=lambda names: parse_sections(names, SECTIONS), default=SECTIONS)
    arguments.add_argument("--json", type=Path)
    arguments.add_argument("--child", nargs=3, metavar=("FOLDER", "STORES", "REPEATS"), help=argparse.SUPPRESS)
    given = arguments.parse_args()
    heed_signals()
    if given.child:
        serve(Path(given.child[0]), Path(given.child[1]), int(given.child[2]), given.dimensions)
        return
    print(describe_machine())
    systems: dict[str, dict[str, dict[str, float | None] | str]] = {}
    for section in given.only:
        systems[section] = {}
        with tempfile.TemporaryDirectory() as temporary:
            for name, row in print_rows(section, measure(section, Path(temporary), given)):
                systems[section][name] = row
                write_json(given.json, {"set": "sync", "systems": systems})


def measure(section: str, place: Path, given: argparse.Namespace) -> Iterator[Row]:
    """The rows of one measurement, each as soon as there is one."""
    if section == "rate":
        return measure_rate(place, make_texts(given.texts, given.count), given.rounds)
    if section == "memory":
        return measure_memory(place, make_texts(given.texts, 500), given.megabytes * 1_000_000, given.dimensions)
    if section == "unchanged":
        return measure_unchanged(place, [int(count) for count in given.files.split(",")], given.dimensions)
    return measure_kill(place, make_texts(given.texts, 500), given.megabytes * 100_000, given.dimensions)


# -- rate -------------------------------------------------------------------------------------


def measure_rate(place: Path, texts: list[str], rounds: int) -> Iterator[Row]:
    """Chunks and characters a second, medians over interleaved rounds, and what is that of the engine alone."""
    folder = place / "documents"
    write_files(folder, ("\n\n".join(texts[i : i + PASSAGES_A_FILE]) for i in range(0, len(texts), PASSAGES_A_FILE)))
    settings = replace(Settings.from_environment(), embedding="local", chunk_tokens=LOCAL_CHUNK_TOKENS)
    # One store for the chunks that the engine alone is given; with it the product's model is loaded.
    library = finish(open_library(folder, replace(settings, store_folder=place / "first")))
    finish(library.sync())
    lexicon = library.store.lexicon
    chunks = [chunk.text for record in lexicon.records() for chunk in lexicon.chunks_of(record.document_id)]
    opened = {"engine alone": open_engine(library.embedding, chunks)} | open_peers(settings, place)
    peers = {name: peer for name, peer in opened.items() if not isinstance(peer, str)}
    seconds: dict[str, list[float]] = {name: [] for name in peers}
    counts: dict[str, int] = {}
    # The round before the first warms every engine up, which makes itself ready for each length of text when it comes.
    for number in range(-1, rounds):
        for name, peer in peers.items():
            started = time.perf_counter()
            counts[name] = peer(folder, place / f"{name}-{number}".replace(" ", "-"))
            seconds[name].append(time.perf_counter() - started)
        last = ", ".join(f"{name} {seconds[name][-1]:.1f} s" for name in peers)
        print(f"rate, {f'round {number + 1} of {rounds}' if number >= 0 else 'warm-up'}: {last}", file=sys.stderr)
    seconds = {name: spent[1:] for name, spent in seconds.items()}
    characters, alone = sum(map(len, chunks)), seconds["engine alone"]
    for name, spent in seconds.items():
        yield (
            name,
            {
                "chunks": counts[name],
                "chunks/s": counts[name] / statistics.median(spent),
                "characters/s": characters / statistics.median(spent),
                "seconds": statistics.median(spent),
                "% of engine alone": 100 * statistics.median(a / s for a, s in zip(alone, spent, strict=True)),
            },
        )
    yield from ((name, reason) for name, reason in opened.items() if isinstance(reason, str))


def open_engine(embedding: Embedding, chunks: list[str]) -> Peer:
    """The embedding engine alone."""
    return lambda folder, store: len(embedding.embed(chunks))


def open_peers(settings: Settings, place: Path) -> dict[str, Peer | str]:
    """Every way to make a folder searchable, by name, or the reason why it is not measured."""

    def run_product(folder: Path, store: Path) -> int:
        library = finish(open_library(folder, replace(settings, store_folder=store)))
        finish(library.sync())
        return library.store.lexicon.count_chunks()

    peers: dict[str, Peer | str] = {"product": run_product}
    for name, opener in {"llama-index": open_llama_index, "LangChain": open_langchain, "raglite": open_raglite}.items():
        try:
            peers |= opener(settings, place)
        except ImportError as error:
            peers[name] = f"not installed ({error})"
    return peers


def open_llama_index(settings: Settings, place: Path) -> dict[str, Peer | str]:
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


def open_langchain(settings: Settings, place: Path) -> dict[str, Peer | str]:
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


def open_raglite(settings: Settings, place: Path) -> dict[str, Peer | str]:
    """No peer but the reason: what was never run beside us is not to be measured by guesswork."""
    try:
        import_module("raglite")
    except ImportError as error:
        raise ImportError(f"{error}; raglite 1.1.1 asks for numpy below 2, and ours is not") from error
    return {"raglite": "installed, but not measured here"}


# -- all the rest, with a stand-in for the embedding ------------------------------------------


class StandIn:
    """Random unit vectors, the same for the same text: the hardest for a vector index, the cheapest to make."""

    name = "stand-in"
    embeds_sentences = True

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions
        self.embedded = 0  # texts so far

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One row a text."""
        rows = [np.random.default_rng(zlib.crc32(text.encode())).standard_normal(self.dimensions) for text in texts]
        vectors = np.array(rows, dtype=np.float32).reshape(len(texts), self.dimensions)
        self.embedded += len(texts)
        unit: Vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit

    def embed_with_sentences(
        self, texts: Sequence[str], spans: Sequence[Sequence[tuple[int, int]]]
    ) -> tuple[Vectors, list[Vectors]]:
        """As many rows for sentences as the embedded model gives, all the same, since they are only stored."""
        vectors = self.embed(texts)
        return vectors, [np.repeat(row[None], len(parts), axis=0) for row, parts in zip(vectors, spans, strict=True)]

    def embed_query(self, text: str) -> Vectors:
        """As a text's."""
        vector: Vectors = self.embed([text])[0]
        return vector

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Four characters a token."""
        return [len(text) // 4 + 1 for text in texts]


def serve(folder: Path, stores: Path, repeats: int, dimensions: int) -> None:
    """The child: sync again and again, telling how far the first one is, then what it took, as lines of JSON."""
    store, embedding = EmbeddedStore(stores, folder, StandIn.name), StandIn(dimensions)
    spent, samples = [], []
    for _ in range(repeats):
        started = time.perf_counter()
        for progress in sync(folder, store, embedding):
            print(json.dumps([progress.done, progress.total]), flush=True)
            with suppress(ImportError):
                samples.append([embedding.embedded, resident_bytes()])
        spent.append(time.perf_counter() - started)
    chunks = store.lexicon.count_chunks()
    print(json.dumps({"seconds": spent, "peak_bytes": peak_bytes(), "chunks": chunks, "samples": samples}))


def resident_bytes() -> int:
    """The memory that this process holds now; ImportError where neither the system nor psutil says."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return int(import_module("psutil").Process().memory_info().rss)


def run_child(folder: Path, stores: Path, dimensions: int, *, repeats: int = 1, kill_at: float = 2.0) -> Any:
    """Sync in a child process, which is killed once this share of the bytes is stored; None where it was."""
    command = [sys.executable, "-m", "benchmarks.sync", "--dimensions", str(dimensions)]
    command += ["--child", str(folder), str(stores), str(repeats)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            for line in child.stdout:
                match json.loads(line):
                    case [done, total] if total and done / total >= kill_at:
                        return None
                    case dict(result):
                        return result
        finally:
            # Whatever ends this: leaving the `with` waits for the child. One whose parent is killed ends by itself,
            # when it next tells how far it is.
            child.kill()
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


def measure_memory(place: Path, texts: list[str], total_bytes: int, dimensions: int) -> Iterator[Row]:
    """Peak resident memory, its growth, and speed of a first sync, of one file and of many."""
    one = place / "one"
    one.mkdir()
    with (one / "long.txt").open("w", encoding="utf-8") as stream:
        stream.writelines(make_paragraphs(texts, total_bytes))
    write_files(place / "many", make_files(texts, total_bytes))
    for name, folder in {"one file": one, f"files of {FILE_BYTES // 1000} kB": place / "many"}.items():
        result = run_child(folder, place / "stores", dimensions)
        shutil.rmtree(place / "stores")
        seconds, chunks, samples = result["seconds"][0], result["chunks"], result["samples"]
        yield (
            f"{name}, {total_bytes / 1e6:,.0f} MB",
            {
                "chunks": chunks,
                "peak MB": result["peak_bytes"] / 1e6,
                "kB a chunk": fit_growth(samples, chunks),
                "last step MB": (samples[-1][1] - samples[-2][1]) / 1e6 if len(samples) > 1 else None,
                "vectors MB": chunks * dimensions * 4 / 1e6,
                "seconds": seconds,
                "MB/s": total_bytes / 1e6 / seconds,
                "chunks/s": chunks / seconds,
            },
        )


def fit_growth(samples: list[list[int]], chunks: int) -> float | None:
    """Kilobytes a chunk: the slope through the second half of the samples but the last; None for fewer than ten."""
    half = samples[len(samples) // 2 : -1]
    if len(half) < 10:
        return None
    # Chunks of one batch with the same text are embedded once: what was embedded by the end is all the chunks.
    share = chunks / samples[-1][0]
    return statistics.linear_regression([share * texts for texts, _ in half], [held / 1e3 for _, held in half]).slope


def measure_unchanged(place: Path, counts: list[int], dimensions: int) -> Iterator[Row]:
    """A sync that finds nothing to do, of tiny files in an open store: median of three."""
    for count in counts:
        folder = place / str(count)
        write_files(folder, (f"This is note {number}, and no other." for number in range(count)))
        first, _, *again = run_child(folder, place / "stores", dimensions, repeats=5)["seconds"]
        shutil.rmtree(place / "stores")
        seconds = statistics.median(again)
        yield (
            f"{count:,} files",
            {
                "first sync s": first,
                "no-change sync s": seconds,
                "ms per 1,000 files": 1e6 * seconds / count,
            },
        )


def measure_kill(place: Path, texts: list[str], total_bytes: int, dimensions: int) -> Iterator[Row]:
    """A sync killed half way: what is left to do, beside a sync that nobody disturbs."""
    folder = place / "many"
    write_files(folder, make_files(texts, total_bytes))
    clean = run_child(folder, place / "stores", dimensions)
    shutil.rmtree(place / "stores")
    yield f"clean sync of {total_bytes / 1e6:,.1f} MB", compare(clean, clean)
    run_child(folder, place / "stores", dimensions, kill_at=0.5)
    after = run_child(folder, place / "stores", dimensions)
    assert after["chunks"] == clean["chunks"], "the store is not that of a clean sync"
    yield "sync after a kill half way", compare(after, clean)


def compare(result: Any, clean: Any) -> dict[str, float | None]:
    """One row of `measure_kill`."""
    seconds = result["seconds"][0]
    return {
        "chunks in the end": result["chunks"],
        "seconds": seconds,
        "% of clean": 100 * seconds / clean["seconds"][0],
    }


if __name__ == "__main__":
    main()
