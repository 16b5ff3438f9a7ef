"""The command line: options in, exit code out. Each command opens the parts it needs and no more.

Nothing heavy is imported until a command runs: `gesturectl --help` must come at once.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gesturectl import __version__
from gesturectl.errors import GesturectlError, SampleError, UsageError

if TYPE_CHECKING:
    from gesturectl import rig
    from gesturectl.config import Config
    from gesturectl.consent import Purpose
    from gesturectl.daemon import Control
    from gesturectl.progress import DownloadBar
    from gesturectl.teachview import Screen

EXIT_CODES: dict[int, str] = {
    0: "all went well",
    1: "something failed; or doctor found what must be mended",
    2: "wrong command line, or a profile or configuration with problems",
    3: "a camera, video, stream, trace or puppet script cannot be read, or takes not be learned",
    4: "a landmark or gesture model is missing or damaged",
    5: "keys cannot be sent: no display, no permission, a key that does not exist here",
    6: "a gesturectl runs already; or none runs, or it refuses what `ctl` asks for",
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
    windows = "windows"


class SideOf(StrEnum):
    """A hand."""

    left = "left"
    right = "right"


class ModelsDo(StrEnum):
    """What `models` can do."""

    status = "status"
    install = "install"
    verify = "verify"


class CtlDo(StrEnum):
    """What `ctl` can ask of the running daemon."""

    status = "status"
    pause = "pause"
    resume = "resume"
    mode = "mode"
    profile = "profile"
    reload = "reload"
    events = "events"
    show = "show"
    do = "do"
    panic = "panic"
    quit = "quit"


class ServiceDo(StrEnum):
    """What `service` can do."""

    install = "install"
    remove = "remove"
    status = "status"


class AutostartOf(StrEnum):
    """What starts a service; see `autostart.WAYS`."""

    systemd = "systemd"
    xdg = "xdg"
    launchd = "launchd"
    startup = "startup"


class PrivacyDo(StrEnum):
    """What `privacy` can do."""

    show = "show"
    export = "export"
    delete = "delete"


class BenchOf(StrEnum):
    """What `bench` can measure."""

    all = "all"
    step = "step"
    frame = "frame"
    latency = "latency"
    idle = "idle"
    start = "start"
    memory = "memory"
    replay = "replay"
    pointer = "pointer"
    profile = "profile"
    control = "control"
    soak = "soak"
    scale = "scale"
    load = "load"
    power = "power"
    companion = "companion"


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


Yes = Annotated[
    bool, typer.Option("--yes", "-y", help="Ask nothing: whoever is seen has agreed, do it.")
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
    quiet: Annotated[
        bool,
        typer.Option("--quiet", "-q", help="Show no gestures and commands; only what is wrong."),
    ] = False,
    no_tray: Annotated[bool, typer.Option("--no-tray", help="Show no icon in the panel.")] = False,
    as_json: AsJson = False,
    hand_model: HandModel = None,
    pose_model: PoseModel = None,
    verbose: Verbose = 0,
) -> None:
    """Watch a source and send what the profile binds to its gestures, until stopped.

    Asks for consent before it opens a camera for the first time. Ctrl-C and SIGTERM stop it, SIGHUP
    reads the profile anew. Gestures of your own are taken up as soon as they are learned. However
    it ends, no key stays down.
    """
    from gesturectl import companion, retention, rig, sinks, watch

    if quiet and (dry_run or as_json):
        raise UsageError("--quiet shows nothing, --dry-run and --json show what happens: give one")
    if dry_run and sink not in (None, "print"):
        raise UsageError(f"--dry-run sends nothing and --sink {sink} sends: give one of the two")
    settings = _settings(hand_model, pose_model)
    if no_tray:
        settings = dataclasses.replace(settings, tray=False)
    seen = source or settings.source
    _ask_consent("watch", seen, settings)
    retention.apply(settings.keep)
    with _download_bar() as bar:
        choice = rig.Choice(
            source=seen,
            profile=profile or settings.profile,
            sink="print" if dry_run else sink or settings.sink or sinks.default_sink(),
            allow_run=settings.allow_run,
            allow_hosts=settings.allow_hosts,
            desktop=True,
            remembers=True,
            hand_model=settings.hand_model,
            estimator=settings.estimator,
            pose_model=settings.pose_model,
            progress=bar,
            release_when=settings.camera.release_when,
            power=settings.power,
            max_cpu=settings.max_cpu,
        )
        faces = () if dry_run or as_json else companion.faces(settings)
        raise typer.Exit(
            watch.watch(
                choice,
                as_json=as_json,
                beside=dry_run,
                quiet=quiet,
                faces=faces,
                log_to=settings.log,
            )
        )


@app.command()
def ctl(
    do: Annotated[CtlDo, typer.Argument(help="What to ask of the running gesturectl.")],
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="[WHAT]",
            help="A mode, a profile, or an action as behind `do:` in a profile: '{key: Right}'.",
        ),
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="`events`: go on with all that happens.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Look at the gesturectl that runs, and tell it what to do.

    It answers when it has happened. `panic` lets go of everything and sleeps, or pauses where the
    profile cannot sleep; `mode back` goes to the mode before. `events` prints JSON Lines.
    """
    from gesturectl import ctl as caller

    raise typer.Exit(caller.ctl(do.value, what, follow=follow, as_json=as_json))


@app.command()
def service(
    do: Annotated[
        ServiceDo,
        typer.Argument(help="Have your desktop start gesturectl; have it no more; say how it is."),
    ],
    autostart: Annotated[
        AutostartOf | None,
        typer.Option(
            help="What starts it: by default systemd, where it runs for its users, else what the "
            "platform has."
        ),
    ] = None,
    now: Annotated[bool, typer.Option("--now", help="`install`: start it at once.")] = False,
    as_json: AsJson = False,
) -> None:
    """Start gesturectl with every login, by systemd, XDG autostart, launchd or Windows.

    What it watches and which profile it takes, `config.yaml` says. It asks nobody, so consent is
    asked for now. Files that gesturectl has not written are left alone. `status` gives exit code 1
    where nothing is installed.
    """
    from gesturectl import service as services

    if do is not ServiceDo.install and (autostart or now):
        raise UsageError("--autostart and --now belong to `service install`")
    if as_json and do is not ServiceDo.status:
        raise UsageError("--json belongs to `service status`")
    if do is ServiceDo.install:
        settings = _settings()
        _ask_consent("watch", settings.source, settings)
    wanted = autostart.value if autostart else None
    raise typer.Exit(services.service(do.value, wanted, now=now, as_json=as_json))


@app.command()
def demo(
    *,
    send: Annotated[
        bool, typer.Option("--send", help="Send the keys for real, to the desktop.")
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
            estimator=settings.estimator,
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

    Sends nothing. Without --profile, listens for every gesture of the catalog, and for your own.
    """
    from gesturectl import replay as player
    from gesturectl import rig
    from gesturectl.sinks.unsent import Unsent
    from gesturectl.watch import exit_code

    settings = _settings(hand_model, pose_model)
    _ask_consent("watch", path, settings)
    with _download_bar() as bar:
        choice = rig.Choice(
            source=path,
            profile=profile,
            sink=Unsent(),
            allow_run=settings.allow_run,
            allow_hosts=settings.allow_hosts,
            hand_model=settings.hand_model,
            estimator=settings.estimator,
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

    A trace serves bug reports, tests and training. Asks for consent, once, before a camera is
    opened.
    """
    from gesturectl import record as recorder
    from gesturectl import rig

    if not file.name.endswith((".jsonl", ".jsonl.gz")):
        raise UsageError(f"{file}: a trace is named NAME.jsonl or NAME.jsonl.gz")
    if file.exists():
        raise UsageError(f"{file} exists; record to another name, or move it away")
    settings = _settings(hand_model, pose_model)
    seen = source or settings.source
    _ask_consent("keep", seen, settings, yes=consent, option="--consent")
    with _download_bar() as bar:
        choice = rig.Choice(
            source=seen,
            profile=None,
            sink="print",
            hand_model=settings.hand_model,
            estimator=settings.estimator,
            pose_model=settings.pose_model,
            progress=bar,
        )
        frames = recorder.record(choice, file, seconds=seconds)
    if as_json:
        _print_json({"file": str(file), "frames": frames})
    else:
        typer.echo(f"{file}: {frames} frames, landmarks only")


@app.command()
def teach(
    *,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Like draw_z: a-z, 0-9 and _.")],
    samples: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=100,
            show_default=False,
            help="How many takes, in all. Default: 5 from a camera; all that a recording holds.",
        ),
    ] = None,
    hand: Annotated[bool, typer.Option("--hand", help="Look at the hands alone.")] = False,
    body: Annotated[bool, typer.Option("--body", help="Look at the body alone.")] = False,
    auto: Annotated[bool, typer.Option("--auto", help="Look at both: the default.")] = False,
    source: Source = None,
    recordings: Annotated[
        list[Path] | None,
        typer.Option("--from", metavar="TRACE", help="A trace that is one take; may be repeated."),
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
    hand_model: HandModel = None,
    pose_model: PoseModel = None,
    verbose: Verbose = 0,
) -> None:
    """Teach a gesture of your own from a few takes.

    From a camera: wait for the countdown, make the gesture, come back to rest. Nothing has to be
    pressed. In a recording, rests between movements delimit the takes, or the labels of a trace do.
    What was interrupted goes on where it stopped. Landmarks are kept, never pictures.
    """
    from gesturectl import teach as school
    from gesturectl import told
    from gesturectl.samples import Plan, Store, check_name

    check_name(name)
    if hand + body + auto > 1:
        raise UsageError("give one of --hand, --body and --auto")
    if recordings and source is not None:
        raise UsageError("--from gives the takes themselves: leave --source out")
    store, settings = Store.of_user(), _settings(hand_model, pose_model)
    seen = "trace:" + str(recordings[0]) if recordings else source or settings.source
    _ask_consent("keep", seen, settings, yes=yes, option="--yes")
    before = store.plan(name)
    plan = Plan(
        "hand" if hand else "body" if body else "auto" if auto or before is None else before.part,
        samples or (before.wanted if before else school.WANTED),
        before is not None and before.learned,
    )
    with _watching(f"teach {name} · {seen}", seen, settings) as (choice, screen, control):
        report = school.teach(
            choice, name, plan, store, screen,
            control=control, recordings=recordings or (), samples=samples,
        )  # fmt: skip
    told.say_report(report, _lines())
    if as_json:
        _print_json(school.report_json(report))
    raise typer.Exit(_interrupted(control) or (0 if report.learned else SampleError.exit_code))


@app.command()
def background(
    *,
    minutes: Annotated[
        float, typer.Option(min=0.1, max=60.0, help="How long; Ctrl-C ends it earlier.")
    ] = 10.0,
    source: Source = None,
    yes: Yes = False,
    as_json: AsJson = False,
    hand_model: HandModel = None,
    pose_model: PoseModel = None,
    verbose: Verbose = 0,
) -> None:
    """Record what you ordinarily do, so that it is not taken for a gesture of your own.

    Type, drink, talk, scratch your head, and make no gesture. Your own gestures are learned anew
    for at most 0.2 mistakes an hour. Landmarks are kept, never pictures: the newest 20 minutes.
    """
    from gesturectl import teach as school
    from gesturectl import told
    from gesturectl.samples import Store

    settings = _settings(hand_model, pose_model)
    seen = source or settings.source
    _ask_consent("keep", seen, settings, yes=yes, option="--yes")
    with _watching(f"background · {seen}", seen, settings) as (choice, screen, control):
        ordinary = school.background(choice, 60 * minutes, Store.of_user(), screen, control)
    told.say_ordinary(ordinary, _lines())
    if as_json:
        _print_json(school.ordinary_json(ordinary))
    raise typer.Exit(_interrupted(control))


@app.command()
def wrong(
    *,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take the last mistake back that was told.")
    ] = False,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Say that the last gesture that was heard was none.

    Of a gesture of your own, the running gesturectl has kept the seconds around it; they become an
    example of what it is not, and it is learned anew. Of a shipped gesture it says what helps.
    """
    from gesturectl import teach as school
    from gesturectl import told
    from gesturectl.samples import Store

    store = Store.of_user()
    if undo:
        school.undo_wrong(store)
        left = len(store.wrong_files())
        _print_json({"mistakes": left}) if as_json else typer.echo(told.mistakes(left))
        return
    heard = school.last_heard()
    if not heard.seen:
        says = told.say_shipped_wrong(heard.gesture)
        row = {"gesture": heard.gesture, "own": False, "advice": says}
        _print_json(row) if as_json else typer.echo(says)
        return
    ago = told.ago(heard.at_s)
    _ask(yes, f"The last gesture heard was {heard.gesture}, {ago}. Was that none?")
    corrected = school.wrong(store, heard)
    told.say_corrected(corrected, _lines())
    if as_json:
        _print_json(school.corrected_json(corrected))


@app.command()
def forget(
    *,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="A gesture of your own.")
    ] = None,
    background: Annotated[
        bool, typer.Option("--background", help="Forget what you ordinarily do.")
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Forget all of it: gestures, background, mistakes.")
    ] = False,
    yes: Yes = False,
) -> None:
    """Remove a gesture of your own, or what else was kept of you, and learn the rest anew."""
    from gesturectl import teach as school
    from gesturectl.samples import Store

    store = Store.of_user()
    if (name is not None) + background + everything != 1:
        raise UsageError("say what to forget: one NAME, or --background, or --all")
    if name is not None:
        takes = len(store.files(name)) if name in store.names() else 0
        if takes:
            _ask(yes, f"Remove {name} and {_counted(takes, 'take')}?")
        count = school.forget(store, name)
        typer.echo(f"{name} is forgotten; {_counted(count, 'take')} removed")
    elif background:
        files = len(store.background_files())
        if files:
            _ask(yes, f"Remove {_counted(files, 'recording')} of what you ordinarily do?")
        count = school.forget_background(store)
        typer.echo(f"{_counted(count, 'recording')} of ordinary behaviour removed")
    else:
        _ask(yes, f"Remove everything in {store.root}?")
        school.forget_all(store)
        typer.echo("nothing of your own gestures is left")


@app.command()
def gestures(
    *,
    refit: Annotated[
        bool, typer.Option("--refit", help="Learn all of them anew from the takes first.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List your own gestures: from how many takes, and what is expected of each.

    `recognised` of the takes were, each judged by what the others taught; `by mistake` is how often
    an hour each is expected where nobody makes it, with its 95 % interval.
    """
    from gesturectl import teach as school
    from gesturectl import told
    from gesturectl.samples import Store

    told.print_gestures(school.known(Store.of_user(), refit_first=refit), as_json=as_json)


@app.command()
def check(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE…", help="Profile files, or names of profiles.")
    ],
    as_json: AsJson = False,
) -> None:
    """Say everything that is wrong with profiles, each with its place and what to write instead."""
    from gesturectl import inspect

    raise typer.Exit(inspect.check(files, as_json=as_json))


@app.command()
def simulate(
    profile: Annotated[str, typer.Argument(help="A profile: a name, or a file.")],
    script: Annotated[
        str, typer.Argument(help="Gestures and pauses: 'swipe_left t:200 fist+ t:900 fist-'.")
    ],
    as_json: AsJson = False,
) -> None:
    """Say what a profile would send for a script of gestures and pauses, with the times.

    `name` begins and ends a gesture, `name+` and `name-` begin and end it; `left:name` is by the
    left hand, `name@0.7` with that confidence, `t:200` lets 200 ms pass. `app:mpv` and `title:…`
    bring a window to the front, `key:ctrl+c` and `mouse` are the real ones, `move:up=0.5` moves
    the hand by half a palm's width, `lost` lets the camera see nothing more.
    """
    from gesturectl import tryout

    tryout.play(profile, script, _settings(), as_json=as_json)


@app.command()
def explain(  # noqa: PLR0917 — options of the command line
    profile: Annotated[
        str | None, typer.Argument(help="A profile: a name, or a file. Yours, if left out.")
    ] = None,
    gesture: Annotated[str | None, typer.Option(help="Of this gesture only.")] = None,
    side: Annotated[SideOf, typer.Option(help="Which hand shows it.")] = SideOf.right,
    mode: Annotated[str, typer.Option(help="In this mode.")] = "active",
    of_app: Annotated[str, typer.Option("--app", help="With this application in front.")] = "",
    title: Annotated[str, typer.Option(help="With this title of the window.")] = "",
    executable: Annotated[str, typer.Option(help="With this program.")] = "",
    armed: Annotated[bool, typer.Option(help="With the clutch.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say which binding would act, and why the others would not."""
    from gesturectl import tryout
    from gesturectl.explain import Moment
    from gesturectl.types import Window

    window = Window(0, of_app, title, executable)
    moment = Moment("", side.value, mode=mode, window=window, armed=armed)
    settings = _settings()
    tryout.why(profile or settings.profile, moment, gesture, settings, as_json=as_json)


@app.command()
def schema() -> None:
    """Print the JSON Schema of profiles, for editors; your own gestures are in it."""
    from gesturectl import own
    from gesturectl.profile import json_schema

    _print_json(json_schema(own.load().gestures))


@app.command("list")
def list_(
    what: Annotated[ListOf, typer.Argument(help="What to list.")],
    as_json: AsJson = False,
) -> None:
    """List what there is: gestures, keys, cameras, profiles, sinks, open windows.

    Of windows: what a profile can name in `match`, and which of them is in front.
    """
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
def privacy(
    *,
    do: Annotated[
        PrivacyDo,
        typer.Argument(help="List all that is kept; copy it into an archive; remove it."),
    ] = PrivacyDo.show,
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="The archive of `export`: NAME.zip."),
    ] = None,
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Say what is kept of you, where, how long and why; export it; delete it.

    What is older than `keep` in config.yaml allows is removed first. `delete` removes all that
    shows how you move, and your consent; your settings and profiles stay.
    """
    from gesturectl import privacy as keeper

    if (file is not None) != (do is PrivacyDo.export):
        raise UsageError("`privacy export` wants the name of an archive, and nothing else does")
    if do is PrivacyDo.show:
        keeper.show(as_json=as_json)
    elif file is not None:
        count = keeper.export(file)
        says = {"file": str(file), "files": count}
        _print_json(says) if as_json else typer.echo(f"{file}: {_counted(count, 'file')}")
    else:
        keeper.refuse_while_recording()
        found = keeper.to_delete()
        if found:
            _ask(yes, f"Remove {keeper.listed(found)}?")
        raise typer.Exit(keeper.delete(as_json=as_json))


@app.command()
def doctor(
    *,
    as_json: AsJson = False,
    bundle: Annotated[
        bool, typer.Option("--bundle", help="Write a report for others, in which nobody is named.")
    ] = False,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]", help="`--bundle`: where to. Default: gesturectl-report.zip here."
        ),
    ] = None,
    with_landmarks: Annotated[
        bool,
        typer.Option(
            "--with-landmarks",
            help="`--bundle`: add landmarks of your last gesture and recording, without asking.",
        ),
    ] = False,
) -> None:
    """Look for what could keep gestures from working, with advice on each.

    --bundle writes what is found, versions, your settings without your words, and the log into one
    archive for a bug report. Landmarks are in it only if you say so.
    """
    from gesturectl import doctor as physician

    if not bundle and (file or with_landmarks):
        raise UsageError("FILE and --with-landmarks belong to `doctor --bundle`")
    if bundle:
        if as_json:
            raise UsageError("--json prints what is found, --bundle writes it: give one")
        _bundle(file or Path("gesturectl-report.zip"), landmarks=with_landmarks)
        return
    raise typer.Exit(physician.doctor(as_json=as_json))


@app.command()
def bench(
    *,
    name: Annotated[
        BenchOf,
        typer.Argument(
            metavar="[NAME]",
            help="`step`: the engine alone. `frame`: picture to commands. `latency`: to a key "
            "that a program received. `idle`: an empty room. "
            "`start`, `memory`: of the process. `replay`: a trace. `pointer`: how steady, late and "
            "exact pointing is. `profile`: what 500 bindings cost. `control`: what sockets cost. "
            "Not part of `all`: `soak`, what grows in hours of a run; `scale`, what more hands, "
            "people, bindings and gestures cost; `load`, how old what is sent becomes with every "
            "core busy; `power`, what presets and budgets cost; `companion`, what the tray costs.",
        ),
    ] = BenchOf.all,
    source: Annotated[
        str | None,
        typer.Option("--source", metavar="S", help="Frames to measure on; by default the puppet."),
    ] = None,
    trace: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Landmarks to measure engine and pointer on."),
    ] = None,
    hours: Annotated[
        float,
        typer.Option(min=0.0, metavar="H", help="`soak`: hours of simulated time, from a trace."),
    ] = 1.0,
    real_hours: Annotated[
        float,
        typer.Option(min=0.0, metavar="H", help="`soak`: hours of real time, from the puppet."),
    ] = 0.0,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw the figures as curves into this PNG."),
    ] = None,
    as_json: AsJson = False,
    hand_model: HandModel = None,
    pose_model: PoseModel = None,
) -> None:
    """Measure what frames and profiles cost here, and how exact the pointer is.

    The engine alone, all of a frame against bare MediaPipe, and the pointer against a plain filter
    and against raw landmarks: jitter, lag, and targets tapped by a simulated person.
    """
    from gesturectl import bench as stopwatch

    settings = _settings(hand_model, pose_model)
    if source is not None:
        _ask_consent("watch", source, settings)
    with _download_bar() as bar:
        stopwatch.bench(
            name.value,
            source=source,
            trace=trace,
            as_json=as_json,
            hand_model=settings.hand_model,
            estimator=settings.estimator,
            pose_model=settings.pose_model,
            progress=bar,
            hours=hours,
            real_hours=real_hours,
            plot=plot,
        )


def main() -> None:
    """Run the command line; the entry point of the package."""
    logging.basicConfig(format="%(levelname)s: %(message)s", handlers=[_ToStderr()])
    if "OPENBLAS_NUM_THREADS" not in os.environ:
        # Our products are small: threads on other cores wait spinning, and make them slower. Put
        # into C's environment alone, so that programs which a gesture starts do not inherit it.
        os.putenv("OPENBLAS_NUM_THREADS", "1")
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


@contextmanager
def _watching(
    title: str, source: str, settings: Config
) -> Iterator[tuple[rig.Choice, Screen, Control]]:
    """Open what a lesson needs: a source to be opened, a screen, and Ctrl-C."""
    from rich.console import Console

    from gesturectl import rig
    from gesturectl.daemon import Control, signals
    from gesturectl.teachview import open_screen

    control = Control()
    with (
        _download_bar() as bar,
        open_screen(Console(stderr=True), title) as screen,
        signals(control),
    ):
        choice = rig.Choice(
            source=source,
            profile=None,
            sink="print",
            hand_model=settings.hand_model,
            estimator=settings.estimator,
            pose_model=settings.pose_model,
            progress=bar,
        )
        yield choice, screen, control


def _lines() -> Screen:
    from rich.console import Console

    from gesturectl.teachview import PlainLines

    return PlainLines(Console(stderr=True), "")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _interrupted(control: Control) -> int:
    return 128 + signal.SIGINT if control.signal == signal.SIGINT else 0


def _ask_consent(
    purpose: Purpose, source: str, settings: Config, *, yes: bool = False, option: str | None = None
) -> None:
    """Ask once for consent before a camera is opened; `yes` says it for this time.

    Raises:
        UsageError: there is nobody to ask.
    """
    from gesturectl import consent
    from gesturectl.sources import is_live

    if yes or not is_live(source) or consent.given(purpose, settings):
        return
    if not sys.stdin.isatty():
        raise consent.nobody_to_ask(purpose, option)
    typer.echo(consent.WORDS[purpose], err=True)
    typer.confirm(consent.QUESTIONS[purpose], abort=True, err=True)
    consent.keep(purpose)


def _bundle(archive: Path, *, landmarks: bool) -> None:
    """Write a report, after saying what is in it; landmarks only where somebody says yes."""
    from gesturectl import doctor as physician
    from gesturectl import support
    from gesturectl.archive import refuse_to_replace

    refuse_to_replace(archive)  # before it takes a while, and asks
    if not landmarks and sys.stdin.isatty() and (question := support.question()):
        landmarks = typer.confirm(question, default=False, err=True)
    made = support.parts(physician.examine(), landmarks=landmarks)
    typer.echo(made[-1].data.decode())  # README.txt
    support.write(archive, made)
    typer.echo(f"{archive} is written")


def _ask(yes: bool, question: str) -> None:
    """Ask whether to go on.

    Raises:
        UsageError: there is nobody to ask.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(f"{question} Give --yes to say so")
    typer.confirm(question, abort=True, err=True)


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
