"""A private Wayland desktop for tests: sway without a screen, as a user of its own if we are root.

sway refuses to run as root. Its windows are those of foot, a small terminal.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.xserver import wait_until

NOBODY = 65534
CONFIG = "output HEADLESS-1 mode 800x600\nxwayland disable\n"


@dataclass(frozen=True)
class Sway:
    """A running sway. `env` is an environment for programs in it."""

    folder: Path

    @property
    def socket(self) -> str:
        """Where sway's own protocol is spoken."""
        return str(self.folder / "sway.sock")

    @property
    def wayland(self) -> str:
        """Where Wayland is spoken."""
        return str(self.folder / "wayland-1")

    @property
    def env(self) -> dict[str, str]:
        env = {key: value for key, value in os.environ.items() if key != "DISPLAY"}
        return env | {
            "XDG_RUNTIME_DIR": str(self.folder),
            "WAYLAND_DISPLAY": self.wayland,
            "SWAYSOCK": self.socket,
            "LC_ALL": "C.UTF-8",
        }

    def tell(self, command: str) -> None:
        """Have sway carry out a command."""
        subprocess.run(["swaymsg", command], env=self.env, check=True, capture_output=True)

    @contextmanager
    def window(self, app: str, title: str, *argv: str) -> Iterator[subprocess.Popen[bytes]]:
        """Show a terminal, in which a program runs if one is given; closed on leaving."""
        process = subprocess.Popen(
            [
                *_unprivileged(),
                "foot",
                "--app-id",
                app,
                "--title",
                title,
                *(argv or ("sleep", "600")),
            ],
            env=self.env | {"HOME": str(self.folder)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


@contextmanager
def running_sway() -> Iterator[Sway]:
    """Run sway, headless, drawing without a graphics card."""
    folder = Path(tempfile.mkdtemp(prefix="sway-"))
    (folder / "config").write_text(CONFIG, "utf-8")
    if os.getuid() == 0:
        os.chown(folder, NOBODY, NOBODY)
    sway = Sway(folder)
    env = {key: value for key, value in sway.env.items() if key != "WAYLAND_DISPLAY"}
    process = subprocess.Popen(
        [*_unprivileged(), "sway", "--config", str(folder / "config")],
        env=env | {
            "HOME": str(folder),
            "WLR_BACKENDS": "headless",
            "WLR_LIBINPUT_NO_DEVICES": "1",
            "WLR_RENDERER": "pixman",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        up = wait_until(lambda: Path(sway.socket).exists() and Path(sway.wayland).exists())
        assert up, f"sway does not come up (code {process.poll()})"
        yield sway
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged() -> list[str]:
    if os.getuid() != 0:
        return []
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
