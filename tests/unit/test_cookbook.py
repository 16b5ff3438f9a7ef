"""The cookbook is a golden page: every recipe is right, and plays out as printed beneath it.

`UPDATE_GOLDEN=1 pytest tests/unit/test_cookbook.py` writes what is printed now into the page.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import cos, pi
from pathlib import Path

import jsonschema
import pytest
import yaml

from gesturectl import tryout
from gesturectl.config import Config
from gesturectl.engine import Engine
from gesturectl.profile import json_schema, parse
from gesturectl.recogniser import Recogniser
from gesturectl.sinks.print import plain_line
from gesturectl.types import Body, Entered, Hand
from tests.sensing import STANDING_M, bent, body, filmed, hand, knee_bent

DOCS = Path(__file__).resolve().parents[2] / "docs"
README = DOCS.parent / "README.md"
COOKBOOK = DOCS / "cookbook.md"
COMING_FROM = DOCS / "coming-from.md"
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
OTHERS = re.compile(r"^(?:modmap|keymap|swipe|pinch|hold|threshold|application):", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A section of the page: its profile, and lines that play it with what they print."""

    title: str
    profile: str
    plays: tuple[tuple[str, str], ...]


def recipes() -> Iterator[Recipe]:
    """Yield the recipes of the cookbook in their order."""
    for section in re.split(r"(?m)^## ", COOKBOOK.read_text("utf-8"))[1:]:
        blocks = FENCE.findall(section)
        (profile,) = [text for language, text in blocks if language == "yaml"]
        consoles = (text for language, text in blocks if language == "console")
        plays = tuple(play for text in consoles for play in played(text))
        yield Recipe(section.splitlines()[0], profile, plays)


def played(console: str) -> Iterator[tuple[str, str]]:
    """Yield each line of a block that plays a script, with what is printed beneath it."""
    for command in re.split(r"(?m)^\$ ", console)[1:]:
        line, _, printed = command.partition("\n")
        assert line.startswith("gesturectl simulate mine.yaml ")
        yield line, printed


def profiles_of(page: Path) -> Iterator[str]:
    """Yield the profiles that a page shows: all its YAML but that of other programs."""
    for language, text in FENCE.findall(page.read_text("utf-8")):
        if language == "yaml" and not OTHERS.search(text):
            yield text


RECIPES = tuple(recipes())


def test_the_cookbook_meets_twenty_needs() -> None:
    assert len(RECIPES) == 20
    assert len({recipe.title for recipe in RECIPES}) == 20


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.title)
def test_a_recipe_plays_out_as_printed(
    recipe: Recipe, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(recipe.profile, "utf-8")
    assert recipe.plays
    for line, printed in recipe.plays:
        tryout.play(str(mine), shlex.split(line)[-1], Config(), as_json=False)
        now = capsys.readouterr().out
        if os.environ.get("UPDATE_GOLDEN"):
            page = COOKBOOK.read_text("utf-8")
            COOKBOOK.write_text(page.replace(f"{line}\n{printed}", f"{line}\n{now}"), "utf-8")
        else:
            assert now == printed


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.title)
def test_editors_take_a_recipe_as_gesturectl_does(recipe: Recipe) -> None:
    validator = jsonschema.Draft7Validator(json_schema())
    assert [error.message for error in validator.iter_errors(yaml.safe_load(recipe.profile))] == []


# --- what sets them off ---------------------------------------------------------------------------


def shrug(t_s: float) -> Body:
    """The left shoulder, and the arm with it, comes up by 7 cm for a moment."""
    points = STANDING_M.copy()
    points[[11, 13, 15, 17, 19, 21], 1] -= 0.07 * (1.0 < t_s < 1.4)
    return body(points)


def lean(t_s: float) -> Body:
    """All above the hips leans to its own right, which the camera has on its left."""
    return body(bent(23, range(23), (0.0, 0.0, 1.0), -20.0) if t_s > 1.0 else STANDING_M)


def look_away(t_s: float) -> Body:
    """The head turns to the right by 60 degrees."""
    return body(bent(7, range(11), (0.0, 1.0, 0.0), 60.0) if t_s > 1.0 else STANDING_M)


def squat(t_s: float) -> Body:
    """The left knee bends to 85 degrees and stretches, once a second and a half."""
    return body(knee_bent(127.5 + 42.5 * cos(2 * pi * t_s / 1.5)))


def cover_the_mouth(t_s: float) -> tuple[Hand, Body]:
    """The right hand goes before the mouth."""
    person = body()
    right, down = 1 - person.image[9:11, 0].mean(), person.image[9:11, 1].mean()
    return hand(right, down) if t_s > 1.0 else hand(0.9, 0.9), person


def leave(t_s: float) -> Body | None:
    """Somebody is there for a while and goes."""
    return body() if t_s < 2.0 else None


@pytest.mark.parametrize(
    ("title", "look", "first"),
    [
        ("I can only raise one shoulder", shrug, "press    Tab"),
        ("Scroll as long as I lean", lean, "scroll   right +0, down +1"),
        ("Sleep when I look after my child", look_away, "mode     sleep"),
        ("Count my squats", squat, "play     'bell'"),
        ("Mute when I cover my mouth", cover_the_mouth, "press    mic_mute"),
        ("Pause the film when I leave", leave, "press    play_pause"),
    ],
)
def test_what_a_person_does_sets_the_recipe_off(
    title: str, look: Callable[[float], object], first: str
) -> None:
    (recipe,) = [one for one in RECIPES if one.title == title]
    rules = parse(recipe.profile)
    engine = Engine(Recogniser.load(), rules)
    told: list[str] = []
    for observation in filmed(6.0, look):
        step = engine.step(observation)
        told += [plain_line(command).partition(" s  ")[2] for command in step.commands]
        told += [f"mode     {one.mode}" for one in step.requests if isinstance(one, Entered)]
    assert told[:1] == [first]


# --- coming from other programs, and the first page -----------------------------------------------


def test_what_people_come_from_is_shown_beside_profiles_that_are_right() -> None:
    profiles = list(profiles_of(COMING_FROM))
    assert len(profiles) >= 3
    for text in profiles:
        assert parse(text).bindings
        jsonschema.Draft7Validator(json_schema()).validate(yaml.safe_load(text))


def test_every_translated_line_is_a_binding() -> None:
    rows = re.findall(r"(?m)^\|.*\|\s*`(\{.*\})`[^|]*\|$", COMING_FROM.read_text("utf-8"))
    assert len(rows) >= 15
    head = "version: 1\nmodes: {volume: {}}\nclutch: {gesture: open_palm, side: left}\nbindings:\n"
    for row in rows:
        assert parse(f"{head}  - {row}\n", allow_run=True).bindings, row


def test_the_readme_shows_profiles_that_are_right_and_what_one_prints(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    profiles = list(profiles_of(README))
    assert len(profiles) >= 2
    mine = tmp_path / "mine.yaml"
    mine.write_text(profiles[-1], "utf-8")
    (text,) = [text for _, text in FENCE.findall(README.read_text("utf-8")) if " simulate " in text]
    command, _, rest = text.partition("\n")
    tryout.play(str(mine), shlex.split(command)[-1], Config(), as_json=False)
    assert capsys.readouterr().out == rest.partition("$ ")[0]
    assert all(parse(one).bindings for one in profiles)
