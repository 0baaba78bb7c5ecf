"""What a program asks in OpenAI's protocol, read and bounded.

The last message of the user is the question; what users and assistants said before is the history. What the system or a
developer says is left out, and so are the results of tools: Footnote answers from the documents and from nothing else.
Settings of a model that it has no use for (temperature, max_tokens and the like) are ignored, as other servers do, and
so are tools, unless one is required.

A field of our own may stand beside: "footnote": {"only": ["notes/*.md"]}, which documents the answer is made from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from assistant.serving.openai.errors import RequestError

MODEL = "footnote"
LARGEST_BODY_BYTES = 2_000_000
MOST_MESSAGES, MOST_PARTS, MOST_ONLY = 2_000, 1_000, 1_000

_TEXTS = ("text", "input_text", "output_text")
_IGNORED = ("refusal", "summary_text", "reasoning_text")  # of a reply that is sent back


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation, of a person or of what answers."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked.

    model: as it was named, and library: the one it stands for, None for the first. history: oldest first.
    only: the documents that are answered from; all by default. counts: whether a stream ends with its usage.
    """

    question: str
    history: tuple[Message, ...] = ()
    model: str = MODEL
    library: str | None = None
    only: tuple[str, ...] = ()
    streams: bool = False
    counts: bool = False

    @property
    def words(self) -> str:
        """All that was said, for an estimate of its tokens."""
        return "\n".join([*(message.text for message in self.history), self.question])


Body = Mapping[str, Any]


def read_body(content: bytes) -> Body:
    """The fields of a request. Raises RequestError where it is no JSON object."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        raise RequestError("The request's body is not JSON.") from None
    if not isinstance(body, dict):
        raise RequestError("The request's body is JSON, but no object.")
    return body


def read_chat(body: Body) -> Asked:
    """What a request to /v1/chat/completions asks. Raises RequestError where it cannot be answered."""
    if body.get("n") not in (None, 1):
        raise RequestError("There is one answer to a question: leave “n” out.", "n")
    options = body.get("stream_options")
    if not isinstance(options, dict | None):
        raise RequestError("“stream_options” is no object.", "stream_options")
    counts = _read_flag(options or {}, "include_usage")
    return _read(body, _read_messages(body.get("messages"), "messages"), "messages", counts=counts)


def read_response(body: Body) -> Asked:
    """What a request to /v1/responses asks. Raises RequestError where it cannot be answered."""
    for name in ("previous_response_id", "conversation"):
        if body.get(name) is not None:
            raise RequestError(
                f"Nothing is stored here, so that “{name}” leads nowhere: send the earlier messages in “input”.", name
            )
    if body.get("background"):
        raise RequestError("An answer is given at once or not at all: leave “background” out.", "background")
    given = body.get("input")
    messages = [Message("user", given)] if isinstance(given, str) else _read_messages(given, "input")
    return _read(body, messages, "input")


def _read(body: Body, messages: list[Message], param: str, *, counts: bool = False) -> Asked:
    choice = body.get("tool_choice")
    if choice == "required" or (isinstance(choice, dict) and choice.get("type") not in ("auto", "none")):
        raise RequestError("No tool is ever called here: leave “tool_choice” out.", "tool_choice")
    last = max((place for place, message in enumerate(messages) if message.role == "user"), default=None)
    if last is None:
        raise RequestError(f"No message in “{param}” is a user's: there is no question.", param)
    model = body.get("model")
    if not isinstance(model, str | None):
        raise RequestError("“model” is no text.", "model")
    model = model or MODEL
    return Asked(
        messages[last].text,
        tuple(messages[:last]),
        model,
        read_model(model),
        _read_only(body.get("footnote")),
        _read_flag(body, "stream"),
        counts,
    )


def name_model(library: str) -> str:
    """The model that answers from a library."""
    return f"{MODEL}/{library}"


def read_model(model: str) -> str | None:
    """The library that a model answers from, None for the first. Raises RequestError where it is none of ours."""
    name, bar, library = model.partition("/")
    if name != MODEL or (bar and not library):
        raise refuse_model(model)
    return library if bar else None


def refuse_model(model: str) -> RequestError:
    """That there is no such model."""
    told = f"There is no model “{model[:100]}”: /v1/models lists those that there are."
    return RequestError(told, "model", "model_not_found", 404)


def _read_flag(fields: Body, name: str) -> bool:
    flag = fields.get(name)
    if not isinstance(flag, bool | None):
        raise RequestError(f"“{name}” is neither true nor false.", name)
    return bool(flag)


def _read_only(given: object) -> tuple[str, ...]:
    only = given.get("only") if isinstance(given, dict) else given
    if only is None:
        return ()
    if not isinstance(only, list) or len(only) > MOST_ONLY or not all(isinstance(path, str) for path in only):
        raise RequestError(
            f'“footnote” has other fields than {{"only": [...]}}, up to {MOST_ONLY:,} paths or patterns.', "footnote"
        )
    return tuple(only)


def _read_messages(given: object, param: str) -> list[Message]:
    if not isinstance(given, list) or not given:
        raise RequestError(f"“{param}” is no list of messages.", param)
    if len(given) > MOST_MESSAGES:
        raise RequestError(f"“{param}” has more than {MOST_MESSAGES:,} messages: send the last ones.", param)
    asks = [isinstance(item, dict) and item.get("role") == "user" for item in given]
    last = len(asks) - 1 - asks[::-1].index(True) if True in asks else -1
    messages = []
    for place, item in enumerate(given):
        where = f"{param}[{place}]"
        if not isinstance(item, dict):
            raise RequestError(f"“{where}” is no message with role and content.", where)
        role, kind = item.get("role"), item.get("type", "message")
        if kind == "item_reference":
            raise RequestError(f"Nothing is stored here, so that “{where}” refers to nothing.", where)
        if kind != "message" or not isinstance(role, str):
            if role is None and isinstance(kind, str) and kind != "message":
                continue  # what a tool was asked, or a model thought
            raise RequestError(f"“{where}” is no message with role and content.", where)
        if role in ("user", "assistant"):
            text = _read_content(item.get("content"), f"{where}.content", is_asked=place == last)
            messages.append(Message("user" if role == "user" else "assistant", text))
    return messages


def _read_content(given: object, where: str, *, is_asked: bool) -> str:
    """A message's text. is_asked: whether it is the question, of which nothing is left out."""
    if isinstance(given, str) or (given is None and not is_asked):
        return given or ""
    if not isinstance(given, list) or len(given) > MOST_PARTS:
        raise RequestError(f"“{where}” is neither a text nor a list of up to {MOST_PARTS:,} parts.", where)
    texts = []
    for part in given:
        if not isinstance(part, dict) or not isinstance(kind := part.get("type"), str):
            raise RequestError(f"“{where}” has a part that is none: each has a type.", where)
        if kind in _TEXTS:
            if not isinstance(text := part.get("text"), str):
                raise RequestError(f"“{where}” has a part of text without a text.", where)
            texts.append(text)
        elif is_asked and kind not in _IGNORED:
            raise RequestError(
                f"Questions are text alone, and “{where}” has a part of type “{kind[:50]}”: put pictures and files "
                "into the documents folder and ask about them.",
                where,
            )
    return "\n".join(texts)
