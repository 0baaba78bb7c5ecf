"""The walk of a document: load, split, embed, store. After a sync the store equals the folder."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from index.documents import Chunk, Document, Progress, identify
from index.embedding import Embedding
from index.errors import FolderError
from index.lexicon import Record
from index.loader import SUFFIXES, UnreadableError, load
from index.splitter import split
from index.store import Store, number_chunks

BATCH_CHUNKS = 64  # chunks that are embedded and stored together, whatever documents they come from


@dataclass(slots=True)
class SyncReport:
    """What a sync did, by path; `skipped` gives the reason for each file that is not in the store."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)

    def summary(self) -> str:
        """One line for a person: "8 documents: 2 added, 6 unchanged"."""
        documents = len(self.added) + len(self.changed) + len(self.unchanged)
        parts = [
            f"{len(paths)} {name}"
            for name, paths in (
                ("added", self.added),
                ("changed", self.changed),
                ("removed", self.removed),
                ("unchanged", self.unchanged),
                ("skipped", self.skipped),
            )
            if paths
        ]
        return f"{documents} document{'' if documents == 1 else 's'}" + (f": {', '.join(parts)}" if parts else "")


@dataclass(frozen=True, slots=True)
class File:
    """A file that the folder holds: where it is, its relative path, size and time of change."""

    place: Path
    path: str
    size_bytes: int
    modified_ns: int


def sync(folder: Path, store: Store, embedding: Embedding, chunk_tokens: int) -> Generator[Progress, None, SyncReport]:
    """Make the store equal to the folder, telling how far it is.

    Raises FolderError where the folder is missing, is no folder, or holds nothing that can be read.
    """
    report = SyncReport()
    files = scan(folder, report)
    with store.writing():
        records = {record.path: record for record in store.lexicon.records()}
        fresh = [file for file in files if not _is_unchanged(file, records.get(file.path), report)]
        gone = [record for path, record in records.items() if path not in {file.path for file in files}]
        if fresh or gone:
            store.begin()
        for batch in _batch(_load_changed(fresh, records, store, report), embedding, chunk_tokens):
            vectors = embedding.embed([chunk.text for _, _, chunks in batch for chunk in chunks])
            first = 0
            for file, document, chunks in batch:
                rows = vectors[first : first + len(chunks)]
                store.put(document, chunks, rows, file.size_bytes, file.modified_ns)
                (report.changed if file.path in records else report.added).append(file.path)
                first += len(chunks)
            done = len(report.added) + len(report.changed)
            yield Progress(f"Reading {batch[-1][0].path}", done, len(fresh))
        for record in gone:
            store.remove(record.document_id)
            report.removed.append(record.path)
        if fresh or gone:
            store.finish()
    if not (report.added or report.changed or report.unchanged):
        raise FolderError(_explain_empty(folder, report))
    return report


def scan(folder: Path, report: SyncReport) -> list[File]:
    """Every file of the folder that may be read, by path; hidden files and folders are left alone."""
    if not folder.exists():
        raise FolderError(f"There is no folder {folder}: check the path, or make it and put documents into it.")
    if not folder.is_dir():
        raise FolderError(f"{folder} is not a folder: give the folder that holds the documents.")
    files: list[File] = []

    def refuse(error: OSError) -> None:
        report.skipped[str(error.filename)] = f"cannot be read ({error.strerror})"

    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            place = Path(parent, name)
            path = place.relative_to(folder).as_posix()
            if name.startswith("."):
                continue
            if any("\ud800" <= character <= "\udfff" for character in path):
                report.skipped[path] = "its name is not UTF-8: rename it"
                continue
            try:
                status = place.stat()
            except OSError as error:
                report.skipped[path] = f"cannot be read ({error.strerror})"
                continue
            if place.suffix.lower() in SUFFIXES and place.is_file():
                files.append(File(place, path, status.st_size, status.st_mtime_ns))
            else:
                report.skipped[path] = f"unsupported format ({place.suffix.lower() or 'no suffix'})"
    return sorted(files, key=lambda file: file.path)


def _is_unchanged(file: File, record: Record | None, report: SyncReport) -> bool:
    same = record is not None and (record.size_bytes, record.modified_ns) == (file.size_bytes, file.modified_ns)
    if same:
        report.unchanged.append(file.path)
    return same


def _load_changed(
    files: Iterable[File], records: dict[str, Record], store: Store, report: SyncReport
) -> Iterator[tuple[File, Document]]:
    for file in files:
        record = records.get(file.path)
        try:
            document = load(file.place, file.path)
        except UnreadableError as error:
            report.skipped[file.path] = str(error)
            if record is not None:
                store.remove(identify(file.path))
                report.removed.append(file.path)
            continue
        if record is not None and record.content_hash == document.content_hash:
            store.touch(record, file.size_bytes, file.modified_ns)
            report.unchanged.append(file.path)
            continue
        yield file, document


def _batch(
    documents: Iterable[tuple[File, Document]], embedding: Embedding, chunk_tokens: int
) -> Iterator[list[tuple[File, Document, list[Chunk]]]]:
    """Split the documents and gather them until there are chunks enough to embed at once."""
    batch: list[tuple[File, Document, list[Chunk]]] = []
    for file, document in documents:
        chunks = number_chunks(document, split(document.text, embedding.count_tokens, chunk_tokens))
        batch.append((file, document, chunks))
        if sum(len(chunks) for _, _, chunks in batch) >= BATCH_CHUNKS:
            yield batch
            batch = []
    if batch:
        yield batch


def _explain_empty(folder: Path, report: SyncReport) -> str:
    formats = ", ".join(sorted(SUFFIXES))
    if not report.skipped:
        return f"{folder} holds no documents: put some files in it ({formats})."
    path, reason = next(iter(report.skipped.items()))
    return f"{folder} holds nothing that can be read ({formats}); for one, {path}: {reason}."
