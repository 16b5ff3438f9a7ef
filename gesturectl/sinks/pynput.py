"""Keyboard and mouse through pynput: the way on Windows and macOS.

On X11 it works on request, with limits that the sink `x11` does not have: pynput hangs for ever
after a key that the layout lacks, so such keys are refused here; plain characters are sent as the
keys that make them, since pynput's own way (XSendEvent) is ignored by window managers and xterm;
a layout changed while we run is not noticed; keys stay down if we are killed.

pynput is imported on opening: its import fails where there is no display.
"""

from __future__ import annotations

import os
import sys
from types import TracebackType
from typing import Any, Protocol, Self

from gesturectl import keys
from gesturectl.errors import GesturectlError, SinkError
from gesturectl.ledger import Ledger
from gesturectl.sinks import programs
from gesturectl.sinks.carry import Carry
from gesturectl.sinks.courier import Courier, check
from gesturectl.types import (
    ButtonDown,
    ButtonUp,
    Command,
    KeyDown,
    KeyUp,
    MoveBy,
    MoveTo,
    Run,
    Scroll,
    Text,
)


class PynputSink:
    """Sends commands through pynput's controllers.

    `courier` delivers messages; by default to this machine alone.

    Raises:
        SinkError: pynput is not installed, or there is no desktop to control.
    """

    def __init__(self, courier: Courier | None = None) -> None:
        problem = works()
        if problem is not None:
            raise SinkError(problem)
        import pynput.keyboard
        import pynput.mouse

        self._keyboard = pynput.keyboard.Controller()
        self._mouse = pynput.mouse.Controller()
        self._button = pynput.mouse.Button
        self._desktop: Desktop = _X11() if _on_x11() else _Native(pynput.keyboard)
        self._ledger = Ledger()
        self._t_us = 0
        self._down: dict[str, list[Any]] = {}  # key name → what pynput pressed for it
        self._travel_px = (Carry(), Carry())
        self._turn = (Carry(), Carry())
        self._courier = courier or Courier()

    def send(self, command: Command) -> None:
        """Deliver one command.

        Raises:
            SinkError: pynput cannot send it here, or a program is missing.
        """
        self._t_us = command.t_us
        if not self._ledger.note(command):
            return
        try:
            self._deliver(command)
        except GesturectlError:
            self._ledger.forget(command)
            raise

    def beat(self) -> None:
        """Windows and macOS need no guardian: see the module for X11."""

    def check_keys(self, names: frozenset[str]) -> dict[str, str]:
        """Return the keys that pynput cannot send here, each with the reason."""
        problems = keys.unknown(names)
        for name in names - problems.keys():
            try:
                self._desktop.strokes(keys.lookup(name))
            except SinkError as error:
                problems[name] = str(error)
        return problems

    def check_kinds(self, kinds: frozenset[type[object]]) -> dict[str, str]:
        """Return the kinds of messages that this desktop does not deliver, each with the reason."""
        return check(kinds)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for command in self._ledger.release(self._t_us):
            self._deliver(command)
        self._desktop.close()
        self._courier.close()

    def _deliver(self, command: Command) -> None:
        match command:
            case KeyDown(key=name):
                strokes = self._desktop.strokes(keys.lookup(name))
                self._down[name] = strokes
                for stroke in strokes:
                    self._keyboard.press(stroke)
            case KeyUp(key=name):
                for stroke in reversed(self._down.pop(name, [])):
                    self._keyboard.release(stroke)
            case ButtonDown(button=name):
                self._mouse.press(self._button[name])
            case ButtonUp(button=name):
                self._mouse.release(self._button[name])
            case MoveBy():
                x = self._travel_px[0].whole(command.dx_px)
                y = self._travel_px[1].whole(command.dy_px)
                self._mouse.move(x, y)
            case MoveTo():
                left, top, width, height = self._desktop.area_px()
                self._mouse.position = (
                    left + round(min(max(command.x, 0.0), 1.0) * (width - 1)),
                    top + round(min(max(command.y, 0.0), 1.0) * (height - 1)),
                )
            case Scroll():
                right = self._turn[0].whole(command.dx)
                down = self._turn[1].whole(command.dy)
                if right or down:
                    self._mouse.scroll(right, -down)  # pynput's positive is up
            case Text():
                self._desktop.type(self._keyboard, command.text)
            case Run():
                programs.start(command.argv)
            case _:
                self._courier.send(command)


class Desktop(Protocol):
    """What differs between X11 and the rest."""

    def strokes(self, key: keys.Key) -> list[Any]:
        """Return what pynput must press for a key, modifiers first.

        Raises:
            SinkError: there is nothing; says why.
        """
        ...

    def type(self, keyboard: Any, text: str) -> None:
        """Type a text."""
        ...

    def area_px(self) -> tuple[int, int, int, int]:
        """Return the whole desktop: left, top, width, height."""
        ...

    def close(self) -> None:
        """Free what was opened."""
        ...


class _Native:
    """Windows and macOS, where pynput knows the system's own keys and characters."""

    def __init__(self, pynput_keyboard: Any) -> None:
        self._keyboard = pynput_keyboard

    def strokes(self, key: keys.Key) -> list[Any]:
        if key.pynput is not None and hasattr(self._keyboard.Key, key.pynput):
            return [self._keyboard.Key[key.pynput]]
        if key.character is not None:
            return [self._keyboard.KeyCode.from_char(key.character)]
        raise SinkError(f"pynput has no key {key.name} on this system; choose another")

    def type(self, keyboard: Any, text: str) -> None:
        keyboard.type(text)

    def area_px(self) -> tuple[int, int, int, int]:
        if sys.platform == "win32":
            import ctypes

            # SM_XVIRTUALSCREEN, SM_YVIRTUALSCREEN, SM_CXVIRTUALSCREEN, SM_CYVIRTUALSCREEN
            left, top, width, height = map(ctypes.windll.user32.GetSystemMetrics, (76, 77, 78, 79))
            return left, top, width, height
        import Quartz  # comes with pynput on macOS

        area = Quartz.CGDisplayBounds(Quartz.CGMainDisplayID())
        return (
            round(area.origin.x),
            round(area.origin.y),
            round(area.size.width),
            round(area.size.height),
        )

    def close(self) -> None:
        pass


class _X11:
    """X11: a key must be in the layout, and is sent by its keysym so that XTEST carries it."""

    def __init__(self) -> None:
        import Xlib.display
        from pynput.keyboard import KeyCode

        self._key_code = KeyCode
        self._display = Xlib.display.Display()

    def strokes(self, key: keys.Key) -> list[Any]:
        # (index, keycode) of every place of the keysym; index 1 is the shifted one.
        places = sorted(
            (index, keycode) for keycode, index in self._display.keysym_to_keycodes(key.keysym)
        )
        # pynput presses the first keycode that has the keysym at all, so it must be the plain one.
        if places and places[0][0] == 0:
            return [self._key_code.from_vk(key.keysym)]
        if places and places[0][0] == 1:
            plain = self._display.keycode_to_keysym(places[0][1], 0)
            shift = self._key_code.from_vk(keys.KEYS["shift"].keysym)
            return [shift, self._key_code.from_vk(plain)]
        raise SinkError(
            f"the keyboard layout has no {key.name} key, and pynput would hang on it; "
            "use the sink x11, which can lend it a key"
        )

    def type(self, keyboard: Any, text: str) -> None:
        for strokes in [self.strokes(key) for key in keys.of_text(text)]:
            for stroke in strokes:
                keyboard.press(stroke)
            for stroke in reversed(strokes):
                keyboard.release(stroke)

    def area_px(self) -> tuple[int, int, int, int]:
        geometry = self._display.screen().root.get_geometry()
        return 0, 0, geometry.width, geometry.height

    def close(self) -> None:
        self._display.close()


def works() -> str | None:
    """Return None where pynput can send, else the reason and what to do."""
    if _on_x11() and not os.environ.get("DISPLAY"):
        return "pynput needs an X11 desktop here, and DISPLAY is not set"
    try:
        import pynput.keyboard
        import pynput.mouse  # noqa: F401
    except ModuleNotFoundError as error:
        return f"{error.name} is not installed; `pip install gesturectl[pynput]`"
    except ImportError as error:  # raised by pynput itself, without a display for instance
        why = (str(error) or type(error).__name__).splitlines()[0]
        return f"pynput cannot reach the desktop: {why}"
    if sys.platform == "darwin":
        import HIServices  # comes with pynput on macOS

        if not HIServices.AXIsProcessTrusted():
            return (
                "macOS does not let this program send keys; allow it in System Settings, "
                "Privacy & Security, Accessibility, then start it again"
            )
    return None


def _on_x11() -> bool:
    return sys.platform not in ("win32", "darwin")
