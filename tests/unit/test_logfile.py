"""Lines on disk: whoever writes them never waits, and what is missing is counted."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gesturectl import logfile
from gesturectl.logfile import LogFile

posix = pytest.mark.skipif(sys.platform == "win32", reason="made of pipes and limits of POSIX")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "log"


@contextmanager
def opened(path: Path, keep: int = 2) -> Iterator[LogFile]:
    """A log; its lines are bare words, and `lost N`."""
    log = LogFile(path, keep, lambda count: f"lost {count}")
    try:
        yield log
    finally:
        log.close()


def put(log: LogFile, *lines: str) -> None:
    for line in lines:
        log.put(lambda line=line: line)  # type: ignore[misc]


def text(path: Path) -> list[str]:
    return path.read_text("utf-8").splitlines()


def test_lines_are_on_disk_in_the_order_of_their_coming_when_it_is_closed(path: Path) -> None:
    said = [str(number) for number in range(500)]
    with opened(path) as log:
        put(log, *said)
    assert text(path) == said


def test_lines_of_many_threads_are_whole(path: Path) -> None:
    with opened(path) as log:
        threads = [
            threading.Thread(target=put, args=(log, *[f"{name}{n}" for n in range(100)]))
            for name in "abcd"
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = text(path)
    for name in "abcd":
        assert [line for line in found if line[0] == name] == [f"{name}{n}" for n in range(100)]


def test_flushed_lines_can_be_read(path: Path) -> None:
    with opened(path) as log:
        put(log, "a", "b")
        assert log.flush()
        assert text(path) == ["a", "b"]


def test_files_are_few_small_and_for_their_owner(path: Path) -> None:
    with opened(path) as log:
        for number in range(1200):
            put(log, f"{number:04d}" + "x" * 1000)
            assert number % 100 or log.flush()
    files = [path, path.with_name("log.1"), path.with_name("log.2")]
    assert sorted(path.parent.iterdir()) == files
    for file in files:
        assert file.stat().st_size <= logfile.MAX_BYTES
        assert file.stat().st_mode & 0o777 == 0o600
    kept = [line[:4] for file in reversed(files) for line in text(file)]
    assert kept == [f"{number:04d}" for number in range(1200 - len(kept), 1200)]


def test_fewer_files_are_kept_as_soon_as_fewer_are_wanted(path: Path) -> None:
    path.parent.mkdir()
    for number in range(1, 10):
        path.with_name(f"log.{number}").touch()
    with opened(path, keep=3):
        pass
    assert {file.name for file in path.parent.iterdir()} == {"log", "log.1", "log.2", "log.3"}


def test_half_a_line_of_a_crash_spoils_no_other(path: Path) -> None:
    path.parent.mkdir()
    path.write_text("whole\nhal")
    with opened(path) as log:
        put(log, "next")
    assert text(path) == ["whole", "hal", "next"]


# --- disks that hang, or are full -----------------------------------------------------------------


@contextmanager
def hanging(path: Path) -> Iterator[None]:
    """Have the file hang whoever opens it, as a server's disk does: a pipe without a reader."""
    path.unlink()
    os.mkfifo(path)
    yield


@posix
def test_a_disk_that_hangs_keeps_nobody_waiting_and_what_is_dropped_is_counted(path: Path) -> None:
    with opened(path) as log, hanging(path):
        put(log, "first")
        while not log._waiting.empty():  # until the thread has it, and hangs
            time.sleep(0.001)
        put(log, *(str(number) for number in range(logfile.MAX_WAITING + 250)))
        assert not log.flush(0)
        with os.fdopen(os.open(path, os.O_RDWR), encoding="utf-8") as reader:  # the disk goes on
            wanted = ["first", *(str(number) for number in range(logfile.MAX_WAITING))]
            assert [reader.readline().strip() for _ in wanted] == wanted
            put(log, "after")
            assert reader.readline() == "lost 250\n"
            assert reader.readline() == "after\n"


@posix
def test_a_disk_that_hangs_for_ever_is_not_waited_for(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = LogFile(path, 2, str)
    with hanging(path):
        put(log, "first")
        log.close(timeout_s=0.05)
        assert "its disk hangs" in caplog.text
        with path.open() as reader:  # let the thread go
            reader.read()


@contextmanager
def full() -> Iterator[None]:
    """Leave room for half a line in each file."""
    import resource

    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, unlimited[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
        signal.signal(signal.SIGXFSZ, before)


@posix
def test_a_full_disk_is_told_once_and_takes_whole_lines_when_it_has_room_again(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with opened(path) as log:
        put(log, "before")
        log.flush()
        with full():
            put(log, "one line", "another")
            assert log.flush()
        assert text(path) == ["before"]
        put(log, "room")
    assert text(path) == ["before", "lost 2", "room"]
    assert [record.getMessage().partition(": ")[2] for record in caplog.records] == [
        "File too large; lines are lost until it can be written"
    ]


# --- somebody removes it --------------------------------------------------------------------------


@pytest.mark.parametrize("folder_too", [False, True])
def test_what_was_removed_does_not_come_back(
    path: Path, caplog: pytest.LogCaptureFixture, folder_too: bool
) -> None:
    with opened(path) as log:
        put(log, "before")
        log.flush()
        if folder_too:
            shutil.rmtree(path.parent)
        else:
            logfile.remove(path)
        put(log, *("x" * 1000 for _ in range(600)))  # more than a file holds
        assert log.flush()
        put(log, "after")
    assert not folder_too or not path.parent.exists()
    assert logfile.all_of(path) == []
    assert [record.getMessage() for record in caplog.records] == [
        f"{path} is gone: no log is kept until the next start"
    ]


def test_the_next_start_begins_anew(path: Path) -> None:
    for line in ("before", "after"):
        with opened(path) as log:
            put(log, line)
            log.flush()
            if line == "before":
                logfile.remove(path)
    assert text(path) == ["after"]


def test_what_is_removed_while_a_file_is_changed_does_not_come_back(path: Path) -> None:
    """The next file is made between the removal of the newest and that of the one before it."""
    files = logfile._Files(path, 2)
    files.append("a\n")
    files._put_away()
    logfile.remove(path)
    with pytest.raises(FileNotFoundError):
        files.append("b\n")
    assert logfile.all_of(path) == []


def test_a_line_that_comes_while_the_log_is_given_up_lets_nobody_wait(path: Path) -> None:
    with opened(path) as log:
        logfile.remove(path)
        put(log, "a")
        assert log.flush()
        assert log.flush()


@posix
def test_lines_that_a_full_disk_lost_let_nobody_wait_once_the_file_is_gone(path: Path) -> None:
    with opened(path) as log:
        put(log, "before")
        log.flush()
        with full():
            put(log, "one line")
            log.flush()
        logfile.remove(path)
        assert log.flush()


# --- whose it is ----------------------------------------------------------------------------------


@posix
def test_a_link_in_its_place_is_not_followed(path: Path, tmp_path: Path) -> None:
    path.parent.mkdir()
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        LogFile(path, 2, str)
    assert not (tmp_path / "elsewhere").exists()


def test_lines_are_on_disk_though_the_program_is_killed(path: Path) -> None:
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from gesturectl.logfile import LogFile\n"
        "log = LogFile(Path(sys.argv[1]), 2, str)\n"
        "log.put(lambda: 'last words')\n"
        "log.flush()\n"
        "os._exit(1)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert text(path) == ["last words"]
