"""Where a quotation stands in the documents: exactly, set otherwise, or nearly, with the difference.

The lexical index finds the chunks that hold the quotation's rarest words; what stands in and around these is read
closely. So the cost goes by the quotation, hardly by the folder.

But: words that were changed are looked for only where the quotation stands nowhere whole.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, islice
from typing import NamedTuple, Protocol

from index.documents import page_at
from index.errors import InputError
from index.place import DamagedError
from index.searching.alignment import (
    ELLIPSIS,
    MOST_SPELLED,
    Word,
    align,
    find_ellipses,
    is_short,
    liken,
    read_words,
    tell,
    trim,
    weigh,
)
from index.searching.letters import Letters, describe, find_exactly, find_loosely, is_whole, read_letters, take_along
from index.splitting.terms import choose_query_terms, find_terms
from index.storing.records import Record
from index.storing.store import Store

MOST_PLACES, LARGEST_MOST_PLACES = 20, 500
LONGEST_QUOTE_CHARACTERS = 4000
CANDIDATES, CANDIDATES_OF_MANY = 100, 40  # chunks that share most with a quotation; with one of
MANY_WORDS = 6  # different words or more, by which its place is told sooner
MOST_READ_CHARACTERS, MOST_ALIGNED_CHARACTERS = 1_000_000, 250_000  # of the documents, for one quotation
MOST_ALIGNED = 30  # parts of them that are compared word by word
MOST_COMPARED = 20_000_000  # pairs of words, in all
ROW_PAIRS = 1000  # that take as long as it does to begin a row of them
MOST_DESCRIBED_CHARACTERS = 100_000  # of quotations that are set otherwise, in all places
KEPT_PIECES, LONGEST_KEPT_CHARACTERS = 4096, 1000  # whose words are kept: the next quotation is often looked for there
STRETCH_WORDS = 4  # that tell together where a long quotation stands
MOST_AROUND_WORDS = 200  # on either side of where most of a quotation's words stand
LEFT_OUT_CHARACTERS, LEFT_OUT_WORDS = 4000, 600  # that an ellipsis may stand for
# How much of a quotation must stand there: the shorter, the more.
LEAST_SCORE, LEAST_SCORE_OF_FEW = 0.62, 0.76
LEAST_SHARED = 0.5  # of its words, in any order
AS_GOOD = 0.15  # how much worse than the best a place may be
# Where no word goes on: behind a full stop, and at the end of a line without a hyphen.
_PIECE_ENDS = re.compile(r"(?<=\.\s)|(?<=。)|(?<=[^\s\-‐‑]\n)")
_PAIRS = ("“”", '""', "„“", "«»", "»«", "‘’", "''", "「」", "『』")


class Held(Protocol):
    """What documents are looked in: a Library."""

    @property
    def store(self) -> Store:
        """That the documents are in."""

    @property
    def documents(self) -> tuple[str, ...] | None:
        """The ids of those that are looked in; None for all."""


@dataclass(frozen=True, slots=True)
class QuotePlace:
    """Where a quotation stands: `document.text[start:end] == quote`, whether or not that is what was looked for.

    page: counted from 1, or None where the document has no pages.
    difference: from what was looked for, for people: "says “1911” where the quotation says “1912”"; "" where exact.
    """

    document_id: str
    path: str
    title: str
    page: int | None
    start: int
    end: int
    quote: str
    is_exact: bool
    difference: str


class _Part(NamedTuple):
    """A part of a document, that begins at an offset."""

    record: Record
    offset: int
    text: str

    def place(self, start: int, end: int, difference: str = "", *, is_exact: bool = False) -> QuotePlace:
        first, record = self.offset + start, self.record
        return QuotePlace(
            record.document_id,
            record.path,
            record.title,
            page_at(record.pages, first),
            first,
            self.offset + end,
            self.text[start:end],
            is_exact,
            difference,
        )


def find_quote(
    library: Held, quote: object, *, document_id: str | None = None, most: int = MOST_PLACES
) -> list[QuotePlace]:
    """Where a quotation stands, best first; none where it stands nowhere, not even nearly.

    Exactly, then set otherwise: with other white space, line ends, hyphens, quotation marks, capitals, accents or
    Unicode forms; these by path. Where there are none of either, with words changed, added or missing, or left out for
    an ellipsis. Quotation marks around the whole are no part of it. The store is looked in as it is.

    document_id: of the only document that is looked in. most: how many places.
    Raises InputError where the quotation cannot be used, DamagedError where the lexicon is just being made anew.
    """
    if type(most) is not int or not 1 <= most <= LARGEST_MOST_PLACES:
        raise InputError(f"The number of places is a whole number from 1 to {LARGEST_MOST_PLACES}.")
    forms = _read_quote(quote)
    documents = library.documents
    if document_id is not None:
        documents = (document_id,) if documents is None or document_id in documents else ()
    lexicon = library.store.lexicon
    with lexicon.snapshot():
        if not lexicon.is_usable():
            raise DamagedError(f"The lexical index of the store at {library.store.place} is not whole: try again.")
        search = _Search(library.store, documents, most)
        # Of a row of a file of cells, "Heron,120,6", the commas are read as one number's only where that is found.
        return (
            search.find_whole(forms)
            or search.find_nearly(forms[-1])
            or ("," in forms[-1] and search.find_nearly(forms[-1].replace(",", " ")))
            or []
        )


def _read_quote(quote: object) -> tuple[str, ...]:
    """The quotation as it is given, and without the marks around it where it has them."""
    if not isinstance(quote, str):
        raise InputError(f"The quotation is of type {type(quote).__name__}: give it as text.")
    given = quote.encode("utf-8", errors="replace").decode().strip()
    if not given:
        raise InputError("The quotation is empty: give the words to look for.")
    if len(given) > LONGEST_QUOTE_CHARACTERS:
        raise InputError(
            f"The quotation is {len(given):,} characters long, and {LONGEST_QUOTE_CHARACTERS:,} is the most: "
            "look for a part of it."
        )
    inner = given[1:-1].strip()
    is_marked = any(given[0] == pair[0] and given[-1] == pair[1] for pair in _PAIRS) and not set(inner) & set(
        given[:: len(given) - 1 or 1]
    )
    return (given, inner) if inner and is_marked else (given,)


class _Search:
    """One look in a store for one quotation."""

    def __init__(self, store: Store, documents: Sequence[str] | None, most: int) -> None:
        self._lexicon, self._documents, self._most = store.lexicon, documents, most
        self._best: dict[str, list[int]] = {}
        self._letters: dict[str, Letters] = {}

    def find_whole(self, forms: Sequence[str]) -> list[QuotePlace]:
        """Where one of the forms stands whole: exactly, or set otherwise."""
        found: list[QuotePlace] = []
        for quote in forms:
            so_found = self._find_form(quote)
            if not found or (so_found[:1] and so_found[0].is_exact > found[0].is_exact):
                found = so_found
        return found

    def _find_form(self, quote: str) -> list[QuotePlace]:
        found: dict[tuple[str, int], QuotePlace] = {}
        letters = read_letters(quote)
        most = max(MOST_PLACES, min(self._most, MOST_DESCRIBED_CHARACTERS // len(quote)))
        for numbers in self._find_candidates(quote, find_terms(_join_hyphens(quote))):
            for part in self._read(numbers, len(quote) + 200, MOST_READ_CHARACTERS):
                for place in self._find_in(part, quote, letters):
                    found.setdefault((place.document_id, place.start), place)
                if sum(place.is_exact for place in found.values()) >= self._most:
                    break
            if found:
                break
        places = sorted(found.values(), key=lambda place: (not place.is_exact, place.path, place.start))[: self._most]
        exact = sum(place.is_exact for place in places)
        # What differs is told of those alone that are given.
        return places[:exact] + [
            replace(place, difference=describe(letters, read_letters(place.quote))) for place in places[exact:most]
        ]

    def _find_in(self, part: _Part, quote: str, letters: Letters) -> Iterator[QuotePlace]:
        exact = [*islice(find_exactly(part.text, quote), self._most)]
        # "art" stands in "party" only where it stands nowhere by itself.
        whole = [(start, end) for start, end in exact if is_whole(part.text, start, end)] or exact
        yield from (part.place(start, end, is_exact=True) for start, end in whole)
        if not letters.written:
            return
        here = self._letters.get(part.text) or self._letters.setdefault(part.text, read_letters(part.text))
        starts = [start for start, _ in exact]
        for start, end in islice(find_loosely(here, letters), self._most):
            # All that stand exactly are as long: the last that begins before a place reaches furthest.
            if not any(
                (before := bisect_right(starts, place)) and place < starts[before - 1] + len(quote)
                for place in (start, end - 1)
            ):
                yield part.place(start, end)

    def _find_candidates(self, quote: str, terms: Sequence[str]) -> Iterator[list[int]]:
        """The numbers of the chunks in which a quotation may stand whole, the likeliest first, then others."""
        if terms:
            together = self._keep(self._lexicon.together(choose_query_terms(terms)))
            yield [*dict.fromkeys((*together[: 4 * self._most], *self._find_best(quote)))]
        if len(terms) < 4:
            # Part of a word, or no word at all.
            yield self._lexicon.numbers_holding(quote, self._most, self._documents)

    def _keep(self, numbers: list[int]) -> list[int]:
        if self._documents is None:
            return numbers
        kept = frozenset(self._lexicon.numbers_of(self._documents))
        return [number for number in numbers if number in kept]

    def _find_best(self, quote: str) -> list[int]:
        if quote not in self._best:
            self._best[quote] = self._match(quote)
        return self._best[quote]

    def _match(self, quote: str) -> list[int]:
        import numpy as np

        within = None if self._documents is None else np.array(self._lexicon.numbers_of(self._documents), np.int64)
        count = CANDIDATES if len({*find_terms(quote)}) < MANY_WORDS else CANDIDATES_OF_MANY
        return [*self._lexicon.match(_join_hyphens(quote), (), within).best(count)]

    def _read(self, numbers: Sequence[int], around: int, most: int) -> Iterator[_Part]:
        """What stands in chunks and so many characters around them, as much in all as is to be read; nothing twice."""
        for first in range(0, len(numbers), CANDIDATES):
            some = numbers[first : first + CANDIDATES]
            read = self._lexicon.read(some)
            records = {record.document_id: record for _, record in read.values()}
            spans: dict[str, list[tuple[int, int, int]]] = {}
            for rank, (chunk, _) in enumerate(read[number] for number in some):
                span = (max(0, chunk.start - around), chunk.end + around, rank)
                spans.setdefault(chunk.document_id, []).append(span)
            merged = [(rank, of, start, end) for of in spans for start, end, rank in _merge(spans[of])]
            for _, document_id, start, end in sorted(merged):
                held = self._lexicon.chunks_of(document_id, start, min(end, start + most))
                text = "".join(chunk.text for chunk in held)[start - held[0].start : end - held[0].start]
                yield _Part(records[document_id], start, text[:most])
                most -= len(text)
                if most <= 0:
                    return

    def find_nearly(self, quote: str) -> list[QuotePlace]:
        """Where most of the quotation's words stand in their order."""
        words = read_words(ELLIPSIS.sub(_blank, quote))
        if not words:
            return []
        keys = [word.key for word in words]
        ellipses = find_ellipses(quote, words)
        parts = self._read(
            self._find_best(ELLIPSIS.sub(" ", quote)),
            len(quote) + 200 + (LEFT_OUT_CHARACTERS if ellipses else 0),
            MOST_ALIGNED_CHARACTERS,
        )
        windows = sorted(
            chain.from_iterable(_find_windows(part, keys, LEFT_OUT_WORDS if ellipses else 0) for part in parts),
            key=lambda window: -window.likely,
        )
        scored: list[tuple[float, QuotePlace]] = []
        compared = 0
        for window in windows[:MOST_ALIGNED]:
            compared += len(keys) * (window.last - window.first + ROW_PAIRS)
            if compared > MOST_COMPARED and window is not windows[0]:
                break
            aligned = align(keys, window.text.keys[window.first : window.last], ellipses)
            if aligned is None or aligned.score < _least_score(keys):
                continue
            text = window.part.text
            there = window.text.words(window.first, window.last)
            aligned = trim(aligned, words, text, there)
            first, last = aligned.found
            start, end = take_along(text, there[first].start, there[last - 1].end, quote)
            difference = tell(aligned, quote, words, text, there) or "differs in how words are written"
            scored.append((aligned.score, window.part.place(start, end, difference)))
        return _choose(scored)[: self._most]


class _Window(NamedTuple):
    """Words of a part that share most with a quotation, and how likely it stands there: how much of it they share."""

    part: _Part
    text: _Text
    first: int
    last: int
    likely: float


def _merge(spans: list[tuple[int, int, int]]) -> Iterator[tuple[int, int, int]]:
    """Spans of one document, those that overlap as one, each with the best rank of its own."""
    start, end, rank = 0, -1, 0
    for first, last, its in sorted(spans):
        if first > end:
            if end >= 0:
                yield start, end, rank
            start, end, rank = first, last, its
        end, rank = max(end, last), min(rank, its)
    yield start, end, rank


class _Text(NamedTuple):
    """The words of a text by their keys, how often each stands there, and which begin or end with a letter.

    pieces: where each piece of the text begins: at which word, at which character.
    """

    text: str
    keys: list[str]
    counts: Counter[str]
    beginning: dict[str, list[str]]
    ending: dict[str, list[str]]
    pieces: list[tuple[int, int]]

    def words(self, first: int, last: int) -> list[Word]:
        """The words from one number to another, with their places."""
        piece = max(0, bisect_right(self.pieces, (first, len(self.text))) - 1)
        number, start = self.pieces[piece]
        after = bisect_left(self.pieces, (last, 0))
        end = self.pieces[after][1] if after < len(self.pieces) else len(self.text)
        words = read_words(self.text[start:end])[first - number : last - number]
        return [Word(word.start + start, word.end + start, word.key) for word in words]


def _read_text(text: str) -> _Text:
    keys: list[str] = []
    pieces: list[tuple[int, int]] = []
    start = 0
    for piece in _PIECE_ENDS.split(text):
        pieces.append((len(keys), start))
        keys += _read_kept(piece) if len(piece) <= LONGEST_KEPT_CHARACTERS else _read_keys(piece)
        start += len(piece)
    read = _Text(text, keys, Counter(keys), defaultdict(list), defaultdict(list), pieces)
    for key in filter(None, read.counts):
        read.beginning[key[0]].append(key)
        read.ending[key[-1]].append(key)
    return read


def _read_keys(text: str) -> tuple[str, ...]:
    return tuple(word.key for word in read_words(text))


_read_kept = lru_cache(maxsize=KEPT_PIECES)(_read_keys)


def _find_windows(part: _Part, keys: Sequence[str], left_out: int) -> Iterator[_Window]:
    """Where a part of a document has most of a quotation's words together: the best places of it."""
    import numpy as np

    text, quoted = _read_text(part.text), Counter(keys)
    words = text.keys
    meant = _find_meant(text, quoted)
    total = sum(weigh(key) * count for key, count in quoted.items())

    def share(counts: Mapping[str, int]) -> float:
        held: dict[str, float] = {}
        for one, (key, alike) in meant.items():
            held[key] = held.get(key, 0.0) + alike * counts.get(one, 0)
        # What the quotation says three times must stand there three times.
        return sum(weigh(key) * min(count, quoted[key]) for key, count in held.items()) / total

    if share(text.counts) < LEAST_SHARED:
        return
    # A word that stands everywhere tells little of where the quotation does.
    telling = {one: weigh(key) * alike / text.counts[one] for one, (key, alike) in meant.items()}
    tells = np.array([telling.get(key, 0.0) for key in words])
    there = _find_stretches(words, keys)
    often = Counter(there.values())
    for first, stretch in there.items():
        tells[first] += 1 / often[stretch]
    sums = np.concatenate([[0.0], np.cumsum(tells)])
    count = len(keys)
    size = count + min(count // 3, MOST_AROUND_WORDS) + 8 + left_out
    around = min(size // 3, MOST_AROUND_WORDS)
    firsts = np.arange(len(words))
    gains = sums[np.minimum(firsts + size, len(words))] - sums[firsts]
    for _ in range(2 + min(MOST_ALIGNED, len(words) // size)):
        best = int(gains.argmax())
        if gains[best] <= 0:
            return
        first = max(0, best - around)
        last = min(len(words), best + size + around)
        shared = share(Counter(words[first:last]))
        if shared < LEAST_SHARED:
            return
        stretches = {there[number] for number in range(first, last) if number in there}
        yield _Window(part, text, first, last, shared + len(stretches) / count)
        gains[max(0, best - size) : best + size] = 0.0


def _find_stretches(words: Sequence[str], keys: Sequence[str]) -> dict[int, tuple[str, ...]]:
    """The stretches of a long quotation that stand in a text, by the number of the word they begin with there."""
    if len(keys) <= MOST_SPELLED:
        return {}
    quoted = {*zip(*(keys[first:] for first in range(STRETCH_WORDS)), strict=False)}
    standing = zip(*(words[first:] for first in range(STRETCH_WORDS)), strict=False)
    return {number: stretch for number, stretch in enumerate(standing) if stretch in quoted}


def _find_meant(text: _Text, quoted: Counter[str]) -> dict[str, tuple[str, float]]:
    """What each word of a text may stand for in a quotation, and how surely."""
    meant = {key: (key, 1.0) for key in quoted if key in text.counts}
    if quoted.total() > MOST_SPELLED:
        return meant
    for key in quoted.keys() - meant.keys():
        if not key:
            continue
        # No others are alike.
        for one in {*text.beginning.get(key[0], ()), *text.ending.get(key[-1], ())} - quoted.keys():
            alike = liken(key, one)
            if alike > meant.get(one, ("", 0.0))[1]:
                meant[one] = key, alike
    return meant


def _least_score(keys: Sequence[str]) -> float:
    return LEAST_SCORE_OF_FEW if is_short(keys) else LEAST_SCORE


def _choose(scored: list[tuple[float, QuotePlace]]) -> list[QuotePlace]:
    """The best places, none over another, and none much worse than the best."""
    scored.sort(key=lambda one: (-one[0], one[1].path, one[1].start))
    chosen: list[QuotePlace] = []
    for score, place in scored:
        is_over = any(
            place.document_id == one.document_id and place.start < one.end and one.start < place.end for one in chosen
        )
        if not is_over and score >= scored[0][0] - AS_GOOD:
            chosen.append(place)
    return chosen


def _blank(found: re.Match[str]) -> str:
    return " " * len(found[0])


def _join_hyphens(text: str) -> str:
    """A text whose words are not broken at the ends of lines."""
    return text.replace("-\r\n", "").replace("-\n", "").replace("\u00ad", "")
