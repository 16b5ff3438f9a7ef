"""Run gesturectl as on Windows: `sys.platform` says so, and what Unix alone has is not there.

    python withoutunix.py FOLDER ARGUMENTS…

Libraries and the standard library were imported before, as what they are here; it is gesturectl
that is looked at. Named pipes are those that stand in for Windows', in the folder.
"""

import importlib
import os
import select
import signal
import socket
import sys
import sysconfig
import time
import types
from functools import partial
from pathlib import Path

from tests.pipekernel import StandIn

FIRST = (
    "asyncio", "ctypes.util", "http.client", "importlib.metadata", "importlib.resources", "numpy",
    "platformdirs", "psutil", "rich.console", "subprocess", "typer.main", "typer.rich_utils",
    "typer.testing", "urllib.request", "webbrowser",
)  # fmt: skip
MODULES = (
    "dbus_fast", "fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty",
)  # fmt: skip
NAMES = {
    os: (
        "O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "chown", "fchmod", "fork",
        "getegid", "geteuid", "getgid", "getloadavg", "getpgid", "getuid", "killpg",
        "memfd_create", "pidfd_open", "pread", "pwrite", "sched_getaffinity", "set_blocking",
        "setsid", "statvfs", "sysconf", "tcgetpgrp",
    ),
    select: ("epoll", "poll"),
    signal: ("SIGALRM", "SIGCHLD", "SIGHUP", "SIGKILL", "SIGUSR1", "pthread_kill"),
    socket: ("AF_UNIX", "SO_PEERCRED", "recv_fds", "send_fds"),
    time: ("CLOCK_MONOTONIC", "clock_gettime"),
}  # fmt: skip

for module in FIRST:
    importlib.import_module(module)
sysconfig.get_config_vars()  # reads a file that is named by the platform
socket.socketpair = partial(socket.socketpair, socket.AF_UNIX)  # for asyncio's loop of here
for module in MODULES:
    sys.modules[module] = None  # type: ignore[assignment]  # as if there were none
for of, names in NAMES.items():
    for name in names:
        delattr(of, name)
sys.platform = "win32"
sys.modules["msvcrt"] = types.ModuleType("msvcrt")
kernel = types.ModuleType("gesturectl.control.windows")
kernel.Windows = partial(StandIn, Path(sys.argv.pop(1)))  # type: ignore[attr-defined]
sys.modules[kernel.__name__] = kernel

cli = importlib.import_module("gesturectl.cli")
sys.argv[0] = "gesturectl"
cli.main()
