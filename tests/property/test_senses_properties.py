"""Whatever people do before the camera: what begins ends, and nothing comes from nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gesturectl.dwell import Dwell
from gesturectl.presence import Presence
from gesturectl.reps import Limit, Reps, Swing
from gesturectl.senses import Angle, Cue, Senses
from gesturectl.types import SIDES, Began, Body, Ended, Hand, Moved, Observation, Side
from gesturectl.zones import Zone
from tests.sensing import body as body_of
from tests.sensing import elbow_bent, frame, hand

ZONES = {
    "corner": Zone(image=(0.0, 0.0, 0.4, 0.4)),
    "mouth": Zone(around="mouth", radius=0.6),
    "bowed": Zone(image=(0.0, 0.45, 1.0, 1.0), part="nose"),
}
KNEE = Swing("right_elbow", 150.0, 90.0)
CUES = (
    *(Cue("zone", name) for name in ZONES),
    Cue("angle", Angle("right_elbow", below_deg=90.0)),
    Cue("angle", Angle("index_finger", above_deg=120.0)),
    Cue("reps", Reps(angle=KNEE)),
    Cue("reps", Reps(angle=KNEE, form="bad", limits=(Limit("trunk", below_deg=20.0),))),
    Cue("reps", Reps(gesture="fist")),
    Cue("presence", Presence(after_us=200_000, gone_us=400_000)),
    Cue("dwell", Dwell(300_000)),
)

Frames = list[tuple[Observation, tuple[Began | Ended, ...]]]
PLACES = st.sampled_from([-0.1, 0.1, 0.3, 0.5, 0.9])
HANDS = st.builds(
    hand, right=PLACES, down=PLACES, shape=st.sampled_from(["fist", "open_palm", "pinch"])
)
BODIES = st.builds(
    lambda bend, down, unseen: body_of(elbow_bent(bend), down=down, unseen=unseen),
    st.sampled_from([40.0, 80.0, 120.0, 170.0]),
    st.sampled_from([0.6, 0.9]),
    st.sampled_from([(), (14,), (11, 12), tuple(range(33))]),
)


@st.composite
def scenes(draw: st.DrawFn) -> Frames:
    """A person who does this and that, each for some frames, and gestures of the hands."""
    frames: Frames = []
    shown: dict[Side, str] = {}
    t_us = draw(st.integers(0, 10**9))
    for _ in range(draw(st.integers(1, 12))):
        hands = {side: draw(st.none() | HANDS) for side in SIDES}
        body = draw(st.none() | BODIES)
        pace_us = draw(st.sampled_from([16_667, 33_333, 66_667, 400_000]))
        for index in range(draw(st.integers(1, 12))):
            t_us += pace_us
            events: list[Began | Ended] = []
            who: list[Hand | Body] = [body] if body is not None else []
            for side, one in hands.items():
                if one is not None:
                    who.append(replace(one, side=side))
                if index == 0 and side in shown:
                    events.append(Ended(t_us, shown.pop(side), side, 0.9))
                if index == 0 and one is not None and draw(st.booleans()):
                    shown[side] = "fist"
                    events.append(Began(t_us, "fist", side, 0.9))
            frames.append((frame(t_us, *who), tuple(events)))
    return frames


def heard(senses: Senses, frames: Frames) -> list[Began | Ended | Moved]:
    return [event for one, events in frames for event in senses.step(one, events)]


@settings(deadline=None)
@given(scenes())
def test_every_beginning_has_its_end_and_none_ends_that_has_not_begun(frames: Frames) -> None:
    senses = Senses(CUES, ZONES, moved=True)
    last_us = frames[-1][0].t_us + 1
    open_now: Counter[tuple[str, str]] = Counter()
    for event in (*heard(senses, frames), *senses.reset(last_us)):
        if isinstance(event, Began):
            open_now[event.gesture, event.side] += 1
        elif isinstance(event, Ended):
            open_now[event.gesture, event.side] -= 1
        assert set(open_now.values()) <= {0, 1}
    assert not any(open_now.values())


@settings(deadline=None)
@given(scenes())
def test_times_are_those_of_the_frames(frames: Frames) -> None:
    senses = Senses(CUES, ZONES, moved=True)
    for observation, events in frames:
        for event in senses.step(observation, events):
            assert event.t_us == observation.t_us


@settings(deadline=None)
@given(scenes())
def test_after_a_pause_all_is_as_in_the_beginning(frames: Frames) -> None:
    """But for what is kept on purpose: counts, and that somebody has been there."""
    used = Senses(CUES, ZONES)
    heard(used, frames)
    used.reset(frames[-1][0].t_us)
    later = [
        (replace(one, t_us=one.t_us + 10**10), tuple(replace(e, t_us=e.t_us + 10**10) for e in es))
        for one, es in frames
    ]
    assert heard(used, later) == heard(Senses(CUES, ZONES), later)


@settings(deadline=None, max_examples=30)
@given(scenes())
def test_cues_do_not_hear_each_other(frames: Frames) -> None:
    together = heard(Senses(CUES, ZONES), frames)
    for cue in CUES:
        alone = heard(Senses([cue], ZONES), frames)
        assert alone == [
            one for one in together if not isinstance(one, Moved) and one.gesture == cue.name
        ]


@settings(deadline=None)
@given(HANDS, BODIES, st.integers(20, 60))
def test_when_nothing_changes_nothing_is_said(shown: Hand, body: Body, count: int) -> None:
    """After the first moments: somebody who stands still begins whatever it is and no more."""
    senses = Senses(CUES, ZONES)
    still: Frames = [(frame(i * 33_333, shown, body), ()) for i in range(count)]
    events = heard(senses, still)
    assert all(isinstance(event, Began) for event in events)
    assert all(event.t_us < 600_000 for event in events)


def film(fps: float, seed: int) -> Frames:
    """The same twelve seconds at any rate: an elbow that bends, a hand that visits and rests."""
    rng = np.random.default_rng(seed)
    turns = np.arange(0.0, 12.5, 1.5)
    bends = rng.permutation([40.0, 170.0, 60.0, 165.0, 75.0, 160.0, 50.0, 172.0, 168.0])
    downs = rng.choice([0.1, 0.35, 0.7, 0.9], len(turns))

    def eased(t_s: float, values: np.ndarray) -> float:
        """Half a second of moving, a second of rest."""
        index = min(int(t_s / 1.5), len(turns) - 2)
        part = min(1.0, (t_s - turns[index]) / 0.5)
        return float(values[index] + part * (values[index + 1] - values[index]))

    return [
        (
            frame(
                round(i * 1e6 / fps),
                body_of(elbow_bent(eased(i / fps, bends))),
                hand(0.2, eased(i / fps, downs)),
            ),
            (),
        )
        for i in range(int(12 * fps))
    ]


TWO_FRAMES_US = 134_000  # of the slowest camera


@pytest.mark.parametrize("seed", range(8))
def test_15_and_60_frames_a_second_tell_the_same_story(seed: int) -> None:
    stories = {}
    for fps in (15.0, 24.0, 30.0, 60.0):
        events = heard(Senses(CUES, ZONES), film(fps, seed))
        stories[fps] = {
            cue.name: [(type(e).__name__, e.t_us) for e in events if e.gesture == cue.name]  # type: ignore[union-attr]
            for cue in CUES
        }
    for name, exact in stories[60.0].items():
        for fps in (15.0, 24.0, 30.0):
            story = stories[fps][name]
            assert [kind for kind, _ in story] == [kind for kind, _ in exact], (fps, name)
            for (_, t_us), (_, exact_us) in zip(story, exact, strict=True):
                assert abs(t_us - exact_us) <= TWO_FRAMES_US, (fps, name)
