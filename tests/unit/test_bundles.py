"""Bundles come out right or not at all, and the next try works.

The wheels here are tiny and their "models" are text: a recipe is an argument of the store, so the
very code that fetches, checks and writes the real ones runs on them, pip included.
"""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gesturectl.bundles import HAND, POSE, WHEEL, Bundle, Member, Store, Wheel, with_image_metadata
from gesturectl.errors import ModelError

NOBODY_LISTENS = "http://127.0.0.1:9/simple"
VARIABLES = ("GESTURECTL_MEDIAPIPE_WHEEL", HAND.variable, POSE.variable)
# What the two bundles of the tiny recipe must come out as: the zip's bytes are part of the deal.
TINY_SHA256 = {
    "hand": "ef01b0660ce88147dc8dcc506bbb0dcc99a599d09c252a8a5d0b49d037475883",
    "pose": "e582caa1340cebcda2c1c13a7526fbb3a001bd0183ba7987fab42cca02db88ab",
}


def tiny_wheel(path: Path, palm: bytes = b"palm model") -> Path:
    with zipfile.ZipFile(path, "w") as wheel:
        for name, data in (("palm", palm), ("hand", b"hand model"), ("pose", b"pose model")):
            wheel.writestr(zipfile.ZipInfo(f"models/{name}.tflite"), data)
        dist_info = "mediapipe-0.0.1.dist-info"
        metadata = "Metadata-Version: 2.1\nName: mediapipe\nVersion: 0.0.1\n"
        wheel.writestr(zipfile.ZipInfo(f"{dist_info}/METADATA"), metadata)
        tag = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        wheel.writestr(zipfile.ZipInfo(f"{dist_info}/WHEEL"), tag)
        wheel.writestr(zipfile.ZipInfo(f"{dist_info}/RECORD"), "")
    return path


def member(name: str, source: str) -> Member:
    digest = hashlib.sha256(f"{source} model".encode()).hexdigest()
    return Member(name, f"models/{source}.tflite", digest)


@pytest.fixture
def offered(tmp_path: Path) -> Path:
    """The folder that pip looks in instead of an index."""
    folder = tmp_path / "offered"
    folder.mkdir()
    tiny_wheel(folder / "mediapipe-0.0.1-py3-none-any.whl")
    return folder


@pytest.fixture
def store(tmp_path: Path, offered: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(offered))
    monkeypatch.setenv("PIP_CACHE_DIR", str(tmp_path / "pip-cache"))
    (file,) = offered.iterdir()
    data = file.read_bytes()
    wheel = Wheel(
        "mediapipe==0.0.1", file.name, hashlib.sha256(data).hexdigest(), len(data), tags=()
    )
    hand = Bundle(
        "hand",
        HAND.variable,
        TINY_SHA256["hand"],
        (
            member("hand_detector.tflite", "palm"),
            member("hand_landmarks_detector.tflite", "hand"),
        ),
    )
    pose = Bundle(
        "pose",
        POSE.variable,
        TINY_SHA256["pose"],
        (member("pose_detector.tflite", "palm"), member("pose_landmarks_detector.tflite", "pose")),
    )
    return Store(tmp_path / "cache" / "models", wheel, (hand, pose))


def states(store: Store) -> list[str]:
    return [one.state for one in store.status()]


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock")


def test_an_empty_cache_is_filled_through_pip_and_told_about(store: Store) -> None:
    told: list[tuple[int, int]] = []
    assert states(store) == ["missing", "missing"]

    hand, pose = store.install(lambda done, total: told.append((done, total)))

    assert (hand.name, pose.name) == ("hand_landmarker.task", "pose_landmarker.task")
    with zipfile.ZipFile(hand) as bundle:
        assert bundle.namelist() == ["hand_detector.tflite", "hand_landmarks_detector.tflite"]
        assert bundle.read("hand_detector.tflite") == b"palm model"
        assert {info.compress_type for info in bundle.infolist()} == {zipfile.ZIP_STORED}
    assert told[-1] == (store.wheel.size_bytes, store.wheel.size_bytes)
    assert states(store) == ["ready", "ready"]
    assert left_in(store.folder) == ["hand_landmarker.task", "pose_landmarker.task"]


def test_what_is_ready_is_neither_fetched_nor_written_again(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [path.stat().st_mtime_ns for path in store.install()]
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    assert [path.stat().st_mtime_ns for path in store.install()] == before
    assert store.path(store.bundles[0]).stat().st_mtime_ns == before[0]


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.write_bytes(path.read_bytes()[:100]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes().replace(b"palm model", b"balm model")),
    ],
    ids=["half-written", "empty", "one byte changed"],
)
def test_a_damaged_bundle_is_seen_and_made_again(
    store: Store, harm: Callable[[Path], object]
) -> None:
    hand, _ = store.install()
    harm(hand)
    assert states(store) == ["damaged", "ready"]
    with pytest.raises(ModelError, match=r"hand_landmarker\.task.*`gesturectl models install`"):
        store.verify()

    store.path(store.bundles[0])

    assert states(store) == ["ready", "ready"]


def test_without_a_network_the_error_says_so_and_what_to_do_and_the_next_try_works(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as offline:
        offline.delenv("PIP_NO_INDEX")
        offline.delenv("PIP_FIND_LINKS")
        offline.setenv("PIP_INDEX_URL", NOBODY_LISTENS)
        with pytest.raises(ModelError) as caught:
            store.install()
    message = str(caught.value)
    assert "no network" in message
    assert "GESTURECTL_MEDIAPIPE_WHEEL" in message
    assert "gesturectl models install" in message
    assert left_in(store.folder) == []

    store.install()
    assert states(store) == ["ready", "ready"]


def test_another_wheel_under_the_right_name_is_refused_by_pip(store: Store, offered: Path) -> None:
    right = (offered / store.wheel.filename).read_bytes()
    tiny_wheel(offered / store.wheel.filename, palm=b"evil model")
    with pytest.raises(ModelError, match="another file under that name"):
        store.install()
    assert left_in(store.folder) == []

    (offered / store.wheel.filename).write_bytes(right)
    store.install()
    assert states(store) == ["ready", "ready"]


def test_an_index_that_lacks_the_wheel_is_named_as_the_cause(store: Store, offered: Path) -> None:
    (offered / store.wheel.filename).unlink()
    with pytest.raises(ModelError, match="does not offer it"):
        store.install()


def test_a_wheel_brought_by_hand_needs_no_pip(
    store: Store, offered: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GESTURECTL_MEDIAPIPE_WHEEL", str(offered / store.wheel.filename))
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    store.install()
    assert states(store) == ["ready", "ready"]


def test_a_wrong_wheel_brought_by_hand_is_refused(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = tiny_wheel(tmp_path / "wrong.whl", palm=b"evil model")
    monkeypatch.setenv("GESTURECTL_MEDIAPIPE_WHEEL", str(wrong))
    with pytest.raises(ModelError, match=r"wrong\.whl is not mediapipe-0\.0\.1.* SHA-256"):
        store.install()
    monkeypatch.setenv("GESTURECTL_MEDIAPIPE_WHEEL", str(tmp_path / "absent.whl"))
    with pytest.raises(ModelError, match="there is no file"):
        store.install()


def test_a_changed_model_inside_the_right_wheel_is_refused(store: Store) -> None:
    hand, pose = store.bundles
    changed = replace(hand.members[0], sha256="0" * 64)
    wary = replace(store, bundles=(replace(hand, members=(changed, hand.members[1])), pose))
    with pytest.raises(ModelError, match=r"palm\.tflite is not the model it should be"):
        wary.install()
    assert left_in(store.folder) == []


def test_a_bundle_that_comes_out_otherwise_is_not_kept(store: Store) -> None:
    hand, pose = store.bundles
    wary = replace(store, bundles=(replace(hand, sha256="0" * 64), pose))
    with pytest.raises(ModelError, match="came out with SHA-256"):
        wary.install()
    assert left_in(store.folder) == []


@pytest.mark.skipif(sys.platform == "win32", reason="limits a process's file size")
def test_a_full_disk_is_told_apart_and_leaves_nothing_half_written(
    store: Store, offered: Path
) -> None:
    # No test may fill a disk; a limit on the size of files fails the same write half-way.
    script = f"""
import resource
from pathlib import Path
from gesturectl.bundles import *
store = {store!r}
resource.setrlimit(resource.RLIMIT_FSIZE, (200, resource.RLIM_INFINITY))
try:
    store.install()
except Exception as error:
    print(type(error).__name__, error)
"""
    script = script.replace("PosixPath", "Path")
    environment = os.environ | {
        "GESTURECTL_MEDIAPIPE_WHEEL": str(offered / store.wheel.filename),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True
    )
    assert run.stdout.startswith("ModelError no room for the landmark models in ")
    assert "free about 100 MB" in run.stdout
    assert left_in(store.folder) == []

    store.install()
    assert states(store) == ["ready", "ready"]


def test_a_folder_that_cannot_be_made_is_explained(store: Store, tmp_path: Path) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("in the way")
    with pytest.raises(ModelError, match=r"cannot keep the landmark models in .*a file"):
        replace(store, folder=blocked / "models").install()


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="nothing is read-only to root"
)
def test_a_read_only_cache_serves_what_it_has_and_explains_what_it_lacks(store: Store) -> None:
    hand, _ = store.install()
    store.folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    try:
        assert store.path(store.bundles[0]) == hand
        hand.chmod(stat.S_IRUSR | stat.S_IWUSR)
        hand.write_bytes(b"damaged")
        with pytest.raises(ModelError, match="make it writable"):
            store.install()
    finally:
        store.folder.chmod(stat.S_IRWXU)


def test_what_a_killed_build_left_behind_is_cleared(store: Store) -> None:
    (store.folder / ".build-dead").mkdir(parents=True)
    (store.folder / ".build-dead" / "wheel.whl").write_bytes(b"half")
    store.install()
    assert left_in(store.folder) == ["hand_landmarker.task", "pose_landmarker.task"]


def test_two_processes_that_need_bundles_at_once_both_get_them(store: Store) -> None:
    script = f"from pathlib import Path\nfrom gesturectl.bundles import *\n({store!r}).install()"
    script = script.replace("PosixPath", "Path").replace("WindowsPath", "Path")
    both = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(2)]
    assert [process.wait(timeout=60) for process in both] == [0, 0]
    assert states(store) == ["ready", "ready"]
    assert left_in(store.folder) == ["hand_landmarker.task", "pose_landmarker.task"]


class TestABundleOfTheUsersOwn:
    def test_given_as_an_argument_wins_over_the_variable_and_the_cache(
        self, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ours, _ = store.install()
        given = tmp_path / "official.task"
        given.write_bytes(ours.read_bytes())
        by_variable = tmp_path / "other.task"
        by_variable.write_bytes(ours.read_bytes())
        hand = store.bundles[0]

        assert store.path(hand) == ours
        monkeypatch.setenv(hand.variable, str(by_variable))
        assert store.path(hand) == by_variable
        assert states(store) == ["given", "ready"]
        assert store.path(hand, given=given) == given

    def test_given_by_the_variable_spares_the_download(
        self, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for bundle, made in zip(store.bundles, store.install(), strict=True):
            moved = made.rename(tmp_path / made.name)
            monkeypatch.setenv(bundle.variable, str(moved))
        monkeypatch.setenv("PIP_FIND_LINKS", "")
        assert [path.parent for path in store.install()] == [tmp_path, tmp_path]
        assert left_in(store.folder) == []

    def test_that_is_none_is_refused_with_the_reason(self, store: Store, tmp_path: Path) -> None:
        hand, pose = store.bundles
        text = tmp_path / "notes.task"
        text.write_text("not a bundle")
        compressed = tmp_path / "compressed.task"
        with zipfile.ZipFile(compressed, "w", zipfile.ZIP_DEFLATED) as archive:
            for one in hand.members:
                archive.writestr(one.name, b"model" * 100)
        raw, spoiled = compressed.read_bytes(), tmp_path / "spoiled.task"
        at = raw.index(b".tflite") + len(b".tflite")
        spoiled.write_bytes(raw[:at] + b"\xff" * 8 + raw[at + 8 :])
        pose_path = store.install()[1]
        for path, reason in (
            (tmp_path / "absent.task", "there is no such file"),
            (tmp_path, "it cannot be read"),
            (text, "it is not a .task file"),
            (compressed, "its models are compressed"),
            (spoiled, "it is not a .task file"),
            (pose_path, "it lacks hand_detector.tflite and hand_landmarks_detector.tflite"),
        ):
            with pytest.raises(ModelError, match=reason):
                store.path(hand, given=path)
        assert store.path(pose, given=pose_path) == pose_path

    def test_that_is_none_shows_in_the_status(
        self, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(store.bundles[0].variable, str(tmp_path / "absent.task"))
        assert states(store) == ["damaged", "missing"]
        with pytest.raises(ModelError, match=f"{HAND.variable} points to it, but there is no such"):
            store.install()


def test_the_metadata_note_leaves_the_model_as_it_was() -> None:
    # A model as small as they come: version 3, a description, two buffers (one with 4 bytes).
    schema = pytest.importorskip("mediapipe.tasks.metadata.schema_py_generated")
    notes = pytest.importorskip("mediapipe.tasks.metadata.metadata_schema_py_generated")
    flatbuffers = pytest.importorskip("flatbuffers")
    made = schema.ModelT()
    made.version, made.description = 3, "small"
    made.buffers = [schema.BufferT(), schema.BufferT()]
    made.buffers[1].data = [1, 2, 3, 4]
    made.metadata = [schema.MetadataT()]
    made.metadata[0].name, made.metadata[0].buffer = "earlier", 1
    builder = flatbuffers.Builder(0)
    builder.Finish(made.Pack(builder), b"TFL3")

    model = schema.Model.GetRootAsModel(with_image_metadata(bytes(builder.Output())), 0)

    assert (model.Version(), model.Description()) == (3, b"small")
    assert bytes(model.Buffers(1).DataAsNumpy()) == bytes([1, 2, 3, 4])
    entries = [model.Metadata(i) for i in range(model.MetadataLength())]
    assert [(one.Name(), one.Buffer()) for one in entries] == [
        (b"earlier", 1),
        (b"TFLITE_METADATA", 2),
    ]
    note = model.Buffers(2).DataAsNumpy().tobytes()
    assert notes.ModelMetadata.ModelMetadataBufferHasIdentifier(note, 0)
    image = notes.ModelMetadata.GetRootAsModelMetadata(note, 0).SubgraphMetadata(0)
    image = image.InputTensorMetadata(0)
    assert image.Content().ContentPropertiesType() == notes.ContentProperties.ImageProperties
    unit = image.ProcessUnits(0)
    assert unit.OptionsType() == notes.ProcessUnitOptions.NormalizationOptions
    options = notes.NormalizationOptions()
    options.Init(unit.Options().Bytes, unit.Options().Pos)
    assert (options.MeanAsNumpy().tolist(), options.StdAsNumpy().tolist()) == ([0.0], [255.0])


def test_every_hash_of_the_real_recipe_is_one() -> None:
    members = [one for bundle in (HAND, POSE) for one in bundle.members]
    for digest in [WHEEL.sha256, HAND.sha256, POSE.sha256, *(one.sha256 for one in members)]:
        assert len(bytes.fromhex(digest)) == 32
