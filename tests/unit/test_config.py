"""The user's settings: all optional, all problems at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from gesturectl.config import Config, Display, Keep, parse
from gesturectl.errors import ConfigError
from gesturectl.types import Window


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n"])
def test_an_empty_file_is_all_defaults(text: str) -> None:
    assert parse(text, "config.yaml") == Config()


def test_every_setting_is_read(tmp_path: Path) -> None:
    model = tmp_path / "hand.task"
    model.touch()
    text = f"""\
source: video:talk.mp4
profile: media
sink: print
allow_run: true
allow_hosts: [Lamp.local, 192.168.1.5, "::1"]
hand_model: {model}
consent: true
keep: {{background: 2 weeks, wrong: forever, gestures: 1 year}}
tray: false
"""
    hosts = frozenset({"lamp.local", "192.168.1.5", "::1"})
    assert parse(text, "config.yaml") == Config(
        "video:talk.mp4", "media", "print", True, hosts, model,
        consent=True, keep=Keep(background=14, wrong=None, last_heard=7, gestures=365), tray=False,
    )  # fmt: skip


def test_one_host_needs_no_list_and_none_may_be_allowed() -> None:
    assert parse("allow_hosts: lamp.local\n", "config.yaml").allow_hosts == {"lamp.local"}
    assert parse("allow_hosts: []\n", "config.yaml") == Config()


def test_every_wrong_host_is_told_at_its_place() -> None:
    with pytest.raises(ConfigError) as error:
        parse("allow_hosts: [lamp.local, 'http://a/', '*', [b]]\n", "config.yaml")
    assert [line for line in str(error.value).splitlines() if line.startswith("config")] == [
        "config.yaml:1:27: `http://a/` is neither the name of a host nor an address",
        "config.yaml:1:40: `*` is neither the name of a host nor an address",
        "config.yaml:1:45: `allow_hosts` wants one word or text",
    ]


def test_every_wrong_time_is_told_at_its_place() -> None:
    text = "keep:\n  background: 90\n  moon: 1 day\n  wrong: [a]\n  gestures: -1 days\n"
    with pytest.raises(ConfigError) as error:
        parse(text, "config.yaml")
    assert [line for line in str(error.value).splitlines() if line.startswith("config")] == [
        "config.yaml:2:15: `90` is no time; write one like `90 days`, `1 year` or `forever`",
        "config.yaml:3:3: nothing that is kept is called `moon`; there are `background`, `wrong`, "
        "`last_heard`, `gestures`",
        "config.yaml:4:10: `keep` wants one word or text",
        "config.yaml:5:13: `-1 days` is no time; write one like `90 days`, `1 year` or `forever`",
    ]


def test_how_long_is_said_for_each_by_its_name() -> None:
    with pytest.raises(ConfigError, match="wants lines like `background: 90 days`"):
        parse("keep: 90 days\n", "config.yaml")


def test_the_camera_is_released_for_windows_as_profiles_match_them() -> None:
    text = "camera:\n  release_when: [Zoom, {app: teams, title: /call/}]\n"
    zoom, teams = parse(text, "config.yaml").camera.release_when
    assert zoom.fits(Window(0, app="zoom"))
    assert not zoom.fits(Window(0, app="zoomer"))
    assert teams.fits(Window(0, app="teams", title="a Call"))
    assert not teams.fits(Window(0, app="teams", title="Chat"))
    assert parse("camera: {release_when: Zoom}", "config.yaml").camera.release_when == (zoom,)


def test_what_is_wrong_with_the_camera_s_windows_is_told_at_its_place() -> None:
    text = "camera:\n  release_when: [zoom, {ap: x}, {title: /(/}, {}]\n  light: on\n"
    with pytest.raises(ConfigError) as error:
        parse(text, "config.yaml")
    assert [line for line in str(error.value).splitlines() if line.startswith("config")] == [
        "config.yaml:2:25: windows have `app`, `title` and `executable`, not `ap`",
        "config.yaml:2:41: `/(/` is not a pattern: missing ), unterminated subpattern at "
        "character 2",
        "config.yaml:2:47: this says nothing about a window: write `zoom` or `title: …`",
        "config.yaml:3:3: `camera` knows `release_when`, not `light`",
    ]
    with pytest.raises(ConfigError, match="wants `release_when:"):
        parse("camera: on\n", "config.yaml")


def test_words_are_taken_as_written() -> None:
    assert parse("source: 0\nprofile: on\n", "config.yaml") == Config("0", "on")


def test_all_problems_are_told_at_once_with_their_places() -> None:
    text = "sauce: camera:0\nallow_run: yes\nprofile: [a]\nhand_model: /no/such\nsink:\n"
    with pytest.raises(ConfigError) as error:
        parse(text, "config.yaml")
    said = str(error.value)
    assert [line for line in said.splitlines() if line.startswith("config.yaml")] == [
        "config.yaml:1:1: unknown setting `sauce`",
        "config.yaml:2:12: `yes` is neither `true` nor `false`",
        "config.yaml:3:10: `profile` wants one word or text",
        "config.yaml:4:13: there is no file /no/such",
        "config.yaml:5:6: `sink` wants one word or text",
    ]
    assert "did you mean `source`?" in said


@pytest.mark.parametrize("text", ["- a\n", "camera:0\n", "{", "a: [b", "a: &x [*x]"])
def test_what_is_not_settings_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        parse(text, "config.yaml")


def test_a_display_is_where_and_as_somebody_wants_it() -> None:
    text = (
        "display: {show: true, place: top, screen: 2, size: 1.5, contrast: high, motion: reduced, "
        "opacity: 1}\nsounds: true\n"
    )
    read = parse(text, "config.yaml")
    assert read.sounds
    assert read.display == Display(True, "top", "2", 1.5, "high", "reduced", 1.0)
    assert parse("display: {show: auto}\n", "config.yaml").display == Display()


def test_all_that_is_wrong_with_a_display_is_told_at_its_place() -> None:
    text = "display:\n  show: maybe\n  place: middle\n  size: 4\n  colour: red\nsounds: loud\n"
    with pytest.raises(ConfigError) as error:
        parse(text, "config.yaml")
    told = [line for line in str(error.value).splitlines() if line.startswith("config")]
    assert [line.split(": ", 1)[0] for line in told] == [
        f"config.yaml:{place}" for place in ("2:9", "3:10", "4:9", "5:3", "6:9")
    ]
    assert "`4` is no number from 0.5 to 3" in told[2]
    assert "nothing of a display is called `colour`" in told[3]
