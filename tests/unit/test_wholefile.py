"""Small files are whole or not there, and for their owner only."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gesturectl import wholefile


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_in_place_of_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "state" / "token"
    wholefile.write(path, b"first")
    wholefile.write(path, b"second")
    assert path.read_bytes() == b"second"
    assert names(path.parent) == ["token"]


@pytest.mark.parametrize(
    ("private", "file", "folder"), [(True, 0o600, 0o700), (False, 0o644, 0o755)]
)
def test_who_may_read_it(private: bool, file: int, folder: int, tmp_path: Path) -> None:
    path, umask = tmp_path / "new" / "file", os.umask(0o022)
    try:
        wholefile.write(path, b"x", private=private)
    finally:
        os.umask(umask)
    assert (mode(path), mode(path.parent)) == (file, folder)


def test_a_file_that_others_could_read_becomes_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "consent.json"
    path.write_bytes(b"{}")
    path.chmod(0o644)
    wholefile.write(path, b"{}")
    assert mode(path) == 0o600


def test_a_part_that_was_left_behind_is_no_obstacle(tmp_path: Path) -> None:
    path = tmp_path / "file"
    wholefile.part_of(path).write_bytes(b"half of an earl")
    wholefile.write(path, b"whole")
    assert path.read_bytes() == b"whole"
    assert names(tmp_path) == ["file"]


def test_a_link_in_the_place_of_the_part_is_not_followed(tmp_path: Path) -> None:
    precious, path = tmp_path / "precious", tmp_path / "file"
    precious.write_bytes(b"precious")
    wholefile.part_of(path).symlink_to(precious)
    wholefile.write(path, b"whole")
    assert precious.read_bytes() == b"precious"
    assert not path.is_symlink()


def test_where_it_cannot_be_renamed_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "file" / "inside").mkdir(parents=True)  # a folder has its name
    with pytest.raises(OSError, match="file"):
        wholefile.write(tmp_path / "file", b"whole")
    assert names(tmp_path) == ["file"]


def test_of_a_disk_that_is_full_the_file_before_is_left(tmp_path: Path) -> None:
    path = tmp_path / "file"
    wholefile.write(path, b"before")
    code = (
        "import resource, signal, sys, pathlib; from gesturectl import wholefile\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "wholefile.write(pathlib.Path(sys.argv[1]), bytes(10000))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, path], check=False, capture_output=True, text=True
    )
    assert ended.returncode == 1
    assert "OSError" in ended.stderr
    assert path.read_bytes() == b"before"
    assert names(tmp_path) == ["file"]
