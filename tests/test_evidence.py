from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.documents import Chunk, Passage, page_at
from index.embedding.protocol import Embedding
from index.library import Library, finish, open_library
from index.searching.evidence import choose_evidence
from index.searching.retriever import to_passage
from index.searching.surroundings import join_neighbours
from index.settings import Settings
from index.splitting.outline import Outline
from index.storing.lexicon import Lexicon
from index.storing.records import Record

SENTENCES = (
    "Doha hosted the talks. ",
    "Why was Israel skipped? ",
    "# The tour\n\n",
    "  \r\n",
    "多哈。",
    "It rained.\n",
)
EVERYTHING = 1_000_000  # characters


@pytest.fixture(scope="module")
def lexicon(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """An empty one, to which every term is as rare as the next."""
    opened = Lexicon(tmp_path_factory.mktemp("lexicon") / "lexicon.sqlite")
    opened.create()
    yield opened
    opened.close()


def make_passages(
    document_id: str, chunk_texts: list[str], pages: tuple[int, ...] = (), *, similarities: bool = True
) -> list[Passage]:
    """The passages of a document that is these chunks, each a little worse than the one before.

    The similarity of a sentence is a thousandth of its place in the document, so that each can be told from the others.
    """
    record = Record(document_id, f"{document_id}.txt", "", None, pages, "c" * 64, 1, 1, len(chunk_texts))
    passages, start, place = [], 0, 0
    for number, text in enumerate(chunk_texts):
        sentences, above = Outline(text).between(0, len(text))
        chunk = Chunk(f"{document_id}:{start}", document_id, start, start + len(text), text, sentences, above)
        cosines = [(place + number) / 1000 for number in range(len(sentences))] if similarities else ()
        passages.append(to_passage(chunk, record, 1 - number / 100, cosines))
        start, place = chunk.end, place + len(sentences)
    return passages


Retrieved = tuple[list[Passage], list[Passage], dict[str, tuple[int, ...]]]


@st.composite
def retrieved(draw: st.DrawFn) -> Retrieved:
    """Some passages of some documents in any order with any scores; all of them; and the documents' pages."""
    every: list[Passage] = []
    pages: dict[str, tuple[int, ...]] = {}
    similarities = draw(st.booleans())
    for document_id in "ab":
        chunks = draw(st.lists(st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=6).map("".join), max_size=6))
        further = draw(st.sets(st.integers(1, max(1, sum(map(len, chunks)))), max_size=6))
        pages[document_id] = draw(st.sampled_from([(), (0, *sorted(further))]))
        every += make_passages(document_id, chunks, pages[document_id], similarities=similarities)
    scores = st.sampled_from([0.0, 0.3, 0.5, 0.9])
    kept = [replace(passage, score=draw(scores)) for passage in every if draw(st.booleans())]
    return draw(st.permutations(kept)), every, pages


# -- what is chosen ---------------------------------------------------------------------------


@given(retrieved(), st.integers(0, 400), st.sampled_from(["Why was Israel skipped?", "多哈", "the", ""]))
def test_what_is_chosen_fits_the_budget_and_is_cut_from_what_was_retrieved(
    lexicon: Lexicon, found: Retrieved, budget: int, query: str
) -> None:
    passages, every, pages = found
    chosen = choose_evidence(passages, query, lexicon, budget)
    assert sum(len(passage.text) for passage in chosen) <= budget
    best = {i: max((p.score for p in passages if p.document_id == i), default=0.0) for i in pages}
    assert list(chosen) == sorted(chosen, key=lambda p: (-best[p.document_id], p.document_id, p.start))

    texts = {i: "".join(p.text for p in every if p.document_id == i) for i in pages}
    known = {(p.document_id, s.start): s for p in passages for s in p.sentences}
    ordered = sorted(known)
    places = {(p.document_id, p.sentences[i].start): c for p in every for i, c in enumerate(p.similarities)}
    taken: list[int] = []
    for passage in chosen:
        sentences = passage.sentences
        assert passage.text == texts[passage.document_id][passage.start : passage.end]
        covered = sum(
            max(0, min(p.end, passage.end) - max(p.start, passage.start))
            for p in passages
            if p.document_id == passage.document_id
        )
        assert covered == len(passage.text) == passage.end - passage.start
        # Whole sentences of the passages, with none left out between them.
        assert (passage.start, passage.end) == (sentences[0].start, sentences[-1].end)
        first = ordered.index((passage.document_id, sentences[0].start))
        assert sentences == tuple(known[key] for key in ordered[first : first + len(sentences)])
        taken += range(first, first + len(sentences))
        assert list(passage.similarities) == [
            places[passage.document_id, sentence.start] for sentence in sentences if places
        ]
        for sentence in sentences:
            assert passage.page_of(sentence) == page_at(pages[passage.document_id], sentence.start)
            assert passage.words_of(sentence) == texts[passage.document_id][sentence.start : sentence.end]
    assert len(taken) == len({*taken})


@given(retrieved())
def test_a_budget_beyond_everything_has_every_sentence(lexicon: Lexicon, found: Retrieved) -> None:
    passages, _, _ = found
    budget = sum(len(passage.text) for passage in passages)
    chosen = choose_evidence(passages, "Why was Israel skipped?", lexicon, budget)
    assert {(p.document_id, s) for p in chosen for s in p.sentences} == {
        (p.document_id, s) for p in passages for s in p.sentences
    }


@given(retrieved(), st.integers(0, 400))
def test_the_order_of_the_passages_does_not_matter(lexicon: Lexicon, found: Retrieved, budget: int) -> None:
    passages, _, _ = found
    expected = choose_evidence(passages, "Israel", lexicon, budget)
    assert choose_evidence(passages[::-1], "Israel", lexicon, budget) == expected


def test_the_sentence_that_holds_the_query_comes_with_two_on_each_side_or_alone(lexicon: Lexicon) -> None:
    numbers = ["One", "Two", "Three", "Four", "Five", "Six", "Seven"]
    (passage,) = make_passages("a", ["".join(f"{number} came along. " for number in numbers)])
    beside = "Two came along. Three came along. Four came along. Five came along. Six came along."
    assert [p.text for p in choose_evidence([passage], "four", lexicon, len(beside))] == [beside]
    (chosen,) = choose_evidence([passage], "four", lexicon, len(beside))
    assert chosen.similarities == (0.001, 0.002, 0.003, 0.004, 0.005)
    assert [p.text for p in choose_evidence([passage], "four", lexicon, 16)] == ["Four came along."]
    # What no longer fits is passed over for what does.
    assert [p.text for p in choose_evidence([passage], "three", lexicon, 16)] == ["Six came along."]


def test_an_item_begins_with_the_words_that_say_what_it_is_of(lexicon: Lexicon) -> None:
    options = [
        f"- **{name}** takes a number. It holds from then on. It has costs. Think of the {name} load.\n"
        for name in ("alpha", "beta", "gamma", "delta")
    ]
    (passage,) = make_passages("a", ["".join(options)])
    for budget in range(20, 300, 10):
        chosen = choose_evidence([passage], "gamma load", lexicon, budget)
        shown = " ".join(" ".join(part.text.split()) for part in chosen)
        for name in ("alpha", "beta", "gamma", "delta"):
            assert f"Think of the {name} load." not in shown or f"**{name}** takes a number." in shown
    assert "Think of the gamma load." in shown


def test_the_better_passage_is_spent_on_first_and_stands_first(lexicon: Lexicon) -> None:
    (better,) = make_passages("b", ["It rained in Doha."])
    (worse,) = [replace(p, score=0.5) for p in make_passages("a", ["It rained in Rome."])]
    assert choose_evidence([worse, better], "rain", lexicon, EVERYTHING) == (better, worse)
    assert choose_evidence([worse, better], "rain", lexicon, len(better.text)) == (better,)
    # Half the query more outweighs a score that is worse by less than a sixth.
    nearly = replace(worse, score=0.9)
    assert choose_evidence([nearly, better], "rain Rome", lexicon, len(worse.text)) == (nearly,)
    far = replace(worse, score=0.7)
    assert choose_evidence([far, better], "rain Rome", lexicon, len(worse.text)) == (better,)


def test_places_far_apart_in_one_passage_are_parts_of_their_own(lexicon: Lexicon) -> None:
    middle = "Nothing of note happened on that day. " * 20
    (passage,) = make_passages("a", [f"Israel was skipped. {middle}Israel complained."])
    chosen = choose_evidence([passage], "Israel", lexicon, 250)
    assert len(chosen) == 2
    assert chosen[0].text.startswith("Israel was skipped.")
    assert chosen[1].text.endswith("Israel complained.")


def test_nothing_is_chosen_from_nothing_or_for_nothing(lexicon: Lexicon) -> None:
    assert choose_evidence([], "Israel", lexicon, 100) == ()
    passages = make_passages("a", ["Israel was skipped. ", "\n\n"])
    assert choose_evidence(passages, "Israel", lexicon, 0) == ()
    assert choose_evidence(passages, "Israel", lexicon, 5) == ()
    assert choose_evidence(passages[1:], "Israel", lexicon, 100) == ()
    assert [p.text for p in choose_evidence(passages, "", lexicon, 100)] == ["Israel was skipped."]


# -- what is joined ---------------------------------------------------------------------------


@given(retrieved())
def test_neighbours_are_joined_once_and_nothing_else_is(found: Retrieved) -> None:
    passages, _, _ = found
    joined = join_neighbours(passages)
    assert join_neighbours(joined) == joined
    assert [passage.score for passage in joined] == sorted((p.score for p in joined), reverse=True)
    assert not {(p.document_id, p.end) for p in joined} & {(p.document_id, p.start) for p in joined}
    parts = 0
    for whole in joined:
        inside = [p for p in passages if p.document_id == whole.document_id and whole.start <= p.start < whole.end]
        inside.sort(key=lambda passage: passage.start)
        parts += len(inside)
        assert "".join(passage.text for passage in inside) == whole.text
        assert (inside[0].start, inside[-1].end) == (whole.start, whole.end)
        assert whole.score == max(passage.score for passage in inside)
        assert whole.sentences == tuple(s for passage in inside for s in passage.sentences)
        assert whole.similarities == tuple(c for passage in inside for c in passage.similarities)
        assert [whole.page_of(s) for s in whole.sentences] == [p.page_of(s) for p in inside for s in p.sentences]
    assert parts == len(passages)


def test_pages_are_told_across_a_join_wherever_they_begin(lexicon: Lexicon) -> None:
    # The second page begins within the first chunk, the third where the chunks meet, a fourth, empty one with it.
    first, second = "One here. Two here. ", "Three here. Four here."
    passages = make_passages("a", [first, second], (0, 10, 20, 20, 31))
    (whole,) = join_neighbours(passages)
    assert [whole.page_of(sentence) for sentence in whole.sentences] == [1, 2, 4, 5]
    (chosen,) = choose_evidence(passages, "anything", lexicon, EVERYTHING)
    assert (chosen.page, chosen.page_starts) == (1, (10, 20, 20, 31))
    (last,) = choose_evidence(passages, "four", lexicon, len("Four here."))
    assert (last.text, last.page, last.page_starts) == ("Four here.", 5, ())


def test_documents_that_meet_by_their_numbers_are_not_joined() -> None:
    (first, _) = make_passages("a", ["It rained. ", "It stopped."])
    (_, second) = make_passages("b", ["It rained. ", "It stopped."])
    assert join_neighbours([first, second]) == [first, second]
    assert join_neighbours([]) == []


@pytest.mark.parametrize(
    ("text", "query", "words", "context"),
    [
        (
            "# Handbook\n\n## Leave\n\nStaff get 25 days off.\n\n## Pay\n\nIt comes on Friday.",
            "comes on Friday",
            "It comes on Friday.",
            ("Handbook", "Pay"),
        ),
        (
            "Who\tWhat\tFee\nAdults\tDay\t8.50\n\tMonth\t58.00\n\tYear\t90.00\n",
            "month",
            "Month\t58.00",
            ("What", "Fee"),
        ),
        (
            "Who\tWhat\tFee\n\tMonth\t58.00\nAdults\tYear\t90.00\n",
            "year",
            "Adults\tYear\t90.00",
            ("Who", "What", "Fee"),
        ),
    ],
)
def test_what_is_cut_out_stands_under_what_it_stood_under(
    lexicon: Lexicon, text: str, query: str, words: str, context: tuple[str, ...]
) -> None:
    (passage,) = make_passages("a", [text])
    (chosen,) = choose_evidence([passage], query, lexicon, len(words) + 1)
    whole = dict(zip(passage.sentences, passage.contexts(), strict=True))
    assert [chosen.words_of(sentence) for sentence in chosen.sentences] == [words]
    assert chosen.contexts() == [whole[chosen.sentences[0]]]
    assert tuple(part for head in chosen.contexts()[0] for part in head.split(" | ")) == context


# -- what is read around the passages -----------------------------------------------------------

FILLING = "Nothing of note happened on that day, and nobody wrote of it. "
VARIABLES = """# Environment

The client reads several variables. They are listed here.

## Proxies

Set the first of these to reach the outside.

- `GATE_PROXY` names the proxy.
- `GATE_IGNORE` names what is reached without it.

## Certificates

`GATE_BUNDLE` is a file of certificates.
"""


def open_folder(folder: Path, settings: Settings, texts: dict[str, str]) -> Library:
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    library = finish(open_library(folder, settings))
    finish(library.sync())
    return library


def words_of(passages: Sequence[Passage]) -> list[str]:
    return [passage.words_of(sentence) for passage in passages for sentence in passage.sentences]


def check_exact(passages: Sequence[Passage], folder: Path) -> None:
    for passage in passages:
        text = (folder / passage.path).read_bytes().decode()
        assert text[passage.start : passage.end] == passage.text
        for sentence in passage.sentences:
            assert text[sentence.start : sentence.end] == passage.words_of(sentence)
    spans = sorted((p.document_id, p.start, p.end) for p in passages)
    assert all(a[0] != b[0] or a[2] <= b[1] for a, b in itertools.pairwise(spans))


def test_a_document_that_fits_goes_in_whole_though_one_passage_of_it_was_found(
    folder: Path, settings: Settings, embedding: Embedding
) -> None:
    long = "".join(f"# Day {day}\n\n{FILLING * 12}\n\n" for day in range(40))
    library = open_folder(folder, replace(settings, chunk_tokens=32), {"variables.md": VARIABLES, "days.md": long})
    found = library.retrieve("Which variables does the client read?", 1)
    assert found[0].path == "variables.md"
    assert "GATE_BUNDLE" not in found[0].text
    chosen = library.choose_evidence(found, "Which variables does the client read?", 4000, len)
    assert [passage.path for passage in chosen] == ["variables.md"]
    assert chosen[0].text == VARIABLES[chosen[0].start :].rstrip()
    check_exact(chosen, folder)
    # Also beside others, if it is no more than half of what is left.
    wide = library.retrieve("Which variables does the client read, and what happened that day?", 20)
    chosen = library.choose_evidence(wide, "Which variables does the client read?", 9000, len)
    assert {"variables.md", "days.md"} == {passage.path for passage in chosen}
    assert sum(len(passage.text) for passage in chosen) <= 9000
    assert "GATE_BUNDLE" in "".join(passage.text for passage in chosen)
    check_exact(chosen, folder)


def test_a_section_that_fits_goes_in_whole_where_its_document_does_not(
    folder: Path, settings: Settings, embedding: Embedding
) -> None:
    days = [f"## Day {day}\n\n{FILLING * 12}\n\n" for day in range(60)]
    days[30] = "## The flood\n\nThe river rose at noon.\n\n" + FILLING * 4 + "The bridge was closed.\n\n"
    text = "# Diary\n\n" + "".join(days)
    library = open_folder(folder, replace(settings, chunk_tokens=32), {"diary.md": text})
    query = "When did the river rise?"
    found = library.retrieve(query, 1)
    assert "rose at noon" in found[0].text and "bridge" not in found[0].text
    chosen = library.choose_evidence(found, query, 6000, len)
    assert "The bridge was closed." in words_of(chosen)
    assert "Day 29" not in words_of(chosen) and "Day 31" not in words_of(chosen)
    check_exact(chosen, folder)


@pytest.mark.parametrize(
    "made", ["- Turn wheel {n} by hand.", "| wheel {n} | {n}0 turns |", "    wheel({n}, turns={n}0)"]
)
def test_a_list_a_table_and_code_are_not_cut(made: str, folder: Path, settings: Settings, embedding: Embedding) -> None:
    lines = [made.format(n=n) for n in range(1, 25)]
    lines[12] = made.format(n="thirteen").replace("wheel", "valve")
    if made.startswith("|"):
        lines = ["| part | how far |", "|---|---|", *lines]
    if made.startswith(" "):
        lines = ["```", *lines, "```"]
    text = f"# Diary\n\n{FILLING * 60}\n\nDo this:\n\n" + "\n".join(lines) + f"\n\n{FILLING * 60}\n"
    library = open_folder(folder, replace(settings, chunk_tokens=32), {"wheels.md": text})
    query = "What is done with the valve thirteen?"
    chosen = library.choose_evidence(library.retrieve(query, 1), query, 5000, len)
    held = [line.strip("|- ") for line in lines if line.strip("|- `")]
    shown = " ".join(" ".join(words_of(chosen)).split())
    assert all(" ".join(line.split()) in shown for line in held)
    check_exact(chosen, folder)


def test_what_changed_since_it_was_found_is_not_read_around(
    folder: Path, settings: Settings, embedding: Embedding
) -> None:
    library = open_folder(folder, replace(settings, chunk_tokens=32), {"variables.md": VARIABLES})
    query = "Which variables does the client read?"
    found = library.retrieve(query, 1)
    open_folder(folder, replace(settings, chunk_tokens=32), {"variables.md": f"Anew.\n\n{VARIABLES}"})
    chosen = library.choose_evidence(found, query, 4000, len)
    assert {s for p in chosen for s in p.sentences} <= {*found[0].sentences}
    assert chosen[0].text in VARIABLES


def test_how_the_documents_begin_is_found(folder: Path, settings: Settings, embedding: Embedding) -> None:
    library = open_folder(
        folder, replace(settings, chunk_tokens=32), {"variables.md": VARIABLES, "days.md": f"# Days\n\n{FILLING * 20}"}
    )
    found = library.retrieve("a file of certificates", 1)
    assert found[0].start > 0
    (opening,) = library.find_openings(found)
    assert opening.start == 0 and opening.text.startswith("# Environment")
    assert 0 < opening.score < found[0].score
    assert library.find_openings([opening]) == []
