"""What a store on a Chroma server gives: how fast workers fill it, how fast chats ask it, and what each process holds.

    python -m benchmarks.cluster [--texts FILE.jsonl] [--files 300] [--rounds 2] [--workers 1,2,3]
        [--sizes 10000,100000] [--chats 1,2] [--seconds 20] [--only rate,questions] [--json FILE]

Chroma's own server is started on this machine, and everything else runs on it too: what workers share here is the
processor, so that the rate says what the server and our own protocol cost, not how far many machines go.

rate: `footnote sync` as a user starts it, of a folder of so many files, with the embedded model: into a store on this
machine, then with so many workers into one on the server, in turn. Each takes its start, some 2 s, along. "workers
CPU" and "server CPU" are seconds of processor, of all their processes.

questions: stores of so many passages with random vectors, the hardest for an index. So many processes, each a chat's
way from a question to its passages, with the look at the log that each question begins with, ask for so many seconds,
one question after the other; "here" is one process with the store on this machine. "mirror s" is what a machine takes
that has nothing yet, "follow ms" the median of the look at the log. Memory is what each process holds at the end, and
"disk" what lies in files then.

But: a network between machines adds its own time to each request, of which a question makes two.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from benchmarks.command import Row, describe_machine, heed_signals, parse_sections, print_rows, tell, write_json
from benchmarks.engines import make_texts
from benchmarks.speed import BATCH_CHUNKS, fill, make_questions
from benchmarks.sync import resident_bytes
from index.embedding.minilm import MiniLM
from index.library import finish, open_library
from index.settings import LOCAL_EMBEDDING, Settings
from index.storing.opening import open_store

SECTIONS = ("rate", "questions")
QUESTIONS = 500
START_SECONDS = 30.0
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Server:
    """A Chroma server that runs: its address, its process, and where it keeps its data."""

    url: str
    process_id: int
    data: Path

    def cpu_seconds(self) -> float:
        """The seconds of processor that it has used."""
        fields = Path(f"/proc/{self.process_id}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident_megabytes(self) -> float:
        """The memory that it holds."""
        pages = int(Path(f"/proc/{self.process_id}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    """Run the measurements that are asked for and print their tables."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--texts", type=Path, help="a JSON lines file whose rows have a `text`")
    arguments.add_argument("--files", type=int, default=300)
    arguments.add_argument("--rounds", type=int, default=2)
    arguments.add_argument("--workers", type=read_numbers, default="1,2,3")
    arguments.add_argument("--sizes", type=read_numbers, default="10000,100000")
    arguments.add_argument("--chats", type=read_numbers, default="1,2")
    arguments.add_argument("--seconds", type=float, default=20.0)
    arguments.add_argument("--only", type=lambda names: parse_sections(names, SECTIONS), default=list(SECTIONS))
    arguments.add_argument("--json", type=Path)
    arguments.add_argument("--child", metavar="FOLDER", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    heed_signals()
    if given.child:
        ask(Path(given.child), given.seconds)
        return
    print(f"{time.strftime('%Y-%m-%d')}, {describe_machine()}")
    texts = make_texts(given.texts, BATCH_CHUNKS)
    systems: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        for section in given.only:
            tell(section)
            systems[section] = {}
            rows = (
                measure_rate(place, texts[: given.files], given.workers, given.rounds)
                if section == "rate"
                else measure_questions(place, texts, given.sizes, given.chats, given.seconds)
            )
            for name, row in print_rows(section, rows):
                systems[section][name] = row
                write_json(given.json, {"set": "cluster", "systems": systems})


def read_numbers(given: str) -> list[int]:
    """Numbers with commas between."""
    return [int(number) for number in given.split(",")]


@contextmanager
def running_server(place: Path) -> Iterator[Server]:
    """Chroma's own server, with a new store of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data = Path(tempfile.mkdtemp(dir=place))
    command = [str(Path(sys.executable).with_name("chroma")), "run", "--path", str(data), "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for(f"{url}/api/v2/heartbeat")
            yield Server(url, process.pid, data)
        finally:
            process.terminate()
            process.wait()
            shutil.rmtree(data)


def wait_for(url: str) -> None:
    """Wait until an address answers. Raises TimeoutError where it does not."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        try:
            httpx.get(url, timeout=1).raise_for_status()
            return
        except httpx.HTTPError:
            time.sleep(0.05)
    raise TimeoutError(url)


# -- rate -------------------------------------------------------------------------------------


def measure_rate(place: Path, texts: Sequence[str], workers: Sequence[int], rounds: int) -> Iterator[Row]:
    """Documents and passages a second, medians over rounds in turn."""
    folder = place / "documents"
    folder.mkdir()
    for number, text in enumerate(texts):
        (folder / f"{number:06}.txt").write_text(text)
    measured: dict[str, list[dict[str, float]]] = {}
    for _ in range(rounds):
        for count in (0, *workers):
            name = f"{count} worker{'s' * (count > 1)} on a server" if count else "on this machine"
            tell(name)
            measured.setdefault(name, []).append(sync(place, folder, count))
    for name, rows in measured.items():
        yield name, {column: statistics.median(row[column] for row in rows) for column in rows[0]}


def sync(place: Path, folder: Path, workers: int) -> dict[str, float]:
    """One sync into a new store; no workers for one on this machine."""
    stores = Path(tempfile.mkdtemp(dir=place))
    environment = {"FOOTNOTE_STORE": str(stores)}
    with running_server(place) as server:
        if workers:
            environment["FOOTNOTE_CHROMA_URL"] = server.url
        command = [
            sys.executable,
            "-m",
            "assistant",
            "sync",
            str(folder),
            *(["--workers", str(workers)] * bool(workers)),
        ]
        before, server_before, started = os.times(), server.cpu_seconds(), time.perf_counter()
        subprocess.run(
            command, env={**os.environ, **environment}, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        seconds, after, of_server = time.perf_counter() - started, os.times(), server.cpu_seconds() - server_before
        settings = replace(Settings.from_environment(environment), embedding=LOCAL_EMBEDDING, store_folder=stores)
        library = finish(open_library(folder, settings))
        passages = library.store.lexicon.count_chunks()
        documents = library.store.lexicon.count_documents()
    shutil.rmtree(stores)
    computed = after.children_user + after.children_system - before.children_user - before.children_system
    return {
        "documents/s": documents / seconds,
        "passages/s": passages / seconds,
        "seconds": seconds,
        "workers CPU s": computed,
        "server CPU s": of_server,
    }


# -- questions --------------------------------------------------------------------------------


def measure_questions(
    place: Path, texts: Sequence[str], sizes: Sequence[int], chats: Sequence[int], seconds: float
) -> Iterator[Row]:
    """Questions a second, of one process with the store here, and of chats that ask one server."""
    for size in sizes:
        folder = place / str(size)
        folder.mkdir()
        here = {"FOOTNOTE_STORE": str(place / f"here-{size}")}
        fill_new(here, folder, texts, size)
        yield f"{size:,} here", summarise(run_chats([here], folder, texts, seconds))
        shutil.rmtree(here["FOOTNOTE_STORE"])
        with running_server(place) as server:
            filling = {"FOOTNOTE_STORE": str(place / f"fill-{size}"), "FOOTNOTE_CHROMA_URL": server.url}
            fill_new(filling, folder, texts, size)
            shutil.rmtree(filling["FOOTNOTE_STORE"])
            for count in chats:
                machines = [
                    {"FOOTNOTE_STORE": str(place / f"chat-{size}-{number}"), "FOOTNOTE_CHROMA_URL": server.url}
                    for number in range(count)
                ]
                row = summarise(run_chats(machines, folder, texts, seconds))
                yield (
                    f"{size:,}, {count} chat{'s' * (count > 1)}",
                    {
                        **row,
                        "server MB": server.resident_megabytes(),
                        "server disk MB": count_megabytes(server.data),
                        "mirror disk MB": count_megabytes(Path(machines[0]["FOOTNOTE_STORE"])),
                    },
                )


def count_megabytes(folder: Path) -> float:
    """How large all files of a folder are."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def fill_new(environment: dict[str, str], folder: Path, texts: Sequence[str], size: int) -> None:
    """A store of so many passages."""
    store = open_store(Settings.from_environment(environment), folder, MiniLM.name)
    fill(store, texts, size)
    store.let_go()


def run_chats(
    machines: Sequence[dict[str, str]], folder: Path, texts: Sequence[str], seconds: float
) -> list[dict[str, Any]]:
    """What processes measure that ask at the same time, each with an environment of its own."""
    command = [sys.executable, "-m", "benchmarks.cluster", "--child", str(folder), "--seconds", str(seconds)]
    children = [
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **environment}
        )
        for environment in machines
    ]
    try:
        for child in children:
            assert child.stdin and child.stdout
            child.stdin.write(json.dumps(make_questions(texts, QUESTIONS)) + "\n")
            child.stdin.flush()
            child.stdout.readline()  # it is ready
        for child in children:
            assert child.stdin
            child.stdin.write("begin\n")
            child.stdin.flush()
        return [json.loads(child.communicate()[0]) for child in children]
    finally:
        for child in children:
            child.kill()
            child.wait()


def summarise(chats: Sequence[dict[str, Any]]) -> dict[str, float | None]:
    """The figures of all chats together."""
    times = sorted(milliseconds for chat in chats for milliseconds in chat["question_ms"])
    return {
        "questions/s": sum(len(chat["question_ms"]) / chat["seconds"] for chat in chats),
        "p50 ms": statistics.median(times),
        "p99 ms": times[int(len(times) * 0.99)],
        "follow ms": statistics.median(milliseconds for chat in chats for milliseconds in chat["follow_ms"]),
        "mirror s": max(chat["mirror_seconds"] for chat in chats),
        "chat MB": statistics.median(chat["resident_megabytes"] for chat in chats),
    }


def ask(folder: Path, seconds: float) -> None:
    """The child: open the store, wait, then ask until the time is over; prints what it measured as JSON."""
    settings = replace(Settings.from_environment(), embedding=LOCAL_EMBEDDING)
    questions: list[str] = json.loads(sys.stdin.readline())
    started = time.perf_counter()
    library = finish(open_library(folder, settings))
    for _ in library.store.catch_up():
        pass
    mirror_seconds = time.perf_counter() - started
    library.retrieve(questions[0])
    print("ready", flush=True)
    sys.stdin.readline()
    question_ms: list[float] = []
    follow_ms: list[float] = []
    began = time.perf_counter()
    while (now := time.perf_counter()) - began < seconds:
        library.store.refresh()
        followed = time.perf_counter()
        library.retrieve(questions[len(question_ms) % len(questions)])
        follow_ms.append(1000 * (followed - now))
        question_ms.append(1000 * (time.perf_counter() - now))
    print(
        json.dumps(
            {
                "question_ms": question_ms,
                "follow_ms": follow_ms,
                "seconds": time.perf_counter() - began,
                "mirror_seconds": mirror_seconds,
                "resident_megabytes": resident_bytes() / 1e6,
            }
        )
    )


if __name__ == "__main__":
    main()
