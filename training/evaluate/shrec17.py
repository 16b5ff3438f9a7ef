"""SHREC'17: 14 gestures, each with one finger or the whole hand (28), on the official split.

Small networks are trained on the 20 subjects of the training split and asked about the 8 of the
test split: nothing was chosen there. `--held-out` measures as everything was chosen, within the
training split alone: a quarter of its subjects at a time is left out and asked about.

These recordings may be measured on, not shipped: the networks are forgotten afterwards.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from training import datasets
from training.datasets import HandSequences
from training.evaluate.metrics import wilson
from training.evaluate.outcome import Figures, Measure, Outcome, table
from training.measured import percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from training.isolated import Network

SEED = 2017
EPOCHS = 120
PARAMETERS = 300_000  # no more than these, all networks together
FOLDS = 4
GESTURES = (
    "grab", "tap", "expand", "pinch", "rotate cw", "rotate ccw", "swipe right", "swipe left",
    "swipe up", "swipe down", "swipe X", "swipe +", "swipe V", "shake",
)  # fmt: skip
WAY_NAMES = ("one finger", "whole hand")
WAYS = len(WAY_NAMES)

# What each network is told. On ten held-out subjects of the training split the first alone was
# right about 94.4 and 92.7 % of the time (14 and 28 classes), the three together 95.9 and 93.9.
STROKE = ("path", "motion", "sweep")
VIEWS = (
    ("shape", "distances", "axes", *STROKE),
    ("opening", "axes", *STROKE),
    ("opening", "turning", *STROKE),
)


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What was asked, N gestures, and what was answered; labels are WAYS · gesture + way."""

    truth: NDArray[np.int64]
    subject: NDArray[np.int64]
    gesture: NDArray[np.int64]
    label: NDArray[np.int64]

    @property
    def right_14(self) -> NDArray[np.bool_]:
        """Which were called by the right gesture."""
        return np.asarray(self.gesture == self.truth // WAYS)

    @property
    def right_28(self) -> NDArray[np.bool_]:
        """Which were called by the right gesture and way."""
        return np.asarray(self.label == self.truth)


def labels(sequences: HandSequences) -> NDArray[np.int64]:
    """Return WAYS · gesture + way of each sequence."""
    return WAYS * sequences.gesture + sequences.whole_hand


def trained(
    train: HandSequences, seed: int, epochs: int, advance: Callable[[], object]
) -> list[Network]:
    """Train all networks, each from a seed of its own; `advance` is called after every epoch."""
    from training.isolated import Plan, fit  # brings JAX, which other measures do not need
    from training.skeletons import skeletons

    shown, label = skeletons(train.joints), labels(train)
    return [
        fit(shown, label, view, seed + i, Plan(epochs), advance=advance)
        for i, view in enumerate(VIEWS)
    ]


def asked(networks: list[Network], test: HandSequences) -> Answers:
    """Ask trained networks about sequences."""
    from training.isolated import predicted
    from training.skeletons import skeletons

    which, both = predicted(networks, skeletons(test.joints))
    label = both.reshape(len(test), -1).argmax(1)
    return Answers(labels(test), test.subject, which.argmax(1), label)


def held_out(train: HandSequences) -> Iterator[tuple[HandSequences, HandSequences]]:
    """Yield FOLDS times what to train on and what to ask about: other subjects."""
    subjects = np.random.default_rng(SEED).permutation(np.unique(train.subject))
    for i in range(FOLDS):
        left_out = np.isin(train.subject, subjects[i::FOLDS])
        yield train.those(~left_out), train.those(left_out)


def run(options: argparse.Namespace, progress: Progress) -> Outcome:
    """Train, ask, and count."""
    official = datasets.shrec17(datasets.located("shrec17", options.data))
    splits = list(held_out(official[0])) if options.held_out else [official]
    task = progress.add_task("training", total=len(splits) * len(VIEWS) * options.epochs)
    told = []
    for train, test in splits:
        networks = trained(train, options.seed, options.epochs, lambda: progress.advance(task))
        told.append(asked(networks, test))
    columns = ("truth", "subject", "gesture", "label")
    answers = Answers(*(np.concatenate([getattr(a, name) for a in told]) for name in columns))
    return report(answers, networks, "held-out" if options.held_out else "test")


# --- the report ---------------------------------------------------------------------------------


def _share(right: NDArray[np.bool_]) -> float | None:
    return round(float(right.mean()), 4) if len(right) else None


def report(answers: Answers, networks: list[Network], split: str) -> Outcome:
    """Return figures, a table by gesture, and a picture of what was taken for what."""
    n, right = len(answers.truth), (answers.right_14, answers.right_28)
    parameters = [one.parameters for one in networks]
    figures: Figures = {
        "accuracy_14": _share(right[0]),
        "accuracy_28": _share(right[1]),
        "parameters": sum(parameters),
        "intervals": {
            f"accuracy_{classes}": wilson(int(r.sum()), n).rounded()
            for classes, r in zip((14, 28), right, strict=True)
        },
        "split": split,
        "sequences": n,
        "networks": [{"view": list(one.view), "parameters": one.parameters} for one in networks],
        "subjects": {
            str(who): [_share(r[answers.subject == who]) for r in right]
            for who in np.unique(answers.subject)
        },
        "gestures": {row["gesture"]: row for row in _rows(answers)},
    }
    return Outcome(
        figures,
        (_summary(figures), _by_gesture(figures)),
        {"shrec17_14": lambda: draw(answers, 14), "shrec17_28": lambda: draw(answers, 28)},
    )


def _rows(answers: Answers) -> Iterator[Figures]:
    for i, name in enumerate(GESTURES):
        mine = answers.truth // WAYS == i
        mistaken = np.bincount(answers.gesture[mine & ~answers.right_14], minlength=len(GESTURES))
        yield {
            "gesture": name,
            "sequences": int(mine.sum()),
            "right": _share(answers.right_14[mine]),
            "right_way": {
                way: _share(answers.right_28[answers.truth == WAYS * i + j])
                for j, way in enumerate(WAY_NAMES)
            },
            "taken_for": {
                GESTURES[other]: int(mistaken[other])
                for other in np.argsort(-mistaken, kind="stable")
                if mistaken[other]
            },
        }


def _summary(figures: Figures) -> Any:
    out = table(
        f"SHREC'17, {figures['sequences']} sequences ({figures['split']} subjects); "
        f"{figures['parameters']:,} of at most {PARAMETERS:,} parameters",
        "", "right (95 %)",
    )  # fmt: skip
    for classes in (14, 28):
        key = f"accuracy_{classes}"
        out.add_row(f"{classes} classes", percent(figures[key], figures["intervals"][key]))
    return out


def _by_gesture(figures: Figures) -> Any:
    out = table("By gesture", "gesture", "sequences", "right", *WAY_NAMES, "taken for")
    for row in figures["gestures"].values():
        cells = map(percent, (row["right"], *row["right_way"].values()))
        others = ", ".join(f"{name} {n}" for name, n in row["taken_for"].items())
        out.add_row(row["gesture"], str(row["sequences"]), *cells, others)
    return out


def draw(answers: Answers, classes: int) -> Figure:
    """Draw what was taken for what: rows are the truth, in percent of each row."""
    from matplotlib.figure import Figure

    ways = WAYS if classes == len(GESTURES) * WAYS else 1
    names = list(GESTURES) if ways == 1 else [f"{g}, {w}" for g in GESTURES for w in WAY_NAMES]
    told = answers.label if ways == WAYS else answers.gesture
    counts = np.zeros((classes, classes))
    np.add.at(counts, (answers.truth * ways // WAYS, told), 1)
    shares = 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)
    size = 3 + 0.35 * classes
    figure = Figure(figsize=(size, size), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=100)
    for row, column in np.argwhere(shares >= 0.5):
        share = shares[row, column]
        colour = "white" if share > 50 else "black"
        axes.text(column, row, f"{share:.0f}", ha="center", va="center", fontsize=7, color=colour)
    axes.set_xticks(range(classes), names, rotation=90, fontsize=8)
    axes.set_yticks(range(classes), names, fontsize=8)
    axes.set(xlabel="recognised", ylabel="shown", title=f"{classes} classes, % of each row")
    return figure


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what this measure alone can be told."""
    parser.add_argument(
        "--held-out", action="store_true",
        help="measure on subjects of the training split, a quarter at a time left out of training",
    )  # fmt: skip
    parser.add_argument("--epochs", type=int, default=EPOCHS, help=f"default: {EPOCHS}")
    parser.add_argument("--seed", type=int, default=SEED, help=f"default: {SEED}")


MEASURE = Measure("whole hand gestures, SHREC'17, official split", add_options, run)
