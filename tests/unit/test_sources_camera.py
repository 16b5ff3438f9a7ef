"""Webcams: which are here, which is meant, what ails one that cannot be opened."""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from gesturectl.sources.camera import (
    CameraDevice,
    CameraInfo,
    captures,
    find_camera,
    list_cameras,
    users_of,
    virtual_cameras,
    why_not_opened,
)
from gesturectl.sources.clock import ManualClock
from gesturectl.sources.live import Unavailable

BUILT_IN = CameraInfo(0, "Integrated Camera", "/dev/video0", "/dev/v4l/by-id/usb-built_in")
DESK = CameraInfo(2, "HD Webcam C920", "/dev/video2", "/dev/v4l/by-id/usb-C920")
OTHER = CameraInfo(4, "HD Webcam C270", "/dev/video4", "/dev/v4l/by-id/usb-C270")
ALL = (BUILT_IN, DESK, OTHER)


# --- which is meant -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("", BUILT_IN),
        ("0", BUILT_IN),
        ("2", DESK),
        ("c920", DESK),
        ("integrated camera", BUILT_IN),
        ("/dev/video4", OTHER),
    ],
)
def test_a_camera_is_found_by_number_name_or_path(wanted: str, expected: CameraInfo) -> None:
    assert find_camera(wanted, ALL) == expected


def test_a_whole_name_wins_over_a_part_of_another() -> None:
    cam, pro = CameraInfo(0, "Cam Pro", "/dev/video0"), CameraInfo(2, "Cam", "/dev/video2")
    assert find_camera("cam", (cam, pro)) == pro


@pytest.mark.parametrize(
    ("wanted", "cameras", "expected"),
    [
        (
            "3",
            ALL,
            "camera 3 is missing; connected are: "
            "0 Integrated Camera, 2 HD Webcam C920, 4 HD Webcam C270",
        ),
        (
            "webcam",
            ALL,
            "2 cameras are called 'webcam'; name one by number: "
            "0 Integrated Camera, 2 HD Webcam C920, 4 HD Webcam C270",
        ),
        ("Brio", ALL[:1], "camera Brio is missing; connected are: 0 Integrated Camera"),
        (
            "",
            (),
            "camera is missing: no camera is connected; plug one in, or try `--source puppet:all`",
        ),
        (
            "0",
            (),
            "camera 0 is missing: no camera is connected; plug one in, or try "
            "`--source puppet:all`",
        ),
    ],
)
def test_a_camera_that_is_not_there_is_told_with_those_that_are(
    wanted: str, cameras: tuple[CameraInfo, ...], expected: str
) -> None:
    with pytest.raises(Unavailable) as caught:
        find_camera(wanted, cameras)
    assert str(caught.value) == expected
    assert not caught.value.may_pass


# --- which are here -----------------------------------------------------------------------------


def test_cameras_are_listed_from_the_system(tmp_path: Path) -> None:
    sys_class, dev = tmp_path / "sys", tmp_path / "dev"
    for node, name, index in [
        ("video2", "HD Webcam", "0"),
        ("video3", "HD Webcam", "1"),  # metadata
        ("video0", "Integrated Camera", "0"),
    ]:
        (sys_class / node).mkdir(parents=True)
        (sys_class / node / "name").write_text(f"{name}\n")
        (sys_class / node / "index").write_text(f"{index}\n")
        dev.mkdir(exist_ok=True)
        (dev / node).touch()
    by_id, by_path = dev / "v4l" / "by-id", dev / "v4l" / "by-path"
    for folder in (by_id, by_path):
        folder.mkdir(parents=True)
    (by_path / "pci-usb-0:2").symlink_to("../../video2")
    (by_path / "pci-usb-0:5").symlink_to("../../video0")
    (by_id / "usb-HD_Webcam").symlink_to("../../video2")

    assert list_cameras(sys_class, dev) == (
        CameraInfo(0, "Integrated Camera", str(dev / "video0"), str(by_path / "pci-usb-0:5")),
        CameraInfo(2, "HD Webcam", str(dev / "video2"), str(by_id / "usb-HD_Webcam")),
    )


def test_a_machine_without_cameras_has_none(tmp_path: Path) -> None:
    assert list_cameras(tmp_path / "sys", tmp_path / "dev") == ()


def test_a_camera_reads_as_a_line_of_text() -> None:
    assert str(DESK) == "camera 2 (HD Webcam C920) at /dev/video2"


@pytest.mark.parametrize(
    ("everything", "node", "expected"),
    [
        (0x1, 0, True),
        (0x1000, 0, True),
        (0x84A00001, 0x04200001, True),
        (0x84A00001, 0x04A00000, False),  # the metadata node of a webcam
        (0x2, 0, False),  # an output
    ],
)
def test_a_node_that_delivers_pictures_is_told_from_one_of_metadata(
    everything: int, node: int, expected: bool
) -> None:
    capability = struct.pack(
        "16s32s32sIII12x", b"uvcvideo", b"HD Webcam", b"usb-1", 0x060100, everything, node
    )
    assert captures(capability) is expected


# --- what ails one ------------------------------------------------------------------------------


def refusing(number: int) -> Callable[[int, int, bytes], bytes]:
    def ioctl(handle: int, request: int, argument: bytes) -> bytes:
        raise OSError(number, os.strerror(number))

    return ioctl


@pytest.fixture
def node(tmp_path: Path) -> CameraInfo:
    (tmp_path / "video0").touch()
    return CameraInfo(0, "HD Webcam", str(tmp_path / "video0"))


def test_a_busy_camera_is_told_and_may_pass(node: CameraInfo) -> None:
    why = why_not_opened(node, refusing(errno.EBUSY))
    assert str(why) == (
        "camera 0 (HD Webcam) is busy: another program is using it; close that program"
    )
    assert why.may_pass


def test_a_busy_camera_is_told_with_the_program_that_has_it(node: CameraInfo) -> None:
    name = Path("/proc/self/comm")
    if not name.exists():
        pytest.skip("no /proc on this system")
    with Path(node.path).open():
        why = why_not_opened(node, refusing(errno.EBUSY))
    assert f"is busy: {name.read_text().strip()} is using it" in str(why)


def test_a_camera_that_vanishes_is_missing(node: CameraInfo) -> None:
    for why in (
        why_not_opened(node, refusing(errno.ENODEV)),
        why_not_opened(CameraInfo(0, "HD Webcam", node.path + "x")),
    ):
        assert "camera 0 (HD Webcam) is missing: " in str(why)
        assert not why.may_pass


def test_a_forbidden_camera_is_told_with_what_to_do(node: CameraInfo) -> None:
    why = why_not_opened(node, refusing(errno.EACCES))
    assert str(why).startswith("camera 0 (HD Webcam) may not be opened: ")
    assert "run `sudo usermod -aG " in str(why)
    assert "then log out and in again" in str(why)


def test_a_camera_that_fails_without_a_reason_is_told_to_be_replugged(node: CameraInfo) -> None:
    why = why_not_opened(node, lambda handle, request, argument: argument)
    assert "cannot be opened, though it is there and free; unplug it" in str(why)


# --- a camera and OpenCV ------------------------------------------------------------------------


class Capture:
    """What OpenCV shows of a webcam that sends what it is asked for, and stamps its frames."""

    def __init__(self, position_us: int = 0) -> None:
        self.asked: list[int] = []
        self.values: dict[int, float] = {cv2.CAP_PROP_POS_MSEC: position_us / 1000}
        self.released = False

    def isOpened(self) -> bool:
        return True

    def set(self, which: int, value: float) -> bool:
        self.asked.append(which)
        self.values[which] = value
        return True

    def get(self, which: int) -> float:
        return self.values.get(which, 0.0)

    def grab(self) -> bool:
        return True

    def retrieve(self) -> tuple[bool, Any]:
        bgr = np.zeros((480, 640, 3), np.uint8)
        bgr[:, :, 2] = 200
        return True, bgr

    def release(self) -> None:
        self.released = True


class Desk:
    """A desk on which cameras are plugged in and out."""

    def __init__(self, *cameras: CameraInfo, position_us: int = 0) -> None:
        self.cameras = cameras
        self.opened: list[str | int] = []
        self.capture = Capture(position_us)

    def device(self, wanted: str, **options: Any) -> CameraDevice:
        def capture(where: str | int, backend: int) -> Capture:
            self.opened.append(where)
            return self.capture

        return CameraDevice(wanted, cameras=lambda: self.cameras, capture=capture, **options)


def test_the_format_is_asked_for_before_the_size_and_read_back() -> None:
    desk = Desk(*ALL)
    device = desk.device("c920", linux=True)
    assert device.open() == "640×480 30 fps MJPG"
    assert device.name == "camera 2 (HD Webcam C920)"
    assert desk.opened == ["/dev/video2"]
    assert desk.capture.asked[0] == cv2.CAP_PROP_FOURCC


def test_pictures_are_rgb() -> None:
    device = Desk(*ALL).device("0", linux=True)
    device.open()
    device.grab()
    assert device.retrieve()[0, 0].tolist() == [200, 0, 0]


@pytest.mark.parametrize(
    ("position_us", "expected_us"),
    [
        (59_990_000, 59_990_000),
        (0, 60_000_000),
        (12_000_000, 60_000_000),
        (1_700_000_000_000_000, 60_000_000),
    ],
    ids=["monotonic", "none", "since the stream began", "since 1970"],
)
def test_the_stamp_of_the_driver_is_taken_when_it_is_on_our_clock(
    position_us: int, expected_us: int
) -> None:
    desk = Desk(*ALL, position_us=position_us)
    device = desk.device("0", clock=ManualClock(60_000_000), linux=True)
    device.open()
    assert device.grab() == expected_us


def test_a_replugged_camera_is_found_under_its_new_number() -> None:
    desk = Desk(BUILT_IN, DESK)
    device = desk.device("2", linux=True)
    device.open()
    device.release()

    desk.cameras = (BUILT_IN,)
    with pytest.raises(Unavailable, match=r"camera 2 \(HD Webcam C920\) is missing: it was unplug"):
        device.open()

    desk.cameras = (BUILT_IN, CameraInfo(5, DESK.name, "/dev/video5", DESK.stable_path))
    device.open()
    assert desk.opened == ["/dev/video2", "/dev/video5"]
    assert device.name == "camera 5 (HD Webcam C920)"


def test_a_camera_without_a_stable_name_is_found_by_its_name_if_it_is_the_only_one() -> None:
    plain = CameraInfo(2, "Cam", "/dev/video2")
    desk = Desk(plain)
    device = desk.device("cam", linux=True)
    device.open()
    desk.cameras = (CameraInfo(3, "Cam", "/dev/video3"),)
    device.open()
    assert desk.opened[-1] == "/dev/video3"
    desk.cameras = (CameraInfo(6, "Cam", "/dev/video6"), CameraInfo(8, "Cam", "/dev/video8"))
    with pytest.raises(Unavailable, match="is missing"):
        device.open()


def test_a_camera_of_another_name_does_not_take_its_place() -> None:
    desk = Desk(DESK)
    device = desk.device("2", linux=True)
    device.open()
    desk.cameras = (CameraInfo(2, "Document Camera", "/dev/video2", "/dev/v4l/by-id/usb-doc"),)
    with pytest.raises(Unavailable, match="is missing"):
        device.open()


def test_a_camera_this_user_may_not_open_is_not_tried() -> None:
    desk = Desk(CameraInfo(0, "HD Webcam", "/dev/video0", readable=False))
    with pytest.raises(Unavailable, match="may not be opened") as caught:
        desk.device("0", linux=True).open()
    assert desk.opened == []
    assert not caught.value.may_pass


def test_a_camera_that_stops_is_told() -> None:
    desk = Desk(*ALL)
    device = desk.device("0", linux=True)
    device.open()
    desk.capture.grab = lambda: False
    with pytest.raises(Unavailable, match="sends no pictures any more; was it unplugged"):
        device.grab()
    device.release()
    assert desk.capture.released
    with pytest.raises(Unavailable):
        device.grab()


def test_elsewhere_cameras_are_known_by_number() -> None:
    desk = Desk()
    device = desk.device("1", linux=False)
    device.open()
    assert desk.opened == [1]
    assert device.name == "camera 1"
    with pytest.raises(Unavailable, match="known by number only; write camera:0"):
        desk.device("brio", linux=False).open()


# --- virtual cameras ----------------------------------------------------------------------------


def a_system(root: Path, *, module: bool, devices: dict[str, tuple[str, bool]]) -> Path:
    """Lay out /sys with cameras of these names, real or virtual; return the class's folder."""
    folder = root / "class" / "video4linux"
    folder.mkdir(parents=True)
    if module:
        (root / "module" / "v4l2loopback").mkdir(parents=True)
    for node, (name, virtual) in devices.items():
        real = root / "devices" / ("virtual" if virtual else "pci0000:00") / "video4linux" / node
        real.mkdir(parents=True)
        (real / "name").write_text(f"{name}\n")
        (folder / node).symlink_to(real)
    return folder


CAMERAS = {"video0": ("HD Webcam", False), "video9": ("Shared", True), "video3": ("OBS", True)}


def test_virtual_cameras_are_those_without_hardware(tmp_path: Path) -> None:
    found = virtual_cameras(a_system(tmp_path, module=True, devices=CAMERAS), Path("/dev"))
    assert found is not None
    assert [str(one) for one in found] == [
        "camera 3 (OBS) at /dev/video3",
        "camera 9 (Shared) at /dev/video9",
    ]


def test_without_the_module_there_are_none(tmp_path: Path) -> None:
    assert virtual_cameras(a_system(tmp_path, module=False, devices=CAMERAS)) is None
    (tmp_path / "loaded").mkdir()
    assert virtual_cameras(a_system(tmp_path / "loaded", module=True, devices={})) == ()


def test_everybody_who_has_a_device_open_is_named(tmp_path: Path) -> None:
    for pid, comm, opened in (
        ("12", "zoom", "/dev/video9"),
        ("13", "ffmpeg", "/dev/video9"),
        ("14", "bash", "/dev/pts/0"),
    ):
        (tmp_path / pid / "fd").mkdir(parents=True)
        (tmp_path / pid / "comm").write_text(f"{comm}\n")
        (tmp_path / pid / "fd" / "3").symlink_to(opened)
    assert users_of("/dev/video9", tmp_path) == ("ffmpeg", "zoom")
    assert users_of("/dev/video0", tmp_path) == ()
