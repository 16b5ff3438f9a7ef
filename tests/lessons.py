"""Lessons without a camera: the puppet's script as an ideal estimator sees it, kept as a trace."""

from __future__ import annotations

from pathlib import Path

from gesturectl.rig import Choice
from gesturectl.samples import Plan, Store
from gesturectl.teach import Report, teach
from gesturectl.teachview import Status, Tone
from gesturectl.trace import TraceWriter
from gesturectl.types import Observation
from tests.acting import SIZE_PX, Performance


class Heard:
    """A screen that remembers what was said, and what was to be done."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.prompts: list[str] = []

    def show(self, observation: Observation, status: Status) -> None:
        left = f" {status.count_s}" if status.count_s else ""
        if not self.prompts or self.prompts[-1] != status.prompt + left:
            self.prompts.append(status.prompt + left)

    def say(self, line: str, tone: Tone = "plain") -> None:
        self.lines.append(line)

    def __enter__(self) -> Heard:
        return self

    def __exit__(self, *exc: object) -> None:
        pass


def trace_of(
    script: str, path: Path, *, labels: bool = False, body: bool = False, fps: float = 30
) -> Path:
    """Record a script; with `labels` each frame of an act bears its gesture's name."""
    performance = Performance(script)
    with TraceWriter(path, SIZE_PX, f"puppet:{script}") as writer:
        for observation in performance.at(fps, body=body):
            act = next(
                (a for a in performance.acts if a.start_us <= observation.t_us <= a.end_us), None
            )
            writer.write(observation, act.gesture if act and labels else None)
    return path


def choice(source: str | Path) -> Choice:
    """What `teach` opens for a source."""
    return Choice(source=str(source), profile=None, sink="print")


def taught(
    store: Store, name: str, source: Path, screen: Heard | None = None, samples: int | None = None
) -> Report:
    """Teach a gesture of one hand from a trace."""
    plan = store.plan(name) or Plan("hand", samples or 5)
    return teach(choice(source), name, plan, store, screen or Heard(), samples=samples)
