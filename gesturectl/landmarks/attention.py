"""When to search a picture for a hand or a body that is not followed yet.

To follow somebody is needed in every frame; to search for somebody costs as much again, and in
most frames nobody has come. Who comes moves. So a search waits for a change in the picture, goes
on for a while after it, and is made now and then without any:

    nobody followed    m = something moved    s = search

    . . . . . . . . . m m m m . . . . . . . . . . . . .
    s                 s s s s s s s s s s             s
    |<--- QUIET_US -->| every BRISK_US, | for SETTLE_US |<- QUIET_US …

    somebody followed, and room for more        x = one of them was lost

    . . . m m m . . . . . . . . x . . . . .
    s     s     s           s   sssssss     s
                                |LOST_US|   afterwards every BESIDE_US while something moves beside
                                            those followed, and every BESIDE_QUIET_US otherwise

What has changed is told from small grey pictures of now and of the last search, so that a slow
hand adds up to a change.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from gesturectl.landmarks.regions import Pixels, Region

# A hand that comes in moves for at least 0.3 s; it must be noticed within 150 ms. Two frames of 30
# a second between searches halve their cost while somebody types, and cost 33 ms at most.
BRISK_US: Final = 60_000
SETTLE_US: Final = 700_000
QUIET_US: Final = 1_000_000
LOST_US: Final = 400_000  # a hand lost to a blur is back within 130 ms in the test clips
BESIDE_US: Final = 120_000
BESIDE_QUIET_US: Final = 500_000

CELL_PX: Final = 8
# Grey levels by which a cell must change: some times the noise that the cells themselves show, and
# never less than 10. A webcam's noise in a dim room is 5 a pixel, so 2.5 in the mean of four.
LEAST: Final = 10.0
NOISES: Final = 4.5
CELLS: Final = 3  # a hand at 3 m covers some twenty


@dataclass(frozen=True, slots=True)
class State:
    """What is remembered of one kind, hands or bodies; all times in microseconds."""

    followed: int = 0
    searched_us: int | None = None
    moved_us: int | None = None
    lost_us: int | None = None


def due(
    state: State, t_us: int, followed: int, *, missing: bool, moved: bool
) -> tuple[State, bool]:
    """Return whether to search in this frame, in which `followed` are followed already.

    `missing`: whether there may be more of them. `moved`: whether anything has changed where nobody
    is followed.
    """
    if followed < state.followed:
        state = replace(state, lost_us=t_us)
    if moved:
        state = replace(state, moved_us=t_us)
    lost = _within(t_us, state.lost_us, LOST_US)
    stirred = _within(t_us, state.moved_us, SETTLE_US)
    if lost:
        pause_us = 0
    elif followed:
        pause_us = BESIDE_US if stirred else BESIDE_QUIET_US
    else:
        pause_us = BRISK_US if stirred else QUIET_US
    search = missing and not _within(t_us, state.searched_us, pause_us)
    searched_us = t_us if search else state.searched_us
    return replace(state, followed=followed, searched_us=searched_us), search


def _within(t_us: int, then_us: int | None, span_us: int) -> bool:
    """Whether something was less than a span ago; a clock that was set back starts anew."""
    return then_us is not None and 0 <= t_us - then_us < span_us


def glance(rgb: Pixels) -> NDArray[np.float32]:
    """Return the picture in cells of `CELL_PX`, float32 (rows, columns): how green each is."""
    rows, columns = max(rgb.shape[0] // CELL_PX, 1), max(rgb.shape[1] // CELL_PX, 1)
    # Linear, not by area: the four pixels in a cell's middle tell enough, in a tenth of the time.
    cells = cv2.resize(rgb, (columns, rows), interpolation=cv2.INTER_LINEAR)
    green: NDArray[np.float32] = cells[:, :, 1].astype(np.float32)
    return green


def changed(
    now: NDArray[np.float32], then: NDArray[np.float32] | None, but: Iterable[Region] = ()
) -> bool:
    """Whether two glances differ by more than noise and light, but for some regions."""
    if then is None or now.shape != then.shape or now.size == 0:
        return True
    change = now - then
    change -= np.median(change[::2, ::2])  # the light, or the camera's exposure
    np.abs(change, out=change)
    noise = 1.4826 * float(np.median(change[::2, ::2]))
    different = change > max(LEAST, NOISES * noise)
    for region in but:
        left, top, right, bottom = (int(edge) // CELL_PX for edge in region.box)
        different[max(top, 0) : max(bottom + 1, 0), max(left, 0) : max(right + 1, 0)] = False
    return int(np.count_nonzero(different)) >= CELLS
