"""Keyboard and mouse of Wayland desktops that let programs bring devices: wlroots, niri and more.

We bring a keyboard with a keymap of its own (`wlkeymap`), so that no layout stands in the way, and
a pointer. What the keymap lacks is lent a spare key, and the keymap sent anew: the desktop hands it
to the window in front before the keys that follow. Typing lifts modifiers of ours by saying so, and
those of the user's keyboard are not ours at all.

The compositor lets go of what a dead client held, but not of what a hung one does, nor of buttons
everywhere: a `Guardian` shares the connection, and releases what it was told of by the same words.
"""

from __future__ import annotations

import logging
from collections import Counter
from types import TracebackType
from typing import Self

from gesturectl import keys
from gesturectl.errors import GesturectlError, SinkError
from gesturectl.ledger import Ledger
from gesturectl.sinks import programs
from gesturectl.sinks.carry import Carry
from gesturectl.sinks.courier import Courier, check
from gesturectl.sinks.evdev import BUTTONS
from gesturectl.sinks.guardian import HEARTBEAT_S, Guardian
from gesturectl.sinks.wlcompositor import HORIZONTAL, VERTICAL, Compositor
from gesturectl.sinks.wlkeymap import LOCKS, Keyboard, Stroke
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
from gesturectl.wayland import display_path

log = logging.getLogger(__name__)

MOVE_LIMIT_PX = 32767  # no desktop is wider; a pixel has 256 parts, and a word 32 bits
# A client that reads nothing is thrown out by the compositor when some thousand events wait for
# it. So a long text goes out in parts, each taken in by the compositor before the next.
TYPED_AT_ONCE = 64


class WlrootsSink:
    """Sends commands to the Wayland desktop at `path`, by default that of the environment.

    `heartbeat_s` is how long a daemon that beats may be silent while keys are held before the
    guardian lets go of them. `courier` delivers messages; by default to this machine alone.
    Where nobody has a keyboard plugged in, windows learn only now that there is one, and hear its
    keys some milliseconds later.

    Raises:
        SinkError: there is no such desktop, or it takes no keys from programs; says what to do.
    """

    def __init__(
        self,
        path: str | None = None,
        *,
        heartbeat_s: float = HEARTBEAT_S,
        courier: Courier | None = None,
    ) -> None:
        self._compositor = Compositor(path or display_path())
        self._keyboard = Keyboard()
        try:
            self._compositor.bring_devices(self._keyboard.keymap())
        except SinkError:
            self._compositor.close()
            raise
        fd = self._compositor.fileno()
        objects = (self._compositor.keyboard, self._compositor.pointer)
        self._guardian = Guardian(
            "wayland:" + ":".join(map(str, (fd, *objects))), heartbeat_s, shares=(fd,)
        )
        self._ledger = Ledger()
        self._t_us = 0
        self._down: dict[str, Stroke] = {}  # key name → how it was pressed, the oldest first
        self._holders: Counter[int] = Counter()  # keycode → how many of our keys hold it
        self._mods = 0  # those that the compositor was told last
        self._freed: list[str] = []  # released, but the guardian does not know yet
        self._travel_256 = (Carry(), Carry())
        self._courier = courier or Courier()
        self._closed = False

    def send(self, command: Command) -> None:
        """Deliver one command.

        Raises:
            SinkError: the desktop is gone, a key has no meaning here, or a program is missing.
        """
        self._t_us = command.t_us
        if not self._ledger.note(command):
            return
        try:
            self._compositor.read_events()
            self._deliver(command)
            self._flush()
        except GesturectlError:
            self._ledger.forget(command)
            raise

    def beat(self) -> None:
        """Say that the daemon lives; hear from the compositor whether it does.

        Raises:
            SinkError: the desktop is gone.
        """
        if self._ledger.held:
            self._guardian.beat()
        self._compositor.read_events()

    def check_keys(self, names: frozenset[str]) -> dict[str, str]:
        """Return the keys that cannot be sent here, each with the reason.

        Those that can are lent their keys now, and the compositor has taken the keymap: none has
        to be sent in the middle of a gesture.
        """
        problems = keys.unknown(names)
        wanted: list[int] = []
        for name in sorted(names - problems.keys()):
            key = keys.lookup(name)
            if key.name in LOCKS:
                problems[name] = _lock(key.name)
            else:
                wanted.append(key.keysym)
        self._compositor.read_events()
        self._lend(wanted[: self._keyboard.room(self._holders)])
        self._compositor.round_trip()
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
        if self._closed:
            return
        self._closed = True
        released = False
        try:
            for command in self._ledger.release(self._t_us):
                self._deliver(command)
            self._flush()
            self._compositor.destroy()
            released = True
        except SinkError as error:
            log.warning("not released properly: %s", error)
        finally:
            self._guardian.close(clean=released)
            self._compositor.close()
            self._courier.close()

    # --- commands ---------------------------------------------------------------------------

    def _deliver(self, command: Command) -> None:
        match command:
            case KeyDown():
                self._key_down(command.key)
            case KeyUp():
                self._key_up(command.key)
            case ButtonDown():
                self._guardian.hold(f"button {BUTTONS[command.button]}")
                self._compositor.button(BUTTONS[command.button], down=True)
            case ButtonUp():
                self._compositor.button(BUTTONS[command.button], down=False)
                self._freed.append(f"button {BUTTONS[command.button]}")
            case MoveBy():
                x, y = self._travel_256
                self._compositor.move_by(
                    x.whole(256 * _limited(command.dx_px)), y.whole(256 * _limited(command.dy_px))
                )
            case MoveTo():
                self._compositor.move_to(
                    min(max(command.x, 0.0), 1.0), min(max(command.y, 0.0), 1.0)
                )
            case Scroll():
                if command.dy:
                    self._compositor.scroll(VERTICAL, command.dy)
                if command.dx:
                    self._compositor.scroll(HORIZONTAL, command.dx)
            case Text():
                self._type(command.text)
            case Run():
                programs.start(command.argv)
            case _:
                self._courier.send(command)

    def _key_down(self, name: str) -> None:
        key = keys.lookup(name)
        if key.name in LOCKS:
            raise SinkError(_lock(key.name))
        self._lend([key.keysym])
        stroke = self._keyboard.stroke(key.keysym)
        if stroke is None:
            raise SinkError(f"no spare key is left for {name}; release some keys first")
        self._down[name] = stroke
        # A modifier counts from its own press on; what a key needs must be in force before it.
        if key.group != "modifier":
            self._modify()
        self._holders[stroke.keycode] += 1
        if self._holders[stroke.keycode] == 1:
            self._guardian.hold(f"key {stroke.keycode}")
            self._compositor.key(stroke.keycode, down=True)
        self._modify()

    def _key_up(self, name: str) -> None:
        stroke = self._down.pop(name)
        if self._holders[stroke.keycode] == 1:
            self._compositor.key(stroke.keycode, down=False)
            self._freed.append(f"key {stroke.keycode}")
        self._holders -= Counter((stroke.keycode,))  # none below 0: typing may have let it go
        self._modify()

    def _modify(self) -> None:
        """Tell the compositor which modifiers our held keys make, if they have changed."""
        mods = 0
        for stroke in self._down.values():
            mods |= stroke.mods
        self._set_modifiers(mods)

    def _set_modifiers(self, mods: int) -> None:
        if mods != self._mods:
            self._mods = mods
            self._compositor.modifiers(mods)

    def _lend(self, keysyms: list[int]) -> None:
        if not self._keyboard.lend(keysyms, self._holders):
            return
        mods = self._mods
        self._compositor.keymap(self._keyboard.keymap())
        if mods:
            # A window forgets modifiers with the old keymap, and wlroots tells only what changes.
            self._compositor.modifiers(0)
            self._compositor.modifiers(mods)

    def _flush(self) -> None:
        """Send all requests; then, and not before, tell the guardian what is up again."""
        self._compositor.flush()
        self._guardian.free(*self._freed)
        self._freed.clear()

    # --- text -------------------------------------------------------------------------------

    def _type(self, text: str) -> None:
        """Type a text, whatever we hold meanwhile."""
        typed = [key.keysym for key in keys.of_text(text)]
        mods = self._mods
        for start in range(0, len(typed), TYPED_AT_ONCE):
            part = typed[start : start + TYPED_AT_ONCE]
            while part:
                count = self._prepare(part)
                self._tap(part[:count])
                part = part[count:]
            self._compositor.round_trip()
        self._set_modifiers(mods)

    def _prepare(self, typed: list[int]) -> int:
        """Lend spare keys, as far as they go; return how many keysyms can be typed now.

        Raises:
            SinkError: no spare key is free.
        """
        room = self._keyboard.room(self._holders)
        if len(set(typed)) > room:  # only where nearly all spare keys are held down
            typed = typed[: max(1, room)]
        self._lend(typed)
        if self._keyboard.stroke(typed[0]) is None:
            raise SinkError("no spare key is left to type with; release some keys first")
        return len(typed)

    def _tap(self, typed: list[int]) -> None:
        """Press and release keys one after another, in one go.

        One that a gesture holds is let go for it and stays up: going down again it would type.
        """
        strokes = [stroke for keysym in typed if (stroke := self._keyboard.stroke(keysym))]
        told = list(dict.fromkeys(f"key {stroke.keycode}" for stroke in strokes))
        self._guardian.hold(*told)
        for stroke in strokes:
            self._set_modifiers(stroke.mods)
            if self._holders.pop(stroke.keycode, 0):
                self._compositor.key(stroke.keycode, down=False)
            self._compositor.key(stroke.keycode, down=True)
            self._compositor.key(stroke.keycode, down=False)
        self._freed += told
        self._flush()


def works(path: str | None = None) -> str | None:
    """Return None where the desktop takes our keys, else the reason and what to do."""
    try:
        compositor = Compositor(path or display_path())
    except SinkError as error:
        return str(error)
    compositor.close()
    return None


def _lock(name: str) -> str:
    return (
        f"on Wayland every keyboard has a {name} of its own, and ours would change nothing on "
        "yours; choose another key"
    )


def _limited(distance_px: float) -> float:
    return max(-MOVE_LIMIT_PX, min(MOVE_LIMIT_PX, distance_px))
