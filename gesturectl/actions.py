"""What a binding does: each action gives the commands that press it and those that let it go.

In:  an action of a profile, a time.  Out: commands.

Whatever is pressed has its release here beside it; an action that presses nothing (text, scroll,
run) happens at once and has none. `ACTIONS` holds them all; parser, hints, schema and reference
page read that table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Final, get_args

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationInfo

from gesturectl import keys
from gesturectl.fields import AnyText, Count, Kind, Surroundings, advise, choice, wrong
from gesturectl.types import Button, ButtonDown, ButtonUp, Command, KeyDown, KeyUp, Run, Scroll
from gesturectl.types import Text as Typed

Chord = tuple[str, ...]

# --- keys ---------------------------------------------------------------------------------------


def _key(name: str) -> str:
    try:
        return keys.canonical(name)
    except keys.UnknownKey as error:
        hint = f"did you mean `{error.suggestion}`?" if error.suggestion else ""
        raise wrong(
            f"no key of a keyboard is called `{name}`",
            hint or "`gesturectl list keys` shows all names",
        ) from None


def chord(text: str) -> Chord:
    """Read keys that are pressed together: `Right`, `ctrl+shift+Tab`.

    Raises the error of one value.
    """
    if text == "+" or text.endswith("++"):
        raise wrong(f"the last key of `{text}` is unclear", "write `plus` for the key `+`")
    return _together(_key(name.strip()) for name in text.split("+"))


def _together(names: Iterable[str]) -> Chord:
    pressed = tuple(names)
    for name in pressed:
        if pressed.count(name) > 1:
            raise wrong(f"the key `{name}` stands twice in one chord", "press it once")
    return pressed


def press_chord(pressed: Chord, t_us: int) -> tuple[Command, ...]:
    """Press the keys in order."""
    return tuple(KeyDown(t_us, key) for key in pressed)


def release_chord(pressed: Chord, t_us: int) -> tuple[Command, ...]:
    """Let them go, the last one first."""
    return tuple(KeyUp(t_us, key) for key in reversed(pressed))


def _media(text: str, _: Surroundings) -> str:
    try:
        name = keys.canonical(text)
    except keys.UnknownKey:
        name = text
    if name not in MEDIA:
        raise wrong(f"`{text}` is not a media key", advise(text, MEDIA))
    return name


MEDIA: Final = tuple(key.name for key in keys.KEYS.values() if key.group == "media")


def _single(text: str, _: Surroundings) -> str:
    if "+" in text and len(text) > 1:
        raise wrong(
            f"`{text}` is a chord, and each item here is one key",
            "for chords one after the other write `do: [{key: ctrl+a}, {key: ctrl+c}]`",
        )
    return _key(text)


def _listed(value: object) -> object:
    if isinstance(value, str):
        parts = ", ".join(value.split("+"))
        raise wrong("`keys` takes a list", f"write `key: {value}`, or `keys: [{parts}]`")
    return value


_KEY_SCHEMA: Final = {
    "anyOf": [{"type": "string", "minLength": 1}, {"type": "integer", "minimum": 0, "maximum": 9}]
}
ChordText = Annotated[Chord, Kind("a key", lambda text, _: chord(text), _KEY_SCHEMA)]
KeyText = Annotated[str, Kind("a key", _single, _KEY_SCHEMA)]
KeyList = Annotated[
    tuple[KeyText, ...],
    Field(min_length=1, max_length=8),
    AfterValidator(_together),
    BeforeValidator(_listed),
]
MediaName = Annotated[str, Kind("a media key", _media, {"type": "string", "enum": list(MEDIA)})]

# --- mouse --------------------------------------------------------------------------------------

ButtonName = Annotated[Button, choice("a mouse button", get_args(Button))]


def _press_button(button: Button, t_us: int) -> tuple[Command, ...]:
    return (ButtonDown(t_us, button),)


def _release_button(button: Button, t_us: int) -> tuple[Command, ...]:
    return (ButtonUp(t_us, button),)


@dataclass(frozen=True, slots=True)
class Steps:
    """How far to scroll, in wheel steps."""

    __pydantic_config__ = ConfigDict(extra="forbid", title="Scroll")

    up: Annotated[Count | None, Field(description="Wheel steps up.")] = None
    down: Annotated[Count | None, Field(description="Wheel steps down.")] = None
    left: Annotated[Count | None, Field(description="Wheel steps to the left.")] = None
    right: Annotated[Count | None, Field(description="Wheel steps to the right.")] = None


def _somewhere(steps: Steps) -> Steps:
    if steps == Steps():
        raise wrong("this scrolls nowhere", "write a direction and a number: `{down: 3}`")
    return steps


def _scroll(steps: Steps, t_us: int) -> tuple[Command, ...]:
    dx = (steps.right or 0) - (steps.left or 0)
    dy = (steps.down or 0) - (steps.up or 0)
    return (Scroll(t_us, float(dx), float(dy)),)


# --- programs -----------------------------------------------------------------------------------


def _allowed(value: object, info: ValidationInfo) -> object:
    around: Surroundings = info.context or Surroundings()
    if not around.allow_run:
        raise wrong(
            "`run` starts a program, which profiles may not do here",
            "allow it with `allow_run: true` in gesturectl's own configuration, never in a profile",
        )
    if isinstance(value, str):
        raise wrong(
            "`run` takes a list: the program and its arguments, without a shell",
            f"write `run: [{', '.join(value.split())}]`",
        )
    return value


ArgumentList = Annotated[
    tuple[AnyText, ...], Field(min_length=1, max_length=64), BeforeValidator(_allowed)
]

# --- the table ----------------------------------------------------------------------------------

Commands = Callable[[Any, int], tuple[Command, ...]]


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One row: how an action is written, what it means, and the commands it becomes.

    `kind` is the pydantic type of its value. `release` is None where nothing is held. `keys` are
    the keys it may send, so that a sink can be asked for them before the first gesture.
    """

    kind: Any
    press: Commands
    says: str
    example: str
    release: Commands | None = None
    keys: Callable[[Any], Iterable[str]] = lambda value: ()


ACTIONS: Final[dict[str, ActionSpec]] = {
    "key": ActionSpec(
        kind=ChordText,
        press=press_chord,
        release=release_chord,
        keys=lambda value: value,
        says="A key, or keys pressed together, joined by `+`.",
        example="{key: ctrl+shift+Tab}",
    ),
    "keys": ActionSpec(
        kind=KeyList,
        press=press_chord,
        release=release_chord,
        keys=lambda value: value,
        says="Keys pressed together, as a list: pressed in order, let go in reverse.",
        example="{keys: [ctrl, shift, Tab]}",
    ),
    "text": ActionSpec(
        kind=AnyText,
        press=lambda value, t_us: (Typed(t_us, value),),
        says="Types a text of any script.",
        example='{text: "Grüße"}',
    ),
    "media": ActionSpec(
        kind=MediaName,
        press=lambda value, t_us: (KeyDown(t_us, value),),
        release=lambda value, t_us: (KeyUp(t_us, value),),
        keys=lambda value: (value,),
        says="A media key, which reaches the player also when its window is not in front.",
        example="{media: play_pause}",
    ),
    "button": ActionSpec(
        kind=ButtonName,
        press=_press_button,
        release=_release_button,
        says="A mouse button: `left`, `middle` or `right`.",
        example="{button: left}",
    ),
    "scroll": ActionSpec(
        kind=Annotated[Steps, AfterValidator(_somewhere)],
        press=_scroll,
        says="Turns the mouse wheel by steps: `up`, `down`, `left`, `right`.",
        example="{scroll: {down: 3}}",
    ),
    "run": ActionSpec(
        kind=ArgumentList,
        press=lambda value, t_us: (Run(t_us, value),),
        says="Starts a program: a list of the program and its arguments, never a shell line. "
        "Refused unless gesturectl's own configuration allows it.",
        example="{run: [notify-send, hello]}",
    ),
}


@dataclass(frozen=True, slots=True)
class Action:
    """A row of the table with its value: one thing a binding does."""

    name: str
    value: Any

    @property
    def spec(self) -> ActionSpec:
        """The row of the table."""
        return ACTIONS[self.name]

    @property
    def can_be_held(self) -> bool:
        """Whether pressing and letting go are two things."""
        return self.spec.release is not None


def press(actions: tuple[Action, ...], t_us: int) -> tuple[Command, ...]:
    """Press all, in order."""
    return tuple(one for act in actions for one in act.spec.press(act.value, t_us))


def release(actions: tuple[Action, ...], t_us: int) -> tuple[Command, ...]:
    """Let all go, in reverse order."""
    return tuple(
        one
        for act in reversed(actions)
        if act.spec.release is not None
        for one in act.spec.release(act.value, t_us)
    )


def tap(actions: tuple[Action, ...], t_us: int) -> tuple[Command, ...]:
    """Do one after the other, letting go of each before the next."""
    return tuple(one for act in actions for one in (*press((act,), t_us), *release((act,), t_us)))
