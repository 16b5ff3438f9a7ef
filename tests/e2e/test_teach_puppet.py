"""A gesture taught by five takes of the puppet, through the real landmark models and commands."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from gesturectl.catalog import catalog
from gesturectl.samples import Store
from gesturectl.score import Acted, score
from gesturectl.sources.puppet import Puppet
from gesturectl.types import Began
from tests.e2e.process import finished, gesturectl

pytestmark = pytest.mark.slow

LONG_S = 900.0  # some 30 s of pictures, on a machine that others use as well

FIVE = "puppet:" + ",".join(["little_finger"] * 5)
THREE = "puppet:" + ",".join(["little_finger"] * 3)
OTHER = (
    "little_finger,fidget,victory,little_finger@left,drink,call_me,little_finger"
    "?seed=11&skin=brown&background=gradient&speed=1.1"
)
SHIPPED = "all?seed=5&speed=1.1&fps=20"


def ran(*arguments: str | Path, env: dict[str, str] | None = None) -> str:
    """Return what a command prints; it must end well."""
    with gesturectl(*arguments, env=env) as process:
        code, out, err = finished(process, LONG_S)
    assert code == 0, err
    return out


def recorded(script: str, path: Path) -> Path:
    ran("record", path, "--source", f"puppet:{script}", "--consent")
    return path


def begun(trace: Path, env: dict[str, str] | None = None) -> list[Began]:
    rows = [json.loads(line) for line in ran("replay", trace, "--json", env=env).splitlines()]
    return [
        Began(row["t_us"], row["gesture"], row["side"], row["confidence"])
        for row in rows
        if row["phase"] == "began"
    ]


@pytest.fixture(scope="module")
def lesson(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], dict[str, Any]]:
    """An environment in which five takes were taught, and what `teach` said of them."""
    home = tmp_path_factory.mktemp("taught")
    env = {**os.environ, "XDG_DATA_HOME": str(home)}
    return env, json.loads(ran("teach", "little", "--hand", "--source", FIVE, "--json", env=env))


def test_all_five_takes_are_good_ones(lesson: tuple[dict[str, str], dict[str, Any]]) -> None:
    _, report = lesson
    assert (report["takes"], report["refused"], report["learned"]) == (5, [], True)
    assert (report["expected"]["kind"], report["expected"]["recalled"]) == ("pose", 5)
    assert report["collides"] == {"shipped": {}, "taken": [], "own": None}


def test_it_is_recognised_in_another_person_and_in_nothing_else_they_do(
    lesson: tuple[dict[str, str], dict[str, Any]], tmp_path: Path
) -> None:
    env, _ = lesson
    trace = recorded(OTHER, tmp_path / "other.jsonl.gz")
    acts = Puppet(OTHER).truth
    heard = [event for event in begun(trace, env) if event.gesture == "little"]
    acted = [act for act in acts if act.gesture == "little_finger"]
    assert [event.side for event in heard] == [act.side for act in acted]
    for event, act in zip(heard, acted, strict=True):
        assert act.start_us - 1_000_000 < event.t_us < act.end_us


def test_no_shipped_gesture_is_recognised_less_often_or_more_often_by_mistake(
    lesson: tuple[dict[str, str], dict[str, Any]], tmp_path: Path
) -> None:
    env, _ = lesson
    trace = recorded(SHIPPED, tmp_path / "all.jsonl.gz")
    acts = [Acted(act.gesture, act.start_us, act.end_us) for act in Puppet(SHIPPED).truth]

    def told(environment: dict[str, str] | None) -> tuple[Counter[str], Counter[str]]:
        heard = [event for event in begun(trace, environment) if event.gesture in catalog()]
        rows = score(acts, heard, catalog())
        right = Counter({row.gesture: row.recognised for row in rows})
        return right, Counter({row.gesture: row.false for row in rows})

    right_before, false_before = told(None)
    right, false = told(env)
    assert sum(right_before.values()) >= 20
    assert right == right_before
    assert false <= false_before


def test_it_does_something_when_a_profile_binds_it(
    lesson: tuple[dict[str, str], dict[str, Any]], tmp_path: Path
) -> None:
    env, _ = lesson
    profile = tmp_path / "mine.yaml"
    profile.write_text("version: 1\nbindings:\n  - {gesture: little, do: {key: F5}}\n", "utf-8")
    assert "looks for one hand, listens for little" in ran("check", profile, env=env)
    (take, *_) = sorted(Path(env["XDG_DATA_HOME"]).rglob("take-*.jsonl.gz"))
    out = ran("replay", take, "--profile", profile, "--json", env=env)
    keys = [json.loads(line).get("key") for line in out.splitlines()]
    assert [key for key in keys if key] == ["F5", "F5"]


def test_a_lesson_that_is_killed_loses_no_take_and_goes_on(tmp_path: Path) -> None:
    env = {**os.environ, "XDG_DATA_HOME": str(tmp_path)}
    script = f"{THREE}?fps=15"
    arguments = ("teach", "little", "--hand", "--source", script, "--samples", "3")
    with gesturectl(*arguments, env=env) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("take 2: kept"):
                break
        process.kill()
    store = Store(tmp_path / "gesturectl")
    before = {file.name: file.read_bytes() for file in store.files("little")}
    assert len(before) == 2
    assert store.load().problems == ()

    with gesturectl(*arguments, env=env) as process:
        code, _, err = finished(process, LONG_S)
    assert code == 0, err
    assert "2 of 3 takes are kept from before" in err
    after = {file.name: file.read_bytes() for file in store.files("little")}
    assert len(after) == 3
    assert before.items() <= after.items()
    assert not list(store.root.rglob("*.part"))


def test_what_was_kept_are_landmarks_of_five_takes_and_forgetting_removes_them(
    lesson: tuple[dict[str, str], dict[str, Any]], tmp_path: Path
) -> None:
    env, _ = lesson
    store = Store(Path(env["XDG_DATA_HOME"]) / "gesturectl")
    kept = sorted(path.name for path in store.root.rglob("*") if path.is_file())
    assert kept == [
        "gesture.json",
        *(f"take-00{number}.jsonl.gz" for number in range(1, 6)),
        "taught.json",
        "taught.npz",
    ]
    ran("forget", "little", "--yes", env=env)
    assert not [path for path in store.root.rglob("*") if path.is_file()]
