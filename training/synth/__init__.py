"""Landmark sequences of people who do not exist, with known truth.

A hand or body is moved by minimum-jerk strokes between postures (`gesturectl.kinematics`), seen
by a pinhole camera of random place and lens, and disturbed the way MediaPipe disturbs: white and
slow noise, an unreliable z, lost frames, hands that leave the picture, 15 to 60 frames a second.
Gestures are one part; the larger part is what people do besides: reaching, typing, scratching,
drinking, talking with the hands, raising a hand and letting it sink.

    chance   what differs between people, and between tries
    takes    a hand over time, and its labels
    hands    one hand for a while           arms     both arms for a while
    poses    single hands                   bodies   single bodies

Everything is drawn from the `numpy.random.Generator` that is passed in: same seed, same bytes.
Right hands only; the features mirror left ones.
"""

from __future__ import annotations

from numpy.random import Generator

from gesturectl import features
from gesturectl.types import Float32, Int64
from training.synth.arms import ArmStream, arm_stream
from training.synth.bodies import BODY_POSES, body_samples
from training.synth.chance import Z, disturb, hand_proportions, random_rotation
from training.synth.hands import BEHAVIOUR, POSELESS, HandStream, hand_stream
from training.synth.poses import POSES, no_pose_samples, pose_samples
from training.synth.takes import IGNORE, MOTIONS, NULL, STROKES, Hand3d, Take, bowed_length

__all__ = [
    "BEHAVIOUR", "BODY_POSES", "IGNORE", "MOTIONS", "NULL", "POSELESS", "POSES", "STROKES",
    "ArmStream", "Hand3d", "HandStream", "Take", "Z", "arm_stream", "body_samples",
    "bowed_length", "disturb", "hand_proportions", "hand_stream", "no_pose_samples",
    "pose_samples", "random_rotation", "signal_stream",
]  # fmt: skip


def signal_stream(
    rng: Generator, seconds: float, gestures: float, *, arm: bool, hasty: bool = False
) -> tuple[Int64, Float32, Int64]:
    """Return the stamps (T,), signals (T, S) and labels (T,) of one person's arm, or hand."""
    if arm:
        arms = arm_stream(rng, seconds, gestures, hasty=hasty)
        return arms.t_us, arms.signals, arms.label
    hand = hand_stream(rng, seconds, gestures, hasty=hasty)
    return hand.t_us, features.hand_signals(hand.points), hand.label
