"""The puppet camera: what its scripts say, what it promises as truth, what it gives as frames."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from gesturectl.catalog import catalog
from gesturectl.errors import SourceError
from gesturectl.kinematics import MOTIONS
from gesturectl.sources import EndOfSource, open_source, to_its_end
from gesturectl.sources.clock import ManualClock
from gesturectl.sources.puppet import Puppet, parse
from gesturectl.sources.puppet.script import BACKGROUNDS, DISTRACTORS, LIGHTS, UNSHIPPED, Item
from gesturectl.types import Frame

SMALL = "image=160x120&fps=10"


def stamps(puppet: Puppet) -> list[int]:
    return [frame.t_us for frame in to_its_end(puppet)]


# --- scripts


def test_a_script_says_what_is_acted_and_how() -> None:
    script = parse("swipe_left, open_palm:1.5s,wait:800ms,three/thumb@left?speed=1.5&skin=dark")
    assert script.items == (
        Item("swipe_left"),
        Item("open_palm", time_s=1.5),
        Item("wait", time_s=0.8),
        Item("three", variant="thumb", side="left"),
    )
    assert (script.speed, script.skin, script.fps) == (1.5, "dark", 30)


def test_all_acts_every_gesture_of_the_catalog_once_in_its_order() -> None:
    assert [act.gesture for act in Puppet("all").truth] == list(catalog())


def test_it_acts_gestures_that_nobody_has_trained_and_none_of_them_is_in_the_catalog() -> None:
    assert not set(UNSHIPPED) & set(catalog())
    truth = Puppet("arms_up," + ",".join(UNSHIPPED)).truth
    assert [act.gesture for act in truth] == ["arms_up", *UNSHIPPED]


def test_a_gesture_to_be_taught_is_shown_as_near_as_the_shipped_ones() -> None:
    for name in UNSHIPPED:
        puppet = Puppet(f"arms_up,{name}")
        act = puppet.truth[1]
        index = (act.start_us + act.end_us) // 2 * puppet.script.fps // 1_000_000
        assert puppet.look(index).right is not None


def test_parameters_alone_mean_all() -> None:
    assert parse("?skin=pale").items == parse("all").items


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("swipe_lfet", "no gesture 'swipe_lfet'; did you mean 'swipe_left'?"),
        ("fist,,fist", "'' is not NAME[/VARIANT][@SIDE][:TIME]"),
        ("xyzzy", "no gesture 'xyzzy'; known are open_palm,"),
        ("fist:1.5", "'fist:1.5': '1.5' is not a time; 1.5s or 800ms"),
        ("fist:0s", "the time must be from 50ms to 600s"),
        ("fist@top", "'top' is not a side; left or right"),
        ("fist/thumb", "no variant 'thumb'; there is none"),
        ("three/two", "no variant 'two'; there is three/thumb"),
        ("fist?sped=2", "no parameter 'sped'; did you mean 'speed'?"),
        ("fist?speed", "'speed' needs a value: how fast everything moves"),
        ("fist?speed=fast", "speed=fast: not a number"),
        ("fist?speed=99", "speed=99: must be from 0.25 to 4"),
        ("fist?skin=gren", "skin=gren: "),
        ("fist?image=640", "image=640: must be WIDTHxHEIGHT"),
        ("fist?fps=0", "fps=0: must be a whole number from 5 to 120"),
        ("fist?speed=nan", "speed=nan: must be from 0.25 to 4"),
    ],
)
def test_a_bad_word_is_named_and_a_better_one_suggested(script: str, says: str) -> None:
    with pytest.raises(SourceError) as caught:
        Puppet(script)
    assert str(caught.value).startswith("puppet script: ")
    assert says in str(caught.value)


def test_open_source_finds_the_puppet() -> None:
    with open_source(f"puppet:fist?{SMALL}", realtime=False) as source:
        frame = source.read(1.0)
    assert isinstance(frame, Frame)
    assert frame.rgb.shape == (120, 160, 3)
    assert frame.rgb.dtype == np.uint8
    assert source.description == f"puppet fist?{SMALL} 160×120 10 fps"


# --- truth


@pytest.mark.parametrize("query", ["", "?speed=2", "?distractors=2&seed=5", "?by=arm&side=left"])
def test_acts_stand_in_order_and_apart_within_the_script(query: str) -> None:
    puppet = Puppet(f"all{query}")
    acts = puppet.truth
    assert all(act.start_us < act.end_us for act in acts)
    assert all(a.end_us + 500_000 < b.start_us for a, b in pairwise(acts))
    assert acts[0].start_us > 500_000
    assert acts[-1].end_us < puppet.time_us(puppet.frames - 1)


def test_sides_are_told_as_the_script_asks() -> None:
    acts = Puppet("fist,fist@left,arms_up?side=right").truth
    assert [act.side for act in acts] == ["right", "left", "body"]


def test_waiting_and_distractors_are_no_gestures() -> None:
    script = ",".join(("wait:1s", "rest", *DISTRACTORS))
    assert Puppet(script).truth == ()


def test_a_pose_is_held_as_long_as_asked_and_speed_quickens_strokes() -> None:
    (held,) = Puppet("fist:2s").truth
    assert held.end_us - held.start_us == 2_000_000
    (slow,), (quick,) = Puppet("swipe_left").truth, Puppet("swipe_left?speed=2").truth
    usual_us = round(MOTIONS["swipe_left"].duration_s * 1e6)
    assert slow.end_us - slow.start_us == pytest.approx(usual_us, abs=2)
    assert quick.end_us - quick.start_us == pytest.approx(usual_us / 2, abs=2)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize(
    ("gesture", "axis", "sign"),
    [("swipe_left", 0, 1), ("swipe_right", 0, -1), ("swipe_up", 1, -1), ("swipe_down", 1, 1)],
)
def test_the_hand_goes_where_the_gesture_says(
    gesture: str, axis: int, sign: int, side: str
) -> None:
    puppet = Puppet(f"{gesture}?side={side}&fps=60")
    (act,) = puppet.truth
    first, last = (-(-t * 60 // 1_000_000) for t in (act.start_us, act.end_us))
    places = [getattr(puppet.look(i), side) for i in (first, last)]
    moved = (places[1][9] - places[0][9]) * puppet.script.image
    palm = np.linalg.norm((places[0][5] - places[0][17]) * puppet.script.image)
    assert 2.0 < sign * moved[axis] / palm < 6.0
    assert abs(moved[1 - axis]) < 0.4 * abs(moved[axis])


def test_the_hand_is_in_the_picture_during_every_gesture_of_the_hand() -> None:
    puppet = Puppet("all?fps=15")
    for act in puppet.truth:
        if act.side == "body":
            continue
        for index in range(-(-act.start_us * 15 // 1_000_000), act.end_us * 15 // 1_000_000):
            assert puppet.shown(index) == ("right",), (act, index)


def test_hands_at_rest_are_not_shown() -> None:
    puppet = Puppet("fist")
    assert puppet.shown(0) == ()
    assert puppet.shown(puppet.frames - 1) == ()


def test_a_frame_of_the_body_shows_all_of_it() -> None:
    puppet = Puppet("arms_up,t_pose,squat?fps=10")
    for act in puppet.truth:
        body = puppet.look(act.end_us * 10 // 1_000_000).body
        assert ((body > 0.0) & (body < 1.0)).all(), act


# --- frames


def test_the_same_script_gives_the_same_bytes() -> None:
    script = f"swipe_left?{SMALL}&distractors=1&background=clutter&seed=3"
    a, b = Puppet(script), Puppet(script)
    for index in (0, 7, 12):
        assert np.array_equal(a.picture(index), b.picture(index))
    assert not np.array_equal(a.picture(7), a.picture(8))


def test_another_seed_gives_other_frames() -> None:
    a, b = Puppet(f"fist?{SMALL}&seed=1"), Puppet(f"fist?{SMALL}&seed=2")
    assert not np.array_equal(a.picture(0), b.picture(0))


@pytest.mark.parametrize("background", BACKGROUNDS)
@pytest.mark.parametrize("light", LIGHTS)
def test_every_background_and_light_gives_a_picture_with_somebody_in_it(
    background: str, light: str
) -> None:
    puppet = Puppet(f"fist?{SMALL}&background={background}&light={light}&noise=0")
    picture = puppet.picture(puppet.frames // 2).astype(int)
    assert picture.std() > 5
    assert 20 < picture.mean() < 235


def test_stamps_are_exact_to_the_microsecond_and_the_script_ends() -> None:
    puppet = Puppet("fist:100ms?image=160x120&fps=24")
    seen = stamps(puppet)
    assert seen == [i * 1_000_000 // 24 for i in range(puppet.frames)]
    with pytest.raises(EndOfSource):
        puppet.read(1.0)


def test_a_loop_begins_again_and_its_stamps_go_on() -> None:
    puppet = Puppet("fist:100ms?image=160x120&fps=5&loop=1&noise=0")
    frames = [puppet.read(1.0) for _ in range(puppet.frames + 2)]
    first, again = frames[1], frames[puppet.frames + 1]
    assert first is not None
    assert again is not None
    assert np.array_equal(first.rgb, again.rgb)
    assert again.t_us == (puppet.frames + 1) * 200_000


def test_live_it_waits_for_its_time_and_stamps_frames_on_the_clock() -> None:
    clock = ManualClock(5_000_000)
    puppet = Puppet(f"fist?{SMALL}", realtime=True, clock=clock)
    seen = [puppet.read(1.0) for _ in range(3)]
    assert [frame.t_us for frame in seen if frame] == [5_000_000, 5_100_000, 5_200_000]
    assert clock.now_us() == 5_200_000
    assert puppet.offset_us == 5_000_000


def test_live_it_skips_what_is_late() -> None:
    clock = ManualClock()
    puppet = Puppet(f"fist?{SMALL}", realtime=True, clock=clock)
    puppet.read(1.0)
    clock.sleep_us(750_000)
    late = puppet.read(1.0)
    assert late is not None
    assert late.t_us == 700_000


def test_live_it_gives_nothing_before_the_time_when_not_waited_for() -> None:
    puppet = Puppet(f"fist?{SMALL}", realtime=True, clock=ManualClock())
    assert puppet.read(0.0) is not None
    assert puppet.read(0.05) is None
    assert puppet.read(0.06) is not None


def test_live_it_shows_its_last_frame_however_late_and_then_ends() -> None:
    clock = ManualClock()
    puppet = Puppet(f"fist?{SMALL}", realtime=True, clock=clock)
    puppet.read(1.0)
    clock.sleep_us(3_600_000_000)
    last = puppet.read(1.0)
    assert last is not None
    assert last.t_us == puppet.time_us(puppet.frames - 1)
    with pytest.raises(EndOfSource):
        puppet.read(1.0)


# --- several people


def test_behind_a_plus_stands_another_person_in_the_same_picture() -> None:
    first = parse(f"fist?x=-0.2&{SMALL}+thumb_up?x=0.2&skin=dark&fps=60")
    (other,) = first.beside
    assert [item.name for item in other.items] == ["thumb_up"]
    assert (other.x, other.skin, first.skin) == (0.2, "dark", "light")
    assert (other.image, other.fps) == (first.image, first.fps) == ((160, 120), 10)


def test_a_bad_word_of_the_other_is_told_too() -> None:
    with pytest.raises(SourceError, match="no gesture 'thumb_upp'"):
        Puppet("fist+thumb_upp")


def test_each_of_two_is_drawn_and_acts_for_themselves() -> None:
    both = Puppet(f"wait:1s?x=-0.25&size=0.7&noise=0&{SMALL}+fist?x=0.25&size=0.7")
    left = Puppet(f"wait:1s?x=-0.25&size=0.7&noise=0&{SMALL}")
    right = Puppet(f"fist?x=0.25&size=0.7&noise=0&{SMALL}")
    assert ([act.gesture for act in both.truth], both.frames) == ([], right.frames)
    assert [act.gesture for act in both.beside[0].truth] == ["fist"]
    index = both.frames // 2
    picture = both.picture(index)
    assert np.array_equal(picture[:, :60], left.picture(index % left.frames)[:, :60])
    assert np.array_equal(picture[:, 100:], right.picture(index)[:, 100:])


def test_a_person_may_come_later_and_leave_before_the_end() -> None:
    puppet = Puppet(f"fist?since=1&until=2&noise=0&background=plain&{SMALL}")
    empty = puppet.picture(0)
    assert np.array_equal(puppet.picture(25), empty)
    assert not np.array_equal(puppet.picture(15), empty)
