"""`gesturectl bench latency`: from a picture's capture to a key that a program has received.

The daemon's own loop, at 30 pictures a second, sends keys to an X server of this bench (Xvfb),
where a window notes when each arrives. Pictures are drawn beforehand, for drawing costs more than
looking. All stages are timed on one clock:

    captured ─ read ─ landmarks ─ recognised ─ mapped ─┬─ injected
                                                       └─ received, often before that is noticed
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from itertools import cycle, islice
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from gesturectl import daemon
from gesturectl.daemon import STAGES, Meters
from gesturectl.engine import Engine, Step
from gesturectl.errors import GesturectlError
from gesturectl.ledger import Ledger
from gesturectl.plots import Bar, Chart, Curve, Drawn, Waterfall
from gesturectl.profile import parse
from gesturectl.recogniser import Recogniser
from gesturectl.rig import Choice, open_landmarker
from gesturectl.sinks.x11 import X11Sink
from gesturectl.sources import to_its_end
from gesturectl.sources.clock import MONOTONIC
from gesturectl.sources.puppet import Puppet
from gesturectl.sources.recording import Item, Recording
from gesturectl.types import Frame, KeyDown, Stages

SCRIPT: Final = "open_palm:3s?frame=closeup&seed=5"
PROFILE: Final = """\
version: 1
safety: {max_actions_per_second: 50}
bindings:
  - {gesture: open_palm, repeat: {after: 50ms, every: 50ms}, do: {key: a}}
"""
FRAMES: Final = 600
STEP_US: Final = 33_333
ARRIVES_S: Final = 5.0
PASSED: Final = (*STAGES, "received")
CURVES: Final = ("read", "landmarks", "received")
PERCENTILES: Final = (1, 5, 10, 25, 50, 75, 90, 95, 99)

Figures = dict[str, Any]


def measure(choice: Choice) -> Figures:
    """Play twenty seconds in real time; return what each stage took, in milliseconds.

    Raises:
        GesturectlError: there is no Xvfb, or a model cannot be had.
    """
    profile = parse(PROFILE)
    engine, ledger = Engine(Recogniser.load(), profile), Ledger()
    sent: list[tuple[int, Stages]] = []

    def note(t_us: int, step: Step, meters: Meters) -> None:
        if step.stages and any(isinstance(one, KeyDown) for one in step.commands):
            sent.append((t_us, step.stages))

    with (
        open_landmarker(profile.needs, choice) as landmarker,
        server() as display,
        listening(display) as received_us,
        X11Sink(display) as sink,
        Recording(_pictures(), "the bench", realtime=True) as source,
    ):
        summary = daemon.run(
            source, landmarker, engine, sink, ledger, on_step=note, clock_us=MONOTONIC.now_us
        )
        wait_for(received_us, len(sent))
    if len(received_us) < len(sent) or len(sent) < 20:
        raise GesturectlError(f"{len(received_us)} of {len(sent)} keys arrived: nothing to measure")
    passed = [
        (*stages, at_us - t_us) for (t_us, stages), at_us in zip(sent, received_us, strict=False)
    ]
    since_ms = np.array(passed) / 1e3  # a row for each key, its columns: captured, PASSED
    spent_ms = np.diff(since_ms[:, :-1])
    whole_ms = since_ms[:, -1]
    ages = np.percentile(since_ms[:, 1:], PERCENTILES, axis=0).T.tolist()
    return {
        "frames": summary.frames,
        "frames_per_s": summary.rate_hz,
        "keys": len(sent),
        "captured_to_received_ms": spread(whole_ms),
        "spent_ms": {name: spread(each) for name, each in zip(STAGES, spent_ms.T, strict=True)},
        "beyond_landmarks_ms": spread(whole_ms - spent_ms[:, STAGES.index("landmarks")]),
        "age_percentiles_ms": dict(zip(PASSED, ages, strict=True)),
    }


def _pictures() -> Generator[Item]:
    drawn = [frame.rgb for frame in to_its_end(Puppet(SCRIPT))]
    shown = drawn[len(drawn) // 3 : -len(drawn) // 3]  # while the palm is up
    there_and_back = shown + shown[::-1]  # without a jump
    for number, rgb in enumerate(islice(cycle(there_and_back), FRAMES)):
        yield Frame(number * STEP_US, rgb)


@contextmanager
def server() -> Iterator[str]:
    """Run an X server without a screen; give its name."""
    program = shutil.which("Xvfb")
    if program is None:
        raise GesturectlError("this bench needs Xvfb; on Debian and Ubuntu: apt install xvfb")
    hears, tells = os.pipe()
    arguments = [
        program,
        "-displayfd",
        str(tells),
        "-screen",
        "0",
        "320x240x24",
        "-nolisten",
        "tcp",
    ]
    with subprocess.Popen(arguments, pass_fds=[tells], stderr=subprocess.DEVNULL) as server:
        os.close(tells)
        with os.fdopen(hears) as number:
            name = number.readline().strip()
        try:
            if not name:
                raise GesturectlError("Xvfb does not start")
            yield f":{name}"
        finally:
            server.terminate()


@contextmanager
def listening(display: str) -> Iterator[list[int]]:
    """Show a window that has the keyboard; give the times at which keys go down there, in µs."""
    import xcffib
    from xcffib import xproto

    connection = xcffib.connect(display)
    screen = connection.get_setup().roots[0]
    window = connection.generate_id()
    connection.core.CreateWindow(
        screen.root_depth, window, screen.root, 0, 0, 100, 100, 0,
        xproto.WindowClass.InputOutput, screen.root_visual,
        xproto.CW.EventMask, [xproto.EventMask.KeyPress],
    )  # fmt: skip
    connection.core.MapWindow(window, is_checked=True).check()
    connection.core.SetInputFocus(
        xproto.InputFocus.PointerRoot, window, xproto.Time.CurrentTime, is_checked=True
    ).check()
    received_us: list[int] = []

    def listen() -> None:
        while True:
            try:
                event = connection.wait_for_event()
            except (xcffib.XcffibException, OSError):
                return
            if isinstance(event, xproto.KeyPressEvent):
                received_us.append(MONOTONIC.now_us())
            elif isinstance(event, xproto.ClientMessageEvent):
                return

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield received_us
    finally:
        goodbye = xproto.ClientMessageEvent.synthetic(
            32, window, xproto.Atom.STRING, xproto.ClientMessageData.synthetic([0] * 5, "IIIII")
        )
        connection.core.SendEvent(False, window, xproto.EventMask.NoEvent, goodbye.pack())
        connection.flush()
        thread.join(ARRIVES_S)
        connection.disconnect()


def wait_for(received: list[int], count: int) -> None:
    """Wait until so many have arrived; there is nothing to wait for but time."""
    waited = threading.Event()
    for _ in range(int(ARRIVES_S * 100)):
        if len(received) >= count:
            return
        waited.wait(0.01)


def spread(figures: Sequence[float] | NDArray[np.float64]) -> dict[str, float]:
    """Return median, 95th and 99th percentile."""
    middle, most, nearly_all = np.percentile(figures, (50, 95, 99))
    return {"p50": float(middle), "p95": float(most), "p99": float(nearly_all)}


BAR: Final = 30  # letters of the whole way


def show(figures: Figures, console: Console) -> None:
    """Print the waterfall: a row for each stage, beginning where the one before ends."""
    title = f"{figures['keys']} keys in {figures['frames']} frames"
    table = Table(title, "p50", "p95", "p99", "", box=None)
    whole = figures["captured_to_received_ms"]
    begun_ms = 0.0

    def row(name: str, one: dict[str, float], bar: str = "") -> None:
        table.add_row(name, *(f"{one[part]:.2f} ms" for part in ("p50", "p95", "p99")), bar)

    for name, one in figures["spent_ms"].items():
        before, long = (round(BAR * ms / whole["p50"]) for ms in (begun_ms, one["p50"]))
        row(name, one, " " * before + "━" * max(long, 1))
        begun_ms += one["p50"]
    row("captured to received", whole, "━" * BAR)
    row("of it beyond landmarks", figures["beyond_landmarks_ms"])
    console.print(table)


def charts(figures: Figures) -> list[Drawn]:
    """Return the waterfall, and how old pictures were at three of its stages."""
    bars, begun_ms = [], 0.0
    for name, one in figures["spent_ms"].items():
        end_ms = begun_ms + one["p50"]
        bars.append(Bar(name, begun_ms, end_ms, begun_ms + one["p95"], _says(one)))
        begun_ms = end_ms
    whole = figures["captured_to_received_ms"]
    bars.append(Bar("all", 0.0, whole["p50"], whole["p95"], _says(whole)))
    ages = figures["age_percentiles_ms"]
    curves = tuple(Curve(stage, ages[stage], PERCENTILES) for stage in CURVES)
    return [
        Waterfall("From a picture to a key: median and 95 %", "ms since captured", tuple(bars)),
        Chart("How old the picture is by then", "ms since captured", "% of keys", curves),
    ]


def _says(one: dict[str, float]) -> str:
    return f"{one['p50']:.2f} ms"
