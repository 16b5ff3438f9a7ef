"""Let go of what a dead or hung daemon holds, on X11, on Wayland, in the kernel.

X11 keeps keys of XTEST down when their client is killed. Wayland's compositors release those of a
keyboard that is gone, but not all of them buttons, and nothing while its client merely hangs. The
kernel releases what a device of uinput's held when it is gone, and likewise not before.

A `Guardian` starts this file as a small process of its own and tells it, through a pipe and
before the fact, what goes down. The process lets go of everything it was told of when

    the pipe closes, or its writer dies, without `bye`      SIGKILL, a crash, `os._exit`
    no line comes for `heartbeat_s` while things are held   the daemon hangs (armed by a `beat`)

and of keys and buttons when the user presses the panic keys, whatever the daemon does meanwhile:
its own panic comes between two frames, which is never while it hangs. For that, on X11, the process
listens to the keyboards themselves, as `desktop.xinput` does, but only while there are such keys,
and not to those that programs inject: they could be ours.

Lines: `+ key 38`, `- key 38`, `+ button 1`, `+ map 97` (a keycode lent for a while), `beat`, `bye`,
and `panic 37,105 64 127`: one word for each panic key, of the keycodes that stand for it.

On X11 the process has a connection of its own. On Wayland devices belong to their connection, so it
shares the daemon's, and releases by writing there what the daemon would have. So it is with uinput.

The process runs without site-packages, knows xcffib only by the path it is given, and imports
nothing of gesturectl: 18 MB resident (21 with panic keys) and 60 ms to start; numpy alone has 60.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol

if sys.platform == "win32":
    raise ImportError("what Windows is sent is not held by a display, a compositor or a device")

log = logging.getLogger(__name__)

KEY_RELEASE = 3  # X11 event codes
BUTTON_RELEASE = 5
GENERIC_EVENT = 35
HIERARCHY, RAW_KEY_PRESS, RAW_KEY_RELEASE = 11, 13, 14  # of XInput 2
SLAVES = (3, 4, 5)  # devices, not the masters that speak for them
WL_KEY, WL_MODIFIERS, WL_BUTTON, WL_FRAME = 1, 2, 2, 4  # requests; see `wlcompositor`
INPUT_EVENT, EV_SYN, EV_KEY = "@llHHi", 0, 1  # see `uinputdevice`
HEARTBEAT_S = 3.0  # longer than any frame, shorter than the harm of a key that is stuck
RESTARTS = 3  # a guardian that dies more often has no future here
CLOSE_S = 2.0  # a guardian that was told `bye` ends within milliseconds


class Guardian:
    """The daemon's end of the pipe. Never blocks: one write of some bytes for each change.

    `display` is the name of an X display, or `wayland:FD:KEYBOARD:POINTER`: the descriptor of a
    connection, which is also among those that the process `shares`, and two objects in it; or
    `uinput:KEYBOARD:MOUSE`, the descriptors of two devices, shared likewise.
    """

    def __init__(self, display: str, heartbeat_s: float, shares: tuple[int, ...] = ()) -> None:
        self._display = display
        self._shares = shares
        self._heartbeat_s = heartbeat_s
        self._held: dict[str, None] = {}
        self._panic = "panic"
        self._restarts_left = RESTARTS
        self._process, self._pipe = self._start()

    def hold(self, *things: str) -> None:
        """Tell what is about to go down, as `key 38`; call it before the press is sent."""
        self._held.update(dict.fromkeys(things))
        self._write([f"+ {thing}" for thing in things])

    def free(self, *things: str) -> None:
        """Tell what is up again; call it after the release is sent."""
        for thing in things:
            self._held.pop(thing, None)
        self._write([f"- {thing}" for thing in things])

    def panic_on(self, chord: tuple[frozenset[int], ...]) -> None:
        """Let go of keys and buttons when the user holds these keys together; () for never.

        Each key is given by the keycodes that will do.
        """
        line = " ".join(["panic", *(",".join(map(str, sorted(codes))) for codes in chord)])
        if line != self._panic:
            self._panic = line
            self._write([line])

    def beat(self) -> None:
        """Say that the daemon lives; from the first beat on, silence means that it hangs."""
        self._write(["beat"])

    def close(self, *, clean: bool) -> None:
        """End the process: sent home if all is released, else left to release the rest."""
        if self._pipe is None:
            return
        if clean:
            self._write(["bye"])
        self._abandon()

    def _write(self, lines: list[str]) -> None:
        if self._pipe is None or not lines:
            return
        try:
            os.write(self._pipe, "".join(f"{line}\n" for line in lines).encode())
        except OSError as error:
            # Gone (EPIPE), or stopped until 64 KB of lines were waiting (EAGAIN): a new one.
            self._replace(error)

    def _replace(self, error: OSError) -> None:
        self._process.kill()
        self._abandon()
        if self._restarts_left == 0:
            log.error("no guardian: keys may stay down if gesturectl is killed (%s)", error)
            return
        self._restarts_left -= 1
        log.warning("the guardian of held keys was lost (%s); starting another", error)
        self._process, self._pipe = self._start()
        self._write([self._panic, *(f"+ {thing}" for thing in self._held)])

    def _start(self) -> tuple[subprocess.Popen[bytes], int | None]:
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        try:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", __file__),
                    *(self._display, str(self._heartbeat_s), str(os.getpid())),
                    *(folder for folder in sys.path if folder),
                ],
                stdin=reader,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=self._shares,
                start_new_session=True,  # the terminal's Ctrl-C is not for it
                cwd="/",
            )
        finally:
            os.close(reader)
        return process, writer

    def _abandon(self) -> None:
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None
        try:
            self._process.wait(CLOSE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


# --- the process ------------------------------------------------------------------------------


def main(arguments: list[str]) -> None:
    """Watch stdin for DISPLAY, HEARTBEAT_S and PARENT_PID, importing xcffib from the rest."""
    # systemd and shells signal a whole group, by SIGABRT a service whose watchdog has barked; the
    # daemon's end, not its signal, is our cue.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGABRT):
        signal.signal(number, signal.SIG_IGN)
    display, heartbeat_s, parent, *folders = arguments
    sys.path[:] = [*sys.path, *folders]
    watch(0, display, float(heartbeat_s), int(parent))


class Hands(Protocol):
    """How the process lets go of things on one kind of display."""

    descriptor: int | None
    """What to read from, so that nothing piles up there; None where there is nothing to read."""

    def listen(self, chord: list[set[int]]) -> None:
        """Listen for these keys of real keyboards; for nothing where there are none."""
        ...

    def drain(self) -> bool:
        """Take in what came there; return whether the user has pressed all of those keys."""
        ...

    def release(self, held: Iterable[tuple[str, int]]) -> None:
        """Let go of all, newest first; return when it is done."""
        ...


def watch(pipe: int, display: str, heartbeat_s: float, parent: int) -> None:
    """Read lines until `bye` or the writer's end; release what they say is held."""
    kinds: dict[str, Callable[[str], Hands]] = {"wayland": WaylandHands, "uinput": UinputHands}
    hands = kinds.get(display.partition(":")[0], XHands)(display)

    # The pipe alone is not enough: a child forked by the daemon may keep its end open.
    death = _death_of(parent)
    waiting = select.poll()
    for descriptor in (pipe, hands.descriptor, death):
        if descriptor is not None:
            waiting.register(descriptor, select.POLLIN)

    held: dict[tuple[str, int], None] = {}
    armed = False
    heard_s = time.monotonic()
    rest = b""
    while True:
        patience_s = heard_s + heartbeat_s - time.monotonic() if armed and held else None
        ready = waiting.poll(None if patience_s is None else max(0.0, patience_s) * 1000)
        descriptors = [descriptor for descriptor, _ in ready]
        if not descriptors:
            hands.release(held)
            held.clear()
        if pipe in descriptors:
            data = os.read(pipe, 65536)
            if not data:
                break
            heard_s = time.monotonic()
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                match line.decode().split():
                    case ["+", kind, code]:
                        held[kind, int(code)] = None
                    case ["-", kind, code]:
                        held.pop((kind, int(code)), None)
                    case ["panic", *keys]:
                        hands.listen([set(map(int, key.split(","))) for key in keys])
                    case ["beat"]:
                        armed = True
                    case ["bye"]:
                        return
        elif death in descriptors:  # and the pipe has been read to its end
            break
        # After the pipe: what was pressed a moment ago is known by now.
        if hands.descriptor in descriptors and hands.drain():
            hands.release([thing for thing in held if thing[0] != "map"])
            held = {thing: None for thing in held if thing[0] == "map"}  # lent all the same
    hands.release(held)


class XHands:
    """Releases keys, buttons and lent keycodes of an X display, through a connection of its own."""

    def __init__(self, display: str) -> None:
        import xcffib
        import xcffib.xproto
        import xcffib.xtest

        class Connection(xcffib.Connection):  # type: ignore[misc]
            """Hands on generic events as bytes: xcffib misreads those of raw input."""

            def hoist_event(self, event: Any) -> Any:
                if event.response_type & 0x7F != GENERIC_EVENT:
                    return super().hoist_event(event)
                return bytes(xcffib.ffi.buffer(event, 32))

        self._connection = Connection(display)
        self._xtest = self._connection(xcffib.xtest.key)
        self._xtest.GrabControl(True)  # not to wait for a client that grabs the server
        self._connection.flush()
        self.descriptor: int | None = self._connection.get_file_descriptor()

        self._xinput: Any = None
        self._opcode = -1
        self._keyboards: set[int] = set()  # real ones, by the numbers of their devices
        self._chord: list[set[int]] = []
        self._down: set[tuple[int, int]] = set()  # device, keycode

    def listen(self, chord: list[set[int]]) -> None:
        """Listen for these keys. See <X11/extensions/XI2.h>; 2.2 hears them during grabs, too."""
        from xcffib import xinput

        self._chord = chord
        core = self._connection.core
        found = core.QueryExtension(15, "XInputExtension").reply()
        if not found.present:  # the daemon has said so
            return
        self._opcode = found.major_opcode
        self._xinput = self._connection(xinput.key)
        self._xinput.XIQueryVersion(2, 2).reply()
        of = xinput.XIEventMask
        wanted = [(1, of.RawKeyPress | of.RawKeyRelease), (0, of.Hierarchy)]
        masks = [
            xinput.EventMask.synthetic(devices, 1, [events if chord else 0])
            for devices, events in wanted
        ]
        self._xinput.XISelectEvents(self._connection.get_setup().roots[0].root, len(masks), masks)
        self._down.clear()
        if chord:
            self._find_keyboards()
        self._connection.flush()

    def drain(self) -> bool:
        """Take in events: of keys, and those that every client gets unasked."""
        pressed = False
        while (event := self._connection.poll_for_event()) is not None:
            if not isinstance(event, bytes) or event[1] != self._opcode:
                continue
            kind, _, _, keycode, device = struct.unpack_from("=HHIIH", event, 8)
            if kind == HIERARCHY:
                self._find_keyboards()
            elif device not in self._keyboards:
                continue
            elif kind == RAW_KEY_PRESS:
                self._down.add((device, keycode))
                codes = {code for _, code in self._down}
                pressed |= bool(self._chord) and all(key & codes for key in self._chord)
            elif kind == RAW_KEY_RELEASE:
                self._down.discard((device, keycode))
        return pressed

    def _find_keyboards(self) -> None:
        """Read which devices there are; the key of one that was unplugged is not down any more."""
        infos = self._xinput.XIQueryDevice(0).reply().infos
        self._keyboards = {
            info.deviceid
            for info in infos
            if info.type in SLAVES and b"XTEST" not in b"".join(map(_byte, info.name))
        }
        self._down = {key for key in self._down if key[0] in self._keyboards}

    def release(self, held: Iterable[tuple[str, int]]) -> None:
        """Let go of keys and buttons, newest first, then unbind keycodes."""
        core = self._connection.core
        newest_first = list(held)[::-1]
        for kind, code in newest_first:
            if kind != "map":
                event = KEY_RELEASE if kind == "key" else BUTTON_RELEASE
                self._xtest.FakeInput(event, code, 0, 0, 0, 0, 0)
        core.GetInputFocus().reply()
        bound = [code for kind, code in newest_first if kind == "map"]
        if bound:
            time.sleep(0.1)  # clients look up the last key that was typed with the binding
        for code in bound:
            core.ChangeKeyboardMapping(1, code, 1, [0])
        core.GetInputFocus().reply()


class WaylandHands:
    """Releases keys and buttons by the daemon's own connection, which the daemon alone reads."""

    descriptor: int | None = None

    def __init__(self, display: str) -> None:
        self._connection, self._keyboard, self._pointer = map(int, display.split(":")[1:])

    def listen(self, chord: list[set[int]]) -> None:
        """Do nothing: Wayland lets no program hear the keys of others."""

    def drain(self) -> bool:
        """Do nothing: what the compositor says is for the daemon."""
        return False

    def release(self, held: Iterable[tuple[str, int]]) -> None:
        """Let go of keys and buttons, newest first, and of all modifiers."""
        things = list(held)[::-1]
        if not things:
            return
        now_ms = time.monotonic_ns() // 1_000_000 & 0xFFFF_FFFF
        said = bytearray()
        for kind, code in things:
            if kind == "key":
                said += _request(self._keyboard, WL_KEY, now_ms, code, 0)
            else:
                said += _request(self._pointer, WL_BUTTON, now_ms, code, 0)
                said += _request(self._pointer, WL_FRAME)
        said += _request(self._keyboard, WL_MODIFIERS, 0, 0, 0, 0)
        with contextlib.suppress(OSError):  # it has ended; or hangs, and releases when we end
            os.write(self._connection, said)  # some hundred bytes: at once, or not at all


class UinputHands:
    """Releases keys and buttons by the daemon's own devices."""

    descriptor: int | None = None

    def __init__(self, display: str) -> None:
        self._keyboard, self._mouse = map(int, display.split(":")[1:])

    def listen(self, chord: list[set[int]]) -> None:
        """Listen to nothing: keyboards belong to the desktop."""

    def drain(self) -> bool:
        """Take in nothing: devices of ours say nothing."""
        return False

    def release(self, held: Iterable[tuple[str, int]]) -> None:
        """Let go of keys and buttons, newest first, one report for each."""
        for kind, code in list(held)[::-1]:
            up = struct.pack(INPUT_EVENT, 0, 0, EV_KEY, code, 0)
            report = struct.pack(INPUT_EVENT, 0, 0, EV_SYN, 0, 0)
            with contextlib.suppress(OSError):  # gone: the kernel has let go itself
                os.write(self._keyboard if kind == "key" else self._mouse, up + report)


def _byte(value: Any) -> bytes:
    """Return one byte of a text: a number or a character, by the version of xcffib."""
    return bytes([value if isinstance(value, int) else ord(value)])


def _request(of: int, number: int, *words: int) -> bytes:
    return struct.pack(f"=IHH{len(words)}I", of, number, 8 + 4 * len(words), *words)


def _death_of(parent: int) -> int | None:
    """Return a descriptor that is readable once our parent has ended; None where none can be."""
    if os.getppid() != parent:  # it was killed before we got here
        return os.open(os.devnull, os.O_RDONLY)  # readable at once
    if sys.platform == "darwin":
        return None
    try:
        return os.pidfd_open(parent)
    except (AttributeError, OSError):
        return None


if __name__ == "__main__":
    main(sys.argv[1:])
