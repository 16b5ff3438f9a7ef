"""The command line: options in, exit code out. Each command opens the parts it needs and no more.

Nothing heavy is imported until a command runs: `gesturectl --help` must come at once.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gesturectl import __version__
from gesturectl.errors import GesturectlError, UsageError

if TYPE_CHECKING:
    from gesturectl.config import Config
    from gesturectl.progress import DownloadBar

EXIT_CODES: dict[int, str] = {
    0: "all went well",
    1: "something failed; or doctor found what must be mended",
    2: "wrong command line, or a profile or configuration with problems",
    3: "the camera, video, stream, trace or puppet script cannot be read",
    4: "a landmark or gesture model is missing or damaged",
    5: "keys cannot be sent: no display, no permission, a key that does not exist here",
    130: "interrupted by Ctrl-C, after everything held was released",
    141: "whoever read the output went away",
}
BROKEN_PIPE = 141  # what a shell says of a program that SIGPIPE has ended

EPILOG = "\n\n".join(["Exit codes:", *(f"{code}  {says}" for code, says in EXIT_CODES.items())])

app = typer.Typer(
    name="gesturectl",
    help="Control keyboard and mouse by gestures seen through a webcam.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


class ListOf(StrEnum):
    """What `list` can list."""

    gestures = "gestures"
    keys = "keys"
    cameras = "cameras"
    profiles = "profiles"
    sinks = "sinks"


class ModelsDo(StrEnum):
    """What `models` can do."""

    status = "status"
    install = "install"
    verify = "verify"


class BenchOf(StrEnum):
    """What `bench` can measure."""

    all = "all"
    step = "step"
    frame = "frame"


def _verbosity(count: int) -> None:
    if count:
        logging.getLogger().setLevel(logging.INFO if count == 1 else logging.DEBUG)


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"gesturectl {__version__}")
        raise typer.Exit


SOURCE_HELP = (
    "camera:N, camera:NAME, camera:/dev/…, video:FILE, http://… or rtsp://…, trace:FILE, "
    "puppet:SCRIPT or puppet:all"
)
Source = Annotated[str | None, typer.Option("--source", metavar="S", help=SOURCE_HELP)]
ProfileName = Annotated[
    str | None,
    typer.Option("--profile", metavar="P", help="A profile file, or the name of a profile."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
HandModel = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="An official hand_landmarker.task instead of our own."),
]
PoseModel = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="An official pose_landmarker.task instead of our own."),
]
Verbose = Annotated[
    int,
    typer.Option(
        "--verbose",
        "-v",
        count=True,
        show_default=False,
        callback=_verbosity,
        help="Say what happens; -vv says more.",
    ),
]


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_say_version, help="Print it.")
    ] = False,
    verbose: Verbose = 0,
) -> None:
    pass


@app.command()
def run(
    *,
    source: Source = None,
    profile: ProfileName = None,
    sink: Annotated[
        str | None,
        typer.Option("--sink", metavar="K", help="Where keys go; see `gesturectl list sinks`."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be sent; send nothing.")
    ] = False,
    as_json: AsJson = False,
    hand_model: HandModel = None,
    pose_model: PoseModel = None,
    verbose: Verbose = 0,
) -> None:
    """Watch a source and send what the profile binds to its gestures, until stopped.

    Ctrl-C and SIGTERM stop it, SIGHUP reads the profile anew. However it ends, no key stays down.
    """
    from gesturectl import rig, sinks, watch

    if dry_run and sink not in (None, "print"):
        raise UsageError(f"--dry-run sends nothing and --sink {sink} sends: give one of the two")
    settings = _settings(hand_model, pose_model)
    with _download_bar() as bar:
        choice = rig.Choice(
            source=source or settings.source,
            profile=profile or settings.profile,
            sink="print" if dry_run else sink or settings.sink or sinks.default_sink(),
            allow_run=settings.allow_run,
            hand_model=settings.hand_model,
            pose_model=settings.pose_model,
            progress=bar,
        )
        raise typer.Exit(watch.watch(choice, as_json=as_json))


@app.command()
def demo(
    *,
    send: Annotated[
        bool, typer.Option("--send", help="Send the keys for real; needs an X display.")
    ] = False,
    seconds: Annotated[
        float, typer.Option(min=3.0, max=600.0, help="About how long the puppet acts.")
    ] = 20.0,
    as_json: AsJson = False,
    hand_model: HandModel = None,
    pose_model: PoseModel = None,
    verbose: Verbose = 0,
) -> None:
    """Run the daemon on a drawn person who acts gestures, and count what was recognised.

    Needs no camera, and sends nothing without --send.
    """
    from gesturectl import demo as show

    settings = _settings(hand_model, pose_model)
    with _download_bar() as bar:
        code = show.demo(
            send=send,
            seconds=seconds,
            as_json=as_json,
            hand_model=settings.hand_model,
            pose_model=settings.pose_model,
            progress=bar,
        )
    raise typer.Exit(code)


@app.command()
def replay(
    *,
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH", help="A video, a trace (.jsonl, .jsonl.gz), or any source: puppet:all."
        ),
    ],
    profile: ProfileName = None,
    as_json: AsJson = False,
    hand_model: HandModel = None,
    pose_model: PoseModel = None,
    verbose: Verbose = 0,
) -> None:
    """Play a recording through the same engine, as fast as it goes, and print what comes out.

    Sends nothing. Without --profile, listens for every gesture of the catalog.
    """
    from gesturectl import replay as player
    from gesturectl import rig
    from gesturectl.sinks.unsent import Unsent
    from gesturectl.watch import exit_code

    settings = _settings(hand_model, pose_model)
    with _download_bar() as bar:
        choice = rig.Choice(
            source=path,
            profile=profile,
            sink=Unsent(),
            allow_run=settings.allow_run,
            hand_model=settings.hand_model,
            pose_model=settings.pose_model,
            progress=bar,
        )
        summary = player.replay(choice, as_json=as_json)
    raise typer.Exit(exit_code(summary))


@app.command()
def record(
    *,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="NAME.jsonl or NAME.jsonl.gz.")],
    source: Source = None,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help="Stop after so long; else Ctrl-C stops.")
    ] = None,
    consent: Annotated[
        bool,
        typer.Option("--consent", help="Whoever is seen has agreed; do not ask."),
    ] = False,
    as_json: AsJson = False,
    hand_model: HandModel = None,
    pose_model: PoseModel = None,
    verbose: Verbose = 0,
) -> None:
    """Record landmarks, never pictures, from any source to a trace.

    A trace serves bug reports, tests and training. Asks for consent before the camera is opened.
    """
    from gesturectl import record as recorder
    from gesturectl import rig

    if not file.name.endswith((".jsonl", ".jsonl.gz")):
        raise UsageError(f"{file}: a trace is named NAME.jsonl or NAME.jsonl.gz")
    if file.exists():
        raise UsageError(f"{file} exists; record to another name, or move it away")
    if not consent:
        typer.echo(recorder.CONSENT, err=True)
        if not sys.stdin.isatty():
            raise UsageError("give --consent when everyone who is seen has agreed")
        typer.confirm("Has everyone who will be seen agreed?", abort=True, err=True)
    settings = _settings(hand_model, pose_model)
    with _download_bar() as bar:
        choice = rig.Choice(
            source=source or settings.source,
            profile=None,
            sink="print",
            hand_model=settings.hand_model,
            pose_model=settings.pose_model,
            progress=bar,
        )
        frames = recorder.record(choice, file, seconds=seconds)
    if as_json:
        _print_json({"file": str(file), "frames": frames})
    else:
        typer.echo(f"{file}: {frames} frames, landmarks only")


@app.command()
def check(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE…", help="Profile files, or names of profiles.")
    ],
    as_json: AsJson = False,
) -> None:
    """Say everything that is wrong with profiles, each with its place and what to write instead."""
    from gesturectl import inspect

    raise typer.Exit(inspect.check(files, allow_run=_settings().allow_run, as_json=as_json))


@app.command()
def schema() -> None:
    """Print the JSON Schema of profiles, for editors."""
    from gesturectl.profile import json_schema

    _print_json(json_schema())


@app.command("list")
def list_(
    what: Annotated[ListOf, typer.Argument(help="What to list.")],
    as_json: AsJson = False,
) -> None:
    """List what there is: gestures, keys, cameras, profiles, sinks."""
    from gesturectl import inspect

    inspect.list_of(what.value, as_json=as_json)


@app.command()
def models(
    do: Annotated[
        ModelsDo, typer.Argument(help="Say how they stand; obtain what is missing; check all.")
    ] = ModelsDo.status,
    as_json: AsJson = False,
) -> None:
    """Look after the landmark models: obtained once, by pip, into your cache folder."""
    from gesturectl import inspect

    with _download_bar() as bar:
        inspect.models(do.value, as_json=as_json, progress=bar)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Look for what could keep gestures from working, with advice on each."""
    from gesturectl import doctor as physician

    raise typer.Exit(physician.doctor(as_json=as_json))


@app.command()
def bench(
    *,
    name: Annotated[
        BenchOf, typer.Argument(metavar="[NAME]", help="`step`: the engine alone. `frame`: all.")
    ] = BenchOf.all,
    source: Annotated[
        str | None,
        typer.Option("--source", metavar="S", help="Frames to measure on; by default the puppet."),
    ] = None,
    trace: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Landmarks to measure the engine on.")
    ] = None,
    as_json: AsJson = False,
    hand_model: HandModel = None,
    pose_model: PoseModel = None,
) -> None:
    """Measure what a frame costs here: the engine alone, and all of it against bare MediaPipe."""
    from gesturectl import bench as stopwatch

    settings = _settings(hand_model, pose_model)
    with _download_bar() as bar:
        stopwatch.bench(
            name.value,
            source=source,
            trace=trace,
            as_json=as_json,
            hand_model=settings.hand_model,
            pose_model=settings.pose_model,
            progress=bar,
        )


def main() -> None:
    """Run the command line; the entry point of the package."""
    logging.basicConfig(format="%(levelname)s: %(message)s", handlers=[_ToStderr()])
    try:
        app(prog_name="gesturectl")
    except GesturectlError as error:
        _complain(error)
        sys.exit(error.exit_code)
    except SystemExit as leaving:
        # typer turns a broken pipe into code 1: the reader, `head` say, has seen enough.
        if isinstance(leaving.__context__, BrokenPipeError):
            sys.exit(BROKEN_PIPE)
        raise


class _ToStderr(logging.Handler):
    """Writes to whatever is stderr by now: the live view puts itself there, to keep below."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            print(self.format(record), file=sys.stderr)
        except Exception:  # noqa: BLE001 (logging's own rule: a lost line stops nothing)
            self.handleError(record)


def _settings(hand_model: Path | None = None, pose_model: Path | None = None) -> Config:
    """Return the user's settings, overruled by options."""
    from gesturectl import config

    for path in (hand_model, pose_model):
        if path is not None and not path.is_file():
            raise UsageError(f"there is no file {path}")
    settings = config.load()
    return dataclasses.replace(
        settings,
        hand_model=hand_model or settings.hand_model,
        pose_model=pose_model or settings.pose_model,
    )


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _download_bar() -> DownloadBar:
    from gesturectl.progress import DownloadBar

    return DownloadBar()


def _complain(error: GesturectlError) -> None:
    message = str(error)
    if sys.stderr.isatty() and "NO_COLOR" not in os.environ:
        typer.secho("error: ", fg="red", bold=True, nl=False, err=True)
    else:
        typer.echo("error: ", nl=False, err=True)
    typer.echo(message, err=True)
