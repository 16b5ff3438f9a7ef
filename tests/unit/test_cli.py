"""The command line: what it prints, where, and with which exit code."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import typer

from gesturectl import __version__, manual
from gesturectl.catalog import catalog
from gesturectl.cli import EXIT_CODES, SOURCE_HELP, app, main
from gesturectl.samples import Store
from gesturectl.sinks import SINKS
from gesturectl.sources import SOURCES
from tests.lessons import trace_of

GOOD = "version: 1\nbindings:\n  - {gesture: fist, do: {key: b}}\n"
BAD = "version: 1\nbindings:\n  - {gesture: fistt, do: {key: bb}}\n"


class Answer(NamedTuple):
    code: int
    out: str
    err: str


Call = Callable[..., Answer]


@pytest.fixture
def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Call:
    """Run `gesturectl ARGUMENTS…` in this process, with a home folder of its own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)

    def call(*arguments: str | Path) -> Answer:
        monkeypatch.setattr(sys, "argv", ["gesturectl", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code or 0
        assert isinstance(code, int)
        return Answer(code, *capsys.readouterr())

    return call


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_version(call: Call) -> None:
    assert call("--version") == (0, f"gesturectl {__version__}\n", "")


def test_help_lists_every_command_and_every_exit_code(call: Call) -> None:
    code, out, _ = call("--help")
    assert code == 0
    for command in typer.main.get_command(app).commands:  # type: ignore[attr-defined]
        assert command in out
    for number, says in EXIT_CODES.items():
        assert f"{number}  {says}" in out


def test_no_arguments_show_the_help(call: Call) -> None:
    answer = call()
    assert "Usage: gesturectl" in answer.out + answer.err


def test_help_of_sources_names_every_kind() -> None:
    for kind in SOURCES:
        assert kind.removesuffix("s") in SOURCE_HELP


# --- wrong command lines ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "advice"),
    [
        (["lst"], "Did you mean 'list'?"),
        (["list", "sink"], "'sinks'"),
        (["run", "--sorce", "puppet:all"], "--source"),
        (["bench", "stp"], "'step'"),
        (["models", "instal"], "'install'"),
        (["demo", "--seconds", "soon"], "valid number"),
        (["demo", "--seconds", "0"], "equal to 3"),
        (["record"], "FILE"),
        (["record", "x.mp4"], "NAME.jsonl"),
        (["record", "x.jsonl"], "--consent"),
        (["teach", "fist"], "my_fist"),
        (["teach", "Draw-Z"], "write draw_z"),
        (["teach", "draw_z"], "--yes"),
        (["teach", "draw_z", "--hand", "--body"], "one of --hand, --body"),
        (["teach", "draw_z", "--samples", "0"], "equal to 1"),
        (["teach", "draw_z", "--from", "a.jsonl", "--source", "b.jsonl"], "leave --source out"),
        (["background"], "--yes"),
        (["forget"], "one NAME, or --background, or --all"),
        (["forget", "draw_z", "--yes"], "known: none"),
        (["forget", "--all"], "Give --yes"),
        (["wrong", "--yes"], "nothing was heard yet"),
        (["wrong", "--undo"], "nothing was called wrong yet"),
        (["run", "--dry-run", "--sink", "x11"], "--dry-run"),
        (
            ["run", "--dry-run", "--source", "puppet:all", "--profile", "slide"],
            "did you mean slides?",
        ),
        (["run", "--source", "puppet:all", "--sink", "x12"], "x11"),
        (["run", "--dry-run"], "consent: true"),
        (["replay", "camera:0"], "consent: true"),
        (["privacy", "export"], "name of an archive"),
        (["privacy", "export", "all.tar"], "NAME.zip"),
        (["privacy", "delete", "all.zip"], "nothing else does"),
        (["run", "--dry-run", "--hand-model", "no.task"], "no.task"),
        (["replay", "no-such-file.mp4"], "no-such-file.mp4"),
        (["replay", "pupet:all"], "puppet:"),
        (["check"], "FILE"),
    ],
)
def test_a_wrong_command_line_is_code_2_with_advice(
    call: Call, arguments: list[str], advice: str
) -> None:
    code, out, err = call(*arguments)
    assert (code, out) == (2, "")
    assert advice in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["replay", "puppet:swipe_lft"], 3, "swipe_left"),
        (["replay", "trace:no.jsonl"], 3, "no.jsonl"),
        (["run", "--source", "puppet:all"], 5, "--sink print"),
    ],
)
def test_every_kind_of_failure_has_its_code(
    call: Call, arguments: list[str], code: int, says: str
) -> None:
    answer = call(*arguments)
    assert answer.code == code
    assert says in answer.err


# --- check, schema ------------------------------------------------------------------------------


def test_check_says_what_a_sound_profile_does(call: Call, tmp_path: Path) -> None:
    file = written(tmp_path / "good.yaml", GOOD)
    assert call("check", file) == (
        0,
        f"{file}: ok, 1 binding, looks for one hand, listens for fist\n",
        "",
    )


def test_check_says_everything_that_is_wrong_in_all_files(call: Call, tmp_path: Path) -> None:
    bad, good = written(tmp_path / "bad.yaml", BAD), written(tmp_path / "good.yaml", GOOD)
    code, out, _ = call("check", bad, good)
    assert code == 2
    assert f"{bad}:3:15: unknown gesture `fistt`" in out
    assert f"{bad}:3:32:" in out
    assert f"{good}: ok" in out


def test_check_tells_programs_the_places(call: Call, tmp_path: Path) -> None:
    code, out, _ = call("check", "--json", written(tmp_path / "bad.yaml", BAD), "slides")
    assert code == 2
    bad, slides = json.loads(out)
    assert [(p["line"], p["column"]) for p in bad["problems"]] == [(3, 15), (3, 32)]
    assert (slides["ok"], slides["problems"]) == (True, [])


def test_shipped_profiles_are_sound(call: Call) -> None:
    assert call("check", "slides", "media", "browser").code == 0


def test_a_profile_may_start_programs_only_where_the_configuration_allows_it(
    call: Call, tmp_path: Path
) -> None:
    file = written(tmp_path / "run.yaml", GOOD.replace("key: b", "run: [true]"))
    assert "allow_run" in call("check", file).out
    written(tmp_path / "config" / "gesturectl" / "config.yaml", "allow_run: true\n")
    assert call("check", file).code == 0


def test_what_the_configuration_allows_is_no_problem_of_a_profile(
    call: Call, tmp_path: Path
) -> None:
    talks = GOOD.replace("key: b", "webhook: 'http://10.1.2.3/'")
    file = written(tmp_path / "config" / "gesturectl" / "profiles" / "mine.yaml", talks)
    assert "allow_hosts" in call("check", file).out
    assert "allow_hosts" in call("list", "profiles").out
    written(tmp_path / "config" / "gesturectl" / "config.yaml", "allow_hosts: [10.1.2.3]\n")
    assert call("check", file).code == 0
    assert "allow_hosts" not in call("list", "profiles").out


def test_schema_is_a_json_schema(call: Call) -> None:
    assert "json-schema.org" in json.loads(call("schema").out)["$schema"]


# --- list, models, doctor -----------------------------------------------------------------------


@pytest.mark.parametrize("what", ["gestures", "keys", "cameras", "profiles", "sinks"])
def test_lists_are_for_people_and_for_programs(call: Call, what: str) -> None:
    names = [row["name"] for row in json.loads(call("list", what, "--json").out)]
    table = call("list", what).out
    assert all(name and name in table for name in names)


def test_list_gestures_is_the_catalog(call: Call) -> None:
    assert [row["name"] for row in json.loads(call("list", "gestures", "--json").out)] == [
        *catalog()
    ]


def test_list_sinks_says_what_keeps_one_from_working(call: Call) -> None:
    rows = {row["name"]: row for row in json.loads(call("list", "sinks", "--json").out)}
    assert rows.keys() >= SINKS.keys()
    assert (rows["print"]["usable"], rows["x11"]["usable"]) == (True, False)


def test_list_profiles_finds_the_user_s_own(call: Call, tmp_path: Path) -> None:
    written(tmp_path / "config" / "gesturectl" / "profiles" / "mine.yaml", GOOD)
    assert "mine" in call("list", "profiles").out


def test_models_says_how_they_stand_without_fetching_anything(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("GESTURECTL_HAND_MODEL", "GESTURECTL_POSE_MODEL"):
        monkeypatch.delenv(name, raising=False)
    code, out, _ = call("models", "--json")
    assert code == 0
    assert [(row["name"], row["state"]) for row in json.loads(out)] == [
        ("hand", "missing"),
        ("pose", "missing"),
    ]
    assert call("models", "verify").code == 4


def test_doctor_advises_on_whatever_is_not_well(call: Call) -> None:
    code, out, _ = call("doctor", "--json")
    findings = json.loads(out)
    assert code == (1 if any(finding["verdict"] == "fail" for finding in findings) else 0)
    for finding in findings:
        assert finding["verdict"] == "ok" or finding["advice"], finding
    assert {"gesturectl", "mediapipe", "configuration", "display", "sink"} <= {
        finding["what"] for finding in findings
    }


def test_doctor_tells_what_keeps_a_camera_from_working(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gesturectl.sources import camera

    gone = camera.CameraInfo(7, "HD Webcam", "/dev/no-such-video7")
    monkeypatch.setattr(camera, "list_cameras", lambda: (gone,))
    findings = json.loads(call("doctor", "--json").out)
    assert {
        "what": "camera",
        "verdict": "warn",
        "found": "camera 7 (HD Webcam) is missing: /dev/no-such-video7 is not there",
        "advice": "plug it in again",
    } in findings


def test_doctor_finds_a_damaged_configuration_essential(call: Call, tmp_path: Path) -> None:
    written(tmp_path / "config" / "gesturectl" / "config.yaml", "sauce: camera:0\n")
    code, out, _ = call("doctor")
    assert code == 1
    assert "did you mean `source`?" in out


def test_a_damaged_configuration_stops_what_would_use_it(call: Call, tmp_path: Path) -> None:
    written(tmp_path / "config" / "gesturectl" / "config.yaml", "allow_run: yes\n")
    code, _, err = call("run")
    assert code == 2
    assert re.search(r"config\.yaml:1:12: `yes` is neither `true` nor `false`", err)


# --- gestures of one's own ----------------------------------------------------------------------

LITTLE = GOOD.replace("fist", "little")


@pytest.fixture
def taught(call: Call, tmp_path: Path) -> Answer:
    """What `teach` says to a program, from a trace."""
    trace = trace_of(",".join(["little_finger"] * 3), tmp_path / "little.jsonl.gz")
    return call("teach", "little", "--hand", "--source", f"trace:{trace}", "--json")


def test_teach_tells_programs_what_it_tells_people(taught: Answer) -> None:
    code, out, err = taught
    assert code == 0
    row = json.loads(out)
    assert (row["gesture"], row["takes"], row["learned"]) == ("little", 3, True)
    assert "take 3: kept" in err
    assert "little is learned: a pose of one hand, from 3 takes." in err


@pytest.mark.usefixtures("taught")
def test_a_taught_gesture_is_known_everywhere(call: Call, tmp_path: Path) -> None:
    (row,) = json.loads(call("gestures", "--json").out)
    assert (row["gesture"], row["state"], row["takes"], row["recalled"]) == (
        "little", "learned", 3, 3,
    )  # fmt: skip
    assert "3 of 3" in call("gestures").out
    file = written(tmp_path / "mine.yaml", LITTLE)
    assert call("check", file).out.endswith("looks for one hand, listens for little\n")
    assert "little" in [row["name"] for row in json.loads(call("list", "gestures", "--json").out)]
    assert '"little"' in call("schema").out
    findings = json.loads(call("doctor", "--json").out)
    assert any(
        row["what"] == "own gestures" and row["found"].startswith("little;") for row in findings
    )


@pytest.mark.usefixtures("taught")
def test_replay_hears_a_taught_gesture_and_a_profile_acts_on_it(call: Call, tmp_path: Path) -> None:
    trace = trace_of("little_finger:2s?seed=4", tmp_path / "another.jsonl")
    file = written(tmp_path / "mine.yaml", LITTLE)
    code, out, _ = call("replay", trace, "--profile", file, "--json")
    assert code == 0
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["key"] for row in rows if row["type"] == "command"] == ["b", "b"]
    assert {row["gesture"] for row in rows if row["type"] == "gesture"} >= {"little"}


@pytest.mark.usefixtures("taught")
def test_what_a_run_has_heard_can_be_called_wrong_and_taken_back(
    call: Call, tmp_path: Path
) -> None:
    trace = trace_of("little_finger?seed=4", tmp_path / "another.jsonl")
    file = written(tmp_path / "mine.yaml", LITTLE)
    assert call("run", "--dry-run", "--source", trace, "--profile", file, "--json").code == 0
    asked = call("wrong")
    assert asked.code == 2
    assert "The last gesture heard was little, " in asked.err
    code, out, err = call("wrong", "--yes", "--json")
    assert code == 0
    assert (json.loads(out)["gesture"], json.loads(out)["mistakes"]) == ("little", 1)
    assert "noted: that was no little" in err
    assert call("wrong", "--yes").code == 2
    assert call("wrong", "--undo").out == "0 mistakes are known\n"


@pytest.mark.usefixtures("taught")
def test_a_replay_remembers_nothing(call: Call, tmp_path: Path) -> None:
    file = written(tmp_path / "mine.yaml", LITTLE)
    assert call("replay", tmp_path / "little.jsonl.gz", "--profile", file).code == 0
    assert "nothing was heard yet" in call("wrong").err


@pytest.mark.usefixtures("taught")
def test_what_is_forgotten_is_unknown_again(call: Call, tmp_path: Path) -> None:
    assert "Give --yes" in call("forget", "little").err
    assert call("forget", "little", "--yes").out == ("little is forgotten; 3 takes removed\n")
    assert call("gestures").out.startswith("there are no gestures of your own")
    assert "unknown gesture `little`" in call("check", written(tmp_path / "m.yaml", LITTLE)).out


@pytest.mark.usefixtures("taught")
def test_a_damaged_model_is_said_and_shipped_gestures_work(
    call: Call, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (Store.of_user().taught / "taught.npz").write_bytes(b"damage")
    trace = trace_of("fist:1s", tmp_path / "fist.jsonl")
    assert "gesturectl gestures --refit" in call("gestures").err
    (Store.of_user().root / "taught.new").write_text("in the way", "utf-8")
    code, out, _ = call("replay", trace, "--json")
    assert code == 0
    assert '"fist"' in out
    assert "your own gestures are not heard" in caplog.text
    (Store.of_user().root / "taught.new").unlink()
    assert call("replay", trace, "--json").out == out
    assert "your own gestures were learned anew" in caplog.text
    assert call("gestures").err == ""


def test_a_gesture_half_taught_is_said_where_a_profile_binds_it(
    call: Call, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    trace = trace_of("little_finger", tmp_path / "one.jsonl")
    answer = call("teach", "little", "--hand", "--source", trace, "--samples", "3")
    assert answer.code == 3
    assert "`gesturectl teach little` goes on from there" in answer.err
    file = written(tmp_path / "mine.yaml", LITTLE)
    assert call("check", file).code == 0
    assert call("replay", trace, "--profile", file, "--json").code == 0
    assert "little is not learned yet and not heard: gesturectl teach little" in caplog.text


# --- the reference ------------------------------------------------------------------------------


@pytest.mark.skipif(not manual.PAGE.parent.is_dir(), reason="not a checkout: there is no docs/")
def test_the_reference_of_the_command_line_is_up_to_date() -> None:
    assert manual.PAGE.read_text("utf-8") == manual.manual(), "run: python -m gesturectl.manual"
