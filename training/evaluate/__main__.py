"""`python -m training.evaluate NAME`: run one measure; print a table, or JSON and nothing else."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from gesturectl.errors import GesturectlError
from training.evaluate import custom, false_activations, poses, sfinge3d, shrec17, streams
from training.evaluate.outcome import Measure, save

MEASURES: dict[str, Measure] = {
    "poses": poses.MEASURE,
    "streams": streams.MEASURE,
    "custom": custom.MEASURE,
    "shrec17": shrec17.MEASURE,
    "sfinge3d": sfinge3d.MEASURE,
    "false-activations": false_activations.MEASURE,
}


def parser() -> argparse.ArgumentParser:
    """Return what reads the command line: one command a measure."""
    top = argparse.ArgumentParser(prog="python -m training.evaluate")
    names = top.add_subparsers(dest="name", metavar="NAME", required=True)
    for name, measure in MEASURES.items():
        own = names.add_parser(name, help=measure.says, description=measure.says)
        own.add_argument(
            "--data", type=Path, required=measure.needs_data, help="folder of the recordings"
        )
        own.add_argument("--json", action="store_true", help="print JSON and nothing else")
        own.add_argument(
            "--out", type=Path, default=Path("out"), help="folder for pictures (default: out)"
        )
        measure.add_options(own)
    return top


def main(argv: list[str] | None = None) -> int:
    """Run one measure; return the exit code, those of `gesturectl` where something is wrong."""
    options = parser().parse_args(argv)
    errors = Console(stderr=True)
    try:
        with Progress(console=errors, transient=True) as progress:
            outcome = MEASURES[options.name].run(options, progress)
    except GesturectlError as error:
        errors.print(f"error: {error}", markup=False, soft_wrap=True)
        return error.exit_code
    files = save(outcome.pictures, options.out)
    if options.json:
        print(json.dumps(outcome.figures, indent=2, allow_nan=False))
        return 0
    # A pipe has no width; these tables want some.
    console = Console() if sys.stdout.isatty() else Console(width=130)
    for table in outcome.tables:
        console.print(table)
        console.print()
    for file in files:
        console.print(f"picture: {file}", markup=False, highlight=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
