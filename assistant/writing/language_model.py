"""The language model: what it replies to a request, how many tokens it makes of a text, what it was asked in all."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import replace
from functools import cached_property

from assistant.answers import Usage
from assistant.writing.reply import Reply, ThoughtsOver, TooLongError
from assistant.writing.server import ATTEMPTS, Server, explain, faults, is_too_long
from assistant.writing.tokens import open_counter
from index.documents import Progress
from index.settings import Settings
from index.steps import step

# A tenth of a model's context goes to the evidence, and no less or more than this; half of a context that is smaller.
EVIDENCE_SHARE, LEAST_EVIDENCE_TOKENS, MOST_EVIDENCE_TOKENS = 0.1, 3000, 12_000
LONGEST_REPLY_TIMEOUTS = 10  # how many times the timeout a whole reply may take


class LanguageModel:
    """The model that the settings name. `name` is what the server calls it; `usage` sums up all that it was asked.

    Raises ModelError where the server cannot be reached or refuses.
    """

    @step("model")
    def __init__(self, settings: Settings) -> None:
        self._server = Server(settings)
        self._settings = settings
        self.name = self._server.model
        self.usage = Usage(None, None, None, 0.0)

    @cached_property
    def count_tokens(self) -> Callable[[str], int]:
        """The tokens that the model makes of a text, or an estimate of them."""
        return open_counter(self.name)

    @property
    def evidence_tokens(self) -> int:
        """How much of the documents the model is shown: as the settings say, else by its context."""
        if self._settings.evidence_tokens:
            return self._settings.evidence_tokens
        context = self._server.context_tokens or LEAST_EVIDENCE_TOKENS * 2
        share = int(EVIDENCE_SHARE * context)
        return min(max(share, LEAST_EVIDENCE_TOKENS), MOST_EVIDENCE_TOKENS, max(context // 2, 100))

    @step("model")
    def stream(
        self, rules: str, request: str, *, attempts: int = ATTEMPTS, seconds: float | None = None
    ) -> Generator[str | ThoughtsOver | Progress, None, None]:
        """The reply to one request, piece by piece and without the model's thoughts; Progress while it waits.

        seconds: the most that the reply may take; by default ten times the timeout.
        Raises TooLongError, or ModelError where the reply is not whole: what was given before stands.
        """
        from llama_index.core.llms import ChatMessage, MessageRole

        messages = [
            ChatMessage(role=MessageRole.SYSTEM, content=rules),
            ChatMessage(role=MessageRole.USER, content=request),
        ]
        total_seconds = seconds or self._settings.timeout_seconds * LONGEST_REPLY_TIMEOUTS
        silent_seconds = min(total_seconds, self._settings.timeout_seconds)
        started, reply = time.monotonic(), Reply()
        try:
            with closing(self._server.respond(messages, attempts, silent_seconds, total_seconds)) as responses:
                for response in responses:
                    if isinstance(response, Progress):
                        yield response
                    else:
                        yield from reply.read(response)
            yield from reply.finish()
        except faults() as error:
            if not reply.has_begun and is_too_long(error):
                raise TooLongError(
                    f"The passages are too long for {self.name}: lower FOOTNOTE_EVIDENCE_TOKENS, or give the model a "
                    "larger context."
                ) from None
            # Not "from error", which may repeat the key.
            raise explain(error, self._server.address, self.name, silent_seconds) from None
        finally:
            self._count(reply, started)
        if fault := reply.find_fault(self._server.address, self._server.said_done):
            raise fault

    def ask(self, rules: str, request: str, *, seconds: float, most_characters: int) -> str:
        """The reply to one short request, asked once; what is longer is cut off.

        Raises ModelError as `stream` does.
        """
        written = ""
        for whole, _ in self.dictate(rules, request, seconds=seconds, most_characters=most_characters):
            written = whole
        return written

    def dictate(
        self, rules: str, request: str, *, seconds: float, most_characters: int
    ) -> Generator[tuple[str, bool], None, None]:
        """The same as it grows: all that is written so far, and whether a line of it has just ended."""
        written, first_token_seconds = "", self.usage.first_token_seconds
        try:
            with closing(self.stream(rules, request, attempts=1, seconds=seconds)) as pieces:
                for piece in pieces:
                    before, written = len(written), written + piece if isinstance(piece, str) else ""
                    yield written[:most_characters], "\n" in written[before:]
                    if len(written) > most_characters:
                        break
        finally:
            # That of the answer is what a user waited for.
            self.usage = replace(self.usage, first_token_seconds=first_token_seconds)

    def _count(self, reply: Reply, started: float) -> None:
        def add(before: int | None, name: str) -> int | None:
            more = getattr(reply.usage, name, None)
            return before if more is None else (before or 0) + more

        self.usage = Usage(
            add(self.usage.prompt_tokens, "prompt_tokens"),
            add(self.usage.completion_tokens, "completion_tokens"),
            reply.first_seconds and reply.first_seconds - started,
            self.usage.seconds + (time.monotonic() - started),
        )
