"""What a run holds is not searched for garbage, and what it no longer needs goes back."""

from __future__ import annotations

import gc
import platform

import psutil
import pytest

from gesturectl import garbage

BLOCK, BLOCKS = 100_000, 1_000  # below what the C library asks the system for one by one


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries keep nothing back")
def test_memory_that_is_free_between_what_is_used_goes_back() -> None:
    process = psutil.Process()
    blocks = [bytes([number % 255 + 1]) * BLOCK for number in range(BLOCKS)]
    used = blocks[::50]  # the heap cannot shrink below the last of them
    del blocks
    before = process.memory_info().rss
    garbage.give_back()
    assert before - process.memory_info().rss > 0.5 * BLOCK * BLOCKS
    assert all(len(block) == BLOCK for block in used)


def test_where_nothing_can_be_given_back_nothing_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(garbage, "_LIBC", object())
    garbage.give_back()


def test_what_is_there_is_left_alone_only_while_a_run_lasts() -> None:
    before = gc.get_threshold()
    with garbage.frozen():
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold() == garbage.THRESHOLDS
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == before
