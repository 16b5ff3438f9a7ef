"""What desktops are given to start us: as text, on every platform; as files that come and go."""

from __future__ import annotations

import json
import os
import plistlib
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from gesturectl import autostart, service
from gesturectl.autostart import MARK, WAYS, is_ours
from gesturectl.errors import UsageError
from tests.e2e.process import finished, gesturectl

ARGV = ("/opt/my programs/gesturectl", "run", "--quiet")
ODD = ("/opt/100% $HOME/\"ge\\st'ure`ctl", "run")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own, in which no systemd answers."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    return tmp_path


# --- texts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [252, 256])
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path, version: int) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    said = subprocess.run(
        ["systemd-analyze", "--version"], capture_output=True, text=True, check=True
    ).stdout
    if version > int(said.split()[1]):
        pytest.skip("this systemd is older")
    program = tmp_path / "a folder" / "gesturectl"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    path = tmp_path / "gesturectl.service"
    path.write_text(autostart.unit((str(program), "run", "--quiet"), version))
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", "--man=no", str(path)],
        env=os.environ | {"XDG_RUNTIME_DIR": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_the_unit_waits_longer_after_each_failure_where_systemd_can() -> None:
    assert "RestartSteps=6" in autostart.unit(ARGV, 254)
    assert "RestartSteps" not in autostart.unit(ARGV, 252)
    for version in (252, 254):
        text = autostart.unit(ARGV, version)
        assert text.startswith(f"# {MARK}")
        assert 'ExecStart="/opt/my programs/gesturectl" run --quiet\n' in text
        for line in (
            "Type=notify",
            "Restart=on-failure",
            "PartOf=graphical-session.target",
            "After=graphical-session.target",
            "WantedBy=graphical-session.target",
            "NoNewPrivileges=yes",
        ):
            assert f"\n{line}\n" in text


def test_words_of_a_path_mean_themselves_to_systemd() -> None:
    """As systemd.service(5) reads them: quotes, then escapes, with %% for % and $$ for $."""
    (line,) = [row for row in autostart.unit(ODD).splitlines() if row.startswith("ExecStart=")]
    words = shlex.split(line.removeprefix("ExecStart="))
    assert [word.replace("%%", "%").replace("$$", "$") for word in words] == list(ODD)


def test_words_of_a_path_mean_themselves_to_desktops() -> None:
    (line,) = [row for row in autostart.entry(ODD).splitlines() if row.startswith("Exec=")]
    value = line.removeprefix("Exec=").replace("\\\\", "\\")
    # What is left is written as for a shell, says the specification.
    shell = subprocess.run(
        ["sh", "-c", f"printf '%s\\n' {value}"], capture_output=True, text=True, check=True
    )
    assert shell.stdout.replace("%%", "%").splitlines() == list(ODD)
    assert autostart.entry(ARGV).splitlines()[1:3] == ["[Desktop Entry]", "Type=Application"]


def test_launchd_is_given_a_property_list_that_says_who_made_it() -> None:
    text = autostart.agent(ODD)
    assert MARK in text
    told = plistlib.loads(text.encode())
    assert told["ProgramArguments"] == list(ODD)
    assert told["KeepAlive"] == {"SuccessfulExit": False}
    assert told["RunAtLoad"] is True


def test_windows_is_given_a_script_that_starts_us_minimised() -> None:
    text = autostart.script(("C:\\My Programs\\100%\\gesturectl.exe", "run", "--quiet"))
    assert text.splitlines() == [
        f"@rem {MARK}",
        '@start "gesturectl" /min "C:\\My Programs\\100%%\\gesturectl.exe" "run" "--quiet"',
    ]


@pytest.mark.parametrize("name", WAYS)
def test_each_text_says_who_made_it(name: str, home: Path) -> None:
    way = WAYS[name]
    path = home / "one"
    assert is_ours(path) is None
    path.write_text(way.text(ARGV, 254))
    assert is_ours(path) is True
    path.write_text("[Unit]\n")
    assert is_ours(path) is False
    assert way.path().name.startswith("gesturectl.")


# --- files ----------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform != "linux", reason="XDG autostart is of Linux")
def test_an_entry_is_written_once_however_often_it_is_installed(home: Path) -> None:
    path = home / "config/autostart/gesturectl.desktop"
    assert service.install("xdg", now=False) == [f"{path}: written", "starts at your next login"]
    before = path.stat()
    assert service.install("xdg", now=False)[0] == f"{path}: as it was"
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert list(path.parent.iterdir()) == [path]
    (standing,) = [one for one in service.standings() if one.way == "xdg"]
    assert (standing.file, standing.enabled) == (str(path), True)
    assert service.remove() == [f"{path}: removed"]
    assert service.remove() == ["nothing was installed"]


def test_an_older_text_of_ours_gives_way_to_the_new_one(home: Path) -> None:
    path = home / "config/autostart/gesturectl.desktop"
    path.parent.mkdir(parents=True)
    path.write_text(f"# {MARK}\n[Desktop Entry]\nExec=old\n")
    service.install("xdg", now=False)
    assert "Exec=old" not in path.read_text()


@pytest.mark.parametrize("link", [False, True])
def test_what_we_did_not_write_is_neither_overwritten_nor_removed(home: Path, link: bool) -> None:
    path = home / "config/autostart/gesturectl.desktop"
    path.parent.mkdir(parents=True)
    theirs = home / "theirs" if link else path
    theirs.write_text("[Desktop Entry]\nExec=mine\n" + f"# {MARK}\n" * link)
    if link:
        path.symlink_to(theirs)
    before = theirs.read_text()
    with pytest.raises(UsageError, match="was not made by gesturectl"):
        service.install("xdg", now=False)
    assert service.remove() == ["nothing was installed"]
    assert theirs.read_text() == before
    assert path.exists()


def test_a_way_of_another_platform_is_refused_with_those_there_are(home: Path) -> None:
    with pytest.raises(UsageError, match=r"--autostart startup is not for linux; take .*xdg"):
        service.install("startup", now=False)
    with pytest.raises(UsageError, match="--now needs systemd"):
        service.install("xdg", now=True)


def test_the_command_is_absolute() -> None:
    program, *words = service.command()
    assert Path(program).is_absolute()
    assert words[-2:] == ["run", "--quiet"]


# --- the command ----------------------------------------------------------------------------------


def test_a_service_is_not_installed_before_somebody_has_agreed_to_the_camera(home: Path) -> None:
    env = {"HOME": str(home), "XDG_CONFIG_HOME": str(home / "config"), "PATH": os.environ["PATH"]}
    words = ("service", "install", "--autostart", "xdg")
    with gesturectl(*words, env=env) as process:
        code, out, err = finished(process)
    assert (code, out) == (2, "")
    assert "nobody has agreed to the camera yet" in err
    assert not (home / "config").exists()
    settings = home / "config/gesturectl/config.yaml"
    settings.parent.mkdir(parents=True)
    settings.write_text("consent: true\n")
    with gesturectl(*words, env=env) as process:
        code, out, _ = finished(process)
    assert (code, "starts at your next login" in out) == (0, True)
    with gesturectl("service", "status", "--json", env=env) as process:
        code, out, _ = finished(process)
    told = {row["way"]: row["enabled"] for row in json.loads(out)}
    assert (code, told) == (0, {"systemd": False, "xdg": True})


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["service", "remove", "--now"], "belong to `service install`"),
        (["service", "install", "--json"], "belongs to `service status`"),
        (["run", "--quiet", "--json"], "--quiet shows nothing"),
    ],
)
def test_options_that_do_not_fit_are_said(home: Path, words: list[str], says: str) -> None:
    with gesturectl(*words) as process:
        code, _, err = finished(process)
    assert (code, says in err) == (2, True)
