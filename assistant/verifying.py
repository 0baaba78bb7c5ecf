"""Saved citations held against the documents of now: each stands, has moved, has changed or is gone.

But: what is judged is whether the words are there, not whether they support what was said.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

from assistant.answers import Answer, Cited
from assistant.saved import LARGEST_SAVED_BYTES, Form, Saved, read_saved, to_saved
from index.documents import page_at
from index.errors import InputError
from index.library import Library
from index.searching.letters import read_letters
from index.searching.quotations import LONGEST_QUOTE_CHARACTERS, QuotePlace, find_quote
from index.storing.records import Record

MOST_LOOKED_AT = 100  # places where the words of one citation stand, of which the nearest is told
Verdict = Literal["stands", "moved", "changed", "gone"]

# What exports write in the place of characters that Markdown or the page cannot hold.
_WRITTEN = {ord(character): "\ufffd" for character in "\0\ufdd0\ufdd1\ufdd2\ufdd3\ufdd4\ufdd5"}


@dataclass(frozen=True, slots=True)
class VerifiedCitation:
    """What has become of one saved citation.

    number: from 1 on through the file. path: as it was cited. quote: "" where a document was cited as a whole.
    start, end: where in the document it was cited; -1 where that is not known.
    verdict: "stands" where it was cited; "moved": the same words stand at `place`, and no more where they were cited;
        "changed": they stand nowhere, and the document is there, or words near to them in another;
        "gone": the document is not there, and nothing near stands anywhere.
    place: where the words stand now; of those that changed, what stands there now or nearest to them, or None.
    difference: what is there now instead, for people; "" where the words are the same, or gone.
    is_file_unchanged: whether the document was read from the very file that was cited; None where that is not known.
    """

    number: int
    kind: Cited
    path: str
    quote: str
    start: int
    end: int
    verdict: Verdict
    place: QuotePlace | None
    difference: str
    is_file_unchanged: bool | None


@dataclass(frozen=True, slots=True)
class Verification:
    """What has become of the citations of a file, in its order. form: how it was saved."""

    form: Form
    citations: tuple[VerifiedCitation, ...]

    @property
    def holds(self) -> bool:
        """Whether all words that were cited stand in the documents, wherever."""
        return all(citation.verdict in ("stands", "moved") for citation in self.citations)

    def to_json(self, indent: int | None = None) -> str:
        """JSON with the field names of this class, and `holds` beside them."""
        return json.dumps({**asdict(self), "holds": self.holds}, ensure_ascii=False, indent=indent)


def verify(saved: Answer | Path | str | bytes, library: Library) -> Verification:
    """What has become of the citations of saved answers, in the documents as the store has them.

    saved: a file, by its path; or what is in it; or an Answer.
    Raises InputError where it cannot be read, or is no file of Footnote's.
    """
    if isinstance(saved, Answer):
        form: Form = "json"
        citations: Sequence[Saved] = to_saved(saved.citations)
    else:
        form, citations = read_saved(_read_text(saved))
    with library.store.lexicon.snapshot():
        check = _Check(library)
        return Verification(form, tuple(map(check.verify, citations)))


def _read_text(saved: Path | str | bytes) -> str:
    if isinstance(saved, Path):
        path = saved
        try:
            with path.open("rb") as file:
                saved = file.read(LARGEST_SAVED_BYTES + 1)
        except OSError as error:
            raise InputError(f"{path} cannot be read ({error.strerror}): give a file of saved answers.") from error
    if isinstance(saved, bytes):
        if len(saved) > LARGEST_SAVED_BYTES:
            raise InputError(
                f"The file is larger than {LARGEST_SAVED_BYTES // 1_000_000} MB: give one with fewer answers."
            )
        try:
            return saved.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise InputError("The file is no text in UTF-8: give what Footnote saved, as it saved it.") from None
    return saved.encode("utf-8", errors="replace").decode()


class _Check:
    """One look at the documents, for the citations of one file."""

    def __init__(self, library: Library) -> None:
        self._library, self._store, self._lexicon = library, library.store, library.store.lexicon
        self._records = {record.path: record for record in library.records()}
        # As footnotes name them, in one line.
        self._named = {" ".join(path.split()): record for path, record in self._records.items()}
        # And as they are printed, without what could drive a terminal.
        self._printed = {_print(path): record for path, record in self._records.items()}

    def verify(self, saved: Saved) -> VerifiedCitation:
        """What has become of a citation."""
        record = self._find_record(saved)
        twin = self._find_twin(saved)
        path = record.path if record else saved.where
        is_unchanged = record.content_hash == saved.content_hash if record and saved.content_hash else None
        cited = (saved.number, saved.kind, path, saved.quote, saved.start, saved.end)
        verified = VerifiedCitation(*cited, "gone", None, "", is_unchanged)
        if saved.kind == "document":
            return self._verify_document(verified, record or twin)
        if record and (place := self._find_there(saved, record)):
            return replace(verified, verdict="stands", place=place)
        if place := self._find_elsewhere(saved, record, twin):
            # Without offsets it stands where it was cited as long as it stands on that page.
            is_there = record and place.document_id == record.document_id and saved.start < 0
            stands = is_there and saved.page in (None, place.page)
            return replace(verified, verdict="stands" if stands else "moved", place=place)
        return self._tell_change(verified, saved, record)

    def _find_record(self, saved: Saved) -> Record | None:
        """The document that was cited: the one at its path; of several that may be meant, where the words stand."""
        named = [
            record
            for path in saved.paths()
            if (record := self._records.get(path) or self._named.get(" ".join(path.split())))
        ]
        if not named and saved.is_rough and (record := self._printed.get(saved.where)):
            return record
        if saved.is_among_names:
            for record in named:
                if record.content_hash == saved.content_hash or self._find_there(saved, record):
                    return record
        return named[0] if named else None

    def _find_twin(self, saved: Saved) -> Record | None:
        """A document of the very file that was cited, wherever it lies now."""
        found = self._lexicon.with_content(saved.content_hash) if saved.content_hash else None
        return found if found and found.path in self._records else None

    def _verify_document(self, verified: VerifiedCitation, record: Record | None) -> VerifiedCitation:
        if record is None:
            return verified
        place = QuotePlace(record.document_id, record.path, record.title, None, 0, 0, "", True, "")
        is_there = record.path == verified.path
        return replace(verified, verdict="stands" if is_there else "moved", place=place)

    def _find_there(self, saved: Saved, record: Record) -> QuotePlace | None:
        """The words at the very place that was cited."""
        if saved.start < 0:
            return None
        text = self._store.text_of(record.document_id, saved.start, saved.end)
        return _to_place(record, saved.start, text) if text and _is_same(text, saved) else None

    def _find_elsewhere(self, saved: Saved, record: Record | None, twin: Record | None) -> QuotePlace | None:
        """The same words at another place: in the same file, in the document, anywhere; there the nearest."""
        if twin and (place := self._find_there(saved, twin)):
            return place
        places = [place for place in self._look_for(saved.quote) if self._is_all(place, saved)]
        ids = [one.document_id for one in (record, twin) if one]
        near = sorted(
            places,
            key=lambda place: (
                place.document_id not in ids,
                saved.page not in (None, place.page),
                abs(place.start - saved.start) if place.document_id in ids else 0,
            ),
        )
        return self._widen(near[0], saved) if near else None

    def _look_for(self, quote: str, document_id: str | None = None) -> list[QuotePlace]:
        words = quote[:LONGEST_QUOTE_CHARACTERS]
        if not words.strip():
            return []
        return find_quote(self._library, words, document_id=document_id, most=MOST_LOOKED_AT)

    def _is_all(self, place: QuotePlace, saved: Saved) -> bool:
        return _is_same(self._widen(place, saved).quote, saved)

    def _widen(self, place: QuotePlace, saved: Saved) -> QuotePlace:
        """The place of a whole quotation of which only the beginning was looked for."""
        if len(saved.quote) <= LONGEST_QUOTE_CHARACTERS:
            return place
        end = place.start + len(saved.quote)
        return replace(place, end=end, quote=self._store.text_of(place.document_id, place.start, end))

    def _tell_change(self, verified: VerifiedCitation, saved: Saved, record: Record | None) -> VerifiedCitation:
        """What stands there now: in the document, or else the nearest in another."""
        near = self._look_for(saved.quote, record.document_id) if record else []
        if nearest := next(iter(near or self._look_for(saved.quote)), None):
            return replace(verified, verdict="changed", place=nearest, difference=nearest.difference)
        if record is None:
            return verified
        text = self._store.text_of(record.document_id, saved.start, saved.end) if saved.start >= 0 else ""
        return replace(
            verified,
            verdict="changed",
            place=_to_place(record, saved.start, text, is_exact=False) if text.strip() else None,
            difference="nothing like it stands in the document",
        )


def _to_place(record: Record, start: int, text: str, *, is_exact: bool = True) -> QuotePlace:
    page = page_at(record.pages, start)
    return QuotePlace(record.document_id, record.path, record.title, page, start, start + len(text), text, is_exact, "")


def _print(path: str) -> str:
    return "".join(character if character.isprintable() else "\ufffd" for character in path)


def _is_same(text: str, saved: Saved) -> bool:
    """Whether words are those that were cited, as far as the way in which they were saved keeps them."""
    if text == saved.quote:
        return True
    if saved.is_rough:
        letters = read_letters(text).written
        return bool(letters) and letters == read_letters(saved.quote).written
    return text.translate(_WRITTEN).split() == saved.quote.translate(_WRITTEN).split()
