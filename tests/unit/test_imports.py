"""The core stays pure: what it must not import is absent after importing it alone."""

from __future__ import annotations

import subprocess
import sys

import pytest

# `socket` is not among them: the standard library loads it to read the metadata of packages.
FOREIGN = (
    "cv2",
    "mediapipe",
    "ai_edge_litert",
    "pynput",
    "xcffib",
    "ssl",
    "http.client",
    "urllib.request",
)
CORE = (
    "types",
    "errors",
    "strictjson",
    "wholefile",
    "catalog",
    "keys",
    "hosts",
    "ledger",
    "features",
    "decoder",
    "triggers",
    "axes",
    "senses",
    "chords",
    "messages",
    "actions",
    "model",
    "rules",
    "bindings",
    "profile",
    "simulate",
    "explain",
    "classifier",
    "recogniser",
    "engine",
    "arrays",
    "views",
    "pointer",
    "custom",
    "taught",
    "listener",
    "arbiter",
    "trace",
    "jsonl",
    "score",
)


def imported_by(module: str) -> set[str]:
    """Import a module in a fresh interpreter; return everything that is loaded then."""
    script = f"import sys, {module}; print(*sys.modules, sep='\\n')"
    return set(
        subprocess.run(
            [sys.executable, "-c", script], check=True, capture_output=True, text=True
        ).stdout.split()
    )


@pytest.mark.parametrize("module", CORE)
def test_the_core_imports_no_camera_no_estimator_no_desktop_and_no_network(module: str) -> None:
    loaded = imported_by(f"gesturectl.{module}")
    assert not loaded & set(FOREIGN)


@pytest.mark.parametrize("module", ["gesturectl.cli", "gesturectl.daemon", "gesturectl.rig"])
def test_the_shell_loads_cameras_and_estimators_only_when_they_are_used(module: str) -> None:
    assert not imported_by(module) & {"cv2", "mediapipe", "pynput", "xcffib"}


def test_the_command_line_answers_for_help_before_anything_heavy_is_loaded() -> None:
    assert not imported_by("gesturectl.cli") & {"numpy", "yaml", "pydantic", "rich.live"}


@pytest.mark.parametrize("name", ["sources", "landmarks", "sinks", "desktop"])
def test_the_plug_points_know_only_the_vocabulary(name: str) -> None:
    loaded = {m for m in imported_by(f"gesturectl.{name}") if m.startswith("gesturectl.")}
    assert loaded <= {f"gesturectl.{m}" for m in (name, "types", "errors", "keys")}
