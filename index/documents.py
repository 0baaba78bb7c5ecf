"""The types that the rooms pass to each other: Document, Chunk, Passage, Progress."""

from __future__ import annotations

import hashlib
import os
from bisect import bisect_right
from dataclasses import dataclass

from index.splitting.blocks import show_cells
from index.splitting.outline import Head, Heads, count_empty_cells, follow, name_heads
from index.splitting.sentences import Sentence


@dataclass(frozen=True, slots=True)
class Document:
    """One loaded source.

    id: stable for a path, whatever the content.
    path: relative to the documents folder, with forward slashes; of a file within a file, that within the other's.
    date: ISO 8601, or None where the document does not say.
    text: canonical; for plain text and Markdown the decoded file itself, line ends included.
    pages: the offset at which each page starts, or empty where there are no pages.
    content_hash: SHA-256 of the file's bytes, in hexadecimal.
    unread: what of the file could not be read, for people ("2 of 9 pages"); empty where all of it was.
    enclosed: the documents of the files that lie in the file, however deep: "mail.eml/report.pdf"; they enclose none.
    """

    id: str
    path: str
    title: str
    date: str | None
    text: str
    pages: tuple[int, ...]
    content_hash: str
    unread: str = ""
    enclosed: tuple[Document, ...] = ()


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stored piece of a document; `text == document.text[start:end]`.

    sentences: in reading order, with offsets into the chunk. above: what the first stands under, outermost first.
    """

    id: str
    document_id: str
    start: int
    end: int
    text: str
    sentences: tuple[Sentence, ...] = ()
    above: Heads = ()


@dataclass(frozen=True, slots=True)
class Passage:
    """A retrieved chunk.

    score: higher is better; comparable within one retrieval only.
    sentences: in reading order, with offsets into the document.
    page: on which it starts, or None where the document has no pages. page_starts: where further pages start in it.
    similarities: the cosine of each sentence to the query, or empty where the embedding gives none.
    context: what its first sentence stands under, outermost first: headings, the keys around a field, the names of a
        table's columns. levels: the level of each of these.
    """

    document_id: str
    path: str
    title: str
    date: str | None
    start: int
    end: int
    text: str
    score: float
    sentences: tuple[Sentence, ...]
    page: int | None = None
    page_starts: tuple[int, ...] = ()
    similarities: tuple[float, ...] = ()
    context: tuple[str, ...] = ()
    levels: tuple[int, ...] = ()

    def page_of(self, sentence: Sentence) -> int | None:
        """The page on which one of the passage's sentences starts."""
        return None if self.page is None else self.page + bisect_right(self.page_starts, sentence.start)

    def words_of(self, sentence: Sentence) -> str:
        """The exact words of one of the passage's sentences."""
        return self.text[sentence.start - self.start : sentence.end - self.start]

    def line_of(self, sentence: Sentence) -> str:
        """The words of one of the passage's sentences in one line, the cells of a row parted by bars."""
        words = self.words_of(sentence)
        if sentence.kind in ("row", "columns") and ("\t" in words or "  " in words):
            return show_cells(words)
        return " ".join(words.split())

    def contexts(self) -> list[tuple[str, ...]]:
        """What each of the passage's sentences stands under, as `context` says it of the first."""
        empty = (count_empty_cells(self.text, sentence.start - self.start) for sentence in self.sentences)
        return list(map(name_heads, self.above(), empty))

    def above(self) -> list[Heads]:
        """The same with levels, and with the names of all columns."""
        first = tuple(map(Head, self.levels, self.context))
        return follow(first, self.sentences, self.text, self.start)[0]


@dataclass(frozen=True, slots=True)
class Progress:
    """Something to tell a user who waits: what is being done, and how far it is.

    done, total: in `unit`; 0 of 0 where that is unknown.
    """

    message: str
    done: int = 0
    total: int = 0
    unit: str = ""


def identify(path: str) -> str:
    """The document id of a relative path: 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(os.fsencode(path)).hexdigest()[:16]


def page_at(pages: tuple[int, ...], offset: int) -> int | None:
    """The page, counted from 1, on which an offset lies, or None where there are no pages."""
    return bisect_right(pages, offset) or 1 if pages else None
