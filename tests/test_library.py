from __future__ import annotations

import dataclasses
import os
import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from index.documents import identify
from index.embedding.protocol import Embedding
from index.errors import FolderError, StoreError
from index.library import Library, finish, open_library
from index.settings import Settings, sample_folder
from index.storing.store import place_of

pytestmark = pytest.mark.usefixtures("embedding")


@pytest.fixture
def library(folder: Path, settings: Settings) -> Library:
    """A synced library of two documents."""
    (folder / "bridge.txt").write_text("The bridge is closed until autumn.")
    (folder / "bakery.txt").write_text("Our sourdough needs two days.")
    library: Library = finish(open_library(folder, settings))
    finish(library.sync())
    return library


def paths_of(library: Library, query: str) -> list[str]:
    return [passage.path for passage in library.retrieve(query)]


def test_a_folder_is_synced_and_searched(library: Library) -> None:
    assert paths_of(library, "Is the bridge open?") == ["bridge.txt", "bakery.txt"]
    assert paths_of(library, "How long does bread take?") == ["bakery.txt", "bridge.txt"]


def test_the_store_lies_where_the_settings_say(library: Library, settings: Settings, folder: Path) -> None:
    assert [*settings.store_folder.iterdir()] == [place_of(settings.store_folder, folder)]
    assert library.store.place == place_of(settings.store_folder, folder)


def test_a_folder_is_opened_once_whatever_way_it_is_written(
    library: Library, folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    monkeypatch.setenv("HOME", str(folder.parent))
    for way in (folder, Path(folder.name), Path("~", folder.name), folder / ".." / folder.name):
        assert finish(open_library(way, settings)).store is library.store


def test_other_settings_open_another_library_with_the_same_embedding(
    library: Library, folder: Path, settings: Settings
) -> None:
    narrow = dataclasses.replace(settings, passage_count=1)
    other: Library = finish(open_library(folder, narrow))
    assert other is not library
    assert other.embedding is library.embedding
    assert paths_of(other, "bridge") == ["bridge.txt"]


def test_threads_that_open_a_folder_at_once_get_one_store(folder: Path, settings: Settings) -> None:
    with ThreadPoolExecutor(4) as threads:
        libraries = [*threads.map(lambda _: finish(open_library(folder, settings)), range(8))]
    assert len({id(library.store) for library in libraries}) == 1


def test_a_folder_that_is_missing_or_a_file_is_an_error_that_says_so(tmp_path: Path, settings: Settings) -> None:
    with pytest.raises(FolderError, match=r"missing does not exist: check the path\.$"):
        finish(open_library(tmp_path / "missing", settings))
    (tmp_path / "a.txt").write_text("Alpha.")
    with pytest.raises(FolderError, match=r"a\.txt is not a folder: give the folder that holds the documents\.$"):
        finish(open_library(tmp_path / "a.txt", settings))
    assert [*settings.store_folder.iterdir()] == []


def test_a_store_of_another_embedding_is_refused_each_time(library: Library, folder: Path, settings: Settings) -> None:
    openai = dataclasses.replace(
        settings, embedding="text-embedding-3-small", api_key="none", base_url="http://127.0.0.1:9"
    )
    for _ in range(2):
        with pytest.raises(
            StoreError, match=rf"not embedding server:text-embedding-3-small\. .* sync {folder} --anew$"
        ):
            finish(open_library(folder, openai))
    assert paths_of(library, "bridge")


def test_what_another_process_syncs_is_found_without_a_restart(library: Library, folder: Path) -> None:
    assert len(paths_of(library, "the lighthouse")) == 2
    (folder / "lighthouse.txt").write_text("The lighthouse keeper has retired.")
    (folder / "bridge.txt").unlink()
    code = f"""
from pathlib import Path
from index.library import finish, open_library
from index.settings import Settings
library = finish(open_library(Path({str(folder)!r}), Settings.from_environment()))
print(finish(library.sync()).summary())
"""
    done = subprocess.run([sys.executable, "-c", code], env=os.environ, capture_output=True, text=True, check=False)
    assert done.stdout == "2 documents: 1 added, 1 removed, 1 unchanged\n", done.stderr
    assert paths_of(library, "the lighthouse") == ["lighthouse.txt", "bakery.txt"]


def test_questions_in_several_threads_are_answered_while_the_folder_changes(library: Library, folder: Path) -> None:
    def ask(number: int) -> list[str]:
        if number % 4 == 0:
            (folder / f"new{number}.txt").write_text(f"The lighthouse number {number} is lit.")
        finish(library.sync())
        return paths_of(library, "Is the bridge open?")

    with ThreadPoolExecutor(4) as threads:
        answers = [*threads.map(ask, range(16))]
    assert {answer[0] for answer in answers} == {"bridge.txt"}
    assert len(library.store.lexicon.records()) == 6


def test_the_sample_folder_is_whole(settings: Settings) -> None:
    library: Library = finish(open_library(settings.documents, settings))
    report = finish(library.sync())
    assert len(report.added) >= 5
    assert report.skipped == {}
    for path in report.added:
        with (sample_folder() / path).open(encoding="utf-8", newline="") as opened:
            assert library.store.text_of(identify(path)) == opened.read()
    assert all(record.title and record.date for record in library.store.lexicon.records())


def test_a_library_is_not_changed_once_it_is_open(library: Library, embedding: Embedding) -> None:
    assert library.embedding is embedding
    with pytest.raises(dataclasses.FrozenInstanceError):
        library.folder = Path("/")  # type: ignore[misc]


def test_a_lexicon_that_is_damaged_while_it_is_open_is_made_anew_in_the_middle_of_a_question(library: Library) -> None:
    before = library.retrieve("Is the bridge open?")
    damage = sqlite3.connect(library.store.place / "lexicon.sqlite")
    damage.execute("UPDATE chunks SET text = replace(text, 'autumn', 'august')")
    damage.commit()
    damage.close()
    assert library.retrieve("Is the bridge open?") == before
    assert "autumn" in before[0].text
    finish(library.sync())
    assert library.store.check() == {}


def test_a_store_of_which_nothing_is_whole_is_made_anew_in_the_middle_of_a_question(library: Library) -> None:
    before = [passage.text for passage in library.retrieve("Is the bridge open?")]
    damage = sqlite3.connect(library.store.place / "lexicon.sqlite")
    damage.execute("UPDATE vectors SET vector = zeroblob(length(vector))")
    damage.commit()
    damage.close()
    shutil.rmtree(library.store.place / "chroma")
    assert [passage.text for passage in library.retrieve("Is the bridge open?")] == before
    assert library.store.check() == {}
