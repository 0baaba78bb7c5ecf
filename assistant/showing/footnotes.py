"""An answer's markers and footnotes: the exact words, where they stand, and the hash of the file they were read from.

Of several answers that are shown together the footnotes are numbered through.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from assistant.answers import NOT_FOUND, Answer, AnswerSentence, Citation
from assistant.showing.body import find_date, find_nearest, shorten, show_body, show_where, show_within, tell_doubt
from assistant.showing.markdown import escape_text, to_attribute

LONGEST_NEAREST_SHOWN = 300  # characters
_LINE_ENDS = re.compile("[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")

Hashes = Mapping[str, str]  # of documents by their ids: SHA-256 in hexadecimal


class Described(NamedTuple):
    """A footnote in text, in pieces: the words, "" where a document is cited as a whole, and where they stand.

    path: as it is but for line ends, by which the footnote can be verified: shown apart, as code.
    """

    quote: str
    title: str
    path: str
    within: str


def mark(answer: Answer, first: int, key: str = "") -> str:
    """What an answer says, as the page's Markdown: each marker a link to its footnote, each doubt in brackets.

    first: how many footnotes stand before its own. key: what stands before their numbers, where others are called so.
    """
    cited: set[int] = set()
    known = {citation.number for citation in answer.citations}

    def chip(number: int, sentence: AnswerSentence | None) -> str:
        if number not in known:  # of an answer that somebody else made
            return escape_text(f"[{number}]")
        # A footnote leads back to where it is first cited.
        place = "" if number in cited else f' id="text-{key}{first + number}"'
        cited.add(number)
        return f'<sup><a href="#note-{key}{first + number}"{place}>{first + number}</a></sup>'

    def doubt(sentence: AnswerSentence) -> str:
        told = tell_doubt(sentence)
        return f'<small class="doubt"> ({to_attribute(told)})</small>' if told else ""

    return show_body(answer, chip, doubt)


def describe(citation: Citation, answer: Answer, hashes: Hashes) -> Described:
    """A footnote in text."""
    where = [show_within(citation, find_date(citation, answer))]
    if citation.kind == "words":
        where.append(f"characters {citation.start}–{citation.end}")
    if content_hash := find_hash(citation, hashes):
        where.append(f"SHA-256 of the file: {content_hash}")
    quote = f"“{' '.join(citation.quote.split())}”" if citation.quote else ""
    path = _LINE_ENDS.sub(" ", citation.path) if citation.path.strip() else ""
    within = ", ".join(" ".join(part.split()) for part in where if part)
    return Described(quote, " ".join(citation.title.split()), path, within)


def find_hash(citation: Citation, hashes: Hashes) -> str:
    """The hash of the file as it was when it was cited; of answers that do not say, as it is on record now."""
    return citation.content_hash or hashes.get(citation.document_id, "")


def describe_nearest(answer: Answer) -> list[tuple[str, str]]:
    """Where nothing was found, the words that come nearest, and where they stand."""
    if not answer.text.startswith(NOT_FOUND):
        return []
    return [
        (
            shorten(source.quote, LONGEST_NEAREST_SHOWN),
            ", ".join(filter(None, (" ".join(passage.title.split()), show_where(passage, passage.date)))),
        )
        for source, passage in zip(find_nearest(answer), answer.passages, strict=False)
    ]
