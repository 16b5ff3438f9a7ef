"""When a picture is searched for somebody who is not followed yet."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gesturectl.landmarks.attention import (
    BESIDE_QUIET_US,
    BESIDE_US,
    BRISK_US,
    LOST_US,
    QUIET_US,
    SETTLE_US,
    State,
    changed,
    due,
    glance,
)
from gesturectl.landmarks.regions import Region

FRAME_US = 33_333


def played(
    seconds: float,
    *,
    moved: tuple[float, float] | None = None,
    followed: tuple[int, ...] = (0,),
    room: int = 1,
) -> list[float]:
    """Return at which seconds is searched; `followed` are as many equal spans of the time."""
    state, searched = State(), []
    for number in range(int(seconds * 30)):
        t_us = number * FRAME_US
        now_s = t_us / 1e6
        count = followed[min(int(now_s / seconds * len(followed)), len(followed) - 1)]
        stirs = moved is not None and moved[0] <= now_s < moved[1]
        state, search = due(state, t_us, count, missing=count < room, moved=stirs)
        if search:
            searched.append(round(now_s, 2))
    return searched


def gaps_us(times_s: list[float]) -> np.ndarray:
    return np.diff(times_s) * 1e6


def test_an_empty_room_is_searched_once_a_second() -> None:
    searched = played(5.0)
    assert searched[0] == 0.0
    assert np.all(gaps_us(searched) >= QUIET_US - 10_000)
    assert len(searched) == 5


def test_what_moves_is_searched_within_two_frames_and_for_a_while_after_it_rests() -> None:
    searched = played(6.0, moved=(2.5, 3.0))
    first = next(at for at in searched if at >= 2.5)
    assert first - 2.5 <= 0.07
    busy = [at for at in searched if 2.5 <= at < 3.0 + SETTLE_US / 1e6]
    assert np.all(gaps_us(busy) <= BRISK_US + FRAME_US)
    after = [at for at in searched if at >= 3.0 + SETTLE_US / 1e6 + 0.1]
    assert np.all(gaps_us(after) >= QUIET_US - 10_000)


def test_who_is_all_there_is_not_searched_for() -> None:
    assert played(5.0, followed=(1,), room=1, moved=(0.0, 5.0)) == []


def test_a_hand_that_is_lost_is_searched_in_every_frame_for_a_while() -> None:
    searched = played(4.0, followed=(1, 0), room=1)
    lost = [at for at in searched if 2.0 <= at < 2.0 + LOST_US / 1e6 - 0.02]
    assert np.all(gaps_us(lost) <= FRAME_US + 10_000)
    assert len(lost) >= 10


def test_the_other_of_two_hands_that_is_lost_is_noticed_though_nobody_was_missing() -> None:
    searched = played(4.0, followed=(2, 1), room=2)
    assert [at for at in searched if at < 2.0] == []
    lost = [at for at in searched if 2.0 <= at < 2.0 + LOST_US / 1e6 - 0.02]
    assert np.all(gaps_us(lost) <= FRAME_US + 10_000)


def test_beside_a_hand_another_is_searched_for_rarely_and_sooner_when_something_moves() -> None:
    assert np.all(gaps_us(played(4.0, followed=(1,), room=2)) >= BESIDE_QUIET_US - 10_000)
    moving = gaps_us(played(4.0, followed=(1,), room=2, moved=(0.0, 4.0)))
    assert np.all((moving >= BESIDE_US - 10_000) & (moving <= 150_000))


def test_a_clock_that_is_set_back_searches_at_once() -> None:
    state, _ = due(State(), 90_000_000, 0, missing=True, moved=False)
    assert due(state, 5_000, 0, missing=True, moved=False)[1]


@given(st.lists(st.tuples(st.integers(0, 400_000), st.integers(0, 3), st.booleans())))
def test_nobody_is_searched_for_where_nobody_is_missing_and_never_forgotten_where_one_is(
    frames: list[tuple[int, int, bool]],
) -> None:
    state, t_us, last_us = State(), 0, 0
    for step_us, followed, moved in frames:
        t_us += step_us
        missing = followed < 2
        state, search = due(state, t_us, followed, missing=missing, moved=moved)
        assert missing or not search
        if search or not missing:
            last_us = t_us
        assert t_us - last_us < QUIET_US or search or not missing


# --- what has changed -----------------------------------------------------------------------


def room(seed: int, noise: float = 5.0, light: float = 0.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    still = np.linspace(60, 180, 640)[None, :, None] + np.linspace(0, 40, 480)[:, None, None]
    seen = still + light + rng.normal(0, noise, (480, 640, 3))
    return seen.clip(0, 255).astype(np.uint8)


def with_hand(picture: np.ndarray, x: int, y: int, side: int = 40) -> np.ndarray:
    shown = picture.copy()
    shown[y : y + side, x : x + side] = (200, 150, 120)
    return shown


def test_noise_and_light_are_no_change() -> None:
    before = glance(room(1))
    assert not any(changed(glance(room(seed)), before) for seed in range(2, 12))
    assert not changed(glance(room(2, light=25.0)), before)
    assert not changed(glance(room(3, noise=9.0)), glance(room(4, noise=9.0)))


def test_a_small_hand_is_a_change_wherever_it_comes_in() -> None:
    before = glance(room(1))
    places = [(0, 0), (600, 0), (0, 440), (600, 440), (300, 200)]
    assert all(changed(glance(with_hand(room(2), x, y)), before) for x, y in places)


def test_a_change_where_a_hand_is_followed_is_none() -> None:
    before, now = glance(room(1)), glance(with_hand(room(2), 300, 200))
    assert not changed(now, before, [Region(320, 220, 120, 0.4)])
    assert changed(now, before, [Region(100, 100, 120, 0.0)])
    assert not changed(now, before, [Region(-50, 900, 3000, 0.0)])  # beyond the picture, too


def test_the_first_picture_and_one_of_another_size_are_changes() -> None:
    now = glance(room(1))
    assert changed(now, None)
    assert changed(now, glance(np.zeros((240, 320, 3), np.uint8)))
    assert glance(np.zeros((3, 5, 3), np.uint8)).shape == (1, 1)
