"""Say in documents what was measured: `docs/measured/<name>.json` in, Markdown out.

Each file holds one measure's figures and where they come from. `docs/recognition.md` shows all of
them, a model's card those of that very model; nobody writes a figure by hand, and a test holds the
documents equal to what is written here. `training.publish` measures and writes the files.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "measured"

Figures = Mapping[str, Any]
Lines = list[str]


@dataclass(frozen=True, slots=True)
class Published:
    """One measure as it was published.

    `model` is the SHA-256 of the weights that were measured, None where the shipped model has no
    part in it; `versions` are those of the packages that decide figures.
    """

    name: str
    options: tuple[str, ...]
    model: str | None
    seed: int | None
    versions: Mapping[str, str]
    figures: Figures
    pictures: tuple[str, ...]

    def text(self) -> str:
        """Return the file's content: the same figures give the same bytes."""
        content = {
            "measure": self.name,
            "options": list(self.options),
            "model": self.model,
            "seed": self.seed,
            "versions": dict(self.versions),
            "pictures": list(self.pictures),
            "figures": self.figures,
        }
        return json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


def read(folder: Path = FOLDER) -> dict[str, Published]:
    """Read what is published, in the order of `SECTIONS`."""
    out = {}
    for name in SECTIONS:
        if (file := folder / f"{name}.json").is_file():
            row = json.loads(file.read_text("utf-8"))
            out[name] = Published(
                row["measure"],
                tuple(row["options"]),
                row["model"],
                row["seed"],
                row["versions"],
                row["figures"],
                tuple(row["pictures"]),
            )
    return out


# --- figures as people read them ----------------------------------------------------------------


def percent(fraction: float | None, interval: Iterable[float] | None = None) -> str:
    """Return a fraction of 1 in per cent, with its interval where there is one."""
    if fraction is None:
        return "–"
    return f"{100 * fraction:.1f} %" + _between(interval, 100, 1)


def per_hour(rate: float | None, interval: Iterable[float] | None = None) -> str:
    """Return a rate, an hour or a minute, with its interval where there is one."""
    return "–" if rate is None else f"{rate:.2f}" + _between(interval, 1, 2)


def _between(interval: Iterable[float] | None, factor: float, digits: int) -> str:
    if interval is None:
        return ""
    low, high = interval
    return f" ({factor * low:.{digits}f}–{factor * high:.{digits}f})"


def _ms(value: float | None) -> str:
    return "–" if value is None else f"{value:+.0f} ms"


def rows(head: str, body: Iterable[Iterable[object]]) -> Lines:
    """Return a Markdown table; the head's cells are parted by `|`."""
    cells = [cell.strip() for cell in head.split("|")]
    lines = ["| " + " | ".join(cells) + " |", "|" + "---|" * len(cells)]
    return [*lines, *("| " + " | ".join(str(cell) for cell in row) + " |" for row in body)]


# --- one section a measure ----------------------------------------------------------------------


def _poses(f: Figures) -> Lines:
    bounds, n = f["intervals"], f["clips"]
    return rows(
        "|of|measured (95 %)",
        [
            ("clips whose pose was recognised", n,
             f"{f['right']}, {percent(f['right'] / n, bounds['right'])}"),
            ("clips in which something else was", n,
             f"{f['wrong_clips']}, {percent(f['wrong_clips'] / n, bounds['wrong_clips'])}"),
            ("activations on people who show nothing", f"{f['negative_minutes']} min",
             f"{f['false_on_negatives']}, a minute "
             + per_hour(f["false_per_minute"], bounds["false_per_minute"])),
        ],
    )  # fmt: skip


def _streams(f: Figures) -> Lines:
    idle = per_hour(f["false_per_hour"], f["intervals"]["false_per_hour"])
    return [
        *_events(f, "group "),
        "",
        f"While people idle ({f['idle_hours'] * 60:.0f} min): {f['false_in_idle']} activations, "
        f"{idle} an hour.",
        *_rates(f.get("rates")),
    ]


def _rates(f: Figures | None) -> Lines:
    """Return what is heard when fewer pictures are looked at, as a budget asks for it."""
    if f is None:
        return []
    body = [
        (
            rate,
            percent(one["recall"], one["intervals"]["recall"]),
            *(percent(one[f"recall_{kind}"]) for kind in ("swipes", "circles")),
            percent(one["precision"], one["intervals"]["precision"]),
            _ms(one["latency_end_ms"]["median"]),
        )
        for rate, one in f.items()
    ]
    return [
        "",
        "With [fewer pictures a second](power.md), of landmarks that were found in all of them:",
        "",
        *rows("pictures a second|recall|of swipes|of circles|precision|median from the end", body),
    ]


def _events(f: Figures, group: str) -> Lines:
    """Return how events answered annotated gestures: in all, by group, by gesture."""

    def row(name: str, one: Figures) -> tuple[object, ...]:
        bounds = one["intervals"]
        return (
            name,
            one["right"] + one["missed"],
            percent(one["precision"], bounds["precision"]),
            percent(one["recall"], bounds["recall"]),
            percent(one["f1"], bounds.get("f1")),
            _ms(one["latency_end_ms"]["median"]),
            _ms(one["latency_end_ms"]["p90"]),
        )

    head = "|gestures|precision|recall|F1|median from the end|p90"
    groups = [row(f"{group}{name}", one) for name, one in f["groups"].items()]
    gestures = [row(f"`{name}`", one) for name, one in f["gestures"].items()]
    return [*rows(head, [row("**all**", f), *groups]), "", *rows(head, gestures)]


def _custom(f: Figures) -> Lines:
    whose = {"all users": f} | {_HALVES[name]: half for name, half in f.get("halves", {}).items()}

    def told(head: str, key: str, says: Mapping[str, str]) -> Lines:
        figures = [(one[key], one[f"{key}_interval"]) for one in whose.values()]
        body = [
            (what, *(percent(value.get(which), bounds.get(which)) for value, bounds in figures))
            for which, what in says.items()
        ]
        return rows("|".join([head, *whose]), body)

    shots = {k: k for k in f["balanced_accuracy"]}
    refused = {"false_accept": "negative takes accepted", "recall": "own takes accepted"}
    return [
        *told("takes of each gesture", "balanced_accuracy", shots),
        "",
        *told("open set, 5 takes", "open_set", refused),
        *_custom_stream(f.get("stream")),
    ]


_HALVES = {"chosen": "users that settings were chosen on", "unseen": "the others"}


def _custom_stream(f: Figures | None) -> Lines:
    if f is None:
        return []
    return [
        "",
        f"In streams, from {f['shots']} takes of each gesture: of {f['takes']} other takes of "
        f"their own {percent(f['recall'], f['recall_interval'])} are heard, and {f['wrong']} times "
        "another of their gestures. In "
        f"{f['hours_of_strangers']:.2f} hours of strangers who make *other* gestures all the time, "
        "which is far from ordinary behaviour, "
        f"{per_hour(f['false_per_hour_of_strangers'], f['false_interval'])} an hour are heard by "
        "mistake.",
    ]


def _false_activations(f: Figures) -> Lines:
    loud = {f"`{name}`": row for name, row in f["gestures"].items() if row["false"]}
    body: list[Iterable[object]] = [
        (name, row["false"], per_hour(row["per_hour"], row["interval"]))
        for name, row in {"**all**": f, **loud}.items()
    ]
    if loud and (quiet := len(f["gestures"]) - len(loud)):
        body.append((f"each of the other {quiet}", 0, ""))
    return [
        f"{f['hours']:g} hours of {f['of']}:",
        "",
        *rows("|activations|an hour (95 %)", body),
    ]


def _shrec17(f: Figures) -> Lines:
    def row(one: Figures) -> tuple[object, ...]:
        ways = [percent(share) for share in one["right_way"].values()]
        mistaken = ", ".join(f"{name} {n}" for name, n in one["taken_for"].items())
        return (one["gesture"], one["sequences"], percent(one["right"]), *ways, mistaken or "–")

    return [
        *rows(
            "classes|accuracy (95 %)",
            [(n, percent(f[key := f"accuracy_{n}"], f["intervals"][key])) for n in (14, 28)],
        ),
        "",
        f"{f['parameters']:,} parameters all told, {f['sequences']} sequences.",
        "",
        *rows(
            "gesture|sequences|right|right, one finger|right, whole hand|taken for",
            [row(one) for one in f["gestures"].values()],
        ),
    ]


def _sfinge3d(f: Figures) -> Lines:
    return [
        *_events(f, "hands of "),
        "",
        f"{f['streams']} streams, {f['hours'] * 60:.0f} min.",
    ]


@dataclass(frozen=True, slots=True)
class Section:
    """How a measure is told: its title, what it does, its tables, its line of the summary.

    `main` gives the figure for the summary and `aim` what we set out to reach; `of_model` says
    that the shipped networks are measured, or such as they are; on the arithmetic of `packages`
    the figures rest.
    """

    title: str
    says: str
    body: Callable[[Figures], Lines]
    main: Callable[[Figures], str]
    aim: str
    of_model: bool
    packages: tuple[str, ...] = ("numpy",)


def _four(f: Figures) -> str:
    return " / ".join(percent(value) for value in f["balanced_accuracy"].values())


SECTIONS: Mapping[str, Section] = {
    "poses": Section(
        "Poses in real videos",
        "Webcam videos of a hand that shows one pose between two fists, and videos of people who "
        "show none, from the picture to the event: the landmark models and the daemon's own loop. "
        "None of it was trained on, but all of it was looked at while the recogniser was made.",
        _poses,
        lambda f: (
            f"{f['right']} of {f['clips']} right, {f['wrong_clips']} wrong, "
            f"{f['false_on_negatives']} on people who show none"
        ),
        "all right, none wrong, none on people who show none",
        True,
        ("numpy", "mediapipe"),
    ),
    "streams": Section(
        "Arm gestures in recordings of people left out of training",
        "Webcam recordings of people who steer slides with their arms, as landmarks. For each "
        "group of recordings a network is trained on all the others, as the shipped one is on all "
        "of them. An activation is right in the marked time and 300 ms after it, once; whatever "
        "else people do there is there to be refused.",
        _streams,
        lambda f: (
            f"F1 {percent(f['f1'], f['intervals']['f1'])}, median "
            f"{_ms(f['latency_end_ms']['median'])} from the marked end, "
            f"{per_hour(f['false_per_hour'])} false an hour idle"
        ),
        "F1 93 %, median 0 ms, 1 false an hour",
        True,
        ("numpy", "jax"),
    ),
    "false-activations": Section(
        "Hours of anything but gestures",
        "Synthetic people, of seeds that training never drew, who reach, type, scratch, drink and "
        "talk with their hands, and make no stroke; calm ones, if they are not called hasty. Every "
        "stroke that is heard is false. Each hour is one of a hand and of two arms.",
        _false_activations,
        lambda f: f"{per_hour(f['per_hour'], f['interval'])} strokes an hour",
        "0.2 an hour",
        True,
    ),
    "custom": Section(
        "Gestures of one's own",
        "People with vocabularies of their own, sign words and commands, through what "
        "`gesturectl teach` learns with; ten random draws of the takes to learn from. Balanced "
        "accuracy is that of naming a take of a known gesture. In the open set, negatives are "
        "other people's different gestures and what users themselves recorded as nothing, at the "
        "threshold that the tool itself sets from a background of yet other people. Intervals are "
        "over users. Never trained on.",
        _custom,
        lambda f: (
            f"{_four(f)} from {'/'.join(f['balanced_accuracy'])} takes; at 5, "
            f"{percent(f['open_set'].get('false_accept'))} of negatives accepted, "
            f"{percent(f['open_set'].get('recall'))} of own takes"
        ),
        "85 / 94 / 97 / 99 %; 2 % and 90 %",
        False,
    ),
    "shrec17": Section(
        "SHREC'17, segmented hand gestures",
        "A public benchmark of depth-camera skeletons, by its official split. It says what our "
        "kind of network is worth, not how well the shipped one does: the set may not be shipped.",
        _shrec17,
        lambda f: (
            f"{percent(f['accuracy_14'])} of 14, {percent(f['accuracy_28'])} of 28 classes, "
            f"{f['parameters']:,} parameters"
        ),
        "95.0 and 91.5 % with 300,000 parameters",
        False,
        ("numpy", "jax"),
    ),
    "sfinge3d": Section(
        "SFINGE3D, hand gestures in streams",
        "A public benchmark of streams of a hand tracker; groups of streams of similar hands are "
        "left out of training in turn. It too measures the kind of network.",
        _sfinge3d,
        lambda f: f"F1 {percent(f['f1'])}",
        "F1 97 %",
        False,
        ("numpy", "jax"),
    ),
}


# --- documents ----------------------------------------------------------------------------------


def page(published: Mapping[str, Published], model: str) -> str:
    """Return what `docs/recognition.md` says of figures: a summary, then a section a measure.

    `model` is the SHA-256 of the shipped weights: figures of earlier ones are told as such.
    """
    lines = rows(
        "measure|measured|what we set out to reach",
        [
            (f"[{SECTIONS[name].title}](#{_anchor(SECTIONS[name].title)})",
             SECTIONS[name].main(one.figures), SECTIONS[name].aim)
            for name, one in published.items()
        ],
    )  # fmt: skip
    for name, one in published.items():
        section = SECTIONS[name]
        lines += ["", f"### {section.title}", "", section.says, ""]
        lines += section.body(one.figures)
        for picture in one.pictures:
            lines += ["", f"![{section.title}](measured/{picture})"]
        lines += ["", _provenance(one, model)]
    return "\n".join(lines) + "\n"


def card(published: Mapping[str, Published], model: str) -> Lines:
    """Return what a card says of figures, those of this very model; nothing without any."""
    own = {name: one for name, one in published.items() if one.model == model}
    if not own:
        return []
    return [
        "## Measured",
        "",
        *rows(
            "measure|measured",
            [(SECTIONS[name].title, SECTIONS[name].main(one.figures)) for name, one in own.items()],
        ),
        "",
        "How, with all figures: `docs/recognition.md`.",
        "",
    ]


def _provenance(one: Published, model: str) -> str:
    words = ["`python -m training.publish", one.name, *one.options]
    text = f"{' '.join(words)}`"
    if one.model is not None:
        which = "the shipped model" if one.model == model else "an earlier model"
        text += f" on {which} ({one.model[:12]})"
    versions = ", ".join(f"{name} {version}" for name, version in one.versions.items())
    return f"{text}; {versions}. [All figures](measured/{one.name}.json)"


def _anchor(title: str) -> str:
    kept = "".join(c for c in title.lower() if c.isalnum() or c in " -_")
    return kept.replace(" ", "-")
