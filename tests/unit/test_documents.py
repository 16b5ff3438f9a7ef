"""What the documents name exists: commands, links, pictures; no file names one machine's places."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from gesturectl.cli import app

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def tracked() -> list[Path]:
    """Every file of the repository."""
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        return []
    command = ["git", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    paths = (ROOT / name for name in listed.stdout.split("\0") if name)
    return [path for path in paths if path.is_file()]


FILES = tracked()
PAGES = [path for path in FILES if path.suffix == ".md"]
CHECKOUT = pytest.mark.skipif(not FILES, reason="not a git checkout: what belongs to it is unknown")


def name_of(path: object) -> str:
    return path.relative_to(ROOT).as_posix() if isinstance(path, Path) else str(path)


def commands(page: Path) -> Iterator[list[str]]:
    """The words of every command line in the page's `console` blocks, without its comment."""
    for language, block in FENCE.findall(page.read_text("utf-8")):
        if language == "console":
            for line in block.splitlines():
                if line.startswith("$ "):
                    yield shlex.split(line.removeprefix("$ "), comments=True)


def parse(words: list[str]) -> None:
    """Parse what follows `gesturectl` as the program would, and run nothing."""
    group: Any = typer.main.get_command(app)
    name, *rest = words
    assert name in group.commands, f"there is no such command as {name}"
    group.commands[name].make_context(name, rest)


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    text = FENCE.sub("", page.read_text("utf-8"))
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


# --- commands -----------------------------------------------------------------------------------


@CHECKOUT
@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_shown_is_one_that_parses(page: Path) -> None:
    for words in commands(page):
        if words[0] == "gesturectl":
            parse(words[1:])


@CHECKOUT
@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_make_target_shown_exists(page: Path) -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    wanted = {words[1] for words in commands(page) if words[0] == "make"}
    assert wanted <= set(targets)


@pytest.mark.parametrize("words", ["rum", "run --sauce camera:0", "list hats", "replay", "check"])
def test_a_command_that_does_not_exist_would_be_noticed(words: str) -> None:
    with pytest.raises(Exception, match=r"(?i)no such|missing|not one of"):
        parse(words.split())


def test_the_readme_shows_the_way_to_the_first_gesture() -> None:
    shown = {" ".join(words[:2]) for words in commands(ROOT / "README.md")}
    assert {"make demo", "make test", "gesturectl doctor", "gesturectl run"} <= shown


# --- links --------------------------------------------------------------------------------------


@CHECKOUT
@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_within_the_repository_leads_somewhere(page: Path) -> None:
    for link in LINK.findall(FENCE.sub("", page.read_text("utf-8"))):
        if "://" in link:
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        assert target in FILES, f"{name_of(page)} links to {link}"
        assert not anchor or anchor in anchors(target), f"{name_of(page)} links to {link}"


@CHECKOUT
def test_every_decision_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text("utf-8")
    for page in (ROOT / "docs" / "decisions").glob("*.md"):
        title = page.read_text("utf-8").splitlines()[0].removeprefix("# ")
        number, _, name = title.partition(". ")
        assert f"{number}. [{name}](decisions/{page.name})" in index


@CHECKOUT
def test_the_picture_of_the_demo_is_small() -> None:
    picture = (ROOT / "docs" / "demo.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) < 300_000


# --- the map ------------------------------------------------------------------------------------


def imports(module: Path) -> Iterator[str]:
    """The top-level modules of gesturectl that a module imports, wherever it does so."""
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "gesturectl":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gesturectl."):
            yield str(node.module).split(".")[1]


def test_imports_point_the_way_that_the_architecture_draws() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    (drawn,) = [block for _, block in FENCE.findall(text) if block.startswith("types ")]
    columns = (re.split(r" {3,}", row)[0] for row in drawn.splitlines())
    order = [name.rstrip("/") for column in columns for name in re.findall(r"[a-z]\S*", column)]
    wrong = [
        f"{name_of(path)} imports {other}"
        for path in (ROOT / "gesturectl").rglob("*.py")
        if (own := path.relative_to(ROOT / "gesturectl").with_suffix("").parts[0]) in order
        for other in imports(path)
        if other in order[order.index(own) + 1 :]
    ]
    assert wrong == []
    assert {"types", "engine", "sources", "daemon", "cli"} <= set(order)


# --- nothing of one machine ---------------------------------------------------------------------

# Written so that this file does not hold what it looks for.
STRANGERS = re.compile(
    r"(?<![\w.~-])/(?:home|Users|r[o]ot|f[a]rm|w[o]rk|tmp/w)/[\w.]"
    r"|py[p]i\.org|python[h]osted\.org|registry\.[\w-]+\.\w+"
)


@CHECKOUT
def test_no_file_names_a_place_on_one_machine_or_a_package_registry() -> None:
    found = []
    for path in FILES:
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue  # a picture, an archive
        found += [f"{name_of(path)}: {match}" for match in STRANGERS.findall(text)]
    assert found == []


@pytest.mark.parametrize(
    "text", ["cd /ho" + "me/me/x", "'/wo" + "rk/main'", "https://py" + "pi.org/simple"]
)
def test_a_place_on_one_machine_would_be_noticed(text: str) -> None:
    assert STRANGERS.search(text)
