"""What is said of the folder itself, from the record of its documents: how many, which, from when, what was not read.

Each statement about a document cites the document. Lists are bounded, and say how much of them is shown.

A greeting gets a friendly line, and is "not_found": nothing is said of the documents, so nothing was found in them, and
whoever goes by `found` takes no greeting for an answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import PurePosixPath

from assistant.answers import Answer, AnswerSentence, Citation, Status
from assistant.question.about import About
from assistant.question.phrases import ENDINGS
from assistant.quoting.names import Subject, is_named, sort_by
from index.documents import identify
from index.library import Library
from index.searching.selection import find_fitting
from index.splitting.sentences import HEADS
from index.storing.lexicon import Lexicon
from index.storing.records import Record

MOST_LISTED = 20
SUGGESTED = 3
_LOOKED_AT = 12  # documents that suggestions are sought in
_LOOKED_INTO = 10_000  # characters of each
_LONGEST_SUGGESTION = 120  # characters
_HINT = "Ask what your documents say, or “What can I ask here?”"
_FRIENDLY = {
    "greeting": f"Hello! I answer from your documents, and cite their words. {_HINT}",
    "thanks": f"You are welcome. {_HINT}",
    "assent": f"All right. {_HINT}",
}

Statement = tuple[str, Record | None]  # words, and the document that they are about


def tell(question: str, subject: Subject, library: Library, patterns: Sequence[str] = ()) -> Answer | None:
    """What the record of documents says, or a friendly line; None where the documents' words are asked for.

    patterns: those by which the library's documents were chosen, for the files that could not be read.
    """
    about, meant = subject.about, subject.meant
    if about and about.asks in _FRIENDLY:
        return _state(question, [(_FRIENDLY[about.asks], None)], "not_found")
    skipped = library.store.lexicon.skipped()
    chosen = {path: skipped[path] for path in find_fitting(patterns, [*skipped])}
    named = {path: chosen[path] for path in chosen if not meant.records and is_named(path, question, about)}
    if named:
        return _state(question, _tell_skipped(named), "nearest")
    if about is None:
        return None
    if not (records := library.records()):
        return _state(question, [("There are no documents.", None)])
    if about.asks == "overview":
        return _state(question, _tell_unclear(meant.records), "nearest") if meant.is_unclear else None
    if about.asks == "help":
        return _state(question, _tell_help(records, library.store.lexicon))
    if about.asks == "unread":
        return _state(question, _tell_unread(records, chosen))
    if about.asks == "extreme":
        return _state(question, _tell_extreme(about.which, records))
    return _state(question, _tell_list(about, records))


def _state(question: str, statements: Sequence[Statement], status: Status = "answered") -> Answer:
    """The Answer that makes statements, a line each; each document has one citation, however often it is named."""
    numbers: dict[str, int] = {}
    for _, record in statements:
        if record:
            numbers.setdefault(record.document_id, len(numbers) + 1)
    cited = {record.document_id: record for _, record in statements if record}
    sentences = tuple(
        # In one line, whatever line ends a name has.
        AnswerSentence(" ".join(words.split()), (numbers[record.document_id],) if record else (), "supported")
        for words, record in statements
    )
    return Answer(
        question=question,
        query=question,
        text="\n".join(show_statement(sentence) for sentence in sentences),
        status=status,
        confidence=float(status == "answered"),
        model=None,
        usage=None,
        sentences=sentences,
        citations=tuple(_cite(numbers[document_id], record) for document_id, record in cited.items()),
        passages=(),
    )


def show_statement(sentence: AnswerSentence) -> str:
    """A statement as an answer shows it: in no quotation marks, for it is nobody's words."""
    return " ".join([sentence.text, "".join(f"[{number}]" for number in sentence.citations)]).strip()


def _cite(number: int, record: Record) -> Citation:
    return Citation(number, record.document_id, record.path, record.title, None, 0, 0, "", kind="document")


# -- which documents --------------------------------------------------------------------------


def _tell_list(about: About, records: Sequence[Record]) -> list[Statement]:
    of_kind = [r for r in records if not about.kind or PurePosixPath(r.path).suffix[1:].lower() in ENDINGS[about.kind]]
    name = about.kind or "document"
    if not (about.first or about.last):
        there = f"There {_are(len(of_kind))} {_count(len(of_kind), name)}"
        among = f" among the {_count(len(records), 'document')}" if about.kind else ""
        return [(f"{there}{among}{_of_them(of_kind)}", None), *_describe(of_kind)]
    dated = [record for record in of_kind if record.date and _is_within(record.date, about)]
    named = [record for record in of_kind if not record.date and _is_named_within(record, about)]
    undated = sum(not record.date for record in of_kind) - len(named)
    told = f"{_count(len(dated), name, is_opening=True)} {_are(len(dated))} dated {_show_period(about)}"
    if named:
        told += f"; {len(named):,} without a date {_are(len(named), 'has', 'have')} it in the name"
    elif undated:
        told += f" ({_count(undated, 'other')} {_are(undated, 'gives', 'give')} no date)"
    return [(f"{told}{_of_them([*dated, *named])}", None), *_describe([*dated, *named])]


def _of_them(listed: Sequence[Record]) -> str:
    if not listed:
        return "."
    return f"; {MOST_LISTED} of {len(listed):,} are shown:" if len(listed) > MOST_LISTED else ":"


def _describe(records: Iterable[Record]) -> list[Statement]:
    return [(_name(record), record) for record in islice(records, MOST_LISTED)]


def _name(record: Record) -> str:
    """A document's path, with its title and date, as far as these say more."""
    path = PurePosixPath(record.path)
    parts = [record.path]
    parts += [f"“{record.title}”"] if record.title not in (record.path, path.name, path.stem) else []
    parts += [record.date] if record.date else []
    parts += [f"read in part: {record.unread}"] if record.unread else []
    return ", ".join(parts)


def _is_within(date: str, about: About) -> bool:
    """Whether a date is none before the first and none after the last, each compared as far as it is said."""
    return date[: len(about.first)] >= about.first and (not about.last or date[: len(about.last)] <= about.last)


def _is_named_within(record: Record, about: About) -> bool:
    """Whether one year is asked for, and is in a document's title or path."""
    return about.first == about.last and about.first in f"{record.title} {record.path}"


def _show_period(about: About) -> str:
    if about.first == about.last:
        return about.first
    if about.first and about.last:
        return f"from {about.first} to {about.last}"
    return f"{about.first} or later" if about.first else f"{about.last} or earlier"


def _tell_extreme(which: str, records: Sequence[Record]) -> list[Statement]:
    first = sort_by(which, records)[0]
    if which not in ("newest", "oldest"):
        by_pages = first.pages and which in ("longest", "shortest")
        size = _count(len(first.pages), "page") if by_pages else _count(first.size_bytes, "byte")
        return [(f"The {which} document is {_name(first)} ({size}).", first)]
    if not first.date:
        return [(f"No document gives a date; the {which} file by its time of change is {_name(first)}.", first)]
    undated = sum(not record.date for record in records)
    aside = f" ({_count(undated, 'other')} {_are(undated, 'gives', 'give')} no date)" if undated else ""
    return [(f"The {which} document by its own date{aside} is {_name(first)}.", first)]


def _tell_unread(records: Sequence[Record], skipped: dict[str, tuple[int, int, str]]) -> list[Statement]:
    partial = [record for record in records if record.unread]
    told: list[Statement] = [
        *_tell_skipped(skipped),
        *((f"{record.path} was read in part: {record.unread}.", record) for record in partial),
    ]
    if not told:
        return [(f"All files were read whole: {_count(len(records), 'document')}.", None)]
    count = f"{_count(len(skipped), 'file', is_opening=True)} could not be read"
    count += f", and {len(partial):,} only in part" if partial else ""
    more = f"; {MOST_LISTED} of {len(told):,} are shown:" if len(told) > MOST_LISTED else ":"
    return [(f"{count}{more}", None), *told[:MOST_LISTED]]


def _tell_skipped(skipped: dict[str, tuple[int, int, str]]) -> list[Statement]:
    return [(f"{path} could not be read: {skipped[path][2]}.", _stand_for(path)) for path in sorted(skipped)]


def _stand_for(path: str) -> Record:
    """A record of a file that is in the folder, and could not be read, so that it can be cited."""
    return Record(identify(path), path, PurePosixPath(path).name, None, (), "", 0, 0, 0)


def _tell_unclear(records: Sequence[Record]) -> list[Statement]:
    shown = f"; {MOST_LISTED} are shown" if len(records) > MOST_LISTED else ""
    return [(f"{_count(len(records), 'document')} are called so{shown}. Say which one:", None), *_describe(records)]


# -- what can be asked ------------------------------------------------------------------------


def _tell_help(records: Sequence[Record], lexicon: Lexicon) -> list[Statement]:
    there = f"There {_are(len(records))} {_count(len(records), 'document')}{_of_them(records)}"
    said: list[Statement] = [(there, None), *_describe(records)]
    suggestions = _suggest(records, lexicon)
    asides = "“List all documents”, “Which are from 2023?”, “Summarise these documents”"
    return [*said, (f"You can ask what they say, or of the folder: {asides}. For example:", None), *suggestions]


def _suggest(records: Sequence[Record], lexicon: Lexicon) -> list[Statement]:
    """A question for each of a few documents: one that is a heading in it, or else what it is about."""
    step = max(1, len(records) // _LOOKED_AT)
    found = [(*_find_question(record, lexicon), record) for record in records[::step][:_LOOKED_AT]]
    found.sort(key=lambda one: one[0])
    return [(question, record) for _, question, record in found[:SUGGESTED]]


def _find_question(record: Record, lexicon: Lexicon) -> tuple[int, str]:
    """A question that a document answers, and 0 where it is its own, 1 where it is ours."""
    for chunk in lexicon.chunks_of(record.document_id, 0, _LOOKED_INTO):
        for sentence in chunk.sentences:
            words = " ".join(chunk.text[sentence.start : sentence.end].strip("#*_= \t").split())
            asks = words.endswith("?") and sentence.kind in HEADS
            if asks and 8 < len(words) <= _LONGEST_SUGGESTION and len(words.split()) > 2:
                return 0, words
    return 1, f"What is “{record.title[:_LONGEST_SUGGESTION]}” about?"


def _count(count: int, noun: str, *, is_opening: bool = False) -> str:
    no = "No" if is_opening else "no"
    return f"{count:,} {noun}{'' if count == 1 else 's'}" if count else f"{no} {noun}s"


def _are(count: int, one: str = "is", several: str = "are") -> str:
    return one if count == 1 else several
