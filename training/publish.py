"""Measure, and publish the figures: `python -m training.publish NAME… --data DIR`.

Each measure of `training.evaluate` leaves its figures in `docs/measured/NAME.json` and its plots
beside them; then `docs/recognition.md` and the model's card are written anew from all that lies
there. One measure at a time is enough: what the others published stays.

    python -m training.publish                            write the pages anew, measure nothing
    python -m training.publish poses custom --data DIR    measure two
    python -m training.publish all --data DIR             measure everything; this takes hours

A single measure may be followed by its own options, as `training.evaluate` takes them.
"""

from __future__ import annotations

import argparse
import io
import json
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from gesturectl.errors import GesturectlError, UsageError
from training import measured
from training.evaluate.__main__ import MEASURES, parser
from training.evaluate.outcome import Draw, drawn
from training.export import card_of
from training.measured import Published

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "recognition.md"
SHIPPED = ROOT / "gestures" / "models" / "shipped"
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"

MAX_PICTURE_BYTES = 200_000
MAX_FIGURES_BYTES = 200_000
# What a measure is asked for, where more than its defaults is worth publishing.
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "streams": ("--rates", "30,20,15,12,10,9,8,7"),
    "false-activations": ("--synthetic", "20", "--seed", "1"),
    "custom": ("--shots", "1,3,5,10"),
}
# Options with which a measure gives something else than its section says, or names a folder.
OTHERWISE: Mapping[str, tuple[str, ...]] = {
    "poses": ("--traces",),
    "streams": ("--model", "--groups", "--steps", "--keep"),
    "shrec17": ("--held-out", "--epochs"),
    "sfinge3d": ("--groups", "--steps", "--networks"),
}
# Lists that are for whoever looks for errors, too long for a document.
LEFT_OUT = frozenset({"errors", "by_enter"})


@dataclass(frozen=True, slots=True)
class Places:
    """Where documents are: those of this checkout, or copies."""

    page: Path = PAGE
    measured: Path = measured.FOLDER
    model: Path = SHIPPED


def model_json(folder: Path) -> dict[str, Any]:
    """Return what a model says of itself."""
    content: dict[str, Any] = json.loads((folder / "model.json").read_text("utf-8"))
    return content


def measure(name: str, data: Path | None, own: list[str], bar: Progress, places: Places) -> None:
    """Run one measure; write its figures and plots.

    Raises:
        GesturectlError: it cannot be measured, or what it gives cannot be published.
    """
    _refuse_otherwise(name, own)
    own = own or list(OPTIONS.get(name, ()))
    arguments = [name, *(["--data", str(data)] if data else []), *own]
    outcome = MEASURES[name].run(parser().parse_args(arguments), bar)
    section, model = measured.SECTIONS[name], model_json(places.model)
    published = Published(
        name,
        tuple(own),
        model["sha256"] if section.of_model else None,
        model["training"].get("seed") if section.of_model else None,
        versions(section.packages),
        dict(_kept(outcome.figures)),
        tuple(f"{key}.png" for key in outcome.pictures),
    )
    if places_named := [text for text in _texts(published.figures) if Path(text).is_absolute()]:
        raise UsageError(f"the figures of {name} name a place of this machine: {places_named[0]}")
    text = published.text()
    if len(text) > MAX_FIGURES_BYTES:
        raise UsageError(f"the figures of {name} take {len(text)} bytes: leave some out")
    # Drawn before anything is written: figures without their pictures would be out of step.
    pictures = {f"{key}.png": small_png(draw) for key, draw in outcome.pictures.items()}
    places.measured.mkdir(parents=True, exist_ok=True)
    for file, content in pictures.items():
        (places.measured / file).write_bytes(content)
    (places.measured / f"{name}.json").write_text(text, "utf-8")


def _refuse_otherwise(name: str, own: Iterable[str]) -> None:
    """Refuse options with which a measure is another one, or that name a place of this machine."""
    for word in own:
        for option in OTHERWISE.get(name, ()):
            if word.startswith("--") and option.startswith(word.split("=")[0]):
                raise UsageError(
                    f"with {option} {name} measures something else than docs/recognition.md says; "
                    "use `python -m training.evaluate` for that"
                )
        if "/" in word or "\\" in word:
            raise UsageError(f"{word} is a place of this machine, and options are published")


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Return what the figures were computed with."""
    return {"Python": platform.python_version()} | {p: metadata.version(p) for p in packages}


def _kept(figures: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in figures.items():
        if key not in LEFT_OUT:
            yield key, dict(_kept(value)) if isinstance(value, dict) else value


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for inner in value.values():
                yield from _texts(inner)
        case list() | tuple():
            for inner in value:
                yield from _texts(inner)


def small_png(draw: Draw) -> bytes:
    """Draw a picture as PNG of at most `MAX_PICTURE_BYTES`, as sharp as that allows."""
    from PIL import Image

    with drawn(draw) as figure:
        for dpi in (110, 90, 70, 50, 35):
            plain, out = io.BytesIO(), io.BytesIO()
            figure.savefig(plain, dpi=dpi, format="png")
            # Plots have few colours: a palette of them takes a third.
            Image.open(plain).convert("RGB").quantize(128).save(out, "png", optimize=True)
            if len(out.getvalue()) <= MAX_PICTURE_BYTES:
                return out.getvalue()
    raise UsageError(f"a picture takes more than {MAX_PICTURE_BYTES} bytes however it is drawn")


# --- pages --------------------------------------------------------------------------------------


def with_figures(text: str, figures: str) -> str:
    """Return a page with other figures between its two markers.

    Raises:
        UsageError: the markers are not there.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise UsageError(f"the page lacks the lines {BEGIN.strip()} and {END.strip()}")
    return f"{before}{BEGIN}\n{figures}\n{END}{after}"


def pages(places: Places) -> dict[Path, str]:
    """Return the documents as they should be: the page of figures and the model's card."""
    published, content = measured.read(places.measured), model_json(places.model)
    figures = measured.page(published, content["sha256"])
    return {
        places.page: with_figures(places.page.read_text("utf-8"), figures),
        places.model / "CARD.md": card_of(content, published),
    }


def main(argv: list[str] | None = None, places: Places | None = None) -> int:
    """Measure what is asked for and write the documents; return the exit code."""
    places = places or Places()
    options = argparse.ArgumentParser(
        prog="python -m training.publish",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    options.add_argument("names", nargs="*", metavar="NAME", help=f"all, {', '.join(MEASURES)}")
    options.add_argument("--data", type=Path, help="folder of the recordings")
    asked, own = options.parse_known_args(argv)
    names = list(MEASURES) if asked.names == ["all"] else asked.names
    errors = Console(stderr=True)
    try:
        if unknown := [name for name in names if name not in MEASURES]:
            raise UsageError(f"there is no measure {unknown[0]!r}; known are {', '.join(MEASURES)}")
        if own and len(names) != 1:
            raise UsageError(f"{' '.join(own)}: only a single measure takes options of its own")
        with Progress(console=errors, transient=True) as bar:
            for name in names:
                measure(name, asked.data, own, bar, places)
                _write(places, errors)
        if not names:
            _write(places, errors)
    except GesturectlError as error:
        errors.print(f"error: {error}", markup=False, soft_wrap=True)
        return error.exit_code
    return 0


def _write(places: Places, errors: Console) -> None:
    for file, text in pages(places).items():
        if file.read_text("utf-8") != text:
            file.write_text(text, "utf-8")
            errors.print(f"written: {file.name}", highlight=False)


if __name__ == "__main__":
    sys.exit(main())
