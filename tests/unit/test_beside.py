"""A thread beside the caller's works on another core, and gives back what it finds."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from gesturectl.landmarks.beside import Beside


@pytest.fixture
def beside() -> Iterator[Beside]:
    with closing(Beside("beside")) as one:
        yield one


def test_what_it_finds_comes_back(beside: Beside) -> None:
    assert beside.submit(lambda: "a palm").result() == "a palm"


def test_its_error_is_the_callers(beside: Beside) -> None:
    work = beside.submit(lambda: int("a palm"))
    with pytest.raises(ValueError, match="a palm"):
        work.result()
    assert beside.submit(lambda: "and it goes on").result() == "and it goes on"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a thread choose its cores")
def test_it_leaves_the_callers_core_alone_until_the_caller_waits(beside: Beside) -> None:
    everywhere = os.sched_getaffinity(0)
    if len(everywhere) < 2:
        pytest.skip("this machine has one core")
    begun = threading.Event()

    def where() -> set[int]:
        meanwhile = os.sched_getaffinity(0)
        begun.set()
        give_up_s = time.monotonic() + 10
        while os.sched_getaffinity(0) == meanwhile and time.monotonic() < give_up_s:
            time.sleep(0.001)
        assert os.sched_getaffinity(0) == everywhere
        return meanwhile

    work = beside.submit(where)
    assert begun.wait(10)
    assert len(everywhere - work.result()) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a thread choose its cores")
def test_with_one_core_allowed_it_works_there(beside: Beside) -> None:
    everywhere = os.sched_getaffinity(0)
    one = {min(everywhere)}
    os.sched_setaffinity(0, one)
    try:
        assert beside.submit(lambda: os.sched_getaffinity(0)).result() in (one, everywhere)
    finally:
        os.sched_setaffinity(0, everywhere)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a thread choose its cores")
def test_where_a_sandbox_forbids_to_choose_cores_it_works_anyway(
    beside: Beside, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(thread: int, cores: set[int]) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setaffinity", refuse)
    assert beside.submit(lambda: "a palm").result() == "a palm"
