"""A walk's steps, made in a thread and awaited in an event loop: the one bridge between the two."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import suppress
from contextvars import copy_context
from typing import Any, Final, TypeVar

Step = TypeVar("Step")
_END: Final = object()


async def follow_steps(
    walk: Callable[[], Iterable[Step]], start: Callable[[Callable[[], None]], object], end: Callable[[], object]
) -> AsyncGenerator[Step, None]:
    """The steps of a walk, as they are made in a thread; and what it raises.

    start: has the work that it is given done in a thread, at once or when there is one. end: called in the loop, once
    the thread is done. Whoever follows no longer has the walk end at its next step, and not before.
    """
    loop = asyncio.get_running_loop()
    steps: asyncio.Queue[tuple[Any, BaseException | None, bool]] = asyncio.Queue()
    is_left = threading.Event()

    def tell(step: Any = None, failure: BaseException | None = None, *, is_over: bool = False) -> None:
        with suppress(RuntimeError):  # where the loop has ended meanwhile
            loop.call_soon_threadsafe(steps.put_nowait, (step, failure, is_over))

    def run() -> None:
        failure: BaseException | None = None
        try:
            if not is_left.is_set():
                for step in walk():
                    if is_left.is_set():
                        break
                    tell(step)
        except BaseException as error:
            failure = error
        finally:
            try:
                loop.call_soon_threadsafe(end)
            except RuntimeError:  # nobody but this thread is left to do so
                end()
            tell(failure=failure, is_over=True)

    context = copy_context()
    start(lambda: context.run(run))
    try:
        while True:
            step, failure, is_over = await steps.get()
            if failure:
                raise failure
            if is_over:
                return
            yield step
    finally:
        is_left.set()


async def with_pulse(steps: AsyncGenerator[Step, None], seconds: float) -> AsyncGenerator[Step | None, None]:
    """The steps, and None whenever none has come for some seconds. Who follows no longer closes them."""
    taking: asyncio.Future[Any] | None = None
    try:
        while True:
            taking = taking or asyncio.ensure_future(_take(steps))
            if not (await asyncio.wait([taking], timeout=seconds))[0]:
                yield None
                continue
            step, taking = taking.result(), None
            if step is _END:
                return
            yield step
    finally:
        # Where a step is under way, its end ends the walk; else that is told.
        if taking and not taking.done():
            taking.cancel()
        else:
            await steps.aclose()


async def _take(steps: AsyncGenerator[Step, None]) -> object:
    return await anext(steps, _END)
