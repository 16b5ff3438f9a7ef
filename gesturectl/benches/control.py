"""`gesturectl bench control`: what being controlled costs the frames, and what the sockets carry.

`frame`   what a frame costs more: with nobody connected, with one who follows all, and with a
          display, which is told something new with every second frame.
`answer`  there and back: `hello` by the socket's thread alone, `status` by a loop that takes a
          frame every millisecond.
`follow`  how many events a second all of 1, 10 and 100 followers are told without losing one.
`flood`   how late a frame of 30 a second begins while eight clients shout as fast as they can,
          and while none does.

Clients that follow or shout run in a process of their own. Sockets lie in a folder of this bench,
so that a daemon that runs is not disturbed.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from gesturectl.control import place
from gesturectl.control.desk import Desk
from gesturectl.control.server import answering
from gesturectl.control.transport import SOCKET
from gesturectl.ctl import Caller
from gesturectl.daemon import Control, Loop, Meters
from gesturectl.engine import Engine, Step
from gesturectl.recogniser import Candidate, Recogniser
from gesturectl.rig import Choice, Rig
from gesturectl.sinks.unsent import Unsent
from gesturectl.sources.recording import Item, Recording
from gesturectl.types import Began, KeyDown, KeyUp

FRAMES: Final = 20_000
ROUND_TRIPS: Final = 1000
FOLLOWERS: Final = (1, 10, 100)
FIRST_RATE_HZ: Final = 250
LAST_RATE_HZ: Final = 64_000
HOLD_S: Final = 1.0
FRAME_S: Final = 1 / 30
FRAME_US: Final = 33_333
LATE_FRAMES: Final = 120
WORK: Final = 4000  # rounds of plain Python in a frame: about a millisecond

BUSY: Final = Step(
    (Began(0, "swipe_left", "right", 0.97),), (KeyDown(0, "Right"), KeyUp(0, "Right")), ()
)
LINES: Final = 3  # of such a step
QUIET: Final = Step((), (), ())
SEEN: Final = tuple(
    Step((), (), (Candidate("right", "fist", p, 0.8, True),)) for p in (0.85, 0.9, 0.95)
)  # three, so that of every second frame too each differs from the one before

Figures = dict[str, Any]

# Follows argv[3] with argv[2] connections; prints how many lines all have heard, at each line.
FOLLOW = """\
import select, socket, sys
lines, poll, heard = {}, select.poll(), 0
for _ in range(int(sys.argv[2])):
    line = socket.socket(socket.AF_UNIX); line.connect(sys.argv[1])
    line.sendall(b'{"ask": "%s", "follow": true}\\n' % sys.argv[3].encode())
    while not line.recv(65536).count(b'"answer"'): pass
    lines[line.fileno()] = line; poll.register(line, select.POLLIN)
poll.register(0, select.POLLIN)
print("ready", flush=True)
while True:
    for file, _ in poll.poll():
        if file == 0:
            if not sys.stdin.readline(): sys.exit()
            print(heard, flush=True)
        else:
            data = lines[file].recv(1 << 18)
            heard += data.count(b"\\n") - 1000000 * data.count(b'"dropped"')
"""
# Shouts through argv[2] connections: garbage, questions, empty lines; listens to nothing.
SHOUT = """\
import select, socket, sys
poll, lines = select.poll(), {}
texts = [b'garbage\\n' * 500, b'{"ask": "status"}\\n' * 200, b'\\n' * 4000, b'x' * 4000]
for index in range(int(sys.argv[2])):
    line = socket.socket(socket.AF_UNIX); line.connect(sys.argv[1]); line.setblocking(False)
    lines[line.fileno()] = (line, texts[index % len(texts)]); poll.register(line, select.POLLOUT)
poll.register(0, select.POLLIN)
print("ready", flush=True)
while True:
    for file, _ in poll.poll():
        if file == 0: sys.exit()
        line, text = lines[file]
        try: line.send(text)
        except BlockingIOError: pass
        except OSError: poll.unregister(file)
"""


def measure() -> Figures:
    """Measure all four; takes about half a minute."""
    with tempfile.TemporaryDirectory(prefix="gc-") as name:
        folder = Path(name) / "run"
        return {
            "frame": frame_cost(folder),
            "answer": round_trips(folder),
            "follow": {str(count): followers(folder, count) for count in FOLLOWERS},
            "flood": {
                "quiet": lateness(folder, shouting=0),
                "flooded": lateness(folder, shouting=8),
            },
        }


def show(figures: Figures, console: Console) -> None:
    """Print the figures as tables."""
    for title, rows in figures.items():
        table = Table(title, "", box=None)
        for what, value in rows.items():
            several = value.items() if isinstance(value, dict) else (("", value),)
            table.add_row(what, ", ".join(f"{name} {one:.4g}".strip() for name, one in several))
        console.print(table)


def frame_cost(folder: Path) -> Figures:
    """What `between` and `note` take of a frame, in microseconds: median of batches of 100."""

    def per_frame_us(desk: Desk, loop: Loop, steps: Sequence[Step], batches: int) -> float:
        note = desk.noting(lambda t_us, step, meters: None)
        meters, costs = Meters(), []
        for _ in range(batches):
            began_ns = time.perf_counter_ns()
            for index in range(100):
                loop.t_us += FRAME_US
                desk.between(loop)
                note(0, steps[index % len(steps)], meters)
            costs.append((time.perf_counter_ns() - began_ns) / 1e5)
            time.sleep(0.01)  # for the other thread to send what there is
        return median(costs)

    with desk_in(folder) as (desk, loop):
        alone = per_frame_us(desk, loop, [QUIET], FRAMES // 100)
        acting = per_frame_us(desk, loop, [BUSY], FRAMES // 100)
        with turning(desk, loop) as stop, clients(FOLLOW, folder, 1):
            stop()
            followed = per_frame_us(desk, loop, [BUSY], 40)
    with (
        desk_in(folder) as (desk, loop),
        turning(desk, loop) as stop,
        clients(FOLLOW, folder, 1, "show"),
    ):
        stop()
        displayed = per_frame_us(desk, loop, SEEN, 40)
    return {
        "nobody_us": alone,
        "nobody_while_acting_us": acting,
        "one_follower_while_acting_us": followed,
        "one_display_us": displayed,
    }


def round_trips(folder: Path) -> Figures:
    """Time questions, in milliseconds."""
    with (
        desk_in(folder) as (desk, loop),
        turning(desk, loop),
        Caller(folder) as caller,
    ):
        figures: Figures = {}
        for ask in ("hello", "status"):
            times_ms = []
            for _ in range(ROUND_TRIPS):
                began_ns = time.perf_counter_ns()
                caller.ask(ask)
                times_ms.append((time.perf_counter_ns() - began_ns) / 1e6)
            times_ms.sort()
            figures[f"{ask}_ms"] = {
                "median": median(times_ms),
                "p99": times_ms[int(0.99 * len(times_ms))],
            }
    return figures


def followers(folder: Path, count: int) -> Figures:
    """Find the highest rate at which all of them are told everything, by doubling it."""
    held = 0
    with (
        desk_in(folder) as (desk, loop),
        turning(desk, loop) as stop,
        clients(FOLLOW, folder, count) as process,
    ):
        stop()
        rate_hz, heard = FIRST_RATE_HZ, 0
        while rate_hz <= LAST_RATE_HZ:
            told = _tell_for(desk, rate_hz)
            time.sleep(0.3)  # for the last of it to arrive
            total = int(_say(process, "\n"))
            if total - heard != told * count:
                break
            heard, held = total, rate_hz
            rate_hz *= 2
    return {"events_per_s": held, "clients_times_events_per_s": held * count}


def _tell_for(desk: Desk, rate_hz: int) -> int:
    """Let events happen at a rate for a while; return how many lines that were."""
    note, meters = desk.noting(lambda t_us, step, meters: None), Meters()
    steps = round(rate_hz * HOLD_S / LINES)
    began_s = time.monotonic()
    for index in range(steps):
        wait_s = began_s + index * LINES / rate_hz - time.monotonic()
        if wait_s > 0:
            time.sleep(wait_s)
        note(0, BUSY, meters)
    return steps * LINES


def lateness(folder: Path, *, shouting: int) -> Figures:
    """How late frames of 30 a second begin, and how long their work takes, in milliseconds."""
    with desk_in(folder) as (desk, loop), clients(SHOUT, folder, shouting):
        late_ms, work_ms = [], []
        due_s = time.perf_counter() + FRAME_S
        for _ in range(LATE_FRAMES):
            time.sleep(max(0.0, due_s - time.perf_counter()))
            began_s = time.perf_counter()
            late_ms.append(1e3 * (began_s - due_s))
            desk.between(loop)
            sum(range(WORK))
            for _ in range(WORK):
                pass
            work_ms.append(1e3 * (time.perf_counter() - began_s))
            due_s += FRAME_S
    last = int(0.99 * (LATE_FRAMES - 1))
    return {
        "late_median_ms": median(late_ms),
        "late_p99_ms": sorted(late_ms)[last],
        "work_median_ms": median(work_ms),
        "work_p99_ms": sorted(work_ms)[last],
    }


def _say(process: subprocess.Popen[str], text: str = "") -> str:
    """Say something to the other process, and return its answer of one line."""
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the process was started without pipes")
    process.stdin.write(text)
    process.stdin.flush()
    return process.stdout.readline().strip()


def nothing() -> Generator[Item]:
    """Yield no frames."""
    yield from ()


@contextmanager
def desk_in(folder: Path) -> Iterator[tuple[Desk, Loop]]:
    """Let a desk answer on sockets in a folder, for a loop that has no frames."""
    source, sink = Recording(nothing(), "the bench", realtime=False), Unsent()
    engine = Engine(Recogniser.load())
    rig = Rig(Choice("bench", None, sink), None, source, None, engine, sink)
    with place.claim(folder) as claim, answering(claim, rig) as desk:
        loop = Loop(source, None, engine, sink, rig.ledger, Control())
        yield desk, loop


@contextmanager
def clients(
    script: str, folder: Path, count: int, ask: str = "events"
) -> Iterator[subprocess.Popen[str]]:
    """Run a script in a process of its own that connects so many times, and wait for that."""
    arguments = [sys.executable, "-c", script, str(folder / SOCKET), str(count), ask]
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        _say(process)
        yield process
        process.communicate()


@contextmanager
def following(desk: Desk, rig: Rig, folder: Path, counts: Mapping[str, int]) -> Iterator[None]:
    """Let so many clients follow what they ask for; a loop of our own answers them first."""
    loop = Loop(rig.source, None, rig.engine, rig.sink, rig.ledger, Control())
    with ExitStack() as stack:
        with turning(desk, loop):
            for ask, count in counts.items():
                stack.enter_context(clients(FOLLOW, folder, count, ask))
        yield


@contextmanager
def turning(desk: Desk, loop: Loop) -> Iterator[Callable[[], None]]:
    """Let a loop of a frame each millisecond answer the desk in a thread, until it is stopped."""
    over = Event()

    def go() -> None:
        while not over.is_set():
            desk.between(loop)
            time.sleep(0.001)

    def stop() -> None:
        over.set()
        thread.join()

    thread = Thread(target=go)
    thread.start()
    try:
        yield stop
    finally:
        stop()
