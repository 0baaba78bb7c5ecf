"""What was cited before is read again: the chunks that hold the cited words, and those around them.

But: of a document that has changed since, only what still stands where it was cited.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from index.documents import Passage
from index.searching.retriever import to_passage
from index.splitting.outline import count_empty_cells
from index.storing.store import Store

# More than any search gives, so that what was cited is chosen before what is found anew.
CITED_SCORE, BESIDE_SCORE = 3.0, 2.0
NEAR_SCORE = 1.0  # of the chunks before and after, which compete with what is found


class Place(NamedTuple):
    """Words of a document: `document.text[start:end] == quote`."""

    document_id: str
    start: int
    end: int
    quote: str


def read_places(
    store: Store, places: Iterable[Place], documents: Collection[str] | None = None, *, widely: bool = False
) -> list[Passage]:
    """The chunks that hold the words, by document in the order given, cut so that the words score above all else.

    Joined, the passages of a chunk are its text. Places whose words stand there no more give nothing.

    documents: the ids of those that may be read; all by default. widely: whether the chunks before and after come too.
    """
    lexicon = store.lexicon
    cited: dict[str, set[tuple[int, int]]] = {}
    for place in dict.fromkeys(places):
        if (documents is None or place.document_id in documents) and (
            store.text_of(place.document_id, place.start, place.end) == place.quote
        ):
            cited.setdefault(place.document_id, set()).add((place.start, place.end))
    passages: list[Passage] = []
    around = int(widely)
    for document_id, spans in cited.items():
        held = [chunk for start, end in sorted(spans) for chunk in lexicon.chunks_of(document_id, start, end)]
        near = {
            chunk.start: chunk
            for one in held
            for chunk in lexicon.chunks_of(document_id, max(one.start - around, 0), one.end + around)
        }
        if record := lexicon.record(document_id):
            for _, chunk in sorted(near.items()):
                passages += _part(to_passage(chunk, record, NEAR_SCORE), spans)
    return passages


def _part(passage: Passage, spans: Collection[tuple[int, int]]) -> Iterator[Passage]:
    """A passage in the parts that are cited, and those that are not; as it is where none of it is."""
    is_cited = [any(start < s.end and s.start < end for start, end in spans) for s in passage.sentences]
    if not any(is_cited):
        yield passage
        return
    above, end = passage.above(), passage.start
    runs = [[*members] for _, members in groupby(range(len(is_cited)), lambda place: is_cited[place])]
    for run, following in zip(runs, [*runs[1:], None], strict=True):
        start, end = end, _begin(passage, following[0]) if following else passage.end
        sentences = tuple(passage.sentences[place] for place in run)
        yield replace(
            passage,
            start=start,
            end=end,
            text=passage.text[start - passage.start : end - passage.start],
            score=CITED_SCORE if is_cited[run[0]] else BESIDE_SCORE,
            sentences=sentences,
            page=passage.page_of(sentences[0]),
            page_starts=tuple(offset for offset in passage.page_starts if sentences[0].start < offset < end),
            context=tuple(head.words for head in above[run[0]]),
            levels=tuple(head.level for head in above[run[0]]),
        )


def _begin(passage: Passage, place: int) -> int:
    """Where a sentence begins with the empty cells before its words, which tell a row's columns."""
    start = passage.sentences[place].start
    return start - count_empty_cells(passage.text, start - passage.start)
