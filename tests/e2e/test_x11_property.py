"""Whatever is sent to the sink x11, in whatever layout: after leaving, nothing is down."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gesturectl.sinks.x11 import X11Sink
from gesturectl.types import (
    ButtonDown,
    ButtonUp,
    Command,
    KeyDown,
    KeyUp,
    MoveBy,
    Scroll,
    Text,
)
from tests.e2e.xserver import XServer

pytestmark = pytest.mark.slow

# Plain, shifted, third-level and lent keys, modifiers, and names that share a keycode.
KEYS = st.sampled_from(["a", "A", "shift", "ctrl", "z", "@", "plus", "F13", "я", "你", "Right"])
BUTTONS = st.sampled_from(["left", "middle", "right"])
COMMANDS: st.SearchStrategy[list[Command]] = st.lists(
    st.one_of(
        st.builds(KeyDown, st.just(0), KEYS),
        st.builds(KeyUp, st.just(0), KEYS),
        st.builds(ButtonDown, st.just(0), BUTTONS),
        st.builds(ButtonUp, st.just(0), BUTTONS),
        st.builds(Scroll, st.just(0), st.floats(-2, 2), st.floats(-2, 2)),
        st.builds(MoveBy, st.just(0), st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)),
        st.builds(Text, st.just(0), st.text("aÄя🙂 \n", max_size=4)),
    ),
    max_size=12,
)


@settings(
    max_examples=20,
    deadline=None,  # the server and other programs share the machine
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(commands=COMMANDS, layout=st.sampled_from(["us", "de", "ru", "us,ru"]))
def test_after_leaving_nothing_is_down_and_no_keycode_is_lent(
    desktop: XServer, commands: list[Command], layout: str
) -> None:
    desktop.set_layout(layout)
    spare = desktop.spare_keycodes()
    with X11Sink(desktop.display) as sink:
        for command in commands:
            sink.send(command)
    assert desktop.down() == set()
    assert desktop.spare_keycodes() == spare
