"""Read a puppet script: what the person does, and how it looks.

    swipe_left,open_palm:1.5s,wait:1s,thumb_up@left?speed=1.5&skin=dark&seed=7

Items stand in the order they are acted: `NAME[/VARIANT][@SIDE][:TIME]`. A name is a gesture of the
catalog, `wait`, `rest` (a relaxed hand, raised), a distractor, or one of `UNSHIPPED`: gestures that
no shipped model knows, to be taught. TIME holds a pose, or sets how long a stroke takes. `all`
stands for every gesture of the catalog in its order. After `?` come parameters; `PARAMETERS` lists
them. Every bad word is a SourceError that names it. Behind a `+` stands the script of another
person in the same picture, with parameters of their own but for those of the picture:

    fist?size=0.7&x=-0.2 + thumb_up?size=0.7&x=0.2&until=4
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from gesturectl.catalog import catalog
from gesturectl.errors import SourceError
from gesturectl.kinematics import HAND_SHAPES
from gesturectl.sources.puppet.costume import SKINS
from gesturectl.types import Side

UNSHIPPED = ("little_finger", "zigzag")
DISTRACTORS = ("scratch_head", "reach", "drink", "fidget")
BACKGROUNDS = ("plain", "gradient", "room", "clutter")
LIGHTS = ("bright", "side", "dim", "warm")
FRAMES = ("auto", "closeup", "webcam", "full")
MEANS = ("hand", "arm")

VARIANTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        name: tuple(s.split("/")[1] for s in HAND_SHAPES if s.startswith(f"{name}/"))
        for name in {s.split("/")[0] for s in HAND_SHAPES if "/" in s}
    }
)


@dataclass(frozen=True, slots=True)
class Item:
    """One word of a script. `side` and `time_s` are None where the script leaves them open."""

    name: str
    variant: str | None = None
    side: Side | None = None
    time_s: float | None = None

    @property
    def shape(self) -> str:
        """The name under which `kinematics` knows the hand's shape."""
        return self.name if self.variant is None else f"{self.name}/{self.variant}"


@dataclass(frozen=True, slots=True)
class Script:
    """A whole script. The parameters' meaning, bounds and defaults are in `PARAMETERS`."""

    items: tuple[Item, ...]
    text: str = field(compare=False)
    speed: float = 1.0
    size: float = 1.0
    reach: float = 1.0
    x: float = 0.0
    y: float = 0.0
    skin: str = "light"
    side: Side = "right"
    background: str = "room"
    light: str = "bright"
    noise: float = 2.5
    distractors: int = 0
    image: tuple[int, int] = (640, 480)
    fps: int = 30
    seed: int = 1
    frame: str = "auto"
    by: str = "hand"
    loop: bool = False
    since: float = 0.0
    until: float = math.inf
    beside: tuple[Script, ...] = ()


@dataclass(frozen=True, slots=True)
class Parameter:
    """How one parameter is read from text, and what it says."""

    read: Callable[[str], Any]
    says: str


def _number(low: float, high: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = float(text)
        if not low <= value <= high:
            raise ValueError(f"must be from {low:g} to {high:g}")
        return value

    return read


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        value = int(text)
        if not low <= value <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return value

    return read


def _one_of(words: Iterable[str]) -> Callable[[str], str]:
    known = tuple(words)

    def read(text: str) -> str:
        if text not in known:
            raise ValueError(_suggest(text, known))
        return text

    return read


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    if match is None:
        raise ValueError("must be WIDTHxHEIGHT, such as 640x480")
    width, height = int(match[1]), int(match[2])
    if not (160 <= width <= 1920 and 120 <= height <= 1080):
        raise ValueError("must be from 160x120 to 1920x1080")
    return width, height


def _flag(text: str) -> bool:
    return _one_of(("0", "1"))(text) == "1"


PARAMETERS: Mapping[str, Parameter] = MappingProxyType(
    {
        "speed": Parameter(_number(0.25, 4.0), "how fast everything moves; 1 is usual"),
        "size": Parameter(_number(0.6, 1.5), "how large the person appears; 1 is usual"),
        "reach": Parameter(_number(0.4, 1.6), "how far strokes go; 1 is usual"),
        "x": Parameter(_number(-0.3, 0.3), "place in the picture, as a fraction of its width"),
        "y": Parameter(_number(-0.3, 0.3), "place in the picture, as a fraction of its height"),
        "skin": Parameter(_one_of(SKINS), f"skin tone: {', '.join(SKINS)}"),
        "side": Parameter(_one_of(("left", "right")), "the user's own hand that acts"),
        "background": Parameter(_one_of(BACKGROUNDS), f"one of {', '.join(BACKGROUNDS)}"),
        "light": Parameter(_one_of(LIGHTS), f"one of {', '.join(LIGHTS)}"),
        "noise": Parameter(_number(0.0, 20.0), "sensor noise, standard deviation of 255"),
        "distractors": Parameter(_whole(0, 3), "other movements after each gesture"),
        "image": Parameter(_size, "size of the picture, WIDTHxHEIGHT"),
        "fps": Parameter(_whole(5, 120), "frames in a second"),
        "seed": Parameter(_whole(0, 2**31 - 1), "for sway, noise and distractors"),
        "frame": Parameter(_one_of(FRAMES), f"how near the person stands: {', '.join(FRAMES)}"),
        "by": Parameter(_one_of(MEANS), "whether motions are made by the hand or the whole arm"),
        "since": Parameter(_number(0.0, 600.0), "when the person comes, in seconds; at first"),
        "until": Parameter(_number(0.0, 600.0), "when the person has gone; never"),
        "loop": Parameter(_flag, "1 plays the script again and again"),
    }
)


OF_PICTURE = ("background", "light", "noise", "image", "fps", "loop")
"""Parameters of the picture: the first person's count for all."""


def parse(text: str) -> Script:
    """Return the script that `text` says, of one person or of several.

    Raises:
        SourceError: a word is unknown or out of bounds; the message names it and suggests another.
    """
    first, *others = map(_parse, text.split("+"))
    if not others:
        return first
    shared = {name: getattr(first, name) for name in OF_PICTURE}
    beside = tuple(replace(other, **shared) for other in others)
    return replace(first, text=text.strip(), beside=beside)


def _parse(text: str) -> Script:
    words, _, query = text.strip().partition("?")
    items: list[Item] = []
    for word in (words or "all").split(","):
        if word.strip() == "all":
            items += [Item(name) for name in catalog()]
        else:
            items.append(_item(word.strip()))
    values: dict[str, Any] = {}
    for pair in filter(None, query.split("&")):
        name, equals, value = pair.partition("=")
        parameter = PARAMETERS.get(name)
        if parameter is None:
            raise SourceError(f"puppet script: no parameter {name!r}; {_suggest(name, PARAMETERS)}")
        if not equals:
            raise SourceError(f"puppet script: {name!r} needs a value: {parameter.says}")
        try:
            values[name] = parameter.read(value)
        except ValueError as error:
            reason = str(error)
            if "could not convert" in reason or "invalid literal" in reason:
                reason = f"not a number; {parameter.says}"
            raise SourceError(f"puppet script: {name}={value}: {reason}") from None
    return Script(tuple(items), text.strip(), **values)


_ITEM = re.compile(
    r"(?P<name>[^/@:]*)(?:/(?P<variant>[^@:]*))?(?:@(?P<side>[^:]*))?(?::(?P<time>.*))?"
)
_TIME = re.compile(r"(\d+(?:\.\d+)?)(ms|s)")


def _item(word: str) -> Item:
    match = _ITEM.fullmatch(word)
    if match is None or not match["name"]:
        raise SourceError(f"puppet script: {word!r} is not NAME[/VARIANT][@SIDE][:TIME]")
    name, variant, side, time = match["name"], match["variant"], match["side"], match["time"]
    known = (*catalog(), "wait", "rest", *UNSHIPPED, *DISTRACTORS, "all")
    if name not in known or name == "all":
        raise SourceError(f"puppet script: no gesture {name!r}; {_suggest(name, known)}")
    if variant is not None and variant not in VARIANTS.get(name, ()):
        shown = ", ".join(f"{name}/{v}" for v in VARIANTS.get(name, ())) or "none"
        raise SourceError(f"puppet script: {word!r}: no variant {variant!r}; there is {shown}")
    if side is not None and side not in {"left", "right"}:
        raise SourceError(f"puppet script: {word!r}: {side!r} is not a side; left or right")
    time_s: float | None = None
    if time is not None:
        found = _TIME.fullmatch(time)
        if found is None:
            raise SourceError(f"puppet script: {word!r}: {time!r} is not a time; 1.5s or 800ms")
        time_s = float(found[1]) * (0.001 if found[2] == "ms" else 1.0)
        if not 0.05 <= time_s <= 600.0:
            raise SourceError(f"puppet script: {word!r}: the time must be from 50ms to 600s")
    return Item(name, variant, "left" if side == "left" else "right" if side else None, time_s)


def _suggest(word: str, known: Iterable[str]) -> str:
    names = tuple(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names)}"
