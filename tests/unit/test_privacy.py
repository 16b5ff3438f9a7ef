"""What is kept of somebody: shown whole, copied readable, removed without a rest, by no link."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gesturectl import consent, datasheet, holdings, journal, lastheard, privacy, retention
from gesturectl.config import Keep, Log
from gesturectl.engine import Step
from gesturectl.errors import UsageError
from gesturectl.lastheard import Memory, Writer
from gesturectl.rig import Choice
from gesturectl.samples import Plan, Store
from gesturectl.sinks.portalsession import keep_token, token_file
from gesturectl.trace import TraceWriter, read_trace
from gesturectl.types import Began, Observation
from tests.lessons import trace_of

ROOT = Path(__file__).resolve().parents[2]
DAY_S = 86_400


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder where nothing is kept yet."""
    for name in ("DATA", "STATE", "CONFIG", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    return tmp_path


@pytest.fixture
def lived_in(home: Path) -> Path:
    """A home folder with one of everything in it."""
    store = Store.of_user()
    take = [observation for observation, _ in read_trace(trace_of("fist", home / "fist.jsonl"))]
    (home / "fist.jsonl").unlink()
    store.begin("draw_z", Plan("hand", 5))
    store.add_take("draw_z", take, "camera 0")
    store.add_background(take, "camera 0")
    store.add_wrong(take, "draw_z")
    store.taught.mkdir()
    (store.taught / "taught.json").write_text("{}")
    consent.keep("keep")
    keep_token(token_file(), "8f1d0e5c-0000-4000-8000-000000000000")
    lastheard.file().touch()
    with journal.opened(Log(), Choice("puppet:all", "slides", "print")):
        pass
    with TraceWriter(home / "me.jsonl", take[0].size_px, "camera 0") as writer:
        holdings.note_recording(home / "me.jsonl", "camera:0")
        writer.write(take[0])
    profiles = holdings.FOLDERS["configuration"]() / "profiles"
    profiles.mkdir(parents=True)
    (profiles / "mine.yaml").write_text("version: 1\n")
    (profiles.parent / "config.yaml").write_text("profile: mine\n")
    models = holdings.FOLDERS["cache"]() / "models"
    models.mkdir(parents=True)
    (models / "hand_landmarker.task").write_bytes(b"weights")
    return home


def files(folder: Path) -> set[str]:
    """Return every file and link below a folder."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() or path.is_symlink()
    }


def shown(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, object]]:
    capsys.readouterr()
    privacy.show(as_json=True)
    return {row["name"]: row for row in json.loads(capsys.readouterr().out)["kept"]}


# --- the table ----------------------------------------------------------------------------------


def test_every_module_that_asks_for_a_folder_of_the_user_s_is_known_to_the_table() -> None:
    asking = {
        path.stem
        for path in (ROOT / "gesturectl").rglob("*.py")
        if re.search(r"platformdirs\.(user_|Platform)", path.read_text("utf-8"))
    }
    # The folders of the table come from these; a new one adds its rows first.
    assert asking == {"bundles", "config", "lastheard", "place", "profile", "samples"}


def test_all_that_is_kept_is_in_the_table(lived_in: Path) -> None:
    assert holdings.strangers() == []
    rows = {place.name: holdings.items(place) for place in holdings.PLACES}
    without = {name for name, found in rows.items() if not found}
    assert without == {"fonts", "control", "service", "autostart", "sounds"}
    listed = {
        item.path.relative_to(lived_in).as_posix() for found in rows.values() for item in found
    }
    assert files(lived_in) <= listed


@pytest.mark.skipif(not datasheet.PAGE.exists(), reason="not a checkout: there is no docs/")
def test_the_data_sheet_is_up_to_date() -> None:
    text = datasheet.PAGE.read_text("utf-8")
    assert datasheet.written(text) == text, "run: python -m gesturectl.datasheet"


@pytest.mark.skipif(not datasheet.PAGE.exists(), reason="not a checkout: there is no docs/")
def test_a_stale_data_sheet_would_be_noticed() -> None:
    text = datasheet.PAGE.read_text("utf-8")
    assert datasheet.written(text.replace("| `background` |", "| `backdrop` |")) == text
    with pytest.raises(ValueError, match="no place for kept"):
        datasheet.written(text.replace("<!-- kept:", "<!-- kept "))


# --- show ---------------------------------------------------------------------------------------


def test_show_says_how_much_of_what_is_where(
    lived_in: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = shown(capsys)
    assert {name: row["files"] for name, row in rows.items()} == {
        "settings": 1, "profiles": 1, "models": 1, "fonts": 0, "control": 0, "service": 0,
        "autostart": 0, "sounds": 0, "taught": 1, "gestures": 2, "background": 1, "wrong": 1,
        "last_heard": 1, "recordings": 2, "consent": 1, "portal": 1, "log": 1,
    }  # fmt: skip
    assert rows["models"]["bytes"] == len(b"weights")
    assert rows["background"]["where"] == str(lived_in / "data/gesturectl/background")
    assert str(lived_in / "me.jsonl") in str(rows["recordings"]["paths"])


def test_show_works_where_nothing_was_ever_kept(capsys: pytest.CaptureFixture[str]) -> None:
    privacy.show(as_json=False)
    assert "background" in capsys.readouterr().out


def test_show_works_with_a_broken_configuration(
    lived_in: Path, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    (lived_in / "config/gesturectl/config.yaml").write_text("keep: {moon: 3 days}\n")
    assert shown(capsys)["background"]["files"] == 1
    assert "nothing that is kept is called `moon`" in caplog.text


# --- how long -----------------------------------------------------------------------------------


def aged(days: float) -> None:
    """Make every recording so old."""
    then = time.time() - days * DAY_S
    for place in holdings.PLACES:
        for item in holdings.items(place):
            os.utime(item.path, (then, then), follow_symlinks=False)


def test_what_is_too_old_goes_and_the_rest_stays(
    lived_in: Path, caplog: pytest.LogCaptureFixture
) -> None:
    aged(100)
    before = files(lived_in)
    assert retention.apply(Keep()) == {"background": 1, "last_heard": 1}
    assert before - files(lived_in) == {
        "data/gesturectl/background/001.jsonl.gz",
        "state/gesturectl/last-heard.jsonl.gz",
    }
    assert "`gesturectl background` records anew" in caplog.text


def test_nothing_goes_a_day_before_its_time(lived_in: Path) -> None:
    aged(89)
    assert retention.apply(Keep(last_heard=None)) == {}


def test_takes_stay_for_ever_unless_the_user_says_otherwise(lived_in: Path) -> None:
    aged(4000)
    retention.apply(Keep())
    assert len(Store.of_user().files("draw_z")) == 1
    retention.apply(Keep(gestures=365))
    assert Store.of_user().files("draw_z") == ()
    assert Store.of_user().plan("draw_z") is not None  # its plan shows nobody


def test_age_never_removes_by_a_link(lived_in: Path) -> None:
    outside = lived_in / "outside.jsonl.gz"
    outside.touch()
    (Store.of_user().root / "background" / "002.jsonl.gz").symlink_to(outside)
    aged(4000)
    retention.apply(Keep())
    assert outside.exists()


# --- export -------------------------------------------------------------------------------------


def test_an_export_holds_all_of_it_as_text(lived_in: Path) -> None:
    archive = lived_in / "mine.zip"
    count = privacy.export(archive)
    with zipfile.ZipFile(archive) as z:
        assert z.testzip() is None
        names = set(z.namelist())
        take = z.read("gestures/gestures/draw_z/take-001.jsonl").decode()
        recorded = z.read("recordings/000-me.jsonl").decode()
    assert names == {
        "README.txt",
        "settings/config.yaml",
        "profiles/profiles/mine.yaml",
        "taught/taught/taught.json",
        "gestures/gestures/draw_z/gesture.json",
        "gestures/gestures/draw_z/take-001.jsonl",
        "background/background/001.jsonl",
        "wrong/wrong/001.jsonl",
        "last_heard/last-heard.jsonl.gz",  # damaged: it was empty
        "recordings/000-me.jsonl",
        "recordings/recordings.jsonl",
        "consent/consent.json",
        "log/log.jsonl",
        "portal/portal-token",
    }
    assert count == len(names) - 1
    assert all(json.loads(line) for line in (*take.splitlines(), *recorded.splitlines()))
    assert archive.stat().st_mode & 0o77 == 0


def test_an_export_replaces_nothing_and_leaves_no_half(lived_in: Path) -> None:
    archive = lived_in / "mine.zip"
    archive.write_text("dear")
    with pytest.raises(UsageError, match="exists"):
        privacy.export(archive)
    (lived_in / "other.zip.part").write_text("half of one that was killed")
    privacy.export(lived_in / "other.zip")
    assert archive.read_text() == "dear"
    assert not (lived_in / "other.zip.part").exists()


def test_an_export_leaves_links_out(lived_in: Path) -> None:
    secret = lived_in / "secret"
    secret.write_text("of somebody else")
    (Store.of_user().root / "wrong" / "002.jsonl.gz").symlink_to(secret)
    privacy.export(lived_in / "mine.zip")
    with zipfile.ZipFile(lived_in / "mine.zip") as z:
        assert not any("002" in name for name in z.namelist())


# --- delete -------------------------------------------------------------------------------------

STAYS = {
    "config/gesturectl/config.yaml",
    "config/gesturectl/profiles/mine.yaml",
    "cache/gesturectl/models/hand_landmarker.task",
}


def test_a_deletion_leaves_nothing_of_a_person(
    lived_in: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert privacy.delete() == 0
    assert "nothing that tells of you is left" in capsys.readouterr().out
    assert files(lived_in) == STAYS
    assert not (lived_in / "data/gesturectl").exists()
    assert not (lived_in / "state/gesturectl").exists()
    assert not consent.said()


def test_a_deletion_can_be_said_twice() -> None:
    assert privacy.delete() == 0
    assert privacy.delete() == 0


def test_a_deletion_removes_what_killed_programs_left(lived_in: Path) -> None:
    root, state = Store.of_user().root, lastheard.file().parent
    for path in (
        root / "gestures/draw_z/.take-002.jsonl.gz.77.part",
        root / "gestures/half/.gesture.json.77.part",
        root / "gestures/draw_z/deeper/still",
        root / "taught.new/weights",
        root / "taught.old/weights",
        state / ".last-heard.jsonl.gz.part",
        state / ".consent.json.77.part",
        state / ".portal-token.77.part",
        lived_in / "killed.jsonl.part",
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    holdings.note_recording(lived_in / "killed.jsonl", "camera:0")
    assert privacy.delete() == 0
    assert files(lived_in) == STAYS


def test_files_where_folders_should_be_are_removed(lived_in: Path) -> None:
    root = Store.of_user().root
    for name in ("background", "wrong"):
        for path in (root / name).iterdir():
            path.unlink()
        (root / name).rmdir()
        (root / name).write_text("what is this")
    assert privacy.delete() == 0
    assert files(lived_in) == STAYS


def test_a_deletion_never_leads_out_by_a_link(
    lived_in: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, outside = Store.of_user().root, lived_in / "outside"
    outside.mkdir()
    (outside / "take-001.jsonl.gz").write_text("of somebody else")
    (root / "gestures" / "linked").symlink_to(outside)
    (root / "gestures" / "draw_z" / "take-002.jsonl.gz").symlink_to(outside / "take-001.jsonl.gz")
    (root / "gestures" / "nowhere").symlink_to(root / "gone")
    assert privacy.delete() == 0
    assert files(lived_in) == {*STAYS, "outside/take-001.jsonl.gz"}
    assert f"led to {outside}, which was not touched" in capsys.readouterr().out


def test_a_folder_that_is_a_link_is_left_and_told(
    lived_in: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = Store.of_user().root
    elsewhere = lived_in / "elsewhere"
    root.rename(elsewhere)
    root.symlink_to(elsewhere)
    assert privacy.delete() == 1
    assert f"{root} is a link, which is not followed" in capsys.readouterr().out
    assert (elsewhere / "background" / "001.jsonl.gz").exists()


def test_what_is_not_ours_stays_and_is_told(
    lived_in: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stranger = Store.of_user().root / "letters.txt"
    stranger.write_text("dear")
    assert privacy.delete() == 0
    assert str(stranger) in capsys.readouterr().out
    assert stranger.exists()


@pytest.mark.parametrize("text", ["another program's\n", '{"format":"another"}\n', ""])
def test_a_file_that_took_a_recording_s_place_is_not_removed(lived_in: Path, text: str) -> None:
    (lived_in / "me.jsonl").write_text(text)
    assert privacy.delete() == 0
    assert (lived_in / "me.jsonl").read_text() == text


def test_a_link_that_took_a_recording_s_place_is_not_followed(lived_in: Path) -> None:
    (lived_in / "me.jsonl").rename(lived_in / "moved.jsonl")
    (lived_in / "me.jsonl").symlink_to(lived_in / "moved.jsonl")
    privacy.delete()
    assert (lived_in / "moved.jsonl").exists()


def test_a_damaged_list_of_recordings_stops_nothing(lived_in: Path) -> None:
    with (lastheard.file().with_name("recordings.jsonl")).open("ab") as file:
        file.write(b'\xff\n[1]\n"relative.jsonl"\n"/nul\\u0000.jsonl"\n"/half')
    assert privacy.delete() == 0
    assert files(lived_in) == STAYS


def test_consent_in_the_settings_is_told_as_it_is_the_user_s(
    lived_in: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (lived_in / "config/gesturectl/config.yaml").write_text("consent: true\n")
    assert privacy.delete() == 0
    assert "still says `consent: true`" in capsys.readouterr().out


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() == 0, reason="root may remove anything")
def test_a_folder_that_forbids_looking_is_opened(lived_in: Path) -> None:
    (Store.of_user().root / "background").chmod(0)
    assert privacy.delete() == 0


def test_what_cannot_be_removed_is_told_with_its_reason(
    lived_in: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    held = Store.of_user().root / "background" / "001.jsonl.gz"
    unlink = Path.unlink

    def refusing(path: Path, missing_ok: bool = False) -> None:
        if path == held:
            raise PermissionError(1, "Operation not permitted")
        unlink(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", refusing)
    assert privacy.delete() == 1
    assert f"{held} is left: Operation not permitted" in capsys.readouterr().out


# --- beside a program that runs -------------------------------------------------------------------


@pytest.fixture
def another(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[bytes]]:
    """A process that looks like a gesturectl which runs a command."""
    program = "import sys; print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", f"# gesturectl.cli import main\n{program}", "-v", request.param],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


@pytest.mark.parametrize("another", ["run"], indirect=True)
def test_a_daemon_that_runs_is_named(
    another: subprocess.Popen[bytes], lived_in: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    privacy.refuse_while_recording()
    assert privacy.delete() == 0
    assert f"process {another.pid}" in capsys.readouterr().out


@pytest.mark.parametrize("another", ["teach", "background", "record"], indirect=True)
def test_nothing_is_deleted_while_it_is_being_written(another: subprocess.Popen[bytes]) -> None:
    with pytest.raises(UsageError, match=f"is running .process {another.pid}"):
        privacy.refuse_while_recording()


def left_by(path: Path, wanted: Callable[[], bool]) -> set[str]:
    """Return what lies around the file of the last activation after one, and the end of a run."""
    path.parent.mkdir()
    writer = Writer(path)
    memory = Memory(writer, {"little"}, {"little", "fist"}, wanted)
    nobody = Observation(0, (), (), (640, 480))
    memory.note(nobody, Step((Began(0, "fist", "right", 0.9),), (), ()))
    writer.close()
    return {left.name for left in path.parent.iterdir()}


def test_a_daemon_writes_nothing_of_gestures_that_were_deleted(tmp_path: Path) -> None:
    wanted = iter([True, False])  # before it writes, and after: deleted in between
    assert left_by(tmp_path / "a" / "a.jsonl.gz", lambda: next(wanted)) == set()
    assert left_by(tmp_path / "b" / "b.jsonl.gz", lambda: False) == set()
    assert left_by(tmp_path / "c" / "c.jsonl.gz", lambda: True) == {"c.jsonl.gz"}
