"""Citations read back from a file of saved answers, whichever way it was saved.

    JSON        an Answer, several in a list or a line each, a conversation that was exported, or one as the browser
                keeps it; what our server gives to a client of OpenAI's, which has the Answer in its field "footnote"
    HTML        an exported conversation, or as an Answer shows itself: a list of footnotes, each with its quotation
    Markdown    the same: "[^1]: “words” — title, `path`, characters 3–8, SHA-256 of the file: ..."
    text        what `footnote ask` prints: "[1] path, characters 3-8", and the words below

Of exports of a version before this one the path is one of the names that stand in a row, whichever a document has.

A saved file is input like any other: bounded in size and number, and typed. Nothing of it is believed but as what was
cited.

But: Markdown has white space as single spaces; printed text breaks its lines, and parts the cells of a row by bars.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from assistant.answers import NEAREST, NOT_FOUND, Citation, Cited
from index.errors import InputError

Form = Literal["json", "html", "markdown", "text"]

LARGEST_SAVED_BYTES = 20_000_000
MOST_CITATIONS = 1000
VERSION = 1  # of an exported conversation that can be read
_MOST_JSON_LINES = 10_000
_MOST_OFFSET = 2**40
_LONGEST_NAMES, _MOST_NAMES = 6000, 30  # in which a path is looked for: characters, and names
_TOLD = "give what Footnote saved as JSON, HTML or Markdown."
_HASH = re.compile(r"[0-9a-f]{64}")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_FOOTNOTE = re.compile(r"\[\^(\d{1,9})\]: ?(.*)")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_PLACE = re.compile(r"(?:, )?(?:characters (\d{1,13})[–-](\d{1,13}))?(?:(?:, )?SHA-256 of the file: ([0-9a-f]{64}))?\Z")
_WHOLE = re.compile(r", the whole document(?:, \d[\dT:.+Z-]{3,34})?\Z")
_ENDS = re.compile(
    rf"(?:characters \d{{1,13}}[–-]\d{{1,13}}|SHA-256 of the file: [0-9a-f]{{64}}|{_WHOLE.pattern[:-2]})\Z"
)
_LONGEST_END, _MOST_ENDS = 200, 10  # characters in which a footnote's end is looked for; how many may be it
_MOST_LINES = 2000  # that an editor made of a footnote
_MARKS = re.compile(r"\\[!-/:-@\[-`{-~]|`+")
_PRINTED = re.compile(r"\[(\d{1,9})\] (.+?)(?:, page (\d{1,9})|, characters (\d{1,13})-(\d{1,13}))?\Z")
_BETWEEN = "” — "
_OWN = "body/div[@class='footnote-answer']"  # what an Answer shows itself as
_OWN_FOOTNOTES = f"{_OWN}/ol[@class='sources']/li"


@dataclass(frozen=True, slots=True)
class Saved:
    """A citation as a file has it.

    number: from 1 on through the file. where: the path; of an exported footnote all that it says of the place, for
    people, where `is_among_names`. start, end: -1 where they are not said. is_rough: whether the words were broken into
    lines as they were printed.
    """

    number: int
    quote: str
    where: str
    kind: Cited = "words"
    page: int | None = None
    start: int = -1
    end: int = -1
    content_hash: str = ""
    is_among_names: bool = False
    is_rough: bool = False

    def paths(self) -> Iterator[str]:
        """What the path may be, the likeliest first: of names that stand in a row, those after the title."""
        if not self.is_among_names:
            yield self.where
            return
        parts = self.where[:_LONGEST_NAMES].split(", ")[:_MOST_NAMES]
        for first in range(min(1, len(parts) - 1), len(parts)):
            for last in range(len(parts), first, -1):
                yield ", ".join(parts[first:last])


def read_saved(text: str) -> tuple[Form, tuple[Saved, ...]]:
    """How a file was saved, and the citations in it, in order; none where its answers cite nothing.

    Raises InputError where it is too large, or no file of Footnote's.
    """
    if len(text) > LARGEST_SAVED_BYTES:
        raise InputError(f"The file is larger than {LARGEST_SAVED_BYTES // 1_000_000} MB: give one with fewer answers.")
    text = text.removeprefix("\ufeff")
    form, found = _read(text)
    if len(found) > MOST_CITATIONS:
        raise InputError(f"The file has {len(found):,} citations, and {MOST_CITATIONS:,} is the most: part it.")
    return form, tuple(found)


def to_saved(citations: Sequence[Citation], first: int = 0, hashes: Mapping[str, str] = {}) -> list[Saved]:
    """Citations of an answer, numbered on from `first`. hashes: of files by document, where a citation has none."""
    return [
        Saved(
            first + place,
            citation.quote,
            citation.path,
            citation.kind,
            citation.page,
            citation.start,
            citation.end,
            citation.content_hash or hashes.get(citation.document_id, ""),
        )
        for place, citation in enumerate(citations, 1)
    ]


def _read(text: str) -> tuple[Form, list[Saved]]:
    begins = text.lstrip()[:1000]
    if begins[:1] in ("{", "["):
        try:
            given = json.loads(text)
        except (ValueError, RecursionError):
            if (lines := _read_lines(text)) is not None:
                return "json", _read_json(lines)
            if begins[0] == "{":
                raise InputError(f"The file is no whole JSON: {_TOLD}") from None
        else:
            return "json", _read_json(given)
    if re.match(r"(?:<!doctype\s{1,9}html|<html|<div class=\"footnote-answer\")[\s>]", begins, re.IGNORECASE):
        return "html", _read_html(text)
    if found := _read_markdown(text):
        return "markdown", found
    if found := _read_printed(text):
        return "text", found
    if any(line.startswith((NOT_FOUND, NEAREST)) for line in text.splitlines()):
        return "text", []
    raise InputError(f"The file has no citations of Footnote's in it: {_TOLD}")


# -- JSON -------------------------------------------------------------------------------------


def _read_lines(text: str) -> list[Any] | None:
    """What stands in lines of JSON, None where one is none, or they are too many."""
    if text.count("\n") > _MOST_JSON_LINES:
        return None
    try:
        return [json.loads(line) for line in text.split("\n") if line.strip()]
    except (ValueError, RecursionError):
        return None


def _read_json(given: Any) -> list[Saved]:
    hashes: Mapping[str, str] = {}
    match given:
        case {"exchanges": list(answers), "version": version}:
            if version != VERSION:
                raise InputError(
                    f"The file is of version {str(version)[:20]}, and this Footnote reads {VERSION}: update it."
                )
            if isinstance(known := given.get("content_hashes"), dict):
                hashes = {
                    name: value for name, value in known.items() if isinstance(value, str) and _HASH.fullmatch(value)
                }
        case list(answers):
            answers = [item.get("answer") if isinstance(item, dict) and "answer" in item else item for item in answers]
            answers = [answer for answer in answers if answer is not None]
        case _:
            answers = [given]
    found: list[Saved] = []
    for answer in (held for one in answers for held in _unwrap(one)):
        if not isinstance(answer, dict) or not isinstance(answer.get("citations"), list):
            raise InputError(f"The JSON in the file is no Answer of Footnote's: {_TOLD}")
        found += to_saved([*map(_read_citation, answer["citations"])], len(found), hashes)
    return found


def _unwrap(given: Any) -> list[Any]:
    """The Answers in what our server gives to a client of OpenAI's; anything else as it is."""
    match given:
        case {"object": "response", "footnote": dict(answer)}:
            return [answer]
        case {"object": "chat.completion", "choices": list(choices)}:
            messages = [choice.get("message") for choice in choices if isinstance(choice, dict)]
            return [message.get("footnote") for message in messages if isinstance(message, dict)]
    return [given]


def _read_citation(given: object) -> Citation:
    """A citation of this version or of one before it, whatever else a later one says."""
    fields: dict[str, Any] = given if isinstance(given, dict) else {}
    match fields:
        case {
            "document_id": str(document_id),
            "path": str(path),
            "quote": str(quote),
            "start": int(start),
            "end": int(end),
        }:
            kind, page = fields.get("kind", "words"), fields.get("page")
            content_hash, title = fields.get("content_hash", ""), fields.get("title", "")
            if (
                (quote == "" if kind == "document" else kind == "words" and quote.strip() != "")
                and 0 <= start <= end <= _MOST_OFFSET
                and (page is None or type(page) is int)
                and isinstance(title, str)
                and (content_hash == "" or (isinstance(content_hash, str) and _HASH.fullmatch(content_hash)))
            ):
                return Citation(0, document_id, path, title, page, start, end, quote, (), kind, content_hash)
    raise InputError("A citation in the file is not as this version of Footnote writes it: give it as it was saved.")


# -- HTML and Markdown ------------------------------------------------------------------------


def _read_html(text: str) -> list[Saved]:
    from lxml import etree, html

    parser = html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True)
    try:
        page = html.document_fromstring(text.encode("utf-8", "replace"), parser=parser)
    except (etree.LxmlError, ValueError, AssertionError):
        raise InputError(f"The HTML in the file cannot be read: {_TOLD}") from None
    found: list[Saved] = []
    for item in (*page.iterfind("body/main/section/ol/li"), *page.iterfind(_OWN_FOOTNOTES)):
        opens = item.find("details")
        quote, place = (item if opens is None else opens).find("blockquote"), item.find("p")
        place = opens.find("summary") if opens is not None else place
        if place is None:
            continue
        words = "" if quote is None else quote.text_content()
        code = place.find("code[@class='path']")
        if code is None:
            saved = _read_place(len(found) + 1, words, _to_line(place.text))
        else:
            saved = _read_place(len(found) + 1, words, _to_line(code.tail), code.text_content())
        if saved is None:
            raise _tell_broken(str(item.get("value", len(found) + 1)))
        found.append(saved)
    if not found and not page.findall("body/main/footer") and not page.findall(_OWN):
        raise InputError(f"The HTML in the file is no export of Footnote's: {_TOLD}")
    return found


def _to_line(text: str | None) -> str:
    return " ".join((text or "").split())


def _tell_broken(number: str) -> InputError:
    return InputError(
        f"Footnote {number[:9]} in the file cannot be read whole: it was cut off or changed. Give the file as it was "
        "saved."
    )


def _read_markdown(text: str) -> list[Saved]:
    found: list[Saved] = []
    for number, lines in _find_footnotes(text):
        if saved := _read_note(len(found) + 1, lines):
            found.append(saved)
        elif lines[0].startswith("“") or any(mark[0] == "`" for line in lines for mark in _MARKS.findall(line)):
            raise _tell_broken(number)
        # Any other is a footnote of somebody else's.
    return found


def _find_footnotes(text: str) -> Iterator[tuple[str, list[str]]]:
    """The footnotes outside of blocks of code, each with its number and its lines: an editor may have made many."""
    fence = number = ""
    note: list[str] = []
    for line in (*text.splitlines(), ""):
        mark = _FENCE.match(line)
        if fence:
            is_closed = mark and mark[1].startswith(fence) and not line.strip().strip(fence[0])
            fence = "" if is_closed else fence
            continue
        match = _FOOTNOTE.match(line)
        if match or mark or not line.strip():
            if note:
                yield number, note
            number, note = (match[1], [match[2].strip()]) if match else ("", [])
            fence = mark[1] if mark else ""
        elif note:
            note.append(line.strip())


def _read_note(number: int, lines: list[str]) -> Saved | None:
    """The footnote that lines begin with: what stands below it may be another text. None where it is not whole."""
    tried = 0
    for count in range(1, min(len(lines), _MOST_LINES) + 1):
        end = " ".join(lines[max(0, count - 20) : count])[-_LONGEST_END:]
        if not _ENDS.search(end):
            continue
        if saved := _read_whole(number, " ".join(lines[:count])):
            return saved
        tried += 1
        if tried == _MOST_ENDS:
            break
    return None


def _read_whole(number: int, note: str) -> Saved | None:
    """A footnote in one line: all but the path has its marks escaped, so that the first code is the path."""
    before, path, after = _part_note(note)
    place = _PLACE.search(after)
    room = int(place[2]) - int(place[1]) if place and place[2] else -1
    if room < 0:
        return _read_place(number, "", after, path)
    if before[:1] != "“":
        return None
    # Of several that may end the words, the last that leaves them no longer than they were.
    ends = [match.start() for match in re.finditer(re.escape(_BETWEEN), before) if match.start() - 1 <= room]
    if not ends:
        return None
    where = after if path else before[ends[-1] + len(_BETWEEN) :]
    return _read_place(number, before[1 : ends[-1]], where, path)


def _part_note(note: str) -> tuple[str, str, str]:
    """What stands before the path, the path, and what stands after it; the whole before and after where no code is."""
    opening = next((mark for mark in _MARKS.finditer(note) if mark[0][0] == "`"), None)
    closing = re.compile(rf"(?<!`)`{{{len(opening[0])}}}(?!`)").search(note, opening.end()) if opening else None
    if not opening or not closing:
        plain = _ESCAPED.sub(r"\1", note)
        return plain, "", plain
    code = note[opening.end() : closing.start()]
    is_padded = code[:1] == code[-1:] == " " and code.strip(" ")
    before, after = _ESCAPED.sub(r"\1", note[: opening.start()]), _ESCAPED.sub(r"\1", note[closing.end() :])
    return before, code[1:-1] if is_padded else code, after


def _read_place(number: int, quote: str, where: str, path: str = "") -> Saved | None:
    """A footnote whose place is told as "page 3, 2025-01-01, characters 3–8, SHA-256 of the file: ...".

    path: where "" it is one of the names that stand before, "title, path". None where the place is not told whole.
    """
    place = _PLACE.search(where)
    start, end, content_hash = place.groups() if place else (None, None, None)
    named = where[: place.start()] if place else where
    if not start and (quote or not _WHOLE.search(named)):
        return None
    return Saved(
        number,
        quote,
        path or named,
        "words" if start else "document",
        None,
        int(start) if start else -1,
        int(end) if end else -1,
        content_hash or "",
        is_among_names=not path,
    )


# -- text -------------------------------------------------------------------------------------


def _read_printed(text: str) -> list[Saved]:
    found: list[Saved] = []
    lines = text.splitlines()
    for place, line in enumerate(lines):
        if not (match := _PRINTED.match(line)):
            continue
        below: list[str] = []
        for one in lines[place + 1 : place + 1000]:
            if not one.startswith("    "):
                break
            below.append(one.strip())
        begins = next((number for number, one in enumerate(below) if one.startswith("“")), None)
        words = " ".join(below[begins:]).removeprefix("“").removesuffix("”") if begins is not None else ""
        _, path, page, start, end = match.groups()
        if not words:  # a document, whose path may end as a place does
            path, page, start, end = line.partition("] ")[2], None, None, None
        found.append(
            Saved(
                len(found) + 1,
                words,
                path,
                "words" if words else "document",
                int(page) if page else None,
                int(start) if start else -1,
                int(end) if end else -1,
                is_rough=True,
            )
        )
    return found
