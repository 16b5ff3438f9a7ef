"""A profile while it runs: the window in front, a file that is saved, real hands at the keyboard.

The real daemon in a real X server plays a film of hands; nothing but the landmark models is left
out.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import require_program
from tests.e2e.films import Film, acted, filmed
from tests.e2e.process import START_S, finished, gesturectl
from tests.e2e.programs import Program
from tests.e2e.windows import Hand
from tests.e2e.xserver import Listener, XServer, tap, wait_until

pytestmark = pytest.mark.slow

EFFECT_S = 5.0  # half a second for two looks at the file, and two fingers every second
TAKEBACK_S = 2.0
CTRL, ALT, PAUSE, A = 37, 64, 127, 38  # keycodes of a PC keyboard

PROFILE = """\
version: 1
safety:
  takeback: 2s
  panic: {keys: ctrl+alt+Pause}
modes:
  sleep: {wake: {gesture: horns}}
bindings:
  - {gesture: victory, cooldown: 0ms, do: {key: a}}
  - {gesture: fist, while: true, do: {key: shift}}
"""


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    path = tmp_path / "mine.yaml"
    path.write_text(PROFILE, "utf-8")
    return path


@pytest.fixture(autouse=True)
def no_repeats(desktop: XServer) -> Iterator[None]:
    """A key that is held repeats, as with a real keyboard; here each press shall count once."""
    require_program("xdotool", "xset")
    desktop.call("xset", "r", "off")
    yield
    desktop.call("xset", "r", "on")


def signs(folder: Path, seconds: int = 90) -> str:
    """Film two fingers that are shown every second."""
    film = Film().show("open_palm", 0.5).show("victory", 0.5)
    return filmed(folder / "signs.jsonl", film.frames(times=seconds))


def fist(folder: Path) -> str:
    """Film a hand that stays closed."""
    return filmed(folder / "fist.jsonl", Film().show("open_palm", 0.5).show("fist", 30.0).frames())


@contextmanager
def running(desktop: XServer, source: str, profile: Path | str) -> Iterator[subprocess.Popen[str]]:
    arguments = ("run", "--source", source, "--profile", profile, "--sink", "x11")
    with gesturectl(*arguments, env=desktop.env) as process:
        yield process


def ended(process: subprocess.Popen[str]) -> str:
    """Stop the daemon as a service is stopped; return what it said."""
    process.send_signal(signal.SIGTERM)
    code, out, said = finished(process)
    assert code == 0, said
    return out + said


def comes(listener: Listener, key: str, within_s: float = EFFECT_S) -> bool:
    return wait_until(lambda: ("press", key) in listener.received(), within_s)


# --- the window in front -------------------------------------------------------------------------


def test_the_same_stroke_is_another_key_in_another_window(desktop: XServer, tmp_path: Path) -> None:
    """Slides are turned by arrows, a PDF by Page Down, which X11 calls Next."""
    swipe = "swipe_left,wait:500ms"
    source = acted(tmp_path / "film.jsonl", f"open_palm:1.3s,{','.join([swipe] * 12)}")
    with Program(desktop) as program:
        slides = program.open("libreoffice-impress", "Talk")
        pdf = program.open("Evince", "paper.pdf")
        program.bring_to_front(slides)
        with running(desktop, source, "slides") as process:
            assert wait_until(lambda: bool(program.received(slides)), START_S), finished(process)
            program.bring_to_front(pdf)
            before = program.received(slides)
            assert wait_until(lambda: len(program.received(pdf)) >= 2, 15.0)
            program.bring_to_front(slides)
            turned = program.received(pdf)
            assert wait_until(lambda: len(program.received(slides)) >= len(before) + 2, 15.0)
            ended(process)
        assert turned == tap("Next") * (len(turned) // 2)
        again = program.received(slides)
        assert again == tap("Right") * (len(again) // 2)


# --- a file that is saved ------------------------------------------------------------------------


def in_place(path: Path, text: str) -> None:
    path.write_text(text, "utf-8")


def by_renaming(path: Path, text: str) -> None:
    """As vim, VS Code and most others do, so that no reader ever sees half a file."""
    beside = path.with_name(".mine.yaml.swp")
    beside.write_text(text, "utf-8")
    beside.replace(path)


def deleted_first(path: Path, text: str) -> None:
    path.unlink()
    path.write_text(text, "utf-8")


@pytest.mark.parametrize("save", [in_place, by_renaming, deleted_first])
def test_what_is_saved_counts_and_what_is_broken_does_not(
    desktop: XServer,
    listener: Listener,
    profile: Path,
    tmp_path: Path,
    save: Callable[[Path, str], None],
) -> None:
    with running(desktop, signs(tmp_path), profile) as process:
        assert comes(listener, "a", START_S), finished(process)
        save(profile, PROFILE.replace("key: a", "key: b"))
        assert comes(listener, "b")
        save(profile, PROFILE.replace("victory", "victoryy"))
        listener.clear()
        assert comes(listener, "b"), "the old profile has not stayed"
        save(profile, PROFILE.replace("key: a", "key: c"))
        assert comes(listener, "c")
        assert "a" not in {key for _, key in listener.received()}
        said = ended(process)
    assert "unknown gesture `victoryy`" in said
    assert said.count("the old profile stays") == 1
    assert said.count("reloaded") - said.count("not reloaded") == 2


def test_saving_lets_go_of_what_the_old_profile_holds(
    desktop: XServer, listener: Listener, profile: Path, tmp_path: Path
) -> None:
    with running(desktop, fist(tmp_path), profile) as process:
        assert comes(listener, "Shift_L", START_S), finished(process)
        by_renaming(profile, PROFILE.replace("gesture: fist", "gesture: ok"))
        assert wait_until(lambda: not desktop.down(), EFFECT_S)
        assert process.poll() is None


# --- real hands ----------------------------------------------------------------------------------


def by_another_program(desktop: XServer, *keycodes: int) -> None:
    """Somebody works from afar: XTEST, as remote control and on-screen keyboards inject it."""
    names = {CTRL: "ctrl", ALT: "alt", PAUSE: "Pause", A: "a"}
    desktop.call("xdotool", "key", "+".join(names[one] for one in keycodes))


def at_the_keyboard(desktop: XServer, *keycodes: int) -> None:
    """Somebody presses keys of the keyboard that the server has."""
    hand = Hand(desktop)
    hand.press(*keycodes)
    hand.release(*reversed(keycodes))
    hand.leave()


@pytest.mark.parametrize("press", [by_another_program, at_the_keyboard])
def test_real_keys_let_go_at_once_and_gestures_rest_for_their_time(
    desktop: XServer,
    listener: Listener,
    profile: Path,
    tmp_path: Path,
    press: Callable[..., None],
) -> None:
    profile.write_text(PROFILE.replace("key: a", "key: b"), "utf-8")
    held = Film().show("fist", 1.5)
    for _ in range(60):
        held.show("open_palm", 0.5).show("victory", 0.5)
    source = filmed(tmp_path / "film.jsonl", held.frames())
    with running(desktop, source, profile) as process:
        assert wait_until(lambda: bool(desktop.down()), START_S), finished(process)
        press(desktop, A)
        assert wait_until(lambda: not desktop.down(), 1.0)
        listener.clear()
        for _ in range(3):  # as long as somebody types, and for two seconds more
            press(desktop, A)
            assert not wait_until(lambda: ("press", "b") in listener.received(), 1.0)
        assert comes(listener, "b", TAKEBACK_S + EFFECT_S)
        ended(process)


@pytest.mark.parametrize("press", [by_another_program, at_the_keyboard])
def test_panic_keys_let_go_and_nothing_more_is_heard_until_somebody_wakes_it(
    desktop: XServer,
    listener: Listener,
    profile: Path,
    tmp_path: Path,
    press: Callable[..., None],
) -> None:
    profile.write_text(PROFILE.replace("key: a", "key: b").replace("  takeback: 2s\n", ""), "utf-8")
    film = Film().show("fist", 1.5)
    for _ in range(6):
        film.show("open_palm", 0.5).show("victory", 0.5)
    film.show("open_palm", 0.5).show("horns", 0.6)
    for _ in range(6):
        film.show("open_palm", 0.5).show("victory", 0.5)
    with running(desktop, filmed(tmp_path / "film.jsonl", film.frames()), profile) as process:
        assert wait_until(lambda: bool(desktop.down()), START_S), finished(process)
        press(desktop, CTRL, ALT, PAUSE)
        assert wait_until(lambda: not desktop.down(), 1.0)
        listener.clear()
        assert not comes(listener, "b", 3.0)
        assert comes(listener, "b", 8.0), "horns have not woken it"
        ended(process)
