"""Text of any script arrives in a real terminal emulator, whatever the layout."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gesturectl.sinks.x11 import X11Sink
from gesturectl.types import KeyDown, KeyUp, Text
from tests.conftest import require_program
from tests.e2e.xserver import Listener, XServer, wait_until

pytestmark = pytest.mark.slow

MANY_SCRIPTS = "Grüße, Привет, 你好 🙂"
MANY_CHARACTERS = "".join(chr(0x4E00 + place) for place in range(60))


@contextmanager
def terminal(desktop: XServer, file: Path) -> Iterator[None]:
    """An xterm that has the focus and writes what is typed into a file, line by line."""
    require_program("xterm", "xdotool")
    shell = shutil.which("sh")
    assert shell is not None
    process = subprocess.Popen(
        ["xterm", "-u8", "-e", shell, "-c", f"stty -echo; touch {file}.ready; cat > {file}"],
        env=desktop.env,
    )
    try:
        assert wait_until(Path(f"{file}.ready").exists, 15), "xterm does not start"
        assert wait_until(lambda: focused(desktop) == str(process.pid)), "xterm gets no focus"
        yield
    finally:
        process.terminate()
        process.wait()


def focused(desktop: XServer) -> str:
    """Return the process of the window that has the focus."""
    answer = subprocess.run(
        ["xdotool", "getwindowfocus", "getwindowpid"],
        env=desktop.env, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return answer.stdout.strip()


def typed(desktop: XServer, file: Path, sink: X11Sink, text: str) -> str:
    """Type a text and a newline into the terminal; return what arrived."""
    sink.send(Text(0, text + "\n"))
    wait_until(lambda: file.exists() and file.read_text("utf-8").endswith("\n"))
    return file.read_text("utf-8").removesuffix("\n")


@pytest.mark.parametrize("layout", ["us", "de", "ru", "us,ru", "fr", "jp", "gr"])
@pytest.mark.parametrize(
    "text",
    [MANY_SCRIPTS, r"""C:\> "it's" {[@#~|`^]} 100 %""", MANY_CHARACTERS],
    ids=["scripts", "punctuation", "characters"],
)
def test_text_arrives_in_a_terminal(
    desktop: XServer, tmp_path: Path, layout: str, text: str
) -> None:
    desktop.set_layout(layout)
    file = tmp_path / "typed"
    with terminal(desktop, file), X11Sink(desktop.display) as sink:
        assert typed(desktop, file, sink, text) == text


def test_text_ignores_caps_lock_and_leaves_it_on(desktop: XServer, listener: Listener) -> None:
    desktop.call("xdotool", "key", "Caps_Lock")
    listener.clear()
    with X11Sink(desktop.display) as sink:
        sink.send(Text(0, "aB ä"))
        pressed = [name for what, name in listener.received(10) if what == "press"]
    desktop.call("xdotool", "key", "q")
    assert ("press", "Q") in listener.received(2)
    desktop.call("xdotool", "key", "Caps_Lock")
    assert pressed == ["a", "Shift_L", "B", " ", "ä"]


def test_text_is_right_while_the_user_holds_shift(desktop: XServer, listener: Listener) -> None:
    """Shift of a real keyboard cannot be lifted from outside: what it would change is lent."""
    desktop.call("xdotool", "keydown", "Shift_L")
    listener.clear()
    with X11Sink(desktop.display) as sink:
        sink.send(Text(0, "aB 1?"))
        pressed = [name for what, name in listener.received(10) if what == "press"]
    desktop.call("xdotool", "keyup", "Shift_L")
    assert pressed == ["a", "B", " ", "1", "?"]


def test_text_is_not_typed_while_the_user_holds_ctrl(
    desktop: XServer, listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    """Ctrl and `q` would close what the user works in."""
    desktop.call("xdotool", "keydown", "Control_L")
    listener.clear()
    with X11Sink(desktop.display) as sink:
        sink.send(Text(0, "quit"))
        assert listener.received() == []
    desktop.call("xdotool", "keyup", "Control_L")
    assert "not typed: Ctrl, Alt or Super is held down" in caplog.text


def test_a_key_held_is_still_held_after_a_text_that_contains_it(
    desktop: XServer, listener: Listener
) -> None:
    with X11Sink(desktop.display) as sink:
        sink.send(KeyDown(0, "a"))
        assert wait_until(lambda: len(desktop.down()) == 1)
        listener.clear()
        sink.send(Text(0, "ab"))
        assert listener.received(6)[:4] == [
            *[("release", "a"), ("press", "a"), ("release", "a"), ("press", "a")]
        ]
        assert len(desktop.down()) == 1
        sink.send(KeyUp(0, "a"))


def test_control_characters_are_left_out(desktop: XServer, listener: Listener) -> None:
    with X11Sink(desktop.display) as sink:
        sink.send(Text(0, "a\x1b\x07b\tc\r\n"))
        pressed = [name for what, name in listener.received(10) if what == "press"]
    assert pressed == ["a", "b", "Tab", "c", "Return"]
