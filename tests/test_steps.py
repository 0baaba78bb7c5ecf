"""Steps are told to who listens, and change nothing of what is done, whatever threads a walk goes on in."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Generator, Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.steps import LEFT, Step, at, go_on, listen, step, taking, walk


class Heard:
    """Who listens: the steps by the order of their ends, and those under way."""

    def __init__(self) -> None:
        self.over: list[Step] = []
        self.under_way: list[Step] = []

    def begin(self, step: Step) -> None:
        self.under_way.append(step)

    def end(self, step: Step) -> None:
        self.under_way.remove(step)
        self.over.append(step)

    def names(self) -> list[str]:
        return [step.name for step in self.over]


@pytest.fixture
def heard() -> Iterator[Heard]:
    listener = Heard()
    leave = listen(listener)
    yield listener
    leave()
    assert listener.under_way == []


@step("double")
def double(number: int) -> int:
    return 2 * number


@step("count")
def count(most: int) -> Generator[int, None, str]:
    for number in range(most):
        yield double(number)
    return "counted"


@walk("inner")
def inner(most: int) -> Generator[int, None, str]:
    return (yield from count(most))


@walk("outer")
def outer(most: int) -> Generator[int | str, None, None]:
    told = yield from inner(most)
    yield told


@step("fail")
def fail() -> None:
    raise KeyError("words of a document")


@walk("failing")
def failing(*, goes_on: bool) -> Generator[str, None, None]:
    yield "begun"
    try:
        fail()
    except KeyError:
        if not goes_on:
            raise
    yield "over"


def test_where_nobody_listens_a_walk_is_its_own_generator() -> None:
    assert double(4) == 8
    walked = inner(2)
    assert isinstance(walked, Generator) and walked.gi_code.co_name == "inner"
    assert [*outer(2)] == [0, 2, "counted"]
    assert at() is None


def test_a_step_outside_of_a_walk_is_none(heard: Heard) -> None:
    assert double(4) == 8
    assert [*count(2)] == [0, 2]
    assert heard.over == []


def test_steps_know_what_they_are_part_of(heard: Heard) -> None:
    with taking("request", "id-1", "trace-1") as request:
        assert [*outer(1)] == [0, "counted"]
        assert at() is request
    assert at() is None
    assert heard.names() == ["double", "count", "inner", "outer", "request"]
    assert [step.within and step.within.name for step in heard.over] == ["count", "inner", "outer", "request", None]
    assert {step.request_id for step in heard.over} == {"id-1"}
    assert [step.result for step in heard.over[:4]] == [0, "counted", "counted", "counted"]
    assert request.parts.keys() == {"double", "count", "inner", "outer"}
    assert 0 <= request.parts["double"] <= request.parts["outer"] <= request.seconds


@given(most=st.integers(0, 6), threads=st.lists(st.integers(0, 2), min_size=20, max_size=20))
def test_each_part_of_a_walk_may_be_made_in_another_thread(most: int, threads: list[int]) -> None:
    listener = Heard()
    leave = listen(listener)
    try:
        walked, given = outer(most), []
        for number in threads:
            told: list[int | str] = []

            def go(told: list[int | str] = told) -> None:
                told.extend([event] if (event := next(walked, None)) is not None else ())

            match number:
                case 0:
                    go()
                case 1:
                    contextvars.Context().run(go)
                case _:
                    thread = threading.Thread(target=go)
                    thread.start()
                    thread.join()
            assert at() is None
            given += told
    finally:
        leave()
    assert given == [*(2 * number for number in range(most)), "counted"]
    assert listener.names() == [*["double"] * most, "count", "inner", "outer"]
    assert listener.under_way == []


def test_two_walks_in_turn_are_kept_apart(heard: Heard) -> None:
    first, second = outer(2), outer(2)
    assert [next(walked) for walked in (first, second, first, second)] == [0, 0, 2, 2]
    assert [*first] == [*second] == ["counted"]
    outers = [step for step in heard.over if step.name == "outer"]
    assert len(outers) == 2
    for one in outers:
        (within,) = [step for step in heard.over if step.within is one]
        assert within.name == "inner" and within.within is one


def test_what_fails_is_told_by_its_class_alone(heard: Heard) -> None:
    assert [*failing(goes_on=True)] == ["begun", "over"]
    with pytest.raises(KeyError):
        [*failing(goes_on=False)]
    assert [step.failure for step in heard.over] == ["KeyError", "", "KeyError", "KeyError"]
    assert heard.over[1].failed == {"fail"} == heard.over[3].failed


def test_a_walk_that_is_left_has_ended(heard: Heard) -> None:
    with closing(outer(5)) as walked:
        assert next(walked) == 0
    assert heard.names() == ["double", "count", "inner", "outer"]
    assert heard.over[-1].failure == LEFT and heard.over[-1].failed == set()
    assert heard.over[-1].result == 0


def test_a_walk_goes_on_after_the_request_that_asked_for_it(heard: Heard) -> None:
    with taking("request", "id-2") as request:
        pass
    assert [*go_on(request, outer(1))] == [*go_on(None, outer(1))] == [0, "counted"]
    after, without = (step for step in heard.over if step.name == "outer")
    assert after.within is request and after.request_id == "id-2"
    assert without.within is None and without.request_id == ""
