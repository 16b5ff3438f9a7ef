"""A real user manager of systemd, on a machine that need not be run by systemd.

It wants a machine that was booted with systemd, and control groups of its own. Both are made in a
mount namespace, which only root can have; elsewhere the tests skip.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import require_program
from tests.e2e.xserver import wait_until

MANAGER = "/usr/lib/systemd/systemd"
# A session of a desktop: it is what wants the target, which cannot be started by itself.
SESSION = "[Unit]\nBindsTo=graphical-session.target\nBefore=graphical-session.target\n"
SETUP = """\
set -e
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/system
mount -t tmpfs tmpfs /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /sys/fs/cgroup/$1
echo $$ > /sys/fs/cgroup/$1/cgroup.procs
exec {manager} --user --log-target=console --log-level=warning
"""


@dataclass(frozen=True)
class UserManager:
    """A manager that runs. `env` is what it gives to services."""

    pid: int
    env: Mapping[str, str]

    def run(self, *argv: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a program beside it, to its end."""
        return subprocess.run(
            ["nsenter", "--mount", f"--target={self.pid}", "--wdns=/", *map(str, argv)],
            env=dict(self.env), capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def ctl(self, *words: str) -> str:
        """Have `systemctl --user` do something; return what it says."""
        done = self.run("systemctl", "--user", *words)
        return done.stdout.strip() or done.stderr.strip()

    def shows(self, unit: str, *names: str) -> tuple[str, ...]:
        """Return properties of a unit."""
        said = self.ctl("show", unit, *(f"--property={name}" for name in names))
        rows = dict(line.split("=", 1) for line in said.splitlines())
        return tuple(rows[name] for name in names)


@contextmanager
def running_manager(folder: Path, env: Mapping[str, str]) -> Iterator[UserManager]:
    """Run a manager whose runtime folder lies in `folder`, with a session that can be started."""
    require_program("unshare", "nsenter", "systemctl")
    if os.geteuid() or not Path(MANAGER).exists():
        pytest.skip("a user manager of systemd can be had only as root, and where systemd is")
    runtime = folder / "run"
    runtime.mkdir(mode=0o700)
    units = Path(env["XDG_CONFIG_HOME"]) / "systemd/user"
    units.mkdir(parents=True, exist_ok=True)
    (units / "session.target").write_text(SESSION)
    group = f"gesturectl-test-{os.getpid()}"
    env = {**env, "XDG_RUNTIME_DIR": str(runtime)}
    script = SETUP.format(manager=MANAGER)
    with (folder / "manager.log").open("w") as log:
        process = subprocess.Popen(
            ["unshare", "--mount", "--propagation=private", "sh", "-c", script, "sh", group],
            env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    manager = UserManager(process.pid, env)
    try:
        if not wait_until(lambda: manager.ctl("is-system-running") in ("running", "degraded"), 10):
            said = (folder / "manager.log").read_text()
            pytest.skip(f"this machine lets no user manager of systemd run: {said.strip()}")
        yield manager
    finally:
        manager.ctl("stop", "gesturectl.service")
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        left = Path("/sys/fs/cgroup/unified") / group
        if left.exists():
            for inner in sorted(left.rglob("*"), reverse=True):
                if inner.is_dir():
                    inner.rmdir()
            left.rmdir()
        shutil.rmtree(runtime, ignore_errors=True)
