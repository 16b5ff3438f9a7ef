"""Consent: asked once and for each purpose, before a camera is opened, and never for a puppet."""

from __future__ import annotations

import datetime
import json
import sys
from pathlib import Path

import pytest

from gesturectl import consent
from gesturectl.cli import main
from gesturectl.config import Config
from gesturectl.errors import SourceError

DAY = datetime.date(2026, 3, 1)
ASKED_NOT = Config()


def test_nobody_has_agreed_at_first() -> None:
    assert not consent.given("watch", ASKED_NOT)
    assert not consent.given("keep", ASKED_NOT)


def test_to_be_watched_is_not_to_be_recorded() -> None:
    consent.keep("watch", DAY)
    assert consent.given("watch", ASKED_NOT)
    assert not consent.given("keep", ASKED_NOT)


def test_to_be_recorded_is_to_be_watched() -> None:
    consent.keep("keep", DAY)
    assert consent.said() == {"watch": "2026-03-01", "keep": "2026-03-01"}


def test_the_day_of_the_first_yes_stays() -> None:
    consent.keep("watch", DAY)
    consent.keep("keep", DAY + datetime.timedelta(days=3))
    assert consent.said() == {"watch": "2026-03-01", "keep": "2026-03-04"}


def test_what_is_kept_names_nobody_and_is_for_its_owner() -> None:
    consent.keep("watch", DAY)
    assert json.loads(consent.file().read_text()) == {
        "version": consent.VERSION, "watch": "2026-03-01",
    }  # fmt: skip
    assert [path.name for path in consent.file().parent.iterdir()] == ["consent.json"]
    assert consent.file().parent.stat().st_mode & 0o77 == 0


def test_the_settings_can_say_yes_where_nobody_can_be_asked() -> None:
    assert consent.given("keep", Config(consent=True))


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "true", '{"version": 1, "watch": "2026-03-01"}', '{"version": 2}']
)
def test_a_damaged_yes_or_one_to_other_words_is_none(text: str) -> None:
    consent.keep("watch", DAY)
    consent.file().write_text(text)
    assert not consent.given("watch", ASKED_NOT)


def test_a_yes_that_cannot_be_kept_is_told() -> None:
    consent.file().parent.parent.mkdir(parents=True, exist_ok=True)
    consent.file().parent.write_text("a file where a folder should be")
    with pytest.raises(SourceError, match=r"consent\.json cannot be written"):
        consent.keep("watch", DAY)


# --- asked on a terminal ------------------------------------------------------------------------


class Terminal:
    """Somebody at a terminal who answers, and counts what they were asked."""

    def __init__(self, answer: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answer = answer
        self.asked: list[str] = []
        monkeypatch.setattr(sys, "stdin", self)
        monkeypatch.setattr("gesturectl.cli.typer.confirm", self.confirm)

    def isatty(self) -> bool:
        return True

    def confirm(self, question: str, *, abort: bool, err: bool) -> None:
        self.asked.append(question)
        if not self.answer:
            raise SystemExit(1)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["gesturectl", *arguments])
    with pytest.raises(SystemExit) as leaving:
        main()
    return int(leaving.value.code or 0)


# No profile of this name: it ends after the question, and before any camera.
WATCH = ("run", "--dry-run", "--source", "camera:99", "--profile", "none-such")


def test_a_yes_is_asked_for_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    somebody = Terminal(True, monkeypatch)
    assert run(monkeypatch, *WATCH) == 2
    assert somebody.asked == [consent.QUESTIONS["watch"]]
    assert consent.WORDS["watch"] in capsys.readouterr().err
    assert run(monkeypatch, *WATCH) == 2
    assert len(somebody.asked) == 1


def test_a_no_opens_no_camera_and_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    somebody = Terminal(False, monkeypatch)
    monkeypatch.setattr("gesturectl.watch.watch", pytest.fail)
    assert run(monkeypatch, *WATCH) == 1
    assert run(monkeypatch, *WATCH) == 1
    assert len(somebody.asked) == 2
    assert not consent.file().exists()


def test_who_agreed_to_be_watched_is_asked_before_a_recording(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    consent.keep("watch", DAY)
    somebody = Terminal(False, monkeypatch)
    for words in (["teach", "draw_z"], ["background"], ["record", str(tmp_path / "a.jsonl")]):
        assert run(monkeypatch, *words, "--source", "camera:99") == 1
    assert somebody.asked == [consent.QUESTIONS["keep"]] * 3


def test_a_puppet_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    somebody = Terminal(False, monkeypatch)
    assert run(monkeypatch, "run", "--dry-run", "--source", "puppet:all", "--profile", "no") == 2
    assert somebody.asked == []
