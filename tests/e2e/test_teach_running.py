"""A daemon that runs while its user teaches, corrects and forgets: it takes all of that up."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue

import pytest

from gesturectl.lastheard import file as last_heard
from tests.e2e.process import finished, gesturectl
from tests.lessons import trace_of

pytestmark = pytest.mark.slow

SOON_S = 60.0  # a refit takes seconds on a loaded machine, and gestures come every three

PROFILE = "version: 1\nbindings:\n  - {gesture: little, do: {key: b}}\n"


class Lines:
    """What a process prints, line by line, without ever waiting for longer than asked."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        self._queue: Queue[str] = Queue()
        threading.Thread(target=self._read, args=(process.stdout,), daemon=True).start()

    def _read(self, out: Iterator[str]) -> None:
        for line in out:
            self._queue.put(line)

    def next_begun(self) -> str:
        """Return the next gesture that begins."""
        while True:
            try:
                row = json.loads(self._queue.get(timeout=SOON_S))
            except Empty:
                pytest.fail(f"no gesture within {SOON_S:.0f} s")
            if row.get("phase") == "began":
                return str(row["gesture"])

    def wait_for(self, gesture: str) -> None:
        """Wait until this gesture begins."""
        while self.next_begun() != gesture:
            pass


def say(*arguments: str | Path) -> str:
    with gesturectl(*arguments) as process:
        code, out, err = finished(process, SOON_S)
    assert code == 0, err
    return out


def test_a_running_daemon_takes_up_what_is_taught_corrected_and_forgotten(tmp_path: Path) -> None:
    profile = tmp_path / "mine.yaml"
    profile.write_text(PROFILE, "utf-8")
    takes = trace_of("little_finger,little_finger,little_finger", tmp_path / "takes.jsonl")
    day = trace_of(",".join(["fist", "little_finger"] * 25), tmp_path / "day.jsonl.gz", fps=15)

    # Half taught: the name is known, and nothing hears it yet.
    with gesturectl("teach", "little", "--hand", "--source", takes, "--samples", "4") as process:
        assert finished(process, SOON_S)[0] == 3

    arguments = ("run", "--dry-run", "--json", "--source", day, "--profile", profile)
    with gesturectl(*arguments) as daemon:
        lines = Lines(daemon)
        assert [lines.next_begun(), lines.next_begun()] == ["fist", "fist"]
        assert not last_heard().exists()

        say("teach", "little", "--hand", "--from", takes, "--samples", "3")
        lines.wait_for("little")
        lines.wait_for("fist")  # by now the file is written

        row = json.loads(say("wrong", "--yes", "--json"))
        assert (row["gesture"], row["mistakes"]) == ("little", 1)
        say("wrong", "--undo")
        lines.wait_for("little")

        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(SOON_S) == 0
        assert daemon.stderr is not None
        assert "little is not learned yet" in daemon.stderr.read()
