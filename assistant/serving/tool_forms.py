"""What each tool takes, bounded, and what it gives."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from assistant.answers import Turn
from index.documents import Passage
from index.library import LONGEST_QUESTION_CHARACTERS
from index.listing import MOST_LISTED, Listing
from index.search import MOST_PASSAGES
from index.searching.quotations import LONGEST_QUOTE_CHARACTERS, QuotePlace
from index.viewing.windows import LARGEST_WINDOW_CHARACTERS, WINDOW_CHARACTERS

MOST_TURNS = 100
MOST_PATTERNS = 100
LONGEST_NAME_CHARACTERS = 4_000


# -- what a tool takes ------------------------------------------------------------------------


def _to_list(given: object) -> object:
    """A list that came as text, as some programs send it, or a single name."""
    if not isinstance(given, str):
        return given
    try:
        read = json.loads(given)
    except (ValueError, RecursionError):
        return [given]
    return read if isinstance(read, list) else [given]


Name = Annotated[str, Field(max_length=LONGEST_NAME_CHARACTERS)]
LibraryName = Annotated[
    Name | None,
    Field(
        description=(
            "Which library, where several are open; list_documents names them. The first by default, and no other is "
            "looked in."
        )
    ),
]
Only = Annotated[
    list[Name],
    BeforeValidator(_to_list),
    Field(
        max_length=MOST_PATTERNS,
        description=(
            "Paths of files or folders to be used alone, as list_documents gives them, or patterns such as *.pdf or "
            "2024/**. All documents by default."
        ),
    ),
]


class Arguments(BaseModel):
    """What a tool takes; other names are refused, so that a misspelt one is not simply left out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    library: LibraryName = None


class AnswerArguments(Arguments):
    """What `answer` takes."""

    question: str = Field(
        max_length=LONGEST_QUESTION_CHARACTERS,
        description="The question, as a person would ask it, in any language; one matter at a time answers best.",
    )
    history: Annotated[
        list[Turn],
        BeforeValidator(_to_list),
        Field(
            max_length=MOST_TURNS,
            description=(
                "Earlier questions and answers of this conversation, oldest first, so that “and in 2021?” is "
                "understood. With the citations that these answers had, what they point to is known too."
            ),
        ),
    ] = []
    only: Only = []


class SearchArguments(Arguments):
    """What `search` takes."""

    query: str = Field(
        max_length=LONGEST_QUESTION_CHARACTERS,
        description="What to look for: a question, or words. A phrase in quotation marks is looked for as it stands.",
    )
    count: int | None = Field(None, ge=1, le=MOST_PASSAGES, description="How many passages at most.")
    only: Only = []


class ListArguments(Arguments):
    """What `list_documents` takes."""

    filter: Name = Field(
        "",
        description=(
            "Words that path or title hold, all of them: .csv, and not *.csv, which `only` of other tools takes."
        ),
    )
    order: Literal["path", "title", "date", "size", "passages", "-path", "-title", "-date", "-size", "-passages"] = (
        Field("path", description="What they are sorted by; with “-” the other way round: -date has the latest first.")
    )
    start: int = Field(0, ge=0, le=10**9, description="From which on, counted from 0.")
    count: int = Field(50, ge=1, le=MOST_LISTED, description="How many at most.")


Document = Annotated[
    Name, Field(description="The document's id or path, as list_documents, answer and search give them.")
]


class ReadArguments(Arguments):
    """What `read_document` takes."""

    document: Document
    page: int | None = Field(None, ge=1, le=10**9, description="The page to read, from 1 on; instead of start and end.")
    start: int | None = Field(None, ge=0, le=2**40, description="The offset to read from, in characters; 0 by default.")
    end: int | None = Field(
        None,
        ge=0,
        le=2**40,
        description=(
            f"The offset to read up to; by default some {WINDOW_CHARACTERS:,} characters on. At most "
            f"{LARGEST_WINDOW_CHARACTERS:,} characters are given at once."
        ),
    )


class VerifyArguments(Arguments):
    """What `verify_quote` takes."""

    quote: str = Field(
        max_length=LONGEST_QUOTE_CHARACTERS, description="The words that are said to stand in the documents."
    )
    document: Name | None = Field(None, description="The only document to look in, by id or path; all by default.")


# -- what a tool gives ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """The passages that match best, best first.

    notice: what may have kept others from being found, or "".
    library: that was looked in; libraries: all that are open.
    """

    query: str
    passages: tuple[Passage, ...]
    notice: str
    library: str
    libraries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Documents(Listing):
    """A list of documents. library: that they are in; libraries: all that are open. notice: what it may lack, or ""."""

    library: str
    libraries: tuple[str, ...]
    notice: str


@dataclass(frozen=True, slots=True)
class Reading:
    """A part of a document: text == document.text[start:end].

    pages: how many it has; page: on which the part begins, None where there are none. total: the document's characters.
    next_start: where to read on, None at the end. unread: what of the file could not be read, or "".
    library: that it is in; libraries: all that are open.
    """

    document_id: str
    path: str
    title: str
    date: str | None
    pages: int
    page: int | None
    start: int
    end: int
    total: int
    text: str
    next_start: int | None
    unread: str
    library: str
    libraries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verified:
    """Where a quotation stands. stands: whether it does letter by letter; the places tell how else it stands.

    library: that was looked in; libraries: all that are open.
    """

    quote: str
    stands: bool
    places: tuple[QuotePlace, ...]
    notice: str
    library: str
    libraries: tuple[str, ...]
