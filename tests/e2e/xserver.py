"""A private X server for tests, and a real client that says what it received.

`XServer` is Xvfb with openbox on a display of its own. `Listener` is a window in it, like `xev`:
it gets every key, button and motion event, and looks keysyms up as applications do, in the keymap
that is in force when it gets round to the event.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from gesturectl.sinks.keysyms import OLD_KEYSYMS

SIZE_PX = (800, 600)
QUIET_S = 0.15  # after the expected events, how long to wait for ones that should not come
TIMEOUT_S = 5.0

CHARACTER_OF_OLD_KEYSYM = {keysym: character for character, keysym in OLD_KEYSYMS.items()}
BUTTON_NAMES = {1: "left", 2: "middle", 3: "right"}
WHEEL_NAMES = {4: "wheel up", 5: "wheel down", 6: "wheel left", 7: "wheel right"}
SHIFT, LOCK = 1, 2


@dataclass(frozen=True)
class XServer:
    """A running server. `display` is its name, `env` an environment for programs in it."""

    display: str
    process: subprocess.Popen[bytes] | None = None

    def stop(self) -> None:
        """End the server, as a crash would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    @property
    def env(self) -> dict[str, str]:
        env = {key: value for key, value in os.environ.items() if key != "WAYLAND_DISPLAY"}
        return env | {"DISPLAY": self.display, "LC_ALL": "C.UTF-8"}

    def call(self, *argv: str) -> None:
        """Run a program in the display, to its end."""
        subprocess.run(argv, env=self.env, check=True, capture_output=True)

    def set_layout(self, layout: str, *options: str) -> None:
        """Set the keyboard layout: `de`, or two groups `us,ru`; wipes all former bindings."""
        self.call("setxkbmap", "-layout", layout, *options)

    def down(self) -> set[tuple[str, int]]:
        """Return the keys and buttons that the server holds down, as ("key", keycode)."""
        import xcffib
        import xcffib.xproto

        connection = xcffib.connect(self.display)
        try:
            bits = connection.core.QueryKeymap().reply().keys
            root = connection.get_setup().roots[0].root
            mask = connection.core.QueryPointer(root).reply().mask
        finally:
            connection.disconnect()
        down = {("key", code) for code in range(256) if bits[code // 8] >> code % 8 & 1}
        return down | {("button", n) for n in range(1, 6) if mask >> (7 + n) & 1}

    def spare_keycodes(self) -> list[int]:
        """Return the keycodes that have no keysym."""
        import xcffib
        import xcffib.xproto

        connection = xcffib.connect(self.display)
        try:
            reply = connection.core.GetKeyboardMapping(8, 248).reply()
        finally:
            connection.disconnect()
        per = reply.keysyms_per_keycode
        keysyms = list(reply.keysyms)
        return [8 + i for i in range(248) if not any(keysyms[i * per : (i + 1) * per])]


@contextmanager
def running_server(
    *options: str, number: str | None = None, window_manager: bool = True
) -> Iterator[XServer]:
    """Run Xvfb on a free display, or on one of this name, with openbox unless it is not wanted."""
    reader, writer = os.pipe()
    width, height = SIZE_PX
    server = subprocess.Popen(
        [
            *(
                "Xvfb",
                *([number] if number else []),
                "-displayfd",
                str(writer),
                "-screen",
                "0",
                f"{width}x{height}x24",
            ),
            *("-nolisten", "tcp", "-noreset", *options),
        ],
        pass_fds=[writer],
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    try:
        with os.fdopen(reader) as answer:
            found = answer.readline().strip()
        assert found, f"Xvfb ended with code {server.wait()}"
        x = XServer(f":{found}", server)
        if not window_manager:
            yield x
            return
        manager = subprocess.Popen(
            ["openbox"], env=x.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _wait_for_window_manager(x)
            yield x
        finally:
            _end(manager)
    finally:
        _end(server)


def wait_until(condition: Callable[[], bool], timeout_s: float = TIMEOUT_S) -> bool:
    """Poll until a condition holds; return whether it came to hold in time."""
    until_s = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > until_s:
            return False
        time.sleep(0.01)
    return True


class Listener:
    """A window over the whole display that has the focus and records what it receives.

    Records are ("press", "ä"), ("release", "F5"), ("press", "left"), ("press", "wheel up"), and for
    motion ("motion", (x, y)). Characters are themselves; other keysyms have their X11 names.
    """

    def __init__(self, server: XServer) -> None:
        import xcffib
        import xcffib.xkb
        import xcffib.xproto
        from xcffib.xproto import CW, ConfigWindow, EventMask, WindowClass

        self._connection = xcffib.connect(server.display)
        core = self._connection.core
        screen = self._connection.get_setup().roots[0]
        self._xkb = self._connection(xcffib.xkb.key)
        self._xkb.UseExtension(1, 0).reply()
        window = self._connection.generate_id()
        mask = (
            EventMask.KeyPress | EventMask.KeyRelease | EventMask.ButtonPress
            | EventMask.ButtonRelease | EventMask.PointerMotion | EventMask.FocusChange
        )  # fmt: skip
        core.CreateWindow(
            screen.root_depth, window, screen.root, 0, 0, *SIZE_PX, 0, WindowClass.InputOutput,
            screen.root_visual, CW.BackPixel | CW.OverrideRedirect | CW.EventMask,
            [screen.white_pixel, 1, mask],
        )  # fmt: skip
        core.MapWindow(window)
        core.ConfigureWindow(window, ConfigWindow.StackMode, [0])
        core.SetInputFocus(1, window, 0)
        self._has_focus = False
        self._received: list[tuple[str, Any]] = []
        self._read()
        assert wait_until(self._focused), "the listener's window got no focus"
        self.clear()

    def received(self, count: int | None = None) -> list[tuple[str, Any]]:
        """Return all that came since the last call: wait for `count`, and a little for more."""
        if count is not None:
            wait_until(lambda: self._read() >= count)
        time.sleep(QUIET_S)
        self._read()
        received, self._received = self._received, []
        return received

    def clear(self) -> None:
        """Forget what came so far."""
        self.received()

    def close(self) -> None:
        self._connection.disconnect()

    def _focused(self) -> bool:
        self._read()
        return self._has_focus

    def _read(self) -> int:
        """Take in all events that the server has for us; return how many are recorded."""
        import xcffib.xproto as x

        self._connection.core.GetInputFocus().reply()
        while (event := self._connection.poll_for_event()) is not None:
            match event:
                case x.KeyPressEvent() | x.KeyReleaseEvent():
                    what = "press" if type(event) is x.KeyPressEvent else "release"
                    self._received.append((what, self._name_of_key(event.detail, event.state)))
                case x.ButtonPressEvent() | x.ButtonReleaseEvent():
                    what = "press" if type(event) is x.ButtonPressEvent else "release"
                    names = BUTTON_NAMES | WHEEL_NAMES
                    self._received.append((what, names[event.detail]))
                case x.MotionNotifyEvent():
                    self._received.append(("motion", (event.root_x, event.root_y)))
                case x.FocusInEvent():
                    self._has_focus = True
        return len(self._received)

    def _name_of_key(self, keycode: int, state: int) -> str:
        """Look a key up as XKB clients do: group, then level by the key's type, then Caps Lock."""
        reply = self._xkb.GetMap(0x100, 3, 0, *[0] * 15).reply()
        row = reply.syms_rtrn[keycode - reply.firstKeySym]
        keysyms = list(row.syms)
        groups = row.groupInfo & 0x0F
        if not groups:
            return f"keycode {keycode}"
        group = (state >> 13 & 3) % groups
        index = [ord(i) if isinstance(i, str | bytes) else i for i in row.kt_index][group]
        kind = reply.types_rtrn[index]
        levels = {entry.mods_mask: entry.level for entry in kind.map if entry.active}
        keysym = keysyms[group * row.width + levels.get(state & kind.mods_mask, 0)]
        name = name_of_keysym(keysym)
        if state & LOCK and not kind.mods_mask & LOCK and len(name) == 1:
            name = name.upper()
        return name


def name_of_keysym(keysym: int) -> str:
    """Return the character of a keysym, or its name in X11's header without `XK_`."""
    import xcffib.keysymdef
    import xcffib.xf86keysym

    if keysym in CHARACTER_OF_OLD_KEYSYM:
        return CHARACTER_OF_OLD_KEYSYM[keysym]
    if 0x20 <= keysym <= 0xFF:
        return chr(keysym)
    if keysym >> 24 == 1:
        return chr(keysym & 0xFFFFFF)
    for module, prefix in ((xcffib.keysymdef, "XK_"), (xcffib.xf86keysym, "XF86XK_")):
        for name, value in vars(module).items():
            if value == keysym and name.startswith(prefix):
                return name.removeprefix("XK_").replace("XF86XK_", "XF86")
    return f"keysym {keysym:#x}"


def tap(name: str) -> list[tuple[str, str]]:
    """What a listener receives of one key that is pressed and released."""
    return [("press", name), ("release", name)]


def _wait_for_window_manager(server: XServer) -> None:
    def runs() -> bool:
        answer = subprocess.run(
            ["xprop", "-root", "_NET_SUPPORTING_WM_CHECK"],
            env=server.env, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return "window id" in answer.stdout

    assert wait_until(runs), "openbox does not come up"


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
