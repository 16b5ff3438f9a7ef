"""What a binding does: each action gives the commands that press it and those that let it go.

In:  an action of a profile, a time.  Out: commands to be sent, requests to gesturectl itself.

Whatever is pressed has its release here beside it; an action that presses nothing (text, scroll,
run) happens at once and has none. An action may take its time (`keys: [ctrl+c, 200ms, ctrl+v]`):
its later commands carry later times, and so do those of the actions that follow in the list.
`ACTIONS` holds them all; parser, hints, schema and reference page read that table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, ValidationInfo

from gesturectl import chords, messages
from gesturectl.fields import AnyText, Kind, Line, Surroundings, Yes, advise, choice, wrong
from gesturectl.types import (
    Button,
    ButtonDown,
    ButtonUp,
    Command,
    Entered,
    HandOver,
    KeyDown,
    KeyUp,
    Left,
    Notify,
    Point,
    Pointing,
    Request,
    Run,
    Scroll,
    UseProfile,
)
from gesturectl.types import Text as Typed

Deed = Command | Request

# --- mouse --------------------------------------------------------------------------------------

ButtonName = Annotated[Button, choice("a mouse button", get_args(Button))]
Click = Literal["left", "right", "middle", "double"]
ClickName = Annotated[Click, choice("a click", get_args(Click))]


def _press_button(button: Button, t_us: int) -> tuple[Deed, ...]:
    return (ButtonDown(t_us, button),)


def _release_button(button: Button, t_us: int) -> tuple[Deed, ...]:
    return (ButtonUp(t_us, button),)


def _click(click: Click, t_us: int) -> tuple[Deed, ...]:
    button: Button = "left" if click == "double" else click
    once = (ButtonDown(t_us, button), ButtonUp(t_us, button))
    return once * 2 if click == "double" else once


def _amount(text: str, _: Surroundings) -> float:
    if not re.fullmatch(r"\d{1,3}(\.\d{1,6})?", text) or not 0 < float(text) <= 100:
        raise wrong(f"`{text}` is not a number above 0, up to 100")
    return float(text)


Amount = Annotated[
    float,
    Kind("a number", _amount, {"type": "number", "exclusiveMinimum": 0, "maximum": 100}),
]


@dataclass(frozen=True, slots=True)
class Steps:
    """How far to scroll, in wheel steps; fractions of a step add up."""

    __pydantic_config__ = ConfigDict(extra="forbid", title="Scroll")

    up: Annotated[Amount | None, Field(description="Wheel steps up.")] = None
    down: Annotated[Amount | None, Field(description="Wheel steps down.")] = None
    left: Annotated[Amount | None, Field(description="Wheel steps to the left.")] = None
    right: Annotated[Amount | None, Field(description="Wheel steps to the right.")] = None


def _somewhere(steps: Steps) -> Steps:
    if steps == Steps():
        raise wrong("this scrolls nowhere", "write a direction and a number: `{down: 3}`")
    return steps


def _scroll(steps: Steps, t_us: int) -> tuple[Deed, ...]:
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

# --- gesturectl itself --------------------------------------------------------------------------

PointingName = Annotated[Pointing, choice("a use of the pointer", get_args(Pointing))]


def _point(on: bool) -> Doing:
    # Which hand or head it is, only the binding knows; it puts that in the place of `body`.
    return lambda what, t_us: (Point(t_us, what, "body", on),)


def _mode(text: str, around: Surroundings) -> str:
    known = {"active", "sleep", "back", *around.modes}
    if text not in known:
        advice = advise(text, sorted(known))
        if not around.modes - {"active", "sleep"}:
            advice = f"name it at the top of the file: `modes: {{{text}: {{}}}}`"
        raise wrong(f"there is no mode `{text}`", advice)
    return text


def _profile(text: str, _: Surroundings) -> str:
    if not re.fullmatch(r"\w[\w .-]{0,99}", text) or text.endswith((".yaml", ".yml")):
        raise wrong(
            f"`{text}` is not the name of a profile",
            "write the name of a shipped one or of your own, like `media`, not a file",
        )
    return text


ModeName = Annotated[str, Kind("the name of a mode", _mode, {"type": "string", "minLength": 1})]
ProfileName = Annotated[
    str, Kind("the name of a profile", _profile, {"type": "string", "minLength": 1})
]

# --- the table ----------------------------------------------------------------------------------

Doing = Callable[[Any, int], tuple[Deed, ...]]


@dataclass(frozen=True, slots=True)
class ActionSpec:
    """One row: how an action is written, what it means, and what it becomes.

    `kind` is the pydantic type of its value. `press` and `release` are given that value and a time
    in microseconds; `release` is None where nothing is held. `tap` is what the action is when it
    is not held, where that is not to press and let go. `lasts_us` is how long it takes, by which
    all that follows comes later. `only_held` asks for a trigger that holds, for at once it does
    nothing. `keys` are the keys it may send, so that a sink can be asked for them before the first
    gesture.
    """

    kind: Any
    press: Doing
    says: str
    example: str
    release: Doing | None = None
    tap: Doing | None = None
    lasts_us: Callable[[Any], int] = lambda value: 0
    only_held: bool = False
    keys: Callable[[Any], Iterable[str]] = lambda value: ()


ACTIONS: Final[dict[str, ActionSpec]] = {
    "key": ActionSpec(
        kind=chords.ChordText,
        press=chords.press,
        release=chords.release,
        keys=lambda value: value,
        says="A key, or keys pressed together, joined by `+`.",
        example="{key: ctrl+shift+Tab}",
    ),
    "keys": ActionSpec(
        kind=chords.StepList,
        press=chords.press_steps,
        release=chords.release_steps,
        tap=chords.tap_steps,
        lasts_us=chords.lasts_us,
        keys=chords.keys_of,
        says="Keys one after the other, with pauses: a list, or one text with blanks between. Held "
        "by `while` or `toggle`, where nothing pauses, the last stays down.",
        example="{keys: ctrl+c 200ms ctrl+v}",
    ),
    "wait": ActionSpec(
        kind=chords.Pause,
        press=lambda value, t_us: (),
        lasts_us=int,
        says="Waits before the next action of a list.",
        example="{wait: 200ms}",
    ),
    "text": ActionSpec(
        kind=AnyText,
        press=lambda value, t_us: (Typed(t_us, value),),
        says="Types a text of any script.",
        example='{text: "Grüße"}',
    ),
    "media": ActionSpec(
        kind=chords.MediaName,
        press=lambda value, t_us: (KeyDown(t_us, value),),
        release=lambda value, t_us: (KeyUp(t_us, value),),
        keys=lambda value: (value,),
        says="A key for media or brightness, which works also when its window is not in front.",
        example="{media: play_pause}",
    ),
    "button": ActionSpec(
        kind=ButtonName,
        press=_press_button,
        release=_release_button,
        says="A mouse button: `left`, `middle` or `right`. Held, it drags.",
        example="{button: left}",
    ),
    "click": ActionSpec(
        kind=ClickName,
        press=_click,
        says="A click: `left`, `right`, `middle`, or `double` with the left button.",
        example="{click: double}",
    ),
    "scroll": ActionSpec(
        kind=Annotated[Steps, AfterValidator(_somewhere)],
        press=_scroll,
        says="Turns the mouse wheel by steps: `up`, `down`, `left`, `right`. Fractions add up.",
        example="{scroll: {down: 3}}",
    ),
    "pointer": ActionSpec(
        kind=PointingName,
        press=_point(on=True),
        release=_point(on=False),
        only_held=True,
        says="Lets the hand or head, as long as this is held, `move` the pointer, move it with "
        "`precise` small steps, or `scroll` instead. `choose` makes the next click another one: "
        "double, then right, then a drag.",
        example="{pointer: move}",
    ),
    "mode": ActionSpec(
        kind=ModeName,
        press=lambda value, t_us: (Entered(t_us, value),),
        release=lambda value, t_us: (Left(t_us, value),),
        tap=lambda value, t_us: (Entered(t_us, value),),
        says="Enters a mode: one of `modes`, `active`, `sleep`, or `back` to the one before. Held "
        "by `while` or `toggle`, it goes back when it is let go.",
        example="{mode: volume}",
    ),
    "profile": ActionSpec(
        kind=ProfileName,
        press=lambda value, t_us: (UseProfile(t_us, value),),
        says="Goes on with another profile, by its name.",
        example="{profile: media}",
    ),
    "hand_over": ActionSpec(
        kind=Yes,
        press=lambda value, t_us: (HandOver(t_us),),
        says="Lets another person control: whom `control` would choose without this one.",
        example="{hand_over: true}",
    ),
    "notify": ActionSpec(
        kind=Line,
        press=lambda value, t_us: (Notify(t_us, value),),
        says="Shows a notification of the desktop.",
        example="{notify: Gestures are awake}",
    ),
    "say": ActionSpec(
        kind=messages.SayValue,
        press=messages.say,
        says="Speaks a text, or plays a sound: one of the desktop's by its name, or a file.",
        example="{say: {sound: bell}}",
    ),
    "run": ActionSpec(
        kind=ArgumentList,
        press=lambda value, t_us: (Run(t_us, value),),
        says="Starts a program: a list of the program and its arguments, never a shell line. "
        "Refused unless gesturectl's own configuration allows it.",
        example="{run: [notify-send, hello]}",
    ),
    "webhook": ActionSpec(
        kind=messages.WebhookValue,
        press=messages.webhook,
        says="Posts a JSON text to a web address of this machine, or of a host that gesturectl's "
        "own configuration allows.",
        example="""{webhook: {url: "http://localhost:8123/lamp", body: '{"on": true}'}}""",
    ),
    "osc": ActionSpec(
        kind=messages.OscMessage,
        press=messages.osc,
        says="Sends a message of Open Sound Control by UDP, to the same hosts as `webhook`. Wants "
        "`pip install gesturectl[osc]`.",
        example="{osc: {to: 'localhost:9000', address: /mixer/volume, arguments: [1, 0.5]}}",
    ),
    "mqtt": ActionSpec(
        kind=messages.MqttMessage,
        press=messages.mqtt,
        says="Publishes a message of MQTT, to the same hosts as `webhook`. Wants "
        "`pip install gesturectl[mqtt]`.",
        example="{mqtt: {to: localhost, topic: home/lamp/set, payload: toggle}}",
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
        """Whether pressing and letting go are two things, with nothing to wait for between."""
        return self.spec.release is not None and self.spec.lasts_us(self.value) == 0


def press(actions: tuple[Action, ...], t_us: int) -> tuple[Deed, ...]:
    """Press all, in order."""
    return tuple(one for act in actions for one in act.spec.press(act.value, t_us))


def release(actions: tuple[Action, ...], t_us: int) -> tuple[Deed, ...]:
    """Let all go, in reverse order."""
    return tuple(
        one
        for act in reversed(actions)
        if act.spec.release is not None
        for one in act.spec.release(act.value, t_us)
    )


def tap(actions: tuple[Action, ...], t_us: int) -> tuple[Deed, ...]:
    """Do one after the other, letting go of each before the next; pauses put off what follows."""
    done: list[Deed] = []
    for act in actions:
        if act.spec.tap is not None:
            done += act.spec.tap(act.value, t_us)
        else:
            done += (*press((act,), t_us), *release((act,), t_us))
        t_us += act.spec.lasts_us(act.value)
    return tuple(done)


def kinds(actions: Iterable[Action]) -> frozenset[type[Deed]]:
    """Return which kinds of commands and requests these actions can become."""
    return frozenset(type(one) for act in actions for one in act.spec.press(act.value, 0))
