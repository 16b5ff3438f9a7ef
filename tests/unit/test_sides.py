"""A hand keeps its side while it moves, whatever single labels say."""

from __future__ import annotations

import numpy as np

from gesturectl.landmarks.sides import Track, settle
from gesturectl.types import Hand, Side

SIZE_PX = (640, 480)
FRAME_US = 33_333


def hand(label: Side, x: float = 0.5, y: float = 0.5, score: float = 0.97) -> Hand:
    """A palm one tenth of the picture wide at (x, y), labelled so."""
    image = np.zeros((21, 3), np.float32)
    image[:, 0] = x + 0.01 * np.arange(-10, 11) / 2
    image[:, 1] = y
    image[0, 1], image[9, 1] = y + 0.1, y - 0.1
    return Hand(label, score, image)


def watch(*frames: list[Hand], step_us: int = FRAME_US) -> list[tuple[Side, ...]]:
    """What sides come out, frame by frame."""
    tracks: tuple[Track, ...] = ()
    out: list[tuple[Side, ...]] = []
    for index, hands in enumerate(frames):
        tracks, settled = settle(tracks, hands, index * step_us, SIZE_PX)
        out.append(tuple(one.side for one in settled))
    return out


def test_a_label_is_believed_at_first_sight() -> None:
    assert watch([hand("right")], [hand("right")]) == [("right",), ("right",)]
    assert watch([hand("left", score=0.55)]) == [("left",)]


def test_a_label_that_flips_for_two_frames_does_not_swap_the_side() -> None:
    before, flip, after = [[hand("left")]] * 10, [[hand("right")]] * 2, [[hand("left")]] * 5
    assert set(watch(*before, *flip, *after)) == {("left",)}


def test_at_fifteen_frames_a_second_the_same_flip_lasts_longer_and_does_not_swap_either() -> None:
    before, flip = [[hand("left")]] * 10, [[hand("right", score=0.9)]] * 2
    assert set(watch(*before, *flip, step_us=66_667)) == {("left",)}


def test_a_wrong_first_label_is_outweighed_within_a_tenth_of_a_second() -> None:
    sides = watch([hand("right")], *[[hand("left")]] * 5)
    assert sides[0] == ("right",)
    assert sides[3:] == [("left",)] * 3


def test_a_label_that_stays_changed_wins_after_a_quarter_of_a_second() -> None:
    sides = watch(*[[hand("left")]] * 30, *[[hand("right")]] * 12)
    assert sides[30 + 6] == ("left",)
    assert sides[30 + 9] == ("right",)


def test_the_score_is_that_of_the_side_given() -> None:
    tracks, _ = settle((), [hand("left")], 0, SIZE_PX)
    for t_us in range(FRAME_US, 10 * FRAME_US, FRAME_US):
        tracks, _ = settle(tracks, [hand("left")], t_us, SIZE_PX)
    _, (settled,) = settle(tracks, [hand("right", score=0.75)], 10 * FRAME_US, SIZE_PX)
    assert settled.side == "left"
    assert settled.score == 0.25


def test_another_hand_elsewhere_does_not_inherit_the_side() -> None:
    sides = watch(*[[hand("left", x=0.1)]] * 20, [hand("right", x=0.9)])
    assert sides[-1] == ("right",)


def test_a_hand_is_followed_through_a_fast_swipe() -> None:
    # 1.2 pictures a second, with a wrong label in its midst.
    path = [[hand("right", x=0.9 - 0.04 * i)] for i in range(20)]
    path[10] = [hand("left", x=0.5, score=0.93)]
    assert set(watch(*path)) == {("right",)}


def test_a_hand_lost_for_a_moment_comes_back_as_itself() -> None:
    sides = watch(*[[hand("left")]] * 10, [], [], [hand("right", score=0.6)])
    assert sides[-1] == ("left",)


def test_a_hand_lost_for_a_second_comes_back_as_a_new_one() -> None:
    sides = watch(*[[hand("left")]] * 10, *[[]] * 30, [hand("right", score=0.6)])
    assert sides[-1] == ("right",)


def test_a_hand_that_is_there_after_frames_had_stopped_is_a_new_one() -> None:
    tracks: tuple[Track, ...] = ()
    for index in range(10):
        tracks, _ = settle(tracks, [hand("left")], index * FRAME_US, SIZE_PX)
    _, (settled,) = settle(tracks, [hand("right", x=0.1)], 60_000_000, SIZE_PX)
    assert settled.side == "right"


class TestTwoHands:
    def test_keep_their_sides_when_both_carry_the_same_label_for_a_moment(self) -> None:
        both = [hand("right", x=0.2), hand("left", x=0.8)]
        confused = [hand("left", x=0.2, score=0.9), hand("left", x=0.8)]
        sides = watch(*[both] * 10, confused, confused, both)
        assert {frozenset(pair) for pair in sides} == {frozenset({"left", "right"})}
        tracks, _ = settle((), both, 0, SIZE_PX)
        _, settled = settle(tracks, confused, FRAME_US, SIZE_PX)
        assert {one.side: round(float(one.image[10, 0]), 1) for one in settled} == {
            "right": 0.2,
            "left": 0.8,
        }

    def test_with_one_label_from_the_start_are_told_apart_by_place(self) -> None:
        _, settled = settle((), [hand("left", x=0.7), hand("left", x=0.3)], 0, SIZE_PX)
        assert {one.side: round(float(one.image[10, 0]), 1) for one in settled} == {
            "right": 0.3,  # the camera sees the user's right hand on its left
            "left": 0.7,
        }

    def test_the_one_that_was_there_first_keeps_its_side(self) -> None:
        alone = [[hand("left", x=0.3)]] * 10
        sides = watch(*alone, [hand("left", x=0.3), hand("left", x=0.7, score=0.99)])
        assert sorted(sides[-1]) == ["left", "right"]
        tracks: tuple[Track, ...] = ()
        for index, hands in enumerate(alone):
            tracks, _ = settle(tracks, hands, index * FRAME_US, SIZE_PX)
        newcomer = [hand("left", x=0.3), hand("left", x=0.7, score=0.99)]
        _, settled = settle(tracks, newcomer, 10 * FRAME_US, SIZE_PX)
        assert {one.side: round(float(one.image[10, 0]), 1) for one in settled} == {
            "left": 0.3,
            "right": 0.7,
        }

    def test_that_are_one_hand_found_twice_become_one(self) -> None:
        _, settled = settle((), [hand("left", score=0.8), hand("left", x=0.52)], 0, SIZE_PX)
        assert [(one.side, one.score) for one in settled] == [("left", 0.97)]

    def test_folded_together_stay_two(self) -> None:
        _, settled = settle((), [hand("left", x=0.52), hand("right", x=0.48)], 0, SIZE_PX)
        assert sorted(one.side for one in settled) == ["left", "right"]


def test_nobody_there_is_nobody_there() -> None:
    assert settle((), [], 0, SIZE_PX) == ((), ())


def settled(*hands: Hand, most: int) -> list[tuple[Side, float]]:
    _, kept = settle((), hands, 0, SIZE_PX, most)
    return sorted((one.side, round(float(one.image[9, 0]), 1)) for one in kept)


def test_of_several_people_s_hands_each_keeps_the_side_it_is_labelled_with() -> None:
    row = [hand("right", x=0.1), hand("right", x=0.4), hand("left", x=0.7)]
    assert settled(*row, most=4) == [("left", 0.7), ("right", 0.1), ("right", 0.4)]


def test_of_several_people_s_hands_one_found_twice_counts_once_whatever_its_labels() -> None:
    twice = [hand("right", x=0.1), hand("left", x=0.11, score=0.9), hand("left", x=0.7)]
    assert settled(*twice, most=4) == [("left", 0.7), ("right", 0.1)]


def test_no_more_hands_are_kept_than_are_looked_for() -> None:
    row = [hand("right", x=0.1 + 0.2 * index) for index in range(5)]
    assert len(settled(*row, most=4)) == 4
