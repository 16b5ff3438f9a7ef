"""Keys as a profile writes them: `ctrl+shift+Tab` together, `ctrl+c 200ms ctrl+v` in turn.

In:  the text of a chord, or a list of chords and pauses.  Out: commands, later ones after a pause.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from gesturectl import keys
from gesturectl.fields import DURATION_PATTERN, Kind, Surroundings, advise, duration_us, wrong
from gesturectl.types import Command, KeyDown, KeyUp

Chord = tuple[str, ...]
Steps = tuple[Chord | int, ...]  # an int is a pause in microseconds

MAX_STEPS: Final = 32
MAX_PAUSE_US: Final = 60_000_000  # what takes longer is not one action any more

# --- one chord ----------------------------------------------------------------------------------


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
    pressed = tuple(_key(name.strip()) for name in text.split("+"))
    for name in pressed:
        if pressed.count(name) > 1:
            raise wrong(f"the key `{name}` stands twice in one chord", "press it once")
    return pressed


def press(pressed: Chord, t_us: int) -> tuple[Command, ...]:
    """Press the keys in order."""
    return tuple(KeyDown(t_us, key) for key in pressed)


def release(pressed: Chord, t_us: int) -> tuple[Command, ...]:
    """Let them go, the last one first."""
    return tuple(KeyUp(t_us, key) for key in reversed(pressed))


# --- one after the other ------------------------------------------------------------------------


def pause(text: str, _: Surroundings | None = None) -> int:
    """Read a pause within an action, in microseconds. Raises the error of one value."""
    pause_us = duration_us(text)
    if not 0 < pause_us <= MAX_PAUSE_US:
        raise wrong(f"a pause of `{text}` cannot be", "write a time up to one minute, like `200ms`")
    return pause_us


def _step(text: str, _: Surroundings) -> Chord | int:
    # A digit alone is its key; all other numbers are times, and told where they lack their unit.
    is_time = re.fullmatch(r"\d[\d.]+|\d[\d.]*\s*(ms|s|min)", text)
    return pause(text) if is_time else chord(text)


def _split(value: object) -> object:
    return tuple(value.split()) if isinstance(value, str) else value


def _in_turn(steps: Steps) -> Steps:
    """Refuse `[ctrl, shift, Tab]`, which presses nothing together and so is never meant."""
    alone: list[str] = []  # modifiers let go just before
    for one in steps:
        if isinstance(one, int):
            alone.clear()
        elif len(one) == 1 and keys.lookup(one[0]).group == "modifier":
            alone += one
        elif alone:
            together = "+".join(dict.fromkeys((*alone, *one)))
            raise wrong(
                f"`{alone[-1]}` is let go before `{'+'.join(one)}` is pressed: these come in turn",
                f"to press them together write `key: {together}`, else put a pause between them",
            )
    if not any(isinstance(one, tuple) for one in steps):
        raise wrong("this presses no key", "a pause alone is `wait: 200ms`")
    return steps


def are_together(names: Sequence[str]) -> bool:
    """Whether these were once a chord: modifiers, and one key at their end."""
    try:
        *before, last = (keys.lookup(name) for name in names)
    except keys.UnknownKey:
        return False
    return all(one.group == "modifier" for one in before) and last.group != "modifier"


def tap_steps(steps: Steps, t_us: int) -> tuple[Command, ...]:
    """Press and let go of one chord after the other; what follows a pause comes later."""
    sent: list[Command] = []
    for one in steps:
        if isinstance(one, int):
            t_us += one
        else:
            sent += (*press(one, t_us), *release(one, t_us))
    return tuple(sent)


def press_steps(steps: Steps, t_us: int) -> tuple[Command, ...]:
    """Do the same where nothing pauses, but keep the last chord down."""
    return (*tap_steps(steps[:-1], t_us), *press(_last(steps), t_us))


def release_steps(steps: Steps, t_us: int) -> tuple[Command, ...]:
    """Let the last chord go."""
    return release(_last(steps), t_us)


def lasts_us(steps: Steps) -> int:
    """Return how long all pauses take together."""
    return sum(one for one in steps if isinstance(one, int))


def keys_of(steps: Steps) -> Iterable[str]:
    """Return the keys that are pressed."""
    return (key for one in steps if isinstance(one, tuple) for key in one)


def _last(steps: Steps) -> Chord:
    last = steps[-1]
    return () if isinstance(last, int) else last


# --- media keys ---------------------------------------------------------------------------------

MEDIA: Final = tuple(key.name for key in keys.KEYS.values() if key.group == "media")


def _media(text: str, _: Surroundings) -> str:
    try:
        name = keys.canonical(text)
    except keys.UnknownKey:
        name = text
    if name not in MEDIA:
        raise wrong(f"`{text}` is not a media key", advise(text, MEDIA))
    return name


# --- kinds of values ----------------------------------------------------------------------------

_KEY_SCHEMA: Final = {
    "anyOf": [{"type": "string", "minLength": 1}, {"type": "integer", "minimum": 0, "maximum": 9}]
}
_STEPS_SCHEMA: Final = {
    "anyOf": [
        *_KEY_SCHEMA["anyOf"],
        {"type": "array", "items": _KEY_SCHEMA, "minItems": 1, "maxItems": MAX_STEPS},
    ]
}
ChordText = Annotated[Chord, Kind("a key", lambda text, _: chord(text), _KEY_SCHEMA)]
StepText = Annotated[Chord | int, Kind("a key or a pause", _step, _KEY_SCHEMA)]
StepList = Annotated[
    tuple[StepText, ...],
    Field(min_length=1, max_length=MAX_STEPS),
    AfterValidator(_in_turn),
    BeforeValidator(_split),
    WithJsonSchema(_STEPS_SCHEMA),
]
Pause = Annotated[
    int,
    Kind("a time like `200ms`", pause, {"type": "string", "pattern": DURATION_PATTERN}),
]
MediaName = Annotated[str, Kind("a media key", _media, {"type": "string", "enum": list(MEDIA)})]
