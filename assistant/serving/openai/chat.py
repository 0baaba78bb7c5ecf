"""The replies of /v1/chat/completions, whole and in pieces.

Beside what OpenAI's have: `footnote`, the whole Answer, on the message, or on the last piece that has a choice; where
it is too large for one piece, its passages come before it, one by one, as `footnote_passages`. And, in pieces,
`event`s of type "source", which Open WebUI shows as sources with their words.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from assistant.answers import Answer
from assistant.serving.openai.annotations import find_spans, to_annotation
from assistant.serving.openai.errors import EXPECTED, explain
from assistant.serving.openai.following import Piece
from assistant.serving.openai.footnotes import Links, compose, compose_footnotes
from assistant.serving.openai.requests import Asked
from assistant.serving.openai.usage import count_tokens
from assistant.serving.openai.wire import DONE, KEEP_ALIVE, Fields, write_event, write_json

LARGEST_ANSWER_BYTES = 100_000  # in one event, for some programs read no line of more than 128 KiB


@dataclass(frozen=True, slots=True)
class ChatReply:
    """A reply to come."""

    asked: Asked
    links: Links
    id: str = field(default_factory=lambda: f"chatcmpl-{secrets.token_hex(16)}")
    created: int = field(default_factory=lambda: int(time.time()))

    def to_json(self, answer: Answer) -> Fields:
        """The whole reply."""
        text = compose(answer, self.links)
        message = {
            "role": "assistant",
            "content": text,
            "refusal": None,
            "annotations": self._annotate(answer),
            "footnote": to_fields(answer),
        }
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        return {**self._name("chat.completion"), "choices": [choice], "usage": self._count(answer, text)}

    async def stream(self, pieces: AsyncGenerator[Piece, None]) -> AsyncIterator[str]:
        """The same in pieces, as server-sent events; joined, their content is that of the whole reply."""
        yield self._write({"role": "assistant", "content": ""})
        try:
            async with aclosing(pieces):
                async for piece in pieces:
                    if piece is None:
                        yield KEEP_ALIVE
                    elif isinstance(piece, str):
                        yield self._write({"content": piece})
                    else:
                        for event in self._finish(piece):
                            yield event
        except EXPECTED as error:
            yield write_event({"error": explain(error).error})
        yield DONE

    def _finish(self, answer: Answer) -> list[str]:
        footnotes = compose_footnotes(answer, self.links)
        events = [self._write({"content": footnotes})] if footnotes else []
        # First, so that their order is that of the numbers.
        events += [self._write({}, event=event) for event in to_sources(answer, self.links)]
        if annotations := self._annotate(answer):
            events.append(self._write({"annotations": annotations}))
        whole = to_fields(answer)
        if len(write_json(whole).encode()) > LARGEST_ANSWER_BYTES:
            events += [self._write({}, footnote_passages=[passage]) for passage in whole["passages"]]
            whole["passages"] = []
        events.append(self._write({}, "stop", footnote=whole))
        if self.asked.counts:
            usage = self._count(answer, answer.text + footnotes)
            events.append(write_event({**self._name("chat.completion.chunk"), "choices": [], "usage": usage}))
        return events

    def _write(self, delta: Fields, finish_reason: str | None = None, **more: Any) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        usage = {"usage": None} if self.asked.counts else {}
        return write_event({**self._name("chat.completion.chunk"), "choices": [choice], **usage, **more})

    def _name(self, kind: str) -> Fields:
        return {"id": self.id, "object": kind, "created": self.created, "model": self.asked.model}

    def _annotate(self, answer: Answer) -> list[Fields]:
        annotations = []
        for span in find_spans(answer):
            fields = to_annotation(span, self.links)
            kind = fields.pop("type")
            annotations.append({"type": kind, kind: fields})
        return annotations

    def _count(self, answer: Answer, text: str) -> Fields:
        tokens = count_tokens(answer, self.asked.words, text)
        return {
            "prompt_tokens": tokens.input,
            "completion_tokens": tokens.output,
            "total_tokens": tokens.input + tokens.output,
        }


def to_sources(answer: Answer, links: Links) -> list[Fields]:
    """The citations as Open WebUI's events, in the order of their numbers."""
    return [
        {
            "type": "source",
            "data": {
                "source": {"id": address, "name": citation.path, "url": address},
                "document": [citation.quote or citation.title],
                "metadata": [{"source": address, "name": citation.path, "page": citation.page}],
            },
        }
        for citation in answer.citations
        for address in [links.to(citation)]
    ]


def to_fields(answer: Answer) -> Fields:
    """The whole Answer."""
    fields: Fields = json.loads(answer.to_json())
    return fields
