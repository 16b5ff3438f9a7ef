"""Takes: where a gesture begins and ends when nobody presses a key, and which takes are refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from gesturectl import custom
from gesturectl.errors import SampleError
from gesturectl.sources.puppet.scene import Act
from gesturectl.takes import (
    Cutter,
    Phase,
    Sight,
    State,
    Timing,
    cut_all,
    judge,
    labelled,
    odd_one,
    step,
)
from gesturectl.trimming import only
from gesturectl.types import Hand, Observation
from tests.acting import SIZE_PX, Performance, body_of

S = 1_000_000
FIVE = "little_finger,little_finger,little_finger,little_finger,little_finger"


def act(script: str, **options: bool) -> list[Observation]:
    return Performance(script).at(30, **options)


def nobody(t_us: int) -> Observation:
    return Observation(t_us, (), (), SIZE_PX)


def covers(take: Sequence[Observation], act: Act) -> bool:
    return take[0].t_us <= act.start_us and act.end_us <= take[-1].t_us


def one(observations: Iterable[Observation], part: str = "hand") -> Sequence[Observation]:
    """The only take of a recording."""
    (taken,) = cut_all(observations, part)  # type: ignore[arg-type]
    assert taken[1] is None
    return taken[0]


# --- cutting ------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", [FIVE, "zigzag,zigzag,swipe_left,circle_cw", "fist:1s,push"])
def test_every_gesture_between_two_rests_is_one_take_and_lies_within_it(script: str) -> None:
    performance = Performance(script)
    taken = list(cut_all(performance.at(30), "hand"))
    assert [why for _, why in taken] == [None] * len(performance.acts)
    for (take, _), acted in zip(taken, performance.acts, strict=True):
        assert covers(take, acted)


@pytest.mark.parametrize("fps", [15, 24, 60])
def test_cameras_of_any_rate_tell_the_same_takes(fps: float) -> None:
    performance = Performance(FIVE)
    taken = list(cut_all(performance.at(fps), "hand"))
    assert all(
        covers(take, acted) for (take, _), acted in zip(taken, performance.acts, strict=True)
    )


def test_a_body_that_leaves_its_posture_and_comes_back_makes_a_take() -> None:
    performance = Performance("t_pose,arms_up")
    for part in ("body", "auto"):
        taken = list(cut_all(performance.at(30, body=True), part))  # type: ignore[arg-type]
        assert len(taken) == 2
        for (take, why), acted in zip(taken, performance.acts, strict=True):
            assert why is None
            assert covers(take, acted)


def test_a_pose_held_long_ends_its_take_while_it_is_held() -> None:
    performance = Performance("little_finger:4s,little_finger:4s")
    taken = list(cut_all(performance.at(30), "hand"))
    assert len(taken) == 2
    for (take, _), acted in zip(taken, performance.acts, strict=True):
        assert acted.start_us + S < take[-1].t_us < acted.end_us


def test_a_hand_that_flickers_is_no_take() -> None:
    hand = next(o.hands[0] for o in act("fist") if o.hands)
    frames = [nobody(t * 33_333) for t in range(90)]
    frames[40:44] = [replace(o, hands=(hand,)) for o in frames[40:44]]
    assert list(cut_all(frames, "hand")) == []


def test_a_movement_without_end_is_refused_and_the_next_gesture_is_a_take_again() -> None:
    swinging = act("wave:11s,little_finger")
    first, second = cut_all(swinging, "hand")
    assert first[1] == "it took longer than 8 s"
    assert second[1] is None


def test_a_recording_that_ends_in_the_middle_gives_what_there_is() -> None:
    frames = act("little_finger:3s")
    cut_short = frames[: len(frames) // 2]
    assert one(cut_short)[-1] is cut_short[-1]


def test_a_hand_raised_and_ready_is_home_and_a_finger_that_moves_leaves_it() -> None:
    """A small range of motion: the hand never leaves the picture, one finger bends and returns."""
    hand = next(o.hands[0] for o in act("point_up") if o.hands)

    def bent(by: float) -> Hand:
        image = hand.image.copy()
        palm = np.linalg.norm(image[9, :2] - image[0, :2])
        image[6:9, 1] += np.float32(by * palm) * np.array([0.3, 0.7, 1.0], np.float32)
        return replace(hand, image=image)

    bends = [0.5 * np.sin(np.pi * np.clip((i - 60) / 30, 0, 1)) for i in range(150)]
    frames = [Observation(i * 33_333, (bent(b),), (), SIZE_PX) for i, b in enumerate(bends)]
    take = one(frames)
    assert take[0].t_us < 62 * 33_333
    assert take[-1].t_us > 76 * 33_333


def test_a_countdown_keeps_what_is_done_meanwhile_from_being_a_take() -> None:
    cutter = Cutter("hand", Timing(countdown_us=5 * S))
    frames = act("fist,wait:3s,little_finger")
    taken = [found for o in frames if (found := cutter.step(o))]
    assert len(taken) == 1
    assert taken[0][0][0].t_us > 5 * S


@pytest.mark.parametrize(("seen", "why"), [(False, "nobody was seen"), (True, "nothing moved")])
def test_somebody_who_is_waited_for_in_vain_hears_why(seen: bool, why: str) -> None:
    hand = next(o.hands for o in act("fist") if o.hands)
    frames = [replace(nobody(i * 33_333), hands=hand if seen else ()) for i in range(30 * 10)]
    cutter = Cutter("hand", Timing(countdown_us=S, wait_us=4 * S))
    reasons = [found[1] for o in frames if (found := cutter.step(o))]
    assert reasons == [why]


def test_the_state_is_never_changed_in_place() -> None:
    before = State()
    after, cut = step(Timing(), before, Sight(0, {}, 0.0))
    assert (before, cut) == (State(), None)
    assert after.phase is Phase.WAITING


# --- labels -------------------------------------------------------------------------------------


def frames_with(labels: str) -> list[tuple[Observation, str | None]]:
    names = {"-": None, "z": "zigzag", "o": "other"}
    return [(nobody(i), names[letter]) for i, letter in enumerate(labels)]


def test_each_stretch_of_a_label_is_a_take() -> None:
    assert [len(take) for take in labelled(frames_with("--zzz--zz-o"), "zigzag")] == [3, 2]


def test_a_single_label_means_the_gesture_whatever_its_name() -> None:
    assert [len(take) for take in labelled(frames_with("-oo-o"), "zigzag")] == [2, 1]


def test_no_labels_are_no_takes_and_strange_ones_are_an_error() -> None:
    assert labelled(frames_with("---"), "zigzag") == []
    with pytest.raises(SampleError, match="other, zigzag"):
        labelled(frames_with("-oo-z"), "mine")


# --- judging ------------------------------------------------------------------------------------


def good() -> list[Observation]:
    return list(one(act("little_finger")))


def test_a_good_take_has_no_problem() -> None:
    quality = judge(good(), "hand")
    assert quality.problem is None
    assert quality.seen["right"] == 1.0
    assert round(quality.rate_hz) == 30


def without_hands(take: Sequence[Observation], lost: Iterable[int]) -> list[Observation]:
    gone = set(lost)
    return [replace(o, hands=()) if i in gone else o for i, o in enumerate(take)]


def moved(take: Sequence[Observation], dx: float, dy: float) -> list[Observation]:
    shift = np.array([dx, dy, 0], np.float32)
    return [replace(o, hands=tuple(replace(h, image=h.image + shift) for h in o.hands))
            for o in take]  # fmt: skip


def test_each_bad_take_is_refused_with_its_reason() -> None:
    take = good()
    count = len(take)
    shown = [i for i, o in enumerate(take) if o.hands]
    still = [replace(take[shown[len(shown) // 2]], t_us=i * 33_333) for i in range(10)]
    reasons = {
        "no hand was seen": without_hands(take, range(count)),
        "too short: 0.1 s": take[shown[5] : shown[5] + 4],
        "only 5 pictures a second": take[::6],
        "was seen in only": without_hands(take, (i for i in shown[3:-3] if i % 2 or i % 3)),
        "hardly seen": without_hands(take, shown[3:]),
        "leaves the picture on your left": moved(take, 0.75, 0.0),
        "leaves the picture on your right": moved(take, -0.75, 0.0),
        "leaves the picture at the top": moved(take, 0.0, -0.7),
        "nothing moved": [*still, *(nobody((10 + i) * 33_333) for i in range(3))],
    }
    for says, bad in reasons.items():
        problem = judge(bad, "hand").problem
        assert problem is not None, says
        assert says in problem


def test_a_body_is_judged_by_its_own_landmarks() -> None:
    take = one(act("t_pose", body=True), "body")
    assert judge(take, "body").problem is None
    unseen = [replace(o, bodies=()) for o in take]
    assert "nobody was seen" in str(judge(unseen, "body").problem)


def test_only_what_a_part_looks_at_is_kept() -> None:
    body = body_of(np.tile([0.0, -1.0, 2.0], (33, 1)))
    take = [replace(o, bodies=(body,)) for o in good()]
    assert not any(o.bodies for o in only(take, "hand"))
    assert not any(o.hands for o in only(take, "body"))
    assert only(take, "auto") == take


def test_the_take_that_is_unlike_the_others_is_found_wherever_it_stands() -> None:
    alike = [custom.embed(take) for take, _ in cut_all(act("zigzag,zigzag,zigzag"), "hand")]
    odd = custom.embed(good())
    assert odd_one(np.array(alike)) is None
    assert odd_one(np.array([alike[0], odd])) is None
    for place in range(3):
        rows = alike[:2]
        rows.insert(place, odd)
        assert odd_one(np.array(rows)) == place
