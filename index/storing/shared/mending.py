"""What is wrong with a shared store, and how its rows are made anew of what a machine holds."""

from __future__ import annotations

import time
from collections.abc import Sequence

from index.documents import Progress
from index.storing.checking import Told
from index.storing.records import Record
from index.storing.shared.changes import read_row_id
from index.storing.shared.claims import LEASE_SECONDS, Claims
from index.storing.shared.link import Link
from index.storing.shared.rows import Row, copy_rows, read_rows, write_rows
from index.storing.shared.server import REQUEST_ROWS, Collection

CHECKED_DOCUMENTS = 50  # at a time
LOOK_SECONDS = 0.5  # between two looks at what another does


def find_wrong(link: Link, claims: Claims, told: Told) -> dict[str, str]:
    """What is wrong with a store, all of whose log is followed; see `Store.check`.

    Rows that count for nothing are no fault while another worker is alive, since they may be its.
    """
    mirror, rows = link.mirror, link.rows
    if mirror.find_damage() or not mirror.is_usable():
        return {"": "the mirror of the shared store is missing or damaged"}
    wrong: dict[str, str] = {}
    records = mirror.records()
    for i in range(0, len(records), CHECKED_DOCUMENTS):
        told(Progress("Checking the store", i, len(records), "documents"))
        some = records[i : i + CHECKED_DOCUMENTS]
        tokens = mirror.tokens([record.document_id for record in some])
        stored = read_rows(rows, [(record, tokens[record.document_id]) for record in some])
        for record in some:
            if lost := _count_lost(link, rows, record, stored.get(record.document_id, [])):
                wrong[record.document_id] = (
                    f"{record.path}: {lost} of {record.chunk_count} chunks are lost or not found"
                )
    visible = mirror.count_chunks()
    if not wrong and (stands := rows.count()) != visible and claims.wait_until_alone():
        wrong[""] = f"{stands:,} rows where {visible:,} count"
    return wrong


def _count_lost(link: Link, rows: Collection, record: Record, stored: Sequence[Row]) -> int:
    """How many of a document's chunks the server has not as the mirror has them, or does not find."""
    import numpy as np

    chunks = link.mirror.chunks_of(record.document_id)
    known = link.mirror.embedded(chunk.id for chunk in chunks)
    if len(stored) != len(chunks):
        return len(chunks)
    same = [
        embedded.vector
        for (stored_chunk, embedded), chunk in zip(stored, chunks, strict=True)
        if stored_chunk == chunk and chunk.id in known and np.array_equal(embedded.vector, known[chunk.id].vector)
    ]
    link.find_astray()
    missed = 0 if link.knows_astray() else rows.count_missed(same)
    return len(chunks) - len(same) + missed


def sweep(link: Link, claims: Claims) -> bool:
    """Remove what workers that are gone have left: rows that count for nothing, and claims. Needs to follow the log.

    Where rows that count are missing, all are made anew. While another worker is alive nothing is done, since it may
    be at some; it does the same at its end. Gives whether nothing is left to do.
    """
    if link.rows.count() == link.mirror.count_chunks():
        return True
    if not claims.wait_until_alone():
        return False
    link.follow()
    if link.rows.count() < link.mirror.count_chunks():
        make_rows_anew(link)
        return True
    names = [name for page in link.rows.pages_of_ids() for name in page]
    if not claims.wait_until_alone():  # who has come meanwhile may have written some of them
        return False
    link.follow()
    tokens = link.mirror.all_tokens()
    link.rows.delete([name for name in names if read_row_id(name)[0] not in tokens])
    claims.remove_others()
    return True


def make_rows_anew(link: Link) -> None:
    """Have the rows that count be written afresh of the mirror, as another generation.

    One worker does; where another is at it, that one is waited for, and one whose mirror lacks something waits first
    whether another does.
    """
    generation = link.mirror.followed()[1]
    claims = link.open_claims()
    with claims.working():
        begun = time.monotonic()
        while not _has_moved(link, generation):
            lacks = any(True for _ in link.log.read(link.mirror.followed()[0]))
            is_patient = lacks and time.monotonic() - begun < LEASE_SECONDS
            if not is_patient and claims.claim([("rows", generation)]).ours:
                _make_generation(link, generation + 1)
            else:
                time.sleep(LOOK_SECONDS)
    link.must_mend = False


def _has_moved(link: Link, generation: int) -> bool:
    """Whether the log tells of a later generation of rows than this."""
    followed, current = link.mirror.followed()
    return current > generation or any(entry.moves for entry in link.log.read(followed))


def _make_generation(link: Link, generation: int) -> None:
    """Write the rows of what the mirror holds, and have them count from the next entry of the log on."""
    while True:
        # Of what was stored since and cannot be had, nothing is kept: the next sync reads it again.
        link.follow(skips_damaged=True)
        _fill(link, generation)
        if link.log.move(link.mirror.followed()[0], generation):
            break
    link.server.delete(link.rows_name(generation - 1))
    link.news.append(f"The vectors of the shared store {link.name} were made anew of what this machine holds.")


def _fill(link: Link, generation: int) -> None:
    """Write all rows that count into a collection of their own."""
    rows, waiting = link.make_rows(generation), []
    for token, document_id in link.mirror.all_tokens().items():
        waiting += copy_rows(link.mirror, document_id, token)
        if len(waiting) >= REQUEST_ROWS:
            write_rows(rows, waiting)
            waiting = []
    write_rows(rows, waiting)
