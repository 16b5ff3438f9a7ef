"""Every error a user can meet: what is wrong, where, and what to do.

The class decides the exit code of the command line; the message is for the
user and stands alone. Anything that is not a `GesturectlError` is a bug and is
allowed to crash, after the keys are up.
"""

from __future__ import annotations


class GesturectlError(Exception):
    """Base of all errors that a user can cause or mend."""

    exit_code = 1


class UsageError(GesturectlError):
    """The command line asks for something that does not exist or does not fit together."""

    exit_code = 2


class ProfileError(GesturectlError):
    """A profile has problems. `problems` lists all of them, in the file's order."""

    exit_code = 2

    def __init__(self, message: str, problems: tuple[object, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems


class ConfigError(ProfileError):
    """The user's own configuration has problems, reported like those of a profile."""


class SourceError(GesturectlError):
    """A camera, video, stream, trace or puppet script cannot be opened or read."""

    exit_code = 3


class TraceError(SourceError):
    """A trace file is damaged, of another version, or not a trace."""


class ModelError(GesturectlError):
    """A landmark bundle or an action model is missing, damaged or of another version."""

    exit_code = 4


class SinkError(GesturectlError):
    """Commands cannot be delivered: no display, no permission, an unknown key."""

    exit_code = 5


class DesktopError(GesturectlError):
    """A desktop does not say, or says no more, which window is in front."""

    exit_code = 5


class SampleError(GesturectlError):
    """Takes of a gesture of the user's own are damaged, too few, or show nobody."""

    exit_code = 3


class ControlError(GesturectlError):
    """No daemon can be talked to, or it refuses what it is asked for."""

    exit_code = 6


class RunningError(ControlError):
    """A daemon of this user runs; `pid` is its process, where that is known."""

    def __init__(self, pid: int | None) -> None:
        who = "gesturectl" if pid is None else f"gesturectl (pid {pid})"
        super().__init__(
            f"{who} is running already, and two would act on each gesture twice; "
            "end it with `gesturectl ctl quit`, or look with `gesturectl ctl status`"
        )
        self.pid = pid
