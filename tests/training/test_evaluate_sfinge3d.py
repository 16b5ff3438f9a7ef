"""No network and no threshold knows the hands that it is measured on; then events are counted."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from rich.progress import Progress

from gesturectl.types import Began
from training import tracked
from training.datasets import HandStream, Segment
from training.evaluate import metrics, sfinge3d
from training.evaluate.__main__ import main
from training.evaluate.outcome import save
from training.evaluate.sfinge3d import Heard

FRAME_US = 50_000
SECOND = 1_000_000
FRAMES = 80


def hand(scale: float = 1.0) -> np.ndarray:
    """An open hand (20, 3) in metres: the palm, then five fingers side by side."""
    joints = [[0.0, 0.0, 0.0]]
    for finger, count in enumerate((3, 4, 4, 4, 4)):
        joints += [[0.02 * finger - 0.04, 0.05 + 0.03 * i, 0.0] for i in range(count)]
    return np.array(joints) * scale


def stream(name: str, seed: int, scale: float = 1.0, *segments: Segment) -> HandStream:
    """Four seconds of a hand that wanders about."""
    rng = np.random.default_rng(seed)
    way = np.cumsum(rng.normal(0, 0.01, (FRAMES, 1, 3)), axis=0)
    joints = hand(scale) + way + rng.normal(0, 0.001, (FRAMES, 20, 3))
    return HandStream(name, joints.astype(np.float32), segments)


def hands_of(*scales: float) -> list[HandStream]:
    """Eight streams of each size of hand, a gesture in each."""
    tap = Segment("tap", SECOND, 2 * SECOND)
    sizes = [scale + i / 1000 for scale in scales for i in range(8)]
    return [stream(str(i), i, size, tap) for i, size in enumerate(sizes)]


def written(folder: Path, streams: Sequence[HandStream]) -> None:
    """Write streams as the set has them."""
    folder = folder / "sfinge3d"
    folder.mkdir()
    frames = np.zeros((sum(map(len, streams)), 20, 7), np.float32)
    frames[:, :, :3] = np.concatenate([one.joints for one in streams])
    np.savez(
        folder / "sfinge3d.npz",
        stream_frames=frames.reshape(-1, 140),
        stream_offset=np.cumsum([0, *map(len, streams)]),
        stream_id=np.arange(len(streams)),
    )
    truth = {
        str(i): [
            [tracked.CLASSES.index(s.name), s.start_us // FRAME_US, s.end_us // FRAME_US]
            for s in one.segments
        ]
        for i, one in enumerate(streams)
    }
    (folder / "sequencesGT.json").write_text(json.dumps(truth))


# --- hands and what is told of them -------------------------------------------------------------


def test_groups_are_cut_where_sizes_are_apart_and_leave_enough_in_each() -> None:
    sizes = [1.3, *np.linspace(1.0, 1.01, 8), *np.linspace(1.2, 1.21, 7), *np.linspace(2, 2.1, 9)]
    group = tracked.size_groups(sizes, 3)
    assert group.tolist() == [1, *[0] * 8, *[1] * 7, *[2] * 9]
    with pytest.raises(ValueError, match="25 hands do not make 4 groups of at least 8"):
        tracked.size_groups(sizes, 4)


def test_a_hand_is_described_the_same_wherever_it_is_and_whatever_its_size() -> None:
    one = stream("a", 1).joints
    assert tracked.describe(one * 1.3 + 0.5) == pytest.approx(tracked.describe(one), abs=2e-3)


def test_no_frame_is_described_by_a_later_one() -> None:
    one = stream("a", 1).joints
    told = tracked.describe(one)
    assert told.shape == (FRAMES, 138)
    assert (tracked.describe(one[:50]) == told[:50]).all()


def test_a_stroke_bears_its_name_late_and_a_pose_sooner() -> None:
    stroke, pose = (
        tracked.labels(60, [Segment(name, 10 * FRAME_US, 30 * FRAME_US)])
        for name in ("swipe_o", "two")
    )
    named = {name: np.flatnonzero(y > 0) for name, y in (("stroke", stroke), ("pose", pose))}
    assert {name: (at[0], at[-1]) for name, at in named.items()} == {
        "stroke": (28, 38), "pose": (23, 38),
    }  # fmt: skip
    assert stroke[:25].tolist() == [0] * 25
    assert set(stroke[25:28].tolist()) == set(stroke[39:44].tolist()) == {tracked.IGNORE}
    assert not stroke[44:].any()


def test_variations_keep_the_shape_of_the_arrays_and_the_order_of_labels() -> None:
    one = stream("a", 1, 1.0, Segment("tap", SECOND, 2 * SECOND))
    made = tracked.examples(one, 5, np.random.default_rng(0))
    assert len(made.x) == len(made.label) == 6
    for x, label in zip(made.x, made.label, strict=True):
        assert x.shape == (len(label), 138)
        assert np.isfinite(x).all()
        seen = [int(y) for y, before in zip(label, [None, *label], strict=False) if y != before]
        assert seen == [0, tracked.IGNORE, tracked.CLASSES.index("tap"), tracked.IGNORE, 0]


# --- nothing leaks ------------------------------------------------------------------------------


GROUP = np.repeat([0, 1, 2], 8)
SEED, STEPS = 3, 2


def listened(streams: Sequence[HandStream], seed: int = SEED) -> sfinge3d.Probabilities:
    pytest.importorskip("jax", reason="training needs JAX: pip install .[train]")
    return sfinge3d.cross_listen(streams, GROUP, STEPS, seed, Progress(disable=True))


@pytest.fixture(scope="module")
def told() -> sfinge3d.Probabilities:
    """What hardly trained networks say of three times eight streams."""
    return listened(hands_of(1.0, 1.3, 1.6))


@pytest.mark.slow
def test_a_network_listens_to_those_alone_that_it_has_not_seen(
    told: sfinge3d.Probabilities,
) -> None:
    first, second, third = range(8), range(8, 16), range(16, 24)
    assert {without: sorted(those) for without, those in told.items()} == {
        (0,): [*first],
        (1,): [*second],
        (2,): [*third],
        (0, 1): [*first, *second],
        (0, 2): [*first, *third],
        (1, 2): [*second, *third],
    }
    assert all(p.sum(1) == pytest.approx(1, abs=1e-4) for ps in told.values() for p in ps.values())


@pytest.mark.slow
def test_a_network_does_not_change_with_the_hands_that_it_may_not_see(
    told: sfinge3d.Probabilities,
) -> None:
    streams = hands_of(1.0, 1.3, 1.6)
    streams[0] = stream("0", 99, 1.0, Segment("ok", 0, SECOND))
    after = listened(streams)
    for without, ps in told.items():
        same = {i: bool((ps[i] == after[without][i]).all()) for i in ps}
        # The changed stream sounds different to everybody; the others, to who has seen it.
        assert same == {i: 0 in without and i != 0 for i in ps}


def certain(p: float, quiet: float = 0.0) -> np.ndarray:
    """Probabilities of a stream with one tap from 1 to 2 s, and a weaker one from 3 s on."""
    out = np.zeros((FRAMES, len(tracked.CLASSES)), np.float32)
    tap = tracked.CLASSES.index("tap")
    out[20:40, tap], out[60:75, tap] = p, quiet
    out[:, 0] = 1 - out[:, tap]
    return out


def test_thresholds_are_chosen_on_the_other_groups_alone() -> None:
    streams = hands_of(1.0, 1.3, 1.6)
    # Of the hands of group 0 all is weak. Of the others what is weak is wrong: thresholds that suit
    # them hear nothing of group 0, whatever would have suited it.
    told = {
        without: {
            i: certain(0.45) if GROUP[i] == 0 else certain(0.9, quiet=0.45)
            for i in range(24)
            if GROUP[i] in without
        }
        for n in (1, 2)
        for without in combinations(range(3), n)
    }
    heard = list(sfinge3d.hear(streams, GROUP, told, Progress(disable=True)))
    assert [len(one.events) for one in heard if one.group == 0] == [0] * 8
    alone = sfinge3d.choose(streams[:8], [told[0,][i] for i in range(8)])
    assert [len(alone.events(told[0,][i])) for i in range(8)] == [1] * 8


# --- counting -----------------------------------------------------------------------------------


def heard(segments: Sequence[Segment], *events: tuple[int, str]) -> Heard:
    """What would have been heard, had these events been."""
    began = tuple(Began(t_us, name, "right", 0.9) for t_us, name in events)
    return Heard(stream("a", 1, 1.0, *segments), 0, began)


def test_the_right_name_counts_from_the_start_until_half_a_second_after_the_end_once() -> None:
    tap, ok = Segment("tap", SECOND, 2 * SECOND), Segment("ok", 3 * SECOND, 3_500_000)
    one = heard(
        [tap, ok],
        (999_999, "tap"), (2_500_000, "tap"), (2_500_000, "tap"), (3_100_000, "tap"),
        (4_000_001, "ok"),
    )  # fmt: skip
    assert one.tally == metrics.Tally(right=1, false=4, missed=1)
    assert one.matching.right[0][0].t_us == 2_500_000


def test_networks_of_two_seeds_that_disagree_are_unsure_together() -> None:
    sure, other = np.array([[0.9, 0.1]], np.float32), np.array([[0.1, 0.9]], np.float32)
    (both,) = sfinge3d.averaged([{(0,): {3: sure}}, {(0,): {3: other}}])[(0,)].values()
    assert both == pytest.approx(np.array([[0.5, 0.5]]), abs=1e-4)


def test_a_wrong_name_for_a_segment_is_one_confusion() -> None:
    tap, ok = Segment("tap", SECOND, 2 * SECOND), Segment("ok", 3 * SECOND, 3_500_000)
    one = heard([tap, ok], (1_500_000, "swipe_v"), (2_800_000, "one"))
    assert sfinge3d.taken_for(one) == [("tap", "swipe_v"), ("ok", ""), ("", "one")]
    missed, false, outside, nothing = sfinge3d.errors(one)
    assert (missed["kind"], missed["heard_instead"]) == ("missed", ["swipe_v"])
    assert (false["gesture"], false["during"], outside["during"]) == ("swipe_v", "tap", "")
    assert (nothing["gesture"], nothing["lasts_ms"]) == ("ok", 500)


def test_figures_tables_and_pictures_are_there_even_if_nothing_was_heard(tmp_path: Path) -> None:
    outcome = sfinge3d.report([heard([Segment("tap", SECOND, 2 * SECOND)])], [(326, 330)])
    json.dumps(outcome.figures, allow_nan=False)
    assert (outcome.figures["f1"], outcome.figures["missed"]) == (0.0, 1)
    files = save(outcome.pictures, tmp_path)
    assert {file.name for file in files} == {"sfinge3d.png", "sfinge3d-timelines.png"}
    assert all(file.read_bytes().startswith(b"\x89PNG") for file in files)


# --- all of it ----------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_same_seed_gives_the_same_figures(
    told: sfinge3d.Probabilities, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    streams = hands_of(1.0, 1.3, 1.6)
    written(tmp_path, streams)
    command = ["sfinge3d", "--data", str(tmp_path), "--out", str(tmp_path), "--json"]
    command += ["--groups", "3", "--networks", "2"]
    assert main([*command, "--steps", str(STEPS), "--seed", str(SEED)]) == 0
    printed = json.loads(capsys.readouterr().out)
    sizes = [float(np.median(tracked.hand_sizes(one.joints))) for one in streams]
    both = sfinge3d.averaged([told, listened(streams, SEED + 1)])
    heard = list(sfinge3d.hear(streams, GROUP, both, Progress(disable=True)))
    assert printed == sfinge3d.report(heard, sfinge3d.sizes_mm(sizes, GROUP)).figures
    assert {"precision", "recall", "f1"} <= set(printed)
    assert (printed["streams"], printed["right"] + printed["missed"]) == (24, 24)


@pytest.mark.parametrize(
    ("option", "number", "says"),
    [
        ("--groups", "2", "take at least 3"),
        ("--groups", "9", "24 hands do not make 9 groups"),
        ("--networks", "0", "take at least 1"),
    ],
)
def test_groups_and_networks_that_cannot_be_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, number: str, says: str
) -> None:
    written(tmp_path, hands_of(1.0, 1.3, 1.6))
    assert main(["sfinge3d", "--data", str(tmp_path), option, number]) == 2
    assert says in " ".join(capsys.readouterr().err.split())
