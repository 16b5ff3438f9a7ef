"""The log and the report: they tell what happened, and nobody's words."""

from __future__ import annotations

import ast
import getpass
import gzip
import io
import json
import logging
import os
import platform
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gesturectl import config, holdings, journal, lastheard, rig, support, watch
from gesturectl.anonymise import Anonymiser, Scrubber, shown, source_kind, source_words
from gesturectl.cli import main
from gesturectl.config import Log
from gesturectl.errors import ProfileError, SourceError
from gesturectl.samples import Store
from gesturectl.trace import TraceWriter
from gesturectl.types import Hand, Observation
from tests.e2e.process import COMMAND

SECRETS = (
    "annabel", "hunter2", "1234", "quarterly figures", "lamp.anna.example", "anna_wave", "geheim",
    "notes.txt", "4711", "secretmode", "top/secret", "spelled",
)  # fmt: skip
PROFILE = """\
version: 1
name: annabel 4711
modes: {secretmode: {says: hunter2, wake: {gesture: open_palm, hold_for: 800ms}}}
macros: {spelled: {with: [what], do: {text: "$what hunter2"}}}
profiles:
  - match: {title: quarterly figures, app: /geheim/}
    bindings: [{gesture: fist, do: {key: ctrl+c}}]
bindings:
  - {gesture: anna_wave, mode: [active, secretmode], do: [{text: hunter2}, {text: 1234}]}
  - {gesture: fist, do: {keys: "h u n t e r 2 200ms ctrl+v"}}
  - {gesture: thumb_up, do: [{say: geheim}, {notify: annabel}, {run: [less, notes.txt]}]}
  - {gesture: thumb_down, do: {webhook: {url: "http://lamp.anna.example/", body: "4711"}}}
  - {gesture: victory, do: {mqtt: {to: lamp.anna.example, topic: top/secret, payload: 4711}}}
  - {gesture: pinch, do: {macro: {name: spelled, what: 1234}}}
  - {gesture: pinch, txet: 1234}
"""
SETTINGS = """\
source: rtsp://annabel:hunter2@lamp.anna.example/top/secret
profile: annabel
allow_hosts: [lamp.anna.example]
camera: {release_when: [{title: quarterly figures}]}
display: {screen: geheim, place: top}
keep: {background: 2 weeks}
log: {level: warning, keep: 1}
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user whose every file holds something that nobody else should read."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "annabel" / "config"))
    monkeypatch.setenv("HOME", str(tmp_path / "annabel"))
    folder = config.folder()
    (folder / "profiles").mkdir(parents=True)
    (folder / "config.yaml").write_text(SETTINGS)
    (folder / "profiles" / "annabel.yaml").write_text(PROFILE)
    (Store.of_user().root / "gestures" / "anna_wave").mkdir(parents=True)
    return tmp_path


def contents(archive: Path) -> dict[str, str]:
    """Return every file of an archive as text."""
    with zipfile.ZipFile(archive) as whole:
        return {name: whole.read(name).decode() for name in whole.namelist()}


def doctor(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["gesturectl", "doctor", *arguments])
    with pytest.raises(SystemExit) as leaving:
        main()
    return int(leaving.value.code or 0)


CAMERA = rig.Choice("rtsp://annabel:hunter2@lamp.anna.example/top/secret", "slides", "print")


def lines() -> list[dict[str, Any]]:
    """Return the log's lines after the first, which tells that it starts."""
    first, *rest = [json.loads(line) for line in journal.file().read_text().splitlines()]
    assert first["message"] == "start"
    return rest


# --- the report ---------------------------------------------------------------------------------


def test_no_secret_of_the_user_is_anywhere_in_a_report(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    journal.file().parent.mkdir(parents=True)
    for path in (journal.file(), journal.file().with_name("log.jsonl.1")):
        said = f"{Path.home()}/notes.txt of {getpass.getuser()} at lamp.anna.example: annabel"
        path.write_text(json.dumps({"message": said, "fields": {"by": ["anna_wave"]}}) + "\n{hal")
    archive = home / "report.zip"
    assert doctor(monkeypatch, "--bundle", str(archive)) == 0
    told = contents(archive)
    assert {"README.txt", "findings.json", "config.json", "profile.json", "log/log.jsonl.1"} <= set(
        told
    )
    whole = "\n".join(told.values()).casefold()
    person = (str(home), platform.node(), f"/{getpass.getuser()}")
    for secret in (*SECRETS, *(word for word in person if len(word) > 3)):
        assert secret.casefold() not in whole, secret
    assert archive.stat().st_mode & 0o777 == 0o600
    assert told["README.txt"] in capsys.readouterr().out
    assert "There are no landmarks." in told["README.txt"]


def test_the_shape_of_a_profile_stays_in_a_report(home: Path) -> None:
    told: Any = shown(PROFILE.encode(), "p.yaml", Anonymiser())
    assert told["bindings"][0]["mode"][0] == "active"
    assert told["bindings"][1] == {
        "gesture": "fist",
        "do": {"keys": "… … … … … … … 200ms ctrl+v"},
    }


def test_a_mode_of_the_user_s_is_one_word_wherever_it_stands() -> None:
    text = b"modes: {work: {}}\nbindings: [{gesture: fist, do: {mode: work}}]"
    assert shown(text, "p.yaml", Anonymiser()) == {
        "modes": {"word-1": {}},
        "bindings": [{"gesture": "fist", "do": {"mode": "word-1"}}],
    }


def a_trace(path: Path, label: str) -> None:
    """Write one frame with a hand in it, as a camera with a name saw it."""
    seen = Hand("right", 0.9, np.full((21, 3), 0.5, np.float32))
    path.parent.mkdir(parents=True, exist_ok=True)
    with TraceWriter(path, (640, 480), "rtsp://lamp.anna.example") as writer:
        writer.write(Observation(0, (seen,), (), (640, 480)), label)


@pytest.fixture
def kept(home: Path) -> Path:
    """Landmarks of a last activation and of a recording, whose name tells of somebody."""
    a_trace(lastheard.file(), "anna_wave")
    recording = home / "annabel" / "geheim.jsonl"
    a_trace(recording, "anna_wave")
    holdings.note_recording(recording, "camera:0")
    return recording


TRACES = {"last-heard.jsonl.gz", "recording.jsonl.gz"}


def names(archive: Path) -> set[str]:
    with zipfile.ZipFile(archive) as whole:
        return set(whole.namelist())


def test_landmarks_are_in_a_report_only_if_somebody_says_so(
    home: Path, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert doctor(monkeypatch, "--bundle", str(home / "a.zip")) == 0
    assert not names(home / "a.zip") & TRACES
    assert doctor(monkeypatch, "--bundle", "--with-landmarks", str(home / "b.zip")) == 0
    assert names(home / "b.zip") >= TRACES
    with zipfile.ZipFile(home / "b.zip") as whole:
        for name in TRACES:
            told = gzip.GzipFile(fileobj=io.BytesIO(whole.read(name))).read().decode()
            assert "hands" in told
            assert not [secret for secret in SECRETS if secret in told]
    assert not list(lastheard.file().parent.glob(".report-*"))


@pytest.mark.skipif(sys.platform == "win32", reason="there is no pseudo-terminal")
@pytest.mark.parametrize(("answer", "added"), [("y", TRACES), ("n", set()), ("", set())])
def test_on_a_terminal_somebody_is_asked_for_landmarks(
    home: Path, kept: Path, answer: str, added: set[str]
) -> None:
    ours, theirs = os.openpty()
    os.write(ours, f"{answer}\n".encode())
    try:
        asked = subprocess.run(
            [*COMMAND, "doctor", "--bundle", str(home / "a.zip")],
            stdin=theirs, capture_output=True, text=True, check=True,
        )  # fmt: skip
    finally:
        os.close(ours)
        os.close(theirs)
    assert str(kept) in asked.stderr
    assert "your last gesture" in asked.stderr
    assert names(home / "a.zip") & TRACES == added


def test_of_a_shipped_gesture_there_is_nothing_to_ask_for(home: Path) -> None:
    lastheard.file().parent.mkdir(parents=True)
    with TraceWriter(lastheard.file(), (640, 480), "gesturectl run") as writer:
        writer.write(Observation(0, (), (), (640, 480)), "fist")
    assert support.question() is None


def test_a_version_is_no_address() -> None:
    scrub = Scrubber([], keep=["5.0.0.93"])
    assert scrub.text("5.0.0.93 at 10.0.0.93") == "5.0.0.93 at <address>"


def test_a_report_takes_nobody_s_place(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "mine.zip").write_text("mine")
    assert doctor(monkeypatch, "--bundle", str(home / "mine.zip")) == 2
    assert (home / "mine.zip").read_text() == "mine"


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        ("camera:0", "camera:0"),
        ("0", "camera:0"),
        ("camera:/dev/video2", "camera:/dev/video2"),
        ("camera:Anna's phone", "camera"),
        ("rtsp://a:b@c/d", "rtsp"),
        ("holiday.mp4", "other"),
    ],
)
def test_of_a_source_its_kind_is_told(spec: str, kind: str) -> None:
    assert source_kind(spec) == kind


def test_a_sentence_about_a_source_does_not_name_it() -> None:
    scrub = Scrubber(source_words("rtsp://anna:hunter2@cam.example/door"))
    said = scrub.text("rtsp://anna:hunter2@cam.example/door: cam.example is unreachable; door?")
    assert said == "…: … is unreachable; …?"
    assert scrub.text("camera 0 is busy; set source: /dev/video2") == (
        "camera 0 is busy; set source: /dev/video2"
    )


# --- the log ------------------------------------------------------------------------------------


@pytest.fixture
def open_log() -> Iterator[journal.Journal]:
    with journal.opened(Log(), CAMERA) as log:
        assert log is not None
        yield log


def test_warnings_are_kept_without_what_they_are_about(open_log: journal.Journal) -> None:
    elsewhere = logging.getLogger("gesturectl.rig")
    elsewhere.warning("profile %s has %d problems: %s", "annabel", 3, ProfileError("hunter2"))
    open_log.flush()
    assert [(row["module"], row["message"]) for row in lines()] == [
        ("rig", "profile … has 3 problems: ProfileError")
    ]


def test_a_bug_tells_its_place_and_no_values() -> None:
    with pytest.raises(KeyError), journal.opened(Log(), CAMERA):
        raise KeyError("hunter2")
    assert "hunter2" not in journal.file().read_text()
    (row,) = lines()
    assert (row["message"], row["level"]) == ("bug", "critical")
    assert row["fields"]["error"] == "KeyError"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_dies_of_a_bug_is_noted(open_log: journal.Journal) -> None:
    def stumble() -> None:
        raise LookupError("hunter2")

    thread = threading.Thread(target=stumble, name="annabel")
    thread.start()
    thread.join()
    (row,) = lines()
    assert (row["message"], row["module"]) == ("bug", "thread")
    assert row["fields"]["where"][-1].endswith(" stumble")
    assert "annabel" not in str(row)


def test_a_source_that_fails_is_told_without_its_name() -> None:
    said = f"{CAMERA.source} is missing: nobody listens at lamp.anna.example; start the camera"
    with pytest.raises(SourceError), journal.opened(Log(), CAMERA):
        raise SourceError(said)
    (row,) = lines()
    assert row["fields"] == {
        "error": "SourceError", "code": 3,
        "why": "… is missing: nobody listens at …; start the camera",
    }  # fmt: skip


def test_what_else_fails_may_quote_the_user_and_is_told_by_its_kind() -> None:
    with pytest.raises(ProfileError), journal.opened(Log(), CAMERA):
        raise ProfileError("hunter2")
    (row,) = lines()
    assert row["fields"] == {"error": "ProfileError", "code": 2}


def test_what_ends_a_run_at_once_is_on_disk_before() -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        journal.opened(Log(), CAMERA) as log,
        journal.on_disk(log),
    ):
        raise KeyboardInterrupt
    assert [(row["message"], row["fields"]) for row in lines()] == [
        ("stop", {"reason": "interrupted"})
    ]


def test_lines_that_are_missing_are_counted(tmp_path: Path) -> None:
    row = json.loads(journal._lost(7))
    assert (row["level"], row["message"], row["fields"]) == ("warning", "lost", {"lines": 7})


def test_no_log_is_kept_where_none_is_wanted_nor_stays() -> None:
    with journal.opened(Log(), CAMERA) as log:
        assert log is not None
        log.note(logging.INFO, "test", "something")
    with journal.opened(Log(level="off"), CAMERA) as log:
        assert log is None
    assert not journal.file().exists()


def test_a_link_in_the_log_s_place_is_not_followed(tmp_path: Path) -> None:
    journal.file().parent.mkdir(parents=True)
    journal.file().symlink_to(tmp_path / "elsewhere")
    with journal.opened(Log(), CAMERA) as log:
        assert log is None
    assert not (tmp_path / "elsewhere").exists()


def test_a_run_notes_its_start_its_changes_and_its_end(
    monkeypatch: pytest.MonkeyPatch, short_folder: Path, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_folder))
    with TraceWriter(tmp_path / "annabel.jsonl", (640, 480), "puppet") as writer:
        for number in range(20):
            writer.write(Observation(number * 33_000, (), (), (640, 480)))
    choice = rig.Choice(
        source=f"trace:{tmp_path / 'annabel.jsonl'}", profile="slides", sink="print"
    )
    assert watch.watch(choice, as_json=True, log_to=Log()) == 0
    told = [json.loads(line) for line in journal.file().read_text().splitlines()]
    assert [row["message"] for row in (told[0], told[-1])] == ["start", "stop"]
    assert told[0]["fields"]["source"] == "trace"
    assert told[-1]["fields"]["reason"] == "end of source"
    assert "annabel" not in journal.file().read_text()


def test_every_template_is_of_ours() -> None:
    """A sentence that is put together before it is logged could hold anything."""
    for path in Path(support.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)
                and node.func.value.id in ("log", "_log", "logger")
                and node.func.attr in ("warning", "error", "exception", "critical")
            ):
                what = node.args[0]
                plain = isinstance(what, ast.Constant) or (
                    isinstance(what, ast.IfExp)
                    and isinstance(what.body, ast.Constant)
                    and isinstance(what.orelse, ast.Constant)
                )
                told_elsewhere = path.stem in ("daemon", "lifecycle", "meetings")
                assert plain or told_elsewhere, f"{path.name}:{node.lineno}"
