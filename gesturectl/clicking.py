"""What a mouse button does: presses, drags, drags that are locked, and the click chosen next.

In:  pinches that close and open, rests.  Out: ButtonDown and ButtonUp, always in pairs.

    rest ──pinched──▶ pinched ──opened──▶ rest                 a click, or a drag held by the pinch
                         └───opened after a drag, with lock──▶ locked
    rest ──pinched, drag chosen──▶ locking ──opened──▶ locked
    locked ──pinched──▶ dropping ──opened──▶ rest              a drag that needs no held pinch
    rest ──rested, drag chosen──▶ locked ──rested──▶ rest      nor any pinch at all
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from gesturectl.dwelling import Choice
from gesturectl.types import Button, ButtonDown, ButtonUp, Command

Phase = Literal["rest", "pinched", "locking", "locked", "dropping"]


@dataclass(frozen=True, slots=True)
class Buttons:
    """Which button is down, and why; at `rest` none is. `choice` is what the next click does."""

    phase: Phase = "rest"
    button: Button = "left"
    choice: Choice = "left"

    @property
    def held(self) -> Button | None:
        """The button that is down."""
        return None if self.phase == "rest" else self.button


Step = tuple[Buttons, tuple[Command, ...]]
REST: Final = Buttons()


def pinched(state: Buttons, t_us: int, button: Button) -> Step:
    """A finger closes: press its button. A choice changes what the left one does, once."""
    if state.phase != "rest":
        return replace(state, phase="dropping"), ()
    choice = state.choice if button == "left" else "left"
    if choice == "right":
        button = "right"
    first = _click(button, t_us) if choice == "double" else ()
    phase: Phase = "locking" if choice == "drag" else "pinched"
    return Buttons(phase, button), (*first, ButtonDown(t_us, button))


def opened(state: Buttons, t_us: int, *, locks: bool) -> Step:
    """It opens: let go, unless a drag is locked (`locks`: it has dragged, and drags shall lock)."""
    if state.phase == "locking" or (state.phase == "pinched" and locks):
        return replace(state, phase="locked"), ()
    return let_go(state, t_us)


def rested(state: Buttons, t_us: int) -> Step:
    """The pointer has rested: do what is chosen, or drop what is dragged."""
    if state.phase != "rest":
        return let_go(state, t_us)
    if state.choice == "drag":
        return Buttons("locked", "left"), (ButtonDown(t_us, "left"),)
    once = _click("right" if state.choice == "right" else "left", t_us)
    return REST, once * 2 if state.choice == "double" else once


def let_go(state: Buttons, t_us: int) -> Step:
    """Let go of what is held; what was chosen stays chosen."""
    if state.phase == "rest":
        return state, ()
    return Buttons(choice=state.choice), (ButtonUp(t_us, state.button),)


def _click(button: Button, t_us: int) -> tuple[Command, ...]:
    return ButtonDown(t_us, button), ButtonUp(t_us, button)
