"""What a run does to the outside: the real daemon, on drawn pictures, with the real models.

Every system call that makes a connection, or makes or changes a file, is looked at. So is what lies
in the home folder afterwards, and the same run without any network at all.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from gesturectl import holdings
from tests.conftest import Bundles, require_program
from tests.e2e.process import COMMAND, START_S, STOP_S, finished, gesturectl
from tests.e2e.xserver import wait_until
from tests.lessons import trace_of

pytestmark = pytest.mark.slow

# A gesture of the user's own makes the daemon keep what it heard last: its one file.
PROFILE = """\
version: 1
bindings:
  - {gesture: fist, do: {key: b}}
  - {gesture: little, do: {key: c}}
  - {gesture: thumb_up, do: {text: zq hunter2}}
"""
CALLS = (
    "trace=%network,open,openat,openat2,creat,mkdir,mkdirat,rename,renameat,renameat2,mknod,mknodat,"
    "link,linkat,symlink,symlinkat,truncate,unlink,unlinkat,chmod,fchmodat"
)
WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND|O_TMPFILE")
PATH = re.compile(r'"((?:[^"\\]|\\.)*)"')
PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"RIFF", b"BM", b"II*\0", b"\0\0\0 ftyp", b"\x1aE\xdf\xa3")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder, empty but for a gesture that was taught, and the environment that names it."""
    folder = tmp_path / "home"
    (folder / "tmp").mkdir(parents=True)
    for name in ("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "MPLCONFIGDIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(folder))
    (folder / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder / "run"))
    monkeypatch.setenv("TMPDIR", str(folder / "tmp"))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")  # else Python writes beside the program
    takes = trace_of("little_finger,little_finger,little_finger", tmp_path / "takes.jsonl")
    lesson = ("teach", "little", "--hand", "--source", takes, "--samples", "3")
    with gesturectl(*lesson) as process:
        code, _, err = finished(process, START_S)
    assert code == 0, err
    return folder


def words(home: Path, bundles: Bundles) -> tuple[str, ...]:
    """Return the command line of a run that sees a fist in pictures."""
    profile = home.parent / "mine.yaml"
    profile.write_text(PROFILE, "utf-8")
    return (
        *COMMAND, "run", "--sink", "print", "--json", "--source", "puppet:fist:1s", "--profile",
        str(profile), "--hand-model", str(bundles.hand),
    )  # fmt: skip


def heard(out: str) -> set[str]:
    rows = [json.loads(line) for line in out.splitlines()]
    return {row["gesture"] for row in rows if row["type"] == "gesture"}


def calls(report: Path) -> Iterator[tuple[str, str]]:
    """Return every call that strace saw and that succeeded, as its name and the rest."""
    for line in report.read_text("utf-8", "replace").splitlines():
        match = re.match(r"\d+ +(\w+)\((.*)", line)
        if match and " = -1 " not in line:
            yield match[1], match[2]


def strangers(paths: Sequence[str], allowed: Sequence[Path]) -> list[str]:
    """Return the paths that lie in none of these folders, nor lead to one."""
    return [
        path
        for path in paths
        if not any(
            Path(path).is_relative_to(folder) or folder.is_relative_to(path) for folder in allowed
        )
    ]


def test_a_run_connects_to_nobody_and_writes_only_in_its_own_folders(
    home: Path, bundles: Bundles
) -> None:
    require_program("strace")
    report = home.parent / "calls.txt"
    run = subprocess.run(
        ["strace", "-f", "-qq", "-e", CALLS, "-o", str(report), *words(home, bundles)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "ptrace" in run.stderr.lower() or "operation not permitted" in run.stderr.lower():
        pytest.skip(f"this machine forbids tracing: {run.stderr.strip()}")
    assert run.returncode == 0, run.stderr
    assert heard(run.stdout) == {"fist"}

    # A zero byte from nobody to nobody is asyncio, which wakes its own thread by a pair of sockets.
    wakes = re.compile(r'\d+, "\\0", \d+, \w+, NULL, (0|NULL)\)')
    seen = [(name, rest) for name, rest in calls(report) if not wakes.match(rest)]
    # Two sockets to nobody: MediaPipe looks which kinds of internet there are.
    sockets = [rest for name, rest in seen if name == "socket"]
    assert len([one for one in sockets if "AF_UNIX" not in one]) <= 2, sockets
    assert not [one for one in sockets if "SOCK_STREAM" in one and "AF_UNIX" not in one], sockets
    talk = ("connect", "bind", "listen", "accept", "accept4", "sendto", "sendmsg", "sendmmsg")
    talked = [(name, rest) for name, rest in seen if name in talk]
    # Its own socket for `gesturectl ctl`, where nobody calls now; and nothing else.
    assert [name for name, _ in talked] == ["bind", "listen"]
    assert str(home / "run/gesturectl/control.sock") in talked[0][1]

    changed = [
        path
        for name, rest in seen
        if name in ("open", "openat", "openat2")
        for path in PATH.findall(rest)
        if WRITES.search(rest)
    ]
    changed += [
        path
        for name, rest in seen
        if name not in ("open", "openat", "openat2", "socket")
        for path in PATH.findall(rest)
    ]
    own = [home / f".{name}" / "gesturectl" for name in ("config", "cache", "local/share")]
    own += [home / ".local/state/gesturectl", home / "run/gesturectl"]
    assert any(path.endswith("last-heard.jsonl.gz") for path in changed)  # the test sees writing
    assert strangers(changed, [*own, Path("/dev/null")]) == []


def test_a_run_leaves_what_the_table_names_and_no_picture(
    home: Path, bundles: Bundles, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = subprocess.run(words(home, bundles), capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    left = {path for path in home.rglob("*") if not path.is_dir()}
    named = {item.path for place in holdings.PLACES for item in holdings.items(place)}
    assert home / ".local/state/gesturectl/last-heard.jsonl.gz" in left
    assert left <= named
    assert [path for path in left if path.read_bytes().startswith(PICTURES)] == []
    assert list((home / "tmp").iterdir()) == []


def test_a_run_needs_no_network(home: Path, bundles: Bundles) -> None:
    require_program("unshare")
    alone = ("unshare", "--user", "--map-current-user", "--net")
    if subprocess.run([*alone, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine forbids namespaces to its users")
    run = subprocess.run(
        [*alone, *words(home, bundles)], capture_output=True, text=True, check=False, env=os.environ
    )
    assert run.returncode == 0, run.stderr
    assert heard(run.stdout) == {"fist"}


@contextmanager
def long_run(
    home: Path, bundles: Bundles, source: str = "puppet:fist:60s"
) -> Iterator[subprocess.Popen[str]]:
    """Run for as long as the test likes; it can be controlled."""
    asked = [word if word != "puppet:fist:1s" else source for word in words(home, bundles)]
    with (
        (home / "out.jsonl").open("w") as out,
        subprocess.Popen(asked, stdout=out, stderr=subprocess.PIPE, text=True) as run,
    ):
        try:
            assert wait_until(lambda: run.poll() is not None or ctl("status"), START_S)
            assert run.poll() is None, "it does not start"
            yield run
        finally:
            run.kill()


def test_the_log_tells_what_changed_and_nothing_of_the_profile(
    home: Path, bundles: Bundles
) -> None:
    with long_run(home, bundles, "puppet:fist:1s,thumb_up:1s,fist:60s") as run:
        assert wait_until(lambda: "hunter2" in (home / "out.jsonl").read_text(), START_S)
        assert ctl("pause")
        assert ctl("resume")
        assert ctl("quit")
        assert run.wait(STOP_S) == 0
    text = (home / ".local/state/gesturectl/log.jsonl").read_text("utf-8")
    rows = [json.loads(line) for line in text.splitlines()]
    assert (rows[0]["message"], rows[0]["fields"]["profile"]) == ("start", "own")
    assert (rows[-1]["message"], rows[-1]["fields"]["reason"]) == ("stop", "stopped")
    paused = [row["fields"] for row in rows if row["message"] == "paused"]
    assert paused == [{"from": False, "to": True}, {"from": True, "to": False}]
    assert len(rows) < 20  # of changes, not of frames
    assert str(home) not in text
    assert not [word for word in ("mine", "hunter2", "zq") if word in text]


def test_a_disk_that_hangs_stalls_no_frame_and_no_end(home: Path, bundles: Bundles) -> None:
    log = home / ".local/state/gesturectl/log.jsonl"
    with long_run(home, bundles) as run:
        log.unlink()
        os.mkfifo(log)  # whoever opens it to write waits for a reader, who never comes
        assert ctl("pause")
        assert ctl("resume")
        before = frames()
        assert wait_until(lambda: frames() >= before + 10, STOP_S)
        assert ctl("quit")
        _, err = run.communicate(timeout=STOP_S)
    assert run.returncode == 0, err
    assert "its disk hangs" in err


def test_what_was_deleted_while_it_runs_is_not_written_again(home: Path, bundles: Bundles) -> None:
    state = home / ".local/state/gesturectl"
    with long_run(home, bundles) as run:
        assert ctl("pause")
        assert (state / "log.jsonl").exists()
        deleted = subprocess.run(
            [*COMMAND, "privacy", "delete", "--yes"], capture_output=True, text=True, check=False
        )
        assert deleted.returncode == 0, deleted.stdout + deleted.stderr
        assert f"process {run.pid}" in deleted.stdout
        assert "and no log" in deleted.stdout
        assert ctl("resume")
        assert ctl("pause")
        assert ctl("quit")
        _, err = run.communicate(timeout=STOP_S)
    assert run.returncode == 0, err
    assert err.count("no log is kept until the next start") == 1
    assert list(state.glob("*")) == []


def frames() -> int:
    told = subprocess.run(
        [*COMMAND, "ctl", "status", "--json"], capture_output=True, text=True, check=True
    )
    return int(json.loads(told.stdout)["frames"])


def ctl(what: str) -> bool:
    return subprocess.run([*COMMAND, "ctl", what], capture_output=True, check=False).returncode == 0
