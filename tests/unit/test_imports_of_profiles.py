"""Profiles that import others: what comes together, and what keeps strangers' files in bounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from gesturectl.errors import ProfileError
from gesturectl.imports import MAX_FILES
from gesturectl.profile import Profile, load, parse
from gesturectl.simulate import simulate
from gesturectl.types import KeyDown


def saved(folder: Path, **texts: str) -> Path:
    """Write files, and return the one called `main`."""
    for name, text in texts.items():
        path = folder / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"version: 1\n{text}", "utf-8")
    return folder / "main.yaml"


def keys(profile: Profile, script: str) -> list[str]:
    return [one.key for one in simulate(profile, script) if isinstance(one, KeyDown)]


def test_own_bindings_stand_before_imported_ones(tmp_path: Path) -> None:
    profile = load(
        saved(
            tmp_path,
            main="imports: [other.yaml]\nbindings: [{gesture: fist, do: {key: a}}]",
            other="bindings: [{gesture: fist, hold_for: 1s, do: {key: b}}, "
            "{gesture: ok, do: {key: c}}]",
        )
    )
    assert keys(profile, "ok fist") == ["c", "a"]
    assert keys(profile, "fist+ t:1500 fist-") == ["b"]
    assert [Path(str(file)).name for file in profile.files] == ["main.yaml", "other.yaml"]


def test_modes_zones_and_macros_come_along(tmp_path: Path) -> None:
    profile = load(
        saved(
            tmp_path,
            main="imports: parts/all.yaml\nbindings:\n"
            "  - {zone: corner, do: {macro: {name: say, what: x}}}\n"
            "  - {gesture: ok, do: {mode: loud}}\n"
            "  - {gesture: fist, mode: loud, do: {key: l}}",
            parts__all="imports: more.yaml\nmodes: {loud: {}}\n"
            "zones: {corner: {image: [0, 0, 0.5, 0.5]}}",
            parts__more="macros: {say: {with: what, do: {key: $what}}}",
        )
    )
    assert keys(profile, "zone:corner ok fist") == ["x", "l"]


def test_a_shipped_profile_can_be_taken_and_bent(tmp_path: Path) -> None:
    text = "imports: shipped/media\nbindings: [{gesture: open_palm, do: {key: p}}]"
    profile = load(saved(tmp_path, main=text))
    assert "circle_cw" in profile.gestures
    assert parse(f"version: 1\n{text}").gestures == profile.gestures


def test_files_that_import_each_other_are_read_once(tmp_path: Path) -> None:
    profile = load(
        saved(
            tmp_path,
            main="imports: other.yaml\nbindings: [{gesture: fist, do: {key: a}}]",
            other="imports: main.yaml\nbindings: [{gesture: ok, do: {key: b}}]",
        )
    )
    assert len(profile.bindings) == 2


def test_what_is_imported_cannot_start_programs(tmp_path: Path) -> None:
    path = saved(
        tmp_path,
        main="imports: other.yaml\nbindings: [{gesture: fist, do: {run: [true]}}]",
        other="macros: {go: {do: {run: [true]}}}\nbindings: [{gesture: ok, do: {run: [true]}}]",
    )
    with pytest.raises(ProfileError) as refused:
        load(path, allow_run=True)
    (problem,) = refused.value.problems
    assert "starts a program" in str(problem)
    assert "other.yaml" in str(problem)


def test_nor_can_a_macro_that_was_imported(tmp_path: Path) -> None:
    path = saved(
        tmp_path,
        main="imports: other.yaml\nbindings: [{gesture: fist, do: {macro: go}}]",
        other="macros: {go: {do: {run: [true]}}}",
    )
    with pytest.raises(ProfileError, match="starts a program"):
        load(path, allow_run=True)


@pytest.mark.parametrize("name", ["../b.yaml", "/etc/passwd", "a/../../b.yaml", "..\\\\b.yaml"])
def test_no_import_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    text = f'imports: ["{name}"]\nbindings: [{{gesture: fist, do: {{key: a}}}}]'
    with pytest.raises(ProfileError, match="leads elsewhere"):
        load(saved(tmp_path, main=text))


def test_problems_of_all_files_are_told_at_once_own_first(tmp_path: Path) -> None:
    path = saved(
        tmp_path,
        main="imports: [other.yaml, none.yaml]\nbindings: [{gesture: fits, do: {key: a}}]",
        other="bindings: [{gesture: ok, do: {kye: b}}]\nbindigs: []",
    )
    with pytest.raises(ProfileError) as refused:
        load(path)
    told = [(Path(one.filename).name, one.line) for one in refused.value.problems]  # type: ignore[attr-defined]
    assert told == [("main.yaml", 2), ("main.yaml", 3), ("other.yaml", 2), ("other.yaml", 3)]


def test_there_is_an_end_to_imports(tmp_path: Path) -> None:
    names = [f"f{number}" for number in range(MAX_FILES + 5)]
    files = dict.fromkeys(names, "bindings: [{gesture: fist, do: {key: a}}]")
    listed = ", ".join(f"{name}.yaml" for name in names)
    path = saved(tmp_path, main=f"imports: [{listed}]", **files)
    with pytest.raises(ProfileError, match=f"more than {MAX_FILES} files"):
        load(path)
