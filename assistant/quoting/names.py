"""Which documents a question means: by name, by a folder's name, or by pointing at what was last spoken of.

A name is a path, a file's name with or without its ending, or a title, however it is written: "annual-report-2023.md"
is "the Annual Report 2023". Where it is less than the whole of one, all of its words have to stand in title, path or
date, and they have to be half of it, or have a noun among them that documents are called by: "the 2023 report". Where
none is called so, the nouns are left out: "the article about night trains".

But: a name with a typing error in it is nobody's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import PurePosixPath

from assistant.answers import Answer, Turn
from assistant.question.about import About, change_length, read_about
from assistant.question.followup import FollowUp
from assistant.question.phrases import FIRST_OR_LAST, LOOSE_NOUNS, MONTHS, NOUNS, PLURALS
from index.library import Library
from index.splitting.folding import fold
from index.splitting.terms import find_content_terms, find_terms
from index.storing.records import Record

ENOUGH_SHARE = 0.5  # of the words of a name, to be one
_MARKS = " ?!.,;:\"'«»„“”‘’`()"
_PREFIX_CHARACTERS = 4  # a word and its other forms begin alike
_PARTING = re.compile(r"[\W_]+")
_YEAR = re.compile(r"(?:1[89]|20)\d\d")
_ENDING = re.compile(r"\S\.[a-z][a-z0-9]{1,5}\Z")  # of a file
_EXTREME = re.compile(rf"(?:{'|'.join(sorted(FIRST_OR_LAST, key=len, reverse=True))})\b")
_AND = re.compile(r" (?:and|und|en|et|y|&) ")


@dataclass(frozen=True, slots=True)
class Meant:
    """The documents that are meant. is_unclear: whether only one of them is, and nothing tells which."""

    records: tuple[Record, ...] = ()
    is_unclear: bool = False


NOBODY = Meant()
_NOUNS = NOUNS | PLURALS


@dataclass(frozen=True, slots=True)
class Subject:
    """What is asked of the folder, None where nothing is; the documents meant; and the question in words of its own."""

    about: About | None
    meant: Meant
    query: str


def find_subject(words: str, followed: FollowUp, turns: Sequence[Turn], library: Library, history: object) -> Subject:
    """What the words ask of the folder, or the question that they stand for: "make that shorter" after an overview.

    followed: what the words mean after the turns.
    """
    before = turns[-1].question if turns else ""
    about = None if followed.reworks else read_about(words, before)
    subject = Subject(about, find_meant(about, library, history) if about else NOBODY, words)
    if followed.asked == words or (about and (about.asks != "overview" or subject.meant.records)):
        return subject
    if again := read_about(followed.asked, before):
        about = change_length(again, words, followed.length)
        return Subject(about, find_meant(about, library, history), followed.asked)
    return subject


def find_meant(about: About, library: Library, history: object) -> Meant:
    """The documents that an overview is asked of; `NOBODY` where nothing is called so, or pointed at."""
    records = library.records() if about.asks == "overview" else []
    if not records:
        return NOBODY
    listed, last = _find_last(records, history)
    if about.name:
        if (meant := find_named(about, records)).records or not about.is_noun:
            return meant
        if about.several:
            return Meant(listed or tuple(records))
        alone = last or (records[0] if len(records) == 1 else None)
        return Meant((alone,)) if alone else NOBODY
    if about.several and about.is_pronoun and listed:
        return Meant(listed)
    if about.several or len(records) == 1:
        return Meant(tuple(records))
    if last:
        return Meant((last,))
    # "It" is what was spoken of, and that was no document.
    is_of_talk = about.is_pronoun and (bool(history) or about.sureness != "any")
    return NOBODY if is_of_talk else Meant(tuple(records))


def _find_last(records: Sequence[Record], history: object) -> tuple[tuple[Record, ...], Record | None]:
    """The documents that the last answer of a conversation names, and the one that it cites first."""
    turns = history if isinstance(history, Sequence) else ()
    last = turns[-1] if turns and isinstance(turns[-1], Answer) else None
    known = {record.document_id: record for record in records}
    cited = [citation for citation in last.citations if citation.document_id in known] if last else []
    listed = tuple(known[citation.document_id] for citation in cited if citation.kind == "document")
    return listed, known[cited[0].document_id] if cited else None


def find_named(about: About, records: Sequence[Record]) -> Meant:
    """The documents that are called so."""
    name, has_ending = about.name, _ENDING.search(about.name) is not None
    wanted = _squash(name)
    near = [r for r in records if wanted and (wanted in _squash(r.path) or wanted in _squash(r.title))]  # a quick look
    exact = [record for record in near if wanted in _names_of(record, has_ending=has_ending)]
    under = [record for record in near if wanted in _folders_of(record)]
    if exact or under:
        # A folder that is called so means all that is in it, with the files that are called so too.
        is_one = not under and not about.several and len({record.content_hash for record in exact}) > 1
        return Meant(tuple(dict.fromkeys([*exact, *under])), is_one)
    if about.sureness == "exact" or has_ending:
        # "notes.txt and faq.md": each has to be a name.
        each = [_find_called(part, records) for part in _AND.split(name)]
        return Meant(tuple(dict.fromkeys(chain.from_iterable(each)))) if len(each) > 1 and all(each) else NOBODY
    if extreme := _EXTREME.match(name):
        rest = name[extreme.end() :].strip()
        if fitting := _find_fitting(rest, records) if rest else list(records):
            return Meant(sort_by(FIRST_OR_LAST[extreme[0]], fitting)[:1])
    if fitting := _find_fitting(name, records):
        is_plural = about.several or _is_plural(name, fitting)
        return Meant(tuple(fitting), len(fitting) > 1 and not is_plural)
    parts = [_find_fitting(part, records) for part in _AND.split(name)]
    return Meant(tuple(dict.fromkeys(chain.from_iterable(parts)))) if len(parts) > 1 and all(parts) else NOBODY


def _find_called(name: str, records: Sequence[Record]) -> list[Record]:
    """The documents that a name is the whole name of, or that are in a folder called so."""
    wanted, has_ending = _squash(name), _ENDING.search(name) is not None
    near = [r for r in records if wanted and (wanted in _squash(r.path) or wanted in _squash(r.title))]
    return [r for r in near if wanted in _names_of(r, has_ending=has_ending) or wanted in _folders_of(r)]


def is_named(path: str, question: str, about: About | None) -> bool:
    """Whether a question has the name of a file in it, or asks for an overview of what is called so."""
    file = PurePosixPath(path)
    text = f" {' '.join(word.strip(_MARKS) for word in fold(question).split())} "
    if file.suffix and any(f" {fold(name)} " in text for name in (path, file.name)):
        return True
    wanted = _squash(about.name) if about and about.asks == "overview" else ""
    return bool(wanted) and wanted in (_squash(path), _squash(file.name), _squash(file.stem))


def sort_by(which: str, records: Sequence[Record]) -> tuple[Record, ...]:
    """The records in the order of an extreme, "newest" or "longest" and so on, the first first.

    By the date that a document gives, those that give one first; where none does, by the time of change of the file.
    """
    if which in ("newest", "oldest"):
        dated = [record for record in records if record.date]
        if dated:
            return tuple(sorted(dated, key=lambda r: r.date or "", reverse=which == "newest"))
        return tuple(sorted(records, key=lambda r: r.modified_ns, reverse=which == "newest"))
    if which in ("longest", "shortest"):
        return tuple(sorted(records, key=lambda r: r.chunk_count, reverse=which == "longest"))
    return tuple(sorted(records, key=lambda r: r.size_bytes, reverse=which == "largest"))


def _squash(name: str) -> str:
    """A name without what parts its words, so that all ways to part them are one."""
    return _PARTING.sub("", fold(name))


def _names_of(record: Record, has_ending: bool) -> set[str]:
    path = PurePosixPath(record.path)
    names = {record.path, path.name, record.title}
    if not has_ending:
        names |= {path.stem, str(path.with_suffix(""))}
    return {_squash(name) for name in names} - {""}


def _folders_of(record: Record) -> set[str]:
    """What the folders are called that a document is in, each alone and with those around it."""
    parts = PurePosixPath(record.path).parts[:-1]
    return {_squash("/".join(parts[:end])) for end in range(1, len(parts) + 1)} | set(map(_squash, parts))


def _find_fitting(name: str, records: Sequence[Record]) -> list[Record]:
    """The documents in whose title, path or date all words of a name stand, and are enough of these to be a name."""
    terms = set(find_content_terms(name))
    years = {term for term in terms if _YEAR.fullmatch(term)}
    # "The 2022 and 2023 reports" are those of each year.
    wanted = [terms - years | {year} for year in sorted(years)] if len(years) > 1 else [terms][: len(terms)]
    has_noun = any(word in _NOUNS or word.removesuffix("s") in _NOUNS for word in _PARTING.split(name))
    fitting = [record for record in records if any(_fits(each, has_noun, record) for each in wanted)]
    rest = drop_nouns(name)
    if fitting or rest == name or all(map(_is_of_date, find_content_terms(rest))):
        return fitting
    nouns = set(_PARTING.split(name)) & _NOUNS
    return [r for r in _find_fitting(rest, records) if nouns <= LOOSE_NOUNS or not _is_called_otherwise(r)]


def drop_nouns(name: str) -> str:
    """A name without the nouns for documents in it: "about coffee" of "article about coffee"."""
    return " ".join(word for word in name.split() if word not in _NOUNS)


def _is_called_otherwise(record: Record) -> bool:
    """Whether a document has a noun in its title or path, so that "the contract with Pike" is not Pike's invoice."""
    words = set(_PARTING.split(fold(f"{record.title} {record.path}")))
    return not _NOUNS.isdisjoint(words)


def _fits(terms: set[str], has_noun: bool, record: Record) -> bool:
    folded = fold(f"{record.title} {record.path} {record.date}")
    # A quick look; not for days and months, which are written in many ways.
    if not all(term[:_PREFIX_CHARACTERS] in folded for term in terms if _YEAR.fullmatch(term) or not _is_of_date(term)):
        return False
    path = PurePosixPath(record.path)
    title, stem = set(find_content_terms(record.title)), set(find_content_terms(path.stem))
    around = set(find_content_terms(f"{path.parent.as_posix()} {(record.date or '')[:4]}"))
    if not terms <= title | stem | around:
        return False
    return has_noun or any(len(terms & own) >= ENOUGH_SHARE * len(own) for own in (title, stem) if own)


def _is_of_date(term: str) -> bool:
    return term.isdecimal() or term in _month_terms()


@cache
def _month_terms() -> frozenset[str]:
    return frozenset(find_terms(" ".join(MONTHS)))


def _is_plural(name: str, records: Sequence[Record]) -> bool:
    """Whether a name is a plural of what the documents are called."""
    said = {word for record in records for word in _PARTING.split(fold(f"{record.title} {record.path}"))}
    return any(word.endswith("s") and word not in said for word in _PARTING.split(name))
