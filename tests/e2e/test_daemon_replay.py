"""Recording and replaying through the real landmark models: the same every time."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.process import START_S, finished, gesturectl

pytestmark = pytest.mark.slow

SCRIPT = "puppet:open_palm:800ms,fist:800ms,swipe_left"


def replayed(source: str | Path, *options: str | Path) -> str:
    with gesturectl("replay", source, "--json", *options) as process:
        code, out, err = finished(process, START_S)
    assert code == 0, err
    return out


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_two_replays_of_one_script_print_the_same_bytes_and_all_that_begins_ends() -> None:
    first, second = replayed(SCRIPT), replayed(SCRIPT)
    assert first == second
    assert first
    shown: set[tuple[str, str]] = set()
    last_us = 0
    for row in rows(first):
        assert row["type"] == "gesture"
        assert row["t_us"] >= last_us
        last_us = row["t_us"]
        who = (row["gesture"], row["side"])
        (shown.add if row["phase"] == "began" else shown.remove)(who)
    assert not shown


def test_a_replayed_recording_shows_what_was_seen_when_it_was_recorded(tmp_path: Path) -> None:
    trace = tmp_path / "fist.jsonl.gz"
    with gesturectl("record", trace, "--source", "puppet:fist:1s", "--consent") as process:
        code, out, err = finished(process, START_S)
    assert code == 0, err
    assert out == f"{trace}: {out.split()[-4]} frames, landmarks only\n"
    with gzip.open(trace, "rt", encoding="utf-8") as file:
        header = json.loads(next(file))
    assert header["size_px"] == [640, 480]

    def story(text: str) -> list[tuple[str, str]]:
        return [(row["phase"], row["gesture"]) for row in rows(text)]

    assert story(replayed(trace)) == story(replayed("puppet:fist:1s"))


def test_a_replay_with_a_profile_prints_its_commands_and_sends_nothing(tmp_path: Path) -> None:
    profile = tmp_path / "hold.yaml"
    profile.write_text(
        "version: 1\nbindings:\n  - {gesture: fist, while: true, do: {key: space}}\n", "utf-8"
    )
    lines = rows(replayed("puppet:fist:1s", "--profile", profile))
    commands = [(row["command"], row["key"]) for row in lines if row["type"] == "command"]
    assert commands == [("key_down", "space"), ("key_up", "space")]


def test_the_demo_counts_what_was_acted_and_sends_nothing() -> None:
    with gesturectl("demo", "--seconds", "6", "--json") as process:
        code, out, err = finished(process, START_S)
    assert code == 0, err
    told = json.loads(out)
    assert told["sent"] is False
    acted = {row["gesture"]: row["acted"] for row in told["gestures"]}
    wakes, *words = told["script"].split(",")
    assert wakes.startswith("open_palm")
    assert sum(acted.values()) == len(words)
    assert told["run"]["frames"] > 0
