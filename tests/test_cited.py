"""What was cited is read again: the chunks that hold it, cut where it begins and ends."""

from pathlib import Path

from index.embedding.protocol import Embedding
from index.library import finish, open_library
from index.searching.cited import BESIDE_SCORE, CITED_SCORE, NEAR_SCORE, Place
from index.searching.surroundings import join_neighbours
from index.settings import Settings


def test_the_passages_of_a_chunk_join_to_it_and_the_cited_words_score_most(
    folder: Path, settings: Settings, embedding: Embedding
) -> None:
    text = "# Ferry\n\n" + " ".join(
        f"Pier {number} of the ferry has {number} benches and one lamp." for number in range(60)
    )
    (folder / "ferry.md").write_text(text, encoding="utf-8")
    library = finish(open_library(folder, settings))
    finish(library.sync())
    [record] = library.records()
    starts = [text.index(f"Pier {number} of") for number in (20, 21, 40)]
    quotes = [text[start : text.index(".", start) + 1] for start in starts]
    places = [
        Place(record.document_id, start, start + len(quote), quote) for start, quote in zip(starts, quotes, strict=True)
    ]

    passages = library.read_places(places, widely=False)
    cited = [p for p in passages if p.score == CITED_SCORE]
    assert [p.words_of(s) for p in cited for s in p.sentences] == quotes
    assert {p.score for p in passages} == {CITED_SCORE, BESIDE_SCORE}
    chunks = library.store.lexicon.chunks_of(record.document_id)
    for passage in join_neighbours(passages):
        assert text[passage.start : passage.end] == passage.text
        assert {passage.start, passage.end} <= {edge for chunk in chunks for edge in (chunk.start, chunk.end)}

    widely = library.read_places(places, widely=True)
    assert len(widely) > len(passages)
    assert {p.score for p in widely} == {CITED_SCORE, BESIDE_SCORE, NEAR_SCORE}

    moved = [place._replace(start=place.start + 1, end=place.end + 1) for place in places]
    assert library.read_places([*moved, Place("0" * 16, 0, 5, "Ferry")], widely=True) == []
