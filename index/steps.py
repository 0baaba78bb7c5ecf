"""The steps of a walk - of a question, a search, a sync, a request - for who wants to know how they went.

A step has a name, the step that it is part of, how long it took and what it gave. Who listens decides what of that it
tells on. Where nobody listens, a walk is the plain generator that it is written as, and a step a plain call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from inspect import isgeneratorfunction
from itertools import count
from typing import Any, ParamSpec, Protocol, TypeVar, cast

Given = ParamSpec("Given")
Result = TypeVar("Result")

LEFT = "GeneratorExit"

_numbers = count(1)


class Step:
    """One step of a walk.

    name: what is done. within: the step that it is part of, None for the first of a walk that nothing else asked for.
    number: no other step of the process has it. failure: what class of error ended it, "" where none did; LEFT where
        nobody wanted the rest.
    result: what it gave; of a walk that gives step by step the last, if it returns nothing.
    request_id: of the request that asked for it, "" where none did. trace: the `traceparent` that came with it, or
        its own, for what goes on after it.
    seconds: how long it took, once it is over. parts: the seconds of the steps within, by name, each with theirs.
    failed: the names of the steps within that failed, whether or not this one went on.
    """

    __slots__ = (
        "begun", "failed", "failure", "name", "number", "parts", "request_id", "result", "seconds", "trace", "within"
    )  # fmt: skip

    def __init__(self, name: str, within: Step | None = None, request_id: str = "", trace: str = "") -> None:
        self.name = name
        self.within = within
        self.number = next(_numbers)
        self.request_id: str = request_id or (within.request_id if within else "")
        self.trace = trace
        self.begun = time.monotonic()
        self.seconds = 0.0
        self.result: object = None
        self.failure = ""
        self.parts: dict[str, float] = {}
        self.failed: set[str] = set()


class Listener(Protocol):
    """Who wants to know of steps, from whatever thread they are made in."""

    def begin(self, step: Step) -> None:
        """A step begins."""

    def end(self, step: Step) -> None:
        """It is over, and so are all within it."""


class _Walk:
    """A walk under way: the step that it is at. No two threads take steps of the same walk at once."""

    __slots__ = ("at",)

    def __init__(self, at: Step | None) -> None:
        self.at = at


_listeners: tuple[Listener, ...] = ()
_walk: ContextVar[_Walk | None] = ContextVar("walk", default=None)


def listen(listener: Listener) -> Callable[[], None]:
    """Tell somebody of all steps that begin from now on, until what is given back is called."""
    global _listeners
    _listeners = (*_listeners, listener)

    def leave() -> None:
        global _listeners
        _listeners = tuple(other for other in _listeners if other is not listener)

    return leave


def at() -> Step | None:
    """The step that is being taken here, None where it is part of no walk."""
    walk = _walk.get()
    return walk.at if walk else None


def step(name: str) -> Callable[[Callable[Given, Result]], Callable[Given, Result]]:
    """Have a function, or a generator, be a step of the walk that calls it; without a walk it is none."""

    def decorate(function: Callable[Given, Result]) -> Callable[Given, Result]:
        if isgeneratorfunction(cast(Any, function)):

            @wraps(function)
            def follow(*args: Given.args, **options: Given.kwargs) -> Result:
                steps = function(*args, **options)
                walk = _walk.get()
                if walk is None:
                    return steps
                return cast(Result, _follow(name, cast(Any, steps), walk))

            return follow

        @wraps(function)
        def call(*args: Given.args, **options: Given.kwargs) -> Result:
            walk = _walk.get()
            if walk is None:
                return function(*args, **options)
            with _taking(name, walk) as taken:
                taken.result = result = function(*args, **options)
                return result

        return call

    return decorate


def walk(name: str) -> Callable[[Callable[Given, Result]], Callable[Given, Result]]:
    """Have a generator be a walk of its own, within the step that asks for it if there is one."""

    def decorate(function: Callable[Given, Result]) -> Callable[Given, Result]:
        @wraps(function)
        def follow(*args: Given.args, **options: Given.kwargs) -> Result:
            steps = function(*args, **options)
            return cast(Result, _begin(name, cast(Any, steps))) if _listeners else steps

        return follow

    return decorate


def go_on(within: Step | None, steps: Iterator[Result]) -> Iterator[Result]:
    """A generator as it is, whose walks are part of a step that was begun elsewhere."""
    return _resume(cast(Any, steps), _Walk(within)) if within else steps


@contextmanager
def taking(name: str, request_id: str = "", trace: str = "") -> Iterator[Step]:
    """A walk of its own for as long as the block lasts, of which all that is done in it is part."""
    own = _Walk(None)
    token = _walk.set(own)
    try:
        with _taking(name, own, request_id, trace) as taken:
            yield taken
    finally:
        _walk.reset(token)


@contextmanager
def _taking(name: str, walk: _Walk, request_id: str = "", trace: str = "") -> Iterator[Step]:
    within = walk.at
    taken = walk.at = Step(name, within, request_id, trace)
    listeners = _listeners
    for listener in listeners:
        listener.begin(taken)
    try:
        yield taken
    except BaseException as error:
        taken.failure = type(error).__name__
        raise
    finally:
        walk.at = within
        taken.seconds = time.monotonic() - taken.begun
        if within:
            for part, seconds in (*taken.parts.items(), (name, taken.seconds)):
                within.parts[part] = within.parts.get(part, 0.0) + seconds
            within.failed |= taken.failed | ({name} if taken.failure not in ("", LEFT) else set())
        for listener in reversed(listeners):
            listener.end(taken)


def _begin(name: str, steps: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
    own = _Walk(at())
    return (yield from _resume(_follow(name, steps, own), own))


def _follow(name: str, steps: Generator[Any, Any, Any], walk: _Walk) -> Generator[Any, Any, Any]:
    with _taking(name, walk) as taken:
        try:
            while True:
                try:
                    taken.result = next(steps)
                except StopIteration as end:
                    taken.result = taken.result if end.value is None else end.value
                    return end.value
                yield taken.result
        finally:
            steps.close()


def _resume(steps: Generator[Any, Any, Any], walk: _Walk) -> Generator[Any, Any, Any]:
    """The same; each time that it goes on, be it in another thread, it is this walk that does."""
    try:
        while True:
            token = _walk.set(walk)
            try:
                given = next(steps)
            except StopIteration as end:
                return end.value
            finally:
                _walk.reset(token)
            yield given
    finally:
        token = _walk.set(walk)
        try:
            steps.close()
        finally:
            _walk.reset(token)
