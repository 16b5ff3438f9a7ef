"""How somebody likes to point: the settings of the pointer, and how far it goes for the hand.

In:  the `pointer:` section of a profile.  Out: `Settings`, and `gain`.

Hand movements are told in widths of the user's palm, so that they mean the same at every distance
from the camera, and in whatever resolution it sees.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import Annotated, Final, Literal, get_args

from pydantic import AfterValidator, ConfigDict, Field

from gesturectl.fields import Duration, Kind, Rest, Surroundings, advise, choice, number, wrong
from gesturectl.pinching import Finger

Reach = Literal["relative", "absolute"]
Part = Literal["index", "palm", "head"]
Around = Literal["image", "shoulder"]
Follows = Literal["content", "wheel"]

Box = tuple[float, float, float, float]


def _switch(text: str, _: Surroundings) -> bool:
    if text not in ("true", "false"):
        raise wrong(f"`{text}` is neither `true` nor `false`", advise(text, ("true", "false")))
    return text == "true"


def _ordered(box: Box) -> Box:
    left, top, right, bottom = box
    if left >= right or top >= bottom:
        raise wrong(
            "this box is empty", "write `[left, top, right, bottom]`, like `[0.2, 0.2, 0.8, 0.8]`"
        )
    return box


Switch = Annotated[bool, Kind("`true` or `false`", _switch, {"type": "boolean"})]
FingerName = Annotated[Finger, choice("a finger", get_args(Finger))]
_Fraction = Annotated[float, number("a fraction of the desktop", 0, 1)]
_Length = Annotated[float, number("a length", -10, 10)]
Region = Annotated[tuple[_Fraction, _Fraction, _Fraction, _Fraction], AfterValidator(_ordered)]
Rectangle = Annotated[tuple[_Length, _Length, _Length, _Length], AfterValidator(_ordered)]

# Palm widths between fingertips. Touching ones are seen 0.2 to 0.35 apart: of the puppet's `ok` and
# `pinch`, as the landmark models see them, 98 of 100 frames are below 0.35, and 24 below 0.25; four
# pinches of a recorded person come to 0.34, 0.33, 0.29 and 0.22. Of 4263 hands in photographs, none
# of which pinches, 16 are below 0.35.
CLOSE: Final = 0.35
OPEN: Final = 0.50

BOXES: Final[dict[Around, Box]] = {
    # Mirrored, as the user sees himself: a hand is whole in the picture at all its edges.
    "image": (0.25, 0.25, 0.75, 0.7),
    # From the shoulder of the hand that points, of a right hand: within reach of a bent arm.
    "shoulder": (-0.5, -0.8, 0.9, 0.2),
}


@dataclass(frozen=True, slots=True)
class Settings:
    """How a hand or the head moves the pointer, and how it clicks."""

    __pydantic_config__ = ConfigDict(extra="forbid", title="Pointer")

    by: Annotated[
        Annotated[Part, choice("what can point", get_args(Part))],
        Field(
            description="What points: the `palm`, which is steadiest and stays where it is in a "
            "pinch, the tip of the `index` finger, or the `head` (its nose)."
        ),
    ] = "palm"
    reach: Annotated[
        Annotated[Reach, choice("a kind of reach", get_args(Reach))],
        Field(
            description="`relative`: the pointer moves as the hand does, as a mouse does. "
            "`absolute`: each place of a box in the air is a place of the desktop."
        ),
    ] = "relative"
    speed: Annotated[
        Annotated[float, number("a speed", 0.1, 10)],
        Field(description="How far the pointer goes: 2 is twice as far as usual."),
    ] = 1.0
    slow_gain: Annotated[
        Annotated[float, number("a gain", 1, 5000)],
        Field(description="Pixels for one palm width of a slow hand, to aim."),
    ] = 150.0
    fast_gain: Annotated[
        Annotated[float, number("a gain", 1, 5000)],
        Field(description="Pixels for one palm width of a fast hand, to cross the desktop."),
    ] = 600.0
    fast_at: Annotated[
        Annotated[float, number("a speed of the hand", 0.1, 40)],
        Field(description="Palm widths a second at which the gain is halfway from slow to fast."),
    ] = 3.0
    steady_hz: Annotated[
        Annotated[float, number("a frequency", 0.05, 50)],
        Field(
            alias="steady",
            description="Hz that pass while the hand rests. Less is calmer, and slower to begin.",
        ),
    ] = 0.5
    quick: Annotated[
        Annotated[float, number("a rate", 0, 50)],
        Field(description="How many more Hz pass for each palm width a second. More lags less."),
    ] = 3.0
    precise: Annotated[
        Annotated[float, number("a divisor", 1, 20)],
        Field(description="How many times shorter all ways are while `precise` is asked for."),
    ] = 4.0
    around: Annotated[
        Annotated[Around, choice("what a box is around", get_args(Around))],
        Field(
            description="What the box of `absolute` belongs to: the `image`, in fractions of it as "
            "you see yourself in a mirror, or the `shoulder` of the hand that points (for a head, "
            "the chest), in shoulder widths, to the right and down; for a left hand to the left."
        ),
    ] = "image"
    box: Annotated[
        Rectangle | None,
        Field(
            description="`[left, top, right, bottom]` of that box. Default: "
            "`[0.25, 0.25, 0.75, 0.7]` of the image, `[-0.5, -0.8, 0.9, 0.2]` at the shoulder."
        ),
    ] = None
    monitor: Annotated[
        Region,
        Field(
            description="`[left, top, right, bottom]`: the part of the whole desktop that "
            "`absolute` reaches, in fractions. `[0.5, 0, 1, 1]` is the right one of two monitors."
        ),
    ] = (0.0, 0.0, 1.0, 1.0)
    click: Annotated[
        FingerName, Field(description="The finger that clicks when it touches the thumb.")
    ] = "index"
    right_click: Annotated[FingerName, Field(description="The finger of the right click.")] = (
        "middle"
    )
    scroll: Annotated[
        FingerName, Field(description="The finger that scrolls while it touches the thumb.")
    ] = "ring"
    pinch: Annotated[Switch, Field(description="Whether pinches click, where a hand points.")] = (
        True
    )
    close: Annotated[
        Annotated[float, number("a distance", 0.05, 1)],
        Field(description="Palm widths from the thumb at which a finger touches it."),
    ] = CLOSE
    open: Annotated[
        Annotated[float, number("a distance", 0.1, 2)],
        Field(description="Palm widths from the thumb at which it lets go. More than `close`."),
    ] = OPEN
    rewind_us: Annotated[
        Rest,
        Field(
            alias="rewind",
            description="A click lands where the pointer was this long before the fingers "
            "closed: where you looked, not where the pinch has pulled it.",
        ),
    ] = 120_000
    slop: Annotated[
        Annotated[float, number("a distance", 0, 5)],
        Field(description="Palm widths that a closed pinch must move before it drags or scrolls."),
    ] = 0.2
    double_us: Annotated[
        Duration,
        Field(
            alias="double",
            description="A second click within this time lands exactly on the first one.",
        ),
    ] = 500_000
    drag_lock: Annotated[
        Switch,
        Field(
            description="Whether a drag goes on when the pinch opens, until the next pinch: for "
            "those who cannot hold one while they move."
        ),
    ] = False
    scroll_speed: Annotated[
        Annotated[float, number("a speed", 0.1, 100)],
        Field(description="Wheel steps for each palm width."),
    ] = 5.0
    scroll_follows: Annotated[
        Annotated[Follows, choice("what scrolls", get_args(Follows))],
        Field(
            description="`content`: what is under the hand goes with it, as on a touch screen. "
            "`wheel`: a hand that goes down scrolls down."
        ),
    ] = "content"
    dwell_us: Annotated[
        Rest,
        Field(
            alias="dwell",
            description="Resting this long clicks; `0ms`: never. Resting on chooses what the "
            "next rest does: a double click, a right click, a drag, and the left click again.",
        ),
    ] = 0
    dwell_radius_px: Annotated[
        Annotated[float, number("a distance", 1, 500)],
        Field(alias="dwell_radius", description="Pixels that a resting pointer may stray."),
    ] = 30.0
    dwell_choose: Annotated[Switch, Field(description="Whether resting on chooses.")] = True

    def __post_init__(self) -> None:
        """Refuse what does not fit together: the error of one value."""
        if self.open <= self.close:
            raise wrong(
                f"`open` ({self.open:g}) must be more than `close` ({self.close:g})",
                "leave both out, or write `close: 0.35` and `open: 0.5`",
            )
        if len({self.click, self.right_click, self.scroll}) < 3:
            raise wrong("`click`, `right_click` and `scroll` must be three different fingers")


def gain(settings: Settings, speed: float) -> float:
    """Return pixels for one palm width of a hand that moves `speed` palm widths a second.

    A logistic curve from `slow_gain` to `fast_gain`, as Nancel, Pietriga, Chapuis & Beaudouin-Lafon
    2015 ("Mid-air Pointing on Ultra-walls", ACM TOCHI 22(5), 21) use for pointing in the air: both
    ends are flat, so that aiming feels like aiming, and no speed is too fast.
    """
    turn = settings.fast_at
    rise = 1.0 / (1.0 + exp(-min(4.0 * (speed - turn) / turn, 50.0)))
    return settings.speed * (settings.slow_gain + (settings.fast_gain - settings.slow_gain) * rise)
