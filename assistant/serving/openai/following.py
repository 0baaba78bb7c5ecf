"""An answer as it comes, for those from whom nothing can be taken back: only text that stays, and the Answer last.

A language model's words stay, but for those of one that thinks aloud and of whose thoughts a server keeps the beginning
to itself: only their end tells that they were no answer. So the first reply of each model is held back until it is
whole; where it was all there is to it, the next ones are passed on as they come, and where it was not, they never are.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from assistant.answers import Answer, Draft, TextDelta
from assistant.awaiting import with_pulse
from assistant.chain import Event
from index.errors import ModelError
from index.settings import Settings

PULSE_SECONDS = 5.0  # after which somebody who waits is shown that the work goes on
MOST_MODELS = 100  # that are remembered

Piece = str | Answer | None


class Manners:
    """Which models write nothing that they take back, as far as was seen."""

    def __init__(self) -> None:
        self._stays: dict[tuple[str | None, str | None], bool] = {}

    def may_stream(self, settings: Settings) -> bool:
        """Whether what a model writes can be passed on as it comes. Quotations can."""
        return not settings.uses_language_model or self._stays.get((settings.base_url, settings.model), False)

    def note(self, settings: Settings, *, stays: bool) -> None:
        """Remember how a reply has come; one that was taken back is never forgotten."""
        key = settings.base_url, settings.model
        if len(self._stays) < MOST_MODELS or key in self._stays:
            self._stays[key] = stays and self._stays.get(key, True)


async def follow(
    steps: AsyncGenerator[Event, None], settings: Settings, manners: Manners, *, is_whole: bool = False
) -> AsyncGenerator[Piece, None]:
    """The pieces of the answer's text, which joined are that; then the Answer; and None where it takes a while.

    is_whole: whether the text is wanted in one piece.
    Raises what the steps raise, and ModelError where a model has taken back what was passed on already.
    """
    is_live = not is_whole and manners.may_stream(settings)
    clock = asyncio.get_running_loop().time
    passed_seconds = clock()  # when something was last passed on
    begun, written, told, answer = "", "", "", None  # at first, by the model, and passed on
    async with aclosing(with_pulse(steps, PULSE_SECONDS)) as events:
        async for event in events:
            match event:
                case Draft(text=text) if not begun and not written:
                    begun = text
                case TextDelta(text=text):
                    written += text
                    if is_live:
                        told += text
                        yield text
                        passed_seconds = clock()
                case Answer(text=text):
                    if written != text:
                        manners.note(settings, stays=False)
                    elif event.model and event.citations and _find_letters(text).startswith(_find_letters(begun)):
                        manners.note(settings, stays=True)
                    if not text.startswith(told) or (answer and answer.text != text):
                        raise ModelError(
                            "The language model thought aloud before it answered, which was taken for its answer: ask "
                            "again, and its replies are held back until they are whole.",
                            retry_helps=True,
                        )
                    if rest := text[len(told) :]:
                        told = text
                        yield rest
                        passed_seconds = clock()
                    answer = event
            if clock() - passed_seconds >= PULSE_SECONDS:
                yield None
                passed_seconds = clock()
    if answer is None:
        raise TypeError("an answer's steps ended without an Answer")
    yield answer


def _find_letters(text: str) -> str:
    """What a text says, whatever its format, without its markers."""
    return "".join(filter(str.isalnum, re.sub(r"\[\d{1,4}\]", "", text)))


async def finish(
    steps: AsyncGenerator[Event, None], settings: Settings, manners: Manners, is_left: Callable[[], Awaitable[bool]]
) -> Answer | None:
    """The Answer alone; None where who asked has left meanwhile."""
    answer = None
    async with aclosing(follow(steps, settings, manners, is_whole=True)) as pieces:
        async for piece in pieces:
            if isinstance(piece, Answer):
                answer = piece
            elif await is_left():
                return None
    return answer


async def begin(pieces: AsyncGenerator[Piece, None]) -> AsyncGenerator[Piece, None]:
    """The same pieces, the first of which is there: what goes wrong before it is raised here."""
    first = await anext(pieces)

    async def go_on() -> AsyncGenerator[Piece, None]:
        async with aclosing(pieces):
            yield first
            async for piece in pieces:
                yield piece

    return go_on()
