"""What is installed is all that is needed, and what is pinned is all that is installed."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LOCKS = sorted((ROOT / "requirements").glob("*.txt"))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The project as `pip install .` builds it, from a copy: the checkout stays clean."""
    source = tmp_path_factory.mktemp("source")
    for name in ("gesturectl", "gestures"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(target), str(source)], check=True)
    (file,) = target.iterdir()
    return zipfile.ZipFile(file)


def files(folder: Path, pattern: str) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob(pattern)}


def test_every_module_is_installed(wheel: zipfile.ZipFile) -> None:
    wanted = {f"gesturectl/{name}" for name in files(ROOT / "gesturectl", "*.py")}
    assert wanted - set(wheel.namelist()) == set()


def test_catalog_profiles_and_models_are_installed(wheel: zipfile.ZipFile) -> None:
    wanted = {
        f"gesturectl/gestures/{name}"
        for pattern in ("*.yaml", "*.json", "*.npz", "CARD.md")
        for name in files(ROOT / "gestures", pattern)
    }
    assert {"gesturectl/gestures/catalog.yaml", "gesturectl/gestures/profiles/slides.yaml"} < wanted
    assert wanted - set(wheel.namelist()) == set()


def test_nothing_but_the_package_is_installed(wheel: zipfile.ZipFile) -> None:
    top = {name.split("/")[0] for name in wheel.namelist()}
    assert {re.sub(r"-.*", "", name) for name in top} == {"gesturectl"}
    assert "gesturectl/py.typed" in wheel.namelist()


def test_the_command_is_installed(wheel: zipfile.ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    scripts = configparser.ConfigParser()
    scripts.read_string(wheel.read(name).decode())
    assert scripts["console_scripts"]["gesturectl"] == "gesturectl.cli:main"


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_names_no_server(lock: Path) -> None:
    assert re.findall(r"(?i)\S*(?:://|--index|--find-links|--extra)\S*", lock.read_text()) == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_every_pinned_package_has_a_hash(lock: Path) -> None:
    blocks = re.split(r"(?m)^(?=\w)", lock.read_text())[1:]
    assert blocks
    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []


@pytest.mark.parametrize(
    ("lock", "groups"), [("run.txt", ["build"]), ("test.txt", ["build", "dev"])]
)
def test_a_lock_holds_every_package_that_is_asked_for(lock: str, groups: list[str]) -> None:
    asked = list(PROJECT["project"]["dependencies"])
    for group in groups:
        asked += PROJECT["dependency-groups"][group]
    names = {re.match(r"[\w.-]+", one).group().lower().replace("_", "-") for one in asked}
    pinned = set(re.findall(r"(?m)^([\w.-]+)==", (ROOT / "requirements" / lock).read_text()))
    assert names - pinned == set()
