"""Three workers and two chats over a folder on a Chroma server, while processes are killed and the network breaks.

All the while both chats are asked, and say what a file says, cited to the letter, or that it is not found; in the end
the shared store equals one that is made clean on one machine. The gate has a short run. `make test-cluster` has each
disturbance over 3,000 files, at moments of chance: it prints the seed, which FOOTNOTE_TEST_SEED gives again.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chroma_server import ChromaRun, Network, refuse
from cluster import Chat, Facts, Machine
from tiny_encoder import make_model

from assistant import Footnote
from assistant.answers.answer import Answer
from index.library import Library, borrow_library, finish, give_back
from index.settings import Settings
from index.storing.shared.server import Address, ChromaServer, ServerAwayError

FILES = int(os.environ.get("FOOTNOTE_TEST_CLUSTER", "0"))  # of the long form; 0 for the short one
SEED = int(os.environ.get("FOOTNOTE_TEST_SEED", "0")) or random.SystemRandom().randrange(1, 10**6)
ROUNDS = int(os.environ.get("FOOTNOTE_TEST_ROUNDS", "5"))  # of each disturbance
SHORT_FILES = 120
QUESTIONS = 30
CHANGES = 40  # of files, before workers are started
AWAY_SECONDS = 20.0
RESTART_SECONDS = 3.0
SWEPT_SECONDS = 60.0  # until a chat, the last that ends, has seen that those who are gone are gone

needs_time = pytest.mark.skipif(not FILES, reason="takes long: make test-cluster")


@dataclass
class Cluster:
    """All that runs, and what is done to it. kills: how many there were, by kind."""

    folder: Path
    facts: Facts
    server: ChromaRun
    network: Network
    workers: list[Machine]
    chats: list[Chat]
    chance: random.Random
    command: tuple[str | Path, ...]
    kills: Counter[str] = field(default_factory=Counter)
    codes: Counter[int] = field(default_factory=Counter)

    def work(self) -> None:
        """Have every worker sync again that has come to an end, with something to do."""
        for _ in range(CHANGES):
            self.facts.change(self.chance)
        for worker in self.workers:
            if not worker.is_running:
                if (code := worker.code) is not None:
                    self.codes[code] += 1
                worker.start(*self.command)

    def wait(self, most: float, least: float = 0.0) -> None:
        """Wait for a moment of chance, and change files meanwhile."""
        end = time.monotonic() + self.chance.uniform(least, most)
        while time.monotonic() < end:
            time.sleep(min(0.2, max(0.0, end - time.monotonic())))
            self.facts.change(self.chance)
        self.network.asked.clear()

    def kill_worker(self) -> None:
        self.work()
        self.wait(6)
        worker = self.chance.choice(self.workers)
        self.kills["worker"] += worker.kill() if self.chance.random() < 0.7 else worker.kill_one(self.chance)

    def kill_chat(self) -> None:
        chat = self.chance.choice(self.chats)
        self.kills["chat"] += chat.kill()
        chat.serve()

    def kill_server(self) -> None:
        self.server.kill()
        self.kills["server"] += 1
        self.wait(RESTART_SECONDS, least=RESTART_SECONDS)
        self.server.start()

    def finish(self) -> None:
        """Let the workers come to their end, and one more make the store equal to the folder."""
        for worker in self.workers:
            if worker.is_running:
                self.codes[worker.wait()] += 1
        for chat in self.chats:
            chat.wait_until_read()
        last = self.workers[0]
        last.start(*self.command)
        assert last.wait() == 0, last.read()[-3000:]


@pytest.fixture
def environment(tmp_path: Path, cache_folder: Path) -> dict[str, str]:
    """A tiny embedding: that a real one takes its time is not what is tried."""
    model = make_model(tmp_path / "model")
    return {
        "FOOTNOTE_EMBEDDING": f"local:{model}",
        "FOOTNOTE_CHUNK_TOKENS": "40",
        "FOOTNOTE_CACHE": str(cache_folder),
    }


@contextmanager
def running(
    tmp_path: Path, environment: dict[str, str], files: int, seed: int, *beside: str, disk: Path | None = None
) -> Iterator[Cluster]:
    """The server and its network, the chats, and workers that have begun; in the end all is as it should be."""
    print(f"\nFOOTNOTE_TEST_SEED={seed}, {files:,} files", flush=True)
    chance, begun = random.Random(seed), time.monotonic()
    folder = tmp_path / "documents"
    folder.mkdir()
    facts = Facts(folder, files)
    with ExitStack() as held:
        server = held.enter_context(ChromaRun(disk or tmp_path / "server"))
        network = held.enter_context(Network(server.url))
        environment = environment | {"FOOTNOTE_CHROMA_URL": network.url}
        workers = [Machine(tmp_path / f"worker-{n}", environment) for n in range(1 if beside else 3)]
        chats = [Chat(tmp_path / f"chat-{n}", environment, facts, random.Random(chance.random())) for n in range(2)]
        cluster = Cluster(folder, facts, server, network, workers, chats, chance, ("sync", folder, *beside))
        for worker in workers:
            held.callback(worker.kill)
        cluster.work()
        for chat in chats:
            held.enter_context(chat).serve()
        yield cluster
        disturbed = time.monotonic() - begun
        cluster.finish()
        settings = Settings.from_environment(environment | {"FOOTNOTE_STORE": str(tmp_path / "fresh")})
        assert_all_is_well(cluster, settings, tmp_path)
        print(
            f"killed: {dict(cluster.kills)}; workers ended with: {dict(cluster.codes)}; asked: "
            f"{sum(chat.asked for chat in chats):,}, found: {sum(chat.found for chat in chats):,}, refused: "
            f"{sum(len(chat.refused) for chat in chats)}; {disturbed:.0f} s, then "
            f"{time.monotonic() - begun - disturbed:.0f} s",
            flush=True,
        )


def assert_all_is_well(cluster: Cluster, settings: Settings, tmp_path: Path) -> None:
    """The shared store equals a clean one, nothing in it twice; all machines say the same, none said what is wrong."""
    for machine in (*cluster.workers, *cluster.chats):
        assert "Traceback" not in machine.read(), machine.read()[-5000:]
    for chat in cluster.chats:
        assert not chat.wrong, chat.wrong
        assert not [said for said in chat.refused if "The Chroma server at" not in said], chat.refused
        assert chat.found
    clean = settings.change(chroma_url=None, store_folder=tmp_path / "clean")
    with opened(cluster.folder, clean) as embedded, opened(cluster.folder, settings) as fresh:
        finish(embedded.sync())
        finish(fresh.store.catch_up())
        expected = read(fresh)
        assert len(expected) == len(cluster.facts.said) - len(cluster.facts.deleted)
        assert_equal(expected, read(embedded), tolerance=2e-3)
        with fresh.store.writing():
            assert fresh.store.check() == {}
        rows, end = sum(len(document[1]) for document in expected.values()), time.monotonic() + SWEPT_SECONDS
        while (count := fresh.store._link.rows.count()) != rows:
            assert time.monotonic() < end, f"{count} rows where {rows} count"
            time.sleep(0.5)
        for machine in (*cluster.workers, *cluster.chats):
            with opened(cluster.folder, settings.change(store_folder=machine.stores)) as library:
                finish(library.store.catch_up())
                assert_equal(read(library), expected)
    cluster.workers[-1].start("check", cluster.folder)
    assert cluster.workers[-1].wait() == 0, cluster.workers[-1].read()[-2000:]
    asked = [cluster.facts.question(n) for n in cluster.chance.sample(range(len(cluster.facts.said)), QUESTIONS)]
    answers = ask(cluster.folder, clean, asked)
    assert ask(cluster.folder, settings, asked) == answers
    for chat in cluster.chats:
        chat.wait_until_read()
        assert [to_comparable(chat.ask(question)) for question in asked] == answers


@contextmanager
def opened(folder: Path, settings: Settings) -> Iterator[Library]:
    library = finish(borrow_library(folder, settings))
    try:
        yield library
    finally:
        give_back(library)


def read(library: Library) -> dict[str, Any]:
    """Of each document its record, its chunks, and what the embedding made of them, by path."""
    lexicon = library.store.lexicon
    # What is noted of files that vanished before they were read stays until something else is to be done.
    assert not [path for path in lexicon.skipped() if (library.folder / path).exists()]
    found = {}
    for record in lexicon.records():
        chunks = lexicon.chunks_of(record.document_id)
        known = lexicon.embedded(chunk.id for chunk in chunks)
        # A time of change that was too fresh to be trusted is kept as -1.
        found[record.path] = replace(record, modified_ns=0), chunks, [known[chunk.id] for chunk in chunks]
    return found


def assert_equal(found: dict[str, Any], expected: dict[str, Any], tolerance: float = 0.0) -> None:
    """tolerance: of the vectors; what texts are computed together moves a model's numbers somewhat."""
    assert found.keys() == expected.keys()
    for path, (record, chunks, embedded) in expected.items():
        assert found[path][:2] == (record, chunks), path
        for one, other in zip(found[path][2], embedded, strict=True):
            np.testing.assert_allclose(one.vector, other.vector, rtol=0, atol=tolerance)
            sentences = (np.frombuffer(row.sentences, np.int8) / 127 for row in (one, other))
            np.testing.assert_allclose(*sentences, rtol=0, atol=tolerance and tolerance + 1 / 127)


def ask(folder: Path, settings: Settings, questions: list[str]) -> list[dict[str, Any]]:
    with Footnote(folder, settings=settings) as footnote:
        return [to_comparable(footnote.answer(question)) for question in questions]


def to_comparable(answer: Answer | str) -> dict[str, Any]:
    """An Answer without what it shows besides: among files that are much alike, two searches may find others."""
    assert isinstance(answer, Answer), answer
    fields = asdict(answer)
    del fields["passages"]
    fields["confidence"] = round(answer.confidence, 1)
    return fields


# -- the short form ---------------------------------------------------------------------------


def test_a_worker_a_chat_and_the_server_are_killed_while_the_network_breaks(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    with running(tmp_path, environment, SHORT_FILES, SEED) as cluster:
        cluster.network.always = refuse_some(cluster.chance)
        cluster.wait(2)
        cluster.kill_worker()
        cluster.kill_server()
        cluster.wait(1)
        cluster.kill_chat()
        cluster.network.always = None


# -- the long form ----------------------------------------------------------------------------

Disturbance = Callable[[Cluster], None]


def refuse_some(chance: random.Random) -> Any:
    """A third of what is asked is refused, by the server or by what stands before it."""

    def answer(handler: Any) -> None:
        if chance.random() < 1 / 3:
            refuse(chance.choice([429, 500]))(handler)
        else:
            handler.pass_on()

    return answer


def be_slow(cluster: Cluster) -> None:
    cluster.network.delay_seconds = 0.3
    cluster.wait(20, least=10)
    cluster.network.delay_seconds = 0


def be_away(cluster: Cluster) -> None:
    with cluster.network.down():
        cluster.wait(AWAY_SECONDS, least=AWAY_SECONDS)


def be_busy(cluster: Cluster) -> None:
    cluster.network.always = refuse_some(cluster.chance)
    cluster.wait(20, least=10)
    cluster.network.always = None


def do_everything(cluster: Cluster) -> None:
    cluster.network.delay_seconds = cluster.chance.choice([0, 0.05])
    cluster.network.always = cluster.chance.choice([None, refuse_some(cluster.chance)])
    cluster.chance.choice([Cluster.kill_worker, Cluster.kill_chat, Cluster.kill_server])(cluster)


@needs_time
@pytest.mark.parametrize("beside", [(), ("--workers", "3")], ids=["machines", "workers"])
@pytest.mark.parametrize(
    "disturb",
    [Cluster.kill_worker, Cluster.kill_chat, Cluster.kill_server, be_slow, be_away, be_busy, do_everything],
    ids=lambda disturb: disturb.__name__,
)
def test_whatever_happens_the_store_equals_a_clean_one(
    tmp_path: Path, environment: dict[str, str], disturb: Disturbance, beside: tuple[str, ...]
) -> None:
    with running(tmp_path, environment, FILES, SEED, *beside) as cluster:
        for _ in range(ROUNDS):
            cluster.work()
            cluster.wait(8)
            disturb(cluster)
        cluster.network.delay_seconds, cluster.network.always = 0, None


def fill(disk: Path, url: str) -> str:
    """Fill a disk until the server on it says so; how we tell of it."""
    server = ChromaServer(Address(url))
    try:
        rows = server.open("beside", {}, {"space": "l2"})
        subprocess.run(["dd", "if=/dev/zero", f"of={disk / 'ballast'}", "bs=4096"], check=False, capture_output=True)
        for number in range(1000):
            rows.upsert([str(number)], 2.0, embeddings=[[1.0, 0.0]], documents=["x" * 100_000])
    except ServerAwayError as error:
        return str(error)
    finally:
        server.close()
    return ""


@needs_time
def test_a_disk_that_is_full_loses_nothing(tmp_path: Path, environment: dict[str, str]) -> None:
    """Chroma goes on only when it is started again, once its disk has room."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256m", "tmpfs", disk], check=False).returncode:
        pytest.skip("a small disk cannot be mounted here")
    try:
        with running(tmp_path, environment, FILES, SEED, disk=disk) as cluster:
            for _ in range(ROUNDS):
                cluster.work()
                cluster.wait(8)
                said = fill(disk, cluster.server.url)
                print(said, flush=True)
                assert re.search("its disk is full|as after its disk was full|timed out", said), said
                cluster.wait(15, least=3)
                (disk / "ballast").unlink()
                cluster.kill_server()
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)
