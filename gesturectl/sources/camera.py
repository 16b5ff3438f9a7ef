"""`camera:N|NAME|PATH`: a webcam, and the list of those that are here.

On Linux cameras are found without opening them, through /sys/class/video4linux, and followed
through replugging by the names udev gives them under /dev/v4l. Elsewhere OpenCV knows them by
number only. Pictures come through OpenCV; watching and reopening is `live`'s.
"""

from __future__ import annotations

import errno
import os
import stat
import struct
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gesturectl.sources.clock import MONOTONIC, Clock
from gesturectl.sources.live import Live, Picture, Unavailable
from gesturectl.sources.opencv import cv2

SIZE_PX: Final = (
    640,
    480,
)  # what the landmark models were measured at; more costs and gains little
RATE_HZ: Final = 30

# linux/videodev2.h
VIDIOC_QUERYCAP: Final = 0x80685600
VIDIOC_REQBUFS: Final = 0xC0145608
_CAPABILITY: Final = struct.Struct("=16s32s32sIII12x")
_REQUEST_BUFFERS: Final = struct.Struct("=5I")
CAP_VIDEO_CAPTURE: Final = 0x00000001
CAP_VIDEO_CAPTURE_MPLANE: Final = 0x00001000
CAP_DEVICE_CAPS: Final = 0x80000000

Ioctl = Callable[[int, int, bytes], bytes]


@dataclass(frozen=True, slots=True)
class CameraInfo:
    """One camera of this machine.

    `stable_path` is a name that stays with the camera when it is replugged, where udev gives one.
    `readable` tells whether this user may open it.
    """

    index: int
    name: str
    path: str
    stable_path: str | None = None
    readable: bool = True

    @property
    def label(self) -> str:
        return f"camera {self.index} ({self.name})" if self.name else f"camera {self.index}"

    def __str__(self) -> str:
        return f"{self.label} at {self.path}"


def open_camera(argument: str, *, realtime: bool, clock: Clock = MONOTONIC) -> Live:
    """Open a webcam by number, part of its name, or path; the first one when `argument` is empty.

    Raises:
        SourceError: it is missing, or may not be opened. One that is busy is waited for.
    """
    del realtime  # a camera is never anything else
    return Live(CameraDevice(argument, clock=clock), clock)


def list_cameras(
    sys_class: Path = Path("/sys/class/video4linux"), dev: Path = Path("/dev")
) -> tuple[CameraInfo, ...]:
    """Return the cameras of this machine by number, without opening a stream on any of them.

    Empty on systems other than Linux, where there is no way to ask without switching them on.
    """
    stable = _stable_paths(dev / "v4l")
    cameras = []
    for folder in sys_class.glob("video[0-9]*"):
        path = dev / folder.name
        readable = os.access(path, os.R_OK | os.W_OK)
        captures = _captures(path) if readable else None
        if captures is None:
            # Not to be asked. A camera's first node is its pictures, the others are metadata.
            captures = _line(folder / "index") in ("0", "")
        if captures:
            cameras.append(
                CameraInfo(
                    index=int(folder.name.removeprefix("video")),
                    name=_line(folder / "name"),
                    path=str(path),
                    stable_path=stable.get(str(path.resolve())),
                    readable=readable,
                )
            )
    return tuple(sorted(cameras, key=lambda camera: camera.index))


def find_camera(wanted: str, cameras: Iterable[CameraInfo]) -> CameraInfo:
    """Return the camera of that number, path or name; part of a name will do when only one has it.

    Raises:
        Unavailable: there is none, or more than one.
    """
    cameras = tuple(cameras)
    here = ", ".join(f"{camera.index} {camera.name}".rstrip() for camera in cameras)
    if not cameras:
        raise Unavailable(
            f"{f'camera {wanted}'.rstrip()} is missing: no camera is connected; plug one in, "
            "or try `--source puppet:all`"
        )
    if not wanted:
        return cameras[0]
    if wanted.isdecimal():
        found = [camera for camera in cameras if camera.index == int(wanted)]
    elif wanted.startswith("/"):
        target = str(Path(wanted).resolve())
        found = [camera for camera in cameras if str(Path(camera.path).resolve()) == target]
    else:
        name = wanted.casefold()
        found = [camera for camera in cameras if camera.name.casefold() == name]
        found = found or [camera for camera in cameras if name in camera.name.casefold()]
    if not found:
        raise Unavailable(f"camera {wanted} is missing; connected are: {here}")
    if len(found) > 1:
        raise Unavailable(f"{len(found)} cameras are called {wanted!r}; name one by number: {here}")
    return found[0]


def _video_capture(where: str | int, backend: int) -> Any:
    return cv2.VideoCapture(where, backend)


class CameraDevice:
    """A webcam as OpenCV sees it, followed through replugging."""

    def __init__(
        self,
        wanted: str,
        *,
        clock: Clock = MONOTONIC,
        cameras: Callable[[], tuple[CameraInfo, ...]] = list_cameras,
        capture: Callable[[str | int, int], Any] = _video_capture,
        linux: bool = sys.platform == "linux",
    ) -> None:
        self._wanted = wanted
        self._clock = clock
        self._cameras = cameras
        self._open_capture = capture
        self._linux = linux
        self._info: CameraInfo | None = None
        self._capture: Any = None

    @property
    def name(self) -> str:
        return self._info.label if self._info else f"camera {self._wanted}".rstrip()

    def open(self) -> str:
        self.release()
        info = self._locate()
        if not info.readable:
            raise Unavailable(_forbidden(info))
        if self._linux:
            capture = self._open_capture(info.path, cv2.CAP_V4L2)
        else:
            capture = self._open_capture(info.index, cv2.CAP_ANY)
        if not capture.isOpened():
            capture.release()
            raise why_not_opened(info)
        # The format before the size: most webcams send 640×480 or more at 30 Hz only as MJPG, and
        # asking for the size first settles for a slow uncompressed format.
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
        capture.set(cv2.CAP_PROP_FRAME_WIDTH, SIZE_PX[0])
        capture.set(cv2.CAP_PROP_FRAME_HEIGHT, SIZE_PX[1])
        capture.set(cv2.CAP_PROP_FPS, RATE_HZ)
        self._info, self._capture = info, capture
        return _got(capture)

    def grab(self) -> int:
        if self._capture is None or not self._capture.grab():
            raise Unavailable(f"{self.name} sends no pictures any more; was it unplugged?")
        now_us = self._clock.now_us()
        # V4L2 stamps buffers on the monotonic clock as the sensor delivers them, some milliseconds
        # before they get here. Drivers and platforms that do otherwise are caught by plausibility.
        position_ms = self._capture.get(cv2.CAP_PROP_POS_MSEC)
        driver_us = round(position_ms * 1000) if 0 < position_ms < 1e15 else 0
        return driver_us if now_us - 1_000_000 < driver_us <= now_us else now_us

    def retrieve(self) -> Picture | None:
        try:
            decoded, bgr = self._capture.retrieve()
        except cv2.error:  # a picture cut short on the wire
            return None
        if not decoded or bgr is None or bgr.ndim != 3:
            return None
        rgb: Picture = cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)
        return rgb

    def release(self) -> None:
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _locate(self) -> CameraInfo:
        """Find the camera wanted; once it has been open, find the same one again."""
        if not self._linux:
            if not (self._wanted or "0").isdecimal():
                raise Unavailable(
                    f"camera {self._wanted}: on this system cameras are known by number only; "
                    "write camera:0 for the first"
                )
            return CameraInfo(int(self._wanted or "0"), "", "")
        cameras = self._cameras()
        if self._info is None:
            return find_camera(self._wanted, cameras)
        known = self._info
        for camera in cameras:
            if known.stable_path is not None and camera.stable_path == known.stable_path:
                return camera
        # No stable name, or plugged into another port: the same name on the same node, or the only
        # one of this name.
        alike = [camera for camera in cameras if camera.name == known.name]
        for camera in alike:
            if camera.path == known.path or len(alike) == 1:
                return camera
        raise Unavailable(f"{known.label} is missing: it was unplugged; plug it in again")


def why_not_opened(info: CameraInfo, ioctl: Ioctl | None = None) -> Unavailable:
    """Find out why a V4L2 device could not be opened; OpenCV itself does not tell."""
    if not info.path:  # not on Linux
        return Unavailable(
            f"{info.label} cannot be opened: it is missing, in use by another program, or not "
            "allowed in the privacy settings of the system"
        )
    match _refusal(info.path, ioctl or _ioctl):
        case errno.ENOENT | errno.ENODEV | errno.ENXIO:
            return Unavailable(
                f"{info.label} is missing: {info.path} is not there; plug it in again"
            )
        case errno.EACCES | errno.EPERM:
            return Unavailable(_forbidden(info))
        case errno.EBUSY:
            users = users_of(info.path) or ("another program",)
            use = f"{' and '.join(users)} {'is' if len(users) == 1 else 'are'} using it"
            return Unavailable(f"{info.label} is busy: {use}; close that program", may_pass=True)
    return Unavailable(
        f"{info.label} cannot be opened, though it is there and free; unplug it, wait a moment "
        "and plug it in again",
        may_pass=True,
    )


def trouble(info: CameraInfo, ioctl: Ioctl | None = None) -> str | None:
    """Return what keeps a V4L2 device from being opened now, None when nothing does.

    The camera is asked and not switched on: its light stays off.
    """
    refused = _refusal(info.path, ioctl or _ioctl) is not None
    return str(why_not_opened(info, ioctl)) if refused else None


def _refusal(path: str, ioctl: Ioctl) -> int | None:
    """Return the error number with which a V4L2 device refuses to be used, or None."""
    if sys.platform == "win32":
        return None
    try:
        handle = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    except OSError as error:
        return error.errno
    try:
        # Asking for no buffers changes nothing, but is refused while another program holds some.
        request = _REQUEST_BUFFERS.pack(0, 1, 1, 0, 0)  # count, VIDEO_CAPTURE, MMAP
        ioctl(handle, VIDIOC_REQBUFS, request)
    except OSError as error:
        return error.errno
    finally:
        os.close(handle)
    return None


def captures(capability: bytes) -> bool:
    """Whether a `struct v4l2_capability` is that of a node that delivers pictures."""
    *_, everything, this_node = _CAPABILITY.unpack(capability)
    flags = this_node if everything & CAP_DEVICE_CAPS else everything
    return bool(flags & (CAP_VIDEO_CAPTURE | CAP_VIDEO_CAPTURE_MPLANE))


def _captures(path: Path) -> bool | None:
    """Ask a device whether it delivers pictures; None when it cannot be asked."""
    if sys.platform == "win32":
        return None
    try:
        handle = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        return captures(_ioctl(handle, VIDIOC_QUERYCAP, bytes(_CAPABILITY.size)))
    except OSError:
        return None
    finally:
        os.close(handle)


def _ioctl(handle: int, request: int, argument: bytes) -> bytes:
    if sys.platform == "win32":
        raise OSError(errno.ENOTSUP, "Windows has no V4L2")
    import fcntl

    return fcntl.ioctl(handle, request, argument)


def _got(capture: Any) -> str:
    """Read back what the camera settled for."""
    width, height, fps, code = (
        int(capture.get(which))
        for which in (
            cv2.CAP_PROP_FRAME_WIDTH,
            cv2.CAP_PROP_FRAME_HEIGHT,
            cv2.CAP_PROP_FPS,
            cv2.CAP_PROP_FOURCC,
        )
    )
    got = f"{width}×{height}"
    if fps > 0:
        got += f" {fps} fps"
    fourcc = code.to_bytes(4, "little", signed=code < 0)
    return f"{got} {fourcc.decode('ascii').strip()}" if fourcc.isalnum() else got


def _stable_paths(folder: Path) -> dict[str, str]:
    """Return what udev calls each device: by id, or by port where two share an id."""
    names: dict[str, str] = {}
    for kind in ("by-path", "by-id"):  # the later wins
        with suppress(OSError):
            for link in sorted((folder / kind).iterdir()):
                names[str(link.resolve())] = str(link)
    return names


def _forbidden(info: CameraInfo) -> str:
    group = "video"
    with suppress(OSError, KeyError):
        status = Path(info.path).stat()
        if sys.platform != "win32" and status.st_mode & stat.S_IRGRP:
            import grp

            group = grp.getgrgid(status.st_gid).gr_name
    return (
        f"{info.label} may not be opened: {info.path} belongs to the group {group}; "
        f"run `sudo usermod -aG {group} $USER`, then log out and in again"
    )


def users_of(path: str, proc: Path = Path("/proc")) -> tuple[str, ...]:
    """Name the programs that have the device open, as far as this user may know."""
    found: set[str] = set()
    for folder in proc.glob("[0-9]*"):
        with suppress(OSError):  # another user's process, or one that has just ended
            holds = any(link.readlink() == Path(path) for link in (folder / "fd").iterdir())
            if holds:
                found.add(_line(folder / "comm") or f"process {folder.name}")
    return tuple(sorted(found))


def virtual_cameras(
    sys_class: Path = Path("/sys/class/video4linux"), dev: Path = Path("/dev")
) -> tuple[CameraInfo, ...] | None:
    """Return the virtual cameras by number; None where the module v4l2loopback is not loaded.

    They are told by having no hardware behind them. One is listed also while nobody feeds it, when
    it is no camera to others yet.
    """
    if not (sys_class.parents[1] / "module" / "v4l2loopback").is_dir():
        return None
    found = []
    for folder in sys_class.glob("video[0-9]*"):
        if "virtual" in folder.resolve().parts:
            path = dev / folder.name
            index = int(folder.name.removeprefix("video"))
            found.append(CameraInfo(index, _line(folder / "name"), str(path)))
    return tuple(sorted(found, key=lambda camera: camera.index))


def _line(path: Path) -> str:
    try:
        return path.read_text("utf-8", errors="replace").strip()
    except OSError:
        return ""
