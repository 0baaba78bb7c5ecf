"""Where a quotation stands: exactly, set otherwise, nearly with the difference, or nowhere."""

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hashed import HashEmbedding, open_store, put
from hypothesis import given
from hypothesis import strategies as st

from index.errors import InputError
from index.library import Library
from index.searching import alignment, quotations
from index.searching.letters import fold_letter, read_letters
from index.searching.quotations import LARGEST_MOST_PLACES, LONGEST_QUOTE_CHARACTERS, QuotePlace, find_quote
from index.settings import Settings

FERRY = """# The ferry

The ferry “Aurora” was built in 1911 at Brenvale, and it has carried 1,250 passengers a day ever since. Her captain,
Søren Ågård, retired after forty years of ser-
vice; the office’s finance director said: “We are truly grateful”. It costs 1.5 crowns.

The **harbour** master closes the pier at nine, on Sundays at eight, and in winter whenever he likes. Nobody objects.
"""
OTHER = """The museum opens at ten. Her captain, Søren Ågård, retired after forty years. Nobody objects.
東京タワーは1958年に完成した。高さは333メートルである。 Стой, кто идёт? שלום עולם
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """Two documents in chunks of a dozen words."""
    folder, stores = tmp_path_factory.mktemp("documents"), tmp_path_factory.mktemp("stores")
    store = open_store(folder, stores)
    with store.writing():
        for name, text in (("ferry.md", FERRY), ("other.txt", OTHER)):
            (folder / name).write_text(text, encoding="utf-8")
            put(store, folder / name)
    yield Library(folder, store, HashEmbedding(), Settings.from_environment({}))
    store.close()


def find(library: Library, quote: str, **options: object) -> list[QuotePlace]:
    """Where a quotation stands; what is said of each place is true of the text."""
    found = find_quote(library, quote, **options)  # type: ignore[arg-type]
    texts = {"ferry.md": FERRY, "other.txt": OTHER}
    for place in found:
        assert texts[place.path][place.start : place.end] == place.quote
        assert library.store.text_of(place.document_id, place.start, place.end) == place.quote
        assert place.is_exact == (not place.difference)
    assert len({(place.document_id, place.start) for place in found}) == len(found)
    return found


def test_words_are_found_where_they_stand(library: Library) -> None:
    [place] = find(library, "The museum opens at ten.")
    assert (place.path, place.start, place.end, place.page, place.is_exact) == ("other.txt", 0, 24, None, True)
    places = find(library, "Nobody objects.")
    assert [(one.path, one.is_exact) for one in places] == [("ferry.md", True), ("other.txt", True)]
    assert find(library, "Nobody objects.", most=1) == places[:1]
    assert find(library, "Nobody objects.", document_id=places[1].document_id) == places[1:]
    assert find(library, "Nobody objects.", document_id="0" * 16) == []
    assert find(replace(library, documents=(places[0].document_id,)), "Nobody objects.") == places[:1]
    assert find(replace(library, documents=()), "Nobody objects.") == []


def test_a_whole_document_is_found_over_the_borders_of_its_chunks(library: Library) -> None:
    [place] = find(library, FERRY)
    assert place.is_exact
    assert place.quote == FERRY.strip()


def test_marks_around_the_whole_are_no_part_of_it(library: Library) -> None:
    [place] = find(library, "„Nobody objects“", most=1)
    assert (place.quote, place.is_exact) == ("Nobody objects", True)
    [place] = find(library, "“We are truly grateful”")
    assert (place.quote, place.is_exact) == ("“We are truly grateful”", True)


@pytest.mark.parametrize(
    ("quote", "stands", "difference"),
    [
        ("built  in\n1911", "built in 1911", "differs in white space"),
        ("BUILT in 1911", "BUILT in 1911".lower(), "differs in capitals"),
        ("Soren Agard, retired after", "Søren Ågård, retired after", "differs in the form of letters"),
        ("forty years of service", "forty years of ser-\nvice", "differs in hyphenation"),
        ('The ferry "Aurora" was', "The ferry “Aurora” was", "differs in quotation marks or dashes"),
        ("the office's ﬁnance director", "the office’s finance director", "quotation marks or dashes"),
        ("The harbour master", "The **harbour** master", "differs in emphasis"),
        ("It costs 15 crowns", "It costs 1.5 crowns", "says “1.5” where the quotation says “15”"),
        ("We are truly grateful.", "We are truly grateful", "differs in punctuation at its ends"),
    ],
)
def test_words_are_found_however_they_are_set(library: Library, quote: str, stands: str, difference: str) -> None:
    place = find(library, quote)[0]
    assert place.quote == stands
    assert not place.is_exact
    assert difference in place.difference


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_words_are_found_in_every_form_of_unicode(library: Library, form: str) -> None:
    for quote in ("Søren Ågård, retired", "кто идёт", "メートルである"):
        written = unicodedata.normalize(form, quote)  # type: ignore[arg-type]
        assert unicodedata.normalize("NFC", find(library, written)[0].quote) == quote


@pytest.mark.parametrize(
    ("quote", "stands", "difference"),
    [
        ("The ferry “Aurora” was built in 1912 at Brenvale", "1911", "says “1911” where the quotation says “1912”"),
        ("it has carried 1,250 guests a day ever since", "passengers", "says “passengers” where"),
        ("closes the pier at nine, and in winter whenever he likes", "Sundays", "has “on Sundays at eight” besides"),
        ("in winter only whenever he really likes", "whenever he likes", "lacks “only”; lacks “really”"),
        ("The ferry “Aurora” … has carried 1,250 passengers", "1911", "goes on with “was built in 1911"),
        ("The harbour master [...] on Sundays at eight", "pier", "goes on with “closes the pier at nine”"),
        ("Her captian, Søren Ågård, retired after", "captain", "says “captain” where the quotation says “captian”"),
        ("The musuem opens at ten", "museum", "says “museum” where the quotation says “musuem”"),
        ("the harbour and in winter whenever he likes today", "whenever he likes", "lacks “today”"),
        ("Brenvaleb", "Brenvale", "says “Brenvale” where the quotation says “Brenvaleb”"),
        ("東京タワーは1959年に完成した", "1958", "says “1958” where the quotation says “1959”"),
        ("高さは三三三メートルであり、", "メートル", "says"),
    ],
)
def test_words_that_were_changed_are_found_with_the_difference(
    library: Library, quote: str, stands: str, difference: str
) -> None:
    place = find(library, quote)[0]
    assert not place.is_exact
    assert stands in place.quote
    assert difference in place.difference


@pytest.mark.parametrize("quote", ["Stand", "1958", "東京", "京", "—", "עולם", "“Aurora”", "3"])
def test_a_short_quotation_is_found_or_not(library: Library, quote: str) -> None:
    stands = [text.count(quote) for text in (FERRY, OTHER)]
    assert bool(sum(stands)) == any(place.is_exact for place in find(library, quote))


@pytest.mark.parametrize("row", ["Heron,120,6", "Heron, 120, 6", "Heron;120;6", "Heron\t120\t6", "Heron | 120 | 6"])
def test_a_row_of_cells_is_found_however_they_are_parted(tmp_path: Path, row: str) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "birds.csv").write_text("Bird,Count,Nests\nHeron,120,6\nTern,40,3\n", encoding="utf-8")
    store = open_store(folder, tmp_path / "stores")
    with store.writing():
        put(store, folder / "birds.csv")
    [place] = find_quote(Library(folder, store, HashEmbedding(), Settings.from_environment({})), row)
    assert (place.quote, place.is_exact) == ("Heron; Count: 120; Nests: 6", False)
    store.close()


def test_part_of_a_word_is_found_only_where_it_is_no_word_by_itself(library: Library) -> None:
    assert [place.quote for place in find(library, "ienn") or find(library, "renval")] == ["renval"]
    assert {place.start for place in find(library, "her")} == {FERRY.index("Her"), OTHER.index("Her")}


@pytest.mark.parametrize(
    "quote",
    [
        "The ferry sank in a storm off the coast of Norway",
        "Her husband never forgave the director for what was said",
        "the and of it is at in a",
        "1912",
        "Prime Minister Ågård",
        "京都の寺院は静かである",
        "zebra",
        "…",
    ],
)
def test_what_does_not_stand_there_is_not_found(library: Library, quote: str) -> None:
    assert find(library, quote) == []


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (" \n", "The quotation is empty"),
        ("x" * (LONGEST_QUOTE_CHARACTERS + 1), "look for a part of it"),
        (7, "of type int"),
    ],
)
def test_a_quotation_that_cannot_be_used_is_refused(library: Library, given: object, says: str) -> None:
    with pytest.raises(InputError, match=says):
        find_quote(library, given)


@pytest.mark.parametrize("most", [0, LARGEST_MOST_PLACES + 1, True, 2.0])
def test_a_number_of_places_is_bounded(library: Library, most: object) -> None:
    with pytest.raises(InputError, match="whole number"):
        find_quote(library, "ferry", most=most)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "quote",
    [
        "… " * 2000,
        "the " * 1000,
        "-\n" * 2000,
        "“" * 4000,
        "ferry-" * 660,
        "a\u0301" * 2000,
        "東" * 4000,
        "\ud800x",
    ],
)
def test_a_hostile_quotation_ends(library: Library, quote: str) -> None:
    find(library, quote)


def test_a_document_of_one_word_over_and_over_ends(tmp_path: Path) -> None:
    text = "the ferry " * 4000
    (tmp_path / "long.txt").write_text(text)
    store = open_store(tmp_path, tmp_path / "stores")
    with store.writing():
        put(store, tmp_path / "long.txt")
    library = Library(tmp_path, store, HashEmbedding(), Settings.from_environment({}))
    assert len(find_quote(library, "the ferry")) == 20
    for quote in ("the ferry " * 390 + "sank", "ferry … sank the … ferry"):
        for place in find_quote(library, quote):
            assert text[place.start : place.end] == place.quote
    store.close()


@pytest.mark.parametrize("words", ["the", "Trump", "the ferry", "ferry … the", "東", "1"])
def test_words_over_and_over_cost_what_they_are_long(
    library: Library, monkeypatch: pytest.MonkeyPatch, words: str
) -> None:
    weighed, liked, laid = [0], [0], [0]
    weigh, liken, align = alignment.weigh, alignment.liken, alignment.align

    def count_weighed(key: str) -> float:
        weighed[0] += 1
        return weigh(key)

    def count_liked(one: str, other: str) -> float:
        liked[0] += 1
        return liken(one, other)

    def count_laid(quoted: list[str], found: list[str], ellipses: frozenset[int]) -> alignment.Alignment | None:
        laid[0] += len(quoted) * len(found)
        return align(quoted, found, ellipses)

    for module in (alignment, quotations):
        monkeypatch.setattr(module, "weigh", count_weighed)
        monkeypatch.setattr(module, "liken", count_liked)
    monkeypatch.setattr(quotations, "align", count_laid)
    for count in (100, 300, 600):
        weighed[0], liked[0], laid[0] = 0, 0, 0
        quote = f"{words} " * count
        find_quote(library, quote[:LONGEST_QUOTE_CHARACTERS])
        # Words that do not stand there so often are laid beside nothing.
        assert (laid[0], liked[0]) == (0, 0)
        assert weighed[0] <= 100


@pytest.mark.parametrize("quote", ["the ferry " * 390 + "sank", "ferry … " * 480 + "sank", "the ferry ran the fery"])
def test_what_is_compared_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quote: str) -> None:
    laid: list[int] = []
    weighed = [0]
    weigh, align = alignment.weigh, alignment.align

    def count_weighed(key: str) -> float:
        weighed[0] += 1
        return weigh(key)

    def count_laid(quoted: list[str], found: list[str], ellipses: frozenset[int]) -> alignment.Alignment | None:
        laid.append(len(quoted) * len(found))
        return align(quoted, found, ellipses)

    (tmp_path / "long.txt").write_text("the ferry " * 6000)
    store = open_store(tmp_path, tmp_path / "stores")
    with store.writing():
        put(store, tmp_path / "long.txt")
    library = Library(tmp_path, store, HashEmbedding(), Settings.from_environment({}))
    monkeypatch.setattr(quotations, "align", count_laid)
    monkeypatch.setattr(alignment, "weigh", count_weighed)
    find_quote(library, quote)
    assert laid
    assert sum(laid) <= quotations.MOST_COMPARED
    # In each place the words of both a few times.
    assert weighed[0] <= len(laid) * 10 * len(quote)
    store.close()


def test_of_a_long_quotation_the_right_place_is_compared_first(tmp_path: Path) -> None:
    # All places have the same words: what tells them apart is which follow each other.
    chance = Random(7)
    text = "".join(chance.choice("東京都高塔年月日人大小中国会社") for _ in range(20_000))
    (tmp_path / "long.txt").write_text(text)
    store = open_store(tmp_path, tmp_path / "stores")
    with store.writing():
        put(store, tmp_path / "long.txt")
    library = Library(tmp_path, store, HashEmbedding(), Settings.from_environment({}))
    quote = f"{text[9000:9500]}車{text[9501:10_500]}車車{text[10_502:12_000]}"
    [place] = find_quote(library, quote)
    assert (place.start, place.end) == (9000, 12_000)
    assert place.difference.count("車") == 3
    store.close()


ALTERED: dict[str, Callable[[str], str]] = {
    "capitals": str.upper,
    "lines": lambda quote: quote.replace(" ", "\n"),
    "marks": lambda quote: quote.replace("“", '"').replace("”", '"').replace("’", "'"),
    "taken apart": lambda quote: unicodedata.normalize("NFD", quote),
    "bold": lambda quote: quote.replace("*", ""),
}


@given(st.data(), st.sampled_from([FERRY, OTHER]), st.sampled_from([None, *ALTERED]))
def test_every_part_of_a_document_is_found(
    library: Library, data: st.DataObject, text: str, altered: str | None
) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    quote = text[start:end].strip()
    if not quote:
        return
    start += len(text[start:end]) - len(text[start:end].lstrip())
    if altered is None:
        places = find(library, quote, most=500)
        assert places[0].is_exact
        assert places[0].quote == quote
        by_itself = not (text[start - 1 : start + 1].isalnum() or text[start + len(quote) - 1 :][:2].isalnum())
        assert not by_itself or start in {place.start for place in places}
    elif len(letters := read_letters(quote).written) > 20:
        places = find(library, ALTERED[altered](quote))
        assert letters in {read_letters(place.quote).written for place in places}


@given(st.text(max_size=300) | st.lists(st.sampled_from([*FERRY.split(), "…", "x"]), max_size=40).map(" ".join))
def test_no_quotation_fails(library: Library, quote: str) -> None:
    if quote.strip():
        find(library, quote)


@given(st.text(max_size=50))
def test_letters_know_where_they_stand(text: str) -> None:
    letters = read_letters(text)
    assert len(letters.places) == len(letters.written)
    assert letters.places == sorted(letters.places)
    assert "".join(map(fold_letter, text)) == letters.written
