"""The vocabulary: what flows from the camera to the keyboard.

    Frame → Observation → Scores → GestureEvent → Command

Everything here is frozen. Times are integer microseconds on one monotonic
clock, stamped when the frame was captured; nothing downstream asks what time
it is. Sides are the user's own: `left` is the user's left hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Side = Literal["left", "right"]
SIDES: Final[tuple[Side, Side]] = ("left", "right")
Subject = Literal["left", "right", "body"]
Button = Literal["left", "middle", "right"]

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

HAND_POINTS = 21
BODY_POINTS = 33


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One picture. `rgb` is uint8 (H, W, 3), in the camera's own orientation, not mirrored."""

    t_us: int
    rgb: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Hand:
    """One hand: 21 points in MediaPipe's order (wrist, then four for each finger from the thumb).

    `image` is float32 (21, 3): x, y as fractions of the image, z in the scale of x, toward the
    camera negative. `world` is float32 (21, 3) in metres around the hand's centre, or None when
    the estimator gives none. `score` is the confidence of `side`, in 0..1.
    """

    side: Side
    score: float
    image: Float32
    world: Float32 | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """One body: 33 points in MediaPipe's order.

    `image` is float32 (33, 4): x, y as fractions of the image, z in the scale of x, visibility in
    0..1. `world` is float32 (33, 3) in metres around the hips' centre, or None.
    """

    image: Float32
    world: Float32 | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Observation:
    """What was seen in one frame; every frame yields one, also with nobody in it.

    `size_px` is (width, height) of the image, needed to turn fractions into shapes.
    """

    t_us: int
    hands: tuple[Hand, ...]
    bodies: tuple[Body, ...]
    size_px: tuple[int, int]


Take = Sequence[Observation]
"""A recording of one gesture, or of ordinary behaviour; times grow."""


class Stages(NamedTuple):
    """When a frame had passed each stage, in microseconds since its picture was captured.

    What no stage had to do, landmarks that were known already, is passed at once.
    """

    captured: int
    read: int
    landmarks: int
    recognised: int
    mapped: int
    injected: int


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Class probabilities of one subject at one time: `p` is float32 (C,), null class first."""

    t_us: int
    subject: Subject
    p: Float32


@dataclass(frozen=True, slots=True)
class Needs:
    """How many hands and bodies must be looked for; each costs time in every frame."""

    hands: int
    bodies: int


# --- gesture events ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Began:
    """A gesture is being shown. A motion begins when it is recognised and ends at once."""

    t_us: int
    gesture: str
    side: Subject
    confidence: float


@dataclass(frozen=True, slots=True)
class Ended:
    """A gesture is no longer shown, or its hand or body was lost."""

    t_us: int
    gesture: str
    side: Subject
    confidence: float


@dataclass(frozen=True, slots=True)
class Tick:
    """Time passed: sent once per frame after its other events; holds and repeats fire on it."""

    t_us: int


@dataclass(frozen=True, slots=True)
class Moved:
    """Where a hand is and how it is held, in one frame; sent where a profile follows movement.

    In the user's own directions and in widths of the user's palm, so that they mean the same at
    every distance: `right` and `up` of the palm's centre from the middle of the image, `near`
    toward the camera, `pinch` between the tips of thumb and index finger. `roll_deg` is how far
    the hand is turned clockwise, as the user sees it, from fingers up.
    """

    t_us: int
    side: Side
    right: float
    up: float
    near: float
    pinch: float
    roll_deg: float


@dataclass(frozen=True, slots=True)
class Window:
    """From now on this window is in front; all texts are empty when there is none.

    `app` is the class of the application (on X11 WM_CLASS, on Wayland the app_id), `executable`
    the file name of its program.
    """

    t_us: int
    app: str = ""
    title: str = ""
    executable: str = ""


@dataclass(frozen=True, slots=True)
class UserInput:
    """A real keyboard or mouse was used. `keys` are all real keys now down, by canonical names."""

    t_us: int
    keys: frozenset[str] = frozenset()


GestureEvent = Began | Ended | Moved | Window | UserInput | Tick

# --- commands ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KeyDown:
    """Press a key and keep it down. Key names are those of `gesturectl.keys`."""

    t_us: int
    key: str


@dataclass(frozen=True, slots=True)
class KeyUp:
    """Let a key go."""

    t_us: int
    key: str


@dataclass(frozen=True, slots=True)
class ButtonDown:
    """Press a mouse button and keep it down."""

    t_us: int
    button: Button


@dataclass(frozen=True, slots=True)
class ButtonUp:
    """Let a mouse button go."""

    t_us: int
    button: Button


@dataclass(frozen=True, slots=True)
class MoveBy:
    """Move the pointer by (dx, dy) pixels; y grows downward."""

    t_us: int
    dx_px: float
    dy_px: float


@dataclass(frozen=True, slots=True)
class MoveTo:
    """Move the pointer to a place on the whole desktop, (x, y) as fractions 0..1 of it."""

    t_us: int
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Scroll:
    """Scroll by wheel steps: positive dx goes right, positive dy goes down."""

    t_us: int
    dx: float
    dy: float


@dataclass(frozen=True, slots=True)
class Text:
    """Type a text of any script."""

    t_us: int
    text: str


@dataclass(frozen=True, slots=True)
class Run:
    """Start a program: an argument vector, never a shell line."""

    t_us: int
    argv: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Notify:
    """Show a desktop notification of one line."""

    t_us: int
    text: str


@dataclass(frozen=True, slots=True)
class Say:
    """Speak a text aloud."""

    t_us: int
    text: str


@dataclass(frozen=True, slots=True)
class Play:
    """Play a sound file, or a sound of the desktop's theme by its name."""

    t_us: int
    sound: str


@dataclass(frozen=True, slots=True)
class Webhook:
    """POST a JSON text to an address."""

    t_us: int
    url: str
    body: str


@dataclass(frozen=True, slots=True)
class Osc:
    """Send an Open Sound Control message by UDP."""

    t_us: int
    host: str
    port: int
    address: str
    arguments: tuple[str | int | float, ...] = ()


@dataclass(frozen=True, slots=True)
class Mqtt:
    """Publish a message to an MQTT broker."""

    t_us: int
    host: str
    port: int
    topic: str
    payload: str


Command = (
    KeyDown
    | KeyUp
    | ButtonDown
    | ButtonUp
    | MoveBy
    | MoveTo
    | Scroll
    | Text
    | Run
    | Notify
    | Say
    | Play
    | Webhook
    | Osc
    | Mqtt
)

# --- what a profile asks of gesturectl itself -----------------------------------------------------

Pointing = Literal["move", "precise", "scroll", "choose"]


@dataclass(frozen=True, slots=True)
class Point:
    """Let this hand, or head, move the pointer (`on`), or no longer; or `choose` what clicks do."""

    t_us: int
    what: Pointing
    side: Subject
    on: bool


@dataclass(frozen=True, slots=True)
class Entered:
    """The mode that counts from now on; from an action, the one that shall, or `back`."""

    t_us: int
    mode: str


@dataclass(frozen=True, slots=True)
class Left:
    """Go back from this mode to the one before, if it is still the one that counts."""

    t_us: int
    mode: str


@dataclass(frozen=True, slots=True)
class UseProfile:
    """Go on with another profile, by its name."""

    t_us: int
    name: str


@dataclass(frozen=True, slots=True)
class HandOver:
    """Let somebody else control."""

    t_us: int


@dataclass(frozen=True, slots=True)
class Controls:
    """From now on this person controls, by the number of `people`; None is nobody."""

    t_us: int
    person: int | None


Request = Point | Entered | Left | UseProfile | HandOver
Notice = Entered | UseProfile | HandOver | Controls
"""What a step tells the daemon, and whoever watches it, beside events and commands."""
