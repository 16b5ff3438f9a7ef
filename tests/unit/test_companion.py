"""The companion without any desktop: its line to the daemon, and faces that fail or go on."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from gesturectl import companion, sessionbus
from gesturectl.config import Config
from gesturectl.control import place
from gesturectl.control.line import Line, Row, open_line
from gesturectl.errors import ControlError, DesktopError
from tests.controlled import Running, running

pytestmark = pytest.mark.skipif(not hasattr(os, "getuid"), reason="control needs Unix sockets")

TIMEOUT_S = 10.0


@pytest.fixture
def run(short_folder: Path) -> Iterator[Running]:
    with running(short_folder / "run", {60: "+fist"}) as run:
        yield run


def on_line(folder: Path, do: Callable[[Line], Coroutine[Any, Any, Any]]) -> Any:
    """Do something with a line that is attended."""

    async def go() -> Any:
        async with open_line(folder) as line:
            attending = asyncio.create_task(line.attend())
            try:
                return await asyncio.wait_for(do(line), TIMEOUT_S)
            finally:
                attending.cancel()

    return asyncio.run(go())


def test_answers_find_whoever_asked_also_when_all_ask_at_once(run: Running) -> None:
    async def ask(line: Line) -> list[Row]:
        return await asyncio.gather(
            line.ask("status"), line.ask("mode", "volume"), line.ask("hello")
        )

    status, mode, hello = on_line(run.folder, ask)
    assert (status["profile"], mode["mode"], hello["protocol"]) == ("mine", "volume", 1)


def test_a_refusal_is_raised_in_the_daemons_words(run: Running) -> None:
    with pytest.raises(ControlError, match="did you mean `volume`"):
        on_line(run.folder, lambda line: line.ask("mode", "volum"))


def test_whoever_listens_hears_what_happens_and_no_answers(run: Running) -> None:
    async def listen(line: Line) -> list[Row]:
        heard: list[Row] = []
        with line.listening(heard.append):
            await line.ask("events", True)
            await line.ask("mode", "volume")
            while not any(row["type"] == "state" for row in heard):
                await asyncio.sleep(0.01)
        count = len(heard)
        await line.ask("mode", "active")
        await line.ask("status")
        assert len(heard) == count, "it hears on after it has stopped listening"
        return heard

    kinds = {row["type"] for row in on_line(run.folder, listen)}
    assert "mode" in kinds
    assert "answer" not in kinds


def test_who_waits_for_an_answer_is_told_when_the_daemon_ends(short_folder: Path) -> None:
    with place.claim(short_folder / "run") as claim:
        server = Thread(target=_hang_up_on_the_first_question, args=[claim.door.listener])
        server.start()
        with pytest.raises(ControlError, match="the daemon has ended"):
            on_line(short_folder / "run", lambda line: line.ask("status"))
        server.join()


def _hang_up_on_the_first_question(listener: socket.socket) -> None:
    listener.setblocking(True)
    client, _ = listener.accept()
    client.sendall(b'{"type": "hello", "protocol": 1, "pid": 4711}\n')
    client.recv(4096)
    client.close()


def test_another_protocol_is_not_spoken(short_folder: Path) -> None:
    def greet(listener: socket.socket) -> None:
        listener.setblocking(True)
        client, _ = listener.accept()
        client.sendall(b'{"type": "hello", "protocol": 2, "pid": 4711}\n')
        client.recv(1)
        client.close()

    async def nothing(line: Line) -> None:
        pass

    with place.claim(short_folder / "run") as claim:
        server = Thread(target=greet, args=[claim.door.listener])
        server.start()
        with pytest.raises(ControlError, match="another protocol"):
            on_line(short_folder / "run", nothing)
        server.join()


def test_without_a_daemon_there_is_nothing_to_accompany(short_folder: Path) -> None:
    with pytest.raises(ControlError, match="no gesturectl is running"):
        asyncio.run(companion.accompany({}, Config(), short_folder))


# --- faces --------------------------------------------------------------------------------------


async def _broken(line: Line, settings: Config) -> None:
    raise ZeroDivisionError("a bug")


async def _homeless(line: Line, settings: Config) -> None:
    raise DesktopError("this desktop has no panel")


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faces that fail are tried again at once."""
    monkeypatch.setattr(companion, "PAUSES_S", (0.0, 0.0))


@pytest.mark.usefixtures("hurried")
def test_a_face_that_fails_is_tried_again_and_given_up_alone(
    run: Running, caplog: pytest.LogCaptureFixture
) -> None:
    async def good(line: Line, settings: Config) -> None:
        while len([one for one in caplog.messages if "any more" in one]) < 2:
            await asyncio.sleep(0.01)
        assert (await line.ask("status"))["profile"] == "mine"
        await line.ask("quit")

    async def go() -> None:
        shows = {"tray": _homeless, "display": _broken, "good": good}
        await asyncio.wait_for(companion.accompany(shows, Config(), run.folder), TIMEOUT_S)

    asyncio.run(go())
    assert "no tray any more: this desktop has no panel" in caplog.messages
    assert "no display any more: ZeroDivisionError('a bug')" in caplog.messages
    assert caplog.messages.count("the display has failed") == 3  # with its traceback


@pytest.mark.usefixtures("hurried")
def test_when_no_face_is_left_that_was_it(run: Running) -> None:
    asyncio.run(companion.accompany({"tray": _homeless}, Config(), run.folder))


def test_faces_are_those_that_are_wanted_and_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    assert "tray" not in companion.faces(Config())
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/run/bus")
    assert "tray" in companion.faces(Config())
    assert "tray" not in companion.faces(Config(tray=False))


def test_a_bus_that_nobody_has_named_is_found_where_systemd_puts_it(
    short_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DBUS_SESSION_BUS_ADDRESS", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_folder))
    assert sessionbus.address() is None
    with socket.socket(socket.AF_UNIX) as bus:
        bus.bind(str(short_folder / "bus"))
        assert sessionbus.address() == f"unix:path={short_folder / 'bus'}"
