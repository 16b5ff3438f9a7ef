"""Five takes teach a gesture: what is learned, what is promised, what is kept on disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gesturectl import taught
from gesturectl.ears import Ear, confidence
from gesturectl.errors import ModelError, SampleError
from gesturectl.strips import Heard, Strip
from gesturectl.types import Observation
from gesturectl.views import beats
from tests.teaching import SIZE_PX, hand_take, known, ordinary_hand, raise_take, samples

EMPTY = [Observation((i + 1) * 33_333, (), (), SIZE_PX) for i in range(30)]


# --- what is learned ----------------------------------------------------------------------------


def test_the_takes_say_what_kind_of_gesture_it_is_and_what_it_needs() -> None:
    told = {name: (one.kind, one.subjects, one.hands) for name, one in known().gestures.items()}
    assert told == {
        "tap": ("motion", ("hand",), 1),
        "hook": ("pose", ("hand",), 1),
        "zigzag": ("motion", ("hand",), 1),
        "meet": ("motion", ("hand",), 2),
        "lift": ("motion", ("body",), 0),
    }


def test_five_takes_are_recalled_when_each_is_left_out() -> None:
    assert [one.samples for one in known().gestures.values()] == [5] * 5
    assert sum(one.recalled for one in known().gestures.values()) >= 22


def test_what_stands_out_promises_to_be_rarely_mistaken() -> None:
    for name in ("hook", "lift"):
        one = known().gestures[name]
        low, high = one.false_interval
        assert one.false_per_hour < 0.2
        assert low <= one.false_per_hour <= high


def test_the_users_own_background_is_counted_and_refused() -> None:
    own = ordinary_hand(np.random.default_rng(3), 60)
    some = {name: samples()[name] for name in ("hook", "zigzag")}
    told = taught.refit(some, [own], negatives=[samples()["tap"][0]])
    assert told.background_us == pytest.approx(50_000_000, rel=0.2)
    assert [one.background_us for one in told.gestures.values()] == [told.background_us] * 2
    assert sum(one.false_in_background for one in told.gestures.values()) <= 1


def test_what_is_wanted_of_a_take_is_all_that_is_looked_at() -> None:
    rng = np.random.default_rng(4)
    bodies = raise_take(rng)
    takes = [
        [replace(o, bodies=b.bodies) for o, b in zip(hand_take("hook", rng), bodies, strict=False)]
        for _ in range(2)
    ]
    parts = {"hand": ("hand",), "body": ("body",), "auto": ("hand", "body")}
    for part, subjects in parts.items():
        told = taught._gesture("both", takes, part)
        assert told.parts == subjects


# --- what cannot be learned from ----------------------------------------------------------------


def test_an_error_says_which_take_of_which_gesture() -> None:
    takes = {"hook": [samples()["hook"][0], samples()["hook"][1][:4]]}
    with pytest.raises(SampleError, match=r"take 2 of 'hook': a take lasts 0\.1 s"):
        taught.refit(takes)
    with pytest.raises(SampleError, match="take 1 of 'ghost' shows nobody"):
        taught.refit({"ghost": [EMPTY]})
    with pytest.raises(SampleError, match="take 1 of 'lift' shows no hand"):
        taught.refit({"lift": samples()["lift"]}, parts={"lift": "hand"})
    with pytest.raises(SampleError, match="take 1 of what was wrong"):
        taught.refit({"hook": samples()["hook"]}, negatives=[[]])


def test_nothing_to_learn_from_is_an_error_and_so_is_too_much() -> None:
    with pytest.raises(SampleError, match="no takes of any gesture"):
        taught.refit({})
    with pytest.raises(SampleError, match="no takes of hook"):
        taught.refit({"hook": []})
    with pytest.raises(SampleError, match="501 takes are too many to learn from; keep 500"):
        taught.refit({"hook": [EMPTY] * 501})


def test_a_long_background_is_cut_at_stops_and_the_newest_of_it_kept() -> None:
    take = [Observation(i * 100_000 + 1, (), (), SIZE_PX) for i in range(1000)]
    stopped = [*take[:200], *(replace(o, t_us=o.t_us + 5_000_000) for o in take[200:])]
    pieces = taught._pieces([stopped])
    assert all(piece[-1].t_us - piece[0].t_us <= 30_000_000 for piece in pieces)
    assert pieces[0][-1].t_us == stopped[199].t_us
    assert pieces[-1][-1].t_us == stopped[-1].t_us


# --- scores -------------------------------------------------------------------------------------


def ear_of(part: str) -> Ear:
    return next(ear for ear in known().ears if ear.parts == (part,))


@pytest.mark.parametrize("name", ["tap", "meet"])
def test_a_strip_scores_each_beat_as_a_stream_would(name: str) -> None:
    ear = ear_of("hand")
    told = beats(samples()[name][0])
    strip = Strip.unmarked(told)
    for way in ((0,), (1,), (0, 1)):
        heard = Heard(strip, ear.takes, ear.owner, ear.sought, [way])
        scores = heard.scores(ear.weights, ear.bias)
        for b in range(max(ear.lengths), len(told)):
            windows = [told.window(b + 1 - length, b + 1) for length in ear.lengths]
            sums = replace(
                windows[0],
                hands=np.stack([w.hands for w in windows], axis=1),
                body=np.stack([w.body for w in windows]),
                seen=np.stack([w.seen for w in windows], axis=1),
            )
            expected = ear.heard(way, sums, ear.lengths)
            fits = np.isfinite(expected)  # a stream asks besides that a motion goes the same way
            assert scores[b][fits] == pytest.approx(expected[fits], abs=2e-3)


def test_a_score_at_the_threshold_is_told_as_such_and_a_home_score_as_sure() -> None:
    (one,) = ear_of("body").sought
    p = confidence([one], np.array([[one.enter], [one.typical], [-np.inf]], np.float32))
    assert p[:, 0] == pytest.approx([0.9, 0.98, 0.0], abs=1e-3)


# --- files --------------------------------------------------------------------------------------


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    folder = tmp_path / "taught"
    taught.save(known(), folder)
    loaded = taught.load(folder)
    assert loaded.gestures == known().gestures
    assert list(loaded.gestures) == list(known().gestures)
    for one, other in zip(loaded.ears, known().ears, strict=True):
        assert (one.parts, one.names, one.sought) == (other.parts, other.names, other.sought)
        assert one.weights.tobytes() == other.weights.tobytes()
        assert one.owner.tolist() == other.owner.tolist()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["taught"]


def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    folder = tmp_path / "taught"
    taught.save(known(), folder)
    broken = replace(known(), ears=(replace(known().ears[0], bias=np.full(4, np.nan)),))
    with pytest.raises(ModelError):
        taught.save(broken, folder)
    assert taught.load(folder).gestures == known().gestures
    assert sorted(path.name for path in tmp_path.iterdir()) == ["taught"]


def test_a_save_that_was_killed_in_mid_swap_is_found_again(tmp_path: Path) -> None:
    folder = tmp_path / "taught"
    taught.save(known(), folder)
    folder.rename(tmp_path / "taught.old")
    assert taught.load(folder).gestures == known().gestures


def test_nothing_saved_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"cannot read .*taught\.json"):
        taught.load(tmp_path / "taught")
