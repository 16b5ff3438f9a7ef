"""The shipped profiles: what each makes of a story, and what all of them promise.

A file of `profiles/` tells stories of the shipped profile of its name: what happens, after `#`; a
script for `gesturectl simulate`, after `>`; and what that command prints, which may be nothing. An
empty line ends a story.

`UPDATE_GOLDEN=1 pytest tests/golden` writes what is printed now; read the difference before you
commit it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from gesturectl import profile, tryout
from gesturectl.bindings import carried, initial, step
from gesturectl.config import Config
from gesturectl.explain import Moment, explain
from gesturectl.rules import ACTIVE, SLEEP, Profile
from gesturectl.simulate import simulate
from gesturectl.types import Entered, KeyDown, KeyUp, UserInput, Window

STORIES = Path(__file__).parent / "profiles"
NAMES = sorted(profile.shipped())
PANIC_KEYS = frozenset({"ctrl", "alt", "Pause"})
HARMLESS = {"Left", "Right", "Page_Up", "Page_Down", "Home", "Return"}

# What the shipped profiles' cues are called is long; these are the stories' first words.
WAKES = {
    "accessibility-one-hand": "open_palm+ dwell:1s open_palm-",
    "accessibility-body": "{cue}+ t:1.6s {cue}-".format(cue="angle:head_right>20,hysteresis=10"),
    "exergame": "arms_up+ t:1.1s arms_up-",
    "kiosk": "presence:after=1.5s,gone=4s+",
    "rehab": "wave",
}
PALM = "open_palm+ dwell:800ms open_palm-"


@pytest.fixture(params=NAMES)
def shipped(request: pytest.FixtureRequest) -> tuple[str, Profile]:
    name: str = request.param
    return name, profile.load(profile.shipped()[name])


def test_every_shipped_profile_has_stories() -> None:
    assert [path.stem for path in sorted(STORIES.glob("*.txt"))] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_these_stories_end_in_these_commands(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))  # no profile of the user's own instead
    file = STORIES / f"{name}.txt"
    told = file.read_text("utf-8")
    stories = [story.splitlines() for story in told.split("\n\n")]
    plays = "\n\n".join("\n".join(played(name, story, capsys)) for story in stories) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(plays, "utf-8")
        told = plays
    assert plays == told


def played(name: str, story: list[str], capsys: pytest.CaptureFixture[str]) -> Iterable[str]:
    """Return a story with what the command prints now."""
    says, script = story[:2]
    assert says.startswith("# ")
    assert script.startswith("> ")
    tryout.play(name, script.removeprefix("> "), Config(), as_json=False)
    return says, script, *capsys.readouterr().out.splitlines()


# --- what all of them promise --------------------------------------------------------------------


def test_it_starts_asleep_and_its_wake_wakes_it(shipped: tuple[str, Profile]) -> None:
    name, chosen = shipped
    assert chosen.initial == SLEEP
    entered = [one.mode for one in simulate(chosen, wake(name)) if isinstance(one, Entered)]
    assert entered[:1] == [ACTIVE]


def test_asleep_no_gesture_presses_anything_whatever_is_in_front(
    shipped: tuple[str, Profile],
) -> None:
    """All gestures in turn, each for less than a wake takes, and then each stroke."""
    _, chosen = shipped
    asleep = " ".join(f"{name}+ t:100 {name}- t:100" for name in sorted(chosen.gestures))
    for app in ("", "app:mpv ", "app:firefox "):
        sent = [*simulate(chosen, app + asleep.replace("wave+ t:100 wave-", ""))]
        assert [one for one in sent if not isinstance(one, Entered)] == []


def test_its_panic_keys_let_go_and_send_it_to_sleep(shipped: tuple[str, Profile]) -> None:
    name, chosen = shipped
    assert chosen.panic_keys == PANIC_KEYS
    sent = list(simulate(chosen, f"{wake(name)} key:ctrl+alt+Pause"))
    modes = [one.mode for one in sent if isinstance(one, Entered)]
    assert modes[-1] == SLEEP


def test_a_gesture_is_panic_too(shipped: tuple[str, Profile]) -> None:
    _, chosen = shipped
    assert chosen.panic is not None


def test_the_real_keyboard_comes_first(shipped: tuple[str, Profile]) -> None:
    _, chosen = shipped
    assert chosen.safety.takeback_us is not None
    assert chosen.safety.takeback_us >= 1_000_000
    state, _ = step(chosen, initial(chosen), UserInput(0, frozenset({"a"})))
    assert state.quiet_us == chosen.safety.takeback_us


def test_left_alone_it_goes_to_sleep(shipped: tuple[str, Profile]) -> None:
    name, chosen = shipped
    sent = list(simulate(chosen, f"{wake(name)} t:301s"))
    assert [one.mode for one in sent if isinstance(one, Entered)] == [ACTIVE, SLEEP]


def test_no_mode_that_is_awake_lasts_for_ever(shipped: tuple[str, Profile]) -> None:
    _, chosen = shipped
    assert [one.name for one in chosen.modes.values() if one.after_us is None] == [SLEEP]


def test_another_shipped_profile_in_its_place_starts_as_this_one_was_left(
    shipped: tuple[str, Profile],
) -> None:
    _, chosen = shipped
    slides = profile.load(profile.shipped()["slides"])
    state = carried(slides, initial(chosen))
    assert state.mode == SLEEP


def test_every_binding_is_explained_where_it_is_heard(shipped: tuple[str, Profile]) -> None:
    """In its own mode and window each acts, or says which other stands before it."""
    _, chosen = shipped
    for binding in chosen.bindings:
        mode = next(iter(binding.modes)) if binding.modes else ACTIVE
        body = any(name.startswith(("chord:", "angle:", "reps:")) for name in binding.gestures)
        side = "body" if body else "right" if binding.side == "either" else binding.side
        moment = Moment(
            binding.gestures[-1],
            side=side,  # type: ignore[arg-type]
            mode=mode,
            window=window_of(chosen, binding.application),
            armed=True,
            shown=frozenset((one.name, side) for one in binding.require),  # type: ignore[misc]
        )
        verdicts = {id(one.binding): one for one in explain(chosen, moment)}
        verdict = verdicts[id(binding)]
        assert verdict.acts, f"line {binding.line}: {verdict.why}"
        assert verdict.why.startswith("acts")


# --- what some of them promise -------------------------------------------------------------------


def test_explain_says_why_a_thumb_loads_no_page_anew() -> None:
    slides = profile.load(profile.shipped()["slides"])
    moment = Moment("thumb_up", window=Window(0, app="firefox", title="reveal.js"))
    does, *others = explain(slides, moment)
    assert does.binding.actions[0].value == ("F11",)
    assert {verdict.why for verdict in others} == {
        f"line {does.binding.line} acts at the same moment, and comes before it",
        "it is for Google Slides: windows with title Google Slides",
    }


def test_explain_says_what_a_sleeping_profile_waits_for() -> None:
    media = profile.load(profile.shipped()["media"])
    (restless,) = explain(media, Moment("dwell:800ms", mode=SLEEP))
    assert restless.why == "it asks for open_palm at the same time"
    shown = frozenset({("open_palm", "right")})
    (woken,) = explain(media, Moment("dwell:800ms", mode=SLEEP, shown=shown))  # type: ignore[arg-type]
    assert woken.acts
    others = {one.why for one in explain(media, Moment("dwell:500ms", mode=SLEEP, shown=shown))}  # type: ignore[arg-type]
    assert others == {
        "it is heard in the mode active, and this is sleep",
        "it is for mpv: windows with app mpv",
        "it is for VLC: windows with app vlc",
        "it is for YouTube: windows with title YouTube",
    }


def test_a_stranger_at_the_kiosk_can_press_nothing_but_keys_that_turn_pages() -> None:
    kiosk = profile.load(profile.shipped()["kiosk"])
    assert kiosk.keys == HARMLESS
    assert not kiosk.points
    assert {action.name for one in kiosk.bindings for action in one.all_actions} == {"key", "mode"}


def test_rehab_presses_nothing_and_says_what_it_is_not() -> None:
    rehab = profile.load(profile.shipped()["rehab"])
    assert rehab.keys == frozenset()
    assert "not a medical device" in rehab.says


def test_one_hand_and_the_body_are_complete() -> None:
    """One of each kind of landmarks is enough, from waking to panic, with a pointer and keys."""
    one_hand = profile.load(profile.shipped()["accessibility-one-hand"])
    assert (one_hand.needs.hands, one_hand.needs.bodies) == (1, 0)
    body = profile.load(profile.shipped()["accessibility-body"])
    assert (body.needs.hands, body.needs.bodies) == (0, 1)
    for chosen in (one_hand, body):
        assert chosen.points
        assert chosen.pointer.dwell_us > 0
        assert {"Return", "Escape", "Tab"} <= chosen.keys


def test_no_shipped_profile_holds_a_key_that_a_lost_hand_leaves_down(
    shipped: tuple[str, Profile],
) -> None:
    name, chosen = shipped
    everything = " ".join(f"{one}+ t:300" for one in sorted(chosen.gestures))
    sent = list(simulate(chosen, f"{wake(name)} {everything} lost"))
    down = [one.key for one in sent if isinstance(one, KeyDown)]
    up = [one.key for one in sent if isinstance(one, KeyUp)]
    assert sorted(down) == sorted(up)


def wake(name: str) -> str:
    return WAKES.get(name, PALM)


def window_of(chosen: Profile, application: int | None) -> Window:
    """Return a window of this application, and of none that stands before it."""
    if application is None:
        return Window(0)
    found = {
        "Google Slides": Window(0, app="firefox", title="Talk - Google Slides"),
        "browsers": Window(0, app="Firefox"),
        "PDF viewers": Window(0, app="Evince", title="talk.pdf"),
        "YouTube": Window(0, app="firefox", title="Cats - YouTube"),
        "players": Window(0, app="Celluloid"),
    }
    name = chosen.applications[application].name
    return found.get(name) or Window(0, app=name)
