"""How desktops start programs at login: a file of ours in the place of each.

    systemd   a unit of the user's manager     Linux with systemd: starts, watches and restarts
    xdg       an entry in ~/.config/autostart  any other Linux desktop: starts once
    launchd   an agent in ~/Library            macOS: starts and restarts
    startup   a script in the Startup folder   Windows: starts once

Pure: texts and places, so that each is tested on every platform. `service` writes and removes
them. A file of ours holds `MARK`; none without it is ever overwritten or removed.
"""

from __future__ import annotations

import os
import plistlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MARK: Final = "Made by `gesturectl service install`"
NAME: Final = "gesturectl"
SAYS: Final = "Control keyboard and mouse by gestures seen through a webcam"
APART: Final = "GESTURECTL_STARTS_APART"  # read by `sinks.programs`
GRAPHICAL: Final = "graphical-session.target"

# Frames stop the loop for half a second at most; loading models anew after a change of the profile
# takes some seconds on a slow machine.
WATCHDOG_S: Final = 30
BACKS_OFF: Final = 254  # the first systemd that waits longer after each failure


@dataclass(frozen=True, slots=True)
class Way:
    """One row of `WAYS`. `platforms` are values of `sys.platform`; `text` is made of the argument
    vector that starts the daemon, and for systemd of its version."""

    name: str
    platforms: tuple[str, ...]
    path: Callable[[], Path]
    text: Callable[[Sequence[str], int], str]


def unit(argv: Sequence[str], version: int = BACKS_OFF) -> str:
    """Return the unit for a user manager of systemd of this version.

    No option here needs namespaces: in a user's manager they need kernels that let users make them,
    and would hide the groups by which some machines share their cameras.
    """
    back_off = "RestartSec=1\nRestartSteps=6\nRestartMaxDelaySec=60"
    return f"""\
# {MARK}; `gesturectl service remove` removes it.
# To change something: systemctl --user edit {NAME}

[Unit]
Description={SAYS}
# Started when the desktop is there, ended with it.
After={GRAPHICAL}
PartOf={GRAPHICAL}
StartLimitIntervalSec=300
StartLimitBurst=20

[Service]
Type=notify
NotifyAccess=main
ExecStart={" ".join(map(_systemd_word, argv))}
ExecReload=kill -HUP $MAINPID
# At first need landmark models are obtained, which takes minutes on a slow line.
TimeoutStartSec=600
TimeoutStopSec=10
# Frames beat; a loop that hangs is ended and started anew.
WatchdogSec={WATCHDOG_S}
Restart=on-failure
{back_off if version >= BACKS_OFF else "RestartSec=5"}
# A wrong profile stays wrong, and a second gesturectl stays the second.
RestartPreventExitStatus=2 6
# What gestures start goes into units of its own: not ended with us, and free of what follows here.
Environment={APART}=1
UMask=0077
NoNewPrivileges=yes
LockPersonality=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy={GRAPHICAL}
"""


def entry(argv: Sequence[str], version: int = 0) -> str:
    """Return the entry for desktops that keep to the XDG specification of autostart."""
    return f"""\
# {MARK}; `gesturectl service remove` removes it.
[Desktop Entry]
Type=Application
Version=1.0
Name=gesturectl
Comment={SAYS}
Exec={" ".join(map(_desktop_word, argv))}
Terminal=false
StartupNotify=false
X-GNOME-Autostart-Phase=Application
X-KDE-autostart-phase=2
"""


def agent(argv: Sequence[str], version: int = 0) -> str:
    """Return the property list of an agent for launchd on macOS."""
    said = plistlib.dumps(
        {
            "Label": NAME,
            "ProgramArguments": list(argv),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": 10,
            "LimitLoadToSessionType": "Aqua",
            "ProcessType": "Interactive",
            "Umask": 0o077,
        },
        sort_keys=False,
    ).decode()
    head, root, rest = said.partition("<plist")
    return f"{head}<!-- {MARK} -->\n{root}{rest}"


def script(argv: Sequence[str], version: int = 0) -> str:
    """Return the script for the Startup folder of Windows; it closes its window at once."""
    words = " ".join(f'"{word}"'.replace("%", "%%") for word in argv)
    return f'@rem {MARK}\r\n@start "gesturectl" /min {words}\r\n'


def configuration() -> Path:
    """Return the folder of the user's settings for all programs, on Linux."""
    named = os.environ.get("XDG_CONFIG_HOME", "")
    return Path(named) if Path(named).is_absolute() else Path.home() / ".config"


def units() -> Path:
    """Return the folder of the user's own units."""
    return configuration() / "systemd" / "user"


def entries() -> Path:
    """Return the folder of what desktops start."""
    return configuration() / "autostart"


def agents() -> Path:
    """Return the folder of a user's agents on macOS."""
    return Path.home() / "Library" / "LaunchAgents"


def startup() -> Path:
    """Return the Startup folder of Windows."""
    roaming = os.environ.get("APPDATA", "")
    base = Path(roaming) if roaming else Path.home() / "AppData" / "Roaming"
    return base / "Microsoft" / "Windows" / "Start Menu" / "Programs" / "Startup"


LINUX: Final = ("linux", "freebsd", "openbsd")
WAYS: Final[Mapping[str, Way]] = {
    way.name: way
    for way in (
        Way("systemd", ("linux",), lambda: units() / f"{NAME}.service", unit),
        Way("xdg", LINUX, lambda: entries() / f"{NAME}.desktop", entry),
        Way("launchd", ("darwin",), lambda: agents() / f"{NAME}.plist", agent),
        Way("startup", ("win32",), lambda: startup() / f"{NAME}.cmd", script),
    )
}


def is_ours(path: Path) -> bool | None:
    """Whether a file was made by us; None where there is none.

    A link counts for somebody else's file, wherever it leads to.
    """
    if path.is_symlink():
        return False
    try:
        with path.open("rb") as file:
            return MARK.encode() in file.read(1024)
    except FileNotFoundError:
        return None
    except OSError:
        return False


def _systemd_word(word: str) -> str:
    """Write a word for ExecStart: systemd.service(5), "COMMAND LINES"."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    escaped = escaped.replace("%", "%%").replace("$", "$$")
    plain = escaped == word and word and not set(word) & set(" \t;'")
    return word if plain else f'"{escaped}"'


def _desktop_word(word: str) -> str:
    """Write a word for Exec: the Desktop Entry Specification, "The Exec key".

    The value of a key is unescaped once before its words are, so a backslash becomes four.
    """
    if word and not set(word) & set(" \t\n\"'\\><~|&;$*?#()`%"):
        return word
    quoted = "".join("\\" + letter if letter in '"`$\\' else letter for letter in word)
    return '"' + quoted.replace("\\", "\\\\").replace("\n", "\\n").replace("%", "%%") + '"'
