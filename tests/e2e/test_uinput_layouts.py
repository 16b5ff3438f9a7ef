"""Which keys the sink `uinput` presses for characters, by the layout of a real X server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gesturectl import keys
from gesturectl.errors import SinkError
from gesturectl.sinks.uinputlayout import XLayout
from tests.e2e.xserver import XServer

pytestmark = pytest.mark.slow

SHIFT, ALTGR = 42, 100


@pytest.fixture
def layout(desktop: XServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[XLayout]:
    monkeypatch.setenv("DISPLAY", desktop.display)
    layout = XLayout()
    yield layout
    layout.close()


def pressed(layout: XLayout, name: str) -> tuple[int, ...]:
    """Return the keys to hold and to press, by the kernel's numbers."""
    stroke = layout.stroke(keys.lookup(name))
    return (*stroke.holding, stroke.keycode)


def test_characters_are_where_the_layout_has_them(desktop: XServer, layout: XLayout) -> None:
    desktop.set_layout("us")
    assert [pressed(layout, name) for name in ("y", "Y", "?")] == [(21,), (SHIFT, 21), (SHIFT, 53)]
    desktop.set_layout("de")  # and they follow it when it is changed
    assert [pressed(layout, name) for name in ("y", "ä", "?", "@")] == [
        *((44,), (40,), (SHIFT, 12), (ALTGR, 16)),
    ]


def test_what_only_another_layout_has_is_refused(desktop: XServer, layout: XLayout) -> None:
    desktop.set_layout("us,ru")
    assert pressed(layout, "a") == (30,)
    with pytest.raises(SinkError, match="я is in another keyboard layout than the one in use"):
        layout.stroke(keys.lookup("я"))


def test_what_no_key_types_is_refused(desktop: XServer, layout: XLayout) -> None:
    desktop.set_layout("us")
    with pytest.raises(SinkError, match="no key for 你, and the sink uinput can lend none"):
        layout.stroke(keys.lookup("你"))
