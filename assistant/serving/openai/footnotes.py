"""An answer as the text of one message: what it says, and its footnotes beneath; and both taken apart again.

    Trump skipped Israel for the Gulf [1].

    ---
    - [1](http://127.0.0.1:7860/api/documents/…&cited=663-797) gulf-tour.md, characters 663-797: “Trump skipped …”
    - *Read with care:* “…”: not borne out by what is cited
    - *Note:* 2 of 9 files are not read yet.
    - *Searched for:* Who criticised it? Israel skipped

Other chats keep no Answer, and send their conversation back as text. So `take_off` undoes `compose`, to the letter,
whatever an answer says; what the footnotes lead to stands in their links.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import quote as to_percent

from assistant.answers import NEAREST, NOT_FOUND, Answer, Citation, Cited
from assistant.notices import SYNC_HINT, describe_doubt
from index.documents import Passage

NEAREST_SHOWN = 3  # passages, where nothing is cited
LONGEST_QUOTE_CHARACTERS, LONGEST_NEAREST_CHARACTERS, LONGEST_SENTENCE_CHARACTERS = 300, 160, 300
AROUND_CHARACTERS = 1_000  # of a document's text that a link shows before and after what is cited

_HEAD = "\n\n---\n"
_NEAR, _DOUBT, _NOTE, _QUERY = (f"*{name}:* " for name in ("Near", "Read with care", "Note", "Searched for"))
_PLACE = (
    r"/api/documents/(?P<document>[0-9a-f]{16})"
    r"/text\?as=page(?:&start=\d{1,15}&end=\d{1,15}&cited=(?P<start>\d{1,15})-(?P<end>\d{1,15}))?(?:&library=[^\s()]*+)?"
)
_FOOTNOTE = re.compile(
    rf"- (?:\[(?P<number>\d{{1,4}})\]\([^\s()?]*?{_PLACE}\) (?P<told>.+)"
    rf"|{re.escape(_QUERY)}(?P<query>.+)|(?:{'|'.join(map(re.escape, (_NEAR, _DOUBT, _NOTE)))}).+)",
    re.ASCII,
)
# What would be markup in Markdown, and what would end a line.
_MARKUP = re.compile(r"[\\`*_\[\]<>&#|~$]")
_LINE_END = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]|\s\Z|\A\s")
_WRITTEN = re.compile(r"\\([\\`*_\[\]<>&#|~$])|&#(\d{1,7});")


class Placed(Protocol):
    """What stands somewhere in a document."""

    @property
    def document_id(self) -> str:
        """Of the document."""

    @property
    def start(self) -> int:
        """Its first character."""

    @property
    def end(self) -> int:
        """Behind its last, 0 where it is the document as a whole."""


@dataclass(frozen=True, slots=True)
class Links:
    """Where what is cited can be looked up. base: the server's address. library: its name, "" where there is one.

    elsewhere: what is told where nothing is found, of the libraries that were not asked; "" where there are none.
    """

    base: str
    library: str = ""
    elsewhere: str = ""

    def to(self, place: Placed) -> str:
        """The address of a place in a document, or of the document where that is cited as a whole."""
        address = f"{self.base}/api/documents/{place.document_id}/text?as=page"
        if place.end:
            start, end = max(0, place.start - AROUND_CHARACTERS), place.end + AROUND_CHARACTERS
            address += f"&start={start}&end={end}&cited={place.start}-{place.end}"
        if not self.library:
            return address
        return f"{address}&library={to_percent(self.library, safe='', errors='replace')}"


@dataclass(frozen=True, slots=True)
class Footnote:
    """A footnote that was taken off: its number, where it leads, and what it tells of that."""

    number: int
    document_id: str
    start: int
    end: int
    told: str

    @property
    def kind(self) -> Cited:
        """What is cited: words, or the document as a whole."""
        return "words" if self.end else "document"


@dataclass(frozen=True, slots=True)
class Taken:
    """A message taken apart. query: what was searched, "" where that was the question itself."""

    text: str
    footnotes: tuple[Footnote, ...] = ()
    query: str = ""


def compose(answer: Answer, links: Links) -> str:
    """What an answer says, with its footnotes beneath."""
    return answer.text + compose_footnotes(answer, links)


def compose_footnotes(answer: Answer, links: Links) -> str:
    """What `compose` puts beneath an answer's text; "" where there is nothing to tell."""
    if lines := [*_compose_lines(answer, links)]:
        return _HEAD + "\n".join(lines)
    # A text that itself ends as if it had footnotes gets none of its own, but their head, which is taken off again.
    return _HEAD if take_off(answer.text) != Taken(answer.text) else ""


def take_off(message: str) -> Taken:
    """What `compose` put together; a text without footnotes of ours is left as it is."""
    text, head, beneath = message.rpartition(_HEAD)
    lines = [_FOOTNOTE.fullmatch(line) for line in beneath.split("\n")] if beneath else []
    found = [line for line in lines if line]
    if not head or len(found) < len(lines):
        return Taken(message)
    footnotes = tuple(
        Footnote(int(line["number"]), line["document"], int(line["start"] or 0), int(line["end"] or 0), line["told"])
        for line in found
        if line["number"]
    )
    return Taken(text, footnotes, next((_unescape(line["query"]) for line in found if line["query"]), ""))


def describe(citation: Citation) -> str:
    """What a footnote tells: where the words stand, and how they begin."""
    if citation.kind == "document":
        return f"{escape(citation.path)}, as a whole"
    page = f", page {citation.page}" if citation.page else ""
    words = _shorten(citation.quote, LONGEST_QUOTE_CHARACTERS)
    return f"{escape(citation.path)}{page}, characters {citation.start}-{citation.end}: “{escape(words)}”"


def escape(text: str) -> str:
    """A text in one line of Markdown, in which nothing is markup; `_unescape` gives it back."""
    escaped = _MARKUP.sub(r"\\\g<0>", text)
    return _LINE_END.sub(lambda found: f"&#{ord(found[0])};", escaped)


def _unescape(written: str) -> str:
    return _WRITTEN.sub(lambda found: found[1] or chr(min(int(found[2]), 0x10FFFF)), written)


def _compose_lines(answer: Answer, links: Links) -> Iterator[str]:
    for citation in answer.citations:
        yield f"- [{citation.number}]({links.to(citation)}) {describe(citation)}"
    if not answer.citations and answer.text.startswith(NOT_FOUND):
        for passage in answer.passages[:NEAREST_SHOWN]:
            yield f"- {_NEAR}{_describe_nearest(passage, links)}"
    for sentence in answer.sentences:
        if doubt := describe_doubt(sentence):
            yield f"- {_DOUBT}“{escape(_shorten(sentence.text, LONGEST_SENTENCE_CHARACTERS))}”: {escape(doubt)}"
    # Who asks over the network types no command on the server.
    if notice := answer.notice.partition(SYNC_HINT)[0].strip():
        yield f"- {_NOTE}{escape(notice)}"
    if links.elsewhere and not answer.found and answer.text.startswith((NOT_FOUND, NEAREST)):
        yield f"- {_NOTE}{escape(links.elsewhere)}"
    if answer.query not in ("", answer.question):
        yield f"- {_QUERY}{escape(answer.query)}"


def _describe_nearest(passage: Passage, links: Links) -> str:
    page = f", page {passage.page}" if passage.page else ""
    words = _shorten(passage.text, LONGEST_NEAREST_CHARACTERS)
    return f"[{escape(passage.path)}{page}]({links.to(passage)}): “{escape(words)}”"


def _shorten(text: str, characters: int) -> str:
    """Text in one line, and no longer."""
    line = " ".join(text[: characters * 4].split())
    return line if len(line) <= characters and len(text) <= characters * 4 else f"{line[: characters - 2].rstrip()} …"
