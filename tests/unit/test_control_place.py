"""Where the daemon is found: one for each user, for nobody else, whatever became of the last."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from gesturectl.control import place, sockets, transport
from gesturectl.errors import ControlError, RunningError
from tests.controlled import TIMEOUT_S, running

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
NOBODY = 65534

CLAIM = """\
import sys
from pathlib import Path
from gesturectl.control import place
from gesturectl.errors import RunningError
try:
    with place.claim(Path(sys.argv[1])):
        print("mine", flush=True)
        sys.stdin.read()
except RunningError:
    print("taken", flush=True)
"""


def claiming(folder: Path) -> subprocess.Popen[str]:
    """A process that claims a folder, and holds it until its stdin ends."""
    return subprocess.Popen(
        [sys.executable, "-c", CLAIM, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def end(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=TIMEOUT_S)


def test_folder_and_socket_are_the_user_s_alone(tmp_path: Path) -> None:
    with place.claim(tmp_path / "run") as claim:
        assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700
        assert Path(claim.address).stat().st_mode & 0o777 == 0o600
    assert not Path(claim.address).exists()


def test_a_folder_that_others_may_enter_is_closed_to_them(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir(mode=0o755)
    with place.claim(tmp_path / "run"):
        assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700


def test_a_second_claim_names_the_first_and_what_to_do(tmp_path: Path) -> None:
    with place.claim(tmp_path), pytest.raises(RunningError, match="ctl quit") as refused:
        place.claim(tmp_path).__enter__()
    assert refused.value.pid == os.getpid()
    assert refused.value.exit_code == 6
    with place.claim(tmp_path):
        pass


def test_the_socket_of_a_daemon_that_was_killed_is_taken_over(tmp_path: Path) -> None:
    first = claiming(tmp_path)
    assert said(first) == "mine"
    first.send_signal(signal.SIGKILL)
    end(first)
    assert (tmp_path / transport.SOCKET).exists()
    with pytest.raises(ControlError, match="no gesturectl is running"):
        place.connect(tmp_path, timeout_s=TIMEOUT_S)
    with place.claim(tmp_path):
        place.connect(tmp_path, timeout_s=TIMEOUT_S).close()


def test_of_many_that_start_at_once_beside_a_stale_socket_one_is_the_daemon(tmp_path: Path) -> None:
    first = claiming(tmp_path)
    assert said(first) == "mine"
    first.send_signal(signal.SIGKILL)
    end(first)
    rivals = [claiming(tmp_path) for _ in range(6)]
    assert sorted(said(one) for one in rivals) == ["mine"] + ["taken"] * 5
    place.connect(tmp_path, timeout_s=TIMEOUT_S).close()
    for one in rivals:
        end(one)


def test_a_link_in_the_place_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "run").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ControlError, match="not a folder of yours"), place.claim(tmp_path / "run"):
        pass


def test_a_folder_that_others_can_replace_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(ControlError, match="can be changed by other users"):
        place.claim(tmp_path / "open" / "run").__enter__()


@pytest.mark.parametrize("name", [sockets.LOCK, sockets.SOCKET])
def test_a_folder_in_the_place_of_its_files_is_an_error_in_words(tmp_path: Path, name: str) -> None:
    (tmp_path / "run" / name).mkdir(parents=True)
    with pytest.raises(ControlError, match=f"{name}: "):
        place.claim(tmp_path / "run").__enter__()


def test_a_path_too_long_for_a_socket_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ControlError, match="shorter folder"):
        place.claim(tmp_path / ("x" * 100)).__enter__()
    with pytest.raises(ControlError, match="shorter folder"):
        place.connect(tmp_path / ("x" * 100), timeout_s=1.0)


def test_a_file_in_the_place_of_the_folder_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("", "utf-8")
    with pytest.raises(ControlError, match="XDG_RUNTIME_DIR"):
        place.claim(tmp_path / "run").__enter__()


# --- other users --------------------------------------------------------------------------------


@AS_ROOT
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    os.chown(tmp_path / "run", NOBODY, NOBODY)
    with pytest.raises(ControlError, match="not a folder of yours"):
        place.claim(tmp_path / "run").__enter__()


CONNECT = """\
import os, socket, sys
os.setgid(65534); os.setuid(65534)
line = socket.socket(socket.AF_UNIX)
line.settimeout(20)
try:
    line.connect(sys.argv[1])
    line.sendall(b'{"ask": "quit"}\\n')
    print("heard", line.recv(100))
except OSError as error:
    print(type(error).__name__)
"""


def as_nobody(path: Path) -> str:
    """What another user hears who connects and asks the daemon to quit."""
    command = [sys.executable, "-c", CONNECT, str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@AS_ROOT
def test_another_user_cannot_reach_the_socket_and_is_sent_away_if_he_could(
    short_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running(short_folder / "run") as run:
        path = short_folder / "run" / transport.SOCKET
        assert as_nobody(path) == "PermissionError"
        # Somebody may have opened the doors: the kernel still says who knocks.
        for one in (short_folder, short_folder / "run", path):
            one.chmod(0o777)
        assert as_nobody(path) in ("heard b''", "ConnectionResetError", "BrokenPipeError")
        with run.talk() as talk:
            assert talk.ask(ask="status")["ok"]
    assert "another user" in caplog.text


@AS_ROOT
def test_a_socket_that_another_user_left_is_not_talked_to(short_folder: Path) -> None:
    listening = (
        "import os, socket, sys\n"
        "os.setgid(65534); os.setuid(65534)\n"
        "line = socket.socket(socket.AF_UNIX); line.bind(sys.argv[1]); line.listen()\n"
        "print('ready', flush=True); sys.stdin.read()"
    )
    short_folder.chmod(0o777)
    path = short_folder / transport.SOCKET
    process = subprocess.Popen(
        [sys.executable, "-c", listening, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert said(process) == "ready"
    with pytest.raises(ControlError, match="belongs to another user"):
        place.connect(short_folder, timeout_s=TIMEOUT_S)
    end(process)


def test_a_process_of_this_user_is_known_by_the_kernel() -> None:
    here, there = socket.socketpair(socket.AF_UNIX)
    with here, there:
        assert sockets.is_own(here)
