"""Pictures of what was heard in recordings beside what was shown in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from training.datasets import Segment
from training.evaluate.metrics import Matching

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Line:
    """A recording from its first to its last frame, and what was heard in it."""

    name: str
    first_us: int
    last_us: int
    segments: tuple[Segment, ...]
    matching: Matching


def draw_timelines(
    lines: Sequence[Line], colours: Mapping[str, Any], columns: int = 6, note: str = "seconds"
) -> Figure:
    """Draw every recording as a line: bars are segments, circles right events, crosses false.

    Colours are gestures, grey is what must be refused; missed segments have a red frame.
    """
    from matplotlib import pyplot as plt
    from matplotlib.lines import Line2D

    size = (16, 1.2 + 0.24 * len(lines))
    figure, axes = plt.subplots(figsize=size, layout="constrained")
    for row, line in enumerate(lines):

        def seconds(t_us: int, first_us: int = line.first_us) -> float:
            return (t_us - first_us) / 1e6

        end_s = seconds(line.last_us)
        axes.plot([0, end_s], [row, row], color="lightgrey", linewidth=0.8, zorder=0)
        for segment in line.segments:
            axes.barh(
                row, (segment.end_us - segment.start_us) / 1e6, 0.6, seconds(segment.start_us),
                color=colours.get(segment.name, "silver"), alpha=0.6,
                edgecolor="red" if segment in line.matching.missed else "none", linewidth=1.6,
            )  # fmt: skip
        for event, _ in line.matching.right:
            axes.plot(
                seconds(event.t_us), row, "o", color=colours[event.gesture],
                markeredgecolor="black", markersize=6, markeredgewidth=0.7,
            )  # fmt: skip
        for event in line.matching.false:
            axes.plot(
                seconds(event.t_us), row - 0.3, "X", color=colours[event.gesture],
                markeredgecolor="red", markersize=6, markeredgewidth=0.7,
            )  # fmt: skip
    axes.set_yticks(range(len(lines)), [line.name for line in lines], fontsize=7)
    axes.invert_yaxis()
    axes.margins(0.01)
    axes.set_xlabel(note)
    keys = [Line2D([], [], color=one, linewidth=5, label=name) for name, one in colours.items()]
    axes.legend(
        handles=keys, ncols=columns, loc="lower center", bbox_to_anchor=(0.5, 1.0), frameon=False
    )
    return figure


def draw_delays(axes: Axes, matchings: Iterable[Matching]) -> None:
    """Draw how long after their marked ends gestures were heard."""
    late_ms = [(event.t_us - segment.end_us) / 1e3 for m in matchings for event, segment in m.right]
    axes.hist(late_ms, bins=40, color="tab:green")
    axes.axvline(0, color="black", linewidth=1)
    axes.set_title("latency from the marked end, ms")
