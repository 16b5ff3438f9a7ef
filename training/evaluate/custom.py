"""Custom gestures: how well a user's own are learned from few takes, and strangers' refused.

Thirteen people with vocabularies of their own. In each draw the takes to learn from are chosen at
random within the user, the rest is tested:

    balanced accuracy   the likeliest gesture of each test take, a mean over classes, then users
    open set            5 takes a gesture and a background of six other people's takes; of the
                        remaining people's different gestures and the user's own none-class, how
                        many are accepted at the threshold that the tool itself chooses

    stream              the same takes and strangers', one after another, heard by the listener:
                        see `custom_stream`

Nothing here is ever trained on. Settings were chosen on every second user (`chosen`); the others
(`unseen`) tell how much that flatters.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from rich.progress import Progress
from rich.table import Table

from gesturectl import custom
from gesturectl.errors import UsageError
from gesturectl.types import Float32
from training import datasets
from training.evaluate import custom_stream
from training.evaluate.metrics import Interval, bootstrap, rounded
from training.evaluate.outcome import Measure, Outcome, table
from training.measured import percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DRAWS = 10
OPEN_SHOTS = 5
BACKGROUND_TAKES = 200
NONE = frozenset({"_", "none", "nothing"})


@dataclass(frozen=True, slots=True, eq=False)
class User:
    """One person's takes, embedded (N, E), and the names of their gestures (N,)."""

    name: str
    takes: Float32
    label: NDArray[np.str_]

    @property
    def none(self) -> NDArray[np.bool_]:
        """Which takes show no gesture by the user's own account."""
        return np.isin(self.label, sorted(NONE))


# --- the two measures ---------------------------------------------------------------------------


def _enough(label: NDArray[np.str_], shots: int) -> bool:
    """Tell whether every class keeps a take to test."""
    counts = np.unique(label, return_counts=True)[1]
    return len(counts) > 0 and counts.min() > shots


def _drawn(label: NDArray[np.str_], shots: int, rng: Generator) -> NDArray[np.bool_]:
    """Choose `shots` takes of every class to learn from."""
    chosen = np.zeros(len(label), bool)
    for name in np.unique(label):
        chosen[rng.choice(np.flatnonzero(label == name), shots, replace=False)] = True
    return chosen


def _learned(takes: Float32, label: NDArray[np.str_], background: Float32) -> custom.Learned:
    return custom.fit({str(name): takes[label == name] for name in np.unique(label)}, background)


def balanced_accuracy(user: User, shots: int, draws: int) -> float | None:
    """Return the mean over draws; None where a class has no take left to test."""
    if not _enough(user.label, shots):
        return None
    accuracies = []
    for draw in range(draws):
        train = _drawn(user.label, shots, np.random.default_rng([shots, draw]))
        learned = _learned(user.takes[train], user.label[train], user.takes[:0])
        best = np.array(learned.names)[learned.scores(user.takes[~train]).argmax(1)]
        right = best == user.label[~train]
        accuracies.append(np.mean([right[user.label[~train] == c].mean() for c in learned.names]))
    return float(np.mean(accuracies))


@dataclass(frozen=True, slots=True)
class Open:
    """What one user's gestures and negatives met: fractions, means over draws.

    `oracle` is the share of negatives that would pass if 90 % of the test takes had to.
    """

    false_accept: float
    recall: float
    oracle: float


def open_set(user: User, others: Sequence[User], shots: int, draws: int) -> Open | None:
    """Measure refusal; None where somebody has too few takes or there are too few others."""
    known = user.label[~user.none]
    if len(others) < 2 or not _enough(known, shots):
        return None
    own = np.unique(known).tolist()
    rows = []
    for draw in range(draws):
        rng = np.random.default_rng([1000 + shots, draw])
        half = len(others) // 2
        order = rng.permutation(len(others))
        background = _different([others[i] for i in order[:half]], own)
        if len(background) > BACKGROUND_TAKES:
            background = background[rng.permutation(len(background))[:BACKGROUND_TAKES]]
        negatives = _different([others[i] for i in order[half:]], own)
        negatives = np.concatenate([negatives, user.takes[user.none]])
        takes = user.takes[~user.none]
        train = _drawn(known, shots, rng)
        learned = _learned(takes[train], known[train], background)
        scores = learned.scores(takes[~train])
        right = np.array(learned.names)[scores.argmax(1)] == known[~train]
        heard = np.where(right, scores.max(1), -np.inf)
        false = learned.scores(negatives).max(1)
        at_90 = np.sort(heard)[int(0.1 * len(heard))]
        passed = (false >= learned.enter, heard >= learned.enter, false >= at_90)
        rows.append([which.mean() for which in passed])
    return Open(*np.mean(rows, axis=0).tolist())


def _different(users: Sequence[User], own: list[str]) -> Float32:
    """Return the takes of gestures that bear none of the user's names."""
    return np.concatenate([user.takes[~np.isin(user.label, own)] for user in users])


# --- the report ---------------------------------------------------------------------------------


def _over_users(values: Sequence[float]) -> tuple[float, Interval]:
    """Return the mean and its bootstrap interval over users: their takes are not independent."""
    each = np.array(values)
    return float(each.mean()), bootstrap(lambda drawn: each[drawn].mean(1), len(each))


@dataclass(frozen=True, slots=True)
class Row:
    """One user's results: accuracy by shots, and the open set."""

    name: str
    accuracy: dict[int, float | None]
    open: Open | None


def _mean(rows: Sequence[Row], shots: int) -> tuple[float, Interval] | None:
    values = [v for row in rows if (v := row.accuracy[shots]) is not None]
    return _over_users(values) if values else None


def _open(rows: Sequence[Row]) -> dict[str, tuple[float, Interval]]:
    known = [row.open for row in rows if row.open is not None]
    if not known:
        return {}
    return {
        "false_accept": _over_users([o.false_accept for o in known]),
        "recall": _over_users([o.recall for o in known]),
        "false_accept_at_90_recall": _over_users([o.oracle for o in known]),
    }


def _figures(rows: Sequence[Row], shots: Sequence[int]) -> dict[str, Any]:
    means = {str(k): mean for k in shots if (mean := _mean(rows, k)) is not None}
    opened = _open(rows)
    return {
        "balanced_accuracy": {k: round(mean, 4) for k, (mean, _) in means.items()},
        "balanced_accuracy_interval": {k: i.rounded() for k, (_, i) in means.items()},
        "open_set": {k: round(mean, 4) for k, (mean, _) in opened.items()},
        "open_set_interval": {k: i.rounded() for k, (_, i) in opened.items()},
    }


def _by_user(row: Row) -> dict[str, Any]:
    keys = ("false_accept", "recall")
    return {
        "balanced_accuracy": {str(k): rounded(v) for k, v in row.accuracy.items()},
        "open_set": {key: rounded(getattr(row.open, key)) for key in keys} if row.open else None,
    }


def _halves(rows: Sequence[Row]) -> dict[str, Sequence[Row]]:
    """Return the users that settings were chosen on, and the others."""
    halves = {"chosen": rows[::2], "unseen": rows[1::2]}
    return {name: half for name, half in halves.items() if half}


def run(options: argparse.Namespace, progress: Progress) -> Outcome:
    """Measure all users of a data folder.

    Raises:
        UsageError: there are none.
        SourceError: the takes of one are damaged.
    """
    folder = datasets.located("custom_gestures", options.data)
    files = sorted(folder.glob("user_*.npz"))
    if not files:
        raise UsageError(f"{folder} holds no user_*.npz")
    shots: list[int] = options.shots
    task = progress.add_task("custom gestures", total=2 * len(files))
    users, people = [], []
    for file in files:
        takes, label = datasets.user_takes(file)
        people.append(custom_stream.Person(file.stem, takes, label))
        users.append(User(file.stem, np.stack([custom.embed(take) for take in takes]), label))
        progress.advance(task)
    rows = []
    for user in users:
        others = [other for other in users if other is not user]
        accuracy = {k: balanced_accuracy(user, k, options.draws) for k in shots}
        rows.append(Row(user.name, accuracy, open_set(user, others, OPEN_SHOTS, options.draws)))
        progress.advance(task)
    heard = custom_stream.run(people, NONE) if options.stream else {}
    return report(rows, shots, heard)


def report(
    rows: Sequence[Row], shots: Sequence[int], heard: Mapping[str, custom_stream.Heard]
) -> Outcome:
    """Turn what was measured of each user, by itself and in a stream, into figures and tables."""
    figures = {
        **_figures(rows, shots),
        **({"stream": custom_stream.figures(heard)} if heard else {}),
        "users": {row.name: _by_user(row) for row in rows},
        "halves": {name: _figures(half, shots) for name, half in _halves(rows).items()},
    }
    tables = [_table(rows, shots)] + ([custom_stream.drawn(heard)] if heard else [])
    return Outcome(figures, tuple(tables), {"custom": lambda: _draw(rows, shots)})


def _table(rows: Sequence[Row], shots: Sequence[int]) -> Table:
    out = table(
        "Balanced accuracy from few takes, and the open set at 5", "user", *map(str, shots),
        "false accepts", "recall",
    )  # fmt: skip
    for row in rows:
        refusal = (row.open.false_accept, row.open.recall) if row.open else (None, None)
        out.add_row(row.name, *map(percent, (*row.accuracy.values(), *refusal)))
    for name, some in (*_halves(rows).items(), ("all", rows)):
        opened = _open(some)
        means = [*(_mean(some, k) for k in shots), opened.get("false_accept"), opened.get("recall")]
        out.add_row(name, *(percent(*(mean or (None,))) for mean in means), style="bold")
    return out


def _draw(rows: Sequence[Row], shots: Sequence[int]) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    for row in rows:
        known = [(k, 100 * v) for k, v in row.accuracy.items() if v is not None]
        if known:
            left.plot(*zip(*known, strict=True), color="0.7", linewidth=1)
    means = [(k, 100 * mean[0]) for k in shots if (mean := _mean(rows, k)) is not None]
    if means:
        left.plot(*zip(*means, strict=True), color="tab:blue", linewidth=2.5, marker="o")
    left.set(xlabel="takes of each gesture", ylabel="balanced accuracy, %", xticks=list(shots))
    left.set_title("each user grey, their mean blue", fontsize=10)
    for row in rows:
        if row.open is not None:
            at = (100 * row.open.false_accept, 100 * row.open.recall)
            right.plot(*at, "o", color="tab:blue")
            right.annotate(row.name.removeprefix("user_"), at, (4, 3), textcoords="offset points")
    right.axvline(2, color="0.7", linestyle=":")
    right.axhline(90, color="0.7", linestyle=":")
    right.set(xlabel="strangers' takes accepted, %", ylabel="own takes accepted, %")
    right.set_title("open set at 5 takes; dotted: the aim", fontsize=10)
    return figure


def _shots(text: str) -> list[int]:
    try:
        shots = [int(part) for part in text.split(",")]
    except ValueError:
        shots = [0]
    if min(shots) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: give numbers from 1 on, as in 1,3,5")
    return shots


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what only this measure asks."""
    parser.add_argument(
        "--shots", type=_shots, default=[1, 3, 5, 10], help="takes to learn from (1,3,5,10)"
    )
    parser.add_argument("--draws", type=int, default=DRAWS, help=f"random draws a user ({DRAWS})")
    parser.add_argument(
        "--no-stream", dest="stream", action="store_false",
        help="leave out what a running stream gives, which takes some minutes",
    )  # fmt: skip


MEASURE = Measure("custom gestures from few samples", add_options, run)
