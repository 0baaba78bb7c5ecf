"""What stands around the passages: the text between them and beside them, which was not retrieved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby

from index.documents import Passage
from index.searching.retriever import to_passage
from index.splitting.outline import Heads, count_empty_cells
from index.splitting.sentences import Sentence
from index.storing.lexicon import Lexicon

READ_TIMES = 2  # as much as the budget holds is read
MOST_OPENINGS = 8
_CHUNK_CHARACTERS = 400  # at least, on the whole


def read_around(
    passages: Sequence[Passage], lexicon: Lexicon, characters: int, reach: int
) -> list[tuple[Passage, bool]]:
    """The passages, joined where they meet, with what stands around the best; and whether each is a whole document.

    A document is read whole where it may have no more than so many characters, else as far as `reach` on both sides of
    its passages.
    """
    read: dict[str, dict[int, Passage]] = {}
    wholes: set[str] = set()
    left = READ_TIMES * characters
    for passage in sorted(passages, key=lambda one: (-one.score, one.document_id, one.start)):
        key = passage.document_id
        if left <= 0 or key in wholes or (record := lexicon.record(key)) is None:
            continue
        if record.chunk_count * _CHUNK_CHARACTERS <= characters:
            chunks = lexicon.chunks_of(key)
            wholes.add(key)
        else:
            chunks = lexicon.chunks_of(key, max(0, passage.start - reach), passage.end + reach)
        known = read.setdefault(key, {})
        known |= {chunk.start: to_passage(chunk, record, 0.0) for chunk in chunks if chunk.start not in known}
        left -= sum(len(chunk.text) for chunk in chunks)
    around: list[Passage] = []
    for key, members in groupby(sorted(passages, key=lambda one: one.document_id), key=lambda one: one.document_id):
        retrieved = list(members)
        if (placed := _place(retrieved, read.get(key, {}))) is None:
            wholes.discard(key)
        around += retrieved if placed is None else placed
    return [(passage, passage.document_id in wholes) for passage in join_neighbours(around)]


def _place(retrieved: Sequence[Passage], read: dict[int, Passage]) -> list[Passage] | None:
    """What was read with the passages in it; None where these are not in it, as when a sync came between."""
    placed = dict(read)
    apart = []
    for passage in retrieved:
        holder = next((one for one in placed.values() if one.start <= passage.start and passage.end <= one.end), None)
        if holder is None:
            if any(one.start < passage.end and passage.start < one.end for one in placed.values()):
                return None
            apart.append(passage)
        elif holder.text[passage.start - holder.start : passage.end - holder.start] != passage.text:
            return None
        elif len(holder.text) == len(passage.text):
            placed[holder.start] = replace(passage, score=max(passage.score, holder.score))
        else:  # a part of a chunk
            placed[holder.start] = replace(holder, score=max(passage.score, holder.score))
    return [*apart, *placed.values()]


def find_openings(passages: Sequence[Passage], lexicon: Lexicon) -> list[Passage]:
    """The first chunk of each of the best documents, where it is not among the passages; half as good as their best."""
    scores: dict[str, float] = {}
    for passage in passages:
        scores[passage.document_id] = max(passage.score, scores.get(passage.document_id, 0.0))
    known = {(passage.document_id, passage.start) for passage in passages}
    openings = []
    for document_id in sorted(scores, key=lambda key: (-scores[key], key))[:MOST_OPENINGS]:
        if (document_id, 0) not in known and (record := lexicon.record(document_id)):
            first = lexicon.chunks_of(document_id, 0, 1)
            openings += [to_passage(chunk, record, scores[document_id] / 2) for chunk in first]
    return openings


def join_neighbours(passages: Sequence[Passage]) -> list[Passage]:
    """The passages, with those that follow each other in their document joined at the place of the better one."""
    joined: dict[tuple[str, int], Passage] = {}
    for _, members in groupby(sorted(passages, key=lambda p: (p.document_id, p.start)), key=lambda p: p.document_id):
        runs: list[list[Passage]] = []
        for passage in members:
            if runs and runs[-1][-1].end == passage.start:
                runs[-1].append(passage)
            else:
                runs.append([passage])
        for run in runs:
            joined[run[0].document_id, run[0].start] = _join(run)
    return sorted(joined.values(), key=lambda p: (-p.score, p.document_id, p.start))


def _join(run: Sequence[Passage]) -> Passage:
    if len(run) == 1:
        return run[0]
    page_starts = list(run[0].page_starts)
    for passage in run[1:]:
        # A page may start just where the two meet.
        last_page = (run[0].page or 0) + len(page_starts)
        page_starts += [passage.start] * ((passage.page or 0) - last_page)
        page_starts += passage.page_starts
    sentences = tuple(s for p in run for s in p.sentences)
    similarities = tuple(c for p in run for c in p.similarities)
    return replace(
        run[0],
        page_starts=tuple(page_starts),
        end=run[-1].end,
        text="".join(p.text for p in run),
        score=max(p.score for p in run),
        sentences=sentences,
        # A lexicon that was just made anew may have them for one and not yet for the other.
        similarities=similarities if len(similarities) == len(sentences) else (),
    )


def begin_of(passage: Passage, sentence: Sentence) -> int:
    """Where a sentence begins with the empty cells before its words, which tell a row's columns."""
    return sentence.start - count_empty_cells(passage.text, sentence.start - passage.start)


def cut(passage: Passage, first: int, last: int, above: Heads | None = None) -> Passage:
    """The part of a passage from one sentence to another. above: what the first stands under, where it is known."""
    sentences = passage.sentences[first : last + 1]
    start, end = begin_of(passage, sentences[0]), sentences[-1].end
    above = passage.above()[first] if above is None else above
    return replace(
        passage,
        start=start,
        end=end,
        text=passage.text[start - passage.start : end - passage.start],
        sentences=sentences,
        similarities=passage.similarities[first : last + 1],
        page=passage.page_of(sentences[0]),
        page_starts=tuple(offset for offset in passage.page_starts if start < offset < end),
        context=tuple(head.words for head in above),
        levels=tuple(head.level for head in above),
    )
