"""The replies of /v1/responses, whole and as events. Nothing of them is stored.

Beside what OpenAI's have: `footnote`, the whole Answer, on the response.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from assistant.answers import Answer
from assistant.serving.openai.annotations import find_spans, to_annotation
from assistant.serving.openai.chat import to_fields
from assistant.serving.openai.errors import EXPECTED, explain
from assistant.serving.openai.following import Piece
from assistant.serving.openai.footnotes import Links, compose, compose_footnotes
from assistant.serving.openai.requests import Asked
from assistant.serving.openai.usage import count_tokens
from assistant.serving.openai.wire import KEEP_ALIVE, Fields, write_event


@dataclass(frozen=True, slots=True)
class ResponseReply:
    """A reply to come."""

    asked: Asked
    links: Links
    id: str = field(default_factory=lambda: f"resp_{secrets.token_hex(16)}")
    item: str = field(default_factory=lambda: f"msg_{secrets.token_hex(16)}")
    created: int = field(default_factory=lambda: int(time.time()))

    def to_json(self, answer: Answer) -> Fields:
        """The whole reply."""
        text = compose(answer, self.links)
        tokens = count_tokens(answer, self.asked.words, text)
        usage = {
            "input_tokens": tokens.input,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": tokens.output,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": tokens.input + tokens.output,
        }
        message = self._to_message("completed", [_to_part(text, self._annotate(answer))])
        return self._to_response("completed", output=[message], usage=usage, footnote=to_fields(answer))

    async def stream(self, pieces: AsyncGenerator[Piece, None]) -> AsyncIterator[str]:
        """The same as server-sent events; joined, their deltas are the text of the whole reply."""
        numbers = count()

        def tell(kind: str, **fields: Any) -> str:
            return write_event({"type": kind, "sequence_number": next(numbers), **fields}, kind)

        place = {"item_id": self.item, "output_index": 0, "content_index": 0}
        for kind in ("response.created", "response.in_progress"):
            yield tell(kind, response=self._to_response("in_progress"))
        yield tell("response.output_item.added", output_index=0, item=self._to_message("in_progress", []))
        yield tell("response.content_part.added", **place, part=_to_part("", []))
        try:
            async with aclosing(pieces):
                async for piece in pieces:
                    if piece is None:
                        yield KEEP_ALIVE
                    elif isinstance(piece, str):
                        yield tell("response.output_text.delta", **place, delta=piece, logprobs=[])
                    else:
                        for kind, fields in self._finish(piece, place):
                            yield tell(kind, **fields)
        except EXPECTED as error:
            told = {"code": "server_error", "message": str(explain(error).error["message"])}
            yield tell("response.failed", response=self._to_response("failed", error=told))

    def _finish(self, answer: Answer, place: Fields) -> Iterator[tuple[str, Fields]]:
        response = self.to_json(answer)
        [message] = response["output"]
        [part] = message["content"]
        if footnotes := compose_footnotes(answer, self.links):
            yield "response.output_text.delta", {**place, "delta": footnotes, "logprobs": []}
        for number, annotation in enumerate(part["annotations"]):
            fields = {**place, "annotation_index": number, "annotation": annotation}
            yield "response.output_text.annotation.added", fields
        yield "response.output_text.done", {**place, "text": part["text"], "logprobs": []}
        yield "response.content_part.done", {**place, "part": part}
        yield "response.output_item.done", {"output_index": 0, "item": message}
        yield "response.completed", {"response": response}

    def _to_message(self, status: str, content: list[Fields]) -> Fields:
        return {"id": self.item, "type": "message", "status": status, "role": "assistant", "content": content}

    def _to_response(self, status: str, **fields: Any) -> Fields:
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "status": status,
            "model": self.asked.model,
            "error": None,
            "incomplete_details": None,
            "instructions": None,
            "metadata": {},
            "output": [],
            "parallel_tool_calls": False,
            "previous_response_id": None,
            "store": False,
            "temperature": None,
            "tool_choice": "none",
            "tools": [],
            "top_p": None,
            "usage": None,
            **fields,
        }

    def _annotate(self, answer: Answer) -> list[Fields]:
        return [to_annotation(span, self.links) for span in find_spans(answer)]


def _to_part(text: str, annotations: list[Fields]) -> Fields:
    return {"type": "output_text", "text": text, "annotations": annotations, "logprobs": []}
