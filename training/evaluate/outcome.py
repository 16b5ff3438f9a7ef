"""What a measure gives back: figures for programs, tables for people, pictures in a folder."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import Progress
from rich.table import Table

from training.measured import percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Figures = dict[str, Any]
Draw = Callable[[], "Figure"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """`figures` must be JSON; `pictures` are drawn only when they are wanted, by file name."""

    figures: Figures
    tables: tuple[Table, ...]
    pictures: dict[str, Draw]


@dataclass(frozen=True, slots=True)
class Measure:
    """One row of the table of measures: its help, its own options, and how it is run."""

    says: str
    add_options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, Progress], Outcome]
    needs_data: bool = True


@contextmanager
def drawn(draw: Draw) -> Iterator[Figure]:
    """Draw a picture without a display, and let go of it afterwards: pyplot would keep it."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure = draw()
    try:
        yield figure
    finally:
        plt.close(figure)


def save(pictures: dict[str, Draw], folder: Path) -> list[Path]:
    """Draw every picture into a folder as PNG; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for name, draw in pictures.items():
        file = folder / f"{name}.png"
        with drawn(draw) as figure:
            figure.savefig(file, dpi=110)
        files.append(file)
    return files


def table(title: str, *columns: str) -> Table:
    """Return an empty table: the first column names, the others are numbers."""
    out = Table(title=title, title_justify="left", box=None)
    for i, name in enumerate(columns):
        out.add_column(name, justify="right" if i else "left")
    return out


def milliseconds(spread: Mapping[str, float | None]) -> str:
    """Return a median and a 90th percentile, as `metrics.spread_ms` gives them."""
    if spread["median"] is None:
        return "–"
    return f"{spread['median']:.0f} / {spread['p90']:.0f}"


def gesture_table(gestures: Mapping[str, Figures]) -> Table:
    """Return one row a gesture: what was shown, heard rightly and falsely, and how soon."""
    out = table(
        "by gesture", "gesture", "segments", "right", "false", "precision", "recall", "F1",
        "ms from end, median / p90",
    )  # fmt: skip
    for name, row in gestures.items():
        out.add_row(
            name, str(row["right"] + row["missed"]), str(row["right"]), str(row["false"]),
            *(percent(row[key]) for key in ("precision", "recall", "f1")),
            milliseconds(row["latency_end_ms"]),
        )  # fmt: skip
    return out
