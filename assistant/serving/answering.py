"""What programs ask a server for: done in threads, so much at once; more waits its turn, and too much is refused.

    answering = Answering()
    async for event in answering.follow(lambda: stream_answer(question, folder), client):
        ...

But: a walk that nobody follows any more ends at its next step, and not before; until then its place is taken.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import ExitStack, aclosing
from typing import TypeVar

from assistant.awaiting import follow_steps
from assistant.serving.limits import Places

AT_ONCE = 4  # walks at the same time
MOST_WAITING, MOST_WAITING_OF_CLIENT = 64, 16

Step = TypeVar("Step")
Result = TypeVar("Result")


class Answering:
    """The walks of one server."""

    def __init__(self) -> None:
        self._places = Places(MOST_WAITING, MOST_WAITING_OF_CLIENT, "questions")
        self._turns = asyncio.Semaphore(AT_ONCE)

    def count(self) -> int:
        """How many walks wait or are under way."""
        return self._places.count()

    async def follow(self, walk: Callable[[], Iterable[Step]], client: str = "") -> AsyncGenerator[Step, None]:
        """The steps of a walk, as they are made in a thread.

        client: of whom walks are counted together, "" for nobody.
        Raises RefusedError where too many wait, before the first step; and what the walk raises.
        """
        with ExitStack() as holding:
            holding.enter_context(self._places.take(client))
            await self._turns.acquire()
            holding.callback(self._turns.release)
            # From now on the thread holds them.
            held = holding.pop_all()
        async with aclosing(follow_steps(walk, _start_thread, held.close)) as steps:
            async for step in steps:
                yield step

    async def run(self, work: Callable[[], Result], client: str = "") -> Result:
        """What some work gives that is done in one step."""
        # To its end, where its place is free again.
        results = [result async for result in self.follow(lambda: [work()], client)]
        return results[0]


def _start_thread(work: Callable[[], None]) -> None:
    threading.Thread(target=work, name="footnote-answering", daemon=True).start()
