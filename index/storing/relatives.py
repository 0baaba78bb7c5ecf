"""The words that count as a query's words: inflected, compounded, joined, abbreviated or mistyped otherwise.

They are sought at query time in the folder's own vocabulary, so that no language needs a dictionary. Inflections are
terms that share most of their letters from the first on (McNamee and Mayfield 2004 found truncation as good as
stemmers over eight languages), compounds are parted into words that the folder has (Koehn and Knight 2003), and typing
errors are the terms one edit away (Damerau 1964; Norvig 2007), or two where both halves of a word hold.

Inflections and compounds are sought for queries that are not English, since English is stemmed; typing errors for
words that the folder does not have. All is bounded by numbers, never by a clock: the same query finds the same.

But: a word that is mistyped into another that the folder has is not seen, and neither is a vowel that changes within
a word ("ging" for "gehen").
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from math import ceil

from index.splitting.folding import fold
from index.splitting.terms import STOP_WORDS, find_query_terms, find_terms
from index.storing.lexicon_file import execute_with
from index.storing.postings import MOST_LETTERS, count_places, find_together, has_dropped

MOST_TERMS = 200  # of a query
MOST_WORDS = 400  # of a query, stop words included
MOST_WIDENED = 12  # words of a query that inflections and compounds are sought for
MOST_PARTED = 4  # unknown words that are parted
MOST_NEIGHBOURS = 60  # words that are joined or abbreviated
MOST_ABBREVIATED = 2  # initials that are read about
MOST_PLACES_READ = 10_000  # for one of them
MOST_CORRECTED = 4  # unknown words that are taken as mistyped
MOST_RELATIVES = 24  # of one word
MOST_CORRECTIONS = 3
MOST_SCANNED = 1000  # terms that begin, or end, alike; where there are more, so few letters say too little
MOST_PASSED = 20_000  # the same, whatever their length
MOST_LOOKS = 4000  # at terms, by one query

# What a relative counts beside the word itself.
LOWEST_SHARE = 0.6  # of its letters that an inflection shares with the word; it counts the square of what it shares
AS_TAIL, AS_HEAD = 0.5, 0.35  # a compound whose last, or first, part the word is
AS_PART = 0.5  # a part of the word
JOINED = 0.7  # the word together with its neighbour, written as one
ABBREVIATED = 0.5
SURE = 0.6  # from there on an inflection is enough, and the word is not parted
MISTYPED = {1: 0.7, 2: 0.5}  # by edits

_LEAST_INITIALS, _MOST_INITIALS = 3, 6
_LEAST_STEM = 4  # letters that inflections share
_LEAST_PART = 3  # letters of a part of a compound
_LEAST_TAIL = 5  # of a last part alone
_MOST_REST = 20  # letters of a compound beside the word
_MOST_PARTED_LETTERS = 30
_MOST_WAYS = 500  # to part a word that are compared
_LEAST_EDITED_TWICE = 7  # letters of words that two edits are sought for
_LOOKS_A_SCAN = 50  # that a scan costs besides what it finds
_MOST_LETTERS_TRIED = 96  # in the place of another
_MOST_COUNTED = 150  # terms, before the most frequent of them are chosen
_MOST_ENDING = 5  # letters that inflections may add or lose
_LINKS = ("", "s", "es", "n", "en", "er", "e")  # between the parts of German, Dutch and Scandinavian compounds
_LETTERS = re.compile(r"[^\W\d_]+")
_BETWEEN = " -\t\n\u2010\u2011"  # what may stand between neighbours
_DIGIT = re.compile(r"\d")
_GREEK = "\u0370"  # the first letter that is not Latin
_LAST = "\U0010ffff"  # stands after all that begins as what is before it

# Words that only join others, by which a language is told; those of English that mean something elsewhere say nothing.
_ELSEWHERE = frozenset(
    "a an am as at be by can die do for had has have he her him i in is it me more most my no not of on or over s d m "
    "re so some such t to under up was we will were been".split()
)
_OTHERS = frozenset(
    "der das und ist sind wie wer wann wo welche welcher welches ein eine einer nicht von zu mit fur dem den des "
    "im auf het een van wat hoe waar welke wanneer zijn voor met och att det som ar vad nar hur vilken vilket var "
    "ett med og hva hvad hvor hvem hvordan el la los las que cual cuando donde quien como del un una por para en "
    "les le du est quel quelle qui dans sont et il lo di della quale chi dove che sono per os da dos qual quem "
    "onde ve bir bu ne kim hangi nasil kac icin ile ja mika mita missa kuka milloin miten ovat jest sie nie jak "
    "kto gdzie kiedy".split()
)

_ENGLISH = STOP_WORDS - _ELSEWHERE - _OTHERS
# The most common of them, by which the language of a folder is told.
_COMMON_ENGLISH = "the and with".split()
_COMMON_OTHERS = "der und het een och att og det los que les est di che os ve bir ja jest sie".split()
# Endings of words that stand as words here and there.
_NO_PARTS = (
    _OTHERS
    | STOP_WORDS
    | set("ung ing ion heit keit lich isch tion ment ere ten ass ter den end ness able ist".split())
)
_LINKING = {"of", "and", "for", "the", "in", "on", "de", "la", "del", "und", "fur", "der", "et", "des", "du"}


class _Vocabulary:
    """The index's terms, of which one query looks at no more than MOST_LOOKS."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._left = MOST_LOOKS

    def is_spent(self) -> bool:
        """Whether nothing more may be looked for."""
        return self._left <= 0

    def count(self, terms: Collection[str]) -> dict[str, int]:
        """How often each of the terms stands in the index; those that stand nowhere are left out."""
        return count_places(self.connection, self._keep_noted(terms))

    def keep_standing(self, terms: Collection[str]) -> set[str]:
        """Those of the terms that stand in the index."""
        noted = self._keep_noted(terms)
        return {*(count_places(self.connection, noted) if has_dropped(self.connection) else noted)}

    def _keep_noted(self, terms: Collection[str]) -> list[str]:
        chosen = sorted(set(terms))[: max(0, self._left)]
        self._left -= len(chosen)
        return [term for (term,) in execute_with(self.connection, "SELECT term FROM words WHERE term IN ({})", chosen)]

    def find_beginning(self, beginning: str, shortest: int, longest: int) -> list[str] | None:
        """The terms that begin so and have so many letters; None where there are too many."""
        return self._scan("words", "term", beginning, shortest, longest)

    def find_ending(self, ending: str, shortest: int, longest: int) -> list[str] | None:
        """The same of those that end so."""
        found = self._scan("endings", "ending", ending[::-1], shortest, longest)
        return None if found is None else [backwards[::-1] for backwards in found]

    def _scan(self, table: str, column: str, beginning: str, shortest: int, longest: int) -> list[str] | None:
        rows = self.connection.execute(
            f"SELECT {column} FROM (SELECT {column} FROM {table} WHERE {column} >= ? AND {column} < ? LIMIT ?) "
            f"WHERE length({column}) BETWEEN ? AND ? LIMIT ?",
            (beginning, beginning + _LAST, MOST_PASSED + 1, shortest, longest, MOST_SCANNED + 1),
        ).fetchall()
        self._left -= len(rows) + _LOOKS_A_SCAN
        return [term for (term,) in rows] if len(rows) <= MOST_SCANNED else None


@dataclass(frozen=True, slots=True)
class _Word:
    """A word of the query: as it was typed, but folded, and the term that it is."""

    typed: str
    term: str


def find_relatives(connection: sqlite3.Connection, query: str, spelled: Collection[str] = ()) -> list[dict[str, float]]:
    """For each of a query's terms, in order, those of the index that count as the same word, and how much.

    spelled: words of the query, as they are folded, that are known to be no typing errors.

    The term itself comes first and counts 1, whether the index has it or not; at most MOST_RELATIVES follow, which
    count less and stand in the index.
    """
    terms = find_query_terms(query)[:MOST_TERMS]
    runs = _read_words(query)
    words = [*chain.from_iterable(runs)]
    typed = {word.term: word.typed for word in reversed(words)}
    vocabulary = _Vocabulary(connection)
    known = count_places(connection, terms)
    found: dict[str, dict[str, float]] = {term: {} for term in terms}
    _join(vocabulary, runs, found)
    _abbreviate(vocabulary, runs, known, found)
    sought = [term for term in terms if _is_sought(term, typed.get(term, term))]
    unknown = [term for term in sought if term not in known]
    is_english = _is_english(connection, words, terms) if sought else True
    for term in [] if is_english else sought[:MOST_WIDENED]:
        if not vocabulary.is_spent():
            for spelling in dict.fromkeys((term, typed.get(term, term))):
                _add(found[term], _find_inflections(vocabulary, spelling))
                _add(found[term], _find_compounds(vocabulary, spelling))
    for term in [term for term in unknown if max(found[term].values(), default=0) < SURE][:MOST_PARTED]:
        if not vocabulary.is_spent():
            _add(found[term], _part(vocabulary, typed.get(term, term), ("",) if is_english else _LINKS))
    for term in [term for term in unknown if not found[term] and typed.get(term, term) not in spelled][:MOST_CORRECTED]:
        if not vocabulary.is_spent():
            _add(found[term], _correct(vocabulary, typed.get(term, term), term))
    return [{term: 1.0, **_choose(found[term], term)} for term in terms]


def _is_sought(term: str, typed: str) -> bool:
    """Whether it is a word of its own, long enough to be told from others."""
    return _LEAST_STEM <= len(typed) <= MOST_LETTERS and not _DIGIT.search(term) and typed not in _OTHERS


def _add(found: dict[str, float], others: Mapping[str, float]) -> None:
    for term, weight in others.items():
        found[term] = max(weight, found.get(term, 0))


def _choose(found: Mapping[str, float], term: str) -> dict[str, float]:
    """Those that count most, and of those that count the same, as they were found: the more frequent first."""
    best = sorted((other for other in found if other != term), key=lambda other: -found[other])[:MOST_RELATIVES]
    return {other: round(found[other], 3) for other in best}


def _read_words(query: str) -> list[list[_Word]]:
    """The words of letters alone, in runs that only spaces and hyphens part."""
    runs: list[list[_Word]] = [[]]
    end = 0
    for match in islice(_LETTERS.finditer(query), MOST_WORDS):
        between, end = query[end : match.start()], match.end()
        if between.strip(_BETWEEN) or not between:
            runs.append([])
        terms = find_terms(match[0]) if len(match[0]) <= MOST_LETTERS else []
        if len(terms) == 1:
            runs[-1].append(_Word(fold(match[0]), terms[0]))
        else:
            runs.append([])
    return runs


# -- language ---------------------------------------------------------------------------------


def _is_english(connection: sqlite3.Connection, words: Sequence[_Word], terms: Sequence[str]) -> bool:
    """Whether a query's words that only join others are English ones; where it has none, whether the folder's are."""
    english = sum(word.typed in _ENGLISH for word in words)
    others = sum(word.typed in _OTHERS for word in words)
    # A Greek letter or two are found in English too.
    others += 2 * sum(len(term) > 2 and max(term) >= _GREEK for term in terms)
    if english or others > 1:
        return english >= others
    counts = count_places(connection, [*_COMMON_ENGLISH, *_COMMON_OTHERS])
    return sum(counts.get(term, 0) for term in _COMMON_ENGLISH) >= sum(counts.get(term, 0) for term in _COMMON_OTHERS)


# -- words that begin or end alike ------------------------------------------------------------


def _find_inflections(vocabulary: _Vocabulary, term: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for other in _find_beginning_as(vocabulary, term):
        shared = _count_shared(term, other)
        shortest, longest = sorted((len(term), len(other)))
        # Where each ends in its own way, four letters say too little ("Frist", "frisch"), and ends of three letters and
        # more are words of their own ("Arbeitstag", "Arbeitslohn").
        is_longer = shared == shortest and longest - shared <= _LEAST_PART
        is_told = shared == shortest or (shared > _LEAST_STEM and shortest - shared < _LEAST_PART)
        if is_longer or (is_told and longest - shared <= _MOST_ENDING and shared >= LOWEST_SHARE * longest):
            found[other] = (shared / longest) ** 2
    return _keep_standing(vocabulary, found)


def _count_shared(one: str, other: str) -> int:
    """How many letters two words share from the first on."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _find_beginning_as(vocabulary: _Vocabulary, term: str) -> list[str]:
    """The terms that share with one their first letters, as many as the lowest share, or more where many do."""
    for shared in range(max(_LEAST_STEM, ceil(LOWEST_SHARE * len(term))), len(term) + 1):
        found = vocabulary.find_beginning(
            term[:shared], shared, max(len(term) + _LEAST_PART, int(len(term) / LOWEST_SHARE))
        )
        if found is not None:
            return found
    return []


def _find_compounds(vocabulary: _Vocabulary, word: str) -> dict[str, float]:
    """The compounds that begin or end with a word, the rest of which is a word as well."""
    longest = len(word) + _MOST_REST
    rests: dict[str, tuple[float, list[str]]] = {}
    for other in vocabulary.find_beginning(word, len(word) + _LEAST_STEM, longest) or ():
        rest = other[len(word) :]
        rests[other] = AS_HEAD, [rest.removeprefix(link) for link in _LINKS if rest.startswith(link)]
    for other in vocabulary.find_ending(word, len(word) + _LEAST_PART, longest) or ():
        rest = other[: -len(word)]
        rests[other] = AS_TAIL, [rest.removesuffix(link) for link in _LINKS if rest.endswith(link)]
    several = {rest for _, several in rests.values() for rest in several}
    standing = vocabulary.keep_standing({rest for rest in several if len(rest) >= _LEAST_PART} - _NO_PARTS)
    kept = {other: weight for other, (weight, several) in rests.items() if not standing.isdisjoint(several)}
    return _keep_standing(vocabulary, kept)


def _keep_standing(vocabulary: _Vocabulary, found: Mapping[str, float]) -> dict[str, float]:
    """Those that count most and stand in the index."""
    best = sorted(found, key=lambda term: (-found[term], term))[:_MOST_COUNTED]
    standing = vocabulary.count(best)
    best = sorted(standing, key=lambda term: (-found[term], -standing[term], term))
    return {term: found[term] for term in best[:MOST_RELATIVES]}


# -- words that are written as one, or as several ---------------------------------------------


def _join(vocabulary: _Vocabulary, runs: Sequence[Sequence[_Word]], found: Mapping[str, dict[str, float]]) -> None:
    """Add what neighbouring words make when they are written as one: "data base", "database"."""
    joined: dict[str, tuple[str, str]] = {}
    for one, other in islice(chain.from_iterable(map(pairwise, runs)), MOST_NEIGHBOURS):
        are_content = {one.typed, other.typed}.isdisjoint(_OTHERS) and one.term in found and other.term in found
        if are_content and len(one.typed + other.typed) <= MOST_LETTERS:
            # A word that is only an ending of the other comes out as that: "total live" is "total".
            for term in find_terms(one.typed + other.typed)[:1]:
                if len(term) > len(one.typed) + 1:
                    joined.setdefault(term, (one.term, other.term))
    standing = vocabulary.keep_standing(joined)
    for term in [term for term in joined if term in standing]:
        for member in joined[term]:
            _add(found[member], {term: JOINED})


def _abbreviate(
    vocabulary: _Vocabulary,
    runs: Sequence[Sequence[_Word]],
    known: Mapping[str, int],
    found: Mapping[str, dict[str, float]],
) -> None:
    """Add the initials of words in a row, where a line of the index has both, as it has where it explains them."""
    stand_for: dict[str, list[str]] = {}
    for words in islice(_find_phrases(runs), 4 * MOST_NEIGHBOURS):
        initials = "".join(word.typed[0] for word in words)
        is_phrase = all(word.term in found and word.typed not in _OTHERS for word in words)
        if is_phrase and initials not in _OTHERS | STOP_WORDS and find_terms(initials) == [initials]:
            stand_for.setdefault(initials, [word.term for word in words])
    standing = vocabulary.count(stand_for)
    for term in [term for term in stand_for if term in standing][:MOST_ABBREVIATED]:
        # The rarest of the words say it well enough, and are read soonest.
        rarest = sorted(stand_for[term], key=lambda member: known.get(member, 0))[:2]
        places = standing[term] + sum(known.get(member, 0) for member in rarest)
        if places <= MOST_PLACES_READ and find_together(vocabulary.connection, [term, *rarest]):
            for member in stand_for[term]:
                _add(found[member], {term: ABBREVIATED})


def _find_phrases(runs: Sequence[Sequence[_Word]]) -> Iterator[Sequence[_Word]]:
    for run in runs:
        content = [word for word in run if word.typed not in _LINKING]
        for start in range(len(content)):
            for end in range(start + _LEAST_INITIALS, min(start + _MOST_INITIALS, len(content)) + 1):
                yield content[start:end]


def _part(vocabulary: _Vocabulary, word: str, links: Sequence[str]) -> dict[str, float]:
    """The words that a word is made of, the fewest and the most even in length: two, or three where any link them."""
    if not 2 * _LEAST_PART <= len(word) <= _MOST_PARTED_LETTERS:
        return {}
    ends = [(start, end) for start in range(len(word)) for end in range(start + _LEAST_PART, len(word) + 1)]
    parts = {word[start:end] for start, end in ends if end - start < len(word)} - _NO_PARTS
    terms = {part: found[0] for part in parts if len(found := find_terms(part)) == 1}
    known = vocabulary.keep_standing(terms.values())
    standing = {part for part, term in terms.items() if term in known}
    ways = _divide(word, standing, links, 3 if len(links) > 1 else 2)
    best = max(islice(ways, _MOST_WAYS), key=_rate, default=[])
    if not best and len(links) > 1:
        # Of a compound the last part says what it is, also where the first is not known.
        tails = (word[start:] for start in range(_LEAST_PART, len(word) - _LEAST_TAIL + 1))
        return {terms[tail]: AS_HEAD for tail in islice((tail for tail in tails if tail in standing), 1)}
    return {term: AS_PART for part in best for term in find_terms(part)}


def _rate(parts: Sequence[str]) -> tuple[int, int]:
    return -len(parts), min(map(len, parts))


def _divide(word: str, standing: Collection[str], links: Sequence[str], most: int) -> Iterator[list[str]]:
    """The ways to divide a word into at most so many of those that stand, with what links them."""
    if word in standing:
        yield [word]
    if most == 1:
        return
    for end in range(_LEAST_PART, len(word) - _LEAST_PART + 1):
        if word[:end] not in standing:
            continue
        for link in links:
            if word.startswith(link, end):
                for rest in _divide(word[end + len(link) :], standing, links, most - 1):
                    yield [word[:end], *rest]


# -- typing errors ----------------------------------------------------------------------------


def _correct(vocabulary: _Vocabulary, word: str, term: str) -> dict[str, float]:
    """The terms that a word which stands nowhere was meant as: the most frequent of the nearest, at most three."""
    edits = 1
    edited = find_terms(" ".join(other for other in _edit(word) if len(other) >= _LEAST_STEM))
    counts = vocabulary.count(edited)
    if not counts and len(word) >= _LEAST_EDITED_TWICE:
        edits = 2
        counts = vocabulary.count(_find_near(vocabulary, word, term))
    best = sorted(counts, key=lambda other: (-counts[other], other))[:MOST_CORRECTIONS]
    return dict.fromkeys(best, MISTYPED[edits])


def _edit(word: str) -> Iterator[str]:
    """All that is one edit away: a letter more, less or another, or two in a row the other way round."""
    letters = _find_letters(word)
    if len(letters) > _MOST_LETTERS_TRIED:
        return  # of a script of syllables or signs, where a letter is as good as a word
    for i in range(len(word) + 1):
        before, after = word[:i], word[i:]
        yield from (before + letter + after for letter in letters)
        if after:
            yield before + after[1:]
            yield before + after[1:2] + after[0] + after[2:]
            yield from (before + letter + after[1:] for letter in letters)


def _find_letters(word: str) -> list[str]:
    """The letters of a word's script, which stand near its own in Unicode."""
    near = {code for letter in word for code in range(ord(letter) & ~31, (ord(letter) | 31) + 1)}
    return [chr(code) for code in sorted(near) if chr(code).isalpha() and fold(chr(code)) == chr(code)]


def _find_near(vocabulary: _Vocabulary, word: str, term: str) -> list[str]:
    """The terms two edits away that begin, or end, as the word does."""
    third = max(3, len(term) // 3)
    shortest, longest = len(term) - 2, len(word) + 2
    others = {
        *(vocabulary.find_beginning(term[:third], shortest, longest) or ()),
        *(vocabulary.find_ending(term[-third:], shortest, longest) or ()),
    }
    return sorted(other for other in others if _is_near(other, term) or (word != term and _is_near(other, word)))


def _is_near(one: str, other: str, most: int = 2) -> bool:
    """Whether at most so many edits make one word the other (optimal string alignment)."""
    if abs(len(one) - len(other)) > most:
        return False
    before: list[int] = []
    row = [*range(len(other) + 1)]
    for i, letter in enumerate(one, 1):
        before, above, row = row, before, [i]
        for j, against in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != against))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == against:
                cost = min(cost, above[j - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return False
    return bool(row[-1] <= most)


# -- what is read -----------------------------------------------------------------------------


def weigh_held(
    related: Mapping[str, Mapping[str, float]], held: Collection[str], *, loosely: bool = False
) -> dict[str, float]:
    """How much of each word stands among the terms held: 1 where it does itself, less where only a relative does.

    related: as `find_relatives` gives it, by the word's term. held: the terms of one sentence, say.
    loosely: take for a relative what only begins or ends as the word does. In a whole folder too much does; in one
        sentence little, and in languages that compound their words it is what the question means.
    """
    held = frozenset(held)
    weights = {}
    for word, terms in related.items():
        weights[word] = max((weight for term, weight in terms.items() if term in held), default=0.0)
        if loosely and weights[word] < SURE and len(word) >= _LEAST_STEM and not _DIGIT.search(word):
            alike = (_weigh_alike(word, other) for other in held if len(other) >= _LEAST_STEM)
            weights[word] = max(weights[word], *alike, 0.0)
    return weights


def _weigh_alike(word: str, other: str) -> float:
    shorter, longer = sorted((word, other), key=len)
    if longer.startswith(shorter) or longer.endswith(shorter):
        return AS_PART
    shared = _count_shared(word, other)
    return (shared / len(longer)) ** 2 if shared >= max(_LEAST_STEM, LOWEST_SHARE * len(longer)) else 0.0


def find_spelled_out(initials: Collection[str], text: str) -> set[str]:
    """Those of the initials whose words stand in a row in a text: "pii" in "personally identifiable information".

    initials: of three to six letters, as they are folded. Little words between the others may count or not.
    """
    wanted = {each for each in initials if _LEAST_INITIALS <= len(each) <= _MOST_INITIALS and each.isalpha()}
    if not wanted:
        return set()
    words = [[word.typed for word in run] for run in _read_words(text)]
    content = [[word for word in run if word not in _LINKING] for run in words]
    rows = {"".join(word[0] for word in run) for run in (*words, *content)}
    return {each for each in wanted if any(each in row for row in rows)}
