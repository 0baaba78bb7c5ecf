"""What every test stands on: an environment of its own, the real embedding, the sample folder, a folder, its store."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from hashed import open_store

from index import library
from index.embedding.engines import open_embedding
from index.embedding.protocol import Embedding
from index.settings import Settings
from index.storing.store import Store

# A busy machine is no failure.
hypothesis.settings.register_profile("footnote", deadline=None)
hypothesis.settings.load_profile("footnote")


@pytest.fixture(scope="session")
def cache_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One for the session: the installed wheel is found before it, and it is part of what names an open embedding."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def _environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory, cache_folder: Path
) -> Iterator[None]:
    """No variable of the user's machine reaches a test, and no test reaches the user's data or an open library."""
    for name in list(os.environ):
        if name.startswith(("OPENAI_", "FOOTNOTE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("FOOTNOTE_STORE", str(tmp_path_factory.mktemp("store")))
    monkeypatch.setenv("FOOTNOTE_CACHE", str(cache_folder))
    monkeypatch.setenv("FOOTNOTE_CHECK", "words")  # a scripted model is asked to judge only where a test says so
    yield
    for store in library._stores.values():
        store.close()
    library._stores.clear()
    if server := sys.modules.get("assistant.writing.server"):  # another test's server may come to stand at its port
        server._contexts.clear()


@pytest.fixture
def settings() -> Settings:
    return Settings.from_environment()


@pytest.fixture(scope="session")
def embedding(cache_folder: Path) -> Embedding:
    """The real all-MiniLM-L6-v2 from the installed wheel, and the one that every library of the session opens."""
    settings = Settings.from_environment({"FOOTNOTE_CACHE": str(cache_folder)})
    opened = library.finish(open_embedding(settings))
    library._embeddings[settings.embedding, settings.cache_folder] = opened
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
def store(folder: Path, stores: Path) -> Iterator[Store]:
    """The store of `folder`, with an embedding that costs nothing."""
    store = open_store(folder, stores)
    yield store
    store.close()
