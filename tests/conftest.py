"""Shared by all tests: where real data is, and what a test may demand of the machine."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gesturectl.bundles import hand_bundle, pose_bundle
from gesturectl.errors import ModelError

if TYPE_CHECKING:
    from tests.controlled import Transport

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings, which a user's checkout does not have."""
    folder = Path(os.environ.get("GESTURECTL_TEST_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no recordings at {folder}; set GESTURECTL_TEST_DATA to a copy")
    return folder


@pytest.fixture(autouse=True)
def _no_gestures_of_the_developer_s_own(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tests, and the programs they start, know no taught gestures, keep none of anybody, and are
    one daemon each, which shows nothing in the developer's own panel."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / "run"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "data"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / "state"))
    # Nor does the screen of whoever runs the tests, locked at night, pause what they start.
    for which in ("SESSION", "SYSTEM"):
        monkeypatch.setenv(f"DBUS_{which}_BUS_ADDRESS", f"unix:path={home / 'no-bus'}")


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose path leaves room for the name of a socket, which has 108 bytes at most."""
    with tempfile.TemporaryDirectory(prefix="gc-") as folder:
        yield Path(folder)


@pytest.fixture(params=["sockets", "pipes"])
def by(request: pytest.FixtureRequest, short_folder: Path) -> Transport:
    """Each transport of control in turn."""
    from tests.controlled import SOCKETS, pipes_in  # no other test needs so much to begin

    return SOCKETS if request.param == "sockets" else pipes_in(short_folder)


@dataclass(frozen=True, slots=True)
class Bundles:
    """Where the real landmark models are."""

    hand: Path
    pose: Path


@pytest.fixture(scope="session")
def bundles() -> Bundles:
    """The real landmark models: the user's own where they are ready, else obtained once.

    Without a network a developer's tests skip; under CI they fail.
    """
    try:
        return Bundles(hand_bundle(), pose_bundle())
    except ModelError as error:
        if os.environ.get("CI"):
            pytest.fail(str(error))
        pytest.skip(str(error))


def require_program(*names: str) -> None:
    """Skip a test whose programs are missing; under CI they must be there, so fail.

    `make test` installs all of them where it can.
    """
    missing = [name for name in names if shutil.which(name) is None]
    if not missing:
        return
    message = f"not installed: {', '.join(missing)}; `make test` installs them through apt"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
