"""`gesturectl bench scale`: what a frame costs as there is more of something.

`axes`  hands, people, bindings, gestures and takes of one's own, one at a time, from few to many;
        the points of an axis are measured in turns, frame by frame. Engines are timed by the
        processor's time of their thread, landmarks by the clock.
`full`  eight applications of 500 bindings and 100 programs that follow, beside one of each: all of
        the daemon's loop but the landmarks, in turns of some frames, paced so that the thread of
        the sockets has the time that it really has while the camera is waited for.

There is no axis of cameras: a run looks through one.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.table import Table

from gesturectl import garbage
from gesturectl.benches import control, profiles
from gesturectl.benches.soak import again
from gesturectl.benches.step import two_hands_and_a_body
from gesturectl.catalog import catalog
from gesturectl.control import place
from gesturectl.control.server import answering
from gesturectl.daemon import Control, Loop
from gesturectl.ears import Taught
from gesturectl.engine import Core, Engine
from gesturectl.floor import Floor
from gesturectl.ideal import Performance
from gesturectl.listener import Listener
from gesturectl.plots import Chart, Curve
from gesturectl.profile import load, parse
from gesturectl.recogniser import Recogniser
from gesturectl.rig import Choice, Rig, open_landmarker
from gesturectl.sinks.unsent import Unsent
from gesturectl.sources.recording import Item, Recording
from gesturectl.takes import cut_all
from gesturectl.taught import refit
from gesturectl.types import Body, Float32, Frame, Needs, Observation, Take, Window
from gesturectl.view import silent

HANDS: Final = (0, 1, 2)
PEOPLE: Final = (0, 1, 2, 3, 4)
BINDINGS: Final = (1, 10, 100, 300, 1000)
GESTURES: Final = (0, 1, 5, 10, 20)
TAKES: Final = (5, 10, 20, 35, 50)
FRAMES: Final = 900
PICTURES: Final = 90
WARM_UP: Final = 15
PER_GESTURE: Final = 5  # takes
OF_BEATS: Final = 100 * 5 / 6  # the middle of the slowest third

APPLICATIONS: Final = 8
PROGRAMS: Final = 100
TURN: Final = 60  # frames
TURNS: Final = 20
WAIT_S: Final = 0.004  # for the camera, of 33 ms: the rest would be slept through
WINDOW_EVERY: Final = 45  # frames

# Somebody whose hands are down; one hand; one hand of each of two people.
OF_HANDS: Final = (
    "puppet:wait:4s?frame=webcam&seed=5",
    "puppet:open_palm:4s?frame=closeup&seed=5",
    "puppet:open_palm@right:4s?size=0.7&x=0.2&seed=5+open_palm@left:4s?size=0.7&x=-0.2&seed=6",
)
CONTROL: Final = "version: 1\ncontrol: largest\nbindings:\n  - {gesture: fist, do: {key: a}}\n"

Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """One curve: of which axis and figure, in which words and unit."""

    axis: str
    key: str
    says: str
    each: str
    unit: str


CURVES: Final = (
    Told("hands", "engine_ms", "the engine", "hand in view", "ms"),
    Told("hands", "landmarks_ms", "the landmarks", "hand in view", "ms"),
    Told("people", "engine_ms", "the engine", "person in view", "ms"),
    Told("people", "landmarks_ms", "the landmarks", "person in view", "ms"),
    Told("bindings", "event_us", "an event for the bindings", "binding", "µs"),
    Told("bindings", "event_p99_us", "its 99th percentile", "binding", "µs"),
    Told("gestures", "engine_ms", "the engine", "gesture of one's own", "ms"),
    Told("gestures", "beat_ms", "the engine at the end of a beat", "gesture of one's own", "ms"),
    Told("takes", "engine_ms", "the engine", "take of a gesture", "ms"),
    Told("takes", "beat_ms", "the engine at the end of a beat", "take of a gesture", "ms"),
    Told("takes", "refit_s", "learning it", "take of a gesture", "s"),
)
_AS_GROW: Final = {
    "hands": "hands in view",
    "people": "people in view",
    "bindings": "bindings",
    "gestures": "gestures of one's own",
    "takes": "takes of a gesture",
}
SAME: Final = 0.1  # of the first value: what changes by less is called the same


def measure(choice: Choice) -> Figures:
    """Measure every axis, and the full house beside one of each; takes some minutes.

    Raises:
        GesturectlError: a model cannot be had.
    """
    with garbage.frozen():
        axes = {
            "hands": _hands(choice),
            "people": _people(choice),
            "bindings": _bindings(),
            "gestures": _gestures(),
            "takes": _takes(),
        }
        return {"axes": axes, "full": full()}


# --- one axis at a time ---------------------------------------------------------------------------


def _hands(choice: Choice) -> Figures:
    seen = [[_with_hands(one, n) for one in _filmed()] for n in HANDS]
    return {
        "n": list(HANDS),
        "engine_ms": _engines_ms([Engine(Recogniser.load()) for _ in HANDS], seen),
        **_landmarks(choice, OF_HANDS, [Needs(2, 0)] * len(HANDS)),
    }


def _people(choice: Choice) -> Figures:
    seen = [[with_people(one, n) for one in _filmed()] for n in PEOPLE]
    needs = [Needs(2 * max(n, 1), max(n, 1)) for n in PEOPLE]
    return {
        "n": list(PEOPLE),
        "engine_ms": _engines_ms([_floor() for _ in PEOPLE], seen),
        **_landmarks(choice, [script_of(n) for n in PEOPLE], needs),
    }


def _bindings() -> Figures:
    rules = [parse(profiles.profile_text(n)) for n in BINDINGS]
    all_us = [np.array(times) for times, _ in profiles.step_times_us(*rules)]
    return {
        "n": list(BINDINGS),
        "event_us": [float(np.median(times)) for times in all_us],
        "event_p99_us": [float(np.percentile(times, 99)) for times in all_us],
    }


def _gestures() -> Figures:
    """Teach what the puppet acts of the catalog, by other names, and listen for it."""
    acted = [row.name for row in catalog().values() if "hand" in row.seen_by]
    takes = {f"own_{name}": lesson(name, PER_GESTURE) for name in acted[: max(GESTURES)]}
    known = [_learned(dict(islice(takes.items(), n)))[0] for n in GESTURES]
    return {"n": list(GESTURES), **_listening(known)}


def _takes() -> Figures:
    takes = lesson("zigzag", max(TAKES))
    learned = [_learned({"own": takes[:n]}) for n in TAKES]
    return {
        "n": list(TAKES),
        **_listening([taught for taught, _ in learned]),
        "refit_s": [took_s for _, took_s in learned],
    }


def lesson(gesture: str, count: int) -> list[Take]:
    """Return so many takes of a gesture, as the puppet acts it for `gesturectl teach`."""
    takes: list[Take] = []
    seed = 1
    while len(takes) < count:
        acted = Performance(",".join([gesture] * PER_GESTURE) + f"?seed={seed}").at(30)
        takes += [take for take, wrong in cut_all(acted, "hand") if not wrong]
        seed += 1
    return takes[:count]


def _learned(takes: Mapping[str, Sequence[Take]]) -> tuple[Taught | None, float]:
    """Learn gestures; return them, and how long it took of the processor's time, in seconds."""
    if not takes:
        return None, 0.0
    began_s = time.process_time()
    taught = refit(takes, parts=dict.fromkeys(takes, "hand"))
    return taught, time.process_time() - began_s


def _listening(known: Sequence[Taught | None]) -> Figures:
    """Time engines that listen to what was taught: a frame, and one that ends a beat of 100 ms.

    Of 30 frames a second every third ends a beat, with which stretches of time are scored.
    """
    engines = [
        Engine(Recogniser.load(), None, None if taught is None else Listener(taught))
        for taught in known
    ]
    seen = [list(_filmed())] * len(known)
    times_ms = _steps_ms(engines, seen)
    return {
        "engine_ms": [median(one) for one in times_ms],
        "beat_ms": [float(np.percentile(one, OF_BEATS)) for one in times_ms],
    }


def _filmed() -> Iterator[Observation]:
    return islice(two_hands_and_a_body(), FRAMES)


def _with_hands(seen: Observation, n: int) -> Observation:
    return replace(seen, hands=seen.hands[:n], bodies=())


def with_people(seen: Observation, n: int) -> Observation:
    """Return the same person so many times, side by side."""

    def placed(points: Float32, k: int) -> Float32:
        moved = points.copy()
        moved[:, :3] /= n
        moved[:, 0] += k / n
        return moved

    hands = [replace(one, image=placed(one.image, k)) for k in range(n) for one in seen.hands]
    bodies = [Body(placed(one.image, k)) for k in range(n) for one in seen.bodies]
    return replace(seen, hands=tuple(hands), bodies=tuple(bodies))


def _floor() -> Floor:
    chosen, recogniser = parse(CONTROL), Recogniser.load()
    if chosen.control is None:
        raise TypeError("this profile says who controls")
    return Floor(lambda: Engine(recogniser.fresh(), chosen), chosen.control, chosen.zones)


def _engines_ms(engines: Sequence[Core], seen: Sequence[Sequence[Observation]]) -> list[float]:
    """Return the median milliseconds of a step of each engine on what it sees."""
    return [median(one) for one in _steps_ms(engines, seen)]


def _steps_ms(engines: Sequence[Core], seen: Sequence[Sequence[Observation]]) -> list[list[float]]:
    # Of the processor: an engine works in one thread, and waits for nothing.
    return _in_turns_ms([engine.step for engine in engines], seen, time.thread_time_ns)


def _in_turns_ms(
    works: Sequence[Callable[[Any], object]],
    given: Sequence[Sequence[Any]],
    clock_ns: Callable[[], int] = time.perf_counter_ns,
) -> list[list[float]]:
    """Return how long each of these works took for each of what is given it, after a warm-up."""
    times_ms: list[list[float]] = [[] for _ in works]
    for number, row in enumerate(zip(*given, strict=True)):
        order = range(len(works))
        for which in order if number % 2 else reversed(order):
            began_ns = clock_ns()
            works[which](row[which])
            times_ms[which].append((clock_ns() - began_ns) / 1e6)
    return [one[WARM_UP:] for one in times_ms]


def script_of(people: int) -> str:
    """Return a puppet script of so many people side by side, each showing a palm."""
    if people == 0:
        return "puppet:wait:4s?until=0&seed=5"
    one = "open_palm:4s?size={size}&x={x}&seed={seed}"
    size = round(max(0.6, 0.8 / people**0.5), 2)
    places = [round(0.8 * ((k + 0.5) / people - 0.5), 2) for k in range(people)]
    each = (one.format(size=size, x=x, seed=5 + k) for k, x in enumerate(places))
    return "puppet:" + "+".join(each)


def _landmarks(choice: Choice, scripts: Sequence[str], needs: Sequence[Needs]) -> Figures:
    """Time the landmarks of pictures drawn beforehand; say also what was found in them."""
    drawn = [list(islice(again(script), PICTURES)) for script in scripts]
    with ExitStack() as stack:
        looks = [stack.enter_context(open_landmarker(one, choice)) for one in needs]
        found: list[list[int]] = [[] for _ in looks]

        def looking(which: int) -> Callable[[Item], None]:
            def look(frame: Item) -> None:
                if isinstance(frame, Frame):
                    seen = looks[which].detect(frame)
                    found[which].append(len(seen.hands) + len(seen.bodies))

            return look

        times_ms = _in_turns_ms([looking(which) for which in range(len(looks))], drawn)
    return {
        "landmarks_ms": [median(one) for one in times_ms],
        "found": [median(one[WARM_UP:]) for one in found],
    }


# --- the full house -------------------------------------------------------------------------------


def full() -> Figures:
    """Compare a frame of the full house with one of each; see above.

    Nothing of it is sent, and no landmarks are looked for.
    """
    with tempfile.TemporaryDirectory(prefix="gc-") as name:
        folder = Path(name)
        with (
            _house(folder / "full", APPLICATIONS, profiles.BINDINGS, PROGRAMS) as many,
            _house(folder / "one", 1, 1, 1) as one,
        ):
            seen = two_hands_and_a_body()
            times_us: tuple[list[float], list[float]] = ([], [])
            for _ in range(TURNS):
                shown = list(islice(seen, TURN))
                for step, found_us in zip((many, one), times_us, strict=True):
                    for frame in shown:
                        time.sleep(WAIT_S)
                        began_ns = time.perf_counter_ns()
                        step(frame)
                        found_us.append((time.perf_counter_ns() - began_ns) / 1e3)
    (many_50, many_99), (one_50, one_99) = (
        (float(value) for value in np.percentile(found_us[TURN:], (50, 99)))
        for found_us in times_us
    )
    return {
        "on": f"{APPLICATIONS} applications of {profiles.BINDINGS} bindings, "
        f"{PROGRAMS} programs that follow",
        "frames": len(times_us[0]) - TURN,
        "median_us": many_50,
        "p99_us": many_99,
        "of_one_median_us": one_50,
        "of_one_p99_us": one_99,
        "ratio": many_50 / one_50,
        "ratio_of_p99": many_99 / one_99,
    }


def write_profile(folder: Path, applications: int, bindings: int) -> Path:
    """Write a profile that imports a file of so many bindings for each of so many applications.

    One file of all of them would be more than is read of a file.
    """
    folder.mkdir()
    for number in range(applications):
        text = ["version: 1", "profiles:", f"  - match: {{only: [{{app: app{number}}}]}}"]
        text += ["    bindings:", *(f"      {one}" for one in profiles.binding_lines(bindings))]
        (folder / f"app{number}.yaml").write_text("\n".join(text) + "\n", "utf-8")
    names = ", ".join(f"app{number}.yaml" for number in range(applications))
    whole = folder / "all.yaml"
    whole.write_text("\n".join([*profiles.heading(), f"imports: [{names}]\n"]), "utf-8")
    return whole


@contextmanager
def _house(
    folder: Path, applications: int, bindings: int, programs: int
) -> Iterator[Callable[[Observation], None]]:
    """Give what the daemon does with a frame, but for the landmarks, while programs follow it."""
    source, sink = Recording(control.nothing(), "the bench", realtime=False), Unsent()
    engine = Engine(Recogniser.load(), load(write_profile(folder, applications, bindings)))
    rig = Rig(Choice("bench", None, sink), None, source, None, engine, sink)
    with (
        place.claim(folder / "run") as claim,
        answering(claim, rig) as desk,
        control.following(desk, rig, folder / "run", {"events": programs}),
    ):
        note = desk.noting(silent)
        loop = Loop(source, None, engine, sink, rig.ledger, Control(), watcher=note)
        count = 0

        def step(frame: Observation) -> None:
            nonlocal count
            desk.between(loop)
            loop.t_us = frame.t_us
            count += 1
            news: tuple[Window, ...] = ()
            if count % WINDOW_EVERY == 1:
                news = (Window(frame.t_us, app=f"app{count // WINDOW_EVERY % APPLICATIONS}"),)
            done = engine.step(frame, news)
            loop.send(done)
            loop.tell(done)

        yield step


# --- what is told of it ---------------------------------------------------------------------------


def sentence(told: Told, n: Sequence[float], y: Sequence[float]) -> str:
    """Say what more of something costs, from the first and the last point of a curve."""
    ends = f"{_short(y[0])} {told.unit} with {n[0]}, {_short(y[-1])} {told.unit} with {n[-1]}"
    if abs(y[-1] - y[0]) <= SAME * y[0]:
        return f"{told.says}: the same, {ends}"
    each = (y[-1] - y[0]) / (n[-1] - n[0])
    if abs(each) * 1e3 < y[0]:
        return f"{told.says}: {ends}; {_short(1e3 * each)} {told.unit} for a thousand of them"
    return f"{told.says}: {ends}; {_short(each)} {told.unit} for each {told.each}"


def sentences(figures: Figures) -> list[str]:
    """Say of each curve what it shows."""
    axes = figures["axes"]
    return [
        f"{told.axis}, {sentence(told, axes[told.axis]['n'], axes[told.axis][told.key])}"
        for told in CURVES
    ]


def _short(value: float) -> str:
    return f"{value:.2g}" if abs(value) < 10 else f"{value:,.0f}"


def show(figures: Figures, console: Console) -> None:
    """Print the points of every curve, its sentence, and the full house."""
    for told in CURVES:
        one = figures["axes"][told.axis]
        table = Table(f"{told.axis}: {told.says}", *map(str, one["n"]), box=None)
        table.add_row(told.unit, *(f"{value:.3g}" for value in one[told.key]))
        console.print(table)
    for said in sentences(figures):
        console.print(said, highlight=False)
    house = figures["full"]
    console.print(
        f"{house['on']}: {house['median_us']:.0f} µs a frame, p99 {house['p99_us']:.0f}; one of "
        f"each {house['of_one_median_us']:.0f}, p99 {house['of_one_p99_us']:.0f}; "
        f"{house['ratio']:.2f} times, p99 {house['ratio_of_p99']:.2f}",
        highlight=False,
    )


def charts(figures: Figures) -> list[Chart]:
    """Return a chart for each axis and unit."""
    drawn: dict[tuple[str, str], list[Told]] = {}
    for told in CURVES:
        drawn.setdefault((told.axis, told.unit), []).append(told)
    return [
        Chart(
            f"As {_AS_GROW[axis]} grow",
            _AS_GROW[axis],
            unit,
            tuple(
                Curve(told.says, figures["axes"][axis]["n"], figures["axes"][axis][told.key])
                for told in curves
            ),
        )
        for (axis, unit), curves in drawn.items()
    ]
