"""A reply while it is read: without the model's thoughts, not longer than any answer, and whether it came whole."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from assistant.writing.server import break_off
from assistant.writing.thoughts import Thoughts
from index.errors import ModelError

LONGEST_REPLY_CHARACTERS = 20_000

_UNFINISHED = re.compile(r"[\w,;([–—-]")  # what a reply does not end with


class TooLongError(ModelError):
    """The model takes less text than it was sent; it replied nothing."""


@dataclass(frozen=True, slots=True)
class ThoughtsOver:
    """What the reply has given so far was the model thinking aloud, and is to be forgotten."""


class Reply:
    """llama-index's responses, read one by one: `read` gives what is certainly text, `finish` the rest.

    usage: what the server counted. has_begun: whether the model even thought. first_seconds: the time, by
    `time.monotonic`, of its first word.
    """

    def __init__(self) -> None:
        self.usage: Any = None
        self.has_begun = False
        self.first_seconds: float | None = None
        self._thoughts = Thoughts()
        self._characters = 0  # of its text
        self._taken = 0  # all characters, but for those that were thoughts after all
        self._has_forgotten = False
        self._last = ""  # the last character that is no white space
        self._reason: str | None = None  # why it ended
        self._declined = False

    def read(self, response: Any) -> Iterator[str | ThoughtsOver]:
        """What a further response gives. Raises ModelError where the reply is too long."""
        self.has_begun |= bool(response.delta or response.additional_kwargs.get("thinking_delta"))
        self.usage = getattr(response.raw, "usage", None) or self.usage
        for choice in getattr(response.raw, "choices", None) or ():
            self._reason = choice.finish_reason or self._reason
            self._declined |= bool(getattr(choice.delta, "refusal", None))
        text = self._thoughts.feed(response.delta or "")
        if self._thoughts.all_before:
            self._forget()
            yield ThoughtsOver()
        if text.strip():
            self.first_seconds = self.first_seconds or time.monotonic()
        yield from self._give(text)

    def finish(self) -> Iterator[str]:
        """What was held back, now that nothing more comes. Raises ModelError where the reply is too long."""
        return self._give(self._thoughts.finish())

    def find_fault(self, address: str, said_done: bool) -> ModelError | None:
        """Why a reply that ended in order is not whole, or None.

        address: the server's. said_done: whether it came to the protocol's own end.
        """
        if self._declined:
            return ModelError("It declined to answer: ask in other words, or name another model in FOOTNOTE_MODEL.")
        match self._reason:
            case "content_filter":
                return ModelError(f"The content filter of {address} stopped its reply: ask in other words.")
            case "length" if self._characters:
                return ModelError(
                    f"Its reply was cut at the length that {address} allows: ask for less, or raise the limit there."
                )
            case "length" if self.has_begun:
                return ModelError(
                    "It thought for so long that no room was left for a reply: raise the server's limit, or name "
                    "another model in FOOTNOTE_MODEL."
                )
            case "error":
                return break_off(address, "it reported an error")
        if not self._characters:
            # A server may end a stream before it begins where the request fills its model's context.
            empty = "Its reply was empty: ask again, or name another model in FOOTNOTE_MODEL."
            if self._reason in (None, "length") and not self.has_begun:
                advice = "If the model takes little text, lower FOOTNOTE_EVIDENCE_TOKENS."
                return TooLongError(f"{empty} {advice}", retry_helps=True)
            return ModelError(empty, retry_helps=True)
        # Some servers never give a reason, and others say "[DONE]" too where they drop a reply for the next request.
        is_whole = self._reason is not None or (said_done and not _UNFINISHED.match(self._last))
        return None if is_whole else break_off(address, "it did not say that it was at the end")

    def _give(self, text: str) -> Iterator[str]:
        room = LONGEST_REPLY_CHARACTERS - self._taken
        text, rest = text[:room], text[room:]
        self._taken += len(text)
        if text.strip():
            self._characters += len(text)
            self._last = text.rstrip()[-1]
        if text:
            yield text
        if rest:
            raise ModelError(f"Its reply was longer than {LONGEST_REPLY_CHARACTERS:,} characters.")

    def _forget(self) -> None:
        """Begin anew: what has come was a thought. The room that it took is given back once."""
        self._characters = 0
        if not self._has_forgotten:
            self._taken, self._has_forgotten = 0, True
