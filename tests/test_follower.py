from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.follower import Follower


class UseError(Exception):
    """A use failed."""


class MakeError(Exception):
    """An item could not be made."""


def follow(items: int, fails: set[int], ends_at: int, ending: BaseException | None, used: list[int]) -> Iterator[int]:
    """Make so many items, the last of which `ending` comes in place of, and use them; give each once it is given on."""
    busy = threading.Lock()

    def use(item: int) -> None:
        assert busy.acquire(blocking=False)  # one at a time
        if item in fails:
            busy.release()
            raise UseError(item)
        used.append(item)
        busy.release()

    with Follower(use) as follower:
        for item in range(items):
            if item == ends_at and ending:
                raise ending
            follower.give(item)
            yield item
        follower.wait()


@given(st.integers(0, 6), st.sets(st.integers(0, 6), max_size=2), st.integers(0, 6), st.booleans())
def test_whatever_fails_is_told_as_if_one_thing_were_done_after_the_other(
    items: int, fails: set[int], ends_at: int, cannot_be_made: bool
) -> None:
    used: list[int] = []
    first_use = min((item for item in fails if item < items), default=items)
    first_make = ends_at if cannot_be_made and ends_at < items else items
    before = threading.active_count()
    walk = follow(items, fails, ends_at, MakeError(ends_at) if cannot_be_made else None, used)
    if first_use < first_make:
        with pytest.raises(UseError, match=f"^{first_use}$"):
            list(walk)
    elif first_make < items:
        with pytest.raises(MakeError):
            list(walk)
    else:
        list(walk)
    assert used == list(range(min(first_use, first_make)))
    assert threading.active_count() == before


@given(st.integers(1, 6), st.sets(st.integers(0, 6), max_size=2), st.sampled_from([KeyboardInterrupt, GeneratorExit]))
def test_what_is_broken_off_stays_that_and_finishes_what_was_given(
    given_on: int, fails: set[int], ending: type[BaseException]
) -> None:
    used: list[int] = []
    before = threading.active_count()
    walk = follow(given_on + 1, fails, given_on, KeyboardInterrupt(), used)
    reached = []
    try:
        for item in walk:
            reached.append(item)
            if ending is GeneratorExit and len(reached) == given_on:
                walk.close()  # type: ignore[attr-defined]
    except UseError as error:
        assert error.args[0] < given_on - 1
    except KeyboardInterrupt:
        assert ending is KeyboardInterrupt
    assert used == list(range(min((item for item in fails if item < given_on), default=given_on)))
    assert threading.active_count() == before


def test_the_next_item_is_made_while_one_is_used_and_no_other_waits() -> None:
    goes_on, used = threading.Event(), []

    def use(item: int) -> None:
        assert goes_on.wait(10)
        used.append((item, threading.current_thread() is threading.main_thread()))

    with Follower(use) as follower:
        follower.give(1)
        assert used == []  # and here we are
        threading.Timer(0.05, goes_on.set).start()
        follower.give(2)
        assert used[:1] == [(1, False)]
    assert used == [(1, False), (2, False)]


def test_a_failure_is_told_once() -> None:
    def fail(item: int) -> None:
        raise UseError(item)

    with Follower(fail) as follower:
        follower.give(1)
        with pytest.raises(UseError):
            follower.wait()
        follower.wait()
        with pytest.raises(UseError, match=r"^2$"):
            follower.give(2)
            follower.give(3)


def test_a_thread_that_cannot_be_begun_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with Follower(print) as follower:
        with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="new thread"):
            patch.setattr(threading.Thread, "start", refuse)
            follower.give(1)
        follower.wait()


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_what_is_being_used_is_finished_however_often_ctrl_c_is_pressed() -> None:
    used = []

    def use(item: int) -> None:
        for _ in range(3):
            time.sleep(0.05)
            os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.05)
        used.append(item)

    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt), Follower(use) as follower:
        follower.give(1)
        follower.wait()
    assert used == [1]
    assert threading.active_count() == before
