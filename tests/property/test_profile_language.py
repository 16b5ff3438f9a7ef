"""Profiles in the whole language against any events: what must hold is told in `fuzzing`."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzzing import check, events, profile

BLOCK = 250


@pytest.mark.parametrize("block", range(8))
def test_nothing_is_stuck_and_nothing_is_lost(block: int) -> None:
    for seed in range(block * BLOCK, (block + 1) * BLOCK):
        random = Random(seed)
        check(profile(random), events(random, 60))


@given(st.randoms(use_true_random=False))
def test_what_chance_finds_is_made_small(random: Random) -> None:
    check(profile(random), events(random, 30))
