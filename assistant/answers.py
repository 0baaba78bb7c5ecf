"""What a question gets: an Answer, frozen and typed, which turns into JSON and back without loss."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from index.documents import Passage
from index.sentences import Sentence

Support = Literal["supported", "partial", "unsupported"]

NOT_FOUND = "The documents do not say."


@dataclass(frozen=True, slots=True)
class Citation:
    """The exact words that support a sentence: `document.text[start:end] == quote`.

    number: from 1, in the order of first use. path: relative to the documents folder.
    page: counted from 1, or None where the document has no pages.
    """

    number: int
    document_id: str
    path: str
    title: str
    page: int | None
    start: int
    end: int
    quote: str


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """One sentence of the answer, without its markers, the numbers of its citations, and whether they support it.

    answer_words: where in `text` the very words stand that were asked for, a date or a number; None where it is not
        plain which they are.
    """

    text: str
    citations: tuple[int, ...]
    support: Support
    answer_words: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What the language model used, for all that it was asked. Tokens are None where the server does not count them.

    first_token_seconds: from asking for the answer to its first word. seconds: for all together.
    sentences_left_out: those of the passages found that the model was not shown, for they did not fit.
    """

    prompt_tokens: int | None
    completion_tokens: int | None
    first_token_seconds: float | None
    seconds: float
    sentences_left_out: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one question, the same from Python, the command line and the chat.

    query: what was really searched. text: the answer with its markers, "[1]".
    found: whether the documents say. confidence: the probability that they do, from 0 to 1.
    model: the language model's name, or None for quotations. usage: None for quotations.
    passages: what the answer was made from, or the nearest there is, best first.
    notice: what a reader should know of how the answer came about, or "".
    """

    question: str
    query: str
    text: str
    found: bool
    confidence: float
    model: str | None
    usage: Usage | None
    sentences: tuple[AnswerSentence, ...]
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    notice: str = ""

    def to_json(self, indent: int | None = None) -> str:
        """JSON with the field names of this class."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=indent)

    @classmethod
    def from_json(cls, text: str) -> Answer:
        """The Answer that `to_json` wrote."""
        fields: dict[str, Any] = json.loads(text)
        usage = fields.pop("usage")
        sentences = tuple(
            _build(
                AnswerSentence,
                item,
                citations=tuple(item["citations"]),
                answer_words=item["answer_words"] and tuple(item["answer_words"]),
            )
            for item in fields.pop("sentences")
        )
        citations = tuple(Citation(**item) for item in fields.pop("citations"))
        passages = tuple(
            _build(
                Passage,
                item,
                sentences=tuple(Sentence(**part) for part in item["sentences"]),
                page_starts=tuple(item["page_starts"]),
                similarities=tuple(item["similarities"]),
            )
            for item in fields.pop("passages")
        )
        return cls(
            **fields,
            usage=Usage(**usage) if usage else None,
            sentences=sentences,
            citations=citations,
            passages=passages,
        )


def _build(kind: Any, item: Mapping[str, Any], **typed: Any) -> Any:
    return kind(**{**item, **typed})


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A further piece of the answer's text, as it is written. Joined, the pieces are the Answer's `text`.

    But: where a server keeps the tag that begins a model's thoughts to itself, only their end tells that they were no
    answer. What was given of them stands before the text.
    """

    text: str


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier question and what was answered."""

    question: str
    answer: str
