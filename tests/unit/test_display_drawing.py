"""Facts about the pictures of the display: sizes, what is opaque, how full, how wide."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from gesturectl.config import Display, Spot
from gesturectl.display import drawing, sounds, spots, words
from gesturectl.display.canvas import Canvas
from gesturectl.display.drawing import FOOT, HEIGHT, RING, WIDTH, WORD, Look, Picture
from gesturectl.display.seeing import Rest
from gesturectl.display.spots import Monitor
from tests.shown import FIST, HOLD, RESTING, SURE, SWIPE, view

GREEN = drawing.PAINTS["normal"].sure
LONG = "a gesture with a name that somebody has written without any thought of small panels"


def opaque_box(picture: Picture) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of what is seen."""
    rows, columns = np.nonzero(picture[:, :, 3] > 20)
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def like(picture: Picture, colour: tuple[int, int, int]) -> int:
    """How many pixels have this colour."""
    away = np.abs(picture[:, :, :3].astype(int) - colour).max(axis=2)
    return int((away < 12).sum())


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("size", [0.5, 1.0, 3.0])
def test_a_picture_has_the_size_that_is_asked_for(scale: float, size: float) -> None:
    look = Look(Display(size=size), scale)
    picture = drawing.panel(look, view(candidate=FIST, fired=SWIPE))
    assert picture.shape == (round(HEIGHT * size * scale), round(WIDTH * size * scale), 4)
    ring = drawing.ring(look, Rest(0.5, "left", None))
    assert ring.shape == (round((RING + WORD) * size * scale), round(RING * size * scale), 4)


@pytest.mark.parametrize("place", get_args(Spot))
def test_a_closed_panel_is_small_and_stands_at_its_side_of_the_open_one(place: Spot) -> None:
    look = Look(Display(place=place))
    open_box = opaque_box(drawing.panel(look, view(1.0, candidate=FIST)))
    assert open_box == (0, 0, WIDTH, HEIGHT)
    left, top, right, bottom = opaque_box(drawing.panel(look, view(0.0)))
    assert bottom - top <= FOOT + 1
    assert right - left < WIDTH / 2
    across, down = spots.sides(place)
    assert (top == 0) is (down < 0)
    assert (bottom == HEIGHT) is (down >= 0)
    assert (left == 0) is (across < 0)
    assert (right == WIDTH) is (across > 0)


def test_colours_are_times_alpha_as_desktops_want_them() -> None:
    for one in (view(0.5, 1.0, candidate=SURE, fired=SWIPE), view(0.0)):
        picture = drawing.panel(Look(Display(opacity=0.5)), one)
        assert (picture[:, :, :3].max(axis=2) <= picture[:, :, 3].astype(int) + 1).all()


def test_in_high_contrast_nothing_shines_through() -> None:
    high = Look(Display(contrast="high", opacity=0.3))
    middle = drawing.panel(high, view(candidate=FIST))[8:-8, 8:-8]
    assert (middle[:, :, 3] == 255).all()
    faint = drawing.panel(Look(Display(opacity=0.3)), view())[20, 150]
    assert faint[3] < 90


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 0.75, 1.0])
def test_a_ring_is_as_full_as_what_has_passed(share: float) -> None:
    def full(part: float) -> int:
        canvas = Canvas(100, 100)
        canvas.arc((50, 50), 40, 8, GREEN, share=part)
        return int((canvas.pixels[:, :, 3] > 0.5).sum())

    round_ends = 8 * 8 * 3.14 / 4 if share < 1 else 0
    assert full(share) == pytest.approx(share * full(1.0) + round_ends, rel=0.03)


def test_a_hold_is_seen_as_it_grows() -> None:
    shares = [0.1, 0.4, 0.7, 1.0]
    greens = [
        like(drawing.panel(Look(), view(progress=HOLD | {"fraction": share})), GREEN)
        for share in shares
    ]
    assert greens == sorted(greens)
    assert greens[-1] > greens[0] + 400  # the hand of the mode is as green


def test_what_counts_differs_from_what_does_not_without_any_colour() -> None:
    likely, active = (
        drawing.panel(Look(), view(candidate=FIST | {"p": 0.9, "active": one}))[:, :, :3].max(2)
        for one in (False, True)
    )
    edge = slice(34, 38)  # above the bar
    assert (active[edge] > 200).sum() > (likely[edge] > 200).sum() + 100


def test_a_countdown_without_a_place_is_shown_in_the_panel() -> None:
    with_it = drawing.panel(Look(), view(pointer=RESTING | {"choice": "double"}))
    assert like(with_it, GREEN) > like(drawing.panel(Look(), view()), GREEN) + 100


def test_the_middle_of_the_ring_is_free() -> None:
    look = Look()
    picture = drawing.ring(look, Rest(0.9, "left", None))
    x, y = drawing.hot_spot(look)
    assert (picture[y - 15 : y + 15, x - 15 : x + 15, 3] == 0).all()
    assert like(drawing.ring(look, Rest(0.9, "drag", None))[RING:], (246, 245, 244)) > 20
    assert (picture[RING:, :, 3] == 0).all()


@pytest.mark.parametrize(
    "text", [LONG, "свайп_влево", "向左滑动", "תנועה", "👍🏽", "", "\u0000\uffff"]
)
@pytest.mark.parametrize("contrast", ["normal", "high"])
def test_any_name_stays_within_the_panel(text: str, contrast: str) -> None:
    look = Look(Display(contrast=contrast))  # type: ignore[arg-type]
    fired = SWIPE | {"gesture": text, "does": text}
    one = view(candidate=FIST | {"gesture": text}, fired=fired, mode=text, armed=True)
    empty = view(candidate=FIST | {"gesture": ""}, fired=SWIPE | {"gesture": "", "does": ""})
    written = np.abs(drawing.panel(look, one).astype(int) - drawing.panel(look, empty))
    bright = written[:, :, :3].max(axis=2) > 60
    assert not bright[:, WIDTH - 12 :].any()
    assert not bright[:, :10].any()
    assert not bright[-10:].any()


def test_a_closed_panel_grows_by_what_it_says() -> None:
    def width(**changes: object) -> int:
        left, _, right, _ = opaque_box(drawing.panel(Look(), view(0.0, **changes)))
        return right - left

    crowd = {"people": 3}
    widths = [width(), width(armed=False), width(armed=True), width(armed=True, control=crowd)]
    assert widths == sorted(set(widths))
    assert width(mode="m" * 90, armed=True, control=crowd) == WIDTH


@pytest.mark.parametrize("scale", [0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0])
@pytest.mark.parametrize("place", ["top-left", "bottom", "right"])
@pytest.mark.parametrize("title", ["Asleep", "Active", "Paused", "volume", "a mode of mine"])
def test_a_mode_that_has_room_is_written_whole(scale: float, place: Spot, title: str) -> None:
    look = Look(Display(place=place, opacity=1.0), scale)
    drawn = drawing.panel(look, view(0.0, mode=title.replace("Active", "active")))
    if title in ("Asleep", "Paused"):
        changes = {"asleep": True} if title == "Asleep" else {"paused": True}
        drawn = drawing.panel(look, view(0.0, **changes))
    ink = (
        np.abs(drawn[:, :, :3].astype(int) - drawing.PAINTS["normal"].ink).max(axis=2) < 60
    ).sum()
    whole = (words.write(title, round(16 * scale)).mask > 210).sum()
    assert ink >= 0.95 * whole


@pytest.mark.parametrize("place", get_args(Spot))
def test_the_mode_stays_where_it_is_while_the_panel_opens(place: Spot) -> None:
    look = Look(Display(place=place, opacity=1.0))
    pictures = [drawing.panel(look, view(opened)).astype(int) for opened in (0.0, 1.0)]
    greens = [np.nonzero(np.abs(one[:, :, :3] - GREEN).max(axis=2) < 12) for one in pictures]
    (rows, columns), (open_rows, open_columns) = greens
    assert (rows.min(), columns.min()) == (open_rows.min(), open_columns.min())


def test_a_problem_is_told_in_lines_that_fit() -> None:
    problem = "camera 0 is in use by another program; close it, or set source: /dev/video2 " * 3
    picture = drawing.panel(Look(), view(problem=problem))
    bright = picture[:, :, :3].min(axis=2) > 200
    rows = np.flatnonzero(bright[:, :WIDTH].any(axis=1))
    assert rows.min() > 8
    assert not bright[:, WIDTH - 10 :].any()


def test_words_are_cut_where_there_is_no_room() -> None:
    assert words.width(LONG, 16) > 200
    assert words.width("fist", 16) < 60
    assert words.write(LONG, 16, 120).mask.shape[1] <= 120
    assert words.write(LONG, 16, 1).mask.shape[1] == 1


def test_pictures_may_hang_over_the_edge_of_a_canvas() -> None:
    canvas = Canvas(10, 10)
    canvas.put(np.ones((8, 8, 4), np.float32), (-4, 6))
    canvas.rounded((-50, -50, -20, -20), 4, GREEN)
    assert int((canvas.done()[:, :, 3] == 255).sum()) == 4 * 4


# --- places -------------------------------------------------------------------------------------

LEFT = Monitor("DP-1", 0, 0, 1920, 1080)
RIGHT = Monitor("HDMI-1", 1920, 200, 1280, 720, main=True)


def test_a_monitor_is_chosen_by_name_by_number_or_because_it_is_the_main_one() -> None:
    both = (LEFT, RIGHT)
    assert spots.chosen(both, "DP-1") is LEFT
    assert spots.chosen(both, "2") is RIGHT
    assert spots.chosen(both, None) is RIGHT
    assert spots.chosen(both, "gone") is RIGHT
    assert spots.chosen((LEFT,), None) is LEFT
    assert spots.chosen((), None) is None


@pytest.mark.parametrize("place", get_args(Spot))
def test_a_panel_is_within_its_monitor_at_every_place(place: Spot) -> None:
    x, y = spots.corner(RIGHT, place, 300, 100, 16)
    assert 1920 + 16 <= x <= 1920 + 1280 - 300 - 16
    assert 200 + 16 <= y <= 200 + 720 - 100 - 16


def test_a_panel_larger_than_its_monitor_begins_at_its_corner() -> None:
    assert spots.corner(RIGHT, "bottom-right", 3000, 2000, 16) == (1920, 200)


def test_fractions_of_the_desktop_are_found_on_their_monitor() -> None:
    both = (LEFT, RIGHT)
    assert spots.at(both, (0.0, 0.0)) == (LEFT, 0, 0)
    assert spots.at(both, (1.0, 0.5)) == (RIGHT, 1280, 340)
    assert spots.at(both, (1.0, 0.0)) is None
    assert spots.at((), (0.5, 0.5)) is None


# --- sounds -------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", sounds.TONES)
def test_sounds_are_short_and_not_loud(what: sounds.Happening) -> None:
    samples = np.frombuffer(sounds.wav(what)[44:], "<i2")
    assert 0.03 < samples.size / sounds.RATE_HZ < 0.5
    assert 0.1 < np.abs(samples).max() / 32767 <= sounds.LOUD
    assert np.abs(samples[[0, -1]]).max() < 400
