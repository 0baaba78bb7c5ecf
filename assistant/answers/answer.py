"""What a question gets: an Answer, frozen and typed, which turns into JSON and back without loss."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from assistant.answers.shown import Shown
from index.documents import Passage
from index.errors import InputError

Support = Literal["supported", "partial", "unsupported", "off_topic", "unchecked", "no_claim"]
Status = Literal["answered", "nearest", "not_found"]
Cited = Literal["words", "document"]

NOT_FOUND = "The documents do not say."
_FOUND = "Whether the documents say: whether the status is answered."
NEAREST = "The documents do not say it in so many words; the nearest is:"


@dataclass(frozen=True, slots=True)
class Citation:
    """The exact words that support a sentence: `document.text[start:end] == quote`.

    kind: "words", or "document" where what is said rests on the record of the document as a whole: its name, its date,
        that it is there; `start` and `end` are then 0, and `quote` is empty.
    number: from 1, in the order of first use. path: relative to the documents folder.
    page: counted from 1, or None where the document has no pages.
    context: what the words stand under, outermost first: headings, the keys around a field, a table's columns.
    content_hash: SHA-256 of the file that the document was read from, 64 hexadecimal digits; "" where it is not known.
    """

    number: int
    document_id: str
    path: str
    title: str
    page: int | None
    start: int
    end: int
    quote: str
    context: tuple[str, ...] = ()
    kind: Cited = "words"
    content_hash: str = ""


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """One sentence of the answer, without its markers, the numbers of its citations, and whether they support it.

    support: "supported", "partial" or "unsupported" by the words cited; "off_topic" where it does not answer the
        question, whatever is cited; "unchecked" where nothing could judge it: it is in another language than the words
        cited; "no_claim" where it says nothing that could be true or false: code, a heading, "Here is how:".
    reason: why it is not supported, in words for a reader, "the source says 2020"; "" where there is no more to say.
    answer_words: where in `text` the very words stand that were asked for, a date or a number; None where it is not
        plain which they are.
    lead: what the words stand under, as far as they need it beside them, "Brenvale › Staff"; it is no part of `text`.
    """

    text: str
    citations: tuple[int, ...]
    support: Support
    answer_words: tuple[int, int] | None = None
    lead: str = ""
    reason: str = ""


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
class Answer(Shown):
    """The answer to one question, the same from Python, the command line and the chat.

    query: what was really searched. text: the answer with its markers, "[1]".
    status: "answered"; "nearest" where they speak of the matter, but may not say what is asked: what is cited is the
        nearest there is; "not_found" where nothing is cited.
    confidence: the probability that the documents do say, from 0 to 1.
    model: the language model's name, or None for quotations. usage: None where no language model was asked.
    passages: what the answer was made from, the best document first; or the nearest there is, best first.
    notice: what a reader should know of how the answer came about, or "".
    """

    question: str
    query: str
    text: str
    status: Status
    confidence: float
    model: str | None
    usage: Usage | None
    sentences: tuple[AnswerSentence, ...]
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    notice: str = ""

    @property
    def found(self) -> bool:
        """Whether the documents say."""
        return self.status == "answered"

    def to_json(self, indent: int | None = None) -> str:
        """JSON with the field names of this class, and `found` beside them."""
        return json.dumps({**asdict(self), "found": self.found}, ensure_ascii=False, indent=indent)

    @classmethod
    def from_json(cls, text: str | bytes) -> Answer:
        """The Answer that `to_json` wrote.

        Raises InputError where it was not that, or another version's.
        """
        try:
            given = json.loads(text)
        except (TypeError, ValueError, RecursionError) as error:
            raise InputError("This is not JSON: give what Answer.to_json wrote.") from error
        found = given.pop("found", None) if isinstance(given, dict) else None
        answer: Answer = _read(cls, given, "the whole")
        if found is not answer.found:
            raise _refuse("found")
        return answer

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """The JSON Schema of what `to_json` writes, or did earlier: what has a default may be missing."""
        from pydantic import TypeAdapter

        schema = TypeAdapter(cls).json_schema()
        schema["properties"]["found"] = {"title": "Found", "type": "boolean", "description": _FOUND}
        schema["required"] = [*schema["required"], "found"]
        return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


_find_types: Callable[[Any], dict[str, Any]] = cache(get_type_hints)


def _read(kind: Any, given: Any, place: str) -> Any:
    """What JSON gives, as a value of a type. place: the field that it stands in, for the error."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is UnionType:  # of a type and None
        return None if given is None else _read(parts[0], given, place)
    if origin is tuple and isinstance(given, list):
        items = parts[:1] * len(given) if parts[-1] is ... else parts
        if len(items) == len(given):
            return tuple(_read(item, value, place) for item, value in zip(items, given, strict=True))
    elif isinstance(kind, type) and is_dataclass(kind) and isinstance(given, dict):
        known = _find_types(kind)
        required = {field.name for field in fields(kind) if field.default is MISSING}
        if not (differing := required - given.keys() | given.keys() - known.keys()):
            return kind(**{name: _read(known[name], value, name) for name, value in given.items()})
        place = ", ".join(sorted(differing))
    elif (given in parts) if origin is Literal else (type(given) is kind or (kind is float and type(given) is int)):
        return given
    raise _refuse(place)


def _refuse(place: str) -> InputError:
    return InputError(f"This is no Answer of this version ({place[:200]}): give what Answer.to_json wrote.")


@dataclass(frozen=True, slots=True)
class TextDelta:
    """A further piece of the answer's text, as it is written. Joined, the pieces are the Answer's `text`.

    But: where a server keeps the tag that begins a model's thoughts to itself, only their end tells that they were no
    answer. What was given of them stands before the text.
    """

    text: str


@dataclass(frozen=True, slots=True)
class Draft:
    """What the model has written after all TextDelta so far, and which is not certain to stay: it cites nothing yet.

    It takes the place of the Draft before it; a TextDelta or an Answer that follows takes its own.
    """

    text: str


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier question and what was answered.

    citations: those of the answer, where they are known. query: what was searched, "" where that is the question, or is
    not known.
    """

    question: str
    answer: str
    citations: tuple[Citation, ...] = ()
    query: str = ""
