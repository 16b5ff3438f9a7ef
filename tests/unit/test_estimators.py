"""Who finds the landmarks: what is chosen, and what stands in for it."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gesturectl.errors import ModelError, SinkError
from gesturectl.landmarks.litert import LiteRTLandmarker
from gesturectl.landmarks.mediapipe import MediaPipeLandmarker
from gesturectl.landmarks.networks import Network
from gesturectl.rig import Choice, open_landmarker, open_rig
from gesturectl.sinks.memory import MemorySink
from gesturectl.types import Needs
from tests.conftest import Bundles

HANDS = Needs(1, 0)


def choice(hand: Path, estimator: str = "auto") -> Choice:
    return Choice("puppet:all", None, "memory", hand_model=hand, estimator=estimator)


@pytest.fixture
def stranger(bundles: Bundles, tmp_path: Path) -> Path:
    """A bundle in which the networks have changed places."""
    path = tmp_path / "hand_landmarker.task"
    with zipfile.ZipFile(bundles.hand) as real, zipfile.ZipFile(path, "w") as made:
        names = real.namelist()
        for name, other in zip(names, names[::-1], strict=True):
            made.writestr(name, real.read(other))
    return path


@pytest.mark.slow
def test_litert_is_taken_where_it_is_installed(bundles: Bundles) -> None:
    with open_landmarker(HANDS, choice(bundles.hand)) as landmarker:
        assert isinstance(landmarker, LiteRTLandmarker)


@pytest.mark.slow
def test_mediapipe_is_taken_where_it_is_asked_for(bundles: Bundles) -> None:
    with open_landmarker(HANDS, choice(bundles.hand, "mediapipe")) as landmarker:
        assert isinstance(landmarker, MediaPipeLandmarker)


@pytest.mark.slow
def test_mediapipe_is_taken_where_litert_is_not_to_be_had(
    bundles: Bundles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gesturectl.rig.has_litert", lambda: False)
    with open_landmarker(HANDS, choice(bundles.hand)) as landmarker:
        assert isinstance(landmarker, MediaPipeLandmarker)


def test_networks_that_are_not_known_are_refused_with_the_bundle_s_name(stranger: Path) -> None:
    with pytest.raises(ModelError, match=r"hand_landmarker\.task: .* is another network"):
        open_landmarker(HANDS, choice(stranger, "litert"))


@pytest.mark.slow
def test_mediapipe_is_tried_where_litert_cannot_be_loaded(
    bundles: Bundles, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with open_landmarker(HANDS, choice(bundles.hand)) as landmarker:
        assert isinstance(landmarker, MediaPipeLandmarker)
    assert "LiteRT cannot be loaded" in caplog.text
    assert "MediaPipe is tried instead" in caplog.text
    with pytest.raises(ModelError, match="LiteRT cannot be loaded"):
        open_landmarker(HANDS, choice(bundles.hand, "litert"))


@pytest.mark.parametrize("content", [b"no zip", b""], ids=["no zip", "empty"])
def test_a_damaged_bundle_is_an_error(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "hand_landmarker.task"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="is not a hand landmark bundle"):
        open_landmarker(HANDS, choice(path, "litert"))


def test_a_bundle_without_networks_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "hand_landmarker.task"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("readme", "empty")
    with pytest.raises(ModelError, match=r"it lacks hand_detector\.tflite"):
        open_landmarker(HANDS, choice(path, "litert"))


def test_a_network_that_is_none_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "hand_landmarker.task"
    with zipfile.ZipFile(path, "w") as made:
        for name in ("hand_detector.tflite", "hand_landmarks_detector.tflite"):
            made.writestr(name, b"\0" * 64)
    with pytest.raises(ModelError, match="is no network"):
        open_landmarker(HANDS, choice(path, "litert"))


def test_a_network_that_takes_no_picture_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Interpreter:
        def __init__(self, **options: object) -> None: ...

        def allocate_tensors(self) -> None: ...

        def get_input_details(self) -> list[dict[str, object]]:
            return [{"shape": np.array([1, 63]), "dtype": np.float32}]

        def get_output_details(self) -> list[dict[str, object]]:
            return []

    litert = SimpleNamespace(Interpreter=Interpreter)
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", litert)
    path = tmp_path / "hand_landmarker.task"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("embedder.tflite", b"weights")
    with pytest.raises(ModelError, match=r"embedder\.tflite is another network"):
        Network(path, "embedder.tflite", [], wanted=())


def test_landmarkers_are_closed_where_a_run_cannot_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[bool] = []

    @contextmanager
    def opened(*_: object) -> Iterator[None]:
        yield
        closed.append(True)

    class Gone(MemorySink):
        def panic_on(self, chord: frozenset[str]) -> None:
            raise SinkError("the display is gone")

    monkeypatch.setattr("gesturectl.rig.open_landmarker", opened)
    with (
        pytest.raises(SinkError, match="the display is gone"),
        open_rig(Choice("puppet:fist", None, Gone(), own=False), realtime=False),
    ):
        pass
    assert closed == [True]
