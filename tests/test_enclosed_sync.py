"""What lies in mails and archives is in the store exactly as it lies there, wherever a sync was killed."""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hashed import HashEmbedding, open_store
from hypothesis import given
from hypothesis import settings as run_with
from hypothesis import strategies as st
from made_files import make_zip
from test_enclosed import make_message
from test_exactness import kill_at_random_moments, write_long
from test_sync import LONG, assert_equals_a_clean_store, dying_after, run_sync

from index.documents import identify
from index.library import finish
from index.plan import Plan, SyncReport
from index.storing.embedded import EmbeddedStore
from index.sync import sync


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    # As those of the process that is killed.
    monkeypatch.setattr("index.sync.BATCH_CHUNKS", 8)
    monkeypatch.setattr("index.loading.opening.LONG_TEXT_BYTES", 2000)
    monkeypatch.setattr("index.loading.sections.SECTION_CHARACTERS", 700)


_clock = [10**9]


def make_mail(members: Mapping[str, bytes | str]) -> bytes:
    """A message, the same each time."""
    message = make_message(dict(members))
    if members:
        message.set_boundary("=====")
    return message.as_bytes()


def write(file: Path, members: Mapping[str, bytes | str]) -> None:
    """Write a mail or an archive, at a time of its own that is long past."""
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(make_zip(members) if file.suffix == ".zip" else make_mail(members))
    _clock[0] += 10**9
    os.utime(file, ns=(_clock[0], _clock[0]))


def paths_in(store: EmbeddedStore) -> list[str]:
    return [record.path for record in store.lexicon.records()]


def is_idle(folder: Path, store: EmbeddedStore) -> bool:
    """Whether a further sync would have nothing to read."""
    return Plan(folder, store, checksum=False).is_idle()


MAIL = {"a.txt": "Alpha one.", "b.md": f"# Beta\n\n{LONG}", "c.zip": make_zip({"d/e.txt": "Gamma.", "f.txt": "Delta."})}


@pytest.fixture
def filled(folder: Path, store: EmbeddedStore) -> EmbeddedStore:
    """A store of m.eml, which holds an archive, and of z.zip, which holds a mail."""
    write(folder / "m.eml", MAIL)
    write(folder / "z.zip", {"x/m.eml": make_mail({"a.txt": "Epsilon."}), "y.txt": "Zeta."})
    run_sync(folder, store)
    return store


PATHS = [
    "m.eml",
    "m.eml/a.txt",
    "m.eml/b.md",
    "m.eml/c.zip",
    "m.eml/c.zip/d/e.txt",
    "m.eml/c.zip/f.txt",
    "z.zip",
    "z.zip/x/m.eml",
    "z.zip/x/m.eml/a.txt",
    "z.zip/y.txt",
]


# -- what a sync does -------------------------------------------------------------------------


def test_what_lies_in_a_file_is_a_document_with_the_states_of_the_file(folder: Path, filled: EmbeddedStore) -> None:
    assert paths_in(filled) == PATHS
    assert filled.text_of(identify("m.eml/c.zip/d/e.txt")) == "Gamma."
    for record in filled.lexicon.records():
        file = folder / record.path.split("/")[0]
        assert (record.size_bytes, record.modified_ns) == (file.stat().st_size, file.stat().st_mtime_ns)
    counts = {record.path: record.enclosed_count for record in filled.lexicon.records() if record.enclosed_count}
    assert counts == {"m.eml": 5, "z.zip": 3}
    assert filled.check() == {}


def test_an_unchanged_file_is_not_read_again_and_its_documents_are_unchanged(
    folder: Path, filled: EmbeddedStore
) -> None:
    assert is_idle(folder, filled)
    assert run_sync(folder, filled) == SyncReport(unchanged=PATHS)
    os.utime(folder / "m.eml", ns=(5, 5))
    embedding = HashEmbedding()
    assert run_sync(folder, filled, embedding) == SyncReport(unchanged=PATHS)
    assert embedding.embedded == []
    assert is_idle(folder, filled)
    assert_equals_a_clean_store(folder, filled)
    assert finish(sync(folder, filled, HashEmbedding(), checksum=True)) == SyncReport(unchanged=PATHS)


def test_attachments_that_are_added_changed_renamed_and_removed(folder: Path, filled: EmbeddedStore) -> None:
    renamed = {"renamed.md": MAIL["b.md"], "a.txt": "Alpha two.", "new.txt": "Eta."}
    write(folder / "m.eml", renamed)
    embedding = HashEmbedding()
    dry = finish(sync(folder, filled, embedding, dry_run=True))
    report = run_sync(folder, filled, embedding)
    assert report == dry
    assert sorted(report.changed) == ["m.eml", "m.eml/a.txt"]
    assert (report.moved, report.added) == (["m.eml/renamed.md"], ["m.eml/new.txt"])
    assert report.removed == ["m.eml/c.zip", "m.eml/c.zip/d/e.txt", "m.eml/c.zip/f.txt"]
    assert report.unchanged == [path for path in PATHS if path.startswith("z.zip")]
    assert LONG not in " ".join(embedding.embedded)  # what was only renamed is not embedded again
    assert report.count() == len(paths_in(filled)) == 8
    assert_equals_a_clean_store(folder, filled)
    assert is_idle(folder, filled)


def test_a_file_that_is_moved_moves_with_all_that_lies_in_it(folder: Path, filled: EmbeddedStore) -> None:
    (folder / "m.eml").rename(folder / "n.eml")
    embedding = HashEmbedding()
    report = run_sync(folder, filled, embedding)
    assert sorted(report.moved) == [path.replace("m.eml", "n.eml", 1) for path in PATHS[:6]]
    assert (report.removed, report.added, embedding.embedded) == ([], [], [])
    assert_equals_a_clean_store(folder, filled)


def test_a_file_that_is_gone_takes_with_it_what_lay_in_it(folder: Path, filled: EmbeddedStore) -> None:
    (folder / "m.eml").unlink()
    assert run_sync(folder, filled).removed == PATHS[:6]
    assert_equals_a_clean_store(folder, filled)


@pytest.mark.parametrize("content", [b"\0", b"PK\x03\x04"])
def test_of_a_file_that_can_no_longer_be_read_nothing_stays(
    folder: Path, filled: EmbeddedStore, content: bytes
) -> None:
    (folder / "z.zip").write_bytes(content)
    report = run_sync(folder, filled)
    assert report.removed == PATHS[6:]
    assert list(report.skipped) == ["z.zip"]
    assert paths_in(filled) == PATHS[:6]
    assert_equals_a_clean_store(folder, filled)


def test_what_cannot_be_read_in_a_file_is_told_of_the_file_each_time(folder: Path, store: EmbeddedStore) -> None:
    write(folder / "z.zip", {"m.eml": make_mail({"a.bin": b"\0"}), "b.bin": b"\0"})
    told = {"z.zip": "the file b.bin", "z.zip/m.eml": "the attachment a.bin"}
    assert run_sync(folder, store).partial == told
    assert is_idle(folder, store)
    assert run_sync(folder, store).partial == told


def test_a_copy_of_an_attachment_is_seen_as_a_copy(folder: Path, filled: EmbeddedStore) -> None:
    (folder / "copy.md").write_text(f"# Beta\n\n{LONG}\n")
    hashes = {record.path: record.content_hash for record in filled.lexicon.records()}
    embedding = HashEmbedding()
    assert run_sync(folder, filled, embedding).added == ["copy.md"]
    assert filled.lexicon.record(identify("copy.md")).content_hash == hashes["m.eml/b.md"]  # type: ignore[union-attr]
    assert embedding.embedded == []
    assert_equals_a_clean_store(folder, filled)


def test_files_of_one_content_that_are_read_as_different_texts_have_their_own_vectors(
    folder: Path, store: EmbeddedStore
) -> None:
    write(folder / "z.zip", {"a.csv": "Name,Age\nIda,40\n"})
    run_sync(folder, store)
    (folder / "a.txt").write_text("Name,Age\nIda,40\n")
    run_sync(folder, store)
    assert_equals_a_clean_store(folder, store)


def test_a_folder_in_the_place_of_an_archive_and_an_archive_in_the_place_of_a_folder(
    folder: Path, filled: EmbeddedStore
) -> None:
    state = (folder / "z.zip").stat()
    (folder / "z.zip").unlink()
    (folder / "z.zip").mkdir()
    # As large and as old as the archive was: so its record would say that it has not changed.
    (folder / "z.zip" / "y.txt").write_text("Zeta".ljust(state.st_size, "."))
    os.utime(folder / "z.zip" / "y.txt", ns=(state.st_mtime_ns, state.st_mtime_ns))
    report = run_sync(folder, filled)
    assert report.changed == ["z.zip/y.txt"]
    assert paths_in(filled) == [*PATHS[:6], "z.zip/y.txt"]
    assert_equals_a_clean_store(folder, filled)
    shutil.rmtree(folder / "z.zip")
    write(folder / "z.zip", {"y.txt": "Zeta again.", "n.txt": "Theta."})
    run_sync(folder, filled)
    assert_equals_a_clean_store(folder, filled)


def test_a_document_within_a_file_that_the_store_lost_is_brought_back(folder: Path, filled: EmbeddedStore) -> None:
    with filled.writing():
        filled.repair({identify("m.eml/c.zip/f.txt"): "lost"})
    assert "m.eml/c.zip/f.txt" not in paths_in(filled)
    assert run_sync(folder, filled).added == ["m.eml/c.zip/f.txt"]
    assert_equals_a_clean_store(folder, filled)


def test_progress_counts_the_files_alone(folder: Path, store: EmbeddedStore) -> None:
    write(folder / "m.eml", {"a.txt": LONG, "b.txt": LONG})
    write(folder / "n.eml", {"a.txt": LONG})
    size = sum(file.stat().st_size for file in folder.iterdir())
    events = list(sync(folder, store, HashEmbedding()))
    assert [event.done for event in events] == sorted(event.done for event in events)
    assert (events[-1].done, events[-1].total) == (size, size)


# -- killed -----------------------------------------------------------------------------------


def pack(file: Path, members: Mapping[str, str]) -> None:
    """An archive of one time and one size, whatever the words of its members, as long as there are as many."""
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in members.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    os.utime(file, ns=(10**9, 10**9))


BEFORE = {"a.txt": "Alpha. " + LONG, "b.txt": "Beta.", "c.txt": "Gamma."}
AFTER = {"a.txt": "Omega. " + LONG, "b.txt": "Beta.", "d.txt": "Delta."}


@pytest.mark.parametrize(("then", "first"), [("goes on", 0), ("goes back", 1), ("goes", 2)])
@pytest.mark.parametrize("is_alike", [False, True])
def test_a_sync_that_dies_at_any_write_is_completed_by_the_next(
    tmp_path: Path, then: str, first: int, is_alike: bool
) -> None:
    """then: what the file does after the kill. is_alike: whether its size and its time tell nothing of the change."""
    folder = tmp_path / "documents"
    folder.mkdir()
    file = folder / "z.zip"
    (folder / "always.txt").write_text("Always here.")
    for writes in range(first, 60, 3):
        store = open_store(folder, tmp_path / f"stores{writes}")
        pack(file, BEFORE)
        run_sync(folder, store)
        pack(file, AFTER)
        if not is_alike:
            os.utime(file, ns=(2 * 10**9, 2 * 10**9))
        died = True
        with dying_after(writes):
            finish(sync(folder, store, HashEmbedding(), checksum=True))
            died = False
        if then == "goes back":
            pack(file, BEFORE)
        elif then == "goes":
            file.unlink()
        store.close()
        store = open_store(folder, tmp_path / f"stores{writes}")
        is_begun = identify("z.zip") in store.lexicon.pending()
        run_sync(folder, store)
        if is_alike and not is_begun:  # else nothing but the content tells of the change
            stored = {path[6:]: store.text_of(identify(path)) for path in paths_in(store) if path.startswith("z.zip/")}
            assert stored in (BEFORE, AFTER, {})
            finish(sync(folder, store, HashEmbedding(), checksum=True))
        assert_equals_a_clean_store(folder, store)
        assert store.check() == {}
        store.close()
        if not died:
            return
    raise AssertionError("it never came to an end")


def test_killed_at_random_moments_the_next_sync_finishes_the_work(folder: Path, stores: Path) -> None:
    chance = random.Random(11)
    (folder / "always.txt").write_text("There is always one document.")

    def change() -> None:
        for _ in range(chance.randint(1, 4)):
            file = folder / chance.choice(["a.eml", "b.eml", "c.zip", "d.zip"])
            names = chance.sample(["a.txt", "b.md", "c.txt", "d/e.txt", "f.eml", "g.zip"], chance.randint(0, 4))
            members: dict[str, bytes | str] = {name: write_long(chance) for name in names}
            if "f.eml" in members:
                members["f.eml"] = make_mail({"x.txt": write_long(chance)})
            if "g.zip" in members:
                members["g.zip"] = make_zip({"y.txt": write_long(chance), "z.txt": "Short."})
            if chance.random() < 0.2:
                file.unlink(missing_ok=True)
            elif file.suffix == ".eml" or members:
                write(file, members)

    def check(store: EmbeddedStore) -> None:
        assert is_idle(folder, store) or (folder / "always.txt").stat().st_mtime > time.time() - 5

    kill_at_random_moments(folder, stores, chance, change, longest_seconds=0.8, finished_share=0.6, check=check)


# -- any history ------------------------------------------------------------------------------

FILES = st.sampled_from(["a.eml", "b.zip", "sub/c.eml", "sub/d.zip"])
TEXTS = st.sampled_from(["Alpha.", "Beta two. " * 4, LONG, "\x00", "Name,Age\nIda,40\n"])
FLAT = st.dictionaries(st.sampled_from(["a.txt", "b.csv", "d/e.txt"]), TEXTS, max_size=3)
MEMBERS = st.dictionaries(
    st.sampled_from(["a.txt", "b.md", "a.eml", "d/e.txt", "g.zip"]),
    st.one_of(TEXTS, FLAT.map(make_zip), FLAT.map(make_mail)),
    max_size=4,
)
NOTHING = st.just("")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), FILES, MEMBERS),
        st.tuples(st.just("write"), FILES, MEMBERS),
        st.tuples(st.just("delete"), FILES, NOTHING),
        st.tuples(st.just("touch"), FILES, NOTHING),
        st.tuples(st.just("move"), FILES, FILES),
        st.tuples(st.just("unpack"), FILES, st.sampled_from(["a.txt", "d/e.txt"])),
        st.tuples(st.just("spoil"), FILES, NOTHING),
        st.tuples(st.just("sync"), NOTHING, st.booleans()),
        st.tuples(st.just("die"), NOTHING, st.integers(0, 25)),
    ),
    max_size=10,
)


def clear(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)


@run_with(max_examples=int(os.environ.get("FOOTNOTE_TEST_HISTORIES", "20")))
@given(STEPS)
def test_after_any_history_the_store_equals_the_folder(steps: list[tuple[str, str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "documents")
        (folder / "sub").mkdir(parents=True)
        (folder / "always.txt").write_text("Always here.")
        store = open_store(folder, Path(temporary, "stores"))
        for clock, (step, name, detail) in enumerate([*steps, ("sync", "", False)]):
            file = folder / name
            if step == "write":
                clear(file)
                write(file, detail)
            elif step == "delete":
                clear(file)
            elif step == "touch" and file.exists():
                os.utime(file, ns=(clock, clock))
            elif step == "move" and file.exists() and name != detail:
                clear(folder / detail)
                file.replace(folder / detail)
            elif step == "unpack":
                clear(file)
                (file / detail).parent.mkdir(parents=True)
                (file / detail).write_text("Unpacked.")
            elif step == "spoil":
                clear(file)
                file.write_bytes(b"\0")
            elif step == "die":
                with dying_after(detail):
                    run_sync(folder, store)
                store.close()
                store = open_store(folder, Path(temporary, "stores"))
            elif step == "sync":
                finish(sync(folder, store, HashEmbedding(), checksum=detail))
        assert_equals_a_clean_store(folder, store)
        store.close()
