"""A companion is started, told on, started again when it dies, and ended with the run."""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path

import pytest

from gesturectl.company import Company, accompanied
from tests.e2e.xserver import wait_until

TIMEOUT_S = 10.0


def program(text: str) -> tuple[str, ...]:
    return (sys.executable, "-c", text)


def noting(file: Path, then: str) -> tuple[str, ...]:
    """A companion that writes a line when it starts."""
    return program(f"import sys, time; open({str(file)!r}, 'a').write('started\\n'); {then}")


def starts(file: Path) -> int:
    return file.read_text().count("started") if file.exists() else 0


def test_what_it_says_is_told_with_its_level(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    says = "import sys; print('30 no panel', 'not ours', '20 all well', sep='\\n', file=sys.stderr)"
    company = Company(program(says))
    company.start()
    assert wait_until(lambda: len(caplog.messages) >= 2, TIMEOUT_S)
    company.stop()
    told = [(record.levelno, record.getMessage()) for record in caplog.records]
    assert told == [(logging.WARNING, "no panel"), (logging.INFO, "all well")]


def test_one_that_dies_is_started_again_a_few_times_and_then_given_up_with_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    company = Company(
        noting(tmp_path / "log", "print('Oh!', file=sys.stderr); sys.exit(9)"), pauses_s=(0.0, 0.0)
    )
    company.start()
    assert wait_until(lambda: bool(caplog.messages), TIMEOUT_S)
    company.stop()
    assert starts(tmp_path / "log") == 3
    (message,) = caplog.messages
    assert "ended 3 times, at last with code 9 (Oh!)" in message
    assert "gestures go on" in message


def test_one_that_has_nothing_more_to_do_is_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    company = Company(noting(tmp_path / "log", "sys.exit(0)"), pauses_s=(0.0, 0.0))
    company.start()
    company._thread.join(TIMEOUT_S)
    company.stop()
    assert (starts(tmp_path / "log"), caplog.messages) == (1, [])


DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"


@pytest.mark.parametrize("then", ["time.sleep(60)", DEAF], ids=["polite", "deaf"])
def test_it_ends_with_the_run(then: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gesturectl.company.END_S", 0.5)
    company = Company(noting(tmp_path / "log", then))
    company.start()
    assert wait_until(lambda: starts(tmp_path / "log") == 1, TIMEOUT_S)
    company.stop()
    assert company._process is not None
    assert company._process.returncode is not None


def test_a_run_may_end_before_its_companion_is_there() -> None:
    for _ in range(5):
        company = Company(program("import time; time.sleep(60)"))
        company.start()
        company.stop()
        assert company._process is None or company._process.returncode is not None


def test_a_program_that_cannot_be_started_is_told_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    company = Company((str(tmp_path / "none"),))
    company.start()
    company._thread.join(TIMEOUT_S)
    company.stop()
    assert "nothing is shown on the desktop" in caplog.text


def test_where_nothing_is_to_be_shown_nothing_is_started() -> None:
    with accompanied(()):
        assert "company" not in {thread.name for thread in threading.enumerate()}
